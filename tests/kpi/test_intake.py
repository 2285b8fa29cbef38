"""Intake: strict forms, every fault reported, no row lost, no raw identifier kept."""

import csv
import datetime as dt
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    KEY,
    Row,
    Tables,
    accreditation,
    agreement,
    assessment,
    college,
    graduate,
    plan,
    quiet,
    reaches_the_gates,
    run,
    run_tables,
    student,
    students,
    together,
    write_folder,
    write_table,
)

from funding.run import check_inputs
from kpi import cli
from kpi.cells import CELL_CHECKS
from kpi.contract import TableContract
from kpi.control_digits import control_digit
from kpi.errors import DataError
from kpi.intake import Intake, read_inputs
from kpi.pseudonyms import KEY_VARIABLE, pseudonym
from kpi.rounds import Round
from kpi.tables import TABLES

Check = tuple[Intake, pl.DataFrame, pl.DataFrame]


def small() -> Tables:
    """One college of thirty students that reaches the gates."""
    return reaches_the_gates(students("EX-01", 30))


def check(folder: Path) -> Check:
    return check_inputs(folder, plan(), KEY, quiet)


def check_tables(folder: Path, **tables: Sequence[Row]) -> Check:
    return check(write_folder(folder, **{**small(), **tables}))


def errors(findings: pl.DataFrame) -> pl.DataFrame:
    return findings.filter(pl.col("severity") == "error")


# forms of cells

INTEGERS = ["3.7", "1e3", "0x10", " 1", "1 ", "+1", "01", "1,0", "١", "−1", "one", "NaN", "1_0"]
DATES = [
    "2025-2-3",
    "2025-02-30",
    "2023-02-29",
    "01.10.2025",
    "2025/10/01",
    "20251001",
    "2025-10-01 00:00",
    "2025-10-01T00:00:00",
    " 2025-10-01",
    "2025-13-01",
    "2025-00-10",
    "45931",
    "today",
    "-2025-10-01",
    "12025-10-01",
]
BOOLEANS = ["True", "TRUE", "yes", "no", "1", "0", "да", " true", "t"]
NUMBERS = ["48,5", "1e1", " 1", "+1", ".5", "5.", "0x1", "48.12345", "NaN", "inf", "1 000"]
CELLS = [
    *[("students", "course", text, "not_an_integer") for text in INTEGERS],
    *[("graduates", "monthly_wage", text, "not_an_integer") for text in [*INTEGERS, "9" * 30]],
    *[("students", "enrolled_on", text, "not_a_date") for text in DATES],
    *[("students", "left_on", text, "not_a_date") for text in DATES],
    *[("students", "academic_leave", text, "not_a_boolean") for text in BOOLEANS],
    *[("graduates", "in_specialty", text, "not_a_boolean") for text in BOOLEANS],
    *[("assessments", "points", text, "not_a_number") for text in NUMBERS],
    *[("students", "course", text, "out_of_range") for text in ("0", "6", "-1", "9" * 18)],
    ("graduates", "monthly_wage", "-1", "out_of_range"),
    ("assessments", "points", "-0.5", "out_of_range"),
    ("students", "study_form", "Full_time", "not_allowed"),
    ("students", "study_form", "full_time ", "not_allowed"),
    ("students", "left_reason", "moved", "not_allowed"),
    ("graduates", "destination", "abroad", "not_allowed"),
    ("colleges", "kind", "school", "not_allowed"),
    ("students", "student_id", "'060101500001", "wrong_form"),
    ("graduates", "graduate_id", "060101500001\u200b", "wrong_form"),
    ("students", "specialty", "011201", "wrong_form"),
    ("students", "specialty", "01120100 ", "wrong_form"),
    ("students", "specialty", "01120100\n", "wrong_form"),
    ("students", "specialty", "٠١١٢٠١٠٠", "wrong_form"),
    ("students", "qualification", "5W01120101", "wrong_form"),
    ("students", "college_id", "12345678901", "wrong_form"),
    ("students", "college_id", "ex-01", "wrong_form"),
    ("dual_agreements", "employer_bin", "99000000000", "wrong_form"),
    ("dual_agreements", "agreement_id", "no 1 spaces", "wrong_form"),
    ("colleges", "region", "KZ-5", "wrong_form"),
    ("colleges", "name_ru", "Ы" * 301, "wrong_length"),
    ("students", "specialty", "", "missing_value"),
    ("students", "student_id", "", "missing_value"),
    ("students", "enrolled_on", "", "missing_value"),
    ("students", "academic_leave", "", "missing_value"),
    ("graduates", "dual", "", "missing_value"),
    ("colleges", "name_ru", "", "missing_value"),
]


