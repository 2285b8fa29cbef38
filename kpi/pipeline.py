"""Run ``sql/`` on DuckDB: parameters in, one table a SELECT out, in the order the SELECTs need.

Every file of ``sql/`` is one SELECT; its name is its table's name. What it reads is taken from
DuckDB's parse tree, so the order of the files follows from their text alone.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from kpi.errors import CallError, DataError, phrase
from kpi.intake import Intake
from kpi.methodology import Kpi, Methodology, first_year
from kpi.resources import data_folder

REGISTERS = ("students", "graduates", "dual_agreements")
"""Clean tables with one row a person: views over the rows that ``inputs/`` keeps once."""

REFERENCE = (
    *("regions", "clusters", "specialties", "agencies"),
    *("old_specialties", "assessment_shares"),
)
"""The tables of ``data/reference/``. A round of before version 0.5 holds the first four alone."""

ASSESSED_POINTS = "assessment_points"
"""The one SELECT of sql/2_kpi/ for all KPIs that take assessed points; it names the KPI itself."""


@dataclass(frozen=True)
class Select:
    """One file of ``sql/``: its table, its text, and the tables that it reads."""

    table: str
    text: str
    reads: frozenset[str]

    def header(self, field: str) -> str:
        """Return a field of the opening comment, such as ``severity`` of a check."""
        found = re.search(rf"^-- {field}: (.+)$", self.text, re.MULTILINE)
        if not found:
            raise ValueError(f"{self.table}.sql has no line `-- {field}: ...`")
        return found.group(1).strip()


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a working database in memory that may spill into ``folder``."""
    con = duckdb.connect()
    con.execute("SET temp_directory = $1", [str(folder)])
    con.execute("SET memory_limit = '800MB'")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET enable_progress_bar = false")
    con.execute("SET checkpoint_threshold = '1TB'")  # nothing here outlives the process
    return con


