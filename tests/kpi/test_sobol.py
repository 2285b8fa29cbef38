"""Sobol indices against closed forms and scipy; every law one line."""

import numpy as np
import pytest
from scipy import stats

from kpi.sobol import Floats, estimate, sobol_indices

SEED = np.random.SeedSequence(7)


def ishigami(x: Floats) -> Floats:
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1, x in [-pi, pi]; shape (rows, 3) in, (rows,) out."""
    return np.asarray(
        np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    )


def sampled(rows: int) -> tuple[Floats, Floats, Floats]:
    """Return the function at A, at B, and at A with one factor after the other from B."""
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-np.pi, np.pi, (2, rows, 3))
    mixed = []
    for factor in range(3):
        ab = a.copy()
        ab[:, factor] = b[:, factor]
        mixed.append(ishigami(ab))
    return ishigami(a), ishigami(b), np.stack(mixed)


def test_the_estimates_are_those_of_scipy() -> None:
    at_a, at_b, at_ab = sampled(512)
    theirs = stats.sobol_indices(
        func={"f_A": at_a[None, :], "f_B": at_b[None, :], "f_AB": at_ab[:, None, :]}, n=512
    )
    first, total = estimate(at_a, at_b, at_ab)
    np.testing.assert_allclose(first, np.ravel(theirs.first_order), atol=1e-12)
    np.testing.assert_allclose(total, np.ravel(theirs.total_order), atol=1e-12)


def test_ishigami_s_closed_form_lies_within_the_bootstrap_intervals() -> None:
    """V1 = (1 + b pi^4 / 5)^2 / 2, V2 = a^2 / 8, V13 = b^2 pi^8 (1/18 - 1/50), a = 7, b = 0.1."""
    v1, v2 = (1 + 0.1 * np.pi**4 / 5) ** 2 / 2, 49 / 8
    v13 = 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = v1 + v2 + v13
    found = sobol_indices(*sampled(20_000), SEED)
    first, total = np.array([v1, v2, 0]) / whole, np.array([v1 + v13, v2, v13]) / whole
    np.testing.assert_allclose(found.first, first, atol=0.02)
    np.testing.assert_allclose(found.total, total, atol=0.02)
    assert ((found.first_low <= found.first) & (found.first <= found.first_high)).all()
    assert ((found.total_low <= total) & (total <= found.total_high)).all()


def test_a_choice_of_two_levels_and_one_of_four_worked_by_hand() -> None:
    """x1 in {0, 4}: variance 4. x2 in {0, 1, 2, 3}: variance 1.25. Their sum: 5.25, of which 76 %
    and 24 %; nothing is left to the two together.
    """
    rng = np.random.default_rng(3)
    levels_a, levels_b = (
        np.column_stack([rng.choice([0, 4], 40_000), rng.choice(4, 40_000)]) for _ in range(2)
    )
    crossed = np.stack([levels_b[:, 0] + levels_a[:, 1], levels_a[:, 0] + levels_b[:, 1]])
    first, total = estimate(levels_a.sum(axis=1), levels_b.sum(axis=1), crossed)
    np.testing.assert_allclose(first, [4 / 5.25, 1.25 / 5.25], atol=0.02)
    np.testing.assert_allclose(total, [4 / 5.25, 1.25 / 5.25], atol=0.02)


def test_what_never_changes_has_no_indices() -> None:
    same = np.full(8, 3.0)
    found = sobol_indices(same, same, np.stack([same]), SEED)
    assert np.isnan(found.first).all() and np.isnan(found.total_high).all()


@pytest.mark.parametrize("added", [0.0, 1e6])
def test_adding_a_constant_changes_no_index(added: float) -> None:
    at_a, at_b, at_ab = sampled(256)
    first, total = estimate(at_a + added, at_b + added, at_ab + added)
    own_first, own_total = estimate(at_a, at_b, at_ab)
    np.testing.assert_allclose(first, own_first, atol=1e-8)
    np.testing.assert_allclose(total, own_total, atol=1e-8)


def test_the_same_seed_gives_the_same_intervals() -> None:
    one, other = (sobol_indices(*sampled(128), np.random.SeedSequence(5)) for _ in range(2))
    assert all(
        np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True)
    )
