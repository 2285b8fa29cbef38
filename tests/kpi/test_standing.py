"""Where one college stands: worked by hand on small rows, and on the twelve worked colleges."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from kpi.rounds import Round
from kpi.standing import TABLES, Norm, Standing, earlier_values, norm_of, parts_of, standing_of


def standing(done: Round, college_id: str, **instead: pl.DataFrame) -> Standing:
    tables = {name: done.table(name) for name in TABLES if done.has(name)}
    found = standing_of(tables | instead, done.methodology, college_id)
    assert found is not None
    return found


def line(base: int, incentive: int | None, students: int | None) -> dict[str, Any]:
    return {
        "specialty": "01120100",
        "base_norm": base,
        "incentive_norm": incentive,
        "students": None if students is None else Decimal(students),
    }


# the norm


def test_one_norm_of_all_specialties_is_the_norm() -> None:
    assert norm_of([line(437, 475, 10), line(437, 475, 3)]) == Norm(912, False)


def test_different_norms_are_their_mean_over_the_students() -> None:
    """(912 x 10 + 437 x 20) / 30 = 17,860 / 30 = 595.33."""
    assert norm_of([line(437, 475, 10), line(437, 0, 20)]) == Norm(595, True)


def test_half_a_tenge_is_rounded_up() -> None:
    """(1 + 2) / 2 = 1.5."""
    assert norm_of([line(1, 0, 1), line(2, 0, 1)]) == Norm(2, True)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [line(437, None, 10)],
        [line(437, 0, None), line(437, 475, 3)],
        [line(437, 0, 0), line(437, 475, 0)],
        [line(437, 0, 5) | {"specialty": None}],
    ],
    ids=["no line", "norm hidden", "students hidden", "no students", "guarantee alone"],
)
def test_a_norm_that_is_hidden_or_of_nobody_is_not_told(lines: list[dict[str, Any]]) -> None:
    assert norm_of(lines) is None


# the score


def test_the_parts_of_a_score_follow_the_groups_and_one_another(example_round: Round) -> None:
    """EX-02: 28 + 12 outcomes, 22.5 partnership, 11.625 + 2 quality = 76.125."""
    parts = standing(example_round, "EX-02").parts
    assert [part.kpi for part in parts] == [
        "employment_rate",
        "in_specialty_rate",
        "dual_share",
        "accredited_share",
        "certified_share",
    ]
    assert [part.end for part in parts] == pytest.approx([28, 40, 62.5, 74.125, 76.125])
    assert [part.start for part in parts] == pytest.approx([0, 28, 40, 62.5, 74.125])


def test_a_kpi_without_points_has_no_part(example_round: Round) -> None:
    rows = [
        {"code": "dual_share", "contribution": None},
        {"code": "employment_rate", "contribution": 30.0},
    ]
    [part] = parts_of(rows, example_round.methodology)
    assert (part.kpi, part.start, part.end) == ("employment_rate", 0, 30)
    assert parts_of([], example_round.methodology) == []


# the gates, and who stands beside the college


def test_what_is_missing_is_the_gate_that_is_not_passed(example_round: Round) -> None:
    """EX-06: dual 4 of 25 against 0.20 is one student short."""
    found = standing(example_round, "EX-06")
    [gate] = found.failed
    assert (gate["gate"], gate["short_by"], gate["value"]) == ("dual_share", 1, 0.16)
    assert [row["gate"] for row in found.gates] == [
        "employment_rate",
        "dual_share",
        "institution_accredited",
    ]
    assert found.norm == Norm(437_000, False)
    assert found.full == 912_000


def test_peers_are_those_of_the_table_that_have_a_value(example_round: Round) -> None:
    """EX-04 and EX-07 teach IT as EX-02 does; EX-07 has evening students alone, so no share in dual
    training.
    """
    found = standing(example_round, "EX-02")
    assert found.peer_count == 2
    employment = found.of("employment_rate").peers
    assert [row["college_id"] for row in employment] == ["EX-04", "EX-07"]
    assert [row["college_id"] for row in found.of("dual_share").peers] == ["EX-04"]
    alone = standing(example_round, "EX-01")
    assert alone.peer_count == 0
    assert all(one.peers == [] for one in alone.kpis)


def test_a_round_of_an_earlier_product_has_no_peers(example_round: Round) -> None:
    names = [name for name in TABLES if name != "peers"]
    tables = {name: example_round.table(name) for name in names}
    found = standing_of(tables, example_round.methodology, "EX-02")
    assert found is not None
    assert found.peer_count == 0


def test_region_and_nation_stand_beside_each_kpi(example_round: Round) -> None:
    one = standing(example_round, "EX-02").of("employment_rate")
    assert one.region is not None and one.region["region"] == "KZ-71"
    assert one.nation is not None and one.nation["region"] == "KZ"
    without = example_round.table("region_kpis").clear()
    one = standing(example_round, "EX-02", region_kpis=without).of("employment_rate")
    assert (one.region, one.nation) == (None, None)


def test_what_opens_the_page_and_what_is_drawn(example_round: Round) -> None:
    found = standing(example_round, "EX-01")
    assert [one.kpi for one in found.headline] == ["employment_rate", "dual_share"]
    assert [one.kpi for one in found.charted] == [
        "employment_rate",
        "in_specialty_rate",
        "dual_share",
        "accredited_share",
        "certified_share",
    ]
    assert [one.kpi for one in found.employment] == [
        "employment_rate_of_all",
        "employment_rate",
        "employment_rate_with_study",
    ]
    values = [one.row["value"] for one in found.employment]
    assert found.employment_span == (min(values), max(values))


def test_a_college_that_is_not_ranked_has_gates_all_the_same(example_round: Round) -> None:
    """EX-08: eight graduates are too few to rank and enough to judge."""
    found = standing(example_round, "EX-08")
    assert not found.is_ranked
    assert found.parts == []
    assert found.failed == []
    assert found.norm == Norm(912_000, False)


def test_a_closed_college_is_not_paid(example_round: Round) -> None:
    found = standing(example_round, "EX-10")
    assert (found.funding, found.norm) == (None, None)


def test_hidden_results_are_neither_passed_nor_failed(example_round: Round) -> None:
    hidden = example_round.table("gates").with_columns(
        passed=pl.lit(None, pl.Boolean), suppressed=pl.lit("numerator passed")
    )
    found = standing(example_round, "EX-06", gates=hidden)
    assert found.failed == []
    assert len(found.untold) == 3
    assert found.gates[0]["suppressed"] == "numerator passed"


def test_a_college_that_the_tables_do_not_show_has_no_standing(example_round: Round) -> None:
    tables = {name: example_round.table(name) for name in TABLES}
    assert standing_of(tables, example_round.methodology, "EX-03B") is None
    nobody = tables | {"unit_profile": tables["unit_profile"].clear()}
    assert standing_of(nobody, example_round.methodology, "EX-01") is None


def test_a_round_without_money_has_a_standing(example_round: Round) -> None:
    tables = {name: example_round.table(name) for name in TABLES if "fund" not in name}
    found = standing_of(tables, example_round.methodology, "EX-01")
    assert found is not None
    assert (found.funding, found.norm) == (None, None)


def test_earlier_rounds_that_do_not_show_the_college_are_left_out(example_round: Round) -> None:
    values = example_round.table("kpi_values")
    rounds = [("2024-25", values), ("2023-24", values.clear())]
    [(name, rows)] = earlier_values(rounds, "EX-06")
    assert name == "2024-25"
    assert rows["dual_share"]["value"] == 0.16
