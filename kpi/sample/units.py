"""The legal entities: region, size, profile, quality, ownership."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kpi.sample.codes import PRIVATE
from kpi.sample.drawing import apportion, pick, spread
from kpi.sample.rows import Floats, Ints, Mask
from kpi.sample.targets import (
    CALIBRATED,
    CITIES,
    FULL_COLLEGES,
    FULL_STUDENTS,
    MIN_STUDENTS_PER_COLLEGE,
    Reference,
    Targets,
    by_region,
)
from kpi.values import ADMINISTRATORS


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
    regions = ref.region_codes
    exact = {r: f for r, f in ref.facts["regions"].items() if f.get("scope") != "narrow"}

    def weights(key: str, full: int, total: int) -> Floats:
        known = {r: f[key] for r, f in exact.items() if key in f}
        return by_region(regions, known, ref.region_pull, full, total)

    of_colleges = weights("colleges", FULL_COLLEGES, targets.colleges)
    colleges = apportion(of_colleges, targets.colleges)
    if (colleges == 0).any():
        colleges = apportion(of_colleges, targets.colleges, at_least=1)
    of_students = weights("students", FULL_STUDENTS, targets.students)
    students = apportion(of_students, targets.students)
    if (students < MIN_STUDENTS_PER_COLLEGE * colleges).any():
        floor = np.minimum(20, targets.students // targets.colleges) * colleges
        students = apportion(of_students, targets.students, at_least=floor)
    return colleges, students


def choose_special(rng: Generator, ref: Reference, targets: Targets, region: Ints) -> Ints:
    """Choose at least three units with odd sizes, one a region where there are enough.

    The first has 24 students, the second is new, the others have 8 graduates. Calibrated regions
    and regions with a single college are left alone.
    """
    counts = np.bincount(region, minlength=len(ref.region_codes))
    free = [r for r in np.argsort(-counts, kind="stable") if counts[r] > 1]
    free = [r for r in free if ref.region_codes[r] not in CALIBRATED]
    chosen: list[int] = []
    for turn in range(2 + max(1, targets.scaled_colleges(6))):
        members = np.flatnonzero(region == free[turn % len(free)])
        members = members[~np.isin(members, chosen)]
        if len(members) > 1:
            chosen.append(int(rng.choice(members)))
    return np.array(chosen)


def make_sizes(rng: Generator, region: Ints, students_of: Ints, special: Ints, mean: float) -> Ints:
    """Draw the units' students, log-normal within the region's total; small ones if special."""
    fixed = np.full(len(region), -1, dtype=np.int64)
    fixed[special] = rng.integers(min(58, int(mean * 0.8)), min(86, int(mean) + 1), len(special))
    fixed[special[:2]] = 24, min(150, int(mean))
    weight = np.exp(rng.normal(0.0, 0.95, len(region)))
    smallest, largest = max(1, min(30, round(mean * 0.4))), round(mean * 4.6)
    size = np.zeros(len(region), dtype=np.int64)
    for r, total in enumerate(students_of):
        here = region == r
        low = np.where(fixed[here] >= 0, fixed[here], smallest)
        high = np.where(fixed[here] >= 0, fixed[here], max(largest, 2 * int(total) // here.sum()))
        size[here] = apportion(weight[here], int(total), at_least=low, at_most=high)
    return size


def draw_clusters(rng: Generator, ref: Reference, rural: Mask) -> tuple[Ints, Ints]:
    """Draw each unit's first and second cluster; farming is more common in villages."""
    pull = ref.cluster_pull
    farm = np.arange(len(pull)) == ref.clusters.index("agriculture")
    lean = np.where(rural[:, None], pull * np.where(farm, 3.0, 1.0), pull)
    upper = np.cumsum(lean / lean.sum(axis=1, keepdims=True), axis=1)
    first = (rng.random((len(rural), 1)) > upper).sum(axis=1)
    second = (rng.random((len(rural), 1)) > upper).sum(axis=1)
    return np.minimum(first, len(pull) - 1), np.minimum(second, len(pull) - 1)


