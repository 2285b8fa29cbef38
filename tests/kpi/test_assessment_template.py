"""The assessment template: a region's workbook, as staff fill it in, to rows of ``assessments``."""

import datetime as dt
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import xlsxwriter
from inputs import ALWAYS_WRITTEN, KEY, college, quiet, run, student, write_folder

from funding.verify import verify
from kpi import cli
from kpi.college_names import PROPOSED_FILE, key_of, region_of, write_proposals
from kpi.errors import CallError, DataError
from kpi.intake import Intake, read_inputs
from kpi.layouts import Given
from kpi.layouts.assessment import letter_of, years_in
from kpi.pseudonyms import KEY_VARIABLE
from kpi.resources import data_folder
from kpi.sample.assessment import draw_assessment, long_table, write_assessment_sample
from kpi.templates import Template, template_of

TEMPLATE = template_of(None)
CAPACITY, CONTINGENT, LOAD, LOAD_POINTS = 12, 13, 14, 15
ATTESTATION, SPORTS, DORMITORY = 16, 18, 20
INCOME, INCOME_POINTS = 27, 28
LABS, EQUIPPED, EQUIPPED_PERCENT = 47, 48, 49
PERFORMANCE, PERFORMANCE_POINTS = 74, 75
COHORT, EMPLOYED, EMPLOYED_PERCENT, EMPLOYED_POINTS = 101, 102, 103, 104
COLLEGE_TOTAL, SPECIALTY_TOTAL = 113, 114

Cells = Mapping[int, Any]
Read = Callable[..., tuple[pl.DataFrame, pl.DataFrame, Intake]]

REGISTER = [
    college("EX-01", name_ru="КГКП «Технический колледж № 1»", region="KZ-71"),
    college("EX-02", name_ru="ТОО «Колледж имени Ёлкина»", region="KZ-71"),
    college("EX-03", name_ru="КГКП «Технический колледж № 1»", region="KZ-35"),
]


def row(name: str | None = None, specialty: str | None = None, **cells: Any) -> Cells:
    """A row of the sheet: its college, its specialty, and cells as ``c12=...``."""
    own = {1: "г. Астана", 3: name, 46: specialty}
    return own | {int(place[1:]): value for place, value in cells.items()}


FIRST = row("КГКП «Технический колледж № 1»")
MACHINES = "07150100 – «Технология машиностроения (по видам)»"


def write_template(path: Path, rows: list[Cells], *, skip: int = 0, drop: int = 0) -> Path:
    """Write a workbook in the form of the template: a title, merged headers, labels, numbers of the
    columns, then the rows from the sheet's row 6 on. ``skip`` columns at the left are taken away,
    ``drop`` at the right.
    """
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "dd.mmm"})
    last = len(TEMPLATE.columns) - drop
    sheet.merge_range(0, 3, 0, 9, "Оценка колледжей региона")
    sheet.merge_range(1, 6, 1, 32, "ИНФРАСТРУКТУРА")
    for column in TEMPLATE.columns[skip:last]:
        if column.place in (1, 3):
            sheet.merge_range(2, column.place - skip, 3, column.place - skip, column.label)
        else:
            sheet.write(3, column.place - skip, column.label)
        sheet.write(4, column.place - skip, column.place + 1)
    for at, cells in enumerate(rows, start=5):
        for place, value in cells.items():
            if skip <= place and (place < last or not drop) and value is not None:
                as_date = day if isinstance(value, dt.date) else None
                sheet.write(at, place - skip, value, as_date)
    book.close()
    return path


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a workbook of rows beside the register; returns the rows of ``assessments`` that are
    right, the findings of the others' cells, and what was read.
    """

    def done(
        rows: list[Cells], name: str = "Астана 2025-2026.xlsx", **form: Any
    ) -> tuple[pl.DataFrame, pl.DataFrame, Intake]:
        folder = write_folder(tmp_path / "input", colleges=REGISTER)
        write_template(folder / name, rows, **form)
        con = duckdb.connect()
        on = dt.date(2025, 10, 1)
        intake = read_inputs(con, folder, KEY, quiet, Given(on=on))
        rows_read = con.sql(
            "SELECT record, college_id, specialty, indicator, value, points FROM raw_assessments"
        ).pl()
        findings = con.sql(
            "SELECT record, cell_findings.* EXCLUDE (row_id, table_name) FROM cell_findings"
            " INNER JOIN all_places USING (table_name, row_id) ORDER BY ALL"
        ).pl()
        return rows_read, findings, intake

    return done


def told(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return the rows without the decimals of points that say nothing, in order."""
    plain = rows.with_columns(
        pl.col("points").cast(pl.String).str.strip_chars_end("0").str.strip_suffix(".")
    )
    return sorted(plain.rows(), key=str)


