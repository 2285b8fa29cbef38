"""Files as they come: what a text, a workbook and a Parquet file are read as, row by row."""

import csv
import hashlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi.errors import CallError, DataError
from kpi.reading import recoding, records
from kpi.reading.gather import gather
from kpi.reading.opening import open_file
from kpi.reading.table import HEADER_AGAIN, STRAY_QUOTE, InputFile, TextTable

Rows = list[tuple[Any, ...]]


def knows(cells: Sequence[str]) -> int:
    """Knows the columns a to d."""
    return len({*cells} & {"a", "b", "c", "d"})


def write(folder: Path, content: bytes, name: str = "students.csv") -> InputFile:
    path = folder / name
    path.write_bytes(content)
    return InputFile(name, path)


def opened(file: InputFile) -> TextTable:
    _, [table] = open_file(file, knows, file.path.parent / "scratch")
    return table


def rows_of(table: TextTable) -> Rows:
    """Return (record, fields, cells ...) of every row."""
    cells = [batch.select("record", "fields", r"^c\d+$") for batch in table.batches()]
    return [row for batch in cells for row in batch.rows()]


def read(folder: Path, text: str | bytes) -> Rows:
    content = text if isinstance(text, bytes) else text.encode()
    return rows_of(opened(write(folder, content)))


# encodings


SAMPLE = "a;b\n1;Колледж\n2;Ғ\n"


@pytest.mark.parametrize(
    "encoding, mark, told",
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8-sig", b"", "UTF-8"),
        ("utf-16", b"", "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
    ],
)
def test_an_encoding_is_found_and_said(
    tmp_path: Path, encoding: str, mark: bytes, told: str
) -> None:
    table = opened(write(tmp_path, mark + SAMPLE.encode(encoding)))
    assert table.form == {"format": "CSV", "encoding": told, "delimiter": "semicolon"}
    assert table.header == ["a", "b"]
    assert rows_of(table) == [(2, None, "1", "Колледж"), (3, None, "2", "Ғ")]


def test_utf_16_without_its_mark_is_found_in_cyrillic_too(tmp_path: Path) -> None:
    text = "a\tФамилия\n" + "1\tПримеров\n" * 50
    assert read(tmp_path, text.encode("utf-16-le"))[0] == (2, None, "1", "Примеров")


def test_windows_1251_is_read(tmp_path: Path) -> None:
    table = opened(write(tmp_path, "a,b\n1,Колледж № 3\n".encode("cp1251")))
    assert table.form["encoding"] == "Windows-1251"
    assert rows_of(table) == [(2, None, "1", "Колледж № 3")]


