"""The steps of long work, in words and in shares."""

import ast
from pathlib import Path

import pytest

from kpi.language import LANGUAGES, speaker
from kpi.steps import STEPS, WAYS, how_far, told

ROOT = Path(__file__).parents[2]


def reported() -> set[str]:
    """Every step that code reports as a literal."""
    calls = [
        node
        for folder in ("kpi", "funding")
        for path in (ROOT / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and "report" in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
    ]
    return {
        node.args[0].value
        for node in calls
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def test_every_step_that_is_reported_has_words() -> None:
    assert reported() <= STEPS.keys()
    assert {"reading", "checking rows", "writing the draft"} <= reported()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_step_is_said_in_the_language(language: str) -> None:
    words = speaker(language)
    steps = [*STEPS, "reading students.csv"]
    assert not [step for step in steps if "[no " in told(words, step)]
    assert "students.csv" in told(words, "reading students.csv")


def test_the_bar_never_goes_back() -> None:
    run = [
        ("reading colleges.csv", 0, 100),
        ("reading students.csv", 40, 100),
        ("reading", 100, 100),
        ("checking rows", 0, 5),
        ("ranking", 2, 5),
        ("checking results", 5, 5),
        ("writing the draft", 0, 1),
        ("writing the draft", 1, 1),
    ]
    shares = [how_far("run", *one) for one in run]
    assert shares == sorted(shares)
    assert shares[0] == 0.0 and shares[1] == pytest.approx(0.16) and shares[-1] == 1.0


def test_a_step_of_no_size_and_one_of_another_way_harm_nothing() -> None:
    assert how_far("check", "reading", 0, 0) == pytest.approx(0.75)
    assert how_far("check", "funding", 1, 2) == 0.0
    assert all(0 <= start <= end <= 1 for way in WAYS.values() for start, end in way.values())
