"""How firm is it: which decisions hang on few records, and what a change of method would move?"""

from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from funding.doubts import FEW, KINDS, by_kind, hanging, in_doubt
from funding.doubts_told import as_file, kind_name, opening, standing, waived_told
from views.frame import address, parts, stability_parts
from views.frame.here import Here, here, kept
from views.frame.lists import download_list
from views.frame.marks import draw_marks

RIGHT: dict[str, Any] = {"alignment": "right"}


def page() -> None:
    """Draw the page."""
    at = here()
    parts.answer(_answer(at), at.round_title)
    draw_marks(at)
    if at.has("funding"):  # what the page opens with comes first
        _doubts(at)
        stability_parts.draw_method(at)
    else:
        stability_parts.draw_method(at)
        _doubts(at)


def _answer(at: Here) -> str:
    say = at.words.say
    if not at.has("funding"):
        return stability_parts.opening(at)
    if not at.round.has("decision_doubts"):
        return say("This round was run before decisions in doubt were counted")
    if not at.has("param_decision_gate"):
        return say("No gate decides about money under the rule of this round")
    return opening(at.words, hanging(_in_doubt(at)), at.table("funding").height)


# ----------------------------------------------------------------------------------- doubt to flip


def _doubts(at: Here) -> None:
    """Draw the decisions that records in doubt would reverse, where inspectors go first."""
    words, say = at.words, at.words.say
    if not at.has("funding"):
        parts.empty(
            say("No register of students was given: nothing can be funded in this round."),
            say("Upload the registers on the page Data check and run a draft."),
        )
        return
    if not at.round.has("decision_doubts"):
        parts.empty(say("Run the round again: its draft will hold them."))
        return
    if not at.has("param_decision_gate"):
        parts.empty(say("A record in doubt moves no money where no gate is asked for."))
        return
    everything = _in_doubt(at)
    if everything.is_empty():
        parts.empty(
            say("No record in doubt would reverse a decision about money in this round."),
            waived_told(words, at.round),
        )
        return
    parts.section(
        words.say_count(
            "Where inspectors go first: records in doubt would reverse {count} decision",
            "Where inspectors go first: records in doubt would reverse {count} decisions",
            everything.height,
        ),
        say(
            "Of each decision: how few records would have to turn out otherwise, and the tenge that"
            " hang on it. First where a record weighs most."
        ),
        help=_definition(at),
    )
    _kinds(at)
    rows = _in_doubt(at, **_filters(at))
    if rows.is_empty():
        parts.empty(say("No decision fits this choice."), say("Take a filter away."))
        return
    _list(at, rows)
    download_list(at, "doubts", partial(as_file, rows))


def _in_doubt(at: Here, **wanted: Any) -> pl.DataFrame:
    def found() -> pl.DataFrame:
        tables = (at.table(name) for name in ("decision_doubts", "gates", "unit_profile"))
        return in_doubt(*tables, **wanted)

    return kept(at, "decisions in doubt", found, *wanted.items())


def _definition(at: Here) -> str:
    return at.words.say(
        "Declared-only: no accepted source confirms it. Excluded: left out of the denominator. A"
        " decision that fails is tried with what speaks for the college, one that passes with what"
        " speaks against it. Where several gates fail, it is the sum over them, at most. Tenge are"
        " before an appropriation and a guarantee."
    )


def _kinds(at: Here) -> None:
    """Draw what each kind of record would reverse alone."""
    words, say = at.words, at.words.say
    rows = [
        {
            "kind": say("of any kind together")
            if row["doubt"] == KINDS[-1]
            else kind_name(words, row["doubt"], not at.round.is_draft),
            "decisions": words.number(row["decisions"]),
            "tenge": words.rough_tenge(row["tenge"]),
            "few": words.number(row["few"]),
        }
        for row in by_kind(at.table("decision_doubts")).iter_rows(named=True)
    ]
    title = say("What each kind of record would reverse alone")
    parts.small_table(
        rows,
        {
            "kind": say("Records in doubt"),
            "decisions": say("Decisions"),
            "tenge": say("At risk a year"),
            "few": say("Of them by at most {few}", few=words.number(FEW)),
        },
        name="doubts",
        alt=title,
    )
    if waived := waived_told(words, at.round):
        st.caption(parts.plain(waived))


def _filters(at: Here) -> dict[str, Any]:
    """Draw the filters; return what is wanted of each, None for any."""
    words, say = at.words, at.words.say
    there = set(at.table("decision_doubts")["doubt"])
    kinds = {kind: kind_name(words, kind, not at.round.is_draft) for kind in KINDS if kind in there}
    with st.container(horizontal=True, gap="small", key="filters"):
        region = address.choose(
            "region", say("Region"), at.places("regions"), everything=say("all"), width="stretch"
        )
        kind = address.choose(
            "doubt",
            say("Records in doubt"),
            kinds,
            everything=say("any kind"),
            width="stretch",
        )
        stands = address.choose(
            "stands",
            say("Decision"),
            {"passes": say("passes, could fall"), "fails": say("fails, could rise")},
            everything=say("all"),
            width="stretch",
        )
    passes = None if stands is None else stands == "passes"
    return {"region": region, "kind": kind, "passes": passes}


def _list(at: Here, rows: pl.DataFrame) -> None:
    words, say = at.words, at.words.say
    shown = parts.paged(words, rows)
    regions, kpis = at.places("regions"), at.kpis()
    drawn = [
        {
            "college": words.of(row),
            "stands": standing(words, row),
            "needed": say(
                "{part} of {whole}",
                part=words.number(row["needed"]),
                whole=words.number(row["records"]),
            ),
            "kind": kind_name(words, row["doubt"], not at.round.is_draft),
            "tenge": words.tenge(row["tenge_at_risk"]),
            "each": words.tenge(row["tenge_per_record"]),
            "gate": kpis.get(row["gate"]) or say("several"),
            "region": regions.get(row["region"], row["region"]),
        }
        for row in shown.iter_rows(named=True)
    ]
    text = st.column_config.TextColumn
    state = parts.table(
        pl.DataFrame(drawn),
        {
            "college": text(say("College"), width=290),
            "stands": text(say("Decision"), width=200),
            "needed": text(
                say("Would reverse it"),
                width=130,
                help=say("How many records, of how many there are of the kind."),
                **RIGHT,
            ),
            "kind": text(say("Records in doubt"), width=250),
            "tenge": text(say("At risk a year"), width=150, **RIGHT),
            "each": text(say("Per record"), width=150, **RIGHT),
            "gate": text(say("Gate"), width=220),
            "region": text(say("Region"), width=170),
        },
        name=f"doubts:{address.value('page', '1')}",
        alt=say("Decisions in doubt"),
        on_select="rerun",
        selection_mode="single-row",
    )
    st.caption(parts.plain(say("A row that is chosen opens the page of its college.")))
    parts.lead_to_college(shown, state)


page()
