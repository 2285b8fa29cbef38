"""The command line, one function a command (DESIGN §8).

Exit codes: 0 done, 1 the data is wrong (findings counted and written), 2 the call is wrong. Heavy
imports stay inside the commands that need them, so that ``--help`` answers at once.
"""

import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi.errors import CallError

if TYPE_CHECKING:
    from kpi.language import Speaker
    from kpi.layouts import Given
    from kpi.rounds import Round

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Rank vocational colleges, compute their KPIs and apply the funding rule.",
)

Store = Annotated[Path, typer.Option("--store", help="Folder of rounds.")]
Version = Annotated[
    str | None,
    typer.Option("--version", help="v1, draft-3 or draft; by default the newest published one."),
]
College = Annotated[str, typer.Argument(help="College id, or a part of its name.")]
Form = Annotated[str, typer.Option("--format", help="table, csv or json.")]
Language = Annotated[str, typer.Option("--language", help="kk, ru or en.")]
RoundId = Annotated[str, typer.Option("--round", help="Academic year, such as 2025-26.")]
WhichRound = Annotated[
    str | None, typer.Option("--round", help="Academic year; by default the latest in the store.")
]
MethodologyName = Annotated[str, typer.Option("--methodology", help="Name, or path of a .toml.")]
RuleName = Annotated[str, typer.Option("--rule", help="Name, or path of a .toml.")]
Day = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"])]
Inputs = Annotated[
    list[Path], typer.Argument(metavar="INPUT...", help="Folders, ZIP archives or files.")
]
OfCollege = Annotated[
    str | None,
    typer.Option("--college", help="College of the files that name none: its BIN or id."),
]
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
    layout: Annotated[
        str,
        typer.Option(
            "--layout",
            help="plain, contingent-export (a file a college), or assessment-template (a file a"
            " region).",
        ),
    ] = "plain",
) -> None:
    """Write a synthetic national round, calibrated to published figures."""
    from kpi.sample import LAYOUTS, write_sample

    if layout not in LAYOUTS:
        raise CallError(
            "There is no such layout.",
            where="--layout",
            found=layout,
            expected=" or ".join(LAYOUTS),
        )
    if defects and layout != "plain":
        raise CallError(
            "Wrong rows are planted in the plain layout only.",
            where="--defects",
            found=f"--layout {layout}",
            do="Leave one of the two options out.",
        )
    try:
        paths = write_sample(
            folder, colleges=colleges, students=students, seed=seed, defects=defects, layout=layout
        )
    except ValueError as error:
        raise CallError("The sample cannot be made of this size.", found=str(error)) from error
    tables = [path for path in paths if path.parent == folder]
    for path in tables:
        typer.echo(f"{path}  {path.stat().st_size / 1e6:,.1f} MB")
    if others := len(paths) - len(tables):
        typer.echo(f"and {others} files in {layout} form in folders below {folder}")
    typer.echo("Synthetic data: no college and no person in it exists.")


