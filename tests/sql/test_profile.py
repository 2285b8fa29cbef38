"""What a college is and what it is like (sql/3_profile): worked by hand, and the laws that hold.

Most cases give a SELECT the tables that it reads, a few rows each, and read what it makes of them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    HEAVY,
    THEORY,
    WORKSHOP,
    Row,
    agreement,
    college,
    graduate,
    graduates,
    row_of,
    run_tables,
    student,
    students,
    together,
)

from kpi.pipeline import Select, put_table, read_selects
from kpi.resources import sql_folder
from kpi.rounds import Round

FEW = settings(max_examples=25)


@cache
def database() -> tuple[duckdb.DuckDBPyConnection, dict[str, Select]]:
    """One database for all cases of this module, and the SELECTs by table."""
    con = duckdb.connect()
    con.execute("SET threads = 1")
    return con, {one.table: one for one in read_selects(con, sql_folder() / "3_profile")}


@pytest.fixture(scope="module", autouse=True)
def _closed_at_the_end() -> Iterator[None]:
    yield
    database()[0].close()
    database.cache_clear()


def made(table: str, **given: pl.DataFrame) -> pl.DataFrame:
    """Return what the SELECT of a table makes of the tables given, ordered."""
    con, selects = database()
    for name, rows in given.items():
        put_table(con, name, rows)
    found: pl.DataFrame = con.sql(f"SELECT * FROM ({selects[table].text}) ORDER BY ALL").pl()
    return found


# ------------------------------------------------------------------------------- clusters, profile


@pytest.fixture(scope="module")
def two_clusters(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """EX-01 with its branch EX-02: 6 students of education, 3 of IT, 1 of mining, one on leave."""
    rows = together(
        {
            "colleges": [college("EX-01"), college("EX-02", parent_id="EX-01"), college("EX-03")],
            "students": [
                *students("EX-01", 4, specialty=THEORY),
                *students("EX-02", 2, specialty=THEORY),
                *students("EX-02", 3, specialty=WORKSHOP),
                student("EX-01", specialty=HEAVY, academic_leave=True),
                student("EX-01", specialty=HEAVY, left_on="2025-10-01", left_reason="own_wish"),
            ],
        }
    )
    return run_tables(tmp_path_factory.mktemp("clusters"), rows)


def test_a_units_specialties_are_those_its_students_count_in(two_clusters: Round) -> None:
    rows = two_clusters.table("unit_specialties")
    assert rows.rows() == [
        ("EX-01", THEORY, "education", 6, True),
        ("EX-01", WORKSHOP, "it", 3, False),
        ("EX-01", HEAVY, "mining", 1, False),
    ]


def test_the_concentration_is_the_sum_of_the_squared_shares(two_clusters: Round) -> None:
    """0.6 squared + 0.3 squared + 0.1 squared = 0.46; 2 specialties with 4 students are outside."""
    assert two_clusters.table("unit_clusters")["share"].to_list() == [0.6, 0.3, 0.1]
    [row] = two_clusters.table("cluster_profile").to_dicts()
    assert row == {
        "college_id": "EX-01",
        "cluster": "education",
        "clusters": 3,
        "specialties": 3,
        "specialties_outside": 2,
        "students": 10,
        "students_outside": 4,
        "cluster_share": 0.6,
        "concentration": 0.46,
    }


@FEW
@given(st.lists(st.integers(1, 500), min_size=1, max_size=8))
def test_the_concentration_lies_between_an_even_spread_and_one(sizes: list[int]) -> None:
    clusters = pl.DataFrame(
        {
            "college_id": "A",
            "cluster": [f"c{number}" for number in range(len(sizes))],
            "specialties": 1,
            "students": sizes,
            "share": [size / sum(sizes) for size in sizes],
        },
        schema_overrides={"specialties": pl.Int64},
    )
    profile = pl.DataFrame({"college_id": ["A"], "cluster": ["c0"]})
    [row] = made("cluster_profile", unit_clusters=clusters, unit_profile=profile).to_dicts()
    assert 1 / len(sizes) - 1e-12 <= row["concentration"] <= 1
    assert row["concentration"] == pytest.approx(sum((s / sum(sizes)) ** 2 for s in sizes))


# ------------------------------------------------------------------------------------------- peers


def peers_of(units: Mapping[str, Mapping[str, int]], **differs: Row) -> pl.DataFrame:
    """Return the peers of urban, active units, by id; ``units`` are their students by cluster."""
    profile = [
        {
            "college_id": unit,
            "students": sum(mix.values()),
            "locality": "urban",
            "status": "active",
            **differs.get(unit, {}),
        }
        for unit, mix in units.items()
    ]
    clusters = [
        {"college_id": unit, "cluster": cluster, "students": count}
        for unit, mix in units.items()
        for cluster, count in mix.items()
    ]
    return made("peers", unit_profile=pl.DataFrame(profile), unit_clusters=pl.DataFrame(clusters))


def test_the_nearest_have_the_same_mix_size_and_locality() -> None:
    """Beside A, 50 of construction and 50 of services: B has twice the students, so 1/4; D is
    rural, so 1/4, and the id decides; C lacks half of the mix, so 1/2. E has nothing in common, F
    is closed.
    """
    half = {"construction": 50, "services": 50}
    rows = peers_of(
        {
            "A": half,
            "B": {"construction": 100, "services": 100},
            "C": {"construction": 100},
            "D": half,
            "E": {"health": 100},
            "F": half,
        },
        D={"locality": "rural"},
        F={"status": "closed"},
    )
    assert rows.filter(pl.col("college_id") == "A").drop("college_id").rows() == [
        (1, "B", Decimal("0.25"), Decimal(0), Decimal(1), 0),
        (2, "D", Decimal("0.25"), Decimal(0), Decimal(0), 1),
        (3, "C", Decimal("0.5"), Decimal("0.5"), Decimal(0), 0),
    ]
    assert not rows.filter(pl.col("college_id").is_in(["E", "F"])).height


def test_there_are_ten_peers_at_most() -> None:
    rows = peers_of({f"U{number:02d}": {"it": 10 + number} for number in range(15)})
    assert rows.group_by("college_id").len()["len"].to_list() == [10] * 15
    assert rows.filter(pl.col("college_id") == "U00")["peer_id"].to_list() == [
        f"U{number:02d}" for number in range(1, 11)
    ]


MIXES = st.lists(
    st.dictionaries(st.sampled_from(["it", "mining", "health"]), st.integers(1, 60), min_size=1),
    min_size=2,
    max_size=7,
)


@FEW
@given(MIXES)
def test_a_distance_is_the_same_from_both_ends(mixes: list[dict[str, int]]) -> None:
    units = {f"U{number}": mix for number, mix in enumerate(mixes)}
    rows = peers_of(units)
    distances = {(one, peer): distance for one, _, peer, distance, *_ in rows.rows()}
    assert all(distances[peer, one] == distance for (one, peer), distance in distances.items())


@FEW
@given(MIXES)
def test_the_mix_is_half_the_difference_of_the_shares(mixes: list[dict[str, int]]) -> None:
    units = {f"U{number}": mix for number, mix in enumerate(mixes)}
    for row in peers_of(units).iter_rows(named=True):
        one, other = units[row["college_id"]], units[row["peer_id"]]
        gaps = [
            abs(one.get(c, 0) / sum(one.values()) - other.get(c, 0) / sum(other.values()))
            for c in {*one, *other}
        ]
        assert float(row["mix_distance"]) == pytest.approx(sum(gaps) / 2, abs=1e-6)
        doublings = abs(math.log2(sum(one.values()) / sum(other.values())))
        assert float(row["size_distance"]) == pytest.approx(doublings, abs=2e-6)


# -------------------------------------------------------------------------------------- comparison


def compared(
    own: tuple[int, int],
    peers: Sequence[tuple[int, int]],
    *,
    kind: str = "register_share",
    direction: int = 1,
    interval: tuple[float, float] | None = None,
    status: str = "ok",
    peers_status: str = "ok",
) -> Row:
    """Return the comparison of a unit with its peers, each (numerator, denominator)."""
    values = [
        {
            "college_id": f"P{number}" if number else "A",
            "kpi": "k",
            "kind": kind,
            "numerator": Decimal(numerator),
            "denominator": Decimal(denominator),
            "value": numerator / denominator if denominator else None,
            "low": interval[0] if interval and not number else None,
            "high": interval[1] if interval and not number else None,
            "status": peers_status if number else status,
        }
        for number, (numerator, denominator) in enumerate([own, *peers])
    ]
    floats = dict.fromkeys(("value", "low", "high"), pl.Float64)
    ids = {"college_id": "A", "peer_id": [f"P{number}" for number in range(1, len(peers) + 1)]}
    rows = made(
        "peer_comparison",
        kpi_values=pl.DataFrame(values, schema_overrides=floats),
        peers=pl.DataFrame(ids),
        param_kpi=pl.DataFrame({"kpi": ["k"], "direction": [direction]}),
    )
    return row_of(rows, college_id="A")


FIVE = [(10, 100), (20, 100), (30, 100), (40, 100), (50, 100)]


def test_quartiles_lie_between_the_sorted_values() -> None:
    """Of 0.1, 0.2, 0.3, 0.4: the places 0.75, 1.5, 2.25 give 0.175, 0.25, 0.325."""
    row = compared((1, 10), FIVE[:4])
    quartiles = [row["peers_low"], row["peers_median"], row["peers_high"]]
    assert quartiles == pytest.approx([0.175, 0.25, 0.325])


@FEW
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=10))
def test_quartiles_are_those_of_numpy_in_any_order(peers: list[tuple[int, int]]) -> None:
    row, back = compared((1, 2), peers), compared((1, 2), peers[::-1])
    assert row == back
    values = [numerator / denominator for numerator, denominator in peers]
    found = [row["peers_low"], row["peers_median"], row["peers_high"]]
    assert found == pytest.approx(list(np.percentile(values, [25, 50, 75])), rel=1e-12)


@pytest.mark.parametrize(
    ("own", "direction", "verdict", "place"),
    [
        ((41, 100), 1, "strength", 2),
        ((40, 100), 1, "neither", 2),
        ((20, 100), 1, "neither", 4),
        ((19, 100), 1, "weakness", 5),
        ((19, 100), -1, "strength", 2),
        ((20, 100), -1, "neither", 2),
        ((40, 100), -1, "neither", 4),
        ((41, 100), -1, "weakness", 5),
    ],
)
def test_a_strength_is_better_than_the_better_quartile(
    own: tuple[int, int], direction: int, verdict: str, place: int
) -> None:
    """The peers' quartiles are 0.2 and 0.4; to be just on one is neither."""
    row = compared(own, FIVE, direction=direction)
    assert (row["verdict"], row["place"]) == (verdict, place)


