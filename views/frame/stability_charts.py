"""The chart of the page Stability: a dot and its range per row, drawn by the one grammar of
``charts``. Name and value stand above what they name: on a phone no axis has room for them.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt
import polars as pl

from views.frame.charts import Chart, Colours

_WRAP = 48
_LINE = 17
_BELOW = 26
"""Pixels for the bar of a row, under its name and its text."""


@dataclass(frozen=True)
class Span:
    """A value in its range, all 0..1 of the chart's width, and another value beside it."""

    label: str
    text: str
    value: float
    low: float
    high: float
    other: float | None = None


def spans(rows: Sequence[Span], lines: Sequence[tuple[float, str]], colours: Colours) -> Chart:
    """Return a row per span: soft bar behind a dot, the other value as a diamond.

    ``lines``: the values that have a line, and their words.
    """
    wrapped = [textwrap.wrap(row.label, _WRAP) or [""] for row in rows]
    most = max(map(len, wrapped), default=1)
    labels = ["\n".join([*[" "] * (most - len(name)), *name]) for name in wrapped]
    step = _LINE * (most + 1) + _BELOW + 10
    frame = pl.DataFrame(
        [
            {**asdict(row), "row": number, "label": labels[number]}
            for number, row in enumerate(rows)
        ],
        schema_overrides=dict.fromkeys(("value", "low", "high", "other"), pl.Float64),
        infer_schema_length=None,
    )
    told = {f"{value:.4f}": words for value, words in lines}
    axis = alt.Axis(
        title=None,
        values=[value for value, _ in lines],
        labelExpr=f"({told})[format(datum.value, '.4f')]",
        labelFlush=True,
    )
    y = alt.Y("row:O", axis=None)
    tip = alt.Tooltip("text:N", title=" ")
    base = alt.Chart(frame).encode(y=y, tooltip=tip)
    marks: dict[str, Any] = {"yOffset": step / 2 - _BELOW / 2 - 2}

    def x(name: str) -> Any:
        return alt.X(f"{name}:Q", scale=alt.Scale(domain=[0, 1]), axis=axis)

    def words(column: str, line: int, colour: str) -> Any:
        return base.mark_text(
            align="left",
            baseline="top",
            lineBreak="\n",
            lineHeight=_LINE,
            color=colour,
            dy=4 - step / 2 + line * _LINE,
        ).encode(x=alt.value(0), text=f"{column}:N")

    layers = [
        base.mark_bar(
            height=10, color=colours["accent"], opacity=0.28, cornerRadius=5, **marks
        ).encode(x=x("low"), x2="high:Q"),
        alt.Chart(frame.drop_nulls("other"))
        .mark_point(
            shape="diamond",
            size=100,
            filled=True,
            fill=colours["surface"],
            stroke=colours["ink"],
            strokeWidth=1.5,
            opacity=1,
            **marks,
        )
        .encode(x=x("other"), y=y, tooltip=tip),
        base.mark_point(
            size=120,
            filled=True,
            fill=colours["accent"],
            stroke=colours["surface"],
            strokeWidth=1,
            opacity=1,
            **marks,
        ).encode(x=x("value")),
        words("label", 0, colours["ink"]),
        words("text", most, colours["grey"]),
    ]
    return alt.layer(*layers).properties(width="container", height={"step": step})
