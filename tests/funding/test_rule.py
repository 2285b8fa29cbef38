"""The funding rule as a dated file: what ships, and what is refused."""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from funding.rule import Rule, earlier_rules, load_rule
from kpi.dated import load_file
from kpi.errors import CallError
from kpi.methodology import load_methodology
from kpi.resources import data_folder

STATED = 'reference = "Order 1"\nstatus = "illustrative"\n'
IN_LINE = 'reference = "Order 1", status = "illustrative"'

RULE = f"""
name = "small"
start = 2025-09-01
title = {{ kk = "Аты", ru = "Имя", en = "Name" }}
{STATED}
mode = "threshold"
base = {{ value = 437000, {IN_LINE} }}
full = {{ value = 912000, {IN_LINE} }}
gates = {{ value = ["jobs"], {IN_LINE} }}
funding_sources = {{ value = ["state_order"], {IN_LINE} }}
study_forms = {{ value = ["full_time"], {IN_LINE} }}
pays_academic_leave = {{ value = false, {IN_LINE} }}
calibrate = {{ value = true, {IN_LINE} }}
count_basis = {{ value = "on_date", {IN_LINE} }}

[[coefficients]]
attribute = "locality"
value = "rural"
coefficient = 1.25
{STATED}
[[coefficients]]
attribute = "cost_group"
value = "heavy"
coefficient = 1
{STATED}
"""

SHARES = f"""
[[shares]]
league = 1
share = 1
{STATED}
[[shares]]
league = 2
share = 0.6
{STATED}
"""

LEAGUES = RULE.replace('"threshold"', '"leagues"') + SHARES


def load(folder: Path, text: str) -> Rule:
    path = folder / "2025-09-01.toml"
    path.write_text(text, encoding="utf-8")
    return load_file(path, Rule)


def with_change(old: str, new: str, text: str = RULE) -> str:
    """A small rule with the first occurrence of ``old`` replaced."""
    assert old in text
    return text.replace(old, new, 1)


def refusal(folder: Path, text: str, *says: str) -> None:
    """The rule is refused by an error that names the file and says each of ``says``."""
    with pytest.raises(CallError) as caught:
        load(folder, text)
    said = str(caught.value)
    assert str(folder / "2025-09-01.toml") in said
    for part in says:
        assert part in said, said
    assert caught.value.exit_code == 2


# What ships


SHIPPED = sorted((data_folder() / "rules").glob("*/*.toml"))
ON = dt.date(2025, 10, 1)


