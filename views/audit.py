"""Can I trust this number?"""

import datetime as dt
from typing import Any

import polars as pl
import streamlit as st

from funding.explain import STEP_TABLES, Step, explain_college
from funding.trust import (
    Verdict,
    amount_of,
    as_text,
    checks_with_findings,
    command,
    contents,
    is_hash,
    journal_lines,
    rule_files,
    source_files,
    waivers,
)
from funding.verify import (
    AGAIN,
    FILES,
    JOURNAL,
    SIGNATURES,
    STEPS,
    verify,
)
from funding.waivers_told import amount_told
from kpi.access import Role, require_role
from kpi.errors import CallError
from kpi.intake import Report
from kpi.journal import read_journal
from kpi.language import mark
from kpi.lineage import CODE, INPUT, SQL, Origin, origins, readers
from kpi.rounds import Round
from kpi.terms import term
from views.frame import address, parts
from views.frame.here import Here, here, kept
from views.frame.work import ask_button, is_asked, was_cancelled, work

WORK = "audit"
KEPT = "audit:verdicts"
FIRST_ROWS = 10

AGREES = {
    JOURNAL: mark("The journal's chain is whole and has this version's line."),
    FILES: mark("Every file is the one that was published."),
    SIGNATURES: mark("Every attached file is the one that was attached."),
}
DIFFERS = {
    JOURNAL: mark("The journal does not stand behind this version."),
    FILES: mark("A file is not the one that was published."),
    SIGNATURES: mark("An attached file is not the one that was attached."),
    AGAIN: mark("Computed again from its inputs, something else comes out than is stored."),
}
PARTS = {
    "inputs": mark("Input"),
    "reference": mark("Reference table"),
    "tables": mark("Computed table"),
    "findings": mark("Findings"),
}
RULES = {
    "methodology": mark("Methodology"),
    "rule": mark("Rule"),
    "earlier_rule": mark("Earlier version of the rule"),
    "sql": mark("SQL of this version of the product"),
}
DATES = {
    "count_on": mark("Students are counted and paid for"),
    "kpi_on": mark("Agreements and accreditations must be in force"),
    "observed_on": mark("The last day of a destination that counts"),
    "cohort_from": mark("The first day on which the cohort graduated"),
    "cohort_to": mark("The last day on which the cohort graduated"),
}
ACTIONS = {
    "publish": mark("published"),
    "attach": mark("signature attached"),
    "waive": mark("findings accepted"),
    "withdraw": mark("waiver withdrawn"),
}


def page() -> None:
    """Draw the page: the verdict, then the part that the reader chose."""
    at = here()
    require_role(at.viewer, Role.MINISTRY, Role.AUDITOR)
    cancelled = was_cancelled(WORK)
    verdict = _verdict_of(at)
    parts.answer(_answer(at, verdict), at.round_title)
    if cancelled:
        st.warning(
            at.words.say("The verification was cancelled: it says nothing."),
            icon=":material/cancel:",
        )
    {
        "verify": _verification,
        "receipt": _receipt,
        "amount": _amount,
        "sql": _sql,
        "journal": _journal,
    }[_choose_part(at)](at)


def _choose_part(at: Here) -> str:
    say = at.words.say
    shown = {
        "verify": say("Verification"),
        "receipt": say("Receipt"),
        "amount": say("One amount"),
        "sql": say("Tables and SQL"),
        "journal": say("Journal"),
    }
    asked = "sql" if address.value("table") else "amount" if address.value("college") else "verify"
    return address.switch(
        "part",
        say("Part"),
        shown,
        default=asked,
        drop=("page", "files"),
        label_visibility="collapsed",
    )


# ----------------------------------------------------------------------------------- verification


def _answer(at: Here, verdict: Verdict | None) -> str:
    say = at.words.say
    if verdict is None:
        return say("Not verified yet in this session")
    if verdict.failed:
        return say("Not verified: {what}", what=say(DIFFERS[verdict.failed]))
    counts = at.round.receipt
    return say(
        "Verified: {tables}, {inputs} and the rules agree with the receipt",
        tables=at.words.say_count("{count} table", "{count} tables", len(counts["tables"])),
        inputs=at.words.say_count("{count} input", "{count} inputs", len(counts["inputs"])),
    )


