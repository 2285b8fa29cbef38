"""The counting list of a college: whom each figure of its profile counts, person by person."""

import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from inputs import (
    HEAVY,
    KEY,
    WORKSHOP,
    Row,
    accreditation,
    agreement,
    college,
    counts,
    graduate,
    graduates,
    row_of,
    run,
    run_tables,
    student,
    students,
    together,
    write_rule,
)

from funding.counting_list import write_counting_list
from funding.people import CountedPeople, count_people
from kpi.errors import CallError, DataError
from kpi.pseudonyms import pseudonym
from kpi.resources import data_folder
from kpi.rounds import Round
from kpi.sample import write_sample

COLLEGES = [*(f"EX-{number:02d}" for number in range(1, 12)), "EX-03B"]
UNIT_OF = {"EX-03B": "EX-03", "EX-11": "EX-03"}
SHEETS = ["About this list", "Students", "Graduates", "Sums", "Rejected rows"]


@pytest.fixture(params=["threshold", "leagues"])
def done(
    request: pytest.FixtureRequest, example_round: Round, example_round_leagues: Round
) -> Round:
    """The round of the twelve worked colleges, under either rule."""
    return example_round if request.param == "threshold" else example_round_leagues


@pytest.fixture(scope="module")
def defects(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """A sample round with wrong rows planted in every table."""
    path = tmp_path_factory.mktemp("defects")
    write_sample(path / "input", colleges=30, students=6000, defects=True)
    return run(path / "input", path / "rounds", methodology="kpi")


@pytest.fixture(scope="module")
def counted_units(defects: Round) -> dict[str, CountedPeople]:
    """The people of every unit of that round."""
    return {
        unit: count_people(defects, unit) for unit in defects.table("unit_profile")["college_id"]
    }


class List:
    """A written list as a reader of it sees it: rows by title, from the cells' cached values."""

    def __init__(self, path: Path) -> None:
        self.values = openpyxl.load_workbook(path, data_only=True)
        self.formulas = openpyxl.load_workbook(path)

    def people(self, name: str) -> list[Row]:
        rows = list(self.values[name].iter_rows(min_row=2, values_only=True))
        return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]

    def table(self, name: str) -> list[Row]:
        rows = list(self.values[name].iter_rows(values_only=True))
        return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]

    def text(self) -> str:
        return "\n".join(
            str(cell)
            for sheet in self.values.worksheets
            for row in sheet.iter_rows(values_only=True)
            for cell in row
            if cell is not None
        )


def list_of(of_round: Round, college_id: str, path: Path, language: str = "en") -> List:
    return List(write_counting_list(of_round, college_id, path / "list.xlsx", language))


def inputs_of(of_round: Round, table: str, unit_id: str) -> pl.DataFrame:
    """The stored rows of a unit's colleges in an input table."""
    units = of_round.table("units").filter(pl.col("unit_id") == unit_id)
    rows = pl.read_parquet(of_round.path / "inputs" / f"{table}.parquet")
    return rows.filter(pl.col("college_id").is_in(units["college_id"].to_list()))


def assert_sums_are_the_rounds(of_round: Round, counted: CountedPeople, unit_id: str) -> None:
    """Every KPI of people, and the funding, summed here from the rows and not by the product."""
    listed = 0
    for people in (counted.students, counted.graduates):
        for column in people.columns:
            kpi, _, part = column.partition(".")
            if part:
                assert people[column].is_in([0, 1]).all(), column
                stored = counts(of_round, unit_id, kpi)[part == "denominator"]
                assert people[column].sum() == stored, column
                listed += 1
    assert listed == 2 * 14
    paid = of_round.table("funding").filter(pl.col("college_id") == unit_id)
    assert counted.students["months_paid"].sum() == paid["student_months"].sum()
    eligible = counted.students.filter(pl.col("not_paid_reason").is_null())
    assert Decimal(eligible.height) == (paid["students"].sum() or 0)


# ---- the sums are the figures of the profile ----


@pytest.mark.parametrize("college_id", COLLEGES)
def test_the_people_of_every_worked_college_sum_to_its_profile(
    done: Round, college_id: str
) -> None:
    unit_id = UNIT_OF.get(college_id, college_id)
    counted = count_people(done, college_id)
    assert counted.unit["college_id"] == unit_id
    assert_sums_are_the_rounds(done, counted, unit_id)


