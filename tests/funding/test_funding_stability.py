"""What ranking and money rest on: every variation is a full run under files that say the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from inputs import run, write_rule
from small_rounds import METHODOLOGY, Edit, Varied, assert_same, edited

from funding.scenario import Desk
from funding.stability import (
    RANK_SHIFT,
    SHARE_CHANGES,
    all_effects_of,
    moves_of,
    rules_with,
    stability_of,
)
from kpi.ranking import framework_of
from kpi.rounds import Round
from kpi.stability import facts_of, leagues_of, places_of
from kpi.variations import Variation, variations


@pytest.fixture(scope="module")
def desk(varied: Varied) -> Iterator[Desk]:
    """The varied round, opened once."""
    opened = Desk(varied.draft, varied.store)
    yield opened
    opened.close()


def variation(desk: Desk, kind: str, code: str) -> Variation:
    """One variation of the round's methodology."""
    found = [
        one for one in variations(desk.rules.methodology) if (one.kind, one.code) == (kind, code)
    ]
    assert len(found) == 1
    return found[0]


# the law: a variation is a full run under files that say the same

SCORE = (
    'score = {{ parent = "{}", weight = {}, direction = 1, normalise = "goalposts", floor = {},'
    ' target = {}, missing = "{}" }}\n'
)
EMPLOYMENT = SCORE.format("outcomes", "0.35", "0.40", "0.95", "not_ranked")
DUAL = SCORE.format("partnership", "0.30", "0", "0.60", "reweight")
CERTIFIED = SCORE.format("quality", "0.05", "0", "1", "reweight")
ACCREDITED = SCORE.format("quality", "0.15", "0", "1", "reweight")
OF_ALL = 'reference = "Definition published by the statistics bureau (facts.toml, rate_of_all)"\n'
ILLUSTRATIVE = 'status = "illustrative"\n'


def without_dual() -> list[Edit]:
    """dual_share scored no more, its group gone, the index made of what is left."""
    text = METHODOLOGY.read_text(encoding="utf-8")
    [group] = re.findall(r'\[\[groups\]\]\ncode = "partnership"\n(?:.+\n)+', text)
    index = 'code = "index"\n'
    return [(DUAL, ""), (group, ""), (index, index + "weight = 0.70\n")]


def counted_of_all() -> list[Edit]:
    """employment_rate_of_all wherever employment_rate stood."""
    listed = '["employment_rate", "dual_share", '
    new = '["employment_rate_of_all", "dual_share", '
    return [
        (EMPLOYMENT, ""),
        (OF_ALL + ILLUSTRATIVE, OF_ALL + ILLUSTRATIVE + EMPLOYMENT),
        ('kpi = "employment_rate"', 'kpi = "employment_rate_of_all"'),
        (listed + '"accredited_share"]', new + '"accredited_share"]'),
        (listed + '"institution_accredited"]', new + '"institution_accredited"]'),
    ]


def test_a_kpi_dropped_with_its_group_is_a_full_run(
    varied: Varied, desk: Desk, tmp_path: Path
) -> None:
    file = edited(METHODOLOGY, tmp_path / "m.toml", without_dual())
    held(varied, desk, variation(desk, "drop_kpi", "dual_share"), file)


def test_a_kpi_dropped_beside_a_sibling_is_a_full_run(
    varied: Varied, desk: Desk, tmp_path: Path
) -> None:
    edits = [(CERTIFIED, ""), (ACCREDITED, ACCREDITED.replace("0.15", "0.20"))]
    file = edited(METHODOLOGY, tmp_path / "m.toml", edits)
    held(varied, desk, variation(desk, "drop_kpi", "certified_share"), file)


