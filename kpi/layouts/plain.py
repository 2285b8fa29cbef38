"""The plain layout: the columns of the data contract under their own names."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import polars as pl

from kpi.contract import TableContract
from kpi.errors import DataError, phrase
from kpi.layouts.rows import FileColumn, Given, TableRows
from kpi.reading.table import TextTable, column
from kpi.tables import TABLES

NAME = "plain"


def knows(cells: Sequence[str]) -> int:
    """Count how many of some texts are columns of one table."""
    found = {*cells}
    return max(len(found & columns) for columns in _columns().values())


def rows_of(table: TextTable, given: Given) -> TableRows | None:
    """Return the rows of the table that has the file's columns, or that its name says; None where
    neither does. Raises DataError where columns are missing or stand there twice.
    """
    named = table_of_name(table.file.name)
    if "sheet" in table.form and not knows(table.header):  # notes beside the table
        named = None
    name = _table_of_columns(table.header, named) or named
    if name is None:
        return None
    contract = TableContract(name)
    places = {own: at for at, own in enumerate(table.header) if own in contract.types}
    _require_columns(contract, table)
    left_out = [own for own in table.header if own and own not in places]
    return TableRows(
        table=name,
        layout=NAME,
        headers={own: FileColumn(own) for own in places},
        left_out=left_out,
        batches=lambda: _batches(table, places),
    )


def table_of_name(name: str) -> str | None:
    """Return the table that a file's name says: ``students.csv``, ``students-north.csv``."""
    stem = name.rpartition("/")[2].partition(".")[0]
    table = stem.split("-", 1)[0].lower()
    return table if table in TABLES else None


def _table_of_columns(header: list[str], named: str | None) -> str | None:
    """Return the table all of whose required columns a header has."""
    required = {name: set(TableContract(name).required) for name in TABLES}
    fitting = [name for name, columns in required.items() if columns <= {*header}]
    if named in fitting:
        return named
    return max(fitting, key=lambda name: len(_columns()[name] & {*header}), default=None)


@cache
def _columns() -> Mapping[str, set[str]]:
    return {name: set(TableContract(name).types) for name in TABLES}


def _batches(table: TextTable, places: dict[str, int]) -> Iterator[pl.DataFrame]:
    cells = [pl.col(column(at)).alias(own) for own, at in places.items()]
    for batch in table.batches():
        yield batch.select("record", "fields", *cells)


def _require_columns(contract: TableContract, table: TextTable) -> None:
    where = f"{table.name}, record {table.header_record}"
    times = Counter(table.header)
    if twice := [name for name in contract.types if times[name] > 1]:
        raise DataError(
            "The header is wrong.",
            where=where,
            found=phrase("two columns of one name: {names}", names=", ".join(twice)),
            expected="one name for each column, each name once",
            do="Correct the first line of the file.",
        )
    if missing := [name for name in contract.required if name not in times]:
        raise DataError(
            "The header lacks columns that the table must have.",
            where=where,
            # only names of the table: a file without its header has people in its first row
            found=", ".join(name for name in contract.types if name in times)
            or phrase("none of them"),
            expected=", ".join(missing),
            do=phrase(
                "Add the missing columns; the table `{table}` is described in the README.",
                table=contract.name,
            ),
        )
