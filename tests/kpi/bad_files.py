"""Bad files as they come, each made in code: what it is, how it is made, what must be answered."""

import datetime as dt
import io
import itertools
import os
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import polars as pl
import xlsxwriter
from inputs import Row, assessment, graduate, student

from kpi.contract import TableContract
from kpi.control_digits import control_digit

Fault = tuple[int, str, str]
"""Record, check, column."""

MAKERS: dict[str, Callable[[str], Row]] = {
    "students": student,
    "graduates": graduate,
    "assessments": assessment,
}


@dataclass(frozen=True)
class Read:
    """A file that is read: how many rows, and which of them are refused for what."""

    name: str
    file: str
    make: Callable[[str], bytes]
    """Makes the content for a college's id."""
    rows: int
    faults: Sequence[Fault] = ()
    form: dict[str, str] = field(default_factory=dict)
    """What must be said of how it was read."""
    cells: dict[str, set[str | None]] = field(default_factory=dict)
    """What a column must hold."""


@dataclass(frozen=True)
class Refused:
    """A file that is refused as a whole: the sentence, and a piece of what was found."""

    name: str
    file: str
    make: Callable[[Path], None]
    says: str
    found: str = ""


# ------------------------------------------------------------------------------------------ tables


def cells_of(table: str, rows: Sequence[Row]) -> list[list[str]]:
    """The header and the rows of a table as text."""
    names = list(TableContract(table).types)
    return [names, *([_text(row.get(name)) for name in names] for row in rows)]


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def three(college: str, table: str = "students", **second: object) -> list[list[str]]:
    """The header and three right rows of a college, records 2 to 4; ``second`` changes record 3."""
    rows = [MAKERS[table](college) for _ in range(3)]
    if table == "assessments":
        for number, row in enumerate(rows):
            row["indicator"] = f"{college}-{number}"
    rows[1] |= second
    return cells_of(table, rows)


