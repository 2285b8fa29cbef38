"""One grammar for all charts (UI.md): what is drawn where, in which colour and shape.

Dot = the subject; soft bar behind it = what chance alone would do; thick tick = gate; thin grey
ticks = the others; one accent colour; amber = gate or warning. Every difference of colour is one of
shape or label too. Numbers come as text that is already in the reader's language.
"""

from collections.abc import Callable
from typing import Any

import altair as alt
import polars as pl
import streamlit as st
import vl_convert
from font_source_sans_pro import font_directory

from views.frame.here import Here, kept
from views.frame.parts import plain

FONT = "'Source Sans', 'Source Sans Pro', sans-serif"
"""The page's own font; the same letters where a chart is saved."""

_LIGHT = {
    "ink": "#1B2A33",
    "accent": "#0B6E6E",
    "gate": "#B45309",
    "grey": "#5D6B75",
    "soft": "#9AA7AE",
    "line": "#E3E8EA",
    "surface": "#FFFFFF",
}
_DARK = {
    "ink": "#E6ECEF",
    "accent": "#4DB6AC",
    "gate": "#F0A44B",
    "grey": "#A9B6BD",
    "soft": "#6B7A84",
    "line": "#2A363E",
    "surface": "#12191E",
}
"""The colours of a chart by what they say: subject, gate or warning, context."""

Spec = dict[str, Any]
Colours = dict[str, str]
Chart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart | alt.HConcatChart

vl_convert.register_font_directory(font_directory)


def is_dark() -> bool:
    """Whether the reader's page is dark."""
    return st.context.theme.type == "dark"


def colours_here() -> Colours:
    """Return the colours of the reader's page."""
    return _DARK if is_dark() else _LIGHT


def draw(
    here: Here,
    name: str,
    title: str,
    caption: str,
    build: Callable[[Colours], Chart],
    *more: Any,
    alt_text: str,
    picks: str | None = None,
) -> Any:
    """Draw a chart under a title that says its finding, with its download as SVG and PNG.

    ``build`` gets the colours; ``name`` and ``more`` say what the chart depends on beside round,
    language and viewer. ``alt_text`` tells it to those who cannot see it. ``picks`` names a point
    selection of the chart and its one field: returned is what the reader has clicked on, or None.
    """

    def spec(colours: Colours) -> Spec:
        made: Spec = configured(build(colours), colours).to_dict(validate=False)
        return made

    made = kept(here, f"chart {name} {is_dark()}", lambda: spec(colours_here()), *more)
    if title:
        st.header(plain(title), anchor=False)
    if caption:
        st.caption(plain(caption))
    state: Any = st.vega_lite_chart(
        made,
        theme=None,
        width="stretch",
        key=f"chart:{name}",
        alt=alt_text,
        on_select="rerun" if picks else "ignore",
    )
    words = here.words

    def saved(make: Callable[[Spec], bytes]) -> Callable[[], bytes]:
        of_round = here.round_title if here.opened else ""
        of = " · ".join(text for text in (caption, of_round) if text)
        return lambda: make(titled(spec(_LIGHT), title, of))

    with st.container(horizontal=True, gap="small", key=f"save-{name}"):
        for form, make in (("SVG", _svg), ("PNG", _png)):
            st.download_button(
                words.say("Save as {form}", form=form),
                saved(make),
                file_name=f"{here.file_name}-{name}.{form.lower()}",
                mime={"SVG": "image/svg+xml", "PNG": "image/png"}[form],
                key=f"save:{name}:{form}",
                type="tertiary",
                on_click="ignore",
            )
    points = state.selection.get(picks) if picks else None
    return points[0].get(picks) if points else None


def configured(chart: Chart, colours: Colours) -> Any:
    """Return a chart in the product's look: in one go, since each step copies the chart."""
    return chart.configure(
        font=FONT,
        background="transparent",
        padding=4,
        view=alt.ViewConfig(stroke=None),
        mark=alt.MarkConfig(aria=False),  # the chart as a whole has its text
        axis=alt.AxisConfig(
            domain=False,
            ticks=False,
            gridColor=colours["line"],
            labelColor=colours["grey"],
            titleColor=colours["grey"],
            labelFontSize=13,
            titleFontSize=13,
            titleFontWeight="normal",
            labelLimit=320,
        ),
        text=alt.MarkConfig(fontSize=13, color=colours["ink"]),
        legend=alt.LegendConfig(
            labelColor=colours["ink"],
            labelFontSize=13,
            symbolStrokeWidth=2,
            orient="top",
            title=None,
        ),
    )


def titled(spec: Spec, title: str, caption: str) -> Spec:
    """Return a chart as it leaves the page: with title and subject, on white, in a fixed width."""
    heading = {
        "text": title,
        "subtitle": caption,
        "anchor": "start",
        "color": _LIGHT["ink"],
        "subtitleColor": _LIGHT["grey"],
        "fontSize": 16,
        "subtitleFontSize": 12,
        "offset": 12,
    }
    done = {**spec, "title": heading, "background": "#FFFFFF", "padding": 16}
    if done.get("width", "container") == "container":
        done["width"] = 720
    return done


def _svg(spec: Spec) -> bytes:
    return vl_convert.vegalite_to_svg(spec).encode()


def _png(spec: Spec) -> bytes:
    return bytes(vl_convert.vegalite_to_png(spec, scale=2))


def bars(
    rows: pl.DataFrame,
    colours: Colours,
    *,
    label: str,
    value: str,
    text: str,
    tip: str,
    top: float | None = None,
    room: float = 0.18,
    step: int = 30,
) -> Chart:
    """Return horizontal bars with their text at the end, in the order of the rows.

    Columns: ``label`` words, ``value`` length, ``text`` words at the end, ``tip`` words shown on
    pointing; an optional ``is_subject`` column draws the others in grey. ``room`` is what the text
    needs behind the longest bar, as a share of it; ``step`` the height of a row in pixels.
    """
    order = rows[label].to_list()
    highest = top or max([*rows[value].fill_null(0).to_list(), 1e-9])
    base = alt.Chart(rows).encode(
        y=alt.Y(f"{label}:N", sort=order, title=None, axis=alt.Axis(labelColor=colours["ink"])),
        x=alt.X(f"{value}:Q", axis=None, scale=alt.Scale(domain=[0, highest * (1 + room)])),
        tooltip=alt.Tooltip(f"{tip}:N", title=" "),
    )
    fill: Any = alt.value(colours["accent"])
    if "is_subject" in rows.columns:
        fill = (
            alt.when("datum.is_subject")
            .then(alt.value(colours["accent"]))
            .otherwise(alt.value(colours["soft"]))
        )
    drawn = base.mark_bar(height={"band": 0.55}, cornerRadiusEnd=2).encode(color=fill)
    told = base.mark_text(align="left", dx=6).encode(text=f"{text}:N")
    return alt.layer(drawn, told).properties(width="container", height=step * rows.height)
