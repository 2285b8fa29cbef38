"""The journal: a chain of hashes that is read back as written, or names the line that breaks it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kpi.errors import CallError, DataError
from kpi.journal import FIRST, append, locked, read_journal

Content = dict[str, Any]

WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
SAID = st.dictionaries(
    WORDS.filter(lambda key: key != "previous"),
    st.one_of(WORDS, st.integers(-(10**9), 10**9), st.booleans(), st.none(), st.lists(WORDS)),
    max_size=4,
)


def path_of(store: Path) -> Path:
    return store / "journal.jsonl"


def write_lines(store: Path, lines: list[bytes]) -> None:
    path_of(store).write_bytes(b"".join(line + b"\n" for line in lines))


def lines_of(store: Path) -> list[bytes]:
    return path_of(store).read_bytes().split(b"\n")[:-1]


def chained(*said: Content) -> list[bytes]:
    """The lines that a journal of these contents has, by the definition written out here."""
    lines: list[bytes] = []
    for content in said:
        previous = hashlib.sha256(lines[-1]).hexdigest() if lines else "0" * 64
        text = json.dumps(
            content | {"previous": previous},
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )
        lines.append(text.encode())
    return lines


def refused(store: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_journal(store)
    return caught.value


def line_named(error: DataError) -> int:
    return int(error.parts["where"].rsplit("line ", 1)[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that the examples of a hypothesis test write over, one after the other."""
    return tmp_path_factory.mktemp("journal")


# what is appended is read back


def test_a_store_without_a_journal_has_said_nothing(tmp_path: Path) -> None:
    assert read_journal(tmp_path) == []
    path_of(tmp_path).touch()
    assert read_journal(tmp_path) == []


@given(st.lists(SAID, max_size=6))
@example([{"reason": 'line\nend, quote " and \\ and \u2028'}, {}, {"имя": "Айгүл Ә."}])
def test_what_is_appended_is_read_back_in_order_and_numbered(
    folder: Path, said: list[Content]
) -> None:
    path_of(folder).unlink(missing_ok=True)
    returned = [append(folder, content) for content in said]
    entries = read_journal(folder)
    assert entries == returned
    assert [entry.number for entry in entries] == list(range(1, len(said) + 1))
    without = [{k: v for k, v in e.content.items() if k != "previous"} for e in entries]
    assert without == said
    assert (lines_of(folder) if said else []) == chained(*said)


def test_each_line_holds_the_hash_of_the_one_before_and_the_first_64_zeros(tmp_path: Path) -> None:
    first, second, third = (append(tmp_path, {"n": n}) for n in range(3))
    assert first.content["previous"] == FIRST == "0" * 64
    assert second.content["previous"] == first.sha256
    assert third.content["previous"] == second.sha256
    assert third.sha256 == hashlib.sha256(lines_of(tmp_path)[2]).hexdigest()


def test_a_line_cannot_say_another_previous_than_the_one_there_is(tmp_path: Path) -> None:
    append(tmp_path, {})
    entry = append(tmp_path, {"previous": "f" * 64})
    assert entry.content["previous"] == read_journal(tmp_path)[0].sha256


def test_text_that_no_file_can_hold_is_a_wrong_call_and_changes_nothing(tmp_path: Path) -> None:
    """Bytes on the command line that are no UTF-8 come as lone surrogates."""
    append(tmp_path, {"n": 1})
    before = path_of(tmp_path).read_bytes()
    with pytest.raises(CallError) as caught:
        append(tmp_path, {"reason": "Приказ \udcff"})
    assert "UTF-8" in caught.value.parts["expected"]
    assert "\\udcff" in caught.value.parts["found"]
    assert path_of(tmp_path).read_bytes() == before


# what was changed is found


@given(st.lists(SAID, min_size=1, max_size=5), st.data())
def test_any_byte_changed_before_the_last_line_is_found(
    folder: Path, said: list[Content], data: st.DataObject
) -> None:
    whole = b"".join(line + b"\n" for line in chained(*said, {"last": True}))
    end = whole[:-1].rfind(b"\n") + 1
    at = data.draw(st.integers(0, end - 1), label="at")
    other = data.draw(st.integers(0, 255), label="byte")
    assume(whole[at] != other)
    path_of(folder).write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
    changed = whole[:at].count(b"\n") + 1
    assert line_named(refused(folder)) in (changed, changed + 1)


@given(st.lists(SAID, min_size=1, max_size=5), st.data())
def test_a_line_dropped_before_the_last_is_found_where_the_next_one_stands(
    folder: Path, said: list[Content], data: st.DataObject
) -> None:
    lines = chained(*said, {"last": True})
    gone = data.draw(st.integers(0, len(lines) - 2), label="gone")
    del lines[gone]
    write_lines(folder, lines)
    assert line_named(refused(folder)) == gone + 1


@given(st.lists(SAID, min_size=2, max_size=5), st.data())
def test_two_lines_that_changed_places_are_found(
    folder: Path, said: list[Content], data: st.DataObject
) -> None:
    lines = chained(*said)
    one = data.draw(st.integers(0, len(lines) - 2), label="one")
    other = data.draw(st.integers(one + 1, len(lines) - 1), label="other")
    lines[one], lines[other] = lines[other], lines[one]
    write_lines(folder, lines)
    assert line_named(refused(folder)) == one + 1


