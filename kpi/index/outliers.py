"""Outliers: which indicators are too skewed to be compared as they are, and what is done then.

The limits and the two steps are those of ``Treat`` in the R package COINr (version 1.1): an
indicator fails that has both an absolute skewness of 2 or more and an excess kurtosis of 3.5 or
more. Skewness and kurtosis are the bias-corrected ones of spreadsheets (type 2 of R's e1071).
"""

from dataclasses import dataclass

import numpy as np

from kpi.index.tree import Floats

WINMAX = 5
SKEW_LIMIT, KURT_LIMIT = 2.0, 3.5
TREATMENTS = ("winsorise", "log", "winsorise_then_log")


@dataclass(frozen=True)
class Treatment:
    """What was done to one indicator: ``how`` is winsorise, log or none (it was within limits).

    ``skew`` and ``kurt`` are NaN where the units are too few, or do not differ, to have one.
    """

    values: Floats
    how: str
    skew_before: float
    kurt_before: float
    skew_after: float
    kurt_after: float


def treat(values: Floats, how: str) -> Floats:
    """Return values, shape (..., units), with their outliers treated as ``treatment`` says."""
    if values.size == 0:
        return values
    flat = values.reshape(-1, values.shape[-1])
    return np.stack([treatment(row, how).values for row in flat]).reshape(values.shape)


def treatment(values: Floats, how: str) -> Treatment:
    """Treat one indicator, shape (units,), if its skewness and kurtosis are beyond the limits.

    winsorise: give the highest unit (the lowest, where the skewness is negative) the next value,
    and so on until one limit holds or 5 units are treated. log: ln(v - min + (max - min) / 100).
    winsorise_then_log: the logarithm of the raw values, where winsorising does not suffice. Equal
    units stay equal, which can make more than 5. Raises ValueError for another ``how``.
    """
    if how not in TREATMENTS:
        raise ValueError(f"unknown treatment {how}")
    before = skewness(values), kurtosis(values)
    changed, done = values, "none"
    if _fails(*before):
        if how != "log":
            changed, done = winsorised(values), "winsorise"
        if how != "winsorise" and _fails(skewness(changed), kurtosis(changed)):
            changed, done = logged(values), "log"
    return Treatment(changed, done, *before, skewness(changed), kurtosis(changed))


def winsorised(values: Floats) -> Floats:
    """Return values, shape (units,), with extremes moved in until a limit holds (``treatment``)."""
    values, moved_high, moved_low = values.copy(), 0, 0
    while moved_high + moved_low < WINMAX and _fails(skewness(values), kurtosis(values)):
        if skewness(values) >= 0:
            extreme = values == np.nanmax(values)
            values[extreme] = np.nanmax(values[~extreme])
            moved_high = int(extreme.sum())  # those moved before stand there too
        else:
            extreme = values == np.nanmin(values)
            values[extreme] = np.nanmin(values[~extreme])
            moved_low = int(extreme.sum())
    return values


def logged(values: Floats) -> Floats:
    """Return ln(v - min + (max - min) / 100), as COINr's ``log_CT``; ``values`` must differ."""
    least, most = np.nanmin(values), np.nanmax(values)
    return np.asarray(np.log(values - least + 0.01 * (most - least)))


def _fails(skew: float, kurt: float) -> bool:
    return abs(skew) >= SKEW_LIMIT and kurt >= KURT_LIMIT  # NaN fails no limit


def skewness(values: Floats) -> float:
    """Return the bias-corrected skewness of the values present; NaN for fewer than 3, or equal."""
    deviations, count = _deviations(values)
    square = float((deviations**2).sum())
    if count < 3 or square == 0:
        return float("nan")
    biased = np.sqrt(count) * float((deviations**3).sum()) / square**1.5
    return float(biased * np.sqrt(count * (count - 1)) / (count - 2))


def kurtosis(values: Floats) -> float:
    """Return the bias-corrected excess kurtosis of the values present; NaN for fewer than 4."""
    deviations, count = _deviations(values)
    square = float((deviations**2).sum())
    if count < 4 or square == 0:
        return float("nan")
    biased = count * float((deviations**4).sum()) / square**2 - 3
    return float(((count + 1) * biased + 6) * (count - 1) / ((count - 2) * (count - 3)))


def _deviations(values: Floats) -> tuple[Floats, int]:
    present = values[~np.isnan(values)]
    if present.size == 0 or present.min() == present.max():  # their mean may not equal them
        return np.zeros(present.size), present.size
    return present - present.mean(), present.size