def test_each_filled_cell_is_kept_as_the_contract_writes_it(read: Read) -> None:
    """Two colleges. Of the rows' blanks, dashes and failed divisions nothing is left, and nothing
    else of their rows is skipped.
    """
    rows, findings, intake = read(
        [
            row(
                "КГКП «Технический колледж № 1»",
                **{"c2": "район", "c4": "коммунальная"},
                c12="1 200",
                c13=900,
                c14="75,0",
                c15="4,5",
                c16="со 2-го раза",
                c18="да",
                c20="Нет",
                c27="1 234 567,5",
                c28="-",
                c113="61,25",
            ),
            row(
                "КГКП «Технический колледж № 1»",
                MACHINES,
                c47=0,
                c48="–",
                c49="#ДЕЛ/0!",
                c50=2,
                c74="98,5 %",
                c75=1 / 3,
                c101=7,
                c102="1/7",
                c103="14,3",
                c114=20,
            ),
            # the name stands in the college's row alone
            row(None, "07240300 - Шахтное строительство", c101=12, c102="1/7", c104=0),
            row('тоо "колледж им. Елкина"', c13="#DIV/0!", c15="1,0"),
            row('тоо "колледж им. Елкина"', "07150100 Технология машиностроения", c102=3),
            row("ИТОГО по региону", c13=900, c113=61.25),
        ]
    )
    assert told(rows) == sorted(
        [
            (6, "EX-01", None, "attestation", "со 2-го раза", None),
            (6, "EX-01", None, "college_total", None, "61.25"),
            (6, "EX-01", None, "contingent", "900", None),
            (6, "EX-01", None, "design_capacity", "1200", None),
            (6, "EX-01", None, "dormitory", "false", None),
            (6, "EX-01", None, "load", None, "4.5"),
            (6, "EX-01", None, "load_percent", "75.0", None),
            (6, "EX-01", None, "mini_enterprise_income", "1234567.5", None),
            (6, "EX-01", None, "sports_facility", "true", None),
            (7, "EX-01", "07150100", "academic_performance", None, "0.3333"),
            (7, "EX-01", "07150100", "academic_performance_percent", "98.5", None),
            (7, "EX-01", "07150100", "cohort", "7", None),
            (7, "EX-01", "07150100", "employed", "1", None),
            (7, "EX-01", "07150100", "employed_percent", "14.3", None),
            (7, "EX-01", "07150100", "labs", "0", None),
            (7, "EX-01", "07150100", "labs_equipped", None, "2"),
            (7, "EX-01", "07150100", "specialty_total", None, "20"),
            (8, "EX-01", "07240300", "cohort", "12", None),
            (8, "EX-01", "07240300", "employed", "1/7", "0"),
            (9, "EX-02", None, "load", None, "1"),
            (10, "EX-02", "07150100", "employed", "3", None),
        ],
        key=str,
    )
    assert findings.is_empty()
    assert intake.notes == [
        "Астана 2025-2026.xlsx: rows left out, because they are no college's: ИТОГО по региону (11)"
    ]
    [file] = [file for file in intake.files if file["table"] == "assessments"]
    assert (file["layout"], file["year"]) == ("assessment-template 2024-09-01", "2025-26")
    assert intake.left_out["Астана 2025-2026.xlsx"] == [
        *("ID", "Район", "Форма собственности", "Тип местности"),
        "ИТОГО по региону (11)",
    ]


