"""An outsider who has nothing but the files of the package and the public definitions.

Every number published is one linear equation in numbers of people; that people cannot be fewer than
none, that one group lies within another, the results of gates and the places in the ranking are
inequalities. ``scipy.optimize.linprog`` finds the least and the greatest value that a hidden number
can have. The definitions are written out here from DESIGN §5 and §6, not taken from the product.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

Terms = dict[str, float]
Variable = tuple[str, ...]

HIDDEN = "suppressed"

DEFINITIONS: dict[str, tuple[Terms, Terms]] = {
    "employment_rate": ({"E": 1}, {"N": 1, "X": -1}),
    "in_specialty_rate": ({"I": 1}, {"N": 1, "X": -1}),
    "certified_share": ({"C": 1}, {"N": 1}),
    "employment_rate_of_all": ({"E": 1}, {"N": 1}),
    "employment_rate_with_study": ({"E": 1, "S": 1}, {"N": 1}),
    "further_study_rate": ({"S": 1}, {"N": 1}),
    "excluded_share": ({"X": 1}, {"N": 1}),
    "verified_share": ({"E": 1}, {"W": 1}),
    "employment_declared_rate": ({"DE": 1}, {"N": 1, "DX": -1}),
    "dual_employment_rate": ({"DuE": 1}, {"Du": 1}),
    "dual_share": ({"D": 1}, {"T": 1}),
    "accredited_share": ({"A": 1}, {"T": 1}),
    "targeted_share": ({"G": 1}, {"T": 1}),
    "employers_per_100": ({"P": 100}, {"T": 1}),
    "dropout_rate": ({"L": 1}, {"Y": 1}),
    "median_wage": ({}, {"M": 1}),
}

GROUPS: tuple[Terms, ...] = (
    {"N": 1},
    {"T": 1},
    {"Y": 1},
    {"C": 1},
    {"N": 1, "C": -1},
    {"E": 1},
    {"X": 1},
    {"N": 1, "E": -1, "X": -1},  # neither employed nor excluded
    {"S": 1},
    {"X": 1, "S": -1},
    {"I": 1},
    {"E": 1, "I": -1},
    {"M": 1},
    {"E": 1, "M": -1},
    {"DE": 1, "E": -1},  # employed by declaration only
    {"W": 1, "DE": -1},
    {"DX": 1, "X": -1},
    {"N": 1, "W": -1, "DX": -1},
    {"N": 1, "X": -1, "Du": -1},
    {"DuE": 1},
    {"Du": 1, "DuE": -1},
    {"E": 1, "DuE": -1},
    {"N": 1, "X": -1, "E": -1, "Du": -1, "DuE": 1},
    {"D": 1},
    {"T": 1, "D": -1},
    {"D": 1, "P": -1},  # each employer has a student
    {"A": 1},
    {"T": 1, "A": -1},
    {"G": 1},
    {"T": 1, "G": -1},
    {"L": 1},
    {"Y": 1, "L": -1},
)
"""Numbers of people; every other one is a sum of them."""

SCALES = {
    "employment_rate": (35, 0.40, 0.95),
    "in_specialty_rate": (15, 0.20, 0.80),
    "dual_share": (30, 0.0, 0.60),
    "accredited_share": (15, 0.0, 1.0),
    "certified_share": (5, 0.0, 1.0),
}
"""Points, floor and target of the shipped methodology."""


@dataclass
class System:
    """Linear knowledge: equations and inequalities (<=) over named variables, none negative."""

    place: dict[Variable, int] = field(default_factory=dict)
    equal: list[tuple[dict[Variable, float], float]] = field(default_factory=list)
    at_most: list[tuple[dict[Variable, float], float]] = field(default_factory=list)
    found: dict[frozenset[Variable], "Part"] = field(default_factory=dict)

    def equals(self, terms: dict[Variable, float], value: float) -> None:
        self._know(terms)
        self.equal.append((terms, value))

    def bounded(self, terms: dict[Variable, float], most: float) -> None:
        self._know(terms)
        self.at_most.append((terms, most))

    def _know(self, terms: Iterable[Variable]) -> None:
        for name in terms:
            self.place.setdefault(name, len(self.place))

    def range(self, terms: dict[Variable, float]) -> tuple[float, float]:
        """Return the least and the greatest value of a sum of variables."""
        near = self._near(terms)
        return near.extreme(terms, 1), -near.extreme(terms, -1)

    def _near(self, terms: Iterable[Variable]) -> "Part":
        """The part of the system that is connected with these variables."""
        parts = self._parts()
        mine = frozenset(parts.get(name, name) for name in terms)
        if mine not in self.found:
            place: dict[Variable, int] = {name: i for i, name in enumerate(sorted(terms))}
            rows: dict[str, list[tuple[dict[Variable, float], float]]] = {}
            for kind in ("equal", "at_most"):
                rows[kind] = [r for r in getattr(self, kind) if parts[next(iter(r[0]))] in mine]
                for row, _ in rows[kind]:
                    for name in row:
                        place.setdefault(name, len(place))
            self.found[mine] = Part(
                place, _matrix(rows["at_most"], place), _matrix(rows["equal"], place)
            )
        return self.found[mine]

    def _parts(self) -> dict[Variable, Variable]:
        """The connected part of each variable, by the name of one of it."""
        if not hasattr(self, "_found"):
            above = {name: name for name in self.place}

            def top(name: Variable) -> Variable:
                while above[name] != name:
                    above[name] = above[above[name]]
                    name = above[name]
                return name

            for row, _ in [*self.equal, *self.at_most]:
                first, *rest = row
                for name in rest:
                    above[top(name)] = top(first)
            self._found = {name: top(name) for name in self.place}
        return self._found


Matrix = tuple[csr_matrix | None, np.ndarray | None]


@dataclass
class Part:
    """Connected variables, and all that is known of them as matrices."""

    place: dict[Variable, int]
    at_most: Matrix
    equal: Matrix

    def extreme(self, terms: dict[Variable, float], sign: int) -> float:
        """Return the least value of a sum; with ``sign`` -1 the greatest, negated."""
        cost = np.zeros(len(self.place))
        for name, factor in terms.items():
            cost[self.place[name]] = sign * factor
        limits = (*self.at_most, *self.equal)
        found = linprog(cost, *limits, bounds=(0, 1e6), method="highs")
        assert found.status == 0, (found.message, terms)
        return float(found.fun)


def _matrix(rows: list[tuple[dict[Variable, float], float]], place: dict[Variable, int]) -> Matrix:
    if not rows:
        return None, None
    cells = [(i, place[v], f) for i, (terms, _) in enumerate(rows) for v, f in terms.items()]
    numbers, columns, factors = zip(*cells, strict=True)
    shape = (len(rows), len(place))
    return csr_matrix((factors, (numbers, columns)), shape), np.array([v for _, v in rows])


@dataclass
class Package:
    """The rows of the package's CSV files."""

    folder: Path

    def rows(self, name: str) -> list[dict[str, str]]:
        path = self.folder / f"{name}.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def known(cell: str) -> float | None:
    return None if cell in ("", HIDDEN) else float(cell)


