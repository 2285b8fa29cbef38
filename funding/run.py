"""One round, from the input folder to a draft: the way of the data, step by step (DESIGN §3)."""

import dataclasses
import datetime as dt
import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import kpi
from funding.allocation import (
    PREVIOUS_SCHEMA,
    allocate,
    put_previous,
    read_funding_selects,
)
from funding.doubts import find_doubts
from funding.rule import Rule, earlier_rules, load_rule
from kpi import rounds
from kpi.cells import CELL_CHECKS
from kpi.compared import PREVIOUS_COUNTS, Compared, compared_of
from kpi.contract import TableContract
from kpi.dated import load_file, path_of
from kpi.errors import CallError, DataError, phrase
from kpi.intake import Intake, Report, read_inputs
from kpi.layouts import Given
from kpi.leaders import leaders_of
from kpi.methodology import Methodology, first_year, load_methodology, round_dates, round_name
from kpi.pipeline import (
    REFERENCE,
    REGISTERS,
    Select,
    connect,
    count_kpis,
    get_table,
    kpi_selects,
    put_table,
    put_tables,
    read_selects,
    reject_rows,
    require_tables,
    round_parameters,
    run_checks,
    run_selects,
    shipped_reference,
    tables_made,
)
from kpi.pooling import (
    EARLIER_COUNTS,
    PARAM_POOL,
    Counted,
    Earlier,
    earlier_of,
    pool_notes,
    pooled_kpis,
    put_pool,
)
from kpi.pseudonyms import key_id
from kpi.ranking import framework_of, rank_units, treatment_of
from kpi.resources import sql_folder
from kpi.signs import put_signs, sign_notes
from kpi.store import load_frozen
from kpi.uncertainty import (
    COHORT_EVERY,
    DRAWN_FROM,
    DRAWS,
    SEED,
    cell_kpis,
    uncertainty_of,
    with_intervals,
)

PERSON_TABLES = (*REGISTERS, "kpi_contingent", "dual_students", "cohort")
"""One row a person: derived from ``inputs/`` by the SQL that the draft holds, so not kept twice."""

WORKING_TABLES = (
    "rejected_rows",
    "unreadable",
    "cell_findings",
    "source_files",
    "findings",
    "param_check",
    "found_rows",
    "sign_findings",
)
"""Tables that name rows by their place in a file, or findings: the draft holds their content
elsewhere."""


@dataclass(frozen=True)
class Previous:
    """What the previous published round paid, and how the receipt names that round."""

    funding: pl.DataFrame
    named: dict[str, str]


@dataclass
class Plan:
    """What a round is computed with, but for its input: everything that its receipt names.

    ``previous`` is the previous published round where the rule guarantees a part of what it paid:
    ``funding`` as stored, and ``named``, which goes to the receipt. ``before`` are the counts of
    the rounds before where the methodology pools a KPI, ``compared`` those of the published round
    of the year before, where there is one, that signs of gaming are looked for in.
    """

    round_id: str
    dates: dict[str, dt.date]
    methodology: Methodology
    rule: Rule
    earlier: list[Rule]
    methodology_file: Path
    rule_file: Path
    earlier_files: dict[str, Path]
    sql: Path
    reference: dict[str, pl.DataFrame]
    previous: Previous | None = None
    before: Earlier | None = None
    compared: Compared | None = None


def plan_round(
    round_id: str,
    methodology_name: str,
    rule_name: str,
    days: Mapping[str, dt.date | None] | None = None,
    store: Path | None = None,
) -> Plan:
    """Find what a round is to be computed with: the versions in force on count_on.

    ``store`` is where the previous published round is looked for, to compare with and when the rule
    guarantees a part of it, and the rounds before when the methodology pools a KPI over them.
    Raises CallError where no version is in force, no such round is published, or one counted a
    pooled KPI otherwise; DataError where a round's files are not those that were published.
    """
    given = dict(days or {})
    autumn = dt.date(first_year(round_id), 10, 1)
    methodology = load_methodology(methodology_name, given.get("count_on") or autumn)
    dates = round_dates(round_id, methodology, given)
    methodology = load_methodology(methodology_name, dates["count_on"])
    rule = load_rule(rule_name, dates["count_on"])
    earlier = earlier_rules(rule)
    counted = Counted(round_id, methodology, dates, sql_folder())
    return Plan(
        round_id=round_id,
        dates=dates,
        methodology=methodology,
        rule=rule,
        earlier=earlier,
        methodology_file=path_of("methodology", methodology_name, methodology),
        rule_file=path_of("rules", rule_name, rule),
        earlier_files={str(old.start): path_of("rules", old.name, old) for old in earlier},
        sql=sql_folder(),
        reference=shipped_reference(),
        previous=previous_of(store, round_id, rule) if rule.guarantee else None,
        before=earlier_of(store, counted),
        compared=compared_of(store, counted),
    )


