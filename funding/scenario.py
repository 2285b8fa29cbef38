"""The same round under another methodology or rule: baseline, scenario, difference (DESIGN §2).

A round is opened once: its small tables go into a database in memory. A scenario then runs the
round's own SQL, ranking and settlement again, but only the steps that read what it changed. Where
it changes what is counted about people (sources, dates, units, KPIs), the registers are opened too,
once for each way of counting.
"""

import datetime as dt
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
    settlement_of,
)
from funding.rule import Rule, load_rule
from funding.run import Previous, open_registers, plan_of, previous_of
from funding.settings import Change, Rules, read_rules, with_settings
from kpi.dated import path_of
from kpi.errors import CallError, phrase
from kpi.export import write_csv
from kpi.language import SOURCE, Speaker, speaker
from kpi.methodology import Methodology, load_methodology, round_dates
from kpi.pipeline import (
    Select,
    connect,
    count_kpis,
    get_table,
    in_order,
    kpi_selects,
    put_table,
    put_tables,
    read_selects,
    require_tables,
    round_parameters,
    run_selects,
)
from kpi.pooling import (
    Counted,
    Earlier,
    earlier_of,
    pool_tables,
    pooled_kpis,
)
from kpi.ranking import ranking_of
from kpi.rounds import Round, write_json

_KEPT = ("kpi_counts", "unit_profile", "student_groups", "colleges")
_FROM_COUNTS = ("pooled_counts", "kpi_values", "gates")
_TOTALS = ("funding", "funding_regions")
_MADE_BY_CODE = {
    "ranking": frozenset({"kpi_values", "gates"}),
    "funding_lines": frozenset({"entitled_lines", "guarantee_floors"}),
}
"""Tables that no SELECT makes, and what they are made from."""

FRONTIER = [Decimal(percent).scaleb(-2) for percent in range(50, 96)]
"""The 46 thresholds of a frontier: 0.50 to 0.95."""

_LEAST_STEP = Decimal("0.001")


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
        numbers = ("qualifying", "amount", "qualifying_scenario", "amount_scenario")
        return (
            joined.with_columns(pl.col(*numbers).fill_null(0))
            .with_columns(difference=pl.col("amount_scenario") - pl.col("amount"))
            .sort("region")
        )


