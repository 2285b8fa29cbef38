"""What the XLSX files for people outside have in common: a cover, tables that print, text that no
spreadsheet runs.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from textwrap import wrap
from typing import Any

from funding.rule import Rule
from kpi.dated import DatedFile, load_file
from kpi.errors import CallError
from kpi.language import Speaker
from kpi.rounds import Round

A4 = 9
CELL_TEXT = 32_767
"""The most characters that a cell of Excel holds."""


_LINE = 13.5
_WRAPPED = ("text", "fill_text")


@dataclass(frozen=True)
class Column:
    """One column: its title, its width in characters, the format of its cells, and whether its
    title stands upright to save room.
    """

    title: str
    width: float
    form: str = "text"
    upright: bool = False


class Book:
    """An XLSX file in the making, with its formats."""

    def __init__(self, book: Any) -> None:
        self.book = book
        base = {"valign": "top", "font_size": 10}
        edge = base | {"border": 1, "border_color": "#BFBFBF"}
        head = edge | {"bold": True, "text_wrap": True, "bg_color": "#DCE6F1"}
        made = {
            "text": edge | {"text_wrap": True},
            "code": edge | {"num_format": "@"},
            "pseudonym": edge | {"num_format": "@", "font_size": 8},
            "middle": edge | {"align": "center"},
            "count": edge | {"num_format": "#,##0", "align": "right"},
            "students": edge | {"num_format": "#,##0.####", "align": "right"},
            "number": edge | {"num_format": "#,##0.00##", "align": "right"},
            "flag": edge | {"num_format": "0", "align": "center"},
            "date": edge | {"num_format": "dd.mm.yyyy", "align": "center"},
            "head": head | {"valign": "vcenter", "align": "center"},
            "upright": head
            | {"rotation": 90, "align": "center", "valign": "bottom", "font_size": 9},
            "sum_text": edge | {"bold": True, "bg_color": "#F2F2F2"},
            "sum": edge | {"bold": True, "bg_color": "#F2F2F2", "num_format": "#,##0"},
            "title": base | {"bold": True, "font_size": 15},
            "label": base | {"bold": True, "text_wrap": True},
            "part": base | {"bold": True, "font_size": 12},
            "plain": base | {"text_wrap": True},
            "warning": base | {"bold": True, "text_wrap": True, "font_color": "#9C0006"},
            "fill_count": edge
            | {"locked": False, "bg_color": "#FFF2CC", "num_format": "#,##0.####"},
            "fill_text": edge | {"locked": False, "bg_color": "#FFF2CC", "text_wrap": True},
        }
        self.formats = {name: book.add_format(look) for name, look in made.items()}

    def sheet(self, name: str, *, wide: bool = True, across: int = 1) -> Any:
        """Add a sheet that prints on A4, landscape where it is ``wide``, so many pages across."""
        sheet = self.book.add_worksheet(name)
        sheet.set_paper(A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(across, 0)
        sheet.set_footer("&L&8&F&C&8&A&R&8&P / &N")
        if wide:
            sheet.set_landscape()
        return sheet

    def put(self, sheet: Any, row: int, column: int, value: Any, form: str = "text") -> None:
        """Write one cell by the type of its value; text is text, whatever it begins with."""
        look = self.formats[form]
        match value:
            case None:
                sheet.write_blank(row, column, None, look)
            case bool():
                sheet.write_number(row, column, int(value), look)
            case int() | float() | Decimal():
                sheet.write_number(row, column, value, look)
            case dt.date():
                sheet.write_datetime(row, column, dt.datetime.combine(value, dt.time()), look)
            case _:
                sheet.write_string(row, column, str(value)[:CELL_TEXT], look)

    def row(self, sheet: Any, row: int, columns: Sequence[Column], values: Sequence[Any]) -> None:
        """Write one row of a table, as high as its longest text needs: not every program sees to
        that when it opens the file.
        """
        texts = []
        for place, (column, value) in enumerate(zip(columns, values, strict=True)):
            self.put(sheet, row, place, value, column.form)
            if isinstance(value, str) and column.form in _WRAPPED:
                texts.append((value, column.width))
        self.fit(sheet, row, texts)

    @staticmethod
    def fit(sheet: Any, row: int, texts: Sequence[tuple[str, float]]) -> None:
        """Make a row as high as its texts need in columns of these widths."""
        lines = max((_lines(text, width) for text, width in texts), default=1)
        if lines > 1:
            sheet.set_row(row, _LINE * lines)

    def head(self, sheet: Any, row: int, columns: Sequence[Column], height: float) -> None:
        """Write the titles of a table and set its widths."""
        sheet.set_row(row, height)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width)
            self.put(sheet, row, place, column.title, "upright" if column.upright else "head")

    def cover(self, name: str, title: str, parts: Sequence[tuple[str, str, str]]) -> Any:
        """Write a first sheet: the title, then (label, text, format of the text) a line; a line
        without text is a heading.
        """
        sheet = self.sheet(name, wide=False)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 75)
        sheet.set_row(0, 24)
        self.put(sheet, 0, 0, title, "title")
        for row, (label, text, form) in enumerate(parts, start=2):
            if not text:
                self.put(sheet, row, 0, label, "part")
                continue
            self.fit(sheet, row, [(label, 30), (text, 75)])
            self.put(sheet, row, 0, label, "label")
            self.put(sheet, row, 1, text, form)
        return sheet


@lru_cache(maxsize=10_000)  # most texts of a long table are the same few
def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes in a column: whole words, a tenth of room to spare."""
    return sum(max(1, len(wrap(part, max(int(0.9 * width), 1)))) for part in text.split("\n"))


@contextmanager
def new_book(path: Path, title: str) -> Iterator[Book]:
    """Open a workbook that is written when the block is left. Raises CallError when it cannot be
    written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    options = {"strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(path, options)
    book.set_properties({"title": title})
    yield Book(book)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        book.close()
    except (OSError, FileCreateError) as error:
        raise CallError(
            "The file cannot be written.",
            where=str(path),
            found=str(error),
            do="Close it where it is open, or choose another place with --to.",
        ) from error


def round_lines(of_round: Round, words: Speaker) -> list[tuple[str, str, str]]:
    """Return the lines of a cover that say which round this is and what it rests on."""
    is_draft = of_round.version.startswith("draft-")
    lines = [
        (words.say("Round"), of_round.name, "plain"),
        (words.say("Version"), of_round.version, "plain"),
    ]
    if is_draft:
        lines.append(
            (
                words.say("DRAFT"),
                words.say("This round is not published. Its figures may still change."),
                "warning",
            )
        )
    rule = load_file(of_round.rule_file(), Rule)
    lines += [
        (words.say("Methodology"), _named(of_round.methodology, words), "plain"),
        (words.say("Funding rule"), _named(rule, words), "plain"),
    ]
    if "illustrative" in (of_round.methodology.status, rule.status):
        lines.append(
            (
                words.say("ILLUSTRATIVE"),
                words.say(
                    "Indicators, thresholds, weights and coefficients are illustrative: the"
                    " official text of the methodology is not public. Official are only the two"
                    " averages of the norm."
                ),
                "warning",
            )
        )
    return [*lines, (words.say("Hash of the receipt (SHA-256)"), of_round.receipt_hash, "plain")]


def _named(file: DatedFile, words: Speaker) -> str:
    return words.say(
        "{title} ({name}), in force from {start}",
        title=words.name(file.title),
        name=file.name,
        start=words.day(file.start),
    )