def previous_of(store: Path | None, round_id: str, rule: Rule) -> Previous:
    """Open the previous round's published version. Raises CallError where there is none, DataError
    where its files are not those that were published.
    """
    wanted = round_name(first_year(round_id) - 1)
    found = rounds.published(store, wanted) if store else None
    if found is None or not found.has("funding"):
        raise CallError(
            "The rule guarantees a part of what the previous published round paid; there is none.",
            where=f"rule {rule.name} {rule.start}, guarantee; store {store}",
            found=phrase("no published version of {round} with funding", round=wanted),
            expected=phrase("a published round {round}", round=wanted),
            do="Run and publish that round first, or take the guarantee out of the rule.",
        )
    if fault := next(rounds.published_faults(found), None):
        raise DataError(
            "The rule guarantees a part of what the previous published round paid; its files are"
            " not those that were published.",
            where=str(found.path),
            found=fault,
            do=phrase(
                "See what `kpi verify {round}` says, and put the files back from a copy.",
                round=wanted,
            ),
        )
    named = {
        "round": found.name,
        "version": found.version,
        "receipt_sha256": found.receipt_hash,
    }
    return Previous(found.table("funding").select(*PREVIOUS_SCHEMA), named)


def plan_of(of_round: rounds.Round) -> Plan:
    """Return what a stored round was computed with, from its own files alone."""
    earlier = of_round.earlier_rule_files()
    reference = of_round.reference()
    paid = reference.pop("previous_funding", None)
    counts = reference.pop(EARLIER_COUNTS, None)
    compared = reference.pop(PREVIOUS_COUNTS, None)
    receipt = of_round.receipt
    return Plan(
        round_id=receipt["round"],
        dates={name: dt.date.fromisoformat(day) for name, day in receipt["dates"].items()},
        methodology=of_round.methodology,
        rule=load_file(of_round.rule_file(), Rule),
        earlier=[load_file(path, Rule) for _, path in sorted(earlier.items())],
        methodology_file=of_round.methodology_file(),
        rule_file=of_round.rule_file(),
        earlier_files=earlier,
        sql=of_round.sql,
        reference=reference,
        previous=None if paid is None else Previous(paid, receipt["previous"]),
        before=None if counts is None else Earlier(counts, receipt["pooled"]),
        compared=None if compared is None else Compared(compared, receipt["compared"]),
    )


def run_round(
    inputs: Path | Sequence[Path],
    store: Path,
    plan: Plan,
    key: bytes,
    report: Report,
    came_from: str = "",
    given: Given | None = None,
) -> rounds.Round:
    """Compute a round from folders, archives and files, and keep it as the newest draft in the
    store.

    ``came_from`` says where the input came from when the paths do not: an upload's are gone later.
    ``given`` says what the files leave open.
    Raises CallError or DataError when nothing can be computed; rows that were rejected are in the
    draft's findings.
    """
    started = dt.datetime.now(dt.UTC)
    came_from = came_from or paths_of(inputs)
    with rounds.building(store, plan.round_id) as built:
        (built / "tmp").mkdir()
        con = connect(built / "tmp")
        try:
            intake = read_inputs(con, inputs, key, report, _on_the_day(given, plan))
            compute(con, plan, intake, came_from, report)
            report("writing the draft", 0, 1)
            receipt = write_draft(con, plan, intake.given, built)
        finally:
            con.close()
        shutil.rmtree(built / "tmp")
        rounds.write_documents(built, receipt, _sources(came_from, intake, key, started))
        report("writing the draft", 1, 1)
        return rounds.finish_draft(built)


