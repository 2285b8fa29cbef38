"""Layouts: how a table of text becomes rows of a table of the data contract (DESIGN §4).

A layout knows its files by their content, not by their names alone. ``recognise`` asks each in
turn; a new layout is one module with ``knows`` and ``rows_of``.
"""

from collections.abc import Sequence
from typing import Protocol

from kpi.layouts import assessment, contingent, plain
from kpi.layouts.rows import Given, RegisterNeeded, TableRows
from kpi.reading.table import TextTable

__all__ = ["Given", "RegisterNeeded", "TableRows", "knows", "recognise"]


class Layout(Protocol):
    """A module of this package."""

    def knows(self, cells: Sequence[str]) -> int:
        """Count how many of some texts are names of its columns."""

    def rows_of(self, table: TextTable, given: Given) -> TableRows | None:
        """Return the rows of a table in this layout; None for one that is not."""


LAYOUTS: tuple[Layout, ...] = (assessment, contingent, plain)
"""In the order in which they are asked: ``plain`` goes by names too, so it comes last."""


def knows(cells: Sequence[str]) -> int:
    """Count how many of some texts are names of columns, under the layout that knows most."""
    return max(layout.knows(cells) for layout in LAYOUTS)


def recognise(table: TextTable, given: Given) -> TableRows | None:
    """Return the rows of a table of the contract that a table of text holds; None where it is in no
    layout. Raises DataError where its layout is clear and columns of it are missing, RegisterNeeded
    where the colleges must be read first.
    """
    for layout in LAYOUTS:
        if rows := layout.rows_of(table, given):
            return rows
    return None
