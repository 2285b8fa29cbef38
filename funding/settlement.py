"""Appropriation and guarantee (DESIGN §6 steps 6 and 7): from entitled lines to paid ones.

Whole tenge and exact fractions; the tables in and out are small (some thousand lines).

Without either, what a line is entitled to is what it is paid. All amounts are tenge per year.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from funding.rule import Rule
from kpi.errors import CallError, phrase

Line = dict[str, Any]

LINE_SCHEMA: dict[str, Any] = {
    "college_id": pl.String,
    "specialty": pl.String,  # none in the line that a guarantee costs
    "students": pl.Decimal(18, 4),
    "coefficient": pl.Decimal(18, 8),
    "base_norm": pl.Int64,
    "incentive_norm": pl.Int64,
    "amount": pl.Int64,
    "share": pl.Decimal(9, 6),
    "student_months": pl.Int64,
    "base_amount": pl.Int64,
    "entitled_incentive": pl.Int64,
    "incentive_amount": pl.Int64,
    "guarantee_amount": pl.Int64,
}
PASS_SCHEMA: dict[str, Any] = {
    "pass": pl.Int64,
    "available": pl.Int64,
    "guaranteed_colleges": pl.Int64,
    "guaranteed_amount": pl.Int64,
    "scaled_available": pl.Int64,
    "scaled_entitled": pl.Int64,
    "point_value": pl.Decimal(18, 12),
    "joined_colleges": pl.Int64,
}
FLOOR_SCHEMA: dict[str, Any] = {
    "college_id": pl.String,
    "previous_student_months": pl.Int64,
    "previous_amount": pl.Int64,
    "floor_amount": pl.Int64,
}
GUARANTEE_SCHEMA: dict[str, Any] = {
    **FLOOR_SCHEMA,
    "joined_pass": pl.Int64,
    "guarantee_amount": pl.Int64,
}


@dataclass
class Settlement:
    """What is paid: the tables ``funding_lines``, ``funding_passes`` and ``guarantees``."""

    lines: pl.DataFrame
    passes: pl.DataFrame
    guarantees: pl.DataFrame


@dataclass
class _Unit:
    """One college in the settlement: its lines, and the floor under its year."""

    lines: list[Line] = field(default_factory=list)
    floor: int = 0
    joined_pass: int | None = None

    def base(self) -> int:
        return sum(int(line["base_amount"]) for line in self.lines)

    def entitled(self) -> int:
        return sum(int(line["entitled_incentive"]) for line in self.lines)

    def paid(self) -> int:
        return self.base() + sum(int(line["incentive_amount"]) for line in self.lines)


def settle(entitled: pl.DataFrame, floors: pl.DataFrame, rule: Rule) -> Settlement:
    """Pay the lines of ``entitled_lines`` under the rule's appropriation and guarantee.

    ``entitled``: the table of that name. ``floors``: the table ``guarantee_floors``. Incentive
    amounts are scaled by one point value, available / entitled, rounded down; the tenge left over
    go one each to the largest remainders, equal ones in the order of college and specialty. A
    guarantee within the appropriation takes colleges below their floor out of the scaling, pays
    them their floor exactly, and scales the others again, until no college joins: each such pass
    is a row. Raises CallError where the base, or the base and the floors, exceed the appropriation.
    """
    if rule.appropriation is None and floors.is_empty():
        return Settlement(
            _paid_in_full(entitled),
            pl.DataFrame(schema=PASS_SCHEMA),
            pl.DataFrame(schema=GUARANTEE_SCHEMA),
        )
    rows = entitled.sort("college_id", "specialty").to_dicts()
    units: dict[str, _Unit] = {}
    for row in rows:
        units.setdefault(row["college_id"], _Unit()).lines.append(row)
    for row in floors.iter_rows(named=True):
        units.setdefault(row["college_id"], _Unit()).floor = row["floor_amount"]
    is_within = rule.guarantee is not None and rule.guarantee.funded_from == "within"
    passes = list(_passes(units, rule, is_within))
    costs = {college: max(unit.floor - unit.paid(), 0) for college, unit in units.items()}
    for college, unit in units.items():
        if costs[college] and unit.joined_pass is None:
            unit.joined_pass = len(passes)
    return Settlement(
        _line_table(rows, costs),
        pl.DataFrame(passes, schema=PASS_SCHEMA, orient="row"),
        _guarantee_table(floors, units, costs),
    )


def _paid_in_full(entitled: pl.DataFrame) -> pl.DataFrame:
    """Return the lines where nothing limits or lifts them."""
    paid = entitled.with_columns(
        incentive_amount="entitled_incentive",
        guarantee_amount=pl.lit(0, pl.Int64),
        amount=pl.col("base_amount") + pl.col("entitled_incentive"),
    )
    return paid.select(pl.col(name).cast(kind) for name, kind in LINE_SCHEMA.items()).sort(
        "college_id", "specialty"
    )


def _passes(units: dict[str, _Unit], rule: Rule, is_within: bool) -> Iterable[Line]:
    """Set each line's incentive_amount; yield the national numbers of each pass."""
    if rule.appropriation is None:
        for unit in units.values():
            for line in unit.lines:
                line["incentive_amount"] = line["entitled_incentive"]
        return
    available = _available(units, rule)
    guaranteed: set[str] = set()
    lowest = Fraction(1)
    number = 0
    while True:
        number += 1
        taken = sum(units[college].floor - units[college].base() for college in guaranteed)
        scaled = {college: unit for college, unit in units.items() if college not in guaranteed}
        rest = available - taken
        if rest < 0:
            raise _too_small(rule, _NOT_FLOORS, available, taken)
        entitled = sum(unit.entitled() for unit in scaled.values())
        point = Fraction(rest, entitled) if entitled > rest else Fraction(1)
        scale([line for unit in scaled.values() for line in unit.lines], point, rest)
        # Who joins for a tenge that rounding took can leave the others a higher point value than
        # before; at that one its own lines could come to more than its floor.
        lowest = min(lowest, point)
        for college in guaranteed:  # the guarantee line takes what rounding down leaves
            for line in units[college].lines:
                line["incentive_amount"] = line["entitled_incentive"] * lowest // 1
        joined = [c for c, unit in scaled.items() if is_within and unit.paid() < unit.floor]
        yield {
            "pass": number,
            "available": available,
            "guaranteed_colleges": len(guaranteed),
            "guaranteed_amount": taken,
            "scaled_available": rest,
            "scaled_entitled": entitled,
            "point_value": _decimal(point, 12),
            "joined_colleges": len(joined),
        }
        if not joined:
            return
        for college in joined:
            units[college].joined_pass = number
        guaranteed.update(joined)