def test_both_public_readings_ship():
    assert {path.parent.name for path in SHIPPED} >= {"threshold", "leagues"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_rule_loads_and_is_filed_under_its_name_and_start(path):
    found = load_file(path, Rule)
    assert (found.name, str(found.start)) == (path.parent.name, path.stem)


@pytest.mark.parametrize("name", ["threshold", "leagues"])
def test_the_official_averages_are_exactly_437_and_912_thousand_tenge(name):
    rule = load_rule(name, ON)
    assert (rule.base.value, rule.base.status) == (437_000, "official")
    assert (rule.full.value, rule.full.status) == (912_000, "official")


def test_before_1_september_2025_everybody_has_the_base_norm():
    rule = load_rule("threshold", dt.date(2025, 8, 31))
    assert (rule.start, rule.base.value, rule.full.value) == (dt.date(2024, 9, 1), 437_000, 437_000)
    assert rule.gates.value == []


def test_the_higher_norm_is_in_force_from_1_september_2025():
    assert load_rule("threshold", dt.date(2025, 9, 1)).start == dt.date(2025, 9, 1)


def test_no_rule_is_in_force_before_the_first():
    with pytest.raises(CallError) as caught:
        load_rule("leagues", dt.date(2025, 8, 31))
    said = str(caught.value)
    assert "No version of the rule leagues is in force on 2025-08-31" in said
    assert "versions that start on 2025-09-01" in said


def test_a_rule_of_an_unknown_name_is_answered_with_those_that_ship():
    with pytest.raises(CallError) as caught:
        load_rule("lottery", ON)
    said = str(caught.value)
    assert "There is no rule of this name" in said
    assert "lottery" in said
    assert "leagues, threshold" in said


@pytest.mark.parametrize("name", ["threshold", "leagues"])
def test_shipped_rules_pay_for_state_orders_in_every_study_form_without_academic_leave(name):
    rule = load_rule(name, ON)
    assert rule.funding_sources.value == ["state_order", "targeted_state_order"]
    assert sorted(rule.study_forms.value) == ["evening", "full_time", "part_time"]
    assert rule.pays_academic_leave.value is False
    assert rule.calibrate.value is True
    assert {entry.coefficient for entry in rule.coefficients} == {1}


def test_the_shipped_threshold_rule_asks_for_gates_that_the_shipped_methodology_has():
    rule = load_rule("threshold", ON)
    assert rule.gates.value == ["employment_rate", "dual_share", "institution_accredited"]
    assert set(rule.gates.value) <= {gate.kpi for gate in load_methodology("kpi", ON).gates}
    assert rule.shares == []


def test_the_shipped_leagues_earn_1_and_0_6_and_0_3_and_0():
    shares = {entry.league: entry.share for entry in load_rule("leagues", ON).shares}
    assert shares == {1: Decimal(1), 2: Decimal("0.6"), 3: Decimal("0.3"), 4: Decimal(0)}


def entries(content: Any, path: str = "file") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of a TOML file, with its path, but for the title's three names."""
    if isinstance(content, list):
        for place, part in enumerate(content):
            yield from entries(part, f"{path}.{place}")
    elif isinstance(content, dict):
        yield path, content
        for key, part in content.items():
            if key != "title":
                yield from entries(part, f"{path}.{key}")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_rule_states_reference_and_status_everywhere_and_only_the_averages_are_official(
    path,
):
    found = dict(entries(tomllib.loads(path.read_text(encoding="utf-8"))))
    assert len(found) > 8
    for where, entry in found.items():
        assert entry.get("reference", "").strip(), where
        expected = "official" if where in ("file.base", "file.full") else "illustrative"
        assert entry.get("status") == expected, where


# Earlier versions


def test_earlier_rules_are_the_shipped_versions_that_started_before():
    found = earlier_rules(load_rule("threshold", ON))
    assert [(rule.name, rule.start) for rule in found] == [("threshold", dt.date(2024, 9, 1))]


def test_the_first_version_and_a_rule_with_one_version_have_no_earlier_ones():
    assert earlier_rules(load_rule("threshold", dt.date(2024, 10, 1))) == []
    assert earlier_rules(load_rule("leagues", ON)) == []


def test_a_rule_of_one_s_own_has_no_shipped_earlier_versions(tmp_path):
    assert earlier_rules(load(tmp_path, RULE)) == []


# What is refused


@pytest.mark.parametrize("text", [RULE, LEAGUES])
def test_the_small_rules_are_right(tmp_path, text):
    rule = load(tmp_path, text)
    assert [entry.coefficient for entry in rule.coefficients] == [Decimal("1.25"), Decimal(1)]
    assert str(rule.coefficients[0].coefficient) == "1.25"


@pytest.mark.parametrize("source", ["enterprise_paid", "state", ""])
def test_a_student_whom_an_enterprise_pays_for_is_never_eligible(tmp_path, source):
    text = with_change('["state_order"]', f'["state_order", "{source}"]')
    refusal(tmp_path, text, "funding_sources.value.1", "'state_order'", f"found '{source}'")


def test_a_higher_norm_by_threshold_needs_a_gate(tmp_path):
    text = with_change('value = ["jobs"]', "value = []")
    refusal(tmp_path, text, "mode threshold", "expected at least one gate")


def test_without_a_higher_norm_no_gate_is_needed(tmp_path):
    text = with_change('value = ["jobs"]', "value = []").replace("912000", "437000")
    assert load(tmp_path, text).gates.value == []


def test_leagues_need_no_gates_of_the_rule(tmp_path):
    assert load(tmp_path, with_change('value = ["jobs"]', "value = []", LEAGUES)).mode == "leagues"


def test_leagues_without_shares_are_refused(tmp_path):
    text = RULE.replace('"threshold"', '"leagues"')
    refusal(tmp_path, text, "shares: 0 in mode leagues", "one for each league")


def test_shares_without_leagues_are_refused(tmp_path):
    refusal(tmp_path, RULE + SHARES, "shares: 2 in mode threshold", "none otherwise")


@pytest.mark.parametrize(
    ("base", "full"), [("0", "912000"), ("-1", "912000"), ("912001", "912000"), ("1", "0")]
)
def test_the_norms_are_above_0_and_the_full_one_not_below_the_base(tmp_path, base, full):
    text = RULE.replace("437000", base).replace("912000", full)
    refusal(tmp_path, text, f"base, full: are {base} and {full}", "expected 0 < base <= full")


def test_equal_norms_are_allowed(tmp_path):
    assert load(tmp_path, RULE.replace("437000", "912000")).base.value == 912_000


@pytest.mark.parametrize("norm", ["437000.5", "437e3", '"437000"', "true"])
def test_a_norm_is_whole_tenge(tmp_path, norm):
    refusal(tmp_path, with_change("437000", norm), "base.value", "valid integer", "found")


@pytest.mark.parametrize(
    ("coefficient", "says"),
    [
        ("0", "greater than 0; found Decimal('0')"),
        ("0.0", "greater than 0; found Decimal('0.0')"),
        ("-1.5", "greater than 0; found Decimal('-1.5')"),
        ("1.00001", "no more than 4 decimal places; found Decimal('1.00001')"),
        ("nan", "finite"),
        ("inf", "finite"),
        ('"1"', "Decimal; found '1'"),
    ],
)
def test_a_coefficient_is_above_0_with_4_decimals_at_most(tmp_path, coefficient, says):
    text = with_change("coefficient = 1.25", f"coefficient = {coefficient}")
    refusal(tmp_path, text, "coefficients.0.coefficient", says)


def test_a_coefficient_of_4_decimals_is_kept_exactly(tmp_path):
    text = with_change("coefficient = 1.25", "coefficient = 0.0001")
    assert str(load(tmp_path, text).coefficients[0].coefficient) == "0.0001"


def test_a_coefficient_too_large_for_its_table_is_refused(tmp_path):
    # param_coefficient holds DECIMAL(9, 4): polars makes a null of 100000, not an error.
    largest = load(tmp_path, with_change("coefficient = 1.25", "coefficient = 99999.9999"))
    assert str(largest.coefficients[0].coefficient) == "99999.9999"
    text = with_change("coefficient = 1.25", "coefficient = 100000")
    refusal(tmp_path, text, "coefficients.0.coefficient", "found", "100000")


def test_noughts_at_the_end_are_no_decimals(tmp_path):
    rule = load(tmp_path, with_change("coefficient = 1.25", "coefficient = 1.250000"))
    assert rule.coefficients[0].coefficient == Decimal("1.25")


@pytest.mark.parametrize(
    ("share", "says"),
    [
        ("1.01", "less than or equal to 1"),
        ("-0.1", "greater than or equal to 0"),
        ("60", "less than or equal to 1"),
        ("0.1234567", "no more than 6 decimal places"),
    ],
)
def test_a_share_is_between_0_and_1_with_6_decimals_at_most(tmp_path, share, says):
    text = with_change("share = 0.6", f"share = {share}", LEAGUES)
    refusal(tmp_path, text, "shares.1.share", says, share)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('mode = "threshold"', 'mode = "lottery"',
         ["mode: ", "'threshold' or 'leagues'", "lottery"]),
        ('mode = "threshold"\n', "", ["mode: Field required"]),
        ('mode = "threshold"', 'mode = "threshold"\nbonus = 5', ["bonus", "not permitted", "5"]),
        ('["full_time"]', '["remote"]', ["study_forms.value.0", "'full_time'", "'remote'"]),
        ('attribute = "locality"', 'attribute = "region"',
         ["coefficients.0.attribute", "'cost_group' or 'locality'", "'region'"]),
        ("value = false", 'value = "no"', ["pays_academic_leave.value", "boolean", "'no'"]),
        ('["jobs"]', '["Jobs!"]', ["gates.value.0", "pattern", "'Jobs!'"]),
        ('en = "Name"', 'en = ""', ["title.en", "at least 1 character", "''"]),
        ('kk = "Аты", ', "", ["title.kk: Field required"]),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_path_and_what_is_expected(tmp_path, old, new, says):
    refusal(tmp_path, with_change(old, new), *says)


SINGLE = ["base", "full", "gates", "funding_sources", "study_forms"]
SINGLE += ["pays_academic_leave", "calibrate"]


@pytest.mark.parametrize("of", SINGLE)
@pytest.mark.parametrize(
    ("key", "part"),
    [("reference", ', reference = "Order 1"'), ("status", ', status = "illustrative"')],
)
def test_every_single_value_must_state_its_reference_and_status(tmp_path, of, key, part):
    (line,) = re.findall(rf"^{of} = .*$", RULE, re.MULTILINE)
    refusal(
        tmp_path, with_change(line, line.replace(part, "")), f"\n    {of}.{key}: Field required"
    )


@pytest.mark.parametrize(
    ("opening", "path"),
    [("", ""), ("[[coefficients]]", "coefficients.0."), ("[[shares]]", "shares.0.")],
)
@pytest.mark.parametrize("key", ["reference", "status"])
def test_every_entry_must_state_its_reference_and_status(tmp_path, opening, path, key):
    (line,) = re.findall(rf"^{key} = .*\n", STATED, re.MULTILINE)
    place = LEAGUES.index(opening)
    text = LEAGUES[:place] + with_change(line, "", LEAGUES[place:])
    refusal(tmp_path, text, f"\n    {path}{key}: Field required")


# What would be paid twice


def test_two_coefficients_for_one_value_are_refused(tmp_path):
    # A line is joined with each: its students would be paid for twice.
    again = RULE[RULE.index("[[coefficients]]") :]
    refusal(tmp_path, RULE + again, "locality", "rural")


def test_two_shares_for_one_league_are_refused(tmp_path):
    refusal(tmp_path, with_change("league = 2", "league = 1", LEAGUES), "league", "1")


@pytest.mark.parametrize("value", ["state_order", "full_time"])
def test_a_funding_source_or_study_form_named_twice_is_refused(tmp_path, value):
    # A student is joined with each entry: she would be counted twice.
    refusal(tmp_path, with_change(f'["{value}"]', f'["{value}", "{value}"]'), value)
