"""What a file is, by its content, and its tables of text."""

from mmap import ACCESS_READ, mmap
from pathlib import Path

from kpi.reading.columnar import open_parquet
from kpi.reading.sheets import open_workbook
from kpi.reading.table import InputFile, Knows, TextTable, refuse
from kpi.reading.text import open_text

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_OTHER = {
    b"%PDF": "PDF",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "RAR",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
}


def open_file(file: InputFile, knows: Knows, scratch: Path) -> tuple[str, list[TextTable]]:
    """Return a file's SHA-256 and its tables: one, or one for each sheet that holds something.

    ``knows`` counts names of columns that a layout knows: by it header row and delimiter are found.
    Text that is no UTF-8 is copied as UTF-8 below ``scratch``. Raises DataError when the file as a
    whole cannot be read.
    """
    try:
        with file.path.open("rb") as content:
            begin = content.read(8)
        if begin.startswith(b"PK\3\4"):
            return open_workbook(file, knows)
        if begin.startswith(b"PAR1"):
            return open_parquet(file)
        if begin == _OLE:
            raise _old_or_locked(file)
        for signature, name in _OTHER.items():
            if begin.startswith(signature):
                raise refuse(
                    file,
                    "The file is neither text nor a workbook nor Parquet.",
                    found=name,
                    expected="CSV, XLSX, Parquet or ZIP",
                    do="Unpack or export it again, or take it away.",
                )
        return open_text(file, knows, scratch)
    except OSError as error:
        raise refuse(
            file,
            "The file cannot be read.",
            found=error.strerror or str(error),
            do="Check that the file exists and may be read.",
        ) from error


def _old_or_locked(file: InputFile) -> Exception:
    with (
        file.path.open("rb") as content,
        mmap(content.fileno(), 0, access=ACCESS_READ) as all_of_it,
    ):
        is_locked = all_of_it.find(_LOCKED) >= 0
    if is_locked:
        return refuse(
            file,
            "The workbook is locked with a password.",
            do="Save it without a password.",
        )
    return refuse(
        file,
        "The workbook has the old format of before 2007.",
        found="XLS",
        expected="a workbook of the format XLSX",
        do="Save it as XLSX.",
    )
