"""One college, from its students to its tenge, step by step, from the stored rows of a round.

Nothing is computed here: each number is a stored one, put into the sentence of its step. Steps are
numbered and have stable ids, so that a letter may quote them; each names the parameters that it
used, with reference, version and status.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

import polars as pl

from funding.rule import Rule
from kpi.certainty import chance_told, is_close_league, ranks_told
from kpi.colleges import find_college, place_names
from kpi.dated import DatedFile, Stated, StatedValue, load_file
from kpi.errors import CallError
from kpi.language import Speaker, mark, speaker
from kpi.methodology import Kpi, Methodology
from kpi.pooling import pooled_kpis
from kpi.rounds import Round
from kpi.terms import term
from kpi.uncertainty import LEVEL

Row = dict[str, Any]
_RANK_IN = {
    "region": mark("rank {rank} of {of} in its region"),
    "cluster": mark("rank {rank} of {of} in its cluster"),
    "kind": mark("rank {rank} of {of} among colleges of its kind"),
}


STEP_TABLES = {
    "college": "unit_profile",
    "kpis": "kpi_values",
    "score": "kpi_scores",
    "rank": "ranking",
    "gates": "gates",
    "students": "group_reasons",
    "coefficient": "line_coefficients",
    "share": "unit_shares",
    "norm": "funding_lines",
    "lines": "funding_lines",
    "appropriation": "funding_passes",
    "guarantee": "guarantees",
    "amount": "funding",
    "months": "funding_months",
}
"""The table that the rows of each step come from."""


@dataclass(frozen=True)
class Parameter:
    """One value of a dated file that a step used: its path, and where it comes from."""

    path: str
    value: str
    reference: str
    version: str
    status: str


@dataclass(frozen=True)
class Step:
    """One step: its number, stable id, title, sentences, parameters, and the stored rows behind."""

    number: int
    id: str
    title: str
    lines: list[str]
    parameters: list[Parameter] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def text(self, words: Speaker) -> str:
        """Return the step as text, its id in brackets."""
        told = [f"{self.number}. {self.title} [{self.id}]"]
        told += [f"    {line}" for line in self.lines]
        told += [
            f"    · {one.path} = {one.value}"
            f" ({term(words, one.status)}; {one.version}; {one.reference})"
            for one in self.parameters
        ]
        return "\n".join(told)


@dataclass(frozen=True)
class _Facts:
    """The stored rows of one unit, the files that the round was computed with, the language."""

    of_round: Round
    unit: Row
    rule: Rule
    words: Speaker

    @property
    def methodology(self) -> Methodology:
        """The methodology that the round was computed with."""
        return self.of_round.methodology

    def rows(self, table: str) -> list[Row]:
        """The unit's rows of a table, in stored order."""
        mine = self.of_round.table(table).filter(pl.col("college_id") == self.unit["college_id"])
        return list(mine.iter_rows(named=True))

    def parameter(self, path: str, value: object, stated: Stated, of: DatedFile) -> Parameter:
        """Name a value of a dated file."""
        return Parameter(
            path, self.value(value), stated.reference, f"{of.name} {of.start}", stated.status
        )

    def of_rule(self, path: str, stated: StatedValue[Any]) -> Parameter:
        """Name a value of the rule."""
        return self.parameter(path, stated.value, stated, self.rule)

    def value(self, value: object) -> str:
        """Return a value as the language writes it."""
        if isinstance(value, bool) or value is None:
            return self.words.say("yes") if value else self.words.say("no")
        if isinstance(value, int | Decimal):
            return self.words.number(value)
        if isinstance(value, list):
            parts = [term(self.words, str(part)) for part in value]
            return ", ".join(parts) or self.words.say("none")
        return term(self.words, str(value))

    def kpi_name(self, code: str) -> str:
        """Return a KPI's code and name."""
        names = {kpi.code: kpi.name for kpi in self.methodology.kpis}
        return f"{code} ({self.words.name(names[code])})"


