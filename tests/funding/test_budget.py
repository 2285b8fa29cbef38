"""The budget year: two rounds, each under its own norm; what is carried over is an estimate."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import (
    Tables,
    amount,
    college,
    row_of,
    run,
    students,
    together,
    write_folder,
    write_rule,
)
from small_rounds import METHODOLOGY, edited, publish_newest, town

from funding.budget import Budget, budget_of, round_name
from kpi.errors import CallError
from kpi.rounds import Round, open_round

FIRST, SECOND = "2024-25", "2025-26"
JANUARY_TO_AUGUST = [dt.date(2025, month, 1) for month in range(1, 9)]
SEPTEMBER_TO_DECEMBER = [dt.date(2025, month, 1) for month in range(9, 13)]


def a_year_earlier(tables: Tables) -> Tables:
    """The same graduates and agreements, a year before."""
    for row in tables["graduates"]:
        row["graduated_on"] = "2024-06-30"
        row["destination_on"] = row["destination_on"] and "2024-08-15"
    for row in tables["dual_agreements"]:
        row["valid_from"] = "2024-09-01"
    return tables


def first_tables() -> Tables:
    """One college that reaches the gates, one that does not, one that will be merged."""
    return a_year_earlier(
        together(
            town("EX-01", size=31, administrator="education"),
            town(
                "EX-02", size=29, employed=5, unemployed=5, region="KZ-71", administrator="health"
            ),
            town("EX-03", size=30, dual=3, region="KZ-62"),
        )
    )


def second_tables() -> Tables:
    """EX-03 counts for EX-01 now, EX-04 is new and passes, EX-02 has one student more."""
    tables = together(
        town("EX-01", size=31, dual=20, administrator="education"),
        town("EX-02", size=30, employed=5, unemployed=5, region="KZ-71", administrator="health"),
        town("EX-04", size=37, region="KZ-71"),
        {"students": students("EX-03", 30)},
    )
    merged = {"status": "merged", "successor_id": "EX-01", "merged_on": "2025-07-01"}
    tables["colleges"].append(college("EX-03", region="KZ-62", **merged))
    return tables


def run_first(at: Path, **asked: Any) -> Round:
    folder = write_folder(at / "first", **first_tables())
    return run(folder, at / "rounds", round_id=FIRST, **asked)


def run_second(at: Path, **asked: Any) -> Round:
    return run(write_folder(at / "second", **second_tables()), at / "rounds", **asked)


def after(of_year: int, months: int) -> int:
    """What is paid after so many months of an academic year."""
    return months * of_year // 12


@pytest.fixture(scope="module")
def only_first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Budget, Round]:
    """The budget of 2025 from a store that has the round 2024-25 alone."""
    at = tmp_path_factory.mktemp("only")
    done = run_first(at)
    return budget_of(at / "rounds", 2025), done


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Budget, Round, Round]:
    """The budget of 2025 from a store that has both rounds."""
    at = tmp_path_factory.mktemp("both")
    first, second = run_first(at), run_second(at)
    return budget_of(at / "rounds", 2025), first, second


# both rounds are there


def test_january_to_august_are_of_the_first_round_the_rest_of_the_second(
    both: tuple[Budget, Round, Round],
) -> None:
    budget, first, second = both
    for month, (of_round, year_place) in {
        **{m: (first, 4 + place) for place, m in enumerate(JANUARY_TO_AUGUST, start=1)},
        **{m: (second, place) for place, m in enumerate(SEPTEMBER_TO_DECEMBER, start=1)},
    }.items():
        rows = budget.months.filter(pl.col("month") == month)
        year = dict(of_round.table("funding")["college_id", "amount"].rows())
        assert dict(rows["college_id", "amount"].rows()) == {
            college_id: after(paid, year_place) - after(paid, year_place - 1)
            for college_id, paid in year.items()
        }
        assert set(rows["round"]) == {of_round.name}
        assert set(rows["version"]) == {of_round.version}


def test_each_part_stands_under_the_norm_of_its_own_round(
    both: tuple[Budget, Round, Round],
) -> None:
    months = both[0].months
    norms = months.select("round", "rule", "start", "base", "full", "is_estimate").unique()
    assert set(norms.rows()) == {
        (FIRST, "threshold", dt.date(2024, 9, 1), 437_000, 437_000, False),
        (SECOND, "threshold", dt.date(2025, 9, 1), 437_000, 912_000, False),
    }
    assert [(part.months, part.round_id, part.is_estimate) for part in both[0].parts] == [
        ("01-08", FIRST, False),
        ("09-12", SECOND, False),
    ]


def test_a_year_has_twelve_months_for_each_college_that_both_rounds_pay(
    both: tuple[Budget, Round, Round],
) -> None:
    months = both[0].months
    of_each = {
        college_id: sorted(group["month"].to_list())
        for (college_id,), group in months.group_by("college_id")
    }
    assert of_each["EX-01"] == of_each["EX-02"] == JANUARY_TO_AUGUST + SEPTEMBER_TO_DECEMBER
    assert months.select("college_id", "month").is_unique().all()


def test_a_merged_college_is_paid_until_august_and_a_new_one_from_september(
    both: tuple[Budget, Round, Round],
) -> None:
    budget, first, second = both
    merged = budget.months.filter(pl.col("college_id") == "EX-03")
    assert merged["month"].to_list() == JANUARY_TO_AUGUST
    assert merged["amount"].sum() == amount(first, "EX-03") - after(amount(first, "EX-03"), 4)
    new = budget.months.filter(pl.col("college_id") == "EX-04")
    assert new["month"].to_list() == SEPTEMBER_TO_DECEMBER
    assert new["amount"].sum() == after(amount(second, "EX-04"), 4)


@pytest.mark.parametrize("column", ["region", "administrator"])
def test_regions_and_administrators_sum_their_colleges(
    both: tuple[Budget, Round, Round], column: str
) -> None:
    budget = both[0]
    places = {
        "region": {"EX-01": "KZ-35", "EX-02": "KZ-71", "EX-03": "KZ-62", "EX-04": "KZ-71"},
        "administrator": {"EX-01": "education", "EX-02": "health"},
    }[column]
    sums: dict[str, list[int]] = {}
    for row in budget.months.iter_rows(named=True):
        place = sums.setdefault(places.get(row["college_id"], "not_stated"), [0, 0, 0, 0])
        for number, counts in enumerate(
            (row["month"].month <= 8, row["month"].month > 8, row["is_estimate"], True)
        ):
            place[number] += row["amount"] if counts else 0
    assert {row[0]: list(row[1:]) for row in budget.by(column).rows()} == sums
    assert budget.by(column)["amount"].sum() == budget.months["amount"].sum()


# the second is not there yet


def test_contingent_and_qualification_are_carried_and_paid_by_the_rule_in_force(
    only_first: tuple[Budget, Round],
) -> None:
    """The norm of 1 September 2025 for the students and gates of 2024-25."""
    budget, first = only_first
    year = {"EX-01": 31 * 912_000, "EX-02": 29 * 437_000, "EX-03": 30 * 437_000}
    for college_id, paid in year.items():
        rows = budget.months.filter(
            (pl.col("college_id") == college_id) & (pl.col("month") >= dt.date(2025, 9, 1))
        )
        assert rows["month"].to_list() == SEPTEMBER_TO_DECEMBER
        assert rows["amount"].to_list() == [
            after(paid, n) - after(paid, n - 1) for n in range(1, 5)
        ]
    old = budget.months.filter(pl.col("month") < dt.date(2025, 9, 1))
    assert old["amount"].sum() == sum(
        paid - after(paid, 4) for paid in first.table("funding")["amount"]
    )


def test_every_carried_figure_is_marked_and_no_other(only_first: tuple[Budget, Round]) -> None:
    budget, first = only_first
    for row in budget.months.iter_rows(named=True):
        assert row["is_estimate"] == (row["month"].month >= 9)
        assert (row["round"], row["version"]) == (FIRST, first.version)
    assert [part.is_estimate for part in budget.parts] == [False, True]
    norms = budget.months.select("start", "base", "full", "is_estimate").unique()
    assert set(norms.rows()) == {
        (dt.date(2024, 9, 1), 437_000, 437_000, False),
        (dt.date(2025, 9, 1), 437_000, 912_000, True),
    }
    for column in ("region", "administrator"):
        by = budget.by(column)
        assert by["estimated"].to_list() == by["september_to_december"].to_list()


def test_one_round_never_stands_under_two_norms_unmarked(only_first: tuple[Budget, Round]) -> None:
    firm = only_first[0].months.filter(~pl.col("is_estimate"))
    assert firm.group_by("round").agg(pl.col("start").n_unique())["start"].to_list() == [1]


def test_a_rule_of_ones_own_is_carried_where_it_has_no_other_version(tmp_path: Path) -> None:
    rule = write_rule(tmp_path / "own.toml", start="2024-09-01", base=500_000, full=600_000)
    done = run_first(tmp_path, rule=rule)
    budget = budget_of(tmp_path / "rounds", 2025)
    carried = budget.months.filter("is_estimate")
    assert set(carried.select("rule", "start", "base", "full").rows()) == {
        ("of_the_test", dt.date(2024, 9, 1), 500_000, 600_000)
    }
    assert carried.filter(pl.col("college_id") == "EX-01")["amount"].sum() == after(
        amount(done, "EX-01"), 4
    )


def test_a_guarantee_of_the_year_to_come_stands_on_the_round_that_is_there(tmp_path: Path) -> None:
    """600 thousand a student in 2023-24; nine tenths of it, 540, in 2024-25; nine tenths of that,
    486, from September: never 540 again.
    """
    start = [("start = 2024-09-01", "start = 2023-09-01")]
    methodology = edited(METHODOLOGY, tmp_path / "m.toml", start)
    old = write_rule(tmp_path / "o.toml", start="2023-09-01", base=600_000, full=600_000, gates=[])
    store = tmp_path / "rounds"
    folder = write_folder(tmp_path / "first", **first_tables())
    run(folder, store, round_id="2023-24", methodology=methodology, rule=old)
    publish_newest(store, "2023-24")
    guarantee = ("per_student", "0.9", "outside")
    rule = write_rule(tmp_path / "g.toml", start="2024-09-01", guarantee=guarantee)
    first = run(folder, store, round_id=FIRST, methodology=methodology, rule=rule)
    assert amount(first, "EX-02") == 29 * 540_000
    months = budget_of(store, 2025).months.filter(pl.col("college_id") == "EX-02")
    assert months.filter("is_estimate")["amount"].sum() == after(29 * 486_000, 4)
    assert months.filter(~pl.col("is_estimate"))["amount"].sum() == 29 * 540_000 * 8 // 12


# which version, and what is refused


def test_what_is_published_is_taken_before_a_newer_draft(tmp_path: Path) -> None:
    run_first(tmp_path)
    publish_newest(tmp_path / "rounds", FIRST)
    more = together(first_tables(), {"students": students("EX-01", 9)})
    newer = run(write_folder(tmp_path / "more", **more), tmp_path / "rounds", round_id=FIRST)
    assert newer.is_draft
    months = budget_of(tmp_path / "rounds", 2025).months
    assert set(months["version"]) == {"v1"}
    published = open_round(tmp_path / "rounds", FIRST, "v1")
    assert amount(published, "EX-01") != amount(newer, "EX-01")
    row = row_of(months, college_id="EX-01", month=dt.date(2025, 8, 1))
    assert row["amount"] == amount(published, "EX-01") - after(amount(published, "EX-01"), 11)


def test_without_the_first_round_there_is_no_budget(tmp_path: Path) -> None:
    run_second(tmp_path)
    with pytest.raises(CallError) as caught:
        budget_of(tmp_path / "rounds", 2025)
    assert "January to August 2025 are paid from the round 2024-25" in caught.value.what
    assert caught.value.parts["where"] == str(tmp_path / "rounds")
    assert "2024-25" in caught.value.parts["expected"]
    assert "not carried back" in caught.value.parts["do"]


def test_an_empty_store_has_no_budget(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="which is not there"):
        budget_of(tmp_path / "nowhere", 2025)


def test_a_year_is_named_by_the_round_that_begins_in_it() -> None:
    assert [round_name(year) for year in (1998, 1999, 2024, 2099)] == [
        "1998-99",
        "1999-00",
        "2024-25",
        "2099-00",
    ]
