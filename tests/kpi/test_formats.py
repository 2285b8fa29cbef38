"""One input in every format gives the same rows; whatever a file holds, no row of it is lost."""

import datetime as dt
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
import xlsxwriter
from bad_files import lines, three, zip_of
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    KEY,
    Tables,
    accreditation,
    assessment,
    quiet,
    reaches_the_gates,
    students,
    write_folder,
)

from kpi.contract import TableContract
from kpi.errors import CallError
from kpi.intake import Intake, read_inputs
from kpi.tables import TABLES

Writer = Callable[[pl.DataFrame, Path], None]
Written = dict[str, pl.DataFrame]

ENCODINGS = {"utf-8": "utf8", "utf-8-sig": "bom", "utf-16": "utf16", "cp1251": "cp1251"}


def csv_writer(delimiter: str, encoding: str, quotes: str = "necessary") -> Writer:
    """Writes CSV; characters that the encoding lacks are not in the sample."""

    def write(rows: pl.DataFrame, path: Path) -> None:
        text = rows.write_csv(separator=delimiter, quote_style=quotes, line_terminator="\r\n")
        path.with_suffix(".csv").write_bytes(text.encode(encoding))

    return write


def text_book(rows: pl.DataFrame, path: Path) -> None:
    """Writes a workbook, every cell text."""
    with xlsxwriter.Workbook(path.with_suffix(".xlsx")) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([rows.columns, *rows.rows()]):
            for place, cell in enumerate(row):
                if cell is not None:
                    sheet.write_string(at, place, cell)


def typed_book(rows: pl.DataFrame, path: Path) -> None:
    """Writes a workbook with days, booleans and whole numbers as such."""
    types = TableContract(path.stem).types
    options = {"default_date_format": "dd.mm.yyyy"}
    with xlsxwriter.Workbook(path.with_suffix(".xlsx"), options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, rows.columns)
        for at, row in enumerate(rows.rows(), start=1):
            for place, (name, cell) in enumerate(zip(rows.columns, row, strict=True)):
                if cell is None:
                    continue
                dtype = types[name]
                if dtype == pl.Date:
                    sheet.write_datetime(at, place, dt.date.fromisoformat(cell))
                elif dtype == pl.Boolean:
                    sheet.write_boolean(at, place, cell == "true")
                elif dtype.is_numeric():
                    sheet.write_number(at, place, Decimal(cell))
                else:
                    sheet.write_string(at, place, cell)


def text_parquet(rows: pl.DataFrame, path: Path) -> None:
    """Writes Parquet, every column text."""
    rows.write_parquet(path.with_suffix(".parquet"))


def typed_parquet(rows: pl.DataFrame, path: Path) -> None:
    """Writes Parquet with the types of the contract."""
    casts = []
    for name, dtype in TableContract(path.stem).types.items():
        cell = pl.col(name)
        if dtype == pl.Boolean:
            casts.append(cell == "true")
        else:
            casts.append(cell.str.to_date() if dtype == pl.Date else cell.cast(dtype))
    rows.with_columns(casts).write_parquet(path.with_suffix(".parquet"))


