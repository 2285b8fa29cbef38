"""The controls of a scenario: each writes ``set=path=value`` into the address, or takes it out."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

import streamlit as st

from funding.around_gates import gates_of_people
from funding.scenario import idle_reason
from funding.settings import PATHS, Change, Rules, put_value, value_of
from kpi.language import Speaker
from kpi.methodology import Methodology
from kpi.terms import term
from views.frame import address, parts
from views.frame.here import Here
from views.frame.scenarios import Asked, shipped_files, values_here

_LARGEST = 2**53
"""A number beyond which a browser loses digits: it is shown as text alone."""


def put(path: str, value: str | None) -> None:
    """Set a path in the address, or take it out."""
    address.put("set", put_value(address.values("set"), path, value), drop=("page",))


def draw_controls(at: Here, asked: Asked, rules: Rules) -> None:
    """Draw every control. ``rules`` are those before the settings."""
    words, methodology = at.words, rules.methodology
    shares = _shares(asked, rules)
    gates = [f"gates.{gate}" for gate in gates_of_people(methodology)]
    norms = ["norm.base", "norm.full"]
    sizes = [
        f"leagues.{league.league}.{'max_count' if league.max_count else 'max_rank'}"
        for league in methodology.leagues
        if league.max_count or league.max_rank
    ]
    weights = _weights(methodology)
    paths = [*gates, *norms, "norm.gates", *sizes, *weights]
    values = values_here(at, asked, paths) | shares
    _rule(at)
    for path in gates:
        _percentage(at, asked, methodology, path, values[path])
    _asked_gates(at, asked, rules, values["norm.gates"])
    for path in norms:
        _whole(at, asked, methodology, path, values[path], step=1000)
    for path in shares:
        _percentage(at, asked, methodology, path, values[path])
    with st.expander(words.say("Sizes of the leagues")):
        for path in sizes:
            _whole(at, asked, methodology, path, values[path], step=10)
    with st.expander(words.say("Weights of the score")):
        _weights_form(at, asked, methodology, {path: values[path] for path in weights})
    with st.expander(words.say("Any other parameter")):
        _any_other(at)


def draw_changes(at: Here, rules: Rules, changes: Sequence[Change], idle: frozenset[str]) -> None:
    """List what is changed, each with its old value, whether it moves anything, and a way to take
    it back.
    """
    words = at.words
    for change in changes:
        said = Change(
            setting_title(words, rules.methodology, change.path),
            told_value(words, change.path, change.old),
            told_value(words, change.path, change.new),
        )
        if change.path in idle:
            told = idle_reason(said, words)
        else:
            told = words.say(
                "{what}: {new} instead of {old}", what=said.path, new=said.new, old=said.old
            )
        _line(words, told, change.path)


def draw_raw(at: Here, asked: Asked) -> None:
    """List the settings of an address that cannot be computed, each with a way to take it back."""
    for number, text in enumerate(asked.settings):  # a path may stand there twice
        _line(at.words, text, text.partition("=")[0].strip(), key=f"back:{number}")


def draw_files(at: Here, asked: Asked) -> None:
    """List the whole files that are put in place of the round's own."""
    words = at.words
    for name, kind, file in (
        ("methodology", "methodology", asked.methodology),
        ("rule", "rules", asked.rule),
    ):
        if file:
            title = shipped_files(at, kind).get(file, file)
            told = words.say("whole file: {title}", title=title)
            _line(words, told, name, in_address=name)


