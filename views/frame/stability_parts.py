"""The sections of the page Stability about method: what ranks and money rest on beside the data.

Where the score's differences come from and what noise in the weights does is drawn at once. What
each choice moves takes the registers and many rankings: it is computed when it is asked for, and
kept for all who look at the same version.
"""

from typing import Any

import polars as pl
import streamlit as st

from funding import stability_told as told
from funding.stability import Stability, stability_of
from kpi.errors import CallError
from kpi.intake import Report
from kpi.stability import closest, facts_of, on_scale, ranks_under_noise, variance_shares
from views.frame import parts
from views.frame.charts import draw
from views.frame.college_charts import Bar, bars
from views.frame.here import Here, kept
from views.frame.lists import download_list
from views.frame.stability_charts import Span, spans
from views.frame.work import ask_button, is_asked, was_cancelled, work

WORK = "stability"
_DRAWN = 8
"""Rows of a chart at most: the tables hold them all."""

RIGHT: dict[str, Any] = {"alignment": "right"}


def draw_method(at: Here) -> None:
    """Draw all sections about method."""
    cancelled = was_cancelled(WORK)
    _variance(at)
    _noise(at)
    _choices(at, cancelled)


def opening(at: Here) -> str:
    """Return the sentence that says what the round rests on: most of all, as far as is known."""
    done = found(at)
    if done is not None:
        return told.effects_told(at.words, done.effects.effects)
    return told.variance_told(at.words, at.methodology, _shares(at))


# ------------------------------------------------------------ where differences in score come from


def _shares(at: Here) -> pl.DataFrame:
    return kept(
        at,
        "variance shares",
        lambda: variance_shares(at.table("kpi_scores"), at.table("framework")),
    )


def _variance(at: Here) -> None:
    words, say = at.words, at.words.say
    rows = told.in_tree_order(_shares(at))
    names = told.node_names(words, at.methodology)
    drawn = [
        Bar(
            label=names[row["code"]],
            start=0.0,
            end=max(row["variance_share"], 0.0),
            text=told.share_and_weight(words, row),
            tip=f"{names[row['code']]}: {told.share_and_weight(words, row)}",
        )
        for row in rows
        if row["depth"] == 0 and row["variance_share"] is not None
    ]
    title = told.variance_told(words, at.methodology, _shares(at))
    caption = say(
        "Share of the variance of the score that each part brings: covariance of what it"
        " contributes with the score. A weight is no importance: where colleges hardly differ, a"
        " large weight decides little."
    )
    if drawn:
        top = max(1e-9, *(bar.end or 0.0 for bar in drawn), 0.0)
        alt_text = "; ".join(bar.tip for bar in drawn)
        draw(
            at,
            "variance",
            title,
            caption,
            lambda colours: bars(drawn, top, colours),
            alt_text=alt_text,
        )
    else:
        parts.section(title, caption)
    cells = [
        {
            "part": names[row["code"]],
            "weight": words.percent(row["weight"], 0),
            "share": told.share_told(words, row["variance_share"], 1),
            "correlation": told.correlation_told(words, row["correlation"]),
        }
        for row in rows
    ]
    with st.expander(say("Each part of the score")):
        parts.small_table(
            cells,
            {
                "part": say("Part of the score"),
                "weight": say("Weight"),
                "share": say("Share of variance"),
                "correlation": say("Correlation with the score"),
            },
            name="variance",
            alt=title,
        )


# ----------------------------------------------------------------------------- noise in the weights


def _ranks(at: Here) -> pl.DataFrame:
    def made() -> pl.DataFrame:
        tables = (at.table(name) for name in ("unit_profile", "kpi_values", "gates"))
        units, values, gates = tables
        return ranks_under_noise(facts_of(units, values, gates, at.methodology), at.methodology)

    return kept(at, "ranks under noise", made)