SHOWN_MASKED = {
    "999999999999999999999999999999": "99…",
    "999999999999999999": "99…",
    "12345678901": "12…",
    "99000000000": "99…",
}
"""How findings show cells that may be a person's number or name."""


def row_with(table: str, of: Row, **cells: str) -> Row:
    makers: dict[str, Callable[[], Row]] = {
        "colleges": lambda: college("EX-77"),
        "students": student,
        "graduates": graduate,
        "dual_agreements": lambda: agreement(of),
        "assessments": assessment,
    }
    return {**makers[table](), **cells}


@pytest.fixture(scope="module")
def wrong_cells(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Row]:
    """The error findings of a folder that has each of CELLS in a row of its own, by place."""
    tables = small()
    tables["assessments"] = []
    for table, column, text, _ in CELLS:
        tables[table].append(row_with(table, tables["students"][0], **{column: text}))
    _, findings, _ = check(write_folder(tmp_path_factory.mktemp("cells"), **tables))
    cells = errors(findings).filter(pl.col("check_name").is_in(list(CELL_CHECKS)))
    assert cells.height == len(CELLS), "one finding for each wrong cell, none for any other"
    return {(row["table_name"], row["record"]): row for row in cells.iter_rows(named=True)}


@pytest.mark.parametrize(
    "number", range(len(CELLS)), ids=[f"{c} {t!r:.20}" for _, c, t, _ in CELLS]
)
def test_a_wrong_cell_is_a_finding_of_that_cell(
    number: int, wrong_cells: dict[tuple[str, int], Row]
) -> None:
    table, column, text, name = CELLS[number]
    before = len(small()[table]) if table != "assessments" else 0
    record = 2 + before + sum(cell[0] == table for cell in CELLS[:number])
    found = wrong_cells[table, record]
    assert found["check_name"] == name
    assert found["column_name"] == column
    assert found["file"] == f"{table}.csv"
    assert found["expected"]
    assert column in found["message"]
    assert found["message"].endswith(".") or found["message"].endswith("0" * 4)
    if column in TableContract(table).identifiers:
        assert found["found"] == f"({len(text)} characters)"
    elif name != "missing_value":
        assert _starts_as(SHOWN_MASKED.get(text, text), found["found"])
    assert "{" not in found["message"], "every place in the sentence is filled"


def _starts_as(text: str, found: str) -> bool:
    """Whether the finding shows the cell; a decimal is shown with its places."""
    return found == text[:100] or (found.startswith(text) and not found[len(text) :].strip("0"))


RIGHT_CELLS = [
    ("students", "course", "5"),
    ("graduates", "monthly_wage", "0"),
    ("graduates", "monthly_wage", "185000"),
    ("students", "enrolled_on", "2024-02-29"),
    ("students", "academic_leave", "true"),
    ("assessments", "points", "48.5"),
    ("assessments", "points", "0"),
    ("assessments", "value", "да, =1+1"),
    ("students", "record_no", 'a "b", 1\nd'),
    ("students", "qualification", "3W01120101"),
    ("colleges", "name_kk", "Әл-Фараби"),
]


def test_a_right_cell_is_no_finding(tmp_path: Path) -> None:
    tables = {**small(), "assessments": []}
    for number, (table, column, text) in enumerate(RIGHT_CELLS):
        key = {"colleges": "college_id", "assessments": "indicator"}.get(table)
        own = {key: f"EX-{number}"} if key else {}
        tables[table].append(row_with(table, tables["students"][0], **own, **{column: text}))
    _, findings, counts = check_tables(tmp_path, **tables)
    assert errors(findings).is_empty()
    assert counts["rejected"].sum() == 0


