"""Input files as batches of text rows, each with its record number (the header is record 1).

A file is looked at whole before its first row is used: encoding, NUL bytes, line length, header,
quoting. What is wrong with the file itself refuses the file (DataError); what is wrong with one row
is marked on that row (``fields``) and judged by intake.
"""

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from kpi.errors import CallError, DataError

LONGEST_LINE = 1 << 20  # bytes: no register row comes near it; a longer one is a broken file
BATCH_ROWS = 250_000
_CHUNK = 1 << 20
_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class SourceFile:
    """One file of one table, as found in the input folder."""

    table: str
    path: Path
    size: int


@dataclass(frozen=True)
class _Bytes:
    """What one pass over a CSV file's bytes tells."""

    sha256: str
    has_quotes: bool


def find_files(folder: Path, tables: list[str]) -> tuple[list[SourceFile], list[Path]]:
    """Return the files of each table (``<table>.csv``, ``<table>-*.csv``, Parquet alike), by name,
    and the CSV and Parquet files that belong to no table and are left unread.

    Raises CallError when ``folder`` is no folder.
    """
    if not folder.is_dir():
        raise CallError(
            "The input folder does not exist.",
            where=str(folder),
            expected="a folder with colleges.csv, students.csv, ...",
            do="Check the path, or make a sample with `kpi sample`.",
        )
    found, unread = [], []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES):
        table = path.stem.split("-", 1)[0]
        if table in tables and path.is_file():
            found.append(SourceFile(table, path, path.stat().st_size))
        else:
            unread.append(path)
    return found, unread


def open_file(source: SourceFile) -> tuple[str, list[str], Iterator[pl.DataFrame]]:
    """Return a file's SHA-256, its column names, and its rows in batches.

    Each batch is a frame of text columns named as in the header (empty cells null), ``record``
    (Int64) and ``fields`` (Int64, the row's number of fields where it is wrong, else null).
    Raises DataError when the file as a whole cannot be read.
    """
    try:
        if source.path.suffix.lower() == ".parquet":
            return _open_parquet(source)
        return _open_csv(source)
    except OSError as error:
        raise DataError(
            "The file cannot be read.",
            where=str(source.path),
            found=error.strerror or str(error),
            do="Check that the file exists and may be read.",
        ) from error


def _open_csv(source: SourceFile) -> tuple[str, list[str], Iterator[pl.DataFrame]]:
    path = source.path
    seen = _look_at_bytes(path)
    header = _read_header(path)
    wrong = _count_fields_quoted(path, header) if seen.has_quotes else _count_fields(path, header)
    rows = pl.scan_csv(
        path,
        infer_schema=False,
        schema=dict.fromkeys(header, pl.String),
        truncate_ragged_lines=True,
        row_index_name="record",
        row_index_offset=2,
        glob=False,
    )
    return seen.sha256, header, _csv_batches(rows, wrong)


