"""Marked-up workbooks: each college's rows as they stand in the files, what is wrong beside them.

Made straight from the input files, which are opened a second time: a round holds pseudonyms, a
college needs its own numbers and names to find a row. So these workbooks are personal data, for the
college and nobody else; they go to a new folder of their owner's alone, and never into a round. A
corrected workbook is read in again as what it was made from (kpi/reading/marked.py).

A row's way here: file → table of text → its college by the layout → ``picked`` (a database that may
spill to disk) → the sheet of its shape in its college's workbook, rows with findings first.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from xlsxwriter.utility import xl_cell_to_rowcol

from kpi.cells import OF_ROWS
from kpi.errors import CallError
from kpi.findings import ERROR, named, narrowed, told
from kpi.intake import SCRATCH, Intake, Report
from kpi.language import Speaker, mark, speaker
from kpi.layouts import TableRows, knows, recognise
from kpi.layouts.rows import FileColumn, cell_key
from kpi.reading.gather import gather
from kpi.reading.marked import MESSAGES, NOTES, SLIPPED, is_notes
from kpi.reading.opening import open_file
from kpi.reading.table import TextTable, column
from kpi.tables import COLLEGE_ID
from kpi.terms import term

UNATTRIBUTED = "unattributed"
"""The workbook of rows that name no college, or none that there is."""

SHEET_ROWS = 500_000
_LONGEST_CELL = 32_767  # characters that a cell of a workbook holds
_MOST_NOTES = 1_000
_SAID_WIDTH, _NOTES_WIDTH = 70, 110  # in characters, as spreadsheets measure columns
_LINE_HEIGHT, _TALLEST = 15, 409  # points; no row is taller
_SLIPPED = mark(
    "Put each cell of this row in its column, then empty this cell: until then the row does not"
    " count."
)
_IN_ORDER = "assessment-template"
"""The layout in which a row belongs to the college above it: its rows keep their order."""

_OF_ROUNDS = ("receipt.json", "journal.jsonl")


@dataclass(frozen=True)
class Checked:
    """An input that was checked, and what came of it."""

    inputs: Sequence[Path]
    intake: Intake
    findings: pl.DataFrame
    counts: pl.DataFrame


@dataclass(frozen=True)
class _Shape:
    """What rows of one sheet have in common: their table, its layout, the header, and what stands
    above it where the layout's header has several rows.
    """

    table: str
    layout: str
    header: tuple[str, ...]
    above: tuple[tuple[str, ...], ...] = ()


def require_new_folder(to: Path) -> None:
    """Raise CallError unless a folder is new or empty, and in no round: what stands there is not
    ours to overwrite.
    """
    if any((place / name).exists() for place in (to, *to.parents) for name in _OF_ROUNDS):
        raise CallError(
            "Marked-up workbooks hold personal data and must not stand among rounds.",
            where=str(to),
            do="Choose a folder outside the store.",
        )
    if to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise CallError(
            "The folder for the marked-up workbooks is not empty.",
            where=str(to),
            expected="a new folder",
            do="Choose another one, or delete the old workbooks first.",
        )


def write_workbooks(
    checked: Checked, to: Path, language: str | None, report: Report, college: str | None = None
) -> list[Path]:
    """Write one XLSX for each college with findings, and one of the rows of none, and return them.

    ``to`` is made for its owner alone (0700, files 0600). ``language`` None is Kazakh and Russian.
    ``college`` narrows it to one. Raises CallError for a folder that is not new.
    """
    require_new_folder(to)
    speakers = [speaker(one) for one in ([language] if language else ["kk", "ru"])]
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as scratch, duckdb.connect() as con:
        con.execute("SET temp_directory = $1", [scratch])
        con.execute("SET memory_limit = '500MB'")
        con.execute("SET preserve_insertion_order = false")
        picking = _Picking(con, checked, college)
        picking.pick(Path(scratch), _marks(checked.findings, checked.intake, speakers), report)
        with _own_folder(to):
            return list(_write_all(picking, to, speakers, Path(scratch), report))


@contextmanager
def _own_folder(to: Path) -> Iterator[None]:
    """Make the folder; take it away again where it could not be filled."""
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        to.chmod(0o700)
        yield
    except BaseException:
        shutil.rmtree(to, ignore_errors=True)
        raise


def _marks(findings: pl.DataFrame, intake: Intake, speakers: Sequence[Speaker]) -> pl.DataFrame:
    """Return a row for each row of a file with findings: file, record, table_name, the wrong
    columns, whether each is wrong by an error, and the messages in one text.
    """
    rows = narrowed(findings.filter(pl.col("file").is_not_null() & pl.col("record").is_not_null()))
    said = told(rows, speakers, intake.headers).values()
    lines = ["\n".join(dict.fromkeys(texts)) for texts in zip(*said, strict=True)]
    do = "\n".join(words.say(_SLIPPED) for words in speakers)
    lines = [
        f"{SLIPPED}{line}\n{do}" if check in OF_ROWS else line
        for line, check in zip(lines, rows["check_name"], strict=True)
    ]
    return (
        rows.with_columns(
            pl.Series("said", lines, dtype=pl.String), severe=pl.col("severity") == ERROR
        )
        .group_by("file", "record", "table_name", maintain_order=True)
        .agg(
            pl.col("column_name").fill_null("").alias("wrong"),
            "severe",
            pl.col("found").fill_null(""),
            pl.col("said").unique(maintain_order=True).str.join("\n"),
        )
    )


class _Picking:
    """The rows that go to workbooks, out of the files into a database."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, checked: Checked, only: str | None = None
    ) -> None:
        self.con = con
        self.checked = checked
        self.only = only
        self.shapes: dict[_Shape, int] = {}
        self.headers: list[TableRows] = []
        self.colleges = _colleges(checked)
        found = checked.findings.select("college_id", "table_name", "file", "record")
        of_rows = found.filter(pl.col("record").is_not_null()).unique(["college_id", "table_name"])
        self.pairs = of_rows.select("college_id", "table_name").filter(
            pl.col("college_id").is_in(self.colleges.implode())
        )
        self.tables = set(of_rows["table_name"])
        con.execute(
            "CREATE TABLE picked (college_id VARCHAR, shape INTEGER, place INTEGER, record BIGINT,"
            " wrong VARCHAR[], severe BOOLEAN[], found VARCHAR[], said VARCHAR, cells VARCHAR[])"
        )

    def pick(self, scratch: Path, marks: pl.DataFrame, report: Report) -> None:
        """Open the files once more and keep the rows that are wanted."""
        wanted = {
            entry["file"] for entry in self.checked.intake.files if entry["table"] in self.tables
        }
        files = [
            file
            for file in gather(list(self.checked.inputs), scratch / "unpacked").files
            if any(name == file.name or name.startswith(f"{file.name} [") for name in wanted)
        ]
        for number, file in enumerate(files):
            report("picking rows", number, len(files))
            _, tables = open_file(file, knows, scratch)
            for table in tables:
                if table.name not in wanted or is_notes(table.header):
                    continue
                if rows := recognise(table, self.checked.intake.used):
                    self._pick_table(table, rows, number, marks)
        report("picking rows", len(files), len(files))

    def _pick_table(
        self, table: TextTable, rows: TableRows, place: int, marks: pl.DataFrame
    ) -> None:
        mine = marks.filter(
            (pl.col("file") == table.name) & (pl.col("table_name") == rows.table)
        ).drop("file", "table_name")
        named = self._named(rows, mine)
        if named.is_empty():
            return
        shape = _Shape(rows.table, rows.layout, tuple(table.header), _above(table, rows))
        number = self.shapes.setdefault(shape, len(self.shapes))
        if number == len(self.headers):
            self.headers.append(rows)
        cells = [pl.col(column(at)) for at in range(len(table.header))]
        for batch in table.batches():
            picked = batch.join(named, on="record", how="inner").join(mine, on="record", how="left")
            self.con.register(
                "batch",
                picked.select(
                    "college_id",
                    pl.lit(number, pl.Int32).alias("shape"),
                    pl.lit(place, pl.Int32).alias("place"),
                    "record",
                    "wrong",
                    "severe",
                    "found",
                    "said",
                    pl.concat_list(cells).alias("cells"),
                ).to_arrow(),
            )
            self.con.execute("INSERT INTO picked SELECT * FROM batch")
            self.con.unregister("batch")

    def _named(self, rows: TableRows, mine: pl.DataFrame) -> pl.DataFrame:
        """Return record and college_id (null for none that there is) of the rows that are wanted:
        all rows of a college that has findings in the table, and each row with a finding.
        """
        theirs = self.pairs.filter(pl.col("table_name") == rows.table)["college_id"].implode()
        college = pl.col("college_id")
        parts = []
        for batch in rows.batches():
            named = batch.select(
                "record", pl.when(college.is_in(self.colleges.implode())).then(college)
            )
            is_marked = pl.col("record").is_in(mine["record"].implode())
            named = named.filter(college.is_in(theirs).fill_null(False) | is_marked)
            if self.only:
                named = named.filter(college == self.only)
            parts.append(named)
        return pl.concat(parts).unique("record", keep="first") if parts else pl.DataFrame()


