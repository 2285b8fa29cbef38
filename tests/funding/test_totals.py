"""What a round costs by place: sums by hand, hidden cells kept out of them."""

import datetime as dt
from decimal import Decimal

import polars as pl

from funding.rule import load_rule
from funding.totals import (
    average_norm,
    by_calendar_year,
    deciding_gates,
    largest_first,
    old_norm,
    parts_of,
    qualifying,
    totals_of,
    with_average_norm,
)
from kpi.methodology import load_methodology

DAY = dt.date(2025, 10, 1)
FUNDING = pl.DataFrame(
    {
        "college_id": ["A", "B", "C", "D"],
        "students": [Decimal(10), Decimal(20), Decimal(5), None],
        "share": [1.0, 0.5, 0.0, 1.0],
        "amount": [9_120_000, 13_490_000, 2_185_000, None],
        "suppressed": [None, None, None, "students amount"],
    }
)
PROFILE = pl.DataFrame(
    {
        "college_id": ["A", "B", "C", "D"],
        "name_kk": ["а", "б", "в", "г"],
        "name_ru": ["А", "Б", "В", "Г"],
        "name_en": ["A", "B", "C", "D"],
        "region": ["KZ-1", "KZ-1", "KZ-2", "KZ-3"],
        "administrator": ["education", None, "health", "education"],
    }
)


def test_the_average_norm_is_amounts_over_students_rounded_half_up() -> None:
    assert average_norm(Decimal(30), 22_610_000) == 753_667  # 753 666.67
    assert average_norm(Decimal(2), 3) == 2  # 1.5
    assert average_norm(Decimal(0), 0) is None
    assert average_norm(None, 5) is None


def test_those_with_a_share_qualify_the_largest_amount_first() -> None:
    found = qualifying(FUNDING, PROFILE)
    assert found["college_id"].to_list() == ["B", "A", "D"], "a hidden amount comes last"
    assert found["administrator"].to_list() == ["not_stated", "education", "education"]


def test_an_average_is_of_those_that_qualify_and_never_of_hidden_ones() -> None:
    rows = pl.DataFrame({"region": ["KZ", "KZ-1", "KZ-2", "KZ-3"]})
    norms = with_average_norm(rows, qualifying(FUNDING, PROFILE), "region")["average_norm"]
    assert norms.to_list() == [None, 753_667, None, None]
    seen = qualifying(FUNDING.head(3), PROFILE)
    assert with_average_norm(rows, seen, "region")["average_norm"][0] == 753_667


def test_the_own_region_comes_first_then_the_largest_amount() -> None:
    rows = pl.DataFrame({"region": ["KZ", "KZ-1", "KZ-2", "KZ-3"], "amount": [9, 2, 4, 3]})
    assert largest_first(rows)["region"].to_list() == ["KZ-2", "KZ-3", "KZ-1"]
    assert largest_first(rows, "KZ-1")["region"].to_list() == ["KZ-1", "KZ-2", "KZ-3"]
    assert totals_of(rows, "KZ") == {"region": "KZ", "amount": 9}
    assert totals_of(rows, "KZ-9") is None


def test_the_old_norm_is_the_last_version_before_the_one_in_force() -> None:
    totals = pl.DataFrame(
        {
            "start": [dt.date(2023, 9, 1), dt.date(2025, 9, 1), dt.date(2024, 9, 1)],
            "in_force": [False, True, False],
            "amount": [1, 3, 2],
        }
    )
    row = old_norm(totals)
    assert row is not None
    assert row["amount"] == 2
    assert old_norm(totals.filter("in_force")) is None


def test_an_academic_year_falls_into_two_calendar_years() -> None:
    months = [dt.date(2025, month, 1) for month in (9, 10, 11, 12)]
    months += [dt.date(2026, month, 1) for month in range(1, 9)]
    rows = pl.DataFrame({"month": months * 2, "amount": [1] * 24})
    assert by_calendar_year(rows).rows() == [(2025, 4, 8), (2026, 8, 16)]


def test_parts_are_summed_over_all_colleges() -> None:
    parts = ("students", "qualification", "norm", "coefficient", "appropriation", "guarantee")
    colleges = pl.DataFrame({part: [place, -1] for place, part in enumerate(parts, start=1)})
    assert parts_of(colleges) == {part: place for place, part in enumerate(parts)}


def test_gates_decide_by_rule_or_by_league() -> None:
    methodology = load_methodology("kpi", DAY)
    asked = ["employment_rate", "dual_share", "institution_accredited"]
    assert deciding_gates(load_rule("threshold", DAY), methodology) == asked
    by_league = deciding_gates(load_rule("leagues", DAY), methodology)
    of_leagues = {gate for league in methodology.leagues for gate in league.gates}
    assert set(by_league) == of_leagues
