"""What holds for every score, and for which normalisers and treatments it does not."""

from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.stats
from frameworks import group, kpi, posts, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from kpi.index import aggregate, normalise, score, score_array
from kpi.index.library import competition_ranks

NAN = float("nan")
FLOATS: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}
few = settings(max_examples=100, deadline=None)
numbers = st.integers(-30, 130).map(float)
perhaps = st.one_of(numbers, st.just(NAN))
columns = st.lists(perhaps, min_size=2, max_size=15).map(np.array)
options: dict[str, dict[str, Any]] = {
    "goalposts": {"floor": 10.0, "target": 90.0},
    "min_max": {"floor": 0.0, "target": 100.0},
    "percentile_rank": {},
    "z_score": {"mean": 50.0, "deviation": 10.0},
    "rank": {},
    "borda": {},
    "distance_to_target": {"target": 60.0},
    "none": {},
}


def scaled(values: np.ndarray, how: str, direction: int = 1, **other: Any) -> np.ndarray:
    stated = {"floor": None, "target": None, **options[how], **other}
    floor, target = stated.pop("floor"), stated.pop("target")
    return normalise(values, how, floor, target, direction, **stated)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


# The normalisers and means that are not in test_index.py, by hand and beside scipy


def test_rank_and_borda_count_the_units_below_ties_at_the_lowest():
    values = column(3, 9, NAN, 1, 7, 3)
    assert_array_equal(scaled(values, "borda"), [1, 4, NAN, 0, 3, 1])
    assert_array_equal(scaled(values, "rank"), [2, 5, NAN, 1, 4, 2])


@pytest.mark.parametrize("direction", [1, -1])
def test_ranks_agree_with_scipy_rankdata(direction):
    values = np.random.default_rng(1).integers(0, 30, size=60).astype(float)
    expected = scipy.stats.rankdata(direction * values, method="min")
    assert_array_equal(scaled(values, "rank", direction), expected)
    assert_array_equal(scaled(values, "borda", direction), expected - 1)


def test_z_scores_have_the_mean_and_deviation_that_are_asked_for():
    values = np.random.default_rng(2).normal(3, 7, size=50)
    found = scaled(values, "z_score", mean=100.0, deviation=15.0)
    assert_allclose([found.mean(), found.std(ddof=1)], [100, 15])
    assert_allclose(found, 100 + 15 * scipy.stats.zscore(values, ddof=1))


def test_z_scores_of_units_that_do_not_differ_are_the_mean():
    assert scaled(column(4, 4, 4), "z_score", mean=100.0, deviation=15.0).tolist() == [100] * 3


def test_distance_to_target_is_the_way_gone_from_the_worst_unit():
    # From 20 to the target 60: 40 is halfway; 80 is half as far again beyond, unless capped.
    values = column(20, 40, 60, 80, NAN)
    assert_allclose(scaled(values, "distance_to_target"), [0, 50, 100, 150, NAN])
    assert_allclose(scaled(values, "distance_to_target", capped=True), [0, 50, 100, 100, NAN])
    # Less is better: from 80 down to 60.
    down = scaled(values, "distance_to_target", -1)
    assert_allclose(down, [300, 200, 100, 0, NAN])


def test_where_not_even_the_worst_unit_falls_short_all_have_reached_the_target():
    assert_array_equal(scaled(column(60, 70, NAN), "distance_to_target"), [100, 100, NAN])
    assert_array_equal(scaled(column(61, 70), "distance_to_target"), [100, 100])


def test_a_capped_distance_is_flagged_at_the_target_only():
    framework = tree(
        group("index"), kpi("a", normalise="distance_to_target", target=60, capped=True)
    )
    found = score_array(column(20, 59, 60, 80)[:, None], framework)
    assert found.at_target["a"].tolist() == [False, False, True, True]
    assert found.at_floor == {}
    down = tree(
        group("index"),
        kpi("a", normalise="distance_to_target", target=60, capped=True, direction=-1),
    )
    assert score_array(column(20, 59, 60, 80)[:, None], down).at_target["a"].tolist() == [
        True, True, True, False,
    ]  # fmt: skip


def test_harmonic_is_the_weighted_harmonic_mean():
    # 2 / (1/60 + 1/30) = 40; weights 1 and 3: 4 / (1/60 + 3/20) = 24.
    even = tree(group("index", aggregate="harmonic"), kpi("a"), kpi("b"))
    assert_allclose(score_array(column(60, 30)[None], even).index, [40])
    uneven = tree(group("index", aggregate="harmonic"), kpi("a"), kpi("b", weight=3))
    assert_allclose(score_array(column(60, 20)[None], uneven).index, [24])


