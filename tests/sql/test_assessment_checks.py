"""What an assessment says against itself: one folder, one college per sentence.

The numbers beside each case are worked by hand.
"""

import polars as pl
import pytest
from inputs import KEY, THEORY, WORKSHOP, Row, assessment, college, plan, quiet, write_folder

from funding.run import check_inputs
from kpi.resources import data_folder
from kpi.templates import template_of

Cells = dict[str, str | None]


def rows(college_id: str, cells: Cells, specialty: str | None = None) -> list[Row]:
    """The long rows of one row of the template."""
    return [
        assessment(college_id, indicator, specialty=specialty, value=value, points=None)
        for indicator, value in cells.items()
    ]


# what the college says, the check that finds it, and the found and expected texts
COLLEGES: list[tuple[str, Cells, str | None, str, str]] = [
    (
        "80 % of 10 are 8",
        {"library_readers": "8", "contingent": "10", "library_readers_percent": "80"},
        None,
        "",
        "",
    ),
    (
        "8 of 10 are not 87 %",
        {"library_readers": "8", "contingent": "10", "library_readers_percent": "87"},
        "percent_contradicts_counts",
        "library_readers_percent = 87",
        "80.00 = 100 × 8 / 10",
    ),
    (
        "1 of 3 is 33, to half a percent",
        {"teachers_master": "1", "teachers": "3", "teachers_master_percent": "33"},
        None,
        "",
        "",
    ),
    (
        "1 of 8 is 12.5: half a percent from 12 is as near as 13",
        {"teachers_master": "1", "teachers": "8", "teachers_master_percent": "12"},
        None,
        "",
        "",
    ),
    (
        "1 of 3 is 33.33, not 33.30",
        {"teachers_master": "1", "teachers": "3", "teachers_master_percent": "33.30"},
        "percent_contradicts_counts",
        "teachers_master_percent = 33.30",
        "33.33 = 100 × 1 / 3",
    ),
    (
        "1 of 3 with all the digits of a spreadsheet",
        {"teachers_master": "1", "teachers": "3", "teachers_master_percent": "33.3333333333333"},
        None,
        "",
        "",
    ),
    (
        "8 of 10 as a share of 1",
        {"library_readers": "8", "contingent": "10", "library_readers_percent": "0.8"},
        None,
        "",
        "",
    ),
    (
        "1 is 1 % or all of them, not 6 of 10",
        {"library_readers": "6", "contingent": "10", "library_readers_percent": "1"},
        "percent_contradicts_counts",
        "library_readers_percent = 1",
        "60.00 = 100 × 6 / 10",
    ),
    (
        "nothing to compare with: a count is empty, the whole is zero, a text",
        {
            "library_readers": None,
            "contingent": "10",
            "library_readers_percent": "50",
            "teachers_master": "0",
            "teachers": "0",
            "teachers_master_percent": "50",
            "teachers_degree": "many",
            "teachers_degree_percent": "50",
        },
        None,
        "",
        "",
    ),
    (
        "751 students where 750 have room",
        {"contingent": "751", "design_capacity": "750", "load_percent": "100.13"},
        "contingent_above_capacity",
        "contingent = 751, design_capacity = 750",
        "at most 750",
    ),
    (
        "as many students as have room",
        {"contingent": "750", "design_capacity": "750", "load_percent": "100"},
        None,
        "",
        "",
    ),
    (
        "readers may be more than students",
        {"library_readers": "12", "contingent": "10", "library_readers_percent": "120"},
        None,
        "",
        "",
    ),
    (
        "more masters than teachers, and the percent agrees",
        {"teachers_master": "4", "teachers": "3", "teachers_master_percent": "133"},
        "part_above_whole",
        "teachers_master = 4, teachers = 3",
        "at most 3",
    ),
]

SPECIALTIES: list[tuple[str, Cells, str | None, str, str]] = [
    (
        "8 employed of 7",
        {"cohort": "7", "employed": "8"},
        "part_above_whole",
        "employed = 8, cohort = 7",
        "at most 7",
    ),
    ("all employed", {"cohort": "7", "employed": "7", "employed_percent": "100"}, None, "", ""),
    (
        "1/7 of a cohort of 7 is 14 %",
        {"cohort": "7", "employed": "1/7", "employed_percent": "14"},
        None,
        "",
        "",
    ),
    (
        "1/7 of a cohort of 8",
        {"cohort": "8", "employed": "1/7", "employed_percent": "12.5"},
        "fraction_contradicts_whole",
        "employed = 1/7, cohort = 8",
        "a fraction of 8",
    ),
    (
        "1/7 is not 20 %",
        {"cohort": "7", "employed": "1/7", "employed_percent": "20"},
        "percent_contradicts_counts",
        "employed_percent = 20",
        "14.29 = 100 × 1 / 7",
    ),
    (
        "more graduates than were admitted: some came from elsewhere",
        {"admitted": "10", "graduated": "11", "graduated_percent": "110"},
        None,
        "",
        "",
    ),
    (
        "a success rate above 100",
        {"academic_performance_percent": "101"},
        "part_above_whole",
        "academic_performance_percent = 101",
        "at most 100",
    ),
    ("a success rate of 100", {"academic_performance_percent": "100"}, None, "", ""),
]

CASES = [(*case, None) for case in COLLEGES] + [(*case, THEORY) for case in SPECIALTIES]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The findings of all cases; college EX-0 is the first case."""
    folder = tmp_path_factory.mktemp("assessed") / "input"
    ids = [f"EX-{number}" for number in range(len(CASES))]
    told = [
        row
        for college_id, (_, cells, _, _, _, specialty) in zip(ids, CASES, strict=True)
        for row in rows(college_id, cells, specialty)
    ]
    twice = [
        # one specialty with two rows, the second with another indicator too; another with one
        *rows("EX-TWICE", {"labs": "3", "labs_equipped": "2"}, THEORY),
        *rows("EX-TWICE", {"labs": "5", "labs_equipped": "5", "startups": "1"}, THEORY),
        *rows("EX-TWICE", {"labs": "3", "labs_equipped": "2"}, WORKSHOP),
    ]
    write_folder(
        folder,
        colleges=[college(college_id) for college_id in [*ids, "EX-TWICE"]],
        assessments=told + twice,
    )
    _, found, _ = check_inputs(folder, plan(), KEY, quiet)
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_what_an_assessment_says_of_itself(number: int, findings: pl.DataFrame) -> None:
    _, _, check, found, expected, _ = CASES[number]
    of_it = findings.filter(pl.col("college_id") == f"EX-{number}")
    told = of_it.select("check_name", "severity", "column_name", "found", "expected").rows()
    assert told == ([(check, "warning", "value", found, expected)] if check else [])


def test_a_specialty_with_two_rows_is_said_as_that_and_no_row_of_it_counts(
    findings: pl.DataFrame,
) -> None:
    of_it = findings.filter(pl.col("college_id") == "EX-TWICE")
    told = of_it.select("check_name", "severity", "column_name", "found").unique().rows()
    assert told == [("specialty_named_twice", "error", "specialty", THEORY)]
    assert of_it["record"].n_unique() == of_it.height == 5


def test_the_shares_are_those_of_the_template() -> None:
    """Every percent of the template has its row here, of the same part and whole."""
    columns = template_of(None).columns
    read = [(c.indicator, c.part, c.whole) for c in columns if c.kind == "percent"]
    shares = pl.read_csv(data_folder() / "reference" / "assessment_shares.csv", infer_schema=False)
    assert sorted(shares.select("indicator", "part", "whole").rows()) == sorted(read)
    assert set(shares["is_within"]) == {"true", "false"}
