"""Aggregators: a group's children to one value."""

from functools import reduce

import numpy as np

from kpi.index.tree import Floats

MEANS = ("arithmetic", "geometric", "harmonic", "sum")
PAIRWISE = 8  # from as many numbers on, numpy's sum adds in another order than one by one


def weights_present(parts: Floats, weights: Floats, how: str) -> Floats:
    """Return the children's weights, shape (..., units, children): 0 where missing; summing to 1
    over the present ones unless the parts are summed as they are. ``weights`` broadcasts to that.
    """
    present = np.where(np.isnan(parts), 0.0, weights)
    if how == "sum":
        return present
    total = present.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(present, total, out=np.zeros_like(present), where=total > 0))


def aggregate(parts: Floats, weights: Floats, how: str) -> Floats:
    """Return the arithmetic, geometric or harmonic mean or the sum over the last axis, NaN where
    all parts are missing. ``parts`` and ``weights`` have shape (..., units, children).

    A part of 0 makes a geometric or harmonic mean 0, which is their limit there. Raises ValueError
    for one below 0, of which they are no means.
    """
    known = np.where(np.isnan(parts), 0.0, parts)
    if how in ("arithmetic", "sum"):
        total = (weights * known).sum(axis=-1)
    elif how in ("geometric", "harmonic"):
        _refuse_negative(known, how)
        counted = np.where(weights > 0, known, 1.0)
        with np.errstate(divide="ignore"):
            if how == "geometric":
                logs = np.where(weights > 0, np.log(counted), 0.0)
                total = np.exp((weights * logs).sum(axis=-1))
            else:
                total = 1 / (weights / counted).sum(axis=-1)
    else:
        raise ValueError(f"unknown aggregator {how}")
    return np.where((np.isnan(parts) | (weights == 0)).all(axis=-1), np.nan, total)


def _refuse_negative(values: Floats, how: str) -> None:
    if (values < 0).any():
        raise ValueError(f"a {how} mean needs values of 0 or more")


def combine(parts: list[Floats], weights: list[Floats], how: str) -> Floats:
    """Return what ``aggregate`` gives with ``weights_present``, to the last bit, but fast.

    ``parts`` are the children, shape (..., units) each; ``weights`` broadcast to them. Where
    nothing is missing, which NaN in the outcome tells, no weight has to be shared out anew: only
    the other units go the long way.
    """
    if how not in MEANS:
        raise ValueError(f"unknown aggregator {how}")
    if how in ("geometric", "harmonic"):
        for part in parts:
            _refuse_negative(part, how)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = weights if how == "sum" else _shares(weights)
        total = _added([_product(p, w, how) for p, w in zip(parts, shares, strict=True)])
        total += 0.0  # as a sum of -0 is 0
        if how == "geometric":
            total = np.exp(total)
        elif how == "harmonic":
            total = 1 / total
    is_left = np.isnan(total)
    is_left |= reduce(np.logical_and, [weight == 0 for weight in weights])
    if is_left.any():
        left = np.nonzero(is_left)
        stacked, stated = (
            np.stack([np.broadcast_to(one, total.shape)[left] for one in of], axis=-1)
            for of in (parts, weights)
        )
        total[left] = aggregate(stacked, weights_present(stacked, stated, how), how)
    return total


def _product(part: Floats, weight: Floats, how: str) -> Floats:
    if how == "geometric":
        return np.asarray(weight * np.log(part))
    if how == "harmonic":
        return np.asarray(weight / part)
    return np.asarray(weight * part)


def _shares(weights: list[Floats]) -> list[Floats]:
    total = _added(weights)
    return [np.asarray(weight / total) for weight in weights]


def _added(terms: list[Floats]) -> Floats:
    """Add as ``numpy.sum`` over the last axis of the stacked terms does, to the last bit."""
    if len(terms) >= PAIRWISE:
        return np.asarray(np.stack(np.broadcast_arrays(*terms), axis=-1).sum(axis=-1))
    total = terms[0]
    for place, term in enumerate(terms[1:]):
        is_own = place > 0 and np.broadcast_shapes(total.shape, term.shape) == total.shape
        total = np.asarray(np.add(total, term, out=total if is_own else None))
    return total
