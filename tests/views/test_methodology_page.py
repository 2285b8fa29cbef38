"""By what rule? The page tells the files in force, and nothing else."""

import ast
import datetime as dt
import os
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from screens import Open, texts

from kpi.access import Role
from kpi.methodology import Aggregate, Kind, Missing, Normalise, Treat
from kpi.rounds import open_round
from views.frame.rules import rules_on

PARTS = ["kpis", "gates", "counting", "rule", "gaming", "history"]
PUBLISHED = "2025-26/v1"


def test_it_opens_with_the_versions_and_with_official_and_illustrative_apart(
    open_page: Open,
) -> None:
    # official: the two norms. The rest of `threshold` (11) and all of `example` (40) is our reading
    app = open_page("methodology", round=PUBLISHED)
    told = texts(app).replace("\\", "")
    assert "Values of the rules: 2 official, 51 illustrative" in told
    assert "Ranking by KPIs for the worked example (example), in force from 01.09.2024" in told
    assert "Per-student norm by gates (threshold), in force from 01.09.2025" in told
    assert ":green-badge[official] :gray[Ministry of Education, January 2025]" in told
    assert ":orange-badge[illustrative]" in told


def test_each_kpi_has_its_definition_goalposts_weight_and_missing_rule(open_page: Open) -> None:
    told = texts(open_page("methodology", round=PUBLISHED)).replace("\\", "")
    assert "Of the cohort less the excluded, those in work" in told
    assert "weight 35\u00a0% · 40\u00a0% gives 0 points, 95\u00a0% gives 100" in told
    assert "without a value the college is not ranked · small cohort below 10 people" in told
    assert "Share of students in dual training" in told


def test_the_select_of_a_kpi_is_the_one_that_the_address_names(open_page: Open) -> None:
    app = open_page("methodology", round=PUBLISHED, kpi="dual_share")
    assert "FROM kpi_contingent" in app.code[0].value
    assert "FROM cohort" in open_page("methodology", round=PUBLISHED, kpi="nonsense").code[0].value


def keys_of(name: str) -> set[str]:
    """The keys of a table of words of the page, which cannot be imported: it would be drawn."""
    page = Path(__file__).parents[2] / "views" / "methodology.py"
    for node in ast.parse(page.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            assert isinstance(node.value, ast.Dict)
            return {ast.literal_eval(key) for key in node.value.keys if key is not None}
    raise KeyError(name)


def test_there_are_words_for_whatever_a_methodology_can_state() -> None:
    assert keys_of("KINDS") == set(get_args(Kind))
    assert keys_of("NORMALISED") == set(get_args(Normalise)) - {"goalposts"}, "goalposts say theirs"
    assert keys_of("TREATED") == set(get_args(Treat))
    assert keys_of("AGGREGATES") == set(get_args(Aggregate))
    assert keys_of("MISSING") == set(get_args(Missing))


def test_a_gate_says_its_threshold_and_what_happens_without_data(open_page: Open) -> None:
    told = texts(open_page("methodology", round=PUBLISHED, part="gates")).replace("\\", "")
    assert "at least 70\u00a0%" in told
    assert "small cohort: judged by the counts · no data: not passed" in told
    assert "the first 2 by rank" in told
    assert "up to rank 7" in told
    assert told.count("asked for by the funding rule") == 3


def test_the_draft_under_the_leagues_asks_for_no_gate_and_states_shares(open_page: Open) -> None:
    gates = texts(open_page("methodology", part="gates", round="2025-26/draft-2"))
    assert gates.replace("\\", "").count("not asked for by the funding rule") == 3
    told = texts(open_page("methodology", part="rule", round="2025-26/draft-2")).replace("\\", "")
    assert "by leagues" in told
    assert "Share of the incentive part for league 2" in told
    assert "60\u00a0%" in told


def test_who_is_counted_names_the_days_of_the_round_and_the_sources(open_page: Open) -> None:
    told = texts(open_page("methodology", part="counting", round=PUBLISHED)).replace("\\", "")
    assert "First day of graduation of the cohort (`cohort_from`): **01.09.2024**" in told
    assert "Agreements and accreditations have to be in force (`kpi_on`): **01.10.2025**" in told
    assert "Full-time students on kpi_on, academic leave left out" in told
    assert "pension contributions, employment contract, register of entrepreneurs" in told


def test_the_counter_figures_are_the_nations(open_page: Open) -> None:
    told = texts(open_page("methodology", part="gaming", round=PUBLISHED)).replace("\\", "")
    stored = open_round(Path(os.environ["KPI_STORE"]), "2025-26", "v1").table("region_kpis")
    nation = stored.filter(pl.col("region") == "KZ", pl.col("kpi") == "excluded_share")
    row = nation.row(0, named=True)
    assert f"({row['numerator']:.0f} of {row['denominator']:.0f})" in told
    assert "median has no national sum" in told
    assert "special needs" in told


def test_a_director_sees_no_national_value_of_a_draft(open_page: Open) -> None:
    app = open_page("methodology", Role.DIRECTOR, part="gaming", round="2025-26/draft-2")
    assert app.info[0].value.startswith("National values are shown once a round is published")


def test_the_history_says_what_the_law_changed(open_page: Open) -> None:
    app = open_page("methodology", part="history", round=PUBLISHED)
    told = texts(app).replace("\\", "")
    assert "Full norm, national average, tenge per student and year**: 437,000 → 912,000" in told
    assert "1 version\n" in told
    assert "2 versions\n" in told


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_speaks_the_language(open_page: Open, part: str, language: str) -> None:
    app = open_page("methodology", language=language, part=part)
    assert not app.exception
    own = [line for line in texts(app).splitlines() if "[no " in line]
    assert not own


@pytest.mark.parametrize("part", PARTS)
def test_without_a_round_it_tells_what_is_in_force_today(
    open_page: Open, tmp_path: Path, part: str
) -> None:
    app = open_page("methodology", store=tmp_path / "empty", part=part)
    assert not app.exception
    assert "what is in force today" in texts(app)
    assert "Ranking by KPIs (kpi), in force from" in texts(app).replace("\\", "")


def test_todays_rules_are_those_of_its_academic_year() -> None:
    rules = rules_on(dt.date(2026, 8, 31))
    assert rules.days["count_on"] == dt.date(2025, 10, 1)
    assert rules.rule.full.value == 912_000
    assert rules_on(dt.date(2025, 8, 31)).rule.full.value == 437_000
    assert rules_on(dt.date(2025, 9, 1)).days["count_on"] == dt.date(2025, 10, 1)
