"""Verifying: whatever was changed in a published round is named, and nothing else is.

The store has a signed v1 of one college. Each test changes a copy of it.
"""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import KEY, ROUND, quiet
from publications import (
    BOTH,
    SIGNATURE,
    bytes_of,
    copied,
    disk_with,
    publish_draft,
    verified,
)

import kpi as product
from funding import publish as publishing
from funding import verify as verifying
from funding.verify import recomputation_faults, verify
from kpi.errors import CallError, DataError
from kpi.journal import read_journal
from kpi.pseudonyms import KEY_VARIABLE
from kpi.rounds import Round, content_of, open_round

COMMAND = str(Path(sys.executable).with_name("kpi"))

Json = dict[str, Any]


@pytest.fixture
def store(published_store: Path, tmp_path: Path) -> Path:
    return copied(published_store, tmp_path, without="draft-*")


@pytest.fixture
def store_and_draft(published_store: Path, tmp_path: Path) -> Path:
    """As ``store``, with the newest draft, which is of other data and has errors."""
    return copied(published_store, tmp_path, without="draft-1")


@pytest.fixture
def v1(store: Path) -> Path:
    return store / ROUND / "v1"


@pytest.fixture(scope="session")
def computed(published_store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Json, Path]:
    """What v1 gives when it is computed again: the receipt and the folder."""
    again = tmp_path_factory.mktemp("again")
    return verifying._computed_again(open_round(published_store, ROUND, "v1"), again, quiet), again


