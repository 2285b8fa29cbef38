"""One round, from the input folder to a draft: the way of the data, step by step (DESIGN §3)."""

import datetime as dt
import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import kpi
from funding.allocation import allocate
from funding.rule import Rule, earlier_rules, load_rule
from kpi import rounds
from kpi.dated import path_of
from kpi.intake import CELL_CHECKS, Intake, Report, TableContract, read_inputs
from kpi.methodology import Methodology, first_year, load_methodology, round_dates
from kpi.pipeline import (
    REFERENCE,
    REGISTERS,
    Select,
    connect,
    count_kpis,
    get_table,
    kpi_selects,
    load_parameters,
    load_reference,
    put_table,
    read_selects,
    reject_rows,
    require_tables,
    run_checks,
    run_selects,
    tables_made,
)
from kpi.pseudonyms import key_id
from kpi.ranking import framework_of, rank_units

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
)
"""Tables that name rows by their place in a file: the draft holds their content elsewhere."""


@dataclass
class Plan:
    """What a round is asked to be; made and checked before any input is read."""

    round_id: str
    methodology_name: str
    rule_name: str
    days: Mapping[str, dt.date | None] = field(default_factory=dict)
    methodology: Methodology = field(init=False)
    rule: Rule = field(init=False)
    earlier: list[Rule] = field(init=False)
    dates: dict[str, dt.date] = field(init=False)

    def __post_init__(self) -> None:
        """Find the versions in force on count_on. Raises CallError where there is none."""
        autumn = dt.date(first_year(self.round_id), 10, 1)
        self.methodology = load_methodology(
            self.methodology_name, self.days.get("count_on") or autumn
        )
        self.dates = round_dates(self.round_id, self.methodology, dict(self.days))
        self.methodology = load_methodology(self.methodology_name, self.dates["count_on"])
        self.rule = load_rule(self.rule_name, self.dates["count_on"])
        self.earlier = earlier_rules(self.rule)


def run_round(folder: Path, store: Path, plan: Plan, key: bytes, report: Report) -> rounds.Round:
    """Compute a round from the input folder and keep it as the newest draft in the store.

    Raises CallError or DataError when nothing can be computed; rows that were rejected are in the
    draft's findings.
    """
    started = dt.datetime.now(dt.UTC)
    with rounds.building(store, plan.round_id) as built:
        (built / "tmp").mkdir()
        con = connect(built / "tmp")
        try:
            intake = read_inputs(con, folder, key, report)
            compute(con, plan, intake, folder, report)
            report("writing the draft", 0, 1)
            receipt = _write_draft(con, plan, intake, built)
        finally:
            con.close()
        shutil.rmtree(built / "tmp")
        rounds.write_documents(built, receipt, _sources(folder, intake, key, started))
        report("writing the draft", 1, 1)
        return rounds.finish_draft(built)


def check_folder(
    folder: Path, plan: Plan, key: bytes, report: Report
) -> tuple[Intake, pl.DataFrame, pl.DataFrame]:
    """Read and check an input folder without keeping anything.

    Returns what was read, the findings, and the rows read, clean and rejected per table and
    college.
    """
    with tempfile.TemporaryDirectory() as spill:
        con = connect(Path(spill))
        try:
            intake = read_inputs(con, folder, key, report)
            check_rows(con, plan)
            run_selects(con, read_selects(con, "1_clean"))
            run_new_checks(con)
            return intake, findings_of(con), get_table(con, "row_counts")
        finally:
            con.close()


def compute(
    con: duckdb.DuckDBPyConnection, plan: Plan, intake: Intake, folder: Path, report: Report
) -> None:
    """Run every step over the rows that intake left in ``con``: checks, clean tables, KPIs,
    profile, ranking, funding, and the checks of what came out.
    """
    clean = read_selects(con, "1_clean")
    kpis = kpi_selects(con, plan.methodology)
    require_tables(kpis, clean, intake, folder)
    report("checking rows", 0, 5)
    check_rows(con, plan)
    report("counting KPIs", 1, 5)
    run_selects(con, clean)
    count_kpis(con, kpis)
    run_selects(con, read_selects(con, "3_profile"))
    report("ranking", 2, 5)
    rank(con, plan.methodology)
    report("funding", 3, 5)
    if "students" in intake.given:
        allocate(con, plan.rule, plan.earlier, plan.methodology)
    else:
        intake.notes.append("No register of students was given: nothing can be funded.")
    report("checking results", 4, 5)
    run_new_checks(con)
    report("checking results", 5, 5)


