"""The methodology: KPIs, weights, gates and leagues as a dated file (DESIGN §5)."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kpi.dated import Code, DatedFile, Names, Number, Stated, StatedValue, Strict, Words, in_force
from kpi.errors import CallError

Kind = Literal["outcome_share", "register_share", "flag", "ratio", "median", "points"]
Aggregate = Literal["arithmetic", "geometric", "sum"]
Normalise = Literal["goalposts", "min_max", "percentile_rank", "z_score", "none"]
Missing = Literal["reweight", "zero", "not_ranked"]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
INDEX = "index"


class Dates(Stated):
    """The days of a round as month-day: in the first year of the academic year, the cohort's
    first day in the year before.
    """

    count_on: MonthDay
    kpi_on: MonthDay
    observed_on: MonthDay
    cohort_from: MonthDay
    cohort_to: MonthDay


class AcceptedSource(Stated):
    """The sources from which a destination is believed."""

    destination: Words
    sources: list[Words]


class Group(Stated):
    """A node of the index above the KPIs; the one without parent is the index itself."""

    code: Code
    name: Names
    parent: Code | None = None
    weight: Number = Decimal(1)
    aggregate: Aggregate
    missing: Missing = "reweight"


class Score(Strict):
    """How a KPI enters the index."""

    parent: Code
    weight: Number
    direction: Literal[1, -1] = 1
    normalise: Normalise = "goalposts"
    floor: Number | None = None
    target: Number | None = None
    missing: Missing


class Kpi(Stated):
    """One KPI: its kind, and how it is scored, if it is."""

    code: Code
    name: Names
    kind: Kind
    min_denominator: int = Field(ge=1)
    applies_to: list[Literal["college", "higher_college"]] = ["college", "higher_college"]
    score: Score | None = None


class Gate(Stated):
    """One condition for the higher norm, on the KPI of its name."""

    kpi: Code
    threshold: Number
    on_small_cohort: Literal["judge", "fail", "pass"]
    on_no_data: Literal["fail", "pass"]


class League(Stated):
    """One league: the first ``max_count`` that pass its gates, or those up to ``max_rank``."""

    league: int = Field(ge=1)
    name: Names
    gates: list[Code] = []
    max_count: int | None = Field(default=None, ge=1)
    max_rank: int | None = Field(default=None, ge=1)
    tie_at_edge: Literal["include", "exclude"]


class Level(Stated):
    """One level on a college's share of the best college's score (0..1)."""

    code: Code
    name: Names
    min_share: Number = Field(ge=0, le=1)


class Methodology(DatedFile):
    """A dated methodology."""

    unit: StatedValue[Literal["legal_entity", "campus"]]
    min_students: StatedValue[int]
    dates: Dates
    sources: list[AcceptedSource]
    groups: list[Group]
    kpis: list[Kpi]
    gates: list[Gate]
    leagues: list[League]
    tie_chain: StatedValue[list[Code]]
    levels: list[Level] = []
    specialty_indicator: StatedValue[str] | None = None

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        codes = [group.code for group in self.groups] + [kpi.code for kpi in self.kpis]
        for code, times in Counter(codes).items():
            _require(times == 1, f"code {code} is given {times} times; expected once")
        kpis = {kpi.code for kpi in self.kpis}
        groups = {group.code for group in self.groups}
        gates = [gate.kpi for gate in self.gates]
        roots = [group.code for group in self.groups if group.parent is None]
        _require(
            roots == [INDEX], f"one group without parent, `{INDEX}`, is expected; found {roots}"
        )
        for group in self.groups:
            _require(
                group.parent is None or group.parent in groups,
                f"group {group.code} has the parent {group.parent}, which is no group",
            )
            _require(_reaches_root(group, self.groups), f"group {group.code} hangs in a circle")
        for kpi in self.kpis:
            _require(
                kpi.score is None or kpi.score.parent in groups,
                f"KPI {kpi.code} has a parent that is no group",
            )
        for code in [*gates, *self.tie_chain.value]:
            _require(code in kpis, f"{code} is no KPI of this methodology")
        for league in self.leagues:
            for gate in league.gates:
                _require(
                    gate in gates,
                    f"league {league.league} asks for the gate {gate}, "
                    "which this methodology has not",
                )
        return self

    @model_validator(mode="after")
    def _weights_sum(self) -> Self:
        for group in self.groups:
            children = self.children(group.code)
            _require(bool(children), f"group {group.code} has nothing in it")
            if group.aggregate == "sum":
                continue
            total = sum((weight for _, weight in children), Decimal(0))
            listed = " + ".join(f"{code} {weight}" for code, weight in children)
            _require(
                total == group.weight,
                f"the weights in {group.code} sum to {total}; expected {group.weight} ({listed})",
            )
        return self

    @model_validator(mode="after")
    def _goalposts_stand(self) -> Self:
        for kpi in self.kpis:
            score = kpi.score
            if score is None or score.normalise != "goalposts":
                continue
            _require(
                score.floor is not None and score.target is not None,
                f"KPI {kpi.code} is scored by goalposts; expected floor and target",
            )
            _require(
                score.floor < score.target,  # type: ignore[operator]
                f"KPI {kpi.code} has floor {score.floor} and target {score.target}; "
                "expected floor below target",
            )
        return self

    @model_validator(mode="after")
    def _leagues_in_order(self) -> Self:
        numbers = [league.league for league in self.leagues]
        _require(
            numbers == list(range(1, len(numbers) + 1)),
            f"leagues are numbered {numbers}; expected 1, 2, 3, ...",
        )
        for league in self.leagues:
            bounds = (league.max_count is not None) + (league.max_rank is not None)
            is_last = league.league == len(self.leagues)
            _require(
                bounds == (0 if is_last else 1),
                f"league {league.league} has {bounds} bounds; expected "
                + ("none, it takes the rest" if is_last else "max_count or max_rank"),
            )
        shares = [level.min_share for level in self.levels]
        _require(shares == sorted(shares, reverse=True), "levels are expected from high to low")
        return self

    def children(self, code: str) -> list[tuple[str, Decimal]]:
        """Return (code, weight) of the groups and KPIs under a group, in the file's order."""
        groups = [(g.code, g.weight) for g in self.groups if g.parent == code]
        scored = [(k.code, k.score.weight) for k in self.kpis if k.score and k.score.parent == code]
        return groups + scored


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


