"""The synthetic national round 2025-26: five input tables that look like the country's registers.

Nobody in it is real and nothing in it was observed. Its totals are calibrated to the published
figures in ``data/reference/facts.toml``; everything between those figures (which college, which
student, which date) is drawn at random from a seed, so that the same call writes the same bytes.

The way of the data: targets → units → lines (unit × specialty) → students, dual training, graduates
with their fates, leavers → campuses (branches and a merged college share a unit's rows) →
accreditations → writing → defects. No module imports a later one.
"""

from dataclasses import dataclass
from pathlib import Path

from kpi.sample import assessment
from kpi.sample.accreditations import make_accreditations
from kpi.sample.campuses import Campuses, make_campuses, place_graduates, place_students
from kpi.sample.contingent import write_contingents
from kpi.sample.defects import plant_defects
from kpi.sample.drawing import stream
from kpi.sample.dual import make_dual, other_agreements
from kpi.sample.graduates import cohort_rows
from kpi.sample.leavers import student_table
from kpi.sample.rows import Rows, stack
from kpi.sample.students import counted_students
from kpi.sample.targets import FULL_COLLEGES, FULL_STUDENTS, check_size
from kpi.sample.world import World, make_world
from kpi.sample.writing import (
    Progress,
    accreditation_columns,
    agreement_columns,
    college_columns,
    graduate_columns,
    make_names,
    student_columns,
    table_of,
    write,
)

__all__ = ["LAYOUTS", "write_sample"]

LAYOUTS = ("plain", "contingent-export", assessment.LAYOUT)
"""The forms in which the students are written; everything else is plain. In the assessment template
there are none: colleges and their assessment alone.
"""


@dataclass(frozen=True)
class Drawn:
    """Everything drawn, before it has names."""

    campuses: Campuses
    students: Rows
    agreements: Rows
    graduates: Rows
    accreditations: Rows


def draw(world: World, seed: int) -> Drawn:
    """Draw all people, agreements and accreditations; each step has its own stream."""
    counted = counted_students(stream(seed, "students"), world)
    dual_rng = stream(seed, "dual")
    dual = make_dual(dual_rng, world, counted)
    rng = stream(seed, "graduates")
    cohorts = [cohort_rows(rng, world, cohort, dual) for cohort in world.targets.cohorts]
    chosen = dual.in_force["student"]
    students = student_table(stream(seed, "leavers"), world, counted, cohorts[-1], chosen)
    others = other_agreements(dual_rng, world, students, dual)

    campuses = make_campuses(stream(seed, "campuses"), world)
    rng = stream(seed, "placing")
    place_students(rng, world, campuses, students)
    return Drawn(
        campuses=campuses,
        students=students,
        agreements=stack([dual.in_force, others]),
        graduates=place_graduates(rng, world, campuses, cohorts, students),
        accreditations=make_accreditations(stream(seed, "accreditations"), world, campuses.merged),
    )


def write_sample(
    folder: Path,
    *,
    colleges: int = FULL_COLLEGES,
    students: int = FULL_STUDENTS,
    seed: int = 1,
    defects: bool = False,
    layout: str = "plain",
    progress: Progress | None = None,
) -> list[Path]:
    """Write the synthetic round 2025-26 into ``folder`` and return the files written.

    ``colleges`` counts active legal entities (branches, one closed and one merged college come on
    top), ``students`` those counted on 1 October 2025. The totals are those of
    ``data/reference/facts.toml``, scaled by the largest remainder. The same arguments write the
    same bytes. With ``defects`` a known list of wrong rows is planted, and ``defects.csv`` names
    them. ``layout`` is one of LAYOUTS; in another than the plain one no rows are spoiled.
    ``progress`` is called with one plain sentence a step. Raises ValueError for sizes too small and
    an unknown layout.
    """
    check_size(colleges, students)
    if layout not in LAYOUTS or (defects and layout != "plain"):
        raise ValueError(f"layout {layout}{' with defects' * defects}, expected {LAYOUTS}")
    if layout == assessment.LAYOUT:
        return assessment.write_assessment_sample(
            folder, colleges=colleges, students=students, seed=seed, progress=progress
        )
    tell = progress or (lambda _: None)
    folder.mkdir(parents=True, exist_ok=True)
    world = make_world(colleges, students, seed)
    tell(f"planned: {colleges} colleges, {students} students")
    drawn = draw(world, seed)
    people = int(drawn.graduates["person"].max()) + 1
    names = make_names(stream(seed, "ids"), world, drawn.campuses, people)
    tell("drawn: students, graduates, agreements")

    agreements = agreement_columns(drawn.agreements, drawn.students, names)
    of_colleges = college_columns(world, drawn.campuses, names)
    of_students = student_columns(drawn.students, names)
    paths = [
        write(folder, "colleges", of_colleges, tell),
        write(folder, "dual_agreements", agreements, tell),
        write(folder, "graduates", graduate_columns(drawn.graduates, names), tell),
        write(folder, "accreditations", accreditation_columns(drawn.accreditations, names), tell),
    ]
    if layout == "plain":
        paths.insert(1, write(folder, "students", of_students, tell))
    else:
        tables = table_of("students", of_students), table_of("colleges", of_colleges)
        paths += write_contingents(folder, *tables, tell)
    if defects:
        paths += plant_defects(folder, seed=seed)
        tell("defects.csv: planted")
    return paths
