"""Data check: the reader's own files, and the findings of the round that is open."""

import io
import zipfile
from pathlib import Path

import pytest
from inputs import KEY
from screens import Open, texts
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.testing.v1 import AppTest

from kpi.access import Role
from kpi.language import Speaker
from kpi.pseudonyms import KEY_VARIABLE
from kpi.resources import data_folder
from kpi.rounds import drafts

EXAMPLE = {path.name: path.read_bytes() for path in (data_folder() / "example").glob("*.csv")}
"""The worked example: 12 + 294 + 92 + 167 + 22 = 587 rows; three warnings: EX-10 is closed, and of
EX-05 and EX-06 each somebody left by the reference date whose agreement runs on.
"""

ADDRESS = {"for": "2025-26", "methodology": "example"}

Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def key_and_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key of the test's own, and a temporary folder that a test can look into."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Open) -> Path:
    """An empty store of the test's own."""
    store = tmp_path / "rounds"
    monkeypatch.setenv("KPI_STORE", str(store))
    return store


def upload(app: AppTest, files: Files) -> AppTest:
    sent = [(name, content, "text/csv") for name, content in files.items()]
    app.file_uploader[0].set_value(sent)
    return app.run()


def check(app: AppTest) -> AppTest:
    return app.button(key="data_check:ask").click().run()


def run_draft(app: AppTest) -> AppTest:
    return app.button(key="data_run:ask").click().run()


def told(app: AppTest) -> str:
    """What the page says, as it is read."""
    return texts(app).replace("\\", "")


def buttons(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button}


def changed(name: str, old: str, new: str) -> Files:
    """The example with one cell of one row changed."""
    text = EXAMPLE[name].decode()
    assert old in text
    return EXAMPLE | {name: text.replace(old, new, 1).encode()}


# own files


def test_without_files_the_page_says_what_to_do_and_the_button_waits(open_page: Open) -> None:
    app = open_page("data_check")
    assert "Upload the registers" in app.title[0].value
    assert "Choose files first" in texts(app)
    assert "200 MB a file" in told(app)
    assert app.button(key="data_check:ask").disabled


def test_files_are_checked_and_nothing_is_kept(
    open_page: Open, app_store: Path, key_and_temporary_folder: Path
) -> None:
    before = sorted(app_store.rglob("*"))
    app = check(upload(open_page("data_check", **ADDRESS), EXAMPLE))
    assert not app.exception
    assert app.title[0].value == "587 rows read, none rejected; 3 findings to look at"
    assert [metric.value for metric in app.metric] == ["587", "587", "0", "3"]
    assert sorted(app_store.rglob("*")) == before
    assert list(key_and_temporary_folder.iterdir()) == []


def test_what_gives_back_most_rows_is_to_be_mended_first(open_page: Open) -> None:
    """EX-02's own row is wrong; its 43 students, 25 graduates, 23 agreements and 5 accreditations
    count for nobody then: 1 + 43 + 25 + 23 + 5 = 97.
    """
    lines = EXAMPLE["colleges.csv"].decode().splitlines()
    [row] = [line for line in lines if line.startswith("EX-02,")]
    region = next(cell for cell in row.split(",") if cell.startswith("KZ-"))
    wrong = changed("colleges.csv", row, row.replace(region, "KZ-99"))
    app = check(upload(open_page("data_check", **ADDRESS), wrong))
    said = told(app)
    assert app.title[0].value == "1 of 587 rows are rejected"
    assert "Mend first: KZ-99 is no region of Kazakhstan." in said
    assert "97 rows wait for it, in 1 college" in said


def test_a_columns_name_that_no_table_has_is_said(open_page: Open) -> None:
    more = "\n".join(line + ",x" for line in EXAMPLE["accreditations.csv"].decode().splitlines())
    app = check(upload(open_page("data_check"), {"accreditations.csv": more.encode()}))
    assert "accreditations.csv: columns that its table does not have" in told(app)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "students.csv/../x", "<script>.csv", "=HYPERLINK().csv"]
)
def test_a_strange_name_only_appears(
    open_page: Open, name: str, key_and_temporary_folder: Path
) -> None:
    app = upload(open_page("data_check"), EXAMPLE | {name: b"x"})
    assert not app.exception
    assert "These files are no tables of a round" in told(app)
    assert app.button(key="data_check:ask").disabled
    assert list(key_and_temporary_folder.iterdir()) == []


