"""The sheet Parameters: national totals, checks, and every value of the rule and the methodology.

Each parameter stands in one cell with a name; formulas refer to it by that name only.
"""

import re
from collections.abc import Iterator
from typing import Any

from funding.rule import Rule
from funding.workbook.book import Book
from funding.workbook.paper import (
    COUNT,
    FIRST_ROW,
    HEAD_ROW,
    SCALE,
    TEXT,
    WEIGHT,
    WHOLE,
    Column,
    Grid,
    Sheet,
    lines_of,
    one_line,
    put,
    quoted,
    short_formula,
    stored_note,
)
from funding.workbook.totals import ANY, Entry, checks, totals, weights_agree
from kpi.dated import DatedFile, Names, Stated
from kpi.methodology import Kpi, Methodology

TITLE_WIDTH, REFERENCE_WIDTH = 56, 42


def coefficient_name(rule: Rule, attribute: str, value: str) -> str:
    """Return the name of a coefficient's cell: ``coefficient_heavy``."""
    said = re.sub(r"\W", "_", value)
    shared = sum(re.sub(r"\W", "_", entry.value) == said for entry in rule.coefficients) > 1
    return f"coefficient_{attribute}_{said}" if shared else f"coefficient_{said}"


def write_parameters(book: Book) -> None:
    """Write the sheet; its rows are the entries in their order."""
    entries = list(_entries(book))
    words = book.words
    columns = [
        Column("name", words.say("Name of the cell"), 33),
        Column("title", words.say("What it is"), TITLE_WIDTH),
        Column("value", words.say("Value"), 20, "input"),
        Column("stored", words.say("In the round"), 20, "stored", note=stored_note(words)),
        Column("status", words.say("Official or illustrative"), 13),
        Column("reference", words.say("Reference"), REFERENCE_WIDTH),
        Column("version", words.say("Version of the file"), 21),
        Column("check", words.say("Check"), 24, "live"),
    ]
    grid = Grid("Parameters", columns, len(entries))
    sheet = book.paper.table(
        grid,
        words.say("Parameters, national totals and checks"),
        book.colours(),
        frozen=1,
    )
    for row, entry in enumerate(entries, start=grid.first):
        _write_entry(book, sheet, row, entry)
    alarm = book.paper.form(bold=True, font_color="#9C0006", bg_color="#FFC7CE")
    for column in ("C", "H"):
        sheet.conditional_format(
            f"{column}{FIRST_ROW + 1}:{column}{grid.last}",
            {
                "type": "formula",
                "criteria": f'=AND(LEFT($A{FIRST_ROW + 1},6)="check_",$C{FIRST_ROW + 1}<>"OK")'
                if column == "C"
                else f'=AND($H{FIRST_ROW + 1}<>"",$H{FIRST_ROW + 1}<>"OK")',
                "format": alarm,
            },
        )
    assert grid.first == HEAD_ROW + 2


def _write_entry(book: Book, sheet: Sheet, row: int, entry: Entry) -> None:
    paper = book.paper
    if entry.kind == "section":
        bar = paper.form(bold=True, bg_color="#D9E2F0", text_wrap=True)
        for column in range(8):
            sheet.write_blank(row - 1, column, None, bar)
        sheet.write_string(
            row - 1, 0, one_line(entry.title), paper.form(bold=True, bg_color="#D9E2F0")
        )
        return
    wrapped = paper.form(text_wrap=True)
    put(sheet, row, 0, entry.name, paper.form())
    put(sheet, row, 1, entry.title, wrapped)
    reference = entry.stated.reference if entry.stated else ""
    lines = [
        lines_of(entry.title, TITLE_WIDTH),
        lines_of(reference, REFERENCE_WIDTH),
        lines_of(str(entry.value), 19) if isinstance(entry.value, str) else 1,
    ]
    sheet.set_row(row - 1, 15 * max(lines))
    shown = paper.cell(entry.kind, entry.pattern, align="right", text_wrap=True)
    if entry.formula:
        formula = short_formula(entry.formula, f"Parameters, {entry.name}")
        sheet.write_formula(row - 1, 2, formula, shown, _plain(entry.value))
    else:
        put(sheet, row, 2, entry.value, shown)
    if not entry.name.startswith("check_"):
        put(
            sheet,
            row,
            3,
            entry.value,
            paper.cell("stored", entry.pattern, align="right", text_wrap=True),
        )
    if entry.stated:
        put(sheet, row, 4, entry.stated.status, paper.cell("plain", TEXT))
        put(sheet, row, 5, reference, wrapped)
        put(sheet, row, 6, entry.version, paper.form())
    if entry.check:
        formula = short_formula(entry.check, f"Parameters, {entry.name}")
        sheet.write_formula(row - 1, 7, formula, paper.form(text_wrap=True), "OK")
    if entry.choices:
        sheet.data_validation(
            row - 1, 2, row - 1, 2, {"validate": "list", "source": list(entry.choices)}
        )
    if entry.kind != "stored":
        paper.define(entry.name, "Parameters", f"$C${row}")


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | bool) else float(value)


