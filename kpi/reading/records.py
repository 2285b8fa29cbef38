"""The rows of a text.

Where every record is a line, polars reads the lines; where a quoted cell holds a line end, Python's
csv reads the records; where a quotation mark never ends, each line is a record by itself, and the
rows with such marks are reported.
"""

import codecs
import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from kpi.reading.recoding import CHUNK, Text
from kpi.reading.table import BATCH_ROWS, STRAY_QUOTE, column
from kpi.reading.tidying import tidied

_LINE = "line"
_NOWHERE = "\0"  # stands in no text: NUL characters are replaced
_PYTHON_ROWS = 50_000
"""Rows of a batch that Python reads: they take more memory than those that polars reads."""
_SEGMENT = "\1"  # stands for quoted text while delimiters are counted

Way: TypeAlias = Literal["plain", "lines", "records", "stray"]


@dataclass(frozen=True)
class Rows:
    """The rows of a text: by what its cells are parted, in which record its header is."""

    text: Text
    delimiter: str
    header_record: int
    header: list[str]
    how: Way

    @property
    def width(self) -> int:
        """How many columns the header has."""
        return len(self.header)


def way_of(text: Text, delimiter: str) -> Way:
    """Return how a text is to be read: no cell is quoted (a quotation mark is a character as any
    other); every record with quoted cells is one line; one spans lines; a quotation mark is out of
    place.
    """
    if not _is_quoted(text, delimiter):
        return "plain"
    if _is_a_line_each(text, delimiter):
        return "lines"
    return "records" if _quotes_end(text, delimiter) else "stray"


def _is_quoted(text: Text, delimiter: str) -> bool:
    """Whether any cell begins with a quotation mark."""
    if not text.has_quotes:
        return False
    with text.content() as content:
        last = b"\n"
        while chunk := content.read(CHUNK):
            if _begins_quoted(last + chunk.removeprefix(codecs.BOM_UTF8), delimiter):
                return True
            last = chunk[-1:]
    return False


def _begins_quoted(content: bytes, delimiter: str) -> bool:
    """Whether a quotation mark follows a line feed or a delimiter."""
    chars = np.frombuffer(content, dtype=np.uint8)
    before = chars[np.flatnonzero(chars[1:] == ord('"'))]
    return bool(((before == ord(delimiter)) | (before == ord("\n"))).any())


def _is_a_line_each(text: Text, delimiter: str) -> bool:
    """Whether every quoted cell ends in its line, and with it the cell."""
    odd = f'"|[^{delimiter}]{_SEGMENT}|{_SEGMENT}[^{delimiter}]'
    is_odd = _unquoted(pl.col(_LINE).str.strip_prefix("\ufeff")).str.contains(odd)
    told = _lines(text).select(is_odd.any()).collect(engine="streaming")
    return not told.item()


def _unquoted(line: pl.Expr) -> pl.Expr:
    """Return lines in which each quoted text is one character."""
    return line.str.replace_all(r'(?:"[^"]*")+', _SEGMENT)


def _quotes_end(text: Text, delimiter: str) -> bool:
    """Whether every quoted cell ends where it must."""
    with text.chars() as content:
        try:
            for _ in csv.reader(content, delimiter=delimiter, strict=True):
                pass
        except csv.Error:
            return False
    return True


def batches_of(rows: Rows, places: Collection[int] | None = None) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text, with the columns at some places or with all."""
    if rows.how in ("plain", "lines"):
        batches = _scanned_batches(rows, {0, *places} if places else range(rows.width))
    else:
        batches = _python_batches(rows)
    for batch in batches:
        yield tidied(batch, rows.header, keeps_protection=places is not None)


def _scanned_batches(rows: Rows, places: Collection[int]) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text in which a record is a line; rows of wrong length are marked,
    blank lines (no fields at all) left out.
    """
    is_right = rows.how == "plain" and _has_right_rows(rows)
    wrong = pl.DataFrame() if is_right else _wrong_rows(rows)
    names = {column(place): pl.String for place in range(rows.width)}
    quote = '"' if rows.how == "lines" else None
    scanned = _scan(rows.text, rows.delimiter, names, rows.header_record, quote=quote)
    cells = [pl.col(column(place)) for place in sorted(places)]
    if quote:  # an empty text in quotes is no null to polars
        cells = [cell.replace("", None) for cell in cells]
    if wrong.is_empty():
        right = scanned.select("record", *cells, fields=pl.lit(None, pl.Int64))
        yield from right.collect_batches(chunk_size=BATCH_ROWS)
        return
    for batch in scanned.select("record", *cells).collect_batches(chunk_size=BATCH_ROWS):
        marked = batch.join(wrong, on="record", how="left", maintain_order="left")
        yield marked.filter(pl.col("fields").is_null() | (pl.col("fields") != 0))


