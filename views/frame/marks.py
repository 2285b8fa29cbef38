"""The marks that go with every figure of a round: draft, illustrative."""

import streamlit as st

from views.frame import parts
from views.frame.here import Here


def round_marks(at: Here) -> dict[str, str]:
    """Return the marks that the round's figures carry, by code, in words."""
    words = at.words
    told = {}
    if at.round.is_draft:
        told["draft"] = words.say("draft, not published")
    if at.methodology.status == "illustrative":
        told["illustrative"] = words.say("weights, gates and leagues are illustrative")
    return told


def draw_marks(at: Here) -> None:
    """Draw the marks under the sentence that a page opens with."""
    told = round_marks(at)
    if told:
        with st.container(horizontal=True, gap="small", key="marks"):
            for text in told.values():
                parts.mark(text)
