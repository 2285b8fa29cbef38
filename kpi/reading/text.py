"""CSV and TSV files, in UTF-8, UTF-16 or Windows-1251, as tables of text.

A file is looked at whole before its first row is used: encoding, line ends, longest line, quotes.
What a sheet of bytes cannot say (a byte that is no character, a NUL) becomes U+FFFD, which intake
reports in the cell where it stands. Where no cell is quoted a record is a line, and polars reads
the lines; where one is, Python's csv reads the records; where a quotation mark never ends, each
line is a record again, and the rows with such marks are reported.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from kpi.errors import phrase
from kpi.reading.header import ROWS_SEARCHED, cleaned, find_header
from kpi.reading.table import (
    BATCH_ROWS,
    HEADER_AGAIN,
    STRAY_QUOTE,
    InputFile,
    Knows,
    TextTable,
    column,
    refuse,
)

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
_PROTECTED = '="'
"""How a spreadsheet is told to keep a number as text: ``="060101500001"``."""


@dataclass(frozen=True)
class _Text:
    """A text file as UTF-8 with line feeds: in memory, or on disk."""

    source: bytes | Path
    has_quotes: bool
    has_protected: bool
    is_damaged: bool
    """Whether a character of it may be none."""

    def head(self) -> list[str]:
        """Return its first lines, in which the header is looked for."""
        if isinstance(self.source, bytes):
            lines = self.source.split(b"\n", ROWS_SEARCHED + 1)[: ROWS_SEARCHED + 1]
            cut = [line[:LONGEST_LINE].decode("utf-8", "replace") for line in lines]
            return [cut[0].removeprefix("\ufeff"), *cut[1:]]
        with self.chars() as content:
            return content.read(LONGEST_LINE).split("\n")[: ROWS_SEARCHED + 1]

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
    delimiter, at, first = _find_header(head, knows)
    header = [cleaned(cell) for cell in first]
    form = {
        "format": "CSV",
        "encoding": _NAMES[look.encoding],
        "delimiter": _DELIMITERS[delimiter],
    }
    is_quoted = _is_quoted(text, delimiter)
    is_stray = is_quoted and not _quotes_end(text, delimiter)
    if is_stray:
        form["quotes"] = "one never ends"
    rows = _Rows(text, delimiter, at + 1, header, is_quoted and not is_stray)
    table = TextTable(
        file,
        header,
        at + 1,
        lambda: _batches(rows, is_stray),
        form,
        text.is_damaged,
        lambda places: _batches(rows, is_stray, places),
    )
    return look.sha256, [table]


# ----------------------------------------------------------------------------------------- bytes


@dataclass(frozen=True)
class _Look:
    """What one pass over a file's bytes tells."""

    sha256: str
    encoding: str
    is_damaged: bool
    is_plain: bool
    """Whether the bytes are UTF-8 with line feeds already."""
    has_quotes: bool
    has_protected: bool


