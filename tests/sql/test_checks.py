"""Each check of sql/checks: one wrong row is found where it stands, and nothing else is.

The sound folder has a college EX-01 with a branch, a closed college and one each of everything.
Records count the header as 1: the sound rows of a table are records 2, 3, ..., the added one is
next.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import (
    KEY,
    THEORY,
    WORKSHOP,
    Row,
    Tables,
    accreditation,
    agreement,
    amount,
    assessment,
    college,
    graduate,
    graduates,
    plan,
    quiet,
    reaches_the_gates,
    row_of,
    run_tables,
    student,
    students,
    together,
    write_folder,
)

from funding.run import check_inputs
from kpi.pipeline import connect, put_table, read_selects, run_checks
from kpi.resources import sql_folder
from kpi.signs import SIGNS

CHECKS = {path.stem for path in (sql_folder() / "checks").glob("*.sql")}
PERSON = student("EX-01", student_id="S1")
BRANCH_PERSON = student("EX-02", student_id="S2")
GRADUATE = graduate("EX-01", "employed", graduate_id="G1")
AGREEMENT = agreement(PERSON, agreement_id="A1")
ACCREDITATION = accreditation("EX-01", register_no="R1")
ASSESSMENT = assessment("EX-01", "staff")

SOUND: Tables = {
    "colleges": [
        college("EX-01"),
        college("EX-02", parent_id="EX-01"),
        college("EX-03", status="closed"),
    ],
    "students": [PERSON, BRANCH_PERSON],
    "graduates": [GRADUATE],
    "dual_agreements": [AGREEMENT],
    "accreditations": [ACCREDITATION],
    "assessments": [ASSESSMENT],
}

Place = tuple[str, int | None, str | None, str]
"""Table, record, college, column of a finding."""


def check(tmp_path: Path, tables: Tables) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the findings and the row counts of a folder with these tables."""
    folder = write_folder(tmp_path / "input", **tables)
    _, findings, row_counts = check_inputs(folder, plan(), KEY, quiet)
    return findings, row_counts


def places(findings: pl.DataFrame, check_name: str) -> set[Place]:
    rows = findings.filter(pl.col("check_name") == check_name)
    return set(rows.select("table_name", "record", "college_id", "column_name").rows())


def errors(findings: pl.DataFrame) -> pl.DataFrame:
    return findings.filter(pl.col("severity") == "error")


@dataclass(frozen=True)
class Wrong:
    """A row added to the sound folder, the check that finds it, and where."""

    sentence: str
    check: str
    table: str
    row: Row
    places: set[Place]
    found: str


