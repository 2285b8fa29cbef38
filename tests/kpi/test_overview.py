"""Where the country stands: regions, leagues, quality of the data, what is left to do."""

from decimal import Decimal

import polars as pl
import pytest

from kpi.dated import Stated, StatedValue, Strict
from kpi.overview import (
    above,
    by_group,
    hanging,
    illustrative,
    left_to_do,
    place_kpis,
    quality,
    tiles,
)


def region_kpis(*rows: tuple[str, str, int | None, int | None]) -> pl.DataFrame:
    """Rows of the table: region, KPI, numerator, denominator; empty ones are hidden."""
    return pl.DataFrame(
        [
            {
                "region": region,
                "kpi": kpi,
                "kind": "flag" if kpi == "institution_accredited" else "outcome_share",
                "numerator": part,
                "denominator": whole,
                "value": None if part is None or not whole else part / whole,
                "suppressed": "numerator denominator value" if part is None else None,
            }
            for region, kpi, part, whole in rows
        ],
        schema_overrides={"numerator": pl.Int64, "value": pl.Float64, "suppressed": pl.String},
    )


REGIONS = pl.DataFrame({"region": ["KZ-15", "KZ-35", "KZ-71"], "tile_col": [2, 5, 5]})


def test_the_lowest_value_stands_at_0_the_highest_at_1_and_others_between() -> None:
    rows = tiles(
        region_kpis(("KZ-15", "e", 6, 10), ("KZ-35", "e", 8, 10), ("KZ-71", "e", 7, 10)),
        REGIONS,
        "e",
    )
    assert rows["position"].to_list() == pytest.approx([0, 1, 0.5])


def test_a_region_that_is_hidden_or_has_no_data_has_no_place_on_the_scale() -> None:
    rows = tiles(region_kpis(("KZ-15", "e", None, None), ("KZ-35", "e", 8, 10)), REGIONS, "e")
    assert rows["position"].to_list() == [None, 0.5, None]
    assert rows["suppressed"].to_list() == ["numerator denominator value", None, None]


def test_above_the_country_is_strictly_above() -> None:
    rows = tiles(region_kpis(("KZ-15", "e", 8, 10), ("KZ-35", "e", 9, 10)), REGIONS, "e")
    assert above(rows, 0.8) == 1


def test_what_is_yes_or_no_for_a_college_is_a_share_of_the_colleges_of_a_region() -> None:
    [row] = place_kpis(region_kpis(("KZ", "institution_accredited", 6, 8))).values()
    assert (row["kind"], row["value"]) == ("register_share", 0.75)


def test_colleges_by_league_with_those_that_get_the_incentive() -> None:
    ranking = pl.DataFrame(
        {
            "college_id": list("abcde"),
            "rank": [1, 2, 3, 4, None],
            "league": [1, 1, 2, 2, None],
            "level": ["high", "high", "high", "low", None],
        }
    )
    funding = pl.DataFrame(
        {
            "college_id": list("abcde"),
            "share": [Decimal(1), Decimal(0), Decimal("0.6"), None, Decimal(0)],
        }
    )
    rows = by_group(ranking, funding).rows()
    assert rows == [(1, 2, 1), (2, 2, 1), (None, 1, 0)]
    assert by_group(ranking, None).rows() == [(1, 2, None), (2, 2, None), (None, 1, None)]
    levels = by_group(ranking, None, "level")
    assert levels.select("level", "colleges").rows() == [("high", 3), ("low", 1), (None, 1)]


def test_the_region_that_loses_most_of_its_rows_stands_first() -> None:
    counts = pl.DataFrame(
        {
            "table_name": ["students", "graduates", "students", "students"],
            "college_id": ["a", "a", "b", "nobody"],
            "read": [90, 10, 100, 4],
            "rejected": [4, 1, 2, 4],
        }
    )
    colleges = pl.DataFrame({"college_id": ["a", "b"], "region": ["KZ-15", "KZ-35"]})
    verified = region_kpis(
        ("KZ-15", "verified_share", 9, 10),
        ("KZ-35", "verified_share", 5, 10),
        ("KZ-71", "verified_share", 8, 10),
        ("KZ", "verified_share", 22, 30),
    )
    rows = quality(counts, colleges, verified)
    assert rows["region"].to_list() == [None, "KZ-15", "KZ-35", "KZ-71"]
    assert rows["read"].to_list() == [4, 100, 100, None]
    assert rows["rejected_share"].to_list() == [1.0, 0.05, 0.02, None]
    assert rows["value"].to_list() == [None, 0.9, 0.5, 0.8]


GATES = pl.DataFrame(
    {
        "college_id": ["a", "a", "b", "c"],
        "gate": ["employment_rate", "dual_share", "dual_share", "dual_share"],
        "passed": [True, False, True, True],
        "passed_rejected_for": [True, True, True, True],
        "passed_rejected_against": [False, False, True, True],
    }
)


def test_a_gate_hangs_where_the_rejected_rows_would_turn_its_result() -> None:
    assert hanging(GATES).select("college_id", "gate").rows() == [
        ("a", "employment_rate"),
        ("a", "dual_share"),
    ]


class _Part(Stated):
    pass


class _File(Stated):
    one: StatedValue[int]
    two: StatedValue[int]
    parts: list[_Part]
    plain: int = 0


def _file() -> _File:
    said = {"reference": "x"}
    return _File(
        **said,
        status="illustrative",
        one=StatedValue[int](value=1, status="official", **said),
        two=StatedValue[int](value=2, status="illustrative", **said),
        parts=[_Part(status="illustrative", **said), _Part(status="official", **said)],
    )


def test_illustrative_values_are_counted_and_the_file_itself_is_none() -> None:
    assert illustrative(_file()) == 2


def test_errors_are_open_until_a_waiver_accepts_them() -> None:
    findings = pl.DataFrame({"severity": ["error", "error", "warning"]})
    dated: list[Strict] = [_file()]
    draft = left_to_do(findings, GATES, dated, accepted=0)
    assert (draft.open_errors, draft.waived_errors, draft.warnings) == (2, 0, 1)
    assert (draft.hanging_colleges, draft.illustrative) == (1, 2)
    version = left_to_do(findings, None, dated, accepted=2)
    assert (version.open_errors, version.waived_errors, version.hanging_colleges) == (0, 2, 0)