def test_the_people_of_every_unit_sum_to_its_profile_though_rows_were_rejected(
    defects: Round, counted_units: dict[str, CountedPeople]
) -> None:
    rejected = 0
    for unit_id, counted in counted_units.items():
        assert_sums_are_the_rounds(defects, counted, unit_id)
        for table, people in (("students", counted.students), ("graduates", counted.graduates)):
            accepted = inputs_of(defects, table, unit_id).filter("accepted")
            key = ["college_id", f"{table[:-1]}_id"]
            assert sorted(people.select(key).rows()) == sorted(accepted.select(key).rows())
        rejected += counted.rejected.height
    assert rejected > 20


def test_the_sums_sheet_holds_live_sums_with_the_value_they_have(
    example_round: Round, tmp_path: Path
) -> None:
    written = list_of(example_round, "EX-03", tmp_path)
    rows = list(written.formulas["Sums"].iter_rows(min_row=2))
    cached = list(written.values["Sums"].iter_rows(min_row=2, values_only=True))
    seen = 0
    for row, values in zip(rows, cached, strict=True):
        for place in (2, 4):
            formula = row[place].value
            if not str(formula).startswith("=SUM("):
                continue
            sheet, cells = str(formula)[5:-1].split("!")
            counted = sum(cell.value or 0 for (cell,) in written.values[sheet.strip("'")][cells])
            assert values[place] == values[place + 1] == counted
            seen += 1
        if str(row[6].value).startswith("="):
            assert values[6] == "yes"
    assert seen == 2 * 14 + 1


def test_the_first_row_of_a_sheet_of_people_sums_its_columns(
    example_round: Round, tmp_path: Path
) -> None:
    written = list_of(example_round, "EX-02", tmp_path)
    for name in ("Students", "Graduates"):
        sums = [cell.value for cell in written.values[name][1]]
        people = written.people(name)
        titles = list(people[0])
        summed = [place for place, total in enumerate(sums) if isinstance(total, int)]
        assert summed
        for place in summed:
            assert sums[place] == sum(row[titles[place]] for row in people)
            assert str(written.formulas[name].cell(1, place + 1).value).startswith("=SUM(")


def test_a_list_that_does_not_sum_to_the_round_is_a_fault_of_the_product_and_not_written(
    example_round: Round, tmp_path: Path
) -> None:
    copy = tmp_path / example_round.name / example_round.version
    shutil.copytree(example_round.path, copy)
    values = example_round.table("kpi_values").with_columns(
        numerator=pl.when((pl.col("college_id") == "EX-05") & (pl.col("kpi") == "employment_rate"))
        .then(pl.col("numerator") + 1)
        .otherwise(pl.col("numerator"))
    )
    values.write_parquet(copy / "tables" / "kpi_values.parquet")
    with pytest.raises(DataError, match="fault of the product") as caught:
        write_counting_list(Round(copy), "EX-05", tmp_path / "list.xlsx")
    assert "employment_rate: 7/10 here, 8.0000/10.0000 in the round" in str(caught.value)
    assert not (tmp_path / "list.xlsx").exists()
    count_people(Round(copy), "EX-04")  # a college of its own


def test_what_is_no_sum_of_people_stands_there_with_its_figure_and_the_reason(
    example_round: Round, tmp_path: Path
) -> None:
    rows = list_of(example_round, "EX-02", tmp_path).table("Sums")
    names = {kpi.code: kpi.name.en for kpi in example_round.methodology.kpis}
    for code in ("institution_accredited", "employers_per_100", "median_wage"):
        [row] = [row for row in rows if row["Indicator"] == names[code]]
        _, value, numerator, denominator, reason, *_ = row.values()
        stored = row_of(example_round.table("kpi_values"), college_id="EX-02", kpi=code)
        assert value == pytest.approx(stored["value"])
        assert (numerator, denominator) == (stored["numerator"], stored["denominator"])
        assert reason


# ---- who is listed, and why not ----


