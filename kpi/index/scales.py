"""Normalisers: one indicator's values onto a scale that others share."""

from collections.abc import Callable

import numpy as np

from kpi.index.tree import Floats


def normalise(
    values: Floats,
    how: str,
    floor: float | None,
    target: float | None,
    direction: int,
    *,
    mean: float | None = None,
    deviation: float | None = None,
    capped: bool = False,
) -> Floats:
    """Return one indicator's values, shape (..., units), on its normalised scale; NaN stays NaN.

    goalposts: 100 (v - floor) / (target - floor) clamped to 0..100, and 100 less that for direction
    -1. The others compare the units present along the last axis; for direction -1 they take -v:

    min_max: (v - min) / (max - min) stretched to floor..target (0..100 where None).
    z_score: (v - mean of v) / standard deviation (n - 1), times ``deviation``, plus ``mean``.
    percentile_rank: 100 (units below) / (units - 1). borda: units below. rank: 1 + units below.
    distance_to_target: 100 (v - worst) / (target - worst), not above 100 if ``capped``; 100
    throughout where not even the worst unit falls short of the target.
    none: v as it is.

    Where the units do not differ, min_max, z_score and percentile_rank (of a single unit) give the
    middle of their range. Raises ValueError for another ``how``.
    """
    if how == "goalposts":
        return _goalposts(values, floor, target, direction)
    values = values * direction
    if how == "none" or (how in _COMPARING and values.size == 0):
        return values
    if how == "min_max":
        return _min_max(
            values, 0.0 if floor is None else floor, 100.0 if target is None else target
        )
    if how == "z_score":
        return _z_score(values, mean, deviation)
    if how == "distance_to_target":
        assert target is not None
        return _distance_to_target(values, target * direction, capped)
    if how in _BY_PLACE:
        return _BY_PLACE[how](values)
    raise ValueError(f"unknown normaliser {how}")


def _goalposts(values: Floats, floor: float | None, target: float | None, direction: int) -> Floats:
    assert floor is not None and target is not None
    scaled = np.subtract(values, floor)  # in place from here: most of the time of many draws
    scaled *= 100
    scaled /= target - floor
    np.clip(scaled, 0, 100, out=scaled)
    if direction == -1:
        np.subtract(100, scaled, out=scaled)
    return np.asarray(scaled)


def _min_max(values: Floats, low: float, high: float) -> Floats:
    least = _over_units(np.fmin, values)
    spread = _over_units(np.fmax, values) - least
    with np.errstate(invalid="ignore", divide="ignore"):
        stretched = low + (high - low) * (values - least) / spread
    return np.asarray(np.where(spread == 0, (low + high) / 2 + 0 * values, stretched))


def _z_score(values: Floats, mean: float | None, deviation: float | None) -> Floats:
    present = ~np.isnan(values)
    count = present.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.where(present, values, 0).sum(axis=-1, keepdims=True) / count
        squares = np.where(present, (values - centre) ** 2, 0).sum(axis=-1, keepdims=True)
        spread = _over_units(np.fmax, values) - _over_units(np.fmin, values)
        scaled = (values - centre) / np.sqrt(squares / (count - 1))
    scaled = np.asarray(np.where(spread > 0, scaled, 0 * values))
    if deviation is not None:
        scaled *= deviation
    if mean is not None:
        scaled += mean
    return scaled


def _distance_to_target(values: Floats, target: float, capped: bool) -> Floats:
    ahead = target - _over_units(np.fmin, values)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 100 - 100 * (target - values) / ahead  # exactly 0 at the worst, 100 at the target
    share = np.where(ahead > 0, share, 100 + 0 * values)
    return np.asarray(np.minimum(share, 100) if capped else share)


def _over_units(pick: np.ufunc, values: Floats) -> Floats:
    """Reduce over the units' axis, keeping it, and passing over missing values."""
    return np.asarray(pick.reduce(values, axis=-1, keepdims=True), dtype=np.float64)


def _below(values: Floats) -> Floats:
    """Return the number of units below each, along the last axis; NaN where missing."""
    flat = values.reshape(-1, values.shape[-1])
    ordered = np.sort(flat, axis=-1)  # NaN last
    below = np.stack([np.searchsorted(row, of) for row, of in zip(ordered, flat, strict=True)])
    return np.where(np.isnan(values), np.nan, below.reshape(values.shape))


def _percentile_rank(values: Floats) -> Floats:
    count = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    share = 100 * _below(values) / np.maximum(count - 1, 1)
    return np.asarray(np.where((count == 1) & ~np.isnan(values), 50.0, share))


_BY_PLACE: dict[str, Callable[[Floats], Floats]] = {
    "percentile_rank": _percentile_rank,
    "rank": lambda values: _below(values) + 1,
    "borda": _below,
}
_COMPARING = {"min_max", "z_score", "distance_to_target", *_BY_PLACE}
