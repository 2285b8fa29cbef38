"""What tells a marked-up workbook (kpi/workbooks.py), so that it is read as what it was made from:
a sheet of notes, which is no table, and a column of messages, which is none of a table's own.
"""

from collections.abc import Sequence

NOTES = "kpi check: notes"
"""Stands in the first cell of the sheet of notes."""

MESSAGES = "kpi check: ескерту / замечание / finding"
"""Heads the column of messages."""


SLIPPED = "[!] "
"""Begins the message of a row whose cells may stand in wrong columns: what is read in again cannot
tell by itself, so the row is wrong until somebody has emptied its message.
"""


def is_notes(header: Sequence[str]) -> bool:
    """Whether a sheet is one of notes."""
    return header[:1] == [NOTES]


def own_columns(header: Sequence[str]) -> list[int]:
    """Return the places of the columns that are the table's own."""
    return [place for place, cell in enumerate(header) if cell != MESSAGES]