def _entries(book: Book) -> Iterator[Entry]:
    words, facts = book.words, book.facts
    yield Entry("", words.say("National totals (live)"), "section")
    yield from totals(book)
    yield Entry("", words.say("Checks (live)"), "section")
    yield from checks(book)
    if facts.rule:
        yield Entry("", words.say("Funding rule"), "section")
        yield from _rule(book, facts.rule)
    methodology = facts.methodology
    yield Entry("", words.say("Methodology"), "section")
    yield from _methodology(book, methodology)
    if methodology.gates:
        yield Entry("", words.say("Gates"), "section")
        yield from _gates(book, methodology)
    yield Entry("", words.say("Weights of the groups"), "section")
    yield from _groups(book, methodology)
    yield Entry("", words.say("KPIs"), "section")
    for kpi in methodology.kpis:
        yield from _kpi(book, methodology, kpi)


def _rule(book: Book, rule: Rule) -> Iterator[Entry]:
    words = book.words
    version = _version(rule)

    def fixed(name: str, title: str, value: object, stated: Stated) -> Entry:
        return Entry(name, title, "stored", _listed(value), TEXT, stated, version)

    yield fixed("mode", words.say("Mode: by thresholds or by leagues"), rule.mode, rule)
    for name, title, norm in (
        (
            "base_norm",
            words.say("Base norm, national average, tenge per student and year"),
            rule.base,
        ),
        (
            "full_norm",
            words.say("Full norm, national average, tenge per student and year"),
            rule.full,
        ),
    ):
        yield Entry(name, title, "input", norm.value, COUNT, norm, version)
    yield Entry(
        "calibrate",
        words.say("Coefficients are divided by their mean, so that the norms stay averages"),
        "input",
        rule.calibrate.value,
        ANY,
        rule.calibrate,
        version,
        choices=("TRUE", "FALSE"),
    )
    yield fixed(
        "count_basis",
        words.say("Students counted on one day, or as the mean of the months"),
        rule.count_basis.value,
        rule.count_basis,
    )
    yield fixed(
        "funding_sources",
        words.say("Funding sources that are paid for"),
        rule.funding_sources.value,
        rule.funding_sources,
    )
    yield fixed(
        "study_forms",
        words.say("Study forms that are paid for"),
        rule.study_forms.value,
        rule.study_forms,
    )
    yield fixed(
        "pays_academic_leave",
        words.say("Students on academic leave are paid for"),
        str(rule.pays_academic_leave.value).upper(),
        rule.pays_academic_leave,
    )
    for gate in book.facts.methodology.gates if rule.mode == "threshold" else ():
        yield Entry(
            f"asked_{gate.kpi}",
            words.say("The rule asks for the gate {gate}", gate=gate.kpi),
            "input",
            gate.kpi in rule.gates.value,
            ANY,
            rule.gates,
            version,
            choices=("TRUE", "FALSE"),
        )
    for share in sorted(rule.shares, key=lambda entry: entry.league):
        title = words.say("Share of the incentive part for league {league}", league=share.league)
        name = f"share_league_{share.league}"
        yield Entry(name, title, "input", share.share, WEIGHT, share, version)
    for phase in rule.phase_in:
        for name, title, value in (
            (
                f"zero_at_{phase.gate}",
                words.say("The share begins to rise from 0 here: {gate}", gate=phase.gate),
                phase.zero_at,
            ),
            (
                f"full_at_{phase.gate}",
                words.say("The share reaches 1 here: {gate}", gate=phase.gate),
                phase.full_at,
            ),
        ):
            yield Entry(name, title, "input", value, WEIGHT, phase, version)
    for entry in rule.coefficients:
        yield Entry(
            coefficient_name(rule, entry.attribute, entry.value),
            words.say(
                "Coefficient: {attribute} {value}", attribute=entry.attribute, value=entry.value
            ),
            "input",
            entry.coefficient,
            SCALE,
            entry,
            version,
        )
    yield from _limits(book, rule)


def _limits(book: Book, rule: Rule) -> Iterator[Entry]:
    words, version = book.words, _version(rule)
    if rule.appropriation:
        stated = rule.appropriation
        yield Entry(
            "appropriation_amount",
            words.say("Appropriation, tenge per year"),
            "input",
            stated.amount,
            COUNT,
            stated,
            version,
        )
        yield Entry(
            "appropriation_covers",
            words.say("The appropriation covers the incentive amounts, or the total"),
            "input",
            stated.covers,
            TEXT,
            stated,
            version,
            choices=("incentive", "total"),
        )
    if rule.guarantee:
        guarantee = rule.guarantee
        yield Entry(
            "guarantee_floor",
            words.say("Guaranteed part of what the previous published round paid"),
            "input",
            guarantee.floor,
            WEIGHT,
            guarantee,
            version,
        )
        yield Entry(
            "guarantee_basis",
            words.say("The guarantee is per student, or for the total"),
            "input",
            guarantee.basis,
            TEXT,
            guarantee,
            version,
            choices=("per_student", "total"),
        )
        yield Entry(
            "guarantee_funded_from",
            words.say("The guarantee is paid outside or within the appropriation"),
            "stored",
            guarantee.funded_from,
            TEXT,
            guarantee,
            version,
        )


