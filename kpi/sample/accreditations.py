"""Accreditations of institutions and of programmes, in force, over and yet to come."""

import numpy as np
from numpy.random import Generator

from kpi.sample.codes import ACQUIN, AGENCIES, ECAQA
from kpi.sample.drawing import choose_exactly, pick, sigmoid
from kpi.sample.rows import COUNT_ON, Ints, Rows, stack
from kpi.sample.world import World


def in_force(rng: Generator, size: int) -> tuple[Ints, Ints]:
    """Draw periods of 3 or 5 years that hold on 1 October 2025: first and last days."""
    length = np.where(rng.random(size) < 0.7, 5, 3) * 365
    begins = COUNT_ON - 1 - (rng.random(size) * (length - 60)).astype(np.int64)
    return begins, begins + length


def expired(rng: Generator, size: int) -> tuple[Ints, Ints]:
    """Draw periods that ended before 1 October 2025."""
    ends = COUNT_ON - 2 - rng.integers(0, 500, size)
    return ends - 5 * 365, ends


def coming(rng: Generator, size: int) -> tuple[Ints, Ints]:
    """Draw periods that begin after 1 October 2025."""
    begins = COUNT_ON + 2 + rng.integers(0, 110, size)
    return begins, begins + 5 * 365


def national(rng: Generator, world: World, unit: Ints) -> Ints:
    """Draw an agency of the country for each unit; health has its own."""
    agency = pick(rng, [0.40, 0.35, 0.15, 0.10], len(unit)).astype(np.int64)
    health = world.units.cluster[unit] == world.ref.clusters.index("health")
    return np.where(health, ECAQA, agency)


def international(rng: Generator, size: int) -> Ints:
    """Draw agencies from abroad."""
    return rng.integers(ACQUIN, len(AGENCIES), size)


def accreditation_rows(
    campus: Ints, agency: Ints, period: tuple[Ints, Ints], line: Ints | None = None
) -> Rows:
    """Return accreditations as rows: of programmes, or of institutions where no line is given."""
    return {
        "campus": campus,
        "line": np.full(len(campus), -1, dtype=np.int64) if line is None else line,
        "agency": agency,
        "begins": period[0],
        "ends": period[1],
    }


def institutional(rng: Generator, world: World, merged: int) -> list[Rows]:
    """Draw accreditations of institutions; 85 % of the units have one in force on 1 October 2025.

    One of those ends on that very day, another begins on it; one ended the day before, one begins
    the day after.
    """
    n = world.units.count - 1
    quality = world.units.quality[:n]
    lean = 1.15 * quality + 60.0 * world.units.is_reference[:n]
    has = choose_exactly(rng, lean, round(0.85 * n))

    now = np.flatnonzero(has)
    held = in_force(rng, len(now))
    held[1][0] = held[0][1] = COUNT_ON
    parts = [accreditation_rows(now, national(rng, world, now), held)]
    before = now[2:][rng.random(len(now) - 2) < 0.3]
    agency = national(rng, world, before)
    parts.append(accreditation_rows(before, agency, expired(rng, len(before))))

    out = rng.permutation(np.flatnonzero(~has))
    gone, later = np.split(out, [round(0.55 * len(out)), round(0.78 * len(out))])[:2]
    over = expired(rng, len(gone))
    over[1][:1] = COUNT_ON - 1
    parts.append(accreditation_rows(gone, national(rng, world, gone), over))
    soon = coming(rng, len(later))
    soon[0][:1] = COUNT_ON + 1
    parts.append(accreditation_rows(later, national(rng, world, later), soon))

    abroad = now[choose_exactly(rng, 1.5 * quality[now], max(1, len(now) // 22))]
    agency = international(rng, len(abroad))
    parts.append(accreditation_rows(abroad, agency, in_force(rng, len(abroad))))
    ended = np.array([n, merged])  # the closed college is the unit after the active ones
    parts.append(accreditation_rows(ended, np.zeros(2, dtype=np.int64), expired(rng, 2)))
    return parts


def programmes(rng: Generator, world: World) -> list[Rows]:
    """Draw accreditations of programmes, more of them where quality is high."""
    n = world.units.count - 1
    active = np.flatnonzero(world.lines.unit < n)
    chance = sigmoid(0.15 + 0.9 * world.units.quality[:n] + rng.normal(0.0, 0.7, n))
    chance = chance[world.lines.unit[active]]
    u = rng.random(len(active))
    parts = []
    for chosen, period in (
        (u < chance, in_force),
        ((u >= chance) & (u < chance + 0.08), expired),
        (u > 0.99, coming),
    ):
        line = active[chosen]
        unit, size = world.lines.unit[line], len(line)
        agency = national(rng, world, unit)
        agency = np.where(rng.random(size) < 0.015, international(rng, size), agency)
        parts.append(accreditation_rows(unit, agency, period(rng, size), line))
    return parts


def make_accreditations(rng: Generator, world: World, merged: int) -> Rows:
    """Draw institutional and programme accreditations, ordered by campus; columns of shape (n,).

    ``merged`` is the campus of the merged college, which has an expired one.
    """
    rows = stack([*institutional(rng, world, merged), *programmes(rng, world)])
    is_programme = rows["line"] >= 0
    rows["scope"] = is_programme.astype(np.int8)
    rows["specialty"] = np.where(is_programme, world.lines.specialty[rows["line"]], -1)
    rows["international"] = rows["agency"] >= ACQUIN
    order = np.lexsort((is_programme, rows["campus"]))
    return {name: values[order] for name, values in rows.items()}
