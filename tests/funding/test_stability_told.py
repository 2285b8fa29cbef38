"""What `kpi stability` says: ranges in words, marks, three forms, three languages, files."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from funding.stability import Stability, stability_of
from funding.stability_told import (
    as_json,
    effects_told,
    in_tree_order,
    index_told,
    money_told,
    moves_told,
    noise_title,
    noise_told,
    range_told,
    shift_told,
    variance_told,
    variation_name,
)
from kpi.cli import app
from kpi.language import LANGUAGES, speaker
from kpi.rounds import Round
from kpi.variations import variations

EN = speaker("en")


@pytest.fixture(scope="module")
def astana(astana_round: Round) -> Stability:
    """What Astana's assessment rests on."""
    return stability_of(astana_round)


def said(text: str) -> str:
    """A text with plain spaces."""
    return text.replace("\u00a0", " ")


def test_ranges_are_said_in_words() -> None:
    assert range_told(EN, {"rank_low": 14, "rank_high": 31}) == "ranks 14–31"
    assert range_told(EN, {"rank_low": 14, "rank_high": 14}) == "rank 14"
    assert range_told(speaker("ru"), {"rank_low": 14, "rank_high": 31}) == "места 14–31"
    assert range_told(speaker("kk"), {"rank_low": 14, "rank_high": 31}) == "14–31-орындар"


def test_an_index_is_said_with_its_interval_and_no_minus_nought() -> None:
    row = {"total": -0.0004, "total_low": -0.004, "total_high": 0.031}
    assert said(index_told(EN, row, "total")) == "0 % (0 to 3)"
    row = {"first": 0.683, "first_low": 0.641, "first_high": 0.724}
    assert said(index_told(EN, row, "first")) == "68 % (64 to 72)"


def test_astana_is_told_what_is_true_there(astana: Stability, astana_round: Round) -> None:
    methodology = astana_round.methodology
    assert said(variance_told(EN, methodology, astana.variance)) == (
        "Differences in score come most from Staff: its weight is 25 %, its share 60 %"
    )
    assert moves_told(EN, methodology, astana.moves) == (
        "What moves ranks most: without the KPI: Staff. 17 of 23 colleges change rank, by"
        " 1.7 places on average"
    )
    assert money_told(EN, methodology, astana.moves) == ""
    staff = astana.moves.row(by_predicate=pl.col("code") == "staff", named=True)
    assert shift_told(EN, methodology, staff) == "1.7 places; High level +1 −2"
    assert "the money" not in effects_told(EN, astana.effects.effects)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variation_has_a_name_in_every_language(
    language: str, astana_round: Round, example_round: Round
) -> None:
    for of_round in (astana_round, example_round):
        methodology = of_round.methodology
        names = [
            variation_name(speaker(language), methodology, one.kind, one.code)
            for one in variations(methodology)
        ]
        assert len(set(names)) == len(names)
        assert not any("[no " in name or "{" in name for name in names)


def test_where_nobody_is_undecided_the_title_says_so(
    astana: Stability, astana_round: Round
) -> None:
    sure = astana.ranks.with_columns(top_share=pl.col("is_top").cast(pl.Float64))
    assert "change nobody's place at the top" in noise_title(EN, astana_round.methodology, sure)
    assert "of 0 colleges the weights decide" in noise_told(EN, astana_round.methodology, sure)


def test_a_group_stands_before_what_is_in_it(example_round: Round) -> None:
    done = stability_of(example_round)
    rows = [(row["depth"], row["code"]) for row in in_tree_order(done.variance)]
    assert rows[:3] == [(0, "outcomes"), (1, "employment_rate"), (1, "in_specialty_rate")]


def test_json_holds_everything_and_its_marks(astana: Stability, astana_round: Round) -> None:
    told = json.loads(as_json(astana_round, astana))
    assert (told["round"], told["version"]) == ("2024-25", "draft-1")
    assert told["rules_status"] == "illustrative"
    assert len(told["ranks"]) == 23
    assert {row["factor"] for row in told["effects"]} == {
        "dropped_kpi",
        "normaliser",
        "aggregator",
        "weights",
    }
    assert told["levels"]["dropped_kpi"][0] is None


# the command


def command(of_round: Round, *more: str) -> list[str]:
    """`kpi stability` in the round's store."""
    return ["stability", "--store", str(of_round.path.parent.parent), *more]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_says_its_marks_and_all_its_parts(example_round: Round, language: str) -> None:
    done = CliRunner().invoke(app, command(example_round, "--language", language))
    assert done.exit_code == 0, done.output
    assert "[no " not in done.stdout
    words = speaker(language)
    for sentence in (
        "draft, not published",
        "weights, gates and leagues are illustrative",
        "Range of ranks",
        "Share of variance",
        "With all others",
    ):
        assert words.say(sentence) in done.stdout
    assert "16" in done.stdout


def test_csv_is_the_moves_and_files_are_all_four(example_round: Round, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, command(example_round, "--format", "csv", "--to", str(tmp_path)))
    assert done.exit_code == 0, done.output
    rows = pl.read_csv(done.stdout.encode())
    assert rows.columns[:5] == ["round", "version", "rules_status", "kind", "code"]
    assert rows.height == len(variations(example_round.methodology))
    names = sorted(path.name for path in tmp_path.glob("*.csv"))
    stem = f"{example_round.name}-{example_round.version}-stability"
    assert names == [f"{stem}-{name}.csv" for name in ("effects", "moves", "ranks", "variance")]
    ranks = pl.read_csv(tmp_path / f"{stem}-ranks.csv")
    assert {"college_id", "name_ru", "region", "rank_low", "rank_high"} <= set(ranks.columns)


def test_a_format_that_there_is_not_is_a_wrong_call(example_round: Round) -> None:
    done = CliRunner().invoke(app, command(example_round, "--format", "xml"))
    assert done.exit_code != 0
    assert "There is no such format" in str(done.exception)
