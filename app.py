"""The app's frame: sign in, build the navigation, run the page. Started by `kpi app`."""

from pathlib import Path

import streamlit as st

from kpi.errors import CallError
from views.frame.here import store_folder, words_here
from views.frame.menu import all_pages, draw_head
from views.frame.parts import show_error
from views.frame.people import who_looks
from views.frame.running import run_page

words = words_here()
st.set_page_config(
    page_icon=str(Path(__file__).parent / "views" / "frame" / "icon.svg"), layout="wide"
)
viewer = who_looks(words)
pages = all_pages(viewer, words)
page = st.navigation(list(pages.values()), position="hidden")
[name] = [name for name, one in pages.items() if one.title == page.title]
st.session_state["page"] = page
try:
    draw_head(viewer, words, store_folder(), pages)
    run_page(page, name, viewer, words)
except CallError as error:
    show_error(words, error)
