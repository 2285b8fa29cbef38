"""Writing: from columns of numbers to the five CSV files of the data contract."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator

from kpi.sample.campuses import MERGED_ON, Campuses
from kpi.sample.codes import AGENCIES, COLUMNS
from kpi.sample.ids import BODIES, PEOPLE, body_base, impossible_numbers, person_base
from kpi.sample.rows import NEVER, Array, Ints, Mask, Rows
from kpi.sample.world import World
from kpi.values import (
    ADMINISTRATORS,
    DESTINATION_SOURCES,
    DESTINATIONS,
    FUNDING_SOURCES,
    KINDS,
    LANGUAGES,
    LEFT_REASONS,
    LOCALITIES,
    OWNERSHIPS,
    SCOPES,
    STUDY_FORMS,
)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Names:
    """Texts that codes stand for: ids of people, campuses and employers, codes of the reference."""

    people: pl.Series
    campuses: pl.Series
    employers: pl.Series
    specialties: pl.Series
    qualifications: pl.Series


def make_names(rng: Generator, world: World, campuses: Campuses, people: int) -> Names:
    """Number people, colleges and employers: right control digits, impossible months."""
    units, ref, targets = world.units.count, world.ref, world.targets
    employers = targets.enterprises + len(ref.region_codes) * targets.other_employers
    heads = impossible_numbers(rng, partial(body_base, 0), BODIES, units + 1 + employers)
    branches = campuses.merged - units
    offices = impossible_numbers(rng, partial(body_base, 1), BODIES, branches)
    return Names(
        people=impossible_numbers(rng, person_base, PEOPLE, people),
        campuses=pl.concat([heads[:units], offices, heads[units : units + 1]]),
        employers=heads[units + 1 :],
        specialties=pl.Series(ref.specialties),
        qualifications=pl.Series(ref.qualifications),
    )


def texts(names: list[str] | pl.Series, codes: Array) -> pl.Series:
    """Return the names that codes stand for, empty where a code is negative. Shape (n,)."""
    return pl.Series(names, dtype=pl.String).gather(whole(codes))


def blank_where(series: pl.Series, mask: Mask) -> pl.Series:
    """Return the series with nulls where the mask is set."""
    return pl.select(pl.when(pl.Series(~mask)).then(series)).to_series()


def dates(days: Ints) -> pl.Series:
    """Return a date column of days since 1970-01-01, empty where NEVER."""
    return blank_where(pl.Series(days.astype(np.int32)).cast(pl.Date), days == NEVER)


def whole(values: Array) -> pl.Series:
    """Return a column of whole numbers, empty where negative."""
    return blank_where(pl.Series(values.astype(np.int64)), values < 0)


def numbered(prefix: str, count: int, width: int) -> pl.Series:
    """Return the texts prefix-0…01, prefix-0…02, … ."""
    number = pl.Series(np.arange(1, count + 1)).cast(pl.String).str.zfill(width)
    return pl.select(prefix + number).to_series()


def college_row(
    world: World, campuses: Campuses, ids: pl.Series, campus: int
) -> tuple[str | None, ...]:
    """Return the row of one campus in colleges.csv."""
    units, unit = world.units, int(campuses.unit[campus])
    merged, closed = campus == campuses.merged, campus == units.count - 1
    branch = campus >= units.count and not merged
    number = units.count + 1 if merged else unit + 1
    higher = bool(units.kind[unit]) and not merged
    region = world.ref.regions.row(int(units.region[unit]), named=True)
    kk, ru, en = (", филиалы", ", филиал", ", branch") if branch else ("", "", "")
    administrator = int(units.administrator[unit])
    return (
        ids[campus],
        ids[unit] if branch else None,
        f"№ {number} демо-{'жоғары ' * higher}колледж (шартты){kk}, {region['name_kk']}",
        f"Демо-{'высший ' * higher}колледж № {number} (условный){ru}, {region['name_ru']}",
        f"Demo {'Higher ' * higher}College No. {number} (synthetic){en}, {region['name_en']}",
        region["region"],
        KINDS[higher],
        OWNERSHIPS[units.ownership[unit]],
        LOCALITIES[int(units.rural[unit])],
        "merged" if merged else "closed" if closed else "active",
        ids[unit] if merged else None,
        MERGED_ON if merged else None,
        None if administrator < 0 else ADMINISTRATORS[administrator],
    )


def college_columns(world: World, campuses: Campuses, names: Names) -> list[pl.Series]:
    """Return colleges.csv: every name says in its language that the college is synthetic."""
    rows = [college_row(world, campuses, names.campuses, c) for c in range(len(campuses.unit))]
    columns = dict.fromkeys(COLUMNS["colleges"], pl.String)
    return pl.DataFrame(rows, schema=columns, orient="row").get_columns()


def student_columns(rows: Rows, names: Names) -> list[pl.Series]:
    """Return students.csv, ordered by campus and enrolment."""
    order = np.lexsort((rows["record"], rows["campus"]))
    get = {name: values[order] for name, values in rows.items()}
    return [
        texts(names.people, get["person"]),
        pl.Series(get["record"]).cast(pl.String),
        texts(names.campuses, get["campus"]),
        texts(names.specialties, get["specialty"]),
        texts(names.qualifications, get["qualification"]),
        whole(get["course"]),
        texts(STUDY_FORMS, get["form"]),
        texts(FUNDING_SOURCES, get["funding"]),
        dates(get["enrolled"]),
        dates(get["left"]),
        texts(LEFT_REASONS, get["reason"]),
        pl.Series(get["leave"]),
        pl.Series(get["needs"]),
        texts(LANGUAGES, get["language"]),
    ]


def agreement_columns(agreements: Rows, students: Rows, names: Names) -> list[pl.Series]:
    """Return dual_agreements.csv, ordered by campus and student."""
    student = agreements["student"]
    person, campus = students["person"][student], students["campus"][student]
    order = np.lexsort((agreements["begins"], person, campus))
    return [
        numbered("DA-", len(order), 7),
        texts(names.people, person[order]),
        texts(names.campuses, campus[order]),
        texts(names.employers, agreements["employer"][order]),
        dates(agreements["begins"][order]),
        dates(agreements["ends"][order]),
    ]


def graduate_columns(rows: Rows, names: Names) -> list[pl.Series]:
    """Return graduates.csv, ordered by campus, day of graduation and person."""
    order = np.lexsort((rows["person"], rows["graduated"], rows["campus"]))
    get = {name: values[order] for name, values in rows.items()}
    record = pl.Series(get["record"]).cast(pl.String)
    year = pl.Series(get["year"]).cast(pl.String).str.slice(2)
    certificate = whole(get["certificate"]).cast(pl.String)
    return [
        texts(names.people, get["person"]),
        (year + "-" + record).zip_with(pl.Series(get["year"] < 2025), record),
        texts(names.campuses, get["campus"]),
        texts(names.specialties, get["specialty"]),
        texts(names.qualifications, get["qualification"]),
        dates(get["graduated"]),
        texts(STUDY_FORMS, get["form"]),
        texts(FUNDING_SOURCES, get["funding"]),
        pl.Series(get["dual"]),
        texts(DESTINATIONS, get["destination"]),
        texts(DESTINATION_SOURCES, get["source"]),
        dates(get["destination_on"]),
        texts(names.employers, get["employer"]),
        texts(["false", "true"], get["in_specialty"]),
        whole(get["wage"]),
        "DC-" + year + "-" + certificate,
    ]


def accreditation_columns(rows: Rows, names: Names) -> list[pl.Series]:
    """Return accreditations.csv, in the order of the rows."""
    return [
        texts(names.campuses, rows["campus"]),
        texts(SCOPES, rows["scope"]),
        texts(names.specialties, rows["specialty"]),
        texts(AGENCIES, rows["agency"]),
        pl.Series(rows["international"]),
        numbered("REG-", len(rows["campus"]), 6),
        dates(rows["begins"]),
        dates(rows["ends"]),
    ]


def table_of(table: str, columns: list[pl.Series]) -> pl.DataFrame:
    """Return one table's columns, in the order of the data contract, under their names."""
    named = zip(columns, COLUMNS[table], strict=True)
    return pl.DataFrame([column.alias(name) for column, name in named])


def write(folder: Path, table: str, columns: list[pl.Series], progress: Progress) -> Path:
    """Write one table's columns, in the order of the data contract, as CSV."""
    path = folder / f"{table}.csv"
    frame = table_of(table, columns)
    frame.write_csv(path, line_terminator="\n")
    progress(f"{path.name}: {frame.height} rows")
    return path
