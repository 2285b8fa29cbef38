"""What stands around every page: the round that the address names, drafts that come and go."""

import shutil
from pathlib import Path

import pytest
from inputs import KEY, quiet
from screens import Open, texts

from funding.run import plan_round, run_round
from kpi.access import PAGES, Role
from kpi.resources import data_folder


@pytest.fixture
def own_store(app_store: Path, tmp_path: Path) -> Path:
    """A copy of the store that the test may change."""
    return Path(shutil.copytree(app_store, tmp_path / "rounds"))


def run_again(store: Path) -> None:
    plan = plan_round("2025-26", "example", "leagues")
    run_round(data_folder() / "example", store, plan, KEY, quiet)


def test_the_published_version_is_opened_where_the_address_names_none(open_page: Open) -> None:
    assert "published v1" in texts(open_page("overview"))


def test_the_address_names_the_version(open_page: Open) -> None:
    told = texts(open_page("overview", round="2025-26/draft-2"))
    assert "draft 2" in told
    assert "published v1" not in told


@pytest.mark.parametrize(
    "named", ["2025-26/draft-77", "../../etc", "2025-26/../..", "1900-01", "<b>"]
)
def test_a_round_that_is_not_there_is_named_and_another_one_shown(
    open_page: Open, named: str
) -> None:
    app = open_page("overview", round=named)
    assert not app.exception
    [warning] = app.warning
    assert "is not in the store any more; shown is 2025-26, published v1" in warning.value.replace(
        "\\", ""
    )


def test_an_open_page_outlives_the_drafts_that_replace_the_one_it_shows(
    open_page: Open, own_store: Path
) -> None:
    app = open_page("overview", store=own_store, round="2025-26/draft-2")
    assert not app.warning
    for _ in range(2):
        run_again(own_store)
    app.run()
    assert not app.exception
    assert "2025-26/draft-2 is not in the store any more" in app.warning[0].value.replace("\\", "")


def test_a_draft_that_goes_away_while_a_page_is_computed_is_said_so(
    open_page: Open, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        shutil.rmtree(own_store / "2025-26" / "draft-2")
        raise FileNotFoundError("kpi_values.parquet")

    app = open_page("overview", store=own_store, round="2025-26/draft-2")
    monkeypatch.setattr("views.frame.here.read_table", gone)
    app.run()
    assert not app.exception
    assert "replaced by a newer one" in texts(app)


def test_an_empty_store_says_what_to_do(open_page: Open, tmp_path: Path) -> None:
    told = texts(open_page("overview", store=tmp_path))
    assert "There is no round yet." in told
    assert "Data check" in told


@pytest.mark.parametrize("role", Role)
def test_a_page_that_is_not_for_the_role_is_neither_drawn_nor_in_the_menu(
    open_page: Open, role: Role
) -> None:
    pages = {page for names in PAGES.values() for page in names}
    for page in sorted(pages - {*PAGES[role]}):
        app = open_page(page, role)
        assert [title.value for title in app.title] == ["This page is not for your role\\."]
        assert not app.dataframe
