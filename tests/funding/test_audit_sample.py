"""The audit sample: what is drawn, what is filled in, and what that says about the whole."""

import json
import math
import shutil
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    HEAVY,
    THEORY,
    WORKSHOP,
    accreditation,
    agreement,
    college,
    graduate,
    graduates,
    run_tables,
    students,
    together,
    write_rule,
)
from scipy.stats import gamma

from funding.audit_sample import AuditSample, _hits, draw_sample
from funding.audit_sheet import (
    Evaluation,
    Result,
    evaluate_sheet,
    evaluation_lines,
    write_audit_sheet,
)
from funding.stringer import confidence_factor, stringer_bound
from kpi.errors import CallError, DataError
from kpi.rounds import Round

P95 = Decimal("0.95")
NUMBER, STUDENTS, AMOUNT, FOUND_STUDENTS, FOUND_AMOUNT, REMARK = 1, 9, 12, 13, 14, 15
"""Columns of the sheet, from 1."""


# ---- what is drawn ----


def amounts_of(done: Round) -> dict[tuple[str, str], int]:
    lines = done.table("funding_lines")
    return {(row["college_id"], row["specialty"]): row["amount"] for row in lines.to_dicts()}


def hits_of(sample: AuditSample) -> Counter[tuple[str, str]]:
    return Counter(
        {(line.row["college_id"], line.row["specialty"]): line.hits for line in sample.lines}
    )


@given(
    amounts=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    size=st.integers(1, 9),
)
def test_over_all_starts_a_line_is_drawn_in_exact_proportion_to_its_amount(
    amounts: list[int], size: int
) -> None:
    # there are as many starts as tenge; over them all, a line of `amount` tenge gets size x amount
    # points, and one smaller than the interval never two at once: its chance is amount / interval
    total = sum(amounts)
    points: Counter[int] = Counter()
    for start in range(total):
        hits = _hits(amounts, size, Fraction(start, size))
        assert sum(hits.values()) == size
        for place, times in hits.items():
            points[place] += times
            share = Fraction(amounts[place] * size, total)
            assert math.floor(share) <= times <= math.ceil(share)
        for place, amount in enumerate(amounts):
            assert place in hits or amount * size < total  # as large as the interval: certain
    assert points == {place: size * amount for place, amount in enumerate(amounts)}


def test_over_many_seeds_a_line_is_drawn_in_proportion_to_its_amount(
    example_round: Round,
) -> None:
    amounts, size, seeds = amounts_of(example_round), 6, 300
    interval = sum(amounts.values()) / size
    drawn: Counter[tuple[str, str]] = Counter()
    for seed in range(seeds):
        drawn += hits_of(draw_sample(example_round, size, seed, targeted=0))
    for line, amount in amounts.items():
        share = amount / interval
        spread = math.sqrt(seeds * (share % 1) * (1 - share % 1))
        assert abs(drawn[line] - seeds * share) <= 4 * spread + 1e-9, line


def test_the_same_call_draws_the_same_sample_and_another_seed_another(
    example_round: Round,
) -> None:
    one, same = draw_sample(example_round, 8, 5), draw_sample(example_round, 8, 5)
    assert (one.start, one.lines) == (same.start, same.lines)
    assert len({draw_sample(example_round, 8, seed).start for seed in range(20)}) == 20


def test_points_stand_one_interval_apart_and_each_is_a_hit(example_round: Round) -> None:
    total = sum(amounts_of(example_round).values())
    for size in (1, 5, 40):
        sample = draw_sample(example_round, size, 1, targeted=0)
        assert sample.interval == Fraction(total, size)
        assert 0 <= sample.start < sample.interval
        assert sum(line.hits for line in sample.lines) == size


def test_a_line_as_large_as_the_interval_is_in_for_certain(example_round: Round) -> None:
    amounts = amounts_of(example_round)
    for seed in range(30):
        sample = draw_sample(example_round, 15, seed, targeted=0)
        large = {line for line, amount in amounts.items() if amount >= sample.interval}
        drawn = hits_of(sample)
        assert large
        assert large <= drawn.keys()
        certain = {(x.row["college_id"], x.row["specialty"]) for x in sample.lines if x.certain}
        assert certain == large
        assert sample.certain_total == sum(amounts[line] for line in large)
        assert all(times == 1 for line, times in drawn.items() if line not in large)


