"""The one sentence that a director comes for, on the twelve worked colleges."""

from dataclasses import replace
from decimal import Decimal

import pytest

from funding.verdict import answer, league_and_score, missing, places, threshold_told
from kpi.language import LANGUAGES, speaker
from kpi.rounds import Round
from kpi.standing import TABLES, Standing, standing_of

ENGLISH = speaker("en")


def standing(done: Round, college_id: str) -> Standing:
    tables = {name: done.table(name) for name in TABLES}
    found = standing_of(tables, done.methodology, college_id)
    assert found is not None
    return found


def told(done: Round, college_id: str, language: str = "en") -> str:
    words = speaker(language)
    names = {kpi.code: words.name(kpi.name) for kpi in done.methodology.kpis}
    return answer(words, standing(done, college_id), done.methodology, names)


def test_one_gate_short_by_one_student(example_round: Round) -> None:
    assert told(example_round, "EX-06") == (
        "One gate is not passed: Share of students in dual training: 16.0\u00a0% (4 of 25)"
        " against 20\u00a0%, short by 1 student"
    )
    assert missing(ENGLISH, standing(example_round, "EX-06")) == "1 student"


def test_an_accreditation_that_is_not_there(example_round: Round) -> None:
    assert told(example_round, "EX-01") == (
        "One gate is not passed: Institutional accreditation: it is not there"
    )
    assert missing(ENGLISH, standing(example_round, "EX-01")) == "1 gate"


def test_all_gates_passed(example_round: Round) -> None:
    assert told(example_round, "EX-02") == "All 3 gates are passed"
    assert missing(ENGLISH, standing(example_round, "EX-02")) == "nothing"


def test_two_gates_not_passed(example_round: Round) -> None:
    sentence = told(example_round, "EX-07")
    assert sentence.startswith("2 gates are not passed: ")
    assert "64.0\u00a0% (16 of 25) against 70\u00a0%, short by 2 graduates; " in sentence
    assert missing(speaker("ru"), standing(example_round, "EX-07")) == "2 условия"


def test_not_ranked_and_why(example_round: Round) -> None:
    assert told(example_round, "EX-08") == (
        "Not ranked: Employed, excluded left out (derived) is needed and is missing"
        " (small cohort). All 3 gates are passed"
    )
    assert told(example_round, "EX-09").startswith(
        "Not ranked: 24 students counted, fewer than 25. 2 gates are not passed"
    )
    assert told(example_round, "EX-10") == "Not ranked: its status is closed"
    assert places(ENGLISH, standing(example_round, "EX-08")) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("college_id", ["EX-01", "EX-02", "EX-06", "EX-07", "EX-08", "EX-10"])
def test_it_is_said_in_every_language(example_round: Round, college_id: str, language: str) -> None:
    assert "[no " not in told(example_round, college_id, language)
    assert "None" not in told(example_round, college_id, language)


def test_ranks_and_league(example_round: Round) -> None:
    found = standing(example_round, "EX-03")
    row = found.ranking
    assert row is not None and row["rank_low"] < row["rank_high"] and row["league_chance"] < 0.9
    assert places(ENGLISH, found) == [
        "Rank 3 of 7, shared by 2",
        f"ranks {row['rank_low']}–{row['rank_high']} in 90\u00a0% of draws",
        "region: 2 of 4",
        "cluster: 1 of 1",
    ]
    assert league_and_score(ENGLISH, found, example_round.methodology) == [
        f"league 1 ≈ {round(100 * row['league_chance'])}\u00a0% (Technological leaders)",
        "score 62.12",
    ]


def test_hidden_results_are_called_hidden(example_round: Round) -> None:
    found = standing(example_round, "EX-06")
    names = {kpi.code: kpi.name.en for kpi in example_round.methodology.kpis}
    gates = [gate | {"passed": None} for gate in found.gates]
    sentence = answer(ENGLISH, replace(found, gates=gates), example_round.methodology, names)
    assert sentence.startswith("Whether this gate is passed is hidden")
    assert "4 of 25" not in sentence


@pytest.mark.parametrize(
    ("threshold", "words"),
    [("0.70", "70\u00a0%"), ("0.625000", "62.5\u00a0%"), ("1", "100\u00a0%")],
)
def test_a_threshold_has_the_decimals_that_it_has(threshold: str, words: str) -> None:
    assert threshold_told(ENGLISH, "outcome_share", Decimal(threshold)) == words
