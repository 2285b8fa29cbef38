"""The definition of a KPI as its SELECT states it, and the tree of weights."""

import datetime as dt
from decimal import Decimal

import pytest

from kpi.definitions import definition, select_of, weight_tree
from kpi.methodology import load_methodology
from kpi.resources import sql_folder

METHODOLOGY = load_methodology("kpi", dt.date(2025, 10, 1))
ASSESSMENT = load_methodology("assessment", dt.date(2025, 10, 1))


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ("-- One row per college: of the cohort, some.\nSELECT 1\n", "Of the cohort, some."),
        ("-- One row per college: of the\n-- cohort, some.\nSELECT 1\n", "Of the cohort, some."),
        ("-- One row per college: dual_rate of some.\nSELECT 1\n", "dual_rate of some."),
        ("-- Those with a job.\nSELECT 1\n", "Those with a job."),
        ("SELECT 1 -- no comment\n", ""),
    ],
)
def test_the_definition_is_the_opening_comment(select: str, told: str) -> None:
    assert definition(select) == told


def test_every_kpi_of_the_shipped_methodologies_has_a_definition() -> None:
    for kpi in [*METHODOLOGY.kpis, *ASSESSMENT.kpis]:
        assert definition(select_of(sql_folder(), kpi)).endswith(".")


def test_the_tree_holds_each_group_with_its_kpis_under_it() -> None:
    tree = [(node.code, node.depth, node.weight) for node in weight_tree(METHODOLOGY)]
    assert tree == [
        ("index", 0, Decimal("1")),
        ("outcomes", 1, Decimal("0.50")),
        ("employment_rate", 2, Decimal("0.35")),
        ("in_specialty_rate", 2, Decimal("0.15")),
        ("partnership", 1, Decimal("0.30")),
        ("dual_share", 2, Decimal("0.30")),
        ("quality", 1, Decimal("0.20")),
        ("accredited_share", 2, Decimal("0.15")),
        ("certified_share", 2, Decimal("0.05")),
    ]


def test_the_weights_of_a_sum_of_points_are_no_parts_of_a_whole() -> None:
    assert {node.is_summed for node in weight_tree(ASSESSMENT)} == {True}
    assert {node.is_summed for node in weight_tree(METHODOLOGY)} == {False}