def place_reference_colleges(
    rng: Generator, ref: Reference, candidates: Ints, cluster: Ints, quality: Floats
) -> Mask:
    """Turn one candidate into the strong college of each cluster named for Karaganda.

    Changes its ``cluster`` and ``quality``; returns which units they are.
    """
    chosen = np.zeros(len(cluster), dtype=np.bool_)
    named = ref.facts["regions"]["KZ-35"]["clusters"]
    for unit, name in zip(rng.permutation(candidates), named, strict=False):
        chosen[unit] = True
        cluster[unit] = ref.clusters.index(name)
        quality[unit] = 1.3 + 0.3 * rng.random()
    return chosen


def draw_owners(rng: Generator, ref: Reference, cluster: Ints) -> tuple[Ints, Ints]:
    """Draw each unit's ownership and administrator."""
    n = len(cluster)
    ownership = pick(rng, [0.58, 0.34, 0.03, 0.02, 0.03], n).astype(np.int64)
    administrator = pick(rng, [0.95, 0.0, 0.0, 0.03, 0.02], n).astype(np.int64)
    for field, body in (("arts", "culture"), ("health", "health")):
        administrator[cluster == ref.clusters.index(field)] = ADMINISTRATORS.index(body)
    administrator[(ownership == PRIVATE) & (rng.random(n) < 0.6)] = -1
    return ownership, administrator


def and_closed(units: Units, ref: Reference, region: int) -> Units:
    """Return the units followed by the closed college, in the given region."""
    closed = {
        "region": region,
        "size": 0,
        "cohort_2025": 0,
        "cluster": ref.clusters.index("business"),
        "second_cluster": ref.clusters.index("services"),
        "quality": -1.2,
        "rural": False,
        "kind": 0,
        "ownership": PRIVATE,
        "administrator": 0,
        "is_new": False,
        "is_reference": False,
        "is_special": True,
    }
    return Units(
        **{name: np.append(getattr(units, name), [value]) for name, value in closed.items()}
    )


def make_units(rng: Generator, ref: Reference, targets: Targets) -> Units:
    """Draw the colleges: region, size, profile, quality, ownership."""
    n, mean = targets.colleges, targets.mean_size
    regions = np.array(ref.region_codes)
    colleges_of, students_of = plan_regions(ref, targets)
    region = spread(colleges_of)
    special = choose_special(rng, ref, targets, region)
    size = make_sizes(rng, region, students_of, special, mean)
    cohort = np.full(n, -1, dtype=np.int64)
    cohort[special] = 8
    cohort[special[:2]] = 10, 0

    is_city = np.isin(regions[region], sorted(CITIES))
    rural = (rng.random(n) < 0.33) & ~is_city & (size < 2 * mean)
    cluster, second_cluster = draw_clusters(rng, ref, rural)
    quality = rng.normal(0.0, 1.0, n) - 0.25 * rural
    candidates = np.flatnonzero((regions[region] == "KZ-35") & (size >= mean / 4))
    is_reference = place_reference_colleges(rng, ref, candidates, cluster, quality)
    ownership, administrator = draw_owners(rng, ref, cluster)
    kind = (rng.random(n) < np.where(size > mean, 0.38, 0.14)).astype(np.int64)
    active = Units(
        region=region,
        size=size,
        cohort_2025=cohort,
        cluster=cluster,
        second_cluster=second_cluster,
        quality=quality,
        rural=rural,
        kind=kind,
        ownership=ownership,
        administrator=administrator,
        is_new=np.arange(n) == special[1],
        is_reference=is_reference,
        is_special=np.isin(np.arange(n), special),
    )
    closed = int(rng.choice(np.flatnonzero(~np.isin(regions, sorted(CALIBRATED)))))
    return and_closed(active, ref, closed)