def test_a_branch_and_a_merged_college_lead_to_the_list_of_their_unit(
    example_round: Round, tmp_path: Path
) -> None:
    whole = list_of(example_round, "EX-03", tmp_path)
    assert {row["College"] for row in whole.people("Students")} == {"EX-03", "EX-03B", "EX-11"}
    assert "EX-03B" in str(whole.values["About this list"]["B5"].value)
    for college_id in UNIT_OF:
        part = list_of(example_round, college_id, tmp_path)
        assert part.people("Students") == whole.people("Students")
        assert part.people("Graduates") == whole.people("Graduates")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Round, dict[str, Row]]:
    """One college with a branch, and a student for each way to count or not; a second college."""
    mover = student("EX-01", record_no="moved-out", left_on="2025-03-01", left_reason="transferred")
    people = {
        "state": student(record_no="state", specialty=WORKSHOP),
        "dual": student(record_no="dual", specialty=WORKSHOP),
        "targeted": student(record_no="targeted", funding_source="targeted_state_order"),
        "enterprise": student(record_no="enterprise", funding_source="enterprise_paid"),
        "self": student(record_no="self", funding_source="self_paid"),
        "leave": student(record_no="leave", academic_leave=True),
        "left": student(record_no="left", left_on="2025-10-01", left_reason="own_wish"),
        "later": student(record_no="later", enrolled_on="2025-10-02"),
        "stayed": student(record_no="stayed", left_on="2025-10-02"),
        "evening": student(record_no="evening", study_form="evening"),
        "formula": student(record_no="=1+1"),
        "mover": mover,
        "moved": student(
            "EX-01B",
            record_no="moved-in",
            student_id=mover["student_id"],
            enrolled_on="2025-03-01",
            specialty=HEAVY,
        ),
    }
    others = students("EX-02", 5, record_no="other")
    tables = together(
        {
            "colleges": [college("EX-01"), college("EX-01B", parent_id="EX-01"), college("EX-02")],
            "students": [*people.values(), *others],
            "graduates": [
                graduate(record_no="late", destination="employed", destination_on="2025-10-02"),
                graduate(
                    record_no="declared", destination="employed", destination_source="declared"
                ),
                graduate(record_no="early", graduated_on="2024-08-31"),
                graduate(record_no="works", destination="employed", in_specialty=True),
                *graduates("EX-02", 4, 2, record_no="other"),
            ],
            "dual_agreements": [
                agreement(people["dual"]),
                agreement(people["dual"], employer_bin="990040000023"),
                # signed by the parent, of a student of the branch, who left the parent
                agreement(mover),
            ],
            "accreditations": [
                accreditation("EX-01B", WORKSHOP),
                accreditation("EX-01", WORKSHOP),
                accreditation("EX-02", HEAVY),
            ],
        }
    )
    return run_tables(tmp_path_factory.mktemp("mixed"), tables), people


@pytest.fixture(scope="module")
def mixed_list(mixed: tuple[Round, dict[str, Row]], tmp_path_factory: Any) -> dict[str, Row]:
    """The rows of the list of that college, students and graduates, by record number."""
    written = list_of(mixed[0], "EX-01", tmp_path_factory.mktemp("list"))
    return {
        row["Record number"]: row
        for row in [*written.people("Students"), *written.people("Graduates")]
    }


DUAL = "Share of students in dual training: "
ACCREDITED = "Share of students in accredited programmes: "
DROPOUT = "Dropout rate: "
EMPLOYED = "Employed, excluded left out (derived): "


def pair(row: Row, kpi: str) -> tuple[int, int]:
    return row[kpi + "numerator"], row[kpi + "denominator"]


@pytest.mark.parametrize(
    ("record_no", "eligible", "why_not"),
    [
        ("state", 1, None),
        ("targeted", 1, None),
        ("evening", 1, None),
        ("stayed", 1, None),
        ("moved-in", 1, None),
        ("enterprise", 0, "the funding source is not paid by the state"),
        ("self", 0, "the funding source is not paid by the state"),
        ("leave", 0, "on academic leave"),
        ("left", 0, "not enrolled on 01.10.2025: left on 01.10.2025"),
        ("moved-out", 0, "not enrolled on 01.10.2025: left on 01.03.2025"),
        ("later", 0, "not enrolled on 01.10.2025: enrolled on 02.10.2025"),
    ],
)
def test_each_student_is_eligible_for_the_norm_or_told_why_not(
    mixed_list: dict[str, Row], record_no: str, eligible: int, why_not: str | None
) -> None:
    row = mixed_list[record_no]
    assert (row["Eligible for the norm"], row["Why not eligible"]) == (eligible, why_not)


def test_a_student_with_two_enrolments_has_two_rows_and_counts_in_one(
    mixed_list: dict[str, Row],
) -> None:
    old, new = mixed_list["moved-out"], mixed_list["moved-in"]
    assert old["Pseudonym"] == new["Pseudonym"]
    assert pair(old, DUAL) == (0, 0)
    assert pair(new, DUAL) == (1, 1)  # the agreement is matched on the unit and the student
    assert pair(old, DROPOUT) == (0, 1)  # there a year earlier, transferred: no drop-out
    assert pair(new, DROPOUT) == (0, 0)


