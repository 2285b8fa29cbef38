"""Long work on a page: asked for by a button, with its steps and a way to cancel it.

The framework ends a run at the next thing that it draws when the reader presses anything: the step
of the progress bar is such a thing. So a note that work was begun, which only its end takes away,
tells the next run that it was cancelled, by whatever button.
"""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from kpi.intake import Report
from kpi.language import Speaker
from kpi.steps import how_far, told

Made = TypeVar("Made")


def ask_button(name: str, label: str, **more: object) -> None:
    """Draw the button that asks for work; ``is_asked`` says it to the run that follows."""
    st.button(label, key=f"{name}:ask", on_click=_ask, args=(name,), **more)  # type: ignore[arg-type]


def _ask(name: str) -> None:
    st.session_state[f"{name}:asked"] = True


def is_asked(name: str) -> bool:
    """Whether the work was asked for just now: said once."""
    return bool(st.session_state.pop(f"{name}:asked", False))


def work(words: Speaker, name: str, way: str, do: Callable[[Report], Made]) -> Made:
    """Do the work under a bar with its steps and a button that cancels it.

    ``way`` is the kind of work that ``kpi.steps`` knows. An error is the end of the work too.
    """
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, text=words.say("Starting"))
        st.button(words.say("Cancel"), key=f"{name}:cancel", icon=":material/close:")
    st.session_state[f"{name}:begun"] = True

    def report(step: str, done: int, total: int) -> None:
        bar.progress(how_far(way, step, done, total), text=told(words, step))

    try:
        made = do(report)
    except Exception:  # no framework's signal that ends the run: those are no Exceptions
        del st.session_state[f"{name}:begun"]
        place.empty()
        raise
    del st.session_state[f"{name}:begun"]
    place.empty()
    return made


def was_cancelled(name: str) -> bool:
    """Whether work that was begun did not come to its end: said once."""
    return bool(st.session_state.pop(f"{name}:begun", False))
