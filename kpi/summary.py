"""What the command line prints of a round: read from its stored tables, only laid out here."""

from decimal import Decimal

import polars as pl
from rich.console import Console

from kpi.errors import CallError
from kpi.formats import of, plain
from kpi.language import SOURCE, speaker
from kpi.methodology import Methodology
from kpi.printing import fill, new_console, new_table
from kpi.rank_report import print_heading, print_legend, ranked_rows, ranking_table
from kpi.rounds import Round

EMPLOYMENT = ("employment_rate_of_all", "employment_rate", "employment_rate_with_study")
TENGE = "₸"


def print_round(draft: Round) -> None:
    """Print a round: national figures, top 10, leagues or levels, funding, where the files are."""
    console = new_console()
    methodology = draft.methodology
    words = speaker(SOURCE)
    print_heading(console, draft, words)
    _print_national(console, draft, methodology)
    console.print("\n[bold]Top 10[/bold]")
    top = ranked_rows(draft).filter(pl.col("rank") <= 10)
    console.print(ranking_table(draft, top, words))
    print_legend(console, top, words)
    if methodology.leagues:
        _print_leagues(console, draft, methodology)
    if methodology.levels:
        _print_levels(console, draft, methodology)
    _print_funding(console, draft)
    console.print(f"\nFiles: {draft.path}", markup=False)


def print_specialties(of_round: Round, top: int) -> None:
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
    console = new_console()
    print_heading(console, of_round, speaker(SOURCE))
    table = new_table("overall rank>", "specialty", "college", "points>", "rank in specialty>")
    for row in rows.head(top or rows.height).iter_rows(named=True):
        fill(
            table,
            f"{row['overall_rank']} of {row['overall_ranked_of']}",
            row["specialty"],
            row["college_id"],
            plain(row["points"]),
            f"{row['rank']} of {row['ranked_of']}",
        )
    console.print(table)


def _print_national(console: Console, draft: Round, methodology: Methodology) -> None:
    sums = draft.receipt["national"]
    dates = draft.receipt["dates"]
    counted = f"; {sums['students']:,} students counted on {dates['count_on']}"
    console.print(
        f"\n{sums['active']:,} active colleges, {sums['ranked']:,} ranked"
        + (counted if draft.has("funding") else "")
        + "."
    )
    national = draft.table("region_kpis").filter(pl.col("region") == "KZ")
    names = {kpi.code: kpi.name.en for kpi in methodology.kpis}
    rows = {row["kpi"]: row for row in national.iter_rows(named=True)}
    shown = [code for code in (*EMPLOYMENT, "dual_share") if code in rows]
    if not shown:
        return
    table = new_table("national", "value>", "of>")
    for code in shown:
        row = rows[code]
        value = "no data" if row["value"] is None else f"{100 * row['value']:.1f} %"
        fill(table, names[code], value, of(row["numerator"], row["denominator"]))
    console.print(table)


def _print_leagues(console: Console, draft: Round, methodology: Methodology) -> None:
    ranking = draft.table("ranking")
    console.print("\n[bold]Leagues[/bold]")
    table = new_table("league", "name", "colleges>")
    for league in methodology.leagues:
        members = ranking.filter(pl.col("league") == league.league).height
        fill(table, str(league.league), league.name.en, f"{members:,}")
    fill(table, "", "not ranked", f"{ranking['rank'].null_count():,}")
    console.print(table)


def _print_levels(console: Console, draft: Round, methodology: Methodology) -> None:
    ranking = draft.table("ranking")
    console.print("\n[bold]Levels[/bold], by the share of the best college's score")
    table = new_table("level", "from>", "colleges>")
    for level in methodology.levels:
        members = ranking.filter(pl.col("level") == level.code).height
        fill(table, level.name.en, f"{100 * level.min_share:.0f} %", f"{members:,}")
    console.print(table)


def _print_funding(console: Console, draft: Round) -> None:
    console.print("\n[bold]Funding[/bold], tenge per year")
    if not draft.has("funding_totals"):
        console.print("No register of students was given: nothing can be funded.")
        return
    table = new_table("norm", "base>", "full>", "colleges with incentive>", "incentive>", "total>")
    for row in draft.table("funding_totals").iter_rows(named=True):
        mark = "new" if row["in_force"] else "old"
        fill(
            table,
            f"{mark}, {row['rule']} of {row['start']}",
            f"{row['base']:,}",
            f"{row['full']:,}",
            f"{row['qualifying']:,}",
            *(f"{row[part]:,} {TENGE}" for part in ("incentive_amount", "amount")),
        )
    console.print(table)
    paid = plain(Decimal(draft.receipt["national"]["eligible_students"]))
    console.print(
        f"for {paid} eligible students; base and full are official national averages per student."
    )
