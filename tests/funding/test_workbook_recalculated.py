"""The auditor's workbook recalculated by LibreOffice: exactly what the round keeps, and after a
change of a parameter exactly what `kpi` computes for that parameter.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from inputs import reaches_the_gates, run, students, together, write_folder, write_rule
from publications import publish_draft
from recalculated import Shown, changed, has_libreoffice, recalculate

from funding.workbook import write_workbook
from kpi.resources import data_folder
from kpi.rounds import Round
from kpi.sample import write_sample

pytestmark = pytest.mark.skipif(not has_libreoffice(), reason="LibreOffice is not installed")

EXAMPLE = data_folder() / "methodology" / "example" / "2024-09-01.toml"
UNEVEN = {
    "cost_groups": {"theory": "0.8", "workshop": "1.05", "heavy": "1.5"},
    "localities": {"rural": "1.2"},
}
SHARES = {1: "1", 2: "0.6", 3: "0.3", 4: "0"}
MONEY = {
    "base_amount": "Base amount, tenge per year",
    "entitled_incentive": "Incentive entitled to, tenge per year",
    "incentive_amount": "Incentive amount, tenge per year",
    "guarantee_amount": "Cost of the guarantee, tenge per year",
    "amount": "Amount, tenge per year",
}


def assert_money(book: Shown, done: Round) -> None:
    """Every line, college, region and administrator has the stored amounts, to the tenge."""
    lines = {
        (row["College id"], row["Specialty"]): row
        for row in book.rows("Lines")
        if row["Specialty"] or row[MONEY["amount"]]
    }
    stored = done.table("funding_lines")
    assert len(lines) == stored.height
    for row in stored.iter_rows(named=True):
        found = lines[row["college_id"], row["specialty"]]
        assert {key: found[title] for key, title in MONEY.items()} == {
            key: row[key] for key in MONEY
        }
        if row["specialty"]:
            assert found["Base norm, tenge"] == row["base_norm"]
            assert found["Incentive norm, tenge"] == row["incentive_norm"]
            assert found["Coefficient"] == float(row["coefficient"])
            assert found["Share of the incentive part"] == float(row["share"])
    colleges = {row["College id"]: row for row in book.rows("Colleges")}
    for row in done.table("funding").iter_rows(named=True):
        found = colleges[row["college_id"]]
        assert {key: found[title] for key, title in MONEY.items()} == {
            key: row[key] for key in MONEY
        }
        assert found["Share of the incentive part"] == float(row["share"])
        assert found["Student-months"] == row["student_months"]
    assert_regions(book, done)
    (total,) = done.table("funding_totals").filter("in_force").iter_rows(named=True)
    named = book.named()
    for key in ("base_amount", "incentive_amount", "guarantee_amount", "amount", "qualifying"):
        assert named[f"national_{key}"] == total[key]
    assert named["check_sums"] == "OK"


def assert_regions(book: Shown, done: Round) -> None:
    places = {row["Region or administrator"]: row for row in book.rows("Regions")}
    for table, key in (("funding_regions", "region"), ("funding_administrators", "administrator")):
        for row in done.table(table).iter_rows(named=True):
            found = places[row[key]]
            for name in ("base_amount", "incentive_amount", "guarantee_amount", "amount"):
                assert found[MONEY[name]] == row[name], (row[key], name)
            assert found["Colleges"] == row["colleges"]
            assert found["Colleges with an incentive"] == row["qualifying"]
            assert found["Student-months"] == row["student_months"]


def assert_scores(book: Shown, done: Round) -> None:
    """Every score is the published one; every step the engine's, but for the last binary digits."""
    ranking = {row["College id"]: row for row in book.rows("Ranking")}
    for row in done.table("ranking").iter_rows(named=True):
        score = None if row["score"] is None else float(row["score"])
        assert ranking[row["college_id"]]["Score"] == score, row["college_id"]
        assert ranking[row["college_id"]]["Why it is not ranked"] == row["not_ranked_reason"]
    nodes = {(row["College id"], row["Code"]): row for row in book.rows("KPI")}
    for row in done.table("kpi_values").iter_rows(named=True):
        found = nodes[row["college_id"], row["kpi"]]
        assert found["Indicator value"] == near(row["value"], 1e-14)
        assert found["Status, or why the college is not ranked"] == row["status"]
    kept = {
        (row["college_id"], row["code"]) for row in done.table("kpi_scores").iter_rows(named=True)
    }
    for row in done.table("kpi_scores").iter_rows(named=True):
        found = nodes[row["college_id"], row["code"]]
        for key, title in (
            ("normalised", "Normalised (0 to 100)"),
            ("weight", "Effective weight in the index"),
            ("contribution", "Contribution to the index"),
        ):
            assert found[title] == near(row[key], 1e-9), (row["college_id"], row["code"], title)
    for key, found in nodes.items():
        assert key in kept or found["Contribution to the index"] is None, key


