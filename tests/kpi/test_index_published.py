"""The index engine beside published composite indices: their data in, their results out."""

import math

import numpy as np
import polars as pl
import pytest
from frameworks import group, kpi, posts, tree
from numpy.testing import assert_allclose

from kpi.index import Scored, normalise, score
from kpi.index.outliers import kurtosis, skewness, treatment


def column(text: str) -> np.ndarray:
    return np.array([float(number) for number in text.split()])


def ranks_of(scored: Scored, code: str = "index") -> dict[str, int]:
    return dict(scored.nodes.filter(code=code).select("unit", "rank").iter_rows())


# UNDP, Human Development Index. The goalposts are those of technical note 1 of the reports since
# 2014: life expectancy 20 and 85 years, expected years of schooling 0 and 18, mean years 0 and 15,
# gross national income a head 100 and 75,000 dollars, in logarithms.

HDI = tree(
    group("index", aggregate="geometric"),
    posts("life", 20, 85),
    group("education", "index"),
    posts("expected", 0, 18, parent="education"),
    posts("mean", 0, 15, parent="education"),
    posts("income", math.log(100), math.log(75_000)),
)


def hdi(**countries: tuple[float, float, float, float]) -> pl.DataFrame:
    """Score countries of (life expectancy, expected years, mean years, income a head)."""
    life, expected, mean, income = zip(*countries.values(), strict=True)
    values = pl.DataFrame(
        {
            "country": list(countries),
            "life": life,
            "expected": expected,
            "mean": mean,
            "income": np.log(income),
        }
    )
    return score(values, HDI).nodes


def test_the_human_development_index_of_2021_of_four_countries():
    # UNDP, Human Development Report 2021/2022, all composite indices and components, time series
    # (HDR21-22_Composite_indices_complete_time_series.csv: le, eys, mys, gnipc and hdi of 2021).
    # Norway and the Netherlands are above the target of expected years, 18: they count as 18.
    nodes = hdi(
        Norway=(83.2339, 18.18519974, 13.00362968, 64660.10622),
        Netherlands=(81.6873, 18.69316522, 12.58162975, 55979.411),
        Jamaica=(70.5003, 13.40492042, 9.154628661, 8834.47567),
        Afghanistan=(61.9824, 10.26384398, 2.98506999, 1824.190915),
    )
    index = nodes.filter(code="index")
    assert (index["normalised"] / 100).round(3).to_list() == [0.961, 0.941, 0.709, 0.478]
    assert index["rank"].to_list() == [1, 2, 3, 4]
    assert nodes.filter(code="expected")["at_target"].to_list() == [True, True, False, False]


@pytest.mark.parametrize(
    ("year", "published", "values"),
    [
        (1990, 0.273, (45.9672, 2.504050016, 0.97112539, 2684.550019)),
        (2000, 0.335, (55.2978, 5.529050112, 1.407805934, 984.9974338)),
        (2010, 0.448, (60.8508, 9.002689838, 2.105191281, 1938.315627)),
    ],
)
def test_the_human_development_index_of_afghanistan_in_earlier_years(year, published, values):
    # The same file of UNDP.
    nodes = hdi(Afghanistan=values)
    assert (nodes.filter(code="index")["normalised"] / 100).round(3).to_list() == [published]


def test_the_worked_example_of_the_human_development_report_2020():
    # UNDP, Human Development Report 2020, technical note 1: income (ln 3,829 - ln 100) /
    # (ln 75,000 - ln 100) = 0.5506; HDI (0.6971 x 0.3447 x 0.5506)^(1/3) = 0.510.
    framework = tree(
        group("index", aggregate="geometric"),
        kpi("health"),
        kpi("education"),
        posts("income", math.log(100), math.log(75_000)),
    )
    values = {"country": ["example"], "health": [69.71], "education": [34.47]}
    nodes = score(pl.DataFrame({**values, "income": [math.log(3_829)]}), framework).nodes
    assert nodes.filter(code="income")["normalised"].round(2).to_list() == [55.06]
    assert (nodes.filter(code="index")["normalised"] / 100).round(3).to_list() == [0.510]


# OECD/JRC, Handbook on Constructing Composite Indicators (2008): the Technology Achievement Index,
# raw values of the 23 countries of the case study (table A.2, page 153).

