"""Numbers of people and bodies: a right control digit, but a month that no real one has."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.random import Generator

from kpi.control_digits import control_digit
from kpi.sample.rows import Ints

PEOPLE = 62_000_000  # serials that person_base tells apart
BODIES = 3_600_000  # serials that body_base tells apart


def impossible_numbers(
    rng: Generator, build: Callable[[Ints], Ints], room: int, count: int
) -> pl.Series:
    """Return ``count`` different 12-digit numbers with a valid control digit, as text.

    ``build`` turns serials below ``room`` into 11-digit bases. A stride by a prime visits every
    serial once, so the numbers look scattered and never repeat.
    """
    stride = 24_036_583  # a prime that divides no room used here
    tried = count + count // 50 + 60
    if tried > room:
        raise ValueError(f"{count} numbers asked, {room} possible")
    start = int(rng.integers(room))
    bases = build((start + np.arange(tried, dtype=np.int64) * stride) % room)
    digits = control_digit(bases)
    numbers = (bases * 10 + digits)[digits >= 0][:count]
    return pl.Series(numbers, dtype=pl.Int64).cast(pl.String).str.zfill(12)


def person_base(serial: Ints) -> Ints:
    """Return IIN-shaped bases: year, month 00 (no real one has it), day, 5 or 6, four digits."""
    rest, four = np.divmod(serial, 10_000)
    rest, sex = np.divmod(rest, 2)
    year, month_day = np.divmod(rest, 31)
    base: Ints = year * 10**9 + (month_day + 1) * 10**5 + (5 + sex) * 10**4 + four
    return base


def body_base(feature: int, serial: Ints) -> Ints:
    """Return BIN-shaped bases: year, month 00 (none has it), 4, 0 head or 1 branch, serial."""
    years, five = np.divmod(serial, 100_000)
    return (90 + years) % 100 * 10**9 + (40 + feature) * 10**5 + five
