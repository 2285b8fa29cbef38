"""The contingent export of the national education database: one file a college, its columns named
in Russian with the numbers of attributes, read as ``students`` by a dated mapping.

The mapping (kpi/mappings.py) says which column is what; whose file it is says kpi/layouts/
attribution.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from kpi.errors import DataError, phrase
from kpi.layouts.attribution import college_of
from kpi.layouts.rows import FileColumn, Given, InBulk, TableRows
from kpi.mappings import (
    COLLEGE,
    Column,
    Loaded,
    Place,
    Source,
    heading_of,
    known_places,
    mapping_in_force,
    mapping_named,
    text_key,
)
from kpi.reading.table import TextTable, column
from kpi.reading.tidying import PROTECTED, unprotected

NAME = "contingent-export"

_LEAST_ATTRIBUTES = 3
_LEAST_NAMES = 8
"""So many known attributes, or names and attributes, in a header make it one of this layout,
whatever it lacks."""

_CODE = r"^\s*([34][WS][0-9]{8}|[0-9]{7,8})(?:[^0-9]|$)"
_SPECIALTY = r"^\s*(?:[34][WS])?([0-9]{6})[0-9]{2}(?:[^0-9]|$)"
_NUMBER = r"^\s*([0-9]+)(?:[^0-9]|$)"


def knows(cells: Sequence[str]) -> int:
    """Count how many of some texts are columns of the export."""
    attributes, names = known_places(NAME)
    headings = [heading_of(cell) for cell in {*cells} if cell]
    return sum(
        heading.attribute in attributes if heading.attribute else heading.name in names
        for heading in headings
    )


def rows_of(table: TextTable, given: Given) -> TableRows | None:
    """Return the rows of ``students`` of one college's export; None for a table that is none.

    Raises DataError where columns are missing or stand there twice, or nothing says whose file it
    is; CallError for a wrong mapping, or where none is in force on the day; RegisterNeeded.
    """
    known = _numbered(tuple(table.header))
    if len(known) < _LEAST_ATTRIBUTES and knows(table.header) < _LEAST_NAMES:
        return None
    loaded = mapping_in_force(NAME, given.on)
    mapping = loaded.mapping
    found = _find(tuple(table.header), loaded)
    where = f"{table.name}, record {table.header_record}"
    if found.twice:
        raise DataError(
            "The header is wrong.",
            where=where,
            found=phrase("two columns of one name: {names}", names=", ".join(found.twice)),
            expected="one name for each column, each name once",
            do="Correct the first line of the file.",
        )
    if found.missing:
        raise DataError(
            "The header lacks columns that the table must have.",
            where=where,
            found=", ".join(known),
            expected=", ".join(found.missing),
            do="Export the contingent again with these columns.",
        )
    college, by = college_of(table.file, given)
    return TableRows(
        table=mapping.table,
        layout=NAME,
        headers=found.headers,
        left_out=found.left_out,
        batches=lambda: map(found.mapped, _batches(table, college, found)),
        form={"mapping": loaded.named, COLLEGE: college, "college_by": by},
        notes=tuple(_notes(loaded, found)),
        in_bulk=InBulk(lambda: _batches(table, college, found), found.mapped),
    )


def headers_of(files: Iterable[dict[str, Any]]) -> dict[str, Mapping[str, FileColumn]]:
    """Return what the exports among a round's files call their columns, as far as the mapping that
    they were read by still is what it was; ``files`` as in ``sources.json``.
    """
    return {entry["file"]: _columns(**entry["mapping"]) for entry in files if entry.get("mapping")}


@lru_cache(maxsize=32)
def _columns(name: str, start: str, sha256: str) -> dict[str, FileColumn]:
    mapping = mapping_named(name, start, sha256)
    columns = mapping.columns if mapping else []
    return {own.column: FileColumn(own.sources[0].shown, _texts(own.sources)) for own in columns}


@lru_cache(maxsize=32)
def _numbered(header: tuple[str, ...]) -> list[str]:
    """Return the columns of a header with a known attribute."""
    attributes, _ = known_places(NAME)
    return [cell for cell in header if heading_of(cell).attribute in attributes]


def _batches(table: TextTable, college: str, found: "_Found") -> Iterator[pl.DataFrame]:
    cells = [column(place) for place in found.places]
    for batch in table.batches_of(found.places):
        yield batch.select("record", "fields", *cells, pl.lit(college).alias(COLLEGE))


def _notes(loaded: Loaded, found: "_Found") -> Iterator[str]:
    mapping = loaded.mapping
    yield phrase(
        "Contingent export: columns and values read by the mapping {name} {start} (SHA-256"
        " {digest}); names, addresses and phones are never read.",
        name=mapping.name,
        start=mapping.start,
        digest=loaded.sha256,
    )
    for own, value in found.absent.items():
        if value is None:
            yield phrase(
                "Contingent export: in files without a column for {column} it is empty.", column=own
            )
        else:
            yield phrase(
                "Contingent export: in files without a column for {column} it is {value}.",
                column=own,
                value=value,
            )


# ---------------------------------------------------------------------------------------- header


@dataclass(frozen=True, eq=False)
class _Found:
    """What a mapping finds in a header."""

    columns: list[tuple[Column, list[tuple[Source, int]]]]
    """The columns of the table, each with the sources that the file has, and where."""
    headers: dict[str, FileColumn]
    missing: list[str]
    twice: list[str]
    absent: dict[str, str | None]
    """Columns of the table that the file has none of, with the value that is taken."""
    left_out: list[str]

    @property
    def places(self) -> list[int]:
        """Where the columns stand that are read."""
        return sorted({place for _, sources in self.columns for _, place in sources})

    def mapped(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows with the columns of the table in place of those of the file."""
        values = [
            value
            for own, sources in self.columns
            if (value := _column(own, sources, rows)) is not None
        ]
        return rows.drop(column(place) for place in self.places).with_columns(values)