@pytest.mark.parametrize(
    ("interval", "verdict"), [((0.31, 0.99), "strength"), ((0.30, 0.99), "neither")]
)
def test_what_chance_could_do_to_graduates_is_no_strength(
    interval: tuple[float, float], verdict: str
) -> None:
    """All the peers' graduates together are at 150 of 500 = 0.3."""
    row = compared((60, 100), FIVE, kind="outcome_share", interval=interval)
    assert (row["verdict"], row["pooled"]) == (verdict, 0.3)


def test_four_peers_are_too_few_for_a_verdict() -> None:
    assert compared((90, 100), FIVE[:4])["verdict"] == "neither"
    assert compared((90, 100), FIVE)["verdict"] == "strength"


def test_a_small_cohort_is_compared_without_verdict() -> None:
    row = compared((9, 9), FIVE, status="small_cohort")
    assert (row["verdict"], row["place"], row["peers"]) == ("neither", 1, 5)


def test_without_data_of_its_own_a_unit_has_no_place() -> None:
    row = compared((0, 0), FIVE, status="no_data")
    assert (row["verdict"], row["place"], row["peers_median"]) == ("neither", None, 0.3)


def test_kpis_that_say_not_what_is_better_are_not_compared(example_round: Round) -> None:
    """Scored KPIs have their direction, gates ask for more; the rest is shown alone."""
    directions = example_round.table("param_kpi").drop_nulls("direction")
    assert dict(directions.select("kpi", "direction").rows()) == dict.fromkeys(
        (
            *("employment_rate", "in_specialty_rate", "dual_share", "accredited_share"),
            *("certified_share", "institution_accredited"),
        ),
        1,
    )
    assert set(example_round.table("peer_comparison")["kpi"]) <= set(directions["kpi"])