def _noise(at: Here) -> None:
    words, say = at.words, at.words.say
    ranks = _ranks(at)
    if ranks.is_empty():
        return
    title = told.noise_title(words, at.methodology, ranks)
    caption = f"{told.noise_told(words, at.methodology, ranks)} {told.draws_told(words)}"
    colleges = at.colleges()
    near = closest(ranks, _DRAWN)
    top = told.top_name(words, at.methodology)
    if not (near["rank_low"] < near["rank_high"]).any():  # nobody, or a level moves and no rank
        parts.section(title, caption)
        for row in near.iter_rows(named=True):
            name = colleges[row["college_id"]]
            st.markdown(parts.plain(f"{name}: {told.draws_in_top(words, row, top)}"))
    else:
        placed, scale = on_scale(near)
        drawn = [
            Span(
                label=colleges[row["college_id"]],
                text=told.draws_in_top(words, row, top),
                value=row["at"],
                low=row["low_at"],
                high=row["high_at"],
            )
            for row in placed.iter_rows(named=True)
        ]
        lines = [(place, words.number(rank)) for rank, place in scale.items()]
        draw(
            at,
            "weights",
            title,
            caption,
            lambda colours: spans(drawn, lines, colours),
            alt_text="; ".join(f"{span.label}: {span.text}" for span in drawn),
        )
    with st.expander(say("Range of ranks of each college")):
        _ranges(at, ranks, colleges)


def _ranges(at: Here, ranks: pl.DataFrame, colleges: dict[str, str]) -> None:
    words, say = at.words, at.words.say
    shown = parts.paged(words, ranks, "ranks")
    drawn = [
        {
            "named": colleges[row["college_id"]],
            "rank": words.number(row["rank"]),
            "range": told.range_told(words, row),
            "top": words.percent(row["top_share"], 0),
        }
        for row in shown.iter_rows(named=True)
    ]
    text = st.column_config.TextColumn
    top = told.top_name(words, at.methodology)
    parts.table(
        pl.DataFrame(drawn),
        {
            "named": text(say("College"), width=330),
            "rank": text(say("Rank"), width=80, **RIGHT),
            "range": text(say("Range of ranks"), width=170, **RIGHT),
            "top": text(say("Draws in {top}", top=top), width=190, **RIGHT),
        },
        name="ranges",
        alt=say("Range of ranks of each college"),
    )
    download_list(at, "stability-ranks", lambda _: told.as_file(at.round, ranks))


# ------------------------------------------------------------------------------------ every choice


@st.cache_resource(max_entries=1, show_spinner=False)
def _computed() -> dict[str, Stability]:
    """Return what was computed of each version by now: the same for all who may see this page."""
    return {}


def found(at: Here) -> Stability | None:
    """Return what is known of the choices of the round that is shown; None before it is asked."""
    return _computed().get(at.round_key)


def _choices(at: Here, cancelled: bool) -> None:
    words, say = at.words, at.words.say
    done = found(at)
    if done is not None:
        _moves(at, done)
        _effects(at, done)
        return
    parts.section(
        say("What would another choice of method move?"),
        say(
            "Each KPI left out, each other way to normalise and to put KPIs together, each"
            " definition of employment, declared records accepted or not: alone, and all at once."
        ),
    )
    if cancelled:
        st.caption(parts.plain(say("Cancelled: nothing was kept.")))
    ask_button(WORK, say("Change every choice"), type="primary")
    st.caption(
        parts.plain(
            say(
                "Counts the graduates again and makes some {runs} rankings: for the nation about"
                " half a minute. Nothing of the round changes.",
                runs=words.number(told.ABOUT_RUNS),
            )
        )
    )
    if is_asked(WORK):
        _compute(at)


def _compute(at: Here) -> None:
    def do(report: Report) -> Stability:
        return stability_of(at.round, at.store, report)

    try:
        _computed()[at.round_key] = work(at.words, WORK, "stability", do)
    except CallError as error:
        parts.show_error(at.words, error)
        return
    st.rerun()


