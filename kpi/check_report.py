"""What the command line says of files that were read and of their findings."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from kpi.detected import alike, form, kinds, layout, named
from kpi.errors import CallError
from kpi.findings import (
    ERROR,
    ROWS,
    SEVERITIES,
    by_check,
    by_college,
    by_table,
    file_column,
    first_to_mend,
    narrowed,
    sentence,
)
from kpi.intake import Intake
from kpi.language import Speaker, error_parts
from kpi.layouts.rows import Headers
from kpi.printing import fill, new_console, new_table
from kpi.terms import term

_SHOWN = 10


@dataclass(frozen=True)
class Report:
    """What is told: the findings and row counts of an input, and what intake said of its files."""

    findings: pl.DataFrame
    counts: pl.DataFrame
    intake: Intake = field(default_factory=Intake)


def print_report(report: Report, path: Path, words: Speaker) -> bool:
    """Print what was detected, rows read, clean and rejected, the findings by check and by college,
    what to mend first, and the first few in full; ``path`` is the file that has them all.

    Returns whether there are errors.
    """
    console = new_console()
    _print_files(console, report, words)
    _print_rows(console, report, words)
    findings = report.findings
    errors = narrowed(findings, severity=ERROR)
    told = words.say(
        "Findings: errors {errors}, warnings {warnings}",
        errors=words.number(errors.height),
        warnings=words.number(findings.height - errors.height),
    )
    if findings.is_empty():
        console.print(f"{told}.", markup=False)
        return False
    console.print(f"{told}, {path}", markup=False, soft_wrap=True)
    _print_checks(console, findings, words)
    _print_colleges(console, report, words)
    _print_first(console, report, words)
    _print_some(console, report, path, words)
    return not errors.is_empty()


def error_told(error: CallError, words: Speaker) -> str:
    """Return an error in a language: of several each, with what is known of it."""
    lines = []
    for one in error.each:
        lines += [words.error(one.what), *(f"  {part}" for part in error_parts(words, one))]
    return "\n".join(lines)


def _print_files(console: Console, report: Report, words: Speaker) -> None:
    if report.intake.files:
        say = words.say
        table = new_table(
            say("File"), say("Table"), say("Layout"), say("Detected"), f"{say('Rows')}>"
        )
        for kind in kinds(report.intake.files):
            entry = kind.entry
            fill(
                table,
                named(words, kind),
                term(words, entry["table"]),
                layout(words, entry["layout"]),
                form(words, entry),
                words.number(kind.rows),
            )
        _title(console, say("Files"))
        console.print(table)
    for name, columns in alike(report.intake.left_out):
        told = words.say(
            "{file}: columns that its table does not have were left out: {columns}",
            file=name,
            columns=", ".join(columns),
        )
        console.print(told, markup=False, soft_wrap=True)
    if names := ", ".join(report.intake.unread):
        told = words.say("Left unread, because no table was found in it: {names}", names=names)
        console.print(told, markup=False, soft_wrap=True)


def _print_rows(console: Console, report: Report, words: Speaker) -> None:
    table = new_table(words.say("Table"), *_row_heads(words))
    for row in by_table(report.counts).iter_rows(named=True):
        fill(
            table, term(words, row["table_name"]), *(words.number(int(row[name])) for name in ROWS)
        )
    _title(console, words.say("Rows by table"))
    console.print(table)
    for note in report.intake.notes:
        console.print(words.error(note), markup=False)


def _print_checks(console: Console, findings: pl.DataFrame, words: Speaker) -> None:
    say = words.say
    table = new_table(
        say("Kind"), say("Check"), say("Column"), f"{say('Findings')}>", f"{say('Colleges')}>"
    )
    for row in by_check(findings).iter_rows(named=True):
        severity = SEVERITIES[row["severity"]]
        fill(
            table,
            words.say(severity),
            row["check_name"],
            row["column_name"] or "",
            words.number(row["findings"]),
            words.number(row["colleges"]),
        )
    _title(console, words.say("Findings by check"))
    console.print(table)


def _print_colleges(console: Console, report: Report, words: Speaker) -> None:
    found = by_college(report.findings, report.counts)
    table = new_table(words.say("College"), *_row_heads(words), f"{words.say('Findings')}>")
    for row in found.head(_SHOWN).iter_rows(named=True):
        fill(
            table,
            row["college_id"] or words.say("no college is named"),
            *(words.number(row[name]) for name in (*ROWS, "findings")),
        )
    _title(console, words.say("Findings by college"))
    console.print(table)
    if found.height > _SHOWN:
        more = words.say("... and {count} more colleges", count=words.number(found.height - _SHOWN))
        console.print(more, markup=False)


def _print_first(console: Console, report: Report, words: Speaker) -> None:
    first = first_to_mend(report.findings)
    if first is None:
        return
    told = [
        term(words, first["table_name"]),
        words.say_count("{count} row waits for it", "{count} rows wait for it", first["rows"]),
        words.say_count("in {count} college", "in {count} colleges", first["colleges"]),
    ]
    console.print()
    said = words.say("Mend first: {what}", what=sentence(words, first, report.intake.headers))
    console.print(f"{said} ({', '.join(told)})", markup=False, soft_wrap=True)


def _print_some(console: Console, report: Report, path: Path, words: Speaker) -> None:
    console.print()
    findings = report.findings
    said = ["file", "record", "college_id", "check_name", "column_name", "found"]
    some = narrowed(findings).unique(said, keep="first", maintain_order=True).head(_SHOWN)
    for finding in some.iter_rows(named=True):
        console.print(_line(finding, report.intake.headers, words), markup=False, soft_wrap=True)
    rest = findings.join(some, on=said, how="anti", nulls_equal=True).height
    if rest:
        count = words.number(rest)
        more = words.say("... and {count} more in {path}", count=count, path=path)
        console.print(more, markup=False, soft_wrap=True)


def _line(finding: dict[str, Any], headers: Headers, words: Speaker) -> str:
    parts = [term(words, finding["table_name"])]
    if finding["file"]:
        file, record = finding["file"], finding["record"]
        parts = [words.say("{file}, record {record}", file=file, record=record)]
    if finding["college_id"]:
        parts.append(words.say("college {college}", college=finding["college_id"]))
    told, expected = sentence(words, finding, headers), words.error(finding["expected"] or "")
    own = file_column(finding, headers)
    is_told = not expected or expected in told or bool(own and own.texts)
    more = "" if is_told else f" ({expected})"
    return f"- {', '.join(parts)}: {told}{more}"


def _row_heads(words: Speaker) -> list[str]:
    return [f"{head}>" for head in (words.say("Read"), words.say("Clean"), words.say("Rejected"))]


def _title(console: Console, title: str) -> None:
    console.print()
    console.print(title, style="bold", markup=False)
