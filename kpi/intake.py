"""Input files → typed tables and findings (DESIGN §4, §9).

Every row read ends in one of two tables of the working database: ``raw_<table>`` (typed, every cell
fits the data contract) or ``unreadable`` (as text, at least one cell does not fit). What is wrong
with a cell is a row of ``cell_findings``. Identifiers of people become pseudonyms on the way in.
Checks across rows and tables come later, as SQL over ``raw_`` (kpi/pipeline.py).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import duckdb
import pandera.polars as pa
import polars as pl
import pyarrow

from kpi.control_digits import WRONG_CONTROL_DIGIT, wrong_control_digits
from kpi.errors import DataError, all_of, phrase
from kpi.pseudonyms import LENGTH, pads, pseudonym
from kpi.reading import SourceFile, find_files, open_file
from kpi.tables import COLLEGE_ID, TABLES

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_PIECE_ROWS = 20_000

INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
NUMBER = r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$"

# a BIN has 4 to 6 in its fifth place, where a person's number has the day of birth, 0 to 3
_SURELY_A_COLLEGE = r"^([0-9]{4}[4-6][0-9]{7}|[A-Z]{2,8}-[A-Z0-9]{1,12})$"

CELL_CHECKS = {
    "wrong_field_count": "The row has {found} fields. Check for a missing or an extra comma.",
    "missing_value": "{column} is empty. Fill it in.",
    "not_a_date": "{column} is {found}, which is no date. Write it as 2025-10-01.",
    "not_an_integer": "{column} is {found}, which is no whole number. Write digits only.",
    "not_a_boolean": "{column} is {found}. Write true or false.",
    "not_a_number": "{column} is {found}, which is no number. Write it as 48.5.",
    "not_allowed": "{column} is {found}, which is not in its list of values. Use {expected}.",
    "wrong_form": "{column} is {found}, which does not have its form: {expected}.",
    "out_of_range": "{column} is {found}, which is out of range. Use {expected}.",
    "wrong_length": "{column} has a text that is empty or too long. Use {expected}.",
    WRONG_CONTROL_DIGIT: "{column} is a number that is never given out: its last digit does not fit"
    " the eleven before it. Copy it again from the person's document.",
}
"""The checks of a single cell, each with the sentence that the user reads."""

_PANDERA_CHECKS = {
    "isin": "not_allowed",
    "str_matches": "wrong_form",
    "in_range": "out_of_range",
    "greater_than_or_equal_to": "out_of_range",
    "str_length": "wrong_length",
}

_FINDING = {
    "check_name": pl.String,
    "table_name": pl.String,
    "row_id": pl.Int64,
    "column_name": pl.String,
    "found": pl.String,
    "expected": pl.String,
}


@dataclass
class Intake:
    """What was read: for ``sources.json`` and for the user."""

    files: list[dict[str, Any]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """The columns of each file that its table does not have."""


class TableContract:
    """One input table's Pandera model, in the form in which intake needs it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.model = TABLES[name]
        metadata = self.model.Config.metadata or {}
        self.identifiers: list[str] = metadata["identifiers"]
        self.key: list[str] = metadata["key"]

    @cached_property
    def schema(self) -> Any:
        """The Pandera schema."""
        return self.model.to_schema()

    @cached_property
    def types(self) -> dict[str, pl.DataType]:
        """Polars type by column."""
        return {name: column.dtype.type for name, column in self.schema.columns.items()}

    @cached_property
    def required(self) -> list[str]:
        """Columns that must be in the file."""
        return [name for name, column in self.schema.columns.items() if not column.nullable]

    def sql_type(self, column: str) -> str:
        """DuckDB's type of the column; a list of values is an ENUM, a byte instead of a text."""
        for check in self.schema.columns[column].checks:
            if check.name == "isin":
                return f"ENUM ({', '.join(repr(v) for v in check.statistics['allowed_values'])})"
        return _SQL_TYPES[self.types[column].base_type()]

    def expected(self, column: str) -> str:
        """What a cell of the column may hold, in words."""
        described = self.schema.columns[column]
        if described.description:
            return str(described.description)
        for check in described.checks:
            limits = check.statistics
            if check.name == "isin":
                return "one of " + ", ".join(limits["allowed_values"])
            if check.name in ("in_range", "str_length"):
                unit = " characters" if check.name == "str_length" else ""
                return f"{limits['min_value']} to {limits['max_value']}{unit}"
            if check.name == "greater_than_or_equal_to":
                return f"{limits['min_value']} or more"
        return _TYPE_WORDS[self.types[column].base_type()]


