"""A round on disk: write a draft, find and open it (DESIGN §7). Only this module knows the layout.

    <store>/<round>/draft-<n>/
      receipt.json       the same for the same data: versions, dates, hashes and counts, sums
      sources.json       file names, raw hashes, times, library versions, id of the pseudonym key
      methodology.toml, rule.toml, rule-<start>.toml (its earlier versions), sql/, reference/
      inputs/            every row read, pseudonymised, with whether it was accepted;
                         unreadable.parquet: rows with a cell that does not fit, as text
      tables/            every table of the pipeline but those with one row a person
      findings.parquet

A draft is built in a hidden folder beside it and appears by one rename: it is complete or absent.
"""

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
from kpi.errors import CallError
from kpi.methodology import Methodology

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
        return hashlib.sha256((self.path / "receipt.json").read_bytes()).hexdigest()

    @cached_property
    def sources(self) -> dict[str, Any]:
        """Where the input came from, and with which libraries it was computed."""
        return dict(json.loads((self.path / "sources.json").read_text(encoding="utf-8")))

    def has(self, table: str) -> bool:
        """Whether the round holds the table."""
        return (self.path / "tables" / f"{table}.parquet").exists()

    def table(self, table: str) -> pl.DataFrame:
        """Return a table of the round, in its stored order."""
        return pl.read_parquet(self.path / "tables" / f"{table}.parquet", glob=False)

    def reference(self, table: str) -> pl.DataFrame:
        """Return a reference table as the round used it: regions, specialties, clusters, ..."""
        return pl.read_parquet(self.path / "reference" / f"{table}.parquet", glob=False)

    def findings(self) -> pl.DataFrame:
        """Return the findings: table, file, record, college, check, column, found, expected,
        message.
        """
        return pl.read_parquet(self.path / "findings.parquet", glob=False)

    @cached_property
    def methodology(self) -> Methodology:
        """The methodology that the round was computed with."""
        return load_file(self.path / "methodology.toml", Methodology)

    def rule_file(self) -> Path:
        """The rule that the round was computed with."""
        return self.path / "rule.toml"


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
        if named and not _runs(int(named[1])):
            shutil.rmtree(left, ignore_errors=True)
    for left in folder.glob(".removed-*"):
        shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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
    return _numbered(folder, "draft-")


def versions(folder: Path) -> list[Path]:
    """Return the published versions in a round's folder, oldest first."""
    return _numbered(folder, "v")


def _numbered(folder: Path, prefix: str) -> list[Path]:
    found = (p for p in folder.glob(f"{prefix}*") if p.is_dir() and _number(p))
    return sorted(found, key=_number)


def _number(path: Path) -> int:
    """The number of a draft or version; 0 for a folder that somebody else made."""
    named = re.fullmatch(r"(draft-|v)([1-9][0-9]{0,8})", path.name)
    return int(named[2]) if named else 0


def published(store: Path, round_id: str) -> Round | None:
    """Return the newest published version of a round, or None."""
    found = versions(store / round_id)
    return Round(found[-1]) if found else None


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
    known = [path.name for path in folders if versions(path) or drafts(path)]
    chosen = round_id or (known[-1] if known else None)
    if chosen not in known:
        raise CallError(
            "There is no such round in the store." if chosen else "The store holds no round.",
            where=str(store),
            found=chosen or "",
            expected="one of " + ", ".join(known) if known else "",
            do="Run one with `kpi run INPUT --round 2025-26`, or name the store with --store.",
        )
    there = drafts(store / chosen) + versions(store / chosen)
    wanted = drafts(store / chosen)[-1:] if version == "draft" else there
    if version not in (None, "draft"):
        wanted = [path for path in there if path.name == version]
    if not wanted:
        raise CallError(
            "The round has no such version.",
            where=str(store / chosen),
            found=str(version),
            expected="one of " + ", ".join(path.name for path in there),
        )
    return Round(wanted[-1])


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
            con.execute(
                f"COPY ({select} ORDER BY {order}) TO '{target}'"
                " (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
            )
            contents[name] = hashing.submit(content_of, path)
        return {name: content.result() for name, content in contents.items()}


def write_findings(built: Path, findings: pl.DataFrame) -> dict[str, Any]:
    """Write the findings; their content leaves out files and records, which are no content."""
    findings.write_parquet(built / "findings.parquet")
    return content_of(built / "findings.parquet", without=["file", "record"])


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
