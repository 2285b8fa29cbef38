"""Which cells are hidden: small ones, what gives them back, and as little else as may be.

An outsider (attack.py) who knows all that is shown must be left with a range of five or more for
every number of 1 to 4 people, in any table.
"""

from typing import Any

import numpy as np
import pytest
from attack import GROUPS, System, of, plus
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.suppression import (
    COUNTS,
    RATIOS,
    WIDTH,
    Gate,
    HiddenCounts,
    HiddenMoney,
    Lines,
    Scored,
    counts_of,
    hide_counts,
    hide_money,
)

LETTERS = {
    "cohort": "N",
    "certified": "C",
    "employed": "E",
    "excluded": "X",
    "studying": "S",
    "in_specialty": "I",
    "paid_known": "M",
    "claiming": "W",
    "declared_employed": "DE",
    "declared_excluded": "DX",
    "dual_measured": "Du",
    "dual_employed": "DuE",
    "contingent": "T",
    "in_dual": "D",
    "employers": "P",
    "accredited": "A",
    "targeted": "G",
    "year_earlier": "Y",
    "left": "L",
}
NARROW = WIDTH - 1e-6
Table = dict[str, list[int]]


def arrays(table: Table) -> dict[str, Any]:
    return {name: np.array(column, dtype=np.int64) for name, column in table.items()}


def hide(table: Table, region: list[int], **more: Any) -> HiddenCounts:
    return hide_counts(arrays(table), np.array(region), frozenset(table), **more)


def told(table: Table, region: list[int], hidden: HiddenCounts | None) -> System:
    """What an outsider knows; with no ``hidden``, when only small cells themselves are hidden."""
    system = System()
    names = {LETTERS[name] for name in table}
    for college in range(len(region)):
        for group in GROUPS:
            if set(group) <= names:
                system.bounded(of(str(college), group, -1), 0)
    for name, column in table.items():
        for college, value in enumerate(column):
            is_hidden = 0 < value < 5 if hidden is None else hidden.colleges[name][college]
            if not is_hidden:
                system.equals(of(str(college), {LETTERS[name]: 1}), value)
        for place in [*range(max(region) + 1), None]:
            inside = [c for c, r in enumerate(region) if place in (r, None)]
            value = sum(column[c] for c in inside)
            if hidden is None:
                is_hidden = 0 < value < 5
            else:
                flag = hidden.nation[name] if place is None else hidden.regions[name][place]
                is_hidden = bool(flag)
            if not is_hidden:
                letter = {LETTERS[name]: 1.0}
                system.equals(plus(*(of(str(c), letter) for c in inside)), value)
    return system


def small_groups(table: Table, region: list[int]) -> list[tuple[dict[Any, float], int]]:
    """Every number of 1 to 4 people, of colleges, regions and the nation."""
    values = {LETTERS[name]: column for name, column in table.items()}
    places = [[college] for college in range(len(region))]
    places += [[c for c, r in enumerate(region) if r == place] for place in set(region)]
    places.append(list(range(len(region))))
    found = []
    for group in GROUPS:
        if not set(group) <= set(values):
            continue
        for inside in places:
            people = sum(
                round(f) * values[letter][c] for letter, f in group.items() for c in inside
            )
            if 0 < people < 5:
                found.append((plus(*(of(str(c), group) for c in inside)), people))
    return found


def narrowest(system: System, cells: list[tuple[dict[Any, float], int]]) -> float:
    """The width of the narrowest range; each must hold the true number."""
    widths = [float("inf")]
    for terms, people in cells:
        low, high = system.range(terms)
        assert low - 1e-6 <= people <= high + 1e-6, "the outsider's world is not the true one"
        widths.append(high - low)
    return min(widths)


def test_one_small_college_of_a_region_is_computed_from_the_region_unless_another_is_hidden() -> (
    None
):
    table = {"contingent": [100, 80, 120], "in_dual": [3, 30, 50]}
    region = [0, 0, 0]
    cells = small_groups(table, region)
    assert narrowest(told(table, region, None), cells) == 0, "subtraction gives the 3 back"
    hidden = hide(table, region)
    assert hidden.colleges["in_dual"].tolist() == [True, True, False], "the smallest one joins"
    assert not hidden.regions["in_dual"].any()
    assert narrowest(told(table, region, hidden), cells) >= NARROW


def test_a_region_with_one_college_hides_its_sum_and_the_next_smallest_region_joins() -> None:
    table = {"contingent": [60, 200, 300, 400], "in_dual": [2, 40, 60, 90]}
    region = [0, 1, 1, 2]
    cells = small_groups(table, region)
    assert narrowest(told(table, region, None), cells) == 0
    hidden = hide(table, region)
    assert hidden.regions["in_dual"].tolist() == [True, False, True]
    assert not hidden.nation["in_dual"]
    assert narrowest(told(table, region, hidden), cells) >= NARROW


