"""A workbook as LibreOffice computes it: every formula recalculated, none believed."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.cell import coordinate_to_tuple

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


class Shown:
    """A workbook as a viewer shows it; every sheet is read once. "" is nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = openpyxl.load_workbook(path, data_only=True, read_only=True)
        self.sheets: dict[str, list[list[Any]]] = {}

    def lines(self, sheet: str) -> list[list[Any]]:
        """All cells of a sheet, line by line."""
        if sheet not in self.sheets:
            lines = self.book[sheet].iter_rows(values_only=True)
            self.sheets[sheet] = [[None if c == "" else c for c in line] for line in lines]
        return self.sheets[sheet]

    def rows(self, sheet: str) -> list[Cells]:
        """The rows that hold something, by their columns' titles, which stand in row 3."""
        head, *lines = self.lines(sheet)[2:]
        titles = [str(title) for title in head if title is not None]
        return [dict(zip(titles, line, strict=False)) for line in lines if any(line)]

    def named(self) -> Cells:
        """What stands in every cell that has a name."""
        found = {}
        for name, defined in self.book.defined_names.items():
            sheet, cell = defined.attr_text.replace("$", "").split("!")
            row, column = coordinate_to_tuple(cell)
            found[name] = self.lines(sheet)[row - 1][column - 1]
        return found

    def errors(self) -> list[str]:
        """The cells that show an error."""
        return [
            f"{sheet}, row {row}: {cell}"
            for sheet in self.book.sheetnames
            for row, line in enumerate(self.lines(sheet), start=1)
            for cell in line
            if isinstance(cell, str) and cell.startswith("#")
        ]