def check_rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Check every row read, alone and against the others, and reject those with an error."""
    load_reference(con)
    load_parameters(con, plan.round_id, plan.methodology, plan.dates)
    run_checks(con, _checks_ready(con), CELL_CHECKS)
    reject_rows(con)


def run_new_checks(con: duckdb.DuckDBPyConnection) -> None:
    """Run the checks that can be run by now and were not yet."""
    done = {name for (name,) in con.execute("SELECT check_name FROM param_check").fetchall()}
    run_checks(con, [select for select in _checks_ready(con) if select.table not in done], {})


def _checks_ready(con: duckdb.DuckDBPyConnection) -> list[Select]:
    """Return the checks whose tables exist by now."""
    made = tables_made(con)
    return [select for select in read_selects(con, "checks") if select.reads <= made]


def rank(con: duckdb.DuckDBPyConnection, methodology: Methodology) -> None:
    """Make ``framework``, ``kpi_scores`` and ``ranking`` from the stored KPI values and gates."""
    kpi_scores, ranking = rank_units(
        get_table(con, "unit_profile"),
        get_table(con, "kpi_values"),
        get_table(con, "gates"),
        methodology,
    )
    put_table(con, "framework", framework_of(methodology))
    put_table(con, "kpi_scores", kpi_scores)
    put_table(con, "ranking", ranking)


def findings_of(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the findings in order, without the working row numbers."""
    rows: pl.DataFrame = con.sql(
        "SELECT * EXCLUDE (row_id) FROM findings"
        " ORDER BY table_name, college_id, check_name, column_name, found, expected, message,"
        " file, record"
    ).pl()
    return rows


def _write_draft(
    con: duckdb.DuckDBPyConnection, plan: Plan, intake: Intake, built: Path
) -> dict[str, Any]:
    """Write every table of the round and return the receipt."""
    inputs = {name: _input_select(name) for name in intake.given}
    inputs["unreadable"] = (
        "SELECT table_name, college_id, person_id, cells FROM unreadable",
        "ALL",
    )
    return {
        "product": kpi.__version__,
        "round": plan.round_id,
        "dates": {name: str(day) for name, day in plan.dates.items()},
        "methodology": _freeze_methodology(plan, built),
        "rule": _freeze_rule(plan, built),
        "sql": {"sha256": rounds.freeze_sql(built)},
        "inputs": rounds.write_tables(con, built, "inputs", inputs),
        "reference": rounds.write_tables(con, built, "reference", _whole(REFERENCE)),
        "tables": rounds.write_tables(con, built, "tables", _whole(_kept_tables(con))),
        "findings": rounds.write_findings(built, findings_of(con)),
        "checks": _check_results(con),
        "waivers": [],
        "national": _national_sums(con),
    }


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


def _kept_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    left_out = {*PERSON_TABLES, *WORKING_TABLES, *REFERENCE}
    return sorted(
        name
        for name in tables_made(con)
        if name not in left_out and not name.startswith(("raw_", "read_", "all_"))
    )


def _freeze_methodology(plan: Plan, built: Path) -> dict[str, str]:
    methodology = plan.methodology
    path = path_of("methodology", plan.methodology_name, methodology)
    digest = rounds.freeze_methodology(built, path)
    return {"name": methodology.name, "start": str(methodology.start), "sha256": digest}


def _freeze_rule(plan: Plan, built: Path) -> dict[str, Any]:
    rule = plan.rule
    older = {
        str(version.start): path_of("rules", version.name, version) for version in plan.earlier
    }
    digest, earlier = rounds.freeze_rules(built, path_of("rules", plan.rule_name, rule), older)
    return {"name": rule.name, "start": str(rule.start), "sha256": digest, "earlier": earlier}


def _check_results(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many rows each check found; 0 where it holds."""
    found = dict(
        con.execute("SELECT check_name, count(*) FROM findings GROUP BY check_name").fetchall()
    )
    names = [*CELL_CHECKS, *(select.table for select in _checks_ready(con))]
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
            "SELECT students AS eligible_students, qualifying, base_amount, incentive_amount,"
            " amount FROM funding_totals WHERE in_force"
        ).pl()
        sums |= row.row(0, named=True)
    return sums


def _sources(folder: Path, intake: Intake, key: bytes, started: dt.datetime) -> dict[str, Any]:
    libraries = ("duckdb", "numpy", "pandera", "polars", "pyarrow", "pydantic")
    return {
        "input": str(folder),
        "files": intake.files,
        "unread": intake.unread,
        "notes": intake.notes,
        "pseudonym_key": key_id(key),
        "started": started.isoformat(timespec="seconds"),
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in libraries},
    }
