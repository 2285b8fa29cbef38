"""Dual training: the units and students that have it, their enterprises and agreements."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kpi.sample.codes import FULL_TIME
from kpi.sample.drawing import apportion, rank_within
from kpi.sample.rows import COUNT_ON, NEVER, Floats, Ints, Mask, Rows, day
from kpi.sample.targets import by_region
from kpi.sample.world import World


@dataclass(frozen=True)
class Dual:
    """Dual training on 1 October 2025.

    ``in_force`` has the columns student (a row of the student table before sorting), employer,
    begins and ends. Enterprises are numbered region by region.
    """

    in_force: Rows
    share: Floats  # unit → share of its KPI contingent
    first_enterprise: Ints  # region → its first enterprise; the last entry is how many there are

    @property
    def enterprises(self) -> Ints:
        """Return how many enterprises each region has, shape (regions,)."""
        return np.diff(self.first_enterprise)

    def draw_enterprises(self, rng: Generator, region: Ints) -> Ints:
        """Draw an enterprise of each region given. Shape (n,) in and out."""
        within = (rng.random(len(region)) * self.enterprises[region]).astype(np.int64)
        return self.first_enterprise[region] + within


def dual_units(rng: Generator, world: World) -> Mask:
    """Choose the units with dual training: as many in all and in Aktobe as facts.toml says."""
    units, targets, facts = world.units, world.targets, world.ref.facts
    regions = world.ref.region_codes
    counts = np.bincount(units.region[:-1], minlength=len(regions)).astype(np.float64)
    aktobe = facts["regions"]["KZ-15"]
    known = {"KZ-15": round(aktobe["colleges"] * aktobe["dual_share_of_colleges"])}
    weights = by_region(
        regions, known, counts, facts["dual_2025"]["colleges"], targets.dual_colleges
    )
    most = counts.astype(np.int64)
    wanted = apportion(weights, targets.dual_colleges, at_most=most)
    lean = 0.9 * units.quality + 0.4 * np.log(units.size + 1.0) + rng.normal(0.0, 0.8, units.count)
    lean = lean + np.where(units.is_reference, 50.0, 0.0) - np.where(units.is_special, 50.0, 0.0)
    chosen = np.zeros(units.count, dtype=np.bool_)
    for r, count in enumerate(wanted):
        members = np.flatnonzero(units.region[:-1] == r)
        chosen[members[np.argsort(-lean[members], kind="stable")[:count]]] = True
    return chosen


def dual_places(rng: Generator, world: World, eligible: Ints) -> Ints:
    """Share the students in dual training among the units, shape (units,), by region exactly.

    ``eligible`` is each unit's KPI contingent: full-time, not on academic leave.
    """
    units, targets, facts = world.units, world.targets, world.ref.facts
    regions = world.ref.region_codes
    has = dual_units(rng, world)
    lean = np.exp(0.6 * units.quality + rng.normal(0.0, 0.62, units.count)) * eligible * has
    most = np.where(has, np.maximum(eligible * 17 // 20, 1), 0)
    room = np.bincount(units.region, weights=most, minlength=len(regions)).astype(np.int64)
    least = np.bincount(units.region, weights=has, minlength=len(regions)).astype(np.int64)
    known = dict(facts["dual_2025"]["students_by_region"])
    known["KZ-15"] = facts["regions"]["KZ-15"]["tripartite_agreements"]
    weights = by_region(
        regions,
        known,
        np.bincount(units.region, weights=eligible * has, minlength=len(regions)),
        facts["dual_2025"]["students"],
        targets.dual_students,
    )
    wanted = apportion(weights, targets.dual_students, at_most=room)
    if (wanted < least).any():
        wanted = apportion(weights, targets.dual_students, at_least=least, at_most=room)
    places = np.zeros(units.count, dtype=np.int64)
    for r, total in enumerate(wanted):
        here = units.region == r
        floor = np.where(has[here], min(3, total // max(1, least[r])), 0)
        places[here] = apportion(lean[here], int(total), at_least=floor, at_most=most[here])
    return places


def choose_dual_students(rng: Generator, world: World, counted: Rows) -> tuple[Ints, Floats]:
    """Choose who has an agreement in force; return their rows in ``counted`` and units' shares."""
    unit = world.lines.unit[counted["line"]]
    may = np.flatnonzero((counted["form"] == FULL_TIME) & ~counted["leave"])
    eligible = np.bincount(unit[may], minlength=world.units.count)
    places = dual_places(rng, world, eligible)
    may = may[places[unit[may]] > 0]
    # rather the middle courses; a stable order by unit keeps the draw independent of the sort
    key = rng.random(len(may)) + np.array([0.0, 0.0, 0.35, 0.45, 0.35, 0.2])[counted["course"][may]]
    may = may[np.lexsort((-key, unit[may]))]
    chosen = may[rank_within(unit[may]) < places[unit[may]]]
    return np.sort(chosen), places / np.maximum(eligible, 1)