def _verdicts() -> dict[Any, Verdict]:
    found: dict[Any, Verdict] = st.session_state.setdefault(KEPT, {})
    return found


def _verdict_of(at: Here) -> Verdict | None:
    """Return what was found in this session of just this version, expecting just this hash."""
    return _verdicts().get((at.round_key, _expected(at)))


def _expected(at: Here) -> str | None:
    """Return the hash that the address asks for; a draft has none."""
    asked = (address.value("expect") or "").strip().lower()
    return asked if is_hash(asked) and not at.round.is_draft else None


def _verification(at: Here) -> None:
    say = at.words.say
    verdict = _verdict_of(at)
    if verdict:
        _say_verdict(at, verdict)
    else:
        st.markdown(
            say(
                "Verifying checks the journal and every file, computes the round again from its"
                " frozen inputs, with its own SQL, methodology and rules, and compares each table."
            )
        )
    is_ready = at.round.is_draft or _ask_hash(at)
    ask_button(
        WORK,
        say("Verify this version") if verdict is None else say("Verify again"),
        type="primary" if verdict is None else "secondary",
        disabled=not is_ready,
        help=None if is_ready else say("A hash has 64 digits, 0 to 9 and a to f."),
    )
    if is_asked(WORK):
        _verify(at)
    parts.section(
        say("Verify it without this app"),
        say("In a copy of the store, with the product installed on a machine of your own"),
    )
    st.code(command(at.round, _expected(at)), language="bash")


def _ask_hash(at: Here) -> bool:
    """Draw the line for the hash of the signed order; return whether it can be used."""
    asked = address.text(
        "expect",
        at.words.say("Hash that the signed order quotes (may be left empty)"),
        longest=64,
        width=620,
        placeholder="–",
    )
    return not asked or is_hash(asked)


def _verify(at: Here) -> None:
    expect = _expected(at)

    def do(report: Report) -> Verdict:
        done = verify(Round(at.round.path), expect, report)  # as the files are now
        return Verdict(
            at.round.receipt_hash,
            expect,
            dt.datetime.now(dt.UTC),
            tuple(done.agreed),
            done.failed,
            done.differs,
            tuple(done.cautions),
        )

    try:
        made = work(at.words, WORK, "verify", do)
    except CallError as error:
        parts.show_error(at.words, error)
        return
    _verdicts()[at.round_key, expect] = made
    st.rerun()


def _say_verdict(at: Here, verdict: Verdict) -> None:
    say = at.words.say
    st.caption(say("Verified on {time}, in this session", time=_time(at, verdict.at)))
    for step in STEPS:
        if step in verdict.agreed:
            _line(":material/check:", _agrees(at, step))
        elif step == verdict.failed:
            _line(":material/close:", say(DIFFERS[step]))
    if verdict.differs:
        st.markdown(say("The first thing that differs, as the files name it:"))
        st.code(verdict.differs, language=None, wrap_lines=True)
        st.markdown(
            say(
                "Do not use this version before it is known who changed it: compare it with a copy"
                " of the store, and with the signed order."
            )
        )
    if verdict.expect and not verdict.failed:
        _line(":material/check:", say("The journal has the hash that the order quotes."))
    for sentence, values in verdict.cautions:
        _line(":material/info:", say(sentence, **values))


def _agrees(at: Here, step: str) -> str:
    if step in AGREES:
        return at.words.say(AGREES[step])
    words, receipt = at.words, at.round.receipt
    return words.say(
        "Computed again: {inputs}, {reference}, {tables}, SQL, methodology, rules and findings"
        " agree with the receipt.",
        inputs=words.say_count("{count} input", "{count} inputs", len(receipt["inputs"])),
        reference=words.say_count(
            "{count} reference table", "{count} reference tables", len(receipt["reference"])
        ),
        tables=words.say_count("{count} table", "{count} tables", len(receipt["tables"])),
    )


def _line(icon: str, told: str) -> None:
    st.markdown(f"{icon} {parts.plain(told)}")


# ---------------------------------------------------------------------------------------- receipt


