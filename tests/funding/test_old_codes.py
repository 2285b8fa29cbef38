"""Codes of the old classifier: a warning each, no tenge lost, and everything made of the round.

30 students of EX-01, six of them in the old code 1201000; the rule pays a norm of 100,000 with the
coefficients 0.9 theory, 1 workshop, 1.3 heavy. The new code is heavy; until it is written the six
are paid at 0.9: 24 · 1 · 100,000 + 6 · 0.9 · 100,000 = 2,940,000.
"""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from frictionless import Package
from inputs import (
    KEY,
    WORKSHOP,
    amount,
    college,
    graduate,
    plan,
    quiet,
    reaches_the_gates,
    row_of,
    run_tables,
    students,
    together,
    write_folder,
    write_rule,
)
from publications import verified

from funding.run import run_round
from funding.workbook import write_workbook
from kpi.cells import CELL_CHECKS
from kpi.package import export_package
from kpi.rounds import Round

OLD = "1201000"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Round:
    path = tmp_path_factory.mktemp("old_codes")
    rule = write_rule(
        path / "rule.toml",
        base=100_000,
        full=100_000,
        gates=[],
        calibrate=False,
        cost_groups={"theory": "0.9", "workshop": "1", "heavy": "1.3"},
    )
    members = [*students("EX-01", 24, specialty=WORKSHOP), *students("EX-01", 6, specialty=OLD)]
    tables = together(
        reaches_the_gates(members),
        {"graduates": [graduate("EX-01", "employed", specialty=OLD)]},
        {"colleges": [college("EX-02")], "students": students("EX-02", 2, specialty=OLD)},
        {"students": students("EX-02", 1, specialty="9999000")},
    )
    return run_tables(path, tables, rule=rule)


def test_each_row_is_a_warning_with_the_new_code_where_it_is_known(done: Round) -> None:
    found = done.findings().filter(pl.col("check_name") == "old_specialty")
    assert set(found["severity"]) == {"warning"}
    told = found.group_by("table_name", "found", "expected").len().sort("table_name", "found")
    assert told.rows() == [
        ("graduates", OLD, "probably 07161300", 1),
        ("students", OLD, "probably 07161300", 8),
        ("students", "9999000", "8 digits", 1),
    ]


def test_the_students_are_paid_for_at_the_lowest_cost_group(done: Round) -> None:
    line = row_of(done.table("funding_lines"), college_id="EX-01", specialty=OLD)
    assert (line["students"], str(line["coefficient"]), line["amount"]) == (
        6,
        "0.90000000",
        540_000,
    )
    assert amount(done, "EX-01") == 2_940_000
    assert amount(done, "EX-02") == 3 * 90_000, "a code that nobody knows is paid alike"


def test_they_count_in_the_contingent_and_the_kpis_but_in_no_cluster(done: Round) -> None:
    profile = row_of(done.table("unit_profile"), college_id="EX-01")
    assert (profile["students"], profile["cluster"]) == (30, "it")
    assert row_of(done.table("unit_profile"), college_id="EX-02")["cluster"] is None
    assert set(done.table("unit_specialties")["specialty"]) == {WORKSHOP}
    observed = row_of(done.table("expected_employment"), college_id="EX-01")
    assert (observed["graduates"], observed["observed"]) == (11, 8)


def test_the_round_can_be_verified_and_handed_out(done: Round, tmp_path: Path) -> None:
    assert verified(done.path.parent.parent, "draft-1").differs is None
    write_workbook(done, tmp_path / "round.xlsx")
    paths = export_package(done, tmp_path / "package")
    [descriptor] = [path for path in paths if path.name == "datapackage.json"]
    assert Package(str(descriptor)).validate().valid
    known = pl.read_csv(descriptor.with_name("specialties.csv"), infer_schema=False)
    assert set(known["specialty"]) == {WORKSHOP, OLD, "9999000"}


def test_a_round_of_before_these_checks_is_verified_by_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reference has four tables, its SQL none of the checks that read the others, its receipt
    no word of a cell's check that came later.
    """
    now = plan()
    sql = tmp_path / "sql"
    for path in now.sql.rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        if "old_specialties" not in text and "assessment_shares" not in text:
            to = sql / path.relative_to(now.sql)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(text, encoding="utf-8")
    four = ("regions", "clusters", "specialties", "agencies")
    before = replace(now, sql=sql, reference={name: now.reference[name] for name in four})
    folder = write_folder(tmp_path / "input", **reaches_the_gates(students("EX-01", 30)))
    with monkeypatch.context() as then:
        then.setattr("kpi.__version__", "0.1.0")
        then.delitem(CELL_CHECKS, "wrong_control_digit")
        old = run_round(folder, tmp_path / "rounds", before, KEY, quiet)
    assert set(old.receipt["reference"]) == set(four)
    assert "wrong_control_digit" not in old.receipt["checks"]
    monkeypatch.setattr("kpi.__version__", "99.0")
    assert verified(tmp_path / "rounds", "draft-1").differs is None