@pytest.mark.parametrize(("size", "seed", "targeted"), [(0, 1, 1), (5, -1, 1), (5, 1, -1)])
def test_numbers_out_of_range_are_a_wrong_call(
    example_round: Round, size: int, seed: int, targeted: int
) -> None:
    with pytest.raises(CallError, match="out of range"):
        draw_sample(example_round, size, seed, targeted)


def test_a_round_that_pays_nothing_has_no_sample(tmp_path: Path) -> None:
    tables = {"colleges": [college()], "students": students("EX-01", 5, funding_source="self_paid")}
    with pytest.raises(CallError, match="pays nothing"):
        draw_sample(run_tables(tmp_path, tables), 5, 1)


# ---- lines looked at for a reason ----


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """Four colleges of ten graduates: EX-01 with 7 in work (just enough), EX-02 with 8, EX-03 with
    6 in work and 3 by declaration alone, EX-04 with 8 and 1; all with two specialties.
    """
    parts = []
    for college_id, employed, declared in (
        ("EX-01", 7, 0),
        ("EX-02", 8, 0),
        ("EX-03", 6, 3),
        ("EX-04", 8, 1),
    ):
        members = students(college_id, 6, specialty=THEORY)
        members += students(college_id, 4, specialty=WORKSHOP)
        by_word = [
            graduate(college_id, "employed", destination_source="declared") for _ in range(declared)
        ]
        rest = 10 - employed - declared
        parts.append(
            {
                "colleges": [college(college_id)],
                "students": members,
                "graduates": [*graduates(college_id, employed, rest), *by_word],
                "dual_agreements": [agreement(of) for of in members[:5]],
                "accreditations": [
                    accreditation(college_id),
                    # an agency that nobody knows: a warning, to be waived
                    *([accreditation(college_id, HEAVY, agency="WHO")] if rest == 3 else []),
                ],
            }
        )
    return run_tables(tmp_path_factory.mktemp("edges"), together(*parts))


def waived(of_round: Round, path: Path, *waivers: dict[str, Any]) -> Round:
    """The round as published with these waivers."""
    copy = path / of_round.name / "v1"
    shutil.copytree(of_round.path, copy)
    held = [{"by": "A. Reader", "reason": "a test"} | waiver for waiver in waivers]
    receipt = of_round.receipt | {"waivers": held}
    (copy / "receipt.json").write_text(json.dumps(receipt), encoding="utf-8")
    return Round(copy)


def looked_at(sample: AuditSample, reason: str) -> set[str]:
    return {line.row["college_id"] for line in sample.lines if getattr(line, reason)}


def test_a_unit_that_passes_a_gate_by_one_person_is_looked_at(edges: Round) -> None:
    sample = draw_sample(edges, 1, 1)
    assert looked_at(sample, "just_above") == {"EX-01"}
    assert {tuple(x.just_above) for x in sample.lines if x.just_above} == {("employment_rate",)}


def test_under_leagues_the_gates_of_the_leagues_are_meant(example_round_leagues: Round) -> None:
    # EX-05 stands exactly on two thresholds: 7 of 10 and 5 of 25
    lines = draw_sample(example_round_leagues, 1, 1).lines
    [gates] = {tuple(x.just_above) for x in lines if x.row["college_id"] == "EX-05"}
    assert gates == ("dual_share", "employment_rate")


def test_employment_by_declaration_alone_is_looked_at_the_most_first(edges: Round) -> None:
    both = draw_sample(edges, 1, 1)
    assert {(x.row["college_id"], x.declared) for x in both.lines if x.declared} == {
        ("EX-03", 3),
        ("EX-04", 1),
    }
    for seed in range(5):
        assert looked_at(draw_sample(edges, 1, seed, targeted=1), "declared") == {"EX-03"}


