"""The working database's input tables: rows as they were read, each stored once (DESIGN §4).

A row of right cells is one of ``raw_<table>``, any other one of ``unreadable`` (as text) with its
faults in ``cell_findings``. Identifiers of people become pseudonyms on the way in.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import duckdb
import numpy as np
import polars as pl
import pyarrow

from kpi.cells import cast_cells, find_wrong_cells
from kpi.contract import TableContract
from kpi.masking import masked, without_numbers
from kpi.pseudonyms import LENGTH, pads, pseudonym
from kpi.reading.table import BATCH_ROWS
from kpi.tables import COLLEGE_ID, TABLES


@dataclass(frozen=True)
class OfFile:
    """What all rows of a file have: its number, how many columns it has, and whether bytes of it
    were no characters.
    """

    file_no: int
    width: int
    is_damaged: bool


BESIDES = ("record", "fields", "file_no", "width", "is_damaged")
"""What rows have besides cells: where they stand, and what their file is."""

Cells = Callable[[pl.DataFrame], pl.DataFrame]
"""Makes the contract's columns out of a file's; keeps all others."""

_Waiting: TypeAlias = tuple[pl.DataFrame, OfFile, Cells | None]

_PIECE_ROWS = 20_000


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``raw_<table>`` for each table, ``unreadable``, ``cell_findings``, ``source_files``."""
    for contract in map(TableContract, TABLES):
        columns = ", ".join(f"{name} {contract.sql_type(name)}" for name in contract.types)
        con.execute(
            f"CREATE TABLE raw_{contract.name}"
            f" (row_id BIGINT, file_no INTEGER, record BIGINT, {columns})"
        )
    con.execute(
        "CREATE TABLE unreadable (table_name VARCHAR, row_id BIGINT, file_no INTEGER,"
        " record BIGINT, college_id VARCHAR, person_id VARCHAR, cells VARCHAR)"
    )
    con.execute(
        "CREATE TABLE cell_findings (check_name VARCHAR, table_name VARCHAR, row_id BIGINT,"
        " column_name VARCHAR, found VARCHAR, expected VARCHAR)"
    )
    con.execute("CREATE TABLE source_files (file_no INTEGER, table_name VARCHAR, file VARCHAR)")


def enter_sources(con: duckdb.DuckDBPyConnection, sources: list[tuple[int, str, str]]) -> None:
    """Fill ``source_files``: of each file read its number, its table and its name."""
    schema = {"file_no": pl.Int32, "table_name": pl.String, "file": pl.String}
    con.register("batch", pl.DataFrame(sources, schema=schema, orient="row").to_arrow())
    con.execute("INSERT INTO source_files SELECT file_no, table_name, file FROM batch")
    con.unregister("batch")


