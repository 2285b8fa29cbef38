"""A college of a round: found by its id or name, and the names of the places that it has."""

from typing import Any

import polars as pl

from kpi.errors import CallError, phrase
from kpi.language import Speaker
from kpi.rounds import Round

Row = dict[str, Any]


def find_college(of_round: Round, college: str) -> Row:
    """Return the row of ``colleges`` with this id, or the only one whose name has this part."""
    colleges = of_round.table("colleges")
    by_id = colleges.filter(pl.col("college_id") == college)
    if by_id.height == 1:
        return by_id.row(0, named=True)
    wanted = college.casefold()
    names = pl.concat_str(["name_kk", "name_ru", "name_en"], separator="|", ignore_nulls=True)
    # casefold in Python: polars lowercases only, which Kazakh and Russian names survive as well
    by_name = colleges.filter(names.str.to_lowercase().str.contains(wanted, literal=True))
    if by_name.height == 1:
        return by_name.row(0, named=True)
    some = by_name.head(8).iter_rows(named=True)
    raise CallError(
        "No college has this id or name." if by_name.is_empty() else "Several colleges fit.",
        where=f"{of_round.name} {of_round.version}",
        found=college,
        expected=phrase(
            "one of {names}",
            names="".join(f"\n    {row['college_id']}  {row['name_ru']}" for row in some),
        )
        if by_name.height
        else "a college_id of the round, or a part of one college's name",
        do="`kpi rank --top 0` lists the colleges.",
    )


def place_names(of_round: Round, table: str, words: Speaker) -> dict[str, str]:
    """Return the name of each code of the round's ``regions`` or ``clusters``."""
    frame = of_round.reference()[table]
    return {row[frame.columns[0]]: words.of(row) for row in frame.iter_rows(named=True)}
