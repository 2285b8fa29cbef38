"""Audit: verify the published example, trace an amount, read the SQL and the journal."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from screens import Open, texts
from streamlit.testing.v1 import AppTest

from kpi.access import Role
from kpi.journal import read_journal
from kpi.language import LANGUAGES
from kpi.rounds import open_round

PUBLISHED = "2025-26/v1"


def told(app: AppTest) -> str:
    """What the page says, as it is read."""
    return texts(app).replace("\\", "")


def verify(app: AppTest) -> AppTest:
    return app.button(key="audit:ask").click().run()


def codes(app: AppTest) -> str:
    return "\n".join(str(code.value) for code in app.code)


def cells(app: AppTest) -> str:
    return "\n".join(str(frame.value.to_csv()) for frame in app.dataframe)


@pytest.fixture
def own_copy(
    app_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Open
) -> Path:
    """A copy of the store that a test may tamper with."""
    store = Path(shutil.copytree(app_store, tmp_path / "rounds"))
    monkeypatch.setenv("KPI_STORE", str(store))
    return store


# verification


def test_the_page_invites_to_verify_and_gives_the_command(open_page: Open) -> None:
    app = open_page("audit", Role.AUDITOR, round=PUBLISHED)
    assert "Not verified yet in this session" in told(app)
    assert codes(app) == "kpi verify 2025-26/v1 --store rounds"


def test_the_published_example_is_verified_and_stays_so_for_the_session(
    open_page: Open, app_store: Path
) -> None:
    tables = len(open_round(app_store, "2025-26", "v1").receipt["tables"])
    app = verify(open_page("audit", Role.AUDITOR, round=PUBLISHED))
    assert not app.exception
    said = told(app)
    assert f"Verified: {tables} tables, 6 inputs and the rules agree with the receipt" in said
    assert "The journal's chain is whole and has this version's line." in said
    assert "Every file is the one that was published." in said
    assert f"Computed again: 6 inputs, 6 reference tables, {tables} tables" in said
    app.run()
    assert f"Verified: {tables} tables" in told(app)
    app.query_params["round"] = "2025-26/draft-2"
    app.run()
    assert "Not verified yet in this session" in told(app), "that was another version"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_verdict_is_said_in_the_language(open_page: Open, language: str) -> None:
    app = verify(open_page("audit", Role.AUDITOR, language, round=PUBLISHED))
    assert "[no " not in texts(app)


def test_of_a_draft_is_said_that_no_journal_stands_behind_it(open_page: Open) -> None:
    app = verify(open_page("audit", Role.AUDITOR, round="2025-26/draft-2"))
    said = told(app)
    assert "Verified:" in said
    assert "This is a draft: no journal and no manifest stand behind it." in said


def test_a_tampered_table_is_named(open_page: Open, own_copy: Path) -> None:
    path = own_copy / "2025-26" / "v1" / "tables" / "funding.parquet"
    pl.read_parquet(path).with_columns(pl.col("amount") + 1).write_parquet(path)
    app = verify(open_page("audit", Role.AUDITOR, round=PUBLISHED))
    assert not app.exception
    assert "Not verified: A file is not the one that was published." in told(app)
    assert "tables/funding.parquet" in codes(app)


def test_a_table_changed_in_a_draft_is_named_by_row_and_column(
    open_page: Open, own_copy: Path
) -> None:
    path = own_copy / "2025-26" / "draft-2" / "tables" / "funding.parquet"
    pl.read_parquet(path).with_columns(pl.col("amount") + 1).write_parquet(path)
    app = verify(open_page("audit", Role.AUDITOR, round="2025-26/draft-2"))
    assert "Computed again from its inputs, something else comes out" in told(app)
    assert "tables/funding: row 1 (EX-01" in codes(app)


def test_the_hash_that_the_order_quotes_is_looked_for(open_page: Open, app_store: Path) -> None:
    [line] = read_journal(app_store)
    app = verify(open_page("audit", Role.AUDITOR, round=PUBLISHED, expect=line.sha256.upper()))
    assert "The journal has the hash that the order quotes." in told(app)
    assert f"--expect {line.sha256}" in codes(app)
    app = verify(open_page("audit", Role.AUDITOR, round=PUBLISHED, expect="0" * 64))
    assert "The journal does not stand behind this version." in told(app)


def test_what_is_no_hash_is_not_looked_for(open_page: Open) -> None:
    for text in ("abc", "; rm -rf /", "<script>"):
        app = open_page("audit", Role.AUDITOR, round=PUBLISHED, expect=text)
        assert app.button(key="audit:ask").disabled
        assert codes(app) == "kpi verify 2025-26/v1 --store rounds"


@pytest.mark.parametrize("role", [Role.DIRECTOR, Role.REGION])
def test_others_are_refused(open_page: Open, role: Role) -> None:
    for part in ("verify", "receipt", "sql", "journal"):
        app = open_page("audit", role, part=part, college="EX-02", table="funding")
        assert "not for your role" in told(app)
        assert not app.dataframe and not app.code


# receipt


def test_the_receipt_is_shown_with_dates_hashes_and_files(open_page: Open) -> None:
    app = open_page("audit", Role.AUDITOR, round=PUBLISHED, part="receipt")
    said, rows = told(app), cells(app)
    assert " checks were run, 2 of them found something" in said
    assert "01.10.2025" in rows and "Students are counted and paid for" in rows
    assert "threshold 2025-09-01" in rows and "students.csv" in rows
    assert "No finding was waived" in said


# one amount


def test_an_amount_is_explained_down_to_its_rows(open_page: Open) -> None:
    """EX-02 has 30 students and passes every gate: 30 × 912 000 = 27 360 000 tenge."""
    app = open_page("audit", Role.AUDITOR, round=PUBLISHED, college="EX-02")
    said = told(app)
    assert "27,360,000\u00a0₸ a year, step by step" in said
    assert "together 30" in said
    assert "base 13,110,000 + incentive 14,250,000 = 27,360,000" in said
    rows = cells(app)
    assert "27360000" in rows, "the stored row itself"
    assert "norm.full" in rows and "912,000" in rows, "the rule's parameter"


def test_a_college_that_is_not_in_the_round_is_none(open_page: Open) -> None:
    app = open_page("audit", Role.AUDITOR, college="../../etc")
    assert not app.exception
    assert not app.dataframe


# tables and SQL


def test_a_table_is_shown_with_its_select_and_first_rows(open_page: Open) -> None:
    app = open_page("audit", Role.AUDITOR, round=PUBLISHED, table="gates")
    assert "One row per unit and gate" in told(app)
    assert "sql/3_profile/gates.sql" in told(app)
    assert "FROM param_gate" in codes(app)
    assert "EX-01" in cells(app)
    assert app.selectbox(key="address:table").value == "gates"


def test_a_table_made_by_code_names_its_module(open_page: Open) -> None:
    app = open_page("audit", Role.AUDITOR, table="ranking")
    assert "kpi/ranking.py" in told(app)
    assert not app.code


@pytest.mark.parametrize("table", ["students", "raw_students", "graduates", "cohort"])
def test_rows_of_people_are_never_shown(open_page: Open, table: str) -> None:
    app = open_page("audit", Role.MINISTRY, table=table)
    assert app.selectbox(key="address:table").value == table
    assert not app.dataframe


def test_a_table_that_there_is_not_is_none(open_page: Open) -> None:
    app = open_page("audit", Role.AUDITOR, table="../receipt")
    assert not app.exception
    assert not app.dataframe and not app.code


# journal


def test_the_journal_says_who_published_and_why(open_page: Open) -> None:
    app = open_page("audit", Role.AUDITOR, part="journal")
    rows = cells(app)
    assert "А. Примерова" in rows and "Б. Выдуманов" in rows and "Приказ № 17" in rows
    assert "The chain is whole." in told(app)


def test_a_broken_journal_is_said_as_an_error(open_page: Open, own_copy: Path) -> None:
    path = own_copy / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace("№ 17".encode(), "№ 18".encode()) * 2)
    app = open_page("audit", Role.AUDITOR, part="journal")
    assert not app.exception
    assert any("journal" in str(error.value) for error in app.error)
