"""Planting wrong rows in a written sample: which rows may be spoiled, and how the files change."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import polars as pl
from numpy.random import Generator

from kpi.sample.codes import COLUMNS

Row = dict[str, str]
Change = Callable[[Row], str]

COUNT_ON = "2025-10-01"
COHORT = ("2024-09-01", "2025-08-31")
MIN_STUDENTS = 300
MIN_COLLEGES = 20


def table_of(source: str) -> str:
    """Return the table of a kind of rows, ``students`` of ``students:left``."""
    return source.partition(":")[0]


@dataclass
class Planter:
    """Picks untouched rows, spread over colleges, and keeps what was changed and why.

    ``frames`` hold the rows that may be spoiled, each with its ``record`` number (the header is 1).
    """

    rng: Generator
    frames: dict[str, pl.DataFrame]
    rows_in: dict[str, int]
    colleges: Iterator[str]
    how_many: int
    used: set[tuple[str, int]] = field(default_factory=set)
    spoiled: set[str] = field(default_factory=set)  # colleges whose rows count for nobody
    edits: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    added: list[tuple[str, list[str]]] = field(default_factory=list)
    defects: list[tuple[str, int, str, str, str, str]] = field(default_factory=list)

    def take(self, source: str, needs: str | None = None) -> tuple[int, Row]:
        """Take a row of the next college that has one, with the column ``needs`` not empty."""
        table = table_of(source)
        for _ in range(self.how_many):
            rows = self.frames[source].filter(pl.col("college_id") == self.next_college())
            if needs is not None:
                rows = rows.filter(pl.col(needs).is_not_null())
            for at in self.rng.permutation(rows.height):
                row = rows.row(int(at), named=True)
                record = int(row.pop("record"))
                if (table, record) not in self.used:
                    self.used.add((table, record))
                    return record, {name: value or "" for name, value in row.items()}
        raise ValueError(f"defects: the sample is too small, no row left in {source}")

    def next_college(self) -> str:
        """Return the next college whose own row is right."""
        return next(college for college in self.colleges if college not in self.spoiled)

    def spoil(self, source: str, column: str, check: str, change: str | Change) -> None:
        """Change one cell of a row."""
        table = table_of(source)
        record, row = self.take(source, column)
        if table == "colleges":
            self.spoiled.add(row["college_id"])
        value = change if isinstance(change, str) else change(row)
        row[column] = value
        self.edits[table, record] = [row[name] for name in COLUMNS[table]]
        self.note(table, record, column, check, row["college_id"], value)

    def cut(self, table: str) -> None:
        """Cut the last two fields off a row."""
        record, row = self.take(table)
        cells = [row[name] for name in COLUMNS[table]][:-2]
        self.edits[table, record] = cells
        self.note(table, record, "", "wrong_field_count", row["college_id"], str(len(cells)))

    def add(self, table: str, row: Row) -> int:
        """Add a row at the end of the file and return its record number."""
        self.added.append((table, [row[name] for name in COLUMNS[table]]))
        return 1 + self.rows_in[table] + sum(name == table for name, _ in self.added)

    def repeat(self, source: str) -> None:
        """Add an exact copy of a row."""
        table = table_of(source)
        record, row = self.take(source)
        for at in (record, self.add(table, row)):
            self.note(table, at, "", "repeated_key", row["college_id"], "")

    def another_college(self, row: Row) -> str:
        """Return a college that the row is not of."""
        while (college := self.next_college()) == row["college_id"]:
            continue
        return college

    def sign_for(self, source: str, check: str, column: str, **days: str) -> None:
        """Give a running agreement to the student of a row of ``source``; ``days`` are its own."""
        _, student = self.take(source)
        record, row = self.take("dual_agreements:running")
        row |= {"student_id": student["student_id"], "college_id": student["college_id"], **days}
        self.edits["dual_agreements", record] = [row[name] for name in COLUMNS["dual_agreements"]]
        self.note("dual_agreements", record, column, check, row["college_id"], row[column])

    def same_person(self, source: str, column: str, check: str) -> None:
        """Add a row that puts the person of one row into another college as well."""
        table = table_of(source)
        record, row = self.take(source)
        _, elsewhere = self.take(source)
        while elsewhere["college_id"] == row["college_id"]:
            _, elsewhere = self.take(source)
        elsewhere = elsewhere | {column: row[column], "record_no": ""}
        if "certificate_id" in elsewhere:
            elsewhere["certificate_id"] = ""
        added = self.add(table, elsewhere)
        for at, college in ((record, row["college_id"]), (added, elsewhere["college_id"])):
            self.note(table, at, column, check, college, row[column])

    def note(
        self, table: str, record: int, column: str, check: str, college: str, value: str
    ) -> None:
        """Write a defect down; ``college`` is what the row itself says."""
        self.defects.append((table, record, column, check, college, value))


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Read the five tables as text, with record numbers from 2."""
    return {
        table: pl.read_csv(folder / f"{table}.csv", infer_schema=False).with_row_index(
            "record", offset=2
        )
        for table in COLUMNS
    }


