"""What the command line prints of a round: read from its stored tables, only laid out here."""

import datetime as dt

import polars as pl
from rich.console import Console

from kpi.errors import CallError
from kpi.language import Speaker
from kpi.printing import fill, new_console, new_table
from kpi.rank_report import print_heading, print_legend, ranked_rows, ranking_table
from kpi.rounds import Round
from kpi.told import counts, share

EMPLOYMENT = ("employment_rate_of_all", "employment_rate", "employment_rate_with_study")


def print_round(draft: Round, words: Speaker) -> None:
    """Print a round: national figures, top 10, leagues or levels, funding, where the files are."""
    console = new_console()
    print_heading(console, draft, words)
    _print_national(console, draft, words)
    _title(console, words.say("Top 10"))
    top = ranked_rows(draft).filter(pl.col("rank") <= 10)
    console.print(ranking_table(draft, top, words))
    print_legend(console, top, words)
    if draft.methodology.leagues:
        _print_leagues(console, draft, words)
    if draft.methodology.levels:
        _print_levels(console, draft, words)
    _print_funding(console, draft, words)
    console.print("\n" + words.say("Files: {folder}", folder=draft.path), markup=False)


def print_specialties(of_round: Round, top: int, words: Speaker) -> None:
    """Print the specialties that an assessment gives points, each with its rank among the colleges
    that teach it. Raises CallError when the round has none.
    """
    rows = of_round.table("specialty_ranking").sort("overall_rank", "specialty", "college_id")
    if rows.is_empty():
        raise CallError(
            "The round holds no points of specialties.",
            where=str(of_round.path),
            do="Run a round with an assessment, such as data/astana-2024-25.",
        )
    say = words.say
    console = new_console()
    print_heading(console, of_round, words)
    table = new_table(
        say("overall rank") + ">",
        say("specialty"),
        say("college"),
        say("points") + ">",
        say("rank in specialty") + ">",
    )
    for row in rows.head(top or rows.height).iter_rows(named=True):
        fill(
            table,
            _of(words, row["overall_rank"], row["overall_ranked_of"]),
            row["specialty"],
            row["college_id"],
            words.number(row["points"]),
            _of(words, row["rank"], row["ranked_of"]),
        )
    console.print(table)


def _of(words: Speaker, part: int, whole: int) -> str:
    return words.say("{part} of {whole}", part=words.number(part), whole=words.number(whole))


def _title(console: Console, title: str, more: str = "") -> None:
    console.print(f"\n[bold]{title}[/bold]{more}")


def _print_national(console: Console, draft: Round, words: Speaker) -> None:
    sums = draft.receipt["national"]
    active, ranked = words.number(sums["active"]), words.number(sums["ranked"])
    console.print()
    if draft.has("funding"):
        told = words.say(
            "{active} active colleges, {ranked} ranked; {students} students counted on {day}.",
            active=active,
            ranked=ranked,
            students=words.number(sums["students"]),
            day=words.day(dt.date.fromisoformat(draft.receipt["dates"]["count_on"])),
        )
    else:
        told = words.say("{active} active colleges, {ranked} ranked.", active=active, ranked=ranked)
    console.print(told)
    national = draft.table("region_kpis").filter(pl.col("region") == "KZ")
    names = {kpi.code: words.name(kpi.name) for kpi in draft.methodology.kpis}
    rows = {row["kpi"]: row for row in national.iter_rows(named=True)}
    shown = [code for code in (*EMPLOYMENT, "dual_share") if code in rows]
    if not shown:
        return
    table = new_table(words.say("national"), words.say("value") + ">", words.say("of") + ">")
    for code in shown:
        fill(table, names[code], share(words, rows[code]), counts(words, rows[code]))
    console.print(table)


def _print_leagues(console: Console, draft: Round, words: Speaker) -> None:
    ranking = draft.table("ranking")
    _title(console, words.say("Leagues"))
    table = new_table(words.say("league"), words.say("name"), words.say("colleges") + ">")
    for league in draft.methodology.leagues:
        members = ranking.filter(pl.col("league") == league.league).height
        fill(table, str(league.league), words.name(league.name), words.number(members))
    fill(table, "", words.say("not ranked"), words.number(ranking["rank"].null_count()))
    console.print(table)


def _print_levels(console: Console, draft: Round, words: Speaker) -> None:
    ranking = draft.table("ranking")
    more = words.say(", by the share of the best college's score")
    _title(console, words.say("Levels"), more)
    table = new_table(words.say("level"), words.say("from") + ">", words.say("colleges") + ">")
    for level in draft.methodology.levels:
        members = ranking.filter(pl.col("level") == level.code).height
        fill(
            table, words.name(level.name), words.percent(level.min_share, 0), words.number(members)
        )
    console.print(table)


def _print_funding(console: Console, draft: Round, words: Speaker) -> None:
    say = words.say
    _title(console, say("Funding"), say(", tenge per year"))
    if not draft.has("funding_totals"):
        console.print(say("No register of students was given: nothing can be funded."))
        return
    columns = [say("base"), say("full"), say("colleges with incentive")]
    columns += [say("incentive"), say("total")]
    table = new_table(say("norm"), *(f"{column}>" for column in columns))
    for row in draft.table("funding_totals").iter_rows(named=True):
        norm = (
            say("new, {rule} of {start}", rule=row["rule"], start=row["start"])
            if row["in_force"]
            else say("old, {rule} of {start}", rule=row["rule"], start=row["start"])
        )
        numbers = (words.number(row[name]) for name in ("base", "full", "qualifying"))
        sums = (words.tenge(row[part]) for part in ("incentive_amount", "amount"))
        fill(table, norm, *numbers, *sums)
    console.print(table)
    console.print(
        say(
            "for {students} eligible students; base and full are official national averages per"
            " student.",
            students=words.number(draft.receipt["national"]["eligible_students"]),
        )
    )
