"""The treatment of outliers: when it is done, how far it goes, what it reports."""

import numpy as np
import polars as pl
import pytest
import scipy.stats
from frameworks import group, kpi, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from kpi.index import score, score_array, treat
from kpi.index.outliers import kurtosis, logged, skewness, treatment

NAN = float("nan")
ONE_TO_TEN = [float(number) for number in range(1, 11)]


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def is_within_limits(values: np.ndarray) -> bool:
    present = values[~np.isnan(values)]
    skew = scipy.stats.skew(present, bias=False)
    return bool(abs(skew) < 2 or scipy.stats.kurtosis(present, bias=False) < 3.5)


# Skewness and kurtosis


@pytest.mark.parametrize("size", [4, 5, 30, 772])
def test_skewness_and_kurtosis_agree_with_scipy_s_bias_corrected_ones(size):
    values = np.random.default_rng(size).lognormal(size=size)
    assert_allclose(skewness(values), scipy.stats.skew(values, bias=False), rtol=1e-12)
    assert_allclose(kurtosis(values), scipy.stats.kurtosis(values, bias=False), rtol=1e-12)


def test_they_pass_over_missing_values():
    values = column(1, NAN, 2, 9, 4, NAN)
    assert skewness(values) == skewness(column(1, 2, 9, 4))
    assert kurtosis(values) == kurtosis(column(1, 2, 9, 4))


@pytest.mark.parametrize("values", [[], [NAN, NAN], [7.0], [1.0, 2.0], [0.1, 0.1, 0.1, 0.1]])
def test_too_few_or_equal_units_have_neither_and_are_left_alone(values):
    with np.errstate(all="raise"):
        found = treatment(column(*values), "winsorise_then_log")
    assert np.isnan(skewness(column(*values)))
    assert np.isnan(kurtosis(column(*values)))
    assert found.how == "none"
    assert_array_equal(found.values, values)


# What is done


@pytest.mark.parametrize("how", ["winsorise", "log", "winsorise_then_log"])
def test_an_indicator_within_the_limits_is_left_alone(how):
    values = column(*ONE_TO_TEN, NAN)
    found = treatment(values, how)
    assert found.how == "none"
    assert_array_equal(found.values, values)


def test_one_limit_is_enough():
    # Half the units at 0 and half at 1000 are widely apart, and not skewed: no outliers.
    values = column(*[0.0] * 20, *[1000.0] * 20)
    assert treatment(values, "log").how == "none"


def test_the_highest_unit_gets_the_next_value_where_the_skewness_is_positive():
    found = treatment(column(*ONE_TO_TEN, 100), "winsorise")
    assert found.how == "winsorise"
    assert found.values.tolist() == [*ONE_TO_TEN, 10]


def test_the_lowest_unit_gets_the_next_value_where_the_skewness_is_negative():
    found = treatment(column(*ONE_TO_TEN, -100), "winsorise")
    assert found.values.tolist() == [*ONE_TO_TEN, 1]


def test_outliers_are_moved_one_by_one_until_a_limit_holds():
    # 200 to 100, then both to 20: two units are treated, the rest stays.
    values = column(*range(1, 21), 100, 200)
    assert not is_within_limits(np.array([*range(1, 21), 100, 100], dtype=float))
    found = treatment(values, "winsorise")
    assert found.values.tolist() == [*range(1, 21), 20, 20]


def test_no_more_than_five_units_are_moved():
    # Six outliers of a hundred units: five are moved down to the sixth, 100, which stays.
    values = column(*np.linspace(0, 1, 94), 100, 200, 300, 400, 500, 600)
    found = treatment(values, "winsorise")
    assert found.values[-6:].tolist() == [100] * 6
    assert_array_equal(found.values[:-6], values[:-6])
    assert not is_within_limits(found.values)


def test_equal_units_are_moved_together_even_if_that_is_more_than_five():
    values = column(*np.linspace(0, 1, 200), *[50.0] * 7)
    found = treatment(values, "winsorise")
    assert (found.values[-7:] == 1).all()


