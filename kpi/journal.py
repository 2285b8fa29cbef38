"""The journal of a store: who did what, when and why, as a chain of hashes (DESIGN §7).

``<store>/journal.jsonl`` has one JSON object a line. ``previous`` is the SHA-256 of the line
before, without its line end; 64 zeros in the first. Who knows the hash of a line knows that nothing
before it was changed, dropped or moved. The chain alone cannot tell that all of it was written
anew: that is why the hash of the newest line is quoted in the signed order.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kpi.errors import CallError, DataError, phrase

FIRST = "0" * 64
_NAME = "journal.jsonl"


@dataclass(frozen=True)
class Entry:
    """One line: its number from 1, its hash, and what it says."""

    number: int
    sha256: str
    content: dict[str, Any]


def read_journal(store: Path) -> list[Entry]:
    """Return the lines of a store's journal; none where there is no journal.

    Raises DataError that names the first line that is no line of a journal or does not follow from
    the one before it.
    """
    path = store / _NAME
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    last = lines.pop()
    if last:
        lines.append(last)
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        content = _content(path, number, line)
        expected = entries[-1].sha256 if entries else FIRST
        if content["previous"] != expected:
            raise _broken(
                path,
                number,
                f"previous is {content['previous']}",
                phrase("{hash}, the line before", hash=expected),
            )
        entries.append(Entry(number, hashlib.sha256(line).hexdigest(), content))
    if last:
        raise _broken(
            path, len(lines), phrase("no line end"), phrase("a line that was written to its end")
        )
    return entries


def _content(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line)
        written = _line(content)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or "previous" not in content:
        shown = line[:80].decode("utf-8", "replace")
        raise _broken(path, number, shown, phrase("a JSON object with `previous`"))
    if written != line:
        raise _broken(
            path, number, phrase("another way of writing it"), phrase("keys in order, no spaces")
        )
    return content


def _broken(path: Path, number: int, found: str, expected: str) -> DataError:
    return DataError(
        "The journal is broken.",
        where=f"{path}, line {number}",
        found=found,
        expected=expected,
        do="Compare it with a copy: from this line on, what it says cannot be trusted.",
    )


def append(store: Path, content: dict[str, Any]) -> Entry:
    """Add a line and return it. The file is replaced whole: it has the line or it has not.

    Call it within ``locked``. Raises DataError when the journal is broken, CallError for text that
    no file can hold.
    """
    path = store / _NAME
    entries = read_journal(store)
    try:
        line = _line(content | {"previous": entries[-1].sha256 if entries else FIRST})
    except UnicodeEncodeError as error:
        raise CallError(
            "The journal cannot hold this text; nothing was written.",
            where=str(path),
            found=ascii(error.object[error.start : error.end]),
            expected="text in UTF-8",
            do="Give the words again, on a terminal that speaks UTF-8.",
        ) from error
    whole = (path.read_bytes() if path.exists() else b"") + line + b"\n"
    aside = path.with_name(f".{_NAME}-{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return Entry(len(entries) + 1, hashlib.sha256(line).hexdigest(), json.loads(line))


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(
        content, allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the store's lock, so that one process at a time publishes.

    Raises CallError at once when another holds it, or the store cannot be written.
    """
    lock = FileLock(store / ".journal.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise CallError(
            "Somebody else is publishing in this store at this moment.",
            where=str(store),
            found=phrase("its journal is locked by another process"),
            do="Wait until it is done, look at what was published, and decide again.",
        ) from error
    except OSError as error:
        raise CallError(
            "The store of rounds cannot be written; nothing was published.",
            where=str(store),
            found=error.strerror or str(error),
            do="Make the store writable, or publish as somebody who may write there.",
        ) from error
    try:
        yield
    finally:
        lock.release()
