"""Ranking: who is where? On the worked example: seven ranked colleges, three that are not."""

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import KEY, college, quiet, run_tables
from publications import sound
from screens import OWN, VIEWERS, Open, texts
from streamlit.testing.v1 import AppTest

from funding.run import plan_round, run_round
from kpi.access import Role, read_table
from kpi.resources import data_folder
from kpi.rounds import open_round

NAMES = ["<script>alert(1)</script>", "=HYPERLINK(1)", "../../etc", "[x](javascript:1)"]


def told(app: AppTest) -> str:
    """What the page says, as it is read."""
    assert not app.exception
    return texts(app).replace("\\", "")


def ranked(app: AppTest) -> list[dict[str, Any]]:
    """The rows of the first table."""
    frame: list[dict[str, Any]] = app.dataframe[0].value.to_dict("records")
    return frame


def column(app: AppTest, name: str) -> list[Any]:
    return [row[name] for row in ranked(app)]


@pytest.fixture
def two_years(app_store: Path, tmp_path: Path) -> Path:
    """A store with a draft of the year before, in which EX-01 stood third and EX-02 was not
    ranked.
    """
    store = Path(shutil.copytree(app_store, tmp_path / "rounds"))
    shutil.copytree(store / "2025-26" / "draft-1", store / "2024-25" / "draft-1")
    path = store / "2024-25" / "draft-1" / "tables" / "ranking.parquet"
    rank = (
        pl.when(pl.col("college_id") == "EX-01")
        .then(3)
        .when(pl.col("college_id") != "EX-02")
        .then(pl.col("rank"))
    )
    pl.read_parquet(path).with_columns(rank.alias("rank")).write_parquet(path)
    return store


def test_it_opens_with_how_many_are_ranked_and_who_is_first(open_page: Open) -> None:
    title = told(open_page("ranking"))
    assert "7 colleges are ranked; the first is " in title
    assert " with 94.50" in title


def test_ranks_scores_leagues_and_the_n_of_each(open_page: Open) -> None:
    app = open_page("ranking")
    assert column(app, "rank") == [1, 2, 3, 3, 5, 6, 7]
    assert column(app, "score") == ["94.50", "76.13", "62.12", "62.12", "42.59", "42.59", "33.25"]
    leagues = [told.partition(" ")[0] for told in column(app, "group")]
    assert leagues == ["2", "1", "1", "1", "2", "3", "3"]
    assert column(app, "students") == ["30", "43", "38", "30", "26", "28", "30"]
    assert all(column(app, "cohort"))


def stored(app_store: Path) -> list[dict[str, Any]]:
    """The ranked rows as the round holds them, in the order of the ranks."""
    rows = open_round(app_store).table("ranking").drop_nulls("rank").sort("rank", "college_id")
    return rows.to_dicts()


def test_each_rank_has_its_range_in_words_and_as_a_bar(open_page: Open, app_store: Path) -> None:
    app = open_page("ranking")
    expected = [
        str(row["rank_low"])
        if row["rank_low"] == row["rank_high"]
        else f"{row['rank_low']}–{row['rank_high']}"
        for row in stored(app_store)
    ]
    assert column(app, "ranks") == expected
    assert len(set(expected)) > 3, "the colleges differ in how sure their ranks are"
    assert all(bar.startswith("data:image/svg+xml,") for bar in column(app, "range"))


def test_a_league_is_marked_where_chance_decides_it(open_page: Open, app_store: Path) -> None:
    marked = ["≈" in told for told in column(open_page("ranking"), "group")]
    assert marked == [row["league_chance"] < Decimal("0.9") for row in stored(app_store)]
    assert True in marked and False in marked


def test_it_says_who_cannot_be_told_apart_from_the_first(open_page: Open) -> None:
    of_all = told(open_page("ranking"))
    assert "the first is ahead of every other at 90" in of_all, "EX-01 has 94.50, EX-02 76.13"
    of_league = told(open_page("ranking", search="EX-06")) + told(
        open_page("ranking", region="KZ-71")
    )
    assert "at 90" in of_league


