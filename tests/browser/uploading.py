"""Exports of the national education database with one wrong cell, and how they are uploaded."""

from pathlib import Path
from zipfile import ZipFile

from browsing import Person

from kpi.language import Speaker
from kpi.sample import write_sample

LONG = 180_000
"""Milliseconds that a check or a round may take on a busy machine."""


def with_a_wrong_form(folder: Path) -> Path:
    """Write the synthetic round as exports, a form of study misspelt in one; return that one."""
    write_sample(folder, colleges=30, students=2_000, layout="contingent-export")
    export = min(folder.glob("contingent/*/*.csv"))
    text = export.read_text(encoding="utf-16")
    export.write_text(text.replace("очная", "дистанционная", 1), encoding="utf-16")
    return export


def packed(folder: Path, path: Path) -> Path:
    """Return the files of a folder as a ZIP."""
    with ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def check_files(one: Person, path: Path, words: Speaker) -> None:
    """Upload a file on the page Data check and have it checked."""
    one.page.locator("input[type=file]").set_input_files(str(path))
    one.settle()
    one.page.get_by_role("button", name=words.say("Check the files")).click()
    one.page.get_by_text(words.say("Forget this result")).wait_for(timeout=LONG)
    one.settle()
