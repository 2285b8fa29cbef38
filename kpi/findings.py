"""The findings of an input, put so that somebody can mend them: by check, by college, what first.

``findings`` has one row a finding (table_name, college_id, check_name, severity, column_name,
found, expected, message, file, record), ``counts`` the rows read, clean and rejected by table_name
and college_id: those of a stored round, or of a check of which nothing is kept.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl

from kpi.cells import CELL_CHECKS
from kpi.language import LANGUAGES, Speaker, mark, speaker
from kpi.layouts.rows import FileColumn, Headers, cell_key
from kpi.resources import sql_folder

ERROR, WARNING = "error", "warning"
SEVERITIES = {ERROR: mark("error"), WARNING: mark("warning")}
ROWS = ("read", "clean", "rejected")
WHOLE_COLLEGE = "rows_of_rejected_college"
"""The check whose findings vanish with an error of the college's own row."""

_SAID_BY = ("check_name", "column_name", "found", "expected", "message")
"""The columns that a finding's sentence is made of."""

_HIDDEN = re.compile(r"\([0-9]+ characters\)")
"""What is shown of an identifier (kpi/cells.py)."""

_UNKNOWN: Mapping[str, FileColumn] = {}
_INDICATOR = re.compile(r"\b([a-z][a-z0-9_]*) = ")

_LINE = re.compile(r"^-- message: (.+)$", re.MULTILINE)


def totals(counts: pl.DataFrame) -> dict[str, int]:
    """Return the rows read, clean and rejected, of all tables together."""
    return {name: int(counts[name].sum()) for name in ROWS}


