"""Signs of gaming: counts of a college that chance alone would hardly give, where it gains by them.

A sign sets each college beside all others, and those that it compares with the round before beside
the college's own past. What chance does is learnt from all colleges (``kpi/judging.py``); those
that a sign has found are left out of its fit, which is then made again: else those who game would
teach what is usual.

Of each sign the false discovery rate is held at LEVEL (Benjamini and Hochberg): of the warnings of
a sign, so large a share at most is expected to be false alarms. A warning is a question, no
verdict. ``sql/7_signs/`` counts, ``sql/checks/sign_*.sql`` say what was found, ``docs/signs.md``
what to do with it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import numpy as np
import polars as pl

from kpi.chance import Bools, Floats, Ints, q_values
from kpi.compared import LEFT_CONTINGENT, PREVIOUS_COUNTS, PREVIOUS_SCHEMA, SIGN_COUNTS, Compared
from kpi.judging import (
    LEAST_UNITS,
    LEVEL,
    Judged,
    around_gate,
    judge_largest,
    judge_rises,
    judge_shares,
)
from kpi.methodology import first_year, round_name
from kpi.pipeline import Select, get_table, put_table, tables_made

SHARES = ("unverified_employment", "last_days", "late_agreements")
"""Signs that a share is high: SELECTs of sql/7_signs/."""

ONE_EMPLOYER, AROUND_GATE = "one_employer", "around_gate"
RISES = {
    "employment_jump": "employment_rate",
    "dual_jump": "dual_share",
    "excluded_rising": "excluded_share",
    "dropout_rising": "dropout_rate",
    LEFT_CONTINGENT: LEFT_CONTINGENT,
}
"""Signs that a share has risen since the round before, and the count that has."""

BESIDE_EMPLOYMENT = ("excluded_rising", "dropout_rising")
"""Signs that are tested where the employment rate has risen too."""

SIGNS = (*SHARES, ONE_EMPLOYER, *RISES, AROUND_GATE)
COUNTED = (*SHARES, LEFT_CONTINGENT)
"""The SELECTs of sql/7_signs/ that count one row a unit."""

_PROBABILITY = pl.Decimal(11, 10)
TEST_SCHEMA: dict[str, Any] = {
    "sign": pl.String,
    "gate": pl.String,
    "college_id": pl.String,
    "numerator": pl.Int64,
    "denominator": pl.Int64,
    "previous_numerator": pl.Int64,
    "previous_denominator": pl.Int64,
    "expected": pl.Decimal(18, 4),
    "p_value": _PROBABILITY,
    "q_value": _PROBABILITY,
    "is_flagged": pl.Boolean,
}
TOTAL_SCHEMA: dict[str, Any] = {
    "sign": pl.String,
    "level": pl.Decimal(3, 2),
    "units": pl.Int64,
    "tested": pl.Int64,
    "flagged": pl.Int64,
    "expected_false_alarms": pl.Decimal(18, 4),
    "reason": pl.String,
}
NO_PREVIOUS, FEW_UNITS = "no_previous", "few_units"
"""Why a sign was not tested."""


def put_signs(
    con: duckdb.DuckDBPyConnection, selects: Iterable[Select], compared: Compared | None
) -> None:
    """Make ``sign_counts``, ``sign_tests``, ``sign_totals`` and ``sign_findings``, which the checks
    read, from the clean tables, the KPI counts and the gates. ``compared`` is what the round before
    counted, ``selects`` are those of sql/7_signs/: nothing is made without them (rounds of before
    version 0.5).
    """
    texts = {select.table: select.text for select in selects}
    if not texts:
        return
    put_table(con, SIGN_COUNTS, _stacked(con, texts))
    counts = compared.counts if compared else pl.DataFrame(schema=PREVIOUS_SCHEMA)
    put_table(con, PREVIOUS_COUNTS, counts)
    tests = sign_tests(
        get_table(con, SIGN_COUNTS),
        _rows(con, texts[ONE_EMPLOYER]),
        _rows(con, texts["before_and_now"]),
        _rows(con, texts[AROUND_GATE]),
    )
    put_table(con, "sign_tests", tests)
    put_table(con, "sign_totals", sign_totals(tests))
    con.execute(f"CREATE OR REPLACE TABLE sign_findings AS {texts['sign_findings']}")


def _stacked(con: duckdb.DuckDBPyConnection, texts: dict[str, str]) -> pl.DataFrame:
    """Return the counts of COUNTED: sign, college_id, numerator, denominator."""
    parts = [
        _rows(con, texts[sign]).select(pl.lit(sign).alias("sign"), pl.all()) for sign in COUNTED
    ]
    return pl.concat(parts)


def _rows(con: duckdb.DuckDBPyConnection, text: str) -> pl.DataFrame:
    """Return what a SELECT gives, ordered by all its columns."""
    rows: pl.DataFrame = con.sql(f"SELECT * FROM ({text}) ORDER BY ALL").pl()
    return rows


def sign_tests(
    counts: pl.DataFrame, employers: pl.DataFrame, compared: pl.DataFrame, gates: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per sign and unit that it counts somebody of, and per gate: what was counted,
    what was expected, and how improbable that is.

    ``counts``: ``sign_counts``; the others: what the SELECTs ``one_employer``, ``before_and_now``
    and ``around_gate`` give. Columns: TEST_SCHEMA; ``expected`` is the mean of the null, in people;
    ``p_value`` the chance of as many or more, empty where the sign was not tested; ``q_value`` the
    least false discovery rate at which it is found. Ordered by its key.
    """
    parts = [_high_shares(sign, counts.filter(pl.col("sign") == sign)) for sign in SHARES]
    parts.append(_one_employer(employers))
    parts += [_rises(sign, counted, compared) for sign, counted in RISES.items()]
    parts.append(_around_gates(gates))
    return pl.concat(parts).sort("sign", "gate", "college_id")


