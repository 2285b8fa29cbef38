"""What each person of one unit counts for, by the round's own SQL (DESIGN §5, §6).

Rows about people are not kept in ``tables/``. They are derived here from the frozen inputs, and no
definition is written a second time: every KPI's SELECT groups and joins by ``unit_id``, so a schema
``person`` is put before ``main`` in which each person is a unit of their own. There the same files
of ``sql/`` give each person's numerator and denominator, 0 or 1, and why the state does not pay.

Only the rows of the unit are loaded, with those that a check needs to say why a row was rejected.
Whether a row was accepted is taken as the round stored it.
"""

import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from funding.allocation import rule_parameters
from funding.rule import Rule
from funding.run import check_rows, plan_of
from kpi.colleges import find_college
from kpi.contract import TableContract
from kpi.errors import CallError, DataError
from kpi.methodology import Kpi
from kpi.pipeline import (
    REGISTERS,
    Select,
    connect,
    count_kpis,
    kpi_selects,
    put_table,
    put_tables,
    read_selects,
    run_selects,
)
from kpi.pooling import own_counts
from kpi.rounds import Round
from kpi.store import load_frozen

Row = dict[str, Any]

REGISTER_OF = {"register_share": "students", "outcome_share": "graduates"}
"""The register whose rows a KPI of this kind counts; KPIs of other kinds are no sums of people."""

NUMERATOR, DENOMINATOR = "numerator", "denominator"

NOT_COUNTED = "not_counted"
"""The reason of a student whom the rule would pay for, were they there on the day of the count."""


@dataclass(frozen=True)
class CountedPeople:
    """The people of one unit and what each counts for.

    ``students``: a row per accepted enrolment, the register's columns, then ``months_paid`` (of 12;
    12 or 0 where the rule counts on one day), ``not_paid_reason`` and ``<kpi>.numerator``,
    ``<kpi>.denominator`` (0 or 1). ``graduates``: a row per accepted graduate, the register's
    columns without wage and employer, ``in_cohort``, ``work_unconfirmed`` and the same pairs.
    ``rejected``: a row per row and finding that counts nowhere.
    """

    college: Row
    unit: Row
    members: pl.DataFrame
    rule: Rule
    dates: Mapping[str, dt.date]
    kpis: dict[str, list[Kpi]]
    students: pl.DataFrame
    graduates: pl.DataFrame
    rejected: pl.DataFrame

    def sums(self, register: str, kpi: str) -> tuple[int, int]:
        """Return the sums of a KPI's numerators and denominators over its people."""
        people = self.students if register == "students" else self.graduates
        return (
            int(people[f"{kpi}.{NUMERATOR}"].sum()),
            int(people[f"{kpi}.{DENOMINATOR}"].sum()),
        )

    def months_paid(self) -> int:
        """Return the student months that the state pays for."""
        return int(self.students["months_paid"].sum())


def count_people(of_round: Round, college: str) -> CountedPeople:
    """Return the people of a college's unit, each with what they count for.

    ``college`` is an id (a branch or a merged college leads to its unit) or a part of one college's
    name. Raises CallError when it names none or several, or the round has no people; DataError, a
    fault of the product, when the people do not sum to the round's figures.
    """
    found = find_college(of_round, college)
    unit = _unit_row(of_round, found)
    if not {"students", "graduates"} & of_round.receipt["inputs"].keys():
        raise CallError(
            "The round has no register of people, so there is nobody to list.",
            where=f"{of_round.name} {of_round.version}",
            found=", ".join(of_round.receipt["inputs"]),
            expected="students or graduates",
        )
    members = of_round.table("colleges").filter(pl.col("unit_id") == unit["college_id"])
    with tempfile.TemporaryDirectory() as folder:
        con = connect(Path(folder))
        try:
            counted = _count(con, of_round, found, unit, members, Path(folder))
        finally:
            con.close()
    _hold_against_the_round(of_round, counted)
    return counted


def _unit_row(of_round: Round, found: Row) -> Row:
    units = of_round.table("unit_profile").filter(pl.col("college_id") == found["unit_id"])
    if units.is_empty():
        raise CallError(
            "The college counts for a unit whose own row was rejected.",
            where=f"{of_round.name} {of_round.version}",
            found=f"{found['college_id']} counts for {found['unit_id']}",
            do="Correct that college's row and run the round again.",
        )
    return units.row(0, named=True)