@app.command()
def check(
    inputs: Inputs,
    round_id: WhichRound = None,
    methodology: MethodologyName = "kpi",
    rule: RuleName = "threshold",
    to: Annotated[Path, typer.Option("--to", help="Where to write the findings.")] = Path(
        "findings.csv"
    ),
    workbooks: Annotated[
        Path | None,
        typer.Option("--workbooks", help="New folder for a marked-up XLSX of each college."),
    ] = None,
    college: OfCollege = None,
    key_file: KeyFile = None,
    language: Annotated[
        str | None,
        typer.Option("--language", help="kk, ru or en; workbooks else in Kazakh and Russian."),
    ] = None,
) -> None:
    """Read and check input files; compute nothing. Findings go to a CSV file."""
    from funding.run import check_inputs, plan_round
    from kpi.check_report import Report, print_report
    from kpi.college_names import CONFIRMED_FILE, write_proposals
    from kpi.export import write_csv
    from kpi.findings import in_three_languages
    from kpi.language import SOURCE, speaker
    from kpi.methodology import round_of
    from kpi.pseudonyms import read_key
    from kpi.workbooks import Checked, require_new_folder, write_workbooks

    words = speaker(language or SOURCE)
    plan = plan_round(round_id or round_of(dt.date.today()), methodology, rule)
    if workbooks:
        require_new_folder(workbooks)
    with _told_in(words), _progress("mark up" if workbooks else "check") as report:
        key = read_key(key_file)
        intake, findings, counts = check_inputs(inputs, plan, key, report, _given(college))
        written = []
        if workbooks:
            checked = Checked(inputs, intake, findings, counts)
            written = write_workbooks(checked, workbooks, language, report)
    write_csv(in_three_languages(findings, intake.headers), to)
    proposed = write_proposals(intake.unmatched, to.parent)
    typer.echo(
        words.say(
            "Checked for the round {round}, counted on {day}.",
            round=plan.round_id,
            day=words.day(plan.dates["count_on"]),
        )
    )
    has_errors = print_report(Report(findings, counts, intake), to, words)
    if proposed:
        typer.echo(
            words.say(
                "Names of colleges not found in the register: {count}. Move the right ids to"
                " college_id in {file}, and put that file into the input as {confirmed}.",
                count=words.number(len(intake.unmatched)),
                file=proposed,
                confirmed=CONFIRMED_FILE,
            )
        )
    if workbooks:
        typer.echo(
            words.say(
                "Marked-up workbooks: {count}, in {folder}",
                count=words.number(len(written)),
                folder=workbooks,
            )
        )
    raise typer.Exit(1 if has_errors else 0)


@app.command()
def run(
    inputs: Inputs,
    round_id: RoundId,
    methodology: MethodologyName = "kpi",
    rule: RuleName = "threshold",
    store: Store = Path("rounds"),
    count_on: Day = None,
    kpi_on: Day = None,
    observed_on: Day = None,
    college: OfCollege = None,
    key_file: KeyFile = None,
    language: Language = "en",
) -> None:
    """Compute a round: KPIs, scores, ranks, leagues and funding. Keeps it as a draft."""
    from funding.run import plan_round, run_round
    from kpi.check_report import Report, print_report
    from kpi.intake import intake_of
    from kpi.language import speaker
    from kpi.pseudonyms import read_key
    from kpi.summary import print_round

    words = speaker(language)
    given = {"count_on": count_on, "kpi_on": kpi_on, "observed_on": observed_on}
    days = {name: day.date() if day else None for name, day in given.items()}
    plan = plan_round(round_id, methodology, rule, days, store)
    with _told_in(words), _progress("run") as report:
        key = read_key(key_file)
        draft = run_round(inputs, store, plan, key, report, given=_given(college))
    print_round(draft, words)
    told = Report(draft.findings(), draft.table("row_counts"), intake_of(draft.sources))
    has_errors = print_report(told, draft.path / "findings.parquet", words)
    raise typer.Exit(1 if has_errors else 0)


@app.command()
def rank(
    round_id: WhichRound = None,
    store: Store = Path("rounds"),
    region: Annotated[str | None, typer.Option(help="Region code, such as KZ-35.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Cluster code, such as mining.")] = None,
    kind: Annotated[str | None, typer.Option(help="college or higher_college.")] = None,
    league: Annotated[int | None, typer.Option(help="League, 1 to 4.")] = None,
    version: Version = None,
    top: Annotated[int, typer.Option(min=0, help="How many rows; 0 for all.")] = 25,
    leaders: Annotated[
        bool, typer.Option("--leaders", help="The leaders, with the chance that they stay it.")
    ] = False,
    specialties: Annotated[
        bool, typer.Option("--specialties", help="The specialties that an assessment gives points.")
    ] = False,
    form: Form = "table",
    language: Language = "en",
) -> None:
    """Show the ranking of a round with its ranges, and who is not ranked and why."""
    from kpi import rank_report
    from kpi.language import speaker
    from kpi.printing import require_format
    from kpi.summary import print_specialties

    words = speaker(language)
    require_format(form)
    of_round = _open(store, round_id, version)
    if specialties:
        print_specialties(of_round, top, words)
    elif leaders and form == "table":
        rank_report.print_leaders(of_round, top, words)
    elif leaders:
        rank_report.write_rows(of_round, rank_report.leader_rows(of_round), form)
    else:
        rows = rank_report.ranked_rows(
            of_round, region=region, cluster=cluster, kind=kind, league=league
        )
        if form == "table":
            rank_report.print_ranking(of_round, rows, top, words)
        else:
            rank_report.write_rows(of_round, rank_report.listed(rows), form)


