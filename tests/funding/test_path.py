"""The director's path, held against rounds whose registers really hold that many people more."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from inputs import (
    KEY,
    THEORY,
    Computed,
    Row,
    Tables,
    accreditation,
    agreement,
    amount,
    plan,
    quiet,
    row_of,
    students,
    together,
    write_folder,
    write_rule,
)
from small_rounds import GATES, METHODOLOGY, Edit, Varied, computed, edited, town

from funding.path import GateStep, LeagueStep, PathOf, path_of
from funding.run import run_round
from funding.scenario import Desk
from kpi.errors import CallError

HEAVY, WORKSHOP = "07240100", "07140100"


class World:
    """A small round whose input can be altered: who is employed, in dual training, accredited."""

    def __init__(self, at: Path, tables: Tables, methodology: Path, rule: Path) -> None:
        self.at, self.tables = at, tables
        self.methodology, self.rule = methodology, rule
        self.known: dict[str, Computed] = {}
        folder = write_folder(at / "in", **tables)
        asked = plan(methodology=methodology, rule=rule)
        self.desk = Desk(run_round(folder, at / "rounds", asked, KEY, quiet))

    def path(self, college_id: str) -> PathOf:
        return path_of(self.desk, college_id)

    def amount(self, college_id: str) -> int:
        return amount(self.desk.of_round, college_id)

    def with_more(self, college_id: str, more: dict[str, int]) -> Computed:
        """Run the round with so many more of the college's people doing what the KPI counts."""
        name = "-".join([college_id, *(f"{kpi}-{count}" for kpi, count in more.items())])
        if name not in self.known:
            tables = {table: [dict(row) for row in rows] for table, rows in self.tables.items()}
            for kpi, count in more.items():
                CHANGED[kpi](tables, college_id, count)
            self.known[name] = self.computed(name, tables)
        return self.known[name]

    def computed(self, name: str, tables: Tables) -> Computed:
        """Compute the round over other tables."""
        asked = plan(methodology=self.methodology, rule=self.rule)
        return computed(write_folder(self.at / name, **tables), asked)


def employ(tables: Tables, college_id: str, count: int) -> None:
    """Find work for so many unemployed graduates."""
    idle = [row for row in of(tables, "graduates", college_id) if row["destination"] != "employed"]
    assert len(idle) >= count
    for row in idle[:count]:
        row["destination"] = "employed"
        row["destination_source"] = "pension_contributions"
        row["destination_on"] = "2025-08-15"


def train(tables: Tables, college_id: str, count: int) -> None:
    """Give so many students a dual agreement."""
    trained = {row["student_id"] for row in tables["dual_agreements"]}
    others = [r for r in of(tables, "students", college_id) if r["student_id"] not in trained]
    assert len(others) >= count
    tables["dual_agreements"] += [agreement(student) for student in others[:count]]


def accredit_college(tables: Tables, college_id: str, count: int) -> None:
    """Accredit the institution."""
    assert count == 1
    tables["accreditations"].append(accreditation(college_id))


def certify(tables: Tables, college_id: str, count: int) -> None:
    """Give so many graduates a certificate."""
    without = [row for row in of(tables, "graduates", college_id) if not row["certificate_id"]]
    assert len(without) >= count
    for number, row in enumerate(without[:count]):
        row["certificate_id"] = f"NEW-{number}"


def of(tables: Tables, table: str, college_id: str) -> list[Row]:
    return [row for row in tables[table] if row["college_id"] == college_id]


def place_in_specialty(tables: Tables, college_id: str, count: int) -> None:
    """Let so many graduates work in their specialty: those in work first."""
    others = [row for row in of(tables, "graduates", college_id) if not row["in_specialty"]]
    others.sort(key=lambda row: row["destination"] != "employed")
    assert len(others) >= count
    for row in others[:count]:
        if row["destination"] != "employed":
            row["destination"] = "employed"
            row["destination_source"] = "pension_contributions"
            row["destination_on"] = "2025-08-15"
        row["in_specialty"] = True


