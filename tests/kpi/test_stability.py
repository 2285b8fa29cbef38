"""What a ranking rests on, worked by hand on three to five colleges, and held against the pipeline.

Facts are arrays in the order of the ids A, B, C, ...; a framework is two KPIs below an index.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kpi.methodology import League, load_methodology
from kpi.ranking import assign_leagues, framework_of
from kpi.rounds import Round
from kpi.stability import (
    Facts,
    facts_of,
    is_at_top,
    leagues_of,
    multipliers,
    perturbed,
    places_of,
    ranks_under_noise,
    shift,
    variance_shares,
)

ON = dt.date(2025, 10, 1)
STATED: dict[str, Any] = {"reference": "a test", "status": "illustrative"}
NAMES = {"kk": "A", "ru": "A", "en": "A"}


def framework(x: float = 0.6, y: float = 0.4, **columns: str) -> pl.DataFrame:
    """Two KPIs on goalposts 0 to 1 below an arithmetic index."""
    how = {"aggregate": "arithmetic", "missing": "reweight"} | columns
    return pl.DataFrame(
        {
            "code": ["index", "x", "y"],
            "parent": [None, "index", "index"],
            "level": [2, 1, 1],
            "direction": [None, 1, 1],
            "weight": [Decimal(1), Decimal(str(x)), Decimal(str(y))],
            "normalise": [None, "goalposts", "goalposts"],
            "floor": [None, 0.0, 0.0],
            "target": [None, 1.0, 1.0],
            "aggregate": [how["aggregate"], None, None],
            "missing": [how["missing"]] * 3,
        }
    )


def facts(x: list[float], y: list[float], **columns: Any) -> Facts:
    """Colleges A, B, C, ... by their values; nobody is told apart by a tie chain."""
    units = len(x)
    return Facts(
        [chr(ord("A") + place) for place in range(units)],
        {"x": np.array(x), "y": np.array(y)},
        columns.get("is_open", np.ones(units, dtype=bool)),
        columns.get("chain", np.ones(units, dtype=np.int64)),
        columns.get("passed", {}),
    )


FOUR = facts([0.9, 0.5, 0.2, 0.4], [0.1, 0.8, 0.9, 0.4])
"""Scores at 0.6 and 0.4: A 58, B 62, C 48, D 40."""


# ranks of many draws


def test_each_draw_ranks_under_its_own_weights() -> None:
    """At 0.9 and 0.1: A 82, B 53, C 27, D 40. At 0.1 and 0.9: A 18, B 77, C 83, D 40."""
    weights = {"x": np.array([0.6, 0.9, 0.1]), "y": np.array([0.4, 0.1, 0.9])}
    assert places_of(FOUR, framework(), weights).rank.tolist() == [
        [2, 1, 3, 4],
        [1, 2, 4, 3],
        [4, 2, 1, 3],
    ]


def test_equal_scores_go_by_the_chain_and_then_share_the_rank() -> None:
    """All score 50; the chain puts C first and cannot tell A from D."""
    tied = facts([0.5] * 4, [0.5] * 4, chain=np.array([2, 4, 1, 2]))
    places = places_of(tied, framework())
    assert places.rank.tolist() == [[2, 4, 1, 2]]
    assert places.through.tolist() == [[3, 4, 1, 3]]


def test_scores_that_differ_below_a_hundredth_are_tied() -> None:
    near = facts([0.50001, 0.5, 0.9], [0.5, 0.5, 0.9])
    assert places_of(near, framework()).rank.tolist() == [[2, 2, 1]]


def test_who_is_closed_or_has_no_score_has_no_rank() -> None:
    nan = float("nan")
    open_ = np.array([True, False, True])
    missing = facts([0.5, 0.9, nan], [nan, 0.9, nan], is_open=open_)
    assert places_of(missing, framework()).rank.tolist() == [[1, 0, 0]]
    strict = framework(missing="not_ranked")
    assert places_of(missing, strict).rank.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("edge", ["include", "exclude"])
@pytest.mark.parametrize("bound", ["max_count", "max_rank"])
@given(data=st.data())
def test_leagues_of_a_draw_are_those_of_the_ranking(
    data: st.DataObject, bound: str, edge: str
) -> None:
    """Up to nine colleges on few scores, so that many tie, some past a gate."""
    units = data.draw(st.integers(1, 9))
    some = st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=units, max_size=units)
    passes = data.draw(st.lists(st.booleans(), min_size=units, max_size=units))
    chain = data.draw(st.lists(st.integers(1, 3), min_size=units, max_size=units))
    made = facts(
        data.draw(some),
        data.draw(some),
        chain=np.array(chain),
        passed={"x": np.array(passes)},
    )
    size = data.draw(st.integers(1, 9))
    leagues = [league(1, gates=["x"], tie_at_edge=edge, **{bound: size}), league(2)]
    places = places_of(made, framework())
    rows: list[dict[str, Any]] = [
        {
            "place": place,
            "rank": int(places.rank[0, place]),
            "tie_size": int(places.through[0, place] - places.rank[0, place] + 1),
            "gates_passed": {"x"} if passes[place] else set(),
        }
        for place in places.order[0]
    ]
    assign_leagues(rows, leagues)
    expected = [row["league"] for row in sorted(rows, key=lambda row: row["place"])]
    assert leagues_of(places, made, leagues)[0].tolist() == expected


def league(number: int, **columns: Any) -> League:
    """One league; without bounds it takes the rest."""
    return League(league=number, name=NAMES, **{"tie_at_edge": "include"} | columns, **STATED)


# noise in the weights


def test_weights_times_their_noise_sum_to_what_they_summed_to() -> None:
    """0.6 x 1.2 = 0.72 and 0.4 x 0.7 = 0.28: they sum to 1 already. 0.6 and 0.4 x 0.75 = 0.3 sum
    to 0.9: 0.6667 and 0.3333.
    """
    by = {"x": np.array([1.2, 1.0]), "y": np.array([0.7, 0.75])}
    weights = perturbed(framework(), by)
    np.testing.assert_allclose(weights["x"], [0.72, 2 / 3])
    np.testing.assert_allclose(weights["y"], [0.28, 1 / 3])


def test_points_that_are_summed_keep_the_sum_of_their_weights() -> None:
    weights = perturbed(framework(1, 1, aggregate="sum"), {"x": np.array([1.25]), "y": np.ones(1)})
    np.testing.assert_allclose(weights["x"] + weights["y"], 2)


def test_noise_stays_within_its_bounds_and_blocks_do_not_depend_on_what_follows() -> None:
    short, long = (
        multipliers(3, draws, Decimal("0.25"), np.random.SeedSequence(1)) for draws in (250, 1_000)
    )
    assert long.shape == (1_000, 3)
    assert long.min() >= 0.75 and long.max() <= 1.25 and long.min() < 0.76 and long.max() > 1.24
    assert np.array_equal(short, long[:250])


@pytest.mark.parametrize("name", ["example_round", "astana_round"])
def test_noise_of_nothing_gives_the_nominal_rank(name: str, request: pytest.FixtureRequest) -> None:
    of_round: Round = request.getfixturevalue(name)
    methodology = of_round.methodology
    still = ranks_under_noise(facts_in(of_round), methodology, noise=Decimal(0), draws=3)
    ranked = of_round.table("ranking").drop_nulls("rank").sort("rank", "college_id")
    for column in ("rank", "rank_low", "rank_high"):
        assert still[column].to_list() == ranked["rank"].to_list()
    assert set(still["top_share"]) <= {0.0, 1.0}


def test_a_rank_lies_between_its_percentiles_more_often_than_not(astana_round: Round) -> None:
    done = ranks_under_noise(facts_in(astana_round), astana_round.methodology)
    assert (done["rank_low"] <= done["rank_high"]).all()
    assert (done["rank_low"] < done["rank_high"]).any()
    again = ranks_under_noise(facts_in(astana_round), astana_round.methodology)
    assert done.equals(again)


def test_with_one_kpi_no_weight_moves_anybody() -> None:
    methodology = load_methodology("assessment", ON)
    alone = [kpi for kpi in methodology.kpis if kpi.code == "staff"]
    one = methodology.model_copy(update={"kpis": alone})
    made = Facts(
        ["A", "B", "C"],
        {"staff": np.array([30.0, 10.0, 20.0])},
        np.ones(3, dtype=bool),
        np.ones(3, dtype=np.int64),
        {},
    )
    done = ranks_under_noise(made, one)
    assert done["college_id"].to_list() == ["A", "C", "B"]
    assert done["rank_low"].to_list() == done["rank_high"].to_list() == [1, 2, 3]


# held against the pipeline


@pytest.mark.parametrize("name", ["example_round", "astana_round"])
def test_the_ranks_leagues_and_top_of_a_round_are_found_again(
    name: str, request: pytest.FixtureRequest
) -> None:
    of_round: Round = request.getfixturevalue(name)
    methodology = of_round.methodology
    made = facts_in(of_round)
    places = places_of(made, framework_of(methodology))
    ranking = of_round.table("ranking").sort("college_id")
    assert places.rank[0].tolist() == ranking["rank"].fill_null(0).to_list()
    leagues = leagues_of(places, made, methodology.leagues)[0]
    assert leagues.tolist() == ranking["league"].fill_null(0).to_list()
    top = is_at_top(places, made, methodology)[0]
    level, league_ = ranking["level"], ranking["league"]
    expected = league_ == 1 if methodology.leagues else level == "high"
    assert top.tolist() == expected.fill_null(value=False).to_list()


def facts_in(of_round: Round) -> Facts:
    """The facts of a round's stored tables."""
    tables = (of_round.table(name) for name in ("unit_profile", "kpi_values", "gates"))
    units, values, gates = tables
    return facts_of(units, values, gates, of_round.methodology)