@app.command()
def explain(
    college: College,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    language: Language = "en",
) -> None:
    """Explain one college: from its students and graduates to its tenge, step by step."""
    import json

    from funding.explain import explain_college, explanation
    from kpi.language import speaker

    of_round = _open(store, round_id, version)
    if form == "json":
        told = explanation(of_round, college, language)
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        return
    if form != "text":
        raise CallError(
            "There is no such format.", where="--format", found=form, expected="text or json"
        )
    for step in explain_college(of_round, college, language):
        typer.echo(step.text(speaker(language)))
        typer.echo()


@app.command()
def profile(
    college: College,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    language: Language = "en",
    form: Form = "table",
) -> None:
    """Show what a college is: its clusters, its peers, what it is better and worse at than they."""
    from kpi.language import speaker
    from kpi.profile_report import print_profile

    print_profile(_open(store, round_id, version), store, college, form, speaker(language))


@app.command()
def path(
    college: College,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    language: Language = "en",
) -> None:
    """Say what is the least that passes each gate, reaches the next league, and what it brings."""
    from funding.path import path_of
    from funding.report import print_path
    from funding.scenario import Desk
    from kpi.colleges import find_college
    from kpi.language import speaker

    desk = Desk(_open(store, round_id, version), store)
    unit = find_college(desk.of_round, college)["unit_id"]
    print_path(desk, path_of(desk, unit), speaker(language))


@app.command()
def scenario(
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A parameter, such as gates.employment_rate=0.75; repeatable."),
    ] = None,
    methodology: Annotated[
        str | None, typer.Option("--methodology", help="Another methodology: name or .toml.")
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Another rule: name or .toml.")] = None,
    frontier: Annotated[
        list[str] | None,
        typer.Option("--frontier", help="A gate, or dual_share=0.10..0.60; one or two."),
    ] = None,
    step: Annotated[
        str | None, typer.Option("--step", help="Step of the frontier: 0.01, for two 0.05.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder to write the files to.")] = None,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    language: Language = "en",
) -> None:
    """Show a round under other parameters: baseline, scenario, difference. Changes nothing."""
    from funding.report import print_frontier, print_scenario
    from funding.scenario import (
        Desk,
        axis_of,
        frontier_of,
        other_files,
        write_frontier,
        write_scenario,
    )
    from kpi.language import speaker

    desk = Desk(_open(store, round_id, version), store)
    rules, files = other_files(desk, methodology, rule)
    if frontier:
        done = desk.scenario(rules, settings or [], files)
        width = _decimal("--step", step or ("0.01" if len(frontier) == 1 else "0.05"))
        axes = [axis_of(text, width) for text in frontier]
        gates = [gate for gate, _ in axes]
        points = frontier_of(desk, done.outcome.rules, axes)
        print_frontier(desk, done, points, gates, speaker(language))
        for written in write_frontier(desk, done, gates, points, to) if to else []:
            typer.echo(str(written))
        return
    if not settings and not files:
        raise CallError(
            "The scenario changes nothing.",
            where="--set, --methodology, --rule",
            expected="at least one of them",
            do="`kpi scenario --help` shows how.",
        )
    done = desk.scenario(rules, settings or [], files)
    print_scenario(desk, done, speaker(language))
    for written in write_scenario(desk, done, to) if to else []:
        typer.echo(str(written))


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="Round, or version such as 2024-25/v1.")],
    after: Annotated[str, typer.Argument(help="Round, or version such as 2025-26/draft.")],
    store: Store = Path("rounds"),
    to: Annotated[Path | None, typer.Option("--to", help="CSV file with every college.")] = None,
    language: Language = "en",
) -> None:
    """Explain each college's change in amount between two rounds, and who moved leagues."""
    from funding.compare import compare as compare_rounds
    from funding.compare import with_reasons
    from funding.report import print_comparison
    from kpi.export import write_csv
    from kpi.language import speaker

    words = speaker(language)
    done = compare_rounds(_open(store, before), _open(store, after))
    print_comparison(done, words)
    if to:
        write_csv(with_reasons(done, words), to)
        typer.echo(str(to))


