"""The director's question: what is the least that reaches the higher norm, or the next league?

Denominators stay as they are: so many graduates more in work, so many students more in dual
training, programmes accredited. What it brings is the same round computed with those counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from funding.scenario import Desk
from kpi.errors import CallError
from kpi.pooling import own_counts

Counts = dict[str, int]
"""How many people more are counted in the numerator of each KPI."""

_COUNTED = ("outcome_share", "register_share", "flag")
"""The kinds of KPI whose numerator is people, or a yes."""


@dataclass(frozen=True)
class GateStep:
    """One gate that is not passed: how many more people pass it (one for a yes or no; for
    accredited_share the students of ``programmes``), and what that alone brings. ``more`` is None
    where no number of them does: there is no data, or the counts do not decide.
    """

    gate: str
    numerator: Decimal
    denominator: Decimal
    threshold: Decimal
    more: int | None
    programmes: list[tuple[str, int]]
    tenge: int


@dataclass(frozen=True)
class LeagueStep:
    """The next league by one KPI alone, beside the gates that it asks for. ``kpi`` is None where
    those gates are all that is missing; ``more`` is None where even everybody is not enough.
    ``programmes`` are the fewest whose accreditation brings as many students, where it is that.
    """

    kpi: str | None
    league: int
    gates: Counts
    more: int | None
    tenge: int
    programmes: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class PathOf:
    """What stands between a college and more money; tenge per year."""

    college_id: str
    amount: int
    league: int | None
    gates: list[GateStep] = field(default_factory=list)
    all_gates_tenge: int = 0
    leagues: list[LeagueStep] = field(default_factory=list)
    not_ranked_reason: str | None = None


def path_of(desk: Desk, college_id: str, *, to_leagues: bool = True) -> PathOf:
    """Return the least further counts that pass each gate not passed, and reach the next league.

    The league takes seconds, because everybody is ranked again for each count tried; it is left out
    without ``to_leagues``.
    Raises CallError for a college that the round does not pay.
    """
    asked = _Question(desk, college_id)
    if asked.paid is None:
        raise CallError(
            "The round does not pay this college.",
            where=f"{desk.of_round.name} {desk.of_round.version}",
            found=college_id,
            expected="an active unit",
        )
    ranking = asked.ranking
    done = PathOf(college_id, asked.paid, ranking["league"])
    done.not_ranked_reason = ranking["not_ranked_reason"]
    failed = [row for row in asked.gates if not row["passed"]]
    done.gates = [_gate_step(asked, row) for row in failed]
    needed = {step.gate: step.more for step in done.gates if step.more is not None}
    if failed and len(needed) == len(failed):
        done.all_gates_tenge = asked.gain(needed)
    if to_leagues:
        done.leagues = list(_league_steps(asked, done, failed))
    return done


class _Question:
    """A college in a round opened for scenarios, and what the round comes to with other counts."""

    def __init__(self, desk: Desk, college_id: str) -> None:
        self.desk = desk
        self.college_id = college_id
        self.values = {row["kpi"]: row for row in self._rows("kpi_values")}
        self.own = {row["kpi"]: row for row in self._of(own_counts(desk.of_round))}
        self.gates = self._rows("gates")
        self.paid = self._amount(desk.baseline.funding)
        [self.ranking] = self._of(desk.baseline.ranking) or [
            {"league": None, "not_ranked_reason": "not a unit"}
        ]

    def _rows(self, table: str) -> list[dict[str, Any]]:
        return self._of(self.desk.of_round.table(table))

    def _of(self, frame: pl.DataFrame) -> list[dict[str, Any]]:
        return frame.filter(pl.col("college_id") == self.college_id).to_dicts()

    def _amount(self, funding: pl.DataFrame) -> int | None:
        rows = self._of(funding)
        return int(rows[0]["amount"]) if rows else None

    def gain(self, more: Counts) -> int:
        """Return the tenge per year that more people counted bring; programmes are accredited
        whole.
        """
        whole = dict(more)
        if students := more.get("accredited_share"):
            whole["accredited_share"] = sum(size for _, size in _programmes(self, students))
        funding = self.desk.costs_with(self.college_id, self._with_implied(whole))
        return (self._amount(funding) or 0) - (self.paid or 0)

    def league(self, more: Counts) -> int | None:
        """Return the college's league with more people counted."""
        [row] = self._of(self.desk.ranking_with(self.college_id, self._with_implied(more)))
        return row["league"] and int(row["league"])

    def _with_implied(self, more: Counts) -> Counts:
        """Return the counts with those that they imply: who works in the specialty works."""
        part, whole = "in_specialty_rate", "employment_rate"
        if part not in more or whole not in self.values:
            return more
        others = self.own[whole]["numerator"] - self.own[part]["numerator"]
        return more | {whole: max(more.get(whole, 0), more[part] - int(others))}

    def room(self, kpi: str) -> int:
        """Return how many people of the denominator are not in the numerator: of the round's own
        year, because those of earlier cohorts are what they are.
        """
        row = self.own[kpi]
        return int(row["denominator"] - row["numerator"])


