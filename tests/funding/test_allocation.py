"""From students to tenge (DESIGN §6 steps 1 to 5), with amounts worked out by hand."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from inputs import (
    HEAVY,
    THEORY,
    WORKSHOP,
    Row,
    accreditation,
    agreement,
    amount,
    college,
    graduate,
    graduates,
    national_amount,
    plan,
    reaches_the_gates,
    row_of,
    run,
    run_tables,
    students,
    together,
    write_folder,
    write_rule,
)

from funding.allocation import check_fit
from funding.rule import load_rule
from kpi.errors import CallError
from kpi.methodology import load_methodology
from kpi.pipeline import put_table, shipped_reference
from kpi.rounds import Round

COST_GROUPS = {"theory": "0.8", "workshop": "1.0", "heavy": "1.5"}
AUTUMN = dt.date(2025, 10, 1)


def lines_of(done: Round, college_id: str) -> dict[str, Row]:
    lines = done.table("funding_lines").filter(pl.col("college_id") == college_id)
    return {row["specialty"]: row for row in lines.iter_rows(named=True)}


# ---- coefficients that differ, calibrated ----


@pytest.fixture(scope="module")
def uneven_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """Three colleges, all through the gates, with specialties of every cost group, two in towns
    and one in the country; cost groups 0.8, 1.0, 1.5, the country 1.2.
    """
    path = tmp_path_factory.mktemp("uneven")
    rule = write_rule(path / "rule.toml", cost_groups=COST_GROUPS, localities={"rural": "1.2"})
    tables = together(
        reaches_the_gates(students("EX-01", 13, specialty=THEORY)),
        reaches_the_gates(
            students("EX-02", 7, specialty=WORKSHOP) + students("EX-02", 11, specialty=HEAVY)
        ),
        reaches_the_gates(
            students("EX-03", 17, specialty=THEORY)
            + students("EX-03", 3, specialty=WORKSHOP)
            + students("EX-03", 5, specialty=HEAVY)
        ),
    )
    tables["colleges"][2]["locality"] = "rural"
    return run_tables(path, tables, rule=rule)


def test_the_average_base_norm_of_all_students_is_437_thousand(uneven_round: Round) -> None:
    lines = uneven_round.table("funding_lines")
    average = Decimal(lines["base_amount"].sum()) / lines["students"].sum()
    assert abs(average - 437_000) <= Decimal("0.5")


def test_the_average_norm_is_912_thousand_when_every_student_has_the_full_norm(
    uneven_round: Round,
) -> None:
    assert uneven_round.table("funding")["share"].to_list() == [1, 1, 1]
    lines = uneven_round.table("funding_lines")
    average = Decimal(lines["amount"].sum()) / lines["students"].sum()
    assert abs(average - 912_000) <= Decimal("0.5")


def test_a_line_has_the_product_of_its_coefficients(uneven_round: Round) -> None:
    products = uneven_round.table("line_coefficients")
    assert {
        (row["college_id"], row["specialty"]): row["product"] for row in products.to_dicts()
    } == {
        ("EX-01", THEORY): Decimal("0.8"),
        ("EX-02", WORKSHOP): Decimal("1"),
        ("EX-02", HEAVY): Decimal("1.5"),
        ("EX-03", THEORY): Decimal("0.96"),
        ("EX-03", WORKSHOP): Decimal("1.2"),
        ("EX-03", HEAVY): Decimal("1.8"),
    }


def test_the_coefficients_stored_are_those_that_the_norms_were_computed_with(
    uneven_round: Round,
) -> None:
    for line in uneven_round.table("funding_lines").iter_rows(named=True):
        base = (437_000 * line["coefficient"] + Decimal("0.5")) // 1
        full = (912_000 * line["coefficient"] + Decimal("0.5")) // 1
        assert line["base_norm"] == base
        assert line["base_norm"] + line["incentive_norm"] == full
        assert line["coefficient"] == round(line["coefficient"], 8)


@pytest.mark.parametrize("which", ["uneven_round", "example_round", "example_round_leagues"])
def test_the_nation_is_the_sum_of_its_colleges_and_of_their_lines(
    which: str, request: pytest.FixtureRequest
) -> None:
    done: Round = request.getfixturevalue(which)
    lines, colleges = done.table("funding_lines"), done.table("funding")
    nation = row_of(done.table("funding_totals"), in_force=True)
    for column in ("students", "base_amount", "incentive_amount", "amount"):
        assert nation[column] == colleges[column].sum() == lines[column].sum(), column
        of_lines = dict(lines.group_by("college_id").agg(pl.col(column).sum()).rows())
        assert of_lines == dict(colleges.select("college_id", column).rows()), column
    assert (colleges["amount"] == colleges["base_amount"] + colleges["incentive_amount"]).all()
    assert nation["amount"] == done.receipt["national"]["amount"]


# ---- by hand ----


def test_two_lines_worked_out_by_hand_step_by_step(tmp_path: Path) -> None:
    """30 students of a group with 0.8 and 10 of one with 1.5, all gates passed:

    mean         (30 x 0.8 + 10 x 1.5) / 40 = 39 / 40 = 0.975
    coefficients 0.8 / 0.975 = 0.820512820... -> 0.82051282; 1.5 / 0.975 = 1.538461538... -> ...54
    base norms   437 000 x 0.82051282 = 358 564.1 -> 358 564; x 1.53846154 = 672 307.7 -> 672 308
    full norms   912 000 x 0.82051282 = 748 307.7 -> 748 308; x 1.53846154 = 1 403 076.9 -> ...077
    incentive    748 308 - 358 564 = 389 744; 1 403 077 - 672 308 = 730 769
    amounts      30 x 748 308 = 22 449 240; 10 x 1 403 077 = 14 030 770; together 36 480 010
    """
    rule = write_rule(tmp_path / "rule.toml", cost_groups=COST_GROUPS)
    tables = reaches_the_gates(
        students("EX-01", 30, specialty=THEORY) + students("EX-01", 10, specialty=HEAVY)
    )
    done = run_tables(tmp_path, tables, rule=rule)
    lines = lines_of(done, "EX-01")
    steps = ("students", "coefficient", "base_norm", "incentive_norm", "amount")
    assert [lines[THEORY][step] for step in steps] == [
        30,
        Decimal("0.82051282"),
        358_564,
        389_744,
        22_449_240,
    ]
    assert [lines[HEAVY][step] for step in steps] == [
        10,
        Decimal("1.53846154"),
        672_308,
        730_769,
        14_030_770,
    ]
    assert amount(done, "EX-01") == national_amount(done) == 36_480_010
    assert lines[THEORY]["base_amount"] + lines[HEAVY]["base_amount"] == 40 * 437_000


def test_a_coefficient_is_rounded_half_up_once_before_it_is_used(tmp_path: Path) -> None:
    """61 students with 1 and 24 with 0.125: mean 64 / 85; 0.125 x 85 / 64 = 0.166015625, which ends
    on half of the eighth place: 0.16601563 (half to even would be ...62). 437 000 x 0.16601563
    = 72 548.83 -> 72 549.
    """
    rule = write_rule(tmp_path / "rule.toml", cost_groups={"heavy": "0.125"})
    tables = reaches_the_gates(
        students("EX-01", 61, specialty=THEORY) + students("EX-01", 24, specialty=HEAVY)
    )
    lines = lines_of(run_tables(tmp_path, tables, rule=rule), "EX-01")
    assert lines[HEAVY]["coefficient"] == Decimal("0.16601563")
    assert lines[THEORY]["coefficient"] == Decimal("1.328125")
    assert lines[HEAVY]["base_norm"] == 72_549


def test_half_a_tenge_is_rounded_up_in_each_norm(tmp_path: Path) -> None:
    """Not calibrated, coefficient 0.5: 437 001 x 0.5 = 218 500.5 -> 218 501 and 912 001 x 0.5 =
    456 000.5 -> 456 001 (half to even would be 218 500 and 456 000); incentive 237 500.
    """
    rule = write_rule(
        tmp_path / "rule.toml",
        base=437_001,
        full=912_001,
        cost_groups={"theory": "0.5"},
        calibrate=False,
    )
    tables = reaches_the_gates(students("EX-01", 30, specialty=THEORY))
    line = lines_of(run_tables(tmp_path, tables, rule=rule), "EX-01")[THEORY]
    assert line["coefficient"] == Decimal("0.5")
    assert (line["base_norm"], line["incentive_norm"]) == (218_501, 237_500)
    assert line["amount"] == 30 * 456_001


def test_half_a_tenge_of_a_leagues_share_is_rounded_up(tmp_path: Path) -> None:
    """Half of 912 001 - 437 000 = 475 001 is 237 500.5 -> 237 501 (half to even: 237 500)."""
    halves = {1: "0.5", 2: "0.5", 3: "0.5", 4: "0.5"}
    rule = write_rule(tmp_path / "rule.toml", mode="leagues", full=912_001, shares=halves)
    tables = reaches_the_gates(students("EX-01", 30))
    line = lines_of(run_tables(tmp_path, tables, rule=rule), "EX-01")[THEORY]
    assert line["incentive_norm"] == 237_501


def test_without_calibration_a_coefficient_is_the_plain_product(tmp_path: Path) -> None:
    """0.8 x 1.2 = 0.96: 437 000 x 0.96 = 419 520; 912 000 x 0.96 = 875 520."""
    rule = write_rule(
        tmp_path / "rule.toml",
        cost_groups=COST_GROUPS,
        localities={"rural": "1.2"},
        calibrate=False,
    )
    tables = reaches_the_gates(students("EX-01", 30, specialty=THEORY))
    tables["colleges"][0]["locality"] = "rural"
    line = lines_of(run_tables(tmp_path, tables, rule=rule), "EX-01")[THEORY]
    assert line["coefficient"] == Decimal("0.96")
    assert (line["base_norm"], line["incentive_norm"]) == (419_520, 456_000)


# ---- leagues ----


@pytest.fixture(scope="module")
def league_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """Nine colleges through all gates: EX-01 to EX-08 ranked in this order by their certificates,
    EX-09 with 24 students, too few to be ranked.
    """
    parts = []
    for place in range(1, 10):
        part = reaches_the_gates(students(f"EX-0{place}", 25 if place < 9 else 24))
        for row in part["graduates"][: 9 - place]:
            row["certificate_id"] = "C-1"
        parts.append(part)
    return run_tables(tmp_path_factory.mktemp("leagues"), together(*parts), rule="leagues")


@pytest.mark.parametrize(
    ("college_id", "league", "share", "amount_a_student"),
    [
        ("EX-01", 1, "1", 912_000),
        ("EX-02", 1, "1", 912_000),
        ("EX-03", 2, "0.6", 722_000),
        ("EX-05", 2, "0.6", 722_000),
        ("EX-06", 3, "0.3", 579_500),
        ("EX-07", 3, "0.3", 579_500),
        ("EX-08", 4, "0", 437_000),
        ("EX-09", None, "0", 437_000),
    ],
)
def test_the_share_of_the_incentive_is_that_of_the_league_and_none_for_the_unranked(
    college_id: str, league: int | None, share: str, amount_a_student: int, league_round: Round
) -> None:
    assert row_of(league_round.table("ranking"), college_id=college_id)["league"] == league
    paid = row_of(league_round.table("funding"), college_id=college_id)
    assert paid["share"] == Decimal(share)
    assert paid["amount"] == paid["students"] * amount_a_student


def test_qualifying_are_the_colleges_with_a_share_above_nothing(league_round: Round) -> None:
    assert row_of(league_round.table("funding_totals"), in_force=True)["qualifying"] == 7


# ---- who is paid ----


def test_a_closed_branch_is_not_paid_and_an_active_college_without_students_is_paid_nothing(
    tmp_path: Path,
) -> None:
    tables = together(
        reaches_the_gates(students("EX-01", 30)),
        {
            "colleges": [college("EX-02", parent_id="EX-01", status="closed"), college("EX-03")],
            "students": students("EX-02", 5, study_form="evening"),
        },
    )
    done = run_tables(tmp_path, tables)
    assert amount(done, "EX-01") == national_amount(done) == 30 * 912_000
    empty = row_of(done.table("funding"), college_id="EX-03")
    assert (empty["students"], empty["amount"]) == (0, 0)


@pytest.mark.parametrize(
    ("merged_on", "to_the_successor", "to_itself"),
    [("2025-10-01", 30, 0), ("2025-10-02", 25, 5)],
    ids=["merged on the day of the count", "merged the day after"],
)
def test_a_merged_colleges_students_are_paid_to_the_successor_from_the_day_of_the_merger(
    merged_on: str, to_the_successor: int, to_itself: int, tmp_path: Path
) -> None:
    merged = college("EX-02", status="merged", successor_id="EX-01", merged_on=merged_on)
    tables = together(
        reaches_the_gates(students("EX-01", 25), accredited=False),
        {"colleges": [merged], "students": students("EX-02", 5)},
    )
    done = run_tables(tmp_path, tables)
    assert amount(done, "EX-01") == to_the_successor * 437_000
    assert amount(done, "EX-02") == to_itself * 437_000


def test_enterprise_paid_self_paid_and_students_on_leave_are_paid_by_no_one_here(
    tmp_path: Path,
) -> None:
    tables = reaches_the_gates(students("EX-01", 30), accredited=False)
    tables["students"] += [
        *students("EX-01", 2, funding_source="targeted_state_order"),
        *students("EX-01", 4, funding_source="enterprise_paid"),
        *students("EX-01", 8, funding_source="self_paid"),
        *students("EX-01", 16, academic_leave=True),
        *students("EX-01", 32, study_form="evening"),
    ]
    done = run_tables(tmp_path, tables)
    assert row_of(done.table("funding"), college_id="EX-01")["students"] == 30 + 2 + 32


# ---- the day of the count and the version in force ----


@pytest.fixture(scope="module")
def autumn_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A college through all gates: 30 students of earlier years, 10 enrolled on 1 September."""
    tables = reaches_the_gates(students("EX-01", 30))
    tables["students"] += students("EX-01", 10, enrolled_on="2025-09-01")
    for row in tables["dual_agreements"]:
        row["valid_from"] = "2024-09-01"
    extra = tables["students"][:4]
    tables["dual_agreements"] += [agreement(of, valid_from="2024-09-01") for of in extra]
    tables["dual_agreements"] += [agreement(of) for of in tables["students"][6:10]]
    return write_folder(tmp_path_factory.mktemp("autumn") / "input", **tables)