@app.command()
def budget(
    year: Annotated[int, typer.Argument(min=1992, max=2200, help="Calendar year, such as 2026.")],
    store: Store = Path("rounds"),
    to: Annotated[
        Path | None, typer.Option("--to", help="CSV file with every college and month.")
    ] = None,
    language: Language = "en",
) -> None:
    """Show a calendar budget year: January to August from one round, the rest from the next."""
    from funding.budget import budget_of
    from funding.report import print_budget
    from kpi.export import write_csv
    from kpi.language import speaker

    done = budget_of(store, year)
    print_budget(done, speaker(language))
    if to:
        write_csv(done.months, to)
        typer.echo(str(to))


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")],
    workbook: Annotated[
        bool, typer.Option("--workbook", help="The auditor's XLSX with live formulas, alone.")
    ] = False,
    package: Annotated[
        bool, typer.Option("--package", help="The open data package, alone.")
    ] = False,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    language: Annotated[
        str | None, typer.Option("--language", help="kk, ru or en; by default Kazakh and Russian.")
    ] = None,
) -> None:
    """Write the tables of a round as CSV files and the auditor's workbook, or one of the parts."""
    from funding.workbook import write_workbook
    from kpi.export import export_round, make_folder
    from kpi.package import export_package

    of_round = _open(store, round_id, version)
    make_folder(to)
    written = [] if workbook or package else export_round(of_round, to)
    if workbook or not package:
        name = f"{of_round.name}-{of_round.version}.xlsx"
        written.append(write_workbook(of_round, to / name, language))
    if package:
        written += export_package(of_round, to)
    for one in written:
        typer.echo(str(one))


@app.command()
def counting_list(
    college: College,
    to: Annotated[Path | None, typer.Option("--to", help="XLSX file to write.")] = None,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    language: Language = "ru",
) -> None:
    """Write a college's own people and what each counts for. Personal data: for the college."""
    from funding.counting_list import write_counting_list
    from kpi.colleges import find_college

    of_round = _open(store, round_id, version)
    unit = find_college(of_round, college)["unit_id"]
    name = Path(f"{of_round.name}-{of_round.version}-counting-list-{unit}.xlsx")
    typer.echo(str(write_counting_list(of_round, college, to or name, language)))


@app.command()
def doubts(
    region: Annotated[str | None, typer.Option(help="Region code, such as KZ-35.")] = None,
    top: Annotated[int, typer.Option(min=0, help="How many rows; 0 for all.")] = 25,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    form: Form = "table",
    language: Language = "en",
) -> None:
    """List the decisions about money that the fewest records in doubt would reverse."""
    from funding.doubts_told import print_doubts
    from kpi.language import speaker
    from kpi.printing import require_format

    require_format(form)
    of_round = _open(store, round_id, version)
    print_doubts(of_round, speaker(language), region=region, top=top, form=form)


