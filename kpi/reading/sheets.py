"""Workbooks (XLSX) as tables of text: each sheet that holds something, from its header on.

Macros are never run and formulas never computed: a cell has the value that was stored with it. A
cell of an error, such as a division by zero, is empty. A hidden sheet is read as any other.
"""

import hashlib
import re
import zipfile
from collections.abc import Iterator

import polars as pl

from kpi.errors import phrase
from kpi.reading.archive import opened
from kpi.reading.header import ROWS_SEARCHED, cleaned, find_header
from kpi.reading.marked import MESSAGES, SLIPPED, own_columns
from kpi.reading.table import (
    BATCH_ROWS,
    SLIPPED_ROW,
    InputFile,
    Knows,
    TextTable,
    column,
    first_line,
    refuse,
)
from kpi.reading.tidying import tidied

MOST_CELLS = 40_000_000
"""Cells between the first and the last of a sheet: the reader keeps a place for each in memory."""

_FAR = re.compile(rb"""r=["']([A-Z]{2,3})[0-9]{1,7}["'][^>/]*>""")
"""A cell beyond column Z that holds something; a sheet within Z has 27 million places at most."""
_PLACE = re.compile(rb"""r=["'][A-Z]{1,3}([0-9]{1,7})["'][^>/]*>""")
_LONGEST_CELL = 200  # bytes of a cell's tag
_NEVER_COMPUTED = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>|<f[^>]*/>\s*</c>")
_CHUNK = 1 << 20
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
        lacks_values = True in {_lacks_values(file, archive, name) for name in names}
    try:
        workbook = fastexcel.read_excel(file.path)
        sheets = [
            workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            for name in workbook.sheet_names
        ]
    except (fastexcel.FastExcelError, pl.exceptions.PanicException) as error:
        raise refuse(
            file,
            "The workbook is damaged.",
            found=first_line(error),
            do="Open it in a spreadsheet program, and save it again.",
        ) from error
    form = {"format": "XLSX"}
    if lacks_values:
        form["formulas"] = "some without a value"
    tables = []
    for sheet in sheets:
        own = form | ({"sheet": sheet.name} if len(sheets) > 1 else {})
        own |= {"shown": sheet.visible} if sheet.visible != "visible" else {}
        if sheet.height:
            tables.append(_table(file, sheet.to_polars(), knows, own))
    return digest, tables


def _lacks_values(file: InputFile, archive: zipfile.ZipFile, name: str) -> bool:
    """Look at a sheet before it is read: whether formulas of it have no value. Refuses one whose
    cells lie so far apart that the reader's memory would not do.
    """
    if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
        return False
    found = False
    columns = 0
    for text in _pieces(archive, name):
        found = found or _NEVER_COMPUTED.search(text) is not None
        columns = max([columns, *map(_number, set(_FAR.findall(text)))])
    if columns:
        rows = max(
            max(map(int, set(_PLACE.findall(text))), default=0) for text in _pieces(archive, name)
        )
        if rows * columns > MOST_CELLS:
            raise refuse(
                file,
                "A cell of a sheet lies far away from its table.",
                found=phrase(
                    "a sheet of {rows} rows and {columns} columns", rows=rows, columns=columns
                ),
                expected=phrase("at most {cells} cells", cells=MOST_CELLS),
                do="Delete the columns and rows beyond the table, or save the sheet as CSV.",
            )
    return found


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield a member in pieces that overlap: no tag of a cell is cut."""
    rest = b""
    with archive.open(name) as content:
        while chunk := content.read(_CHUNK):
            yield rest + chunk
            rest = chunk[-_LONGEST_CELL:]


def _number(column_name: bytes) -> int:
    """Return the number of a column, 1 for A and 27 for AA."""
    number = 0
    for letter in column_name:
        number = 26 * number + letter - 64
    return number


def _table(file: InputFile, rows: pl.DataFrame, knows: Knows, form: dict[str, str]) -> TextTable:
    first = [[cleaned(cell) for cell in row] for row in rows.head(ROWS_SEARCHED).iter_rows()]
    at, _ = find_header(first, knows)
    own = own_columns(first[at]) if first else []
    fields = _fields(rows, first[at] if first else [])
    rows = rows.select(rows.columns[place] for place in own)
    header = [_heading(first[: at + 1], place) for place in own]
    while header and not header[-1]:
        header.pop()
    return TextTable(
        file,
        header,
        at + 1,
        lambda: _batches(rows, fields, at, header),
        form,
        sheet=rows,
        rows=rows.height,
    )


def _heading(rows: list[list[str]], place: int) -> str:
    """Return what heads a column: the cell of the header's row, or where that is empty the nearest
    above it, which may be merged with it.
    """
    return next((row[place] for row in reversed(rows) if row[place]), "")


def _fields(rows: pl.DataFrame, header: list[str]) -> pl.Series:
    """Return SLIPPED_ROW for the rows whose message says so, else null."""
    if MESSAGES not in header:
        return pl.Series("fields", [None], pl.Int64).new_from_index(0, rows.height)
    said = pl.col(rows.columns[header.index(MESSAGES)])
    slipped = pl.when(said.str.starts_with(SLIPPED)).then(pl.lit(SLIPPED_ROW, pl.Int64))
    return rows.select(fields=slipped).to_series()


def _batches(
    rows: pl.DataFrame, fields: pl.Series, at: int, header: list[str]
) -> Iterator[pl.DataFrame]:
    """Yield the rows below the header that are not empty; cells right of it are left out.

    A day is written as a day: cells of dates come with a time.
    """
    cells = [
        pl.col(name).str.replace(_MIDNIGHT, "$1").replace("", None).alias(column(place))
        for place, name in enumerate(rows.columns[: len(header)])
    ]
    numbered = rows.with_columns(fields).with_row_index("record", offset=1).slice(at + 1)
    for piece in numbered.iter_slices(BATCH_ROWS):
        batch = piece.select(pl.col("record").cast(pl.Int64), "fields", *cells)
        yield tidied(batch, header)
