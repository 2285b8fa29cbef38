"""Published rounds for tests: a store with a version, a signature and a draft, and short calls."""

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inputs import (
    ROUND,
    Tables,
    agreement,
    graduate,
    quiet,
    reaches_the_gates,
    student,
    students,
    together,
)

from funding import publish as publishing
from funding.verify import Verification
from funding.verify import verify as verify_round
from kpi.journal import Entry
from kpi.rounds import open_round

SIGNATURE = "order-17.sig"
PEOPLE = "by = 'Б. Выдуманов'\napproved_by = 'А. Примерова'\n"
LAW = f"[[waivers]]\ncheck = \"not_an_integer\"\n{PEOPLE}reason = 'письмо № 5'\n"
DATE = f"[[waivers]]\ncheck = \"not_a_date\"\n{PEOPLE}reason = 'письмо № 6'\n"
BOTH = LAW + DATE
"""Waivers for the three errors of ``with_errors``."""


def sound() -> Tables:
    """One college, every row right, every gate passed."""
    return reaches_the_gates(students("EX-01", 30))


def with_errors() -> Tables:
    """Two colleges with three rejected rows in all: two courses that are no number, a day that is
    none. No gate hangs on them.
    """
    parts = []
    for college_id in ("EX-01", "EX-02"):
        members = students(college_id, 30)
        part = reaches_the_gates(members)
        part["dual_agreements"] = [agreement(of) for of in members[:15]]
        parts.append(part)
    wrong = [
        student("EX-01", course="3.7"),
        student("EX-02", course="3.7"),
        student("EX-02", enrolled_on="yesterday"),
    ]
    return together(*parts, {"students": wrong})


def with_a_gate_that_hangs_on_a_rejected_row() -> Tables:
    """7 of 10 graduates are in work; one more cannot be read: 8 of 11 for it, 7 of 11 against."""
    lost = graduate("EX-01", graduated_on="30.06.2025")
    return together(sound(), {"graduates": [lost]})


def publish_draft(store: Path, waivers: Path | str | None = None, **said: Any) -> Entry:
    """Publish the newest draft, unless ``said`` says otherwise; ``waivers``: a file or its text."""
    if isinstance(waivers, str):
        text, waivers = waivers, store.parent / "waivers.toml"
        waivers.write_text(text, encoding="utf-8")
    words = {"by": "А. Примерова", "approved_by": "Б. Выдуманов", "reason": "Приказ № 17"} | said
    round_id = words.pop("round_id", ROUND)
    return publishing.publish(store, round_id, waivers=waivers, report=quiet, **words)


def verified(store: Path, version: str | None = None, expect: str | None = None) -> Verification:
    """Verify a version of the round, by default what is opened by default."""
    return verify_round(open_round(store, ROUND, version), expect, quiet)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """The content of every file in a folder, by its place there."""
    there = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in there}


def copied(store: Path, to: Path, without: str = "") -> Path:
    """A copy of a store, to be done with as one likes; ``without`` folders of this pattern."""
    ignored = shutil.ignore_patterns(without) if without else None
    return Path(shutil.copytree(store, to / "rounds", ignore=ignored))


@contextmanager
def disk_with(size: int) -> Iterator[None]:
    """No file can grow beyond this size, as on a disk that is full: the write fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def as_somebody_else(store: Path) -> Iterator[None]:
    """The store may be read and not written: root, who may write anywhere, becomes nobody."""
    folders = [store, *(path for path in store.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for folder in folders:
            folder.chmod(0o755)
