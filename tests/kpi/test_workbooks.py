"""Marked-up workbooks: dirty files become workbooks, corrected workbooks become clean data."""

import csv
import stat
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from inputs import (
    KEY,
    Tables,
    college,
    plan,
    quiet,
    reaches_the_gates,
    student,
    students,
    together,
    write_folder,
)
from test_privacy import CONTINGENT

from funding.run import check_inputs
from kpi.check_report import Report, print_report
from kpi.errors import CallError
from kpi.findings import in_three_languages
from kpi.intake import Intake
from kpi.language import speaker
from kpi.reading.marked import MESSAGES, NOTES
from kpi.sample.assessment import write_assessment_sample
from kpi.workbooks import Checked, write_workbooks

Check = tuple[Intake, pl.DataFrame, pl.DataFrame]


def check(*inputs: Path) -> Check:
    return check_inputs(list(inputs), plan(), KEY, quiet)


def marked_up(to: Path, *inputs: Path, language: str | None = "en") -> dict[str, Path]:
    """The workbooks of an input, by name."""
    intake, findings, counts = check(*inputs)
    made = write_workbooks(Checked(inputs, intake, findings, counts), to, language, quiet)
    assert all(path.parent == to for path in made)
    return {path.stem: path for path in made}


def two_colleges() -> Tables:
    """EX-01 and EX-02, thirty students each and nothing wrong."""
    return together(
        reaches_the_gates(students("EX-01", 30)), reaches_the_gates(students("EX-02", 30))
    )


