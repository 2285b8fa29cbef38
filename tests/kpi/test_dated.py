"""Dated files: which version is in force, what is refused, and how the error says so."""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funding.rule import Rule
from kpi import dated
from kpi.dated import earlier_versions, in_force, load_file, path_of, versions
from kpi.errors import CallError
from kpi.methodology import Methodology, first_year, load_methodology, round_dates
from kpi.resources import data_folder

STATED = 'reference = "Order 1"\nstatus = "illustrative"\n'
NAMES = '{ kk = "Аты", ru = "Имя", en = "Name" }'
IN_LINE = 'reference = "Order 1", status = "illustrative"'

METHODOLOGY = f"""
name = "small"
start = 2024-09-01
title = {NAMES}
{STATED}
unit = {{ value = "campus", {IN_LINE} }}
min_students = {{ value = 25, {IN_LINE} }}
tie_chain = {{ value = ["jobs"], {IN_LINE} }}

[dates]
count_on = "10-01"
kpi_on = "10-02"
observed_on = "11-30"
cohort_from = "09-01"
cohort_to = "08-31"
{STATED}
[[sources]]
destination = "employed"
sources = ["pension_contributions"]
{STATED}
[[groups]]
code = "index"
name = {NAMES}
aggregate = "arithmetic"
{STATED}
[[groups]]
code = "outcomes"
name = {NAMES}
parent = "index"
weight = 0.70
aggregate = "geometric"
{STATED}
[[kpis]]
code = "jobs"
kind = "outcome_share"
min_denominator = 10
name = {NAMES}
score = {{ parent = "outcomes", weight = 0.70, floor = 0.40, target = 0.95, missing = "zero" }}
{STATED}
[[kpis]]
code = "dual"
kind = "register_share"
min_denominator = 1
name = {NAMES}
score = {{ parent = "index", weight = 0.30, floor = 0, target = 0.60, missing = "zero" }}
{STATED}
[[gates]]
kpi = "jobs"
threshold = 0.70
on_small_cohort = "judge"
on_no_data = "fail"
{STATED}
[[leagues]]
league = 1
name = {NAMES}
gates = ["jobs"]
max_count = 100
tie_at_edge = "include"
{STATED}
[[leagues]]
league = 2
name = {NAMES}
tie_at_edge = "include"
{STATED}
[[levels]]
code = "high"
name = {NAMES}
min_share = 0.7
{STATED}
[[levels]]
code = "low"
name = {NAMES}
min_share = 0
{STATED}
"""


def load(folder: Path, text: str) -> Methodology:
    path = folder / "2024-09-01.toml"
    path.write_text(text, encoding="utf-8")
    return load_file(path, Methodology)


def with_change(old: str, new: str, nth: int = 1) -> str:
    """The small methodology with the nth occurrence of ``old`` replaced."""
    head, *tail = METHODOLOGY.split(old)
    assert len(tail) >= nth, f"{old!r} is not there {nth} times"
    return old.join([head, *tail[: nth - 1]]) + new + old.join(tail[nth - 1 :])


def refusal(folder: Path, text: str, says: list[str]) -> str:
    """The text of the error with which a methodology is refused; it names the file."""
    with pytest.raises(CallError) as caught:
        load(folder, text)
    said = str(caught.value)
    assert str(folder / "2024-09-01.toml") in said
    for part in says:
        assert part in said, said
    assert caught.value.exit_code == 2
    return said


# What a file holds


def test_the_small_methodology_is_right(tmp_path):
    found = load(tmp_path, METHODOLOGY)
    assert [kpi.code for kpi in found.kpis] == ["jobs", "dual"]
    assert found.children("index") == [("outcomes", Decimal("0.70")), ("dual", Decimal("0.30"))]
    assert found.leagues[1].max_count is None


def test_a_number_with_a_point_stays_exact(tmp_path):
    threshold = load(tmp_path, METHODOLOGY).gates[0].threshold
    assert isinstance(threshold, Decimal)
    assert str(threshold) == "0.70"
    assert threshold != Decimal.from_float(0.70), "0.70 is 0.6999999999999999556 in binary"
    long = load(tmp_path, with_change("threshold = 0.70", "threshold = 0.123456")).gates[0]
    assert str(long.threshold) == "0.123456"


