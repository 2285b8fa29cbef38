"""Tails, tests of many and moves from year to year, against scipy and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import betabinom, binom, false_discovery_control, norm, poisson_binom

from kpi.chance import (
    at_least,
    at_least_if_logit_normal,
    at_least_of_unlike,
    chances_of_counts,
    largest_at_least,
    likeliest,
    log_chance,
    log_gamma,
    moved,
    q_values,
    shift_of,
)

CLOSE = 1e-9
PRIORS = st.floats(0.02, 5e4)


@given(n=st.integers(0, 600), a=PRIORS, b=PRIORS)
def test_the_chance_of_each_count_is_the_beta_binomials(n: int, a: float, b: float) -> None:
    expected = betabinom.pmf(np.arange(n + 1), n, a, b)
    found = chances_of_counts(np.array([3, n, 0]), np.array([1.0, a, 2]), np.array([1.0, b, 2]))
    assert found[:4] == pytest.approx([1 / 4] * 4), "another college's"
    assert found[4:-1] == pytest.approx(expected, abs=CLOSE)
    assert found[-1] == 1


@given(st.data(), st.integers(1, 600), PRIORS, PRIORS)
def test_the_tails_are_the_beta_binomials(data: st.DataObject, n: int, a: float, b: float) -> None:
    k = data.draw(st.integers(0, n))
    tails, ends = at_least(np.array([k]), np.array([n]), np.array([a]), np.array([b]))
    assert tails[0] == pytest.approx(betabinom.sf(k - 1, n, a, b), abs=CLOSE)
    assert ends[0] == pytest.approx(betabinom.pmf(n, n, a, b), abs=CLOSE)


def test_with_much_to_learn_from_the_tail_is_the_binomials() -> None:
    """All colleges alike: the share is known, 3 of 10 or more at 10 % is binomial."""
    [tail], _ = at_least(np.array([3]), np.array([10]), np.array([1e9]), np.array([9e9]))
    assert tail == pytest.approx(binom.sf(2, 10, 0.1), abs=1e-8)


def test_a_tail_by_hand() -> None:
    """a = b = 1: each of the 5 counts 0..4 has the chance 1/5, so 3 or 4 have 2/5."""
    tails, ends = at_least(np.array([3]), np.array([4]), np.ones(1), np.ones(1))
    assert tails[0] == pytest.approx(2 / 5)
    assert ends[0] == pytest.approx(1 / 5)


@pytest.mark.parametrize(
    ("k", "n", "a", "b"), [(20, 60, 2.0, 18.0), (7, 9, 3.0, 3.0), (5, 400, 0.5, 99.0)]
)
def test_the_logit_normal_tail_is_that_of_its_integral(k: int, n: int, a: float, b: float) -> None:
    mean, size = a / (a + b), a + b
    spread = 1 / np.sqrt(mean * (1 - mean) * (size + 1))
    middle = np.log(a / b) * np.sqrt(1 + np.pi / 8 * spread**2)

    def part(z: float) -> float:
        return float(norm.pdf(z) * binom.sf(k - 1, n, 1 / (1 + np.exp(-middle - spread * z))))

    whole, _ = quad(part, -8, 8, epsabs=1e-13, limit=400)
    assert at_least_if_logit_normal(k, n, a, b) == pytest.approx(whole, abs=CLOSE)


def test_a_longer_tail_makes_a_rare_count_less_rare() -> None:
    """45 of 60 where 10 % is usual."""
    [tail], _ = at_least(np.array([45]), np.array([60]), np.array([2.0]), np.array([18.0]))
    assert at_least_if_logit_normal(45, 60, 2.0, 18.0) > 10 * tail


# ---- the largest group ----


def test_the_largest_of_a_group_by_hand() -> None:
    """a = 1, b = 1 (Ewens with theta = 1: a random permutation's cycles). Of 3 people all are one
    group with 1/3; a group of 2 there is with 1/2, so 2 or more with 5/6.
    """
    tails, ends = largest_at_least(np.array([3, 2, 1]), np.array([3, 3, 3]), 1.0, 1.0)
    assert tails == pytest.approx([1 / 3, 5 / 6, 1.0])
    assert ends == pytest.approx([1 / 3] * 3)


def test_groups_drawn_at_random_are_no_larger_than_the_bound() -> None:
    """Cycles of 2,000 random permutations of 12 people: the bound is the chance above 6, and more
    below it.
    """
    rng = np.random.default_rng(1)
    largest = np.array([_longest_cycle(rng.permutation(12)) for _ in range(2000)])
    for k in (5, 8, 11):
        [bound], _ = largest_at_least(np.array([k]), np.array([12]), 1.0, 1.0)
        seen = (largest >= k).mean()
        assert seen < bound + 0.03
        assert k <= 6 or seen == pytest.approx(bound, abs=0.04)


def _longest_cycle(order: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> int:
    left, longest = set(range(len(order))), 0
    while left:
        place, length = left.pop(), 1
        while (place := int(order[place])) in left:
            left.remove(place)
            length += 1
        longest = max(longest, length)
    return longest


# ---- sums of unlike chances, and many tests ----


@given(st.lists(st.floats(0.0, 1.0), max_size=40), st.integers(0, 40))
def test_unlike_chances_add_up_as_scipy_has_it(chances: list[float], count: int) -> None:
    found = at_least_of_unlike(count, np.array(chances))
    expected = poisson_binom.sf(count - 1, chances) if chances else float(count == 0)
    assert found == pytest.approx(expected, abs=CLOSE)


@given(st.lists(st.floats(0.0, 1.0), max_size=60))
def test_q_values_are_those_of_benjamini_and_hochberg(p: list[float]) -> None:
    expected = false_discovery_control(p) if p else []
    assert q_values(np.array(p)) == pytest.approx(expected, abs=CLOSE)


# ---- from one year to the next ----


@given(st.floats(1e-9, 1e6))
def test_the_logarithm_of_gamma_is_scipys(x: float) -> None:
    assert log_gamma(np.array([x]))[0] == pytest.approx(gammaln(x), rel=1e-11, abs=1e-11)


@given(st.data(), st.integers(1, 3000), PRIORS, PRIORS)
def test_a_log_chance_is_scipys_less_the_ways(
    data: st.DataObject, n: int, a: float, b: float
) -> None:
    k = data.draw(st.integers(0, n))
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    found = log_chance(np.array([k]), np.array([n]), np.array([a]), np.array([b]))
    assert found[0] + ways == pytest.approx(betabinom.logpmf(k, n, a, b), abs=1e-6)


def test_a_nation_that_moved_is_met_again() -> None:
    """Odds of 1 : 3 and 1 : 1 that double are 2 : 3 and 2 : 1."""
    mean, n = np.array([0.25, 0.5]), np.array([300, 600])
    total = 300 * 2 // 5 + 600 * 2 // 3
    shift = shift_of(mean, n, total)
    assert shift == pytest.approx(np.log(2))
    assert moved(mean, shift) == pytest.approx([2 / 5, 2 / 3])


def test_the_likeliest_place_is_found() -> None:
    assert likeliest(lambda x: -((x - 1.2345) ** 2), -3, 4) == pytest.approx(1.2345, abs=1e-3)
    assert likeliest(lambda x: x, -3, 4) == pytest.approx(4, abs=1e-3), "at an end"


def test_a_share_of_0_or_1_spoils_no_other_unit() -> None:
    """A unit of which the fit leaves no spread is certain; those after it are as they were."""
    n, a, b = np.array([3, 2, 4]), np.array([0.0, 5.0, 2.0]), np.array([5.0, 0.0, 3.0])
    chances = chances_of_counts(n, a, b)
    assert chances[:4] == pytest.approx([1, 0, 0, 0], abs=1e-9)
    assert chances[4:7] == pytest.approx([0, 0, 1], abs=1e-9)
    assert chances[7:] == pytest.approx(betabinom.pmf(range(5), 4, 2, 3), abs=1e-12)