_TYPE_WORDS = {
    pl.Date: "a date such as 2025-10-01",
    pl.Int64: "a whole number",
    pl.Boolean: "true or false",
    pl.Decimal: "a number such as 48.5",
    pl.String: "text",
}
_SQL_TYPES = {
    pl.Date: "DATE",
    pl.Int64: "BIGINT",
    pl.Boolean: "BOOLEAN",
    pl.Decimal: "DECIMAL(18, 4)",
    pl.String: "VARCHAR",
}
_CAST_CHECKS = {
    pl.Date: "not_a_date",
    pl.Int64: "not_an_integer",
    pl.Boolean: "not_a_boolean",
    pl.Decimal: "not_a_number",
}


def read_inputs(con: duckdb.DuckDBPyConnection, folder: Path, key: bytes, report: Report) -> Intake:
    """Read every table of ``folder`` into the working database ``con``.

    Makes ``raw_<table>`` for each table of the contract (empty where no file was given),
    ``unreadable``, ``cell_findings`` and ``source_files``. Raises CallError when the folder does
    not exist, DataError when a file as a whole cannot be read (all such files are named).
    """
    files, unread = find_files(folder, list(TABLES))
    intake = Intake(unread=[path.name for path in unread])
    contracts = {name: TableContract(name) for name in TABLES}
    _create_tables(con, contracts)
    total = sum(source.size for source in files)
    done = 0
    errors: list[DataError] = []
    for number, source in enumerate(files):
        told = partial(report, f"reading {source.path.name}", done, total)
        told()
        try:
            _read_file(con, contracts[source.table], source, number, key, intake, told)
        except DataError as error:
            errors.append(error)
        done += source.size
    report("reading", total, total)
    if errors:
        raise all_of(errors)
    intake.given = sorted({source.table for source in files})
    _make_read_views(con)
    return intake


