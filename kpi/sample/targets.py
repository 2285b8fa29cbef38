"""What the sample is made to meet: the reference, and the published totals scaled to its size."""

import tomllib
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from kpi.resources import data_folder
from kpi.sample.rows import Array, Floats, Ints

FULL_COLLEGES = 772
FULL_STUDENTS = 556_000
MIN_COLLEGES = 30
MIN_STUDENTS = 2_000
MIN_STUDENTS_PER_COLLEGE = 25

# Illustrative: population in thousands times the pull of a place with many colleges, and the share
# of teaching in Russian. Regions that facts.toml calibrates take its figures instead.
REGION_PULL = {
    "KZ-10": (604, 0.35),
    "KZ-11": (787, 0.50),
    "KZ-15": (950, 0.20),
    "KZ-19": (1000, 0.20),
    "KZ-23": (715, 0.12),
    "KZ-27": (700, 0.30),
    "KZ-31": (1220, 0.15),
    "KZ-33": (697, 0.20),
    "KZ-35": (1135, 0.50),
    "KZ-39": (826, 0.65),
    "KZ-43": (850, 0.05),
    "KZ-47": (800, 0.10),
    "KZ-55": (753, 0.55),
    "KZ-59": (519, 0.70),
    "KZ-61": (2050, 0.06),
    "KZ-62": (221, 0.25),
    "KZ-63": (725, 0.55),
    "KZ-71": (1900, 0.30),
    "KZ-75": (2950, 0.35),
    "KZ-79": (1600, 0.15),
}
CITIES = {"KZ-71", "KZ-75", "KZ-79"}
CALIBRATED = {"KZ-15", "KZ-35", "KZ-59"}
# Illustrative: how common a college of the cluster is, its lead in employment (log-odds) and wages.
CLUSTER_PULL = {
    "education": (0.13, 0.05, 0.92),
    "construction": (0.09, 0.10, 1.10),
    "transport": (0.10, 0.10, 1.08),
    "energy": (0.08, 0.20, 1.15),
    "it": (0.14, -0.05, 1.12),
    "mining": (0.05, 0.25, 1.30),
    "light_industry": (0.03, -0.05, 0.85),
    "agriculture": (0.10, -0.10, 0.88),
    "manufacturing": (0.10, 0.15, 1.10),
    "health": (0.08, 0.30, 0.98),
    "services": (0.06, -0.05, 0.86),
    "business": (0.07, -0.30, 0.95),
    "arts": (0.04, -0.25, 0.84),
}


@dataclass(frozen=True)
class Reference:
    """What the sample takes from ``data/reference``, and the illustrative numbers above."""

    regions: pl.DataFrame
    region_pull: Floats
    russian: Floats  # region → share of teaching in Russian
    clusters: list[str]
    cluster_pull: Floats
    cluster_lead: Floats
    cluster_wage: Floats
    specialties: list[str]
    specialty_cluster: Ints
    qualifications: list[str]  # all codes, those of one specialty together
    first_qualification: Ints  # specialty → where its codes begin
    qualification_count: Ints  # specialty → how many it has, at least 2
    facts: dict[str, Any]

    @property
    def region_codes(self) -> list[str]:
        """Return the codes of the regions, in order."""
        return self.regions["region"].to_list()

    def facts_by_region(self) -> list[dict[str, Any]]:
        """Return what facts.toml says of each region, nothing of most."""
        return [self.facts["regions"].get(region, {}) for region in self.region_codes]


def read_reference() -> Reference:
    """Read regions, specialties, qualifications and facts from ``data/reference``."""
    folder = data_folder() / "reference"
    read = partial(pl.read_csv, infer_schema=False)
    specialties = read(folder / "specialties.csv")
    clusters = read(folder / "clusters.csv")["cluster"].to_list()
    real: dict[str, list[str]] = {}
    for code, specialty in read(folder / "qualifications.csv")["code", "specialty_code"].rows():
        real.setdefault(specialty, []).append(code)
    taught: list[list[str]] = []
    for specialty in specialties["specialty"]:
        known = real.get(specialty, [])
        # Where real qualifications run out: made-up ones of a worker, then of a specialist,
        # numbered from 91 so that none collides.
        levels = ("3W", "4S")[len(known) :]
        made = [f"{level}{specialty[:6]}{91 + i}" for i, level in enumerate(levels)]
        taught.append(known + made)
    counts = np.array([len(codes) for codes in taught])
    regions = read(folder / "regions.csv")
    region_pull, russian = zip(*(REGION_PULL[r] for r in regions["region"]), strict=True)
    pull, lead, wage = zip(*(CLUSTER_PULL[c] for c in clusters), strict=True)
    return Reference(
        regions=regions,
        region_pull=np.array(region_pull, dtype=np.float64),
        russian=np.array(russian),
        clusters=clusters,
        cluster_pull=np.array(pull),
        cluster_lead=np.array(lead),
        cluster_wage=np.array(wage),
        specialties=specialties["specialty"].to_list(),
        specialty_cluster=np.array([clusters.index(c) for c in specialties["cluster"]]),
        qualifications=[code for codes in taught for code in codes],
        first_qualification=np.cumsum(counts) - counts,
        qualification_count=counts,
        facts=tomllib.loads((folder / "facts.toml").read_text(encoding="utf-8")),
    )


