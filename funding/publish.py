"""Publish a draft: conditions, waivers, the next version, its line in the journal (DESIGN §7)."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from funding.verify import DAMAGE, recomputation_faults
from funding.waived import can_tell, in_receipt, money_of, moved
from funding.waivers import (
    Waiver,
    fits,
    is_one_person,
    joined,
    open_errors,
    person,
    read_waivers,
)
from funding.waiving import kept_for
from kpi import journal, rounds
from kpi.errors import CallError, DataError, phrase
from kpi.intake import Report

_SHOWN = 10
_READINGS = ("passed_rejected_for", "passed_rejected_against")


def publish(
    store: Path,
    round_id: str | None,
    *,
    by: str,
    approved_by: str,
    reason: str,
    waivers: Path | None,
    report: Report,
) -> journal.Entry:
    """Make the newest draft of a round its next version and return the journal's line of it.

    ``by`` and ``approved_by`` are two different people. ``waivers`` is a file of waivers, beside
    those kept for the round, which it replaces where it states the same. The draft is verified
    first. Raises DataError while an error has no waiver, rejected rows would flip a gate, or the
    draft is not what its own inputs give; CallError when the call is wrong, another process
    publishes, or the store cannot be written. Whatever happens, earlier versions stay as they are.
    """
    names = _two_people(by, approved_by)
    if not reason.strip():
        raise CallError(
            "A publication needs a reason.",
            where="--reason",
            found=phrase("nothing"),
            expected="why, such as the number of the order",
        )
    draft = rounds.open_round(store, round_id, "draft")
    if not draft.is_draft:
        raise CallError(
            "Only a draft can be published; this is a version that is published already.",
            where=str(draft.path),
            expected="a round, of which the newest draft is published",
            do=phrase("Name the round alone: --round {round}.", round=draft.name),
        )
    with journal.locked(store):
        with _readable(draft):
            _not_yet_published(store, draft)
            kept = [one.waiver for one in kept_for(store, draft.name)]
            accepted = _accepted(draft, kept, waivers)
            _require_waivers(draft, accepted)
            _require_safe_gates(draft)
        _require_agreement(draft, report)
        waived = _waived(draft, accepted)
        said = {"action": "publish", **names, "reason": reason.strip(), "at": _now()}
        return _release(store, draft, waived, said)


def attach(store: Path, round_id: str | None, file: Path, by: str) -> journal.Entry:
    """Attach a detached signature file to the newest published version; return its line."""
    version = rounds.open_round(store, round_id)
    if version.is_draft:
        raise CallError(
            "Only a published version can be signed.",
            where=str(version.path),
            do="Publish it first with `kpi publish`.",
        )
    if not file.is_file():
        raise CallError("There is no such file.", where=str(file))
    if not by.strip():
        raise CallError("Somebody attaches a file.", where="--by", found=phrase("nothing"))
    try:
        with journal.locked(store):
            return _attach(store, version, file, " ".join(by.split()))
    except OSError as error:
        raise CallError(
            "The file could not be attached; nothing was attached.",
            where=str(version.path),
            found=error.strerror or str(error),
            do="Make room or make the store writable, and attach it again.",
        ) from error


def _attach(store: Path, version: rounds.Round, file: Path, by: str) -> journal.Entry:
    if file.name in rounds.attachments(store, version):
        raise CallError(
            "A file of this name is attached already.",
            where=str(version.path),
            found=file.name,
            do="Give the file another name.",
        )
    copy = rounds.attach_file(version.path, file)
    try:
        return journal.append(
            store,
            {
                "action": "attach",
                "round": version.name,
                "version": version.version,
                "file": copy.name,
                "sha256": rounds.hash_of(copy),
                "by": by,
                "at": _now(),
            },
        )
    except BaseException:
        if copy.name not in rounds.attachments(store, version):
            copy.unlink(missing_ok=True)
        raise


@contextmanager
def _readable(draft: rounds.Round) -> Iterator[None]:
    """Tell of a damaged file of the draft in a sentence."""
    try:
        yield
    except CallError:
        raise
    except DAMAGE as error:
        raise DataError(
            "The draft is damaged: a file of it cannot be read.",
            where=str(draft.path),
            found=f"{type(error).__name__}: {error}",
            do="Run the round again, and publish that draft.",
        ) from error


def _require_agreement(draft: rounds.Round, report: Report) -> None:
    """Compute the draft again. Raises DataError when it is not what its own inputs give."""
    try:
        fault = next(recomputation_faults(draft, report), None)
    except OSError as error:
        raise CallError(
            "The draft could not be computed again; nothing was published, earlier versions are"
            " as they were.",
            where=f"{draft.path}, in the working folder {tempfile.gettempdir()}",
            found=error.strerror or str(error),
            do="Make room there, and publish again.",
        ) from error
    if fault:
        raise DataError(
            "The draft is not what its own inputs give.",
            where=str(draft.path),
            found=fault,
            do="Run the round again, and publish that draft.",
        )


def _release(
    store: Path, draft: rounds.Round, waived: list[dict[str, Any]], said: dict[str, Any]
) -> journal.Entry:
    """Copy the draft aside, name it, and write it into the journal, which makes it published."""
    number = len(rounds.publications(store).get(draft.name, {})) + 1
    final = store / draft.name / f"v{number}"
    try:
        _clear_unpublished(final)
        with rounds.building(store, draft.name) as built:
            rounds.copy_draft(draft, built, waived)
            manifest = rounds.write_manifest(built)
            version = rounds.finish_version(built, number)
        try:
            return journal.append(
                store,
                said
                | {
                    "round": version.name,
                    "version": version.version,
                    "draft": draft.version,
                    "draft_sha256": draft.receipt_hash,
                    "receipt_sha256": version.receipt_hash,
                    "manifest_sha256": manifest,
                },
            )
        except BaseException:
            if version.version not in rounds.publications(store).get(draft.name, {}):
                shutil.rmtree(final, ignore_errors=True)
            raise
    except OSError as error:
        raise CallError(
            "The version could not be written; nothing was published, earlier versions are as"
            " they were.",
            where=str(final),
            found=error.strerror or str(error),
            do="Make room or make the store writable, and publish again.",
        ) from error


def _clear_unpublished(final: Path) -> None:
    """Put aside, hidden, what a publication left that was killed before its line was written.

    It is kept: a journal that lost its end names a version no more that was published. Raises
    CallError for a folder of that name that no publication made.
    """
    if not final.exists():
        return
    if not (final / "manifest.json").exists():
        raise CallError(
            "A folder that this product did not make is in the way.",
            where=str(final),
            do="Give that folder another name.",
        )
    final.rename(final.with_name(f".unpublished-{final.name}-{rounds.manifest_hash(final)[:12]}"))


def _two_people(by: str, approved_by: str) -> dict[str, str]:
    if is_one_person(by, approved_by):
        raise CallError(
            "Two different people publish a round: one does it, another approves.",
            where="--by, --approved-by",
            found=f"{by!r} and {approved_by!r}",
            expected="two names",
            do="Name the one who publishes and another one who approves.",
        )
    return {"by": person(by), "approved_by": person(approved_by)}


def _not_yet_published(store: Path, draft: rounds.Round) -> None:
    """Raise CallError where the newest version is this draft. What an older one was may come back:
    so a version that was a mistake is taken back.
    """
    for version, entry in [*rounds.publications(store).get(draft.name, {}).items()][-1:]:
        if entry.content["draft_sha256"] == draft.receipt_hash:
            raise CallError(
                "This draft is published already.",
                where=str(draft.path),
                found=f"{version}, published by {entry.content['by']} at {entry.content['at']}",
                do="There is nothing to do, unless you meant another draft.",
            )


def _accepted(draft: rounds.Round, kept: list[Waiver], file: Path | None) -> list[Waiver]:
    """Return the waivers of a publication: those of the file, each of which must accept something,
    and those kept that accept something of the draft.
    """
    findings = draft.findings()
    given = read_waivers(file) if file else []
    for number, waiver in enumerate(given):
        if findings.filter(fits(waiver)).is_empty():
            raise CallError(
                "A waiver accepts no finding of the draft.",
                where=str(draft.path),
                found=f"waivers.{number}: {waiver.told()}",
                expected="a finding that is there",
                do="Take the waiver out of the file, or correct it.",
            )
    return list(joined((one for one in kept if findings.filter(fits(one)).height), given))


def _waived(draft: rounds.Round, waivers: list[Waiver]) -> list[dict[str, Any]]:
    """Return the waivers as the receipt holds them, each with the findings that it accepts and the
    tenge that it moves.
    """
    if not waivers:
        return []
    if not can_tell(draft):
        raise DataError(
            "The draft was computed before waivers stated the tenge that they move.",
            where=str(draft.path),
            do="Run the round again, and publish that draft.",
        )
    findings, money = draft.findings(), money_of(draft)
    held = [in_receipt(waiver, moved([waiver], findings, money)) for waiver in waivers]
    return sorted(held, key=lambda one: [str(value) for value in one.values()])


def _require_waivers(draft: rounds.Round, waivers: list[Waiver]) -> None:
    left = open_errors(draft.findings(), waivers)
    if left.is_empty():
        return
    by_check = left.group_by("check_name").agg(
        pl.len(), pl.col("college_id").n_unique().alias("colleges")
    )
    lines = [
        f"\n    {name}: {count:,} findings of {colleges:,} colleges"
        for name, count, colleges in by_check.sort("check_name").rows()
    ]
    raise DataError(
        phrase("{count} errors have no waiver; nothing was published.", count=left.height),
        where=str(draft.path),
        found="".join(lines),
        do="Have the rows corrected and run the round again, or accept findings with `kpi waive`"
        " or in a file of waivers (--waivers).",
    )


def _require_safe_gates(draft: rounds.Round) -> None:
    """Losing rows must not help: no waiver covers a gate that rejected rows would flip, seen from
    the result without them and from those with all of them counted for it, and against it.
    """
    gates = draft.table("gates")
    same = (pl.col("passed").eq_missing(pl.col(reading)) for reading in _READINGS)
    flipped = gates.filter(~pl.all_horizontal(same))
    if flipped.is_empty():
        return
    shown = [
        f"\n    college {row['college_id']}, gate {row['gate']}: {row['rejected']:,} rejected rows"
        for row in flipped.head(_SHOWN).iter_rows(named=True)
    ]
    more = f"\n    and {flipped.height - _SHOWN:,} more" if flipped.height > _SHOWN else ""
    raise DataError(
        phrase(
            "Rejected rows would flip {count} gates; nothing was published.", count=flipped.height
        ),
        where=str(draft.path),
        found="".join(shown) + more,
        do="Have these colleges' rejected rows corrected and run the round again; a waiver does"
        " not cover this.",
    )


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