def _look_at_bytes(file: InputFile) -> _Look:
    """Read a file once: hash, encoding, line ends, NUL bytes, longest line, quotes."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    line = wrong = right = 0
    seen = dict.fromkeys((b"\r", b"\0", b'"', _PROTECTED.encode()), False)
    wide, last = "", b""
    with file.path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            if not last:
                wide = _wide_encoding(chunk[:4096])
            digest.update(chunk)
            line = _line_so_far(file, chunk, line)
            if not wide:
                for mark, found in seen.items():
                    seen[mark] = found or mark in last + chunk
            last = chunk[-1:]
            if not wide and not (chunk.isascii() and not decoder.getstate()[0]):
                text = decoder.decode(chunk)
                damaged = text.count(DAMAGED)
                wrong += damaged
                right += len(text) - len(text.encode("ascii", "ignore")) - damaged
    if not last:
        raise refuse(
            file,
            "The file is empty.",
            expected="a header row and the rows of the table",
            do="Export the file again, or take it away if there are no such rows.",
        )
    wrong += bool(decoder.getstate()[0])
    encoding = wide or ("cp1251" if wrong > right else "utf-8")
    is_utf8 = encoding == "utf-8" and not wrong
    return _Look(
        sha256=digest.hexdigest(),
        encoding=encoding,
        is_damaged=not is_utf8 or seen[b"\0"],  # of other encodings it is not known before
        is_plain=is_utf8 and not seen[b"\r"] and not seen[b"\0"],
        has_quotes=bool(wide) or seen[b'"'],
        has_protected=bool(wide) or seen[_PROTECTED.encode()],
    )


def _wide_encoding(begin: bytes) -> str:
    """Return which UTF-16 a file begins in, by its mark or by its zeros; empty for none."""
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = begin[::2].count(0), begin[1::2].count(0)
    if even + odd < len(begin) // 4:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


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
    marks = (look.has_quotes, look.has_protected)
    if file.size <= IN_MEMORY:
        content, is_damaged = _whole(file, look)
        return _Text(content, *marks, is_damaged)
    if look.is_plain:
        return _Text(file.path, *marks, look.is_damaged)
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / f"{look.sha256}.csv"
    with copy.open("wb") as written:
        written.writelines(_encoded(file, look.encoding))
    return _Text(copy, *marks, look.is_damaged)


def _whole(file: InputFile, look: _Look) -> tuple[bytes, bool]:
    """Return what ``_encoded`` yields, of a file that fits into memory: at once is faster; and
    whether a character of it is none.
    """
    content = file.path.read_bytes()
    if look.is_plain:
        return content, look.is_damaged
    text = content.decode(look.encoding, "replace")
    is_damaged = DAMAGED in text or "\0" in text
    content = text.encode("utf-8", "replace")
    if b"\r" in content:  # split goes over the bytes faster than a replacement of two
        lines = content.split(b"\n")
        whole = b"\n".join([line[:-1] if line.endswith(b"\r") else line for line in lines])
        content = whole.replace(b"\r", b"\n")
    return content.replace(b"\0", DAMAGED.encode()), is_damaged


def _encoded(file: InputFile, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    returned = False
    with file.path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            text = decoder.decode(chunk)
            if returned and text.startswith("\n"):
                text = text[1:]
            returned = text.endswith("\r") or (returned and not text)
            yield _with_line_feeds(text)
        yield _with_line_feeds(decoder.decode(b"", final=True))


def _with_line_feeds(text: str) -> bytes:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", DAMAGED)
    return text.encode("utf-8", "replace")


# ---------------------------------------------------------------------------------------- header


def _find_header(head: list[str], knows: Knows) -> tuple[str, int, list[str]]:
    """Return the delimiter, the place of the header among the first lines, and its cells as they
    stand: by the delimiter under which most names are known, else by that which cuts most.
    """
    if whole := _all_known(head[0], knows):
        return whole[0], 0, whole[1]
    best: tuple[int, int] = (-1, -1)
    chosen = (",", 0, head[0] if head else "")
    for delimiter in _DELIMITERS:
        rows = [_cells(line, delimiter) for line in head]
        at, known = find_header([[cleaned(cell) for cell in row] for row in rows], knows)
        if (known, len(rows[at])) > best:
            best = (known, len(rows[at]))
            chosen = (delimiter, at, head[at])
    delimiter, at, line = chosen
    return delimiter, at, _cells(line, delimiter)


@lru_cache(maxsize=64)  # hundreds of files have one header
def _all_known(line: str, knows: Knows) -> tuple[str, list[str]] | None:
    """Return the delimiter and the cells of a line all of whose cells are known under it: nothing
    can know more, so other lines need not be looked at.
    """
    for delimiter in _DELIMITERS:
        first = _cells(line, delimiter)
        if knows([cleaned(cell) for cell in first]) == len(first) > 1:
            return delimiter, first
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


# ------------------------------------------------------------------------------------------ rows


@dataclass(frozen=True)
class _Rows:
    """The rows of a text: by what its cells are parted, in which line its header is."""

    text: _Text
    delimiter: str
    header_line: int
    header: list[str]
    quoted: bool

    @property
    def width(self) -> int:
        return len(self.header)


def _batches(
    rows: _Rows, stray: bool, places: Collection[int] | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text, with the columns at some places or with all."""
    if rows.quoted:
        batches = _quoted_batches(rows)
    else:
        batches = _plain_batches(rows, stray, places or range(rows.width))
    for batch in batches:
        right = _marked_headers(rows, batch)
        yield right if places else _unprotected(rows.text, right)


