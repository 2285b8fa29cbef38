"""Check uploaded files, of which nothing is kept, or compute a draft from them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from funding.run import Plan, check_inputs, plan_round, run_round
from kpi.errors import CallError, DataError
from kpi.intake import Report
from kpi.language import mark
from kpi.layouts import Given
from kpi.pseudonyms import read_key
from kpi.uploads import Upload, held


@dataclass(frozen=True)
class Order:
    """What files are checked or computed against: round id, names of methodology and rule; and the
    college of the files that name none.
    """

    round_id: str
    methodology: str
    rule: str
    college: str | None = None

    @property
    def given(self) -> Given:
        """What the files leave open."""
        return Given(college=self.college)


@dataclass(frozen=True)
class Fitness:
    """What is known of an input: its findings and its rows read, clean and rejected.

    ``order`` is what files were checked against, ``draft`` the version that was computed from
    them; ``left_out`` the columns of each file that its table does not have.
    """

    findings: pl.DataFrame
    counts: pl.DataFrame
    order: Order | None = None
    files: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)
    draft: str | None = None


def check_uploads(
    uploads: Sequence[Upload], most_bytes: int, order: Order, store: Path, report: Report
) -> Fitness:
    """Read and check the files; nothing is kept. Raises CallError or DataError."""

    def check(folder: Path, plan: Plan, key: bytes) -> Fitness:
        intake, findings, counts = check_inputs(folder, plan, key, report, order.given)
        return Fitness(findings, counts, order, len(uploads), intake.left_out)

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
        )

    return _with_files(uploads, most_bytes, order, store, run)


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
