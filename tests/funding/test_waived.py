"""The tenge that a waiver moves, worked by hand: 437,000 a student without the incentive part,
912,000 with it.
"""

from pathlib import Path
from shutil import copytree

import pytest
from inputs import (
    HEAVY,
    THEORY,
    Row,
    Tables,
    agreement,
    assessment,
    college,
    graduate,
    national_amount,
    reaches_the_gates,
    run_tables,
    student,
    students,
    together,
    write_rule,
)
from small_rounds import METHODOLOGY

from funding.waived import Moved, money_of, moved
from funding.waivers import Accepted
from kpi.rounds import Round

LOW, FULL = 437_000, 912_000


def one_of_everything() -> Tables:
    """EX-01 has the whole norm, EX-02 is not accredited and has the base norm, the row of EX-03
    names no region; and rejected rows of every kind.
    """
    twice = student("EX-01", specialty=HEAVY)
    again = student("EX-02")
    short = agreement(twice, college_id="EX-02", valid_to="2025-01-01")
    return together(
        reaches_the_gates(students("EX-01", 30)),
        reaches_the_gates(students("EX-02", 30), accredited=False),
        {
            "colleges": [college("EX-03", region="KZ-99")],
            "students": [
                *students("EX-03", 4),
                student("EX-03", funding_source="self_paid"),
                # what cannot be read does not decide: paid for
                student("EX-01", course="3.7"),
                student("EX-02", course="3.7"),
                # and a cell that can be read says: not paid for
                student("EX-01", course="x", funding_source="self_paid"),
                student("EX-01", course="x", academic_leave=True),
                student("EX-01", course="x", left_on="2025-10-01", left_reason="own_wish"),
                # what cannot be read decides: perhaps
                student("EX-01", enrolled_on="yesterday"),
                student("EX-02", enrolled_on="yesterday"),
                student("EX-02", left_on="soon"),
                student("EX-02", enrolled_on="yesterday", funding_source="self_paid"),
                student("EX-01", specialty="99999999"),
                student("EX-99"),
                # read in full, but wrong
                student("EX-01", left_on="2022-01-01"),
                twice,
                {**twice, "college_id": "EX-02", "specialty": THEORY},
                again,
                again,
            ],
            "graduates": [graduate("EX-01", graduated_on="30.06.2025")],
            "dual_agreements": [short, agreement(twice, valid_to="2025-01-01")],
        },
    )


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Round:
    return run_tables(tmp_path_factory.mktemp("waived"), one_of_everything())


@pytest.fixture(scope="module")
def told(draft: Round) -> dict[tuple[str, str | None], Moved]:
    """What each waiver moves that states a check, or a check and a college."""
    money, findings = money_of(draft), draft.findings()
    pairs = {(check, None) for check in findings["check_name"]}
    pairs |= set(findings.select("check_name", "college_id").iter_rows())
    return {
        (check, of): moved([Accepted(check=check, college_id=of)], findings, money)
        for check, of in pairs
    }


@pytest.mark.parametrize(
    ("check", "of", "rows", "paid", "least", "most"),
    [
        # one student each; three more of EX-01 are not paid for: 5 rows, 2 students
        ("not_an_integer", None, 5, 2, FULL + LOW, FULL + LOW),
        ("not_an_integer", "EX-01", 4, 1, FULL, FULL),
        ("not_an_integer", "EX-02", 1, 1, LOW, LOW),
        # enrolled nobody knows when: nothing, or a whole year; who pays is not paid for
        ("not_a_date", "EX-02", 3, 2, 0, 2 * LOW),
        # the graduate brings nothing
        ("not_a_date", "EX-01", 2, 1, 0, FULL),
        # a specialty that nobody knows: at most the greatest norm that the college is paid
        ("unknown_specialty", "EX-01", 1, 1, 0, FULL),
        # a college that nobody knows: at most the greatest norm that anybody is paid
        ("unknown_college", None, 1, 1, 0, FULL),
        # left before the day of the count, whatever else is wrong
        ("left_before_enrolled", None, 1, 0, 0, 0),
        # counted in two colleges: one person, whichever row is right; EX-01 has no line of the
        # specialty, but all its norms are one; two more rows are one person in one college
        ("counted_twice", None, 4, 2, LOW + LOW, FULL + LOW),
        ("counted_twice", "EX-01", 1, 1, FULL, FULL),
        ("counted_twice", "EX-02", 3, 2, LOW + LOW, LOW + LOW),
        # all of a college whose own row is rejected: four students, the fifth pays
        ("unknown_region", None, 1, 4, 0, 4 * FULL),
        # agreements bring nothing of themselves; EX-02 has not the whole norm, EX-01 has
        ("ends_before_begins", None, 2, 0, 0, 0),
    ],
)
def test_a_waiver_moves_the_norms_of_the_students_that_it_leaves_out(
    told: dict[tuple[str, str | None], Moved],
    check: str,
    of: str | None,
    rows: int,
    paid: int,
    least: int,
    most: int,
) -> None:
    found = told[check, of]
    assert (found.rows, found.students, found.least, found.most) == (rows, paid, least, most)


