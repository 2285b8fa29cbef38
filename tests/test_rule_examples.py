"""The worked cases of the funding rule in tests/examples/rules, one subject a file.

A file tells of its colleges in the norm's own words, and of what differs from the shipped rule and
methodology; the runner writes the registers that say the same, runs the round and compares.

- ``[[college]]``: its registry columns; ``accredited``; graduates ``employed`` and
  ``not_employed``; ``students`` in groups alike, of which ``dual`` have an agreement in force;
- ``[rule]``: what differs from the shipped rule, or ``shipped`` and its name; ``[methodology]``:
  the ``unit``, and what differs in a gate or a league;
- ``[previous]``: the round of the year before, published, with its own ``college`` and ``rule``;
- ``[under.<name>]``: the same colleges under another rule or methodology, for cases of that name;
- ``[[case]]``: ``given`` is the arithmetic; ``expect`` names stored tables, the month of the
  ``budget``, or what the product ``refused``.

Of a college's lines and months, and of the nation's passes and regions, a case names all.
"""

import datetime as dt
import functools
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import (
    Row,
    Tables,
    accreditation,
    agreement,
    college,
    graduate,
    quiet,
    run,
    student,
    students,
    together,
    write_folder,
    write_rule,
)
from worked import KEY_OF, Case, differences, rows_of, wrong_in

from funding.budget import budget_of
from funding.publish import publish
from kpi.errors import CallError
from kpi.resources import data_folder
from kpi.rounds import Round

FOLDER = Path(__file__).parent / "examples" / "rules"
METHODOLOGY = data_folder() / "methodology" / "example" / "2024-09-01.toml"
NAMED_IN_FULL = (
    "funding_lines",
    "funding_months",
    "funding_passes",
    "funding_regions",
    "funding_administrators",
)

Story = dict[str, Any]
"""One round as a file tells it: ``round``, ``college``, ``rule``, ``methodology``, ``previous``."""


def _files() -> dict[str, Story]:
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.toml"))
    }


FILES = _files()
CASES = [
    pytest.param(name, case, id=f"{name}: {case['name']}")
    for name, file in FILES.items()
    for case in file["case"]
]