WRONG = [
    *[
        Wrong(
            f"{sentence}: {day}",
            "absurd_date",
            table,
            row,
            {(table, record, "EX-01", column)},
            day,
        )
        for sentence, table, record, row, column, day in [
            (
                "a student enrolled a hundred years ago",
                "students",
                4,
                student("EX-01", enrolled_on="1925-09-01"),
                "enrolled_on",
                "1925-09-01",
            ),
            (
                "an agreement with two figures swapped",
                "dual_agreements",
                3,
                agreement(PERSON, valid_to="2205-06-30"),
                "valid_to",
                "2205-06-30",
            ),
            (
                "an accreditation for ever",
                "accreditations",
                3,
                accreditation("EX-01", valid_to="9999-12-31"),
                "valid_to",
                "9999-12-31",
            ),
        ]
    ],
    Wrong(
        "an agreement that another college signed than the student's",
        "agreement_elsewhere",
        "dual_agreements",
        agreement(PERSON, college_id="EX-03"),
        {("dual_agreements", 3, "EX-03", "college_id")},
        "EX-03",
    ),
    Wrong(
        "a student enrolled in the next academic year",
        "date_after_round",
        "students",
        student("EX-01", enrolled_on="2026-09-01"),
        {("students", 4, "EX-01", "enrolled_on")},
        "2026-09-01",
    ),
    Wrong(
        "a graduate of a day of which nothing can be known yet",
        "date_after_round",
        "graduates",
        graduate("EX-01", graduated_on="2025-10-02"),
        {("graduates", 3, "EX-01", "graduated_on")},
        "2025-10-02",
    ),
    Wrong(
        "a graduate who is still enrolled",
        "graduate_in_contingent",
        "students",
        student("EX-01", student_id="G1"),
        {("students", 4, "EX-01", "left_on")},
        "2025-06-30",
    ),
    *[
        Wrong(
            f"a row of {table} with a code of the old classifier",
            "old_specialty",
            table,
            row,
            {(table, record, "EX-01", "specialty")},
            "1201000",
        )
        for table, record, row in [
            ("students", 4, student("EX-01", specialty="1201000")),
            ("graduates", 3, graduate("EX-01", specialty="1201000")),
            ("accreditations", 3, accreditation("EX-01", "1201000")),
            ("assessments", 3, assessment("EX-01", "specialty_total", specialty="1201000")),
        ]
    ],
    *[
        Wrong(
            f"a wrong control digit in {column} of {table}",
            "wrong_bin",
            table,
            row,
            {(table, record, row["college_id"], column)},
            "990040000014",
        )
        for table, record, column, row in [
            ("colleges", 5, "college_id", college("990040000014")),
            ("dual_agreements", 3, "employer_bin", agreement(PERSON, employer_bin="990040000014")),
            ("graduates", 3, "employer_bin", graduate("EX-01", employer_bin="990040000014")),
        ]
    ],
    Wrong(
        "an enrolment that is over, listed twice",
        "repeated_key",
        "students",
        student("EX-01", student_id="S1", left_on="2025-02-01", left_reason="other"),
        {("students", 2, "EX-01", ""), ("students", 4, "EX-01", "")},
        "2",
    ),
    Wrong(
        "a college whose parent is itself",
        "circular_unit",
        "colleges",
        college("EX-04", parent_id="EX-04"),
        {("colleges", 5, "EX-04", "parent_id")},
        "EX-04",
    ),
    Wrong(
        "a person enrolled in two colleges on the day of the count",
        "counted_twice",
        "students",
        student("EX-02", student_id="S1"),
        {("students", 2, "EX-01", "student_id"), ("students", 4, "EX-02", "student_id")},
        "2025-10-01",
    ),
    Wrong(
        "a person enrolled twice in one college on that day",
        "counted_twice",
        "students",
        student("EX-01", student_id="S1", enrolled_on="2025-09-01"),
        {("students", 2, "EX-01", "student_id"), ("students", 4, "EX-01", "student_id")},
        "2025-10-01",
    ),
    Wrong(
        "a job that began before graduation",
        "destination_before_graduation",
        "graduates",
        graduate("EX-01", "employed", destination_on="2025-06-29"),
        {("graduates", 3, "EX-01", "destination_on")},
        "2025-06-29",
    ),
    Wrong(
        "a graduate employed since nobody says when",
        "employed_without_date",
        "graduates",
        graduate("EX-01", "employed", destination_on=None),
        {("graduates", 3, "EX-01", "destination_on")},
        "employed",
    ),
    Wrong(
        "a self-employed graduate since nobody says when",
        "employed_without_date",
        "graduates",
        graduate("EX-01", "self_employed", destination_on=None),
        {("graduates", 3, "EX-01", "destination_on")},
        "self_employed",
    ),
    Wrong(
        "an agreement that ends before it begins",
        "ends_before_begins",
        "dual_agreements",
        agreement(PERSON, valid_from="2025-09-01", valid_to="2025-08-31"),
        {("dual_agreements", 3, "EX-01", "valid_to")},
        "2025-08-31",
    ),
    Wrong(
        "an accreditation that ends before it begins",
        "ends_before_begins",
        "accreditations",
        accreditation("EX-01", valid_from="2025-09-01", valid_to="2025-08-31"),
        {("accreditations", 3, "EX-01", "valid_to")},
        "2025-08-31",
    ),
    Wrong(
        "a person who graduates twice in one academic year, from two colleges",
        "graduated_twice",
        "graduates",
        graduate("EX-02", graduate_id="G1", graduated_on="2024-09-01"),
        {("graduates", 2, "EX-01", "graduate_id"), ("graduates", 3, "EX-02", "graduate_id")},
        "2025",
    ),
    Wrong(
        "a student who left before being enrolled",
        "left_before_enrolled",
        "students",
        student("EX-01", enrolled_on="2025-09-01", left_on="2025-08-31"),
        {("students", 4, "EX-01", "left_on")},
        "2025-08-31",
    ),
    Wrong(
        "a merged college that names no successor",
        "merged_without_successor",
        "colleges",
        college("EX-04", status="merged", merged_on="2025-01-15"),
        {("colleges", 5, "EX-04", "successor_id")},
        "",
    ),
    Wrong(
        "a merged college that does not say since when",
        "merged_without_successor",
        "colleges",
        college("EX-04", status="merged", successor_id="EX-01"),
        {("colleges", 5, "EX-04", "merged_on")},
        "",
    ),
    Wrong(
        "more points than the row's own maximum",
        "points_above_maximum",
        "assessments",
        assessment("EX-02", points="10.5", max_points="10"),
        {("assessments", 3, "EX-02", "points")},
        "staff = 10.5000",
    ),
    Wrong(
        "an accreditation of a programme that is not named",
        "programme_without_specialty",
        "accreditations",
        accreditation("EX-01", scope="programme"),
        {("accreditations", 3, "EX-01", "specialty")},
        "",
    ),
    Wrong(
        "a college listed twice",
        "repeated_key",
        "colleges",
        college("EX-03", status="closed"),
        {("colleges", 4, "EX-03", ""), ("colleges", 5, "EX-03", "")},
        "2",
    ),
    Wrong(
        "an agreement listed twice",
        "repeated_key",
        "dual_agreements",
        agreement(PERSON, agreement_id="A1", employer_bin="990040000023"),
        {("dual_agreements", 2, "EX-01", ""), ("dual_agreements", 3, "EX-01", "")},
        "2",
    ),
    Wrong(
        "a graduate listed twice",
        "repeated_key",
        "graduates",
        graduate("EX-01", graduate_id="G1"),
        {("graduates", 2, "EX-01", ""), ("graduates", 3, "EX-01", "")},
        "2",
    ),
    Wrong(
        "an accreditation listed twice",
        "repeated_key",
        "accreditations",
        accreditation("EX-01", register_no="R1", agency="IAAR"),
        {("accreditations", 2, "EX-01", ""), ("accreditations", 3, "EX-01", "")},
        "2",
    ),
    Wrong(
        "an indicator of a college listed twice",
        "repeated_key",
        "assessments",
        assessment("EX-01", "staff", points="9"),
        {("assessments", 2, "EX-01", ""), ("assessments", 3, "EX-01", "")},
        "2",
    ),
    Wrong(
        "a student enrolled in a closed college on the day of the count",
        "students_of_closed_college",
        "students",
        student("EX-03"),
        {("colleges", None, "EX-03", "status")},
        "1",
    ),
    Wrong(
        "an agency that the list does not have",
        "unknown_agency",
        "accreditations",
        accreditation("EX-01", agency="NOBODY"),
        {("accreditations", 3, "EX-01", "agency")},
        "NOBODY",
    ),
    *[
        Wrong(
            f"a row of {table} of a college that nobody listed",
            "unknown_college",
            table,
            row,
            {(table, record, "EX-99", "college_id")},
            "EX-99",
        )
        for table, record, row in [
            ("students", 4, student("EX-99")),
            ("graduates", 3, graduate("EX-99")),
            ("dual_agreements", 3, agreement(PERSON, college_id="EX-99")),
            ("accreditations", 3, accreditation("EX-99")),
            ("assessments", 3, assessment("EX-99")),
        ]
    ],
    Wrong(
        "a college in a region that is none",
        "unknown_region",
        "colleges",
        college("EX-04", region="KZ-99"),
        {("colleges", 5, "EX-04", "region")},
        "KZ-99",
    ),
    Wrong(
        "a branch of a college that nobody listed",
        "unknown_related_college",
        "colleges",
        college("EX-04", parent_id="EX-99"),
        {("colleges", 5, "EX-04", "parent_id")},
        "EX-99",
    ),
    Wrong(
        "a college merged into one that nobody listed",
        "unknown_related_college",
        "colleges",
        college("EX-04", status="merged", merged_on="2025-01-15", successor_id="EX-99"),
        {("colleges", 5, "EX-04", "successor_id")},
        "EX-99",
    ),
    *[
        Wrong(
            f"a row of {table} of a specialty that the classifier does not have",
            "unknown_specialty",
            table,
            row,
            {(table, record, "EX-01", "specialty")},
            "99999999",
        )
        for table, record, row in [
            ("students", 4, student("EX-01", specialty="99999999")),
            ("graduates", 3, graduate("EX-01", specialty="99999999")),
            ("accreditations", 3, accreditation("EX-01", "99999999")),
            ("assessments", 3, assessment("EX-01", "specialty_total", specialty="99999999")),
        ]
    ],
    Wrong(
        "an agreement of a student whom the register does not have",
        "unknown_student",
        "dual_agreements",
        agreement(PERSON, student_id="S99"),
        {("dual_agreements", 3, "EX-01", "student_id")},
        "",
    ),
]


