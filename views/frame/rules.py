"""The methodology and the rule that a page tells of: those of the round, or today's in force."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from funding.rule import Rule, load_rule
from kpi.dated import load_file
from kpi.methodology import Methodology, load_methodology, round_dates, round_name
from kpi.resources import sql_folder
from kpi.rounds import Round
from views.frame.here import Here

DEFAULTS = ("kpi", "threshold")
"""The shipped methodology and rule that a round takes unless told otherwise."""

_FIRST_MONTH = 9
"""The academic year begins in September."""


@dataclass(frozen=True)
class Rules:
    """What a round is, or would be, computed with; ``days`` are its dates by their names."""

    methodology: Methodology
    rule: Rule
    days: dict[str, dt.date]
    sql: Path


def rules_here(at: Here) -> Rules:
    """Return the rules of the round that is shown; without a round those in force today."""
    if at.opened is None:
        return rules_on(dt.date.today())
    return _rules_of(at.round.path, at.round.receipt_hash)


def rules_on(today: dt.date) -> Rules:
    """Return the shipped rules in force on a day, with the dates of its academic year."""
    methodology = load_methodology(DEFAULTS[0], today)
    year = today.year - (today.month < _FIRST_MONTH)
    days = round_dates(round_name(year), methodology, {})
    return Rules(methodology, load_rule(DEFAULTS[1], today), days, sql_folder())


@st.cache_resource(max_entries=6, show_spinner=False)
def _rules_of(path: Path, receipt_hash: str) -> Rules:
    of_round = Round(path)
    days = {name: dt.date.fromisoformat(day) for name, day in of_round.receipt["dates"].items()}
    rule = load_file(of_round.rule_file(), Rule)
    return Rules(of_round.methodology, rule, days, of_round.sql)
