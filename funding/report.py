"""What the command line prints of a scenario, a comparison, a path and a budget: only laid out."""

from typing import Any

import polars as pl
from rich.console import Console

from funding.budget import Budget
from funding.compare import PARTS, Comparison, reasons
from funding.explain import short_by
from funding.path import GateStep, LeagueStep, PathOf
from funding.scenario import Desk, Scenario, idle_gates, idle_reason
from kpi.colleges import find_college, place_names
from kpi.language import Speaker, mark
from kpi.methodology import Kpi, Methodology
from kpi.printing import fill, new_console, new_table
from kpi.rounds import Round
from kpi.terms import term
from kpi.values import ADMINISTRATORS

_SHOWN = 10
SUMS = {
    "qualifying": mark("colleges with incentive"),
    "base_amount": mark("base, ₸"),
    "incentive_amount": mark("incentive, ₸"),
    "guarantee_amount": mark("guarantee, ₸"),
    "amount": mark("total, ₸"),
}
PART_NAMES = {
    "students": mark("students"),
    "qualification": mark("qualification"),
    "norm": mark("norm"),
    "coefficient": mark("coefficient"),
    "appropriation": mark("appropriation"),
    "guarantee": mark("guarantee"),
}


def print_scenario(desk: Desk, done: Scenario, words: Speaker) -> None:
    """Print a scenario: what it sets, then baseline, scenario and difference; who gains and loses,
    by region, the largest moves.
    """
    console = new_console()
    _print_set(console, desk, done, words)
    _print_sums(console, done, words)
    colleges = done.colleges()
    gained = colleges.filter(pl.col("difference") > 0)["difference"]
    lost = colleges.filter(pl.col("difference") < 0)["difference"]
    _say(
        console,
        words.say_count(
            "{count} college gains {amount}",
            "{count} colleges gain {amount}",
            gained.len(),
            amount=words.tenge(int(gained.sum())),
        ),
    )
    _say(
        console,
        words.say_count(
            "{count} college loses {amount}",
            "{count} colleges lose {amount}",
            lost.len(),
            amount=words.tenge(-int(lost.sum())),
        ),
    )
    _print_regions(console, desk, done, words)
    _print_moves(console, desk, colleges, words)


def _print_set(console: Console, desk: Desk, done: Scenario, words: Speaker) -> None:
    """Print over what round a scenario is, what it sets, and what of it changes nothing."""
    _say(
        console,
        words.say(
            "SCENARIO over {version}: nothing of it is in force.", version=_name(desk.of_round)
        ),
        style="bold",
    )
    for file in done.files:
        _say(console, words.say("whole file: {file}", file=file))
    for change in done.changes:
        _say(console, f"{change.path}: {change.old} → {change.new}")
    for change in done.idle:
        _say(console, idle_reason(change, words))


def _say(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, markup=False, style=style, soft_wrap=True)


def _name(of_round: Round) -> str:
    return f"{of_round.name} {of_round.version}"


def _signed(words: Speaker, number: int) -> str:
    return ("+" if number > 0 else "") + words.number(number)


def _print_sums(console: Console, done: Scenario, words: Speaker) -> None:
    table = new_table(
        "",
        words.say("baseline") + ">",
        words.say("scenario") + ">",
        words.say("difference") + ">",
    )
    before, after = done.baseline.national(), done.outcome.national()
    for name, title in SUMS.items():
        fill(
            table,
            words.say(title),
            words.number(before[name]),
            words.number(after[name]),
            _signed(words, after[name] - before[name]),
        )
    console.print(table)


def _print_regions(console: Console, desk: Desk, done: Scenario, words: Speaker) -> None:
    moved = done.regions().filter((pl.col("difference") != 0) & (pl.col("region") != "KZ"))
    if moved.is_empty():
        return
    table = new_table(
        words.say("region"),
        words.say("baseline") + ">",
        words.say("scenario") + ">",
        words.say("difference") + ">",
    )
    names = place_names(desk.of_round, "regions", words)
    for row in moved.iter_rows(named=True):
        fill(
            table,
            names.get(row["region"], row["region"]),
            words.number(row["amount"]),
            words.number(row["amount_scenario"]),
            _signed(words, row["difference"]),
        )
    console.print(table)


def _print_moves(console: Console, desk: Desk, colleges: pl.DataFrame, words: Speaker) -> None:
    moved = colleges.filter(pl.col("difference") != 0).head(_SHOWN)
    if moved.is_empty():
        return
    table = new_table(
        words.say("ten largest moves"),
        words.say("college"),
        words.say("share") + ">",
        words.say("league") + ">",
        words.say("difference, ₸") + ">",
    )
    names = _names(desk.of_round, words)
    for row in moved.iter_rows(named=True):
        fill(
            table,
            row["college_id"],
            names[row["college_id"]],
            f"{words.number(row['share'])} → {words.number(row['share_scenario'])}",
            f"{row['league'] or '–'} → {row['league_scenario'] or '–'}",
            _signed(words, row["difference"]),
        )
    console.print(table)


