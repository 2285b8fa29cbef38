"""Which files the input has: those of a folder and its folders, of a ZIP, or single ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kpi.errors import CallError, DataError
from kpi.reading.archive import is_archive, unpack
from kpi.reading.table import InputFile

_NOT_DATA = (".md", ".toml", ".json", ".pdf", ".png", ".docx", ".py", ".sql")


@dataclass
class Gathered:
    """The files of an input by name, and what of it could not be unpacked."""

    files: list[InputFile] = field(default_factory=list)
    errors: list[DataError] = field(default_factory=list)


def gather(inputs: Sequence[Path], scratch: Path) -> Gathered:
    """Return the files of folders, archives and single files, in order of name.

    Archives are unpacked below ``scratch``. Hidden files and files that are no data by their ending
    (a README) are passed over. Raises CallError for an input that does not exist.
    """
    gathered = Gathered()
    for path in inputs:
        if not path.exists():
            raise CallError(
                "The input does not exist.",
                where=str(path),
                expected="a folder, a ZIP or a file such as students.csv",
                do="Check the path, or make a sample with `kpi sample`.",
            )
        for file in _files_of(path):
            _add(gathered, file, scratch)
    gathered.files.sort(key=lambda file: file.name)
    return gathered


def _files_of(path: Path) -> Iterator[InputFile]:
    if path.is_dir():
        for found in sorted(path.rglob("*")):
            name = found.relative_to(path)
            is_hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
            if found.is_file() and not is_hidden and found.suffix.lower() not in _NOT_DATA:
                yield InputFile(name.as_posix(), found)
    else:
        yield InputFile(path.name, path)


def _add(gathered: Gathered, file: InputFile, scratch: Path) -> None:
    try:
        if is_archive(file):
            place = scratch / f"archive-{len(gathered.files)}-{len(gathered.errors)}"
            gathered.files += unpack(file, place)
        else:
            gathered.files.append(file)
    except DataError as error:
        gathered.errors.append(error)