COUNTRIES = (
    "Finland,United States,Sweden,Japan,Korea,Netherlands,United Kingdom,Canada,Australia,"
    "Singapore,Germany,Norway,Ireland,Belgium,New Zealand,Austria,France,Israel,Spain,Italy,"
    "Czech Republic,Hungary,Slovenia"
).split(",")
TAI = {
    "patents": "187 289 271 994 779 189 82 31 75 8 235 103 106 72 103 165 205 74 42 13 28 26 105",
    "royalties": "125.6 130 156.6 64.6 9.8 151.2 134 38.6 18.2 25.5 36.8 20.2 110.3 73.9 13 14.8"
    " 33.6 43.6 8.6 9.8 4.2 6.2 4",
    "internet": "200.2 179.1 125.8 49 4.8 136 57.4 108 125.9 72.3 41.2 193.6 48.6 58.9 146.7 84.2"
    " 36.4 43.2 21 30.4 25 21.6 20.3",
    "exports": "50.7 66.2 59.7 80.8 66.7 50.9 61.9 48.7 16.2 74.9 64.2 19 53.6 47.6 15.4 50.3 58.9"
    " 45 53.4 51 51.7 63.5 49.5",
    "telephones": "3.08 3.00 3.10 3.00 2.97 3.02 3.02 2.94 2.94 2.95 2.94 3.12 2.97 2.91 2.86 2.99"
    " 2.97 2.96 2.86 3.00 2.75 2.73 2.84",
    "electricity": "4.15 4.07 4.14 3.86 3.65 3.77 3.73 4.18 3.94 3.83 3.75 4.39 3.68 3.86 3.91"
    " 3.79 3.80 3.74 3.62 3.65 3.68 3.46 3.71",
    "schooling": "10 12 11.4 9.5 10.8 9.4 9.4 11.6 10.9 7.1 10.2 11.9 9.4 9.3 11.7 8.4 7.9 9.6 7.3"
    " 7.2 9.5 9.1 7.1",
    "university": "27.4 13.9 15.3 10 23.2 9.5 14.9 14.2 25.3 24.2 14.4 11.2 12.3 13.6 13.1 13.6"
    " 12.6 11 15.6 13 8.2 7.7 10.6",
}
SCHOOLING = column(TAI["schooling"])


def test_the_handbook_s_z_scores_of_schooling():
    # Table 15, page 87, to two decimals (its standard deviation is that of n - 1).
    published = column(
        "0.26 1.52 1.14 -0.06 0.76 -0.12 -0.12 1.27 0.83 -1.58 0.38 1.46 -0.12 -0.19 1.33 -0.76"
        " -1.08 0.00 -1.46 -1.52 -0.06 -0.31 -1.58"
    )
    found = normalise(SCHOOLING, "z_score", None, None, 1)
    assert_allclose(found, published, atol=0.00501)
    turned = normalise(SCHOOLING, "z_score", None, None, 1, mean=100, deviation=15)
    assert_allclose(turned, 100 + 15 * published, atol=0.0752)


def test_the_handbook_s_min_max_of_schooling():
    # Table 15.
    published = column(
        "0.59 1.00 0.88 0.49 0.76 0.47 0.47 0.92 0.78 0.00 0.63 0.98 0.47 0.45 0.94 0.27 0.16 0.51"
        " 0.04 0.02 0.49 0.41 0.00"
    )
    assert_allclose(normalise(SCHOOLING, "min_max", 0, 1, 1), published, atol=0.00501)
    # The distance to a target that the best country has just reached is the same.
    distance = normalise(SCHOOLING, "distance_to_target", None, 12, 1)
    assert_allclose(distance, 100 * published, atol=0.501)


def test_the_handbook_s_ranks_and_percentiles_of_schooling():
    # Table 15: the highest value has the highest rank, ties the lowest of theirs; its percentile
    # is rank / 23, where this engine and COINr give (rank - 1) / 22.
    ranks = column("15 23 19 12 17 9 9 20 18 1 16 22 9 8 21 6 5 14 4 3 12 7 1")
    percentiles = column(
        "65.2 100 82.6 52.2 73.9 39.1 39.1 87.0 78.3 4.3 69.6 95.7 39.1 34.8 91.3 26.1 21.7 60.9"
        " 17.4 13.0 52.2 30.4 4.3"
    )
    found = normalise(SCHOOLING, "rank", None, None, 1)
    assert found.tolist() == ranks.tolist()
    assert_allclose(100 * found / 23, percentiles, atol=0.0501)
    share = normalise(SCHOOLING, "percentile_rank", None, None, 1)
    assert_allclose(share, 100 * (ranks - 1) / 22)


