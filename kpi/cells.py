"""Single cells: their types by stated patterns, and what is wrong with them (DESIGN §4)."""

from collections.abc import Sequence

import pandera.polars as pa
import polars as pl

from kpi.contract import TableContract
from kpi.control_digits import WRONG_CONTROL_DIGIT, control_digit, wrong_control_digits
from kpi.masking import LONGEST, PERSON, masked, without_numbers
from kpi.reading.recoding import DAMAGED
from kpi.reading.table import HEADER_AGAIN, SLIPPED_ROW, STRAY_QUOTE

INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
NUMBER = r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$"

CELL_CHECKS = {
    "wrong_field_count": "The row has {found} fields. Check for a missing or an extra comma.",
    "repeated_header": "The row repeats the header. Take it out.",
    "stray_quote": "A quotation mark is out of place in this row. Close it, or take it away.",
    "slipped_row": "The cells of this row may stand in wrong columns. Put each in its own, then"
    " empty the message before them.",
    "missing_value": "{column} is empty. Fill it in.",
    "not_a_date": "{column} is {found}, which is no date. Write it as 2025-10-01.",
    "not_an_integer": "{column} is {found}, which is no whole number. Write digits only.",
    "not_a_boolean": "{column} is {found}. Use {expected}.",
    "not_a_number": "{column} is {found}, which is no number. Write it as 48.5.",
    "not_allowed": "{column} is {found}, which is not in its list of values. Use {expected}.",
    "wrong_form": "{column} is {found}, which does not have its form: {expected}.",
    "out_of_range": "{column} is {found}, which is out of range. Use {expected}.",
    "wrong_length": "{column} has a text that is empty or too long. Use {expected}.",
    WRONG_CONTROL_DIGIT: "{column} is a number that is never given out: its last digit does not fit"
    " the eleven before it. Copy it again from the person's document.",
    "damaged_number": "{column} is {found}: a spreadsheet has rounded the number, and its last"
    " digits are lost. Format the column as text, and export it again from the source.",
    "lost_zeros": "{column} is a number that has lost its first zeros in a spreadsheet. Format the"
    " column as text, and export it again from the source.",
    "damaged_text": "{column} holds characters that cannot be read. Export the file again.",
    "person_elsewhere": "{column} holds what looks like a person's number or name. Take it out of"
    " this column.",
    "unknown_college_name": "No college of the register is certainly {found}. Near are: {expected}."
    " Write the right id beside the name in college_names.csv, or correct the name.",
}
"""The checks of a single cell, each with the sentence that the user reads."""

OF_ROWS = ("wrong_field_count", "repeated_header", "stray_quote", "slipped_row")
"""Those of a row as a whole: its cells are judged no further."""

_PANDERA_CHECKS = {
    "isin": "not_allowed",
    "str_matches": "wrong_form",
    "in_range": "out_of_range",
    "greater_than_or_equal_to": "out_of_range",
    "str_length": "wrong_length",
}
_CAST_CHECKS = {
    pl.Date: "not_a_date",
    pl.Int64: "not_an_integer",
    pl.Boolean: "not_a_boolean",
    pl.Decimal: "not_a_number",
}
_FINDING = {
    "check_name": pl.String,
    "table_name": pl.String,
    "row_id": pl.Int64,
    "column_name": pl.String,
    "found": pl.String,
    "expected": pl.String,
}
_OF_A_DAY = r"^0[0-9](0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[056][0-9]{5}$"
"""An IIN of somebody born in 2000 to 2009: the day of birth, then 5 or 6, or 0 of a foreigner."""
_NAME = r"\p{Lu}\p{L}{2,}|\p{L}{2,}\s+\p{L}+"
_POWERS_OF_TEN = r"^[0-9]([.,][0-9]+)?[eE]\+?[0-9]+$"


