"""A score as a small stacked bar in a cell of a table: its parts from left to right."""

from urllib.parse import quote

from views.frame.charts import Colours
from views.frame.tile_map import mixed

WIDTH, HEIGHT = 160, 24
"""In pixels; the table draws a picture as high as its row."""


def stacked_bar(parts: list[float], top: float, colours: Colours) -> str:
    """Return a picture (data URI) of the parts, to the scale of ``top`` at the full width.

    The parts differ by their order and by gaps; their shade only repeats that.
    """
    faint = mixed(colours["line"], colours["accent"], 0.5)
    shades = (colours["accent"], faint, colours["grey"], colours["soft"])
    drawn, left = [], 0.0
    for number, part in enumerate(parts):
        width = WIDTH * max(part, 0) / top
        drawn.append(
            f'<rect x="{left:.1f}" y="6" width="{max(width - 1, 0):.1f}" height="12"'
            f' fill="{shades[number % len(shades)]}"/>'
        )
        left += width
    line = f'<rect x="0" y="20" width="{WIDTH}" height="1" fill="{colours["line"]}"/>'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}">{line}{"".join(drawn)}</svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"