def scale(lines: list[Line], point: Fraction, available: int) -> None:
    """Set each line's incentive_amount to its entitled one times the point value.

    Largest remainder: rounded down, then one tenge more for the largest remainders until the sum is
    ``available``; equal remainders in the order in which the lines stand. With a point value of 1
    each line gets what it is entitled to.
    """
    for line in lines:
        line["incentive_amount"] = line["entitled_incentive"] * point.numerator // point.denominator
    if point == 1:
        return
    left = available - sum(line["incentive_amount"] for line in lines)
    remainders = [
        line["entitled_incentive"] * point.numerator % point.denominator for line in lines
    ]
    # lines that are entitled to nothing have no remainder, and there are never fewer than `left`
    order = sorted(range(len(lines)), key=lambda place: -remainders[place])
    for place in order[:left]:
        lines[place]["incentive_amount"] += 1


def _available(units: dict[str, _Unit], rule: Rule) -> int:
    """Return the tenge that incentive amounts (and a guarantee within) may come to."""
    assert rule.appropriation is not None
    if rule.appropriation.covers == "incentive":
        return rule.appropriation.amount
    base = sum(unit.base() for unit in units.values())
    if base > rule.appropriation.amount:
        raise _too_small(rule, _NOT_BASE, rule.appropriation.amount, base)
    return rule.appropriation.amount - base


_NOT_BASE = phrase("The appropriation does not cover the base amounts.")
_NOT_FLOORS = phrase("The appropriation does not cover the floors of the guarantee.")


def _too_small(rule: Rule, what: str, available: int, needed: int) -> CallError:
    assert rule.appropriation is not None
    return CallError(
        what,
        where=f"rule {rule.name} {rule.start}, appropriation ({rule.appropriation.covers})",
        found=phrase("{available} tenge for {needed} tenge", available=available, needed=needed),
        expected=phrase("at least {missing} tenge more", missing=needed - available),
        do="Raise the appropriation, or lower the norm or the guarantee's floor.",
    )


def _line_table(rows: list[Line], costs: dict[str, int]) -> pl.DataFrame:
    for row in rows:
        row["guarantee_amount"] = 0
        row["amount"] = row["base_amount"] + row["incentive_amount"]
    nothing = dict.fromkeys(
        ("base_norm", "incentive_norm", "student_months", "base_amount", "entitled_incentive"), 0
    )
    guarantees = [
        {
            "college_id": college,
            "specialty": None,
            "students": Decimal(0),
            **nothing,
            "incentive_amount": 0,
            "guarantee_amount": cost,
            "amount": cost,
        }
        for college, cost in costs.items()
        if cost
    ]
    table = pl.DataFrame(
        [{name: row.get(name) for name in LINE_SCHEMA} for row in [*rows, *guarantees]],
        schema=LINE_SCHEMA,
    )
    return table.sort("college_id", "specialty", nulls_last=True)


def _guarantee_table(
    floors: pl.DataFrame, units: dict[str, _Unit], costs: dict[str, int]
) -> pl.DataFrame:
    rows = [
        row
        | {
            "joined_pass": units[row["college_id"]].joined_pass,
            "guarantee_amount": costs[row["college_id"]],
        }
        for row in floors.sort("college_id").iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=GUARANTEE_SCHEMA)


def _decimal(number: Fraction, places: int) -> Decimal:
    """Return a fraction as a decimal, half up, for showing; nothing is computed from it."""
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
