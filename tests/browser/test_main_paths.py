"""What each of the three came for, from the first page to what they leave with."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from browsing import EMAILS, People, Person, Server
from inputs import KEY, quiet
from publications import publish_draft
from uploading import LONG, check_files, packed, with_a_wrong_form

from funding.run import plan_round, run_round
from kpi.language import speaker
from kpi.pseudonyms import KEY_VARIABLE
from kpi.resources import data_folder
from kpi.rounds import drafts

EXAMPLE = data_folder() / "example"
TABLE = "".join(
    f'[[people]]\nemail = "{EMAILS[name]}"\nrole = "{role}"\n{place}\n'
    for name, role, place in (
        ("analyst", "ministry", ""),
        ("auditor", "auditor", ""),
        ("director-a", "director", 'college = "EX-05"'),
    )
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve example colleges, published."""
    store = tmp_path_factory.mktemp("paths") / "rounds"
    run_round(EXAMPLE, store, plan_round("2025-26", "example", "threshold"), KEY, quiet)
    publish_draft(store)
    return store


@pytest.fixture(scope="module")
def server(store: Path, serve_signed_in: Callable[..., Server]) -> Server:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(KEY_VARIABLE, KEY.decode())
        return serve_signed_in(store, TABLE)


def downloaded(one: Person, label: str) -> bytes:
    """Press the button of a file and return what was downloaded."""
    with one.page.expect_download(timeout=LONG) as found:
        one.page.get_by_role("button", name=label).first.click()
    return found.value.path().read_bytes()


def test_an_analyst_runs_a_round_from_upload_to_funding_export(
    someone: People, server: Server, store: Path
) -> None:
    say = speaker("en").say
    one = someone(server, locale="en-US")
    one.open()
    one.sign_in("analyst")
    one.open("data_check", lang="en", methodology="example")
    files = [str(path) for path in sorted(EXAMPLE.glob("*.csv"))]
    one.page.locator("input[type=file]").set_input_files(files)
    one.settle()
    one.page.get_by_role("button", name=say("Run as a draft")).click()
    one.page.get_by_text("draft-2").or_(one.page.get_by_text("draft 2")).first.wait_for(
        timeout=LONG
    )
    assert [path.name for path in drafts(store / "2025-26")] == ["draft-1", "draft-2"]
    one.open("funding", round="2025-26/draft-2", lang="en")
    assert "5 of 9 colleges qualify" in one.page.inner_text("h1")
    assert downloaded(one, say("Auditor's workbook (XLSX)")).startswith(b"PK")
    assert downloaded(one, say("Open data package (ZIP)")).startswith(b"PK")
    assert one.faults == []


def test_a_director_on_a_phone_switches_to_kazakh_and_downloads_the_printed_page(
    someone: People, server: Server
) -> None:
    one = someone(server, viewport={"width": 390, "height": 844})
    one.open()
    one.sign_in("director-a")
    one.page.wait_for_url("**/college**")
    one.settle()
    one.page.get_by_text("Қаз", exact=True).click()
    one.page.wait_for_url("**lang=kk**")
    one.settle()
    assert "EX-05" in one.text or "№ 5" in one.text
    assert downloaded(one, speaker("kk").say("One page (PDF)")).startswith(b"%PDF")
    assert downloaded(one, speaker("kk").say("Counting list (XLSX)")).startswith(b"PK")
    one.open("college", college="EX-01", lang="ru")
    assert one.page.get_by_role("button", name="PDF").count() == 0, "another's is not offered"
    assert one.faults == []


def test_an_auditor_traces_an_amount_and_verifies_the_round(
    someone: People, server: Server
) -> None:
    say = speaker("en").say
    one = someone(server, locale="en-US")
    one.open()
    one.sign_in("auditor")
    one.open("audit", lang="en", round="2025-26/v1", college="EX-05")
    assert "20,064,000" in one.text, "the amount of EX-05 as data/example/README.md has it"
    one.open("audit", lang="en", round="2025-26/v1")
    one.page.get_by_role("button", name=say("Verify this version")).click()
    one.page.locator("h1", has_text="agree with the receipt").wait_for(timeout=LONG)
    assert one.faults == []


def test_an_analyst_asks_how_sure_the_ranking_and_the_money_are(
    someone: People, server: Server
) -> None:
    say = speaker("en").say
    one = someone(server, locale="en-US")
    one.open()
    one.sign_in("analyst")
    one.open("ranking", lang="en", round="2025-26/v1", list="leaders", leaders="cluster")
    assert "would stay there with a chance of at least 90" in one.page.inner_text("h1")
    one.open("stability", lang="en", round="2025-26/v1")
    assert "of 9 decisions about money" in one.page.inner_text("h1")
    one.page.get_by_role("button", name=say("Change every choice")).click()
    one.page.get_by_text("Sobol indices from", exact=False).first.wait_for(timeout=LONG)
    assert b"EX-0" in downloaded(one, say("Download this list as CSV"))
    assert one.faults == []


def test_an_analyst_sends_a_wrong_export_back_and_reads_the_corrected_one(
    someone: People, server: Server, tmp_path: Path
) -> None:
    """A ZIP of national exports, one form of study misspelt: the finding speaks as the export does,
    the marked-up workbook is corrected at the red cell, and read in with the other files again.
    """
    form = "Форма обучения [5568]"
    sample = tmp_path / "sample"
    export = with_a_wrong_form(sample)
    college = export.stem
    words = speaker("ru")
    one = someone(server, locale="en-US")
    one.open()
    one.sign_in("analyst")

    one.open("data_check", lang="ru")
    check_files(one, packed(sample, tmp_path / "exports.zip"), words)
    assert f"{form}: значения дистанционная нет в списке" in one.text
    assert "full_time" not in one.text
    content = downloaded(one, words.say("Download the marked-up workbooks"))
    with ZipFile(BytesIO(content)) as books:
        assert books.namelist() == [f"{college}.xlsx"]
        book = openpyxl.load_workbook(books.open(f"{college}.xlsx"))
    [wrong] = [
        cell for row in book["students"] for cell in row[1:] if cell.fill.fill_type == "solid"
    ]
    assert wrong.value == "дистанционная"
    wrong.value = "очная"
    export.unlink()
    book.save(export.with_suffix(".xlsx"))

    one.open("data_check", lang="ru")
    check_files(one, packed(sample, tmp_path / "corrected.zip"), words)
    assert "замечаний нет" in one.page.inner_text("h1")
    assert one.faults == []
