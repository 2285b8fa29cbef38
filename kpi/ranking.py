"""From scores to ranks, leagues, leaders and levels (DESIGN §5 "Rank", "Leagues", "Leaders")."""

from collections import Counter
from collections.abc import Callable, Hashable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from kpi.index import Scores, indicator_codes, published, score_array, treatment_report
from kpi.methodology import League, Methodology

Unit = dict[str, Any]
"""One row of ``ranking`` in the making."""

SCORE_SCHEMA: dict[str, Any] = {
    "college_id": pl.String,
    "code": pl.String,
    "normalised": pl.Float64,
    "weight": pl.Float64,
    "contribution": pl.Float64,
    "at_floor": pl.Boolean,
    "at_target": pl.Boolean,
}
RANKING_SCHEMA: dict[str, Any] = {
    "college_id": pl.String,
    "score": pl.Decimal(18, 2),
    "rank": pl.Int64,
    "tie_size": pl.Int64,
    "tie_broken_by": pl.String,
    "ranked_of": pl.Int64,
    "region_rank": pl.Int64,
    "cluster_rank": pl.Int64,
    "league": pl.Int64,
    "leader": pl.String,
    "not_ranked_reason": pl.String,
    "kind_rank": pl.Int64,
    "region_ranked_of": pl.Int64,
    "cluster_ranked_of": pl.Int64,
    "kind_ranked_of": pl.Int64,
    "share_of_best": pl.Decimal(9, 6),
    "level": pl.String,
}
INTERVALS: dict[str, Any] = {
    "rank_low": pl.Int64,
    "rank_high": pl.Int64,
    "ahead_of_next": pl.Decimal(9, 6),
    "band_low": pl.Int64,
    "band_high": pl.Int64,
    "league_chance": pl.Decimal(9, 6),
}
"""What draws add to ``ranking`` (``kpi.uncertainty``)."""


def with_interval_columns(ranking: pl.DataFrame) -> pl.DataFrame:
    """Return ``ranking`` with columns for its intervals: empty in a round of before there were any,
    and in a scenario.
    """
    missing = [
        pl.lit(None, kind).alias(name)
        for name, kind in INTERVALS.items()
        if name not in ranking.columns
    ]
    return ranking.with_columns(missing)


FRAMEWORK_SCHEMA: dict[str, Any] = {
    "code": pl.String,
    "parent": pl.String,
    "level": pl.Int64,
    "direction": pl.Int64,
    "weight": pl.Decimal(18, 6),
    "normalise": pl.String,
    "floor": pl.Decimal(18, 6),
    "target": pl.Decimal(18, 6),
    "aggregate": pl.String,
    "missing": pl.String,
}
FRAMEWORK_OPTIONS: dict[str, Any] = {
    "mean": pl.Decimal(18, 6),
    "deviation": pl.Decimal(18, 6),
    "capped": pl.Boolean,
    "treat": pl.String,
}


def framework_of(methodology: Methodology) -> pl.DataFrame:
    """Return a methodology's framework as the table that ``kpi.index`` reads, with ``level``:
    1 for KPIs, rising to the index. A column of ``FRAMEWORK_OPTIONS`` is there only where a KPI
    states it: rounds without stay what they were.
    """
    groups = [
        {
            "code": group.code,
            "parent": group.parent,
            "direction": None,
            "weight": group.weight,
            "normalise": None,
            "floor": None,
            "target": None,
            "aggregate": group.aggregate,
            "missing": group.missing,
        }
        for group in methodology.groups
    ]
    kpis = [
        {"code": kpi.code, **kpi.score.model_dump(), "aggregate": None}
        for kpi in methodology.kpis
        if kpi.score
    ]
    rows = [{**row, "level": _level(methodology, row["code"])} for row in groups + kpis]
    options = {
        name: of
        for name, of in FRAMEWORK_OPTIONS.items()
        if any(row.get(name) is not None for row in rows)
    }
    schema = FRAMEWORK_SCHEMA | options
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _level(methodology: Methodology, code: str) -> int:
    below = [_level(methodology, child) for child, _ in methodology.children(code)]
    return 1 + max(below, default=0)