def of(college: str, terms: Terms, factor: float = 1) -> dict[Variable, float]:
    return {(college, count): factor * times for count, times in terms.items()}


def plus(*sums: dict[Variable, float]) -> dict[Variable, float]:
    total: dict[Variable, float] = {}
    for one in sums:
        for name, factor in one.items():
            total[name] = total.get(name, 0) + factor
    return {name: factor for name, factor in total.items() if factor}


Linear = Callable[[str, str], bool]
"""Whether the goalposts leave a college's KPI as it is, so that its points are a straight line."""


def knowledge(package: Package, linear: Linear = lambda _college, _kpi: False) -> System:
    """Everything that the package tells of the people behind the KPIs.

    ``linear``: where the outsider may guess that a hidden KPI is not cut off by its goalposts.
    """
    system = System()
    regions = {row["college_id"]: row["region"] for row in package.rows("colleges")}
    for college in regions:
        for group in GROUPS:
            system.bounded(of(college, group, -1), 0)
    for row in package.rows("kpi_values"):
        for part, terms in _parts_of(row["kpi"]):
            value = known(row[part])
            if value is not None:
                system.equals(of(row["college_id"], terms), value)
    for row in package.rows("region_kpis"):
        inside = [c for c, region in regions.items() if row["region"] in (region, "KZ")]
        for part, terms in _parts_of(row["kpi"]):
            value = known(row[part])
            if value is not None:
                system.equals(plus(*(of(c, terms) for c in inside)), value)
    for terms, most in [*_gates(package), *_places(package, linear)]:
        system.bounded(terms, most)
    return system


def _parts_of(kpi: str) -> Iterator[tuple[str, Terms]]:
    top, bottom = DEFINITIONS.get(kpi, ({}, {}))
    if top:
        yield "numerator", top
    if bottom:
        yield "denominator", bottom


