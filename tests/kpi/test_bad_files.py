"""Bad files: never a traceback, never a hang, never a silent drop; what can be read is read.

The files of ``bad_files`` lie in one folder each: those that are read, those that are refused.
"""

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest
from bad_files import READ, REFUSED, Read, Refused, lines, sheet, three, zip_of
from inputs import KEY, college, plan, quiet, write_table

from funding.run import check_inputs
from kpi import cli
from kpi.errors import CallError, DataError
from kpi.intake import Intake, read_inputs
from kpi.pseudonyms import KEY_VARIABLE

MOST_SECONDS = 60
"""For all files together on a busy machine; a hang takes for ever."""
MOST_MB = 700


@dataclass(frozen=True)
class Done:
    """What came of the files that are read: rows kept, refused by file, faults; what was said."""

    intake: Intake
    kept: dict[str, int]
    refused: dict[str, int]
    faults: dict[str, set[tuple[int, str, str]]]
    rows: pl.DataFrame
    grown_mb: float


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("read")
    ids = [f"EX-{number:02d}" for number in range(len(READ))]
    write_table(made / "colleges.csv", "colleges", [college(one) for one in ids])
    for one, case in zip(ids, READ, strict=True):
        (made / case.file).write_bytes(case.make(one))
    (made / "students-folder.csv").mkdir()
    (made / "letter.pdf").write_bytes(b"%PDF")
    (made / "other.csv").write_text("a,b\n1,2\n")
    (made / "elsewhere").symlink_to(made)
    for passed in (".hidden.csv", "~$students.xlsx", "Thumbs.db", "README.md"):
        (made / passed).write_bytes(b"x")
    return made


@pytest.fixture(scope="module")
def done(folder: Path) -> Iterator[Done]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with duckdb.connect() as con:
        intake = read_inputs(con, folder, KEY, quiet)
        rows = con.sql(
            "SELECT file, kept, record FROM ("
            "SELECT file_no, TRUE AS kept, record FROM raw_students UNION ALL "
            "SELECT file_no, TRUE, record FROM raw_graduates UNION ALL "
            "SELECT file_no, TRUE, record FROM raw_assessments UNION ALL "
            "SELECT file_no, FALSE, record FROM unreadable) JOIN source_files USING (file_no)"
        ).pl()
        faults = con.sql(
            "SELECT file, record, check_name, column_name FROM cell_findings"
            " JOIN all_places USING (table_name, row_id) JOIN source_files USING (file_no)"
        ).fetchall()
        students = con.sql(
            "SELECT file, raw_students.* FROM raw_students JOIN source_files USING (file_no)"
        ).pl()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    by_file: dict[str, set[tuple[int, str, str]]] = {}
    for file, *fault in faults:
        by_file.setdefault(_own(file), set()).add(tuple(fault))
    counted = rows.group_by("file", "kept").len().rows()
    yield Done(
        intake,
        {_own(file): count for file, kept, count in counted if kept},
        {_own(file): count for file, kept, count in counted if not kept},
        by_file,
        students,
        grown,
    )


def _own(file: str) -> str:
    """The file's name without that of a sheet."""
    return file.split(" [", maxsplit=1)[0]


@pytest.mark.parametrize("case", READ, ids=[case.name for case in READ])
def test_what_can_be_read_is_read_and_the_rest_is_named(case: Read, done: Done) -> None:
    assert done.faults.get(case.file, set()) == set(case.faults)
    refused = len({record for record, _, _ in case.faults})
    assert done.refused.get(case.file, 0) == refused
    assert done.kept.get(case.file, 0) == case.rows - refused
    [said] = [entry for entry in done.intake.files if _own(entry["file"]) == case.file]
    assert said["rows"] == case.rows
    assert case.form.items() <= said.items()
    own = done.rows.filter(pl.col("file") == said["file"])
    for column, cells in case.cells.items():
        assert set(own[column]) == cells


def test_what_is_left_unread_is_said(done: Done) -> None:
    assert sorted(done.intake.unread) == [
        "elsewhere",
        "letter.pdf",
        "other.csv",
        "students-folder.csv",
        "students-hidden.xlsx [Пояснение]",
        "students-sheets.xlsx [Пояснение]",
    ]