# --------------------------------------------------------------------------- by qualification, dual


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """EX-01: workers 2 of 3, specialists 1 of 1, not stated 0 of 1; EX-02 in KZ-71: workers 0 of 1.

    One worker of EX-01 in the army is left out. Dual training: 1 of the 2 students of EX-01, none
    of EX-02; EX-03 has evening students alone.
    """
    worker, specialist = "3W01120101", "4S01120102"
    dual = students("EX-01", 2)
    rows = together(
        {
            "colleges": [college("EX-01"), college("EX-02", region="KZ-71"), college("EX-03")],
            "students": [
                *dual,
                *students("EX-02", 3),
                *students("EX-03", 4, study_form="evening"),
            ],
            "dual_agreements": [agreement(dual[0])],
            "graduates": [
                *graduates("EX-01", employed=2, unemployed=1, qualification=worker),
                graduate("EX-01", "employed", qualification=specialist),
                graduate("EX-01", qualification="01120103"),
                graduate(
                    "EX-01",
                    "military_service",
                    destination_source="military_register",
                    qualification=worker,
                ),
                graduate("EX-02", qualification=worker),
            ],
        }
    )
    return run_tables(tmp_path_factory.mktemp("levels"), rows)


def test_employment_by_level_counts_as_the_rate_does(levels: Round) -> None:
    rows = levels.table("employment_by_qualification").drop("value").rows()
    assert rows == [
        ("EX-01", "not_stated", 0, 1),
        ("EX-01", "specialist", 1, 1),
        ("EX-01", "worker", 2, 3),
        ("EX-02", "worker", 0, 1),
    ]


