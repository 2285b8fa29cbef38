"""What chance alone would do to another cohort of the same size: rank intervals and chances.

Only outcome shares are drawn: who graduates and finds work in a year is partly chance. Register
shares, flags, ratios and points are counted, and stay at their counted value.

A graduate is of one kind: what each drawn KPI counts of them. The kinds of a college's graduates
are drawn together, because they are the same people. They are told apart one question after the
other (excluded or not; of the others, in work or not; of those, in their specialty or not; ...),
which makes a binary tree whose leaves are the kinds. For each question the colleges' shares come
from a beta distribution, fitted to all colleges (beta-binomial, maximum likelihood); a college's
own counts make it the posterior from which its share is drawn. This is a Dirichlet-tree prior
(Dennis, Communications in Statistics A 20, 1991; Minka, The Dirichlet-tree distribution, 1999),
the Dirichlet-multinomial with a concentration for each question instead of one for all. Shares
drawn from each college's counts alone would count the noise twice: once in the count, once in the
draw.

Two things are asked of a draw. Ranks, and who is ahead of whom, by the drawn shares: how well do
these counts tell where a college stands. Gates, leagues and first places by a *new cohort of the
same size* drawn from these shares (predictive): what would next year's people do. Neither is a
doubt about an entitlement that the counts have decided.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from kpi.index import indicator_codes, published, score_array
from kpi.methodology import Gate, League, Methodology
from kpi.pipeline import Select, count_kpis
from kpi.ranking import INTERVALS, framework_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DRAWS = 10_000
SEED = 772
BLOCK = 200
"""Draws that are made together; each block has its own child of the seed sequence."""

COHORT_EVERY = 4
"""One draw of so many also draws a new cohort: people cost three times what shares do, and 2,500
new cohorts tell a chance to one point in a hundred (standard error).
"""

LEVEL = Decimal("0.90")
"""Of a rank interval (5th to 95th percentile), and for telling two colleges apart."""

DRAWN_FROM = ("unit_profile", "kpi_values", "gates", "ranking", "cohort_cells", "cell_kpis")
"""The tables that draws are made from."""

CHANCE_SCHEMA: dict[str, Any] = {
    "college_id": pl.String,
    "of": pl.String,
    "item": pl.String,
    "chance": pl.Decimal(9, 6),
}

# ------------------------------------------------------------------- what a graduate counts for


def cell_kpis(
    con: duckdb.DuckDBPyConnection, selects: Iterable[Select], methodology: Methodology
) -> pl.DataFrame:
    """Return what one graduate of each kind of ``cohort_cells`` counts for in each outcome share.

    The KPI's own SELECT is run over a ``cohort`` in which each kind is a unit of its own with one
    graduate, so no definition is written twice. One row per kind and KPI: the flags, kpi,
    numerator, denominator. A KPI that reads more of a graduate than these flags is left out.
    """
    outcomes = {kpi.code for kpi in methodology.kpis if kpi.kind == "outcome_share"}
    drawable = [s for s in selects if s.table in outcomes and s.reads == {"cohort"}]
    con.execute("CREATE SCHEMA cell")
    con.execute(
        "CREATE TABLE cell.cohort AS SELECT CAST(row_number() OVER () AS VARCHAR)"
        " AS unit_id, * FROM (SELECT DISTINCT COLUMNS(* EXCLUDE (college_id, graduates))"
        " FROM cohort_cells)"
    )
    con.execute("SET search_path = 'cell,main'")
    try:
        count_kpis(con, [select for select in drawable if _fits(con, select)])
        rows: pl.DataFrame = con.sql(
            "SELECT cohort.* EXCLUDE (unit_id), kpi, numerator, denominator"
            " FROM cohort INNER JOIN kpi_counts ON kpi_counts.college_id = cohort.unit_id"
            " ORDER BY ALL"
        ).pl()
    finally:
        con.execute("SET search_path = 'main'")
        con.execute("DROP SCHEMA cell CASCADE")
    return rows


def _fits(con: duckdb.DuckDBPyConnection, select: Select) -> bool:
    """Whether a SELECT needs no more of a graduate than the flags of a kind."""
    try:
        con.execute(f"EXPLAIN {select.text}").fetchall()
    except duckdb.BinderException:
        return False
    return True


@dataclass(frozen=True)
class Kinds:
    """The kinds of graduates, and what each counts for.

    ``kpis``: the drawn KPIs; ``numerator`` and ``denominator``: shape (kinds, kpis), of one
    graduate; ``graduates``: shape (units, kinds).
    """

    kpis: list[str]
    numerator: Ints
    denominator: Ints
    graduates: Ints


def kinds_of(
    cells: pl.DataFrame, members: pl.DataFrame, kpis: Sequence[str], college_ids: Sequence[str]
) -> Kinds:
    """Return the kinds that differ in what they count for, and each unit's graduates of each.

    ``cells``: ``cohort_cells``; ``members``: ``cell_kpis``; of ``kpis``, those that it has.
    """
    drawn = [kpi for kpi in kpis if kpi in set(members["kpi"])]
    flags = [name for name in cells.columns if name not in ("college_id", "graduates")]
    wide = members.filter(pl.col("kpi").is_in(drawn)).pivot(
        "kpi", on_columns=drawn, index=flags, values=["numerator", "denominator"]
    )
    facts = [f"{part}_{kpi}" for kpi in drawn for part in ("denominator", "numerator")]
    if not drawn or wide.is_empty() or cells.is_empty():
        nothing = np.zeros((0, 0), dtype=np.int64)
        return Kinds([], nothing, nothing, np.zeros((len(college_ids), 0), dtype=np.int64))
    wide = wide.with_columns(pl.col(facts).fill_null(0).cast(pl.Int64))
    joined = cells.join(wide, on=flags, how="left").group_by("college_id", *facts)
    sums = joined.agg(pl.col("graduates").sum())
    kinds = sums.select(facts).unique().sort(facts).with_row_index("kind")
    places = pl.DataFrame({"college_id": list(college_ids)}).with_row_index("unit")
    found = sums.join(kinds, on=facts).join(places, on="college_id")
    graduates = np.zeros((len(college_ids), kinds.height), dtype=np.int64)
    graduates[found["unit"].to_numpy(), found["kind"].to_numpy()] = found["graduates"].to_numpy()
    parts = {
        part: kinds.select(f"{part}_{kpi}" for kpi in drawn).to_numpy().astype(np.int64)
        for part in ("numerator", "denominator")
    }
    return Kinds(drawn, parts["numerator"], parts["denominator"], graduates)


# ------------------------------------------------------------------------------------ the prior


@dataclass(frozen=True)
class Question:
    """One question of the tree: ``yes`` and ``no`` are the kinds (their places) that it parts."""

    yes: list[int]
    no: list[int]


def questions_of(kinds: Kinds) -> list[Question]:
    """Return the questions that tell the kinds apart, each after the one that it hangs on.

    Asked in the order of the KPIs: is a graduate in the denominator, then in the numerator.
    """
    facts = np.concatenate(
        [
            np.stack([kinds.denominator[:, place], kinds.numerator[:, place]], axis=1)
            for place in range(len(kinds.kpis))
        ],
        axis=1,
    )
    found: list[Question] = []
    waiting = [list(range(len(facts)))]
    while waiting:
        places = waiting.pop(0)
        if len(places) < 2:
            continue
        of_these = facts[places]
        differs = (of_these != of_these[0]).any(axis=0)
        column = of_these[:, int(np.argmax(differs))]
        most = column.max()
        yes = [place for place, value in zip(places, column, strict=True) if value == most]
        no = [place for place, value in zip(places, column, strict=True) if value != most]
        found.append(Question(yes, no))
        waiting += [yes, no]
    return found


LEAST_PRIOR = 1e-3
"""Least a + b, the number of graduates that the prior weighs as much as. Colleges that are all or
nothing would fit best with none.
"""


def fit_beta(successes: Ints, trials: Ints, weights: Floats | None = None) -> tuple[float, float]:
    """Return a and b of the beta distribution under which these counts are likeliest.

    ``weights``: how often each count is to count, 1 each where none are given.

    The beta-binomial's log-likelihood is a sum of log(a + j), log(b + j), log(a + b + j) over whole
    j, so its derivatives are sums of fractions (Minka, Estimating a Dirichlet distribution, 2000).
    Newton's method on (log a, log b), each step halved until the likelihood grows.

    a + b stays between LEAST_PRIOR and the number of trials: a prior weighs no more than the people
    whom it is learnt from. So colleges that differ no more than chance has it (one college, too)
    have the rate of all, as sure as all of them together make it. Where nobody or everybody
    succeeded, a or b is next to 0; where nobody was tried, they are equal.
    """
    used = trials > 0
    k, n = successes[used], trials[used]
    often = None if weights is None else weights[used]
    tops = [_more_than(counts, often) for counts in (k, n - k, n)]
    tried = tops[2].sum()
    rate = (tops[0].sum() + 0.5) / (tried + 1)
    most = max(float(tried), 1.0)
    at = _bounded(np.log([rate * 10, (1 - rate) * 10]), most)
    value, gradient, hessian = _likelihood(at, tops)
    for _ in range(200):
        step = _ascent(gradient, hessian)
        if _leads_out(at, step, most):
            step = _ascent_of_mean(at, gradient, hessian)
        trial = _bounded(at + step, most)
        new = _likelihood(trial, tops)
        while new[0] <= value and np.abs(trial - at).max() > NO_MATTER:
            step = step / 2
            trial = _bounded(at + step, most)
            new = _likelihood(trial, tops)
        moved = np.abs(trial - at).max()
        at, (value, gradient, hessian) = trial, new
        if moved < NO_MATTER**2:
            break
    a, b = np.exp(at)
    return float(a), float(b)


NO_MATTER = 1e-6
"""Steps so small change the likelihood by less than it is told apart by; Newton's is then right."""


