"""Intervals of a share: equal to scipy's, and to those that a round stores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from kpi.intervals import beta_below, beta_quantile, jeffreys, wilson
from kpi.rounds import Round

COUNTS = [(k, n) for n in (1, 2, 5, 10, 37, 200, 5_000) for k in {0, 1, n // 3, n // 2, n - 1, n}]
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)


@pytest.mark.parametrize("level", LEVELS)
def test_wilson_equals_scipy(level: float) -> None:
    low, high = wilson(*np.array(COUNTS).T, level)
    expected = [binomtest(k, n).proportion_ci(level, "wilson") for k, n in COUNTS]
    assert low == pytest.approx([one.low for one in expected], abs=1e-12)
    assert high == pytest.approx([one.high for one in expected], abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_jeffreys_equals_scipy(level: float) -> None:
    k, n = np.array(COUNTS).T
    low, high = jeffreys(k, n, level)
    tail = (1 - level) / 2
    assert low == pytest.approx(beta.ppf(tail, k + 0.5, n - k + 0.5), abs=1e-12)
    assert high == pytest.approx(beta.ppf(1 - tail, k + 0.5, n - k + 0.5), abs=1e-12)


def test_seven_of_ten_by_hand() -> None:
    """z = 1.96, z^2 = 3.8415: middle (0.7 + 0.19207) / 1.38415 = 0.64449, reach
    1.96 x sqrt(0.021 + 0.0096036) / 1.38415 = 0.24772.
    """
    low, high = wilson(7, 10, 0.95)
    assert (float(low), float(high)) == pytest.approx((0.39677, 0.89221), abs=1e-5)


@pytest.mark.parametrize("interval", [wilson, jeffreys])
def test_nobody_tried_has_no_interval(interval) -> None:  # type: ignore[no-untyped-def]
    low, high = interval([0, 1], [0, 2], 0.95)
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] < 0.5 < high[1]


@pytest.mark.parametrize("interval", [wilson, jeffreys])
@pytest.mark.parametrize("counts", [(-1, 5), (6, 5)])
def test_counts_that_are_no_share_are_refused(interval, counts) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="no more than the trials"):
        interval(*counts, 0.95)


@given(st.integers(0, 300), st.integers(0, 300), st.sampled_from(LEVELS))
def test_what_succeeds_and_what_fails_mirror_each_other(k: int, rest: int, level: float) -> None:
    for interval in (wilson, jeffreys):
        low, high = interval(k, k + rest, level)
        mirrored_low, mirrored_high = interval(rest, k + rest, level)
        if k + rest:
            assert 0 <= low < high <= 1
            assert float(low) == pytest.approx(1 - float(mirrored_high), abs=1e-12)
            assert float(high) == pytest.approx(1 - float(mirrored_low), abs=1e-12)


@given(st.floats(0.001, 0.999), st.floats(0.5, 400), st.floats(0.5, 400))
def test_the_quantile_is_where_the_distribution_reaches_it(p: float, a: float, b: float) -> None:
    x = beta_quantile(p, a, b)
    assert x == pytest.approx(float(beta.ppf(p, a, b)), abs=1e-12)
    assert beta_below(x, a, b) == pytest.approx(p, abs=1e-9)


def test_below_0_is_nothing_and_below_1_everything() -> None:
    assert (beta_below(0, 2, 3), beta_below(1, 2, 3)) == (0, 1)


def test_the_intervals_that_a_round_stores_are_wilson_s(example_round: Round) -> None:
    values = example_round.table("kpi_values")
    stored = values.filter(values["kind"] == "outcome_share", values["denominator"] > 0)
    assert stored.height > 50
    k, n = (stored[name].cast(float).to_numpy() for name in ("numerator", "denominator"))
    low, high = wilson(k, n, 0.95)
    assert stored["low"].to_numpy() == pytest.approx(low, abs=1e-12)
    assert stored["high"].to_numpy() == pytest.approx(high, abs=1e-12)
