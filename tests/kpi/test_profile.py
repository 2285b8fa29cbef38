"""A college's profile as plain data, in words and on the command line: what each part says.

The seven colleges alike of ``alike_round`` teach the same; the example's twelve hardly any.
"""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs import Tables, agreement, college, graduates, run_tables, students, together

from kpi.errors import CallError
from kpi.language import LANGUAGES, speaker
from kpi.profile import (
    LIMITS,
    TABLES,
    Expected,
    Profile,
    beyond,
    facts_of,
    flat,
    funnel,
    profile_of,
)
from kpi.profile_report import print_profile, trend_of
from kpi.profile_words import expected_title, profile_title
from kpi.rounds import Round

EN = speaker("en")
SIZES = {"EX-1": 20, "EX-2": 21, "EX-3": 22, "EX-4": 23, "EX-5": 24, "EX-6": 25, "EX-7": 26}


def alike() -> Tables:
    """Seven colleges of one specialty, of 20 to 26 students; EX-7 has most in dual training,
    EX-1 the fewest, but the best employment: 20 of 20 graduates, the others 10 of 20.
    """
    parts: list[Tables] = []
    for number, (college_id, size) in enumerate(SIZES.items(), 1):
        members = students(college_id, size)
        parts.append(
            {
                "colleges": [college(college_id)],
                "students": members,
                "dual_agreements": [
                    agreement(of) for of in members[: {1: 4, 7: 20}.get(number, 5)]
                ],
                "graduates": graduates(college_id, 20, 0)
                if number == 1
                else graduates(college_id, 10, 10),
            }
        )
    return together(*parts)


@pytest.fixture(scope="module")
def alike_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    return run_tables(tmp_path_factory.mktemp("alike"), alike())


def profile(of_round: Round, college_id: str, **instead: pl.DataFrame) -> Profile:
    tables = {name: of_round.table(name) for name in TABLES if of_round.has(name)}
    found = profile_of(tables | instead, of_round.methodology, college_id)
    assert found is not None
    return found


# its parts


def test_the_peers_come_nearest_first_with_their_names(alike_round: Round) -> None:
    peers = profile(alike_round, "EX-1").peers
    assert [row["college_id"] for row in peers] == [f"EX-{number}" for number in range(2, 8)]
    assert peers[0]["name_ru"] == "Колледж EX-2"


def test_peers_that_are_not_shown_keep_their_ids_alone(alike_round: Round) -> None:
    own = alike_round.table("unit_profile").filter(pl.col("college_id") == "EX-1")
    peers = profile(alike_round, "EX-1", unit_profile=own).peers
    assert (peers[0]["college_id"], peers[0]["name_ru"]) == ("EX-2", None)


def test_strengths_and_weaknesses_are_those_of_the_comparison(alike_round: Round) -> None:
    best = profile(alike_round, "EX-1")
    assert [row["kpi"] for row in best.told("strength")] == ["employment_rate"]
    assert best.told("strength")[0]["numerator"] == 20
    assert [row["kpi"] for row in best.told("weakness")] == ["dual_share"]
    dual = profile(alike_round, "EX-7").told("strength")
    assert [(row["kpi"], row["place"], row["peers"]) for row in dual] == [("dual_share", 1, 6)]


def test_what_lies_outside_the_profile_begins_with_the_largest(example_round: Round) -> None:
    """EX-08: 15 of 25 students in transport, 10 in agriculture."""
    found = profile(example_round, "EX-08")
    assert [row["cluster"] for row in found.clusters] == ["transport", "agriculture"]
    assert [(row["specialty"], row["students"]) for row in found.outside] == [("08210100", 10)]
    title = profile_title(EN, found, {"transport": "Transport"})
    assert title.replace("\u00a0", " ") == "Profile: Transport, 60.0 % of its students"


def test_a_college_without_graduates_has_no_expectation(example_round: Round) -> None:
    found = profile(example_round, "EX-09")
    assert found.expected is None
    assert found.levels == []


def test_colleges_and_students_in_dual_training_stand_side_by_side(example_round: Round) -> None:
    [region, nation] = profile(example_round, "EX-05").dual
    assert (region.place, nation.place) == ("KZ-35", "KZ")
    assert nation.students is not None
    assert nation.colleges["denominator"] < nation.students["denominator"]


def test_a_college_that_is_not_shown_has_no_profile(example_round: Round) -> None:
    tables = {name: example_round.table(name) for name in TABLES}
    assert profile_of(tables, example_round.methodology, "EX-99") is None


def test_a_round_of_an_earlier_product_has_what_its_tables_say(example_round: Round) -> None:
    old = {name: example_round.table(name) for name in ("unit_profile", "kpi_values")}
    found = profile_of(old, example_round.methodology, "EX-05")
    assert found is not None
    assert (found.focus, found.peers, found.expected, found.dual) == (None, [], None, [])