def test_a_file_that_is_no_table_is_refused_by_its_name_alone(open_page: Open) -> None:
    app = check(
        upload(open_page("data_check"), {"students.csv": b"a,b\n1,2\n", "colleges.csv": b""})
    )
    said = told(app)
    assert "The header lacks columns" in said and "The file is empty." in said
    assert "students.csv, record 1" in said
    assert "college-kpi-upload" not in said, "the server's folder is nobody's business"


def test_a_damaged_parquet_file_is_an_error_and_no_traceback(open_page: Open) -> None:
    app = check(upload(open_page("data_check"), {"students.parquet": b"PAR1 not really PAR1"}))
    assert not app.exception
    assert "no readable Parquet file" in texts(app)


def test_a_year_that_is_none_is_refused_before_anything_is_read(open_page: Open) -> None:
    for year in ("2025-27", "../..", "x"):
        app = upload(open_page("data_check", **{"for": year}), EXAMPLE)
        assert "named after its academic year" in told(app)
        assert app.button(key="data_check:ask").disabled


def test_a_methodology_that_does_not_ship_counts_as_the_default(open_page: Open) -> None:
    app = open_page("data_check", methodology="/etc/passwd.toml", rule="../x")
    assert app.selectbox(key="address:methodology").value == "kpi"
    assert app.selectbox(key="address:rule").value == "threshold"


def test_the_result_is_of_this_session_and_can_be_forgotten(open_page: Open) -> None:
    app = check(upload(open_page("data_check", **ADDRESS), EXAMPLE))
    assert "587 rows" in app.title[0].value
    app.button(key="data_check:forget").click().run()
    assert "Upload the registers" in app.title[0].value
    assert "Upload the registers" in open_page("data_check").title[0].value


# run as a draft


def test_the_ministry_runs_a_draft_and_is_led_to_it(
    open_page: Open, own_store: Path, key_and_temporary_folder: Path
) -> None:
    app = open_page("data_check", **ADDRESS)
    assert "Upload the registers" in app.title[0].value, "the page stands without any round"
    run_draft(upload(app, EXAMPLE))
    assert not app.exception
    assert [path.name for path in drafts(own_store / "2025-26")] == ["draft-1"]
    assert [path.name for path in (own_store / "2025-26").iterdir()] == ["draft-1"]
    assert list(key_and_temporary_folder.iterdir()) == []
    assert "draft 1 is in the store" in told(app)
    sources = (own_store / "2025-26" / "draft-1" / "sources.json").read_text(encoding="utf-8")
    assert '"uploaded by analyst@example.org"' in sources


@pytest.mark.parametrize("role", [Role.DIRECTOR, Role.REGION, Role.AUDITOR])
def test_others_may_check_and_not_run(open_page: Open, own_store: Path, role: Role) -> None:
    app = upload(open_page("data_check", role, of="files", **ADDRESS), EXAMPLE)
    assert "data_check:ask" in buttons(app) and "data_run:ask" not in buttons(app)
    app.session_state["data_run:asked"] = True
    app.run()
    assert "not for your role" in texts(app)
    assert not own_store.exists()
    check(app)
    assert "587 rows" in app.title[0].value


