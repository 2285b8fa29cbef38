"""Files as they come: whole-file faults refuse the file by name, faults of a row mark that row."""

import csv
import hashlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi import reading
from kpi.errors import CallError, DataError
from kpi.intake import TABLES
from kpi.reading import SourceFile, find_files, open_file

Rows = list[tuple[Any, ...]]


def write(folder: Path, content: bytes, name: str = "students.csv") -> SourceFile:
    path = folder / name
    path.write_bytes(content)
    return SourceFile("students", path, len(content))


def read(source: SourceFile) -> Rows:
    """Return (record, fields, cells ...) of every row."""
    _, _, batches = open_file(source)
    ordered = [
        batch.select("record", "fields", pl.exclude("record", "fields")) for batch in batches
    ]
    return [row for batch in ordered for row in batch.rows()]


def read_text(folder: Path, text: str) -> Rows:
    return read(write(folder, text.encode()))


def fault_of(source: SourceFile) -> DataError:
    with pytest.raises(DataError) as caught:
        read(source)
    error = caught.value
    assert error.exit_code == 1
    assert str(source.path) in error.parts["where"], "the file is named"
    assert error.parts["expected"] or error.parts["do"], "it says what to do"
    return error


# faults of the file as a whole


def test_an_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, b""))
    assert "empty" in error.what
    assert "header" in error.parts["expected"]


def test_a_file_with_only_a_header_has_no_rows_and_no_fault(tmp_path: Path) -> None:
    for text in ("a,b", "a,b\n", "a,b\r\n", "\ufeffa,b\n"):
        source = write(tmp_path, text.encode())
        _, header, batches = open_file(source)
        assert header == ["a", "b"]
        assert sum(batch.height for batch in batches) == 0


def test_windows_1251_is_named_with_its_line_and_byte(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, b"a,b\n1,2\n" + "3,Колледж\n".encode("cp1251")))
    assert "UTF-8" in error.what
    assert "line 3" in error.parts["where"]
    assert error.parts["found"] == "byte 0xca"


def test_the_line_of_a_wrong_byte_is_right_beyond_the_first_chunk(tmp_path: Path) -> None:
    rows = (reading._CHUNK // 8) * 2
    error = fault_of(write(tmp_path, b"a,b\n" + b"123,567\n" * rows + b"1,\xff\n"))
    assert f"line {rows + 2}" in error.parts["where"]


def test_a_character_split_between_two_chunks_is_no_fault(tmp_path: Path) -> None:
    rows = reading._CHUNK // 8 - 1
    text = b"a,b\n" + b"123,567\n" * rows + b"1,x" + "жж\n".encode() + b"1,2\n"
    assert text[: reading._CHUNK].decode(errors="replace")[-1] == "\ufffd", "the cut is inside ж"
    assert [row[3] for row in read(write(tmp_path, text))[-2:]] == ["xжж", "2"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_as_no_utf_8(tmp_path: Path, encoding: str) -> None:
    error = fault_of(write(tmp_path, "a,b\n1,Колледж\n".encode(encoding)))
    assert "line 1" in error.parts["where"]
    assert "UTF-8" in error.parts["expected"]


def test_a_nul_byte_is_refused_with_its_line(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, b"a,b\n1,2\n3,\0\n"))
    assert "NUL" in error.what
    assert "line 3" in error.parts["where"]


def test_a_file_that_ends_inside_a_character_is_refused(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, "a,b\n1,ж".encode()[:-1]))
    assert "inside a character" in error.what


def test_a_line_of_many_megabytes_is_refused_with_its_line(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, b"a,b\n1,2\n3," + b"x" * 3 * reading.LONGEST_LINE))
    assert "too long" in error.what
    assert "line 3" in error.parts["where"]


def test_a_file_of_2_gb_in_one_line_is_refused_in_no_time_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "students.csv"
    path.write_bytes(b"a,b\n")
    os.truncate(path, 2 << 30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    fault_of(SourceFile("students", path, 2 << 30))
    assert time.monotonic() - started < 2
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 200_000


def test_a_quote_that_never_closes_is_named_with_its_record(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, b'a,b\n1,2\n3,"4\n5,6\n'))
    assert "record 3" in error.parts["where"]
    assert "quot" in error.parts["expected"]


def test_text_after_a_closing_quote_is_named_with_its_record(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, b'a,b\n1,2\n3,"8" z\n5,6\n'))
    assert "record 3" in error.parts["where"]


def test_two_columns_of_one_name_are_refused_and_named(tmp_path: Path) -> None:
    error = fault_of(write(tmp_path, b"a,b,a\n1,2,3\n"))
    assert "record 1" in error.parts["where"]
    assert error.parts["found"].endswith(": a")