@pytest.fixture
def computed_once(computed: tuple[Json, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """For changes of v1 that leave alone what it is computed from: it is not computed each time.
    Drafts are published as they are.
    """

    def again(_: Round, folder: Path, __: object) -> Json:
        shutil.copytree(computed[1], folder, dirs_exist_ok=True)
        return dict(computed[0])

    monkeypatch.setattr(verifying, "_computed_again", again)
    monkeypatch.setattr(publishing, "recomputation_faults", lambda *_: iter(()))


@pytest.fixture(scope="session")
def head(published_store: Path) -> str:
    """The hash that the signed order quotes: that of the line which publishes v1."""
    return read_journal(published_store)[0].sha256


def named(store: Path, expect: str | None = None, version: str | None = "v1") -> str:
    """What verify says differs: one line that begins with the place."""
    found = verified(store, version, expect).differs
    assert found is not None, "nothing differs"
    return found


# nothing changed


def test_an_untouched_version_agrees_in_every_step(published_store: Path, head: str) -> None:
    done = verified(published_store, "v1", head)
    assert done.differs is None
    assert done.notes == []
    journal, files, signatures, again = done.agrees
    assert "chain is whole" in journal
    assert "every file" in files
    assert "every attached file" in signatures
    assert re.fullmatch(r"computed again: 6 inputs, 6 reference, \d+ tables, .* agree .*", again)


@pytest.mark.usefixtures("computed_once")
def test_the_steps_are_told_as_they_come(published_store: Path) -> None:
    told: list[str] = []
    verify(open_round(published_store), None, lambda step, _, __: told.append(step))
    steps = [step for step in told if step.startswith("verifying")]
    assert steps == [
        "verifying journal",
        "verifying files",
        "verifying signatures",
        "verifying what its inputs give",
    ]


def test_verifying_changes_nothing(published_store: Path) -> None:
    before = bytes_of(published_store)
    verified(published_store)
    assert bytes_of(published_store) == before


def test_a_draft_is_computed_again_and_said_to_be_one(published_store: Path) -> None:
    """Rows that were rejected, and cells that could not be read, are so again."""
    done = verified(published_store, "draft")
    assert done.differs is None
    assert [line for line in done.notes if "draft" in line]
    assert len(done.agrees) == 1


def test_a_round_verifies_wherever_it_is_moved_to(store: Path, tmp_path: Path, head: str) -> None:
    moved = store.rename(tmp_path / "архив рундов")
    assert verified(moved, "v1", head).differs is None


def test_the_round_of_the_example_agrees_with_what_its_inputs_give(
    example_round: Round, example_round_leagues: Round
) -> None:
    for done in (example_round, example_round_leagues):
        assert list(recomputation_faults(done, quiet)) == []


# the hash that the order quotes


@pytest.mark.usefixtures("computed_once")
def test_the_hash_of_a_later_line_stands_for_all_before(published_store: Path) -> None:
    """What `kpi attach` prints may be quoted as well."""
    later = read_journal(published_store)[1].sha256
    assert verified(published_store, "v1", f" {later.upper()}\n").differs is None


@pytest.mark.parametrize("expect", ["0" * 64, "", " ", "abc", "v1"])
def test_another_hash_than_the_journal_has_is_named(published_store: Path, expect: str) -> None:
    """An empty one, too: a variable of the shell that was never set verifies nothing."""
    found = named(published_store, expect)
    assert found.startswith("journal.jsonl, line 1: its hash is ")
    assert (expect.strip() or "nothing") in found


@pytest.mark.usefixtures("computed_once")
def test_a_hash_from_before_the_version_does_not_stand_for_it(
    store_and_draft: Path, head: str
) -> None:
    store = store_and_draft
    publish_draft(store, BOTH)
    assert verified(store, "v1", head).differs is None
    assert named(store, head, "v2").startswith("journal.jsonl, line 3: its hash is ")


@pytest.mark.parametrize("expect", ["0" * 64, ""])
def test_a_draft_has_no_hash_to_expect(published_store: Path, expect: str) -> None:
    with pytest.raises(CallError) as caught:
        verified(published_store, "draft", expect)
    assert caught.value.parts["where"] == "--expect"
    assert caught.value.parts["do"]


# one byte, in any file


def flips(content: bytes) -> dict[str, int]:
    """Where a byte is changed: for a Parquet among the data and in its footer, the length of
    which stands before the last four bytes.
    """
    anywhere = random.Random(len(content)).randrange(len(content))
    if content[:4] != b"PAR1":
        return {"first": 0, "anywhere": anywhere}
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little") // 2
    return {"data": 6, "footer": footer, "last": len(content) - 1, "anywhere": anywhere}


def test_one_changed_byte_in_any_file_is_named_by_its_file(v1: Path) -> None:
    store = v1.parent.parent
    kinds = set()
    for name, content in bytes_of(v1).items():
        for place, at in flips(content).items():
            changed = bytearray(content)
            changed[at] ^= 1 << (at % 8)
            (v1 / name).write_bytes(changed)
            assert named(store).startswith(f"{name}: "), (name, place)
        (v1 / name).write_bytes(content)
        kinds.add(Path(name).suffix if "/" in name else name)
    assert kinds >= {".parquet", ".sql", "receipt.json", "sources.json", "manifest.json"}
    assert kinds >= {"methodology.toml", "rule.toml", "findings.parquet"}
    assert verified(store).differs is None, "all is as it was"


def test_any_file_with_a_byte_more_or_that_is_gone_is_named(v1: Path) -> None:
    for name, content in bytes_of(v1).items():
        (v1 / name).write_bytes(content + b"\n")
        assert named(v1.parent.parent).startswith(f"{name}: "), name
        (v1 / name).unlink()
        assert name in named(v1.parent.parent), name
        (v1 / name).write_bytes(content)


def test_a_version_that_is_gone_is_named(store: Path) -> None:
    shutil.rmtree(store / ROUND / "v1")
    assert "receipt.json" in named(store)
    shutil.rmtree(store / ROUND)
    assert "receipt.json" in named(store)


@pytest.mark.parametrize(
    "name", ["notes.txt", ".hidden", "tables/more.parquet", "sql/2_kpi/more.sql", "new/x.json"]
)
def test_a_file_that_was_added_is_named(v1: Path, name: str) -> None:
    (v1 / name).parent.mkdir(exist_ok=True)
    shutil.copyfile(v1 / "tables" / "funding.parquet", v1 / name)
    expected = f"{name}: this file was not there when the version was published"
    assert named(v1.parent.parent) == expected


def test_a_link_that_was_added_or_put_in_place_of_a_file_is_named(v1: Path, tmp_path: Path) -> None:
    (v1 / "more").symlink_to(v1 / "tables", target_is_directory=True)
    assert "more" in named(v1.parent.parent)
    (v1 / "more").unlink()
    elsewhere = (v1 / "tables").rename(tmp_path / "tables")
    (v1 / "tables").symlink_to(elsewhere, target_is_directory=True)
    assert "tables" in named(v1.parent.parent)


@pytest.mark.parametrize("content", ["5", "[]", "{}", "null", '{"product": {}}', '"text"', ""])
def test_a_receipt_or_manifest_of_another_shape_is_named_and_no_traceback(
    v1: Path, content: str
) -> None:
    for name in ("receipt.json", "manifest.json"):
        before = (v1 / name).read_bytes()
        (v1 / name).write_text(content, encoding="utf-8")
        assert named(v1.parent.parent).startswith(f"{name}: ")
        (v1 / name).write_bytes(before)


# signatures


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "is not the one that was"),
        (Path.unlink, "is missing"),
        (lambda path: path.rename(path.with_name("other.sig")), "is missing"),
    ],
)
def test_a_changed_signature_is_named(
    store: Path, change: Callable[[Path], object], says: str
) -> None:
    change(store / ROUND / "v1-signatures" / SIGNATURE)
    found = named(store)
    names = [found.split(":")[0]]
    assert names[0] in (SIGNATURE, "other.sig")
    assert says in found or "no line of the journal" in found