@app.command()
def stability(
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    form: Form = "table",
    to: Annotated[Path | None, typer.Option("--to", help="Folder to write the files to.")] = None,
    language: Language = "en",
) -> None:
    """Say what ranks and money rest on: KPIs, weights, normalisation, definition of employment."""
    from funding.stability import stability_of
    from funding.stability_told import print_stability, write_stability
    from kpi.language import speaker
    from kpi.printing import require_format

    require_format(form)
    words = speaker(language)
    of_round = _open(store, round_id, version)
    began = time.perf_counter()
    with _progress("stability") as report:
        done = stability_of(of_round, store, report)
    seconds = words.number(round(time.perf_counter() - began, 1))
    typer.echo(words.say("Computed in {seconds} seconds.", seconds=seconds), err=True)
    print_stability(of_round, done, words, form)
    for written in write_stability(of_round, done, to) if to else []:
        typer.echo(str(written), err=form != "table")


@app.command()
def audit_sample(
    size: Annotated[int | None, typer.Option("--size", help="Points of the sample.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same seed, the same lines.")
    ] = None,
    targeted: Annotated[
        int, typer.Option("--targeted", min=0, help="Colleges looked at for each reason.")
    ] = 10,
    evaluate: Annotated[
        Path | None, typer.Option("--evaluate", help="The filled-in sheet, to be projected.")
    ] = None,
    confidence: Annotated[str, typer.Option("--confidence", help="Of the upper limit.")] = "0.95",
    to: Annotated[Path | None, typer.Option("--to", help="XLSX file to write.")] = None,
    round_id: WhichRound = None,
    version: Version = None,
    store: Store = Path("rounds"),
    language: Language = "ru",
) -> None:
    """Draw funding lines for a field audit as a sheet to fill in, or evaluate the filled sheet."""
    from funding.audit_sample import draw_sample
    from funding.audit_sheet import evaluate_sheet, evaluation_lines, write_audit_sheet

    if evaluate:
        done = evaluate_sheet(evaluate, _decimal("--confidence", confidence))
        for line in evaluation_lines(done, language):
            typer.echo(line)
        return
    if size is None or seed is None:
        raise CallError(
            "A sample needs its size and its seed.",
            where="--size, --seed",
            expected="both, such as --size 60 --seed 7; or --evaluate with a filled sheet",
        )
    of_round = _open(store, round_id, version)
    drawn = draw_sample(of_round, size, seed, targeted)
    name = Path(f"{of_round.name}-{of_round.version}-audit-sample-{size}-{seed}.xlsx")
    typer.echo(str(write_audit_sheet(drawn, to or name, language)))