WRITERS: dict[str, Writer] = {
    f"{name} {encoding}": csv_writer(delimiter, encoding)
    for name, delimiter in (("comma", ","), ("semicolon", ";"), ("tab", "\t"))
    for encoding in ENCODINGS
}
WRITERS |= {
    "quoted": csv_writer(";", "cp1251", "always"),
    "XLSX of text": text_book,
    "XLSX typed": typed_book,
    "Parquet of text": text_parquet,
    "Parquet typed": typed_parquet,
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every table of the contract, as plain CSV."""
    tables: Tables = reaches_the_gates(students("EX-01", 30))
    tables["students"][3] |= {"record_no": 'дело 7; "б"', "left_on": "2026-01-31"}
    tables["accreditations"].append(accreditation(specialty="01120100"))
    tables["assessments"] = [assessment(points="48.5", value="да, 7")]
    return write_folder(tmp_path_factory.mktemp("plain"), **tables)


@pytest.fixture(scope="module")
def plain(sample: Path) -> Written:
    return stored(sample)[0]


def stored(*inputs: Path) -> tuple[Written, Intake]:
    """Return the typed rows of each table, in order of their cells, and what was said of them."""
    with duckdb.connect() as con:
        intake = read_inputs(con, list(inputs), KEY, quiet)
        assert con.execute("SELECT * FROM cell_findings").fetchall() == []
        rows = {
            name: con.sql(
                f"SELECT * EXCLUDE (row_id, file_no, record) FROM raw_{name} ORDER BY ALL"
            ).pl()
            for name in TABLES
        }
    return rows, intake


def written(sample: Path, folder: Path, writer: Writer) -> Path:
    for file in sorted(sample.glob("*.csv")):
        writer(pl.read_csv(file, infer_schema=False), folder / file.stem)
    return folder


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(
    name: str, sample: Path, plain: Written, tmp_path: Path
) -> None:
    rows, intake = stored(written(sample, tmp_path, WRITERS[name]))
    assert all(rows[table].equals(plain[table]) for table in TABLES)
    assert {entry["table"] for entry in intake.files} == {*TABLES}
    assert intake.unread == []


def test_a_zip_and_files_of_several_formats_give_the_same_rows(
    sample: Path, plain: Written, tmp_path: Path
) -> None:
    """Colleges as Parquet, graduates as a workbook, the rest in a ZIP in Windows-1251."""
    folder = tmp_path / "csv"
    folder.mkdir()
    for name in ("colleges", "graduates"):
        rows = pl.read_csv(sample / f"{name}.csv", infer_schema=False)
        {"colleges": typed_parquet, "graduates": typed_book}[name](rows, tmp_path / name)
    written(sample, folder, csv_writer(";", "cp1251"))
    rest = [file for file in folder.iterdir() if file.stem not in ("colleges", "graduates")]
    archive = tmp_path / "остальное.zip"
    archive.write_bytes(zip_of(*((f"in/{file.name}", file.read_bytes()) for file in rest)))
    rows, _ = stored(tmp_path / "colleges.parquet", tmp_path / "graduates.xlsx", archive)
    assert all(rows[table].equals(plain[table]) for table in TABLES)


def test_the_name_of_a_file_need_not_say_its_table(
    sample: Path, plain: Written, tmp_path: Path
) -> None:
    for number, file in enumerate(sorted(sample.glob("*.csv"))):
        (tmp_path / f"выгрузка {number}.txt").write_bytes(file.read_bytes())
    rows, _ = stored(tmp_path)
    assert all(rows[table].equals(plain[table]) for table in TABLES)


# fuzzing


@contextmanager
def read_bytes(content: bytes) -> Iterator[tuple[duckdb.DuckDBPyConnection, Intake]]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        (Path(folder) / "students.csv").write_bytes(content)
        yield con, read_inputs(con, Path(folder), KEY, quiet)


def all_counted(content: bytes) -> None:
    """Check that each row of a file is kept or refused, none both, or that all is refused."""
    try:
        with read_bytes(content) as (con, intake):
            counts = con.execute(
                "SELECT (SELECT count(*) FROM raw_students), (SELECT count(*) FROM unreadable),"
                " (SELECT count(DISTINCT row_id) FROM cell_findings),"
                " (SELECT count(DISTINCT row_id) FROM read_rows)"
            ).fetchone()
    except CallError as error:
        assert error.what and error.parts["where"]
        return
    assert counts
    kept, refused, found, rows = counts
    assert refused == found, "a row is refused for a finding, and for nothing else"
    assert kept + refused == rows == sum(entry["rows"] for entry in intake.files)


STRUCTURE = st.fixed_dictionaries(
    {
        "encoding": st.sampled_from([*ENCODINGS, "utf-16-le", "utf-16-be"]),
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "ends": st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=4, max_size=4),
        "quoted": st.booleans(),
        "header_again": st.booleans(),
        "column_again": st.booleans(),
        "cells": st.dictionaries(
            st.tuples(st.integers(1, 3), st.integers(0, 13)),
            st.text(max_size=6) | st.sampled_from(['"', '="1"', "=1", "6,0E+9", "\0", ";", ","]),
            max_size=3,
        ),
        "cut": st.dictionaries(st.integers(0, 3), st.integers(0, 20), max_size=2),
        "noise": st.lists(st.tuples(st.integers(0, 700), st.binary(max_size=3)), max_size=3),
    }
)


@settings(max_examples=40, deadline=None)
@given(STRUCTURE)
def test_whatever_the_structure_each_row_is_kept_or_refused(how: dict) -> None:  # type: ignore[type-arg]
    cells = [list(row) for row in three("EX-01", record_no="дело 7")]
    if how["column_again"]:
        cells = [[*row, row[5]] for row in cells]
    for (row, place), cell in how["cells"].items():
        cells[row][place] = cell
    if how["header_again"]:
        cells.insert(2, cells[0])
    for row, length in how["cut"].items():
        cells[row] = [*cells[row], *["x"] * 7][:length]
    if how["quoted"]:
        cells = [[f'"{cell}"' for cell in row] for row in cells]
    ends = [*how["ends"], "\n"]
    text = "".join(
        lines([row], how["delimiter"], end) for row, end in zip(cells, ends, strict=False)
    )
    content = text.encode(how["encoding"], "replace")
    for place, noise in how["noise"]:
        content = content[:place] + noise + content[place:]
    all_counted(content)


@pytest.mark.parametrize("seed", range(12))
def test_a_file_with_random_bytes_in_it_loses_no_row(seed: int) -> None:
    dice = random.Random(seed)
    content = bytearray(lines(three("EX-01") * 20).encode())
    for _ in range(dice.choice([1, 5, 50])):
        at = dice.randrange(len(content))
        content[at : at + dice.choice([0, 1])] = dice.randbytes(dice.choice([1, 4]))
    all_counted(bytes(content))
