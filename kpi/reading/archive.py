"""ZIP archives, which come from strangers: what is unpacked is bounded, and stays in its place."""

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePath, PurePosixPath

from kpi.errors import phrase
from kpi.reading.table import InputFile, refuse

GB = 1_000_000_000
MOST_BYTES = 16 * GB
MOST_FILES = 10_000
MOST_RATIO = 1_000
"""How often larger than the archive its content may be: text is packed 10 to 100 times."""

_RATIO_FROM = 100_000_000  # bytes; a small file may be packed as well as it likes
_WORKBOOK = "[Content_Types].xml"
_CHUNK = 1 << 20
_NAMES_ARE_UTF8 = 0x800  # a member's flag


def is_archive(file: InputFile) -> bool:
    """Whether a file is a ZIP that holds files, by its content; a workbook is none.

    Raises DataError for a ZIP that cannot be opened.
    """
    with file.path.open("rb") as content:
        if content.read(4) not in (b"PK\3\4", b"PK\5\6"):
            return False
    with opened(file) as archive:
        return _WORKBOOK not in archive.namelist()


_most: ContextVar[int] = ContextVar("most bytes unpacked", default=MOST_BYTES)


@contextmanager
def bounded(most_bytes: int) -> Iterator[None]:
    """Within the block, let no archive or workbook unpack to more bytes, and believe none what it
    says of its size.
    """
    token = _most.set(most_bytes)
    try:
        yield
    finally:
        _most.reset(token)


@contextmanager
def opened(file: InputFile) -> Iterator[zipfile.ZipFile]:
    """Give an archive whose content is bounded. Raises DataError for a damaged or a hostile one."""
    try:
        with zipfile.ZipFile(file.path) as archive:
            _require_bounds(file, archive)
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise refuse(
            file,
            "The archive is damaged or cut off.",
            found=str(error),
            do="Copy or export it again.",
        ) from error


def unpack(file: InputFile, place: Path) -> list[InputFile]:
    """Unpack the files of an archive below ``place``; their names begin with the archive's.

    Raises DataError for members that lead out of the archive, are locked, or are archives.
    """
    found = []
    with opened(file) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for number, member in enumerate(members):
            parts = PurePosixPath(_name_of(member).replace("\\", "/")).parts
            _require_plain(file, member, parts)
            if is_passed_over(PurePosixPath(*parts)):
                continue
            path = place / str(number)  # its own name may be none that a disk takes
            place.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as content, path.open("xb") as copy:
                shutil.copyfileobj(content, copy, _CHUNK)  # no more bytes than the member says
            inner = InputFile(f"{file.name}/{'/'.join(parts)}", path)
            if is_archive(inner):
                raise refuse(
                    inner,
                    "An archive stands inside an archive.",
                    do="Unpack the inner archive, and give its files.",
                )
            found.append(inner)
    if not found:
        raise refuse(
            file,
            "The archive holds no files.",
            expected="a folder, a ZIP or a file such as students.csv",
            do="Pack the files again, from inside their folder.",
        )
    return found


def _name_of(member: zipfile.ZipInfo) -> str:
    """Return a member's name. Where an archive does not say that names are UTF-8, they may be, or
    are in the code page 866 that Russian Windows writes; zipfile takes them for 437.
    """
    if member.flag_bits & _NAMES_ARE_UTF8:
        return member.filename
    name = member.filename.encode("cp437")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp866")


def is_passed_over(name: PurePath) -> bool:
    """Whether a file is one that a system or an office program leaves beside those of people."""
    hidden = any(part.startswith((".", "~$")) for part in name.parts)
    return hidden or "__MACOSX" in name.parts or name.name in ("Thumbs.db", "desktop.ini")


def _require_bounds(file: InputFile, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    is_bomb = total > _RATIO_FROM and total > MOST_RATIO * file.size
    most = _most.get()
    if total > most or len(members) > MOST_FILES or is_bomb:
        raise refuse(
            file,
            "The archive unpacks to more than is taken.",
            found=phrase("{files} files, {size} MB", files=len(members), size=total // 1_000_000),
            expected=phrase(
                "at most {files} files, {size} GB, and {ratio} times the archive's own size",
                files=MOST_FILES,
                size=most // GB,
                ratio=MOST_RATIO,
            ),
            do="Send the files unpacked, or in several archives.",
        )
    if most < MOST_BYTES and (broken := archive.testzip()):
        raise zipfile.BadZipFile(f"{broken[:100]!r} is not as large as it says, or damaged")


def _require_plain(file: InputFile, member: zipfile.ZipInfo, parts: tuple[str, ...]) -> None:
    leads_out = not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]
    is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
    if leads_out or is_link:
        raise refuse(
            file,
            "A member of the archive leads out of it.",
            found=repr(member.filename)[:100],
            do="Pack the files again, from inside their folder.",
        )
    if member.flag_bits & 1:
        raise refuse(
            file,
            "The archive is locked with a password.",
            found=repr(member.filename)[:100],
            do="Pack the files again without a password.",
        )
