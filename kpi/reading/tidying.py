"""What is done to the rows of every format: what is no row, and what only dresses a cell."""

from collections.abc import Sequence

import polars as pl

from kpi.reading.table import HEADER_AGAIN, column

PROTECTED = '="'
"""How a spreadsheet is told to keep a number as text: ``="060101500001"``."""


_MARK = "\ufeff"


def tidied(rows: pl.DataFrame, header: Sequence[str]) -> pl.DataFrame:
    """Return the rows of a batch without those that hold nothing, cells without what protects them
    in spreadsheets, and rows that repeat the header marked.

    A row of nothing but delimiters is what a spreadsheet writes below its last row.
    """
    names = [column(place) for place in range(len(header))]
    if not names:
        return rows
    if rows[names[0]].str.starts_with(_MARK).any():  # files that were joined each had one
        rows = rows.with_columns(pl.col(names[0]).str.strip_prefix(_MARK).replace("", None))
    is_empty = pl.col("fields").is_null() & pl.all_horizontal(pl.col(names).is_null())
    if rows[names[0]].null_count():
        rows = rows.filter(~is_empty)
    return _marked_headers(_unprotected(rows, names), names, header)


def _unprotected(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    return rows.with_columns(
        pl.when(pl.col(name).str.starts_with(PROTECTED) & pl.col(name).str.ends_with('"'))
        .then(pl.col(name).str.slice(2).str.head(-1).replace("", None))
        .otherwise(pl.col(name))
        .alias(name)
        for name in names
        if rows[name].str.starts_with(PROTECTED).any()
    )


def _marked_headers(rows: pl.DataFrame, names: list[str], header: Sequence[str]) -> pl.DataFrame:
    suspects = rows.filter(pl.col(names[0]).eq_missing(pl.lit(header[0] or None)))
    if suspects.is_empty():
        return rows
    again = pl.all_horizontal(
        pl.col(name).eq_missing(pl.lit(cell or None))
        for name, cell in zip(names, header, strict=True)
    )
    return rows.with_columns(
        fields=pl.when(again).then(pl.lit(HEADER_AGAIN, pl.Int64)).otherwise(pl.col("fields"))
    )
