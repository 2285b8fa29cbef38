"""Overview: where does the country stand? On the worked example, whose figures its README names."""

from pathlib import Path

import pytest
from inputs import KEY, quiet, run_tables
from publications import with_a_gate_that_hangs_on_a_rejected_row, with_errors
from screens import Open, texts
from streamlit.testing.v1 import AppTest

from funding.run import plan_round, run_round
from kpi.access import Role
from kpi.language import LANGUAGES
from kpi.resources import data_folder
from views.frame.charts import _DARK, _LIGHT
from views.frame.tile_map import _SHORT, contrast, fill, short_name, text_on

DRAFT = "2025-26/draft-2"


def told(app: AppTest) -> str:
    """What the page says, as it is read: without the signs that keep Markdown quiet."""
    assert not app.exception
    return texts(app).replace("\\", "").replace("\u00a0", " ")


def told_by_title(app: AppTest) -> list[str]:
    """The sentence that the page opens with."""
    return [one.value.replace("\\", "").replace("\u00a0", " ") for one in app.title]


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the real assessment of Astana: points, no students."""
    store = tmp_path_factory.mktemp("astana") / "rounds"
    plan = plan_round("2024-25", "assessment", "threshold")
    run_round(data_folder() / "astana-2024-25", store, plan, KEY, quiet)
    return store


def test_it_opens_with_who_qualifies_and_what_the_round_costs(open_page: Open) -> None:
    """EX-02, 03, 04, 05 and 08 pass all gates; nine colleges are paid 156 940 000."""
    [title] = told_by_title(open_page("overview"))
    assert title == "5 of 9 colleges qualify; the round costs 156.9 million ₸ a year"


def test_the_three_definitions_of_employment_stand_side_by_side_with_their_counts(
    open_page: Open,
) -> None:
    """167 graduates less two outside the cohort; ten excluded, five of them in further study."""
    figures = open_page("overview").metric
    assert [
        (one.label.replace("\\", ""), one.value.replace("\u00a0", " "), one.delta)
        for one in figures
    ][:3] == [
        ("Employed, of all graduates (published)", "73.9 %", "122 of 165"),
        ("Employed, excluded left out (derived)", "78.7 %", "122 of 155"),
        ("Employed or in further study (derived)", "77.0 %", "127 of 165"),
    ]
    assert len(figures) == 4


def test_the_map_takes_its_kpi_from_the_address(open_page: Open) -> None:
    assert "From 72.9 % (Astana) to 84.6 % (Karaganda)" in told(open_page("overview"))
    other = told(open_page("overview", kpi="verified_share"))
    assert "From 92.7 % (Astana) to 100.0 %" in other
    assert "in the country 96.8 % (122 of 126)" in other


def test_a_kpi_that_there_is_not_counts_as_the_first(open_page: Open) -> None:
    assert "From 72.9 % (Astana)" in told(open_page("overview", kpi="<script>"))


def test_a_published_round_says_who_approved_it_and_when(open_page: Open) -> None:
    page = told(open_page("overview"))
    assert "Published by А. Примерова on " in page
    assert "approved by Б. Выдуманов: Приказ № 17" in page
    assert "draft, not published" not in page
    assert "weights, gates and leagues are illustrative" in page


def test_a_draft_is_marked_and_says_that_nothing_stands_against_it(open_page: Open) -> None:
    page = told(open_page("overview", round=DRAFT))
    assert "draft, not published" in page
    assert "Nothing in the data stands against publishing this draft" in page


def labels(app: AppTest) -> list[str]:
    """What the links of a page say."""
    return [one.proto.label.replace("\\", "") for one in app.get("page_link")]


def test_errors_that_nobody_accepted_are_left_to_do(open_page: Open, tmp_path: Path) -> None:
    run_tables(tmp_path, with_errors())
    app = open_page("overview", store=tmp_path / "rounds")
    assert "This draft cannot be published yet" in told(app)
    assert "3 errors are neither corrected nor accepted" in labels(app)
    assert "3 of " in told(app), "the rows rejected"


def test_a_gate_that_hangs_on_rejected_rows_is_left_to_do(open_page: Open, tmp_path: Path) -> None:
    run_tables(tmp_path, with_a_gate_that_hangs_on_a_rejected_row())
    app = open_page("overview", store=tmp_path / "rounds")
    assert "In 1 college a gate hangs on rejected rows" in labels(app)


@pytest.mark.parametrize("role", [Role.REGION, Role.DIRECTOR])
def test_others_read_of_a_published_round_what_the_package_shows(
    open_page: Open, role: Role
) -> None:
    page = told(open_page("overview", role))
    assert "5 of 9 colleges qualify" in page
    assert "rows read" not in page, "rejected rows are told to the college itself"


def test_of_a_draft_a_director_reads_where_to_look_instead(open_page: Open) -> None:
    app = open_page("overview", Role.DIRECTOR, round=DRAFT)
    assert "national figures are shown once it is published" in told(app)
    assert not app.metric
    assert "College" in labels(app)


def test_of_a_draft_a_region_reads_its_own_figures(open_page: Open) -> None:
    page = told(open_page("overview", Role.REGION, round=DRAFT))
    assert "Karaganda Region" in page
    assert "From " not in page, "there is nothing to compare"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_round_of_points_has_no_funding_and_means_of_colleges(
    open_page: Open, assessed: Path, language: str
) -> None:
    app = open_page("overview", language=language, store=assessed)
    assert "[no " not in told(app)
    if language == "en":
        assert app.title[0].value.startswith("23 colleges are ranked; no register of students")
        figures = [(one.label, one.value, one.delta) for one in app.metric]
        assert figures[0] == ("Infrastructure", "11.5", "mean of 23 colleges")  # 265 / 23
        assert "High level: 6 of 23 colleges" in told(app)


def test_a_round_in_which_nobody_is_ranked_is_shown(open_page: Open, tmp_path: Path) -> None:
    plan = plan_round("2024-25", "example", "threshold")
    run_round(data_folder() / "example", tmp_path / "rounds", plan, KEY, quiet)
    assert "not ranked: " in told(open_page("overview", store=tmp_path / "rounds"))


def test_the_text_of_every_tile_meets_aa() -> None:
    for colours in (_LIGHT, _DARK):
        for step in range(101):
            tile = fill(step / 100, colours)
            assert contrast(text_on(tile), tile) >= 4.5
        empty = fill(None, colours)
        assert contrast(text_on(empty), empty) >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_every_region_has_a_name_that_fits_a_tile() -> None:
    lines = (data_folder() / "reference" / "regions.csv").read_text("utf-8").splitlines()[1:]
    assert {line.partition(",")[0] for line in lines} == set(_SHORT)
    for region in _SHORT:
        assert all(len(short_name(region, language, "?")) <= 11 for language in LANGUAGES)
    assert short_name("KZ-99", "kk", "Жаңа облыс") == "Жаңа облыс"


def test_links_keep_round_and_language(open_page: Open) -> None:
    app = open_page("overview", language="ru", round=DRAFT)
    queries = [one.proto.query_string for one in app.get("page_link")]
    assert all("lang=ru" in query and "round=2025-26" in query for query in queries)