def test_units_with_a_waived_finding_are_looked_at(edges: Round, tmp_path: Path) -> None:
    findings = edges.findings().filter(pl.col("check_name") == "unknown_agency")
    assert set(findings["college_id"]) == {"EX-01"}
    everywhere = waived(edges, tmp_path / "all", {"check": "unknown_agency", "college_id": None})
    assert looked_at(draw_sample(everywhere, 1, 1), "waived") == {"EX-01"}
    elsewhere = waived(edges, tmp_path / "no", {"check": "unknown_agency", "college_id": "EX-02"})
    assert looked_at(draw_sample(elsewhere, 1, 1), "waived") == set()
    assert looked_at(draw_sample(edges, 1, 1), "waived") == set()


def test_a_line_is_listed_once_with_all_its_reasons(edges: Round, tmp_path: Path) -> None:
    done = waived(edges, tmp_path, {"check": "unknown_agency"})
    sample = draw_sample(done, 20, 1)
    lines = [(line.row["college_id"], line.row["specialty"]) for line in sample.lines]
    assert len(lines) == len(set(lines)) == 8
    [line] = [x for x in sample.lines if x.just_above and x.row["specialty"] == THEORY]
    assert line.hits and line.certain and line.waived and line.just_above
    sheet = openpyxl.load_workbook(write_audit_sheet(sample, tmp_path / "s.xlsx", "en")).worksheets[
        1
    ]
    reasons = {row[6].value for row in sheet.iter_rows(min_row=3)}
    assert (
        "in for certain; waived: unknown_agency; just above the gate: Employed, excluded left out"
        " (derived)"
    ) in reasons


def test_no_more_units_are_drawn_than_asked_for(example_round: Round) -> None:
    for targeted in (0, 1, 2):
        sample = draw_sample(example_round, 1, 3, targeted)
        for reason in ("waived", "declared", "just_above"):
            assert len(looked_at(sample, reason)) <= targeted


# ---- the factors and the bound ----


def test_the_factors_are_those_of_the_published_table() -> None:
    # AICPA Audit Guide "Audit Sampling", confidence factors for 5 % and 10 % risk: rounded up
    published = {
        "0.95": ["3.00", "4.75", "6.30", "7.76", "9.16", "10.52"],
        "0.90": ["2.31", "3.89", "5.33", "6.69", "8.00", "9.28"],
    }
    for confidence, factors in published.items():
        ours = [confidence_factor(errors, Decimal(confidence)) for errors in range(6)]
        cents = [f.quantize(Decimal("0.01"), rounding=ROUND_CEILING) for f in ours]
        assert [str(factor) for factor in cents] == factors


@given(errors=st.integers(0, 400), percent=st.integers(50, 99))
def test_the_factors_are_those_of_the_gamma_distribution(errors: int, percent: int) -> None:
    ours = confidence_factor(errors, Decimal(percent) / 100)
    theirs = gamma.ppf(percent / 100, errors + 1)
    assert -1e-9 <= float(ours) - theirs <= 1.1e-6  # six places, rounded up


def test_a_case_worked_by_hand() -> None:
    """Books of 10,000,000 tenge, 50 points: interval 200,000; two lines overstated, one by 40 % of
    its amount and one by 10 %, none in for certain.

    projected      200,000 x (0.40 + 0.10)                                   =   100,000
    basic          200,000 x 2.995733                                        =   599,146.6
    first error    200,000 x (4.743865 - 2.995733) x 0.40 = 349,626.4 x 0.40 =   139,850.56
    second error   200,000 x (6.295794 - 4.743865) x 0.10 = 310,385.8 x 0.10 =    31,038.58
    upper limit                                                                  770,035.74
    """
    results = [
        Result(1, 50_000, 30_000, sampled=True, certain=False),
        Result(2, 100_000, 90_000, sampled=True, certain=False),
        Result(3, 80_000, 80_000, sampled=True, certain=False),
    ]
    stages = stringer_bound(Fraction(200_000), [Fraction(1, 10), Fraction(2, 5)], P95)
    parameters = {"total": 10_000_000, "certain_total": 0, "size": 50}
    evaluation = Evaluation(parameters, P95, results, stages)
    amounts = [Decimal("599146.6"), Decimal("139850.56"), Decimal("31038.58")]
    assert [stage.amount for stage in stages] == amounts
    assert [stage.taint for stage in stages] == [1, Fraction(2, 5), Fraction(1, 10)]
    assert evaluation.projected_overstatement == 100_000
    assert evaluation.upper_limit == 770_036