class Store:
    """Judges the text rows of one table, in batches over files, and puts each where it belongs.

    ``add`` takes frames of ``record``, ``fields``, those of the contract's columns that the file
    has or what ``cells`` makes them from, and ``faults`` where a layout saw some; what ``flush``
    has not stored yet waits, so that many small files are judged together.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, contract: TableContract, key: bytes) -> None:
        self.con = con
        self.contract = contract
        self.key = key
        self.rows = 0
        self.waiting: list[_Waiting] = []
        self.faults: list[pl.DataFrame] = []
        self.insert = _insert_statement(contract)
        self.pads = pads(key)

    def add(self, frame: pl.DataFrame, file: OfFile, cells: Cells | None = None) -> None:
        """Take rows of a file, and store them once there are enough."""
        if "faults" in frame.columns:
            self._add_faults(frame["faults"])
            frame = frame.drop("faults")
        self.waiting.append((frame, file, cells))
        if self._rows_waiting() >= BATCH_ROWS:
            self.flush()

    def _rows_waiting(self) -> int:
        return sum(frame.height for frame, _, _ in self.waiting)

    def _add_faults(self, faults: pl.Series) -> None:
        first = self.rows + self._rows_waiting()
        rows = pl.DataFrame({"faults": faults}).with_row_index("row_id", offset=first)
        told = rows.explode("faults").drop_nulls("faults").unnest("faults")
        self.faults.append(
            told.with_columns(
                pl.col("row_id").cast(pl.Int64), table_name=pl.lit(self.contract.name)
            )
        )

    def flush(self) -> None:
        """Judge the rows that wait and store each once."""
        if not self.waiting:
            return
        # in one piece: polars 2.1 panics on filters over pieces of different shapes
        text = pl.concat(self._as_contract(), rechunk=True).with_row_index(
            "row_id", offset=self.rows
        )
        text = text.with_columns(pl.col("row_id").cast(pl.Int64))
        self.waiting.clear()
        self.rows += text.height
        typed = cast_cells(self.contract, text)
        findings = find_wrong_cells(self.contract, text, typed, self.faults)
        self.faults.clear()
        if findings.is_empty():
            self._insert_rows(typed)
            return
        wrong = findings.select("row_id").unique()
        self._insert_rows(typed.join(wrong, on="row_id", how="anti", maintain_order="left"))
        self._insert_unreadable(text.join(wrong, on="row_id", how="semi", maintain_order="left"))
        self._append("cell_findings", findings)

    def _as_contract(self) -> Iterator[pl.DataFrame]:
        """Yield the rows that wait with the contract's columns, those that a file lacks empty."""
        for cells, together in groupby(self.waiting, key=lambda waiting: waiting[2]):
            parts = list(together)
            if cells:
                frames = [cells(_with_files(parts))]
            else:
                frames = [_with_files([part]) for part in parts]
            for frame in frames:
                yield frame.select(
                    *BESIDES,
                    *[
                        pl.col(name)
                        if name in frame.columns
                        else pl.lit(None, pl.String).alias(name)
                        for name in self.contract.types
                    ],
                )

    def _insert_rows(self, typed: pl.DataFrame) -> None:
        inner, outer = self.pads
        self.con.register("batch", _in_pieces(typed))
        hides = bool(self.contract.identifiers)
        self.con.execute(self.insert, {"inner": inner, "outer": outer} if hides else {})
        self.con.unregister("batch")

    def _insert_unreadable(self, text: pl.DataFrame) -> None:
        """Keep the rows as text, with pseudonyms for identifiers wherever they stand: in a row of
        wrong length the cells may have slipped, and any of them may be somebody's number.
        """
        slipped = pl.col("fields").is_not_null()
        identifiers = self.contract.identifiers
        hidden = text.with_columns(
            pl.when(slipped | pl.lit(name in identifiers))
            .then(pl.col(name).map_elements(self._pseudonym, return_dtype=pl.String))
            .otherwise(masked(pl.col(name)) if identifiers else without_numbers(pl.col(name)))
            .alias(name)
            for name in self.contract.types
            if name != "college_id"
        ).with_columns(college_id=self._college_told(slipped))
        person = self.contract.identifiers[0] if self.contract.identifiers else None
        self._append(
            "unreadable",
            hidden.select(
                pl.lit(self.contract.name).alias("table_name"),
                "row_id",
                "file_no",
                "record",
                pl.when(pl.col("college_id").str.contains(COLLEGE_ID))
                .then(pl.col("college_id"))
                .alias("college_id"),
                pl.col(person).alias("person_id")
                if person
                else pl.lit(None, pl.String).alias("person_id"),
                pl.struct(list(self.contract.types)).struct.json_encode().alias("cells"),
            ),
        )

    def _college_told(self, slipped: pl.Expr) -> pl.Expr:
        """The college's id of a row, and nothing that may be somebody's number or name."""
        cell = pl.col("college_id")
        other = masked(cell) if self.contract.identifiers else without_numbers(cell)
        return (
            pl.when(cell.str.contains(COLLEGE_ID))
            .then(cell)
            .when(slipped)
            .then(cell.map_elements(self._pseudonym, return_dtype=pl.String))
            .otherwise(other)
        )

    def _pseudonym(self, identifier: str) -> str:
        return pseudonym(self.key, identifier)

    def _append(self, table: str, rows: pl.DataFrame) -> None:
        self.con.register("batch", rows.to_arrow())
        self.con.execute(f"INSERT INTO {table} SELECT * FROM batch")
        self.con.unregister("batch")


def _with_files(parts: list[_Waiting]) -> pl.DataFrame:
    """Return frames of the same columns as one, each row with what its file is."""
    heights = [frame.height for frame, _, _ in parts]
    files = pl.DataFrame(
        {
            "file_no": pl.Series([file.file_no for _, file, _ in parts], dtype=pl.Int32),
            "width": pl.Series([file.width for _, file, _ in parts], dtype=pl.Int32),
            "is_damaged": [file.is_damaged for _, file, _ in parts],
        }
    )
    of_rows = files[np.repeat(np.arange(len(parts)), heights)]
    return pl.concat([pl.concat([frame for frame, _, _ in parts]), of_rows], how="horizontal")


