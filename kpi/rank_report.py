"""The ranking on the command line: narrowed, with its ranges, as a table, CSV or JSON."""

import json
import sys
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from kpi.certainty import (
    chance_told,
    first_told_apart,
    has_intervals,
    is_close_league,
    league_told,
    ranks_told,
)
from kpi.errors import CallError, phrase
from kpi.export import safe_text
from kpi.language import Speaker
from kpi.pooling import pooled_kpis
from kpi.printing import fill, new_console, new_table
from kpi.ranking import with_interval_columns
from kpi.rounds import Round
from kpi.terms import term
from kpi.told import counts

_NAMES = ("name_kk", "name_ru", "name_en")
_LISTED = (
    *("rank", "tie_size", "ranked_of", "rank_low", "rank_high", "ahead_of_next"),
    *("band_low", "band_high", "score", "league", "league_chance", "level", "leader"),
    *("college_id", *_NAMES, "region", "cluster", "kind", "students", "not_ranked_reason"),
)


def ranked_rows(of_round: Round, **wanted: str | int | None) -> pl.DataFrame:
    """Return the ranking in order, unranked last, with names, region, cluster, kind and students.

    ``wanted``: values of region, cluster, kind or league; None is any. Raises CallError when
    nothing fits.
    """
    profile = of_round.table("unit_profile").select(
        "college_id", *_NAMES, "region", "cluster", "kind", "students"
    )
    rows = (
        with_interval_columns(of_round.table("ranking"))
        .join(profile, on="college_id", how="left", maintain_order="left")
        .sort("rank", "college_id", nulls_last=True)
    )
    for column, nobody in (
        ("region", phrase("No college of the round has this region.")),
        ("cluster", phrase("No college of the round has this cluster.")),
        ("kind", phrase("No college of the round has this kind.")),
        ("league", phrase("No college of the round has this league.")),
    ):
        value = wanted.get(column)
        if value is None:
            continue
        known = rows[column].drop_nulls().unique().sort().cast(pl.String).to_list()
        rows = rows.filter(pl.col(column) == value)
        if rows.is_empty():
            raise CallError(
                nobody,
                where=f"--{column}",
                found=str(value),
                expected=phrase("one of {names}", names=", ".join(known)) if known else "",
            )
    return rows


def print_ranking(of_round: Round, rows: pl.DataFrame, top: int, words: Speaker) -> None:
    """Print the ranked rows, at most ``top`` (0: all), and why the others are not ranked."""
    console = new_console()
    print_heading(console, of_round, words)
    ranked = rows.filter(pl.col("rank").is_not_null())
    shown = ranked.head(top) if top else ranked
    if told := first_told_apart(words, ranked):
        console.print(f"{told[:1].upper()}{told[1:]}.")
    console.print(ranking_table(of_round, shown, words))
    print_legend(console, shown, words)
    if shown.height < ranked.height:
        console.print(
            words.say(
                "{shown} of {count} shown; --top 0 shows all.",
                shown=words.number(shown.height),
                count=words.number(ranked.height),
            )
        )
    _print_unranked(console, of_round, rows.filter(pl.col("rank").is_null()), words)


def print_heading(console: Console, of_round: Round, words: Speaker) -> None:
    """Print which round this is, by what it was computed, and that it is illustrative."""
    receipt = of_round.receipt
    methodology, rule = receipt["methodology"], receipt["rule"]
    console.print(
        words.say(
            "Round {round}, {version}: methodology {methodology} of {methodology_start}, rule"
            " {rule} of {rule_start}",
            round=of_round.name,
            version=of_round.version,
            methodology=methodology["name"],
            methodology_start=methodology["start"],
            rule=rule["name"],
            rule_start=rule["start"],
        ),
        style="bold",
        markup=False,
    )
    console.print(
        words.say(
            "Illustrative: gates, weights, leagues, exclusions and the split of the norm are our"
            " reading of what is public."
        )
    )

    if pooled_kpis(of_round.methodology):
        rows = of_round.table("param_pool").iter_rows(named=True)
        told = ", ".join(f"{row['kpi']} ({row['pooled_years']})" for row in rows)
        console.print(words.say("Pooled, over so many cohorts: {kpis}.", kpis=told), markup=False)


def ranking_table(of_round: Round, rows: pl.DataFrame, words: Speaker) -> Table:
    """Lay out ranked rows: rank with its range, score, college, region, students, employment with
    its n, league or level.
    """
    values = of_round.table("kpi_values").filter(pl.col("kpi") == "employment_rate")
    employment = {row["college_id"]: row for row in values.iter_rows(named=True)}
    has_leagues = rows["league"].null_count() < rows.height
    columns = [words.say("rank") + ">"]
    columns += [words.say("90 % range") + ">"] if has_intervals(rows) else []
    columns += [words.say("score") + ">", "college_id", words.say("name"), words.say("region")]
    columns += [words.say("students") + ">", words.say("employment") + ">"] if employment else []
    table = new_table(*columns, words.say("league") if has_leagues else words.say("level"))
    levels = {level.code: level.name for level in of_round.methodology.levels}
    for row in rows.iter_rows(named=True):
        shown = [str(row["rank"]) + ("=" if row["tie_size"] > 1 else "")]
        shown += [ranks_told(words, row)] if has_intervals(rows) else []
        shown += [words.number(row["score"], 2), row["college_id"], words.of(row), row["region"]]
        if employment:
            fact = employment.get(row["college_id"])
            shown += [words.number(row["students"]), counts(words, fact) if fact else ""]
        level = words.name(levels[row["level"]]) if row["level"] else ""
        fill(table, *shown, league_told(words, row) if has_leagues else level)
    return table