class Rounds:
    """The round of each file and variant; each is computed once, in a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.of = functools.cache(self._of)
        self.before = functools.cache(self._before)

    def store(self, name: str, under: str) -> Path:
        return self.folder / f"{name}-{under}" / "rounds"

    def _of(self, name: str, under: str) -> Round:
        story = _merged(FILES[name], FILES[name]["under"][under] if under else {})
        store = self.store(name, under)
        if "previous" in story:
            shutil.copytree(self.before(name), store, dirs_exist_ok=True)
        return _run(store, story)

    def _before(self, name: str) -> Path:
        """Return a store in which the previous round of a file is published."""
        story = FILES[name]
        store = self.store(name, "before")
        round_id = _round_before(story["round"])
        _run(
            store,
            {"methodology": story.get("methodology", {})} | story["previous"] | {"round": round_id},
        )
        publish(
            store,
            round_id,
            by="A. Analyst",
            approved_by="B. Head",
            reason="the year before",
            waivers=None,
            report=quiet,
        )
        return store


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    return Rounds(tmp_path_factory.mktemp("rules"))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_rule_comes_out_as_worked_by_hand(name: str, case: Case, rounds: Rounds) -> None:
    under = case.get("under", "")
    if "refused" in case["expect"]:
        with pytest.raises(CallError, match=re.escape(case["expect"]["refused"])):
            rounds.of(name, under)
        return
    done = rounds.of(name, under)
    stored = {table: rows for table, rows in case["expect"].items() if table != "budget"}
    wrong = wrong_in(done, {**case, "expect": stored}) + _left_out(done, case)
    wrong += _wrong_in_budget(rounds.store(name, under), case)
    assert not wrong, "\n".join([f"{case['college'] or 'KZ'}: {case['name']}", *wrong])


def _left_out(done: Round, case: Case) -> list[str]:
    return [
        f"{table}: {rows_of(done, table, case['college']).height} rows, the case names {len(rows)}"
        for table, rows in case["expect"].items()
        if table in NAMED_IN_FULL and rows_of(done, table, case["college"]).height != len(rows)
    ]


def _wrong_in_budget(store: Path, case: Case) -> list[str]:
    """Return which months of a college are not as the case says; it names all."""
    expected = case["expect"].get("budget", {})
    if not expected:
        return []
    months = budget_of(store, int(min(expected)[:4])).months
    rows = months.filter(pl.col("college_id") == case["college"]).rows_by_key(
        "month", named=True, unique=True
    )
    wrong = [f"budget: {len(rows)} months, the case names {len(expected)}"]
    return wrong * (len(rows) != len(expected)) + [
        difference
        for month, columns in expected.items()
        for difference in differences(month, columns, rows[dt.date.fromisoformat(f"{month}-01")])
    ]


def _merged(whole: Mapping[str, Any], changes: Mapping[str, Any]) -> Story:
    """Return a story with some of its parameters changed, however deep they are."""
    return {
        **whole,
        **{
            name: _merged(whole.get(name, {}), change) if isinstance(change, dict) else change
            for name, change in changes.items()
        },
    }


def _round_before(round_id: str) -> str:
    year = _year(round_id)
    return f"{year - 1}-{year % 100:02d}"


def _year(round_id: str) -> int:
    return int(round_id[:4])


def _run(store: Path, story: Story) -> Round:
    """Write what a story says into files beside the store and run its round in the store."""
    year = _year(story["round"])
    place = store.parent / str(year)
    place.mkdir(parents=True, exist_ok=True)
    registers = together(*(_registers(of, year) for of in story["college"]))
    return run(
        write_folder(place / "input", **registers),
        store,
        round_id=story["round"],
        rule=_rule(place / "rule.toml", year, story["rule"]),
        methodology=_methodology(place / "methodology.toml", story.get("methodology", {})),
    )


def _registers(of: Row, year: int) -> Tables:
    """Return the rows of the registers that say what a file says of a college."""
    of = dict(of)
    groups = [dict(group) for group in of.pop("students", [])]
    is_accredited = of.pop("accredited", False)
    employed, not_employed = of.pop("employed", 0), of.pop("not_employed", 0)
    college_id = of.pop("id")
    renamed = {"parent": "parent_id", "successor": "successor_id"}
    columns = {renamed.get(name, name): value for name, value in of.items()}
    assert columns.keys() <= college().keys(), f"unknown in a college: {columns}"
    graduated = {"graduated_on": f"{year}-06-30"}
    works = graduated | {"destination_on": f"{year}-08-15"}
    tables = together(
        {
            "colleges": [college(college_id, **columns)],
            "graduates": [
                *(graduate(college_id, "employed", **works) for _ in range(employed)),
                *(graduate(college_id, **graduated) for _ in range(not_employed)),
            ],
            "accreditations": [accreditation(college_id)] if is_accredited else [],
        }
    )
    for group in groups:
        count, dual = group.pop("count"), group.pop("dual", 0)
        assert dual <= count, f"more dual students than students: {group}"
        assert group.keys() <= student().keys(), f"unknown in a group of students: {group}"
        members = students(college_id, count, **group)
        days = {"valid_from": f"{year}-09-01", "valid_to": f"{year + 1}-06-30"}
        tables["students"] += members
        tables["dual_agreements"] += [agreement(one, **days) for one in members[:dual]]
    return tables


def _rule(path: Path, year: int, changes: Mapping[str, Any]) -> str | Path:
    """Write the rule of a year that differs in this, or return the name of the shipped one."""
    if "shipped" in changes:
        return str(changes["shipped"])
    of: dict[str, Any] = dict(changes)
    if "shares" in of:
        of["shares"] = {int(league): share for league, share in of["shares"].items()}
    if "phase_in" in of:
        of["phase_in"] = {
            gate: (ends["zero_at"], ends["full_at"]) for gate, ends in of["phase_in"].items()
        }
    if "appropriation" in of:
        of["appropriation"] = (of["appropriation"]["amount"], of["appropriation"]["covers"])
    if "guarantee" in of:
        of["guarantee"] = tuple(of["guarantee"][key] for key in ("basis", "floor", "funded_from"))
    return write_rule(path, start=f"{year}-09-01", **of)


def _methodology(path: Path, changes: Mapping[str, Any]) -> Path:
    """Write the methodology `example` with other lines in its gates and leagues."""
    text = METHODOLOGY.read_text(encoding="utf-8")
    if "unit" in changes:
        text = _replaced(text, 'unit = { value = "', r"\w+", changes["unit"])
    blocks = [
        *((f'[[gates]]\nkpi = "{gate}"\n', of) for gate, of in changes.get("gates", {}).items()),
        *((f"[[leagues]]\nleague = {n}\n", of) for n, of in changes.get("leagues", {}).items()),
    ]
    for opening, lines in blocks:
        head, block = text.split(opening)
        block, *rest = block.split("\n\n", maxsplit=1)
        for name, value in lines.items():
            written = f'"{value}"' if isinstance(value, str) else str(value)
            block = _replaced(block, f"{name} = ", r".+", written)
        text = opening.join([head, "\n\n".join([block, *rest])])
    path.write_text(text, encoding="utf-8")
    return path


def _replaced(text: str, before: str, found: str, value: str) -> str:
    """Return the text with another value after these words, which stand in it once."""
    text, count = re.subn(f"(?m)(?<={re.escape(before)}){found}", value, text)
    assert count == 1, f"{count} times: {before}"
    return text


def test_every_table_of_the_rule_has_a_worked_case() -> None:
    shown = {table for file in FILES.values() for case in file["case"] for table in case["expect"]}
    assert not {table for table in KEY_OF if table.startswith("funding")} - shown
    assert not {"gates", "ranking", "funding", "guarantees", "budget", "refused"} - shown