def test_the_leaders_are_listed_with_their_chance(open_page: Open, app_store: Path) -> None:
    leaders = open_round(app_store).table("leaders").filter(pl.col("scope") == "cluster")
    app = open_page("ranking", list="leaders", leaders="cluster")
    assert column(app, "rank") == leaders["rank"].to_list()
    assert "cluster" in ranked(app)[0] and "region" not in ranked(app)[0]
    assert f" of {leaders.height} would stay there with a chance of at least 90" in told(app)


@pytest.mark.parametrize("role", [Role.REGION, Role.DIRECTOR])
def test_others_see_the_leaders_but_not_how_sure_they_are(open_page: Open, role: Role) -> None:
    app = open_page("ranking", role, list="leaders", leaders="cluster_in_region")
    own = [row for row in ranked(app) if row["chance"] != "–"]
    assert len(ranked(app)) == 5
    assert len(own) == (1 if role == Role.DIRECTOR else 0)


def test_ranges_are_hidden_with_the_score(open_page: Open) -> None:
    rows = ranked(open_page("ranking", Role.DIRECTOR))
    hidden = [row for row in rows if row["score"] == "hidden"]
    assert hidden and all(row["ranks"] == "" for row in hidden)
    assert not any(str(row["range"]).startswith("data:") for row in hidden)


def test_the_parts_of_a_score_stand_as_a_bar_and_in_words(open_page: Open) -> None:
    first = ranked(open_page("ranking"))[0]
    assert first["bar"].startswith("data:image/svg+xml,")
    assert first["parts"] == "50.0 + 30.0 + 14.5"


def test_leaders_are_named_in_words(open_page: Open) -> None:
    leaders = column(open_page("ranking"), "leader")
    assert leaders[0] == "reference college of its cluster in the region"
    assert leaders[1] == "technological leader (league 1)"
    assert leaders[4] == ""


def test_those_not_ranked_stand_apart_with_the_reason(open_page: Open) -> None:
    app = open_page("ranking")
    assert "3 colleges are not ranked" in told(app)
    reasons = app.dataframe[1].value["reason"].to_list()
    assert reasons == [
        "small cohort (8): Employed, excluded left out (derived)",
        "too few students",
        "closed",
    ]


def test_filters_stand_in_the_address(open_page: Open) -> None:
    app = open_page("ranking", region="KZ-35")
    assert "Karaganda Region: 4 colleges are ranked; the first is " in told(app)
    assert column(app, "rank") == [1, 3, 3, 5]
    assert column(app, "region_rank") == ["1 of 4", "2 of 4", "2 of 4", "4 of 4"]
    both = open_page("ranking", region="KZ-35", league="1", kind="college")
    assert column(both, "rank") == [3, 3]
    assert "2 ranked colleges fit this choice" in told(both)


def test_a_filter_that_is_chosen_goes_into_the_address_and_back_to_the_first_page(
    open_page: Open,
) -> None:
    app = open_page("ranking")
    app.query_params["page"] = "9"
    app.run()
    [region] = [one for one in app.selectbox if one.label == "Region"]
    region.select("KZ-71").run()
    assert app.query_params["region"] == "KZ-71"
    assert "page" not in app.query_params
    assert column(app, "rank") == [2, 6, 7]


def test_a_name_is_found_by_a_part_of_it(open_page: Open) -> None:
    assert column(open_page("ranking", search="EX-05"), "rank") == [5]
    assert column(open_page("ranking", search="строительный"), "rank") == [3]


def test_where_nobody_fits_it_says_what_to_do(open_page: Open) -> None:
    app = open_page("ranking", search="no such college")
    assert "No ranked college fits this choice" in told(app)
    assert "Take a filter away" in told(app)


def test_without_a_round_of_the_year_before_it_says_so(open_page: Open) -> None:
    app = open_page("ranking")
    assert "No round of the year before is there: ranks are not compared." in told(app)
    assert "change" not in ranked(app)[0]


