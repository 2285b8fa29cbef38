"""The page College: what a director reads, what each role may see of it, and what it hands out.

The store holds the twelve worked colleges: v1 under the rule threshold, draft-2 under the leagues.
"""

from pathlib import Path

import pytest
from inputs import (
    KEY,
    agreement,
    college,
    graduates,
    quiet,
    run,
    students,
    together,
    write_folder,
)
from publications import publish_draft
from screens import OWN, VIEWERS, Open, texts
from streamlit.testing.v1 import AppTest

from funding.run import plan_round, run_round
from kpi.access import Role, Viewer
from kpi.language import LANGUAGES
from kpi.resources import data_folder

DRAFT, PUBLISHED = "2025-26/draft-2", "2025-26/v1"
COLLEGES = [f"EX-{number:02d}" for number in range(1, 11)]


def title(app: AppTest) -> str:
    [one] = app.title
    return str(one.value).replace("\\", "")


def said(app: AppTest) -> str:
    """Everything said, as it is read: without the marks that keep names from being Markdown."""
    return texts(app).replace("\\", "").replace("\u00a0", " ")


def downloads(app: AppTest) -> list[str]:
    """The labels of the downloads, those of charts left out."""
    labels = [str(button.proto.label) for button in app.get("download_button")]
    return [label for label in labels if not label.startswith("Save as")]


# what a director reads


def test_a_director_opens_their_own_college(open_page: Open) -> None:
    app = open_page("college", Role.DIRECTOR, round=PUBLISHED)
    assert not app.exception
    assert title(app) == "Worked example No. 1: mining college"
    told = said(app)
    assert "One gate is not passed: Institutional accreditation: it is not there" in told
    assert "Rank 1 of 7" in told
    assert "league 2 (Second league) · score 94.50" in told
    assert "437,000 ₸" in told


def test_it_says_how_many_are_missing_and_what_they_bring(open_page: Open) -> None:
    """EX-06: one student more in dual training; 22 students x 475,000 = 10,450,000 tenge a year."""
    told = said(open_page("college", round=PUBLISHED, college="EX-06"))
    assert "16.0 % (4 of 25) against 20 %, short by 1 student" in told
    assert "1 student" in told
    assert "alone it brings 10,450,000 ₸ a year" in told


def test_a_college_that_passes_all_gates_has_nothing_missing(open_page: Open) -> None:
    app = open_page("college", round=PUBLISHED, college="EX-02")
    told = said(app)
    assert "All 3 gates are passed" in told
    [missing] = [metric for metric in app.metric if "Missing" in metric.label]
    assert missing.value == "nothing"


def test_a_branch_leads_to_its_unit(open_page: Open) -> None:
    app = open_page("college", round=PUBLISHED, college="EX-03B")
    assert title(app) == "Worked example No. 3: construction college"


def test_the_steps_are_those_of_the_explanation(open_page: Open) -> None:
    told = [box.label for box in open_page("college", round=PUBLISHED, college="EX-02").expander]
    assert [label.partition(".")[0] for label in told] == [str(n) for n in range(6, 13)]


def test_the_way_to_the_next_league_is_made_when_asked_for(open_page: Open) -> None:
    address = {"round": DRAFT, "college": "EX-06"}
    assert "One way to league 2" not in said(open_page("college", **address))
    assert "One way to league 2" in said(open_page("college", way="league", **address))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("college_id", COLLEGES)
def test_every_college_can_be_read_in_every_language(
    open_page: Open, college_id: str, language: str
) -> None:
    app = open_page("college", language=language, round=PUBLISHED, college=college_id)
    assert not app.exception
    assert not app.error
    assert f"[no {language} text]" not in said(app)
    assert "None" not in said(app)


# who may see what


def test_an_analyst_without_a_college_is_asked_for_one(open_page: Open) -> None:
    app = open_page("college", round=PUBLISHED)
    assert title(app) == "Which college?"
    [box] = [box for box in app.selectbox if box.key == "address:college"]
    assert len(box.options) == 1 + len(COLLEGES)


