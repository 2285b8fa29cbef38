"""Agreements that count for nobody are said: one folder, one agreement per sentence."""

import polars as pl
import pytest
from inputs import KEY, Row, agreement, college, plan, quiet, student, write_folder

from funding.run import check_inputs

FULL_TIME = student("EX-01")
EVENING = student("EX-01", study_form="evening")
CHANGED_FORM = student("EX-01", study_form="evening", left_on="2025-09-10", left_reason="other")
CHANGED_BACK = student("EX-01", student_id=CHANGED_FORM["student_id"], enrolled_on="2025-09-10")
LEFT = student("EX-01", left_on="2025-02-01", left_reason="own_wish")
GONE = student("EX-01", left_on="2025-10-01", left_reason="own_wish")
STILL_THERE = student("EX-01", left_on="2025-10-02", left_reason="own_wish")
TO_EVENING = student("EX-01", left_on="2025-09-10", left_reason="other")
IN_EVENING = student(
    "EX-01", student_id=TO_EVENING["student_id"], study_form="evening", enrolled_on="2025-09-10"
)
LATE = student("EX-01", enrolled_on="2026-02-01")
MOVED = student("EX-01", left_on="2025-02-01", left_reason="transferred")
MOVED_TO = student("EX-03", student_id=MOVED["student_id"], enrolled_on="2025-02-01")
OF_BRANCH = student("EX-02")
UNREADABLE = student("EX-01", course="9")
UNREADABLE_TOO = student("EX-03", student_id=UNREADABLE["student_id"], left_on="2024-09-01")

CASES: list[tuple[str, Row, str | None]] = [
    ("a full-time student's", agreement(FULL_TIME), None),
    ("an evening student's", agreement(EVENING), "agreement_not_full_time"),
    (
        "an evening student's, over the day before the count",
        agreement(EVENING, valid_to="2025-09-30"),
        None,
    ),
    (
        "an evening student's, over on the day of the count",
        agreement(EVENING, valid_to="2025-10-01"),
        "agreement_not_full_time",
    ),
    ("of one who became full-time while it runs", agreement(CHANGED_FORM), None),
    ("of one who left before it begins", agreement(LEFT), "agreement_outside_enrolment"),
    (
        "of one who left on the day it begins",
        agreement(LEFT, valid_from="2025-02-01"),
        "agreement_outside_enrolment",
    ),
    (
        "of one who left while it runs, before the day of the count",
        agreement(LEFT, valid_from="2025-01-31"),
        "agreement_outside_enrolment",
    ),
    ("of one who left on the day of the count", agreement(GONE), "agreement_outside_enrolment"),
    ("of one who left the day after", agreement(STILL_THERE), None),
    (
        "of one who changed to evening study before the count",
        agreement(TO_EVENING),
        "agreement_not_full_time",
    ),
    (
        "of one who enrols after it has ended",
        agreement(LATE, valid_to="2026-01-31"),
        "agreement_outside_enrolment",
    ),
    ("of one who enrols on its last day", agreement(LATE, valid_to="2026-02-01"), None),
    (
        "of one who moved away while it runs",
        agreement(MOVED, valid_from="2024-09-01"),
        "agreement_outside_enrolment",
    ),
    ("signed by a college before the student came", agreement(MOVED_TO), None),
    (
        "signed by a college that the student never was in",
        agreement(FULL_TIME, college_id="EX-03"),
        "agreement_elsewhere",
    ),
    (
        "of the branch's, signed by the head",
        agreement(OF_BRANCH, college_id="EX-01"),
        None,
    ),
    (
        "of the head's, signed by the branch",
        agreement(FULL_TIME, college_id="EX-02"),
        None,
    ),
    (
        "of a student with a row that cannot be read",
        agreement(UNREADABLE_TOO, college_id="EX-01"),
        None,
    ),
    (
        "that ends before it begins: said once",
        agreement(FULL_TIME, college_id="EX-03", valid_from="2026-01-02", valid_to="2026-01-01"),
        "ends_before_begins",
    ),
]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[tuple[str, str]]]:
    """The checks and severities by the number of the agreement's case."""
    folder = write_folder(
        tmp_path_factory.mktemp("agreements") / "input",
        colleges=[college("EX-01"), college("EX-02", parent_id="EX-01"), college("EX-03")],
        students=[
            *(FULL_TIME, EVENING, CHANGED_FORM, CHANGED_BACK, LEFT, LATE, MOVED, MOVED_TO),
            *(GONE, STILL_THERE, TO_EVENING, IN_EVENING),
            *(OF_BRANCH, UNREADABLE, UNREADABLE_TOO),
        ],
        dual_agreements=[case[1] for case in CASES],
    )
    _, found, _ = check_inputs(folder, plan(), KEY, quiet)
    rows = found.filter(pl.col("table_name") == "dual_agreements")
    of_case: dict[int, list[tuple[str, str]]] = {}
    for row in rows.iter_rows(named=True):
        of_case.setdefault(row["record"] - 2, []).append((row["check_name"], row["severity"]))
    return of_case


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_an_agreement(number: int, findings: dict[int, list[tuple[str, str]]]) -> None:
    check = CASES[number][2]
    severity = "error" if check == "ends_before_begins" else "warning"
    assert findings.get(number, []) == ([(check, severity)] if check else [])