def test_cancelled_work_leaves_nothing_and_is_said(
    open_page: Open,
    own_store: Path,
    key_and_temporary_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The framework stops a run by an exception of its own at the next thing drawn."""
    from views.frame import work

    say = work.told

    def stopped(words: Speaker, step: str) -> str:
        if step == "ranking":
            raise StopException
        return say(words, step)

    app = upload(open_page("data_check", **ADDRESS), EXAMPLE)
    monkeypatch.setattr(work, "told", stopped)
    run_draft(app)
    app.run()
    assert "It was cancelled: nothing was kept." in texts(app)
    assert list((own_store / "2025-26").iterdir()) == []
    assert list(key_and_temporary_folder.iterdir()) == []
    assert "It was cancelled" not in texts(app.run())


# the open round


def test_a_director_sees_the_findings_of_the_own_college(open_page: Open) -> None:
    """EX-01 has 76 rows and no finding; those of the round are of others."""
    app = open_page("data_check", Role.DIRECTOR)
    assert "The data is fit: 76 rows read, not one finding" in told(app)
    assert "EX-10" not in texts(app)


def test_the_ministry_sees_all_findings_of_the_round(open_page: Open) -> None:
    app = open_page("data_check", of="round")
    assert app.title[0].value == "587 rows read, none rejected; 3 findings to look at"
    assert "students are enrolled on the day of the count" in texts(app)


def test_a_region_is_told_who_sees_the_findings(open_page: Open) -> None:
    app = open_page("data_check", Role.REGION, of="round")
    assert "for its colleges themselves" in app.title[0].value


def test_filters_narrow_the_findings_and_say_when_none_fits(open_page: Open) -> None:
    app = open_page("data_check", of="round", college="EX-10")
    assert "No finding fits" not in texts(app)
    app = open_page("data_check", of="round", severity="error")
    assert "No finding fits" not in texts(app), "a code that is not among them is no filter"


# files as they are, and marked-up workbooks


def wrong_example() -> Files:
    """The example, its first student of EX-01 in a course that is none."""
    lines = EXAMPLE["students.csv"].decode().splitlines()
    names = lines[0].split(",")
    at = next(at for at, line in enumerate(lines) if line.split(",")[2] == "EX-01")
    cells = lines[at].split(",")
    cells[names.index("course")] = "9"
    lines[at] = ",".join(cells)
    return EXAMPLE | {"students.csv": "\n".join(lines).encode()}


def workbooks_of(app: AppTest) -> list[str]:
    """The names of the workbooks that the session holds."""
    _, fitness = app.session_state["data_check:fitness"]
    with zipfile.ZipFile(io.BytesIO(fitness.workbooks)) as packed:
        return packed.namelist()


def test_an_archive_in_another_encoding_is_read_and_said(open_page: Open) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in EXAMPLE.items():
            archive.writestr(name, content.decode().replace(",", ";").encode("utf-16"))
    app = check(upload(open_page("data_check", **ADDRESS), {"all.zip": packed.getvalue()}))
    assert not app.exception
    assert "587 rows read" in app.title[0].value
    shown = app.dataframe[0].value
    assert set(shown["form"]) == {"CSV, UTF-16, semicolon, header in row 1"}


def test_a_bomb_is_refused_before_it_is_unpacked(
    open_page: Open, key_and_temporary_folder: Path
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(11):
            archive.writestr(f"students-{number}.csv", b"0" * 100_000_000)
    app = check(upload(open_page("data_check"), {"bomb.zip": packed.getvalue()}))
    assert not app.exception
    assert "unpack to more than is taken" in told(app)
    assert list(key_and_temporary_folder.iterdir()) == []


def test_the_uploader_gets_marked_up_workbooks_and_nothing_else_keeps_them(
    open_page: Open, app_store: Path, key_and_temporary_folder: Path
) -> None:
    before = sorted(app_store.rglob("*"))
    app = check(upload(open_page("data_check", **ADDRESS), wrong_example()))
    assert workbooks_of(app) == [f"EX-{one}.xlsx" for one in ("01", "05", "06", "10")]
    assert "Marked-up workbooks" in told(app)
    assert sorted(app_store.rglob("*")) == before
    assert list(key_and_temporary_folder.iterdir()) == []
    app.button(key="data_check:forget").click().run()
    assert "data_check:fitness" not in app.session_state
    app.checkbox(key="data_check:marks_up").uncheck().run()
    check(app)
    assert app.session_state["data_check:fitness"][1].workbooks is None


def test_a_director_gets_the_workbook_of_the_own_college_alone(open_page: Open) -> None:
    app = open_page("data_check", Role.DIRECTOR, of="files", **ADDRESS)
    check(upload(app, wrong_example()))
    assert workbooks_of(app) == ["EX-01.xlsx"]


def test_a_college_that_is_none_is_refused(open_page: Open) -> None:
    app = upload(open_page("data_check", files_of="no college"), EXAMPLE)
    assert "This is no id of a college" in told(app)
    assert app.button(key="data_check:ask").disabled


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_the_result_is_said_in_the_readers_language(open_page: Open, language: str) -> None:
    app = check(upload(open_page("data_check", language=language, **ADDRESS), wrong_example()))
    assert not app.exception
    assert f"[no {language} text]" not in texts(app)
