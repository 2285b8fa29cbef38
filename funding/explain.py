"""One college, from its students to its tenge, step by step, from the stored rows of a round.

Nothing is computed here: each number is a stored one, put into the sentence of its step. Steps have
stable ids, so that a letter may quote them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from funding.rule import Rule
from kpi.dated import load_file
from kpi.errors import CallError
from kpi.formats import plain
from kpi.methodology import Methodology
from kpi.rounds import Round

Row = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One step: its stable id, its title, and its lines."""

    id: str
    title: str
    lines: list[str]

    def text(self) -> str:
        """Return the step as text, its id in brackets."""
        return "\n".join([f"[{self.id}] {self.title}", *(f"    {line}" for line in self.lines)])


@dataclass(frozen=True)
class _Facts:
    """The stored rows of one unit, and the files that the round was computed with."""

    of_round: Round
    unit: Row
    rule: Rule

    @property
    def methodology(self) -> Methodology:
        """The methodology that the round was computed with."""
        return self.of_round.methodology

    def rows(self, table: str) -> list[Row]:
        """The unit's rows of a table, in stored order."""
        mine = self.of_round.table(table).filter(pl.col("college_id") == self.unit["college_id"])
        return list(mine.iter_rows(named=True))


def explain_college(of_round: Round, college: str) -> list[Step]:
    """Return the steps of one college's result, from who is counted to the amount.

    ``college`` is an id (of a branch or merged college too) or a part of one college's name.
    Raises CallError when it names none, or several.
    """
    found = find_college(of_round, college)
    units = of_round.table("unit_profile").filter(pl.col("college_id") == found["unit_id"])
    if units.is_empty():
        raise CallError(
            "The college counts for a unit whose own row was rejected.",
            where=f"{of_round.name} {of_round.version}",
            found=f"{found['college_id']} counts for {found['unit_id']}",
            do="Correct that college's row and run the round again.",
        )
    facts = _Facts(
        of_round,
        units.row(0, named=True),
        load_file(of_round.rule_file(), Rule),
    )
    steps = [_who(facts, found), _kpis(facts), _score(facts), _rank(facts)]
    if facts.methodology.gates:
        steps.append(_gates(facts))
    return [*steps, *_money(facts)]


def find_college(of_round: Round, college: str) -> Row:
    """Return the row of ``colleges`` with this id, or the only one whose name has this part."""
    colleges = of_round.table("colleges")
    by_id = colleges.filter(pl.col("college_id") == college)
    if by_id.height == 1:
        return by_id.row(0, named=True)
    wanted = college.casefold()
    names = pl.concat_str(["name_kk", "name_ru", "name_en"], separator="|", ignore_nulls=True)
    # casefold in Python: polars lowercases only, which Kazakh and Russian names survive as well
    by_name = colleges.filter(names.str.to_lowercase().str.contains(wanted, literal=True))
    if by_name.height == 1:
        return by_name.row(0, named=True)
    some = by_name.head(8).iter_rows(named=True)
    raise CallError(
        "No college has this id or name." if by_name.is_empty() else "Several colleges fit.",
        where=f"{of_round.name} {of_round.version}",
        found=college,
        expected="\n    ".join(
            ["one of", *(f"{row['college_id']}  {row['name_ru']}" for row in some)]
        )
        if by_name.height
        else "a college_id of the round, or a part of one college's name",
        do="`kpi rank --top 0` lists the colleges.",
    )


def _who(facts: _Facts, found: Row) -> Step:
    unit = facts.unit
    lines = [
        f"{unit['college_id']}  {unit['name_ru']}",
        f"{unit['region']}, {unit['kind']}, {unit['ownership']}, {unit['locality']},"
        f" status {unit['status']}, cluster {unit['cluster'] or 'none'}",
        f"students counted on {facts.of_round.receipt['dates']['count_on']}: {unit['students']:,}",
    ]
    if found["college_id"] != unit["college_id"]:
        lines.insert(0, f"{found['college_id']} counts for the unit {unit['college_id']}.")
    members = facts.of_round.table("colleges").filter(
        (pl.col("unit_id") == unit["college_id"]) & (pl.col("college_id") != unit["college_id"])
    )
    lines += [
        f"with the rows of {row['college_id']} ({row['name_ru']}), status {row['status']}"
        for row in members.iter_rows(named=True)
    ]
    for table, rejected in (
        ("student", unit["rejected_students"]),
        ("graduate", unit["rejected_graduates"]),
    ):
        if rejected:
            lines.append(f"{rejected:,} {table} rows were rejected; see the findings")
    receipt = facts.of_round.receipt
    methodology, rule = receipt["methodology"], receipt["rule"]
    lines.append(
        f"round {facts.of_round.name} {facts.of_round.version}, methodology {methodology['name']}"
        f" of {methodology['start']} (illustrative), rule {rule['name']} of {rule['start']}"
    )
    return Step("college", "The college and what is counted for it", lines)


