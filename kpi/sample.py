"""The synthetic national round 2025-26: five input tables that look like the country's registers.

Nobody in it is real and nothing in it was observed. Its totals are calibrated to the published
figures in ``data/reference/facts.toml``; everything between those figures (which college, which
student, which date) is drawn at random from a seed, so that the same call writes the same bytes.

The way of the data: targets → units → lines (unit × specialty) → students, graduates, agreements
and accreditations → campuses (branches and a merged college share a unit's rows) → CSV.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from numpy.random import PCG64, Generator, SeedSequence

from kpi.resources import data_folder

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]
Rows = dict[str, Array]
Progress = Callable[[str], None]

FULL_COLLEGES = 772
FULL_STUDENTS = 556_000
MIN_COLLEGES = 30
MIN_STUDENTS = 2_000
MIN_STUDENTS_PER_COLLEGE = 25

COLUMNS = {
    "colleges": (
        "college_id parent_id name_kk name_ru name_en region kind ownership locality status "
        "successor_id merged_on administrator"
    ).split(),
    "students": (
        "student_id record_no college_id specialty qualification course study_form funding_source "
        "enrolled_on left_on left_reason academic_leave special_needs language"
    ).split(),
    "dual_agreements": (
        "agreement_id student_id college_id employer_bin valid_from valid_to"
    ).split(),
    "graduates": (
        "graduate_id record_no college_id specialty qualification graduated_on study_form "
        "funding_source dual destination destination_source destination_on employer_bin "
        "in_specialty monthly_wage certificate_id"
    ).split(),
    "accreditations": (
        "college_id scope specialty agency international register_no valid_from valid_to"
    ).split(),
}

KINDS = ["college", "higher_college"]
OWNERSHIPS = ["communal", "private", "quasi_state", "republican", "other"]
LOCALITIES = ["urban", "rural"]
ADMINISTRATORS = ["education", "health", "culture", "sport", "other"]
STUDY_FORMS = ["full_time", "part_time", "evening"]
FUNDING_SOURCES = ["state_order", "targeted_state_order", "enterprise_paid", "self_paid"]
LEFT_REASONS = ["graduated", "transferred", "expelled", "own_wish", "other"]
LANGUAGES = ["kk", "ru", "en"]
DESTINATIONS = [
    "employed",
    "self_employed",
    "further_study",
    "military_service",
    "parental_leave",
    "unemployed",
    "unknown",
    "emigrated",
    "deceased",
]
DESTINATION_SOURCES = [
    "pension_contributions",
    "employer_contract",
    "entrepreneur_register",
    "enrolment_register",
    "military_register",
    "social_payment",
    "civil_register",
    "declared",
    "none",
]
STATE_ORDER, TARGETED, ENTERPRISE_PAID, SELF_PAID = range(4)
GRADUATED, TRANSFERRED, EXPELLED, OWN_WISH, OTHER_REASON = range(5)
(
    EMPLOYED,
    SELF_EMPLOYED,
    FURTHER_STUDY,
    MILITARY,
    PARENTAL,
    UNEMPLOYED,
    UNKNOWN,
    EMIGRATED,
    DECEASED,
) = range(9)
PENSION, CONTRACT, ENTREPRENEUR, ENROLMENT, MILITARY_REGISTER, SOCIAL, CIVIL, DECLARED, NONE = (
    range(9)
)

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

STAGES = ("units lines campuses students leavers dual graduates placing accreditations ids").split()
NEVER = -(2**30)  # an empty date; real ones are days since 1970-01-01


def day(iso: str) -> int:
    """Return the days from 1970-01-01 to an ISO date."""
    return int(np.datetime64(iso, "D").astype(np.int64))


COUNT_ON = day("2025-10-01")
YEAR_BEFORE = day("2024-10-01")


# --------------------------------------------------------------------------- drawing, exactly


def stream(seed: int, stage: str) -> Generator:
    """Return the random stream of one stage; streams do not disturb one another."""
    return Generator(PCG64(SeedSequence(seed, spawn_key=(STAGES.index(stage),))))


def apportion(
    weights: npt.ArrayLike,
    total: int,
    *,
    at_least: npt.ArrayLike = 0,
    at_most: npt.ArrayLike | None = None,
) -> Ints:
    """Share ``total`` whole things by weight, by the largest remainder (ties: the earlier one).

    ``weights`` has shape (n,), the answer too, and sums to ``total``. Each share starts at its
    ``at_least``, the rest goes by weight, and what exceeds an ``at_most`` goes to the others. Where
    even the ``at_least`` do not fit, they become the weights. Raises ValueError if ``at_most``
    leaves too little room.
    """
    weight = np.array(weights, dtype=np.float64)
    low = np.broadcast_to(np.asarray(at_least, dtype=np.int64), weight.shape)
    high = np.maximum(low, total) if at_most is None else np.broadcast_to(at_most, weight.shape)
    low = np.minimum(low, high)
    if int(low.sum()) > total:
        weight, low = low.astype(np.float64), np.zeros_like(low)
    if int(high.sum()) < total:
        raise ValueError(f"{total} do not fit into places for {int(high.sum())}")
    share = low.astype(np.int64)
    while (rest := total - int(share.sum())) > 0:
        open_weight = np.where(share < high, weight, 0.0)
        if open_weight.sum() <= 0:
            open_weight = (share < high).astype(np.float64)
        quota = open_weight / open_weight.sum() * rest
        whole = np.floor(quota).astype(np.int64)
        if (share + whole > high).any():
            share = np.minimum(share + whole, high)
            continue
        share = share + whole
        order = np.argsort(np.where(share < high, whole - quota, 1.0), kind="stable")
        order = order[(share < high)[order]][: total - int(share.sum())]
        share[order] += 1
    return share


def choose_exactly(rng: Generator, log_odds: Array, count: int) -> Mask:
    """Choose exactly ``count`` of the rows, those with greater log-odds more likely.

    Shape (n,) in and out. Adding logistic noise and taking the greatest makes each row's chance a
    logistic function of its log-odds, shifted so that the total comes out.
    """
    chosen = np.zeros(len(log_odds), dtype=np.bool_)
    if count > 0:
        keys = log_odds + rng.logistic(size=len(log_odds))
        chosen[np.argpartition(keys, len(keys) - count)[len(keys) - count :]] = True
    return chosen


def sigmoid(log_odds: Floats) -> Floats:
    """Return the probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def rank_within(groups: Array) -> Ints:
    """Number the rows of each group 0, 1, 2, … in row order. Shape (n,) in and out."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(begins, len(ordered)))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(begins, lengths)
    return rank


def spread(total: int, parts: Ints) -> Ints:
    """Return row → part, each part repeated by its count; ``parts`` must sum to ``total``."""
    return np.repeat(np.arange(len(parts)), parts)[:total]


def pick(rng: Generator, shares: list[float], size: int) -> npt.NDArray[np.int8]:
    """Draw ``size`` codes 0, 1, … with the given shares; the last one takes the remainder."""
    return np.searchsorted(np.cumsum(shares[:-1]), rng.random(size), side="right").astype(np.int8)


# --------------------------------------------------------------------------- numbers of people


def control_digit(bases: Ints) -> Ints:
    """Return the control digit of 11-digit IIN or BIN bases, -1 where none exists.

    The rule of the Kazakh identification number: weights 1..11 modulo 11; if that gives 10, weights
    3..11, 1, 2; if that gives 10 as well, the number is not used.
    """
    first = np.zeros(len(bases), dtype=np.int64)
    second = np.zeros(len(bases), dtype=np.int64)
    for place in range(11):
        digit = bases // 10 ** (10 - place) % 10
        first += digit * (place + 1)
        second += digit * ((place + 2) % 11 + 1)
    first, second = first % 11, second % 11
    return np.where(first < 10, first, np.where(second < 10, second, -1))


def impossible_numbers(build: Callable[[Ints], Ints], room: int, start: int, count: int) -> Ints:
    """Return ``count`` different 12-digit numbers with a valid control digit.

    ``build`` turns serials below ``room`` into 11-digit bases. A stride by a prime visits every
    serial once, so the numbers look scattered and never repeat.
    """
    stride = 24_036_583  # a prime that divides no room used here
    tried = count + count // 50 + 60
    if tried > room:
        raise ValueError(f"{count} numbers asked, {room} possible")
    bases = build((start + np.arange(tried, dtype=np.int64) * stride) % room)
    digits = control_digit(bases)
    numbers = (bases * 10 + digits)[digits >= 0]
    return numbers[:count]


def person_base(serial: Ints) -> Ints:
    """Return IIN-shaped bases: year, month 00 (no real one has it), day, 5 or 6, four digits."""
    rest, four = np.divmod(serial, 10_000)
    rest, sex = np.divmod(rest, 2)
    year, month_day = np.divmod(rest, 31)
    base: Ints = year * 10**9 + (month_day + 1) * 10**5 + (5 + sex) * 10**4 + four
    return base


def body_base(feature: int, serial: Ints) -> Ints:
    """Return BIN-shaped bases: year, month 00 (none has it), 4, 0 head or 1 branch, serial."""
    years, five = np.divmod(serial, 100_000)
    return (90 + years) % 100 * 10**9 + (40 + feature) * 10**5 + five


def id_texts(numbers: Ints) -> pl.Series:
    """Return 12-digit texts of numbers."""
    return pl.Series(numbers, dtype=pl.Int64).cast(pl.String).str.zfill(12)


# --------------------------------------------------------------------------- reference, targets


@dataclass(frozen=True)
class Reference:
    """What the sample takes from ``data/reference``."""

    regions: pl.DataFrame
    clusters: list[str]
    specialties: list[str]
    specialty_cluster: Ints
    qualifications: list[str]  # all codes, those of one specialty together
    first_qualification: Ints  # specialty → where its codes begin
    qualification_count: Ints  # specialty → how many it has, at least 2
    facts: dict[str, Any]


def read_reference() -> Reference:
    """Read regions, specialties, qualifications and facts from ``data/reference``."""
    folder = data_folder() / "reference"
    read = partial(pl.read_csv, infer_schema=False)
    specialties = read(folder / "specialties.csv")
    clusters = read(folder / "clusters.csv")["cluster"].to_list()
    real: dict[str, list[str]] = {}
    for code, specialty in read(folder / "qualifications.csv")["code", "specialty_code"].rows():
        real.setdefault(specialty, []).append(code)
    codes: list[str] = []
    counts: list[int] = []
    for specialty in specialties["specialty"]:
        known = real.get(specialty, [])
        # Where real qualifications run out: a made-up one, numbered from 91 so that none collides.
        made = [f"{specialty[:6]}{91 + i}" for i in range(max(0, 2 - len(known)))]
        codes += known + made
        counts.append(len(known) + len(made))
    return Reference(
        regions=read(folder / "regions.csv"),
        clusters=clusters,
        specialties=specialties["specialty"].to_list(),
        specialty_cluster=np.array([clusters.index(c) for c in specialties["cluster"]]),
        qualifications=codes,
        first_qualification=np.cumsum([0, *counts[:-1]]),
        qualification_count=np.array(counts),
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

    def scaled(self, full: int) -> int:
        """Scale a number of people from the national size, half up."""
        return scale(full, self.students, FULL_STUDENTS)


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


# --------------------------------------------------------------------------- units


@dataclass(frozen=True)
class Units:
    """The legal entities, shape (colleges + 1,); the last one is the closed college.

    ``quality`` is latent and about standard normal: it drives employment, dual training,
    accreditation, work in the specialty and certificates, and keeps dropout down.
    """

    region: Ints
    size: Ints  # students counted on 1 October 2025
    cohort_2025: Ints  # graduates fixed for special colleges, -1 elsewhere
    cluster: Ints
    second_cluster: Ints
    quality: Floats
    rural: Mask
    kind: Ints
    ownership: Ints
    administrator: Ints  # -1 unknown
    is_new: Mask  # took its first students in 2024
    is_reference: Mask  # the strong college of a cluster of Karaganda
    is_special: Mask

    @property
    def count(self) -> int:
        """Return how many there are, the closed one included."""
        return len(self.region)


def plan_regions(ref: Reference, targets: Targets) -> tuple[Ints, Ints]:
    """Return colleges and students of each region, shape (20,) each."""
    regions = ref.regions["region"].to_list()
    pull = np.array([REGION_PULL[region][0] for region in regions], dtype=np.float64)
    facts = ref.facts["regions"]
    exact = {r: f for r, f in facts.items() if f.get("scope") != "narrow"}
    college_weights = by_region(
        regions,
        {r: f["colleges"] for r, f in exact.items() if "colleges" in f},
        pull,
        FULL_COLLEGES,
        targets.colleges,
    )
    colleges = apportion(college_weights, targets.colleges)
    if (colleges == 0).any():
        colleges = apportion(college_weights, targets.colleges, at_least=1)
    student_weights = by_region(
        regions,
        {r: f["students"] for r, f in exact.items() if "students" in f},
        pull,
        FULL_STUDENTS,
        targets.students,
    )
    students = apportion(student_weights, targets.students)
    if (students < MIN_STUDENTS_PER_COLLEGE * colleges).any():
        floor = np.minimum(20, targets.students // targets.colleges) * colleges
        students = apportion(student_weights, targets.students, at_least=floor)
    return colleges, students


def choose_special(rng: Generator, region: Ints, regions: list[str], colleges: int) -> Ints:
    """Choose the units with odd sizes, one a region where there are enough.

    The first has 24 students, the second is new, the others have 8 graduates. Calibrated regions
    and regions with a single college are left alone.
    """
    wanted = 2 + max(1, scale(6, colleges, FULL_COLLEGES))
    counts = np.bincount(region, minlength=len(regions))
    free = [r for r in np.argsort(-counts, kind="stable") if regions[r] not in CALIBRATED]
    free = [r for r in free if counts[r] > 1]
    chosen: list[int] = []
    for turn in range(wanted):
        members = np.flatnonzero(region == free[turn % len(free)])
        members = members[~np.isin(members, chosen)]
        if len(members) > 1:
            chosen.append(int(rng.choice(members)))
    return np.array(chosen)


def make_sizes(rng: Generator, region: Ints, students: Ints, fixed: Ints, mean: float) -> Ints:
    """Draw the units' students, log-normal within the region's total. ``fixed`` -1 where free."""
    weight = np.exp(rng.normal(0.0, 0.95, len(region)))
    smallest, largest = max(1, min(30, round(mean * 0.4))), round(mean * 4.6)
    size = np.zeros(len(region), dtype=np.int64)
    for r, total in enumerate(students):
        here = region == r
        low = np.where(fixed[here] >= 0, fixed[here], smallest)
        high = np.where(fixed[here] >= 0, fixed[here], max(largest, 2 * int(total) // here.sum()))
        size[here] = apportion(weight[here], int(total), at_least=low, at_most=high)
    return size


def make_units(rng: Generator, ref: Reference, targets: Targets) -> Units:
    """Draw the colleges: region, size, profile, quality, ownership."""
    regions = ref.regions["region"].to_list()
    colleges_of, students_of = plan_regions(ref, targets)
    n = targets.colleges
    region = spread(n, colleges_of)
    mean = targets.students / n
    special = choose_special(rng, region, regions, n)
    fixed = np.full(n, -1, dtype=np.int64)
    fixed[special] = rng.integers(min(58, int(mean * 0.8)), min(86, int(mean) + 1), len(special))
    fixed[special[:2]] = [24, min(150, int(mean))][: len(special[:2])]
    size = make_sizes(rng, region, students_of, fixed, mean)
    cohort = np.full(n, -1, dtype=np.int64)
    cohort[special] = 8
    cohort[special[:2]] = [10, 0][: len(special[:2])]

    is_city = np.isin(np.array(regions)[region], sorted(CITIES))
    rural = (rng.random(n) < 0.33) & ~is_city & (size < 2 * mean)
    pull = np.array([CLUSTER_PULL[c][0] for c in ref.clusters])
    farm = np.arange(len(pull)) == ref.clusters.index("agriculture")
    lean = np.where(rural[:, None], pull * np.where(farm, 3.0, 1.0), pull)
    lean = np.cumsum(lean / lean.sum(axis=1, keepdims=True), axis=1)
    draw = partial(np.minimum, len(pull) - 1)
    cluster = draw((rng.random((n, 1)) > lean).sum(axis=1))
    second = draw((rng.random((n, 1)) > lean).sum(axis=1))
    quality = rng.normal(0.0, 1.0, n) - 0.25 * rural

    is_reference = np.zeros(n, dtype=np.bool_)
    karaganda = np.flatnonzero((region == regions.index("KZ-35")) & (size >= mean / 4))
    named = ref.facts["regions"]["KZ-35"]["clusters"]
    for unit, name in zip(rng.permutation(karaganda), named, strict=False):
        is_reference[unit] = True
        cluster[unit] = ref.clusters.index(name)
        quality[unit] = 1.3 + 0.3 * rng.random()

    health, arts = ref.clusters.index("health"), ref.clusters.index("arts")
    ownership = pick(rng, [0.58, 0.34, 0.03, 0.02, 0.03], n).astype(np.int64)
    administrator = np.where(
        cluster == health,
        1,
        np.where(cluster == arts, 2, pick(rng, [0.95, 0.0, 0.0, 0.03, 0.02], n)),
    )
    administrator = np.where((ownership == 1) & (rng.random(n) < 0.6), -1, administrator)
    kind = (rng.random(n) < np.where(size > mean, 0.38, 0.14)).astype(np.int64)

    closed = int(rng.choice([r for r, code in enumerate(regions) if code not in CALIBRATED]))
    new = np.arange(n) == (special[1] if len(special) > 1 else -1)

    def add(values: Array, last: Any) -> Array:
        return np.append(values, np.array([last], dtype=values.dtype))

    return Units(
        region=add(region, closed),
        size=add(size, 0),
        cohort_2025=add(cohort, 0),
        cluster=add(cluster, ref.clusters.index("business")),
        second_cluster=add(second, ref.clusters.index("services")),
        quality=add(quality, -1.2),
        rural=add(rural, False),
        kind=add(kind, 0),
        ownership=add(ownership, 1),
        administrator=add(administrator, 0),
        is_new=add(new, False),
        is_reference=add(is_reference, False),
        is_special=add(np.isin(np.arange(n), special), True),
    )


# --------------------------------------------------------------------------- lines


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
    for r, code in enumerate(ref.regions["region"]):
        wanted = ref.facts["regions"].get(code, {}).get("specialties", len(everything))
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
    for r, code in enumerate(ref.regions["region"]):
        wanted = ref.facts["regions"].get(code, {}).get("qualifications")
        if wanted is not None:
            here = units.region[unit] == r
            taught = np.unique(specialty[here])
            most = ref.qualification_count[taught]
            total = min(max(wanted, len(taught)), int(most.sum()))
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


# --------------------------------------------------------------------------- students


@dataclass(frozen=True)
class World:
    """What every stage after the lines reads."""

    ref: Reference
    targets: Targets
    units: Units
    lines: Lines


def study_rows(rng: Generator, world: World, line: Ints) -> Rows:
    """Draw what does not depend on the day: form, qualification, language, special needs.

    Shape (n,) per column; codes are positions in the lists above, -1 is empty.
    """
    units, lines, ref = world.units, world.lines, world.ref
    n = len(line)
    unit = lines.unit[line]
    specialty = lines.specialty[line]
    part_time = np.clip(0.09 + 0.05 * np.sin(unit * 2.4), 0.0, 1.0)[:, None]
    form = (rng.random((n, 1)) < np.hstack([part_time, part_time * 0.1])).sum(axis=1)
    offset = (rng.random(n) * lines.qualifications[line]).astype(np.int64)
    qualification = ref.first_qualification[specialty] + offset
    exact = np.array(["qualifications" in ref.facts["regions"].get(r, {}) for r in regions_of(ref)])
    blank = (rng.random(n) < 0.02) & ~exact[units.region[unit]]
    russian = np.array([REGION_PULL[r][1] for r in regions_of(ref)])[units.region[unit]]
    u = rng.random(n)
    language = np.where(u < russian, 1, np.where(u > 0.992, 2, 0))
    return {
        "line": line.astype(np.int32),
        "form": form.astype(np.int8),
        "qualification": np.where(blank, -1, qualification).astype(np.int32),
        "language": np.where(rng.random(n) < 0.01, -1, language).astype(np.int8),
        "needs": rng.random(n) < 0.012,
    }


def regions_of(ref: Reference) -> list[str]:
    """Return the region codes in order."""
    return ref.regions["region"].to_list()


def cover_qualifications(world: World, rows: Rows) -> None:
    """Make sure that a region whose qualifications are counted teaches each of them."""
    units, lines, ref = world.units, world.lines, world.ref
    for r, code in enumerate(regions_of(ref)):
        if "qualifications" not in ref.facts["regions"].get(code, {}):
            continue
        here = np.flatnonzero(units.region[lines.unit[rows["line"]]] == r)
        line = rows["line"][here]
        specialty = lines.specialty[line]
        rank = rank_within(specialty)
        early = rank < lines.qualifications[line]
        rows["qualification"][here[early]] = (ref.first_qualification[specialty] + rank)[early]


def september(rng: Generator, year: Ints) -> Ints:
    """Return enrolment days about 1 September of ``year``; the latest is 30 September."""
    base = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    first = base + np.where(year % 4 == 0, 244, 243)
    jitter = np.where(rng.random(len(year)) < 0.82, 0, rng.integers(-12, 30, len(year)))
    return first + jitter


def funding_lean(rng: Generator, world: World, line: Ints) -> Floats:
    """Return the log-odds of a place paid by the state: less at private colleges."""
    units = world.units
    by_unit = np.where(units.ownership == 1, -1.6, 1.0) + rng.normal(0.0, 0.6, units.count)
    return np.asarray(by_unit[world.lines.unit[line]])


def paid_by(rng: Generator, state: Mask) -> npt.NDArray[np.int8]:
    """Split state places into ordinary and targeted ones, the others into enterprise and self."""
    u = rng.random(len(state))
    own = np.where(u < 0.06, ENTERPRISE_PAID, SELF_PAID)
    return np.where(state, np.where(u < 0.035, TARGETED, STATE_ORDER), own).astype(np.int8)


def counted_students(rng: Generator, world: World) -> Rows:
    """Draw the students counted on 1 October 2025: exactly as many as the lines say.

    The state pays for exactly ``targets.state_order`` of them. About 1.5 % are on academic leave;
    a few leave in the weeks after the count.
    """
    lines, targets = world.lines, world.targets
    line = spread(targets.students, lines.students)
    n = len(line)
    rows = study_rows(rng, world, line)
    cover_qualifications(world, rows)
    course = pick(rng, [0.33, 0.30, 0.235, 0.125, 0.01], n).astype(np.int64) + 1
    new = world.units.is_new[lines.unit[line]]
    course = np.where(new, np.minimum(course, 2), course)
    leave = (rng.random(n) < 0.022) & (course > 1) & ~new
    enrolled = september(rng, 2026 - course - leave)
    # the day itself counts: some of the first course enrol on 1 October
    enrolled = np.where((course == 1) & (rng.random(n) < 0.002), COUNT_ON, enrolled)
    leaves = rng.random(n) < 0.004
    left = np.where(leaves, COUNT_ON + rng.integers(1, 50, n), NEVER)
    reason = np.where(leaves, pick(rng, [0.0, 0.25, 0.2, 0.45, 0.1], n), -1)
    state = choose_exactly(rng, funding_lean(rng, world, line), targets.state_order)
    return rows | {
        "person": np.arange(n),
        "course": course.astype(np.int8),
        "funding": paid_by(rng, state),
        "enrolled": enrolled,
        "left": left,
        "reason": reason.astype(np.int8),
        "leave": leave,
    }


def leaver_rows(rng: Generator, world: World, line: Ints, first_person: int) -> Rows:
    """Draw students of 1 October 2024 who left by 1 October 2025, reasons not yet given."""
    n = len(line)
    rows = study_rows(rng, world, line)
    new = world.units.is_new[world.lines.unit[line]]
    course = np.where(new, 1, pick(rng, [0.42, 0.32, 0.19, 0.07], n).astype(np.int64) + 1)
    state = rng.logistic(size=n) < 0.9 + funding_lean(rng, world, line)
    return rows | {
        "person": first_person + np.arange(n),
        "course": course.astype(np.int8),
        "funding": paid_by(rng, state),
        "enrolled": september(rng, 2025 - course),
        "left": YEAR_BEFORE + 1 + (rng.beta(1.0, 1.25, n) * 365).astype(np.int64),
        "reason": np.zeros(n, dtype=np.int8),
        "leave": rng.random(n) < 0.02,
    }


def dropouts(rng: Generator, world: World, first_person: int) -> Rows:
    """Draw those who dropped out or moved away for good; more of them where quality is low."""
    units, targets = world.units, world.targets
    lean = np.where(units.is_new, 0.3, 1.0) * units.size
    lean = lean * np.exp(-0.4 * units.quality + rng.normal(0.0, 0.35, units.count))
    drop = apportion(lean, targets.scaled(19_400))
    move = apportion(units.size * np.where(units.is_new, 0.3, 1.0), targets.scaled(2_400))
    unit = np.concatenate([spread(int(drop.sum()), drop), spread(int(move.sum()), move)])
    rows = leaver_rows(rng, world, world.lines.draw(rng, unit), first_person)
    reason = pick(rng, [0.0, 0.0, 0.36, 0.52, 0.12], len(unit))
    reason[int(drop.sum()) :] = TRANSFERRED
    rows["reason"] = reason
    # the last day of the twelve months counts as left
    rows["left"][::997] = COUNT_ON
    return rows


def transfers(rng: Generator, world: World, counted: Rows, free: Mask) -> Rows:
    """Let some counted students come from another college, on the day they left it.

    Changes ``enrolled`` of the chosen rows of ``counted`` (``free`` says which may be) and returns
    their earlier rows, shape (about 800 × scale,).
    """
    units, lines = world.units, world.lines
    order = np.argsort(lines.specialty, kind="stable")
    order = order[~(units.is_special | units.is_new)[lines.unit[order]]]
    origin = np.full(len(lines.unit), -1, dtype=np.int64)
    ring = np.roll(order, 1)
    same = lines.specialty[ring] == lines.specialty[order]
    origin[order[same]] = ring[same]
    can = free & (counted["course"] > 1) & ~counted["leave"] & (origin[counted["line"]] >= 0)
    can &= counted["left"] == NEVER
    pool = np.flatnonzero(can)
    chosen = np.sort(rng.permutation(pool)[: world.targets.scaled(800)])
    rows = {name: values[chosen].copy() for name, values in counted.items()}
    moved = YEAR_BEFORE + 1 + rng.integers(0, 364, len(chosen))
    counted["enrolled"][chosen] = moved
    autumn = moved < day("2025-09-01")
    rows["course"] = np.where(autumn, rows["course"] - 1, rows["course"]).astype(np.int8)
    rows["line"] = origin[rows["line"]].astype(np.int32)
    rows["left"] = moved
    rows["reason"] = np.full(len(chosen), TRANSFERRED, dtype=np.int8)
    return rows


def autumn_rows(rng: Generator, world: World, first_person: int) -> Rows:
    """Draw first-course students not counted: left before the day, or enrolled after it."""
    gone, late = world.targets.scaled(320), world.targets.scaled(500)
    n = gone + late
    weight = world.units.size * ~world.units.is_special
    line = world.lines.draw(rng, spread(n, apportion(weight, n)))
    rows = leaver_rows(rng, world, line, first_person)
    is_gone = rng.permutation(n) < gone
    begun = day("2025-09-01")
    rows["course"] = np.ones(n, dtype=np.int8)
    rows["leave"] = np.zeros(n, dtype=np.bool_)
    rows["enrolled"] = np.where(is_gone, begun, COUNT_ON + rng.integers(1, 20, n))
    rows["left"] = np.where(is_gone, begun + rng.integers(1, 31, n), NEVER)
    rows["reason"] = np.where(is_gone, OWN_WISH, -1).astype(np.int8)
    return rows


# --------------------------------------------------------------------------- dual training


@dataclass(frozen=True)
class Agreements:
    """Dual agreements, each with its row of the student table (before sorting). Shape (n,) each."""

    student: Ints
    employer: Ints
    begins: Ints
    ends: Ints

    def and_then(self, other: "Agreements") -> "Agreements":
        """Return these agreements followed by others."""
        return Agreements(
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])
                for name in ("student", "employer", "begins", "ends")
            )
        )


def dual_units(rng: Generator, world: World) -> Mask:
    """Choose the units with dual training: as many in all and in Aktobe as facts.toml says."""
    units, targets, facts = world.units, world.targets, world.ref.facts
    regions = regions_of(world.ref)
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
    regions = regions_of(world.ref)
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
    may = np.flatnonzero((counted["form"] == 0) & ~counted["leave"])
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


def agreements_in_force(
    rng: Generator, world: World, counted: Rows, chosen: Ints
) -> tuple[Agreements, Ints]:
    """Draw one agreement in force on 1 October 2025 for each of the ``chosen`` rows.

    Returns them and where each region's enterprises begin, shape (regions + 1,).
    """
    units, n = world.units, len(chosen)
    unit = world.lines.unit[counted["line"][chosen]]
    enterprises, regions = world.targets.enterprises, len(regions_of(world.ref))
    employer, first = draw_employers(rng, unit, units.region[unit], enterprises, regions)
    begins = np.where(rng.random(n) < 0.7, day("2025-09-01"), day("2025-01-15"))
    begins = np.maximum(begins + rng.integers(0, 25, n), counted["enrolled"][chosen])
    ends = day("2026-06-30") + np.where(rng.random(n) < 0.3, 365, 0) - rng.integers(0, 40, n)
    begins[::1009], ends[5::1013] = COUNT_ON, COUNT_ON  # both edges are in force
    return Agreements(chosen, employer, begins, ends), first


def other_agreements(
    rng: Generator, world: World, students: Rows, chosen: Ints, first_employer: Ints
) -> Agreements:
    """Draw agreements that are over, of students and graduates, and some not yet begun.

    ``students`` are the counted students followed by the graduates of 2025, whose ``dual`` says
    that they had an agreement; ``chosen`` are the rows with an agreement in force.
    """
    targets = world.targets
    unit = world.lines.unit[students["line"]]
    first = first_employer[world.units.region[unit]]
    number = np.diff(first_employer)[world.units.region[unit]]
    counted = np.arange(len(unit)) < targets.students

    def some(rows: Mask, count: int) -> Ints:
        return np.sort(
            rng.permutation(np.flatnonzero(rows & (number > 0)))[: targets.scaled(count)]
        )

    # left over from the year before, also where there is no dual training any more
    old = some(counted & (students["enrolled"] < day("2024-09-30")), 3_000)
    old_begins = day("2024-10-01") + rng.integers(0, 90, len(old))
    old_ends = day("2025-06-30") - rng.integers(0, 60, len(old))
    old_ends[::50] = COUNT_ON - 1

    past = some(~counted & students["dual"], 6_000)
    past_begins = students["enrolled"][past] + 365 + rng.integers(0, 20, len(past))
    past_ends = np.maximum(students["left"][past] - rng.integers(0, 30, len(past)), past_begins)

    has_dual = np.bincount(unit[chosen], minlength=world.units.count) > 0
    free = counted & (students["form"] == 0) & ~students["leave"] & has_dual[unit]
    free &= students["left"] == NEVER
    free[chosen] = False
    soon = some(free, 400)
    soon_begins = COUNT_ON + 1 + rng.integers(0, 45, len(soon))
    soon_ends = day("2026-06-30") + rng.integers(0, 30, len(soon))

    student = np.concatenate([old, past, soon])
    return Agreements(
        student=student,
        employer=first[student] + (rng.random(len(student)) * number[student]).astype(np.int64),
        begins=np.concatenate([old_begins, past_begins, soon_begins]),
        ends=np.concatenate([old_ends, past_ends, soon_ends]),
    )


# --------------------------------------------------------------------------- graduates


def cohort_places(rng: Generator, world: World, cohort: Cohort) -> Ints:
    """Share a cohort among the units, shape (units,); the closed college has none in 2025."""
    units = world.units
    mean = world.targets.students / world.targets.colleges
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
class Fate:
    """What became of a cohort: codes and whether the destination came too late. Shape (n,)."""

    destination: npt.NDArray[np.int8]
    source: npt.NDArray[np.int8]
    late: Mask


def draw_fates(
    rng: Generator, cohort: Cohort, lean: Floats, study_lean: Floats, fixed: tuple[Mask, float]
) -> Fate:
    """Give each graduate a destination and its source, so that the cohort's totals come out.

    ``lean`` and ``study_lean`` are log-odds of employment and of further study, shape (n,).
    ``fixed`` names rows and their employment rate (employed / those not excluded), met exactly.
    """
    n = len(lean)
    destination = np.full(n, UNKNOWN, dtype=np.int8)
    source = np.full(n, NONE, dtype=np.int8)
    study = choose_exactly(rng, study_lean, cohort.further_study)
    destination[study], source[study] = FURTHER_STUDY, ENROLMENT
    rest = rng.permutation(np.flatnonzero(~study))
    for code, register, count in (
        (MILITARY, MILITARY_REGISTER, cohort.military),
        (PARENTAL, SOCIAL, cohort.parental),
        (EMIGRATED, CIVIL, cohort.emigrated),
        (DECEASED, CIVIL, cohort.deceased),
    ):
        destination[rest[:count]], source[rest[:count]] = code, register
        rest = rest[count:]

    special = rest[fixed[0][rest]]
    in_special = round(fixed[1] * len(special))
    plain = rest[~fixed[0][rest]]
    work = np.concatenate(
        [
            special[choose_exactly(rng, lean[special], in_special)],
            plain[choose_exactly(rng, lean[plain], cohort.employed - in_special)],
        ]
    )
    own = rng.random(len(work)) < 0.09
    by_employer = np.where(rng.random(len(work)) < 0.78, PENSION, CONTRACT)
    destination[work] = np.where(own, SELF_EMPLOYED, EMPLOYED)
    source[work] = np.where(own, ENTREPRENEUR, by_employer)

    has_work = np.zeros(n, dtype=np.bool_)
    has_work[work] = True
    rest = rng.permutation(rest[~has_work[rest]])
    said, rest = rest[: cohort.declared], rest[cohort.declared :]
    destination[said] = np.where(rng.random(len(said)) < 0.15, SELF_EMPLOYED, EMPLOYED)
    source[said] = DECLARED
    after, rest = rest[: cohort.late], rest[cohort.late :]
    destination[after], source[after] = EMPLOYED, PENSION
    late = np.zeros(n, dtype=np.bool_)
    late[after] = True
    unproven, rest = rest[: cohort.unproven], rest[cohort.unproven :]
    kind = pick(rng, [0.45, 0.25, 0.15, 0.15], len(unproven))
    destination[unproven] = np.array([MILITARY, PARENTAL, FURTHER_STUDY, EMIGRATED])[kind]
    source[unproven] = np.array([DECLARED, DECLARED, DECLARED, NONE])[kind]
    idle = rest[rng.random(len(rest)) < 0.55]
    destination[idle] = UNEMPLOYED
    source[idle] = np.where(rng.random(len(idle)) < 0.5, DECLARED, NONE)
    return Fate(destination, source, late)


def destination_days(rng: Generator, year: int, graduated: Ints, fate: Fate) -> Ints:
    """Return the day of each destination, never before graduation; NEVER where none is known."""
    observed = day(f"{year}-10-01")
    u = rng.random(len(graduated))
    soon = graduated + (u**1.4 * (observed - graduated + 1)).astype(np.int64)
    lecture = np.maximum(graduated, day(f"{year}-08-20") + (u * 26).astype(np.int64))
    late = observed + 1 + (u * 40).astype(np.int64)
    works = fate.destination <= SELF_EMPLOYED
    days = np.where(fate.destination == FURTHER_STUDY, lecture, np.minimum(soon, observed))
    days = np.where(fate.late, late, days)
    unknown = np.isin(fate.destination, [UNEMPLOYED, UNKNOWN]) | (rng.random(len(u)) < 0.2)
    return np.where(unknown & ~works, NEVER, days)


def cohort_rows(
    rng: Generator, world: World, cohort: Cohort, dual_share: Floats, first_employer: Ints
) -> Rows:
    """Draw the graduates of one cohort, all columns of the table but ids. Shape (n,) each."""
    units, lines = world.units, world.lines
    places = cohort_places(rng, world, cohort)
    unit = spread(cohort.graduates, places)
    n = len(unit)
    line = lines.draw(rng, unit)
    rows = study_rows(rng, world, line)
    dual = rng.random(n) < dual_share[unit]
    quality = units.quality[unit]
    cluster = world.ref.specialty_cluster[lines.specialty[line]]
    lead = np.array([CLUSTER_PULL[c][1] for c in world.ref.clusters])[cluster]
    noise = np.where(units.is_reference, 0.35, rng.normal(0.0, 0.42, units.count))
    lean = 0.62 * quality + noise[unit] + lead - 0.15 * units.rural[unit] + 0.45 * dual
    study_lean = -0.12 * quality + rng.normal(0.0, 0.35, units.count)[unit] - 0.8 * lead
    aktobe = regions_of(world.ref).index("KZ-15")
    fixed = dual & (units.region[unit] == aktobe) & (cohort.year == 2025)
    rate = world.ref.facts["regions"]["KZ-15"]["dual_employment_rate"]
    fate = draw_fates(rng, cohort, lean, study_lean, (fixed, rate))
    graduated = graduation_days(rng, cohort.year, n)
    state = rng.logistic(size=n) < 0.9 + funding_lean(rng, world, line)

    works = fate.destination <= SELF_EMPLOYED
    hired = fate.destination == EMPLOYED
    proven = hired & (fate.source <= CONTRACT)
    known = np.where(proven, 0.98, np.where(hired, 0.5, 0.0))
    region = units.region[unit]
    dual_pool = np.diff(first_employer)[region]
    other = max(20, world.targets.enterprises // 10)
    local = first_employer[region] + (rng.random(n) * dual_pool).astype(np.int64)
    elsewhere = first_employer[-1] + region * other + rng.integers(0, other, n)
    employer = np.where((rng.random(n) < 0.3) & (dual_pool > 0), local, elsewhere)
    fits = sigmoid(0.42 + 0.45 * quality + 0.6 * dual + 0.5 * lead + noise[unit] * 0.3)
    wage_level = np.array([CLUSTER_PULL[c][2] for c in world.ref.clusters])[cluster]
    median = 186_000 * wage_level * np.exp(0.06 * quality) * np.where(units.rural[unit], 0.9, 1.0)
    wage = np.clip(median * np.exp(rng.normal(0.0, 0.27, n)), 85_000, 640_000).astype(np.int64)
    has_certificate = rng.random(n) < sigmoid(-0.5 + 0.75 * quality)
    return rows | {
        "unit": unit,
        "graduated": graduated,
        "funding": paid_by(rng, state),
        "dual": dual,
        "destination": fate.destination,
        "source": fate.source,
        "destination_on": destination_days(rng, cohort.year, graduated, fate),
        "employer": np.where(rng.random(n) < known, employer, -1),
        "in_specialty": np.where(
            works & (rng.random(n) < np.where(fate.source == DECLARED, 0.7, 0.97)),
            rng.random(n) < fits,
            -1,
        ).astype(np.int8),
        "wage": np.where(proven & (rng.random(n) < 0.93), wage, -1),
        "certificate": np.where(has_certificate, np.cumsum(has_certificate), -1),
        "year": np.full(n, cohort.year, dtype=np.int16),
    }


def student_rows_of(rng: Generator, world: World, cohort: Rows, first_person: int) -> Rows:
    """Return the rows that graduates had as students: left the day they graduated."""
    n = len(cohort["line"])
    course = pick(rng, [0.12, 0.50, 0.38], n).astype(np.int64) + 2
    year = int(cohort["year"][0])
    copied = ("line", "form", "qualification", "language", "needs", "funding", "dual")
    return {name: cohort[name] for name in copied} | {
        "person": first_person + np.arange(n),
        "course": course.astype(np.int8),
        "enrolled": september(rng, year - course),
        "left": cohort["graduated"],
        "reason": np.full(n, GRADUATED, dtype=np.int8),
        "leave": np.zeros(n, dtype=np.bool_),
    }


# --------------------------------------------------------------------------- accreditations


def make_accreditations(rng: Generator, world: World, merged: int) -> Rows:
    """Draw institutional and programme accreditations; columns of shape (n,).

    85 % of the units have an institutional one in force on 1 October 2025. One of those ends on
    that very day, another begins on it; one ended the day before, one begins the day after.
    ``merged`` is the campus of the merged college, which has an expired one.
    """
    units, lines, agencies = world.units, world.lines, AGENCIES
    n = units.count - 1
    quality = units.quality[:n]
    lean = 1.15 * quality + 60.0 * units.is_reference[:n]
    in_force = choose_exactly(rng, lean, round(0.85 * n))

    def period(size: int) -> tuple[Ints, Ints]:
        length = np.where(rng.random(size) < 0.7, 5, 3) * 365
        begins = COUNT_ON - 1 - (rng.random(size) * (length - 60)).astype(np.int64)
        return begins, begins + length

    def expired(size: int) -> tuple[Ints, Ints]:
        ends = COUNT_ON - 2 - rng.integers(0, 500, size)
        return ends - 5 * 365, ends

    def coming(size: int) -> tuple[Ints, Ints]:
        begins = COUNT_ON + 2 + rng.integers(0, 110, size)
        return begins, begins + 5 * 365

    def national(unit: Ints) -> Ints:
        agency = pick(rng, [0.40, 0.35, 0.15, 0.10], len(unit)).astype(np.int64)
        health = units.cluster[unit] == world.ref.clusters.index("health")
        return np.where(health, AGENCIES.index("ECAQA"), agency)

    parts: list[tuple[Ints, Ints, Ints, Ints, Ints]] = []  # unit, line, agency, begins, ends

    def add(unit: Ints, line: Ints, agency: Ints, dates: tuple[Ints, Ints]) -> None:
        parts.append((unit, line, agency, *dates))

    def no_line(unit: Ints) -> Ints:
        return np.full(len(unit), -1, dtype=np.int64)

    now = np.flatnonzero(in_force)
    dates = period(len(now))
    dates[1][0] = COUNT_ON
    dates[0][1] = COUNT_ON
    add(now, no_line(now), national(now), dates)
    before = now[2:][rng.random(len(now) - 2) < 0.3]
    add(before, no_line(before), national(before), expired(len(before)))
    out = rng.permutation(np.flatnonzero(~in_force))
    gone, later = np.split(out, [round(0.55 * len(out)), round(0.78 * len(out))])[:2]
    dates = expired(len(gone))
    dates[1][:1] = COUNT_ON - 1
    add(gone, no_line(gone), national(gone), dates)
    dates = coming(len(later))
    dates[0][:1] = COUNT_ON + 1
    add(later, no_line(later), national(later), dates)
    abroad = now[choose_exactly(rng, 1.5 * quality[now], max(1, len(now) // 22))]
    add(abroad, no_line(abroad), rng.integers(5, 8, len(abroad)), period(len(abroad)))
    ended = np.array([n, -1], dtype=np.int64)  # the closed college, the merged one
    add(ended, no_line(ended), np.zeros(2, dtype=np.int64), expired(2))

    active = np.flatnonzero(lines.unit < n)
    unit = lines.unit[active]
    chance = sigmoid(0.15 + 0.9 * quality + rng.normal(0.0, 0.7, n))[unit]
    u = rng.random(len(active))
    for chosen, when in (
        (u < chance, period),
        ((u >= chance) & (u < chance + 0.08), expired),
        (u > 0.99, coming),
    ):
        line = active[chosen]
        agency = national(lines.unit[line])
        agency = np.where(rng.random(len(line)) < 0.015, rng.integers(5, 8, len(line)), agency)
        add(lines.unit[line], line, agency, when(len(line)))

    unit, line, agency, begins, ends = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    campus = np.where(unit < 0, merged, unit)
    order = np.lexsort((np.arange(len(campus)), line >= 0, campus))
    return {
        "campus": campus[order],
        "scope": (line >= 0)[order].astype(np.int8),
        "specialty": np.where(line >= 0, lines.specialty[line], -1)[order],
        "agency": agency[order],
        "international": (agency >= agencies.index("ACQUIN"))[order],
        "begins": begins[order],
        "ends": ends[order],
    }


# --------------------------------------------------------------------------- campuses


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


MERGED_ON = day("2025-07-01")


def make_campuses(rng: Generator, units: Units) -> Campuses:
    """Give about a dozen units a branch, and one a college that merged into it in July 2025."""
    branches = max(1, scale(12, units.count - 1, FULL_COLLEGES))
    large = ~units.is_special & (units.size >= np.median(units.size[:-1]))
    owner = rng.permutation(np.flatnonzero(large))[: branches + 1]
    owner[:-1].sort()
    extra = np.full(units.count, -1, dtype=np.int64)
    extra[owner] = units.count + np.arange(len(owner))
    share = np.zeros(units.count)
    share[owner] = rng.uniform(0.12, 0.35, len(owner))
    until = np.full(units.count, 2**30, dtype=np.int64)
    until[owner[-1]] = MERGED_ON
    return Campuses(np.append(np.arange(units.count), owner), extra, share, until)


def colleges_frame(world: World, campuses: Campuses, ids: list[str]) -> pl.DataFrame:
    """Return colleges.csv: every name says in its language that the college is synthetic."""
    units, regions = world.units, world.ref.regions
    rows = []
    for campus, unit in enumerate(campuses.unit):
        merged = campus == campuses.merged
        closed = campus == units.count - 1
        branch = campus >= units.count and not merged
        number = int(unit) + 1 if not merged else units.count + 1
        higher = bool(units.kind[unit]) and not merged
        region = regions.row(int(units.region[unit]), named=True)
        part = (", филиал", ", филиалы", ", branch") if branch else ("", "", "")
        admin = int(units.administrator[unit])
        rows.append(
            (
                ids[campus],
                ids[unit] if branch else None,
                f"№ {number} демо-{'жоғары ' * higher}колледж (шартты){part[1]}, "
                f"{region['name_kk']}",
                f"Демо-{'высший ' * higher}колледж № {number} (условный){part[0]}, "
                f"{region['name_ru']}",
                f"Demo {'Higher ' * higher}College No. {number} (synthetic){part[2]}, "
                f"{region['name_en']}",
                region["region"],
                KINDS[higher],
                OWNERSHIPS[units.ownership[unit]],
                LOCALITIES[int(units.rural[unit])],
                "merged" if merged else "closed" if closed else "active",
                ids[unit] if merged else None,
                "2025-07-01" if merged else None,
                None if admin < 0 else ADMINISTRATORS[admin],
            )
        )
    columns = dict.fromkeys(COLUMNS["colleges"], pl.String)
    return pl.DataFrame(rows, schema=columns, orient="row")


# --------------------------------------------------------------------------- writing


AGENCIES = ["IQAA", "IAAR", "ARQA", "KAZSEE", "ECAQA", "ACQUIN", "ASIIN", "FIBAA"]


def texts(names: list[str] | pl.Series, codes: Array) -> pl.Series:
    """Return the names that codes stand for, empty where a code is negative. Shape (n,)."""
    series = names if isinstance(names, pl.Series) else pl.Series(names, dtype=pl.String)
    index = pl.Series(codes.astype(np.int64))
    if len(codes) and int(codes.min()) < 0:
        index = blank_where(index, codes < 0)
    return series.gather(index)


def blank_where(series: pl.Series, mask: Mask) -> pl.Series:
    """Return the series with nulls where the mask is set."""
    return pl.select(pl.when(pl.Series(~mask)).then(series)).to_series()


def dates(days: Ints) -> pl.Series:
    """Return a date column of days since 1970-01-01, empty where NEVER."""
    series = pl.Series(days.astype(np.int32)).cast(pl.Date)
    return blank_where(series, days == NEVER) if bool((days == NEVER).any()) else series


def whole(values: Array) -> pl.Series:
    """Return a column of whole numbers, empty where negative."""
    series = pl.Series(values.astype(np.int64))
    return blank_where(series, values < 0) if bool((values < 0).any()) else series


def write(folder: Path, table: str, columns: list[pl.Series], progress: Progress) -> Path:
    """Write one table's columns, in the order of the data contract, as CSV."""
    path = folder / f"{table}.csv"
    named = [column.alias(name) for column, name in zip(columns, COLUMNS[table], strict=True)]
    frame = pl.DataFrame(named)
    frame.write_csv(path, line_terminator="\n")
    progress(f"{path.name}: {frame.height} rows")
    return path