@pytest.mark.parametrize("name", ["a.sig", ".hidden", "z"])
def test_a_signature_that_nobody_attached_is_named(store: Path, name: str) -> None:
    (store / ROUND / "v1-signatures" / name).write_bytes(b"x")
    assert named(store).startswith(f"{name}: no line of the journal says that")


# the journal


def rewritten(store: Path, lines: list[Json]) -> None:
    """Write the whole journal anew, each line with the hash of the one before."""
    previous, text = "0" * 64, b""
    for line in lines:
        written = json.dumps(
            line | {"previous": previous},
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        ).encode()
        previous = hashlib.sha256(written).hexdigest()
        text += written + b"\n"
    (store / "journal.jsonl").write_bytes(text)


def contents(store: Path) -> list[Json]:
    return [dict(entry.content) for entry in read_journal(store)]


def journal_lines(store: Path) -> list[bytes]:
    return (store / "journal.jsonl").read_bytes().splitlines(keepends=True)


def broken_at(store: Path) -> str:
    """Where the chain is broken, as every command that opens a round says it."""
    with pytest.raises(DataError) as caught:
        verified(store)
    assert caught.value.what == "The journal is broken."
    return caught.value.parts["where"].rsplit(", ", 1)[1]


def test_a_line_dropped_or_moved_is_named(store_and_draft: Path) -> None:
    store = store_and_draft
    publish_draft(store, BOTH)
    path, (first, second, third) = store / "journal.jsonl", journal_lines(store)
    for lines, place in (
        ([second, third], "line 1"),
        ([first, third], "line 2"),
        ([second, first, third], "line 1"),
        ([first, third, second], "line 2"),
        ([first, first, second, third], "line 2"),
        ([first, second, third[:-2]], "line 3"),
    ):
        path.write_bytes(b"".join(lines))
        assert broken_at(store) == place


def test_a_byte_changed_anywhere_in_a_line_before_the_last_is_named(store: Path) -> None:
    whole = (store / "journal.jsonl").read_bytes()
    end = whole.index(b"\n")
    for at in range(0, end, 7):
        changed = bytearray(whole)
        changed[at] ^= 0x01
        (store / "journal.jsonl").write_bytes(changed)
        assert broken_at(store) in ("line 1", "line 2"), at


@pytest.mark.usefixtures("computed_once")
def test_the_last_line_dropped_is_told_by_the_folder_that_it_leaves(store_and_draft: Path) -> None:
    store = store_and_draft
    publish_draft(store, BOTH)
    (store / "journal.jsonl").write_bytes(b"".join(journal_lines(store)[:2]))
    with pytest.raises(CallError) as caught:
        verified(store, "v2")
    assert "no line of the journal says that it was published" in caught.value.parts["found"]
    by_default = verified(store, None)
    assert by_default.of_round.version == "v1"
    [note] = by_default.notes
    assert "2025-26 v2" in note
    assert "no line of the journal" in note


