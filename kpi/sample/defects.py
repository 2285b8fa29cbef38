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
from kpi.sample.planter import COUNT_ON, Change, Planter, line_of, make_planter, rewrite

DEFECT_COLUMNS = ["table", "file", "record", "column", "check", "college_id", "value"]
UNKNOWN_SPECIALTY = "99990100"
OLD_SPECIALTY = "1201000"


def days_after(column: str, days: int) -> Change:
    """Return a change that dates a cell some days after (or before) another cell of its row."""
    return lambda row: str(date.fromisoformat(row[column]) + timedelta(days=days))


def shortened(column: str, by: int = 1) -> Change:
    """Return a change that cuts the last characters off a code."""
    return lambda row: row[column][:-by]


def miscopied(column: str) -> Change:
    """Return a change of the last digit of a number."""
    return lambda row: row[column][:-1] + str((int(row[column][-1]) + 1) % 10)


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
    ("students", "specialty", "wrong_form", shortened("specialty", 2)),
    ("students", "qualification", "wrong_form", lambda row: "5X" + row["specialty"]),
    ("graduates", "employer_bin", "wrong_form", shortened("employer_bin")),
    ("dual_agreements", "employer_bin", "wrong_form", shortened("employer_bin")),
    ("accreditations", "specialty", "wrong_form", shortened("specialty", 2)),
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
    ("students", "specialty", "old_specialty", OLD_SPECIALTY),
    ("graduates", "specialty", "old_specialty", OLD_SPECIALTY),
    ("students", "enrolled_on", "absurd_date", "1925-09-01"),
    ("dual_agreements", "valid_to", "absurd_date", "2205-06-30"),
    ("students", "enrolled_on", "date_after_round", "2026-09-01"),
    ("students", "enrolled_on", "date_after_round", "2027-09-01"),
    ("graduates", "employer_bin", "wrong_bin", miscopied("employer_bin")),
    ("dual_agreements", "employer_bin", "wrong_bin", miscopied("employer_bin")),
    ("students", "student_id", "wrong_control_digit", miscopied("student_id")),
    ("graduates", "graduate_id", "wrong_control_digit", miscopied("graduate_id")),
    ("dual_agreements", "student_id", "wrong_control_digit", miscopied("student_id")),
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
    for _ in range(2):
        planter.spoil("students:graduated", "left_on", "graduate_in_contingent", "")
    for table in CUT_TABLES:
        planter.cut(table)
    for i, table in enumerate(UNKNOWN_COLLEGE_TABLES):
        # a sixth digit 2 is never given to a college of the sample
        planter.spoil(table, "college_id", "unknown_college", unused_number("250042", i))
    for i in range(3):
        # day 77: no student of the sample, and nobody else, has it
        stranger = unused_number("0800775", i)
        planter.spoil("dual_agreements", "student_id", "unknown_student", stranger)


def plant_agreements(planter: Planter) -> None:
    """Give agreements to students who cannot have them: evening ones, those who left, others'."""
    for _ in range(2):
        planter.sign_for("students:evening", "agreement_not_full_time", "student_id")
        planter.sign_for(
            "students:left", "agreement_outside_enrolment", "valid_from", valid_from=COUNT_ON
        )
        planter.spoil(
            "dual_agreements:running", "college_id", "agreement_elsewhere", planter.another_college
        )


def plant_rows(planter: Planter) -> None:
    """Add rows that repeat a key, and rows that put a person into two colleges."""
    for table in ("accreditations", "dual_agreements", "graduates", "students:left"):
        for _ in range(2):
            planter.repeat(table)
    for _ in range(3):
        planter.same_person("students", "student_id", "counted_twice")
        planter.same_person("graduates", "graduate_id", "graduated_twice")


# specialty, indicator, value, points, max_points, and the check that finds the row
ASSESSED: list[tuple[str, str, str, str, str, str]] = [
    ("", "design_capacity", "400", "", "", ""),
    ("", "contingent", "401", "", "", "contingent_above_capacity"),
    ("", "load_percent", "100.25", "", "", ""),
    ("", "load", "", "3", "3", ""),
    ("", "library_readers", "320", "", "", ""),
    ("", "library_readers_percent", "87", "", "", "percent_contradicts_counts"),
    ("", "dormitory", "", "4", "3", "points_above_maximum"),
    ("07150100", "cohort", "20", "", "", ""),
    ("07150100", "employed", "21", "", "", "part_above_whole"),
    ("07150500", "cohort", "8", "", "", ""),
    ("07150500", "employed", "1/7", "", "", "fraction_contradicts_whole"),
    ("07161300", "labs", "3", "", "", "specialty_named_twice"),
    ("07161300", "labs", "4", "", "", "specialty_named_twice"),
]
ASSESSED_COLUMN = {"points_above_maximum": "points", "specialty_named_twice": "specialty"}


def plant_assessments(folder: Path, planter: Planter) -> Path:
    """Write the assessment of two colleges, which the sample does not have, with defects alone."""
    lines = [["college_id", "specialty", "indicator", "value", "points", "max_points"]]
    for _ in range(2):
        college = planter.next_college()
        for specialty, indicator, value, points, most, check in ASSESSED:
            lines.append([college, specialty, indicator, value, points, most])
            if check:
                column = ASSESSED_COLUMN.get(check, "value")
                cell = lines[-1][lines[0].index(column)]
                planter.note("assessments", len(lines), column, check, college, cell)
    path = folder / "assessments.csv"
    path.write_text("".join(line_of(line) for line in lines), encoding="utf-8")
    return path


def plant_defects(folder: Path, *, seed: int) -> list[Path]:
    """Spoil rows of the sample in ``folder``; return ``assessments.csv``, which is added to it, and
    ``defects.csv``, which lists each record.

    Columns: ``table``, ``file``, ``record`` (the header is 1), ``column`` (empty where the whole
    row is meant), ``check``, ``college_id`` (as the row has it) and ``value`` (as the cell has it;
    for a row cut short the number of fields left). Raises ValueError if a sample has too few rows.
    """
    planter = make_planter(folder, Generator(PCG64(SeedSequence(seed, spawn_key=(1_000,)))))
    plant_cells(planter)
    plant_agreements(planter)
    plant_rows(planter)
    rewrite(folder, planter)
    assessed = plant_assessments(folder, planter)

    order = [*COLUMNS, "assessments"]
    defects = sorted(planter.defects, key=lambda defect: (order.index(defect[0]), *defect[1:]))
    path = folder / "defects.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(line_of(DEFECT_COLUMNS))
        for table, record, *rest in defects:
            file.write(line_of([table, f"{table}.csv", str(record), *rest]))
    return [assessed, path]