@dataclass(frozen=True)
class Names:
    """Texts that codes stand for: ids of people, campuses and employers, codes of the reference."""

    people: pl.Series
    campuses: pl.Series
    employers: pl.Series
    specialties: pl.Series
    qualifications: pl.Series


def write_students(folder: Path, rows: Rows, order: Ints, names: Names, progress: Progress) -> Path:
    """Write students.csv in the given order of rows."""
    get = {name: values[order] for name, values in rows.items()}
    columns = [
        texts(names.people, get["person"]),
        pl.Series(get["record"]).cast(pl.String),
        texts(names.campuses, get["campus"]),
        texts(names.specialties, get["specialty"]),
        texts(names.qualifications, get["qualification"]),
        whole(get["course"]),
        texts(STUDY_FORMS, get["form"]),
        texts(FUNDING_SOURCES, get["funding"]),
        dates(get["enrolled"]),
        dates(get["left"]),
        texts(LEFT_REASONS, get["reason"]),
        pl.Series(get["leave"]),
        pl.Series(get["needs"]),
        texts(LANGUAGES, get["language"]),
    ]
    return write(folder, "students", columns, progress)


def write_graduates(folder: Path, rows: Rows, names: Names, progress: Progress) -> Path:
    """Write graduates.csv, ordered by campus, day of graduation and person."""
    order = np.lexsort((rows["person"], rows["graduated"], rows["campus"]))
    get = {name: values[order] for name, values in rows.items()}
    own_number = pl.Series(get["record"]).cast(pl.String)
    year = pl.Series(get["year"]).cast(pl.String)
    earlier = pl.Series(get["year"] < 2025)
    record, certificate = pl.select(
        pl.when(earlier)
        .then(year.str.slice(2) + "-" + own_number)
        .otherwise(own_number)
        .alias("r"),
        ("DC-" + year.str.slice(2) + "-" + whole(get["certificate"]).cast(pl.String)).alias("c"),
    )
    columns = [
        texts(names.people, get["person"]),
        record,
        texts(names.campuses, get["campus"]),
        texts(names.specialties, get["specialty"]),
        texts(names.qualifications, get["qualification"]),
        dates(get["graduated"]),
        texts(STUDY_FORMS, get["form"]),
        texts(FUNDING_SOURCES, get["funding"]),
        pl.Series(get["dual"]),
        texts(DESTINATIONS, get["destination"]),
        texts(DESTINATION_SOURCES, get["source"]),
        dates(get["destination_on"]),
        texts(names.employers, get["employer"]),
        texts(["false", "true"], get["in_specialty"]),
        whole(get["wage"]),
        certificate,
    ]
    return write(folder, "graduates", columns, progress)