def draw_employers(
    rng: Generator, unit: Ints, region: Ints, enterprises: int, regions: int
) -> tuple[Ints, Ints]:
    """Give each agreement an enterprise of its region, every enterprise at least once.

    ``unit`` and ``region`` have shape (agreements,). Returns the enterprises and where each
    region's begin, shape (regions + 1,).
    """
    here = np.bincount(region, minlength=regions)
    number = apportion(here, enterprises, at_least=np.minimum(here, 1), at_most=here)
    begins = np.concatenate([[0], np.cumsum(number)])
    employer = np.zeros(len(unit), dtype=np.int64)
    for r in np.flatnonzero(here):
        rows = np.flatnonzero(region == r)
        _, local, counts = np.unique(unit[rows], return_inverse=True, return_counts=True)
        own = apportion(counts, int(number[r]), at_most=counts)
        first = np.cumsum(own) - own
        rank = rank_within(local)
        share, base = own[local], first[local]
        again = base + (rng.random(len(rows)) ** 1.6 * share).astype(np.int64)
        foreign = (rng.random(len(rows)) < 0.08) | (share == 0)
        again = np.where(foreign, rng.integers(0, number[r], len(rows)), again)
        employer[rows] = begins[r] + np.where(rank < share, base + rank, again)
    return employer, begins


def agreement_rows(student: Ints, employer: Ints, begins: Ints, ends: Ints) -> Rows:
    """Return agreements as rows."""
    return {"student": student, "employer": employer, "begins": begins, "ends": ends}


def make_dual(rng: Generator, world: World, counted: Rows) -> Dual:
    """Choose who is in dual training, and draw one agreement in force for each."""
    chosen, share = choose_dual_students(rng, world, counted)
    n, unit = len(chosen), world.lines.unit[counted["line"][chosen]]
    region, regions = world.units.region[unit], len(world.ref.region_codes)
    employer, first = draw_employers(rng, unit, region, world.targets.enterprises, regions)
    begins = np.where(rng.random(n) < 0.7, day("2025-09-01"), day("2025-01-15"))
    begins = np.maximum(begins + rng.integers(0, 25, n), counted["enrolled"][chosen])
    ends = day("2026-06-30") + np.where(rng.random(n) < 0.3, 365, 0) - rng.integers(0, 40, n)
    begins[::1009], ends[5::1013] = COUNT_ON, COUNT_ON  # both edges are in force
    return Dual(agreement_rows(chosen, employer, begins, ends), share, first)


def other_agreements(rng: Generator, world: World, students: Rows, dual: Dual) -> Rows:
    """Draw agreements that are over, of students and graduates, and some not yet begun.

    ``students`` are the counted students followed by the graduates of 2025, whose ``dual`` says
    that they had an agreement, and by others.
    """
    targets = world.targets
    unit = world.lines.unit[students["line"]]
    region = world.units.region[unit]
    has_enterprises = (dual.enterprises > 0)[region]
    counted = np.arange(len(unit)) < targets.students

    def some(rows: Mask, count: int) -> Ints:
        shuffled = rng.permutation(np.flatnonzero(rows & has_enterprises))
        return np.sort(shuffled[: targets.scaled(count)])

    # left over from the year before, also where there is no dual training any more
    old = some(counted & (students["enrolled"] < day("2024-09-30")), 3_000)
    old_begins = day("2024-10-01") + rng.integers(0, 90, len(old))
    old_ends = day("2025-06-30") - rng.integers(0, 60, len(old))
    old_ends[::50] = COUNT_ON - 1

    past = some(~counted & students["dual"], 6_000)
    past_begins = students["enrolled"][past] + 365 + rng.integers(0, 20, len(past))
    past_ends = np.maximum(students["left"][past] - rng.integers(0, 30, len(past)), past_begins)

    in_force = dual.in_force["student"]
    has_dual = np.bincount(unit[in_force], minlength=world.units.count) > 0
    free = counted & (students["form"] == FULL_TIME) & ~students["leave"] & has_dual[unit]
    free &= students["left"] == NEVER
    free[in_force] = False
    soon = some(free, 400)
    soon_begins = COUNT_ON + 1 + rng.integers(0, 45, len(soon))
    soon_ends = day("2026-06-30") + rng.integers(0, 30, len(soon))

    student = np.concatenate([old, past, soon])
    return agreement_rows(
        student,
        dual.draw_enterprises(rng, region[student]),
        np.concatenate([old_begins, past_begins, soon_begins]),
        np.concatenate([old_ends, past_ends, soon_ends]),
    )