def _moves(at: Here, done: Stability) -> None:
    words, say = at.words, at.words.say
    moves = done.moves
    names = {
        (row["kind"], row["code"]): told.variation_name(
            words, at.methodology, row["kind"], row["code"]
        )
        for row in moves.iter_rows(named=True)
    }
    title = told.moves_told(words, at.methodology, moves)
    caption = say("Mean shift of rank when one choice alone is another; the largest first.")
    applied = told.by_shift(moves)[:_DRAWN]
    drawn = [
        Bar(
            label=names[row["kind"], row["code"]],
            start=0.0,
            end=row["mean_shift"],
            text=told.places_told(words, row["mean_shift"]),
            tip=told.shift_told(words, at.methodology, row),
        )
        for row in applied
    ]
    if drawn:
        top = max(1e-9, *(bar.end or 0.0 for bar in drawn), 0.0)
        draw(
            at,
            "moves",
            title,
            caption,
            lambda colours: bars(drawn, top, colours),
            alt_text="; ".join(f"{bar.label}: {bar.tip}" for bar in drawn),
        )
    else:
        parts.section(title, caption)
    if money := told.money_told(words, at.methodology, moves):
        st.markdown(parts.plain(money))
    _moves_table(at, moves, names)
    download_list(at, "stability-moves", lambda _: told.as_file(at.round, moves))


def _moves_table(at: Here, moves: pl.DataFrame, names: dict[tuple[str, str], str]) -> None:
    words, say = at.words, at.words.say
    is_paid = told.has_money(moves)
    titles = {
        "choice": say("Another choice"),
        "moved": say("Move"),
        "mean": say("Places, mean"),
        "most": say("At most"),
        "top": told.top_name(words, at.methodology) or say("Top"),
    }
    if is_paid:
        titles |= {
            "norm": say("Incentive"),
            "tenge_gained": say("Gained"),
            "tenge_lost": say("Lost"),
        }
    rows = []
    for row in moves.iter_rows(named=True):
        cells = {"moved": say("not possible")}
        if row["is_applied"]:
            cells = told.move_cells(words, row)
        choice = names[row["kind"], row["code"]]
        rows.append(dict.fromkeys(titles, "–") | cells | {"choice": choice})
    parts.small_table(rows, titles, name="moves", alt=say("What each choice moves"))
    st.caption(parts.plain(told.columns_told(words, is_paid=is_paid)))


def _effects(at: Here, done: Stability) -> None:
    words = at.words
    effects = done.effects
    parts.section(
        told.effects_told(words, effects.effects), told.sampling_told(words, effects.runs)
    )
    lines = [(share, words.percent(share, 0)) for share in (0.0, 0.5, 1.0)]
    for outcome in effects.outcomes.iter_rows(named=True):
        drawn = [
            Span(
                label=told.factor_name(words, row["factor"]),
                text=told.factor_told(words, row),
                value=told.within(row["total"]),
                low=told.within(row["total_low"]),
                high=told.within(row["total_high"]),
                other=told.within(row["first"]),
            )
            for row in told.by_total(effects.effects, outcome["outcome"])
            if row["total"] > 0
        ]
        st.markdown(f"**{parts.plain(told.outcome_heading(words, outcome))}**")
        if drawn:
            _drawn_effects(at, outcome["outcome"], drawn, lines)
        else:
            st.caption(parts.plain(words.say("No choice of method moves it.")))


def _drawn_effects(at: Here, name: str, drawn: list[Span], lines: list[tuple[float, str]]) -> None:
    draw(
        at,
        f"effects-{name}",
        "",
        at.words.say(
            "Share of the variance. Dot: with all others, and its interval; diamond: alone. A"
            " choice that is not here moves nothing."
        ),
        lambda colours: spans(drawn, lines, colours),
        alt_text="; ".join(f"{span.label}: {span.text}" for span in drawn),
    )
