"""A round as open data: CSV and Parquet with a Data Package descriptor, small cells hidden.

The descriptor follows Data Package v2 (https://datapackage.org). Which cells are hidden is decided
in ``kpi.suppression``; here the tables are laid out, hidden cells emptied, and all of it described.

What is left out because it would give hidden cells back: normalised values and contributions to the
score, the results of gates under other readings, numbers of rejected rows, student-months, totals
under earlier versions of the rule, and how ties were broken.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from kpi.errors import CallError
from kpi.export import safe_text
from kpi.language import LANGUAGES, Speaker, speaker
from kpi.methodology import Gate as StatedGate
from kpi.methodology import Kpi
from kpi.pooling import own_counts, pooled_kpis
from kpi.ranking import with_interval_columns
from kpi.rounds import Round
from kpi.suppression import (
    RATIOS,
    SMALL,
    Gate,
    HiddenCounts,
    HiddenMoney,
    Lines,
    Scored,
    Whole,
    counts_of,
    hide_counts,
    hide_money,
)

SCHEMA = "https://datapackage.org/profiles/2.0/datapackage.json"
HIDDEN = "suppressed"
NATION = "KZ"
PEOPLE_KINDS = ("outcome_share", "register_share", "ratio", "median")
LICENSE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0 International",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
_AMOUNTS = ("base_amount", "incentive_amount", "guarantee_amount", "amount")
_PEOPLE_OR_TENGE = ("students", *_AMOUNTS)


@dataclass
class Resource:
    """One table of the package: its rows, which of their cells are hidden, its keys."""

    name: str
    rows: pl.DataFrame
    key: tuple[str, ...]
    foreign: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    hidden: dict[str, pl.Series] = field(default_factory=dict)
    hideable: tuple[str, ...] = ()

    def hide(self, column: str, flags: pl.Series) -> None:
        """Hide the cells of a column where the flags say so."""
        there = self.hidden.get(column)
        self.hidden[column] = flags if there is None else there | flags

    def table(self) -> pl.DataFrame:
        """Return the rows, hidden cells empty, and as last column the names of the hidden ones."""
        if not self.hideable:
            return self.rows
        flags = {name: self._flags(name) for name in self.hideable}
        emptied = [pl.when(~flags[name]).then(pl.col(name)).alias(name) for name in self.hideable]
        named = [pl.when(flags[name]).then(pl.lit(name)) for name in self.hideable]
        told = pl.concat_str(named, separator=" ", ignore_nulls=True).replace("", None)
        return self.rows.with_columns(*emptied, told.alias(HIDDEN))

    def text(self) -> pl.DataFrame:
        """Return the table as the text of the CSV file: ``suppressed`` in each hidden cell."""
        plain = safe_text(self.table().with_columns(_plain(self.rows)))
        words = [
            pl.when(self._flags(name)).then(pl.lit(HIDDEN)).otherwise(pl.col(name)).alias(name)
            for name in self.hideable
        ]
        return plain.with_columns(pl.all().cast(pl.String)).with_columns(words)

    def _flags(self, name: str) -> pl.Series:
        nothing = pl.Series([False] * self.rows.height, dtype=pl.Boolean)
        return self.hidden.get(name, nothing)

    def hidden_number(self) -> int:
        """Return how many cells are hidden."""
        return sum(int(flags.sum()) for flags in self.hidden.values())


def _plain(rows: pl.DataFrame) -> list[pl.Expr]:
    """Decimals without trailing zeros: 251, not 251.0000."""
    return [
        pl.col(name).cast(pl.String).str.replace(r"\.?0+$", "").alias(name)
        for name, dtype in rows.schema.items()
        if isinstance(dtype, pl.Decimal) and dtype.scale
    ]


def export_package(of_round: Round, to: Path) -> list[Path]:
    """Write the folder ``<round>-<version>-package`` into ``to`` and return the paths written.

    ``datapackage.json``, and for each table ``<name>.csv`` and ``<name>.parquet``. The same round
    gives the same bytes. Counts of 1 to 4 people are hidden, and all that would give one back.
    Raises CallError when the folder cannot be written.
    """
    folder = to / f"{of_round.name}-{of_round.version}-package"
    resources = package_tables(of_round)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [_write(folder, resource) for resource in resources]
        text = json.dumps(describe(of_round, resources, files), ensure_ascii=False, indent=2)
        (folder / "datapackage.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CallError(
            "The package cannot be written.", where=str(folder), found=error.strerror or str(error)
        ) from error
    return [folder / "datapackage.json", *(path for pair in files for path in pair)]


def _write(folder: Path, resource: Resource) -> tuple[Path, Path]:
    paths = folder / f"{resource.name}.csv", folder / f"{resource.name}.parquet"
    resource.text().write_csv(paths[0])
    resource.table().write_parquet(paths[1], compression="zstd", statistics=True)
    return paths


# ------------------------------------------------------------------------------------------ tables


def package_tables(of_round: Round) -> list[Resource]:
    """Return the tables of the package with what of them is hidden, in the package's order."""
    profile = of_round.table("unit_profile").sort("college_id")
    people = _People.read(of_round, profile)
    resources = [
        _colleges(profile),
        _kpis(of_round),
        _kpi_values(of_round, people),
        _region_kpis(of_round, people),
        _ranking(of_round, people),
        _gates(of_round, people),
    ]
    money = of_round.has("funding") and of_round.table("funding").height > 0
    if money:
        resources += _funding(of_round, profile)
    resources.append(_regions(of_round))
    if money:
        resources.append(_specialties(of_round, resources))
    _hide_student_numbers(resources, people)
    return [resource for resource in resources if resource.rows.height]