def _more_than(counts: Ints, weights: Floats | None) -> Floats | Ints:
    """Return of how many colleges the count is greater than 0, 1, 2, ..."""
    return np.asarray(np.bincount(counts, weights, minlength=1)[::-1].cumsum()[::-1][1:])


def _likelihood(at: Floats, tops: Sequence[Floats | Ints]) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood at (log a, log b), its gradient and second derivatives."""
    a, b = np.exp(at)
    terms = [s + np.arange(len(top)) for top, s in zip(tops, (a, b, a + b), strict=True)]
    parts = list(zip(tops, terms, strict=True))
    logs = [float((top * np.log(term)).sum()) for top, term in parts]
    first = [float((top / term).sum()) for top, term in parts]
    second = [-float((top / term**2).sum()) for top, term in parts]
    value = logs[0] + logs[1] - logs[2]
    slope = np.array([first[0] - first[2], first[1] - first[2]])
    bend = np.diag(second[:2]) - second[2]
    scale = np.array([a, b])
    return value, slope * scale, bend * np.outer(scale, scale) + np.diag(slope * scale)


def _ascent(gradient: Floats, hessian: Floats) -> Floats:
    """Return Newton's step, or the gradient's where Newton's would lead down; none too long."""
    try:
        step = -np.linalg.solve(hessian, gradient)
    except np.linalg.LinAlgError:
        step = gradient
    if step @ gradient <= 0:
        step = gradient
    return np.asarray(step / max(1.0, float(np.abs(step).max()) / 2))