@pytest.mark.parametrize("limit", [1 << 25, 0])
def test_a_line_of_another_encoding_is_read_in_its_own_or_marked(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among lines of Windows-1251 one of UTF-8 is known; among lines of UTF-8 a foreign byte is
    none: which character it was nobody can say. In memory and on disk alike.
    """
    monkeypatch.setattr(recoding, "IN_MEMORY", limit)
    old, new = "3,дело\n".encode("cp1251"), "4,дело\n".encode()
    cells = [row[3] for row in read(tmp_path, b"a,b\n" + old * 3 + new + old)]
    assert cells == ["дело"] * 5
    cells = [row[3] for row in read(tmp_path, b"a,b\n" + new * 3 + old + new)]
    assert [cell for cell in cells if "\ufffd" not in cell] == ["дело"] * 4


def test_text_that_was_damaged_before_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    table = opened(write(tmp_path, "a,b\n1,\ufffd\ufffd\ufffd\ufffd\n".encode()))
    assert table.form["encoding"] == "UTF-8"
    assert table.is_damaged
    assert rows_of(table) == [(2, None, "1", "\ufffd" * 4)]


def test_bytes_that_are_no_characters_and_nuls_are_marked(tmp_path: Path) -> None:
    table = opened(write(tmp_path, "a,b\n1,ж".encode()[:-1] + b"\n2,\0x\n3,y\n" + "4,Ғ\n".encode()))
    assert table.is_damaged
    assert [row[3] for row in rows_of(table)] == ["\ufffd", "\ufffdx", "y", "Ғ"]


def test_a_character_split_between_two_chunks_is_no_fault(tmp_path: Path) -> None:
    lines = recoding.CHUNK // 8 - 1
    content = b"a,b\n" + b"123,567\n" * lines + b"1,x" + "жж\n".encode() + b"1,2\n"
    assert content[: recoding.CHUNK].decode(errors="replace")[-1] == "\ufffd", "the cut is in ж"
    table = opened(write(tmp_path, content))
    assert not table.is_damaged
    assert [row[3] for row in rows_of(table)[-2:]] == ["xжж", "2"]


# records, delimiters, headers


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_found_by_the_names_of_the_header(tmp_path: Path, delimiter: str) -> None:
    text = f"a{delimiter}b\n1,2;3{delimiter}4\t5\n".replace(",2;3", "") + "\n"
    table = opened(write(tmp_path, text.replace("4\t5", "4").encode()))
    assert table.header == ["a", "b"]
    assert rows_of(table) == [(2, None, "1", "4")]


def test_a_header_is_found_below_other_lines_and_records_keep_their_numbers(
    tmp_path: Path,
) -> None:
    table = opened(write(tmp_path, "Список;на 1 октября\n\na;b;c\n1;2;3\n".encode()))
    assert (table.header, table.header_record) == (["a", "b", "c"], 3)
    assert rows_of(table) == [(4, None, "1", "2", "3")]


def test_a_name_in_quotes_may_hold_a_line_end(tmp_path: Path) -> None:
    table = opened(write(tmp_path, b'"a","the\nb"\n1,2\n'))
    assert table.header == ["a", "the b"]
    assert rows_of(table) == [(2, None, "1", "2")]


def test_a_short_row_and_a_long_row_are_marked_with_their_number_of_fields(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n13\n") == [
        (2, None, "1", "2", "3"),
        (3, 2, "4", "5", None),
        (4, 4, "6", "7", "8"),
        (5, None, "10", "11", "12"),
        (6, 1, "13", None, None),
    ]


@pytest.mark.parametrize("first", ["1,2", "1,2,3,4"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_the_first_row_may_be_the_one_that_is_wrong(tmp_path: Path, first: str, quote: str) -> None:
    [row, right] = read(tmp_path, f"a,b,c\n{first}\n{quote}5{quote},6,7\n")
    assert row[:2] == (2, first.count(",") + 1)
    assert right == (3, None, "5", "6", "7")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("cell", ["1", '"1"'])
def test_blank_lines_are_no_rows_but_count_as_records(tmp_path: Path, end: str, cell: str) -> None:
    text = end.join(["a,b", "", f"{cell},2", "", ",", "3,4", "5", "", ""])
    assert read(tmp_path, text) == [(3, None, "1", "2"), (6, None, "3", "4"), (7, 1, "5", None)]


def test_quoted_cells_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n"1,5","first\nsecond\r\nthird"\n3,"say ""no"""\n5\n') == [
        (2, None, "1,5", "first\nsecond\nthird"),
        (3, None, "3", 'say "no"'),
        (4, 1, "5", None),
    ]


