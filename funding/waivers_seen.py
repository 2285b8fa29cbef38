"""Waivers as somebody sees them: all of them, or what they accept and move in the own college."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from funding.waived import Moved, moved
from funding.waivers import Accepted, accepted_by
from funding.waiving import Kept


@dataclass(frozen=True)
class Seen:
    """A waiver: ``number`` of its line where it is kept, whose names it bears, what it moves."""

    accepted: Accepted
    by: str
    approved_by: str
    reason: str
    moves: Moved
    number: int | None = None


def own_money(money: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return what the rejected rows bring of those colleges that the findings are of."""
    return money.filter(pl.col("college_id").is_in(findings["college_id"].drop_nulls().implode()))


def seen_kept(kept: Iterable[Kept], findings: pl.DataFrame, money: pl.DataFrame) -> list[Seen]:
    """Return the waivers that are kept, with what each accepts and moves among the findings and
    rows that are given.
    """
    return [
        Seen(
            one.waiver,
            one.waiver.by,
            one.waiver.approved_by,
            one.waiver.reason,
            moved([one.waiver], findings, money),
            one.number,
        )
        for one in kept
    ]


def seen_in_receipt(receipt: dict[str, Any]) -> list[Seen]:
    """Return the waivers of a published version as its receipt has them."""
    return [_of_receipt(held, _moves(held)) for held in receipt["waivers"]]


def seen_of_own(receipt: dict[str, Any], findings: pl.DataFrame, money: pl.DataFrame) -> list[Seen]:
    """Return the waivers of a published version that accept some of the findings, with what each
    moves among them.
    """
    found = [
        _of_receipt(held, moved([accepted_by(held)], findings, money))
        for held in receipt["waivers"]
    ]
    return accepting(found)


def accepting(seen: Sequence[Seen]) -> list[Seen]:
    """Return those that accept something."""
    return [one for one in seen if one.moves.findings]


def _of_receipt(held: dict[str, Any], moves: Moved) -> Seen:
    return Seen(accepted_by(held), held["by"], held.get("approved_by") or "", held["reason"], moves)


def _moves(held: dict[str, Any]) -> Moved:
    """Return what a receipt says; one of before version 0.5 counts the findings alone."""
    return Moved(
        held["findings"],
        held.get("rows", 0),
        held.get("students", 0),
        held.get("least"),
        held.get("most"),
        held.get("below", 0),
    )
