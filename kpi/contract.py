"""One input table's Pandera model, in the form in which intake needs it."""

from functools import cached_property
from typing import Any

import polars as pl

from kpi.tables import BIN, COLLEGE_ID, TABLES


class TableContract:
    """One input table's Pandera model, in the form in which intake needs it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.model = TABLES[name]
        metadata = self.model.Config.metadata or {}
        self.identifiers: list[str] = metadata["identifiers"]
        self.key: list[str] = metadata["key"]
        self.own_numbers: list[str] = metadata.get("own_numbers", [])
        self.maybe_people: list[str] = metadata.get("maybe_people", [])

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

    @cached_property
    def long_numbers(self) -> list[str]:
        """Columns of people, colleges and employers, whose digits a spreadsheet may round."""
        is_long = {COLLEGE_ID, BIN}
        return [
            name
            for name, column in self.schema.columns.items()
            if name in self.identifiers
            or any(check.statistics.get("pattern") in is_long for check in column.checks)
        ]

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
