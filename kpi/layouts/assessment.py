"""The assessment template: one workbook a region, wide rows, to the long table ``assessments``.

A college's row, its specialty empty, is followed by a row for each specialty. Headers are several
merged rows whose words change; what does not is the place of the columns, and that every column of
points is headed so (БАЛЛ). So columns go by place, and the columns of points prove the places.
Each filled cell is kept, whatever its neighbours hold: see docs/intake.md, "Assessment template".
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import PurePath

import polars as pl

from kpi.cells import NUMBER
from kpi.college_names import Names, Unmatched, key_of, region_of, told
from kpi.errors import DataError, phrase
from kpi.language import mark
from kpi.layouts.rows import FAULT, FileColumn, Given, RegisterNeeded, TableRows, cell_key
from kpi.masking import masked, without_names
from kpi.methodology import round_name, round_of
from kpi.reading.header import ROWS_SEARCHED, cleaned
from kpi.reading.table import TextTable
from kpi.templates import NAME, Template, template_of

_LABEL = re.compile(r"балл\w*")
_FEWEST = 10
"""How many columns headed as points a sheet has at least to be taken for the template."""

_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,20})?$"
_FRACTION = r"^([0-9]{1,12})/([0-9]{1,12})$"
_GROUPS = r"([0-9])[\s\u00a0\u202f]+([0-9]{3})([^0-9]|$)"
_SPECIALTY = r"^[^0-9A-Za-zА-Яа-я]*([0-9]{6,9})([^0-9]|$)"
_YEARS = re.compile(r"(?<!\d)(20\d\d)\s*[-–—/_ ]\s*(?:20)?(\d\d)(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_ROWS_AT_ONCE = 5_000  # of 109 cells each
_PLACES = 4  # decimals of points that the contract keeps


def knows(cells: Sequence[str]) -> int:
    """Count how many of some texts head a column of points: more than anything else that stands
    there several times.
    """
    return sum(_is_points(cell) for cell in cells)


def rows_of(table: TextTable, given: Given) -> TableRows | None:
    """Return the rows of ``assessments`` that a sheet of the template holds; None for another one.

    Raises RegisterNeeded while the colleges were not read, DataError where columns are missing, or
    its columns of points do not stand where they should.
    """
    if table.sheet is None:
        return None
    head = [[cleaned(cell) for cell in row] for row in table.sheet.head(ROWS_SEARCHED).iter_rows()]
    labelled = {at for row in head for at, cell in enumerate(row) if _is_points(cell)}
    if len(labelled) < _FEWEST:
        return None
    if given.register is None:
        raise RegisterNeeded
    template = template_of(given.on)
    sheet = _Sheet(table, template, _offset(head, labelled, template), head)
    _require_columns(sheet, labelled)
    years = years_in(table.file.name)
    return TableRows(
        table="assessments",
        layout=f"{NAME} {template.start}",
        headers={
            "college_id": FileColumn(template.columns[template.college].label),
            "specialty": FileColumn(template.columns[template.specialty].label),
            **dict(_indicators(sheet)),
        },
        left_out=[*_left_out(sheet), *_beyond(sheet), *_other_rows(sheet)],
        batches=lambda: _batches(sheet, given.names),
        form={"year": _told(years)} if years else {},
        notes=(
            *_year_notes(table, years, round_of(given.on) if given.on else None),
            *_left_out_notes(sheet),
        ),
    )


def _indicators(sheet: "_Sheet") -> Iterator[tuple[str, FileColumn]]:
    """Yield what the sheet calls the column of each indicator's value and points."""
    for own in sheet.template.columns:
        if own.kind != "id":
            key = cell_key("points" if own.is_points else "value", own.indicator)
            name = f"{own.indicator} ({sheet.letter(own.place)}: {own.label})"
            yield key, FileColumn(name, place=own.place + sheet.offset)


