"""What a round costs, by region and administrator, and against what it is set.

Frames come from ``kpi.access.read_table``: a hidden cell is empty and named in ``suppressed``, and
nothing is summed up from hidden ones.
"""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl

from funding.compare import PARTS
from funding.rule import Rule
from kpi.methodology import Methodology, first_year, round_name
from kpi.rounds import Round, exists, open_round

Row = dict[str, Any]

NATION = "KZ"


def totals_of(rows: pl.DataFrame, place: str) -> Row | None:
    """Return the row of a region or of the nation (``KZ``) in ``funding_regions``; None where the
    viewer may not see it.
    """
    found = rows.filter(pl.col("region") == place)
    return found.row(0, named=True) if found.height else None


def old_norm(funding_totals: pl.DataFrame) -> Row | None:
    """Return the row of ``funding_totals`` for the version of the rule that was in force before the
    round's own; None where there was none.
    """
    before = funding_totals.filter(~pl.col("in_force")).sort("start")
    return before.row(-1, named=True) if before.height else None


def previous_round(store: Path, name: str) -> Round | None:
    """Return the round of the academic year before, with funding: its newest published version,
    else its newest draft; None where the store has none.
    """
    before = round_name(first_year(name) - 1)
    if not exists(store, before):
        return None
    found = open_round(store, before)
    return found if found.has("funding") else None


def average_norm(students: Decimal | None, amount: int | None) -> int | None:
    """Return tenge per student and year, rounded half up; None without students."""
    if not students or amount is None:
        return None
    return int((Decimal(amount) / students).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def qualifying(funding: pl.DataFrame, profile: pl.DataFrame) -> pl.DataFrame:
    """Return the colleges with a share of the incentive, the largest amount first.

    Columns of ``funding``, and ``name_*``, ``region`` and ``administrator`` of ``unit_profile``.
    """
    places = profile.select(
        "college_id",
        "name_kk",
        "name_ru",
        "name_en",
        "region",
        pl.col("administrator").fill_null("not_stated"),
    )
    return (
        funding.filter(pl.col("share") > 0)
        .join(places, on="college_id", how="left", maintain_order="left")
        .sort("amount", "college_id", descending=[True, False], nulls_last=True)
    )


def with_average_norm(rows: pl.DataFrame, qualifying: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return totals with ``average_norm``: tenge per student of the colleges that qualify there.

    ``rows``: ``funding_regions`` or ``funding_administrators``, ``by`` their key (``KZ`` is all of
    them). Empty where nobody qualifies or an amount or number of students is hidden.
    """
    known = qualifying.with_columns(
        is_known=pl.col("students").is_not_null() & pl.col("amount").is_not_null()
    )
    norms: list[int | None] = []
    for place in rows[by]:
        there = known if place == NATION else known.filter(pl.col(by) == place)
        seen = bool(there["is_known"].all()) and there.height > 0
        sums = there.select(pl.col("students", "amount").sum()).row(0) if seen else (None, None)
        norms.append(average_norm(*sums))
    return rows.with_columns(pl.Series("average_norm", norms, dtype=pl.Int64))


def largest_first(rows: pl.DataFrame, own: str | None = None) -> pl.DataFrame:
    """Return totals without the nation, the viewer's own region first, then the largest amount."""
    key = rows.columns[0]
    return rows.filter(pl.col(key) != NATION).sort(
        pl.col(key) == (own or ""), "amount", key, descending=[True, True, False], nulls_last=True
    )


def by_calendar_year(funding_months: pl.DataFrame) -> pl.DataFrame:
    """Return one row per calendar year that the academic year lies in: year, how many months of it
    are paid, and the amount of all colleges.
    """
    return (
        funding_months.group_by(year=pl.col("month").dt.year())
        .agg(
            months=pl.col("month").n_unique().cast(pl.Int64),
            amount=pl.col("amount").sum(),
        )
        .sort("year")
    )


def parts_of(colleges: pl.DataFrame) -> dict[str, int]:
    """Return what each part of ``Comparison.colleges`` comes to for all colleges, tenge a year."""
    return {part: int(colleges[part].sum()) for part in PARTS}


def deciding_gates(rule: Rule, methodology: Methodology) -> list[str]:
    """Return the gates that decide money: those that the rule asks for, or under leagues those of
    the leagues.
    """
    if rule.mode == "threshold":
        return list(rule.gates.value)
    asked = {gate for league in methodology.leagues for gate in league.gates}
    return [gate.kpi for gate in methodology.gates if gate.kpi in asked]
