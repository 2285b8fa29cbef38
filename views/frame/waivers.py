"""Waivers on the page Data check: those of the round that is open, and the form that keeps one."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from funding.waived import Moved, can_tell, money_of, moved
from funding.waivers import Accepted, open_errors
from funding.waivers_seen import (
    Seen,
    accepting,
    own_money,
    seen_in_receipt,
    seen_kept,
    seen_of_own,
)
from funding.waivers_told import (
    accepted_told,
    amount_told,
    idle_told,
    left_told,
    moves_told,
)
from funding.waiving import Kept, keep, kept_for, new_waiver, withdraw
from kpi.access import Role, local_analyst, require_role
from kpi.errors import CallError
from kpi.findings import codes, examples, sentence
from kpi.layouts.rows import Headers
from views.frame import address, parts
from views.frame.here import Here, kept, newer_draft

PLACES = ("waive", "waive_at", "waivers")
"""What of the page's address is the waivers'."""


def section(at: Here, findings: pl.DataFrame) -> None:
    """Draw the waivers of the round that is open. ``findings`` are those that the viewer may see.

    A published version shows those of its receipt. A draft shows those that are kept for its round;
    the ministry makes and withdraws them, on the newest draft.
    """
    if findings.is_empty():
        return
    if not at.round.is_draft:
        _published(at, findings)
        return
    if not can_tell(at.round):
        return
    held = kept_for(at.store, at.round.name)
    makes = at.viewer.role == Role.MINISTRY and newer_draft(at) is None
    if not (held or makes):
        return
    _kept(at, held, findings)
    if makes:
        _new(at, held, findings)
        if held:
            _withdraw(at, held)


def _published(at: Here, findings: pl.DataFrame) -> None:
    words, receipt = at.words, at.round.receipt
    if not receipt["waivers"]:
        return
    if at.viewer.sees_all:
        seen = seen_in_receipt(receipt)
    else:
        if not can_tell(at.round):
            return
        seen = seen_of_own(receipt, findings, _money(at, findings))
    if seen:
        parts.section(
            words.say_count("{count} waiver", "{count} waivers", len(seen)),
            words.say("Findings that were accepted, by whom and why"),
        )
        _table(at, seen, findings)


def _money(at: Here, findings: pl.DataFrame) -> pl.DataFrame:
    """Return what the rejected rows bring, of the own college for who sees that alone."""

    def make() -> pl.DataFrame:
        with st.spinner(at.words.say("Computing what the rejected rows would bring")):
            money = money_of(at.round)
        return money if at.viewer.sees_all else own_money(money, findings)

    return kept(at, "rejected money", make)


def _kept(at: Here, held: Sequence[Kept], findings: pl.DataFrame) -> None:
    words = at.words
    if not held:
        left = _left(held, findings)
        told = left_told(words, left) if left else words.say("There is no error to accept.")
        parts.section(words.say("No waiver is kept"), told)
        return
    money = _money(at, findings)
    seen = seen_kept(held, findings, money)
    if not at.viewer.sees_all:
        seen = accepting(seen)
    if not seen:
        return
    together = moved([one.accepted for one in seen], findings, money)
    parts.section(
        words.say_count("{count} waiver is kept", "{count} waivers are kept", len(seen)),
        left_told(words, _left(held, findings)),
    )
    st.markdown(parts.plain(_told(at, together)))
    _table(at, seen, findings)
    idle = [one for one in held if not moved([one.waiver], findings, money).findings]
    if at.viewer.sees_all and idle:
        st.warning(parts.plain(idle_told(words, idle)), icon=":material/warning:")
    st.caption(words.say("`kpi publish` takes them along into the round's receipt."))


def _told(at: Here, moves: Moved) -> str:
    return " ".join([f"{accepted_told(at.words, moves)}.", *moves_told(at.words, moves)])


def _left(held: Sequence[Kept], findings: pl.DataFrame) -> int:
    return open_errors(findings, [one.waiver for one in held]).height


def _table(at: Here, seen: Sequence[Seen], findings: pl.DataFrame) -> None:
    words = at.words
    shown, headers = examples(findings), at.headers()
    names = at.colleges()
    rows = pl.DataFrame(
        [
            {
                "number": words.number(one.number) if one.number else "",
                "check": one.accepted.check,
                "example": _example(at, shown.get(one.accepted.check), headers),
                "college": _college(at, names, one.accepted.college_id),
                "cell": " = ".join(
                    text for text in (one.accepted.column, one.accepted.found) if text
                ),
                "reason": one.reason,
                "by": one.by,
                "approved_by": one.approved_by,
                "findings": words.number(one.moves.findings),
                "tenge": amount_told(words, one.moves.least, one.moves.most),
            }
            for one in seen
        ]
    )
    text = st.column_config.TextColumn
    columns = {
        "number": text(words.say("Number"), width="small"),
        "tenge": _number(words.say("Tenge a year less"), 190),
        "findings": _number(words.say("Findings")),
        "reason": text(words.say("Why"), width=220),
        "by": text(words.say("Who")),
        "approved_by": text(words.say("Approved by")),
        "college": text(words.say("College"), width=220),
        "check": text(words.say("Check")),
        "cell": text(words.say("Column")),
        "example": text(words.say("What is wrong"), width=420),
    }
    empty = [name for name in ("number", "cell", "example") if not any(rows[name])]
    parts.table(
        parts.paged(words, rows, "waivers"),
        {name: column for name, column in columns.items() if name not in empty},
        name="waivers",
        alt=words.say("Findings that were accepted, by whom and why"),
    )


def _example(at: Here, finding: dict[str, Any] | None, headers: Headers) -> str:
    return sentence(at.words, finding, headers) if finding else ""


def _college(at: Here, names: dict[str, str], college_id: str | None) -> str:
    if college_id is None:
        return at.words.say("all colleges")
    return f"{names[college_id]} · {college_id}" if college_id in names else college_id


def _number(label: str, width: int | None = None) -> Any:
    return st.column_config.TextColumn(label, alignment="right", width=width)


# ---------------------------------------------------------------------------------- make, withdraw


def _new(at: Here, held: Sequence[Kept], findings: pl.DataFrame) -> None:
    """Draw the form: which findings, what that moves, who and why."""
    words, say = at.words, at.words.say
    errors = open_errors(findings, [one.waiver for one in held])
    if errors.is_empty():
        return
    parts.section(
        say("Accept findings with a reason"),
        say("What is accepted stays as it is: a rejected row counts for nobody."),
    )
    stated = _stated(at, errors)
    if stated is None:
        return
    money = _money(at, findings)
    own = f"waive:{len(held)}:{stated['check']}:{stated['college_id']}"
    moves = moved([Accepted.model_validate(stated)], findings, money)
    st.markdown(parts.plain(_told(at, moves)))
    reason = st.text_input(
        say("Why"), key=f"{own}:reason", max_chars=500, help=say("Such as the number of a letter")
    )
    left, right = st.columns(2)
    with left:
        by = _own_name_or_asked(at, f"{own}:by")
    with right:
        approved_by = st.text_input(
            say("Name of the second person who approves"), key=f"{own}:second", max_chars=100
        )
    sure = st.checkbox(
        say(
            "I know what it moves: {amount} a year",
            amount=amount_told(words, moves.least, moves.most),
        ),
        key=f"{own}:sure",
    )
    if st.button(say("Accept these findings"), key="waive:keep", disabled=not sure):
        _keep(at, stated, by, approved_by, reason, money)
    if not sure:
        st.caption(say("Say first that you know what it moves."))


def _stated(at: Here, errors: pl.DataFrame) -> dict[str, str | None] | None:
    """Draw which findings are to be accepted; None until a check is chosen."""
    words = at.words
    shown, names = examples(errors), at.colleges()
    left, right = st.columns(2)
    with left:
        headers = at.headers()
        checks = {
            code: sentence(words, shown[code], headers) for code in codes(errors, "check_name")
        }
        check = address.choose(
            "waive",
            words.say("Check"),
            checks,
            everything=words.say("Choose a check"),
            drop=("waive_at",),
        )
    if check is None:
        return None
    with right:
        of_check = codes(errors.filter(pl.col("check_name") == check), "college_id")
        college = address.choose(
            "waive_at",
            words.say("College"),
            {code: _college(at, names, code) for code in of_check},
            everything=words.say("all colleges"),
            drop=(),
        )
    return {"check": check, "college_id": college}


def _own_name_or_asked(at: Here, key: str) -> str:
    """Draw and return the name of who is signed in; where nobody signs in, ask for it."""
    own = "" if at.viewer == local_analyst() else at.viewer.name
    label = at.words.say("Your name")
    asked = st.text_input(label, own, key=key, max_chars=100, disabled=bool(own))
    return own or asked  # what the browser says of a field that is switched off is not asked


def _keep(
    at: Here,
    stated: dict[str, str | None],
    by: str,
    approved_by: str,
    reason: str,
    money: pl.DataFrame,
) -> None:
    require_role(at.viewer, Role.MINISTRY)
    try:
        keep(at.store, at.round, new_waiver(stated, by, approved_by, reason), money)
    except CallError as error:
        parts.show_error(at.words, error)
        return
    address.put("waive", None, ("waive_at",))
    st.rerun()


def _withdraw(at: Here, held: Sequence[Kept]) -> None:
    """Draw how a kept waiver is withdrawn."""
    words, say = at.words, at.words.say
    with st.expander(say("Withdraw a waiver")), st.form("withdraw", border=False):
        numbers = {one.number: one for one in held}
        number = st.selectbox(
            say("Waiver"),
            list(numbers),
            key="withdraw:number",
            format_func=lambda one: f"{words.number(one)}: {numbers[one].waiver.told()}",
        )
        by = _own_name_or_asked(at, "withdraw:by")
        reason = st.text_input(say("Why"), key="withdraw:reason", max_chars=500)
        if st.form_submit_button(say("Withdraw")):
            require_role(at.viewer, Role.MINISTRY)
            try:
                withdraw(at.store, at.round.name, number, by, reason)
            except CallError as error:
                parts.show_error(words, error)
                return
            st.rerun()