def test_harmonic_agrees_with_scipy_hmean():
    rng = np.random.default_rng(3)
    values, weights = rng.uniform(1, 100, size=(30, 9)), rng.uniform(0.1, 2, size=9)
    nodes = [kpi(f"k{place}", weight=weight) for place, weight in enumerate(weights)]
    expected = scipy.stats.hmean(values, axis=1, weights=np.broadcast_to(weights, values.shape))
    framework = tree(group("index", aggregate="harmonic"), *nodes)
    assert_allclose(score_array(values, framework).index, expected)


def test_one_zero_makes_a_harmonic_mean_zero_and_a_missing_part_goes_to_the_others():
    framework = tree(group("index", aggregate="harmonic"), kpi("a"), kpi("b"), kpi("c"))
    with np.errstate(all="raise", divide="ignore"):
        found = score_array(np.array([[0, 90, 90], [60, 30, NAN], [NAN] * 3]), framework).index
    assert_allclose(found, [0, 40, NAN])


def test_harmonic_means_have_no_parts_and_refuse_negative_values():
    framework = tree(group("index", aggregate="harmonic"), kpi("a"), kpi("b"))
    found = score_array(column(60, 30)[None], framework)
    assert np.isnan(found.contribution["a"]).all()
    with pytest.raises(ValueError, match="harmonic mean needs values of 0 or more"):
        score_array(column(-1, 30)[None], framework)


@few
@given(
    st.lists(st.lists(st.one_of(st.integers(0, 100).map(float), st.just(NAN)), min_size=9,
                      max_size=9), min_size=1, max_size=6),
    st.lists(st.integers(0, 5).map(float), min_size=9, max_size=9),
    st.integers(1, 9),
    st.sampled_from(["arithmetic", "geometric", "harmonic", "sum"]),
)  # fmt: skip
def test_the_fast_way_is_the_long_way_to_the_last_bit(rows, weights, count, how):
    parts = np.array(rows)[:, :count]
    present = np.where(np.isnan(parts), 0.0, np.array(weights[:count]))
    total = present.sum(axis=-1, keepdims=True)
    shares = present if how == "sum" else np.divide(
        present, total, out=np.zeros_like(present), where=total > 0
    )  # fmt: skip
    nodes = [kpi(f"k{place}", weight=weights[place]) for place in range(count)]
    found = score_array(parts, tree(group("index", aggregate=how), *nodes)).index
    assert found.tobytes() == aggregate(parts, shares, how).tobytes()


@few
@given(st.lists(st.floats(0.1, 100, **FLOATS), min_size=1, max_size=9))
def test_the_means_stand_in_their_order(values):
    parts = np.array([values])
    shares = np.full_like(parts, 1 / len(values))
    means = [aggregate(parts, shares, how)[0] for how in ("harmonic", "geometric", "arithmetic")]
    assert means[0] <= means[1] * (1 + 1e-12)
    assert means[1] <= means[2] * (1 + 1e-12)


# Weights


def units_and_tree() -> tuple[np.ndarray, pl.DataFrame]:
    framework = tree(
        group("index"),
        group("g", "index", weight=0.6, aggregate="geometric"),
        posts("a", 0, 100, parent="g", weight=0.35),
        posts("b", 0, 100, parent="g", weight=0.25),
        posts("c", 0, 100, weight=0.3),
        posts("d", 0, 100, weight=0.1),
    )
    values = np.random.default_rng(4).uniform(0, 100, size=(30, 4))
    values[np.random.default_rng(5).random(values.shape) < 0.2] = NAN
    return values, framework


def test_weights_equal_to_the_framework_s_give_the_nominal_scores_bit_for_bit():
    values, framework = units_and_tree()
    nominal = score_array(values, framework)
    same = {
        code: np.full((5, 1), weight)
        for code, weight in framework.select("code", "weight").iter_rows()
    }
    found = score_array(values, framework, same)
    assert found.index.shape == (5, 30)
    for draw in range(5):
        assert found.index[draw].tobytes() == nominal.index.tobytes()
        for name in ("weight", "contribution"):
            for code, step in getattr(nominal, name).items():
                assert_array_equal(getattr(found, name)[code][draw], step)
    per_unit = score_array(values, framework, {"c": np.full(30, 0.3)})
    assert per_unit.index.tobytes() == nominal.index.tobytes()


