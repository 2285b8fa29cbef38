"""Uploaded files: which are taken, and where they are while they are read.

A name comes from a stranger. Only its last part counts, only a name that intake reads is taken, and
the files stand in a folder of their owner's alone that is gone when the work is done, whatever
happens; what a killed process left is cleared by the next upload.
"""

import os
import re
import shutil
import socket
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from kpi.errors import CallError, phrase
from kpi.language import mark
from kpi.layouts.plain import table_of_name
from kpi.rounds import is_running

MB = 1_000_000
TOTAL = 400 * MB
"""Bytes of all files together: twice the national registers."""

MOST_FILES = 200
LONGEST_NAME = 100

_PREFIX = "college-kpi-upload"


class Upload(Protocol):
    """A file as it was sent: its name, its size in bytes, its content."""

    @property
    def name(self) -> str:
        """The name that the sender gave."""

    @property
    def size(self) -> int:
        """How many bytes."""

    def getbuffer(self) -> memoryview:
        """The content."""


def base_name(name: str) -> str:
    """Return the last part of a name, whichever system's separators it has."""
    return re.split(r"[/\\]", name)[-1]


def is_taken(name: str) -> bool:
    """Whether a file of this name would be read: ``students.csv``, ``students-north.parquet``."""
    own = base_name(name)
    return (
        table_of_name(own) is not None and own.isprintable() and len(own.encode()) <= LONGEST_NAME
    )


def faults(uploads: Sequence[Upload], most_bytes: int) -> list[CallError]:
    """Return why uploads are not taken, all reasons at once; none where they are.

    ``most_bytes`` is the bound of one file.
    """
    return list(_faults(uploads, most_bytes))


def _faults(uploads: Sequence[Upload], most_bytes: int) -> Iterator[CallError]:
    if strange := [one.name for one in uploads if not is_taken(one.name)]:
        yield CallError(
            mark("These files are no tables of a round."),
            found=_listed(strange),
            expected=mark(
                "colleges, students, graduates, dual_agreements, accreditations or assessments,"
                " as .csv or .parquet; several files of one table as students-north.csv,"
                " students-south.csv"
            ),
            do=mark("Rename the files, or take them away."),
        )
    times = Counter(base_name(one.name).casefold() for one in uploads)
    if twice := [name for name, count in times.items() if count > 1]:
        yield CallError(
            mark("Two files have one name."),
            found=_listed(twice),
            expected=mark("each file once; several files of one table as students-1.csv and so on"),
            do=mark("Take one of them away, or rename it."),
        )
    if large := [one.name for one in uploads if one.size > most_bytes]:
        yield CallError(
            mark("A file is too large."),
            found=_listed(large),
            expected=phrase("{size} MB", size=most_bytes // MB),
            do=mark("Split it, or send it as Parquet."),
        )
    total = sum(one.size for one in uploads)
    if total > TOTAL or len(uploads) > MOST_FILES:
        yield CallError(
            mark("The files are too many or too large together."),
            found=phrase("files: {files}; {size} MB", files=len(uploads), size=total // MB),
            expected=phrase("files: {files}; {size} MB", files=MOST_FILES, size=TOTAL // MB),
            do=mark("Send them as Parquet, or run the round with `kpi run`."),
        )


def _listed(names: Iterable[str]) -> str:
    """Return the first few names, cut, in one line."""
    names = list(names)
    shown = ["".join(c if c.isprintable() else "?" for c in name)[:80] for name in names[:8]]
    return ", ".join(shown) + (f" … ({len(names)})" if len(names) > len(shown) else "")


@contextmanager
def held(uploads: Sequence[Upload], most_bytes: int) -> Iterator[Path]:
    """Give a folder that holds the files and that only its owner may enter; it is gone when the
    block is left.

    Raises the first of ``faults``. An error of the block that names the folder names the files
    alone.
    """
    for fault in faults(uploads, most_bytes):
        raise fault
    _clear_abandoned()
    prefix = f"{_PREFIX}-{socket.gethostname()}-{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix))  # mode 0700
    try:
        for one in uploads:
            (folder / base_name(one.name)).write_bytes(one.getbuffer())
        yield folder
    except CallError as error:
        _forget(error, folder)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _forget(error: CallError, folder: Path) -> None:
    """Take a folder that is gone out of what an error says."""
    for one in {error, *error.each}:
        one.what = _without(one.what, folder)
        one.parts = {name: _without(text, folder) for name, text in one.parts.items()}


def _without(text: str, folder: Path) -> str:
    """Return a text without a folder; one that does not name it as it is: it may be a phrase."""
    return text.replace(f"{folder}/", "").replace(str(folder), "") if str(folder) in text else text


def _clear_abandoned() -> None:
    """Remove what processes of this machine left that no longer run."""
    ours = re.compile(rf"{_PREFIX}-{re.escape(socket.gethostname())}-(\d{{1,9}})-\w+")
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}-*"):
        named = ours.fullmatch(left.name)
        if named and not is_running(int(named[1])) and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