def test_a_student_with_two_agreements_or_two_accreditations_counts_once(
    mixed_list: dict[str, Row],
) -> None:
    assert pair(mixed_list["dual"], DUAL) == (1, 1)
    assert pair(mixed_list["dual"], ACCREDITED) == (1, 1)
    assert pair(mixed_list["state"], DUAL) == (0, 1)


def test_an_accreditation_of_another_college_counts_for_nobody_here(
    mixed_list: dict[str, Row],
) -> None:
    assert pair(mixed_list["moved-in"], ACCREDITED) == (0, 1)


@pytest.mark.parametrize("record_no", ["leave", "left", "later", "evening", "moved-out"])
def test_who_is_not_in_the_kpi_contingent_counts_in_no_share_of_it(
    mixed_list: dict[str, Row], record_no: str
) -> None:
    assert pair(mixed_list[record_no], DUAL) == (0, 0)
    assert pair(mixed_list[record_no], ACCREDITED) == (0, 0)


def test_a_leaver_counts_as_drop_out(mixed_list: dict[str, Row]) -> None:
    assert pair(mixed_list["left"], DROPOUT) == (1, 1)


def test_a_graduate_says_why_it_or_its_work_does_not_count(mixed_list: dict[str, Row]) -> None:
    late, declared = mixed_list["late"], mixed_list["declared"]
    early, works = mixed_list["early"], mixed_list["works"]
    unconfirmed = "work is stated but not confirmed by an accepted source by 01.10.2025"
    assert (late["Remark"], pair(late, EMPLOYED)) == (unconfirmed, (0, 1))
    assert (declared["Remark"], pair(declared, EMPLOYED)) == (unconfirmed, (0, 1))
    assert pair(declared, "Employment rate with declared destinations: ") == (1, 1)
    assert early["Remark"].startswith("not in the cohort")
    assert pair(early, EMPLOYED) == (0, 0)
    assert (works["Remark"], pair(works, EMPLOYED)) == (None, (1, 1))


def test_a_closed_college_has_its_list_and_nobody_is_paid_for(
    example_round: Round, tmp_path: Path
) -> None:
    people = list_of(example_round, "EX-10", tmp_path).people("Students")
    assert people
    assert {row["Eligible for the norm"] for row in people} == {0}
    assert "the college is not active" in {row["Why not eligible"] for row in people}


def test_with_monthly_averages_the_months_of_each_student_sum_to_the_funding(
    tmp_path: Path,
) -> None:
    members = [
        student(record_no="whole"),
        student(record_no="autumn", left_on="2025-12-01"),  # September to November
        student(record_no="spring", enrolled_on="2026-02-15"),  # March to August
        student(record_no="gone", left_on="2025-09-01"),
        student(record_no="self", funding_source="self_paid"),
    ]
    rule = write_rule(tmp_path / "rule.toml", count_basis="monthly_average")
    done = run_tables(tmp_path, {"colleges": [college()], "students": members}, rule=rule)
    written = list_of(done, "EX-01", tmp_path)
    rows = {row["Record number"]: row for row in written.people("Students")}
    months = {name: row["Months counted, of 12"] for name, row in rows.items()}
    assert months == {"whole": 12, "autumn": 3, "spring": 6, "gone": 0, "self": 0}
    assert rows["gone"]["Why not eligible"] == (
        "not there on the first of any month: from 01.09.2023 to 01.09.2025"
    )
    [paid] = [r for r in written.table("Sums") if r["Indicator"] == "Student months paid for"]
    assert paid["Numerator, sum of the list"] == paid["Numerator on the profile"] == 21
    assert row_of(done.table("funding"), college_id="EX-01")["student_months"] == 21


# ---- rows that count nowhere ----


