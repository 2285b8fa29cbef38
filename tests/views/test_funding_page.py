"""The page Funding on the twelve worked colleges: 156 940 000 tenge, by hand (data/example)."""

import zipfile
from pathlib import Path

import pytest
from publications import publish_draft
from screens import Open, texts
from streamlit.testing.v1 import AppTest

import funding
from kpi.access import AccessError, Role, Viewer
from kpi.rounds import Round, open_round


def plain(text: str) -> str:
    """A text without the marks that keep Markdown off and words together."""
    return text.replace("\\", "").replace("\u00a0", " ")


def frame_of(app: AppTest, first: str) -> list[dict[str, str]]:
    """The rows of the table whose first column is this."""
    [table] = [one for one in app.dataframe if one.value.columns[0] == first]
    rows: list[dict[str, str]] = table.value.to_dict("records")
    return [{name: plain(text) for name, text in row.items()} for row in rows]


def test_the_page_does_not_hide_the_package_of_its_name() -> None:
    assert funding.__file__ is not None
    assert Path(funding.__file__).name == "__init__.py"


def test_it_opens_with_the_cost_against_the_norm_before(open_page: Open) -> None:
    """5 of 9 paid colleges pass every gate; 156 940 000 against 96 140 000 under the old norm."""
    app = open_page("funding")
    assert plain(app.title[0].value) == (
        "5 of 9 colleges qualify; the round costs 156.9 million ₸ a year, 60.8 million ₸ more"
        " than under the norm before"
    )


def test_amounts_are_base_and_incentive_and_the_average_norm(open_page: Open) -> None:
    """The five that qualify have 128 students and 116 736 000 tenge: 912 000 a student."""
    metrics = {one.label: plain(one.value) for one in open_page("funding").metric}
    assert metrics == {
        "All amounts a year": "156.9 million ₸",
        "Base part": "96.1 million ₸",
        "Incentive part": "60.8 million ₸",
        "Average norm of those that qualify": "912,000 ₸",
    }


def test_regions_stand_with_their_qualifying_colleges_and_exact_amounts(open_page: Open) -> None:
    rows = {row["place"]: row for row in frame_of(open_page("funding"), "place")}
    karaganda = rows["Karaganda Region"]
    assert karaganda["colleges"] == "3 of 4"
    assert karaganda["amount"] == "79,724,000 ₸"
    assert karaganda["norm"] == "912,000 ₸"
    assert sum(int(row["amount"][:-2].replace(",", "")) for row in rows.values()) == 156_940_000


def test_administrators_sum_to_the_same(open_page: Open) -> None:
    rows = frame_of(open_page("funding", by="administrator"), "place")
    assert sum(int(row["amount"][:-2].replace(",", "")) for row in rows) == 156_940_000


def test_the_rule_is_said_in_words_with_its_mark(open_page: Open) -> None:
    told = plain(texts(open_page("funding")))
    assert "912,000 ₸ a student and year" in told
    assert "illustrative" in told


def test_the_colleges_within_one_person_of_a_gate_are_listed(open_page: Open) -> None:
    """EX-06 is one dual student short, and its other gates are passed; EX-05 is exactly on two
    thresholds, 7 of 10 and 5 of 25; 6 of 8 of EX-08 are just enough.
    """
    rows = frame_of(open_page("funding", list="close"), "college")
    found = [(row["college"][15:20], row["value"], row["place"], row["decides"]) for row in rows]
    spare = "passed with nobody to spare"
    assert found == [
        ("No. 5", "70.0 % (7 of 10)", spare, "yes"),
        ("No. 8", "75.0 % (6 of 8)", spare, "yes"),
        ("No. 6", "16.0 % (4 of 25)", "one person short", "yes"),
        ("No. 5", "20.0 % (5 of 25)", spare, "yes"),
        ("No. 6", "70.0 % (14 of 20)", spare, "no"),
    ]


