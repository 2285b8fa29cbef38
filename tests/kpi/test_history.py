"""What a dated file states, and what changed between its versions."""

import datetime as dt
from decimal import Decimal

import pytest

from funding.rule import Rule, load_rule
from kpi.dated import DatedFile
from kpi.history import Change, changes, history, stated, statuses, values
from kpi.methodology import Methodology, load_methodology
from kpi.resources import data_folder

OLD = load_rule("threshold", dt.date(2025, 8, 31))
NEW = load_rule("threshold", dt.date(2025, 9, 1))
METHODOLOGY = load_methodology("kpi", dt.date(2025, 10, 1))


def test_the_two_versions_of_the_rule_differ_in_what_the_law_changed() -> None:
    """The higher norm came on 1 September 2025, with the gates that ask for it."""
    changed = {change.path: (change.old, change.new) for change in changes(OLD, NEW)}
    assert changed.keys() == {"title", "full", "full.reference", "gates"}
    assert changed["full"] == (437_000, 912_000)
    assert changed["gates"] == ([], ["employment_rate", "dual_share", "institution_accredited"])


def test_a_version_against_itself_changes_nothing() -> None:
    assert changes(NEW, NEW) == []


def test_changes_read_backwards_are_the_same_the_other_way_round() -> None:
    forward = {(one.path, str(one.old), str(one.new)) for one in changes(OLD, NEW)}
    back = {(one.path, str(one.new), str(one.old)) for one in changes(NEW, OLD)}
    assert forward == back


def test_a_threshold_is_found_under_its_gate() -> None:
    [first, *others] = METHODOLOGY.gates
    moved = METHODOLOGY.model_copy(
        update={"gates": [first.model_copy(update={"threshold": Decimal("0.75")}), *others]}
    )
    assert changes(METHODOLOGY, moved) == [
        Change("gates.employment_rate.threshold", Decimal("0.70"), Decimal("0.75"))
    ]


def test_numbers_are_compared_as_numbers() -> None:
    [first, *others] = METHODOLOGY.gates
    same = METHODOLOGY.model_copy(
        update={"gates": [first.model_copy(update={"threshold": Decimal("0.700")}), *others]}
    )
    assert changes(METHODOLOGY, same) == []


def test_another_order_of_the_entries_is_no_change() -> None:
    turned = METHODOLOGY.model_copy(update={"kpis": METHODOLOGY.kpis[::-1]})
    assert changes(METHODOLOGY, turned) == []


def test_what_a_version_states_no_more_is_told_last_and_without_a_new_value() -> None:
    fewer = METHODOLOGY.model_copy(update={"gates": METHODOLOGY.gates[1:]})
    gone = changes(METHODOLOGY, fewer)
    assert {change.new for change in gone} == {None}
    assert [change.path for change in gone] == [
        f"gates.employment_rate.{field}"
        for field in (
            "reference",
            "status",
            "kpi",
            "threshold",
            "on_small_cohort",
            "on_no_data",
            "pooled",
        )
    ]


def test_official_are_the_two_averages_of_the_norm() -> None:
    official = [path for path, entry in stated(NEW).items() if entry.status == "official"]
    assert official == ["base", "full"]
    # 8 single values, 5 coefficients
    assert statuses(NEW) == {"official": 2, "illustrative": 11}


def test_every_part_of_the_methodology_has_a_status() -> None:
    # unit, min_students, tie_chain, dates; 7 destinations, 4 groups, 18 KPIs, 3 gates, 4 leagues
    assert statuses(METHODOLOGY) == {"illustrative": 4 + 7 + 4 + 18 + 3 + 4}


def test_values_have_paths_by_name_and_leave_out_what_is_not_stated() -> None:
    found = values(METHODOLOGY)
    assert found["kpis.employment_rate.score.floor"] == Decimal("0.40")
    assert found["leagues.1.max_count"] == 100
    assert found["unit"] == "legal_entity"
    assert found["sources.deceased.sources"] == ["civil_register"]
    assert "leagues.1.max_rank" not in found
    assert "start" not in found
    assert values(NEW)["coefficients.locality.rural.coefficient"] == 1


def test_history_tells_the_newest_version_first() -> None:
    versions = history("rules", "threshold", Rule)
    assert [version.start for version in versions] == [NEW.start, OLD.start]
    assert [change.path for change in versions[0].changes] == [
        change.path for change in changes(OLD, NEW)
    ]
    assert versions[1].changes == []


def test_a_file_of_ones_own_has_no_history() -> None:
    assert history("rules", "no-such-rule", Rule) == []


@pytest.mark.parametrize("kind", ["methodology", "rules"])
def test_every_shipped_file_can_be_told(kind: str) -> None:
    models: dict[str, type[DatedFile]] = {"methodology": Methodology, "rules": Rule}
    for folder in sorted((data_folder() / kind).iterdir()):
        for version in history(kind, folder.name, models[kind]):
            assert sum(statuses(version.file).values()) == len(stated(version.file))
            assert len(values(version.file)) > len(stated(version.file))
