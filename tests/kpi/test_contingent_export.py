"""The national contingent export: what becomes of its cells, whose file it is, and the sample."""

import datetime as dt
import sys
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import xlsxwriter
from exports import HEADINGS, ROW, export_text, write_export
from inputs import KEY, college, quiet, write_folder

from kpi import cli
from kpi.contract import TableContract
from kpi.errors import CallError, DataError
from kpi.intake import Intake, read_inputs
from kpi.language import speaker
from kpi.layouts import Given
from kpi.layouts.contingent import headers_of
from kpi.layouts.rows import FileColumn
from kpi.pipeline import connect
from kpi.pseudonyms import KEY_VARIABLE, pseudonym
from kpi.sample import write_sample

COLUMNS = list(TableContract("students").types)
BIN, OTHER_BIN = "200140000014", "200140000024"
LEAVE = "Находится в академическом отпуске [6754]"
NEEDS = "Дети с инвалидностью и/или лица с инвалидностью [253]"
FUNDING = "Обучение за счет средств [6662]"
SPECIALTY = "Специальность [speciality_a]"
MAIN = "Специальность и классификатор (основной) [426]"


class Read:
    """What intake makes of an input: its rows of students, findings and report."""

    def __init__(self, folder: Path, inputs: Any, given: Given | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.con = connect(folder)
        self.intake: Intake = read_inputs(self.con, inputs, KEY, quiet, given)

    @property
    def students(self) -> list[dict[str, Any]]:
        columns = ", ".join(COLUMNS)
        select = f"SELECT {columns} FROM raw_students ORDER BY file_no, record"
        return self.con.sql(select).pl().to_dicts()

    @property
    def findings(self) -> list[tuple[str, str, str]]:
        select = "SELECT check_name, column_name, found FROM cell_findings ORDER BY row_id"
        return self.con.execute(select).fetchall()


def read_one(tmp_path: Path, *rows: dict[str, str], headings: Any = HEADINGS) -> Read:
    """Read one export of one college."""
    path = write_export(tmp_path / f"{BIN}.csv", *rows, headings=headings)
    return Read(tmp_path / "work", path)


def value(tmp_path: Path, column: str, **cells: str) -> Any:
    """What a column of the only student is, read from cells that a test names."""
    [student] = read_one(tmp_path, cells).students
    return student[column]


def test_a_row_by_hand(tmp_path: Path) -> None:
    done = read_one(tmp_path, {})
    [student] = done.students
    assert {name: str(cell) for name, cell in student.items() if cell is not None} == {
        "student_id": pseudonym(KEY, "060001500019"),
        "record_no": "17",
        "college_id": BIN,
        "specialty": "06130100",
        "qualification": "4S06130103",
        "course": "3",
        "study_form": "full_time",
        "funding_source": "state_order",
        "enrolled_on": "2023-09-01",
        "academic_leave": "False",
        "special_needs": "False",
        "language": "ru",
    }
    [file] = done.intake.files
    assert (file["layout"], file["encoding"], file["delimiter"], file["college_by"]) == (
        *("contingent-export", "UTF-16", "tab"),
        "file name",
    )
    assert file["mapping"]["name"] == "contingent-export"
    assert any(file["mapping"]["sha256"] in note for note in done.intake.notes)
    assert "left out" not in " ".join(done.intake.notes), "every column of the export is known"


@pytest.mark.parametrize(
    ("heading", "cell", "column", "expected"),
    [
        (FUNDING, " Самофинансирование ", "funding_source", "self_paid"),
        (FUNDING, "РБ", "funding_source", "state_order"),
        (FUNDING, "целевой грант акимата", "funding_source", "targeted_state_order"),
        ("Форма обучения [5568]", "ЗАОЧНАЯ", "study_form", "part_time"),
        ("Язык обучения [209]", "казахский", "language", "kk"),
        ("Курс обучения [5802]", "4", "course", 4),
        (LEAVE, "", "academic_leave", False),
        (LEAVE, "по состоянию здоровья", "academic_leave", True),
        (LEAVE, "призыв на срочную службу", "academic_leave", True),
        (LEAVE, "false", "academic_leave", False),  # as a yes-or-no cell of a workbook is read
        (LEAVE, "ЛОЖЬ", "academic_leave", False),
        ("Причина выбытия [5804]", "окончание\u00a0 обучения", "left_reason", "graduated"),
        (NEEDS, "Да", "special_needs", True),
        (NEEDS, "да", "special_needs", True),
        (SPECIALTY, "", "specialty", "06130100"),  # from the qualification in [426]
        ("Причина выбытия [5804]", "Перевод в другой колледж", "left_reason", "transferred"),
    ],
)
def test_what_a_cell_becomes(
    tmp_path: Path, heading: str, cell: str, column: str, expected: Any
) -> None:
    assert value(tmp_path, column, **{heading: cell}) == expected


def test_a_value_that_the_mapping_does_not_know_is_a_finding(tmp_path: Path) -> None:
    done = read_one(tmp_path, {"Форма обучения [5568]": "виртуальная"})
    assert done.students == []
    assert done.findings == [("not_allowed", "study_form", "виртуальная")]


def test_an_old_code_of_seven_digits_stays_as_it_is(tmp_path: Path) -> None:
    assert value(tmp_path, "specialty", **{SPECIALTY: "1304000 Вычислительная"}) == "1304000"
    again = tmp_path / "again"
    again.mkdir()
    assert value(again, "specialty", **{SPECIALTY: "", MAIN: "1304000"}) == "1304000"


def test_names_addresses_and_phones_are_nowhere(tmp_path: Path) -> None:
    done = read_one(tmp_path, {}, {"Курс обучения [5802]": "ФАМИЛИЯ-17"})
    tables = [name for (name,) in done.con.execute("SHOW TABLES").fetchall()]
    held = " ".join(str(done.con.execute(f"FROM {name}").fetchall()) for name in tables)
    for personal in ("ФАМИЛИЯ-17", "ИМЯ-17", "060001500019", "2006-01-01", "+7 000", "село"):
        assert personal not in held + str(done.intake)


# columns


def test_the_attribute_counts_more_than_the_name(tmp_path: Path) -> None:
    renamed = [h.replace("Курс обучения [5802]", "Год обучения [5802]") for h in HEADINGS]
    [student] = read_one(tmp_path, {"Год обучения [5802]": "2 курс"}, headings=renamed).students
    assert student["course"] == 2


def test_without_attributes_the_names_count(tmp_path: Path) -> None:
    named = [h.replace("Курс обучения [5802]", "КУРС  ОБУЧЕНИЯ") for h in HEADINGS]
    [student] = read_one(tmp_path, {"КУРС  ОБУЧЕНИЯ": "2 курс"}, headings=named).students
    assert student["course"] == 2


def test_a_header_without_any_attribute_is_known_by_its_names(tmp_path: Path) -> None:
    bare = [heading.partition(" [")[0] for heading in HEADINGS]
    row = dict(zip(bare, (ROW.get(heading, "") for heading in HEADINGS), strict=True))
    [student] = read_one(tmp_path, row, headings=bare).students
    assert (student["course"], student["specialty"]) == (3, "06130100")


def test_two_columns_of_one_attribute_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"two columns of one name: Курс .*\[5802\], Ещё \[5802\]"):
        read_one(tmp_path, {}, headings=[*HEADINGS, "Ещё [5802]"])


