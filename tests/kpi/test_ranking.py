"""Ranks, ties, leagues, leaders and levels, on small frames built by hand."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi.index import score_array
from kpi.methodology import League, Methodology
from kpi.ranking import (
    RANKING_SCHEMA,
    SCORE_SCHEMA,
    assign_leagues,
    framework_of,
    place_in_order,
    rank_units,
    treatment_of,
)

STATED = {"reference": "test", "status": "illustrative"}
NAMES = {"kk": "Аты", "ru": "Имя", "en": "Name"}
CHAIN = ["jobs", "dual", "courses"]

Fact = tuple[int | Decimal, int | Decimal] | str
"""A KPI of a unit: numerator and denominator, or the status that makes it missing."""


def stated(value: Any) -> dict[str, Any]:
    return {"value": value, **STATED}


def league(number: int, **other: Any) -> dict[str, Any]:
    return {"league": number, "name": NAMES, "tie_at_edge": "include", **STATED, **other}


def scored(code: str, parent: str = "index", **other: Any) -> dict[str, Any]:
    """A KPI whose points enter the sum of the index as they are."""
    how = {"parent": parent, "weight": Decimal(1), "normalise": "none", "missing": "reweight"}
    return {**shown(code), "kind": "points", "score": {**how, **other}}


def shown(code: str) -> dict[str, Any]:
    fixed = {"code": code, "name": NAMES, "kind": "outcome_share", "min_denominator": 1}
    return {**fixed, **STATED}


def index_group(aggregate: str = "sum", **other: Any) -> dict[str, Any]:
    return {"code": "index", "name": NAMES, "aggregate": aggregate, **STATED, **other}


def methodology(**other: Any) -> Methodology:
    """One scored KPI, ``points``, and a tie chain of three that only tell ties apart."""
    content = {
        "name": "test",
        "start": dt.date(2024, 9, 1),
        "title": NAMES,
        **STATED,
        "unit": stated("legal_entity"),
        "min_students": stated(25),
        "dates": dict.fromkeys(
            ("count_on", "kpi_on", "observed_on", "cohort_from", "cohort_to"), "10-01"
        )
        | STATED,
        "sources": [],
        "groups": [index_group()],
        "kpis": [scored("points"), *(shown(code) for code in CHAIN)],
        "gates": [],
        "leagues": [league(1)],
        "tie_chain": stated(CHAIN),
    }
    return Methodology.model_validate({**content, **other})


def unit(college_id: str, **other: Any) -> dict[str, Any]:
    fixed = {"region": "KZ-75", "kind": "college", "cluster": "it", "status": "active"}
    return {"college_id": college_id, **fixed, "students": 100, **other}


def points(value: str | int) -> Fact:
    return (Decimal(value), 1)


UNITS = {
    "college_id": pl.String,
    "region": pl.String,
    "kind": pl.String,
    "cluster": pl.String,
    "status": pl.String,
    "students": pl.Int64,
}
VALUES = {
    "college_id": pl.String,
    "kpi": pl.String,
    "numerator": pl.Decimal(18, 4),
    "denominator": pl.Decimal(18, 4),
    "value": pl.Float64,
    "status": pl.String,
}
GATES = {"college_id": pl.String, "gate": pl.String, "passed": pl.Boolean}


def value_rows(facts: dict[str, dict[str, Fact]]) -> Iterable[dict[str, Any]]:
    for college_id, kpis in facts.items():
        for code, fact in {**dict.fromkeys(CHAIN, "no_data"), **kpis}.items():
            row = {"college_id": college_id, "kpi": code}
            if isinstance(fact, str):
                # A KPI that is not counted has counts all the same, 1 of 1; no_data has none.
                few, value = (0, None) if fact == "no_data" else (1, 1.0)
                yield {**row, "numerator": few, "denominator": few, "value": value, "status": fact}
            else:
                top, bottom = Decimal(fact[0]), Decimal(fact[1])
                value = float(top) / float(bottom)
                counts = {"numerator": top, "denominator": bottom, "value": value}
                yield {**row, **counts, "status": "ok"}


def frames(
    units: list[dict[str, Any]],
    facts: dict[str, dict[str, Fact]],
    passed: dict[str, list[str]] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The three inputs of ``rank_units``; ``passed`` names the gates that a unit passes."""
    gates = [
        {"college_id": one["college_id"], "gate": gate, "passed": gate in theirs}
        for one in units
        for theirs in [(passed or {}).get(one["college_id"], [])]
        for gate in CHAIN
    ]
    return (
        pl.DataFrame(units, schema=UNITS),
        pl.DataFrame(list(value_rows(facts)), schema=VALUES),
        pl.DataFrame(gates, schema=GATES),
    )


def ranking_of(
    units: list[dict[str, Any]],
    facts: dict[str, dict[str, Fact]],
    passed: dict[str, list[str]] | None = None,
    **other: Any,
) -> dict[str, dict[str, Any]]:
    """The table ``ranking`` as rows by college."""
    _, table = rank_units(*frames(units, facts, passed), methodology(**other))
    assert table.schema == pl.Schema(RANKING_SCHEMA)
    assert table["college_id"].to_list() == sorted(one["college_id"] for one in units)
    return {row["college_id"]: row for row in table.iter_rows(named=True)}