def test_the_qualifying_colleges_are_listed_with_their_amounts(open_page: Open) -> None:
    rows = frame_of(open_page("funding", list="qualify"), "college")
    amounts = [row["amount"] for row in rows]
    assert amounts == [  # EX-02, EX-03, EX-08, EX-04, EX-05
        "27,360,000 ₸",
        "26,448,000 ₸",
        "21,888,000 ₸",
        "20,976,000 ₸",
        "20,064,000 ₸",
    ]


def test_a_wrong_list_or_region_in_the_address_counts_as_none(open_page: Open) -> None:
    app = open_page("funding", list="../../etc", region="<script>", by="=1+1")
    assert not app.exception
    assert len(frame_of(app, "place")) == 3


def test_a_region_sees_its_own_amounts_first_and_no_workbook(open_page: Open) -> None:
    app = open_page("funding", Role.REGION)
    assert "Karaganda Region" in app.title[0].value
    assert frame_of(app, "place")[0]["place"] == "Karaganda Region"
    told = texts(app)
    assert "under the norm before" not in told
    labels = [one.label for one in app.get("download_button")]
    assert "Open data package (ZIP)" in labels
    assert "Auditor's workbook (XLSX)" not in labels


def test_a_region_sees_of_a_draft_its_own_alone(open_page: Open, app_store: Path) -> None:
    [draft] = [path.name for path in (app_store / "2025-26").glob("draft-*")][-1:]
    app = open_page("funding", Role.REGION, round=f"2025-26/{draft}")
    assert [row["place"] for row in frame_of(app, "place")] == ["Karaganda Region"]
    assert not [one for one in app.get("download_button") if "package" in one.label.lower()]


def test_a_draft_is_marked(open_page: Open, app_store: Path) -> None:
    [draft] = [path.name for path in (app_store / "2025-26").glob("draft-*")][-1:]
    told = plain(texts(open_page("funding", round=f"2025-26/{draft}")))
    assert f"draft {draft.rpartition('-')[2]}" in told
    assert "155.9 million ₸" in told, "by leagues: 155 895 000"


@pytest.mark.parametrize("role", [Role.REGION, Role.DIRECTOR])
def test_the_workbook_is_refused_to_all_but_ministry_and_auditor(
    app_store: Path, role: Role, tmp_path: Path
) -> None:
    from kpi.language import speaker
    from views.frame.exports import workbook_for
    from views.frame.here import Here

    viewer = Viewer(role, "x", region="KZ-35", college_id="EX-01")
    at = Here(speaker("en"), viewer, app_store, open_round(app_store))
    with pytest.raises(AccessError):
        workbook_for(at, tmp_path / "book.xlsx")


def test_the_package_is_one_zip_of_its_files(app_store: Path, tmp_path: Path) -> None:
    from kpi.language import speaker
    from views.frame.exports import package_for
    from views.frame.here import Here

    ministry = Viewer(Role.MINISTRY, "x")
    at = Here(speaker("en"), ministry, app_store, open_round(app_store))
    with zipfile.ZipFile(package_for(at, tmp_path)) as packed:
        names = packed.namelist()
    assert "datapackage.json" in names
    assert "funding.csv" in names
    assert not [name for name in names if "/" in name]


def test_an_earlier_round_is_what_it_is_set_against(
    open_page: Open, app_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 2024-25 in the store, the difference is to that round, and said part by part."""
    from inputs import KEY, quiet

    from funding.run import plan_round, run_round
    from kpi.resources import data_folder

    store = tmp_path / "rounds"
    example = data_folder() / "example"
    run_round(example, store, plan_round("2024-25", "example", "threshold"), KEY, quiet)
    run_round(example, store, plan_round("2025-26", "example", "threshold"), KEY, quiet)
    publish_draft(store)
    assert isinstance(open_round(store, "2024-25"), Round)
    app = open_page("funding")
    monkeypatch.setenv("KPI_STORE", str(store))
    app.run()
    assert "than the round 2024-25" in plain(app.title[0].value)
    assert "Most of the difference comes from" in texts(app)
