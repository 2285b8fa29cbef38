"""The command line: ``kpi sample | check | run | rank | explain | export | publish | attach |
verify`` (DESIGN §8).

Exit codes: 0 done, 1 the data is wrong (findings counted and written), 2 the call is wrong. Heavy
imports stay inside the commands that need them, so that ``--help`` answers at once.
"""

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi.errors import CallError

if TYPE_CHECKING:
    from kpi.rounds import Round

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Rank vocational colleges, compute their KPIs and apply the funding rule.",
)

Store = Annotated[Path, typer.Option("--store", help="Folder of rounds.")]
RoundId = Annotated[str, typer.Option("--round", help="Academic year, such as 2025-26.")]
WhichRound = Annotated[
    str | None, typer.Option("--round", help="Academic year; by default the latest in the store.")
]
MethodologyName = Annotated[str, typer.Option("--methodology", help="Name, or path of a .toml.")]
RuleName = Annotated[str, typer.Option("--rule", help="Name, or path of a .toml.")]
Day = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"])]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="Key for pseudonyms; KPI_PSEUDONYM_KEY wins.")
]


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write the input files.")],
    colleges: Annotated[int, typer.Option(min=30, help="Active colleges.")] = 772,
    students: Annotated[int, typer.Option(min=2_000, help="Students counted.")] = 556_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    defects: Annotated[
        bool, typer.Option("--defects", help="Plant wrong rows, listed in defects.csv.")
    ] = False,
) -> None:
    """Write a synthetic national round, calibrated to published figures."""
    from kpi.sample import write_sample

    try:
        paths = write_sample(
            folder, colleges=colleges, students=students, seed=seed, defects=defects
        )
    except ValueError as error:
        raise CallError("The sample cannot be made of this size.", found=str(error)) from error
    for path in paths:
        typer.echo(f"{path}  {path.stat().st_size / 1e6:,.1f} MB")
    typer.echo("Synthetic data: no college and no person in it exists.")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder with the input files.")],
    round_id: WhichRound = None,
    methodology: MethodologyName = "kpi",
    rule: RuleName = "threshold",
    to: Annotated[Path, typer.Option("--to", help="Where to write the findings.")] = Path(
        "findings.csv"
    ),
    key_file: KeyFile = None,
) -> None:
    """Read and check input files; compute nothing. Findings go to a CSV file."""
    from funding.run import check_folder, plan_round
    from kpi.export import write_csv
    from kpi.pseudonyms import read_key
    from kpi.summary import print_findings

    plan = plan_round(round_id or _round_of(dt.date.today()), methodology, rule)
    with _progress() as report:
        intake, findings, counts = check_folder(folder, plan, read_key(key_file), report)
    write_csv(findings, to)
    typer.echo(f"Checked for the round {plan.round_id}, counted on {plan.dates['count_on']}.")
    has_errors = print_findings(findings, counts, intake.notes, intake.unread, to)
    raise typer.Exit(1 if has_errors else 0)


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(help="Folder with the input files.")],
    round_id: RoundId,
    methodology: MethodologyName = "kpi",
    rule: RuleName = "threshold",
    store: Store = Path("rounds"),
    count_on: Day = None,
    kpi_on: Day = None,
    observed_on: Day = None,
    key_file: KeyFile = None,
) -> None:
    """Compute a round: KPIs, scores, ranks, leagues and funding. Keeps it as a draft."""
    from funding.run import plan_round, run_round
    from kpi.pseudonyms import read_key
    from kpi.summary import print_findings, print_round

    given = {"count_on": count_on, "kpi_on": kpi_on, "observed_on": observed_on}
    days = {name: day.date() if day else None for name, day in given.items()}
    plan = plan_round(round_id, methodology, rule, days, store)
    with _progress() as report:
        draft = run_round(folder, store, plan, read_key(key_file), report)
    print_round(draft)
    has_errors = print_findings(
        draft.findings(),
        draft.table("row_counts"),
        draft.sources["notes"],
        draft.sources["unread"],
        draft.path / "findings.parquet",
    )
    raise typer.Exit(1 if has_errors else 0)


@app.command()
def rank(
    round_id: WhichRound = None,
    store: Store = Path("rounds"),
    region: Annotated[str | None, typer.Option(help="Region code, such as KZ-35.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Cluster code, such as mining.")] = None,
    league: Annotated[int | None, typer.Option(help="League, 1 to 4.")] = None,
    top: Annotated[int, typer.Option(min=0, help="How many rows; 0 for all.")] = 25,
    specialties: Annotated[
        bool, typer.Option("--specialties", help="The specialties that an assessment gives points.")
    ] = False,
) -> None:
    """Show the ranking of a round, and the colleges that are not ranked with the reason."""
    from kpi.summary import print_ranking, print_specialties

    of_round = _open(store, round_id)
    if specialties:
        print_specialties(of_round, top)
    else:
        print_ranking(of_round, region=region, cluster=cluster, league=league, top=top)