def test_a_whole_number_is_as_good_as_one_with_a_point(tmp_path):
    floor = load(tmp_path, METHODOLOGY).kpis[1].score.floor
    assert isinstance(floor, Decimal)
    assert floor == 0


def test_weights_are_added_exactly(tmp_path):
    # 0.1 + 0.2 is 0.30000000000000004 in binary; here it is 0.30.
    third = METHODOLOGY[
        METHODOLOGY.index('[[kpis]]\ncode = "dual"') : METHODOLOGY.index("[[gates]]")
    ]
    text = METHODOLOGY.replace("weight = 0.30", "weight = 0.1").replace(
        "[[gates]]",
        third.replace('"dual"', '"third"').replace("weight = 0.30", "weight = 0.2") + "[[gates]]",
        1,
    )
    assert len(load(tmp_path, text).kpis) == 3


def test_the_path_of_a_version_is_its_file(tmp_path):
    shipped = in_force("rules", "threshold", dt.date(2025, 8, 31), Rule)
    assert path_of("rules", "threshold", shipped).name == "2024-09-01.toml"
    assert load_file(path_of("rules", "threshold", shipped), Rule) == shipped
    own = str(tmp_path / "own.toml")
    assert path_of("rules", own, shipped) == Path(own)


# What is refused: path in the file, value found, what is expected


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("threshold = 0.70", "treshold = 0.70", ["gates.0.threshold: Field", "gates.0.treshold"]),
        ('aggregate = "arithmetic"', "", ["groups.0.aggregate", "required"]),
        ("[dates]", "colour = 1\n[dates]", ["colour", "not permitted", "1"]),
        ('aggregate = "arithmetic"', 'aggregate = "median"',
         ["groups.0.aggregate", "'arithmetic', 'geometric', 'harmonic' or 'sum'", "'median'"]),
        ("value = 25", "value = 25.0", ["min_students.value", "valid integer", "25.0"]),
        ("value = 25", 'value = "25"', ["min_students.value", "valid integer", "'25'"]),
        ("value = 25", "value = true", ["min_students.value", "valid integer", "True"]),
        ("threshold = 0.70", 'threshold = "0.70"', ["gates.0.threshold", "Decimal", "'0.70'"]),
        ("threshold = 0.70", "threshold = nan", ["gates.0.threshold", "finite", "NaN"]),
        ("threshold = 0.70", "threshold = inf", ["gates.0.threshold", "finite", "Infinity"]),
        ("min_denominator = 10", "min_denominator = 0",
         ["kpis.0.min_denominator", "greater than or equal to 1", "found 0"]),
        ("max_count = 100", "max_count = 0",
         ["leagues.0.max_count", "greater than or equal to 1", "found 0"]),
        ("min_share = 0.7", "min_share = 70", ["levels.0.min_share", "equal to 1", "found", "70"]),
        ('count_on = "10-01"', 'count_on = "01.10"', ["dates.count_on", "pattern", "'01.10'"]),
        ('count_on = "10-01"', 'count_on = "13-01"', ["dates.count_on", "pattern", "'13-01'"]),
        ("start = 2024-09-01", 'start = "2024-09-01"', ["start", "date", "'2024-09-01'"]),
        ('code = "jobs"', 'code = "Jobs rate"', ["kpis.0.code", "pattern", "'Jobs rate'"]),
        ('kind = "outcome_share"', 'kind = "rate"', ["kpis.0.kind", "'outcome_share'", "'rate'"]),
        ('missing = "zero" }', 'missing = "last" }',
         ["kpis.0.score.missing", "'reweight', 'zero' or 'not_ranked'", "'last'"]),
        ('missing = "zero" }', 'missing = "zero", direction = 2 }',
         ["kpis.0.score.direction", "1 or -1", "found 2"]),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_path_and_what_is_expected(tmp_path, old, new, says):
    refusal(tmp_path, with_change(old, new), says)


@pytest.mark.parametrize("key", ["on_small_cohort", "on_no_data"])
def test_a_gate_must_state_both_of_its_policies(tmp_path, key):
    text = re.sub(f"^{key} = .*$", "", METHODOLOGY, flags=re.MULTILINE)
    refusal(tmp_path, text, [f"gates.0.{key}", "required"])