def test_on_31_august_2025_the_old_norm_holds_and_newcomers_are_not_counted(
    autumn_folder: Path, tmp_path: Path
) -> None:
    done = run(autumn_folder, tmp_path, count_on=dt.date(2025, 8, 31))
    [total] = done.table("funding_totals").to_dicts()
    assert (total["start"], total["in_force"]) == (dt.date(2024, 9, 1), True)
    assert (total["students"], total["incentive_amount"]) == (30, 0)
    assert total["amount"] == amount(done, "EX-01") == 30 * 437_000
    assert done.receipt["rule"]["start"] == "2024-09-01"
    assert done.receipt["rule"]["earlier"] == {}


def test_on_1_september_2025_the_higher_norm_holds_and_newcomers_are_counted(
    autumn_folder: Path, tmp_path: Path
) -> None:
    done = run(autumn_folder, tmp_path, count_on=dt.date(2025, 9, 1))
    now = row_of(done.table("funding_totals"), in_force=True)
    assert now["start"] == dt.date(2025, 9, 1)
    assert now["students"] == 40
    assert now["amount"] == amount(done, "EX-01") == 40 * 912_000
    assert list(done.receipt["rule"]["earlier"]) == ["2024-09-01"]


@pytest.mark.parametrize(
    ("rule", "day", "named"),
    [
        ("threshold", dt.date(2024, 8, 31), "methodology example"),
        ("leagues", dt.date(2025, 8, 31), "rule leagues"),
    ],
)
def test_a_day_before_the_first_version_is_an_error_that_names_what_is_not_in_force(
    rule: str, day: dt.date, named: str
) -> None:
    with pytest.raises(CallError) as error:
        plan(rule=rule, count_on=day)
    assert error.value.what == f"No version of the {named} is in force on {day}."
    assert error.value.parts["expected"] == f"one that starts on {day} or earlier"
    assert error.value.exit_code == 2


