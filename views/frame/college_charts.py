"""The charts of the page College, drawn by the one grammar of ``charts``.

Names stand above what they name and not on an axis: on a phone and in Kazakh they are longer than
the chart has room for. Rows come in their order; every text is ready in the reader's language.
"""

import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

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
        schema_overrides=dict.fromkeys(("value", "low", "high", "gate", "region"), pl.Float64),
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
    marks: dict[str, Any] = {"yOffset": below}

    def x(name: str) -> Any:
        return alt.X(f"{name}:Q", scale=scale, axis=axis)

    def where(column: str) -> Any:
        return alt.Chart(frame.drop_nulls(column)).encode(y=y)

    layers = [
        alt.Chart(peers)
        .mark_tick(thickness=1, size=18, color=colours["soft"], opacity=0.75, **marks)
        .encode(x=x("value"), y=y, tooltip=tip),
        where("low")
        .mark_bar(height=10, color=colours["accent"], opacity=0.28, cornerRadius=5, **marks)
        .encode(x=x("low"), x2="high:Q", tooltip=tip),
        where("gate")
        .mark_tick(thickness=4, size=34, color=colours["gate"], **marks)
        .encode(x=x("gate"), tooltip=alt.Tooltip("gate_tip:N", title=" ")),
        where("region")
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
        where("value")
        .mark_point(
            size=150,
            filled=True,
            fill=colours["accent"],
            stroke=colours["surface"],
            strokeWidth=1,
            opacity=1,
            **marks,
        )
        .encode(x=x("value"), tooltip=tip),
        *_ends(frame, y, below, x, colours),
        _names(where("row"), step, colours),
    ]
    return alt.layer(*layers).properties(width="container", height={"step": step})


def _ends(frame: pl.DataFrame, y: alt.Y, below: float, x: Any, colours: Colours) -> Iterable[Any]:
    """Yield the texts of the values above their dots, kept inside the chart; without a value the
    text stands at the left.
    """
    sides: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")
    for side in sides:
        yield (
            alt.Chart(frame.filter(pl.col("place") == side))
            .mark_text(align=side, fontWeight="bold", color=colours["ink"], dy=below - 26)
            .encode(x=x("value"), y=y, text="text:N")
        )
    yield (
        alt.Chart(frame.filter(pl.col("place") == "none"))
        .mark_text(align="left", color=colours["grey"], dy=below)
        .encode(x=alt.value(0), y=y, text="text:N")
    )


def _place(value: float | None) -> str:
    """Return to which side of its dot a text runs."""
    if value is None:
        return "none"
    return "left" if value < 0.2 else "right" if value > 0.8 else "center"


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
    step = _LINE * lines + 38
    below = step / 2 - 23
    scale = alt.Scale(domain=[0, top * 1.02])
    y = alt.Y("row:O", axis=None)
    end, start = pl.col("end"), pl.col("start")
    is_near = end <= 0.68 * top  # there is room for the text behind it
    is_wide = end - start > 0.4 * top  # or within it; or else before it

    def where(rows: pl.Expr) -> Any:
        return alt.Chart(frame.filter(rows)).encode(y=y, tooltip=alt.Tooltip("tip:N", title=" "))

    def x(name: str) -> Any:
        return alt.X(f"{name}:Q", scale=scale, axis=None)

    layers = [
        where(end.is_not_null())
        .mark_bar(height=18, color=colours["accent"], cornerRadiusEnd=2, yOffset=below)
        .encode(x=x("start"), x2="end:Q"),
        where(is_near).mark_text(align="left", dx=6, dy=below).encode(x=x("end"), text="text:N"),
        where(~is_near & is_wide)
        .mark_text(align="right", dx=-6, dy=below, color=colours["surface"])
        .encode(x=x("end"), text="text:N"),
        where(~is_near & ~is_wide)
        .mark_text(align="right", dx=-6, dy=below)
        .encode(x=x("start"), text="text:N"),
        where(end.is_null())
        .mark_text(align="left", dy=below, color=colours["grey"])
        .encode(x=alt.value(0), text="text:N"),
        _names(where(pl.lit(True)), step, colours),
    ]
    return alt.layer(*layers).properties(width="container", height={"step": step})


