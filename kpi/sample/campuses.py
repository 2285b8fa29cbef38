"""Campuses: branches and a merged college share a unit's rows."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kpi.sample.drawing import rank_within
from kpi.sample.rows import Floats, Ints, Rows, day, stack
from kpi.sample.world import World

MERGED_ON = "2025-07-01"


@dataclass(frozen=True)
class Campuses:
    """Rows of colleges.csv: the units, then branches, then the merged college.

    ``unit`` of shape (campuses,) is what each belongs to. Of a unit's people ``share`` (units,) sit
    at its ``extra`` campus (-1 none), if they enrolled before ``until``.
    """

    unit: Ints
    extra: Ints
    share: Floats
    until: Ints

    @property
    def merged(self) -> int:
        """Return the campus of the merged college, the last row."""
        return len(self.unit) - 1

    def draw(self, rng: Generator, unit: Ints, enrolled: Ints) -> Ints:
        """Return the campus of each row. Shape (n,) in and out."""
        away = (rng.random(len(unit)) < self.share[unit]) & (enrolled < self.until[unit])
        return np.where(away, self.extra[unit], unit)


def make_campuses(rng: Generator, world: World) -> Campuses:
    """Give about a dozen units a branch, and one a college that merged into it in July 2025."""
    units, branches = world.units, max(1, world.targets.scaled_colleges(12))
    large = ~units.is_special & (units.size >= np.median(units.size[:-1]))
    owner = rng.permutation(np.flatnonzero(large))[: branches + 1]
    owner[:-1].sort()
    extra = np.full(units.count, -1, dtype=np.int64)
    extra[owner] = units.count + np.arange(len(owner))
    share = np.zeros(units.count)
    share[owner] = rng.uniform(0.12, 0.35, len(owner))
    until = np.full(units.count, 2**30, dtype=np.int64)
    until[owner[-1]] = day(MERGED_ON)
    return Campuses(np.append(np.arange(units.count), owner), extra, share, until)


def place_students(rng: Generator, world: World, campuses: Campuses, table: Rows) -> None:
    """Add to the table each row's ``campus`` and its number there by enrolment, ``record``."""
    unit = world.lines.unit[table["line"]]
    table["campus"] = campuses.draw(rng, unit, table["enrolled"])
    order = np.lexsort((table["person"], table["enrolled"], table["campus"]))
    table["record"] = np.empty(len(order), dtype=np.int64)
    table["record"][order] = rank_within(table["campus"][order]) + 1


def place_graduates(
    rng: Generator, world: World, campuses: Campuses, cohorts: list[Rows], table: Rows
) -> Rows:
    """Stack the cohorts; those of 2025 are the same people, at the same place, as in ``table``."""
    latest = slice(world.targets.students, world.targets.students + len(cohorts[-1]["line"]))
    person = int(table["person"].max()) + 1
    for cohort in cohorts[:-1]:
        n = len(cohort["line"])
        cohort["person"] = person + np.arange(n)
        cohort["campus"] = campuses.draw(rng, cohort["unit"], cohort["graduated"])
        cohort["record"] = rank_within(cohort["campus"]) + 1
        person += n
    for name in ("person", "campus", "record"):
        cohorts[-1][name] = table[name][latest]
    rows = stack(cohorts)
    return rows | {"specialty": world.lines.specialty[rows["line"]]}
