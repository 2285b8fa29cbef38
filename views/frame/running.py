"""Run one page: refuse those that are not for the viewer, say what the reader must know first."""

from typing import Any

import streamlit as st

from kpi.access import PAGES, Viewer
from kpi.errors import CallError
from kpi.language import Speaker
from views.frame import address
from views.frame.here import (
    Here,
    newer_draft,
    round_here,
    store_folder,
    version_title,
    versions_there,
)
from views.frame.menu import page_file
from views.frame.parts import empty, plain, show_error

WITHOUT_ROUND = ("data_check", "methodology")
"""Pages that stand without any round in the store."""


def run_page(page: Any, name: str, viewer: Viewer, words: Speaker) -> None:
    """Run a page of the viewer's, or refuse it."""
    if name not in PAGES[viewer.role]:
        st.title(plain(words.say("This page is not for your role.")))
        first = PAGES[viewer.role][0]
        st.page_link(
            page_file(first), label=words.say("To your first page"), query_params=address.link()
        )
        return
    store = store_folder()
    if not versions_there(store):
        _run_without(page, name, viewer, words)
        return
    of_round, notice = round_here(words, store)
    here = Here(words, viewer, store, of_round)
    st.session_state["here"] = here
    if notice:
        st.warning(plain(notice), icon=":material/history:")
    _say_newer(here)
    try:
        page.run()
    except CallError as error:
        show_error(words, error)
    except OSError:
        if of_round.path.exists():
            raise
        empty(
            words.say("This draft was replaced by a newer one while the page was open."),
            words.say("Load the page again to see the newer one."),
        )


def _run_without(page: Any, name: str, viewer: Viewer, words: Speaker) -> None:
    """Say that the store is empty; the pages that need no round are run."""
    st.session_state["here"] = Here(words, viewer, store_folder(), None)
    if name in WITHOUT_ROUND:
        page.run()
        return
    st.title(words.say("There is no round yet."))
    st.markdown(words.say("Upload the registers on the page Data check and run a draft."))
    st.page_link(page_file("data_check"), query_params=address.link())


def _say_newer(here: Here) -> None:
    """Say that a newer draft is there than what is shown."""
    newer = newer_draft(here)
    if newer is None or address.value("round") is None:
        return
    st.page_link(
        st.session_state["page"],
        label=here.words.say(
            "A newer version of this round is there: {version}",
            version=version_title(here.words, newer),
        ),
        icon=":material/update:",
        query_params={**address.link(), "round": f"{here.round.name}/{newer}"},
    )
