"""What changed between two rounds: parts that sum exactly, each with a reason in words."""

import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    HEAVY,
    THEORY,
    WORKSHOP,
    Tables,
    college,
    row_of,
    run,
    run_tables,
    students,
    together,
    write_folder,
    write_rule,
)
from small_rounds import METHODOLOGY, edited, publish_newest, town

from funding.compare import PARTS, Comparison, compare, reasons, with_reasons
from kpi.errors import CallError
from kpi.language import LANGUAGES, speaker
from kpi.rounds import Round, open_round

ENGLISH = speaker("en")


def parts(comparison: Comparison, college_id: str) -> dict[str, int]:
    """The parts of one college's change that are not nought."""
    row = row_of(comparison.colleges, college_id=college_id)
    return {part: row[part] for part in PARTS if row[part]}


def assert_sums(comparison: Comparison) -> None:
    """Each college's parts sum to its change, which is what the two rounds store."""
    old, new = (
        dict(one.table("funding")["college_id", "amount"].rows())
        for one in (comparison.before, comparison.after)
    )
    assert set(comparison.colleges["college_id"]) == {*old, *new}
    for row in comparison.colleges.iter_rows(named=True):
        before, after = old.get(row["college_id"], 0), new.get(row["college_id"], 0)
        assert (row["amount_before"], row["amount_after"]) == (before, after)
        assert row["change"] == after - before
        assert sum(row[part] for part in PARTS) == row["change"], row


def assert_reasons(comparison: Comparison) -> None:
    """Each part that is not nought has a reason in words, and no other has one."""
    for college_id in comparison.colleges["college_id"]:
        told = reasons(comparison, college_id, ENGLISH)
        assert set(told) == set(parts(comparison, college_id))
        assert all(told.values())


# each thing alone


class Rounds:
    """Rounds over a base that a test changes in one thing."""

    def __init__(self, at: Path) -> None:
        self.at = at
        self.before = self.round("before")

    def tables(self) -> Tables:
        return together(
            town("EX-01"),
            {"students": students("EX-01", 10, specialty=WORKSHOP)},
            town("EX-02", employed=6, unemployed=4, specialty=HEAVY, locality="rural"),
            town("EX-03", employed=9, unemployed=1, dual=7, specialty=WORKSHOP),
        )

    def round(
        self,
        name: str,
        tables: Tables | None = None,
        methodology: Path = METHODOLOGY,
        **rule: Any,
    ) -> Round:
        at = self.at / name
        at.mkdir()
        stated: dict[str, Any] = {"cost_groups": {"workshop": "1.2", "heavy": "1.5"}} | rule
        file = write_rule(at / "rule.toml", **stated)
        return run_tables(at, tables or self.tables(), methodology=methodology, rule=file)


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    return Rounds(tmp_path_factory.mktemp("compare"))


def test_a_round_against_itself_is_all_nought(rounds: Rounds) -> None:
    done = compare(rounds.before, rounds.before)
    assert_sums(done)
    assert done.colleges.select(pl.col("change", *PARTS).abs().sum()).row(0) == (0,) * 7
    assert done.leagues.is_empty()
    assert set(with_reasons(done, ENGLISH)["reasons"]) == {""}


