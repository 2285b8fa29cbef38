"""Do the intervals cover what they say? Simulated rounds whose true rates are known.

    python benchmarks/coverage.py STORE [--rounds 1000] [--draws 1000]

STORE holds a national round of the shipped methodology; its cohort sizes and its counted KPIs are
kept. Per simulated round: each college's true share of each question is drawn, a cohort is drawn
from those, the prior is fitted to the cohorts as the product fits it, and the product's own blocks
of draws give 90 % rank intervals. Counted is how often they hold the rank by the true shares.

True shares are logit-normal, with the fitted betas' mean and spread of the logit, and a college's
certificate rates go together across kinds of graduates (correlation 0.8): neither is what the
product assumes. In the second study the colleges' shares in work also rise with size, which its one
prior for all colleges cannot know. The peer is what is drawn without a prior: each KPI by itself,
from the Jeffreys posterior of its own counts. The third study is of a few colleges instead of all.

Prints Markdown tables; one thread.
"""

import argparse
import os
import platform
import sys
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from math import lgamma
from pathlib import Path

import numpy as np

from kpi import uncertainty
from kpi.index import published, score_array
from kpi.intervals import jeffreys, wilson
from kpi.rounds import open_round
from kpi.uncertainty import DRAWN_FROM, kinds_of

TOGETHER = 0.8
BY_SIZE = 0.5
LEAD = 100
FEW = 23


@dataclass(frozen=True)
class Study:
    """What is simulated: the round's model and kinds of graduates, and the truth's mean and
    deviation of the logit of each question.
    """

    model: object
    kinds: object
    logits: list
    draws: int
    by_size: float
    few: int | None


def study_of(store, draws, by_size=0.0, few=None):
    """Return the study of the round in a store."""
    of_round = open_round(Path(store))
    tables = {name: of_round.table(name) for name in DRAWN_FROM}
    model = uncertainty._model_of(tables, of_round.methodology)
    codes = [code for place, code in enumerate(_codes(model)) if place in model.drawn]
    kinds = kinds_of(tables["cohort_cells"], tables["cell_kpis"], codes, model.college_ids)
    rng = np.random.default_rng(1)
    logits = []
    for question in model.questions:
        yes, asked = asked_of(kinds.graduates, question)
        a, b = uncertainty.fit_beta(yes, asked)
        share = rng.beta(a, b, 1_000_000)
        logit = np.log(share / (1 - share))
        logits.append((logit.mean(), logit.std()))
    return Study(model, kinds, logits, draws, by_size, few)


def _codes(model):
    return uncertainty.indicator_codes(model.framework)


def asked_of(graduates, question):
    """Return how many said yes to a question, and how many were asked."""
    yes = graduates[:, question.yes].sum(axis=1)
    return yes, yes + graduates[:, question.no].sum(axis=1)


def true_shares(study, sizes, rng):
    """Return each question's true shares, shape (questions, units)."""
    certificate = study.kinds.kpis.index("certified_share")
    own = rng.standard_normal(len(sizes))
    standing = np.argsort(np.argsort(sizes)) / len(sizes) * 12**0.5 - 3**0.5  # variance 1
    found = []
    for question, (mean, deviation) in zip(study.model.questions, study.logits, strict=True):
        noise = rng.standard_normal(len(sizes))
        sums = study.kinds.numerator
        if (sums[question.yes, certificate] != sums[question.no[0], certificate]).all():
            noise = TOGETHER * own + (1 - TOGETHER**2) ** 0.5 * noise
        elif study.by_size:
            noise = study.by_size * standing + (1 - study.by_size**2) ** 0.5 * noise
        found.append(1 / (1 + np.exp(-mean - deviation * noise)))
    return np.array(found)


def parted(study, whole, part):
    """Return the people of each kind: the whole is parted by each question, with ``part``."""
    of = {tuple(range(study.model.kinds)): whole}
    for place, question in enumerate(study.model.questions):
        yes, no = tuple(question.yes), tuple(question.no)
        people = of.pop(tuple(sorted(yes + no)))
        of[yes] = part(people, place)
        of[no] = people - of[yes]
    return np.stack([of[kind,] for kind in range(study.model.kinds)], axis=-1)


