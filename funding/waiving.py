"""Waivers kept for a round until a draft of it is published: made, listed, withdrawn.

They stand in the journal, as lines of who did what, when and why, and belong to the round, not to a
draft: when the input is corrected and run again they are there, and of each it is known whether it
still accepts anything. Publishing takes those that do.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from funding.waived import Moved, can_tell, money_of, moved
from funding.waivers import Waiver, fits, is_one_person, open_errors, person
from kpi import journal, rounds
from kpi.dated import faults_of
from kpi.errors import CallError, DataError, phrase
from kpi.rounds import Round


@dataclass(frozen=True)
class Kept:
    """A waiver that is kept: the number of its line in the journal, and when it was made."""

    number: int
    at: str
    waiver: Waiver


def kept_for(store: Path, round_id: str) -> list[Kept]:
    """Return the waivers that are kept for a round, oldest first."""
    return [
        Kept(entry.number, str(entry.content.get("at")), _of_line(entry.content))
        for entry in rounds.kept_waivers(store, round_id)
    ]


def _of_line(content: dict[str, Any]) -> Waiver:
    return Waiver.model_validate({name: content.get(name) for name in Waiver.model_fields})


def idle_for(store: Path, round_id: str | None) -> list[Kept]:
    """Return the waivers kept for a round that accept nothing of its newest draft any more."""
    draft = rounds.open_round(store, round_id, "draft")
    findings = draft.findings()
    kept = kept_for(store, draft.name)
    return [one for one in kept if findings.filter(fits(one.waiver)).is_empty()]


def accepted_errors(store: Path, of_round: Round, findings: pl.DataFrame) -> int:
    """Return how many errors of the findings waivers accept: of a draft those that are kept for its
    round, of a published version all.
    """
    waivers = [one.waiver for one in kept_for(store, of_round.name)] if of_round.is_draft else []
    errors = open_errors(findings, [])
    left = open_errors(errors, waivers).height if of_round.is_draft else 0
    return errors.height - left


def newest_draft(store: Path, round_id: str | None) -> Round:
    """Return the draft that a waiver is for. Raises CallError where there is none, or it was
    computed by a product that could not tell the tenge.
    """
    draft = rounds.open_round(store, round_id, "draft")
    if not can_tell(draft):
        raise DataError(
            "The draft was computed before waivers stated the tenge that they move.",
            where=str(draft.path),
            do="Run the round again.",
        )
    return draft


def new_waiver(stated: Mapping[str, str | None], by: str, approved_by: str, reason: str) -> Waiver:
    """Return a waiver in the names of two people. ``stated``: check, and college_id, column and
    found where they are to be stated. Raises CallError for one person, no reason, or what is no
    text.
    """
    if is_one_person(by, approved_by):
        raise CallError(
            "Two different people waive a finding: one does it, another approves.",
            where="--by, --approved-by",
            found=f"{by!r} and {approved_by!r}",
            expected="two names",
            do="Name the one who waives and another one who approves.",
        )
    _require_reason(reason)
    said = {"by": person(by), "approved_by": person(approved_by), "reason": reason.strip()}
    try:
        return Waiver.model_validate({name: text or None for name, text in stated.items()} | said)
    except ValidationError as error:
        raise CallError("The waiver is wrong.", found="; ".join(faults_of(error))) from error


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise CallError(
            "This needs a reason.",
            where="--reason",
            found=phrase("nothing"),
            expected="why, such as the number of a letter",
        )


def keep(store: Path, draft: Round, waiver: Waiver, money: pl.DataFrame | None = None) -> Kept:
    """Keep a waiver for the round of a draft, with what it moves there, and return it.

    ``money`` is that of the draft where it is at hand. Raises CallError for one that accepts
    nothing, or states what a kept one states.
    """
    moves = moved([waiver], draft.findings(), money_of(draft) if money is None else money)
    if not moves.findings:
        raise CallError(
            "A waiver accepts no finding of the draft.",
            where=str(draft.path),
            found=waiver.told(),
            expected="a finding that is there",
            do="See the findings with `kpi check`, or on the page Data check.",
        )
    with journal.locked(store):
        for other in kept_for(store, draft.name):
            if other.waiver.told() == waiver.told():
                raise CallError(
                    "A waiver of these findings is kept already.",
                    where=draft.name,
                    found=phrase(
                        "number {number}: {what}", number=other.number, what=waiver.told()
                    ),
                    do="Withdraw it first, if it is to be another.",
                )
        said = {"action": "waive", "round": draft.name, "draft": draft.version, "at": _now()}
        entry = journal.append(store, said | waiver.model_dump() | {"moves": moves.held()})
    return Kept(entry.number, str(entry.content["at"]), waiver)


def withdraw(store: Path, round_id: str, number: int, by: str, reason: str) -> Kept:
    """Withdraw a waiver that is kept for a round and return it. Raises CallError where no such one
    is kept, or it is not said who withdraws it and why.
    """
    if not person(by):
        raise CallError("Somebody withdraws a waiver.", where="--by", found=phrase("nothing"))
    _require_reason(reason)
    with journal.locked(store):
        kept = {one.number: one for one in kept_for(store, round_id)}
        if number not in kept:
            raise CallError(
                "No such waiver is kept for the round.",
                where=round_id,
                found=str(number),
                expected=", ".join(map(str, kept)) or phrase("none is kept"),
            )
        journal.append(
            store,
            {
                "action": "withdraw",
                "round": round_id,
                "line": number,
                "by": person(by),
                "reason": reason.strip(),
                "at": _now(),
            },
        )
    return kept[number]


def moves_of(kept: Iterable[Kept], draft: Round, money: pl.DataFrame) -> list[tuple[Kept, Moved]]:
    """Return each with what it moves in a draft."""
    findings = draft.findings()
    return [(one, moved([one.waiver], findings, money)) for one in kept]


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