def explain_college(of_round: Round, college: str, language: str = "en") -> list[Step]:
    """Return the steps of one college's result, from who is counted to the amount.

    ``college`` is an id (of a branch or merged college too) or a part of one college's name;
    ``language`` is kk, ru or en. Raises CallError when it names no college, or several.
    """
    words = speaker(language)
    found = find_college(of_round, college)
    units = of_round.table("unit_profile").filter(pl.col("college_id") == found["unit_id"])
    if units.is_empty():
        raise CallError(
            "The college counts for a unit whose own row was rejected.",
            where=f"{of_round.name} {of_round.version}",
            found=f"{found['college_id']} counts for {found['unit_id']}",
            do="Correct that college's row and run the round again.",
        )
    rule = load_file(of_round.rule_file(), Rule)
    facts = _Facts(of_round, units.row(0, named=True), rule, words)
    drafts = [_who(facts, found), _kpis(facts), _score(facts), _rank(facts)]
    if facts.methodology.gates:
        drafts.append(_gates(facts))
    drafts += _money(facts)
    return [replace(step, number=number) for number, step in enumerate(drafts, start=1)]


def explanation(of_round: Round, college: str, language: str = "en") -> Row:
    """Return the same explanation as an object that JSON can hold; numbers as exact text."""
    steps = explain_college(of_round, college, language)
    return {
        "round": of_round.name,
        "version": of_round.version,
        "is_draft": of_round.is_draft,
        "receipt_sha256": of_round.receipt_hash,
        "college_id": find_college(of_round, college)["unit_id"],
        "language": language,
        "steps": [asdict(step) for step in steps],
    }


def _step(step_id: str, title: str, lines: list[str], **more: Any) -> Step:
    return Step(0, step_id, title, lines, **more)


def _who(facts: _Facts, found: Row) -> Step:
    unit, words = facts.unit, facts.words
    regions, clusters = (place_names(facts.of_round, of, words) for of in ("regions", "clusters"))
    cluster = clusters.get(unit["cluster"]) or unit["cluster"] or words.say("none")
    lines = [
        f"{unit['college_id']}  {words.of(unit)}",
        ", ".join(
            [
                regions.get(unit["region"]) or unit["region"],
                *(term(words, unit[name]) for name in ("kind", "ownership", "locality", "status")),
                words.say("cluster {cluster}", cluster=cluster),
            ]
        ),
        words.say(
            "students counted on {day}: {students}",
            day=words.day(facts.of_round.count_on),
            students=words.number(unit["students"]),
        ),
    ]
    if found["college_id"] != unit["college_id"]:
        lines.insert(
            0,
            words.say(
                "{college} counts for the unit {unit}.",
                college=found["college_id"],
                unit=unit["college_id"],
            ),
        )
    members = facts.of_round.table("colleges").filter(
        (pl.col("unit_id") == unit["college_id"]) & (pl.col("college_id") != unit["college_id"])
    )
    lines += [
        words.say(
            "with the rows of {college} ({name}), status {status}",
            college=row["college_id"],
            name=words.of(row),
            status=term(words, row["status"]),
        )
        for row in members.iter_rows(named=True)
    ]
    if rejected := unit["rejected_students"]:
        lines.append(
            words.say_count(
                "{count} student row was rejected; see the findings",
                "{count} student rows were rejected; see the findings",
                rejected,
            )
        )
    if rejected := unit["rejected_graduates"]:
        lines.append(
            words.say_count(
                "{count} graduate row was rejected; see the findings",
                "{count} graduate rows were rejected; see the findings",
                rejected,
            )
        )
    methodology, rule = facts.methodology, facts.rule
    lines.append(
        words.say(
            "round {round} {version}, methodology {methodology} of {methodology_start} ({status}),"
            " rule {rule} of {rule_start}",
            round=facts.of_round.name,
            version=facts.of_round.version,
            methodology=methodology.name,
            methodology_start=words.day(methodology.start),
            status=term(words, methodology.status),
            rule=rule.name,
            rule_start=words.day(rule.start),
        )
    )
    if facts.of_round.is_draft:
        lines.append(words.say("This is a draft: nothing of it is published."))
    return _step("college", words.say("The college and what is counted for it"), lines, rows=[unit])