def test_a_line_written_twice_is_found(tmp_path: Path) -> None:
    first, second = chained({"n": 1}, {"n": 2})
    write_lines(tmp_path, [first, first, second])
    assert line_named(refused(tmp_path)) == 2


def test_a_line_that_was_not_written_to_its_end_is_found(tmp_path: Path) -> None:
    whole = b"\n".join(chained({"n": 1}, {"n": 2}))
    for cut in range(len(chained({"n": 1})[0]) + 2, len(whole) + 1):
        path_of(tmp_path).write_bytes(whole[:cut])
        assert line_named(refused(tmp_path)) == 2, cut


def same_in_other_words(line: bytes) -> list[bytes]:
    content = json.loads(line)
    return [
        line + b" ",
        b" " + line,
        line + b"\r",
        json.dumps(content).encode(),
        json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode(),
        line.decode().encode("utf-8-sig"),
        line.decode().encode("utf-16"),
        line.replace(b'"n":1', b'"n":1,"n":1'),
    ]


def test_the_same_said_in_another_way_is_no_line_of_a_journal(tmp_path: Path) -> None:
    """Else the last line could be changed to another hash, and nobody would see why."""
    line = chained({"n": 1, "имя": "Ә"})[0]
    for other in same_in_other_words(line):
        write_lines(tmp_path, [other])
        assert line_named(refused(tmp_path)) == 1, other


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"1",
        b"nonsense",
        b"\xff\xfe",
        b'{"previous":1}',
        b'{"previous":null}',
        b'{"previous":["%s"]}' % (b"0" * 64),
        b'{"previous":"%s","x":"\\ud800"}' % (b"0" * 64),
        b'{"previous":"%s","x":%s}' % (b"0" * 64, b"[" * 100_000),
        b'{"previous":"%s","x":%s}' % (b"0" * 64, b"9" * 5_000),
        b'{"previous":"%s","x":NaN}' % (b"0" * 64),
        b"\x00" * 200,
    ],
    ids=lambda line: line[:24].decode("latin-1") or "empty",
)
def test_whatever_else_stands_in_a_line_is_named_with_its_place(
    tmp_path: Path, line: bytes
) -> None:
    write_lines(tmp_path, [line])
    error = refused(tmp_path)
    assert error.what == "The journal is broken."
    assert error.parts["where"] == f"{path_of(tmp_path)}, line 1"
    assert error.parts["expected"]
    assert len(error.parts["found"]) < 300
    assert "copy" in error.parts["do"]
    assert error.exit_code == 1


def test_a_broken_journal_is_not_continued(tmp_path: Path) -> None:
    first, second = chained({"n": 1}, {"n": 2})
    write_lines(tmp_path, [second])
    with pytest.raises(DataError):
        append(tmp_path, {"n": 3})
    assert lines_of(tmp_path) == [second]
    assert first


def test_a_chain_that_was_written_anew_reads_well_but_has_another_head(tmp_path: Path) -> None:
    """What the chain alone cannot tell: the head's hash in the signed order does."""
    write_lines(tmp_path, chained({"by": "A"}, {"by": "B"}))
    true_head = read_journal(tmp_path)[-1].sha256
    write_lines(tmp_path, chained({"by": "Z"}, {"by": "B"}))
    assert read_journal(tmp_path)[-1].sha256 != true_head


# the whole line or none


def test_a_full_disk_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(tmp_path, {"n": 1})
    before = path_of(tmp_path).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        append(tmp_path, {"n": 2})
    monkeypatch.undo()
    assert path_of(tmp_path).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"], "nothing is left over"
    assert append(tmp_path, {"n": 2}).number == 2


def test_what_a_killed_process_left_beside_the_journal_is_no_part_of_it(tmp_path: Path) -> None:
    append(tmp_path, {"n": 1})
    (tmp_path / f".journal.jsonl-{os.getpid()}").write_bytes(b"half a li")
    assert append(tmp_path, {"n": 2}).number == 2
    assert [entry.content["n"] for entry in read_journal(tmp_path)] == [1, 2]


# one at a time

HOLDS_THE_LOCK = """
import sys
from pathlib import Path
from kpi.journal import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_while_one_process_publishes_another_is_told_at_once(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    words = [sys.executable, "-c", HOLDS_THE_LOCK, str(tmp_path)]
    with subprocess.Popen(words, stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(CallError) as caught, locked(tmp_path):
            pytest.fail("two hold the lock")
        assert caught.value.what.startswith("Somebody else is publishing")
        assert caught.value.parts["where"] == str(tmp_path)
        assert "Wait" in caught.value.parts["do"]
        assert caught.value.exit_code == 2
        holder.kill()  # as when the power goes: nobody unlocks
        holder.wait()
    with locked(tmp_path):
        pass


def test_the_lock_is_given_back_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_store_that_is_not_there_cannot_be_locked(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "store").touch()
    with pytest.raises(CallError) as caught, locked(tmp_path / "store"):
        pytest.fail("locked")
    assert "nothing was published" in caught.value.what
    assert caught.value.parts["found"]
