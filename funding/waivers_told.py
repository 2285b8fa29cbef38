"""Waivers in words, for the screen and the command line: what each accepts, and what it moves."""

from collections.abc import Iterable, Sequence

from funding.waived import Moved
from funding.waivers import Accepted
from funding.waiving import Kept
from kpi.language import Speaker
from kpi.printing import fill, new_console, new_table
from kpi.rounds import Round


def amount_told(words: Speaker, least: int | None, most: int | None) -> str:
    """Return the tenge of a waiver for a cell: ``0 ₸``, ``912 000 ₸``, ``0–437 000 ₸``; a dash
    where nothing is funded or a receipt of before version 0.5 does not tell it.
    """
    if least is None or most is None:
        return "—"
    if least == most:
        return words.tenge(least)
    return f"{words.number(least)}–{words.tenge(most)}"


def accepted_told(words: Speaker, moves: Moved) -> str:
    """Return what a waiver accepts: ``5 findings; 4 rows stay rejected``."""
    findings = words.say_count("{count} finding", "{count} findings", moves.findings)
    rows = words.say_count("{count} row stays rejected", "{count} rows stay rejected", moves.rows)
    return f"{findings}; {rows}" if moves.rows else findings


def moves_told(words: Speaker, moves: Moved) -> list[str]:
    """Return what a waiver moves, in sentences."""
    told = [_money_told(words, moves)]
    if moves.below:
        told.append(
            words.say_count(
                "{count} college without the whole incentive part loses agreements or"
                " accreditations by it: what they would change at a gate is in no amount.",
                "{count} colleges without the whole incentive part lose agreements or"
                " accreditations by it: what they would change at a gate is in no amount.",
                moves.below,
            )
        )
    return told


def _money_told(words: Speaker, moves: Moved) -> str:
    least, most = moves.least, moves.most
    if least is None or most is None:
        return words.say("Nothing is funded in this round: no tenge moves.")
    if not moves.rows:
        return words.say("These are warnings: no row is rejected by them, and no tenge moves.")
    if not most:
        return words.say("These rows bring no student who is paid for: no tenge moves.")
    if least == most:
        return words.say_count(
            "{count} student stays unpaid for: the colleges are paid {amount} a year less.",
            "{count} students stay unpaid for: the colleges are paid {amount} a year less.",
            moves.students,
            amount=words.tenge(least),
        )
    return words.say_count(
        "Up to {count} student stays unpaid for: the colleges are paid from {least} to {most} a"
        " year less; how much cannot be read from the rows.",
        "Up to {count} students stay unpaid for: the colleges are paid from {least} to {most} a"
        " year less; how much cannot be read from the rows.",
        moves.students,
        least=words.tenge(least),
        most=words.tenge(most),
    )


def idle_told(words: Speaker, kept: Sequence[Kept]) -> str:
    """Return that kept waivers accept nothing any more; nothing where there are none."""
    if not kept:
        return ""
    return words.say_count(
        "{count} kept waiver accepts no finding of this draft any more and is not published with"
        " it: {which}. Withdraw it, or look why.",
        "{count} kept waivers accept no finding of this draft any more and are not published"
        " with it: {which}. Withdraw them, or look why.",
        len(kept),
        which="; ".join(f"{one.number} ({one.waiver.told()})" for one in kept),
    )


def left_told(words: Speaker, left: int) -> str:
    """Return how many errors no waiver accepts."""
    if not left:
        return words.say("Every error is accepted by a waiver.")
    return words.say_count(
        "{count} error has no waiver: the draft cannot be published.",
        "{count} errors have no waiver: the draft cannot be published.",
        left,
    )


def print_kept(
    words: Speaker, draft: Round, kept: Iterable[tuple[Kept, Moved]], together: Moved, left: int
) -> None:
    """Print the waivers kept for the round of a draft, and what they move there together."""
    console = new_console()
    where = {"round": draft.name, "draft": draft.version}
    console.print(words.say("Waivers kept for {round}, seen on {draft}", **where), markup=False)
    shown = list(kept)
    if shown:
        table = new_table(
            words.say("Number") + ">",
            words.say("What"),
            words.say("Why"),
            words.say("Who"),
            words.say("Approved by"),
            words.say("Findings") + ">",
            words.say("Tenge a year less") + ">",
        )
        for one, moves in shown:
            fill(
                table,
                words.number(one.number),
                stated(one.waiver),
                one.waiver.reason,
                one.waiver.by,
                one.waiver.approved_by,
                words.number(moves.findings),
                amount_told(words, moves.least, moves.most),
            )
        console.print(table)
        told = [accepted_told(words, together), *moves_told(words, together)]
        console.print(words.say("Together: {what}", what=told[0]), markup=False)
        for sentence in told[1:]:
            console.print(sentence, markup=False)
        if idle := idle_told(words, [one for one, moves in shown if not moves.findings]):
            console.print(idle, markup=False)
    else:
        console.print(words.say("None is kept."), markup=False)
    console.print(left_told(words, left), markup=False)


def print_moves(words: Speaker, headline: str, moves: Moved) -> None:
    """Print what became of a waiver, what it accepts and what it moves."""
    console = new_console()
    for line in (headline, accepted_told(words, moves), *moves_told(words, moves)):
        console.print(line, markup=False)


def stated(waiver: Accepted) -> str:
    """Return what a waiver states, in codes: ``not_a_date · EX-01 · enrolled_on``."""
    parts = (waiver.check, waiver.college_id, waiver.column, waiver.found)
    return " · ".join(part for part in parts if part)
