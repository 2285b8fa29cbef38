"""The methodology: KPIs, weights, gates and leagues as a dated file (DESIGN §5)."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kpi.dated import (
    Code,
    DatedFile,
    Names,
    Number,
    Stated,
    StatedValue,
    Strict,
    Words,
    in_force,
    refuse,
    repeated,
)
from kpi.errors import CallError

Kind = Literal["outcome_share", "register_share", "flag", "ratio", "median", "points"]
Aggregate = Literal["arithmetic", "geometric", "harmonic", "sum"]
Normalise = Literal[
    "goalposts",
    "min_max",
    "percentile_rank",
    "z_score",
    "distance_to_target",
    "rank",
    "borda",
    "none",
]
Treat = Literal["winsorise", "log", "winsorise_then_log"]
Missing = Literal["reweight", "zero", "not_ranked"]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
INDEX = "index"
POOLED_KINDS = ("outcome_share", "register_share")
"""The kinds of KPI whose counts are people, and may be added up over years."""


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
    weight: Number = Field(default=Decimal(1), ge=0)
    aggregate: Aggregate
    missing: Missing = "reweight"


class Score(Strict):
    """How a KPI enters the index; the words are those of ``kpi.index``."""

    parent: Code
    weight: Number = Field(ge=0)
    direction: Literal[1, -1] = 1
    normalise: Normalise = "goalposts"
    floor: Number | None = None
    target: Number | None = None
    missing: Missing
    mean: Number | None = None
    deviation: Number | None = Field(default=None, gt=0)
    capped: bool | None = None
    treat: Treat | None = None

    @property
    def compares(self) -> bool:
        """Whether a unit's normalised value depends on the other units'."""
        return self.treat is not None or self.normalise not in ("goalposts", "none")

    @property
    def can_be_negative(self) -> bool:
        """Whether a normalised value can be below 0."""
        if self.normalise == "min_max":
            return self.floor is not None and self.floor < 0
        return self.normalise in ("z_score", "none")


class Kpi(Stated):
    """One KPI: its kind, and how it is scored, if it is. With ``pool_years`` its value is made from
    up to so many consecutive cohorts (kpi/pooling.py).
    """

    code: Code
    name: Names
    kind: Kind
    min_denominator: int = Field(ge=1)
    pool_years: int | None = Field(default=None, ge=2, le=5)
    applies_to: list[Literal["college", "higher_college"]] = ["college", "higher_college"]
    score: Score | None = None


class Gate(Stated):
    """One condition for the higher norm, on the KPI of its name: on the counts of the round's own
    year, or on the pooled ones where it says ``pooled``.
    """

    kpi: Code
    threshold: Number
    on_small_cohort: Literal["judge", "fail", "pass"]
    on_no_data: Literal["fail", "pass"]
    pooled: bool = False


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
    def _fits_together(self) -> Self:
        refuse(
            [
                *self._names_repeated(),
                *self._names_unknown(),
                *self._tree_faults(),
                *self._scale_faults(),
                *self._pool_faults(),
                *self._league_faults(),
            ]
        )
        refuse(self._weight_faults())  # only where the tree is one
        return self

    def _names_repeated(self) -> Iterator[str]:
        codes = [group.code for group in self.groups] + [kpi.code for kpi in self.kpis]
        yield from repeated("groups, kpis: the code", codes)
        yield from repeated("gates", [gate.kpi for gate in self.gates])
        yield from repeated(
            "sources", [(a.destination, s) for a in self.sources for s in a.sources]
        )

    def _names_unknown(self) -> Iterator[str]:
        kpis = {kpi.code for kpi in self.kpis}
        groups = {group.code for group in self.groups}
        gates = {gate.kpi for gate in self.gates}
        parents = [(f"groups.{g.code}", g.parent) for g in self.groups if g.parent is not None]
        parents += [(f"kpis.{k.code}", k.score.parent) for k in self.kpis if k.score]
        for path, parent in parents:
            if parent not in groups:
                yield f"{path}: has the parent {parent}, which is no group"
        for path, codes in (("gates", gates), ("tie_chain", self.tie_chain.value)):
            for code in codes:
                if code not in kpis:
                    yield f"{path}: {code} is no KPI of this methodology"
        for league in self.leagues:
            for gate in league.gates:
                if gate not in gates:
                    yield f"leagues.{league.league}: {gate} is no gate of this methodology"

    def _tree_faults(self) -> Iterator[str]:
        roots = [group.code for group in self.groups if group.parent is None]
        if roots != [INDEX]:
            yield f"groups: one without parent, `{INDEX}`, is expected; found {roots}"
        for group in self.groups:
            if not _reaches_root(group, self.groups):
                yield f"groups.{group.code}: hangs in a circle of parents"
            if not self.children(group.code):
                yield f"groups.{group.code}: has nothing in it"

    def _scale_faults(self) -> Iterator[str]:
        for kpi in self.kpis:
            if kpi.score is None:
                continue
            for fault in [*_end_faults(kpi.score), *_option_faults(kpi.score)]:
                yield f"kpis.{kpi.code}: {fault}"
            for mean in ("geometric", "harmonic"):
                if kpi.score.can_be_negative and mean in self._aggregates_above(kpi.score.parent):
                    yield (
                        f"kpis.{kpi.code}: is normalised by {kpi.score.normalise} under a {mean}"
                        " mean; expected a scale that is never negative"
                    )

    def _aggregates_above(self, code: str | None) -> set[str]:
        """Return how a group and those above it aggregate."""
        by_code = {group.code: group for group in self.groups}
        found: set[str] = set()
        for _ in self.groups:  # no more steps than groups: parents may go in a circle
            if code in by_code:
                found.add(by_code[code].aggregate)
                code = by_code[code].parent
        return found

    def _pool_faults(self) -> Iterator[str]:
        pooled = {kpi.code: kpi for kpi in self.kpis if kpi.pool_years}
        overlaps = self.dates.cohort_to >= self.dates.cohort_from
        for kpi in pooled.values():
            if kpi.kind not in POOLED_KINDS:
                yield (
                    f"kpis.{kpi.code}: is of kind {kpi.kind} and has pool_years; expected a share"
                    " of people, whose counts add up over the years"
                )
            elif kpi.kind == "outcome_share" and overlaps:
                yield (
                    f"kpis.{kpi.code}: has pool_years while the cohorts overlap (from"
                    f" {self.dates.cohort_from} a year earlier to {self.dates.cohort_to});"
                    " expected cohorts that count nobody twice"
                )
        for gate in self.gates:
            if gate.pooled and gate.kpi not in pooled:
                yield f"gates.{gate.kpi}: says pooled; its KPI has no pool_years"

    def _league_faults(self) -> Iterator[str]:
        numbers = [league.league for league in self.leagues]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"leagues: are numbered {numbers}; expected 1, 2, 3, ..."
        for league in self.leagues:
            bounds = [league.max_count, league.max_rank].count(None)
            if league.league < len(self.leagues) and bounds != 1:
                yield (
                    f"leagues.{league.league}: has {2 - bounds} bounds;"
                    " expected max_count or max_rank"
                )
            if league.league == len(self.leagues) and (bounds != 2 or league.gates):
                yield (
                    f"leagues.{league.league}: is the last one and has bounds or gates;"
                    " expected none, it takes the rest"
                )
        shares = [level.min_share for level in self.levels]
        if shares != sorted(shares, reverse=True):
            told = ", ".join(str(share) for share in shares)
            yield f"levels: start at {told}; expected from high to low"

    def _weight_faults(self) -> Iterator[str]:
        for group in self.groups:
            children = self.children(group.code)
            total = sum((weight for _, weight in children), Decimal(0))
            if group.aggregate != "sum" and total != group.weight:
                listed = " + ".join(f"{code} {weight}" for code, weight in children)
                yield (
                    f"groups.{group.code}: the weights in it sum to {total}; expected"
                    f" {group.weight} ({listed})"
                )

    def children(self, code: str) -> list[tuple[str, Decimal]]:
        """Return (code, weight) of the groups and KPIs under a group, in the file's order."""
        groups = [(g.code, g.weight) for g in self.groups if g.parent == code]
        scored = [(k.code, k.score.weight) for k in self.kpis if k.score and k.score.parent == code]
        return groups + scored


