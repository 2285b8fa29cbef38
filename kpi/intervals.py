"""Intervals of a share from its counts: Wilson's score interval, and Jeffreys' equal tails.

Wilson, Journal of the American Statistical Association 22 (1927); Brown, Cai and DasGupta,
Interval estimation for a binomial proportion, Statistical Science 16 (2001), which recommends both.
"""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def wilson(successes: Any, trials: Any, level: float) -> tuple[Floats, Floats]:
    """Return the lower and upper end of the Wilson score interval; NaN where there are no trials.

    Arrays of one shape, or numbers; ``level`` as 0.95.
    """
    k, n = _counts(successes, trials)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = k / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


def jeffreys(successes: Any, trials: Any, level: float) -> tuple[Floats, Floats]:
    """Return the quantiles of Beta(successes + 1/2, failures + 1/2) that leave equal tails; NaN
    where there are no trials. Arguments as for ``wilson``.

    Brown, Cai and DasGupta replace the end at no successes by 0 and at no failures by 1; here both
    ends are quantiles throughout.
    """
    k, n = _counts(successes, trials)
    tail = (1 - level) / 2
    ends = []
    for from_above in (False, True):
        found = [
            math.nan
            if math.isnan(of)
            else 1 - beta_quantile(tail, of - yes + 0.5, yes + 0.5)
            if from_above
            else beta_quantile(tail, yes + 0.5, of - yes + 0.5)
            for yes, of in zip(k.ravel().tolist(), n.ravel().tolist(), strict=True)
        ]
        ends.append(np.array(found, dtype=float).reshape(n.shape))
    return ends[0], ends[1]


def _counts(successes: Any, trials: Any) -> tuple[Floats, Floats]:
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if (k < 0).any() or (k > n).any():
        raise ValueError("successes must be 0 or more, and no more than the trials")
    return k, np.where(n == 0, np.nan, n)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return where the distribution function of Beta(a, b) reaches ``probability`` (0 to 1,
    neither included); for a + b up to 100,000 within 1e-12.

    Newton's steps on log x, where the lower tail is nearly straight, kept inside a bracket that is
    halved where a step would leave it.
    """
    low, high = -800.0, 0.0  # log x
    at = math.log(a / (a + b))
    for _ in range(200):
        x = math.exp(at)
        value = beta_below(x, a, b) - probability
        low, high = (low, at) if value > 0 else (at, high)
        slope = math.exp(a * at + (b - 1) * math.log1p(-x) - _log_beta(a, b))
        step = at - value / slope if slope > 0 else low
        new = step if low < step < high else (low + high) / 2
        if abs(new - at) <= 4e-16 * max(1.0, abs(at)):
            return math.exp(new)
        at = new
    return math.exp(at)


def beta_below(x: float, a: float, b: float) -> float:
    """Return the distribution function of Beta(a, b) at ``x``: the regularised incomplete beta
    function by its continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22),
    from the side where that converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_below(1 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1 / (1 + d2 / (1 + ...)), by Lentz's method (Thompson and Barnett, Journal of
    Computational Physics 64, 1986).
    """
    tiny = 1e-300
    value, up, down = 1.0, 1.0, 0.0
    for step in range(1, 10_000):
        m = step // 2
        if step % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        down = 1 / (1 + d * down or tiny)
        up = 1 + d / up or tiny
        value *= up * down
        if abs(up * down - 1) < 1e-16:
            break
    return value


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