def test_every_fault_of_one_row_is_reported(tmp_path: Path) -> None:
    row = student(
        course="9",
        study_form="remote",
        enrolled_on="1.9.2023",
        academic_leave="нет",
        specialty="",
        college_id="?",
    )
    _, findings, counts = check_tables(tmp_path, students=[*small()["students"], row])
    told = dict(errors(findings).filter(pl.col("record") == 32)["column_name", "check_name"].rows())
    assert told == {
        "course": "out_of_range",
        "study_form": "not_allowed",
        "enrolled_on": "not_a_date",
        "academic_leave": "not_a_boolean",
        "specialty": "missing_value",
        "college_id": "wrong_form",
    }
    assert counts.filter(pl.col("table_name") == "students")["rejected"].sum() == 1


@pytest.mark.parametrize("table", ["students", "graduates", "dual_agreements"])
def test_a_row_without_its_person_and_with_another_fault_is_reported(
    table: str, tmp_path: Path
) -> None:
    row = row_with(table, student(), college_id="x")
    [person] = TableContract(table).identifiers
    _, findings, _ = check_tables(tmp_path, **{table: [{**row, person: ""}]})
    told = dict(errors(findings).filter(pl.col("record") == 2)["column_name", "check_name"].rows())
    assert told == {person: "missing_value", "college_id": "wrong_form"}


def test_faults_of_all_tables_are_collected_before_any_is_shown(tmp_path: Path) -> None:
    _, findings, _ = check_tables(
        tmp_path,
        students=[*students("EX-01", 3), student(course="x")],
        graduates=[graduate(dual="x")],
        accreditations=[accreditation(agency="?!")],
    )
    told = set(errors(findings)["table_name"])
    assert {"students", "graduates", "accreditations"} <= told


def test_a_long_cell_is_shown_shortened(tmp_path: Path) -> None:
    _, findings, _ = check_tables(tmp_path, students=[student(study_form="x" * 5_000)])
    [found] = errors(findings).filter(pl.col("check_name") == "not_allowed")["found"]
    assert 0 < len(found) <= 100


# columns


def without_column(path: Path, column: str) -> None:
    pl.read_csv(path, infer_schema=False).drop(column).write_csv(path)


def test_an_extra_column_is_kept_out_and_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, **small())
    path = folder / "students.csv"
    pl.read_csv(path, infer_schema=False).with_columns(hobby=pl.lit("chess")).write_csv(path)
    intake, findings, _ = check(folder)
    assert intake.left_out == {"students.csv": ["hobby"]}
    assert findings.is_empty()


@pytest.mark.parametrize("name", ["record", "fields", "row_id", "file_no", "batch"])
def test_an_extra_column_with_a_working_name_is_kept_out_as_any_other(
    tmp_path: Path, name: str
) -> None:
    folder = write_folder(tmp_path, **small())
    path = folder / "students.csv"
    pl.read_csv(path, infer_schema=False).with_columns(pl.lit("x").alias(name)).write_csv(path)
    intake, findings, _ = check(folder)
    assert intake.left_out == {"students.csv": [name]}
    assert findings.is_empty()


@pytest.mark.parametrize("table", list(TABLES))
def test_a_file_without_an_optional_column_is_fine(tmp_path: Path, table: str) -> None:
    folder = write_folder(tmp_path, **small(), assessments=[assessment()])
    contract = TableContract(table)
    for column in contract.types:
        if column not in contract.required:
            without_column(folder / f"{table}.csv", column)
    _, findings, _ = check(folder)
    assert set(errors(findings)["check_name"]) <= {"employed_without_date"}


@pytest.mark.parametrize("table", list(TABLES))
def test_a_file_without_a_required_column_is_refused_and_the_column_named(
    tmp_path: Path, table: str
) -> None:
    folder = write_folder(tmp_path, **small(), assessments=[assessment()])
    whole = (folder / f"{table}.csv").read_text(encoding="utf-8")
    for column in TableContract(table).required:
        (folder / f"{table}.csv").write_text(whole, encoding="utf-8")
        without_column(folder / f"{table}.csv", column)
        with pytest.raises(DataError) as caught, duckdb.connect() as con:
            read_inputs(con, folder, KEY, quiet)
        assert f"{table}.csv" in str(caught.value)
        assert f"expected: {column}\n" in str(caught.value)


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, **small())
    path = folder / "students.csv"
    frame = pl.read_csv(path, infer_schema=False)
    frame.select(reversed(frame.columns)).write_csv(path)
    _, findings, counts = check(folder)
    assert findings.is_empty()
    assert counts.filter(pl.col("table_name") == "students")["clean"].sum() == 30


