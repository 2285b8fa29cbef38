"""A sample of funding lines for an audit, the sheet to fill in, and what it says about the whole.

The sample is a monetary-unit sample: every tenge of the round has the same chance, so a line is
drawn in proportion to its amount. Points stand one interval (total / size) apart from a random
start; the lines in key order that hold a point are drawn, and a line as large as the interval is
drawn for certain. Beside it stand lines chosen for a reason; they are looked at, never projected.

Sources: AICPA Audit Guide "Audit Sampling", monetary unit sampling, fixed interval; for the limit
see ``funding.stringer``.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl

from funding.rule import Rule
from funding.waivers import accepted_by, fits
from kpi.dated import load_file
from kpi.errors import CallError, phrase
from kpi.pooling import own_counts
from kpi.rounds import Round

Row = dict[str, Any]

TARGETED = 10
LARGEST_SIZE = 10_000


@dataclass
class SampledLine:
    """One line of the round on the sheet, and why it is there.

    ``hits``: how many points fall on it (0 for a line that stands here for its unit's sake);
    ``certain``: as large as the interval. ``waived``: checks of the unit's findings that were
    accepted; ``declared``: graduates employed by declaration alone; ``just_above``: gates that the
    unit passes and would fail with one person fewer.
    """

    row: Row
    hits: int
    certain: bool
    waived: list[str]
    declared: int
    just_above: list[str]


@dataclass(frozen=True)
class AuditSample:
    """A sample, and everything that it can be drawn again from. Amounts in tenge per year."""

    of_round: Round
    seed: int
    size: int
    targeted: int
    total: int
    certain_total: int
    start: Fraction
    lines: list[SampledLine]

    @property
    def interval(self) -> Fraction:
        """Tenge from one point to the next."""
        return Fraction(self.total, self.size)


@dataclass(frozen=True)
class _Reasons:
    """By unit, why its lines are looked at."""

    waived: dict[str, list[str]]
    declared: dict[str, int]
    just_above: dict[str, list[str]]


def draw_sample(of_round: Round, size: int, seed: int, targeted: int = TARGETED) -> AuditSample:
    """Draw ``size`` points over the funding lines, and up to ``targeted`` units of each kind: with
    a waived finding, with most employment that is declared only, just above a gate.

    The same round, size, seed and targeted give the same sample (numpy, PCG64). Raises CallError
    for a size or seed out of range and for a round that pays nothing.
    """
    _check_call(of_round, size, seed, targeted)
    table = of_round.table("funding_lines").filter(pl.col("amount") > 0)
    lines = table.sort("college_id", "specialty", nulls_last=True).to_dicts()
    total = sum(line["amount"] for line in lines)
    if not total:
        raise CallError(
            "The round pays nothing, so there is nothing to sample.", where=_at(of_round)
        )
    rng = np.random.Generator(np.random.PCG64(seed))
    start = Fraction(int(rng.integers(total)), size)
    hits = _hits([line["amount"] for line in lines], size, start)
    reasons = _reasons(of_round, {line["college_id"] for line in lines}, targeted, rng)
    named = _named(of_round, lines)
    sampled = [
        SampledLine(
            row=named[place],
            hits=hits.get(place, 0),
            certain=line["amount"] * size >= total,
            waived=reasons.waived.get(line["college_id"], []),
            declared=reasons.declared.get(line["college_id"], 0),
            just_above=reasons.just_above.get(line["college_id"], []),
        )
        for place, line in enumerate(lines)
    ]
    return AuditSample(
        of_round=of_round,
        seed=seed,
        size=size,
        targeted=targeted,
        total=total,
        certain_total=sum(line.row["amount"] for line in sampled if line.certain),
        start=start,
        lines=[x for x in sampled if x.hits or x.waived or x.declared or x.just_above],
    )


def _check_call(of_round: Round, size: int, seed: int, targeted: int) -> None:
    for option, number, least, most in (
        ("--size", size, 1, LARGEST_SIZE),
        ("--seed", seed, 0, 2**63 - 1),
        ("--targeted", targeted, 0, LARGEST_SIZE),
    ):
        if not least <= number <= most:
            raise CallError(
                "A number of the sample is out of range.",
                where=option,
                found=f"{number:,}",
                expected=phrase("{least} to {most}", least=least, most=most),
            )
    if not of_round.has("funding_lines"):
        raise CallError(
            "The round has no funding, so there is nothing to sample.",
            where=_at(of_round),
            do="Run the round with a register of students.",
        )


def _at(of_round: Round) -> str:
    return f"{of_round.name} {of_round.version}"


def _hits(amounts: list[int], size: int, start: Fraction) -> dict[int, int]:
    """Return how many points fall on each line that holds one, by its place.

    The points are start, start + interval, ...; a line holds the tenge from the sum of the lines
    before it up to, and without, that sum plus its own amount. In whole numbers: no tenge is lost.
    """
    ends = list(accumulate(amounts))
    hits: dict[int, int] = {}
    for point in range(size):
        place = bisect_right(ends, int(start + Fraction(point * ends[-1], size)))
        hits[place] = hits.get(place, 0) + 1
    return hits


def _named(of_round: Round, lines: list[Row]) -> list[Row]:
    """Return the lines with the names of college, region and specialty."""
    reference = of_round.reference()
    names = ("name_kk", "name_ru", "name_en")
    colleges = _by_key(of_round.table("colleges"), "college_id")
    regions = _by_key(reference["regions"], "region")
    specialties = _by_key(reference["specialties"], "specialty")
    named = []
    for line in lines:
        college = colleges[line["college_id"]]
        region = regions.get(college["region"]) or dict.fromkeys(names, college["region"])
        specialty = specialties.get(line["specialty"])
        named.append(line | {"college": college, "region": region, "of_specialty": specialty})
    return named


def _by_key(table: pl.DataFrame, key: str) -> dict[str, Row]:
    return {row[key]: row for row in table.iter_rows(named=True)}


# ---- units looked at for a reason ----


def _reasons(of_round: Round, paid: set[str], targeted: int, rng: np.random.Generator) -> _Reasons:
    """Choose the units of each kind among those that are paid."""
    waived = {unit: checks for unit, checks in _waived(of_round).items() if unit in paid}
    declared = {unit: count for unit, count in _declared_only(of_round).items() if unit in paid}
    just_above = {unit: gates for unit, gates in _just_above(of_round).items() if unit in paid}
    chosen = _drawn(waived, targeted, rng)
    shuffled = _drawn(declared, len(declared), rng)  # decides between equal numbers
    largest = sorted(shuffled, key=lambda unit: -declared[unit])[:targeted]
    return _Reasons(
        waived={unit: waived[unit] for unit in chosen},
        declared={unit: declared[unit] for unit in largest},
        just_above={unit: just_above[unit] for unit in _drawn(just_above, targeted, rng)},
    )


def _drawn(units: Iterable[str], count: int, rng: np.random.Generator) -> list[str]:
    """Draw so many units, each with the same chance."""
    listed = sorted(units)
    return [listed[place] for place in rng.permutation(len(listed))[:count]]


def _waived(of_round: Round) -> dict[str, list[str]]:
    """Return, by unit, the checks of its findings that a waiver of the receipt accepts."""
    findings = of_round.findings().filter(pl.col("college_id").is_not_null())
    unit_of = dict(of_round.table("colleges").select("college_id", "unit_id").iter_rows())
    found: dict[str, set[str]] = {}
    for held in of_round.receipt["waivers"]:
        accepted = findings.filter(fits(accepted_by(held)))
        for college_id in accepted["college_id"].unique():
            found.setdefault(unit_of.get(college_id, college_id), set()).add(held["check"])
    return {unit: sorted(checks) for unit, checks in found.items()}


def _declared_only(of_round: Round) -> dict[str, int]:
    """Return, by unit, how many graduates are employed by their college's declaration alone."""
    values = own_counts(of_round)
    both = values.filter(pl.col("kpi") == "employment_declared_rate").join(
        values.filter(pl.col("kpi") == "employment_rate"), on="college_id", suffix="_verified"
    )
    more = both.select(
        "college_id", (pl.col("numerator") - pl.col("numerator_verified")).cast(pl.Int64)
    )
    return {unit: count for unit, count in more.iter_rows() if count > 0}


def _just_above(of_round: Round) -> dict[str, list[str]]:
    """Return, by unit, the gates that decide money there, that it passes by its counts, and that
    it would fail with one person fewer in the numerator.
    """
    methodology = of_round.methodology
    rule = load_file(of_round.rule_file(), Rule)
    asked = set(rule.gates.value)
    if rule.mode == "leagues":
        asked = {gate for league in methodology.leagues for gate in league.gates}
    of_people = {kpi.code for kpi in methodology.kpis if kpi.kind.endswith("_share")}
    judged = {gate.kpi for gate in methodology.gates if gate.on_small_cohort == "judge"}
    found: dict[str, list[str]] = {}
    for row in of_round.table("gates").iter_rows(named=True):
        by_counts = row["decided_by"] == "counts" or (
            row["decided_by"] == "small_cohort" and row["gate"] in judged
        )
        if not (row["passed"] and by_counts and row["gate"] in asked & of_people):
            continue
        if row["numerator"] - 1 < row["threshold"] * row["denominator"]:
            found.setdefault(row["college_id"], []).append(row["gate"])
    return {unit: sorted(gates) for unit, gates in found.items()}
