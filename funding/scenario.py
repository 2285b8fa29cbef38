"""The same round under another methodology or rule: baseline, scenario, difference (DESIGN §2).

A round is opened once: its small tables go into a database in memory. A scenario then runs the
round's own SQL, ranking and settlement again, but only the steps that read what it changed. Where
it changes what is counted about people (sources, dates, units, KPIs), the registers are opened too.
"""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from funding.allocation import (
    PREVIOUS_SCHEMA,
    check_fit,
    put_previous,
    read_funding_selects,
    rule_parameters,
    settle_lines,
)
from funding.rule import Rule, load_rule
from funding.run import Previous, compute, plan_of, previous_of, rank
from funding.settings import Change, Rules, read_rules, with_settings
from kpi.dated import path_of
from kpi.errors import CallError
from kpi.export import write_csv
from kpi.intake import load_frozen
from kpi.language import SOURCE, Speaker, speaker
from kpi.methodology import Methodology, load_methodology
from kpi.pipeline import (
    Select,
    connect,
    get_table,
    in_order,
    put_table,
    put_tables,
    read_selects,
    round_parameters,
    run_selects,
)
from kpi.rounds import Round, write_json

_KEPT = ("kpi_counts", "unit_profile", "student_groups", "colleges")
_FROM_COUNTS = ("kpi_values", "gates")
_TOTALS = ("funding", "funding_regions")
_MADE_BY_CODE = {
    "ranking": frozenset({"kpi_values", "gates"}),
    "funding_lines": frozenset({"entitled_lines", "guarantee_floors"}),
}
"""Tables that no SELECT makes, and what they are made from."""

FRONTIER = [Decimal(percent).scaleb(-2) for percent in range(50, 96)]
"""The 46 thresholds of a frontier: 0.50 to 0.95."""


@dataclass(frozen=True)
class Outcome:
    """What a round comes to under one methodology and rule: stored tables of those names."""

    rules: Rules
    funding: pl.DataFrame
    ranking: pl.DataFrame
    regions: pl.DataFrame

    def national(self) -> dict[str, int]:
        """Return qualifying colleges and tenge per year."""
        return national_sums(self.funding)


def national_sums(funding: pl.DataFrame) -> dict[str, int]:
    """Return qualifying colleges and tenge per year of the table ``funding``."""
    sums = funding.select(
        qualifying=(pl.col("share") > 0).sum(),
        base_amount=pl.col("base_amount").sum(),
        incentive_amount=pl.col("incentive_amount").sum(),
        guarantee_amount=pl.col("guarantee_amount").sum(),
        amount=pl.col("amount").sum(),
    )
    return {name: int(value) for name, value in sums.row(0, named=True).items()}


@dataclass
class Scenario:
    """A scenario beside its baseline. ``changes`` are the values set, ``idle`` those of them that
    move nothing.
    """

    baseline: Outcome
    outcome: Outcome
    changes: list[Change]
    files: list[str] = field(default_factory=list)
    idle: list[Change] = field(default_factory=list)

    def colleges(self) -> pl.DataFrame:
        """One row per paid unit: amounts, shares, ranks and leagues before and after, difference in
        tenge per year; the largest moves first.
        """
        before, after = _by_college(self.baseline), _by_college(self.outcome)
        joined = before.join(after, on="college_id", how="full", coalesce=True, suffix="_scenario")
        amounts = ("amount", "amount_scenario", "share", "share_scenario")
        return (
            joined.with_columns(pl.col(*amounts).fill_null(0))
            .with_columns(difference=pl.col("amount_scenario") - pl.col("amount"))
            .sort(pl.col("difference").abs(), "college_id", descending=[True, False])
        )

    def regions(self) -> pl.DataFrame:
        """One row per region, and KZ: qualifying colleges and tenge before and after."""
        columns = ("region", "qualifying", "amount")
        joined = self.baseline.regions.select(columns).join(
            self.outcome.regions.select(columns),
            on="region",
            how="full",
            coalesce=True,
            suffix="_scenario",
        )
        return joined.with_columns(difference=pl.col("amount_scenario") - pl.col("amount")).sort(
            "region"
        )


