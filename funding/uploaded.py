"""Check uploaded files, of which nothing is kept, or compute a draft from them."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from funding.run import Plan, check_inputs, plan_round, run_round
from kpi.errors import CallError, DataError
from kpi.export import zipped
from kpi.intake import Intake, Report, intake_of
from kpi.language import mark
from kpi.layouts import Given
from kpi.pseudonyms import read_key
from kpi.uploads import MB, Upload, held
from kpi.workbooks import Checked, write_workbooks

MOST_KEPT = 100 * MB
"""Bytes of marked-up workbooks that a session keeps in the server's memory."""


@dataclass(frozen=True)
class Order:
    """What files are checked or computed against: round id, names of methodology and rule; the
    college of the files that name none; whether marked-up workbooks are made, in which language.
    """

    round_id: str
    methodology: str
    rule: str
    college: str | None = None
    marks_up: bool = False
    language: str | None = None
    only: str | None = None
    """The college whose marked-up workbook alone is made."""

    @property
    def given(self) -> Given:
        """What the files leave open."""
        return Given(college=self.college)


@dataclass(frozen=True)
class Fitness:
    """What is known of an input: its findings and its rows read, clean and rejected.

    ``order`` is what files were checked against, ``draft`` the version that was computed from
    them; ``intake`` what was read; ``workbooks`` the marked-up workbooks as a ZIP: raw rows, for
    who uploaded them.
    """

    findings: pl.DataFrame
    counts: pl.DataFrame
    order: Order | None = None
    files: int = 0
    draft: str | None = None
    intake: Intake = field(default_factory=Intake)
    workbooks: bytes | None = field(default=None, repr=False)


def check_uploads(
    uploads: Sequence[Upload], most_bytes: int, order: Order, store: Path, report: Report
) -> Fitness:
    """Read and check the files; nothing is kept but what is returned. Raises CallError or
    DataError.
    """

    def check(folder: Path, plan: Plan, key: bytes) -> Fitness:
        intake, findings, counts = check_inputs(folder, plan, key, report, order.given)
        checked = Checked([folder], intake, findings, counts)
        return Fitness(
            findings,
            counts,
            order,
            len(uploads),
            intake=intake,
            workbooks=_packed(checked, order, folder, report) if order.marks_up else None,
        )

    return _with_files(uploads, most_bytes, order, store, check)


def run_uploads(
    uploads: Sequence[Upload], most_bytes: int, order: Order, store: Path, by: str, report: Report
) -> Fitness:
    """Compute a round from the files and keep it as the newest draft; ``by`` uploaded them.

    Raises CallError or DataError.
    """

    def run(folder: Path, plan: Plan, key: bytes) -> Fitness:
        draft = run_round(folder, store, plan, key, report, f"uploaded by {by}", order.given)
        return Fitness(
            draft.findings(),
            draft.table("row_counts"),
            order,
            len(uploads),
            draft=f"{draft.name}/{draft.version}",
            intake=intake_of(draft.sources),
        )

    return _with_files(uploads, most_bytes, order, store, run)


def _packed(checked: Checked, order: Order, folder: Path, report: Report) -> bytes | None:
    """Return the marked-up workbooks as one ZIP; None where there are none, or they are too large
    to be kept in memory. They are gone from the disk with the upload.
    """
    if checked.findings.is_empty():
        return None
    to = folder.with_name(f"{folder.name}_marked")  # cleared as an upload
    try:
        made = write_workbooks(checked, to, order.language, report, order.only)
        if not made or sum(path.stat().st_size for path in made) > MOST_KEPT:
            return None
        return zipped(made, to / "workbooks.zip").read_bytes()
    finally:
        shutil.rmtree(to, ignore_errors=True)


def _with_files(
    uploads: Sequence[Upload],
    most_bytes: int,
    order: Order,
    store: Path,
    do: Callable[[Path, Plan, bytes], Fitness],
) -> Fitness:
    plan = plan_round(order.round_id, order.methodology, order.rule, store=store)
    key = read_key(None)
    with _told(), held(uploads, most_bytes) as folder:
        return do(folder, plan, key)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what reading a hostile or damaged file may raise into an error that a user reads."""
    try:
        yield
    except (duckdb.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(
            mark("The files cannot be read or computed; nothing was kept."),
            found=type(error).__name__,
            do=mark("Export them again; if it stays so, report it to the operator."),
        ) from error
    except OSError as error:
        raise CallError(
            mark("The server could not write a file; nothing was kept."),
            found=error.strerror or type(error).__name__,
            do=mark("Try again later, or tell the operator."),
        ) from error