def column(table: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    return {college_id: row[name] for college_id, row in table.items()}


def ranking_of_points(by_college: dict[str, Any], **other: Any) -> dict[str, dict[str, Any]]:
    facts = {college_id: {"points": points(value)} for college_id, value in by_college.items()}
    return ranking_of([unit(college_id) for college_id in by_college], facts, **other)


# The score


def test_the_score_is_the_index_in_hundredths_half_up():
    table = ranking_of_points({"A": "62.125", "B": "63.425", "C": "76.125", "D": "0.005"})
    assert column(table, "score") == {
        "A": Decimal("62.13"),
        "B": Decimal("63.43"),
        "C": Decimal("76.13"),
        "D": Decimal("0.01"),
    }


def test_the_scores_table_has_a_row_for_each_ranked_unit_and_node():
    inputs = frames(
        [unit("B"), unit("A"), unit("C", students=24)],
        {
            "A": {"points": points(30), "extra": "no_data"},
            "B": {"points": points(20), "extra": (1, 2)},
            "C": {"points": points(99), "extra": (1, 2)},
        },
    )
    extra = scored("extra", normalise="goalposts", floor=Decimal(0), target=Decimal("0.25"))
    kpis = [scored("points"), extra, *(shown(code) for code in CHAIN)]
    scores, _ = rank_units(*inputs, methodology(kpis=kpis))
    assert scores.schema == pl.Schema(SCORE_SCHEMA)
    # B has twice the target of `extra`: clamped at 100; A lacks it: no points, no weight.
    assert scores.rows() == [
        ("A", "extra", None, 0.0, 0.0, False, False),
        ("A", "index", 30.0, 1.0, 30.0, None, None),
        ("A", "points", 30.0, 1.0, 30.0, None, None),
        ("B", "extra", 100.0, 1.0, 100.0, False, True),
        ("B", "index", 120.0, 1.0, 120.0, None, None),
        ("B", "points", 20.0, 1.0, 20.0, None, None),
    ]


# Ranks and ties


def test_equal_units_share_a_rank_and_the_next_rank_is_skipped():
    table = ranking_of_points({"A": 50, "B": 90, "C": 70, "D": 70})
    assert column(table, "rank") == {"B": 1, "C": 2, "D": 2, "A": 4}
    assert column(table, "tie_size") == {"B": 1, "C": 2, "D": 2, "A": 1}
    assert set(column(table, "tie_broken_by").values()) == {None}
    assert set(column(table, "ranked_of").values()) == {4}


def test_scores_are_compared_as_published_to_the_hundredth():
    # 70.004 and 69.996 are both 70.00; 69.994 is 69.99.
    table = ranking_of_points({"A": "69.996", "B": "70.004", "C": "69.994"})
    assert column(table, "rank") == {"A": 1, "B": 1, "C": 3}


def of_one_score(**facts: dict[str, Fact]) -> dict[str, dict[str, Any]]:
    """Rank units that all have the score 50, told apart by the tie chain only."""
    units = [unit(college_id) for college_id in facts]
    return ranking_of(units, {key: {"points": points(50), **kpis} for key, kpis in facts.items()})


def test_the_tie_chain_compares_exact_fractions():
    # 1 / 3 > 33333 / 100000; 12 / 36 is 1 / 3 again.
    table = of_one_score(A={"jobs": (33333, 100000)}, B={"jobs": (1, 3)}, C={"jobs": (12, 36)})
    assert column(table, "rank") == {"B": 1, "C": 1, "A": 3}
    assert column(table, "tie_broken_by") == dict.fromkeys("ABC", "jobs")


def test_the_tie_chain_tells_fractions_apart_that_floats_cannot():
    # n / (n + 1) < (n + 1) / (n + 2), by 1e-18: one float.
    n = 10**9
    assert n / (n + 1) == (n + 1) / (n + 2)
    table = of_one_score(A={"jobs": (n, n + 1)}, B={"jobs": (n + 1, n + 2)})
    assert column(table, "rank") == {"B": 1, "A": 2}


def test_the_tie_chain_is_read_from_its_beginning():
    # A is better in dual and courses, B in jobs, which comes first.
    table = of_one_score(
        A={"jobs": (7, 10), "dual": (9, 10), "courses": (9, 10)},
        B={"jobs": (8, 10), "dual": (1, 10), "courses": (1, 10)},
    )
    assert column(table, "rank") == {"B": 1, "A": 2}


@pytest.mark.parametrize("missing", ["no_data", "small_cohort", "not_applicable"])
def test_a_missing_value_of_the_tie_chain_comes_last_even_behind_zero(missing):
    table = of_one_score(A={"jobs": missing}, B={"jobs": (0, 10)}, C={"jobs": (1, 10)})
    assert column(table, "rank") == {"C": 1, "B": 2, "A": 3}


def test_units_that_both_miss_a_value_of_the_chain_are_told_apart_by_the_next():
    table = of_one_score(A={"dual": (1, 4)}, B={"dual": (1, 2)}, C={"jobs": (0, 5)})
    assert column(table, "rank") == {"C": 1, "B": 2, "A": 3}
    # C differs from both in jobs; A and B needed dual.
    assert column(table, "tie_broken_by") == {"C": "jobs", "B": "dual", "A": "dual"}


def test_units_that_the_whole_chain_cannot_tell_apart_share_the_rank():
    same = {"jobs": (3, 4), "dual": (1, 2)}
    table = of_one_score(A=same, B={"jobs": (6, 8), "dual": (5, 10)})
    assert column(table, "rank") == {"A": 1, "B": 1}
    assert column(table, "tie_broken_by") == {"A": None, "B": None}


def test_an_empty_tie_chain_shares_every_tie():
    facts = {"A": {"points": points(5), "jobs": (1, 2)}, "B": {"points": points(5)}}
    table = ranking_of([unit("A"), unit("B")], facts, tie_chain=stated([]))
    assert column(table, "rank") == {"A": 1, "B": 1}


def test_of_three_in_a_tie_two_stay_shared_and_the_breaker_is_named_on_all_three():
    table = of_one_score(
        A={"jobs": (1, 2), "dual": (1, 4)},
        B={"jobs": (1, 2), "dual": (3, 4)},
        C={"jobs": (1, 2), "dual": (1, 4)},
    )
    assert column(table, "rank") == {"B": 1, "A": 2, "C": 2}
    assert column(table, "tie_size") == {"B": 1, "A": 2, "C": 2}
    assert column(table, "tie_broken_by") == dict.fromkeys("ABC", "dual")


def test_the_breaker_is_the_last_kpi_needed_against_any_unit_of_the_same_score():
    # A beats both in jobs; B and C need courses; D has another score and needs nothing.
    table = ranking_of(
        [unit(college_id) for college_id in "ABCD"],
        {
            "A": {"points": points(5), "jobs": (3, 4), "dual": (1, 2), "courses": (1, 9)},
            "B": {"points": points(5), "jobs": (1, 4), "dual": (1, 2), "courses": (2, 9)},
            "C": {"points": points(5), "jobs": (1, 4), "dual": (1, 2), "courses": (1, 9)},
            "D": {"points": points(4), "jobs": (1, 4), "dual": (1, 2), "courses": (1, 9)},
        },
    )
    assert column(table, "rank") == {"A": 1, "B": 2, "C": 3, "D": 4}
    broken_by = {"A": "jobs", "B": "courses", "C": "courses", "D": None}
    assert column(table, "tie_broken_by") == broken_by


def test_the_breaker_of_the_one_in_the_middle_is_that_of_its_closest_tie():
    # B needed courses against A above it, and only jobs against C below it.
    table = of_one_score(
        A={"jobs": (3, 4), "dual": (1, 2), "courses": (2, 9)},
        B={"jobs": (3, 4), "dual": (1, 2), "courses": (1, 9)},
        C={"jobs": (1, 4), "dual": (1, 2), "courses": (2, 9)},
    )
    assert column(table, "rank") == {"A": 1, "B": 2, "C": 3}
    assert column(table, "tie_broken_by") == {"A": "courses", "B": "courses", "C": "jobs"}


def test_the_score_wins_over_the_tie_chain():
    facts = {
        "A": {"points": points("50.01"), "jobs": (0, 9)},
        "B": {"points": points("50"), "jobs": (9, 9)},
    }
    table = ranking_of([unit("A"), unit("B")], facts)
    assert column(table, "rank") == {"A": 1, "B": 2}


def test_a_median_in_the_tie_chain_is_compared_by_its_value():
    # A median's value is its numerator; its denominator is the number of people (kpi_values.sql).
    median = {**shown("wage"), "kind": "median"}
    units, values, gates = frames(
        [unit("A"), unit("B")],
        {
            "A": {"points": points(5), "wage": (300_000, 100)},
            "B": {"points": points(5), "wage": (200_000, 10)},
        },
    )
    is_wage = pl.col("kpi") == "wage"
    values = values.with_columns(
        value=pl.when(is_wage).then(pl.col("numerator").cast(pl.Float64)).otherwise("value")
    )
    chosen = methodology(kpis=[scored("points"), median], tie_chain=stated(["wage"]))
    _, table = rank_units(units, values, gates, chosen)
    assert dict(table.select("college_id", "rank").rows()) == {"A": 1, "B": 2}


# Ranks within a region, cluster and kind


def test_ranks_within_follow_the_rank_not_the_identifier():
    # The best college has the last identifier, in every group.
    units = [
        unit("A", region="KZ-75", cluster="it", kind="college"),
        unit("B", region="KZ-71", cluster="it", kind="higher_college"),
        unit("C", region="KZ-75", cluster="health", kind="college"),
        unit("D", region="KZ-71", cluster="health", kind="higher_college"),
        unit("E", region="KZ-75", cluster="it", kind="college"),
    ]
    facts = {
        key: {"points": points(value)} for key, value in zip("ABCDE", (1, 2, 3, 4, 5), strict=True)
    }
    table = ranking_of(units, facts)
    assert column(table, "rank") == {"E": 1, "D": 2, "C": 3, "B": 4, "A": 5}
    assert column(table, "region_rank") == {"E": 1, "C": 2, "A": 3, "D": 1, "B": 2}
    assert column(table, "cluster_rank") == {"E": 1, "B": 2, "A": 3, "D": 1, "C": 2}
    assert column(table, "kind_rank") == {"E": 1, "C": 2, "A": 3, "D": 1, "B": 2}
    assert column(table, "region_ranked_of") == {"E": 3, "C": 3, "A": 3, "D": 2, "B": 2}
    assert column(table, "cluster_ranked_of") == {"E": 3, "B": 3, "A": 3, "D": 2, "C": 2}
    assert column(table, "kind_ranked_of") == {"E": 3, "C": 3, "A": 3, "D": 2, "B": 2}


def test_a_shared_rank_is_shared_within_the_region_and_the_next_is_skipped():
    by_college = {"D": 90, "C": 70, "B": 70, "A": 50}
    assert column(ranking_of_points(by_college), "region_rank") == {"D": 1, "C": 2, "B": 2, "A": 4}


def test_a_tie_across_regions_is_no_tie_within_them():
    units = [unit("A", region="KZ-71"), unit("B"), unit("C")]
    facts = {"A": {"points": points(7)}, "B": {"points": points(7)}, "C": {"points": points(3)}}
    table = ranking_of(units, facts)
    assert column(table, "rank") == {"A": 1, "B": 1, "C": 3}
    assert column(table, "region_rank") == {"A": 1, "B": 1, "C": 2}


def test_units_told_apart_by_the_tie_chain_are_told_apart_within_the_region():
    table = of_one_score(A={"jobs": (1, 2)}, B={"jobs": (2, 3)})
    assert column(table, "region_rank") == {"B": 1, "A": 2}


def test_a_unit_without_cluster_has_no_rank_there_and_takes_no_place():
    units = [unit("A", cluster=None), unit("B"), unit("C", cluster=None)]
    facts = {key: {"points": points(value)} for key, value in zip("ABC", (9, 8, 7), strict=True)}
    table = ranking_of(units, facts)
    assert column(table, "cluster_rank") == {"A": None, "B": 1, "C": None}
    assert column(table, "cluster_ranked_of") == {"A": None, "B": 1, "C": None}
    assert column(table, "region_rank") == {"A": 1, "B": 2, "C": 3}


def test_only_ranked_units_are_counted_within_a_region():
    units = [unit("A", students=3), unit("B"), unit("C", status="closed"), unit("D")]
    facts = {
        key: {"points": points(value)} for key, value in zip("ABCD", (9, 8, 7, 6), strict=True)
    }
    table = ranking_of(units, facts)
    assert column(table, "region_rank") == {"A": None, "B": 1, "C": None, "D": 2}
    assert column(table, "region_ranked_of") == {"A": None, "B": 2, "C": None, "D": 2}
    assert column(table, "ranked_of") == {"A": None, "B": 2, "C": None, "D": 2}


# Not ranked


NEEDED = {"kpis": [scored("points", missing="not_ranked"), *(shown(code) for code in CHAIN)]}


@pytest.mark.parametrize(
    ("status", "students", "fact", "reason"),
    [
        ("active", 25, points(50), None),
        ("closed", 25, points(50), "closed"),
        ("merged", 25, points(50), "merged"),
        ("active", 24, points(50), "few_students"),
        ("active", 25, "no_data", "points"),
        ("active", 25, "small_cohort", "points"),
        ("active", 25, "not_applicable", "points"),
        # Several at once: the status first, then the students, then the KPI.
        ("closed", 0, "no_data", "closed"),
        ("merged", 24, "small_cohort", "merged"),
        ("active", 24, "no_data", "few_students"),
    ],
)
def test_the_reason_not_to_be_ranked(status, students, fact, reason):
    units = [unit("A", status=status, students=students), unit("B")]
    row = ranking_of(units, {"A": {"points": fact}, "B": {"points": points(1)}}, **NEEDED)["A"]
    assert row["not_ranked_reason"] == reason
    assert (row["rank"] is None) == (reason is not None)


def test_the_first_missing_kpi_in_the_methodology_s_order_is_the_reason():
    kpis = [scored(code, missing="not_ranked") for code in ("zeal", "points", "art")]
    facts = {"zeal": (1, 1), "points": "no_data", "art": "no_data"}
    table = ranking_of([unit("A")], {"A": facts}, kpis=[*kpis, *(shown(code) for code in CHAIN)])
    assert table["A"]["not_ranked_reason"] == "points"


def test_a_missing_kpi_that_is_only_shown_or_reweighted_is_no_reason():
    kpis = [scored("points"), scored("extra"), *(shown(code) for code in CHAIN)]
    facts = {"A": {"points": points(40), "extra": "small_cohort"}}
    row = ranking_of([unit("A")], facts, kpis=kpis)["A"]
    assert (row["rank"], row["score"], row["not_ranked_reason"]) == (1, Decimal("40.00"), None)


def test_a_unit_with_no_kpi_at_all_is_not_ranked_last():
    table = ranking_of(
        [unit("A"), unit("B")], {"A": {"points": "no_data"}, "B": {"points": (0, 1)}}
    )
    assert table["A"]["not_ranked_reason"] == "no_score"
    assert column(table, "rank") == {"A": None, "B": 1}


def test_a_unit_that_is_not_ranked_has_none_of_what_ranking_gives():
    passed = {"A": CHAIN}
    table = ranking_of([unit("A", status="closed")], {"A": {"points": points(9)}}, passed)
    given = {name for name, value in table["A"].items() if value is not None}
    assert given == {"college_id", "not_ranked_reason"}


def test_a_unit_that_is_not_ranked_is_not_compared_with():
    # Were A's 1000 points in the comparison, B would not be the best.
    kpis = [scored("points", normalise="min_max"), *(shown(code) for code in CHAIN)]
    units = [unit("A", students=0), unit("B"), unit("C")]
    facts = {"A": {"points": points(1000)}, "B": {"points": points(9)}, "C": {"points": points(4)}}
    assert column(ranking_of(units, facts, kpis=kpis), "score") == {
        "A": None,
        "B": Decimal(100),
        "C": Decimal(0),
    }


@pytest.mark.parametrize("how", ["none", "goalposts", "min_max", "percentile_rank", "z_score"])
@pytest.mark.parametrize("units", [[], [unit("A", status="closed"), unit("B", students=0)]])
def test_a_round_in_which_nobody_is_ranked_has_tables_all_the_same(units, how):
    goals = {"floor": Decimal(0), "target": Decimal(1)}
    kpis = [scored("points", normalise=how, **goals), *(shown(code) for code in CHAIN)]
    facts = {one["college_id"]: {"points": points(1)} for one in units}
    scores, table = rank_units(*frames(units, facts), methodology(kpis=kpis))
    assert scores.schema == pl.Schema(SCORE_SCHEMA)
    assert scores.height == 0
    assert table.schema == pl.Schema(RANKING_SCHEMA)
    assert table["not_ranked_reason"].to_list() == [
        "closed" if one["status"] == "closed" else "few_students" for one in units
    ]


# Leagues


def leagues_of(
    ranks: dict[str, int], *leagues: dict[str, Any], passing: str | None = None
) -> dict[str, int | None]:
    """Assign leagues to units of given ranks, in order; ``passing`` pass the gate ``jobs``."""
    passing = "".join(ranks) if passing is None else passing
    sharing = list(ranks.values())
    rows = [
        {"college_id": key, "rank": rank, "tie_size": sharing.count(rank)}
        | {"gates_passed": {"jobs"} if key in passing else set()}
        for key, rank in ranks.items()
    ]
    assign_leagues(rows, [League.model_validate(one) for one in leagues])
    return {row["college_id"]: row.get("league") for row in rows}


def first(max_count: int, **other: Any) -> dict[str, Any]:
    return league(1, gates=["jobs"], max_count=max_count, **other)


def test_max_count_counts_those_that_pass_the_gates_and_skips_the_others():
    # A and D fail: B and C are the first two that pass.
    ranks = {"A": 1, "B": 2, "C": 3, "D": 4, "E": 5}
    assert leagues_of(ranks, first(2), league(2), passing="BCE") == {
        "A": 2, "B": 1, "C": 1, "D": 2, "E": 2,
    }  # fmt: skip


def test_fewer_that_pass_than_places_leave_places_empty():
    assert leagues_of({"A": 1, "B": 2, "C": 3}, first(2), league(2), passing="C") == {
        "A": 2, "B": 2, "C": 1,
    }  # fmt: skip


def test_nobody_who_passes_leaves_the_league_empty():
    assert leagues_of({"A": 1, "B": 2}, first(2), league(2), passing="") == {"A": 2, "B": 2}


def test_a_league_asks_for_all_its_gates():
    rows = [
        {"rank": place, "tie_size": 1, "gates_passed": set(gates)}
        for place, gates in enumerate((["jobs"], ["jobs", "dual"], ["dual"], CHAIN), start=1)
    ]
    asked = league(1, gates=["jobs", "dual"], max_count=9)
    assign_leagues(rows, [League.model_validate(one) for one in (asked, league(2))])
    assert [row["league"] for row in rows] == [2, 1, 2, 1]


@pytest.mark.parametrize(("tie_at_edge", "tied"), [("include", 1), ("exclude", 2)])
def test_a_tie_at_the_edge_of_max_count(tie_at_edge, tied):
    # Two places; B and C share rank 2.
    ranks = {"A": 1, "B": 2, "C": 2, "D": 4}
    found = leagues_of(ranks, first(2, tie_at_edge=tie_at_edge), league(2))
    assert found == {"A": 1, "B": tied, "C": tied, "D": 2}


@pytest.mark.parametrize(("tie_at_edge", "tied"), [("include", 1), ("exclude", 2)])
def test_a_tie_of_three_at_the_edge_of_max_count_of_which_two_have_room(tie_at_edge, tied):
    ranks = {"A": 1, "B": 2, "C": 2, "D": 2, "E": 5}
    found = leagues_of(ranks, first(3, tie_at_edge=tie_at_edge), league(2))
    assert found == {"A": 1, "B": tied, "C": tied, "D": tied, "E": 2}


@pytest.mark.parametrize("tie_at_edge", ["include", "exclude"])
def test_a_tie_that_ends_at_the_edge_of_max_count_is_inside_either_way(tie_at_edge):
    # Three places, and the tie takes the second and the third.
    ranks = {"A": 1, "B": 2, "C": 2, "D": 4}
    found = leagues_of(ranks, first(3, tie_at_edge=tie_at_edge), league(2))
    assert found == {"A": 1, "B": 1, "C": 1, "D": 2}


@pytest.mark.parametrize("tie_at_edge", ["include", "exclude"])
def test_a_tie_beyond_the_edge_of_max_count_is_outside_either_way(tie_at_edge):
    ranks = {"A": 1, "B": 2, "C": 2, "D": 4}
    found = leagues_of(ranks, first(1, tie_at_edge=tie_at_edge), league(2))
    assert found == {"A": 1, "B": 2, "C": 2, "D": 2}


@pytest.mark.parametrize("tie_at_edge", ["include", "exclude"])
def test_as_many_that_pass_as_places_are_all_in_even_when_the_last_share_a_rank(tie_at_edge):
    found = leagues_of({"A": 1, "B": 1}, first(2, tie_at_edge=tie_at_edge), league(2))
    assert found == {"A": 1, "B": 1}


@pytest.mark.parametrize("tie_at_edge", ["include", "exclude"])
def test_who_fails_the_gates_makes_no_tie_at_the_edge_of_max_count(tie_at_edge):
    # B and C share rank 2, but only B competes for the second place.
    ranks = {"A": 1, "B": 2, "C": 2, "D": 4}
    found = leagues_of(ranks, first(2, tie_at_edge=tie_at_edge), league(2), passing="ABD")
    assert found == {"A": 1, "B": 1, "C": 2, "D": 2}


def test_exclude_can_leave_the_first_league_empty():
    found = leagues_of({"A": 1, "B": 1}, first(1, tie_at_edge="exclude"), league(2))
    assert found == {"A": 2, "B": 2}


def test_max_rank_takes_up_to_the_rank_itself():
    ranks = {"A": 1, "B": 2, "C": 3}
    assert leagues_of(ranks, league(1, max_rank=2), league(2)) == {"A": 1, "B": 1, "C": 2}


@pytest.mark.parametrize(("tie_at_edge", "tied"), [("include", 1), ("exclude", 2)])
def test_a_tie_at_the_edge_of_max_rank(tie_at_edge, tied):
    # Up to rank 2; B and C share the places 2 and 3.
    ranks = {"A": 1, "B": 2, "C": 2, "D": 4}
    found = leagues_of(ranks, league(1, max_rank=2, tie_at_edge=tie_at_edge), league(2))
    assert found == {"A": 1, "B": tied, "C": tied, "D": 2}


@pytest.mark.parametrize("tie_at_edge", ["include", "exclude"])
@pytest.mark.parametrize(("max_rank", "tied"), [(3, 1), (1, 2)])
def test_a_tie_off_the_edge_of_max_rank_is_the_same_either_way(tie_at_edge, max_rank, tied):
    ranks = {"A": 1, "B": 2, "C": 2, "D": 4}
    found = leagues_of(ranks, league(1, max_rank=max_rank, tie_at_edge=tie_at_edge), league(2))
    assert found == {"A": 1, "B": tied, "C": tied, "D": 2}


def test_max_rank_counts_ranks_not_the_places_left_by_the_league_before():
    # League 2 goes to rank 3 whether or not league 1 took some of those.
    ranks = {"A": 1, "B": 2, "C": 3, "D": 4}
    found = leagues_of(ranks, first(2), league(2, max_rank=3), league(3), passing="AD")
    assert found == {"A": 1, "B": 2, "C": 2, "D": 1}


def test_max_rank_with_gates_takes_those_up_to_the_rank_that_pass():
    ranks = {"A": 1, "B": 2, "C": 3}
    found = leagues_of(ranks, league(1, gates=["jobs"], max_rank=2), league(2), passing="BC")
    assert found == {"A": 2, "B": 1, "C": 2}


def test_a_second_max_count_counts_only_who_is_in_no_league_yet():
    ranks = {"A": 1, "B": 2, "C": 3, "D": 4}
    found = leagues_of(ranks, first(1), league(2, max_count=2), league(3))
    assert found == {"A": 1, "B": 2, "C": 2, "D": 3}


def test_the_last_league_takes_the_rest():
    ranks = {key: place for place, key in enumerate("ABCDEFGH", start=1)}
    found = leagues_of(
        ranks, first(2), league(2, max_rank=4), league(3, max_rank=6), league(4), passing="ABCD"
    )
    assert "".join(str(found[key]) for key in "ABCDEFGH") == "11223344"


def test_gates_and_leagues_reach_the_ranking():
    leagues = [league(1, gates=["jobs", "dual"], max_count=1), league(2, max_rank=2), league(3)]
    gates = [
        {"kpi": code, "threshold": Decimal(1), "on_small_cohort": "judge", "on_no_data": "fail"}
        | STATED
        for code in CHAIN
    ]
    facts = {
        key: {"points": points(value)} for key, value in zip("ABCDE", (9, 8, 7, 6, 5), strict=True)
    }
    table = ranking_of(
        [*(unit(key) for key in "ABCD"), unit("E", students=0)],
        facts,
        {"A": ["jobs"], "C": ["jobs", "dual"], "D": CHAIN, "E": CHAIN},
        gates=gates,
        leagues=leagues,
    )
    # B passes nothing at all; D is the second that passes; E is not ranked.
    assert column(table, "league") == {"A": 2, "B": 2, "C": 1, "D": 3, "E": None}


def test_a_methodology_without_leagues_gives_none():
    assert column(ranking_of_points({"A": 3, "B": 2}, leagues=[]), "league") == {
        "A": None,
        "B": None,
    }


# Leaders


def leaders_of(*units: tuple[str, str, str | None, int], top: int = 1) -> dict[str, str | None]:
    """Leaders of units given as identifier, region, cluster and points; ``top`` make league 1."""
    table = ranking_of(
        [unit(key, region=region, cluster=cluster) for key, region, cluster, _ in units],
        {key: {"points": points(value)} for key, _, _, value in units},
        leagues=[league(1, max_count=top), league(2)],
    )
    return column(table, "leader")


def test_leaders_are_league_1_and_the_first_of_each_cluster_in_each_region():
    found = leaders_of(
        ("A", "KZ-71", "it", 10),
        ("B", "KZ-71", "health", 30),
        ("C", "KZ-75", "it", 50),
        ("D", "KZ-75", "it", 90),
        ("E", "KZ-71", "it", 20),
        ("F", "KZ-75", "health", 40),
    )
    assert found == {
        "A": None,  # second of it in KZ-71
        "B": "cluster_in_region",
        "C": None,  # the first of it in KZ-75 is D, in league 1
        "D": "league_1",
        "E": "cluster_in_region",
        "F": "cluster_in_region",
    }


def test_all_of_league_1_are_leaders_even_of_one_cluster_and_region():
    found = leaders_of(("A", "KZ-71", "it", 10), ("B", "KZ-71", "it", 9), top=2)
    assert found == {"A": "league_1", "B": "league_1"}


def test_those_who_share_the_first_rank_of_a_cluster_are_both_leaders():
    found = leaders_of(
        ("A", "KZ-75", "it", 90),
        ("B", "KZ-71", "it", 10),
        ("C", "KZ-71", "it", 10),
        ("D", "KZ-71", "it", 9),
    )
    assert found == {"A": "league_1", "B": "cluster_in_region", "C": "cluster_in_region", "D": None}


def test_a_unit_without_cluster_leads_none_and_takes_no_one_s_place():
    found = leaders_of(("A", "KZ-75", "it", 90), ("B", "KZ-71", None, 20), ("C", "KZ-71", "it", 10))
    assert found == {"A": "league_1", "B": None, "C": "cluster_in_region"}


def test_a_unit_that_is_not_ranked_leads_nobody():
    units = [unit("A"), unit("B", cluster="health", students=0)]
    table = ranking_of(units, {"A": {"points": points(1)}, "B": {"points": points(9)}})
    assert column(table, "leader") == {"A": "league_1", "B": None}


# Levels


LEVELS = [
    {"code": code, "name": NAMES, "min_share": Decimal(share), **STATED}
    for code, share in (("high", "0.70"), ("middle", "0.40"), ("low", "0"))
]


def test_levels_begin_exactly_at_their_share_of_the_best():
    # The best has 83.00: 70 % are 58.10, 40 % are 33.20.
    by_college = {"A": "83", "B": "58.10", "C": "58.09", "D": "33.20", "E": "33.19", "F": "0"}
    table = ranking_of_points(by_college, levels=LEVELS)
    assert "".join(row["level"][0] for row in table.values()) == "hhmmll"
    assert table["A"]["share_of_best"] == 1
    assert table["B"]["share_of_best"] == Decimal("0.700000")
    assert table["D"]["share_of_best"] == Decimal("0.400000")


def test_a_share_that_only_rounds_to_the_level_does_not_reach_it():
    # 6999999.99 / 10000000 is 0.699999999: shown as 0.700000, but below it.
    table = ranking_of_points({"A": "10000000", "B": "6999999.99"}, levels=LEVELS)
    assert table["B"]["share_of_best"] == Decimal("0.700000")
    assert table["B"]["level"] == "middle"


def test_the_best_is_the_best_that_is_ranked():
    units = [unit("A", status="closed"), unit("B"), unit("C")]
    facts = {"A": {"points": points(99)}, "B": {"points": points(10)}, "C": {"points": points(7)}}
    table = ranking_of(units, facts, levels=LEVELS)
    assert column(table, "level") == {"A": None, "B": "high", "C": "high"}


def test_below_the_lowest_level_there_is_none():
    table = ranking_of_points({"A": 10, "B": 3}, levels=LEVELS[:2])
    assert column(table, "level") == {"A": "high", "B": None}


def test_without_levels_there_is_still_the_share_of_the_best():
    table = ranking_of_points({"A": 8, "B": 1})
    assert column(table, "share_of_best") == {"A": 1, "B": Decimal("0.125")}
    assert column(table, "level") == {"A": None, "B": None}


def test_where_the_best_has_nothing_there_are_no_shares():
    table = ranking_of_points({"A": 0, "B": 0}, levels=LEVELS)
    assert column(table, "rank") == {"A": 1, "B": 1}
    assert column(table, "share_of_best") == {"A": None, "B": None}


# The framework


def test_the_framework_is_the_methodology_s_tree_with_levels_from_the_kpis_up():
    half = Decimal("0.5")
    inner = {"code": "inner", "name": NAMES, "parent": "index", "weight": half, **STATED}
    kpis = [
        scored("a", "inner", weight=Decimal("0.2"), missing="zero", direction=-1,
               normalise="min_max"),
        scored("b", "inner", weight=Decimal("0.3"), normalise="goalposts", floor=Decimal("0.40"),
               target=Decimal("0.95")),
        scored("c", weight=half),
        *(shown(code) for code in CHAIN),
    ]  # fmt: skip
    chosen = methodology(
        groups=[index_group("arithmetic"), {**inner, "aggregate": "geometric", "missing": "zero"}],
        kpis=kpis,
    )
    framework = framework_of(chosen)
    assert framework.select("code", "parent", "level", "aggregate", "missing").rows() == [
        ("index", None, 3, "arithmetic", "reweight"),
        ("inner", "index", 2, "geometric", "zero"),
        ("a", "inner", 1, None, "zero"),
        ("b", "inner", 1, None, "reweight"),
        ("c", "index", 1, None, "reweight"),
    ]
    numbers = framework.select("code", "direction", "weight", "normalise", "floor", "target")
    assert numbers.rows() == [
        ("index", None, Decimal(1), None, None, None),
        ("inner", None, half, None, None, None),
        ("a", -1, Decimal("0.2"), "min_max", None, None),
        ("b", 1, Decimal("0.3"), "goalposts", Decimal("0.4"), Decimal("0.95")),
        ("c", 1, half, "none", None, None),
    ]
    # The engine reads it: a is missing and counts 0, so inner is 0; half of c's 60 is left.
    assert score_array(np.array([[np.nan, 0.95, 60.0]]), framework).index.tolist() == [30.0]


def test_the_framework_has_a_column_for_an_option_only_where_a_kpi_states_it():
    # A round of a methodology without them is stored as it always was.
    shown_only = [shown(code) for code in CHAIN]
    plain = framework_of(methodology(kpis=[scored("points"), *shown_only]))
    assert not {"mean", "deviation", "capped", "treat"} & set(plain.columns)
    kpis = [
        scored(
            "a", normalise="z_score", mean=Decimal(50), deviation=Decimal(10), weight=Decimal(2)
        ),
        scored("b", normalise="distance_to_target", target=Decimal(8), capped=True),
        *shown_only,
    ]  # fmt: skip
    framework = framework_of(methodology(groups=[index_group("sum")], kpis=kpis))
    options = framework.select("code", "mean", "deviation", "capped").rows()
    assert options == [
        ("index", None, None, None),
        ("a", Decimal(50), Decimal(10), None),
        ("b", None, None, True),
    ]
    assert "treat" not in framework.columns
    # The engine reads it: a 1, 2, 3 is 40, 50, 60, twice; b is 0, 100 and, capped, 100.
    found = score_array(np.array([[1.0, 0.0], [2.0, 8.0], [3.0, 9.0]]), framework)
    assert found.index.tolist() == [80, 200, 220]
    # A stored framework without the columns is read as well.
    assert score_array(np.array([[7.0]]), plain).index.tolist() == [7]


def test_a_round_keeps_what_it_treated_as_an_outlier():
    # 1 to 10 and 100: 100 is brought to 10, the others stay (tests/kpi/test_outliers.py).
    kpis = [scored("points", normalise="min_max", floor=None, target=None, treat="winsorise")]
    chosen = methodology(kpis=kpis, tie_chain=stated([]))
    ids = [f"C-{place:02d}" for place in range(11)]
    points = [100.0, *map(float, range(1, 11))]
    values = pl.DataFrame({"college_id": ids, "kpi": "points", "status": "ok", "value": points})
    missing = values.tail(1).with_columns(college_id=pl.lit("C-99"), status=pl.lit("no_data"))
    ranking = pl.DataFrame(
        {"college_id": [*ids, "C-99"], "not_ranked_reason": [*[None] * 11, "points"]}
    )
    treated = treatment_of(pl.concat([values, missing]), ranking, chosen)
    assert treated.select("college_id", "code", "value", "treated").rows() == [
        ("C-00", "points", 100.0, 10.0)
    ]
    none = methodology(kpis=[scored("points")], tie_chain=stated([]))
    assert treatment_of(values, ranking, none).is_empty()


@pytest.mark.parametrize("digits", ["0.123456", "0.12345678"])
def test_a_stated_number_is_kept_to_its_last_digit_or_refused_never_rounded(digits):
    exact = Decimal(digits)
    kpis = [scored("points", weight=exact, floor=exact, target=exact)]
    try:
        chosen = methodology(kpis=kpis, tie_chain=stated([]))
    except ValidationError:
        assert len(digits) > len("0.123456")
        return
    (_, row) = framework_of(chosen).to_dicts()
    assert [row["weight"], row["floor"], row["target"]] == [exact, exact, exact]


# Laws


shares = st.one_of(st.just("no_data"), st.sampled_from([(0, 5), (1, 3), (2, 6), (1, 2)]))
rounds = st.lists(
    st.fixed_dictionaries(
        {
            "points": st.one_of(st.just("no_data"), st.integers(0, 2).map(points)),
            "chain": st.tuples(shares, shares, shares),
            "place": st.tuples(st.sampled_from(["KZ-71", "KZ-75"]), st.sampled_from(["it", None])),
            "students": st.sampled_from([24, 25, 26, 27]),
            "passed": st.sampled_from([[], ["jobs"], CHAIN]),
        }
    ),
    max_size=9,
)
REAL = {
    "leagues": [league(1, max_count=2), league(2, max_rank=4, tie_at_edge="exclude"), league(3)],
    "levels": LEVELS,
}


def inputs_of(drawn: list[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    units, facts, passed = [], {}, {}
    for number, one in enumerate(drawn):
        college_id = f"C{number}"
        (region, cluster), students = one["place"], one["students"]
        units.append(unit(college_id, region=region, cluster=cluster, students=students))
        facts[college_id] = {"points": one["points"], **dict(zip(CHAIN, one["chain"], strict=True))}
        passed[college_id] = one["passed"]
    return frames(units, facts, passed)


@settings(max_examples=60, deadline=None)
@given(rounds, st.randoms())
def test_the_order_of_the_input_rows_does_not_matter(drawn, random):
    inputs = inputs_of(drawn)
    shuffled = []
    for frame in inputs:
        places = list(range(frame.height))
        random.shuffle(places)
        shuffled.append(frame[places] if places else frame)
    scores, table = rank_units(*inputs, methodology(**REAL))
    scores_turned, table_turned = rank_units(*shuffled, methodology(**REAL))
    assert scores.equals(scores_turned)
    assert table.equals(table_turned)


def _order(one: dict[str, Any]) -> tuple[Any, ...]:
    """Bigger is better: the score, then the chain's values, missing below everything."""
    chain = [Fraction(-1) if fact == "no_data" else Fraction(*fact) for fact in one["chain"]]
    return (one["points"][0], *chain)


@settings(max_examples=100, deadline=None)
@given(rounds)
def test_every_rank_is_one_more_than_the_number_of_better_units(drawn):
    _, table = rank_units(*inputs_of(drawn), methodology(**REAL))
    ranked = [d["points"] != "no_data" and d["students"] >= 25 for d in drawn]
    orders = [_order(d) if is_ranked else None for d, is_ranked in zip(drawn, ranked, strict=True)]
    for place, row in enumerate(table.iter_rows(named=True)):
        mine = orders[place]
        if mine is None:
            assert row["rank"] is None
            continue
        others = [order for order in orders if order is not None]
        near = [
            order
            for order, one in zip(orders, drawn, strict=True)
            if order is not None and one["place"][0] == drawn[place]["place"][0]
        ]
        assert row["rank"] == 1 + sum(order > mine for order in others)
        assert row["region_rank"] == 1 + sum(order > mine for order in near)
        assert row["tie_size"] == others.count(mine)
        assert row["ranked_of"] == len(others)
        # The deepest first difference from any unit of the same score.
        depths = [
            next(depth for depth in range(3) if order[1 + depth] != mine[1 + depth])
            for order in others
            if order[0] == mine[0] and order != mine
        ]
        assert row["tie_broken_by"] == (CHAIN[max(depths)] if depths else None)
        assert row["league"] in (1, 2, 3)


def test_place_in_order_leaves_the_given_rows_order_alone():
    facts = {
        (key, "jobs"): {"status": "ok", "numerator": top, "denominator": 4}
        for key, top in (("A", 1), ("B", 3))
    }
    rows = [{"college_id": key, "score": Decimal(5)} for key in "AB"]
    ordered = place_in_order(rows, facts, ["jobs"])
    assert [row["college_id"] for row in ordered] == ["B", "A"]
    assert [row["college_id"] for row in rows] == ["A", "B"]
