"""Who gains and who loses by a scenario (pure functions over ``Scenario.colleges()``).

``moves`` are its rows: one per college, with amount, share, rank and league before, the same under
the scenario (``amount_scenario`` ...), and ``difference`` in tenge per year.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import polars as pl

from funding.scenario import FRONTIER

Mark = tuple[str, Decimal | None, int, int]

_MARKS: dict[str, Any] = {
    "name": pl.String,
    "threshold": pl.Decimal(18, 6),
    "percent": pl.Float64,
    "qualifying": pl.Int64,
    "amount": pl.Int64,
    "billions": pl.Float64,
}

_ROOM = 8
"""Percentage points that the words at a mark take on a narrow screen."""

GAIN, LOSE, LEAGUE = "gain", "lose", "league"
LISTS = (GAIN, LOSE, LEAGUE)


def chosen(moves: pl.DataFrame, which: str) -> pl.DataFrame:
    """Return those that gain, or lose, the largest first, or whose league moves, best first."""
    if which == GAIN:
        return moves.filter(pl.col("difference") > 0).sort(
            "difference", "college_id", descending=[True, False]
        )
    if which == LOSE:
        return moves.filter(pl.col("difference") < 0).sort("difference", "college_id")
    return moves.filter(pl.col("league").ne_missing(pl.col("league_scenario"))).sort(
        "league_scenario", "rank_scenario", "college_id", nulls_last=True
    )


def counted(moves: pl.DataFrame) -> dict[str, int]:
    """Return how many colleges each of LISTS has."""
    return {which: chosen(moves, which).height for which in LISTS}


def summed(moves: pl.DataFrame) -> tuple[int, int]:
    """Return what all that gain gain, and what all that lose lose (negative), tenge per year."""
    difference = moves["difference"]
    return int(difference.filter(difference > 0).sum()), int(
        difference.filter(difference < 0).sum()
    )


def moved_regions(regions: pl.DataFrame) -> pl.DataFrame:
    """Return the regions of ``Scenario.regions()`` whose amount moves, without the nation, from the
    largest gain to the largest loss; where all lose, the largest loss first.
    """
    moved = regions.filter(pl.col("region") != "KZ", pl.col("difference") != 0)
    gains = bool((moved["difference"] > 0).any())
    return moved.sort("difference", "region", descending=[gains, False])


def turned(moves: pl.DataFrame) -> tuple[int, int]:
    """Return how many colleges earn a share of the incentive that earned none, and the reverse."""
    before, after = moves["share"] > 0, moves["share_scenario"] > 0
    return int((after & ~before).sum()), int((before & ~after).sum())


def span_around(threshold: Decimal) -> list[Decimal]:
    """Return the 46 thresholds of a frontier that show a threshold among them: 0.50 to 0.95 where
    it lies there, else 0.00 to 0.45, else 0.55 to 1.00.
    """
    if FRONTIER[0] <= threshold <= FRONTIER[-1]:
        return FRONTIER
    shift = -FRONTIER[0] if threshold < FRONTIER[0] else 1 - FRONTIER[-1]
    return [one + shift for one in FRONTIER]


def in_billions(amount: int) -> float:
    """Return tenge as billions, for the length of something drawn."""
    return amount / 10**9


def curve_of(points: pl.DataFrame, gate: str) -> pl.DataFrame:
    """Return a frontier of one gate to draw: threshold (0..1), percent, qualifying, amount,
    billions, and ``is_labelled``: every tenth of a hundred, where there is room for words.
    """
    percent = (pl.col(gate) * 100).cast(pl.Float64).round(1)
    return points.select(
        threshold=pl.col(gate),
        percent=percent,
        qualifying="qualifying",
        amount="amount",
        billions=pl.col("amount") / 10**9,
        is_labelled=percent % 10 == 0,
    ).sort("threshold")


def heights_of(curve: pl.DataFrame) -> dict[float, int]:
    """Return three heights to write beside a curve: billions, and the amount in tenge."""
    low, high = int(curve["amount"].min()), int(curve["amount"].max())  # type: ignore[arg-type]
    step = max(1, (high - low) // 2)
    return {round(in_billions(amount), 3): amount for amount in (low, low + step, high)}


def marks_on(curve: pl.DataFrame, points: Iterable[Mark]) -> pl.DataFrame:
    """Return the points to mark on a curve: those whose threshold (0..1) lies between its ends.

    ``points``: name, threshold (None where there is no such gate), qualifying colleges, and tenge
    a year. Columns: name, threshold, percent, qualifying, amount, billions, and ``is_above``: the
    dearest, whose words go above it; those of the others go below.
    """
    low, high = curve["threshold"].min(), curve["threshold"].max()
    rows = [
        (name, threshold, float(threshold * 100), qualifying, amount, in_billions(amount))
        for name, threshold, qualifying, amount in points
        if threshold is not None and low <= threshold <= high  # type: ignore[operator]
    ]
    found = pl.DataFrame(rows, schema=_MARKS, orient="row")
    return found.with_columns(is_above=pl.col("amount").arg_max() == pl.int_range(pl.len()))


def with_room(curve: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """Return the curve with ``has_text``: labelled, and far enough from every mark for words."""
    near = pl.lit(value=False)
    for percent in marks["percent"]:
        near |= (pl.col("percent") - percent).abs() < _ROOM
    return curve.with_columns(has_text=pl.col("is_labelled") & ~near)
