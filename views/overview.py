"""Where does the country stand?"""

from typing import Any

import altair as alt
import polars as pl
import streamlit as st

from kpi.overview import EMPLOYMENT, leagues, national_kpis, tiles
from views.frame import address, charts, parts
from views.frame.here import Here, here


def page() -> None:
    """Draw the page."""
    at = here()
    say = at.words.say
    nation = national_kpis(at.table("region_kpis"))
    parts.answer(_answer(at), at.round_title)
    if not nation:
        parts.empty(
            say("This round is a draft: national figures are shown once it is published."),
            say("Your own figures are on the page College."),
        )
        return
    _figures(at, nation)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _map(at)
    with right:
        _leagues(at)


def _answer(at: Here) -> str:
    words = at.words
    ranking = at.table("ranking").drop_nulls("rank")
    if not at.has("funding") or at.table("funding").is_empty():
        return words.say_count(
            "{count} college is ranked", "{count} colleges are ranked", ranking.height
        )
    funding = at.table("funding_regions").filter(pl.col("region") == "KZ")
    if funding.is_empty():
        return words.say("The round is a draft")
    row = funding.row(0, named=True)
    return words.say(
        "{qualifying} of {colleges} colleges qualify; the round costs {amount} a year",
        qualifying=words.number(row["qualifying"]),
        colleges=words.number(row["colleges"]),
        amount=words.rough_tenge(row["amount"]),
    )


def _figures(at: Here, nation: dict[str, Any]) -> None:
    words, kpis = at.words, at.kpis()
    there = [code for code in EMPLOYMENT if code in nation]
    parts.figures(
        (kpis[code], parts.share(words, nation[code]), parts.counts(words, nation[code]), "")
        for code in there
    )
    parts.how(words, "methodology", words.say("How are these computed?"))


def _map(at: Here) -> None:
    words = at.words
    names = at.kpis()
    kpi = address.choose("kpi", words.say("KPI on the map"), names) or next(iter(names))
    rows = tiles(at.table("region_kpis"), at.reference["regions"], kpi)
    shown = [
        {
            "column": row["tile_col"],
            "row": row["tile_row"],
            "name": words.of(row),
            "value": row["value"],
            "text": parts.share(words, row) if row["value"] is not None else "–",
            "tip": f"{words.of(row)}: {parts.share_of(words, row)}"
            if row["value"] is not None
            else words.of(row),
        }
        for row in rows.iter_rows(named=True)
    ]
    frame = pl.DataFrame(shown)
    ordered = [row for row in sorted(shown, key=lambda r: -(r["value"] or 0)) if row["value"]]
    title = (
        words.say(
            "From {low} in {lowest} to {high} in {highest}",
            low=ordered[-1]["text"],
            lowest=ordered[-1]["name"],
            high=ordered[0]["text"],
            highest=ordered[0]["name"],
        )
        if ordered
        else words.say("No data")
    )

    def build(colours: charts.Colours) -> charts.Chart:
        base = alt.Chart(frame).encode(
            x=alt.X("column:O", axis=None),
            y=alt.Y("row:O", axis=None),
            tooltip=alt.Tooltip("tip:N", title=" "),
        )
        tile = base.mark_rect(cornerRadius=3, stroke=colours["surface"], strokeWidth=3).encode(
            color=alt.Color(
                "value:Q",
                legend=None,
                scale=alt.Scale(range=[colours["line"], colours["accent"]]),
            )
        )
        return alt.layer(
            tile,
            base.mark_text(dy=-8, fontSize=11, limit=88).encode(text="name:N"),
            base.mark_text(dy=10, fontWeight="bold").encode(text="text:N"),
        ).properties(width="container", height={"step": 66})

    charts.draw(at, "map", title, names[kpi], build, kpi, alt_text=title)


def _leagues(at: Here) -> None:
    words = at.words
    funding = at.table("funding") if at.has("funding") else None
    rows = leagues(at.table("ranking"), funding)
    named = {league.league: words.name(league.name) for league in at.methodology.leagues}
    frame = pl.DataFrame(
        [
            {
                "label": named.get(row["league"]) or words.say("not ranked"),
                "value": row["colleges"],
                "text": words.number(row["colleges"]),
                "tip": words.say(
                    "{colleges} colleges, {qualifying} of them qualify",
                    colleges=words.number(row["colleges"]),
                    qualifying=words.number(row["qualifying"]),
                ),
            }
            for row in rows.iter_rows(named=True)
        ]
    )
    charts.draw(
        at,
        "leagues",
        words.say("Colleges by league"),
        "",
        lambda colours: charts.bars(
            frame, colours, label="label", value="value", text="text", tip="tip"
        ),
        alt_text=words.say("Colleges by league"),
    )


page()
