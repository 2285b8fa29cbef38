"""What a user reads, in Kazakh, Russian and English: words by gettext catalogues, numbers by babel.

Code writes the English sentence; ``data/locale/<language>.po`` holds the others. A sentence
without a translation shows as missing, never as another language in silence (DESIGN §10).
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from gettext import c2py
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from kpi.dated import Names
from kpi.errors import CallError, Phrase
from kpi.resources import data_folder

LANGUAGES = ("kk", "ru", "en")
SOURCE = "en"
NO_BREAK = "\u00a0"

Number = int | float | Decimal


class Speaker:
    """Says sentences, names and numbers in one language.

    Keywords for extraction are ``say`` and ``mark`` (one sentence) and ``say_count`` (singular,
    plural): catalogues are held against the code by tests/kpi/test_language.py.
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise CallError(
                "There is no such language.",
                where="--language",
                found=language,
                expected=", ".join(LANGUAGES),
            )
        self.language = language
        self.locale = Locale(language)

    def say(self, sentence: str, **values: object) -> str:
        """Return a sentence, its ``{name}`` places filled."""
        return self._translated(sentence).format(**values)

    def say_count(self, one: str, many: str, count: int, **values: object) -> str:
        """Return the form of a sentence that goes with ``count``, which fills its ``{count}``."""
        return self._form(one, many, count).format(count=self.number(count), **values)

    def error(self, text: str) -> str:
        """Return a sentence of an error or a finding, which code or SQL wrote in English.

        A text that is none of our sentences (a path, a list of names) stands as it is.
        """
        if isinstance(text, Phrase):
            return self._filled(text.sentence, text.values)
        if self.language == SOURCE or not text:
            return text
        if forms := _forms(self.language, text):
            return forms[0]
        for sentence in EXPECTED:
            if found := _pattern(sentence).fullmatch(text):
                return self._filled(sentence, found.groupdict())
        return text

    def _filled(self, sentence: str, values: Mapping[str, object]) -> str:
        told = sentence
        if self.language != SOURCE:
            [told] = _forms(self.language, sentence) or [sentence]
        shown = {n: self.number(v) if type(v) is int else v for n, v in values.items()}
        return told.format(**shown)

    def stored(self, sentence: str) -> str:
        """Return a sentence that stands in a file of a round, such as a KPI's definition; one that
        the catalogue has not stands in English and is marked so.
        """
        if self.language == SOURCE:
            return sentence
        [found] = _forms(self.language, sentence) or [""]
        return found or f"{sentence} ({SOURCE})"

    def name(self, names: Names) -> str:
        """Return the name of a KPI, group, league or level."""
        return str(getattr(names, self.language))

    def of(self, row: dict[str, Any], column: str = "name") -> str:
        """Return a row's name in the language; where it has none, the Russian one, marked so."""
        there = row.get(f"{column}_{self.language}")
        return str(there) if there else f"{row[f'{column}_ru']} (ru)"

    def number(self, number: Number, places: int | None = None) -> str:
        """Return a number with the language's separators: as many decimals as it has, or
        ``places``.
        """
        if places is None and not isinstance(number, int):
            number = Decimal(str(number))
            places = max(0, -int(number.normalize().as_tuple().exponent))
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return str(format_decimal(number, format=pattern, locale=self.locale))

    def percent(self, share: Number, places: int | None = 1) -> str:
        """Return a share of 0..1 as a percentage: 68,2 %; ``places`` None: the decimals it has."""
        if places is None:
            exponent = int(Decimal(str(share)).normalize().as_tuple().exponent)
            places = max(0, -exponent - 2)
        pattern = "0." + "0" * places + NO_BREAK + "%" if places else f"0{NO_BREAK}%"
        return str(format_percent(share, format=pattern, locale=self.locale))

    def tenge(self, amount: int) -> str:
        """Return whole tenge with the sign: 912 000 ₸."""
        return f"{self.number(amount)}{NO_BREAK}₸"

    def rough_tenge(self, amount: int) -> str:
        """Return an amount for a sentence, in thousands, millions or billions: 239,3 млрд ₸."""
        told = format_compact_decimal(
            amount,
            format_type="long" if self.language == SOURCE else "short",
            locale=self.locale,
            fraction_digits=1,
        )
        return f"{told}{NO_BREAK}₸"

    def day(self, day: dt.date) -> str:
        """Return a date in the language's short form, the year in full."""
        return str(format_date(day, format="dd.MM.yyyy", locale=self.locale))

    def _translated(self, sentence: str) -> str:
        if self.language == SOURCE:
            return sentence
        [found] = _forms(self.language, sentence) or [""]
        return found or self._missing(sentence)

    def _form(self, one: str, many: str, count: int) -> str:
        if self.language == SOURCE:
            return one if count == 1 else many
        forms = _forms(self.language, one, many)
        return forms[_plural(self.language)(count)] if forms else self._missing(many)

    def _missing(self, sentence: str) -> str:
        return f"[no {self.language} text] {sentence}"


def error_parts(words: Speaker, error: CallError) -> list[str]:
    """Return what is known of one error besides its sentence, each with its label: Found: 12."""
    labels = {
        "where": words.say("Where"),
        "found": words.say("Found"),
        "expected": words.say("Expected"),
        "do": words.say("What to do"),
    }
    return [
        f"{labels[name]}: {words.error(text) if _is_ours(name, text) else text}"
        for name, text in error.parts.items()
        if text
    ]


def _is_ours(name: str, text: str) -> bool:
    return name in ("do", "expected") or isinstance(text, Phrase)


def mark(sentence: str) -> str:
    """Mark a sentence that is said elsewhere, so that extraction finds it."""
    return sentence


EXPECTED = (
    mark("one of {names}"),
    mark("a day not before {day}"),
    mark("at most {most}"),
    mark("{least} to {most} characters"),
    mark("{least} to {most}"),
    mark("{least} or more"),
    mark("{count} fields"),
    mark("({count} characters)"),
    mark("one row per {columns}"),
    mark("a day not after {day}"),
    mark("a day from {first} to {last}"),
    mark("probably {code}"),
    mark("a fraction of {count}"),
    mark("about {usual}; {alarms} of {findings} such findings are expected to be false alarms"),
)
"""What a finding expects, where it has places: it is stored filled, and known by its form."""


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """Return what a sentence looks like once filled; a place that holds a number ends with it."""
    form = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(sentence))
    for place in ("least", "most", "count"):
        form = form.replace(f"(?P<{place}>.+)", rf"(?P<{place}>[\d.,]+)")
    return re.compile(form)


@cache
def speaker(language: str) -> Speaker:
    """Return the speaker of a language. Raises CallError for one that there is not."""
    return Speaker(language)


def catalogue_of(language: str) -> Catalog:
    """Read the catalogue of a language as it stands in ``data/locale/``."""
    with (data_folder() / "locale" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _catalogue(language: str) -> Catalog:
    return catalogue_of(language)


@cache
def _plural(language: str) -> Callable[[int], int]:
    """Return the catalogue's rule: which form goes with a count."""
    rule: Callable[[int], int] = c2py(_catalogue(language).plural_expr)
    return rule


def _forms(language: str, *source: str) -> list[str]:
    """Return the translation of a sentence, or of a singular and plural; none where it has none,
    is not complete, or is marked fuzzy.
    """
    message = _catalogue(language).get(source[0])
    if message is None or message.fuzzy or message.pluralizable != (len(source) > 1):
        return []
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return forms if all(forms) else []
