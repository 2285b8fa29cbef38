"""The index engine: normalise, weigh, aggregate, over any framework (DESIGN §5).

It knows nothing of colleges: values are an array of shape (..., units, indicators), the framework
is a table, and every step is returned. An optional leading axis (draws, scenarios) is carried
through. Sources: OECD/JRC, Handbook on Constructing Composite Indicators (2008), chapters on
normalisation, weighting and aggregation; names follow the R package COINr where it has them.

A framework is a polars frame, one row a node of the tree, parents in any order:

    code       name of the node
    parent     code of the node above it; null for the index, of which there is one
    direction  1 or -1 (indicators only; null for groups)
    weight     weight among the children of its parent
    normalise  goalposts, min_max, percentile_rank, z_score or none; null for groups
    floor, target
               goalposts: the values that map to 0 and 100; min_max: the ends of the range,
               0 and 100 where null; otherwise unused
    aggregate  arithmetic, geometric or sum of the node's children; null for indicators
    missing    what a missing value (NaN) does: reweight among its present siblings (all of them
               missing make the group missing), zero, or not_ranked: no index for that unit
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """Every step of a score; arrays of shape (..., units), by code of the node.

    ``normalised``: an indicator's normalised value or a group's aggregate (NaN: missing);
    ``weight``: the node's effective weight in the index after reweighting; ``contribution``:
    weight times normalised, which sum to the index over the indicators (NaN below a geometric
    mean, which has no such parts); ``at_floor`` and ``at_target``: indicators that goalposts
    clamped.
    """

    index: Floats
    normalised: dict[str, Floats]
    weight: dict[str, Floats]
    contribution: dict[str, Floats]
    at_floor: dict[str, Bools]
    at_target: dict[str, Bools]


@dataclass(frozen=True)
class _Node:
    code: str
    parent: str | None
    direction: int
    weight: float
    normalise: str | None
    floor: float | None
    target: float | None
    aggregate: str | None
    missing: str


class _Tree:
    def __init__(self, framework: pl.DataFrame) -> None:
        self.nodes = {
            row["code"]: _Node(
                row["code"],
                row["parent"],
                int(row["direction"] or 1),
                float(row["weight"]),
                row["normalise"],
                None if row["floor"] is None else float(row["floor"]),
                None if row["target"] is None else float(row["target"]),
                row["aggregate"],
                row["missing"],
            )
            for row in framework.iter_rows(named=True)
        }

    @cached_property
    def root(self) -> str:
        (root,) = [node.code for node in self.nodes.values() if node.parent is None]
        return root

    @cached_property
    def indicators(self) -> list[_Node]:
        return [node for node in self.nodes.values() if node.aggregate is None]

    def children(self, code: str) -> list[_Node]:
        return [node for node in self.nodes.values() if node.parent == code]

    def top_down(self) -> list[_Node]:
        """The groups, each before the groups inside it."""
        found, waiting = [], [self.root]
        while waiting:
            node = self.nodes[waiting.pop(0)]
            if node.aggregate is not None:
                found.append(node)
                waiting.extend(child.code for child in self.children(node.code))
        return found


def indicator_codes(framework: pl.DataFrame) -> list[str]:
    """Return the codes of the framework's indicators, in the order that ``values`` must have."""
    return [node.code for node in _Tree(framework).indicators]


def score(values: Floats, framework: pl.DataFrame) -> Scores:
    """Return every step of the index of ``values`` under ``framework``.

    ``values`` has shape (..., units, indicators), indicators as in ``indicator_codes``; NaN is
    missing. Normalisers that compare units (min_max, percentile_rank, z_score) do so along the
    units' axis. Two indicators, one group:

    >>> framework = pl.DataFrame({
    ...     "code": ["index", "a", "b"], "parent": [None, "index", "index"],
    ...     "direction": [None, 1, -1], "weight": [1, 0.75, 0.25],
    ...     "normalise": [None, "goalposts", "goalposts"], "floor": [None, 0, 0],
    ...     "target": [None, 1, 10], "aggregate": ["arithmetic", None, None],
    ...     "missing": ["reweight"] * 3}, strict=False)
    >>> score(np.array([[0.5, 2.0], [np.nan, 5.0]]), framework).index.tolist()
    [57.5, 50.0]
    """
    tree = _Tree(framework)
    normalised: dict[str, Floats] = {}
    at_floor: dict[str, Bools] = {}
    at_target: dict[str, Bools] = {}
    unranked = np.zeros(values.shape[:-1], dtype=bool)
    for place, node in enumerate(tree.indicators):
        column = values[..., place]
        normal = normalise(
            column, node.normalise or "none", node.floor, node.target, node.direction
        )
        if node.normalise == "goalposts":
            at_floor[node.code], at_target[node.code] = _at_goalposts(column, node)
        unranked |= np.isnan(column) & (node.missing == "not_ranked")
        normalised[node.code] = np.nan_to_num(normal) if node.missing == "zero" else normal
    weight_in_parent: dict[str, Floats] = {}
    for group in reversed(tree.top_down()):
        children = tree.children(group.code)
        parts = np.stack([normalised[child.code] for child in children], axis=-1)
        weights = _weights_present(parts, [child.weight for child in children], group.aggregate)
        total = aggregate(parts, weights, group.aggregate or "arithmetic")
        unranked |= np.isnan(total) & (group.missing == "not_ranked")
        normalised[group.code] = np.nan_to_num(total) if group.missing == "zero" else total
        for place, child in enumerate(children):
            weight_in_parent[child.code] = weights[..., place]
    normalised[tree.root] = np.where(unranked, np.nan, normalised[tree.root])
    weight, contribution = _shares_of_index(tree, normalised, weight_in_parent)
    return Scores(normalised[tree.root], normalised, weight, contribution, at_floor, at_target)


