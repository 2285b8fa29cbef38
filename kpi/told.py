"""Stored figures in words: shares with their counts, and what stands where a count is hidden.

Rows come from ``kpi.access.read_table``: a hidden cell is empty and named in ``suppressed``.
"""

from collections.abc import Mapping
from typing import Any

from kpi.language import Speaker
from kpi.package import HIDDEN
from kpi.terms import term

Row = Mapping[str, Any]


def hidden(words: Speaker) -> str:
    """Return what stands in place of a count that is hidden."""
    return words.say("hidden")


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
    """Return the counts of a row: 132 of 194; of a pooled one: 132 of 194, 3 cohorts."""
    told = words.say(
        "{part} of {whole}",
        part=count(words, row, "numerator"),
        whole=count(words, row, "denominator"),
    )
    years = row.get("pooled_years") or 1
    if years == 1:
        return told
    if row.get("kind") == "register_share":
        return words.say_count(
            "{counts}, {count} year", "{counts}, {count} years", years, counts=told
        )
    return words.say_count(
        "{counts}, {count} cohort", "{counts}, {count} cohorts", years, counts=told
    )


def count(words: Speaker, row: Row, column: str) -> str:
    """Return one count of a row."""
    if is_hidden(row, column):
        return hidden(words)
    return words.number(row[column]) if row[column] is not None else "–"


def value_told(words: Speaker, row: Row) -> str:
    """Return a KPI's value, and what it suffers from: 75.0 % (small cohort)."""
    told = share(words, row)
    if row["status"] in ("ok", "no_data", None):
        return told
    return f"{told} ({term(words, row['status'])})"


def counted(words: Speaker, kind: str, row: Row) -> str:
    """Return the people that a KPI is of: 132 of 194; of a ratio or median how many; or a dash."""
    if kind in ("flag", "points"):
        return "–"
    if kind in ("ratio", "median"):
        return count(words, row, "denominator")
    return counts(words, row)


def interval(words: Speaker, row: Row) -> str:
    """Return the interval of a share, 61.3 % – 74.3 %; nothing where it has none."""
    if row["low"] is None:
        return ""
    return f"{words.percent(row['low'])} – {words.percent(row['high'])}"


def of_many(words: Speaker, row: Row | None) -> list[str]:
    """Return a KPI of a region or the nation: its value and its counts, as far as it has them. A
    flag of many colleges is the share of those that have it.
    """
    if row is None or (row["value"] is None and not is_hidden(row, "value")):
        return ["–"]
    if row["kind"] == "flag":
        row = {**row, "kind": "register_share"}
    if row["kind"] in ("ratio", "points"):
        return [share(words, row)]
    return [share(words, row), counts(words, row)]
