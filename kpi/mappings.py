"""Mappings: how the columns of another system's export become those of an input table.

A dated file, ``data/mappings/<layout>/<start>.toml``, which staff edit when the export changes.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from kpi.contract import TableContract
from kpi.dated import (
    DatedFile,
    Stated,
    Strict,
    Words,
    in_force,
    load_file,
    newest,
    path_of,
    refuse,
    repeated,
    versions,
)
from kpi.tables import TABLES

KIND = "mappings"
COLLEGE = "college_id"
"""No export of one college has this column: kpi/layouts/attribution.py says whose file it is."""

Take = Literal["cell", "leading_code", "specialty_of_code", "leading_number", "values"]
"""How a cell becomes the value: as it stands, its first code, the specialty of the qualification
whose code it begins with, its first number, by a list of values.
"""

_ATTRIBUTE = re.compile(r"(?P<name>.*?)\s*\[(?P<attribute>[^\[\]]+)\]")


@dataclass(frozen=True)
class Heading:
    """A column's heading: its name, casefolded, and the number of its attribute if it has one."""

    name: str
    attribute: str


def heading_of(cell: str) -> Heading:
    """Split a heading: ``Курс обучения [5802]``."""
    text = " ".join(cell.split())
    if text.endswith("]") and (found := _ATTRIBUTE.fullmatch(text)):
        return Heading(_folded(found["name"]), found["attribute"].strip())
    return Heading(_folded(text), "")


def _folded(name: str) -> str:
    return " ".join(name.split()).rstrip(" :").casefold()


class Place(Strict):
    """A column of the export, by the number of its attribute, else by one of its names."""

    attribute: Words | None = None
    names: list[Words] = []

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        refuse([] if self.attribute or self.names else ["has neither attribute nor names"])
        return self

    @cached_property
    def folded(self) -> frozenset[str]:
        """Its names as headings have them."""
        return frozenset(map(_folded, self.names))

    @property
    def shown(self) -> str:
        """Return the column as an export heads it."""
        name = self.names[0] if self.names else ""
        return f"{name} [{self.attribute}]".strip() if self.attribute else name


class Texts(Stated):
    """The texts that mean one value; with ``begins`` whatever begins with one of them does."""

    value: Words
    texts: list[Words] = Field(min_length=1)
    begins: bool = False


class Source(Place):
    """A column that a value is taken from, and how."""

    take: Take = "cell"
    values: list[Texts] = []
    otherwise: Words | None = None
    """The value of any other text."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        if (self.take == "values") != bool(self.values):
            yield "values: are given exactly where take is values"
        if self.otherwise is not None and self.take != "values":
            yield "otherwise: stands only where take is values"
        yield from repeated(
            "values: the text",
            [text_key(text) for group in self.values for text in group.texts],
        )


class Column(Stated):
    """A column of the input table and where it comes from: the first source that is not empty."""

    column: Words
    sources: list[Source] = Field(min_length=1)
    empty: Words | None = None
    """The value where all sources are empty."""
    absent: Words | None = None
    """The value in a file that has none of the sources."""


class NeverRead(Strict):
    """Columns of the export that nothing is read from, and why."""

    reason: Literal["personal", "not_needed"]
    columns: list[Place] = Field(min_length=1)


class Mapping(DatedFile):
    """A dated mapping of an export onto one input table."""

    table: Literal["students"]
    columns: list[Column]
    never_read: list[NeverRead] = []

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse([*self._column_faults(), *self._value_faults(), *self._place_faults()])
        return self

    @property
    def contract(self) -> TableContract:
        """The input table."""
        return TableContract(self.table)

    def unread(self) -> list[Place]:
        """Return the columns that are known and never read."""
        return [place for group in self.never_read for place in group.columns]

    def places(self) -> list[Place]:
        """Return all columns that are known."""
        return [source for column in self.columns for source in column.sources] + self.unread()

    def _column_faults(self) -> Iterator[str]:
        contract = self.contract
        own = [column.column for column in self.columns]
        yield from repeated("columns", own)
        for name in own:
            if name == COLLEGE or name not in contract.types:
                expected = ", ".join(each for each in contract.types if each != COLLEGE)
                yield f"columns.{name}: is no column to be read; expected one of {expected}"
        for name in contract.required:
            if name not in (*own, COLLEGE):
                yield f"columns: {name} is missing, which {self.table} must have"

    def _value_faults(self) -> Iterator[str]:
        for column in self.columns:
            allowed = _allowed(self.table, column.column)
            if not allowed:
                continue
            given = [group.value for source in column.sources for group in source.values]
            given += [source.otherwise for source in column.sources if source.otherwise]
            given += [value for value in (column.empty, column.absent) if value]
            for value in dict.fromkeys(given):
                if value not in allowed:
                    yield (
                        f"columns.{column.column}: the value {value} is none of"
                        f" {', '.join(allowed)}"
                    )

    def _place_faults(self) -> Iterator[str]:
        for column in self.columns:
            shown = [source.shown for source in column.sources]
            yield from repeated(f"columns.{column.column}.sources", shown)
            for source in column.sources:
                for place in self.unread():
                    if _same(place, source):
                        yield f"never_read: {place.shown} is read for {column.column}"


def _same(one: Place, other: Place) -> bool:
    if one.attribute and other.attribute:
        return one.attribute == other.attribute
    return bool(one.folded & other.folded)


def _allowed(table: str, column: str) -> list[str]:
    """Return the values that a column of an input table may have, where they are a list."""
    schema = TABLES[table].to_schema().columns
    if column not in schema:
        return []
    if schema[column].dtype.type == pl.Boolean:
        return ["true", "false"]
    for check in schema[column].checks:
        if check.name == "isin":
            return list(check.statistics["allowed_values"])
    return []


def text_key(text: str) -> str:
    """Return a text as lists of values are matched: single spaces, in small letters."""
    return " ".join(text.split()).lower()


# ------------------------------------------------------------------------------------------ files


@dataclass(frozen=True, eq=False)
class Loaded:
    """A mapping and what names it: SHA-256 of the file."""

    mapping: Mapping
    sha256: str

    @property
    def named(self) -> dict[str, str]:
        """What ``sources.json`` says of it."""
        mapping = self.mapping
        return {"name": mapping.name, "start": str(mapping.start), "sha256": self.sha256}


def mapping_in_force(name: str, on: dt.date | None) -> Loaded:
    """Return the mapping whose start is the latest not after a day; without one, the newest.

    Read once while its files stay as they are. Raises CallError for a wrong file, and where none is
    in force on the day.
    """
    files = versions(KIND, name)
    return _in_force(name, on, tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=8)
def _in_force(name: str, on: dt.date | None, _files: tuple[tuple[Path, int], ...]) -> Loaded:
    mapping = newest(KIND, name, Mapping) if on is None else in_force(KIND, name, on, Mapping)
    content = path_of(KIND, name, mapping).read_bytes()
    return Loaded(mapping, hashlib.sha256(content).hexdigest())


def mapping_named(name: str, start: str, sha256: str) -> Mapping | None:
    """Return the mapping that ``Loaded.named`` names; None where its file is gone or was edited."""
    for path in versions(KIND, name):
        if path.stem == start and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return load_file(path, Mapping)
    return None


@lru_cache(maxsize=8)
def known_places(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the attributes and the casefolded names of columns that any version knows: by them
    the header of a file is found, so they are read once a process.
    """
    places = [place for path in versions(KIND, name) for place in load_file(path, Mapping).places()]
    names: Iterable[str] = (folded for place in places for folded in place.folded)
    return frozenset(place.attribute for place in places if place.attribute), frozenset(names)
