"""The workbook as paper: words in the reader's languages, cell formats, a sheet's head and print.

Three kinds of cell are told apart by their fill: what may be changed (counts and parameters), what
follows (formulas), and what stays as it stood in the round (stored).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from textwrap import wrap
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from kpi.dated import Names
from kpi.errors import CallError, phrase
from kpi.language import speaker

BOTH = ("kk", "ru")
TITLE_ROW, NOTE_ROW, HEAD_ROW, FIRST_ROW = 0, 1, 2, 3  # from 0, as xlsxwriter counts
EXCEL_ROWS = 1_048_576
LONGEST_TEXT = 32_767
LONGEST_FORMULA = 8_192
A4 = 9

COUNT, POINTS, WHOLE = "#,##0", "#,##0.00", "0"
PERCENT, SCALE, WEIGHT = "0.00 %", "0.0000", "0.000000"
COEFFICIENT, SCORE, TEXT = "0.00000000", "0.00", "General"

_FILLS = {"input": "#FFF8D6", "stored": "#E4E0F0", "live": None, "plain": None}
_HEADS = {"input": "#7A6A1E", "stored": "#5B4B8A", "live": "#1F4E79", "plain": "#1F4E79"}


class Words:
    """Says each sentence in the reader's languages, one below the other; Kazakh stands first."""

    def __init__(self, language: str | None) -> None:
        self.languages = (language,) if language else BOTH
        self.speakers = [speaker(code) for code in self.languages]

    def say(self, sentence: str, **values: object) -> str:
        """Return a sentence in each language, its ``{name}`` places filled."""
        return "\n".join(dict.fromkeys(one.say(sentence, **values) for one in self.speakers))

    def name(self, names: Names) -> str:
        """Return a name of the methodology in each language."""
        return "\n".join(dict.fromkeys(one.name(names) for one in self.speakers))

    def names(self, names: Names) -> list[str]:
        """Return a name of the methodology, a text for each language."""
        return [one.name(names) for one in self.speakers]

    def of(self, row: dict[str, Any]) -> list[str]:
        """Return a row's name, a text for each language."""
        return [safe_text(one.of(row)) for one in self.speakers]


def stored_note(words: Words) -> str:
    """Return what a stored column says of itself."""
    return words.say(
        "As computed in the round. The workbook does not recompute this: after a change, run"
        " `kpi scenario`."
    )


def one_line(text: str) -> str:
    """Return the languages of a text side by side."""
    return text.replace("\n", " / ")