def test_before_1_september_2024_no_rule_is_in_force_either() -> None:
    with pytest.raises(CallError, match="the rule threshold is in force on 2024-08-31"):
        load_rule("threshold", dt.date(2024, 8, 31))


def test_a_rule_of_ones_own_that_has_not_started_is_not_in_force(tmp_path: Path) -> None:
    rule = write_rule(tmp_path / "rule.toml", start="2025-10-02")
    with pytest.raises(CallError, match="in force on 2025-10-01"):
        plan(rule=rule)


def test_the_cost_under_the_old_norm_stands_beside_the_cost_under_the_new(
    example_round: Round,
) -> None:
    totals = example_round.table("funding_totals").sort("start")
    assert totals.select(
        "rule", "start", "in_force", "students", "qualifying", "amount"
    ).rows() == [
        ("threshold", dt.date(2024, 9, 1), False, 220, 0, 96_140_000),
        ("threshold", dt.date(2025, 9, 1), True, 220, 5, 156_940_000),
    ]


def test_the_lines_of_the_round_are_those_of_the_rule_in_force(example_round: Round) -> None:
    assert example_round.table("param_norm")["full"].to_list() == [912_000]


# ---- rule, methodology and reference must fit together ----


@pytest.fixture
def reference(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for table, rows in shipped_reference().items():
            put_table(con, table, rows)
        yield con


def _misfit(con: duckdb.DuckDBPyConnection, rule: Path, methodology: str = "example") -> CallError:
    with pytest.raises(CallError) as error:
        check_fit(con, load_rule(str(rule), AUTUMN), load_methodology(methodology, AUTUMN))
    return error.value


def test_a_rule_that_asks_for_a_gate_the_methodology_has_not_is_refused(
    reference: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rule = write_rule(tmp_path / "rule.toml", gates=["dual_share", "median_wage"])
    error = _misfit(reference, rule)
    assert error.parts["where"] == "rule of_the_test 2025-09-01, gates"
    assert error.parts["found"] == "median_wage"
    assert error.parts["expected"] == "dual_share, employment_rate, institution_accredited"


def test_a_rule_that_leaves_a_league_without_a_share_is_refused(
    reference: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rule = write_rule(tmp_path / "rule.toml", mode="leagues", shares={1: "1", 3: "0.3"})
    error = _misfit(reference, rule)
    assert error.parts["where"] == "rule of_the_test 2025-09-01, shares"
    assert error.parts["found"] == "2, 4"


def test_a_rule_that_leaves_a_cost_group_or_locality_without_a_coefficient_is_refused(
    reference: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rule = write_rule(tmp_path / "rule.toml")
    text = rule.read_text(encoding="utf-8")
    unknown = text.replace('value = "heavy"', 'value = "light"').replace('"rural"', '"village"')
    rule.write_text(unknown, encoding="utf-8")
    error = _misfit(reference, rule)
    assert error.parts["where"] == "rule of_the_test 2025-09-01, coefficients"
    assert error.parts["found"] == "cost_group heavy, locality rural"


def test_the_gates_that_a_rule_does_not_ask_for_cost_nothing(tmp_path: Path) -> None:
    """No accreditation, but the rule asks for employment alone: the full norm."""
    rule = write_rule(tmp_path / "rule.toml", gates=["employment_rate"])
    tables = together(
        {"colleges": [college("EX-01")], "students": students("EX-01", 30)},
        {"graduates": graduates("EX-01", employed=7, unemployed=3)},
        {"accreditations": [accreditation("EX-01", valid_to="2025-09-30")]},
    )
    done = run_tables(tmp_path, tables, rule=rule)
    assert amount(done, "EX-01") == 30 * 912_000


def test_one_graduate_more_without_work_costs_the_higher_norm(tmp_path: Path) -> None:
    tables = reaches_the_gates(students("EX-01", 30))
    tables["graduates"].append(graduate("EX-01"))
    done = run_tables(tmp_path, tables)
    assert amount(done, "EX-01") == 30 * 437_000