def read_selects(con: duckdb.DuckDBPyConnection, folder: Path) -> list[Select]:
    """Return the SELECTs of one folder, such as ``sql/2_kpi``, by name."""
    paths = sorted(folder.glob("*.sql"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    return [Select(table, text, tables_read(con, text)) for table, text in texts.items()]


def tables_read(con: duckdb.DuckDBPyConnection, text: str) -> frozenset[str]:
    """Return the tables that a SELECT reads: the base tables of its parse tree less its CTEs.

    Raises ValueError for anything but one SELECT.
    """
    [(tree_text,)] = con.execute("SELECT json_serialize_sql($1)", [text]).fetchall()
    tree = json.loads(tree_text)
    if tree["error"] or len(tree["statements"]) != 1:
        raise ValueError(tree.get("error_message", "expected one SELECT"))
    named: set[str] = set()
    own: set[str] = set()
    _walk(tree["statements"], named, own)
    return frozenset(named - own)


def _walk(node: Any, named: set[str], own: set[str]) -> None:
    if isinstance(node, list):
        for part in node:
            _walk(part, named, own)
    elif isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            path = (node.get("qualified_name") or {}).get("path") or [node["table_name"]]
            named.add(path[-1])
        for entry in (node.get("cte_map") or {}).get("map", []):
            own.add(entry["key"])
        for part in node.values():
            _walk(part, named, own)


def in_order(selects: Iterable[Select]) -> list[Select]:
    """Return the SELECTs so that each stands after those whose tables it reads."""
    by_table = {select.table: select for select in selects}
    graph = {table: select.reads & by_table.keys() for table, select in by_table.items()}
    try:
        return [by_table[table] for table in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise ValueError(
            f"the files of sql/ read one another in a circle: {error.args[1]}"
        ) from None


def run_selects(con: duckdb.DuckDBPyConnection, selects: Iterable[Select]) -> None:
    """Make the table of each SELECT, in order; a register of people becomes a view."""
    for select in in_order(selects):
        what = "VIEW" if select.table in REGISTERS else "TABLE"
        con.execute(f"CREATE OR REPLACE {what} {select.table} AS {select.text}")


def shipped_reference() -> dict[str, pl.DataFrame]:
    """Return the reference tables of ``data/reference/``, text as it stands there."""
    folder = data_folder() / "reference"
    return {table: pl.read_csv(folder / f"{table}.csv", infer_schema=False) for table in REFERENCE}


def put_table(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    """Make or replace a table with the rows of a frame."""
    con.register("incoming", rows.to_arrow())
    con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM incoming")
    con.unregister("incoming")


def put_tables(con: duckdb.DuckDBPyConnection, tables: Mapping[str, pl.DataFrame]) -> None:
    """Make or replace several tables."""
    for table, rows in tables.items():
        put_table(con, table, rows)


def tables_made(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names of the tables and views that exist by now."""
    rows = con.execute("SELECT table_name FROM information_schema.tables").fetchall()
    return {name for (name,) in rows}


def get_table(con: duckdb.DuckDBPyConnection, table: str) -> pl.DataFrame:
    """Return a table as a frame, ordered by all its columns, the key's first."""
    rows: pl.DataFrame = con.sql(f"SELECT * FROM {table} ORDER BY ALL").pl()
    return rows


def round_parameters(
    round_id: str, methodology: Methodology, dates: Mapping[str, dt.date]
) -> dict[str, pl.DataFrame]:
    """Return the tables ``param_round``, ``param_month``, ``param_kpi``, ``param_source`` and
    ``param_gate``.
    """
    indicator = methodology.specialty_indicator
    year = first_year(round_id)
    one = {
        "round": round_id,
        **dict(sorted(dates.items())),
        "year_from": dt.date(year, 9, 1),
        "unit": methodology.unit.value,
        "min_students": methodology.min_students.value,
        "specialty_indicator": indicator.value if indicator else None,
    }
    months = [
        (place, dt.date(year + (place > 4), (place + 7) % 12 + 1, 1)) for place in range(1, 13)
    ]
    gated = {gate.kpi for gate in methodology.gates}
    kpis = [
        (k.code, k.kind, k.min_denominator, k.applies_to, _direction(k, gated))
        for k in methodology.kpis
    ]
    sources = [(a.destination, source) for a in methodology.sources for source in a.sources]
    gates = [
        (g.kpi, g.kpi, g.threshold, g.on_small_cohort, g.on_no_data) for g in methodology.gates
    ]
    return {
        "param_round": pl.DataFrame([one], schema_overrides={"specialty_indicator": pl.String}),
        "param_month": rows_of(months, place=pl.Int64, month=pl.Date),
        "param_kpi": rows_of(
            kpis,
            kpi=pl.String,
            kind=pl.String,
            min_denominator=pl.Int64,
            applies_to=pl.List(pl.String),
            direction=pl.Int64,
        ),
        "param_source": rows_of(sources, destination=pl.String, source=pl.String),
        "param_gate": rows_of(
            gates,
            gate=pl.String,
            kpi=pl.String,
            threshold=pl.Decimal(18, 6),
            on_small_cohort=pl.String,
            on_no_data=pl.String,
        ),
    }


def _direction(kpi: Kpi, gated: set[str]) -> int | None:
    """Return whether more of a KPI is better (1) or less (-1); None where nothing says so. A gate
    asks for at least its threshold.
    """
    if kpi.score is not None:
        return kpi.score.direction
    return 1 if kpi.code in gated else None


def rows_of(rows: list[Any], **schema: Any) -> pl.DataFrame:
    """Return tuples as a frame; ``schema`` has a type by column."""
    return pl.DataFrame(rows, schema=schema, orient="row")


def kpi_selects(
    con: duckdb.DuckDBPyConnection, methodology: Methodology, sql: Path
) -> list[Select]:
    """Return the SELECT of each KPI of the methodology (one for all that take assessed points).

    Raises CallError for a KPI that has none.
    """
    by_table = {select.table: select for select in read_selects(con, sql / "2_kpi")}
    wanted = dict.fromkeys(
        ASSESSED_POINTS if kpi.kind == "points" else kpi.code for kpi in methodology.kpis
    )
    for code in wanted:
        if code not in by_table:
            raise CallError(
                phrase("The KPI {code} has no SELECT.", code=code),
                where=f"methodology {methodology.name} {methodology.start}",
                expected=phrase(
                    "a file sql/2_kpi/{code}.sql that returns college_id, numerator, denominator",
                    code=code,
                ),
                do="Write the file, or take the KPI out of the methodology.",
            )
    return [by_table[code] for code in wanted]


def require_tables(
    selects: Iterable[Select], clean: Iterable[Select], intake: Intake, where: str
) -> None:
    """Check that the input has ``colleges`` and the tables that the KPIs read, through whatever
    clean tables. Raises DataError that names each missing file and the KPI that needs it.
    """
    clean_reads = {select.table: select.reads for select in clean}
    needs = {"colleges": "every round"}
    for select in selects:
        for table in _inputs_read(select.reads, clean_reads):
            needs.setdefault(table, f"the KPI {select.table}")
    missing = {table: why for table, why in sorted(needs.items()) if table not in intake.given}
    if missing:
        raise DataError(
            "Input tables are missing.",
            where=where,
            found="files for "
            + (", ".join(intake.given) or "no table at all")
            + (f"; left unread: {', '.join(intake.unread)}" if intake.unread else ""),
            expected="; ".join(f"{t}.csv, needed by {why}" for t, why in missing.items()),
            do="Add the files, or choose a methodology that does not need them.",
        )


def _inputs_read(reads: Iterable[str], clean_reads: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the input tables behind the tables that a SELECT reads."""
    found: set[str] = set()
    waiting, seen = list(reads), set()
    while waiting:
        table = waiting.pop()
        if table in seen:
            continue
        seen.add(table)
        if table.startswith("raw_"):
            found.add(table.removeprefix("raw_"))
        waiting.extend(clean_reads.get(table, ()))
    return found


def count_kpis(con: duckdb.DuckDBPyConnection, selects: Iterable[Select]) -> None:
    """Run each KPI and stack them into ``kpi_counts``: kpi, college_id, numerator, denominator."""
    con.execute(
        "CREATE OR REPLACE TABLE kpi_counts (kpi VARCHAR, college_id VARCHAR,"
        " numerator DECIMAL(18, 4), denominator DECIMAL(18, 4))"
    )
    for select in selects:
        names_itself = select.table == ASSESSED_POINTS
        con.execute(
            f"INSERT INTO kpi_counts SELECT {'kpi' if names_itself else '$kpi'}, college_id,"
            f" numerator, denominator FROM ({select.text}) WHERE college_id IS NOT NULL",
            {} if names_itself else {"kpi": select.table},
        )


def run_checks(
    con: duckdb.DuckDBPyConnection, selects: Iterable[Select], cell_checks: Mapping[str, str]
) -> None:
    """Run checks and add the rows that they select to ``findings``."""
    con.execute(
        "CREATE TABLE IF NOT EXISTS findings (table_name VARCHAR, college_id VARCHAR,"
        " check_name VARCHAR, severity VARCHAR, column_name VARCHAR, found VARCHAR,"
        " expected VARCHAR, message VARCHAR, file VARCHAR, record BIGINT, row_id BIGINT)"
    )
    sentences = [(name, "error", sentence) for name, sentence in cell_checks.items()]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE found_rows (check_name VARCHAR, table_name VARCHAR,"
        " row_id BIGINT, college_id VARCHAR, column_name VARCHAR, found VARCHAR, expected VARCHAR)"
    )
    if cell_checks:
        con.execute(
            "INSERT INTO found_rows SELECT cell_findings.check_name, cell_findings.table_name,"
            " row_id, college_id, column_name, found, expected"
            " FROM cell_findings INNER JOIN unreadable USING (table_name, row_id)"
        )
    for select in selects:
        sentences.append((select.table, select.header("severity"), select.header("message")))
        con.execute(
            "INSERT INTO found_rows SELECT $check_name, table_name, row_id, college_id,"
            f" column_name, found, expected FROM ({select.text})",
            {"check_name": select.table},
        )
    put_table(
        con,
        "param_check",
        pl.DataFrame(
            sentences,
            schema={"check_name": pl.String, "severity": pl.String, "sentence": pl.String},
            orient="row",
        ),
    )
    con.execute(_ADD_FINDINGS)


_ADD_FINDINGS = """
INSERT INTO findings
SELECT
    found_rows.table_name,
    found_rows.college_id,
    found_rows.check_name,
    param_check.severity,
    found_rows.column_name,
    found_rows.found,
    found_rows.expected,
    replace(replace(replace(param_check.sentence,
        '{column}', coalesce(found_rows.column_name, '')),
        '{found}', coalesce(found_rows.found, '')),
        '{expected}', coalesce(found_rows.expected, '')),
    source_files.file,
    all_places.record,
    found_rows.row_id
FROM found_rows
INNER JOIN param_check USING (check_name)
LEFT JOIN all_places
    ON all_places.table_name = found_rows.table_name
    AND all_places.row_id = found_rows.row_id
LEFT JOIN source_files ON source_files.file_no = all_places.file_no
"""


def reject_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``rejected_rows``: every row read that has an error."""
    con.execute(
        "CREATE OR REPLACE TABLE rejected_rows AS"
        " SELECT DISTINCT findings.table_name, findings.row_id, read_rows.college_id"
        " FROM findings INNER JOIN read_rows USING (table_name, row_id)"
        " WHERE findings.severity = 'error'"
    )