def lines(cells: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\n") -> str:
    """The text of a table without quotes."""
    return "".join(delimiter.join(row) + end for row in cells)


def csv_of(table: str = "students", **second: object) -> Callable[[str], bytes]:
    """Makes a plain CSV file with one cell of record 3 changed."""
    return lambda college: lines(three(college, table, **second)).encode()


def iin_of_2005(number: int) -> str:
    """An IIN of somebody born on 6 January 2000 plus, with the right control digit."""
    for serial in itertools.count(number):
        base = f"0501065{serial:04d}"
        [digit] = control_digit(pl.Series([int(base)]).to_numpy())
        if digit >= 0:
            return f"{base}{digit}"
    raise AssertionError


# ---------------------------------------------------------------------------------------- workbooks


def sheet(cells: Sequence[Sequence[object]], row: int = 0, column: int = 0) -> bytes:
    """A workbook of one sheet; cells of type date and bool as such."""
    return book({"Лист1": (cells, row, column)})


def book(
    sheets: dict[str, tuple[Sequence[Sequence[object]], int, int]], hidden: Sequence[str] = ()
) -> bytes:
    """A workbook: cells by sheet, with the row and the column where they begin."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "dd.mm.yyyy"}) as made:
        for name, (cells, row, column) in sheets.items():
            page = made.add_worksheet(name)
            for at, line in enumerate(cells):
                for place, cell in enumerate(line):
                    if isinstance(cell, str):
                        page.write_string(row + at, column + place, cell)
                    else:
                        page.write(row + at, column + place, cell)
            if name in hidden:
                page.hide()
    return content.getvalue()


def typed(college: str) -> list[list[object]]:
    """Three rows whose days, numbers and booleans are typed cells."""
    types = TableContract("students").types
    header, *rows = three(college)
    made: list[list[object]] = [list(header)]
    for row in rows:
        cells: list[object] = []
        for (_, dtype), cell in zip(types.items(), row, strict=True):
            if not cell:
                cells.append(None)
            elif dtype == pl.Date:
                cells.append(dt.date.fromisoformat(cell))
            elif dtype == pl.Boolean:
                cells.append(cell == "true")
            else:
                cells.append(int(cell) if dtype == pl.Int64 else cell)
        made.append(cells)
    return made


def with_numbers(college: str) -> bytes:
    """Rows whose identifiers are numbers: the second has lost its first zero, the third never had
    one: a source's own number.
    """
    rows: list[list[object]] = [*three(college)]
    rows[2][0] = int(iin_of_2005(1))
    rows[3][0] = 20_251_234_567
    return sheet(rows)


def formulas(college: str, *, computed: bool) -> bytes:
    """A workbook whose courses are formulas: with the value that a program stored, or none."""
    rows = three(college)
    place = rows[0].index("course")
    content = io.BytesIO()
    if computed:
        with xlsxwriter.Workbook(content) as made:
            page = made.add_worksheet()
            for at, row in enumerate(rows):
                page.write_row(at, 0, row)
                if at:
                    page.write_formula(at, place, "=1+1", None, 2)
    else:
        made = openpyxl.Workbook()
        for at, row in enumerate(rows):
            made.active.append([*row[:place], "=1+1" if at else row[place], *row[place + 1 :]])
        made.save(content)
    return content.getvalue()


def with_member(content: bytes, name: str, data: bytes) -> bytes:
    """A workbook with one more part, or with one replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", 8) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, data)
    return made.getvalue()


def part(content: bytes, name: str) -> str:
    """A part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        return made.read(name).decode()


SHEET = "xl/worksheets/sheet1.xml"


def with_empty_rows(college: str) -> bytes:
    """A workbook with a million formatted rows that hold nothing."""
    whole = sheet(three(college))
    empty = "".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(5, 1_048_577))
    text = part(whole, SHEET).replace("</sheetData>", empty + "</sheetData>")
    return with_member(whole, SHEET, text.encode())


def with_far_cell(path: Path) -> None:
    """A workbook with one cell in the last row of the last column."""
    whole = sheet(three("EX-01"))
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    text = part(whole, SHEET).replace("</sheetData>", far)
    path.write_bytes(with_member(whole, SHEET, text.encode()))


def with_entities(path: Path) -> None:
    """A workbook whose sheet asks for a file of this machine."""
    whole = sheet(three("EX-01"))
    head, rest = part(whole, SHEET).split("?>", 1)
    entity = '?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    cell = '<c r="A9" t="inlineStr"><is><t>&x;</t></is></c>'
    text = head + entity + rest.replace("</sheetData>", f'<row r="9">{cell}</row></sheetData>')
    path.write_bytes(with_member(whole, SHEET, text.encode()))


# ----------------------------------------------------------------------------------------- archives


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    """An archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> Callable[[Path], None]:
    """Writes an archive."""
    return lambda path: _write(path, zip_of(*members))


def link() -> zipfile.ZipInfo:
    """A member that is a link."""
    info = zipfile.ZipInfo("students.csv")
    info.external_attr = 0o120777 << 16
    return info


def patched(content: bytes, at: int, of_local: int, form: str, value: int) -> bytes:
    """An archive of one member with a field of its two headers changed."""
    changed = bytearray(content)
    struct.pack_into(form, changed, content.index(b"PK\1\2") + at, value)
    struct.pack_into(form, changed, content.index(b"PK\3\4") + of_local, value)
    return bytes(changed)


def bomb(path: Path) -> None:
    """An archive that says of its one member that it has 4 GB."""
    path.write_bytes(patched(zip_of(("students.csv", b"a" * 99)), 24, 22, "<I", 4_000_000_000))


def hidden_bomb(path: Path) -> None:
    """An archive whose member unpacks to more than it says."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("students.csv", b"a" * 5_000_000)
    path.write_bytes(patched(made.getvalue(), 24, 22, "<I", 10))


def locked(path: Path) -> None:
    """An archive whose member is marked as encrypted."""
    path.write_bytes(patched(zip_of(("students.csv", b"a" * 99)), 8, 6, "<H", 1))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def raw(content: bytes) -> Callable[[Path], None]:
    """Writes bytes."""
    return lambda path: _write(path, content)


def long_line(path: Path) -> None:
    """A file of one line of 2 GB, which takes no place on the disk."""
    path.write_bytes(b"student_id,college_id\n")
    os.truncate(path, 2 << 30)


# -------------------------------------------------------------------------------------- what comes


def _mixed_ends(college: str) -> bytes:
    header, *rows = map(",".join, three(college))
    return f"{header}\r\n{rows[0]}\n{rows[1]}\r{rows[2]}".encode()


def _mixed_encodings(college: str) -> bytes:
    header, *rows = three(college)
    for row in rows:
        row[1] = "дело 7"
    text = [lines([row]) for row in rows]
    return lines([header]).encode() + b"".join(
        one.encode("utf-8" if at == 1 else "cp1251") for at, one in enumerate(text)
    )


def _wrong_bytes(college: str) -> bytes:
    header, *rows = three(college)
    rows[0][1], rows[1][1], rows[2][1] = "дело 1", "дело", "дело 3"
    return lines([header, *rows]).encode().replace("дело,".encode(), b"\xd0\xff 2,")


def _nul(college: str) -> bytes:
    return csv_of(record_no="7")(college).replace(b",7,", b",7\0,")


def _header_twice(college: str) -> bytes:
    header, *rows = three(college)
    return lines([header, rows[0], header, *rows[1:]]).encode()


def _unclosed(college: str) -> bytes:
    return csv_of(record_no='"7')(college)


def _all_quoted_one_unclosed(college: str) -> bytes:
    header, *rows = three(college)
    text = lines([[f'"{cell}"' for cell in row] for row in (header, *rows)])
    return text.replace(f'"{rows[1][0]}"', f'"{rows[1][0]}').encode()


def _wide(college: str) -> bytes:
    rows = three(college)
    extra = [f"column {n}" for n in range(486)]
    return lines(
        [row + (extra if at == 0 else ["x"] * 486) for at, row in enumerate(rows)]
    ).encode()


def _protected(college: str) -> bytes:
    rows = [[f'="{cell}"' if cell else "" for cell in row] for row in three(college)]
    return b"\xff\xfe" + lines(rows, "\t", "\r\n").encode("utf-16-le")


def _preamble(college: str) -> bytes:
    return ("Контингент колледжа;;\n\nна 01.10.2025;\n" + lines(three(college), ";")).encode()


def _trailing(college: str) -> bytes:
    return lines([*three(college), *[[""] * 14] * 3], ";").encode() + b"\n\n"


def _ragged(college: str) -> bytes:
    header, *rows = three(college)
    return lines([header, rows[0][:5], [*rows[1], "", "x"], rows[2]]).encode()


def _in_quotes(college: str) -> bytes:
    rows = three(college, record_no="7; 8\nи 9")
    cells = [
        [f'"=""{cell}"""' if at == 0 else f'"{cell}"' for at, cell in enumerate(r)] for r in rows
    ]
    return lines(cells, ";").encode("cp1251")


