"""The page Stability, its list of decisions in doubt: the worked colleges, and some made for it.

Of the worked colleges EX-03 alone hangs on a few records: 16 of 20 in work, four excluded; with
three of them in the denominator it is 16 of 23, below 0.70. It has 29 students, 475 000 tenge each.
"""

from pathlib import Path

import polars as pl
import pytest
from inputs import (
    accreditation,
    agreement,
    college,
    graduate,
    graduates,
    run,
    students,
    write_folder,
)
from publications import DATE, publish_draft
from screens import Open, texts
from streamlit.testing.v1 import AppTest

from kpi.access import Role
from kpi.resources import data_folder
from kpi.rounds import Round, open_round


def plain(text: str) -> str:
    """A text without the marks that keep Markdown off and words together."""
    return text.replace("\\", "").replace("\u00a0", " ")


def listed(app: AppTest) -> list[dict[str, str]]:
    """The rows of the list."""
    [table] = [one for one in app.dataframe if "stands" in one.value.columns]
    rows: list[dict[str, str]] = table.value.to_dict("records")
    return [{name: plain(text) for name, text in row.items()} for row in rows]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which thirty colleges of two regions stand on the threshold of employment: those
    of even numbers pass with 7 of 10 and one excluded, the others fail with 6 of 10 and one
    declared.
    """
    path = tmp_path_factory.mktemp("many")
    tables: dict[str, list[dict[str, object]]] = {}
    for number in range(30):
        unit = f"EX-{number:02d}"
        members = students(unit, 25 + number)
        passes = number % 2 == 0
        more = (
            graduate(unit, "military_service", destination_source="military_register")
            if passes
            else graduate(
                unit, "employed", destination_source="declared", destination_on="2025-08-15"
            )
        )
        made = {
            "colleges": [college(unit, region="KZ-35" if number < 10 else "KZ-71")],
            "students": members,
            "graduates": [*graduates(unit, 7 if passes else 6, 3), more],
            "dual_agreements": [agreement(of) for of in members[:20]],
            "accreditations": [accreditation(unit)],
        }
        for table, rows in made.items():
            tables.setdefault(table, []).extend(rows)
    run(write_folder(path / "input", **tables), path / "rounds")
    return path / "rounds"


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an assessment round."""
    store = tmp_path_factory.mktemp("assessed")
    run(data_folder() / "astana-2024-25", store, round_id="2024-25", methodology="assessment")
    return store


@pytest.mark.parametrize("role", [Role.MINISTRY, Role.AUDITOR])
def test_it_opens_with_how_many_decisions_hang_on_how_few_records(
    open_page: Open, role: Role
) -> None:
    app = open_page("stability", role)
    assert plain(app.title[0].value) == (
        "1 of 9 decisions about money hangs on at most 3 records: 13.8 million ₸ a year"
    )


def test_the_list_says_of_the_decision_how_many_records_and_how_much_money(
    open_page: Open,
) -> None:
    [row] = listed(open_page("stability"))
    assert row["college"].startswith("Worked example No. 3")
    assert row["stands"] == "passes with 16 of 20"
    assert row["needed"] == "3 of 4"
    assert row["kind"] == "excluded graduates"
    assert row["tenge"] == "13,775,000 ₸"
    assert row["each"] == "4,591,666 ₸"
    assert row["region"] == "Karaganda Region"


def test_figures_carry_the_marks_of_the_round(open_page: Open) -> None:
    assert "illustrative" in texts(open_page("stability"))


def test_the_list_is_paged_and_the_page_stands_in_the_address(open_page: Open, many: Path) -> None:
    """The largest college first: one record is worth 54 x 475 000."""
    app = open_page("stability", store=many)
    assert plain(app.title[0].value).startswith("30 of 30 decisions about money hang on at most 3")
    rows = listed(app)
    assert len(rows) == 25
    assert rows[0]["each"] == "25,650,000 ₸"
    app.query_params["page"] = "2"
    second = listed(app.run())
    assert len(second) == 5
    assert second[-1]["each"] == "11,875,000 ₸"