def test_columns_that_the_table_must_have_are_named(tmp_path: Path) -> None:
    headings = [h for h in HEADINGS if h not in (FUNDING, LEAVE)]
    with pytest.raises(DataError, match="lacks columns") as caught:
        read_one(tmp_path, {}, headings=headings)
    assert caught.value.parts["expected"] == f"{FUNDING}, {LEAVE}"


def test_what_a_file_lacks_or_has_besides_is_said(tmp_path: Path) -> None:
    headings = [*(h for h in HEADINGS if h != NEEDS), "Новое [9999]"]
    done = read_one(tmp_path, {}, headings=headings)
    assert done.students[0]["special_needs"] is False
    assert list(done.intake.left_out.values()) == [["Новое [9999]"]]
    said = " ".join(done.intake.notes)
    assert "in files without a column for special_needs it is false" in said
    [_, told] = map(speaker("ru").error, done.intake.notes)
    assert told.startswith("Выгрузка контингента: в файлах без столбца")


def test_other_formats_of_the_same_columns_read_the_same(tmp_path: Path) -> None:
    rows = [{}, {"ID контингента": "18", "Дата выбытия [269]": "2025-02-01"}]
    text = export_text(rows).replace('="', "").replace('"', "")
    folder = tmp_path / "input"
    write_export(folder / "a" / f"{BIN}.csv", *rows)
    (folder / "b").mkdir()
    lines = [line.split("\t") for line in text.splitlines()]
    commas = "\n".join(",".join(f'"{c}"' if "," in c else c for c in line) for line in lines)
    (folder / "b" / f"{BIN}.csv").write_text(commas, encoding="utf-8")
    (folder / "c").mkdir()
    with xlsxwriter.Workbook(folder / "c" / f"{BIN}.xlsx") as book:
        sheet = book.add_worksheet()
        for n, line in enumerate(lines):
            sheet.write_row(n + 2, 0, line, book.add_format({"num_format": "@"}))
    students = Read(tmp_path / "work", folder).students
    assert len(students) == 6
    assert students[:2] == students[2:4] == students[4:]


