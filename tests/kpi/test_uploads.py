"""Uploaded files: which names are taken, what is too much, and where the files are meanwhile."""

import io
import os
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest

from kpi.errors import CallError, DataError
from kpi.reading.archive import opened
from kpi.reading.table import InputFile
from kpi.uploads import MB, MOST_FILES, TOTAL, base_name, faults, held, is_taken


class Sent(io.BytesIO):
    """A file as the app hands it over; ``size`` may be more than what is there."""

    def __init__(self, name: str, content: bytes = b"college_id\n", size: int | None = None):
        super().__init__(content)
        self.name = name
        self.size = len(content) if size is None else size


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# names


@pytest.mark.parametrize(
    "name",
    [
        "students.csv",
        "students.CSV",
        "students-north.parquet",
        "dual_agreements-Ақтөбе.csv",
        "Акмолинская область 2024-2025.xlsx",
        "КГКП «Колледж № 3» (2025).xlsx",
        "contingent.txt",
        "all.zip",
        "../../students.csv",
        "C:\\Users\\me\\colleges.csv",
    ],
)
def test_a_name_that_intake_reads_is_taken_whatever_folder_it_names(name: str) -> None:
    assert is_taken(name)
    assert base_name(name) == name.replace("\\", "/").rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "students.csv/../x",
        "students.csv/",
        "<script>.csv",
        "<script>alert(1)</script>",
        "=HYPERLINK().csv",
        "-rf.csv",
        "students.xls",
        "students",
        "students.csv.exe",
        ".csv",
        "..",
        "",
        "students-\n.csv",
        "students-\0.csv",
        "students-\u202e.csv",
        "students-" + "x" * 200 + ".csv",
    ],
)
def test_any_other_name_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    assert not is_taken(name)
    [fault] = faults([Sent(name)], 200 * MB)
    assert fault.what == "These files are no tables of a round."
    assert fault.parts["do"] and fault.parts["expected"]
    with pytest.raises(CallError), held([Sent(name)], 200 * MB):
        raise AssertionError("nothing is written for it")
    assert left(tmp_path) == []


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_archives_that_unpack_to_too_much_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 MB are taken here. Each alone is below, both together are above."""
    monkeypatch.setattr("kpi.uploads.UNPACKED", 2 * MB)
    one = zipped(a=b"0" * 1_500_000)
    with held([Sent("a.zip", one)], MB):
        pass
    with (
        pytest.raises(CallError, match="unpack to more"),
        held([Sent("a.zip", one), Sent("b.zip", one)], MB),
    ):
        raise AssertionError("nothing is read")
    assert left(tmp_path) == []


def test_an_archive_inside_an_archive_and_one_that_lies_are_bounded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workbook in a ZIP unpacks to 3 MB: what counts is found where it is opened. A member that
    says it holds 10 bytes, and holds more, is damaged.
    """
    monkeypatch.setattr("kpi.uploads.UNPACKED", 2 * MB)
    bomb = tmp_path / "bomb.xlsx"
    bomb.write_bytes(zipped(**{"xl/workbook.xml": b"0" * 3_000_000}))
    lie = tmp_path / "lie.zip"
    content = zipped(a=b"0" * 1_000)
    size = (1_000).to_bytes(4, "little")
    assert content.count(size) == 2
    lie.write_bytes(content.replace(size, (10).to_bytes(4, "little")))
    with held([Sent("colleges.csv")], MB):
        for path, what in ((bomb, "unpacks to more"), (lie, "damaged")):
            with pytest.raises(DataError, match=what), opened(InputFile(path.name, path)):
                raise AssertionError("nothing is read")


# bounds


def test_a_file_above_its_bound_is_refused() -> None:
    [fault] = faults([Sent("students.csv", size=200 * MB + 1)], 200 * MB)
    assert fault.what == "A file is too large."
    assert faults([Sent("students.csv", size=200 * MB)], 200 * MB) == []


def test_files_above_the_bound_of_all_together_are_refused() -> None:
    half = [Sent("students-1.csv", size=TOTAL // 2), Sent("students-2.csv", size=TOTAL // 2)]
    assert faults(half, TOTAL) == []
    [fault] = faults([*half, Sent("colleges.csv", size=1)], TOTAL)
    assert fault.what == "The files are too many or too large together."


def test_more_files_than_anybody_has_are_refused() -> None:
    many = [Sent(f"students-{number}.csv") for number in range(MOST_FILES + 1)]
    [fault] = faults(many, TOTAL)
    assert fault.what == "The files are too many or too large together."


def test_one_name_twice_is_refused_also_where_only_the_case_or_the_folder_differs() -> None:
    for other in ("students.csv", "students.CSV", "old/students.csv"):
        [fault] = faults([Sent("students.csv"), Sent(other)], TOTAL)
        assert fault.what == "Two files have one name."
        assert fault.parts["found"] == "students.csv"


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = [Sent("x.doc", size=TOTAL + 1), Sent("students.csv"), Sent("students.csv")]
    assert len(faults(wrong, MB)) == 4


# the folder


def test_the_folder_is_its_owners_alone_and_gone_afterwards(tmp_path: Path) -> None:
    with held([Sent("colleges.csv", b"a\n1\n")], MB) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "colleges.csv").read_bytes() == b"a\n1\n"
        assert folder.parent == tmp_path
    assert left(tmp_path) == []


class _Stopped(BaseException):
    """What the framework raises to end a run: no Exception."""


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt, _Stopped])
def test_the_folder_is_gone_whatever_happens(tmp_path: Path, end: type[BaseException]) -> None:
    with pytest.raises(end), held([Sent("colleges.csv")], MB):
        raise end
    assert left(tmp_path) == []


def test_an_error_names_the_file_and_not_the_folder_that_is_gone() -> None:
    with pytest.raises(DataError) as caught, held([Sent("colleges.csv")], MB) as folder:
        raise DataError("It is wrong.", where=f"{folder / 'colleges.csv'}, record 1")
    assert caught.value.parts["where"] == "colleges.csv, record 1"


def test_what_a_killed_process_left_is_cleared_and_what_a_running_one_holds_is_not(
    tmp_path: Path,
) -> None:
    import socket

    host = socket.gethostname()
    for name in (f"{host}-999999999-abc", f"{host}-{os.getpid()}-abc", "elsewhere-999999999-abc"):
        (tmp_path / f"college-kpi-upload-{name}").mkdir()
    with held([Sent("colleges.csv")], MB):
        pass
    assert sorted(left(tmp_path)) == sorted(
        [
            f"college-kpi-upload-{host}-{os.getpid()}-abc",
            "college-kpi-upload-elsewhere-999999999-abc",
        ]
    )
