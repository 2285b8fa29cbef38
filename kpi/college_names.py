"""Colleges matched to the register by their names: exactly, or as a human confirmed; never guessed.

A file that names a college and not its id (an assessment template, a folder) is matched within its
region on the *key* of a name: letters without case, quotes or signs, legal forms by their
abbreviation. Where no college or more than one has that key, the nearest names are proposed. A
human writes the right id into ``college_names.csv`` (region, name, college_id) in the input.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import polars as pl

from kpi.errors import DataError
from kpi.reading.table import TextTable, column
from kpi.resources import data_folder

CONFIRMED = "college_names"
"""The input's file of confirmed names; in ``Intake.files`` the table that it is."""

CONFIRMED_FILE = f"{CONFIRMED}.csv"
PROPOSED_FILE = "college_names-proposed.csv"
_MOST = 3
_LEAST_ALIKE = 0.5
"""How many names are proposed, and how alike (0..1, difflib's ratio of the keys) they must be."""

_NAMES = ("name_ru", "name_kk", "name_en")
_LEGAL_FORMS = {
    "коммунальное государственное казенное предприятие": "кгкп",
    "государственное коммунальное казенное предприятие": "гккп",
    "коммунальное государственное предприятие": "кгп",
    "государственное коммунальное предприятие": "гкп",
    "республиканское государственное казенное предприятие": "ргкп",
    "коммунальное государственное учреждение": "кгу",
    "товарищество с ограниченной ответственностью": "тоо",
    "некоммерческое акционерное общество": "нао",
    "акционерное общество": "ао",
    "частное учреждение": "чу",
    "учреждение образования": "уо",
    "на праве хозяйственного ведения": "на пхв",
    "мемлекеттік коммуналдық қазыналық кәсіпорны": "мкқк",
    "коммуналдық мемлекеттік қазыналық кәсіпорны": "кмқк",
    "жауапкершілігі шектеулі серіктестігі": "жшс",
    "шаруашылық жүргізу құқығындағы": "шжқ",
    "имени": "им",
    "атындағы": "ат",
}
_LONG_FORM = re.compile(rf"\b({'|'.join(sorted(_LEGAL_FORMS, key=len, reverse=True))})\b")
_CYRILLIC = re.compile("[а-яәғқңөұүһі]")
_WORD = re.compile(r"[^\W_]+")
_ALIKE = str.maketrans("aceopxyktmhbi", "асеорхуктмнві")
"""Latin letters as the Cyrillic ones that look the same: both are typed into names."""


@dataclass(frozen=True)
class Proposal:
    """A college of the register whose name is near to one that was not matched."""

    college_id: str
    name: str


@dataclass(frozen=True)
class Unmatched:
    """A name that no college of the register has, or several, and what is near to it."""

    name: str
    region: str | None
    proposals: tuple[Proposal, ...]


@dataclass
class Names:
    """The register by name. ``unmatched`` holds, after matching, what was asked in vain."""

    register: pl.DataFrame
    confirmed: Mapping[tuple[str, str | None], str] = field(default_factory=dict)
    unmatched: dict[tuple[str, str | None], Unmatched] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids: dict[str, dict[str, str]] = defaultdict(dict)  # key → college_id → region
        self.keys: list[tuple[str, str, Proposal]] = []  # region, key, college
        for row in self.register.iter_rows(named=True):
            names = [row[name] for name in _NAMES if row.get(name)]
            for name in names:
                self.ids[key_of(name)][row["college_id"]] = row["region"]
                own = Proposal(row["college_id"], names[0])
                self.keys.append((row["region"], key_of(name), own))

    def match(self, name: str, region: str | None) -> str | None:
        """Return the college_id of a name within a region (None: not known); None where no college
        or several have it, and nobody confirmed which.
        """
        key = key_of(name)
        for place in (region, None):
            if (confirmed := self.confirmed.get((key, place))) is not None:
                return confirmed
        here = [one for one, at in self.ids.get(key, {}).items() if at == region]
        if len(here) == 1:
            return here[0]
        if (key, region) not in self.unmatched:
            self.unmatched[key, region] = Unmatched(name, region, self._near(key, region))
        return None

    def _near(self, key: str, region: str | None) -> tuple[Proposal, ...]:
        """Return the colleges whose names are nearest: of the region, or of the very name in
        another; the nearest first, then by id.
        """
        alike: dict[Proposal, float] = {}
        compared = SequenceMatcher(None, "", key, autojunk=False)
        for at, own, proposal in self.keys:
            if own == key or region is None or at == region:
                compared.set_seq1(own)
                # upper bounds first: the ratio itself is slow
                bounds = (compared.real_quick_ratio, compared.quick_ratio, compared.ratio)
                if all(bound() >= _LEAST_ALIKE for bound in bounds):
                    alike[proposal] = max(compared.ratio(), alike.get(proposal, 0.0))
        best = sorted(alike, key=lambda one: (-alike[one], one.college_id))
        return tuple(best[:_MOST])