@dataclass(frozen=True)
class _Sheet:
    """A sheet of the template: ``offset`` is added to a place to find its column in the table."""

    table: TextTable
    template: Template
    offset: int
    head: list[list[str]]

    @property
    def cells(self) -> pl.DataFrame:
        """The sheet's cells."""
        assert self.table.sheet is not None
        return self.table.sheet

    def letter(self, place: int) -> str:
        """Return the name that a spreadsheet gives to the column of a place. Where columns before
        it hold nothing at all, the reader leaves them out.
        """
        return letter_of(place + max(self.offset, 0))

    def column(self, place: int) -> pl.Expr:
        """Return the column of a place, under its place; empty where the reader left it out."""
        at = place + self.offset
        names = self.cells.columns
        found = pl.col(names[at]) if at >= 0 else pl.lit(None, pl.String)
        return found.alias(str(place))

    def filled(self, cell: pl.Expr) -> pl.Expr:
        """Return a cell's text in one line; null where it holds nothing by the template's words."""
        text = cell.str.replace_all(r"[\s\u00a0\u202f]+", " ").str.strip_chars()
        empty = [*self.template.words.empty, ""]
        return pl.when(~text.str.to_lowercase().is_in(empty)).then(text)

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The rows below the header: ``record`` (the sheet's row), region, name and specialty.

        A specialty's row without a name is of the college above it. ``is_other`` marks rows of no
        college: totals, headers that are repeated.
        """
        places = {name: getattr(self.template, name) for name in ("region", "college", "specialty")}
        rows = (
            self.cells.select(
                self.filled(self.column(place)).alias(name) for name, place in places.items()
            )
            .with_row_index("record", offset=1)
            .with_columns(pl.col("record").cast(pl.Int64), is_other=self._is_other)
            .slice(self.header_end)
        )
        begins = pl.col("college").is_not_null() | pl.col("specialty").str.contains(_SPECIALTY)
        first = rows.select(begins.fill_null(False)).to_series().arg_max()
        own = pl.when(~pl.col("is_other")).then("college").forward_fill()
        return rows.slice(first or 0).select(
            "record",
            pl.col("region").forward_fill(),
            pl.when(pl.col("specialty").is_null()).then("college").otherwise(own).alias("name"),
            "specialty",
            "is_other",
        )

    @property
    def _is_other(self) -> pl.Expr:
        """Whether a row's name is no college's: of a total, or of a header that is repeated."""
        name = pl.col("college").str.to_lowercase()
        totals = "|".join(map(re.escape, self.template.totals))
        label = self.template.columns[self.template.college].label.casefold()
        return (name.str.contains(rf"^({totals})([^\p{{L}}]|$)") | (name == label)).fill_null(False)

    @property
    def header_end(self) -> int:
        """How many rows there are up to the last of the header: one that heads points, or numbers
        the columns.
        """
        is_header = [any(map(_is_points, row)) or _numbers_columns(row) for row in self.head]
        return max(at for at, one in enumerate(is_header) if one) + 1


def letter_of(place: int) -> str:
    """Return a spreadsheet's name of a column: A for 0, AA for 26."""
    letters = ""
    number = place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


# ---------------------------------------------------------------------------------------- header


def _is_points(cell: str) -> bool:
    return _LABEL.fullmatch(cell.casefold().strip(" .:*")) is not None


def _numbers_columns(row: list[str]) -> bool:
    """Whether a row numbers the columns: 1, 2, 3, … in most of its cells."""
    numbers = [int(cell) for cell in row if cell.isdecimal()]
    rises = sum(after == before + 1 for before, after in pairwise(numbers))
    return rises > len(row) // 2


def _offset(head: list[list[str]], labelled: set[int], template: Template) -> int:
    """Return what is to be added to the template's places: the reader leaves out columns at the
    left that hold nothing. The heading of the colleges tells, else the columns of points.
    """
    college = template.columns[template.college].label.casefold()
    for row in head:
        for at, cell in enumerate(row):
            if cell.casefold() == college:
                return at - template.college
    points = template.points_places
    return max(
        range(-template.college, template.college + 1),
        key=lambda by: (sum(place + by in labelled for place in points), -abs(by)),
    )


def _require_columns(sheet: _Sheet, labelled: set[int]) -> None:
    template, width = sheet.template, sheet.cells.width
    where = f"{sheet.table.name}, record {sheet.table.header_record}"
    places = set(template.points_places)
    totals = {column.place for column in template.columns if column.kind == "total"}
    headed = {at - sheet.offset for at in labelled} - totals
    missing = [column for column in template.columns if column.place + sheet.offset >= width]
    if missing and not headed - places:  # else one within was taken away, not the last
        raise DataError(
            "Columns of the assessment template are missing.",
            where=where,
            found=phrase("{count} columns", count=len(template.columns) - len(missing)),
            expected=", ".join(
                f"{sheet.letter(column.place)} ({column.indicator}: {column.label})"
                for column in missing
            ),
            do="Take the template as it was sent out, with all its columns, and fill it in again.",
        )
    wrong = sorted((headed - places) | (places - headed))
    if headed - places or 2 * len(places - headed) > len(places):
        first = template.columns[wrong[0]] if 0 <= wrong[0] < len(template.columns) else None
        raise DataError(
            "The columns of the assessment template do not stand where they should.",
            where=f"{where}, {sheet.letter(wrong[0])}",
            found=" / ".join(_headings(sheet, wrong[0])),
            expected=phrase(
                "the column {indicator}: {heading}", indicator=first.indicator, heading=first.label
            )
            if first
            else phrase("no further column"),
            do="Take the template as it was sent out: put no column in, take none away.",
        )


def _headings(sheet: _Sheet, place: int) -> list[str]:
    """Return what heads a column, from the header's rows alone: below them are data."""
    at = place + sheet.offset
    rows = sheet.head[: sheet.header_end]
    return [row[at] for row in rows if 0 <= at < len(row) and row[at]]


def _left_out(sheet: _Sheet) -> list[str]:
    """Return the columns that tell of the college itself: its register does that."""
    template = sheet.template
    used = {template.college, template.region, template.specialty}
    return [c.label for c in template.columns if c.kind == "id" and c.place not in used]


def _beyond(sheet: _Sheet) -> list[str]:
    """Return the columns right of the template, by their letters and headings."""
    places = range(len(sheet.template.columns), sheet.cells.width - sheet.offset)
    return [" / ".join([sheet.letter(place), *_headings(sheet, place)]) for place in places]


def _left_out_notes(sheet: _Sheet) -> Iterator[str]:
    """Yield what the user must be told of what was left out of a sheet."""
    if rows := _other_rows(sheet):
        yield phrase(
            "{file}: rows left out, because they are no college's: {rows}",
            file=sheet.table.name,
            rows=", ".join(rows),
        )
    if columns := _beyond(sheet):
        yield phrase(
            "{file}: columns left out, because they are none of the template: {columns}",
            file=sheet.table.name,
            columns=", ".join(columns),
        )


def _other_rows(sheet: _Sheet) -> list[str]:
    """Return the rows that are of no college, each with its number in the sheet."""
    others = sheet.rows.filter("is_other").select("record", "name")
    return [f"{name} ({record})" for record, name in others.iter_rows()]


# ------------------------------------------------------------------------------------------ year


def years_in(name: str) -> list[int]:
    """Return the first years of the academic years that a file's name may mean: one for 2024-2025,
    two for a single year, which may be that of the begin or of the end; none without a year.
    """
    stem = unicodedata.normalize("NFC", PurePath(name).stem)
    for first, second in _YEARS.findall(stem):
        if int(second) == (int(first) + 1) % 100:
            return [int(first)]
    if years := _YEAR.findall(stem):
        return [int(years[-1]), int(years[-1]) - 1]
    return []


def _told(years: list[int]) -> str:
    return " / ".join(round_name(year) for year in years)


def _year_notes(table: TextTable, years: list[int], asked: str | None) -> tuple[str, ...]:
    if not years or asked is None or asked in map(round_name, years):
        return ()
    return (
        phrase(
            "The name of {file} says {year}; the round is {round}. Check that it is the right"
            " file: its rows were read.",
            file=table.file.name,
            year=_told(years),
            round=asked,
        ),
    )


# ------------------------------------------------------------------------------------------ rows


def _batches(sheet: _Sheet, names: Names | None) -> Iterator[pl.DataFrame]:
    """Yield one row for each indicator of a college or specialty that has any cell filled."""
    is_points = pl.col("is_points")
    for cells in _cells(sheet):
        rows = (
            _judged(cells, sheet)
            .group_by("record", "indicator", maintain_order=True)
            .agg(
                pl.col("region", "name", "specialty").first(),
                pl.col("text").filter(~is_points).first().alias("value"),
                pl.col("text").filter(is_points).first().alias("points"),
                pl.col("max_points").drop_nulls().first(),
                pl.col("fault").drop_nulls().alias("faults"),
            )
        )
        yield _with_colleges(rows, sheet, names).select(
            "record",
            pl.lit(None, pl.Int64).alias("fields"),
            "college_id",
            pl.col("specialty").str.extract(_SPECIALTY).fill_null(pl.col("specialty")),
            *("indicator", "value", "points", "max_points", "faults"),
        )


def _cells(sheet: _Sheet) -> Iterator[pl.DataFrame]:
    """Yield a row a filled cell, for so many rows of the sheet at a time: record, region, name,
    specialty, text, and what is known of its column (see _described).
    """
    described = _described(sheet)
    own = sheet.rows.filter(~pl.col("is_other"))
    filled = (
        sheet.cells.select(sheet.column(place) for place in described["place"])
        .with_row_index("record", offset=1)
        .filter(pl.any_horizontal(pl.exclude("record").is_not_null()))
    )
    for part in filled.iter_slices(_ROWS_AT_ONCE):
        yield (
            part.unpivot(index="record", variable_name="place", value_name="text")
            .with_columns(
                pl.col("record", "place").cast(pl.Int64), text=sheet.filled(pl.col("text"))
            )
            .drop_nulls("text")
            .join(own, on="record", how="inner")
            .join(described, on="place", how="inner")
            .sort("record", "place")
        )


def _described(sheet: _Sheet) -> pl.DataFrame:
    """Return what is known of each column that holds a cell of an indicator, by its place."""
    return pl.DataFrame(
        [
            (
                column.place,
                sheet.letter(column.place),
                column.indicator,
                column.kind,
                column.is_points,
                column.label,
                column.whole if column.kind == "fraction" else None,
                str(column.max_points) if column.max_points is not None else None,
            )
            for column in sheet.template.columns
            if column.kind != "id"
        ],
        schema={
            "place": pl.Int64,
            "letter": pl.String,
            "indicator": pl.String,
            "kind": pl.String,
            "is_points": pl.Boolean,
            "label": pl.String,
            "whole": pl.String,
            "max_points": pl.String,
        },
        orient="row",
    )


def _judged(cells: pl.DataFrame, sheet: _Sheet) -> pl.DataFrame:
    """Return the cells with their text as the contract writes it, and a ``fault`` where it is
    neither a number nor a word that its column takes.
    """
    words = sheet.template.words
    said = dict.fromkeys(words.yes, "true") | dict.fromkeys(words.no, "false")
    small = pl.col("text").str.to_lowercase()
    word = small.replace_strict(said, default=None, return_dtype=pl.String)
    number = _number(pl.col("text"))
    kind, is_points = pl.col("kind"), pl.col("is_points")
    fraction = pl.col("text").str.replace_all(" ", "")
    written = (
        pl.when(kind == "flag")
        .then(word)
        .when(kind == "text")
        .then(word.fill_null(without_names(pl.col("text"))))
        .when((kind == "fraction") & fraction.str.contains(_FRACTION))
        .then(fraction)
        .when(is_points)
        .then(_to_places(number))
        .otherwise(number)
    )
    told = cells.with_columns(
        written=written, shown=masked(pl.col("text").str.strip_suffix(" 00:00:00"))
    )
    expected = (
        pl.when(kind == "flag")
        .then(pl.lit(f"one of {words.yes[0]}, {words.no[0]}"))
        .otherwise(pl.lit(mark("a number such as 48.5")))
    )
    is_amount = is_points | kind.is_in(["count", "fraction", "percent"])
    negative = is_amount & pl.col("written").str.starts_with("-")
    fault = pl.struct(
        check_name=pl.when(negative)
        .then(pl.lit("out_of_range"))
        .when(kind == "flag")
        .then(pl.lit("not_a_boolean"))
        .otherwise(pl.lit("not_a_number")),
        column_name=pl.when(is_points).then(pl.lit("points")).otherwise(pl.lit("value")),
        found=pl.format(
            "{} = {} ({}: {})", "indicator", pl.col("shown").str.slice(0, 40), "letter", "label"
        ),
        expected=pl.when(negative).then(pl.lit("0 or more")).otherwise(expected),
    )
    return _of_the_whole(
        told.with_columns(
            fault=pl.when(pl.col("written").is_null() | negative).then(fault),
            text=pl.coalesce("written", "shown"),
        )
    )


def _number(text: pl.Expr) -> pl.Expr:
    """Return a number as the contract writes it, null for what is none: a decimal comma, a percent
    sign and spaces between thousands are taken, both separators in one number are not.
    """
    joined = text.str.replace_all(_GROUPS, "$1$2$3").str.replace_all(_GROUPS, "$1$2$3")
    plain = joined.str.replace(r"\s*%$", "").str.replace(",", ".").str.replace("^−", "-")
    return pl.when(plain.str.contains(_NUMBER)).then(plain)


def _to_places(number: pl.Expr) -> pl.Expr:
    """Return points to the four decimals that the contract keeps: formulas give more."""
    rounded = number.cast(pl.Float64).round(_PLACES).cast(pl.String).str.strip_suffix(".0")
    return pl.when(number.str.contains(NUMBER)).then(number).otherwise(rounded)


def _of_the_whole(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the cells with a fraction such as 1/7 as the 1 that it counts, where the cell of its
    whole in the same row says 7 too; another fraction stands as it is, and a check reads it.
    """
    wholes = cells.filter(~pl.col("is_points")).select(
        "record", pl.col("indicator").alias("whole"), pl.col("text").alias("stated")
    )
    parts = pl.col("text").str.extract_groups(_FRACTION)
    agrees = parts.struct["2"].cast(pl.Float64) == pl.col("stated").cast(pl.Float64, strict=False)
    return (
        cells.join(wholes, on=["record", "whole"], how="left", maintain_order="left")
        .with_columns(text=pl.when(agrees).then(parts.struct["1"]).otherwise("text"))
        .drop("stated")
    )


def _with_colleges(rows: pl.DataFrame, sheet: _Sheet, names: Names | None) -> pl.DataFrame:
    """Return the rows with ``college_id``, and a fault in each that could not be matched."""
    of_file = region_of(PurePath(sheet.table.file.name).stem)
    matched = []
    for region, name in rows.select("region", "name").unique().iter_rows():
        code = (region and region_of(region)) or of_file
        college = names.match(name, code) if names and name else None
        near = names.unmatched.get((key_of(name), code)) if names and name else None
        fault = None if college or not name else _unknown(name, code, near)
        matched.append((region, name, college, fault))
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "region": pl.String,
        "name": pl.String,
        "college_id": pl.String,
        "unknown": FAULT,
    }
    found = pl.DataFrame(matched, schema=schema, orient="row")
    joined = rows.join(
        found, on=["region", "name"], how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.with_columns(faults=pl.concat_list("unknown", "faults"))


def _unknown(name: str, region: str | None, near: Unmatched | None) -> dict[str, str]:
    return {
        "check_name": "unknown_college_name",
        "column_name": "college_id",
        "found": f"{region}: {name}" if region else name,
        "expected": told(near) if near else "–",
    }