def test_a_cell_that_is_neither_number_nor_word_is_a_finding_that_names_it(read: Read) -> None:
    """A spreadsheet makes a day of 1/7 that is typed into it: nothing is guessed from that."""
    rows, findings, _ = read(
        [
            FIRST | {CAPACITY: "много", CONTINGENT: 900, LOAD_POINTS: "1,5 балла", DORMITORY: "?"},
            FIRST | {46: MACHINES, LABS: "1,234.5", EMPLOYED: dt.date(2025, 7, 1), 50: -1},
            FIRST | {46: "Технология машиностроения", LABS: 3},
            FIRST | {46: MACHINES, LABS: -3},
        ]
    )
    assert findings.select("record", "check_name", "column_name", "found").rows() == [
        (6, "not_a_boolean", "value", "dormitory = ? (U: общежитие)"),
        (6, "not_a_number", "points", "load = 1,5 балла (P: БАЛЛ)"),
        (6, "not_a_number", "value", "design_capacity = много (M: проектная мощность, чел.)"),
        (
            7,
            "not_a_number",
            "value",
            "employed = 2025-07-01 (CY: трудоустроено)",
        ),
        (7, "not_a_number", "value", "labs = 1,234.5 (AV: лаборатории и мастерские)"),
        (7, "out_of_range", "points", "labs_equipped = -1 (AY: БАЛЛ)"),
        (8, "wrong_form", "specialty", "Технология машиностроения"),
        (9, "out_of_range", "value", "labs = -3 (AV: лаборатории и мастерские)"),
    ]
    assert rows.select("record", "indicator").rows() == [(6, "contingent")]


def test_columns_that_hold_nothing_at_the_left_do_not_move_the_others(read: Read) -> None:
    """The reader leaves out columns before the first used one; the cell is named as in the file."""
    rows, findings, _ = read([FIRST | {1: None, CONTINGENT: 900, LOAD: "?"}], skip=0)
    moved, _, _ = read([FIRST | {CONTINGENT: 900}], skip=1)
    assert rows.select("college_id", "value").rows() == [("EX-01", "900")]
    assert moved.select("college_id", "value").rows() == [("EX-01", "900")]
    assert findings["found"].to_list() == ["load_percent = ? (O: % загрузки)"]


def test_missing_columns_are_named(read: Read) -> None:
    with pytest.raises(DataError, match="missing") as error:
        read([FIRST], drop=2)
    assert error.value.parts["expected"] == (
        "DJ (college_total: ИТОГОВЫЙ БАЛЛ ОБЩИЙ КОЛЛЕДЖ),"
        " DK (specialty_total: ИТОГОВЫЙ БАЛЛ ПО СПЕЦИАЛЬНОСТИ)"
    )


def test_a_column_that_was_put_in_is_refused(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "Астана 2025.xlsx")
    sheet = book.add_worksheet()
    for column in TEMPLATE.columns:
        sheet.write(0, column.place + (column.place > CONTINGENT), column.label)
    book.close()
    with pytest.raises(DataError, match="do not stand where they should") as error:
        read_inputs(duckdb.connect(), tmp_path, KEY, quiet)
    assert "record 1, P" in error.value.parts["where"]  # points of `load` stand one further


def test_a_column_that_was_taken_away_is_named_by_its_place(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "Астана 2025.xlsx")
    sheet = book.add_worksheet()
    for column in TEMPLATE.columns:
        if column.place != CONTINGENT:
            sheet.write(0, column.place - (column.place > CONTINGENT), column.label)
    book.close()
    with pytest.raises(DataError, match="do not stand where they should") as error:
        read_inputs(duckdb.connect(), tmp_path, KEY, quiet)
    assert "record 1, O" in error.value.parts["where"]  # points of `load` stand one before