class Desk:
    """A round opened for scenarios: its tables in a database, and which of them are out of date.

    A table is made again when it is asked for and something that it was made from has changed.
    """

    def __init__(self, of_round: Round, store: Path | None = None) -> None:
        if not of_round.has("funding"):
            raise CallError(
                "The round has no funding: there is nothing that a scenario could change.",
                where=str(of_round.path),
                do="Run the round with a register of students.",
            )
        self.of_round = of_round
        self.store = store
        self.plan = plan_of(of_round)
        self.rules = read_rules(of_round.methodology_file(), of_round.rule_file())
        self.con = duckdb.connect()
        self.con.execute("SET threads = 1")  # tables of some thousand rows: faster than two
        put_tables(self.con, {name: of_round.table(name) for name in _KEPT})
        put_tables(self.con, self.plan.reference)
        put_previous(self.con, self.plan.previous.funding if self.plan.previous else None)
        self.selects = {select.table: select for select in self._read_selects()}
        self.parameters: dict[str, pl.DataFrame] = {}
        self.current: Rules | None = None
        self.stale = {*self.selects, *_MADE_BY_CODE}
        self.baseline = self.outcome(self.rules)

    def _read_selects(self) -> list[Select]:
        """Return the SELECTs from the counts on, each after those that it reads."""
        profile = [
            select
            for select in read_selects(self.con, self.plan.sql / "3_profile")
            if select.table in _FROM_COUNTS
        ]
        funding = read_funding_selects(self.con, self.plan.sql)
        totals = [select for select in funding.totals if select.table in _TOTALS]
        return [*in_order(profile), *in_order(funding.entitled), *in_order(totals)]

    def close(self) -> None:
        """Give the memory back."""
        self.con.close()

    def follow(self, funding: pl.DataFrame) -> None:
        """Take another round's ``funding`` for what the previous round paid."""
        self.plan.previous = Previous(funding.select(*PREVIOUS_SCHEMA), {})
        put_previous(self.con, self.plan.previous.funding)
        self.stale |= self._resting_on({"previous_funding"})

    def outcome(self, rules: Rules) -> Outcome:
        """Return what the round comes to under other rules."""
        if _counts_otherwise(self.rules.methodology, rules.methodology):
            return self._from_registers(rules)
        self._take(rules)
        self._make("ranking", *_TOTALS)
        return _outcome(self.con, rules)

    def costs(self, rules: Rules) -> pl.DataFrame:
        """Return ``funding`` under rules that count as the round's do: no more is made than that
        needs.
        """
        self._take(rules)
        self._make("funding")
        return get_table(self.con, "funding")

    def outcome_with(self, college_id: str, more: dict[str, int]) -> Outcome:
        """Return what the round comes to with so many people more in a college's numerators."""
        self._count_more(college_id, more)
        try:
            return self.outcome(self.rules)
        finally:
            self._count_more(college_id, {kpi: -people for kpi, people in more.items()})

    def ranking_with(self, college_id: str, more: dict[str, int]) -> pl.DataFrame:
        """Return ``ranking`` with so many people more in a college's numerators."""
        self._count_more(college_id, more)
        try:
            self._take(self.rules)
            self._make("ranking")
            return get_table(self.con, "ranking")
        finally:
            self._count_more(college_id, {kpi: -people for kpi, people in more.items()})

    def _count_more(self, college_id: str, more: dict[str, int]) -> None:
        for kpi, people in more.items():
            self.con.execute(
                "UPDATE kpi_counts SET numerator = numerator + $people"
                " WHERE kpi = $kpi AND college_id = $college_id",
                {"people": people, "kpi": kpi, "college_id": college_id},
            )
        self.stale |= self._resting_on({"kpi_counts"})

    def _take(self, rules: Rules) -> None:
        """Put the rules' parameters in place; what rests on changed ones is out of date."""
        check_fit(self.con, rules.rule, rules.methodology)
        if rules.rule.guarantee and self.plan.previous is None:
            self.plan.previous = previous_of(self.store, self.plan.round_id, rules.rule)
            put_table(self.con, "previous_funding", self.plan.previous.funding)
        wanted = round_parameters(self.plan.round_id, rules.methodology, self.plan.dates)
        wanted |= rule_parameters(rules.rule)
        changed = {
            name: rows
            for name, rows in wanted.items()
            if name not in self.parameters or not rows.equals(self.parameters[name])
        }
        put_tables(self.con, changed)
        self.parameters |= changed
        before = self.current
        if before is None or before.methodology != rules.methodology:
            self.stale |= {"ranking"}
        if before is None or _terms(before.rule) != _terms(rules.rule):
            self.stale |= {"funding_lines"}
        self.current = rules
        self.stale |= self._resting_on({*changed, *self.stale})

    def _reads(self, table: str) -> frozenset[str]:
        """Return what a table is made from under the current rules."""
        assert self.current is not None
        rule = self.current.rule
        # what a rule does not use need not be made: without leagues the ranking, without a
        # guarantee its floors
        unused = {"ranking"} if rule.mode == "threshold" else set()
        unused |= set() if rule.guarantee else {"guarantee_floors"}
        reads = _MADE_BY_CODE.get(table) or self.selects[table].reads
        return reads - unused

    def _resting_on(self, changed: set[str]) -> set[str]:
        found = set(changed)
        tables = {*self.selects, *_MADE_BY_CODE}
        while more := {t for t in tables - found if self._reads(t) & found}:
            found |= more
        return found & tables

    def _make(self, *wanted: str) -> None:
        """Make the wanted tables, and before them what they are made from, where out of date."""
        for table in wanted:
            if table not in self.stale:
                continue
            self.stale.discard(table)
            self._make(*sorted(self._reads(table) & self.stale))
            assert self.current is not None
            if table == "ranking":
                rank(self.con, self.current.methodology)
            elif table == "funding_lines":
                settle_lines(self.con, self.current.rule)
            else:
                run_selects(self.con, [self.selects[table]])

    def scenario(
        self, base: Rules, settings: Sequence[str] = (), files: Sequence[str] = ()
    ) -> Scenario:
        """Return a scenario: whole files (``base``), and settings on top of them; with it, which
        settings move nothing.
        """
        rules, changes = with_settings(base, settings)
        done = Scenario(self.baseline, self.outcome(rules), changes, list(files))
        done.idle = list(self._idle(done, base))
        return done

    def _idle(self, done: Scenario, base: Rules) -> Iterable[Change]:
        for change in done.changes:
            if change.is_idle:
                yield change
                continue
            others = [f"{c.path}={c.new}" for c in done.changes if c != change]
            try:
                without = self.outcome(with_settings(base, others)[0])
            except CallError:
                continue  # it is needed for the others to fit together
            if _same(without, done.outcome):
                yield change

    def _from_registers(self, rules: Rules) -> Outcome:
        """Count again, from the rows about people that the round keeps."""
        plan = replace(self.plan, methodology=rules.methodology, rule=rules.rule, earlier=[])
        if rules.rule.guarantee and plan.previous is None:
            plan.previous = previous_of(self.store, plan.round_id, rules.rule)
        with tempfile.TemporaryDirectory() as spill:
            con = connect(Path(spill))
            try:
                intake = load_frozen(con, self.of_round.input_files())
                compute(con, plan, intake, str(self.of_round.path), lambda *_: None)
                return _outcome(con, rules)
            finally:
                con.close()


