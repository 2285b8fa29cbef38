"""What a ranking rests on beside its data: shifts of rank, noise in weights, shares of variance.

It knows nothing of money. Ranks of many draws at once are computed on arrays, by the same engine
(``kpi.index``) and the same rules as the table ``ranking``; tests hold one against the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from kpi.index import indicator_codes, published, score_array
from kpi.methodology import League, Methodology
from kpi.ranking import framework_of, place_in_order

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Weights = dict[str, Floats]
"""Weights by code of the node, arrays of shape (draws,)."""

NOISE = Decimal("0.25")
"""Each weight is multiplied by 1 + U(-NOISE, NOISE)."""

DRAWS = 1_000
BLOCK = 250
"""Draws made from one seed: a block's are the same whoever makes it, and in whatever order."""

SEED = 20_240_901
TAILS = (5, 95)
"""Percentiles between which a rank is said to lie."""

_LAST = np.iinfo(np.int64).max


# one ranking against another


def shift(nominal: pl.DataFrame, other: pl.DataFrame, methodology: Methodology) -> dict[str, Any]:
    """Return how another ``ranking`` of the same units differs from the nominal one.

    ``ranked``: units with a rank in both, which the rest is about: ``moved`` of them have another
    one, by ``mean_shift`` ranks on average over all of them and ``largest_shift`` at most;
    ``spearman`` correlates the two. ``newly_ranked`` and ``no_longer_ranked``: units with a rank in
    one alone. ``entered_top`` and ``left_top``: units that come into league 1, or the first level
    where there are no leagues, or leave it.
    """
    columns = ("college_id", "rank", "league", "level")
    both = nominal.select(columns).join(other.select(columns), on="college_id", suffix="_other")
    is_top, is_top_other = (top_expression(methodology, suffix) for suffix in ("", "_other"))
    was, now = pl.col("rank").is_not_null(), pl.col("rank_other").is_not_null()
    counted = both.select(
        newly_ranked=(now & ~was).sum(),
        no_longer_ranked=(was & ~now).sum(),
        entered_top=(is_top_other & ~is_top).sum(),
        left_top=(is_top & ~is_top_other).sum(),
    ).row(0, named=True)
    ranked = both.filter(was, now)
    moves = (ranked["rank_other"] - ranked["rank"]).abs()
    return {
        "ranked": ranked.height,
        "moved": int((moves > 0).sum()),
        "mean_shift": moves.sum() / ranked.height if ranked.height else None,
        "largest_shift": moves.max(),
        "spearman": _spearman(ranked),
        **{name: int(count) for name, count in counted.items()},
    }


def _spearman(ranked: pl.DataFrame) -> float | None:
    """Return the rank correlation of ``rank`` and ``rank_other``; None where one has no order."""
    if min(ranked["rank"].n_unique(), ranked["rank_other"].n_unique()) < 2:
        return None
    found: float = ranked.select(pl.corr("rank", "rank_other", method="spearman")).item()
    return found


def top_expression(methodology: Methodology, suffix: str = "") -> pl.Expr:
    """Return the expression that says whether a row of ``ranking`` is at the top: in league 1, or
    at the first level where the methodology has no leagues.
    """
    if methodology.leagues:
        return (pl.col(f"league{suffix}") == 1).fill_null(value=False)
    if methodology.levels:
        return (pl.col(f"level{suffix}") == methodology.levels[0].code).fill_null(value=False)
    return pl.lit(value=False)


# where the variance of the score comes from


