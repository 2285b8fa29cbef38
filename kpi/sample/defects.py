"""Wrong rows, planted on purpose in a written sample, and the list that names each of them.

A check that is never seen to fail proves nothing: ``defects.csv`` says what intake must find, and
that it must find nothing else. Each wrong row has one defect; where two records together are wrong
(a person counted twice, a repeated key) both are listed.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from kpi.control_digits import control_digit
from kpi.sample.codes import COLUMNS
from kpi.sample.planter import Change, Planter, line_of, make_planter, rewrite

DEFECT_COLUMNS = ["table", "file", "record", "column", "check", "college_id", "value"]
UNKNOWN_SPECIALTY = "99990100"


def days_after(column: str, days: int) -> Change:
    """Return a change that dates a cell some days after (or before) another cell of its row."""
    return lambda row: str(date.fromisoformat(row[column]) + timedelta(days=days))


def shortened(column: str) -> Change:
    """Return a change that cuts the last character off a code."""
    return lambda row: row[column][:-1]


# table, column, check, what the cell becomes
CELLS: list[tuple[str, str, str, str | Change]] = [
    ("students", "specialty", "missing_value", ""),
    ("students", "study_form", "missing_value", ""),
    ("graduates", "destination", "missing_value", ""),
    ("dual_agreements", "employer_bin", "missing_value", ""),
    ("accreditations", "agency", "missing_value", ""),
    ("students", "enrolled_on", "not_a_date", "2025-02-30"),
    ("students", "enrolled_on", "not_a_date", "01.10.2025"),
    ("graduates", "graduated_on", "not_a_date", "30.06.2025"),
    ("dual_agreements", "valid_from", "not_a_date", "2025-9-1"),
    ("accreditations", "valid_to", "not_a_date", "2027-13-01"),
    ("students", "course", "not_an_integer", "3.7"),
    ("students", "course", "not_an_integer", "1e3"),
    ("students", "course", "not_an_integer", "0x10"),
    ("graduates", "monthly_wage", "not_an_integer", "185000.50"),
    ("graduates", "monthly_wage", "not_an_integer", "2e5"),
    ("students", "academic_leave", "not_a_boolean", "yes"),
    ("students", "special_needs", "not_a_boolean", "нет"),
    ("graduates", "dual", "not_a_boolean", "да"),
    ("accreditations", "international", "not_a_boolean", "no"),
    ("colleges", "administrator", "not_allowed", "ministry"),
    ("students", "study_form", "not_allowed", "remote"),
    ("students", "funding_source", "not_allowed", "grant"),
    ("graduates", "destination", "not_allowed", "abroad"),
    ("graduates", "destination_source", "not_allowed", "phone_call"),
    ("accreditations", "scope", "not_allowed", "department"),
    ("students", "specialty", "wrong_form", shortened("specialty")),
    ("students", "qualification", "wrong_form", lambda row: "5X" + row["specialty"]),
    ("graduates", "employer_bin", "wrong_form", shortened("employer_bin")),
    ("dual_agreements", "employer_bin", "wrong_form", shortened("employer_bin")),
    ("accreditations", "specialty", "wrong_form", shortened("specialty")),
    ("students", "course", "out_of_range", "9"),
    ("students", "course", "out_of_range", "0"),
    ("students", "course", "out_of_range", "6"),
    ("students", "specialty", "unknown_specialty", UNKNOWN_SPECIALTY),
    ("graduates", "specialty", "unknown_specialty", UNKNOWN_SPECIALTY),
    ("accreditations", "specialty", "unknown_specialty", UNKNOWN_SPECIALTY),
    ("dual_agreements", "valid_to", "ends_before_begins", days_after("valid_from", -1)),
    ("dual_agreements", "valid_to", "ends_before_begins", days_after("valid_from", -30)),
    ("accreditations", "valid_to", "ends_before_begins", days_after("valid_from", -1)),
    ("accreditations", "valid_to", "ends_before_begins", days_after("valid_from", -365)),
    ("accreditations", "specialty", "programme_without_specialty", ""),
    ("accreditations", "specialty", "programme_without_specialty", ""),
    ("accreditations", "specialty", "programme_without_specialty", ""),
]
EMPLOYED_CELLS: list[tuple[str, str, Change]] = [
    ("destination_on", "destination_before_graduation", days_after("graduated_on", -1)),
    ("destination_on", "destination_before_graduation", days_after("graduated_on", -40)),
    ("destination_on", "destination_before_graduation", days_after("graduated_on", -300)),
    ("destination_on", "employed_without_date", lambda _: ""),
    ("destination_on", "employed_without_date", lambda _: ""),
    ("destination_on", "employed_without_date", lambda _: ""),
]
LEAVER_CELLS = [days_after("enrolled_on", days) for days in (-1, -10, -365)]
CUT_TABLES = ["students", "graduates", "dual_agreements", "accreditations"]
UNKNOWN_COLLEGE_TABLES = ["students", "students", "graduates", "dual_agreements", "accreditations"]


def unused_number(prefix: str, serial: int) -> str:
    """Return a 12-digit number with that prefix and a valid control digit, from ``serial`` on."""
    width = 11 - len(prefix)
    bases = np.array([int(f"{prefix}{serial * 20 + i:0{width}d}") for i in range(20)])
    digits = control_digit(bases)
    at = int(np.flatnonzero(digits >= 0)[0])
    return f"{int(bases[at]):011d}{int(digits[at])}"


def plant_cells(planter: Planter) -> None:
    """Spoil one cell of each of the rows listed above, and of rows that name what is not there."""
    for table, column, check, change in CELLS:
        planter.spoil(table, column, check, change)
    for column, check, change in EMPLOYED_CELLS:
        planter.spoil("graduates:employed", column, check, change)
    for change in LEAVER_CELLS:
        planter.spoil("students:left", "left_on", "left_before_enrolled", change)
    for table in CUT_TABLES:
        planter.cut(table)
    for i, table in enumerate(UNKNOWN_COLLEGE_TABLES):
        # a sixth digit 2 is never given to a college of the sample
        planter.spoil(table, "college_id", "unknown_college", unused_number("250042", i))
    for i in range(3):
        # day 77: no student of the sample, and nobody else, has it
        stranger = unused_number("0800775", i)
        planter.spoil("dual_agreements", "student_id", "unknown_student", stranger)


def plant_rows(planter: Planter) -> None:
    """Add rows that repeat a key, and rows that put a person into two colleges."""
    for table in ("accreditations", "dual_agreements", "graduates"):
        for _ in range(2):
            planter.repeat(table)
    for _ in range(3):
        planter.same_person("students", "student_id", "counted_twice")
        planter.same_person("graduates", "graduate_id", "graduated_twice")


def plant_defects(folder: Path, *, seed: int) -> Path:
    """Spoil rows of the sample in ``folder`` and return ``defects.csv``, which lists each record.

    Columns: ``table``, ``file``, ``record`` (the header is 1), ``column`` (empty where the whole
    row is meant), ``check``, ``college_id`` (as the row has it) and ``value`` (as the cell has it;
    for a row cut short the number of fields left). Raises ValueError if a sample has too few rows.
    """
    planter = make_planter(folder, Generator(PCG64(SeedSequence(seed, spawn_key=(1_000,)))))
    plant_cells(planter)
    plant_rows(planter)
    rewrite(folder, planter)

    order = list(COLUMNS)
    defects = sorted(planter.defects, key=lambda defect: (order.index(defect[0]), *defect[1:]))
    path = folder / "defects.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(line_of(DEFECT_COLUMNS))
        for table, record, *rest in defects:
            file.write(line_of([table, f"{table}.csv", str(record), *rest]))
    return path
