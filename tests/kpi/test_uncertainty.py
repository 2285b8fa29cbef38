"""What chance alone would do to another cohort: the prior against scipy, the tree and the draws by
hand, leagues against the ranking's own, and what must not change.

Most rounds here are made of counts: so many graduates of a college are in work, so many are not, so
many left the denominator, each with a certificate or without.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar, root
from scipy.special import digamma
from scipy.stats import betabinom, rankdata

from kpi.methodology import League, Methodology
from kpi.ranking import assign_leagues, ranking_of
from kpi.rounds import Round
from kpi.uncertainty import (
    _NO_SCORE,
    CHANCE_SCHEMA,
    DRAWN_FROM,
    INTERVAL_SCHEMA,
    LEAST_PRIOR,
    Kinds,
    Uncertainty,
    _band,
    _first,
    _model_of,
    _percentiles,
    _posterior,
    doubled_mid_ranks,
    fit_beta,
    kinds_of,
    leagues_entered,
    questions_of,
    uncertainty_of,
    with_intervals,
)

STATED = {"reference": "test", "status": "illustrative"}
NAMES = {"kk": "Аты", "ru": "Имя", "en": "Name"}


# ---- the prior ----


def fitted_by_scipy(k: Any, n: Any) -> Any:
    """Where both derivatives of the beta-binomial log-likelihood are 0, by digamma functions."""

    def slope(at: Any) -> Any:
        a, b = np.exp(at)
        shared = digamma(a + b) - digamma(n + a + b)
        of_a = (digamma(k + a) - digamma(a) + shared).sum()
        of_b = (digamma(n - k + b) - digamma(b) + shared).sum()
        return np.array([a * of_a, b * of_b])

    share = k.sum() / n.sum()
    return np.exp(root(slope, np.log([5 * share, 5 * (1 - share)]), tol=1e-14).x)


def log_likelihood(k: Any, n: Any, a: float, b: float) -> float:
    return float(betabinom.logpmf(k, n, a, b).sum())


@pytest.mark.parametrize(
    ("seed", "colleges", "a", "b", "largest"),
    [
        (1, 772, 7.0, 3.0, 300),
        (2, 772, 60.0, 15.0, 300),
        (3, 772, 0.6, 1.5, 40),
        (4, 40, 3.0, 5.0, 120),
        (5, 12, 2.0, 2.0, 400),
        (6, 300, 1.0, 40.0, 1_000),
    ],
)
def test_the_prior_equals_a_fit_by_scipy(
    seed: int, colleges: int, a: float, b: float, largest: int
) -> None:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, largest, colleges)
    k = rng.binomial(n, rng.beta(a, b, colleges))
    assert fit_beta(k, n) == pytest.approx(fitted_by_scipy(k, n), rel=1e-6)


def test_no_other_prior_makes_the_counts_likelier() -> None:
    k, n = np.array([3, 9, 14, 2, 30]), np.array([10, 12, 20, 9, 44])
    a, b = fit_beta(k, n)
    best = log_likelihood(k, n, a, b)
    for up, along in [(1.02, 1), (0.98, 1), (1, 1.02), (1, 0.98), (1.01, 0.99)]:
        assert log_likelihood(k, n, a * up, b * along) < best


def test_the_prior_of_each_question_of_a_round_equals_a_fit_by_scipy(example_round: Round) -> None:
    """Of the twelve worked colleges: where a + b is inside its bounds, as scipy finds it."""
    tables = tables_of(example_round)
    kinds = kinds_of(
        tables["cohort_cells"],
        tables["cell_kpis"],
        ["employment_rate", "in_specialty_rate", "certified_share"],
        tables["unit_profile"]["college_id"].to_list(),
    )
    inside = 0
    for question in questions_of(kinds):
        yes = kinds.graduates[:, question.yes].sum(axis=1)
        asked = yes + kinds.graduates[:, question.no].sum(axis=1)
        a, b = fit_beta(yes, asked)
        used = asked > 0
        scipys = fitted_by_scipy(yes[used], asked[used])
        if 0.01 < sum(scipys) < asked.sum():
            inside += 1
            assert (a, b) == pytest.approx(scipys, rel=1e-6)
    assert inside >= 1


def test_colleges_that_do_not_differ_have_the_rate_of_all_as_sure_as_all_together() -> None:
    """Each has 3 in work of 10 and there are 1,200 graduates: the prior weighs as much as those."""
    k, n = np.full(120, 3), np.full(120, 10)
    assert fit_beta(k, n) == pytest.approx((360, 840), rel=1e-3)


def test_at_the_most_that_a_prior_may_weigh_the_mean_is_still_the_likeliest() -> None:
    k, n = np.array([22, 13, 4]), np.array([54, 32, 10])
    a, b = fit_beta(k, n)
    best = minimize_scalar(
        lambda mean: -log_likelihood(k, n, 96 * mean, 96 * (1 - mean)),
        bounds=(0.01, 0.99),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert a + b == pytest.approx(96)
    assert a / 96 == pytest.approx(best.x, abs=1e-6)


def test_one_college_is_believed_its_own_rate_as_far_as_its_graduates_go() -> None:
    assert fit_beta(np.array([5]), np.array([10])) == pytest.approx((5, 5))


def test_colleges_that_are_all_or_nothing_leave_the_prior_next_to_no_weight() -> None:
    assert fit_beta(np.array([0, 10]), np.array([10, 10])) == pytest.approx(
        (LEAST_PRIOR / 2, LEAST_PRIOR / 2), rel=1e-6
    )


@pytest.mark.parametrize("graduates", [[5, 10, 20], [1], [400]])
def test_where_nobody_or_everybody_succeeds_nothing_else_is_drawn(graduates: list[int]) -> None:
    n = np.array(graduates)
    a, b = fit_beta(np.zeros_like(n), n)
    assert 0 < a < 1e-9 * b
    a, b = fit_beta(n, n)
    assert 0 < b < 1e-9 * a


def test_where_nobody_was_asked_either_answer_is_as_likely() -> None:
    a, b = fit_beta(np.array([0, 0]), np.array([0, 0]))
    assert a == pytest.approx(b)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12))
def test_any_counts_have_a_prior_within_its_bounds(counts: list[tuple[int, int]]) -> None:
    k = np.array([yes for yes, _ in counts])
    n = np.array([yes + no for yes, no in counts])
    a, b = fit_beta(k, n)
    assert a > 0
    assert b > 0
    assert LEAST_PRIOR * (1 - 1e-9) <= a + b <= max(n.sum(), 1) * (1 + 1e-9)


# ---- the kinds of graduates and the questions that tell them apart ----

WORK, CERTIFIED = "employment_rate", "certified_share"
KINDS = {  # what a graduate counts for: (in work, of how many), (certified, of how many)
    "out": ((0, 0), (0, 1)),
    "idle": ((0, 1), (0, 1)),
    "idle_certified": ((0, 1), (1, 1)),
    "works": ((1, 1), (0, 1)),
    "works_certified": ((1, 1), (1, 1)),
}
People = Mapping[str, int]


def kinds(*colleges: People) -> Kinds:
    """The kinds of KINDS, in its order, as the product would hold them."""
    return Kinds(
        [WORK, CERTIFIED],
        np.array([[work[0], course[0]] for work, course in KINDS.values()]),
        np.array([[work[1], course[1]] for work, course in KINDS.values()]),
        np.array([[college.get(kind, 0) for kind in KINDS] for college in colleges]),
    )


def test_kinds_are_told_apart_one_question_after_the_other() -> None:
    """Counted in employment (1 to 4) or not (0); of those, in work (3, 4) or not (1, 2); of each,
    certified or not.
    """
    asked = [(one.yes, one.no) for one in questions_of(kinds({}))]
    assert asked == [([1, 2, 3, 4], [0]), ([3, 4], [1, 2]), ([4], [3]), ([2], [1])]


def test_one_kind_alone_is_asked_nothing() -> None:
    one = Kinds(["a"], np.array([[1]]), np.array([[1]]), np.array([[7], [9]]))
    assert questions_of(one) == []


@given(st.sets(st.tuples(*[st.integers(0, 1)] * 6), min_size=1, max_size=20))
def test_every_kind_is_reached_once(facts: set[tuple[int, ...]]) -> None:
    """As many questions as kinds less one, and they part everyone down to single kinds."""
    of = np.array(sorted(facts))
    tree = questions_of(Kinds(["a", "b", "c"], of[:, :3], of[:, 3:], np.zeros((0, len(of)))))
    assert len(tree) == len(of) - 1
    open_groups = {tuple(range(len(of)))}
    for question in tree:
        open_groups.remove(tuple(sorted(question.yes + question.no)))
        open_groups |= {tuple(question.yes), tuple(question.no)}
    assert open_groups == {(kind,) for kind in range(len(of))}


def test_graduates_who_count_for_the_same_are_one_kind() -> None:
    """Dual or not makes no difference to these two KPIs; who is excluded, and is in the other."""
    cells = pl.DataFrame(
        [("B", True, "x", 4), ("B", False, "x", 6), ("A", True, "x", 1), ("A", True, "y", 2)],
        schema=["college_id", "dual", "flag", "graduates"],
        orient="row",
    )
    rows = [
        (dual, flag, kpi, *counts)
        for dual in (True, False)
        for flag in ("x", "y")
        for kpi, counts in (("one", (int(flag == "x"), 1)), ("unasked", (int(dual), 1)))
    ]
    columns = ["dual", "flag", "kpi", "numerator", "denominator"]
    members = pl.DataFrame(rows, schema=columns, orient="row")
    found = kinds_of(cells, members, ["one", "not_drawn"], ["A", "B", "C"])
    assert found.kpis == ["one"]
    assert found.numerator.tolist() == [[0], [1]]
    assert found.denominator.tolist() == [[1], [1]]
    assert found.graduates.tolist() == [[2, 1], [0, 10], [0, 0]]


# ---- rounds made of counts ----


@dataclass(frozen=True)
class Asked:
    """A KPI of the methodology: its weight in the index (None: shown), and its gate if it has."""

    weight: str | None = "1"
    least: int = 1
    gate: str | None = None
    on_small_cohort: str = "judge"
    on_no_data: str = "fail"
    missing: str = "reweight"
    applies_to: tuple[str, ...] = ("college", "higher_college")


Rules = Mapping[str, Asked]
SHIPPED: Rules = {
    WORK: Asked("0.7", gate="0.7", missing="not_ranked"),
    CERTIFIED: Asked("0.1"),
    "dual_share": Asked("0.2"),
}


def methodology(rules: Rules = SHIPPED, leagues: Sequence[Mapping[str, Any]] = ()) -> Methodology:
    """KPIs on goalposts from 0 to 1; the first league takes whoever is among the first 3."""
    kpis: list[dict[str, Any]] = []
    for code, one in rules.items():
        kind = "register_share" if code == "dual_share" else "outcome_share"
        kpi = {"code": code, "name": NAMES, "kind": kind, "min_denominator": one.least, **STATED}
        if one.weight is not None:
            how = {"normalise": "goalposts", "floor": Decimal(0), "target": Decimal(1)}
            weight = {"parent": "index", "weight": Decimal(one.weight), "missing": one.missing}
            kpi["score"] = {**how, **weight}
        kpis.append({**kpi, "applies_to": list(one.applies_to)})
    gates = [
        {
            "kpi": code,
            "threshold": Decimal(one.gate),
            "on_small_cohort": one.on_small_cohort,
            "on_no_data": one.on_no_data,
            **STATED,
        }
        for code, one in rules.items()
        if one.gate is not None
    ]
    days = ("count_on", "kpi_on", "observed_on", "cohort_from", "cohort_to")
    return Methodology.model_validate(
        {
            "name": "test",
            "start": dt.date(2024, 9, 1),
            "title": NAMES,
            **STATED,
            "unit": {"value": "legal_entity", **STATED},
            "min_students": {"value": 25, **STATED},
            "dates": dict.fromkeys(days, "10-01") | STATED,
            "sources": [],
            "groups": [{"code": "index", "name": NAMES, "aggregate": "arithmetic", **STATED}],
            "kpis": kpis,
            "gates": gates,
            "leagues": [
                {"tie_at_edge": "include", "name": NAMES, **STATED, **league}
                for league in leagues or ({"league": 1, "max_rank": 3}, {"league": 2})
            ],
            "tie_chain": {"value": [], **STATED},
        }
    )


def tables_by_hand(
    colleges: Mapping[str, People],
    rules: Rules = SHIPPED,
    *,
    earlier: Mapping[str, tuple[int, int]] | None = None,
    gate_earlier: Mapping[str, tuple[int, int]] | None = None,
    **columns: Mapping[str, Any],
) -> dict[str, pl.DataFrame]:
    """The tables that draws are made from, for colleges of these graduates.

    ``columns``: of ``unit_profile``, such as ``status``, and ``dual_share``, where it is not 1 of
    2, of the colleges named. ``earlier``: (in work, of how many) that earlier cohorts add to the
    employment rate; ``gate_earlier``: to its gate.
    """
    return _tables(colleges, rules, earlier or {}, gate_earlier or {}, columns)


def _tables(
    colleges: Mapping[str, People],
    rules: Rules,
    earlier: Mapping[str, tuple[int, int]],
    gate_earlier: Mapping[str, tuple[int, int]],
    columns: Mapping[str, Mapping[str, Any]],
) -> dict[str, pl.DataFrame]:
    usual: dict[str, Any] = {
        "region": "KZ-35",
        "kind": "college",
        "cluster": "it",
        "status": "active",
        "students": 100,
    }
    profile = [
        {"college_id": name, **{c: columns.get(c, {}).get(name, v) for c, v in usual.items()}}
        for name in colleges
    ]
    values, gates = [], []
    for unit in profile:
        name = unit["college_id"]
        for code, one in rules.items():
            n, k = (
                sum(count * KINDS[kind][code == CERTIFIED][part] for kind, count in people.items())
                for people in [colleges[name]]
                for part in (1, 0)
            )
            if code == "dual_share":
                k, n = columns.get("dual_share", {}).get(name, (1, 2))
            more = earlier.get(name, (0, 0)) if code == WORK else (0, 0)
            fact = _fact(k + more[0], n + more[1], unit["kind"], one)
            values.append({"college_id": name, "kpi": code, **fact})
            if one.gate is not None:
                more = gate_earlier.get(name, (0, 0)) if code == WORK else (0, 0)
                own = _fact(k + more[0], n + more[1], unit["kind"], one)
                gates.append({"college_id": name, "gate": code, **own, "passed": _passes(own, one)})
    count = {"numerator": pl.Decimal(18, 6), "denominator": pl.Decimal(18, 6)}
    tables = {
        "unit_profile": pl.DataFrame(profile),
        "kpi_values": pl.DataFrame(values, schema_overrides=count),
        "gates": pl.DataFrame(
            gates or None,
            schema_overrides=count,
            schema=None
            if gates
            else {"college_id": pl.String, "gate": pl.String, "passed": pl.Boolean, **count},
        ),
        "cohort_cells": pl.DataFrame(
            [(name, kind, n) for name, of in colleges.items() for kind, n in of.items() if n],
            schema={"college_id": pl.String, "kind": pl.String, "graduates": pl.Int64},
            orient="row",
        ),
        "cell_kpis": pl.DataFrame(
            [
                (kind, code, *counts)
                for kind, of in KINDS.items()
                for code, counts in zip((WORK, CERTIFIED), of, strict=True)
            ],
            schema=["kind", "kpi", "numerator", "denominator"],
            orient="row",
        ),
    }
    tables["ranking"] = ranking_of(
        tables["unit_profile"], tables["kpi_values"], tables["gates"], methodology(rules)
    )
    return tables


def _fact(k: int, n: int, kind: str, one: Asked) -> dict[str, Any]:
    status = "ok" if n >= one.least else "small_cohort" if n else "no_data"
    if kind not in one.applies_to:
        status = "not_applicable"
    return {
        "numerator": Decimal(k),
        "denominator": Decimal(n),
        "value": k / n if n else None,
        "status": status,
    }


def _passes(fact: Mapping[str, Any], one: Asked) -> bool:
    if fact["status"] in ("no_data", "not_applicable"):
        return one.on_no_data == "pass"
    if fact["status"] == "small_cohort" and one.on_small_cohort != "judge":
        return one.on_small_cohort == "pass"
    return bool(fact["numerator"] >= Decimal(one.gate or 0) * fact["denominator"])


def draw(
    colleges: Mapping[str, People], rules: Rules = SHIPPED, draws: int = 1_000, **other: Any
) -> Uncertainty:
    tables = tables_by_hand(colleges, rules, **other)
    return uncertainty_of(tables, methodology(rules), draws=draws)


def chance(found: Uncertainty, college_id: str, of: str, item: str = "") -> float:
    here = (pl.col("college_id") == college_id, pl.col("of") == of, pl.col("item") == item)
    return float(found.chances.filter(*here)["chance"].item())


def interval(found: Uncertainty, college_id: str) -> dict[str, Any]:
    return found.intervals.row(by_predicate=pl.col("college_id") == college_id, named=True)


def works(k: int, n: int) -> People:
    return {"works": k, "idle": n - k}


TEN = {
    f"C{place}": {"works": 50 + 4 * place, "idle": 50 - 4 * place, "out": 6, "works_certified": 9}
    for place in range(10)
}
"""Ten colleges of 115 graduates, the later the better."""


# ---- the posterior, and new cohorts ----


def test_a_drawn_share_lies_between_the_college_s_own_and_that_of_all() -> None:
    """Beta(a + k, b + n - k): its mean is (a + k) / (a + b + n)."""
    colleges = [{"works": 9, "idle": 1}, {"works": 30, "idle": 70}, {"works": 55, "idle": 45}]
    of = kinds(*colleges)
    [_, work, *_] = questions_of(of)
    a, b = fit_beta(np.array([9, 30, 55]), np.array([10, 100, 100]))
    posterior_a, posterior_b = _posterior(of, work)
    assert posterior_a.tolist() == [a + 9, a + 30, a + 55]
    assert posterior_b.tolist() == [b + 1, b + 70, b + 45]
    mean = posterior_a[0] / (posterior_a[0] + posterior_b[0])
    assert a / (a + b) < mean < 0.9


ONLY_WORK: Rules = {WORK: Asked("1", gate="0.7")}


@pytest.mark.parametrize(("k", "n"), [(7, 10), (15, 20), (60, 100), (2, 3)])
def test_the_chance_of_a_gate_is_the_beta_binomial_of_a_new_cohort(k: int, n: int) -> None:
    """One question only, in work or not. 7 of 10 pass 0.7; so do 14 of 20, 70 of 100, 3 of 3. A
    new cohort of n passes with the beta-binomial's chance; 2,500 of them tell it to 4 x 0.01. By
    the drawn share instead, a hundred graduates would have another chance than this.
    """
    others = {f"C{place}": works(4 + place, 12 + place) for place in range(8)}
    colleges = {"X": works(k, n), **others}
    found = draw(colleges, ONLY_WORK, draws=10_000)
    counts = np.array([[of["works"], of["works"] + of["idle"]] for of in colleges.values()])
    a, b = fit_beta(counts[:, 0], counts[:, 1])
    enough = math.ceil(Decimal("0.7") * n)
    exact = betabinom.sf(enough - 1, n, a + k, b + n - k)
    assert chance(found, "X", "gate", WORK) == pytest.approx(exact, abs=0.04)
    assert chance(found, "X", "all_gates") == chance(found, "X", "gate", WORK)


def test_a_large_college_that_is_far_from_the_threshold_is_sure() -> None:
    found = draw(TEN | {"Z": works(9_900, 10_000), "A": works(10, 10_000)}, ONLY_WORK)
    assert chance(found, "Z", "gate", WORK) == 1
    assert chance(found, "A", "gate", WORK) == 0


def test_graduates_of_all_kpis_are_the_same_people() -> None:
    """Whoever works has a certificate, and nobody else: the two shares are one in every draw, so
    weighing them against each other changes no rank.
    """
    colleges = {
        f"C{place}": {"works_certified": 20 + 3 * place, "idle": 40 - 3 * place}
        for place in range(6)
    }
    alone = draw(colleges, {WORK: Asked("1")})
    halved = draw(colleges, {WORK: Asked("0.5"), CERTIFIED: Asked("0.5")})
    assert alone.intervals.equals(halved.intervals)


def test_a_college_in_one_kind_only_and_one_without_graduates() -> None:
    found = draw(TEN | {"ALL": {"works": 40}, "NONE": {}})
    assert 0.95 < chance(found, "ALL", "gate", WORK) <= 1
    assert chance(found, "NONE", "gate", WORK) == 0  # on_no_data: fail
    assert "NONE" not in found.intervals["college_id"].to_list()


def test_without_graduates_a_gate_that_passes_without_data_is_sure() -> None:
    rules = {WORK: Asked("1", gate="0.7", on_no_data="pass"), "dual_share": Asked(None)}
    assert chance(draw(TEN | {"NONE": {}}, rules), "NONE", "gate", WORK) == 1


def test_a_small_cohort_is_judged_as_its_gate_says() -> None:
    """Nine graduates, where ten are a cohort: every new cohort of the same size is small too."""
    small = {"SMALL": works(9, 9)}
    for policy, least, most in (("fail", 0, 0), ("pass", 1, 1), ("judge", 0.5, 0.999)):
        rules = {WORK: Asked("1", least=10, gate="0.7", on_small_cohort=policy)}
        found = draw(TEN | small, rules)
        assert least <= chance(found, "SMALL", "gate", WORK) <= most
        assert "SMALL" not in found.intervals["college_id"].to_list()


def test_a_kpi_that_is_not_the_unit_s_stays_out_of_its_new_cohorts_too() -> None:
    """The higher college has the best rate of all, and the KPI is asked of colleges only: its gate
    is judged as one without data, its score is that of its dual training alone.
    """
    rules = {
        WORK: Asked("0.8", gate="0.7", applies_to=("college",)),
        "dual_share": Asked("0.2"),
    }
    found = draw(
        TEN | {"HIGH": works(100, 100)},
        rules,
        kind={"HIGH": "higher_college"},
        dual_share={"HIGH": (0, 2)},
    )
    assert chance(found, "HIGH", "gate", WORK) == 0
    assert chance(found, "HIGH", "league", "1") == 0
    assert interval(found, "HIGH")["rank_low"] == 11


# ---- pooled over earlier cohorts ----


def test_earlier_cohorts_make_a_rank_surer_but_not_sure() -> None:
    """Eight graduates a year. Their 16 predecessors narrow the interval; held at their counted
    value they would leave a third of the noise only, and cover too little.
    """
    colleges = {f"C{place}": works(1 + place % 7, 8) for place in range(40)}
    earlier = {name: (2 * of["works"], 16) for name, of in colleges.items()}
    plain, pooled = draw(colleges, ONLY_WORK), draw(colleges, ONLY_WORK, earlier=earlier)
    tables = tables_by_hand(colleges, ONLY_WORK, earlier=earlier)
    [one] = _model_of(tables, methodology(ONLY_WORK)).drawn.values()
    assert one.rest_posterior is not None
    a, b = fit_beta(np.array([of["works"] * 2 for of in colleges.values()]), np.full(40, 16))
    assert sorted(one.rest_posterior[0]) == pytest.approx(
        sorted(a + 2 * of["works"] for of in colleges.values())
    )
    assert sorted(one.rest_posterior[1]) == pytest.approx(
        sorted(b + 16 - 2 * of["works"] for of in colleges.values())
    )

    def width(found: Uncertainty) -> float:
        return float((found.intervals["rank_high"] - found.intervals["rank_low"]).mean())

    assert 0 < width(pooled) < width(plain)


def test_a_gate_that_does_not_pool_is_drawn_by_its_own_counts() -> None:
    """80 of 80 earlier graduates in work would carry a cohort of 2 of 8 over 0.7 each time."""
    colleges = {f"C{place}": works(1 + place % 7, 8) for place in range(40)}
    earlier = dict.fromkeys(colleges, (80, 80))
    pooled = draw(colleges, ONLY_WORK, earlier=earlier, gate_earlier=earlier)
    assert chance(pooled, "C1", "gate", WORK) == 1
    assert chance(draw(colleges, ONLY_WORK, earlier=earlier), "C1", "gate", WORK) < 0.5


# ---- ranks, leagues, first places ----

scores_of_draws = st.integers(1, 9).flatmap(
    lambda units: st.lists(
        st.lists(st.one_of(st.integers(-2, 3), st.just(_NO_SCORE)), min_size=units, max_size=units),
        min_size=1,
        max_size=4,
    )
)


@given(scores_of_draws)
def test_equal_scores_take_the_mean_of_their_places(scores: list[list[int]]) -> None:
    of = np.array(scores, dtype=np.int32)
    by_scipy = rankdata(-of.astype(float), method="average", axis=-1)
    assert (doubled_mid_ranks(of) == 2 * by_scipy).all()


def test_two_first_ones_share_one_and_a_half() -> None:
    assert doubled_mid_ranks(np.array([[90, 70, 90, 50]], dtype=np.int32)).tolist() == [
        [3, 6, 3, 8]
    ]


@pytest.mark.parametrize("far", [40_000, -40_000, 2**15, -(2**15)])
def test_scores_too_large_for_short_numbers_rank_alike(far: int) -> None:
    scores = np.array([[far, 5, _NO_SCORE, 7]], dtype=np.int32)
    by_scipy = rankdata(-scores.astype(float), axis=-1)
    assert (doubled_mid_ranks(scores) == 2 * by_scipy).all()


leagues_stated = st.lists(
    st.fixed_dictionaries(
        {
            "tie_at_edge": st.sampled_from(["include", "exclude"]),
            "limit": st.sampled_from(["max_count", "max_rank", None]),
            "at": st.integers(1, 6),
            "gates": st.sets(st.sampled_from(["a", "b"])),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200)
@given(scores_of_draws, leagues_stated, st.randoms(use_true_random=False))
def test_leagues_are_entered_as_the_ranking_assigns_them(
    scores: list[list[int]], stated: list[dict[str, Any]], random: Any
) -> None:
    """Draw by draw, against the function that gives the published leagues."""
    leagues = [
        League.model_validate(
            {
                "league": number,
                "name": NAMES,
                "gates": sorted(one["gates"]),
                "tie_at_edge": one["tie_at_edge"],
                **({one["limit"]: one["at"]} if one["limit"] else {}),
                **STATED,
            }
        )
        for number, one in enumerate(stated, start=1)
    ]
    of = np.array(scores, dtype=np.int32)
    passed = {gate: np.array([[random.random() < 0.7 for _ in row] for row in of]) for gate in "ab"}
    expected = np.zeros((len(leagues), of.shape[1]), dtype=int)
    for draw_number, row in enumerate(of):
        rows: list[dict[str, Any]] = [
            {
                "unit": unit,
                "rank": 1 + int((row > value).sum()),
                "tie_size": int((row == value).sum()),
                "gates_passed": {gate for gate in "ab" if passed[gate][draw_number, unit]},
            }
            for unit, value in enumerate(row)
            if value != _NO_SCORE
        ]
        rows.sort(key=lambda one: one["rank"])
        assign_leagues(rows, leagues)
        for one in rows:
            if "league" in one:
                expected[one["league"] - 1, one["unit"]] += 1
    assert leagues_entered(of, passed, leagues).tolist() == expected.tolist()


def test_a_shared_first_place_is_shared_out() -> None:
    """Of units 0, 1, 2 of one group two are first in the first draw, each half; unit 3 is alone in
    its group, and first unless it has no score; unit 4 is in no group.
    """
    scores = np.array([[9, 9, 1, 0, 99], [2, 3, 1, _NO_SCORE, 99]], dtype=np.int32)
    group = np.array([7, 7, 7, 2, -1])
    assert _first(scores, group).tolist() == [0.5, 1.5, 0, 1, 0]


def test_percentiles_are_ranks_that_were_drawn_rounded_outwards() -> None:
    """Of 20 draws the 5th percentile is the least, the 95th the 19th: 2.5 and 4 here."""
    ranks = np.array([[5]] + [[6]] * 10 + [[7]] * 7 + [[8]] + [[40]], dtype=np.int16)
    low, high = _percentiles(ranks)
    assert (low.tolist(), high.tolist()) == ([2], [4])


def band_by_brute_force(scores: Any) -> tuple[list[int], list[int]]:
    units, draws = scores.shape
    first, last = list(range(units)), list(range(units))
    for upper in range(units):
        for lower in range(upper + 1, units):
            if (scores[upper] > scores[lower]).sum() < 0.9 * draws:
                first[lower] = min(first[lower], upper)
                last[upper] = max(last[upper], lower)
    return first, last


def bands(scores: Any) -> tuple[list[int], list[int]]:
    spans = _percentiles(doubled_mid_ranks(np.ascontiguousarray(scores.T)))
    with ThreadPoolExecutor(2) as pool:
        first, last = _band(scores, spans, pool)
    return first.tolist(), last.tolist()


def test_a_band_reaches_to_the_farthest_that_cannot_be_told_apart() -> None:
    """Ten draws. The first beats the second in 9 and is told apart; the second beats the third in
    8 and is not.
    """
    scores = np.array([[50] * 9 + [1], [40] * 10, [30] * 8 + [45] * 2, [5] * 10], dtype=np.int32)
    assert bands(scores) == ([0, 1, 1, 3], [0, 2, 2, 3])


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 14), st.sampled_from([10, 19, 20, 57, 200]))
def test_passing_over_disjoint_intervals_changes_no_band(seed: int, units: int, draws: int) -> None:
    rng = np.random.default_rng(seed)
    level = rng.permutation(units)[:, None] * rng.integers(0, 6)  # the order need not be right
    scores = (level + rng.normal(0, 4, (units, draws))).astype(np.int32)
    assert bands(scores) == band_by_brute_force(scores)


# ---- whole rounds ----


def tables_of(done: Round) -> dict[str, pl.DataFrame]:
    return {name: done.table(name) for name in DRAWN_FROM}


def test_the_same_on_any_number_of_threads_and_in_any_order_of_rows() -> None:
    tables = tables_by_hand(TEN)
    shuffled = {
        name: table.sample(fraction=1, shuffle=True, seed=3) for name, table in tables.items()
    }
    one = uncertainty_of(tables, methodology(), draws=1_000, threads=1)
    for threads, of in ((2, tables), (5, tables), (2, shuffled)):
        again = uncertainty_of(of, methodology(), draws=1_000, threads=threads)
        assert again.intervals.equals(one.intervals)
        assert again.chances.equals(one.chances)


def test_another_seed_draws_otherwise_and_nearly_the_same() -> None:
    tables = tables_by_hand(TEN)
    one, other = (uncertainty_of(tables, methodology(), draws=4_000, seed=s) for s in (1, 2))
    assert not one.chances.equals(other.chances)
    difference = (one.chances["chance"] - other.chances["chance"]).cast(pl.Float64).abs()
    assert difference.max() < 0.1


def test_draws_that_fill_no_whole_block_are_all_drawn() -> None:
    """201 draws are a block of 200, fifty of them new cohorts, and one of one."""
    found = draw(TEN, draws=201)
    fifty_one = found.chances.filter(pl.col("of") == "gate")["chance"].cast(pl.Float64) * 51
    assert (fifty_one - fifty_one.round()).abs().max() < 1e-4


def test_better_colleges_have_better_intervals() -> None:
    found = draw(TEN, draws=4_000)
    by_rank = [interval(found, f"C{place}") for place in reversed(range(10))]
    lows, highs = ([one[name] for one in by_rank] for name in ("rank_low", "rank_high"))
    assert lows == sorted(lows)
    assert highs == sorted(highs)
    assert all(one["rank_low"] <= one["rank_high"] for one in by_rank)
    assert all(
        one["band_low"] <= place + 1 <= one["band_high"] for place, one in enumerate(by_rank)
    )
    assert by_rank[-1]["ahead_of_next"] is None
    assert all(one["ahead_of_next"] > 0.5 for one in by_rank[:-1])


def test_what_may_happen_adds_up() -> None:
    """Three leagues of which the first takes three: nobody is in two, and three or more are in it
    (those who share its edge all are); one college is first.
    """
    leagues = [{"league": 1, "max_count": 3}, {"league": 2, "max_rank": 8}, {"league": 3}]
    found = uncertainty_of(tables_by_hand(TEN), methodology(SHIPPED, leagues), draws=2_000)
    sums = found.chances.with_columns(pl.col("chance").cast(pl.Float64))
    of_unit = sums.filter(pl.col("of") == "league").group_by("college_id").agg(pl.sum("chance"))
    assert of_unit["chance"].to_list() == pytest.approx([1.0] * 10, abs=1e-5)
    first = sums.filter(pl.col("of") == "league", pl.col("item") == "1")["chance"].sum()
    assert 3 - 1e-5 <= first < 3.2
    for item in ("nation", "cluster", "cluster_in_region"):
        here = sums.filter(pl.col("of") == "first", pl.col("item") == item)["chance"].sum()
        assert here == pytest.approx(1, abs=1e-4)


def test_a_first_place_of_a_cluster_is_for_those_who_have_one() -> None:
    clusters = {"C9": "agro", "C8": None}
    found = draw(TEN, cluster=clusters)
    assert chance(found, "C9", "first", "cluster") == 1
    here = found.chances.filter(pl.col("college_id") == "C8", pl.col("of") == "first")
    assert here["item"].to_list() == ["nation"]


def test_a_kpi_of_weight_0_changes_nothing() -> None:
    with_it = {**SHIPPED, CERTIFIED: Asked("0"), WORK: Asked("0.8", gate="0.7")}
    without = {code: one for code, one in with_it.items() if code != CERTIFIED}
    plain = {
        name: {k: n for k, n in of.items() if "certified" not in k} for name, of in TEN.items()
    }
    one, other = draw(TEN, with_it), draw(TEN, without)
    assert one.intervals.equals(other.intervals)
    assert one.chances.equals(other.chances)
    assert not draw(plain, without).chances.equals(other.chances)


def test_what_is_not_drawn_stays_as_counted() -> None:
    """C0 has no dual student, of whom the others have half; nothing else counts: no draw, and so
    no interval, only the order that was counted.
    """
    rules = {"dual_share": Asked("1", gate="0.2")}
    found = draw(TEN, rules, dual_share={"C0": (0, 2)})
    assert found.intervals.is_empty()
    assert found.chances.is_empty()
    assert dict(found.intervals.schema) == INTERVAL_SCHEMA
    assert dict(found.chances.schema) == CHANCE_SCHEMA


def test_a_counted_gate_is_passed_by_every_new_cohort_or_by_none() -> None:
    rules = {WORK: Asked("1"), "dual_share": Asked(None, gate="0.2")}
    found = draw(TEN, rules, dual_share={"C0": (0, 2)})
    assert chance(found, "C0", "gate", "dual_share") == 0
    assert chance(found, "C1", "gate", "dual_share") == 1


def test_a_unit_that_is_not_ranked_has_chances_of_gates_only() -> None:
    found = draw(TEN, status={"C4": "closed"}, students={"C5": 3})
    assert set(found.intervals["college_id"]) == set(TEN) - {"C4", "C5"}
    of = set(found.chances.filter(pl.col("college_id") == "C4")["of"])
    assert of == {"gate", "all_gates"}


def test_a_round_in_which_nobody_is_ranked() -> None:
    found = draw(TEN, status=dict.fromkeys(TEN, "closed"))
    assert found.intervals.is_empty()
    assert set(found.chances["of"]) == {"gate", "all_gates"}


def test_a_round_of_one_college() -> None:
    found = draw({"ONE": works(8, 10)})
    assert interval(found, "ONE") | {"league_chance": 0, "college_id": ""} == {
        "college_id": "",
        "rank_low": 1,
        "rank_high": 1,
        "ahead_of_next": None,
        "band_low": 1,
        "band_high": 1,
        "league_chance": 0,
    }


def test_a_round_without_graduates_draws_nothing() -> None:
    found = draw({"A": {}, "B": {}})
    assert found.intervals.is_empty()
    assert found.chances.is_empty()


def test_the_ranking_gets_its_intervals_before_the_reason() -> None:
    tables = tables_by_hand(TEN, status={"C4": "closed"})
    found = uncertainty_of(tables, methodology(), draws=200)
    joined = with_intervals(tables["ranking"], found.intervals)
    assert joined["college_id"].equals(tables["ranking"]["college_id"])
    own = [name for name in INTERVAL_SCHEMA if name != "college_id"]
    place = joined.columns.index("rank_low")
    assert joined.columns[place : place + len(own)] == own
    assert joined.columns[place + len(own)] == "not_ranked_reason"
    closed = joined.filter(pl.col("college_id") == "C4").select(own)
    assert closed.null_count().row(0) == (1,) * len(own)


def test_the_worked_colleges_have_intervals_that_the_round_keeps(example_round: Round) -> None:
    ranking = example_round.table("ranking")
    ranked = ranking.filter(pl.col("rank").is_not_null())
    assert ranked["rank_low"].null_count() == 0
    assert (ranked["rank_low"] <= ranked["rank_high"]).all()
    assert (ranked["band_low"] <= ranked["rank"]).all()
    assert (ranked["rank"] <= ranked["band_high"]).all()
    again = uncertainty_of(tables_of(example_round), example_round.methodology)
    assert again.chances.equals(example_round.table("chances"))
