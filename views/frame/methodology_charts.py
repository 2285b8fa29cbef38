"""The chart of the page Methodology: what weighs how much in the score."""

import textwrap

import altair as alt
import polars as pl

from kpi.definitions import Node
from views.frame.charts import Chart, Colours

_LETTERS = 46
"""Letters in a line over a bar: as many as a phone shows."""


def weights(tree: list[Node], colours: Colours, texts: list[str]) -> Chart:
    """Return the tree of weights: a bar a group or KPI under its text, further right the deeper.

    ``texts`` is what stands over each bar, in the order of the tree. KPIs are bars in the accent
    colour, groups in grey.
    """
    heaviest = max(float(node.weight) for node in tree)
    rows = pl.DataFrame(
        {
            "place": list(range(len(tree))),
            "start": [0.035 * node.depth * heaviest for node in tree],
            "end": [(0.035 * node.depth) * heaviest + float(node.weight) * 0.9 for node in tree],
            "text": ["\n".join(textwrap.wrap(text, _LETTERS)) for text in texts],
            "lines": [len(textwrap.wrap(text, _LETTERS)) for text in texts],
            "tip": texts,
            "is_kpi": [node.is_kpi for node in tree],
        }
    )
    base = alt.Chart(rows).encode(
        y=alt.Y("place:O", axis=None),
        x=alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, heaviest])),
        tooltip=alt.Tooltip("tip:N", title=" "),
    )
    bar = base.mark_bar(height=8, cornerRadiusEnd=2, yOffset=18).encode(
        x2="end:Q",
        color=alt.when("datum.is_kpi")
        .then(alt.value(colours["accent"]))
        .otherwise(alt.value(colours["soft"])),
    )
    over = base.encode(text="text:N")
    told = [
        over.transform_filter(f"datum.lines {which} 1").mark_text(
            align="left", baseline="top", dy=dy, lineBreak="\n"
        )
        for which, dy in (("==", -3), (">", -19))
    ]
    return alt.layer(bar, *told).properties(width="container", height={"step": 50})