@dataclass
class _People:
    """The counts of the round's colleges, in the order of ``college_id``, and what is hidden."""

    college_ids: list[str]
    regions: list[str]
    counts: dict[str, Whole]
    hidden: HiddenCounts | None
    unknown: frozenset[str]
    """KPIs about people of which the rule does not know what they count: not shown at all."""

    @classmethod
    def read(cls, of_round: Round, profile: pl.DataFrame) -> "_People":
        values = own_counts(of_round)
        kinds = {kpi.code: kpi.kind for kpi in of_round.methodology.kpis}
        of_people = [code for code, kind in kinds.items() if kind in PEOPLE_KINDS]
        known = [code for code in of_people if code in RATIOS]
        ids = profile["college_id"].to_list()
        regions = sorted(set(profile["region"].to_list()))
        counts = counts_of(_parts(values, known, profile)) if known else {}
        summed = {
            name
            for code in known
            if kinds[code] != "median"
            for terms in RATIOS[code]
            for name in terms
        }
        place = {name: number for number, name in enumerate(regions)}
        numbers = np.array([place[name] for name in profile["region"]], dtype=np.int64)
        hidden = None
        if counts:
            hidden = hide_counts(
                counts,
                numbers,
                frozenset(summed),
                _gate_results(of_round, profile, known),
                _scored(of_round, profile, known),
            )
        return cls(ids, regions, counts, hidden, frozenset(of_people) - set(known))

    def college_flags(self, rows: pl.DataFrame, kpi: str, top: bool) -> pl.Series:
        """Whether the part of each row's KPI is hidden; ``kpi`` is the column that names it."""
        return self._flags(rows, "college_id", kpi, self.college_ids, top, regional=False)

    def region_flags(self, rows: pl.DataFrame, kpi: str, top: bool) -> pl.Series:
        """The same for regions and the nation."""
        return self._flags(rows, "region", kpi, [*self.regions, NATION], top, regional=True)

    def _flags(
        self, rows: pl.DataFrame, key: str, kpi: str, ids: list[str], top: bool, *, regional: bool
    ) -> pl.Series:
        place = {name: number for number, name in enumerate(ids)}
        by_kpi: dict[str, Any] = {}
        for code in rows[kpi].unique():
            terms = RATIOS.get(code, ({}, {}))[0 if top else 1]
            if not terms and code in RATIOS:
                terms = RATIOS[code][1]  # a median rests on the people it is of
            if code in self.unknown:
                by_kpi[code] = np.ones(len(ids), dtype=bool)
            elif terms and self.hidden:
                of = self.hidden.of_regions if regional else self.hidden.of_colleges
                by_kpi[code] = of(terms)
            else:
                by_kpi[code] = np.zeros(len(ids), dtype=bool)
        pairs = rows.select(key, kpi).iter_rows()
        return pl.Series([bool(by_kpi[code][place[one]]) for one, code in pairs], dtype=pl.Boolean)


def _parts(
    values: pl.DataFrame, known: Sequence[str], profile: pl.DataFrame
) -> dict[tuple[str, bool], Whole]:
    """Return the numbers of people of KPIs by (KPI, numerator or not), over the colleges."""
    parts = {}
    for code in known:
        rows = profile.select("college_id").join(
            values.filter(pl.col("kpi") == code), on="college_id", how="left", maintain_order="left"
        )
        for column, top in (("numerator", True), ("denominator", False)):
            if RATIOS[code][0 if top else 1]:
                numbers = rows[column].fill_null(0).cast(pl.Float64).to_numpy()
                parts[code, top] = np.rint(numbers).astype(np.int64)
    return parts


