"""A round's tables as CSV files and one plain XLSX workbook.

Every row carries the round, the version and, where it rests on illustrative rules, that word: a row
that is cut out and pasted elsewhere still says what it is. No table with one row a person is here.
"""

from pathlib import Path

import polars as pl

from kpi.errors import CallError
from kpi.rounds import Round

TABLES = (
    "ranking",
    "kpi_values",
    "kpi_scores",
    "gates",
    "specialty_ranking",
    "funding",
    "funding_lines",
    "funding_totals",
    "region_kpis",
    "unit_profile",
    "row_counts",
)
EXCEL_ROWS = 1_048_576
FORMATS = {"score": "0.00", "share": "0.00", "coefficient": "0.00000000", "threshold": "0.00"}

_FORMULA_STARTS = r"^[=+\-@\t\r]"


def export_round(of_round: Round, to: Path) -> list[Path]:
    """Write each table as ``<round>-<version>-<table>.csv`` and all of them as one workbook.

    Returns the paths written. Raises CallError when the folder cannot be written or a table is
    longer than a sheet of Excel.
    """
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CallError(
            "The folder cannot be made.", where=str(to), found=error.strerror or str(error)
        ) from error
    stem = f"{of_round.name}-{of_round.version}"
    tables = {name: of_round.table(name) for name in TABLES if of_round.has(name)}
    tables["findings"] = of_round.findings()
    colleges = of_round.table("colleges").select("college_id", "name_ru", "region")
    tables = {name: _marked(of_round, colleges, table) for name, table in tables.items()}
    paths = []
    for name, table in tables.items():
        paths.append(to / f"{stem}-{name}.csv")
        write_csv(table, paths[-1])
    paths.append(to / f"{stem}.xlsx")
    _write_workbook(tables, of_round, paths[-1])
    return paths


def _marked(of_round: Round, colleges: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Put the round, its version and the status of its rules before each row, and the college's
    name and region after its id.
    """
    marks = {
        "round": of_round.name,
        "version": of_round.version,
        "rules_status": of_round.methodology.status,
    }
    if "college_id" in table.columns and "name_ru" not in table.columns:
        place = table.columns.index("college_id") + 1
        columns = [*table.columns[:place], "name_ru", "region", *table.columns[place:]]
        table = table.join(colleges, on="college_id", how="left", maintain_order="left")
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


def _write_workbook(tables: dict[str, pl.DataFrame], of_round: Round, path: Path) -> None:
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties({"title": f"{of_round.name} {of_round.version}"})
        for name, table in tables.items():
            if table.height >= EXCEL_ROWS:
                raise CallError(
                    "A table is longer than a sheet of Excel can be.",
                    where=name,
                    found=f"{table.height:,} rows",
                    expected=f"fewer than {EXCEL_ROWS:,}",
                    do="Use the CSV file of this table.",
                )
            table.write_excel(
                workbook,
                worksheet=name,
                table_style="Table Style Light 1",
                freeze_panes=(1, 0),
                autofit=True,
                column_widths={name: 150 for name in table.columns if name.endswith("amount")},
                header_format={"bold": True},
                dtype_formats={pl.Float64: "0.0000", pl.Int64: "#,##0"},
                column_formats={
                    name: form for name, form in FORMATS.items() if name in table.columns
                },
            )
            sheet = workbook.get_worksheet_by_name(name)
            sheet.set_landscape()
            sheet.set_paper(9)  # A4
            sheet.fit_to_pages(1, 0)
            sheet.repeat_rows(0)