def test_a_name_that_no_college_certainly_has_is_proposed_and_never_guessed(
    read: Read, tmp_path: Path
) -> None:
    """The name lacks its legal form; a college of the very name in another region is not taken. A
    human writes the id into the file that the check has written, and the rows count.
    """
    near = FIRST | {3: "Технический колледж №1", CONTINGENT: 900}
    elsewhere = row("ТОО «Колледж имени Ёлкина»", c13=5) | {1: "Карагандинская область"}
    rows, findings, intake = read([near, elsewhere])
    assert rows.is_empty()
    assert findings.select("record", "check_name", "found", "expected").rows() == [
        (
            6,
            "unknown_college_name",
            "KZ-71: Технический колледж №1",
            "EX-01 = КГКП «Технический колледж № 1»",
        ),
        (
            7,
            "unknown_college_name",
            "KZ-35: ТОО «Колледж имени Ёлкина»",
            "EX-02 = ТОО «Колледж имени Ёлкина»",
        ),
    ]

    proposed = write_proposals(intake.unmatched, tmp_path)
    assert proposed == tmp_path / PROPOSED_FILE
    sheet = pl.read_csv(proposed, infer_schema=False)
    assert sheet.columns[:5] == ["region", "name", "college_id", "proposal_1", "proposal_1_name"]
    by_hand = sheet.with_columns(college_id=pl.col("proposal_1"))
    (tmp_path / "input").mkdir(exist_ok=True)
    by_hand.write_csv(tmp_path / "input" / "college_names.csv")
    rows, findings, intake = read([near, elsewhere])
    assert rows.select("college_id", "value").rows() == [("EX-01", "900"), ("EX-02", "5")]
    assert findings.is_empty() and not intake.unmatched
    assert "college_names" not in intake.given


def test_the_check_writes_the_names_to_confirm_beside_the_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "input", colleges=REGISTER)
    write_template(folder / "Астана.xlsx", [row("КГКП «Технический колледж»", c13=1)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    words = "check input --round 2025-26 --methodology assessment-template --to found.csv"
    monkeypatch.setattr(sys, "argv", ["kpi", *words.split()])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    assert "Names of colleges not found in the register: 1." in capfd.readouterr().out
    [proposed] = pl.read_csv(tmp_path / PROPOSED_FILE, infer_schema=False).iter_rows(named=True)
    assert (proposed["region"], proposed["proposal_1"]) == ("KZ-71", "EX-01")


def test_a_register_of_people_with_a_column_of_names_is_none_of_confirmed_names(
    tmp_path: Path,
) -> None:
    folder = write_folder(tmp_path / "input", colleges=REGISTER, students=[student("EX-01")])
    people = pl.read_csv(folder / "students.csv", infer_schema=False)
    people.with_columns(name=pl.lit("x")).write_csv(folder / "students.csv")
    con = duckdb.connect()
    read_inputs(con, folder, KEY, quiet)
    assert con.sql("SELECT count(*) FROM raw_students").fetchall() == [(1,)]


def test_a_name_confirmed_with_two_ids_is_refused(read: Read, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    (folder / "college_names.csv").write_text("name;college_id\nА;EX-01\n«а»;EX-02\nБ;\n")
    with pytest.raises(DataError, match="confirmed with two ids"):
        read([FIRST])


def test_two_colleges_of_one_name_are_not_told_apart_by_chance(tmp_path: Path) -> None:
    twins = [college(f"EX-0{n}", name_ru="Колледж", region="KZ-71") for n in (1, 2)]
    folder = write_folder(tmp_path / "input", colleges=twins)
    write_template(folder / "x.xlsx", [row("«Колледж №»", c13=1), row("Колледж № 2", c13=1)])
    con = duckdb.connect()
    read_inputs(con, folder, KEY, quiet)
    assert con.sql("SELECT count(*) FROM raw_assessments").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("КГКП «Колледж №1»", 'кгкп "Колледж № 1"', True),
        ("Коммунальное государственное казённое предприятие «А»", "КГКП А", True),
        ("ГКП на ПХВ «А»", "ГКП на праве хозяйственного ведения «А»", True),
        ("Кoлледж", "Колледж", True),  # the first has a Latin o
        ("КГКП «А»", "ТОО «А»", False),
        ("Колледж № 1", "Колледж № 2", False),
    ],
)
def test_names_are_the_same_by_their_words_alone(one: str, other: str, is_same: bool) -> None:
    assert (key_of(one) == key_of(other)) == is_same


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Карагандинская обл.", "KZ-35"),
        ("г.Алматы", "KZ-75"),
        ("Алматинская область", "KZ-19"),
        ("область Абай", "KZ-10"),
        ("Астана 2024-2025", "KZ-71"),
        ("Шаблон", None),
        ("Астана и Шымкент", None),
    ],
)
def test_a_region_is_known_by_its_names(text: str, region: str | None) -> None:
    assert region_of(text) == region