def test_an_empty_cell_is_no_value_quoted_or_not(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n,2\n"",4\n') == [(2, None, None, "2"), (3, None, None, "4")]


def test_words_for_nothing_stay_the_words_they_are(tmp_path: Path) -> None:
    [row] = read(tmp_path, "a,b,c,d\nNA,null,NaN,None\n")
    assert row[2:] == ("NA", "null", "NaN", "None")


def test_a_quote_in_a_cell_that_does_not_begin_with_one_is_a_character(tmp_path: Path) -> None:
    assert [row[3] for row in read(tmp_path, 'a,b\n1,5" pipe\n2,x\n')] == ['5" pipe', "x"]


def test_a_quote_that_never_ends_costs_its_own_row_only(tmp_path: Path) -> None:
    table = opened(write(tmp_path, b'a,b\n"1",2\n3,"4\n"5","6"\n7,"8" z\n'))
    assert table.form["quotes"] == "one never ends"
    assert [row[:3] for row in rows_of(table)] == [
        (2, None, "1"),
        (3, STRAY_QUOTE, "3"),
        (4, None, "5"),
        (5, STRAY_QUOTE, "7"),
    ]


def test_a_header_that_comes_again_is_marked_protected_or_not(tmp_path: Path) -> None:
    rows = read(tmp_path, 'a,b\n1,2\na,b\n="a",="b"\n\ufeffa,b\n3,b\n')
    again = [row[1] for row in rows]
    assert again == [None, HEADER_AGAIN, HEADER_AGAIN, HEADER_AGAIN, None]


def test_protected_numbers_are_read_quoted_or_not(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n="0601",=""\n"=""07""","x"\n=1+1,="\n') == [
        (2, None, "0601", None),
        (3, None, "07", "x"),
        (4, None, "=1+1", '="'),
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", '"', ",", "\n", "\r\n", "ә b", '","', '""', '"\n', "1\n", '"x",']),
        max_size=12,
    ),
    st.sampled_from([1, 100_000]),
)
@example([",", '""', ",", ",", "ә b", '"', ",", '""', "\n", '","'], 100_000)
@example(["a", '"', "\n", "1", ",", "2", "\n"], 100_000)
def test_every_csv_file_is_read_as_pythons_strict_reader_reads_it(
    parts: list[str], batch_rows: int
) -> None:
    """Where that reader gives up, each line is a record and the wrong ones are marked."""
    text = "a,b\n" + "".join(parts)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BATCH_ROWS", batch_rows)
        patch.setattr(records, "_PYTHON_ROWS", batch_rows)
        table = opened(write(Path(folder), text.encode()))
        rows = rows_of(table)
    plain = text.replace("\r\n", "\n")
    if table.form.get("quotes"):
        assert any(row[1] == STRAY_QUOTE for row in rows)
        assert {row[0] for row in rows} <= {
            n for n, line in enumerate(plain.split("\n"), 1) if line
        }
        return
    try:
        told = list(csv.reader(io.StringIO(plain, newline=""), strict=True))
    except csv.Error:  # no cell begins with a quote: it is a character as any other
        told = [line.split(",") if line else [] for line in plain.split("\n")]
    assert [row for row in rows if any(row[2:])] == [
        row for row in _expected(told, table.header_record) if any(row[2:])
    ]


def _expected(records: list[list[str]], header: int) -> Rows:
    rows: Rows = []
    for record, row in enumerate(records, start=1):
        if record <= header or not row:
            continue
        first, second, *_ = [cell or None for cell in row] + [None, None]
        again = HEADER_AGAIN if row == ["a", "b"] else None
        rows.append((record, again if len(row) == 2 else len(row), first, second))
    return rows


# batches, memory


@pytest.mark.parametrize("batch_rows", [1, 7, 100])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_file_of_many_batches_reads_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int, quote: str
) -> None:
    lines = [f"{quote}{n}{quote},x" if n % 10 else f"{quote}{n}{quote}" for n in range(2, 252)]
    table = opened(write(tmp_path, "\n".join(["a,b", *lines]).encode()))
    monkeypatch.setattr(records, "BATCH_ROWS", batch_rows)
    rows = rows_of(table)
    assert [row[0] for row in rows] == list(range(2, 252))
    assert [int(row[2]) for row in rows] == list(range(2, 252))
    assert {row[0] for row in rows if row[1]} == set(range(10, 252, 10))


