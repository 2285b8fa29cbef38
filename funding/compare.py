"""What changed between two rounds, college by college, in parts that sum exactly (DESIGN §6).

The amount is taken from one round to the other one step at a time, each computed by the same SQL as
the amount itself: first this round's students, then its shares, its norms, its coefficients, then
what the appropriation and the guarantee did. A part is the difference that its step makes.
"""

from dataclasses import dataclass

import duckdb
import polars as pl

from kpi.errors import CallError
from kpi.language import Speaker
from kpi.pipeline import put_table, read_selects
from kpi.rounds import Round

PARTS = ("students", "qualification", "norm", "coefficient", "appropriation", "guarantee")
_LINE = ["college_id", "specialty"]


@dataclass(frozen=True)
class Comparison:
    """Two rounds beside each other.

    ``colleges``: one row per unit that either round paid: amount_before, amount_after, change, and
    the six parts, tenge per year, largest change first. ``leagues``: units whose league is not the
    same, with league_before and league_after.
    """

    before: Round
    after: Round
    colleges: pl.DataFrame
    leagues: pl.DataFrame


def compare(before: Round, after: Round) -> Comparison:
    """Explain each college's change in amount. Raises CallError for a round without funding."""
    for one in (before, after):
        if not one.has("funding"):
            raise CallError("The round has no funding to compare.", where=str(one.path))
    return Comparison(before, after, _parts(before, after), _league_moves(before, after))


def _parts(before: Round, after: Round) -> pl.DataFrame:
    lines = _joined_lines(before, after)
    old, new = _shares(before, lines), _shares(after, lines)
    norms = [one.table("param_norm") for one in (before, after)]
    with duckdb.connect() as con:
        [select] = [
            s for s in read_selects(con, after.sql / "4_funding") if s.table == "entitled_lines"
        ]

        def entitled(
            months: str, shares: pl.DataFrame, norm: int, coefficient: str
        ) -> pl.DataFrame:
            rows = lines.select(
                *_LINE,
                pl.col(months).alias("student_months"),
                pl.lit(0).cast(pl.Decimal(18, 4)).alias("students"),
                pl.col(coefficient).alias("coefficient"),
            )
            put_table(con, "line_coefficients", rows)
            put_table(con, "unit_shares", shares)
            put_table(con, "param_norm", norms[norm])
            paid = con.sql(
                "SELECT college_id, CAST(sum(base_amount + entitled_incentive) AS BIGINT) AS amount"
                f" FROM ({select.text}) GROUP BY college_id"
            )
            sums: pl.DataFrame = paid.pl()
            return sums

        steps = [
            entitled("student_months", old, 0, "coefficient_before"),
            entitled("student_months_after", old, 0, "coefficient_before"),
            entitled("student_months_after", new, 0, "coefficient_before"),
            entitled("student_months_after", new, 1, "coefficient_before"),
            entitled("student_months_after", new, 1, "coefficient"),
        ]
    table = _paid(before, "before").join(
        _paid(after, "after"), on="college_id", how="full", coalesce=True
    )
    for number, step in enumerate(steps):
        table = table.join(step.rename({"amount": f"step_{number}"}), on="college_id", how="left")
    table = table.with_columns(pl.all().exclude("college_id").fill_null(0))
    differences = [
        (pl.col(f"step_{number + 1}") - pl.col(f"step_{number}")).alias(part)
        for number, part in enumerate(PARTS[:4])
    ]
    others = [
        (pl.col(f"{part}_after") - pl.col(f"{part}_before")).alias(part) for part in PARTS[4:]
    ]
    return table.select(
        "college_id",
        "amount_before",
        "amount_after",
        (pl.col("amount_after") - pl.col("amount_before")).alias("change"),
        *differences,
        *others,
    ).sort(pl.col("change").abs(), "college_id", descending=[True, False])


def _joined_lines(before: Round, after: Round) -> pl.DataFrame:
    """Return every line of either round: its student_months in both, and its coefficient in both;
    a line that only one round has takes that round's.
    """
    columns = [*_LINE, "student_months", "coefficient"]
    old, new = (one.table("line_coefficients").select(columns) for one in (before, after))
    return (
        old.join(new, on=_LINE, how="full", coalesce=True, suffix="_after")
        .select(
            *_LINE,
            pl.col("student_months", "student_months_after").fill_null(0),
            pl.coalesce("coefficient", "coefficient_after").alias("coefficient_before"),
            pl.coalesce("coefficient_after", "coefficient").alias("coefficient"),
        )
        .sort(_LINE)
    )


