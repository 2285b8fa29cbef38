"""The worked examples of tests/examples, held against the stored tables of the round.

Each case states who, what the files hold, and what must come out, worked out by hand. Counts, tenge
and published scores are exact. A value that the product keeps as a binary fraction (values,
intervals, points) is compared at nine decimal places, half up. "" is no value.
"""

import tomllib
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import row_of

from kpi.methodology import load_methodology
from kpi.rounds import Round

FOLDER = Path(__file__).parent / "examples"
NINE_PLACES = Decimal("0.000000001")
KEY_OF = {
    "kpi_values": "kpi",
    "kpi_scores": "code",
    "gates": "gate",
    "funding_lines": "specialty",
}
"""Tables with several rows a college, and the column that tells them apart."""

Case = dict[str, Any]


def _cases() -> list[Case]:
    cases = []
    for path in sorted(FOLDER.glob("*.toml")):
        file = tomllib.loads(path.read_text(encoding="utf-8"))
        cases += [{**case, "file": path.stem, "rule": file["rule"]} for case in file["case"]]
    return cases


CASES = _cases()


@pytest.fixture(scope="session")
def rounds(example_round: Round, example_round_leagues: Round) -> dict[str, Round]:
    return {"threshold": example_round, "leagues": example_round_leagues}


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case['file']}: {case['name']}") for case in CASES]
)
def test_the_worked_example_comes_out_as_worked_by_hand(
    case: Case, rounds: dict[str, Round]
) -> None:
    done = rounds[case["rule"]]
    wrong = []
    for table, expected in case["expect"].items():
        if table == "absent":
            wrong += _not_absent(done, case["college"], expected)
        elif table == "national":
            wrong += _differences("national", expected, _national(done))
        elif table in KEY_OF:
            for code, columns in expected.items():
                row = row_of(done.table(table), college_id=case["college"], **{KEY_OF[table]: code})
                wrong += _differences(f"{table}.{code}", columns, row)
        else:
            row = row_of(done.table(table), college_id=case["college"])
            if table == "ranking":
                profile = row_of(done.table("unit_profile"), college_id=case["college"])
                row |= {"cluster": profile["cluster"]}
            wrong += _differences(table, expected, row)
    assert not wrong, "\n".join([f"{case['college'] or 'KZ'}: {case['name']}", *wrong])


def _not_absent(done: Round, college_id: str, tables: list[str]) -> list[str]:
    return [
        f"{table} has rows of {college_id}"
        for table in tables
        if not done.table(table).filter(pl.col("college_id") == college_id).is_empty()
    ]


def _national(done: Round) -> dict[str, Any]:
    """The nation as the cases name it: sums of money, and KPIs as numerator and denominator."""
    totals = done.table("funding_totals")
    now = row_of(totals, in_force=True)
    nation = {name: now[name] for name in ("students", "amount", "qualifying")}
    before = totals.filter(~pl.col("in_force"))
    if not before.is_empty():
        nation["old_amount"] = before["amount"].item()
    kpis = done.table("region_kpis").filter(pl.col("region") == "KZ")
    return nation | {
        row["kpi"]: [row["numerator"], row["denominator"]] for row in kpis.iter_rows(named=True)
    }


def _differences(where: str, expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"{where}.{column}: expected {value!r}, found {found[column]!r}"
        for column, value in expected.items()
        if not _same(value, found[column])
    ]


def _same(expected: Any, found: Any) -> bool:
    if expected == "":
        return found is None
    if found is None or isinstance(expected, bool):
        return found is expected
    if isinstance(expected, str) and _is_number(expected):
        exact = Decimal(str(found))
        if isinstance(found, float):
            exact = exact.quantize(NINE_PLACES, ROUND_HALF_UP)
        return Decimal(expected) == exact
    return bool(expected == found)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit()


def _kpis_with_a_case() -> set[str]:
    return {kpi for case in CASES for kpi in case["expect"].get("kpi_values", {})}


def test_every_kpi_of_the_methodology_has_a_worked_example(example_round: Round) -> None:
    kpis = {kpi.code for kpi in load_methodology("example", _count_on(example_round)).kpis}
    assert not kpis - _kpis_with_a_case()


def test_every_kpi_of_the_design_has_a_worked_example() -> None:
    design = set(
        """employment_rate in_specialty_rate dual_share accredited_share certified_share
        institution_accredited employment_rate_of_all employment_rate_with_study
        dual_employment_rate further_study_rate excluded_share verified_share
        employment_declared_rate employers_per_100 dropout_rate targeted_share
        international_accredited median_wage""".split()
    )
    assert not design - _kpis_with_a_case()


def test_every_ranked_college_has_a_worked_example_of_its_score_rank_and_money(
    example_round: Round,
) -> None:
    ranked = set(example_round.table("ranking").drop_nulls("rank")["college_id"])
    for table in ("kpi_values", "kpi_scores", "ranking", "gates", "funding"):
        shown = {case["college"] for case in CASES if table in case["expect"]}
        assert not ranked - shown, table


def test_every_gate_of_every_college_that_is_paid_has_a_worked_example(
    example_round: Round,
) -> None:
    gates = example_round.table("gates").join(
        example_round.table("funding"), on="college_id", how="semi"
    )
    shown = {(case["college"], gate) for case in CASES for gate in case["expect"].get("gates", {})}
    assert set(gates.select("college_id", "gate").rows()) == shown


def _count_on(done: Round) -> Any:
    return done.table("param_round")["count_on"].item()
