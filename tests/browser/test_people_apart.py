"""Several people at once, each seeing what is theirs, whatever they type (issue C, item 3)."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import EMAILS, People, Person, Server, finds
from inputs import (
    accreditation,
    agreement,
    college,
    graduates,
    reaches_the_gates,
    row_of,
    run_tables,
    students,
    together,
)
from publications import publish_draft

from kpi.rounds import open_round

A, B, C = "EX-01", "EX-02", "EX-03"
TABLE = "".join(
    f'[[people]]\nemail = "{EMAILS[name]}"\nrole = "{role}"\n{place}\n'
    for name, role, place in (
        ("analyst", "ministry", ""),
        ("auditor", "auditor", ""),
        ("region", "region", 'region = "KZ-11"'),
        ("director-a", "director", f'college = "{A}"'),
        ("director-b", "director", f'college = "{B}"'),
    )
)
SECRET_NAME = "Тайноградский техникум"
PAGES = ("college", "overview", "ranking", "data_check", "methodology")
OTHERS = ("funding", "scenario", "audit")
"""Pages that no director has in the menu."""


def of_b(count: int, employed: int, unemployed: int, name: str) -> dict:
    members = students(B, count)
    return {
        "colleges": [college(B, name_ru=name, name_kk=name)],
        "students": members,
        "graduates": graduates(B, employed, unemployed),
        "dual_agreements": [agreement(of) for of in members[: count // 3]],
        "accreditations": [accreditation(B)],
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published: three colleges of one region. In the newer draft B has another name and numbers
    that stand nowhere else.
    """
    folder = tmp_path_factory.mktemp("apart")
    others = [reaches_the_gates(students(one, 40)) for one in (A, C)]
    run_tables(folder, together(*others, of_b(60, 17, 6, "Второй колледж")))
    publish_draft(folder / "rounds")
    run_tables(folder, together(*others, of_b(1613, 977, 404, SECRET_NAME)))
    return folder / "rounds"


@pytest.fixture(scope="module")
def secrets(store: Path) -> dict[str, str | int]:
    """What of B stands in the draft alone."""
    draft = open_round(store, "2025-26", "draft")
    amount = row_of(draft.table("funding"), college_id=B)["amount"]
    return {"name": SECRET_NAME, "students": 1613, "employed": 977, "graduates": 1381} | {
        "amount": int(amount)
    }


@pytest.fixture(scope="module")
def server(store: Path, serve_signed_in: Callable[..., Server]) -> Server:
    return serve_signed_in(store, TABLE)


def signed_in(someone: People, server: Server, name: str, **context: object) -> Person:
    one = someone(server, **context)
    one.open()
    one.sign_in(name)
    if name not in ("stranger", "unverified"):
        one.page.wait_for_selector(".st-key-menu a")
        one.settle()
    return one


def test_two_directors_and_an_analyst_at_once_each_see_what_is_theirs(
    someone: People, server: Server, secrets: dict[str, str | int]
) -> None:
    a, b, analyst = (signed_in(someone, server, n) for n in ("director-a", "director-b", "analyst"))
    for page in PAGES:
        a.open(page, round="2025-26/draft-2")
        if page in ("college", "ranking"):
            b.open(page, round="2025-26/draft-2")
            analyst.open(page, round="2025-26/draft-2", college=B)
    assert not finds(a.received(), secrets), "A's browser never received what is B's alone"
    assert {"name", "employed", "graduates"} <= set(finds(b.received(), secrets))
    assert "name" in finds(analyst.received(), secrets), "the search finds what is there"
    for one in (a, b, analyst):
        assert one.faults == []
        assert one.foreign == [], "the app asks nobody else"


def test_a_director_who_types_anothers_college_gets_nothing_of_it(
    someone: People, server: Server, secrets: dict[str, str | int]
) -> None:
    a = signed_in(someone, server, "director-a")
    draft = "2025-26/draft-2"
    for page in PAGES:
        a.open(page, round=draft, college=B)
    for typed in (
        {"college": [A, B]},
        {"college": f"{B}' or '1'='1"},
        {"college": "../../2025-26/draft-2"},
        {"college": B, "lang": "kk", "page": "-1"},
    ):
        a.open("college", round=draft, **typed)
    assert not finds(a.received(), secrets)
    assert a.faults == []


def test_a_page_that_is_not_in_the_menu_refuses_when_its_address_is_typed(
    someone: People, server: Server
) -> None:
    a = signed_in(someone, server, "director-a")
    assert "/college" in a.page.url, "the first page of a director"
    links = a.page.locator(".st-key-menu a")
    links.nth(len(PAGES) - 1).wait_for()
    assert links.count() == len(PAGES)
    for page in OTHERS:
        a.open(page)
        assert "не для вашей роли" in a.text
        assert a.page.locator("[data-testid=stMetric], [data-testid=stDataFrame]").count() == 0


