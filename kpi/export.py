"""A round's tables as CSV files.

Every row carries the round, the version and, where it rests on illustrative rules, that word: a row
that is cut out and pasted elsewhere still says what it is. No table with one row a person is here.
"""

from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import polars as pl

from kpi.errors import CallError
from kpi.rounds import Round

TABLES = (
    "ranking",
    "kpi_values",
    "kpi_scores",
    "gates",
    "chances",
    "leaders",
    "sign_tests",
    "sign_totals",
    "treatment",
    "specialty_ranking",
    "funding",
    "funding_lines",
    "funding_totals",
    "funding_regions",
    "funding_administrators",
    "funding_months",
    "funding_passes",
    "guarantees",
    "decision_doubts",
    "gate_doubts",
    "region_kpis",
    "unit_profile",
    "unit_clusters",
    "unit_specialties",
    "cluster_profile",
    "peers",
    "peer_comparison",
    "employment_by_qualification",
    "region_employment_by_qualification",
    "expected_employment",
    "dual_colleges",
    "row_counts",
)

_FORMULA_STARTS = r"^[=+\-@\t\r\n]"


def export_round(of_round: Round, to: Path) -> list[Path]:
    """Write each table as ``<round>-<version>-<table>.csv`` and return the paths written.

    Raises CallError when the folder cannot be made.
    """
    make_folder(to)
    stem = f"{of_round.name}-{of_round.version}"
    tables = {name: of_round.table(name) for name in TABLES if of_round.has(name)}
    tables["findings"] = of_round.findings()
    colleges = of_round.table("colleges").select("college_id", "name_ru", "region")
    tables = {name: _marked(of_round, colleges, table) for name, table in tables.items()}
    paths = []
    for name, table in tables.items():
        paths.append(to / f"{stem}-{name}.csv")
        write_csv(table, paths[-1])
    return paths


def zipped(paths: Iterable[Path], target: Path) -> Path:
    """Pack files into one ZIP without their folders, and return it: the same files give the same
    bytes.
    """
    with ZipFile(target, "w", ZIP_DEFLATED) as packed:
        for path in sorted(paths):
            packed.writestr(ZipInfo(path.name), path.read_bytes(), ZIP_DEFLATED)
    return target


def make_folder(to: Path) -> None:
    """Make a folder to write to. Raises CallError when that cannot be done."""
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CallError(
            "The folder cannot be made.", where=str(to), found=error.strerror or str(error)
        ) from error


def _marked(of_round: Round, colleges: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Put the round, its version and the status of its rules before each row, and the college's
    name and region after its id, where it has none of its own.
    """
    marks = {
        "round": of_round.name,
        "version": of_round.version,
        "rules_status": of_round.methodology.status,
    }
    if "college_id" in table.columns and "name_ru" not in table.columns:
        place = table.columns.index("college_id") + 1
        added = [name for name in ("name_ru", "region") if name not in table.columns]
        columns = [*table.columns[:place], *added, *table.columns[place:]]
        told = colleges.select("college_id", *added)
        table = table.join(told, on="college_id", how="left", maintain_order="left")
        table = table.select(columns)
    return table.select(*(pl.lit(text).alias(name) for name, text in marks.items()), pl.all())


def write_csv(table: pl.DataFrame, path: Path) -> None:
    """Write CSV (UTF-8 with BOM, so that Excel knows it) whose text no spreadsheet runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    safe_text(table).write_csv(path, include_bom=True)


def safe_text(table: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    text = pl.col(pl.String)
    return table.with_columns(
        pl.when(text.str.contains(_FORMULA_STARTS))
        .then(pl.lit("'") + text)
        .otherwise(text)
        .name.keep()
    )
