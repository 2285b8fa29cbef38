"""Who is let in: sign-in, the table of people, this machine alone, idle and ended sessions."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from screens import ROOT, texts
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.testing.v1 import AppTest

from kpi.access import AccessError, Role, Viewer
from views.frame import people

TABLE = '[[people]]\nemail = "m@example.org"\nrole = "ministry"\n'
LOCAL = "local analyst"

Look = Callable[..., AppTest]


def claims(**changed: Any) -> dict[str, Any]:
    """Those of the one person of the table, who signed in just now."""
    told = {"is_logged_in": True, "email": "m@example.org", "email_verified": True}
    return told | {"iss": "https://id", "sub": "1", "iat": time.time(), "nonce": "n"} | changed


@pytest.fixture
def look(app_store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Look:
    """Open the app as a request with these headers and claims, with or without sign-in."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("KPI_STORE", str(app_store))
    table = tmp_path / "access.toml"
    monkeypatch.setenv("KPI_ACCESS", str(table))
    monkeypatch.setattr(people, "_ACTIVITY", people._Activity())
    left: list[bool] = []
    monkeypatch.setattr(st, "logout", lambda: left.append(True))

    def opened(
        told: dict[str, Any] | None = None,
        sign_in: bool = True,
        people_table: str | None = TABLE,
        **headers: str,
    ) -> AppTest:
        monkeypatch.setenv("KPI_SIGN_IN", "required" if sign_in else "")
        if people_table is not None:
            table.write_text(people_table, encoding="utf-8")
        elif table.exists():
            table.unlink()
        if told is not None:
            monkeypatch.setattr(st, "user", told)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        context = SimpleNamespace(
            headers=named, locale="en", cookies={}, theme=SimpleNamespace(type="light")
        )
        monkeypatch.setattr(st, "context", context)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        assert not app.exception
        return app

    opened.left = left  # type: ignore[attr-defined]
    return opened


def is_in(app: AppTest) -> bool:
    """Whether somebody was let in: the menu and the page are there."""
    return any(button.label == "Sign out" for button in app.button) and len(app.selectbox) > 0


# ------------------------------------------------------------------------------ without sign-in


def test_without_sign_in_the_one_at_this_machine_is_an_analyst_and_is_told_so(look: Look) -> None:
    app = look(sign_in=False, Host="127.0.0.1:8501", Origin="http://127.0.0.1:8501")
    assert "serves one analyst at this machine" in texts(app)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "kpi.example.org"},
        {"Host": "evil.example:8501", "Origin": "http://evil.example:8501"},
        {"Host": "127.0.0.1:8501", "Origin": "https://kpi.example.org"},
        {"Host": "127.0.0.1:8501", "Origin": "null"},
        {"Host": "127.0.0.1:8501", "X_Forwarded_For": "10.0.0.1"},
        {"Host": "127.0.0.1:8501", "X_Forwarded_Proto": "https"},
        {"Host": "127.0.0.1:8501", "x_real_ip": "10.0.0.1"},
        {"Host": "127.0.0.1:8501", "Forwarded": "for=10.0.0.1"},
        {"Host": "127.0.0.1:8501", "Via": "1.1 proxy"},
    ],
)
def test_a_request_through_a_proxy_or_under_another_name_is_refused(
    look: Look, headers: dict[str, str]
) -> None:
    app = look(sign_in=False, **headers)
    assert "answers on this machine only" in texts(app)
    assert not app.selectbox


def test_a_server_that_listens_elsewhere_refuses_everybody(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = st.get_option
    monkeypatch.setattr(
        st, "get_option", lambda name: "0.0.0.0" if name == "server.address" else known(name)
    )
    assert "answers on this machine only" in texts(look(sign_in=False, Host="127.0.0.1"))


def test_secrets_that_cannot_be_read_might_ask_for_sign_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        def __init__(self, error_id: str) -> None:
            self.error_id = error_id

        def __contains__(self, _: object) -> bool:
            raise StreamlitSecretNotFoundError("wrong", error_id=self.error_id)

    monkeypatch.delenv("KPI_SIGN_IN", raising=False)
    monkeypatch.setattr(st, "secrets", Broken("no-secrets-found"))
    assert not people.has_sign_in()
    monkeypatch.setattr(st, "secrets", Broken("failed-parsing-secrets-file"))
    assert people.has_sign_in()


# --------------------------------------------------------------------------------- with sign-in


def test_an_email_without_a_sign_in_is_asked_to_sign_in(look: Look) -> None:
    for told in (None, {"email": "m@example.org"}, claims(is_logged_in="true")):
        app = look(told, Host="127.0.0.1")
        assert [button.label for button in app.button] == ["Sign in"]
        assert not app.selectbox


def test_who_is_named_is_let_in_from_everywhere(look: Look) -> None:
    assert is_in(look(claims(), Host="kpi.example.org", X_Forwarded_For="10.0.0.1"))


def test_who_is_not_named_is_told_so_and_can_sign_out(look: Look) -> None:
    app = look(claims(email="<script>alert(1)</script>@x"))
    assert "has no role here" in texts(app)
    assert "\\<script\\>" in app.title[0].value
    assert [button.label for button in app.button] == ["Sign out"]


def test_who_loses_the_role_is_out_at_the_next_run(look: Look) -> None:
    app = look(claims())
    assert is_in(app)
    assert not is_in(look(claims(), people_table="people = []"))


@pytest.mark.parametrize("table", [None, "people = 1", "[[people"])
def test_a_table_that_cannot_be_used_lets_nobody_in(look: Look, table: str | None) -> None:
    assert is_in(look(claims()))
    app = look(claims(), people_table=table)
    assert "nobody is let in" in texts(app)
    assert not is_in(app)


# ---------------------------------------------------------------------------------- idle sessions


def test_a_cookie_that_is_older_than_the_server_and_the_idle_time_is_worth_nothing(
    look: Look,
) -> None:
    app = look(claims(iat=time.time() - 31 * 60))
    assert not is_in(app)
    assert look.left  # type: ignore[attr-defined]
    assert not is_in(look({**claims(), "iat": None}))


def test_what_is_done_at_one_browser_keeps_no_other_one_open(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.time()
    here, there = claims(iat=began, nonce="here"), claims(iat=began, nonce="there")
    assert is_in(look(here))
    assert is_in(look(there))
    for minutes, told, stays in ((20, here, True), (40, here, True), (40, there, False)):
        monkeypatch.setattr(
            people, "time", SimpleNamespace(time=lambda at=began + 60 * minutes: at)
        )
        assert is_in(look(told)) == stays


def test_a_sign_in_that_ended_does_not_come_back(look: Look) -> None:
    told = claims()
    assert is_in(look(told))
    people._ACTIVITY.end(told)
    assert not is_in(look(told))
    assert is_in(look(claims(nonce="another")))


def test_a_prepared_download_asks_again_when_it_is_pressed(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = claims()
    look(told)
    viewer = Viewer(Role.MINISTRY, "m@example.org")
    monkeypatch.setattr(st, "session_state", {"looks": (viewer, told)})
    require = people.permission()
    require()
    people._ACTIVITY.end(told)
    with pytest.raises(AccessError, match="session has ended"):
        require()
    monkeypatch.setattr(people, "_ACTIVITY", people._Activity())
    require()
    look(told, people_table="people = []")
    with pytest.raises(AccessError):
        require()
