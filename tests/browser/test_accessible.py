"""Every page for those who read by other means: contrast, labels, headings, the keyboard; and names
and addresses that would be more than that if they could.
"""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import People, Person, Server
from inputs import KEY, quiet

from funding.run import plan_round, run_round
from kpi.access import PAGES, Role
from kpi.resources import data_folder

HOSTILE = {
    "EX-01": "<script>alert(1)</script> <img src=x onerror=alert(2)> ../../etc/passwd",
    "EX-03": '=HYPERLINK("http://evil.example","x") www.evil.example a@evil.example',
    "EX-05": "[x](javascript:alert(1)) **b** $x^2$ :red[r] {name}",
}
"""Names of colleges."""

FRAMEWORK = {"scrollable-region-focusable", "presentation-role-conflict"}
"""Rules of axe that the framework's own parts break, whatever a page does."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve example colleges, three of them under hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    example = Path(shutil.copytree(data_folder() / "example", folder / "input"))
    with (example / "colleges.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("name_kk", "name_ru", "name_en"):
            row[column] = HOSTILE.get(row["college_id"], row[column])
    with (example / "colleges.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    plan = plan_round("2025-26", "example", "threshold")
    run_round(example, folder / "rounds", plan, KEY, quiet)
    return folder / "rounds"


@pytest.fixture(scope="module")
def server(store: Path, serve_locally: Callable[[Path], Server]) -> Server:
    return serve_locally(store)


def test_no_page_keeps_anybody_out(someone: People, server: Server) -> None:
    """Wide and light, in the dark, and on a phone: nothing for axe, no fault, nothing cut."""
    one = someone(server, color_scheme="light")
    found = []
    for page in PAGES[Role.MINISTRY]:
        one.page.set_viewport_size({"width": 1440, "height": 900})
        one.page.emulate_media(color_scheme="light")
        one.open(page, lang="kk", college="EX-03", set="gates.employment_rate=0.6")
        found += [f"{page}, light: {fault}" for fault in _axe(one)]
        one.page.emulate_media(color_scheme="dark")
        found += [f"{page}, dark: {fault}" for fault in _axe(one)]
        one.page.set_viewport_size({"width": 390, "height": 844})
        one.settle()
        cut = one.page.evaluate(
            "document.querySelector('.stMain').scrollWidth"
            " - document.querySelector('.stMain').clientWidth"
        )
        found += [f"{page} is wider than a phone"] * (cut > 1)
    assert not found, "\n".join(found)
    assert one.faults == []
    assert one.foreign == [], "the app asks nobody else"


def _axe(one: Person) -> list[str]:
    """Return what axe finds on a page, once nothing fades in or out any more."""
    one.settle()
    return [
        f"{violation['id']} {[node['html'][:160] for node in violation['nodes']][:3]}"
        for violation in Axe().run(one.page).response["violations"]
        if violation["id"] not in FRAMEWORK
    ]


def test_the_menu_and_the_choices_are_reached_by_keyboard(someone: People, server: Server) -> None:
    one = someone(server)
    one.open("methodology", lang="en")
    one.page.wait_for_load_state("networkidle")
    one.settle()
    reached = []
    for _ in range(24):
        one.page.keyboard.press("Tab")
        reached.append(one.page.evaluate("document.activeElement.innerText || ''").strip())
    assert {"Ranking", "College", "Methodology"} <= {*reached}
    for _ in range(24):
        one.page.keyboard.press("Shift+Tab")
        if one.page.evaluate("document.activeElement.innerText || ''").strip() == "Ranking":
            break
    one.page.keyboard.press("Enter")
    one.page.wait_for_url("**/ranking**")


def test_names_do_nothing_but_appear(someone: People, server: Server) -> None:
    one = someone(server)
    dialogs: list[str] = []
    one.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for college_id, name in HOSTILE.items():
        one.open("college", lang="en", college=college_id)
        shown = one.page.inner_text("h1").replace("\u2060", "")
        assert name in shown, "the name appears as it stands"
        _is_harmless(one)
    assert dialogs == []
    assert one.faults == []


def _is_harmless(one: Person) -> None:
    """Hold that no name became an element or a link."""
    assert one.page.locator("img[src='x'], .stMain script").count() == 0
    links = "a[href^='javascript:'], a[href*='evil.example']"
    assert one.page.locator(links).count() == 0


ADDRESS = {
    "college": "../../etc",
    "region": "'; DROP TABLE colleges; --",
    "cluster": "<img src=x onerror=alert(1)>",
    "page": "99999999999999999999",
    "round": "../../etc/passwd",
    "lang": "../en",
    "table": "../inputs/students",
    "step": "<b>",
    "frontier": "no_such_gate",
    "kpi": "'",
    "part": "../x",
    "search": "<script>alert(1)</script>",
}


@pytest.mark.parametrize(
    "more", [{}, {"set": "=HYPERLINK(1)"}, {"rule": "../../../etc/passwd"}], ids=str
)
def test_addresses_do_nothing_but_be_refused(
    someone: People, server: Server, more: dict[str, str]
) -> None:
    one = someone(server)
    for page in PAGES[Role.MINISTRY] if not more else ("scenario",):
        one.open(page, **ADDRESS | more)
        assert one.page.locator("[data-testid=stException]").count() == 0, page
        assert "root:" not in one.text
        _is_harmless(one)
    assert one.faults == []
