"""Which files the input has: those of a folder and its folders, of a ZIP, or single ones."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kpi.errors import CallError, DataError
from kpi.reading.archive import is_archive, is_passed_over, unpack
from kpi.reading.table import InputFile, refuse

_SETTINGS = (".md", ".toml", ".json", ".py", ".sql")
_PAPERS = (".pdf", ".png", ".jpg", ".jpeg", ".doc", ".docx")


@dataclass
class Gathered:
    """The files of an input by name, those left unread, and what of it could not be read."""

    files: list[InputFile] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    errors: list[DataError] = field(default_factory=list)


def gather(inputs: Sequence[Path], scratch: Path) -> Gathered:
    """Return the files of folders, archives and single files, each once, in order of name.

    Archives are unpacked below ``scratch``. Hidden files are passed over, and those that say
    something of the others by their ending (a README); letters, pictures and links to folders are
    left unread. Raises CallError for an input that does not exist.
    """
    gathered = Gathered()
    seen: set[Path] = set()
    for path in inputs:
        if not path.exists():
            raise CallError(
                "The input does not exist.",
                where=str(path),
                expected="a folder, a ZIP or a file such as students.csv",
                do="Check the path, or make a sample with `kpi sample`.",
            )
        for file in _files_of(path, gathered):
            if not file.path.is_file():  # a pipe would keep us waiting, a link may lead nowhere
                gathered.errors.append(_unreadable(file, "no file"))
            elif (own := file.path.resolve()) not in seen:
                seen.add(own)
                _add(gathered, file, scratch)
    gathered.files.sort(key=lambda file: file.name)
    return gathered


def _files_of(path: Path, gathered: Gathered) -> Iterator[InputFile]:
    if not path.is_dir():
        yield InputFile(path.name, path)
        return

    def told(error: OSError) -> None:
        place = Path(error.filename).relative_to(path).as_posix()
        gathered.errors.append(_unreadable(InputFile(place, path), error.strerror))

    for folder, folders, names in os.walk(path, onerror=told):
        inner = Path(folder).relative_to(path)
        folders[:] = sorted(one for one in folders if not is_passed_over(Path(one)))
        links = [one for one in folders if Path(folder, one).is_symlink()]
        empty = [inner] if not folders and not names and inner.parts else []
        gathered.unread += [one.as_posix() for one in [*empty, *(inner / one for one in links)]]
        for own in (inner / name for name in sorted(names)):
            if is_passed_over(own) or own.suffix.lower() in _SETTINGS:
                continue
            if own.suffix.lower() in _PAPERS:
                gathered.unread.append(own.as_posix())
            else:
                yield InputFile(own.as_posix(), path / own)


def _add(gathered: Gathered, file: InputFile, scratch: Path) -> None:
    try:
        if is_archive(file):
            place = scratch / f"archive-{len(gathered.files)}-{len(gathered.errors)}"
            gathered.files += unpack(file, place)
        else:
            gathered.files.append(file)
    except DataError as error:
        gathered.errors.append(error)
    except OSError as error:
        gathered.errors.append(_unreadable(file, error.strerror))


def _unreadable(file: InputFile, why: str | None) -> DataError:
    return refuse(
        file,
        "The file cannot be read.",
        found=why or "",
        do="Check that the file exists and may be read.",
    )