def by_table(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the rows read, clean and rejected per table, by its name."""
    return counts.group_by("table_name").agg(pl.col(ROWS).sum()).sort("table_name")


def by_college(findings: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Return college_id, read, clean, rejected and findings per college with a finding or a
    rejected row, those with most rejected rows first.

    ``college_id`` is null where rows name no college.
    """
    found = findings.group_by("college_id").len("findings")
    rows = counts.group_by("college_id").agg(pl.col(ROWS).sum())
    return (
        rows.join(found, on="college_id", how="full", coalesce=True, nulls_equal=True)
        .with_columns(pl.col(*ROWS, "findings").fill_null(0).cast(pl.Int64))
        .filter((pl.col("findings") > 0) | (pl.col("rejected") > 0))
        .sort("rejected", "findings", "college_id", descending=[True, True, False], nulls_last=True)
    )


def by_check(findings: pl.DataFrame) -> pl.DataFrame:
    """Return severity, check_name, column_name, findings, colleges and one example (file, message,
    found, expected) per check and column: errors first, the most frequent first.
    """
    key = ["severity", "check_name", "column_name"]
    return _grouped(findings, key).sort(
        pl.col("severity") == ERROR,
        "findings",
        *key[1:],
        descending=[True, True, False, False],
        nulls_last=True,
    )


def examples(findings: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return one finding of each check, by the check's code."""
    rows = _grouped(findings, ["check_name"]).sort("check_name").iter_rows(named=True)
    return {row["check_name"]: row for row in rows}


def _grouped(findings: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Count findings and their colleges per key, with the first of them as an example."""
    parts = ("file", "column_name", "message", "found", "expected")
    example = [name for name in parts if name not in key]
    return (
        findings.sort(pl.all(), nulls_last=True)
        .group_by(key)
        .agg(
            pl.len().cast(pl.Int64).alias("findings"),
            pl.col("college_id").drop_nulls().n_unique().cast(pl.Int64).alias("colleges"),
            pl.col(example).first(),
        )
    )


def first_to_mend(findings: pl.DataFrame) -> dict[str, Any] | None:
    """Return check_name, table_name, column_name, rows, colleges and one example of what gives back
    most ``rows`` when it is mended; None without findings.

    An error of a row holds back that row. An error of a college's own row holds back all rows that
    then count for no college (the findings of WHOLE_COLLEGE, whose ``found`` counts them).
    Warnings come when no error is left.
    """
    if findings.is_empty():
        return None
    waiting = (
        findings.filter(pl.col("check_name") == WHOLE_COLLEGE)
        .group_by("college_id")
        .agg(pl.col("found").cast(pl.Int64, strict=False).sum().alias("held_back"))
    )
    errors = findings.filter(pl.col("severity") == ERROR)
    held = pl.when(pl.col("table_name") == "colleges").then(pl.col("held_back")).otherwise(0)
    key = ["check_name", "table_name", "column_name"]
    ranked = (
        (errors if errors.height else findings)
        .join(waiting, on="college_id", how="left")
        .group_by(key)
        .agg((pl.len() + held.fill_null(0).sum()).cast(pl.Int64).alias("rows"))
        .sort("rows", *key, descending=[True, False, False, False], nulls_last=True)
    )
    first = ranked.join(
        _grouped(findings, key), on=key, how="left", nulls_equal=True, maintain_order="left"
    )
    return first.row(0, named=True)


def codes(findings: pl.DataFrame, column: str) -> list[str]:
    """Return the values that stand in a column of the findings, in order."""
    return [str(code) for code in findings[column].drop_nulls().unique().sort()]


def narrowed(
    findings: pl.DataFrame,
    *,
    severity: str | None = None,
    check: str | None = None,
    table: str | None = None,
    college: str | None = None,
) -> pl.DataFrame:
    """Return the findings that fit what is given, errors first, in order of file and record."""
    wanted = {
        "severity": severity,
        "check_name": check,
        "table_name": table,
        "college_id": college,
    }
    for column, value in wanted.items():
        if value is not None:
            findings = findings.filter(pl.col(column) == value)
    return findings.sort(
        "severity", "file", "record", "table_name", "college_id", "check_name", nulls_last=True
    )


def place(finding: dict[str, object]) -> str:
    """Return where a finding is: ``students.csv, 17``; empty for one of no row."""
    if finding["file"] is None:
        return ""
    return f"{finding['file']}, {finding['record']}" if finding["record"] else str(finding["file"])


def sentence(words: Speaker, finding: Mapping[str, Any], headers: Headers | None = None) -> str:
    """Return the sentence of a finding in the reader's language, in the words of its file where
    ``headers`` knows it: the column's name, the texts that stand for its values.

    The stored message is the check's English sentence, filled. The sentence of the same check is
    translated and filled again; a message that it does not give (of an older version of the check)
    stands as it was stored.
    """
    template = sentences().get(str(finding["check_name"]))
    message = str(finding["message"])
    if template is None or _filled(template, finding) != message:
        return words.error(message)
    column, expected = finding["column_name"], finding["expected"]
    if own := file_column(finding, headers):
        column = own.name
        expected = f"one of {', '.join(own.texts)}" if own.texts else expected
    said = {
        "column_name": column,
        "found": found_told(words, finding, headers),
        "expected": None if expected is None else words.error(str(expected)),
    }
    return _filled(words.error(template), said)


def found_told(words: Speaker, finding: Mapping[str, Any], headers: Headers | None = None) -> str:
    """Return what a finding shows of a cell: as it stands, but for what is hidden of it, and the
    column of each indicator named.
    """
    found = str(finding["found"] or "")
    if _HIDDEN.fullmatch(found):
        return words.error(found)
    columns = _columns(finding, headers)

    def called(indicator: re.Match[str]) -> str:
        own = columns.get(cell_key(finding["column_name"] or "", indicator[1]))
        if own is None or own.name.removeprefix(indicator[1]) in found:  # a layout's own finding
            return indicator[0]
        return f"{own.name} = "

    return _INDICATOR.sub(called, found)


def named(found: str) -> list[str]:
    """Return the indicators that a finding names: ``labs = 5, rooms = 7``."""
    return _INDICATOR.findall(found)


def file_column(finding: Mapping[str, Any], headers: Headers | None) -> FileColumn | None:
    """Return what a finding's file calls the column; None where that is not known."""
    return _columns(finding, headers).get(finding["column_name"] or "")


def _columns(finding: Mapping[str, Any], headers: Headers | None) -> Mapping[str, FileColumn]:
    return (headers or {}).get(finding["file"] or "", _UNKNOWN)


def in_three_languages(findings: pl.DataFrame, headers: Headers) -> pl.DataFrame:
    """Return the findings as they are handed out: errors first, each message in Kazakh, Russian and
    English, and ``file_column``, what its file calls the column.

    ``headers``: ``Intake.headers``.
    """
    ordered = narrowed(findings)
    said = told(ordered, [speaker(language) for language in LANGUAGES], headers)
    places = ordered.select("file", "column_name").iter_rows(named=True)
    called = [own.name if (own := file_column(place, headers)) else None for place in places]
    leading = ("severity", "check_name", "table_name", "college_id", "file", "record")
    return ordered.select(
        *leading,
        "column_name",
        pl.Series("file_column", called, dtype=pl.String),
        "found",
        "expected",
        *[pl.Series(f"message_{language}", said[language]) for language in LANGUAGES],
    )


def told(
    findings: pl.DataFrame, speakers: Sequence[Speaker], headers: Headers | None = None
) -> dict[str, list[str]]:
    """Return the sentence of each finding in each language; ``headers`` as for ``sentence``."""
    said: dict[str, list[str]] = {}
    for words in speakers:
        known: dict[tuple[Any, ...], str] = {}  # most findings of a check say the same
        said[words.language] = lines = []
        for finding in findings.select("file", *_SAID_BY).iter_rows(named=True):
            _, *rest = finding.values()
            key = (id(_columns(finding, headers)), *rest)  # files of one layout share them
            if key not in known:
                known[key] = sentence(words, finding, headers)
            lines.append(known[key])
    return said


def _filled(template: str, finding: Mapping[str, Any]) -> str:
    for name in ("column", "found", "expected"):
        value = finding["column_name" if name == "column" else name]
        template = template.replace("{" + name + "}", "" if value is None else str(value))
    return template


@cache
def sentences() -> dict[str, str]:
    """Return the English sentence of each shipped check, with its ``{places}``."""
    found = dict(CELL_CHECKS)
    for path in sorted((sql_folder() / "checks").glob("*.sql")):
        if line := _LINE.search(path.read_text(encoding="utf-8")):
            found[path.stem] = line.group(1).strip()
    return found