def _gate_results(of_round: Round, profile: pl.DataFrame, known: Sequence[str]) -> list[Gate]:
    gates = of_round.table("gates")
    found = []
    for gate in of_round.methodology.gates:
        if gate.kpi not in known or not all(RATIOS[gate.kpi]):
            continue
        rows = profile.select("college_id").join(
            gates.filter(pl.col("gate") == gate.kpi),
            on="college_id",
            how="left",
            maintain_order="left",
        )
        counted = rows["denominator"].fill_null(0).cast(pl.Float64) > 0
        decided = rows["decided_by"].is_in(["counts", "small_cohort"]) & counted
        reached = (
            rows["numerator"].cast(pl.Float64)
            >= float(gate.threshold) * rows["denominator"].cast(pl.Float64) - 1e-9
        )
        passed = rows["passed"]
        decided = decided & (passed == reached)  # not where a policy decided
        found.append(
            Gate(
                gate.kpi,
                int(gate.threshold * 1_000_000),
                decided.fill_null(False).to_numpy(),
                passed.fill_null(False).to_numpy(),
                _earlier(of_round, profile, rows, gate) if gate.pooled else 0,
            )
        )
    return found


def _earlier(of_round: Round, profile: pl.DataFrame, rows: pl.DataFrame, gate: StatedGate) -> Whole:
    """Return what earlier cohorts bring to a pooled gate, as ``kpi.suppression.Gate`` takes it."""
    own = profile.select("college_id").join(
        own_counts(of_round).filter(pl.col("kpi") == gate.kpi),
        on="college_id",
        how="left",
        maintain_order="left",
    )
    more = [
        np.rint((rows[part].fill_null(0) - own[part].fill_null(0)).cast(pl.Float64).to_numpy())
        for part in ("numerator", "denominator")
    ]
    people, of = (part.astype(np.int64) for part in more)
    return np.asarray(1_000_000 * people - int(gate.threshold * 1_000_000) * of, dtype=np.int64)


def _scored(of_round: Round, profile: pl.DataFrame, known: Sequence[str]) -> list[Scored]:
    """Return the scored KPIs about people, with the points that one person is worth."""
    scores = of_round.table("kpi_scores")
    values = of_round.table("kpi_values")
    ranked = of_round.table("ranking").filter(pl.col("rank").is_not_null())["college_id"]
    found = []
    for kpi in of_round.methodology.kpis:
        if kpi.score is None or kpi.code not in known or len(RATIOS[kpi.code][0]) != 1:
            continue
        rows = profile.select("college_id")
        for table, column in ((scores, "code"), (values, "kpi")):
            mine = table.filter(pl.col(column) == kpi.code)
            rows = rows.join(mine, on="college_id", how="left", maintain_order="left")
        points = _points(rows, kpi, ranked)
        found.append(Scored(kpi.code, float(kpi.score.weight), points, kpi.score.direction))
    return found


def _points(rows: pl.DataFrame, kpi: Kpi, ranked: pl.Series) -> Any:
    """Points of the score that a person more in the numerator is worth, by college."""
    assert kpi.score is not None
    span = 1.0
    if kpi.score.normalise == "goalposts" and kpi.score.target is not None:
        span = float(kpi.score.target - (kpi.score.floor or 0))
    weight = rows["weight"].cast(pl.Float64).fill_null(float(kpi.score.weight)).to_numpy()
    people = rows["denominator"].cast(pl.Float64).fill_null(0).to_numpy()
    is_scored = (
        rows["normalised"].is_not_null() & rows["college_id"].is_in(ranked.implode())
    ).to_numpy()
    points = np.zeros(rows.height)
    np.divide(100 * weight / span, people, out=points, where=is_scored & (people > 0))
    return points


def _colleges(profile: pl.DataFrame) -> Resource:
    columns = (
        "college_id name_kk name_ru name_en region kind ownership locality administrator status"
        " cluster students"
    ).split()
    return Resource(
        "colleges",
        profile.select(columns),
        ("college_id",),
        {"region": ("regions", "region")},
        hideable=("students",),
    )


def _kpis(of_round: Round) -> Resource:
    rows = [
        {
            "kpi": kpi.code,
            "name_kk": kpi.name.kk,
            "name_ru": kpi.name.ru,
            "name_en": kpi.name.en,
            "kind": kpi.kind,
            "unit": _UNITS[kpi.kind],
            "weight": kpi.score.weight if kpi.score else None,
            "min_denominator": kpi.min_denominator,
            "reference": kpi.reference,
            "status": kpi.status,
        }
        for kpi in of_round.methodology.kpis
    ]
    schema: dict[str, Any] = dict.fromkeys(rows[0], pl.String)
    schema |= {"weight": pl.Decimal(18, 6), "min_denominator": pl.Int64}
    return Resource("kpis", pl.DataFrame(rows, schema=schema).sort("kpi"), ("kpi",))


_UNITS = {
    "outcome_share": "share",
    "register_share": "share",
    "flag": "share",
    "ratio": "per_100",
    "median": "tenge",
    "points": "points",
}


