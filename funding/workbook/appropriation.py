"""The sheet Appropriation: incentive amounts scaled to a sum, exact to the tenge, as formulas.

What ``funding.settlement.scale`` does with whole numbers of any size: each line gets its entitled
amount times available / entitled, rounded down, and the tenge left over go to the largest
remainders in the order of the lines. A sheet has 53 binary digits, and the product of two amounts
needs more, so the remainder is found by long division in base 100 (every step stays below
2.8 x 10^14: LibreOffice takes the difference of larger numbers that are almost equal for 0). The
quotient follows from it: what is left after taking the remainder away is a whole number, which
rounding finds.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from funding.workbook.book import Book
from funding.workbook.facts import Row
from funding.workbook.grids import DIGITS
from funding.workbook.paper import (
    COUNT,
    HEAD_ROW,
    TEXT,
    Grid,
    lines_of,
    number,
    one_line,
    put,
    quoted,
)

LARGEST = 10**12
"""Sums of tenge must be below this for the long division to be exact."""


@dataclass(frozen=True)
class _Scaling:
    """The numbers of the last pass, as the round keeps them."""

    available: int
    taken: int
    scaled: int
    entitled: int
    point: Decimal

    @property
    def binds(self) -> bool:
        return self.entitled > self.scaled


def write_appropriation(book: Book) -> None:
    """Write the sheet: the national numbers above, a row a line below."""
    words, facts = book.words, book.facts
    grid = book.grids["Appropriation"]
    sheet = book.paper.sheet(
        "Appropriation", words.say("Scaling to the appropriation"), book.colours(), frozen=2
    )
    head = grid.first - 2
    sheet.freeze_panes(0, 2)
    sheet.repeat_rows(head)
    height = max(lines_of(column.title, column.width - 2) for column in grid.columns)
    sheet.set_row(head, 4 + 15 * height)
    for place, column in enumerate(grid.columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(head, place, column.title, book.paper.head(column.kind))
    last = facts.passes[-1]
    scaling = _Scaling(
        last["available"],
        last["guaranteed_amount"],
        last["scaled_available"],
        last["scaled_entitled"],
        last["point_value"],
    )
    lines = [line for line in facts.lines if line["specialty"] is not None]
    steps = _steps(book, lines, scaling)
    left = scaling.scaled - sum(s["down"] for s in steps if s["scaled"]) if scaling.binds else 0
    ranked = sorted((s["key"] for s in steps if s["key"] != ""), reverse=True)
    cut = ranked[left - 1] if left else ""
    above = sum(key > cut for key in ranked) if left else 0
    _write_national(book, grid, sheet, scaling, left, cut, above)
    rows = [row for rows in facts.line_rows.values() for row in rows]
    ties = 0
    for row, (line, line_row, step) in enumerate(
        zip(lines, rows, steps, strict=True), start=grid.first
    ):
        at_cut = left > 0 and step["key"] == cut
        ties += at_cut
        step["ties"] = ties
        step["plus"] = line["incentive_amount"] - step["down"]
        step["paid"] = line["incentive_amount"]
        put(sheet, row, 0, line["college_id"], book.paper.form())
        put(sheet, row, 1, line["specialty"], book.paper.form())
        for key, formula in _formulas(book, grid, row, line_row, line["college_id"]).items():
            place = grid.places[key]
            shown = book.paper.cell("live", grid.columns[place].pattern)
            sheet.write_formula(row - 1, place, formula, shown, number(step[key]))


def _steps(book: Book, lines: list[Row], scaling: _Scaling) -> list[dict[str, Any]]:
    """The cached values of the long division, which the round does not keep."""
    found = []
    for line in lines:
        entitled = line["entitled_incentive"]
        step: dict[str, Any] = {
            "scaled": 0 if book.facts.is_guaranteed(line["college_id"]) else 1,
            "entitled": entitled,
            "down": entitled,
            "key": "",
        }
        rest = 0
        for digit in reversed(range(DIGITS)):
            if scaling.binds:
                rest *= 100
                rest += entitled // 100**digit % 100 * scaling.scaled
                rest %= scaling.entitled
            step[f"r{digit}"] = rest
        if scaling.binds:
            step["down"] = entitled * scaling.scaled // scaling.entitled
            step["key"] = rest if step["scaled"] else ""
        found.append(step)
    return found


def _formulas(book: Book, grid: Grid, row: int, line_row: int, college: str) -> dict[str, str]:
    at = {key: f"{letter}{row}" for key, letter in grid.letters.items()}
    scaled = "=1"
    if book.facts.is_within:
        there = book.grids["Colleges"].at("guaranteed", book.facts.college_row[college])
        scaled = f'=IF({there}="yes",0,1)'
    formulas = {
        "scaled": scaled,
        "entitled": f"={book.grids['Lines'].at('entitled_incentive', line_row)}",
    }
    before = ""
    for digit in reversed(range(DIGITS)):
        place = f"INT({at['entitled']}/{100**digit})" if digit else at["entitled"]
        value = place if digit == DIGITS - 1 else f"MOD({place},100)"
        carried = f"{before}*100+" if before else ""
        step = f"MOD({carried}{value}*scaled_available,scaled_entitled)"
        formulas[f"r{digit}"] = f"=IF(appropriation_binds,{step},0)"
        before = at[f"r{digit}"]
    quotient = f"{at['entitled']}*scaled_available/scaled_entitled-{before}/scaled_entitled"
    formulas["down"] = f"=IF(appropriation_binds,ROUND({quotient},0),{at['entitled']})"
    formulas["key"] = f'=IF(AND(appropriation_binds,{at["scaled"]}=1),{before},"")'
    above = "0" if row == grid.first else f"{grid.letters['ties']}{row - 1}"
    is_cut = f"AND(tenge_left>0,{at['key']}=last_remainder)"
    formulas["ties"] = f"={above}+IF({is_cut},1,0)"
    formulas["plus"] = (
        f'=IF(OR(tenge_left=0,{at["key"]}=""),0,IF({at["key"]}>last_remainder,1,'
        f"IF(AND({at['key']}=last_remainder,{at['ties']}<=tenge_left-lines_above),1,0)))"
    )
    formulas["paid"] = f"={at['down']}+{at['plus']}"
    return formulas


def _write_national(
    book: Book, grid: Grid, sheet: Any, scaling: _Scaling, left: int, cut: Any, above: int
) -> None:
    """The numbers that every line refers to, each with a name."""
    words, facts = book.words, book.facts
    keys, scaled, down, entitled, paid = (
        grid.all(key).partition("!")[2] for key in ("key", "scaled", "down", "entitled", "paid")
    )
    taken = "0"
    if facts.is_within:
        colleges = book.grids["Colleges"]
        is_paid = f'({colleges.all("guaranteed")}="yes")'
        taken = (
            f"SUMPRODUCT(--{is_paid},{colleges.all('floor_amount')})"
            f"-SUMPRODUCT(--{is_paid},{colleges.all('base_amount')})"
        )
    holds = f"SUMIF({scaled},1,{paid})=MIN(scaled_available,scaled_entitled)"
    rows: list[tuple[str, str, str, Any, str]] = [
        (
            "appropriation_available",
            words.say("Available for incentive amounts, tenge"),
            '=appropriation_amount-IF(appropriation_covers="total",national_base_amount,0)',
            scaling.available,
            COUNT,
        ),
        (
            "guaranteed_amount",
            words.say("Taken by colleges that are paid their floor, tenge"),
            f"={taken}",
            scaling.taken,
            COUNT,
        ),
        (
            "scaled_available",
            words.say("Available for the colleges that are scaled, tenge"),
            "=appropriation_available-guaranteed_amount",
            scaling.scaled,
            COUNT,
        ),
        (
            "scaled_entitled",
            words.say("Entitled amounts of the colleges that are scaled, tenge"),
            f"=SUMIF({scaled},1,{entitled})",
            scaling.entitled,
            COUNT,
        ),
        (
            "appropriation_binds",
            words.say("More is entitled than available"),
            "=scaled_entitled>scaled_available",
            scaling.binds,
            "General",
        ),
        (
            "point_value",
            words.say("Point value: tenge paid for a tenge entitled"),
            "=IF(appropriation_binds,ROUND(scaled_available/scaled_entitled,12),1)",
            scaling.point,
            "0.000000000000",
        ),
        (
            "tenge_left",
            words.say("Tenge left after rounding down"),
            f"=IF(appropriation_binds,scaled_available-SUMIF({scaled},1,{down}),0)",
            left,
            COUNT,
        ),
        (
            "last_remainder",
            words.say("The last remainder that gets a tenge"),
            f'=IF(tenge_left>0,LARGE({keys},tenge_left),"")',
            cut,
            COUNT,
        ),
        (
            "lines_above",
            words.say("Lines with a larger remainder"),
            f'=IF(tenge_left>0,COUNTIF({keys},">"&last_remainder),0)',
            above,
            COUNT,
        ),
        (
            "appropriation_holds",
            words.say("Nothing is short, and every tenge is paid out"),
            f"=AND(scaled_available>=0,scaled_entitled<{LARGEST},{holds})",
            True,
            "General",
        ),
    ]
    for row, (name, title, formula, value, pattern) in enumerate(rows, start=HEAD_ROW + 2):
        sheet.write_string(row - 1, 0, name, book.paper.form())
        shown = book.paper.cell("live", pattern, align="right")
        sheet.write_formula(row - 1, 3, formula, shown, number(value))
        sheet.write_string(row - 1, 4, one_line(title), book.paper.cell("plain", TEXT))
        book.paper.define(name, "Appropriation", f"$D${row}")
    row = HEAD_ROW + 2 + len(rows)
    too_large = quoted(words.say("sums of a million million tenge and more are not exact here"))
    sheet.write_formula(
        row, 0, f'=IF(scaled_entitled<{LARGEST},"",{too_large})', book.paper.form(bold=True), ""
    )
    assert row < grid.first - 2