def _kpis(facts: _Facts) -> Step:
    words = facts.words
    rows = {row["kpi"]: row for row in facts.rows("kpi_values")}
    lines = []
    for kpi in facts.methodology.kpis:
        row = rows[kpi.code]
        line = (
            f"{facts.kpi_name(kpi.code)}: {words.number(row['numerator'])} /"
            f" {words.number(row['denominator'])} = {_value(facts, row)}"
        )
        if row["low"] is not None:
            line += ", " + words.say(
                "interval {low} to {high}",
                low=words.percent(row["low"]),
                high=words.percent(row["high"]),
            )
        if kpi.pool_years:
            line += ", " + _pooled(facts, row)
        lines.append(line if row["status"] == "ok" else f"{line}  [{term(words, row['status'])}]")
    title = words.say("KPIs: numerator / denominator = value (95 % Wilson interval)")
    parameters = [
        facts.parameter(f"kpis.{kpi.code}.pool_years", kpi.pool_years, kpi, facts.methodology)
        for kpi in facts.methodology.kpis
        if kpi.pool_years
    ]
    return _step("kpis", title, lines, parameters=parameters, rows=list(rows.values()))


def _pooled(facts: _Facts, row: Row) -> str:
    """Say over how many cohorts a stored figure is pooled, and of which rounds they are."""
    years = row["pooled_years"]
    before = [named["round"] for named in facts.of_round.receipt["pooled"]]
    return facts.words.say_count(
        "pooled over {count} cohort ({rounds})",
        "pooled over {count} cohorts ({rounds})",
        years,
        rounds=", ".join([facts.of_round.name, *before][:years]),
    )


def _value(facts: _Facts, row: Row) -> str:
    words = facts.words
    if row["value"] is None:
        return words.say("no value")
    if row["kind"] in ("median", "ratio", "points"):
        return words.number(Decimal(str(round(row["value"], 2))))
    if row["kind"] == "flag":
        return words.say("yes") if row["value"] else words.say("no")
    return words.percent(row["value"])


def _score(facts: _Facts) -> Step:
    words = facts.words
    [ranking] = facts.rows("ranking")
    title = words.say("Score: normalised value × weight = contribution")
    if ranking["score"] is None:
        reason = _not_ranked(facts, ranking)
        return _step("score", title, [words.say("none, because not ranked: {why}", why=reason)])
    stored = facts.rows("kpi_scores")
    scores = {row["code"]: row for row in stored}
    scored = [kpi for kpi in facts.methodology.kpis if kpi.score]
    lines = [_contribution(facts, kpi, scores[kpi.code]) for kpi in scored]
    lines.append(
        words.say(
            "sum {sum}, rounded half up: {score}",
            sum=words.number(scores["index"]["normalised"], 6),
            score=words.number(ranking["score"], 2),
        )
    )
    return _step(
        "score",
        title,
        lines,
        parameters=[one for kpi in scored for one in _scale(facts, kpi)],
        rows=stored,
    )


def _contribution(facts: _Facts, kpi: Kpi, row: Row) -> str:
    words = facts.words
    if row["normalised"] is None:
        return words.say(
            "{kpi}: missing, its weight goes to its neighbours", kpi=facts.kpi_name(kpi.code)
        )
    clamped = ""
    if row["at_floor"]:
        clamped = " " + words.say("(at the floor)")
    elif row["at_target"]:
        clamped = " " + words.say("(at the target)")
    return (
        f"{facts.kpi_name(kpi.code)}: {words.number(row['normalised'], 4)}{clamped} ×"
        f" {words.number(row['weight'], 4)} = {words.number(row['contribution'], 4)}"
    )


def _scale(facts: _Facts, kpi: Kpi) -> Iterator[Parameter]:
    assert kpi.score is not None
    for name in ("floor", "target", "mean", "deviation", "weight"):
        if (value := getattr(kpi.score, name)) is not None:
            yield facts.parameter(f"kpis.{kpi.code}.{name}", value, kpi, facts.methodology)


