"""Doubt to flip: how few records in doubt would reverse each decision about money, and the tenge
that hang on them.

``sql/6_doubts/`` counts; here is what SQL cannot say: what one record moves in each KPI, told by
the KPI's own SELECT and not written again, and the share that a unit would have by the other
decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl

from funding.rule import Rule
from kpi.methodology import Methodology
from kpi.pipeline import Select, get_table, put_table, rows_of, run_selects
from kpi.ranking import assign_leagues
from kpi.rounds import Round
from kpi.uncertainty import cell_kpis

KINDS = ("declared_work", "declared_exclusion", "unknown", "excluded", "rejected", "together")
"""The kinds of records in doubt, as ``sql/6_doubts/`` defines them."""

FEW = 3
"""Records that a decision hangs on at most, where it is said to hang on few."""

FLAGS = (
    "dual",
    "claims_work",
    "is_employed",
    "is_excluded",
    "is_studying",
    "declared_employed",
    "declared_excluded",
    "is_unknown",
    "is_in_specialty",
    "is_certified",
)
"""What ``cohort_cells`` say of a graduate."""

_AFTER = {
    "claims_work": pl.col("then_works"),
    "is_employed": pl.col("then_works"),
    "is_excluded": pl.col("then_excluded"),
    "is_studying": pl.col("then_studying"),
    "declared_employed": pl.col("then_works"),
    "declared_excluded": pl.col("then_excluded"),
    "is_unknown": pl.lit(False),
    "is_in_specialty": pl.col("then_in_specialty"),
}
"""What the flags say once the truth is known: nothing is declared only, nothing unknown."""

_UNMOVED = ("dual", "is_certified")
_TURNS = "doubt_turns"


def find_doubts(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    methodology: Methodology,
    kpis: Sequence[Select],
    selects: Sequence[Select],
) -> None:
    """Make the tables of ``sql/6_doubts/`` for the rule in force, after it was applied.

    ``kpis``: the SELECTs of the methodology's KPIs; ``selects``: those of ``sql/6_doubts/``, none
    for a round whose SQL is older.
    """
    if not selects:
        return
    asked = decision_gates(rule, methodology)
    put_table(con, "param_decision_gate", rows_of([(gate,) for gate in asked], gate=pl.String))
    run_selects(con, [select for select in selects if select.table == _TURNS])
    moves = moves_of(get_table(con, _TURNS), kpis, methodology)
    put_table(con, "doubt_moves", moves)
    put_table(con, "reversed_shares", reversed_shares(con, rule, methodology, asked))
    run_selects(con, [select for select in selects if select.table != _TURNS])


def decision_gates(rule: Rule, methodology: Methodology) -> list[str]:
    """Return the gates that the money hangs on: those that the rule asks for, or with leagues those
    of league 1.
    """
    if rule.mode == "threshold":
        return list(rule.gates.value)
    return list(methodology.leagues[0].gates) if methodology.leagues else []


def moves_of(turns: pl.DataFrame, kpis: Sequence[Select], methodology: Methodology) -> pl.DataFrame:
    """Return what a record in doubt would move in each outcome share that reads the flags alone.

    ``turns``: the table ``doubt_turns``. One row per kind of graduate (FLAGS), doubt, truth and
    KPI: ``numerator_move`` and ``denominator_move``, by how much one graduate's counts would
    change.
    """
    then = {**_AFTER, **{flag: pl.col(flag) for flag in _UNMOVED}}
    both = turns.with_columns(**{f"then_{flag}": then[flag] for flag in FLAGS})
    thens = {flag: f"then_{flag}" for flag in FLAGS}
    later = both.select(pl.col(new).alias(flag) for flag, new in thens.items())
    cells = pl.concat([both.select(FLAGS), later])
    counts = _counts_of(cells.unique(), kpis, methodology)
    renamed = {one: f"then_{one}" for one in (*FLAGS, "numerator", "denominator")}
    joined = (
        both.join(counts.select("kpi").unique(), how="cross")
        .join(counts, on=["kpi", *FLAGS], how="left")
        .join(counts.rename(renamed), on=["kpi", *thens.values()], how="left")
        .with_columns(pl.col("^(then_)?(numerator|denominator)$").fill_null(0))
    )
    return joined.select(
        *FLAGS,
        "doubt",
        "truth",
        "kpi",
        numerator_move=pl.col("then_numerator") - pl.col("numerator"),
        denominator_move=pl.col("then_denominator") - pl.col("denominator"),
    ).sort(*FLAGS, "doubt", "truth", "kpi")


def _counts_of(
    cells: pl.DataFrame, kpis: Sequence[Select], methodology: Methodology
) -> pl.DataFrame:
    """Return what one graduate of each cell counts for, by the KPIs' own SELECTs: FLAGS, kpi,
    numerator, denominator. The cells stand in a database of their own: some are only thought of.
    """
    with duckdb.connect() as con:
        one_each = cells.with_columns(college_id=pl.lit("one"), graduates=1)
        put_table(con, "cohort_cells", one_each)
        counts = cell_kpis(con, kpis, methodology)
    return counts.with_columns(pl.col("numerator", "denominator").cast(pl.Decimal(18, 4)))


def reversed_shares(
    con: duckdb.DuckDBPyConnection, rule: Rule, methodology: Methodology, asked: Sequence[str]
) -> pl.DataFrame:
    """Return the share of the incentive that each paid unit would have by the other decision, all
    others staying as they are: college_id, share.

    By gates: none for a unit that passes, all of it for one that fails; with a phase-in that is the
    most that can hang on it. By leagues: the share of the league in which it would be then.
    """
    passed = _gates_passed(con)
    [paid] = con.sql("SELECT college_id FROM unit_shares ORDER BY ALL").pl().get_columns()
    if rule.mode == "threshold":
        shares = [(one, Decimal(not passed.get(one, set()) >= set(asked))) for one in paid]
    else:
        leagues = _reversed_leagues(con, methodology, passed, set(asked))
        of_league = {entry.league: entry.share for entry in rule.shares}
        shares = [(one, of_league.get(leagues.get(one, 0), Decimal(0))) for one in paid]
    return rows_of(shares, college_id=pl.String, share=pl.Decimal(9, 6))


def _gates_passed(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    rows = con.execute("SELECT college_id, gate FROM gates WHERE passed").fetchall()
    passed: dict[str, set[str]] = {}
    for college_id, gate in rows:
        passed.setdefault(college_id, set()).add(gate)
    return passed


def _reversed_leagues(
    con: duckdb.DuckDBPyConnection,
    methodology: Methodology,
    passed: dict[str, set[str]],
    asked: set[str],
) -> dict[str, int]:
    """Return the league of each ranked unit if its decision alone were the other one."""
    ranked = con.sql(
        "SELECT college_id, rank, tie_size FROM ranking WHERE rank IS NOT NULL"
        " ORDER BY rank, college_id"
    ).pl()
    rows: list[dict[str, Any]] = [*ranked.iter_rows(named=True)]
    for row in rows:
        row["gates_passed"] = passed.get(row["college_id"], set())
    leagues = {}
    for own in rows:
        now = own["gates_passed"]
        own["gates_passed"] = now - asked if now >= asked else now | asked
        assign_leagues(rows, methodology.leagues)
        leagues[own["college_id"]] = own["league"]
        own["gates_passed"] = now
        for row in rows:
            row.pop("league", None)
    return leagues


# --------------------------------------------------------------------------------- what is read


def in_doubt(
    doubts: pl.DataFrame,
    gates: pl.DataFrame,
    profile: pl.DataFrame,
    *,
    region: str | None = None,
    kind: str | None = None,
    passes: bool | None = None,
) -> pl.DataFrame:
    """Return one row per decision about money that records in doubt reverse, in the order in which
    inspectors go: the most tenge for each record that would have to turn out otherwise.

    ``doubts``, ``gates``, ``profile``: the tables ``decision_doubts``, ``gates``, ``unit_profile``.
    Of each decision, the kind of record that reverses it with the fewest, or ``kind`` where it is
    given. Columns: those of ``decision_doubts``, of the profile names and region, of the gate
    numerator, denominator and threshold (empty where several gates fail). Decisions without tenge
    are left out.
    """
    wanted = [pl.col("tenge_at_risk") > 0]
    wanted += [pl.col("place") == 1 if kind is None else pl.col("doubt") == kind]
    wanted += [pl.col("region") == region] if region is not None else []
    wanted += [pl.col("passes") == passes] if passes is not None else []
    named = profile.select("college_id", "name_kk", "name_ru", "name_en", "region")
    whole = pl.col("numerator", "denominator").cast(pl.Int64)
    counts = gates.select("college_id", "gate", whole, "threshold")
    return (
        doubts.drop("suppressed", strict=False)
        .join(named, on="college_id", how="left")
        .join(counts, on=["college_id", "gate"], how="left")
        .filter(*wanted)
        .sort("tenge_per_record", "needed", "college_id", descending=[True, False, False])
    )


@dataclass(frozen=True)
class Hanging:
    """Decisions that hang on few records: how many, and tenge per year."""

    decisions: int
    tenge: int


def hanging(decisions: pl.DataFrame, most: int = FEW) -> Hanging:
    """Return the decisions of ``in_doubt`` that ``most`` records or fewer reverse."""
    few = decisions.filter(pl.col("needed") <= most)
    return Hanging(few.height, int(few["tenge_at_risk"].sum()))


def by_kind(doubts: pl.DataFrame) -> pl.DataFrame:
    """Return one row per kind of record, in the order of KINDS: ``decisions`` that records of the
    kind alone reverse, their ``tenge``, and ``few``: those of them that FEW records at most
    reverse.
    """
    is_few = pl.col("needed") <= FEW
    counted = (
        doubts.filter(pl.col("tenge_at_risk") > 0)
        .group_by("doubt")
        .agg(
            decisions=pl.len().cast(pl.Int64),
            tenge=pl.col("tenge_at_risk").sum(),
            few=is_few.sum().cast(pl.Int64),
        )
    )
    order = pl.col("doubt").cast(pl.Enum(KINDS))
    return counted.sort(order)


def waived_rows(of_round: Round) -> int:
    """Return how many rejected rows stand in a round by waiver; 0 in a draft, which has none."""
    if of_round.is_draft:
        return 0
    errors = of_round.findings().filter(pl.col("severity") == "error")
    return errors.select("table_name", "file", "record").unique().height