def test_a_nations_level_is_a_sum_and_no_mean(levels: Round) -> None:
    rows = levels.table("region_employment_by_qualification")
    nation = row_of(rows, region="KZ", level="worker")
    assert (nation["numerator"], nation["denominator"], nation["value"]) == (2, 4, 0.5)
    assert row_of(rows, region="KZ-71", level="worker")["denominator"] == 1


def test_the_levels_of_a_unit_add_up_to_its_employment_rate(example_round: Round) -> None:
    sums = (
        example_round.table("employment_by_qualification")
        .group_by("college_id")
        .agg(pl.col("numerator", "denominator").sum())
    )
    values = example_round.table("kpi_values").filter(
        pl.col("kpi") == "employment_rate", pl.col("denominator") > 0
    )
    columns = ("college_id", "numerator", "denominator")
    assert sorted(sums.select(columns).rows()) == sorted(values.select(columns).rows())


def test_colleges_with_dual_training_are_counted_apart_from_students(levels: Round) -> None:
    """Of the two colleges with a contingent one has dual training, of its students one of five."""
    assert levels.table("dual_colleges").rows() == [
        ("KZ", 1, 2, 0.5),
        ("KZ-35", 1, 1, 1.0),
        ("KZ-71", 0, 1, 0.0),
    ]
    students_of = row_of(levels.table("region_kpis"), region="KZ", kpi="dual_share")
    assert students_of["value"] == 0.2


