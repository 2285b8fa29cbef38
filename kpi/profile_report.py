"""What ``kpi profile`` prints: a college's profile as text, CSV or JSON, only laid out here."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import typer
from rich.console import Console

from kpi import profile_words as say_of
from kpi import told
from kpi.access import local_analyst, read_table
from kpi.colleges import find_college, place_names
from kpi.errors import CallError
from kpi.export import safe_text
from kpi.language import Speaker
from kpi.printing import fill, new_console, new_table, require_format
from kpi.profile import TABLES, Profile, Row, facts_of, flat, profile_of
from kpi.rounds import Round, open_round
from kpi.standing import earlier_values
from kpi.terms import term

Trend = Sequence[tuple[str, Mapping[str, Row]]]


def print_profile(of_round: Round, store: Path, college: str, form: str, words: Speaker) -> None:
    """Print the profile of the college with this id, or whose name has this part; of a branch that
    of its unit. ``store`` holds the rounds before, for the trend.

    Raises CallError for a form that there is not, no such college, or a round of a product that
    made no profiles.
    """
    require_format(form)
    unit = str(find_college(of_round, college)["unit_id"])
    profile, trend = _profile(of_round, unit), trend_of(of_round, store, unit)
    if form == "table":
        _print_text(of_round, profile, trend, words)
        return
    facts = {"round": of_round.name, "version": of_round.version, **facts_of(profile, trend)}
    if form == "json":
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2, default=str))
        return
    rows = pl.DataFrame(flat(facts), schema=["fact", "value"], orient="row")
    typer.echo(safe_text(rows).write_csv(), nl=False)


def _profile(of_round: Round, unit: str) -> Profile:
    if not of_round.has("cluster_profile"):
        raise CallError(
            "The round holds no profiles: an earlier version of the product computed it.",
            where=str(of_round.path),
            do="Run the round again.",
        )
    viewer = local_analyst()
    tables = {name: read_table(of_round, name, viewer) for name in TABLES if of_round.has(name)}
    found = profile_of(tables, of_round.methodology, unit)
    assert found is not None  # every unit has its row of `unit_profile`
    return found


def trend_of(of_round: Round, store: Path, unit: str) -> list[tuple[str, dict[str, Row]]]:
    """Return the unit's KPI rows in the rounds before, the oldest first; of each round the version
    that is opened by default.
    """
    names = sorted(path.name for path in store.iterdir() if path.is_dir())
    earlier = [_opened(store, name) for name in names if name < of_round.name]
    tables = [(one.name, one.table("kpi_values")) for one in earlier if one]
    return earlier_values(tables, unit)


def _opened(store: Path, name: str) -> Round | None:
    """Return a round of the store; None for a folder that is none."""
    try:
        return open_round(store, name)
    except CallError:
        return None


def _print_text(of_round: Round, profile: Profile, trend: Trend, words: Speaker) -> None:
    console = new_console()
    regions, clusters = (place_names(of_round, name, words) for name in ("regions", "clusters"))
    names = {kpi.code: words.name(kpi.name) for kpi in of_round.methodology.kpis}
    _print_unit(console, of_round, profile, regions, words)
    _print_clusters(console, of_round, profile, clusters, words)
    _print_peers(console, profile, regions, words)
    _print_comparisons(console, profile, names, words)
    _print_levels(console, profile, words)
    _print_expected(console, profile, words)
    _print_dual(console, profile, regions, words)
    _print_trend(console, of_round, profile, trend, names, words)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, markup=False, soft_wrap=True)


def _head(console: Console, text: str) -> None:
    _say(console, "")
    _say(console, text, "bold")


def _print_unit(
    console: Console, of_round: Round, profile: Profile, regions: Mapping[str, str], words: Speaker
) -> None:
    unit = profile.unit
    _say(console, f"{profile.college_id}  {words.of(unit)}", "bold")
    where = [
        f"{of_round.name} {of_round.version}",
        regions.get(unit["region"], str(unit["region"])),
        term(words, unit["locality"]),
        words.say_count("{count} student", "{count} students", unit["students"]),
    ]
    _say(console, " · ".join(where))


def _print_clusters(
    console: Console, of_round: Round, profile: Profile, clusters: Mapping[str, str], words: Speaker
) -> None:
    _head(console, say_of.profile_title(words, profile, clusters))
    if profile.focus is None:
        _say(console, words.say("No student counts on the day of the count: there is no profile."))
        return
    for line in say_of.focus_told(words, profile.focus):
        _say(console, line)
    table = new_table(
        words.say("Cluster"),
        words.say("Specialties") + ">",
        words.say("Students") + ">",
        words.say("Share") + ">",
    )
    for row in profile.clusters:
        fill(
            table,
            clusters.get(row["cluster"], row["cluster"]),
            words.number(row["specialties"]),
            words.number(row["students"]),
            words.percent(row["share"]),
        )
    console.print(table)
    if profile.outside:
        named = place_names(of_round, "specialties", words)
        _say(console, words.say("Specialties outside the profile:"))
        for row in profile.outside:
            _say(console, f"- {say_of.specialty_told(words, row, named, clusters)}")


def _print_peers(
    console: Console, profile: Profile, regions: Mapping[str, str], words: Speaker
) -> None:
    _head(console, words.say("Peers: nearest by clusters, size and locality, not by results"))
    if not profile.peers:
        _say(console, words.say("No other college has a cluster in common with it."))
        return
    table = new_table(
        "№>",
        words.say("College"),
        "",
        words.say("Region"),
        words.say("Students") + ">",
        words.say("Distance") + ">",
    )
    for row in profile.peers:
        fill(
            table,
            words.number(row["place"]),
            row["peer_id"],
            words.of(row),
            regions.get(row["region"], str(row["region"])),
            words.number(row["students"]),
            words.number(row["distance"], 2),
        )
    console.print(table)


def _print_comparisons(
    console: Console, profile: Profile, names: Mapping[str, str], words: Speaker
) -> None:
    if not profile.comparisons:
        return
    _head(console, words.say("Against its peers"))
    table = new_table(
        words.say("KPI"),
        words.say("Value") + ">",
        words.say("Counted") + ">",
        words.say("Middle half of the peers") + ">",
        words.say("Place") + ">",
        words.say("Verdict"),
    )
    for row in profile.comparisons:
        fill(
            table,
            names[row["kpi"]],
            told.value_told(words, row),
            told.counted(words, row["kind"], row),
            say_of.middle_half(words, row),
            say_of.place_told(words, row),
            term(words, row["verdict"]),
        )
    console.print(table)
    _say(console, say_of.verdict_rule(words))


def _print_levels(console: Console, profile: Profile, words: Speaker) -> None:
    if not profile.levels:
        return
    _head(console, words.say("Employment by qualification"))
    for level in profile.levels:
        _say(console, f"{term(words, level.level)}: {say_of.level_told(words, level)}")


def _print_expected(console: Console, profile: Profile, words: Speaker) -> None:
    _head(console, words.say("Expected employment"))
    if profile.expected is None:
        _say(console, say_of.nothing_expected(words))
        return
    for line in (
        say_of.expected_title(words, profile.expected),
        say_of.expected_told(words, profile.expected.row),
        say_of.sources_told(words, profile.expected.row),
        *([say_of.beyond_chance(words)] if profile.expected.beyond else []),
        say_of.never_weighted(words),
    ):
        _say(console, line)


def _print_dual(
    console: Console, profile: Profile, regions: Mapping[str, str], words: Speaker
) -> None:
    if not profile.dual:
        return
    _head(console, words.say("Dual training: share of colleges and share of students"))
    for dual in profile.dual:
        place = regions.get(dual.place, words.say("Kazakhstan"))
        _say(console, say_of.dual_told(words, dual, place))


def _print_trend(
    console: Console,
    of_round: Round,
    profile: Profile,
    trend: Trend,
    names: Mapping[str, str],
    words: Speaker,
) -> None:
    now = {row["kpi"]: row for row in profile.comparisons}
    rounds = [*trend, (of_round.name, now)]
    if not trend or not now:
        return
    _head(console, words.say("Over the rounds in the store"))
    table = new_table(words.say("KPI"), *(f"{name}>" for name, _ in rounds))
    for kpi in now:
        fill(table, names[kpi], *(_then(words, rows.get(kpi)) for _, rows in rounds))
    console.print(table)


def _then(words: Speaker, row: Row | None) -> str:
    """Return a KPI of one round with its counts; a dash where it has none."""
    if row is None or row["value"] is None:
        return "–"
    if row["kind"] in ("outcome_share", "register_share"):
        return told.share_of(words, row)
    return told.share(words, row)
