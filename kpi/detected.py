"""What was detected of the files that were read: one entry for each kind of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kpi.language import Speaker, mark

_FORM = ("format", "encoding", "delimiter", "quotes")
_KIND = ("table", "layout", *_FORM, "header_record")

WORDS = {
    "comma": mark("comma"),
    "semicolon": mark("semicolon"),
    "tab": mark("tab"),
    "bar": mark("vertical bar"),
    "one never ends": mark("a quotation mark never ends"),
}

LAYOUTS = {
    "plain": mark("own columns"),
    "contingent-export": mark("contingent export"),
    "assessment-template": mark("assessment template"),
}


@dataclass
class Kind:
    """Files alike: the table that they hold and the form in which they hold it."""

    entry: Mapping[str, Any]
    """The first of them, as ``Intake.files`` has it."""
    files: int = 0
    rows: int = 0


def kinds(entries: Iterable[Mapping[str, Any]]) -> list[Kind]:
    """Return the kinds of the files read (``Intake.files``), by table, the most rows first."""
    found: dict[tuple[Any, ...], Kind] = {}
    for entry in entries:
        kind = found.setdefault(tuple(entry.get(name) for name in _KIND), Kind(entry))
        kind.files += 1
        kind.rows += entry["rows"]
    return sorted(found.values(), key=lambda kind: (kind.entry["table"], -kind.rows))


def named(words: Speaker, kind: Kind) -> str:
    """Return the file's name; of several the first one's and how many there are."""
    if kind.files == 1:
        return str(kind.entry["file"])
    return words.say(
        "{files}, such as {file}",
        files=words.say_count("{count} file", "{count} files", kind.files),
        file=kind.entry["file"],
    )


def form(words: Speaker, entry: Mapping[str, Any]) -> str:
    """Return format, encoding and delimiter, and where the header stands: ``CSV, UTF-16, tab,
    header in row 1``.
    """
    said = [str(entry[name]) for name in _FORM if entry.get(name)]
    told = [words.say(WORDS[code]) if code in WORDS else code for code in said]
    header = words.say("header in row {row}", row=words.number(entry["header_record"]))
    return ", ".join([*told, header])


def layout(words: Speaker, code: str) -> str:
    """Return a layout in words, with the start of its mapping: ``contingent export 2025-09-01``."""
    name, _, start = code.partition(" ")
    return " ".join([words.say(LAYOUTS[name]) if name in LAYOUTS else name, start]).strip()


def alike(left_out: Mapping[str, Sequence[str]]) -> list[tuple[str, Sequence[str]]]:
    """Return the columns left out, of files with the same ones those of the first."""
    seen = {tuple(columns): name for name, columns in reversed(list(left_out.items()))}
    return [(name, columns) for columns, name in reversed(list(seen.items()))]