def _on_the_day(given: Given | None, plan: Plan) -> Given:
    """Return what is given, with the day whose mappings are in force."""
    return dataclasses.replace(given or Given(), on=plan.dates["count_on"])


def paths_of(inputs: Path | Sequence[Path]) -> str:
    """Return the paths of an input in one line."""
    return ", ".join(map(str, [inputs] if isinstance(inputs, Path) else inputs))


def check_inputs(
    inputs: Path | Sequence[Path],
    plan: Plan,
    key: bytes,
    report: Report,
    given: Given | None = None,
) -> tuple[Intake, pl.DataFrame, pl.DataFrame]:
    """Read and check folders, archives and files without keeping anything.

    Returns what was read, the findings, and the rows read, clean and rejected per table and
    college.
    """
    with tempfile.TemporaryDirectory() as spill:
        con = connect(Path(spill))
        try:
            intake = read_inputs(con, inputs, key, report, _on_the_day(given, plan))
            report("checking rows", 0, 2)
            check_rows(con, plan)
            report("checking rows", 1, 2)
            run_selects(con, read_selects(con, plan.sql / "1_clean"))
            run_new_checks(con, plan.sql)
            report("checking rows", 2, 2)
            return intake, findings_of(con), get_table(con, "row_counts")
        finally:
            con.close()


def compute(
    con: duckdb.DuckDBPyConnection, plan: Plan, intake: Intake, where: str, report: Report
) -> None:
    """Run every step over the rows that intake left in ``con``: checks, clean tables, KPIs,
    profile, ranking, funding, and the checks of what came out. ``where`` names the input.
    """
    clean = read_selects(con, plan.sql / "1_clean")
    kpis = kpi_selects(con, plan.methodology, plan.sql)
    require_tables(kpis, clean, intake, where)
    report("checking rows", 0, 5)
    check_rows(con, plan)
    report("counting KPIs", 1, 5)
    run_selects(con, clean)
    count_kpis(con, kpis)
    put_pool(con, plan.round_id, plan.methodology, plan.before)
    run_selects(con, read_selects(con, plan.sql / "3_profile"))
    intake.notes += pool_notes(con, plan.round_id)
    report("ranking", 2, 5)
    rank(con, plan.methodology)
    draw(con, plan.methodology, kpis)
    put_signs(con, read_selects(con, plan.sql / "7_signs"), plan.compared)
    intake.notes += sign_notes(con, plan.round_id)
    report("funding", 3, 5)
    if "students" in intake.given:
        put_previous(con, plan.previous.funding if plan.previous else None)
        selects = read_funding_selects(con, plan.sql)
        allocate(con, plan.rule, plan.earlier, plan.methodology, selects)
        doubts = read_selects(con, plan.sql / "6_doubts")
        find_doubts(con, plan.rule, plan.methodology, kpis, doubts)
    else:
        intake.notes.append("No register of students was given: nothing can be funded.")
    report("checking results", 4, 5)
    run_new_checks(con, plan.sql)
    report("checking results", 5, 5)


