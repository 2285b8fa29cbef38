"""Writes a picture of every page, wide and narrow, light and dark, into docs/screenshots.

Run by `make screenshots`: on the rounds of `make run`, or the twelve example colleges where there
are none. The pictures are to be looked at: what is cut off, ugly or wrong is to be mended.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

import polars as pl  # noqa: E402
from browsing import CHROMIUM, Person, Server, free_port, launch, person, serving  # noqa: E402
from inputs import KEY, quiet  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from uploading import check_files, packed, with_a_wrong_form  # noqa: E402

from funding.run import plan_round, run_round  # noqa: E402
from kpi.access import PAGES, Role, Viewer, read_table  # noqa: E402
from kpi.language import speaker  # noqa: E402
from kpi.resources import data_folder  # noqa: E402
from kpi.rounds import open_round  # noqa: E402

WIDTHS = {1440: 900, 390: 844}
CHOSEN = {
    "overview": {"kpi": "dual_share"},
    "scenario": {"set": "gates.employment_rate=0.75", "frontier": "employment_rate"},
}
OF_README = ("overview", "college", "scenario", "stability", "data_check")
"""Pages of which the README shows what a wide screen shows at first, in docs/."""

HIGHEST = 8_000
"""Pixels of a picture's height at most."""


def store_to_show(folder: Path) -> Path:
    """Return the store of `make run`, or one with the example round."""
    made = ROOT / "rounds"
    if any(made.glob("*/draft-*/receipt.json")):
        return made
    plan = plan_round("2025-26", "example", "threshold")
    run_round(data_folder() / "example", folder / "rounds", plan, KEY, quiet)
    return folder / "rounds"


def college_to_show(store: Path) -> str:
    """Return a college that misses one gate by a person, or else the first of the ranking."""
    of_round = open_round(store, None)
    everything = Viewer(Role.MINISTRY, "screenshots")
    missed = read_table(of_round, "gates", everything).filter(passed=False)
    alone = missed.filter(pl.len().over("college_id") == 1)
    near = alone.filter(pl.col("short_by") == 1, pl.col("denominator") > 1)
    ranked = read_table(of_round, "ranking", everything).sort("rank", nulls_last=True)
    return str((near if near.height else ranked)["college_id"][0])


def until_drawn(one: Person) -> None:
    """Wait for long work, then for the charts: they draw themselves after the page stands."""
    for waited_for in ("stSpinner", "stSkeleton"):
        one.page.wait_for_timeout(900)
        one.page.wait_for_function(f"!document.querySelector('[data-testid={waited_for}]')")
    one.page.wait_for_timeout(300)


def picture(one: Person, width: int, path: Path) -> None:
    """Write a page in its full height."""
    until_drawn(one)
    high = one.page.evaluate(
        "Math.max(...[...document.querySelectorAll('.stMain, .stMainBlockContainer')]"
        ".map(part => part.scrollHeight))"
    )
    one.page.set_viewport_size({"width": width, "height": min(int(high) + 40, HIGHEST)})
    one.page.wait_for_timeout(500)
    one.page.screenshot(path=path)
    one.page.set_viewport_size({"width": width, "height": WIDTHS[width]})


def write_all(server: Server, to: Path, language: str, college: str, exports: Path) -> list[str]:
    """Write every picture, that of Data check with a check of ``exports``; return the errors that
    the browser noted.
    """
    faults, words = [], speaker(language)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for width, height in WIDTHS.items():
            for scheme in ("light", "dark"):
                size = {"width": width, "height": height}
                one = person(browser, server, viewport=size, color_scheme=scheme)
                for page in PAGES[Role.MINISTRY]:
                    one.open(page, lang=language, **(CHOSEN.get(page) or {"college": college}))
                    if page == "data_check":
                        check_files(one, exports, words)
                        one.page.get_by_text(
                            words.say("Rows by table")
                        ).scroll_into_view_if_needed()
                    if (width, scheme) == (1440, "light") and page in OF_README:
                        until_drawn(one)
                        one.page.screenshot(path=to.parent / f"app-{page}.png")
                    path = to / f"{page}-{width}-{scheme}.png"
                    picture(one, width, path)
                    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
                faults += one.faults
                one.page.context.close()
        browser.close()
    return faults


def main() -> int:
    """Write the pictures; 1 where the browser noted an error, 2 where there is no browser."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--store", type=Path, help="a store of rounds")
    asked.add_argument("--to", type=Path, default=ROOT / "docs" / "screenshots")
    asked.add_argument("--language", default="ru")
    given = asked.parse_args()
    if CHROMIUM is None:
        print("No chromium is there: install it, or name it by CHROMIUM.", file=sys.stderr)
        return 2
    given.to.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        store = given.store or store_to_show(Path(folder))
        with serving(store.resolve(), free_port(), Path(folder)) as server:
            with_a_wrong_form(Path(folder) / "exports")
            exports = packed(Path(folder) / "exports", Path(folder) / "exports.zip")
            college = college_to_show(store)
            faults = write_all(server, given.to.resolve(), given.language, college, exports)
    for fault in faults:
        print(f"error in the browser: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
