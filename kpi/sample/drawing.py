"""Drawing at random, with totals that come out exactly."""

import numpy as np
import numpy.typing as npt
from numpy.random import PCG64, Generator, SeedSequence

from kpi.sample.rows import Array, Codes, Floats, Ints, Mask

STAGES = (
    "units lines campuses students leavers dual graduates placing accreditations ids"
    " assessment filling"
).split()


def stream(seed: int, stage: str) -> Generator:
    """Return the random stream of one stage; streams do not disturb one another."""
    return Generator(PCG64(SeedSequence(seed, spawn_key=(STAGES.index(stage),))))


def apportion(
    weights: npt.ArrayLike,
    total: int,
    *,
    at_least: npt.ArrayLike = 0,
    at_most: npt.ArrayLike | None = None,
) -> Ints:
    """Share ``total`` whole things by weight, by the largest remainder (ties: the earlier one).

    ``weights`` has shape (n,), the answer too, and sums to ``total``. Each share starts at its
    ``at_least``, the rest goes by weight, and what exceeds an ``at_most`` goes to the others. Where
    even the ``at_least`` do not fit, they become the weights. Raises ValueError if ``at_most``
    leaves too little room.
    """
    weight = np.array(weights, dtype=np.float64)
    low = np.broadcast_to(np.asarray(at_least, dtype=np.int64), weight.shape)
    high = np.maximum(low, total) if at_most is None else np.broadcast_to(at_most, weight.shape)
    low = np.minimum(low, high)
    if int(low.sum()) > total:
        weight, low = low.astype(np.float64), np.zeros_like(low)
    if int(high.sum()) < total:
        raise ValueError(f"{total} do not fit into places for {int(high.sum())}")
    share = low.astype(np.int64)
    while (rest := total - int(share.sum())) > 0:
        open_weight = np.where(share < high, weight, 0.0)
        if open_weight.sum() <= 0:
            open_weight = (share < high).astype(np.float64)
        quota = open_weight / open_weight.sum() * rest
        whole = np.floor(quota).astype(np.int64)
        if (share + whole > high).any():
            share = np.minimum(share + whole, high)
            continue
        share = share + whole
        order = np.argsort(np.where(share < high, whole - quota, 1.0), kind="stable")
        order = order[(share < high)[order]][: total - int(share.sum())]
        share[order] += 1
    return share


def choose_exactly(rng: Generator, log_odds: Array, count: int) -> Mask:
    """Choose exactly ``count`` of the rows, those with greater log-odds more likely.

    Shape (n,) in and out. Adding logistic noise and taking the greatest makes each row's chance a
    logistic function of its log-odds, shifted so that the total comes out.
    """
    chosen = np.zeros(len(log_odds), dtype=np.bool_)
    if count > 0:
        keys = log_odds + rng.logistic(size=len(log_odds))
        chosen[np.argpartition(keys, len(keys) - count)[len(keys) - count :]] = True
    return chosen


def sigmoid(log_odds: Floats) -> Floats:
    """Return the probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def rank_within(groups: Array) -> Ints:
    """Number the rows of each group 0, 1, 2, … in row order. Shape (n,) in and out."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(begins, len(ordered)))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(begins, lengths)
    return rank


def spread(parts: Ints) -> Ints:
    """Return row → part, each part repeated by its count."""
    return np.repeat(np.arange(len(parts)), parts)


def pick(rng: Generator, shares: list[float], size: int) -> Codes:
    """Draw ``size`` codes 0, 1, … with the given shares; the last one takes the remainder."""
    return np.searchsorted(np.cumsum(shares[:-1]), rng.random(size), side="right").astype(np.int8)