def check_rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Check every row read, alone and against the others, and reject those with an error."""
    put_tables(con, plan.reference)
    put_tables(con, round_parameters(plan.round_id, plan.methodology, plan.dates))
    run_checks(con, _checks_ready(con, plan.sql), CELL_CHECKS)
    reject_rows(con)


def run_new_checks(con: duckdb.DuckDBPyConnection, sql: Path) -> None:
    """Run the checks that can be run by now and were not yet."""
    done = {name for (name,) in con.execute("SELECT check_name FROM param_check").fetchall()}
    run_checks(con, [select for select in _checks_ready(con, sql) if select.table not in done], {})


def _checks_ready(con: duckdb.DuckDBPyConnection, sql: Path) -> list[Select]:
    """Return the checks whose tables exist by now."""
    made = tables_made(con)
    return [select for select in read_selects(con, sql / "checks") if select.reads <= made]


def rank(con: duckdb.DuckDBPyConnection, methodology: Methodology) -> None:
    """Make ``framework``, ``kpi_scores`` and ``ranking`` from the stored KPI values and gates, and
    ``treatment`` where the methodology treats outliers.
    """
    values = get_table(con, "kpi_values")
    kpi_scores, ranking = rank_units(
        get_table(con, "unit_profile"), values, get_table(con, "gates"), methodology
    )
    treated = treatment_of(values, ranking, methodology)
    if treated.height:
        put_table(con, "treatment", treated)
    put_table(con, "framework", framework_of(methodology))
    put_table(con, "kpi_scores", kpi_scores)
    put_table(con, "ranking", ranking)


def draw(con: duckdb.DuckDBPyConnection, methodology: Methodology, kpis: list[Select]) -> None:
    """Make ``cell_kpis``, ``chances`` and ``leaders``, and give ``ranking`` its intervals: what
    chance alone would do, drawn from the stored counts. Rounds of before version 0.4 hold SQL
    without ``cohort_cells``, and are verified without draws.
    """
    if "cohort_cells" not in tables_made(con):
        return
    put_table(con, "cell_kpis", cell_kpis(con, kpis, methodology))
    tables = {name: get_table(con, name) for name in DRAWN_FROM}
    drawn = uncertainty_of(tables, methodology)
    ranking, profile = tables["ranking"], tables["unit_profile"]
    put_table(con, "ranking", with_intervals(ranking, drawn.intervals))
    put_table(con, "chances", drawn.chances)
    put_table(con, "leaders", leaders_of(ranking, profile, drawn.chances))


def findings_of(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the findings in order, without the working row numbers."""
    rows: pl.DataFrame = con.sql(
        "SELECT * EXCLUDE (row_id) FROM findings"
        " ORDER BY table_name, college_id, check_name, column_name, found, expected, message,"
        " file, record"
    ).pl()
    return rows


def open_registers(
    con: duckdb.DuckDBPyConnection, of_round: rounds.Round, plan: Plan | None = None
) -> Intake:
    """Make the clean tables again from the inputs that a round keeps, with its own SQL.

    ``plan`` is another one than the round's, for a scenario.
    """
    intake = Intake(given=load_frozen(con, of_round.input_files()))
    plan = plan or plan_of(of_round)
    check_rows(con, plan)
    run_selects(con, read_selects(con, plan.sql / "1_clean"))
    return intake