def test_students_alone(rounds: Rounds) -> None:
    tables = rounds.tables()
    tables["students"] += students("EX-01", 5, study_form="evening")
    done = compare(rounds.before, rounds.round("students", tables, calibrate=True))
    assert_sums(done)
    assert_reasons(done)
    assert set(parts(done, "EX-01")) == {"students", "coefficient"}, "the calibration moves too"
    plain = rounds.round("plain", calibrate=False)
    tables["students"] += students("EX-02", 4, specialty=HEAVY)
    more = rounds.round("more", tables, calibrate=False)
    done = compare(plain, more)
    assert_sums(done)
    assert parts(done, "EX-01") == {"students": 5 * 912_000}
    assert parts(done, "EX-02") == {"students": 4 * 437_000 * 3 // 2}
    assert parts(done, "EX-03") == {}
    assert reasons(done, "EX-01", ENGLISH) == {"students": "eligible students 40, now 45"}


def test_students_of_other_specialties_are_said_where_their_number_is_the_same(
    rounds: Rounds,
) -> None:
    tables = rounds.tables()
    moved = [row for row in tables["students"] if row["specialty"] == THEORY][:3]
    for row in moved:
        row["specialty"] = WORKSHOP
    done = compare(
        rounds.round("same", calibrate=False), rounds.round("other", tables, calibrate=False)
    )
    assert_sums(done)
    assert parts(done, "EX-01") == {"students": 3 * (1_094_400 - 912_000)}
    told = reasons(done, "EX-01", ENGLISH)["students"]
    assert told != "eligible students 40, now 40", "that is no reason"
    assert f"{THEORY}: 30 → 27" in told
    assert f"{WORKSHOP}: 10 → 13" in told


def test_a_gate_passed_now_alone(rounds: Rounds) -> None:
    tables = rounds.tables()
    [idle] = [
        row
        for row in tables["graduates"]
        if row["college_id"] == "EX-02" and row["destination"] == "unemployed"
    ][:1]
    idle.update(destination="employed", destination_source="pension_contributions")
    idle["destination_on"] = "2025-08-15"
    after = rounds.round("gate", tables)
    done = compare(rounds.before, after)
    assert_sums(done)
    assert_reasons(done)
    incentive = row_of(after.table("funding"), college_id="EX-02")["incentive_amount"]
    assert parts(done, "EX-02") == {"qualification": incentive}
    assert parts(done, "EX-01") == {}
    assert reasons(done, "EX-02", ENGLISH) == {
        "qualification": "share of the incentive 0, now 1: Employed, excluded left out (derived)"
        " passed now"
    }
    back = compare(after, rounds.before)
    assert parts(back, "EX-02") == {"qualification": -incentive}
    assert "(derived) failed now" in reasons(back, "EX-02", ENGLISH)["qualification"]


def test_another_threshold_is_qualification_too(rounds: Rounds, tmp_path: Path) -> None:
    higher = [
        ('kpi = "employment_rate"\nthreshold = 0.70', 'kpi = "employment_rate"\nthreshold = 0.85')
    ]
    methodology = edited(METHODOLOGY, tmp_path / "m.toml", higher)
    done = compare(rounds.before, rounds.round("threshold", methodology=methodology))
    assert_sums(done)
    assert set(parts(done, "EX-01")) == {"qualification"}
    assert parts(done, "EX-03") == {}, "9 of 10"


def test_the_norm_alone(rounds: Rounds) -> None:
    done = compare(rounds.before, rounds.round("norm", base=450_000, full=1_000_000))
    assert_sums(done)
    assert_reasons(done)
    for college_id in ("EX-01", "EX-02", "EX-03"):
        assert set(parts(done, college_id)) == {"norm"}
    assert reasons(done, "EX-02", ENGLISH) == {
        "norm": "norm 437,000 and 912,000, now 450,000 and 1,000,000, with 0 of the incentive"
    }


def test_a_coefficient_alone(rounds: Rounds) -> None:
    done = compare(rounds.before, rounds.round("cost", cost_groups={"workshop": "2", "heavy": "1"}))
    assert_sums(done)
    assert_reasons(done)
    for college_id in ("EX-01", "EX-02", "EX-03"):
        assert set(parts(done, college_id)) == {"coefficient"}
    told = reasons(done, "EX-01", ENGLISH)["coefficient"]
    assert told.startswith("coefficients of 2 specialties")
    assert THEORY in told
    assert WORKSHOP in told


def test_the_appropriation_alone(rounds: Rounds) -> None:
    limited = rounds.round("limited", appropriation=(20_000_000, "incentive"))
    done = compare(rounds.before, limited)
    assert_sums(done)
    assert_reasons(done)
    assert set(parts(done, "EX-01")) == {"appropriation"}
    assert parts(done, "EX-02") == {}, "it has no incentive to lose"
    lost = limited.table("funding").select(
        pl.col("incentive_amount").sum() - pl.col("entitled_incentive").sum()
    )
    assert done.colleges["appropriation"].sum() == lost.item() < 0
    told = reasons(done, "EX-01", ENGLISH)["appropriation"]
    assert told.startswith("the appropriation's point value 1, now 0.")


def test_the_guarantee_against_the_published_round_before(tmp_path: Path) -> None:
    """Paid 600 thousand a student last year; now half the students and the base norm."""
    store = tmp_path / "rounds"
    before = together(town("EX-01", size=40), town("EX-02", size=40, employed=5, unemployed=5))
    old = write_rule(tmp_path / "o.toml", start="2024-09-01", base=600_000, full=600_000, gates=[])
    folder = write_folder(tmp_path / "before", **before)
    run(folder, store, round_id="2024-25", methodology=METHODOLOGY, rule=old)
    publish_newest(store, "2024-25")
    rule = write_rule(tmp_path / "r.toml", guarantee=("total", "0.9", "outside"))
    after = together(town("EX-01", size=40), town("EX-02", size=20, employed=5, unemployed=5))
    run(write_folder(tmp_path / "after", **after), store, methodology=METHODOLOGY, rule=rule)
    done = compare(open_round(store, "2024-25"), open_round(store, "2025-26"))
    assert_sums(done)
    assert_reasons(done)
    floor = 40 * 600_000 * 9 // 10
    assert parts(done, "EX-02") == {
        "students": -20 * 600_000,
        "norm": 20 * (437_000 - 600_000),
        "guarantee": floor - 20 * 437_000,
    }
    assert "guarantee" not in parts(done, "EX-01"), "its amount is above the floor"
    told = reasons(done, "EX-02", ENGLISH)["guarantee"]
    assert told.replace("\u00a0", " ") == (
        f"guarantee of the previous amount 0 ₸, now {floor - 20 * 437_000:,} ₸"
    )


# colleges that come and go


def test_new_vanished_and_merged_colleges(rounds: Rounds) -> None:
    tables = rounds.tables()
    tables["colleges"] = [
        college("EX-01"),
        college("EX-02", status="merged", successor_id="EX-01", merged_on="2025-09-01"),
        college("EX-03", status="closed"),
        college("EX-04"),
    ]
    tables = together(
        {name: [r for r in rows if r["college_id"] != "EX-03"] for name, rows in tables.items()},
        {"colleges": [college("EX-03", status="closed")]},
        town("EX-05"),
        {"students": students("EX-04", 6)},
    )
    after = rounds.round("moved", tables)
    for done in (compare(rounds.before, after), compare(after, rounds.before)):
        assert_sums(done)
        assert_reasons(done)
    done = compare(rounds.before, after)
    rows = {row["college_id"]: row for row in done.colleges.to_dicts()}
    assert rows["EX-02"]["amount_after"] == rows["EX-03"]["amount_after"] == 0
    assert rows["EX-04"]["amount_before"] == rows["EX-05"]["amount_before"] == 0
    assert set(parts(done, "EX-02")) == {"students"}
    assert set(parts(done, "EX-05")) == {"students", "qualification"}
    assert parts(done, "EX-04").keys() == {"students"}
    told = {college_id: reasons(done, college_id, ENGLISH)["students"] for college_id in rows}
    assert told["EX-02"] == "no longer a unit of its own: its students count for EX-01"
    assert told["EX-03"] == "no longer paid: 30 eligible students before"
    assert told["EX-04"] == "not paid before; 6 eligible students now"
    assert told["EX-01"].startswith("eligible students 40, now 70"), "with those of EX-02"
    assert "EX-02" in told["EX-01"], "why it has more: another college counts for it now"
    moved = {row["college_id"]: row for row in done.leagues.to_dicts()}
    assert moved["EX-02"]["league_after"] is None
    assert moved["EX-05"]["league_before"] is None
    assert "EX-04" not in moved, "it was not ranked and is not: too few students"


def test_who_moved_leagues_is_listed_and_nobody_else(rounds: Rounds) -> None:
    tables = rounds.tables()
    for row in tables["graduates"]:
        if row["college_id"] == "EX-02" and row["destination"] == "unemployed":
            row.update(destination="employed", destination_source="pension_contributions")
            row["destination_on"] = "2025-08-15"
    after = rounds.round("leagues", tables)
    done = compare(rounds.before, after)
    old, new = (
        dict(one.table("ranking")["college_id", "league"].rows()) for one in (rounds.before, after)
    )
    wanted = {(c, old[c], new[c]) for c in old if old[c] != new[c]}
    columns = ["college_id", "league_before", "league_after"]
    assert set(done.leagues.select(columns).rows()) == wanted
    assert wanted


def test_the_largest_changes_stand_first(rounds: Rounds) -> None:
    tables = rounds.tables()
    tables["students"] += students("EX-03", 20, specialty=WORKSHOP)
    done = compare(rounds.before, rounds.round("order", tables))
    sizes = done.colleges["change"].abs().to_list()
    assert sizes == sorted(sizes, reverse=True)


def test_modes_of_payment_may_differ(rounds: Rounds) -> None:
    shares = {1: "1", 2: "0.6", 3: "0.3", 4: "0"}
    done = compare(rounds.before, rounds.round("mode", mode="leagues", shares=shares))
    assert_sums(done)
    assert_reasons(done)


def test_a_round_without_funding_is_refused(rounds: Rounds, tmp_path: Path) -> None:
    empty = Round(tmp_path / "2025-26" / "draft-1")
    for pair in ((empty, rounds.before), (rounds.before, empty)):
        with pytest.raises(CallError, match="no funding") as caught:
            compare(*pair)
        assert caught.value.parts["where"] == str(empty.path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reasons_are_said_in_every_language(rounds: Rounds, language: str) -> None:
    done = compare(rounds.before, open_round(rounds.at / "before" / "rounds"))
    assert with_reasons(done, speaker(language)).height == 3


# any two rounds


COEFFICIENTS = st.sampled_from(["0.5", "1", "1.3333", "2"])
MODES = st.sampled_from(
    [
        {"mode": "threshold"},
        {"mode": "leagues", "shares": {1: "1", 2: "0.666667", 3: "0.3", 4: "0"}},
        {"phase_in": {"employment_rate": ("0.1", "0.9")}},
    ]
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """A rule as ``write_rule`` takes it."""
    base = draw(st.sampled_from([100_001, 437_000, 611_111]))
    limits: list[tuple[int, str] | None] = [None, (3_333_333, "incentive"), (10**8, "total")]
    return draw(MODES) | {
        "base": base,
        "full": base + draw(st.sampled_from([0, 1, 475_000])),
        "calibrate": draw(st.booleans()),
        "count_basis": draw(st.sampled_from(["on_date", "monthly_average"])),
        "cost_groups": {"workshop": draw(COEFFICIENTS), "heavy": draw(COEFFICIENTS)},
        "localities": {"rural": draw(COEFFICIENTS)},
        "appropriation": draw(st.sampled_from(limits)),
    }


@st.composite
def registers(draw: st.DrawFn) -> Tables:
    """One to three of four colleges, of any size, result, place and specialties."""
    names = draw(
        st.lists(
            st.sampled_from(["EX-1", "EX-2", "EX-3", "EX-4"]), min_size=1, max_size=3, unique=True
        )
    )
    whole: list[Tables] = []
    for name in names:
        employed = draw(st.integers(0, 10))
        whole.append(
            town(
                name,
                size=draw(st.integers(0, 27)),
                employed=employed,
                unemployed=10 - employed,
                dual=draw(st.integers(0, 8)),
                specialty=draw(st.sampled_from([THEORY, WORKSHOP, HEAVY])),
                locality=draw(st.sampled_from(["urban", "rural"])),
            )
        )
        left = {"left_on": "2026-02-01", "left_reason": "own_wish", "specialty": WORKSHOP}
        whole.append({"students": students(name, draw(st.integers(0, 4)), **left)})
    return together(*whole)


@pytest.fixture(scope="module")
def any_round(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Round]]:
    """Runs a round of its own for each example."""
    at = tmp_path_factory.mktemp("any")

    def made(tables: Tables, rule: dict[str, Any]) -> Round:
        folder = Path(tempfile.mkdtemp(dir=at))
        file = write_rule(folder / "rule.toml", **rule)
        return run_tables(folder, tables, methodology=METHODOLOGY, rule=file)

    yield made


@settings(max_examples=4)
@given(one=st.tuples(registers(), rules()), other=st.tuples(registers(), rules()))
def test_between_any_two_rounds_the_parts_sum_exactly_with_a_reason_each(
    one: tuple[Tables, dict[str, Any]],
    other: tuple[Tables, dict[str, Any]],
    any_round: Callable[..., Round],
) -> None:
    before, after = any_round(*one), any_round(*other)
    there, back = compare(before, after), compare(after, before)
    for done in (there, back):
        assert_sums(done)
        assert_reasons(done)
    changes = dict(there.colleges["college_id", "change"].rows())
    assert {c: -change for c, change in back.colleges["college_id", "change"].rows()} == changes
    assert_sums(compare(after, after))
    assert compare(after, after).colleges["change"].abs().sum() == 0


def test_shares_are_decimals_to_the_millionth(rounds: Rounds) -> None:
    """The phase-in of 0.8 between 0.1 and 0.9 is 0.875."""
    done = rounds.round("phase", phase_in={"employment_rate": ("0.1", "0.9")})
    assert row_of(done.table("unit_shares"), college_id="EX-01")["share"] == Decimal("0.875")
    compared = compare(rounds.before, done)
    assert_sums(compared)
    told = reasons(compared, "EX-01", ENGLISH)["qualification"]
    assert told == "share of the incentive 1, now 0.875"