# whose file it is


@pytest.mark.parametrize(
    ("name", "expected", "by"),
    [
        (f"{BIN}.csv", BIN, "file name"),
        (f"контингент_{BIN}_2025-10-01.csv", BIN, "file name"),
        (f"{BIN}/выгрузка.csv", BIN, "folder name"),
        (f"{OTHER_BIN}/{BIN}.csv", BIN, "file name"),
        ("KZ-35/contingent-EX-01-2025.csv", "EX-01", "file name"),
        ("EX-01/выгрузка.csv", "EX-01", "folder name"),
        ("Горный колледж  «Пример».csv", "EX-02", "file name"),
        ("ГОРНЫЙ КОЛЛЕДЖ ПРИМЕР/1.csv", "EX-02", "folder name"),
        ("1.csv", "EX-03", "call"),
        (f"{BIN}0.csv", "EX-03", "call"),  # thirteen digits are no BIN
        ("060001500019.csv", "EX-03", "call"),  # a person's number is none either
        ("Общий колледж.csv", None, "fits several colleges"),
        (f"{BIN} {OTHER_BIN}.csv", None, "fits several colleges"),
    ],
)
def test_whose_file_it_is(tmp_path: Path, name: str, expected: str | None, by: str) -> None:
    folder = tmp_path / "input"
    names = {"EX-01": "А", "EX-02": "Горный колледж «Пример»", "EX-04": "Общий колледж"}
    colleges = [college(one, name_ru=told) for one, told in names.items()]
    write_folder(folder, colleges=[*colleges, college("EX-05", name_ru="Общий колледж")])
    write_export(folder / name, {})
    given = Given(college="EX-03")
    if expected is None:
        with pytest.raises(DataError, match=by):
            Read(tmp_path / "work", folder, given)
        return
    done = Read(tmp_path / "work", folder, given)
    assert [student["college_id"] for student in done.students] == [expected]
    assert [file["college_by"] for file in done.intake.files if "college_by" in file] == [by]


def test_names_in_an_archive_of_russian_windows_are_read(tmp_path: Path) -> None:
    archive, name = tmp_path / "all.zip", "Горный колледж.csv".encode("cp866")
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("x" * len(name), export_text([{}]).encode("utf-16"))
    archive.write_bytes(archive.read_bytes().replace(b"x" * len(name), name))
    write_folder(tmp_path / "input", colleges=[college("EX-01", name_ru="Горный колледж")])
    done = Read(tmp_path / "work", [tmp_path / "input", archive])
    assert [student["college_id"] for student in done.students] == ["EX-01"]


def test_a_file_that_nothing_names_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "input", colleges=[college("EX-01")])
    write_export(folder / "1.csv", {})
    write_export(folder / "2.csv", {})
    with pytest.raises(DataError) as caught:
        Read(tmp_path / "work", folder)
    assert [error.parts["where"] for error in caught.value.each] == ["1.csv", "2.csv"]
    assert "manifest.csv" in caught.value.each[0].parts["do"]
    assert "--college" in caught.value.each[0].parts["do"]


def with_manifest(tmp_path: Path, *lines: str) -> Path:
    """An input of a college EX-01, two exports, and a manifest of these lines."""
    folder = write_folder(tmp_path / "input", colleges=[college("EX-01"), college("EX-02")])
    write_export(folder / "north" / "1.csv", {})
    write_export(folder / "north" / "EX-02.csv", {})
    manifest = "\n".join(["file;college_id", *lines])
    (folder / "north" / "manifest.csv").write_text(manifest, encoding="cp1251")
    return folder