def _two_sheets(college: str) -> bytes:
    note = ([["Пояснение", "к таблице"]], 0, 0)
    return book({"Данные": (three(college), 0, 0), "Пояснение": note, "Пусто": ([], 0, 0)})


def _hidden_sheet(college: str) -> bytes:
    one = ([["Пояснение", "к таблице"]], 0, 0)
    return book({"Пояснение": one, "Данные": (three(college), 0, 0)}, hidden=["Данные"])


READ = [
    Read(
        "UTF-8 with a mark, semicolons",
        "students-bom.csv",
        lambda c: b"\xef\xbb\xbf" + lines(three(c), ";").encode(),
        3,
        form={"delimiter": "semicolon"},
    ),
    Read(
        "the national export's form",
        "students-wide.csv",
        _protected,
        3,
        form={"encoding": "UTF-16", "delimiter": "tab"},
    ),
    Read(
        "UTF-16 without its mark",
        "students-nomark.txt",
        lambda c: lines(three(c), "\t").encode("utf-16-le"),
        3,
        form={"encoding": "UTF-16"},
    ),
    Read(
        "UTF-16, the other way round",
        "students-be.csv",
        lambda c: lines(three(c)).encode("utf-16-be"),
        3,
        form={"encoding": "UTF-16"},
    ),
    Read(
        "Windows-1251",
        "students-1251.csv",
        lambda c: lines(three(c, record_no="дело 7"), ";").encode("cp1251"),
        3,
        form={"encoding": "Windows-1251"},
        cells={"record_no": {None, "дело 7"}},
    ),
    Read(
        "two encodings in one file",
        "students-mixed.csv",
        _mixed_encodings,
        3,
        form={"encoding": "Windows-1251 and UTF-8"},
        cells={"record_no": {"дело 7"}},
    ),
    Read(
        "bytes that are no characters",
        "students-bytes.csv",
        _wrong_bytes,
        3,
        [(3, "damaged_text", "record_no")],
        {"encoding": "UTF-8"},
    ),
    Read("a NUL byte", "students-nul.csv", _nul, 3, [(3, "damaged_text", "record_no")]),
    Read("three kinds of line ends", "students-ends.csv", _mixed_ends, 3),
    Read(
        "line ends of an old Mac",
        "students-mac.csv",
        lambda c: lines(three(c), ",", "\r").encode(),
        3,
    ),
    Read("a header twice", "students-twice.csv", _header_twice, 4, [(3, "repeated_header", "")]),
    Read(
        "a quoted cell that never ends",
        "students-quote.csv",
        _unclosed,
        3,
        [(3, "stray_quote", "")],
        {"quotes": "one never ends"},
    ),
    Read(
        "all cells quoted, one never ends",
        "students-quotes.csv",
        _all_quoted_one_unclosed,
        3,
        [(3, "stray_quote", "")],
    ),
    Read(
        "cells in quotes with line ends",
        "students-quoted.csv",
        _in_quotes,
        3,
        cells={"record_no": {None, "7; 8\nи 9"}},
    ),
    Read("500 columns", "students-500.csv", _wide, 3),
    Read(
        "a date as a spreadsheet's number",
        "students-serial.csv",
        csv_of(enrolled_on="45931"),
        3,
        [(3, "not_a_date", "enrolled_on")],
    ),
    Read(
        "a date with dots",
        "students-dots.csv",
        csv_of(enrolled_on="01.10.2025"),
        3,
        [(3, "not_a_date", "enrolled_on")],
    ),
    Read(
        "thousands in groups",
        "graduates-groups.csv",
        csv_of("graduates", monthly_wage="185 000"),
        3,
        [(3, "not_an_integer", "monthly_wage")],
    ),
    Read(
        "a decimal comma",
        "assessments-comma.csv",
        lambda c: lines(three(c, "assessments", points="48,5"), ";").encode(),
        3,
        [(3, "not_a_number", "points")],
    ),
    *[
        Read(
            f"a cell that begins with {cell[0]}",
            f"students-{at}.csv",
            csv_of(record_no=cell),
            3,
            cells={"record_no": {None, cell}},
        )
        for at, cell in enumerate(["=1+1", "+7 1", "-7", "@SUM(1)", '=cmd|"/c 1"!A1'])
    ],
    Read(
        "a number that a spreadsheet rounded",
        "students-rounded.csv",
        lambda c: lines(three(c, student_id="6,0102E+10"), ";").encode(),
        3,
        [(3, "damaged_number", "student_id")],
    ),
    Read(
        "numbers that lost their zeros",
        "students-zeros.xlsx",
        with_numbers,
        3,
        [(3, "lost_zeros", "student_id")],
    ),
    Read(
        "lines above the header",
        "students-above.csv",
        _preamble,
        3,
        form={"delimiter": "semicolon"},
    ),
    Read("rows of delimiters below the table", "students-below.csv", _trailing, 3),
    Read(
        "rows of wrong length",
        "students-ragged.csv",
        _ragged,
        3,
        [(2, "wrong_field_count", ""), (3, "wrong_field_count", "")],
    ),
    Read("only a header", "students-header.csv", lambda c: lines(three(c)[:1]).encode(), 0),
    Read(
        "a workbook of text",
        "students-text.xlsx",
        lambda c: sheet(three(c)),
        3,
        form={"format": "XLSX"},
    ),
    Read("a workbook with typed cells", "students-typed.xlsx", lambda c: sheet(typed(c)), 3),
    Read("a table that begins at C5", "students-c5.xlsx", lambda c: sheet(three(c), 4, 2), 3),
    Read("several sheets", "students-sheets.xlsx", _two_sheets, 3, form={"sheet": "Данные"}),
    Read(
        "a hidden sheet",
        "students-hidden.xlsx",
        _hidden_sheet,
        3,
        form={"sheet": "Данные", "shown": "hidden"},
    ),
    Read(
        "formulas with their values",
        "students-values.xlsx",
        lambda c: formulas(c, computed=True),
        3,
    ),
    Read(
        "formulas that were never computed",
        "students-formulas.xlsx",
        lambda c: formulas(c, computed=False),
        3,
        [(n, "missing_value", "course") for n in (2, 3, 4)],
        {"formulas": "some without a value"},
    ),
    Read(
        "macros",
        "students-macros.xlsm",
        lambda c: with_member(sheet(three(c)), "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" * 99),
        3,
    ),
    Read("a million empty rows", "students-empty.xlsx", with_empty_rows, 3),
    Read(
        "a workbook by the name of a CSV",
        "students-book.csv",
        lambda c: sheet(three(c)),
        3,
        form={"format": "XLSX"},
    ),
    Read(
        "a CSV by the name of a workbook",
        "students-text2.xlsx",
        csv_of(),
        3,
        form={"format": "CSV"},
    ),
    Read("a name with a line end and other signs", "students-[a]*\n\u202e {x}.csv", csv_of(), 3),
]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
_ZIP = zip_of(("students.csv", b"student_id\n" * 99))
_DAMAGED = "The archive is damaged or cut off."
_OUT = "A member of the archive leads out of it."
_NEITHER = "The file is neither text nor a workbook nor Parquet."

