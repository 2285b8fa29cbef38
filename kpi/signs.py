"""Signs of gaming: counts of a college that chance alone would hardly give, where it gains by them.

A sign sets each college beside all others, and those that it compares with the round before beside
the college's own past. What chance does is learnt from all colleges: their shares differ, so the
null is a beta-binomial, fitted by maximum likelihood (``kpi.uncertainty.fit_beta``), and of a
change the beta-binomial whose mean is what the college had, moved as the nation moved, and whose
spread is how far colleges move from year to year. Colleges that a sign has found are left out of
its fit, which is then made again: else those who game would teach what is usual.

Of each sign the false discovery rate is held at LEVEL (Benjamini and Hochberg): of the warnings of
a sign, so large a share at most is expected to be false alarms. A warning is a question, no
verdict. ``sql/7_signs/`` counts, ``sql/checks/sign_*.sql`` say what was found, ``docs/signs.md``
what to do with it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl

from kpi.chance import (
    Bools,
    Floats,
    Ints,
    at_least,
    at_least_if_logit_normal,
    at_least_of_unlike,
    chances_of_counts,
    largest_at_least,
    likeliest,
    log_chance,
    moved,
    q_values,
    shift_of,
)
from kpi.compared import LEFT_CONTINGENT, PREVIOUS_COUNTS, PREVIOUS_SCHEMA, SIGN_COUNTS, Compared
from kpi.methodology import first_year, round_name
from kpi.pipeline import Select, get_table, put_table, tables_made
from kpi.uncertainty import fit_beta

LEVEL = 0.05
"""The share of false alarms among the warnings of a sign, at most, as expected."""

LEAST_UNITS = 30
"""Fewer colleges do not tell how much colleges differ: the sign is not tested."""

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

_MOST_FITS = 10
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


# ------------------------------------------------------------------------------------ the tests


@dataclass(frozen=True)
class _Null:
    """What chance does to each unit: the mean of its count, the chance of as many as counted or
    more, and of the greatest count that there could be; and by a unit's place the chance of as many
    under another null, which is as likely, where there is one.
    """

    expected: Floats
    tail: Floats
    end: Floats
    otherwise: Callable[[int], float] | None = None


def _null(k: Ints, n: Ints, a: Floats, b: Floats) -> _Null:
    """Return the null of counts k of n whose shares are beta-distributed with a and b; otherwise
    logit-normal.
    """

    def otherwise(place: int) -> float:
        one = (float(a[place]), float(b[place]))
        return at_least_if_logit_normal(int(k[place]), int(n[place]), *one)

    return _Null(n * a / (a + b), *at_least(k, n, a, b), otherwise)


@dataclass(frozen=True)
class Judged:
    """What was expected of each unit, in people, its p-value and its q-value; NaN where it was not
    tested.
    """

    expected: Floats
    p: Floats
    q: Floats


def _judged(fit: Callable[[Bools], _Null], units: int, may: Bools | None = None) -> Judged:
    """Judge units against a null that is learnt from those that it does not find.

    It begins without the fifth that is least usual, so that those who game cannot hide each other,
    and takes back whom it does not find, until that changes nothing.

    ``fit`` learns the null from the units of a mask. Tested is who ``may`` be, and whose greatest
    possible count would be a discovery at all (Tarone, Biometrics 46, 1990): this depends on the
    size of the cohort alone, and small ones take no power from others. Who is found must be as
    improbable ``otherwise`` too: nobody knows the form in which colleges differ.
    """
    nothing = np.full(units, np.nan)
    if units < LEAST_UNITS:
        return Judged(nothing, nothing, nothing)
    keep = np.ones(units, dtype=bool)
    fits = {keep.tobytes(): fit(keep)}
    keep[np.argsort(fits[keep.tobytes()].tail, kind="stable")[: units // 5]] = False
    for _ in range(_MOST_FITS):
        learnt_from = keep.tobytes()
        if learnt_from not in fits:
            fits[learnt_from] = fit(keep)
        null = fits[learnt_from]
        p, q = nothing.copy(), nothing.copy()
        tested = null.end <= LEVEL
        if may is not None:
            tested &= may
        p[tested] = np.round(null.tail[tested], 10)
        q[tested] = np.round(q_values(p[tested]), 10)
        found = q <= LEVEL
        if (keep == ~found).all():
            break
        keep = ~found
    if null.otherwise:
        for place in np.flatnonzero(found):
            p[place] = max(p[place], round(null.otherwise(int(place)), 10))
        q[tested] = np.round(q_values(p[tested]), 10)
    return Judged(null.expected, p, q)


def judge_shares(k: Ints, n: Ints) -> Judged:
    """Judge each unit's count k of n > 0 against the beta-binomial of all; shape (units,)."""
    ones = np.ones(len(n))

    def fit(keep: Bools) -> _Null:
        a, b = fit_beta(k[keep], n[keep])
        return _null(k, n, a * ones, b * ones)

    return _judged(fit, len(n))