def _names(of_round: Round, words: Speaker) -> dict[str, str]:
    colleges = of_round.table("colleges").iter_rows(named=True)
    return {row["college_id"]: words.of(row) for row in colleges}


def print_frontier(
    desk: Desk, done: Scenario, points: pl.DataFrame, gates: list[str], words: Speaker
) -> None:
    """Print what each threshold costs under a scenario; the one in force is marked."""
    console = new_console()
    _print_set(console, desk, done, words)
    _say(console, words.say("Cost of each threshold; * is the one in force."))
    for gate in idle_gates(points, gates):
        _say(console, words.say("{gate}: none of these thresholds changes anything.", gate=gate))
    table = new_table(
        *(f"{gate}>" for gate in gates),
        words.say("colleges with incentive") + ">",
        words.say("incentive, ₸") + ">",
        words.say("total, ₸") + ">",
    )
    places = {gate: max(-at.as_tuple().exponent for at in points[gate]) for gate in gates}
    for row in points.iter_rows(named=True):
        star = "*" if row["is_in_force"] else " "
        fill(
            table,
            *(words.number(row[gate], places[gate]) + star for gate in gates),
            *(words.number(row[name]) for name in ("qualifying", "incentive_amount", "amount")),
        )
    console.print(table)


def print_comparison(comparison: Comparison, words: Speaker) -> None:
    """Print the nation's change in its parts, the largest changes with reasons, league moves."""
    console = new_console()
    colleges = comparison.colleges
    _say(
        console,
        words.say(
            "{before} → {after}: {change} ₸ a year, {colleges} colleges",
            before=_name(comparison.before),
            after=_name(comparison.after),
            change=_signed(words, int(colleges["change"].sum())),
            colleges=words.number(colleges.height),
        ),
        "bold",
    )
    for part in PARTS:
        if total := int(colleges[part].sum()):
            _say(console, f"    {words.say(PART_NAMES[part])}: {_signed(words, total)} ₸")
    for row in colleges.filter(pl.col("change") != 0).head(_SHOWN).iter_rows(named=True):
        _print_change(console, comparison, row, words)
    _print_league_moves(console, comparison, words)


def _print_change(
    console: Console, comparison: Comparison, row: dict[str, Any], words: Speaker
) -> None:
    amounts = f"{words.number(row['amount_before'])} → {words.number(row['amount_after'])} ₸"
    _say(console, f"{row['college_id']}: {amounts} ({_signed(words, row['change'])})")
    for part, why in reasons(comparison, row["college_id"], words).items():
        _say(console, f"    {words.say(PART_NAMES[part])} {_signed(words, row[part])}: {why}")


def _print_league_moves(console: Console, comparison: Comparison, words: Speaker) -> None:
    moves = comparison.leagues
    _say(
        console,
        words.say_count(
            "{count} college moved to another league",
            "{count} colleges moved to another league",
            moves.height,
        ),
    )
    sums = (
        moves.group_by("league_before", "league_after")
        .len()
        .sort("league_after", "league_before", nulls_last=True)
    )
    names = _names(comparison.before, words) | _names(comparison.after, words)
    for before, after, count in sums.rows():
        _say(console, f"    {before or '–'} → {after or '–'}: {words.number(count)}")
        same = pl.col("league_before").eq_missing(before) & pl.col("league_after").eq_missing(after)
        movers = moves.filter(same)["college_id"].to_list()
        for college_id in movers[:_SHOWN]:
            _say(console, f"        {college_id}  {names[college_id]}")
        if count > _SHOWN:
            more = words.number(count - _SHOWN)
            _say(console, "        " + words.say("and {count} more; --to lists all", count=more))


def print_path(desk: Desk, done: PathOf, words: Speaker) -> None:
    """Print what is missing for each gate and for the next league, and the tenge it brings."""
    console = new_console()
    found = find_college(desk.of_round, done.college_id)
    _say(console, f"{done.college_id}  {words.of(found)}", "bold")
    _say(
        console,
        words.say(
            "{version}; amount {amount} a year; denominators as they are",
            version=_name(desk.of_round),
            amount=words.tenge(done.amount),
        ),
    )
    if not done.gates:
        _say(console, words.say("Every gate is passed."))
    for step in done.gates:
        _print_gate(console, desk, step, words)
    if len(done.gates) > 1:
        gain = words.tenge(done.all_gates_tenge)
        _say(console, words.say("All these gates together bring {gain} a year.", gain=gain))
    if done.not_ranked_reason:
        _say(console, words.say("The college is not ranked: there is no next league for it."))
    elif done.league == 1:
        _say(console, words.say("The college is in league 1."))
    elif not done.leagues:
        _say(
            console, words.say("No further counts reach the next league: a gate cannot be passed.")
        )
    for league in done.leagues:
        _say(console, league_line(desk.rules.methodology, league, words))
        _print_programmes(console, league.programmes, words)