def test_a_journal_that_is_gone_is_told_by_the_folders_that_it_leaves(
    store_and_draft: Path,
) -> None:
    (store_and_draft / "journal.jsonl").unlink()
    notes = " ".join(verified(store_and_draft, None).notes)
    assert "2025-26 v1: there is such a folder, but no line of the journal" in notes
    for draft in ("draft-2", "none"):
        with pytest.raises(CallError) as caught:
            verified(store_and_draft, "v1")
        assert "no line of the journal" in caught.value.parts["found"]
        shutil.rmtree(store_and_draft / ROUND / draft, ignore_errors=True)


@pytest.mark.usefixtures("computed_once")
def test_a_whole_chain_written_anew_is_named_by_the_hash_in_the_order(
    store: Path, head: str
) -> None:
    """Consistent in itself, so that only who holds the order can tell."""
    lines = contents(store)
    lines[0]["by"] = "Кто-то другой"
    rewritten(store, lines)
    assert verified(store, "v1").differs is None
    found = named(store, head)
    assert found.startswith("journal.jsonl, line 1: its hash is ")
    assert head in found
    assert "written anew" in found


@pytest.mark.parametrize("key", ["manifest_sha256", "receipt_sha256", "version", "round"])
def test_a_chain_written_anew_without_a_part_is_named(store: Path, key: str) -> None:
    lines = contents(store)
    del lines[0][key]
    rewritten(store, lines)
    if key in ("version", "round"):
        with pytest.raises(CallError) as caught:
            verified(store, "v1")
        assert "no line of the journal" in caught.value.parts["found"]
    else:
        assert named(store).startswith(key.removesuffix("_sha256") + ".json: ")


# a consistent forgery: files, receipt, manifest and journal all agree


def forged(store: Path, change: Callable[[Path, Json], None]) -> None:
    """Change v1 and its receipt, then write manifest and journal anew, so that all hashes agree.

    ``change`` gets the folder and the receipt; the hashes of tables in the receipt follow.
    """
    v1 = store / ROUND / "v1"
    receipt = json.loads((v1 / "receipt.json").read_text(encoding="utf-8"))
    change(v1, receipt)
    for part in ("inputs", "reference", "tables"):
        paths = sorted((v1 / part).glob("*.parquet"))
        receipt[part] = {path.stem: content_of(path) for path in paths}
    receipt["findings"] = content_of(v1 / "findings.parquet", without=["file", "record"])
    digest = hashlib.sha256()
    for path in sorted((v1 / "sql").rglob("*.sql")):
        hashed = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(v1).as_posix()} {hashed}\n".encode())
    receipt["sql"]["sha256"] = digest.hexdigest()
    for name in ("methodology", "rule"):
        content = (v1 / f"{name}.toml").read_bytes()
        receipt[name]["sha256"] = hashlib.sha256(content).hexdigest()
    write_json(v1 / "receipt.json", receipt)
    files = bytes_of(v1)
    del files["manifest.json"]
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    write_json(v1 / "manifest.json", hashes)
    lines = contents(store)
    for name in ("manifest", "receipt"):
        content = (v1 / f"{name}.json").read_bytes()
        lines[0][f"{name}_sha256"] = hashlib.sha256(content).hexdigest()
    rewritten(store, lines)


