"""A round opened for scenarios, kept for all who look at it; one at a time works with it.

What comes out of a desk is of every college: a page shows of it only what the viewer may see.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from funding.scenario import Desk
from kpi.rounds import Round
from views.frame.here import Here


@dataclass
class _Shared:
    """A desk, and the lock that its holder has: desk and database remember their last question."""

    desk: Desk
    lock: Any = field(default_factory=threading.RLock)


@contextmanager
def desk_here(at: Here) -> Iterator[Desk]:
    """Give the desk of the round that is shown, to nobody else at the same time.

    Opening one takes a quarter of a second, so two are kept: baseline and a round beside it. Keep
    results with ``kept`` and hold the desk no longer than they take. Raises CallError for a round
    without funding.
    """
    shared = _opened(at.round_key, at.round, at.store)
    with shared.lock:
        yield shared.desk


@st.cache_resource(max_entries=2, show_spinner=False)
def _opened(round_key: str, _of_round: Round, _store: Path) -> _Shared:  # key: the round alone
    return _Shared(Desk(_of_round, _store))
