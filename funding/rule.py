"""The funding rule: norms and coefficients as a dated file (DESIGN §6)."""

import datetime as dt
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
)

FundingSource = Literal["state_order", "targeted_state_order", "self_paid"]
StudyForm = Literal["full_time", "part_time", "evening"]


class Coefficient(Stated):
    """What a line's norms are multiplied by for one value of an attribute."""

    attribute: Literal["cost_group", "locality"]
    value: Words
    coefficient: Number = Field(gt=0, decimal_places=4)


class Share(Stated):
    """The share of the incentive part that a league earns (0..1)."""

    league: int = Field(ge=1)
    share: Number = Field(ge=0, le=1, decimal_places=6)


class Rule(DatedFile):
    """A dated rule. ``base`` and ``full`` are national averages, tenge per student and year."""

    mode: Literal["threshold", "leagues"]
    base: StatedValue[int]
    full: StatedValue[int]
    gates: StatedValue[list[Code]]
    funding_sources: StatedValue[list[FundingSource]]
    study_forms: StatedValue[list[StudyForm]]
    pays_academic_leave: StatedValue[bool]
    calibrate: StatedValue[bool]
    coefficients: list[Coefficient]
    shares: list[Share] = []

    @model_validator(mode="after")
    def _norms_make_sense(self) -> Self:
        if not 0 < self.base.value <= self.full.value:
            raise ValueError(
                f"base is {self.base.value} and full is {self.full.value}; "
                "expected 0 < base <= full"
            )
        pays_more = self.full.value > self.base.value
        if self.mode == "threshold" and pays_more and not self.gates.value:
            raise ValueError("mode threshold with a higher norm; expected at least one gate")
        if (self.mode == "leagues") != bool(self.shares):
            raise ValueError(
                f"mode {self.mode} with {len(self.shares)} shares; "
                "expected a share for each league in mode leagues, and none otherwise"
            )
        return self


def load_rule(name: str, on: dt.date) -> Rule:
    """Return the rule ``name`` (or the TOML file at that path) in force on a day."""
    return in_force("rules", name, on, Rule)


def earlier_rules(rule: Rule) -> list[Rule]:
    """Return the shipped versions of the same rule that started before it, oldest first."""
    return earlier_versions("rules", rule, Rule)