def _count(
    con: duckdb.DuckDBPyConnection,
    of_round: Round,
    found: Row,
    unit: Row,
    members: pl.DataFrame,
    folder: Path,
) -> CountedPeople:
    plan = plan_of(of_round)
    put_table(con, "members", members.select("college_id"))
    files = _own_files(con, of_round.input_files(), folder)
    load_frozen(con, files)
    check_rows(con, plan)  # for what the findings say; not for which rows they reject
    _reject_as_stored(con, files)
    put_tables(con, rule_parameters(plan.rule))
    clean = read_selects(con, plan.sql / "1_clean")
    run_selects(con, clean)
    rejected = _rejected(con)
    kpis: dict[str, list[Kpi]] = {register: [] for register in REGISTER_OF.values()}
    for kpi in plan.methodology.kpis:
        if kpi.kind in REGISTER_OF:
            kpis[REGISTER_OF[kpi.kind]].append(kpi)
    additive = {kpi.code for of_register in kpis.values() for kpi in of_register}
    selects = [s for s in kpi_selects(con, plan.methodology, plan.sql) if s.table in additive]
    _make_people_units(con, unit["college_id"])
    paying = _named(con, plan.sql, "3_profile", "student_groups")
    paying += _named(con, plan.sql, "4_funding", "group_reasons")
    run_selects(con, [*_of_people(selects, clean), *paying])
    count_kpis(con, selects)
    counts = con.sql("SELECT kpi, college_id AS person, numerator, denominator FROM kpi_counts")
    by_person = counts.pl()
    return CountedPeople(
        college=found,
        unit=unit,
        members=members,
        rule=plan.rule,
        dates=plan.dates,
        kpis=kpis,
        students=_with_counts(con.sql(_STUDENTS).pl(), by_person, kpis["students"]),
        graduates=_with_counts(con.sql(_GRADUATES).pl(), by_person, kpis["graduates"]),
        rejected=rejected,
    )


# ---- the unit's own rows ----

_MINE = "college_id IN (SELECT college_id FROM members)"
_IDS = {
    "students": ["student_id"],
    "graduates": ["graduate_id"],
    "dual_agreements": ["agreement_id", "student_id"],
}
_NEEDED = {
    "students": "student_id IN (SELECT id FROM suspects)",
    "graduates": "graduate_id IN (SELECT id FROM suspects)",
    "dual_agreements": "agreement_id IN (SELECT id FROM suspects)",
    "unreadable": "table_name = 'colleges' OR person_id IN (SELECT id FROM suspects)",
}


def _own_files(
    con: duckdb.DuckDBPyConnection, files: Mapping[str, Path], folder: Path
) -> dict[str, Path]:
    """Write the unit's rows of each input, and those that share an id with a rejected one of it:
    the checks across rows need both sides. Colleges are few and kept whole.
    """
    con.execute("CREATE TABLE suspects (id VARCHAR)")
    for name, columns in _IDS.items():
        for column in columns if name in files else ():
            con.execute(
                f"INSERT INTO suspects SELECT {column} FROM read_parquet($1)"
                f" WHERE {_MINE} AND NOT accepted",
                [str(files[name])],
            )
    [(suspects,)] = con.execute("SELECT count(*) FROM suspects").fetchall()
    own = {}
    for name, path in files.items():
        own[name] = path
        if name == "colleges":
            continue
        others = _NEEDED.get(name) if suspects or name == "unreadable" else None
        own[name] = folder / f"{name}.parquet"
        target = str(own[name]).replace("'", "''")
        con.execute(
            f"COPY (SELECT * FROM read_parquet($1) WHERE {_MINE}"
            f"{' OR ' + others if others else ''}) TO '{target}' (FORMAT parquet)",
            [str(path)],
        )
    return own