def sign_totals(tests: pl.DataFrame) -> pl.DataFrame:
    """Return one row per sign: units counted, those tested and found, and how many of those found
    are expected to be false alarms, at most. Of the sign around gates, gates for units.
    """
    of = {sign: tests.filter(pl.col("sign") == sign) for sign in SIGNS}
    rows = []
    for sign, found in of.items():
        tested, flagged = found["p_value"].count(), int(found["is_flagged"].sum())
        why = NO_PREVIOUS if sign in RISES and found.is_empty() else FEW_UNITS
        alarms = round(LEVEL * flagged, 4)
        rows.append((sign, LEVEL, found.height, tested, flagged, alarms, None if tested else why))
    return pl.DataFrame(rows, schema=TOTAL_SCHEMA, orient="row").sort("sign")


def sign_notes(con: duckdb.DuckDBPyConnection, round_id: str) -> Iterator[str]:
    """Yield how many signs were tested, how many false alarms are expected among those found, and
    which were not tested, and why.
    """
    if "sign_totals" not in tables_made(con):
        return
    totals = get_table(con, "sign_totals")
    tested, flagged = totals.filter(pl.col("tested") > 0), int(totals["flagged"].sum())
    if tested.height:
        yield (
            f"Signs of gaming: {tested.height} tested, {flagged} found; at most"
            f" {totals['expected_false_alarms'].sum():.2f} of them are expected to be false alarms."
        )
    before = round_name(first_year(round_id) - 1)
    for why, sentence in (
        (FEW_UNITS, f"fewer than {LEAST_UNITS} colleges have the counts"),
        (NO_PREVIOUS, f"no published round {before} has counts made in the same way"),
    ):
        if signs := totals.filter(pl.col("reason") == why)["sign"].to_list():
            yield f"Signs of gaming not tested, because {sentence}: {', '.join(signs)}."


