"""A list of colleges, narrowed to a region that the reader chooses."""

import polars as pl

from views.frame import address, parts
from views.frame.here import Here


def narrowed(at: Here, rows: pl.DataFrame) -> pl.DataFrame:
    """Draw the choice of a region and return the rows of its colleges; say so where none is left.

    ``rows`` have ``college_id``; their order stays.
    """
    words = at.words
    region = address.choose(
        "region",
        words.say("Region"),
        at.places("regions"),
        everything=words.say("all regions"),
        width=320,
    )
    if region is not None:
        there = at.table("unit_profile").filter(pl.col("region") == region)["college_id"]
        rows = rows.filter(pl.col("college_id").is_in(there.to_list()))
    if rows.is_empty():
        parts.empty(words.say("No college is in this list."), words.say("Choose another region."))
    return rows
