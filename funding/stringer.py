"""Upper limit of overstatement from a monetary-unit sample: the Stringer bound.

Sources: Stringer, K. W. (1963), "Practical aspects of statistical sampling in auditing",
Proceedings of the Business and Economic Statistics Section, American Statistical Association,
405-411; Leslie, Teitlebaum and Anderson (1979), "Dollar-Unit Sampling"; AICPA Audit Guide "Audit
Sampling", the table of confidence factors.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from kpi.errors import CallError

_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Stage:
    """One step of the bound: the factor of so many errors, what it adds to the one before, the
    taint (0..1) that it is multiplied by, and the product in tenge.
    """

    errors: int
    factor: Decimal
    step: Decimal
    taint: Fraction
    amount: Fraction


def check_confidence(confidence: Decimal) -> None:
    """Raise CallError for a confidence that is not between 0.5 and 1."""
    if not Decimal("0.5") <= confidence < 1:
        raise CallError(
            "The confidence level is out of range.",
            where="--confidence",
            found=str(confidence),
            expected="0.5 or more and below 1, such as 0.95",
        )


def confidence_factor(errors: int, confidence: Decimal) -> Decimal:
    """Return the Poisson mean under which so few ``errors`` (0, 1, 2, ...) or fewer have a chance
    of 1 - ``confidence``: 2.996, 4.744, 6.296 at 95 %. The AICPA table has them rounded up: 3.00,
    4.75, 6.30; here there are six places, rounded up.

    The chance falls as the mean grows, so the mean is found by halving.
    """
    risk = float(1 - confidence)
    low, high = 0.0, 2.0 * (errors + 1) + 40.0
    for _ in range(200):
        middle = (low + high) / 2
        if _chance_of_at_most(errors, middle) > risk:
            low = middle
        else:
            high = middle
    return Decimal(high).quantize(_PLACES, rounding=ROUND_CEILING)


def _chance_of_at_most(errors: int, mean: float) -> float:
    """Return P(X <= errors) for a Poisson variable: the sum of exp(-m) m^k / k!."""
    if mean == 0:
        return 1.0
    return math.fsum(
        math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(errors + 1)
    )


def stringer_bound(
    interval: Fraction, taints: Sequence[Fraction], confidence: Decimal
) -> list[Stage]:
    """Return the stages of the bound, in tenge; it is the sum of their amounts.

    interval x (P0 x 1 + sum of (P_i - P_(i-1)) x t_i), the taints t_i > 0 from the largest to the
    smallest. P0 is the basic precision: what could be there although nothing was found.
    """
    check_confidence(confidence)
    stages = []
    before = Decimal(0)
    for errors, taint in enumerate([Fraction(1), *sorted(taints, reverse=True)]):
        factor = confidence_factor(errors, confidence)
        step = factor - before
        stages.append(Stage(errors, factor, step, taint, interval * Fraction(step) * taint))
        before = factor
    return stages
