"""Scenarios: the same round under other parameters, held against full runs of the same files."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import KEY, ROUND, plan, quiet, row_of, write_rule
from polars.testing import assert_frame_equal
from small_rounds import METHODOLOGY, Edit, Varied, assert_same, edited, tables_of

from funding.run import run_round
from funding.scenario import (
    FRONTIER,
    Desk,
    Scenario,
    axis_of,
    frontier_of,
    idle_reason,
    other_files,
    scenario_receipt,
    write_scenario,
)
from funding.settings import PATHS, read_rules, with_settings
from kpi.errors import CallError, DataError
from kpi.language import speaker
from kpi.rounds import Round


@pytest.fixture(scope="module")
def desk(varied: Varied) -> Iterator[Desk]:
    """The varied round, opened once: every test asks the same desk, whatever was asked before."""
    opened = Desk(varied.draft, varied.store)
    yield opened
    opened.close()


# the law: a scenario is a full run under files that say the same


@dataclass(frozen=True)
class Case:
    """Settings, the path that they are about, and the files that say the same."""

    path: str
    settings: tuple[str, ...]
    methodology: tuple[Edit, ...] = ()
    rule: tuple[Edit, ...] = ()
    adds: str = ""


STATED = 'reference = "a test"\nstatus = "illustrative"\n'
BY_LEAGUES = ("mode=leagues", "shares.1=1", "shares.2=0.6", "shares.3=0.3", "shares.4=0")
SHARES = "".join(
    f"\n[[shares]]\nleague = {league}\nshare = {share}\n{STATED}"
    for league, share in ((1, 1), (2, 0.6), (3, 0.3), (4, 0))
)
MODE: Edit = ('mode = "threshold"', 'mode = "leagues"')


def gate(kpi: str, old: str, new: str) -> Edit:
    """Another line below the name of a gate."""
    return (f'kpi = "{kpi}"\n{old}', f'kpi = "{kpi}"\n{new}')


def threshold(kpi: str, old: str, new: str) -> Edit:
    """Another threshold of a gate."""
    return gate(kpi, f"threshold = {old}", f"threshold = {new}")


def policy(kpi: str, of: str, name: str, old: str, new: str) -> Edit:
    """Another policy of a gate with threshold ``of``."""
    between = '\non_small_cohort = "judge"' if name == "on_no_data" else ""
    head = f'kpi = "{kpi}"\nthreshold = {of}{between}\n{name} = '
    return (f'{head}"{old}"', f'{head}"{new}"')


def appropriation(amount: int, covers: str) -> str:
    """The part of a rule that limits."""
    return f'\n[appropriation]\namount = {amount}\ncovers = "{covers}"\n{STATED}'


def guarantee(basis: str, floor: str, source: str) -> str:
    """The part of a rule that guarantees."""
    told = f'basis = "{basis}"\nfloor = {floor}\nfunded_from = "{source}"\n'
    return f"\n[guarantee]\n{told}{STATED}"


def guaranteed(basis: str, floor: str, source: str) -> tuple[str, ...]:
    """The settings that put the same guarantee in."""
    values = {"basis": basis, "floor": floor, "funded_from": source}
    return tuple(f"guarantee.{name}={value}" for name, value in values.items())


def phased(zero_at: str, full_at: str) -> str:
    """The part of a rule that lets the incentive rise with the employment rate."""
    told = f'gate = "employment_rate"\nzero_at = {zero_at}\nfull_at = {full_at}\n'
    return f"\n[[phase_in]]\n{told}{STATED}"


PHASED = "phase_in.employment_rate"
SCORED = 'weight = 0.35, direction = 1, normalise = "goalposts", floor = 0.40, target = 0.95'
IN_SPECIALTY = 'weight = 0.15, direction = 1, normalise = "goalposts", floor = 0.20'

DUAL = 'code = "dual_share"\nkind = "register_share"\n'
POOLED = (DUAL, DUAL + "pool_years = 2\n")

CASES = [
    Case("norm.base", ("norm.base=500000",), rule=(("value = 437000", "value = 500000"),)),
    Case("norm.full", ("norm.full=900_000",), rule=(("value = 912000", "value = 900000"),)),
    Case(
        "norm.gates",
        ("norm.gates=employment_rate,dual_share",),
        rule=(("'dual_share', 'institution_accredited'", "'dual_share'"),),
    ),
    Case("mode", BY_LEAGUES, rule=(MODE,), adds=SHARES),
    Case(
        "shares.<league>",
        (*BY_LEAGUES[:2], "shares.2=0.123456", *BY_LEAGUES[3:]),
        rule=(MODE,),
        adds=SHARES.replace("0.6", "0.123456"),
    ),
    Case(
        "calibrate",
        ("calibrate=false",),
        rule=(("calibrate = { value = true", "calibrate = { value = false"),),
    ),
    Case("count_basis", ("count_basis=monthly_average",), rule=(("on_date", "monthly_average"),)),
    Case(
        "pays_academic_leave",
        ("pays_academic_leave=true",),
        rule=(("leave = { value = false", "leave = { value = true"),),
    ),
    Case(
        "funding_sources",
        ("funding_sources=state_order,self_paid",),
        rule=(("'targeted_state_order'", "'self_paid'"),),
    ),
    Case("study_forms", ("study_forms=full_time",), rule=((", 'part_time', 'evening'", ""),)),
    Case(
        "coefficients.<value>",
        ("coefficients.rural=1.3333",),
        rule=(('"rural"\ncoefficient = 1.1', '"rural"\ncoefficient = 1.3333'),),
    ),
    Case(
        "appropriation.amount",
        ("appropriation.amount=33333333", "appropriation.covers=incentive"),
        adds=appropriation(33_333_333, "incentive"),
    ),
    Case(
        "appropriation.covers",
        ("appropriation.covers=total", "appropriation.amount=190000000"),
        adds=appropriation(190_000_000, "total"),
    ),
    Case(
        "guarantee.basis",
        guaranteed("total", "1", "outside"),
        adds=guarantee("total", "1", "outside"),
    ),
    Case(
        "guarantee.floor",
        guaranteed("per_student", "0.9", "outside"),
        adds=guarantee("per_student", "0.9", "outside"),
    ),
    Case(
        "guarantee.funded_from",
        (
            *guaranteed("per_student", "0.8", "within"),
            "appropriation.amount=200000000",
            "appropriation.covers=total",
        ),
        adds=guarantee("per_student", "0.8", "within") + appropriation(200_000_000, "total"),
    ),
    Case(
        "phase_in.<gate>.zero_at",
        (f"{PHASED}.zero_at=0.45", f"{PHASED}.full_at=0.90"),
        adds=phased("0.45", "0.90"),
    ),
    Case(
        "phase_in.<gate>.full_at",
        (f"{PHASED}.full_at=1", f"{PHASED}.zero_at=0"),
        adds=phased("0", "1"),
    ),
    Case("gates.<kpi>", ("gates.dual_share=0.16",), (threshold("dual_share", "0.20", "0.16"),)),
    Case(
        "gates.<kpi>.on_small_cohort",
        ("gates.employment_rate.on_small_cohort=fail",),
        (policy("employment_rate", "0.70", "on_small_cohort", "judge", "fail"),),
    ),
    Case(
        "gates.<kpi>.on_no_data",
        ("gates.employment_rate.on_no_data=pass",),
        (policy("employment_rate", "0.70", "on_no_data", "fail", "pass"),),
    ),
    Case(
        "gates.<kpi>.pooled",
        ("pool_years.dual_share=2", "gates.dual_share.pooled=true"),
        (
            POOLED,
            gate("dual_share", "threshold = 0.20", "pooled = true\nthreshold = 0.20"),
        ),
    ),
    Case("pool_years.<kpi>", ("pool_years.dual_share=3",), ((DUAL, DUAL + "pool_years = 3\n"),)),
    Case(
        "weights.<code>",
        ("weights.employment_rate=0.05", "weights.in_specialty_rate=0.45"),
        (
            (SCORED, SCORED.replace("0.35", "0.05")),
            (IN_SPECIALTY, IN_SPECIALTY.replace("0.15", "0.45")),
        ),
    ),
    Case(
        "goalposts.<kpi>.floor",
        ("goalposts.employment_rate.floor=0.1",),
        ((SCORED, SCORED.replace("0.40", "0.1")),),
    ),
    Case(
        "goalposts.<kpi>.target",
        ("goalposts.employment_rate.target=0.75",),
        ((SCORED, SCORED.replace("0.95", "0.75")),),
    ),
    Case(
        "min_denominator.<kpi>",
        ("min_denominator.employment_rate=11",),
        (
            (
                'code = "employment_rate"\nkind = "outcome_share"\nmin_denominator = 10',
                'code = "employment_rate"\nkind = "outcome_share"\nmin_denominator = 11',
            ),
        ),
    ),
    Case("min_students", ("min_students=15",), (("{ value = 25", "{ value = 15"),)),
    Case(
        "leagues.<league>.max_count",
        ("leagues.1.max_count=1",),
        (("max_count = 2", "max_count = 1"),),
    ),
    Case(
        "leagues.<league>.max_rank",
        ("leagues.2.max_rank=2",),
        (("max_rank = 5", "max_rank = 2"),),
    ),
    Case(
        "leagues.<league>.tie_at_edge",
        ("leagues.3.tie_at_edge=exclude",),
        (('max_rank = 7\ntie_at_edge = "include"', 'max_rank = 7\ntie_at_edge = "exclude"'),),
    ),
    Case(
        "leagues.<league>.gates",
        ("leagues.1.gates=employment_rate",),
        (
            (
                'gates = ["employment_rate", "dual_share", "institution_accredited"]',
                'gates = ["employment_rate"]',
            ),
        ),
    ),
    Case(
        "sources.<destination>",
        ("sources.employed=pension_contributions,declared",),
        (
            (
                'destination = "employed"\nsources = ["pension_contributions",'
                ' "employer_contract", "entrepreneur_register"]',
                'destination = "employed"\nsources = ["pension_contributions", "declared"]',
            ),
        ),
    ),
    # several at once, of both files
    Case(
        "gates.<kpi>",
        ("gates.dual_share=0.16", "norm.full=700000", *BY_LEAGUES, "leagues.2.max_rank=3"),
        (threshold("dual_share", "0.20", "0.16"), ("max_rank = 5", "max_rank = 3")),
        (("value = 912000", "value = 700000"), MODE),
        SHARES,
    ),
]


def settable_paths() -> set[str]:
    """The paths that are documented, each written out."""
    found = set()
    for word in PATHS.split():
        if not word.endswith("=none"):
            stem, dot, ends = word.rpartition(".")
            found |= {f"{stem}{dot}{end}" for end in ends.split("|")}
    return found


def test_every_path_that_can_be_set_has_a_case() -> None:
    assert settable_paths() == {case.path for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case.settings))
def test_a_scenario_is_a_full_run_under_files_that_say_the_same(
    case: Case, desk: Desk, varied: Varied, tmp_path: Path
) -> None:
    done = desk.scenario(desk.rules, case.settings)
    methodology = edited(METHODOLOGY, tmp_path / "methodology.toml", case.methodology)
    rule = edited(varied.rule, tmp_path / "rule.toml", case.rule)
    rule.write_text(rule.read_text(encoding="utf-8") + case.adds, encoding="utf-8")
    assert_same(done.outcome, varied.full_run(methodology, rule))
    assert_same(done.baseline, varied.draft)
    assert_moves(done)
    assert done.idle == []


def assert_moves(done: Scenario) -> None:
    """A case under which nothing moves shows nothing."""
    before = tables_of(done.baseline)
    assert any(not table.equals(before[name]) for name, table in tables_of(done.outcome).items())


WHOLE_FILES: dict[str, tuple[Edit, ...]] = {
    "another day for agreements and accreditations": (('kpi_on = "10-01"', 'kpi_on = "08-20"'),),
    "another day for destinations": (('observed_on = "10-01"', 'observed_on = "08-10"'),),
    "another cohort": (('cohort_to = "08-31"', 'cohort_to = "06-29"'),),
    "another day of the count": (('count_on = "10-01"', 'count_on = "09-30"'),),
    "units are campuses": (('value = "legal_entity"', 'value = "campus"'),),
    "another kind of scale": ((SCORED, SCORED.replace("goalposts", "min_max")),),
}


@pytest.mark.parametrize("what", WHOLE_FILES)
def test_a_whole_file_in_its_place_is_a_full_run_under_it(
    what: str, desk: Desk, varied: Varied, tmp_path: Path
) -> None:
    methodology = edited(METHODOLOGY, tmp_path / "other.toml", WHOLE_FILES[what])
    rules, files = other_files(desk, str(methodology), None)
    done = desk.scenario(rules, [], files)
    assert files == [f"{methodology}: other.toml"]
    assert_moves(done)
    assert_same(done.outcome, varied.full_run(methodology))
    for table in (done.colleges(), done.regions()):
        assert table["difference"].null_count() == 0
        assert int(done.regions()["difference"].sum()) % 2 == 0, "each region, and KZ once more"


def test_a_day_given_when_the_round_was_run_stays_whatever_the_methodology_says(
    varied: Varied, tmp_path: Path
) -> None:
    asked = plan(methodology=METHODOLOGY, rule=varied.rule, kpi_on=dt.date(2025, 11, 1))
    done = run_round(varied.folder, tmp_path / "rounds", asked, KEY, quiet)
    other = edited(METHODOLOGY, tmp_path / "m.toml", [('kpi_on = "10-01"', 'kpi_on = "08-20"')])
    desk = Desk(done)
    rules, _ = other_files(desk, str(other), None)
    assert_same(desk.outcome(rules), done)
    desk.close()


def test_the_shipped_rule_by_leagues_can_be_named(
    desk: Desk, varied: Varied, tmp_path: Path
) -> None:
    rules, files = other_files(desk, None, "leagues")
    assert files == ["leagues: 2025-09-01.toml"]
    done = desk.scenario(rules, ["shares.2=0.5"], files)
    file = write_rule(
        tmp_path / "rule.toml", mode="leagues", shares={1: "1", 2: "0.5", 3: "0.3", 4: "0"}
    )
    assert_same(done.outcome, varied.full_run(rule=file))


def test_parts_of_a_rule_are_taken_out(desk: Desk, tmp_path: Path, varied: Varied) -> None:
    groups, places = {"workshop": "1.2", "heavy": "1.5"}, {"rural": "1.1"}
    file = write_rule(
        tmp_path / "full.toml",
        cost_groups=groups,
        localities=places,
        appropriation=(30_000_000, "incentive"),
        guarantee=("total", "0.9", "outside"),
        phase_in={"dual_share": ("0.1", "0.4")},
    )
    rules, _ = other_files(desk, None, str(file))
    assert not desk.outcome(rules).funding.equals(desk.baseline.funding)
    done = desk.scenario(rules, ["appropriation=none", "guarantee=none", "phase_in=none"])
    assert_same(done.outcome, varied.draft)


def test_an_assessment_cannot_rank_a_round_without_assessments(desk: Desk) -> None:
    rules, _ = other_files(desk, "assessment", None)
    rules, _ = with_settings(rules, ["norm.full=437000", "norm.gates="])
    with pytest.raises(DataError, match="Input tables are missing") as caught:
        desk.outcome(rules)
    assert "assessments.csv" in caught.value.parts["expected"]


# nothing of it depends on what was asked before


ALONE = [
    *(case.settings for case in CASES[1::4]),
    (),
    ("norm.full=437000", "norm.gates="),
    ("appropriation.amount=5", "appropriation.covers=total"),  # refused: less than the base
    (
        "appropriation.amount=5",
        "appropriation.covers=total",
        "weights.outcomes=0.40",
        "weights.employment_rate=0.25",
        "weights.quality=0.30",
        "weights.accredited_share=0.25",
    ),
    ("norm.gates=median_wage",),  # refused: no such gate
    ("gates.employment_rate=0.75", "gates.dual_share=0.3"),
]


def asked(desk: Desk, chosen: tuple[str, ...], only_cost: bool = False) -> Any:
    """What a desk answers: the tables, or the words that it refuses with."""
    try:
        rules, _ = with_settings(desk.rules, chosen)
        if only_cost:
            return desk.costs(rules).rows()
        return {name: table.rows() for name, table in tables_of(desk.outcome(rules)).items()}
    except CallError as error:
        return str(error)


@pytest.fixture(scope="module")
def answers(varied: Varied) -> dict[tuple[str, ...], Any]:
    """What a desk that was asked nothing before answers to each."""
    found = {}
    for chosen in ALONE:
        fresh = Desk(varied.draft, varied.store)
        found[chosen] = asked(fresh, chosen)
        fresh.close()
    return found


@settings(max_examples=12)
@given(sequence=st.lists(st.tuples(st.sampled_from(ALONE), st.booleans()), min_size=2, max_size=6))
def test_an_answer_does_not_depend_on_what_was_asked_before(
    sequence: list[tuple[tuple[str, ...], bool]],
    desk: Desk,
    answers: dict[tuple[str, ...], Any],
    varied: Varied,
) -> None:
    for chosen, only_cost in sequence:
        wanted = answers[chosen]
        if only_cost and isinstance(wanted, dict):
            wanted = wanted["funding"]
        assert asked(desk, chosen, only_cost) == wanted, chosen
    assert_same(desk.outcome(desk.rules), varied.draft)


def test_what_is_refused_once_is_refused_again(desk: Desk) -> None:
    rules, _ = with_settings(desk.rules, ["appropriation.amount=5", "appropriation.covers=total"])
    for _ in range(3):
        with pytest.raises(CallError, match="does not cover the base amounts"):
            desk.outcome(rules)


def test_asking_about_more_people_leaves_the_round_as_it_is(desk: Desk, varied: Varied) -> None:
    more = desk.costs_with("EX-03", {"employment_rate": 1})
    assert row_of(more, college_id="EX-03")["share"] == 1
    desk.ranking_with("EX-04", {"dual_share": 5})
    assert_same(desk.outcome(desk.rules), varied.draft)


def test_a_guarantee_without_a_published_round_before_is_refused(
    varied: Varied, tmp_path: Path
) -> None:
    desk = Desk(varied.draft, tmp_path)
    rules, _ = with_settings(desk.rules, guaranteed("total", "0.9", "outside"))
    for _ in range(2):
        with pytest.raises(CallError) as caught:
            desk.outcome(rules)
        assert "there is none" in caught.value.what
        assert "2024-25" in caught.value.parts["found"]
    assert_same(desk.outcome(desk.rules), varied.draft)
    desk.close()


# baseline, scenario, difference


def test_colleges_and_regions_show_baseline_scenario_and_difference(
    desk: Desk, varied: Varied
) -> None:
    done = desk.scenario(desk.rules, ["gates.dual_share=0.16", "gates.employment_rate=0.75"])
    colleges = done.colleges()
    stored = {row["college_id"]: row for row in varied.draft.table("funding").to_dicts()}
    new = {row["college_id"]: row for row in done.outcome.funding.to_dicts()}
    assert set(colleges["college_id"]) == set(stored)
    for row in colleges.iter_rows(named=True):
        before, after = stored[row["college_id"]], new[row["college_id"]]
        assert (row["amount"], row["amount_scenario"]) == (before["amount"], after["amount"])
        assert (row["share"], row["share_scenario"]) == (before["share"], after["share"])
        assert row["difference"] == after["amount"] - before["amount"]
    gains = dict(colleges.filter(pl.col("difference") > 0)["college_id", "difference"].rows())
    assert set(gains) == {"EX-04", "EX-10"}, "5 / 30 and 6 / 33 in dual training reach 0.16"
    losers = set(colleges.filter(pl.col("difference") < 0)["college_id"])
    assert losers == {"EX-02"}, "7 of 10 no longer reach the rate"
    sizes = colleges["difference"].abs().to_list()
    assert sizes == sorted(sizes, reverse=True), "the largest moves first"


def test_regions_and_the_nation_sum_what_their_colleges_move(desk: Desk) -> None:
    done = desk.scenario(desk.rules, ["gates.dual_share=0.16", "gates.employment_rate=0.75"])
    regions = {row["region"]: row for row in done.regions().to_dicts()}
    places = dict(desk.of_round.table("unit_profile")["college_id", "region"].rows())
    sums: dict[str, int] = dict.fromkeys(regions, 0)
    for row in done.colleges().iter_rows(named=True):
        sums[places[row["college_id"]]] += row["difference"]
        sums["KZ"] += row["difference"]
    assert {region: row["difference"] for region, row in regions.items()} == sums
    before, after = done.baseline.national(), done.outcome.national()
    assert after["amount"] - before["amount"] == sums["KZ"]
    assert (regions["KZ"]["qualifying"], regions["KZ"]["qualifying_scenario"]) == (
        before["qualifying"],
        after["qualifying"],
    )


def test_a_unit_that_only_one_side_has_is_nought_on_the_other(desk: Desk, tmp_path: Path) -> None:
    campus = edited(METHODOLOGY, tmp_path / "c.toml", [('"legal_entity"', '"campus"')])
    rules, files = other_files(desk, str(campus), None)
    done = desk.scenario(rules, [], files)
    branch = row_of(done.colleges(), college_id="EX-01B")
    assert (branch["amount"], branch["share"]) == (0, 0)
    assert branch["difference"] == branch["amount_scenario"] > 0
    assert done.regions()["difference"].null_count() == 0
    written = write_scenario(desk, done, tmp_path / "out")
    rows = pl.read_csv(written[0])
    assert row_of(rows, college_id="EX-01B")["region"] == "KZ-71"
    assert rows["name_ru"].null_count() == 0


# the frontier


@pytest.fixture(scope="module")
def frontier(desk: Desk) -> pl.DataFrame:
    """What each threshold of the employment rate costs."""
    return frontier_of(desk, desk.rules, [axis_of("employment_rate", Decimal("0.01"))])


def kept(share: Any) -> Fraction:
    """A number of the product as an exact one."""
    return Fraction(str(share))


def test_the_frontier_is_the_full_run_at_each_of_its_points(
    frontier: pl.DataFrame, varied: Varied, tmp_path: Path
) -> None:
    points = frontier
    assert points["employment_rate"].to_list() == FRONTIER
    assert (min(FRONTIER), max(FRONTIER)) == (Decimal("0.50"), Decimal("0.95"))
    for at in ("0.50", "0.66", "0.95"):
        edit = threshold("employment_rate", "0.70", at)
        methodology = edited(METHODOLOGY, tmp_path / f"{at}.toml", [edit])
        done = varied.full_run(methodology)
        point = row_of(points, employment_rate=Decimal(at))
        funding = done.table("funding")
        assert point["qualifying"] == funding.filter(pl.col("share") > 0).height
        assert point["incentive_amount"] == funding["incentive_amount"].sum()
        assert point["amount"] == funding["amount"].sum()


def test_the_frontier_agrees_with_a_count_of_its_own(desk: Desk, frontier: pl.DataFrame) -> None:
    points = frontier
    values = desk.of_round.table("kpi_values")
    paid = desk.of_round.table("funding")["college_id"].to_list()
    lines = desk.of_round.table("entitled_lines")
    reached: dict[str, dict[str, Fraction | None]] = {}
    for row in values.iter_rows(named=True):
        share = Fraction(row["numerator"]) / Fraction(row["denominator"] or 1)
        reached.setdefault(row["college_id"], {})[row["kpi"]] = (
            share if row["denominator"] else None
        )
    full = {
        college: sum(
            (2 * months * incentive_norm(coefficient) + 12) // 24
            for months, coefficient in lines.filter(pl.col("college_id") == college)[
                "student_months", "coefficient"
            ].rows()
        )
        for college in paid
    }
    for point in points.iter_rows(named=True):
        passing = [
            college
            for college in paid
            if at_least(reached[college]["employment_rate"], point["employment_rate"])
            and at_least(reached[college]["dual_share"], Decimal("0.20"))
            and at_least(reached[college]["institution_accredited"], Decimal(1))
        ]
        assert point["qualifying"] == len(passing)
        assert point["incentive_amount"] == sum(full[college] for college in passing)
    assert np.all(np.diff(points["qualifying"].to_numpy()) <= 0), "a higher gate passes nobody more"
    assert np.all(np.diff(points["amount"].to_numpy()) <= 0)
    assert np.ptp(points["qualifying"].to_numpy()) > 2
    in_force = points.filter(pl.col("is_in_force"))
    assert in_force["employment_rate"].to_list() == [Decimal("0.70")]
    assert in_force["amount"].to_list() == [desk.baseline.national()["amount"]]


def at_least(share: Fraction | None, wanted: Decimal) -> bool:
    """Whether a share is there and reaches a threshold, exactly."""
    return share is not None and share >= kept(wanted)


def incentive_norm(coefficient: Decimal) -> int:
    """The full incentive of a student a year: whole tenge, half up."""
    base, full = (int(norm * coefficient + Decimal("0.5")) for norm in (437_000, 912_000))
    return full - base


def test_a_frontier_of_two_gates_has_every_pair(desk: Desk) -> None:
    axes = [
        axis_of("employment_rate=0.50..0.95", Decimal("0.15")),
        axis_of("dual_share=0.10..0.30", Decimal("0.05")),
    ]
    points = frontier_of(desk, desk.rules, axes)
    assert points.height == 4 * 5
    for row in points.iter_rows(named=True):
        pair = [f"gates.{name}={row[name]}" for name in ("employment_rate", "dual_share")]
        sums = desk.outcome(with_settings(desk.rules, pair)[0]).national()
        assert {name: row[name] for name in ("qualifying", "amount")} == {
            name: sums[name] for name in ("qualifying", "amount")
        }
    for name, other in (("employment_rate", "dual_share"), ("dual_share", "employment_rate")):
        for _, group in points.group_by(other):
            amounts = group.sort(name)["amount"].to_list()
            assert amounts == sorted(amounts, reverse=True)


def test_a_frontier_counts_people_as_its_scenario_does(desk: Desk) -> None:
    chosen = ["sources.employed=pension_contributions,declared"]
    rules, _ = with_settings(desk.rules, chosen)
    points = frontier_of(desk, rules, [axis_of("employment_rate=0.70..0.90", Decimal("0.1"))])
    for row in points.iter_rows(named=True):
        at = f"gates.employment_rate={row['employment_rate']}"
        whole = desk.outcome(with_settings(desk.rules, [*chosen, at])[0])
        assert row["amount"] == whole.national()["amount"]
    assert points["amount"][0] > desk.baseline.national()["amount"], "EX-09 reaches 9 of 10"


def test_the_threshold_in_force_is_the_rounds_own(desk: Desk) -> None:
    rules, _ = with_settings(desk.rules, ["gates.employment_rate=0.80"])
    points = frontier_of(desk, rules, [axis_of("employment_rate", Decimal("0.1"))])
    assert points.filter(pl.col("is_in_force"))["employment_rate"].to_list() == [Decimal("0.70")]


@pytest.mark.parametrize(
    "text",
    ["employment_rate=", "dual_share=0.1", "dual_share=0.6..0.1", "dual_share=a..b", "x=0..2"],
)
def test_what_is_no_range_of_thresholds_is_refused(text: str) -> None:
    with pytest.raises(CallError) as caught:
        axis_of(text, Decimal("0.01"))
    assert caught.value.parts["where"] == "--frontier"
    assert caught.value.parts["found"] == text
    assert "dual_share=0.10..0.60" in caught.value.parts["expected"]


@pytest.mark.parametrize("step", ["0", "-0.1", "NaN", "0.00001"])
def test_a_step_that_leads_nowhere_is_refused(step: str) -> None:
    with pytest.raises(CallError) as caught:
        axis_of("dual_share", Decimal(step))
    assert caught.value.parts["where"] == "--step"
    assert caught.value.parts["found"] == step


def test_a_frontier_has_one_gate_or_two_different_ones(desk: Desk) -> None:
    axis = axis_of("dual_share", Decimal("0.1"))
    other, third = (axis_of(g, Decimal("0.1")) for g in ("employment_rate", "median_wage"))
    for axes in ([axis, axis], [axis, other, third]):
        with pytest.raises(CallError) as caught:
            frontier_of(desk, desk.rules, axes)
        assert caught.value.parts["where"] == "--frontier"
        assert caught.value.parts["expected"] == "one gate, or two different ones"
    with pytest.raises(CallError, match="There is no such entry in gates"):
        frontier_of(desk, desk.rules, [third])


# the phase-in


def test_the_incentive_rises_in_a_line_instead_of_a_cliff(desk: Desk) -> None:
    chosen = [f"{PHASED}.zero_at=0.5", f"{PHASED}.full_at=0.9"]
    done = desk.scenario(desk.rules, chosen)
    shares = dict(done.outcome.funding["college_id", "share"].rows())
    assert shares["EX-01"] == 1, "9 of 10 is where it is full"
    assert shares["EX-02"] == Decimal("0.5"), "7 of 10 is half of the way"
    assert shares["EX-03"] == Decimal("0.25"), "6 of 10 is a quarter of the way, once a cliff"
    assert shares["EX-04"] == 0, "the gate of dual training is a cliff still"
    assert shares["EX-09"] == 0, "5 of 10 is where it begins"
    assert done.idle == []


# a parameter that changes nothing says so


def said(done: Scenario) -> list[str]:
    """What is said of the settings that change nothing."""
    return [idle_reason(change, speaker("en")) for change in done.idle]


def test_the_same_value_says_that_it_changes_nothing(desk: Desk) -> None:
    done = desk.scenario(desk.rules, ["gates.employment_rate=0.70", "norm.full=900000"])
    assert said(done) == ["gates.employment_rate is 0.7 already: it changes nothing."]


def test_another_value_without_effect_says_that_it_changes_nothing(desk: Desk) -> None:
    done = desk.scenario(desk.rules, ["gates.institution_accredited=0.5"])
    [line] = said(done)
    assert line.startswith("gates.institution_accredited = 0.5 (was 1) changes nothing")


def test_only_the_parameter_without_effect_says_so(desk: Desk) -> None:
    done = desk.scenario(
        desk.rules, ["gates.employment_rate=0.85", "min_denominator.median_wage=5"]
    )
    assert [change.path for change in done.idle] == ["min_denominator.median_wage"]


def test_parameters_that_need_each_other_say_together_that_they_change_nothing(desk: Desk) -> None:
    chosen = ["appropriation.amount=999999999999", "appropriation.covers=total"]
    done = desk.scenario(desk.rules, [*chosen, "norm.full=900000"])
    assert [change.path for change in done.idle] == [
        "appropriation.amount",
        "appropriation.covers",
    ]
    cliff = [f"{PHASED}.zero_at=0.699999", f"{PHASED}.full_at=0.7"]
    done = desk.scenario(desk.rules, cliff)
    assert [change.path for change in done.idle] == [f"{PHASED}.zero_at", f"{PHASED}.full_at"]


def test_of_two_parameters_that_do_the_same_one_is_said_to_change_nothing(desk: Desk) -> None:
    both = ["gates.employment_rate=1", "gates.dual_share=1"]
    done = desk.scenario(desk.rules, [*both, "leagues.1.gates="])
    assert [change.path for change in done.idle] == ["gates.employment_rate"]


def test_a_parameter_that_is_needed_for_another_is_not_idle(desk: Desk) -> None:
    weights = ["weights.employment_rate=0.05", "weights.in_specialty_rate=0.45"]
    assert desk.scenario(desk.rules, weights).idle == []


IDLE_CHOICES = [
    "gates.employment_rate=0.85",
    "gates.employment_rate.on_no_data=pass",
    "gates.dual_share=0.999",
    "gates.institution_accredited=0.5",
    "norm.full=900000",
    "min_students=24",
    "leagues.1.gates=",
    "leagues.3.tie_at_edge=exclude",
    "norm.gates=dual_share,institution_accredited",
    "appropriation.amount=999999999999",
    "appropriation.covers=total",
]


@settings(max_examples=6)
@given(chosen=st.lists(st.sampled_from(IDLE_CHOICES), min_size=1, max_size=5, unique=True))
def test_without_its_idle_parameters_a_scenario_comes_to_the_same(
    chosen: list[str], desk: Desk
) -> None:
    if sum(one.startswith("appropriation") for one in chosen) == 1:
        chosen = [one for one in chosen if not one.startswith("appropriation")]
    done = desk.scenario(desk.rules, chosen)
    idle = {change.path for change in done.idle}
    rest = [one for one in chosen if one.partition("=")[0] not in idle]
    outcome = desk.outcome(with_settings(desk.rules, rest)[0])
    columns = ["college_id", "amount", "share"]
    assert_frame_equal(outcome.funding[columns], done.outcome.funding[columns])
    columns = ["college_id", "score", "rank", "league"]
    assert_frame_equal(outcome.ranking[columns], done.outcome.ranking[columns])


# its files say what they are


def test_files_of_a_scenario_carry_the_word_in_name_rows_and_receipt(
    desk: Desk, tmp_path: Path
) -> None:
    done = desk.scenario(desk.rules, ["norm.full=900000", "gates.dual_share=0.20"])
    written = write_scenario(desk, done, tmp_path / "not" / "yet")
    assert [path.name for path in written] == [
        f"{ROUND}-{desk.of_round.version}-scenario-{what}"
        for what in ("colleges.csv", "regions.csv", "receipt.json")
    ]
    for path in written[:2]:
        assert set(pl.read_csv(path)["status"]) == {"scenario"}
    receipt = json.loads(written[2].read_text(encoding="utf-8"))
    assert receipt["scenario"] is True
    assert receipt["of"]["receipt_sha256"] == desk.of_round.receipt_hash
    assert receipt["set"] == {
        "norm.full": {"old": "912000", "new": "900000"},
        "gates.dual_share": {"old": "0.2", "new": "0.2"},
    }
    assert receipt["changes_nothing"] == said(done)
    assert receipt["rule"]["full"]["value"] == 900_000
    assert receipt["baseline"] == done.baseline.national()
    assert receipt["outcome"] == done.outcome.national()
    assert receipt == scenario_receipt(desk, done)
    rows = pl.read_csv(written[0])
    assert rows["difference"].sum() == (
        receipt["outcome"]["amount"] - receipt["baseline"]["amount"]
    )


def test_a_round_without_funding_has_no_scenarios(varied: Varied, tmp_path: Path) -> None:
    empty = Round(tmp_path / ROUND / "draft-1")
    with pytest.raises(CallError, match="no funding") as caught:
        Desk(empty)
    assert caught.value.parts["where"] == str(empty.path)


def test_the_round_on_disk_is_not_touched(desk: Desk, varied: Varied) -> None:
    before = {path: path.stat().st_mtime_ns for path in varied.store.rglob("*")}
    desk.scenario(desk.rules, ["norm.full=900000", "sources.employed=declared"])
    assert {path: path.stat().st_mtime_ns for path in varied.store.rglob("*")} == before
    assert read_rules(varied.draft.methodology_file(), varied.draft.rule_file()) == desk.rules
