"""The page Scenario: an address gives the figures of ``funding.scenario``, or says why not."""

import json
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from publications import ROUND
from screens import Open, texts
from streamlit.testing.v1 import AppTest

from funding.moves import (
    chosen,
    counted,
    curve_of,
    heights_of,
    marks_on,
    moved_regions,
    span_around,
    summed,
    turned,
    with_room,
)
from funding.scenario import Desk, frontier_of, other_files
from funding.settings import put_value, read_rules, value_of, values_at, with_settings
from kpi.access import AccessError, Role, Viewer
from kpi.errors import CallError
from kpi.language import speaker
from kpi.rounds import open_round
from views.frame.here import Here
from views.frame.scenarios import MOST, Asked, base_of, frontier_here, scenario_here, zip_of

HARDER = "gates.employment_rate=0.75"


@pytest.fixture(scope="module")
def desk(app_store: Path) -> Iterator[Desk]:
    """The example round, opened for scenarios without any page."""
    opened = Desk(open_round(app_store), app_store)
    yield opened
    opened.close()


def plain(text: str) -> str:
    """A text without the marks that keep Markdown off and words together."""
    return text.replace("\\", "").replace("\u00a0", " ")


def settings_of(app: AppTest) -> list[str]:
    """The settings that the address holds."""
    found = app.query_params["set"]
    return [found] if isinstance(found, str) else list(found)


def metrics(app: AppTest) -> dict[str, str]:
    return {one.label: plain(one.value) for one in app.metric}


def at_of(store: Path, role: Role = Role.MINISTRY) -> Here:
    """Where a page stands, without a page."""
    viewer = Viewer(role, "x", region="KZ-35", college_id="EX-01")
    return Here(speaker("en"), viewer, store, open_round(store))


# what the address says is what is computed


def test_without_settings_nothing_is_changed(open_page: Open) -> None:
    app = open_page("scenario")
    assert plain(app.title[0].value) == (
        "Nothing is changed yet: 5 colleges qualify, 156.9 million ₸ a year"
    )
    assert metrics(app)["Difference"] == "0 ₸"


def test_a_harder_gate_by_hand(open_page: Open) -> None:
    """At 75 % EX-05 (7 of 10) falls: 22 students lose 475 000 each, 10 450 000 in all."""
    app = open_page("scenario", set=[HARDER])
    assert plain(app.title[0].value) == (
        "156.9 million ₸ → 146.5 million ₸ a year (−10.4 million ₸); 5 → 4 colleges qualify"
    )
    [row] = [one.value for one in app.dataframe if one.value.columns[0] == "college"]
    assert plain(row["difference"][0]) == "−10,450,000 ₸"


@pytest.mark.parametrize(
    "settings",
    [
        [HARDER],
        ["norm.full=1000000", "norm.base=400000"],
        ["norm.gates=employment_rate"],
        ["leagues.1.max_count=4", "min_students=30"],
        ["appropriation.amount=50000000", "appropriation.covers=incentive"],
        ["coefficients.heavy=1.5", "shares=none"],
    ],
)
def test_the_address_gives_what_the_scenario_gives(
    app_store: Path, desk: Desk, settings: list[str]
) -> None:
    found = scenario_here(at_of(app_store), Asked(tuple(settings), None, None))
    done = desk.scenario(desk.rules, settings)
    assert found.outcome == done.outcome.national()
    assert found.baseline == done.baseline.national()
    assert found.moves.equals(done.colleges())
    assert found.regions.equals(done.regions())
    assert found.idle == {change.path for change in done.idle}


def test_a_rule_by_name_pays_by_leagues(open_page: Open, app_store: Path) -> None:
    """The example's own figures: 155 895 000 by leagues."""
    app = open_page("scenario", rule="leagues")
    assert metrics(app)["Scenario a year"] == "155.9 million ₸"
    assert "whole file" in texts(app)
    labels = [one.label for one in app.number_input]
    assert "Share of the incentive part for league 2, %" in labels


