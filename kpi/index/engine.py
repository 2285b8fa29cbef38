"""The engine over arrays: from values to the index, with every step."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from kpi.index.means import combine, weights_present
from kpi.index.outliers import treat
from kpi.index.scales import normalise
from kpi.index.tree import Bools, Floats, Node, Tree


@dataclass(frozen=True)
class Scores:
    """Every step of a score; arrays of shape (..., units), by code of the node.

    ``normalised``: an indicator's normalised value or a group's aggregate (NaN: missing);
    ``treated``: an indicator's value after the treatment of outliers.

    Made when first asked for, because many draws need the index only (the values scored must not
    have been changed by then): ``weight``: the node's
    effective weight in the index after reweighting; ``contribution``: weight times normalised,
    which sum to the index over the indicators (NaN below a geometric or harmonic mean, which has
    no such parts); ``at_floor`` and ``at_target``: indicators that goalposts, or a capped distance
    to the target, clamped.
    """

    index: Floats
    normalised: dict[str, Floats]
    treated: dict[str, Floats]
    tree: Tree
    stated_weight: dict[str, Floats]

    @cached_property
    def weight(self) -> dict[str, Floats]:
        """The effective weight of each node in the index."""
        found = {self.tree.root: np.where(np.isnan(self.index), np.nan, 1.0)}
        for group in self.tree.groups:
            codes = [child.code for child in group.children]
            parts = _stacked([self.normalised[code] for code in codes], self.index.shape)
            stated = _stacked([self.stated_weight[code] for code in codes], self.index.shape)
            present = weights_present(parts, stated, group.aggregate)
            for place, code in enumerate(codes):
                found[code] = found[group.code] * present[..., place]
        return found

    @cached_property
    def contribution(self) -> dict[str, Floats]:
        """The contribution of each node to the index."""
        has_parts = {self.tree.root}
        for group in self.tree.groups:
            if group.code in has_parts and group.aggregate in ("arithmetic", "sum"):
                has_parts.update(child.code for child in group.children)
        return {
            code: weight * np.nan_to_num(self.normalised[code])
            if code in has_parts
            else np.full_like(self.index, np.nan)
            for code, weight in self.weight.items()
        }

    @cached_property
    def at_floor(self) -> dict[str, Bools]:
        """Where the value that maps to 0 is reached."""
        return {
            node.code: self._reaches(node, "worst")
            for node in self.tree.indicators
            if node.normalise == "goalposts"
        }

    @cached_property
    def at_target(self) -> dict[str, Bools]:
        """Where the value that maps to 100 is reached."""
        return {
            node.code: self._reaches(node, "best")
            for node in self.tree.indicators
            if node.normalise == "goalposts"
            or (node.normalise == "distance_to_target" and node.capped)
        }

    def _reaches(self, node: Node, end: str) -> Bools:
        values = self.treated[node.code]
        is_goalposts = node.normalise == "goalposts"
        high = node.target if is_goalposts or node.direction == 1 else None
        low = node.floor if is_goalposts else node.target
        wants_high = (end == "best") == (node.direction == 1)
        bound = high if wants_high else low
        assert bound is not None
        return np.asarray(values >= bound if wants_high else values <= bound)


def _stacked(arrays: list[Floats], shape: tuple[int, ...]) -> Floats:
    return np.stack([np.broadcast_to(array, shape) for array in arrays], axis=-1)


def indicator_codes(framework: pl.DataFrame) -> list[str]:
    """Return the codes of the framework's indicators, in the order that ``values`` must have."""
    return [node.code for node in Tree(framework).indicators]


def score_array(
    values: Floats, framework: pl.DataFrame, weights: Mapping[str, Floats] | None = None
) -> Scores:
    """Return every step of the index of ``values`` under ``framework``.

    ``values`` has shape (..., units, indicators), indicators as in ``indicator_codes``; NaN is
    missing. Normalisers and treatments that compare units do so along the units' axis, within each
    draw. ``weights`` replaces the framework's weights of the nodes it names, by arrays that
    broadcast with (..., units): of shape (draws, 1), they are one weight a draw, also where
    ``values`` has no draws. Raises ValueError for a framework that is no tree, a word in it that is
    none of ``kpi.index``, a weight of no node, and a negative part of a geometric or harmonic mean.
    Two indicators, one group:

    >>> framework = pl.DataFrame({
    ...     "code": ["index", "a", "b"], "parent": [None, "index", "index"],
    ...     "direction": [None, 1, -1], "weight": [1, 0.75, 0.25],
    ...     "normalise": [None, "goalposts", "goalposts"], "floor": [None, 0, 0],
    ...     "target": [None, 1, 10], "aggregate": ["arithmetic", None, None],
    ...     "missing": ["reweight"] * 3}, strict=False)
    >>> values = np.array([[0.5, 2.0], [np.nan, 5.0]])
    >>> score_array(values, framework).index.tolist()
    [57.5, 50.0]
    >>> score_array(values, framework, {"b": np.array([[0.0], [0.75]])}).index.tolist()
    [[50.0, nan], [65.0, 50.0]]
    """
    tree = Tree(framework)
    if unknown := sorted((weights or {}).keys() - tree.nodes.keys()):
        raise ValueError(f"weights: no node of the framework: {', '.join(unknown)}")
    stated_weight = {
        node.code: np.asarray((weights or {}).get(node.code, node.weight), dtype=float)
        for node in tree
    }
    treated: dict[str, Floats] = {}
    normalised: dict[str, Floats] = {}
    for place, node in enumerate(tree.indicators):
        column = values[..., place]
        treated[node.code] = column if node.treat is None else treat(column, node.treat)
        normalised[node.code] = _normalised(treated[node.code], node)
    unranked = [
        np.isnan(values[..., place])
        for place, node in enumerate(tree.indicators)
        if node.missing == "not_ranked"
    ]
    for group in reversed(tree.groups):
        total = combine(
            [normalised[child.code] for child in group.children],
            [stated_weight[child.code] for child in group.children],
            group.aggregate,
        )
        if group.node.missing == "not_ranked":
            unranked.append(np.isnan(total))
        normalised[group.code] = _zero_if_missing(total) if group.node.missing == "zero" else total
    for lacks in unranked:
        if lacks.any():
            index = normalised[tree.root]
            normalised[tree.root] = np.where(lacks, np.nan, index)
    return Scores(normalised[tree.root], normalised, treated, tree, stated_weight)


def _normalised(values: Floats, node: Node) -> Floats:
    normal = normalise(
        values,
        node.normalise or "none",
        node.floor,
        node.target,
        node.direction,
        mean=node.mean,
        deviation=node.deviation,
        capped=node.capped,
    )
    return _zero_if_missing(normal) if node.missing == "zero" else normal


def _zero_if_missing(values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.0, values)


def published(index: Floats) -> npt.NDArray[np.int64]:
    """Return scores in hundredths: floor(round(100 x, 6) + 0.5), half up and immune to the order
    in which the index was added up (DESIGN §3). ``index`` must have no NaN.
    """
    return np.floor(np.round(100 * index, 6) + 0.5).astype(np.int64)
