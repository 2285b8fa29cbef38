"""The auditor's workbook as it is written: stored numbers in every cell, words, limits."""

import json
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from inputs import college, reaches_the_gates, run, students, together, write_folder, write_rule
from recalculated import Cells, Shown

from funding.workbook import documents, paper, write_workbook
from kpi.errors import CallError
from kpi.resources import data_folder
from kpi.rounds import Round

SHEETS = [
    "Receipt",
    "Parameters",
    "KPI",
    "Ranking",
    "Gates",
    "Lines",
    "Colleges",
    "Regions",
    "Findings and waivers",
]
RUN_BY_A_SPREADSHEET = ['=HYPERLINK("http://x")', "+1", "@a", "=cmd|' /C calc'!A0"]
EXCEL_2010 = set(
    "IF AND OR ISERROR FIND MAX MIN ROUND INT MOD SUM SUMIF SUMPRODUCT COUNT COUNTIF COUNTIFS"
    " CHOOSE ROWS LARGE EXP LN LEFT".split()
)


@pytest.fixture(scope="module")
def written(example_round: Round, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of the twelve worked colleges, in English."""
    return write_workbook(example_round, tmp_path_factory.mktemp("book") / "book.xlsx", "en")


@pytest.fixture(scope="module")
def in_both(example_round: Round, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with titles in Kazakh and Russian."""
    return write_workbook(example_round, tmp_path_factory.mktemp("both") / "book.xlsx")


def rows(path: Path, sheet: str) -> list[Cells]:
    return Shown(path).rows(sheet)


def formulas(path: Path) -> Iterator[tuple[str, str]]:
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    yield f"{sheet.title}!{cell.coordinate}", cell.value


def same(cell: Any, stored: Any) -> bool:
    if isinstance(stored, Decimal):
        stored = float(stored)
    return bool(cell == stored)


# ---- every number is a stored one ----


def test_the_sheets_stand_in_the_order_of_the_audit(written: Path) -> None:
    assert openpyxl.load_workbook(written, read_only=True).sheetnames == SHEETS


@pytest.mark.parametrize(
    ("sheet", "table", "keys", "columns"),
    [
        (
            "KPI",
            "kpi_values",
            {"College id": "college_id", "Code": "kpi"},
            {
                "Numerator": "numerator",
                "Denominator": "denominator",
                "Indicator value": "value",
                "Status, or why the college is not ranked": "status",
            },
        ),
        (
            "KPI",
            "kpi_scores",
            {"College id": "college_id", "Code": "code"},
            {
                "Normalised (0 to 100)": "normalised",
                "Effective weight in the index": "weight",
                "Contribution to the index": "contribution",
            },
        ),
        (
            "Ranking",
            "ranking",
            {"College id": "college_id"},
            {
                "Score": "score",
                "Rank": "rank",
                "League": "league",
                "Colleges that share the rank": "tie_size",
                "Tie broken by": "tie_broken_by",
                "Why it is not ranked": "not_ranked_reason",
            },
        ),
        (
            "Gates",
            "gates",
            {"College id": "college_id", "Gate": "gate"},
            {
                "Numerator": "numerator",
                "Denominator": "denominator",
                "Threshold": "threshold",
                "Passed": "passed",
                "Decided by": "decided_by",
                "People short of the threshold": "short_by",
            },
        ),
        (
            "Lines",
            "funding_lines",
            {"College id": "college_id", "Specialty": "specialty"},
            {
                "Student-months": "student_months",
                "Eligible students": "students",
                "Coefficient": "coefficient",
                "Base norm, tenge": "base_norm",
                "Share of the incentive part": "share",
                "Incentive norm, tenge": "incentive_norm",
                "Base amount, tenge per year": "base_amount",
                "Incentive entitled to, tenge per year": "entitled_incentive",
                "Incentive amount, tenge per year": "incentive_amount",
                "Amount, tenge per year": "amount",
            },
        ),
        (
            "Colleges",
            "funding",
            {"College id": "college_id"},
            {"Share of the incentive part": "share", "Amount, tenge per year": "amount"},
        ),
        (
            "Regions",
            "funding_regions",
            {"Region or administrator": "region"},
            {"Colleges": "colleges", "Amount, tenge per year": "amount"},
        ),
        (
            "Regions",
            "funding_administrators",
            {"Region or administrator": "administrator"},
            {"Colleges": "colleges", "Amount, tenge per year": "amount"},
        ),
    ],
)
def test_a_viewer_that_computes_nothing_shows_the_stored_values(
    sheet: str,
    table: str,
    keys: dict[str, str],
    columns: dict[str, str],
    written: Path,
    example_round: Round,
) -> None:
    shown = {tuple(row[title] for title in keys): row for row in rows(written, sheet)}
    stored = example_round.table(table)
    assert stored.height
    for row in stored.iter_rows(named=True):
        cells = shown[tuple(row[name] for name in keys.values())]
        wrong = {
            title: (cells[title], row[name])
            for title, name in columns.items()
            if not same(cells[title], row[name])
        }
        assert not wrong, row


def test_scores_gates_and_amounts_are_formulas(written: Path) -> None:
    titles = {
        "Ranking": ["Score"],
        "Gates": ["Passed", "Decided by", "People short of the threshold"],
        "Lines": ["Base norm, tenge", "Incentive norm, tenge", "Amount, tenge per year"],
        "Colleges": ["Amount, tenge per year"],
        "Regions": ["Amount, tenge per year"],
    }
    book = openpyxl.load_workbook(written)
    for sheet, columns in titles.items():
        head = {cell.value: cell.column for cell in book[sheet][3]}
        for title in columns:
            cell = book[sheet].cell(4, head[title])
            assert cell.data_type == "f", (sheet, title)


def test_what_the_sheet_cannot_recompute_is_no_formula_and_is_marked(written: Path) -> None:
    book = openpyxl.load_workbook(written)
    for sheet, titles in {
        "Ranking": ["Rank", "Colleges that share the rank", "Tie broken by", "League", "Leader"],
        "Gates": ["Passed in the round"],
    }.items():
        head = {cell.value: cell for cell in book[sheet][3]}
        for title in titles:
            assert "kpi scenario" in head[title].comment.text
            cell = book[sheet].cell(4, head[title].column)
            assert cell.data_type != "f"
            assert cell.fill.fgColor.rgb.endswith("E4E0F0")


# ---- parameters ----


def test_every_parameter_stands_in_one_named_cell_with_its_source(
    written: Path, example_round: Round
) -> None:
    named = Shown(written).named()
    assert named["base_norm"] == 437_000
    assert named["full_norm"] == 912_000
    assert named["threshold_employment_rate"] == 0.7
    assert named["weight_employment_rate"] == 0.35
    assert named["floor_employment_rate"] == 0.4
    assert named["target_employment_rate"] == 0.95
    assert named["coefficient_heavy"] == 1
    parameters = {row["Name of the cell"]: row for row in rows(written, "Parameters")}
    base = parameters["base_norm"]
    assert base["Official or illustrative"] == "official"
    assert base["Reference"] == "Ministry of Education, January 2025"
    assert base["Version of the file"] == "threshold 2025-09-01"
    weight = parameters["weight_employment_rate"]
    assert weight["Official or illustrative"] == "illustrative"
    assert weight["Version of the file"] == "example 2024-09-01"


def test_formulas_have_the_parameters_by_name_and_never_as_numbers(written: Path) -> None:
    text = dict(formulas(written))
    for number in ("437000", "912000", "0.35", "0.95"):
        assert not [f for f in text.values() if re.search(rf"(?<![\w.]){number}(?![\w.])", f)]
    lines = [formula for place, formula in text.items() if place.startswith("Lines!L")]
    assert all("base_norm" in formula for formula in lines)


def test_the_leagues_shares_are_parameters(example_round_leagues: Round, tmp_path: Path) -> None:
    path = write_workbook(example_round_leagues, tmp_path / "book.xlsx", "en")
    named = Shown(path).named()
    assert [named[f"share_league_{n}"] for n in (1, 2, 3, 4)] == [1, 0.6, 0.3, 0]


def test_a_value_that_two_attributes_share_has_two_names(
    example_folder: Path, tmp_path: Path
) -> None:
    rule = write_rule(tmp_path / "rule.toml", cost_groups={"rural": "1.5"})
    done = run(example_folder, tmp_path / "rounds", rule=rule)
    named = Shown(write_workbook(done, tmp_path / "book.xlsx", "en")).named()
    assert named["coefficient_cost_group_rural"] == 1.5
    assert named["coefficient_locality_rural"] == 1


# ---- words ----


def test_titles_are_kazakh_first_then_russian(in_both: Path) -> None:
    head = [cell.value for cell in openpyxl.load_workbook(in_both)["Ranking"][3]]
    assert head[0] == "Орны\nМесто"
    assert any(title.endswith("(қазақша)") for title in head)


@pytest.mark.parametrize(("language", "title"), [("kk", "Балл"), ("ru", "Балл"), ("en", "Score")])
def test_titles_are_in_the_language_asked_for(
    language: str, title: str, example_round: Round, tmp_path: Path
) -> None:
    path = write_workbook(example_round, tmp_path / "book.xlsx", language)
    head = [cell.value for cell in openpyxl.load_workbook(path)["Ranking"][3]]
    assert title in head


@pytest.mark.parametrize("rule", ["leagues", "all"])
def test_no_sentence_lacks_its_kazakh_or_russian_text(
    rule: str, example_folder: Path, tmp_path: Path
) -> None:
    if rule == "all":
        rule = str(
            write_rule(
                tmp_path / "rule.toml",
                phase_in={"employment_rate": ("0.5", "0.8")},
                appropriation=(40_000_001, "incentive"),
            )
        )
    done = run(example_folder, tmp_path / "rounds", rule=rule)
    for sheet in openpyxl.load_workbook(write_workbook(done, tmp_path / "book.xlsx")):
        for row in sheet.iter_rows():
            for cell in row:
                assert "text] " not in str(cell.value), (sheet.title, cell.coordinate)


def test_another_language_is_a_wrong_call(example_round: Round, tmp_path: Path) -> None:
    with pytest.raises(CallError):
        write_workbook(example_round, tmp_path / "book.xlsx", "de")


# ---- receipt, findings, waivers ----


def test_the_receipt_stands_leaf_by_leaf_with_the_draft_mark(
    written: Path, example_round: Round
) -> None:
    book = openpyxl.load_workbook(written)
    cells = {row[0].value: row[1].value for row in book["Receipt"].iter_rows(max_col=2)}
    assert cells["national.amount"] == example_round.receipt["national"]["amount"]
    assert cells["methodology.sha256"] == example_round.receipt["methodology"]["sha256"]
    assert cells["Receipt hash (SHA-256)"] == example_round.receipt_hash
    assert cells["Round and version"] == f"2025-26 {example_round.version}"
    for sheet in book:
        assert "DRAFT" in sheet["A1"].value
        assert "illustrative" in sheet["A1"].value


def test_a_published_round_is_no_draft(example_round: Round, tmp_path: Path) -> None:
    path = write_workbook(published(example_round, tmp_path), tmp_path / "book.xlsx", "en")
    for sheet in openpyxl.load_workbook(path):
        assert "DRAFT" not in sheet["A1"].value


def published(of_round: Round, tmp_path: Path, **receipt: Any) -> Round:
    """A copy of a round under the name v1, with more in its receipt."""
    folder = tmp_path / "2025-26" / "v1"
    shutil.copytree(of_round.path, folder)
    (folder / "receipt.json").write_text(json.dumps(of_round.receipt | receipt))
    return Round(folder)


def test_findings_and_waivers_stand_on_one_sheet(example_round: Round, tmp_path: Path) -> None:
    waivers = [{"check": "a_check", "reason": "=1+1", "by": "A. B."}, {"reason": "paper", "n": 3}]
    done = published(example_round, tmp_path, waivers=waivers)
    path = write_workbook(done, tmp_path / "book.xlsx", "en")
    cells = [
        [cell.value for cell in row if cell.value is not None]
        for row in openpyxl.load_workbook(path)["Findings and waivers"].iter_rows()
    ]
    assert ["check", "reason", "by", "n"] in cells
    assert ["a_check", "=1+1", "A. B."] in cells
    assert ["paper", 3] in cells
    for message in example_round.findings()["message"]:
        assert any(message in row for row in cells)


def test_findings_that_a_sheet_cannot_hold_are_counted(
    example_round: Round, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = published(example_round, tmp_path)
    of_closed = pl.col("check_name") == "students_of_closed_college"
    many = pl.concat([example_round.findings().filter(of_closed)] * 30)
    many.write_parquet(done.path / "findings.parquet")
    monkeypatch.setattr(documents, "EXCEL_ROWS", 20)
    path = write_workbook(done, tmp_path / "book.xlsx", "en")
    sheet = openpyxl.load_workbook(path)["Findings and waivers"]
    assert sheet.max_row <= 20
    shown = sum(row[2].value == "students_of_closed_college" for row in sheet.iter_rows())
    assert f"{30 - shown} findings are left out" in sheet["A2"].value


# ---- what a round may lack ----


def test_a_round_of_points_has_a_workbook_without_money_that_says_why(tmp_path: Path) -> None:
    done = run(
        data_folder() / "astana-2024-25",
        tmp_path / "rounds",
        round_id="2024-25",
        methodology="assessment",
    )
    path = write_workbook(done, tmp_path / "book.xlsx", "en")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == SHEETS
    for sheet in ("Lines", "Colleges", "Regions"):
        assert "nothing can be funded" in book[sheet]["A4"].value
    shown = {row["College id"]: row["Score"] for row in rows(path, "Ranking")}
    for row in done.table("ranking").iter_rows(named=True):
        assert shown[row["college_id"]] == float(row["score"])


# ---- Excel ----


def test_text_of_the_input_is_never_run(tmp_path: Path) -> None:
    parts = []
    for number, name in enumerate(RUN_BY_A_SPREADSHEET):
        tables = reaches_the_gates(students(f"EX-{number}", 25))
        parts.append({**tables, "colleges": [college(f"EX-{number}", name_ru=name)]})
    done = run(write_folder(tmp_path / "input", **together(*parts)), tmp_path / "rounds")
    path = write_workbook(done, tmp_path / "book.xlsx", "ru")
    book = openpyxl.load_workbook(path)
    for sheet in ("KPI", "Ranking", "Gates", "Lines", "Colleges"):
        found = {c.value: c.data_type for row in book[sheet].iter_rows() for c in row}
        for name in RUN_BY_A_SPREADSHEET:
            assert found[name] == "s", (sheet, name)
    assert not [f for _, f in formulas(path) if "HYPERLINK" in f or "cmd" in f]


def test_formulas_use_no_function_newer_than_excel_2010(written: Path) -> None:
    used = {name for _, text in formulas(written) for name in re.findall(r"([A-Z.]+)\(", text)}
    assert used <= EXCEL_2010


def test_heads_are_frozen_filtered_and_printed_on_every_page(written: Path) -> None:
    for sheet in openpyxl.load_workbook(written):
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToWidth in (None, 1)  # 1 is the default
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.print_title_rows
        if sheet.title not in ("Receipt", "Findings and waivers"):
            assert sheet.freeze_panes.endswith("4")
            assert sheet.auto_filter.ref


def test_a_formula_too_long_for_excel_is_a_wrong_call_that_names_the_group(
    example_round: Round, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "LONGEST_FORMULA", 20)
    with pytest.raises(CallError) as caught:
        write_workbook(example_round, tmp_path / "book.xlsx")
    assert "at most 20" in str(caught.value)


def test_more_rows_than_a_sheet_holds_are_a_wrong_call_that_names_the_sheet(
    example_round: Round, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "EXCEL_ROWS", 200)
    with pytest.raises(CallError) as caught:
        write_workbook(example_round, tmp_path / "book.xlsx")
    assert caught.value.parts["where"] == "KPI"


def test_a_text_longer_than_a_cell_is_cut_and_says_so() -> None:
    assert paper.safe_text("a" * 32_767) == "a" * 32_767
    assert paper.safe_text("a" * 32_768) == "a" * 32_764 + "..."


def test_a_file_that_cannot_be_written_is_a_wrong_call(
    example_round: Round, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path, tmp_path / "file" / "book.xlsx"):
        with pytest.raises(CallError) as caught:
            write_workbook(example_round, path)
        assert caught.value.parts["where"] == str(path)


def test_the_folder_of_the_workbook_is_made(example_round: Round, tmp_path: Path) -> None:
    path = write_workbook(example_round, tmp_path / "new" / "folder" / "book.xlsx")
    assert path.exists()