def test_the_manifest_says_whose_files_are(tmp_path: Path) -> None:
    done = Read(tmp_path / "work", with_manifest(tmp_path, "1.csv;EX-01"))
    assert {f["file"]: f["college_by"] for f in done.intake.files if "college_by" in f} == {
        "north/1.csv": "manifest",
        "north/EX-02.csv": "file name",
    }
    assert done.intake.unread == []


@pytest.mark.parametrize(
    ("line", "what", "found"),
    [
        ("3.csv;EX-01", "names a file that is not in the input", "north/3.csv"),
        ("1.csv;060001500019", "what is no id of a college", "06…"),
        ("1.csv;EX-09", "not in the register of colleges", "EX-09"),
        ("EX-02.csv;EX-01", "give different colleges", "EX-01 in the manifest, EX-02 in the name"),
        ("1.csv;EX-02", "one file to two colleges", "north/1.csv: EX-01, EX-02"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, line: str, what: str, found: str) -> None:
    with pytest.raises(DataError) as caught:
        Read(tmp_path / "work", with_manifest(tmp_path, "1.csv;EX-01", line))
    assert found in [error.parts["found"] for error in caught.value.each if what in error.what]


def test_a_round_of_before_the_first_mapping_is_refused(tmp_path: Path) -> None:
    given = Given(on=dt.date(2020, 10, 1))
    with pytest.raises(CallError, match="No version of the mapping"):
        Read(tmp_path / "work", write_export(tmp_path / f"{BIN}.csv", {}), given)


def test_the_command_takes_several_inputs_and_a_college(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    monkeypatch.chdir(tmp_path)
    folder = write_folder(tmp_path / "registers", colleges=[college("EX-01")], students=None)
    export = write_export(tmp_path / "loose.csv", {})

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["kpi", "check", *map(str, words), "--round", "2025-26"])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0), " ".join("".join(capfd.readouterr()).split())

    code, told = call(folder, export, "--college", "EX-01")
    assert (code, "Students 1 1 0" in told) == (0, True), told
    code, told = call(folder, export)
    assert (code, "loose.csv" in told and "--college" in told) == (1, True), told
    code, told = call(folder, export, "--language", "ru")
    assert (code, "Где: loose.csv" in told, "Nothing says" in told) == (1, True, False), told
    code, told = call(folder, export, "--college", "first")
    assert (code, "This is no id of a college." in told) == (2, True), told


# the sample


def test_the_sample_reads_the_same_in_both_layouts(tmp_path: Path) -> None:
    size = {"colleges": 30, "students": 2_000}
    write_sample(tmp_path / "plain", **size)
    paths = write_sample(tmp_path / "export", **size, layout="contingent-export")
    exports = [path for path in paths if path.parent != tmp_path / "export"]
    assert len(exports) > 30, "one a college, and of its branches"
    first = exports[0].read_bytes()
    assert first.startswith(b"\xff\xfe")
    heading, row, *_ = first.decode("utf-16").split("\r\n")
    assert heading.split("\t") == HEADINGS
    assert all(cell.startswith('="') and cell.endswith('"') for cell in row.split("\t"))

    def table(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
        return con.sql("SELECT * EXCLUDE (row_id, file_no, record) FROM raw_students").pl()

    one = table(Read(tmp_path / "one", tmp_path / "plain").con).sort("student_id", "enrolled_on")
    two = Read(tmp_path / "two", tmp_path / "export")
    assert two.findings == []
    assert one.equals(table(two.con).sort("student_id", "enrolled_on"))


def test_only_known_layouts_are_written(tmp_path: Path) -> None:
    for wrong in ({"layout": "other"}, {"layout": "contingent-export", "defects": True}):
        with pytest.raises(ValueError, match="layout"):
            write_sample(tmp_path / "none", **wrong)
    assert not (tmp_path / "none").exists()


def test_a_stored_round_knows_what_its_files_call_their_columns(tmp_path: Path) -> None:
    """By the mapping that it names, unless that file was edited since."""
    done = read_one(tmp_path, {})
    [kept] = done.intake.files
    [columns] = headers_of([kept]).values()
    assert columns["study_form"] == FileColumn(
        "Форма обучения [5568]", ("очная", "заочная", "вечерняя")
    )
    assert columns["study_form"] == done.intake.headers[kept["file"]]["study_form"]
    edited = {**kept, "mapping": {**kept["mapping"], "sha256": "0" * 64}}
    assert headers_of([edited]) == {kept["file"]: {}}
    assert headers_of([{"file": "students.csv"}]) == {}
