"""Change single values of a methodology or rule: ``gates.employment_rate=0.75`` (``--set``).

A path names one value of the dated files; what it is set to is checked like the files themselves.
"""

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from funding.rule import Rule
from kpi.dated import check_content, read_content
from kpi.errors import CallError, phrase
from kpi.methodology import Methodology

Content = dict[str, Any]

PATHS = """norm.base  norm.full  norm.gates  mode  calibrate  count_basis  pays_academic_leave
funding_sources  study_forms  coefficients.<value>  shares.<league>
appropriation.amount|covers  guarantee.basis|floor|funded_from  phase_in.<gate>.zero_at|full_at
gates.<kpi>  gates.<kpi>.on_small_cohort|on_no_data|pooled  weights.<code>
goalposts.<kpi>.floor|target  min_denominator.<kpi>  pool_years.<kpi>  min_students
leagues.<league>.max_count|max_rank|tie_at_edge|gates  sources.<destination>
appropriation=none  guarantee=none  phase_in=none  shares=none"""
"""Every path that can be set, and the parts of a rule that can be taken out."""

_OPTIONAL = {
    "appropriation": {"amount": int, "covers": str},
    "guarantee": {"basis": str, "floor": Decimal, "funded_from": str},
}
_BOUNDS = ("max_count", "max_rank", "pool_years")
"""What a league may be without (it has one of them), and a KPI that is not pooled."""

_FORMS = {int: r"-?[0-9][0-9_]{0,17}", Decimal: r"-?[0-9][0-9_]{0,17}(\.[0-9]{1,18})?"}
_EXPECTED = {
    bool: phrase("true or false"),
    int: phrase("a whole number"),
    Decimal: phrase("a number such as 0.75"),
}
_STATED = {"reference": "set in a scenario", "status": "illustrative"}


@dataclass(frozen=True)
class Change:
    """One value that a scenario sets: its path, what it was, and what it is."""

    path: str
    old: str
    new: str

    @property
    def is_idle(self) -> bool:
        """Whether the value is the one in force."""
        return self.old == self.new


@dataclass(frozen=True)
class Rules:
    """A methodology and a rule as they stand in their files, and as checked models."""

    methodology_content: Content
    rule_content: Content
    methodology: Methodology
    rule: Rule


def read_rules(methodology: Path, rule: Path) -> Rules:
    """Read both files. Raises CallError that names each fault."""
    of_methodology, of_rule = read_content(methodology), read_content(rule)
    return Rules(
        of_methodology,
        of_rule,
        check_content(of_methodology, Methodology, str(methodology)),
        check_content(of_rule, Rule, str(rule)),
    )


def value_of(settings: Iterable[str], path: str) -> str | None:
    """Return what the settings set a path to; None where they leave it."""
    found = [text for text in settings if text.partition("=")[0].strip() == path]
    return found[-1].partition("=")[2].strip() if found else None


def put_value(settings: Iterable[str], path: str, value: str | None) -> list[str]:
    """Return the settings with a path set to a value, in its old place where it had one; with
    None, without it.
    """
    done = []
    put = False
    for text in settings:
        if text.partition("=")[0].strip() != path:
            done.append(text)
        elif value is not None and not put:
            done.append(f"{path}={value}")
            put = True
    return done if put or value is None else [*done, f"{path}={value}"]


def values_at(rules: Rules, paths: Iterable[str]) -> dict[str, str]:
    """Return what stands at each path, as the text that would set it; ``none`` for what is not
    stated. Raises CallError for a path that names nothing.
    """
    methodology = copy.deepcopy(rules.methodology_content)
    rule = copy.deepcopy(rules.rule_content)
    found = {}
    for path in paths:
        holder, key, _ = _place(methodology, rule, path)
        found[path] = _told(holder.get(key))
    return found


def with_settings(rules: Rules, settings: Iterable[str]) -> tuple[Rules, list[Change]]:
    """Return the rules with values set, and what was changed.

    ``settings``: texts such as ``gates.employment_rate=0.75``. Lists are separated by commas;
    ``none`` takes a part out of the rule (``appropriation=none``) or a bound off a league. Raises
    CallError for a path that names nothing or is set twice, a text that is no such value, and
    values that do not fit together.
    """
    methodology = copy.deepcopy(rules.methodology_content)
    rule = copy.deepcopy(rules.rule_content)
    changes: list[Change] = []
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise CallError(
                "A setting is a path and a value.",
                where="--set",
                found=setting,
                expected="such as gates.employment_rate=0.75",
            )
        path, text = path.strip(), text.strip()
        for change in changes:
            if change.path == path:
                raise CallError(
                    "A parameter is set twice.",
                    where=f"--set {path}",
                    found=f"{change.new}, then {text}",
                    expected="one value",
                )
        changes.append(_set(methodology, rule, path, text))
    told = ", ".join(f"{change.path}={change.new}" for change in changes)
    return (
        Rules(
            methodology,
            rule,
            check_content(methodology, Methodology, f"--set {told}"),
            check_content(rule, Rule, f"--set {told}"),
        ),
        changes,
    )