def cast_cells(contract: TableContract, text: pl.DataFrame) -> pl.DataFrame:
    """Return ``row_id``, ``file_no``, ``record`` and the typed columns; a cell without the
    stated form becomes null. Forms: INTEGER, DATE, NUMBER, ``true`` / ``false``.
    """
    return text.select(
        "row_id",
        "file_no",
        "record",
        *[_cast(name, dtype) for name, dtype in contract.types.items()],
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
    contract: TableContract,
    text: pl.DataFrame,
    typed: pl.DataFrame,
    seen: Sequence[pl.DataFrame] = (),
) -> pl.DataFrame:
    """Return a frame of findings (check_name, table_name, row_id, column_name, found, expected):
    rows that are none, numbers and texts that were damaged on the way, cells that could not be
    cast, cells that Pandera refuses. One of a cell, the first; none of the cells of a row that is
    no row. What is shown of a cell is masked. ``seen`` are findings of the layout, which knows a
    cell as it stands in the file: they come before others of the same cell.
    """
    found = [
        _wrong_rows(contract, text),
        *(frame.select(*_FINDING) for frame in seen),
        *_damaged_numbers(contract, text),
        *_lost_zeros(contract, text),
        *_damaged_texts(contract, text),
        *_people_elsewhere(contract, text),
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
    rows = findings.filter(pl.col("check_name").is_in(OF_ROWS))
    cell = pl.col("found")
    of_people = bool(contract.identifiers)
    shown = masked(cell) if of_people else without_numbers(cell).str.slice(0, LONGEST)
    return pl.concat([rows, whole], rechunk=True).with_columns(
        found=pl.when(pl.col("column_name").is_in(contract.identifiers))
        .then(pl.format("({} characters)", cell.str.len_chars().fill_null(0)))
        .otherwise(shown)
    )


def _no_findings() -> pl.DataFrame:
    return pl.DataFrame(schema=_FINDING)


def _wrong_rows(contract: TableContract, text: pl.DataFrame) -> pl.DataFrame:
    fields = pl.col("fields")
    return text.filter(fields.is_not_null()).select(
        pl.when(fields == HEADER_AGAIN)
        .then(pl.lit("repeated_header"))
        .when(fields == STRAY_QUOTE)
        .then(pl.lit("stray_quote"))
        .when(fields == SLIPPED_ROW)
        .then(pl.lit("slipped_row"))
        .otherwise(pl.lit("wrong_field_count"))
        .alias("check_name"),
        pl.lit(contract.name).alias("table_name"),
        "row_id",
        pl.lit("").alias("column_name"),
        pl.when(fields > 0).then(fields.cast(pl.String)).otherwise(pl.lit("")).alias("found"),
        pl.format("{} fields", pl.col("width")).alias("expected"),
    )


def _damaged_numbers(contract: TableContract, text: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the findings of long numbers that a spreadsheet wrote as powers of ten."""
    return [
        _found(contract, rows, name, "damaged_number")
        for name in contract.long_numbers
        if (rows := text.filter(pl.col(name).str.contains(_POWERS_OF_TEN))).height
    ]


def _lost_zeros(contract: TableContract, text: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the findings of identifiers of 9 to 11 digits that are an IIN once zeros stand before
    them. A register's own number of that length is one in a thousand of cases: it must begin as a
    day of birth does, and end in the right control digit.
    """
    frames = []
    for name in contract.identifiers:
        short = text.filter(pl.col(name).str.contains("^[1-9][0-9]{8,10}$"))
        filled = short.with_columns(iin=pl.col(name).str.pad_start(12, "0"))
        of_a_day = filled.filter(pl.col("iin").str.contains(_OF_A_DAY))
        numbers = of_a_day["iin"].cast(pl.Int64).to_numpy()
        rows = of_a_day.filter(pl.Series(control_digit(numbers // 10) == numbers % 10))
        if rows.height:
            frames.append(_found(contract, rows, name, "lost_zeros"))
    return frames


def _damaged_texts(contract: TableContract, text: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the findings of cells with bytes that are no characters of the file's encoding."""
    suspects = text.filter("is_damaged")
    return [
        _found(contract, rows, name, "damaged_text")
        for name in contract.types
        if (rows := suspects.filter(pl.col(name).str.contains(DAMAGED, literal=True))).height
    ]


def _people_elsewhere(contract: TableContract, text: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the findings of numbers and names of people where the college's own numbers belong.

    A number of its own that has no digit is a name where a word of it begins with a capital, or
    where there are several. In a table of no people numbers alone are looked for, in every text.
    """
    if not contract.identifiers:
        texts = [name for name, dtype in contract.types.items() if dtype == pl.String]
        return [
            _found(contract, rows, name, "person_elsewhere")
            for name in texts
            if (rows := text.filter(pl.col(name).str.contains(PERSON))).height
        ]
    frames = []
    for name in contract.own_numbers:
        cell = pl.col(name)
        named = ~cell.str.contains("[0-9]") & cell.str.contains(_NAME)
        if (rows := text.filter(cell.str.contains(PERSON) | named)).height:
            frames.append(_found(contract, rows, name, "person_elsewhere"))
    return frames


def _found(contract: TableContract, rows: pl.DataFrame, name: str, check: str) -> pl.DataFrame:
    """Return a finding of one check for a cell of each row."""
    return rows.select(
        pl.lit(check).alias("check_name"),
        pl.lit(contract.name).alias("table_name"),
        "row_id",
        pl.lit(name).alias("column_name"),
        pl.col(name).alias("found"),
        pl.lit(contract.expected(name)).alias("expected"),
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
        frames.append(_found(contract, lost, name, _CAST_CHECKS[dtype.base_type()]))
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