def near(value: float | None, within: float) -> Any:
    """A number but for its last binary digits; nothing is nothing."""
    return None if value is None else pytest.approx(value, rel=within, abs=within)


def assert_gates(book: Shown, done: Round) -> None:
    gates = {(row["College id"], row["Gate"]): row for row in book.rows("Gates")}
    for row in done.table("gates").iter_rows(named=True):
        found = gates[row["college_id"], row["gate"]]
        assert found["Passed"] is row["passed"], row
        assert found["Decided by"] == row["decided_by"]
        assert found["People short of the threshold"] == row["short_by"]


def checks(book: Shown) -> dict[str, str]:
    return {name: cell for name, cell in book.named().items() if name.startswith("check_")}


# ---- the whole country ----


@pytest.fixture(scope="module")
def national(tmp_path_factory: pytest.TempPathFactory) -> tuple[Round, Shown]:
    """A round of the country's size, its coefficients unequal, and its workbook recalculated."""
    path = tmp_path_factory.mktemp("national")
    write_sample(path / "input")
    rule = write_rule(path / "rule.toml", **UNEVEN, appropriation=(51_234_567_891, "incentive"))
    done = run(path / "input", path / "rounds", methodology="kpi", rule=rule)
    book = write_workbook(done, path / "national.xlsx", "en")
    (recalculated,) = recalculate([book], path)
    return done, Shown(recalculated)


def test_every_amount_of_the_country_is_recalculated_to_the_tenge(
    national: tuple[Round, Shown],
) -> None:
    done, book = national
    assert done.table("funding_lines").height > 5_000
    assert_money(book, done)


def test_every_score_and_gate_of_the_country_is_recalculated(
    national: tuple[Round, Shown],
) -> None:
    done, book = national
    assert_scores(book, done)
    assert_gates(book, done)


def test_the_appropriation_of_the_country_is_paid_out_to_the_tenge(
    national: tuple[Round, Shown],
) -> None:
    _, book = national
    assert book.named()["national_incentive_amount"] == 51_234_567_891
    assert book.named()["tenge_left"] > 1, "no tenge was left over: the remainders decide nothing"


def test_nothing_in_the_workbook_of_the_country_is_an_error_and_every_check_holds(
    national: tuple[Round, Shown],
) -> None:
    _, book = national
    assert book.errors() == []
    assert set(checks(book).values()) == {"OK"}


# ---- a changed parameter ----


@dataclass
class Change:
    """A round's rule and methodology, and what a user changes in its workbook.

    ``rule`` as for ``write_rule``; ``then`` is what another rule has instead; ``first`` is replaced
    in the methodology of both, ``text`` in that of the changed one; ``cells`` are set by their
    names.
    """

    cells: Mapping[str, Any]
    rule: Mapping[str, Any] = field(default_factory=dict)
    then: Mapping[str, Any] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)