def test_weights_of_a_draw_are_that_draw_s_framework():
    values, framework = units_and_tree()
    draws = np.random.default_rng(6).uniform(0, 2, size=(4, 1))
    found = score_array(np.stack([values] * 4), framework, {"c": draws, "a": 2 * draws})
    for draw in range(4):
        weight = float(draws[draw, 0])
        other = framework.with_columns(
            pl.when(code="c").then(weight).when(code="a").then(2 * weight)
            .otherwise("weight").alias("weight")
        )  # fmt: skip
        assert_array_equal(found.index[draw], score_array(values, other).index)


def test_a_weight_of_0_in_one_draw_only_takes_the_kpi_out_of_that_draw():
    framework = tree(group("index", aggregate="sum"), kpi("a"), kpi("b"))
    found = score_array(column(40, 10)[None], framework, {"a": column(0, 1)[:, None]})
    assert found.index.tolist() == [[10], [50]]
    none = {"a": column(0, 1)[:, None], "b": column(0, 1)[:, None]}
    assert_array_equal(score_array(column(40, 10)[None], framework, none).index, [[NAN], [50]])


def test_a_weight_of_no_node_is_refused():
    values, framework = units_and_tree()
    with pytest.raises(ValueError, match="no node of the framework: e"):
        score_array(values, framework, {"e": np.ones((2, 1))})


@pytest.mark.parametrize("how", sorted(options))
def test_no_draws_give_no_scores(how):
    framework = tree(group("index"), kpi("a", normalise=how, **options[how]))
    assert score_array(np.zeros((0, 5, 1)), framework).index.shape == (0, 5)


@few
@given(st.sampled_from(sorted(options)), st.lists(st.tuples(perhaps, perhaps, perhaps), min_size=1))
def test_a_kpi_of_weight_0_changes_nothing_whatever_its_scale(how, units):
    # Also where it is all that a unit has.
    shared = (group("index"), posts("a"), posts("b", 0, 120, weight=2))
    values = np.array(units)
    idle = kpi("c", weight=0, normalise=how, **options[how])
    with_it = score_array(values, tree(*shared, idle)).index
    assert_allclose(with_it, score_array(values[:, :2], tree(*shared)).index, rtol=1e-12)


# Direction


@few
@given(columns)
def test_reversing_the_direction_mirrors_the_score_exactly(values):
    # goalposts: 100 - s; min_max: the range's ends added, less s; z_score: twice the mean less s;
    # none: -s.
    for how, ends in (("goalposts", 100), ("min_max", 100), ("z_score", 100), ("none", 0)):
        up, down = scaled(values, how), scaled(values, how, -1)
        assert_allclose(down, ends - up, atol=1e-9)


@few
@given(columns)
def test_reversing_the_direction_turns_places_round_and_mirrors_them_where_none_is_shared(values):
    count = int((~np.isnan(values)).sum())
    present = values[~np.isnan(values)]
    for how, ends in (("percentile_rank", 100), ("rank", count + 1), ("borda", count - 1)):
        up, down = scaled(values, how), scaled(values, how, -1)
        order = np.argsort(up[~np.isnan(up)], kind="stable")
        assert (np.diff(down[~np.isnan(down)][order]) <= 0).all()
        if len(set(present.tolist())) == count and count:
            assert_allclose(down, ends - up, atol=1e-9)


@few
@given(columns)
def test_reversing_the_direction_of_a_distance_reverses_the_order_of_the_units(values):
    # It starts from the other end, so it is no mirror; units beyond a cap are alike.
    up, down = scaled(values, "distance_to_target"), scaled(values, "distance_to_target", -1)
    present = ~np.isnan(values)
    order = np.argsort(values[present], kind="stable")
    assert (np.diff(up[present][order]) >= -1e-9).all()
    assert (np.diff(down[present][order]) <= 1e-9).all()


# Scale and shift of the raw values


@few
@given(columns, st.sampled_from([0.5, 2.0, 8.0]), st.integers(-512, 512).map(float))
def test_no_scale_or_shift_of_the_raw_values_changes_a_score_that_compares(values, by, shift):
    # By powers of two and whole numbers: the arithmetic is exact, so that equal units stay equal.
    for how in ("min_max", "z_score", "percentile_rank", "rank", "borda"):
        assert_allclose(scaled(by * values + shift, how), scaled(values, how), atol=1e-9)


