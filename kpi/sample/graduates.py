"""Graduates: three cohorts, with their fates, jobs and certificates."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kpi.sample.codes import CONTRACT, DECLARED, EMPLOYED, SELF_EMPLOYED
from kpi.sample.drawing import apportion, sigmoid, spread
from kpi.sample.dual import Dual
from kpi.sample.fates import Fates, destination_days, draw_fates
from kpi.sample.rows import Floats, Ints, Mask, Rows, day
from kpi.sample.students import funding_lean, paid_by, study_rows
from kpi.sample.targets import Cohort
from kpi.sample.world import World


def cohort_places(rng: Generator, world: World, cohort: Cohort) -> Ints:
    """Share a cohort among the units, shape (units,); the closed college has none in 2025."""
    units = world.units
    mean = world.targets.mean_size
    past = np.where(np.arange(units.count) == units.count - 1, mean * 0.7, units.size)
    weight = past * np.exp(rng.normal(0.0, 0.16, units.count)) * ~units.is_new
    low = np.where(units.is_new, 0, max(1, min(12, round(mean / 12))))
    high = np.where(units.is_new, 0, cohort.graduates)
    if cohort.year == 2025:
        fixed = units.cohort_2025
        low, high = np.where(fixed >= 0, fixed, low), np.where(fixed >= 0, fixed, high)
        low[-1] = high[-1] = 0
    return apportion(weight, cohort.graduates, at_least=low, at_most=high)


def graduation_days(rng: Generator, year: int, n: int) -> Ints:
    """Return days in the year to 31 August: mostly late June, both edges included."""
    summer = day(f"{year}-06-14") + rng.integers(0, 22, n)
    winter = day(f"{year}-01-20") + rng.integers(0, 30, n)
    first, last = day(f"{year - 1}-09-01"), day(f"{year}-08-31")
    u = rng.random(n)
    days = np.where(u < 0.9, summer, np.where(u < 0.97, winter, rng.integers(first, last + 1, n)))
    days[[0, -1]] = first, last
    return days


@dataclass(frozen=True)
class Background:
    """What drives the fates of a cohort's people. Shape (n,) each."""

    unit: Ints
    cluster: Ints  # of their specialty
    quality: Floats  # of their unit
    luck: Floats  # of their unit, in employment
    lead: Floats  # of their cluster, in employment
    dual: Mask


def draw_background(rng: Generator, world: World, line: Ints, dual_share: Floats) -> Background:
    """Draw who had dual training, and the luck of the units in this year."""
    units, unit = world.units, world.lines.unit[line]
    dual = rng.random(len(line)) < dual_share[unit]
    luck = np.where(units.is_reference, 0.35, rng.normal(0.0, 0.42, units.count))
    cluster = world.ref.specialty_cluster[world.lines.specialty[line]]
    lead = world.ref.cluster_lead[cluster]
    return Background(unit, cluster, units.quality[unit], luck[unit], lead, dual)


def cohort_fates(rng: Generator, world: World, cohort: Cohort, of: Background) -> Fates:
    """Draw what became of the cohort; in Aktobe dual training led to work as facts.toml says."""
    units = world.units
    lean = 0.62 * of.quality + of.luck + of.lead - 0.15 * units.rural[of.unit] + 0.45 * of.dual
    luck = rng.normal(0.0, 0.35, units.count)[of.unit]
    study_lean = -0.12 * of.quality + luck - 0.8 * of.lead
    aktobe = units.region[of.unit] == world.ref.region_codes.index("KZ-15")
    rate = world.ref.facts["regions"]["KZ-15"]["dual_employment_rate"]
    fixed = of.dual & aktobe & (cohort.year == 2025)
    return draw_fates(rng, cohort, lean, study_lean, fixed, rate)


def draw_jobs(rng: Generator, world: World, dual: Dual, of: Background) -> Rows:
    """Draw the job that each has if employed: employer, whether it fits the specialty, wage."""
    n, region = len(of.unit), world.units.region[of.unit]
    others = world.targets.other_employers
    local = dual.draw_enterprises(rng, region)
    elsewhere = dual.first_enterprise[-1] + region * others + rng.integers(0, others, n)
    stays = (rng.random(n) < 0.3) & (dual.enterprises[region] > 0)
    level = world.ref.cluster_wage[of.cluster]
    rural = np.where(world.units.rural[of.unit], 0.9, 1.0)
    median = 186_000 * level * np.exp(0.06 * of.quality) * rural
    wage = np.clip(median * np.exp(rng.normal(0.0, 0.27, n)), 85_000, 640_000)
    return {
        "employer": np.where(stays, local, elsewhere),
        "fits": sigmoid(0.42 + 0.45 * of.quality + 0.6 * of.dual + 0.5 * of.lead + of.luck * 0.3),
        "wage": wage.astype(np.int64),
    }


def known_of_jobs(rng: Generator, fates: Fates, jobs: Rows) -> Rows:
    """Return what the registers know of the jobs of those who have one, -1 elsewhere."""
    n = len(jobs["wage"])
    works = fates.destination <= SELF_EMPLOYED
    hired = fates.destination == EMPLOYED
    proven = hired & (fates.source <= CONTRACT)
    known = np.where(proven, 0.98, np.where(hired, 0.5, 0.0))
    return {
        "employer": np.where(rng.random(n) < known, jobs["employer"], -1),
        "in_specialty": np.where(
            works & (rng.random(n) < np.where(fates.source == DECLARED, 0.7, 0.97)),
            rng.random(n) < jobs["fits"],
            -1,
        ).astype(np.int8),
        "wage": np.where(proven & (rng.random(n) < 0.93), jobs["wage"], -1),
    }


def cohort_rows(rng: Generator, world: World, cohort: Cohort, dual: Dual) -> Rows:
    """Draw the graduates of one cohort, all columns of the table but ids. Shape (n,) each."""
    unit = spread(cohort_places(rng, world, cohort))
    n = len(unit)
    line = world.lines.draw(rng, unit)
    rows = study_rows(rng, world, line)
    background = draw_background(rng, world, line, dual.share)
    fates = cohort_fates(rng, world, cohort, background)
    graduated = graduation_days(rng, cohort.year, n)
    state = rng.logistic(size=n) < 0.9 + funding_lean(rng, world, line)
    jobs = draw_jobs(rng, world, dual, background)
    has_certificate = rng.random(n) < sigmoid(-0.5 + 0.75 * background.quality)
    rows |= {
        "unit": unit,
        "graduated": graduated,
        "funding": paid_by(rng, state),
        "dual": background.dual,
        "destination": fates.destination,
        "source": fates.source,
        "destination_on": destination_days(rng, cohort.year, graduated, fates),
        "certificate": np.where(has_certificate, np.cumsum(has_certificate), -1),
        "year": np.full(n, cohort.year, dtype=np.int16),
    }
    return rows | known_of_jobs(rng, fates, jobs)
