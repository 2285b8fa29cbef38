"""The page Stability, its sections about method: on the worked colleges and on Astana's 23."""

from pathlib import Path

import polars as pl
import pytest
from inputs import run
from screens import Open, texts
from streamlit.testing.v1 import AppTest

from funding.stability import stability_of
from kpi.access import Role
from kpi.resources import data_folder
from kpi.rounds import open_round
from views.frame import stability_parts


def plain(text: str) -> str:
    """A text without the marks that keep Markdown off and words together."""
    return text.replace("\\", "").replace("\u00a0", " ")


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    """Each test asks anew."""
    stability_parts._computed().clear()


@pytest.fixture(scope="module")
def astana_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with Astana's assessment."""
    store = tmp_path_factory.mktemp("astana_app")
    run(data_folder() / "astana-2024-25", store, round_id="2024-25", methodology="assessment")
    return store


def change_every_choice(app: AppTest) -> AppTest:
    """Press the button that asks for the long work."""
    return app.button(key="stability:ask").click().run(timeout=120)


def test_what_is_quick_is_drawn_at_once_and_the_rest_when_asked_for(open_page: Open) -> None:
    app = open_page("stability")
    assert not app.exception
    said = plain(texts(app))
    assert "Differences in score come most from" in said
    assert "What would another choice of method move?" in said
    assert "Sobol indices from" not in said


def test_the_choices_are_changed_when_asked_for_and_kept(open_page: Open, app_store: Path) -> None:
    app = change_every_choice(open_page("stability"))
    assert not app.exception
    said = plain(texts(app))
    assert "What moves ranks most" in said
    assert "Sobol indices from 16,384 rankings" in said
    again = open_page("stability", Role.AUDITOR)
    assert "Sobol indices from" in plain(texts(again))


def test_the_table_of_choices_is_what_the_round_comes_to(open_page: Open, app_store: Path) -> None:
    change_every_choice(open_page("stability"))
    [shown] = stability_parts._computed().values()
    known = stability_of(open_round(app_store), app_store)
    assert shown.moves.equals(known.moves)
    assert shown.effects.effects.equals(known.effects.effects)


def test_astana_is_told_that_staff_decides_and_nothing_about_money(
    open_page: Open, astana_store: Path
) -> None:
    app = open_page("stability", store=astana_store)
    assert not app.exception
    said = plain(texts(app))
    assert "Differences in score come most from Staff: its weight is 25 %, its share 60 %" in said
    app = change_every_choice(app)
    assert not app.exception
    said = plain(texts(app))
    assert "without the KPI: Staff. 17 of 23 colleges change rank" in said
    assert "incentive" not in said.lower() and "tenge" not in said.lower().split("doubt")[0]
    assert plain(app.title[0].value).startswith("The ranking rests most on this choice")


def test_every_language_says_all_of_it(open_page: Open, astana_store: Path) -> None:
    for language in ("kk", "ru"):
        stability_parts._computed().clear()
        app = open_page("stability", language=language, store=astana_store)
        app = change_every_choice(app)
        assert not app.exception
        assert "[no " not in texts(app)


@pytest.mark.parametrize("role", [Role.REGION, Role.DIRECTOR])
def test_nobody_else_may_open_it(open_page: Open, role: Role) -> None:
    app = open_page("stability", role)
    assert "Differences in score come most from" not in plain(texts(app))
    assert pl.DataFrame(stability_parts._computed()).is_empty()
