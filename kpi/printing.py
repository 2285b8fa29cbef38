"""How tables stand on the command line: plain text, numbers to the right."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kpi.errors import CallError

FORMATS = ("table", "csv", "json")
"""How a list is printed: laid out for people, or its rows for programs."""


def require_format(form: str) -> None:
    """Raise CallError for a format that there is not."""
    if form not in FORMATS:
        raise CallError(
            "There is no such format.", where="--format", found=form, expected="table, csv or json"
        )


def fill(table: Table, *cells: str) -> None:
    """Add a row of plain text: names come from the input and are never markup."""
    table.add_row(*(Text(cell) for cell in cells))


def new_table(*columns: str) -> Table:
    """Return an empty table; a column whose name ends in ``>`` is right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        right = column.endswith(">")
        table.add_column(
            column.rstrip(">"),
            justify="right" if right else "left",
            no_wrap=right,
            overflow="fold",
        )
    return table


def new_console() -> Console:
    """Return a console: as wide as the terminal, 120 columns elsewhere."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=120)