@lru_cache(maxsize=32)
def _find(header: tuple[str, ...], loaded: Loaded) -> _Found:
    """Find the columns of a mapping in a header."""
    mapping = loaded.mapping
    headings = {place: heading_of(cell) for place, cell in enumerate(header) if cell}
    attributes = {place.attribute for place in mapping.places()}
    by_name = {
        place: heading.name
        for place, heading in headings.items()
        if heading.attribute not in attributes
    }

    def at(place: Place) -> list[int]:
        """Return where a column stands: by its attribute, else by its name."""
        numbered = [n for n, heading in headings.items() if heading.attribute == place.attribute]
        return numbered or [n for n, name in by_name.items() if name in place.folded]

    found = {column.column: _sources(column, at) for column in mapping.columns}
    used = {n for sources in found.values() for _, places in sources for n in places}
    unread = {n for place in mapping.unread() for n in at(place)}
    several = [places for sources in found.values() for _, places in sources if len(places) > 1]
    lacking = [column for column in mapping.columns if not found[column.column]]
    return _Found(
        columns=[
            (own, [(source, places[0]) for source, places in found[own.column]])
            for own in mapping.columns
        ],
        headers={
            own: FileColumn(header[sources[0][1][0]], _texts(source for source, _ in sources))
            for own, sources in found.items()
            if sources
        },
        missing=[
            column.sources[0].shown
            for column in lacking
            if column.column in mapping.contract.required and column.absent is None
        ],
        twice=list(dict.fromkeys(header[n] for places in several for n in places)),
        absent={column.column: column.absent for column in lacking},
        left_out=[header[n] for n in headings if n not in used | unread],
    )


def _texts(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return a text for each value that sources list: the first of those that mean it."""
    first: dict[str, str] = {}
    for group in (group for source in sources for group in source.values):
        first.setdefault(group.value, f"{group.texts[0]}…" if group.begins else group.texts[0])
    return tuple(first.values())


def _sources(column: Column, at: Callable[[Place], list[int]]) -> list[tuple[Source, list[int]]]:
    """Return the sources of a column that a header has, each with its places there."""
    return [(source, places) for source in column.sources if (places := at(source))]


# ----------------------------------------------------------------------------------------- cells


def _column(own: Column, sources: list[tuple[Source, int]], rows: pl.DataFrame) -> pl.Series | None:
    """Return a column of the table out of its sources; None where nothing is to be said of it."""
    if not sources:
        return (
            None
            if own.absent is None
            else pl.Series(own.column, [own.absent]).new_from_index(0, rows.height)
        )
    values = [_each(source, rows[column(place)]) for source, place in sources]
    value = values[0] if len(values) == 1 else pl.select(pl.coalesce(values)).to_series()
    return (value if own.empty is None else value.fill_null(own.empty)).alias(own.column)


def _each(source: Source, cells: pl.Series) -> pl.Series:
    """Return what a source's cells say. Where their texts are few, each is looked at once."""
    begin = cells.head(1000)
    if source.take == "cell" and begin.n_unique() > len(begin) // 2:
        return _taken(source, cells)
    texts = cells.drop_nulls().unique()
    if texts.is_empty():
        return cells
    return cells.replace_strict(texts, _taken(source, texts), default=None, return_dtype=pl.String)


def _taken(source: Source, cells: pl.Series) -> pl.Series:
    """Return what cells say, null where they are empty; a text in which there is no such value as
    it stands.
    """
    bare = _bare(cells)
    text = pl.lit(bare)
    match source.take:
        case "cell":
            return bare
        case "leading_code":
            told = pl.coalesce(text.str.extract(_CODE), text)
        case "specialty_of_code":
            told = pl.coalesce(text.str.extract(_SPECIALTY) + "00", text.str.extract(_CODE), text)
        case "leading_number":
            told = pl.coalesce(text.str.extract(_NUMBER), text)
        case "values":
            told = _listed(source, text)
    return pl.select(told).to_series()


def _bare(cells: pl.Series) -> pl.Series:
    """Return cells without what protects them and without spaces around, null where empty."""
    if cells.str.starts_with(PROTECTED).any():
        cells = pl.select(unprotected(pl.lit(cells))).to_series()
    return cells.str.strip_chars().replace("", None)


def _listed(source: Source, text: pl.Expr) -> pl.Expr:
    """Return the values that a list gives for texts."""
    key = text.str.replace_all(r"\s+", " ").str.to_lowercase()
    exact = {group.value: group.value for group in source.values}  # so a yes-or-no cell is read
    exact |= {
        text_key(own): group.value
        for group in source.values
        if not group.begins
        for own in group.texts
    }
    begins = [
        pl.when(key.str.starts_with(text_key(own))).then(pl.lit(group.value))
        for group in source.values
        if group.begins
        for own in group.texts
    ]
    other = (
        text
        if source.otherwise is None
        else pl.when(text.is_not_null()).then(pl.lit(source.otherwise))
    )
    known = [key.replace_strict(exact, default=None, return_dtype=pl.String)] if exact else []
    return pl.coalesce(*known, *begins, other)
