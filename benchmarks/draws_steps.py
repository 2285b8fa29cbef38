"""Draw chance for one stored round and print, as JSON, what it took.

python benchmarks/draws_steps.py STORE
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from kpi import uncertainty
from kpi.rounds import open_round

PEER_DRAWS = 100


def peak():
    """Return the largest resident set so far, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def peer_seconds(tables, methodology):
    """Return the seconds of as many draws one after the other, by shares alone and without new
    cohorts: the same posterior and engine, ranks by sorting. Bands take one count more a pair.
    """
    model = uncertainty._model_of(tables, methodology)
    rng = np.random.default_rng(1)
    started = time.perf_counter()
    scores = []
    for _ in range(PEER_DRAWS):
        people = {tuple(range(model.kinds)): model.cohort.astype(float)[None]}
        for question, (a, b) in zip(model.questions, model.posteriors, strict=True):
            of = people.pop(tuple(sorted(question.yes + question.no)))
            people[tuple(question.yes)] = of * rng.beta(a, b)
            people[tuple(question.no)] = of - people[tuple(question.yes)]
        each = [people[kind,] for kind in range(model.kinds)]
        [score] = uncertainty._scores(model, each, predictive=False)
        ordered = np.sort(-score)
        first = np.searchsorted(ordered, -score, side="left")
        last = np.searchsorted(ordered, -score, side="right")
        scores.append((first + last + 1) / 2)
    np.percentile(np.array(scores), [5, 95], axis=0)
    return time.perf_counter() - started


def main():
    """Measure and print."""
    started = time.perf_counter()
    of_round = open_round(Path(sys.argv[1]))
    methodology = of_round.methodology
    tables = {name: of_round.table(name) for name in uncertainty.DRAWN_FROM}
    before, before_peak = time.perf_counter() - started, peak()
    started, processor = time.perf_counter(), time.process_time()
    uncertainty.uncertainty_of(tables, methodology)
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    found = {
        "draws": uncertainty.DRAWS,
        "colleges": tables["unit_profile"].height,
        "before": before,
        "before_peak": before_peak,
        "seconds": seconds,
        "processor": processor,
        "peer": peer_seconds(tables, methodology) * uncertainty.DRAWS / PEER_DRAWS,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