def _receipt(at: Here) -> None:
    words, receipt = at.words, at.round.receipt
    say = words.say
    run, found = checks_with_findings(receipt)
    parts.section(
        say(
            "{run} checks were run, {found} of them found something",
            run=words.number(run),
            found=words.number(found),
        ),
        say("SHA-256 of the receipt: {hash}", hash=at.round.receipt_hash),
    )
    _dates(at)
    _rule_files(at)
    _contents(at)
    _waivers(at)
    _sources(at)


def _dates(at: Here) -> None:
    words = at.words
    dates = at.round.receipt["dates"]
    rows = pl.DataFrame(
        [
            {"what": words.say(told), "day": words.day(dt.date.fromisoformat(dates[name]))}
            for name, told in DATES.items()
            if name in dates
        ]
    )
    parts.table(
        rows,
        {
            "day": st.column_config.TextColumn(words.say("Date"), width="small"),
            "what": st.column_config.TextColumn(words.say("What is taken from it")),
        },
        name="dates",
        alt=words.say("Dates of the round"),
    )


def _rule_files(at: Here) -> None:
    words = at.words
    parts.section(words.say("Rules"), words.say("Files that the round was computed with"))
    rows = rule_files(at.round.receipt).with_columns(
        pl.col("what").map_elements(lambda what: words.say(RULES[what]), return_dtype=pl.String)
    )
    parts.table(
        rows,
        {
            "what": st.column_config.TextColumn(words.say("What")),
            "version": st.column_config.TextColumn(words.say("Version")),
            "sha256": st.column_config.TextColumn("SHA-256", width="large"),
        },
        name="rule_files",
        alt=words.say("Rules"),
    )


def _contents(at: Here) -> None:
    words = at.words
    parts.section(
        words.say("Inputs and tables"), words.say("Rows and content hash, as the receipt has them")
    )
    shown = parts.paged(words, contents(at.round.receipt))
    rows = shown.with_columns(
        pl.col("part").map_elements(lambda part: words.say(PARTS[part]), return_dtype=pl.String),
        pl.col("rows").map_elements(words.number, return_dtype=pl.String),
    )
    parts.table(
        rows,
        {
            "part": st.column_config.TextColumn(words.say("Part")),
            "table": st.column_config.TextColumn(words.say("Table")),
            "rows": _number(words.say("Rows")),
            "sha256": st.column_config.TextColumn("SHA-256", width="large"),
        },
        name="contents",
        alt=words.say("Inputs and tables"),
    )


def _waivers(at: Here) -> None:
    words = at.words
    held = waivers(at.round.receipt)
    if held.is_empty():
        parts.section(words.say("No finding was waived"))
        return
    parts.section(
        words.say_count("{count} waiver", "{count} waivers", held.height),
        words.say("Findings that were accepted, by whom and why"),
    )
    shown = parts.paged(words, held, "waivers")
    told = [amount_told(words, least, most) for least, most in shown.select("least", "most").rows()]
    parts.table(
        shown.with_columns(
            pl.col("findings").map_elements(words.number, return_dtype=pl.String),
            tenge=pl.Series(told, dtype=pl.String),
        ),
        {
            "by": st.column_config.TextColumn(words.say("Who")),
            "approved_by": st.column_config.TextColumn(words.say("Approved by")),
            "tenge": _number(words.say("Tenge a year less")),
            "reason": st.column_config.TextColumn(words.say("Why"), width="large"),
            "findings": _number(words.say("Findings")),
            "check": st.column_config.TextColumn(words.say("Check")),
            "college_id": st.column_config.TextColumn(words.say("College")),
            "column": st.column_config.TextColumn(words.say("Column")),
            "found": st.column_config.TextColumn(words.say("Found")),
        },
        name="waivers",
        alt=words.say("Findings that were accepted, by whom and why"),
    )


