"""Which cells of a published round are hidden, so that nobody learns a count of 1 to 4 people.

The method is cell suppression (Hundepool et al., Statistical Disclosure Control, Wiley 2012,
chapter 4): small cells are hidden (primary), and more of them where a published sum would give them
back (complementary). What is held here is an invariant that can be shown by swapping people:

* Every published number is a sum of *counts*. A count has *cells*: it and its differences to the
  counts that it lies within, each a number of people. A count is hidden where one of its cells is 1
  to 4, and wherever a count that its cells need is hidden.
* The units whose count is hidden under one published sum are a *pool*. Two units of a pool can swap
  a person who counts for one who does not: no published number changes. So a hidden count lies
  anywhere in a range, as wide as there are people to swap. The smallest other units join the pool
  until every small cell's range is at least ``WIDTH`` wide.
* Where a region has no more units to give, its own sum is hidden, and the pool is the nation's.

A college's score is one more published sum, over KPIs: where it would give a hidden KPI back, a
second one is hidden (``Scored``). A gate's result bounds a count and narrows its range (``Gate``).
Tenge are students times a norm, so a pool of ``hide_money`` holds lines of one norm only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

SMALL = 5
"""Counts of people from 1 to ``SMALL - 1`` are not shown."""

WIDTH = 5
"""The least difference between the highest and lowest value that a hidden small cell can have."""

NO_LIMIT = 10**12

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Terms = Mapping[str, int]
"""A sum of counts: count to factor."""


@dataclass(frozen=True)
class Count:
    """A number of people in a unit, and the cells that it makes with the counts around it.

    ``within``: the counts that must be shown for it to be shown, the nearest last. Each cell is a
    sum of counts that is itself a number of people, in which this count has the factor 1 or -1.
    """

    name: str
    within: tuple[str, ...] = ()
    cells: tuple[Terms, ...] = ()


def _less(whole: str, *parts: str) -> Terms:
    return {whole: 1, **dict.fromkeys(parts, -1)}


COUNTS = (
    Count("cohort", (), ({"cohort": 1},)),
    Count("certified", ("cohort",), ({"certified": 1}, _less("cohort", "certified"))),
    Count("employed", ("cohort",), ({"employed": 1}, _less("cohort", "employed"))),
    Count(
        "excluded",
        ("cohort", "employed"),
        ({"excluded": 1}, _less("cohort", "excluded"), _less("cohort", "employed", "excluded")),
    ),
    Count("studying", ("excluded",), ({"studying": 1}, _less("excluded", "studying"))),
    Count(
        "in_specialty",
        ("excluded", "employed"),
        (
            {"in_specialty": 1},
            _less("employed", "in_specialty"),
            _less("cohort", "excluded", "in_specialty"),
        ),
    ),
    Count("paid_known", ("employed",), ({"paid_known": 1}, _less("employed", "paid_known"))),
    Count(
        "claiming",
        ("cohort", "employed", "excluded"),
        (
            {"claiming": 1},
            _less("claiming", "employed"),
            _less("cohort", "claiming"),
            _less("cohort", "excluded", "claiming"),
        ),
    ),
    Count(
        "declared_employed",
        ("employed", "claiming"),
        (
            {"declared_employed": 1},
            _less("declared_employed", "employed"),
            _less("claiming", "declared_employed"),
            _less("cohort", "excluded", "declared_employed"),
        ),
    ),
    Count(
        "declared_excluded",
        ("excluded", "claiming"),
        (
            {"declared_excluded": 1},
            _less("declared_excluded", "excluded"),
            _less("cohort", "declared_excluded"),
            _less("cohort", "declared_employed", "declared_excluded"),
            _less("cohort", "claiming", "declared_excluded"),
        ),
    ),
    Count(
        "dual_measured",
        ("cohort", "excluded"),
        ({"dual_measured": 1}, _less("cohort", "excluded", "dual_measured")),
    ),
    Count(
        "dual_employed",
        ("employed", "excluded", "dual_measured"),
        (
            {"dual_employed": 1},
            _less("dual_measured", "dual_employed"),
            _less("employed", "dual_employed"),
            {"cohort": 1, "excluded": -1, "employed": -1, "dual_measured": -1, "dual_employed": 1},
        ),
    ),
    Count("contingent", (), ({"contingent": 1},)),
    Count("in_dual", ("contingent",), ({"in_dual": 1}, _less("contingent", "in_dual"))),
    Count("employers", ("in_dual",)),  # no people, but as many as there are dual students or fewer
    Count("accredited", ("contingent",), ({"accredited": 1}, _less("contingent", "accredited"))),
    Count("targeted", ("contingent",), ({"targeted": 1}, _less("contingent", "targeted"))),
    Count("year_earlier", (), ({"year_earlier": 1},)),
    Count("left", ("year_earlier",), ({"left": 1}, _less("year_earlier", "left"))),
)

_MEASURED = _less("cohort", "excluded")

RATIOS: Mapping[str, tuple[Terms, Terms]] = {
    "employment_rate": ({"employed": 1}, _MEASURED),
    "in_specialty_rate": ({"in_specialty": 1}, _MEASURED),
    "certified_share": ({"certified": 1}, {"cohort": 1}),
    "employment_rate_of_all": ({"employed": 1}, {"cohort": 1}),
    "employment_rate_with_study": ({"employed": 1, "studying": 1}, {"cohort": 1}),
    "further_study_rate": ({"studying": 1}, {"cohort": 1}),
    "excluded_share": ({"excluded": 1}, {"cohort": 1}),
    "verified_share": ({"employed": 1}, {"claiming": 1}),
    "employment_declared_rate": (
        {"declared_employed": 1},
        _less("cohort", "declared_excluded"),
    ),
    "dual_employment_rate": ({"dual_employed": 1}, {"dual_measured": 1}),
    "dual_share": ({"in_dual": 1}, {"contingent": 1}),
    "accredited_share": ({"accredited": 1}, {"contingent": 1}),
    "targeted_share": ({"targeted": 1}, {"contingent": 1}),
    "employers_per_100": ({"employers": 100}, {"contingent": 1}),
    "dropout_rate": ({"left": 1}, {"year_earlier": 1}),
    "median_wage": ({}, {"paid_known": 1}),  # the numerator is tenge; it rests on the people known
}
"""What the numerator and denominator of each KPI about people are sums of (sql/2_kpi/)."""

_EMPTY_IF_UNKNOWN = ("excluded", "declared_excluded")


def counts_of(parts: Mapping[tuple[str, bool], Whole]) -> dict[str, Whole]:
    """Return the counts that the published parts of KPIs determine, as arrays over the colleges.

    ``parts`` has, by (KPI, whether it is the numerator), the numbers of people. A count that no
    part gives is left out: nobody can compute with it. A cohort that is only published less the
    excluded is taken for the cohort.
    """
    known: dict[str, Whole] = {}
    sums = [(RATIOS[kpi][0 if top else 1], array) for (kpi, top), array in parts.items()]
    while True:
        for terms, array in sums:
            unknown = [count for count in terms if count not in known]
            if len(unknown) == 1:
                rest = sum(
                    known[count] * factor for count, factor in terms.items() if count in known
                )
                known[unknown[0]] = (array - rest) // terms[unknown[0]]
                break
        else:
            open_terms = {count for terms, _ in sums for count in terms} - set(known)
            empty = [count for count in _EMPTY_IF_UNKNOWN if count in open_terms]
            if not empty:
                return known
            known[empty[0]] = np.zeros_like(next(iter(parts.values())))


@dataclass(frozen=True)
class Gate:
    """What a gate's result says of each college: numerator >= threshold x denominator, or not.

    ``threshold`` in millionths; ``decided``: where the counts decided. ``earlier``: of a gate on
    pooled counts, what the cohorts before add to numerator - threshold x denominator, in
    millionths, by college.
    """

    kpi: str
    threshold: int
    decided: Flags
    passed: Flags
    earlier: Whole | int = 0


@dataclass(frozen=True)
class Scored:
    """A KPI in the score: the points (0..100) that a person more in its numerator is worth, by
    college; 0 where the goalposts cut it off or the college is not ranked.
    """

    kpi: str
    weight: float
    points: npt.NDArray[np.float64]
    direction: int = 1


@dataclass
class HiddenCounts:
    """What is hidden: by count, flags over the colleges, over the regions, and the nation."""

    colleges: dict[str, Flags]
    regions: dict[str, Flags]
    nation: dict[str, bool]

    def of_colleges(self, terms: Terms) -> Flags:
        """Whether a sum of counts (one or more) is hidden, by college."""
        return _any([self.colleges[name] for name in terms])

    def of_regions(self, terms: Terms) -> Flags:
        """Whether a region's sum is hidden; the last flag is the nation's."""
        return _any([np.append(self.regions[name], self.nation[name]) for name in terms])


def _any(rows: Sequence[Flags]) -> Flags:
    return np.asarray(np.logical_or.reduce(rows))


def is_small(array: Whole, unit: int = 1) -> Flags:
    """Whether cells are 1 to 4 people; ``unit`` is what one person counts for."""
    return np.asarray((array > 0) & (array < SMALL * unit))


@dataclass
class _Table:
    """The counts of one round: cells, room to swap, and what is hidden so far."""

    counts: dict[str, Whole]
    region: Whole
    summed: frozenset[str]
    gates: Sequence[Gate]
    scored: Sequence[Scored]
    hidden: HiddenCounts = field(init=False)
    shape: dict[str, Count] = field(init=False)
    cells: dict[str, list[tuple[int, Whole]]] = field(init=False)
    need: dict[str, Whole] = field(init=False)

    def __post_init__(self) -> None:
        self.shape = {count.name: count for count in COUNTS if count.name in self.counts}
        self.cells = {name: list(self._cells(count)) for name, count in self.shape.items()}
        size, regions = len(self.region), self.region_number
        self.need = {
            name: np.where(self._small(name), WIDTH, 0).astype(np.int64) for name in self.shape
        }
        self.hidden = HiddenCounts(
            {name: self._small(name) for name in self.shape},
            {name: np.zeros(regions, dtype=bool) for name in self.shape},
            dict.fromkeys(self.shape, False),
        )
        assert all(len(array) == size for array in self.counts.values())

    @property
    def region_number(self) -> int:
        return int(self.region.max()) + 1 if len(self.region) else 0

    def _cells(self, count: Count) -> Iterator[tuple[int, Whole]]:
        """Yield (1 where the cell grows with the count, else -1; the cell by college)."""
        for terms in count.cells:
            if all(name in self.counts for name in terms):
                total = sum(self.counts[name] * factor for name, factor in terms.items())
                yield terms[count.name], np.asarray(total, dtype=np.int64)

    def _small(self, name: str) -> Flags:
        smalls = [is_small(cell) for _, cell in self.cells[name]]
        return _any(smalls) if smalls else np.zeros(len(self.region), dtype=bool)

    def within(self, name: str) -> list[str]:
        return [parent for parent in self.shape[name].within if parent in self.shape]

    def by_region(self, array: Whole) -> Whole:
        return np.bincount(self.region, weights=array, minlength=self.region_number).astype(
            np.int64
        )

    def room(self, name: str) -> tuple[Whole, Whole]:
        """Return how much lower and higher the count could be in each college, all else equal."""
        size = len(self.region)
        ways = {1: np.full(size, NO_LIMIT), -1: np.full(size, NO_LIMIT)}
        for sign, cell in self.cells[name]:
            ways[sign] = np.minimum(ways[sign], cell)
        low, high = ways[1], ways[-1]
        for gate in self.gates:
            low, high = self._within_gate(name, gate, low, high)
        return low, high

    def _within_gate(self, name: str, gate: Gate, low: Whole, high: Whole) -> tuple[Whole, Whole]:
        """Narrow the room to what keeps the gate's result, where all else in it is shown."""
        top, bottom = RATIOS[gate.kpi]
        names = {*top, *bottom}
        if name not in names or not names <= set(self.shape):
            return low, high
        factors = {
            part: 1_000_000 * top.get(part, 0) - gate.threshold * bottom.get(part, 0)
            for part in names
        }
        excess = gate.earlier + sum(self.counts[part] * factor for part, factor in factors.items())
        slope = abs(factors[name])
        others = _any([self.hidden.colleges[part] for part in sorted(names - {name})])
        known = gate.decided & ~others if slope else np.zeros_like(gate.decided)
        left = np.where(gate.passed, excess, -excess - 1) // max(slope, 1)
        falls = gate.passed == (factors[name] > 0)  # the way on which the result would turn
        return (
            np.where(known & falls, np.minimum(low, left), low),
            np.where(known & ~falls, np.minimum(high, left), high),
        )

    def close(self) -> None:
        """Hide what lies within what is hidden, and the regions' own small sums."""
        for name in self.shape:
            for parent in self.within(name):
                self.hidden.colleges[name] = (
                    self.hidden.colleges[name] | self.hidden.colleges[parent]
                )
                self.hidden.regions[name] = self.hidden.regions[name] | self.hidden.regions[parent]
                if self.hidden.nation[parent]:
                    self._hide_nation(name)
            for _, cell in self.cells[name]:
                small = is_small(self.by_region(cell))
                self.hidden.regions[name] = self.hidden.regions[name] | small
                if is_small(cell.sum(keepdims=True))[0]:
                    self._hide_nation(name)

    def _hide_nation(self, name: str) -> None:
        self.hidden.nation[name] = True
        self.hidden.regions[name] = np.ones(self.region_number, dtype=bool)

    def narrow_gates(self) -> bool:
        """Hide the count around one that a gate's result would leave too little room for."""
        changed = bool([gate for gate in self.gates if self._narrow_whole(gate)])
        for name in self.shape:
            parents = self.within(name)
            if not parents or not any(name in _names(gate.kpi) for gate in self.gates):
                continue
            low, high = self.room(name)
            shut = self.hidden.colleges[name] & (self.need[name] > 0) & (low + high < WIDTH)
            shut &= ~_any([self.hidden.colleges[parent] for parent in parents])
            if shut.any():
                self._need(parents[-1], shut)
                changed = True
        return changed

    def _narrow_whole(self, gate: Gate) -> bool:
        """Hide the whole that a gate measures where it is so small that the result alone bounds the
        small cell: at most threshold x whole are in it if it failed, 1 - threshold if it passed;
        with a pooled gate, as many fewer or more as the cohorts before leave.
        """
        names = sorted(_names(gate.kpi))
        [root, *_] = [name for name in names if not self.within(name)] or [names[0]]
        open_share = np.where(gate.passed, 1_000_000 - gate.threshold, gate.threshold)
        open_people = open_share * self.counts[root]
        open_people = open_people + np.where(gate.passed, gate.earlier, -gate.earlier)
        shut = gate.decided & (open_people <= WIDTH * 1_000_000)
        small = [self.hidden.colleges[name] & (self.need[name] > 0) for name in names]
        shut &= _any(small) & ~self.hidden.colleges[root]
        self._need(root, shut)
        return bool(shut.any())

    def _need(self, name: str, flags: Flags) -> None:
        """Hide a count that is not small because a small one depends on its being unknown."""
        self.hidden.colleges[name] = self.hidden.colleges[name] | flags
        self.need[name] = np.where(flags, np.maximum(self.need[name], WIDTH), self.need[name])

    def hide_more(self) -> None:
        """Hide until no published sum, gate or score gives a small cell back."""
        before = -1
        while before != (before := self._size()):
            self.close()
            while self.narrow_gates():
                self.close()
            guard_scores(self)
            self.close()
            for name in self.shape:
                self.close()
                if name in self.summed:
                    self._protect(name)

    def _size(self) -> int:
        states = [*self.hidden.colleges.values(), *self.hidden.regions.values()]
        return sum(int(state.sum()) for state in states) + sum(self.hidden.nation.values())

    def _protect(self, name: str) -> None:
        """Fill the pools of a count: those of the regions shown, then the nation's."""
        for region in range(self.region_number):
            if not self.hidden.regions[name][region] and not self._fill(name, {region}):
                self.hidden.regions[name][region] = True
        while not self.hidden.nation[name] and self.hidden.regions[name].any():
            if self._fill(name, set(np.flatnonzero(self.hidden.regions[name]).tolist())):
                return
            self._hide_next_region(name)

    def _hide_next_region(self, name: str) -> None:
        """Hide the sum of the smallest region that is shown, or the nation's."""
        shown = np.flatnonzero(~self.hidden.regions[name])
        if not len(shown):
            self._hide_nation(name)
            return
        sizes = self.by_region(self.counts[name])[shown]
        self.hidden.regions[name][shown[np.argmin(np.where(sizes > 0, sizes, NO_LIMIT))]] = True

    def _fill(self, name: str, regions: set[int]) -> bool:
        """Let the smallest units join the pool of these regions until it holds; False: it can't."""
        inside = np.isin(self.region, sorted(regions))
        hidden = self.hidden.colleges[name]
        low, high = self.room(name)
        sizes = self.counts[name]
        if not self._holds(name, np.flatnonzero(inside & (hidden | (sizes > 0))), low, high):
            return False
        while not self._holds(name, np.flatnonzero(inside & hidden), low, high):
            free = np.flatnonzero(inside & ~hidden & (sizes > 0))
            ordered = free[np.lexsort((free, sizes[free]))]
            pool = np.flatnonzero(inside & hidden)
            enough = (one for one in ordered if self._holds(name, np.append(pool, one), low, high))
            hidden[next(enough, ordered[-1])] = True
        return True

    def _holds(self, name: str, pool: Whole, low: Whole, high: Whole) -> bool:
        """Whether every small cell of the pool keeps its range, the pool's sum being known."""
        need = self.need[name][pool]
        if not len(pool) or not need.any():
            return True
        if any(is_small(cell[pool].sum(keepdims=True))[0] for _, cell in self.cells[name]):
            return False
        down, up = low[pool], high[pool]
        if not self._regions_hold(name, pool, down, up):
            return False
        block = self._blocks(name, pool)
        of_block = block[:, None] == block[None, :]
        down_block, up_block = of_block @ down, of_block @ up
        below = np.minimum(down_block, up.sum() - up_block)
        below = np.where(of_block.sum(axis=1) > 1, down_block, below)  # people move inside it
        above = np.minimum(up_block, down.sum() - down_block)
        reachable = np.minimum(need, down_block + up_block)
        return bool(np.all((need == 0) | (below + above >= reachable)))

    def _regions_hold(self, name: str, pool: Whole, down: Whole, up: Whole) -> bool:
        """Whether the small sums of hidden regions keep their range in the nation's pool."""
        for region in np.unique(self.region[pool]):
            if not self.hidden.regions[name][region]:
                continue
            if not any(is_small(self.by_region(c))[region] for _, c in self.cells[name]):
                continue
            mine = self.region[pool] == region
            parents = [self.hidden.regions[parent][region] for parent in self.within(name)]
            others_down, others_up = int(down[~mine].sum()), int(up[~mine].sum())
            if any(parents):
                others_up += others_down
            ways = min(int(down[mine].sum()), others_up), min(int(up[mine].sum()), others_down)
            if sum(ways) < min(WIDTH, int(down[mine].sum() + up[mine].sum())):
                return False
        return True

    def _blocks(self, name: str, pool: Whole) -> Whole:
        """Number the units of a pool. Those whose surrounding count is hidden, in one pool of its
        own, share a number: people themselves can be thought from one to the other.
        """
        block = np.arange(len(pool)) + self.region_number + 1
        for parent in self.within(name):
            hidden = self.hidden.colleges[parent][pool]
            open_region = ~self.hidden.regions[parent][self.region[pool]]
            block = np.where(hidden, np.where(open_region, self.region[pool], -1), block)
        return np.asarray(block, dtype=np.int64)


