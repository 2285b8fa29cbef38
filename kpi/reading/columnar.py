"""Parquet files as tables of text, so that one set of patterns judges every format."""

import hashlib
from collections.abc import Iterator

import polars as pl

from kpi.reading.table import BATCH_ROWS, InputFile, TextTable, column, refuse


def open_parquet(file: InputFile) -> tuple[str, list[TextTable]]:
    """Return a Parquet file's SHA-256 and its one table. Raises DataError for a damaged file."""
    with file.path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    try:
        rows = pl.scan_parquet(file.path, glob=False)
        header = rows.collect_schema().names()
    except pl.exceptions.PolarsError as error:
        raise refuse(
            file,
            "The file is no readable Parquet file.",
            found=str(error).splitlines()[0],
            do="Write the file again.",
        ) from error
    table = TextTable(file, header, 1, lambda: _batches(rows, header), {"format": "Parquet"})
    return digest, [table]


def _batches(rows: pl.LazyFrame, header: list[str]) -> Iterator[pl.DataFrame]:
    cells = [
        pl.col(name).cast(pl.String).replace("", None).alias(column(place))
        for place, name in enumerate(header)
    ]
    numbered = rows.select(cells).with_row_index("record", offset=2)
    for batch in numbered.collect_batches(chunk_size=BATCH_ROWS):
        yield batch.with_columns(pl.col("record").cast(pl.Int64), fields=pl.lit(None, pl.Int64))