def _not_ranked(facts: _Facts, ranking: Row) -> str:
    return why_not_ranked(
        facts.words,
        facts.methodology,
        facts.unit,
        facts.rows("kpi_values"),
        ranking["not_ranked_reason"],
        facts.kpi_name,
    )


def why_not_ranked(
    words: Speaker,
    methodology: Methodology,
    unit: Row,
    values: Iterable[Row],
    reason: str,
    name: Callable[[str], str],
) -> str:
    """Say why a unit is not ranked. ``unit`` is its profile, ``values`` its KPIs; ``name`` returns
    the words of a KPI's code. Hidden cells are None.
    """
    if reason == "few_students" and unit["students"] is not None:
        return words.say(
            "{students} students counted, fewer than {least}",
            students=words.number(unit["students"]),
            least=words.number(methodology.min_students.value),
        )
    for row in values:
        if row["kpi"] == reason:
            return words.say(
                "{kpi} is needed and is missing ({status})",
                kpi=name(reason),
                status=term(words, row["status"] or "small_cohort"),
            )
    if reason == unit["status"]:
        return words.say("its status is {status}", status=term(words, reason))
    return term(words, reason)


def _rank(facts: _Facts) -> Step:
    words = facts.words
    [row] = facts.rows("ranking")
    title = words.say("Rank and league")
    if row["rank"] is None:
        reason = _not_ranked(facts, row)
        return _step("rank", title, [words.say("not ranked: {why}", why=reason)], rows=[row])
    place = {"rank": row["rank"], "of": words.number(row["ranked_of"])}
    lines = [
        words.say("rank {rank} of {of}, shared by {count}", count=row["tie_size"], **place)
        if row["tie_size"] > 1
        else words.say("rank {rank} of {of}", **place)
    ]
    if row["tie_broken_by"]:
        lines.append(
            words.say("equal scores told apart by {kpi}", kpi=facts.kpi_name(row["tie_broken_by"]))
        )
    lines += [
        words.say(
            _RANK_IN[part], rank=row[f"{part}_rank"], of=words.number(row[f"{part}_ranked_of"])
        )
        for part in _RANK_IN
        if row[f"{part}_rank"] is not None
    ]
    lines += _certainty(words, row)
    if row["league"] is not None:
        league = words.say("league {league}", league=row["league"])
        lines.append(league + (f"; {term(words, row['leader'])}" if row["leader"] else ""))
    if row.get("league_chance") is not None:
        lines.append(_league_chance(words, row))
    if row["level"] is not None:
        names = {level.code: level.name for level in facts.methodology.levels}
        lines.append(
            words.say(
                "{level}: {share} of the best score",
                level=words.name(names[row["level"]]),
                share=words.percent(row["share_of_best"]),
            )
        )
    return _step("rank", title, lines, parameters=list(_bounds(facts)), rows=[row])


def _certainty(words: Speaker, row: Row) -> Iterator[str]:
    """Yield how sure the rank is: its interval, and who cannot be told apart from the college."""
    if row.get("rank_low") is None:
        return
    level = words.percent(LEVEL, 0)
    yield words.say(
        "ranks {ranks} in {level} of draws of what chance alone would do",
        ranks=ranks_told(words, row),
        level=level,
    )
    if row["band_low"] < row["band_high"]:
        yield words.say(
            "not separable from ranks {first} to {last} at {level}",
            first=words.number(row["band_low"]),
            last=words.number(row["band_high"]),
            level=level,
        )
    if row["ahead_of_next"] is not None:
        yield words.say(
            "ahead of the next in {share} of draws", share=chance_told(words, row["ahead_of_next"])
        )


def _league_chance(words: Speaker, row: Row) -> str:
    chance = chance_told(words, row["league_chance"])
    if is_close_league(row):
        return words.say(
            "the league is decided by less than its uncertainty: a new cohort of the same size"
            " would bring the college into it with a chance of {chance}",
            chance=chance,
        )
    return words.say(
        "a new cohort of the same size would bring the college into the same league with a chance"
        " of {chance}",
        chance=chance,
    )


