"""Is my data fit?"""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from funding.rule import Rule
from funding.uploaded import Fitness, Order, check_uploads, run_uploads
from kpi.access import Role, require_role
from kpi.dated import Names, newest, shipped_names
from kpi.detected import alike, form, kinds, layout, named
from kpi.errors import CallError
from kpi.export import write_csv
from kpi.findings import (
    ERROR,
    SEVERITIES,
    by_check,
    by_college,
    by_table,
    codes,
    examples,
    file_column,
    first_to_mend,
    found_told,
    in_three_languages,
    narrowed,
    place,
    sentence,
    totals,
)
from kpi.intake import Intake
from kpi.language import mark
from kpi.layouts.attribution import is_college_id
from kpi.layouts.rows import Headers
from kpi.methodology import Methodology, first_year, round_of
from kpi.tables import COLLEGE_ID_WORDS
from kpi.terms import term
from kpi.uploads import MB, TOTAL, faults
from views.frame import address, parts, waivers
from views.frame.here import Here, here
from views.frame.menu import page_file
from views.frame.work import ask_button, is_asked, was_cancelled, work

CHECK, RUN = "data_check", "data_run"
KEPT = "data_check:fitness"
FILES, ROUND = "files", "round"
UPLOADER = "data_check:uploads"


def page() -> None:
    """Draw the page: the reader's own files, or the findings of the round that is open."""
    at = here()
    if at.opened is None or _choose_view(at) == FILES:
        _own_files(at)
    else:
        _open_round(at)


def _choose_view(at: Here) -> str:
    say = at.words.say
    views = {FILES: say("Your files"), ROUND: at.round_title}
    default = ROUND if at.viewer.role in (Role.DIRECTOR, Role.AUDITOR) else FILES
    return address.switch(
        "of",
        say("What is checked"),
        views,
        default=default,
        drop=("page", "colleges", "check", "in", "severity", *waivers.PLACES),
        label_visibility="collapsed",
    )


# ------------------------------------------------------------------------------------- own files


def _own_files(at: Here) -> None:
    cancelled = was_cancelled(CHECK) or was_cancelled(RUN)
    fitness = _kept_for(at)
    parts.answer(_answer(at, fitness), _context_of_files(at, fitness))
    if cancelled:
        st.warning(at.words.say("It was cancelled: nothing was kept."), icon=":material/cancel:")
    if fitness and fitness.draft:
        _lead_to_draft(at, fitness.draft)
    _upload(at)
    if fitness:
        _detected(at, fitness)
        _result(at, fitness, "findings.csv")
        _workbooks(at, fitness)
        st.button(
            at.words.say("Forget this result"),
            key="data_check:forget",
            type="tertiary",
            icon=":material/delete:",
            on_click=_forget,
        )


def _detected(at: Here, fitness: Fitness) -> None:
    """Draw what was found out of each kind of file, and which files hold no table."""
    words = at.words
    found = kinds(fitness.intake.files)
    if found:
        parts.section(words.say("What the files are"))
        rows = pl.DataFrame(
            [
                {
                    "file": named(words, kind),
                    "table": term(words, kind.entry["table"]),
                    "layout": layout(words, kind.entry["layout"]),
                    "form": form(words, kind.entry),
                    "rows": words.number(kind.rows),
                }
                for kind in found
            ]
        )
        parts.table(
            rows,
            {
                "file": st.column_config.TextColumn(words.say("File"), width="medium"),
                "table": st.column_config.TextColumn(words.say("Table")),
                "layout": st.column_config.TextColumn(words.say("Layout")),
                "form": st.column_config.TextColumn(words.say("Detected"), width="large"),
                "rows": _number(words.say("Rows")),
            },
            name="detected",
            alt=words.say("What the files are"),
        )
    if names := ", ".join(fitness.intake.unread):
        told = words.say("Left unread, because no table was found in it: {names}", names=names)
        st.warning(parts.plain(told), icon=":material/help:")
    for note in fitness.intake.notes:
        st.caption(parts.plain(words.error(note)))