COHORT = 'code = "employment_rate"\nkind = "outcome_share"\nmin_denominator'
EMPLOYMENT_GATE = 'kpi = "employment_rate"\nthreshold = 0.70\n'
BY_LEAGUES = {"mode": "leagues", "shares": SHARES}
IN_TURN = {"phase_in": {"employment_rate": ("0.60", "0.80"), "dual_share": ("0.1", "0.25")}}
CHANGES = {
    "the base norm": Change({"base_norm": 450_001}, then={"base": 450_001}),
    "both norms, coefficients unequal": Change(
        {"base_norm": 399_999, "full_norm": 912_345},
        rule=UNEVEN,
        then={"base": 399_999, "full": 912_345},
    ),
    "coefficients": Change(
        {
            "coefficient_theory": 0.8,
            "coefficient_workshop": 1.05,
            "coefficient_heavy": 1.5,
            "coefficient_rural": 1.2,
        },
        then=UNEVEN,
    ),
    "no calibration": Change({"calibrate": False}, rule=UNEVEN, then={"calibrate": False}),
    "a gate's threshold, lower": Change(
        {"threshold_employment_rate": 0.55},
        text={EMPLOYMENT_GATE: EMPLOYMENT_GATE.replace("0.70", "0.55")},
    ),
    "a gate's threshold, higher": Change(
        {"threshold_employment_rate": 0.71},
        text={EMPLOYMENT_GATE: EMPLOYMENT_GATE.replace("0.70", "0.71")},
    ),
    "what a gate does with a small cohort and without data": Change(
        {"on_small_cohort_employment_rate": "fail", "on_no_data_employment_rate": "pass"},
        text={
            EMPLOYMENT_GATE + 'on_small_cohort = "judge"\non_no_data = "fail"': EMPLOYMENT_GATE
            + 'on_small_cohort = "fail"\non_no_data = "pass"'
        },
    ),
    "a gate that the rule no longer asks for": Change(
        {"asked_dual_share": False},
        then={"gates": ("employment_rate", "institution_accredited")},
    ),
    "the ends of a phase-in": Change(
        {"zero_at_employment_rate": 0.5, "full_at_employment_rate": 0.77},
        rule=IN_TURN,
        then={"phase_in": IN_TURN["phase_in"] | {"employment_rate": ("0.5", "0.77")}},
    ),
    "two weights": Change(
        {"weight_employment_rate": 0.25, "weight_in_specialty_rate": 0.25},
        text={
            "weight = 0.35, ": "weight = 0.25, ",
            'outcomes", weight = 0.15': 'outcomes", weight = 0.25',
        },
    ),
    "the weights of two groups": Change(
        {"weight_partnership": 0.4, "weight_dual_share": 0.4, "weight_quality": 0.1}
        | {"weight_accredited_share": 0.05},
        text={
            'parent = "index"\nweight = 0.30': 'parent = "index"\nweight = 0.40',
            'partnership", weight = 0.30': 'partnership", weight = 0.40',
            'parent = "index"\nweight = 0.20': 'parent = "index"\nweight = 0.10',
            'quality", weight = 0.15': 'quality", weight = 0.05',
        },
    ),
    "goalposts": Change(
        {"floor_employment_rate": 0.45, "target_employment_rate": 0.85},
        text={"floor = 0.40, target = 0.95": "floor = 0.45, target = 0.85"},
    ),
    "the smallest cohort, which lets another college be ranked": Change(
        {"min_denominator_employment_rate": 5},
        text={f"{COHORT} = 10": f"{COHORT} = 5"},
    ),
    "the fewest students of a ranked college": Change(
        {"min_students": 28},
        text={"min_students = { value = 25": "min_students = { value = 28"},
    ),
    "a league's share": Change(
        {"share_league_2": 0.55, "share_league_3": 0.123457},
        rule=BY_LEAGUES,
        then={"shares": SHARES | {2: "0.55", 3: "0.123457"}},
    ),
    "the appropriation": Change(
        {"appropriation_amount": 29_999_987},
        rule=UNEVEN | {"appropriation": (40_000_001, "incentive")},
        then={"appropriation": (29_999_987, "incentive")},
    ),
    "the appropriation, and what it covers": Change(
        {"appropriation_amount": 121_111_111, "appropriation_covers": "total"},
        rule=UNEVEN | {"appropriation": (40_000_001, "incentive")},
        then={"appropriation": (121_111_111, "total")},
    ),
    "an appropriation that is enough": Change(
        {"appropriation_amount": 999_999_999},
        rule=UNEVEN | {"appropriation": (40_000_001, "incentive")},
        then={"appropriation": (999_999_999, "incentive")},
    ),
    "equal remainders, which go by the order of the lines": Change(
        {"appropriation_amount": 1_000_002},
        rule={"appropriation": (1_000_001, "incentive")},
        then={"appropriation": (1_000_002, "incentive")},
    ),
    "a guarantee outside the appropriation": Change(
        {"guarantee_floor": 0.85},
        rule={"guarantee": ("per_student", "0.9", "outside")},
        then={"guarantee": ("per_student", "0.85", "outside")},
    ),
    "a guarantee for the total, within the appropriation": Change(
        {"guarantee_floor": 0.905},
        rule=UNEVEN
        | {"guarantee": ("total", "0.9", "within"), "appropriation": (150_000_001, "total")},
        then={"guarantee": ("total", "0.905", "within")},
    ),
}
MEAN = 'aggregate = "arithmetic"'
DUAL = (
    'partnership", weight = 0.30, direction = 1, normalise = "goalposts", floor = 0, target = 0.60'
)
CHANGES |= {
    "a weight under a geometric mean": Change(
        {"target_employment_rate": 0.90},
        first={
            f"{weight}\n{MEAN}": f"{weight}\n{MEAN.replace('arithmetic', 'geometric')}"
            for weight in ("weight = 0.50", "weight = 0.20")
        },
        text={"floor = 0.40, target = 0.95": "floor = 0.40, target = 0.90"},
    ),
    "a weight under a harmonic mean": Change(
        {"target_employment_rate": 0.90},
        first={
            f"{weight}\n{MEAN}": f"{weight}\n{MEAN.replace('arithmetic', 'harmonic')}"
            for weight in ("weight = 0.50", "weight = 0.20")
        },
        text={"floor = 0.40, target = 0.95": "floor = 0.40, target = 0.90"},
    ),
    "the base norm, where outliers of a KPI are moved": Change(
        {"base_norm": 400_000},
        first={DUAL: f'{DUAL}, treat = "winsorise"'},
        then={"base": 400_000},
    ),
    "a target, where a missing value counts as zero": Change(
        {"target_dual_share": 0.5},
        first={f'{DUAL}, missing = "reweight"': f'{DUAL}, missing = "zero"'},
        text={f'{DUAL}, missing = "reweight"': f'{DUAL[:-4]}0.50, missing = "zero"'},
    ),
    "a direction": Change(
        {"direction_dual_share": -1},
        text={DUAL: DUAL.replace("direction = 1", "direction = -1")},
    ),
    "the base norm, where a KPI is compared with all other colleges": Change(
        {"base_norm": 400_000},
        first={DUAL: DUAL.partition(", normalise")[0] + ', normalise = "min_max"'},
        then={"base": 400_000},
    ),
    "weights of a sum, which need not sum to anything": Change(
        {"weight_outcomes": 0.6, "weight_employment_rate": 0.45},
        first={'en = "Index" }\naggregate = "arithmetic"': 'en = "Index" }\naggregate = "sum"'},
        text={
            'parent = "index"\nweight = 0.50': 'parent = "index"\nweight = 0.60',
            "weight = 0.35, ": "weight = 0.45, ",
        },
    ),
}
ALIKE = "equal remainders, which go by the order of the lines"