class Desk:
    """A round opened for scenarios: its tables in a database, and which of them are out of date.

    A table is made again when it is asked for and something that it was made from has changed.
    ``needs_money`` False opens a round without funding too: for ``ranking`` and ``facts`` alone.
    """

    def __init__(
        self, of_round: Round, store: Path | None = None, *, needs_money: bool = True
    ) -> None:
        self.has_money = of_round.has("funding")
        if needs_money and not self.has_money:
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
        own = self._counted(self.rules.methodology)
        self.counts = {own: {name: of_round.table(name) for name in _KEPT}}
        self.counted: Any = None
        self.befores: dict[Any, Earlier | None] = {}
        put_tables(self.con, self.plan.reference)
        put_previous(self.con, self.plan.previous.funding if self.plan.previous else None)
        self.selects = {select.table: select for select in self._read_selects()}
        self.parameters: dict[str, pl.DataFrame] = {}
        self.current: Rules | None = None
        self.stale = {*self.selects, *_MADE_BY_CODE}
        if self.has_money:
            self.baseline = self.outcome(self.rules)

    def _read_selects(self) -> list[Select]:
        """Return the SELECTs from the counts on, each after those that it reads."""
        profile = [
            select
            for select in read_selects(self.con, self.plan.sql / "3_profile")
            if select.table in _FROM_COUNTS
        ]
        if not self.has_money:
            return in_order(profile)
        funding = read_funding_selects(self.con, self.plan.sql)
        totals = [select for select in funding.totals if select.table in _TOTALS]
        return [*in_order(profile), *in_order(funding.entitled), *in_order(totals)]

    def close(self) -> None:
        """Give the memory back."""
        self.con.close()

    def guarantee_against(self, earlier: Round) -> None:
        """Let a guarantee stand on what another round paid, for a year that follows it."""
        paid = earlier.table("funding").select(*PREVIOUS_SCHEMA)
        self.plan.previous = Previous(paid, {})
        put_table(self.con, "previous_funding", paid)
        self.stale |= self._resting_on({"previous_funding"})

    def outcome(self, rules: Rules) -> Outcome:
        """Return what the round comes to under other rules."""
        self._take(rules)
        self._make("ranking", *_TOTALS)
        return _outcome(self.con, rules)

    def ranking(self, rules: Rules) -> pl.DataFrame:
        """Return ``ranking`` under other rules: no more is made than that needs."""
        self._take(rules)
        self._make("ranking")
        return get_table(self.con, "ranking")

    def facts(self, rules: Rules) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Return what ``ranking`` is made from under other rules: ``unit_profile``, ``kpi_values``
        and ``gates``.
        """
        self._take(rules)
        self._make("kpi_values", "gates")
        units, values, gates = (
            get_table(self.con, name) for name in ("unit_profile", "kpi_values", "gates")
        )
        return units, values, gates

    def costs(self, rules: Rules) -> pl.DataFrame:
        """Return ``funding`` under other rules: no more is made than that needs."""
        self._take(rules)
        self._make("funding")
        return get_table(self.con, "funding")

    def sums(self, rules: Rules) -> dict[str, int]:
        """Return qualifying colleges and tenge per year of ``costs``, and store nothing of it."""
        self._take(rules)
        self._make("unit_shares", *sorted(self._reads("funding_lines")))
        lines = settlement_of(self.con, rules.rule).lines
        parts = ("base_amount", "incentive_amount", "guarantee_amount", "amount")
        return {
            "qualifying": int((self._rows("unit_shares")["share"] > 0).sum()),
            **{part: int(lines[part].sum()) for part in parts},
        }

    def _rows(self, table: str) -> pl.DataFrame:
        """Return a table in no order."""
        rows: pl.DataFrame = self.con.sql(f"SELECT * FROM {table}").pl()
        return rows

    def costs_with(self, college_id: str, more: dict[str, int]) -> pl.DataFrame:
        """Return ``costs`` with so many people more in a college's numerators."""
        self._take(self.rules)
        self._count_more(college_id, more)
        try:
            return self.costs(self.rules)
        finally:
            self._count_more(college_id, {kpi: -people for kpi, people in more.items()})

    def ranking_with(self, college_id: str, more: dict[str, int]) -> pl.DataFrame:
        """Return ``ranking`` with so many people more in a college's numerators."""
        self._take(self.rules)
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
        if self.has_money:
            check_fit(self.con, rules.rule, rules.methodology)
        if self.has_money and rules.rule.guarantee and self.plan.previous is None:
            self.plan.previous = previous_of(self.store, self.plan.round_id, rules.rule)
            put_table(self.con, "previous_funding", self.plan.previous.funding)
        counted = self._counted(rules.methodology)
        if counted not in self.counts:
            self.counts[counted] = self._count(rules.methodology)
        dates = self._dates(rules.methodology)
        wanted = round_parameters(self.plan.round_id, rules.methodology, dates)
        wanted |= rule_parameters(rules.rule)
        before = self._before(rules.methodology)
        wanted |= pool_tables(self.plan.round_id, rules.methodology, before)
        changed = {
            name: rows
            for name, rows in wanted.items()
            if name not in self.parameters or not rows.equals(self.parameters[name])
        }
        put_tables(self.con, changed)
        self.parameters |= changed
        if counted != self.counted:
            put_tables(self.con, self.counts[counted])
            changed |= self.counts[counted]
            self.counted = counted
        last = self.current
        if last is None or last.methodology != rules.methodology:
            self.stale |= {"ranking"}
        if last is None or _terms(last.rule) != _terms(rules.rule):
            self.stale |= {"funding_lines"}
        self.current = rules
        self.stale |= self._resting_on({*changed, *self.stale})

    def _before(self, methodology: Methodology) -> Earlier | None:
        """Return what earlier rounds counted for the KPIs that a methodology pools: what the round
        itself was pooled with as far as that goes, else what the store has published.
        """
        pooled, own = pooled_kpis(methodology), pooled_kpis(self.rules.methodology)
        if not pooled:
            return None
        if "pooled_counts" not in self.selects:
            raise CallError(
                "This round was computed before KPIs could be pooled.",
                where=f"{self.of_round.name} {self.of_round.version}",
                found=", ".join(pooled),
                do="Run the round again, and ask that draft.",
            )
        counted = self._counted(methodology)
        is_covered = all(years <= own.get(kpi, 0) for kpi, years in pooled.items())
        if is_covered and counted == self._counted(self.rules.methodology):
            return self.plan.before
        asked = counted, tuple(pooled.items())
        if asked not in self.befores:
            dates = self._dates(methodology)
            now = Counted(self.plan.round_id, methodology, dates, self.plan.sql)
            self.befores[asked] = earlier_of(self.store, now)
        return self.befores[asked]

    def _dates(self, methodology: Methodology) -> dict[str, dt.date]:
        """Return the days of the round under a methodology: its own, but for those that were given
        when the round was run.
        """
        own = round_dates(self.plan.round_id, self.rules.methodology, {})
        given = {name: day for name, day in self.plan.dates.items() if day != own[name]}
        return round_dates(self.plan.round_id, methodology, {**given})

    def _counted(self, methodology: Methodology) -> tuple[Any, ...]:
        """Return everything that decides how people are counted; what is not in it only judges."""
        indicator = methodology.specialty_indicator
        return (
            methodology.unit.value,
            frozenset((kpi.code, kpi.kind) for kpi in methodology.kpis),
            frozenset((a.destination, source) for a in methodology.sources for source in a.sources),
            indicator.value if indicator else None,
            *self._dates(methodology).items(),
        )

    def _count(self, methodology: Methodology) -> dict[str, pl.DataFrame]:
        """Count again, from the rows about people that the round keeps."""
        plan = replace(self.plan, methodology=methodology, dates=self._dates(methodology))
        with tempfile.TemporaryDirectory() as spill:
            con = connect(Path(spill))
            try:
                intake = open_registers(con, self.of_round, plan)
                kpis = kpi_selects(con, methodology, plan.sql)
                clean = read_selects(con, plan.sql / "1_clean")
                require_tables(kpis, clean, intake, str(self.of_round.path))
                count_kpis(con, kpis)
                profile = read_selects(con, plan.sql / "3_profile")
                run_selects(con, [select for select in profile if select.table in _KEPT])
                return {name: get_table(con, name) for name in _KEPT}
            finally:
                con.close()

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
            self._make(*sorted(self._reads(table) & self.stale))
            assert self.current is not None
            if table == "ranking":
                units, values, gates = map(self._rows, ("unit_profile", "kpi_values", "gates"))
                ranking = ranking_of(units, values, gates, self.current.methodology)
                put_table(self.con, "ranking", ranking)
            elif table == "funding_lines":
                put_table(self.con, table, settlement_of(self.con, self.current.rule).lines)
            else:
                run_selects(self.con, [self.selects[table]])
            self.stale.discard(table)  # only now: making it may be refused

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
        """Yield each change without which the scenario comes to the same: one after the
        other, so that of two that do the same one is left.
        """
        kept = [change for change in done.changes if not change.is_idle]
        for change in done.changes:
            if change.is_idle:
                yield change
            elif change in kept:
                idle = self._without_effect(change, kept, done, base)
                kept = [other for other in kept if other not in idle]
                yield from idle

    def _without_effect(
        self, change: Change, kept: list[Change], done: Scenario, base: Rules
    ) -> list[Change]:
        """Return the change if it moves nothing beside the others kept, or with it those of its
        part that cannot stand without it; else nothing.
        """
        together = [other for other in kept if _part_of(other) == _part_of(change)]
        for group in ([change], together):
            rest = [f"{other.path}={other.new}" for other in kept if other not in group]
            try:
                if _same(self.outcome(with_settings(base, rest)[0]), done.outcome):
                    return group
            except CallError:
                continue  # it is needed for the others to fit together
        return []


