"""The explanation of one college: every step from the stored rows, nothing computed anew."""

from typing import Any

import polars as pl
import pytest
from inputs import row_of

from funding.explain import Step, explain_college, find_college
from kpi.errors import CallError
from kpi.formats import plain
from kpi.rounds import Round

COLLEGES = [*(f"EX-{number:02d}" for number in range(1, 12)), "EX-03B"]
UNIT_OF = {"EX-03B": "EX-03", "EX-11": "EX-03"}
CLOSED = "EX-10"
WORDS_OF = {
    "few_students": "24 students counted, fewer than 25",
    "employment_rate": "employment_rate is",
    "closed": "status is closed",
}
PAID_STEPS = ["college", "kpis", "score", "rank", "gates", "students", "share", "norm", "amount"]


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


def text_of(steps: list[Step]) -> str:
    return "\n".join(step.text() for step in steps)


def rows_of(done: Round, table: str, college_id: str) -> list[dict[str, Any]]:
    mine = done.table(table).filter(pl.col("college_id") == unit_of(college_id))
    return list(mine.iter_rows(named=True))


@pytest.mark.parametrize("college_id", COLLEGES)
def test_every_college_is_explained_by_steps_with_stable_ids(done: Round, college_id: str) -> None:
    ids = [step.id for step in explain_college(done, college_id)]
    assert ids == ([*PAID_STEPS[:5], "amount"] if college_id == CLOSED else PAID_STEPS)


@pytest.mark.parametrize("college_id", COLLEGES)
def test_a_step_shows_its_id_its_title_and_its_lines(done: Round, college_id: str) -> None:
    for step in explain_college(done, college_id):
        assert step.lines
        assert all(step.lines)
        assert step.text().startswith(f"[{step.id}] {step.title}\n    ")
        assert "None" not in step.text()
        assert "Decimal" not in step.text()


@pytest.mark.parametrize("college_id", COLLEGES)
def test_the_college_step_says_for_which_unit_it_counts(done: Round, college_id: str) -> None:
    step = by_id(explain_college(done, college_id))["college"].text()
    profile = row_of(done.table("unit_profile"), college_id=unit_of(college_id))
    assert f"{profile['college_id']}  {profile['name_ru']}" in step
    assert f"students counted on 2025-10-01: {profile['students']:,}" in step
    assert ("counts for the unit" in step) is (college_id in UNIT_OF)
    for member in (member for member, unit in UNIT_OF.items() if unit == unit_of(college_id)):
        assert f"with the rows of {member}" in step
    assert "illustrative" in step
    assert done.version in step


@pytest.mark.parametrize("college_id", COLLEGES)
def test_every_kpi_is_shown_with_its_stored_counts(done: Round, college_id: str) -> None:
    lines = by_id(explain_college(done, college_id))["kpis"].lines
    rows = {row["kpi"]: row for row in rows_of(done, "kpi_values", college_id)}
    assert [line.split(":")[0] for line in lines if line.split(":")[0] in rows] == [
        line.split(":")[0] for line in lines
    ]
    assert len(lines) == len(rows) >= 18
    for line in lines:
        row = rows[line.split(":")[0]]
        counts = f": {plain(row['numerator'])} / {plain(row['denominator'])} = "
        assert counts in line
        assert (row["status"] == "ok") is ("[" not in line)
        if row["status"] != "ok":
            assert f"[{row['status']}]" in line
        if row["value"] is None:
            assert "no data" in line
        elif row["kind"].endswith("share"):
            assert f"{100 * row['value']:.1f} %" in line
        if row["low"] is not None:
            assert f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %" in line


@pytest.mark.parametrize("college_id", COLLEGES)
def test_the_score_and_the_rank_are_the_stored_ones_or_the_reason_why_not(
    done: Round, college_id: str
) -> None:
    steps = by_id(explain_college(done, college_id))
    [ranking] = rows_of(done, "ranking", college_id)
    score, rank = steps["score"].text(), steps["rank"].text()
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
        if row["normalised"] is not None:
            shown = f"{row['normalised']:.4f}"
            assert any(
                line.startswith(row["code"]) and shown in line for line in steps["score"].lines
            )
            assert f"x {row['weight']:.4f} = {row['contribution']:.4f}" in score


@pytest.mark.parametrize("college_id", COLLEGES)
def test_each_gate_is_shown_with_its_stored_result_and_distance(
    done: Round, college_id: str
) -> None:
    lines = by_id(explain_college(done, college_id))["gates"].lines
    rows = rows_of(done, "gates", college_id)
    assert len(lines) == len(rows) == 3
    for row in rows:
        [line] = [line for line in lines if line.startswith(f"{row['gate']}: ")]
        assert f"{plain(row['numerator'])} / {plain(row['denominator'])} against" in line
        assert f"against {plain(row['threshold'])} (illustrative)" in line
        assert (": passed" in line) is row["passed"]
        assert (": not passed" in line) is not row["passed"]
        assert line.endswith(f"decided by {row['decided_by']}")
        assert (f"short by {row['short_by']:,}" in line) if row["short_by"] else "short" not in line


@pytest.mark.parametrize("college_id", [c for c in COLLEGES if c != CLOSED])
def test_the_money_goes_from_students_to_the_stored_amount(done: Round, college_id: str) -> None:
    steps = by_id(explain_college(done, college_id))
    [total] = rows_of(done, "funding", college_id)
    lines = rows_of(done, "funding_lines", college_id)
    assert lines
    for row in lines:
        assert f"{row['specialty']}: {row['students']:,}" in steps["students"].lines
        assert (
            f"{row['specialty']}: {row['students']:,} x ({row['base_norm']:,} +"
            f" {row['incentive_norm']:,}) = {row['amount']:,}"
        ) in steps["amount"].lines
        assert row["amount"] == row["students"] * (row["base_norm"] + row["incentive_norm"])
    assert f"together {total['students']:,}" in steps["students"].lines
    assert steps["share"].lines[0].startswith(f"{plain(total['share'])}: ")
    assert steps["amount"].lines[-1] == (
        f"base {total['base_amount']:,} + incentive {total['incentive_amount']:,}"
        f" = {total['amount']:,} ₸"
    )
    assert sum(row["amount"] for row in lines) == total["amount"]
    norm = steps["norm"].text()
    assert "base 437,000 (official" in norm
    assert "full 912,000 (official" in norm


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
    [line] = [line for line in steps["kpis"].lines if line.startswith("employment_rate:")]
    assert " / 8 = " in line
    assert "[small_cohort]" in line
    assert "not ranked" in steps["score"].text()
    assert "small_cohort" in steps["gates"].text()
    assert "21,888,000 ₸" in steps["amount"].lines[-1]


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
            assert f"= {amount:,} ₸" in text_of(explain_college(done, college_id))


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
