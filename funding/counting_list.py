"""The counting list: one XLSX for a college about its own people: who counts where, who not.

A row per student and graduate, with the record number of the college; 0 or 1 in the numerator and
denominator of each KPI, and whether the state pays. The columns sum to the figures of the profile.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from funding.people import DENOMINATOR, NOT_COUNTED, NUMERATOR, CountedPeople, Row, count_people
from funding.sheets import Book, Column, new_book, round_lines
from kpi.language import Speaker, speaker
from kpi.methodology import Kpi
from kpi.pooling import own_counts
from kpi.rounds import Round
from kpi.terms import term

_SUMS, _TITLES, _FIRST = 0, 1, 2
"""The rows of a sheet of people: the sums, the titles, the first person."""

_PAGE = 230
"""The characters that a page of A4 has across before its print is too small to read."""

_INDICATOR = 60
_REASON = 33
"""The widths of an indicator's name and of the reason why it is no sum."""

Field = tuple[str, Column]
"""A column's place in the rows, and how it is shown."""


def write_counting_list(of_round: Round, college: str, path: Path, language: str = "ru") -> Path:
    """Write the counting list of a college's unit and return its path.

    ``college`` is an id (a branch or a merged college leads to its unit) or a part of one college's
    name; ``language`` kk, ru or en. Raises CallError for a college that is not found and a file
    that cannot be written; DataError, a fault of the product, when the people do not sum to the
    round's figures (then nothing is written).
    """
    words = speaker(language)
    counted = count_people(of_round, college)
    name = words.of(counted.unit)
    with new_book(path, words.say("Counting list") + f": {name}") as book:
        _Writer(book, of_round, counted, words).write()
    return path