def write_json(path: Path, content: Json) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def edited(path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    change(pl.read_parquet(path)).write_parquet(path)


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def more(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.with_columns(pl.col(column) + 1)


def test_the_forgery_of_nothing_is_no_forgery(store: Path) -> None:
    """Else the next tests would name what the forger did wrong."""
    before = bytes_of(store)
    forged(store, lambda _, __: None)
    assert bytes_of(store) == before


def test_a_table_edited_with_a_parquet_writer_is_named_by_its_file(v1: Path) -> None:
    edited(v1 / "tables" / "funding.parquet", more("amount"))
    found = named(v1.parent.parent)
    assert found == "tables/funding.parquet: the file is not the one that was published"


def test_a_table_written_anew_with_the_same_rows_is_another_file(v1: Path) -> None:
    edited(v1 / "tables" / "funding.parquet", lambda frame: frame)
    assert named(v1.parent.parent).startswith("tables/funding.parquet: ")


@pytest.mark.parametrize(
    ("table", "change", "says"),
    [
        ("tables/funding", more("amount"), r"row 1 \(EX-01, .*\): amount is (\d+); .* is (\d+)"),
        ("tables/ranking", more("rank"), r"row 1 \(EX-01.*\): rank is 2; computed again it is 1"),
        ("tables/gates", lambda f: f.reverse(), r"row 1 .*: gate is .*; computed again it is .*"),
        ("tables/gates", lambda f: f.head(2), r"has 2 rows; computed again 3"),
        ("tables/gates", lambda f: f.vstack(f.tail(1)), r"has 4 rows; computed again 3"),
        ("tables/units", lambda f: f.with_columns(x=1), r"has the columns \[.*'x'\]; .*"),
        ("tables/framework", lambda f: f.rename({"code": "c"}), r"has the columns \['c'.*"),
        (
            "tables/funding",
            lambda f: f.with_columns(pl.col("amount") * 1.0),
            r"amount is Float64;.*",
        ),
        ("inputs/students", lambda f: f.with_columns(accepted=False), r"row 1 .*: accepted is.*"),
    ],
)
@pytest.mark.usefixtures("computed_once")
def test_an_edited_table_in_a_consistent_forgery_is_named_with_row_and_column(
    store: Path, table: str, change: Callable[[pl.DataFrame], pl.DataFrame], says: str
) -> None:
    forged(store, lambda v1, _: edited(v1 / f"{table}.parquet", change))
    found = named(store)
    assert re.fullmatch(rf"{table}: {says}", found), found


@pytest.mark.usefixtures("computed_once")
def test_edited_findings_in_a_consistent_forgery_are_named(store_and_draft: Path) -> None:
    store = store_and_draft

    def hide(v1: Path, receipt: Json) -> None:
        path = v1 / "findings.parquet"
        draft = v1.parent / "draft-2" / "findings.parquet"
        shutil.copyfile(draft, path)

    forged(store, hide)
    assert named(store).startswith("findings: 3 rows are stored")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda v1: replaced(v1 / "methodology.toml", "0.70", "0.71"), "tables/"),
        (lambda v1: replaced(v1 / "rule.toml", "912_000", "912_001"), ""),
        (lambda v1: (v1 / "tables" / "ranking.parquet").unlink(), "tables/ranking: "),
        (lambda v1: (v1 / "inputs" / "students.parquet").unlink(), ""),
        (lambda v1: (v1 / "reference" / "regions.parquet").unlink(), ""),
        (
            lambda v1: shutil.copyfile(
                v1 / "tables" / "ranking.parquet", v1 / "tables" / "more.parquet"
            ),
            "tables/more: ",
        ),
        (
            lambda v1: shutil.copyfile(
                v1 / "inputs" / "students.parquet", v1 / "inputs" / "more.parquet"
            ),
            "more",
        ),
        (lambda v1: edited(v1 / "inputs" / "students.parquet", lambda f: f.head(20)), ""),
        (
            lambda v1: edited(
                v1 / "inputs" / "students.parquet", lambda f: f.with_columns(course=pl.lit("x"))
            ),
            "",
        ),
        (lambda v1: edited(v1 / "inputs" / "students.parquet", lambda f: f.drop("course")), ""),
        (lambda v1: (v1 / "inputs" / "students.parquet").write_bytes(b"PAR1"), None),
        (lambda v1: (v1 / "methodology.toml").write_text("name = 1"), ""),
        (lambda v1: (v1 / "rule.toml").write_text("name = "), ""),
        (lambda v1: (v1 / "sql" / "3_profile" / "gates.sql").write_text("SELECT FROM"), ""),
        (lambda v1: (v1 / "sql" / "3_profile" / "gates.sql").unlink(), ""),
        (
            lambda v1: replaced(
                v1 / "sql" / "3_profile" / "gates.sql", ">= threshold *", "> threshold *"
            ),
            "tables/",
        ),
    ],
)
def test_any_other_file_in_a_consistent_forgery_is_named_when_it_is_computed_again(
    store: Path, change: Callable[[Path], object], place: str | None
) -> None:
    if place is None:
        with pytest.raises(pl.exceptions.PolarsError):
            forged(store, lambda v1, _: change(v1) and None)
        return
    forged(store, lambda v1, _: change(v1) and None)
    found = named(store)
    assert place in found
    assert len(found) > 20
    assert found.split(":")[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r["national"].update(amount=1), "national.amount: the receipt says 1; "),
        (lambda r: r["checks"].update(repeated_key=1), "checks.repeated_key: the receipt says 1"),
        (lambda r: r["checks"].pop("repeated_key"), "checks.repeated_key: the receipt says None"),
        (lambda r: r.update(more=1), "more: the receipt says 1; computed again it is None"),
        (lambda r: r.pop("national"), "national: the receipt says None"),
        (lambda r: r.update(previous={"round": "2024-25"}), "previous: the receipt says"),
    ],
)
@pytest.mark.usefixtures("computed_once")
def test_a_receipt_that_says_anything_else_of_the_results_is_named(
    store: Path, change: Callable[[Json], object], says: str
) -> None:
    forged(store, lambda _, receipt: change(receipt) and None)
    assert says in named(store)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r["dates"].update(kpi_on="2025-09-01"), "tables/"),
        (lambda r: r["dates"].update(count_on="soon"), "soon"),
        (lambda r: r.pop("dates"), "'dates'"),
        (lambda r: r["rule"].update(earlier={"2020-01-01": "0"}), "rule-2020-01-01.toml"),
        (lambda r: r.update(round="2026-27"), "tables/"),
    ],
)
def test_a_receipt_that_says_anything_else_of_what_was_asked_is_named(
    store: Path, change: Callable[[Json], object], says: str
) -> None:
    forged(store, lambda _, receipt: change(receipt) and None)
    assert says in named(store)


