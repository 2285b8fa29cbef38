"""Parts that pages are put together from: the answer, figures, help, errors, downloads, tables."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import streamlit as st

from kpi.errors import CallError
from kpi.language import Speaker
from kpi.package import HIDDEN
from views.frame import address
from views.frame.menu import page_file

ROWS = 25
"""Rows of a table a page."""

Row = Mapping[str, Any]


def plain(text: str) -> str:
    """Return a text that Markdown shows as it stands: names come from the input."""
    for mark in "\\`*_{}[]()<>#+-.!|~$:@":
        text = text.replace(mark, f"\\{mark}")
    return text


def answer(sentence: str, context: str = "") -> None:
    """Open a page: where we are in small, then the sentence that its reader came for."""
    if context:
        st.caption(plain(context))
    st.title(plain(sentence), anchor=False)


def section(title: str, caption: str = "", help: str | None = None) -> None:
    """Open a part of a page: the finding as title, the subject in small."""
    st.header(plain(title), anchor=False, help=help)
    if caption:
        st.caption(plain(caption))


def figures(entries: Iterable[tuple[str, str, str, str]]) -> None:
    """Draw up to four figures side by side: label, value, what it is of, how it is computed."""
    entries = list(entries)
    for column, (label, shown, of, how) in zip(st.columns(len(entries)), entries, strict=True):
        column.metric(
            plain(label),
            shown,
            delta=of or None,
            delta_color="off",
            delta_arrow="off",
            help=how or None,
        )


def hidden(words: Speaker) -> str:
    """Return what stands in place of a count that is hidden."""
    return words.say("under 5")


def is_hidden(row: Row, column: str) -> bool:
    """Whether a cell of a row from ``Here.table`` is hidden from the viewer."""
    return column in (row.get(HIDDEN) or "").split()


def share_of(words: Speaker, row: Row) -> str:
    """Return a share with its counts: 68.2 % (132 of 194); hidden ones as such."""
    return f"{share(words, row)} ({counts(words, row)})"


def share(words: Speaker, row: Row) -> str:
    """Return the value of a KPI in words: a percentage, or what stands in its place."""
    if is_hidden(row, "value"):
        return hidden(words)
    if row["value"] is None:
        return words.say("no data")
    if row.get("kind") in ("ratio", "points"):
        return words.number(round(row["value"], 1), 1)
    if row.get("kind") == "median":
        return words.tenge(round(row["value"]))
    if row.get("kind") == "flag":
        return words.say("yes") if row["value"] else words.say("no")
    return words.percent(row["value"])


def counts(words: Speaker, row: Row) -> str:
    """Return the counts of a row: 132 of 194."""
    return words.say(
        "{part} of {whole}",
        part=count(words, row, "numerator"),
        whole=count(words, row, "denominator"),
    )


def count(words: Speaker, row: Row, column: str) -> str:
    """Return one count of a row."""
    if is_hidden(row, column):
        return hidden(words)
    return words.number(row[column]) if row[column] is not None else "–"


def how(words: Speaker, page: str, label: str | None = None, **more: str | None) -> None:
    """Lead to how a figure is computed."""
    st.page_link(
        page_file(page),
        label=label or words.say("How is this computed?"),
        icon=":material/help:",
        query_params=address.link(**more),
    )


def mark(text: str) -> None:
    """Draw a mark that goes with a figure: draft, illustrative, scenario, estimate."""
    st.badge(plain(text), color="orange")


def empty(what: str, do: str = "") -> None:
    """Say that there is nothing, and what to do."""
    st.info(plain(what) + (f"  \n{plain(do)}" if do else ""), icon=":material/info:")


def show_error(words: Speaker, error: CallError) -> None:
    """Show what, where, found, expected and what to do."""
    labels = {
        "where": words.say("Where"),
        "found": words.say("Found"),
        "expected": words.say("Expected"),
        "do": words.say("What to do"),
    }
    lines = [f"**{plain(words.error(error.what))}**"]
    for name, text in error.parts.items():
        if text:
            told = words.error(text) if name == "do" else text
            told = _expected(words, text) if name == "expected" else told
            lines.append(f"{labels[name]}: {plain(told)}".replace("\n", "  \n"))
    st.error("  \n".join(lines), icon=":material/error:")


def _expected(words: Speaker, text: str) -> str:
    """Say what was expected: one of some codes, or a form."""
    before, of, options = text.partition("one of ")
    if of and not before:
        return words.say("one of {options}", options=options)
    return words.form(text)


def download(
    label: str, name: str, make: Callable[[Path], Path], mime: str, key: str, **more: Any
) -> None:
    """Draw a button whose file is made when it is pressed. ``make`` writes into a folder that is
    gone afterwards, and returns the file.
    """

    def content() -> bytes:
        with TemporaryDirectory() as folder:
            return make(Path(folder)).read_bytes()

    st.download_button(
        label, content, file_name=name, mime=mime, key=key, on_click="ignore", **more
    )


def paged(words: Speaker, rows: pl.DataFrame) -> pl.DataFrame:
    """Draw the choice of a page and return the rows of it."""

    def told(first: int, last: int, of: int) -> str:
        return words.say(
            "{first}–{last} of {of}",
            first=words.number(first),
            last=words.number(last),
            of=words.number(of),
        )

    number = address.page_of(rows.height, ROWS, told)
    return rows.slice((number - 1) * ROWS, ROWS)


def table(
    rows: pl.DataFrame, columns: Mapping[str, Any], *, name: str, alt: str, **more: Any
) -> Any:
    """Draw a table to look things up in: only the columns named, with their words."""
    return st.dataframe(
        rows.select(*columns),
        column_config=dict(columns),
        hide_index=True,
        key=name,
        alt=alt,
        height="content",
        **more,
    )
