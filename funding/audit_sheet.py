"""The audit sheet: a sample written as an XLSX to fill in, and the filled sheet evaluated.

What the sheet states is locked and, once more, kept as data with a hash on a sheet of its own; only
what an auditor found is open. A sheet whose stated part differs from that data is refused.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from funding.audit_sample import AuditSample, SampledLine
from funding.sheets import Book, Column, new_book, round_lines
from funding.stringer import Stage, check_confidence, stringer_bound
from kpi.errors import CallError, DataError
from kpi.language import Speaker, speaker

Row = dict[str, Any]

_FORM = "kpi-audit-sample-1"
_COVER, _LINES, _DATA = 0, 1, 2
"""The sheets by their place: their names depend on the language."""

_FIRST = 2
"""The first row of the lines, from 0: before it the titles and their numbers."""

_NUMBER, _COLLEGE, _SPECIALTY, _HITS, _STUDENTS = 0, 1, 4, 7, 8
_BASE, _INCENTIVE, _AMOUNT = 9, 10, 11
_FOUND_STUDENTS, _FOUND_AMOUNT, _REMARK, _TAKEN, _DIFFERENCE = 12, 13, 14, 15, 16
_STATED = {
    _COLLEGE: "college_id",
    _SPECIALTY: "specialty",
    _HITS: "hits",
    _STUDENTS: "students",
    _BASE: "base_norm",
    _INCENTIVE: "incentive_norm",
    _AMOUNT: "amount",
}
"""The columns that an auditor must not change, by place."""

CONFIDENCE = Decimal("0.95")


@dataclass(frozen=True)
class Result:
    """What an auditor found for one line, in tenge: the book amount, the amount found, whether
    the line is one of the monetary-unit sample, and whether it was in for certain.
    """

    number: int
    book: int
    found: int
    sampled: bool
    certain: bool

    @property
    def overstated(self) -> int:
        """How much more the books state."""
        return max(self.book - self.found, 0)

    @property
    def understated(self) -> int:
        """How much less the books state."""
        return max(self.found - self.book, 0)


@dataclass(frozen=True)
class Evaluation:
    """What a filled sheet says about the round. Amounts in tenge per year.

    ``stages``: the Stringer bound of the part that was sampled; ``part`` is that part's book
    amount, which its overstatement cannot exceed.
    """

    parameters: Row
    confidence: Decimal
    results: list[Result]
    stages: list[Stage] = field(default_factory=list)

    @property
    def interval(self) -> Fraction:
        """Tenge from one point to the next."""
        return Fraction(self.parameters["total"], self.parameters["size"])

    @property
    def part(self) -> int:
        """The book amount of the lines that were not in for certain."""
        return int(self.parameters["total"]) - int(self.parameters["certain_total"])

    @property
    def certain(self) -> list[Result]:
        """The lines as large as the interval."""
        return [result for result in self.results if result.sampled and result.certain]

    @property
    def drawn(self) -> list[Result]:
        """The other lines of the monetary-unit sample."""
        return [result for result in self.results if result.sampled and not result.certain]

    @property
    def looked_at(self) -> list[Result]:
        """The lines that stand there for a reason alone."""
        return [result for result in self.results if not result.sampled]

    @property
    def known_overstatement(self) -> int:
        """The overstatement of the lines in for certain: known, not projected."""
        return sum(result.overstated for result in self.certain)

    @property
    def projected_overstatement(self) -> int:
        """The projected overstatement of the whole round: known, plus interval x taints."""
        taints = sum((Fraction(x.overstated, x.book) for x in self.drawn), Fraction(0))
        return self.known_overstatement + _half_up(self.interval * taints)

    @property
    def projected_understatement(self) -> int:
        """The same for understatement; no limit goes with it."""
        taints = sum((Fraction(x.understated, x.book) for x in self.drawn), Fraction(0))
        known = sum(result.understated for result in self.certain)
        return known + _half_up(self.interval * taints)

    @property
    def upper_limit(self) -> int:
        """The upper limit of the whole round's overstatement, rounded up."""
        bound = sum((stage.amount for stage in self.stages), Fraction(0))
        return self.known_overstatement + ceil(min(bound, Fraction(self.part)))