def write_agreements(
    folder: Path, dual: Agreements, students: Rows, names: Names, progress: Progress
) -> Path:
    """Write dual_agreements.csv, ordered by campus and student."""
    person, campus = students["person"][dual.student], students["campus"][dual.student]
    order = np.lexsort((dual.begins, person, campus))
    number = pl.Series(np.arange(1, len(order) + 1)).cast(pl.String).str.zfill(7)
    columns = [
        pl.select("DA-" + number).to_series(),
        texts(names.people, person[order]),
        texts(names.campuses, campus[order]),
        texts(names.employers, dual.employer[order]),
        dates(dual.begins[order]),
        dates(dual.ends[order]),
    ]
    return write(folder, "dual_agreements", columns, progress)


def write_accreditations(folder: Path, rows: Rows, names: Names, progress: Progress) -> Path:
    """Write accreditations.csv."""
    number = pl.Series(np.arange(1, len(rows["campus"]) + 1)).cast(pl.String).str.zfill(6)
    columns = [
        texts(names.campuses, rows["campus"]),
        texts(["institutional", "programme"], rows["scope"]),
        texts(names.specialties, rows["specialty"]),
        texts(AGENCIES, rows["agency"]),
        pl.Series(rows["international"]),
        pl.select("REG-" + number).to_series(),
        dates(rows["begins"]),
        dates(rows["ends"]),
    ]
    return write(folder, "accreditations", columns, progress)


