"""The sheets Receipt, and Findings and waivers: what the round rests on, in words."""

from collections.abc import Iterator
from typing import Any

from funding.workbook.book import Book
from funding.workbook.paper import EXCEL_ROWS, Column, Grid, one_line, put

FINDINGS = "Findings and waivers"


def write_receipt(book: Book) -> None:
    """Write the sheet Receipt: the round, how to use the workbook, every leaf of the receipt."""
    words, of_round, paper = book.words, book.facts.of_round, book.paper
    sheet = paper.sheet(
        "Receipt",
        words.say("The auditor's workbook"),
        words.say("What this round was computed from and with"),
        frozen=0,
    )
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 1, 100)
    bold, wrapped = paper.form(bold=True), paper.form(text_wrap=True)
    row = 4
    for title, text in _statements(book):
        put(sheet, row, 0, title, paper.form(bold=True, text_wrap=True))
        put(sheet, row, 1, text, wrapped)
        lines = sum(1 + len(line) // 95 for line in text.splitlines())
        sheet.set_row(row - 1, 15 * max(lines, 1 + title.count("\n")) + 3)
        row += 1
    row += 1
    put(sheet, row, 0, words.say("Path in the receipt"), paper.head("plain"))
    put(sheet, row, 1, words.say("Value"), paper.head("plain"))
    sheet.set_row(row - 1, 33)
    for path, value in leaves(of_round.receipt):
        row += 1
        put(sheet, row, 0, path, bold)
        put(sheet, row, 1, value, paper.form(align="left", text_wrap=True))


def _statements(book: Book) -> Iterator[tuple[str, str]]:
    words, of_round, facts = book.words, book.facts.of_round, book.facts
    yield words.say("Round and version"), f"{of_round.name} {of_round.version}"
    if of_round.version.startswith("draft"):
        yield (
            words.say("State"),
            words.say("DRAFT: this version is not published and may be replaced."),
        )
    else:
        yield words.say("State"), words.say("Published: this version is never changed again.")
    yield words.say("Receipt hash (SHA-256)"), of_round.receipt_hash
    yield (
        words.say("Methodology"),
        f"{words.name(facts.methodology.title)}\n"
        f"{facts.methodology.name} {facts.methodology.start}, {facts.methodology.status}",
    )
    if facts.rule:
        yield (
            words.say("Funding rule"),
            f"{words.name(facts.rule.title)}\n"
            f"{facts.rule.name} {facts.rule.start}, {facts.rule.status}",
        )
    else:
        yield (
            words.say("Funding rule"),
            words.say("No register of students was given: nothing can be funded in this round."),
        )
    yield (
        words.say("Illustrative values"),
        words.say(
            "The official text of the methodology is not public. Values marked illustrative on the"
            " sheet Parameters are a reading of what is public, not a decision of the ministry."
        ),
    )
    yield (
        words.say("How to use this workbook"),
        words.say(
            "Scores, gates and amounts are formulas: from the counts on the sheets KPI and"
            " Lines, and from the parameters on the sheet Parameters. Change a yellow cell (the"
            " base norm, a weight, a threshold) and the scores, the amounts and the national"
            " totals on the sheet Parameters follow. Violet cells stand as they stood in the"
            " round: ranks, ties, leagues, and what compares a college with all others. The"
            " checks on the sheet Parameters say where a changed value would need `kpi"
            " scenario`. Filter the tables, but do not sort them: formulas refer to rows. `kpi"
            " verify` computes the whole round again without this workbook."
        ),
    )
    yield (
        words.say("Words in the cells"),
        words.say(
            "ok: counted. small_cohort: fewer people than the smallest denominator. no_data:"
            " nobody to count. not_applicable: not asked of this kind of college. counts:"
            " decided by the counts. judge, pass, fail: what a gate does with too few people or"
            " without data. few_students: fewer students than a ranked college needs."
        ),
    )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested JSON with its path: ``national.amount``, ``waivers[0].by``."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from leaves(part, f"{path}[{place}]")
    elif isinstance(value, dict | list):
        yield path, ""
    else:
        yield path, value


def write_findings(book: Book) -> None:
    """Write the waivers, then the findings, as many as a sheet holds."""
    words, of_round, paper = book.words, book.facts.of_round, book.paper
    findings = of_round.findings()
    widths = {"message": 90, "found": 30, "expected": 30, "file": 24, "check_name": 30}
    titles = _titles(book)
    columns = [
        Column(name, titles.get(name, name), widths.get(name, 16)) for name in findings.columns
    ]
    waivers = of_round.receipt.get("waivers") or []
    keys = list(dict.fromkeys(key for waiver in waivers for key in waiver))
    begin = 4 + (len(waivers) + 2 if waivers else 2)
    room = EXCEL_ROWS - begin - 1
    left_out = max(findings.height - room, 0)
    note = words.say(
        "Findings: {count}. Waivers: {waivers}.", count=findings.height, waivers=len(waivers)
    )
    if left_out:
        note = words.say(
            "A sheet of Excel holds no more: {count} findings are left out; all are in the CSV file"
            " of `kpi export`.",
            count=left_out,
        )
    sheet = paper.sheet(FINDINGS, words.say("Findings, and the waivers that accept them"), note, 0)
    sheet.freeze_panes(0, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
    sheet.set_row(2, 33)
    for place, key in enumerate(keys):
        put(sheet, 3, place, key, paper.head("stored"))
    if not waivers:
        put(sheet, 3, 0, one_line(words.say("No finding is waived.")), paper.form())
    for row, waiver in enumerate(waivers, start=4):
        for place, key in enumerate(keys):
            put(sheet, row, place, _cell(waiver.get(key)), paper.form(text_wrap=True))
    grid = Grid("", columns, min(findings.height, room), begin + 1)
    for place, column in enumerate(columns):
        put(sheet, begin, place, column.title, paper.head("plain"))
    sheet.set_row(begin - 1, 33)
    plain = paper.form()
    wrapped = paper.form(text_wrap=True)
    forms = [
        wrapped if column.key in ("message", "expected", "found") else plain for column in columns
    ]
    for row, finding in enumerate(findings.head(room).iter_rows(), start=grid.first):
        for place, value in enumerate(finding):
            if value is not None:
                put(sheet, row, place, value, forms[place])
    sheet.repeat_rows(begin - 1)
    sheet.autofilter(begin - 1, 0, grid.last - 1, len(columns) - 1)
    if findings.is_empty():
        put(sheet, grid.first, 0, one_line(words.say("The round has no findings.")), plain)


def _titles(book: Book) -> dict[str, str]:
    words = book.words
    return {
        "table_name": words.say("Table"),
        "college_id": words.say("College id"),
        "check_name": words.say("Data check"),
        "severity": words.say("Severity"),
        "column_name": words.say("Column"),
        "found": words.say("Found"),
        "expected": words.say("Expected"),
        "message": words.say("Message"),
        "file": words.say("File"),
        "record": words.say("Record"),
    }


def _cell(value: Any) -> Any:
    """A value of a waiver as one cell."""
    is_plain = value is None or isinstance(value, str | int | float | bool)
    return value if is_plain else str(value)