def test_ranks_are_compared_with_the_year_before(open_page: Open, two_years: Path) -> None:
    app = open_page("ranking", store=two_years)
    assert "against 2024-25 · draft 1" in told(app)
    assert column(app, "change")[:3] == ["↑ 2 (3)", "new", "same (3)"]


@pytest.mark.parametrize("role", [Role.REGION, Role.DIRECTOR])
def test_a_draft_of_the_year_before_is_not_shown_to_others(
    open_page: Open, two_years: Path, role: Role
) -> None:
    app = open_page("ranking", role, store=two_years)
    assert "No round of the year before is there" in told(app)


def test_points_of_another_methodology_are_not_compared(open_page: Open, two_years: Path) -> None:
    shutil.rmtree(two_years / "2024-25")
    plan = plan_round("2024-25", "assessment", "threshold")
    run_round(data_folder() / "astana-2024-25", two_years, plan, KEY, quiet)
    assert "was ranked by another methodology" in told(open_page("ranking", store=two_years))


@pytest.mark.parametrize("role", [Role.REGION, Role.DIRECTOR])
def test_others_see_scores_of_a_published_round_but_for_the_hidden_ones(
    open_page: Open, app_store: Path, role: Role
) -> None:
    app = open_page("ranking", role)
    seen = read_table(open_round(app_store), "ranking", VIEWERS[role]).sort("rank", "college_id")
    expected = [
        "hidden" if row["score"] is None else str(row["score"])
        for row in seen.drop_nulls("rank").iter_rows(named=True)
    ]
    assert column(app, "score") == expected
    assert "hidden" in expected
    assert "parts" not in ranked(app)[0], "the parts of a score give hidden figures back"
    if role == Role.DIRECTOR:
        assert ranked(app)[0]["score"] == "94.50", f"{OWN} is the director's own"


def test_of_a_draft_a_director_sees_the_own_college_alone(open_page: Open) -> None:
    app = open_page("ranking", Role.DIRECTOR, round="2025-26/draft-2")
    assert column(app, "rank") == [1]
    assert len(app.dataframe) == 1


def test_of_a_draft_a_region_sees_its_own_colleges(open_page: Open) -> None:
    app = open_page("ranking", Role.REGION, round="2025-26/draft-2")
    assert column(app, "rank") == [1, 3, 3, 5]


def test_an_assessment_ranks_specialties_too(open_page: Open, tmp_path: Path) -> None:
    store = tmp_path / "rounds"
    plan = plan_round("2024-25", "assessment", "threshold")
    run_round(data_folder() / "astana-2024-25", store, plan, KEY, quiet)
    colleges = open_page("ranking", store=store)
    assert column(colleges, "score")[0] == "97.00"
    assert column(colleges, "group")[0] == "High level"
    specialties = open_page("ranking", store=store, list="specialties")
    assert "152 specialties of colleges are ranked" in told(specialties)
    one = open_page("ranking", store=store, list="specialties", specialty="02120100")
    assert column(one, "rank") == [1, 2, 3]
    assert column(one, "points") == ["20.00", "16.50", "10.50"]


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_numbers_are_those_of_the_language(open_page: Open, language: str) -> None:
    app = open_page("ranking", language=language)
    assert "[no " not in told(app)
    assert column(app, "score")[0] == "94,50"
    assert column(app, "parts")[0] == "50,0 + 30,0 + 14,5"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_does_nothing_but_appear(open_page: Open, tmp_path: Path, name: str) -> None:
    tables = sound()
    tables["colleges"] = [college("EX-01", name_ru=name)]
    run_tables(tmp_path, tables)
    app = open_page("ranking", language="ru", store=tmp_path / "rounds")
    assert column(app, "name") == [name]
    assert f"первый — {name}" in told(app)


def test_the_list_can_be_downloaded(open_page: Open) -> None:
    [button] = open_page("ranking").get("download_button")
    assert button.proto.label == "Download this list as CSV"