def _methodology(book: Book, methodology: Methodology) -> Iterator[Entry]:
    words, version = book.words, _version(methodology)

    def fixed(name: str, title: str, value: object, stated: Stated) -> Entry:
        return Entry(name, title, "stored", _listed(value), TEXT, stated, version)

    yield Entry(
        "min_students",
        words.say("Fewest students of a college that is ranked"),
        "input",
        methodology.min_students.value,
        COUNT,
        methodology.min_students,
        version,
    )
    yield fixed(
        "unit", words.say("What is ranked and paid"), methodology.unit.value, methodology.unit
    )
    yield fixed(
        "tie_chain",
        words.say("KPIs that break ties, in this order"),
        methodology.tie_chain.value,
        methodology.tie_chain,
    )
    for league in methodology.leagues:
        bound = league.max_count or league.max_rank
        kind = "max_count" if league.max_count else "max_rank"
        terms = [f"{kind} {bound}"] if bound else []
        terms += ["gates " + " ".join(league.gates)] if league.gates else []
        terms += [f"tie_at_edge {league.tie_at_edge}"]
        title = _named(book, league.name)
        yield fixed(f"league_{league.league}", title, "; ".join(terms), league)
    for level in methodology.levels:
        yield fixed(f"level_{level.code}", _named(book, level.name), str(level.min_share), level)


def _gates(book: Book, methodology: Methodology) -> Iterator[Entry]:
    words, version = book.words, _version(methodology)
    for gate in methodology.gates:
        code = gate.kpi
        yield Entry(
            f"threshold_{code}",
            words.say("Threshold of the gate {gate}", gate=code),
            "input",
            gate.threshold,
            WEIGHT,
            gate,
            version,
        )
        yield Entry(
            f"on_small_cohort_{code}",
            words.say("With too few people, the gate {gate} is", gate=code),
            "input",
            gate.on_small_cohort,
            TEXT,
            gate,
            version,
            choices=("judge", "fail", "pass"),
        )
        yield Entry(
            f"on_no_data_{code}",
            words.say("Without data, the gate {gate} is", gate=code),
            "input",
            gate.on_no_data,
            TEXT,
            gate,
            version,
            choices=("fail", "pass"),
        )


def _groups(book: Book, methodology: Methodology) -> Iterator[Entry]:
    words, version = book.words, _version(methodology)
    differs = quoted(words.say("weights do not sum"))
    for group in reversed(book.facts.groups):
        agree = weights_agree(methodology, group.code)
        yield Entry(
            f"weight_{group.code}",
            words.say("Weight: {what}", what=one_line(words.name(group.name))),
            "input",
            group.weight,
            WEIGHT,
            group,
            version,
            check="" if group.aggregate == "sum" else f'=IF({agree},"OK",{differs})',
        )
        yield Entry(
            f"aggregate_{group.code}",
            words.say("Aggregation and missing values: {what}", what=group.code),
            "stored",
            f"{group.aggregate}; {group.missing}",
            TEXT,
            group,
            version,
        )


def _kpi(book: Book, methodology: Methodology, kpi: Kpi) -> Iterator[Entry]:
    words, version = book.words, _version(methodology)

    def entry(name: str, title: str, value: Any, pattern: str) -> Entry:
        kind = "stored" if name.startswith(("normalise_", "pool_years_")) else "input"
        return Entry(f"{name}{kpi.code}", title, kind, value, pattern, kpi, version)

    title = _named(book, kpi.name)
    yield entry(
        "min_denominator_",
        title + "\n" + one_line(words.say("Smallest denominator")),
        kpi.min_denominator,
        COUNT,
    )
    if kpi.pool_years:
        yield entry(
            "pool_years_",
            title + "\n" + one_line(words.say("Pooled over up to so many cohorts")),
            kpi.pool_years,
            COUNT,
        )
    kinds = one_line(words.say("Applies to colleges of the kinds"))
    yield entry("applies_to_", f"{title}\n{kinds}", ",".join(kpi.applies_to), TEXT)
    if kpi.score is None:
        return
    score = kpi.score
    yield entry("weight_", title + "\n" + one_line(words.say("Weight")), score.weight, WEIGHT)
    yield entry(
        "direction_",
        title + "\n" + one_line(words.say("Direction: 1 more is better, -1 less is better")),
        score.direction,
        WHOLE,
    )
    if score.normalise == "goalposts":
        yield entry(
            "floor_", title + "\n" + one_line(words.say("Floor (0 points)")), score.floor, WEIGHT
        )
        yield entry(
            "target_",
            title + "\n" + one_line(words.say("Target (100 points)")),
            score.target,
            WEIGHT,
        )
    yield entry(
        "normalise_",
        title + "\n" + one_line(words.say("Normalisation and missing values")),
        f"{score.normalise}; {score.missing}",
        TEXT,
    )


def _named(book: Book, names: Names) -> str:
    return book.words.name(names)


def _version(file: DatedFile) -> str:
    return f"{file.name} {file.start}"


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
