"""The leaders: league 1, and the reference college of each cluster, nationally and in each region
(DESIGN §5), each with the chance that a new cohort leaves it there.
"""

from typing import Any

import polars as pl

LEADERS_SCHEMA: dict[str, Any] = {
    "scope": pl.String,
    "region": pl.String,
    "cluster": pl.String,
    "college_id": pl.String,
    "rank": pl.Int64,
    "chance": pl.Decimal(9, 6),
}
SCOPES = ("league_1", "cluster", "cluster_in_region")


def leaders_of(ranking: pl.DataFrame, profile: pl.DataFrame, chances: pl.DataFrame) -> pl.DataFrame:
    """Return one row per leader and scope (LEADERS_SCHEMA), in the order of scope and place.

    ``chance``: that a new cohort of the same size brings it into league 1, or to the first place
    of its cluster; empty where nothing is drawn. Colleges that share the first place are all there.
    """
    units = ranking.select("college_id", "rank", "league").join(
        profile.select("college_id", "region", "cluster"), on="college_id"
    )
    units = units.filter(pl.col("rank").is_not_null())
    of_cluster = units.filter(pl.col("cluster").is_not_null())
    first = pl.col("rank") == pl.col("rank").min()
    parts = [
        _with_chance(units.filter(pl.col("league") == 1), chances, "league_1", "league", "1"),
        _with_chance(
            of_cluster.filter(first.over("cluster")), chances, "cluster", "first", "cluster"
        ),
        _with_chance(
            of_cluster.filter(first.over("region", "cluster")),
            chances,
            "cluster_in_region",
            "first",
            "cluster_in_region",
        ),
    ]
    rows = pl.concat(parts)
    nowhere = pl.lit(None, pl.String)
    region = pl.when(pl.col("scope") == "cluster_in_region").then("region").otherwise(nowhere)
    cluster = pl.when(pl.col("scope") == "league_1").then(nowhere).otherwise("cluster")
    return (
        rows.with_columns(region.alias("region"), cluster.alias("cluster"))
        .select(pl.col(name).cast(kind) for name, kind in LEADERS_SCHEMA.items())
        .sort(
            pl.col("scope").replace_strict(SCOPES, range(len(SCOPES)), return_dtype=pl.Int64),
            "region",
            "cluster",
            "rank",
            "college_id",
        )
    )


def _with_chance(
    rows: pl.DataFrame, chances: pl.DataFrame, scope: str, of: str, item: str
) -> pl.DataFrame:
    own = chances.filter((pl.col("of") == of) & (pl.col("item") == item))
    return rows.join(own.select("college_id", "chance"), on="college_id", how="left").with_columns(
        scope=pl.lit(scope)
    )
