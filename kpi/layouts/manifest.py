"""The manifest of an input: ``manifest.csv`` with the columns file and college_id.

It says whose the files are that name no college. Its files are named as they lie beside it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl

from kpi.errors import DataError
from kpi.layouts.attribution import composed, is_college_id
from kpi.reading.opening import open_file
from kpi.reading.table import InputFile, TextTable, column, refuse

NAME = "manifest.csv"
_COLUMNS = ("file", "college_id")


@dataclass(frozen=True)
class Line:
    """One line of a manifest: where it stands, the file's name in the input, whose it is."""

    where: InputFile
    record: int
    file: str
    college: str


def is_manifest(file: InputFile) -> bool:
    """Whether a file is a manifest, by its name."""
    return PurePosixPath(file.name).name.lower() == NAME


def read_manifest(file: InputFile, scratch: Path) -> list[Line]:
    """Return the lines of a manifest. Raises DataError where it is none."""
    _, tables = open_file(file, lambda cells: len({*_COLUMNS} & {*cells}), scratch)
    table = tables[0]
    if missing := [name for name in _COLUMNS if table.header.count(name) != 1]:
        raise refuse(
            file,
            "The manifest must have the columns file and college_id, each once.",
            found=", ".join(name for name in _COLUMNS if name not in missing),
            expected=", ".join(_COLUMNS),
            do="Write one line a file: its name, and the college's id.",
        )
    return list(_lines(table))


def _lines(table: TextTable) -> Iterator[Line]:
    at, of = (column(table.header.index(name)) for name in _COLUMNS)
    folder = PurePosixPath(table.file.name).parent
    for batch in table.batches():
        cells = batch.select("record", *(pl.col(name).str.strip_chars() for name in (at, of)))
        for record, name, college in cells.iter_rows():
            inside = PurePosixPath((name or "").replace("\\", "/"))
            yield Line(table.file, record, composed(str(folder / inside)), college or "")


def faults_of(lines: Collection[Line], files: Collection[InputFile]) -> Iterator[DataError]:
    """Yield what is wrong with a manifest: files that are not there, or named twice for different
    colleges; ids of wrong form.
    """
    present = {composed(file.name) for file in files}
    seen: dict[str, str] = {}
    for line in lines:
        if line.file not in present:
            yield refuse(
                line.where,
                "The manifest names a file that is not in the input.",
                _at(line),
                found=line.file,
                do="Correct the name, add the file, or take the line away.",
            )
        if not is_college_id(line.college):
            yield refuse(
                line.where,
                "The manifest gives what is no id of a college.",
                _at(line),
                found=_shown(line.college),
                expected="a BIN of 12 digits, or a source's own id with a prefix such as AST-20",
                do="Correct the id.",
            )
        if seen.setdefault(line.file, line.college) != line.college:
            yield refuse(
                line.where,
                "The manifest gives one file to two colleges.",
                _at(line),
                found=f"{line.file}: {_shown(seen[line.file])}, {_shown(line.college)}",
                expected="one line a file",
                do="Take one of the lines away.",
            )


def unknown_colleges(lines: Collection[Line], register: pl.DataFrame) -> Iterator[DataError]:
    """Yield the lines whose college is not in the register, where there is one."""
    known = set(register["college_id"])
    for line in lines:
        if known and line.college not in known and is_college_id(line.college):
            yield refuse(
                line.where,
                "The manifest gives a college that is not in the register of colleges.",
                _at(line),
                found=line.college,
                expected="a college_id of the table colleges",
                do="Correct the id, or add the college to its register.",
            )


def _at(line: Line) -> str:
    return f"record {line.record}"


def _shown(college: str) -> str:
    """Return an id as it may be shown: what is none may be somebody's number."""
    return college if is_college_id(college) else f"{college[:2]}…" if college else "–"