def test_all_but_two_is_as_small_as_two() -> None:
    table = {"contingent": [20, 80, 90], "in_dual": [18, 40, 45]}
    hidden = hide(table, [0, 0, 0])
    assert hidden.colleges["in_dual"][0]
    assert not hidden.colleges["contingent"].any()


@pytest.mark.parametrize("dual", [0, 20])
def test_nobody_and_everybody_are_shown(dual: int) -> None:
    hidden = hide({"contingent": [20, 80], "in_dual": [dual, 40]}, [0, 0])
    assert not hidden.colleges["in_dual"].any()


def test_a_difference_of_two_shown_counts_is_a_number_of_people() -> None:
    cohort = {
        "cohort": [100, 200, 150],
        "employed": [60, 110, 90],
        "excluded": [38, 30, 20],  # 100 - 60 - 38 leaves two people of the first college
    }
    hidden = hide(cohort, [0, 0, 0])
    assert hidden.of_colleges({"cohort": 1, "excluded": -1})[0]
    assert not hidden.colleges["cohort"].any()
    cells = small_groups(cohort, [0, 0, 0])
    assert narrowest(told(cohort, [0, 0, 0], hidden), cells) >= NARROW


def test_what_lies_within_a_hidden_count_is_hidden() -> None:
    table = {"cohort": [3, 90, 80], "certified": [0, 20, 30], "employed": [3, 50, 40]}
    hidden = hide(table, [0, 0, 0])
    assert hidden.colleges["cohort"][0]
    assert hidden.colleges["certified"][0]
    assert hidden.colleges["employed"][0]


def test_small_numbers_that_sum_to_few_need_a_third_college() -> None:
    table = {"contingent": [100, 100, 300], "in_dual": [1, 2, 60]}
    hidden = hide(table, [0, 0, 0])
    assert hidden.colleges["in_dual"].all(), "1 + 2 known would leave a range of three"


def test_a_gate_that_fails_bounds_a_small_college_so_its_size_is_hidden_too() -> None:
    table = {"contingent": [15, 90, 80], "in_dual": [2, 30, 40]}
    result = Gate("dual_share", 200_000, np.array([True] * 3), np.array([False, True, True]))
    without = hide(table, [0, 0, 0])
    assert not without.colleges["contingent"][0]
    hidden = hide(table, [0, 0, 0], gates=[result])
    assert hidden.colleges["contingent"][0], "below 20 % of 15 there are only 0, 1 and 2"


def test_a_score_does_not_give_a_single_hidden_kpi_back() -> None:
    table = {"contingent": [100, 90, 80], "in_dual": [3, 30, 40], "accredited": [50, 45, 40]}
    people = np.array(table["contingent"], dtype=float)
    scored = [
        Scored("dual_share", 0.30, 100 * 0.30 / 0.60 / people),
        Scored("accredited_share", 0.15, 100 * 0.15 / people),
    ]
    hidden = hide(table, [0, 0, 0], scored=scored)
    assert hidden.colleges["accredited"][0], "else the score less the accredited is the dual share"
    assert hidden.colleges["accredited"].sum() >= 2, "and the region gives it back no more"
    assert not hide(table, [0, 0, 0]).colleges["accredited"].any()


@pytest.mark.parametrize(("direction", "joins"), [(1, False), (-1, True)])
def test_a_companion_moves_the_score_the_other_way(direction: int, joins: bool) -> None:
    """Nobody studies in an accredited programme, so that share can only rise: it leaves 3 dual
    students room to fall, or, where it counts against the college, room to rise, which is more.
    """
    table = {
        "contingent": [100, 90, 80],
        "in_dual": [3, 30, 40],
        "accredited": [0, 45, 40],
        "targeted": [50, 45, 40],
    }
    people = np.array(table["contingent"], dtype=float)
    scored = [
        Scored("dual_share", 0.30, 50 / people),
        Scored("accredited_share", 0.15, 15 / people, direction),
        Scored("targeted_share", 0.20, 20 / people),
    ]
    hidden = hide(table, [0, 0, 0], scored=scored)
    assert hidden.colleges["accredited"][0] == joins
    assert hidden.colleges["targeted"][0] != joins


def test_what_can_be_shown_is_shown() -> None:
    table = {"contingent": [100, 90, 80], "in_dual": [30, 30, 40]}
    hidden = hide(table, [0, 0, 1])
    assert not any(flags.any() for flags in hidden.colleges.values())
    assert not any(flags.any() for flags in hidden.regions.values())