# ----------------------------------------------------------------------------- expected employment

Cell = tuple[str, str, str, int, int]
"""College, field, level, graduates, employed."""

REGIONS = {"A": "KZ-35", "B": "KZ-35", "C": "KZ-35", "D": "KZ-35", "E": "KZ-71", "F": "KZ-71"}


def expected(cells: Sequence[Cell]) -> dict[str, Row]:
    """Return what is expected of each college, by id."""
    columns = {
        "college_id": pl.String,
        "isced_field": pl.String,
        "level": pl.String,
        "graduates": pl.Int64,
        "employed": pl.Int64,
    }
    rows = made(
        "expected_employment",
        graduate_groups=pl.DataFrame(cells, schema=columns, orient="row"),
        unit_profile=pl.DataFrame({"college_id": [*REGIONS], "region": [*REGIONS.values()]}),
    )
    return {row["college_id"]: row for row in rows.iter_rows(named=True)}


def by_hand(cells: Sequence[Cell]) -> dict[str, tuple[float, float, tuple[int, int, int]]]:
    """Return expected, variance and graduates by step, from the definition, one cell at a time."""
    found = {}
    for college_id in {cell[0] for cell in cells}:
        pools: dict[Any, list[float]] = {}
        for _, field, level, n, _ in (cell for cell in cells if cell[0] == college_id):
            others = [cell for cell in cells if cell[0] != college_id]
            alike = [cell for cell in others if cell[1:3] == (field, level)]
            near = [cell for cell in alike if REGIONS[cell[0]] == REGIONS[college_id]]
            for step, pool in enumerate((near, alike, others)):
                m = sum(cell[3] for cell in pool)
                if m >= 30 and len({cell[0] for cell in pool}) >= 3:
                    name = (step,) if step == 2 else (step, field, level)
                    entry = pools.setdefault(name, [0, m, sum(cell[4] for cell in pool) / m])
                    entry[0] += n
                    break
        rates = [(name[0], *entry) for name, entry in pools.items()]
        found[college_id] = (
            sum(n * p for _, n, _, p in rates),
            sum(n * p * (1 - p) * (1 + n / m) for _, n, m, p in rates),
            tuple(int(sum(n for step, n, *_ in rates if step == one)) for one in range(3)),
        )
    return found


def test_a_college_is_expected_to_do_as_the_others_of_its_field_level_and_region() -> None:
    """B, C and D place 6, 7 and 8 of 10, so 21 of 30 = 0.7; A has 20, so 14 are expected; 18 found
    work: 4 more, or 20 points. Chance: 20 x 0.7 x 0.3 x (1 + 20/30) = 7.
    """
    cells: list[Cell] = [
        ("A", "0715", "worker", 20, 18),
        ("B", "0715", "worker", 10, 6),
        ("C", "0715", "worker", 10, 7),
        ("D", "0715", "worker", 10, 8),
        ("E", "0715", "worker", 90, 0),
        ("F", "0715", "specialist", 90, 0),
    ]
    row = expected(cells)["A"]
    assert (row["observed"], row["expected"], row["difference"]) == (18, 14, 4)
    assert (row["observed_share"], row["expected_share"]) == (0.9, 0.7)
    assert row["difference_share"] == 0.2
    assert row["variance"] == 7
    assert row["graduates_by_region"] == row["graduates"] == 20


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ([("B", 10, 6), ("C", 10, 7), ("D", 9, 8)], "29 graduates"),
        ([("B", 20, 6), ("C", 20, 7)], "two other colleges"),
    ],
)
def test_too_few_others_give_way_to_the_nation(
    others: list[tuple[str, int, int]], why: str
) -> None:
    """With E's 100 graduates of the same field and level in the other region, but F's not."""
    cells: list[Cell] = [
        ("A", "0715", "worker", 20, 18),
        *((unit, "0715", "worker", n, employed) for unit, n, employed in others),
        ("E", "0715", "worker", 100, 50),
        ("F", "0715", "specialist", 100, 0),
    ]
    row = expected(cells)["A"]
    whole = sum(n for _, n, _ in others) + 100
    found = sum(employed for *_, employed in others) + 50
    assert (row["graduates_by_region"], row["graduates_by_field"]) == (0, 20), why
    assert float(row["expected"]) == pytest.approx(20 * found / whole, abs=1e-6)