def _has_right_rows(rows: Rows) -> bool:
    """Whether a text in memory has as many fields in each line as in its header, and none of only
    delimiters; False where it is not known. So many small files are looked at faster than by
    ``_wrong_rows``.
    """
    if not isinstance(rows.text.source, bytes):
        return False
    if b"\n" + rows.delimiter.encode() * (rows.width - 1) + b"\n" in rows.text.source + b"\n":
        return False
    chars = np.frombuffer(rows.text.source, dtype=np.uint8)
    ends = np.flatnonzero(chars == ord("\n"))
    if rows.text.source[-1:] != b"\n":
        ends = np.append(ends, len(chars))
    before = np.searchsorted(np.flatnonzero(chars == ord(rows.delimiter)), ends)
    fields = np.diff(before, prepend=0)[rows.header_record :] + 1
    return bool((fields == max(rows.width, 2)).all())  # a blank line has one field


def _wrong_rows(rows: Rows) -> pl.DataFrame:
    """Return record and fields of the lines whose number of fields is wrong; one that is
    blank, or that has nothing but delimiters, has none.
    """
    line = pl.col(_LINE)
    bare = _unquoted(line) if rows.how == "lines" else line
    fields = bare.str.count_matches(rows.delimiter, literal=True).cast(pl.Int64) + 1
    told = (
        pl.when(line.fill_null("").str.strip_chars(rows.delimiter) == "").then(0).otherwise(fields)
    )
    return (
        _lines(rows.text)
        .select("record", fields=told)
        .filter((pl.col("fields") != rows.width) & (pl.col("record") > rows.header_record))
        .collect(engine="streaming")
    )


def _lines(text: Text) -> pl.LazyFrame:
    """Return ``record`` and ``line`` of every line."""
    return _scan(text, _NOWHERE, {_LINE: pl.String}, 0, empty_is_null=False)


def _scan(
    text: Text,
    delimiter: str,
    schema: dict[str, type[pl.String]],
    skipped: int,
    *,
    empty_is_null: bool = True,
    quote: str | None = None,
) -> pl.LazyFrame:
    return pl.scan_csv(
        text.source,
        has_header=False,
        separator=delimiter,
        quote_char=quote,
        infer_schema=False,
        schema=schema,
        skip_lines=skipped,
        empty_string_is_null=empty_is_null,
        truncate_ragged_lines=True,
        missing_columns="insert",
        extra_columns="ignore",
        row_index_name="record",
        row_index_offset=skipped + 1,
        glob=False,
    ).with_columns(pl.col("record").cast(pl.Int64))


def _python_batches(rows: Rows) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text whose records are not lines, or whose lines are not all records:
    those are marked.
    """
    width = rows.width
    with rows.text.chars() as content:
        if rows.how == "stray":
            records = (line_record(line.rstrip("\n"), rows.delimiter) for line in content)
        else:
            cut = csv.reader(content, delimiter=rows.delimiter, strict=True)
            records = ((cells, len(cells)) for cells in cut)
        numbered = ((n, *record) for n, record in enumerate(records, start=1))
        filled = (row for row in numbered if row[1] and row[0] > rows.header_record)
        while batch := list(islice(filled, _PYTHON_ROWS)):
            whole = [
                cells if len(cells) == width else [*cells[:width], *[""] * (width - len(cells))]
                for _, cells, _ in batch
            ]
            yield pl.DataFrame(
                {
                    "record": pl.Series([n for n, _, _ in batch], dtype=pl.Int64),
                    "fields": pl.Series([fields for _, _, fields in batch], dtype=pl.Int64),
                    **{
                        column(place): pl.Series(cells, dtype=pl.String)
                        for place, cells in enumerate(zip(*whole, strict=True))
                    },
                }
            ).with_columns(
                pl.col("fields").replace(width, None),
                pl.exclude("record", "fields").replace("", None),
            )


def line_record(line: str, delimiter: str) -> tuple[list[str], int]:
    """Return the cells of a line, and how many they are or that its quotes are out of place."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return line.split(delimiter), STRAY_QUOTE
    return cells, len(cells)
