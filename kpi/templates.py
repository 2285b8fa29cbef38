"""The assessment template: which column of its spreadsheet holds what, as a dated file (DESIGN §5).

``data/mappings/assessment-template/<start>.toml`` is data that staff can edit when the Financial
Centre changes its form, and is checked as strictly as a methodology.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Literal, Self

from pydantic import Field, model_validator

from kpi.dated import Code, DatedFile, Number, Strict, Words, in_force, newest, refuse, repeated

NAME = "assessment-template"
KIND = "mappings"

CellKind = Literal["id", "flag", "count", "fraction", "percent", "tenge", "text", "points", "total"]


class Column(Strict):
    """One column of the template.

    ``row`` says in whose row it is filled. A percent is 100 × ``part`` / ``whole``, a fraction such
    as 1/7 is of ``whole``: codes of other columns.
    """

    place: int = Field(ge=0)
    code: Code
    row: Literal["college", "specialty", "both"]
    kind: CellKind
    label: Words
    part: Code | None = None
    whole: Code | None = None
    max_points: Number | None = Field(default=None, ge=0)

    @property
    def indicator(self) -> str:
        """The indicator of the table ``assessments`` that the column belongs to: a percent is one
        of its own, points stand with the value that they are given for.
        """
        return f"{self.code}_percent" if self.kind == "percent" else self.code

    @property
    def is_points(self) -> bool:
        """Whether the cell is the indicator's points, not its value."""
        return self.kind in ("points", "total")


class Said(Strict):
    """The words by which a cell says yes, no or nothing, in small letters."""

    yes: list[Words]
    no: list[Words]
    empty: list[Words]


class Template(DatedFile):
    """One version of the template."""

    college: int
    region: int
    specialty: int
    totals: list[Words]
    words: Said
    columns: list[Column]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse([*self._place_faults(), *self._cell_faults(), *self._share_faults()])
        return self

    def _place_faults(self) -> Iterator[str]:
        places = [column.place for column in self.columns]
        if places != list(range(len(places))):
            wrong = next((at for at, place in enumerate(places) if at != place), 0)
            yield f"columns: entry {wrong} is out of place; expected the places 0, 1, 2, ..."
        ids = {column.place for column in self.columns if column.kind == "id"}
        for name in ("college", "region", "specialty"):
            if getattr(self, name) not in ids:
                yield f"{name}: is {getattr(self, name)}; expected the place of a column of kind id"

    def _cell_faults(self) -> Iterator[str]:
        cells = [(c.indicator, "points" if c.is_points else "value") for c in self.columns]
        yield from repeated("columns: the cell", cells)
        for column in self.columns:
            if column.max_points is not None and not column.is_points:
                yield f"columns.{column.place}: has max_points and is no column of points"
        said = Counter(word for words in self.words for word in words[1])
        yield from (f"words: {word} is given {n} times" for word, n in said.items() if n > 1)

    def _share_faults(self) -> Iterator[str]:
        counts = {column.code for column in self.columns if column.kind in ("count", "fraction")}
        for column in self.columns:
            path = f"columns.{column.place}"
            for name in ("part", "whole"):
                code = getattr(column, name)
                if code is not None and code not in counts:
                    yield f"{path}: its {name} is {code}, which is no count of this template"
            if column.part is not None and column.kind != "percent":
                yield f"{path}: has a part and is no percent"
            if (column.whole is None) != (column.part is None) and column.kind == "percent":
                yield f"{path}: is a percent; expected part and whole, or neither"
            if (column.whole is None) != (column.kind != "fraction") and column.kind != "percent":
                yield f"{path}: expected a whole for a fraction, and for no other kind"

    @property
    def points_places(self) -> list[int]:
        """The places of the columns of points, totals not among them."""
        return [column.place for column in self.columns if column.kind == "points"]


@cache
def template_of(on: dt.date | None) -> Template:
    """Return the version in force on a day; the newest where none is given. Raises CallError where
    none is in force, and for a file that is wrong.
    """
    if on is None:
        return newest(KIND, NAME, Template)
    return in_force(KIND, NAME, on, Template)
