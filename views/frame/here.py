"""Where a page stands: the viewer, the language, the round that the address names.

Pages reach a round's figures through ``Here.table`` alone, which is ``kpi.access.read_table``.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import streamlit as st

from funding.rule import Rule
from kpi.access import Viewer, read_findings, read_table, require_all_of, sees_all_of
from kpi.dated import load_file
from kpi.language import LANGUAGES, Speaker, speaker
from kpi.layouts.contingent import headers_of
from kpi.layouts.rows import FileColumn
from kpi.methodology import Methodology
from kpi.rounds import Round, drafts, open_round, publications
from views.frame import address

Made = TypeVar("Made")
_BY_CONTENT: dict[str | type[Any], Any] = {Round: lambda of: (str(of.path), of.receipt_hash)}


@dataclass(frozen=True)
class Here:
    """Who looks at what, in which language; ``opened`` is None where the store is empty."""

    words: Speaker
    viewer: Viewer
    store: Path
    opened: Round | None

    @property
    def round(self) -> Round:
        """The round that is shown, on a page that needs one."""
        assert self.opened is not None
        return self.opened

    @property
    def key(self) -> tuple[str, ...]:
        """Return what everything shown depends on: part of every cache key."""
        return (self.round_key, self.words.language, *self.viewer.key)

    @property
    def round_key(self) -> str:
        """Return the version of the round and the hash of its receipt: a name could come again."""
        if self.opened is None:
            return "no round"
        return f"{self.round.path}:{self.round.receipt_hash}"

    @property
    def file_name(self) -> str:
        """Return what the names of downloaded files begin with: round and version."""
        return f"{self.opened.name}-{self.opened.version}" if self.opened else "rules"

    @property
    def methodology(self) -> Methodology:
        """The methodology that the round was computed with."""
        return methodology_of(self.round)

    @property
    def rule(self) -> Rule:
        """The funding rule that the round was computed with."""
        return rule_of(self.round)

    @property
    def reference(self) -> dict[str, pl.DataFrame]:
        """The reference tables of the round: ``regions``, ``clusters``, ``specialties``."""
        return reference_of(self.round)

    def table(self, name: str) -> pl.DataFrame:
        """Return what the viewer may see of a table; ``suppressed`` names a row's hidden cells."""
        return read_table(self.round, name, self.viewer)

    def has(self, name: str) -> bool:
        """Whether the round holds rows of a table, for whomever."""
        return self.round.has(name) and self.round.table(name).height > 0

    def findings(self) -> pl.DataFrame:
        """Return the findings that the viewer may see."""
        return read_findings(self.round, self.viewer)

    def headers(self) -> dict[str, Mapping[str, FileColumn]]:
        """Return what the files of the round call their columns, where that is known."""
        return headers_of(self.round.sources["files"])

    def sees_all_of(self, college_id: str) -> bool:
        """Whether nothing of a college is hidden from the viewer."""
        return sees_all_of(self.round, self.viewer, college_id)

    def require_all_of(self, college_id: str) -> None:
        """Raise AccessError where something of a college is hidden from the viewer."""
        require_all_of(self.round, self.viewer, college_id)

    def colleges(self) -> dict[str, str]:
        """Return the name of each unit that the viewer may see, by id, in order of the names."""
        rows = self.table("unit_profile").iter_rows(named=True)
        names = {str(row["college_id"]): self.words.of(row) for row in rows}
        return dict(sorted(names.items(), key=lambda item: item[1].casefold()))

    def places(self, table: str) -> dict[str, str]:
        """Return the name of each code of ``regions`` or ``clusters``."""
        frame = self.reference[table]
        return {row[frame.columns[0]]: self.words.of(row) for row in frame.iter_rows(named=True)}

    def kpis(self) -> dict[str, str]:
        """Return the name of each KPI of the methodology, in its order."""
        return {kpi.code: self.words.name(kpi.name) for kpi in self.methodology.kpis}

    @property
    def round_title(self) -> str:
        """Return the round in words: "round 2025-26 · draft 3"."""
        return f"{self.words.say('Round').lower()} {self.round.name} · {self.version_title}"

    @property
    def version_title(self) -> str:
        """Return the version in words: "draft 3", "published v1"."""
        return version_title(self.words, self.round.version)


