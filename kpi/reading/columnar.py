"""Parquet files as tables of text, so that one set of patterns judges every format."""

import hashlib
from collections.abc import Iterator

import polars as pl

from kpi.reading.recoding import DAMAGED
from kpi.reading.table import BATCH_ROWS, InputFile, TextTable, column, first_line, refuse
from kpi.reading.tidying import tidied

_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00(\.0+)?$"


def open_parquet(file: InputFile) -> tuple[str, list[TextTable]]:
    """Return a Parquet file's SHA-256 and its one table. Raises DataError for a damaged file."""
    with file.path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    try:
        rows = pl.scan_parquet(file.path, glob=False)
        schema = rows.collect_schema()
        height = rows.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise refuse(
            file,
            "The file is no readable Parquet file.",
            found=first_line(error),
            do="Write the file again.",
        ) from error
    header = schema.names()
    strange = any(not _is_text(dtype) for dtype in schema.dtypes())
    form = {"format": "Parquet"}
    return digest, [
        TextTable(
            file, header, 1, lambda: _batches(rows, schema), form, strange, rows=max(height, 1)
        )
    ]


def _batches(rows: pl.LazyFrame, schema: pl.Schema) -> Iterator[pl.DataFrame]:
    cells = [
        _as_text(name, dtype).alias(column(place))
        for place, (name, dtype) in enumerate(schema.items())
    ]
    numbered = rows.select(cells).with_row_index("record", offset=2)
    for batch in numbered.collect_batches(chunk_size=BATCH_ROWS):
        yield tidied(
            batch.with_columns(pl.col("record").cast(pl.Int64), fields=pl.lit(None, pl.Int64)),
            schema.names(),
        )


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as text: a day without its midnight, a list or bytes as damaged text."""
    cell = pl.col(name)
    if not _is_text(dtype):
        return pl.when(cell.is_not_null()).then(pl.lit(DAMAGED))
    text = cell.cast(pl.String).replace("", None)
    return text.str.replace(_MIDNIGHT, "$1") if dtype == pl.Datetime else text


def _is_text(dtype: pl.DataType) -> bool:
    """Whether a column's values can be written as text."""
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object)