def _half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


# ---- the sheet ----


def write_audit_sheet(sample: AuditSample, path: Path, language: str = "ru") -> Path:
    """Write the sheet of a sample, to be filled in, and return its path.

    ``language`` kk, ru or en. Raises CallError when the file cannot be written.
    """
    words = speaker(language)
    with new_book(path, words.say("Audit sample")) as book:
        _write_cover(book, sample, words)
        _write_lines(book, sample, words)
        _write_data(book, sample)
    return path


def _write_cover(book: Book, sample: AuditSample, words: Speaker) -> None:
    lines = [
        *round_lines(sample.of_round, words),
        (words.say("The sample"), "", ""),
        *_sample_lines(sample, words),
        (words.say("How to fill in"), "", ""),
        *_filling_lines(words),
        (words.say("How it is evaluated"), "", ""),
        *_method_lines(words),
    ]
    sheet = book.cover(words.say("About this sample"), words.say("Audit sample"), lines)
    sheet.protect()


def _sample_lines(sample: AuditSample, words: Speaker) -> Iterator[tuple[str, str, str]]:
    certain = [line for line in sample.lines if line.certain]
    drawn = [line for line in sample.lines if line.hits and not line.certain]
    others = [line for line in sample.lines if not line.hits]
    yield words.say("Total of the lines"), words.tenge(sample.total), "plain"
    yield words.say("Size (points)"), words.number(sample.size), "plain"
    yield words.say("Seed"), str(sample.seed), "plain"
    yield words.say("Interval"), _exact(sample.interval, words), "plain"
    yield words.say("Start"), _exact(sample.start, words), "plain"
    yield (
        words.say("Lines in for certain"),
        words.say(
            "{count}, together {amount}: each is as large as the interval",
            count=words.number(len(certain)),
            amount=words.tenge(sample.certain_total),
        ),
        "plain",
    )
    yield words.say("Lines drawn"), words.number(len(drawn)), "plain"
    yield (
        words.say("Further lines"),
        words.say(
            "{count}, all lines of the colleges looked at for a reason: a finding accepted by"
            " waiver, employment by declaration alone, just above a gate. Up to {targeted} colleges"
            " a reason. They are not projected.",
            count=words.number(len(others)),
            targeted=words.number(sample.targeted),
        ),
        "plain",
    )


def _exact(amount: Fraction, words: Speaker) -> str:
    """Write an amount as its whole tenge and, where there is one, its fraction."""
    whole, rest = divmod(amount.numerator, amount.denominator)
    return f"{words.number(whole)} {rest}/{amount.denominator} ₸" if rest else words.tenge(whole)


def _filling_lines(words: Speaker) -> Iterator[tuple[str, str, str]]:
    yield (
        words.say("Yellow cells"),
        words.say(
            "Fill in the yellow cells only; everything else is locked and is checked. Save the file"
            " under the same form (XLSX)."
        ),
        "plain",
    )
    yield (
        words.say("Students found"),
        words.say(
            "How many students of the line the documents confirm as eligible on the day of the"
            " count; with monthly averages, their mean over the months. The amount found is then"
            " the book amount x students found / students on the books, in whole tenge: where"
            " nothing is scaled or guaranteed, that is students found x norm."
        ),
        "plain",
    )
    yield (
        words.say("Amount found"),
        words.say(
            "Only where the amount does not follow from the students alone: another norm, a gate"
            " not passed, a guarantee. Whole tenge per year; it goes before the students found."
        ),
        "plain",
    )


