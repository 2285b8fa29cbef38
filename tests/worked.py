"""Holding a worked case against what a round keeps.

A case names a college, and per table the values that must come out, worked out by hand. Counts,
tenge and published scores are exact. A value that the product keeps as a binary fraction (values,
intervals, points) is compared at nine decimal places, half up. "" is no value.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import polars as pl
from inputs import Computed, row_of

Case = dict[str, Any]

NINE_PLACES = Decimal("0.000000001")
KEY_OF = {
    "kpi_values": "kpi",
    "kpi_scores": "code",
    "gates": "gate",
    "line_coefficients": "specialty",
    "entitled_lines": "specialty",
    "funding_lines": "specialty",
    "funding_months": "month",
    "funding_passes": "pass",
    "funding_totals": "in_force",
    "funding_regions": "region",
    "funding_administrators": "administrator",
}
"""Tables with several rows a college or nation, and the column that tells them apart."""
OF_THE_NATION = ("funding_passes", "funding_totals", "funding_regions", "funding_administrators")


def wrong_in(done: Computed, case: Case) -> list[str]:
    """Return what a round holds otherwise than the case says, a sentence each."""
    wrong = []
    for table, expected in case["expect"].items():
        if table == "absent":
            wrong += _not_absent(done, case["college"], expected)
        elif table == "national":
            wrong += differences("national", expected, _national(done))
        elif table in KEY_OF:
            rows = rows_of(done, table, case["college"])
            for code, columns in expected.items():
                row = _row(rows, KEY_OF[table], code)
                wrong += differences(f"{table}.{code}", columns, row)
        else:
            row = row_of(done.table(table), college_id=case["college"])
            if table == "ranking":
                profile = row_of(done.table("unit_profile"), college_id=case["college"])
                row |= {"cluster": profile["cluster"]}
            wrong += differences(table, expected, row)
    return wrong


def rows_of(done: Computed, table: str, college_id: str) -> pl.DataFrame:
    """Return the rows of a table that a case of this college is about."""
    rows = done.table(table)
    return rows if table in OF_THE_NATION else rows.filter(pl.col("college_id") == college_id)


def differences(where: str, expected: dict[str, Any], found: dict[str, Any] | None) -> list[str]:
    """Return the columns of a row that are not as expected; no row is a difference too."""
    if found is None:
        return [f"{where}: no such row"]
    return [
        f"{where}.{column}: expected {value!r}, found {found[column]!r}"
        for column, value in expected.items()
        if not _same(value, found[column])
    ]


def _row(rows: pl.DataFrame, column: str, code: str) -> dict[str, Any] | None:
    """Return the row whose key is written so in a case."""
    found = [row for row in rows.iter_rows(named=True) if _written(row[column]) == code]
    return found[0] if len(found) == 1 else None


def _written(key: Any) -> str:
    """Return a key as a case writes it: a month without its day, "" for none."""
    if key is None:
        return ""
    return str(key).lower() if isinstance(key, bool) else str(key).removesuffix("-01")


def _not_absent(done: Computed, college_id: str, tables: list[str]) -> list[str]:
    return [
        f"{table} has rows of {college_id}"
        for table in tables
        if not done.table(table).filter(pl.col("college_id") == college_id).is_empty()
    ]


def _national(done: Computed) -> dict[str, Any]:
    """The nation as the cases name it: sums of money, and KPIs as numerator and denominator."""
    totals = done.table("funding_totals")
    now = row_of(totals, in_force=True)
    nation = {name: now[name] for name in ("students", "amount", "qualifying")}
    before = totals.filter(~pl.col("in_force"))
    if not before.is_empty():
        nation["old_amount"] = before["amount"].item()
    kpis = done.table("region_kpis").filter(pl.col("region") == "KZ")
    return nation | {
        row["kpi"]: [row["numerator"], row["denominator"]] for row in kpis.iter_rows(named=True)
    }


def _same(expected: Any, found: Any) -> bool:
    if expected == "":
        return found is None
    if found is None or isinstance(expected, bool):
        return found is expected
    if isinstance(expected, str) and _is_number(expected):
        exact = Decimal(str(found))
        if isinstance(found, float):
            exact = exact.quantize(NINE_PLACES, ROUND_HALF_UP)
        return Decimal(expected) == exact
    return bool(expected == found)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit()
