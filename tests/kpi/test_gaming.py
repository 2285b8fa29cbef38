"""Every KPI that something hangs on has a text on how it can be moved."""

import pytest

from kpi.gaming import LOOK, SIGN_NAMES, SIGNS_OF, WATCH, WAYS, ways_of
from kpi.history import history
from kpi.methodology import Methodology
from kpi.resources import data_folder
from kpi.signs import SIGNS

SHIPPED = sorted(path.name for path in (data_folder() / "methodology").iterdir())
NATIONAL = "median_wage"
"""The one counter-figure that has no national value."""


def paid_for(methodology: Methodology) -> set[str]:
    scored = {kpi.code for kpi in methodology.kpis if kpi.score}
    return scored | {gate.kpi for gate in methodology.gates}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_kpi_that_is_scored_or_a_gate_has_a_way_and_a_counter_figure(name: str) -> None:
    for version in history("methodology", name, Methodology):
        for code in paid_for(version.file):
            assert ways_of(code), f"{code}: nobody has thought it through"
            for way in ways_of(code):
                assert way in WATCH or way in LOOK, f"{way}: nothing to watch"


def test_every_way_belongs_to_a_shipped_kpi_and_nothing_is_watched_beside_it() -> None:
    codes = {
        code
        for name in SHIPPED
        for version in history("methodology", name, Methodology)
        for code in paid_for(version.file)
    }
    assert {way.partition(".")[0] for way in WAYS} == codes
    assert WATCH.keys() | LOOK.keys() == WAYS.keys()


def test_what_is_watched_is_another_kpi_of_the_methodology() -> None:
    [version] = history("methodology", "kpi", Methodology)
    known = {kpi.code for kpi in version.file.kpis}
    for way, watched in WATCH.items():
        assert set(watched) <= known
        assert way.partition(".")[0] not in watched


def test_the_counter_figures_of_the_issue_are_watched() -> None:
    """Excluded share, dropout, declared against verified, intake of special needs."""
    watched = {code for codes in WATCH.values() for code in codes}
    assert {
        "excluded_share",
        "dropout_rate",
        "verified_share",
        "employment_declared_rate",
        NATIONAL,
    } <= watched
    assert any("special needs" in text for text in LOOK.values())


def test_a_kpi_that_this_product_does_not_know_has_no_way() -> None:
    assert ways_of("made_up") == []
    assert ways_of("employment") == ["employment.declared"], "not those of employment_rate"


def test_every_sign_has_a_name_and_a_way_that_it_gives_away() -> None:
    assert SIGN_NAMES.keys() == set(SIGNS)
    assert {sign for signs in SIGNS_OF.values() for sign in signs} == set(SIGNS)
    assert SIGNS_OF.keys() <= WAYS.keys()
