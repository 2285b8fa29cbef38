"""Who looks: sign-in by OpenID Connect, roles from ``access.toml``, the end of idle sessions.

Without sign-in the app is for one analyst at this machine and answers nobody else: it looks at the
address it listens on and at every request, so that a proxy in front of it opens nothing.
"""

import ipaddress
import os
import threading
import time
from pathlib import Path
from typing import Any

import streamlit as st

from kpi.access import Access, Viewer, local_analyst, read_access
from kpi.errors import CallError
from kpi.language import Speaker

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
_CHECK_EVERY = 30.0
"""Seconds between two looks at whether a session has gone idle."""


def has_sign_in() -> bool:
    """Whether an OpenID provider is configured."""
    try:
        return "auth" in st.secrets
    except (FileNotFoundError, KeyError, st.errors.StreamlitAPIException):
        return False


def is_loopback(address: str | None) -> bool:
    """Whether an address, or a host with its port, is this machine's own."""
    host = (address or "").strip().rsplit("@", 1)[-1]
    host = host[1:].partition("]")[0] if host.startswith("[") else host
    host = host.partition(":")[0] if host.count(":") == 1 else host
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_local_request() -> bool:
    """Whether the server listens on this machine alone and the request comes from it."""
    headers = st.context.headers
    host = headers.get("Host")
    return (
        is_loopback(st.get_option("server.address"))
        and (host is None or is_loopback(host))  # a test without a browser has none
        and not any(headers.get(name) for name in FORWARDED)
    )


def who_looks(words: Speaker) -> Viewer:
    """Return the viewer; where nobody may look, say why and end the page."""
    if not has_sign_in():
        if not is_local_request():
            _refuse(
                words.say("Sign-in is not set up, so this app answers on this machine only."),
                words.say("Set up sign-in as the README shows, or open it at 127.0.0.1."),
            )
        return local_analyst()
    access = _table_of_people(words)
    if not st.user.get("is_logged_in"):
        _ask_to_sign_in(words)
    claims: dict[str, Any] = dict(st.user)
    if _is_idle(claims, access.idle_minutes):
        st.logout()
        st.stop()
    viewer = access.viewer(claims)
    if viewer is None:
        email = str(claims.get("email") or "?")
        _refuse(
            words.say("{email} is signed in, but has no role here.", email=email),
            words.say("Ask the operator of this system to name you in the table of people."),
            leave=words.say("Sign out"),
        )
        raise AssertionError
    _watch(access.idle_minutes, claims)
    return viewer


def _table_of_people(words: Speaker) -> Access:
    path = Path(os.environ.get("KPI_ACCESS", "access.toml"))
    try:
        return _read(path, path.stat().st_mtime_ns if path.exists() else 0)
    except CallError:
        _refuse(
            words.say("The table of people cannot be used, so nobody is let in."),
            words.say("The operator finds the reason in the server's log."),
        )
        raise


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(path: Path, _changed: int) -> Access:
    try:
        return read_access(path)
    except CallError as error:
        print(f"Error: {error}", flush=True)  # for the operator, in the server's log
        raise


def _refuse(what: str, do: str, leave: str | None = None) -> None:
    st.title(what)
    st.markdown(do)
    if leave:
        st.button(leave, on_click=st.logout)
    st.stop()


def _ask_to_sign_in(words: Speaker) -> None:
    st.title(words.say("Ranking and funding of colleges"))
    st.markdown(words.say("Sign in with the account that the ministry gave you a role for."))
    st.button(words.say("Sign in"), type="primary", on_click=st.login)
    st.stop()


# ------------------------------------------------------------------------------- idle sessions


class _Activity:
    """When each signed-in person last did something, on this server."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: dict[str, float] = {}

    def of(self, claims: dict[str, Any]) -> float:
        """Return the time of the last act: at least that of the sign-in."""
        with self.lock:
            return max(self.seen.get(_person(claims), 0.0), float(claims.get("iat") or 0.0))

    def mark(self, claims: dict[str, Any]) -> None:
        """Note that somebody does something now."""
        with self.lock:
            self.seen[_person(claims)] = time.time()


@st.cache_resource(show_spinner=False)
def _activity() -> _Activity:
    return _Activity()


def _person(claims: dict[str, Any]) -> str:
    return f"{claims.get('iss')} {claims.get('sub')}"


def _is_idle(claims: dict[str, Any], minutes: int) -> bool:
    """Whether nothing was done for so long; if not, this run is something done."""
    activity = _activity()
    if time.time() - activity.of(claims) > 60 * minutes:
        return True
    activity.mark(claims)
    return False


def _watch(minutes: int, claims: dict[str, Any]) -> None:
    """End the session of a page that lies open: look now and then, which is nothing done."""

    @st.fragment(run_every=_CHECK_EVERY)
    def look() -> None:
        if time.time() - _activity().of(claims) > 60 * minutes:
            st.rerun()

    look()