def _print_gate(console: Console, desk: Desk, step: GateStep, words: Speaker) -> None:
    kpi = _kpi(desk.rules.methodology, step.gate)
    counted = f"{words.number(step.numerator)} / {words.number(step.denominator)}"
    missing = (
        words.say("no further count can pass it")
        if step.more is None
        else short_by(words, kpi.kind, step.more)
    )
    _say(
        console,
        words.say(
            "{gate}: {counted} against {threshold}: {missing}; alone it brings {gain} a year",
            gate=words.name(kpi.name),
            counted=counted,
            threshold=words.number(step.threshold),
            missing=missing,
            gain=words.tenge(step.tenge),
        ),
    )
    _print_programmes(console, step.programmes, words)


def _print_programmes(console: Console, programmes: list[tuple[str, int]], words: Speaker) -> None:
    for specialty, students in programmes:
        line = words.say(
            "accredit {specialty}: {students} students",
            specialty=specialty,
            students=words.number(students),
        )
        _say(console, f"    {line}")


def league_line(methodology: Methodology, step: LeagueStep, words: Speaker) -> str:
    """Say by what a college reaches the next league, and what that brings."""
    if step.kpi and step.more is None:
        return words.say(
            "League {league} by {kpi} alone: not even with everybody counted",
            league=step.league,
            kpi=words.name(_kpi(methodology, step.kpi).name),
        )
    more = dict(step.gates)
    if step.kpi and step.more:
        more[step.kpi] = more.get(step.kpi, 0) + step.more
    missing = [
        f"{words.name(kpi.name)} ({short_by(words, kpi.kind, count)})"
        for kpi, count in ((_kpi(methodology, code), count) for code, count in more.items())
    ]
    return words.say(
        "One way to league {league}: {missing}; it brings {gain} a year",
        league=step.league,
        missing=", ".join(missing),
        gain=words.tenge(step.tenge),
    )


def _kpi(methodology: Methodology, code: str) -> Kpi:
    [found] = [kpi for kpi in methodology.kpis if kpi.code == code]
    return found


def print_budget(budget: Budget, words: Speaker) -> None:
    """Print a calendar year: each part with its round and rule, then regions and administrators."""
    console = new_console()
    total = words.tenge(int(budget.months["amount"].sum()))
    estimated = int(budget.months.filter("is_estimate")["amount"].sum())
    headline = (
        words.say(
            "Budget year {year}: {amount}, of it an ESTIMATE: {estimated}",
            year=budget.year,
            amount=total,
            estimated=words.tenge(estimated),
        )
        if any(part.is_estimate for part in budget.parts)
        else words.say("Budget year {year}: {amount}", year=budget.year, amount=total)
    )
    _say(console, headline, "bold")
    for part in budget.parts:
        start = 1 if part.months == "01-08" else 9
        rows = budget.months.filter((pl.col("month").dt.month() >= 9) == (start == 9))
        _say(
            console,
            words.say(
                "months {months}: {amount}; round {round} ({version}), rule {rule} of {start},"
                " norm {base} and {full}",
                months=part.months,
                amount=words.tenge(int(rows["amount"].sum())),
                round=part.round_id,
                version=_name(part.source),
                rule=part.rule.name,
                start=words.day(part.rule.start),
                base=words.number(part.rule.base.value),
                full=words.number(part.rule.full.value),
            ),
        )
        if part.is_estimate:
            _say(
                console,
                "    "
                + words.say(
                    "ESTIMATE: the round {round} does not exist yet; contingent and qualification"
                    " are carried over from {version}",
                    round=part.round_id,
                    version=_name(part.source),
                ),
            )
    regions = place_names(budget.parts[0].source, "regions", words)
    _print_budget_by(console, budget, "region", words.say("region"), regions, words)
    administrators = {code: term(words, code) for code in (*ADMINISTRATORS, "not_stated")}
    _print_budget_by(
        console, budget, "administrator", words.say("administrator"), administrators, words
    )


def _print_budget_by(
    console: Console,
    budget: Budget,
    column: str,
    title: str,
    names: dict[str, str],
    words: Speaker,
) -> None:
    table = new_table(
        title,
        words.say("January to August, ₸") + ">",
        words.say("September to December, ₸") + ">",
        words.say("of it estimated, ₸") + ">",
        words.say("whole year, ₸") + ">",
    )
    for row in budget.by(column).rows():
        name = names.get(row[0], str(row[0]))
        fill(table, name, *(words.number(amount) for amount in row[1:]))
    console.print(table)