def rank_units(
    units: pl.DataFrame, kpi_values: pl.DataFrame, gates: pl.DataFrame, methodology: Methodology
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the tables ``kpi_scores`` and ``ranking``; arguments as for ``ranking_of``."""
    ranked, kept, scores, ranking = _ranked(units, kpi_values, gates, methodology)
    return _score_rows(ranked, kept, scores), ranking


def ranking_of(
    units: pl.DataFrame, kpi_values: pl.DataFrame, gates: pl.DataFrame, methodology: Methodology
) -> pl.DataFrame:
    """Return the table ``ranking``.

    ``units``: college_id, region, kind, cluster, status, students (one row per unit);
    ``kpi_values``: college_id, kpi, numerator, denominator, value, status; ``gates``: college_id,
    gate, passed. A unit that cannot be ranked has a reason instead of a rank.
    """
    return _ranked(units, kpi_values, gates, methodology)[-1]


def treatment_of(
    kpi_values: pl.DataFrame, ranking: pl.DataFrame, methodology: Methodology
) -> pl.DataFrame:
    """Return the table ``treatment``: the values that were treated as outliers before they were
    normalised (``kpi.index.treatment_report``). No row where the methodology treats none.
    """
    framework = framework_of(methodology)
    was_scored = pl.col("not_ranked_reason").is_null() | (pl.col("not_ranked_reason") == "no_score")
    scored = ranking.filter(was_scored).select("college_id").sort("college_id")
    values = [
        scored.join(
            kpi_values.filter(pl.col("kpi") == code, pl.col("status") == "ok"),
            on="college_id",
            how="left",
            maintain_order="left",
        )["value"]
        .cast(pl.Float64)
        .fill_null(float("nan"))
        .to_numpy()
        for code in indicator_codes(framework)
    ]
    report = treatment_report(scored["college_id"], np.stack(values, axis=1), framework)
    return report.rename({"unit": "college_id"})


def _ranked(
    units: pl.DataFrame, kpi_values: pl.DataFrame, gates: pl.DataFrame, methodology: Methodology
) -> tuple[list[Unit], list[int], Scores, pl.DataFrame]:
    """Return the units that could be scored, the places of those that were, their scores, and the
    table ``ranking`` of all units.
    """
    framework = framework_of(methodology)
    codes = indicator_codes(framework)
    stated = {kpi.code: kpi for kpi in methodology.kpis}
    facts = {}
    needed = kpi_values.filter(pl.col("kpi").is_in([*codes, *methodology.tie_chain.value]))
    columns = ("college_id", "kpi", "numerator", "denominator", "value", "status")
    for fact in needed.select(columns).iter_rows(named=True):
        fact["stated"] = stated.get(fact["kpi"])
        facts[fact["college_id"], fact["kpi"]] = fact
    known = units.select("college_id", "region", "kind", "cluster", "status", "students")
    rows = [dict(row) for row in known.sort("college_id").iter_rows(named=True)]
    for row in rows:
        row["not_ranked_reason"] = _reason_not_ranked(row, facts, methodology)
    ranked = [row for row in rows if row["not_ranked_reason"] is None]
    values = np.array(
        [[_value(facts[row["college_id"], code]) for code in codes] for row in ranked], dtype=float
    ).reshape(len(ranked), len(codes))
    scores = score_array(values, framework)
    for place, row in enumerate(ranked):
        if np.isnan(scores.index[place]):
            row["not_ranked_reason"] = "no_score"
    kept = [place for place, row in enumerate(ranked) if row["not_ranked_reason"] is None]
    for place, hundredths in zip(kept, published(scores.index[kept]), strict=True):
        ranked[place]["score"] = Decimal(int(hundredths)).scaleb(-2)
    ordered = place_in_order([ranked[place] for place in kept], facts, methodology.tie_chain.value)
    _rank_within(ordered)
    passed = _gates_passed(gates)
    for row in ordered:
        row["gates_passed"] = passed.get(row["college_id"], set())
    assign_leagues(ordered, methodology.leagues)
    _name_leaders(ordered)
    _find_levels(ordered, methodology)
    table = [{name: row.get(name) for name in RANKING_SCHEMA} for row in rows]
    return ranked, kept, scores, pl.DataFrame(table, schema=RANKING_SCHEMA)


def _value(fact: dict[str, Any]) -> float:
    """The value that enters the score: NaN unless the status is ok."""
    return float(fact["value"]) if fact["status"] == "ok" else float("nan")


def _reason_not_ranked(
    row: Unit, facts: dict[tuple[str, str], dict[str, Any]], methodology: Methodology
) -> str | None:
    """Return why a unit is not ranked: its status, too few students, or the KPI that it lacks."""
    if row["status"] != "active":
        return str(row["status"])
    if row["students"] < methodology.min_students.value:
        return "few_students"
    for kpi in methodology.kpis:
        needed = kpi.score is not None and kpi.score.missing == "not_ranked"
        if needed and facts[row["college_id"], kpi.code]["status"] != "ok":
            return kpi.code
    return None


def place_in_order(
    rows: list[Unit], facts: dict[tuple[str, str], dict[str, Any]], chain: list[str]
) -> list[Unit]:
    """Return the rows in order, each with ``rank``, ``tie_size``, ``tie_broken_by``, ``ranked_of``.

    Standard competition ranking (1, 2, 2, 4) on ``score``, then on the exact values of the chain's
    KPIs (the better value first, missing last), then shared. ``tie_broken_by`` is the last KPI of
    the chain that was needed to tell the unit from another of the same score.
    """
    tied = Counter(row["score"] for row in rows)
    for row in rows:
        needed = chain if tied[row["score"]] > 1 else []  # exact values are slow to make
        exact = [_exact(facts[row["college_id"], kpi]) for kpi in needed]
        row["order"] = (-row["score"], *[(0, -v) if v is not None else (1, 0) for v in exact])
    rows = sorted(rows, key=lambda row: (row["order"], row["college_id"]))
    _competition_ranks(rows, "rank", lambda row: row["order"])
    sharing = Counter(row["rank"] for row in rows)
    for row in rows:
        row["ranked_of"] = len(rows)
        row["tie_size"] = sharing[row["rank"]]
        row["tie_broken_by"] = None
    for first, second in pairwise(rows):
        if first["score"] == second["score"] and first["order"] != second["order"]:
            differs = [a != b for a, b in zip(first["order"][1:], second["order"][1:], strict=True)]
            for row in (first, second):
                row["needed"] = max(row.get("needed", 0), differs.index(True) + 1)
    _share_needed(rows, chain)
    return rows


def _share_needed(rows: list[Unit], chain: list[str]) -> None:
    """Name the KPI that broke each tie; units that share a rank share it."""
    deepest: dict[int, int] = {}
    for row in rows:
        deepest[row["rank"]] = max(deepest.get(row["rank"], 0), row.get("needed", 0))
    for row in rows:
        if deepest[row["rank"]]:
            row["tie_broken_by"] = chain[deepest[row["rank"]] - 1]


def _exact(fact: dict[str, Any]) -> Fraction | None:
    """Return a KPI's exact value, larger is better, or None where it is missing."""
    if fact["status"] != "ok":
        return None
    kpi = fact.get("stated")
    is_median = kpi is not None and kpi.kind == "median"
    value = Fraction(fact["numerator"]) / (1 if is_median else Fraction(fact["denominator"]))
    is_worse_when_high = kpi is not None and kpi.score is not None and kpi.score.direction == -1
    return -value if is_worse_when_high else value


def _competition_ranks(rows: list[Unit], name: str, key: Callable[[Unit], Hashable]) -> None:
    """Number rows that stand in order 1, 2, 2, 4: equal keys share the first place."""
    for place, row in enumerate(rows, start=1):
        same = place > 1 and key(rows[place - 2]) == key(row)
        row[name] = rows[place - 2][name] if same else place


def _rank_within(rows: list[Unit]) -> None:
    """Rank the units, which stand in order, within their region, cluster and kind too."""
    for attribute in ("region", "cluster", "kind"):
        members: dict[str, list[Unit]] = {}
        for row in rows:
            if row[attribute] is not None:
                members.setdefault(row[attribute], []).append(row)
        for group in members.values():
            _competition_ranks(group, f"{attribute}_rank", lambda row: row["rank"])
            for row in group:
                row[f"{attribute}_ranked_of"] = len(group)


def _gates_passed(gates: pl.DataFrame) -> dict[str, set[str]]:
    passed: dict[str, set[str]] = {}
    for row in gates.filter(pl.col("passed")).iter_rows(named=True):
        passed.setdefault(row["college_id"], set()).add(row["gate"])
    return passed


def assign_leagues(rows: list[Unit], leagues: list[League]) -> None:
    """Give each ranked row its ``league``. ``rows`` stand in order, with rank and gates_passed.

    A league takes, of those not yet in one, the first ``max_count`` that pass its gates, or those
    up to ``max_rank`` that do. Units that share the rank at its edge all enter (tie_at_edge
    include) or none of them does (exclude).
    """
    for league in leagues:
        entitled = [
            row for row in rows if "league" not in row and row["gates_passed"] >= set(league.gates)
        ]
        for row in _inside(entitled, league):
            row["league"] = league.league


def _inside(entitled: list[Unit], league: League) -> list[Unit]:
    if league.max_rank is not None:
        last = 0 if league.tie_at_edge == "include" else 1
        return [
            row for row in entitled if row["rank"] + last * (row["tie_size"] - 1) <= league.max_rank
        ]
    if league.max_count is None or len(entitled) <= league.max_count:
        return entitled
    edge, beyond = entitled[league.max_count - 1]["rank"], entitled[league.max_count]["rank"]
    if edge != beyond or league.tie_at_edge == "include":
        return [row for row in entitled if row["rank"] <= edge]
    return [row for row in entitled if row["rank"] < edge]


def _name_leaders(rows: list[Unit]) -> None:
    """Mark the technological leaders: league 1, and the first of each cluster in each region."""
    best: dict[tuple[str, str], int] = {}
    for row in rows:
        best.setdefault((row["region"], row["cluster"]), row["rank"])
    for row in rows:
        if row.get("league") == 1:
            row["leader"] = "league_1"
        elif row["cluster"] and best[row["region"], row["cluster"]] == row["rank"]:
            row["leader"] = "cluster_in_region"


def _find_levels(rows: list[Unit], methodology: Methodology) -> None:
    """Give each row its share of the best score, and the level that the share reaches, compared
    exactly.
    """
    best = max((row["score"] for row in rows), default=Decimal(0))
    if best <= 0:
        return
    for row in rows:
        row["share_of_best"] = (row["score"] / best).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        reached = [lv.code for lv in methodology.levels if row["score"] >= lv.min_share * best]
        row["level"] = reached[0] if reached else None


def _score_rows(ranked: list[Unit], kept: list[int], scores: Scores) -> pl.DataFrame:
    """Return ``kpi_scores``: one row per ranked unit and node of the framework."""
    ids = [ranked[place]["college_id"] for place in kept]
    frames = [
        pl.DataFrame(
            {
                "college_id": ids,
                "code": [code] * len(ids),
                "normalised": scores.normalised[code][kept],
                "weight": scores.weight[code][kept],
                "contribution": scores.contribution[code][kept],
                "at_floor": scores.at_floor[code][kept] if code in scores.at_floor else None,
                "at_target": scores.at_target[code][kept] if code in scores.at_target else None,
            },
            schema=SCORE_SCHEMA,
            nan_to_null=True,
        )
        for code in scores.weight
    ]
    return pl.concat(frames).sort("college_id", "code")
