"""Tiny valid inputs for tests: rows with sensible defaults, folders of files, rules, and a run.

Unless a test says otherwise: the round is 2025-26, students are counted on 1 October 2025, the
cohort graduated from 1 September 2024 to 31 August 2025, and a row is right in every cell.
A row is a dict; what a test does not name has its default. Ids of people are new for each row.
"""

import csv
import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from funding.run import Plan, plan_round, run_round
from kpi.contract import TableContract
from kpi.rounds import Round

KEY = b"k" * 32
ROUND = "2025-26"
THEORY, WORKSHOP, HEAVY = "01120100", "07140100", "07240100"
"""A specialty of each cost group: education, it, mining."""

ALWAYS_WRITTEN = ("colleges", "students", "graduates", "dual_agreements", "accreditations")

Row = dict[str, Any]
Tables = dict[str, list[Row]]


class Computed(Protocol):
    """A round, or whatever else has its tables."""

    def table(self, table: str) -> pl.DataFrame: ...


_numbers = itertools.count(1)


def college(college_id: str = "EX-01", **columns: Any) -> Row:
    """An active college in the town of Karaganda's region."""
    return {
        "college_id": college_id,
        "parent_id": None,
        "name_kk": None,
        "name_ru": f"Колледж {college_id}",
        "name_en": None,
        "region": "KZ-35",
        "kind": "college",
        "ownership": "communal",
        "locality": "urban",
        "status": "active",
        "successor_id": None,
        "merged_on": None,
        "administrator": None,
        **columns,
    }


def student(college_id: str = "EX-01", **columns: Any) -> Row:
    """A full-time student of the state order, enrolled on 1 September 2023 and still there."""
    return {
        "student_id": f"S{next(_numbers):07d}",
        "record_no": None,
        "college_id": college_id,
        "specialty": THEORY,
        "qualification": None,
        "course": 3,
        "study_form": "full_time",
        "funding_source": "state_order",
        "enrolled_on": "2023-09-01",
        "left_on": None,
        "left_reason": None,
        "academic_leave": False,
        "special_needs": False,
        "language": None,
        **columns,
    }


def graduate(college_id: str = "EX-01", destination: str = "unemployed", **columns: Any) -> Row:
    """A graduate of 30 June 2025: without work; an employed one since August, by the register."""
    works = destination in ("employed", "self_employed")
    return {
        "graduate_id": f"G{next(_numbers):07d}",
        "record_no": None,
        "college_id": college_id,
        "specialty": THEORY,
        "qualification": None,
        "graduated_on": "2025-06-30",
        "study_form": "full_time",
        "funding_source": "state_order",
        "dual": False,
        "destination": destination,
        "destination_source": "pension_contributions" if works else "none",
        "destination_on": "2025-08-15" if works else None,
        "employer_bin": None,
        "in_specialty": None,
        "monthly_wage": None,
        "certificate_id": None,
        **columns,
    }


def agreement(of: Row, **columns: Any) -> Row:
    """A dual agreement of a student, through the student's college, for the academic year."""
    return {
        "agreement_id": f"A{next(_numbers):07d}",
        "student_id": of["student_id"],
        "college_id": of["college_id"],
        "employer_bin": "990040000013",
        "valid_from": "2025-09-01",
        "valid_to": "2026-06-30",
        **columns,
    }


def accreditation(college_id: str = "EX-01", specialty: str | None = None, **columns: Any) -> Row:
    """An accreditation in force: of the college, or of its programme in a specialty."""
    return {
        "college_id": college_id,
        "scope": "programme" if specialty else "institutional",
        "specialty": specialty,
        "agency": "IQAA",
        "international": False,
        "register_no": f"R{next(_numbers):07d}",
        "valid_from": "2023-01-01",
        "valid_to": "2028-01-01",
        **columns,
    }


