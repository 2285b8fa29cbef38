"""How sure a rank is, in words: ranges, leagues that hang on chance, colleges not told apart.

Rows are those of ``ranking``; of a round without draws, or of a hidden score, the columns are
empty, and nothing is said.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from kpi.language import Speaker
from kpi.uncertainty import LEVEL

Row = Mapping[str, Any]


def has_intervals(rows: pl.DataFrame) -> bool:
    """Whether any of the rows has an interval."""
    return "rank_low" in rows.columns and rows["rank_low"].null_count() < rows.height


def ranks_told(words: Speaker, row: Row) -> str:
    """Return the interval of a rank: 14–31, or 1 where it is one place; nothing without one."""
    low, high = row.get("rank_low"), row.get("rank_high")
    if low is None or high is None:
        return ""
    return words.number(low) if low == high else f"{words.number(low)}–{words.number(high)}"


def is_close_league(row: Row) -> bool:
    """Whether a league is decided by less than its uncertainty: a new cohort would bring the
    college into another one in more than 10 % of cases.
    """
    chance = row.get("league_chance")
    return chance is not None and chance < LEVEL


def sure_ones(leaders: pl.DataFrame) -> pl.DataFrame:
    """Return the leaders whose chance to stay it is 90 % or more."""
    return leaders.filter(pl.col("chance") >= LEVEL)


def league_told(words: Speaker, row: Row) -> str:
    """Return the league, marked where it is decided by less than its uncertainty: 1 (83 %)."""
    if row["league"] is None:
        return ""
    if not is_close_league(row):
        return str(row["league"])
    return f"{row['league']} ≈ {chance_told(words, row['league_chance'])}"


def chance_told(words: Speaker, chance: Decimal) -> str:
    """Return a chance in whole percent; never 0 % or 100 % for what is not certain in the draws.

    >>> from kpi.language import speaker
    >>> [chance_told(speaker("en"), Decimal(x)) for x in ("0.8251", "0.9996", "0.0001", "1")]
    ['83\\xa0%', '> 99\\xa0%', '< 1\\xa0%', '100\\xa0%']
    """
    if 0 < chance < Decimal("0.01"):
        return f"< {words.percent(Decimal('0.01'), 0)}"
    if Decimal("0.99") < chance < 1:
        return f"> {words.percent(Decimal('0.99'), 0)}"
    return words.percent(chance, 0)


def first_told_apart(words: Speaker, ranked: pl.DataFrame) -> str:
    """Say which of the ranked rows, which stand in order, cannot be told apart from the first."""
    if not has_intervals(ranked) or ranked["band_high"][0] is None:
        return ""
    level = words.percent(LEVEL, 0)
    first, last = ranked["rank"][0], ranked["band_high"][0]
    among = ranked.filter(pl.col("rank") <= last)
    if among.height == 1:
        return words.say("the first is ahead of every other at {level}", level=level)
    return words.say(
        "ranks {first}–{last} cannot all be told apart at {level}",
        first=words.number(first),
        last=words.number(among["rank"].to_list()[-1]),
        level=level,
    )
