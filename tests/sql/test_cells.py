"""Cells of a cohort: graduates of whom the columns say the same, and what each counts for."""

from pathlib import Path

import polars as pl
import pytest
from inputs import Row, college, graduate, row_of, run, run_tables

from kpi.resources import data_folder
from kpi.rounds import Round

FLAGS = [
    *("dual", "claims_work", "is_employed", "is_excluded", "is_studying"),
    *("declared_employed", "declared_excluded", "is_unknown", "is_in_specialty", "is_certified"),
]
PEOPLE: list[tuple[set[str], Row]] = [
    ({"claims_work", "is_employed", "declared_employed"}, graduate(destination="employed")),
    ({"claims_work", "is_employed", "declared_employed"}, graduate(destination="employed")),
    (
        {"dual", "claims_work", "is_employed", "declared_employed", "is_in_specialty"}
        | {"is_certified"},
        graduate(destination="employed", dual=True, in_specialty=True, certificate_id="X-1"),
    ),
    (
        {"claims_work", "declared_employed", "is_unknown"},
        graduate(destination="employed", destination_source="declared"),
    ),
    (
        {"is_excluded", "is_studying", "declared_excluded"},
        graduate(destination="further_study", destination_source="enrolment_register"),
    ),
    (
        {"is_excluded", "declared_excluded", "is_certified"},
        graduate(
            destination="military_service",
            destination_source="military_register",
            certificate_id="X-2",
        ),
    ),
    (set(), graduate()),
    (set(), graduate()),
    ({"is_unknown"}, graduate(destination="unknown")),
]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    before = graduate(destination="employed", graduated_on="2024-06-30")  # another cohort
    tables = {
        "colleges": [college(), college("EX-02")],
        "graduates": [*(row for _, row in PEOPLE), before, graduate("EX-02")],
    }
    done = run_tables(tmp_path_factory.mktemp("cells"), tables, methodology="kpi")
    return done.table("cohort_cells")


def test_who_is_alike_is_one_cell_and_nobody_is_in_two(cells: pl.DataFrame) -> None:
    """Nine graduates: two in work by the register, two unemployed, five alone in their cells."""
    own = cells.filter(pl.col("college_id") == "EX-01")
    assert own["graduates"].sum() == len(PEOPLE)
    assert sorted(own["graduates"]) == [1, 1, 1, 1, 1, 2, 2]
    for said, _ in PEOPLE:
        alike = sum(flags == said for flags, _ in PEOPLE)
        row = row_of(own, **{flag: flag in said for flag in FLAGS})
        assert row["graduates"] == alike


def test_a_cell_is_of_one_college(cells: pl.DataFrame) -> None:
    [other] = cells.filter(pl.col("college_id") == "EX-02").to_dicts()
    assert {flag for flag in FLAGS if other[flag]} == set()
    assert other["graduates"] == 1


def test_no_flag_is_unknown(cells: pl.DataFrame) -> None:
    assert sum(cells.null_count().row(0)) == 0


@pytest.mark.parametrize("methodology", ["kpi", "example"])
def test_cells_add_up_to_the_counts_of_every_kpi_that_they_can_tell(
    methodology: str, tmp_path: Path
) -> None:
    """Each graduate of a cell counts as the KPI's own SELECT counts one; all together are the
    KPI's numerator and denominator, in every college.
    """
    done = run(data_folder() / "example", tmp_path, methodology=methodology)
    cells, members = done.table("cohort_cells"), done.table("cell_kpis")
    joined = cells.join(members, on=FLAGS, how="inner")
    sums = joined.group_by("college_id", "kpi").agg(
        (pl.col("graduates") * pl.col(part)).sum().cast(pl.Float64).alias(f"of_{part}")
        for part in ("numerator", "denominator")
    )
    told = set(members["kpi"])
    assert {"employment_rate", "in_specialty_rate", "certified_share"} <= told
    counted = done.table("kpi_values").filter(pl.col("kpi").is_in(told))
    both = counted.join(sums, on=["college_id", "kpi"], how="left").fill_null(0)
    for part in ("numerator", "denominator"):
        assert both[part].cast(pl.Float64).to_list() == both[f"of_{part}"].to_list()
    assert both["denominator"].sum() > 0


def test_what_needs_more_of_a_graduate_is_not_told(example_round: Round) -> None:
    """A median is no share of people, and the contingent is no cohort."""
    told = set(example_round.table("cell_kpis")["kpi"])
    assert not told & {"median_wage", "dual_share", "employers_per_100"}


def test_points_alone_give_no_intervals(tmp_path: Path) -> None:
    """An assessment round: nobody graduates in it, so nothing is drawn, and leaders have no
    chance.
    """
    folder = data_folder() / "astana-2024-25"
    done = run(folder, tmp_path, round_id="2024-25", methodology="assessment")
    assert done.table("ranking")["rank_low"].null_count() == done.table("ranking").height
    assert done.table("ranking")["rank"].drop_nulls().len() > 0
    assert done.table("chances").is_empty()
    assert done.table("cohort_cells").is_empty()
    assert done.table("leaders")["chance"].null_count() == done.table("leaders").height
