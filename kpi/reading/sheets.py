"""Workbooks (XLSX) as tables of text: each sheet that holds something, from its header on.

Macros are never run and formulas never computed: a cell has the value that was stored with it. A
cell of an error, such as a division by zero, is empty.
"""

import hashlib
from collections.abc import Iterator
from functools import partial

import polars as pl

from kpi.reading.archive import opened
from kpi.reading.header import ROWS_SEARCHED, cleaned, find_header
from kpi.reading.table import InputFile, Knows, TextTable, column, refuse

_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"


def open_workbook(file: InputFile, knows: Knows) -> tuple[str, list[TextTable]]:
    """Return a workbook's SHA-256 and the tables of its sheets.

    Raises DataError for a workbook that is damaged, locked, or too large unpacked.
    """
    import fastexcel

    with file.path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    with opened(file) as archive:
        names = archive.namelist()
    if not any(name.startswith("xl/") for name in names):
        raise refuse(
            file,
            "The file is neither text nor a workbook nor Parquet.",
            expected="CSV, XLSX, Parquet or ZIP",
            do="Save it as XLSX or CSV.",
        )
    try:
        workbook = fastexcel.read_excel(file.path)
        sheets = list(workbook.sheet_names)
        frames = {
            name: workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            for name in sheets
        }
    except fastexcel.FastExcelError as error:
        raise refuse(
            file,
            "The workbook is damaged.",
            found=str(error).splitlines()[0],
            do="Open it in a spreadsheet program, and save it again.",
        ) from error
    several = len(frames) > 1
    tables = [
        _table(file, name if several else "", sheet.to_polars(), knows)
        for name, sheet in frames.items()
        if sheet.height
    ]
    return digest, tables


def _table(file: InputFile, sheet: str, rows: pl.DataFrame, knows: Knows) -> TextTable:
    first = [[cleaned(cell) for cell in row] for row in rows.head(ROWS_SEARCHED).iter_rows()]
    at, _ = find_header(first, knows)
    header = [_heading(first[: at + 1], place) for place in range(rows.width)]
    while header and not header[-1]:
        header.pop()
    form = {"format": "XLSX"} | ({"sheet": sheet} if sheet else {})
    batches = partial(_batches, rows, at, len(header))
    return TextTable(file, header, at + 1, batches, form, sheet=rows)


def _heading(rows: list[list[str]], place: int) -> str:
    """Return what heads a column: the cell of the header's row, or where that is empty the nearest
    above it, which may be merged with it.
    """
    return next((row[place] for row in reversed(rows) if row[place]), "")


def _batches(rows: pl.DataFrame, header: int, width: int) -> Iterator[pl.DataFrame]:
    """Yield the rows below the header that are not empty; cells right of it are left out.

    A day is written as a day: cells of dates come with a time.
    """
    cells = [
        pl.col(name).str.replace(_MIDNIGHT, "$1").replace("", None).alias(column(place))
        for place, name in enumerate(rows.columns[:width])
    ]
    numbered = rows.select(cells).with_row_index("record", offset=1).slice(header + 1)
    filled = numbered.filter(pl.any_horizontal(pl.exclude("record").is_not_null()))
    yield filled.with_columns(pl.col("record").cast(pl.Int64), fields=pl.lit(None, pl.Int64))