@pytest.mark.parametrize(
    ("nth", "path"),
    [(1, ""), (5, "dates."), (6, "sources.0."), (7, "groups.0."), (9, "kpis.0."), (11, "gates.0."),
     (12, "leagues.0."), (14, "levels.0.")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["reference", "status"])
def test_every_entry_must_state_its_reference_and_status(tmp_path, nth, path, key):
    line = 'reference = "Order 1"' if key == "reference" else 'status = "illustrative"'
    refusal(tmp_path, with_change(line, "", nth), [f"\n    {path}{key}: Field required"])


@pytest.mark.parametrize("of", ["unit", "min_students", "tie_chain"])
@pytest.mark.parametrize("key", ["reference", "status"])
def test_every_single_value_must_state_its_reference_and_status(tmp_path, of, key):
    line = next(line for line in METHODOLOGY.splitlines() if line.startswith(f"{of} = "))
    without = line.replace(', reference = "Order 1"', "") if key == "reference" else None
    text = METHODOLOGY.replace(line, without or line.replace(', status = "illustrative"', ""))
    refusal(tmp_path, text, [f"{of}.{key}: Field required"])


def test_a_reference_must_not_be_empty_and_a_status_is_one_of_two(tmp_path):
    empty = with_change('reference = "Order 1"', 'reference = ""')
    refusal(tmp_path, empty, ["reference", "at least 1 character", "found ''"])
    draft = with_change('status = "illustrative"', 'status = "draft"')
    refusal(tmp_path, draft, ["status", "'official' or 'illustrative'", "found 'draft'"])


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize(
    ("nth", "path"),
    [(1, "title"), (2, "groups.0.name"), (4, "kpis.0.name"), (6, "leagues.0.name"),
     (8, "levels.0.name")],
)  # fmt: skip
def test_no_translation_may_be_missing_or_empty(tmp_path, nth, path, language):
    word = {"kk": "Аты", "ru": "Имя", "en": "Name"}[language]
    without = re.sub(rf',? ?{language} = "{word}"', "", NAMES).replace("{,", "{")
    refusal(tmp_path, with_change(NAMES, without, nth), [f"{path}.{language}: Field required"])
    empty = NAMES.replace(word, "")
    refusal(tmp_path, with_change(NAMES, empty, nth), [f"{path}.{language}: ", "at least 1", "''"])


def test_all_wrong_values_are_told_at_once(tmp_path):
    text = with_change("value = 25", "value = 25.5").replace('"judge"', '"wait"')
    said = refusal(tmp_path, text, ["min_students.value", "gates.0.on_small_cohort"])
    assert "'judge', 'fail' or 'pass'; found 'wait'" in said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        # Weights: jobs 0.60 under outcomes 0.70; outcomes 0.70 and dual 0.20 under the index.
        ("weight = 0.70, floor", "weight = 0.60, floor", ["outcomes", "0.60", "expected 0.70"]),
        ("weight = 0.30", "weight = 0.20", ["index", "0.90", "expected 1", "dual 0.20"]),
        ("weight = 0.30", "weight = 0.300001", ["index", "1.000001", "expected 1"]),
        # Goalposts.
        ("floor = 0.40", "floor = 0.95", ["floor 0.95", "target 0.95", "floor below target"]),
        ("floor = 0.40", "floor = 1", ["kpis.jobs", "floor 1", "target 0.95"]),
        ("floor = 0.40, ", "", ["jobs", "goalposts", "expected floor and target"]),
        (", target = 0.95", "", ["jobs", "goalposts", "expected floor and target"]),
        # Other scales: jobs is under a geometric mean, dual is not.
        ("floor = 0, target", 'normalise = "min_max", floor = 1, target',
         ["dual", "floor 1", "target 0.60", "floor below target"]),
        ("floor = 0, target = 0.60", 'normalise = "distance_to_target"',
         ["dual", "expected a target, and no floor"]),
        ("floor = 0, target", 'normalise = "distance_to_target", floor = 0, target',
         ["dual", "expected a target, and no floor"]),
        ("floor = 0.40, target = 0.95", 'normalise = "z_score"',
         ["jobs", "z_score under a geometric mean", "never negative"]),
        ("floor = 0.40, target = 0.95", 'normalise = "min_max", floor = -1, target = 1',
         ["jobs", "min_max under a geometric mean", "never negative"]),
        ("floor = 0, target = 0.60", "floor = 0, target = 0.60, mean = 50",
         ["dual", "a mean or deviation", "by goalposts", "expected z_score"]),
        ("floor = 0, target = 0.60", 'normalise = "z_score", deviation = 0',
         ["kpis.1.score.deviation", "greater than 0", "found 0"]),
        ("floor = 0, target = 0.60", "floor = 0, target = 0.60, capped = true",
         ["dual", "states capped", "expected distance_to_target"]),
        ("floor = 0, target = 0.60", 'floor = 0, target = 0.60, treat = "log"',
         ["dual", "in logarithms", "by goalposts", "a scale that compares units"]),
        ("floor = 0, target = 0.60", 'normalise = "min_max", treat = "trim"',
         ["kpis.1.score.treat", "'winsorise', 'log' or 'winsorise_then_log'", "'trim'"]),
        # Names that must agree.
        ('kpi = "jobs"', 'kpi = "wages"', ["wages", "no KPI of this methodology"]),
        ('value = ["jobs"]', 'value = ["luck"]', ["luck", "no KPI of this methodology"]),
        ('gates = ["jobs"]', 'gates = ["dual"]', ["leagues.1: dual", "is no gate"]),
        ('parent = "index"\n', 'parent = "root"\n', ["outcomes", "root", "no group"]),
        ('parent = "outcomes"', 'parent = "results"', ["jobs", "results", "no group"]),
        ('parent = "outcomes"', 'parent = "dual"', ["jobs", "dual", "no group"]),
        ('code = "dual"', 'code = "jobs"', ["the code: jobs", "2 times", "expected once"]),
        ('code = "dual"', 'code = "outcomes"', ["the code: outcomes", "2 times", "expected once"]),
        ('parent = "index"\n', "", ["['index', 'outcomes']", "groups: one", "`index`"]),
        ('code = "index"', 'code = "total"', ["['total']", "`index`"]),
        # Leagues and levels.
        ("league = 2", "league = 3", ["[1, 3]", "expected 1, 2, 3"]),
        ("league = 2", "league = 1", ["[1, 1]", "expected 1, 2, 3"]),
        ("league = 1", "league = 0", ["leagues.0.league", "greater than or equal to 1", "found 0"]),
        ("max_count = 100\n", "", ["leagues.1", "0 bounds", "expected max_count or max_rank"]),
        ("max_count = 100", "max_count = 100\nmax_rank = 100", ["leagues.1", "2 bounds"]),
        ("league = 2", "league = 2\nmax_rank = 5", ["leagues.2", "bounds or gates", "the rest"]),
        ("min_share = 0\n", "min_share = 0.8\n", ["levels", "from high to low", "0.7", "0.8"]),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_together_are_named(tmp_path, old, new, says):
    refusal(tmp_path, with_change(old, new), says)


@pytest.mark.parametrize("mean", ["geometric", "harmonic"])
def test_a_mean_that_needs_positive_scales_is_told_however_far_above_the_kpi(tmp_path, mean):
    text = with_change('aggregate = "arithmetic"', f'aggregate = "{mean}"')
    text = text.replace('aggregate = "geometric"\nref', 'aggregate = "arithmetic"\nref', 1)
    text = text.replace("floor = 0.40, target = 0.95", 'normalise = "none"')
    refusal(tmp_path, text, ["jobs", f"none under a {mean} mean"])


@pytest.mark.parametrize(
    "scale",
    [
        'normalise = "z_score", mean = 50, deviation = 10, treat = "winsorise_then_log"',
        'normalise = "distance_to_target", target = 0.60, capped = true, treat = "winsorise"',
        'normalise = "borda", treat = "log"',
        'normalise = "rank"',
        'floor = 0, target = 0.60, treat = "winsorise"',
    ],
)
def test_scales_that_fit_are_read(tmp_path, scale):
    score = load(tmp_path, with_change("floor = 0, target = 0.60", scale)).kpis[1].score
    assert score is not None
    assert score.compares


def test_a_scale_of_its_own_compares_with_nobody(tmp_path):
    assert not any(kpi.score.compares for kpi in load(tmp_path, METHODOLOGY).kpis if kpi.score)


def test_groups_in_a_circle_are_refused(tmp_path):
    # index stands alone; a hangs from b, and b from a.
    circle = "".join(
        f'[[groups]]\ncode = "{code}"\nname = {NAMES}\nparent = "{parent}"\nweight = 1\n'
        f'aggregate = "sum"\n{STATED}'
        for code, parent in (("ring_a", "ring_b"), ("ring_b", "ring_a"))
    )
    refusal(tmp_path, METHODOLOGY.replace("[[kpis]]", circle + "[[kpis]]", 1), ["ring_a", "circle"])


def test_a_group_that_is_its_own_parent_is_refused(tmp_path):
    text = with_change('parent = "index"\n', 'parent = "outcomes"\n')
    refusal(tmp_path, text, ["outcomes", "circle"])


def test_a_group_with_nothing_in_it_is_refused(tmp_path):
    text = with_change('score = { parent = "outcomes"', 'score = { parent = "index"')
    text = text.replace('aggregate = "arithmetic"', 'aggregate = "sum"')
    refusal(tmp_path, text, ["outcomes", "nothing in it"])


def test_weights_in_a_sum_may_add_to_anything(tmp_path):
    text = with_change('aggregate = "arithmetic"', 'aggregate = "sum"')
    assert load(tmp_path, text.replace("weight = 0.30", "weight = 7")).groups[0].aggregate == "sum"


def test_two_gates_on_one_kpi_are_refused(tmp_path):
    # A ranking that takes either threshold for passed would let in who reaches only the lower.
    gate = METHODOLOGY[METHODOLOGY.index("[[gates]]") : METHODOLOGY.index("[[leagues]]")]
    text = METHODOLOGY.replace(gate, gate + gate.replace("0.70", "0.20"))
    refusal(tmp_path, text, ["jobs", "2 times"])


def test_a_source_accepted_twice_for_one_destination_is_refused(tmp_path):
    # Each entry is a row of param_source: a repeated one would count each graduate twice.
    refusal(tmp_path, with_change('["pension_contributions"]', '["hr", "hr"]'), ["hr", "employed"])


# Files that are no files, or no TOML


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CallError, match="cannot be read") as caught:
        load_file(tmp_path / "none.toml", Methodology)
    assert str(tmp_path / "none.toml") in str(caught.value)
    assert "No such file" in str(caught.value)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(CallError, match="cannot be read"):
        load_file(tmp_path, Methodology)