def test_certain_lines_are_taken_as_found_and_understatement_stands_apart() -> None:
    results = [
        Result(1, 900_000, 850_000, sampled=True, certain=True),
        Result(2, 700_000, 710_000, sampled=True, certain=True),
        Result(3, 100_000, 125_000, sampled=True, certain=False),
        Result(4, 60_000, 10_000, sampled=False, certain=False),
    ]
    stages = stringer_bound(Fraction(200_000), [], P95)
    parameters = {"total": 10_000_000, "certain_total": 1_600_000, "size": 50}
    evaluation = Evaluation(parameters, P95, results, stages)
    assert evaluation.projected_overstatement == 50_000  # the line looked at is not projected
    assert evaluation.upper_limit == 50_000 + 599_147
    assert evaluation.projected_understatement == 10_000 + 50_000  # 200,000 x 25 %


def test_the_limit_of_a_part_is_never_more_than_its_books() -> None:
    stages = stringer_bound(Fraction(200_000), [], P95)
    parameters = {"total": 1_000_000, "certain_total": 700_000, "size": 5}
    assert Evaluation(parameters, P95, [], stages).upper_limit == 300_000


def test_the_bound_covers_the_truth_about_as_often_as_it_promises() -> None:
    # one line in ten is overstated by half; over all its samples the limit must hold in 95 of 100
    amounts = [100 + place % 7 for place in range(300)]
    wrong = {place for place in range(300) if place % 10 == 3}
    truth = sum(Fraction(amounts[place], 2) for place in wrong)
    total, size = sum(amounts), 40
    covered, tries = 0, 0
    for start in range(0, total, 97):
        hits = _hits(amounts, size, Fraction(start, size))
        taints = [Fraction(1, 2)] * len(wrong & hits.keys())
        bound = sum(s.amount for s in stringer_bound(Fraction(total, size), taints, P95))
        covered, tries = covered + (bound >= truth), tries + 1
    assert covered >= 0.95 * tries


# ---- the sheet ----

Fill = Callable[[Any, int], None]


def as_on_the_books(sheet: Any, row: int) -> None:
    """Find every student."""
    sheet.cell(row, FOUND_STUDENTS).value = sheet.cell(row, STUDENTS).value