def _decimal(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise CallError("This is no number.", where=option, found=text) from error


@app.command()
def waive(
    check: Annotated[str | None, typer.Option("--check", help="Code of the check.")] = None,
    college: Annotated[str | None, typer.Option("--college", help="College id.")] = None,
    column: Annotated[str | None, typer.Option("--column", help="Column of the finding.")] = None,
    found: Annotated[str | None, typer.Option("--found", help="What was found there.")] = None,
    by: Annotated[str, typer.Option("--by", help="Who waives, or withdraws.")] = "",
    approved_by: Annotated[
        str, typer.Option("--approved-by", help="Who approves: another one.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, such as a letter's number.")] = "",
    withdraw: Annotated[
        int | None, typer.Option("--withdraw", help="Number of a kept waiver.")
    ] = None,
    round_id: WhichRound = None,
    store: Store = Path("rounds"),
    language: Language = "en",
) -> None:
    """Accept findings of the newest draft with a reason and two names; without --check, list."""
    from funding import waivers_told as told
    from funding import waiving
    from funding.waived import money_of, moved
    from funding.waivers import open_errors
    from kpi.language import speaker

    words = speaker(language)
    draft = waiving.newest_draft(store, round_id)
    if withdraw is not None:
        gone = waiving.withdraw(store, draft.name, withdraw, by, reason)
        typer.echo(words.say("Withdrawn: {what}", what=gone.waiver.told()))
        return
    money = money_of(draft)
    if not check:
        kept = waiving.kept_for(store, draft.name)
        waivers = [one.waiver for one in kept]
        together = moved(waivers, draft.findings(), money)
        left = open_errors(draft.findings(), waivers).height
        told.print_kept(words, draft, waiving.moves_of(kept, draft, money), together, left)
        return
    stated = {"check": check, "college_id": college, "column": column, "found": found}
    waiver = waiving.new_waiver(stated, by, approved_by, reason)
    made = waiving.keep(store, draft, waiver, money)
    headline = words.say("Kept as number {number}: {what}", number=made.number, what=waiver.told())
    told.print_moves(words, headline, moved([waiver], draft.findings(), money))


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
    from funding.waivers_told import idle_told
    from funding.waiving import idle_for
    from kpi.language import SOURCE, speaker

    with _progress("verify") as report:
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
    if told := idle_told(speaker(SOURCE), idle_for(store, round_id)):
        typer.echo(told)
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
    with _progress("verify") as report:
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


@app.command("app")
def run_app(
    store: Store = Path("rounds"),
    address: Annotated[
        str, typer.Option("--address", help="Address to listen on; others need sign-in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535)] = 8501,
    access: Annotated[
        Path, typer.Option("--access", help="Who may see what; used with sign-in.")
    ] = Path("access.toml"),
    secrets: Annotated[
        Path | None, typer.Option("--secrets", help="A .toml whose [auth] configures sign-in.")
    ] = None,
) -> None:
    """Serve the app: rank, profile, fund and explain on one screen, in three languages."""
    from kpi.serving import serve

    serve(store, address, port, access, secrets)


def _given(college: str | None) -> "Given":
    """Return what the call says of files that name no college."""
    from kpi.layouts import Given
    from kpi.layouts.attribution import is_college_id
    from kpi.tables import COLLEGE_ID_WORDS

    if college is not None and not is_college_id(college):
        raise CallError(
            "This is no id of a college.",
            where="--college",
            found=college,
            expected=COLLEGE_ID_WORDS,
        )
    return Given(college=college)


def _open(store: Path, round_id: str | None, version: str | None = None) -> "Round":
    """Open a round; where the published version was chosen, say if another draft is newer."""
    from kpi.rounds import drafts, open_round

    of_round = open_round(store, round_id, version)
    asked = version or "/" in (round_id or "")
    newer = [] if of_round.is_draft or asked else drafts(of_round.path.parent)
    if newer and newer[-1].name != of_round.published_draft:
        typer.echo(
            f"Shown is {of_round.version}, which is published; {newer[-1].name} is newer"
            " (--version draft).",
            err=True,
        )
    return of_round


@contextmanager
def _told_in(words: "Speaker") -> Iterator[None]:
    """Say what is wrong with the input in the language that was asked for; English is main's."""
    from kpi.check_report import error_told
    from kpi.language import SOURCE

    try:
        yield
    except CallError as error:
        if words.language == SOURCE:
            raise
        typer.echo(error_told(error, words), err=True)
        raise typer.Exit(error.exit_code) from error


@contextmanager
def _progress(way: str) -> Iterator[Callable[[str, int, int], None]]:
    """Give a report function: a progress bar with the time that is left on a terminal, a plain line
    a step elsewhere. ``way``: the kind of work, of ``kpi.steps.WAYS``.
    """
    if not sys.stderr.isatty():
        seen: set[str] = set()

        def line(step: str, _done: int, _total: int) -> None:
            if step not in seen:
                seen.add(step)
                typer.echo(step, err=True)

        yield line
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from kpi.steps import how_far

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, done, total: bar.update(
            task, description=escape(step), completed=how_far(way, step, done, total)
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