def _kpi_values(of_round: Round, people: _People) -> Resource:
    stored = of_round.table("kpi_values").sort("college_id", "kpi")
    columns = ("numerator", "denominator", "value", "low", "high", "status")
    pooled = _pooled(of_round)
    resource = Resource(
        "kpi_values",
        stored.select("college_id", "kpi", *columns, *(_POOLED if pooled else ())),
        ("college_id", "kpi"),
        {"college_id": ("colleges", "college_id"), "kpi": ("kpis", "kpi")},
        hideable=columns,
    )
    top = people.college_flags(stored, "kpi", True)
    bottom = people.college_flags(stored, "kpi", False)
    interval = (top | bottom) & (stored["kind"] == "outcome_share")
    for column in columns if pooled else ():
        resource.hide(column, stored["kpi"].is_in(pooled))
    for column, flags in zip(
        columns, (top, bottom, top | bottom, interval, interval, bottom), strict=True
    ):
        resource.hide(column, flags)
    return resource


_POOLED = ("pooled_years",)


def _pooled(of_round: Round) -> list[str]:
    """Return the KPIs that are pooled. None of their figures is shown: a sum over cohorts, less
    what earlier packages show of it, may be a count that one of the packages hides.
    """
    return list(pooled_kpis(of_round.methodology))


def _region_kpis(of_round: Round, people: _People) -> Resource:
    stored = of_round.table("region_kpis").sort("region", "kpi")
    columns = ("numerator", "denominator", "value")
    pooled = _pooled(of_round)
    resource = Resource(
        "region_kpis",
        stored.select("region", "kpi", *columns, *(_POOLED if pooled else ())),
        ("region", "kpi"),
        {"region": ("regions", "region"), "kpi": ("kpis", "kpi")},
        hideable=columns,
    )
    top = people.region_flags(stored, "kpi", True)
    bottom = people.region_flags(stored, "kpi", False)
    for column in columns if pooled else ():
        resource.hide(column, stored["kpi"].is_in(pooled))
    for column, flags in zip(columns, (top, bottom, top | bottom), strict=True):
        resource.hide(column, flags)
    return resource


_INTERVALS = ("rank_low", "rank_high", "band_low", "band_high", "league_chance")
"""They tell how many graduates there are: hidden with the score."""


def _ranking(of_round: Round, people: _People) -> Resource:
    columns = (
        "college_id score share_of_best rank ranked_of region_rank region_ranked_of cluster_rank"
        " cluster_ranked_of kind_rank kind_ranked_of league level leader rank_low rank_high"
        " band_low band_high league_chance not_ranked_reason"
    ).split()
    stored = with_interval_columns(of_round.table("ranking")).sort("college_id")
    resource = Resource(
        "ranking",
        stored.select(columns),
        ("college_id",),
        {"college_id": ("colleges", "college_id")},
        hideable=("score", "share_of_best", *_INTERVALS),
    )
    flags = pl.Series([False] * stored.height, dtype=pl.Boolean)
    for kpi in of_round.methodology.kpis:
        if kpi.score is not None:
            flags |= kpi.pool_years is not None
            rows = stored.select("college_id", pl.lit(kpi.code).alias("kpi"))
            flags |= people.college_flags(rows, "kpi", True)
            flags |= people.college_flags(rows, "kpi", False)
    for column in resource.hideable:
        resource.hide(column, flags & stored[column].is_not_null())
    return resource


def _gates(of_round: Round, people: _People) -> Resource:
    stored = of_round.table("gates").sort("college_id", "gate")
    columns = ("numerator", "denominator", "passed", "decided_by", "short_by")
    resource = Resource(
        "gates",
        stored.select("college_id", "gate", "threshold", *columns),
        ("college_id", "gate"),
        {"college_id": ("colleges", "college_id"), "gate": ("kpis", "kpi")},
        hideable=columns,
    )
    top = people.college_flags(stored, "gate", True)
    bottom = people.college_flags(stored, "gate", False)
    either = top | bottom
    pooled = [gate.kpi for gate in of_round.methodology.gates if gate.pooled]
    for column in columns if pooled else ():
        resource.hide(column, stored["gate"].is_in(pooled))
    for column, flags in zip(columns, (top, bottom, either, either, either), strict=True):
        resource.hide(column, flags)
    return resource


def _funding(of_round: Round, profile: pl.DataFrame) -> list[Resource]:
    """Return the five tables of money; a hidden number of students hides its tenge."""
    lines = of_round.table("funding_lines").filter(pl.col("specialty").is_not_null())
    lines = lines.sort("college_id", "specialty")
    paid = of_round.table("funding").sort("college_id")
    places = paid.join(profile, on="college_id", how="left", maintain_order="left").select(
        "college_id", "region", pl.col("administrator").fill_null("not_stated"), "share"
    )
    hidden = _hide_lines(lines, paid, places)
    phased = _phased(of_round, paid)
    college = {"college_id": ("colleges", "college_id")}
    found = [
        Resource(
            "funding",
            paid.select("college_id", "students", "share", *_AMOUNTS),
            ("college_id",),
            college,
            hideable=("students", "share", *_AMOUNTS),
        ),
        Resource(
            "funding_lines",
            lines.select(
                "college_id specialty students coefficient base_norm incentive_norm"
                " base_amount incentive_amount amount".split()
            ),
            ("college_id", "specialty"),
            college | {"specialty": ("specialties", "specialty")},
            hideable=("students", "incentive_norm", "base_amount", "incentive_amount", "amount"),
        ),
        Resource(
            "funding_months",
            of_round.table("funding_months").sort("college_id", "month"),
            ("college_id", "month"),
            college,
            hideable=("amount",),
        ),
        _totals(of_round, "region"),
        _totals(of_round, "administrator"),
    ]
    _hide_money(found, hidden, places)
    _hide_phased(found, phased)
    return found