def _end_faults(score: Score) -> Iterator[str]:
    """Yield what is wrong with the ends of a KPI's scale."""
    floor, target = score.floor, score.target
    if score.normalise == "goalposts" and (floor is None or target is None):
        yield "is scored by goalposts; expected floor and target"
    if score.normalise == "distance_to_target" and (target is None or floor is not None):
        yield (
            "is scored by its distance to the target; expected a target, and no floor, where the"
            " worst unit stands"
        )
    has_range = score.normalise in ("goalposts", "min_max")
    if has_range and floor is not None and target is not None and floor >= target:
        yield f"has floor {floor} and target {target}; expected floor below target"


def _option_faults(score: Score) -> Iterator[str]:
    """Yield what is stated that the KPI's scale has no place for."""
    stated = score.mean is not None or score.deviation is not None
    if stated and score.normalise != "z_score":
        yield f"states a mean or deviation and is normalised by {score.normalise}; expected z_score"
    if score.capped is not None and score.normalise != "distance_to_target":
        yield f"states capped and is normalised by {score.normalise}; expected distance_to_target"
    on_raw_values = score.normalise in ("goalposts", "distance_to_target", "none")
    if score.treat in ("log", "winsorise_then_log") and on_raw_values:
        yield (
            f"is put in logarithms and normalised by {score.normalise}, which is stated in raw"
            " values; expected a scale that compares units"
        )


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


def round_name(year: int) -> str:
    """Return the academic year that begins in a calendar year: 2025-26."""
    return f"{year}-{(year + 1) % 100:02d}"


def round_of(day: dt.date) -> str:
    """Return the academic year that a day falls in: it begins on 1 September."""
    return round_name(day.year if day.month >= 9 else day.year - 1)


def first_year(round_id: str) -> int:
    """Return 2025 for the round 2025-26. Raises CallError for any other form."""
    year = round_id.partition("-")[0]
    is_year = re.fullmatch("[12][0-9]{3}", year)
    if not is_year or round_id != round_name(int(year)):
        raise CallError(
            "A round is named after its academic year.",
            where="--round",
            found=round_id,
            expected="two years such as 2025-26",
        )
    return int(year)
