"""The store that the app's tests look at, and a page opened in it."""

from pathlib import Path

import pytest
from inputs import KEY, quiet
from publications import publish_draft
from screens import ROOT, VIEWERS, Open
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from funding.run import plan_round, run_round
from kpi.access import Role
from kpi.resources import data_folder


@pytest.fixture(scope="session")
def app_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the example round: published as v1, and a newer draft under the leagues."""
    store = tmp_path_factory.mktemp("app") / "rounds"
    example = data_folder() / "example"
    run_round(example, store, plan_round("2025-26", "example", "threshold"), KEY, quiet)
    publish_draft(store)
    run_round(example, store, plan_round("2025-26", "example", "leagues"), KEY, quiet)
    return store


@pytest.fixture
def open_page(app_store: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return a function that opens a page: ``open_page("ranking", Role.AUDITOR, "kk", region=…)``.

    Whoever signs in is given: the sign-in itself has tests of its own.
    """
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("KPI_STORE", str(app_store))

    def opened(
        page: str,
        role: Role = Role.MINISTRY,
        language: str = "en",
        store: Path | None = None,
        **address: str | list[str],
    ) -> AppTest:
        if store is not None:
            monkeypatch.setenv("KPI_STORE", str(store))
        monkeypatch.setattr("views.frame.people.who_looks", lambda _words: VIEWERS[role])
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.query_params["lang"] = language
        for name, value in address.items():
            app.query_params[name] = value
        # as if the address of the page were typed: `switch_page` would run the first page before
        app._page_hash = calc_hash(page.replace("_", "-"))
        return app.run()

    return opened
