"""Students who are not counted: they left, moved to another college, graduated or came late."""

import numpy as np
from numpy.random import Generator

from kpi.sample.codes import GRADUATED, OWN_WISH, TRANSFERRED
from kpi.sample.drawing import apportion, pick, spread
from kpi.sample.rows import COUNT_ON, NEVER, YEAR_BEFORE, Ints, Mask, Rows, day, stack
from kpi.sample.students import funding_lean, paid_by, september, study_rows
from kpi.sample.world import World


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
        "dual": np.zeros(n, dtype=np.bool_),
    }


def dropouts(rng: Generator, world: World, first_person: int) -> Rows:
    """Draw those who dropped out or moved away for good; more of them where quality is low."""
    units, targets = world.units, world.targets
    lean = np.where(units.is_new, 0.3, 1.0) * units.size
    lean = lean * np.exp(-0.4 * units.quality + rng.normal(0.0, 0.35, units.count))
    drop = apportion(lean, targets.scaled(19_400))
    move = apportion(units.size * np.where(units.is_new, 0.3, 1.0), targets.scaled(2_400))
    unit = np.concatenate([spread(drop), spread(move)])
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
    line = world.lines.draw(rng, spread(apportion(weight, n)))
    rows = leaver_rows(rng, world, line, first_person)
    is_gone = rng.permutation(n) < gone
    begun = day("2025-09-01")
    rows["course"] = np.ones(n, dtype=np.int8)
    rows["leave"] = np.zeros(n, dtype=np.bool_)
    rows["enrolled"] = np.where(is_gone, begun, COUNT_ON + rng.integers(1, 20, n))
    rows["left"] = np.where(is_gone, begun + rng.integers(1, 31, n), NEVER)
    rows["reason"] = np.where(is_gone, OWN_WISH, -1).astype(np.int8)
    return rows


def graduated_rows(rng: Generator, cohort: Rows, first_person: int) -> Rows:
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


def student_table(rng: Generator, world: World, counted: Rows, cohort: Rows, chosen: Ints) -> Rows:
    """Stack all rows of students.csv: counted first, then the cohort of 2025, then the others.

    ``chosen`` are the counted rows with an agreement in force.
    """
    free = np.ones(len(counted["line"]), dtype=np.bool_)
    free[chosen] = False
    before = transfers(rng, world, counted, free)
    graduated = graduated_rows(rng, cohort, len(free))
    left = dropouts(rng, world, len(free) + len(cohort["line"]))
    autumn = autumn_rows(rng, world, int(left["person"].max()) + 1)
    table = stack([counted, graduated, left, autumn, before])
    return table | {"specialty": world.lines.specialty[table["line"]]}
