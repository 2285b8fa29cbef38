"""Who may see what of a college's profile: who its peers are, how it does beside them.

Seven colleges teach the same, EX-5 in KZ-71, the others in KZ-35: each has six peers. EX-1 to EX-6
have 20 students each, 5 to 10 of them in dual training; of EX-7 only 2, which is hidden from the
others.
"""

from pathlib import Path

import polars as pl
import pytest
from inputs import (
    Tables,
    agreement,
    college,
    graduates,
    row_of,
    run,
    students,
    together,
    write_folder,
)
from publications import publish_draft

from kpi.access import Role, Viewer, read_table
from kpi.package import HIDDEN
from kpi.rounds import Round, open_round

DUAL = {"EX-1": 5, "EX-2": 6, "EX-3": 7, "EX-4": 8, "EX-5": 9, "EX-6": 10, "EX-7": 2}
MINISTRY = Viewer(Role.MINISTRY, "m")
REGION = Viewer(Role.REGION, "r", region="KZ-71")
DIRECTOR = Viewer(Role.DIRECTOR, "d", college_id="EX-1")
OTHERS = (REGION, DIRECTOR)


def alike() -> Tables:
    """The seven colleges."""
    parts: list[Tables] = []
    for college_id, dual in DUAL.items():
        members = students(college_id, 20)
        parts.append(
            {
                "colleges": [
                    college(college_id, region="KZ-71" if college_id == "EX-5" else "KZ-35")
                ],
                "students": members,
                "dual_agreements": [agreement(of) for of in members[:dual]],
                "graduates": graduates(college_id, employed=10, unemployed=6),
            }
        )
    return together(*parts)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seven colleges, published, and the same as a newer draft."""
    folder = tmp_path_factory.mktemp("alike")
    tables, store = write_folder(folder / "input", **alike()), folder / "rounds"
    run(tables, store)
    publish_draft(store)
    run(tables, store)
    return store


@pytest.fixture(scope="module")
def published(store: Path) -> Round:
    return open_round(store, "2025-26", "v1")


@pytest.fixture(scope="module")
def draft(store: Path) -> Round:
    return open_round(store, "2025-26", "draft-2")


@pytest.mark.parametrize("viewer", OTHERS)
def test_who_is_whose_peer_is_seen_without_how_far_apart_they_are(
    published: Round, viewer: Viewer
) -> None:
    seen = read_table(published, "peers", viewer)
    assert seen.columns == ["college_id", "place", "peer_id", HIDDEN]
    assert seen.height == 7 * 6


def test_of_a_draft_the_peers_of_the_own_college_or_region_are_seen(draft: Round) -> None:
    assert set(read_table(draft, "peers", DIRECTOR)["college_id"]) == {"EX-1"}
    assert set(read_table(draft, "peers", REGION)["college_id"]) == {"EX-5"}


def test_nothing_of_the_peers_is_told_that_rests_on_a_hidden_value(published: Round) -> None:
    """EX-7's 2 of 20 in dual training is hidden: with it EX-1's quartiles, place and verdict."""
    seen = read_table(published, "peer_comparison", DIRECTOR)
    assert set(seen["college_id"]) == {"EX-1"}
    row = row_of(seen, kpi="dual_share")
    names = ("peers_low", "peers_median", "peers_high", "pooled", "place", "verdict")
    assert [row[name] for name in names] == [None] * 6
    assert set(row[HIDDEN].split()) == set(names)
    assert row["value"] == 0.25


def test_what_is_hidden_of_nobody_is_told(published: Round) -> None:
    row = row_of(read_table(published, "peer_comparison", DIRECTOR), kpi="employment_rate")
    assert (row["peers_median"], row["place"], row["verdict"]) == (0.625, 1, "neither")
    assert row[HIDDEN] is None


def test_a_draft_says_nothing_of_the_peers_and_a_region_is_beside_nobody(
    published: Round, draft: Round
) -> None:
    assert read_table(draft, "peer_comparison", DIRECTOR).is_empty()
    for of_round in (published, draft):
        assert read_table(of_round, "peer_comparison", REGION).is_empty()


def test_the_ministry_sees_the_comparison_as_it_is_stored(published: Round, draft: Round) -> None:
    for of_round in (published, draft):
        row = row_of(
            read_table(of_round, "peer_comparison", MINISTRY), college_id="EX-1", kpi="dual_share"
        )
        assert row["peers_high"] == 0.4375


@pytest.mark.parametrize("viewer", OTHERS)
def test_of_levels_others_see_the_published_nation_alone(
    published: Round, draft: Round, viewer: Viewer
) -> None:
    """70 of 112 graduates are in work: no count is small."""
    table = "region_employment_by_qualification"
    assert read_table(published, table, viewer).drop(HIDDEN).rows() == [
        ("KZ", "not_stated", 70, 112, 0.625)
    ]
    assert read_table(draft, table, viewer).is_empty()


@pytest.mark.parametrize(("employed", "unemployed"), [(4, 9), (9, 4)])
def test_one_small_count_hides_every_level_of_the_nation(
    tmp_path: Path, employed: int, unemployed: int
) -> None:
    """The levels add up to a rate that is shown: the one left out could be told from the others."""
    rows = alike()
    rows["graduates"] += graduates("EX-1", employed, unemployed, qualification="3W01120101")
    store = tmp_path / "rounds"
    run(write_folder(tmp_path / "input", **rows), store)
    publish_draft(store)
    of_round = open_round(store, "2025-26", "v1")
    assert read_table(of_round, "region_employment_by_qualification", DIRECTOR).is_empty()
    assert read_table(of_round, "region_employment_by_qualification", MINISTRY).height == 5


def test_how_many_colleges_have_dual_training_is_no_secret(published: Round, draft: Round) -> None:
    everywhere = published.table("dual_colleges")
    for viewer in OTHERS:
        assert read_table(published, "dual_colleges", viewer).drop(HIDDEN).equals(everywhere)
    assert read_table(draft, "dual_colleges", DIRECTOR).is_empty()
    assert set(read_table(draft, "dual_colleges", REGION)["region"]) == {"KZ-71"}


@pytest.mark.parametrize(
    "table", ["unit_clusters", "cluster_profile", "expected_employment", "unit_specialties"]
)
def test_what_a_college_is_made_of_is_seen_by_itself(published: Round, table: str) -> None:
    assert set(read_table(published, table, DIRECTOR)["college_id"]) == {"EX-1"}
    assert read_table(published, table, REGION).is_empty()
    assert read_table(published, table, MINISTRY).height >= 7
    assert pl.Series(read_table(published, table, MINISTRY)["college_id"]).n_unique() == 7
