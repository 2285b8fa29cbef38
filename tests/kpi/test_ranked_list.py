"""Who stands where: the list of colleges, the choice from it, and what has changed."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kpi.export import write_csv
from kpi.ranked_list import (
    as_file,
    chosen,
    earlier_year,
    in_specialty,
    parts_of_score,
    standing,
    with_change,
)


def profile(**hidden: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "college_id": ["a", "b", "c"],
            "name_kk": ["Тау-кен колледжі", None, None],
            "name_ru": ["Горный колледж", "Колледж № 17", "Сельский колледж"],
            "name_en": [None, None, "Rural [x](y)"],
            "region": ["KZ-35", "KZ-35", "KZ-71"],
            "cluster": ["mining", "it", None],
            "kind": ["college", "higher_college", "college"],
            "ownership": ["communal", "private", "communal"],
            "students": [30, None, 24],
            "suppressed": [None, hidden.get("b"), None],
        }
    )


def ranking(ranks: list[int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "college_id": ["a", "b", "c"],
            "rank": ranks,
            "ranked_of": [2, 2, None],
            "score": [Decimal("62.12"), None, None],
            "league": [2, 1, None],
            "level": pl.Series([None] * 3, dtype=pl.String),
            "leader": [None, "league_1", None],
            "not_ranked_reason": [None, None, "employment_rate"],
            "suppressed": [None, "score share_of_best", None],
        }
    )


def values() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "college_id": ["a", "b", "c", "c"],
            "kpi": ["employment_rate_of_all"] * 3 + ["employment_rate"],
            "numerator": [8, None, 5, 5],
            "denominator": [10, None, 9, 8],
            "status": ["ok", "ok", "small_cohort", "small_cohort"],
            "suppressed": [None, "numerator denominator", None, None],
        }
    )


def rows() -> pl.DataFrame:
    return standing(profile(b="students"), ranking([2, 1, None]), values())


def row(college_id: str, of: pl.DataFrame | None = None) -> dict[str, Any]:
    frame = rows() if of is None else of
    [found] = frame.filter(pl.col("college_id") == college_id).to_dicts()
    return found


def test_the_list_stands_in_the_order_of_ranks_with_those_not_ranked_last() -> None:
    assert rows()["college_id"].to_list() == ["b", "a", "c"]


def test_each_college_has_its_students_and_the_graduates_measured() -> None:
    assert (row("a")["students"], row("a")["cohort"]) == (30, 10)


def test_what_is_hidden_in_any_of_the_tables_is_named() -> None:
    assert row("b")["suppressed"] == "score students cohort"
    assert row("a")["suppressed"] is None


def test_a_college_that_is_not_ranked_has_the_state_of_the_kpi_that_it_lacks() -> None:
    assert (row("c")["reason_status"], row("c")["reason_n"]) == ("small_cohort", 8)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["b", "a", "c"]),
        ({"region": "KZ-35"}, ["b", "a"]),
        ({"region": "KZ-35", "kind": "college"}, ["a"]),
        ({"league": "1"}, ["b"]),
        ({"cluster": "law"}, []),
        ({"search": "тау-КЕН"}, ["a"]),
        ({"search": " № 17 "}, ["b"]),
        ({"search": "[x]("}, ["c"]),
        ({"search": ".*"}, []),
    ],
)
def test_the_choice_takes_codes_and_a_part_of_a_name_as_it_is_written(
    wanted: dict[str, str], found: list[str]
) -> None:
    search = wanted.pop("search", "")
    assert chosen(rows(), search, **wanted)["college_id"].to_list() == found


def test_the_year_before() -> None:
    assert earlier_year("2025-26") == "2024-25"
    assert earlier_year("2000-01") == "1999-00"


def test_a_change_is_the_number_of_places_higher_than_the_year_before() -> None:
    changed = with_change(rows(), ranking([1, 4, 3]))
    assert {one: row(one, changed)["change"] for one in "abc"} == {"a": -1, "b": 3, "c": None}
    assert row("c", changed)["earlier_rank"] == 3


def test_without_an_earlier_round_or_an_earlier_rank_there_is_no_change() -> None:
    assert with_change(rows(), None)["change"].to_list() == [None] * 3
    assert row("a", with_change(rows(), ranking([None, 1, 2])))["change"] is None


FRAMEWORK = pl.DataFrame(
    {
        "code": ["index", "outcomes", "quality", "employment_rate"],
        "parent": [None, "index", "index", "outcomes"],
    }
)


def test_the_parts_of_a_score_are_what_stands_right_under_the_index() -> None:
    scores = pl.DataFrame(
        {
            "college_id": ["a"] * 4,
            "code": ["index", "outcomes", "quality", "employment_rate"],
            "contribution": [62.12, 50.0, 12.12, 35.0],
        }
    )
    found = parts_of_score(scores, FRAMEWORK)
    assert found.columns == ["college_id", "outcomes", "quality"]
    assert found.rows() == [("a", 50.0, 12.12)]


def test_a_geometric_index_has_no_parts() -> None:
    scores = pl.DataFrame(
        {"college_id": ["a"], "code": ["outcomes"], "contribution": [None]},
        schema_overrides={"contribution": pl.Float64},
    )
    assert parts_of_score(scores, FRAMEWORK).columns == ["college_id"]


def test_a_specialty_is_ranked_among_its_own_and_all_of_them_among_all() -> None:
    ranked = pl.DataFrame(
        {
            "specialty": ["07", "07", "01"],
            "college_id": ["a", "b", "a"],
            "points": [Decimal(20), Decimal(30), Decimal(40)],
            "rank": [2, 1, 1],
            "ranked_of": [2, 2, 1],
            "overall_rank": [3, 2, 1],
            "overall_ranked_of": [3, 3, 3],
        }
    )
    one = in_specialty(ranked, profile(), "07").select("college_id", "rank", "of").rows()
    assert one == [("b", 1, 2), ("a", 2, 2)]
    every = in_specialty(ranked, profile(), None).select("specialty", "rank", "of").rows()
    assert every == [("01", 1, 3), ("07", 2, 3), ("07", 3, 3)]


def test_every_row_of_the_file_carries_the_marks() -> None:
    file = as_file(with_change(rows(), None), {"round": "2025-26", "marks": "draft"})
    assert file["round"].to_list() == ["2025-26"] * 3
    assert file["marks"].to_list() == ["draft"] * 3
    assert file["suppressed"].to_list() == ["score students cohort", None, None]


def test_no_name_in_the_file_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    named = profile().with_columns(name_ru=pl.lit("=HYPERLINK(1)"))
    listed = with_change(standing(named, ranking([2, 1, None]), values()), None)
    write_csv(as_file(listed, {"round": "2025-26"}), tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_text("utf-8").count("'=HYPERLINK(1)") == 3
