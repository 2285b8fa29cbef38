"""A round on disk: whole or absent, numbered, the same for the same data."""

import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from inputs import KEY, reaches_the_gates, run, students, write_folder

from kpi import rounds
from kpi.errors import CallError
from kpi.pseudonyms import KEY_VARIABLE
from kpi.rounds import Round, building, content_of, drafts, finish_draft, open_round
from kpi.sample import write_sample

ROUND = "2025-26"
COMMAND = str(Path(sys.executable).with_name("kpi"))
ENVIRONMENT = {**os.environ, KEY_VARIABLE: KEY.decode()}


def make_draft(store: Path, text: str = "{}", round_id: str = ROUND) -> Round:
    """Keep a draft that holds nothing but a receipt."""
    with building(store, round_id) as built:
        (built / "receipt.json").write_text(text, encoding="utf-8")
        return finish_draft(built)


def hidden(store: Path) -> list[str]:
    return sorted(path.name for path in (store / ROUND).glob(".*"))


@pytest.fixture
def input_folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "input", **reaches_the_gates(students("EX-01", 30)))


def dead_process() -> int:
    """The id of a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


# drafts


def test_drafts_are_numbered_and_the_newest_is_opened(tmp_path: Path) -> None:
    versions = [make_draft(tmp_path, json.dumps({"n": n})).version for n in range(3)]
    assert versions == ["draft-1", "draft-2", "draft-3"]
    newest = open_round(tmp_path, ROUND)
    assert (newest.name, newest.version) == (ROUND, "draft-3")
    assert newest.receipt == {"n": 2}


def test_the_newest_draft_and_the_one_before_it_are_kept_beyond_nine_as_well(
    tmp_path: Path,
) -> None:
    for _ in range(11):
        make_draft(tmp_path)
    assert [path.name for path in drafts(tmp_path / ROUND)] == ["draft-10", "draft-11"]
    assert hidden(tmp_path) == []


def test_a_failure_while_building_keeps_nothing(tmp_path: Path) -> None:
    make_draft(tmp_path)
    with pytest.raises(ZeroDivisionError), building(tmp_path, ROUND) as built:
        (built / "receipt.json").write_text("half", encoding="utf-8")
        raise ZeroDivisionError
    assert [path.name for path in drafts(tmp_path / ROUND)] == ["draft-1"]
    assert hidden(tmp_path) == []


def test_two_runs_that_end_at_once_get_two_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_draft(tmp_path, '{"of": "the other run"}')
    look = rounds.drafts

    def a_moment_ago(_: Path) -> list[Path]:
        monkeypatch.setattr(rounds, "drafts", look)
        return []

    with building(tmp_path, ROUND) as built:
        (built / "receipt.json").write_text("{}", encoding="utf-8")
        monkeypatch.setattr(rounds, "drafts", a_moment_ago)
        assert finish_draft(built).version == "draft-2"
    assert Round(tmp_path / ROUND / "draft-1").receipt == {"of": "the other run"}


def test_two_rounds_built_at_once_in_one_process_do_not_touch_each_other(tmp_path: Path) -> None:
    """The app computes rounds in threads of one process."""
    with building(tmp_path, ROUND) as first:
        (first / "receipt.json").write_text("1", encoding="utf-8")
        with building(tmp_path, ROUND) as second:
            (second / "receipt.json").write_text("2", encoding="utf-8")
            finish_draft(second)
        assert (first / "receipt.json").read_text(encoding="utf-8") == "1"


@pytest.mark.parametrize("name", ["draft-1-of-aigul", "draft-old", "draft-1 (copy)", "v1", "notes"])
def test_folders_that_are_no_drafts_are_left_alone(tmp_path: Path, name: str) -> None:
    mine = tmp_path / ROUND / name
    mine.mkdir(parents=True)
    (mine / "receipt.json").write_text('{"mine": 1}', encoding="utf-8")
    for number in range(1, 5):
        assert make_draft(tmp_path).version == f"draft-{number}"
    assert (mine / "receipt.json").exists()
    assert open_round(tmp_path, ROUND).version == "draft-4"


# what is left by processes that were killed


def test_what_a_dead_process_left_is_cleared_by_the_next_run(tmp_path: Path) -> None:
    left = tmp_path / ROUND / f".building-{socket.gethostname()}-{dead_process()}"
    (left / "tmp").mkdir(parents=True)
    (left / "tmp" / "spill").write_bytes(b"x")
    removed = tmp_path / ROUND / ".removed-draft-1-7"
    removed.mkdir()
    make_draft(tmp_path)
    assert not left.exists()
    assert not removed.exists()


def test_the_folder_of_a_live_process_is_left_alone(tmp_path: Path) -> None:
    live = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        theirs = tmp_path / ROUND / f".building-{socket.gethostname()}-{live.pid}"
        theirs.mkdir(parents=True)
        make_draft(tmp_path)
        assert theirs.exists()
    finally:
        live.kill()
        live.wait()


@pytest.mark.parametrize("host", ["{}-2", "other"])
def test_the_folder_of_another_machine_is_left_alone(tmp_path: Path, host: str) -> None:
    other = host.format(socket.gethostname())
    theirs = tmp_path / ROUND / f".building-{other}-{dead_process()}"
    theirs.mkdir(parents=True)
    make_draft(tmp_path)
    assert theirs.exists(), "whether its process lives cannot be seen from here"


@pytest.mark.parametrize("name", ["x", "-1", ""])
def test_a_hidden_folder_of_any_other_name_stops_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / ROUND / f".building-{socket.gethostname()}-{name}").mkdir(parents=True)
    assert make_draft(tmp_path).version == "draft-1"


# opening


def test_the_latest_round_of_the_store_is_opened_by_default(tmp_path: Path) -> None:
    for round_id in ("2024-25", "2025-26", "2023-24"):
        make_draft(tmp_path, round_id=round_id)
    assert open_round(tmp_path).name == "2025-26"
    assert open_round(tmp_path, "2023-24").name == "2023-24"


def test_files_and_other_folders_in_the_store_are_no_rounds(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("{}\n", encoding="utf-8")
    (tmp_path / "readme").mkdir()
    (tmp_path / "2029-30" / ".building-x-1").mkdir(parents=True)
    (tmp_path / "2028-29").mkdir()
    (tmp_path / "2028-29" / "draft-1").write_text("a file", encoding="utf-8")
    make_draft(tmp_path)
    assert open_round(tmp_path).name == ROUND


def test_a_round_that_is_not_there_is_a_wrong_call_that_names_those_that_are(
    tmp_path: Path,
) -> None:
    make_draft(tmp_path)
    make_draft(tmp_path, round_id="2024-25")
    with pytest.raises(CallError) as caught:
        open_round(tmp_path, "2030-31")
    assert caught.value.parts["found"] == "2030-31"
    assert caught.value.parts["expected"] == "one of 2024-25, 2025-26"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("round_id", [None, ROUND, "..", "../x", ""])
def test_an_empty_store_or_none_or_a_file_holds_no_round(
    tmp_path: Path, round_id: str | None
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for store in (tmp_path / "empty", tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(CallError) as caught:
            open_round(store, round_id)
        assert caught.value.parts["where"] == str(store)
        assert "kpi run" in caught.value.parts["do"]


def test_a_store_that_cannot_be_written_is_a_wrong_call(tmp_path: Path, input_folder: Path) -> None:
    store = tmp_path / "store"
    if os.geteuid() == 0:
        store.write_bytes(b"root may write anywhere, but not into a file")
    else:
        store.mkdir(mode=0o500)
    with pytest.raises(CallError) as caught:
        run(input_folder, store)
    assert caught.value.exit_code == 2
    assert "--store" in caught.value.parts["do"]


# the receipt


def test_the_same_data_has_the_same_receipt_in_any_store_process_and_locale(
    tmp_path: Path, input_folder: Path
) -> None:
    first = run(input_folder, tmp_path / "a")
    other = {
        **ENVIRONMENT,
        "POLARS_MAX_THREADS": "1",
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
    }
    asked = ["run", str(input_folder), "--round", ROUND, "--methodology", "example", "--store"]
    subprocess.run([COMMAND, *asked, str(tmp_path / "b")], env=other, check=True)
    second = open_round(tmp_path / "b")
    written = [(done.path / "receipt.json").read_bytes() for done in (first, second)]
    assert written[0] == written[1]
    for path in sorted(first.path.rglob("*.parquet")):
        same = second.path / path.relative_to(first.path)
        assert path.read_bytes() == same.read_bytes(), path.name


def test_the_receipt_names_every_stored_table_with_its_rows_and_content(
    input_folder: Path, tmp_path: Path
) -> None:
    done = run(input_folder, tmp_path / "rounds")
    for part in ("tables", "inputs", "reference"):
        stored = {path.stem: content_of(path) for path in (done.path / part).glob("*.parquet")}
        assert stored == done.receipt[part]
    findings = content_of(done.path / "findings.parquet", without=["file", "record"])
    assert findings == done.receipt["findings"]
    assert set(done.receipt["inputs"]) >= {"colleges", "students", "graduates", "unreadable"}
    for name, part in (("methodology.toml", "methodology"), ("rule.toml", "rule")):
        digest = hashlib.sha256((done.path / name).read_bytes()).hexdigest()
        assert digest == done.receipt[part]["sha256"]


def test_the_receipt_holds_nothing_of_the_place_and_time_it_was_made(
    input_folder: Path, tmp_path: Path
) -> None:
    done = run(input_folder, tmp_path / "rounds")
    text = (done.path / "receipt.json").read_text(encoding="utf-8")
    for word in (str(tmp_path), socket.gethostname(), "students.csv", pl.__version__, "started"):
        assert f'"{word}' not in text
    assert done.sources["files"][0]["file"] == "accreditations.csv"
    assert done.sources["input"] == str(input_folder)


def test_another_cell_gives_another_receipt(input_folder: Path, tmp_path: Path) -> None:
    first = run(input_folder, tmp_path / "a")
    path = input_folder / "students.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",3,", ",2,", 1), encoding="utf-8")
    second = run(input_folder, tmp_path / "b")
    changed = {
        name
        for name, content in first.receipt["inputs"].items()
        if second.receipt["inputs"][name] != content
    }
    assert changed == {"students"}


FRAME = pl.DataFrame(
    {
        "text": ["a", None, 'с "кавычкой", ', "", "line\nline"] * 50,
        "number": range(250),
        "share": [0.1, None, 2 / 3, 1.0, -0.0] * 50,
        "words": [["x", "y"], [], None, ["z"], ["é"]] * 50,
    }
)


@pytest.mark.parametrize("row_group_size", [1, 7, 250])
@pytest.mark.parametrize("compression", ["uncompressed", "zstd", "snappy"])
def test_the_content_of_a_table_does_not_depend_on_its_packing(
    tmp_path: Path, row_group_size: int, compression: str
) -> None:
    FRAME.write_parquet(tmp_path / "plain.parquet")
    packed = tmp_path / "packed.parquet"
    FRAME.write_parquet(packed, row_group_size=row_group_size, compression=compression)  # type: ignore[arg-type]
    assert content_of(packed) == content_of(tmp_path / "plain.parquet")
    assert content_of(packed)["rows"] == 250


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.reverse(),
        lambda frame: frame.head(249),
        lambda frame: frame.rename({"text": "other"}),
        lambda frame: frame.select("number", pl.exclude("number")),
        lambda frame: frame.with_columns(pl.col("number") + 1),
        lambda frame: frame.with_columns(pl.col("text").fill_null("")),
        lambda frame: frame.with_columns(pl.col("text").replace("a", "A")),
    ],
)
def test_the_content_of_a_table_depends_on_every_cell_and_name(
    tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    FRAME.write_parquet(tmp_path / "one.parquet")
    change(FRAME).write_parquet(tmp_path / "other.parquet")
    assert (
        content_of(tmp_path / "one.parquet")["sha256"]
        != content_of(tmp_path / "other.parquet")["sha256"]
    )


# kill -9 at any moment

LONGEST_S = 30.0


def any_hidden(name: str) -> Callable[[Path], bool]:
    return lambda store: any((store / ROUND).glob(f".building-*/{name}"))


def moments() -> Iterator[tuple[str, Callable[[Path], bool], float]]:
    """What is waited for before the process is killed, and how long after it, in seconds."""
    yield "the folder is made", any_hidden("tmp"), 0
    yield "inputs are written", any_hidden("inputs/*.parquet"), 0
    yield "tables are written", any_hidden("tables/ranking.parquet"), 0
    yield "findings are written", any_hidden("findings.parquet"), 0
    yield "the SQL is copied", any_hidden("sql/*"), 0
    yield "the receipt is written", any_hidden("receipt.json"), 0
    yield "the draft has its name", lambda store: not hidden_now(store), 0
    chance = random.Random(20251001)
    for number in range(5):
        yield f"at random, {number}", any_hidden("tmp"), chance.uniform(0, 1.2)


def hidden_now(store: Path) -> bool:
    return any((store / ROUND).glob(".building-*"))


def test_a_run_that_is_killed_leaves_the_last_complete_draft_and_no_half_one(
    tmp_path: Path,
) -> None:
    folder, store = tmp_path / "sample", tmp_path / "rounds"
    write_sample(folder, colleges=40, students=4_000)
    asked = [COMMAND, "run", str(folder), "--round", ROUND, "--store", str(store)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": ENVIRONMENT}
    subprocess.run(asked, check=True, **quiet)  # type: ignore[call-overload]
    receipt = open_round(store).receipt
    kept = Round(open_round(store).path)
    started, killed = time.monotonic(), 0
    for what, comes, after in moments():
        if time.monotonic() - started > LONGEST_S:
            break
        process = subprocess.Popen(asked, **quiet)  # type: ignore[call-overload]
        killed += kill_when(comes, after, process, store)
        newest = open_round(store)
        for path in drafts(store / ROUND):
            assert_complete(Round(path), receipt, what)
        assert _number(newest) - _number(kept) in (0, 1), what
        assert newest.version == kept.version or not any_of(store, process.pid), what
        kept = newest
    assert killed >= 6, "few runs were killed before they ended; the test says little"
    subprocess.run(asked, check=True, **quiet)  # type: ignore[call-overload]
    assert hidden(store) == []
    assert _number(open_round(store)) == _number(kept) + 1
    assert len(drafts(store / ROUND)) == 2
    assert open_round(store).receipt == receipt
    shutil.rmtree(store)


def kill_when(
    comes: Callable[[Path], bool], after: float, process: "subprocess.Popen[bytes]", store: Path
) -> bool:
    """Kill a run when something comes; return whether it was still running. What earlier runs
    left must be gone by the time it builds.
    """
    try:
        wait_until(lambda: any_of(store, process.pid) or process.poll() is not None)
        assert hidden(store) == [any_of(store, process.pid)], "what was left is not cleared"
        wait_until(lambda: comes(store) or process.poll() is not None)
        time.sleep(after)
    finally:
        process.kill()
        process.wait()
    return process.returncode == -signal.SIGKILL


def any_of(store: Path, pid: int) -> str:
    """The name of the folder that a process builds in; empty when there is none."""
    return next((path.name for path in (store / ROUND).glob(f".building-*-{pid}*")), "")


def wait_until(holds: Callable[[], object], longest_s: float = 20.0) -> None:
    end = time.monotonic() + longest_s
    while not holds():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.002)


def _number(done: Round) -> int:
    return int(done.version.removeprefix("draft-"))


def assert_complete(done: Round, receipt: dict[str, object], what: str) -> None:
    assert done.receipt == receipt, what
    assert done.sources["files"], what
    for part in ("tables", "inputs", "reference"):
        stored = {path.stem: content_of(path) for path in (done.path / part).glob("*.parquet")}
        assert stored == receipt[part], what
    assert not (done.path / "tmp").exists(), what
