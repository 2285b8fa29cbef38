"""A workbook as LibreOffice computes it: every formula recalculated, none believed."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""

Cells = dict[str, Any]


def has_libreoffice() -> bool:
    return shutil.which("soffice") is not None


def recalculate(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Open workbooks in LibreOffice with forced recalculation and save them into ``folder``."""
    profile = folder / "profile"
    settings = profile / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(ALWAYS, encoding="utf-8")
    out = folder / "recalculated"
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless"]
    command += ["--convert-to", "xlsx", "--outdir", str(out), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    made = [out / path.name for path in paths]
    assert all(path.exists() for path in made), done.stderr
    return made


def changed(path: Path, to: Path, cells: Mapping[str, Any]) -> Path:
    """Copy a workbook with the cells of some names set: as a user does who types into them."""
    book = openpyxl.load_workbook(path)
    for name, value in cells.items():
        sheet, cell = book.defined_names[name].attr_text.replace("$", "").split("!")
        book[sheet][cell] = value
    book.save(to)
    return to


def rows_of(path: Path, sheet: str, head: int = 3) -> list[Cells]:
    """The rows of a sheet by their columns' titles, as a viewer shows them; "" is nothing."""
    return rows_in(openpyxl.load_workbook(path, data_only=True, read_only=True), sheet, head)


def rows_in(book: Any, sheet: str, head: int = 3) -> list[Cells]:
    """The rows of a sheet of an open workbook; the titles stand in row ``head``."""
    lines = list(book[sheet].iter_rows(min_row=head, values_only=True))
    titles = [str(title) for title in lines[0] if title is not None]
    cells = [[None if cell == "" else cell for cell in line] for line in lines[1:]]
    return [dict(zip(titles, line, strict=False)) for line in cells]


def named_cells(path: Path) -> Cells:
    """What stands in every cell that has a name."""
    book = openpyxl.load_workbook(path, data_only=True)
    found = {}
    for name, defined in book.defined_names.items():
        sheet, cell = defined.attr_text.replace("$", "").split("!")
        found[name] = book[sheet.strip("'")][cell].value
    return found