def test_each_change_stands_with_its_old_value_and_can_be_taken_back(open_page: Open) -> None:
    app = open_page("scenario", set=[HARDER, "norm.full=900000"])
    told = plain(texts(app))
    assert "75 % instead of 70 %" in told
    assert "900,000 ₸ instead of 912,000 ₸" in told
    app.button(key="back:gates.employment_rate").click().run()
    assert settings_of(app) == ["norm.full=900000"]
    app.button(key="back:norm.full").click().run()
    assert "set" not in app.query_params
    assert "Nothing is changed yet" in app.title[0].value


def test_what_moves_nothing_says_so(open_page: Open) -> None:
    app = open_page("scenario", set=["gates.employment_rate=0.70", "gates.dual_share=0.21"])
    told = plain(texts(app))
    assert "is 70 % already: it changes nothing" in told


def test_controls_show_the_address_and_write_it(open_page: Open) -> None:
    app = open_page("scenario", set=[HARDER])
    control = app.number_input(key="address:gates.employment_rate")
    assert control.value == 75
    control.set_value(80.5).run()
    assert settings_of(app) == ["gates.employment_rate=0.805"]
    app.number_input(key="address:gates.employment_rate").set_value(70.0).run()
    assert "set" not in app.query_params, "the value in force is no change"
    app.number_input(key="address:norm.full").set_value(950_000).run()
    assert settings_of(app) == ["norm.full=950000"]


def test_any_path_can_be_written(open_page: Open) -> None:
    app = open_page("scenario")
    app.text_input(key="scenario:text").set_value(" min_students = 30 ")
    [button] = [one for one in app.button if one.label == "Set"]
    button.click().run()
    assert settings_of(app) == ["min_students=30"]
    assert not app.exception


# the frontier


def test_a_frontier_is_drawn_when_it_is_asked_for(
    open_page: Open, app_store: Path, desk: Desk
) -> None:
    asked = Asked(("norm.full=900000",), None, None)
    points = frontier_here(at_of(app_store), asked, "employment_rate")
    rules, _ = with_settings(desk.rules, asked.settings)
    axis = span_around(desk.rules.methodology.gates[0].threshold)
    assert points.equals(frontier_of(desk, rules, [("employment_rate", axis)]))
    assert points.height == 46
    app = open_page("scenario", frontier="employment_rate", set=[HARDER])
    assert not app.exception
    assert "the numbers are colleges that qualify" in texts(app)
    assert "the numbers are colleges" not in texts(open_page("scenario"))


def test_a_frontier_of_no_gate_is_none(open_page: Open) -> None:
    app = open_page("scenario", frontier="../etc")
    assert not app.exception
    assert not app.error


# what cannot be


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["gates.nothing=0.5"], "There is no such entry in gates."),
        (["gates.employment_rate=much"], "This is no value that the parameter can have."),
        (["gates.employment_rate"], "A setting is a path and a value."),
        (["nothing.at.all=1"], "No parameter has this path."),
        ([HARDER, "gates.employment_rate=0.8"], "A parameter is set twice."),
        (["weights.dual_share=0.9"], "The methodology is wrong."),
        (["norm.base=999999999"], "The rule is wrong."),
        (["mode=leagues"], "The rule is wrong."),
        (["mode=<script>alert(1)</script>"], "The rule is wrong."),
        (["norm.full=1e9"], "This is no value that the parameter can have."),
        (["=HYPERLINK(1)"], "No parameter has this path."),
    ],
)
@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_a_wrong_setting_says_what_is_wrong_and_can_be_taken_back(
    open_page: Open, settings: list[str], said: str, language: str
) -> None:
    app = open_page("scenario", language=language, set=settings)
    assert not app.exception
    told = plain(app.error[0].value)
    assert speaker(language).error(said) in told
    assert "[no " not in told
    app.button(key="all-back").click().run()
    assert not app.error
    assert "set" not in app.query_params