def test_the_sound_folder_has_no_finding(tmp_path: Path) -> None:
    findings, row_counts = check(tmp_path, SOUND)
    assert findings.is_empty()
    assert row_counts["read"].sum() == sum(len(rows) for rows in SOUND.values())


@pytest.mark.parametrize(
    "wrong", [pytest.param(wrong, id=f"{wrong.check}: {wrong.sentence}") for wrong in WRONG]
)
def test_a_check_finds_the_wrong_row_and_no_other(wrong: Wrong, tmp_path: Path) -> None:
    findings, row_counts = check(tmp_path, together(SOUND, {wrong.table: [wrong.row]}))
    assert places(findings, wrong.check) == wrong.places
    assert findings["check_name"].unique().to_list() == [wrong.check]
    if wrong.found:
        assert findings["found"].unique().to_list() == [wrong.found]
    assert not findings["message"].str.contains(r"[{}]").any()
    in_a_file = findings.filter(pl.col("record").is_not_null())
    assert set(in_a_file["file"]) <= {f"{wrong.table}.csv"}
    rejected = errors(findings).select("table_name", "record").n_unique()
    assert row_counts["rejected"].sum() == rejected
    assert (row_counts["read"] == row_counts["clean"] + row_counts["rejected"]).all()


def test_rows_on_the_right_side_of_the_edge_are_no_finding(tmp_path: Path) -> None:
    moved = student("EX-01", left_on="2025-10-01", left_reason="transferred")
    right = {
        "students": [
            # enrolled on the last day of the academic year
            student("EX-01", enrolled_on="2026-08-31"),
            # graduated here, and began another course on the same day
            student("EX-01", student_id="G1", enrolled_on="2025-06-30"),
            # graduated here, and goes on to another qualification or in another specialty
            student("EX-01", student_id="G2", qualification="4S01120102"),
            student("EX-01", student_id="G3", specialty=WORKSHOP),
            moved,  # a transfer whose dates meet is no second count
            student("EX-02", student_id=moved["student_id"], enrolled_on="2025-10-01"),
            # left on the day of enrolment
            student("EX-01", enrolled_on="2025-09-01", left_on="2025-09-01"),
            # left a closed college on the day of the count
            student("EX-03", left_on="2025-10-01", left_reason="transferred"),
        ],
        "graduates": [
            graduate("EX-01", graduate_id="G2", qualification="3W01120101"),
            graduate("EX-01", graduate_id="G3"),
            # the last day that can be known
            graduate("EX-01", graduated_on="2025-10-01"),
            # a second profession in the next academic year
            graduate("EX-01", graduate_id="G1", graduated_on="2025-09-01", specialty=WORKSHOP),
            # a job that began on the day of graduation
            graduate("EX-01", "employed", destination_on="2025-06-30"),
        ],
        "dual_agreements": [
            # an agreement for one day
            agreement(PERSON, valid_from="2025-09-01", valid_to="2025-09-01"),
            # of the branch's student, signed by the head
            agreement(BRANCH_PERSON, college_id="EX-01"),
            # the first and the last year that can be meant
            agreement(PERSON, valid_from="1985-10-01", valid_to="2065-10-01"),
        ],
        # the same register number for another scope
        "accreditations": [accreditation("EX-01", THEORY, register_no="R1")],
        "assessments": [
            # all the points that there are
            assessment("EX-01", "employment", points="100", max_points="100"),
            # the same indicator of a specialty
            assessment("EX-01", "staff", specialty=THEORY),
        ],
    }
    findings, _ = check(tmp_path, together(SOUND, right))
    assert findings.is_empty(), findings["message"].to_list()