@pytest.mark.parametrize("header", ["a,,b", "a,b,", ",a"])
def test_a_column_without_a_name_is_refused(tmp_path: Path, header: str) -> None:
    error = fault_of(write(tmp_path, f"{header}\n1,2,3\n".encode()))
    assert "record 1" in error.parts["where"]
    assert "without a name" in error.parts["found"]


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path, b"a,b\n1,2\n")
    if os.geteuid() == 0:  # root may read it all the same

        def refuse(self: Path, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", refuse)
    else:
        source.path.chmod(0)
    assert "Permission denied" in fault_of(source).parts["found"]


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    fault_of(SourceFile("students", tmp_path / "students.csv", 1))


@pytest.mark.parametrize("name", ["students.csv", "students.parquet"])
def test_a_folder_with_the_name_of_a_table_is_never_passed_over_in_silence(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    found, unread = find_files(tmp_path, ["students"])
    if not found:
        assert [path.name for path in unread] == [name]
    for source in found:
        fault_of(source)


def test_a_corrupt_parquet_file_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    path = tmp_path / "students.parquet"
    frame = pl.DataFrame({"a": [str(n) for n in range(2_000)], "b": ["x"] * 2_000})
    frame.write_parquet(path)
    whole = path.read_bytes()
    cut = [b"", b"PAR1", whole[:-1], whole[: len(whole) // 2]]
    holes = [whole[:at] + bytes(64) + whole[at + 64 :] for at in range(0, len(whole) - 64, 997)]
    for damaged in [*cut, *holes]:
        source = write(tmp_path, damaged, "students.parquet")
        try:
            rows = read_refusing_as_intake_does(source)
        except DataError as error:
            assert str(path) in error.parts["where"]
        else:
            assert len(rows) == frame.height


def read_refusing_as_intake_does(source: SourceFile) -> Rows:
    try:
        return read(source)
    except pl.exceptions.PolarsError as error:
        raise DataError("The reader refuses the file.", where=str(source.path)) from error


def test_line_ends_of_an_old_mac_are_said_without_showing_the_rows(tmp_path: Path) -> None:
    source = write(tmp_path, b"student_id,b\r080077500205,2\r080077500403,4\r")
    try:
        rows = read(source)
    except DataError as error:
        assert "080077500205" not in str(error), "an error shows no cell of a person"
        assert str(source.path) in error.parts["where"]
    except pl.exceptions.PolarsError as error:
        pytest.fail(f"the reader's own words reach the user: {error}"[:300])
    else:
        assert rows == [(2, None, "080077500205", "2"), (3, None, "080077500403", "4")]


# rows


def test_a_short_row_and_a_long_row_are_marked_with_their_number_of_fields(tmp_path: Path) -> None:
    rows = read_text(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n13\n")
    assert rows == [
        (2, None, "1", "2", "3"),
        (3, 2, "4", "5", None),
        (4, 4, "6", "7", "8"),
        (5, None, "10", "11", "12"),
        (6, 1, "13", None, None),
    ]


@pytest.mark.parametrize("first", ["1,2", "1,2,3,4"])
def test_the_first_row_may_be_the_one_that_is_wrong(tmp_path: Path, first: str) -> None:
    [row, right] = read_text(tmp_path, f"a,b,c\n{first}\n5,6,7\n")
    assert row[:2] == (2, first.count(",") + 1)
    assert right == (3, None, "5", "6", "7")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("cell", ["1", '"1"'])
def test_blank_lines_are_no_rows_but_count_as_records(tmp_path: Path, end: str, cell: str) -> None:
    rows = read_text(tmp_path, end.join(["a,b", "", f"{cell},2", "", "", "3,4", "5", "", ""]))
    assert rows == [(3, None, "1", "2"), (6, None, "3", "4"), (7, 1, "5", None)]


def test_windows_line_ends_are_no_part_of_a_cell(tmp_path: Path) -> None:
    assert read_text(tmp_path, "a,b\r\n1,2\r\n3,4\r\n") == [
        (2, None, "1", "2"),
        (3, None, "3", "4"),
    ]


@pytest.mark.parametrize("header", ["\ufeffa,b", '\ufeff"a","b"'])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path, header: str) -> None:
    _, names, batches = open_file(write(tmp_path, f"{header}\n1,2\n".encode()))
    assert names == ["a", "b"]
    assert [batch["a"].to_list() for batch in batches] == [["1"]]


def test_quoted_cells_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    text = 'a,b\n"1,5","first\nsecond\r\nthird"\n3,"say ""no"""\n5\n'
    assert read_text(tmp_path, text) == [
        (2, None, "1,5", "first\nsecond\r\nthird"),
        (3, None, "3", 'say "no"'),
        (4, 1, "5", None),
    ]


def test_a_record_number_counts_records_not_lines(tmp_path: Path) -> None:
    rows = read_text(tmp_path, 'a,b\n"x\n\n\ny",1\nlast,2\nshort\n')
    assert [(row[0], row[1]) for row in rows] == [(2, None), (3, None), (4, 1)]


def test_the_last_line_needs_no_line_end(tmp_path: Path) -> None:
    assert read_text(tmp_path, "a,b\n1,2\n3,4") == [(2, None, "1", "2"), (3, None, "3", "4")]
    assert read_text(tmp_path, "a,b\n1,2\n3") == [(2, None, "1", "2"), (3, 1, "3", None)]


def test_an_empty_cell_is_no_value_quoted_or_not(tmp_path: Path) -> None:
    assert read_text(tmp_path, 'a,b\n,2\n"",4\n') == [(2, None, None, "2"), (3, None, None, "4")]


def test_words_for_nothing_stay_the_words_they_are(tmp_path: Path) -> None:
    [row] = read_text(tmp_path, "a,b,c,d\nNA,null,NaN,None\n")
    assert row[2:] == ("NA", "null", "NaN", "None")


@pytest.mark.parametrize("name", ["record", "fields", "line", "row_id"])
@pytest.mark.parametrize("rows", ["1,2\n3,4\n", "1,2\n3\n"])
def test_a_file_may_have_a_column_with_a_name_that_reading_uses_itself(
    tmp_path: Path, name: str, rows: str
) -> None:
    source = write(tmp_path, f"a,{name}\n{rows}".encode())
    try:
        _, header, batches = open_file(source)
        cells = [cell for batch in batches for cell in batch["a"].to_list()]
    except pl.exceptions.PolarsError as error:
        pytest.fail(f"the file is refused for it: {error}"[:300])
    assert header == ["a", name]
    assert cells == ["1", "3"]


def test_a_parquet_file_may_have_a_column_named_record(tmp_path: Path) -> None:
    path = tmp_path / "students.parquet"
    pl.DataFrame({"a": ["1", "3"], "record": ["x", "y"]}).write_parquet(path)
    try:
        _, _, batches = open_file(SourceFile("students", path, 1))
        assert [cell for batch in batches for cell in batch["a"].to_list()] == ["1", "3"]
    except pl.exceptions.PolarsError as error:
        pytest.fail(f"the file is refused for it: {error}"[:300])


def test_a_lone_carriage_return_does_not_shift_the_marks_to_other_rows(tmp_path: Path) -> None:
    """The row `3,4` is right and the row `5` is short; a `\\r` before them must not swap them."""
    try:
        rows = read_text(tmp_path, 'a,b\n1,2\rx\n"3",4\n5\n6,7\n')
    except DataError:
        return
    fields = {row[2]: row[1] for row in rows}
    assert fields["3"] is None
    assert fields["6"] is None
    assert fields["5"] == 1


def test_an_unquoted_cell_may_hold_a_quote_or_the_record_is_named(tmp_path: Path) -> None:
    for text in ('a,b\n1,5" pipe\n2,x\n', 'a,b\n1,5" pipe\n2,6" pipe\n3,y\n'):
        try:
            rows = read_text(tmp_path, text)
        except DataError as error:
            assert "record 2" in error.parts["where"]
        except pl.exceptions.PolarsError as error:
            pytest.fail(f"the reader's own words reach the user: {error}"[:300])
        else:
            assert [row[3] for row in rows] == [row[1] for row in list(records(text))[1:]]


def records(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def expected_rows(text: str) -> Rows:
    header, *rest = records(text)
    width = len(header)
    rows = []
    for record, row in enumerate(rest, start=2):
        if row:
            cells = [cell or None for cell in row[:width]] + [None] * (width - len(row))
            rows.append((record, None if len(row) == width else len(row), *cells))
    return rows


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", '"', ",", "\n", "\r\n", "ә b", '","', '""', '"\n', "1\n"]),
        max_size=14,
    ),
    st.sampled_from([1, 2, 100_000]),
)
@example([",", '""', ",", ",", "ә b", '"', ",", '""', "\n", '","'], 100_000)
@example(["a", '"', "\n", "1", ",", "2", "\n"], 100_000)
def test_no_row_is_lost_or_invented_in_any_csv_file(parts: list[str], batch_rows: int) -> None:
    """Every file is read as Python's strict CSV reader reads it, or refused with a sentence."""
    text = "x,y\n" + "".join(parts)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BATCH_ROWS", batch_rows)
        try:
            rows = read_text(Path(folder), text)
        except DataError as error:
            assert error.parts["where"]
            assert '"' in text, "only a quote makes such a file unreadable"
            return
        except pl.exceptions.PolarsError as error:
            pytest.fail(f"the reader's own words reach the user: {error}"[:300])
    told = [(*row[:2], *(cell or None for cell in row[2:])) for row in rows]
    assert told == expected_rows(text)


# batches


@pytest.mark.parametrize("batch_rows", [1, 7, 100])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_file_of_many_batches_reads_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int, quote: str
) -> None:
    lines = [f"{quote}{n}{quote},x" if n % 10 else f"{quote}{n}{quote}" for n in range(2, 252)]
    source = write(tmp_path, "\n".join(["a,b", *lines]).encode())
    whole = read(source)
    monkeypatch.setattr(reading, "BATCH_ROWS", batch_rows)
    _, _, batches = open_file(source)
    heights = [batch.height for batch in batches]
    assert len(heights) > 1 or batch_rows >= 250
    assert read(source) == whole
    assert [row[0] for row in whole] == list(range(2, 252))
    assert [int(row[2]) for row in whole] == list(range(2, 252))
    assert {row[0] for row in whole if row[1]} == set(range(10, 252, 10))


def test_parquet_rows_come_in_order_over_row_groups_and_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 7)
    path = tmp_path / "students.parquet"
    pl.DataFrame({"a": range(200), "b": ["", "x"] * 100}).write_parquet(path, row_group_size=13)
    rows = read(SourceFile("students", path, 1))
    assert [(row[0], row[2]) for row in rows] == [(n + 2, str(n)) for n in range(200)]
    assert {row[3] for row in rows} == {None, "x"}, "an empty text is no value"
    assert all(row[1] is None for row in rows)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    source = write(tmp_path, b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    digest, _, _ = open_file(source)
    assert digest == hashlib.sha256(source.path.read_bytes()).hexdigest()


# which files are read


def names(folder: Path) -> tuple[list[tuple[str, str]], list[str]]:
    found, unread = find_files(folder, list(TABLES))
    return [(file.table, file.path.name) for file in found], [path.name for path in unread]


def test_a_table_may_come_in_several_files_of_both_formats(tmp_path: Path) -> None:
    for name in ("students.csv", "students-1.csv", "students-2.parquet", "dual_agreements-kz.csv"):
        (tmp_path / name).write_bytes(b"x")
    found, unread = names(tmp_path)
    assert found == [
        ("dual_agreements", "dual_agreements-kz.csv"),
        ("students", "students-1.csv"),
        ("students", "students-2.parquet"),
        ("students", "students.csv"),
    ]
    assert unread == []
    order = [file.path for file in find_files(tmp_path, list(TABLES))[0]]
    assert all(one < other for one, other in pairwise(order)), "by name, whatever the disk says"


def test_files_of_no_table_are_named_as_unread(tmp_path: Path) -> None:
    for name in ("studnets.csv", "defects.csv", "students_2.csv", "Students.csv", "colleges.csv"):
        (tmp_path / name).write_bytes(b"x")
    found, unread = names(tmp_path)
    assert found == [("colleges", "colleges.csv")]
    assert unread == ["Students.csv", "defects.csv", "students_2.csv", "studnets.csv"]


def test_an_ending_in_capitals_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "students.CSV").write_bytes(b"a\n1\n")
    [source], _ = find_files(tmp_path, ["students"])
    assert read(source) == [(2, None, "1")]


def test_an_input_folder_that_does_not_exist_or_is_a_file_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(CallError) as caught:
            find_files(path, ["students"])
        assert caught.value.exit_code == 2
        assert caught.value.parts["where"] == str(path)
        assert caught.value.parts["do"]


def test_a_file_name_with_signs_of_a_pattern_is_read_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "a[1]*"
    folder.mkdir()
    assert read_text(folder, "a,b\n1,2\n3\n") == [(2, None, "1", "2"), (3, 1, "3", None)]
    assert read(write(folder, b'a,b\n"1",2\n', "students-[x].csv")) == [(2, None, "1", "2")]
    path = folder / "students.parquet"
    pl.DataFrame({"a": ["1"]}).write_parquet(path)
    assert read(SourceFile("students", path, 1)) == [(2, None, "1")]


def test_reading_imports_no_validation_library() -> None:
    code = "import sys, kpi.reading; sys.exit('pandera' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