@dataclass
class Changed:
    """A workbook as written and as changed, recalculated, beside the rounds they must equal."""

    before: Round
    after: Round
    workbook: Shown
    changed: Shown


@pytest.fixture(scope="module")
def changes(example_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Changed]:
    """Every change, by its name: one start of LibreOffice for all."""
    path = tmp_path_factory.mktemp("changes")
    alike = write_folder(
        path / "alike",
        **together(*(reaches_the_gates(students(f"EX-{n}", 25)) for n in range(7))),
    )
    publish_the_year_before(example_folder, path)
    known: dict[str, Round] = {}

    def computed(folder: Path, rule: Mapping[str, Any], text: Mapping[str, str]) -> Round:
        """The round under a rule and methodology; computed once."""
        key = repr((folder, rule, text))
        if key not in known:
            number = len(known)
            rule_file = write_rule(path / f"rule-{number}.toml", **rule)
            methodology = replaced(path / f"methodology-{number}.toml", text)
            draft = run(folder, path / "rounds", methodology=methodology, rule=rule_file)
            known[key] = Round(draft.path.rename(path / f"kept-{number}"))
        return known[key]

    pairs, books = {}, {}
    for number, (name, change) in enumerate(CHANGES.items()):
        folder = alike if name == ALIKE else example_folder
        before = computed(folder, change.rule, change.first)
        after = computed(folder, {**change.rule, **change.then}, {**change.first, **change.text})
        pairs[name] = (before, after)
        book = path / f"{before.version}.xlsx"
        books[book] = book if book.exists() else write_workbook(before, book, "en")
        to = path / f"changed-{number}.xlsx"
        books[to] = changed(book, to, change.cells)
    made = dict(zip(books, map(Shown, recalculate(list(books), path)), strict=True))
    return {
        name: Changed(
            before,
            after,
            made[path / f"{before.version}.xlsx"],
            made[path / f"changed-{number}.xlsx"],
        )
        for number, (name, (before, after)) in enumerate(pairs.items())
    }


