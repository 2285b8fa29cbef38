"""The state of a page in its address: refresh, back and a sent link show the same thing.

The address is the one truth: a control takes its value from there before it is drawn, and writes it
there when it is changed. Codes stand in it and never words, so that a link survives a change of
language. A value that is no longer among the options counts as the default.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st

FRAME = ("lang", "round")
"""What goes with every link."""


def value(name: str, default: str | None = None) -> str | None:
    """Return a value of the address."""
    found = st.query_params.get(name)
    return found if found not in (None, "") else default


def values(name: str) -> list[str]:
    """Return all values of a name that may stand there several times."""
    return [one for one in st.query_params.get_all(name) if one]


def put(name: str, new: str | Iterable[str] | None, drop: Iterable[str] = ()) -> None:
    """Write a value into the address, and take those out that it makes meaningless."""
    state: dict[str, str | list[str]] = {
        one: st.query_params.get_all(one) for one in st.query_params if one not in {name, *drop}
    }
    if new:
        state[name] = new if isinstance(new, str) else list(new)
    st.query_params.from_dict(state)


def link(**more: str | None) -> dict[str, str]:
    """Return the values that a link to another page carries: language, round, and ``more``."""
    found = {name: value(name) for name in FRAME} | more
    return {name: text for name, text in found.items() if text}


def onward(**more: str) -> dict[str, str | list[str]]:
    """Return the values for ``st.switch_page``, which writes them into the address of the page that
    is left as well: all that stands there goes along, or going back would lose it.
    """
    now = {name: st.query_params.get_all(name) for name in st.query_params}
    return {**now, **more}


def choose(
    name: str,
    label: str,
    options: Mapping[str, str],
    *,
    everything: str | None = None,
    drop: Iterable[str] = ("page",),
    **more: Any,
) -> str | None:
    """Draw a list to choose from; return the code chosen.

    ``options``: code to words. ``everything`` are the words of no choice (None), the default; where
    it is None, the first option is the default.
    """
    codes = [*([""] if everything is not None else []), *options]
    default = codes[0] if codes else None
    now = value(name)
    key = _bind(name, now if now in options else default)
    st.selectbox(
        label,
        codes,
        key=key,
        format_func=lambda code: options.get(code, str(everything)),
        on_change=_write(name, key, default, drop),
        **more,
    )
    return str(st.session_state[key]) or None if codes else None


def switch(
    name: str,
    label: str,
    options: Mapping[str, str],
    *,
    default: str | None = None,
    drop: Iterable[str] = (),
    **more: Any,
) -> str:
    """Draw the options side by side, one of them on; the default is the first unless given."""
    default = default or next(iter(options))
    now = value(name)
    key = _bind(name, now if now in options else default)
    st.segmented_control(
        label,
        list(options),
        key=key,
        required=True,
        format_func=options.__getitem__,
        on_change=_write(name, key, default, drop),
        **more,
    )
    return str(st.session_state[key] or default)


def number(
    name: str,
    label: str,
    now: float | None,
    write: Callable[[float | None], None],
    **more: Any,
) -> None:
    """Draw a number that stands in the address; ``write`` puts there what it is changed to.

    ``now`` is None where what stands there is no number that can be shown: the field is empty.
    """
    key = _bind(name, now)
    st.number_input(label, key=key, on_change=lambda: write(st.session_state[key]), **more)


def text(
    name: str,
    label: str,
    default: str = "",
    *,
    longest: int = 100,
    drop: Iterable[str] = ("page",),
    **more: Any,
) -> str:
    """Draw a line to write in; return what stands there, without the space around it."""
    key = _bind(name, (value(name) or default)[:longest])
    st.text_input(
        label,
        key=key,
        max_chars=longest,
        on_change=_write(name, key, default, drop),
        **more,
    )
    return str(st.session_state[key] or "").strip()


def page_of(
    count: int, rows: int, label: Callable[[int, int, int], str], name: str = "page"
) -> int:
    """Draw the choice of a page of ``rows`` rows of ``count``; return its number from 1.

    ``label`` says "rows 26 to 50 of 772". Nothing is drawn where one page holds all. ``name`` is
    another one for the second table of a page.
    """
    last = max(1, -(-count // rows))
    now = value(name, "1") or "1"
    number = min(max(int(now), 1), last) if now.isascii() and now.isdigit() and len(now) < 7 else 1
    if last == 1:
        return 1
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for way, icon, target, is_off in (
            ("previous", ":material/chevron_left:", number - 1, number == 1),
            ("next", ":material/chevron_right:", number + 1, number == last),
        ):
            st.button(
                icon,
                key=f"{name}:{way}",
                type="tertiary",
                disabled=is_off,
                on_click=put,
                args=(name, str(target) if target > 1 else None),
            )
        st.caption(label((number - 1) * rows + 1, min(number * rows, count), count))
    return number


def _bind(name: str, now: Any) -> str:
    """Give a control the value of the address, before it is drawn."""
    key = f"address:{name}"
    st.session_state[key] = now
    return key


def _write(name: str, key: str, default: Any, drop: Iterable[str]) -> Callable[[], None]:
    def write() -> None:
        new = st.session_state[key]
        put(name, None if new == default else new, drop)

    return write