def _shares(of_round: Round, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the share of every unit that has a line; 0 where the round does not pay the unit."""
    units = lines.select("college_id").unique(maintain_order=True)
    shares = of_round.table("unit_shares")
    return units.join(shares, on="college_id", how="left", maintain_order="left").with_columns(
        pl.col("share").fill_null(0)
    )


def _paid(of_round: Round, when: str) -> pl.DataFrame:
    """Return each unit's amount, what the appropriation took, and what the guarantee added."""
    return of_round.table("funding").select(
        "college_id",
        pl.col("amount").alias(f"amount_{when}"),
        (pl.col("incentive_amount") - pl.col("entitled_incentive")).alias(f"appropriation_{when}"),
        pl.col("guarantee_amount").alias(f"guarantee_{when}"),
    )


def _league_moves(before: Round, after: Round) -> pl.DataFrame:
    old, new = (one.table("ranking").select("college_id", "league") for one in (before, after))
    return (
        old.rename({"league": "league_before"})
        .join(new.rename({"league": "league_after"}), on="college_id", how="full", coalesce=True)
        .filter(pl.col("league_before").ne_missing(pl.col("league_after")))
        .sort("league_after", "league_before", "college_id", nulls_last=True)
    )


def reasons(comparison: Comparison, college_id: str, words: Speaker) -> dict[str, str]:
    """Return, for each part that is not nought, why it changed, in words."""
    row = comparison.colleges.filter(pl.col("college_id") == college_id).row(0, named=True)
    told = {
        "students": _students_reason,
        "qualification": _qualification_reason,
        "norm": _norm_reason,
        "coefficient": _coefficient_reason,
        "appropriation": _appropriation_reason,
        "guarantee": _guarantee_reason,
    }
    return {part: told[part](comparison, college_id, words) for part in PARTS if row[part]}


def with_reasons(comparison: Comparison, words: Speaker) -> pl.DataFrame:
    """Return ``colleges`` with its league in both rounds and the reasons of each part, in words."""
    told = [
        "; ".join(reasons(comparison, college_id, words).values())
        for college_id in comparison.colleges["college_id"]
    ]
    with_leagues = comparison.colleges.with_columns(pl.Series("reasons", told, dtype=pl.String))
    for of_round, when in ((comparison.before, "before"), (comparison.after, "after")):
        leagues = of_round.table("ranking").select(
            "college_id", pl.col("league").alias(f"league_{when}")
        )
        with_leagues = with_leagues.join(
            leagues, on="college_id", how="left", maintain_order="left"
        )
    return with_leagues


def _mine(of_round: Round, table: str, college_id: str) -> pl.DataFrame:
    return of_round.table(table).filter(pl.col("college_id") == college_id)


def _students_reason(comparison: Comparison, college_id: str, words: Speaker) -> str:
    paid = [_mine(one, "funding", college_id) for one in (comparison.before, comparison.after)]
    old, new = (frame["students"][0] if frame.height else None for frame in paid)
    if new is None:
        assert old is not None
        places = _mine(comparison.after, "colleges", college_id)
        unit = places["unit_id"][0] if places.height else None
        if unit and unit != college_id:
            return words.say(
                "no longer a unit of its own: its students count for {unit}", unit=unit
            )
        return words.say("no longer paid: {old} eligible students before", old=words.number(old))
    if old is None:
        return words.say("not paid before; {new} eligible students now", new=words.number(new))
    told = words.say(
        "eligible students {old}, now {new}", old=words.number(old), new=words.number(new)
    )
    if joined := _joined_units(comparison, college_id):
        return words.say("{told}; {units} counts for it now", told=told, units=", ".join(joined))
    if old != new:
        return told
    moved = _specialties_moved(comparison, college_id, words)
    return words.say("{told}, in other specialties: {moved}", told=told, moved="; ".join(moved))


def _joined_units(comparison: Comparison, college_id: str) -> list[str]:
    """Return the units that the first round paid and whose rows count for this one now."""
    places = comparison.after.table("colleges").filter(
        (pl.col("unit_id") == college_id) & (pl.col("college_id") != college_id)
    )
    paid = comparison.before.table("funding")["college_id"]
    return sorted(places.filter(pl.col("college_id").is_in(paid.implode()))["college_id"])


def _specialties_moved(comparison: Comparison, college_id: str, words: Speaker) -> list[str]:
    old, new = (
        dict(_mine(one, "line_coefficients", college_id).select("specialty", "students").rows())
        for one in (comparison.before, comparison.after)
    )
    moved = [code for code in sorted({*old, *new}) if old.get(code) != new.get(code)]
    return [
        f"{code}: {words.number(old.get(code, 0))} → {words.number(new.get(code, 0))}"
        for code in moved[:3]
    ]


def _qualification_reason(comparison: Comparison, college_id: str, words: Speaker) -> str:
    rounds = (comparison.before, comparison.after)
    old, new = (
        frame["share"][0] if frame.height else 0
        for frame in (_mine(one, "unit_shares", college_id) for one in rounds)
    )
    told = words.say(
        "share of the incentive {old}, now {new}", old=words.number(old), new=words.number(new)
    )
    names = {kpi.code: words.name(kpi.name) for kpi in comparison.after.methodology.kpis}
    turned = [
        words.say("{gate} passed now", gate=names[gate])
        if now
        else words.say("{gate} failed now", gate=names[gate])
        for gate, was, now in _gates_turned(comparison, college_id)
        if was != now
    ]
    return ": ".join([told, "; ".join(turned)]) if turned else told


def _gates_turned(comparison: Comparison, college_id: str) -> list[tuple[str, bool, bool]]:
    old, new = (
        dict(_mine(one, "gates", college_id).select("gate", "passed").rows())
        for one in (comparison.before, comparison.after)
    )
    return [(gate, bool(old.get(gate)), bool(passed)) for gate, passed in sorted(new.items())]


def _norm_reason(comparison: Comparison, college_id: str, words: Speaker) -> str:
    old, new = (
        one.table("param_norm").row(0, named=True) for one in (comparison.before, comparison.after)
    )
    shares = _mine(comparison.after, "unit_shares", college_id)["share"]
    return words.say(
        "norm {old_base} and {old_full}, now {new_base} and {new_full}, with {share} of the"
        " incentive",
        old_base=words.number(old["base"]),
        old_full=words.number(old["full"]),
        new_base=words.number(new["base"]),
        new_full=words.number(new["full"]),
        share=words.number(shares[0] if len(shares) else 0),
    )


def _coefficient_reason(comparison: Comparison, college_id: str, words: Speaker) -> str:
    lines = _mine(comparison.before, "line_coefficients", college_id).join(
        _mine(comparison.after, "line_coefficients", college_id), on=_LINE, suffix="_after"
    )
    moved = lines.filter(pl.col("coefficient") != pl.col("coefficient_after")).sort("specialty")
    shown = [
        f"{row['specialty']}: {words.number(row['coefficient'])} →"
        f" {words.number(row['coefficient_after'])}"
        for row in moved.head(3).iter_rows(named=True)
    ]
    return words.say(
        "coefficients of {count} specialties: {shown}",
        count=words.number(moved.height),
        shown="; ".join(shown),
    )


def _appropriation_reason(comparison: Comparison, college_id: str, words: Speaker) -> str:
    points = [
        one.table("funding_passes")["point_value"].to_list()[-1:] or [1]
        for one in (comparison.before, comparison.after)
    ]
    return words.say(
        "the appropriation's point value {old}, now {new}",
        old=words.number(points[0][0]),
        new=words.number(points[1][0]),
    )


def _guarantee_reason(comparison: Comparison, college_id: str, words: Speaker) -> str:
    old, new = (
        sum(_mine(one, "guarantees", college_id)["guarantee_amount"].to_list())
        for one in (comparison.before, comparison.after)
    )
    return words.say(
        "guarantee of the previous amount {old}, now {new}",
        old=words.tenge(old),
        new=words.tenge(new),
    )