def publish_the_year_before(folder: Path, path: Path) -> None:
    """A published round 2024-25 with a higher norm, for a guarantee to refer to."""
    rule = write_rule(path / "old.toml", start="2024-09-01", base=600_000, full=900_000)
    run(folder, path / "rounds", round_id="2024-25", rule=rule)
    publish_draft(path / "rounds", round_id="2024-25")


def replaced(path: Path, text: Mapping[str, str]) -> Path:
    """Write the example's methodology with some text replaced."""
    content = EXAMPLE.read_text(encoding="utf-8")
    for old, new in text.items():
        assert old in content, old
        content = content.replace(old, new)
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", CHANGES)
def test_recalculated_as_written_the_workbook_gives_the_round(
    name: str, changes: dict[str, Changed]
) -> None:
    of = changes[name]
    assert_money(of.workbook, of.before)
    assert_scores(of.workbook, of.before)
    assert_gates(of.workbook, of.before)
    assert set(checks(of.workbook).values()) == {"OK"}
    assert of.workbook.errors() == []


@pytest.mark.parametrize("name", CHANGES)
def test_with_a_changed_cell_the_workbook_gives_what_kpi_computes(
    name: str, changes: dict[str, Changed]
) -> None:
    of = changes[name]
    assert tables_differ(of.before, of.after), "the change changes nothing: the test shows nothing"
    assert_money(of.changed, of.after)
    assert_scores(of.changed, of.after)
    assert_gates(of.changed, of.after)
    assert of.changed.errors() == []


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_moves_ranks_or_gates_is_marked_and_no_other(
    name: str, changes: dict[str, Changed]
) -> None:
    of = changes[name]
    failing = set()
    if columns_differ(of, "ranking", "rank"):
        failing.add("check_ranks")
    if columns_differ(of, "gates", "passed"):
        failing.add("check_gates")
    assert {check for check, said in checks(of.changed).items() if said != "OK"} == failing


def columns_differ(of: Changed, table: str, column: str) -> bool:
    before, after = (done.table(table)[column].to_list() for done in (of.before, of.after))
    return before != after


def tables_differ(before: Round, after: Round) -> bool:
    names = ("funding_lines", "ranking", "gates")
    return any(not before.table(name).equals(after.table(name)) for name in names)


def test_colleges_that_join_the_guarantee_after_a_change_are_marked(
    changes: dict[str, Changed], tmp_path: Path
) -> None:
    of = changes["a guarantee for the total, within the appropriation"]
    passes = of.before.table("funding_passes")
    assert passes["guaranteed_colleges"].to_list()[-1] > 0
    book = write_workbook(of.before, tmp_path / "book.xlsx", "en")
    files = [
        changed(book, tmp_path / "less.xlsx", {"guarantee_floor": 0.2}),
        changed(book, tmp_path / "tight.xlsx", {"appropriation_amount": 90_000_000}),
        changed(book, tmp_path / "weights.xlsx", {"weight_employment_rate": 0.4}),
    ]
    less, tight, weights = map(Shown, recalculate(files, tmp_path))
    assert checks(less)["check_guarantee"] != "OK"
    assert checks(tight)["check_appropriation"] != "OK"
    assert checks(weights)["check_weights"] != "OK"


def test_a_stale_value_is_replaced_when_the_workbook_is_recalculated(
    example_round: Round, tmp_path: Path
) -> None:
    """The proof that the tests above see recalculated values and not the written ones."""
    book = write_workbook(example_round, tmp_path / "book.xlsx", "en")
    amount = example_round.table("funding_totals").filter("in_force")["amount"].item()
    stale = tmp_path / "stale.xlsx"
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(stale, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = content.replace(f"<v>{amount}</v>".encode(), b"<v>1</v>")
            target.writestr(name, content)
    assert Shown(stale).named()["national_amount"] == 1
    (path,) = recalculate([stale], tmp_path)
    assert Shown(path).named()["national_amount"] == amount


def test_a_round_of_points_is_recalculated(tmp_path: Path) -> None:
    done = run(
        data_folder() / "astana-2024-25",
        tmp_path / "rounds",
        round_id="2024-25",
        methodology="assessment",
    )
    book = write_workbook(done, tmp_path / "book.xlsx", "en")
    (path,) = recalculate([book], tmp_path)
    assert_scores(Shown(path), done)
    assert Shown(path).errors() == []
