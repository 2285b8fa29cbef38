"""Where one college stands: its rows of a round's tables, beside its region, nation and peers.

Frames come from ``kpi.access.read_table`` (a hidden cell is empty and named in ``suppressed``) or
are stored tables: what is not in them is not shown. Nothing here knows who looks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import polars as pl

from kpi.access import NATION
from kpi.methodology import Methodology
from kpi.overview import EMPLOYMENT

Row = dict[str, Any]
Tables = Mapping[str, pl.DataFrame]

TABLES = (
    *("unit_profile", "kpi_values", "region_kpis", "ranking", "gates", "kpi_scores"),
    *("funding", "funding_lines", "param_norm", "peers"),
)
"""What a standing is made from; three are missing where nothing is funded, and ``peers`` in a round
of an earlier product.
"""

SHARES = ("outcome_share", "register_share")


@dataclass(frozen=True)
class KpiStanding:
    """A KPI of the college (``row``), of its region and of the nation, the threshold of its gate if
    it has one (``judged_pooled``: a gate that takes pooled counts), and of its peers those rows
    that have a value.
    """

    kpi: str
    kind: str
    row: Row
    region: Row | None = None
    nation: Row | None = None
    threshold: Decimal | None = None
    is_scored: bool = False
    peers: list[Row] = field(default_factory=list)
    judged_pooled: bool = False

    @property
    def threshold_of_value(self) -> Decimal | None:
        """The threshold where the gate judges the value that is shown: not where that is pooled and
        the gate takes this year's people.
        """
        is_other = (self.row.get("pooled_years") or 1) > 1 and not self.judged_pooled
        return None if is_other else self.threshold

    @property
    def is_share(self) -> bool:
        """Whether its value is a share of people, 0..1."""
        return self.kind in SHARES


@dataclass(frozen=True)
class Norm:
    """Tenge per student and year; ``is_mean`` where specialties have different ones."""

    tenge: int
    is_mean: bool


@dataclass(frozen=True)
class Part:
    """What one KPI brings to the score: from ``start`` to ``end`` points, in that order."""

    kpi: str
    points: float
    start: float
    end: float


@dataclass(frozen=True)
class Standing:
    """A college's facts. ``unit`` is its profile, ``ranking`` its rank (None where not shown),
    ``gates`` in the order of the methodology, each with the ``kind`` and ``value`` of its KPI;
    ``funding`` is None where it is not paid or not shown, ``full`` the higher norm in tenge,
    ``peer_count`` how many colleges it is compared with (``peers``).
    """

    college_id: str
    unit: Row
    ranking: Row | None
    kpis: list[KpiStanding]
    gates: list[Row]
    parts: list[Part]
    funding: Row | None
    norm: Norm | None
    full: int | None
    peer_count: int

    @property
    def failed(self) -> list[Row]:
        """The gates that are not passed."""
        return [gate for gate in self.gates if gate["passed"] is False]

    @property
    def untold(self) -> list[Row]:
        """The gates whose result is hidden."""
        return [gate for gate in self.gates if gate["passed"] is None]

    @property
    def is_ranked(self) -> bool:
        """Whether it has a rank."""
        return self.ranking is not None and self.ranking["rank"] is not None

    @property
    def charted(self) -> list[KpiStanding]:
        """The shares that count: scored ones and gates, in the order of the methodology."""
        return [
            one
            for one in self.kpis
            if one.is_share and (one.is_scored or one.threshold is not None)
        ]

    @property
    def headline(self) -> list[KpiStanding]:
        """The KPIs to open with: the gates' shares; without gates what is scored; at most four."""
        gates = [one for one in self.kpis if one.is_share and one.threshold is not None]
        return gates[:2] or [one for one in self.kpis if one.is_scored][:4]

    @property
    def employment(self) -> list[KpiStanding]:
        """The definitions of employment, in the order in which they always stand."""
        there = {one.kpi: one for one in self.kpis}
        return [there[kpi] for kpi in EMPLOYMENT if kpi in there]

    @property
    def employment_span(self) -> tuple[float, float] | None:
        """The lowest and highest of the definitions of employment; None with fewer than two."""
        told = [one.row["value"] for one in self.employment if one.row["value"] is not None]
        return (min(told), max(told)) if len(told) > 1 else None

    def of(self, kpi: str) -> KpiStanding:
        """Return one KPI."""
        [found] = [one for one in self.kpis if one.kpi == kpi]
        return found


