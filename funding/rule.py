"""The funding rule: norms and coefficients as a dated file (DESIGN §6)."""

import datetime as dt
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from kpi.dated import (
    Code,
    DatedFile,
    Number,
    Stated,
    StatedValue,
    Words,
    earlier_versions,
    in_force,
    refuse,
    repeated,
)

FundingSource = Literal["state_order", "targeted_state_order", "self_paid"]
StudyForm = Literal["full_time", "part_time", "evening"]

_MOST = 10**9  # tenge a student: what a nation of them comes to is still counted in 64 bits


class Coefficient(Stated):
    """What a line's norms are multiplied by for one value of an attribute."""

    attribute: Literal["cost_group", "locality"]
    value: Words
    coefficient: Number = Field(gt=0, lt=100_000, decimal_places=4)


class Share(Stated):
    """The share of the incentive part that a league earns (0..1)."""

    league: int = Field(ge=1)
    share: Number = Field(ge=0, le=1, decimal_places=6)


class PhaseIn(Stated):
    """A gate whose KPI earns a rising share, from 0 at ``zero_at`` to 1 at ``full_at`` (0..1),
    instead of all or nothing at its threshold.
    """

    gate: Code
    zero_at: Number = Field(ge=0, le=1)
    full_at: Number = Field(ge=0, le=1)


class Appropriation(Stated):
    """The most, in tenge per year, that the incentive amounts or all amounts may come to."""

    amount: int = Field(ge=0, lt=10**18)
    covers: Literal["incentive", "total"]


class Guarantee(Stated):
    """The least that a college gets: the stated part (``floor``, 0..1) of what the previous
    published round paid it, per student or in total; paid on top of the appropriation or within it.
    """

    basis: Literal["per_student", "total"]
    floor: Number = Field(gt=0, le=1)
    funded_from: Literal["outside", "within"]


class Rule(DatedFile):
    """A dated rule. ``base`` and ``full`` are national averages, tenge per student and year.

    ``count_basis``: students on ``count_on``, or the mean of the headcounts on the first of each
    month of the academic year.
    """

    mode: Literal["threshold", "leagues"]
    base: StatedValue[int]
    full: StatedValue[int]
    gates: StatedValue[list[Code]]
    funding_sources: StatedValue[list[FundingSource]]
    study_forms: StatedValue[list[StudyForm]]
    pays_academic_leave: StatedValue[bool]
    count_basis: StatedValue[Literal["on_date", "monthly_average"]]
    calibrate: StatedValue[bool]
    coefficients: list[Coefficient]
    shares: list[Share] = []
    phase_in: list[PhaseIn] = []
    appropriation: Appropriation | None = None
    guarantee: Guarantee | None = None

    @model_validator(mode="after")
    def _pays_once(self) -> Self:
        refuse([*self._norm_faults(), *self._phase_in_faults(), *self._repeated()])
        return self

    def _norm_faults(self) -> Iterator[str]:
        base, full = self.base.value, self.full.value
        if not 0 < base <= full < _MOST:
            yield f"base, full: are {base} and {full}; expected 0 < base <= full < {_MOST}"
        if self.mode == "threshold" and full > base and not self.gates.value:
            yield "gates: none, with a higher norm in mode threshold; expected at least one gate"
        if (self.mode == "leagues") != bool(self.shares):
            yield (
                f"shares: {len(self.shares)} in mode {self.mode}; expected one for each league in"
                " mode leagues, and none otherwise"
            )

        if self.guarantee and self.guarantee.funded_from == "within" and not self.appropriation:
            yield "guarantee: is funded within the appropriation; expected an appropriation"

    def _phase_in_faults(self) -> Iterator[str]:
        for entry in self.phase_in:
            if entry.gate not in self.gates.value or self.mode != "threshold":
                yield f"phase_in.{entry.gate}: is no gate that this rule asks for"
            if entry.zero_at >= entry.full_at:
                yield (
                    f"phase_in.{entry.gate}: rises from {entry.zero_at} to {entry.full_at};"
                    " expected zero_at below full_at"
                )

    def _repeated(self) -> Iterator[str]:
        """What is given twice would be joined, and paid, twice."""
        yield from repeated("coefficients", [(c.attribute, c.value) for c in self.coefficients])
        yield from repeated("shares", [share.league for share in self.shares])
        yield from repeated("phase_in", [entry.gate for entry in self.phase_in])
        yield from repeated("gates", self.gates.value)
        yield from repeated("funding_sources", self.funding_sources.value)
        yield from repeated("study_forms", self.study_forms.value)


def load_rule(name: str, on: dt.date) -> Rule:
    """Return the rule ``name`` (or the TOML file at that path) in force on a day."""
    return in_force("rules", name, on, Rule)


def earlier_rules(rule: Rule) -> list[Rule]:
    """Return the shipped versions of the same rule that started before it, oldest first."""
    return earlier_versions("rules", rule, Rule)