@dataclass(frozen=True)
class Cohort:
    """The people who graduated in the year to 31 August ``year``, and what became of how many.

    ``employed`` and ``further_study`` count accepted sources only, dated in time; ``declared`` are
    employed by declaration alone, ``late`` employed by an accepted source after the last day, and
    ``unproven`` would be excluded if their source were the right one.
    """

    year: int
    graduates: int
    employed: int
    further_study: int
    military: int
    parental: int
    emigrated: int
    deceased: int
    declared: int
    late: int
    unproven: int


@dataclass(frozen=True)
class Targets:
    """The totals the sample meets exactly, scaled from facts.toml to the size asked for."""

    colleges: int
    students: int
    state_order: int
    cohorts: list[Cohort]
    dual_students: int
    dual_colleges: int
    enterprises: int

    @property
    def mean_size(self) -> float:
        """Return the students of an average college."""
        return self.students / self.colleges

    @property
    def other_employers(self) -> int:
        """Return how many employers each region has besides those with dual training."""
        return max(20, self.enterprises // 10)

    def scaled(self, full: int) -> int:
        """Scale a number of people from the national size, half up."""
        return scale(full, self.students, FULL_STUDENTS)

    def scaled_colleges(self, full: int) -> int:
        """Scale a number of colleges from the national size, half up."""
        return scale(full, self.colleges, FULL_COLLEGES)


def scale(full: int, size: int, full_size: int) -> int:
    """Return ``full * size / full_size`` as a whole number, half up."""
    return (2 * full * size + full_size) // (2 * full_size)


def make_cohort(year: int, bulletin: dict[str, Any], students: int, declared_rate: float) -> Cohort:
    """Plan one cohort from a bulletin's graduates, employed and further study.

    Illustrative are the other reasons to leave the denominator (3.3 % of the cohort). The declared
    follow from the rate that counts them: (employed + declared) / (graduates less excluded).
    """
    people = partial(scale, size=students, full_size=FULL_STUDENTS)
    graduates, employed, study = (
        people(bulletin[key]) for key in ("graduates", "employed", "further_study")
    )
    share = bulletin["graduates"] / 169_300
    military, parental, emigrated, deceased, late, unproven = (
        people(round(n * share)) for n in (3_300, 1_900, 300, 100, 900, 260)
    )
    judged = graduates - study - military - parental - emigrated - deceased
    return Cohort(
        year=year,
        graduates=graduates,
        employed=employed,
        further_study=study,
        military=military,
        parental=parental,
        emigrated=emigrated,
        deceased=deceased,
        declared=round(declared_rate * judged) - employed,
        late=late,
        unproven=unproven,
    )


def make_targets(facts: dict[str, Any], colleges: int, students: int) -> Targets:
    """Scale the published totals to ``colleges`` and ``students``."""
    people = partial(scale, size=students, full_size=FULL_STUDENTS)
    national, dual = facts["national"], facts["dual_2025"]
    illustrative_2023 = {"graduates": 150_000, "employed": 87_100, "further_study": 24_000}
    rate = national["employment_rate_ministry_2025"]
    return Targets(
        colleges=colleges,
        students=students,
        state_order=round(national["state_order_share_of_students"] * students),
        cohorts=[
            make_cohort(2023, illustrative_2023, students, rate),
            make_cohort(2024, facts["bulletin_2024_25"], students, rate),
            make_cohort(2025, facts["bulletin_2025_26"], students, rate),
        ],
        dual_students=people(dual["students"]),
        dual_colleges=scale(dual["colleges"], colleges, FULL_COLLEGES),
        enterprises=people(dual["enterprises"]),
    )


def by_region(
    regions: list[str], known: dict[str, float], rest: Array, full: int, total: int
) -> Floats:
    """Return weights of regions: the known figures, and for the others ``rest`` of what is left."""
    weights = np.array([known.get(region, np.nan) for region in regions], dtype=np.float64)
    unknown = np.isnan(weights)
    left = full - sum(known.values())
    weights[unknown] = rest[unknown] / rest[unknown].sum() * left
    return weights * (total / full)


def check_size(colleges: int, students: int) -> None:
    """Raise ValueError where the regional figures cannot be scaled to so few."""
    least = max(MIN_STUDENTS, MIN_STUDENTS_PER_COLLEGE * colleges)
    if colleges < MIN_COLLEGES:
        raise ValueError(f"colleges: {colleges}, expected at least {MIN_COLLEGES}")
    if students < least:
        raise ValueError(f"students: {students}, expected at least {least} for {colleges} colleges")