def _names(kpi: str) -> set[str]:
    top, bottom = RATIOS[kpi]
    return {*top, *bottom}


def guard_scores(table: _Table) -> None:
    """Hide a further KPI of a college whose score, all else known, gives a hidden one back.

    The KPI of the least weight that leaves the hidden count a range of ``WIDTH`` is taken, else the
    one that leaves it most. What joins needs as wide a range itself, in points.
    """
    scored = [entry for entry in table.scored if _names(entry.kpi) <= set(table.shape)]
    rooms = {entry.kpi: table.room(_top(entry)) for entry in scored}
    for entry in scored:
        top, bottom = RATIOS[entry.kpi]
        alone = table.hidden.of_colleges(top) & ~table.hidden.of_colleges(bottom)
        for unit in np.flatnonzero(alone & (entry.points > 0)):
            _guard(table, entry, int(unit), scored, rooms)


def _top(entry: Scored) -> str:
    [count] = RATIOS[entry.kpi][0]
    return count


def _guard(
    table: _Table,
    entry: Scored,
    unit: int,
    scored: Sequence[Scored],
    rooms: Mapping[str, tuple[Whole, Whole]],
) -> None:
    """Hide companions of one hidden KPI of one college until the score leaves it its range."""
    need = int(table.need[_top(entry)][unit]) or WIDTH
    low, high = (int(way[unit]) for way in rooms[entry.kpi])
    need = min(need, low + high)

    def width(companions: Sequence[Scored]) -> float:
        down = up = 0.0  # points by which the companions could move against the hidden KPI
        for other in companions:
            ways = [float(way[unit] * other.points[unit]) for way in rooms[other.kpi]]
            lower, higher = ways if other.direction == entry.direction else ways[::-1]
            down, up = down + lower, up + higher
        worth = entry.points[unit]
        return float(min(low, up // worth) + min(high, down // worth))

    others = [other for other in scored if other.kpi != entry.kpi]
    if any(table.hidden.of_colleges(RATIOS[other.kpi][1])[unit] for other in others):
        return  # a ratio of two unknown numbers leaves every range open
    there = [c for c in others if table.hidden.colleges[_top(c)][unit]]
    free = sorted(
        (c for c in others if c not in there and c.points[unit] > 0),
        key=lambda c: (c.weight, c.kpi),
    )
    while width(there) < need and free:
        enough = [c for c in free if width([*there, c]) >= need]
        chosen = enough[0] if enough else max(free, key=lambda c: width([*there, c]))
        count = _top(chosen)
        table.hidden.colleges[count][unit] = True
        wanted = int(np.ceil(need * entry.points[unit] / chosen.points[unit]))
        table.need[count][unit] = max(table.need[count][unit], wanted)
        there.append(chosen)
        free.remove(chosen)


def hide_counts(
    counts: Mapping[str, Whole],
    region: Whole,
    summed: frozenset[str],
    gates: Sequence[Gate] = (),
    scored: Sequence[Scored] = (),
) -> HiddenCounts:
    """Return what of the counts must be hidden for a table of colleges, regions and the nation.

    ``counts``: those of ``COUNTS`` that are published, as arrays over the colleges. ``region``: the
    number of each college's region. ``summed``: the counts whose regional and national sums are
    published. The order of the colleges decides between equal ones; the same input gives the same
    answer.
    """
    table = _Table(dict(counts), region, summed, gates, scored)
    table.hide_more()
    return table.hidden


@dataclass(frozen=True)
class Lines:
    """The paid lines of colleges: arrays over the lines, and over the colleges.

    ``months``: student-months, twelve a student; ``price``: a number for each coefficient; over the
    colleges: ``region``, ``administrator`` and ``terms``, a number for each share and guarantee.
    """

    college: Whole
    months: Whole
    price: Whole
    region: Whole
    administrator: Whole
    terms: Whole


@dataclass
class HiddenMoney:
    """Flags over the lines and the totals of colleges, regions and administrators; the nation's."""

    lines: Flags
    colleges: Flags
    regions: Flags
    administrators: Flags
    nation: bool = False


PERSON = 12
"""What a student is in student-months."""


def hide_money(lines: Lines) -> HiddenMoney:
    """Return which lines and totals of students and tenge must be hidden.

    A line of 1 to 4 students is hidden with the smallest other lines of its college and price, as
    many as make their sum 5 students or more: people can be thought from one into the other without
    changing a sum of students or of tenge. Where a college has none, its total is hidden, all its
    lines, and the total of the smallest college of the same region, administrator, share and price;
    only where there is none, sums of regions or administrators are hidden too.
    """
    rule = _Money(lines)
    rule.hide()
    return rule.hidden


class _Money:
    """The pools of lines: within a college while its total is shown, then between colleges."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        size = len(lines.region)
        self.total = np.bincount(lines.college, weights=lines.months, minlength=size).astype(int)
        self.sums = {
            "regions": _sums(lines.region, self.total),
            "administrators": _sums(lines.administrator, self.total),
        }
        self.hidden = HiddenMoney(
            is_small(lines.months, PERSON),
            is_small(self.total, PERSON),
            is_small(self.sums["regions"], PERSON),
            is_small(self.sums["administrators"], PERSON),
        )

    def hide(self) -> None:
        for college in range(len(self.total)):
            if not self.hidden.colleges[college]:
                self._hide_lines(college)
        if is_small(self.total.sum(keepdims=True), PERSON)[0]:
            self._hide_all()
        while self._widen():
            pass
        self.hidden.lines |= self.hidden.colleges[self.lines.college]

    def _hide_lines(self, college: int) -> None:
        """Fill the pools of one college; hide its total where one cannot be filled."""
        mine = self.lines.college == college
        small = mine & self.hidden.lines
        for price in np.unique(self.lines.price[small]):
            same = np.flatnonzero(mine & (self.lines.price == price))
            ordered = same[np.lexsort((same, self.lines.months[same]))]
            reached = np.cumsum(self.lines.months[ordered])
            if reached[-1] < SMALL * PERSON:
                self.hidden.colleges[college] = True
                return
            number = int(np.searchsorted(reached, SMALL * PERSON)) + 1
            pool = ordered[:number]
            self.hidden.lines[pool] = True

    def _widen(self) -> bool:
        """Let one more college, or margins, join for the first line without a partner."""
        if self.hidden.nation:
            return False
        for line in np.flatnonzero(self._sensitive()):
            if not self._has_partner(int(line)):
                self._join(int(line))
                return True
        return False

    def _sensitive(self) -> Flags:
        """Lines between colleges: small ones, and all of a small college."""
        of_hidden = self.hidden.colleges[self.lines.college]
        small = is_small(self.lines.months, PERSON)
        small |= is_small(self.total, PERSON)[self.lines.college]
        return np.asarray(of_hidden & small & (self.lines.months > 0))

    def _swappable(self, line: int) -> Flags:
        """Lines of the same price and terms, of other colleges where the total must move too."""
        college = self.lines.college[line]
        same = self.lines.price == self.lines.price[line]
        same[line] = False
        if is_small(self.total[college : college + 1], PERSON)[0]:
            same &= self.lines.college != college
        same &= self.lines.terms[self.lines.college] == self.lines.terms[college]
        for margin, labels in self._labels().items():
            mine = labels[college]
            if is_small(self.sums[margin][mine : mine + 1], PERSON)[0]:
                same &= labels[self.lines.college] != mine  # the small sum itself must move
        return np.asarray(same & (self.lines.months > 0))

    def _labels(self) -> dict[str, Whole]:
        return {"regions": self.lines.region, "administrators": self.lines.administrator}

    def _has_partner(self, line: int) -> bool:
        college = self.lines.college[line]
        pool = self._swappable(line) & self.hidden.colleges[self.lines.college]
        for margin, labels in self._labels().items():
            hidden = getattr(self.hidden, margin)
            theirs = labels[self.lines.college]
            mine = labels[college]
            pool &= hidden[theirs] if hidden[mine] else theirs == mine
        held = int(self.lines.months[pool].sum()) + int(self.lines.months[line])
        return bool(pool.any()) and held >= SMALL * PERSON

    def _join(self, line: int) -> None:
        """Hide the smallest college that can be a partner, and the margins between the two."""
        college = self.lines.college[line]
        can = self._swappable(line)
        region, administrator = self.lines.region, self.lines.administrator
        others = np.setdiff1d(self.lines.college[can], [college])
        taken = self.hidden.colleges[others]
        crosses_region = (region[others] != region[college]) & ~(
            self.hidden.regions[region[others]] & self.hidden.regions[region[college]]
        )
        crosses_administrator = (administrator[others] != administrator[college]) & ~(
            self.hidden.administrators[administrator[others]]
            & self.hidden.administrators[administrator[college]]
        )
        order = np.lexsort((others, self.total[others], crosses_region, crosses_administrator))
        useful = [i for i in order if not taken[i] or crosses_region[i] or crosses_administrator[i]]
        if not useful:
            self._hide_all()
            return
        chosen = useful[0]
        self.hidden.colleges[others[chosen]] = True
        if crosses_region[chosen]:
            self.hidden.regions[[region[college], region[others[chosen]]]] = True
        if crosses_administrator[chosen]:
            pair = [administrator[college], administrator[others[chosen]]]
            self.hidden.administrators[pair] = True

    def _hide_all(self) -> None:
        self.hidden.nation = True
        self.hidden.regions[:] = True
        self.hidden.administrators[:] = True


def _sums(labels: Whole, totals: Whole) -> Whole:
    return np.bincount(labels, weights=totals).astype(np.int64)