def test_a_circle_of_parents_names_every_college_in_it_and_none_beside_it(tmp_path: Path) -> None:
    circle = [
        college("EX-11", parent_id="EX-12"),
        college("EX-12", status="merged", merged_on="2025-01-15", successor_id="EX-13"),
        college("EX-13", parent_id="EX-11"),
        college("EX-14", parent_id="EX-11"),
    ]
    findings, _ = check(tmp_path, together(SOUND, {"colleges": circle}))
    found = {college_id for _, _, college_id, _ in places(findings, "circular_unit")}
    assert found == {"EX-11", "EX-12", "EX-13"}


# ---- checks of what came out ----


def test_a_gate_that_hangs_on_rejected_rows_is_a_warning_of_that_gate_alone(tmp_path: Path) -> None:
    """7 of 10 are in work; one more row cannot be read: 8 of 11 for it, 7 of 11 against it."""
    sound = together(
        reaches_the_gates(students("EX-01", 30)), reaches_the_gates(students("EX-02", 30))
    )
    lost = graduate("EX-01", graduated_on="30.06.2025")
    done = run_tables(tmp_path, together(sound, {"graduates": [lost]}))
    gate = row_of(done.table("gates"), college_id="EX-01", gate="employment_rate")
    assert (gate["numerator"], gate["denominator"], gate["rejected"]) == (7, 10, 1)
    assert gate["passed"]
    assert gate["passed_rejected_for"]
    assert not gate["passed_rejected_against"]
    warnings = done.findings().filter(pl.col("check_name") == "gate_depends_on_rejected_rows")
    place = warnings.select("table_name", "college_id", "column_name", "severity", "found")
    assert place.rows() == [("gates", "EX-01", "employment_rate", "warning", "1")]