def test_broken_toml_is_named_with_its_line(tmp_path):
    said = refusal(tmp_path, 'name = "small"\nstart = = 3\n', ["no valid TOML", "line 2"])
    assert "Correct the line" in said


def test_a_key_given_twice_is_broken_toml(tmp_path):
    refusal(tmp_path, METHODOLOGY.replace('name = "small"', 'name = "a"\nname = "b"'), ["TOML"])


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "old.toml"
    path.write_bytes('name = "Аты"\n'.encode("cp1251"))
    with pytest.raises(CallError, match="no valid TOML") as caught:
        load_file(path, Methodology)
    assert str(path) in str(caught.value)


# The version in force


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the methodology ``small`` from 2023, 2024 and 2025."""
    folder = tmp_path / "methodology" / "small"
    folder.mkdir(parents=True)
    for year in (2025, 2023, 2024):
        text = METHODOLOGY.replace("start = 2024-09-01", f"start = {year}-09-01")
        (folder / f"{year}-09-01.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(dated, "data_folder", lambda: tmp_path)
    return folder


@pytest.mark.parametrize(
    ("on", "start"),
    [
        ("2023-09-01", 2023),
        ("2024-08-31", 2023),
        ("2024-09-01", 2024),
        ("2024-10-01", 2024),
        ("2025-08-31", 2024),
        ("2025-09-01", 2025),
        ("2031-01-01", 2025),
    ],
)
def test_the_version_in_force_is_the_latest_that_has_started(shelf, on, start):
    found = load_methodology("small", dt.date.fromisoformat(on))
    assert found.start == dt.date(start, 9, 1)


def test_before_the_first_version_none_is_in_force_and_the_error_says_which_there_are(shelf):
    with pytest.raises(CallError) as caught:
        load_methodology("small", dt.date(2023, 8, 31))
    said = str(caught.value)
    assert "No version of the methodology small is in force on 2023-08-31" in said
    assert str(shelf) in said
    assert "2023-09-01, 2024-09-01, 2025-09-01" in said
    assert "starts on 2023-08-31 or earlier" in said


def test_a_name_that_does_not_exist_is_answered_with_those_that_do(shelf):
    with pytest.raises(CallError) as caught:
        load_methodology("smal", dt.date(2024, 10, 1))
    said = str(caught.value)
    assert "no methodology of this name" in said
    assert "smal\n" in said
    assert "one of small," in said


def test_one_broken_version_refuses_the_name_even_if_another_is_in_force(shelf):
    (shelf / "2025-09-01.toml").write_text("nonsense", encoding="utf-8")
    with pytest.raises(CallError, match="no valid TOML"):
        load_methodology("small", dt.date(2024, 10, 1))


def test_versions_are_listed_oldest_first(shelf):
    found = [path.stem for path in versions("methodology", "small")]
    assert found == ["2023-09-01", "2024-09-01", "2025-09-01"]


def test_earlier_versions_started_before_the_file_oldest_first(shelf):
    latest = load_file(shelf / "2025-09-01.toml", Methodology)
    found = earlier_versions("methodology", latest, Methodology)
    assert [file.start.year for file in found] == [2023, 2024]
    assert earlier_versions("methodology", found[0], Methodology) == []


def test_a_path_is_read_as_it_is_once_it_has_started(tmp_path):
    load(tmp_path, METHODOLOGY)
    path = str(tmp_path / "2024-09-01.toml")
    assert load_methodology(path, dt.date(2024, 9, 1)).name == "small"
    with pytest.raises(CallError) as caught:
        load_methodology(path, dt.date(2024, 8, 31))
    said = str(caught.value)
    assert "is in force on 2024-08-31" in said
    assert f"where: {path}" in said
    assert "versions that start on 2024-09-01" in said


def test_a_rule_that_is_not_in_force_is_called_a_rule():
    with pytest.raises(CallError, match="No version of the rule threshold is in force"):
        in_force("rules", "threshold", dt.date(2020, 1, 1), Rule)


# The dates of a round


def test_a_round_s_dates_are_in_its_first_year_and_the_cohort_begins_the_year_before(tmp_path):
    assert round_dates("2025-26", load(tmp_path, METHODOLOGY), {}) == {
        "count_on": dt.date(2025, 10, 1),
        "kpi_on": dt.date(2025, 10, 2),
        "observed_on": dt.date(2025, 11, 30),
        "cohort_from": dt.date(2024, 9, 1),
        "cohort_to": dt.date(2025, 8, 31),
    }


def test_a_given_day_wins_and_an_empty_one_does_not(tmp_path):
    given_days = {"count_on": dt.date(2026, 1, 15), "kpi_on": None}
    found = round_dates("2025-26", load(tmp_path, METHODOLOGY), given_days)
    assert found["count_on"] == dt.date(2026, 1, 15)
    assert found["kpi_on"] == dt.date(2025, 10, 2)


def test_29_february_is_a_day_of_leap_years_only(tmp_path):
    leap = load(tmp_path, with_change('observed_on = "11-30"', 'observed_on = "02-29"'))
    assert round_dates("2024-25", leap, {})["observed_on"] == dt.date(2024, 2, 29)
    with pytest.raises(CallError, match="a day that does not exist") as caught:
        round_dates("2025-26", leap, {})
    assert "small 2024-09-01, dates.observed_on" in str(caught.value)
    assert "2025-02-29" in str(caught.value)
    # A day given in its place is as good.
    assert round_dates("2025-26", leap, {"observed_on": dt.date(2025, 3, 1)})


@pytest.mark.parametrize(
    ("round_id", "year"), [("2025-26", 2025), ("1999-00", 1999), ("2009-10", 2009)]
)
def test_a_round_is_named_after_its_academic_year(round_id, year):
    assert first_year(round_id) == year


@pytest.mark.parametrize(
    "round_id",
    ["2025-27", "2025-25", "2025/26", "25-26", "2025-2026", "2025", "", "-", "2025-6",
     "2025-26 ", " 2025-26", "2025-26-27", "+025-26", "20_5-26", "abcd-ef", "1999-100",
     "202²-26", "２０２５-26"],
)  # fmt: skip
def test_any_other_form_of_a_round_is_refused(round_id):
    with pytest.raises(CallError) as caught:
        first_year(round_id)
    said = str(caught.value)
    assert "--round" in said
    assert round_id in said
    assert "two years such as 2025-26" in said


@given(st.integers(1000, 2999), st.integers(0, 99))
def test_the_second_year_follows_the_first(year, other):
    if other == (year + 1) % 100:
        assert first_year(f"{year}-{other:02d}") == year
    else:
        with pytest.raises(CallError):
            first_year(f"{year}-{other:02d}")


# The files that ship


SHIPPED = sorted((data_folder() / "methodology").glob("*/*.toml"))
NOT_STATED = {"title", "name", "score"}
"""Parts of an entry that are covered by the entry's own reference and status."""


