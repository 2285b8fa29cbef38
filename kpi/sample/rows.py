"""How rows are held before they are written: columns of numbers, all of one length.

A text is its position in a list of ``codes``, -1 where it is empty; a day is counted from
1970-01-01, NEVER where it is empty.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]
Rows = dict[str, Array]


def day(iso: str) -> int:
    """Return the days from 1970-01-01 to an ISO date."""
    return int(np.datetime64(iso, "D").astype(np.int64))


COUNT_ON = day("2025-10-01")
YEAR_BEFORE = day("2024-10-01")
NEVER = -(2**30)


def stack(parts: list[Rows]) -> Rows:
    """Return the rows of all parts, one after the other; all have the columns of the first."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
