"""The scenario that an address names: ``set=gates.employment_rate=0.75``, ``rule=``.

What comes from an address is checked like a file: names are those that ship and never paths, values
are those of ``funding.settings``. Results are kept, so that the desk is held for a question only.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import streamlit as st

from funding.moves import span_around
from funding.rule import Rule, load_rule
from funding.scenario import frontier_of, other_files, write_scenario
from funding.settings import Change, Rules, values_at, with_settings
from kpi.access import Role, require_role
from kpi.dated import shipped_name, shipped_names
from kpi.errors import CallError
from kpi.export import zipped
from kpi.language import mark
from kpi.methodology import Methodology, load_methodology
from views.frame import address
from views.frame.desks import desk_here
from views.frame.here import Here, kept

MOST = 40
"""Settings that an address may hold: each of them is tried for whether it moves anything."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for: settings, and names of whole files to put in first."""

    settings: tuple[str, ...]
    methodology: str | None
    rule: str | None

    @classmethod
    def nothing(cls) -> "Asked":
        """Return what asks for the round as it is."""
        return cls((), None, None)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is asked to be changed."""
        return not (self.settings or self.methodology or self.rule)


@dataclass(frozen=True)
class Found:
    """What a scenario comes to. ``baseline`` and ``outcome`` are national sums in tenge per year;
    ``moves`` and ``regions`` the tables of ``Scenario``; ``idle`` the paths that move nothing.
    """

    baseline: dict[str, int]
    outcome: dict[str, int]
    moves: pl.DataFrame
    regions: pl.DataFrame
    changes: list[Change]
    files: list[str]
    idle: frozenset[str]


def asked_here() -> Asked:
    """Return what the address asks for. Raises CallError for more than MOST settings."""
    settings = tuple(address.values("set"))
    if len(settings) > MOST:
        raise CallError(
            mark("The address holds too many settings."),
            found=str(len(settings)),
            expected=str(MOST),
            do=mark("Put so many values into a file of your own and run it as a draft."),
        )
    return Asked(settings, address.value("methodology"), address.value("rule"))


def base_of(at: Here, asked: Asked) -> Rules:
    """Return the round's rules, or the whole files named in their place. Raises CallError for a
    name that does not ship.
    """
    return _base(at, asked)[0]


def _base(at: Here, asked: Asked) -> tuple[Rules, list[str]]:
    require_role(at.viewer, Role.MINISTRY, Role.AUDITOR)
    if asked.methodology is not None:
        shipped_name("methodology", asked.methodology)
    if asked.rule is not None:
        shipped_name("rules", asked.rule)

    return _read(at.round_key, at, asked.methodology, asked.rule)


@st.cache_resource(max_entries=20, show_spinner=False)
def _read(
    round_key: str, _at: Here, methodology: str | None, rule: str | None
) -> tuple[Rules, list[str]]:
    """Read the files: of no viewer, and checked models cannot be kept as data."""
    with desk_here(_at) as desk:
        return other_files(desk, methodology, rule)


def values_here(at: Here, asked: Asked, paths: Sequence[str]) -> dict[str, str]:
    """Return what stands at each path before the settings."""
    base = base_of(at, asked)
    return kept(at, "values of base", lambda: values_at(base, paths), asked, *paths)


def scenario_here(at: Here, asked: Asked) -> Found:
    """Return what the address asks for comes to. Raises CallError for what cannot be set."""
    base, files = _base(at, asked)

    def make() -> Found:
        with desk_here(at) as desk, _within_bounds(asked):
            done = desk.scenario(base, asked.settings, files)
        return Found(
            done.baseline.national(),
            done.outcome.national(),
            done.colleges(),
            done.regions(),
            done.changes,
            done.files,
            frozenset(change.path for change in done.idle),
        )

    return kept(at, "scenario", make, asked)


def frontier_here(at: Here, asked: Asked, gate: str) -> pl.DataFrame:
    """Return what each of 46 thresholds of a gate costs under the scenario: ``frontier_of``."""
    base = base_of(at, asked)

    def make() -> pl.DataFrame:
        rules, _ = with_settings(base, asked.settings)
        span = span_around(threshold_here(at, asked, gate) or Decimal(0))
        with desk_here(at) as desk, _within_bounds(asked):
            return frontier_of(desk, rules, [(gate, span)])

    return kept(at, "frontier", make, asked, gate)


def threshold_here(at: Here, asked: Asked, gate: str) -> Decimal | None:
    """Return the threshold of a gate under what is asked; None where there is no such gate."""
    rules, _ = with_settings(base_of(at, asked), asked.settings)
    stated = {one.kpi: one.threshold for one in rules.methodology.gates}
    return stated.get(gate)


def zip_of(at: Here, asked: Asked, folder: Path) -> Path:
    """Write a scenario (``write_scenario``) as one ZIP file into a folder and return it."""
    base, files = _base(at, asked)
    with desk_here(at) as desk, _within_bounds(asked):
        paths = write_scenario(desk, desk.scenario(base, asked.settings, files), folder)
    return zipped(paths, folder / "scenario.zip")


def shipped_files(at: Here, kind: str) -> dict[str, str]:
    """Return the titles of the files (``methodology`` or ``rules``) in force for the round, by
    their names.
    """

    def make() -> dict[str, str]:
        load: Any = load_methodology if kind == "methodology" else load_rule
        found = {}
        for name in shipped_names(kind):
            try:
                file: Methodology | Rule = load(name, at.round.count_on)
            except CallError:
                continue  # none of its versions had started
            found[name] = at.words.name(file.title)
        return found

    return kept(at, "shipped files", make, kind)


@contextmanager
def _within_bounds(asked: Asked) -> Iterator[None]:
    """Say it when the database cannot hold what values would come to."""
    try:
        yield
    except duckdb.Error as error:
        raise CallError(
            mark("Nothing can be computed with these values."),
            where=", ".join(asked.settings),
            found=str(error).partition("\n")[0],
            do=mark("Take back the value that is out of all bounds."),
        ) from error
