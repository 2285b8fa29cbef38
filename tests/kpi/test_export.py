"""Exports: text that no spreadsheet runs, rows that say what they are, the stored numbers."""

import csv
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import college, reaches_the_gates, run, students, together, write_folder

from kpi.errors import CallError
from kpi.export import TABLES, export_round, write_csv
from kpi.rounds import Round
from kpi.tables import TABLES as INPUTS

DANGEROUS = [
    '=HYPERLINK("http://x")',
    "+1",
    "@a",
    "-2+3",
    "\t=1",
    "\r=1",
    "=cmd|' /C calc'!A0",
]
PERSON_COLUMNS = {"student_id", "graduate_id", "person_id", "record_no", "certificate_id"}


@pytest.fixture(scope="session")
def dangerous(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """A round of colleges whose names are formulas, with a rejected row that holds one."""
    folder = tmp_path_factory.mktemp("dangerous")
    parts = []
    for number, name in enumerate(DANGEROUS):
        tables = reaches_the_gates(students(f"EX-{number}", 25))
        parts.append({**tables, "colleges": [college(f"EX-{number}", name_ru=name)]})
    tables = together(*parts)
    tables["students"][0]["study_form"] = "=1+1"
    path = write_folder(folder / "input", **tables)
    # the CSV writer of the tests quotes no lone carriage return
    text = (path / "colleges.csv").read_bytes().replace(b",\r=1,", b',"\r=1",')
    (path / "colleges.csv").write_bytes(text)
    return run(path, folder / "rounds")


@pytest.fixture(scope="session")
def exported(example_round: Round, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the export of the twelve worked colleges."""
    folder = tmp_path_factory.mktemp("export")
    export_round(example_round, folder)
    return folder


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_no_text_of_a_csv_file_begins_as_a_formula(dangerous: Round, tmp_path: Path) -> None:
    paths = export_round(dangerous, tmp_path)
    names: list[str] = []
    for path in paths:
        if path.suffix == ".csv":
            for row in csv_rows(path):
                texts = [cell for cell in row.values() if not is_number(cell)]
                assert not [
                    cell for cell in texts if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")
                ]
                names.append(row.get("name_ru", ""))
    read = {
        name.replace("\r", "\n") for name in DANGEROUS
    }  # a line end of any kind is one line feed
    assert {f"'{name}" for name in read} <= set(names), "the text itself is whole"


def is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("e-", "", 1).removeprefix("-").isdigit()


def test_a_rejected_cell_in_the_findings_is_no_formula_either(
    dangerous: Round, tmp_path: Path
) -> None:
    export_round(dangerous, tmp_path)
    [path] = tmp_path.glob("*-findings.csv")
    assert "'=1+1" in [row["found"] for row in csv_rows(path)]
    write_csv(dangerous.findings(), tmp_path / "own.csv")
    assert "'=1+1" in [row["found"] for row in csv_rows(tmp_path / "own.csv")]


def test_every_row_says_its_round_version_and_that_the_rules_are_illustrative(
    exported: Path, example_round: Round
) -> None:
    wanted = {"round": "2025-26", "version": example_round.version, "rules_status": "illustrative"}
    files = sorted(exported.glob("*.csv"))
    assert len(files) >= 10
    for path in files:
        for row in csv_rows(path):
            assert {name: row[name] for name in wanted} == wanted, path.name
            assert list(row)[:3] == list(wanted)


def test_no_table_with_one_row_a_person_is_exported(exported: Path, example_round: Round) -> None:
    assert not set(TABLES) & {name for name in INPUTS if name != "colleges"}
    stem = f"2025-26-{example_round.version}"
    for path in exported.glob("*.csv"):
        table = path.stem.removeprefix(f"{stem}-")
        assert table in {*TABLES, "findings"}
        rows = csv_rows(path)
        assert not PERSON_COLUMNS & set(rows[0] if rows else ()), path.name


def stored_tables(done: Round) -> dict[str, pl.DataFrame]:
    return {name: done.table(name) for name in TABLES if done.has(name)}


def same(stored: Any, cell: str) -> bool:
    """Whether a CSV cell holds the stored value, exactly."""
    if stored is None:
        return cell == ""
    if isinstance(stored, bool):
        return cell == str(stored).lower()
    if isinstance(stored, float):
        return float(cell) == stored
    if isinstance(stored, int | Decimal):
        return Decimal(cell) == stored
    return cell == str(stored)


def test_the_numbers_of_the_csv_files_are_the_stored_ones(
    exported: Path, example_round: Round
) -> None:
    for name, table in stored_tables(example_round).items():
        rows = csv_rows(exported / f"2025-26-{example_round.version}-{name}.csv")
        assert len(rows) == table.height, name
        for stored, row in zip(table.iter_rows(named=True), rows, strict=True):
            wrong = {c: (v, row[c]) for c, v in stored.items() if not same(v, row[c])}
            assert not wrong, (name, wrong)


def test_a_table_without_rows_is_exported_with_its_header(
    example_round: Round, exported: Path
) -> None:
    assert (
        example_round.findings().is_empty() or example_round.table("specialty_ranking").is_empty()
    )
    path = exported / f"2025-26-{example_round.version}-specialty_ranking.csv"
    assert "rules_status,specialty" in path.read_text(encoding="utf-8-sig")


def test_a_csv_file_opens_in_excel_with_its_letters(exported: Path) -> None:
    for path in exported.glob("*.csv"):
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), path.name


def test_a_round_without_money_is_exported_without_it(tmp_path: Path, dangerous: Round) -> None:
    folder = tmp_path / "draft-1"
    shutil.copytree(dangerous.path, folder)
    for path in (folder / "tables").glob("funding*"):
        path.unlink()
    paths = export_round(Round(folder), tmp_path / "out")
    assert not [path for path in paths if "funding" in path.name]
    assert (tmp_path / "out").joinpath(paths[0].name).exists()


def test_exporting_twice_to_one_folder_gives_the_same_files(
    exported: Path, example_round: Round
) -> None:
    before = {path.name: path.read_bytes() for path in exported.glob("*.csv")}
    export_round(example_round, exported)
    assert {path.name: path.read_bytes() for path in exported.glob("*.csv")} == before


def test_a_folder_that_cannot_be_made_is_a_wrong_call(example_round: Round, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for to in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CallError) as caught:
            export_round(example_round, to)
        assert caught.value.parts["where"] == str(to)