def _method_lines(words: Speaker) -> Iterator[tuple[str, str, str]]:
    yield (
        words.say("Selection"),
        words.say(
            "Monetary-unit sampling: points one interval apart from a random start (numpy, PCG64)"
            " over the lines in order of college and specialty. A line is drawn with a chance of"
            " amount / interval; one as large as the interval is in for certain."
        ),
        "plain",
    )
    yield (
        words.say("Limit"),
        words.say(
            "Stringer bound (Stringer 1963; Leslie, Teitlebaum and Anderson 1979; AICPA Audit Guide"
            " Audit Sampling): interval x (P0 + sum of (Pi - Pi-1) x taint i), taints from the"
            " largest on, P the Poisson factors; errors of the lines in for certain are added as"
            " found."
        ),
        "plain",
    )
    yield words.say("Not covered"), _not_covered(words), "warning"


def _not_covered(words: Speaker) -> str:
    return words.say(
        "The limit is one of overstatement by the errors found in these lines. It says nothing"
        " of amounts that are missing or too low (a line without students on the books is never"
        " drawn), of errors that the documents do not show, of a gate or a share that is wrong"
        " where no amount found was filled in, or of colleges looked at for a reason beyond their"
        " own lines."
    )


def _line_columns(words: Speaker) -> list[Column]:
    return [
        Column("№", 5, "flag"),
        Column(words.say("College"), 13.5, "code"),
        Column(words.say("Name"), 27),
        Column(words.say("Region"), 16),
        Column(words.say("Specialty"), 10, "code"),
        Column(words.say("Name of the specialty"), 24),
        Column(words.say("Why it is here"), 25),
        Column(words.say("Points"), 7, "flag"),
        Column(words.say("Students on the books"), 10, "students"),
        Column(words.say("Base norm, tenge"), 10, "count"),
        Column(words.say("Incentive norm, tenge"), 10, "count"),
        Column(words.say("Book amount, tenge per year"), 14, "count"),
        Column(words.say("Students found"), 10, "fill_count"),
        Column(words.say("Amount found (only where it does not follow)"), 14, "fill_count"),
        Column(words.say("Remark"), 24, "fill_text"),
        Column(words.say("Amount taken"), 14, "count"),
        Column(words.say("Books less amount taken"), 14, "count"),
    ]


def _write_lines(book: Book, sample: AuditSample, words: Speaker) -> None:
    columns = _line_columns(words)
    sheet = book.sheet(words.say("Lines"))
    book.head(sheet, 0, columns, 58)
    for place in range(len(columns)):
        book.put(sheet, 1, place, place + 1, "middle")
    kpis = {kpi.code: words.name(kpi.name) for kpi in sample.of_round.methodology.kpis}
    for number, line in enumerate(sample.lines, start=1):
        _write_line(book, sheet, columns, number, line, kpis, words)
    last = _FIRST + len(sample.lines) - 1
    _validate(sheet, last, words)
    sheet.freeze_panes(_FIRST, 3)
    sheet.autofilter(1, 0, max(last, 1), len(columns) - 1)
    sheet.repeat_rows(0, 1)
    sheet.protect(options={"autofilter": True, "format_rows": True, "format_columns": True})


def _write_line(
    book: Book,
    sheet: Any,
    columns: list[Column],
    number: int,
    line: SampledLine,
    kpis: dict[str, str],
    words: Speaker,
) -> None:
    row, place = line.row, _FIRST + number - 1
    specialty = row["of_specialty"]
    values = [
        number,
        row["college_id"],
        words.of(row["college"]),
        words.of(row["region"]),
        row["specialty"],
        words.of(specialty) if specialty else words.say("guarantee"),
        _reason(line, kpis, words),
        line.hits,
        row["students"],
        row["base_norm"],
        row["incentive_norm"],
        row["amount"],
    ]
    book.row(sheet, place, columns, [*values, *[None] * (len(columns) - len(values))])
    _write_formulas(book, sheet, place, bool(row["students"]))