def test_every_rejected_row_of_a_unit_is_shown_with_its_findings(
    defects: Round, counted_units: dict[str, CountedPeople]
) -> None:
    errors = defects.findings().filter(pl.col("severity") == "error")
    unit_of = dict(defects.table("units").select("college_id", "unit_id").iter_rows())
    what = ["table_name", "college_id", "check_name", "column_name", "found", "message"]
    shown: Counter[tuple[Any, ...]] = Counter()
    for unit_id, counted in counted_units.items():
        rejected = counted.rejected
        assert rejected["message"].null_count() == 0
        mine = rejected.filter(pl.col("college_id").is_in(list(unit_of)))
        assert {unit_of[row] for row in mine["college_id"]} <= {unit_id}
        shown.update(mine.select(what).iter_rows())
    expected = errors.filter(pl.col("college_id").is_in(list(unit_of))).select(what)
    assert shown == Counter(expected.iter_rows())
    assert {"students", "graduates", "dual_agreements", "accreditations"} <= {k[0] for k in shown}
    assert "not_a_date" in {key[2] for key in shown}  # an unreadable row
    assert "counted_twice" in {key[2] for key in shown}  # found only with another college's row


def test_a_rejected_row_stands_on_its_sheet_with_record_number_and_sentence(
    tmp_path: Path,
) -> None:
    wrong = [
        student(record_no="unreadable", course="9"),
        student(record_no="unknown-specialty", specialty="99990100"),
        student(record_no="fine"),
    ]
    done = run_tables(tmp_path, {"colleges": [college()], "students": wrong})
    written = list_of(done, "EX-01", tmp_path)
    rows = {row["Record number"]: row for row in written.table("Rejected rows")}
    assert rows.keys() == {"unreadable", "unknown-specialty"}
    assert rows["unreadable"]["What is wrong"].startswith("course is 9")
    assert "99990100" in rows["unknown-specialty"]["What is wrong"]
    assert rows["unreadable"]["Pseudonym"] == pseudonym(KEY, wrong[0]["student_id"])
    assert [row["Record number"] for row in written.people("Students")] == ["fine"]


def test_a_college_without_rejected_rows_reads_none(example_round: Round, tmp_path: Path) -> None:
    [row] = list_of(example_round, "EX-02", tmp_path).table("Rejected rows")
    assert row["Table"] == "none"


def test_the_rejected_row_of_a_branch_is_shown_to_its_parent_and_nobody_of_it(
    tmp_path: Path,
) -> None:
    branch = college("EX-01B", parent_id="EX-01", region="KZ-99")  # there is no such region
    done = run_tables(
        tmp_path,
        {
            "colleges": [college(), branch],
            "students": [student(record_no="own"), student("EX-01B", record_no="of-branch")],
        },
    )
    written = list_of(done, "EX-01", tmp_path)
    [row] = written.table("Rejected rows")
    assert (row["Table"], row["College"]) == ("Colleges", "EX-01B")
    assert "of-branch" not in written.text()


# ---- people and privacy ----


def raw_ids(folder: Path) -> set[str]:
    found: set[str] = set()
    for table, column in (
        ("students", "student_id"),
        ("graduates", "graduate_id"),
        ("dual_agreements", "student_id"),
    ):
        rows = pl.read_csv(folder / f"{table}.csv", infer_schema=False)
        found |= set(rows[column].drop_nulls())
    return found