def test_counts_are_found_from_the_parts_that_are_published() -> None:
    parts = {
        ("employment_rate", True): np.array([6]),
        ("employment_rate", False): np.array([8]),
        ("employment_rate_with_study", True): np.array([7]),
        ("employment_rate_with_study", False): np.array([10]),
    }
    found = {name: int(array[0]) for name, array in counts_of(parts).items()}
    assert found == {"employed": 6, "cohort": 10, "excluded": 2, "studying": 1}


def test_a_cohort_known_only_less_the_excluded_is_the_cohort() -> None:
    parts = {("employment_rate", True): np.array([6]), ("employment_rate", False): np.array([8])}
    found = {name: int(array[0]) for name, array in counts_of(parts).items()}
    assert found == {"employed": 6, "cohort": 8, "excluded": 0}


def test_every_count_of_a_kpi_is_described() -> None:
    names = {count.name for count in COUNTS}
    assert {name for pair in RATIOS.values() for terms in pair for name in terms} <= names
    seen: set[str] = set()
    for count in COUNTS:
        assert set(count.within) <= seen, "surrounding counts come first"
        seen.add(count.name)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, list[int]]:
    """Some colleges in some regions, their graduates and students few or many."""
    region = draw(st.lists(st.integers(0, 2), min_size=1, max_size=7))
    region = [sorted(set(region)).index(place) for place in region]
    few = st.one_of(st.integers(0, 6), st.integers(0, 40))
    table: Table = {name: [] for name in LETTERS if name not in ("employers", "paid_known")}
    for _ in region:
        employed, declared, claimed, study, other, declared_out, rest = draw(st.tuples(*[few] * 7))
        cohort = employed + declared + claimed + study + other + declared_out + rest
        measured = cohort - study - other
        dual_employed = draw(st.integers(0, employed))
        dual = dual_employed + draw(st.integers(0, measured - employed))
        contingent = draw(few)
        year = draw(few)
        row = {
            "cohort": cohort,
            "certified": draw(st.integers(0, cohort)),
            "employed": employed,
            "excluded": study + other,
            "studying": study,
            "in_specialty": draw(st.integers(0, employed)),
            "claiming": employed + declared + claimed,
            "declared_employed": employed + declared,
            "declared_excluded": study + other + declared_out,
            "dual_measured": dual,
            "dual_employed": dual_employed,
            "contingent": contingent,
            "in_dual": draw(st.integers(0, contingent)),
            "accredited": draw(st.integers(0, contingent)),
            "targeted": draw(st.integers(0, contingent)),
            "year_earlier": year,
            "left": draw(st.integers(0, year)),
        }
        for name, value in row.items():
            table[name].append(value)
    return table, region


@settings(max_examples=60)
@given(tables())
def test_no_table_gives_a_small_cell_back(drawn: tuple[Table, list[int]]) -> None:
    table, region = drawn
    hidden = hide(table, region)
    assert narrowest(told(table, region, hidden), small_groups(table, region)) >= NARROW


# ------------------------------------------------------------------------------------------- money

BASE = (437_000, 524_400)
"""The norm of each price, tenge per student and year."""


def lines(rows: list[tuple[int, int, int]], **colleges: list[int]) -> Lines:
    """Rows of (college, students, price); by college ``region``, ``administrator``, ``terms``."""
    size = max(row[0] for row in rows) + 1
    labels = {name: np.array(colleges.get(name, [0] * size)) for name in _LABELS}
    college, students, price = (np.array(column) for column in zip(*rows, strict=True))
    return Lines(college=college, months=12 * students, price=price, **labels)


_LABELS = ("region", "administrator", "terms")


def paid(table: Lines, hidden: HiddenMoney | None) -> System:
    """What an outsider knows of students and tenge; with no ``hidden``, only small lines are."""
    system = System()
    students = table.months // 12
    if hidden is None:
        hidden = HiddenMoney(
            (students > 0) & (students < 5),
            np.zeros(len(table.region), dtype=bool),
            np.zeros(max(table.region) + 1, dtype=bool),
            np.zeros(max(table.administrator) + 1, dtype=bool),
        )
    everything = range(len(students))
    for line in everything:
        if not hidden.lines[line]:
            _tell(system, table, [line])
    for flags, labels in (
        (hidden.colleges, table.college),
        (hidden.regions, table.region[table.college]),
        (hidden.administrators, table.administrator[table.college]),
    ):
        for place, is_hidden in enumerate(flags):
            if not is_hidden:
                _tell(system, table, [line for line in everything if labels[line] == place])
    if not hidden.nation:
        _tell(system, table, list(everything))
    return system


