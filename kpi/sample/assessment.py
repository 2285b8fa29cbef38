"""The synthetic national assessment: one workbook a region in the form of the assessment template.

Cells, words and headers stand as staff fill them in: decimal commas, dashes, ``#ДЕЛ/0!``,
fractions such as 1/7, cells left blank. ``long_table`` is what intake must make of them. Points are
drawn: how they follow from values, and a college's total from them, is not published.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.random import Generator

from kpi.sample.campuses import make_campuses
from kpi.sample.codes import COLUMNS
from kpi.sample.drawing import sigmoid, stream
from kpi.sample.rows import Floats, Ints
from kpi.sample.targets import FULL_COLLEGES, FULL_STUDENTS, check_size
from kpi.sample.world import World, make_world
from kpi.sample.writing import Progress, college_columns, make_names, write
from kpi.templates import NAME, Column, Template, template_of

LAYOUT = NAME
YEAR = 2025
_BLANK = 0.02
"""Share of counts that are left empty."""
_MEANS = {
    "teachers": 34.0,
    "labs": 7.0,
    "special_teachers": 11.0,
    "admitted": 45.0,
    "cohort": 38.0,
    "zm_students": 30.0,
    "zm_admitted": 20.0,
    "zm_cohort": 9.0,
    "mini_enterprise_income": 900_000.0,
    "sponsor_funds": 1_500_000.0,
}
_OTHER_MEAN = 1.2
"""Illustrative means of counts; those that are a part of another are drawn from it."""
_TEXTS = {"attestation": ["с 1-го раза", "со 2-го раза"]}
_TEXT_ELSE = ["true", "false", "призовое место"]

Cells = dict[int, Floats]
"""Values by place of the template, shape (rows,) each; NaN where empty, a text by its position."""


@dataclass(frozen=True)
class Assessed:
    """What was drawn. ``register`` has the columns of colleges.csv.

    ``rows`` stand in the order of the files, a college's before those of its specialties: unit,
    region (place in the reference), college_id, name, specialty, label (the specialty's code and
    name), and a text column per place of the template, as the data contract writes values.
    """

    template: Template
    regions: list[str]
    register: list[pl.Series]
    rows: pl.DataFrame


def write_assessment_sample(
    folder: Path,
    *,
    colleges: int = FULL_COLLEGES,
    students: int = FULL_STUDENTS,
    seed: int = 1,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``colleges.csv`` and one workbook a region; return the files written.

    The colleges are those of the plain sample of the same size and seed. Raises ValueError for
    sizes too small.
    """
    tell = progress or (lambda _: None)
    drawn = draw_assessment(colleges, students, seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [write(folder, "colleges", drawn.register, tell)]
    rng = stream(seed, "filling")
    for region, name in enumerate(drawn.regions):
        rows = drawn.rows.filter(pl.col("region") == region)
        paths.append(folder / f"{name} {YEAR}-{YEAR + 1}.xlsx")
        _write_workbook(paths[-1], drawn.template, rows, name, rng)
        tell(f"{paths[-1].name}: {rows.height} rows")
    return paths


def long_table(drawn: Assessed) -> pl.DataFrame:
    """Return the rows of ``assessments`` that the workbooks hold: college_id, specialty,
    indicator, value, points, max_points, as text, in order of these.
    """
    parts = [
        drawn.rows.select(
            "college_id",
            "specialty",
            pl.lit(column.indicator).alias("indicator"),
            pl.lit("points" if column.is_points else "value").alias("cell"),
            pl.col(str(column.place)).alias("text"),
        )
        for column in drawn.template.columns
        if column.kind != "id"
    ]
    key = ["college_id", "specialty", "indicator"]
    filled = pl.concat(parts).drop_nulls("text").group_by(key)
    cells = [
        pl.col("text").filter(pl.col("cell") == cell).first().alias(cell)
        for cell in ("value", "points")
    ]
    return filled.agg(cells).with_columns(max_points=pl.lit(None, pl.String)).sort(pl.all())


# --------------------------------------------------------------------------------------- drawing


def draw_assessment(colleges: int, students: int, seed: int) -> Assessed:
    """Draw the assessment of every active college and its specialties. Raises ValueError for sizes
    too small.
    """
    check_size(colleges, students)
    world = make_world(colleges, students, seed)
    campuses = make_campuses(stream(seed, "campuses"), world)
    names = make_names(stream(seed, "ids"), world, campuses, people=1)
    register = college_columns(world, campuses, names)
    rows = _draw_rows(
        stream(seed, "assessment"), world, template := template_of(dt.date(YEAR, 10, 1))
    )
    codes = names.specialties.gather(rows["line_specialty"])
    labels = _labels().join(pl.DataFrame({"specialty": codes}), on="specialty", how="right")
    return Assessed(
        template,
        world.ref.regions["name_ru"].to_list(),
        register,
        rows.with_columns(
            region=pl.Series(world.units.region[rows["unit"].to_numpy()]),
            college_id=names.campuses.gather(rows["unit"]),
            name=register[COLUMNS["colleges"].index("name_ru")].gather(rows["unit"]),
            specialty=codes,
            label=labels["name_ru"],
        ),
    )


def _labels() -> pl.DataFrame:
    from kpi.resources import data_folder

    path = data_folder() / "reference" / "specialties.csv"
    return pl.read_csv(path, infer_schema=False).select("specialty", "name_ru")


def _draw_rows(rng: Generator, world: World, template: Template) -> pl.DataFrame:
    """Return unit, line_specialty (null in a college's row) and the cells as text."""
    units, lines = world.units, world.lines
    active = np.arange(units.count - 1)  # the last one is closed
    taught = np.flatnonzero(lines.unit < units.count - 1)
    unit = lines.unit[taught]
    own = _draw_cells(rng, template, "college", units.quality[active], units.size[active])
    of_lines = _draw_cells(rng, template, "specialty", units.quality[unit], lines.students[taught])
    place = {column.code: column.place for column in template.columns if column.kind == "total"}
    points = np.array(template.points_places)
    total = _sum(of_lines, points)
    of_lines[place["specialty_total"]] = total
    mean = np.bincount(unit, weights=total) / np.bincount(unit)
    own[place["college_total"]] = _halves_up(_sum(own, points) + mean, 1)
    frames = [
        _as_text(template, own).with_columns(unit=active, line_specialty=pl.lit(None, pl.Int64)),
        _as_text(template, of_lines).with_columns(
            unit=unit, line_specialty=lines.specialty[taught]
        ),
    ]
    return pl.concat(frames).sort("unit", "line_specialty", nulls_last=False)


def _draw_cells(rng: Generator, template: Template, row: str, quality: Floats, size: Ints) -> Cells:
    """Draw the cells of the rows of colleges or of specialties. Shape (rows,) each."""
    columns = [column for column in template.columns if column.row == row]
    counts = _draw_counts(rng, columns, quality, size)
    cells: Cells = {}
    for column in columns:
        if column.kind in ("count", "fraction", "tenge"):
            cells[column.place] = counts[column.code]
        elif column.kind == "percent" and column.part and column.whole:
            with np.errstate(divide="ignore", invalid="ignore"):
                share = 100 * counts[column.part] / counts[column.whole]
            cells[column.place] = _halves_up(np.where(np.isfinite(share), share, np.nan), 1)
        elif column.kind == "percent":
            drawn = 100 * sigmoid(1.2 + 0.5 * quality + rng.normal(0, 0.5, len(quality)))
            cells[column.place] = _halves_up(drawn, 1)
        elif column.kind == "points":
            best = rng.integers(1, 6)
            drawn = best * sigmoid(0.9 * quality + rng.normal(0, 1, len(quality)))
            cells[column.place] = np.floor(2 * drawn + 0.5) / 2
        elif column.kind in ("flag", "text"):
            choices = 2 if column.kind == "flag" else len(_texts(column))
            cells[column.place] = rng.integers(0, choices, len(quality)).astype(np.float64)
    return cells


def _draw_counts(
    rng: Generator, columns: list[Column], quality: Floats, size: Ints
) -> dict[str, Floats]:
    """Draw counts by code: wholes first, then their parts, some of both left empty."""
    part_of = {c.part: c.whole for c in columns if c.part and c.whole}
    counted = [c for c in columns if c.kind in ("count", "fraction", "tenge")]
    counts: dict[str, Floats] = {}
    for column in counted:
        if column.code == "contingent":
            drawn = size
        elif column.code == "design_capacity":
            drawn = np.ceil(size * rng.uniform(1.0, 1.6, len(size)) / 10) * 10
        elif column.code in part_of:
            continue
        else:
            drawn = rng.poisson(_MEANS.get(column.code, _OTHER_MEAN), len(size))
        counts[column.code] = drawn.astype(np.float64)
    chance = sigmoid(0.8 + 0.7 * quality)
    for part, whole in part_of.items():
        if part not in counts and whole in counts:
            counts[part] = rng.binomial(counts[whole].astype(np.int64), chance).astype(np.float64)
    return {
        code: np.where(rng.random(len(size)) < _BLANK, np.nan, values)
        for code, values in counts.items()
    }


def _sum(cells: Cells, places: Ints) -> Floats:
    total: Floats = np.sum([cells[place] for place in places if place in cells], axis=0)
    return total


def _halves_up(values: Floats, places: int) -> Floats:
    rounded: Floats = np.floor(values * 10**places + 0.5) / 10**places
    return rounded


def _texts(column: Column) -> list[str]:
    return _TEXTS.get(column.code, _TEXT_ELSE)


def _as_text(template: Template, cells: Cells) -> pl.DataFrame:
    """Return the cells as the data contract writes them; places that are not drawn are empty."""
    height = len(next(iter(cells.values())))
    nothing = np.full(height, np.nan)
    return pl.DataFrame(
        {
            str(column.place): _written(column, cells.get(column.place, nothing))
            for column in template.columns
            if column.kind != "id"
        }
    )


def _written(column: Column, values: Floats) -> pl.Series:
    series = pl.Series(values).fill_nan(None)
    if column.kind in ("flag", "text"):
        texts = ["false", "true"] if column.kind == "flag" else _texts(column)
        return pl.Series(texts).gather(series.cast(pl.Int64))
    return series.cast(pl.String).str.strip_suffix(".0")


# --------------------------------------------------------------------------------------- writing

_QUOTES = (("«", "»"), ('"', '"'), ("“", "”"), ("", ""))
_DASHES = (" – ", " - ", " — ", " ")
_NOTHING = ("", "", "-", "–", "—", "#ДЕЛ/0!")
_BLOCKS = {6: "ИНФРАСТРУКТУРА", 33: "КАДРЫ", 46: "СПЕЦИАЛЬНОСТИ", 113: "ИТОГИ"}
_HEADER_ROWS = 4


def _write_workbook(
    path: Path, template: Template, rows: pl.DataFrame, region: str, rng: Generator
) -> None:
    """Write one region's workbook: four rows of header, some of it merged, then the rows."""
    import xlsxwriter

    book = xlsxwriter.Workbook(path)
    book.set_properties({"created": dt.datetime(YEAR, 9, 1)})
    sheet = book.add_worksheet("Шаблон")
    _write_header(sheet, book.add_format({"bold": True, "text_wrap": True}), template, region)
    for at, cells in enumerate(_filled_rows(template, rows, region, rng), start=_HEADER_ROWS):
        sheet.write_row(at, 0, cells)
    sheet.freeze_panes(_HEADER_ROWS, 4)
    book.close()


def _write_header(sheet: Any, bold: Any, template: Template, region: str) -> None:
    last = len(template.columns) - 1
    sheet.merge_range(0, 0, 0, last, f"Оценка колледжей, {region}, {YEAR}-{YEAR + 1}", bold)
    starts = [*_BLOCKS, last + 1]
    for first, after in pairwise(starts):
        sheet.merge_range(1, first, 1, after - 1, _BLOCKS[first], bold)
    for column in template.columns:
        if column.kind == "id" and column.place < min(_BLOCKS):
            sheet.merge_range(1, column.place, 2, column.place, column.label, bold)
        else:
            sheet.write(2, column.place, column.label, bold)
        sheet.write(3, column.place, column.place + 1, bold)


def _filled_rows(
    template: Template, rows: pl.DataFrame, region: str, rng: Generator
) -> Iterator[list[str | float | None]]:
    """Yield each row's cells as somebody fills them in; no two somebodies do it alike."""
    kinds = [column.kind for column in template.columns]
    cohort = {
        column.place: next(c.place for c in template.columns if c.code == column.whole)
        for column in template.columns
        if column.kind == "fraction"
    }
    for number, row in enumerate(rows.iter_rows(named=True), start=1):
        ways = rng.integers(0, 12, len(kinds)).tolist()
        quotes, dash = _QUOTES[ways[0] % len(_QUOTES)], _DASHES[ways[1] % len(_DASHES)]
        cells: list[str | float | None] = [number, region, None, row["name"]]
        if ways[2] == 0:  # the same name in other signs and letters
            cells[3] = row["name"].upper().replace("№ ", "№")
        cells += ["коммунальная", "город"]
        for place in range(len(cells), len(kinds)):
            if kinds[place] == "id":
                told = f"{quotes[0]}{row['label']}{quotes[1]}"
                cells.append(f"{row['specialty']}{dash}{told}" if row["specialty"] else None)
                continue
            text = row[str(place)]
            if text is None:
                is_of_row = bool(row["specialty"]) == (template.columns[place].row == "specialty")
                cells.append(_NOTHING[ways[place] % len(_NOTHING)] if is_of_row else None)
            elif place in cohort and row[str(cohort[place])] and ways[place] < 3:
                cells.append(f"{text}/{row[str(cohort[place])]}")
            else:
                cells.append(_typed(text, kinds[place], ways[place]))

        yield cells


def _typed(text: str, kind: str, way: int) -> str | float:
    """Return a cell as a number or a text, with a decimal comma or a percent sign."""
    if kind == "flag" or text in ("true", "false"):
        told = "да" if text == "true" else "нет"
        return told.capitalize() if way == 0 else told
    if kind == "text":
        return text
    if way % 2:
        return float(text)
    return text.replace(".", ",") + (" %" if kind == "percent" and way == 0 else "")