def test_reading_them_takes_little_memory(done: Done) -> None:
    assert done.grown_mb < MOST_MB


def test_a_protected_number_and_a_plain_one_are_one_person(done: Done) -> None:
    """The same identifiers, once as they are and once as ``="…"``, under one key."""
    of = {
        name: set(done.rows.filter(pl.col("file") == name)["student_id"])
        for name in ("students-wide.csv", "students-bom.csv")
    }
    assert all(len(people) == 3 for people in of.values())
    with duckdb.connect() as con:
        people = _people(con, [[f'="{cell}"' if cell else "" for cell in row] for row in _SAME])
    with duckdb.connect() as con:
        assert _people(con, _SAME) == people


_SAME = three("EX-01")


def _people(con: duckdb.DuckDBPyConnection, cells: list[list[str]]) -> set[str]:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "students.csv").write_text(lines(cells), encoding="utf-8")
        read_inputs(con, Path(place), KEY, quiet)
    return {one for (one,) in con.execute("SELECT student_id FROM raw_students").fetchall()}


# files that are refused as a whole


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CallError]:
    """The error of each refused file, by its name: all are told at once."""
    made = tmp_path_factory.mktemp("refused")
    for case in REFUSED:
        case.make(made / case.file)
    with pytest.raises(DataError) as caught, duckdb.connect() as con:
        read_inputs(con, made, KEY, quiet)
    assert caught.value.exit_code == 1
    by_file: dict[str, list[CallError]] = {}
    for error in caught.value.each:
        by_file.setdefault(error.parts["where"].split(", ")[0], []).append(error)
    assert all(len(several) == 1 for several in by_file.values())
    return {name: one for name, [one] in by_file.items()}


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(
    case: Refused, errors: dict[str, CallError]
) -> None:
    [error] = [e for name, e in errors.items() if name in (case.file, f"{case.file}/inner.zip")]
    assert error.what == case.says
    assert case.found in error.parts["found"]
    assert error.parts["do"] or error.parts["expected"]
    assert "Traceback" not in str(error) and "panicked" not in str(error)


def test_no_other_file_is_refused(errors: dict[str, CallError]) -> None:
    assert len(errors) == len(REFUSED)


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "students.csv").write_bytes(b"x")

    def deny(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", deny)  # root may read whatever its mode
    with pytest.raises(DataError) as caught, duckdb.connect() as con:
        read_inputs(con, tmp_path, KEY, quiet)
    assert caught.value.parts["where"] == "students.csv"
    assert caught.value.parts["found"] == "Permission denied"


# through the command


def test_the_command_answers_with_its_code_and_a_sentence_in_bounded_time(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    refused = tmp_path / "refused"
    refused.mkdir()
    for case in REFUSED:
        case.make(refused / case.file)
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    for place in (folder, refused):
        monkeypatch.setattr("sys.argv", ["kpi", "check", str(place), "--round", "2025-26"])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == 1
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    assert "the product failed" not in err
    assert all(case.file.split("\n")[0] in err for case in REFUSED)
    assert time.monotonic() - began < MOST_SECONDS


def test_an_archive_of_all_formats_is_read_as_its_files_are(tmp_path: Path) -> None:
    """A folder inside a ZIP, in three formats; what systems leave beside them is passed over."""
    parquet = tmp_path / "x.parquet"
    header, *rows = three("EX-01")
    pl.DataFrame(rows, schema=header, orient="row").write_parquet(parquet)
    path = tmp_path / "всё.zip"
    path.write_bytes(
        zip_of(
            ("а/students-1.csv", lines(three("EX-01")).encode()),
            ("а/students-2.xlsx", sheet(three("EX-01"))),
            ("а/students-3.parquet", parquet.read_bytes()),
            ("__MACOSX/а/._students-1.csv", b"\0\5\x16\7"),
            ("а/.DS_Store", b"x"),
        )
    )
    intake, _, counts = check_inputs(path, plan(), KEY, quiet)
    assert counts.filter(pl.col("table_name") == "students")["read"].sum() == 9
    assert [entry["file"] for entry in intake.files] == [
        f"всё.zip/а/students-{n}" for n in ("1.csv", "2.xlsx", "3.parquet")
    ]
    assert intake.unread == []
