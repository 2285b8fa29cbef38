"""The head of every page: the menu of the viewer's pages, the round, the language."""

from pathlib import Path
from typing import Any

import streamlit as st

from kpi.access import PAGES, Viewer
from kpi.language import Speaker
from views.frame import address
from views.frame.here import version_title, versions_there
from views.frame.people import sign_out, take_wanted

_STYLE = Path(__file__).with_name("style.css")
_NAMES = {"kk": "Қаз", "ru": "Рус", "en": "Eng"}


def page_file(page: str) -> str:
    """Return the file of a page, as the framework names it."""
    return f"views/{page}.py"


def titles(words: Speaker) -> dict[str, str]:
    """Return the title of each page."""
    return {
        "overview": words.say("Overview"),
        "ranking": words.say("Ranking"),
        "college": words.say("College"),
        "funding": words.say("Funding"),
        "scenario": words.say("Scenario"),
        "stability": words.say("Stability"),
        "data_check": words.say("Data check"),
        "audit": words.say("Audit"),
        "methodology": words.say("Methodology"),
    }


def all_pages(words: Speaker) -> dict[str, Any]:
    """Return every page by name, each at an address that is the same for everybody; those that are
    not for the viewer are there too, to refuse when their address is typed.
    """
    return {
        name: st.Page(page_file(name), title=title, url_path=name.replace("_", "-"))
        for name, title in titles(words).items()
    }


def first_page(viewer: Viewer, pages: dict[str, Any]) -> Any:
    """Return what stands at the bare address: the way to the page that was asked for before the
    viewer signed in, else to their first page.

    A page that the framework serves there would have no address of its own to be sent.
    """
    first = pages[PAGES[viewer.role][0]]

    def to_first() -> None:
        wanted, asked = take_wanted()
        state = {name: st.query_params.get_all(name) for name in st.query_params}
        [page] = [one for one in pages.values() if one.url_path == wanted] or [first]
        st.switch_page(page, query_params=asked | state)

    return st.Page(to_first, title=first.title, default=True)


def name_of(page: Any, pages: dict[str, Any]) -> str:
    """Return the name of the page that is to run; at the bare address this leads on."""
    found = [name for name, one in pages.items() if one.url_path == page.url_path]
    if not found:
        page.run()  # and never returns
    return found[0]


def draw_head(viewer: Viewer, words: Speaker, store: Path, pages: dict[str, Any]) -> None:
    """Draw the menu from links that keep the address's state, then round, language and viewer."""
    st.logo(str(Path(__file__).with_name("wordmark.svg")), size="medium")
    st.html(f"<style>{_STYLE.read_text(encoding='utf-8')}</style>")
    with st.container(
        key="choices",
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        gap="small",
    ):
        _choose_round(words, store)
        address.switch(
            "lang",
            words.say("Language"),
            _NAMES,
            default=words.language,
            label_visibility="collapsed",
        )
        _draw_viewer(viewer, words)
    with st.container(key="menu", horizontal=True, gap="xsmall"):
        for name in PAGES[viewer.role]:
            page = pages[name]
            st.page_link(page, label=page.title, query_params=address.link())


def _choose_round(words: Speaker, store: Path) -> None:
    there = {
        name: f"{name.partition('/')[0]} · {version_title(words, version)}"
        for name, version in versions_there(store).items()
    }
    if there:
        address.choose(
            "round",
            words.say("Round"),
            there,
            label_visibility="collapsed",
            width=250,
            filter_mode=None,
        )


def _draw_viewer(viewer: Viewer, words: Speaker) -> None:
    told = {
        "ministry": words.say("ministry"),
        "region": words.say("region"),
        "director": words.say("director"),
        "auditor": words.say("auditor"),
    }[viewer.role]
    is_local = viewer.name == "local"
    label = words.say("local analyst") if is_local else told
    with st.popover(label, icon=":material/person:", type="tertiary"):
        if is_local:
            st.markdown(
                words.say(
                    "Sign-in is not set up: this app serves one analyst at this machine, who may"
                    " do everything."
                )
            )
            return
        st.markdown(f"{viewer.name} · {told}")
        st.button(words.say("Sign out"), on_click=sign_out)