def _write_formulas(book: Book, sheet: Any, place: int, has_students: bool) -> None:
    """Write the amount taken, as ``_found`` takes it, and what the books state above it."""
    columns = (_STUDENTS, _AMOUNT, _FOUND_STUDENTS, _FOUND_AMOUNT, _TAKEN)
    students, amount, found, stated, taken = (xl_rowcol_to_cell(place, at) for at in columns)
    share = f'IF({found}="","",ROUND({amount}*{found}/{students},0))' if has_students else '""'
    form = book.formats["count"]
    sheet.write_formula(place, _TAKEN, f'=IF({stated}<>"",{stated},{share})', form, "")
    sheet.write_formula(place, _DIFFERENCE, f'=IF({taken}="","",{amount}-{taken})', form, "")


def _reason(line: SampledLine, kpis: dict[str, str], words: Speaker) -> str:
    """Say why a line is on the sheet, all reasons."""
    reasons = []
    if line.hits:
        reasons.append(words.say("in for certain") if line.certain else words.say("drawn"))
    if line.waived:
        reasons.append(words.say("waived: {checks}", checks=", ".join(line.waived)))
    if line.declared:
        reasons.append(
            words.say("declared only, graduates: {count}", count=words.number(line.declared))
        )
    if line.just_above:
        reasons.append(
            words.say(
                "just above the gate: {gates}",
                gates=", ".join(kpis[gate] for gate in line.just_above),
            )
        )
    return "; ".join(reasons)


def _validate(sheet: Any, last: int, words: Speaker) -> None:
    for place, kind in ((_FOUND_STUDENTS, "decimal"), (_FOUND_AMOUNT, "integer")):
        rule = {
            "validate": kind,
            "criteria": ">=",
            "value": 0,
            "error_message": words.say("A number, 0 or more."),
        }
        sheet.data_validation(_FIRST, place, last, place, rule)


def _write_data(book: Book, sample: AuditSample) -> None:
    """Keep the stated part as data, a line a cell, and its hash in the first."""
    texts = [_as_json(_parameters(sample))]
    texts += [_as_json(_stated(number, line)) for number, line in enumerate(sample.lines, start=1)]
    sheet = book.book.add_worksheet(_FORM)
    for place, text in enumerate([_hash(texts), *texts]):
        book.put(sheet, place, 0, text, "code")
    sheet.protect()
    sheet.hide()


def _parameters(sample: AuditSample) -> Row:
    return {
        "round": sample.of_round.name,
        "version": sample.of_round.version,
        "receipt_sha256": sample.of_round.receipt_hash,
        "size": sample.size,
        "seed": sample.seed,
        "targeted": sample.targeted,
        "total": sample.total,
        "certain_total": sample.certain_total,
        "start": str(sample.start),
        "lines": len(sample.lines),
    }


def _stated(number: int, line: SampledLine) -> Row:
    return {
        "number": number,
        "college_id": line.row["college_id"],
        "specialty": line.row["specialty"],
        "hits": line.hits,
        "certain": line.certain,
        "students": str(line.row["students"]),
        "base_norm": line.row["base_norm"],
        "incentive_norm": line.row["incentive_norm"],
        "amount": line.row["amount"],
    }