def _gate_step(asked: _Question, row: dict[str, Any]) -> GateStep:
    more = row["short_by"] if _can_pass(asked, row) else None
    programmes = _programmes(asked, more) if row["gate"] == "accredited_share" and more else []
    return GateStep(
        row["gate"],
        row["numerator"],
        row["denominator"],
        row["threshold"],
        more,
        programmes,
        asked.gain({row["gate"]: more}) if more else 0,
    )


def _can_pass(asked: _Question, row: dict[str, Any]) -> bool:
    """Whether counts decide the gate, so that more of them can pass it."""
    methodology = asked.desk.rules.methodology
    [kind] = [kpi.kind for kpi in methodology.kpis if kpi.code == row["gate"]]
    [gate] = [gate for gate in methodology.gates if gate.kpi == row["gate"]]
    is_judged = row["decided_by"] == "counts" or (
        row["decided_by"] == "small_cohort" and gate.on_small_cohort == "judge"
    )
    if gate.pooled and (row["short_by"] or 0) > asked.room(gate.kpi):
        return False  # even everybody of this year is not enough
    return kind in _COUNTED and is_judged and row["threshold"] <= 1


def _to_pass(failed: list[dict[str, Any]]) -> Counts:
    return {row["gate"]: row["short_by"] for row in failed if row["short_by"]}


def _programmes(asked: _Question, students: int) -> list[tuple[str, int]]:
    """Return the fewest specialties, largest first, whose accreditation covers so many students."""
    sizes = asked.desk.of_round.table("unit_programmes").filter(
        (pl.col("college_id") == asked.college_id) & ~pl.col("is_accredited")
    )
    chosen: list[tuple[str, int]] = []
    for specialty, size in (
        sizes.sort("students", "specialty", descending=[True, False])
        .select("specialty", "students")
        .rows()
    ):
        if students <= 0:
            break
        chosen.append((specialty, size))
        students -= size
    return chosen


def _league_steps(
    asked: _Question, done: PathOf, failed: list[dict[str, Any]]
) -> Iterator[LeagueStep]:
    """Yield, for the next league, what each scored KPI alone would have to reach."""
    if done.league is None or done.league == 1:
        return
    target = done.league - 1
    methodology = asked.desk.rules.methodology
    [league] = [league for league in methodology.leagues if league.league == target]
    in_the_way = [row for row in failed if row["gate"] in league.gates]
    if any(not _can_pass(asked, row) for row in in_the_way):
        return
    gates = _to_pass(in_the_way)
    now = asked.league(gates) if gates else None
    if now is not None and now <= target:
        yield LeagueStep(None, target, gates, 0, asked.gain(gates))
        return
    for kpi in methodology.kpis:
        if kpi.score is None or kpi.kind not in ("outcome_share", "register_share"):
            continue
        if kpi.score.direction == -1:
            continue  # fewer people would be needed, not more
        more = _least(asked, kpi.code, gates, target)
        total = _together(gates, kpi.code, more or 0)
        tenge = asked.gain(total) if more is not None else 0
        students = total[kpi.code] if more and kpi.code == "accredited_share" else 0
        yield LeagueStep(kpi.code, target, gates, more, tenge, _programmes(asked, students))


def _together(gates: Counts, kpi: str, more: int) -> Counts:
    return gates | {kpi: gates.get(kpi, 0) + more}


def _least(asked: _Question, kpi: str, gates: Counts, target: int) -> int | None:
    """Return the least number of people more in a KPI's numerator that reaches the league, beside
    those that the gates need. More people never lower a rank, so halving finds it.
    """

    def reaches(more: int) -> bool:
        league = asked.league(_together(gates, kpi, more))
        return league is not None and league <= target

    high = asked.room(kpi) - gates.get(kpi, 0)
    if high < 0 or not reaches(high):
        return None
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high