def _leads_out(at: Floats, step: Floats, most: float) -> bool:
    """Whether a + b is at one of its bounds, and the step would lead over it."""
    total, grows = float(np.exp(at).sum()), float(np.exp(at) @ step)
    return (grows > 0 and total > most * (1 - 1e-9)) or (
        grows < 0 and total < LEAST_PRIOR * (1 + 1e-9)
    )


def _ascent_of_mean(at: Floats, gradient: Floats, hessian: Floats) -> Floats:
    """Return Newton's step of the logit of the mean, with a + b held."""
    mean, rest = np.exp(at) / np.exp(at).sum()
    along = np.array([rest, -mean])
    bend = along @ hessian @ along - mean * rest * gradient.sum()
    step = along * (along @ gradient) / max(abs(float(bend)), 1e-12)
    return np.asarray(step / max(1.0, float(np.abs(step).max()) / 2))


def _bounded(at: Floats, most: float) -> Floats:
    """Return log a and log b, moved along the same mean to where a + b is within its bounds; and
    neither so low that it would come out as 0.
    """
    at = np.maximum(at, np.log(LEAST_PRIOR**6))
    total = float(np.exp(at).sum())
    return np.asarray(at + np.log(min(max(total, LEAST_PRIOR), most) / total))


# ------------------------------------------------------------------------------------ the draws


@dataclass(frozen=True)
class _Drawn:
    """A KPI that is drawn: what a graduate of each kind counts for, and what chance leaves alone.

    ``rest_*``: counts that are not this cohort's (earlier cohorts of a pooled KPI), shape (units,);
    ``rest_posterior``: a and b of their share, None where there are none. ``is_there``: whether its
    status is ok as counted; ``applies``: whether it is one of the unit's KPIs.
    """

    numerator: Ints
    denominator: Ints
    rest_numerator: Floats
    rest_denominator: Floats
    rest_posterior: tuple[Floats, Floats] | None
    is_there: Bools
    applies: Bools
    least: int


@dataclass(frozen=True)
class _Judged:
    """A gate: as counted, and where its KPI is drawn what it is drawn with."""

    gate: Gate
    passed: Bools
    drawn: _Drawn | None


@dataclass(frozen=True)
class _Model:
    """Everything that a block of draws needs. Units stand in the order of their ranks, those that
    are not ranked last; ``ranked`` of them are.
    """

    college_ids: list[str]
    ranked: int
    cohort: Ints
    questions: list[Question]
    posteriors: list[tuple[Floats, Floats]]
    kinds: int
    framework: pl.DataFrame
    values: Floats
    drawn: dict[int, _Drawn]
    gates: list[_Judged]
    leagues: list[League]
    groups: dict[str, Ints]


@dataclass
class _Block:
    """What a block of draws came to: scores by the drawn shares, and counts of new cohorts."""

    scores: npt.NDArray[np.int32]
    ranks: npt.NDArray[np.int16] | npt.NDArray[np.int32]
    cohorts: int
    gates: Ints
    all_gates: Ints
    leagues: Ints
    first: dict[str, Floats]