def _counts_otherwise(one: Methodology, other: Methodology) -> bool:
    """Whether two methodologies count people differently, not only judge the counts."""

    def counted(of: Methodology) -> tuple[Any, ...]:
        kpis = {(kpi.code, kpi.kind) for kpi in of.kpis}
        sources = {(a.destination, source) for a in of.sources for source in a.sources}
        indicator = of.specialty_indicator.value if of.specialty_indicator else None
        return of.unit.value, kpis, sources, indicator

    return counted(one) != counted(other)


def _terms(rule: Rule) -> tuple[Any, ...]:
    """Return what the settlement of the lines depends on."""
    return rule.appropriation, rule.guarantee


def _outcome(con: duckdb.DuckDBPyConnection, rules: Rules) -> Outcome:
    tables = (get_table(con, name) for name in ("funding", "ranking", "funding_regions"))
    return Outcome(rules, *tables)


def _by_college(outcome: Outcome) -> pl.DataFrame:
    ranks = outcome.ranking.select("college_id", "score", "rank", "league")
    return outcome.funding.select("college_id", "students", "share", "amount").join(
        ranks, on="college_id", how="left"
    )


def _same(one: Outcome, other: Outcome) -> bool:
    columns = ("college_id", "share", "amount", "score", "rank", "league")
    return _by_college(one).select(columns).equals(_by_college(other).select(columns))


def other_files(desk: Desk, methodology: str | None, rule: str | None) -> tuple[Rules, list[str]]:
    """Return the round's rules with whole files put in their place (a name, or a path), and what
    these files are.
    """
    on = desk.of_round.count_on
    of_methodology, of_rule = desk.of_round.methodology_file(), desk.of_round.rule_file()
    files = []
    if methodology:
        of_methodology = path_of("methodology", methodology, load_methodology(methodology, on))
        files.append(f"{methodology}: {of_methodology.name}")
    if rule:
        of_rule = path_of("rules", rule, load_rule(rule, on))
        files.append(f"{rule}: {of_rule.name}")
    return read_rules(of_methodology, of_rule), files


