"""Where the country stands: figures of the nation and its regions, from the tables of a round.

Frames come from ``kpi.access.read_table``: a hidden cell is empty and named in ``suppressed``.
"""

from typing import Any

import polars as pl

from kpi.access import NATION

Row = dict[str, Any]

EMPLOYMENT = ("employment_rate_of_all", "employment_rate", "employment_rate_with_study")
"""The three definitions of employment, which always stand side by side."""


def national_kpis(region_kpis: pl.DataFrame) -> dict[str, Row]:
    """Return the nation's row of each KPI, by code; none where the viewer may not see them."""
    rows = region_kpis.filter(pl.col("region") == NATION)
    return {row["kpi"]: row for row in rows.iter_rows(named=True)}


def tiles(region_kpis: pl.DataFrame, regions: pl.DataFrame, kpi: str) -> pl.DataFrame:
    """Return one row per region: its place on the tile map, names, and counts and value of a KPI.

    A region that the viewer may not see, or without data, has an empty value.
    """
    values = region_kpis.filter(pl.col("kpi") == kpi).drop("kpi")
    return regions.join(values, on="region", how="left", maintain_order="left")


def leagues(ranking: pl.DataFrame, funding: pl.DataFrame | None) -> pl.DataFrame:
    """Return one row per league, and one without league for colleges that are not ranked:
    ``colleges``, and of them ``qualifying`` (those with a share of the incentive).
    """
    shares = (
        ranking.select("college_id").with_columns(share=pl.lit(None, pl.Float64))
        if funding is None
        else funding.select("college_id", "share")
    )
    return (
        ranking.join(shares, on="college_id", how="left")
        .group_by("league")
        .agg(colleges=pl.len(), qualifying=(pl.col("share") > 0).sum())
        .sort("league", nulls_last=True)
    )


def quality(
    row_counts: pl.DataFrame, colleges: pl.DataFrame, region_kpis: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per region: rows ``read`` and ``rejected`` over all tables, and the national
    KPI ``verified_share`` of the region with its counts; the worst first.
    """
    rows = (
        row_counts.join(colleges.select("college_id", "region"), on="college_id")
        .group_by("region")
        .agg(pl.col("read", "rejected").sum())
    )
    verified = region_kpis.filter(pl.col("kpi") == "verified_share", pl.col("region") != NATION)
    return rows.join(
        verified.select("region", "numerator", "denominator", "value", "suppressed"),
        on="region",
        how="full",
        coalesce=True,
    ).sort(
        pl.col("rejected").fill_null(0) / pl.col("read").fill_null(1),
        "value",
        "region",
        descending=[True, False, False],
        nulls_last=True,
    )