def standing_of(tables: Tables, methodology: Methodology, college_id: str) -> Standing | None:
    """Return where a unit stands; None where the tables do not show it.

    ``tables``: those of ``TABLES`` that there are, by name.
    """
    profile = tables["unit_profile"]
    units = _of(profile, college_id)
    if not units:
        return None
    [unit] = units
    peers = _of(tables["peers"], college_id) if "peers" in tables else []
    kpis = list(_kpis(tables, methodology, unit, [row["peer_id"] for row in peers]))
    values = {one.kpi: one.row for one in kpis}
    judged = {row["gate"]: row for row in _of(tables["gates"], college_id)}
    gates = [
        judged[gate.kpi]
        | {"kind": values[gate.kpi]["kind"]}
        | {"value": _measured(judged[gate.kpi], values[gate.kpi])}
        | _hidden(judged[gate.kpi], values[gate.kpi])
        for gate in methodology.gates
        if gate.kpi in judged
    ]
    funding = _of(tables["funding"], college_id) if "funding" in tables else []
    lines = _of(tables["funding_lines"], college_id) if "funding_lines" in tables else []
    norms = tables["param_norm"]["full"].to_list() if "param_norm" in tables else []
    return Standing(
        college_id,
        unit,
        next(iter(_of(tables["ranking"], college_id)), None),
        kpis,
        gates,
        parts_of(_of(tables["kpi_scores"], college_id), methodology),
        funding[0] if funding else None,
        norm_of(lines),
        norms[0] if norms else None,
        len(peers),
    )


def _of(frame: pl.DataFrame, college_id: str) -> list[Row]:
    return frame.filter(pl.col("college_id") == college_id).to_dicts()


def _measured(gate: Row, value: Row) -> float | None:
    """Return the share that a gate judges: the KPI's value, unless that is pooled and the gate
    takes the year's own counts.
    """
    if (gate.get("pooled_years") or 1) == (value.get("pooled_years") or 1):
        return None if value["value"] is None else float(value["value"])
    if value["value"] is None or gate["numerator"] is None or not gate["denominator"]:
        return None
    return float(gate["numerator"] / gate["denominator"])


def _hidden(gate: Row, value: Row) -> Row:
    """Return the hidden cells of a gate and of its KPI's value together."""
    names = {
        name for row in (gate, value) for name in (row.get("suppressed") or "").split() if name
    }
    return {"suppressed": " ".join(sorted(names)) or None}


def _kpis(
    tables: Tables, methodology: Methodology, unit: Row, peers: Sequence[str]
) -> Iterable[KpiStanding]:
    values = tables["kpi_values"]
    own = {row["kpi"]: row for row in _of(values, unit["college_id"])}
    others = (
        values.filter(pl.col("college_id").is_in(peers), pl.col("value").is_not_null())
        .sort("college_id")
        .partition_by("kpi", as_dict=True)
    )
    of_places = {
        (row["region"], row["kpi"]): row for row in tables["region_kpis"].iter_rows(named=True)
    }
    gates = {gate.kpi: gate for gate in methodology.gates}
    for kpi in methodology.kpis:
        if kpi.code not in own:
            continue
        alike = others.get((kpi.code,))
        yield KpiStanding(
            kpi.code,
            kpi.kind,
            own[kpi.code],
            of_places.get((unit["region"], kpi.code)),
            of_places.get((NATION, kpi.code)),
            gates[kpi.code].threshold if kpi.code in gates else None,
            kpi.score is not None,
            [] if alike is None else alike.to_dicts(),
            kpi.code in gates and gates[kpi.code].pooled,
        )


def norm_of(lines: Sequence[Row]) -> Norm | None:
    """Return the norm of a college from its lines (a specialty each): base and incentive norm per
    student and year, or their mean over the students, half up. None where one is hidden or none is.
    """
    lines = [line for line in lines if line["specialty"] is not None]
    if not lines or any(line["incentive_norm"] is None for line in lines):
        return None
    norms = [line["base_norm"] + line["incentive_norm"] for line in lines]
    if len(set(norms)) == 1:
        return Norm(norms[0], False)
    students = [line["students"] for line in lines]
    if any(number is None for number in students) or not sum(students):
        return None
    total = sum((norm * number for norm, number in zip(norms, students, strict=True)), Decimal(0))
    mean = (total / sum(students)).quantize(Decimal(1), ROUND_HALF_UP)
    return Norm(int(mean), True)


def parts_of(scores: Sequence[Row], methodology: Methodology) -> list[Part]:
    """Return what each scored KPI brings to the index, group by group, one after the other.

    ``scores``: the college's rows of ``kpi_scores``. A KPI that is missing brings nothing and is
    left out.
    """
    brought = {row["code"]: row["contribution"] for row in scores}
    groups = [group.code for group in methodology.groups]
    scored = [kpi for kpi in methodology.kpis if kpi.score is not None]
    scored.sort(key=lambda kpi: groups.index(kpi.score.parent) if kpi.score else 0)
    found: list[Part] = []
    for kpi in scored:
        points = brought.get(kpi.code)
        if points is not None:
            start = found[-1].end if found else 0.0
            found.append(Part(kpi.code, points, start, start + points))
    return found


def earlier_values(
    rounds: Sequence[tuple[str, pl.DataFrame]], college_id: str
) -> list[tuple[str, dict[str, Row]]]:
    """Return the college's row of each KPI in earlier rounds, by the round's name; a round that
    does not show the college is left out. ``rounds``: name and ``kpi_values``.
    """
    found = [
        (name, {row["kpi"]: row for row in _of(values, college_id)}) for name, values in rounds
    ]
    return [(name, rows) for name, rows in found if rows]