# the funnel


def expectation(difference: float, variance: float, graduates: int = 100) -> dict[str, Any]:
    return {
        "college_id": "EX-1",
        "graduates": graduates,
        "difference": Decimal(str(difference)),
        "difference_share": difference / graduates,
        "variance": Decimal(str(variance)),
    }


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (7.8, "7.8 points more than expected, within what chance alone could do"),
        (-7.8, "7.8 points less than expected, within what chance alone could do"),
        (7.9, "7.9 points more than expected, beyond the 95 % limits of chance"),
        (-12.3, "12.3 points less than expected, beyond the 95 % limits of chance"),
        (12.4, "12.4 points more than expected, beyond the 99.8 % limits of chance"),
    ],
)
def test_the_finding_says_what_chance_has_to_do_with_it(difference: float, said: str) -> None:
    """A variance of 16 is a standard deviation of 4: limits at 7.84 and 12.36 of 100 graduates."""
    row = expectation(difference, 16)
    assert expected_title(EN, Expected(row, beyond(row), [])) == said


@given(st.integers(5, 900), st.floats(0.5, 400), st.integers(1, 900))
def test_the_funnel_is_as_wide_at_a_colleges_size_as_its_own_limits(
    graduates: int, variance: float, other: int
) -> None:
    row = expectation(0, round(variance, 6), graduates)
    curve = funnel(Expected(row, None, [expectation(0, 1, other)]))
    assert [point["graduates"] for point in curve] == sorted(p["graduates"] for p in curve)
    for name, width in LIMITS.items():
        reach = width * math.sqrt(float(row["variance"])) / graduates
        products = [point[name] * math.sqrt(point["graduates"]) for point in curve]
        assert products == pytest.approx([reach * math.sqrt(graduates)] * len(curve))


# as plain data, and printed


def test_facts_can_be_written_as_json_and_as_lines(alike_round: Round) -> None:
    facts = facts_of(profile(alike_round, "EX-1"), [])
    assert json.loads(json.dumps(facts, default=str))["peers"][0]["peer_id"] == "EX-2"
    lines = dict(flat(facts))
    assert lines["peers.1.peer_id"] == "EX-2"
    assert lines["expected.graduates"] == "20"
    assert lines["expected.beyond"] == "99.8"


def printed(of_round: Round, capsys: pytest.CaptureFixture[str], form: str, language: str) -> str:
    store = of_round.path.parent.parent
    print_profile(of_round, store, "EX-1", form, speaker(language))
    return capsys.readouterr().out


def test_the_text_names_every_part(alike_round: Round, capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(alike_round, capsys, "table", "en")
    for part in (
        "Profile: Education, 100.0 % of its students",
        "every specialty lies within the profile",
        "Колледж EX-2",
        "20 of 20",
        "strength",
        "not stated: 100.0 % (20 of 20); Kazakhstan 57.1 % (80 of 140)",
        "50.0 points more than expected, beyond the 99.8 % limits of chance",
        "never weighted",
        "Kazakhstan: 100.0 % (7 of 7) of the colleges have dual training, 30.4 % (49 of 161)",
    ):
        assert part in told.replace("\u00a0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_is_whole_in_every_language(
    alike_round: Round, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    told = printed(alike_round, capsys, "table", language)
    assert f"[no {language} text]" not in told
    assert "None" not in told


def test_csv_and_json_hold_the_same_facts(
    alike_round: Round, capsys: pytest.CaptureFixture[str]
) -> None:
    as_json = json.loads(printed(alike_round, capsys, "json", "en"))
    rows = pl.read_csv(printed(alike_round, capsys, "csv", "en").encode(), infer_schema=False)
    assert rows.columns == ["fact", "value"]
    lines = dict(rows.rows())
    assert lines["comparisons.1.verdict"] == as_json["comparisons"][0]["verdict"] == "strength"
    assert len(lines) == len(flat(as_json))


def test_another_format_is_refused(alike_round: Round, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="no such format"):
        print_profile(alike_round, tmp_path, "EX-1", "xml", EN)


def test_the_trend_is_that_of_the_rounds_before(tmp_path: Path) -> None:
    """2025-26 after 2024-25, whose graduates are those of the year before: none."""
    tables: Mapping[str, Any] = alike()
    run_tables(tmp_path / "a", tables)
    store = tmp_path / "a" / "rounds"
    (store / "uploads").mkdir()
    run_tables(tmp_path / "b", tables, round_id="2024-25")
    (tmp_path / "b" / "rounds" / "2024-25").rename(store / "2024-25")
    latest = Round(store / "2025-26" / "draft-1")
    [(name, rows)] = trend_of(latest, store, "EX-1")
    assert name == "2024-25"
    assert rows["employment_rate"]["denominator"] == 0
