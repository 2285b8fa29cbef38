"""What a college is and what it is like: its rows of ``sql/3_profile/``, for the screen and the
command line.

Frames come from ``kpi.access.read_table`` or are stored tables: what is not in them is not shown.
Nothing of this enters a score or moves money.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from kpi.access import NATION
from kpi.methodology import Methodology
from kpi.package import HIDDEN

Row = dict[str, Any]
Tables = Mapping[str, pl.DataFrame]

TABLES = (
    *("unit_profile", "kpi_values", "region_kpis", "unit_specialties", "unit_clusters"),
    *("cluster_profile", "peers", "peer_comparison", "employment_by_qualification"),
    *("region_employment_by_qualification", "expected_employment", "dual_colleges"),
)
"""What a profile is made from; a round of an earlier product has not all of them."""

LEVELS = ("worker", "specialist", "not_stated")
LIMITS = {"95": 1.959963984540054, "99.8": 3.090232306167813}
"""Of a funnel: how many standard deviations leave out 5 % and 0.2 % (normal distribution)."""


@dataclass(frozen=True)
class Level:
    """``employment_rate`` of the college's graduates of one level, and of the nation's."""

    level: str
    row: Row
    nation: Row | None


@dataclass(frozen=True)
class Expected:
    """The college's row of ``expected_employment``, its place in the funnel (``beyond``: the widest
    limit that its difference is outside of, "95" or "99.8", or None), and the row of each other
    college that is shown, with ``is_peer``.
    """

    row: Row
    beyond: str | None
    others: list[Row]

    @property
    def spread(self) -> float:
        """The standard deviation of one graduate's difference: that of n is this by root n."""
        return math.sqrt(float(self.row["variance"]) / self.row["graduates"])


@dataclass(frozen=True)
class Dual:
    """Of a region or the nation two shares that are not the same: of its colleges those with dual
    training (``colleges``, numerator and denominator), and of its students (``students``).
    """

    place: str
    colleges: Row
    students: Row | None


@dataclass(frozen=True)
class Profile:
    """A college's facts. ``unit`` is its row of ``unit_profile``, ``focus`` of ``cluster_profile``;
    ``clusters`` and ``outside`` (specialties outside its profile) begin with the largest; ``peers``
    have the names and places of those that are shown; ``comparisons`` come in the methodology's
    order, with the KPI's own counts.
    """

    college_id: str
    unit: Row
    focus: Row | None
    clusters: list[Row]
    outside: list[Row]
    peers: list[Row]
    comparisons: list[Row]
    levels: list[Level]
    expected: Expected | None
    dual: list[Dual]

    def told(self, verdict: str) -> list[Row]:
        """Return the comparisons with one verdict: strength, weakness or neither."""
        return [row for row in self.comparisons if row["verdict"] == verdict]


def profile_of(tables: Tables, methodology: Methodology, college_id: str) -> Profile | None:
    """Return the profile of a unit; None where the tables do not show it.

    ``tables``: those of ``TABLES`` that there are, by name.
    """
    units = _of(tables, "unit_profile", college_id)
    if not units:
        return None
    [unit] = units
    specialties = sorted(_of(tables, "unit_specialties", college_id), key=_largest_first)
    peers = _peers(tables, college_id)
    return Profile(
        college_id,
        unit,
        next(iter(_of(tables, "cluster_profile", college_id)), None),
        sorted(_of(tables, "unit_clusters", college_id), key=_largest_first),
        [row for row in specialties if not row["is_in_profile"]],
        peers,
        _comparisons(tables, methodology, college_id),
        _levels(tables, college_id),
        _expected(tables, college_id, {row["college_id"] for row in peers}),
        _dual(tables, unit["region"]),
    )


def _of(tables: Tables, table: str, college_id: str) -> list[Row]:
    if table not in tables:
        return []
    return tables[table].filter(pl.col("college_id") == college_id).to_dicts()


def _largest_first(row: Row) -> tuple[int, str]:
    return -row["students"], row.get("specialty") or row["cluster"]


def _peers(tables: Tables, college_id: str) -> list[Row]:
    """Return the peers, nearest first, each with its own id and what is shown of its profile."""
    rows = sorted(_of(tables, "peers", college_id), key=lambda row: row["place"])
    ids = [row["peer_id"] for row in rows]
    columns = ("name_kk", "name_ru", "name_en", "region", "locality", "students", HIDDEN)
    shown = tables["unit_profile"].filter(pl.col("college_id").is_in(ids))
    known = {row["college_id"]: row for row in shown.iter_rows(named=True)}
    return [
        {
            **row,
            **{name: known.get(row["peer_id"], {}).get(name) for name in columns},
            "college_id": row["peer_id"],
        }
        for row in rows
    ]