CHANGED = {
    "in_specialty_rate": place_in_specialty,
    "employment_rate": employ,
    "dual_share": train,
    "institution_accredited": accredit_college,
    "certified_share": certify,
}


def passes(done: Computed, college_id: str, gate: str) -> bool:
    return bool(row_of(done.table("gates"), college_id=college_id, gate=gate)["passed"])


def league(done: Computed, college_id: str) -> int | None:
    found = row_of(done.table("ranking"), college_id=college_id)["league"]
    return None if found is None else int(found)


def step_of(path: PathOf, gate: str) -> GateStep:
    [step] = [step for step in path.gates if step.gate == gate]
    return step


# gates


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Colleges below one gate, below all, at none, with odd denominators."""
    at = tmp_path_factory.mktemp("gated")
    tables = together(
        town("EX-01", employed=4, unemployed=9),
        town("EX-02", size=37, employed=9, unemployed=1, dual=0),
        town("EX-03", size=29, employed=2, unemployed=9, dual=1, accredited=False),
        town("EX-04", employed=9, unemployed=1),
        town("EX-05", employed=6, unemployed=4, dual=1),
        town("EX-06", employed=0, unemployed=0, dual=8),
    )
    return World(at, tables, METHODOLOGY, write_rule(at / "rule.toml"))


@pytest.mark.parametrize(
    ("college_id", "gate", "more"),
    [
        ("EX-01", "employment_rate", 6),  # 70 % of 13 are 9.1: the tenth
        ("EX-02", "dual_share", 8),  # a fifth of 37 are 7.4: the eighth
        ("EX-03", "employment_rate", 6),  # 70 % of 11 are 7.7
        ("EX-03", "dual_share", 5),  # a fifth of 29 are 5.8
    ],
)
def test_the_number_given_passes_the_gate_and_one_fewer_does_not(
    gated: World, college_id: str, gate: str, more: int
) -> None:
    step = step_of(gated.path(college_id), gate)
    assert step.more == more
    reached = gated.with_more(college_id, {gate: more})
    assert passes(reached, college_id, gate)
    if more > 1:
        assert not passes(gated.with_more(college_id, {gate: more - 1}), college_id, gate)
    counts = row_of(reached.table("kpi_values"), college_id=college_id, kpi=gate)
    assert counts["denominator"] == step.denominator, "denominators are as they are"
    assert counts["numerator"] == step.numerator + more
    assert step.tenge == amount(reached, college_id) - gated.amount(college_id)


def test_one_gate_of_several_brings_nothing_alone_and_all_bring_the_incentive(
    gated: World,
) -> None:
    path = gated.path("EX-03")
    assert {step.gate: step.tenge for step in path.gates} == dict.fromkeys(GATES, 0)
    more = {step.gate: step.more or 0 for step in path.gates}
    reached = gated.with_more("EX-03", more)
    assert all(passes(reached, "EX-03", gate) for gate in GATES)
    assert path.all_gates_tenge == amount(reached, "EX-03") - gated.amount("EX-03")
    assert path.all_gates_tenge == 29 * 475_000


def test_a_yes_or_no_gate_needs_its_one_accreditation(gated: World) -> None:
    step = step_of(gated.path("EX-03"), "institution_accredited")
    assert (step.more, step.numerator, step.denominator) == (1, 0, 1)
    assert passes(
        gated.with_more("EX-03", {"institution_accredited": 1}), "EX-03", "institution_accredited"
    )


def test_a_college_that_passes_every_gate_has_none_before_it(gated: World) -> None:
    path = gated.path("EX-04")
    assert (path.gates, path.all_gates_tenge) == ([], 0)
    assert path.amount == gated.amount("EX-04")


def test_no_number_of_people_passes_a_gate_without_data(gated: World) -> None:
    path = gated.path("EX-06")
    step = step_of(path, "employment_rate")
    assert (step.more, step.tenge, step.denominator) == (None, 0, 0)
    assert path.all_gates_tenge == 0
    assert path.not_ranked_reason == "employment_rate"
    assert path.leagues == []


def test_asking_for_paths_leaves_the_round_as_it_is(gated: World) -> None:
    before = gated.path("EX-03")
    for college_id in ("EX-01", "EX-05", "EX-06"):
        gated.path(college_id)
    assert gated.path("EX-03") == before
    outcome = gated.desk.outcome(gated.desk.rules)
    assert outcome.funding.equals(gated.desk.of_round.table("funding"))


@pytest.mark.parametrize("more_employed", [0, 2, 5])
def test_a_small_cohort_that_the_methodology_fails_is_passed_by_no_number(
    more_employed: int, tmp_path: Path
) -> None:
    failing = 'threshold = 0.70\non_small_cohort = "judge"'
    methodology = edited(
        METHODOLOGY, tmp_path / "m.toml", [(failing, failing.replace("judge", "fail"))]
    )
    small = town("EX-01", employed=more_employed, unemployed=5 - more_employed)
    world = World(tmp_path, together(small), methodology, write_rule(tmp_path / "r.toml"))
    path = world.path("EX-01")
    step = step_of(path, "employment_rate")
    everybody = world.with_more("EX-01", {"employment_rate": 5 - more_employed})
    assert not passes(everybody, "EX-01", "employment_rate")
    assert (step.more, step.tenge) == (None, 0)
    assert path.all_gates_tenge == 0


def test_a_small_cohort_that_is_judged_is_passed_by_people(tmp_path: Path) -> None:
    small = town("EX-01", employed=2, unemployed=3)
    world = World(tmp_path, together(small), METHODOLOGY, write_rule(tmp_path / "r.toml"))
    step = step_of(world.path("EX-01"), "employment_rate")
    assert step.more == 2
    assert step.tenge == 30 * 475_000
    reached = world.with_more("EX-01", {"employment_rate": 2})
    assert passes(reached, "EX-01", "employment_rate")
    assert amount(reached, "EX-01") - world.amount("EX-01") == step.tenge


def test_all_gates_bring_nothing_where_one_of_them_cannot_be_passed(tmp_path: Path) -> None:
    above = [('kpi = "dual_share"\nthreshold = 0.20', 'kpi = "dual_share"\nthreshold = 1.01')]
    methodology = edited(METHODOLOGY, tmp_path / "m.toml", above)
    world = World(
        tmp_path,
        together(town("EX-01", employed=6, unemployed=4)),
        methodology,
        write_rule(tmp_path / "r.toml"),
    )
    path = world.path("EX-01")
    assert step_of(path, "dual_share").more is None
    assert step_of(path, "employment_rate").more == 1
    assert path.all_gates_tenge == 0


# programmes accredited


ACCREDITED_GATE: list[Edit] = [
    (
        '[[gates]]\nkpi = "institution_accredited"',
        '[[gates]]\nkpi = "accredited_share"\nthreshold = 0.60\non_small_cohort = "judge"\n'
        'on_no_data = "fail"\nreference = "a test"\nstatus = "illustrative"\n\n'
        '[[gates]]\nkpi = "institution_accredited"',
    )
]


@pytest.fixture(scope="module")
def programmes(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A college of four programmes, of 13, 11, 9 and 7 students; the third is accredited. Sixty per
    cent of 40 are 24: 15 students more, for which one programme is not enough.
    """
    at = tmp_path_factory.mktemp("programmes")
    sizes = {THEORY: 13, WORKSHOP: 11, HEAVY: 9, "01140100": 7}
    tables = together(
        town("EX-01", size=0),
        {"accreditations": [accreditation("EX-01", HEAVY)]},
        *({"students": students("EX-01", n, specialty=s)} for s, n in sizes.items()),
        town("EX-02", employed=5, unemployed=5, programme=True),
    )
    tables["dual_agreements"] = [agreement(of) for of in tables["students"][:8]]
    rule = write_rule(at / "rule.toml", gates=[*GATES, "accredited_share"])
    return World(at, tables, edited(METHODOLOGY, at / "m.toml", ACCREDITED_GATE), rule)