def test_choosing_a_college_writes_it_into_the_address(open_page: Open) -> None:
    app = open_page("college", round=PUBLISHED)
    app.selectbox(key="address:college").set_value("EX-05").run()
    assert app.query_params["college"] == "EX-05"
    assert "teacher training" in title(app)


def test_a_director_is_refused_the_draft_of_another(open_page: Open) -> None:
    app = open_page("college", Role.DIRECTOR, round=DRAFT, college="EX-02")
    assert title(app) == "This college's draft is not for you."
    assert not app.exception
    told = said(app)
    for secret in ("higher college of information technology", "76.13", "912,000"):
        assert secret not in told
    assert downloads(app) == []


def test_a_region_is_refused_the_draft_of_another_region(open_page: Open) -> None:
    """EX-02 lies in KZ-71, the viewer's region is KZ-35."""
    app = open_page("college", Role.REGION, round=DRAFT, college="EX-02")
    assert title(app) == "This college's draft is not for you."
    own = open_page("college", Role.REGION, round=DRAFT, college="EX-05")
    assert "teacher training" in title(own)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "asked", ["EX-99", "<script>alert(1)</script>", "../../etc", "[x](javascript:1)"]
)
def test_a_college_that_is_not_there_is_said_so(open_page: Open, role: Role, asked: str) -> None:
    app = open_page("college", role, round=PUBLISHED, college=asked)
    assert not app.exception
    assert title(app) == f"This round has no college {asked}."


def test_others_see_a_published_college_without_its_small_counts(open_page: Open) -> None:
    """EX-06: 4 of 25 in dual training is hidden, and with it whether the gate is passed."""
    open_told = said(open_page("college", round=PUBLISHED, college="EX-06"))
    assert "4 of 25" in open_told
    for role in (Role.DIRECTOR, Role.REGION):
        told = said(open_page("college", role, round=PUBLISHED, college="EX-06"))
        assert "4 of 25" not in told
        assert "short by 1 student" not in told
        assert "10,450,000" not in told


@pytest.mark.parametrize(
    ("role", "college_id", "handed_out"),
    [
        (Role.DIRECTOR, OWN, True),
        (Role.MINISTRY, "EX-05", True),
        (Role.AUDITOR, "EX-05", True),
        (Role.REGION, "EX-05", False),
        (Role.DIRECTOR, "EX-05", False),
    ],
)
def test_lists_of_people_and_steps_are_for_those_who_see_all_of_a_college(
    open_page: Open, role: Role, college_id: str, handed_out: bool
) -> None:
    app = open_page("college", role, round=PUBLISHED, college=college_id)
    labels = ["One page (PDF)", "Counting list (XLSX)"]
    assert downloads(app) == (labels if handed_out else [])
    assert bool(app.expander) is handed_out
    assert ("personal data" in said(app)) is handed_out
    assert ("the college itself, the ministry and the auditor" in said(app)) is not handed_out