@pytest.mark.usefixtures("computed_once")
def test_the_order_tells_of_any_forgery_however_consistent(store: Path, head: str) -> None:
    """The version of the product is in no computation."""
    forged(store, lambda _, receipt: receipt.update(product="0.1") and None)
    assert verified(store, "v1").differs is None
    assert named(store, head).startswith("journal.jsonl, line 1: its hash is ")


@pytest.fixture(scope="module")
def waived_store(published_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """v2 is published with two waivers: of two students of 912,000 each, and of one who may be."""
    store = copied(published_store, tmp_path_factory.mktemp("waived"))
    publish_draft(store, BOTH)
    return store


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"least": 1}, "waivers.1.least: the receipt says 1; computed again it is 1824000"),
        ({"most": 1}, "waivers.1.most: the receipt says 1; "),
        ({"findings": 3}, "waivers.1.findings: the receipt says 3; computed again it is 2"),
        ({"rows": 0}, "waivers.1.rows: "),
        ({"check": "not_a_date"}, "waivers.1.findings: the receipt says 2; "),
        ({"college_id": "EX-01"}, "waivers.1.findings: the receipt says 2; "),
        ({"least": None, "most": None}, "waivers.1.least: the receipt says None"),
        ({"reason": "another", "by": "x", "approved_by": "y"}, ""),
    ],
)
def test_what_a_waiver_accepts_and_moves_is_derived_again(
    waived_store: Path, change: Json, says: str
) -> None:
    """However consistent the forgery: who accepted what and why is in no computation, the order
    tells it.
    """
    version = open_round(waived_store, ROUND, "v2")
    version.receipt["waivers"][1].update(change)
    found = list(recomputation_faults(version, quiet))
    assert len(found) == bool(says)
    assert not found or found[0].startswith(says)


def test_a_waiver_of_before_there_was_a_second_name_is_verified(
    waived_store: Path, tmp_path: Path
) -> None:
    """The SQL of such a round does not tell the tenge: its findings alone are counted again."""
    store = copied(waived_store, tmp_path)
    version = open_round(store, ROUND, "v2")
    shutil.rmtree(version.path / "sql" / "7_rejected")
    files = sorted((version.path / "sql").rglob("*.sql"))
    lines = [
        f"{path.relative_to(version.path).as_posix()}"
        f" {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in files
    ]
    version.receipt["sql"]["sha256"] = hashlib.sha256("".join(lines).encode()).hexdigest()
    for held in version.receipt["waivers"]:
        for name in ("approved_by", "rows", "students", "least", "most", "below"):
            del held[name]
    assert list(recomputation_faults(version, quiet)) == []
    version.receipt["waivers"][0]["findings"] += 1
    assert next(recomputation_faults(version, quiet)).startswith("waivers.0.findings: ")


