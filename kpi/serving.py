"""The app's server: what has to hold is checked before it starts, so that nothing opens by mistake.

Without sign-in it listens on this machine alone. With sign-in it needs the table of people, a
secret that signs cookies and cannot be guessed, and a public address that nobody can listen in on.
"""

import ipaddress
import os
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kpi.access import read_access
from kpi.errors import CallError
from kpi.resources import app_file

STORE, ACCESS, SIGN_IN = "KPI_STORE", "KPI_ACCESS", "KPI_SIGN_IN"
"""How the pages learn of the store, of the table of people, and that nobody is let in unasked."""

_EXTRA = ("streamlit", "altair", "font_source_sans_pro", "typst", "vl_convert")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_SECRET_LENGTH = 32


def is_loopback(address: str | None) -> bool:
    """Whether an address, or a host with its port, is this machine's own."""
    text = address or ""
    is_bare = text.count(":") > 1 and not text.startswith("[")
    try:
        parts = urlsplit(f"//[{text}]" if is_bare else f"//{text}")
        host = parts.hostname or ""
        if parts.netloc != (f"[{text}]" if is_bare else text) or "@" in text:
            return False
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(store: Path, address: str, port: int, access: Path, secrets: Path | None) -> None:
    """Run the app until it is stopped by a signal. Raises CallError where it must not start.

    ``secrets``: the file with the section ``[auth]`` for Streamlit; None for its usual places.
    """
    _require_extra()
    _require_store(store)
    script = app_file()
    options = _options(address, port, secrets)
    from streamlit import config
    from streamlit.web import bootstrap

    config._main_script_path = str(script)
    bootstrap.load_config_options(options)
    sign_in = _sign_in()
    hosts = [*_THIS_MACHINE, address]
    if sign_in is None:
        _require_this_machine(address)
    else:
        hosts.append(_public_host(sign_in))
        read_access(access)
    options["server.allowedHosts"] = hosts
    config.set_option("server.allowedHosts", hosts)
    _require_free(address, port)
    os.environ[STORE] = str(store.absolute())
    os.environ[ACCESS] = str(access.absolute())
    os.environ[SIGN_IN] = "required" if sign_in is not None else ""
    shown = f"[{address}]" if ":" in address else address
    who = "sign-in required" if sign_in is not None else "one local analyst, no sign-in"
    print(f"Rounds of {store}: http://{shown}:{port} ({who}). Ctrl-C ends it.", flush=True)
    bootstrap.run(str(script), False, [], options)


def _options(address: str, port: int, secrets: Path | None) -> dict[str, Any]:
    """Return what holds whatever other configuration the machine has: identity comes from the
    signed cookie alone, and no other way into the app is opened.
    """
    options: dict[str, Any] = {
        "server.address": address,
        "server.port": port,
        "server.headless": True,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.trustedUserHeaders": {},
        "server.enableAgentApi": False,
        "server.enableStaticServing": False,
        "client.showErrorDetails": "none",
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
    }
    if secrets is not None:
        if not secrets.is_file():
            raise CallError(
                "The file of secrets is not there.", where="--secrets", found=str(secrets)
            )
        options["secrets.files"] = [str(secrets.absolute())]
    return options


def _require_extra() -> None:
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise CallError(
            "The app is not installed.",
            found=f"without {', '.join(missing)}",
            do='pip install "college-kpi[app]"',
        )


def _require_store(store: Path) -> None:
    if store.exists() and not store.is_dir():
        raise CallError("The store is no folder.", where="--store", found=str(store))


def _require_this_machine(address: str) -> None:
    if not is_loopback(address):
        raise CallError(
            "Without sign-in the app serves this machine alone.",
            where="--address",
            found=address,
            expected="127.0.0.1",
            do="Configure sign-in (--secrets, section [auth]) as the README shows.",
        )


def _sign_in() -> Mapping[str, Any] | None:
    """Return the section [auth]; None where no file of secrets has one.

    A file that cannot be read is an error: what it says of sign-in is not known.
    """
    import streamlit as st
    from streamlit.auth_util import validate_auth_credentials
    from streamlit.errors import StreamlitAuthError, StreamlitSecretNotFoundError

    try:
        if "auth" not in st.secrets:
            return None
        validate_auth_credentials("default")
        found: Mapping[str, Any] = st.secrets["auth"]
        return found
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return None
        raise CallError("The file of secrets cannot be read.", found=str(error)) from error
    except StreamlitAuthError as error:
        raise CallError(
            "Sign-in is not fully configured.",
            where="[auth]",
            found=" ".join(str(error).split()),
            expected="redirect_uri, cookie_secret, client_id, client_secret, server_metadata_url",
        ) from error


def _public_host(sign_in: Mapping[str, Any]) -> str:
    """Return the host under which people reach the app. Raises CallError for a sign-in that
    protects nothing.
    """
    secret, address = str(sign_in["cookie_secret"]), str(sign_in["redirect_uri"])
    if len(secret) < _SECRET_LENGTH:
        raise CallError(
            "The secret that signs cookies can be guessed.",
            where="[auth] cookie_secret",
            found=f"{len(secret)} characters",
            expected=f"{_SECRET_LENGTH} or more, drawn at random",
            do='python -c "import secrets; print(secrets.token_urlsafe(48))"',
        )
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise CallError(
            "People would sign in over a line that others can read.",
            where="[auth] redirect_uri",
            found=address,
            expected="https://…/oauth2callback",
            do="Put a reverse proxy with a certificate before the app, as the README shows.",
        )
    return host


def _require_free(address: str, port: int) -> None:
    """Raise CallError where the address is not this machine's or the port is taken."""
    try:
        family, kind, protocol, _, at = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(at)
    except OSError as error:
        raise CallError(
            "The app cannot listen there.",
            where=f"{address}, port {port}",
            found=error.strerror or str(error),
            do="Choose another --port, or end what uses this one.",
        ) from error