# profile, peers, expected employment: seven colleges alike, EX-5 in KZ-71, the others in KZ-35


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published, and the same as a newer draft. EX-1 has all 20 graduates in work, the others 10 of
    20; of EX-7's 20 students in dual training 2, of the others' 5 and more.
    """
    folder = tmp_path_factory.mktemp("alike")
    tables = []
    for number in range(1, 8):
        college_id = f"EX-{number}"
        members = students(college_id, 30 + number)
        tables.append(
            {
                "colleges": [college(college_id, region="KZ-71" if number == 5 else "KZ-35")],
                "students": members,
                "dual_agreements": [agreement(of) for of in members[: 2 if number == 7 else 9]],
                "graduates": graduates(college_id, *((20, 0) if number == 1 else (10, 10))),
            }
        )
    write_folder(folder / "input", **together(*tables))
    run(folder / "input", folder / "rounds")
    publish_draft(folder / "rounds")
    run(folder / "input", folder / "rounds")
    return folder / "rounds"


def as_director_of(college_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = Viewer(Role.DIRECTOR, "d@example.org", college_id=college_id)
    monkeypatch.setitem(VIEWERS, Role.DIRECTOR, viewer)


def test_a_profile_is_a_sentence_with_its_counts(open_page: Open) -> None:
    """EX-08: 15 of 25 students in transport, 10 in agriculture; 0.36 + 0.16 = 0.52."""
    told = said(open_page("college", round=PUBLISHED, college="EX-08"))
    assert "Profile: Transport, 60.0 % of its students" in told
    assert "15 of 25 students · concentration 0.52" in told
    assert "1 specialty of 2 lies outside the profile, with 10 students" in told


def test_peers_strengths_and_the_funnel_are_told_with_their_n(open_page: Open, alike: Path) -> None:
    app = open_page("college", store=alike, round=PUBLISHED, college="EX-1")
    assert not app.exception
    told = said(app)
    assert "6 colleges are like it" in told
    assert "│ its 6 peers: colleges like it, not its whole cluster" in told
    assert "Against its 6 peers: strengths 2, weaknesses 0" in told
    assert "100.0 % (20 of 20); place 1 of 7, the middle half of the peers is at 50.0 %" in told
    assert "50.0 points more than expected, beyond the 99.8 % limits of chance" in told
    assert "never weighted into the score and moves no money" in told
    assert "20 of 20 graduates are in work (100.0 %); 10.0 are expected (50.0 %)" in told
    assert "Employment by qualification" in told


def test_a_peer_leads_to_its_own_page(open_page: Open, alike: Path) -> None:
    app = open_page("college", store=alike, round=PUBLISHED, college="EX-1")
    [table] = [one for one in app.dataframe if "name" in one.value.columns]
    assert table.value["name"].to_list() == [f"Колледж EX-{n} (ru)" for n in range(2, 8)]
    assert table.value["students"].to_list() == [str(30 + n) for n in range(2, 8)]


def test_a_director_sees_no_other_dot_and_nothing_that_a_hidden_count_made(
    open_page: Open, alike: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-7's 2 of 37 in dual training is hidden, so how EX-1's peers do in dual training too."""
    as_director_of("EX-1", monkeypatch)
    told = said(open_page("college", Role.DIRECTOR, store=alike, round=PUBLISHED))
    [left_out] = [line for line in told.splitlines() if line.startswith("Left out, because")]
    assert "Share of students in dual training" in left_out
    assert "50.0 points more than expected" in told
    assert "grey: the other colleges" not in told
    other = said(open_page("college", Role.DIRECTOR, store=alike, round=PUBLISHED, college="EX-2"))
    assert "6 colleges are like it" in other
    assert "is shown to the college itself, the ministry and the auditor" in other
    for secret in ("points less than expected", "place 1 of 7", "concentration"):
        assert secret not in other


def test_a_draft_names_a_director_no_peers(
    open_page: Open, alike: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_director_of("EX-1", monkeypatch)
    told = said(open_page("college", Role.DIRECTOR, store=alike, round=DRAFT))
    assert "A draft names no colleges that it does not show to you." in told
    assert "EX-2" not in told
    assert "Against its" not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_profile_is_whole_in_every_language(open_page: Open, alike: Path, language: str) -> None:
    app = open_page("college", language=language, store=alike, round=PUBLISHED, college="EX-1")
    assert not app.exception
    assert f"[no {language} text]" not in said(app)
    assert "None" not in said(app)


# rounds of other kinds


@pytest.fixture(scope="module")
def astana(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round of points: no students, no gates, no money."""
    store = tmp_path_factory.mktemp("astana") / "rounds"
    folder = data_folder() / "astana-2024-25"
    run_round(folder, store, plan_round("2024-25", "assessment", "threshold"), KEY, quiet)
    return store


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_round_of_points_has_its_page(open_page: Open, astana: Path, language: str) -> None:
    app = open_page("college", language=language, store=astana, college="AST-20")
    assert not app.exception
    assert len(app.metric) == 4
    assert f"[no {language} text]" not in said(app)
    if language == "en":
        assert "Rank 1 of 23 with 97.00 points" in said(app)
        assert downloads(app) == ["One page (PDF)"]


def test_a_college_that_is_not_ranked_has_its_page(open_page: Open) -> None:
    told = said(open_page("college", round=PUBLISHED, college="EX-08"))
    assert "Not ranked: Employed, excluded left out (derived) is needed and is missing" in told
    assert "912,000 ₸" in told
