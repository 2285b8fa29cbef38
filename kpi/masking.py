"""What a finding may show of a cell: never a person (DESIGN §10).

Digits of a person's number and words that may be a name are cut to their beginning. What a list of
values, a date or a code looks like is shown as it stands: without it nobody could mend a cell.
"""

import polars as pl

LONGEST = 100

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


def masked(cell: pl.Expr) -> pl.Expr:
    """Return a cell's text as a finding may show it.

    Nine digits or more keep two, a word that begins with a capital keeps that, several words in a
    row keep the first letter of the first.
    """
    cut = pl.when(cell.str.contains(_WORDS)).then(cell.str.head(1) + "…").otherwise(cell)
    return without_names(cut)
