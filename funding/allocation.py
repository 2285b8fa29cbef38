"""Apply a rule: lines, then colleges (DESIGN §6 steps 1-5). The steps are ``sql/4_funding/``."""

import duckdb
import polars as pl

from funding.rule import Rule
from kpi.errors import CallError
from kpi.methodology import Methodology
from kpi.pipeline import put_table, read_selects, run_selects

TOTALS_SCHEMA = {
    "rule": pl.String,
    "start": pl.Date,
    "in_force": pl.Boolean,
    "base": pl.Int64,
    "full": pl.Int64,
    "students": pl.Int64,
    "qualifying": pl.Int64,
    "base_amount": pl.Int64,
    "incentive_amount": pl.Int64,
    "amount": pl.Int64,
}


def allocate(
    con: duckdb.DuckDBPyConnection, rule: Rule, earlier: list[Rule], methodology: Methodology
) -> None:
    """Make the tables of ``sql/4_funding/`` for the rule in force, and ``funding_totals``.

    Reads students, specialties, colleges, gates and ranking. ``funding_totals`` has one row per
    version of the rule, so that the round's cost under the old norm stands beside its cost under
    the new one; amounts in tenge per year. Raises CallError when the rule and the methodology or
    the reference tables do not fit together.
    """
    steps = read_selects(con, "4_funding")
    totals = []
    for version in [*earlier, rule]:  # the one in force last: its tables are the round's
        check_fit(con, version, methodology)
        load_rule_parameters(con, version)
        run_selects(con, steps)
        [sums] = con.execute(
            "SELECT CAST(coalesce(sum(students), 0) AS BIGINT),"
            " count(*) FILTER (WHERE share > 0),"
            " CAST(coalesce(sum(base_amount), 0) AS BIGINT),"
            " CAST(coalesce(sum(incentive_amount), 0) AS BIGINT),"
            " CAST(coalesce(sum(amount), 0) AS BIGINT) FROM funding"
        ).fetchall()
        norms = (version.base.value, version.full.value)
        totals.append((version.name, version.start, version is rule, *norms, *sums))
    put_table(con, "funding_totals", pl.DataFrame(totals, schema=TOTALS_SCHEMA, orient="row"))


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
            expected=", ".join(sorted(gates)) or "no gate",
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


def load_rule_parameters(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Make ``param_norm``, ``param_coefficient``, ``param_eligible``, ``param_rule_gate`` and
    ``param_share``.
    """
    norm = {
        "mode": rule.mode,
        "base": rule.base.value,
        "full": rule.full.value,
        "calibrate": rule.calibrate.value,
        "pays_academic_leave": rule.pays_academic_leave.value,
    }
    put_table(con, "param_norm", pl.DataFrame([norm]))
    put_table(
        con,
        "param_coefficient",
        pl.DataFrame(
            [(entry.attribute, entry.value, entry.coefficient) for entry in rule.coefficients],
            schema={
                "attribute": pl.String,
                "value": pl.String,
                "coefficient": pl.Decimal(9, 4),
            },
            orient="row",
        ),
    )
    sources = [("funding_source", value) for value in rule.funding_sources.value]
    forms = [("study_form", value) for value in rule.study_forms.value]
    put_table(
        con,
        "param_eligible",
        pl.DataFrame(
            sources + forms, schema={"attribute": pl.String, "value": pl.String}, orient="row"
        ),
    )
    put_table(
        con,
        "param_rule_gate",
        pl.DataFrame({"gate": rule.gates.value}, schema={"gate": pl.String}),
    )
    put_table(
        con,
        "param_share",
        pl.DataFrame(
            [(entry.league, entry.share) for entry in rule.shares],
            schema={"league": pl.Int64, "share": pl.Decimal(9, 6)},
            orient="row",
        ),
    )