def variance_shares(kpi_scores: pl.DataFrame, framework: pl.DataFrame) -> pl.DataFrame:
    """Return how much of the variance of the score each node brings, beside its weight.

    ``kpi_scores``, ``framework``: tables of a round. One row per node below the index, in the
    framework's order: code, parent, level, ``weight`` (its share of the weights that it stands
    beside, times that of the nodes above), ``variance_share`` (covariance of its contribution with
    the index / variance of the index: siblings sum to their parent's) and the ``correlation``.
    Null below a geometric mean, which has no contributions, and where the index does not vary.
    Weights are no importances: Paruolo, Saisana & Saltelli (2013), J. R. Statist. Soc. A 176,
    609-634.
    """
    nodes = framework.filter(pl.col("parent").is_not_null())
    [root] = framework.filter(pl.col("parent").is_null())["code"]
    wide = kpi_scores.pivot(on="code", index="college_id", values="contribution").sort("college_id")
    index = _scores_of(kpi_scores, root)
    rows = [
        {
            **row,
            "weight": weight,
            "variance_share": _share(wide[row["code"]].to_numpy(), index),
            "correlation": _correlation(wide[row["code"]].to_numpy(), index),
        }
        for row, weight in zip(
            nodes.select("code", "parent", "level").iter_rows(named=True),
            _weights_in_index(framework, nodes["code"].to_list()),
            strict=True,
        )
    ]
    schema = {
        "code": pl.String,
        "parent": pl.String,
        "level": pl.Int64,
        "weight": pl.Float64,
        "variance_share": pl.Float64,
        "correlation": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def _scores_of(kpi_scores: pl.DataFrame, code: str) -> Floats:
    of = kpi_scores.filter(pl.col("code") == code).sort("college_id")
    return of["normalised"].to_numpy()


def _weights_in_index(framework: pl.DataFrame, codes: list[str]) -> list[float]:
    """Return each node's weight among its siblings, times that of the nodes above it."""
    nodes = {row["code"]: row for row in framework.iter_rows(named=True)}
    beside: dict[str | None, Decimal] = {}
    for row in nodes.values():
        beside[row["parent"]] = beside.get(row["parent"], Decimal(0)) + row["weight"]

    def weight(code: str) -> Fraction:
        row = nodes[code]
        if row["parent"] is None:
            return Fraction(1)
        whole = Fraction(beside[row["parent"]])
        own = Fraction(row["weight"]) / whole if whole else Fraction(0)
        return own * weight(row["parent"])

    return [float(weight(code)) for code in codes]


def _share(part: Floats, index: Floats) -> float | None:
    if index.size < 2 or np.isnan(part).any() or np.ptp(index) == 0:
        return None
    deviations = index - index.mean()
    return float((part * deviations).sum() / (deviations**2).sum())


def _correlation(part: Floats, index: Floats) -> float | None:
    if _share(part, index) is None or np.ptp(part) == 0:
        return None
    return float(np.corrcoef(part, index)[0, 1])


# many rankings at once


@dataclass(frozen=True)
class Facts:
    """What every ranking of the same counts is made from, arrays over all units by id.

    ``values``: by KPI, NaN unless its status is ok; ``is_open``: active and with students enough;
    ``chain``: place in the order of the tie chain, the same where it cannot tell two apart;
    ``passed``: by gate, whether the unit passes.
    """

    college_ids: list[str]
    values: dict[str, Floats]
    is_open: Bools
    chain: Ints
    passed: dict[str, Bools]


@dataclass(frozen=True)
class Places:
    """Ranks of every draw, arrays of shape (draws, units).

    ``rank``: standard competition rank, 0 where not ranked; ``through``: the last rank that units
    of the same rank take up; ``hundredths``: the score; ``order``: the units' places from the first
    to the last, those not ranked at the end.
    """

    rank: Ints
    through: Ints
    hundredths: Ints
    order: Ints


def facts_of(
    units: pl.DataFrame, kpi_values: pl.DataFrame, gates: pl.DataFrame, methodology: Methodology
) -> Facts:
    """Return the facts of the tables ``unit_profile``, ``kpi_values`` and ``gates``."""
    units = units.sort("college_id")
    college_ids = units["college_id"].to_list()
    scored = [kpi.code for kpi in methodology.kpis if kpi.score]
    is_open = (units["status"] == "active") & (units["students"] >= methodology.min_students.value)
    return Facts(
        college_ids,
        {code: _values(units, kpi_values, code) for code in scored},
        is_open.to_numpy(),
        _chain(college_ids, kpi_values, methodology),
        {gate.kpi: _passed(units, gates, gate.kpi) for gate in methodology.gates},
    )


def _values(units: pl.DataFrame, kpi_values: pl.DataFrame, code: str) -> Floats:
    """Return a KPI's value of each unit that enters the score: NaN unless the status is ok."""
    is_ok = (pl.col("kpi") == code) & (pl.col("status") == "ok")
    known = kpi_values.filter(is_ok).select("college_id", "value")
    joined = units.select("college_id").join(known, on="college_id", how="left").sort("college_id")
    values = joined["value"].cast(pl.Float64).fill_null(float("nan"))
    return np.array(values, dtype=np.float64)


def _passed(units: pl.DataFrame, gates: pl.DataFrame, gate: str) -> Bools:
    passing = gates.filter(pl.col("gate") == gate, pl.col("passed"))["college_id"]
    return units["college_id"].is_in(passing.to_list()).to_numpy()


def _chain(college_ids: list[str], kpi_values: pl.DataFrame, methodology: Methodology) -> Ints:
    """Return each unit's place in the order of the tie chain: its rank if all scores were one."""
    chain = methodology.tie_chain.value
    stated = {kpi.code: kpi for kpi in methodology.kpis}
    needed = kpi_values.filter(pl.col("kpi").is_in(chain))
    facts = {
        (row["college_id"], row["kpi"]): row | {"stated": stated[row["kpi"]]}
        for row in needed.iter_rows(named=True)
    }
    rows: list[dict[str, Any]] = [{"college_id": one, "score": 0} for one in college_ids]
    ranks = {row["college_id"]: row["rank"] for row in place_in_order(rows, facts, chain)}
    return np.array([ranks[one] for one in college_ids], dtype=np.int64)


def places_of(facts: Facts, framework: pl.DataFrame, weights: Weights | None = None) -> Places:
    """Return the ranks of all units under a framework, as ``kpi.ranking`` gives them.

    ``weights``: of all its nodes below the index, one draw a row; without them one draw, the
    framework's own. Raises ValueError where the engine cannot apply the framework to the values.
    """
    codes = indicator_codes(framework)
    strict = framework.filter(pl.col("missing") == "not_ranked")["code"].to_list()
    is_ranked = facts.is_open.copy()
    for code in set(codes) & set(strict):
        is_ranked &= ~np.isnan(facts.values[code])
    values = np.stack([facts.values[code][is_ranked] for code in codes], axis=-1)
    draws = 1 if weights is None else len(next(iter(weights.values())))
    index = np.full((draws, len(facts.college_ids)), np.nan)
    by_draw = {code: drawn[:, None] for code, drawn in (weights or {}).items()}
    index[:, is_ranked] = score_array(values, framework, by_draw).index
    return _places(index, facts.chain)


def _places(index: Floats, chain: Ints) -> Places:
    """Rank units by score in hundredths, then by the tie chain, then shared; NaN is not ranked."""
    is_ranked = ~np.isnan(index)
    hundredths = published(np.where(is_ranked, index, 0.0))
    key = np.where(is_ranked, chain - hundredths * (chain.max(initial=0) + 1), _LAST)
    order = np.argsort(key, axis=-1, kind="stable")
    ordered = np.take_along_axis(key, order, axis=-1)
    place = np.arange(index.shape[-1])
    begins = np.ones(ordered.shape, dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(ordered.shape, dtype=bool)
    ends[:, :-1] = begins[:, 1:]
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, place, place.size)[:, ::-1], axis=-1)[:, ::-1]
    rank, through = np.empty_like(order), np.empty_like(order)
    np.put_along_axis(rank, order, first + 1, axis=-1)
    np.put_along_axis(through, order, last + 1, axis=-1)
    return Places(np.where(is_ranked, rank, 0), np.where(is_ranked, through, 0), hundredths, order)