def _plain_batches(rows: _Rows, stray: bool, places: Collection[int]) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text in which a record is a line; rows of wrong length are marked,
    blank lines (no fields at all) left out.
    """
    is_right = not stray and _has_right_rows(rows)
    wrong = pl.DataFrame() if is_right else _wrong_rows(rows, stray)
    names = {column(place): pl.String for place in range(rows.width)}
    scanned = _scan(rows.text, rows.delimiter, names, rows.header_line)
    cells = [column(place) for place in sorted(places)]
    if wrong.is_empty():
        right = scanned.select("record", *cells, fields=pl.lit(None, pl.Int64))
        yield from right.collect_batches(chunk_size=BATCH_ROWS)
        return
    for batch in scanned.select("record", *cells).collect_batches(chunk_size=BATCH_ROWS):
        marked = batch.join(wrong, on="record", how="left", maintain_order="left")
        yield marked.filter(pl.col("fields").is_null() | (pl.col("fields") != 0))


def _has_right_rows(rows: _Rows) -> bool:
    """Whether a text in memory has as many fields in each line as in its header; False where it is
    not known. So many small files are looked at faster than by ``_wrong_rows``.
    """
    if not isinstance(rows.text.source, bytes):
        return False
    chars = np.frombuffer(rows.text.source, dtype=np.uint8)
    ends = np.flatnonzero(chars == ord("\n"))
    if rows.text.source[-1:] != b"\n":
        ends = np.append(ends, len(chars))
    before = np.searchsorted(np.flatnonzero(chars == ord(rows.delimiter)), ends)
    fields = np.diff(before, prepend=0)[rows.header_line :] + 1
    return bool((fields == max(rows.width, 2)).all())  # a blank line has one field


def _scan(
    text: _Text,
    delimiter: str,
    schema: dict[str, type[pl.String]],
    skipped: int,
    *,
    empty_is_null: bool = True,
) -> pl.LazyFrame:
    return pl.scan_csv(
        text.source,
        has_header=False,
        separator=delimiter,
        quote_char=None,
        infer_schema=False,
        schema=schema,
        skip_lines=skipped,
        empty_string_is_null=empty_is_null,
        truncate_ragged_lines=True,
        row_index_name="record",
        row_index_offset=skipped + 1,
        glob=False,
    ).with_columns(pl.col("record").cast(pl.Int64))


def _wrong_rows(rows: _Rows, stray: bool) -> pl.DataFrame:
    """Return record and fields of the lines whose number of fields is wrong, or that hold a
    quotation mark where ``stray`` says that one never ends. A blank line has no fields.
    """
    line = pl.col(_LINE)
    fields = line.str.count_matches(rows.delimiter, literal=True).cast(pl.Int64) + 1
    lines = _scan(rows.text, _NOWHERE, {_LINE: pl.String}, 0, empty_is_null=False)
    is_blank = line.fill_null("") == ""
    is_stray = line.str.replace_all(r'="[^"]*"', "").str.contains('"', literal=True)
    told = pl.when(is_blank).then(0).when(is_stray & stray).then(STRAY_QUOTE).otherwise(fields)
    return (
        lines.select("record", fields=told)
        .filter((pl.col("fields") != rows.width) & (pl.col("record") > rows.header_line))
        .collect(engine="streaming")
    )


def _quoted_batches(rows: _Rows) -> Iterator[pl.DataFrame]:
    """Yield the batches of a text with quoted cells."""
    width = rows.width
    with rows.text.chars() as content:
        numbered = enumerate(csv.reader(content, delimiter=rows.delimiter, strict=True), start=1)
        filled = ((n, row) for n, row in numbered if row and n > rows.header_line)
        while batch := list(islice(filled, BATCH_ROWS)):
            counts = [len(row) for _, row in batch]
            whole = [
                row if len(row) == width else [*row[:width], *[""] * (width - len(row))]
                for _, row in batch
            ]
            yield pl.DataFrame(
                {
                    "record": pl.Series([n for n, _ in batch], dtype=pl.Int64),
                    "fields": pl.Series(counts, dtype=pl.Int64),
                    **{
                        column(place): pl.Series(cells, dtype=pl.String)
                        for place, cells in enumerate(zip(*whole, strict=True))
                    },
                }
            ).with_columns(
                pl.col("fields").replace(width, None),
                pl.exclude("record", "fields").replace("", None),
            )


def _is_quoted(text: _Text, delimiter: str) -> bool:
    """Whether any cell begins with a quotation mark: elsewhere it is a character as any other."""
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


def _quotes_end(text: _Text, delimiter: str) -> bool:
    """Whether every quoted cell ends where it must."""
    with text.chars() as content:
        try:
            for _ in csv.reader(content, delimiter=delimiter, strict=True):
                pass
        except csv.Error:
            return False
    return True


def _unprotected(text: _Text, batch: pl.DataFrame) -> pl.DataFrame:
    """Take away what protects numbers in spreadsheets, where the text has any."""
    if not text.has_protected:
        return batch
    cells = [name for name in batch.columns if name not in ("record", "fields")]
    return batch.with_columns(unprotected(pl.col(name)).alias(name) for name in cells)


def unprotected(cell: pl.Expr) -> pl.Expr:
    """Return cells without what protects numbers in spreadsheets, null where nothing is left."""
    is_protected = cell.str.starts_with(_PROTECTED) & cell.str.ends_with('"')
    inside = cell.str.strip_prefix(_PROTECTED).str.strip_suffix('"')
    bare = pl.when(is_protected & (cell != _PROTECTED)).then(inside).otherwise(cell)
    return pl.when(bare != "").then(bare)


def _marked_headers(rows: _Rows, batch: pl.DataFrame) -> pl.DataFrame:
    """Mark the rows that repeat the header."""
    if not rows.header or not batch.height:
        return batch
    names = [name for place in range(rows.width) if (name := column(place)) in batch.columns]
    header = [rows.header[place] for place in range(rows.width) if column(place) in batch.columns]
    if not _holds(batch[names[0]], header[0]):
        return batch
    again = pl.all_horizontal(
        unprotected(pl.col(name)).eq_missing(pl.lit(cell or None))
        for name, cell in zip(names, header, strict=True)
    )
    return batch.with_columns(
        fields=pl.when(again).then(pl.lit(HEADER_AGAIN, pl.Int64)).otherwise(pl.col("fields"))
    )


def _holds(cells: pl.Series, text: str) -> bool:
    """Whether a cell has a text, be it protected."""
    return bool((cells == text).any() or (cells == f'{_PROTECTED}{text}"').any())