@dataclass(frozen=True)
class Dot:
    """One college of a funnel: its graduates, observed less expected share (-1..1), what it is."""

    graduates: int
    difference: float
    kind: Literal["subject", "peer", "other"]
    tip: str


def funnel_chart(
    dots: Sequence[Dot],
    limits: Sequence[Mapping[str, float]],
    colours: Colours,
    *,
    across: Callable[[int], str],
    up: Callable[[float], str],
    graduates: str,
) -> Chart:
    """Return a dot per college, by graduates (logarithmic) and difference, over soft bands of what
    chance alone could do.

    ``limits``: ``kpi.profile.funnel``. ``across`` and ``up`` say the values of the axes,
    ``graduates`` the words of the one across. The subject is the accent dot, peers are rings.
    """
    frame = pl.DataFrame([asdict(dot) for dot in dots])
    curves = pl.DataFrame(
        [
            {"graduates": one["graduates"], "limit": limit, "low": -one[limit], "high": one[limit]}
            for one in limits
            for limit in ("99.8", "95")
        ]
    )
    own = next(dot.graduates for dot in dots if dot.kind == "subject")
    at_own = min(limits, key=lambda one: abs(one["graduates"] - own))
    most = max(*(abs(dot.difference) for dot in dots), at_own["99.8"], 0.05) * 1.15
    sizes = [one["graduates"] for one in limits]
    ticks = [n for n in _SIZES if min(sizes) <= n <= max(sizes)]
    steps = [step / 100 for step in range(-100, 101, 20 if most > 0.25 else 5)]
    x = alt.X(
        "graduates:Q",
        title=graduates,
        scale=alt.Scale(type="log", domain=[min(sizes) * 0.9, max(sizes) * 1.15], nice=False),
        axis=alt.Axis(values=ticks, labelExpr=_said(ticks, across), grid=False),
    )
    shown = [step for step in steps if abs(step) <= most]
    height = alt.Scale(domain=[-most, most], nice=False)
    y = alt.Y(
        "difference:Q",
        title=None,
        scale=height,
        axis=alt.Axis(values=shown, labelExpr=_said(shown, up)),
    )
    bands = [
        alt.Chart(curves.filter(pl.col("limit") == limit))
        .mark_area(clip=True, color=colours["accent"], opacity=opacity)
        .encode(x=x, y=alt.Y("low:Q", scale=height), y2="high:Q")
        for limit, opacity in (("99.8", 0.12), ("95", 0.16))
    ]
    zero = alt.Chart(pl.DataFrame({"difference": [0.0]})).mark_rule(color=colours["grey"])
    base = {
        kind: alt.Chart(frame.filter(pl.col("kind") == kind)).encode(
            x=x, y=y, tooltip=alt.Tooltip("tip:N", title=" ")
        )
        for kind in ("other", "peer", "subject")
    }
    return alt.layer(
        *bands,
        zero.encode(y=y),
        base["other"].mark_point(filled=True, size=22, color=colours["soft"], opacity=0.55),
        base["peer"].mark_point(size=60, stroke=colours["ink"], strokeWidth=1.5, opacity=1),
        base["subject"].mark_point(
            size=170,
            filled=True,
            fill=colours["accent"],
            stroke=colours["surface"],
            strokeWidth=1.5,
            opacity=1,
        ),
    ).properties(width="container", height=320)


_SIZES = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def _said(values: Sequence[Any], say: Callable[[Any], str]) -> str:
    """Return the expression that says the words of an axis in place of its numbers."""
    told = {f"{value:g}": say(value) for value in values}
    return f"({json.dumps(told, ensure_ascii=False)})[toString(datum.value)] || ''"


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
