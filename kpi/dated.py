"""Dated files: methodologies, rules, mappings: TOML, one folder a name, one file a version.

``data/<kind>/<name>/<start>.toml`` is in force from ``<start>`` until the next one. Numbers with a
point are read as Decimal. Every value carries its ``reference`` and ``status``.
"""

import datetime as dt
import tomllib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kpi.errors import CallError, phrase
from kpi.resources import data_folder

Status = Literal["official", "illustrative"]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[str, Field(min_length=1)]
Number = Annotated[
    Decimal,
    BeforeValidator(lambda v: Decimal(v) if type(v) is int else v),
    Field(max_digits=18, decimal_places=6),  # what the parameter tables hold: no digit is lost
]
Value = TypeVar("Value")


class Strict(BaseModel):
    """A part of a dated file: unknown and missing keys are errors, nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Stated(Strict):
    """A value's or entry's source, and whether it is official or illustrative."""

    reference: Words
    status: Status


class StatedValue(Stated, Generic[Value]):
    """One value with its source."""

    value: Value


class Names(Strict):
    """A name in Kazakh, Russian and English."""

    kk: Words
    ru: Words
    en: Words


class DatedFile(Stated):
    """What every methodology and rule begins with."""

    name: Words
    start: dt.date
    title: Names


File = TypeVar("File", bound=DatedFile)


def load_file(path: Path, model: type[File]) -> File:
    """Read and check one dated file.

    Raises CallError that names the file and, for each fault, the path in it, the value found and
    what is expected.
    """
    return check_content(read_content(path), model, str(path))


def read_content(path: Path) -> dict[str, Any]:
    """Return what a TOML file says; numbers with a point as Decimal. Raises CallError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise CallError(
            "The file cannot be read.", where=str(path), found=error.strerror or str(error)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError(
            "The file is no valid TOML.",
            where=str(path),
            found=str(error),
            do="Correct the line named here.",
        ) from error


_WRONG = {
    "Methodology": phrase("The methodology is wrong."),
    "Rule": phrase("The rule is wrong."),
    "Mapping": phrase("The mapping is wrong."),
}


def check_content(content: dict[str, Any], model: type[File], where: str) -> File:
    """Check what a dated file says. Raises CallError that names each fault; ``where`` it stands."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise CallError(
            _WRONG.get(model.__name__, phrase("The file is wrong.")),
            where=where,
            found="\n" + "\n".join(f"    {line}" for line in faults_of(error)),
            do="Correct these places; nothing was computed.",
        ) from error


def faults_of(error: ValidationError) -> Iterator[str]:
    """Yield a line a fault: path in the file, what is expected, value found."""
    for fault in error.errors():
        path = ".".join(str(part) for part in fault["loc"])
        found = fault["input"]
        shown = "" if isinstance(found, dict) else f"; found {found!r}"[:120]
        for text in fault["msg"].removeprefix("Value error, ").splitlines():
            yield f"{path}: {text}{shown}" if fault["loc"] else text


def repeated(what: str, keys: Iterable[Hashable]) -> Iterator[str]:
    """Yield a fault for each key that is given more than once: it would count twice."""
    for key, times in Counter(keys).items():
        if times > 1:
            told = " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)
            yield f"{what}: {told} is given {times} times; expected once"


def refuse(faults: Iterable[str]) -> None:
    """Raise ValueError with all faults, a line each, if there are any."""
    if lines := list(faults):
        raise ValueError("\n".join(lines))


def shipped_names(kind: str) -> list[str]:
    """Return the names that ship of a kind: ``methodology``, ``rules`` or ``mappings``."""
    return sorted(path.name for path in (data_folder() / kind).iterdir() if path.is_dir())


def shipped_name(kind: str, name: str) -> str:
    """Return the name where it ships. Raises CallError otherwise: what comes from an address or a
    form must never become the path of a file.
    """
    if name not in shipped_names(kind):
        raise CallError(
            "There is no file of this name.",
            where=kind,
            found=name,
            expected=phrase("one of {names}", names=", ".join(shipped_names(kind))),
        )
    return name


def versions(kind: str, name: str) -> list[Path]:
    """Return the files of a name, oldest first. Raises CallError for a name that has none."""
    folder = data_folder() / kind
    files = sorted((folder / name).glob("*.toml"))
    if not files:
        raise CallError(
            phrase("There is no methodology of this name.")
            if kind == "methodology"
            else phrase("There is no mapping of this name.")
            if kind == "mappings"
            else phrase("There is no rule of this name."),
            where=str(folder),
            found=name,
            expected=phrase(
                "one of {names}, or the path of a .toml file", names=", ".join(shipped_names(kind))
            ),
        )
    return files


def newest(kind: str, name: str, model: type[File]) -> File:
    """Return the newest shipped version of a name, in force by now or not."""
    return load_file(versions(kind, name)[-1], model)


def in_force(kind: str, name: str, on: dt.date, model: type[File]) -> File:
    """Return the version of ``name`` in force on a day: the latest start not after it.

    ``name`` may be the path of a TOML file, which then must have started. Raises CallError when
    none is in force: nothing is carried over in silence.
    """
    if name.endswith(".toml"):
        file = load_file(Path(name), model)
        started = [file] if file.start <= on else []
        starts = [file.start]
    else:
        files = [load_file(path, model) for path in versions(kind, name)]
        starts = [file.start for file in files]
        started = [file for file in files if file.start <= on]
    if not started:
        raise CallError(
            phrase("No version of the methodology {name} is in force on {day}.", name=name, day=on)
            if kind == "methodology"
            else phrase("No version of the mapping {name} is in force on {day}.", name=name, day=on)
            if kind == "mappings"
            else phrase("No version of the rule {name} is in force on {day}.", name=name, day=on),
            where=name if name.endswith(".toml") else str(data_folder() / kind / name),
            found=phrase(
                "versions that start on {days}", days=", ".join(str(start) for start in starts)
            ),
            expected=phrase("one that starts on {day} or earlier", day=on),
            do="Choose another one, or another day with --count-on.",
        )
    return max(started, key=lambda file: file.start)


def earlier_versions(kind: str, file: File, model: type[File]) -> list[File]:
    """Return the shipped versions of a file's name that started before it, oldest first."""
    folder = data_folder() / kind / file.name
    loaded = [load_file(path, model) for path in sorted(folder.glob("*.toml"))]
    return [version for version in loaded if version.start < file.start]


def path_of(kind: str, name: str, file: DatedFile) -> Path:
    """Return where a loaded version stands: the file that ``name`` is, or the shipped one."""
    if name.endswith(".toml"):
        return Path(name)
    return data_folder() / kind / name / f"{file.start}.toml"