class Sheet(Worksheet):  # type: ignore[misc, unused-ignore]
    """A worksheet that takes formulas as they stand."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        """Return the formula without its equals sign.

        xlsxwriter looks in every formula for some thirty functions newer than Excel 2010, which
        costs more than all the rest of a cell; the formulas here have none of them.
        """
        return formula.removeprefix("=")


@dataclass(frozen=True)
class Column:
    """One column of a sheet; ``kind`` is input, stored, live or plain."""

    key: str
    title: str
    width: float
    kind: str = "plain"
    pattern: str = TEXT
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """Where the columns of a sheet stand; rows are numbered as Excel does, from 1."""

    sheet: str
    columns: Sequence[Column]
    rows: int
    first: int = FIRST_ROW + 1
    places: dict[str, int] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, column in enumerate(self.columns):
            self.places[column.key] = place
            self.letters[column.key] = xl_col_to_name(place)

    @property
    def last(self) -> int:
        """The last row with data (the first one where there is none)."""
        return max(self.first, self.first + self.rows - 1)

    def at(self, key: str, row: int) -> str:
        """A cell as formulas of other sheets name it."""
        return f"{self.sheet}!{self.letters[key]}{row}"

    def all(self, key: str) -> str:
        """All cells of a column."""
        letter = self.letters[key]
        return f"{self.sheet}!${letter}${self.first}:${letter}${self.last}"


class Paper:
    """The workbook file with its formats."""

    def __init__(self, workbook: Workbook, words: Words, mark: str) -> None:
        self.workbook = workbook
        self.words = words
        self.mark = mark
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}

    def form(self, **properties: Any) -> Format:
        """Return a format; the same one for the same properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format({"valign": "top", **properties})
        return self._formats[key]

    def cell(self, kind: str, pattern: str, **more: Any) -> Format:
        """Return the format of a cell of a kind."""
        fill = _FILLS[kind]
        shown = {"bg_color": fill, "border": 1, "border_color": "#D0D0D0"} if fill else {}
        beside = {"indent": 1, "align": "left"} if pattern == TEXT else {}
        return self.form(**({"num_format": pattern} | shown | beside | more))

    def head(self, kind: str) -> Format:
        """Return the format of a column's title."""
        return self.form(
            bold=True,
            text_wrap=True,
            font_color="#FFFFFF",
            bg_color=_HEADS[kind],
            border=1,
            border_color="#FFFFFF",
        )

    def sheet(self, name: str, title: str, note: str, frozen: int = 1) -> Sheet:
        """Begin a sheet: its title with the round's mark, a note, frozen head, print setup."""
        sheet: Sheet = self.workbook.add_worksheet(name, Sheet)
        sheet.write_string(
            TITLE_ROW, 0, f"{one_line(title)}. {self.mark}", self.form(bold=True, font_size=13)
        )
        sheet.write_string(
            NOTE_ROW, 0, one_line(note), self.form(italic=True, font_color="#595959")
        )
        sheet.freeze_panes(FIRST_ROW, frozen)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.repeat_rows(TITLE_ROW, HEAD_ROW)
        sheet.set_footer(f"&L{self.mark.replace('&', '&&')}&C&A&R&P / &N")
        return sheet

    def table(self, grid: Grid, title: str, note: str, frozen: int = 1) -> Sheet:
        """Begin a sheet with the columns of a grid. Raises CallError where it has too many rows."""
        if grid.last > EXCEL_ROWS:
            raise CallError(
                "A sheet of the workbook would be longer than a sheet of Excel can be.",
                where=grid.sheet,
                found=f"{grid.rows:,} rows",
                expected=phrase("at most {most}", most=EXCEL_ROWS - FIRST_ROW),
                do="Use the CSV files of `kpi export`.",
            )
        sheet = self.sheet(grid.sheet, title, note, frozen)
        height = max(lines_of(column.title, column.width - 2) for column in grid.columns)
        sheet.set_row(HEAD_ROW, 4 + 15 * height)
        for place, column in enumerate(grid.columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(HEAD_ROW, place, column.title, self.head(column.kind))
            if column.note:
                sheet.write_comment(HEAD_ROW, place, column.note, {"x_scale": 2, "y_scale": 1.5})
        sheet.autofilter(HEAD_ROW, 0, grid.last - 1, len(grid.columns) - 1)
        cells = f"A{grid.first}:{xl_col_to_name(len(grid.columns) - 1)}{grid.last}"
        sheet.ignore_errors({"number_stored_as_text": cells, "formula_differs": cells})
        return sheet

    def define(self, name: str, sheet: str, cell: str) -> None:
        """Give a cell (``$C$7``) a name."""
        self.workbook.define_name(name, f"={sheet}!{cell}")


def lines_of(text: str, width: float) -> int:
    """Return how many lines a text takes in a column of a width."""
    return sum(len(wrap(line, max(int(width * 0.95), 1))) or 1 for line in text.splitlines())


def short_formula(formula: str, where: str) -> str:
    """Return the formula. Raises CallError where Excel would not take it."""
    if len(formula) > LONGEST_FORMULA:
        raise CallError(
            "A formula of the workbook would be longer than Excel allows.",
            where=where,
            found=f"{len(formula):,} characters",
            expected=phrase("at most {most}", most=LONGEST_FORMULA),
            do="Split the methodology's group into groups of fewer KPIs.",
        )
    return formula


def safe_text(text: object) -> str:
    """Return a text that fits into a cell; a longer one ends in three dots."""
    said = "" if text is None else str(text)
    return said if len(said) <= LONGEST_TEXT else said[: LONGEST_TEXT - 3] + "..."


def number(value: Any) -> Any:
    """Return a stored value as a cell's cached one: nothing is an empty text."""
    if value is None:
        return ""
    return float(value) if isinstance(value, Decimal) else value


def put(sheet: Sheet, row: int, column: int, value: Any, form: Format) -> None:
    """Write a stored value as what it is; text never as a formula. ``row`` as Excel counts."""
    if value is None:
        sheet.write_blank(row - 1, column, None, form)
    elif isinstance(value, bool):
        sheet.write_boolean(row - 1, column, value, form)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row - 1, column, float(value), form)
    else:
        sheet.write_string(row - 1, column, safe_text(value), form)


def quoted(text: str) -> str:
    """Return a text as a constant of a formula (255 characters at most, Excel's limit)."""
    return '"' + one_line(text)[:250].replace('"', '""') + '"'


def runs(letter: str, rows: Iterable[int]) -> str:
    """Return cells of one column as ranges: ``N5:N7,N9``."""
    found: list[list[int]] = []
    for row in sorted(rows):
        if found and found[-1][1] == row - 1:
            found[-1][1] = row
        else:
            found.append([row, row])
    return ",".join(
        f"{letter}{first}" if first == last else f"{letter}{first}:{letter}{last}"
        for first, last in found
    )
