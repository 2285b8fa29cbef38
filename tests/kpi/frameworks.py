"""Frameworks for the index engine, node by node."""

from typing import Any

import polars as pl

COLUMNS: dict[str, Any] = {
    "code": pl.String,
    "parent": pl.String,
    "direction": pl.Int64,
    "weight": pl.Float64,
    "normalise": pl.String,
    "floor": pl.Float64,
    "target": pl.Float64,
    "aggregate": pl.String,
    "missing": pl.String,
}
OPTIONS: dict[str, Any] = {
    "mean": pl.Float64,
    "deviation": pl.Float64,
    "capped": pl.Boolean,
    "treat": pl.String,
}


def tree(*nodes: dict[str, Any]) -> pl.DataFrame:
    """A framework of nodes; what a node leaves out is empty, and an option that no node has is no
    column.
    """
    stated = {name: of for name, of in OPTIONS.items() if any(name in node for node in nodes)}
    schema = COLUMNS | stated
    return pl.DataFrame([{**dict.fromkeys(schema), **node} for node in nodes], schema=schema)


def group(code: str, parent: str | None = None, **other: Any) -> dict[str, Any]:
    fixed = {"code": code, "parent": parent, "weight": 1, "aggregate": "arithmetic"}
    return {**fixed, "missing": "reweight", **other}


def kpi(code: str, parent: str = "index", **other: Any) -> dict[str, Any]:
    """An indicator of points as they are, 0 to 100, unless said otherwise."""
    fixed = {"code": code, "parent": parent, "direction": 1, "weight": 1, "normalise": "none"}
    return {**fixed, "floor": None, "target": None, "missing": "reweight", **other}


def posts(code: str, floor: float = 0, target: float = 100, **other: Any) -> dict[str, Any]:
    return kpi(code, normalise="goalposts", floor=floor, target=target, **other)