def model_of(study, units, graduates):
    """Return the product's model of a round with these graduates; all are ranked whose employment
    rate is there.
    """
    kinds = replace(study.kinds, graduates=graduates)
    drawn = {}
    for place, one in study.model.drawn.items():
        drawn[place] = replace(
            one,
            rest_numerator=np.zeros(len(units)),
            rest_denominator=np.zeros(len(units)),
            is_there=graduates @ one.denominator >= one.least,
            applies=np.ones(len(units), dtype=bool),
        )
    gates = []
    for judged in study.model.gates:
        own = drawn[_codes(study.model).index(judged.gate.kpi)] if judged.drawn else None
        gates.append(replace(judged, passed=judged.passed[units], drawn=own))
    return replace(
        study.model,
        college_ids=[study.model.college_ids[unit] for unit in units],
        ranked=len(units),
        cohort=graduates.sum(axis=1),
        posteriors=[uncertainty._posterior(kinds, one) for one in study.model.questions],
        values=study.model.values[:, units],
        drawn=drawn,
        gates=gates,
        groups={name: group[units] for name, group in study.model.groups.items()},
    )


def jeffreys_scores(model, graduates, draws, rng):
    """Return scores by draws of each KPI by itself, shape (draws, units)."""
    values = np.repeat(model.values[:, None], draws, axis=1)
    for place, one in model.drawn.items():
        k, n = graduates @ one.numerator, graduates @ one.denominator
        values[place] = rng.beta(k + 0.5, n - k + 0.5, (draws, model.ranked))
        values[place][:, ~one.is_there] = np.nan
    index = score_array(np.moveaxis(values, 0, -1), model.framework).index
    return np.where(np.isnan(index), uncertainty._NO_SCORE, published(np.nan_to_num(index))).astype(
        np.int32
    )


def scores_of(model, people):
    """Return the scores by these people of each kind, shape (units,)."""
    each = [people[None, :, kind] for kind in range(model.kinds)]
    return uncertainty._scores(model, each, predictive=False)


