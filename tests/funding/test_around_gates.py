"""How colleges lie around a gate: hand-worked counts, and the example round."""

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from inputs import KEY, quiet

from funding.around_gates import (
    REACH,
    SCHEMA,
    around_gates,
    bins_around,
    counted,
    farther,
    gates_of_people,
    hidden_around,
    marks_around,
    place_of,
    points_above,
    span_of,
    within_one,
)
from funding.run import plan_round, run_round
from kpi.methodology import Methodology, load_methodology
from kpi.resources import data_folder
from kpi.rounds import open_round

EMPLOYMENT, DUAL, ACCREDITED = "employment_rate", "dual_share", "institution_accredited"
ASKED = [EMPLOYMENT, DUAL, ACCREDITED]


@pytest.fixture(scope="module")
def methodology() -> Methodology:
    """The shipped one: employment from 0.70, dual training from 0.20, both judged on few people."""
    return load_methodology("example", dt.date(2025, 10, 1))


def gate(
    college: str,
    kpi: str,
    numerator: int | None,
    denominator: int | None,
    passed: bool | None,
    decided_by: str | None = "counts",
    suppressed: str | None = None,
) -> dict[str, Any]:
    """A row of the table gates as a viewer has it."""
    threshold = {EMPLOYMENT: "0.70", DUAL: "0.20", ACCREDITED: "1"}[kpi]
    return {
        "college_id": college,
        "gate": kpi,
        "numerator": numerator,
        "denominator": denominator,
        "threshold": Decimal(threshold),
        "passed": passed,
        "decided_by": decided_by,
        "suppressed": suppressed,
    }


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    """The rows as the frame that ``Here.table`` gives."""
    return pl.DataFrame(
        list(rows),
        schema={
            "college_id": pl.String,
            "gate": pl.String,
            "numerator": pl.Decimal(18, 4),
            "denominator": pl.Decimal(18, 4),
            "threshold": pl.Decimal(18, 6),
            "passed": pl.Boolean,
            "decided_by": pl.String,
            "suppressed": pl.String,
        },
    )


@pytest.mark.parametrize(
    ("numerator", "denominator", "threshold", "place", "points"),
    [
        (7, 10, "0.70", "none_to_spare", 0),  # exactly on the threshold: 6 of 10 would fail
        (6, 10, "0.70", "one_short", -10),  # 7 of 10 would pass
        (5, 10, "0.70", "below", -20),
        (8, 10, "0.70", "above", 10),  # 7 of 10 still passes
        (69, 99, "0.70", "one_short", -1),  # 69.3 are needed: 70 passes; 0.697 is below by 0.3 %
        (70, 99, "0.70", "none_to_spare", 0),  # 69 would not do
        (71, 99, "0.70", "above", 1),  # 0.717: 1.7 points above
        (68, 99, "0.70", "below", -2),  # 0.687: 1.3 points below, rounded down
        (33, 100, "0.333333", "one_short", -1),  # 33.3333 are needed
        (1, 3, "0.333333", "none_to_spare", 0),  # 0.999999 are needed
        (0, 25, "0.00", "none_to_spare", 0),  # nobody is needed, yet -1 is not reached
    ],
)
def test_a_place_is_told_by_one_person_more_or_fewer(
    numerator: int, denominator: int, threshold: str, place: str, points: int
) -> None:
    counts = (Decimal(numerator), Decimal(denominator), Decimal(threshold))
    assert place_of(*counts) == place
    assert points_above(*counts) == points


def test_no_rounding_moves_a_college_over_the_gate() -> None:
    """699999 of 1000000 misses 0.70 by one; 1/3 is compared as 1/3."""
    assert place_of(Decimal(699_999), Decimal(1_000_000), Decimal("0.70")) == "one_short"
    assert place_of(Decimal(700_000), Decimal(1_000_000), Decimal("0.70")) == "none_to_spare"
    assert points_above(Decimal(699_999), Decimal(1_000_000), Decimal("0.70")) == -1


def test_gates_of_people_leave_out_what_is_no_number_of_people(methodology: Methodology) -> None:
    assert gates_of_people(methodology) == [EMPLOYMENT, DUAL]


def test_a_gate_decides_where_every_other_one_is_passed(methodology: Methodology) -> None:
    rows = table(
        gate("A", EMPLOYMENT, 6, 10, passed=False),  # the rest is passed: one graduate decides
        gate("A", DUAL, 10, 20, passed=True),
        gate("A", ACCREDITED, 1, 1, passed=True),
        gate("B", EMPLOYMENT, 6, 10, passed=False),  # dual training fails too
        gate("B", DUAL, 3, 20, passed=False),
        gate("B", ACCREDITED, 1, 1, passed=True),
        gate("C", EMPLOYMENT, 7, 10, passed=True),  # a result of another gate is hidden
        gate("C", DUAL, None, 20, passed=None, decided_by=None, suppressed="numerator passed"),
        gate("C", ACCREDITED, 1, 1, passed=True),
    )
    placed = around_gates(rows, ["A", "B", "C"], methodology, ASKED)
    found = {(row["college_id"], row["gate"]): row for row in placed.iter_rows(named=True)}
    assert found["A", EMPLOYMENT]["decides"] is True
    assert found["B", EMPLOYMENT]["decides"] is False
    assert found["B", DUAL]["decides"] is False
    assert found["C", EMPLOYMENT]["decides"] is None
    assert ("C", DUAL) not in found, "hidden counts are left out"
    assert hidden_around(rows, ["A", "B", "C"], DUAL) == 1
    assert hidden_around(rows, ["A", "B"], DUAL) == 0
    assert placed.schema == pl.Schema(SCHEMA)
    listed = within_one(placed)
    assert listed["college_id"].to_list() == ["A", "C", "B", "B"], "those that decide come first"