# one ranking against another


def ranking(**rows: tuple[int | None, int | None]) -> pl.DataFrame:
    """A ranking by college: rank and league."""
    return pl.DataFrame(
        {
            "college_id": [*rows],
            "rank": [rank for rank, _ in rows.values()],
            "league": [of for _, of in rows.values()],
            "level": [None] * len(rows),
        },
        schema={
            "college_id": pl.String,
            "rank": pl.Int64,
            "league": pl.Int64,
            "level": pl.String,
        },
    )


def test_shifts_are_counted_over_those_ranked_in_both() -> None:
    """A and B change places, C falls by 2 to 5, D is no longer ranked and E is new: 3 are ranked in
    both, all move, by (1 + 1 + 2) / 3.
    """
    methodology = load_methodology("kpi", ON)
    nominal = ranking(A=(1, 1), B=(2, 2), C=(3, 2), D=(4, 2), E=(None, None))
    other = ranking(A=(2, 2), B=(1, 1), C=(5, 2), D=(None, None), E=(3, 1))
    assert shift(nominal, other, methodology) == {
        "ranked": 3,
        "moved": 3,
        "mean_shift": 4 / 3,
        "largest_shift": 2,
        "spearman": pytest.approx(stats.spearmanr([1, 2, 3], [2, 1, 5]).statistic),
        "newly_ranked": 1,
        "no_longer_ranked": 1,
        "entered_top": 2,
        "left_top": 1,
    }