# --------------------------------------------------------------------------- the sample


def make_names(rng: Generator, world: World, campuses: Campuses, people: int) -> Names:
    """Number people, colleges and employers: right control digits, impossible months."""
    units = world.units.count
    branches = len(campuses.unit) - units - 1
    regions = len(regions_of(world.ref))
    employers = world.targets.enterprises + regions * max(20, world.targets.enterprises // 10)
    heads = impossible_numbers(
        partial(body_base, 0), 3_600_000, int(rng.integers(3_600_000)), units + 1 + employers
    )
    offices = impossible_numbers(
        partial(body_base, 1), 3_600_000, int(rng.integers(3_600_000)), branches
    )
    persons = impossible_numbers(person_base, 62_000_000, int(rng.integers(62_000_000)), people)
    return Names(
        people=id_texts(persons),
        campuses=id_texts(np.concatenate([heads[:units], offices, heads[units : units + 1]])),
        employers=id_texts(heads[units + 1 :]),
        specialties=pl.Series(world.ref.specialties),
        qualifications=pl.Series(world.ref.qualifications),
    )


def make_world(colleges: int, students: int, seed: int) -> World:
    """Draw units and lines."""
    ref = read_reference()
    targets = make_targets(ref.facts, colleges, students)
    units = make_units(stream(seed, "units"), ref, targets)
    return World(ref, targets, units, make_lines(stream(seed, "lines"), units, ref))


STUDENT_COLUMNS = (
    "person line form qualification language needs course funding enrolled left reason leave dual"
).split()


def draw_cohorts(
    rng: Generator, world: World, dual_share: Floats, first_employer: Ints
) -> list[Rows]:
    """Draw the cohorts of 2023, 2024 and 2025, in this order."""
    return [
        cohort_rows(rng, world, cohort, dual_share, first_employer)
        for cohort in world.targets.cohorts
    ]


def student_table(rng: Generator, world: World, counted: Rows, cohort: Rows, chosen: Ints) -> Rows:
    """Stack all rows of students.csv: counted first, then the cohort of 2025, then the others.

    ``chosen`` are the counted rows with an agreement in force.
    """
    free = np.ones(len(counted["line"]), dtype=np.bool_)
    free[chosen] = False
    before = transfers(rng, world, counted, free)
    parts = [counted, student_rows_of(rng, world, cohort, len(free))]
    parts.append(dropouts(rng, world, len(free) + len(cohort["line"])))
    parts.append(autumn_rows(rng, world, int(parts[-1]["person"].max()) + 1))
    parts.append(before)
    for part in parts:
        part.setdefault("dual", np.zeros(len(part["line"]), dtype=np.bool_))
    table = {name: np.concatenate([part[name] for part in parts]) for name in STUDENT_COLUMNS}
    table["specialty"] = world.lines.specialty[table["line"]]
    return table


def place_students(rng: Generator, world: World, campuses: Campuses, table: Rows) -> Ints:
    """Add ``campus`` and ``record`` to the table; return its order by campus and enrolment."""
    unit = world.lines.unit[table["line"]]
    table["campus"] = campuses.draw(rng, unit, table["enrolled"])
    order = np.lexsort((table["person"], table["enrolled"], table["campus"]))
    table["record"] = np.empty(len(order), dtype=np.int64)
    table["record"][order] = rank_within(table["campus"][order]) + 1
    return order


def past_graduates(
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
    rows = {name: np.concatenate([c[name] for c in cohorts]) for name in cohorts[0]}
    rows["specialty"] = world.lines.specialty[rows["line"]]
    return rows


def check_size(colleges: int, students: int) -> None:
    """Raise ValueError where the regional figures cannot be scaled to so few."""
    least = max(MIN_STUDENTS, MIN_STUDENTS_PER_COLLEGE * colleges)
    if colleges < MIN_COLLEGES:
        raise ValueError(f"colleges: {colleges}, expected at least {MIN_COLLEGES}")
    if students < least:
        raise ValueError(f"students: {students}, expected at least {least} for {colleges} colleges")


def write_sample(
    folder: Path,
    *,
    colleges: int = FULL_COLLEGES,
    students: int = FULL_STUDENTS,
    seed: int = 1,
    defects: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write the synthetic round 2025-26 into ``folder`` and return the files written.

    ``colleges`` counts active legal entities (branches, one closed and one merged college come on
    top), ``students`` those counted on 1 October 2025. The totals are those of
    ``data/reference/facts.toml``, scaled by the largest remainder. The same arguments write the
    same bytes. With ``defects`` a known list of wrong rows is planted, and ``defects.csv`` names
    them. ``progress`` is called with one plain sentence a step. Raises ValueError for sizes too
    small.
    """
    check_size(colleges, students)
    say = progress or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    world = make_world(colleges, students, seed)
    campuses = make_campuses(stream(seed, "campuses"), world.units)
    say(f"planned: {colleges} colleges, {students} students")

    counted = counted_students(stream(seed, "students"), world)
    dual_rng = stream(seed, "dual")
    chosen, dual_share = choose_dual_students(dual_rng, world, counted)
    agreements, first_employer = agreements_in_force(dual_rng, world, counted, chosen)
    cohorts = draw_cohorts(stream(seed, "graduates"), world, dual_share, first_employer)
    table = student_table(stream(seed, "leavers"), world, counted, cohorts[-1], chosen)
    others = other_agreements(dual_rng, world, table, chosen, first_employer)
    campus_rng = stream(seed, "placing")
    order = place_students(campus_rng, world, campuses, table)
    past = past_graduates(campus_rng, world, campuses, cohorts, table)
    names = make_names(stream(seed, "ids"), world, campuses, int(past["person"].max()) + 1)
    say("drawn: students, graduates, agreements")

    paths = [folder / "colleges.csv"]
    frame = colleges_frame(world, campuses, names.campuses.to_list())
    frame.write_csv(paths[0], line_terminator="\n")
    say(f"colleges.csv: {frame.height} rows")
    paths.append(write_students(folder, table, order, names, say))
    paths.append(write_agreements(folder, agreements.and_then(others), table, names, say))
    paths.append(write_graduates(folder, past, names, say))
    accreditations = make_accreditations(stream(seed, "accreditations"), world, campuses.merged)
    paths.append(write_accreditations(folder, accreditations, names, say))
    if defects:
        from kpi.sample_defects import plant_defects

        paths.append(plant_defects(folder, seed=seed))
        say("defects.csv: planted")
    return paths