def _tell(system: System, table: Lines, inside: list[int]) -> None:
    """Tell the students, base and incentive amounts of some lines, in millions of tenge."""
    students = table.months // 12
    for weigh in (
        lambda line: 1.0,
        lambda line: BASE[table.price[line]] / 1e6,
        lambda line: BASE[table.price[line]] / 1e6 * table.terms[table.college[line]],
    ):
        terms = {(str(line),): weigh(line) for line in inside if weigh(line)}
        if terms:
            system.equals(terms, sum(weigh(line) * int(students[line]) for line in inside))


def small_lines(table: Lines) -> list[tuple[dict[Any, float], int]]:
    """Lines and totals of colleges, regions and administrators with 1 to 4 students."""
    students = table.months // 12
    found = []
    groups = [[line] for line in range(len(students))]
    for labels in (
        table.college,
        table.region[table.college],
        table.administrator[table.college],
    ):
        groups += [[i for i, of_one in enumerate(labels) if of_one == p] for p in set(labels)]
    for inside in groups:
        people = int(students[inside].sum())
        if 0 < people < 5:
            found.append(({(str(line),): 1.0 for line in inside}, people))
    return found


def test_a_college_with_two_lines_one_small_hides_both_and_keeps_its_total() -> None:
    table = lines([(0, 3, 0), (0, 40, 0), (1, 50, 0)])
    assert narrowest(paid(table, None), small_lines(table)) == 0, "43 less 40"
    hidden = hide_money(table)
    assert hidden.lines.tolist() == [True, True, False]
    assert not hidden.colleges.any()
    assert narrowest(paid(table, hidden), small_lines(table)) >= NARROW


def test_two_norms_are_two_equations_so_the_other_line_is_of_the_same_norm() -> None:
    table = lines([(0, 3, 0), (0, 40, 1), (0, 60, 0), (1, 50, 0)])
    hidden = hide_money(table)
    assert hidden.lines.tolist() == [True, False, True, False]


def test_without_a_line_of_the_same_norm_the_college_and_the_smallest_other_are_hidden() -> None:
    table = lines([(0, 3, 0), (0, 40, 1), (1, 90, 0), (2, 50, 0)])
    hidden = hide_money(table)
    assert hidden.colleges.tolist() == [True, False, True]
    assert not hidden.nation
    assert narrowest(paid(table, hidden), small_lines(table)) >= NARROW


def test_the_only_college_of_an_administrator_in_a_region_is_not_computed_from_either() -> None:
    table = lines(
        [(0, 3, 0), (1, 40, 0), (2, 60, 0), (3, 30, 0)],
        region=[0, 0, 1, 1],
        administrator=[0, 1, 0, 1],
    )
    assert narrowest(paid(table, None), small_lines(table)) == 0
    hidden = hide_money(table)
    assert hidden.colleges[0]
    assert narrowest(paid(table, hidden), small_lines(table)) >= NARROW


def test_a_partner_has_the_same_share_because_the_incentive_is_published_too() -> None:
    table = lines([(0, 3, 0), (1, 20, 0), (2, 60, 0)], terms=[1, 0, 1])
    hidden = hide_money(table)
    assert hidden.colleges.tolist() == [True, False, True]


def test_colleges_without_small_lines_keep_every_cell() -> None:
    hidden = hide_money(lines([(0, 5, 0), (0, 40, 1), (1, 90, 0)]))
    assert not hidden.lines.any()
    assert not hidden.colleges.any()


@st.composite
def money_tables(draw: st.DrawFn) -> Lines:
    """Two-way tables: colleges in regions and under administrators, with lines of two norms."""
    size = draw(st.integers(1, 6))
    few = st.one_of(st.integers(1, 6), st.integers(1, 60))
    rows = [
        (college, draw(few), draw(st.integers(0, 1)))
        for college in range(size)
        for _ in range(draw(st.integers(1, 3)))
    ]
    labels: dict[str, list[int]] = {}
    for name, most in zip(_LABELS, (2, 1, 1), strict=True):
        drawn = draw(st.lists(st.integers(0, most), min_size=size, max_size=size))
        ranks = sorted(set(drawn))
        labels[name] = drawn if name == "terms" else [ranks.index(one) for one in drawn]
    return lines(rows, **labels)


@settings(max_examples=150)
@given(money_tables())
def test_no_two_way_table_of_money_gives_a_small_line_back(table: Lines) -> None:
    hidden = hide_money(table)
    assert narrowest(paid(table, hidden), small_lines(table)) >= NARROW