def _totals(of_round: Round, by: str) -> Resource:
    stored = of_round.table(f"funding_{by}s").sort(by)
    return Resource(
        f"funding_{by}s",
        stored.select(by, "colleges", "qualifying", *_PEOPLE_OR_TENGE),
        (by,),
        {"region": ("regions", "region")} if by == "region" else {},
        hideable=_PEOPLE_OR_TENGE,
    )


def _hide_lines(lines: pl.DataFrame, paid: pl.DataFrame, places: pl.DataFrame) -> HiddenMoney:
    numbered = {name: number for number, name in enumerate(paid["college_id"])}
    guaranteed = (paid["guarantee_amount"] > 0).cast(pl.String)
    return hide_money(
        Lines(
            college=np.array([numbered[one] for one in lines["college_id"]], dtype=np.int64),
            months=lines["student_months"].to_numpy().astype(np.int64),
            price=_codes(lines["coefficient"].cast(pl.String)),
            region=_codes(places["region"]),
            administrator=_codes(places["administrator"]),
            terms=_codes(places["share"].cast(pl.String) + " " + guaranteed),
        )
    )


def _codes(names: pl.Series) -> Whole:
    """Number the names in their order: 0, 1, 2 ..."""
    place = {name: number for number, name in enumerate(sorted(set(names.to_list())))}
    return np.array([place[name] for name in names], dtype=np.int64)


def _hide_money(resources: Sequence[Resource], hidden: HiddenMoney, places: pl.DataFrame) -> None:
    funding, lines, months, regions, administrators = resources
    college = pl.Series(hidden.colleges)
    for column in _PEOPLE_OR_TENGE:
        funding.hide(column, college)
    for column in ("students", "base_amount", "incentive_amount", "amount"):
        lines.hide(column, pl.Series(hidden.lines))
    gone = set(places["college_id"].filter(college).to_list())
    months.hide("amount", months.rows["college_id"].is_in(sorted(gone)))
    for resource, by, flags in (
        (regions, "region", hidden.regions),
        (administrators, "administrator", hidden.administrators),
    ):
        names = sorted(set(places[by].to_list()))
        off = {name for name, is_hidden in zip(names, flags, strict=True) if is_hidden}
        off |= {NATION} if hidden.nation else set()
        for column in _PEOPLE_OR_TENGE:
            resource.hide(column, resource.rows[by].is_in(sorted(off)))


def _phased(of_round: Round, paid: pl.DataFrame) -> pl.Series:
    """Colleges whose share is a rate in disguise, to the digit: a gate of theirs is phased in."""
    if not of_round.has("param_phase_in") or of_round.table("param_phase_in").is_empty():
        return pl.Series([False] * paid.height, dtype=pl.Boolean)
    return (paid["share"] > 0) & (paid["share"] < 1)


def _hide_phased(resources: Sequence[Resource], phased: pl.Series) -> None:
    """Hide incentives where the share tells a rate, and every sum that they are in."""
    if not phased.any():
        return
    funding, lines, months, *totals = resources
    gone = funding.rows["college_id"].filter(phased).to_list()
    money = ("incentive_amount", "guarantee_amount", "amount")
    for column in ("share", *money):
        funding.hide(column, phased)
    for column in ("incentive_norm", "incentive_amount", "amount"):
        lines.hide(column, lines.rows["college_id"].is_in(gone))
    months.hide("amount", months.rows["college_id"].is_in(gone))
    for resource in totals:
        for column in money:
            resource.hide(column, pl.Series([True] * resource.rows.height))


def _regions(of_round: Round) -> Resource:
    rows = _reference(of_round, "regions").select("region", "name_kk", "name_ru", "name_en")
    used = of_round.table("unit_profile")["region"].unique().to_list()
    nation = {
        "region": NATION,
        "name_kk": "Қазақстан",
        "name_ru": "Казахстан",
        "name_en": "Kazakhstan",
    }
    rows = pl.concat([pl.DataFrame([nation]), rows.filter(pl.col("region").is_in(used))])
    return Resource("regions", rows.sort("region"), ("region",))