def simulate(study, number):
    """Return one simulated round: a row per college that is ranked, see COLUMNS."""
    rng = np.random.default_rng([2, number])
    every = np.arange(study.model.ranked)
    units = np.sort(rng.permutation(every)[: study.few]) if study.few else every
    sizes = study.kinds.graduates[units].sum(axis=1)
    shares = true_shares(study, sizes, rng)
    counted = parted(study, sizes, lambda people, place: rng.binomial(people, shares[place]))
    model = model_of(study, units, counted)
    truth = parted(study, sizes.astype(float), lambda people, place: people * shares[place])
    new = parted(study, sizes, lambda people, place: rng.binomial(people, shares[place]))
    is_ranked = scores_of(model, counted)[0] > uncertainty._NO_SCORE
    true_rank = uncertainty.doubled_mid_ranks(scores_of(model, truth))[0] / 2
    observed = uncertainty.doubled_mid_ranks(scores_of(model, counted))[0] / 2
    seeds = np.random.SeedSequence(number).spawn(study.draws // uncertainty.BLOCK)
    blocks = [uncertainty._draw_block(model, uncertainty.BLOCK, seed) for seed in seeds]
    ranks = np.concatenate([block.ranks for block in blocks])
    low, high = uncertainty._percentiles(ranks)
    peer = uncertainty.doubled_mid_ranks(jeffreys_scores(model, counted, study.draws, rng))
    peer_low, peer_high = uncertainty._percentiles(peer)
    [gate] = [place for place, judged in enumerate(model.gates) if judged.drawn]
    chance = sum(block.gates[gate] for block in blocks) / sum(block.cohorts for block in blocks)
    judged = model.gates[gate]
    passed = uncertainty._passed(judged, [new[None, :, kind] for kind in range(model.kinds)])[0]
    quarter = np.argsort(np.argsort(sizes, kind="stable")) * 4 // len(sizes)
    columns = {
        "held": (low <= true_rank) & (true_rank <= high),
        "width": high - low,
        "peer_held": (peer_low <= true_rank) & (true_rank <= peer_high),
        "peer_width": peer_high - peer_low,
        "observed": observed,
        "quarter": quarter,
        "chance": chance,
        "passed": passed,
    }
    return {name: column[is_ranked] for name, column in columns.items()}


def simulate_all(study, rounds):
    """Return the columns of all rounds, with the number of the round."""
    found = []
    for number in range(rounds):
        found.append(simulate(study, number))
        found[-1]["round"] = np.full(len(found[-1]["held"]), number)
        if number % 50 == 49:
            print(f"{number + 1} of {rounds} rounds", file=sys.stderr, flush=True)
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def coverage(columns, name, among):
    """Return the share held and its standard error by rounds (colleges of a round go together)."""
    of_round, held = columns["round"][among], columns[name][among]
    rounds = columns["round"].max() + 1
    sums = np.bincount(of_round, held, rounds)
    counts = np.bincount(of_round, minlength=rounds)
    share = held.mean()
    return share, np.sqrt(((sums - share * counts) ** 2).sum()) / counts.sum()


def coverage_rows(columns):
    """Return the rows of the table of rank intervals."""
    groups = {"all colleges": np.ones(len(columns["held"]), dtype=bool)}
    if columns["observed"].max() > 2 * LEAD:
        groups[f"observed in the first {LEAD}"] = columns["observed"] <= LEAD
        groups["observed in the first 20"] = columns["observed"] <= 20
    names = ("smallest", "second", "third", "largest")
    for place, name in enumerate(names):
        groups[f"{name} quarter by cohort"] = columns["quarter"] == place
    for what, among in groups.items():
        cells = []
        for part in ("", "peer_"):
            share, error = coverage(columns, f"{part}held", among)
            width = columns[f"{part}width"][among].mean()
            cells.append(f"{100 * share:.1f} % (± {100 * error:.1f}) | {width:.0f}")
        yield f"| {what} | {' | '.join(cells)} |"


def chance_rows(columns):
    """Return the rows of the table of chances: of those told so much, how many passed."""
    edges = [0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0001]
    for low, high in pairwise(edges):
        among = (columns["chance"] >= low) & (columns["chance"] < high)
        if not among.any():
            continue
        passed, error = coverage(columns, "passed", among)
        told = columns["chance"][among].mean()
        name = f"{100 * low:.0f}–{min(100 * high, 100):.0f} %"
        yield f"| {name} | {100 * told:.1f} % | {100 * passed:.1f} % (± {100 * error:.1f}) |"


def rate_rows():
    """Return the rows of the table of a single rate: exact, over the rates 0.01, 0.02, ... 0.99."""
    rates = np.arange(1, 100) / 100
    for n in (10, 20, 50, 200):
        k = np.arange(n + 1)
        ways = np.array([lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1) for x in k])
        chance = np.exp(ways + np.outer(np.log(rates), k) + np.outer(np.log(1 - rates), n - k))
        cells = []
        for interval in (wilson, jeffreys):
            low, high = interval(k, np.full(n + 1, n), 0.95)
            held = (low <= rates[:, None]) & (rates[:, None] <= high)
            covered = (chance * held).sum(axis=1)
            cells.append(f"{100 * covered.mean():.1f} % | {100 * covered.min():.1f} %")
        yield f"| {n} | {' | '.join(cells)} |"


def say_study(title, columns, draws, seconds):
    """Print the table of one study."""
    rounds = columns["round"].max() + 1
    print(f"\n{title}: {rounds:,} rounds of {draws:,} draws, {seconds:,.0f} s\n")
    print("| colleges | fitted prior: covered | places | Jeffreys, no prior: covered | places |")
    print("|---|---:|---:|---:|---:|")
    print(*coverage_rows(columns), sep="\n", flush=True)


def main():
    """Simulate and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("store", help="a store with a national round of the shipped methodology")
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--draws", type=int, default=1_000, help="whole blocks of 200")
    arguments = parser.parse_args()
    print("| n | Wilson: mean | least | Jeffreys: mean | least |\n|---:|---:|---:|---:|---:|")
    print(*rate_rows(), sep="\n", flush=True)
    store, draws, rounds = arguments.store, arguments.draws, arguments.rounds
    studies = {
        "The national round": (study_of(store, draws), rounds),
        f"{FEW} colleges": (study_of(store, draws, few=FEW), rounds),
        "Larger colleges do better": (study_of(store, draws, BY_SIZE), -(-rounds // 5)),
    }
    for title, (study, number) in studies.items():
        started = time.perf_counter()
        columns = simulate_all(study, number)
        say_study(title, columns, draws, time.perf_counter() - started)
        print("\n| chance told of the gate | mean | passed with a new cohort |\n|---|---:|---:|")
        print(*chance_rows(columns), sep="\n", flush=True)
    print(f"\n{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}.")


if __name__ == "__main__":
    main()