def rows_of(path: Path, sheet: str) -> list[list[str]]:
    """The cells of a sheet."""
    found = openpyxl.load_workbook(path)[sheet]
    return [[cell or "" for cell in row] for row in found.iter_rows(values_only=True)]


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Students of EX-01: the third has course 3.7, the fifth an enrolment on 30 February, and no
    specialty. Each has a column of its own that the product does not know. One row names no
    college.
    """
    tables = two_colleges()
    ours = tables["students"]
    ours[2]["course"] = "3.7"
    ours[4] |= {"enrolled_on": "2025-02-30", "specialty": ""}
    ours.append(student("", student_id="P060101500999"))
    folder = write_folder(tmp_path_factory.mktemp("dirty"), **tables)
    path = folder / "students.csv"
    pl.read_csv(path, infer_schema=False).with_columns(name=pl.lit("=1+1")).write_csv(path)
    return folder


@pytest.fixture(scope="module")
def books(dirty: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return marked_up(tmp_path_factory.mktemp("books") / "new", dirty)


def test_each_college_with_findings_gets_a_workbook_and_rows_of_none_another(
    books: dict[str, Path],
) -> None:
    assert sorted(books) == ["EX-01", "unattributed"]
    assert openpyxl.load_workbook(books["EX-01"]).sheetnames == ["kpi", "students"]
    [head, row] = rows_of(books["unattributed"], "students")
    assert row[head.index("student_id")] == "P060101500999"
    assert "college_id is empty" in row[0]


def test_a_sheet_has_all_rows_of_the_college_as_they_stand_those_with_findings_first(
    books: dict[str, Path], dirty: Path
) -> None:
    head, *rows = rows_of(books["EX-01"], "students")
    with (dirty / "students.csv").open(encoding="utf-8", newline="") as file:
        source = list(csv.reader(file))
    assert head == [MESSAGES, *source[0]]
    assert [row[1:] for row in rows[:2]] == [source[3], source[5]], "the third and the fifth"
    assert sorted(row[1:] for row in rows) == sorted(row for row in source if "EX-01" in row)
    assert "course is 3.7" in rows[0][0]
    assert "enrolled_on is 2025-02-30" in rows[1][0] and "specialty is empty" in rows[1][0]
    assert all(row[0] == "" for row in rows[2:])


def test_wrong_cells_are_coloured_and_every_cell_is_text(books: dict[str, Path]) -> None:
    sheet = openpyxl.load_workbook(books["EX-01"])["students"]
    names = [cell.value for cell in sheet[1]]
    coloured = {
        (cell.row, names[cell.column - 1])
        for row in sheet.iter_rows(min_row=2)
        for cell in row
        if cell.fill.fill_type == "solid"
    }
    assert coloured == {(2, "course"), (3, "enrolled_on"), (3, "specialty")}
    assert {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row} <= {"s", "n"}
    assert {cell.value for cell in sheet[2] if cell.data_type == "n"} == {None}, "empty cells alone"
    assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref
    assert sheet["B2"].number_format == "@"


def test_the_folder_and_its_files_are_their_owners_alone(books: dict[str, Path]) -> None:
    folder = books["EX-01"].parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_notes_say_that_the_workbook_is_personal_data(
    dirty: Path, books: dict[str, Path], tmp_path: Path
) -> None:
    notes = rows_of(books["EX-01"], "kpi")
    assert notes[0] == [NOTES]
    assert any("personal data" in line[0] for line in notes)
    both = rows_of(marked_up(tmp_path / "both", dirty, language=None)["EX-01"], "students")
    kazakh, russian = both[1][0].split("\n")
    assert kazakh != russian and "3.7" in kazakh and "3.7" in russian


def corrected(path: Path, sheet: str, to: Path, changes: dict[tuple[int, str], str]) -> Path:
    """A copy of a workbook with cells changed, by row and name of the column."""
    book = openpyxl.load_workbook(path)
    names = [cell.value for cell in book[sheet][1]]
    for (row, name), text in changes.items():
        book[sheet].cell(row, names.index(name) + 1).value = text
    book.save(to / path.name)
    return to / path.name


def test_a_corrected_workbook_is_read_in_place_of_its_rows(
    dirty: Path, books: dict[str, Path], tmp_path: Path
) -> None:
    """The same clean rows as those of a file that was right from the start."""
    mended = {(2, "course"): "3", (3, "enrolled_on"): "2023-09-01", (3, "specialty"): "01120100"}
    first = corrected(books["EX-01"], "students", tmp_path, mended)
    second = corrected(books["unattributed"], "students", tmp_path, {(2, "college_id"): "EX-02"})
    source = pl.read_csv(dirty / "students.csv", infer_schema=False)
    rest = tmp_path / "students-rest.csv"
    source.filter(pl.col("college_id") == "EX-02").write_csv(rest)
    others = [path for path in dirty.iterdir() if path.name != "students.csv"]
    intake, findings, counts = check(*others, rest, first, second)
    assert findings.is_empty(), findings
    assert counts["read"].sum() == counts["clean"].sum()
    assert intake.unread == []
    assert counts.filter(pl.col("table_name") == "students").select(
        "college_id", "read"
    ).rows() == [
        ("EX-01", 30),
        ("EX-02", 31),
    ]
    assert intake.left_out["EX-01.xlsx [students]"] == ["name"], "not the column of messages"


def test_a_workbook_read_in_again_as_it_is_has_the_same_findings(
    dirty: Path, books: dict[str, Path]
) -> None:
    columns = ["college_id", "check_name", "column_name", "found"]
    _, before, _ = check(dirty)
    others = [path for path in dirty.iterdir() if path.name != "students.csv"]
    _, after, _ = check(*others, *books.values())
    ours = (pl.col("college_id").is_null() | (pl.col("college_id") == "EX-01")) & (
        pl.col("table_name") == "students"
    )
    assert after.filter(ours).select(columns).equals(before.filter(ours).select(columns))


def test_a_folder_that_holds_something_or_is_among_rounds_is_refused(
    dirty: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").touch()
    with pytest.raises(CallError, match="not empty"):
        marked_up(tmp_path / "kept", dirty)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "journal.jsonl").touch()
    with pytest.raises(CallError, match="among rounds"):
        marked_up(tmp_path / "store" / "2025-26" / "new", dirty)
    assert not (tmp_path / "store" / "2025-26").exists()


def test_a_college_whose_findings_are_of_no_row_gets_its_notes(tmp_path: Path) -> None:
    """EX-02's own row is wrong: its rows are held back, which no row of them can mend."""
    tables = two_colleges()
    tables["colleges"] = [college("EX-01"), college("EX-02", region="KZ-99")]
    made = marked_up(tmp_path / "new", write_folder(tmp_path / "in", **tables))
    assert list(made) == ["EX-02"]
    told = " ".join(line[0] for line in rows_of(made["EX-02"], "kpi"))
    assert "30" in told and "students" in told.lower()
    intake, _, _ = check(made["EX-02"])
    assert intake.unread == [] and [entry["table"] for entry in intake.files] == ["colleges"]


# other layouts


def damaged_sheet(path: Path, changes: dict[str, str]) -> Path:
    """A workbook with cells changed in place, by their letters."""
    book = openpyxl.load_workbook(path)
    for place, text in changes.items():
        book.worksheets[0][place].value = text
    book.save(path)
    return path