def _specialties(of_round: Round, resources: Sequence[Resource]) -> Resource:
    [lines] = [resource.rows for resource in resources if resource.name == "funding_lines"]
    taught = lines.select(pl.col("specialty").drop_nulls().unique())
    # an old code is not in the reference: its row has the code alone
    rows = taught.join(_reference(of_round, "specialties"), on="specialty", how="left")
    rows = rows.select(
        "specialty name_kk name_ru isced_field cluster cost_group is_synthetic".split()
    )
    flag = pl.col("is_synthetic") == "true"
    return Resource("specialties", rows.with_columns(flag).sort("specialty"), ("specialty",))


def _reference(of_round: Round, name: str) -> pl.DataFrame:
    return pl.read_parquet(of_round.path / "reference" / f"{name}.parquet", glob=False)


def _hide_student_numbers(resources: Sequence[Resource], people: _People) -> None:
    """Hide a college's number of students where it, or by how much it exceeds the KPI contingent
    or the paid students, is 1 to 4, and where one of these is hidden. No published sum holds it.
    """
    tables = {resource.name: resource for resource in resources}
    colleges = tables["colleges"]
    students = colleges.rows["students"]
    flags = students.is_between(1, SMALL - 1)
    contingent = people.counts.get("contingent")
    if contingent is not None and people.hidden:
        more = students - pl.Series(contingent)
        flags |= more.is_between(1, SMALL - 1)
        flags |= pl.Series(people.hidden.colleges["contingent"])
    if "funding" in tables:
        paid = (
            tables["funding"]
            .rows.select("college_id", "students")
            .with_columns(
                pl.col("students").cast(pl.Float64).alias("paid"),
                tables["funding"].hidden["students"].alias("gone"),
            )
        )
        rows = colleges.rows.join(paid, on="college_id", how="left", maintain_order="left")
        more = students - rows["paid"].fill_null(0)
        flags |= (more > 0) & (more < SMALL) & rows["paid"].is_not_null()
        flags |= rows["gone"].fill_null(False)
    colleges.hide("students", flags)


# -------------------------------------------------------------------------------------- descriptor


def describe(
    of_round: Round, resources: Sequence[Resource], files: Sequence[tuple[Path, Path]]
) -> dict[str, Any]:
    """Return the descriptor; titles and descriptions are Kazakh, ``titles`` has all languages."""
    words = {language: _Words(speaker(language)) for language in LANGUAGES}
    return {
        "$schema": SCHEMA,
        "name": f"college-kpi-{of_round.name}-{of_round.version}".lower(),
        "id": f"sha256:{of_round.receipt_hash}",
        "version": of_round.version,
        "languages": list(LANGUAGES),
        **_said("title", words, lambda of: of.title(of_round)),
        **_said("description", words, lambda of: of.description(of_round, resources)),
        "round": of_round.name,
        "is_draft": _is_draft(of_round),
        "rules_status": of_round.methodology.status,
        "suppression": {
            "people_below": SMALL,
            "cells": {
                resource.name: {
                    "hidden": resource.hidden_number(),
                    "of": resource.rows.height * len(resource.hideable),
                }
                for resource in resources
                if resource.hideable
            },
        },
        "licenses": [LICENSE],
        "sources": _sources(of_round, words),
        "contributors": [
            {**_said("title", words, lambda of: of.publisher), "roles": ["publisher"]}
        ],
        "resources": [
            _resource(resource, pair, words)
            for resource, pair in zip(resources, files, strict=True)
        ],
    }


def _is_draft(of_round: Round) -> bool:
    return of_round.version.startswith("draft")


def _said(
    what: str, words: "Mapping[str, _Words]", say: "Callable[[_Words], str]"
) -> dict[str, Any]:
    """Return a text in Kazakh and, under the plural of its name, in every language."""
    told = {language: say(of) for language, of in words.items()}
    return {what: told[LANGUAGES[0]], f"{what}s": told}


def _sources(of_round: Round, words: "Mapping[str, _Words]") -> list[dict[str, Any]]:
    receipt = of_round.receipt
    registers = [
        {**_said("title", words, partial(_Words.register, name=name)), "name": name}
        for name in sorted(receipt["inputs"])
        if name in words[LANGUAGES[0]].registers and receipt["inputs"][name]["rows"]
    ]
    dated = []
    for kind in ("methodology", "rule"):
        entry = receipt.get(kind)
        if entry:
            named = {"name": entry["name"], "start": entry["start"], "sha256": entry["sha256"]}
            title = _said("title", words, partial(_Words.dated, kind=kind, named=named))
            dated.append({**title, **named, "version": entry["start"]})
    if dated:
        dated[0]["status"] = of_round.methodology.status
    computed = {
        **_said("title", words, lambda of: of.receipt),
        "sha256": of_round.receipt_hash,
        "version": receipt["product"],
    }
    return [*registers, *dated, computed]


