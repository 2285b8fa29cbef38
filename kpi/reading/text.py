"""CSV and TSV files as tables of text: recoded, the header found, the rows read."""

import csv
import io
import re
from functools import lru_cache
from itertools import islice
from pathlib import Path

from kpi.reading.header import ROWS_SEARCHED, cleaned, find_header
from kpi.reading.recoding import Text, as_utf8, empty
from kpi.reading.records import Rows, batches_of, line_record, way_of
from kpi.reading.table import InputFile, Knows, TextTable

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_FEW = 1 << 16  # bytes: enough for most headers, and to guess the number of rows


def open_text(file: InputFile, knows: Knows, scratch: Path) -> tuple[str, list[TextTable]]:
    """Return a text file's SHA-256 and its one table. Raises DataError for an empty file, and for
    one that is no text or has a line too long for any register.
    """
    text = as_utf8(file, scratch)
    delimiter, at, header = _header_of(file, text, knows)
    form = {"format": "CSV", "encoding": text.encoding, "delimiter": _DELIMITERS[delimiter]}
    how = way_of(text, delimiter)
    if how == "stray":
        form["quotes"] = "one never ends"
        at, header = _header_of_lines(text.head(), delimiter, knows)
    rows = Rows(text, delimiter, at + 1, header, how)
    table = TextTable(
        file,
        header,
        at + 1,
        lambda: batches_of(rows),
        form,
        text.is_damaged,
        lambda places: batches_of(rows, places),
        rows=_roughly(text),
    )
    return text.sha256, [table]


def _roughly(text: Text) -> int:
    """Return how many rows a text has, by the lines of its beginning."""
    begin = text.head(_FEW)
    return max(text.size * begin.count("\n") // len(begin.encode()), 1)


def _header_of(file: InputFile, text: Text, knows: Knows) -> tuple[str, int, list[str]]:
    """Return the delimiter, the place of the header among the first records, and its names."""
    line, end, _ = text.head(_FEW).partition("\n")
    if end and (whole := _all_known(line, knows)):
        return whole[0], 0, whole[1]
    head = text.head()
    if not head.strip():
        raise empty(file)
    return _find_header(head, knows)


def _find_header(head: str, knows: Knows) -> tuple[str, int, list[str]]:
    """Find the header by the delimiter under which most names are known, else by that which cuts
    most.
    """
    best: tuple[int, int] = (-1, -1)
    chosen: tuple[str, int, list[str]] = (",", 0, [])
    for delimiter in _DELIMITERS:
        rows = _first_rows(head, delimiter)
        at, known = find_header(rows, knows)
        if (known, len(rows[at])) > best:
            best = (known, len(rows[at]))
            chosen = (delimiter, at, rows[at])
    return chosen


@lru_cache(maxsize=64)  # hundreds of files have one header
def _all_known(line: str, knows: Knows) -> tuple[str, list[str]] | None:
    """Return the delimiter and the names of a line all of whose cells are known under it: nothing
    can know more, so other lines need not be looked at.
    """
    for delimiter in _DELIMITERS:
        [first] = _lines_of(line, delimiter)
        if knows(first) == len(first) > 1:
            return delimiter, first
    return None


def _first_rows(head: str, delimiter: str) -> list[list[str]]:
    """Return the first records of a text, cleaned; a quoted name may hold a line end."""
    if not re.search(f'(?:^|[\n{delimiter}])"', head):
        return _lines_of(head, delimiter)
    try:
        records = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        return [[*map(cleaned, cells)] for cells in islice(records, ROWS_SEARCHED + 1)]
    except csv.Error:
        return _lines_of(head, delimiter)


def _lines_of(head: str, delimiter: str) -> list[list[str]]:
    return [
        [*map(cleaned, line_record(line, delimiter)[0])]
        for line in head.split("\n", ROWS_SEARCHED + 1)[: ROWS_SEARCHED + 1]
    ]


def _header_of_lines(head: str, delimiter: str, knows: Knows) -> tuple[int, list[str]]:
    rows = _lines_of(head, delimiter)
    at, _ = find_header(rows, knows)
    return at, rows[at]
