"""Waivers on the page Data check: who sees which, who makes one, what it says before it is kept."""

from pathlib import Path

import pytest
from inputs import ROUND, run, write_folder
from publications import copied, publish_draft, sound
from screens import Open, texts
from streamlit.testing.v1 import AppTest

from funding.waiving import keep, kept_for, new_waiver, newest_draft
from kpi.access import Role
from kpi.journal import read_journal

DRAFT = {"of": "round", "round": f"{ROUND}/draft-2"}
COURSES = {"check": "not_an_integer"}
"""One rejected student each of EX-01, the director's, and of EX-02: 912,000 tenge each."""

ELSEWHERE = {"check": "not_a_date", "college_id": "EX-02"}
PEOPLE = ("А. Примерова", "Б. Выдуманов", "письмо № 5")


@pytest.fixture
def store(published_store: Path, tmp_path: Path) -> Path:
    """v1 has no error; the newest draft has three, of EX-01 and EX-02."""
    return copied(published_store, tmp_path)


@pytest.fixture
def waived(store: Path) -> Path:
    """As ``store``, with two waivers kept, of all three errors."""
    for stated in (COURSES, ELSEWHERE):
        keep(store, newest_draft(store, ROUND), new_waiver(stated, *PEOPLE))
    return store


def told(app: AppTest) -> str:
    """What the page says, as it is read."""
    assert not app.exception
    return texts(app).replace("\\", "")


def rows(app: AppTest) -> list[tuple[str, ...]]:
    """Tenge, findings, reason and both names of each waiver in the table; none without it."""
    names = ["tenge", "findings", "reason", "by", "approved_by"]
    frames = [frame.value for frame in app.dataframe if set(names) <= set(frame.value.columns)]
    return [tuple(row) for frame in frames for row in frame[names].to_numpy().tolist()]


def test_the_ministry_keeps_a_waiver_once_it_knows_what_it_moves(
    open_page: Open, store: Path
) -> None:
    app = open_page("data_check", store=store, waive="not_an_integer", **DRAFT)
    said = told(app)
    assert "No waiver is kept" in said
    assert "3 errors have no waiver: the draft cannot be published." in said
    assert (
        "2 findings; 2 rows stay rejected. 2 students stay unpaid for: the colleges are paid"
        " 1,824,000\u00a0₸ a year less." in said
    )
    assert "Say first that you know what it moves." in said
    assert app.button(key="waive:keep").disabled
    text = {field.label: field for field in app.text_input}
    assert text["Your name"].value == "analyst@example.org"
    assert text["Your name"].disabled
    text["Why"].set_value("письмо № 5")
    text["Name of the second person who approves"].set_value("Б. Выдуманов")
    [sure] = [box for box in app.checkbox if "1,824,000" in box.label]
    app = sure.check().run()
    app = app.button(key="waive:keep").click().run()
    assert "1 waiver is kept" in told(app)
    assert rows(app) == [
        ("1,824,000\u00a0₸", "2", "письмо № 5", "analyst@example.org", "Б. Выдуманов")
    ]
    assert [one.waiver.check for one in kept_for(store, ROUND)] == ["not_an_integer"]
    assert read_journal(store)[-1].content["action"] == "waive"


def test_of_one_college_its_own_amount_is_said(open_page: Open, store: Path) -> None:
    app = open_page("data_check", store=store, waive="not_a_date", waive_at="EX-02", **DRAFT)
    assert "paid from 0\u00a0₸ to 912,000\u00a0₸ a year less" in told(app)


def test_one_name_twice_and_no_reason_are_refused_and_nothing_is_kept(
    open_page: Open, store: Path
) -> None:
    app = open_page("data_check", store=store, waive="not_an_integer", **DRAFT)
    before = (store / "journal.jsonl").read_bytes()
    for second, why, says in (
        ("Analyst@Example.org ", "письмо", "Two different people waive a finding"),
        ("Б. Выдуманов", "", "This needs a reason."),
    ):
        text = {field.label: field for field in app.text_input}
        text["Why"].set_value(why)
        text["Name of the second person who approves"].set_value(second)
        [sure] = [box for box in app.checkbox if "1,824,000" in box.label]
        app = sure.check().run().button(key="waive:keep").click().run()
        assert says in told(app)
    assert (store / "journal.jsonl").read_bytes() == before