def _csv_batches(rows: pl.LazyFrame, wrong: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield batches, mark rows of wrong length, and leave out blank lines (no fields at all)."""
    record = pl.col("record").cast(pl.Int64)
    for batch in rows.collect_batches(chunk_size=BATCH_ROWS):
        if wrong.is_empty():
            yield batch.with_columns(record, fields=pl.lit(None, pl.Int64))
            continue
        marked = batch.with_columns(record).join(
            wrong, on="record", how="left", maintain_order="left"
        )
        yield marked.filter(pl.col("fields").is_null() | (pl.col("fields") > 0))


def _look_at_bytes(path: Path) -> _Bytes:
    """Read the file once: hash, encoding, NUL bytes, longest line, whether it has quotes."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    quotes = 0
    position = line = line_bytes = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            line_bytes += chunk.find(b"\n") if b"\n" in chunk else len(chunk)
            if line_bytes > LONGEST_LINE:
                raise _refuse(
                    path,
                    "A line of the file is too long.",
                    where=f"line {line + 1}",
                    found=f"more than {LONGEST_LINE:,} bytes without a line end",
                    expected="one row on one line",
                    do="Export the file again as CSV.",
                )
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                lines = line + chunk.count(b"\n", 0, max(error.start, 0))
                raise _refuse(
                    path,
                    "The file is not UTF-8 text.",
                    where=f"line {lines + 1}",
                    found=f"byte 0x{error.object[error.start]:02x}",
                    expected="text encoded as UTF-8",
                    do="Save the file as `CSV UTF-8` and read it again.",
                ) from error
            if b"\0" in chunk:
                line += chunk.count(b"\n", 0, chunk.find(b"\0"))
                raise _refuse(
                    path,
                    "The file holds NUL bytes.",
                    where=f"line {line + 1}",
                    expected="text encoded as UTF-8",
                    do="Export the file again as `CSV UTF-8`; it may be UTF-16 or damaged.",
                )
            digest.update(chunk)
            quotes += chunk.count(b'"')
            line += chunk.count(b"\n")
            position += len(chunk)
            if b"\n" in chunk:
                line_bytes = len(chunk) - chunk.rfind(b"\n") - 1
    if position == 0:
        raise _refuse(
            path,
            "The file is empty.",
            expected="a header row and the rows of the table",
            do="Export the file again, or take it away if there are no such rows.",
        )
    if decoder.getstate()[0]:
        raise _refuse(path, "The file ends inside a character.", do="Export the file again.")
    return _Bytes(digest.hexdigest(), quotes > 0)


def _read_header(path: Path) -> list[str]:
    """Return the column names of record 1."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(_records(path, file), [])
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated or not all(header):
        raise _refuse(
            path,
            "The header is wrong.",
            where="record 1",
            found="two columns of one name: " + ", ".join(repeated)
            if repeated
            else "a column without a name",
            expected="one name for each column, each name once",
            do="Correct the first line of the file.",
        )
    return header


def _count_fields(path: Path, header: list[str]) -> pl.DataFrame:
    """Return record and fields of the rows whose number of fields is wrong, in a file without
    quotes, where a record is a line. A blank line has no fields.
    """
    line = pl.col("line").str.strip_suffix("\r")
    fields = line.str.count_matches(",", literal=True).cast(pl.Int64) + 1
    return (
        pl.scan_csv(
            path,
            has_header=False,
            separator="\x1f",
            quote_char=None,
            infer_schema=False,
            schema={"line": pl.String},
            empty_string_is_null=False,
            truncate_ragged_lines=True,
            row_index_name="record",
            row_index_offset=1,
            glob=False,
        )
        .select(
            pl.col("record").cast(pl.Int64),
            fields=pl.when(line == "").then(0).otherwise(fields),
        )
        .filter((pl.col("fields") != len(header)) & (pl.col("record") > 1))
        .collect(engine="streaming")
    )


def _count_fields_quoted(path: Path, header: list[str]) -> pl.DataFrame:
    """The same for a file with quotes, where only a full CSV reader knows what a record is."""
    wrong: dict[str, list[int]] = {"record": [], "fields": []}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, fields in enumerate(_records(path, file), start=1):
            if len(fields) != len(header):
                wrong["record"].append(number)
                wrong["fields"].append(len(fields))
    return pl.DataFrame(wrong, schema={"record": pl.Int64, "fields": pl.Int64})


def _records(path: Path, file: Iterator[str]) -> Iterator[list[str]]:
    """Yield the records of a CSV file; refuse it at the first quote that is out of place."""
    reader = csv.reader(file, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refuse(
                path,
                "A quotation mark is out of place: from here on, rows cannot be told apart.",
                where=f"record {number}",
                found=str(error),
                expected='a quoted cell that ends with a quote; a quote inside it doubled ("")',
                do="Close or remove the quotation mark in this record.",
            ) from error


def _open_parquet(source: SourceFile) -> tuple[str, list[str], Iterator[pl.DataFrame]]:
    with source.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        rows = pl.scan_parquet(source.path, glob=False)
        header = rows.collect_schema().names()
        return digest, header, _parquet_batches(rows, header)
    except pl.exceptions.PolarsError as error:
        raise _refuse(
            source.path,
            "The file is no readable Parquet file.",
            found=str(error).splitlines()[0],
            do="Write the file again.",
        ) from error


def _parquet_batches(rows: pl.LazyFrame, header: list[str]) -> Iterator[pl.DataFrame]:
    """Yield batches with every value as text, so that one set of patterns judges every format."""
    text = rows.select(pl.col(header).cast(pl.String).replace("", None))
    indexed = text.with_row_index("record", offset=2)
    for batch in indexed.collect_batches(chunk_size=BATCH_ROWS):
        yield batch.with_columns(
            pl.col("record").cast(pl.Int64), fields=pl.lit(None, dtype=pl.Int64)
        )


def _refuse(path: Path, what: str, where: str = "", **parts: str) -> DataError:
    return DataError(what, where=f"{path}, {where}" if where else str(path), **parts)