def test_all_files_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, **small())
    (folder / "students.csv").write_bytes(b"")
    (folder / "graduates.csv").write_bytes("graduate_id;Колледж\n".encode("cp1251"))
    with pytest.raises(DataError) as caught:
        check(folder)
    assert "students.csv" in str(caught.value)
    assert "graduates.csv" in str(caught.value)


def test_a_file_with_every_cell_in_quotes_is_read_as_the_same_file_without(tmp_path: Path) -> None:
    tables = small()
    plain = run(write_folder(tmp_path / "plain", **tables), tmp_path / "a")
    folder = write_folder(tmp_path / "quoted", **tables)
    for path in folder.glob("*.csv"):
        pl.read_csv(path, infer_schema=False).write_csv(path, quote_style="always")
    quoted = run(folder, tmp_path / "b")
    assert quoted.findings().is_empty(), quoted.findings()["message"].head(1).to_list()
    assert quoted.receipt == plain.receipt


# rows in = clean + rejected

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["", "1", "true", "2025-10-01", "EX-01", "0000-01-01", "9999-12-31", "-0", '"'])


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_rows_in_are_clean_plus_rejected_whatever_the_cells_hold(data: st.DataObject) -> None:
    tables = {name: list(rows) for name, rows in small().items()}
    tables["assessments"] = [assessment()]
    for table, rows in tables.items():
        columns = list(TableContract(table).types)
        for at in range(min(3, len(rows))):
            changed = data.draw(st.dictionaries(st.sampled_from(columns), TEXTS, max_size=4))
            rows[at] = {**rows[at], **changed}
    with tempfile.TemporaryDirectory() as folder:
        input_folder = Path(folder)
        for table, rows in tables.items():
            write_crlf(input_folder / f"{table}.csv", table, rows)
        _, findings, counts = check(input_folder)
    assert (counts["read"] == counts["clean"] + counts["rejected"]).all()
    read = dict(counts.group_by("table_name").agg(pl.col("read").sum()).rows())
    assert read == {table: len(rows) for table, rows in tables.items() if rows}
    rejected = errors(findings).filter(pl.col("record").is_not_null())
    places = rejected.select("table_name", "record").unique()
    assert places.height == counts["rejected"].sum(), "a row is rejected only by a finding"


def write_crlf(path: Path, table: str, rows: Sequence[Row]) -> None:
    """Write with Windows line ends, so that any line end in a cell is quoted."""
    names = list(TableContract(table).types)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(names)
        lines.writerows([_text(row[name]) for name in names] for row in rows)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_rows_are_counted_by_the_college_they_name(tmp_path: Path) -> None:
    tables = together(
        small(),
        {
            "colleges": [college("EX-02")],
            "students": [
                *students("EX-02", 4),
                student("EX-02", course="x"),
                student("EX-99"),
                student(college_id="nobody knows"),
            ],
        },
    )
    _, _, counts = check(write_folder(tmp_path, **tables))
    of_students = counts.filter(pl.col("table_name") == "students").drop("table_name")
    assert sorted(of_students.rows(), key=str) == [
        ("EX-01", 30, 30, 0),
        ("EX-02", 5, 4, 1),
        ("EX-99", 1, 0, 1),
        (None, 1, 0, 1),
    ]


def test_a_ragged_row_is_one_finding_of_the_row(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, **small())
    with (folder / "students.csv").open("a", encoding="utf-8") as file:
        file.write("S1,,EX-01,01120100,,3\nS2,,EX-01,01120100,,3,remote" + "," * 9 + "\n\n")
    _, findings, counts = check(folder)
    assert findings["check_name", "record", "found", "column_name"].rows() == [
        ("wrong_field_count", 33, "16", ""),
        ("wrong_field_count", 32, "6", ""),
    ]
    [row] = counts.filter(pl.col("table_name") == "students").rows(named=True)
    assert (row["read"], row["clean"], row["rejected"]) == (32, 30, 2)


# Parquet, several files, batches


def faulty() -> Tables:
    """Rows with faults that a typed column can hold, beside good ones."""
    more = [
        student(course=7),
        student("EX-99"),
        student(study_form="remote"),
        student(left_on=dt.date(2023, 1, 1)),
        student(special_needs=None),
    ]
    return together(small(), {"students": more, "graduates": [graduate(monthly_wage=-5)]})


