"""`kpi scenario`, `path`, `compare`, `budget`: exit codes, messages, languages, files written."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import KEY
from small_rounds import Varied

from kpi import cli
from kpi.language import LANGUAGES, SOURCE
from kpi.pseudonyms import KEY_VARIABLE


@dataclass
class Said:
    """What a call of the command answered."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams, in one line."""
        return " ".join((self.out + self.err).replace("\u00a0", " ").split())


Kpi = Callable[..., Said]


@pytest.fixture
def kpi(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Kpi:
    """Calls the command as the shell does, in an empty folder; never is a traceback its answer."""
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    monkeypatch.delenv("KPI_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["kpi", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        assert "the product failed" not in err, err
        return Said(int(caught.value.code or 0), out, err)

    return call


@pytest.fixture
def scenario(kpi: Kpi, varied: Varied) -> Kpi:
    """Calls `kpi scenario` on the varied round."""
    return lambda *words: kpi("scenario", "--store", varied.store, *words)


# scenario


def test_a_scenario_shows_baseline_scenario_and_difference(scenario: Kpi) -> None:
    said = scenario("--set", "gates.dual_share=0.16", "--set", "norm.full=900000")
    assert said.code == 0
    assert "SCENARIO over 2025-26 draft-1: nothing of it is in force." in said.text
    assert "gates.dual_share: 0.2 → 0.16" in said.text
    assert "norm.full: 912000 → 900000" in said.text
    assert "baseline scenario difference" in said.text
    assert "colleges with incentive 4 6 +2" in said.text
    assert "2 colleges gain" in said.text
    assert "4 colleges lose" in said.text
    assert "region baseline scenario difference" in said.text
    assert "Astana" in said.text
    moves = said.out.partition("ten largest moves")[2]
    assert "EX-04" in moves
    assert "0 → 1" in moves


def test_at_most_ten_moves_are_shown(scenario: Kpi) -> None:
    said = scenario("--set", "norm.base=400000", "--set", "norm.full=800000")
    moves = said.out.partition("ten largest moves")[2]
    assert sum("EX-" in line for line in moves.splitlines()) == 10


def test_a_parameter_that_changes_nothing_says_so(scenario: Kpi) -> None:
    said = scenario("--set", "gates.dual_share=0.20", "--set", "gates.institution_accredited=0.5")
    assert said.code == 0
    assert "gates.dual_share is 0.2 already: it changes nothing." in said.text
    assert "gates.institution_accredited = 0.5 (was 1) changes nothing" in said.text
    assert "ten largest moves" not in said.text


def test_a_whole_rule_is_named(scenario: Kpi) -> None:
    said = scenario("--rule", "leagues")
    assert said.code == 0
    assert "whole file: leagues: 2025-09-01.toml" in said.text


def test_files_of_a_scenario_are_written_where_asked_and_named(
    scenario: Kpi, tmp_path: Path
) -> None:
    said = scenario("--set", "norm.full=900000", "--to", tmp_path / "deep" / "er")
    written = sorted(path.name for path in (tmp_path / "deep" / "er").iterdir())
    assert written == [
        "2025-26-draft-1-scenario-colleges.csv",
        "2025-26-draft-1-scenario-receipt.json",
        "2025-26-draft-1-scenario-regions.csv",
    ]
    for name in written:
        assert name in said.out
    told = json.loads((tmp_path / "deep" / "er" / written[1]).read_text(encoding="utf-8"))
    assert told["scenario"] is True


def test_a_frontier_marks_the_threshold_in_force_and_says_what_it_is_drawn_under(
    scenario: Kpi, tmp_path: Path
) -> None:
    said = scenario(
        "--frontier", "employment_rate", "--set", "norm.full=900000", "--to", tmp_path / "out"
    )
    assert said.code == 0
    assert "SCENARIO over" in said.text
    assert "norm.full: 912000 → 900000" in said.text
    assert [line.split()[0] for line in said.out.splitlines() if "*" in line][-1] == "0.70*"
    rows = pl.read_csv(tmp_path / "out" / "2025-26-draft-1-scenario-frontier.csv")
    assert rows.height == 46
    assert set(rows["status"]) == {"scenario"}
    receipt = tmp_path / "out" / "2025-26-draft-1-scenario-frontier-receipt.json"
    told = json.loads(receipt.read_text(encoding="utf-8"))
    assert (told["scenario"], told["frontier"]) == (True, ["employment_rate"])
    assert told["set"] == {"norm.full": {"old": "912000", "new": "900000"}}


def test_a_frontier_of_two_gates(scenario: Kpi) -> None:
    said = scenario("--frontier", "employment_rate", "--frontier", "dual_share=0.1..0.3")
    assert said.code == 0
    points = [line.split() for line in said.out.splitlines() if line.strip()[:2] in ("0.", "1.")]
    assert len(points) == 10 * 5, "steps of 0.05"


def test_a_fine_step_shows_every_digit_of_its_thresholds(scenario: Kpi) -> None:
    said = scenario("--frontier", "dual_share=0.200..0.204", "--step", "0.002")
    assert [line.split()[0] for line in said.out.splitlines() if line.strip()[:2] == "0."] == [
        "0.200*",
        "0.202",
        "0.204",
    ]


def test_a_frontier_of_a_gate_that_changes_nothing_says_so(scenario: Kpi) -> None:
    said = scenario("--frontier", "employment_rate=0.75..0.79")
    assert "employment_rate: none of these thresholds changes anything." in said.text
    said = scenario("--frontier", "employment_rate=0.70..0.79")
    assert "changes anything" not in said.text


WRONG_CALLS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("The scenario changes nothing.", "--set, --methodology, --rule", "--help"),
    ("--set", "gate.x=1"): ("No parameter has this path.", "gate.x", "gates.<kpi>"),
    ("--set", "norm.full"): ("A setting is a path and a value.", "norm.full"),
    ("--set", "norm.full=many"): ("--set norm.full", "many", "a whole number"),
    ("--set", "norm.full=1"): ("base, full: are 437000 and 1", "0 < base <= full"),
    ("--set", "weights.outcomes=0.4"): ("sum to 0.50", "expected 0.4", "nothing was computed"),
    ("--set", "norm.gates=median_wage"): ("asks for gates that the methodology has not",),
    ("--rule", "nothing"): ("There is no rule of this name.", "leagues, threshold"),
    ("--rule", "missing.toml"): ("The file cannot be read.", "missing.toml"),
    ("--methodology", "nothing"): ("There is no methodology of this name.",),
    ("--frontier", "dual_share", "--step", "0"): ("--step", "found: 0", "0.001 to 1"),
    ("--frontier", "dual_share", "--step", "-0.1"): ("--step", "-0.1"),
    ("--frontier", "nothing"): ("There is no such entry in gates.", "nothing"),
    ("--frontier", "dual_share=0.3"): ("--frontier", "dual_share=0.3"),
    ("--frontier", "dual_share", "--frontier", "dual_share"): ("one gate, or two different ones",),
    ("--language", "de", "--set", "norm.full=900000"): ("--language", "kk, ru, en"),
    ("--round", "2019-20", "--set", "norm.full=900000"): ("no such round", "2019-20"),
    ("--version", "v7", "--set", "norm.full=900000"): ("no such version", "v7"),
    ("--set", "appropriation.amount=1", "--set", "appropriation.covers=total"): (
        "The appropriation does not cover the base amounts.",
        "tenge more",
    ),
}


@pytest.mark.parametrize("words", WRONG_CALLS, ids=lambda words: " ".join(words) or "nothing")
def test_a_wrong_call_ends_with_2_and_says_what_is_wrong(
    scenario: Kpi, words: tuple[str, ...], tmp_path: Path
) -> None:
    said = scenario(*words, "--to", "out")
    assert said.code == 2
    for part in WRONG_CALLS[words]:
        assert part in said.text
    assert not (tmp_path / "out").exists(), "nothing is written"


def test_a_methodology_that_needs_other_tables_ends_with_1(scenario: Kpi) -> None:
    without_gates = ("--set", "norm.full=437000", "--set", "norm.gates=")
    said = scenario("--methodology", "assessment", *without_gates)
    assert said.code == 1
    assert "assessments.csv" in said.text


# path


@pytest.fixture
def path(kpi: Kpi, varied: Varied) -> Kpi:
    """Calls `kpi path` on the varied round."""
    return lambda *words: kpi("path", *words, "--store", varied.store)


def test_a_path_says_what_is_missing_and_what_it_brings(path: Kpi) -> None:
    said = path("EX-03")
    assert said.code == 0
    assert "EX-03 Колледж EX-03" in said.text
    assert "6 / 10 against 0.7: short by 1 graduate; alone it brings" in said.text
    assert "league 2: " in said.text


@pytest.mark.parametrize(
    ("college_id", "sentence"),
    [
        ("EX-01", "Every gate is passed. The college is in league 1."),
        ("EX-07", "0 / 0 against 0.7: no further count can pass it"),
        ("EX-06", "The college is not ranked: there is no next league for it."),
        ("EX-04", "short by 1 student"),
        ("EX-05", "it is not there"),
        ("EX-01B", "EX-01 Колледж EX-01"),
        ("Колледж EX-11", "EX-11"),
    ],
)
def test_every_kind_of_college_gets_an_answer(path: Kpi, college_id: str, sentence: str) -> None:
    said = path(college_id)
    assert said.code == 0
    assert sentence in said.text


@pytest.mark.parametrize(
    ("college_id", "sentence"),
    [("EX-99", "No college has this id or name."), ("Колледж", "Several colleges fit.")],
)
def test_a_college_that_is_not_found_ends_with_2(path: Kpi, college_id: str, sentence: str) -> None:
    said = path(college_id)
    assert said.code == 2
    assert sentence in said.text
    assert college_id in said.text


# compare and budget


def test_compare_shows_parts_reasons_and_league_moves(
    kpi: Kpi, varied: Varied, tmp_path: Path
) -> None:
    said = kpi("compare", "2024-25", "2025-26", "--store", varied.store, "--to", tmp_path / "c.csv")
    assert said.code == 0
    assert "2024-25 v1 → 2025-26 draft-1:" in said.text
    assert "norm 600,000 and 600,000, now 437,000 and 912,000" in said.text
    assert "moved to another league" in said.text
    rows = pl.read_csv(tmp_path / "c.csv")
    parts = ("students", "qualification", "norm", "coefficient", "appropriation", "guarantee")
    for row in rows.iter_rows(named=True):
        assert sum(row[part] for part in parts) == row["change"]
        assert row["change"] == 0 or row["reasons"]
    moved = [
        row for row in rows.iter_rows(named=True) if row["league_before"] != row["league_after"]
    ]
    assert moved
    for row in moved:  # fewer than eleven of each kind: all of them are named
        assert f"{row['college_id']} Колледж {row['college_id']}" in said.text


def test_a_round_against_itself_is_all_nought(kpi: Kpi, varied: Varied) -> None:
    said = kpi("compare", "2025-26", "2025-26/draft", "--store", varied.store)
    assert said.code == 0
    assert ": 0 ₸ a year, 11 colleges" in said.text
    assert "0 colleges moved to another league" in said.text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("2019-20", "2025-26"), "There is no such round in the store."),
        (("2025-26", "2025-26/v9"), "The round has no such version."),
    ],
)
def test_a_round_that_is_not_there_ends_with_2(
    kpi: Kpi, varied: Varied, words: tuple[str, str], sentence: str
) -> None:
    said = kpi("compare", *words, "--store", varied.store)
    assert said.code == 2
    assert sentence in said.text