def test_region_kind_and_decision_narrow_it_from_the_address(open_page: Open, many: Path) -> None:
    assert len(listed(open_page("stability", store=many, region="KZ-35"))) == 10
    excluded = listed(open_page("stability", store=many, doubt="excluded"))
    assert len(excluded) == 15
    assert {row["kind"] for row in excluded} == {"excluded graduates"}
    fails = listed(open_page("stability", store=many, stands="fails", region="KZ-35"))
    assert len(fails) == 5
    assert {row["stands"] for row in fails} == {"fails with 6 of 10"}
    none = open_page("stability", store=many, doubt="excluded", stands="fails")
    assert "No decision fits this choice." in plain(texts(none))


def test_a_wrong_choice_in_the_address_counts_as_none(open_page: Open) -> None:
    app = open_page("stability", region="<script>", doubt="../../etc", stands="=1+1")
    app.query_params["page"] = "-3"
    app.run()
    assert not app.exception
    assert len(listed(app)) == 1


def test_choosing_writes_the_address(open_page: Open, many: Path) -> None:
    app = open_page("stability", store=many)
    app.query_params["page"] = "2"
    app.run()
    [choice] = [one for one in app.selectbox if one.label == "Records in doubt"]
    choice.set_value("excluded").run()
    assert app.query_params["doubt"] == "excluded"
    assert "page" not in app.query_params
    assert len(listed(app)) == 15


def test_a_published_round_says_what_became_of_its_waived_rows(
    open_page: Open, tmp_path: Path
) -> None:
    members = students("EX-01", 30)
    tables = {
        "colleges": [college("EX-01")],
        "students": [*members, *students("EX-01", 2, enrolled_on="2023-02-30")],
        "graduates": graduates("EX-01", 9, 1),
        "dual_agreements": [agreement(of) for of in members[:20]],
        "accreditations": [accreditation("EX-01")],
    }
    run(write_folder(tmp_path / "input", **tables), tmp_path / "rounds")
    assert "waived" not in texts(open_page("stability", store=tmp_path / "rounds"))
    publish_draft(tmp_path / "rounds", waivers=DATE)
    told = plain(texts(open_page("stability", store=tmp_path / "rounds")))
    assert "2 rows were rejected and waived; they reverse no gate" in told


def test_a_round_without_funding_says_what_is_missing(open_page: Open, assessed: Path) -> None:
    app = open_page("stability", store=assessed)
    assert not app.exception
    assert plain(app.title[0].value).startswith("Differences in score come most from")
    assert "No register of students was given" in plain(texts(app))
    assert not [one for one in app.dataframe if "stands" in one.value.columns]


def test_a_round_of_an_older_product_says_to_run_it_again(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    has = Round.has
    monkeypatch.setattr(
        Round, "has", lambda of, table: table != "decision_doubts" and has(of, table)
    )
    told = texts(open_page("stability"))
    assert "was run before decisions in doubt were counted" in told
    assert "Run the round again" in told


def test_the_list_is_taken_away_with_its_marks(open_page: Open, many: Path) -> None:
    app = open_page("stability", store=many)
    labels = [one.label for one in app.get("download_button")]
    assert "Download this list as CSV" in labels
    from funding.doubts import in_doubt
    from funding.doubts_told import as_file

    of_round = open_round(many)
    tables = [of_round.table(name) for name in ("decision_doubts", "gates", "unit_profile")]
    file = as_file(in_doubt(*tables), {"round": "2025-26", "version": "draft-1", "marks": "draft"})
    assert file.columns[:4] == ["round", "version", "marks", "college_id"]
    assert file.height == 30
    assert file["marks"].unique().to_list() == ["draft"]
    assert file.filter(pl.col("needed") == 1).height == 30
