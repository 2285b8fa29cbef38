"""Do the signs of gaming keep their level in honest rounds, and what do they find in others?

    python benchmarks/signs.py [--rounds 300]

Honest rounds are drawn with 700 colleges of 12 to 1,500 graduates (log-normal, half below 125). A
sign's level is the share of honest rounds in which it finds anybody: its false discovery rate,
where all are honest, which is held at 5 %. Power is the share of planted gamers that it finds, with
the share of false alarms among all found.

Colleges' true shares are beta-distributed, as the product assumes, or logit-normal with the about
the same mean and variance, as its second null assumes. Prints Markdown tables; one thread.
"""

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.random import Generator

from kpi.chance import Bools, Floats, Ints, at_least_of_unlike
from kpi.judging import LEVEL, around_gate, judge_largest, judge_rises, judge_shares

COLLEGES, GAMERS = 700, 35
GATES = {"0.70": (70, 100), "0.60": (60, 100), "2/3": (66667, 100000), "0.75": (75, 100)}


def sizes(rng: Generator, colleges: int = COLLEGES) -> Ints:
    """Draw graduates per college."""
    drawn = np.exp(rng.normal(np.log(125), 0.9, colleges))
    return np.clip(drawn, 12, 1500).astype(np.int64)


def true_shares(
    rng: Generator, mean: float, people: float, colleges: int, shape: str = "beta"
) -> Floats:
    """Draw a share for each college that differs as a prior of so many people has it."""
    drawn = rng.beta(mean * people, (1 - mean) * people, colleges)
    if shape == "beta":
        return drawn
    spread = 1 / np.sqrt(mean * (1 - mean) * (people + 1))
    odds = np.log(mean / (1 - mean)) * np.sqrt(1 + np.pi / 8 * spread**2)
    return np.asarray(1 / (1 + np.exp(-rng.normal(odds, spread, colleges))))


def drifted(rng: Generator, shares: Floats, nation: float, by: float) -> Floats:
    """Move the log-odds of shares as the nation's, and each at random by a standard deviation."""
    odds = np.log(shares / (1 - shares)) + nation + rng.normal(0, by, len(shares))
    return np.asarray(1 / (1 + np.exp(-odds)))


def groups_of(rng: Generator, n: Ints, theta: float) -> tuple[Ints, Ints]:
    """Draw employers of unlike size (Ewens' partitions, by breaking a stick): the college of each,
    and its graduates. The larger theta, the more employers.
    """
    cuts = rng.beta(1, theta, (len(n), 300))
    left = np.cumprod(np.concatenate([np.ones((len(n), 1)), 1 - cuts[:, :-1]], axis=1), axis=1)
    return _groups(rng, n, cuts * left)


def even_groups(rng: Generator, n: Ints, employers: int) -> tuple[Ints, Ints]:
    """Draw employers alike: each graduate goes to one of so many at random."""
    return _groups(rng, n, np.full((len(n), employers), 1 / employers))


def _groups(rng: Generator, n: Ints, parts: Floats) -> tuple[Ints, Ints]:
    size = rng.multinomial(n, parts / parts.sum(axis=1, keepdims=True))
    unit, _ = np.nonzero(size)
    return unit, size[size > 0]


# ------------------------------------------------------------------------------------ one round


Found = tuple[int, int]
"""How many gamers were found, and how many others."""


def share_round(rng: Generator, mean: float, people: float, shape: str, to: float) -> Found:
    """Judge shares; the gamers' share is raised by ``to`` of what is left to 1."""
    n = sizes(rng)
    shares = true_shares(rng, mean, people, COLLEGES, shape)
    gaming = _gamers(rng, to)
    shares = np.where(gaming, shares + to * (1 - shares), shares)
    return _found(judge_shares(rng.binomial(n, shares), n).q, gaming)


def rise_round(
    rng: Generator, mean: float, people: float, shape: str, nation: float, by: float, to: float
) -> Found:
    """Judge rises; the gamers' share now is raised by ``to`` of what is left to 1."""
    n = sizes(rng)
    of = np.maximum((n * np.exp(rng.normal(0, 0.15, COLLEGES))).astype(np.int64), 1)
    before = true_shares(rng, mean, people, COLLEGES, shape)
    now = drifted(rng, np.clip(before, 1e-6, 1 - 1e-6), nation, by)
    gaming = _gamers(rng, to)
    now = np.where(gaming, now + to * (1 - now), now)
    judged = judge_rises(rng.binomial(of, before), of, rng.binomial(n, now), n)
    return _found(judged.q, gaming)


def employer_round(
    rng: Generator, draw: Callable[[Generator, Ints], tuple[Ints, Ints]], to: float
) -> Found:
    """Judge largest employers; of the gamers' graduates ``to`` go to one more."""
    n = sizes(rng)
    gaming = _gamers(rng, to)
    moved = np.where(gaming, (n * to).astype(np.int64), 0)
    unit, size = draw(rng, n - moved)
    more = np.flatnonzero(moved)
    unit, size = np.concatenate([unit, more]), np.concatenate([size, moved[more]])
    return _found(judge_largest(unit, size, COLLEGES).q, gaming)


