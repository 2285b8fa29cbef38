"""Stored figures in words: shares with their counts, and what stands where a count is hidden.

Rows come from ``kpi.access.read_table``: a hidden cell is empty and named in ``suppressed``.
"""

from collections.abc import Mapping
from typing import Any

from kpi.language import Speaker
from kpi.package import HIDDEN

Row = Mapping[str, Any]


def hidden(words: Speaker) -> str:
    """Return what stands in place of a count that is hidden."""
    return words.say("under 5")


def is_hidden(row: Row, column: str) -> bool:
    """Whether a cell of a row from ``Here.table`` is hidden from the viewer."""
    return column in (row.get(HIDDEN) or "").split()


def share_of(words: Speaker, row: Row) -> str:
    """Return a share with its counts: 68.2 % (132 of 194); hidden ones as such."""
    return f"{share(words, row)} ({counts(words, row)})"


def share(words: Speaker, row: Row) -> str:
    """Return the value of a KPI in words: a percentage, or what stands in its place."""
    if is_hidden(row, "value"):
        return hidden(words)
    if row["value"] is None:
        return words.say("no data")
    if row.get("kind") in ("ratio", "points"):
        return words.number(round(row["value"], 1), 1)
    if row.get("kind") == "median":
        return words.tenge(round(row["value"]))
    if row.get("kind") == "flag":
        return words.say("yes") if row["value"] else words.say("no")
    return words.percent(row["value"])


def counts(words: Speaker, row: Row) -> str:
    """Return the counts of a row: 132 of 194."""
    return words.say(
        "{part} of {whole}",
        part=count(words, row, "numerator"),
        whole=count(words, row, "denominator"),
    )


def count(words: Speaker, row: Row, column: str) -> str:
    """Return one count of a row."""
    if is_hidden(row, column):
        return hidden(words)
    return words.number(row[column]) if row[column] is not None else "–"
