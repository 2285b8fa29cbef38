"""Small synthetic rounds: other sizes and seeds, the drawing by hand, and the planted defects."""

import csv
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sample_round import EMPLOYED, Round

from kpi import tables
from kpi.control_digits import control_digit
from kpi.resources import data_folder
from kpi.sample import write_sample
from kpi.sample.codes import COLUMNS
from kpi.sample.drawing import apportion, choose_exactly, rank_within

# --------------------------------------------------------------------------- small and scaled


def digest(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    size = {"colleges": 40, "students": 6_000, "defects": True}
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_sample(tmp_path / name, seed=seed, **size)
    first = digest(tmp_path / "a")
    assert len(first) == 7
    assert digest(tmp_path / "b") == first
    other = digest(tmp_path / "c")
    assert all(other[name] != first[name] for name in first)


@pytest.mark.parametrize(("colleges", "students"), [(30, 2_000), (100, 30_000)])
def test_smaller_sizes_are_scaled(tmp_path: Path, colleges: int, students: int) -> None:
    write_sample(tmp_path, colleges=colleges, students=students)
    small = Round(tmp_path)
    part = students / 556_000
    assert small.units.height == colleges
    assert small.units["region"].n_unique() == 20
    assert small.counted.height == students
    assert small.dual.height == small.in_force.height == round(108_000 * part)
    assert small.in_force["employer_bin"].n_unique() == round(18_000 * part)
    assert small.in_force["unit"].n_unique() == round(552 * colleges / 772)
    assert small.cohort.height == round(169_300 * part)
    assert small.cohort["employed"].sum() == round(102_300 * part)
    state = small.counted["funding_source"].is_in(["state_order", "targeted_state_order"]).sum()
    assert state == round(0.706 * students)
    assert (small.rates["cohort"] == 0).sum() == 1
    assert (small.rates["students"] == 24).sum() == 1


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"colleges": 29, "students": 2_000}, "colleges: 29, expected at least 30"),
        ({"colleges": 30, "students": 1_999}, "students: 1999, expected at least 2000"),
        ({"colleges": 772, "students": 19_000}, "expected at least 19300 for 772 colleges"),
    ],
)
def test_too_small_a_size_is_refused(tmp_path: Path, size: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_sample(tmp_path / "none", **size)
    assert not (tmp_path / "none").exists()


# --------------------------------------------------------------------------- drawing


def test_apportion() -> None:
    assert apportion([1, 1, 1], 10).tolist() == [4, 3, 3]
    assert apportion([5, 3, 2], 10).tolist() == [5, 3, 2]
    assert apportion([0.4, 0.35, 0.25], 2).tolist() == [1, 1, 0]
    assert apportion([9, 1, 1], 12, at_most=[4, 9, 9]).tolist() == [4, 4, 4]
    assert apportion([9, 1, 0], 12, at_least=[0, 0, 2]).tolist() == [9, 1, 2]
    assert apportion([0, 0], 3).tolist() == [2, 1]
    assert apportion([1, 1], 3, at_least=[4, 8]).tolist() == [1, 2]
    with pytest.raises(ValueError, match="9 do not fit into places for 5"):
        apportion([1, 1], 9, at_most=[2, 3])


def test_choose_exactly_takes_the_likelier_more_often() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    lean = np.repeat([-1.0, 1.0], 5_000)
    chosen = choose_exactly(rng, lean, 4_321)
    assert chosen.sum() == 4_321
    assert chosen[5_000:].mean() > 2 * chosen[:5_000].mean()
    assert not choose_exactly(rng, lean, 0).any()
    assert choose_exactly(rng, lean, 10_000).all()


def test_rank_within() -> None:
    assert rank_within(np.array([3, 1, 3, 3, 1, 2])).tolist() == [0, 0, 1, 2, 1, 0]


# --------------------------------------------------------------------------- defects


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoiled")
    write_sample(folder, colleges=120, students=80_000, defects=True)
    return folder


@dataclass
class Spoiled:
    """The rows of a spoiled sample as lists of fields, by table and record number."""

    folder: Path

    def __post_init__(self) -> None:
        self.lines: dict[str, list[list[str]]] = {}
        for table in [*COLUMNS, "assessments"]:
            with (self.folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
                self.lines[table] = list(csv.reader(file))
        with (self.folder / "defects.csv").open(encoding="utf-8", newline="") as file:
            self.defects = list(csv.DictReader(file))

    def row(self, defect: dict[str, str]) -> dict[str, str]:
        fields = self.lines[defect["table"]][int(defect["record"]) - 1]
        return dict(zip(self.lines[defect["table"]][0], fields, strict=False))

    def of_college(self, table: str, row: dict[str, str]) -> list[dict[str, str]]:
        """Return the rows of a table that the college of a row has."""
        header, *lines = self.lines[table]
        at = header.index("college_id")
        rows = (line for line in lines if len(line) > at and line[at] == row["college_id"])
        return [dict(zip(header, line, strict=False)) for line in rows]

    def beside(self, row: dict[str, str]) -> dict[str, str]:
        """Return the values of an assessment beside a row, by indicator."""
        rows = self.of_college("assessments", row)
        return {r["indicator"]: r["value"] for r in rows if r["specialty"] == row["specialty"]}

    def partners(self, defect: dict[str, str]) -> list[dict[str, str]]:
        """Return the other listed records with the same check and value or key."""
        return [
            other
            for other in self.defects
            if other is not defect
            and (other["table"], other["check"]) == (defect["table"], defect["check"])
        ]


PATTERNS = {
    "specialty": tables.SPECIALTY,
    "qualification": tables.QUALIFICATION,
    "employer_bin": tables.BIN,
}


def wrong(all_rows: Spoiled, defect: dict[str, str]) -> bool:  # noqa: PLR0911, PLR0912
    """Judge from the file alone whether the listed record has the listed defect."""
    row, column, table = all_rows.row(defect), defect["column"], defect["table"]
    cell = row.get(column, "")
    known = {line[0] for line in all_rows.lines["colleges"][1:]}
    match defect["check"]:
        case "missing_value":
            return cell == "" and not tables.TABLES[table].to_schema().columns[column].nullable
        case "not_a_date":
            try:
                date.fromisoformat(cell)
            except ValueError:
                return True
            return not re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell)
        case "not_an_integer":
            return not re.fullmatch(r"-?[0-9]+", cell)
        case "not_a_boolean":
            return cell not in ("true", "false")
        case "not_allowed":
            allowed = tables.TABLES[table].to_schema().columns[column].checks[0]
            return cell not in allowed.statistics["allowed_values"]
        case "wrong_form":
            return not re.fullmatch(PATTERNS[column], cell)
        case "out_of_range":
            return cell.isdigit() and not 1 <= int(cell) <= 5
        case "wrong_field_count":
            return len(row) == int(defect["value"]) == len(COLUMNS[table]) - 2
        case "unknown_college":
            return cell not in known and re.fullmatch(tables.COLLEGE_ID, cell) is not None
        case "unknown_specialty":
            reference = pl.read_csv(
                data_folder() / "reference" / "specialties.csv", infer_schema=False
            )["specialty"]
            return cell not in set(reference) and re.fullmatch(tables.SPECIALTY, cell) is not None
        case "unknown_student":
            return all(cell != line[0] for line in all_rows.lines["students"])
        case "ends_before_begins":
            return row["valid_to"] < row["valid_from"]
        case "destination_before_graduation":
            return row["destination_on"] < row["graduated_on"]
        case "employed_without_date":
            return row["destination"] in EMPLOYED and cell == ""
        case "left_before_enrolled":
            return row["left_on"] < row["enrolled_on"]
        case "programme_without_specialty":
            return row["scope"] == "programme" and cell == ""
        case "repeated_key":
            twins = [all_rows.row(other) for other in all_rows.partners(defect)]
            return twins.count(row) == 1
        case "old_specialty":
            return re.fullmatch(r"\d{7}", cell) is not None
        case "absurd_date":
            return not 1985 < int(cell[:4]) < 2065
        case "date_after_round":
            return "2026-08-31" < cell < "2065"
        case "wrong_bin" | "wrong_control_digit":
            digit = control_digit(np.array([int(cell[:11])])).item()
            return re.fullmatch(r"\d{12}", cell) is not None and digit != int(cell[11])
        case "graduate_in_contingent":
            return cell == "" and any(
                (other["graduate_id"], other["specialty"]) == (row["student_id"], row["specialty"])
                and row["enrolled_on"] < other["graduated_on"] <= "2025-10-01"
                for other in all_rows.of_college("graduates", row)
            )
        case "agreement_elsewhere" | "agreement_not_full_time" | "agreement_outside_enrolment":
            there = all_rows.of_college("students", row)
            mine = [other for other in there if other["student_id"] == row["student_id"]]
            if defect["check"] == "agreement_elsewhere":
                return not mine
            if defect["check"] == "agreement_not_full_time":
                return [other["study_form"] == "full_time" for other in mine] == [False]
            return [0 < len(other["left_on"]) <= 10 for other in mine] == [True] and (
                mine[0]["left_on"] <= row["valid_from"] == "2025-10-01"
            )
        case "counted_twice" | "graduated_twice":
            others = [all_rows.row(other) for other in all_rows.partners(defect)]
            pair = [other for other in others if other[column] == cell]
            if len(pair) != 1 or pair[0]["college_id"] == row["college_id"]:
                return False
            if defect["check"] == "counted_twice":
                return not row["left_on"] and row["enrolled_on"] <= "2025-10-01"
            return "2024-09-01" <= row["graduated_on"] <= "2025-08-31"
    return wrong_assessment(all_rows, defect)


def wrong_assessment(all_rows: Spoiled, defect: dict[str, str]) -> bool:
    """Judge the same of a row of an assessment."""
    row, cell = all_rows.row(defect), all_rows.row(defect)[defect["column"]]
    match defect["check"]:
        case "contingent_above_capacity":
            return int(cell) > int(all_rows.beside(row)["design_capacity"])
        case "percent_contradicts_counts":
            beside = all_rows.beside(row)
            return int(cell) != round(
                100 * int(beside["library_readers"]) / int(beside["contingent"])
            )
        case "points_above_maximum":
            return int(cell) > int(row["max_points"])
        case "part_above_whole":
            return int(cell) > int(all_rows.beside(row)["cohort"])
        case "fraction_contradicts_whole":
            return cell.partition("/")[2] != all_rows.beside(row)["cohort"]
        case "specialty_named_twice":
            others = [all_rows.row(other) for other in all_rows.partners(defect)]
            same = ("college_id", "specialty", "indicator")
            return [all(other[key] == row[key] for key in same) for other in others].count(
                True
            ) == 1
    raise AssertionError(f"a check this test does not know: {defect['check']}")


CHECKS = (
    "missing_value not_a_date not_an_integer not_a_boolean not_allowed wrong_form out_of_range "
    "wrong_field_count unknown_college unknown_specialty unknown_student ends_before_begins "
    "counted_twice repeated_key graduated_twice destination_before_graduation "
    "employed_without_date left_before_enrolled programme_without_specialty old_specialty "
    "absurd_date date_after_round wrong_bin wrong_control_digit graduate_in_contingent "
    "agreement_elsewhere agreement_not_full_time agreement_outside_enrolment "
    "contingent_above_capacity percent_contradicts_counts points_above_maximum part_above_whole "
    "fraction_contradicts_whole specialty_named_twice"
).split()


def test_every_listed_defect_is_in_the_file(spoiled: Path) -> None:
    found = Spoiled(spoiled)
    counts = Counter(defect["check"] for defect in found.defects)
    assert set(counts) == set(CHECKS)
    assert min(counts.values()) >= 2
    for defect in found.defects:
        assert list(defect) == "table file record column check college_id value".split()
        assert defect["file"] == f"{defect['table']}.csv"
        assert wrong(found, defect), defect
        row = found.row(defect)
        assert row["college_id"] == defect["college_id"]
        if defect["column"]:
            assert row[defect["column"]] == defect["value"]
    where = Counter((defect["table"], defect["record"]) for defect in found.defects)
    assert max(where.values()) == 1, "one wrong row, one defect"


def test_defects_sit_in_many_large_colleges(spoiled: Path) -> None:
    found = Spoiled(spoiled)
    planted = {d["college_id"] for d in found.defects if d["check"] != "unknown_college"}
    assert len(planted) > 40
    sizes = Counter(
        line[2] for line in found.lines["students"][1:] if len(line) > 9 and not line[9]
    )
    assert min(sizes[college] for college in planted) > 290


def test_nothing_else_is_wrong(spoiled: Path, tmp_path: Path) -> None:
    """Apart from the listed records the files are those of the sample without defects."""
    write_sample(tmp_path, colleges=120, students=80_000)
    found = Spoiled(spoiled)
    listed = {(defect["table"], int(defect["record"])) for defect in found.defects}
    for table in COLUMNS:
        lines = found.lines[table]
        with (tmp_path / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            clean = list(csv.reader(file))
        for record, line in enumerate(lines, start=1):
            if record > len(clean):
                assert (table, record) in listed, "an added row is listed"
            elif line != clean[record - 1]:
                assert (table, record) in listed, f"{table} {record} changed, not listed"
        assert len(lines) >= len(clean)

    students = {line[0] for line in found.lines["students"]}
    strangers = [
        d["value"]
        for d in found.defects
        if d["check"] == "unknown_student"
        or (d["table"], d["check"]) == ("dual_agreements", "wrong_control_digit")
    ]
    named = [line[1] for line in found.lines["dual_agreements"][1:]]
    assert sorted(s for s in named if s not in students) == sorted(strangers)


def test_a_sample_with_defects_still_works_when_small(tmp_path: Path) -> None:
    paths = write_sample(tmp_path, colleges=30, students=2_000, defects=True)
    assert paths[-1].name == "defects.csv"
    assert len(Spoiled(tmp_path).defects) == 125
