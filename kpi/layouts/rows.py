"""What a layout gives, and what it is given besides the file."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

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
class FileColumn:
    """What a file calls a column of its table, the texts that stand in it for the column's values,
    where they are a list of its own, and its place in the header where names are none.
    """

    name: str
    texts: tuple[str, ...] = ()
    place: int | None = None


Headers = Mapping[str, Mapping[str, FileColumn]]
"""The columns of files: by the file's name, then by the name of the column in its table; where a
row of the file is many of the table, also by ``cell_key``.
"""


def cell_key(column: str, indicator: str) -> str:
    """Return under which name ``Headers`` has the column of an indicator's value or points."""
    return f"{column} {indicator}"


class RegisterNeeded(Exception):
    """A layout must know the colleges: the file is to be read again after their files were."""


@dataclass(frozen=True)
class Given:
    """What is known of files whose content does not say it.

    ``college`` is the one of all files that name none; ``colleges`` that of single files, by the
    file's name; ``register`` the colleges read so far: college_id, name_kk, name_ru, name_en,
    region, or None while their files were not read; ``names`` matches names to them. ``on`` is the
    day whose mapping is used, the round's count_on; without one it is the newest.
    """

    college: str | None = None
    colleges: Mapping[str, str] = field(default_factory=dict)
    register: pl.DataFrame | None = None
    names: Names | None = None
    on: dt.date | None = None


@dataclass(frozen=True)
class InBulk:
    """The rows of a table before their cells are mapped: ``cells`` maps those of many files at
    once, which is faster; files whose ``cells`` is the same object go together.
    """

    batches: Callable[[], Iterator[pl.DataFrame]]
    cells: Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class TableRows:
    """The rows of one table of the contract out of one table of text.

    ``batches`` gives frames of ``record``, ``fields`` (see kpi.reading.table) and those columns of
    the contract that the file has, as text. ``headers`` says what the file calls each of them,
    ``left_out`` names its columns that nothing is read from, ``form`` how the layout came to what
    the file does not say: for ``sources.json``. ``notes`` are for the user; what several files say
    is said once. A batch may have a column ``faults``, a list of FAULT: what is wrong with a row's
    cells as they stand in the file.
    """

    table: str
    layout: str
    headers: Mapping[str, FileColumn]
    left_out: list[str]
    batches: Callable[[], Iterator[pl.DataFrame]]
    form: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_bulk: InBulk | None = None