def test_a_ranking_does_not_differ_from_itself() -> None:
    methodology = load_methodology("kpi", ON)
    same = ranking(A=(1, 1), B=(2, 1), C=(2, 2))
    done = shift(same, same, methodology)
    assert (done["moved"], done["mean_shift"], done["largest_shift"]) == (0, 0, 0)
    assert done["spearman"] == pytest.approx(1)
    assert (done["entered_top"], done["left_top"]) == (0, 0)


def test_tied_ranks_correlate_by_mid_ranks_as_in_scipy() -> None:
    methodology = load_methodology("kpi", ON)
    nominal = ranking(A=(1, 1), B=(2, 1), C=(2, 2), D=(4, 2), E=(5, 2))
    other = ranking(A=(3, 1), B=(1, 1), C=(2, 2), D=(3, 2), E=(5, 2))
    theirs = stats.spearmanr([1, 2, 2, 4, 5], [3, 1, 2, 3, 5]).statistic
    assert shift(nominal, other, methodology)["spearman"] == pytest.approx(theirs)


# where the variance comes from


def test_shares_of_variance_worked_by_hand() -> None:
    """x brings 0, 10, 20 and y 0, 0, 30 to an index of 0, 10, 50, mean 20: deviations -20, -10, 30,
    squares 1400; x: 0 - 100 + 600 = 500, y: 900.
    """
    scores = scores_of(A=(0, 0), B=(10, 0), C=(20, 30))
    done = variance_shares(scores, framework())
    assert done.select("code", "weight").rows() == [("x", 0.6), ("y", 0.4)]
    assert done["variance_share"].to_list() == pytest.approx([500 / 1400, 900 / 1400])
    expected = [np.corrcoef(part, [0, 10, 50])[0, 1] for part in ([0, 10, 20], [0, 0, 30])]
    assert done["correlation"].to_list() == pytest.approx(expected)