class _Writer:
    """Writes the sheets of one list."""

    def __init__(self, book: Book, of_round: Round, counted: CountedPeople, words: Speaker) -> None:
        self.book = book
        self.of_round = of_round
        self.counted = counted
        self.words = words
        self.names = {
            "cover": words.say("About this list"),
            "students": words.say("Students"),
            "graduates": words.say("Graduates"),
            "sums": words.say("Sums"),
            "rejected": words.say("Rejected rows"),
        }
        self.fields = {
            "students": [*self._student_fields(), *self._kpi_fields("students")],
            "graduates": [*self._graduate_fields(), *self._kpi_fields("graduates")],
        }

    def write(self) -> None:
        """Write them all."""
        self._cover()
        self._people("students", self._student_rows())
        self._people("graduates", self._graduate_rows())
        self._sums()
        self._rejected()

    # ---- cover ----

    def _cover(self) -> None:
        words = self.words
        unit = self.counted.unit
        lines = [
            (
                words.say("PERSONAL DATA"),
                words.say(
                    "This file holds data about people. It is for the college itself: do not"
                    " publish it and do not pass it on. An auditor may ask the college for it."
                ),
                "warning",
            ),
            (words.say("College"), f"{self.words.of(unit)} ({unit['college_id']})", "plain"),
            *self._member_lines(),
            *round_lines(self.of_round, self.words),
            *self._day_lines(),
            (words.say("The sheets"), "", ""),
            *self._sheet_lines(),
            (words.say("How to contest"), "", ""),
            *self._contest_lines(),
        ]
        self.book.cover(self.names["cover"], words.say("Counting list"), lines)

    def _member_lines(self) -> Iterator[tuple[str, str, str]]:
        unit_id = self.counted.unit["college_id"]
        others = self.counted.members.filter(pl.col("college_id") != unit_id)
        if others.height:
            named = [
                f"{self.words.of(row)} ({row['college_id']})"
                for row in others.iter_rows(named=True)
            ]
            yield self.words.say("With the rows of"), "\n".join(named), "plain"

    def _day_lines(self) -> Iterator[tuple[str, str, str]]:
        words, day = self.words, self.words.day
        dates = self.counted.dates
        if self._is_monthly:
            yield (
                words.say("Students paid for"),
                words.say(
                    "the mean of the headcounts on the first of each month of the academic year"
                ),
                "plain",
            )
        else:
            yield (
                words.say("Students paid for"),
                words.say("on {day}", day=day(dates["count_on"])),
                "plain",
            )
        yield (
            words.say("Agreements and accreditations"),
            words.say("in force on {day}", day=day(dates["kpi_on"])),
            "plain",
        )
        yield (
            words.say("Graduates measured"),
            words.say(
                "graduated from {start} to {end}",
                start=day(dates["cohort_from"]),
                end=day(dates["cohort_to"]),
            ),
            "plain",
        )
        yield (
            words.say("Destinations"),
            words.say("dated by {day}; a later one is unknown", day=day(dates["observed_on"])),
            "plain",
        )

    def _sheet_lines(self) -> Iterator[tuple[str, str, str]]:
        words = self.words
        yield (
            f"{self.names['students']}, {self.names['graduates']}",
            words.say(
                "A row per enrolment or graduate. For each indicator two columns: 1 in the"
                " denominator when the person is counted at all, 1 in the numerator when the person"
                " counts for the college; 0 otherwise. The first row sums each column."
            ),
            "plain",
        )
        yield (
            words.say("Pseudonym"),
            words.say(
                "Stands for the personal number, which this product does not keep. The record"
                " number is the college's own."
            ),
            "plain",
        )
        yield (
            self.names["sums"],
            words.say(
                "The sums of these columns beside the figures of the profile; then the indicators"
                " that are no sums of people."
            ),
            "plain",
        )
        yield (
            self.names["rejected"],
            words.say(
                "Rows of the college that have an error and count nowhere until it is corrected."
            ),
            "plain",
        )

    def _contest_lines(self) -> Iterator[tuple[str, str, str]]:
        words = self.words
        yield (
            words.say("What to name"),
            words.say(
                "The record number (or the pseudonym where there is none), the sheet and the title"
                " of the column, the value that stands there, the value that you hold to be right,"
                " and the document that proves it."
            ),
            "plain",
        )
        yield (
            words.say("What is corrected"),
            words.say(
                "The register from which the row came, not this list. After the correction the"
                " round is computed again, and with it this list."
            ),
            "plain",
        )

    # ---- people ----

    @property
    def _is_monthly(self) -> bool:
        return self.counted.rule.count_basis.value == "monthly_average"

    def _kpi_fields(self, register: str) -> list[Field]:
        titles = {
            NUMERATOR: self.words.say("numerator"),
            DENOMINATOR: self.words.say("denominator"),
        }
        return [
            (
                f"{kpi.code}.{part}",
                Column(f"{self.words.name(kpi.name)}: {title}", 5.5, "flag", upright=True),
            )
            for kpi in self.counted.kpis[register]
            for part, title in titles.items()
        ]

    def _student_fields(self) -> list[Field]:
        words = self.words
        paid: list[Field] = [
            ("is_paid", Column(words.say("Eligible for the norm"), 5.5, "flag", upright=True))
        ]
        if self._is_monthly:
            paid.append(
                (
                    "months_paid",
                    Column(words.say("Months counted, of 12"), 5.5, "flag", upright=True),
                )
            )
        return [
            ("record_no", Column(words.say("Record number"), 11, "code")),
            ("student_id", Column(words.say("Pseudonym"), 27, "pseudonym")),
            ("college_id", Column(words.say("College"), 14, "code")),
            ("specialty", Column(words.say("Specialty"), 10, "code")),
            ("course", Column(words.say("Course"), 7.5, "flag")),
            ("study_form", Column(words.say("Form of study"), 10)),
            ("funding_source", Column(words.say("Funding source"), 23)),
            ("enrolled_on", Column(words.say("Enrolled on"), 11, "date")),
            ("left_on", Column(words.say("Left on"), 11, "date")),
            ("left_reason", Column(words.say("Reason for leaving"), 12)),
            ("academic_leave", Column(words.say("Academic leave"), 5.5, "flag", upright=True)),
            *paid,
            ("why_not", Column(words.say("Why not eligible"), 34)),
        ]

    def _graduate_fields(self) -> list[Field]:
        words = self.words
        return [
            ("record_no", Column(words.say("Record number"), 11, "code")),
            ("graduate_id", Column(words.say("Pseudonym"), 27, "pseudonym")),
            ("college_id", Column(words.say("College"), 14, "code")),
            ("specialty", Column(words.say("Specialty"), 10, "code")),
            ("graduated_on", Column(words.say("Graduated on"), 11, "date")),
            ("dual", Column(words.say("Dual training"), 5.5, "flag", upright=True)),
            ("destination", Column(words.say("Destination"), 13)),
            ("destination_source", Column(words.say("Source of the destination"), 18)),
            ("destination_on", Column(words.say("Date of the destination"), 11, "date")),
            (
                "in_specialty",
                Column(words.say("Works in the specialty"), 5.5, "flag", upright=True),
            ),
            ("has_certificate", Column(words.say("Has a certificate"), 5.5, "flag", upright=True)),
            ("remark", Column(words.say("Remark"), 34)),
        ]

    def _student_rows(self) -> Iterator[Row]:
        for row in self.counted.students.iter_rows(named=True):
            in_words = {
                column: self._term(row[column])
                for column in ("study_form", "funding_source", "left_reason")
            }
            yield (
                row
                | in_words
                | {
                    "is_paid": row["months_paid"] > 0,
                    "why_not": self._why_not(row),
                }
            )

    def _why_not(self, row: Row) -> str | None:
        """Say why the state does not pay for a student; None where it does."""
        reason = row["not_paid_reason"]
        if reason != NOT_COUNTED:
            return self._term(reason)
        words, day = self.words, self.words.day
        enrolled, left = row["enrolled_on"], row["left_on"]
        if self._is_monthly:
            last = day(left) if left else words.say("now")
            return words.say(
                "not there on the first of any month: from {start} to {end}",
                start=day(enrolled),
                end=last,
            )
        counted = self.counted.dates["count_on"]
        if enrolled > counted:
            return words.say(
                "not enrolled on {day}: enrolled on {enrolled}",
                day=day(counted),
                enrolled=day(enrolled),
            )
        return words.say("not enrolled on {day}: left on {left}", day=day(counted), left=day(left))

    def _graduate_rows(self) -> Iterator[Row]:
        for row in self.counted.graduates.iter_rows(named=True):
            in_words = {
                column: self._term(row[column]) for column in ("destination", "destination_source")
            }
            yield (
                row
                | in_words
                | {
                    "has_certificate": row["certificate_id"] is not None,
                    "remark": self._remark(row),
                }
            )

    def _remark(self, row: Row) -> str | None:
        """Say why a graduate, or a graduate's work, does not count."""
        words, day, dates = self.words, self.words.day, self.counted.dates
        if not row["in_cohort"]:
            return words.say(
                "not in the cohort: graduated before {start} or after {end}",
                start=day(dates["cohort_from"]),
                end=day(dates["cohort_to"]),
            )
        if row["work_unconfirmed"]:
            return words.say(
                "work is stated but not confirmed by an accepted source by {day}",
                day=day(dates["observed_on"]),
            )
        return None

    def _term(self, value: str | None) -> str | None:
        return None if value is None else term(self.words, value)

    def _people(self, register: str, rows: Iterator[Row]) -> None:
        """Write a sheet of people: sums, titles, a row a person."""
        fields = self.fields[register]
        columns = [column for _, column in fields]
        across = 1 if sum(column.width for column in columns) < _PAGE else 2
        sheet = self.book.sheet(self.names[register], across=across)
        self.book.head(sheet, _TITLES, columns, 205)
        last = _FIRST - 1
        for last, row in enumerate(rows, start=_FIRST):
            self.book.row(sheet, last, columns, [row[name] for name, _ in fields])
        for place, (name, _) in enumerate(fields):
            if self._is_summed(name):
                formula = f"=SUM({self._range(register, name)[0]})"
                total = self._range(register, name)[1]
                sheet.write_formula(_SUMS, place, formula, self.book.formats["sum"], total)
            else:
                self.book.put(sheet, _SUMS, place, None, "sum_text")
        self.book.put(sheet, _SUMS, 0, self.words.say("Sum"), "sum_text")
        sheet.freeze_panes(_FIRST, 2)
        sheet.autofilter(_TITLES, 0, max(last, _TITLES), len(fields) - 1)
        sheet.repeat_rows(_SUMS, _TITLES)
        sheet.repeat_columns(0, 1)

    @staticmethod
    def _is_summed(name: str) -> bool:
        return "." in name or name in ("is_paid", "months_paid")

    def _range(self, register: str, name: str) -> tuple[str, int]:
        """Return where a column's people stand, with the sheet's name, and their sum."""
        people = getattr(self.counted, register)
        place = [field for field, _ in self.fields[register]].index(name)
        letter = xl_col_to_name(place)
        first, last = _FIRST + 1, max(_FIRST + people.height, _FIRST + 1)
        sheet = self.names[register].replace("'", "''")
        total = (people["months_paid"] > 0) if name == "is_paid" else people[name]
        return f"'{sheet}'!{letter}{first}:{letter}{last}", int(total.sum())

    # ---- sums ----

    def _sums(self) -> None:
        words = self.words
        sheet = self.book.sheet(self.names["sums"])
        columns = [
            Column(words.say("Indicator"), _INDICATOR),
            Column(words.say("Sheet"), 13),
            Column(words.say("Numerator, sum of the list"), 13, "count"),
            Column(words.say("Numerator on the profile"), 13, "count"),
            Column(words.say("Denominator, sum of the list"), 13, "count"),
            Column(words.say("Denominator on the profile"), 13, "count"),
            Column(words.say("Equal"), 8),
        ]
        self.book.head(sheet, 0, columns, 48)
        values = self._values()
        mine = pl.col("college_id") == self.counted.unit["college_id"]
        own = {row["kpi"]: row for row in own_counts(self.of_round).filter(mine).to_dicts()}
        listed = [(of, kpi) for of, kpis in self.counted.kpis.items() for kpi in kpis]
        for row, (register, kpi) in enumerate(listed, start=1):
            self._sum_row(sheet, row, register, kpi, own[kpi.code])
        next_row = len(listed) + 1
        if self.of_round.has("funding"):
            self._paid_row(sheet, next_row)
            next_row += 1
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        self._not_summed(sheet, next_row + 1, values)

    def _values(self) -> dict[str, Row]:
        rows = self.of_round.table("kpi_values").filter(
            pl.col("college_id") == self.counted.unit["college_id"]
        )
        return {row["kpi"]: row for row in rows.iter_rows(named=True)}

    def _sum_row(self, sheet: Any, row: int, register: str, kpi: Kpi, stored: Row) -> None:
        name = self.words.name(kpi.name)
        if kpi.pool_years:
            name += "\n" + self.words.say("This year's people alone; the profile's value is pooled")
        self.book.put(sheet, row, 0, name)
        self.book.put(sheet, row, 1, self.names[register])
        for place, part in ((2, NUMERATOR), (4, DENOMINATOR)):
            self._sum_cell(sheet, row, place, register, f"{kpi.code}.{part}")
            self.book.put(sheet, row, place + 1, stored[part], "count")
        self._equal_cell(sheet, row, [(2, 3), (4, 5)])
        self.book.fit(sheet, row, [(name, _INDICATOR)])

    def _sum_cell(self, sheet: Any, row: int, place: int, register: str, name: str) -> None:
        where, total = self._range(register, name)
        sheet.write_formula(row, place, f"=SUM({where})", self.book.formats["count"], total)

    def _equal_cell(self, sheet: Any, row: int, pairs: Sequence[tuple[int, int]]) -> None:
        yes, no = self.words.say("yes"), self.words.say("NO")
        equal = ",".join(
            f"{xl_rowcol_to_cell(row, a)}={xl_rowcol_to_cell(row, b)}" for a, b in pairs
        )
        formula = f'=IF(AND({equal}),"{yes}","{no}")'
        sheet.write_formula(row, 6, formula, self.book.formats["middle"], yes)

    def _paid_row(self, sheet: Any, row: int) -> None:
        """Write the students paid for beside the funding of the unit."""
        paid = self.of_round.table("funding").filter(
            pl.col("college_id") == self.counted.unit["college_id"]
        )
        if self._is_monthly:
            label, name = self.words.say("Student months paid for"), "months_paid"
            there = int(paid["student_months"].sum())
        else:
            label, name = self.words.say("Students eligible for the norm"), "is_paid"
            there = int(paid["students"].sum())
        self.book.put(sheet, row, 0, label)
        self.book.put(sheet, row, 1, self.names["students"])
        self._sum_cell(sheet, row, 2, "students", name)
        self.book.put(sheet, row, 3, there, "count")
        for place in (4, 5):
            self.book.put(sheet, row, place, None)
        self._equal_cell(sheet, row, [(2, 3)])

    def _not_summed(self, sheet: Any, row: int, values: dict[str, Row]) -> None:
        """List the KPIs that no column of people sums to, each with the reason."""
        words = self.words
        others = [k for k in self.of_round.methodology.kpis if k.code in values]
        others = [k for k in others if values[k.code]["kind"] in self._reasons()]
        if not others:
            return
        self.book.put(sheet, row, 0, words.say("Indicators that are no sums of people"), "part")
        titles = (
            words.say("Indicator"),
            words.say("Value"),
            words.say("Numerator"),
            words.say("Denominator"),
            words.say("Why it is no sum"),
        )
        for place, title in enumerate(titles):
            self.book.put(sheet, row + 1, place, title, "head")
        sheet.merge_range(row + 1, 4, row + 1, 6, titles[-1], self.book.formats["head"])
        for place, kpi in enumerate(others, start=row + 2):
            stored = values[kpi.code]
            value = stored["value"]
            self.book.put(sheet, place, 0, self.words.name(kpi.name))
            self.book.put(
                sheet, place, 1, words.say("no data") if value is None else value, "number"
            )
            self.book.put(sheet, place, 2, stored["numerator"], "students")
            self.book.put(sheet, place, 3, stored["denominator"], "students")
            reason = self._reasons()[stored["kind"]]
            sheet.merge_range(place, 4, place, 6, reason, self.book.formats["text"])
            texts = [(self.words.name(kpi.name), _INDICATOR), (reason, _REASON)]
            self.book.fit(sheet, place, texts)

    def _reasons(self) -> dict[str, str]:
        words = self.words
        return {
            "flag": words.say("A property of the college, yes (1) or no (0), not of its people."),
            "ratio": words.say(
                "Counts different employers: one employer of many students counts once."
            ),
            "median": words.say(
                "The middle wage of those whose wage is known; wages are not listed."
            ),
            "points": words.say("Points given by an assessment, not counted from a register."),
        }

    # ---- rejected rows ----

    def _rejected(self) -> None:
        words = self.words
        sheet = self.book.sheet(self.names["rejected"])
        fields: list[Field] = [
            ("table_name", Column(words.say("Table"), 16)),
            ("record_no", Column(words.say("Record number"), 12, "code")),
            ("person", Column(words.say("Pseudonym"), 27, "pseudonym")),
            ("college_id", Column(words.say("College"), 14, "code")),
            ("column_name", Column(words.say("Column"), 16)),
            ("found", Column(words.say("Found"), 22)),
            ("message", Column(words.say("What is wrong"), 70)),
        ]
        columns = [column for _, column in fields]
        self.book.head(sheet, 0, columns, 32)
        rows = self.counted.rejected
        for place, row in enumerate(rows.iter_rows(named=True), start=1):
            shown = row | {"table_name": self._term(row["table_name"])}
            self.book.row(sheet, place, columns, [shown[name] for name, _ in fields])
        if rows.is_empty():
            self.book.put(sheet, 1, 0, words.say("none"))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(rows.height, 1), len(fields) - 1)
        sheet.repeat_rows(0)
