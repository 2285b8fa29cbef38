"""What a dated file states, value by value, and what changed from one version to the next.

A value's place is a path such as ``gates.employment_rate.threshold``: entries of a list are told
apart by what names them, never by their position, so that a new entry moves no other.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic

from pydantic import BaseModel

from kpi.dated import DatedFile, File, Names, Stated, StatedValue, load_file
from kpi.resources import data_folder

_NAMED_BY = (
    ("attribute", "value"),  # coefficients
    ("code",),  # groups, KPIs, levels
    ("kpi",),  # gates
    ("gate",),  # phase_in
    ("league",),  # leagues, shares
    ("destination",),  # sources
)
"""The fields that name an entry of a list, the first that are there."""


@dataclass(frozen=True)
class Change:
    """A value that is not the same in two versions; None where a version does not state it."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Version(Generic[File]):
    """One shipped version of a file; ``changes`` against the one before it, none for the first."""

    file: File
    changes: list[Change]

    @property
    def start(self) -> dt.date:
        """The day from which it is in force."""
        return self.file.start


def stated(file: DatedFile) -> dict[str, Stated]:
    """Return every value and entry of a file that has its own reference and status, by path."""
    return {path: part for path, part in _parts("", file) if isinstance(part, Stated) and path}


def statuses(file: DatedFile) -> Counter[str]:
    """Return how many values and entries of a file have each status."""
    return Counter(entry.status for entry in stated(file).values())


def values(file: DatedFile) -> dict[str, Any]:
    """Return every value of a file by path; names in three languages are one value.

    What is not stated (an optional part, a bound that a league has not) has no path. The file's own
    name and start are no values.
    """
    return {
        path: part
        for path, part in _parts("", file)
        if path not in ("name", "start") and part is not None and _is_leaf(part)
    }


def changes(old: DatedFile, new: DatedFile) -> list[Change]:
    """Return what differs between two versions, in the order of the new one; what it states no
    more comes last. Numbers are compared as numbers: 0.7 is 0.70.
    """
    before, after = values(old), values(new)
    paths = [*after, *(path for path in before if path not in after)]
    found = [Change(path, before.get(path), after.get(path)) for path in paths]
    return [change for change in found if change.old != change.new]


def history(kind: str, name: str, model: type[File]) -> list[Version[File]]:
    """Return the shipped versions of a name, the newest first; none for a file of one's own.

    ``kind`` is ``methodology`` or ``rules``, as in ``data/``.
    """
    paths = sorted((data_folder() / kind / name).glob("*.toml"))
    files = [load_file(path, model) for path in paths]
    versions = [
        Version(file, changes(files[place - 1], file) if place else [])
        for place, file in enumerate(files)
    ]
    return versions[::-1]


def _parts(path: str, part: Any) -> Iterator[tuple[str, Any]]:
    """Yield a part and all that is in it, each with its path."""
    yield path, part
    if isinstance(part, Names):
        return
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            is_itself = isinstance(part, StatedValue) and name == "value"
            yield from _parts(path if is_itself else _join(path, name), getattr(part, name))
    elif isinstance(part, list):
        for entry in part:
            if isinstance(entry, BaseModel):
                yield from _parts(_join(path, _name_of(entry)), entry)


def _is_leaf(part: Any) -> bool:
    if isinstance(part, list):
        return not part or not isinstance(part[0], BaseModel)
    return isinstance(part, Names) or not isinstance(part, BaseModel)


def _name_of(entry: BaseModel) -> str:
    for fields in _NAMED_BY:
        if all(field in type(entry).model_fields for field in fields):
            return ".".join(str(getattr(entry, field)) for field in fields)
    raise ValueError(f"nothing names an entry of {type(entry).__name__}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