@pytest.mark.parametrize(
    ("name", "years"),
    [
        ("Астана 2024-2025.xlsx", [2024]),
        ("a/Астана_2024_25.xlsx", [2024]),
        ("Астана_2025.xlsx", [2025, 2024]),
        ("Астана.xlsx", []),
    ],
)
def test_the_year_stands_in_the_file_name(name: str, years: list[int]) -> None:
    assert years_in(name) == years


def test_columns_right_of_the_template_are_named_and_nothing_of_their_cells_is(read: Read) -> None:
    _, _, intake = read([FIRST | {CONTINGENT: 1, 115: "Ахметов Дамир"}])
    assert intake.notes == [
        "Астана 2025-2026.xlsx: columns left out, because they are none of the template: DL"
    ]
    assert "Ахметов" not in str(intake)


def test_a_year_that_is_not_the_rounds_is_said(read: Read) -> None:
    rows, _, intake = read([FIRST | {CONTINGENT: 1}], name="Астана 2023-2024.xlsx")
    assert rows.height == 1
    assert intake.notes == [
        "The name of Астана 2023-2024.xlsx says 2023-24; the round is 2025-26. Check that it is the"
        " right file: its rows were read."
    ]


def test_the_sample_comes_back_as_it_was_drawn(tmp_path: Path) -> None:
    """Twenty workbooks and the plain long table give the same rows; ranked, and verified again."""
    folder = tmp_path / "input"
    paths = write_assessment_sample(folder, colleges=30, students=2000, seed=3)
    assert len(paths) == 21
    drawn = long_table(draw_assessment(30, 2000, seed=3))
    done = run(folder, tmp_path / "store", methodology="assessment-template")
    assert done.findings().is_empty()
    expected = drawn.with_columns(pl.col("points", "max_points").cast(pl.Decimal(18, 4)))
    got = done.table("assessments").select(drawn.columns)
    assert got.sort(pl.all()).equals(expected.sort(pl.all()))
    assert done.table("ranking")["rank"].drop_nulls().len() == 30
    assert done.table("specialty_ranking").height > 60


def test_faults_of_the_template_are_verified_again(tmp_path: Path) -> None:
    no_people = dict.fromkeys(set(ALWAYS_WRITTEN) - {"colleges"})
    folder = write_folder(tmp_path / "input", colleges=REGISTER, **no_people)
    rows = [FIRST | {CAPACITY: "много", COLLEGE_TOTAL: 50}, row("Никакой", c113=1)]
    write_template(folder / "Астана 2025.xlsx", rows)
    done = run(folder, tmp_path / "store", methodology="assessment-template")
    found = done.findings().filter(pl.col("table_name") == "assessments")
    assert set(found["check_name"]) == {"not_a_number", "unknown_college_name"}
    assert verify(done, None, quiet).differs is None


def test_the_mapping_is_checked_strictly() -> None:
    content = TEMPLATE.model_dump()
    columns = [dict(column) for column in content["columns"]]
    columns[13] |= {"place": 12, "whole": "contingent"}
    columns[14] |= {"part": "nobody"}
    columns[15] |= {"kind": "points", "code": "repair"}
    with pytest.raises(ValueError, match="for Template") as error:
        Template.model_validate(content | {"columns": columns, "college": 12})
    for fault in (
        "entry 13 is out of place",
        "college: is 12",
        "the cell: repair points is given 2 times",
        "its part is nobody",
        "expected a whole for a fraction",
    ):
        assert fault in str(error.value)


def test_a_template_of_no_year_yet_is_an_error() -> None:
    with pytest.raises(CallError, match="No version of the mapping"):
        template_of(dt.date(2020, 10, 1))


def test_columns_have_the_letters_of_a_spreadsheet() -> None:
    assert [letter_of(place) for place in (0, 25, 26, 114)] == ["A", "Z", "AA", "DK"]


def test_the_shares_that_checks_compare_are_those_of_the_mapping() -> None:
    """``assessment_shares`` is read by the SQL of rounds, which cannot read the mapping."""
    shares = pl.read_csv(data_folder() / "reference" / "assessment_shares.csv", infer_schema=False)
    stated = [(c.indicator, c.part, c.whole) for c in TEMPLATE.columns if c.kind == "percent"]
    assert shares.select("indicator", "part", "whole").rows() == stated