def _bounds(facts: _Facts) -> Iterator[Parameter]:
    for league in facts.methodology.leagues:
        for name in ("max_count", "max_rank"):
            if (value := getattr(league, name)) is not None:
                path = f"leagues.{league.league}.{name}"
                yield facts.parameter(path, value, league, facts.methodology)
    yield facts.parameter(
        "tie_chain",
        facts.methodology.tie_chain.value,
        facts.methodology.tie_chain,
        facts.methodology,
    )


def _gates(facts: _Facts) -> Step:
    words = facts.words
    judged = {row["gate"]: row for row in facts.rows("gates")}
    rows = [judged[gate.kpi] for gate in facts.methodology.gates]
    pools = pooled_kpis(facts.methodology)
    lines = []
    for gate, row in zip(facts.methodology.gates, rows, strict=True):
        lines.append(
            words.say(
                "{gate}: {numerator} / {denominator} against {threshold}: {result}; decided by"
                " {decided_by}",
                gate=facts.kpi_name(row["gate"]),
                numerator=words.number(row["numerator"]),
                denominator=words.number(row["denominator"]),
                threshold=words.number(row["threshold"]),
                result=_result(facts, row["passed"]) + _short_by(facts, row),
                decided_by=term(words, row["decided_by"]),
            )
        )
        if gate.pooled:
            lines.append("    " + _pooled(facts, row))
        elif gate.kpi in pools:
            lines.append("    " + words.say("the KPI is pooled; the gate takes this year's people"))
        lines.append(
            "    "
            + words.say(
                "with {rejected} rejected rows counted for it: {rejected_for}; against it:"
                " {rejected_against}",
                rejected=words.number(row["rejected"]),
                rejected_for=_result(facts, row["passed_rejected_for"]),
                rejected_against=_result(facts, row["passed_rejected_against"]),
            )
        )
    return _step(
        "gates",
        words.say("Gates: numerator ≥ threshold × denominator, compared exactly"),
        lines,
        parameters=list(_gate_parameters(facts)),
        rows=rows,
    )


def _gate_parameters(facts: _Facts) -> Iterator[Parameter]:
    for gate in facts.methodology.gates:
        names = ["threshold", "on_small_cohort", "on_no_data"]
        for name in [*names, "pooled"] if gate.pooled else names:
            path = f"gates.{gate.kpi}.{name}"
            yield facts.parameter(path, getattr(gate, name), gate, facts.methodology)


def _result(facts: _Facts, passed: bool) -> str:
    return facts.words.say("passed") if passed else facts.words.say("not passed")


def _short_by(facts: _Facts, row: Row) -> str:
    """Say how many people are missing: graduates, students, or an accreditation."""
    if not row["short_by"] or row["passed"]:
        return ""
    kinds = {kpi.code: kpi.kind for kpi in facts.methodology.kpis}
    return ", " + short_by(facts.words, kinds[row["gate"]], row["short_by"])


def short_by(words: Speaker, kind: str, count: int) -> str:
    """Say what a gate lacks: so many graduates, students, or what a flag stands for."""
    if kind == "outcome_share":
        return words.say_count("short by {count} graduate", "short by {count} graduates", count)
    if kind == "register_share":
        return words.say_count("short by {count} student", "short by {count} students", count)
    if kind == "flag":
        return words.say("it is not there")
    return words.say("short by {count}", count=words.number(count))


def _money(facts: _Facts) -> Iterator[Step]:
    """Yield the steps of the funding rule (DESIGN §6), in its order."""
    words = facts.words
    title = words.say("Amount per year")
    if not facts.of_round.has("funding"):
        nothing = words.say("no register of students: nothing can be funded")
        yield _step("amount", title, [nothing])
        return
    funding = facts.rows("funding")
    if not funding:
        status = term(words, facts.unit["status"])
        yield _step("amount", title, [words.say("not paid: status {status}", status=status)])
        return
    lines = [row for row in facts.rows("funding_lines") if row["specialty"] is not None]
    total = funding[0]
    yield _students(facts, lines, total)
    yield _coefficients(facts)
    yield _share(facts, total)
    yield _norms(facts, lines)
    yield _entitled(facts, lines)
    if facts.rule.appropriation:
        yield _appropriation(facts, lines)
    if facts.rule.guarantee:
        yield _guarantee(facts)
    yield _amount(facts, total, title)
    yield _months(facts)


