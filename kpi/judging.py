"""Whether counts of units are more than chance gives: arrays in, expected counts, p and q out.

What chance does is learnt from the units themselves: their shares differ, so the null is a
beta-binomial, fitted by maximum likelihood (``kpi.uncertainty.fit_beta``), and of a change the
beta-binomial whose mean is what the unit had, moved as all moved, and whose spread is how far units
move from year to year. ``kpi/signs.py`` asks it of colleges.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kpi.chance import (
    Bools,
    Floats,
    Ints,
    at_least,
    at_least_if_logit_normal,
    at_least_of_unlike,
    chances_of_counts,
    largest_at_least,
    likeliest,
    log_chance,
    moved,
    q_values,
    shift_of,
)
from kpi.uncertainty import fit_beta

LEVEL = 0.05
"""The share of false alarms among what is found, at most, as expected."""

LEAST_UNITS = 30
"""Fewer units do not tell how much units differ: nothing is tested."""

_MOST_FITS = 10


@dataclass(frozen=True)
class _Null:
    """What chance does to each unit: the mean of its count, the chance of as many as counted or
    more, and of the greatest count that there could be; and by a unit's place the chance of as many
    under another null, which is as likely, where there is one.
    """

    expected: Floats
    tail: Floats
    end: Floats
    otherwise: Callable[[int], float] | None = None


def _null(k: Ints, n: Ints, a: Floats, b: Floats) -> _Null:
    """Return the null of counts k of n whose shares are beta-distributed with a and b; otherwise
    logit-normal.
    """

    def otherwise(place: int) -> float:
        one = (float(a[place]), float(b[place]))
        return at_least_if_logit_normal(int(k[place]), int(n[place]), *one)

    return _Null(n * a / (a + b), *at_least(k, n, a, b), otherwise)


@dataclass(frozen=True)
class Judged:
    """What was expected of each unit, in people, its p-value and its q-value; NaN where it was not
    tested.
    """

    expected: Floats
    p: Floats
    q: Floats


def _judged(fit: Callable[[Bools], _Null], units: int, may: Bools | None = None) -> Judged:
    """Judge units against a null that is learnt from those that it does not find.

    It begins without the fifth that is least usual, so that those who game cannot hide each other,
    and takes back whom it does not find, until that changes nothing.

    ``fit`` learns the null from the units of a mask. Tested is who ``may`` be, and whose greatest
    possible count would be a discovery at all (Tarone, Biometrics 46, 1990): this depends on the
    size of the cohort alone, and small ones take no power from others. Who is found must be as
    improbable ``otherwise`` too: nobody knows the form in which colleges differ.
    """
    nothing = np.full(units, np.nan)
    if units < LEAST_UNITS:
        return Judged(nothing, nothing, nothing)
    keep = np.ones(units, dtype=bool)
    fits = {keep.tobytes(): fit(keep)}
    keep[np.argsort(fits[keep.tobytes()].tail, kind="stable")[: units // 5]] = False
    for _ in range(_MOST_FITS):
        learnt_from = keep.tobytes()
        if learnt_from not in fits:
            fits[learnt_from] = fit(keep)
        null = fits[learnt_from]
        p, q = nothing.copy(), nothing.copy()
        tested = null.end <= LEVEL
        if may is not None:
            tested &= may
        p[tested] = np.round(null.tail[tested], 10)
        q[tested] = np.round(q_values(p[tested]), 10)
        found = q <= LEVEL
        if (keep == ~found).all():
            break
        keep = ~found
    if null.otherwise:
        for place in np.flatnonzero(found):
            p[place] = max(p[place], round(null.otherwise(int(place)), 10))
        q[tested] = np.round(q_values(p[tested]), 10)
    return Judged(null.expected, p, q)


def judge_shares(k: Ints, n: Ints) -> Judged:
    """Judge each unit's count k of n > 0 against the beta-binomial of all; shape (units,)."""
    ones = np.ones(len(n))

    def fit(keep: Bools) -> _Null:
        a, b = fit_beta(k[keep], n[keep])
        return _null(k, n, a * ones, b * ones)

    return _judged(fit, len(n))