def _in_pieces(rows: pl.DataFrame) -> pyarrow.Table:
    """Return the rows as Arrow without copying text, in pieces that DuckDB's threads share."""
    whole = rows.to_arrow(compat_level=pl.CompatLevel.newest())
    return pyarrow.Table.from_batches(whole.to_batches(max_chunksize=_PIECE_ROWS), whole.schema)


def _insert_statement(contract: TableContract) -> str:
    """The INSERT of one batch; an identifier becomes its HMAC (RFC 2104) inside the SELECT."""
    listed = ", ".join(
        ["row_id", "file_no", "record", *(_stored(contract, name) for name in contract.types)]
    )
    return f"INSERT INTO raw_{contract.name} SELECT {listed} FROM batch"


def _stored(contract: TableContract, name: str) -> str:
    """The SELECT's expression of one column."""
    hidden = f"left(sha256($outer || unhex(sha256($inner || encode({name})))), {LENGTH})"
    if name in contract.identifiers:
        return hidden
    if name in contract.maybe_people:
        return f"CASE WHEN {name}[5] IN ('4', '5', '6') THEN {name} ELSE {hidden} END"
    return name


def make_read_views(con: duckdb.DuckDBPyConnection) -> None:
    """Name every row and every id read, rejected or not: references are checked against these."""
    rows = " UNION ALL ".join(
        f"SELECT '{name}' AS table_name, row_id, college_id FROM raw_{name}" for name in TABLES
    )
    con.execute(
        f"CREATE VIEW read_rows AS {rows}"
        " UNION ALL SELECT table_name, row_id, college_id FROM unreadable"
    )
    con.execute(
        "CREATE VIEW read_colleges AS SELECT college_id FROM read_rows"
        " WHERE table_name = 'colleges' AND college_id IS NOT NULL"
    )
    con.execute(
        "CREATE VIEW read_students AS SELECT student_id FROM raw_students"
        " UNION ALL SELECT person_id AS student_id FROM unreadable WHERE table_name = 'students'"
    )
    places = " UNION ALL ".join(
        f"SELECT '{name}' AS table_name, row_id, file_no, record FROM raw_{name}" for name in TABLES
    )
    con.execute(
        f"CREATE VIEW all_places AS {places}"
        " UNION ALL SELECT table_name, row_id, file_no, record FROM unreadable"
    )


def read_register(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return college_id, name_kk, name_ru, name_en and region of the colleges read: of those whose
    row was rejected too, lest one bad cell there reject all that names the college.
    """
    rows: pl.DataFrame = con.sql(
        "SELECT college_id, name_kk, name_ru, name_en, region FROM raw_colleges"
        " UNION ALL SELECT college_id, cells ->> 'name_kk', cells ->> 'name_ru',"
        " cells ->> 'name_en', cells ->> 'region'"
        " FROM unreadable WHERE table_name = 'colleges' AND college_id IS NOT NULL"
        " ORDER BY ALL"
    ).pl()
    return rows


def load_frozen(con: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> list[str]:
    """Read the inputs that a round keeps, as intake left them: rows in their stored order. Return
    the names of the tables.

    ``files``: Parquet file by input table, and that of ``unreadable``. Row ids are new, files and
    record numbers unknown.
    """
    create_tables(con)
    given = sorted(set(files) - {"unreadable"})
    for name in given:
        columns = ", ".join(TableContract(name).types)
        con.execute(
            f"INSERT INTO raw_{name} SELECT file_row_number, NULL, NULL, {columns}"
            " FROM read_parquet($1, file_row_number = true)",
            [str(files[name])],
        )
    con.execute(
        "CREATE TEMP TABLE frozen AS SELECT 1000000000 + file_row_number AS row_id, *"
        " FROM read_parquet($1, file_row_number = true)",
        [str(files["unreadable"])],
    )
    con.execute(
        "INSERT INTO unreadable SELECT table_name, row_id, NULL, NULL, college_id, person_id, cells"
        " FROM frozen"
    )
    con.execute(
        "INSERT INTO cell_findings SELECT fault.check_name, table_name, row_id, fault.column_name,"
        " fault.found, fault.expected FROM (SELECT table_name, row_id, unnest(from_json(faults,"
        """ '[{"check_name": "VARCHAR", "column_name": "VARCHAR", "found": "VARCHAR","""
        """ "expected": "VARCHAR"}]')) AS fault FROM frozen)"""
    )
    con.execute("DROP TABLE frozen")
    make_read_views(con)
    return given
