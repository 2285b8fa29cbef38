"""What a finding may show of a cell: never a person (DESIGN §10).

Digits of a person's number and words that may be a name are cut to their beginning. What a list of
values, a date or a code looks like is shown as it stands: without it nobody could mend a cell.
"""

import polars as pl

from kpi import values

LONGEST = 100

_VALUES = [
    *("true", "false", "yes", "no", "nan", "null", "none", "да", "нет"),
    *values.STUDY_FORMS,
    *values.FUNDING_SOURCES,
    *values.LEFT_REASONS,
    *values.LANGUAGES,
    *values.DESTINATIONS,
    *values.DESTINATION_SOURCES,
]
PERSON = r"(^|[^0-9])[0-9]{4}[0-3][0-9][0-6][0-9]{5}([^0-9]|$)"
"""A person's number anywhere in a text: a BIN has 4 to 6 in its fifth place."""

_MANY_DIGITS = r"(\d{2})\d{7,}"
_NAME = r"(\p{Lu})[\p{L}'’-]+"
_WORDS = r"^[\p{L}'’-]{2,}(\s+[\p{L}'’.-]{1,})+$"


def without_names(cell: pl.Expr) -> pl.Expr:
    """Return free text that is kept, with the digits of a person's number and words with a capital
    cut: words in small letters stay.
    """
    return (
        cell.str.replace_all(_MANY_DIGITS, "$1…")
        .str.replace_all(_NAME, "$1…")
        .str.slice(0, LONGEST)
    )


def without_numbers(cell: pl.Expr) -> pl.Expr:
    """Return the text of a table that is of no people, in which somebody may stand by mistake:
    such a text loses its long numbers, any other stays as it is.
    """
    cut = cell.str.replace_all(_MANY_DIGITS, "$1…")
    return pl.when(cell.str.contains(PERSON)).then(cut).otherwise(cell)


def masked(cell: pl.Expr) -> pl.Expr:
    """Return a cell's text as a finding may show it.

    Nine digits or more keep two, a word that begins with a capital keeps that, several words in a
    row keep the first letter of the first. Values of the contract's lists stay, however written.
    """
    cut = pl.when(cell.str.contains(_WORDS)).then(cell.str.head(1) + "…").otherwise(cell)
    is_value = cell.str.to_lowercase().is_in(_VALUES)
    return pl.when(is_value).then(cell).otherwise(without_names(cut))
