"""Input files → typed tables and findings (DESIGN §4, §9).

The way of a file: gathered → opened as tables of text (kpi/reading) → recognised as rows of a table
of the contract (kpi/layouts) → judged cell by cell and stored (kpi/store.py). Checks across rows
and tables come later, as SQL over ``raw_`` (kpi/pipeline.py).
"""

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from kpi.college_names import CONFIRMED, Names, Unmatched, confirmed_of, is_confirmation
from kpi.contract import TableContract
from kpi.errors import DataError, all_of
from kpi.layouts import Given, RegisterNeeded, TableRows, knows, plain, recognise
from kpi.layouts import manifest as manifests
from kpi.layouts.contingent import headers_of
from kpi.layouts.rows import FileColumn, InBulk
from kpi.reading.gather import gather
from kpi.reading.marked import is_notes
from kpi.reading.opening import open_file
from kpi.reading.table import InputFile, TextTable, first_line, refuse
from kpi.store import OfFile, Store, create_tables, enter_sources, make_read_views, read_register
from kpi.tables import TABLES

SCRATCH = "college-kpi-reading-"
"""How the temporary folder begins that holds what is unpacked and recoded: with people in it."""

_WORKERS = 2
_SMALL = 1 << 22
_AHEAD = 1 << 27
"""Bytes: small files, so many of them at once, are opened while others are stored."""
_TEXT, _UNPACKED = (".csv", ".tsv", ".txt"), 16

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass
class Intake:
    """What was read: for ``sources.json`` and for the user."""

    files: list[dict[str, Any]] = field(default_factory=list)
    """Per table read: file, table, layout, what was detected, sha256, bytes, rows."""
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """The columns of each file that its table does not have."""
    headers: dict[str, Mapping[str, FileColumn]] = field(default_factory=dict)
    """What each file calls the columns of its table, by the file's name."""
    used: Given = field(default_factory=Given)
    """All that the files were read with: what was given, and what was found on the way."""
    unmatched: list[Unmatched] = field(default_factory=list)
    """Names of colleges that files have and the register has not, or more than once."""


def intake_of(sources: Mapping[str, Any]) -> Intake:
    """Return what a round's ``sources.json`` keeps of its intake."""
    kept = {name: sources[name] for name in ("files", "unread", "notes", "left_out")}
    return Intake(**kept, headers=headers_of(sources["files"]))


def read_inputs(
    con: duckdb.DuckDBPyConnection,
    inputs: Path | Sequence[Path],
    key: bytes,
    report: Report,
    given: Given | None = None,
) -> Intake:
    """Read every table of folders, archives and files into the working database ``con``.

    Makes ``raw_<table>`` for each table of the contract (empty where no file was given),
    ``unreadable``, ``cell_findings`` and ``source_files``. ``given`` says what files leave open.
    Raises CallError when an input does not exist, DataError when a file as a whole cannot be read
    (all such files are named).
    """
    create_tables(con)
    with TemporaryDirectory(prefix=SCRATCH) as scratch:
        reading = _Reading(con, key, report, given or Given(), Path(scratch))
        reading.read([inputs] if isinstance(inputs, Path) else list(inputs))
    if reading.errors:
        raise all_of(reading.errors)
    make_read_views(con)
    return reading.intake


@dataclass(frozen=True)
class _Opened:
    """A file that was opened: what its tables are, and the names of those that are none."""

    sha256: str
    confirmations: list[TextTable]
    found: list[tuple[TextTable, TableRows]]
    unread: list[str]


def _open(file: InputFile, given: Given, scratch: Path) -> _Opened:
    """Open a file and recognise its tables; the rows of a small one are read at once.

    Raises DataError, RegisterNeeded.
    """
    digest, tables = open_file(file, knows, scratch)
    confirmations = [table for table in tables if is_confirmation(table)]
    others = [one for one in tables if not is_confirmation(one) and not is_notes(one.header)]
    recognised = [(table, recognise(table, given)) for table in others]
    found = [(table, rows) for table, rows in recognised if rows is not None]
    if file.size <= _SMALL:
        found = [(table, _read_ahead(rows)) for table, rows in found]
    unread = [table.name for table, rows in recognised if rows is None]
    return _Opened(digest, confirmations, found, unread if tables else [file.name])


def _read_ahead(rows: TableRows) -> TableRows:
    """Return the rows of a small file in bulk with their batches in memory."""
    if rows.in_bulk is None:
        return rows
    try:
        batches = list(rows.in_bulk.batches())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return rows  # whoever reads it then says what is wrong
    return replace(rows, in_bulk=InBulk(lambda: iter(batches), rows.in_bulk.cells))


def _weight(file: InputFile) -> int:
    """Return how many bytes an opened file takes, roughly: what is no text unpacks to many."""
    return file.size * (1 if file.path.suffix.lower() in _TEXT else _UNPACKED)


_Opening = Generator[tuple[InputFile, Callable[[], _Opened]], None, None]