def version_title(words: Speaker, version: str) -> str:
    """Return a version in words."""
    number = version.rpartition("-")[2]
    if version.startswith("draft-"):
        return words.say("draft {number}", number=number)
    return words.say("published {version}", version=version)


def store_folder() -> Path:
    """Return the folder of rounds that the app was started with."""
    return Path(os.environ.get("KPI_STORE", "rounds"))


def language_here() -> str:
    """Return the language: the address's, else the browser's, else Kazakh."""
    asked = address.value("lang") or (st.context.locale or "").partition("-")[0]
    return asked if asked in LANGUAGES else LANGUAGES[0]


def words_here() -> Speaker:
    """Return the speaker of the page's language."""
    return speaker(language_here())


def versions_there(store: Path) -> dict[str, str]:
    """Return ``round/version`` of all that can be opened, newest round first; the version that is
    opened without being asked for comes first of each round.
    """
    found: dict[str, str] = {}
    released = publications(store)
    folders = [path.name for path in store.glob("*") if path.is_dir()] if store.is_dir() else []
    for name in sorted({*folders, *released}, reverse=True):
        versions = [*reversed(released.get(name, {}))]
        versions += [path.name for path in reversed(drafts(store / name))]
        found |= {f"{name}/{version}": version for version in versions}
    return found


def round_here(words: Speaker, store: Path) -> tuple[Round, str]:
    """Open the round that the address names; where it is gone, the one that took its place.

    Returns it with what has to be said of that. Raises CallError for a store without rounds and a
    damaged journal.
    """
    asked = address.value("round")
    there = versions_there(store)
    if asked in there or not asked:
        path = open_round(store, asked).path
        return _opened(path, _changed(path)), ""
    name = asked.partition("/")[0]
    known = [one for one in there if one.startswith(f"{name}/")]
    path = open_round(store, known[0] if known else None).path
    found = _opened(path, _changed(path))
    title = f"{found.name}, {version_title(words, found.version)}"
    return found, words.say(
        "{asked} is not in the store any more; shown is {found}.", asked=asked, found=title
    )


def earlier_rounds(at: Here, most: int = 3) -> list[Round]:
    """Return, of the rounds before the one shown, the version that is opened by default; the newest
    of them first.
    """
    there: dict[str, str] = {}
    for one in versions_there(at.store):
        there.setdefault(one.partition("/")[0], one)
    names = sorted((name for name in there if name < at.round.name), reverse=True)
    paths = [at.store / there[name] for name in names[:most]]
    return [_opened(path, _changed(path)) for path in paths if path.exists()]


def _changed(path: Path) -> int:
    return (path / "receipt.json").stat().st_mtime_ns


@st.cache_resource(max_entries=6, show_spinner=False)
def _opened(path: Path, _changed: int) -> Round:
    """Keep a round's tables in memory: what of them is seen is decided when they are read."""
    return Round(path)


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_CONTENT)
def methodology_of(of_round: Round) -> Methodology:
    """Return the methodology of a round."""
    return of_round.methodology


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_CONTENT)
def rule_of(of_round: Round) -> Rule:
    """Return the funding rule of a round."""
    return load_file(of_round.rule_file(), Rule)


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_CONTENT)
def reference_of(of_round: Round) -> dict[str, pl.DataFrame]:
    """Return the reference tables of a round."""
    return of_round.reference()


def kept(here: Here, what: str, make: Callable[[], Made], *more: Any) -> Made:
    """Make something once for a round, language, role and place, and keep it for the next run.

    ``what`` and ``more`` say what it is; the viewer's role, region and college are in the key.
    """
    made: Made = _kept((*here.key, what, *map(str, more)), make)
    return made


@st.cache_data(max_entries=600, ttl=3600, show_spinner=False)
def _kept(key: tuple[str, ...], _make: Callable[[], Any]) -> Any:
    return _make()


def newer_draft(here: Here) -> str | None:
    """Return the draft that is newer than what is shown, if there is one."""
    there = [path.name for path in drafts(here.round.path.parent)]
    shown = here.round.version if here.round.is_draft else here.round.published_draft
    return there[-1] if there and there[-1] != shown else None


def here() -> Here:
    """Return where the page that is run stands; ``app.py`` put it there."""
    found: Here = st.session_state["here"]
    return found
