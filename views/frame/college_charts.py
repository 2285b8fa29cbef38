"""The charts of the page College, drawn by the one grammar of ``charts``.

Names stand above what they name and not on an axis: on a phone and in Kazakh they are longer than
the chart has room for. Rows come in their order; every text is ready in the reader's language.
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt
import polars as pl

from views.frame.charts import Chart, Colours

_WRAP = 44
"""The characters of a name that a phone shows in one line."""

_LINE = 17
"""The height of a line of a name, in pixels."""


@dataclass(frozen=True)
class Strip:
    """One share beside what it is compared with, all 0..1: ``tip`` and the like are shown on
    pointing; ``peers`` are value and tip of each.
    """

    label: str
    value: float | None
    text: str
    tip: str
    low: float | None = None
    high: float | None = None
    gate: float | None = None
    gate_tip: str = ""
    region: float | None = None
    region_tip: str = ""
    peers: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Bar:
    """One bar from ``start`` to ``end``, its text at the end; without ``end`` the text alone."""

    label: str
    start: float
    end: float | None
    text: str
    tip: str


def strips(rows: Sequence[Strip], percents: Sequence[tuple[float, str]], colours: Colours) -> Chart:
    """Return a row per share: dot and soft bar, gate as thick tick, region as diamond, the peers as
    thin ticks. ``percents``: the values that have a line, and their words.
    """
    labels, lines = _wrapped([row.label for row in rows])
    frame = pl.DataFrame(
        [
            {
                **{name: one for name, one in asdict(row).items() if name != "peers"},
                "row": number,
                "label": labels[number],
                "place": _place(row.value),
            }
            for number, row in enumerate(rows)
        ],
        infer_schema_length=None,
    )
    peers = pl.DataFrame(
        [
            {"row": number, "value": value, "tip": tip}
            for number, row in enumerate(rows)
            for value, tip in row.peers
        ],
        schema={"row": pl.Int64, "value": pl.Float64, "tip": pl.String},
    )
    y = alt.Y("row:O", axis=None)
    step = _LINE * lines + 82
    below = (step - 44) / 2 - 8
    scale = alt.Scale(domain=[0, 1])
    told = {f"{value:g}": words for value, words in percents}
    axis = alt.Axis(
        title=None,
        values=[value for value, _ in percents],
        labelExpr=f"({told})[format(datum.value, '~g')]",
        labelFlush=True,
    )
    tip = alt.Tooltip("tip:N", title=" ")
    base = alt.Chart(frame).encode(y=y)
    marks: dict[str, Any] = {"yOffset": below}

    def x(name: str) -> Any:
        return alt.X(f"{name}:Q", scale=scale, axis=axis)

    value = base.transform_filter("isValid(datum.value)")
    layers = [
        alt.Chart(peers)
        .mark_tick(thickness=1, size=18, color=colours["soft"], opacity=0.75, **marks)
        .encode(x=x("value"), y=y, tooltip=tip),
        base.transform_filter("isValid(datum.low)")
        .mark_bar(height=10, color=colours["accent"], opacity=0.28, cornerRadius=5, **marks)
        .encode(x=x("low"), x2="high:Q", tooltip=tip),
        base.transform_filter("isValid(datum.gate)")
        .mark_tick(thickness=4, size=34, color=colours["gate"], **marks)
        .encode(x=x("gate"), tooltip=alt.Tooltip("gate_tip:N", title=" ")),
        base.transform_filter("isValid(datum.region)")
        .mark_point(
            shape="diamond",
            size=110,
            filled=True,
            fill=colours["surface"],
            stroke=colours["ink"],
            strokeWidth=1.5,
            opacity=1,
            **marks,
        )
        .encode(x=x("region"), tooltip=alt.Tooltip("region_tip:N", title=" ")),
        value.mark_point(
            size=150,
            filled=True,
            fill=colours["accent"],
            stroke=colours["surface"],
            strokeWidth=1,
            opacity=1,
            **marks,
        ).encode(x=x("value"), tooltip=tip),
        *_ends(base, below, x, colours),
        _names(base, step, colours),
    ]
    return alt.layer(*layers).properties(width="container", height={"step": step})


def _ends(base: Any, below: float, x: Any, colours: Colours) -> Iterable[Any]:
    """Yield the texts of the values above their dots, kept inside the chart; without a value the
    text stands at the left.
    """
    for place, align in (("left", "left"), ("middle", "center"), ("right", "right")):
        yield (
            base.transform_filter(f"datum.place === '{place}'")
            .mark_text(align=align, fontWeight="bold", color=colours["ink"], dy=below - 26)
            .encode(x=x("value"), text="text:N")
        )
    yield (
        base.transform_filter("datum.place === 'none'")
        .mark_text(align="left", color=colours["grey"], dy=below)
        .encode(x=alt.value(0), text="text:N")
    )


def _place(value: float | None) -> str:
    """Return to which side of its dot a text runs."""
    if value is None:
        return "none"
    return "left" if value < 0.2 else "right" if value > 0.8 else "middle"


def bars(rows: Sequence[Bar], top: float, colours: Colours) -> Chart:
    """Return a bar per row under its name, the text at its end; ``top`` is the whole width."""
    labels, lines = _wrapped([row.label for row in rows])
    frame = pl.DataFrame(
        [
            {**asdict(row), "row": number, "label": labels[number]}
            for number, row in enumerate(rows)
        ],
        infer_schema_length=None,
    ).with_columns(pl.col("start", "end").cast(pl.Float64))
    base = alt.Chart(frame).encode(
        y=alt.Y("row:O", axis=None), tooltip=alt.Tooltip("tip:N", title=" ")
    )
    step = _LINE * lines + 38
    below = step / 2 - 23
    scale = alt.Scale(domain=[0, top * 1.02])

    def x(name: str) -> Any:
        return alt.X(f"{name}:Q", scale=scale, axis=None)

    drawn = base.transform_filter("isValid(datum.end)")
    near = base.transform_filter(f"isValid(datum.end) && datum.end <= {0.68 * top}")
    far = base.transform_filter(f"isValid(datum.end) && datum.end > {0.68 * top}")
    wide = far.transform_filter(f"datum.end - datum.start > {0.4 * top}")
    narrow = far.transform_filter(f"datum.end - datum.start <= {0.4 * top}")
    layers = [
        drawn.mark_bar(height=18, color=colours["accent"], cornerRadiusEnd=2, yOffset=below).encode(
            x=x("start"), x2="end:Q"
        ),
        near.mark_text(align="left", dx=6, dy=below).encode(x=x("end"), text="text:N"),
        wide.mark_text(align="right", dx=-6, dy=below, color=colours["surface"]).encode(
            x=x("end"), text="text:N"
        ),
        narrow.mark_text(align="right", dx=-6, dy=below).encode(x=x("start"), text="text:N"),
        base.transform_filter("!isValid(datum.end)")
        .mark_text(align="left", dy=below, color=colours["grey"])
        .encode(x=alt.value(0), text="text:N"),
        _names(base, step, colours),
    ]
    return alt.layer(*layers).properties(width="container", height={"step": step})


def _names(base: Any, step: float, colours: Colours) -> Any:
    """Return the names of the rows at their top left, above what they name."""
    return base.mark_text(
        align="left",
        baseline="top",
        lineBreak="\n",
        lineHeight=_LINE,
        color=colours["ink"],
        dy=2 - step / 2,
    ).encode(x=alt.value(0), text="label:N")


def _wrapped(labels: Sequence[str]) -> tuple[list[str], int]:
    """Return names broken into lines, all with as many lines as the longest: the last lines stand
    at one distance from what they name.
    """
    broken = [textwrap.wrap(label, _WRAP) or [""] for label in labels]
    most = max(map(len, broken), default=1)
    return ["\n".join([*[" "] * (most - len(lines)), *lines]) for lines in broken], most
