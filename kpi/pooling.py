"""A KPI pooled over several cohorts: this round's counts, and those of the rounds before it.

Where a methodology says ``pool_years``, a share is the sum of numerators over the sum of
denominators of up to so many consecutive cohorts. The counts of the cohorts before come from the
rounds that the store has published; they travel with the round as the reference table
``earlier_counts``, and the receipt names the rounds. The number of cohorts is the same for every
college, and each cohort is counted by the same definition and from the same sources.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from kpi import rounds
from kpi.errors import CallError, DataError, phrase
from kpi.methodology import Methodology, first_year, round_name
from kpi.pipeline import get_table, put_tables, rows_of, tables_read

EARLIER_COUNTS, PARAM_POOL = "earlier_counts", "param_pool"
EARLIER_SCHEMA: dict[str, Any] = {
    "round": pl.String,
    "kpi": pl.String,
    "college_id": pl.String,
    "numerator": pl.Decimal(18, 4),
    "denominator": pl.Decimal(18, 4),
}

Definition = dict[str, object]
"""What decides how a KPI is counted, by its name in words."""


@dataclass(frozen=True)
class Earlier:
    """What the rounds before counted for the pooled KPIs: a table of ``EARLIER_SCHEMA``, in order,
    and how the receipt names these rounds, the newest first.
    """

    counts: pl.DataFrame
    named: list[dict[str, str]]


@dataclass(frozen=True)
class Counted:
    """A round as far as it decides how people are counted: ``dates`` are those of the round."""

    round_id: str
    methodology: Methodology
    dates: Mapping[str, dt.date]
    sql: Path


def pooled_kpis(methodology: Methodology) -> dict[str, int]:
    """Return ``pool_years`` of each KPI that is pooled."""
    return {kpi.code: kpi.pool_years for kpi in methodology.kpis if kpi.pool_years}


def earlier_of(store: Path | None, now: Counted) -> Earlier | None:
    """Return what the published rounds before counted for the pooled KPIs; None where the
    methodology pools none.

    Of each academic year the newest published version is taken; at the first year that has none the
    row of cohorts ends. Raises CallError where such a round counted a KPI by another definition,
    DataError where its files are not those that were published.
    """
    pooled = pooled_kpis(now.methodology)
    if not pooled:
        return None
    found = list(enumerate(_rounds_before(store, now, max(pooled.values())), start=1))
    for back, version in found:
        _require_published(version)
        for kpi, years in pooled.items():
            if back < years:
                _require_same_definition(kpi, now, version)
    counts = [
        version.table("kpi_counts")
        .filter(pl.col("kpi").is_in([kpi for kpi, years in pooled.items() if back < years]))
        .select(
            pl.lit(version.name).alias("round"), "kpi", "college_id", "numerator", "denominator"
        )
        for back, version in found
    ]
    empty = pl.DataFrame(schema=EARLIER_SCHEMA)
    return Earlier(
        pl.concat([empty, *(rows.cast(pl.Schema(EARLIER_SCHEMA)) for rows in counts)]).sort(
            pl.all()
        ),
        [
            {
                "round": version.name,
                "version": version.version,
                "receipt_sha256": version.receipt_hash,
            }
            for _, version in found
        ],
    )


def _rounds_before(store: Path | None, now: Counted, years: int) -> Iterator[rounds.Round]:
    """Yield the newest published version of each academic year before, while there is one."""
    year = first_year(now.round_id)
    for back in range(1, years):
        version = rounds.published(store, round_name(year - back)) if store else None
        if version is None:
            return
        yield version


def _require_published(version: rounds.Round) -> None:
    if fault := next(rounds.published_faults(version), None):
        raise DataError(
            "A KPI is pooled with an earlier published round; its files are not those that were"
            " published.",
            where=str(version.path),
            found=fault,
            do=phrase(
                "See what `kpi verify {round}` says, and put the files back from a copy.",
                round=version.name,
            ),
        )


def _require_same_definition(kpi: str, now: Counted, version: rounds.Round) -> None:
    dates = version.receipt["dates"]
    days = {name: dt.date.fromisoformat(day) for name, day in dates.items()}
    then = Counted(version.name, version.methodology, days, version.sql)
    with duckdb.connect() as con:
        differs = _differing(definition_of(con, kpi, now), definition_of(con, kpi, then))
    if not differs:
        return
    raise CallError(
        phrase("The KPI {kpi} cannot be pooled: an earlier round counted it otherwise.", kpi=kpi),
        where=f"{version.name} {version.version}",
        found="".join(f"\n    {line}" for line in differs),
        expected="the same definition and sources in all years",
        do=phrase(
            "Run {round} again with this definition and publish it, or lower pool_years so that it"
            " is not reached.",
            round=version.name,
        ),
    )


def _differing(now: Definition, then: Definition) -> list[str]:
    """Return a line for each part of a definition that is not the same."""
    lines = []
    for part in [*now, *(part for part in then if part not in now)]:
        ours, theirs = now.get(part), then.get(part)
        if ours == theirs:
            continue
        if isinstance(ours, set) and isinstance(theirs, set):
            lines += [f"{part}: {one}, which counts no more" for one in sorted(theirs - ours)]
            lines += [f"{part}: without {one}, which counts now" for one in sorted(ours - theirs)]
        elif part.endswith(".sql"):
            lines.append(f"{part}: not the same text")
        else:
            lines.append(f"{part}: {theirs}; now {ours}")
    return lines


def definition_of(con: duckdb.DuckDBPyConnection, kpi: str, counted: Counted) -> Definition:
    """Return what decides how a KPI is counted: its own SELECT and the clean SELECTs behind it
    (without comments), and what these take from the methodology: kind, unit, sources, days.

    A day is stated as month-day, with the number of years from the round's first one. Of what no
    SELECT of the KPI names nothing is in it. Empty where the methodology has no such KPI. ``con``
    parses the SELECTs.
    """
    stated = {one.code: one for one in counted.methodology.kpis}.get(kpi)
    if stated is None:
        return {}
    return {"kind": stated.kind, **counted_by(con, "2_kpi", kpi, counted)}


def counted_by(
    con: duckdb.DuckDBPyConnection, folder: str, table: str, counted: Counted
) -> Definition:
    """Return the same of a SELECT of another folder of ``sql/`` that reads clean tables."""
    texts = _selects_behind(con, folder, table, counted.sql)
    whole = " ".join(texts.values())
    year = first_year(counted.round_id)
    definition: Definition = {"unit": counted.methodology.unit.value}
    if "param_source" in whole:
        definition["sources"] = {
            f"{accepted.destination} {source}"
            for accepted in counted.methodology.sources
            for source in accepted.sources
        }
    for name, day in counted.dates.items():
        if re.search(rf"\b{name}\b", whole):
            definition[name] = f"{day:%m-%d} of year {day.year - year:+d}"
    return definition | texts


def _selects_behind(
    con: duckdb.DuckDBPyConnection, folder: str, table: str, sql: Path
) -> dict[str, str]:
    """Return the text of a SELECT and of every clean SELECT behind it, by file; without comments,
    and with one space where there are several.
    """
    waiting = [sql / folder / f"{table}.sql"]
    found: dict[str, str] = {}
    while waiting:
        path = waiting.pop()
        name = f"{path.parent.name}/{path.name}"
        if name in found or not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        found[name] = " ".join(re.sub(r"--[^\n]*", "", text).split())
        waiting += [sql / "1_clean" / f"{one}.sql" for one in tables_read(con, text)]
    return dict(sorted(found.items()))


def pool_tables(
    round_id: str, methodology: Methodology, earlier: Earlier | None
) -> dict[str, pl.DataFrame]:
    """Return the tables ``earlier_counts`` and ``param_pool``: for each pooled KPI the number of
    cohorts, the first round of them, and whether its gate is decided on them.
    """
    used = [named["round"] for named in earlier.named] if earlier else []
    in_gate = {gate.kpi for gate in methodology.gates if gate.pooled}
    pool = []
    for kpi, years in pooled_kpis(methodology).items():
        cohorts = [round_id, *used][:years]
        pool.append((kpi, years, len(cohorts), cohorts[-1], kpi in in_gate))
    return {
        EARLIER_COUNTS: earlier.counts if earlier else pl.DataFrame(schema=EARLIER_SCHEMA),
        PARAM_POOL: rows_of(
            pool,
            kpi=pl.String,
            pool_years=pl.Int64,
            pooled_years=pl.Int64,
            first_round=pl.String,
            is_in_gate=pl.Boolean,
        ),
    }


def put_pool(
    con: duckdb.DuckDBPyConnection,
    round_id: str,
    methodology: Methodology,
    earlier: Earlier | None,
) -> None:
    """Make ``earlier_counts`` and ``param_pool``, which sql/3_profile/ reads."""
    put_tables(con, pool_tables(round_id, methodology, earlier))


def pool_notes(con: duckdb.DuckDBPyConnection, round_id: str) -> Iterator[str]:
    """Yield what has to be said of pooled KPIs: fewer cohorts than the methodology allows, and
    earlier counts of colleges that count for no unit of this round. Reads the profile tables.
    """
    for row in get_table(con, PARAM_POOL).iter_rows(named=True):
        if row["pooled_years"] < row["pool_years"]:
            missing = round_name(first_year(round_id) - row["pooled_years"])
            yield (
                f"{row['kpi']}: pooled over {row['pooled_years']} of up to {row['pool_years']}"
                f" cohorts, because the store has no published round {missing}."
            )
    lost = con.sql(
        "SELECT earlier_counts.round, earlier_counts.kpi, count(*) AS colleges,"
        " CAST(sum(denominator) AS BIGINT) AS people FROM earlier_counts"
        " LEFT JOIN colleges ON colleges.college_id = earlier_counts.college_id"
        " LEFT JOIN unit_profile ON unit_profile.college_id = colleges.unit_id"
        " WHERE unit_profile.college_id IS NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for name, kpi, colleges, people in lost:
        yield (
            f"{kpi}: {colleges} colleges of {name} ({people} people in the denominator) are not in"
            " this round's register; their earlier counts are in no college's."
        )


def own_counts(of_round: rounds.Round) -> pl.DataFrame:
    """Return the counts of the round's own year: college_id, kpi, numerator, denominator (a row per
    unit and KPI). Of what is not pooled they are those of ``kpi_values``.
    """
    parts = ("college_id", "kpi", "numerator", "denominator")
    shown = of_round.table("kpi_values").select(parts)
    pooled = pooled_kpis(of_round.methodology)
    if not pooled:
        return shown
    is_pooled = pl.col("kpi").is_in(list(pooled))
    own = of_round.table("pooled_counts").select(
        "college_id", "kpi", numerator="own_numerator", denominator="own_denominator"
    )
    return pl.concat([shown.filter(~is_pooled), own.filter(is_pooled)]).sort("college_id", "kpi")
