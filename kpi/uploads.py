"""Uploaded files: which are taken, and where they are while they are read.

A name comes from a stranger. Only its last part counts, only a name that intake reads is taken, and
the files stand in a folder of their owner's alone that is gone when the work is done, whatever
happens; what a killed process left is cleared by the next upload.
"""

import contextlib
import os
import re
import shutil
import socket
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from kpi.errors import CallError, phrase
from kpi.language import mark
from kpi.reading.archive import bounded
from kpi.rounds import is_running

MB = 1_000_000
TOTAL = 400 * MB
"""Bytes of all files together: twice the national registers."""

UNPACKED = 1_000 * MB
"""Bytes that an archive or workbook may unpack to, and all of them together; the command line takes
more.
"""

MOST_FILES = 1_000
LONGEST_NAME = 200

_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet", ".zip")
_NAME = re.compile(r"\w[\w .,()№«»'’–—-]*")

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
    """Whether a file of this name is taken: its ending is one of a table or an archive, and the
    rest is a name. What it holds, reading finds out by its content.
    """
    own = base_name(name)
    return (
        own.lower().endswith(_ENDINGS)
        and _NAME.fullmatch(own) is not None
        and own.isprintable()
        and len(own.encode()) <= LONGEST_NAME
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
                "files of letters, digits and spaces that end in .csv, .tsv, .txt, .xlsx, .parquet"
                " or .zip"
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
        _require_small(folder)
        with bounded(UNPACKED):
            yield folder
    except CallError as error:
        _forget(error, folder)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_small(folder: Path) -> None:
    """Raise CallError where archives and workbooks together unpack to more than is taken."""
    total = 0
    for path in folder.iterdir():
        if zipfile.is_zipfile(path):
            with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as packed:
                total += sum(member.file_size for member in packed.infolist())
    if total > UNPACKED:
        raise CallError(
            mark("The files unpack to more than is taken."),
            found=phrase("{size} MB", size=total // MB),
            expected=phrase("{size} MB", size=UNPACKED // MB),
            do=mark("Send them as Parquet, or run the round with `kpi run`."),
        )


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