def write_draft(
    con: duckdb.DuckDBPyConnection, plan: Plan, given: list[str], built: Path
) -> dict[str, Any]:
    """Write every table and file of the round into the folder and return the receipt.

    ``given`` names the input tables. The same for the same data and the same plan.
    """
    inputs = {name: _input_select(name) for name in given}
    inputs["unreadable"] = (_UNREADABLE, "ALL")
    reference = [name for name in REFERENCE if name in plan.reference]
    reference += ["previous_funding"] if plan.previous else []
    reference += [EARLIER_COUNTS] if plan.before else []
    reference += [PREVIOUS_COUNTS] if plan.compared else []
    receipt = {
        "product": kpi.__version__,
        "round": plan.round_id,
        "dates": {name: str(day) for name, day in plan.dates.items()},
        "methodology": _freeze_methodology(plan, built),
        "rule": _freeze_rule(plan, built),
        "sql": {"sha256": rounds.freeze_sql(plan.sql, built)},
        "inputs": rounds.write_tables(con, built, "inputs", inputs),
        "reference": rounds.write_tables(con, built, "reference", _whole(reference)),
        "tables": rounds.write_tables(con, built, "tables", _whole(_kept_tables(con, plan))),
        "findings": rounds.write_findings(built, findings_of(con)),
        "checks": _check_results(con, plan.sql),
        "waivers": [],
        "national": _national_sums(con),
    }
    if "chances" in tables_made(con):
        receipt["draws"] = {"number": DRAWS, "cohorts": DRAWS // COHORT_EVERY, "seed": SEED}
    receipt |= {"previous": plan.previous.named} if plan.previous else {}
    receipt |= {"compared": plan.compared.named} if plan.compared else {}
    return receipt | ({"pooled": plan.before.named} if plan.before else {})


_UNREADABLE = """
SELECT
    unreadable.table_name,
    unreadable.college_id,
    unreadable.person_id,
    unreadable.cells,
    CAST(to_json(faults.faults) AS VARCHAR) AS faults
FROM unreadable
INNER JOIN (
    SELECT
        table_name,
        row_id,
        list(
            struct_pack(check_name, column_name, found, expected)
            ORDER BY check_name, column_name, found
        ) AS faults
    FROM cell_findings
    GROUP BY table_name, row_id
) AS faults USING (table_name, row_id)
"""
"""Rows that have no values, as text, each with what is wrong with its cells."""


def _whole(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    return {name: (f"SELECT * FROM {name}", "ALL") for name in names}


def _input_select(name: str) -> tuple[str, str]:
    """The rows of an input table as they were read, with whether each was accepted; its order."""
    contract = TableContract(name)
    columns = list(contract.types)
    rest = [column for column in columns if column not in contract.key]
    select = (
        f"SELECT {', '.join(columns)}, rejected_rows.row_id IS NULL AS accepted FROM raw_{name}"
        f" LEFT JOIN (SELECT row_id FROM rejected_rows WHERE table_name = '{name}')"
        " AS rejected_rows USING (row_id)"
    )
    return select, ", ".join([*contract.key, *rest])


def _kept_tables(con: duckdb.DuckDBPyConnection, plan: Plan) -> list[str]:
    left_out = {*PERSON_TABLES, *WORKING_TABLES, *REFERENCE, "previous_funding"}
    left_out |= {EARLIER_COUNTS, PREVIOUS_COUNTS}
    if not pooled_kpis(plan.methodology):  # as in the rounds of before there was pooling
        left_out.add(PARAM_POOL)
    return sorted(
        name
        for name in tables_made(con)
        if name not in left_out and not name.startswith(("raw_", "read_", "all_"))
    )


def _freeze_methodology(plan: Plan, built: Path) -> dict[str, str]:
    methodology = plan.methodology
    digest = rounds.freeze_methodology(built, plan.methodology_file)
    return {"name": methodology.name, "start": str(methodology.start), "sha256": digest}


def _freeze_rule(plan: Plan, built: Path) -> dict[str, Any]:
    rule = plan.rule
    digest, earlier = rounds.freeze_rules(built, plan.rule_file, plan.earlier_files)
    return {"name": rule.name, "start": str(rule.start), "sha256": digest, "earlier": earlier}


def _check_results(con: duckdb.DuckDBPyConnection, sql: Path) -> dict[str, int]:
    """Return how many rows each check found; 0 where it holds."""
    found = dict(
        con.execute("SELECT check_name, count(*) FROM findings GROUP BY check_name").fetchall()
    )
    names = [*CELL_CHECKS, *(select.table for select in _checks_ready(con, sql))]
    return {name: found.get(name, 0) for name in names}


def _national_sums(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the sums that a signed order quotes: colleges, students, tenge per year."""
    [(units, active, students)] = con.execute(
        "SELECT count(*), count(*) FILTER (WHERE status = 'active'),"
        " CAST(coalesce(sum(students), 0) AS BIGINT) FROM unit_profile"
    ).fetchall()
    [(ranked,)] = con.execute("SELECT count(rank) FROM ranking").fetchall()
    sums = {"units": units, "active": active, "ranked": ranked, "students": students}
    if "funding_totals" in tables_made(con):
        row = con.sql(
            "SELECT rtrim(rtrim(CAST(students AS VARCHAR), '0'), '.') AS eligible_students,"
            " qualifying, base_amount, incentive_amount, guarantee_amount, amount"
            " FROM funding_totals WHERE in_force"
        ).pl()
        sums |= row.row(0, named=True)
    return sums


def _sources(given: str, intake: Intake, key: bytes, started: dt.datetime) -> dict[str, Any]:
    libraries = ("duckdb", "numpy", "pandera", "polars", "pyarrow", "pydantic")
    return {
        "input": given,
        "files": intake.files,
        "unread": intake.unread,
        "left_out": intake.left_out,
        "notes": intake.notes,
        "pseudonym_key": key_id(key),
        "started": started.isoformat(timespec="seconds"),
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in libraries},
    }