def test_the_ministry_withdraws_a_waiver(open_page: Open, waived: Path) -> None:
    app = open_page("data_check", store=waived, **DRAFT)
    assert "Every error is accepted by a waiver." in told(app)
    fields = {field.key: field for field in app.text_input}
    fields["withdraw:reason"].set_value("ошибка")
    [button] = [one for one in app.button if one.label == "Withdraw"]
    app = button.click().run()
    assert [one.waiver.check for one in kept_for(waived, ROUND)] == ["not_a_date"]
    assert read_journal(waived)[-1].content["by"] == "analyst@example.org"
    assert "2 errors have no waiver" in told(app)


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.AUDITOR, ["1,824,000\u00a0₸", "0–912,000\u00a0₸"]),
        (Role.DIRECTOR, ["912,000\u00a0₸"]),
        (Role.REGION, []),
    ],
)
def test_others_see_what_is_theirs_and_change_nothing(
    open_page: Open, waived: Path, role: Role, seen: list[str]
) -> None:
    """The director of EX-01 sees the part of the waiver that concerns EX-01 alone."""
    app = open_page("data_check", role, store=waived, **DRAFT)
    said = told(app)
    assert [row[0] for row in rows(app)] == seen
    assert "Accept findings with a reason" not in said
    assert not [one for one in app.button if one.label == "Withdraw"]
    if role != Role.AUDITOR:
        assert "EX-02" not in said
        assert "1,824,000" not in said


@pytest.mark.parametrize("role", [Role.MINISTRY, Role.AUDITOR, Role.DIRECTOR])
def test_a_published_round_shows_the_waivers_of_its_receipt(
    open_page: Open, waived: Path, role: Role
) -> None:
    publish_draft(waived)
    app = open_page("data_check", role, store=waived, of="round", round=f"{ROUND}/v2")
    said = told(app)
    own = [("912,000\u00a0₸", "1", PEOPLE[2], PEOPLE[0], PEOPLE[1])]
    both = ["0–912,000\u00a0₸", "1,824,000\u00a0₸"]
    if role == Role.DIRECTOR:
        assert rows(app) == own
        assert "1 waiver" in said
    else:
        assert [row[0] for row in rows(app)] == both
    assert "Accept findings with a reason" not in said


def test_a_waiver_that_accepts_nothing_any_more_is_said(
    open_page: Open, waived: Path, tmp_path: Path
) -> None:
    """The input is corrected and run again: the college's row of the register is short of one."""
    tables = sound()
    tables["students"].append({**tables["students"][0], "student_id": "S-1", "course": "3.7"})
    run(write_folder(tmp_path / "third", **tables), waived)
    where = {"of": "round", "round": f"{ROUND}/draft-3"}
    said = told(open_page("data_check", store=waived, **where))
    assert "1 kept waiver accepts no finding of this draft any more" in said
    assert "4 (check not_a_date, college_id EX-02)" in said


def test_an_older_draft_shows_the_waivers_and_makes_none(
    open_page: Open, waived: Path, tmp_path: Path
) -> None:
    run(write_folder(tmp_path / "third", **sound()), waived)
    app = open_page("data_check", store=waived, **DRAFT)
    assert "2 waivers are kept" in told(app)
    assert "Accept findings with a reason" not in told(app)


def test_the_overview_leaves_to_do_what_no_waiver_accepts(open_page: Open, store: Path) -> None:
    def left() -> list[str]:
        app = open_page("overview", store=store, round=DRAFT["round"])
        return [one.proto.label for one in app.get("page_link")]

    assert "3 errors are neither corrected nor accepted" in left()
    keep(store, newest_draft(store, ROUND), new_waiver(COURSES, *PEOPLE))
    assert "1 error is neither corrected nor accepted" in left()
    assert "2 errors were accepted with a reason" in left()