def _above(table: TextTable, rows: TableRows) -> tuple[tuple[str, ...], ...]:
    if table.sheet is None or not rows.layout.startswith(_IN_ORDER):
        return ()
    above = table.sheet.head(table.header_record - 1).iter_rows()
    return tuple(tuple(cell or "" for cell in row[: len(table.header)]) for row in above)


def _colleges(checked: Checked) -> pl.Series:
    """Return the ids of the colleges that there are: those of the table `colleges`, or where no
    such table was given, those that findings name.
    """
    listed = checked.counts.filter(pl.col("table_name") == "colleges")["college_id"].drop_nulls()
    named = listed if len(listed) else checked.findings["college_id"].drop_nulls()
    return named.filter(named.str.contains(COLLEGE_ID)).unique().sort()


def _write_all(
    picking: _Picking, to: Path, speakers: Sequence[Speaker], scratch: Path, report: Report
) -> Iterator[Path]:
    ordered = _receivers(picking)
    for number, college in enumerate(ordered):
        report("writing workbooks", number, len(ordered))
        path = to / f"{college or UNATTRIBUTED}.xlsx"
        _write_one(picking, college, path, speakers, scratch)
        yield path
    report("writing workbooks", len(ordered), len(ordered))


def _receivers(picking: _Picking) -> list[str | None]:
    """Return the colleges that get a workbook, None, the rows of none, last."""
    found = picking.con.execute("SELECT DISTINCT college_id FROM picked").fetchall()
    ids = {college for (college,) in found}
    if picking.only:
        ids.add(picking.only)
    else:
        ids |= {*picking.checked.findings["college_id"]} & {*picking.colleges}
    return sorted(ids, key=lambda college: (college is None, college))


