"""What chance alone does to counts of people: tails of the beta-binomial and of sums of unlike
chances, and how many of many tests may be believed.

numpy alone; ``tests/kpi/test_chance.py`` compares with scipy.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


_LEAST = 1e-12


def chances_of_counts(n: Ints, a: Floats, b: Floats) -> Floats:
    """Return the beta-binomial chance of each count 0..n of each unit, one unit after the other;
    arguments of shape (units,).

    Each chance is the one before times (n - j + 1)(a + j - 1) / (j (b + n - j)); they are added up
    as logarithms and scaled to the sum 1, so no gamma function is needed.
    """
    first = _first(n)
    least = (np.maximum(part, _LEAST) for part in (a, b))  # a share of 0 or 1 leaves one of them 0
    of, one, other = (np.repeat(part, n + 1) for part in (n, *least))
    j = _within(n)
    with np.errstate(divide="ignore", invalid="ignore"):  # where j is 0
        steps = np.log((of - j + 1) * (one + j - 1) / (j * (other + of - j)))
    steps[first] = 0
    logs = np.cumsum(steps)
    logs -= np.repeat(logs[first], n + 1)
    weights = np.exp(logs - np.repeat(np.maximum.reduceat(logs, first), n + 1))
    return np.asarray(weights / np.repeat(np.add.reduceat(weights, first), n + 1))


def _first(n: Ints) -> Ints:
    """Return where each unit's counts begin, when each has 0..n."""
    return np.concatenate([[0], np.cumsum(n + 1)[:-1]])


def _within(n: Ints) -> Ints:
    """Return 0..n of each unit, one unit after the other."""
    return np.arange(int((n + 1).sum())) - np.repeat(_first(n), n + 1)


def at_least(k: Ints, n: Ints, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the beta-binomial chance of a count of k or more, of n, and of n itself, than which no
    count is rarer at this end; all of shape (units,).
    """
    return _tails(chances_of_counts(n, a, b), k, n)


def _tails(chances: Floats, k: Ints, n: Ints) -> tuple[Floats, Floats]:
    """Return each unit's sum over the counts from k on, and that of n alone."""
    is_in = _within(n) >= np.repeat(k, n + 1)
    tails = np.add.reduceat(np.where(is_in, chances, 0.0), _first(n))
    return np.minimum(tails, 1.0), chances[np.cumsum(n + 1) - 1]


_Z = np.linspace(-8, 8, 401)


def at_least_if_logit_normal(k: int, n: int, a: float, b: float) -> float:
    """Return the chance of k or more of n where the log-odds of the share are normal, with about
    the mean and variance of the beta distribution's share: a longer tail on the long side.

    Variance by the delta method; the mean by the scaling of Zeger, Liang and Albert (Biometrics 44,
    1988). Integrated over 401 places of 8 standard deviations on either side.
    """
    mean, size = a / (a + b), a + b
    variance = 1 / (mean * (1 - mean) * (size + 1))
    middle = np.log(a / b) * np.sqrt(1 + np.pi / 8 * variance)
    odds = middle + np.sqrt(variance) * _Z
    weights = np.exp(-_Z * _Z / 2)
    counts = np.arange(k, n + 1, dtype=np.float64)
    ways = (
        log_gamma(np.full_like(counts, n + 1)) - log_gamma(counts + 1) - log_gamma(n - counts + 1)
    )
    logs: Floats = ways + np.outer(odds, counts) - n * np.logaddexp(0, odds)[:, None]
    tails = np.minimum(np.exp(logs).sum(axis=1), 1.0)
    return float(tails @ weights / weights.sum())


def largest_at_least(k: Ints, n: Ints, a: float, b: float) -> tuple[Floats, Floats]:
    """Return a bound of the chance that the largest group of n people has k or more, and the chance
    that all are one group; shape (units,), n >= 1.

    Of the n - 1 others, those in the group of somebody picked at random are a beta-binomial number
    with a and b (in the partitions of Ewens and Pitman; Pitman, Combinatorial Stochastic Processes,
    2006, ch. 3). So n / j times its chance of j - 1 is the expected number of groups of j, and the
    sum over j >= k the expected number of such groups: no less than the chance that there is one,
    and equal to it where k > n / 2.
    """
    others = n - 1
    ones = np.ones(len(n))
    expected = (
        np.repeat(n, n) / (_within(others) + 1) * chances_of_counts(others, a * ones, b * ones)
    )
    return _tails(expected, k - 1, others)


def at_least_of_unlike(count: int, chances: Floats) -> float:
    """Return the chance that ``count`` or more of independent things happen, each with a chance of
    its own (Poisson-binomial).
    """
    sums = np.ones(1)
    for chance in np.sort(chances):
        sums = np.convolve(sums, [1 - chance, chance])
    return min(1.0, float(sums[count:].sum()))


def q_values(p: Floats) -> Floats:
    """Return for each p-value the least false discovery rate at which it is a discovery (Benjamini
    and Hochberg, Journal of the Royal Statistical Society B 57, 1995).
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    found = np.empty(len(p))
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return found


# ------------------------------------------------------------------- from one year to the next


def log_gamma(x: Floats) -> Floats:
    """Return the logarithm of the gamma function of positive numbers below 1e30: Stirling's series
    at x + 8, and the recurrence back; 12 digits.
    """
    product = x
    for step in range(1, 8):
        product = product * (x + step)
    far = x + 8
    square = far * far
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / far
    half = 0.5 * np.log(2 * np.pi)
    return np.asarray((far - 0.5) * np.log(far) - far + half + series - np.log(product))


def log_chance(k: Ints, n: Ints, a: Floats, b: Floats) -> Floats:
    """Return the logarithm of the beta-binomial chance of k of n, less that of n over k, which does
    not depend on a and b; shape (units,).
    """
    together = log_gamma(a) + log_gamma(b) - log_gamma(a + b)
    return np.asarray(log_gamma(k + a) + log_gamma(n - k + b) - log_gamma(n + a + b) - together)


def shift_of(mean: Floats, n: Ints, total: int) -> float:
    """Return by how much all log-odds of the means (0..1) have moved when ``total`` of all n people
    are counted; between -10 and 10 (bisection).
    """
    odds = np.log(mean) - np.log1p(-mean)
    low, high = -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if (n / (1 + np.exp(-odds - middle))).sum() < total:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def moved(mean: Floats, shift: float) -> Floats:
    """Return means (0..1) whose log-odds moved by a shift."""
    odds = np.log(mean) - np.log1p(-mean)
    return np.asarray(1 / (1 + np.exp(-odds - shift)))


def likeliest(likelihood: Callable[[float], float], low: float, high: float) -> float:
    """Return where a smooth function is greatest between two bounds: the best of 11 places, refined
    by golden section.
    """
    places = np.linspace(low, high, 11)
    best = int(np.argmax([likelihood(float(place)) for place in places]))
    left, right = float(places[max(best - 1, 0)]), float(places[min(best + 1, 10)])
    part = (5**0.5 - 1) / 2
    inner = [right - part * (right - left), left + part * (right - left)]
    values = [likelihood(place) for place in inner]
    for _ in range(14):
        if values[0] >= values[1]:
            right = inner[1]
            inner = [right - part * (right - left), inner[0]]
            values = [likelihood(inner[0]), values[0]]
        else:
            left = inner[0]
            inner = [inner[1], left + part * (right - left)]
            values = [values[1], likelihood(inner[1])]
    return (left + right) / 2