def test_a_gate_that_fails_may_hang_on_rejected_rows_too(tmp_path: Path) -> None:
    """6 of 9 are in work: with the row that cannot be read 7 of 10 for it, 6 of 10 against it."""
    tables = reaches_the_gates(students("EX-01", 30))
    tables["graduates"] = [
        *graduates("EX-01", employed=6, unemployed=3),
        graduate("EX-01", graduated_on="30.06.2025"),
    ]
    done = run_tables(tmp_path, tables)
    gate = row_of(done.table("gates"), college_id="EX-01", gate="employment_rate")
    assert not gate["passed"]
    assert gate["passed_rejected_for"]
    assert not gate["passed_rejected_against"]
    assert done.receipt["checks"]["gate_depends_on_rejected_rows"] == 1


def test_rejected_students_are_read_for_and_against_the_dual_gate(tmp_path: Path) -> None:
    """5 of 25 are in dual training; a student whose course cannot be read: 6 or 5 of 26."""
    tables = reaches_the_gates(students("EX-01", 25))
    tables["students"].append(student("EX-01", course="third"))
    done = run_tables(tmp_path, tables)
    gate = row_of(done.table("gates"), college_id="EX-01", gate="dual_share")
    assert (gate["numerator"], gate["denominator"], gate["rejected"]) == (5, 25, 1)
    assert (gate["passed"], gate["passed_rejected_for"], gate["passed_rejected_against"]) == (
        True,
        True,
        False,
    )
    others = done.table("gates").filter(pl.col("gate") != "dual_share")
    assert others["rejected"].sum() == 0
    assert others["passed_rejected_for"].to_list() == others["passed_rejected_against"].to_list()