def _as_json(content: Row) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def _hash(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


# ---- the filled sheet ----


def evaluate_sheet(path: Path, confidence: Decimal = CONFIDENCE) -> Evaluation:
    """Return what a filled sheet says about the round it was drawn from.

    ``confidence`` of the upper limit, such as 0.95. Raises CallError for a file that cannot be read
    or a confidence out of range; DataError, all faults named by row, where the stated part was
    changed, a result is missing, or a cell does not hold a number of 0 or more.
    """
    check_confidence(confidence)
    cells, texts = _read(path)
    parameters, stated = _trusted(path, texts)
    results, faults = _results(cells, stated)
    if faults:
        shown = [f"\n    {fault}" for fault in faults[:_SHOWN]]
        more = [f"\n    ... and {len(faults) - _SHOWN:,} more"] if len(faults) > _SHOWN else []
        raise DataError(
            "The sheet cannot be evaluated.",
            where=str(path),
            found="".join([*shown, *more]),
            expected="every line as it was written, with the students or the amount found",
            do="Fill in or correct these rows and evaluate again; draw the sample again with the"
            " same seed if the stated part was lost.",
        )
    evaluation = Evaluation(parameters, confidence, results)
    if not evaluation.part:
        return evaluation
    taints = [Fraction(x.overstated, x.book) for x in evaluation.drawn if x.overstated]
    stages = stringer_bound(evaluation.interval, taints, confidence)
    return Evaluation(parameters, confidence, results, stages)


_SHOWN = 20


def _read(path: Path) -> tuple[dict[int, list[list[Any]]], list[str]]:
    """Return the rows of the lines by their number (each list has one row, where all is well), and
    the texts of the data.
    """
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except OSError as error:
        raise CallError(
            "The file cannot be read.", where=str(path), found=error.strerror or str(error)
        ) from error
    except Exception as error:  # openpyxl lets through whatever zip and XML raise
        raise CallError(
            "The file is no XLSX workbook.",
            where=str(path),
            found=str(error)[:200],
            expected="the audit sheet, saved as XLSX",
        ) from error
    if len(book.worksheets) <= _DATA or book.worksheets[_DATA].title != _FORM:
        raise CallError(
            "The workbook is no audit sheet of this product.",
            where=str(path),
            found=", ".join(sheet.title for sheet in book.worksheets),
            expected="a file written by `kpi audit-sample --size N --seed S --to FILE`",
        )
    cells: dict[int, list[list[Any]]] = {}
    for row in book.worksheets[_LINES].iter_rows(min_row=_FIRST + 1, values_only=True):
        values = [*row, *[None] * (_DIFFERENCE + 1 - len(row))]
        if isinstance(values[_NUMBER], int | float):
            cells.setdefault(int(values[_NUMBER]), []).append(values)
    data = book.worksheets[_DATA].iter_rows(max_col=1, values_only=True)
    return cells, [str(value) for (value,) in data if value is not None]


def _trusted(path: Path, texts: list[str]) -> tuple[Row, list[Row]]:
    """Return the parameters and the stated lines. Raises DataError where they were changed."""
    if not texts or _hash(texts[1:]) != texts[0]:
        raise DataError(
            "The data of the sample in this workbook was changed.",
            where=f"{path}, sheet {_FORM}",
            do="Draw the sample again with the same size and seed, and copy the results into it.",
        )
    parameters, *stated = [json.loads(text) for text in texts[1:]]
    return parameters, stated


def _results(
    cells: dict[int, list[list[Any]]], stated: list[Row]
) -> tuple[list[Result], list[str]]:
    """Return the result of each line, and what is wrong, a sentence a fault."""
    results, faults = [], []
    for line in stated:
        number = line["number"]
        rows = cells.get(number, [])
        if len(rows) != 1:
            faults.append(f"line {number}: stands there {len(rows)} times, expected once")
            continue
        [row] = rows
        wrong = [*_changed(line, row), *_unfit(row)]
        found = None if wrong else _found(line, row)
        if found is None:
            wrong = wrong or ["neither students nor amount were filled in"]
            faults += [f"line {number} ({line['college_id']}): {text}" for text in wrong]
            continue
        results.append(
            Result(number, line["amount"], found, line["hits"] > 0, bool(line["certain"]))
        )
    return results, faults


def _changed(line: Row, row: list[Any]) -> Iterator[str]:
    """Yield what differs between a line as it was written and as it stands there."""
    for place, name in _STATED.items():
        if not _same(line[name], row[place]):
            yield f"{name} is {row[place]}, was written as {line[name]}"


def _same(written: Any, there: Any) -> bool:
    if written is None or there is None:
        return written is there
    if isinstance(there, int | float) and not isinstance(there, bool):
        return abs(Decimal(str(written)) - Decimal(str(there))) < Decimal("0.00005")
    return str(written) == str(there)


def _unfit(row: list[Any]) -> Iterator[str]:
    """Yield what is wrong with the cells that were filled in."""
    for place, name in ((_FOUND_STUDENTS, "students found"), (_FOUND_AMOUNT, "amount found")):
        value = row[place]
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{name} is {value!r}, which is no number"
        elif value < 0:
            yield f"{name} is {value}, which is below 0"
        elif place == _FOUND_AMOUNT and value != int(value):
            yield f"{name} is {value}, expected whole tenge"


def _found(line: Row, row: list[Any]) -> int | None:
    """Return the amount found: as filled in, or the book amount in proportion to the students.

    None where there is neither; students of a line that has none on the books say no amount.
    """
    if row[_FOUND_AMOUNT] is not None:
        return int(row[_FOUND_AMOUNT])
    students = Decimal(line["students"])
    if row[_FOUND_STUDENTS] is None or not students:
        return None
    amount = line["amount"] * Decimal(str(row[_FOUND_STUDENTS])) / students
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


# ---- in words ----


def evaluation_lines(evaluation: Evaluation, language: str = "ru") -> list[str]:
    """Return the evaluation as lines of text: what was looked at, projected and limited, how, and
    what the limit does not cover.
    """
    words = speaker(language)
    stated = evaluation.parameters
    return [
        words.say(
            "Audit of the round {round}, version {version}",
            round=stated["round"],
            version=stated["version"],
        ),
        words.say("Hash of the receipt (SHA-256)") + f": {stated['receipt_sha256']}",
        words.say(
            "Sample: {size} points, seed {seed}, interval {interval} of {total}",
            size=words.number(stated["size"]),
            seed=stated["seed"],
            interval=_exact(evaluation.interval, words),
            total=words.tenge(stated["total"]),
        ),
        "",
        *_part_lines(evaluation, words),
        "",
        words.say(
            "Projected overstatement: {amount}",
            amount=words.tenge(evaluation.projected_overstatement),
        ),
        words.say(
            "Upper limit of overstatement at {confidence} confidence: {amount} ({share} of the"
            " total)",
            confidence=words.percent(evaluation.confidence),
            amount=words.tenge(evaluation.upper_limit),
            share=words.percent(evaluation.upper_limit / stated["total"], 2),
        ),
        words.say(
            "Projected understatement, apart and without a limit: {amount}",
            amount=words.tenge(evaluation.projected_understatement),
        ),
        "",
        *_stage_lines(evaluation, words),
        "",
        words.say("Not covered") + ": " + _not_covered(words),
    ]


def _part_lines(evaluation: Evaluation, words: Speaker) -> Iterator[str]:
    parts = (
        (words.say("In for certain, taken as found"), evaluation.certain),
        (words.say("Drawn, projected"), evaluation.drawn),
        (words.say("Looked at for a reason, not projected"), evaluation.looked_at),
    )
    for name, results in parts:
        yield words.say(
            "{part}: lines {lines}, with an error {wrong}; overstated {over}, understated {under}",
            part=name,
            lines=words.number(len(results)),
            wrong=words.number(sum(result.book != result.found for result in results)),
            over=words.tenge(sum(result.overstated for result in results)),
            under=words.tenge(sum(result.understated for result in results)),
        )


def _stage_lines(evaluation: Evaluation, words: Speaker) -> Iterator[str]:
    if not evaluation.stages:
        yield words.say("Every line was in for certain: the overstatement is known.")
        return
    yield words.say("Stringer bound of the part that was drawn: interval x factor step x taint")
    for stage in evaluation.stages:
        yield words.say(
            "errors {errors}: factor {factor}, step {step} x taint {taint} = {amount}",
            errors=stage.errors,
            factor=words.number(stage.factor, 4),
            step=words.number(stage.step, 4),
            taint=words.percent(float(stage.taint), 2),
            amount=words.tenge(_half_up(stage.amount)),
        )
    bound = sum((stage.amount for stage in evaluation.stages), Fraction(0))
    if bound > evaluation.part:
        yield words.say(
            "Held at the book amount of that part, {amount}: more cannot be overstated.",
            amount=words.tenge(evaluation.part),
        )