def _students(facts: _Facts, lines: list[Row], total: Row) -> Step:
    words, rule = facts.words, facts.rule
    groups = facts.rows("group_reasons")
    told = [f"{row['specialty']}: {words.number(row['students'])}" for row in lines]
    told.append(words.say("together {students}", students=words.number(total["students"])))
    unpaid: dict[str, int] = {}
    for row in groups:
        if row["not_paid_reason"]:
            reason = row["not_paid_reason"]
            unpaid[reason] = unpaid.get(reason, 0) + row["students"]
    told += [
        words.say(
            "not paid for, {reason}: {students}",
            reason=term(words, reason),
            students=words.number(students),
        )
        for reason, students in sorted(unpaid.items())
        if students
    ]
    parameters = [
        facts.of_rule(name, getattr(rule, name))
        for name in ("funding_sources", "study_forms", "pays_academic_leave", "count_basis")
    ]
    return _step(
        "students",
        words.say("Students that the state pays for"),
        told,
        parameters=parameters,
        rows=groups,
    )


def _coefficients(facts: _Facts) -> Step:
    words, rule = facts.words, facts.rule
    rows = facts.rows("line_coefficients")
    told = [
        words.say(
            "{specialty}: product of the coefficients {product}, coefficient {coefficient}",
            specialty=row["specialty"],
            product=words.number(row["product"]),
            coefficient=words.number(row["coefficient"]),
        )
        for row in rows
    ]
    parameters = [
        facts.parameter(
            f"coefficients.{one.attribute}.{one.value}", one.coefficient, one, facts.rule
        )
        for one in rule.coefficients
    ]
    return _step(
        "coefficient",
        words.say("Coefficient of each line; calibrated: over the mean of all students"),
        told,
        parameters=[*parameters, facts.of_rule("calibrate", rule.calibrate)],
        rows=rows,
    )


def _share(facts: _Facts, total: Row) -> Step:
    rule = facts.rule
    parameters = [
        facts.parameter("mode", rule.mode, rule, rule),
        facts.of_rule("gates", rule.gates),
    ]
    parameters += [
        facts.parameter(f"shares.{one.league}", one.share, one, rule) for one in rule.shares
    ]
    for one in rule.phase_in:
        parameters += [
            facts.parameter(f"phase_in.{one.gate}.zero_at", one.zero_at, one, rule),
            facts.parameter(f"phase_in.{one.gate}.full_at", one.full_at, one, rule),
        ]
    return _step(
        "share",
        facts.words.say("Share of the incentive part"),
        [f"{facts.words.number(total['share'])}: {_share_reason(facts)}"],
        parameters=parameters,
        rows=facts.rows("unit_shares"),
    )


def _share_reason(facts: _Facts) -> str:
    words = facts.words
    if facts.rule.mode == "leagues":
        [ranking] = facts.rows("ranking")
        league = ranking["league"]
        if league:
            return words.say("league {league}", league=league)
        return words.say("not ranked, so in no league")
    asked = set(facts.rule.gates.value)
    if not asked:
        return words.say("the rule has no higher norm")
    if facts.rule.phase_in:
        return words.say("the smallest share that its gates give")
    failed = [
        row["gate"] for row in facts.rows("gates") if row["gate"] in asked and not row["passed"]
    ]
    if failed:
        return words.say("not passed: {gates}", gates=", ".join(failed))
    return words.say("every gate is passed")