REFUSED = [
    Refused("an empty file", "students-a.csv", raw(b""), "The file is empty."),
    Refused(
        "a mark and nothing else", "students-b.csv", raw(b"\xef\xbb\xbf\n"), "The file is empty."
    ),
    Refused("a line of 2 GB", "students-c.csv", long_line, "A line of the file is too long."),
    Refused("a picture", "students-d.csv", raw(b"\x89PNG\r\n\x1a\n" + bytes(99)), _NEITHER, "PNG"),
    Refused("a PDF", "students-e.csv", raw(b"%PDF-1.7\n1 0 obj"), _NEITHER, "PDF"),
    Refused("a program", "students-f.csv", raw(bytes(range(256)) * 40), _NEITHER),
    Refused(
        "a packed file", "students-g.csv.gz", raw(b"\x1f\x8b\x08" + bytes(99)), _NEITHER, "gzip"
    ),
    Refused(
        "a letter",
        "students-h.xlsx",
        archive(("[Content_Types].xml", b"<a/>"), ("word/document.xml", b"<a/>")),
        _NEITHER,
    ),
    Refused(
        "a locked workbook",
        "students-i.xlsx",
        raw(_OLE + "EncryptedPackage".encode("utf-16-le")),
        "The workbook is locked with a password.",
    ),
    Refused(
        "an old workbook",
        "students-j.xls",
        raw(_OLE + b"Workbook"),
        "The workbook has the old format of before 2007.",
        "XLS",
    ),
    Refused(
        "half a workbook",
        "students-k.xlsx",
        lambda path: _write(path, sheet(three("EX-01"))[:-3000]),
        _DAMAGED,
    ),
    Refused(
        "a workbook that asks for a file",
        "students-l.xlsx",
        with_entities,
        "The workbook is damaged.",
    ),
    Refused(
        "a cell at the end of the world",
        "students-m.xlsx",
        with_far_cell,
        "A cell of a sheet lies far away from its table.",
        "16,384 columns",
    ),
    Refused("half an archive", "a.zip", raw(_ZIP[:-40]), _DAMAGED),
    Refused(
        "an archive with a wrong sum",
        "b.zip",
        raw(_ZIP.replace(b"student_id", b"student_ib", 1)),
        _DAMAGED,
    ),
    Refused("a bomb", "c.zip", bomb, "The archive unpacks to more than is taken.", "4,000 MB"),
    Refused("a bomb that hides its size", "d.zip", hidden_bomb, _DAMAGED),
    Refused("a member above", "e.zip", archive(("../students.csv", b"x")), _OUT, "../students.csv"),
    Refused("a member above, the other way", "f.zip", archive(("a\\..\\students.csv", b"x")), _OUT),
    Refused("a member at the root", "g.zip", archive(("/etc/students.csv", b"x")), _OUT),
    Refused("a member of a drive", "h.zip", archive(("C:/students.csv", b"x")), _OUT),
    Refused("a member that is a link", "i.zip", archive((link(), b"/etc/passwd")), _OUT),
    Refused(
        "an archive in an archive",
        "j.zip",
        archive(("inner.zip", _ZIP)),
        "An archive stands inside an archive.",
    ),
    Refused("a locked archive", "k.zip", locked, "The archive is locked with a password."),
    Refused("an archive of nothing", "l.zip", archive(), "The archive holds no files."),
    Refused(
        "half a Parquet file",
        "students-n.parquet",
        raw(b"PAR1" + bytes(99)),
        "The file is no readable Parquet file.",
    ),
    Refused(
        "two columns of one name",
        "students-o.csv",
        raw(lines([[*three("EX-01")[0], "course"]]).encode()),
        "The header is wrong.",
        "course",
    ),
    Refused(
        "no header",
        "students-p.csv",
        raw(lines(three("EX-01")[1:]).encode()),
        "The header lacks columns that the table must have.",
        "none",
    ),
    Refused("a pipe", "students-q.csv", os.mkfifo, "The file cannot be read."),
    Refused(
        "a link to itself",
        "students-r.csv",
        lambda path: path.symlink_to(path),
        "The file cannot be read.",
    ),
    Refused(
        "a link to nowhere",
        "students-s.csv",
        lambda path: path.symlink_to("nowhere"),
        "The file cannot be read.",
    ),
]