def _reaches_root(group: Group, groups: list[Group]) -> bool:
    parents = {g.code: g.parent for g in groups}
    code: str | None = group.code
    for _ in groups:
        code = parents.get(code) if code else None
    return code is None


def load_methodology(name: str, on: dt.date) -> Methodology:
    """Return the methodology ``name`` (or the TOML file at that path) in force on a day."""
    return in_force("methodology", name, on, Methodology)


def round_dates(
    round_id: str, methodology: Methodology, given: dict[str, dt.date | None]
) -> dict[str, dt.date]:
    """Return count_on, kpi_on, observed_on, cohort_from and cohort_to of a round such as 2025-26.

    Days in ``given`` win over the methodology's. Raises CallError for a date that does not exist.
    """
    year = first_year(round_id)
    stated = methodology.dates
    days = {
        "count_on": (year, stated.count_on),
        "kpi_on": (year, stated.kpi_on),
        "observed_on": (year, stated.observed_on),
        "cohort_from": (year - 1, stated.cohort_from),
        "cohort_to": (year, stated.cohort_to),
    }
    chosen = {}
    for name, (of_year, month_day) in days.items():
        try:
            chosen[name] = given.get(name) or dt.date.fromisoformat(f"{of_year}-{month_day}")
        except ValueError as error:
            raise CallError(
                "The methodology names a day that does not exist.",
                where=f"{methodology.name} {methodology.start}, dates.{name}",
                found=f"{of_year}-{month_day}",
            ) from error
    return chosen


def first_year(round_id: str) -> int:
    """Return 2025 for the round 2025-26. Raises CallError for any other form."""
    year, _, rest = round_id.partition("-")
    right = year.isdigit() and len(year) == 4 and rest == f"{(int(year) + 1) % 100:02d}"
    if not right:
        raise CallError(
            "A round is named after its academic year.",
            where="--round",
            found=round_id,
            expected="two years such as 2025-26",
        )
    return int(year)