@pytest.mark.parametrize("how", ["min_max", "percentile_rank", "z_score", "distance_to_target"])
def test_another_normaliser_is_a_full_run(
    varied: Varied, desk: Desk, tmp_path: Path, how: str
) -> None:
    text = METHODOLOGY.read_text(encoding="utf-8")
    goalposts = r'normalise = "goalposts", floor = [\d.]+, (target = [\d.]+,)'
    file = tmp_path / "m.toml"
    says = {"z_score": "deviation = 10,", "distance_to_target": r"\1"}.get(how, "")
    file.write_text(re.sub(goalposts, f'normalise = "{how}", {says}', text), encoding="utf-8")
    held(varied, desk, variation(desk, "normaliser", how), file)


@pytest.mark.parametrize("how", ["geometric", "harmonic"])
def test_another_aggregator_is_a_full_run(
    varied: Varied, desk: Desk, tmp_path: Path, how: str
) -> None:
    text = METHODOLOGY.read_text(encoding="utf-8")
    file = tmp_path / "m.toml"
    file.write_text(text.replace('"arithmetic"', f'"{how}"'), encoding="utf-8")
    held(varied, desk, variation(desk, "aggregator_all", how), file)
    file.write_text(text.replace('"arithmetic"', f'"{how}"', 1), encoding="utf-8")
    held(varied, desk, variation(desk, "aggregator_index", how), file)


def test_declared_accepted_is_a_full_run(varied: Varied, desk: Desk, tmp_path: Path) -> None:
    text = METHODOLOGY.read_text(encoding="utf-8")
    file = tmp_path / "m.toml"
    accepted = re.sub(r"^sources = \[(.+)\]$", r'sources = [\1, "declared"]', text, flags=re.M)
    file.write_text(accepted, encoding="utf-8")
    held(varied, desk, variation(desk, "declared", "accepted"), file)


def test_another_definition_of_employment_is_a_full_run(
    varied: Varied, desk: Desk, tmp_path: Path
) -> None:
    file = edited(METHODOLOGY, tmp_path / "m.toml", counted_of_all())
    rule = tmp_path / "rule.toml"
    edited(varied.rule, rule, [("'employment_rate'", "'employment_rate_of_all'")])
    of = variation(desk, "employment_definition", "employment_rate_of_all")
    held(varied, desk, of, file, rule)


def held(
    varied: Varied, desk: Desk, of: Variation, methodology: Path, rule: Path | None = None
) -> None:
    """Hold a variation against a full run, and the ranks made on arrays against both."""
    rules = rules_with(desk.rules, of.methodology)
    outcome = desk.outcome(rules)
    assert_same(outcome, varied.full_run(methodology, rule))
    assert not outcome.ranking.equals(desk.outcome(desk.rules).ranking)
    facts = facts_of(*desk.facts(rules), of.methodology)
    places = places_of(facts, framework_of(of.methodology))
    ranking = outcome.ranking.sort("college_id")
    assert places.rank[0].tolist() == ranking["rank"].fill_null(0).to_list()
    leagues = leagues_of(places, facts, of.methodology.leagues)[0]
    assert leagues.tolist() == ranking["league"].fill_null(0).to_list()


# what moves


def test_what_moves_is_the_difference_of_the_two_runs(desk: Desk) -> None:
    """employment_rate_of_all: told apart from the nominal round college by college."""
    row = moves_of(desk).row(by_predicate=pl.col("code") == "employment_rate_of_all", named=True)
    of = variation(desk, "employment_definition", "employment_rate_of_all")
    before, after = desk.outcome(desk.rules), desk.outcome(rules_with(desk.rules, of.methodology))
    paid = dict(before.funding.select("college_id", "amount").iter_rows())
    now = dict(after.funding.select("college_id", "amount").iter_rows())
    assert row["tenge_gained"] == sum(max(now[one] - paid[one], 0) for one in paid)
    assert row["tenge_lost"] == sum(max(paid[one] - now[one], 0) for one in paid)
    shares = [
        dict(one.funding.select("college_id", "share").iter_rows()) for one in (before, after)
    ]
    assert row["gained"] == sum(shares[1][one] > shares[0][one] for one in paid)
    assert row["lost"] == sum(shares[1][one] < shares[0][one] for one in paid)
    ranks = [dict(one.ranking.select("college_id", "rank").iter_rows()) for one in (before, after)]
    both = [one for one in paid if ranks[0][one] and ranks[1][one]]
    assert row["moved"] == sum(ranks[0][one] != ranks[1][one] for one in both)
    assert row["ranked"] == len(both)


