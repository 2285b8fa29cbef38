"""Waivers kept for a round: made, listed, withdrawn, kept over drafts, and published."""

from pathlib import Path

import polars as pl
import pytest
from inputs import ROUND, run, write_folder
from publications import DATE, LAW, copied, publish_draft, verified, with_errors
from typer.testing import CliRunner

from funding.waivers import Waiver
from funding.waiving import (
    accepted_errors,
    idle_for,
    keep,
    kept_for,
    new_waiver,
    newest_draft,
    withdraw,
)
from kpi.cli import app
from kpi.errors import CallError
from kpi.journal import read_journal
from kpi.rounds import open_round

PEOPLE = ("А. Примерова", "Б. Выдуманов", "письмо № 5")
COURSES = {"check": "not_an_integer"}
DAYS = {"check": "not_a_date"}

Stated = dict[str, str]


@pytest.fixture
def store(published_store: Path, tmp_path: Path) -> Path:
    """v1 is published and signed, two lines; the newest draft has three errors."""
    return copied(published_store, tmp_path)


def waived(store: Path, *accepted: Stated) -> list[int]:
    """Keep waivers for the newest draft; return their numbers."""
    draft = newest_draft(store, ROUND)
    return [keep(store, draft, new_waiver(one, *PEOPLE)).number for one in accepted]


def test_a_waiver_is_a_line_of_the_journal_with_what_it_moves(store: Path) -> None:
    [number] = waived(store, COURSES)
    line = read_journal(store)[-1]
    assert line.number == number == 3
    assert {name: line.content[name] for name in ("action", "round", "draft", "check")} == {
        "action": "waive",
        "round": ROUND,
        "draft": "draft-2",
        "check": "not_an_integer",
    }
    assert line.content["moves"] == {
        "findings": 2,
        "rows": 2,
        "students": 2,
        "least": 2 * 912_000,
        "most": 2 * 912_000,
        "below": 0,
    }
    names = {"by": PEOPLE[0], "approved_by": PEOPLE[1], "reason": PEOPLE[2]}
    assert [one.waiver for one in kept_for(store, ROUND)] == [
        Waiver(check="not_an_integer", **names)
    ]
    assert kept_for(store, "2024-25") == []


def test_what_is_kept_is_published_without_a_file_and_verified(store: Path) -> None:
    waived(store, COURSES, DAYS)
    publish_draft(store)
    held = open_round(store, ROUND, "v2").receipt["waivers"]
    assert [(one["check"], one["approved_by"], one["most"]) for one in held] == [
        ("not_a_date", PEOPLE[1], 912_000),
        ("not_an_integer", PEOPLE[1], 1_824_000),
    ]
    assert verified(store, "v2").differs is None
    assert [one.number for one in kept_for(store, ROUND)] == [3, 4], "for the next draft too"


def test_a_file_adds_to_what_is_kept_and_stands_in_its_place(store: Path) -> None:
    waived(store, COURSES)
    publish_draft(store, LAW.replace("№ 5", "№ 7") + DATE)
    held = open_round(store, ROUND, "v2").receipt["waivers"]
    assert [(one["check"], one["reason"]) for one in held] == [
        ("not_a_date", "письмо № 6"),
        ("not_an_integer", "письмо № 7"),
    ]


def test_a_withdrawn_waiver_is_not_published(store: Path) -> None:
    courses, _ = waived(store, COURSES, DAYS)
    gone = withdraw(store, ROUND, courses, " Б.  Выдуманов", "ошибка")
    assert gone.waiver.check == "not_an_integer"
    line = read_journal(store)[-1].content
    assert (line["action"], line["line"], line["by"], line["reason"]) == (
        "withdraw",
        courses,
        "Б. Выдуманов",
        "ошибка",
    )
    with pytest.raises(CallError) as caught:
        publish_draft(store)
    assert caught.value.what == "2 errors have no waiver; nothing was published."
    assert waived(store, COURSES) == [6], "it can be kept again"


