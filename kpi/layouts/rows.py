"""What a layout gives, and what it is given besides the file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True)
class Given:
    """What is known of files whose content does not say it.

    ``college`` is the one of all files that name none; ``colleges`` that of single files, by the
    file's name; ``register`` the colleges read so far: college_id, name_kk, name_ru, name_en,
    region, or None while their files were not read.
    """

    college: str | None = None
    colleges: Mapping[str, str] = field(default_factory=dict)
    register: pl.DataFrame | None = None


@dataclass(frozen=True)
class TableRows:
    """The rows of one table of the contract out of one table of text.

    ``batches`` gives frames of ``record``, ``fields`` (see kpi.reading.table) and those columns of
    the contract that the file has, as text. ``headers`` says what the file calls each of them,
    ``left_out`` names its columns that nothing is read from.
    """

    table: str
    layout: str
    headers: Mapping[str, str]
    left_out: list[str]
    batches: Callable[[], Iterator[pl.DataFrame]]