def test_rejected_rows_of_a_branch_count_at_the_gates_of_its_head(tmp_path: Path) -> None:
    tables = reaches_the_gates(students("EX-01", 30))
    tables["colleges"].append(college("EX-02", parent_id="EX-01"))
    tables["graduates"].append(graduate("EX-02", graduated_on="30.06.2025"))
    done = run_tables(tmp_path, tables)
    gate = row_of(done.table("gates"), college_id="EX-01", gate="employment_rate")
    assert gate["rejected"] == 1


def test_without_rejected_rows_no_gate_hangs_on_them(tmp_path: Path) -> None:
    done = run_tables(tmp_path, reaches_the_gates(students("EX-01", 30)))
    assert done.table("gates")["passed"].all()
    assert done.table("gates")["rejected"].sum() == 0
    assert done.findings().is_empty()


def test_rows_that_do_not_add_up_are_an_error_of_the_product(tmp_path: Path) -> None:
    def findings_for(read: int, clean: int, rejected: int) -> list[tuple[Any, ...]]:
        con = connect(tmp_path)
        counted = {"read": [read], "clean": [clean], "rejected": [rejected]}
        named = {"table_name": ["students"], "college_id": ["EX-01"]}
        put_table(con, "row_counts", pl.DataFrame(named | counted))
        con.execute(
            "CREATE TABLE all_places AS SELECT '' AS table_name, 0 AS row_id,"
            " 0 AS file_no, 0 AS record"
        )
        con.execute("CREATE TABLE source_files AS SELECT 0 AS file_no, '' AS file")
        run_checks(
            con,
            [s for s in read_selects(con, sql_folder() / "checks") if s.table == "rows_lost"],
            {},
        )
        rows = con.execute(
            "SELECT table_name, college_id, severity, found FROM findings"
        ).fetchall()
        con.close()
        return rows

    assert findings_for(read=10, clean=8, rejected=2) == []
    assert findings_for(read=10, clean=8, rejected=1) == [
        ("students", "EX-01", "error", "10 read, 8 clean, 1 rejected")
    ]


def test_rows_of_a_college_whose_own_row_was_rejected_are_kept_and_said(tmp_path: Path) -> None:
    """The college is in no region; its people are not condemned, but count for nobody."""
    rows = {
        "colleges": [college("EX-04", region="KZ-99")],
        "students": [(someone := student("EX-04")), student("EX-04")],
        "graduates": [graduate("EX-04")],
        "dual_agreements": [agreement(someone)],
        "accreditations": [accreditation("EX-04")],
        "assessments": [assessment("EX-04")],
    }
    findings, row_counts = check(tmp_path, together(SOUND, rows))
    assert set(errors(findings)["check_name"]) == {"unknown_region"}
    said = findings.filter(pl.col("check_name") == "rows_of_rejected_college")
    assert set(said.select("table_name", "college_id", "column_name", "found").rows()) == {
        (table, "EX-04", "college_id", str(len(rows[table])))
        for table in rows
        if table != "colleges"
    }
    of_it = row_counts.filter(pl.col("college_id") == "EX-04")
    assert dict(of_it.select("table_name", "rejected").rows()) == {
        table: int(table == "colleges") for table in rows
    }


def test_every_check_has_a_test() -> None:
    beside = {"gate_depends_on_rejected_rows", "rows_lost", "rows_of_rejected_college"}
    beside |= {"agreement_outside_enrolment", "agreement_not_full_time"}  # test_agreement_checks
    beside |= ASSESSMENT_CHECKS
    beside |= {f"sign_{sign}" for sign in SIGNS}  # tests/kpi/test_signs.py
    assert {wrong.check for wrong in WRONG} | beside == CHECKS


