"""What the workbook shows: a round's stored rows, and the row of each on its sheet."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from funding.rule import Rule
from funding.workbook.paper import FIRST_ROW
from kpi.dated import load_file
from kpi.methodology import Group, Kpi, Methodology
from kpi.rounds import Round

Row = dict[str, Any]
BEGIN = FIRST_ROW + 1


@dataclass(frozen=True)
class Facts:
    """The stored rows, in the order of the sheets; rows on sheets are numbered from 1."""

    of_round: Round
    methodology: Methodology
    rule: Rule | None
    units: dict[str, Row]
    kpi_values: dict[tuple[str, str], Row]
    kpi_scores: dict[tuple[str, str], Row]
    gates: list[Row]
    ranking: list[Row]
    lines: list[Row]
    funding: dict[str, Row]
    floors: dict[str, Row]
    passes: list[Row]
    kpi_row: dict[tuple[str, str], int]
    gate_row: dict[tuple[str, str], int]
    rank_row: dict[str, int]
    college_row: dict[str, int]
    line_rows: dict[str, list[int]]
    guarantee_row: dict[str, int]

    @property
    def has_money(self) -> bool:
        """Whether anything was funded."""
        return self.rule is not None

    @property
    def groups(self) -> list[Group]:
        """The groups of the framework, each after the groups in it; the index is last."""
        return _bottom_up(self.methodology)

    @property
    def block(self) -> list[Kpi | Group]:
        """What each college has a row for on the sheet KPI."""
        return [*self.methodology.kpis, *self.groups]

    @property
    def is_within(self) -> bool:
        """Whether a guarantee is paid within the appropriation."""
        guarantee = self.rule.guarantee if self.rule else None
        return guarantee is not None and guarantee.funded_from == "within"

    def is_guaranteed(self, college_id: str) -> bool:
        """Whether a college was taken out of the scaling, and paid its floor, in the round."""
        floor = self.floors.get(college_id)
        return self.is_within and floor is not None and floor["joined_pass"] is not None


def read_facts(of_round: Round) -> Facts:
    """Read everything that the workbook shows from the round."""
    methodology = of_round.methodology
    has_money = of_round.has("funding")
    rule = load_file(of_round.rule_file(), Rule) if has_money else None
    units = _by(_rows(of_round, "unit_profile"), "college_id")
    codes = [*(kpi.code for kpi in methodology.kpis), *(g.code for g in _bottom_up(methodology))]
    gates = _rows(of_round, "gates")
    ranking = sorted(
        _rows(of_round, "ranking"), key=lambda row: (row["rank"] or 10**9, row["college_id"])
    )
    floors = _by(_rows(of_round, "guarantees"), "college_id") if has_money else {}
    lines = _lines(of_round, floors) if has_money else []
    funding = _by(_rows(of_round, "funding"), "college_id") if has_money else {}
    line_rows: dict[str, list[int]] = {college: [] for college in funding}
    guarantee_row = {}
    for row, line in enumerate(lines, start=BEGIN):
        if line["specialty"] is None:
            guarantee_row[line["college_id"]] = row
        else:
            line_rows[line["college_id"]].append(row)
    return Facts(
        of_round=of_round,
        methodology=methodology,
        rule=rule,
        units=units,
        kpi_values={(r["college_id"], r["kpi"]): r for r in _rows(of_round, "kpi_values")},
        kpi_scores={(r["college_id"], r["code"]): r for r in _rows(of_round, "kpi_scores")},
        gates=gates,
        ranking=ranking,
        lines=lines,
        funding=funding,
        floors=floors,
        passes=_rows(of_round, "funding_passes") if has_money else [],
        kpi_row=_numbered((college, code) for college in units for code in codes),
        gate_row=_numbered((row["college_id"], row["gate"]) for row in gates),
        rank_row=_numbered(row["college_id"] for row in ranking),
        college_row=_numbered(funding),
        line_rows=line_rows,
        guarantee_row=guarantee_row,
    )


def _lines(of_round: Round, floors: dict[str, Row]) -> list[Row]:
    """The stored lines with their product and attributes, and a line for each guarantee: one that
    costs nothing may cost something when a parameter is changed.
    """
    keys = ["college_id", "specialty"]
    lines = (
        of_round.table("funding_lines")
        .join(of_round.table("line_coefficients").select(*keys, "product"), on=keys, how="left")
        .join(
            of_round.table("eligible_students").select(*keys, "cost_group", "locality"),
            on=keys,
            how="left",
        )
    )
    stored = list(lines.iter_rows(named=True))
    with_guarantee = {row["college_id"] for row in stored if row["specialty"] is None}
    nothing = dict.fromkeys(
        ("base_amount", "incentive_amount", "entitled_incentive", "guarantee_amount", "amount"), 0
    )
    stored += [
        dict.fromkeys(lines.columns) | nothing | {"college_id": college}
        for college in floors
        if college not in with_guarantee
    ]
    return sorted(stored, key=lambda r: (r["college_id"], r["specialty"] is None, r["specialty"]))


def _rows(of_round: Round, table: str) -> list[Row]:
    return list(of_round.table(table).iter_rows(named=True)) if of_round.has(table) else []


def _by(rows: list[Row], key: str) -> dict[str, Row]:
    return {row[key]: row for row in rows}


def _numbered(keys: Iterable[Any]) -> dict[Any, int]:
    return {key: row for row, key in enumerate(keys, start=BEGIN)}


def _bottom_up(methodology: Methodology) -> list[Group]:
    groups = {group.code: group for group in methodology.groups}

    def depth(group: Group) -> int:
        return 0 if group.parent is None else 1 + depth(groups[group.parent])

    return sorted(methodology.groups, key=depth, reverse=True)


def reference_names(of_round: Round, table: str, key: str) -> dict[str, Row]:
    """Return the rows of a reference table of the round by their code."""
    frame: pl.DataFrame = of_round.reference()[table]
    return {row[key]: row for row in frame.iter_rows(named=True)}
