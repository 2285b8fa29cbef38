"""A calendar budget year: January to August from one round, September to December from the next.

A norm holds for an academic year, a budget for a calendar year. Where the next round does not exist
yet, its contingent and qualification are carried over from the first: the students, gates and
leagues that are known, paid by the rule that will be in force. Every such month is an estimate and
says so; no month stands under a norm that is not its round's own without that mark.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from funding.rule import Rule
from funding.scenario import Desk
from funding.settings import Rules, read_rules
from kpi.dated import in_force, path_of, versions
from kpi.errors import CallError, phrase
from kpi.methodology import round_name
from kpi.pipeline import put_table, read_selects, round_parameters
from kpi.rounds import Round, exists, open_round


@dataclass(frozen=True)
class Part:
    """One part of the year: whose contingent and qualification, under which rule, and whether it
    is an estimate because both are carried over.
    """

    months: str
    round_id: str
    source: Round
    rule: Rule
    is_estimate: bool


@dataclass(frozen=True)
class Budget:
    """A calendar year's tenge.

    ``months``: one row per unit and month: college_id, month, amount, round, version, rule, start,
    base, full, is_estimate.
    """

    year: int
    parts: list[Part]
    months: pl.DataFrame

    def by(self, column: str) -> pl.DataFrame:
        """Return the year by ``region`` or ``administrator`` of the colleges: the amount of each
        part, how much of it is an estimate, and the whole.
        """
        known = [part.source.table("unit_profile") for part in reversed(self.parts)]
        places = pl.concat(
            [one.select("college_id", pl.col(column).fill_null("not_stated")) for one in known]
        ).unique("college_id", keep="first", maintain_order=True)
        rows = self.months.join(places, on="college_id", how="left")
        return (
            rows.group_by(column)
            .agg(
                january_to_august=pl.col("amount").filter(pl.col("month").dt.month() <= 8).sum(),
                september_to_december=pl.col("amount").filter(pl.col("month").dt.month() > 8).sum(),
                estimated=pl.col("amount").filter(pl.col("is_estimate")).sum(),
                amount=pl.col("amount").sum(),
            )
            .sort(column)
        )


def budget_of(store: Path, year: int) -> Budget:
    """Return the budget of a calendar year from the rounds of a store.

    Published versions are taken before drafts. Raises CallError when the store has no round that
    covers January, or it has no funding.
    """
    first_id, second_id = round_name(year - 1), round_name(year)
    if not exists(store, first_id):
        raise CallError(
            phrase(
                "January to August {year} are paid from the round {round}, which is not there.",
                year=str(year),
                round=first_id,
            ),
            where=str(store),
            found=phrase("no such round"),
            expected=phrase("a published version or a draft of {round}", round=first_id),
            do="Run that round first; a later round is not carried back.",
        )
    first = _funded(open_round(store, first_id))
    parts = [Part("01-08", first_id, first, _rule_of(first), False)]
    if exists(store, second_id):
        second = _funded(open_round(store, second_id))
        parts.append(Part("09-12", second_id, second, _rule_of(second), False))
        tables = [_months(first, year, 1), _months(second, year, 9)]
    else:
        rules = _rules_next_year(first, year)
        parts.append(Part("09-12", second_id, first, rules.rule, True))
        tables = [_months(first, year, 1), _carried(first, store, rules, second_id)]
    marked = [_marked(table, part) for table, part in zip(tables, parts, strict=True)]
    return Budget(year, parts, pl.concat(marked).sort("college_id", "month"))


def _funded(of_round: Round) -> Round:
    if not of_round.has("funding"):
        raise CallError("The round has no funding.", where=str(of_round.path))
    return of_round


def _rule_of(of_round: Round) -> Rule:
    return read_rules(of_round.methodology_file(), of_round.rule_file()).rule


def _months(of_round: Round, year: int, start: int) -> pl.DataFrame:
    """Return a round's monthly amounts of the calendar year, from the month ``start`` on."""
    return of_round.table("funding_months").filter(
        (pl.col("month") >= dt.date(year, start, 1)) & (pl.col("month") <= dt.date(year, 12, 1))
    )


def _rules_next_year(first: Round, year: int) -> Rules:
    """Return the first round's methodology with the version of its rule in force a year later."""
    rules = read_rules(first.methodology_file(), first.rule_file())
    count_on = first.count_on.replace(year=year)
    try:
        versions("rules", rules.rule.name)
    except CallError:
        return rules  # a rule of the ministry's own file: it has no other version that we know
    later = in_force("rules", rules.rule.name, count_on, Rule)
    if later.start <= rules.rule.start:
        return rules
    return read_rules(first.methodology_file(), path_of("rules", later.name, later))


def _carried(first: Round, store: Path, rules: Rules, round_id: str) -> pl.DataFrame:
    """Return September to December of a round that does not exist yet; where its rule guarantees
    a part of the previous amount, that is what the first round paid.
    """
    desk = Desk(first, store)
    desk.guarantee_against(first)
    funding = desk.costs(rules)
    desk.close()
    months = round_parameters(round_id, rules.methodology, {})["param_month"]
    with duckdb.connect() as con:
        put_table(con, "funding", funding)
        put_table(con, "param_month", months.filter(pl.col("month").dt.month() >= 9))
        [select] = [
            one
            for one in read_selects(con, first.sql / "5_totals")
            if one.table == "funding_months"
        ]
        rows: pl.DataFrame = con.sql(select.text).pl()
    return rows


def _marked(months: pl.DataFrame, part: Part) -> pl.DataFrame:
    return months.select(
        "college_id",
        "month",
        "amount",
        pl.lit(part.source.name).alias("round"),
        pl.lit(part.source.version).alias("version"),
        pl.lit(part.rule.name).alias("rule"),
        pl.lit(part.rule.start).alias("start"),
        pl.lit(part.rule.base.value).alias("base"),
        pl.lit(part.rule.full.value).alias("full"),
        pl.lit(part.is_estimate).alias("is_estimate"),
    )