def test_a_department_sees_no_college_of_another_region_in_a_draft(
    someone: People, server: Server, secrets: dict[str, str | int]
) -> None:
    region = signed_in(someone, server, "region")
    for page in ("overview", "ranking", "college", "funding", "data_check", "methodology"):
        region.open(page, round="2025-26/draft-2", college=B)
    found = finds(region.received(), secrets)
    assert not found


def test_somebody_whom_the_table_does_not_name_is_told_so_and_sees_nothing(
    someone: People, server: Server, secrets: dict[str, str | int]
) -> None:
    one = signed_in(someone, server, "stranger")
    assert "stranger@elsewhere.example" in one.text
    one.open("ranking", round="2025-26/v1")
    assert "Второй колледж".encode() not in one.received()
    assert B.encode() not in one.received()
    assert one.page.locator(".st-key-menu").count() == 0


def test_an_email_that_nobody_verified_is_nobodys(someone: People, server: Server) -> None:
    one = signed_in(someone, server, "unverified")
    assert EMAILS["analyst"] in one.text
    assert one.page.locator(".st-key-menu").count() == 0


def test_without_sign_in_nothing_but_the_question_is_received(
    someone: People, server: Server, secrets: dict[str, str | int]
) -> None:
    one = someone(server)
    for page in ("", "college", "audit"):
        one.open(page, round="2025-26/draft-2", college=B)
        assert "Войти" in one.text
    assert not finds(one.received(), secrets)
    assert B.encode() not in b"".join(one.frames).replace(b"college=" + B.encode(), b"")


def test_who_signs_out_is_out_in_every_tab_and_the_cookie_they_kept_is_worth_nothing(
    someone: People, server: Server
) -> None:
    one = signed_in(someone, server, "analyst")
    other = one.page.context.new_page()
    other.goto(server.address("overview"))
    other.wait_for_selector(".st-key-menu")
    cookies = one.page.context.cookies()
    one.page.get_by_role("button", name="министерство").click()
    one.page.get_by_role("button", name="Выйти").click()
    one.page.get_by_role("button", name="End session").click()
    one.page.wait_for_url(f"{server.url}/**")
    one.wait()
    assert "Войти" in one.text
    other.get_by_text("Eng", exact=True).click()  # a rerun of the tab that is still there
    other.wait_for_selector(".st-key-menu", state="detached", timeout=90_000)
    thief = someone(server)
    thief.page.context.add_cookies(cookies)  # type: ignore[arg-type]
    thief.page.goto(server.address("overview"))
    thief.page.wait_for_timeout(3_000)
    assert thief.page.locator(".st-key-menu").count() == 0


def test_a_sent_link_leads_where_it_says_for_who_signs_in_first(
    someone: People, server: Server
) -> None:
    one = someone(server)
    one.open("methodology", part="gates", lang="en")
    one.sign_in("director-a")
    one.page.wait_for_url("**/methodology**")
    one.settle()
    assert {"part=gates", "lang=en"} <= {*one.query.split("&")}


def test_a_page_that_lies_open_is_ended(
    someone: People, store: Path, serve_signed_in: Callable[..., Server]
) -> None:
    server = serve_signed_in(store, "idle_minutes = 0.5\n" + TABLE)
    one = signed_in(someone, server, "analyst")
    assert one.page.locator(".st-key-menu").count() == 1
    one.page.wait_for_selector(".st-key-menu", state="detached", timeout=120_000)
    one.open("overview")
    assert "Войти" in one.text


def test_who_loses_the_role_loses_the_sight_and_a_broken_table_lets_nobody_in(
    someone: People, store: Path, tmp_path: Path, serve_signed_in: Callable[..., Server]
) -> None:
    server = serve_signed_in(store, "idle_minutes = 2\n" + TABLE)
    table = server.log.parent / "access.toml"
    one = signed_in(someone, server, "director-a")
    shutil.copy(table, tmp_path / "kept.toml")
    table.write_text(TABLE.replace(EMAILS["director-a"], "new@college.example"), "utf-8")
    one.page.wait_for_selector(".st-key-menu", state="detached", timeout=120_000)
    assert EMAILS["director-a"] in one.text
    table.write_text("people = 1", "utf-8")
    one.open()
    assert "вход закрыт для всех" in one.text
    assert one.page.locator(".st-key-menu").count() == 0
    assert "table of people is wrong" in server.log.read_text("utf-8")
