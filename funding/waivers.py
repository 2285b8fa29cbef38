"""Waivers: findings that are accepted with a reason and two names (DESIGN §2).

A waiver states a check, and as far as it likes a college, a column and a text: it accepts every
finding that has all of it. What was accepted stays as it is: a rejected row counts for nobody.
"""

import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, ValidationError, model_validator

from kpi.dated import Strict, Words, faults_of
from kpi.errors import CallError

Said = Annotated[str, Field(pattern=r"\S")]

_COLUMNS = {
    "check": "check_name",
    "college_id": "college_id",
    "column": "column_name",
    "found": "found",
}
"""What a waiver may state, and the column of the findings that has it."""


class Accepted(Strict):
    """What a waiver states of the findings that it accepts."""

    check: Words
    college_id: Words | None = None
    column: Words | None = None
    found: Words | None = None

    def told(self) -> str:
        """Return all that is stated: ``check not_a_date, college_id EX-01``."""
        held = self.model_dump(include={*_COLUMNS}, exclude_none=True)
        return ", ".join(f"{name} {value}" for name, value in held.items())


class Waiver(Accepted):
    """Findings accepted with a reason and the names of two different people."""

    by: Said
    approved_by: Said
    reason: Said

    @model_validator(mode="after")
    def _has_two_people(self) -> "Waiver":
        if is_one_person(self.by, self.approved_by):
            raise ValueError("by and approved_by are one person; two different people waive")
        return self


class Waivers(Strict):
    """A file of waivers."""

    waivers: list[Waiver]


def person(name: str) -> str:
    """Return a name with single spaces."""
    return " ".join(name.split())


def is_one_person(name: str, other: str) -> bool:
    """Whether two names are one however they are spelt, spaced and composed, or one is none."""
    spelt = {unicodedata.normalize("NFKC", person(one)).casefold() for one in (name, other)}
    return "" in spelt or len(spelt) == 1


def read_waivers(path: Path) -> list[Waiver]:
    """Read a file of waivers. Raises CallError that names each fault in it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return Waivers.model_validate(content).waivers
    except OSError as error:
        raise CallError(
            "The file cannot be read.", where=str(path), found=error.strerror or str(error)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError("The file is no valid TOML.", where=str(path), found=str(error)) from error
    except ValidationError as error:
        raise CallError(
            "The file of waivers is wrong.",
            where=str(path),
            found="\n" + "\n".join(f"    {line}" for line in faults_of(error)),
            expected="[[waivers]] with check, by, approved_by (a second person), reason, and"
            " college_id, column, found as needed",
        ) from error


def accepted_by(held: dict[str, Any]) -> Accepted:
    """Return what a waiver accepts as a receipt holds it: one of before version 0.5 has no second
    name.
    """
    return Accepted.model_validate({name: held.get(name) for name in _COLUMNS})


def fits(waiver: Accepted) -> pl.Expr:
    """Return which rows of the findings a waiver accepts."""
    stated = waiver.model_dump(include={*_COLUMNS}, exclude_none=True)
    return pl.all_horizontal(
        pl.col(_COLUMNS[name]).eq_missing(pl.lit(value)) for name, value in stated.items()
    )


def open_errors(findings: pl.DataFrame, waivers: Iterable[Accepted]) -> pl.DataFrame:
    """Return the errors among the findings that none of the waivers accepts."""
    errors = findings.filter(pl.col("severity") == "error")
    for waiver in waivers:
        errors = errors.filter(~fits(waiver))
    return errors


def joined(kept: Iterable[Waiver], given: Iterable[Waiver]) -> Iterator[Waiver]:
    """Yield the waivers of a file and those kept; one of the file stands in the place of one kept
    that states the same.
    """
    given = list(given)
    stated = {waiver.told() for waiver in given}
    yield from given
    yield from (waiver for waiver in kept if waiver.told() not in stated)
