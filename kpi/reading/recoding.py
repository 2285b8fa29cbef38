"""Text files in UTF-8, UTF-16 or Windows-1251 as UTF-8 with line feeds.

A file is looked at whole before its first row is used: encoding, line ends, longest line, quotes.
What a sheet of bytes cannot say (a byte that is no character, a NUL) becomes U+FFFD, which intake
reports in the cell where it stands.
"""

import codecs
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kpi.errors import phrase
from kpi.reading.table import InputFile, refuse

LONGEST_LINE = 1 << 20  # bytes: no register row comes near it; a longer one is a broken file
IN_MEMORY = 1 << 25  # bytes: a smaller file is not copied to disk
CHUNK = 1 << 20
DAMAGED = "\ufffd"
"""Stands for a byte that is no character."""

_NAMES = {"utf-8": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
_NAMES |= {"cp1251": "Windows-1251"}
_MIXED = "Windows-1251 and UTF-8"
_LONE_RETURN = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True)
class Text:
    """A text file as UTF-8 with line feeds: in memory, or on disk."""

    source: bytes | Path
    sha256: str
    """Of the file."""
    encoding: str
    """Of the file, as a user knows it."""
    has_quotes: bool
    is_damaged: bool
    """Whether a character of it may be none."""

    @property
    def size(self) -> int:
        """How many bytes."""
        if isinstance(self.source, bytes):
            return len(self.source)
        return self.source.stat().st_size

    def head(self, size: int = LONGEST_LINE) -> str:
        """Return its beginning, of so many bytes."""
        with self.content() as content:
            return content.read(size).removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")

    def content(self) -> IO[bytes]:
        """Open its bytes."""
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        return self.source.open("rb")

    def chars(self) -> IO[str]:
        """Open its characters."""
        return io.TextIOWrapper(self.content(), encoding="utf-8-sig", newline="")


def as_utf8(file: InputFile, scratch: Path) -> Text:
    """Return a file's text: in memory, where it stands, or copied below ``scratch``.

    Raises DataError for a file that is empty or no text, or has a line too long for any register.
    """
    whole = file.path.read_bytes() if file.size <= IN_MEMORY else None
    with file.path.open("rb") if whole is None else io.BytesIO(whole) as content:
        look = _look_at_bytes(file, content)
    source, is_damaged = _recoded(file, whole, look, scratch)
    encoding = _MIXED if look.is_mixed else _NAMES[look.encoding]
    return Text(source, look.sha256, encoding, look.has_quotes, is_damaged)


def _recoded(
    file: InputFile, whole: bytes | None, look: "_Look", scratch: Path
) -> tuple[bytes | Path, bool]:
    """Return the text, and whether a character of it may be none."""
    if whole is not None:
        return _at_once(whole, look)
    if look.is_plain:
        return file.path, look.is_damaged
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / f"{look.sha256}.csv"
    with copy.open("wb") as written:
        written.writelines(_encoded(file, look))
    return copy, look.is_damaged


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


def _look_at_bytes(file: InputFile, content: IO[bytes]) -> _Look:
    """Read a file once: hash, encoding, line ends, NUL bytes, longest line, quotes."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    line = wrong = right = lost = 0
    seen = dict.fromkeys((b"\r", b"\0", b'"'), False)
    wide, last = "", b""
    while chunk := content.read(CHUNK):
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
        raise empty(file)
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


def _at_once(content: bytes, look: _Look) -> tuple[bytes, bool]:
    """Return what ``_encoded`` yields, of a file that fits into memory: at once is faster; and
    whether a character of it is none.
    """
    if look.is_plain:
        return content, look.is_damaged
    text = _by_line(content) if look.is_mixed else content.decode(look.encoding, "replace")
    content = text.encode("utf-8", "replace")
    if b"\r" in content:
        if _LONE_RETURN.search(content):
            content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        else:  # many times faster than to replace two bytes by one
            content = content.replace(b"\r", b"")
    is_damaged = DAMAGED in text or b"\0" in content
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
    while chunk := content.read(CHUNK):
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


def empty(file: InputFile) -> Exception:
    """Return the error of a file in which nothing stands."""
    return refuse(
        file,
        "The file is empty.",
        expected="a header row and the rows of the table",
        do="Export the file again, or take it away if there are no such rows.",
    )
