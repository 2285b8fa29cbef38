"""The engine over polars frames, for any composite index."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from kpi.index.engine import Scores, score_array
from kpi.index.outliers import treatment
from kpi.index.tree import Floats, Tree

SCORED_SCHEMA: dict[str, Any] = {
    "unit": pl.String,
    "code": pl.String,
    "level": pl.Int64,
    "value": pl.Float64,
    "treated": pl.Float64,
    "normalised": pl.Float64,
    "rank": pl.Int64,
    "weight": pl.Float64,
    "contribution": pl.Float64,
    "at_floor": pl.Boolean,
    "at_target": pl.Boolean,
}
TREATED_SCHEMA: dict[str, Any] = {
    "code": pl.String,
    "how": pl.String,
    "unit": pl.String,
    "value": pl.Float64,
    "treated": pl.Float64,
    "skew_before": pl.Float64,
    "kurt_before": pl.Float64,
    "skew_after": pl.Float64,
    "kurt_after": pl.Float64,
}
TIE_DECIMALS = 9


@dataclass(frozen=True)
class Scored:
    """What ``score`` returns.

    ``nodes``: one row a unit and node of the framework, units and nodes in the order given: the
    node's level (1 for indicators, rising to the index), an indicator's raw and treated value, the
    normalised value or the group's aggregate, its rank among the units (1, 2, 2, 4, the highest
    first; scores that agree to nine decimals share a rank), the effective weight in the index, the
    contribution to it, and where goalposts clamped. Null is missing.

    ``treatment``: one row for each value that the treatment of outliers changed, with the skewness
    and excess kurtosis of its indicator before and after; one without unit for an indicator that
    was within limits or has too few units.
    """

    nodes: pl.DataFrame
    treatment: pl.DataFrame


def score(values: pl.DataFrame, framework: pl.DataFrame) -> Scored:
    """Score the rows of ``values`` under ``framework`` (``kpi.index``), with every step.

    ``values`` has one row a unit: its name in the first column, then a column for each indicator
    of the framework, by code, null where missing. Raises ValueError for a name that is missing or
    there twice, for an indicator without column, for a column that is no indicator, and for a
    framework that is no tree.

    The Human Development Index of three countries in 2021; values and goalposts as UNDP published
    them (Human Development Report 2021/2022, time series of all components; its index: 0.961,
    0.709 and 0.478):

    >>> values = pl.DataFrame({
    ...     "country": ["Norway", "Jamaica", "Afghanistan"], "life": [83.2339, 70.5003, 61.9824],
    ...     "expected": [18.1852, 13.4049, 10.2638], "mean": [13.0036, 9.1546, 2.9851],
    ...     "income": np.log([64_660.11, 8_834.48, 1_824.19])})
    >>> framework = pl.DataFrame({
    ...     "code": ["hdi", "education", "life", "expected", "mean", "income"],
    ...     "parent": [None, "hdi", "hdi", "education", "education", "hdi"],
    ...     "direction": [None, None, 1, 1, 1, 1], "weight": [1] * 6,
    ...     "normalise": [None, None, *["goalposts"] * 4],
    ...     "floor": [None, None, 20, 0, 0, np.log(100)],
    ...     "target": [None, None, 85, 18, 15, np.log(75_000)],
    ...     "aggregate": ["geometric", "arithmetic", None, None, None, None],
    ...     "missing": ["not_ranked"] * 6}, strict=False)
    >>> for row in score(values, framework).nodes.filter(code="hdi").iter_rows(named=True):
    ...     print(row["rank"], row["unit"], f"{row['normalised'] / 100:.3f}")
    1 Norway 0.961
    2 Jamaica 0.709
    3 Afghanistan 0.478
    """
    tree = Tree(framework)
    codes = [node.code for node in tree.indicators]
    units = _units(values, codes)
    raw = values.select(pl.col(codes).cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    scores = score_array(raw, framework)
    by_code = dict(zip(codes, raw.T, strict=True))
    return Scored(_nodes(units, tree, by_code, scores), treatment_report(units, raw, framework))


def _units(values: pl.DataFrame, codes: list[str]) -> pl.Series:
    name, *columns = values.columns
    if lacking := [code for code in codes if code not in columns]:
        raise ValueError(f"values: no column for the indicators {', '.join(lacking)}")
    if unknown := [column for column in columns if column not in codes]:
        raise ValueError(f"values: no indicator of the framework: {', '.join(unknown)}")
    units = values[name].cast(pl.String)
    if units.null_count() or units.n_unique() != units.len():
        raise ValueError(f"values: {name} names a unit twice, or not at all")
    return units


def _nodes(units: pl.Series, tree: Tree, raw: dict[str, Floats], scores: Scores) -> pl.DataFrame:
    level, count = tree.levels(), units.len()
    frames = []
    for code in (node.code for node in tree):
        columns = {
            "unit": units,
            "code": [code] * count,
            "level": [level[code]] * count,
            "value": raw.get(code),
            "treated": scores.treated.get(code),
            "normalised": scores.normalised[code],
            "rank": competition_ranks(scores.normalised[code]),
            "weight": scores.weight[code],
            "contribution": scores.contribution[code],
            "at_floor": scores.at_floor.get(code),
            "at_target": scores.at_target.get(code),
        }
        frames.append(
            pl.DataFrame(
                {name: [None] * count if of is None else of for name, of in columns.items()},
                schema=SCORED_SCHEMA,
                nan_to_null=True,
            ).with_row_index("place")
        )
    return pl.concat(frames).sort("place", maintain_order=True).drop("place")


def competition_ranks(normalised: Floats) -> list[int | None]:
    """Return ranks 1, 2, 2, 4 from the highest score, None where it is missing."""
    rounded = np.round(normalised, TIE_DECIMALS)
    ordered = np.sort(-rounded[~np.isnan(rounded)])
    places = 1 + np.searchsorted(ordered, -rounded)
    return [
        None if np.isnan(value) else int(place)
        for value, place in zip(rounded, places, strict=True)
    ]


def treatment_report(units: pl.Series, values: Floats, framework: pl.DataFrame) -> pl.DataFrame:
    """Return ``Scored.treatment`` of ``values``, shape (units, indicators), as ``score_array``
    takes them; ``units`` are their names.
    """
    rows: list[dict[str, Any]] = []
    for place, node in enumerate(Tree(framework).indicators):
        if node.treat is None:
            continue
        column = values[:, place]
        done = treatment(column, node.treat)
        measures = {
            "skew_before": done.skew_before,
            "kurt_before": done.kurt_before,
            "skew_after": done.skew_after,
            "kurt_after": done.kurt_after,
        }
        changed = np.nonzero((done.values != column) & ~np.isnan(column))[0]
        points: list[dict[str, Any]] = [
            {"unit": units[int(at)], "value": column[at], "treated": done.values[at]}
            for at in changed
        ]
        for point in points or [{"unit": None, "value": None, "treated": None}]:
            rows.append({"code": node.code, "how": done.how, **point, **measures})
    return pl.DataFrame(rows, schema=TREATED_SCHEMA).fill_nan(None)