def judge_largest(unit: Ints, size: Ints, units: int) -> Judged:
    """Judge the largest group of each unit's people against how people are grouped elsewhere.

    ``unit`` (0 .. units - 1, each at least once) and ``size``: of each group, shape (groups,). The
    null is learnt from who else is where somebody picked at random is: of n people of a unit, a
    group of j counts for j / n of one. ``expected`` is the mean number of people there.
    """
    n = np.bincount(unit, size, minlength=units).astype(np.int64)
    k = np.zeros(units, dtype=np.int64)
    np.maximum.at(k, unit, size)
    of = n[unit]

    def fit(keep: Bools) -> _Null:
        used = keep[unit]
        a, b = fit_beta(size[used] - 1, of[used] - 1, size[used] / of[used])
        return _Null(np.asarray(1 + (n - 1) * a / (a + b)), *largest_at_least(k, n, a, b))

    return _judged(fit, units)


def judge_rises(before: Ints, of: Ints, k: Ints, n: Ints, may: Bools | None = None) -> Judged:
    """Judge whether each unit's share has risen more than chance, and what units do from year to
    year: from ``before`` of ``of`` > 0 to k of n > 0; shape (units,). Of those whom ``may`` marks.
    """

    def fit(keep: Bools) -> _Null:
        return _null(k, n, *null_of_change(before, of, k, n, keep))

    return _judged(fit, len(n), may)


def null_of_change(
    before: Ints, of: Ints, now: Ints, out_of: Ints, keep: Bools
) -> tuple[Floats, Floats]:
    """Return a and b of the share that each unit is expected to have now; shape (units,).

    Its mean is the share before, drawn towards all as far as the cohort was small (the posterior of
    the beta-binomial fitted to the year before), its log-odds moved so that the nation's total
    comes out. Its variance, as a part of mean x (1 - mean), is that of the posterior and one more,
    the same for all, under which the counts of now are likeliest. ``keep``: whom it is learnt from.
    """
    a, b = fit_beta(before[keep], of[keep])
    size = a + b + of
    mean = (a + before) / size
    shift = shift_of(mean[keep], out_of[keep], int(now[keep].sum()))
    mean = np.clip(moved(mean, shift), 1e-9, 1 - 1e-9)

    def weight(drift: float) -> Floats:
        return np.asarray(np.maximum(1 / (1 / (size + 1) + drift) - 1, 1e-3))

    def likelihood(log_drift: float) -> float:
        s = weight(float(np.exp(log_drift)))[keep]
        return float(
            log_chance(now[keep], out_of[keep], mean[keep] * s, (1 - mean[keep]) * s).sum()
        )

    s = weight(float(np.exp(likeliest(likelihood, np.log(1e-6), np.log(0.5)))))
    return mean * s, (1 - mean) * s


def around_gate(k: Ints, n: Ints, least: Ints) -> tuple[int, int, float, float]:
    """Return how many units have 0 or 1 person more than ``least``, how many have -2 to 1, how many
    of these are expected to have 0 or 1, and the chance of as many or more. Shape (units,).
    """
    a, b = fit_beta(k, n)
    distance = k - least
    is_within = (distance >= -2) & (distance <= 1)
    if not is_within.any():
        return 0, 0, 0.0, 1.0
    of, at = n[is_within], least[is_within]
    ones = np.ones(len(of))
    chances = chances_of_counts(of, a * ones, b * ones)
    begins = np.cumsum(of + 1) - of - 1
    around = []
    for by in (-2, -1, 0, 1):
        can_be = (at + by >= 0) & (at + by <= of)
        around.append(np.where(can_be, chances[begins + np.clip(at + by, 0, of)], 0.0))
    together = sum(around)  # 0 where the fit leaves no spread: then nothing is known of that unit
    shares = np.divide(
        around[2] + around[3], together, out=np.full(len(of), 0.5), where=together > 0
    )
    above = int((distance[is_within] >= 0).sum())
    p = at_least_of_unlike(above, shares)
    return above, int(is_within.sum()), float(shares.sum()), p


# ------------------------------------------------------------------------------------- the rows