class _Reading:
    """One reading of an input: what it is done with, and what came of it so far."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        key: bytes,
        report: Report,
        given: Given,
        scratch: Path,
    ) -> None:
        self.con = con
        self.report = report
        self.given = given
        self.scratch = scratch
        self.intake = Intake()
        self.errors: list[DataError] = []
        self.sources: list[tuple[int, str, str]] = []
        self.confirmed: dict[tuple[str, str | None], str] = {}
        self.stores = {name: Store(con, TableContract(name), key) for name in TABLES}

    def read(self, inputs: list[Path]) -> None:
        """Read all files, each once: those whose layout must know the colleges last."""
        gathered = gather(inputs, self.scratch / "unpacked")
        self.errors += gathered.errors
        self.intake.unread += gathered.unread
        files = [file for file in gathered.files if not manifests.is_manifest(file)]
        lines = self._read_manifests(gathered.files)
        total = sum(file.size for file in files)
        later = self._read_files(files, 0, total)
        register = self._register()
        names = Names(register, self.confirmed)
        self.given = replace(self.given, register=register, names=names)
        self._read_files(later, total - sum(file.size for file in later), total)
        self.errors += manifests.unknown_colleges(lines, register)
        self.intake.unmatched = list(names.unmatched.values())
        for store in self.stores.values():
            store.flush()
        enter_sources(self.con, self.sources)
        self.report("reading", total, total)
        self.intake.used = self.given
        self.intake.given = sorted({entry["table"] for entry in self.intake.files} & {*TABLES})

    def _read_files(self, files: list[InputFile], done: int, total: int) -> list[InputFile]:
        """Read files, and return those that wait for the register; ``done`` bytes were read."""
        later = []
        with closing(self._opened(files)) as opening:
            for file, opened in opening:
                told = partial(self._tell, file, done, total)
                told(0.0)
                try:
                    self._read_file(file, opened(), told)
                except RegisterNeeded:
                    later.append(file)
                    continue
                except DataError as error:
                    self.errors.append(error)
                done += file.size
        return later

    def _opened(self, files: list[InputFile]) -> _Opening:
        """Yield each file with what opens it: of small files the next ones are opened meanwhile."""
        opens = partial(_open, given=self.given, scratch=self.scratch)
        with ThreadPoolExecutor(_WORKERS) as pool:
            ahead: deque[tuple[InputFile, Callable[[], _Opened]]] = deque()
            try:
                for file in files:
                    is_small = file.size <= _SMALL
                    ahead.append(
                        (
                            file,
                            pool.submit(opens, file).result if is_small else partial(opens, file),
                        )
                    )
                    while sum(_weight(file) for file, _ in ahead) > _AHEAD:
                        yield ahead.popleft()
                while ahead:
                    yield ahead.popleft()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _read_manifests(self, files: list[InputFile]) -> list[manifests.Line]:
        """Read which files are of which colleges."""
        lines: list[manifests.Line] = []
        for file in filter(manifests.is_manifest, files):
            try:
                lines += manifests.read_manifest(file, self.scratch)
            except DataError as error:
                self.errors.append(error)
        self.errors += manifests.faults_of(lines, files)
        listed = {line.file: line.college for line in lines}
        self.given = replace(self.given, colleges={**self.given.colleges, **listed})
        return lines

    def _register(self) -> pl.DataFrame:
        """Return the colleges read so far."""
        self.stores["colleges"].flush()
        return read_register(self.con)

    def _tell(self, file: InputFile, done: int, total: int, part: float) -> None:
        """Say how far it is: the bytes of the files read, and a part (0..1) of this one's."""
        self.report(f"reading {file.name}", done + int(file.size * part), total)

    def _read_file(self, file: InputFile, opened: _Opened, told: Callable[[float], None]) -> None:
        self.intake.unread += opened.unread
        for table in opened.confirmations:
            self._confirm(table, opened.sha256)
        for table, rows in opened.found:
            self._read_table(table, rows, opened.sha256, told)

    def _confirm(self, table: TextTable, digest: str) -> None:
        """Take the names of colleges that a human confirmed."""
        before = len(self.confirmed)
        self.confirmed |= confirmed_of(table, self.confirmed)
        form = {"layout": plain.NAME, **table.form}
        self._enter(table, CONFIRMED, digest, len(self.confirmed) - before, form)

    def _read_table(
        self, table: TextTable, rows: TableRows, digest: str, told: Callable[[float], None]
    ) -> None:
        """Store the rows of one table; ``told`` is called after each batch: whoever watches may
        cancel there.
        """
        store = self.stores[rows.table]
        of_file = OfFile(len(self.intake.files), len(table.header), table.is_damaged)
        count = 0
        try:
            bulk = rows.in_bulk
            for batch in bulk.batches() if bulk else rows.batches():
                store.add(batch, of_file, bulk.cells if bulk else None)
                count += batch.height
                told(min(count / table.rows, 1.0))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise refuse(
                table.file,
                "The file cannot be read as a table.",
                found=first_line(error),
                do="Export the file again.",
            ) from error
        self.sources.append((of_file.file_no, rows.table, table.name))
        self.intake.headers[table.name] = rows.headers
        self.intake.notes += [note for note in rows.notes if note not in self.intake.notes]
        if rows.left_out:
            self.intake.left_out[table.name] = rows.left_out
        form = {"layout": rows.layout, **table.form, **rows.form}
        self._enter(table, rows.table, digest, count, form)

    def _enter(
        self, table: TextTable, name: str, digest: str, rows: int, form: Mapping[str, Any]
    ) -> None:
        """Write down what was read from a file, and as what."""
        self.intake.files.append(
            {
                "table": name,
                "file": table.name,
                **form,
                "header_record": table.header_record,
                "sha256": digest,
                "bytes": table.file.size,
                "rows": rows,
            }
        )