def test_the_logarithm_is_that_of_the_distance_from_the_lowest_unit():
    # 1..10 and 100: v - 1 + 0.99.
    values = column(*ONE_TO_TEN, 100)
    found = treatment(values, "log")
    assert found.how == "log"
    assert_allclose(found.values, np.log(values - 1 + 0.99))


def test_the_logarithm_of_the_raw_values_follows_where_winsorising_does_not_suffice():
    values = column(*np.linspace(0, 1, 94), 100, 200, 300, 400, 500, 600)
    found = treatment(values, "winsorise_then_log")
    assert found.how == "log"
    assert_array_equal(found.values, logged(values))
    enough = treatment(column(*ONE_TO_TEN, 100), "winsorise_then_log")
    assert enough.how == "winsorise"


def test_missing_values_stay_missing():
    for how in ("winsorise", "log"):
        found = treatment(column(NAN, *ONE_TO_TEN, 100, NAN), how)
        assert np.isnan(found.values).tolist() == [True, *[False] * 11, True]


def test_an_unknown_treatment_is_refused():
    with pytest.raises(ValueError, match="unknown treatment trim"):
        treatment(column(1, 2, 3), "trim")


@pytest.mark.parametrize("how", ["winsorise", "log", "winsorise_then_log"])
def test_each_draw_is_treated_by_itself(how):
    draws = np.random.default_rng(7).lognormal(sigma=1.5, size=(2, 3, 40))
    together = treat(draws, how)
    for one in np.ndindex(2, 3):
        assert_array_equal(together[one], treatment(draws[one], how).values)
    assert treat(np.zeros((2, 0)), how).shape == (2, 0)


# In a framework


def test_the_score_is_that_of_the_treated_values_and_the_report_says_so():
    # 100 becomes 10, as the best unit; the raw value stays beside it.
    framework = tree(
        group("index"), kpi("a", normalise="min_max", treat="winsorise"), kpi("b", treat="log")
    )
    values = pl.DataFrame(
        {"unit": [f"U{n}" for n in range(11)], "a": [*ONE_TO_TEN, 100.0], "b": [50.0] * 11}
    )
    scored = score(values, framework)
    last = scored.nodes.filter(unit="U10", code="a").row(0, named=True)
    assert (last["value"], last["treated"], last["normalised"], last["rank"]) == (100, 10, 100, 1)
    report = scored.treatment.to_dicts()
    assert [(row["code"], row["how"], row["unit"]) for row in report] == [
        ("a", "winsorise", "U10"),
        ("b", "none", None),
    ]
    moved = report[0]
    assert (moved["value"], moved["treated"]) == (100, 10)
    before, after = column(*ONE_TO_TEN, 100), column(*ONE_TO_TEN, 10)
    assert_allclose(
        [moved["skew_before"], moved["kurt_before"], moved["skew_after"], moved["kurt_after"]],
        [skewness(before), kurtosis(before), skewness(after), kurtosis(after)],
    )
    assert report[1]["skew_before"] is None


def test_goalposts_take_winsorised_values():
    framework = tree(
        group("index"), kpi("a", normalise="goalposts", floor=0, target=20, treat="winsorise")
    )
    found = score_array(column(*ONE_TO_TEN, 100)[:, None], framework)
    assert found.index[-1] == 50
    assert not found.at_target["a"].any()


# Laws


skewed = st.lists(st.floats(-3, 8).map(lambda x: float(round(np.exp(x), 3))), max_size=40)


@settings(max_examples=150, deadline=None)
@given(skewed, st.sampled_from(["winsorise", "log", "winsorise_then_log"]))
def test_treatment_keeps_the_order_of_the_units_and_equal_ones_equal(values, how):
    raw = column(*values)
    found = treatment(raw, how).values
    order = np.argsort(raw, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    for value in set(values):
        assert len(set(found[raw == value].tolist())) == 1


@settings(max_examples=150, deadline=None)
@given(skewed, st.randoms())
def test_the_order_of_the_units_does_not_change_their_treatment(values, random):
    raw = column(*values)
    places = list(range(len(values)))
    random.shuffle(places)
    assert_allclose(
        treatment(raw[places], "winsorise").values, treatment(raw, "winsorise").values[places]
    )
