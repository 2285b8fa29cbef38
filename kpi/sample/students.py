"""Students counted on 1 October 2025, and what every student or graduate has."""

import numpy as np
from numpy.random import Generator

from kpi.sample.codes import ENTERPRISE_PAID, PRIVATE, SELF_PAID, STATE_ORDER, TARGETED
from kpi.sample.drawing import choose_exactly, pick, rank_within, spread
from kpi.sample.rows import COUNT_ON, NEVER, Codes, Floats, Ints, Mask, Rows
from kpi.sample.world import World


def study_rows(rng: Generator, world: World, line: Ints) -> Rows:
    """Draw what does not depend on the day: form, qualification, language, special needs.

    Shape (n,) per column; codes are positions in the lists of ``codes``.
    """
    units, lines, ref = world.units, world.lines, world.ref
    n = len(line)
    unit = lines.unit[line]
    specialty = lines.specialty[line]
    part_time = np.clip(0.09 + 0.05 * np.sin(unit * 2.4), 0.0, 1.0)[:, None]
    form = (rng.random((n, 1)) < np.hstack([part_time, part_time * 0.1])).sum(axis=1)
    offset = (rng.random(n) * lines.qualifications[line]).astype(np.int64)
    qualification = ref.first_qualification[specialty] + offset
    exact = np.array(["qualifications" in facts for facts in ref.facts_by_region()])
    blank = (rng.random(n) < 0.02) & ~exact[units.region[unit]]
    u = rng.random(n)
    language = np.where(u < ref.russian[units.region[unit]], 1, np.where(u > 0.992, 2, 0))
    return {
        "line": line.astype(np.int32),
        "form": form.astype(np.int8),
        "qualification": np.where(blank, -1, qualification).astype(np.int32),
        "language": np.where(rng.random(n) < 0.01, -1, language).astype(np.int8),
        "needs": rng.random(n) < 0.012,
    }


def cover_qualifications(world: World, rows: Rows) -> None:
    """Make sure that a region whose qualifications are counted teaches each of them."""
    units, lines, ref = world.units, world.lines, world.ref
    for r, facts in enumerate(ref.facts_by_region()):
        if "qualifications" not in facts:
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
    by_unit = np.where(units.ownership == PRIVATE, -1.6, 1.0) + rng.normal(0.0, 0.6, units.count)
    return np.asarray(by_unit[world.lines.unit[line]])


def paid_by(rng: Generator, state: Mask) -> Codes:
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
    line = spread(lines.students)
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
        "dual": np.zeros(n, dtype=np.bool_),
    }
