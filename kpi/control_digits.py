"""The last digit of an IIN or a BIN: a number that was typed or copied wrongly rarely has it right.

The rule of the Kazakh identification numbers: the first eleven digits, weighted 1 to 11 and summed,
modulo 11; where that gives 10, weighted 3 to 11, 1, 2; where that gives 10 as well, the number is
not given out. ``sql/checks/wrong_bin.sql`` says the same of the numbers of colleges and employers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from kpi.language import mark

Ints = npt.NDArray[np.int64]

FIRST = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)

WRONG_CONTROL_DIGIT = "wrong_control_digit"
EXPECTED = mark("a number whose last digit fits the eleven before it")


def control_digit(bases: Ints) -> Ints:
    """Return the control digit of 11-digit IIN or BIN bases, -1 where none exists. Shape (n,)."""
    digit = _weighted(bases, FIRST) % 11
    again = np.flatnonzero(digit == 10)
    second = _weighted(bases[again], SECOND) % 11
    digit[again] = np.where(second < 10, second, -1)
    return digit


def _weighted(bases: Ints, weights: Sequence[int]) -> Ints:
    """Return the weighted sum of the eleven digits."""
    total, rest = np.zeros_like(bases), bases
    for weight in reversed(weights):
        left = rest // 10
        total += (rest - 10 * left) * weight
        rest = left
    return total


def wrong_control_digits(
    table: str, identifiers: Sequence[str], rows: pl.DataFrame
) -> pl.DataFrame:
    """Return a finding (check_name, table_name, row_id, column_name, found, expected) per number
    of a person that has twelve digits, the last of which is wrong.

    Other identifiers (of foreigners, or a register's own) have no such rule. What the rest of an
    IIN says (a day of birth) is not judged. ``found`` is the raw number: whoever keeps it masks it.
    """
    frames = [_wrong_in(table, name, rows) for name in identifiers]
    return pl.concat(frames) if frames else pl.DataFrame()


def _wrong_in(table: str, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    numbered = rows.select("row_id", found=name).filter(pl.col("found").str.contains("^[0-9]{12}$"))
    numbers = numbered["found"].cast(pl.Int64).to_numpy()
    bases = numbers // 10
    is_wrong = pl.Series(control_digit(bases) != numbers - 10 * bases)
    return numbered.filter(is_wrong).select(
        pl.lit(WRONG_CONTROL_DIGIT).alias("check_name"),
        pl.lit(table).alias("table_name"),
        "row_id",
        pl.lit(name).alias("column_name"),
        "found",
        pl.lit(EXPECTED).alias("expected"),
    )
