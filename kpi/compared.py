"""What the previous published round counted, for the signs that set a round beside the one before.

Its counts travel with the round as the reference table ``previous_counts``, and the receipt names
that round, so that the findings can be derived again without the store.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from kpi import rounds
from kpi.errors import DataError, phrase
from kpi.methodology import first_year, round_name
from kpi.pooling import Counted, Definition, counted_by, definition_of

PREVIOUS_COUNTS, SIGN_COUNTS = "previous_counts", "sign_counts"
COMPARED_KPIS = ("employment_rate", "dual_share", "excluded_share", "dropout_rate")
LEFT_CONTINGENT = "left_contingent"
COMPARED = (*COMPARED_KPIS, LEFT_CONTINGENT)
"""What is compared with the round before."""

PREVIOUS_SCHEMA: dict[str, Any] = {
    "counted": pl.String,
    "college_id": pl.String,
    "numerator": pl.Decimal(18, 4),
    "denominator": pl.Decimal(18, 4),
}


@dataclass(frozen=True)
class Compared:
    """What the round before counted: a table of PREVIOUS_SCHEMA, in order, of those of COMPARED
    that it counted in the same way; and how the receipt names that round.
    """

    counts: pl.DataFrame
    named: dict[str, str]


def compared_of(store: Path | None, now: Counted) -> Compared | None:
    """Return what the newest published version of the academic year before counted; None without
    one. Raises DataError where its files are not those that were published.
    """
    before = round_name(first_year(now.round_id) - 1)
    version = rounds.published(store, before) if store else None
    if version is None:
        return None
    if fault := next(rounds.published_faults(version), None):
        raise DataError(
            "The round is compared with an earlier published round; its files are not those that"
            " were published.",
            where=str(version.path),
            found=fault,
            do=phrase(
                "See what `kpi verify {round}` says, and put the files back from a copy.",
                round=version.name,
            ),
        )
    days = {name: dt.date.fromisoformat(day) for name, day in version.receipt["dates"].items()}
    then = Counted(version.name, version.methodology, days, version.sql)
    with duckdb.connect() as con:
        same = [one for one in COMPARED if _is_same(con, one, now, then)]
    parts = [_counted_then(version, one) for one in same]
    empty = pl.DataFrame(schema=PREVIOUS_SCHEMA)
    return Compared(
        pl.concat([empty, *parts]).sort(pl.all()),
        {
            "round": version.name,
            "version": version.version,
            "receipt_sha256": version.receipt_hash,
        },
    )


def _is_same(con: duckdb.DuckDBPyConnection, counted: str, now: Counted, then: Counted) -> bool:
    """Whether both rounds counted something by one definition, and both did."""
    ours = _definition(con, counted, now)
    return bool(ours) and ours == _definition(con, counted, then)


def _definition(con: duckdb.DuckDBPyConnection, counted: str, by: Counted) -> Definition:
    if counted in COMPARED_KPIS:
        return definition_of(con, counted, by)
    is_there = (by.sql / "7_signs" / f"{counted}.sql").exists()
    return counted_by(con, "7_signs", counted, by) if is_there else {}


def _counted_then(version: rounds.Round, counted: str) -> pl.DataFrame:
    """Return one count of an earlier round, by college."""
    table, key = ("kpi_counts", "kpi") if counted in COMPARED_KPIS else (SIGN_COUNTS, "sign")
    rows = version.table(table).filter(pl.col(key) == counted)
    return rows.select(pl.col(key).alias("counted"), "college_id", "numerator", "denominator").cast(
        pl.Schema(PREVIOUS_SCHEMA)
    )