def accredited(world: World, specialties: list[str]) -> Computed:
    """The round with programmes of EX-01 accredited."""
    tables = world.tables | {
        "accreditations": [
            *world.tables["accreditations"],
            *(accreditation("EX-01", specialty) for specialty in specialties),
        ]
    }
    return world.computed("+".join(specialties), tables)


def test_a_gate_on_accredited_programmes_names_the_fewest_that_pass_it(programmes: World) -> None:
    step = step_of(programmes.path("EX-01"), "accredited_share")
    assert (step.numerator, step.denominator, step.more) == (9, 40, 15)
    assert step.programmes == [(THEORY, 13), (WORKSHOP, 11)]
    reached = accredited(programmes, [specialty for specialty, _ in step.programmes])
    assert passes(reached, "EX-01", "accredited_share")
    assert step.tenge == amount(reached, "EX-01") - programmes.amount("EX-01") == 40 * 475_000
    for specialty in (THEORY, WORKSHOP, "01140100"):
        assert not passes(accredited(programmes, [specialty]), "EX-01", "accredited_share")


# leagues


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Eight colleges in four leagues of two, three, two and one, paid by league."""
    at = tmp_path_factory.mktemp("ranked")
    tables = together(
        town("EX-01", employed=19, unemployed=1, dual=15, in_specialty=15, programme=True),
        town("EX-02", employed=18, unemployed=2, dual=12, in_specialty=9),
        town("EX-03", employed=17, unemployed=3, dual=9, in_specialty=6, certified=3),
        town("EX-04", employed=15, unemployed=5, dual=7, in_specialty=6),
        town("EX-05", employed=13, unemployed=7, dual=5, in_specialty=3, programme=True),
        town("EX-06", employed=14, unemployed=6, dual=4, in_specialty=5),
        town("EX-07", employed=12, unemployed=8, dual=4, in_specialty=4, certified=2),
        town("EX-08", employed=9, unemployed=11, dual=2, in_specialty=3, accredited=False),
        town("EX-09", size=20, employed=9, unemployed=1),
    )
    shares = {1: "1", 2: "0.6", 3: "0.3", 4: "0"}
    rule = write_rule(at / "rule.toml", mode="leagues", shares=shares)
    return World(at, tables, METHODOLOGY, rule)


def test_the_colleges_of_the_ranked_round_are_in_every_league(ranked: World) -> None:
    leagues = ranked.desk.of_round.table("ranking")["college_id", "league"].rows()
    assert {number for _, number in leagues} == {1, 2, 3, 4, None}


LEAGUE_KPIS = ("employment_rate", "in_specialty_rate", "dual_share", "certified_share")
BELOW_THE_FIRST = ["EX-06", "EX-08"]
"""One of league 3, one of league 4."""


@pytest.mark.parametrize("college_id", BELOW_THE_FIRST)
def test_the_number_given_reaches_the_next_league_and_one_fewer_does_not(
    ranked: World, college_id: str
) -> None:
    path = ranked.path(college_id)
    now = league(ranked.desk.of_round, college_id)
    assert path.league == now
    assert now is not None
    for step in path.leagues:
        assert step.league == now - 1
        if step.kpi in LEAGUE_KPIS and step.more is not None:
            hold_against_a_full_run(ranked, college_id, step)
        elif step.kpi in LEAGUE_KPIS:  # not even everybody
            everybody = step.gates | {str(step.kpi): room(ranked, college_id, str(step.kpi))}
            reached = league(ranked.with_more(college_id, everybody), college_id)
            assert reached is not None
            assert reached > step.league
    assert path.leagues, "each of them can rise by some KPI or by its gates"


def hold_against_a_full_run(world: World, college_id: str, step: LeagueStep) -> None:
    """Run the round with the people that a step names, and with one fewer."""
    assert step.kpi is not None
    assert step.more is not None
    people = step.gates.get(step.kpi, 0) + step.more
    reached = world.with_more(college_id, step.gates | {step.kpi: people})
    found = league(reached, college_id)
    assert found is not None
    assert found <= step.league
    assert step.tenge == amount(reached, college_id) - world.amount(college_id)
    if step.more > 1:
        fewer = world.with_more(college_id, step.gates | {step.kpi: people - 1})
        assert (league(fewer, college_id) or 9) > step.league


def room(world: World, college_id: str, kpi: str) -> int:
    """How many people of the denominator are not in the numerator."""
    row = row_of(world.desk.of_round.table("kpi_values"), college_id=college_id, kpi=kpi)
    return int(row["denominator"] - row["numerator"])


def test_the_next_league_brings_the_tenge_of_its_share(ranked: World) -> None:
    path = ranked.path("EX-08")
    brought = {step.tenge for step in path.leagues if step.more is not None}
    assert brought == {30 * 142_500}, "30 students, three tenths of 475 thousand"


def test_a_college_in_the_first_league_has_no_league_before_it(ranked: World) -> None:
    path = ranked.path("EX-01")
    assert (path.league, path.leagues) == (1, [])


def test_a_college_that_is_not_ranked_says_why(ranked: World) -> None:
    path = ranked.path("EX-09")
    assert (path.league, path.not_ranked_reason) == (None, "few_students")
    assert path.leagues == []


def test_gates_of_the_next_league_are_counted_before_its_rank(tmp_path: Path) -> None:
    tables = together(
        town("EX-01", employed=6, unemployed=4, dual=14, in_specialty=6),
        town("EX-02", employed=9, unemployed=1, dual=6),
        town("EX-03", employed=9, unemployed=1, dual=7, in_specialty=2),
    )
    rule = write_rule(
        tmp_path / "r.toml", mode="leagues", shares={1: "1", 2: "0.6", 3: "0.3", 4: "0"}
    )
    world = World(tmp_path, tables, METHODOLOGY, rule)
    path = world.path("EX-01")
    [step] = path.leagues
    assert (step.kpi, step.league, step.gates, step.more) == (None, 1, {"employment_rate": 1}, 0)
    reached = world.with_more("EX-01", step.gates)
    assert league(world.desk.of_round, "EX-01") == 2
    assert league(reached, "EX-01") == 1
    assert step.tenge == amount(reached, "EX-01") - world.amount("EX-01") == 30 * 190_000


@pytest.mark.parametrize("college_id", ["EX-06", "EX-08"])
def test_the_next_league_by_accreditation_names_programmes(ranked: World, college_id: str) -> None:
    [step] = [s for s in ranked.path(college_id).leagues if s.kpi == "accredited_share"]
    assert step.more
    assert step.programmes == [(THEORY, 30)], "its only programme, whole"
    tables = together(ranked.tables, {"accreditations": [accreditation(college_id, THEORY)]})
    reached = ranked.computed(f"{college_id}-accredited", tables)
    assert (league(reached, college_id) or 9) <= step.league
    assert step.tenge == amount(reached, college_id) - ranked.amount(college_id)


# who is asked about


@pytest.fixture(scope="module")
def desk(varied: Varied) -> Iterator[Desk]:
    opened = Desk(varied.draft, varied.store)
    yield opened
    opened.close()


@pytest.mark.parametrize("college_id", ["EX-01B", "EX-99"])
def test_a_college_that_is_not_paid_is_refused(desk: Desk, college_id: str) -> None:
    with pytest.raises(CallError) as caught:
        path_of(desk, college_id)
    assert caught.value.what == "The round does not pay this college."
    assert caught.value.parts["found"] == college_id
    assert desk.of_round.version in caught.value.parts["where"]


def test_no_path_of_the_varied_round_promises_what_its_desk_does_not_pay(desk: Desk) -> None:
    gates = desk.of_round.table("gates")
    for college_id in ("EX-04", "EX-05", "EX-07", "EX-09"):
        path = path_of(desk, college_id)
        failed = gates.filter((pl.col("college_id") == college_id) & ~pl.col("passed"))
        assert [step.gate for step in path.gates] == failed["gate"].to_list()
        for step in path.gates:
            wanted = step.threshold * step.denominator
            if step.more is not None:
                assert step.numerator + step.more >= wanted > step.numerator + step.more - 1
            assert step.tenge >= 0
            assert isinstance(step.threshold, Decimal)