def content_of_all(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def test_no_raw_identifier_stands_anywhere_in_the_file(
    example_round: Round, tmp_path: Path
) -> None:
    raw = raw_ids(data_folder() / "example")
    for college_id in COLLEGES:
        content = content_of_all(
            write_counting_list(example_round, college_id, tmp_path / "list.xlsx")
        )
        assert not [identifier for identifier in raw if identifier in content]


def test_nobody_of_another_college_is_in_the_file(defects: Round, tmp_path: Path) -> None:
    students_of = pl.read_parquet(defects.path / "inputs" / "students.parquet")
    graduates_of = pl.read_parquet(defects.path / "inputs" / "graduates.parquet")
    unreadable = pl.read_parquet(defects.path / "inputs" / "unreadable.parquet")
    agreements = pl.read_parquet(defects.path / "inputs" / "dual_agreements.parquet")
    everyone = pl.concat(
        [
            students_of.select("college_id", person="student_id"),
            graduates_of.select("college_id", person="graduate_id"),
            agreements.select("college_id", person="student_id"),
            unreadable.select("college_id", person="person_id"),
        ]
    ).drop_nulls()
    for unit_id in defects.table("unit_profile")["college_id"][:6]:
        units = defects.table("units").filter(pl.col("unit_id") == unit_id)["college_id"]
        is_own = pl.col("college_id").is_in(units.to_list())
        own = set(everyone.filter(is_own)["person"])
        others = set(everyone.filter(~is_own)["person"]) - own
        path = write_counting_list(defects, unit_id, tmp_path / "list.xlsx")
        written = set(_words(content_of_all(path)))
        assert len(written & own) > 50
        assert not written & others


def _words(content: str) -> Iterable[str]:
    return content.replace("<", " ").replace(">", " ").split()


def test_wages_and_employers_are_not_listed(example_round: Round) -> None:
    columns = count_people(example_round, "EX-02").graduates.columns
    assert "monthly_wage" not in columns
    assert "employer_bin" not in columns


def test_text_is_never_run_as_a_formula(
    mixed: tuple[Round, dict[str, Row]], tmp_path: Path
) -> None:
    sheet = list_of(mixed[0], "EX-01", tmp_path).formulas["Students"]
    [cell] = [row[0] for row in sheet.iter_rows() if row[0].value == "=1+1"]
    assert cell.data_type == "s"


# ---- how it looks ----


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_a_list_is_whole_in_every_language(
    mixed: tuple[Round, dict[str, Row]], tmp_path: Path, language: str
) -> None:
    written = list_of(mixed[0], "EX-01", tmp_path, language)
    assert f"[no {language} text]" not in written.text()
    assert len(written.values.sheetnames) == len(SHEETS)
    if language == "en":
        assert written.values.sheetnames == SHEETS
    names = [getattr(kpi.name, language) for kpi in mixed[0].methodology.kpis]
    for name in names:
        assert name in written.text()


def test_the_cover_says_whose_data_it_is_that_it_is_a_draft_and_illustrative(
    example_round: Round, tmp_path: Path
) -> None:
    cover = list_of(example_round, "EX-02", tmp_path).values["About this list"]
    text = {row[0]: row[1] for row in cover.iter_rows(values_only=True) if row[0]}
    assert "for the college itself" in text["PERSONAL DATA"]
    assert "EX-02" in text["College"]
    assert text["Round"] == "2025-26"
    assert text["Version"] == example_round.version
    assert text["Hash of the receipt (SHA-256)"] == example_round.receipt_hash
    assert {"DRAFT", "ILLUSTRATIVE", "What to name", "What is corrected"} <= text.keys()


def test_a_published_round_has_no_draft_mark(example_round: Round, tmp_path: Path) -> None:
    published = tmp_path / "2025-26" / "v1"
    shutil.copytree(example_round.path, published)
    assert "DRAFT" not in list_of(Round(published), "EX-02", tmp_path).text()


def test_the_sheets_of_people_are_frozen_filtered_and_print_with_their_titles(
    example_round: Round, tmp_path: Path
) -> None:
    for name in ("Students", "Graduates"):
        sheet = list_of(example_round, "EX-02", tmp_path).formulas[name]
        assert sheet.freeze_panes == "C3"
        assert str(sheet.auto_filter.ref).startswith("A2:")
        assert sheet.print_title_rows == "$1:$2"
        assert sheet.page_setup.orientation == "landscape"
        assert int(sheet.page_setup.paperSize) == 9
        assert all(cell.alignment.wrap_text for cell in sheet[2])


def test_numbers_are_numbers_and_dates_are_dates(example_round: Round, tmp_path: Path) -> None:
    for row in list_of(example_round, "EX-02", tmp_path).people("Students"):
        assert row["Enrolled on"].year > 2000
        assert isinstance(row["Course"], int)
        assert isinstance(row["Specialty"], str)


# ---- wrong calls ----


def test_an_unknown_college_is_a_wrong_call(example_round: Round, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="No college"):
        write_counting_list(example_round, "nobody", tmp_path / "list.xlsx")


def test_an_unknown_language_is_a_wrong_call(example_round: Round, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="no such language"):
        write_counting_list(example_round, "EX-02", tmp_path / "list.xlsx", "de")


def test_a_place_that_cannot_be_written_is_a_wrong_call(
    example_round: Round, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CallError, match="cannot be written"):
        write_counting_list(example_round, "EX-02", tmp_path / "file" / "list.xlsx")


def test_a_round_without_people_has_no_list(tmp_path: Path) -> None:
    done = run(
        data_folder() / "astana-2024-25",
        tmp_path,
        round_id="2024-25",
        methodology="assessment",
    )
    [first, *_] = done.table("unit_profile")["college_id"]
    with pytest.raises(CallError, match="nobody to list") as caught:
        write_counting_list(done, first, tmp_path / "list.xlsx")
    assert json.dumps(caught.value.parts["found"])
