"""Fates: what became of the graduates of a cohort, by which source, and when."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kpi.sample.codes import (
    CIVIL,
    CONTRACT,
    DECEASED,
    DECLARED,
    EMIGRATED,
    EMPLOYED,
    ENROLMENT,
    ENTREPRENEUR,
    FURTHER_STUDY,
    MILITARY,
    MILITARY_REGISTER,
    NONE,
    PARENTAL,
    PENSION,
    SELF_EMPLOYED,
    SOCIAL,
    UNEMPLOYED,
    UNKNOWN,
)
from kpi.sample.drawing import choose_exactly, pick
from kpi.sample.rows import NEVER, Array, Codes, Floats, Ints, Mask, day
from kpi.sample.targets import Cohort


@dataclass(frozen=True)
class Fates:
    """What became of a cohort: codes, and whether the destination came too late. Shape (n,)."""

    destination: Codes
    source: Codes
    late: Mask

    def give(self, rows: Array, destination: Array | int, source: Array | int) -> None:
        """Give some rows a destination and its source."""
        self.destination[rows] = destination
        self.source[rows] = source


def draw_excluded(rng: Generator, cohort: Cohort, study_lean: Floats, fates: Fates) -> Ints:
    """Draw those who leave the denominator, with proof; return the others, shuffled."""
    study = choose_exactly(rng, study_lean, cohort.further_study)
    fates.give(study, FURTHER_STUDY, ENROLMENT)
    rest = rng.permutation(np.flatnonzero(~study))
    for destination, register, count in (
        (MILITARY, MILITARY_REGISTER, cohort.military),
        (PARENTAL, SOCIAL, cohort.parental),
        (EMIGRATED, CIVIL, cohort.emigrated),
        (DECEASED, CIVIL, cohort.deceased),
    ):
        fates.give(rest[:count], destination, register)
        rest = rest[count:]
    return rest


def draw_employed(
    rng: Generator,
    cohort: Cohort,
    lean: Floats,
    fates: Fates,
    fixed: Ints,
    free: Ints,
    rate: float,
) -> None:
    """Employ the ``rate`` of the ``fixed`` rows, and of the ``free`` ones as many as are left."""
    count = round(rate * len(fixed))
    work = np.concatenate(
        [
            fixed[choose_exactly(rng, lean[fixed], count)],
            free[choose_exactly(rng, lean[free], cohort.employed - count)],
        ]
    )
    own = rng.random(len(work)) < 0.09
    by_employer = np.where(rng.random(len(work)) < 0.78, PENSION, CONTRACT)
    fates.give(
        work,
        np.where(own, SELF_EMPLOYED, EMPLOYED),
        np.where(own, ENTREPRENEUR, by_employer),
    )


def draw_rest(rng: Generator, cohort: Cohort, fates: Fates, rest: Ints) -> None:
    """Draw the declared, the late, those excluded without proof, and those without work."""
    ends = np.cumsum([cohort.declared, cohort.late, cohort.unproven])
    said, after, unproven, others = np.split(rest, ends)
    own = rng.random(len(said)) < 0.15
    fates.give(said, np.where(own, SELF_EMPLOYED, EMPLOYED), DECLARED)
    fates.give(after, EMPLOYED, PENSION)
    fates.late[after] = True
    kind = pick(rng, [0.45, 0.25, 0.15, 0.15], len(unproven))
    fates.give(
        unproven,
        np.array([MILITARY, PARENTAL, FURTHER_STUDY, EMIGRATED])[kind],
        np.array([DECLARED, DECLARED, DECLARED, NONE])[kind],
    )
    idle = others[rng.random(len(others)) < 0.55]
    fates.give(idle, UNEMPLOYED, np.where(rng.random(len(idle)) < 0.5, DECLARED, NONE))


def draw_fates(
    rng: Generator, cohort: Cohort, lean: Floats, study_lean: Floats, fixed: Mask, rate: float
) -> Fates:
    """Give each graduate a destination and its source, so that the cohort's totals come out.

    ``lean`` and ``study_lean`` are log-odds of employment and of further study, shape (n,). The
    ``fixed`` rows meet an employment ``rate`` (employed / those not excluded) exactly.
    """
    n = len(lean)
    fates = Fates(
        destination=np.full(n, UNKNOWN, dtype=np.int8),
        source=np.full(n, NONE, dtype=np.int8),
        late=np.zeros(n, dtype=np.bool_),
    )
    judged = draw_excluded(rng, cohort, study_lean, fates)
    draw_employed(rng, cohort, lean, fates, judged[fixed[judged]], judged[~fixed[judged]], rate)
    rest = rng.permutation(judged[fates.destination[judged] == UNKNOWN])
    draw_rest(rng, cohort, fates, rest)
    return fates


def destination_days(rng: Generator, year: int, graduated: Ints, fates: Fates) -> Ints:
    """Return the day of each destination, never before graduation; NEVER where none is known."""
    observed = day(f"{year}-10-01")
    u = rng.random(len(graduated))
    soon = graduated + (u**1.4 * (observed - graduated + 1)).astype(np.int64)
    lecture = np.maximum(graduated, day(f"{year}-08-20") + (u * 26).astype(np.int64))
    late = observed + 1 + (u * 40).astype(np.int64)
    works = fates.destination <= SELF_EMPLOYED
    days = np.where(fates.destination == FURTHER_STUDY, lecture, np.minimum(soon, observed))
    days = np.where(fates.late, late, days)
    unknown = np.isin(fates.destination, [UNEMPLOYED, UNKNOWN]) | (rng.random(len(u)) < 0.2)
    return np.where(unknown & ~works, NEVER, days)