def test_a_draft_with_a_changed_byte_in_any_table_is_named_or_has_the_same_content(
    store_and_draft: Path,
) -> None:
    """No manifest stands behind a draft: what can be read differently is found, without a
    traceback.
    """
    store = store_and_draft
    folder = store / ROUND / "draft-2"
    chance = random.Random(7)
    names = [name for name in bytes_of(folder) if name.endswith(".parquet")]
    found = 0
    for name in ("inputs/students.parquet", *chance.sample(names, 2)):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2] + b"\xff" * 40)
        found += named(store, version="draft-2") != ""
        (folder / name).write_bytes(content)
    assert found == 3


# another version of the product, a full disk


@pytest.mark.usefixtures("computed_once")
def test_another_version_of_the_product_compares_contents_and_names_both(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by = product.__version__
    monkeypatch.setattr(product, "__version__", "99.1")
    done = verified(store, "v1")
    assert done.differs is None
    [note] = done.notes
    for words in (f"version {made_by}", "99.1", "contents are compared"):
        assert words in note
    forged(store, lambda v1, _: edited(v1 / "tables" / "funding.parquet", more("amount")))
    again = verified(store, "v1")
    assert again.notes == [note], "the versions are said beside what differs, too"
    assert again.differs is not None
    assert again.differs.startswith("tables/funding: row 1")


def test_a_full_disk_while_verifying_is_no_difference(published_store: Path) -> None:
    with disk_with(2_000), pytest.raises(OSError, match="File too large"):
        verified(published_store)


# the command


def kpi(*words: object) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [COMMAND, *map(str, words)],
        env={**os.environ, KEY_VARIABLE: KEY.decode()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "the product failed" not in done.stderr
    return done


def test_the_command_publishes_attaches_and_verifies_with_the_hash_that_it_printed(
    store_and_draft: Path, tmp_path: Path
) -> None:
    store = store_and_draft
    at = ("--store", store)
    (tmp_path / "waivers.toml").write_text(BOTH, encoding="utf-8")
    names = ("--by", "А. Примерова", "--approved-by", "Б. Выдуманов", "--reason", "Приказ № 18")
    done = kpi("publish", *names, "--waivers", tmp_path / "waivers.toml", *at)
    assert done.returncode == 0, done.stderr
    assert f"Published {ROUND} v2 (from draft-2), by А. Примерова, approved by" in done.stdout
    quoted = done.stdout.splitlines()[-1]
    assert quoted == read_journal(store)[-1].sha256
    (tmp_path / "order-18.sig").write_bytes(b"signed")
    done = kpi("attach", tmp_path / "order-18.sig", "--by", "А. Примерова", *at)
    assert done.returncode == 0, done.stderr
    assert f"Attached order-18.sig to {ROUND} v2." in done.stdout
    done = kpi("verify", ROUND, "--expect", quoted, *at)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[0].startswith(f"{ROUND} v2, ")
    assert done.stdout.endswith("Verified: nothing differs.\n")


def test_the_command_ends_with_1_and_names_what_differs(v1: Path) -> None:
    edited(v1 / "tables" / "funding.parquet", more("amount"))
    done = kpi("verify", f"{ROUND}/v1", "--store", v1.parent.parent)
    assert done.returncode == 1
    said = done.stdout.splitlines()[-1]
    assert said == "DIFFERS: tables/funding.parquet: the file is not the one that was published"


def test_the_command_says_why_it_does_not_publish(store_and_draft: Path) -> None:
    store = store_and_draft
    names = ("--by", "А", "--approved-by", "Б", "--reason", "№ 18")
    done = kpi("publish", *names, "--store", store)
    assert done.returncode == 1
    assert "3 errors have no waiver; nothing was published." in done.stderr
    done = kpi("publish", *(*names[:3], "а", *names[4:]), "--store", store)
    assert done.returncode == 2
    assert "Two different people" in done.stderr