@pytest.mark.parametrize("name", ["rule", "methodology"])
@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "..",
        ".",
        "/etc/passwd",
        "own.toml",
        "threshold/2025-09-01.toml",
        "data\\rules",
        "THRESHOLD",
        "nothing",
        "leagues\u0000",
    ],
)
def test_a_name_that_does_not_ship_is_refused_before_any_file_is_read(
    open_page: Open, app_store: Path, name: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("scenario", **{name: path})
    assert not app.exception
    assert "There is no file of this name." in plain(app.error[0].value)

    def never(*_: object) -> None:
        raise AssertionError("a file was looked for")

    monkeypatch.setattr("views.frame.scenarios.other_files", never)
    asked = Asked((), **{"methodology": None, "rule": None} | {name: path})
    with pytest.raises(CallError, match="There is no file of this name"):
        base_of(at_of(app_store), asked)


def test_an_address_holds_no_more_than_can_be_tried(open_page: Open) -> None:
    app = open_page("scenario", set=[f"min_denominator.dual_share={n}" for n in range(MOST + 1)])
    assert "too many settings" in app.error[0].value


def test_a_value_out_of_all_bounds_is_no_traceback(open_page: Open) -> None:
    app = open_page("scenario", set=["coefficients.heavy=99999.9999", "calibrate=false"])
    assert not app.exception


# who may


@pytest.mark.parametrize("role", [Role.REGION, Role.DIRECTOR])
def test_only_ministry_and_auditor_may_ask(open_page: Open, app_store: Path, role: Role) -> None:
    app = open_page("scenario", role, set=[HARDER])
    assert "not for your role" in app.title[0].value
    assert not app.metric
    with pytest.raises(AccessError):
        scenario_here(at_of(app_store, role), Asked((HARDER,), None, None))
    with pytest.raises(AccessError):
        frontier_here(at_of(app_store, role), Asked.nothing(), "employment_rate")


@pytest.mark.parametrize("role", [Role.MINISTRY, Role.AUDITOR])
def test_everything_is_marked_as_a_scenario(open_page: Open, role: Role) -> None:
    assert "scenario: nothing of it is in force" in texts(open_page("scenario", role)).replace(
        "\\", ""
    )


def test_the_download_is_the_scenario_with_its_receipt(app_store: Path, tmp_path: Path) -> None:
    at = at_of(app_store)
    with zipfile.ZipFile(zip_of(at, Asked((HARDER,), None, None), tmp_path)) as packed:
        names = packed.namelist()
        [receipt] = [name for name in names if name.endswith("-receipt.json")]
        content = json.loads(packed.read(receipt))
    assert len(names) == 3
    assert all("scenario" in name for name in names)
    assert content["set"] == {"gates.employment_rate": {"old": "0.7", "new": "0.75"}}
    assert content["of"]["round"] == ROUND


# the pure parts


def test_moves_are_told_apart() -> None:
    moves = pl.DataFrame(
        {
            "college_id": ["A", "B", "C", "D"],
            "amount": [10, 10, 10, 10],
            "amount_scenario": [15, 4, 10, 17],
            "difference": [5, -6, 0, 7],
            "share": [0, 1, 0, 1],
            "share_scenario": [1, 0, 0, 1],
            "league": [2, 1, None, 1],
            "league_scenario": [1, 2, None, 1],
            "rank_scenario": [1, 2, None, 3],
        }
    )
    assert chosen(moves, "gain")["college_id"].to_list() == ["D", "A"]
    assert chosen(moves, "lose")["college_id"].to_list() == ["B"]
    assert chosen(moves, "league")["college_id"].to_list() == ["A", "B"]
    assert counted(moves) == {"gain": 2, "lose": 1, "league": 2}
    assert summed(moves) == (12, -6)
    assert turned(moves) == (1, 1)


def test_a_span_holds_46_thresholds_and_the_one_in_force() -> None:
    for text in ("0", "0.2", "0.49", "0.5", "0.7", "0.95", "0.96", "1"):
        span = span_around(Decimal(text))
        assert len(span) == 46
        assert span[0] >= 0
        assert span[-1] <= 1
        assert Decimal(text) in span or text == "0.49", "between the spans lies nothing round"


def curve(*thresholds: str) -> pl.DataFrame:
    """A frontier whose cost falls by 1 billion and one college a step."""
    frame = pl.DataFrame(
        {
            "dual_share": [Decimal(one) for one in thresholds],
            "qualifying": [40 - place for place in range(len(thresholds))],
            "amount": [(10 - place) * 10**9 for place in range(len(thresholds))],
        }
    )
    return curve_of(frame, "dual_share")


def test_marks_stand_on_the_curve_the_dearest_with_its_words_above() -> None:
    drawn = curve("0.10", "0.15", "0.20", "0.25", "0.30")
    assert drawn["is_labelled"].to_list() == [True, False, True, False, True]
    assert drawn["billions"].to_list() == [10, 9, 8, 7, 6]
    marks = marks_on(
        drawn,
        [
            ("baseline", Decimal("0.20"), 38, 8 * 10**9),
            ("scenario", Decimal("0.25"), 37, 9 * 10**9),
            ("far", Decimal("0.50"), 1, 1),
            ("no such gate", None, 1, 1),
        ],
    )
    assert marks.select("name", "percent", "billions", "is_above").rows() == [
        ("baseline", 20.0, 8.0, False),
        ("scenario", 25.0, 9.0, True),
    ]
    assert with_room(drawn, marks)["has_text"].to_list() == [True, False, False, False, False]
    assert with_room(drawn, marks.clear())["has_text"].sum() == 3
    assert heights_of(drawn) == {6.0: 6 * 10**9, 8.0: 8 * 10**9, 10.0: 10 * 10**9}


def test_regions_go_from_the_largest_gain_or_where_all_lose_from_the_largest_loss() -> None:
    def order(*differences: int) -> list[int]:
        regions = [f"KZ-{place}" for place in range(len(differences))]
        frame = pl.DataFrame({"region": ["KZ", *regions], "difference": [1, *differences]})
        return moved_regions(frame)["difference"].to_list()

    assert order(-5, 0, 3, 8) == [8, 3, -5]
    assert order(-1, -7, 0) == [-7, -1]
    assert order(0) == []


def test_a_path_is_put_in_its_place_and_taken_out() -> None:
    settings = ["a=1", "b=2"]
    assert put_value(settings, "a", "3") == ["a=3", "b=2"]
    assert put_value(settings, "c", "3") == ["a=1", "b=2", "c=3"]
    assert put_value(["a=1", "b=2", "a=4"], "a", "5") == ["a=5", "b=2"]
    assert put_value(settings, "a", None) == ["b=2"]
    assert value_of(settings, "b") == "2"
    assert value_of(settings, "c") is None


def test_values_at_paths_are_the_texts_that_would_set_them(app_store: Path) -> None:
    of_round = open_round(app_store)
    rules = read_rules(of_round.methodology_file(), of_round.rule_file())
    paths = ["gates.employment_rate", "norm.full", "norm.gates", "weights.outcomes", "calibrate"]
    values = values_at(rules, [*paths, "appropriation.amount"])
    assert values["gates.employment_rate"] == "0.7"
    assert values["norm.full"] == "912000"
    assert values["appropriation.amount"] == "none"
    again, changes = with_settings(rules, [f"{path}={values[path]}" for path in paths])
    assert all(change.is_idle for change in changes)
    assert again.rule.full.value == 912_000
    assert values_at(rules, paths) == {path: values[path] for path in paths}, "rules stay as read"


def test_other_files_are_those_that_ship(desk: Desk) -> None:
    rules, files = other_files(desk, None, "leagues")
    assert rules.rule.mode == "leagues"
    assert files == ["leagues: 2025-09-01.toml"]