def _comparisons(tables: Tables, methodology: Methodology, college_id: str) -> list[Row]:
    values = {row["kpi"]: row for row in _of(tables, "kpi_values", college_id)}
    compared = {row["kpi"]: row for row in _of(tables, "peer_comparison", college_id)}
    return [
        {**values.get(kpi.code, {}), **compared[kpi.code]}
        for kpi in methodology.kpis
        if kpi.code in compared
    ]


def _levels(tables: Tables, college_id: str) -> list[Level]:
    own = {row["level"]: row for row in _of(tables, "employment_by_qualification", college_id)}
    nation = _of_place(tables, "region_employment_by_qualification", NATION)
    there = {row["level"]: row for row in nation}
    return [Level(level, own[level], there.get(level)) for level in LEVELS if level in own]


def _of_place(tables: Tables, table: str, place: str) -> list[Row]:
    if table not in tables:
        return []
    return tables[table].filter(pl.col("region") == place).to_dicts()


def _expected(tables: Tables, college_id: str, peers: set[str]) -> Expected | None:
    rows = _of(tables, "expected_employment", college_id)
    if not rows or rows[0]["expected"] is None:
        return None
    others = tables["expected_employment"].filter(
        pl.col("college_id") != college_id, pl.col("expected").is_not_null()
    )
    return Expected(
        rows[0],
        beyond(rows[0]),
        [
            {**row, "is_peer": row["college_id"] in peers}
            for row in others.sort("college_id").iter_rows(named=True)
        ],
    )


def beyond(row: Row) -> str | None:
    """Return the widest limit of chance that a row of ``expected_employment`` is outside of: "95"
    or "99.8"; None within both.
    """
    reach = abs(float(row["difference"]))
    deviation = math.sqrt(float(row["variance"]))
    outside = [name for name, width in LIMITS.items() if reach > width * deviation]
    return outside[-1] if outside else None


def funnel(expected: Expected, points: int = 60) -> list[Row]:
    """Return how far apart observed and expected shares may be by chance alone, by graduates.

    From ``points`` sizes between the smallest and the largest college shown (of one alone, from a
    quarter of its size to four times it): ``graduates``, and for each of ``LIMITS`` the reach in
    both directions (share, 0..1). It is that of colleges with this one's mix, so at its own size it
    is its own: the root of ``variance`` by n, times the limit's width.
    """
    sizes = [row["graduates"] for row in expected.others]
    own = expected.row["graduates"]
    sizes += [own] if sizes else [max(own / 4, 1), own * 4]
    low, high = math.log(min(sizes)), math.log(max(sizes))
    numbers = [math.exp(low + (high - low) * step / (points - 1)) for step in range(points)]
    return [
        {
            "graduates": number,
            **{name: width * expected.spread / number**0.5 for name, width in LIMITS.items()},
        }
        for number in numbers
    ]


def _dual(tables: Tables, region: str) -> list[Dual]:
    found = []
    for place in (region, NATION):
        of_students = _of_place(tables, "region_kpis", place)
        students = [row for row in of_students if row["kpi"] == "dual_share"]
        for row in _of_place(tables, "dual_colleges", place):
            colleges = {
                "kind": "register_share",
                "numerator": row["colleges_with_dual"],
                "denominator": row["colleges"],
                "value": row["share_of_colleges"],
            }
            found.append(Dual(place, colleges, students[0] if students else None))
    return found


def facts_of(profile: Profile, trend: Sequence[tuple[str, Mapping[str, Row]]]) -> Row:
    """Return a profile as plain data, for JSON. ``trend``: ``kpi.standing.earlier_values``."""
    others = profile.expected.others if profile.expected else []
    told = asdict(profile)
    if profile.expected:
        told["expected"] = {**profile.expected.row, "beyond": profile.expected.beyond}
        told["expected"]["others"] = len(others)
    told["trend"] = [{"round": name, "kpis": [*rows.values()]} for name, rows in trend]
    return told


def flat(facts: Row, path: str = "") -> list[tuple[str, str]]:
    """Return plain data as (path, value) pairs in their order, for CSV: ``peers.3.distance``.

    >>> flat({"a": 1, "b": [{"c": None}, {"c": True}]})
    [('a', '1'), ('b.1.c', ''), ('b.2.c', 'True')]
    """
    found: list[tuple[str, str]] = []
    for name, value in facts.items():
        where = f"{path}{name}"
        if isinstance(value, dict):
            found += flat(value, f"{where}.")
        elif isinstance(value, list):
            found += flat({str(n): one for n, one in enumerate(value, 1)}, f"{where}.")
        else:
            found.append((where, "" if value is None else str(value)))
    return found