def _norms(facts: _Facts, lines: list[Row]) -> Step:
    words, rule = facts.words, facts.rule
    base, full = words.number(rule.base.value), words.number(rule.full.value)
    told = []
    by_coefficient = {row["coefficient"]: row for row in lines}
    for coefficient, row in sorted(by_coefficient.items()):
        told.append(
            words.say(
                "coefficient {coefficient}: base round({base} × {coefficient}) = {base_norm};"
                " incentive round((round({full} × {coefficient}) − {base_norm}) × {share})"
                " = {incentive_norm}",
                coefficient=words.number(coefficient),
                base=base,
                full=full,
                base_norm=words.number(row["base_norm"]),
                share=words.number(row["share"]),
                incentive_norm=words.number(row["incentive_norm"]),
            )
        )
    return _step(
        "norm",
        words.say("Norm per student and year, tenge"),
        told,
        parameters=[facts.of_rule("norm.base", rule.base), facts.of_rule("norm.full", rule.full)],
        rows=list(by_coefficient.values()),
    )


def _entitled(facts: _Facts, lines: list[Row]) -> Step:
    words = facts.words
    told = [
        f"{row['specialty']}: {words.number(row['students'])} ×"
        f" ({words.number(row['base_norm'])} + {words.number(row['incentive_norm'])})"
        f" = {words.number(row['base_amount'] + row['entitled_incentive'])}"
        for row in lines
    ]
    return _step(
        "lines",
        words.say("Lines: students × (base + incentive), tenge per year"),
        told,
        rows=lines,
    )


def _appropriation(facts: _Facts, lines: list[Row]) -> Step:
    words, rule = facts.words, facts.rule
    assert rule.appropriation is not None
    passes = facts.of_round.table("funding_passes").to_dicts()
    told = [
        words.say(
            "pass {number}: {available} tenge for {entitled} tenge, point value {point}",
            number=row["pass"],
            available=words.number(row["scaled_available"]),
            entitled=words.number(row["scaled_entitled"]),
            point=words.number(row["point_value"]),
        )
        for row in passes
    ]
    told += [
        f"{row['specialty']}: {words.number(row['entitled_incentive'])} →"
        f" {words.number(row['incentive_amount'])}"
        for row in lines
    ]
    stated = rule.appropriation
    return _step(
        "appropriation",
        words.say(
            "Appropriation: incentive × point value, the largest remainders rounded up (in the"
            " order of college and specialty)"
        ),
        told,
        parameters=[
            facts.parameter("appropriation.amount", stated.amount, stated, rule),
            facts.parameter("appropriation.covers", stated.covers, stated, rule),
        ],
        rows=passes,
    )


def _guarantee(facts: _Facts) -> Step:
    words, rule = facts.words, facts.rule
    assert rule.guarantee is not None
    rows = facts.rows("guarantees")
    told = [
        words.say(
            "previous amount {previous}; at least {floor}; added {added}",
            previous=words.number(row["previous_amount"]),
            floor=words.number(row["floor_amount"]),
            added=words.number(row["guarantee_amount"]),
        )
        for row in rows
    ] or [words.say("the previous round did not pay this college: nothing is guaranteed")]
    stated = rule.guarantee
    return _step(
        "guarantee",
        words.say("Guarantee against the previous published round"),
        told,
        parameters=[
            facts.parameter(f"guarantee.{name}", getattr(stated, name), stated, rule)
            for name in ("basis", "floor", "funded_from")
        ],
        rows=rows,
    )


def _amount(facts: _Facts, total: Row, title: str) -> Step:
    words = facts.words
    told = words.say(
        "base {base} + incentive {incentive} = {amount}",
        base=words.number(total["base_amount"]),
        incentive=words.number(total["incentive_amount"]),
        amount=words.tenge(total["amount"]),
    )
    if total["guarantee_amount"]:
        told = words.say(
            "base {base} + incentive {incentive} + guarantee {guarantee} = {amount}",
            base=words.number(total["base_amount"]),
            incentive=words.number(total["incentive_amount"]),
            guarantee=words.number(total["guarantee_amount"]),
            amount=words.tenge(total["amount"]),
        )
    return _step("amount", title, [told], rows=[total])


def _months(facts: _Facts) -> Step:
    words = facts.words
    rows = facts.rows("funding_months")
    told = [f"{row['month']:%Y-%m}: {words.number(row['amount'])}" for row in rows]
    return _step("months", words.say("Twelve months, tenge; they sum to the year"), told, rows=rows)
