"""CSV and TSV files, in UTF-8, UTF-16 or Windows-1251, as tables of text.

A file is looked at whole before its first row is used: encoding, line ends, longest line, quotes.
What a sheet of bytes cannot say (a byte that is no character, a NUL) becomes U+FFFD, which intake
reports in the cell where it stands. Where every record is a line, polars reads the lines; where a
quoted cell holds a line end, Python's csv reads the records; where a quotation mark never ends,
each line is a record by itself, and the rows with such marks are reported.
"""

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Literal, TypeAlias

import numpy as np
import polars as pl

from kpi.errors import phrase
from kpi.reading.header import ROWS_SEARCHED, cleaned, find_header
from kpi.reading.table import (
    BATCH_ROWS,
    STRAY_QUOTE,
    InputFile,
    Knows,
    TextTable,
    column,
    refuse,
)
from kpi.reading.tidying import tidied

LONGEST_LINE = 1 << 20  # bytes: no register row comes near it; a longer one is a broken file
IN_MEMORY = 1 << 25  # bytes: a smaller file is not copied to disk
DAMAGED = "\ufffd"
"""Stands for a byte that is no character."""

_CHUNK = 1 << 20
_LINE = "line"
_NOWHERE = "\0"  # stands in no text: NUL characters are replaced
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_NAMES = {"utf-8": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
_NAMES |= {"cp1251": "Windows-1251"}
_MIXED = "Windows-1251 and UTF-8"
_PYTHON_ROWS = 50_000
"""Rows of a batch that Python reads: they take more memory than those that polars reads."""
_SEGMENT = "\1"  # stands for quoted text while delimiters are counted


Way: TypeAlias = Literal["plain", "lines", "records", "stray"]


@dataclass(frozen=True)
class _Text:
    """A text file as UTF-8 with line feeds: in memory, or on disk."""

    source: bytes | Path
    has_quotes: bool
    is_damaged: bool
    """Whether a character of it may be none."""

    def head(self) -> str:
        """Return its beginning, in which the header is looked for."""
        if isinstance(self.source, bytes):
            return self.source[:LONGEST_LINE].decode("utf-8", "replace").removeprefix("\ufeff")
        with self.chars() as content:
            return content.read(LONGEST_LINE)

    def chars(self) -> IO[str]:
        """Open the text."""
        if isinstance(self.source, bytes):
            return io.TextIOWrapper(io.BytesIO(self.source), encoding="utf-8-sig", newline="")
        return self.source.open(encoding="utf-8-sig", newline="")


def open_text(file: InputFile, knows: Knows, scratch: Path) -> tuple[str, list[TextTable]]:
    """Return a text file's SHA-256 and its one table. Raises DataError for an empty file, and for
    one that is no text or has a line too long for any register.
    """
    look = _look_at_bytes(file)
    text = _as_utf8(file, look, scratch)
    head = text.head()
    if not head.strip():
        raise _empty(file)
    delimiter, at, header = _find_header(head, knows)
    form = {
        "format": "CSV",
        "encoding": _MIXED if look.is_mixed else _NAMES[look.encoding],
        "delimiter": _DELIMITERS[delimiter],
    }
    how = _way_of(text, delimiter)
    if how == "stray":
        form["quotes"] = "one never ends"
        at, header = _header_of_lines(head, delimiter, knows)
    rows = _Rows(text, delimiter, at + 1, header, how)
    expected = file.size * (head.count("\n") + 1) // len(head.encode())
    table = TextTable(
        file,
        header,
        at + 1,
        lambda: _batches(rows),
        form,
        text.is_damaged,
        lambda places: _batches(rows, places),
        rows=max(expected, 1),
    )
    return look.sha256, [table]


def _empty(file: InputFile) -> Exception:
    return refuse(
        file,
        "The file is empty.",
        expected="a header row and the rows of the table",
        do="Export the file again, or take it away if there are no such rows.",
    )


# ----------------------------------------------------------------------------------------- bytes


@dataclass(frozen=True)
class _Look:
    """What one pass over a file's bytes tells."""

    sha256: str
    encoding: str
    is_mixed: bool
    """Whether lines of a Windows-1251 file may be UTF-8."""
    is_damaged: bool
    is_plain: bool
    """Whether the bytes are UTF-8 with line feeds already."""
    has_quotes: bool


def _look_at_bytes(file: InputFile) -> _Look:
    """Read a file once: hash, encoding, line ends, NUL bytes, longest line, quotes."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    line = wrong = right = lost = 0
    seen = dict.fromkeys((b"\r", b"\0", b'"'), False)
    wide, last = "", b""
    with file.path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            if not last:
                wide = _wide_encoding(chunk[:4096])
                if not wide:
                    _require_text(file, chunk[:4096])
            digest.update(chunk)
            line = _line_so_far(file, chunk, line)
            if not wide:
                for mark, found in seen.items():
                    seen[mark] = found or mark in chunk
            last = chunk[-1:]
            if not wide and not (chunk.isascii() and not decoder.getstate()[0]):
                text = decoder.decode(chunk)
                damaged = text.count(DAMAGED)
                lost += chunk.count(DAMAGED.encode())  # written so by a program before
                wrong += damaged
                right += len(text) - len(text.encode("ascii", "ignore")) - damaged
    if not last:
        raise _empty(file)
    wrong += bool(decoder.getstate()[0])
    encoding = wide or ("cp1251" if wrong - lost > right + lost else "utf-8")
    is_utf8 = encoding == "utf-8" and not wrong
    return _Look(
        sha256=digest.hexdigest(),
        encoding=encoding,
        is_mixed=encoding == "cp1251" and right > 0,
        is_damaged=not is_utf8 or seen[b"\0"],  # of other encodings it is not known before
        is_plain=is_utf8 and not seen[b"\r"] and not seen[b"\0"],
        has_quotes=bool(wide) or seen[b'"'],
    )


def _wide_encoding(begin: bytes) -> str:
    """Return which UTF-16 a file begins in, by its mark, or because every other byte is that of
    Latin (0) or Cyrillic (4) characters; empty for none.
    """
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = (half.count(0) + half.count(4) for half in (begin[::2], begin[1::2]))
    most = len(begin) // 2 * 3 // 4
    if min(even, odd) >= most or max(even, odd) <= most:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _require_text(file: InputFile, begin: bytes) -> None:
    """Refuse a file whose beginning has bytes that no text has: a picture, a program, a database.

    A NUL is not held against it: damaged text has them.
    """
    controls = sum(byte < 32 and byte not in b"\0\t\n\v\f\r\x1a\x1b" for byte in begin)
    if controls > max(8, len(begin) // 33):
        raise refuse(
            file,
            "The file is neither text nor a workbook nor Parquet.",
            expected="CSV, XLSX, Parquet or ZIP",
            do="Unpack or export it again, or take it away.",
        )


def _line_so_far(file: InputFile, chunk: bytes, before: int) -> int:
    """Return how many bytes of a line stand at the end of a chunk; ``before`` are of its first.
    Refuses a file with a line too long.
    """
    ends = (chunk.find(b"\n"), chunk.find(b"\r"))
    first = min((end for end in ends if end >= 0), default=len(chunk))
    if before + first > 2 * LONGEST_LINE:
        raise refuse(
            file,
            "A line of the file is too long.",
            found=phrase("more than {bytes} bytes without a line end", bytes=2 * LONGEST_LINE),
            expected="one row on one line",
            do="Export the file again as CSV.",
        )
    if first == len(chunk):
        return before + first
    return len(chunk) - max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) - 1


def _as_utf8(file: InputFile, look: _Look, scratch: Path) -> _Text:
    """Return the file's text as UTF-8 with line feeds: as it is, in memory, or copied to disk."""
    if file.size <= IN_MEMORY:
        content, is_damaged = _whole(file, look)
        return _Text(content, look.has_quotes, is_damaged)
    if look.is_plain:
        return _Text(file.path, look.has_quotes, look.is_damaged)
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / f"{look.sha256}.csv"
    with copy.open("wb") as written:
        written.writelines(_encoded(file, look))
    return _Text(copy, look.has_quotes, look.is_damaged)


def _whole(file: InputFile, look: _Look) -> tuple[bytes, bool]:
    """Return what ``_encoded`` yields, of a file that fits into memory: at once is faster; and
    whether a character of it is none.
    """
    content = file.path.read_bytes()
    if look.is_plain:
        return content, look.is_damaged
    text = _by_line(content) if look.is_mixed else content.decode(look.encoding, "replace")
    is_damaged = DAMAGED in text or "\0" in text
    content = text.encode("utf-8", "replace")
    if b"\r" in content:  # split goes over the bytes faster than a replacement of two
        lines = content.split(b"\n")
        whole = b"\n".join([line[:-1] if line.endswith(b"\r") else line for line in lines])
        content = whole.replace(b"\r", b"\n")
    return content.replace(b"\0", DAMAGED.encode()), is_damaged


def _encoded(file: InputFile, look: _Look) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(look.encoding)("replace")
    decode = _by_line if look.is_mixed else decoder.decode
    returned = False
    with file.path.open("rb") as content:
        for chunk in _pieces(content, whole_lines=look.is_mixed):
            text = decode(chunk)
            if returned and text.startswith("\n"):
                text = text[1:]
                returned = False
            returned = text.endswith("\r") or (returned and not text)
            yield _with_line_feeds(text)
        yield _with_line_feeds(decoder.decode(b"", final=True))


def _pieces(content: IO[bytes], whole_lines: bool) -> Iterator[bytes]:
    while chunk := content.read(_CHUNK):
        yield chunk + content.readline(LONGEST_LINE) if whole_lines else chunk


def _by_line(chunk: bytes) -> str:
    """Decode each line as UTF-8 where it is that, else as Windows-1251: Russian words of that are
    no UTF-8.
    """
    return "".join(map(_line_decoded, chunk.splitlines(keepends=True)))


def _line_decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1251", "replace")


def _with_line_feeds(text: str) -> bytes:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", DAMAGED)
    return text.encode("utf-8", "replace")


# ---------------------------------------------------------------------------------------- header


def _find_header(head: str, knows: Knows) -> tuple[str, int, list[str]]:
    """Return the delimiter, the place of the header among the first records, and its names: by the
    delimiter under which most names are known, else by that which cuts most.
    """
    if whole := _all_known(head.split("\n", 1)[0], knows):
        return whole[0], 0, whole[1]
    best: tuple[int, int] = (-1, -1)
    chosen: tuple[str, int, list[str]] = (",", 0, [])
    for delimiter in _DELIMITERS:
        rows = _first_rows(head, delimiter)
        at, known = find_header(rows, knows)
        if (known, len(rows[at])) > best:
            best = (known, len(rows[at]))
            chosen = (delimiter, at, rows[at])
    return chosen


@lru_cache(maxsize=64)  # hundreds of files have one header
def _all_known(line: str, knows: Knows) -> tuple[str, list[str]] | None:
    """Return the delimiter and the names of a line all of whose cells are known under it: nothing
    can know more, so other lines need not be looked at.
    """
    for delimiter in _DELIMITERS:
        [first] = _lines_of(line, delimiter)
        if knows(first) == len(first) > 1:
            return delimiter, first
    return None


def _first_rows(head: str, delimiter: str) -> list[list[str]]:
    """Return the first records of a text, cleaned; a quoted name may hold a line end."""
    if not re.search(f'(?:^|[\n{delimiter}])"', head):
        return _lines_of(head, delimiter)
    try:
        records = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        return [[*map(cleaned, cells)] for cells in islice(records, ROWS_SEARCHED + 1)]
    except csv.Error:
        return _lines_of(head, delimiter)


def _lines_of(head: str, delimiter: str) -> list[list[str]]:
    return [
        [*map(cleaned, _line_record(line, delimiter)[0])]
        for line in head.split("\n", ROWS_SEARCHED + 1)[: ROWS_SEARCHED + 1]
    ]


def _header_of_lines(head: str, delimiter: str, knows: Knows) -> tuple[int, list[str]]:
    rows = _lines_of(head, delimiter)
    at, _ = find_header(rows, knows)
    return at, rows[at]


# ------------------------------------------------------------------------------------------ rows


@dataclass(frozen=True)
class _Rows:
    """The rows of a text: by what its cells are parted, in which record its header is."""

    text: _Text
    delimiter: str
    header_record: int
    header: list[str]
    how: Way

    @property
    def width(self) -> int:
        return len(self.header)


def _way_of(text: _Text, delimiter: str) -> Way:
    """Return how a text is to be read: no cell is quoted (a quotation mark is a character as any
    other); every record with quoted cells is one line; one spans lines; a quotation mark is out of
    place.
    """
    if not _is_quoted(text, delimiter):
        return "plain"
    if _is_a_line_each(text, delimiter):
        return "lines"
    return "records" if _quotes_end(text, delimiter) else "stray"


def _is_quoted(text: _Text, delimiter: str) -> bool:
    """Whether any cell begins with a quotation mark."""
    if not text.has_quotes:
        return False
    if isinstance(text.source, bytes):
        return _begins_quoted(b"\n" + text.source.removeprefix(codecs.BOM_UTF8), delimiter)
    with text.source.open("rb") as content:
        last = b"\n"
        while chunk := content.read(_CHUNK):
            if _begins_quoted(last + chunk.removeprefix(codecs.BOM_UTF8), delimiter):
                return True
            last = chunk[-1:]
    return False


def _begins_quoted(content: bytes, delimiter: str) -> bool:
    """Whether a quotation mark follows a line feed or a delimiter."""
    chars = np.frombuffer(content, dtype=np.uint8)
    before = chars[:-1][chars[1:] == ord('"')]
    return bool(((before == ord(delimiter)) | (before == ord("\n"))).any())


def _is_a_line_each(text: _Text, delimiter: str) -> bool:
    """Whether every quoted cell ends in its line, and with it the cell."""
    odd = f'"|[^{delimiter}]{_SEGMENT}|{_SEGMENT}[^{delimiter}]'
    is_odd = _unquoted(pl.col(_LINE).str.strip_prefix("\ufeff")).str.contains(odd)
    told = _lines(text).select(is_odd.any()).collect(engine="streaming")
    return not told.item()


def _unquoted(line: pl.Expr) -> pl.Expr:
    """Return lines in which each quoted text is one character."""
    return line.str.replace_all(r'(?:"[^"]*")+', _SEGMENT)


def _quotes_end(text: _Text, delimiter: str) -> bool:
    """Whether every quoted cell ends where it must."""
    with text.chars() as content:
        try:
            for _ in csv.reader(content, delimiter=delimiter, strict=True):
                pass
        except csv.Error:
            return False
    return True


def _batches(rows: _Rows, places: Collection[int] | None = None) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text, with the columns at some places or with all."""
    if rows.how in ("plain", "lines"):
        batches = _scanned_batches(rows, {0, *places} if places else range(rows.width))
    else:
        batches = _python_batches(rows)
    for batch in batches:
        yield tidied(batch, rows.header, keeps_protection=places is not None)


def _scanned_batches(rows: _Rows, places: Collection[int]) -> Iterator[pl.DataFrame]:
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


def _has_right_rows(rows: _Rows) -> bool:
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


def _wrong_rows(rows: _Rows) -> pl.DataFrame:
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


def _lines(text: _Text) -> pl.LazyFrame:
    """Return ``record`` and ``line`` of every line."""
    return _scan(text, _NOWHERE, {_LINE: pl.String}, 0, empty_is_null=False)


def _scan(
    text: _Text,
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


def _python_batches(rows: _Rows) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text whose records are not lines, or whose lines are not all records:
    those are marked.
    """
    width = rows.width
    with rows.text.chars() as content:
        if rows.how == "stray":
            records = (_line_record(line.rstrip("\n"), rows.delimiter) for line in content)
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


def _line_record(line: str, delimiter: str) -> tuple[list[str], int]:
    """Return the cells of a line, and how many they are or that its quotes are out of place."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return line.split(delimiter), STRAY_QUOTE
    return cells, len(cells)
