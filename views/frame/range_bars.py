"""A rank's interval as a small bar in a cell of a table: where it may lie among all ranks."""

from urllib.parse import quote

from views.frame.charts import Colours
from views.frame.score_bars import HEIGHT, WIDTH


def range_bar(row: dict[str, int | None], edges: list[int], colours: Colours) -> str | None:
    """Return a picture (data URI): a soft bar from ``rank_low`` to ``rank_high``, a dot at the
    rank, and a tick at each of the ``edges`` (last ranks of leagues); None without an interval.
    """
    low, high, rank, of = (row[name] for name in ("rank_low", "rank_high", "rank", "ranked_of"))
    if low is None or high is None or rank is None or of is None:
        return None
    left, right = _at(low - 0.5, of), _at(high + 0.5, of)
    ticks = "".join(
        f'<rect x="{_at(edge + 0.5, of):.1f}" y="3" width="1" height="18"'
        f' fill="{colours["grey"]}"/>'
        for edge in edges
        if edge < of
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect x="0" y="12" width="{WIDTH}" height="1" fill="{colours["line"]}"/>{ticks}'
        f'<rect x="{left:.1f}" y="8" width="{max(right - left, 2):.1f}" height="8" rx="2"'
        f' fill="{colours["soft"]}"/>'
        f'<circle cx="{_at(rank, of):.1f}" cy="12" r="3.5" fill="{colours["accent"]}"/></svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"


def _at(rank: float, of: int) -> float:
    """Where a rank stands, in pixels from the left, with room for a dot at either end."""
    room = 4
    return room + (WIDTH - 2 * room) * (rank - 0.5) / of
