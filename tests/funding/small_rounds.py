"""Two small rounds in which every parameter of a methodology and rule matters to somebody.

The colleges stand on both sides of each gate, in towns and villages, in every cost group; they have
students on leave, paying, studying in the evening and leaving in the middle of the year; graduates
with declared jobs; too few graduates or none; a branch in another region.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from inputs import (
    HEAVY,
    KEY,
    ROUND,
    THEORY,
    WORKSHOP,
    Computed,
    Tables,
    accreditation,
    agreement,
    college,
    graduate,
    plan,
    quiet,
    run,
    students,
    together,
    write_folder,
    write_rule,
)
from polars.testing import assert_frame_equal

from funding.publish import publish
from funding.run import Plan, compute
from funding.scenario import Outcome
from kpi.intake import read_inputs
from kpi.pipeline import connect, get_table
from kpi.ranking import INTERVALS
from kpi.resources import data_folder
from kpi.rounds import Round, open_round

METHODOLOGY = data_folder() / "methodology" / "example" / "2024-09-01.toml"
GATES = ("employment_rate", "dual_share", "institution_accredited")

Edit = tuple[str, str]
"""A text that stands in a dated file exactly once, and what stands in its place."""


def town(
    college_id: str,
    *,
    size: int = 30,
    employed: int = 8,
    unemployed: int = 2,
    dual: int = 8,
    specialty: str = THEORY,
    accredited: bool = True,
    programme: bool = False,
    in_specialty: int = 0,
    certified: int = 0,
    **columns: object,
) -> Tables:
    """A college by what its gates and score see; ``columns`` of its own row."""
    members = students(college_id, size, specialty=specialty)
    cohort = [
        graduate(
            college_id,
            "employed" if number < employed else "unemployed",
            in_specialty=number < in_specialty if number < employed else None,
            certificate_id=f"C-{college_id}-{number}" if number < certified else None,
        )
        for number in range(employed + unemployed)
    ]
    accreditations = [accreditation(college_id)] if accredited else []
    if programme:
        accreditations.append(accreditation(college_id, specialty))
    return {
        "colleges": [college(college_id, **columns)],
        "students": members,
        "graduates": cohort,
        "dual_agreements": [agreement(of) for of in members[:dual]],
        "accreditations": accreditations,
    }


def varied_tables() -> Tables:
    """Eleven colleges and a branch; EX-09 and EX-11 share rank 7, the edge of league 3."""
    leaving = {"left_on": "2026-01-15", "left_reason": "own_wish"}
    declared = {
        "destination": "employed",
        "destination_source": "declared",
        "destination_on": "2025-08-01",
    }
    return together(
        town("EX-01", employed=9, unemployed=1, dual=9, programme=True, in_specialty=7),
        {
            "colleges": [college("EX-01B", parent_id="EX-01", region="KZ-71", locality="rural")],
            "students": [
                *students("EX-01B", 6, specialty=WORKSHOP),
                *students("EX-01", 3, academic_leave=True),
                *students("EX-01", 2, funding_source="self_paid"),
            ],
        },
        town("EX-02", employed=7, unemployed=3, dual=7, specialty=HEAVY, locality="rural"),
        {"students": students("EX-02", 4, specialty=HEAVY, study_form="part_time", **leaving)},
        town("EX-03", employed=6, unemployed=4, specialty=WORKSHOP, locality="rural", certified=5),
        {"students": students("EX-03", 3, specialty=WORKSHOP, study_form="evening")},
        town("EX-04", employed=9, unemployed=1, dual=5, region="KZ-71", in_specialty=3),
        town("EX-05", employed=8, accredited=False, region="KZ-71", programme=True, certified=9),
        town("EX-06", employed=4, unemployed=1, region="KZ-71", specialty=WORKSHOP),
        town("EX-07", employed=0, unemployed=0, region="KZ-71"),
        {"students": students("EX-07", 1, left_on="2025-10-01", left_reason="own_wish")},
        town("EX-08", size=20, employed=8, dual=6, specialty=HEAVY),
        town("EX-09", employed=5, unemployed=1, region="KZ-62", administrator="health"),
        {"graduates": [graduate("EX-09", **declared) for _ in range(4)]},
        town("EX-10", employed=15, unemployed=5, dual=6, region="KZ-62", in_specialty=9),
        {"students": students("EX-10", 3, specialty=HEAVY, **leaving)},
        town("EX-11", employed=5, unemployed=5, region="KZ-62"),
    )


@dataclass(frozen=True)
class Varied:
    """The varied round as a draft, what it was run from, and the store it lies in: there the year
    before is published, in which every college was paid more per student.
    """

    folder: Path
    store: Path
    rule: Path

    @cached_property
    def draft(self) -> Round:
        return open_round(self.store, ROUND)

    def full_run(self, methodology: Path = METHODOLOGY, rule: Path | None = None) -> Computed:
        """Compute the round again from its input under these files, as `kpi run` does."""
        asked = plan(methodology=methodology, rule=rule or self.rule, store=self.store)
        return computed(self.folder, asked)


@dataclass(frozen=True)
class InMemory:
    """What a round computed, without a draft on disk."""

    tables: dict[str, pl.DataFrame]

    def table(self, table: str) -> pl.DataFrame:
        return self.tables[table]


def computed(folder: Path, asked: Plan) -> InMemory:
    """Compute a round from its input, all of it, and keep its tables."""
    with TemporaryDirectory() as spill:
        con = connect(Path(spill))
        try:
            compute(con, asked, read_inputs(con, folder, KEY, quiet), str(folder), quiet)
            kept = ("kpi_values", "gates", "ranking", "funding", "funding_regions")
            return InMemory({name: get_table(con, name) for name in kept})
        finally:
            con.close()


def make_varied(at: Path) -> Varied:
    """Run and publish the year before, run the round itself."""
    folder, store = write_folder(at / "input", **varied_tables()), at / "rounds"
    old = write_rule(at / "old.toml", start="2024-09-01", base=600_000, full=600_000, gates=[])
    run(folder, store, round_id="2024-25", methodology=METHODOLOGY, rule=old)
    publish_newest(store, "2024-25")
    groups, places = {"workshop": "1.2", "heavy": "1.5"}, {"rural": "1.1"}
    rule = write_rule(at / "rule.toml", cost_groups=groups, localities=places)
    run(folder, store, methodology=METHODOLOGY, rule=rule)
    return Varied(folder, store, rule)


def publish_newest(store: Path, round_id: str) -> None:
    """Publish a round's newest draft."""
    people = {"by": "A. Analyst", "approved_by": "B. Head"}
    publish(store, round_id, **people, reason="order No. 1", waivers=None, report=quiet)


def edited(source: Path, target: Path, edits: Iterable[Edit]) -> Path:
    """Write a dated file with some texts replaced; each must stand there exactly once."""
    text = source.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    target.write_text(text, encoding="utf-8")
    return target


def assert_same(outcome: Outcome, done: Computed) -> None:
    """Hold what a scenario comes to against the stored tables of a round, cell by cell.

    A scenario draws no intervals, so it has no columns for them.
    """
    for name, table in tables_of(outcome).items():
        stored = done.table(name).drop(*drawn_columns(name))
        assert_frame_equal(table, stored, check_row_order=False)


def drawn_columns(table: str) -> list[str]:
    """The columns of a stored table that draws fill in."""
    return [name for name in INTERVALS if table == "ranking"]


def tables_of(outcome: Outcome) -> dict[str, pl.DataFrame]:
    """What a scenario comes to, by the name of the stored table."""
    return {
        "funding": outcome.funding,
        "ranking": outcome.ranking,
        "funding_regions": outcome.regions,
    }