def _line(
    words: Speaker, told: str, path: str, in_address: str | None = None, key: str | None = None
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(parts.plain(told), width="content")
        st.button(
            words.say("Take back"),
            key=key or f"back:{path}",
            icon=":material/undo:",
            type="tertiary",
            on_click=address.put if in_address else put,
            args=(in_address or path, None),
        )


def take_all_back() -> None:
    """Take every change out of the address."""
    address.put("set", None, drop=("rule", "methodology", "page", "frontier"))


def setting_title(  # noqa: PLR0911 -- one case a path
    words: Speaker, methodology: Methodology, path: str
) -> str:
    """Return what a path is, in words; the path itself where there are none."""
    names = {kpi.code: words.name(kpi.name) for kpi in methodology.kpis}
    groups = {group.code: words.name(group.name) for group in methodology.groups}
    match path.split("."):
        case ["gates", gate]:
            return words.say("Threshold: {gate}", gate=names.get(gate, gate))
        case ["norm", "base"]:
            return words.say("Base norm, tenge per student")
        case ["norm", "full"]:
            return words.say("Full norm, tenge per student")
        case ["norm", "gates"]:
            return words.say("Gates that the higher norm asks for")
        case ["shares", league] if league.isdigit():
            return words.say("Share of the incentive part for league {league}", league=league)
        case ["leagues", league, "max_count"]:
            return words.say("League {league}: at most so many colleges", league=league)
        case ["leagues", league, "max_rank"]:
            return words.say("League {league}: down to rank", league=league)
        case ["weights", code]:
            return words.say("Weight: {what}", what=(names | groups).get(code, code))
    return path


def told_value(words: Speaker, path: str, text: str) -> str:
    """Return a value as a reader says it: a threshold as a percentage, a norm in tenge."""
    number = _number(text)
    if text == "none":
        return words.say("nothing")
    if number is None:
        return ", ".join(term(words, part) for part in text.split(","))
    match path.split("."):
        case ["gates", _] | ["shares", _]:
            return words.percent(number, _places(number * 100))
        case ["norm", _]:
            return words.tenge(int(number))
    return words.number(number)


def _places(number: Decimal) -> int:
    return max(0, -int(number.normalize().as_tuple().exponent))


def _number(text: str | None) -> Decimal | None:
    """Return a text as a number that can be shown; None for anything else."""
    try:
        number = Decimal((text or "").replace("_", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < _LARGEST else None


def _text(number: float, scale: int) -> str:
    """Return what a control was changed to as the text that sets it: 75.5 % is 0.755."""
    value = Decimal(str(number)).scaleb(-scale)
    return f"{value.normalize():f}"


def _rule(at: Here) -> None:
    words = at.words
    address.choose(
        "rule",
        words.say("Rule"),
        shipped_files(at, "rules"),
        everything=words.say("that of the round"),
        drop=("page",),
    )


def _percentage(at: Here, asked: Asked, methodology: Methodology, path: str, base: str) -> None:
    """Draw a share as a percentage."""
    now = _number(value_of(asked.settings, path) or base)

    def write(new: float | None) -> None:
        text = None if new is None else _text(new, 2)
        put(path, None if text is None or text == base else text)

    address.number(
        path,
        f"{setting_title(at.words, methodology, path)}, %",
        None if now is None else float(now * 100),
        write,
        step=1.0,
        format="%.10g",
    )


def _whole(
    at: Here, asked: Asked, methodology: Methodology, path: str, base: str, step: int
) -> None:
    """Draw a whole number."""
    now = _number(value_of(asked.settings, path) or base)

    def write(new: float | None) -> None:
        text = None if new is None else str(int(new))
        put(path, None if text is None or text == base else text)

    address.number(
        path,
        setting_title(at.words, methodology, path),
        None if now is None or now != int(now) else int(now),
        write,
        step=step,
    )


def _asked_gates(at: Here, asked: Asked, rules: Rules, base: str) -> None:
    """Draw which gates the higher norm asks for; by leagues it asks for none of its own."""
    if rules.rule.mode != "threshold":
        return
    names = {kpi.code: at.words.name(kpi.name) for kpi in rules.methodology.kpis}
    options = [gate.kpi for gate in rules.methodology.gates]
    now = (value_of(asked.settings, "norm.gates") or base).split(",")
    key = "address:norm.gates"
    st.session_state[key] = [gate for gate in options if gate in now]

    def write() -> None:
        new = [gate for gate in options if gate in st.session_state[key]]
        put("norm.gates", None if sorted(new) == sorted(base.split(",")) else ",".join(new))

    st.multiselect(
        setting_title(at.words, rules.methodology, "norm.gates"),
        options,
        key=key,
        format_func=lambda gate: names.get(gate, gate),
        on_change=write,
        wrap=True,
        help=at.words.say("A gate that is not asked for decides no money."),
    )


def _shares(asked: Asked, rules: Rules) -> dict[str, str]:
    """Return the shares of the leagues, where the rule pays by leagues."""
    if rules.rule.mode != "leagues":
        return {}
    return {f"shares.{one.league}": f"{one.share.normalize():f}" for one in rules.rule.shares}


def _weights(methodology: Methodology) -> list[str]:
    """Return the paths of all weights: groups, then what is in them."""
    groups = [group.code for group in methodology.groups if group.parent is not None]
    return [f"weights.{code}" for code in (*groups, *(k.code for k in methodology.kpis if k.score))]


def _weights_form(
    at: Here, asked: Asked, methodology: Methodology, values: Mapping[str, str]
) -> None:
    """Draw all weights at once: one alone would not sum to its group's."""
    words = at.words
    keys = {path: f"weight:{path}" for path in values}
    for path, key in keys.items():
        now = _number(value_of(asked.settings, path) or values[path])
        st.session_state[key] = None if now is None else float(now)

    def write() -> None:
        settings = address.values("set")
        for path, key in keys.items():
            new = st.session_state[key]
            text = None if new is None else _text(new, 0)
            settings = put_value(settings, path, None if text == values[path] else text)
        address.put("set", settings, drop=("page",))

    with st.form("weights", border=False):
        for path, key in keys.items():
            label = setting_title(words, methodology, path)
            st.number_input(label, key=key, step=0.05, format="%.10g")
        st.caption(words.say("The weights in a group sum to the weight of the group."))
        st.form_submit_button(words.say("Set the weights"), on_click=write)


def _any_other(at: Here) -> None:
    """Draw a line for every other path: path = value."""
    words = at.words

    def write() -> None:
        text = str(st.session_state["scenario:text"] or "").strip()
        path, _, value = text.partition("=")
        if text:
            put(path.strip(), value.strip())
        st.session_state["scenario:text"] = ""

    with st.form("any", border=False):
        st.text_input(
            words.say("Path and value"), key="scenario:text", placeholder="min_students=30"
        )
        st.form_submit_button(words.say("Set"), on_click=write)
    st.caption(words.say("These paths can be set; none takes a part out:"))
    st.code(PATHS, language=None, wrap_lines=True)