def _draw_block(model: _Model, draws: int, seed: np.random.SeedSequence) -> _Block:
    rng = np.random.Generator(np.random.PCG64(seed))
    shape = (draws, len(model.college_ids))
    new = -(-draws // COHORT_EVERY)
    shares: dict[tuple[int, ...], Any] = {}
    counts: dict[tuple[int, ...], Any] = {}
    everyone = tuple(range(model.kinds))
    shares[everyone] = np.broadcast_to(model.cohort.astype(float), shape)
    counts[everyone] = np.broadcast_to(model.cohort, (new, shape[1]))
    for question, (a, b) in zip(model.questions, model.posteriors, strict=True):
        yes, no = tuple(question.yes), tuple(question.no)
        whole = tuple(sorted(yes + no))
        share = rng.beta(a, b, size=shape)
        people, of = counts.pop(whole), shares.pop(whole)
        shares[yes] = of * share
        shares[no] = of - shares[yes]
        counts[yes] = rng.binomial(people, share[:new])
        counts[no] = people - counts[yes]
    expected = [shares.pop((kind,)) for kind in everyone]
    scores = _scores(_with_rest_drawn(model, shape, rng), expected, predictive=False)
    cohorts = [counts[kind,] for kind in everyone]
    passed = [_passed(judged, cohorts) for judged in model.gates]
    return _block_of(model, scores, _scores(model, cohorts, predictive=True), passed)


def _with_rest_drawn(model: _Model, shape: tuple[int, ...], rng: np.random.Generator) -> _Model:
    """Return the model with the shares of earlier cohorts drawn too; a new cohort leaves them as
    they were counted.
    """
    drawn = {
        place: one
        if one.rest_posterior is None
        else replace(
            one, rest_numerator=one.rest_denominator * rng.beta(*one.rest_posterior, size=shape)
        )
        for place, one in model.drawn.items()
    }
    return replace(model, drawn=drawn)


def _sums(drawn: _Drawn, of_kinds: Sequence[Any]) -> tuple[Floats, Floats]:
    """Return a KPI's numerator and denominator, shape (draws, units)."""
    return (
        _weighted(drawn.numerator, of_kinds) + drawn.rest_numerator,
        _weighted(drawn.denominator, of_kinds) + drawn.rest_denominator,
    )


def _weighted(weights: Ints, of_kinds: Sequence[Floats]) -> Any:
    parts = [
        kind if weight == 1 else weight * kind
        for weight, kind in zip(weights, of_kinds, strict=True)
        if weight
    ]
    return sum(parts[1:], start=parts[0]) if parts else np.zeros_like(of_kinds[0])


def _scores(
    model: _Model, of_kinds: Sequence[Floats], *, predictive: bool
) -> npt.NDArray[np.int32]:
    """Return the published scores (hundredths) of the ranked units; _NO_SCORE for none.

    By drawn shares a KPI is there where it was there as counted; in a new cohort, where that is
    large enough.
    """
    ranked = slice(model.ranked)
    shape = (len(model.values), len(of_kinds[0]), model.ranked)
    values = np.empty(shape)
    for place, counted in enumerate(model.values):
        drawn = model.drawn.get(place)
        if drawn is None:
            values[place] = counted[ranked]
            continue
        numerator, denominator = (part[:, ranked] for part in _sums(drawn, of_kinds))
        is_there = (
            drawn.applies[ranked] & (denominator >= drawn.least)
            if predictive
            else drawn.is_there[ranked]
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            values[place] = np.where(is_there, numerator / denominator, np.nan)
    index = score_array(np.moveaxis(values, 0, -1), model.framework).index
    unscored = np.isnan(index)
    found = published(np.where(unscored, 0, index)).astype(np.int32)
    found[unscored] = _NO_SCORE
    return found


_NO_SCORE = -(2**31) + 1
"""Below every score in hundredths."""


def _passed(judged: _Judged, new: Sequence[Ints]) -> Bools:
    """Return whether a gate is passed by a new cohort, shape (draws, units): as sql/3_profile/
    gates.sql compares, exactly.
    """
    if judged.drawn is None:
        return np.broadcast_to(judged.passed, new[0].shape)
    numerator, denominator = _sums(judged.drawn, new)
    places = 1_000_000
    passed = numerator * places >= int(judged.gate.threshold * places) * denominator
    if judged.gate.on_small_cohort != "judge":
        small = denominator < judged.drawn.least
        passed = np.where(small, judged.gate.on_small_cohort == "pass", passed)
    has_none = ~judged.drawn.applies | (denominator == 0)
    return np.where(has_none, judged.gate.on_no_data == "pass", passed)


def _block_of(
    model: _Model,
    scores: npt.NDArray[np.int32],
    new_scores: npt.NDArray[np.int32],
    passed: list[Bools],
) -> _Block:
    everything = np.logical_and.reduce(passed) if passed else np.ones_like(new_scores, dtype=bool)
    of_ranked = {
        judged.gate.kpi: gate[:, : model.ranked]
        for judged, gate in zip(model.gates, passed, strict=True)
    }
    return _Block(
        scores=scores,
        ranks=doubled_mid_ranks(scores),
        cohorts=len(new_scores),
        gates=np.array([gate.sum(axis=0) for gate in passed]),
        all_gates=everything.sum(axis=0),
        leagues=leagues_entered(new_scores, of_ranked, model.leagues),
        first={name: _first(new_scores, group) for name, group in model.groups.items()},
    )


def doubled_mid_ranks(
    scores: npt.NDArray[np.int32],
) -> npt.NDArray[np.int16] | npt.NDArray[np.int32]:
    """Return twice the rank of each score along the last axis, the highest first.

    Equal scores share the mean of the places that they take: of two first ones each has 3, twice
    one and a half. ``scores`` has shape (draws, units).
    """
    order, ordered = _best_first(scores)
    first, last = _runs(ordered)
    ranks = np.empty(scores.shape, dtype=np.int16 if 2 * scores.shape[-1] < 2**15 else np.int32)
    np.put_along_axis(ranks, order, first + last + 2, axis=-1)
    return ranks


def _best_first(scores: npt.NDArray[np.int32]) -> tuple[Ints, npt.NDArray[np.int32]]:
    """Return the order of the scores and the scores in it, the highest first."""
    keys = ~(_short(scores) if _is_short(scores) else scores)  # 16 bits are sorted much faster
    order = np.argsort(keys, axis=-1, kind="stable")
    return order, np.take_along_axis(scores, order, axis=-1)


def _is_short(scores: npt.NDArray[np.int32]) -> bool:
    """Whether scores are numbers of 16 bits, with one below them for none."""
    most = scores.max(initial=0)
    least = scores.min(initial=0, where=scores != _NO_SCORE)
    return bool(most < 2**15 and least > -(2**15))


def _short(scores: npt.NDArray[np.int32]) -> npt.NDArray[np.int16]:
    return np.maximum(scores, -(2**15)).astype(np.int16)


def _runs(ordered: npt.NDArray[np.int32]) -> tuple[Any, Any]:
    """Return the first and last place (from 0) of the equal scores that each belongs to."""
    places = np.arange(ordered.shape[-1], dtype=np.int32)
    is_new = np.ones(ordered.shape, dtype=bool)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(is_new, places, 0), axis=-1)
    is_end = np.ones(ordered.shape, dtype=bool)
    is_end[:, :-1] = is_new[:, 1:]
    ends = np.where(is_end, places, np.int32(ordered.shape[-1]))
    last = np.minimum.accumulate(ends[:, ::-1], axis=-1)[:, ::-1]
    return first, last


def leagues_entered(
    scores: npt.NDArray[np.int32], passed: dict[str, Bools], leagues: Sequence[League]
) -> Ints:
    """Return in how many draws each unit enters each league, shape (leagues, units).

    As ``kpi.ranking.assign_leagues`` takes them, by score alone: units of one score share a place,
    the tie chain is not drawn. ``scores`` has shape (draws, units); a unit without a score in a
    draw enters no league.
    """
    order, ordered = _best_first(scores)
    first, last = _runs(ordered)
    free = ordered != _NO_SCORE
    counts = np.zeros((len(leagues), scores.shape[-1]), dtype=np.int64)
    for place, league in enumerate(leagues):
        entitled = free
        for gate in league.gates:
            entitled = entitled & np.take_along_axis(passed[gate], order, axis=-1)
        inside = entitled
        if league.max_rank is not None:
            edge = first if league.tie_at_edge == "include" else last
            inside = entitled & (edge < league.max_rank)
        elif league.max_count is not None:
            inside = entitled & _among_first(entitled, first, last, league)
        free = free & ~inside
        entered = np.zeros(scores.shape, dtype=bool)
        np.put_along_axis(entered, order, inside, axis=-1)
        counts[place] = entered.sum(axis=0)
    return counts


def _among_first(entitled: Bools, first: Any, last: Any, league: League) -> Bools:
    """Return who is among the first ``max_count`` of those entitled; those that share the edge all
    are or none of them is, as the league says.
    """
    assert league.max_count is not None
    taken = np.cumsum(entitled, axis=-1, dtype=np.int32)
    if league.tie_at_edge == "include":
        before = np.where(first > 0, np.take_along_axis(taken, np.maximum(first - 1, 0), -1), 0)
        return np.asarray(before < league.max_count)
    return np.asarray(np.take_along_axis(taken, last, axis=-1) <= league.max_count)


def _first(scores: npt.NDArray[np.int32], group: Ints) -> Floats:
    """Return in how many draws each unit is first of its group; those that share it, each a part.

    ``group`` is a number per unit, -1 for none.
    """
    order = np.argsort(group, kind="stable")
    _, starts = np.unique(group[order], return_index=True)
    sizes = np.diff([*starts, len(group)])
    ordered = scores[:, order]
    best = np.repeat(np.maximum.reduceat(ordered, starts, axis=1), sizes, axis=1)
    is_best = (ordered == best) & (ordered != _NO_SCORE)
    sharing = np.repeat(np.add.reduceat(is_best, starts, axis=1, dtype=np.int32), sizes, axis=1)
    share = np.zeros(scores.shape[-1])
    share[order] = np.where(is_best, 1 / np.maximum(sharing, 1), 0.0).sum(axis=0)
    share[group < 0] = 0
    return share


# ----------------------------------------------------------------------------------- the results


@dataclass(frozen=True)
class Uncertainty:
    """What the draws came to: ``intervals``, one row per ranked unit (college_id and INTERVALS),
    and ``chances``, one row per unit and thing that may happen in a new cohort (CHANCE_SCHEMA).
    """

    intervals: pl.DataFrame
    chances: pl.DataFrame


def uncertainty_of(
    tables: dict[str, pl.DataFrame],
    methodology: Methodology,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    threads: int | None = None,
) -> Uncertainty:
    """Return rank intervals and chances of a round; the same for the same seed on any threads.

    ``tables``: those of DRAWN_FROM. Empty where the methodology takes nothing from a cohort. Of
    ``intervals``: ``rank_low`` and ``rank_high`` are the 5th and 95th percentile of the rank (ties
    take the mean of their places, rounded outwards); ``ahead_of_next`` the share of draws in which
    the unit scores higher than the one next in rank, equal scores counting half; ``band_low`` and
    ``band_high`` the farthest ranks from which it cannot be told apart: the one ranked higher is
    ahead in fewer than 90 % of draws (where the one ranked lower mostly is, their order is not
    borne out either). ``league_chance`` is the chance that a new cohort brings it into the league
    that it is in. ``chances``: ``of`` gate (``item`` its code), all_gates, league (its number),
    first (nation, cluster, or cluster_in_region).
    """
    model = _model_of(tables, methodology)
    if not model.drawn and not any(judged.drawn for judged in model.gates):
        return Uncertainty(
            pl.DataFrame(schema={"college_id": pl.String, **INTERVALS}),
            pl.DataFrame(schema=CHANCE_SCHEMA),
        )
    sizes = [min(BLOCK, draws - start) for start in range(0, draws, BLOCK)]
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        blocks = list(pool.map(lambda size, child: _draw_block(model, size, child), sizes, seeds))
        spans = _percentiles(np.concatenate([block.ranks for block in blocks]))
        scores = _by_unit(blocks)
        chances = _chances(model, blocks)
        del blocks
        told_apart = _band(scores, spans, pool)
    return Uncertainty(_intervals(model, scores, spans, told_apart, chances, tables), chances)


def _by_unit(blocks: list[_Block]) -> npt.NDArray[Any]:
    """Return the scores of all draws, shape (units, draws), as short numbers where they all are."""
    are_short = all(_is_short(block.scores) for block in blocks)
    parts = (_short(block.scores) if are_short else block.scores for block in blocks)
    return np.concatenate([part.T for part in parts], axis=1)


def with_intervals(ranking: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """Return ``ranking`` with the columns of ``intervals``, before the reason of those not ranked;
    empty where nothing was drawn.
    """
    joined = ranking.join(intervals, on="college_id", how="left", maintain_order="left")
    before = ranking.columns[: ranking.columns.index("not_ranked_reason")]
    return joined.select(*before, *INTERVALS, pl.exclude(*before, *INTERVALS))


def _model_of(tables: dict[str, pl.DataFrame], methodology: Methodology) -> _Model:
    profile = tables["unit_profile"]
    ranks = tables["ranking"].select("college_id", "rank", "league")
    units = profile.join(ranks, on="college_id", how="left").sort(
        "rank", "college_id", nulls_last=True
    )
    ids = units["college_id"].to_list()
    framework = framework_of(methodology)
    codes = indicator_codes(framework)
    weighty = [code for code in codes if _counts_for_anything(framework, code)]
    asked = list(dict.fromkeys([*weighty, *(gate.kpi for gate in methodology.gates)]))
    kinds = kinds_of(tables["cohort_cells"], tables["cell_kpis"], asked, ids)
    facts = _facts(tables["kpi_values"], ids, [*codes, *asked])
    drawn = {kpi: one for kpi in kinds.kpis if (one := _drawn(kinds, kpi, facts[kpi], methodology))}
    gates = [
        _judged(gate, tables["gates"], facts[gate.kpi], kinds, methodology)
        for gate in methodology.gates
    ]
    is_drawn = drawn or any(judged.drawn for judged in gates)
    questions = questions_of(kinds) if is_drawn else []
    return _Model(
        college_ids=ids,
        ranked=units["rank"].count(),
        cohort=kinds.graduates.sum(axis=1),
        questions=questions,
        posteriors=[_posterior(kinds, question) for question in questions],
        kinds=len(kinds.numerator),
        framework=framework,
        values=np.array([_counted(facts[code]) for code in codes]).reshape(len(codes), len(ids)),
        drawn={place: drawn[code] for place, code in enumerate(codes) if code in drawn},
        gates=gates,
        leagues=methodology.leagues,
        groups=_groups(units.head(units["rank"].count())),
    )


def _counts_for_anything(framework: pl.DataFrame, code: str) -> bool:
    """Whether a KPI can move a score, or decide that there is none. What it is asked of graduates
    would else take random numbers from the others: a KPI of weight 0 must change nothing.
    """
    of = {row["code"]: row for row in framework.iter_rows(named=True)}
    if of[code]["missing"] == "not_ranked":
        return True
    while of[code]["parent"] is not None:
        if of[code]["weight"] == 0:
            return False
        code = of[code]["parent"]
    return True


def _facts(
    kpi_values: pl.DataFrame, ids: list[str], kpis: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """Return each KPI's numerator, denominator, value and status, in the order of the units."""
    order = pl.DataFrame({"college_id": ids})
    columns = ("college_id", "numerator", "denominator", "value", "status")
    return {
        kpi: order.join(
            kpi_values.filter(pl.col("kpi") == kpi).select(columns),
            on="college_id",
            how="left",
            maintain_order="left",
        )
        for kpi in kpis
    }


def _counted(facts: pl.DataFrame) -> Floats:
    """Return the values that enter the score, NaN where the status is not ok."""
    return (
        facts.select(pl.when(pl.col("status") == "ok").then("value").cast(pl.Float64))
        .to_series()
        .fill_null(float("nan"))
        .to_numpy()
    )


def _drawn(kinds: Kinds, kpi: str, facts: pl.DataFrame, methodology: Methodology) -> _Drawn | None:
    """Return what a KPI is drawn with; None where its counts hold fewer than its graduates'."""
    [stated] = [one for one in methodology.kpis if one.code == kpi]
    place = kinds.kpis.index(kpi)
    numerator, denominator = kinds.numerator[:, place], kinds.denominator[:, place]
    rest_numerator = _number(facts["numerator"]) - kinds.graduates @ numerator
    rest_denominator = _number(facts["denominator"]) - kinds.graduates @ denominator
    if min(rest_numerator.min(), rest_denominator.min()) < 0:
        return None
    return _Drawn(
        numerator,
        denominator,
        rest_numerator,
        rest_denominator,
        _rest_posterior(rest_numerator, rest_denominator),
        (facts["status"] == "ok").to_numpy(),
        (facts["status"] != "not_applicable").fill_null(False).to_numpy(),
        stated.min_denominator,
    )


def _rest_posterior(numerator: Floats, denominator: Floats) -> tuple[Floats, Floats] | None:
    """Return a and b of each unit's share in its earlier cohorts, which are people as well: held at
    their counted value, they would make a pooled rank surer than its counts.
    """
    if not denominator.any():
        return None
    a, b = fit_beta(numerator.astype(np.int64), denominator.astype(np.int64))
    return a + numerator, b + (denominator - numerator)


def _number(counts: pl.Series) -> Floats:
    return counts.fill_null(0).cast(pl.Float64).to_numpy()


def _posterior(kinds: Kinds, question: Question) -> tuple[Floats, Floats]:
    """Return a and b of each unit's share of yes among those asked: the prior's and its counts."""
    yes = kinds.graduates[:, question.yes].sum(axis=1)
    no = kinds.graduates[:, question.no].sum(axis=1)
    a, b = fit_beta(yes, yes + no)
    return a + yes, b + no


def _judged(
    gate: Gate, gates: pl.DataFrame, facts: pl.DataFrame, kinds: Kinds, methodology: Methodology
) -> _Judged:
    """Return what a gate is judged with: its own counts, which may leave out earlier cohorts that
    the score has pooled.
    """
    own = gates.filter(pl.col("gate") == gate.kpi).select(
        "college_id", "numerator", "denominator", "passed"
    )
    counted = facts.select("college_id", "status").join(
        own, on="college_id", how="left", maintain_order="left"
    )
    drawn = _drawn(kinds, gate.kpi, counted, methodology) if gate.kpi in kinds.kpis else None
    return _Judged(gate, counted["passed"].fill_null(False).to_numpy(), drawn)


def _groups(ranked: pl.DataFrame) -> dict[str, Ints]:
    """Return within which units each ranked one may come first; -1 for none."""
    cluster = pl.col("cluster")
    numbers = ranked.select(
        nation=pl.lit(0),
        cluster=pl.when(cluster.is_not_null()).then(cluster.rank("dense")).otherwise(-1),
        cluster_in_region=pl.when(cluster.is_not_null())
        .then(pl.struct("region", "cluster").rank("dense"))
        .otherwise(-1),
    )
    return {name: numbers[name].to_numpy().astype(np.int64) for name in numbers.columns}


def _percentiles(ranks: npt.NDArray[Any]) -> tuple[Ints, Ints]:
    """Return the 5th and 95th percentile of each unit's ranks, rounded outwards to whole places.

    ``ranks``: doubled, shape (draws, units). A percentile is the least rank that so many draws
    reach (the inverse of the empirical distribution).
    """
    tail = 50 * (1 - LEVEL)
    ends = [float(tail), float(100 - tail)]
    low, high = np.percentile(ranks, ends, axis=0, method="inverted_cdf", overwrite_input=True)
    return np.floor(low / 2).astype(np.int64), np.ceil(high / 2).astype(np.int64)


def _band(
    scores: npt.NDArray[Any], spans: tuple[Ints, Ints], pool: ThreadPoolExecutor
) -> tuple[Ints, Ints]:
    """Return for each unit, in the order of the ranks, the first and the last place of those that
    it cannot be told apart from: the one placed higher is ahead in fewer than 90 % of the draws.

    ``scores`` has shape (units, draws). Where the intervals of two ranks lie apart, the one is
    ahead of the other in 90 % at least: 5 % and 5 % are all that could be otherwise.
    """
    units, draws = scores.shape
    enough = float(LEVEL) * draws
    low, high = spans

    def not_apart(place: int) -> Ints:
        near = np.flatnonzero(low[place + 1 :] <= high[place])
        others = scores[place + 1 : place + 2 + near.max(initial=-1)]  # a view: no copy of draws
        ahead = np.count_nonzero(scores[place] > others, axis=1)
        return np.asarray(place + 1 + np.flatnonzero(ahead < enough))

    first, last = np.arange(units), np.arange(units)
    for place, others in enumerate(pool.map(not_apart, range(units))):
        if len(others):
            last[place] = max(last[place], others.max())
            first[others] = np.minimum(first[others], place)
    return first, last


def _chances(model: _Model, blocks: Sequence[_Block]) -> pl.DataFrame:
    parts = []
    draws = _total(block.cohorts for block in blocks)
    everyone, ranked = model.college_ids, model.college_ids[: model.ranked]
    if model.gates:
        gates = _total(block.gates for block in blocks)
        parts += [
            _rows(everyone, "gate", judged.gate.kpi, of, draws)
            for judged, of in zip(model.gates, gates, strict=True)
        ]
        parts.append(
            _rows(everyone, "all_gates", "", _total(block.all_gates for block in blocks), draws)
        )
    leagues = _total(block.leagues for block in blocks)
    for league, of in zip(model.leagues, leagues, strict=True):
        parts.append(_rows(ranked, "league", str(league.league), of, draws))
    for name, group in model.groups.items():
        of = _total(block.first[name] for block in blocks)
        parts.append(_rows(ranked, "first", name, np.where(group < 0, np.nan, of), draws))
    return pl.concat(parts).drop_nulls().sort("college_id", "of", "item")


def _total(counts: Iterable[Any]) -> Any:
    """Add up blocks, in their order: the same sum on any number of threads."""
    return sum(counts)


def _rows(ids: list[str], of: str, item: str, counts: Any, draws: int) -> pl.DataFrame:
    chances = pl.Series(np.asarray(counts, dtype=float) / draws, nan_to_null=True)
    return pl.DataFrame(
        {"college_id": ids, "of": [of] * len(ids), "item": [item] * len(ids), "chance": chances},
        schema_overrides={"college_id": pl.String, "of": pl.String, "item": pl.String},
    ).with_columns(_six(pl.col("chance")))


def _six(chance: pl.Expr) -> pl.Expr:
    return chance.round(6).cast(pl.Decimal(9, 6))


def _intervals(
    model: _Model,
    scores: npt.NDArray[Any],
    spans: tuple[Ints, Ints],
    band: tuple[Ints, Ints],
    chances: pl.DataFrame,
    tables: dict[str, pl.DataFrame],
) -> pl.DataFrame:
    ranking = tables["ranking"].select("college_id", "rank", "league")
    ids = model.college_ids[: model.ranked]
    ahead = (scores[:-1] > scores[1:]).sum(axis=1)
    level = (scores[:-1] == scores[1:]).sum(axis=1)
    of_rank = dict(ranking.select("college_id", "rank").iter_rows())
    placed = np.array([of_rank[unit] for unit in ids], dtype=np.int64)
    low, high = spans
    first, last = band
    of_league = chances.filter(pl.col("of") == "league").select(
        "college_id", pl.col("item").cast(pl.Int64).alias("league"), league_chance="chance"
    )
    found = pl.DataFrame(
        {
            "college_id": ids,
            "rank_low": low,
            "rank_high": high,
            "ahead_of_next": pl.Series(
                [*((ahead + level / 2) / scores.shape[1]), None][: len(ids)]
            ),
            "band_low": placed[first],
            "band_high": placed[last],
        },
        schema_overrides={"college_id": pl.String, "ahead_of_next": pl.Float64},
    )
    joined = found.with_columns(_six(pl.col("ahead_of_next"))).join(
        ranking.select("college_id", "league"), on="college_id"
    )
    joined = joined.join(of_league, on=["college_id", "league"], how="left", maintain_order="left")
    return joined.select("college_id", *INTERVALS).sort("college_id")