def test_the_assessment_template_keeps_its_order_and_its_header(tmp_path: Path) -> None:
    """L5 are points of the first college, which cannot be read. Its rows stand as they did, since
    a specialty's row is of the college above it; corrected, they are read as before.
    """
    folder = tmp_path / "in"
    write_assessment_sample(folder, colleges=30, students=2_000)
    path = min(folder.glob("*.xlsx"))
    of_region = [folder / "colleges.csv", path]
    right = openpyxl.load_workbook(path).worksheets[0]["L5"].value
    _, _, before = check(*of_region)
    damaged_sheet(path, {"L5": "abc"})
    [(name, book)] = marked_up(tmp_path / "new", *of_region).items()
    sheet = openpyxl.load_workbook(book)["assessments"]
    [cell] = [cell for row in sheet for cell in row if cell.fill.fill_type == "solid"]
    assert cell.value == "abc"
    places = [row[1] for row in sheet.iter_rows(min_row=cell.row, values_only=True)]
    assert places == sorted(places, key=int), "the template's own ID column"
    cell.value = str(right)
    sheet.parent.save(tmp_path / book.name)
    _, findings, after = check(folder / "colleges.csv", tmp_path / book.name)
    assert findings.filter(pl.col("severity") == "error").is_empty()
    its = pl.col("college_id") == name
    assert after.filter(its).equals(before.filter(its))


def test_a_cell_of_the_template_that_contradicts_others_is_coloured_and_named(
    tmp_path: Path,
) -> None:
    """Column AI is a percent of two counts beside it: it is not 1.01 %, and is said by its letter
    and its heading, beside what the counts give.
    """
    folder = tmp_path / "in"
    write_assessment_sample(folder, colleges=30, students=2_000)
    path = min(folder.glob("*.xlsx"))
    percent = "AI"
    damaged_sheet(path, {f"{percent}5": "1,01"})
    [book] = marked_up(tmp_path / "new", folder / "colleges.csv", path).values()
    sheet = openpyxl.load_workbook(book)["assessments"]
    [cell] = [cell for row in sheet for cell in row if cell.fill.fill_type == "solid"]
    assert cell.value == "1,01"
    said = sheet.cell(cell.row, 1).value
    assert f"({percent}: " in said and " = 1.01 does not agree with the counts" in said


def test_the_contingent_export_says_in_its_own_words_what_is_wrong(tmp_path: Path) -> None:
    rows = [{**CONTINGENT, "ИИН": f"P{number}"} for number in range(3)]
    rows[1]["Курс обучения [5802]"] = "девятый"
    rows[2]["Форма обучения [5568]"] = "дистанционная"
    lines = [CONTINGENT.keys(), *(row.values() for row in rows)]
    text = "\r\n".join("\t".join(f'="{cell}"' for cell in line) for line in lines)
    export = tmp_path / "contingent EX-01.csv"
    export.write_bytes(text.encode("utf-16"))
    register = write_folder(tmp_path / "in", colleges=[college("EX-01")]) / "colleges.csv"
    book = marked_up(tmp_path / "new", register, export)["EX-01"]
    head, *found = rows_of(book, "students")
    assert head[1:] == [*CONTINGENT]
    assert found[0][1:] == [*rows[1].values()], "the wrong one first, names and all"
    assert found[0][0].startswith("Курс обучения [5802] is")
    assert found[1][0].startswith(
        "Форма обучения [5568] is дистанционная, which is not in its list of values. Use one of"
        " очная, заочная, вечерняя."
    )
    changes = {(2, "Курс обучения [5802]"): "3 курс", (3, "Форма обучения [5568]"): "очная"}
    mended = corrected(book, "students", tmp_path, changes)
    _, findings, counts = check(register, mended)
    assert findings.filter(pl.col("table_name") == "students").is_empty()
    assert counts.filter(pl.col("table_name") == "students")["clean"].to_list() == [3]