def _kpis(facts: _Facts) -> Step:
    rows = {row["kpi"]: row for row in facts.rows("kpi_values")}
    lines = []
    for kpi in facts.methodology.kpis:
        row = rows[kpi.code]
        counted = f"{plain(row['numerator'])} / {plain(row['denominator'])}"
        interval = (
            f", interval {100 * row['low']:.1f} to {100 * row['high']:.1f} %"
            if row["low"] is not None
            else ""
        )
        status = "" if row["status"] == "ok" else f"  [{row['status']}]"
        lines.append(f"{kpi.code}: {counted} = {_value(row)}{interval}{status}")
    return Step("kpis", "KPIs: numerator / denominator = value (95 % Wilson interval)", lines)


def _score(facts: _Facts) -> Step:
    [ranking] = facts.rows("ranking")
    if ranking["score"] is None:
        return Step("score", "Score", [f"none, because not ranked: {_not_ranked(facts, ranking)}"])
    scores = {row["code"]: row for row in facts.rows("kpi_scores")}
    lines = []
    for kpi in facts.methodology.kpis:
        if kpi.score is None:
            continue
        row = scores[kpi.code]
        if row["normalised"] is None:
            lines.append(f"{kpi.code}: missing, its weight goes to its neighbours")
            continue
        scale = (
            f" on {plain(kpi.score.floor)} to {plain(kpi.score.target)}"
            if kpi.score.floor is not None and kpi.score.target is not None
            else ""
        )
        clamp = (
            " (at the floor)" if row["at_floor"] else " (at the target)" if row["at_target"] else ""
        )
        lines.append(
            f"{kpi.code}{scale} = {row['normalised']:.4f}{clamp} x {row['weight']:.4f}"
            f" = {row['contribution']:.4f}"
        )
    lines.append(f"sum {scores['index']['normalised']:.6f}, rounded half up: {ranking['score']}")
    return Step("score", "Score: normalised value x weight = contribution", lines)


def _not_ranked(facts: _Facts, ranking: Row) -> str:
    """Say why a unit is not ranked."""
    reason = str(ranking["not_ranked_reason"])
    if reason == "few_students":
        least = facts.methodology.min_students.value
        return f"{facts.unit['students']:,} students counted, fewer than {least}"
    for row in facts.rows("kpi_values"):
        if row["kpi"] == reason:
            return f"{reason} is needed and is missing ({row['status']})"
    return f"its status is {reason}"


def _rank(facts: _Facts) -> Step:
    [row] = facts.rows("ranking")
    if row["rank"] is None:
        return Step("rank", "Rank and league", [f"not ranked: {_not_ranked(facts, row)}"])
    lines = [f"rank {row['rank']} of {row['ranked_of']}"]
    if row["tie_size"] > 1:
        lines[0] += f", shared by {row['tie_size']}"
    if row["tie_broken_by"]:
        lines.append(f"equal scores told apart by {row['tie_broken_by']}")
    lines += [
        f"rank {row[f'{part}_rank']} of {row[f'{part}_ranked_of']} in its {part}"
        for part in ("region", "cluster", "kind")
        if row[f"{part}_rank"] is not None
    ]
    if row["league"] is not None:
        lines.append(
            f"league {row['league']}" + (f", leader: {row['leader']}" if row["leader"] else "")
        )
    if row["level"] is not None:
        lines.append(f"level {row['level']}: {100 * row['share_of_best']:.1f} % of the best score")
    return Step("rank", "Rank and league", lines)


