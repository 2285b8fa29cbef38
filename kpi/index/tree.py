"""A framework's rows as a tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Node:
    """One row of a framework; what it leaves out is None."""

    code: str
    parent: str | None
    direction: int
    weight: float
    normalise: str | None
    floor: float | None
    target: float | None
    aggregate: str | None
    missing: str
    mean: float | None
    deviation: float | None
    capped: bool
    treat: str | None


class Tree:
    """The nodes of a framework by code. Raises ValueError where they make no tree."""

    def __init__(self, framework: pl.DataFrame) -> None:
        def number(value: object) -> float | None:
            return None if value is None else float(value)  # type: ignore[arg-type]

        self.nodes = {
            row["code"]: Node(
                code=row["code"],
                parent=row["parent"],
                direction=int(row["direction"] or 1),
                weight=float(row["weight"]),
                normalise=row["normalise"],
                floor=number(row["floor"]),
                target=number(row["target"]),
                aggregate=row["aggregate"],
                missing=row["missing"],
                mean=number(row.get("mean")),
                deviation=number(row.get("deviation")),
                capped=bool(row.get("capped")),
                treat=row.get("treat"),
            )
            for row in framework.iter_rows(named=True)
        }
        if len(self.nodes) != framework.height:
            raise ValueError("the framework has a code twice")
        roots = [node.code for node in self.nodes.values() if node.parent is None]
        if len(roots) != 1:
            raise ValueError(f"the framework has {len(roots)} nodes without parent; expected one")
        self.root = roots[0]
        reached = {self.root, *(child.code for group in self.groups for child in group.children)}
        if lost := sorted(self.nodes.keys() - reached):
            raise ValueError(f"{', '.join(lost)}: not below {self.root}, or below an indicator")

    @cached_property
    def indicators(self) -> list[Node]:
        """The nodes without children, in the order of the framework's rows."""
        return [node for node in self.nodes.values() if node.aggregate is None]

    @cached_property
    def groups(self) -> list["Group"]:
        """The groups, each before the groups inside it."""
        found, waiting = [], [self.root]
        while waiting:
            node = self.nodes[waiting.pop(0)]
            if node.aggregate is not None:
                children = [other for other in self.nodes.values() if other.parent == node.code]
                found.append(Group(node, node.aggregate, children))
                waiting.extend(child.code for child in children)
        return found

    def levels(self) -> dict[str, int]:
        """Return each node's level: 1 for indicators, rising to the index."""
        level = {node.code: 1 for node in self.indicators}
        for group in reversed(self.groups):
            level[group.code] = 1 + max((level[child.code] for child in group.children), default=0)
        return level

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())


@dataclass(frozen=True)
class Group:
    """A node that aggregates its children."""

    node: Node
    aggregate: str
    children: list[Node]

    @property
    def code(self) -> str:
        """The code of the node."""
        return self.node.code