def _high_shares(sign: str, rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.filter(pl.col("denominator") > 0).sort("college_id")
    judged = judge_shares(_counts(rows, "numerator"), _counts(rows, "denominator"))
    return _tests(sign, rows, judged)


def _one_employer(rows: pl.DataFrame) -> pl.DataFrame:
    units = rows.group_by("college_id").agg(pl.col("numerator", "denominator").max())
    units = units.sort("college_id")
    places = units.with_row_index("place").select("college_id", "place")
    placed = rows.sort(pl.all()).join(places, on="college_id", maintain_order="left")
    judged = judge_largest(_counts(placed, "place"), _counts(placed, "numerator"), units.height)
    return _tests(ONE_EMPLOYER, units, judged)


def _rises(sign: str, counted: str, compared: pl.DataFrame) -> pl.DataFrame:
    rows = compared.filter(
        pl.col("counted") == counted,
        pl.col("denominator") > 0,
        pl.col("previous_denominator") > 0,
    ).sort("college_id")
    if rows["previous_numerator"].sum() == 0:  # no past to compare with, as in a first register
        rows = rows.clear()
    before, of = _counts(rows, "previous_numerator"), _counts(rows, "previous_denominator")
    k, n = _counts(rows, "numerator"), _counts(rows, "denominator")
    may = _employment_rose(rows, compared) if sign in BESIDE_EMPLOYMENT else None
    return _tests(sign, rows, judge_rises(before, of, k, n, may))


def _employment_rose(rows: pl.DataFrame, compared: pl.DataFrame) -> Bools:
    """Return whether each unit's employment rate is above that of the round before."""
    rose = compared.filter(
        pl.col("counted") == "employment_rate",
        pl.col("numerator") * pl.col("previous_denominator")
        > pl.col("previous_numerator") * pl.col("denominator"),
    )
    return rows["college_id"].is_in(rose["college_id"].to_list()).to_numpy()


def _around_gates(gates: pl.DataFrame) -> pl.DataFrame:
    """Test at each gate, of the whole country, whether more units pass with nobody or one to spare
    than fail by one or two. No unit is named: each may be there by chance.

    Given that a unit is at one of these four places, a beta-binomial fitted to all units says how
    likely it is at the two upper ones; their number is a sum of unlike chances. It needs the fit
    near the gate alone, and counts of people, not shares: of 10 graduates nobody has between 0.65
    and 0.7, and exactly 0.7 is the gate.
    """
    found = []
    for gate in sorted(gates["gate"].unique()):
        rows = gates.filter(pl.col("gate") == gate, pl.col("denominator") > 0).sort("college_id")
        if rows.height < LEAST_UNITS:
            continue
        above, within, expected, p = around_gate(
            *(_counts(rows, name) for name in ("numerator", "denominator", "least"))
        )
        found.append((gate, above, within, expected, p))
    tests = pl.DataFrame(
        found,
        schema=["gate", "numerator", "denominator", "expected", "p_value"],
        orient="row",
        schema_overrides={"gate": pl.String, "p_value": pl.Float64, "expected": pl.Float64},
    )
    chances: Floats = np.round(tests["p_value"].to_numpy(), 10)
    found_at: Floats = np.round(q_values(chances), 10)
    rows = tests.select(
        "gate", pl.lit(None, pl.String).alias("college_id"), "numerator", "denominator"
    )
    return _tests(AROUND_GATE, rows, Judged(tests["expected"].to_numpy(), chances, found_at))


def _counts(rows: pl.DataFrame, name: str) -> Ints:
    return rows[name].cast(pl.Int64).to_numpy()


def _tests(sign: str, rows: pl.DataFrame, judged: Judged) -> pl.DataFrame:
    """Return the rows of ``sign_tests`` of one sign, in the order of ``rows``."""
    with_all = rows.with_columns(
        pl.lit(None).alias(name)
        for name in ("previous_numerator", "previous_denominator")
        if name not in rows.columns
    )
    if "gate" not in rows.columns:
        with_all = with_all.with_columns(gate=pl.lit(""))
    return with_all.select(
        sign=pl.lit(sign),
        gate="gate",
        college_id="college_id",
        numerator="numerator",
        denominator="denominator",
        previous_numerator="previous_numerator",
        previous_denominator="previous_denominator",
        expected=pl.Series(judged.expected, nan_to_null=True, dtype=pl.Float64).round(4),
        p_value=pl.Series(judged.p, nan_to_null=True, dtype=pl.Float64),
        q_value=pl.Series(judged.q, nan_to_null=True, dtype=pl.Float64),
        is_flagged=pl.Series(judged.q <= LEVEL),
    ).cast(pl.Schema(TEST_SCHEMA))
