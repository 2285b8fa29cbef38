"""A round on disk: write a draft, find and open it (DESIGN §7). Only this module knows the layout.

    <store>/journal.jsonl      who published what, when, why (kpi/journal.py), and the waivers
                               that are kept until a draft is published
    <store>/<round>/draft-<n>/ a run; v<n>/ is a published one, with manifest.json (every file's
                               hash) and v<n>-signatures/ beside it
      receipt.json       the same for the same data: versions, dates, hashes and counts, sums
      sources.json       file names, raw hashes, times, library versions, id of the pseudonym key
      methodology.toml, rule.toml, rule-<start>.toml (its earlier versions), sql/, reference/
      inputs/            every row read, pseudonymised, with whether it was accepted;
                         unreadable.parquet: rows with a cell that does not fit, as text
      tables/            every table of the pipeline but those with one row a person
      findings.parquet

A draft is built in a hidden folder beside it and appears by one rename: it is complete or absent.
"""

import datetime as dt
import hashlib
import io
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from kpi.dated import load_file
from kpi.errors import CallError, phrase
from kpi.journal import Entry, read_journal
from kpi.methodology import Methodology

_MANIFEST = "manifest.json"
DRAFTS_KEPT = 2  # the newest, and the one before it for those who are reading it


@dataclass(frozen=True)
class Round:
    """One complete version of a round, opened for reading."""

    path: Path

    @property
    def version(self) -> str:
        """Its version, such as ``draft-3``."""
        return self.path.name

    @property
    def name(self) -> str:
        """Its academic year, such as ``2025-26``."""
        return self.path.parent.name

    @cached_property
    def receipt(self) -> dict[str, Any]:
        """What the round was computed from and with."""
        return dict(json.loads((self.path / "receipt.json").read_text(encoding="utf-8")))

    @cached_property
    def receipt_hash(self) -> str:
        """The SHA-256 of its receipt."""
        return hash_of(self.path / "receipt.json")

    @property
    def is_draft(self) -> bool:
        """Whether it is a draft, and no published version."""
        return self.version.startswith("draft-")

    @cached_property
    def sources(self) -> dict[str, Any]:
        """Where the input came from, and with which libraries it was computed."""
        return dict(json.loads((self.path / "sources.json").read_text(encoding="utf-8")))

    @property
    def published_draft(self) -> str | None:
        """The draft that this version was published from; None for a draft."""
        store = self.path.parent.parent
        entry = publications(store).get(self.name, {}).get(self.version)
        return str(entry.content["draft"]) if entry else None

    @property
    def count_on(self) -> dt.date:
        """The day on which students are counted."""
        return dt.date.fromisoformat(self.receipt["dates"]["count_on"])

    def has(self, table: str) -> bool:
        """Whether the round holds the table."""
        return (self.path / "tables" / f"{table}.parquet").exists()

    def table(self, table: str) -> pl.DataFrame:
        """Return a table of the round, in its stored order; read once, a round does not change."""
        if table not in self._tables:
            path = self.path / "tables" / f"{table}.parquet"
            self._tables[table] = pl.read_parquet(path, glob=False)
        return self._tables[table]

    @cached_property
    def _tables(self) -> dict[str, pl.DataFrame]:
        return {}

    def findings(self) -> pl.DataFrame:
        """Return the findings: table, file, record, college, check, column, found, expected,
        message.
        """
        return pl.read_parquet(self.path / "findings.parquet", glob=False)

    def input_files(self) -> dict[str, Path]:
        """The stored rows about people and places, by input table, and ``unreadable``."""
        return {path.stem: path for path in sorted((self.path / "inputs").glob("*.parquet"))}

    def reference(self) -> dict[str, pl.DataFrame]:
        """The reference tables that the round was computed with."""
        paths = sorted((self.path / "reference").glob("*.parquet"))
        return {path.stem: pl.read_parquet(path, glob=False) for path in paths}

    @property
    def sql(self) -> Path:
        """The SQL that the round was computed with."""
        return self.path / "sql"

    @cached_property
    def methodology(self) -> Methodology:
        """The methodology that the round was computed with."""
        return load_file(self.path / "methodology.toml", Methodology)

    def methodology_file(self) -> Path:
        """The methodology that the round was computed with, as a file."""
        return self.path / "methodology.toml"

    def rule_file(self) -> Path:
        """The rule that the round was computed with, as a file."""
        return self.path / "rule.toml"

    def earlier_rule_files(self) -> dict[str, Path]:
        """The earlier versions of the rule, by their start."""
        starts = self.receipt["rule"]["earlier"]
        return {start: self.path / f"rule-{start}.toml" for start in starts}


