"""Where a round spends its time: ``kpi run`` in one process, its steps timed from outside.

    python benchmarks/steps.py INPUT STORE

Wraps the steps that ``funding.run`` calls; none of them calls another by these names, so no second
is counted twice. Prints one JSON object: seconds by step, ``sql`` for those that are SQL, ``other``
for what no step covers (writing the draft, for the most part), and ``whole``.
"""

import json
import sys
import time
from collections import defaultdict
from pathlib import Path

import funding.run
from kpi.pseudonyms import read_key

SQL_STEPS = ("run_checks", "reject_rows", "run_selects", "count_kpis", "allocate")
STEPS = ("read_inputs", *SQL_STEPS, "rank")


def timed(step, name, seconds):
    """Return the step, adding the time of each call to ``seconds[name]``."""

    def call(*args, **kwargs):
        started = time.perf_counter()
        try:
            return step(*args, **kwargs)
        finally:
            seconds[name] += time.perf_counter() - started

    return call


def main():
    """Run one round and print its seconds by step."""
    seconds = defaultdict(float)
    for name in STEPS:
        setattr(funding.run, name, timed(getattr(funding.run, name), name, seconds))
    folder, store = map(Path, sys.argv[1:3])
    started = time.perf_counter()
    plan = funding.run.plan_round("2025-26", "kpi", "threshold")
    funding.run.run_round(folder, store, plan, read_key(), lambda *_: None)
    whole = time.perf_counter() - started
    found = dict(seconds)
    found["other"] = whole - sum(seconds.values())
    found["sql"] = sum(seconds[name] for name in SQL_STEPS)
    found["whole"] = whole
    print(json.dumps(found))


if __name__ == "__main__":
    main()