def test_a_budget_marks_what_it_estimates_and_writes_every_month(
    kpi: Kpi, varied: Varied, tmp_path: Path
) -> None:
    said = kpi("budget", 2026, "--store", varied.store, "--to", tmp_path / "b.csv")
    assert said.code == 0
    assert "of it an ESTIMATE" in said.out.splitlines()[0], "the sum of the year says so first"
    assert "ESTIMATE: the round 2026-27 does not exist yet" in said.text
    rows = pl.read_csv(tmp_path / "b.csv", try_parse_dates=True)
    assert rows.height == 11 * 12
    marked = rows.filter(pl.col("is_estimate"))["month"].dt.month().unique().sort().to_list()
    assert marked == [9, 10, 11, 12]


def test_a_budget_of_two_rounds_has_no_estimate(kpi: Kpi, varied: Varied) -> None:
    said = kpi("budget", 2025, "--store", varied.store)
    assert said.code == 0
    assert "ESTIMATE" not in said.text
    assert "2024-25 v1" in said.text
    assert "2025-26 draft-1" in said.text


def test_a_budget_without_its_first_round_ends_with_2(kpi: Kpi, varied: Varied) -> None:
    said = kpi("budget", 2024, "--store", varied.store)
    assert said.code == 2
    assert "are paid from the round 2023-24, which is not there" in said.text


# three languages


CALLS: list[tuple[Any, ...]] = [
    ("scenario", "--set", "norm.full=900000", "--set", "gates.dual_share=0.2"),
    ("scenario", "--frontier", "dual_share=0.1..0.3", "--step", "0.1"),
    ("path", "EX-03"),
    ("path", "EX-09"),
    ("compare", "2024-25", "2025-26"),
    ("budget", "2025"),
    ("budget", "2026"),
]


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != SOURCE])
@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_each_command_speaks_each_language(
    kpi: Kpi, varied: Varied, words: tuple[Any, ...], language: str
) -> None:
    said = kpi(*words, "--store", varied.store, "--language", language)
    assert said.code == 0
    assert said.out.strip()
    assert "{" not in said.out, "no place of a sentence is left empty"