def judge_largest(unit: Ints, size: Ints, units: int) -> Judged:
    """Judge the largest group of each unit's people against how people are grouped elsewhere.

    ``unit`` (0 .. units - 1, each at least once) and ``size``: of each group, shape (groups,). The
    null is learnt from who else is where somebody picked at random is: of n people of a unit, a
    group of j counts for j / n of one. ``expected`` is the mean number of people there.
    """
    n = np.bincount(unit, size, minlength=units).astype(np.int64)
    k = np.zeros(units, dtype=np.int64)
    np.maximum.at(k, unit, size)
    of = n[unit]

    def fit(keep: Bools) -> _Null:
        used = keep[unit]
        a, b = fit_beta(size[used] - 1, of[used] - 1, size[used] / of[used])
        return _Null(np.asarray(1 + (n - 1) * a / (a + b)), *largest_at_least(k, n, a, b))

    return _judged(fit, units)


def judge_rises(before: Ints, of: Ints, k: Ints, n: Ints, may: Bools | None = None) -> Judged:
    """Judge whether each unit's share has risen more than chance, and what units do from year to
    year: from ``before`` of ``of`` > 0 to k of n > 0; shape (units,). Of those whom ``may`` marks.
    """

    def fit(keep: Bools) -> _Null:
        return _null(k, n, *null_of_change(before, of, k, n, keep))

    return _judged(fit, len(n), may)


def null_of_change(
    before: Ints, of: Ints, now: Ints, out_of: Ints, keep: Bools
) -> tuple[Floats, Floats]:
    """Return a and b of the share that each unit is expected to have now; shape (units,).

    Its mean is the share before, drawn towards all as far as the cohort was small (the posterior of
    the beta-binomial fitted to the year before), its log-odds moved so that the nation's total
    comes out. Its variance, as a part of mean x (1 - mean), is that of the posterior and one more,
    the same for all, under which the counts of now are likeliest. ``keep``: whom it is learnt from.
    """
    a, b = fit_beta(before[keep], of[keep])
    size = a + b + of
    mean = (a + before) / size
    shift = shift_of(mean[keep], out_of[keep], int(now[keep].sum()))
    mean = np.clip(moved(mean, shift), 1e-9, 1 - 1e-9)

    def weight(drift: float) -> Floats:
        return np.asarray(np.maximum(1 / (1 / (size + 1) + drift) - 1, 1e-3))

    def likelihood(log_drift: float) -> float:
        s = weight(float(np.exp(log_drift)))[keep]
        return float(
            log_chance(now[keep], out_of[keep], mean[keep] * s, (1 - mean[keep]) * s).sum()
        )

    s = weight(float(np.exp(likeliest(likelihood, np.log(1e-6), np.log(0.5)))))
    return mean * s, (1 - mean) * s


# ------------------------------------------------------------------------------------ the signs


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


def around_gate(k: Ints, n: Ints, least: Ints) -> tuple[int, int, float, float]:
    """Return how many units have 0 or 1 person more than ``least``, how many have -2 to 1, how many
    of these are expected to have 0 or 1, and the chance of as many or more. Shape (units,).
    """
    a, b = fit_beta(k, n)
    distance = k - least
    is_within = (distance >= -2) & (distance <= 1)
    if not is_within.any():
        return 0, 0, 0.0, 1.0
    of, at = n[is_within], least[is_within]
    ones = np.ones(len(of))
    chances = chances_of_counts(of, a * ones, b * ones)
    begins = np.cumsum(of + 1) - of - 1
    around = []
    for by in (-2, -1, 0, 1):
        can_be = (at + by >= 0) & (at + by <= of)
        around.append(np.where(can_be, chances[begins + np.clip(at + by, 0, of)], 0.0))
    together = sum(around)  # 0 where the fit leaves no spread: then nothing is known of that unit
    shares = np.divide(
        around[2] + around[3], together, out=np.full(len(of), 0.5), where=together > 0
    )
    above = int((distance[is_within] >= 0).sum())
    p = at_least_of_unlike(above, shares)
    return above, int(is_within.sum()), float(shares.sum()), p


# ------------------------------------------------------------------------------------- the rows


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