def _sources(at: Here) -> None:
    words, sources = at.words, at.round.sources
    parts.section(
        words.say("Files that were read"),
        words.say(
            "Computed from {started} to {finished}; key of the pseudonyms {key}",
            started=_time(at, dt.datetime.fromisoformat(sources["started"])),
            finished=_time(at, dt.datetime.fromisoformat(sources["finished"])),
            key=sources["pseudonym_key"],
        ),
    )
    shown = parts.paged(words, source_files(sources), "files")
    rows = shown.with_columns(
        pl.col("rows", "bytes").map_elements(words.number, return_dtype=pl.String),
        pl.col("table").map_elements(lambda name: term(words, name), return_dtype=pl.String),
    )
    parts.table(
        rows,
        {
            "file": st.column_config.TextColumn(words.say("File")),
            "table": st.column_config.TextColumn(words.say("Table")),
            "rows": _number(words.say("Rows")),
            "bytes": _number(words.say("Bytes")),
            "sha256": st.column_config.TextColumn("SHA-256", width="large"),
        },
        name="source_files",
        alt=words.say("Files that were read"),
    )


# ------------------------------------------------------------------------------------- one amount


def _amount(at: Here) -> None:
    words = at.words
    names = at.colleges()
    labels = {code: f"{name} · {code}" for code, name in names.items()}
    college = address.choose(
        "college",
        words.say("College"),
        labels,
        everything=words.say("Choose a college"),
        drop=("page",),
    )
    if college is None:
        parts.empty(
            words.say("Every amount is explained here, from the students to the tenge."),
            words.say("Choose a college: each step comes with its rule and its stored rows."),
        )
        return
    at.require_all_of(college)
    steps: list[Step] = kept(
        at, "explanation", lambda: explain_college(at.round, college, words.language), college
    )
    amount = amount_of(at.table("funding"), college) if at.has("funding") else None
    parts.section(
        words.say("No amount is paid")
        if amount is None
        else words.say("{amount} a year, step by step", amount=words.tenge(amount)),
        names[college],
    )
    _marks(at)
    for step in steps:
        _step(at, step)


def _marks(at: Here) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        if at.round.is_draft:
            parts.mark(at.words.say("draft"))
        if at.methodology.status == "illustrative":
            parts.mark(at.words.say("illustrative"))


def _step(at: Here, step: Step) -> None:
    words = at.words
    parts.section(f"{step.number}. {step.title}")
    st.markdown("\n".join(_bullet(line) for line in step.lines))
    if not step.parameters and not step.rows:
        return
    label = words.say_count(
        "Rules and {count} stored row", "Rules and {count} stored rows", len(step.rows)
    )
    with st.expander(label):
        if step.parameters:
            _parameters(at, step)
        if step.rows:
            stored = as_text(step.rows)
            st.dataframe(
                stored,
                hide_index=True,
                key=f"rows-{step.id}",
                alt=words.say("The stored rows of this step"),
                height="content" if stored.height <= parts.ROWS else 600,
            )
            _links(at, words.say("Table"), [STEP_TABLES[step.id]])


def _bullet(line: str) -> str:
    """Return a line of a step as an entry of a list; one that is set in belongs to that before."""
    return ("  " if line.startswith(" ") else "") + f"- {parts.plain(line.strip())}"


def _parameters(at: Here, step: Step) -> None:
    words = at.words
    rows = pl.DataFrame(
        [
            {
                "path": one.path,
                "value": one.value,
                "status": term(words, one.status),
                "version": one.version,
                "reference": one.reference,
            }
            for one in step.parameters
        ]
    )
    parts.table(
        rows,
        {
            "path": st.column_config.TextColumn(words.say("Parameter")),
            "value": st.column_config.TextColumn(words.say("Value"), alignment="right"),
            "status": st.column_config.TextColumn(words.say("Status")),
            "version": st.column_config.TextColumn(words.say("Version")),
            "reference": st.column_config.TextColumn(words.say("Reference"), width="large"),
        },
        name=f"parameters-{step.id}",
        alt=words.say("Parameters of this step"),
    )


# ------------------------------------------------------------------------------------ tables, SQL