def to_typed_parquet(path: Path) -> None:
    """Put a Parquet file with the types of the contract in the place of a CSV file."""
    types = TableContract(path.stem.partition("-")[0]).types
    text = pl.read_csv(path, infer_schema=False)
    how: dict[Any, Callable[[pl.Expr], pl.Expr]] = {
        pl.Date: lambda cell: cell.str.to_date("%Y-%m-%d"),
        pl.Boolean: lambda cell: cell.replace_strict({"true": True, "false": False}),
        pl.Int64: lambda cell: cell.cast(pl.Int64),
    }
    typed = [how.get(of.base_type(), lambda cell: cell)(pl.col(name)) for name, of in types.items()]
    text.with_columns(typed).write_parquet(path.with_suffix(".parquet"))
    path.unlink()


def test_typed_parquet_gives_the_same_round_as_csv(tmp_path: Path) -> None:
    tables = faulty()
    folders = [write_folder(tmp_path / form, **tables) for form in ("csv", "parquet")]
    for path in folders[1].glob("*.csv"):
        to_typed_parquet(path)
    done = [run(folder, folder / "rounds") for folder in folders]
    assert {file["file"].rpartition(".")[2] for file in done[1].sources["files"]} == {"parquet"}
    assert done[0].receipt == done[1].receipt
    told = [round_.findings().drop("file") for round_ in done]
    assert told[0].equals(told[1])
    assert told[0].height >= 6


def test_rows_split_over_files_and_formats_give_the_same_round(tmp_path: Path) -> None:
    tables = faulty()
    whole = run(write_folder(tmp_path / "whole", **tables), tmp_path / "a")
    folder = write_folder(tmp_path / "split", **tables)
    (folder / "students.csv").unlink()
    rows = tables["students"]
    write_table(folder / "students-1.csv", "students", rows[20:])
    write_table(folder / "students-2.csv", "students", rows[:7])
    to_typed_parquet(folder / "students-2.csv")
    write_table(folder / "students.csv", "students", rows[7:20])
    split = run(folder, tmp_path / "b")
    assert split.receipt == whole.receipt
    named = split.findings().filter(pl.col("table_name") == "students").drop_nulls("record")
    assert set(named["file"]) == {"students-1.csv"}
    assert sorted(named["record"].to_list())[0] == 2 + len(rows) - 5 - 20


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    tables = faulty()
    done = run_tables(tmp_path / "a", tables)
    shuffled = {name: random.Random(1).sample(rows, len(rows)) for name, rows in tables.items()}
    assert run_tables(tmp_path / "b", shuffled).receipt == done.receipt


def test_the_size_of_batches_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {name: rows[-12:] for name, rows in faulty().items()}
    folder = write_folder(tmp_path / "input", **tables)
    with (folder / "students.csv").open("a", encoding="utf-8") as file:
        file.write("short,row\n")
    done = []
    for rows in (1, 7, 100_000):
        monkeypatch.setattr("kpi.reading.records.BATCH_ROWS", rows)
        monkeypatch.setattr("kpi.store.BATCH_ROWS", rows)
        done.append(run(folder, tmp_path / str(rows)))
    assert done[0].receipt == done[1].receipt == done[2].receipt
    assert done[0].findings().equals(done[2].findings())
    assert done[1].findings().equals(done[2].findings())


# identifiers of people

_BASES = np.array([99010140000 + n for n in range(50)])
NUMBERS_OF_PEOPLE = [
    f"{base}{digit}"
    for base, digit in zip(_BASES, control_digit(_BASES), strict=True)
    if digit >= 0
][:40]
WORDS_FOR_PEOPLE = [f"seitova.aigul.{n:02d}" for n in range(40)]


def everything_kept(done: Round) -> dict[str, str]:
    """The text of every file of a round: its bytes, and a Parquet file's rows and statistics."""
    kept = {}
    for path in sorted(done.path.parent.rglob("*")):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            if path.suffix == ".parquet":
                text += json.dumps(pl.read_parquet(path).rows(), default=str, ensure_ascii=False)
            kept[str(path.relative_to(done.path.parent))] = text
    return kept