def _write_one(
    picking: _Picking,
    college: str | None,
    path: Path,
    speakers: Sequence[Speaker],
    scratch: Path,
) -> None:
    import xlsxwriter

    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    options = {
        "constant_memory": True,  # rows go to files in our own folder and are gone with it
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(path, options) as book:
        paper = _Paper(book)
        findings = picking.checked.findings
        own = findings.filter(pl.col("college_id").eq_missing(pl.lit(college, pl.String)))
        _write_notes(paper, college, own, speakers)
        shapes = list(picking.shapes)
        rows = picking.con.execute(
            "SELECT shape, cells, wrong, severe, found, said FROM picked"
            " WHERE college_id IS NOT DISTINCT FROM $1"
            " ORDER BY shape, NOT list_contains($2, shape) AND said IS NULL, place, record",
            [college, [at for at, one in enumerate(shapes) if one.layout.startswith(_IN_ORDER)]],
        )
        for shape, of_shape in groupby(_fetched(rows), key=lambda row: row[0]):
            _write_sheets(paper, shapes[shape], picking.headers[shape].headers, of_shape)


def _fetched(rows: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := rows.fetchmany(5_000):
        yield from batch


# ---------------------------------------------------------------------------------------- sheets


class _Paper:
    """A workbook with the formats of its cells; sheets of one table are numbered."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.names: dict[str, int] = {}
        text = {"num_format": "@", "valign": "top"}
        self.text = book.add_format(text)
        self.error = book.add_format({**text, "bg_color": "#F8C4BE"})
        self.warning = book.add_format({**text, "bg_color": "#FCE8A8"})
        self.said = book.add_format({**text, "text_wrap": True, "font_color": "#8A1C12"})
        self.head = book.add_format({**text, "bold": True, "text_wrap": True, "bottom": 1})
        self.bold = book.add_format({"bold": True, "valign": "top", "text_wrap": True})
        self.line = book.add_format({"valign": "top", "text_wrap": True})

    def sheet(self, name: str) -> Any:
        """Add a sheet."""
        self.names[name] = number = self.names.get(name, 0) + 1
        return self.book.add_worksheet(name if number == 1 else f"{name} {number}")


def _write_sheets(
    paper: _Paper, shape: _Shape, headers: Mapping[str, FileColumn], rows: Iterator[tuple[Any, ...]]
) -> None:
    """Write the rows of one shape: messages to the left, the header in sight, long ones in several
    sheets.
    """
    head = len(shape.above) + 1
    at = SHEET_ROWS
    sheet: Any = None
    for _, cells, *faults, said in rows:
        if at == SHEET_ROWS:
            at = 0
            sheet = _new_sheet(paper, shape)
        row = head + at
        at += 1
        if said:
            sheet.set_row(row, _height(said, _SAID_WIDTH))
            sheet.write_string(row, 0, _held(said), paper.said)
        if said and said.startswith(SLIPPED):  # any cell of it may be wrong
            marked = dict.fromkeys(range(len(cells)), True)
        else:
            wrong = list(zip(*faults, strict=True)) if said else []
            marked = _marked_places(shape, headers, cells, wrong)
        for place, cell in enumerate(cells):
            _write_cell(paper, sheet, row, place, cell, marked.get(place))


def _new_sheet(paper: _Paper, shape: _Shape) -> Any:
    sheet = paper.sheet(shape.table)
    width, head = len(shape.header), len(shape.above)
    sheet.set_column(0, 0, _SAID_WIDTH, paper.said)
    sheet.set_column(1, width, 18, paper.text)
    for at, row in enumerate((*shape.above, shape.header)):
        for place, name in enumerate(row, start=1):
            sheet.write_string(at, place, name, paper.head)
    sheet.write_string(head, 0, MESSAGES, paper.head)
    sheet.freeze_panes(head + 1, 1)
    sheet.autofilter(head, 0, head + SHEET_ROWS, width)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{head + SHEET_ROWS + 1}"})
    return sheet


def _marked_places(
    shape: _Shape,
    headers: Mapping[str, FileColumn],
    cells: Sequence[str | None],
    faults: Sequence[tuple[str, bool, str]],
) -> dict[int, bool]:
    """Return whether it is an error, by the place of each wrong cell; ``faults`` has column,
    whether it is an error, and what was found.
    """
    marked: dict[int, bool] = {}
    for name, is_error, found in faults:
        place = _place(shape, headers, name, found)
        if place is None:
            place = _lettered_place(name, found, cells)
        if place is not None:
            marked[place] = marked.get(place, False) or is_error
    return marked


def _place(shape: _Shape, headers: Mapping[str, FileColumn], name: str, found: str) -> int | None:
    """Return the place of the column that a finding names, itself or by the indicator in what was
    found; None where the file has none of that name.
    """
    for own in (headers.get(cell_key(name, one)) for one in named(found)):
        if own:
            return own.place
    called = headers[name].name if name in headers else name
    return shape.header.index(called) if called in shape.header else None


def _lettered_place(called: str, found: str, cells: Sequence[str | None]) -> int | None:
    """Return the place of a cell that its layout names by a spreadsheet's letters: as the column's
    own name, or at the end of what was found (``abc (L: points)``). None where it is not told.
    """
    at_end = re.search(r"\(([A-Z]{1,3})([0-9]+|: .*)\)$", found)
    letters = at_end[1] if at_end else called
    if not re.fullmatch("[A-Z]{1,3}", letters):
        return None
    place = xl_cell_to_rowcol(f"{letters}1")[1]
    cell = cells[place] if place < len(cells) else None
    return place if cell and cell in found else None


def _write_cell(
    paper: _Paper, sheet: Any, row: int, place: int, cell: str | None, is_error: bool | None
) -> None:
    form = paper.text if is_error is None else paper.error if is_error else paper.warning
    if cell:
        sheet.write_string(row, place + 1, _held(cell), form)
    elif is_error is not None:
        sheet.write_blank(row, place + 1, None, form)


def _height(text: str, width: int) -> int:
    """Return how tall a row must be for a text in a column: LibreOffice does not fit it itself.
    Cyrillic letters are wider than the digits that a column is measured in.
    """
    lines = sum(max(1, -(-len(line) * 6 // (width * 5))) for line in text.split("\n"))
    return min(lines * _LINE_HEIGHT, _TALLEST)


def _held(cell: str) -> str:
    """Return a text as long as a cell holds; the end of a longer one is marked."""
    return cell if len(cell) <= _LONGEST_CELL else cell[: _LONGEST_CELL - 1] + "…"


def _write_notes(
    paper: _Paper, college: str | None, findings: pl.DataFrame, speakers: Sequence[Speaker]
) -> None:
    """Write the sheet that says what the workbook is, and the findings of no single row."""
    sheet = paper.sheet("kpi")
    sheet.set_column(0, 0, _NOTES_WIDTH)
    sheet.fit_to_pages(1, 0)
    sheet.write_string(0, 0, NOTES, paper.line)
    lines = [line for words in speakers for line in (*_notes(words, college), "")]
    rowless = narrowed(findings.filter(pl.col("record").is_null())).head(_MOST_NOTES)
    for words in speakers:
        said = told(rowless, [words])[words.language]
        for table, text in zip(rowless["table_name"], said, strict=True):
            lines.append(f"{term(words, table)}: {text}")
    for at, line in enumerate(lines, start=2):
        sheet.set_row(at, _height(line, _NOTES_WIDTH))
        sheet.write_string(at, 0, _held(line), paper.bold if at == 2 else paper.line)


def _notes(words: Speaker, college: str | None) -> list[str]:
    say = words.say
    whose = (
        say("Rows of the college {college} with what is to be corrected", college=college)
        if college
        else say("Rows that name no college, or none that there is")
    )
    return [
        whose,
        say(
            "Each sheet holds all rows of one table as they stood in the file; rows with findings"
            " come first."
        ),
        say(
            "The first column says what is wrong. Red cells are errors: the row does not count"
            " until they are corrected. Yellow cells are to be looked at."
        ),
        say(
            "Correct the cells, leave the header as it is, and send this workbook back: it is read"
            " in place of the rows that it was made from."
        ),
        say(
            "This workbook holds personal data as it was sent in. Keep it where only those who need"
            " it can open it, and delete it once the data has been accepted."
        ),
    ]