def _set(methodology: Content, rule: Content, path: str, text: str) -> Change:
    if path in (*_OPTIONAL, "phase_in", "shares") and text == "none":
        return Change(path, "stated" if rule.pop(path, None) else "none", "none")
    holder, key, kind = _place(methodology, rule, path)
    old = holder.pop(key, None)
    is_taken_off = key in _BOUNDS and text == "none"
    new = None if is_taken_off else _value(path, text, kind or type(old), old)
    if new is not None:
        holder[key] = new
    if "status" in holder:
        holder.update(_STATED)
    return Change(path, _told(old), _told(new))


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _place(  # noqa: PLR0911, PLR0912 -- one case a path
    methodology: Content, rule: Content, path: str
) -> tuple[Content, str, type | None]:
    """Return where a path's value stands, and its type where no value is there yet."""
    match path.split("."):
        case ["norm", "base" | "full" | "gates" as key]:
            return rule[key], "value", None
        case ["mode"]:
            return rule, "mode", str
        case [
            "calibrate"
            | "count_basis"
            | "pays_academic_leave"
            | "funding_sources"
            | "study_forms" as key
        ]:
            return rule[key], "value", None
        case ["coefficients", value]:
            return _entry(rule, "coefficients", "value", value, path), "coefficient", Decimal
        case ["shares", league]:
            return _share(methodology, rule, league, path), "share", Decimal
        case ["appropriation" | "guarantee" as part, key] if key in _OPTIONAL[part]:
            return rule.setdefault(part, dict(_STATED)), key, _OPTIONAL[part][key]
        case ["phase_in", gate, "zero_at" | "full_at" as key]:
            return _phase(rule, gate), key, Decimal
        case ["gates", kpi]:
            return _entry(methodology, "gates", "kpi", kpi, path), "threshold", Decimal
        case ["gates", kpi, "on_small_cohort" | "on_no_data" as key]:
            return _entry(methodology, "gates", "kpi", kpi, path), key, str
        case ["gates", kpi, "pooled"]:
            entry = _entry(methodology, "gates", "kpi", kpi, path)
            entry.setdefault("pooled", False)
            return entry, "pooled", None
        case ["weights", code]:
            return _weighted(methodology, code, path), "weight", Decimal
        case ["goalposts", kpi, "floor" | "target" as key]:
            return _scored(methodology, kpi, path), key, Decimal
        case ["min_denominator", kpi]:
            return _entry(methodology, "kpis", "code", kpi, path), "min_denominator", int
        case ["pool_years", kpi]:
            return _entry(methodology, "kpis", "code", kpi, path), "pool_years", int
        case ["min_students"]:
            return methodology["min_students"], "value", int
        case ["leagues", league, "max_count" | "max_rank" as key]:
            return _entry(methodology, "leagues", "league", league, path), key, int
        case ["leagues", league, "tie_at_edge"]:
            return _entry(methodology, "leagues", "league", league, path), "tie_at_edge", str
        case ["leagues", league, "gates"]:
            return _entry(methodology, "leagues", "league", league, path), "gates", list
        case ["sources", destination]:
            return _entry(methodology, "sources", "destination", destination, path), "sources", list
    raise CallError(
        "No parameter has this path.",
        where="--set",
        found=path,
        expected=phrase("one of {names}", names="\n" + PATHS),
    )


def _entry(content: Content, table: str, key: str, name: str, path: str) -> Content:
    """Return the entry of a list of tables that has this name."""
    entries: list[Content] = content.get(table, [])
    for entry in entries:
        if str(entry[key]) == name:
            return entry
    raise CallError(
        phrase("There is no such entry in {table}.", table=table),
        where=f"--set {path}",
        found=name,
        expected=phrase(
            "one of {names}", names=", ".join(str(entry[key]) for entry in entries) or "–"
        ),
    )


def _weighted(methodology: Content, code: str, path: str) -> Content:
    groups: list[Content] = methodology["groups"]
    for group in groups:
        if group["code"] == code and "parent" in group:
            return group
    return _scored(methodology, code, path)


def _scored(methodology: Content, code: str, path: str) -> Content:
    entry = _entry(methodology, "kpis", "code", code, path)
    if "score" not in entry:
        scored = [kpi["code"] for kpi in methodology["kpis"] if "score" in kpi]
        raise CallError(
            "This KPI is not scored.",
            where=f"--set {path}",
            found=code,
            expected=phrase("one of {names}", names=", ".join(scored)),
        )
    score: Content = entry["score"]
    return score


def _share(methodology: Content, rule: Content, league: str, path: str) -> Content:
    """Return the entry of a league's share, a new one where a league of the methodology has none
    yet: a rule by gates states none.
    """
    shares: list[Content] = rule.setdefault("shares", [])
    if not any(str(share["league"]) == league for share in shares):
        number = _entry(methodology, "leagues", "league", league, path)["league"]
        shares.append({"league": number, **_STATED})
    return _entry(rule, "shares", "league", league, path)


def _phase(rule: Content, gate: str) -> Content:
    phases: list[Content] = rule.setdefault("phase_in", [])
    for phase in phases:
        if phase["gate"] == gate:
            return phase
    phases.append({"gate": gate, **_STATED})
    return phases[-1]


def _value(path: str, text: str, kind: type, old: Any) -> Any:
    """Return the text as a value of the kind. Raises CallError where it is none."""
    try:
        if kind is bool:
            return {"true": True, "false": False}[text]
        if kind in _FORMS and not re.fullmatch(_FORMS[kind], text):
            raise ValueError
        if kind is int:
            return int(text.replace("_", ""))
        if kind is Decimal:
            number = Decimal(text.replace("_", ""))
            return int(number) if type(old) is int and number == int(number) else number
        if kind is list:
            return [part.strip() for part in text.split(",") if part.strip()]
        return text
    except (KeyError, ValueError) as error:
        raise CallError(
            "This is no value that the parameter can have.",
            where=f"--set {path}",
            found=text,
            expected=_EXPECTED[kind],
        ) from error
