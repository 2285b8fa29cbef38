"""Findings put in order: hand-worked from six findings of three colleges."""

from typing import Any

import polars as pl

from kpi.cells import CELL_CHECKS
from kpi.findings import (
    by_check,
    by_college,
    by_table,
    codes,
    examples,
    first_to_mend,
    narrowed,
    place,
    sentence,
    sentences,
    told,
    totals,
)
from kpi.language import speaker
from kpi.layouts.rows import FileColumn, cell_key

COUNTS = pl.DataFrame(
    {
        "table_name": ["colleges", "colleges", "students", "students", "students"],
        "college_id": ["A", "B", "A", "B", None],
        "read": [1, 1, 10, 20, 1],
        "clean": [0, 1, 10, 17, 0],
        "rejected": [1, 0, 0, 3, 1],
    }
)
"""Read 33, clean 28, rejected 5: A lost its own row, B three students, one row names nobody."""


def finding(table: str, college: str | None, check: str, severity: str, **more: Any) -> Any:
    return {
        "table_name": table,
        "college_id": college,
        "check_name": check,
        "severity": severity,
        "column_name": None,
        "found": None,
        "expected": None,
        "message": "m",
        "file": f"{table}.csv",
        "record": 2,
    } | more


SCHEMA = {
    **dict.fromkeys(
        ("table_name", "college_id", "check_name", "severity", "column_name"), pl.String
    ),
    **dict.fromkeys(("found", "expected", "message", "file"), pl.String),
    "record": pl.Int64,
}


def frame(*rows: Any) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


LOST_STUDENTS = [
    finding("students", "B", "not_a_date", "error", column_name="enrolled_on", record=record)
    for record in (5, 6, 7)
]
LOST_COLLEGE = finding("colleges", "A", "unknown_region", "error", column_name="region")
HELD_BACK = finding(
    "students", "A", "rows_of_rejected_college", "warning", found="10", file=None, record=None
)
NOBODY = finding("students", None, "missing_value", "error", column_name="college_id", record=9)
ALL = frame(*LOST_STUDENTS, LOST_COLLEGE, HELD_BACK, NOBODY)


def test_rows_read_are_clean_or_rejected() -> None:
    assert totals(COUNTS) == {"read": 33, "clean": 28, "rejected": 5}
    assert by_table(COUNTS).rows() == [("colleges", 2, 1, 1), ("students", 31, 27, 4)]


def test_colleges_with_something_to_mend_come_with_most_rejected_rows_first() -> None:
    rows = by_college(ALL, COUNTS).select("college_id", "rejected", "findings").rows()
    assert rows == [("B", 3, 3), ("A", 1, 2), (None, 1, 1)]


def test_a_college_without_a_finding_is_not_listed() -> None:
    assert by_college(frame(LOST_COLLEGE), COUNTS.head(2))["college_id"].to_list() == ["A"]


def test_checks_come_errors_first_and_the_most_frequent_first() -> None:
    rows = by_check(ALL).select("check_name", "findings", "colleges").rows()
    assert rows == [
        ("not_a_date", 3, 1),
        ("missing_value", 1, 0),
        ("unknown_region", 1, 1),
        ("rows_of_rejected_college", 1, 1),
    ]


def test_first_is_mended_what_gives_back_most_rows() -> None:
    """The college's own row holds back itself and the 10 students; the dates hold back 3."""
    first = first_to_mend(ALL)
    assert first is not None
    assert (first["check_name"], first["rows"], first["colleges"]) == ("unknown_region", 11, 1)
    without = first_to_mend(ALL.filter(pl.col("check_name") != "unknown_region"))
    assert without is not None
    assert (without["check_name"], without["rows"]) == ("not_a_date", 3)


def test_a_warning_is_mended_first_where_no_error_is_left() -> None:
    first = first_to_mend(frame(HELD_BACK))
    assert first is not None
    assert first["check_name"] == "rows_of_rejected_college"
    assert first_to_mend(frame()) is None


def test_findings_are_narrowed_to_what_is_chosen() -> None:
    assert narrowed(ALL, college="B", check="not_a_date").height == 3
    assert narrowed(ALL, severity="warning")["college_id"].to_list() == ["A"]
    assert narrowed(ALL, table="colleges", severity="warning").is_empty()
    assert narrowed(ALL)["severity"].to_list() == ["error"] * 5 + ["warning"]
    assert codes(ALL, "college_id") == ["A", "B"]
    assert set(examples(ALL)) == set(codes(ALL, "check_name"))


def test_a_finding_says_where_it_is() -> None:
    assert place(LOST_COLLEGE) == "colleges.csv, 2"
    assert place(HELD_BACK) == ""


def test_a_message_is_said_by_its_checks_sentence_filled_again() -> None:
    words = speaker("en")
    row = finding(
        "students", "A", "not_a_date", "error", column_name="left_on", found="<b>", expected="x"
    )
    row["message"] = "left_on is <b>, which is no date. Write it as 2025-10-01."
    assert sentence(words, row) == row["message"]
    assert sentence(words, row | {"message": "An older sentence."}) == "An older sentence."


def test_every_check_has_its_sentence() -> None:
    assert {"not_a_date", "unknown_region", "counted_twice"} <= sentences().keys()
    assert all(text[0].isupper() or text[0] == "{" for text in sentences().values())


def test_what_is_hidden_of_an_identifier_is_said_in_the_readers_language() -> None:
    """What stands in a cell is never translated, were it a sentence of ours."""
    hidden = {
        "check_name": "damaged_number",
        "column_name": "student_id",
        "found": "(10 characters)",
        "expected": None,
        "message": CELL_CHECKS["damaged_number"]
        .replace("{column}", "student_id")
        .replace("{found}", "(10 characters)"),
        "file": None,
    }
    assert sentence(speaker("ru"), hidden).startswith("student_id: (знаков: 10).")
    shown = {
        **hidden,
        "check_name": "not_a_date",
        "found": "true or false",
        "message": CELL_CHECKS["not_a_date"]
        .replace("{column}", "student_id")
        .replace("{found}", "true or false"),
    }
    assert "true or false" in sentence(speaker("ru"), shown)


def test_files_of_one_layout_may_have_their_columns_elsewhere() -> None:
    """Two sheets of the template, one with a column before it: the same finding, other letters."""
    message = sentences()["percent_contradicts_counts"]
    same = {
        "check_name": "percent_contradicts_counts",
        "column_name": "value",
        "found": "share = 1",
        "expected": "2",
        "message": message.replace("{found}", "share = 1").replace("{expected}", "2"),
    }
    findings = pl.DataFrame([{**same, "file": "a.xlsx"}, {**same, "file": "b.xlsx"}])
    headers = {
        f"{name}.xlsx": {cell_key("value", "share"): FileColumn(f"share ({letter}: %)")}
        for name, letter in (("a", "X"), ("b", "Y"))
    }
    first, second = told(findings, [speaker("en")], headers)["en"]
    assert first.startswith("share (X: %) = 1 ") and second.startswith("share (Y: %) = 1 ")