def _gates(facts: _Facts) -> Step:
    judged = {row["gate"]: row for row in facts.rows("gates")}
    lines = []
    for gate in facts.methodology.gates:
        row = judged[gate.kpi]
        result = "passed" if row["passed"] else "not passed"
        short = f", short by {row['short_by']:,}" if row["short_by"] else ""
        lines.append(
            f"{row['gate']}: {plain(row['numerator'])} / {plain(row['denominator'])}"
            f" against {plain(row['threshold'])} ({gate.status}): {result}{short};"
            f" decided by {row['decided_by']}"
        )
        if row["rejected"]:
            words = {True: "passed", False: "not passed"}
            lines.append(
                f"    with {row['rejected']:,} rejected rows counted for it:"
                f" {words[row['passed_rejected_for']]}; against it:"
                f" {words[row['passed_rejected_against']]}"
            )
    return Step("gates", "Gates: numerator >= threshold x denominator, compared exactly", lines)


def _money(facts: _Facts) -> Iterator[Step]:
    """Yield the steps of the funding rule (DESIGN §6), numbered as there."""
    if not facts.of_round.has("funding"):
        yield Step("amount", "Amount", ["no register of students: nothing can be funded"])
        return
    funding = facts.rows("funding")
    if not funding:
        yield Step("amount", "Amount", [f"not paid: status {facts.unit['status']}"])
        return
    rule, lines, total = facts.rule, facts.rows("funding_lines"), funding[0]
    sources = ", ".join(rule.funding_sources.value)
    leave = "paid" if rule.pays_academic_leave.value else "not paid"
    yield Step(
        "students",
        f"Students that the state pays for ({sources}; academic leave {leave})",
        [f"{row['specialty']}: {row['students']:,}" for row in lines]
        + [f"together {total['students']:,}"],
    )
    yield Step("share", "Share of the incentive part", [_share_reason(facts, total)])
    yield Step("norm", "Norm per student and year, tenge", list(_norms(rule, lines)))
    yield Step(
        "amount",
        "Amount per year: students x (base + incentive), tenge",
        [
            f"{row['specialty']}: {row['students']:,} x ({row['base_norm']:,} +"
            f" {row['incentive_norm']:,}) = {row['amount']:,}"
            for row in lines
        ]
        + [
            f"base {total['base_amount']:,} + incentive {total['incentive_amount']:,}"
            f" = {total['amount']:,} ₸"
        ],
    )


def _share_reason(facts: _Facts, total: Row) -> str:
    share = plain(total["share"])
    if facts.rule.mode == "leagues":
        [ranking] = facts.rows("ranking")
        league = ranking["league"]
        return f"{share}: league {league}" if league else f"{share}: not ranked, so in no league"
    asked = set(facts.rule.gates.value)
    if not asked:
        return f"{share}: the rule has no higher norm"
    failed = [
        row["gate"] for row in facts.rows("gates") if row["gate"] in asked and not row["passed"]
    ]
    return f"{share}: " + (f"not passed: {', '.join(failed)}" if failed else "every gate is passed")


def _norms(rule: Rule, lines: list[Row]) -> Iterator[str]:
    base, full = rule.base, rule.full
    yield f"base {base.value:,} ({base.status}; {base.reference})"
    yield f"full {full.value:,} ({full.status}; {full.reference})"
    by_coefficient = {row["coefficient"]: row for row in lines}
    for coefficient, row in sorted(by_coefficient.items()):
        yield (
            f"coefficient {plain(coefficient)}: base round({base.value:,} x {plain(coefficient)})"
            f" = {row['base_norm']:,}; incentive round((round({full.value:,} x"
            f" {plain(coefficient)}) - {row['base_norm']:,}) x {plain(row['share'])})"
            f" = {row['incentive_norm']:,}"
        )


def _value(row: Row) -> str:
    if row["value"] is None:
        return "no data"
    if row["kind"] in ("median", "ratio", "points"):
        return f"{row['value']:,.2f}".rstrip("0").rstrip(".")
    return (
        "yes"
        if row["kind"] == "flag" and row["value"]
        else ("no" if row["kind"] == "flag" else f"{100 * row['value']:.1f} %")
    )
