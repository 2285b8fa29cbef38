"""Input files as batches of text rows, each with its record number (the header is record 1).

A file is looked at whole before its first row is used: encoding, NUL bytes, line length, header,
quoting. What is wrong with the file itself refuses the file (DataError); what is wrong with one row
is marked on that row (``fields``) and judged by intake.
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from kpi.errors import CallError, DataError, phrase

LONGEST_LINE = 1 << 20  # bytes: no register row comes near it; a longer one is a broken file
BATCH_ROWS = 250_000
_CHUNK = 1 << 20
_NOWHERE = "\0"  # stands in no file: NUL bytes are refused
_LONE_RETURN = re.compile(rb"\r(?=[^\n])")
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
    lone_return_line: int  # 0: none


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
        table = table_of(path.name, tables)
        if table and path.is_file():
            found.append(SourceFile(table, path, path.stat().st_size))
        else:
            unread.append(path)
    return found, unread


def table_of(name: str, tables: Iterable[str]) -> str | None:
    """Return the table whose rows a file of this name holds; None for a name that is not read."""
    stem, dot, suffix = name.rpartition(".")
    table = stem.split("-", 1)[0]
    return table if table in tables and dot + suffix.lower() in _SUFFIXES else None


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
    if seen.has_quotes:
        return seen.sha256, header, _quoted_batches(path, header)
    if seen.lone_return_line:
        raise _refuse(
            path,
            "A line of the file ends with a carriage return alone.",
            where=f"line {seen.lone_return_line}",
            expected="lines that end with a line feed",
            do="Export the file again as `CSV UTF-8`.",
        )
    return seen.sha256, header, _plain_batches(path, header)


def _plain_batches(path: Path, header: list[str]) -> Iterator[pl.DataFrame]:
    """Yield the batches of a file without quotes, where a record is a line; rows of wrong length
    are marked, blank lines (no fields at all) left out.
    """
    wrong = _count_fields(path, header)
    rows = pl.scan_csv(
        path,
        infer_schema=False,
        schema=dict.fromkeys(header, pl.String),
        quote_char=None,
        truncate_ragged_lines=True,
        row_index_name=_NOWHERE,
        row_index_offset=2,
        glob=False,
    ).select(pl.col(_NOWHERE).cast(pl.Int64).alias("record"), *_own(header))
    for batch in rows.collect_batches(chunk_size=BATCH_ROWS):
        if wrong.is_empty():
            yield batch.with_columns(fields=pl.lit(None, pl.Int64))
            continue
        marked = batch.join(wrong, on="record", how="left", maintain_order="left")
        yield marked.filter(pl.col("fields").is_null() | (pl.col("fields") > 0))


def _quoted_batches(path: Path, header: list[str]) -> Iterator[pl.DataFrame]:
    """Yield the batches of a file with quotes from the reader that judges the quotes: two readers
    would not agree on where a record ends.
    """
    own = _own(header)
    places = [header.index(name) for name in own]
    schema = {"record": pl.Int64, "fields": pl.Int64, **dict.fromkeys(own, pl.String)}
    width = len(header)
    with path.open(encoding="utf-8-sig", newline="") as file:
        numbered = enumerate(_records(path, file), start=1)
        rows = ((number, row) for number, row in numbered if row and number > 1)
        while batch := list(islice(rows, BATCH_ROWS)):
            cells = [
                (
                    number,
                    None if len(row) == width else len(row),
                    *(row[at] or None if at < len(row) else None for at in places),
                )
                for number, row in batch
            ]
            yield pl.DataFrame(cells, schema=schema, orient="row")


def _own(header: list[str]) -> list[str]:
    """The file's columns but those with a name that a batch needs; no table has such a column."""
    return [name for name in header if name not in ("record", "fields")]


def _look_at_bytes(path: Path) -> _Bytes:
    """Read the file once: hash, encoding, NUL bytes, longest line, quotes, lone returns."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    has_quotes = False
    line, line_bytes, lone_return, carried = 1, 0, 0, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            line_bytes += chunk.find(b"\n") if b"\n" in chunk else len(chunk)
            _refuse_wrong_bytes(path, chunk, decoder, line, line_bytes)
            digest.update(chunk)
            ends = carried + chunk
            if not lone_return and (found := _LONE_RETURN.search(ends)):
                lone_return = line + ends.count(b"\n", 0, found.start())
            carried = chunk[-1:] if chunk.endswith(b"\r") else b""
            has_quotes = has_quotes or b'"' in chunk
            line += chunk.count(b"\n")
            if b"\n" in chunk:
                line_bytes = len(chunk) - chunk.rfind(b"\n") - 1
        if file.tell() == 0:
            raise _refuse(
                path,
                "The file is empty.",
                expected="a header row and the rows of the table",
                do="Export the file again, or take it away if there are no such rows.",
            )
    if decoder.getstate()[0]:
        raise _refuse(path, "The file ends inside a character.", do="Export the file again.")
    return _Bytes(digest.hexdigest(), has_quotes, lone_return or (line if carried else 0))


def _refuse_wrong_bytes(
    path: Path, chunk: bytes, decoder: codecs.IncrementalDecoder, line: int, line_bytes: int
) -> None:
    """Refuse a chunk that begins in ``line`` for a line too long, wrong encoding or NUL bytes."""
    if line_bytes > LONGEST_LINE:
        raise _refuse(
            path,
            "A line of the file is too long.",
            where=f"line {line}",
            found=phrase("more than {bytes} bytes without a line end", bytes=LONGEST_LINE),
            expected="one row on one line",
            do="Export the file again as CSV.",
        )
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        before = chunk.count(b"\n", 0, error.start)
        raise _refuse(
            path,
            "The file is not UTF-8 text.",
            where=f"line {line + before}",
            found=f"byte 0x{error.object[error.start]:02x}",
            expected="text encoded as UTF-8",
            do="Save the file as `CSV UTF-8` and read it again.",
        ) from error
    if b"\0" in chunk:
        before = chunk.count(b"\n", 0, chunk.find(b"\0"))
        raise _refuse(
            path,
            "The file holds NUL bytes.",
            where=f"line {line + before}",
            expected="text encoded as UTF-8",
            do="Export the file again as `CSV UTF-8`; it may be UTF-16 or damaged.",
        )


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
            found=phrase("two columns of one name: {names}", names=", ".join(repeated))
            if repeated
            else phrase("a column without a name"),
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
            separator=_NOWHERE,
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
    text = rows.select(pl.col(_own(header)).cast(pl.String).replace("", None))
    indexed = text.with_row_index("record", offset=2)
    for batch in indexed.collect_batches(chunk_size=BATCH_ROWS):
        yield batch.with_columns(
            pl.col("record").cast(pl.Int64), fields=pl.lit(None, dtype=pl.Int64)
        )


def _refuse(path: Path, what: str, where: str = "", **parts: str) -> DataError:
    return DataError(what, where=f"{path}, {where}" if where else str(path), **parts)
