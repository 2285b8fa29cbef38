"""The explanation of one college: every step from the stored rows, nothing computed anew."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import reaches_the_gates, row_of, run_tables, students, write_rule

from funding.explain import Step, explain_college, explanation
from kpi.colleges import find_college
from kpi.errors import CallError
from kpi.language import LANGUAGES, speaker
from kpi.rounds import Round

COLLEGES = [*(f"EX-{number:02d}" for number in range(1, 12)), "EX-03B"]
UNIT_OF = {"EX-03B": "EX-03", "EX-11": "EX-03"}
CLOSED = "EX-10"
WORDS_OF = {
    "few_students": "24 students counted, fewer than 25",
    "employment_rate": "is needed and is missing",
    "closed": "status is closed",
}
RANKED = ["college", "kpis", "score", "rank", "gates"]
PAID = ["students", "coefficient", "share", "norm", "lines", "amount", "months"]
TABLE_OF = {
    "kpis": "kpi_values",
    "gates": "gates",
    "rank": "ranking",
    "students": "group_reasons",
    "coefficient": "line_coefficients",
    "share": "unit_shares",
    "lines": "funding_lines",
    "amount": "funding",
    "months": "funding_months",
}
"""Steps that carry the stored rows behind them, and the table that these are of."""

ENGLISH = speaker("en")


@pytest.fixture(params=["threshold", "leagues"])
def done(
    request: pytest.FixtureRequest, example_round: Round, example_round_leagues: Round
) -> Round:
    """The round of the twelve worked colleges, under either rule."""
    return example_round if request.param == "threshold" else example_round_leagues


def by_id(steps: list[Step]) -> dict[str, Step]:
    return {step.id: step for step in steps}


def unit_of(college_id: str) -> str:
    return UNIT_OF.get(college_id, college_id)


def rows_of(done: Round, table: str, college_id: str) -> list[dict[str, Any]]:
    mine = done.table(table).filter(pl.col("college_id") == unit_of(college_id))
    return list(mine.iter_rows(named=True))


@pytest.mark.parametrize("college_id", COLLEGES)
def test_every_college_is_explained_by_numbered_steps_with_stable_ids(
    done: Round, college_id: str
) -> None:
    steps = explain_college(done, college_id)
    assert [step.id for step in steps] == RANKED + (["amount"] if college_id == CLOSED else PAID)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("college_id", COLLEGES)
def test_every_step_can_be_read_in_every_language(
    done: Round, college_id: str, language: str
) -> None:
    words = speaker(language)
    for step in explain_college(done, college_id, language):
        text = step.text(words)
        assert text.startswith(f"{step.number}. {step.title} [{step.id}]\n    ")
        assert all(line.strip() for line in step.lines)
        for fault in ("None", "Decimal", "{", "}", f"[no {language} text]"):
            assert fault not in text


@pytest.mark.parametrize("college_id", COLLEGES)
def test_the_numbers_of_a_step_are_the_stored_rows(done: Round, college_id: str) -> None:
    steps = by_id(explain_college(done, college_id))
    for step_id, table in TABLE_OF.items():
        if step_id not in steps or not steps[step_id].rows:
            continue
        stored = rows_of(done, table, college_id)
        assert all(row in stored for row in steps[step_id].rows), step_id
        assert len(steps[step_id].rows) == len(stored), step_id


@pytest.mark.parametrize("college_id", COLLEGES)
def test_every_parameter_states_its_value_reference_version_and_status(
    done: Round, college_id: str
) -> None:
    rule, methodology = done.receipt["rule"], done.receipt["methodology"]
    versions = {f"{file['name']} {file['start']}" for file in (rule, methodology)}
    steps = explain_college(done, college_id)
    parameters = [parameter for step in steps for parameter in step.parameters]
    assert parameters
    for one in parameters:
        assert one.value
        assert one.reference
        assert one.version in versions
        assert one.status in ("official", "illustrative")
    official = {one.path for one in parameters if one.status == "official"}
    assert official == (set() if college_id == CLOSED else {"norm.base", "norm.full"})


@pytest.mark.parametrize("college_id", COLLEGES)
def test_the_college_step_says_for_which_unit_it_counts(done: Round, college_id: str) -> None:
    step = by_id(explain_college(done, college_id))["college"].text(ENGLISH)
    profile = row_of(done.table("unit_profile"), college_id=unit_of(college_id))
    assert profile["college_id"] in step
    assert f"students counted on 01.10.2025: {profile['students']}" in step
    assert ("counts for the unit" in step) is (college_id in UNIT_OF)
    for member in (member for member, unit in UNIT_OF.items() if unit == unit_of(college_id)):
        assert f"with the rows of {member}" in step
    assert "illustrative" in step
    assert done.version in step
    assert "This is a draft" in step


@pytest.mark.parametrize("college_id", COLLEGES)
def test_every_kpi_is_shown_with_its_stored_counts(done: Round, college_id: str) -> None:
    lines = by_id(explain_college(done, college_id))["kpis"].lines
    rows = rows_of(done, "kpi_values", college_id)
    assert len(lines) == len(rows) >= 18
    for row in rows:
        [line] = [line for line in lines if line.startswith(f"{row['kpi']} (")]
        counted = " / ".join(ENGLISH.number(row[part]) for part in ("numerator", "denominator"))
        assert f": {counted} = " in line
        assert (row["status"] == "ok") is not line.endswith("]")
        if row["value"] is None:
            assert "no value" in line
        elif row["kind"].endswith("share"):
            assert ENGLISH.percent(row["value"]) in line
        if row["low"] is not None:
            assert f"{ENGLISH.percent(row['low'])} to {ENGLISH.percent(row['high'])}" in line


@pytest.mark.parametrize("college_id", COLLEGES)
def test_the_score_and_the_rank_are_the_stored_ones_or_the_reason_why_not(
    done: Round, college_id: str
) -> None:
    steps = by_id(explain_college(done, college_id))
    [ranking] = rows_of(done, "ranking", college_id)
    score, rank = steps["score"].text(ENGLISH), steps["rank"].text(ENGLISH)
    if ranking["rank"] is None:
        reason = WORDS_OF[ranking["not_ranked_reason"]]
        assert reason in score
        assert reason in rank
        return
    assert f"rounded half up: {ranking['score']}" in score
    assert f"rank {ranking['rank']} of {ranking['ranked_of']}" in rank
    assert f"league {ranking['league']}" in rank
    assert ("shared by 2" in rank) is (ranking["tie_size"] == 2)
    assert bool(ranking["tie_broken_by"]) is ("told apart by" in rank)
    for row in rows_of(done, "kpi_scores", college_id):
        if row["code"] in ("index", "outcomes", "partnership", "quality"):
            continue
        [line] = [one for one in steps["score"].lines if one.startswith(f"{row['code']} (")]
        if row["normalised"] is None:
            assert "its weight goes to its neighbours" in line
        else:
            assert f"{row['normalised']:.4f}" in line
            assert line.endswith(f"× {row['weight']:.4f} = {row['contribution']:.4f}")


@pytest.mark.parametrize("college_id", COLLEGES)
def test_each_gate_is_shown_with_its_result_its_distance_and_what_rejected_rows_would_do(
    done: Round, college_id: str
) -> None:
    lines = by_id(explain_college(done, college_id))["gates"].lines
    rows = rows_of(done, "gates", college_id)
    assert len(lines) == 2 * len(rows) == 6
    for row in rows:
        [place] = [n for n, one in enumerate(lines) if one.startswith(f"{row['gate']} (")]
        line, rejected = lines[place], lines[place + 1]
        counted = " / ".join(ENGLISH.number(row[part]) for part in ("numerator", "denominator"))
        assert f"{counted} against {ENGLISH.number(row['threshold'])}: " in line
        assert (": passed" in line) is row["passed"]
        assert (": not passed" in line) is not row["passed"]
        if not row["passed"] and row["short_by"] and row["gate"] != "institution_accredited":
            assert f"short by {row['short_by']}" in line
        assert rejected.lstrip().startswith("with 0 rejected rows counted for it: ")


@pytest.mark.parametrize("college_id", [c for c in COLLEGES if c != CLOSED])
def test_the_money_goes_from_students_to_the_stored_amount(done: Round, college_id: str) -> None:
    steps = by_id(explain_college(done, college_id))
    [total] = rows_of(done, "funding", college_id)
    lines = rows_of(done, "funding_lines", college_id)
    assert lines
    for row in lines:
        paid = ENGLISH.number(row["students"])
        assert f"{row['specialty']}: {paid}" in steps["students"].lines
        assert (
            f"{row['specialty']}: {paid} × ({row['base_norm']:,} + {row['incentive_norm']:,})"
            f" = {row['amount']:,}"
        ) in steps["lines"].lines
        assert row["amount"] == row["students"] * (row["base_norm"] + row["incentive_norm"])
    assert f"together {ENGLISH.number(total['students'])}" in steps["students"].lines
    assert steps["share"].lines[0].startswith(f"{ENGLISH.number(total['share'])}: ")
    assert steps["amount"].lines == [
        f"base {total['base_amount']:,} + incentive {total['incentive_amount']:,}"
        f" = {ENGLISH.tenge(total['amount'])}"
    ]
    assert sum(row["amount"] for row in lines) == total["amount"]
    norm = steps["norm"].text(ENGLISH)
    assert "norm.base = 437,000 (official; threshold" in norm.replace("leagues 2025", "threshold")
    assert "norm.full = 912,000 (official; " in norm
    assert sum(row["amount"] for row in steps["months"].rows) == total["amount"]


def test_students_who_are_not_paid_for_are_named_with_the_reason(example_round: Round) -> None:
    """Where a college has such students; the reasons and numbers are those of group_reasons."""
    groups = example_round.table("group_reasons").drop_nulls("not_paid_reason")
    paid = example_round.table("funding")["college_id"]
    seen = 0
    for college_id, reason, count in (
        groups.filter(pl.col("college_id").is_in(paid.to_list()) & (pl.col("students") > 0))
        .group_by("college_id", "not_paid_reason")
        .agg(pl.col("students").sum())
        .rows()
    ):
        told = by_id(explain_college(example_round, college_id))["students"].lines
        assert any(line.startswith("not paid for") and line.endswith(f": {count}") for line in told)
        seen += reason is not None
    assert seen >= 3


def test_a_closed_college_is_explained_as_not_paid(done: Round) -> None:
    steps = by_id(explain_college(done, CLOSED))
    assert steps["amount"].lines == ["not paid: status closed"]


def test_a_branch_and_a_merged_college_have_the_money_of_their_unit(done: Round) -> None:
    whole = by_id(explain_college(done, "EX-03"))
    for college_id in UNIT_OF:
        part = by_id(explain_college(done, college_id))
        assert f"{college_id} counts for the unit EX-03." in part["college"].lines[0]
        assert {k: v for k, v in part.items() if k != "college"} == {
            k: v for k, v in whole.items() if k != "college"
        }


def test_eight_graduates_are_judged_and_marked_and_not_ranked(example_round: Round) -> None:
    steps = by_id(explain_college(example_round, "EX-08"))
    [line] = [line for line in steps["kpis"].lines if line.startswith("employment_rate (")]
    assert " / 8 = " in line
    assert line.endswith("[small cohort]")
    assert "not ranked" in steps["score"].text(ENGLISH)
    assert "decided by small cohort" in steps["gates"].text(ENGLISH)
    assert steps["amount"].lines[-1].endswith(ENGLISH.tenge(21_888_000))


def test_the_share_step_names_what_was_not_passed_or_the_league(
    example_round: Round, example_round_leagues: Round
) -> None:
    share = by_id(explain_college(example_round, "EX-01"))["share"].lines
    assert share == ["0: not passed: institution_accredited"]
    assert by_id(explain_college(example_round, "EX-02"))["share"].lines == [
        "1: every gate is passed"
    ]
    leagues = {
        c: by_id(explain_college(example_round_leagues, c))["share"].lines for c in COLLEGES[:9]
    }
    assert leagues["EX-01"] == ["0.6: league 2"]
    assert leagues["EX-06"] == ["0.3: league 3"]
    assert leagues["EX-08"] == ["0: not ranked, so in no league"]


def test_the_amounts_are_those_of_the_worked_table(
    example_round: Round, example_round_leagues: Round
) -> None:
    worked = {"EX-01": (12_236_000, 20_216_000), "EX-05": (20_064_000, 15_884_000)}
    for college_id, amounts in worked.items():
        for done, amount in zip((example_round, example_round_leagues), amounts, strict=True):
            told = by_id(explain_college(done, college_id))["amount"].lines[-1]
            assert told.endswith(ENGLISH.tenge(amount))


def test_an_appropriation_is_a_step_of_its_own_with_its_passes(tmp_path: Path) -> None:
    """30 students entitled to 30 x 475 000 = 14 250 000; 10 000 000 are there."""
    rule = write_rule(tmp_path / "rule.toml", appropriation=(10_000_000, "incentive"))
    done = run_tables(tmp_path, reaches_the_gates(students("EX-01", 30)), rule=rule)
    steps = by_id(explain_college(done, "EX-01"))
    assert (
        steps["appropriation"]
        .lines[0]
        .startswith("pass 1: 10,000,000 tenge for 14,250,000 tenge, point value 0.70175438596")
    )
    assert steps["appropriation"].lines[1].endswith(": 14,250,000 → 10,000,000")
    assert {one.path: one.value for one in steps["appropriation"].parameters} == {
        "appropriation.amount": "10,000,000",
        "appropriation.covers": "the incentive amounts",
    }
    assert steps["amount"].lines == [
        f"base 13,110,000 + incentive 10,000,000 = {ENGLISH.tenge(23_110_000)}"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_explanation_as_json_holds_the_same_steps_and_exact_numbers(
    example_round: Round, language: str
) -> None:
    told = json.loads(json.dumps(explanation(example_round, "EX-03B", language), default=str))
    steps = explain_college(example_round, "EX-03B", language)
    assert told["college_id"] == "EX-03"
    assert told["is_draft"] is True
    assert told["receipt_sha256"] == example_round.receipt_hash
    assert [step["id"] for step in told["steps"]] == [step.id for step in steps]
    assert [step["lines"] for step in told["steps"]] == [step.lines for step in steps]
    gates = next(step for step in told["steps"] if step["id"] == "gates")
    stored = {row["gate"]: row for row in rows_of(example_round, "gates", "EX-03")}
    for row in gates["rows"]:
        assert Decimal(row["numerator"]) == stored[row["gate"]]["numerator"]
        assert row["passed"] is stored[row["gate"]]["passed"]


def test_an_unknown_language_is_a_wrong_call(example_round: Round) -> None:
    with pytest.raises(CallError, match="no such language"):
        explain_college(example_round, "EX-01", "de")


# which college is meant


def test_a_college_is_found_by_its_id_even_where_ids_begin_alike(example_round: Round) -> None:
    for college_id in COLLEGES:
        assert find_college(example_round, college_id)["college_id"] == college_id


def test_a_college_is_found_by_a_part_of_its_name_in_any_language_and_case(
    example_round: Round,
) -> None:
    colleges = example_round.table("colleges")
    looked = 0
    for row in colleges.iter_rows(named=True):
        for column in ("name_kk", "name_ru", "name_en"):
            name = row[column]
            if (
                name
                and colleges.filter(pl.col(column).str.contains(name, literal=True)).height == 1
            ):
                for text in (name, name.upper(), name[2:]):
                    assert find_college(example_round, text)["college_id"] == row["college_id"]
                    looked += 1
    assert looked >= 12


@pytest.mark.parametrize("text", ["nobody", "EX-1", "ex-01 ", "(", "[a-z", ".*", "|", "12%"])
def test_an_unknown_name_is_a_wrong_call_and_no_pattern(example_round: Round, text: str) -> None:
    with pytest.raises(CallError) as caught:
        find_college(example_round, text)
    assert caught.value.exit_code == 2
    assert caught.value.parts["found"] == text
    assert caught.value.parts["do"]


@pytest.mark.parametrize("text", ["", "|"])
def test_a_part_of_no_name_in_particular_finds_no_college_by_chance(
    example_round: Round, text: str
) -> None:
    with pytest.raises(CallError):
        find_college(example_round, text)


def test_an_ambiguous_name_lists_the_colleges_it_may_mean(example_round: Round) -> None:
    shared = "пример"
    names = example_round.table("colleges")["name_ru"].str.to_lowercase()
    assert names.str.contains(shared).sum() > 1
    with pytest.raises(CallError) as caught:
        explain_college(example_round, shared)
    assert "Several" in caught.value.what
    listed = [line for line in caught.value.parts["expected"].split("\n") if "EX-" in line]
    assert 2 <= len(listed) <= 8