def test_methodologies_ship():
    assert {path.parent.name for path in SHIPPED} >= {"kpi", "assessment"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_methodology_loads_and_is_filed_under_its_name_and_start(path):
    found = load_file(path, Methodology)
    assert (found.name, str(found.start)) == (path.parent.name, path.stem)


def entries(content: Any, path: str = "file") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of a TOML file, with its path, but for names and how a KPI is scored."""
    if isinstance(content, list):
        for place, part in enumerate(content):
            yield from entries(part, f"{path}.{place}")
    elif isinstance(content, dict):
        yield path, content
        for key, part in content.items():
            if key not in NOT_STATED:
                yield from entries(part, f"{path}.{key}")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_methodology_states_reference_and_status_everywhere(path):
    found = dict(entries(tomllib.loads(path.read_text(encoding="utf-8"))))
    assert len(found) > 10
    for where, entry in found.items():
        assert entry.get("reference", "").strip(), where
        # The methodology is not published: nothing in it is official (DESIGN §1).
        assert entry.get("status") == "illustrative", where


def test_the_shipped_kpi_methodology_has_the_values_of_design_5():
    found = load_methodology("kpi", dt.date(2025, 10, 1))
    scored = {kpi.code: kpi.score for kpi in found.kpis if kpi.score}
    assert {code: (str(s.weight), str(s.floor), str(s.target)) for code, s in scored.items()} == {
        "employment_rate": ("0.35", "0.40", "0.95"),
        "in_specialty_rate": ("0.15", "0.20", "0.80"),
        "dual_share": ("0.30", "0", "0.60"),
        "accredited_share": ("0.15", "0", "1"),
        "certified_share": ("0.05", "0", "1"),
    }
    assert {code for code, s in scored.items() if s.missing == "not_ranked"} == {"employment_rate"}
    assert {g.code: g.weight for g in found.groups if g.parent} == {
        "outcomes": Decimal("0.50"),
        "partnership": Decimal("0.30"),
        "quality": Decimal("0.20"),
    }
    assert {gate.kpi: gate.threshold for gate in found.gates} == {
        "employment_rate": Decimal("0.70"),
        "dual_share": Decimal("0.20"),
        "institution_accredited": Decimal(1),
    }
    assert {(g.on_small_cohort, g.on_no_data) for g in found.gates} == {("judge", "fail")}
    bounds = [(one.max_count, one.max_rank, len(one.gates)) for one in found.leagues]
    assert bounds == [(100, None, 3), (None, 300, 0), (None, 550, 0), (None, None, 0)]
    assert {one.tie_at_edge for one in found.leagues} == {"include"}
    assert found.tie_chain.value == ["employment_rate", "dual_share", "accredited_share"]
    assert (found.min_students.value, found.unit.value) == (25, "legal_entity")
    assert round_dates("2025-26", found, {}) == {
        "count_on": dt.date(2025, 10, 1),
        "kpi_on": dt.date(2025, 10, 1),
        "observed_on": dt.date(2025, 10, 1),
        "cohort_from": dt.date(2024, 9, 1),
        "cohort_to": dt.date(2025, 8, 31),
    }


def test_all_parts_that_do_not_fit_together_are_told_at_once(tmp_path):
    text = with_change('kpi = "jobs"', 'kpi = "wages"').replace("floor = 0.40", "floor = 1")
    refusal(tmp_path, text, ["gates: wages is no KPI", "kpis.jobs: has floor 1"])
