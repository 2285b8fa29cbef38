"""Single values of a methodology and rule set by path: what is taken, what is refused and how."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from inputs import write_rule
from small_rounds import GATES, METHODOLOGY, edited

from funding.settings import Change, Rules, read_rules, with_settings
from kpi.errors import CallError


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    """The example methodology, and a rule with the three gates and the shipped norms."""
    return read_rules(METHODOLOGY, write_rule(tmp_path_factory.mktemp("rules") / "rule.toml"))


def refusal(rules: Rules, *settings: str) -> CallError:
    """What the settings are refused with."""
    with pytest.raises(CallError) as caught:
        with_settings(rules, settings)
    assert caught.value.exit_code == 2
    return caught.value


# what is taken


def test_a_setting_says_what_the_value_was_and_what_it_is(rules: Rules) -> None:
    changed, changes = with_settings(rules, ["gates.employment_rate=0.75", "norm.full=900_000"])
    assert changes == [
        Change("gates.employment_rate", "0.7", "0.75"),
        Change("norm.full", "912000", "900000"),
    ]
    assert changed.methodology.gates[0].threshold == Decimal("0.75")
    assert changed.rule.full.value == 900_000


def test_the_rules_of_the_round_stay_as_they_are(rules: Rules) -> None:
    before = (rules.methodology.model_dump(), rules.rule.model_dump())
    settings = ["norm.gates=dual_share", "phase_in.dual_share.zero_at=0.1"]
    settings += ["phase_in.dual_share.full_at=0.2", "leagues.1.gates=", "sources.employed=declared"]
    with_settings(rules, settings)
    assert (rules.methodology.model_dump(), rules.rule.model_dump()) == before
    assert rules.rule_content.get("phase_in") is None


def test_what_is_set_is_no_longer_official(rules: Rules) -> None:
    changed, _ = with_settings(rules, ["norm.full=900000", "gates.dual_share=0.3"])
    assert (changed.rule.full.status, changed.rule.full.reference) == (
        "illustrative",
        "set in a scenario",
    )
    [gate] = [gate for gate in changed.methodology.gates if gate.kpi == "dual_share"]
    assert gate.reference == "set in a scenario"


@pytest.mark.parametrize("same", ["gates.employment_rate=0.7", "gates.employment_rate=0.700"])
def test_the_value_in_force_is_known_however_it_is_written(rules: Rules, same: str) -> None:
    _, [change] = with_settings(rules, [same])
    assert change.is_idle


def test_spaces_around_path_and_value_do_not_matter(rules: Rules) -> None:
    _, [change] = with_settings(rules, [" calibrate = false "])
    assert change == Change("calibrate", "true", "false")


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("norm.gates=employment_rate, dual_share", ["employment_rate", "dual_share"]),
        ("funding_sources=state_order", ["state_order"]),
        ("study_forms=full_time,evening", ["full_time", "evening"]),
    ],
)
def test_lists_are_separated_by_commas(rules: Rules, setting: str, values: list[str]) -> None:
    changed, _ = with_settings(rules, [setting])
    name = setting.partition("=")[0].removeprefix("norm.")
    assert getattr(changed.rule, name).value == values


def test_parts_that_may_be_left_out_are_put_in_and_taken_out(rules: Rules, tmp_path: Path) -> None:
    put_in = ["appropriation.amount=5", "appropriation.covers=total"]
    changed, _ = with_settings(rules, put_in)
    assert changed.rule.appropriation is not None
    assert changed.rule.appropriation.amount == 5
    full = write_rule(
        tmp_path / "full.toml",
        appropriation=(10**9, "total"),
        guarantee=("total", "0.9", "outside"),
        phase_in={"dual_share": ("0.1", "0.3")},
    )
    base = read_rules(METHODOLOGY, full)
    taken_out = ["appropriation=none", "guarantee=none", "phase_in=none"]
    changed, changes = with_settings(base, taken_out)
    assert (changed.rule.appropriation, changed.rule.guarantee) == (None, None)
    assert changed.rule.phase_in == []
    assert [change.new for change in changes] == ["none"] * 3
    assert not any(change.is_idle for change in changes)
    _, changes = with_settings(rules, taken_out)
    assert all(change.is_idle for change in changes), "there was none of them to take out"


def test_a_rule_by_gates_becomes_one_by_leagues_and_back(rules: Rules) -> None:
    shares = ["shares.1=1", "shares.2=0.6", "shares.3=0.3", "shares.4=0"]
    changed, changes = with_settings(rules, ["mode=leagues", *shares])
    assert changed.rule.mode == "leagues"
    assert {s.league: s.share for s in changed.rule.shares} == {
        1: 1,
        2: Decimal("0.6"),
        3: Decimal("0.3"),
        4: 0,
    }
    assert changes[1] == Change("shares.1", "none", "1")
    back, _ = with_settings(changed, ["mode=threshold", "shares=none"])
    assert (back.rule.mode, back.rule.shares) == ("threshold", [])


def test_a_league_is_bounded_by_a_rank_instead_of_a_count(rules: Rules) -> None:
    changed, changes = with_settings(rules, ["leagues.1.max_count=none", "leagues.1.max_rank=3"])
    assert (changed.methodology.leagues[0].max_count, changed.methodology.leagues[0].max_rank) == (
        None,
        3,
    )
    assert changes == [
        Change("leagues.1.max_count", "2", "none"),
        Change("leagues.1.max_rank", "none", "3"),
    ]


# what is refused: what, where, found, expected


@pytest.mark.parametrize(
    "path",
    [
        "gates",
        "gate.employment_rate",
        "gates.employment_rate.threshold",
        "norm",
        "norm.middle",
        "appropriation.reference",
        "guarantee.status",
        "leagues.1.name",
        "leagues.1",
        "phase_in.dual_share",
        "name",
        "dates.count_on",
        "unit",
        "",
    ],
)
def test_a_path_that_names_nothing_is_refused_with_those_there_are(rules: Rules, path: str) -> None:
    error = refusal(rules, f"{path}=1")
    assert error.what == "No parameter has this path."
    assert (error.parts["where"], error.parts["found"]) == ("--set", path)
    assert "gates.<kpi>" in error.parts["expected"]


@pytest.mark.parametrize(
    ("path", "found", "expected"),
    [
        ("gates.employment", "employment", "employment_rate, dual_share, institution_accredited"),
        ("gates.median_wage", "median_wage", "employment_rate"),
        ("coefficients.village", "village", "theory, workshop, heavy, urban, rural"),
        ("shares.5", "5", "1, 2, 3, 4"),
        ("weights.nothing", "nothing", "employment_rate"),
        ("goalposts.nothing.floor", "nothing", "employment_rate"),
        ("min_denominator.nothing", "nothing", "employment_rate"),
        ("leagues.9.max_rank", "9", "1, 2, 3, 4"),
        ("sources.unemployed", "unemployed", "employed, self_employed"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_those_that_are(
    rules: Rules, path: str, found: str, expected: str
) -> None:
    error = refusal(rules, f"{path}=1")
    assert error.parts["where"] == f"--set {path}"
    assert error.parts["found"] == found
    assert expected in error.parts["expected"]


@pytest.mark.parametrize("path", ["weights.dropout_rate", "goalposts.median_wage.floor"])
def test_a_kpi_outside_the_index_has_no_weight_and_no_goalposts(rules: Rules, path: str) -> None:
    error = refusal(rules, f"{path}=1")
    assert error.what == "This KPI is not scored."
    assert error.parts["where"] == f"--set {path}"
    assert error.parts["found"] == path.split(".")[1]
    assert "employment_rate" in error.parts["expected"], "those that are scored"


@pytest.mark.parametrize(
    ("path", "found", "expected"),
    [
        ("gates.employment_rate", "seventy", "a number"),
        ("gates.employment_rate", "", "a number"),
        ("gates.employment_rate", "70%", "a number"),
        ("gates.employment_rate", "0,7", "a number"),
        ("gates.employment_rate", "NaN", "a number"),
        ("gates.employment_rate", "Infinity", "a number"),
        ("gates.employment_rate", "7e-1", "a number"),
        ("gates.employment_rate", "٠.٧", "a number"),
        ("coefficients.theory", "1e999999999", "a number"),
        ("norm.full", "900000.5", "a whole number"),
        ("norm.full", "9e5", "a whole number"),
        ("norm.full", "99999999999999999999", "a whole number"),
        ("min_students", "few", "a whole number"),
        ("min_students", "２５", "a whole number"),
        ("leagues.1.max_count", "2.0", "a whole number"),
        ("appropriation.amount", "much", "a whole number"),
        ("calibrate", "yes", "true or false"),
        ("calibrate", "True", "true or false"),
        ("pays_academic_leave", "1", "true or false"),
    ],
)
def test_a_text_that_is_no_such_value_is_refused(
    rules: Rules, path: str, found: str, expected: str
) -> None:
    error = refusal(rules, f"{path}={found}")
    assert error.what == "This is no value that the parameter can have."
    assert error.parts["where"] == f"--set {path}"
    assert error.parts["found"] == found
    assert expected in error.parts["expected"]


@pytest.mark.parametrize("setting", ["gates.employment_rate", "0.75", ""])
def test_a_setting_without_a_value_is_refused(rules: Rules, setting: str) -> None:
    error = refusal(rules, setting)
    assert (error.what, error.parts["found"]) == ("A setting is a path and a value.", setting)
    assert error.parts["expected"] == "such as gates.employment_rate=0.75"


@pytest.mark.parametrize("second", ["0.8", "0.75"])
def test_a_path_is_set_once(rules: Rules, second: str) -> None:
    error = refusal(rules, "gates.employment_rate=0.75", f"gates.employment_rate={second}")
    assert error.what == "A parameter is set twice."
    assert error.parts["where"] == "--set gates.employment_rate"
    assert second in error.parts["found"]


MISFITS: dict[tuple[str, ...], tuple[str, ...]] = {
    # outside of what a value may be
    ("mode=lottery",): ("mode", "'lottery'", "'threshold' or 'leagues'"),
    ("count_basis=weekly",): ("count_basis", "'weekly'", "'on_date' or 'monthly_average'"),
    ("funding_sources=enterprise_paid",): ("funding_sources", "'enterprise_paid'"),
    ("study_forms=distance",): ("study_forms", "'distance'", "'full_time'"),
    ("gates.dual_share.on_no_data=judge",): ("on_no_data", "'judge'", "'fail' or 'pass'"),
    ("gates.dual_share.on_small_cohort=maybe",): ("on_small_cohort", "'maybe'", "'judge', 'fail'"),
    ("coefficients.rural=0",): ("coefficient", "greater than 0", "0"),
    ("coefficients.rural=1.00001",): ("coefficient", "no more than 4 decimal places"),
    ("gates.dual_share=0.1234567",): ("threshold", "no more than 6 decimal places"),
    ("min_denominator.dual_share=0",): ("min_denominator", "greater than or equal to 1", "0"),
    ("leagues.1.max_count=0",): ("max_count", "greater than or equal to 1"),
    ("leagues.1.tie_at_edge=both",): ("tie_at_edge", "'both'", "'include' or 'exclude'"),
    ("norm.full=100000000000000",): ("full", "100000000000000"),
    # values that do not fit together
    ("norm.full=400000",): ("437000 and 400000", "0 < base <= full"),
    ("norm.base=0",): ("0 and 912000", "0 < base <= full"),
    ("norm.gates=",): ("gates: none", "at least one gate"),
    ("norm.gates=dual_share,dual_share",): ("dual_share", "2 times", "once"),
    ("mode=leagues",): ("shares: 0 in mode leagues", "one for each league"),
    ("shares.1=0.5",): ("shares: 1 in mode threshold", "none otherwise"),
    ("weights.employment_rate=0.4",): ("groups.outcomes", "sum to 0.55", "expected 0.50"),
    ("weights.outcomes=0.4", "weights.employment_rate=0.25"): (
        "groups.index",
        "sum to 0.90",
        "expected 1",
    ),
    ("weights.outcomes=0.4",): ("groups.outcomes", "sum to 0.50", "expected 0.4"),
    ("goalposts.dual_share.floor=0.6",): ("floor 0.6 and target 0.60", "floor below target"),
    ("leagues.1.max_rank=3",): ("leagues.1", "2 bounds", "max_count or max_rank"),
    ("leagues.4.max_rank=9",): ("leagues.4", "is the last one", "expected none"),
    ("leagues.1.gates=median_wage",): ("leagues.1", "median_wage is no gate"),
    ("sources.employed=declared,declared",): ("employed declared", "2 times"),
    ("appropriation.amount=5",): ("appropriation.covers", "required"),
    ("guarantee.floor=0.9",): ("guarantee.basis", "required"),
    ("phase_in.dual_share.zero_at=0.1",): ("phase_in.0.full_at", "required"),
    ("phase_in.dual_share.zero_at=0.3", "phase_in.dual_share.full_at=0.2"): (
        "rises from 0.3 to 0.2",
        "zero_at below full_at",
    ),
    ("phase_in.median_wage.zero_at=0.1", "phase_in.median_wage.full_at=0.2"): (
        "phase_in.median_wage",
        "is no gate that this rule asks for",
    ),
}


@pytest.mark.parametrize("settings", MISFITS, ids=" ".join)
def test_values_that_do_not_fit_are_refused_with_place_found_and_expected(
    rules: Rules, settings: tuple[str, ...]
) -> None:
    error = refusal(rules, *settings)
    assert error.what in ("The methodology is wrong.", "The rule is wrong.")
    for setting in settings:
        path, _, value = setting.partition("=")
        assert path in error.parts["where"], error
        assert value in error.parts["where"], error
    for part in MISFITS[settings]:
        assert part in error.parts["found"], error


def test_weights_that_move_together_are_taken(rules: Rules) -> None:
    settings = ["weights.outcomes=0.40", "weights.employment_rate=0.25", "weights.quality=0.30"]
    settings += ["weights.accredited_share=0.25"]
    changed, _ = with_settings(rules, settings)
    assert dict(changed.methodology.children("index")) == {
        "outcomes": Decimal("0.40"),
        "partnership": Decimal("0.30"),
        "quality": Decimal("0.30"),
    }


def test_a_league_that_named_no_gates_can_be_given_some(tmp_path: Path) -> None:
    name = 'en = "Second league" }\n'
    bare = edited(METHODOLOGY, tmp_path / "bare.toml", [(f"{name}gates = []\n", name)])
    base = read_rules(bare, write_rule(tmp_path / "rule.toml"))
    changed, [change] = with_settings(base, ["leagues.2.gates=dual_share"])
    assert changed.methodology.leagues[1].gates == ["dual_share"]
    assert change == Change("leagues.2.gates", "none", "dual_share")


def test_every_gate_can_be_set(rules: Rules) -> None:
    settings = [f"gates.{gate}=0.5" for gate in GATES]
    changed, _ = with_settings(rules, settings)
    thresholds: dict[str, Any] = {gate.kpi: gate.threshold for gate in changed.methodology.gates}
    assert thresholds == dict.fromkeys(GATES, Decimal("0.5"))
