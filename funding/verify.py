"""Verify a round without trusting it: files, journal, and everything computed again (DESIGN §7)."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import kpi
from funding.run import compute, plan_of, write_draft
from funding.waived import can_tell, derived_again, rejected_money
from kpi import journal, rounds
from kpi.errors import CallError
from kpi.intake import Intake, Report
from kpi.language import mark
from kpi.pipeline import connect
from kpi.store import load_frozen

PARTS = ("inputs", "reference", "tables")
RESULTS = ("checks", "national", "waivers")
"""What the receipt says of the tables and findings: where it differs, a table tells more."""

NOT_RECOMPUTED = ("product",)
"""What the receipt says that no computation gives: who computed it. Of the waivers none gives who
accepted what and why; what each accepts and moves is derived again.
"""

Caution = tuple[str, dict[str, str]]
"""A sentence and what fills it."""

JOURNAL, FILES, SIGNATURES = "journal", "files", "signatures"
AGAIN = "what its inputs give"
STEPS = (JOURNAL, FILES, SIGNATURES, AGAIN)
"""What is verified, in order; of a draft, the last alone."""

DAMAGE = (
    CallError,
    FileNotFoundError,
    IsADirectoryError,
    KeyError,
    NotADirectoryError,
    TypeError,
    ValueError,
    duckdb.Error,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
)
"""What reading a file raises that is not what the product wrote. A full disk is none of these."""


@dataclass
class Verification:
    """What was verified, and the first thing that differs, if anything does."""

    of_round: rounds.Round
    agrees: list[str] = field(default_factory=list)
    differs: str | None = None
    cautions: list[Caution] = field(default_factory=list)
    """What has to be known beside the verdict."""
    agreed: list[str] = field(default_factory=list)
    """The steps that agree, in order: of STEPS."""
    failed: str | None = None
    """The step at which something differs."""

    @property
    def notes(self) -> list[str]:
        """The cautions in English."""
        return [sentence.format(**values) for sentence, values in self.cautions]


def verify(of_round: rounds.Round, expect: str | None, report: Report) -> Verification:
    """Check a round against its journal, its manifest and its receipt, then compute it again.

    ``expect`` is the hash that the signed order quotes: that of the version's line, or of one after
    it, which stands for all before. Stops at the first thing that differs,
    which is named in ``differs``; what agreed until then is in ``agrees``.
    """
    done = Verification(of_round)
    try:
        checked = of_round.receipt.get("product")
    except DAMAGE as error:
        done.differs = f"receipt.json: cannot be read ({error})"
        done.failed = FILES
        return done
    done.cautions = _cautions(of_round, checked)
    steps = [(AGAIN, recomputation_faults(of_round, report))]
    if not of_round.is_draft:
        steps = [
            (JOURNAL, _journal_faults(of_round, expect)),
            (FILES, rounds.published_faults(of_round)),
            (SIGNATURES, _signature_faults(of_round)),
            *steps,
        ]
    if expect is not None and of_round.is_draft:
        raise CallError(
            "A draft has no hash that an order could quote.",
            where="--expect",
            found=f"{of_round.name} {of_round.version}, a draft",
            expected="a published version",
            do="Name one, such as 2025-26/v1; leave --expect out for a draft.",
        )
    for name, faults in steps:
        report(f"verifying {name}", 0, 1)
        try:
            done.differs = next(iter(faults), None)
        except DAMAGE as error:
            done.differs = f"{name}: {error}"
        if done.differs:
            done.failed = name
            return done
        done.agreed.append(name)
        done.agrees.append(_told(name, of_round))
    return done


def _cautions(of_round: rounds.Round, computed_by: object) -> list[Caution]:
    """Say what the verdict rests on; the receipt names the product that it was computed by."""
    found: list[Caution] = []
    if computed_by != kpi.__version__:
        found.append((_OTHER_PRODUCT, {"then": str(computed_by), "now": kpi.__version__}))
    if of_round.is_draft:
        found.append((_DRAFT, {}))
    store = of_round.path.parent.parent
    return found + [
        (_NO_LINE, {"round": of_round.name, "version": name})
        for name in rounds.unpublished(store, of_round.name)
    ]


_OTHER_PRODUCT = mark(
    "The round was computed by version {then} of the product and is verified by {now}: contents are"
    " compared."
)
_DRAFT = mark("This is a draft: no journal and no manifest stand behind it.")
_NO_LINE = mark(
    "{round} {version}: there is such a folder, but no line of the journal says that it was"
    " published. Its publication was interrupted, or the journal lost its end."
)


def _told(name: str, of_round: rounds.Round) -> str:
    receipt = of_round.receipt
    if name == "journal":
        return "the journal's chain is whole and has this version's line"
    if name == "files":
        return "every file is the one that was published"
    if name == "signatures":
        return "every attached file is the one that was attached"
    counts = ", ".join(f"{len(receipt[part])} {part}" for part in PARTS)
    return f"computed again: {counts}, SQL, methodology, rules and findings agree with the receipt"


def _journal_faults(of_round: rounds.Round, expect: str | None) -> Iterator[str]:
    """Yield what is wrong with the journal, seen from one version."""
    store = of_round.path.parent.parent
    lines = rounds.publications(store).get(of_round.name, {})  # raises where the chain is broken
    entry = lines.get(of_round.version)
    if entry is None:
        yield f"journal.jsonl: no line says that {of_round.name} {of_round.version} was published"
        return
    since = [line.sha256 for line in journal.read_journal(store)[entry.number - 1 :]]
    if expect is not None and expect.strip().lower() not in since:
        yield (
            f"journal.jsonl, line {entry.number}: its hash is {entry.sha256}; the order quotes"
            f" {expect.strip() or 'nothing'}, which is the hash neither of this line nor of one"
            " after it: the journal, or a part of it, was written anew"
        )


def _signature_faults(of_round: rounds.Round) -> Iterator[str]:
    listed = rounds.attachments(of_round.path.parent.parent, of_round)
    there = rounds.attached_files(of_round.path)
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            yield f"{name}: the attached file is missing"
        elif name not in listed:
            yield (
                f"{name}: no line of the journal says that this file was attached; attach it"
                " again, or take it away"
            )
        elif rounds.hash_of(there[name]) != listed[name]:
            yield f"{name}: the attached file is not the one that was attached"


def recomputation_faults(of_round: rounds.Round, report: Report) -> Iterator[str]:
    """Compute the round again from its frozen inputs with its frozen SQL, methodology, rules and
    reference tables; yield what differs from the receipt or from the stored tables.
    """
    try:
        yield from _recomputed_faults(of_round, report)
    except duckdb.OutOfMemoryException as error:
        raise OSError(str(error)) from error
    except DAMAGE as error:
        yield f"cannot be computed again from its own files: {type(error).__name__}: {error}"


def _recomputed_faults(of_round: rounds.Round, report: Report) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / "again"
        again.mkdir()
        receipt = _computed_again(of_round, again, report)
        stored = _as_json(of_round.receipt)
        said = stored.keys() | receipt.keys()
        plain = sorted(said - {*PARTS, *NOT_RECOMPUTED, *RESULTS, "findings"})
        yield from _receipt_faults(plain, stored, receipt)
        for part in PARTS:
            yield from _part_faults(of_round, again, part, stored, receipt)
        yield from _findings_faults(of_round, stored, receipt)
        if stored.get("product") != kpi.__version__:
            receipt["checks"] = _of_that_version(stored["checks"], receipt["checks"])
        yield from _receipt_faults(RESULTS, stored, receipt)


def _of_that_version(stored: dict[str, int], again: dict[str, int]) -> dict[str, int]:
    """Return the results of checks without those of cells that a later version of intake makes: an
    older round cannot name them, and its rows were not judged by them.
    """
    return {check: found for check, found in again.items() if check in stored or found}


def _computed_again(of_round: rounds.Round, again: Path, report: Report) -> dict[str, Any]:
    plan = plan_of(of_round)
    spill = again / "tmp"
    spill.mkdir()
    con = connect(spill)
    try:
        intake = Intake(given=load_frozen(con, of_round.input_files()))
        compute(con, plan, intake, str(of_round.path), report)
        receipt = write_draft(con, plan, intake.given, again)
        money = rejected_money(con, plan.sql) if can_tell(of_round) else None
        findings = rounds.Round(again).findings()
        waived = derived_again(of_round.receipt["waivers"], findings, money)
        return _as_json(receipt | {"waivers": waived})
    finally:
        con.close()
        shutil.rmtree(spill)


def _as_json(receipt: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(receipt)))


def _receipt_faults(
    names: Iterable[str], stored: dict[str, Any], receipt: dict[str, Any]
) -> Iterator[str]:
    for name in names:
        if stored.get(name) != receipt.get(name):
            yield _told_apart(name, stored.get(name), receipt.get(name))


def _told_apart(name: str, stored: Any, again: Any) -> str:
    """Say what differs, down to the one value where it can be told."""
    if isinstance(stored, dict) and isinstance(again, dict):
        for key in sorted(stored.keys() | again.keys()):
            if stored.get(key) != again.get(key):
                return _told_apart(f"{name}.{key}", stored.get(key), again.get(key))
    if isinstance(stored, list) and isinstance(again, list) and len(stored) == len(again):
        for place, (one, other) in enumerate(zip(stored, again, strict=True)):
            if one != other:
                return _told_apart(f"{name}.{place}", one, other)
    return f"{name}: the receipt says {stored}; computed again it is {again}"


def _part_faults(
    of_round: rounds.Round,
    again: Path,
    part: str,
    stored: dict[str, Any],
    receipt: dict[str, Any],
) -> Iterator[str]:
    """Yield the tables whose stored rows, receipt and recomputed rows are not all the same.

    Of a round that another version of the product computed, what it has is compared: a later
    version may make further tables and columns.
    """
    is_other = stored.get("product") != kpi.__version__
    files = {path.stem for path in (of_round.path / part).glob("*.parquet")}
    for table in sorted(stored[part].keys() | receipt[part].keys() | files):
        name = f"{part}/{table}"
        if table not in receipt[part]:
            yield f"{name}: this table is there or in the receipt; computing again does not give it"
            continue
        if table not in stored[part]:
            if is_other and table not in files:
                continue
            yield f"{name}: computing again gives this table; the receipt does not name it"
            continue
        path = of_round.path / part / f"{table}.parquet"
        there = rounds.content_of(path)
        if there == stored[part][table] == receipt[part][table]:
            continue
        mine = pl.read_parquet(path, glob=False)
        other = pl.read_parquet(again / part / f"{table}.parquet", glob=False)
        if is_other and there == stored[part][table] and set(mine.columns) < set(other.columns):
            other = other.select(mine.columns)
            if other.equals(mine):
                continue
        yield f"{name}: {_first_difference(mine, other)}"


def _first_difference(mine: pl.DataFrame, other: pl.DataFrame) -> str:
    """Say in which row and column a stored table first differs from the one computed again."""
    if mine.columns != other.columns:
        return f"has the columns {mine.columns}; computed again {other.columns}"
    for column in mine.columns:
        if mine[column].dtype != other[column].dtype:
            return f"{column} is {mine[column].dtype}; computed again {other[column].dtype}"
    height = min(mine.height, other.height)
    differs = pl.concat(
        [
            (mine[name][:height].ne_missing(other[name][:height])).to_frame()
            for name in mine.columns
        ],
        how="horizontal",
    )
    rows = differs.select(pl.any_horizontal(pl.all()).arg_true().first()).item()
    if rows is None:
        same = "the rows agree, the receipt does not"
        return (
            same
            if mine.height == other.height
            else (f"has {mine.height:,} rows; computed again {other.height:,}")
        )
    column = next(name for name in mine.columns if differs[name][rows])
    key = ", ".join(str(value) for value in mine.row(rows)[:2])
    return (
        f"row {rows + 1} ({key}): {column} is {mine[column][rows]}; computed again it is"
        f" {other[column][rows]}"
    )


def _findings_faults(
    of_round: rounds.Round, stored: dict[str, Any], receipt: dict[str, Any]
) -> Iterator[str]:
    there = rounds.findings_content(of_round.path)
    if not there == stored["findings"] == receipt["findings"]:
        yield (
            f"findings: {there['rows']:,} rows are stored, the receipt says"
            f" {stored['findings']['rows']:,}, computed again there are"
            f" {receipt['findings']['rows']:,}; their contents differ"
        )
