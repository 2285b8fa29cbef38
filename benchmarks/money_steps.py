"""Open one round for scenarios and print, as JSON, how long each question takes.

    python benchmarks/money_steps.py STORE OUT

The peer of the frontier is numpy over the stored tables: the same 46 points without the pipeline,
for this rule and methodology alone; both must find the same tenge.
"""

import itertools
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from funding.scenario import FRONTIER, Desk, frontier_of
from funding.settings import with_settings
from funding.workbook import write_workbook
from kpi.rounds import open_round

SCENARIOS = [
    ["gates.employment_rate=0.75"],
    ["norm.full=900000"],
    ["gates.dual_share=0.25", "gates.employment_rate=0.65"],
    ["weights.employment_rate=0.25", "weights.in_specialty_rate=0.25"],
    ["coefficients.heavy=1.5", "coefficients.workshop=1.2"],
    ["leagues.1.max_count=50"],
    ["appropriation.amount=60000000000", "appropriation.covers=incentive"],
    ["phase_in.employment_rate.zero_at=0.6", "phase_in.employment_rate.full_at=0.8"],
    ["count_basis=monthly_average"],
]
"""One of each kind; each is asked for right after the baseline, as a user would."""


def timed(call):
    """Return what a call gives and its seconds."""
    started = time.perf_counter()
    found = call()
    return found, time.perf_counter() - started


def scenario_seconds(desk):
    """Return the seconds of each scenario, asked for after the baseline."""
    seconds = {}
    for settings in SCENARIOS:
        desk.outcome(desk.rules)
        _, seconds[" ".join(settings)] = timed(
            lambda settings=settings: desk.outcome(with_settings(desk.rules, settings)[0])
        )
    return seconds


def frontier_peer(of_round):
    """Return the amounts of the 46 points by numpy, in whole numbers."""
    gates = of_round.table("gates").filter(pl.col("gate") == "employment_rate")
    others = of_round.table("gates").filter(pl.col("gate") != "employment_rate")
    passed = others.group_by("college_id").agg(pl.col("passed").all())
    lines = (
        of_round.table("funding_lines")
        .group_by("college_id")
        .agg(base=pl.col("base_amount").sum(), student_months=pl.col("student_months").sum())
    )
    joined = lines.join(passed, on="college_id").join(gates, on="college_id", suffix="_gate")
    numerator = (joined["numerator"].cast(pl.Float64).to_numpy() * 100).astype(np.int64)
    denominator = joined["denominator"].cast(pl.Float64).to_numpy().astype(np.int64)
    may = joined["passed"].to_numpy() & (denominator > 0)
    incentive = joined["student_months"].to_numpy() * 475_000 // 12
    base = joined["base"].to_numpy().sum()
    return [
        int(base + incentive[may & (numerator >= int(point * 100) * denominator)].sum())
        for point in FRONTIER
    ]


def main():
    """Measure and print."""
    store, out = map(Path, sys.argv[1:3])
    of_round = open_round(store)
    desk, opened = timed(lambda: Desk(of_round, store))
    scenarios = list(
        itertools.chain.from_iterable(scenario_seconds(desk).items() for _ in range(5))
    )
    by_kind = {}
    for name, seconds in scenarios:
        by_kind.setdefault(name, []).append(seconds)
    points, frontier = timed(lambda: frontier_of(desk, desk.rules, [("employment_rate", FRONTIER)]))
    peer, peer_seconds = timed(lambda: frontier_peer(of_round))
    if peer != points["amount"].to_list():
        sys.exit("the frontier and its peer do not agree")
    _, workbook = timed(lambda: write_workbook(of_round, out / "workbook.xlsx"))
    print(
        json.dumps(
            {
                "open": opened,
                "scenarios": {k: statistics.median(v) for k, v in by_kind.items()},
                "frontier": frontier,
                "frontier_peer": peer_seconds,
                "workbook": workbook,
            }
        )
    )


if __name__ == "__main__":
    main()