def spoilable(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the rows that can be spoiled without making another row wrong.

    Students: one row only, no agreement; ``students`` are counted, ``students:evening`` of these
    are not full-time, ``students:left`` dropped out by then, ``students:graduated`` graduated in
    the same specialty. Graduates: the cohort of 2025; ``graduates:employed`` have a dated, accepted
    employment. Agreements: the only one of their student; ``dual_agreements:running`` are in force.
    Accreditations: of programmes.
    """
    students, agreements = tables["students"], tables["dual_agreements"]
    single = students.filter(pl.col("student_id").is_unique()).join(
        agreements, on="student_id", how="anti", maintain_order="left"
    )
    cohort = tables["graduates"].filter(
        pl.col("graduated_on").is_between(pl.lit(COHORT[0]), pl.lit(COHORT[1]))
    )
    colleges = tables["colleges"]
    here = pl.col("left_on").is_null() & (pl.col("enrolled_on") <= COUNT_ON)
    only = agreements.filter(pl.col("student_id").is_unique())
    owners = [*colleges["parent_id"].drop_nulls(), *colleges["successor_id"].drop_nulls()]
    return {
        "colleges": colleges.filter(~pl.col("college_id").is_in(owners)),
        "students": single.filter(here),
        "students:evening": single.filter(here & (pl.col("study_form") != "full_time")),
        "students:graduated": single.filter(pl.col("left_reason") == "graduated").join(
            cohort,
            left_on=["student_id", "college_id", "specialty"],
            right_on=["graduate_id", "college_id", "specialty"],
            how="semi",
            maintain_order="left",
        ),
        "students:left": single.filter(
            pl.col("left_reason").is_in(["expelled", "own_wish", "other"])
            & (pl.col("left_on") <= COUNT_ON)
        ),
        "graduates": cohort,
        "graduates:employed": cohort.filter(
            (pl.col("destination") == "employed")
            & (pl.col("destination_source") == "pension_contributions")
            & (pl.col("destination_on") <= COUNT_ON)
        ),
        "dual_agreements": only,
        "dual_agreements:running": only.filter(
            (pl.col("valid_from") <= COUNT_ON) & (pl.col("valid_to") >= COUNT_ON)
        ),
        "accreditations": tables["accreditations"].filter(pl.col("scope") == "programme"),
    }


def large_colleges(tables: dict[str, pl.DataFrame], rng: Generator) -> list[str]:
    """Return active units with more than 300 students, no branch and no merged college, shuffled.

    In a sample with fewer than twenty of them, the twenty largest.
    """
    colleges = tables["colleges"]
    plain = colleges.filter(
        (pl.col("status") == "active")
        & pl.col("parent_id").is_null()
        & ~pl.col("college_id").is_in(colleges["parent_id"].drop_nulls().to_list())
        & ~pl.col("college_id").is_in(colleges["successor_id"].drop_nulls().to_list())
    )
    counted = tables["students"].filter(
        (pl.col("enrolled_on") <= COUNT_ON)
        & (pl.col("left_on").is_null() | (pl.col("left_on") > COUNT_ON))
    )
    sizes = (
        plain.select("college_id")
        .join(counted.group_by("college_id").len(), on="college_id")
        .sort("len", "college_id", descending=True)
    )
    large = sizes.filter(pl.col("len") > MIN_STUDENTS)
    if large.height < MIN_COLLEGES:
        large = sizes.head(MIN_COLLEGES)
    ids = large["college_id"].to_list()
    return [ids[i] for i in rng.permutation(len(ids))]


def make_planter(folder: Path, rng: Generator) -> Planter:
    """Read a written sample, and return what spoils its rows."""
    tables = read_tables(folder)
    colleges = large_colleges(tables, rng)
    return Planter(
        rng=rng,
        frames=spoilable(tables),
        rows_in={table: frame.height for table, frame in tables.items()},
        colleges=cycle(colleges),
        how_many=len(colleges),
    )


def line_of(cells: list[str]) -> str:
    """Return a CSV line, quoted only where needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def rewrite(folder: Path, planter: Planter) -> None:
    """Put the changed and the added rows into the files."""
    for table in COLUMNS:
        path = folder / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            lines = file.readlines()
        for (where, record), cells in planter.edits.items():
            if where == table:
                lines[record - 1] = line_of(cells)
        lines += [line_of(cells) for where, cells in planter.added if where == table]
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
