"""The tile map: each region one tile in about its place, its value as text, its colour by value."""

from typing import Any

import altair as alt
import polars as pl

from kpi.language import LANGUAGES
from views.frame.charts import Chart, Colours

_SHORT = {
    "KZ-10": ("Абай", "Абай", "Abai"),
    "KZ-11": ("Ақмола", "Акмола", "Akmola"),
    "KZ-15": ("Ақтөбе", "Актобе", "Aktobe"),
    "KZ-19": ("Алматы обл.", "Алмат. обл.", "Almaty reg."),
    "KZ-23": ("Атырау", "Атырау", "Atyrau"),
    "KZ-27": ("БҚО", "ЗКО", "West Kaz."),
    "KZ-31": ("Жамбыл", "Жамбыл", "Zhambyl"),
    "KZ-33": ("Жетісу", "Жетісу", "Zhetisu"),
    "KZ-35": ("Қарағанды", "Караганда", "Karaganda"),
    "KZ-39": ("Қостанай", "Костанай", "Kostanay"),
    "KZ-43": ("Қызылорда", "Кызылорда", "Kyzylorda"),
    "KZ-47": ("Маңғыстау", "Мангистау", "Mangystau"),
    "KZ-55": ("Павлодар", "Павлодар", "Pavlodar"),
    "KZ-59": ("СҚО", "СКО", "North Kaz."),
    "KZ-61": ("Түркістан", "Туркестан", "Turkistan"),
    "KZ-62": ("Ұлытау", "Ұлытау", "Ulytau"),
    "KZ-63": ("ШҚО", "ВКО", "East Kaz."),
    "KZ-71": ("Астана", "Астана", "Astana"),
    "KZ-75": ("Алматы қ.", "г. Алматы", "Almaty city"),
    "KZ-79": ("Шымкент", "Шымкент", "Shymkent"),
}
"""Names that fit a tile on a phone; the full one is in the tooltip and the list beside."""

ROWS = 5
TILE = 68
"""Height of a tile, in pixels; its width follows the page."""

_DARK_TEXT, _LIGHT_TEXT = "#04080A", "#FFFFFF"


def short_name(region: str, language: str, full: str) -> str:
    """Return a region's name for a tile; the full one for a region that has none."""
    names = dict(zip(LANGUAGES, _SHORT.get(region, ()), strict=False))
    return names.get(language, full)


def fill(position: float | None, colours: Colours) -> str:
    """Return the colour of a tile from 0 (lowest value) to 1; that of the page without value."""
    if position is None:
        return colours["surface"]
    return mixed(colours["line"], colours["accent"], position)


def text_on(background: str) -> str:
    """Return the text colour that stands out more from a background."""
    return max((_DARK_TEXT, _LIGHT_TEXT), key=lambda text: contrast(text, background))


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def mixed(low: str, high: str, position: float) -> str:
    """Return the colour between two, 0 the first and 1 the second."""
    pairs = zip(_channels(low), _channels(high), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * position):02X}" for a, b in pairs)


def _channels(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _luminance(colour: str) -> float:
    shares = [channel / 255 for channel in _channels(colour)]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def tile_map(rows: list[dict[str, Any]], colours: Colours) -> Chart:
    """Return the map. Each row: ``column``, ``row``, ``region``, ``name`` (short), ``text`` (the
    value in words), ``tip``, and ``position`` 0..1 (None: no value).

    A click on a tile selects ``region``. Letters shrink where the page is narrow.
    """
    frame = pl.DataFrame(
        [
            {**row, "fill": fill(row["position"], colours)}
            | {"ink": text_on(fill(row["position"], colours))}
            for row in rows
        ],
        infer_schema_length=None,
    )
    base = alt.Chart(frame).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(paddingInner=0.04, paddingOuter=0)),
        y=alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.05, paddingOuter=0)),
        tooltip=alt.Tooltip("tip:N", title=" "),
    )
    tile = base.mark_rect(
        cornerRadius=3, stroke=colours["soft"], strokeWidth=1, cursor="pointer"
    ).encode(color=alt.Color("fill:N", scale=None, legend=None))
    ink = alt.Color("ink:N", scale=None, legend=None)
    name = base.mark_text(
        dy=-9, fontSize=alt.expr("width < 520 ? 9 : 12"), cursor="pointer"
    ).encode(text="name:N", color=ink)
    value = base.mark_text(
        dy=10,
        fontSize=alt.expr("width < 520 ? 10.5 : 14"),
        fontWeight="bold",
        cursor="pointer",
    ).encode(text="text:N", color=ink)
    picked = alt.selection_point(name="region", fields=["region"], on="click", clear=False)
    return alt.layer(tile.add_params(picked), name, value).properties(
        width="container", height=ROWS * TILE
    )