# A unit's own value falls, nothing else changes


FRAMES = {
    "goalposts": {"floor": 10, "target": 90},
    "min_max": {},
    "percentile_rank": {},
    "rank": {},
    "borda": {},
    "distance_to_target": {"target": 60, "capped": True},
}


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(FRAMES)),
    st.sampled_from(["arithmetic", "geometric", "harmonic", "sum"]),
    st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=2, max_size=7),
    st.lists(st.integers(1, 9), min_size=3, max_size=3),
    st.integers(0, 2),
    st.integers(1, 80),
    st.data(),
)
def test_no_rank_improves_when_only_the_unit_s_own_value_falls(
    how, mean, units, weights, which, step, data
):
    framework = tree(
        group("index", aggregate=mean),
        *(
            kpi(code, weight=weight, normalise=how, **FRAMES[how])
            for code, weight in zip("abc", weights, strict=True)
        ),
    )
    before = np.array(units)
    one = data.draw(st.integers(0, len(units) - 1))
    after = before.copy()
    after[one, which] -= step
    first, then = (
        competition_ranks(score_array(values, framework).index)[one] for values in (before, after)
    )
    assert first is not None
    assert then is not None
    assert then >= first


def rank_of_first(values: np.ndarray, *kpis: dict[str, Any]) -> int | None:
    return competition_ranks(score_array(values, tree(group("index"), *kpis)).index)[0]


def test_z_scores_are_exempt_a_fall_can_lift_a_unit():
    # The first unit leads in b and is last in a. When it falls there from 2 to -7, the deviation of
    # a grows from 2.5 to 7.6: the lead of the others in a counts for less than its own in b.
    kpis = [kpi("a", normalise="z_score"), kpi("b", normalise="z_score")]
    before = column(2, 8, 5, 2, 7, 1).reshape(3, 2)
    after = column(-7, 8, 5, 2, 7, 1).reshape(3, 2)
    assert (rank_of_first(before, *kpis), rank_of_first(after, *kpis)) == (2, 1)


def test_winsorised_frames_are_exempt_a_fall_can_lift_a_unit():
    # The first unit is last in a. When it falls from -5 to -60, it becomes an outlier and gets the
    # value of the next, 2: the range of a, which was 15, shrinks to 8, and it is no longer behind
    # the third there.
    kpis = [kpi("a", normalise="min_max", treat="winsorise"), kpi("b")]
    others = [4, 61, 2, 35, 10, 52, 5, 78, 3, 68, 9, 5, 9, 86]
    before, after = (column(own, 87, *others).reshape(8, 2) for own in (-5, -60))
    assert (rank_of_first(before, *kpis), rank_of_first(after, *kpis)) == (7, 5)


def test_uncapped_distances_are_exempt_a_fall_can_lift_the_worst_unit():
    # Target 10. The first unit stands at 0 and has 0 points; the second, at 20, has 200. When the
    # first falls to -10, it still has 0 and the second 100 x 30 / 20 = 150: 160 against 150.
    kpis = [kpi("a", normalise="distance_to_target", target=10), kpi("b")]
    before, after = column(0, 160, 20, 0).reshape(2, 2), column(-10, 160, 20, 0).reshape(2, 2)
    assert (rank_of_first(before, *kpis), rank_of_first(after, *kpis)) == (2, 1)


# Ties


@few
@given(st.lists(st.integers(0, 3).map(float), min_size=2, max_size=9), st.randoms())
def test_equal_scores_share_a_rank_in_any_order_of_the_rows(values, random):
    names = [f"U{place}" for place in range(len(values))]
    shuffled = list(zip(names, values, strict=True))
    random.shuffle(shuffled)
    framework = tree(group("index"), posts("a", 0, 3))

    def ranks(rows: list[tuple[str, float]]) -> dict[str, int]:
        frame = pl.DataFrame(rows, schema=["unit", "a"], orient="row")
        return dict(
            score(frame, framework).nodes.filter(code="index").select("unit", "rank").iter_rows()
        )

    found = ranks(shuffled)
    assert found == ranks(list(zip(names, values, strict=True)))
    assert found == {
        name: 1 + sum(other > value for other in values)
        for name, value in zip(names, values, strict=True)
    }