def _gamers(rng: Generator, to: float) -> Bools:
    gaming = np.zeros(COLLEGES, dtype=bool)
    if to:
        gaming[rng.permutation(COLLEGES)[:GAMERS]] = True
    return gaming


def _found(q: Floats, gaming: Bools) -> Found:
    found = q <= LEVEL
    return int((found & gaming).sum()), int((found & ~gaming).sum())


def gate_round(
    rng: Generator, shape: str, gate: tuple[int, int], pushed: int
) -> tuple[float, float]:
    """Return the p-value of the product's test at a gate, and of one on shares: of those within two
    percentage points of it, how many pass, beside one half. Of those that are one or two people
    short, ``pushed`` in 100 get as many more.
    """
    n = sizes(rng)
    k = rng.binomial(n, true_shares(rng, 0.72, 20, COLLEGES, shape))
    least = -(-gate[0] * n // gate[1])
    short = (k < least) & (k >= least - 2) & (rng.random(COLLEGES) < pushed / 100)
    k = np.where(short, least, k)
    near = np.abs(k / n - gate[0] / gate[1]) < 0.02
    passes = int((near & (k >= least)).sum())
    return around_gate(k, n, least)[3], binom_at_least(passes, int(near.sum()))


def binom_at_least(k: int, n: int) -> float:
    """Return the chance of k or more of n, each by one half."""
    return at_least_of_unlike(k, np.full(n, 0.5))


# ------------------------------------------------------------------------------------- the tables

HONEST: dict[str, Callable[[Generator, float], Found]] = {
    "share: 9 % unverified, unequal": partial(share_round, mean=0.09, people=20, shape="beta"),
    "share: the same, logit-normal": partial(share_round, mean=0.09, people=20, shape="logit"),
    "share: 10 % in the last days, all alike": partial(
        share_round, mean=0.10, people=1e5, shape="beta"
    ),
    "share: 23 % late agreements, very unequal": partial(
        share_round, mean=0.23, people=3, shape="beta"
    ),
    "employer: few large ones": partial(employer_round, draw=partial(groups_of, theta=5)),
    "employer: many small ones": partial(employer_round, draw=partial(groups_of, theta=30)),
    "employer: 40 alike": partial(employer_round, draw=partial(even_groups, employers=40)),
    "rise: 74 % employed, colleges steady": partial(
        rise_round, mean=0.74, people=9, shape="beta", nation=0.1, by=0.0
    ),
    "rise: the same, each moves by 0.3": partial(
        rise_round, mean=0.74, people=9, shape="beta", nation=0.1, by=0.3
    ),
    "rise: the same, logit-normal": partial(
        rise_round, mean=0.74, people=9, shape="logit", nation=0.1, by=0.3
    ),
    "rise: 20 % excluded, each moves by 0.2": partial(
        rise_round, mean=0.20, people=75, shape="beta", nation=-0.1, by=0.2
    ),
    "rise: 3 % dropped out, each moves by 0.4": partial(
        rise_round, mean=0.03, people=150, shape="beta", nation=0.0, by=0.4
    ),
}
"""Honest rounds by name; ``to`` makes some of their colleges game."""

PLANTED = (0.3, 0.6)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    started = time.perf_counter()
    print(
        f"{rounds} rounds each, {COLLEGES} colleges; {platform.processor() or platform.machine()}"
    )
    print("\n| honest rounds | level |", *(f"{p:.0%} planted: found | false |" for p in PLANTED))
    print("|---|---:|" + "---:|---:|" * len(PLANTED))
    for name, one in HONEST.items():
        rng = np.random.default_rng(772)
        found = [one(rng, to=0.0) for _ in range(rounds)]
        level = np.mean([others > 0 for _, others in found])
        cells = [_power([one(rng, to=to) for _ in range(max(rounds // 5, 1))]) for to in PLANTED]
        print(f"| {name} | {level:.1%} |", *cells, flush=True)
    print(
        "\n| gate | shares of colleges | level of the sign | level of a test on shares |"
        " power, 30 % pushed | 60 % |"
    )
    print("|---|---|---:|---:|---:|---:|")
    for name, gate in GATES.items():
        for shape in ("beta", "logit"):
            rng = np.random.default_rng(772)
            rows = [
                np.mean(
                    [np.array(gate_round(rng, shape, gate, push)) <= LEVEL for _ in range(rounds)],
                    axis=0,
                )
                for push in (0, 30, 60)
            ]
            cells = [rows[0][0], rows[0][1], rows[1][0], rows[2][0]]
            print(f"| {name} | {shape} |", " | ".join(f"{cell:.1%}" for cell in cells), "|")
    print(f"\n{time.perf_counter() - started:.0f} s")


def _power(found: list[Found]) -> str:
    """Return the share of gamers found, and of those found the false alarms, as cells."""
    right = sum(gamers for gamers, _ in found)
    rates = [others / max(gamers + others, 1) for gamers, others in found]
    return f"{right / GAMERS / len(found):.0%} | {np.mean(rates):.1%} |"


if __name__ == "__main__":
    main()
