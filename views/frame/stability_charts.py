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

_WRAP = 44
"""The characters that a phone shows in one line."""

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
    labels, named = _wrapped([row.label for row in rows], above=True)
    texts, told_in = _wrapped([row.text for row in rows], above=False)
    step = _LINE * (named + told_in) + _BELOW + 10
    frame = pl.DataFrame(
        [
            {**asdict(row), "row": number, "label": labels[number], "told": texts[number]}
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
        words("told", named, colours["grey"]),
    ]
    return alt.layer(*layers).properties(width="container", height={"step": step})


def _wrapped(texts: Sequence[str], *, above: bool) -> tuple[list[str], int]:
    """Return texts broken into lines, all with as many as the longest, and how many those are;
    ``above``: a short one ends where the others end, else it begins where they begin.
    """
    broken = [textwrap.wrap(text, _WRAP) or [""] for text in texts]
    most = max(map(len, broken), default=1)
    if not above:
        return ["\n".join(lines) for lines in broken], most
    return ["\n".join([*[" "] * (most - len(lines)), *lines]) for lines in broken], most
