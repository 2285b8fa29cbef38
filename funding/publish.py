"""Publish a draft: conditions, waivers, the next version, its line in the journal (DESIGN §7)."""

import datetime as dt
import shutil
import tempfile
import tomllib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, ValidationError

from funding.verify import DAMAGE, recomputation_faults
from kpi import journal, rounds
from kpi.dated import Strict, Words, faults_of
from kpi.errors import CallError, DataError, phrase
from kpi.intake import Report

_SHOWN = 10
_READINGS = ("passed_rejected_for", "passed_rejected_against")

Said = Annotated[str, Field(pattern=r"\S")]


class Waiver(Strict):
    """A finding accepted with reason and name: every finding that has what is stated here."""

    check: Words
    college_id: Words | None = None
    column: Words | None = None
    found: Words | None = None
    by: Said
    reason: Said


class Waivers(Strict):
    """A file of waivers."""

    waivers: list[Waiver]


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

    ``by`` and ``approved_by`` are two different people. The draft is verified first. Raises
    DataError while an error has no waiver, rejected rows would flip a gate, or the draft is not
    what its own inputs give; CallError when the call is wrong, another process publishes, or the
    store cannot be written. Whatever happens, earlier versions stay as they are.
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
    accepted = read_waivers(waivers) if waivers else []
    with journal.locked(store):
        with _readable(draft):
            _not_yet_published(store, draft)
            waived = _waived(draft, accepted)
            _require_waivers(draft, accepted)
            _require_safe_gates(draft)
        _require_agreement(draft, report)
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
    names = {"by": " ".join(by.split()), "approved_by": " ".join(approved_by.split())}
    spelt = {unicodedata.normalize("NFKC", name).casefold() for name in names.values()}
    if "" in spelt or len(spelt) == 1:
        raise CallError(
            "Two different people publish a round: one does it, another approves.",
            where="--by, --approved-by",
            found=f"{by!r} and {approved_by!r}",
            expected="two names",
            do="Name the one who publishes and another one who approves.",
        )
    return names


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


def read_waivers(path: Path) -> list[Waiver]:
    """Read a file of waivers. Raises CallError that names each fault in it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return Waivers.model_validate(content).waivers
    except OSError as error:
        raise CallError(
            "The file cannot be read.", where=str(path), found=error.strerror or str(error)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError("The file is no valid TOML.", where=str(path), found=str(error)) from error
    except ValidationError as error:
        raise CallError(
            "The file of waivers is wrong.",
            where=str(path),
            found="\n" + "\n".join(f"    {line}" for line in faults_of(error)),
            expected="[[waivers]] with check, by, reason, and college_id, column, found as needed",
        ) from error


def waiver_of(held: dict[str, Any]) -> Waiver:
    """Return a waiver as a receipt holds it."""
    return Waiver.model_validate({name: held.get(name) for name in Waiver.model_fields})


def fits(waiver: Waiver) -> pl.Expr:
    """Return which rows of the findings a waiver accepts."""
    stated = {
        "check_name": waiver.check,
        "college_id": waiver.college_id,
        "column_name": waiver.column,
        "found": waiver.found,
    }
    return pl.all_horizontal(
        pl.col(name).eq_missing(pl.lit(value)) for name, value in stated.items() if value
    )


def _waived(draft: rounds.Round, waivers: list[Waiver]) -> list[dict[str, Any]]:
    """Return the waivers as the receipt holds them, each with how many findings it accepts."""
    findings = draft.findings()
    held = []
    for number, waiver in enumerate(waivers):
        count = findings.filter(fits(waiver)).height
        if not count:
            raise CallError(
                "A waiver accepts no finding of the draft.",
                where=str(draft.path),
                found=f"waivers.{number}: " + ", ".join(_stated(waiver)),
                expected="a finding that is there",
                do="Take the waiver out of the file, or correct it.",
            )
        held.append(waiver.model_dump() | {"findings": count})
    return sorted(held, key=lambda held: [str(value) for value in held.values()])


def _stated(waiver: Waiver) -> Iterator[str]:
    for name, value in waiver.model_dump(exclude={"by", "reason"}, exclude_none=True).items():
        yield f"{name} {value}"


def _require_waivers(draft: rounds.Round, waivers: list[Waiver]) -> None:
    open_errors = draft.findings().filter(pl.col("severity") == "error")
    for waiver in waivers:
        open_errors = open_errors.filter(~fits(waiver))
    if open_errors.is_empty():
        return
    by_check = open_errors.group_by("check_name").agg(
        pl.len(), pl.col("college_id").n_unique().alias("colleges")
    )
    lines = [
        f"\n    {name}: {count:,} findings of {colleges:,} colleges"
        for name, count, colleges in by_check.sort("check_name").rows()
    ]
    raise DataError(
        phrase("{count} errors have no waiver; nothing was published.", count=open_errors.height),
        where=str(draft.path),
        found="".join(lines),
        do="Have the rows corrected and run the round again, or accept findings in a file of"
        " waivers (--waivers).",
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