ASSESSMENT_CHECKS = {
    "contingent_above_capacity",
    "fraction_contradicts_whole",
    "part_above_whole",
    "percent_contradicts_counts",
    "specialty_named_twice",
}
"""In test_assessment_checks."""


# ---- one bad row does not condemn its neighbours ----


def test_an_unreadable_college_does_not_condemn_its_students(tmp_path: Path) -> None:
    unreadable = college("EX-04", ownership="nobody")
    rows = {"colleges": [unreadable], "students": [student("EX-04")]}
    findings, _ = check(tmp_path, together(SOUND, rows))
    assert set(errors(findings)["check_name"]) == {"not_allowed"}


def test_an_unreadable_student_does_not_condemn_the_agreement(tmp_path: Path) -> None:
    unreadable = student("EX-01", course="9")
    rows = {"students": [unreadable], "dual_agreements": [agreement(unreadable)]}
    findings, row_counts = check(tmp_path, together(SOUND, rows))
    assert set(findings["check_name"]) == {"out_of_range"}
    assert row_of(row_counts, table_name="dual_agreements", college_id="EX-01")["rejected"] == 0


def test_a_rejected_parent_does_not_condemn_its_branch(tmp_path: Path) -> None:
    rows = [college("EX-04", region="KZ-99"), college("EX-05", parent_id="EX-04")]
    findings, _ = check(tmp_path, together(SOUND, {"colleges": rows}))
    assert errors(findings)["college_id"].to_list() == ["EX-04"]


def test_rows_read_are_clean_plus_rejected_for_each_table_and_college(tmp_path: Path) -> None:
    rows = {
        "students": [
            student("EX-01", course="9"),
            student("EX-02", enrolled_on="2025-02-30"),
            student("EX-99"),
            student("", enrolled_on="2023-09-01"),
        ],
        "graduates": [graduate("EX-01", "employed", destination_on=None)],
    }
    _, row_counts = check(tmp_path, together(SOUND, rows))
    assert (row_counts["read"] == row_counts["clean"] + row_counts["rejected"]).all()
    found = {
        (row["table_name"], row["college_id"]): (row["read"], row["clean"], row["rejected"])
        for row in row_counts.iter_rows(named=True)
    }
    assert found["students", "EX-01"] == (2, 1, 1)
    assert found["students", "EX-02"] == (2, 1, 1)
    assert found["students", "EX-99"] == (1, 0, 1)
    assert found["students", None] == (1, 0, 1)
    assert found["graduates", "EX-01"] == (2, 1, 1)


@pytest.fixture(scope="module")
def two_colleges() -> Tables:
    return together(
        reaches_the_gates(students("EX-01", 30)), reaches_the_gates(students("EX-02", 30))
    )


@pytest.fixture(scope="module")
def amount_before(two_colleges: Tables, tmp_path_factory: pytest.TempPathFactory) -> int:
    """What EX-01 is paid while every row of EX-02 is accepted."""
    return amount(run_tables(tmp_path_factory.mktemp("before"), two_colleges), "EX-01")


@pytest.mark.parametrize(
    ("table", "bad_row"),
    [
        pytest.param("students", student("EX-02", course="9"), id="unreadable student"),
        pytest.param("students", student("EX-02", specialty="99999999"), id="unknown specialty"),
        pytest.param(
            "graduates", graduate("EX-02", "employed", destination_on=None), id="job without a date"
        ),
        pytest.param(
            "accreditations", accreditation("EX-02", scope="programme"), id="unnamed programme"
        ),
    ],
)
def test_a_row_rejected_in_one_college_leaves_the_money_of_another_as_it_is(
    table: str, bad_row: Row, two_colleges: Tables, amount_before: int, tmp_path: Path
) -> None:
    after = run_tables(tmp_path, together(two_colleges, {table: [bad_row]}))
    assert errors(after.findings()).height == 1
    assert amount_before == amount(after, "EX-01") == 30 * 912_000