def test_by_gates_no_choice_of_scoring_moves_tenge(desk: Desk) -> None:
    """The money rests on who passes the gates: on what is counted, not on how it is scored."""
    moves = moves_of(desk)
    scoring = moves.filter(~pl.col("kind").is_in(["employment_definition", "declared"]))
    assert scoring["moved"].sum() > 0
    for column in ("gained", "lost", "tenge_gained", "tenge_lost"):
        assert scoring[column].sum() == 0
    effects = all_effects_of(desk).effects.filter(pl.col("outcome") == SHARE_CHANGES)
    told = dict(effects.select("factor", "total").iter_rows())
    assert told["weights"] == told["normaliser"] == told["dropped_kpi"] == 0
    assert told["declared"] > 0


def test_by_leagues_the_scoring_moves_tenge_and_noise_in_the_weights_may(
    example_round_leagues: Round,
) -> None:
    done = stability_of(example_round_leagues)
    scoring = done.moves.filter(pl.col("kind") == "drop_kpi")
    assert (scoring["tenge_gained"] + scoring["tenge_lost"]).max() > 0
    effects = done.effects.effects.filter(pl.col("outcome") == SHARE_CHANGES)
    assert effects["total"].max() > 0.1


def test_the_desk_is_as_it_was(desk: Desk) -> None:
    """What was varied leaves nothing behind."""
    moves_of(desk)
    assert desk.outcome(desk.rules).ranking.equals(desk.baseline.ranking)
    assert desk.outcome(desk.rules).funding.equals(desk.baseline.funding)


# an assessment: no funding, levels instead of leagues


def test_an_assessment_is_asked_the_same_but_for_tenge(astana_round: Round) -> None:
    """Without its staff block 17 of Astana's 23 colleges change places, by up to 8."""
    done = stability_of(astana_round)
    staff = done.moves.row(by_predicate=pl.col("code") == "staff", named=True)
    assert (staff["ranked"], staff["moved"], staff["largest_shift"]) == (23, 17, 8)
    assert (staff["entered_top"], staff["left_top"]) == (1, 2)
    assert done.moves["tenge_lost"].null_count() == done.moves.height
    assert set(done.effects.effects["outcome"]) == {RANK_SHIFT}
    assert done.ranks.height == 23
    assert done.variance.height == 4


def test_a_round_without_funding_is_opened_for_its_ranking_alone(astana_round: Round) -> None:
    opened = Desk(astana_round, needs_money=False)
    stored = astana_round.table("ranking")
    again = opened.ranking(opened.rules).sort("college_id")
    assert again.equals(stored.select(again.columns).sort("college_id"))
    opened.close()


def test_what_the_engine_cannot_apply_is_said_and_not_left_out(
    varied: Varied, tmp_path: Path
) -> None:
    """Scored by z-scores, the round has no geometric mean: the row stands, and says so."""
    text = METHODOLOGY.read_text(encoding="utf-8")
    goalposts = r'normalise = "goalposts", floor = [\d.]+, target = [\d.]+,'
    file = tmp_path / "m.toml"
    file.write_text(re.sub(goalposts, 'normalise = "z_score",', text), encoding="utf-8")
    rule = write_rule(tmp_path / "rule.toml")
    draft = run(varied.folder, tmp_path / "rounds", methodology=file, rule=rule)
    done = stability_of(draft)
    refused = done.moves.filter(~pl.col("is_applied"))
    assert ("aggregator_all", "geometric") in refused.select("kind", "code").rows()
    assert refused["moved"].null_count() == refused.height
    assert "aggregator" not in done.effects.levels
