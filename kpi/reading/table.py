"""What reading gives: a table of text, as it stands in a file."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from kpi.errors import DataError

BATCH_ROWS = 125_000

HEADER_AGAIN = -1
STRAY_QUOTE = -2
SLIPPED_ROW = -3
"""In ``fields``: a row that repeats the header, one with a quotation mark out of place, one of a
marked-up workbook that still says that its cells may have slipped.
"""

Knows = Callable[[Sequence[str]], int]
"""Counts how many of some texts are names of columns that a layout knows."""


@dataclass(frozen=True)
class InputFile:
    """One file of the input: its name as its sender sees it, and where its content lies."""

    name: str
    """With the folders below the input and the archive that held it: ``a.zip/students.csv``."""
    path: Path

    @cached_property
    def size(self) -> int:
        """How many bytes."""
        return self.path.stat().st_size


@dataclass(frozen=True)
class TextTable:
    """A CSV file, one sheet of a workbook or a Parquet file, every cell as text.

    ``batches`` gives frames of ``record`` (Int64, the header's is ``header_record``), ``fields``
    (Int64: null for a row of right length, else its number of fields, HEADER_AGAIN or STRAY_QUOTE)
    and a text column per column of ``header``, named by ``column``; empty cells are null.
    ``form`` says what was detected: format, encoding, delimiter, sheet.
    """

    file: InputFile
    header: list[str]
    header_record: int
    batches: Callable[[], Iterator[pl.DataFrame]]
    form: dict[str, str] = field(default_factory=dict)
    is_damaged: bool = False
    """Whether bytes of it were no characters: such cells hold U+FFFD."""
    picked: Callable[[Collection[int]], Iterator[pl.DataFrame]] | None = None
    """As ``batches``, with the columns of those places alone, where that is cheaper; its cells may
    still be protected (kpi.reading.tidying.unprotected).
    """
    sheet: pl.DataFrame | None = None
    """All cells of a sheet from its first row and used column on, for layouts that go by place."""
    rows: int = 1
    """How many rows it has, roughly: for whoever waits."""

    @property
    def name(self) -> str:
        """The file's name, with the sheet's where there are several."""
        sheet = self.form.get("sheet")
        return f"{self.file.name} [{sheet}]" if sheet else self.file.name

    def batches_of(self, places: Collection[int]) -> Iterator[pl.DataFrame]:
        """Yield the batches with at least the columns at some places; see ``picked``."""
        return self.picked(places) if self.picked else self.batches()


def column(place: int) -> str:
    """Return the name that batches give the column at a place of the header."""
    return f"c{place}"


def refuse(file: InputFile, what: str, where: str = "", **parts: str) -> DataError:
    """Return an error of a file as a whole; ``where`` is a place in it."""
    return DataError(what, where=f"{file.name}, {where}" if where else file.name, **parts)


def first_line(error: BaseException) -> str:
    """Return what a library says of a fault, without the rest of it."""
    return next(iter(str(error).splitlines()), type(error).__name__)
