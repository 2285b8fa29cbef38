"""What is done to the rows of every format: what is no row, and what only dresses a cell."""

from collections.abc import Mapping, Sequence

import polars as pl

from kpi.reading.table import HEADER_AGAIN, column

PROTECTED = '="'
"""How a spreadsheet is told to keep a number as text: ``="060101500001"``."""


_MARK = "\ufeff"


def tidied(
    rows: pl.DataFrame, header: Sequence[str], *, keeps_protection: bool = False
) -> pl.DataFrame:
    """Return the rows of a batch without those that hold nothing, cells without what protects them
    in spreadsheets (unless it is kept), and rows that repeat the header marked.

    A row of nothing but delimiters is what a spreadsheet writes below its last row. ``rows`` may
    have but some columns of the header: then none is taken for empty.
    """
    names = {column(n): name for n, name in enumerate(header) if column(n) in rows.columns}
    if not names:
        return rows
    [first, *_] = names
    if rows[first].str.starts_with(_MARK).any():  # files that were joined each had one
        rows = rows.with_columns(pl.col(first).str.strip_prefix(_MARK).replace("", None))
    if len(names) == len(header) and rows[first].null_count():
        has_cell = pl.any_horizontal(pl.col(list(names)).is_not_null())
        rows = rows.filter(pl.col("fields").is_not_null() | has_cell)
    rows = _marked_headers(rows, names)
    if keeps_protection:
        return rows
    return rows.with_columns(
        unprotected(pl.col(name)) for name in names if rows[name].str.starts_with(PROTECTED).any()
    )


def unprotected(cell: pl.Expr) -> pl.Expr:
    """Return cells without what protects numbers in spreadsheets, null where nothing is left."""
    is_protected = cell.str.starts_with(PROTECTED) & cell.str.ends_with('"')
    inside = cell.str.strip_prefix(PROTECTED).str.strip_suffix('"')
    bare = pl.when(is_protected & (cell != PROTECTED)).then(inside).otherwise(cell)
    return pl.when(bare != "").then(bare)


def _marked_headers(rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Mark the rows that repeat the header; ``names``: what the file calls each column."""
    first, text = next(iter(names.items()))
    cells = rows[first]
    if not ((cells == text).any() or (cells == f'{PROTECTED}{text}"').any()):
        return rows
    again = pl.all_horizontal(
        unprotected(pl.col(name)).eq_missing(pl.lit(text or None)) for name, text in names.items()
    )
    return rows.with_columns(
        fields=pl.when(again).then(pl.lit(HEADER_AGAIN, pl.Int64)).otherwise(pl.col("fields"))
    )