def key_of(name: str) -> str:
    """Return what of a name tells colleges apart: see the module's head."""
    text = unicodedata.normalize("NFKC", name.replace("№", " № ")).casefold().replace("ё", "е")
    words = _WORD.findall(text.replace(" no ", " "))  # NFKC writes № as No
    text = " ".join(word.translate(_ALIKE) if _CYRILLIC.search(word) else word for word in words)
    return _LONG_FORM.sub(lambda found: _LEGAL_FORMS[found[0]], text)


def told(unmatched: Unmatched) -> str:
    """Return the proposals in one line, each with its id."""
    return "; ".join(f"{one.college_id} = {one.name}" for one in unmatched.proposals) or "–"


def write_proposals(unmatched: Iterable[Unmatched], folder: Path) -> Path | None:
    """Write the file for a human to confirm names in, beside the findings; None where there is
    nothing to confirm.

    ``college_id`` is empty: the right id is moved there from a proposal, and the file, as
    ``college_names.csv``, into the input.
    """
    rows = [
        {
            "region": one.region,
            "name": one.name,
            "college_id": None,
            **{
                f"proposal_{place + 1}{what}": getattr(one.proposals[place], field_)
                if place < len(one.proposals)
                else None
                for place in range(_MOST)
                for what, field_ in (("", "college_id"), ("_name", "name"))
            },
        }
        for one in sorted(unmatched, key=lambda one: (one.region or "", one.name))
    ]
    if not rows:
        return None
    from kpi.export import write_csv

    path = folder / PROPOSED_FILE
    write_csv(pl.DataFrame(rows, infer_schema_length=None).cast(pl.String), path)
    return path


# ------------------------------------------------------------------------- the confirmation file


def is_confirmation(table: TextTable) -> bool:
    """Whether a table of text holds confirmed names: by its columns, and only where it has no
    others. A register of people may have a column of names too.
    """
    own = {name for name in table.header if name and not name.startswith("proposal_")}
    return {"name", "college_id"} <= own <= {"region", "name", "college_id"}


def confirmed_of(
    table: TextTable, before: Mapping[tuple[str, str | None], str]
) -> dict[tuple[str, str | None], str]:
    """Return the college_id by key of the name and region (None: of whatever region), those of the
    files ``before`` among them. Rows without an id are not confirmed yet. Raises DataError where
    one name has two ids.
    """
    places = {name: table.header.index(name) for name in ("name", "college_id")}
    if "region" in table.header:
        places["region"] = table.header.index("region")
    found = dict(before)
    for batch in table.batches():
        cells = batch.select(pl.col(column(at)).alias(name) for name, at in places.items())
        for row in cells.iter_rows(named=True):
            if not row["name"] or not row["college_id"]:
                continue
            region = row.get("region")
            own = key_of(row["name"]), region and region_of(region)
            if found.setdefault(own, row["college_id"].strip()) != row["college_id"].strip():
                raise DataError(
                    "A name of a college is confirmed with two ids.",
                    where=table.name,
                    found=row["name"],
                    expected="one college_id for each name of a region",
                    do="Take one of the rows away.",
                )
    return found


# --------------------------------------------------------------------------------------- regions


def region_of(text: str) -> str | None:
    """Return the code of the region that a text names (``Карагандинская область``, ``г. Астана``,
    ``KZ-35``, also among other words); None where it names none or several.
    """
    words = key_of(text).split()
    words = [_SHORT.get(word, word) for word in words]
    whole = " ".join(words)
    if whole in _regions():
        return _regions()[whole]
    inside = [f" {key} " for key in _regions() if f" {key} " in f" {whole} "]
    longest = [key for key in inside if not any(key in other and key != other for other in inside)]
    found = {_regions()[key.strip()] for key in longest}
    return found.pop() if len(found) == 1 else None


_SHORT = {"обл": "область", "г": "город", "қ": "қаласы"}
_KINDS = ("область", "город", "облысы", "қаласы", "region", "city")


@cache
def _regions() -> dict[str, str]:
    """Return the code by key of each region's code and names, whole and without the word for what
    it is. Of a region and a city of one name (Алматы) the bare name is the city's.
    """
    rows = pl.read_csv(data_folder() / "reference" / "regions.csv", infer_schema=False)
    found: dict[str, str] = {}
    bare: dict[str, str] = {}
    for row in rows.sort(pl.col("name_kk").str.contains("қаласы")).iter_rows(named=True):
        found[key_of(row["region"])] = row["region"]
        for name in ("name_kk", "name_ru", "name_en"):
            key = key_of(row[name])
            found[key] = row["region"]
            bare[" ".join(word for word in key.split() if word not in _KINDS)] = row["region"]
    return bare | found
