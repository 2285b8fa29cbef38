"""How colleges lie around a gate: how far from its threshold, and who is within one person of it.

A college "one short" would pass with one person more in the numerator; one with "nobody to spare"
passes, and would fail with one person fewer. Compared as in ``sql/3_profile/gates.sql``, on exact
counts: ``numerator >= threshold x denominator``. Frames come from ``kpi.access.read_table``: where
a count or result is hidden from the viewer, the college is left out and counted.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from kpi.methodology import Methodology

Row = dict[str, Any]

ONE_SHORT, NONE_TO_SPARE = "one_short", "none_to_spare"
PLACES = ("below", ONE_SHORT, NONE_TO_SPARE, "above")
"""Where a college can lie, from far below the threshold to far above it."""

WITHIN_ONE = (ONE_SHORT, NONE_TO_SPARE)
REACH = 15
"""Percentage points on either side of a threshold that are told apart; farther is farther."""

SCHEMA: dict[str, Any] = {
    "college_id": pl.String,
    "gate": pl.String,
    "numerator": pl.Int64,
    "denominator": pl.Int64,
    "value": pl.Float64,
    "threshold": pl.Decimal(18, 6),
    "passed": pl.Boolean,
    "place": pl.String,
    "points": pl.Int64,
    "decides": pl.Boolean,
}


def gates_of_people(methodology: Methodology) -> list[str]:
    """Return the gates whose numerator is a number of people, in the methodology's order."""
    shares = {kpi.code for kpi in methodology.kpis if kpi.kind.endswith("_share")}
    return [gate.kpi for gate in methodology.gates if gate.kpi in shares]


def around_gates(
    gates: pl.DataFrame, paid: Iterable[str], methodology: Methodology, asked: Sequence[str]
) -> pl.DataFrame:
    """Return one row per paid college and gate of people that its counts decide.

    ``gates``: the table of that name; ``paid``: ids of the colleges that are paid; ``asked``: the
    gates that the incentive asks for. Columns: SCHEMA; ``place`` is one of PLACES; ``points`` how
    many whole percentage points the value lies above the threshold (rounded down, so -1 is just
    below); ``decides`` whether every other gate asked for is passed, so that this one decides the
    money (empty where a result is hidden). Ordered by gate and college.
    """
    judged = {gate.kpi for gate in methodology.gates if gate.on_small_cohort == "judge"}
    of_people = gates_of_people(methodology)
    wanted = set(paid)
    results: dict[str, dict[str, bool | None]] = {}
    rows = [row for row in gates.iter_rows(named=True) if row["college_id"] in wanted]
    for row in rows:
        results.setdefault(row["college_id"], {})[row["gate"]] = row["passed"]
    found = [
        _placed(row, results[row["college_id"]], asked)
        for row in rows
        if row["gate"] in of_people and _is_decided_by_counts(row, judged)
    ]
    order = {gate: number for number, gate in enumerate(of_people)}
    found.sort(key=lambda row: (order[row["gate"]], row["college_id"]))
    return pl.DataFrame(found, schema=SCHEMA)


def place_of(numerator: Decimal, denominator: Decimal, threshold: Decimal) -> str:
    """Return where counts lie around a threshold: one of PLACES."""
    least = threshold * denominator
    if numerator >= least:
        return "above" if numerator - 1 >= least else NONE_TO_SPARE
    return ONE_SHORT if numerator + 1 >= least else "below"


def points_above(numerator: Decimal, denominator: Decimal, threshold: Decimal) -> int:
    """Return how many whole percentage points a value lies above a threshold, rounded down: 7 of 10
    against 0.7 is 0, 69 of 99 against 0.7 is -1.
    """
    return int((Fraction(numerator) / Fraction(denominator) - Fraction(threshold)) * 100 // 1)


def _is_decided_by_counts(row: Row, judged: set[str]) -> bool:
    """Whether both counts are seen and decide: not the policy of a small cohort or of no data."""
    if row["numerator"] is None or not row["denominator"]:
        return False
    by_policy = row["decided_by"] == "small_cohort" and row["gate"] not in judged
    return row["decided_by"] is not None and not by_policy


def _placed(row: Row, results: dict[str, bool | None], asked: Sequence[str]) -> Row:
    counts = (row["numerator"], row["denominator"], row["threshold"])
    others = [results.get(gate) for gate in asked if gate != row["gate"]]
    decides = False if False in others or row["gate"] not in asked else (None not in others) or None
    return {
        "college_id": row["college_id"],
        "gate": row["gate"],
        "numerator": int(row["numerator"]),
        "denominator": int(row["denominator"]),
        "value": float(row["numerator"] / row["denominator"]),
        "threshold": row["threshold"],
        "passed": row["passed"],
        "place": place_of(*counts),
        "points": points_above(*counts),
        "decides": decides,
    }


def hidden_around(gates: pl.DataFrame, paid: Iterable[str], gate: str) -> int:
    """Return of how many paid colleges a count or result at a gate is hidden from the viewer."""
    rows = gates.filter(pl.col("gate") == gate, pl.col("college_id").is_in(list(paid)))
    return int(rows["suppressed"].is_not_null().sum())


def bins_around(placed: pl.DataFrame, gate: str) -> pl.DataFrame:
    """Return how many colleges lie in each percentage point around a gate.

    ``placed``: from ``around_gates``. One row per point of -REACH .. REACH - 1 and place that has
    somebody: points, place, order (of the place), colleges, and ``low`` and ``high``: from where to
    where they reach when the places of a point are piled up in their order.
    """
    near = placed.filter(pl.col("gate") == gate, pl.col("points").is_between(-REACH, REACH - 1))
    order = pl.Enum(PLACES)
    return (
        near.group_by("points", "place")
        .agg(colleges=pl.len().cast(pl.Int64))
        .with_columns(order=pl.col("place").cast(order).to_physical().cast(pl.Int64))
        .sort("points", "order")
        .with_columns(high=pl.col("colleges").cum_sum().over("points"))
        .with_columns(low=pl.col("high") - pl.col("colleges"))
    )


def farther(placed: pl.DataFrame, gate: str) -> tuple[int, int]:
    """Return how many colleges lie farther below, and farther above, than ``bins_around`` tells."""
    points = placed.filter(pl.col("gate") == gate)["points"]
    return int((points < -REACH).sum()), int((points >= REACH).sum())


def within_one(placed: pl.DataFrame) -> pl.DataFrame:
    """Return the rows within one person of a gate: those first where this gate decides money, then
    those of which the viewer cannot know.
    """
    decides = pl.col("decides")
    order = pl.when(decides.is_null()).then(1).when(decides).then(2).otherwise(0)
    return placed.filter(pl.col("place").is_in(WITHIN_ONE)).sort(
        order, "gate", "place", "college_id", descending=[True, True, True, False]
    )


def counted(placed: pl.DataFrame, gate: str) -> dict[str, int]:
    """Return how many colleges lie in each of PLACES of a gate."""
    places = placed.filter(pl.col("gate") == gate)["place"].to_list()
    return {place: places.count(place) for place in PLACES}


def marks_around(threshold: Decimal) -> dict[int, Decimal]:
    """Return the values (0..1) to write at every fifth percentage point around a threshold."""
    marks = {points: threshold + Decimal(points) / 100 for points in range(-REACH, REACH + 1, 5)}
    return {points: value for points, value in marks.items() if 0 <= value <= 1}


def span_of(threshold: Decimal, points: int) -> tuple[Decimal, Decimal]:
    """Return the values (0..1) between which a whole percentage point above a threshold lies."""
    return threshold + Decimal(points) / 100, threshold + Decimal(points + 1) / 100