def test_agreements_that_might_help_a_college_at_a_gate_are_said(
    told: dict[tuple[str, str | None], Moved],
) -> None:
    assert told["ends_before_begins", "EX-02"].below == 1
    assert told["ends_before_begins", "EX-01"].below == 0


def test_a_row_that_two_waivers_accept_counts_once(draft: Round) -> None:
    money, findings = money_of(draft), draft.findings()
    whole = Accepted(check="not_an_integer")
    part = Accepted(check="not_an_integer", college_id="EX-01", found="3.7")
    together_ = moved([whole, part], findings, money)
    assert together_ == moved([whole], findings, money)
    assert moved([part], findings, money).least == FULL
    assert moved([], findings, money) == Moved(0, 0, 0, 0, 0, 0)


def test_rounds_whose_sql_does_not_know_people_count_rows(draft: Round, tmp_path: Path) -> None:
    """As the receipts of the first rounds of version 0.5 say it."""
    older = Round(copytree(draft.path, tmp_path / "older"))
    sql = older.sql / "7_rejected" / "rejected_money.sql"
    line = "    coalesce(persons.one_of, rejected_rows.row_id) AS one_of,\n"
    sql.write_text(sql.read_text(encoding="utf-8").replace(line, ""), encoding="utf-8")
    found = moved([Accepted(check="counted_twice")], older.findings(), money_of(older))
    assert (found.students, found.least, found.most) == (4, 3 * LOW + FULL, 3 * LOW + FULL)


def corrected(tables: Tables) -> Tables:
    """With the courses that could not be read put right."""
    rows: list[Row] = [
        {**row, "course": 3} if row["course"] == "3.7" else row for row in tables["students"]
    ]
    return {**tables, "students": rows}


@pytest.mark.parametrize("basis", ["on_date", "monthly_average"])
def test_it_is_what_the_pipeline_pays_once_the_rows_are_corrected(
    tmp_path: Path, basis: str
) -> None:
    """Days, sources, leave and norms are judged as the round judges them: students of another
    specialty and place, who come and go, all of whom decide nothing at a gate.
    """
    rule = write_rule(
        tmp_path / "rule.toml",
        count_basis=basis,
        calibrate=False,
        cost_groups={"heavy": "1.5"},
        localities={"rural": "1.1"},
    )
    wrong = {"course": "3.7", "study_form": "evening"}
    lost = [
        student("EX-01", **wrong),
        student("EX-01", **wrong, specialty=HEAVY, enrolled_on="2025-11-02"),
        student("EX-01", **wrong, left_on="2026-02-01", left_reason="own_wish"),
        student("EX-02", **wrong, academic_leave=True),
        student("EX-02", **wrong, left_on="2025-12-15", left_reason="own_wish"),
        student("EX-02", **wrong, funding_source="targeted_state_order"),
        student("EX-02", **wrong, funding_source="enterprise_paid"),
    ]
    rural = reaches_the_gates(students("EX-02", 30))
    rural["colleges"] = [college("EX-02", locality="rural")]
    mine = reaches_the_gates([*students("EX-01", 30), student("EX-01", specialty=HEAVY)])
    tables = together(mine, rural, {"students": lost})
    asked = {"methodology": METHODOLOGY, "rule": rule}
    before = run_tables(tmp_path / "wrong", tables, **asked)
    after = run_tables(tmp_path / "right", corrected(tables), **asked)
    waiver = Accepted(check="not_an_integer")
    found = moved([waiver], before.findings(), money_of(before))
    assert found.rows == len(lost)
    assert found.least == found.most == national_amount(after) - national_amount(before) > 0


def test_a_round_without_money_moves_none(tmp_path: Path) -> None:
    tables = together(
        {"colleges": [college("EX-01")], "assessments": [assessment("EX-01", points="many")]}
    )
    done = run_tables(tmp_path, {**tables, "students": None}, methodology="assessment")
    found = moved([Accepted(check="not_a_number")], done.findings(), money_of(done))
    assert (found.rows, found.least, found.most) == (1, None, None)