def _reject_as_stored(con: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> None:
    """Make ``rejected_rows`` what the round decided, for the rows that were loaded."""
    con.execute("DELETE FROM rejected_rows")
    for name in sorted(files.keys() - {"unreadable"}):
        con.execute(
            "INSERT INTO rejected_rows SELECT $2, file_row_number, college_id"
            " FROM read_parquet($1, file_row_number = true) WHERE NOT accepted",
            [str(files[name]), name],
        )
    con.execute("INSERT INTO rejected_rows SELECT table_name, row_id, college_id FROM unreadable")


def _rejected(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the unit's rows that count nowhere, one a finding; a college's row also where it
    names the unit as its own.
    """
    parts = []
    for name in (*REGISTERS, "colleges", "accreditations", "assessments"):
        contract = TableContract(name)
        person = contract.identifiers[0] if contract.identifiers else "NULL"
        record_no = "record_no" if "record_no" in contract.types else "NULL"
        mine = f"raw_{name}.{_MINE}"
        if name == "colleges":
            mine += "".join(
                f" OR {column} IN (SELECT college_id FROM members)"
                for column in ("parent_id", "successor_id")
            )
        parts.append(
            f"SELECT '{name}' AS table_name, row_id, college_id, {person} AS person,"
            f" {record_no} AS record_no FROM raw_{name} WHERE {mine}"
        )
    parts.append(
        "SELECT table_name, row_id, college_id, person_id AS person,"
        " json_extract_string(cells, '$.record_no') AS record_no FROM unreadable"
        f" WHERE {_MINE}"
    )
    rows: pl.DataFrame = con.sql(
        "SELECT mine.table_name, mine.college_id, mine.person, mine.record_no,"
        " findings.check_name, findings.column_name, findings.found, findings.expected,"
        f" findings.message FROM ({' UNION ALL '.join(parts)}) AS mine"
        " INNER JOIN rejected_rows USING (table_name, row_id)"
        " LEFT JOIN findings ON findings.table_name = mine.table_name"
        " AND findings.row_id = mine.row_id AND findings.severity = 'error'"
        " ORDER BY ALL"
    ).pl()
    return rows


# ---- each person a unit of their own ----


def _make_people_units(con: duckdb.DuckDBPyConnection, unit_id: str) -> None:
    """Make the schema ``person``: the clean tables that the KPIs read, with a person's key for
    ``unit_id``, and put it before ``main``. What belongs to the unit belongs to each of its people:
    its accreditations, its row of ``colleges``; an agreement to each enrolment of its student.
    """
    con.execute("CREATE SCHEMA person")
    for register in REGISTER_OF.values():
        key = ", ".join(TableContract(register).key)
        con.execute(
            f"CREATE TABLE person.{register} AS SELECT * REPLACE"
            f" (concat_ws('|', '{register}', {key}) AS unit_id)"
            f" FROM main.{register} WHERE unit_id = $1",
            [unit_id],
        )
    con.execute(
        "CREATE TABLE person.people AS SELECT unit_id AS person FROM person.students"
        " UNION ALL SELECT unit_id FROM person.graduates"
    )
    con.execute(
        "CREATE TABLE person.dual_agreements AS SELECT dual_agreements.* REPLACE"
        " (enrolled.unit_id AS unit_id) FROM main.dual_agreements AS dual_agreements"
        " INNER JOIN person.students AS enrolled"
        " ON enrolled.student_id = dual_agreements.student_id"
        " WHERE dual_agreements.unit_id = $1",
        [unit_id],
    )
    con.execute(
        "CREATE TABLE person.accreditations AS SELECT accreditations.* REPLACE (person AS unit_id)"
        " FROM main.accreditations AS accreditations CROSS JOIN person.people"
        " WHERE accreditations.unit_id = $1",
        [unit_id],
    )
    con.execute(
        "CREATE TABLE person.colleges AS SELECT colleges.* REPLACE"
        " (person AS college_id, person AS unit_id)"
        " FROM main.colleges AS colleges CROSS JOIN person.people WHERE colleges.college_id = $1",
        [unit_id],
    )
    con.execute("SET search_path = 'person,main'")


def _of_people(selects: Iterable[Select], clean: Iterable[Select]) -> list[Select]:
    """Return the clean tables that the SELECTs read and that are made from other clean tables:
    these are made again from the people.
    """
    derived = {
        select.table: select
        for select in clean
        if not any(table.startswith("raw_") for table in select.reads)
    }
    found: dict[str, Select] = {"cohort": derived["cohort"]}
    waiting = [table for select in selects for table in select.reads]
    while waiting:
        table = waiting.pop()
        if table in derived and table not in found:
            found[table] = derived[table]
            waiting += derived[table].reads
    return list(found.values())


def _named(con: duckdb.DuckDBPyConnection, sql: Path, folder: str, table: str) -> list[Select]:
    return [select for select in read_selects(con, sql / folder) if select.table == table]


_STUDENTS = f"""
SELECT
    students.* EXCLUDE (unit_id, college_status),
    students.unit_id AS person,
    CASE
        WHEN group_reasons.not_paid_reason IS NULL
            THEN CAST(coalesce(group_reasons.student_months, 0) AS BIGINT)
        ELSE 0
    END AS months_paid,
    CASE
        WHEN coalesce(group_reasons.student_months, 0) = 0 THEN '{NOT_COUNTED}'
        ELSE group_reasons.not_paid_reason
    END AS not_paid_reason
FROM students
LEFT JOIN group_reasons ON group_reasons.college_id = students.unit_id
ORDER BY
    students.college_id, students.specialty, students.record_no, students.student_id,
    students.enrolled_on
"""


_GRADUATES = """
SELECT
    graduates.* EXCLUDE (unit_id, employer_bin, monthly_wage),
    graduates.unit_id AS person,
    cohort.unit_id IS NOT NULL AS in_cohort,
    coalesce(cohort.claims_work AND NOT cohort.is_employed, FALSE) AS work_unconfirmed
FROM graduates
LEFT JOIN cohort ON cohort.unit_id = graduates.unit_id
ORDER BY
    graduates.college_id, graduates.specialty, graduates.record_no, graduates.graduate_id,
    graduates.graduated_on
"""
"""The graduates without what no figure here needs: employer and wage."""


def _with_counts(people: pl.DataFrame, counts: pl.DataFrame, kpis: list[Kpi]) -> pl.DataFrame:
    """Add each KPI's numerator and denominator; a person whom a KPI does not count has 0 and 0."""
    for kpi in kpis:
        own = counts.filter(pl.col("kpi") == kpi.code).select(
            "person",
            pl.col("numerator").cast(pl.Int64).alias(f"{kpi.code}.{NUMERATOR}"),
            pl.col("denominator").cast(pl.Int64).alias(f"{kpi.code}.{DENOMINATOR}"),
        )
        people = people.join(own, on="person", how="left", maintain_order="left")
    return people.with_columns(
        pl.col(
            [f"{kpi.code}.{part}" for kpi in kpis for part in (NUMERATOR, DENOMINATOR)]
        ).fill_null(0)
    ).drop("person")


# ---- held against the round ----


def _hold_against_the_round(of_round: Round, counted: CountedPeople) -> None:
    """Raise DataError where the people do not sum to what the round states of their unit in its own
    year: of a pooled KPI, the people of the cohorts before are in their rounds' lists.
    """
    unit_id = counted.unit["college_id"]
    values = own_counts(of_round).filter(pl.col("college_id") == unit_id)
    stored = {
        row["kpi"]: (row["numerator"], row["denominator"]) for row in values.iter_rows(named=True)
    }
    faults = []
    for register, kpis in counted.kpis.items():
        for kpi in kpis:
            here = counted.sums(register, kpi.code)
            if here != stored[kpi.code]:
                there = "/".join(f"{part:f}" for part in stored[kpi.code])
                faults.append(f"{kpi.code}: {here[0]}/{here[1]} here, {there} in the round")
            people = counted.students if register == "students" else counted.graduates
            parts = people.select(f"{kpi.code}.{NUMERATOR}", f"{kpi.code}.{DENOMINATOR}")
            if any(not column.is_in([0, 1]).all() for column in parts.iter_columns()):
                faults.append(f"{kpi.code}: a person counts other than 0 or 1")
    if of_round.has("funding"):
        paid = of_round.table("funding").filter(pl.col("college_id") == unit_id)
        months = int(paid["student_months"].sum())
        if counted.months_paid() != months:
            faults.append(f"student_months: {counted.months_paid()} here, {months} in the round")
    if faults:
        raise DataError(
            "The people of the college do not sum to the figures of the round. This is a fault of"
            " the product, not of the data; nothing was written.",
            where=f"{of_round.name} {of_round.version}, {unit_id}",
            found="".join(f"\n    {fault}" for fault in faults),
            do="Do not use this list, and report it.",
        )