def test_a_waiver_is_kept_over_drafts_and_said_when_it_accepts_nothing(
    store: Path, tmp_path: Path
) -> None:
    """The days are corrected, the courses are not."""
    waived(store, COURSES, DAYS)
    assert idle_for(store, ROUND) == []
    tables = with_errors()
    tables["students"] = [row for row in tables["students"] if row["enrolled_on"] != "yesterday"]
    run(write_folder(tmp_path / "third", **tables), store)
    assert [one.number for one in kept_for(store, ROUND)] == [3, 4]
    assert [one.waiver.check for one in idle_for(store, ROUND)] == ["not_a_date"]
    publish_draft(store)
    assert [one["check"] for one in open_round(store, ROUND, "v2").receipt["waivers"]] == [
        "not_an_integer"
    ]


def test_errors_that_are_accepted_are_counted_once(store: Path) -> None:
    draft = open_round(store, ROUND, "draft")
    findings = draft.findings()
    assert accepted_errors(store, draft, findings) == 0
    waived(store, COURSES, {**COURSES, "college_id": "EX-01"})
    assert accepted_errors(store, draft, findings) == 2
    assert accepted_errors(store, draft, findings.filter(pl.col("college_id") == "EX-02")) == 1
    assert accepted_errors(store, open_round(store, ROUND, "v1"), findings) == 3


@pytest.mark.parametrize("other", ["А. Примерова", " а. ПРИМЕРОВА ", "", "\t"])
def test_one_person_does_not_waive(other: str) -> None:
    for by, approved_by in ((PEOPLE[0], other), (other, PEOPLE[0])):
        with pytest.raises(CallError) as caught:
            new_waiver(COURSES, by, approved_by, "письмо № 5")
        assert caught.value.what.startswith("Two different people waive")


def test_what_cannot_be_kept_leaves_the_journal_as_it_was(store: Path) -> None:
    [number] = waived(store, COURSES)
    before = (store / "journal.jsonl").read_bytes()
    draft = newest_draft(store, ROUND)
    for accepted, says in (
        (COURSES, "A waiver of these findings is kept already."),
        ({"check": "no_such_check"}, "A waiver accepts no finding of the draft."),
        ({**DAYS, "found": "\udcd0"}, "The waiver is wrong."),
    ):
        with pytest.raises(CallError) as caught:
            keep(store, draft, new_waiver(accepted, *PEOPLE))
        assert caught.value.what == says
    with pytest.raises(CallError, match="needs a reason"):
        new_waiver(COURSES, PEOPLE[0], PEOPLE[1], " ")
    for wrong in (number + 1, 1, -1):
        with pytest.raises(CallError) as caught:
            withdraw(store, ROUND, wrong, "А", "б")
        assert caught.value.parts["expected"] == str(number)
    with pytest.raises(CallError, match="Somebody withdraws"):
        withdraw(store, ROUND, number, " ", "б")
    assert (store / "journal.jsonl").read_bytes() == before


def said(store: Path, *words: str) -> str:
    """What `kpi waive` prints, lines joined."""
    done = CliRunner().invoke(app, ["waive", "--store", str(store), *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return " ".join(done.output.split())


def test_the_command_keeps_lists_and_withdraws(store: Path) -> None:
    people = ["--by", PEOPLE[0], "--approved-by", PEOPLE[1], "--reason", PEOPLE[2]]
    assert said(store).endswith(
        "None is kept. 3 errors have no waiver: the draft cannot be published."
    )
    assert said(store, "--check", "not_an_integer", "--college", "EX-02", *people) == (
        "Kept as number 3: check not_an_integer, college_id EX-02 1 finding; 1 row stays rejected"
        " 1 student stays unpaid for: the colleges are paid 912,000 ₸ a year less."
    )
    listed = said(store)
    assert "3 not_an_integer · EX-02 письмо № 5 А. Примерова Б. Выдуманов 1 912,000 ₸" in listed
    assert listed.endswith("2 errors have no waiver: the draft cannot be published.")
    gone = said(store, "--withdraw", "3", "--by", "А", "--reason", "ошибка")
    assert gone == "Withdrawn: check not_an_integer, college_id EX-02"
    assert "None is kept." in said(store)
