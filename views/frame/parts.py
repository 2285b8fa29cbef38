"""Parts that pages are put together from: the answer, figures, help, errors, downloads, tables."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import streamlit as st

from kpi import told
from kpi.errors import CallError
from kpi.language import Speaker, error_parts
from views.frame import address
from views.frame.menu import page_file
from views.frame.people import permission

ROWS = 25
"""Rows of a table a page."""

Row = told.Row
# a figure is said on screen as it is on paper
hidden, is_hidden = told.hidden, told.is_hidden
share, share_of = told.share, told.share_of
count, counts = told.count, told.counts


_NO_LINK = "\u2060"
"""Has no width; between the letters of an address it keeps Markdown from making a link of it."""


def plain(text: str) -> str:
    """Return a text that Markdown shows as it stands: names come from the input."""
    for start in ("://", "www.", "@"):
        text = text.replace(start, start[:-1] + _NO_LINK + start[-1])
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
    columns = st.columns(len(entries), vertical_alignment="bottom")
    for column, (label, shown, of, how) in zip(columns, entries, strict=True):
        column.metric(
            plain(label),
            shown,
            delta=of or None,
            delta_color="off",
            delta_arrow="off",
            help=how or None,
        )


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
    """Show what, where, found, expected and what to do; of several errors each."""
    if error.each != (error,):
        for one in error.each:
            show_error(words, one)
        return
    told = (plain(part).replace("\n", "  \n") for part in error_parts(words, error))
    lines = [f"**{plain(words.error(error.what))}**", *told]
    st.error("  \n".join(lines), icon=":material/error:")


def download(
    label: str, name: str, make: Callable[[Path], Path], mime: str, key: str, **more: Any
) -> None:
    """Draw a button whose file is made when it is pressed. ``make`` writes into a folder that is
    gone afterwards, and returns the file. Nothing is made for somebody who may not look any more.
    """
    require_permission = permission()

    def content() -> bytes:
        require_permission()
        with TemporaryDirectory() as folder:
            return make(Path(folder)).read_bytes()

    st.download_button(
        label, content, file_name=name, mime=mime, key=key, on_click="ignore", **more
    )


def paged(words: Speaker, rows: pl.DataFrame, name: str = "page") -> pl.DataFrame:
    """Draw the choice of a page and return the rows of it; ``name`` stands in the address."""

    def told(first: int, last: int, of: int) -> str:
        return words.say(
            "{first}–{last} of {of}",
            first=words.number(first),
            last=words.number(last),
            of=words.number(of),
        )

    number = address.page_of(rows.height, ROWS, told, name)
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


def lead_to_college(rows: pl.DataFrame, chosen: Any) -> None:
    """Lead to the college of the row that was chosen in a table of ``rows``, if one was; going back
    shows the page as it was left.
    """
    if picked := chosen.selection.rows:
        college = str(rows["college_id"][picked[0]])
        st.switch_page(page_file("college"), query_params=address.onward(college=college))


def small_table(
    rows: Iterable[Mapping[str, str]], titles: Mapping[str, str], *, name: str, alt: str
) -> None:
    """Draw a short table of which nothing may be cut: long names go over several lines.

    ``rows``: text by column; ``titles``: the columns' words. The first column names the row, the
    others stand at the right.
    """
    cells = [{plain(title): plain(row[column]) for column, title in titles.items()} for row in rows]
    with st.container(key=f"table-{name}"):
        st.table(pl.DataFrame(cells), border="horizontal", hide_index=True, alt=alt)