def _part_of(change: Change) -> str:
    """Return what a path is a part of: ``appropriation``, ``phase_in.dual_share``."""
    return "shares" if change.path == "mode" else change.path.rpartition(".")[0]


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
    gates = [gate for gate, _ in axes]
    if len(gates) not in (1, 2) or len({*gates}) < len(gates):
        raise CallError(
            "A frontier cannot be drawn over these gates.",
            where="--frontier",
            found=", ".join(gates),
            expected="one gate, or two different ones",
        )
    in_force = {gate.kpi: gate.threshold for gate in desk.rules.methodology.gates}
    rows = []
    for thresholds in product(*(values for _, values in axes)):
        point = {gate: value for (gate, _), value in zip(axes, thresholds, strict=True)}
        settings = [f"gates.{gate}={value}" for gate, value in point.items()]
        changed, _ = with_settings(rules, settings)
        sums = desk.sums(changed)
        rows.append(
            point
            | {name: sums[name] for name in ("qualifying", "incentive_amount", "amount")}
            | {"is_in_force": all(in_force.get(gate) == value for gate, value in point.items())}
        )
    return pl.DataFrame(rows)


def idle_gates(points: pl.DataFrame, gates: Sequence[str]) -> list[str]:
    """Return the gates of a frontier whose threshold changes nothing anywhere on it."""
    sums = ["qualifying", "incentive_amount", "amount"]
    return [
        gate
        for gate in gates
        if points.select(pl.struct(sums).n_unique().over([g for g in gates if g != gate] or 1))
        .to_series()
        .max()
        == 1
    ]


def axis_of(text: str, step: Decimal) -> tuple[str, list[Decimal]]:
    """Return a gate and its thresholds from ``dual_share`` (0.50 to 0.95) or
    ``dual_share=0.10..0.60``. Raises CallError for a text that is neither, or a step that is none.
    """
    if not (step.is_finite() and _LEAST_STEP <= step <= 1):
        raise CallError(
            "This is no step from one threshold to the next.",
            where="--step",
            found=str(step),
            expected=phrase("a number from {least} to 1", least=_LEAST_STEP),
        )
    gate, equals, span = text.partition("=")
    low, dots, high = span.partition("..")
    try:
        first, last = (Decimal(low), Decimal(high)) if equals else (FRONTIER[0], FRONTIER[-1])
        if (equals and not dots) or not 0 <= first <= last <= 1:
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
    names = desk.of_round.table("colleges").select("college_id", "name_ru", "region")
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


def write_frontier(
    desk: Desk, done: Scenario, gates: Sequence[str], points: pl.DataFrame, to: Path
) -> list[Path]:
    """Write the points of a frontier over a scenario as CSV, and its receipt; every name says
    scenario.
    """
    stem = f"{desk.of_round.name}-{desk.of_round.version}-scenario-frontier"
    paths = [to / f"{stem}.csv", to / f"{stem}-receipt.json"]
    write_csv(points.select(pl.lit("scenario").alias("status"), pl.all()), paths[0])
    write_json(paths[1], scenario_receipt(desk, done) | {"frontier": list(gates)})
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
