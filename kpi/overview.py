"""Where the country stands: figures of the nation and its regions, from the tables of a round.

Frames come from ``kpi.access.read_table``: a hidden cell is empty and named in ``suppressed``.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from kpi.access import NATION
from kpi.dated import Stated, Strict

Row = dict[str, Any]

EMPLOYMENT = ("employment_rate_of_all", "employment_rate", "employment_rate_with_study")
"""The three definitions of employment, which always stand side by side."""


@dataclass(frozen=True)
class ToDo:
    """What is left to do in a round: numbers of findings, colleges and values."""

    open_errors: int
    """Errors that no waiver accepts."""
    waived_errors: int
    warnings: int
    hanging_colleges: int
    """Colleges of which a gate's result depends on rejected rows."""
    illustrative: int
    """Values of methodology and rule that are not official."""


def place_kpis(region_kpis: pl.DataFrame, place: str = NATION) -> dict[str, Row]:
    """Return a region's or the nation's row of each KPI, by code; none where the viewer may not
    see them.
    """
    rows = _flags_as_shares(region_kpis).filter(pl.col("region") == place)
    return {row["kpi"]: row for row in rows.iter_rows(named=True)}


def tiles(region_kpis: pl.DataFrame, regions: pl.DataFrame, kpi: str) -> pl.DataFrame:
    """Return one row per region: its place on the tile map, names, and counts and value of a KPI.

    A region that the viewer may not see, or without data, has an empty value. ``position`` is 0 at
    the lowest value and 1 at the highest; 0.5 where they do not differ.
    """
    values = _flags_as_shares(region_kpis).filter(pl.col("kpi") == kpi).drop("kpi")
    rows = regions.join(values, on="region", how="left", maintain_order="left")
    low, value = pl.col("value").min(), pl.col("value")
    spread = pl.col("value").max() - low
    position = pl.when(spread > 0).then((value - low) / spread).otherwise(value * 0 + 0.5)
    return rows.with_columns(position.alias("position"))


def above(rows: pl.DataFrame, value: float) -> int:
    """Return how many rows of ``tiles`` have a higher value."""
    return rows.filter(pl.col("value") > value).height


def _flags_as_shares(region_kpis: pl.DataFrame) -> pl.DataFrame:
    """What is yes or no for a college is a share of the colleges for a region."""
    kind = pl.col("kind").replace("flag", "register_share")
    return region_kpis.with_columns(kind)


def by_group(
    ranking: pl.DataFrame, funding: pl.DataFrame | None, group: str = "league"
) -> pl.DataFrame:
    """Return one row per league (or ``level``), and one without for colleges that are not ranked:
    ``colleges``, and of them ``qualifying`` (those with a share of the incentive); empty where the
    viewer may not see the share of any of them, or nothing is funded.
    """
    shares = (
        ranking.select("college_id").with_columns(share=pl.lit(None, pl.Float64))
        if funding is None
        else funding.select("college_id", "share")
    )
    paid = pl.col("share") > 0
    return (
        ranking.join(shares, on="college_id", how="left")
        .with_columns(pl.when(pl.col("rank").is_not_null()).then(pl.col(group)).alias(group))
        .group_by(group)
        .agg(
            colleges=pl.len(),
            qualifying=pl.when(pl.col("share").is_not_null().any()).then(paid.sum()),
        )
        .sort(group, nulls_last=True)
    )


def quality(
    row_counts: pl.DataFrame, colleges: pl.DataFrame, region_kpis: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per region: rows ``read`` and ``rejected`` over all tables, their share
    ``rejected_share``, and the KPI ``verified_share`` of the region with its counts; the worst
    first. Rows that name no college of the round stand under no region.
    """
    rows = (
        row_counts.join(colleges.select("college_id", "region"), on="college_id", how="left")
        .group_by("region")
        .agg(pl.col("read", "rejected").sum())
        .with_columns(rejected_share=pl.col("rejected") / pl.col("read"))
    )
    verified = region_kpis.filter(pl.col("kpi") == "verified_share", pl.col("region") != NATION)
    return rows.join(
        verified.select("region", "numerator", "denominator", "value", "kind", "suppressed"),
        on="region",
        how="full",
        coalesce=True,
    ).sort(
        pl.col("rejected_share").fill_null(0),
        "value",
        "region",
        descending=[True, False, False],
        nulls_last=True,
    )


def left_to_do(
    findings: pl.DataFrame, gates: pl.DataFrame | None, dated: list[Strict], *, accepted: int
) -> ToDo:
    """Return what is left to do.

    ``accepted`` is how many errors waivers accept: of a draft those that are kept for its round, of
    a published version all, because nothing is published with an error that has none. ``gates`` are
    those of the store; what others are shown of them does not tell which hang on rejected rows.
    """
    errors = findings.filter(pl.col("severity") == "error").height
    return ToDo(
        open_errors=errors - accepted,
        waived_errors=accepted,
        warnings=findings.height - errors,
        hanging_colleges=0 if gates is None else hanging(gates)["college_id"].n_unique(),
        illustrative=sum(illustrative(one) for one in dated),
    )


def hanging(gates: pl.DataFrame) -> pl.DataFrame:
    """Return the gates whose result is another with the college's rejected rows counted."""
    result = pl.col("passed")
    agree = (result == pl.col("passed_rejected_for")) & (
        result == pl.col("passed_rejected_against")
    )
    return gates.filter(~agree)


def illustrative(dated: Any) -> int:
    """Return how many values of a dated file are illustrative; the file itself is none."""
    if isinstance(dated, Strict):
        own = [getattr(dated, name) for name in type(dated).model_fields]
        return sum(
            illustrative(part) + (isinstance(part, Stated) and part.status == "illustrative")
            for part in _flat(own)
        )
    return 0


def _flat(parts: list[Any]) -> list[Any]:
    """Lists among the parts, opened."""
    return [one for part in parts for one in (part if isinstance(part, list) else [part])]
