"""The tenge that a waiver moves: what colleges go without because rows stay rejected.

A waived error leaves its row rejected. The tenge of a waiver is what its colleges would be paid
more per year if its rows counted, and nothing else changed: the student rows that it leaves out
(a student's own, or all of a college whose own row is rejected), times the norm of the line of unit
and specialty, base and incentive, as the round pays it, with its gates and leagues as they are and
before an appropriation and a guarantee. ``sql/7_rejected/`` says it per row, and stands in the
round. It is a span: where all that decides is known, ``least`` and ``most`` are one; a row that
cannot be read counts from nothing to a whole year, and of the rows of one person who was counted
twice one counts, nobody knows which. Rows of graduates, agreements and accreditations bring no
tenge of themselves: a gate that hangs on rejected graduates or students refuses the publication; of
agreements and accreditations it is said how many colleges they might help.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from funding.run import open_registers
from funding.waivers import Accepted, Waiver, accepted_by, fits
from kpi.pipeline import connect, in_order, put_table, read_selects, run_selects, tables_made
from kpi.rounds import Round

FOLDER = "7_rejected"
_MONEY = "rejected_money"


@dataclass(frozen=True)
class Moved:
    """What a waiver moves: ``findings`` it accepts, ``rows`` that stay rejected by them, students
    among or behind them who may be paid for, and tenge per year from ``least`` to ``most``, which
    are None where the round has no funding.

    ``below``: colleges without the whole incentive part, of whose agreements or accreditations it
    leaves some out.
    """

    findings: int
    rows: int
    students: int
    least: int | None
    most: int | None
    below: int

    def held(self) -> dict[str, Any]:
        """Return it as a receipt and the journal hold it."""
        return asdict(self)


def can_tell(of_round: Round) -> bool:
    """Whether a round's own SQL says what rejected rows bring; before version 0.5 none did."""
    return (of_round.sql / FOLDER).is_dir()


def rejected_money(con: duckdb.DuckDBPyConnection, sql: Path) -> pl.DataFrame:
    """Return one row per error that a row has: what a waiver may state (check_name, college_id,
    column_name, found), the row (table_name, row_id), the first of the rows of which one counts
    (one_of), and what that row brings: students, least_twelfths, greatest_twelfths (null without
    funding), is_below.
    """
    selects = read_selects(con, sql / FOLDER)
    made = tables_made(con) | {select.table for select in selects}
    if all(select.reads <= made for select in selects):
        run_selects(con, selects)
        knows_people = "one_of" in con.table("rejected_money").columns  # not at first in 0.5
        money = "SELECT *" + ("" if knows_people else ", row_id AS one_of") + " FROM rejected_money"
    else:
        money = (
            "SELECT table_name, row_id, row_id AS one_of, 0::BIGINT AS students,"
            " NULL::BIGINT AS least_twelfths, NULL::BIGINT AS greatest_twelfths,"
            " FALSE AS is_below FROM rejected_rows"
        )
    rows: pl.DataFrame = con.sql(
        "SELECT check_name, college_id, column_name, found, table_name, row_id, one_of, students,"
        " least_twelfths, greatest_twelfths, is_below"
        f" FROM findings INNER JOIN ({money}) AS money USING (table_name, row_id)"
        " WHERE severity = 'error'"
    ).pl()
    return rows


def money_of(of_round: Round) -> pl.DataFrame:
    """Return ``rejected_money`` of a stored round, from its own inputs and SQL: some seconds for
    the nation.
    """
    with tempfile.TemporaryDirectory() as spill:
        con = connect(Path(spill))
        try:
            open_registers(con, of_round)
            made = tables_made(con)
            for select in in_order(read_selects(con, of_round.sql / FOLDER)):
                for table in sorted(select.reads - made):
                    if of_round.has(table):
                        put_table(con, table, of_round.table(table))
                        made.add(table)
            return rejected_money(con, of_round.sql)
        finally:
            con.close()


def moved(waivers: Iterable[Accepted], findings: pl.DataFrame, money: pl.DataFrame) -> Moved:
    """Return what waivers move together: a row that two of them accept counts once, and of the rows
    of one person who was counted twice whichever one.

    ``findings`` and ``money`` are those of one round, or the part of both that somebody may see.
    """
    accepted = reduce(lambda one, other: one | other, map(fits, waivers), pl.lit(False))
    rows = money.filter(accepted).unique(["table_name", "row_id"])
    has_money = rows["least_twelfths"].null_count() == 0
    brought = rows.group_by("table_name", "one_of").agg(
        pl.col("students", "greatest_twelfths").max(), pl.col("least_twelfths").min()
    )
    return Moved(
        findings=findings.filter(accepted).height,
        rows=rows.height,
        students=int(brought["students"].sum()),
        least=_tenge(brought["least_twelfths"]) if has_money else None,
        most=_tenge(brought["greatest_twelfths"]) if has_money else None,
        below=rows.filter("is_below")["college_id"].n_unique(),
    )


def _tenge(twelfths: pl.Series) -> int:
    """Return whole tenge, half up, as of a line."""
    return (2 * int(twelfths.sum()) + 12) // 24


def in_receipt(waiver: Waiver, of: Moved) -> dict[str, Any]:
    """Return a waiver as a receipt holds it."""
    return waiver.model_dump() | of.held()


def derived_again(
    waivers: Iterable[dict[str, Any]], findings: pl.DataFrame, money: pl.DataFrame | None
) -> list[dict[str, Any]]:
    """Return the waivers of a receipt with everything that they move derived again.

    ``money`` is None for a round whose SQL does not tell: its receipt says how many findings alone.
    """
    again = []
    for held in waivers:
        waiver = accepted_by(held)
        if money is None:
            again.append(held | {"findings": findings.filter(fits(waiver)).height})
        else:
            again.append(held | moved([waiver], findings, money).held())
    return again