def _workbooks(at: Here, fitness: Fitness) -> None:
    """Offer the marked-up workbooks to who uploaded the files."""
    if fitness.workbooks is None:
        return
    packed, say = fitness.workbooks, at.words.say
    parts.section(
        say("Marked-up workbooks"),
        say(
            "They hold the rows as they were sent, with real numbers and names. They are in no"
            " round, and gone with this session or when the result is forgotten."
        ),
    )
    parts.download(
        say("Download the marked-up workbooks"),
        "workbooks.zip",
        lambda folder: _kept_in(folder / "workbooks.zip", packed),
        "application/zip",
        "data_check:workbooks",
        icon=":material/table:",
    )


def _kept_in(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _kept_for(at: Here) -> Fitness | None:
    """Return the last result of this session, for whom it was made."""
    viewer, fitness = st.session_state.get(KEPT, (None, None))
    return fitness if viewer == at.viewer else None


def _forget() -> None:
    st.session_state.pop(KEPT, None)


def _answer(at: Here, fitness: Fitness | None) -> str:
    say, number = at.words.say, at.words.number
    if fitness is None:
        return say("Upload the registers: every row is checked, and nothing is kept")
    rows = totals(fitness.counts)
    if fitness.findings.is_empty():
        return say("The data is fit: {read} rows read, not one finding", read=number(rows["read"]))
    if not rows["rejected"]:
        return say(
            "{read} rows read, none rejected; {findings} to look at",
            read=number(rows["read"]),
            findings=at.words.say_count(
                "{count} finding", "{count} findings", fitness.findings.height
            ),
        )
    return say(
        "{rejected} of {read} rows are rejected",
        rejected=number(rows["rejected"]),
        read=number(rows["read"]),
    )


def _context_of_files(at: Here, fitness: Fitness | None) -> str:
    if fitness is None or fitness.order is None:
        return at.words.say("Data check")
    return at.words.say(
        "{files}, checked for the round {round}",
        files=at.words.say_count("{count} file", "{count} files", fitness.files),
        round=fitness.order.round_id,
    )


def _lead_to_draft(at: Here, draft: str) -> None:
    say = at.words.say
    name, _, version = draft.partition("/")
    st.success(
        say(
            "Round {round}: draft {number} is in the store.",
            round=name,
            number=version.rpartition("-")[2],
        ),
        icon=":material/check:",
    )
    with st.container(horizontal=True, gap="small"):
        for page, label in (
            ("overview", say("To the overview of this draft")),
            ("funding", say("To its funding")),
        ):
            st.page_link(
                page_file(page),
                label=label,
                icon=":material/arrow_forward:",
                query_params=address.link(round=draft),
            )


def _upload(at: Here) -> None:
    say = at.words.say
    most = int(st.get_option("server.maxUploadSize"))
    _say_in_language(say("Choose files"))
    uploads = st.file_uploader(
        say("Files of the registers"),
        accept_multiple_files=True,
        key=UPLOADER,
        help=say(
            "Registers, the contingent export and the assessment template; which is which is found"
            " by their columns"
        ),
    )
    st.caption(
        parts.plain(
            say(
                "CSV or TSV in any encoding, XLSX, Parquet, or a ZIP of them. Up to {one} MB a file"
                " and {all} MB together.",
                one=at.words.number(most),
                all=at.words.number(TOTAL // MB),
            )
        )
    )
    order, wrong = _order(at)
    wrong += faults(uploads, most * MB)
    for error in wrong:
        parts.show_error(at.words, error)
    _ask(at, bool(uploads) and not wrong, bool(uploads))
    if is_asked(CHECK):
        _do(
            at,
            CHECK,
            "mark up" if order.marks_up else "check",
            lambda report: check_uploads(uploads, most * MB, order, at.store, report),
        )
    if is_asked(RUN):
        require_role(at.viewer, Role.MINISTRY)
        by = at.viewer.name
        _do(
            at,
            RUN,
            "run",
            lambda report: run_uploads(uploads, most * MB, order, at.store, by, report),
        )


def _say_in_language(words: str) -> None:
    """Put the page's language on the uploader's button, which the framework has in English only;
    the bounds stand below it in full.
    """
    button = "[data-testid=stFileUploaderDropzone] button p"
    text = json.dumps(words, ensure_ascii=False)  # CSS knows no \\u0424
    st.html(
        f"<style>{button} {{ font-size: 0 }} {button}::after {{ content: {text};"
        " font-size: 0.95rem }}"
        " [data-testid=stFileUploaderDropzoneInstructions] { display: none }</style>"
    )


def _order(at: Here) -> tuple[Order, list[CallError]]:
    """Draw what the files are checked against; return it with what is wrong with it."""
    say = at.words.say
    this_year = at.opened.name if at.opened else round_of(dt.date.today())
    left, middle, right = st.columns(3)
    with left:
        round_id = address.text(
            "for",
            say("Academic year of the round"),
            this_year,
            longest=7,
            help=say("Two years such as 2025-26"),
        )
    with middle:
        methodology = address.choose(
            "methodology", say("Methodology"), _titles(at, "methodology", "kpi"), drop=()
        )
    with right:
        rule = address.choose("rule", say("Rule"), _titles(at, "rules", "threshold"), drop=())
    college, marks_up = _of_files(at)
    wrong = []
    try:
        first_year(round_id)
    except CallError as error:
        wrong.append(error)
    if college and not is_college_id(college):
        wrong.append(
            CallError(mark("This is no id of a college."), found=college, expected=COLLEGE_ID_WORDS)
        )
    order = Order(
        round_id,
        str(methodology),
        str(rule),
        college or None,
        marks_up,
        at.words.language,
        at.viewer.college_id,
    )
    return order, wrong


def _of_files(at: Here) -> tuple[str, bool]:
    """Draw whose the files are that do not say it, and whether workbooks are made of them."""
    say = at.words.say
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        college = address.text(
            "files_of",
            say("College of the files that name none"),
            at.viewer.college_id or "",
            longest=21,
            help=say("Its BIN or id; a contingent export is of one college and may not say which"),
        )
    with right:
        marks_up = st.checkbox(
            say("Make marked-up workbooks"),
            value=True,
            key="data_check:marks_up",
            help=say(
                "The rows of each college as they stand in the files, what is wrong beside them: to"
                " be corrected and read in again. Personal data: for whoever sent the files alone."
            ),
        )
    return college, marks_up


def _titles(at: Here, kind: str, default: str) -> dict[str, str]:
    """Return the title of each shipped methodology or rule, by name, the default first."""
    titles = {name: at.words.name(title) for name, title in _shipped(kind).items()}
    return {default: titles[default], **titles}


@st.cache_resource(show_spinner=False)
def _shipped(kind: str) -> dict[str, Names]:
    model: Any = {"methodology": Methodology, "rules": Rule}[kind]
    return {name: newest(kind, name, model).title for name in shipped_names(kind)}


def _ask(at: Here, is_ready: bool, has_files: bool) -> None:
    say = at.words.say
    may_run = at.viewer.role == Role.MINISTRY
    with st.container(horizontal=True, gap="small"):
        ask_button(CHECK, say("Check the files"), type="primary", disabled=not is_ready)
        if may_run:
            ask_button(RUN, say("Run as a draft"), disabled=not is_ready)
    if not has_files:
        st.caption(say("Choose files first; then they can be checked."))
    elif may_run and is_ready:
        st.caption(
            say("A check keeps nothing; a run computes the round and keeps it as the newest draft.")
        )


def _do(at: Here, name: str, way: str, do: Any) -> None:
    try:
        fitness = work(at.words, name, way, do)
    except CallError as error:
        parts.show_error(at.words, error)
        return
    st.session_state[KEPT] = (at.viewer, fitness)
    st.rerun()


# ------------------------------------------------------------------------------------ open round


def _open_round(at: Here) -> None:
    say = at.words.say
    intake = Intake(headers=at.headers())
    fitness = Fitness(at.findings(), at.table("row_counts"), intake=intake)
    if fitness.counts.is_empty():
        parts.answer(say("The findings of a round are for its colleges themselves"), at.round_title)
        parts.empty(
            say("The ministry and the auditor see them all, a college its own."),
            say("Your own files can be checked here: choose “Your files”."),
        )
        return
    parts.answer(_answer(at, fitness), f"{at.round_title}{_whose(at)}")
    _result(at, fitness, f"{at.round.name}-{at.round.version}-findings.csv")
    waivers.section(at, fitness.findings)


def _whose(at: Here) -> str:
    if at.viewer.college_id is None:
        return ""
    return " · " + _named(at, at.colleges(), at.viewer.college_id)


# ---------------------------------------------------------------------------------------- result


def _result(at: Here, fitness: Fitness, file: str) -> None:
    _figures(at, fitness)
    for name, columns in alike(fitness.intake.left_out):
        st.caption(
            parts.plain(
                at.words.say(
                    "{file}: columns that its table does not have were left out: {columns}",
                    file=name,
                    columns=", ".join(columns),
                )
            )
        )
    if not fitness.findings.is_empty():
        _first(at, fitness.findings, fitness.intake.headers)
    left, right = st.columns([2, 3], gap="large")
    with left:
        _tables(at, fitness.counts)
    if fitness.findings.is_empty():
        with right:
            parts.section(at.words.say("Nothing to mend"))
            st.markdown(at.words.say("Every row read fits its table and the other tables."))
        return
    with right:
        _checks(at, fitness.findings, fitness.intake.headers)
    _colleges(at, fitness)
    _findings(at, fitness, file)


def _figures(at: Here, fitness: Fitness) -> None:
    say, number = at.words.say, at.words.number
    rows = totals(fitness.counts)
    tables = fitness.counts["table_name"].n_unique()
    severe = narrowed(fitness.findings, severity=ERROR).height
    parts.figures(
        [
            (
                say("Rows read"),
                number(rows["read"]),
                at.words.say_count("{count} table", "{count} tables", tables),
                "",
            ),
            (say("Clean"), number(rows["clean"]), say("they count"), ""),
            (
                say("Rejected"),
                number(rows["rejected"]),
                say("they do not count"),
                say("Rows read = clean + rejected, for each table and college."),
            ),
            (
                say("Findings"),
                number(fitness.findings.height),
                at.words.say_count("{count} error", "{count} errors", severe),
                say("An error rejects its row; a warning leaves it."),
            ),
        ]
    )


def _first(at: Here, findings: pl.DataFrame, headers: Headers) -> None:
    first = first_to_mend(findings)
    assert first is not None
    words = at.words
    parts.section(
        words.say("Mend first: {what}", what=sentence(words, first, headers)),
        ", ".join(
            [
                term(words, first["table_name"]),
                words.say_count(
                    "{count} row waits for it", "{count} rows wait for it", first["rows"]
                ),
                words.say_count("in {count} college", "in {count} colleges", first["colleges"]),
            ]
        ),
    )


def _tables(at: Here, counts: pl.DataFrame) -> None:
    words = at.words
    parts.section(words.say("Rows by table"))
    parts.small_table(
        [
            {
                "table": term(words, row["table_name"]),
                **{name: words.number(row[name]) for name in ("read", "clean", "rejected")},
            }
            for row in by_table(counts).iter_rows(named=True)
        ],
        {
            "table": words.say("Table"),
            "read": words.say("Read"),
            "clean": words.say("Clean"),
            "rejected": words.say("Rejected"),
        },
        name="tables",
        alt=words.say("Rows by table"),
    )


def _checks(at: Here, findings: pl.DataFrame, headers: Headers) -> None:
    words = at.words
    parts.section(
        words.say("Findings by check"),
        words.say("Each check with one of its findings as an example"),
    )
    for row in parts.paged(words, by_check(findings), "checks").iter_rows(named=True):
        told = [
            _severity(at, row["severity"]),
            words.say_count("{count} finding", "{count} findings", row["findings"]),
            words.say_count("in {count} college", "in {count} colleges", row["colleges"]),
        ]
        said = parts.plain(sentence(words, row, headers))
        st.markdown(f"{said}  \n:gray[{parts.plain(' · '.join(told))}]")


def _colleges(at: Here, fitness: Fitness) -> None:
    words = at.words
    found = by_college(fitness.findings, fitness.counts)
    if found.height < 2:
        return
    parts.section(
        words.say_count(
            "{count} college has something to mend",
            "{count} colleges have something to mend",
            found.height,
        ),
        words.say("Those with most rejected rows first"),
    )
    shown = parts.paged(words, found, "colleges")
    names = _names(at, fitness.intake)
    rows = pl.DataFrame(
        [
            {
                "college": _named(at, names, row["college_id"]),
                **{
                    name: words.number(row[name])
                    for name in ("read", "clean", "rejected", "findings")
                },
            }
            for row in shown.iter_rows(named=True)
        ]
    )
    parts.table(
        rows,
        {
            "college": st.column_config.TextColumn(words.say("College"), width="large"),
            "read": _number(words.say("Read")),
            "clean": _number(words.say("Clean")),
            "rejected": _number(words.say("Rejected")),
            "findings": _number(words.say("Findings")),
        },
        name="by_college",
        alt=words.say("Findings by college"),
    )


def _findings(at: Here, fitness: Fitness, file: str) -> None:
    words, findings, headers = at.words, fitness.findings, fitness.intake.headers
    names = _names(at, fitness.intake)
    parts.section(words.say("All findings"))
    chosen = _filters(at, findings, headers, names)
    found = narrowed(findings, **chosen)
    shown = parts.paged(words, found)
    rows = pl.DataFrame(
        [
            {
                "severity": _severity(at, row["severity"]),
                "place": place(row) or term(words, row["table_name"]),
                "college": _named(at, names, row["college_id"]),
                "what": sentence(words, row, headers),
                "column": own.name if (own := file_column(row, headers)) else row["column_name"],
                "found": found_told(words, row, headers),
            }
            for row in shown.iter_rows(named=True)
        ],
        schema=dict.fromkeys(
            ("severity", "place", "college", "what", "column", "found"), pl.String
        ),
    )
    if rows.is_empty():
        parts.empty(words.say("No finding fits."), words.say("Take a filter away."))
    else:
        parts.table(
            rows,
            {
                "severity": st.column_config.TextColumn(words.say("Kind")),
                "place": st.column_config.TextColumn(words.say("File and record")),
                "college": st.column_config.TextColumn(words.say("College"), width=220),
                "column": st.column_config.TextColumn(words.say("Column")),
                "found": st.column_config.TextColumn(words.say("Found")),
                "what": st.column_config.TextColumn(words.say("What is wrong"), width=1100),
            },
            name="findings",
            alt=words.say("All findings"),
        )
    parts.download(
        words.say("Download the findings as CSV"),
        file,
        lambda folder: _written(found, headers, folder / file),
        "text/csv",
        "data_check:download",
        icon=":material/download:",
    )


def _written(findings: pl.DataFrame, headers: Headers, path: Path) -> Path:
    write_csv(in_three_languages(findings, headers), path)
    return path


def _filters(
    at: Here, findings: pl.DataFrame, headers: Headers, names: dict[str, str]
) -> dict[str, str | None]:
    words = at.words
    shown = examples(findings)

    def said(code: str) -> str:
        return sentence(words, shown[code], headers)

    every = words.say("all")
    columns = st.columns(4)
    lists: dict[str, tuple[str, str, Callable[[str], str]]] = {
        "severity": ("severity", words.say("Kind"), lambda code: _severity(at, code)),
        "check": (
            "check_name",
            words.say("Check"),
            said,
        ),
        "table": ("table_name", words.say("Table"), lambda code: term(words, code)),
        "college": ("college_id", words.say("College"), lambda code: _named(at, names, code)),
    }
    chosen: dict[str, str | None] = {}
    for place_, (name, (column, label, told)) in zip(columns, lists.items(), strict=True):
        with place_:
            options = {code: told(code) for code in codes(findings, column)}
            chosen[name] = address.choose(name, label, options, everything=every)
    return chosen


def _severity(at: Here, severity: str) -> str:
    return at.words.say(SEVERITIES[severity])


def _names(at: Here, intake: Intake) -> dict[str, str]:
    """Return the names of colleges: of the register among the files, else of the open round's, as
    far as the viewer may see them.
    """
    register = intake.used.register
    if register is None or register.is_empty():
        return at.colleges() if at.opened else {}
    rows = register.drop_nulls("name_ru").iter_rows(named=True)
    return {row["college_id"]: at.words.of(row) for row in rows}


def _named(at: Here, names: dict[str, str], college_id: str | None) -> str:
    if college_id is None:
        return at.words.say("no college is named")
    return f"{names[college_id]} · {college_id}" if college_id in names else college_id


def _number(label: str) -> Any:
    return st.column_config.TextColumn(label, alignment="right", width="small")


page()