def _gates(package: Package) -> Iterator[tuple[dict[Variable, float], float]]:
    """A gate that is passed: threshold x denominator - numerator <= 0; the share tells of all."""
    share = {row["college_id"]: known(row["share"]) for row in package.rows("funding")}
    gates = [row for row in package.rows("gates") if row["gate"] in DEFINITIONS]
    by_college: dict[str, list[dict[str, str]]] = {}
    for row in package.rows("gates"):
        by_college.setdefault(row["college_id"], []).append(row)
    for row in gates:
        college = row["college_id"]
        top, bottom = DEFINITIONS[row["gate"]]
        lacking = plus(of(college, bottom, float(row["threshold"])), of(college, top, -1))
        others = [r["passed"] for r in by_college[college] if r is not row]
        all_pass = share.get(college) == 1
        only_this_fails = share.get(college) == 0 and others == ["true"] * len(others)
        if row["passed"] == "true" or all_pass:
            yield lacking, 0
        elif row["passed"] == "false" or only_this_fails:
            yield {name: -factor for name, factor in lacking.items()}, 0


def _places(package: Package, linear: Linear) -> Iterator[tuple[dict[Variable, float], float]]:
    """A hidden score lies between those of the places above and below; where it is a sum."""
    ranking = [row for row in package.rows("ranking") if row["rank"]]
    scores = [(int(row["rank"]), known(row["score"])) for row in ranking]
    values = {(row["college_id"], row["kpi"]): row for row in package.rows("kpi_values")}
    for row in ranking:
        if row["score"] != HIDDEN:
            continue
        rank = int(row["rank"])
        above = [s for r, s in scores if r < rank and s is not None]
        below = [s for r, s in scores if r > rank and s is not None]
        total = _score(row["college_id"], values, linear)
        if total is None:
            continue
        terms, constant = total
        if above and terms:
            yield terms, min(above) + 0.01 - constant
        if below and terms:
            yield {name: -factor for name, factor in terms.items()}, constant - max(below) + 0.01


def _score(
    college: str, values: dict[tuple[str, str], dict[str, str]], linear: "Linear"
) -> tuple[dict[Variable, float], float] | None:
    """The score as a sum over hidden numerators, if all else in it is known."""
    terms: dict[Variable, float] = {}
    constant = 0.0
    for kpi, (points, floor, target) in SCALES.items():
        row = values[college, kpi]
        people = known(row["denominator"])
        if not people:
            return None
        slope = points / (target - floor)
        value = known(row["value"])
        if value is None:
            if not linear(college, kpi):
                return None
            top = DEFINITIONS[kpi][0]
            terms = plus(terms, of(college, top, slope / people))
            constant -= slope * floor
        else:
            constant += min(max(slope * (value - floor), 0), points)
    return terms, constant


def money(package: Package) -> System:
    """Everything that the package tells of paid students; the variables are lines."""
    system = System()
    lines: dict[str, list[dict[str, str]]] = {}
    for row in package.rows("funding_lines"):
        lines.setdefault(row["college_id"], []).append(row)
        _money_row(system, row, [row], ("students", "base_amount", "incentive_amount", "amount"))
    places = {row["college_id"]: row for row in package.rows("colleges")}
    columns = ("students", "base_amount", "incentive_amount", "amount")
    for row in package.rows("funding"):
        _money_row(system, row, lines.get(row["college_id"], []), columns)
    for table, key in (("funding_regions", "region"), ("funding_administrators", "administrator")):
        for row in package.rows(table):
            inside = [
                line
                for college, those in lines.items()
                for line in those
                if row[key] in (places[college][key] or "not_stated", "KZ")
            ]
            _money_row(system, row, inside, columns)
    for row in package.rows("colleges"):
        mine = lines.get(row["college_id"], [])
        if (students := known(row["students"])) is not None and mine:
            system.bounded({line_of(line): 1 for line in mine}, students)
    return system


def line_of(row: dict[str, str]) -> Variable:
    return row["college_id"], row["specialty"]


def _money_row(
    system: System, row: dict[str, str], lines: list[dict[str, str]], columns: Iterable[str]
) -> None:
    norms = {
        "students": lambda line: 1.0,
        "base_amount": lambda line: float(line["base_norm"]) / 1e6,
        "incentive_amount": lambda line: float(line["incentive_norm"]) / 1e6,
        "amount": lambda line: (float(line["base_norm"]) + float(line["incentive_norm"])) / 1e6,
    }
    for column in columns:
        value = known(row[column])
        if value is not None and lines:
            terms = {line_of(line): norms[column](line) for line in lines}
            terms = {name: factor for name, factor in terms.items() if factor}
            if terms:
                system.equals(terms, value / (1 if column == "students" else 1e6))
