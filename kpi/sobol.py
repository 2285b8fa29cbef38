"""How much of an outcome's variance rests on which choice: first-order and total Sobol indices.

Two independent samples A and B of all factors are drawn, N rows each; A_B^i is A with factor i
taken from B. The outcome is asked for at all of them, N (k + 2) times. Sources: Saltelli, Annoni,
Azzini, Campolongo, Ratto & Tarantola (2010), Computer Physics Communications 181, 259-270, table 2
(b) for the first order; Jansen (1999), Computer Physics Communications 117, 35-43, for the total;
their use on composite indices: Saisana, Saltelli & Tarantola (2005), J. R. Statist. Soc. A 168,
307-323.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.90
"""Of the bootstrap intervals: what another sample of the same size would say."""


@dataclass(frozen=True)
class SobolIndices:
    """Indices of k factors, arrays of shape (k,), each with its bootstrap interval (low, high).

    ``first``: the share of the variance that falls away on average once the factor is fixed;
    ``total``: the share that stays when all the others are. Where nothing varies, all are NaN.
    """

    first: Floats
    first_low: Floats
    first_high: Floats
    total: Floats
    total_low: Floats
    total_high: Floats


def estimate(at_a: Floats, at_b: Floats, at_ab: Floats) -> tuple[Floats, Floats]:
    """Return first-order and total indices, shape (..., k).

    ``at_a`` and ``at_b``: the outcome at A and B, shape (..., N); ``at_ab``: at A with one factor
    after the other from B, shape (..., k, N). The outcome is centred first, which changes no index
    and steadies the estimate; the variance is that of A and B together.
    """
    both = np.concatenate([at_a, at_b], axis=-1)
    mean = both.mean(axis=-1, keepdims=True)
    a, b, ab = at_a - mean, at_b - mean, at_ab - mean[..., None]
    variance = both.var(axis=-1)[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        first = (b[..., None, :] * (ab - a[..., None, :])).mean(axis=-1) / variance
        total = ((a[..., None, :] - ab) ** 2).mean(axis=-1) / (2 * variance)
    moves = variance > 0
    return np.where(moves, first, np.nan), np.where(moves, total, np.nan)


def sobol_indices(
    at_a: Floats, at_b: Floats, at_ab: Floats, seed: np.random.SeedSequence, resamples: int = 500
) -> SobolIndices:
    """Return the indices of one outcome with percentile bootstrap intervals over the rows.

    ``at_a``, ``at_b``: shape (N,); ``at_ab``: shape (k, N). ``resamples`` times N rows are drawn
    with replacement, the same rows of A, B and A_B^i.
    """
    first, total = estimate(at_a, at_b, at_ab)
    rng = np.random.default_rng(seed)
    again = [
        estimate(at_a[rows], at_b[rows], at_ab[:, rows])
        for rows in (rng.integers(0, at_a.size, at_a.size) for _ in range(resamples))
    ]
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    first_low, first_high = np.quantile([one for one, _ in again], tails, axis=0)
    total_low, total_high = np.quantile([one for _, one in again], tails, axis=0)
    return SobolIndices(first, first_low, first_high, total, total_low, total_high)