def leagues_of(places: Places, facts: Facts, leagues: list[League]) -> Ints:
    """Return the league of each unit in each draw, shape (draws, units), 0 where it has none: as
    ``kpi.ranking.assign_leagues`` does it for one.
    """
    league = np.zeros_like(places.rank)
    for one in leagues:
        passes = np.ones(places.rank.shape[-1], dtype=bool)
        for gate in one.gates:
            passes &= facts.passed[gate]
        is_entitled = (league == 0) & (places.rank > 0) & passes
        league[is_entitled & _fits(places, is_entitled, one)] = one.league
    return league


def _fits(places: Places, is_entitled: Bools, league: League) -> Bools:
    """Return where a unit's rank lies inside the bounds of a league, ties as the league says."""
    includes = league.tie_at_edge == "include"
    last = places.rank if includes else places.through
    if league.max_rank is not None:
        within: Bools = last <= league.max_rank
        return within
    if league.max_count is None:
        return np.ones_like(is_entitled)
    among = np.cumsum(np.take_along_axis(is_entitled, places.order, axis=-1), axis=-1)
    among = np.concatenate([np.zeros((len(among), 1), dtype=among.dtype), among], axis=-1)
    # of the entitled, so many rank before it, or up to the last that share its rank
    counted = np.take_along_axis(among, np.maximum(last - includes, 0), axis=-1)
    found: Bools = counted + includes <= league.max_count
    return found


def is_at_top(places: Places, facts: Facts, methodology: Methodology) -> Bools:
    """Return where a unit is in league 1, or at the first level where there are no leagues."""
    is_top: Bools
    if methodology.leagues:
        is_top = leagues_of(places, facts, methodology.leagues) == 1
        return is_top
    is_ranked = places.rank > 0
    if not methodology.levels:
        return np.zeros_like(is_ranked)
    best = np.where(is_ranked, places.hundredths, 0).max(axis=-1, keepdims=True, initial=0)
    least = int(methodology.levels[0].min_share.scaleb(6))
    is_top = is_ranked & (best > 0) & (places.hundredths * 10**6 >= least * best)
    return is_top


# noise in the weights


