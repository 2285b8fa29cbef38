"""What a layout gives, and what it is given besides the file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from kpi.college_names import Names

FAULT = pl.Struct(
    {
        "check_name": pl.String,
        "column_name": pl.String,
        "found": pl.String,
        "expected": pl.String,
    }
)
"""One fault of a cell that a layout sees itself; the check is one of kpi.cells.CELL_CHECKS."""


@dataclass(frozen=True)
class Given:
    """What is known of files whose content does not say it.

    ``college`` is the one of all files that name none; ``colleges`` that of single files, by the
    file's name; ``register`` the colleges read so far: college_id, name_kk, name_ru, name_en,
    region, or None while their files were not read; ``names`` matches names to it. ``first_year``
    is that of the round.
    """

    college: str | None = None
    colleges: Mapping[str, str] = field(default_factory=dict)
    register: pl.DataFrame | None = None
    names: Names | None = None
    first_year: int | None = None


@dataclass(frozen=True)
class TableRows:
    """The rows of one table of the contract out of one table of text.

    ``batches`` gives frames of ``record``, ``fields`` (see kpi.reading.table) and those columns of
    the contract that the file has, as text. ``headers`` says what the file calls each of them,
    ``left_out`` names its columns that nothing is read from. A batch may have a column ``faults``,
    a list of FAULT, of what is wrong with a row's cells as they stand in the file.

    ``needs_register`` is set where the colleges must be read before the rows are; ``form`` is what
    the layout read off the file (its version, a year), ``notes`` what the user must be told of it.
    """

    table: str
    layout: str
    headers: Mapping[str, str]
    left_out: list[str]
    batches: Callable[[], Iterator[pl.DataFrame]]
    needs_register: bool = False
    form: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