@pytest.mark.parametrize(
    "text",
    [SAMPLE * 3, SAMPLE.replace("\n", "\r\n"), "a;b\r1;2\r", 'a;b\n"1";"2\n3"\n', 'a;b\n"1";"2\n'],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1251"])
def test_a_file_is_read_alike_in_memory_and_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, encoding: str
) -> None:
    file = write(tmp_path, text.encode(encoding, "replace"))
    whole = rows_of(opened(file))
    monkeypatch.setattr(recoding, "IN_MEMORY", 0)
    assert rows_of(opened(file)) == whole


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    file = write(tmp_path, b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    digest, _ = open_file(file, knows, tmp_path)
    assert digest == hashlib.sha256(file.path.read_bytes()).hexdigest()


# Parquet


def test_parquet_rows_come_in_order_with_days_as_days(tmp_path: Path) -> None:
    path = tmp_path / "students.parquet"
    days = pl.datetime_range(pl.datetime(2025, 1, 1), pl.datetime(2025, 7, 19), "1d", eager=True)
    frame = pl.DataFrame({"a": range(200), "b": ["", "x"] * 100, "c": days})
    frame.write_parquet(path, row_group_size=13)
    rows = rows_of(opened(InputFile(path.name, path)))
    assert [(row[0], row[2]) for row in rows] == [(n + 2, str(n)) for n in range(200)]
    assert {row[3] for row in rows} == {None, "x"}, "an empty text is no value"
    assert rows[0][4] == "2025-01-01"


def test_a_column_of_lists_is_damaged_text_and_no_reason_to_refuse_the_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "students.parquet"
    pl.DataFrame({"a": ["1", "2"], "b": [[1], None]}).write_parquet(path)
    table = opened(InputFile(path.name, path))
    assert table.is_damaged
    assert rows_of(table) == [(2, None, "1", "\ufffd"), (3, None, "2", None)]


def test_a_corrupt_parquet_file_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    import duckdb
    from inputs import KEY, quiet, student, write_table

    from kpi.intake import read_inputs

    path = tmp_path / "students.parquet"
    write_table(path, "students", [student() for _ in range(50)])
    whole = path.read_bytes()
    cut = [b"PAR1", whole[:-1], whole[: len(whole) // 2]]
    holes = [whole[:at] + bytes(64) + whole[at + 64 :] for at in range(4, len(whole) - 64, 997)]
    for damaged in [*cut, *holes]:
        path.write_bytes(damaged)
        with duckdb.connect() as con:
            try:
                read_inputs(con, path, KEY, quiet)
            except DataError as error:
                assert "students.parquet" in error.parts["where"]
            else:
                counts = "(SELECT count(*) FROM raw_students) + (SELECT count(*) FROM unreadable)"
                assert con.execute(f"SELECT {counts}").fetchall() == [(50,)]


# workbooks


def workbook(folder: Path, write_cells: Callable[[Any], None]) -> InputFile:
    path = folder / "students.xlsx"
    with xlsxwriter.Workbook(path) as book:
        write_cells(book.add_worksheet())
    return InputFile(path.name, path)


def test_a_sheet_is_read_from_its_header_on_with_its_own_row_numbers(tmp_path: Path) -> None:
    def cells(sheet: Any) -> None:
        sheet.write_row("C4", ["Список колледжа"])
        sheet.write_row("C6", ["a", "b"])
        sheet.write_string("C7", '="0601"')
        sheet.write_string("D7", "x")
        sheet.write_row("C9", ["a", "b"])
        sheet.write_row("C10", ["3", "4"])

    table = opened(workbook(tmp_path, cells))
    assert (table.header[-2:], table.header_record) == (["a", "b"], 6)
    own = [(*row[:2], *row[-2:]) for row in rows_of(table)]
    assert own == [
        (7, None, "0601", "x"),
        (9, HEADER_AGAIN, "a", "b"),
        (10, None, "3", "4"),
    ]


# which files are read


def test_each_file_is_read_once_and_in_order_of_name(tmp_path: Path) -> None:
    inner = tmp_path / "in" / "b"
    inner.mkdir(parents=True)
    for name in ("in/z.csv", "in/b/a.csv", "in/.x.csv", "in/README.md"):
        (tmp_path / name).write_bytes(b"a\n1\n")
    folder = tmp_path / "in"
    gathered = gather([folder, folder / "z.csv"], tmp_path / "scratch")
    assert [file.name for file in gathered.files] == ["b/a.csv", "z.csv"]
    assert (gathered.unread, gathered.errors) == ([], [])


def test_an_input_that_does_not_exist_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(CallError) as caught:
        gather([tmp_path / "nowhere"], tmp_path)
    assert caught.value.exit_code == 2
    assert caught.value.parts["do"]


def test_reading_imports_no_validation_library() -> None:
    code = "import sys, kpi.reading.opening; sys.exit('pandera' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