def frontier_of(
    desk: Desk, rules: Rules, axes: Sequence[tuple[str, Sequence[Decimal]]]
) -> pl.DataFrame:
    """Return what each threshold of a gate costs, or each pair of thresholds of two gates.

    ``axes``: gate and thresholds (0..1). One row per point: the threshold of each gate, qualifying
    colleges, incentive and amount in tenge per year, and whether the point is the one in force.
    """
    in_force = {gate.kpi: gate.threshold for gate in rules.methodology.gates}
    rows = []
    for thresholds in product(*(values for _, values in axes)):
        point = {gate: value for (gate, _), value in zip(axes, thresholds, strict=True)}
        settings = [f"gates.{gate}={value}" for gate, value in point.items()]
        changed, _ = with_settings(rules, settings)
        sums = national_sums(desk.costs(changed))
        rows.append(
            point
            | {name: sums[name] for name in ("qualifying", "incentive_amount", "amount")}
            | {"is_in_force": all(in_force[gate] == value for gate, value in point.items())}
        )
    return pl.DataFrame(rows)


def axis_of(text: str, step: Decimal) -> tuple[str, list[Decimal]]:
    """Return a gate and its thresholds from ``dual_share`` (0.50 to 0.95) or
    ``dual_share=0.10..0.60``. Raises CallError for a text that is neither.
    """
    gate, equals, span = text.partition("=")
    low, dots, high = span.partition("..")
    try:
        first, last = (Decimal(low), Decimal(high)) if equals else (FRONTIER[0], FRONTIER[-1])
        if (equals and not dots) or not 0 <= first <= last <= 1 or step <= 0:
            raise InvalidOperation
        count = int((last - first) / step) + 1
    except InvalidOperation as error:
        raise CallError(
            "This is no gate with a range of thresholds.",
            where="--frontier",
            found=text,
            expected="a gate such as dual_share, or dual_share=0.10..0.60",
        ) from error
    return gate, [first + step * place for place in range(count)]


def idle_reason(change: Change, words: Speaker) -> str:
    """Say of a value that moves nothing whether it is the one in force or merely has no effect."""
    if change.is_idle:
        return words.say(
            "{path} is {value} already: it changes nothing.", path=change.path, value=change.new
        )
    return words.say(
        "{path} = {new} (was {old}) changes nothing: no college's amount, share, score, rank or"
        " league moves.",
        path=change.path,
        new=change.new,
        old=change.old,
    )


def write_scenario(desk: Desk, done: Scenario, to: Path) -> list[Path]:
    """Write a scenario: colleges and regions as CSV, and its receipt; every name says scenario."""
    stem = f"{desk.of_round.name}-{desk.of_round.version}-scenario"
    names = desk.of_round.table("unit_profile").select("college_id", "name_ru", "region")
    mark = pl.lit("scenario").alias("status")
    tables = {
        "colleges": done.colleges().join(names, on="college_id", how="left", maintain_order="left"),
        "regions": done.regions(),
    }
    paths = []
    for name, table in tables.items():
        paths.append(to / f"{stem}-{name}.csv")
        write_csv(table.select(mark, pl.all()), paths[-1])
    paths.append(to / f"{stem}-receipt.json")
    write_json(paths[-1], scenario_receipt(desk, done))
    return paths


def scenario_receipt(desk: Desk, done: Scenario) -> dict[str, Any]:
    """Return what a scenario was computed from and with, and what it comes to."""
    return {
        "scenario": True,
        "of": {
            "round": desk.of_round.name,
            "version": desk.of_round.version,
            "receipt_sha256": desk.of_round.receipt_hash,
        },
        "files": done.files,
        "set": {change.path: {"old": change.old, "new": change.new} for change in done.changes},
        "changes_nothing": [idle_reason(change, speaker(SOURCE)) for change in done.idle],
        "methodology": json.loads(json.dumps(done.outcome.rules.methodology_content, default=str)),
        "rule": json.loads(json.dumps(done.outcome.rules.rule_content, default=str)),
        "baseline": done.baseline.national(),
        "outcome": done.outcome.national(),
    }