def _sql(at: Here) -> None:
    words = at.words
    known: dict[str, Origin] = kept(at, "origins", lambda: origins(at.round))
    table = address.choose(
        "table",
        words.say("Table"),
        {name: name for name in known},
        everything=words.say("Choose a table"),
    )
    if table is None:
        parts.empty(
            words.say("Each table of a round is one SELECT, or one module of the product."),
            words.say("Choose a table: its SELECT leads on to the tables that it reads."),
        )
        return
    origin = known[table]
    parts.section(table, _kind(at, origin))
    if origin.comment:
        st.markdown(parts.plain(origin.comment))
    _links(at, words.say("Reads"), origin.reads)
    _links(at, words.say("Is read by"), readers(known, table))
    if origin.kind == SQL:
        st.code(origin.text, language="sql", line_numbers=True, wrap_lines=True)
    if origin.is_kept:
        _first_rows(at, table)


def _kind(at: Here, origin: Origin) -> str:
    say = at.words.say
    told = {
        SQL: say("Made by the SELECT {file} of this version", file=origin.file),
        CODE: say("Made by the module {file} of the product", file=origin.file),
        INPUT: say(
            "The input as it was read, {file}: rows of people are not shown", file=origin.file
        ),
    }.get(origin.kind, say("A reference table of this version, {file}", file=origin.file))
    if origin.kind == SQL and not origin.is_kept:
        not_kept = say("computed while the round is made, not kept")
        return f"{told} · {not_kept}"
    return told


def _links(at: Here, label: str, tables: Any) -> None:
    if not tables:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.caption(label, width="content")
        for name in tables:
            st.page_link(
                st.session_state["page"],
                label=parts.plain(name),
                query_params=address.link(part="sql", table=name),
            )


def _first_rows(at: Here, table: str) -> None:
    words = at.words
    stored = at.table(table).drop("suppressed")
    if stored.is_empty():
        parts.section(words.say("The table has no rows"))
        return
    parts.section(
        words.say_count("{count} row", "{count} rows", stored.height),
        words.say("The first of them, exactly as they are stored"),
    )
    st.dataframe(
        as_text(stored.head(FIRST_ROWS).to_dicts()),
        hide_index=True,
        key="first_rows",
        alt=words.say("The first rows of the table"),
        height="content",
    )


# ---------------------------------------------------------------------------------------- journal


def _journal(at: Here) -> None:
    words = at.words
    entries = read_journal(at.store)
    if not entries:
        parts.empty(
            words.say("The journal is empty: nothing of this store is published."),
            words.say("`kpi publish` writes its first line."),
        )
        return
    parts.section(
        words.say_count(
            "{count} line, each with the hash of the line before",
            "{count} lines, each with the hash of the line before",
            len(entries),
        ),
        words.say("The chain is whole. Its newest hash: {hash}", hash=entries[-1].sha256),
    )
    shown = parts.paged(words, journal_lines(entries))
    rows = pl.DataFrame(
        [
            {
                "number": words.number(row["number"]),
                "at": _time(at, dt.datetime.fromisoformat(row["at"])),
                "what": _what(at, row),
                "by": row["by"],
                "approved_by": row["approved_by"],
                "reason": row["reason"],
                "sha256": row["sha256"],
            }
            for row in shown.iter_rows(named=True)
        ]
    )
    parts.table(
        rows,
        {
            "number": _number(words.say("Line")),
            "at": st.column_config.TextColumn(words.say("When")),
            "what": st.column_config.TextColumn(words.say("What")),
            "by": st.column_config.TextColumn(words.say("Who")),
            "approved_by": st.column_config.TextColumn(words.say("Approved by")),
            "reason": st.column_config.TextColumn(words.say("Why")),
            "sha256": st.column_config.TextColumn(words.say("Hash of the line"), width="large"),
        },
        name="journal",
        alt=words.say("Journal"),
    )


def _what(at: Here, row: dict[str, Any]) -> str:
    action = row["action"]
    told = at.words.say(ACTIONS[action]) if action in ACTIONS else action
    said = [" ".join(one for one in (row["round"], row["version"]) if one), told, row["file"]]
    return " · ".join(str(one) for one in said if one)


def _time(at: Here, when: dt.datetime) -> str:
    """Return a moment as a date and the time of day, in UTC as it is stored."""
    return f"{at.words.day(when.date())} {when:%H:%M} UTC"


def _number(label: str) -> Any:
    return st.column_config.TextColumn(label, alignment="right", width="small")


page()