@app.command()
def explain(
    college: Annotated[str, typer.Argument(help="College id, or a part of its name.")],
    round_id: WhichRound = None,
    store: Store = Path("rounds"),
) -> None:
    """Explain one college: from its students and graduates to its tenge, step by step."""
    from funding.explain import explain_college

    for step in explain_college(_open(store, round_id), college):
        typer.echo(step.text())
        typer.echo()


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")],
    round_id: WhichRound = None,
    store: Store = Path("rounds"),
) -> None:
    """Write the tables of a round as CSV files and one XLSX workbook."""
    from kpi.export import export_round

    for path in export_round(_open(store, round_id), to):
        typer.echo(str(path))


@app.command()
def publish(
    by: Annotated[str, typer.Option("--by", help="Who publishes.")],
    approved_by: Annotated[str, typer.Option("--approved-by", help="Who approves: another one.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, such as the order's number.")],
    round_id: WhichRound = None,
    store: Store = Path("rounds"),
    waivers: Annotated[
        Path | None, typer.Option("--waivers", help="A .toml of findings that are accepted.")
    ] = None,
) -> None:
    """Publish the newest draft as the next version, which never changes again."""
    from funding.publish import publish as publish_draft

    with _progress() as report:
        entry = publish_draft(
            store,
            round_id,
            by=by,
            approved_by=approved_by,
            reason=reason,
            waivers=waivers,
            report=report,
        )
    said = entry.content
    typer.echo(
        f"Published {said['round']} {said['version']} (from {said['draft']}), by {said['by']},"
        f" approved by {said['approved_by']}: {said['reason']}"
    )
    typer.echo("Head of the journal, to be quoted in the signed order:")
    typer.echo(entry.sha256)


@app.command()
def attach(
    file: Annotated[Path, typer.Argument(help="A detached signature file.")],
    by: Annotated[str, typer.Option("--by", help="Who attaches it.")],
    round_id: WhichRound = None,
    store: Store = Path("rounds"),
) -> None:
    """Attach a signature file to the newest published version of a round."""
    from funding.publish import attach as attach_signature

    entry = attach_signature(store, round_id, file, by)
    said = entry.content
    typer.echo(f"Attached {said['file']} to {said['round']} {said['version']}.")
    typer.echo(f"Head of the journal: {entry.sha256}")


@app.command()
def verify(
    round_id: Annotated[
        str | None, typer.Argument(help="Round such as 2025-26, or version 2025-26/v1.")
    ] = None,
    store: Store = Path("rounds"),
    expect: Annotated[
        str | None, typer.Option("--expect", help="The hash that the signed order quotes.")
    ] = None,
) -> None:
    """Compute a round again from its frozen inputs and compare everything with what is stored."""
    from funding.verify import verify as verify_round

    of_round = _open(store, round_id)
    with _progress() as report:
        done = verify_round(of_round, expect, report)
    typer.echo(f"{of_round.name} {of_round.version}, {of_round.path}")
    for line in done.notes:
        typer.echo(line)
    for line in done.agrees:
        typer.echo(f"agrees: {line}")
    if done.differs:
        typer.echo(f"DIFFERS: {done.differs}")
        raise typer.Exit(1)
    typer.echo("Verified: nothing differs.")


def _open(store: Path, round_id: str | None, version: str | None = None) -> "Round":
    """Open a round; say so when a newer draft than the published version is there."""
    from kpi.rounds import open_round

    return open_round(store, round_id, version)


def _round_of(day: dt.date) -> str:
    """Return the academic year that a day falls in: it begins on 1 September."""
    year = day.year if day.month >= 9 else day.year - 1
    return f"{year}-{(year + 1) % 100:02d}"


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Give a report function: a progress bar on a terminal, a plain line a step elsewhere."""
    if not sys.stderr.isatty():
        seen: set[str] = set()

        def line(step: str, _done: int, _total: int) -> None:
            if step not in seen:
                seen.add(step)
                typer.echo(step, err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda step, done, total: bar.update(
            task, description=step, completed=done, total=total
        )


def main() -> None:
    """Run the command line; every error ends in a message and an exit code, not in a traceback."""
    try:
        app(standalone_mode=True)
    except CallError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        typer.echo(f"Error: a file or folder could not be used: {error}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic inside polars is no Exception
        if os.environ.get("KPI_DEBUG"):
            raise
        typer.echo(
            f"Error: the product failed ({type(error).__name__}: {error}).\n"
            "  do: This is a fault of the product; nothing was kept. Report it with the output of\n"
            "      the same command run with KPI_DEBUG=1.",
            err=True,
        )
        sys.exit(2)
