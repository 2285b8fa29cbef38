"""The address is the truth: refresh, back, a sent link and another language show the same thing."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from browsing import People, Person, Server
from inputs import KEY, quiet
from publications import publish_draft

from funding.run import plan_round, run_round
from kpi.resources import data_folder

NAME = "Учебный пример № 1"


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, serve_locally: Callable[[Path], Server]
) -> Server:
    """The twelve example colleges: published, and a newer draft under the leagues."""
    store = tmp_path_factory.mktemp("address") / "rounds"
    example = data_folder() / "example"
    run_round(example, store, plan_round("2025-26", "example", "threshold"), KEY, quiet)
    publish_draft(store)
    run_round(example, store, plan_round("2025-26", "example", "leagues"), KEY, quiet)
    return serve_locally(store)


@pytest.fixture
def analyst(someone: People, server: Server) -> Person:
    return someone(server)


def state(one: Person) -> dict[str, list[str]]:
    return parse_qs(one.query)


def switch_to(one: Person, language: str) -> None:
    one.page.get_by_text(language, exact=True).click()
    one.page.wait_for_url("**lang=**")
    one.settle()


def test_another_language_keeps_page_round_and_college(analyst: Person) -> None:
    analyst.open("college", college="EX-01", round="2025-26/draft-2")
    switch_to(analyst, "Қаз")
    assert "/college" in analyst.page.url
    assert state(analyst) == {"college": ["EX-01"], "round": ["2025-26/draft-2"], "lang": ["kk"]}
    assert analyst.page.get_by_text("Шолу", exact=True).count() == 1  # "Overview" in the menu


def test_refresh_back_and_a_sent_link_show_the_same(
    analyst: Person, someone: People, server: Server
) -> None:
    analyst.open("college", college="EX-05", round="2025-26/v1", lang="ru")
    heading = analyst.page.inner_text("h1")
    analyst.page.reload()
    analyst.wait()
    assert analyst.page.inner_text("h1") == heading
    analyst.page.locator(".st-key-menu a", has_text="Методика").click()
    analyst.page.wait_for_url("**/methodology**")
    analyst.settle()
    assert state(analyst) == {"round": ["2025-26/v1"], "lang": ["ru"]}, (
        "round and language go along"
    )
    analyst.page.go_back()
    analyst.page.wait_for_url("**/college**")
    analyst.settle()
    assert analyst.page.inner_text("h1") == heading
    colleague = someone(server, locale="en-US")
    colleague.page.goto(analyst.page.url)
    colleague.wait()
    assert colleague.page.inner_text("h1") == heading


def test_the_bare_address_leads_on_and_keeps_what_stands_in_it(analyst: Person) -> None:
    analyst.open("", round="2025-26/v1", lang="en")
    analyst.page.wait_for_url("**/overview**")
    analyst.settle()
    assert state(analyst) == {"round": ["2025-26/v1"], "lang": ["en"]}
