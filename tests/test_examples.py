"""The worked examples of tests/examples, held against the stored tables of the round.

Each case states who, what the files hold, and what must come out, worked out by hand.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from worked import Case, wrong_in

from kpi.methodology import load_methodology
from kpi.rounds import Round

FOLDER = Path(__file__).parent / "examples"


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
    wrong = wrong_in(done, case)
    assert not wrong, "\n".join([f"{case['college'] or 'KZ'}: {case['name']}", *wrong])


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