def _at_goalposts(column: Floats, node: _Node) -> tuple[Bools, Bools]:
    """Return where the values that map to 0 and to 100 are reached."""
    assert node.floor is not None and node.target is not None
    low, high = column <= node.floor, column >= node.target
    return (low, high) if node.direction == 1 else (high, low)


def normalise(
    values: Floats, how: str, floor: float | None, target: float | None, direction: int
) -> Floats:
    """Return one indicator's values, shape (..., units), on its normalised scale; NaN stays NaN.

    goalposts: 100 (v - floor) / (target - floor) clamped to 0..100, and 100 less that for direction
    -1. min_max: (v - min) / (max - min) stretched to floor..target. percentile_rank: 100 (units
    below) / (units - 1). z_score: (v - mean) / standard deviation, n - 1. Where the units do not
    differ, the middle of the range.
    """
    if how == "goalposts":
        assert floor is not None and target is not None
        scaled = np.clip(100 * (values - floor) / (target - floor), 0, 100)
        return np.asarray(100 - scaled if direction == -1 else scaled)
    values = values * direction
    if how == "none" or values.shape[-1] == 0:
        return values
    if how == "percentile_rank":
        return _percentile_rank(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        if how == "min_max":
            low, high = 0.0 if floor is None else floor, 100.0 if target is None else target
            least = _over_units(np.fmin, values)
            spread = _over_units(np.fmax, values) - least
            stretched = low + (high - low) * (values - least) / spread
            return np.asarray(np.where(spread == 0, (low + high) / 2 + 0 * values, stretched))
        if how == "z_score":
            present = ~np.isnan(values)
            count = present.sum(axis=-1, keepdims=True)
            mean = np.where(present, values, 0).sum(axis=-1, keepdims=True) / count
            squares = np.where(present, (values - mean) ** 2, 0).sum(axis=-1, keepdims=True)
            deviation = np.sqrt(squares / (count - 1))
            spread = _over_units(np.fmax, values) - _over_units(np.fmin, values)
            return np.asarray(np.where(spread > 0, (values - mean) / deviation, 0 * values))
    raise ValueError(f"unknown normaliser {how}")


def _over_units(pick: np.ufunc, values: Floats) -> Floats:
    """Reduce over the units' axis, keeping it, and passing over missing values."""
    return np.asarray(pick.reduce(values, axis=-1, keepdims=True), dtype=np.float64)


def _percentile_rank(values: Floats) -> Floats:
    """Return 100 (number of units below) / (number of units - 1), along the last axis."""
    ordered = np.sort(values, axis=-1)  # NaN last
    count = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    flat_sorted = ordered.reshape(-1, values.shape[-1])
    flat = values.reshape(-1, values.shape[-1])
    below = np.stack([np.searchsorted(row, of) for row, of in zip(flat_sorted, flat, strict=True)])
    share = 100 * below.reshape(values.shape) / np.maximum(count - 1, 1)
    return np.asarray(np.where(np.isnan(values), np.nan, np.where(count == 1, 50.0, share)))


def _weights_present(parts: Floats, weights: list[float], how: str | None) -> Floats:
    """Return the children's weights, shape (..., units, children): 0 where missing; summing to 1
    over the present ones unless the parts are summed as they are.
    """
    present = np.where(np.isnan(parts), 0.0, np.asarray(weights))
    if how == "sum":
        return present
    total = present.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(present, total, out=np.zeros_like(present), where=total > 0))


def aggregate(parts: Floats, weights: Floats, how: str) -> Floats:
    """Return the arithmetic mean, geometric mean or sum over the last axis, NaN where all parts
    are missing. ``parts`` and ``weights`` have shape (..., units, children).
    """
    known = np.where(np.isnan(parts), 0.0, parts)
    if how == "geometric":
        if (known < 0).any():
            raise ValueError("a geometric mean needs values of 0 or more")
        with np.errstate(divide="ignore"):
            logs = np.where(weights > 0, np.log(np.where(weights > 0, known, 1.0)), 0.0)
        total = np.exp((weights * logs).sum(axis=-1))
    elif how in ("arithmetic", "sum"):
        total = (weights * known).sum(axis=-1)
    else:
        raise ValueError(f"unknown aggregator {how}")
    return np.where((np.isnan(parts) | (weights == 0)).all(axis=-1), np.nan, total)


def _shares_of_index(
    tree: _Tree, normalised: dict[str, Floats], weight_in_parent: dict[str, Floats]
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return each node's effective weight in the index and its contribution to it."""
    root = normalised[tree.root]
    weight = {tree.root: np.where(np.isnan(root), np.nan, 1.0)}
    has_parts = {tree.root: True}
    for group in tree.top_down():
        for child in tree.children(group.code):
            weight[child.code] = weight[group.code] * weight_in_parent[child.code]
            has_parts[child.code] = has_parts[group.code] and group.aggregate != "geometric"
    contribution = {
        code: weight[code] * np.nan_to_num(normalised[code])
        if has_parts[code]
        else np.full_like(root, np.nan)
        for code in weight
    }
    return weight, contribution


def published(index: Floats) -> npt.NDArray[np.int64]:
    """Return scores in hundredths: floor(round(100 x, 6) + 0.5), half up and immune to the order
    in which the index was added up (DESIGN §3). ``index`` must have no NaN.
    """
    return np.floor(np.round(100 * index, 6) + 0.5).astype(np.int64)
