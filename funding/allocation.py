"""Apply a rule: lines, then colleges, then totals (DESIGN §6).

``sql/4_funding/`` says what each line is entitled to, ``funding.settlement`` what it is paid,
``sql/5_totals/`` sums it up.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from funding.rule import Rule
from funding.settlement import FLOOR_SCHEMA, Settlement, settle
from kpi.errors import CallError, phrase
from kpi.methodology import Methodology
from kpi.pipeline import (
    Select,
    get_table,
    put_table,
    put_tables,
    read_selects,
    rows_of,
    run_selects,
)

TOTALS_SCHEMA: dict[str, Any] = {
    "rule": pl.String,
    "start": pl.Date,
    "in_force": pl.Boolean,
    "base": pl.Int64,
    "full": pl.Int64,
    "students": pl.Decimal(18, 4),
    "qualifying": pl.Int64,
    "base_amount": pl.Int64,
    "incentive_amount": pl.Int64,
    "amount": pl.Int64,
    "guarantee_amount": pl.Int64,
    "qualifying_students": pl.Decimal(18, 4),
    "qualifying_amount": pl.Int64,
}
PREVIOUS_SCHEMA: dict[str, Any] = {
    "college_id": pl.String,
    "student_months": pl.Int64,
    "amount": pl.Int64,
}


@dataclass(frozen=True)
class FundingSelects:
    """The files of ``sql/4_funding/`` and ``sql/5_totals/``; the settlement is between them."""

    entitled: list[Select]
    totals: list[Select]


def read_funding_selects(con: duckdb.DuckDBPyConnection, sql: Path) -> FundingSelects:
    """Read both folders of the SQL at ``sql``."""
    return FundingSelects(read_selects(con, sql / "4_funding"), read_selects(con, sql / "5_totals"))


def allocate(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    earlier: list[Rule],
    methodology: Methodology,
    selects: FundingSelects,
) -> None:
    """Make the tables of ``sql/4_funding/`` and ``sql/5_totals/``, the settlement between them, and
    ``funding_totals``.

    Reads student_groups, specialties, colleges, gates, ranking and previous_funding.
    ``funding_totals`` has one row per version of the rule, so that the round's cost under the old
    norm stands beside its cost under the new one; amounts in tenge per year. Raises CallError when
    the rule and the methodology or the reference tables do not fit together, or an appropriation is
    too small.
    """
    totals = []
    for version in [*earlier, rule]:  # the one in force last: its tables are the round's
        check_fit(con, version, methodology)
        fund(con, version, selects)
        totals.append(_totals(con, version) | {"in_force": version is rule})
    put_table(con, "funding_totals", pl.DataFrame(totals, schema=TOTALS_SCHEMA))


def fund(con: duckdb.DuckDBPyConnection, rule: Rule, selects: FundingSelects) -> None:
    """Make every table of the funding rule under one version of it."""
    put_tables(con, rule_parameters(rule))
    run_selects(con, selects.entitled)
    settlement = settlement_of(con, rule)
    put_table(con, "funding_lines", settlement.lines)
    put_table(con, "funding_passes", settlement.passes)
    put_table(con, "guarantees", settlement.guarantees)
    run_selects(con, selects.totals)


def settlement_of(con: duckdb.DuckDBPyConnection, rule: Rule) -> Settlement:
    """Settle the entitled lines: what becomes ``funding_lines``, ``funding_passes`` and
    ``guarantees``.
    """
    floors = pl.DataFrame(schema=FLOOR_SCHEMA)
    if rule.guarantee:
        floors = get_table(con, "guarantee_floors")
    return settle(con.sql("SELECT * FROM entitled_lines").pl(), floors, rule)


def put_previous(con: duckdb.DuckDBPyConnection, funding: pl.DataFrame | None) -> None:
    """Make ``previous_funding``: what the previous published round paid each unit, or nothing."""
    empty = pl.DataFrame(schema=PREVIOUS_SCHEMA)
    put_table(
        con, "previous_funding", empty if funding is None else funding.select(*PREVIOUS_SCHEMA)
    )


def _totals(con: duckdb.DuckDBPyConnection, rule: Rule) -> dict[str, Any]:
    """Return the row of ``funding_totals`` for the version whose tables were just made."""
    sums = con.sql(
        "SELECT CAST(coalesce(sum(student_months), 0) / 12 AS DECIMAL(18, 4)) AS students,"
        " count(*) FILTER (WHERE share > 0) AS qualifying,"
        " CAST(coalesce(sum(base_amount), 0) AS BIGINT) AS base_amount,"
        " CAST(coalesce(sum(incentive_amount), 0) AS BIGINT) AS incentive_amount,"
        " CAST(coalesce(sum(guarantee_amount), 0) AS BIGINT) AS guarantee_amount,"
        " CAST(coalesce(sum(amount), 0) AS BIGINT) AS amount,"
        " CAST(coalesce(sum(student_months) FILTER (WHERE share > 0), 0) / 12 AS DECIMAL(18, 4))"
        " AS qualifying_students,"
        " CAST(coalesce(sum(amount) FILTER (WHERE share > 0), 0) AS BIGINT) AS qualifying_amount"
        " FROM funding"
    ).pl()
    named: dict[str, Any] = sums.row(0, named=True)
    return named | {
        "rule": rule.name,
        "start": rule.start,
        "base": rule.base.value,
        "full": rule.full.value,
    }


def check_fit(con: duckdb.DuckDBPyConnection, rule: Rule, methodology: Methodology) -> None:
    """Raise CallError where the rule asks for a gate that the methodology has not, gives a league
    no share, or gives a cost group or locality no coefficient.
    """
    where = f"rule {rule.name} {rule.start}"
    gates = {gate.kpi for gate in methodology.gates}
    leagues = {league.league for league in methodology.leagues}
    missing = sorted(set(rule.gates.value) - gates)
    if missing:
        raise CallError(
            "The rule asks for gates that the methodology has not.",
            where=f"{where}, gates",
            found=", ".join(missing),
            expected=", ".join(sorted(gates)) or phrase("no gate"),
        )
    unpaid = leagues - {share.league for share in rule.shares}
    if rule.mode == "leagues" and unpaid:
        raise CallError(
            "The rule states no share for some leagues of the methodology.",
            where=f"{where}, shares",
            found=", ".join(str(league) for league in sorted(unpaid)),
            expected="a share for every league",
        )
    groups = con.execute("SELECT DISTINCT cost_group FROM specialties").fetchall()
    needed = {("cost_group", group) for (group,) in groups}
    needed |= {("locality", "urban"), ("locality", "rural")}
    without = needed - {(entry.attribute, entry.value) for entry in rule.coefficients}
    if without:
        raise CallError(
            "The rule states no coefficient for some values.",
            where=f"{where}, coefficients",
            found=", ".join(f"{attribute} {value}" for attribute, value in sorted(without)),
            expected="a coefficient for every cost group and locality",
        )


def rule_parameters(rule: Rule) -> dict[str, pl.DataFrame]:
    """Return the tables ``param_norm``, ``param_coefficient``, ``param_eligible``,
    ``param_rule_gate``, ``param_phase_in``, ``param_share`` and ``param_guarantee``.
    """
    norm = {
        "mode": rule.mode,
        "base": rule.base.value,
        "full": rule.full.value,
        "calibrate": rule.calibrate.value,
        "pays_academic_leave": rule.pays_academic_leave.value,
        "count_basis": rule.count_basis.value,
    }
    coefficients = [
        (entry.attribute, entry.value, entry.coefficient) for entry in rule.coefficients
    ]
    eligible: list[tuple[str, str]] = [("funding_source", v) for v in rule.funding_sources.value]
    eligible += [("study_form", value) for value in rule.study_forms.value]
    phases = [(entry.gate, entry.zero_at, entry.full_at) for entry in rule.phase_in]
    shares = [(entry.league, entry.share) for entry in rule.shares]
    guarantee = [(rule.guarantee.basis, rule.guarantee.floor)] if rule.guarantee else []
    text, share = pl.String, pl.Decimal(9, 6)
    return {
        "param_norm": pl.DataFrame([norm]),
        "param_coefficient": rows_of(
            coefficients, attribute=text, value=text, coefficient=pl.Decimal(9, 4)
        ),
        "param_eligible": rows_of(eligible, attribute=text, value=text),
        "param_rule_gate": rows_of([(gate,) for gate in rule.gates.value], gate=text),
        "param_phase_in": rows_of(phases, gate=text, zero_at=share, full_at=share),
        "param_share": rows_of(shares, league=pl.Int64, share=share),
        "param_guarantee": rows_of(guarantee, basis=text, floor=share),
    }