def scores_of(**rows: tuple[float, float]) -> pl.DataFrame:
    """``kpi_scores`` by college: what x and y bring to the index."""
    table = []
    for college_id, (x, y) in rows.items():
        for code, brought in (("x", x), ("y", y), ("index", x + y)):
            table.append((college_id, code, float(brought), float(brought)))
    columns = ("college_id", "code", "normalised", "contribution")
    return pl.DataFrame(table, schema=columns, orient="row")


@pytest.mark.parametrize(
    "scores",
    [
        scores_of(A=(10, 20), B=(20, 10)),  # the index is the same for both
        scores_of(A=(10, 20)),  # one college
        scores_of(A=(float("nan"), 0), B=(1, 1)).with_columns(
            pl.col("normalised").fill_nan(5.0), pl.col("contribution").fill_nan(None)
        ),  # a geometric mean has no parts
    ],
)
def test_where_nothing_varies_or_adds_up_there_is_no_share(scores: pl.DataFrame) -> None:
    assert variance_shares(scores, framework())["variance_share"][0] is None


def test_in_astana_the_staff_block_decides_and_employment_hardly_counts(
    astana_round: Round,
) -> None:
    """Observed totals of 23 colleges: the four blocks weigh the same, and bring 60 % (staff), 22 %,
    12 % (employment) and 5 % of the variance.
    """
    done = variance_shares(astana_round.table("kpi_scores"), astana_round.table("framework"))
    shares = dict(done.select("code", "variance_share").iter_rows())
    assert done["weight"].to_list() == [0.25] * 4
    assert sum(shares.values()) == pytest.approx(1)
    told = {code: round(100 * share) for code, share in shares.items()}
    assert told == {"infrastructure": 5, "staff": 60, "achievement": 22, "employment": 12}


def test_the_groups_shares_are_those_of_their_kpis(example_round: Round) -> None:
    done = variance_shares(example_round.table("kpi_scores"), example_round.table("framework"))
    groups = done.filter(pl.col("level") == 2)
    for row in groups.iter_rows(named=True):
        parts = done.filter(pl.col("parent") == row["code"])
        assert parts["variance_share"].sum() == pytest.approx(row["variance_share"])
        assert parts["weight"].sum() == pytest.approx(row["weight"])
    assert groups["variance_share"].sum() == pytest.approx(1)
