"""What a receipt and a journal say, as rows to look things up in."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from funding.verify import PARTS
from kpi.journal import Entry
from kpi.rounds import Round

_TEXT = pl.String


@dataclass(frozen=True)
class Verdict:
    """What a verification found, without the round: it may be kept for a session.

    ``agreed`` are steps of ``funding.verify.STEPS``; ``failed`` the one at which ``differs`` was
    found; ``cautions`` sentences with their values.
    """

    receipt_sha256: str
    expect: str | None
    at: dt.datetime
    agreed: tuple[str, ...]
    failed: str | None
    differs: str | None
    cautions: tuple[tuple[str, dict[str, str]], ...]


def contents(receipt: dict[str, Any]) -> pl.DataFrame:
    """Return part (inputs, reference, tables, findings), table, rows and sha256 of everything that
    a receipt counts.
    """
    rows = [
        {"part": part, "table": table, "rows": of["rows"], "sha256": of["sha256"]}
        for part in PARTS
        for table, of in sorted(receipt[part].items())
    ]
    found = receipt["findings"]
    rows.append({"part": "findings", "table": "findings", **found})
    return pl.DataFrame(
        rows, schema={"part": _TEXT, "table": _TEXT, "rows": pl.Int64, "sha256": _TEXT}
    )


def checks_with_findings(receipt: dict[str, Any]) -> tuple[int, int]:
    """Return how many checks were run, and of how many some row was found."""
    return len(receipt["checks"]), sum(1 for count in receipt["checks"].values() if count)


def rule_files(receipt: dict[str, Any]) -> pl.DataFrame:
    """Return what (methodology, rule, earlier_rule, sql), version and sha256 of each file of rules
    that a receipt names.
    """
    rows = [
        {"what": name, "version": f"{of['name']} {of['start']}", "sha256": of["sha256"]}
        for name in ("methodology", "rule")
        for of in (receipt[name],)
    ]
    rows += [
        {"what": "earlier_rule", "version": f"{receipt['rule']['name']} {start}", "sha256": digest}
        for start, digest in sorted(receipt["rule"]["earlier"].items())
    ]
    rows.append({"what": "sql", "version": receipt["product"], "sha256": receipt["sql"]["sha256"]})
    return pl.DataFrame(rows, schema={"what": _TEXT, "version": _TEXT, "sha256": _TEXT})


def waivers(receipt: dict[str, Any]) -> pl.DataFrame:
    """Return check, college_id, column, found, by, approved_by, reason, findings and the tenge a
    year, from least to most, of each waiver; of before version 0.5 some are null.
    """
    columns = ("check", "college_id", "column", "found", "by", "approved_by", "reason")
    numbers = ("findings", "least", "most")
    rows = [{name: held.get(name) for name in (*columns, *numbers)} for held in receipt["waivers"]]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(columns, _TEXT) | dict.fromkeys(numbers, pl.Int64)
    )


def source_files(sources: dict[str, Any]) -> pl.DataFrame:
    """Return table, file, rows, bytes and sha256 of each file that was read."""
    schema = {"table": _TEXT, "file": _TEXT, "rows": pl.Int64, "bytes": pl.Int64, "sha256": _TEXT}
    rows = [{name: one.get(name) for name in schema} for one in sources.get("files", [])]
    return pl.DataFrame(rows, schema=schema)


def journal_lines(entries: list[Entry]) -> pl.DataFrame:
    """Return number, at, action, round, version, by, approved_by, reason, file and sha256 of each
    line of a journal, the newest first.
    """
    columns = ("at", "action", "round", "version", "by", "approved_by", "reason", "file")
    rows = [
        {"number": entry.number}
        | {name: _text(entry.content.get(name)) for name in columns}
        | {"sha256": entry.sha256}
        for entry in reversed(entries)
    ]
    schema = {"number": pl.Int64, **dict.fromkeys(columns, _TEXT), "sha256": _TEXT}
    return pl.DataFrame(rows, schema=schema)


def is_hash(text: str) -> bool:
    """Whether a text may be the hash of a line: 64 hex digits."""
    return len(text) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in text)


def amount_of(funding: pl.DataFrame, college_id: str) -> int | None:
    """Return the tenge per year of a college; None for one that is not paid."""
    row = funding.filter(pl.col("college_id") == college_id)
    return None if row.is_empty() else int(row["amount"][0])


def command(of_round: Round, expect: str | None) -> str:
    """Return the command that verifies a version without this app, in a copy of the store."""
    asked = f" --expect {expect}" if expect and is_hash(expect) else ""
    return f"kpi verify {of_round.name}/{of_round.version} --store rounds{asked}"


def as_text(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return stored rows as text, each value exactly as it is stored; empty ones stay empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame(
        {name: [_text(row.get(name)) for row in rows] for name in names},
        schema=dict.fromkeys(names, _TEXT),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
