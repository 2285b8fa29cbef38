"""Who looks: sign-in by OpenID Connect, roles from ``access.toml``, the end of idle sessions.

Without sign-in the app is for one analyst at this machine and answers nobody else: it looks at the
address it listens on and at every request, so that a proxy in front of it opens nothing.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

from kpi.access import Access, AccessError, Viewer, local_analyst, read_access
from kpi.errors import CallError
from kpi.language import Speaker
from kpi.serving import ACCESS, SIGN_IN, is_loopback

_OF_PROXIES = ("forwarded", "x-forwarded", "x-real-ip", "x-client-ip", "via", "cf-", "true-client")
"""How the headers begin that only somebody between the browser and the app writes."""

_LONGEST_LOOK = 30.0
"""Seconds at most between two looks at whether a session has gone idle."""

_KEPT_FOR = 30 * 24 * 3600
"""Seconds for which a browser keeps the cookie, and we what we know of it."""


def has_sign_in() -> bool:
    """Whether people have to sign in: as the server was started, or where a file of secrets says
    so, or cannot be read and might say so.
    """
    if os.environ.get(SIGN_IN):
        return True
    try:
        return "auth" in st.secrets
    except st.errors.StreamlitSecretNotFoundError as error:
        return error.error_id != "no-secrets-found"


def is_local_request() -> bool:
    """Whether the server listens on this machine alone and the request comes from it.

    ``Host`` and ``Origin`` are those of a name that leads elsewhere when a page of somebody else's
    asks (DNS rebinding), or when a proxy passes a request on.
    """
    headers = {name.casefold(): text for name, text in st.context.headers.items()}
    host, origin = headers.get("host"), headers.get("origin")
    return (
        is_loopback(st.get_option("server.address"))
        and (host is None or is_loopback(host))  # a test without a browser has none
        and (origin is None or is_loopback(origin.partition("://")[2]))
        and not any(name.startswith(_OF_PROXIES) for name in headers)
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
    claims: dict[str, Any] = dict(st.user)
    if claims.get("is_logged_in") is not True:
        _ask_to_sign_in(words)
    if _ACTIVITY.is_over(claims, access.idle_minutes):
        _leave(claims)
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
    _ACTIVITY.mark(claims)
    st.session_state["looks"] = viewer, claims
    _watch(access.idle_minutes, claims, viewer)
    return viewer


def permission() -> Callable[[], None]:
    """Return what raises AccessError once the viewer of this run may not look any more.

    A file that a button offers is made when the button is pressed, outside any run of the page:
    whoever makes it asks first.
    """
    found = st.session_state.get("looks")

    def require() -> None:
        if found is not None and not _may_look(*found):
            raise AccessError("The session has ended.", do="Load the page again.")
        if found is not None:
            _ACTIVITY.mark(found[1])

    return require


def sign_out() -> None:
    """End the session in every tab of the browser, and wherever else its cookie was carried."""
    _leave(dict(st.user))


def _leave(claims: Mapping[str, Any]) -> None:
    _ACTIVITY.end(claims)
    st.logout()


def _may_look(viewer: Viewer, claims: Mapping[str, Any]) -> bool:
    try:
        access = _people()
    except CallError:
        return False
    over = _ACTIVITY.is_over(claims, access.idle_minutes)
    return not over and access.viewer(claims) == viewer


def _table_of_people(words: Speaker) -> Access:
    try:
        return _people()
    except CallError:
        _refuse(
            words.say("The table of people cannot be used, so nobody is let in."),
            words.say("The operator finds the reason in the server's log."),
        )
        raise


def _people() -> Access:
    path = Path(os.environ.get(ACCESS, "access.toml"))
    try:
        found = path.stat()
    except OSError:
        return _read(path, 0, 0)
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int, _size: int) -> Access:
    try:
        return read_access(path)
    except CallError as error:
        print(f"Error: {error}", flush=True)  # for the operator, in the server's log
        raise


def _refuse(what: str, do: str, leave: str | None = None) -> None:
    from views.frame.parts import plain  # which stands on the menu, and that on this module

    st.title(plain(what), anchor=False)
    st.markdown(plain(do))
    if leave:
        st.button(leave, on_click=sign_out)
    st.stop()


def _ask_to_sign_in(words: Speaker) -> None:
    st.title(words.say("Ranking and funding of colleges"), anchor=False)
    st.markdown(words.say("Sign in with the account that the ministry gave you a role for."))
    st.button(words.say("Sign in"), type="primary", on_click=_sign_in_from_here)
    st.stop()


# ------------------------------------------------------------------- the address that was asked for


_COOKIE = "_streamlit_xsrf"
"""What a browser keeps while somebody signs in, when the framework's own state is lost; the token
in it is written otherwise each time.
"""

_MOST_WANTED = 1000

_wanted: dict[bytes, tuple[str, dict[str, list[str]]]] = {}
"""What each browser asked for before it was sent to the provider; the oldest are dropped."""


def _sign_in_from_here() -> None:
    if browser := _browser():
        page = (st.context.url or "").rpartition("/")[2]
        query = {name: st.query_params.get_all(name) for name in st.query_params}
        _wanted[browser] = page, query
        for oldest in list(_wanted)[:-_MOST_WANTED]:
            _wanted.pop(oldest, None)
    st.login()


def take_wanted() -> tuple[str, dict[str, list[str]]]:
    """Return the page (as its address has it, or nothing) and the query that the browser asked for
    before its person signed in: said once.
    """
    return _wanted.pop(_browser(), ("", {}))


def _browser() -> bytes:
    """Return the token that tells one browser from another; nothing where it keeps no cookie."""
    token, _ = decode_xsrf_token_string(st.context.cookies.get(_COOKIE) or "")
    return token or b""


# ------------------------------------------------------------------------------- idle sessions


class _Activity:
    """When something was last done with each sign-in, on this server, and which have ended.

    A sign-in is a person at a browser: what they do at one does not keep another one open.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: dict[str, float] = {}
        self.ended: dict[str, float] = {}

    def is_over(self, claims: Mapping[str, Any], minutes: float) -> bool:
        """Whether the person signed out, or nothing was done for so long.

        A server that was started since then knows of no act; the sign-in itself was one.
        """
        name = _sign_in(claims)
        with self.lock:
            last = max(self.seen.get(name, 0.0), float(claims.get("iat") or 0.0))
            return name in self.ended or time.time() - last > 60 * minutes

    def mark(self, claims: Mapping[str, Any]) -> None:
        """Note that somebody does something now."""
        with self.lock:
            self.seen[_sign_in(claims)] = time.time()

    def end(self, claims: Mapping[str, Any]) -> None:
        """Note that a sign-in has ended, whoever shows its cookie again."""
        now = time.time()
        with self.lock:
            self.ended[_sign_in(claims)] = now
            for kept in (self.seen, self.ended):
                for name in [name for name, at in kept.items() if now - at > _KEPT_FOR]:
                    del kept[name]


_ACTIVITY = _Activity()


def _sign_in(claims: Mapping[str, Any]) -> str:
    return " ".join(str(claims.get(name)) for name in ("iss", "sub", "iat", "nonce"))


def _watch(minutes: float, claims: Mapping[str, Any], viewer: Viewer) -> None:
    """End the session of a page that lies open, and of somebody who has lost their role: look now
    and then, which is nothing done.
    """

    @st.fragment(run_every=min(_LONGEST_LOOK, 30 * minutes))
    def look() -> None:
        if not _may_look(viewer, claims):
            st.rerun()

    look()
