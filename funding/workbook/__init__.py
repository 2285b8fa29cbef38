"""The auditor's workbook: a round as one XLSX whose scores, gates and amounts are live formulas.

Every formula carries the stored value of the round, so that viewers show it without recalculating;
nothing that the round keeps is computed here. One module a subject; ``grids`` says what stands in
which column.
"""

from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from funding.workbook.appropriation import write_appropriation
from funding.workbook.book import Book
from funding.workbook.documents import write_findings, write_receipt
from funding.workbook.facts import Facts, read_facts
from funding.workbook.gates import write_gates
from funding.workbook.grids import make_grids
from funding.workbook.money import (
    write_colleges,
    write_guarantee_checks,
    write_lines,
    write_regions,
)
from funding.workbook.paper import Paper, Words, one_line
from funding.workbook.parameters import write_parameters
from funding.workbook.scores import write_kpi, write_ranking
from kpi.errors import CallError
from kpi.rounds import Round

__all__ = ["write_workbook"]

PLAIN_TEXT = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
"""Text of the input is text: no spreadsheet runs it, follows it or turns it into a number."""


def write_workbook(of_round: Round, path: Path, language: str | None = None) -> Path:
    """Write the auditor's workbook of a round to ``path`` and return it.

    Sheets: Receipt, Parameters, KPI, Ranking, Gates, Lines, Colleges, Regions, Findings and
    waivers, and Appropriation where the rule has one. Amounts are tenge per year, shares 0..1.
    ``language`` is kk, ru or en; without it titles stand in Kazakh and Russian. Raises CallError
    for another language, a folder that cannot be written, and where Excel's limits (rows of a
    sheet, length of a formula) would be passed.
    """
    words = Words(language)
    book_facts = read_facts(of_round)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workbook = Workbook(path, PLAIN_TEXT)
        _write_sheets(workbook, book_facts, words)
        workbook.close()
    except (OSError, FileCreateError) as error:
        raise CallError(
            "The workbook cannot be written.",
            where=str(path),
            found=str(error),
            do="Choose another file, or close the program that has it open.",
        ) from error
    return path


def _write_sheets(workbook: Workbook, facts: Facts, words: Words) -> None:
    of_round = facts.of_round
    mark = f"{of_round.name} {of_round.version}"
    if of_round.version.startswith("draft"):
        mark += " · " + one_line(words.say("DRAFT"))
    if facts.methodology.status == "illustrative":
        mark += " · " + one_line(words.say("illustrative values"))
    workbook.set_properties({"title": mark})
    workbook.set_calc_mode("auto")
    regions, administrators = _places(facts)
    grids = make_grids(facts, words, 1 + len(regions) + len(administrators))
    book = Book(facts, words, Paper(workbook, words, mark), grids, regions, administrators)
    write_receipt(book)
    write_parameters(book)
    write_kpi(book)
    write_ranking(book)
    write_gates(book)
    write_lines(book)
    write_colleges(book)
    if facts.is_within:
        write_guarantee_checks(book, workbook.get_worksheet_by_name("Colleges"))
    write_regions(book)
    write_findings(book)
    if "Appropriation" in grids:
        write_appropriation(book)


def _places(facts: Facts) -> tuple[list[str], list[str]]:
    """The regions and the administrators that are paid, as the round has them."""
    if not facts.has_money:
        return [], []
    regions = facts.of_round.table("funding_regions")["region"].to_list()
    administrators = facts.of_round.table("funding_administrators")["administrator"].to_list()
    return [region for region in regions if region != "KZ"], administrators