def assessment(college_id: str = "EX-01", indicator: str = "staff", **columns: Any) -> Row:
    """Ten points of a hundred for one indicator of a college."""
    return {
        "college_id": college_id,
        "specialty": None,
        "indicator": indicator,
        "value": None,
        "points": "10",
        "max_points": "100",
        **columns,
    }


def students(college_id: str, count: int, **columns: Any) -> list[Row]:
    """Several students alike."""
    return [student(college_id, **columns) for _ in range(count)]


def graduates(college_id: str, employed: int, unemployed: int, **columns: Any) -> list[Row]:
    """Several graduates, some of them in work."""
    return [graduate(college_id, "employed", **columns) for _ in range(employed)] + [
        graduate(college_id, **columns) for _ in range(unemployed)
    ]


def reaches_the_gates(members: Sequence[Row], accredited: bool = True) -> Tables:
    """Everything that the college of these students needs to pass the three shipped gates: 7 of 10
    graduates in work, a fifth of the students in dual training, and the accreditation, which
    ``accredited`` takes away.
    """
    college_id = members[0]["college_id"]
    return {
        "colleges": [college(college_id)],
        "students": list(members),
        "graduates": graduates(college_id, employed=7, unemployed=3),
        "dual_agreements": [agreement(of) for of in members[: -(-len(members) // 5)]],
        "accreditations": [accreditation(college_id)] if accredited else [],
    }


def together(*parts: Mapping[str, Iterable[Row]]) -> Tables:
    """One set of tables with the rows of all."""
    whole: Tables = {table: [] for table in ALWAYS_WRITTEN}
    for part in parts:
        for table, rows in part.items():
            whole.setdefault(table, []).extend(rows)
    return whole


def write_folder(path: Path, form: str = "csv", **tables: Sequence[Row] | None) -> Path:
    """Write an input folder: the five registers, empty where nothing is given and left out where
    None is; the assessments when given.
    """
    path.mkdir(parents=True, exist_ok=True)
    for table in dict.fromkeys([*ALWAYS_WRITTEN, *tables]):
        rows = tables.get(table, ())
        if rows is not None:
            write_table(path / f"{table}.{form}", table, rows)
    return path


def write_table(path: Path, table: str, rows: Sequence[Row]) -> None:
    """Write one file of a table, CSV or typed Parquet by its ending."""
    types = TableContract(table).types
    if path.suffix == ".parquet":
        text = {name: [_cell(row.get(name)) or None for row in rows] for name in types}
        frame = pl.DataFrame(text, schema=dict.fromkeys(types, pl.String))
        frame.with_columns(
            _typed(frame[name], dtype) for name, dtype in types.items()
        ).write_parquet(path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(types)
        lines.writerows([_cell(row.get(name)) for name in types] for row in rows)


def _typed(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Give a column its type where every cell fits, else leave it text."""
    try:
        if dtype == pl.Date:
            return column.str.to_date("%Y-%m-%d")
        if dtype == pl.Boolean:
            return column.replace_strict({"true": True, "false": False}, return_dtype=dtype)
        return column.cast(dtype)
    except pl.exceptions.PolarsError:
        return column


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plan(
    round_id: str = ROUND,
    methodology: str | Path = "example",
    rule: str | Path = "threshold",
    store: Path | None = None,
    **days: dt.date,
) -> Plan:
    """What a round is asked to be; ``days`` such as ``count_on``."""
    return plan_round(round_id, str(methodology), str(rule), days, store)


def run(folder: Path, store: Path, **asked: Any) -> Round:
    """Run the round over a folder and return the draft; ``asked`` as for ``plan``."""
    return run_round(folder, store, plan(store=store, **asked), KEY, quiet)


def run_tables(path: Path, tables: Mapping[str, Sequence[Row] | None], **asked: Any) -> Round:
    """Write the tables into a folder under ``path`` and run the round over it."""
    return run(write_folder(path / "input", **tables), path / "rounds", **asked)


def quiet(_: str, __: int, ___: int) -> None:
    """Say nothing about progress."""


def row_of(rows: pl.DataFrame, **key: Any) -> Row:
    """Return the one row with these values."""
    return rows.row(
        by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in key.items()), named=True
    )


def counts(done: Computed, college_id: str, kpi: str) -> tuple[int, int]:
    """Return the numerator and denominator of a college's KPI."""
    row = row_of(done.table("kpi_values"), college_id=college_id, kpi=kpi)
    return row["numerator"], row["denominator"]


def amount(done: Computed, college_id: str) -> int:
    """Return a college's tenge per year; 0 for one that is not paid."""
    paid = done.table("funding").filter(pl.col("college_id") == college_id)
    return int(paid["amount"].sum())


def national_amount(done: Computed) -> int:
    """Return the nation's tenge per year under the rule in force."""
    return int(row_of(done.table("funding_totals"), in_force=True)["amount"])


def write_rule(
    path: Path,
    *,
    name: str = "of_the_test",
    start: str = "2025-09-01",
    mode: str = "threshold",
    base: int = 437_000,
    full: int = 912_000,
    gates: Sequence[str] = ("employment_rate", "dual_share", "institution_accredited"),
    calibrate: bool = True,
    cost_groups: Mapping[str, str] | None = None,
    localities: Mapping[str, str] | None = None,
    shares: Mapping[int, str] | None = None,
    count_basis: str = "on_date",
    phase_in: Mapping[str, tuple[str, str]] | None = None,
    appropriation: tuple[int, str] | None = None,
    guarantee: tuple[str, str, str] | None = None,
) -> Path:
    """Write a rule of one's own; coefficients are 1 unless given. Returns its path.

    ``phase_in``: gate to (zero_at, full_at); ``appropriation``: (amount, covers); ``guarantee``:
    (basis, floor, funded_from).
    """
    stated = 'reference = "a test"\nstatus = "illustrative"\n'
    value = '{{ value = {}, reference = "a test", status = "illustrative" }}'.format
    groups = {"theory": "1", "workshop": "1", "heavy": "1"} | dict(cost_groups or {})
    places = {"urban": "1", "rural": "1"} | dict(localities or {})
    lines = [
        f'name = "{name}"\nstart = {start}\n{stated}mode = "{mode}"',
        'title = { kk = "Сынақ", ru = "Проверка", en = "Test" }',
        f"base = {value(base)}\nfull = {value(full)}",
        f"gates = {value(list(gates) if mode == 'threshold' else [])}",
        f"funding_sources = {value(['state_order', 'targeted_state_order'])}",
        f"study_forms = {value(['full_time', 'part_time', 'evening'])}",
        f"pays_academic_leave = {value('false')}",
        f"calibrate = {value(str(calibrate).lower())}",
        "count_basis = " + value(f'"{count_basis}"'),
    ]
    for attribute, entries in (("cost_group", groups), ("locality", places)):
        lines += [
            f'[[coefficients]]\nattribute = "{attribute}"\nvalue = "{of}"\n'
            f"coefficient = {number}\n{stated}"
            for of, number in entries.items()
        ]
    lines += [
        f"[[shares]]\nleague = {league}\nshare = {share}\n{stated}"
        for league, share in (shares or {}).items()
    ]
    lines += [
        f'[[phase_in]]\ngate = "{gate}"\nzero_at = {zero}\nfull_at = {full_at}\n{stated}'
        for gate, (zero, full_at) in (phase_in or {}).items()
    ]
    if appropriation:
        lines.append(
            f'[appropriation]\namount = {appropriation[0]}\ncovers = "{appropriation[1]}"\n{stated}'
        )
    if guarantee:
        basis, floor, source = guarantee
        lines.append(
            f'[guarantee]\nbasis = "{basis}"\nfloor = {floor}\nfunded_from = "{source}"\n{stated}'
        )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