def print_legend(console: Console, rows: pl.DataFrame, words: Speaker) -> None:
    """Say what the ranges are, and what the mark of a league is."""
    if not has_intervals(rows):
        return
    console.print(
        words.say(
            "90 % range: where the rank lies in 90 % of draws of what chance alone would do to the"
            " graduates' outcomes."
        )
    )
    if any(is_close_league(row) for row in rows.iter_rows(named=True)):
        console.print(
            words.say(
                "≈: the league is decided by less than its uncertainty; beside it the chance that a"
                " new cohort of the same size would bring the college into the same league."
            )
        )


def _print_unranked(
    console: Console, of_round: Round, unranked: pl.DataFrame, words: Speaker
) -> None:
    if unranked.is_empty():
        return
    kpis = {kpi.code: words.name(kpi.name) for kpi in of_round.methodology.kpis}
    reasons = unranked.group_by("not_ranked_reason").len().sort("not_ranked_reason").rows()
    told = "; ".join(f"{kpis.get(code) or term(words, code)} {count}" for code, count in reasons)
    console.print(
        words.say(
            "Not ranked: {count} ({reasons}).", count=words.number(unranked.height), reasons=told
        ),
        markup=False,
    )


def print_leaders(of_round: Round, top: int, words: Speaker) -> None:
    """Print the leaders: league 1, and the reference colleges of the clusters, nationally and in
    each region, each with the chance that a new cohort leaves it there.

    Raises CallError when the round holds no leaders.
    """
    rows = leader_rows(of_round)
    console = new_console()
    print_heading(console, of_round, words)
    titles = {
        "league_1": words.say("Technological leaders (league 1)"),
        "cluster": words.say("Reference college of each cluster, nationally"),
        "cluster_in_region": words.say("Reference college of each cluster in its region"),
    }
    clusters = _places(of_round, "clusters", "cluster", words)
    regions = _places(of_round, "regions", "region", words)
    for scope, title in titles.items():
        own = rows.filter(pl.col("scope") == scope)
        console.print(f"\n{title}: {words.number(own.height)}", style="bold", markup=False)
        columns = (words.say("region"), words.say("cluster"), "college_id", words.say("name"))
        table = new_table(*columns, words.say("rank") + ">", words.say("chance") + ">")
        for row in own.head(top or own.height).iter_rows(named=True):
            chance = row["chance"]
            fill(
                table,
                regions.get(row["region"], ""),
                clusters.get(row["cluster"], ""),
                row["college_id"],
                words.of(row),
                str(row["rank"]),
                "" if chance is None else chance_told(words, chance),
            )
        console.print(table)
    console.print(
        words.say(
            "Chance: that a new cohort of the same size would bring the college to the same place."
        )
    )


def _places(of_round: Round, table: str, key: str, words: Speaker) -> dict[str | None, str]:
    rows = of_round.reference()[table].iter_rows(named=True)
    return {row[key]: words.of(row) for row in rows}


def leader_rows(of_round: Round) -> pl.DataFrame:
    """Return the table ``leaders`` with names. Raises CallError for a round that has none."""
    if not of_round.has("leaders"):
        raise CallError(
            "The round holds no leaders.",
            where=str(of_round.path),
            do="Run it again: rounds of an earlier version of the product have none.",
        )
    names = of_round.table("unit_profile").select("college_id", *_NAMES)
    return of_round.table("leaders").join(names, on="college_id", how="left", maintain_order="left")


def write_rows(of_round: Round, rows: pl.DataFrame, form: str) -> None:
    """Write rows to standard output as CSV or JSON, each with the round and its marks."""
    marks = {
        "round": of_round.name,
        "version": of_round.version,
        "status": "illustrative draft" if of_round.is_draft else "illustrative",
    }
    named = rows.select(*(pl.lit(text).alias(name) for name, text in marks.items()), pl.all())
    if form == "csv":
        sys.stdout.write(safe_text(named).write_csv())
        return
    found: list[dict[str, Any]] = named.to_dicts()
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2, default=_plain) + "\n")


def _plain(value: Any) -> float | str:
    """Decimals as numbers; anything else as its text."""
    return float(value) if hasattr(value, "as_tuple") else str(value)


def listed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the ranking that CSV and JSON hold."""
    return rows.select(_LISTED)
