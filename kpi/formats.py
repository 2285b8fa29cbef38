"""How numbers stand in the text that the command line prints."""

from decimal import Decimal


def plain(number: Decimal) -> str:
    """Return a number with thousands separated and without trailing zeros: 1,214 or 0.7."""
    return f"{number.normalize():,f}" if number else "0"


def of(numerator: Decimal, denominator: Decimal) -> str:
    """Return a count with what it is counted of: 132 of 194."""
    return f"{plain(numerator)} of {plain(denominator)}"