def _resource(
    resource: Resource, files: tuple[Path, Path], words: "Mapping[str, _Words]"
) -> dict[str, Any]:
    fields = [
        _field(resource, name, dtype, words) for name, dtype in resource.table().schema.items()
    ]
    schema: dict[str, Any] = {"fields": fields, "primaryKey": list(resource.key)}
    if resource.foreign:
        schema["foreignKeys"] = [
            {"fields": [column], "reference": {"resource": of, "fields": [there]}}
            for column, (of, there) in resource.foreign.items()
        ]
    schema["missingValues"] = _missing(words, is_hideable=False)
    return {
        "name": resource.name,
        "type": "table",
        **_said("title", words, lambda of: of.tables[resource.name]),
        **_file(files[0], "csv", "text/csv"),
        "encoding": "utf-8",
        "schema": schema,
        "alternates": [_file(files[1], "parquet", "application/vnd.apache.parquet")],
    }


def _file(path: Path, form: str, mediatype: str) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "path": path.name,
        "format": form,
        "mediatype": mediatype,
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }


def _missing(words: "Mapping[str, _Words]", *, is_hideable: bool) -> list[dict[str, str]]:
    """The ways in which a cell has no value; labels in Kazakh, as all main texts."""
    of = words[LANGUAGES[0]]
    entries = [{"value": "", "label": of.nothing}]
    return [*entries, {"value": HIDDEN, "label": of.hidden}] if is_hideable else entries


def _field(
    resource: Resource, name: str, dtype: pl.DataType, words: "Mapping[str, _Words]"
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": name,
        "type": _type(dtype),
        **_said("title", words, lambda of: of.fields[name]),
    }
    if name == "numerator" and resource.name == "kpi_values":
        told |= _said("description", words, lambda of: of.numerator)
    if name == HIDDEN:
        told |= _said("description", words, lambda of: of.names_hidden)
    if name in _UNIT_OF:
        told["unit"] = _UNIT_OF[name]
    if name in resource.key:
        told["constraints"] = {"required": True}
        if len(resource.key) == 1:
            told["constraints"]["unique"] = True
    if name in resource.hideable:
        told["missingValues"] = _missing(words, is_hideable=True)
    return told


_UNIT_OF = {
    **dict.fromkeys(_AMOUNTS, "KZT/year"),
    "base_norm": "KZT/student/year",
    "incentive_norm": "KZT/student/year",
    "students": "students",
    "short_by": "people",
    "share": "1",
    "share_of_best": "1",
    "league_chance": "1",
    "score": "points (0-100)",
}