def test_a_row_is_as_tall_as_its_message(dirty: Path, tmp_path: Path) -> None:
    """LibreOffice does not fit rows itself: messages lay over one another."""
    book = openpyxl.load_workbook(marked_up(tmp_path / "new", dirty)["EX-01"])
    said = [
        (str(row[0].value), sheet.row_dimensions[row[0].row].height)
        for sheet in book.worksheets[1:]
        for row in sheet.iter_rows(min_row=2)
        if row[0].value
    ]
    assert said
    for text, height in said:
        lines = sum(-(-len(line) // 70) for line in text.split("\n"))
        assert lines * 15 <= height <= 2 * lines * 15


def test_a_row_whose_cells_slipped_stays_wrong_until_somebody_says_that_it_is_right(
    tmp_path: Path,
) -> None:
    """The last cell of a row is cut off: in a workbook it looks whole, as if it had been empty. All
    its cells are red; sent back untouched it is wrong again.
    """
    folder = write_folder(
        tmp_path / "in", colleges=[college("EX-01")], students=students("EX-01", 3)
    )
    path = folder / "students.csv"
    head, first, *rest = path.read_text(encoding="utf-8").splitlines()
    short, last = first.rsplit(",", 1)
    path.write_text("\n".join([head, short, *rest]), encoding="utf-8")
    book = marked_up(tmp_path / "new", folder)["EX-01"]
    sheet = openpyxl.load_workbook(book)["students"]
    width = len(head.split(","))
    red = {cell.row for row in sheet for cell in row[1:] if cell.fill.fill_type == "solid"}
    assert red == {2} and len(sheet[2]) == width + 1
    path.unlink()
    _, findings, _ = check(folder / "colleges.csv", book)
    assert findings["check_name"].to_list() == ["slipped_row"]
    sheet["A2"].value, sheet.cell(2, width + 1).value = None, last
    sheet.parent.save(tmp_path / book.name)
    _, findings, counts = check(folder / "colleges.csv", tmp_path / book.name)
    assert findings.is_empty()
    assert counts.filter(pl.col("table_name") == "students")["clean"].to_list() == [3]


# what is told of a check


def test_findings_are_handed_out_in_three_languages_errors_first(dirty: Path) -> None:
    intake, findings, _ = check(dirty)
    told = in_three_languages(findings, intake.headers)
    assert told.columns == [
        *("severity", "check_name", "table_name", "college_id", "file", "record"),
        *("column_name", "file_column", "found", "expected"),
        *("message_kk", "message_ru", "message_en"),
    ]
    assert told["severity"].to_list() == sorted(told["severity"])
    [course] = told.filter(pl.col("column_name") == "course").rows(named=True)
    assert course["file_column"] == "course"
    assert len({course[f"message_{language}"] for language in ("kk", "ru", "en")}) == 3


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_a_check_is_told_in_the_readers_language(
    language: str, dirty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    intake, findings, counts = check(dirty)
    report = Report(findings, counts, intake)
    words = speaker(language)
    assert print_report(report, Path("findings.csv"), words)
    said = capsys.readouterr().out
    assert "[no " not in said, "every sentence has its words"
    assert words.say("comma") in said
    assert words.say("Findings by college") in said and "EX-01" in said
    assert words.say("Mend first: {what}", what="")[:8] in said


def test_a_file_of_another_system_is_told_of_in_its_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "contingent EX-01.csv"
    row = {**CONTINGENT, "Форма обучения [5568]": "дистанционная"}
    export.write_bytes(
        "\r\n".join("\t".join(line) for line in (row, row.values())).encode("utf-16")
    )
    register = write_folder(tmp_path / "in", colleges=[college("EX-01")]) / "colleges.csv"
    intake, findings, counts = check(register, export)
    print_report(Report(findings, counts, intake), Path("findings.csv"), speaker("ru"))
    said = capsys.readouterr().out
    wanted = "Форма обучения [5568]: значения дистанционная нет в списке. Укажите: одно из:"
    assert f"{wanted} очная, заочная, вечерняя." in said
    assert "full_time" not in said


def test_what_is_found_again_and_again_in_one_row_is_told_once(
    dirty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template's row has a finding for each of its cells: one says it, the others are counted."""
    intake, findings, counts = check(dirty)
    again = pl.concat([findings.head(1)] * 20)
    print_report(Report(again, counts, intake), Path("findings.csv"), speaker("en"))
    said = capsys.readouterr().out
    assert said.count("\n- ") == 1
    assert "more in findings.csv" not in said


def test_files_alike_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path, **reaches_the_gates(students("EX-01", 30)))
    rows = (folder / "students.csv").read_text(encoding="utf-8").splitlines()
    (folder / "students.csv").unlink()
    for at in range(1, len(rows)):
        (folder / f"students-{at:02d}.csv").write_text(f"{rows[0]}\n{rows[at]}\n", encoding="utf-8")
    intake, findings, counts = check(folder)
    report = Report(findings, counts, Intake(files=intake.files))
    print_report(report, Path("findings.csv"), speaker("en"))
    said = capsys.readouterr().out
    assert "30 files, such as students-01.csv" in said
    assert said.count("students-") == 1