@contextmanager
def building(store: Path, round_id: str) -> Iterator[Path]:
    """Give a hidden folder in which a draft is built; it is gone when the block is left.

    What earlier runs on this machine left behind when they were killed is cleared first.
    """
    folder = store / round_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(folder)
        prefix = f".building-{socket.gethostname()}-{os.getpid()}-"
        built = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        built.chmod(0o755)  # as any folder; mkdtemp gives it to its owner alone
    except OSError as error:
        raise CallError(
            "The store of rounds cannot be written.",
            where=str(folder),
            found=error.strerror or str(error),
            do="Choose another folder with --store, or make this one writable.",
        ) from error
    try:
        yield built
    finally:
        shutil.rmtree(built, ignore_errors=True)


def _clear_abandoned(folder: Path) -> None:
    """Remove what processes of this machine left that no longer run."""
    ours = re.compile(rf"\.building-{re.escape(socket.gethostname())}-(\d{{1,9}})(-\w+)?")
    for left in folder.glob(".building-*"):
        named = ours.fullmatch(left.name)
        if named and not is_running(int(named[1])):
            shutil.rmtree(left, ignore_errors=True)
    for left in folder.glob(".removed-*"):
        shutil.rmtree(left, ignore_errors=True)


def is_running(process: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def finish_version(built: Path, number: int) -> Round:
    """Name a complete version ``v<number>``, by one rename."""
    return Round(built.rename(built.parent / f"v{number}"))


def copy_draft(draft: Round, built: Path, waivers: list[dict[str, Any]]) -> None:
    """Copy a draft into the folder of a version in the making; add the waivers to its receipt."""
    shutil.copytree(draft.path, built, dirs_exist_ok=True)
    write_json(built / "receipt.json", draft.receipt | {"waivers": waivers})


def write_manifest(built: Path) -> str:
    """Write every file's SHA-256 beside them, sync all to disk, return the hash of that list."""
    write_json(built / _MANIFEST, file_hashes(built))
    for path in (*_files(built), built / _MANIFEST):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    return hash_of(built / _MANIFEST)


def manifest_faults(version: Path) -> Iterator[str]:
    """Yield what differs between the files of a version and its manifest, a line a file."""
    listed: dict[str, str] = json.loads((version / _MANIFEST).read_text(encoding="utf-8"))
    there = file_hashes(version)
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            yield f"{name}: the file is missing"
        elif name not in listed:
            yield f"{name}: this file was not there when the version was published"
        elif listed[name] != there[name]:
            yield f"{name}: the file is not the one that was published"


def manifest_hash(version: Path) -> str:
    """Return the SHA-256 of a version's manifest."""
    return hash_of(version / _MANIFEST)


def published_faults(version: Round) -> Iterator[str]:
    """Yield what differs between the files of a published version and what the journal names."""
    content = publications(version.path.parent.parent)[version.name][version.version].content
    for name in (_MANIFEST, "receipt.json"):
        if content.get(f"{Path(name).stem}_sha256") != hash_of(version.path / name):
            yield f"{name}: the file is not the one that the journal names"
    yield from manifest_faults(version.path)


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder but its manifest, by name."""
    return {path.relative_to(folder).as_posix(): hash_of(path) for path in _files(folder)}


def _files(folder: Path) -> list[Path]:
    there = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return [path for path in there if path != folder / _MANIFEST]


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def attach_file(version: Path, file: Path) -> Path:
    """Copy a detached signature beside a version (which never changes) and return the copy."""
    folder = _signatures(version)
    folder.mkdir(exist_ok=True)
    aside = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        shutil.copyfile(file, aside)
        return aside.rename(folder / file.name)
    finally:
        aside.unlink(missing_ok=True)


def attached_files(version: Path) -> dict[str, Path]:
    """Return the files attached to a version, by name."""
    return {path.name: path for path in _signatures(version).glob("*")}


def _signatures(version: Path) -> Path:
    return version.with_name(f"{version.name}-signatures")


def finish_draft(built: Path) -> Round:
    """Name a complete draft: the next number, by one rename. Of the older ones, one stays."""
    folder = built.parent
    number = max([_number(path) for path in drafts(folder)], default=0) + 1
    while True:
        try:
            final = built.rename(folder / f"draft-{number}")
            break
        except OSError:
            if not (folder / f"draft-{number}").exists():
                raise
            number += 1  # another run was faster
    for old in drafts(folder)[:-DRAFTS_KEPT]:
        gone = old.rename(folder / f".removed-{old.name}-{os.getpid()}")
        shutil.rmtree(gone, ignore_errors=True)
    return Round(final)


def drafts(folder: Path) -> list[Path]:
    """Return the drafts in a round's folder, oldest first."""
    return sorted((p for p in folder.glob("draft-*") if p.is_dir() and _number(p)), key=_number)


def _number(path: Path) -> int:
    """A draft's number; 0 for a folder that somebody else made."""
    named = re.fullmatch(r"draft-([1-9][0-9]{0,8})", path.name)
    return int(named[1]) if named else 0


def publications(store: Path) -> dict[str, dict[str, Entry]]:
    """Return the journal's line for each published version, by round and version, oldest first.

    A version is published when the journal says so; a folder alone is none.
    """
    found: dict[str, dict[str, Entry]] = {}
    for entry in read_journal(store):
        if entry.content.get("action") == "publish":
            round_id, version = (str(entry.content.get(key)) for key in ("round", "version"))
            found.setdefault(round_id, {})[version] = entry
    return found


def attachments(store: Path, version: Round) -> dict[str, str]:
    """Return the SHA-256 of each file that the journal says was attached to a version, by name."""
    found = {}
    for entry in read_journal(store):
        said = entry.content
        of = (said.get("action"), said.get("round"), said.get("version"))
        if of == ("attach", version.name, version.version):
            found[str(said.get("file"))] = str(said.get("sha256"))
    return found


def kept_waivers(store: Path, round_id: str) -> list[Entry]:
    """Return the journal's lines of the waivers that are kept for a round, oldest first: those that
    no later line withdraws. They belong to no draft, and are kept when another is run.
    """
    kept: dict[int, Entry] = {}
    for entry in read_journal(store):
        said = entry.content
        if said.get("round") != round_id:
            continue
        if said.get("action") == "waive":
            kept[entry.number] = entry
        elif said.get("action") == "withdraw":
            kept.pop(int(said["line"]), None)
    return list(kept.values())


def unpublished(store: Path, round_id: str) -> list[str]:
    """Return the folders of a round that are named as versions and of which the journal has no
    line: a publication was interrupted, or the journal lost its end.
    """
    listed = publications(store).get(round_id, {})
    there = sorted(path.name for path in (store / round_id).glob("v*") if path.is_dir())
    return [name for name in there if re.fullmatch(r"v[1-9][0-9]*", name) and name not in listed]


def published(store: Path, round_id: str) -> Round | None:
    """Return the newest published version of a round, or None."""
    names = list(publications(store).get(round_id, {}))
    return Round(store / round_id / names[-1]) if names else None


def exists(store: Path, round_id: str) -> bool:
    """Whether the store has a published version or a draft of the round."""
    return bool(drafts(store / round_id)) or published(store, round_id) is not None


def open_round(store: Path, round_id: str | None = None, version: str | None = None) -> Round:
    """Return a version of a round, by default of the latest round in the store.

    ``version`` is a name such as ``v1`` or ``draft-3``, or ``draft`` for the newest draft; without
    it the newest published version is opened and, where none is, the newest draft. ``round_id`` may
    name the version too: ``2025-26/v1``. Raises CallError when the store has no such round or
    version.
    """
    if round_id and "/" in round_id:
        round_id, version = round_id.split("/", 1)
    folders = sorted(store.glob("*")) if store.is_dir() else []
    released = publications(store)
    known = [path.name for path in folders if path.name in released or drafts(path)]
    chosen = round_id or (known[-1] if known else None)
    if chosen not in known and chosen not in released:  # one that is gone is for verify to name
        raise CallError(
            "There is no such round in the store." if chosen else "The store holds no round.",
            where=str(store),
            found=(chosen or "") + (_NO_LINE if chosen and unpublished(store, chosen) else ""),
            expected=phrase("one of {names}", names=", ".join(known)) if known else "",
            do="Run one with `kpi run INPUT --round 2025-26`, or name the store with --store.",
        )
    there = [path.name for path in drafts(store / chosen)]
    newest = there[-1:]
    there += released.get(chosen, {})
    wanted = {None: there[-1:], "draft": newest}.get(version, [n for n in there if n == version])
    if not wanted:
        raise CallError(
            "The round has no such version.",
            where=str(store / chosen),
            found=str(version) + (_NO_LINE if version in unpublished(store, chosen) else ""),
            expected=phrase("one of {names}", names=", ".join(there)),
        )
    return Round(store / str(chosen) / wanted[0])


_NO_LINE = ": there is such a folder, but no line of the journal says that it was published"


def write_tables(
    con: duckdb.DuckDBPyConnection, built: Path, part: str, selects: Mapping[str, tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """Write one part of a draft (``inputs``, ``reference`` or ``tables``) to Parquet.

    ``selects`` has, by table, a SELECT and the total order of its rows. Returns each table's
    content; one table is hashed while the next is written.
    """
    folder = built / part
    folder.mkdir()
    with ThreadPoolExecutor(max_workers=1) as hashing:
        contents = {}
        for name, (select, order) in selects.items():
            path = folder / f"{name}.parquet"
            target = str(path).replace("'", "''")
            try:
                con.execute(
                    f"COPY ({select} ORDER BY {order}) TO '{target}'"
                    " (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
                )
            except duckdb.IOException as error:  # such as a full disk
                raise OSError(str(error)) from error
            contents[name] = hashing.submit(content_of, path)
        return {name: content.result() for name, content in contents.items()}


def write_findings(built: Path, findings: pl.DataFrame) -> dict[str, Any]:
    """Write the findings; their content leaves out files and records, which are no content."""
    findings.write_parquet(built / "findings.parquet")
    return findings_content(built)


def findings_content(version: Path) -> dict[str, Any]:
    """Return the content of a version's findings, but for files and records."""
    return content_of(version / "findings.parquet", without=["file", "record"])


def content_of(path: Path, without: list[str] | None = None) -> dict[str, Any]:
    """Return ``rows`` and ``sha256`` of a stored table.

    The hash is that of the rows as CSV in their stored order: header first, comma, LF, text always
    quoted, empty cells empty. It does not depend on how Parquet packs them.
    """
    frame = pl.scan_parquet(path, glob=False).drop(without or [])
    digest = hashlib.sha256(",".join(frame.collect_schema().names()).encode() + b"\n")
    rows = 0
    for batch in frame.collect_batches(chunk_size=100_000):
        text = io.BytesIO()
        _without_lists(batch).write_csv(text, include_header=False, quote_style="non_numeric")
        digest.update(text.getbuffer())
        rows += batch.height
    return {"rows": rows, "sha256": digest.hexdigest()}


def _without_lists(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.List(pl.String)).list.join(" "))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON that is the same for the same content."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def write_documents(built: Path, receipt: dict[str, Any], sources: dict[str, Any]) -> None:
    """Write the receipt and the sources of a draft."""
    write_json(built / "receipt.json", receipt)
    write_json(built / "sources.json", sources)


def freeze_sql(sql: Path, built: Path) -> str:
    """Copy the SQL into the draft and return the hash of all its files."""
    shutil.copytree(sql, built / "sql")
    digest = hashlib.sha256()
    for path in sorted((built / "sql").rglob("*.sql")):
        name = path.relative_to(built).as_posix()
        digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def freeze_methodology(built: Path, path: Path) -> str:
    """Copy the methodology into the draft and return its hash."""
    return _freeze(path, built / "methodology.toml")


def freeze_rules(
    built: Path, path: Path, earlier: Mapping[str, Path]
) -> tuple[str, dict[str, str]]:
    """Copy the rule in force and its earlier versions (by start) and return their hashes."""
    older = {start: _freeze(old, built / f"rule-{start}.toml") for start, old in earlier.items()}
    return _freeze(path, built / "rule.toml"), older


def _freeze(source: Path, target: Path) -> str:
    shutil.copyfile(source, target)
    return hashlib.sha256(target.read_bytes()).hexdigest()
