"""The money of a national round adds up in every mode: lines, colleges, regions, administrators,
months, nation, receipt, to the tenge (DESIGN §6).
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from inputs import quiet, run, write_rule

from funding.rule import Rule
from funding.run import Previous, compute, plan_of
from kpi.dated import load_file
from kpi.intake import Intake
from kpi.pipeline import connect, get_table
from kpi.rounds import Round
from kpi.sample import write_sample
from kpi.store import load_frozen

COSTS = {"theory": "0.9", "workshop": "1.15", "heavy": "1.4"}
RURAL = {"rural": "1.1"}
GATES = ("employment_rate", "dual_share", "institution_accredited")
LEAGUES = {1: "1", 2: "0.6", 3: "0.3", 4: "0"}
MODES = {
    "threshold": {},
    "leagues": {"mode": "leagues", "shares": LEAGUES},
    "unequal coefficients": {"cost_groups": COSTS, "localities": RURAL},
    "monthly average": {"count_basis": "monthly_average", "cost_groups": COSTS},
    "phase-in": {"phase_in": {"employment_rate": ("0.55", "0.85")}, "cost_groups": COSTS},
    "appropriation for the incentive": {
        "cost_groups": COSTS,
        "appropriation": (33_333_333_333, "incentive"),
    },
    "appropriation for all": {
        "mode": "leagues",
        "shares": LEAGUES,
        "localities": RURAL,
        "appropriation": (199_999_999_999, "total"),
    },
    "guarantee outside": {
        "appropriation": (20_000_000_000, "incentive"),
        "guarantee": ("per_student", "0.95", "outside"),
    },
    "guarantee within": {
        "cost_groups": COSTS,
        "appropriation": (230_000_000_001, "total"),
        "guarantee": ("total", "0.8", "within"),
    },
}
"""Rules that differ from the shipped one as said; amounts are of the size of the country."""


@pytest.fixture(scope="module")
def national(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The synthetic national round."""
    folder = tmp_path_factory.mktemp("national")
    write_sample(folder / "input")
    return run(folder / "input", folder / "rounds", methodology="kpi")


@pytest.fixture(scope="module", params=MODES)
def money(
    request: pytest.FixtureRequest, national: Round, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Rule]]:
    """The round computed again under one mode; the previous round paid what the shipped rule pays,
    and one college in ten twice that.
    """
    folder: Path = tmp_path_factory.mktemp("mode")
    path = write_rule(folder / "rule.toml", gates=GATES, **MODES[request.param])
    rule = load_file(path, Rule)
    paid = national.table("funding").select("college_id", "student_months", "amount")
    paid = paid.with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0)
        .then(2 * pl.col("amount"))
        .otherwise(pl.col("amount"))
        .alias("amount")
    )
    plan = replace(plan_of(national), rule=rule, earlier=[], previous=Previous(paid, {}))
    con = connect(folder)
    intake = Intake(given=load_frozen(con, national.input_files()))
    compute(con, plan, intake, "the round", quiet)
    yield con, rule
    con.close()


def sums(con: duckdb.DuckDBPyConnection, table: str, where: str = "TRUE") -> list[int]:
    parts = ("base_amount", "incentive_amount", "guarantee_amount", "amount")
    columns = ", ".join(f"CAST(sum({part}) AS BIGINT)" for part in parts)
    [row] = con.execute(f"SELECT {columns} FROM {table} WHERE {where}").fetchall()
    return list(row)


def test_lines_colleges_regions_administrators_and_nation_are_the_same_sum(
    money: tuple[duckdb.DuckDBPyConnection, Rule],
) -> None:
    con, _ = money
    nation = sums(con, "funding_totals", "in_force")
    assert nation[3] == sum(nation[:3]) > 10**11
    assert sums(con, "funding_lines") == nation
    assert sums(con, "funding") == nation
    assert sums(con, "funding_regions", "region <> 'KZ'") == nation
    assert sums(con, "funding_regions", "region = 'KZ'") == nation
    assert sums(con, "funding_administrators") == nation


def test_each_college_is_the_sum_of_its_lines_and_of_its_twelve_months(
    money: tuple[duckdb.DuckDBPyConnection, Rule],
) -> None:
    con, _ = money
    lines = get_table(con, "funding_lines").group_by("college_id").agg(pl.col("amount").sum())
    months = (
        get_table(con, "funding_months")
        .group_by("college_id")
        .agg(
            pl.col("amount").sum(),
            pl.len().alias("months"),
            (pl.col("amount").max() - pl.col("amount").min()).alias("spread"),
        )
    )
    assert months["months"].unique().to_list() == [12]
    assert months["spread"].max() <= 1
    paid = get_table(con, "funding").select("college_id", "amount")
    for parts in (lines, months.select("college_id", "amount")):
        joined = paid.join(parts, on="college_id", how="left", suffix="_of_parts").fill_null(0)
        assert (joined["amount"] == joined["amount_of_parts"]).all()


def test_an_appropriation_that_binds_is_spent_to_the_tenge(
    money: tuple[duckdb.DuckDBPyConnection, Rule],
) -> None:
    con, rule = money
    if rule.appropriation is None:
        return
    base, incentive, guarantee, amount = sums(con, "funding_totals", "in_force")
    within = guarantee if rule.guarantee and rule.guarantee.funded_from == "within" else 0
    passes = get_table(con, "funding_passes")
    assert passes["point_value"][-1] < 1
    covered = incentive + within + (base if rule.appropriation.covers == "total" else 0)
    assert covered == rule.appropriation.amount
    assert amount == base + incentive + guarantee


def test_a_guarantee_lifts_every_college_to_its_floor(
    money: tuple[duckdb.DuckDBPyConnection, Rule],
) -> None:
    con, rule = money
    if rule.guarantee is None:
        return
    floors = get_table(con, "guarantees").join(get_table(con, "funding"), on="college_id")
    assert (floors["amount"] >= floors["floor_amount"]).all()
    lifted = floors.filter(pl.col("guarantee_amount") > 0)
    assert lifted.height > 50
    assert (lifted["amount"] == lifted["floor_amount"]).all()


def test_calibrated_coefficients_keep_437_thousand_as_the_average_of_the_base(
    money: tuple[duckdb.DuckDBPyConnection, Rule],
) -> None:
    con, _ = money
    lines = get_table(con, "funding_lines")
    average = Decimal(12 * lines["base_amount"].sum()) / lines["student_months"].sum()
    assert abs(average - 437_000) <= 1
