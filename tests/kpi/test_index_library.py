"""The index engine as a small library: frames in, every level out."""

import doctest

import numpy as np
import polars as pl
import pytest
from frameworks import group, kpi, posts, tree
from polars.testing import assert_frame_equal

from kpi.index import engine, library, score, score_array

FRAMEWORK = tree(
    group("index"),
    group("work", "index", weight=0.7),
    posts("jobs", 0, 1, parent="work", weight=0.4),
    posts("wages", 0, 10, parent="work", weight=0.3),
    posts("dropout", 0, 1, weight=0.3, direction=-1),
)
VALUES = pl.DataFrame(
    {
        "college": ["A", "B", "C", "D"],
        "dropout": [0.1, 0.0, None, 1.0],
        "jobs": [0.8, 0.8, 0.2, None],
        "wages": [3.0, 10.0, None, None],
    }
)


@pytest.mark.parametrize("module", [engine, library])
def test_the_examples_in_the_docstrings_hold(module):
    found = doctest.testmod(module, extraglobs={"np": np, "pl": pl})
    assert found.attempted > 0
    assert found.failed == 0


def test_every_level_is_returned_with_ranks_weights_and_contributions():
    # A: work (0.4 x 80 + 0.3 x 30) / 0.7 = 58.571; index 32 + 9 + 0.3 x 90 = 68.
    # C has jobs only: work 20, which takes the whole index.
    nodes = score(VALUES, FRAMEWORK).nodes
    assert nodes["unit"].unique(maintain_order=True).to_list() == ["A", "B", "C", "D"]
    assert nodes["code"].head(5).to_list() == ["index", "work", "jobs", "wages", "dropout"]
    assert nodes["level"].head(5).to_list() == [3, 2, 1, 1, 1]
    first = {row["code"]: row for row in nodes.filter(unit="A").iter_rows(named=True)}
    assert first["work"]["normalised"] == pytest.approx(58.5714, abs=1e-4)
    assert first["index"]["normalised"] == pytest.approx(68)
    assert [first[code]["contribution"] for code in ("jobs", "wages", "dropout")] == pytest.approx(
        [32, 9, 27]
    )
    assert (first["jobs"]["value"], first["jobs"]["treated"]) == (0.8, 0.8)
    assert (first["work"]["value"], first["work"]["at_floor"]) == (None, None)
    alone = {row["code"]: row for row in nodes.filter(unit="C").iter_rows(named=True)}
    assert alone["index"]["normalised"] == pytest.approx(20)
    assert (alone["jobs"]["weight"], alone["wages"]["weight"]) == (pytest.approx(1), 0)
    assert (alone["wages"]["value"], alone["wages"]["rank"]) == (None, None)


def test_ranks_are_shared_and_the_next_one_is_left_out():
    nodes = score(VALUES, FRAMEWORK).nodes
    assert nodes.filter(code="jobs")["rank"].to_list() == [1, 1, 3, None]
    assert nodes.filter(code="dropout")["rank"].to_list() == [2, 1, None, 3]


def test_scores_that_differ_by_rounding_only_share_a_rank():
    # 0.1 + 0.2 is not 0.3 in binary.
    framework = tree(group("index", aggregate="sum"), kpi("a"), kpi("b"))
    values = pl.DataFrame({"unit": ["A", "B"], "a": [0.1, 0.3], "b": [0.2, 0.0]})
    nodes = score(values, framework).nodes.filter(code="index")
    assert nodes["normalised"].n_unique() == 2
    assert nodes["rank"].to_list() == [1, 1]


def test_the_order_of_rows_and_columns_changes_nothing_that_a_unit_gets():
    nodes = score(VALUES, FRAMEWORK).nodes.sort("unit", "code")
    turned = score(VALUES.reverse().select("college", "wages", "jobs", "dropout"), FRAMEWORK)
    assert_frame_equal(turned.nodes.sort("unit", "code"), nodes)
    other = score(VALUES, FRAMEWORK.reverse())
    assert_frame_equal(other.nodes.sort("unit", "code"), nodes)


def test_it_is_the_same_engine_as_for_arrays():
    raw = VALUES.select("jobs", "wages", "dropout").fill_null(float("nan")).to_numpy()
    array = score_array(raw, FRAMEWORK)
    nodes = score(VALUES, FRAMEWORK).nodes
    for code in ("index", "work", "dropout"):
        found = nodes.filter(code=code)["normalised"].fill_null(float("nan")).to_numpy()
        np.testing.assert_array_equal(found, array.normalised[code])


def test_whole_numbers_and_decimals_are_values_too():
    values = VALUES.with_columns(
        pl.col("wages").cast(pl.Int64), pl.col("jobs").cast(pl.Decimal(9, 6))
    )
    assert_frame_equal(score(values, FRAMEWORK).nodes, score(VALUES, FRAMEWORK).nodes)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (VALUES.drop("jobs"), "no column for the indicators jobs"),
        (VALUES.with_columns(x=1.0, y=2.0), "no indicator of the framework: x, y"),
        (VALUES.with_columns(college=pl.lit("A")), "college names a unit twice"),
        (VALUES.with_columns(college=pl.Series(["A", "B", None, "D"])), "or not at all"),
    ],
)
def test_values_that_do_not_fit_are_refused(change, says):
    with pytest.raises(ValueError, match=says):
        score(change, FRAMEWORK)


@pytest.mark.parametrize(
    ("framework", "says"),
    [
        (tree(group("index"), group("other"), kpi("a")), "2 nodes without parent"),
        (tree(group("index"), kpi("a"), kpi("a")), "a code twice"),
        (tree(group("index"), kpi("a"), kpi("b", "a")), "b: not below index"),
        (tree(group("index"), kpi("a"), kpi("b", "c"), group("c", "d"), group("d", "c")),
         "b, c, d: not below index"),
        (tree(group("index"), kpi("a", normalise="cubic")), "unknown normaliser cubic"),
        (tree(group("index", aggregate="median"), kpi("a")), "unknown aggregator median"),
        (tree(group("index"), kpi("a", treat="trim")), "unknown treatment trim"),
    ],
)  # fmt: skip
def test_a_framework_that_is_no_tree_is_refused(framework, says):
    codes = [row["code"] for row in framework.to_dicts() if row["aggregate"] is None]
    values = pl.DataFrame({"unit": ["A"], **dict.fromkeys(codes, 1.0)})
    with pytest.raises(ValueError, match=says):
        score(values, framework)