def test_the_handbook_s_ranking_by_the_geometric_mean_of_the_raw_indicators():
    # Table 38, page 116, column GME: equal weights, indicators as they are.
    listed = (
        "Finland,United States,Sweden,Japan,Korea,Netherlands,United Kingdom,Singapore,Canada,"
        "Australia,Germany,Norway,Ireland,Belgium,New Zealand,Austria,France,Israel,Spain,Italy,"
        "Czech Republic,Hungary,Slovenia"
    ).split(",")
    published = [2, 1, 3, 4, 16, 5, 6, 18, 13, 14, 8, 11, 7, 9, 17, 12, 10, 15, 19, 21, 23, 22, 20]
    framework = tree(group("index", aggregate="geometric"), *(kpi(code) for code in TAI))
    values = pl.DataFrame({"country": COUNTRIES, **{c: column(text) for c, text in TAI.items()}})
    assert ranks_of(score(values, framework)) == dict(zip(listed, published, strict=True))


# The Handbook's examples of Borda's rule (pages 106-110): groups of indicators that rank the
# countries alike, each group as one indicator with their number as its weight.


@pytest.mark.parametrize(
    ("orders", "published"),
    [
        # Table 25: 21 indicators, 4 countries.
        ({"abcd": 3, "acbd": 5, "bdca": 7, "cbda": 6}, {"a": 24, "b": 44, "c": 38, "d": 20}),
        # Table 28: Condorcet's 60 indicators, 3 countries.
        ({"abc": 23, "bca": 17, "bac": 2, "cab": 10, "cba": 8}, {"a": 58, "b": 69, "c": 53}),
        # Table 31, and table 33 without the last country, which turns the order round.
        ({"cbad": 3, "badc": 2, "adcb": 2}, {"a": 13, "b": 12, "c": 11, "d": 6}),
        ({"cba": 3, "bac": 2, "acb": 2}, {"a": 6, "b": 7, "c": 8}),
        # Table 34: nothing tells them apart.
        ({"abc": 1, "cab": 1, "bca": 1}, {"a": 3, "b": 3, "c": 3}),
    ],
)
def test_the_handbook_s_borda_scores(orders, published):
    nodes = [kpi(order, normalise="borda", weight=count) for order, count in orders.items()]
    values = {order: [-order.index(country) for country in published] for order in orders}
    frame = pl.DataFrame({"country": list(published), **values})
    scored = score(frame, tree(group("index", aggregate="sum"), *nodes)).nodes.filter(code="index")
    assert dict(scored.select("unit", "normalised").iter_rows()) == published


# The R package COINr (version 1.0): its documentation and its own tests.


def test_coinr_s_skewness_and_kurtosis():
    # Vignette "Outlier Treatment": x <- c(1:10, 30, 100); skew(x) 3.063241, kurt(x) 9.741391;
    # one point is moved, then they are 1.712038 and 1.815781.
    values = np.array([*range(1, 11), 30, 100], dtype=float)
    assert_allclose(skewness(values), 3.063241, atol=5e-7)
    assert_allclose(kurtosis(values), 9.741391, atol=5e-7)
    found = treatment(values, "winsorise")
    assert found.values.tolist() == [*range(1, 11), 30, 30]
    assert_allclose([found.skew_after, found.kurt_after], [1.712038, 1.815781], atol=5e-7)


def test_coinr_s_winsorising_of_one_outlier():
    # tests/testthat/test-treat.R: of c(1:10, 100) the last becomes 10, the others stay.
    found = treatment(np.array([*range(1, 11), 100], dtype=float), "winsorise")
    assert found.values.tolist() == [*range(1, 11), 10]


@pytest.mark.parametrize(
    ("values", "target", "direction", "capped", "published"),
    [
        ([0, 5, 11], 10, 1, False, [0, 0.5, 1.1]),
        ([0, 5, 11], 10, 1, True, [0, 0.5, 1]),
        ([-1, 1, 10], 0, -1, False, [1.1, 0.9, 0]),
        ([-1, 1, 10], 0, -1, True, [1, 0.9, 0]),
    ],
)
def test_coinr_s_distance_to_target(values, target, direction, capped, published):
    # tests/testthat/test-normalise.R, "dist2targ"; here in per cent.
    raw = np.array(values, dtype=float)
    found = normalise(raw, "distance_to_target", None, target, direction, capped=capped)
    assert_allclose(found, 100 * np.array(published))


@pytest.mark.parametrize(
    ("value", "direction", "published"),
    [(1, 1, 0.1), (11, 1, 1), (-1, 1, 0), (1, -1, 0.9), (-1, -1, 1), (11, -1, 0)],
)
def test_coinr_s_goalposts(value, direction, published):
    # The same file, goalposts 0 and 10; here in per cent.
    found = normalise(np.array([float(value)]), "goalposts", 0, 10, direction)
    assert_allclose(found, [100 * published])
