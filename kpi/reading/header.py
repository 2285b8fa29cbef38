"""Which row of a table is its header: the first that has most names which a layout knows."""

from collections.abc import Sequence

from kpi.reading.table import Knows

ROWS_SEARCHED = 20


def find_header(rows: Sequence[Sequence[str]], knows: Knows) -> tuple[int, int]:
    """Return the place of the header among the first rows, and how many names in it are known.

    Where none knows anything, the header is the first row that is not empty.
    """
    known = [knows(row) for row in rows[:ROWS_SEARCHED]]
    if any(known):
        most = max(known)
        return known.index(most), most
    filled = (place for place, row in enumerate(rows) if any(cell for cell in row))
    return next(filled, 0), 0


def cleaned(cell: object) -> str:
    """Return the text of a header's cell in one line, without what protects it in spreadsheets."""
    text = "" if cell is None else str(cell)
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return " ".join(text.replace("\ufeff", "").split())