def multipliers(nodes: int, draws: int, noise: Decimal, seed: np.random.SeedSequence) -> Floats:
    """Return 1 + U(-noise, noise) for every draw and node, shape (draws, nodes).

    Blocks of draws, each from a child of the seed: the same however the blocks are shared out.
    """
    blocks = [
        1 + np.random.default_rng(child).uniform(-float(noise), float(noise), (size, nodes))
        for child, size in zip(seed.spawn(-(-draws // BLOCK)), _sizes(draws), strict=True)
    ]
    return np.concatenate(blocks) if blocks else np.ones((0, nodes))


def _sizes(draws: int) -> Iterator[int]:
    for first in range(0, draws, BLOCK):
        yield min(BLOCK, draws - first)


def perturbed(framework: pl.DataFrame, by: Mapping[str, Floats]) -> Weights:
    """Return the weights of a framework times what ``by`` says of each node, one draw a row,
    renormalised: those of a parent sum to what they summed to.
    """
    weights: Weights = {}
    nodes = framework.filter(pl.col("parent").is_not_null())
    for _, siblings in nodes.group_by("parent", maintain_order=True):
        own = siblings["weight"].cast(pl.Float64).to_numpy()
        moved = np.stack([by[code] for code in siblings["code"]]) * own[:, None]
        total = moved.sum(axis=0)
        scale = np.divide(own.sum(), total, out=np.ones_like(total), where=total > 0)
        weights |= dict(zip(siblings["code"], moved * scale, strict=True))
    return weights


def ranks_under_noise(
    facts: Facts,
    methodology: Methodology,
    *,
    noise: Decimal = NOISE,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pl.DataFrame:
    """Return how far each ranked unit's rank is carried by noise in the weights.

    One row per ranked unit, in the order of ranks: college_id, rank, ``rank_low`` and ``rank_high``
    (5th and 95th percentile of its rank over the draws: ranks that were drawn), ``is_top`` and
    ``top_share`` (the share of draws in which it is at the top).
    """
    framework = framework_of(methodology)
    nominal = places_of(facts, framework)
    nodes = framework.filter(pl.col("parent").is_not_null())["code"].to_list()
    by = multipliers(len(nodes), draws, noise, np.random.SeedSequence(seed))
    weights = perturbed(framework, dict(zip(nodes, by.T, strict=True)))
    drawn = places_of(facts, framework, weights)
    low, high = np.percentile(drawn.rank, TAILS, axis=0, method="inverted_cdf")
    table = pl.DataFrame(
        {
            "college_id": facts.college_ids,
            "rank": nominal.rank[0],
            "rank_low": low.astype(np.int64),
            "rank_high": high.astype(np.int64),
            "is_top": is_at_top(nominal, facts, methodology)[0],
            "top_share": is_at_top(drawn, facts, methodology).mean(axis=0),
        }
    )
    return table.filter(pl.col("rank") > 0).sort("rank", "college_id")


SURE = 0.95
"""A college is surely at the top where it is in this share of the draws, surely not where it is in
no more than the rest.
"""


@dataclass(frozen=True)
class Noise:
    """What noise in the weights comes to: how wide the range from the 5th to the 95th percentile is
    (in ranks), for the unit in the middle and at most; how many are surely at the top, and of how
    many the weights decide.
    """

    middle: int
    widest: int
    surely_top: int
    undecided: int


def noise_of(ranks: pl.DataFrame) -> Noise:
    """Sum up ``ranks_under_noise``."""
    width = ranks["rank_high"] - ranks["rank_low"]
    share = ranks["top_share"]
    return Noise(
        middle=int(width.quantile(0.5, interpolation="higher") or 0),
        widest=int(width.max() or 0),  # type: ignore[arg-type]
        surely_top=int((share >= SURE).sum()),
        undecided=undecided(ranks).height,
    )


def undecided(ranks: pl.DataFrame) -> pl.DataFrame:
    """Return the units of which noise in the weights decides whether they are at the top."""
    return ranks.filter(pl.col("top_share") > 1 - SURE, pl.col("top_share") < SURE)


def closest(ranks: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return those of ``undecided`` of which least is known, in the order of ranks."""
    nearest = (pl.col("top_share") - 0.5).abs()
    return undecided(ranks).sort(nearest, "rank").head(most).sort("rank", "college_id")


def on_scale(ranks: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, float]]:
    """Return ranges of ranks with ``at``, ``low_at`` and ``high_at``: where rank, low and high lie
    from the least (0) to the greatest (1) of all; and where the ranks lie that a scale would name.
    """
    ranks_there = [*ranks["rank_low"], *ranks["rank"], *ranks["rank_high"]]
    low = min(ranks_there, default=1)
    span = max(max(ranks_there, default=1) - low, 1)
    placed = ranks.with_columns(
        ((pl.col(name) - low) / span).alias(at)
        for name, at in (("rank", "at"), ("rank_low", "low_at"), ("rank_high", "high_at"))
    )
    named = sorted({low, low + span // 2, low + span})
    return placed, {rank: (rank - low) / span for rank in named}
