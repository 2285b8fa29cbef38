"""Whose file it is, where no column says it (DESIGN §4).

In this order: the manifest, an id in the file's own name or in its folder's, the exact name of one
college there, the college that the call gives. Nothing is guessed: a file of which none of these
says anything is refused, and so is one of which two say different things.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import PurePosixPath

import polars as pl

from kpi.errors import phrase
from kpi.layouts.rows import Given, RegisterNeeded
from kpi.reading.table import InputFile, refuse
from kpi.tables import COLLEGE_ID

_BIN = re.compile(r"(?<![0-9A-Za-z])[0-9]{4}[4-6][0-9]{7}(?![0-9A-Za-z])")
_PREFIXED = re.compile(r"(?<![0-9A-Za-z])(?=([A-Z]{2,8}-[A-Z0-9]{1,12})(?![0-9A-Za-z]))")
_REGION = re.compile(r"KZ-[0-9]{2}")
_QUOTES = str.maketrans(dict.fromkeys("«»„“”\"'`’", " ") | {"_": " ", "ё": "е"})
_ENDING = r"\.(csv|tsv|txt|xlsx|xlsm|parquet|zip)$"
_NAMES = ("name_kk", "name_ru", "name_en")


def college_of(file: InputFile, given: Given) -> tuple[str, str]:
    """Return the college whose file it is, and what says so: ``manifest``, ``file name``,
    ``folder name`` or ``call``.

    Raises RegisterNeeded where names must be looked up and the colleges were not read yet,
    DataError where nothing says whose file it is, or two things say differently.
    """
    listed = given.colleges.get(composed(file.name))
    named = _by_name(file, given)
    if listed and named and named[0] != listed:
        raise refuse(
            file,
            "The manifest and the name of the file or its folder give different colleges.",
            found=phrase("{manifest} in the manifest, {name} in the name", **_both(listed, named)),
            expected="one and the same college",
            do="Correct the manifest, or rename the file.",
        )
    if listed:
        return listed, "manifest"
    if named:
        return named
    if given.college:
        return given.college, "call"
    raise refuse(
        file,
        "Nothing says which college the file is of.",
        expected="a college given by the manifest, by a name of file or folder, or by the call",
        do="Put the college's BIN or its exact name into the name of the file or its folder, list"
        " the file in manifest.csv (file, college_id), or give --college.",
    )


def _both(listed: str, named: tuple[str, str]) -> dict[str, str]:
    return {"manifest": listed, "name": named[0]}


def _by_name(file: InputFile, given: Given) -> tuple[str, str] | None:
    """Return the college that the file's name gives, else that which its folder's name gives."""
    places = [("file name", _stem(file.name)), ("folder name", _folder(file))]
    for by, text in places:
        if found := _BIN.findall(text):
            return _only_one(file, found), by
    if given.register is None:
        raise RegisterNeeded
    colleges = set(given.register["college_id"])
    for by, text in places:
        if found := _prefixed(text, colleges, is_own=by == "file name"):
            return _only_one(file, found), by
        if found := _colleges_named(given.register).get(plain_name(text), []):
            return _only_one(file, found), by
    return None


def _only_one(file: InputFile, found: list[str]) -> str:
    if len(set(found)) > 1:
        raise refuse(
            file,
            "The name of the file or its folder fits several colleges.",
            found=", ".join(sorted(set(found))[:8]),
            expected="one college",
            do="Put the BIN of one college into the name, or list the file in manifest.csv"
            " (file, college_id).",
        )
    return found[0]


def _prefixed(text: str, colleges: set[str], *, is_own: bool) -> list[str]:
    """Return the ids such as EX-01 in a name: those of the register; without one, whatever looks
    like an id in a file's own name, but for the codes of regions.
    """
    found = _PREFIXED.findall(text)
    if colleges:
        return [one for one in found if one in colleges]
    return [one for one in found if not _REGION.fullmatch(one)] if is_own else []


def _stem(name: str) -> str:
    return re.sub(_ENDING, "", PurePosixPath(name).name, flags=re.IGNORECASE)


def _folder(file: InputFile) -> str:
    """Return the name of the folder or archive that the file lies in."""
    parts = PurePosixPath(file.name).parts
    return _stem(parts[-2]) if len(parts) > 1 else file.path.absolute().parent.name


def composed(name: str) -> str:
    """Return a file's name as names are compared: some systems write й as two characters."""
    return unicodedata.normalize("NFC", name)


def plain_name(name: str) -> str:
    """Return a college's name as names are compared: small letters, single spaces, no quotes."""
    return " ".join(composed(name).casefold().translate(_QUOTES).split())


@lru_cache(maxsize=2)
def _named(colleges: tuple[tuple[str, ...], ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for college, *names in colleges:
        for name in {plain_name(name) for name in names if name}:
            found.setdefault(name, []).append(college)
    return found


def _colleges_named(register: pl.DataFrame) -> dict[str, list[str]]:
    """Return the ids of the colleges of each name in the register, in any language."""
    return _named(tuple(register.select("college_id", *_NAMES).iter_rows()))


def is_college_id(text: str) -> bool:
    """Whether a text has the form of a college's id: a BIN, or a source's own id with a prefix."""
    return re.fullmatch(COLLEGE_ID, text) is not None