def _type(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return "boolean"
    if dtype == pl.Date:
        return "date"
    if dtype.is_integer():
        return "integer"
    return "number" if dtype.is_numeric() else "string"


class _Words:
    """Everything the descriptor says, in one language."""

    def __init__(self, of: Speaker) -> None:
        self.of = of
        self.publisher = of.say("The body that runs the ranking round")
        self.receipt = of.say("Receipt of the round: what it was computed from and with")
        self.nothing = of.say("no value")
        self.hidden = of.say("hidden, so that no number of 1 to 4 people is disclosed")
        self.numerator = of.say("For a median, the median itself")
        self.names_hidden = of.say("Names of the columns hidden in this row, with spaces between")
        self.registers = {
            "colleges": of.say("Register of colleges"),
            "students": of.say("Register of students"),
            "graduates": of.say("Register of graduates"),
            "dual_agreements": of.say("Register of dual training agreements"),
            "accreditations": of.say("Register of accreditations"),
            "assessments": of.say("Assessment of colleges"),
        }
        self.tables = {
            "colleges": of.say("Colleges"),
            "kpis": of.say("Definitions of the KPIs"),
            "kpi_values": of.say("KPIs of each college"),
            "region_kpis": of.say("KPIs of regions and the nation"),
            "ranking": of.say("Ranking of colleges"),
            "gates": of.say("Conditions for the higher norm"),
            "funding": of.say("Funding of colleges"),
            "funding_lines": of.say("Funding by college and specialty"),
            "funding_months": of.say("Funding of colleges by month"),
            "funding_regions": of.say("Funding of regions and the nation"),
            "funding_administrators": of.say("Funding by budget administrator"),
            "regions": of.say("Regions"),
            "specialties": of.say("Specialties"),
        }
        self.fields = _fields(of)

    def register(self, name: str) -> str:
        """The title of an input table."""
        return self.registers[name]

    def title(self, of_round: Round) -> str:
        """The package's title, which says whether it is a draft."""
        if _is_draft(of_round):
            return self.of.say(
                "Ranking and funding of colleges, {round}, draft ({version})",
                round=of_round.name,
                version=of_round.version,
            )
        return self.of.say(
            "Ranking and funding of colleges, {round} ({version})",
            round=of_round.name,
            version=of_round.version,
        )

    def dated(self, kind: str, named: Mapping[str, str]) -> str:
        """The title of a methodology or a rule."""
        name, start = named["name"], named["start"]
        if kind == "methodology":
            return self.of.say("Methodology {name} of {start}", name=name, start=start)
        return self.of.say("Funding rule {name} of {start}", name=name, start=start)

    def description(self, of_round: Round, resources: Sequence[Resource]) -> str:
        """What the package is, what of it is hidden, and how its files are to be read."""
        of = self.of
        hidden = sum(resource.hidden_number() for resource in resources)
        cells = sum(resource.rows.height * len(resource.hideable) for resource in resources)
        said = []
        if _is_draft(of_round):
            said.append(of.say("This is a draft, not a published round."))
        if of_round.methodology.status == "illustrative":
            said.append(
                of.say(
                    "The thresholds, weights and norms are illustrative: the official text is not"
                    " public."
                )
            )
        said += [
            of.say(
                "Numbers of 1 to 4 people are hidden, and further cells from which they could be"
                " computed: {hidden} of {cells} cells.",
                hidden=of.number(hidden),
                cells=of.number(cells),
            ),
            of.say(
                "A hidden cell is the word `suppressed` in CSV and empty in Parquet; the last"
                " column of each row names its hidden columns."
            ),
            of.say(
                "Ranks are published. They bound a hidden KPI from above and below, so a college"
                " with one hidden KPI in its score has a second one hidden, and its score."
            ),
            of.say(
                "In CSV an apostrophe stands before a text that a spreadsheet would run as a"
                " formula; Parquet holds the true text."
            ),
        ]
        return " ".join(said)


def _fields(of: Speaker) -> dict[str, str]:
    """The title of every column of the package."""
    return {
        "college_id": of.say("College id"),
        "name_kk": of.say("Name in Kazakh"),
        "name_ru": of.say("Name in Russian"),
        "name_en": of.say("Name in English"),
        "region": of.say("Region"),
        "kind": of.say("Kind"),
        "ownership": of.say("Ownership"),
        "locality": of.say("Locality"),
        "administrator": of.say("Budget administrator"),
        "status": of.say("Status"),
        "cluster": of.say("Cluster of most students"),
        "students": of.say("Students"),
        HIDDEN: of.say("Hidden columns"),
        "kpi": of.say("KPI"),
        "unit": of.say("Unit"),
        "weight": of.say("Weight in the score"),
        "min_denominator": of.say("Least denominator that is not a small cohort"),
        "reference": of.say("Reference"),
        "numerator": of.say("Numerator"),
        "denominator": of.say("Denominator"),
        "value": of.say("Value"),
        "low": of.say("Lower end of the 95 % interval"),
        "high": of.say("Upper end of the 95 % interval"),
        "score": of.say("Score"),
        "pooled_years": of.say("Cohorts that the counts are of"),
        "share_of_best": of.say("Share of the best score"),
        "rank": of.say("Rank"),
        "ranked_of": of.say("Colleges ranked"),
        "region_rank": of.say("Rank in the region"),
        "region_ranked_of": of.say("Colleges ranked in the region"),
        "cluster_rank": of.say("Rank in the cluster"),
        "cluster_ranked_of": of.say("Colleges ranked in the cluster"),
        "kind_rank": of.say("Rank in the kind of college"),
        "kind_ranked_of": of.say("Colleges ranked in the kind"),
        "league": of.say("League"),
        "level": of.say("Level"),
        "leader": of.say("Technological leader as"),
        "rank_low": of.say("Best rank of the 90 % interval"),
        "rank_high": of.say("Worst rank of the 90 % interval"),
        "band_low": of.say("Best rank that it cannot be told apart from at 90 %"),
        "band_high": of.say("Worst rank that it cannot be told apart from at 90 %"),
        "league_chance": of.say("Chance that a new cohort of the same size leaves it its league"),
        "not_ranked_reason": of.say("Why it is not ranked"),
        "gate": of.say("KPI of the condition"),
        "threshold": of.say("Threshold"),
        "passed": of.say("Is the condition met"),
        "decided_by": of.say("Decided by"),
        "short_by": of.say("People missing to the threshold"),
        "share": of.say("Share of the incentive part"),
        "base_amount": of.say("Base amount per year"),
        "incentive_amount": of.say("Incentive amount per year"),
        "guarantee_amount": of.say("Cost of the guarantee per year"),
        "amount": of.say("Amount"),
        "specialty": of.say("Specialty code"),
        "coefficient": of.say("Coefficient"),
        "base_norm": of.say("Base norm"),
        "incentive_norm": of.say("Incentive norm"),
        "month": of.say("Month"),
        "colleges": of.say("Number of colleges"),
        "qualifying": of.say("Colleges with an incentive"),
        "isced_field": of.say("ISCED field of education"),
        "cost_group": of.say("Cost group"),
        "is_synthetic": of.say("Is the specialty made up for the sample"),
    }
