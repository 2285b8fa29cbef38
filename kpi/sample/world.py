"""The world: what every stage after the lines reads."""

from dataclasses import dataclass

from kpi.sample.drawing import stream
from kpi.sample.lines import Lines, make_lines
from kpi.sample.targets import Reference, Targets, make_targets, read_reference
from kpi.sample.units import Units, make_units


@dataclass(frozen=True)
class World:
    """The reference and the targets, and the units and lines drawn from them."""

    ref: Reference
    targets: Targets
    units: Units
    lines: Lines


def make_world(colleges: int, students: int, seed: int) -> World:
    """Draw units and lines."""
    ref = read_reference()
    targets = make_targets(ref.facts, colleges, students)
    units = make_units(stream(seed, "units"), ref, targets)
    return World(ref, targets, units, make_lines(stream(seed, "lines"), units, ref))