def where_raw(done: Round, output: str, identifiers: Sequence[str]) -> list[str]:
    kept = {**everything_kept(done), "what the command said": output}
    return sorted(
        f"{name}: {identifier}"
        for name, text in kept.items()
        for identifier in identifiers
        if identifier in text
    )


Command = Callable[[Path, Path], tuple[Round, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `kpi run` and returns the round and everything that it said."""

    def call(folder: Path, store: Path) -> tuple[Round, str]:
        monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
        asked = ["run", folder, "--round", "2025-26", "--methodology", "example", "--store", store]
        monkeypatch.setattr("sys.argv", ["kpi", *map(str, asked)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = "".join(capfd.readouterr())
        assert caught.value.code in (0, 1), said
        return Round(store / "2025-26" / "draft-1"), said

    return call


@pytest.mark.parametrize("people", [NUMBERS_OF_PEOPLE, WORDS_FOR_PEOPLE])
def test_no_raw_identifier_is_kept_of_right_and_rejected_rows(
    people: list[str], tmp_path: Path, command: Command
) -> None:
    members = [student(student_id=person) for person in people[:20]]
    tables = reaches_the_gates(members)
    tables["students"] += [
        student(student_id=people[20], course="x"),
        student(student_id=people[21], college_id="EX-99"),
        student(student_id=people[22], left_on="2020-01-01"),
        student(student_id=people[0]),
        student(student_id=people[23] + " "),
        student(student_id=people[24] + "x" * 60),
    ]
    tables["graduates"] += [
        graduate(graduate_id=people[25]),
        graduate(graduate_id=people[26], dual="?"),
        graduate("EX-99", graduate_id=people[27]),
        graduate(graduate_id=people[28]),
        graduate(graduate_id=people[28], specialty="07140100"),
    ]
    tables["dual_agreements"] += [
        agreement(student(student_id=people[29])),
        agreement(student(student_id=people[30]), valid_to="no"),
        agreement(student(student_id=people[31]), valid_to="2020-01-01"),
    ]
    done, said = command(write_folder(tmp_path / "in", **tables), tmp_path / "rounds")
    assert done.findings().height >= 10
    assert where_raw(done, said, people) == []


def ragged(folder: Path, people: Sequence[str]) -> list[str]:
    """Add rows of wrong length, each with a person in a place where it may stand; return who."""
    adds = {
        "students": [
            "{0},,EX-01,01120100",
            "{1},,EX-01,01120100,,3,full_time,state_order,2023-09-01,,,false,false,,,",
            ",{2},,EX-01,01120100,,3,full_time,state_order,2023-09-01,,,false,false,",
        ],
        "graduates": ["{3},,EX-01", "x,{4},EX-01,01120100"],
        "dual_agreements": [
            "{5},EX-01,990040000013,2025-09-01,2026-06-30",
            "No 7,1,{6},EX-01,990040000013,2025-09-01,2026-06-30",
            "A,B,C,D,E,{7},F",
        ],
    }
    for table, lines in adds.items():
        with (folder / f"{table}.csv").open("a", encoding="utf-8") as file:
            file.writelines(line.format(*people) + "\n" for line in lines)
    return list(people[:8])


@pytest.mark.parametrize("people", [NUMBERS_OF_PEOPLE, WORDS_FOR_PEOPLE])
def test_no_raw_identifier_is_kept_of_rows_whose_cells_have_slipped(
    people: list[str], tmp_path: Path, command: Command
) -> None:
    folder = write_folder(tmp_path / "in", **small())
    ids = ragged(folder, people)
    done, said = command(folder, tmp_path / "rounds")
    found = done.findings().filter(pl.col("check_name") == "wrong_field_count")
    assert found.height == len(ids)
    assert where_raw(done, said, ids) == []


@pytest.mark.parametrize("people", [NUMBERS_OF_PEOPLE, WORDS_FOR_PEOPLE])
@pytest.mark.parametrize("table", ["students", "graduates", "dual_agreements"])
def test_a_file_without_its_header_is_refused_without_showing_a_person(
    table: str, people: list[str], tmp_path: Path
) -> None:
    pupil = student(student_id=people[0], language="kk", left_on="2026-01-01", special_needs=True)
    rows = {
        "students": {**pupil, "record_no": "7", "qualification": "3W01120101", "left_reason": "x"},
        "graduates": graduate("EX-01", "employed", graduate_id=people[0]),
        "dual_agreements": agreement(pupil),
    }
    folder = write_folder(tmp_path, **small())
    path = folder / f"{table}.csv"
    write_table(path, table, [rows[table]])
    path.write_text(path.read_text(encoding="utf-8").split("\n", 1)[1], encoding="utf-8")
    with pytest.raises(DataError) as caught:
        check(folder)
    assert f"{table}.csv" in str(caught.value)
    assert people[0] not in str(caught.value)


@pytest.mark.parametrize("ends", ["\r", "\n"])
def test_an_error_of_the_reader_shows_no_person(ends: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, **small())
    path = folder / "students.csv"
    row = student(student_id=NUMBERS_OF_PEOPLE[0], record_no='5" x' if ends == "\n" else "")
    names = list(TableContract("students").types)
    lines = [",".join(names), *[",".join(_text(row[name]) for name in names)] * 3]
    path.write_bytes(ends.join(lines).encode())
    try:
        check(folder)
    except DataError as error:
        assert NUMBERS_OF_PEOPLE[0] not in str(error)


def test_a_pseudonym_is_the_hmac_and_the_same_in_every_table(tmp_path: Path) -> None:
    person = (
        "990101400003"  # weighted 1 to 11: 65, 10 mod 11; weighted 3 to 11, 1, 2: 113, 3 mod 11
    )
    pupil = student(student_id=person)
    tables = reaches_the_gates([pupil, *students("EX-01", 29)])
    tables["students"].append(student(student_id=person, course="x"))
    tables["graduates"].append(graduate(graduate_id=person))
    done = run_tables(tmp_path, tables)
    hidden = pseudonym(KEY, person)
    stored = {
        name: pl.read_parquet(done.path / "inputs" / f"{name}.parquet")
        for name in ("students", "graduates", "dual_agreements", "unreadable")
    }
    for name, column in (
        ("students", "student_id"),
        ("graduates", "graduate_id"),
        ("dual_agreements", "student_id"),
        ("unreadable", "person_id"),
    ):
        assert stored[name].filter(pl.col(column) == hidden).height == 1, name
    ids = set(stored["students"]["student_id"])
    assert ids == {pseudonym(KEY, row["student_id"]) for row in tables["students"]}


@settings(max_examples=5, deadline=None)
@given(st.lists(st.from_regex(r"[^\s\0\ufeff]{1,20}", fullmatch=True), min_size=20, max_size=40))
def test_the_hmac_of_sql_and_that_of_python_are_one(people: list[str]) -> None:
    rows = [student(student_id=person) for person in people]
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        write_crlf(Path(folder) / "students.csv", "students", rows)
        read_inputs(con, Path(folder), KEY, quiet)
        stored = con.execute("SELECT student_id FROM raw_students").fetchall()
        stored += con.execute("SELECT person_id FROM unreadable").fetchall()
    assert sorted(value for (value,) in stored) == sorted(pseudonym(KEY, p) for p in people)


def test_another_key_gives_other_pseudonyms_and_the_same_results(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, **small())
    told = []
    for key in (KEY, b"another key of someone else"):
        with duckdb.connect() as con:
            read_inputs(con, folder, key, quiet)
            told.append(
                {i for (i,) in con.execute("SELECT student_id FROM raw_students").fetchall()}
            )
    assert len(told[0]) == len(told[1]) == 30
    assert not told[0] & told[1]


def test_the_colleges_own_number_is_kept_so_that_a_file_can_be_found(tmp_path: Path) -> None:
    tables = small()
    tables["students"][0]["record_no"] = "дело 17/2"
    tables["students"].append(student(record_no="дело 18", course="x"))
    done = run_tables(tmp_path, tables)
    stored = pl.read_parquet(done.path / "inputs" / "students.parquet")
    assert "дело 17/2" in stored["record_no"].to_list()
    [cells] = pl.read_parquet(done.path / "inputs" / "unreadable.parquet")["cells"]
    assert json.loads(cells)["record_no"] == "дело 18"


def test_the_key_is_in_no_file_of_the_round_but_its_name_is(tmp_path: Path) -> None:
    done = run_tables(tmp_path, small())
    assert not [name for name, text in everything_kept(done).items() if KEY.decode() in text]
    assert len(done.sources["pseudonym_key"]) == 12
