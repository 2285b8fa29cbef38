"""The leaders: league 1, and the first of each cluster in the nation and in each region."""

from decimal import Decimal
from typing import Any

import polars as pl

from kpi.leaders import LEADERS_SCHEMA, SCOPES, leaders_of
from kpi.rounds import Round
from kpi.uncertainty import CHANCE_SCHEMA

COLLEGES = [  # id, rank, league, region, cluster
    ("A", 1, 1, "KZ-10", "it"),
    ("B", 2, 1, "KZ-35", "agro"),
    ("C", 3, 2, "KZ-35", "it"),
    ("D", 3, 2, "KZ-35", "it"),
    ("E", 5, 2, "KZ-10", "it"),
    ("F", 6, 3, "KZ-10", None),
    ("G", None, None, "KZ-55", "mining"),
]
ranking = pl.DataFrame(
    [(name, rank, league) for name, rank, league, _, _ in COLLEGES],
    schema={"college_id": pl.String, "rank": pl.Int64, "league": pl.Int64},
    orient="row",
)
profile = pl.DataFrame(
    [(name, region, cluster) for name, _, _, region, cluster in COLLEGES],
    schema=["college_id", "region", "cluster"],
    orient="row",
)


def chances(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(*row[:3], Decimal(row[3])) for row in rows], schema=CHANCE_SCHEMA, orient="row"
    )


def leaders(drawn: pl.DataFrame | None = None) -> list[dict[str, Any]]:
    return leaders_of(ranking, profile, chances() if drawn is None else drawn).to_dicts()


def who(scope: str) -> list[tuple[Any, ...]]:
    rows = [row for row in leaders() if row["scope"] == scope]
    return [(row["region"], row["cluster"], row["college_id"], row["rank"]) for row in rows]


def test_league_1_leads_in_the_order_of_its_ranks() -> None:
    assert who("league_1") == [(None, None, "A", 1), (None, None, "B", 2)]


def test_the_first_of_each_cluster_leads_it_in_the_nation() -> None:
    """G has no rank, and F no cluster: neither leads any."""
    assert who("cluster") == [(None, "agro", "B", 2), (None, "it", "A", 1)]


def test_the_first_of_each_cluster_in_each_region_and_those_who_share_the_place() -> None:
    assert who("cluster_in_region") == [
        ("KZ-10", "it", "A", 1),
        ("KZ-35", "agro", "B", 2),
        ("KZ-35", "it", "C", 3),
        ("KZ-35", "it", "D", 3),
    ]


def test_each_place_has_its_own_chance() -> None:
    drawn = chances(
        ("A", "league", "1", "0.9"),
        ("A", "league", "2", "0.1"),
        ("A", "first", "nation", "0.2"),
        ("A", "first", "cluster", "0.6"),
        ("A", "first", "cluster_in_region", "0.7"),
        ("A", "gate", "1", "0.3"),
    )
    of_a = {row["scope"]: row["chance"] for row in leaders(drawn) if row["college_id"] == "A"}
    assert of_a == {
        "league_1": Decimal("0.9"),
        "cluster": Decimal("0.6"),
        "cluster_in_region": Decimal("0.7"),
    }


def test_where_nothing_is_drawn_leaders_lead_without_a_chance() -> None:
    assert {row["chance"] for row in leaders()} == {None}


def test_a_ranking_of_nobody_has_no_leaders_and_keeps_its_columns() -> None:
    nobody = ranking.with_columns(rank=pl.lit(None, pl.Int64), league=pl.lit(None, pl.Int64))
    found = leaders_of(nobody, profile, chances())
    assert found.is_empty()
    assert dict(found.schema) == LEADERS_SCHEMA


def test_a_round_keeps_the_leaders_that_its_ranking_names(example_round: Round) -> None:
    stored, ranked = example_round.table("leaders"), example_round.table("ranking")
    assert set(stored["scope"]) == set(SCOPES)
    named = ranked.filter(pl.col("leader") == "league_1")["college_id"]
    assert set(stored.filter(pl.col("scope") == "league_1")["college_id"]) == set(named)
    assert stored["chance"].null_count() == 0
    places = ("scope", "region", "cluster", "college_id")
    assert stored.select(places).is_duplicated().any() is False
