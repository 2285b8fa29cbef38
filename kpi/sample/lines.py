"""Lines: the specialties that each unit teaches, with its students shared among them."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kpi.sample.drawing import apportion
from kpi.sample.rows import Floats, Ints
from kpi.sample.targets import Reference
from kpi.sample.units import Units


@dataclass(frozen=True)
class Lines:
    """The specialties that each unit teaches, ordered by unit. Shape (lines,) each."""

    unit: Ints
    specialty: Ints
    upper: Floats  # unit + the cumulated share of the unit's students; a draw from it is a search
    last: Ints  # unit → its last line
    students: Ints  # students counted on 1 October 2025
    qualifications: Ints  # how many of the specialty's qualifications are taught in the region

    def draw(self, rng: Generator, unit: Ints) -> Ints:
        """Draw one line of each unit given, by the lines' shares. Shape (n,) in and out."""
        found = np.searchsorted(self.upper, unit + rng.random(len(unit)), side="right")
        return np.minimum(found, self.last[unit])


def choose_specialties(rng: Generator, units: Units, unit: int, ref: Reference, pool: Ints) -> Ints:
    """Choose the specialties of one unit: most of its first cluster, some of its second."""
    size = int(units.size[unit])
    wanted = int(np.clip(3 + rng.poisson(1.2 + min(size, 2000) / 220), 3, 15))
    wanted = min(wanted, max(3, size // 12))
    mixed = rng.permutation(pool)
    field = ref.specialty_cluster[mixed]
    first = mixed[field == units.cluster[unit]][: max(1, round(wanted * 0.68))]
    second = mixed[(field == units.second_cluster[unit]) & ~np.isin(mixed, first)]
    chosen = np.concatenate([first, second])[:wanted]
    others = mixed[~np.isin(mixed, chosen)]
    return np.concatenate([chosen, others])[:wanted]


def cover(
    rng: Generator, units: Units, taught: dict[int, Ints], ref: Reference, pool: Ints
) -> None:
    """Add to ``taught`` (the units of one region) whatever of ``pool`` nobody there teaches yet."""
    have = np.unique(np.concatenate(list(taught.values())))
    for specialty in rng.permutation(np.setdiff1d(pool, have)):
        field = ref.specialty_cluster[specialty]
        room = [u for u in taught if len(taught[u]) < min(15, units.size[u] // 12)]
        fitting = [u for u in room if field in (units.cluster[u], units.second_cluster[u])]
        # a reference college keeps its profile
        plain = [u for u in room if not units.is_reference[u]]
        for candidates in (fitting, plain, room):
            if candidates:
                unit = int(rng.choice(candidates))
                taught[unit] = np.append(taught[unit], specialty)
                break


def plan_specialties(rng: Generator, units: Units, ref: Reference) -> list[Ints]:
    """Return the specialties of each unit; calibrated regions teach exactly their number."""
    everything = np.arange(len(ref.specialties))
    chosen: list[Ints] = [np.empty(0, dtype=np.int64)] * units.count
    for r, facts in enumerate(ref.facts_by_region()):
        wanted = facts.get("specialties", len(everything))
        pool = np.sort(rng.permutation(everything)[:wanted])
        taught = {
            int(u): choose_specialties(rng, units, int(u), ref, pool)
            for u in np.flatnonzero(units.region == r)
        }
        if wanted < len(everything):
            cover(rng, units, taught, ref, pool)
        for unit, specialties in taught.items():
            chosen[unit] = np.sort(specialties)
    return chosen


def plan_qualifications(units: Units, unit: Ints, specialty: Ints, ref: Reference) -> Ints:
    """Return how many qualifications of its specialty each line draws from.

    Everything that the specialty has, except where facts.toml says how many a region teaches.
    """
    counts = ref.qualification_count[specialty].copy()
    for r, facts in enumerate(ref.facts_by_region()):
        if "qualifications" in facts:
            here = units.region[unit] == r
            taught = np.unique(specialty[here])
            most = ref.qualification_count[taught]
            total = min(max(facts["qualifications"], len(taught)), int(most.sum()))
            share = apportion(np.ones(len(taught)), total, at_least=1, at_most=most)
            counts[here] = share[np.searchsorted(taught, specialty[here])]
    return counts


def make_lines(rng: Generator, units: Units, ref: Reference) -> Lines:
    """Draw what each unit teaches, and share its students among that."""
    chosen = plan_specialties(rng, units, ref)
    unit = np.repeat(np.arange(units.count), [len(c) for c in chosen])
    specialty = np.concatenate(chosen)
    first = ref.specialty_cluster[specialty] == units.cluster[unit]
    lead = np.where(units.is_reference[unit], 4.0, 1.7)
    weight = rng.gamma(2.2, 1.0, len(unit)) * np.where(first, lead, 1.0) + 0.15
    students = np.zeros(len(unit), dtype=np.int64)
    upper = np.zeros(len(unit))
    last = np.searchsorted(unit, np.arange(units.count), side="right") - 1
    for u in range(units.count):
        here = slice(last[u] + 1 - len(chosen[u]), last[u] + 1)
        size = int(units.size[u])
        floor = min(4, size // len(chosen[u]))
        students[here] = apportion(weight[here], size, at_least=floor)
        share = students[here] if size else weight[here]
        upper[here] = u + np.cumsum(share) / share.sum()
    return Lines(
        unit=unit,
        specialty=specialty,
        upper=upper,
        last=last,
        students=students,
        qualifications=plan_qualifications(units, unit, specialty, ref),
    )