def test_a_gate_that_is_not_asked_for_decides_nothing(methodology: Methodology) -> None:
    rows = table(gate("A", DUAL, 5, 25, passed=True), gate("A", EMPLOYMENT, 9, 10, passed=True))
    placed = around_gates(rows, ["A"], methodology, [EMPLOYMENT])
    assert dict(placed.select("gate", "decides").iter_rows()) == {EMPLOYMENT: True, DUAL: False}


def test_only_paid_colleges_that_the_counts_decide_are_there(methodology: Methodology) -> None:
    rows = table(
        gate("A", EMPLOYMENT, 7, 10, passed=True),
        gate("B", EMPLOYMENT, 0, 0, passed=False, decided_by="no_data"),
        gate("C", EMPLOYMENT, 5, 8, passed=False, decided_by="small_cohort"),  # judged all the same
        gate("D", EMPLOYMENT, 7, 10, passed=True),  # closed: not paid
    )
    placed = around_gates(rows, ["A", "B", "C"], methodology, ASKED)
    assert placed["college_id"].to_list() == ["A", "C"]
    assert placed["place"].to_list() == ["none_to_spare", "one_short"]
    policy = methodology.model_copy(
        update={
            "gates": [
                one.model_copy(update={"on_small_cohort": "pass"}) for one in methodology.gates
            ]
        }
    )
    placed = around_gates(rows, ["A", "B", "C"], policy, ASKED)
    assert placed["college_id"].to_list() == ["A"], "the policy decides for C, no person does"


def test_bins_pile_up_the_places_of_a_percentage_point(methodology: Methodology) -> None:
    rows = table(
        gate("A", EMPLOYMENT, 69, 99, passed=False),  # -1, one short
        gate("B", EMPLOYMENT, 697, 1000, passed=False),  # -1, below: 3 short
        gate("C", EMPLOYMENT, 698, 1000, passed=False),  # -1, below: 2 short
        gate("D", EMPLOYMENT, 7, 10, passed=True),  # 0, nobody to spare
        gate("E", EMPLOYMENT, 85, 100, passed=True),  # 15: farther above
        gate("F", EMPLOYMENT, 54, 100, passed=False),  # -16: farther below
        gate("G", EMPLOYMENT, 55, 100, passed=False),  # -15: still shown
    )
    placed = around_gates(rows, "ABCDEFG", methodology, ASKED)
    bins = bins_around(placed, EMPLOYMENT).rows()
    assert bins == [
        # points, place, colleges, order, high, low
        (-15, "below", 1, 0, 1, 0),
        (-1, "below", 2, 0, 2, 0),
        (-1, "one_short", 1, 1, 3, 2),
        (0, "none_to_spare", 1, 2, 1, 0),
    ]
    assert farther(placed, EMPLOYMENT) == (1, 1)
    assert counted(placed, EMPLOYMENT) == {
        "below": 4,
        "one_short": 1,
        "none_to_spare": 1,
        "above": 1,
    }
    assert bins_around(placed, DUAL).is_empty()


def test_marks_lie_at_every_fifth_point_between_nought_and_all() -> None:
    assert list(marks_around(Decimal("0.70"))) == list(range(-REACH, REACH + 1, 5))
    assert marks_around(Decimal("0.70"))[-15] == Decimal("0.55")
    assert marks_around(Decimal("0.05")) == {
        points: Decimal(points + 5) / 100 for points in (-5, 0, 5, 10, 15)
    }
    assert span_of(Decimal("0.70"), -1) == (Decimal("0.69"), Decimal("0.70"))


@pytest.fixture(scope="module")
def placed_example(
    tmp_path_factory: pytest.TempPathFactory, methodology: Methodology
) -> pl.DataFrame:
    """The twelve worked colleges of data/example."""
    store = tmp_path_factory.mktemp("around")
    run_round(
        data_folder() / "example", store, plan_round("2025-26", "example", "threshold"), KEY, quiet
    )
    of_round = open_round(store)
    gates = of_round.table("gates").with_columns(pl.lit(None, pl.String).alias("suppressed"))
    return around_gates(gates, of_round.table("funding")["college_id"], methodology, ASKED)


def test_the_worked_colleges_lie_where_their_readme_says(placed_example: pl.DataFrame) -> None:
    """EX-05 is exactly on two thresholds (7 of 10, 5 of 25); EX-06 one dual student short."""
    found = {(row["college_id"], row["gate"]): row for row in placed_example.iter_rows(named=True)}
    assert found["EX-05", EMPLOYMENT]["place"] == "none_to_spare"
    assert found["EX-05", DUAL]["place"] == "none_to_spare"
    assert found["EX-06", DUAL]["place"] == "one_short"
    assert found["EX-08", EMPLOYMENT]["denominator"] == 8, "a small cohort that is judged"
    assert not [key for key in found if key[0] in ("EX-10", "EX-11", "EX-03B")], "not paid"


def test_places_agree_with_what_the_pipeline_stored(placed_example: pl.DataFrame) -> None:
    """Passed is passed: the same exact comparison, whoever makes it."""
    passed = placed_example["place"].is_in(["none_to_spare", "above"])
    assert (passed == placed_example["passed"]).all()
