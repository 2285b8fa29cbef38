"""The app in a real browser: servers, a provider of identities, people at browsers of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    CHROMIUM,
    EMAILS,
    People,
    Person,
    Server,
    free_port,
    launch,
    person,
    serving,
)
from playwright.sync_api import Browser, sync_playwright


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="no chromium is there"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def provider() -> Iterator[str]:
    """The address of an OpenID provider at which everybody of EMAILS has an account."""
    from oidc_provider_mock import User, run_server_in_thread

    accounts = [
        User(sub=name, claims={"email": email, "email_verified": name != "unverified"})
        for name, email in EMAILS.items()
    ]
    with run_server_in_thread(user_claims=accounts) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="session")
def serve_signed_in(
    provider: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Server]]:
    """Serve a store to those who sign in and whom the table of people names."""
    with ExitStack() as started:

        def served(store: Path, people: str) -> Server:
            folder = tmp_path_factory.mktemp("served")
            port = free_port()
            (folder / "access.toml").write_text(people, encoding="utf-8")
            (folder / "auth.toml").write_text(
                f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
                f'cookie_secret = "{"c" * 48}"\nclient_id = "kpi"\nclient_secret = "x"\n'
                f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n',
                encoding="utf-8",
            )
            options = ("--access", "access.toml", "--secrets", "auth.toml")
            return started.enter_context(serving(store, port, folder, *options))

        yield served


@pytest.fixture(scope="session")
def serve_locally(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Server]]:
    """Serve a store to the one analyst at this machine."""
    with ExitStack() as started:
        yield lambda store: started.enter_context(
            serving(store, free_port(), tmp_path_factory.mktemp("local"))
        )


@pytest.fixture
def someone(browser: Browser) -> Iterator[People]:
    """Return a function that gives somebody at a browser of their own, on a server."""
    there: list[Person] = []

    def opened(server: Server, **context: Any) -> Person:
        there.append(person(browser, server, **context))
        return there[-1]

    yield opened
    for one in there:
        one.page.context.close()
