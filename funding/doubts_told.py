"""Doubt to flip in words, for the screen and the command line: what each kind of record is called,
and what of it would reverse a decision.
"""

import json
from collections.abc import Callable
from typing import Any

import polars as pl

from funding.doubts import FEW, Hanging, hanging, in_doubt, waived_rows
from kpi.colleges import place_names
from kpi.errors import CallError, phrase
from kpi.export import safe_text
from kpi.language import Speaker
from kpi.printing import fill, new_console, new_table
from kpi.rounds import Round

Row = dict[str, Any]


def kind_name(words: Speaker, kind: str, is_published: bool) -> str:
    """Return what a kind of record in doubt is called. A rejected row of a published round is one
    that was waived: nothing is published before.
    """
    if kind == "rejected" and is_published:
        return words.say("waived rows")
    return {
        "declared_work": words.say("declared-only jobs"),
        "declared_exclusion": words.say("declared-only exclusions"),
        "unknown": words.say("graduates of whom nothing is known"),
        "excluded": words.say("excluded graduates"),
        "rejected": words.say("rejected rows"),
        "together": words.say("records of several kinds"),
    }[kind]


def standing(words: Speaker, row: Row) -> str:
    """Return where a decision stands: passes with 182 of 259."""
    if row["numerator"] is None:
        return words.say_count("fails {count} gate", "fails {count} gates", row["gates_failed"])
    part, whole = words.number(int(row["numerator"])), words.number(int(row["denominator"]))
    if row["passes"]:
        return words.say("passes with {part} of {whole}", part=part, whole=whole)
    return words.say("fails with {part} of {whole}", part=part, whole=whole)


_REVERSE: dict[str, Callable[[Speaker, int], str]] = {
    "declared_work": lambda words, count: words.say_count(
        "{count} declared-only job would reverse it",
        "{count} declared-only jobs would reverse it",
        count,
    ),
    "declared_exclusion": lambda words, count: words.say_count(
        "{count} declared-only exclusion would reverse it",
        "{count} declared-only exclusions would reverse it",
        count,
    ),
    "unknown": lambda words, count: words.say_count(
        "{count} graduate of whom nothing is known would reverse it",
        "{count} graduates of whom nothing is known would reverse it",
        count,
    ),
    "excluded": lambda words, count: words.say_count(
        "{count} excluded graduate would reverse it",
        "{count} excluded graduates would reverse it",
        count,
    ),
    "rejected": lambda words, count: words.say_count(
        "{count} rejected row would reverse it", "{count} rejected rows would reverse it", count
    ),
    "waived": lambda words, count: words.say_count(
        "{count} waived row would reverse it", "{count} waived rows would reverse it", count
    ),
    "together": lambda words, count: words.say_count(
        "{count} record of several kinds would reverse it",
        "{count} records of several kinds would reverse it",
        count,
    ),
}


def reversal(words: Speaker, row: Row, is_published: bool) -> str:
    """Return what would reverse a decision: 3 excluded graduates would reverse it."""
    is_waived = row["doubt"] == "rejected" and is_published
    return _REVERSE["waived" if is_waived else row["doubt"]](words, row["needed"])


def opening(words: Speaker, few: Hanging, decided: int) -> str:
    """Return how many of all decisions hang on few records."""
    said = {"all": words.number(decided), "few": words.number(FEW)}
    if not few.decisions:
        return words.say(
            "None of {all} decisions about money hangs on so few as {few} records", **said
        )
    return words.say_count(
        "{count} of {all} decisions about money hangs on at most {few} records: {amount} a year",
        "{count} of {all} decisions about money hang on at most {few} records: {amount} a year",
        few.decisions,
        amount=words.rough_tenge(few.tenge),
        **said,
    )


def waived_told(words: Speaker, of_round: Round) -> str:
    """Return what is to be said of rejected rows that were waived; nothing where there are none."""
    rows = waived_rows(of_round)
    if not rows:
        return ""
    return words.say_count(
        "{count} row was rejected and waived; it reverses no gate, or nothing would have been"
        " published.",
        "{count} rows were rejected and waived; they reverse no gate, or nothing would have been"
        " published.",
        rows,
    )


def as_file(decisions: pl.DataFrame, marks: dict[str, str]) -> pl.DataFrame:
    """Return the list as a file has it: marks first, then codes and exact numbers."""
    marked = [pl.lit(text).alias(name) for name, text in marks.items()]
    names = ("college_id", "name_ru", "region")
    return decisions.select(*marked, *names, pl.exclude(*names, "name_kk", "name_en"))


def print_doubts(
    of_round: Round, words: Speaker, *, region: str | None, top: int, form: str
) -> None:
    """Print the decisions in doubt: a table, CSV or JSON. Raises CallError where the round has none
    to look at, or no college in the region.
    """
    everywhere = _decisions(of_round)
    decisions = _of_region(of_round, everywhere, region)
    shown = decisions.head(top) if top else decisions
    marks = {
        "round": of_round.name,
        "version": of_round.version,
        "rules_status": of_round.methodology.status,
    }
    if form == "csv":
        print(safe_text(as_file(shown, marks)).write_csv(), end="")
        return
    if form == "json":
        rows = as_file(shown, marks).to_dicts()
        print(json.dumps(rows, ensure_ascii=False, indent=2, default=str))
        return
    decided = of_round.table("funding").height
    _line(f"{of_round.name} {of_round.version}")
    _line(opening(words, hanging(everywhere), decided))
    _line(waived_told(words, of_round))
    if not shown.is_empty():
        _print_table(of_round, shown, words)
    if shown.height < decisions.height:
        said = {"shown": words.number(shown.height), "all": words.number(decisions.height)}
        _line(words.say("{shown} of {all} shown; --top 0 shows all.", **said))


def _line(text: str) -> None:
    if text:
        new_console().print(text, markup=False, soft_wrap=True)


def _decisions(of_round: Round) -> pl.DataFrame:
    if not of_round.has("decision_doubts"):
        raise CallError(
            "The round does not say which decisions are in doubt.",
            where=str(of_round.path),
            do="Run it again, with a register of students.",
        )
    return in_doubt(
        *(of_round.table(name) for name in ("decision_doubts", "gates", "unit_profile"))
    )


def _of_region(of_round: Round, decisions: pl.DataFrame, region: str | None) -> pl.DataFrame:
    if region is None:
        return decisions
    known = of_round.table("unit_profile")["region"].unique().sort().to_list()
    if region not in known:
        raise CallError(
            "No college of the round has this region.",
            where="--region",
            found=region,
            expected=phrase("one of {names}", names=", ".join(known)),
        )
    return decisions.filter(pl.col("region") == region)


def _print_table(of_round: Round, shown: pl.DataFrame, words: Speaker) -> None:
    regions = place_names(of_round, "regions", words)
    table = new_table(
        words.say("college"),
        words.say("region"),
        words.say("decision, and what would reverse it"),
        words.say("of") + ">",
        words.say("at risk, ₸") + ">",
        words.say("per record, ₸") + ">",
    )
    for row in shown.iter_rows(named=True):
        fill(
            table,
            words.of(row),
            regions.get(row["region"], row["region"]),
            f"{standing(words, row)}; {reversal(words, row, not of_round.is_draft)}",
            words.number(row["records"]),
            words.number(row["tenge_at_risk"]),
            words.number(row["tenge_per_record"]),
        )
    new_console().print(table)
