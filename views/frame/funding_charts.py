"""The charts of Funding and Scenario: around a gate, a frontier, gains and losses."""

import json
from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from views.frame.charts import Chart, Colours


def around_gate(
    rows: pl.DataFrame, colours: Colours, *, reach: int, labels: Mapping[int, str], gate: str
) -> Chart:
    """Return stacked bars, one a percentage point, with the gate as a thick tick at 0.

    ``rows``: points (whole percentage points above the threshold), low, high, place (words, told
    apart by colour and by side of the gate), order, tip. ``labels``: points to
    words of the axis; ``gate``: the words at the tick.
    """
    told = rows.select("place", "order").unique().sort("order")
    shades = {
        0: colours["soft"],
        1: colours["gate"],
        2: colours["gate"],
        3: colours["accent"],
    }
    frame = rows.with_columns(start=pl.col("points") + 0.06, end=pl.col("points") + 0.94)
    drawn = (
        alt.Chart(frame)
        .mark_bar(stroke=colours["surface"], strokeWidth=0.5)
        .encode(
            x=alt.X(
                "start:Q",
                title=None,
                scale=alt.Scale(domain=[-reach, reach], nice=False),
                axis=alt.Axis(values=list(labels), labelExpr=_labels(labels), grid=False),
            ),
            x2="end:Q",
            y=alt.Y("low:Q", axis=None),
            y2="high:Q",
            color=alt.Color(
                "place:N",
                sort=told["place"].to_list(),
                scale=alt.Scale(
                    domain=told["place"].to_list(),
                    range=[shades[order] for order in told["order"]],
                ),
                legend=None,
            ),
            tooltip=alt.Tooltip("tip:N", title=" "),
        )
    )
    at_gate = pl.DataFrame({"x": [0.0], "text": [gate]})
    tick = alt.Chart(at_gate).mark_rule(color=colours["gate"], strokeWidth=3).encode(x="x:Q")
    named = (
        alt.Chart(at_gate)
        .mark_text(align="left", baseline="top", dx=6, y=2, color=colours["gate"])
        .encode(x="x:Q", text="text:N")
    )
    return alt.layer(drawn, tick, named).properties(width="container", height=190)


def frontier(
    points: pl.DataFrame,
    marked: pl.DataFrame,
    colours: Colours,
    *,
    across: Mapping[float, str],
    up: Mapping[float, str],
) -> Chart:
    """Return the cost of each threshold as a line of dots, with marked points on it.

    ``points``: x, y, tip, text (words at some points, else empty). ``marked``: x, y, text, tip,
    is_subject, is_above (where its words stand). ``across`` and ``up``: values to words of the
    axes.
    """
    top = max([*points["y"], *marked["y"]])
    low = min([*points["y"], *marked["y"]])
    room = (top - low or 1) * 0.18
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(domain=[min(points["x"]), max(points["x"])], nice=False, padding=14),
        axis=alt.Axis(values=list(across), labelExpr=_labels(across), grid=False),
    )
    y = alt.Y(
        "y:Q",
        title=None,
        scale=alt.Scale(domain=[low - room, top + room], nice=False),
        axis=alt.Axis(values=list(up), labelExpr=_labels(up)),
    )
    base = alt.Chart(points).encode(x=x, y=y)
    line = base.mark_line(color=colours["soft"], strokeWidth=1.5)
    dots = base.mark_point(filled=True, size=22, color=colours["grey"], opacity=1).encode(
        tooltip=alt.Tooltip("tip:N", title=" ")
    )
    told = base.mark_text(dy=-11, fontSize=12, color=colours["grey"]).encode(text="text:N")
    special = alt.Chart(marked).encode(x=x, y=y, tooltip=alt.Tooltip("tip:N", title=" "))
    subject = alt.datum.is_subject
    shown = special.mark_point(size=150, strokeWidth=2.5, opacity=1).encode(
        shape=alt.condition(subject, alt.value("circle"), alt.value("diamond")),
        fill=alt.condition(subject, alt.value(colours["accent"]), alt.value(colours["surface"])),
        stroke=alt.condition(subject, alt.value(colours["accent"]), alt.value(colours["gate"])),
    )
    named = [
        special.transform_filter(
            (alt.datum.is_subject == is_subject) & (alt.datum.is_above == is_above)
        )
        .mark_text(  # cost falls from left to right: there is room above right and below left
            dy=-18 if is_above else 20,
            dx=-8 if is_above else 8,
            align="left" if is_above else "right",
            fontWeight="bold",
            color=colours[colour],
        )
        .encode(text="text:N")
        for is_subject, colour in ((True, "accent"), (False, "gate"))
        for is_above in (True, False)
    ]
    return alt.layer(line, dots, told, shown, *named).properties(width="container", height=300)


def gains(rows: pl.DataFrame, colours: Colours) -> Chart:
    """Return bars to the right for gains and to the left for losses, the words beside them.

    ``rows``: label, value (tenge), text (with its sign), tip; in their order.
    """
    order = rows["label"].to_list()
    if max(rows["value"]) <= 0:  # nobody gains: the bars begin beside the words all the same
        rows = rows.with_columns(length=-pl.col("value"), is_gain=False)
    else:
        rows = rows.with_columns(length=pl.col("value"), is_gain=pl.col("value") > 0)
    low, high = min(0, *rows["length"]), max(rows["length"])
    room = (high - low) * 0.5  # for the words, on a narrow screen too
    base = alt.Chart(rows).encode(
        y=alt.Y(
            "label:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelColor=colours["ink"], labelLimit=190, labelPadding=8),
        ),
        x=alt.X(
            "length:Q",
            axis=None,
            scale=alt.Scale(domain=[low - (room if low else 0), high + room], nice=False),
        ),
        tooltip=alt.Tooltip("tip:N", title=" "),
    )
    bars = base.mark_bar(height={"band": 0.55}).encode(
        color=alt.condition(
            alt.datum.is_gain, alt.value(colours["accent"]), alt.value(colours["soft"])
        )
    )
    texts = [
        base.transform_filter(alt.datum.length > 0)
        .mark_text(align="left", dx=6)
        .encode(text="text:N"),
        base.transform_filter(alt.datum.length <= 0)
        .mark_text(align="right", dx=-6)
        .encode(text="text:N"),
    ]
    return alt.layer(bars, *texts).properties(width="container", height=28 * rows.height)


def _labels(words: Mapping[Any, str]) -> str:
    """Return the expression that says the words of an axis in place of its numbers."""
    told = {f"{value:g}": text for value, text in words.items()}
    return f"({json.dumps(told, ensure_ascii=False)})[toString(datum.value)] || ''"