def test_where_nobody_else_teaches_a_field_all_others_count() -> None:
    """The others of all fields place 60 of 120: half of A's 10 welders and 6 nurses together."""
    cells: list[Cell] = [
        ("A", "0715", "worker", 10, 9),
        ("A", "0913", "worker", 6, 6),
        ("B", "0111", "worker", 40, 30),
        ("C", "0111", "worker", 40, 20),
        ("E", "0111", "worker", 40, 10),
    ]
    row = expected(cells)["A"]
    assert (row["expected"], row["graduates_by_nation"]) == (8, 16)
    assert float(row["variance"]) == pytest.approx(16 * 0.25 * (1 + 16 / 120), abs=1e-6)


def test_with_fewer_than_three_others_nothing_is_expected() -> None:
    row = expected([("A", "0715", "worker", 50, 9), ("B", "0715", "worker", 60, 6)])["A"]
    assert (row["observed"], row["expected"], row["difference"], row["variance"]) == (
        9,
        *[None] * 3,
    )


GROUPS = st.lists(
    st.tuples(
        st.sampled_from([*REGIONS]),
        st.sampled_from(["0715", "0913"]),
        st.sampled_from(["worker", "specialist"]),
        st.integers(1, 40),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda group: group[:3],
).map(lambda groups: [(*group[:4], round(group[3] * group[4])) for group in groups])


@FEW
@given(GROUPS)
def test_the_select_says_what_the_definition_says(cells: list[Cell]) -> None:
    hand = by_hand(cells)
    for college_id, row in expected(cells).items():
        whole, variance, steps = hand[college_id]
        told = ("graduates_by_region", "graduates_by_field", "graduates_by_nation")
        if not sum(steps):
            assert row["expected"] is None
            continue
        assert tuple(row[name] for name in told) == steps
        assert sum(steps) == row["graduates"]
        assert float(row["expected"]) == pytest.approx(whole, abs=1e-5)
        assert float(row["variance"]) == pytest.approx(variance, abs=1e-5)
        assert row["difference"] == row["observed"] - row["expected"]


@FEW
@given(GROUPS, st.floats(0, 1))
def test_nothing_that_a_college_does_changes_what_is_expected_of_it(
    cells: list[Cell], share: float
) -> None:
    changed = [(*cell[:4], round(cell[3] * share)) if cell[0] == "A" else cell for cell in cells]
    before, after = expected(cells).get("A"), expected(changed).get("A")
    told = ("expected", "variance", "graduates_by_region")
    assert (before and [before[name] for name in told]) == (after and [after[n] for n in told])


@FEW
@given(GROUPS)
def test_where_all_do_alike_nobody_differs(cells: list[Cell]) -> None:
    """Half of every group in work: nothing is left to explain."""
    alike = [(*cell[:3], 2 * cell[3], cell[3]) for cell in cells]
    for row in expected(alike).values():
        assert row["difference"] in (0, None)


# -------------------------------------------------------------------------------- rounds of little


def test_a_round_without_registers_has_no_profile_and_still_runs(tmp_path: Path) -> None:
    empty = run_tables(tmp_path, together({"colleges": [college("EX-01")]}))
    tables = (
        *("unit_specialties", "unit_clusters", "cluster_profile", "peers", "peer_comparison"),
        *("employment_by_qualification", "expected_employment"),
        *("region_employment_by_qualification", "graduate_groups"),
    )
    assert [empty.table(table).height for table in tables] == [0] * len(tables)