def load_frozen(con: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> Intake:
    """Read the inputs that a round keeps, as ``read_inputs`` left them: rows in their stored order.

    ``files``: Parquet file by input table, and that of ``unreadable``. Row ids are new, files and
    record numbers unknown.
    """
    contracts = {name: TableContract(name) for name in TABLES}
    _create_tables(con, contracts)
    given = sorted(set(files) - {"unreadable"})
    for name in given:
        columns = ", ".join(contracts[name].types)
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
    _make_read_views(con)
    return Intake(given=given)


def _create_tables(con: duckdb.DuckDBPyConnection, contracts: dict[str, TableContract]) -> None:
    for contract in contracts.values():
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


def _read_file(
    con: duckdb.DuckDBPyConnection,
    contract: TableContract,
    source: SourceFile,
    number: int,
    key: bytes,
    intake: Intake,
    told: Callable[[], None],
) -> None:
    """Read one file into ``raw_<table>``, ``unreadable`` and ``cell_findings``.

    ``told`` is called after each batch: whoever watches may cancel there.
    """
    digest, header, batches = open_file(source)
    _check_header(contract, source, header)
    extra = [name for name in header if name not in contract.types]
    if extra:
        intake.left_out[source.path.name] = extra
        intake.notes.append(f"{source.path.name}: columns left out: {', '.join(extra)}")
    first = sum(file["rows"] for file in intake.files if file["table"] == source.table)
    rows = 0
    store = _Store(con, contract, number, key)
    for batch in _guard(source, batches):
        text = _as_contract(contract, batch).with_row_index("row_id", offset=first + rows)
        store.add(text.with_columns(pl.col("row_id").cast(pl.Int64)), len(header))
        rows += batch.height
        told()
    con.execute(
        "INSERT INTO source_files VALUES (?, ?, ?)", [number, source.table, source.path.name]
    )
    intake.files.append(
        {
            "table": source.table,
            "file": source.path.name,
            "sha256": digest,
            "bytes": source.size,
            "rows": rows,
        }
    )


def _check_header(contract: TableContract, source: SourceFile, header: list[str]) -> None:
    missing = [name for name in contract.required if name not in header]
    if missing:
        raise DataError(
            "The header lacks columns that the table must have.",
            where=f"{source.path}, record 1",
            # only names of the table: a file without its header has people in its first row
            found=", ".join(name for name in header if name in contract.types)
            or phrase("none of them"),
            expected=", ".join(missing),
            do=phrase(
                "Add the missing columns; the table `{table}` is described in the README.",
                table=contract.name,
            ),
        )


def _guard(source: SourceFile, batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Turn an error of the reader into one that names the file."""
    try:
        yield from batches
    except pl.exceptions.PolarsError as error:
        raise DataError(
            "The file cannot be read as a table.",
            where=str(source.path),
            found=str(error).splitlines()[0],
            do="Export the file again.",
        ) from error


def _as_contract(contract: TableContract, batch: pl.DataFrame) -> pl.DataFrame:
    """Return the batch with the contract's columns, those that the file lacks empty."""
    return batch.select(
        "record",
        "fields",
        *[
            pl.col(name) if name in batch.columns else pl.lit(None, pl.String).alias(name)
            for name in contract.types
        ],
    )


class _Store:
    """Judges batches of text rows of one file and puts them where they belong."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, contract: TableContract, file_no: int, key: bytes
    ) -> None:
        self.con = con
        self.contract = contract
        self.file_no = file_no
        self.key = key
        self.insert = _insert_statement(contract)
        self.pads = pads(key)

    def add(self, text: pl.DataFrame, columns: int) -> None:
        """Judge one batch and store each row once."""
        typed = cast_cells(self.contract, text)
        findings = find_wrong_cells(self.contract, text, typed, columns)
        if findings.is_empty():
            self._insert_rows(typed)
            return
        wrong = findings.select("row_id").unique()
        self._insert_rows(typed.join(wrong, on="row_id", how="anti", maintain_order="left"))
        self._insert_unreadable(text.join(wrong, on="row_id", how="semi", maintain_order="left"))
        self._append("cell_findings", findings)

    def _insert_rows(self, typed: pl.DataFrame) -> None:
        inner, outer = self.pads
        self.con.register("batch", _in_pieces(typed))
        values: dict[str, Any] = {"file_no": self.file_no}
        if self.contract.identifiers:
            values |= {"inner": inner, "outer": outer}
        self.con.execute(self.insert, values)
        self.con.unregister("batch")

    def _insert_unreadable(self, text: pl.DataFrame) -> None:
        """Keep the rows as text, with pseudonyms for identifiers wherever they stand: in a row of
        wrong length the cells may have slipped, and any of them may be somebody's number.
        """
        slipped = pl.col("fields").is_not_null()
        is_college = pl.col("college_id").str.contains(_SURELY_A_COLLEGE).fill_null(False)
        hidden = text.with_columns(
            pl.when(
                (slipped & ~is_college)
                if name == "college_id"
                else (slipped | pl.lit(name in self.contract.identifiers))
            )
            .then(pl.col(name).map_elements(self._pseudonym, return_dtype=pl.String))
            .otherwise(pl.col(name))
            .alias(name)
            for name in self.contract.types
        )
        person = self.contract.identifiers[0] if self.contract.identifiers else None
        self._append(
            "unreadable",
            hidden.select(
                pl.lit(self.contract.name).alias("table_name"),
                "row_id",
                pl.lit(self.file_no, pl.Int32).alias("file_no"),
                "record",
                pl.when(
                    pl.when(slipped)
                    .then(pl.col("college_id").str.contains(_SURELY_A_COLLEGE))
                    .otherwise(pl.col("college_id").str.contains(COLLEGE_ID))
                )
                .then(pl.col("college_id"))
                .alias("college_id"),
                pl.col(person).alias("person_id")
                if person
                else pl.lit(None, pl.String).alias("person_id"),
                pl.struct(list(self.contract.types)).struct.json_encode().alias("cells"),
            ),
        )

    def _pseudonym(self, identifier: str) -> str:
        return pseudonym(self.key, identifier)

    def _append(self, table: str, rows: pl.DataFrame) -> None:
        self.con.register("batch", rows.to_arrow())
        self.con.execute(f"INSERT INTO {table} SELECT * FROM batch")
        self.con.unregister("batch")


def _in_pieces(rows: pl.DataFrame) -> pyarrow.Table:
    """Return the rows as Arrow without copying text, in pieces that DuckDB's threads share."""
    whole = rows.to_arrow(compat_level=pl.CompatLevel.newest())
    return pyarrow.Table.from_batches(whole.to_batches(max_chunksize=_PIECE_ROWS), whole.schema)


def _insert_statement(contract: TableContract) -> str:
    """The INSERT of one batch; an identifier becomes its HMAC (RFC 2104) inside the SELECT."""
    columns = [
        f"left(sha256($outer || unhex(sha256($inner || encode({name})))), {LENGTH})"
        if name in contract.identifiers
        else name
        for name in contract.types
    ]
    listed = ", ".join(["row_id", "CAST($file_no AS INTEGER)", "record", *columns])
    return f"INSERT INTO raw_{contract.name} SELECT {listed} FROM batch"


def cast_cells(contract: TableContract, text: pl.DataFrame) -> pl.DataFrame:
    """Return ``row_id``, ``record`` and the typed columns; a cell that does not have the stated
    form becomes null. Forms: INTEGER, DATE, NUMBER, ``true`` / ``false``.
    """
    return text.select(
        "row_id", "record", *[_cast(name, dtype) for name, dtype in contract.types.items()]
    )


def _cast(name: str, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(name)
    match dtype.base_type():
        case pl.Date:
            return (
                pl.when(cell.str.contains(DATE)).then(cell).str.to_date("%Y-%m-%d", strict=False)
            ).alias(name)
        case pl.Int64:
            return (
                pl.when(cell.str.contains(INTEGER))
                .then(cell)
                .cast(pl.Int64, strict=False)
                .alias(name)
            )
        case pl.Boolean:
            return cell.replace_strict(
                {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
            ).alias(name)
        case pl.Decimal:
            return (
                pl.when(cell.str.contains(NUMBER)).then(cell).cast(dtype, strict=False).alias(name)
            )
        case _:
            return cell


def find_wrong_cells(
    contract: TableContract, text: pl.DataFrame, typed: pl.DataFrame, columns: int
) -> pl.DataFrame:
    """Return a frame of findings (check_name, table_name, row_id, column_name, found, expected):
    rows of wrong length, cells that could not be cast, cells that Pandera refuses.
    """
    found = [
        _wrong_lengths(contract, text, columns),
        *_failed_casts(contract, text, typed),
        _failed_checks(contract, typed),
        wrong_control_digits(contract.name, contract.identifiers, typed),
    ]
    findings = pl.concat([frame for frame in found if not frame.is_empty()] or [_no_findings()])
    if findings.is_empty():
        return findings
    slipped = text.filter(pl.col("fields").is_not_null()).select("row_id")
    whole = findings.join(slipped, on="row_id", how="anti").unique(
        ["row_id", "column_name"], keep="first", maintain_order=True
    )
    rows = findings.filter(pl.col("check_name") == "wrong_field_count")
    return pl.concat([rows, whole], rechunk=True).with_columns(
        found=pl.when(pl.col("column_name").is_in(contract.identifiers))
        .then(pl.format("({} characters)", pl.col("found").str.len_chars().fill_null(0)))
        .otherwise(pl.col("found").str.slice(0, 100))
    )


def _no_findings() -> pl.DataFrame:
    return pl.DataFrame(schema=_FINDING)


def _wrong_lengths(contract: TableContract, text: pl.DataFrame, columns: int) -> pl.DataFrame:
    return text.filter(pl.col("fields").is_not_null()).select(
        pl.lit("wrong_field_count").alias("check_name"),
        pl.lit(contract.name).alias("table_name"),
        "row_id",
        pl.lit("").alias("column_name"),
        pl.col("fields").cast(pl.String).alias("found"),
        pl.lit(f"{columns} fields").alias("expected"),
    )


def _failed_casts(
    contract: TableContract, text: pl.DataFrame, typed: pl.DataFrame
) -> list[pl.DataFrame]:
    """Return the findings of cells that have text but no value of their type."""
    frames = []
    for name, dtype in contract.types.items():
        if dtype == pl.String or text[name].null_count() == typed[name].null_count():
            continue
        lost = text.filter(text[name].is_not_null() & typed[name].is_null())
        frames.append(
            lost.select(
                pl.lit(_CAST_CHECKS[dtype.base_type()]).alias("check_name"),
                pl.lit(contract.name).alias("table_name"),
                "row_id",
                pl.lit(name).alias("column_name"),
                pl.col(name).alias("found"),
                pl.lit(contract.expected(name)).alias("expected"),
            )
        )
    return frames


def _failed_checks(contract: TableContract, typed: pl.DataFrame) -> pl.DataFrame:
    """Return the findings of cells that the Pandera model refuses."""
    try:
        contract.schema.validate(typed.select(list(contract.types)), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return _no_findings()
    expected = {name: contract.expected(name) for name in cases["column"].unique()}
    checks = {
        case: "missing_value" if case == "not_nullable" else _PANDERA_CHECKS[case.split("(")[0]]
        for case in cases["check"].unique()
    }
    is_missing = pl.col("check") == "not_nullable"
    frame: pl.DataFrame = cases.select(
        pl.col("check").replace_strict(checks, return_dtype=pl.String).alias("check_name"),
        pl.lit(contract.name).alias("table_name"),
        typed["row_id"].gather(cases["index"]).alias("row_id"),
        pl.col("column").alias("column_name"),
        pl.when(is_missing).then(pl.lit("")).otherwise(pl.col("failure_case")).alias("found"),
        pl.col("column").replace_strict(expected, return_dtype=pl.String).alias("expected"),
    )
    return frame


def _make_read_views(con: duckdb.DuckDBPyConnection) -> None:
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