@pytest.fixture(scope="module")
def blank(example_round: Round, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sheet of twelve points on the worked round, not filled in."""
    path = tmp_path_factory.mktemp("sheet") / "sheet.xlsx"
    return write_audit_sheet(draw_sample(example_round, 12, 7, targeted=2), path, "en")


def filled(blank: Path, path: Path, fill: Fill = as_on_the_books, **changed: Any) -> Path:
    """Fill every line in; ``changed``: cells such as B3 with another value."""
    book = openpyxl.load_workbook(blank)
    sheet = book.worksheets[1]
    for row in range(3, sheet.max_row + 1):
        fill(sheet, row)
    for cell, value in changed.items():
        sheet[cell].value = value
    book.save(path / "filled.xlsx")
    return path / "filled.xlsx"


def test_with_no_errors_the_limit_is_three_intervals_of_the_part_that_was_drawn(
    example_round: Round, blank: Path, tmp_path: Path
) -> None:
    evaluation = evaluate_sheet(filled(blank, tmp_path))
    total = sum(amounts_of(example_round).values())
    assert evaluation.projected_overstatement == evaluation.projected_understatement == 0
    assert evaluation.drawn
    assert evaluation.certain
    limit = math.ceil(Fraction(total, 12) * Fraction("2.995733"))
    assert limit < evaluation.part
    assert evaluation.upper_limit == limit
    assert evaluation.upper_limit == pytest.approx(3 * total / 12, rel=0.002)


def test_a_wider_confidence_gives_a_higher_limit(blank: Path, tmp_path: Path) -> None:
    path = filled(blank, tmp_path)
    limits = [evaluate_sheet(path, Decimal(c)).upper_limit for c in ("0.8", "0.9", "0.95")]
    assert limits == sorted(limits)
    assert len(set(limits)) == 3


def test_a_student_less_is_worth_a_norm(blank: Path, tmp_path: Path) -> None:
    def one_less(sheet: Any, row: int) -> None:
        sheet.cell(row, FOUND_STUDENTS).value = sheet.cell(row, STUDENTS).value - 1

    for result in evaluate_sheet(filled(blank, tmp_path, one_less)).results:
        assert result.overstated in (437_000, 912_000)
        assert result.understated == 0


def test_an_amount_found_goes_before_the_students_found(blank: Path, tmp_path: Path) -> None:
    evaluation = evaluate_sheet(filled(blank, tmp_path, N3=1_000_000))
    assert evaluation.results[0].found == 1_000_000
    assert evaluation.results[1].found == evaluation.results[1].book


def test_the_sheet_computes_the_amount_as_the_evaluation_does(blank: Path) -> None:
    sheet = openpyxl.load_workbook(blank).worksheets[1]
    assert sheet["P3"].value == '=IF(N3<>"",N3,IF(M3="","",ROUND(L3*M3/I3,0)))'
    assert sheet["Q3"].value == '=IF(P3="","",L3-P3)'
    titles = [cell.value for cell in sheet[1]]
    assert titles[STUDENTS - 1] == "Students on the books"
    assert titles[AMOUNT - 1] == "Book amount, tenge per year"
    assert titles[FOUND_STUDENTS - 1] == "Students found"


def test_only_the_cells_to_fill_in_are_open(blank: Path) -> None:
    book = openpyxl.load_workbook(blank)
    assert all(sheet.protection.sheet for sheet in book.worksheets)
    for row in book.worksheets[1].iter_rows(min_row=3):
        opened = {cell.column for cell in row if not cell.protection.locked}
        assert opened == {FOUND_STUDENTS, FOUND_AMOUNT, REMARK}


def test_the_cover_states_what_the_sample_can_be_drawn_again_from(
    example_round: Round, blank: Path
) -> None:
    rows = openpyxl.load_workbook(blank).worksheets[0].iter_rows(values_only=True)
    text = {row[0]: row[1] for row in rows if row[0]}
    sample = draw_sample(example_round, 12, 7)
    assert text["Hash of the receipt (SHA-256)"] == example_round.receipt_hash
    assert text["Seed"] == "7"
    assert text["Size (points)"] == "12"
    whole, rest = divmod(sample.start.numerator, sample.start.denominator)
    assert text["Start"] == f"{whole:,} {rest}/{sample.start.denominator} ₸"
    assert {"DRAFT", "ILLUSTRATIVE", "Not covered", "Limit", "Selection"} <= text.keys()


def test_a_guarantee_without_students_needs_its_amount(tmp_path: Path) -> None:
    """What a guarantee costs is a line without a specialty and without students."""
    from funding.settlement import LINE_SCHEMA

    rule = write_rule(tmp_path / "rule.toml")
    done = run_tables(
        tmp_path, {"colleges": [college()], "students": students("EX-01", 5)}, rule=rule
    )
    lines = done.table("funding_lines")
    cost = lines.with_columns(
        specialty=pl.lit(None, pl.String),
        students=pl.lit(Decimal(0)),
        amount=pl.lit(500_000, pl.Int64),
    ).cast(LINE_SCHEMA)
    pl.concat([lines.cast(LINE_SCHEMA), cost]).write_parquet(
        done.path / "tables" / "funding_lines.parquet"
    )
    blank = write_audit_sheet(draw_sample(Round(done.path), 20, 1), tmp_path / "sheet.xlsx", "en")
    with pytest.raises(DataError, match="neither students nor amount"):
        evaluate_sheet(filled(blank, tmp_path, M3=5, M4=1))
    evaluation = evaluate_sheet(filled(blank, tmp_path, N4=400_000))
    assert [result.overstated for result in evaluation.results] == [0, 100_000]
    assert evaluation.upper_limit == evaluation.projected_overstatement == 100_000
    assert "Every line was in for certain" in "\n".join(evaluation_lines(evaluation, "en"))


# ---- bad sheets ----


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"L3": 1}, "amount is 1, was written as"),
        ({"I4": 99}, "students is 99, was written as"),
        ({"J3": 1}, "base_norm is 1"),
        ({"B3": "EX-99"}, "college_id is EX-99"),
        ({"E3": "00000000"}, "specialty is 00000000"),
        ({"H3": 7}, "hits is 7"),
        ({"A4": 1}, "stands there 2 times"),
        ({"A4": None}, "line 2: stands there 0 times"),
        ({"M3": None}, "neither students nor amount"),
        ({"M3": "ten"}, "students found is 'ten', which is no number"),
        ({"M3": "10"}, "which is no number"),
        ({"M3": True}, "which is no number"),
        ({"M3": " "}, "which is no number"),
        ({"M3": -1}, "students found is -1, which is below 0"),
        ({"N3": -5}, "amount found is -5, which is below 0"),
        ({"N3": 0.5}, "expected whole tenge"),
        ({"N3": "много"}, "amount found is 'много'"),
    ],
)
def test_a_sheet_that_was_changed_or_is_not_filled_in_right_is_refused(
    blank: Path, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError) as caught:
        evaluate_sheet(filled(blank, tmp_path, **changed))
    assert said in str(caught.value)
    assert "line " in caught.value.parts["found"]
    assert caught.value.exit_code == 1


def test_every_fault_is_named_by_its_row(blank: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        evaluate_sheet(filled(blank, tmp_path, M3=None, M4="x", L5=1))
    for number in (1, 2, 3):
        assert f"line {number} (" in caught.value.parts["found"]


def test_an_empty_sheet_is_refused(blank: Path) -> None:
    with pytest.raises(DataError, match="neither students nor amount"):
        evaluate_sheet(blank)


def test_changed_data_is_refused_even_where_the_sheet_agrees_with_it(
    blank: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(filled(blank, tmp_path))
    lines, data = book.worksheets[1], book.worksheets[2]
    line = json.loads(data["A3"].value)
    data["A3"].value = json.dumps(line | {"amount": 1})
    lines.cell(3, AMOUNT).value = 1
    book.save(tmp_path / "forged.xlsx")
    with pytest.raises(DataError, match="data of the sample in this workbook was changed"):
        evaluate_sheet(tmp_path / "forged.xlsx")


def test_rows_may_be_sorted(blank: Path, tmp_path: Path) -> None:
    path = filled(blank, tmp_path)
    before = evaluate_sheet(path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
    for place, values in enumerate(reversed(rows), start=3):
        for column, value in enumerate(values, start=1):
            sheet.cell(place, column).value = value
    book.save(path)
    assert evaluate_sheet(path) == before


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken", b"a;b\n1;2\n"])
def test_what_is_no_workbook_is_a_wrong_call(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sheet.xlsx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CallError) as caught:
        evaluate_sheet(path)
    assert caught.value.exit_code == 2
    assert str(path) in caught.value.parts["where"]


def test_another_workbook_is_a_wrong_call(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "other.xlsx")
    with pytest.raises(CallError, match="no audit sheet"):
        evaluate_sheet(tmp_path / "other.xlsx")


@pytest.mark.parametrize("confidence", ["0", "0.4", "1", "95"])
def test_a_confidence_out_of_range_is_a_wrong_call(blank: Path, confidence: str) -> None:
    with pytest.raises(CallError, match="confidence"):
        evaluate_sheet(blank, Decimal(confidence))


# ---- in words ----


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_sheet_and_result_are_whole_in_every_language(
    edges: Round, tmp_path: Path, language: str
) -> None:
    done = waived(edges, tmp_path, {"check": "unknown_agency"})
    blank = write_audit_sheet(draw_sample(done, 5, 1), tmp_path / "sheet.xlsx", language)
    book = openpyxl.load_workbook(blank)
    text = [str(c) for s in book.worksheets for row in s.iter_rows(values_only=True) for c in row]
    evaluation = evaluate_sheet(filled(blank, tmp_path))
    text += evaluation_lines(evaluation, language)
    assert f"[no {language} text]" not in "\n".join(text)


def test_the_result_says_projection_limit_method_and_what_is_not_covered(
    blank: Path, tmp_path: Path
) -> None:
    evaluation = evaluate_sheet(filled(blank, tmp_path, N3=0))
    text = "\n".join(evaluation_lines(evaluation, "en"))
    assert f"Projected overstatement: {evaluation.projected_overstatement:,}" in text
    assert f"{evaluation.upper_limit:,}" in text
    for part in ("95.0", "Stringer bound", "Not covered", "understatement", "seed 7"):
        assert part in text
