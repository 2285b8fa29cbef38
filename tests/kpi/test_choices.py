"""All choices of a methodology varied at once: the design, and what it says, on hand-made cases."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from kpi.choices import (
    WEIGHTS,
    Choice,
    Effects,
    chosen,
    draw,
    effects_of,
    levels_of,
    mean_shift,
)
from kpi.methodology import Methodology, load_methodology
from kpi.ranking import framework_of
from kpi.stability import Facts, Floats, Places, places_of
from kpi.variations import (
    aggregated_by,
    definitions,
    normalised_by,
    other_aggregators,
    other_normalisers,
    scored,
    variations,
    with_declared,
    with_definition,
    without_kpi,
)

ON = dt.date(2025, 10, 1)
KPI = load_methodology("kpi", ON)
POINTS = load_methodology("assessment", ON)


def points(**blocks: list[float]) -> Facts:
    """Colleges by the points of the four blocks; 0 where a block is not named."""
    units = len(next(iter(blocks.values())))
    codes = ("infrastructure", "staff", "achievement", "employment")
    return Facts(
        [chr(ord("A") + place) for place in range(units)],
        {code: np.array(blocks.get(code, [0.0] * units)) for code in codes},
        np.ones(units, dtype=bool),
        np.ones(units, dtype=np.int64),
        {},
    )


# single choices


def test_the_shipped_methodology_varies_each_of_its_choices() -> None:
    varied = {(one.kind, one.code) for one in variations(KPI)}
    assert {code for kind, code in varied if kind == "drop_kpi"} == {
        "employment_rate",
        "in_specialty_rate",
        "dual_share",
        "accredited_share",
        "certified_share",
    }
    assert {code for kind, code in varied if kind == "employment_definition"} == {
        "employment_rate_of_all",
        "employment_rate_with_study",
    }
    assert ("declared", "accepted") in varied
    normalisers = {code for kind, code in varied if kind == "normaliser"}
    assert {"min_max", "percentile_rank", "z_score"} <= normalisers
    assert not {"goalposts", "none", "rank", "borda"} & normalisers
    for kind in ("aggregator_index", "aggregator_all"):
        assert (kind, "geometric") in varied


def test_an_assessment_has_no_goalposts_no_sources_and_one_group() -> None:
    kinds = {one.kind for one in variations(POINTS)}
    assert kinds == {"drop_kpi", "normaliser", "aggregator_index"}
    assert not {"goalposts", "distance_to_target"} & set(other_normalisers(POINTS))
    assert not {"sum", "arithmetic"} & set(other_aggregators(POINTS))


def test_a_kpi_that_is_dropped_leaves_its_weight_to_its_siblings_and_its_empty_group_too() -> None:
    """dual_share is alone in partnership (0.30): outcomes 0.50 and quality 0.20 remain, which the
    engine takes as 5/7 and 2/7.
    """
    left = without_kpi(KPI, "dual_share")
    assert [group.code for group in left.groups] == ["index", "outcomes", "quality"]
    assert "dual_share" not in {kpi.code for kpi in scored(left)}
    assert "dual_share" in {gate.kpi for gate in left.gates}
    assert "dual_share" in left.tie_chain.value
    made = Facts(
        ["A", "B"],
        {kpi.code: np.array([0.95, 0.40]) for kpi in scored(KPI)},
        np.ones(2, dtype=bool),
        np.ones(2, dtype=np.int64),
        {},
    )
    made.values["accredited_share"][:] = made.values["certified_share"][:] = 0.5
    scores = places_of(made, framework_of(left)).hundredths[0].tolist()
    # A: outcomes 100, quality 50: (500 + 100) / 7 = 85.71. B: employment 0, in specialty
    # (0.40 - 0.20) / 0.60 = 33.33 of 0.15 / 0.50: outcomes 10; (50 + 100) / 7 = 21.43
    assert scores == [8571, 2143]


def test_another_definition_stands_wherever_its_own_stood() -> None:
    other = with_definition(KPI, "employment_rate_of_all")
    assert definitions(other)[0] == "employment_rate_of_all"
    assert other.tie_chain.value == ["employment_rate_of_all", "dual_share", "accredited_share"]
    assert other.gates[0].kpi == "employment_rate_of_all"
    assert other.leagues[0].gates[0] == "employment_rate_of_all"
    own = {kpi.code: kpi.score for kpi in KPI.kpis}
    new = {kpi.code: kpi.score for kpi in other.kpis}
    assert new["employment_rate_of_all"] == own["employment_rate"]
    assert new["employment_rate"] is None
    Methodology.model_validate(other.model_dump(), strict=False)
    assert with_definition(other, "employment_rate") == KPI


def test_declared_is_accepted_for_every_destination_or_for_none() -> None:
    accepted = with_declared(KPI, accepted=True)
    assert all(entry.sources[-1] == "declared" for entry in accepted.sources)
    assert with_declared(accepted, accepted=False) == KPI


def test_one_normaliser_for_all_takes_the_goalposts_away_that_it_would_read_otherwise() -> None:
    scores = [kpi.score for kpi in scored(normalised_by(KPI, "min_max")) if kpi.score]
    assert {(s.normalise, s.floor, s.target) for s in scores} == {("min_max", None, None)}
    aggregates = [group.aggregate for group in aggregated_by(KPI, "geometric").groups]
    assert aggregates == ["geometric"] * 4
    index_only = aggregated_by(KPI, "geometric", index_only=True)
    assert [group.aggregate for group in index_only.groups] == ["geometric"] + ["arithmetic"] * 3


# the design


def test_a_normaliser_that_some_mean_cannot_take_is_no_level() -> None:
    """z-scores lie below 0, of which there is no geometric mean."""
    levels = levels_of(POINTS, points(staff=[3, 2, 1], employment=[1, 2, 3]))
    assert levels["aggregator"][:2] == [None, "geometric"]
    assert "z_score" not in levels["normaliser"]
    assert {"min_max", "percentile_rank"} < {*levels["normaliser"]} - {None} | {"other"}
    assert "employment_definition" not in levels and "declared" not in levels


def test_every_factor_is_drawn_alone_and_every_level_comes_up_alike() -> None:
    sample = draw(
        {"one": [None, "a"], "two": [None, "b", "c"]}, 2, 6_000, np.random.SeedSequence(1)
    )
    for factor, size in (("one", 2), ("two", 3)):
        counted = np.bincount(sample.levels[factor], minlength=size)
        np.testing.assert_allclose(counted, 6_000 / size, rtol=0.1)
    assert abs(np.corrcoef(sample.levels["one"], sample.levels["two"])[0, 1]) < 0.05
    other = draw({"one": [None, "a"], "two": [None, "b", "c"]}, 2, 6_000, np.random.SeedSequence(2))
    mixed = sample.with_one_from(other, "one")
    assert np.array_equal(mixed.levels["one"], other.levels["one"])
    assert np.array_equal(mixed.levels["two"], sample.levels["two"])
    assert np.array_equal(sample.with_one_from(other, WEIGHTS).noise, other.noise)


def test_choices_that_are_made_together_are_those_made_one_after_the_other() -> None:
    """The KPI that is dropped is the one that stands where the nominal one stood."""
    both = chosen(
        KPI, Choice(employment_definition="employment_rate_of_all", dropped_kpi="employment_rate")
    )
    assert "employment_rate_of_all" not in {kpi.code for kpi in scored(both)}
    assert "employment_rate_of_all" in {gate.kpi for gate in both.gates}
    assert chosen(KPI, Choice()) == KPI


def effects(made: Facts, rows: int = 256) -> Effects:
    """The effects on the mean shift of rank of an assessment."""
    nominal = places_of(made, framework_of(POINTS))

    def outcomes(_c: Choice, _m: Methodology, _f: Facts, drawn: Places) -> dict[str, Floats]:
        return {"shift": mean_shift(nominal, drawn)}

    return effects_of(POINTS, lambda _of: made, outcomes, rows=rows)


def test_where_all_blocks_say_the_same_no_choice_moves_anybody() -> None:
    """Three colleges, first, second and last in every block: no index can be told."""
    same = [30.0, 20.0, 10.0]
    done = effects(points(infrastructure=same, staff=same, achievement=same, employment=same))
    assert done.outcomes.row(0)[1:] == (0.0, 0.0, 0.0)
    assert done.effects["total"].null_count() == done.effects.height


def test_where_one_block_decides_alone_all_rests_on_dropping_it() -> None:
    """B and C have the same points everywhere but in staff, A more and D fewer of all: without
    staff, and only then, B and C share rank 2, whatever else is chosen. The shift is 1/4 or 0.
    """
    few = [9.0, 2, 2, 1]
    made = points(staff=[50, 40, 30, 20], infrastructure=few, employment=few, achievement=few)
    done = effects(made, 2_048)
    assert done.outcomes.row(0)[2:] == (0.0, 0.25)
    table = {row["factor"]: row for row in done.effects.iter_rows(named=True)}
    assert table["dropped_kpi"]["total"] == pytest.approx(1, abs=0.1)
    assert table["dropped_kpi"]["first"] == pytest.approx(1, abs=0.1)
    others = [row["total"] for factor, row in table.items() if factor != "dropped_kpi"]
    assert others == pytest.approx([0, 0, 0], abs=0.01)  # harmonic means may tie in hundredths
    for row in table.values():
        assert row["first_low"] <= row["first"] <= row["first_high"]
        assert row["total_low"] <= row["total"] <= row["total_high"]


def test_the_same_rounds_give_the_same_indices() -> None:
    made = points(staff=[50, 40, 30], employment=[1, 5, 3])
    assert effects(made, 64).effects.equals(effects(made, 64).effects)


def test_the_mean_shift_is_over_those_ranked_in_both() -> None:
    """A and B change places, C is not ranked in the second: (1 + 1) / 2."""
    places = [
        Places(np.array([ranks]), np.array([ranks]), np.array([ranks]), np.array([[0, 1, 2]]))
        for ranks in ([1, 2, 3], [2, 1, 0])
    ]
    assert mean_shift(*places).tolist() == [1.0]


@pytest.mark.parametrize("noise", ["0.25"])
def test_the_noise_of_the_design_is_that_of_the_weights(noise: str) -> None:
    sample = draw({}, 3, 500, np.random.SeedSequence(1))
    assert np.abs(sample.noise - 1).max() <= float(Decimal(noise))
