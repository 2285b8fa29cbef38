"""Signs of gaming: who is found, with figures worked by hand, and the level in honest rounds.

The country has 34 colleges. Each had 42 students a year before the count, of whom 2 dropped out and
2 are in evening study or on leave: 38 are the contingent, 8 of them in dual training (7 the year
before). Of 50 graduates 30 are in work, 10 are not, 5 are in further study, and 5 are only declared
to be in work. EX-01 to EX-09 do each something else in the second year.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from inputs import (
    Row,
    Tables,
    accreditation,
    agreement,
    college,
    graduate,
    plan,
    quiet,
    row_of,
    run,
    student,
    students,
    together,
    write_folder,
)
from publications import copied, publish_draft
from scipy.stats import betabinom, binom

from funding.verify import recomputation_faults
from kpi.access import AccessError, Role, Viewer, read_findings, read_table
from kpi.chance import Bools, Floats, Ints, at_least_of_unlike, q_values
from kpi.compared import COMPARED, compared_of
from kpi.errors import DataError
from kpi.export import TABLES
from kpi.judging import (
    LEAST_UNITS,
    LEVEL,
    around_gate,
    judge_largest,
    judge_rises,
    judge_shares,
)
from kpi.pipeline import connect, tables_made
from kpi.pooling import Counted
from kpi.resources import sql_folder
from kpi.rounds import Round, open_round
from kpi.signs import FEW_UNITS, NO_PREVIOUS, RISES, SIGNS, put_signs, sign_notes
from kpi.uncertainty import fit_beta

COLLEGES = [f"EX-{number:02}" for number in range(1, 35)]
USUAL = {"employed": 30, "unemployed": 10, "excluded": 5, "declared": 5}


# ---- a country, two years ----


def town(college_id: str, year: int, **does: Any) -> Tables:
    """A college in the round that counts on 1 October of ``year``; ``does`` what is not usual."""
    there = [
        *students(college_id, 38, enrolled_on=f"{year - 2}-09-01"),
        student(college_id, enrolled_on=f"{year - 2}-09-01", study_form="evening"),
        student(college_id, enrolled_on=f"{year - 2}-09-01", academic_leave=True),
    ]
    for member in there[2 : does.get("on_leave", 0) + 2]:
        member["academic_leave"] = True
    gone = students(
        college_id,
        does.get("dropped", 2),
        enrolled_on=f"{year - 2}-09-01",
        left_on=f"{year}-03-01",
        left_reason="own_wish",
    )
    return {
        "colleges": [college(college_id)],
        "students": [*there, *gone],
        "graduates": list(cohort(college_id, year, does)),
        "dual_agreements": list(dual(there[-3::-1], year, does)),
        "accreditations": [accreditation(college_id)],
    }


def cohort(college_id: str, year: int, does: dict[str, Any]) -> Iterator[Row]:
    """The graduates of a summer. Of those in work two began 13 days before the cut-off, which are
    its last 14 days, and one the day before that; two work for one employer, the others alone.
    """
    numbers = USUAL | {name: does[name] for name in USUAL if name in does}
    late, at_one = does.get("late", 2), does.get("at_one", 2)
    summer = {"graduated_on": f"{year}-06-30"}
    for number in range(numbers["employed"]):
        day = "09-18" if number < late else "09-17" if number == late else "08-15"
        employer = f"9900000000{10 if number < at_one else 10 + number}"
        yield graduate(
            college_id, "employed", destination_on=f"{year}-{day}", employer_bin=employer, **summer
        )
    for _ in range(numbers["unemployed"]):
        yield graduate(college_id, **summer)
    for _ in range(numbers["excluded"]):
        yield graduate(
            college_id, "further_study", destination_source="enrolment_register", **summer
        )
    for _ in range(numbers["declared"]):
        yield graduate(
            college_id,
            "employed",
            destination_source="declared",
            destination_on=f"{year}-08-15",
            **summer,
        )


def dual(members: list[Row], year: int, does: dict[str, Any]) -> Iterator[Row]:
    """The agreements: one begins in the last 14 days; of another student's two only one does."""
    late = does.get("late_agreements", 1)
    for number, member in enumerate(members[: does.get("dual", 8)]):
        begins = f"{year}-09-18" if number < late else f"{year}-09-01"
        yield agreement(member, valid_from=begins, valid_to=f"{year + 1}-06-30")
        if number == late:
            yield agreement(member, valid_from=f"{year}-09-25", valid_to=f"{year + 1}-06-30")


GAMES: dict[str, dict[str, Any]] = {
    "EX-01": {"declared": 30},
    "EX-02": {"at_one": 20},
    "EX-03": {"late": 20},
    "EX-04": {"late_agreements": 8},
    "EX-05": {"unemployed": 0, "excluded": 15},
    "EX-06": {"dropped": 16, "employed": 31, "unemployed": 9},
    "EX-07": {"on_leave": 15, "dual": 5},
    "EX-08": {"employed": 44, "unemployed": 0, "declared": 1},
    "EX-09": {"dual": 30},
}
FOUND = {
    "sign_unverified_employment": ("EX-01", "30/60 (50.0 %)"),
    "sign_one_employer": ("EX-02", "20/30 (66.7 %)"),
    "sign_last_days": ("EX-03", "20/30 (66.7 %)"),
    "sign_late_agreements": ("EX-04", "8/8 (100.0 %)"),
    "sign_excluded_rising": ("EX-05", "5/50 (10.0 %) → 15/50 (30.0 %)"),
    "sign_dropout_rising": ("EX-06", "2/42 (4.8 %) → 16/56 (28.6 %)"),
    "sign_left_contingent": ("EX-07", "2/40 (5.0 %) → 17/40 (42.5 %)"),
    "sign_employment_jump": ("EX-08", "30/45 (66.7 %) → 44/45 (97.8 %)"),
    "sign_dual_jump": ("EX-09", "7/38 (18.4 %) → 30/38 (78.9 %)"),
    "sign_around_gate": (None, "33/33 (100.0 %)"),
}
"""Of 38 students 7.6 would pass the gate of 0.20: all 33 but EX-09 have 8, and none 6 or 7."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The year before is published, the year of the games a draft."""
    folder = tmp_path_factory.mktemp("signs")
    before = together(*(town(one, 2024, dual=7) for one in COLLEGES))
    now = together(*(town(one, 2025, **GAMES.get(one, {})) for one in COLLEGES))
    asked = {"methodology": "kpi", "store": folder / "rounds"}
    run(write_folder(folder / "before", **before), round_id="2024-25", **asked)
    publish_draft(folder / "rounds", round_id="2024-25")
    run(write_folder(folder / "now", **now), round_id="2025-26", **asked)
    return folder / "rounds"


@pytest.fixture(scope="module")
def gamed(store: Path) -> Round:
    return open_round(store, "2025-26")


@pytest.fixture(scope="module")
def honest(store: Path) -> Round:
    return open_round(store, "2024-25")


# ---- what is found ----


def signs_in(of_round: Round) -> dict[str, list[tuple[str | None, str]]]:
    rows = of_round.findings().filter(pl.col("check_name").str.starts_with("sign_"))
    found: dict[str, list[tuple[str | None, str]]] = {}
    for row in rows.iter_rows(named=True):
        assert row["severity"] == "warning"
        found.setdefault(row["check_name"], []).append((row["college_id"], row["found"]))
    return found


def test_each_game_raises_its_sign_with_its_figures_and_no_other(gamed: Round) -> None:
    assert signs_in(gamed) == {check: [found] for check, found in FOUND.items()}


def test_every_sign_has_a_check_and_a_game() -> None:
    checks = {path.stem for path in (sql_folder() / "checks").glob("sign_*.sql")}
    assert checks == {f"sign_{sign}" for sign in SIGNS} == FOUND.keys()


def test_the_usual_is_no_sign(honest: Round) -> None:
    assert signs_in(honest) == {}
    tests = honest.table("sign_tests")
    row = row_of(tests, sign="last_days", college_id="EX-01")
    assert (row["numerator"], row["denominator"]) == (2, 30), "13 days before, not 14"
    row = row_of(tests, sign="late_agreements", college_id="EX-01")
    assert (row["numerator"], row["denominator"]) == (1, 7), "who has an earlier one too is not"
    row = row_of(tests, sign="unverified_employment", college_id="EX-01")
    assert (row["numerator"], row["denominator"]) == (5, 35)
    row = row_of(tests, sign="one_employer", college_id="EX-01")
    assert (row["numerator"], row["denominator"]) == (2, 30)


def test_a_finding_says_what_was_expected_and_how_many_false_alarms(gamed: Round) -> None:
    """Without EX-01, 33 colleges have 5 of 35 (EX-08 1 of 45): 161 of 1,165, so 8.3 of 60."""
    [finding] = (
        gamed.findings().filter(pl.col("check_name") == "sign_unverified_employment").to_dicts()
    )
    assert finding["expected"] == (
        "about 8.3/60 (13.8 %); 0.05 of 1 such findings are expected to be false alarms"
    )
    assert "30/60 (50.0 %)" in finding["message"]
    row = row_of(gamed.table("sign_totals"), sign="unverified_employment")
    assert (row["units"], row["tested"], row["flagged"]) == (34, 34, 1)
    assert float(row["level"]) == float(row["expected_false_alarms"]) == LEVEL
    assert row["reason"] is None


def test_the_p_value_is_the_beta_binomials_of_all_others(gamed: Round) -> None:
    rows = gamed.table("sign_tests").filter(pl.col("sign") == "last_days")
    others = rows.filter(pl.col("college_id") != "EX-03")
    a, b = fit_beta(others["numerator"].to_numpy(), others["denominator"].to_numpy())
    for row in rows.filter(~pl.col("is_flagged")).iter_rows(named=True):
        p = betabinom.sf(row["numerator"] - 1, row["denominator"], a, b)
        assert float(row["p_value"]) == pytest.approx(p, abs=1e-9)


def test_near_a_gate_no_college_is_named(gamed: Round) -> None:
    rows = gamed.table("sign_tests").filter(pl.col("sign") == "around_gate")
    assert rows["college_id"].null_count() == rows.height == 2
    assert rows["gate"].to_list() == ["dual_share", "employment_rate"]
    director = Viewer(Role.DIRECTOR, "d", college_id="EX-01")
    seen = read_findings(gamed, director).filter(pl.col("check_name").str.starts_with("sign_"))
    assert seen["college_id"].to_list() == ["EX-01"]


def test_who_sees_the_tests(gamed: Round) -> None:
    director, region = (
        Viewer(Role.DIRECTOR, "d", college_id="EX-02"),
        Viewer(Role.REGION, "r", region="KZ-35"),
    )
    assert set(read_table(gamed, "sign_tests", director)["college_id"]) == {"EX-02"}
    assert read_table(gamed, "sign_tests", region).is_empty()
    with pytest.raises(AccessError):
        read_table(gamed, "sign_totals", director)
    assert {"sign_tests", "sign_totals"} <= set(TABLES), "in the ministry's export"


def test_employers_and_people_are_not_kept(gamed: Round) -> None:
    kept = {path.stem for path in (gamed.path / "tables").glob("*.parquet")}
    assert {table for table in kept if table.startswith("sign")} == {
        "sign_counts",
        "sign_tests",
        "sign_totals",
    }
    assert not kept & {path.stem for path in (sql_folder() / "7_signs").glob("*.sql")}
    assert "employer_bin" not in gamed.table("sign_tests").columns


# ---- the round before ----


def test_the_round_before_travels_with_the_round(store: Path, gamed: Round, tmp_path: Path) -> None:
    before = open_round(store, "2024-25")
    assert gamed.receipt["compared"] == {
        "round": "2024-25",
        "version": "v1",
        "receipt_sha256": before.receipt_hash,
    }
    counts = gamed.reference()["previous_counts"]
    assert set(counts["counted"]) == set(COMPARED)
    alone = copied(store, tmp_path, without="2024-25")
    assert list(recomputation_faults(open_round(alone, "2025-26"), quiet)) == []


def test_without_a_round_before_these_signs_are_not_tested_and_it_says_so(honest: Round) -> None:
    totals = honest.table("sign_totals")
    untested = totals.filter(pl.col("reason").is_not_null())
    assert set(untested["sign"]) == RISES.keys()
    assert set(untested["reason"]) == {NO_PREVIOUS}
    assert "compared" not in honest.receipt
    assert honest.sources["notes"] == [
        "Signs of gaming: 5 tested, 0 found; at most 0.00 of them are expected to be false alarms.",
        "Signs of gaming not tested, because no published round 2023-24 has counts made in the same"
        f" way: {', '.join(sorted(RISES))}.",
    ]


def test_what_the_round_before_counted_otherwise_is_not_compared(store: Path) -> None:
    """A source that counts no more changes what depends on it, and nothing else."""
    asked = plan(methodology="kpi", store=store)
    fewer = asked.methodology.model_copy(update={"sources": asked.methodology.sources[1:]})
    now = Counted("2025-26", fewer, asked.dates, asked.sql)
    compared = compared_of(store, now)
    assert compared is not None
    assert set(compared.counts["counted"]) == {"dual_share", "dropout_rate", "left_contingent"}


def test_a_round_before_whose_files_were_changed_is_an_error(store: Path, tmp_path: Path) -> None:
    changed = copied(store, tmp_path)
    path = changed / "2024-25" / "v1" / "tables" / "kpi_counts.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match="not those that were published"):
        plan(methodology="kpi", store=changed)


def test_what_merged_since_counts_for_the_unit_that_it_counts_for_now(
    store: Path, tmp_path: Path
) -> None:
    now = together(*(town(one, 2025) for one in COLLEGES))
    now["colleges"][33] = college(
        "EX-34", status="merged", merged_on="2025-08-01", successor_id="EX-33"
    )
    done = run(
        write_folder(tmp_path / "input", **now),
        tmp_path / "rounds",
        round_id="2025-26",
        methodology="kpi",
    )
    assert done.table("sign_totals")["tested"].sum() > 0
    asked = plan(methodology="kpi", store=store)
    assert asked.compared is not None
    con = connect(tmp_path)
    try:
        for table in ("kpi_counts", "sign_counts", "colleges"):
            con.register(table, done.table(table).to_arrow())
        con.register("previous_counts", asked.compared.counts.to_arrow())
        text = (sql_folder() / "7_signs" / "before_and_now.sql").read_text(encoding="utf-8")
        rows = con.sql(f"SELECT * FROM ({text}) ORDER BY ALL").pl()
    finally:
        con.close()
    row = row_of(rows, counted="employment_rate", college_id="EX-33")
    assert (row["previous_numerator"], row["previous_denominator"]) == (60, 90)
    assert (row["numerator"], row["denominator"]) == (60, 90)
    assert "EX-34" not in set(rows["college_id"])


# ---- too few colleges, and older rounds ----


def test_twelve_colleges_do_not_tell_how_colleges_differ(example_round: Round) -> None:
    totals = example_round.table("sign_totals")
    assert totals["tested"].sum() == 0
    assert set(totals["reason"]) == {FEW_UNITS, NO_PREVIOUS}
    assert example_round.table("sign_tests")["p_value"].null_count() > 0
    assert signs_in(example_round) == {}


def test_a_round_of_before_there_were_signs_gets_none(tmp_path: Path) -> None:
    con = connect(tmp_path)
    try:
        put_signs(con, [], None)
        assert tables_made(con) == set()
        assert list(sign_notes(con, "2025-26")) == []
    finally:
        con.close()


# ---- the levels, by simulation ----


def alike(rng: np.random.Generator, mean: float, people: float, n: Ints) -> Ints:
    """Draw counts of honest colleges that differ as a prior of so many people has it."""
    return rng.binomial(n, rng.beta(mean * people, (1 - mean) * people, len(n)))


def sizes(rng: np.random.Generator, colleges: int = 150) -> Ints:
    return np.clip(np.exp(rng.normal(4.8, 0.9, colleges)), 12, 1500).astype(np.int64)


def test_honest_shares_are_seldom_found_and_a_binomial_would_find_them_always() -> None:
    """200 rounds: 5 % may find somebody, give or take three standard errors of 1.5 %."""
    rng = np.random.default_rng(1)
    wrong, of_binomial = 0, 0
    for _ in range(200):
        n = sizes(rng)
        k = alike(rng, 0.1, 20, n)
        wrong += bool((judge_shares(k, n).q <= LEVEL).any())
        p = binom.sf(k - 1, n, k.sum() / n.sum())
        of_binomial += bool((q_values(p) <= LEVEL).any())
    assert wrong <= 200 * (LEVEL + 0.046)
    assert of_binomial > 190


def test_those_who_game_do_not_hide_each_other() -> None:
    """15 of 150 colleges have 60 % where 10 % is usual: nearly all are found, nearly alone."""
    rng = np.random.default_rng(2)
    right, false = [], []
    for _ in range(20):
        n = sizes(rng)
        k = alike(rng, 0.1, 40, n)
        k[:15] = rng.binomial(n[:15], 0.6)
        found = judge_shares(k, n).q <= LEVEL
        right.append(found[:15].mean())
        false.append(found[15:].sum() / max(found.sum(), 1))
    assert np.mean(right) > 0.8
    assert np.mean(false) < 2 * LEVEL


def test_honest_rises_are_seldom_found() -> None:
    """Colleges move by a third of their odds from year to year, and the nation moves too."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(100):
        n, of = sizes(rng), sizes(rng)
        before = rng.beta(7, 3, len(n))
        odds = np.log(before / (1 - before)) + 0.2 + rng.normal(0, 0.3, len(n))
        now = rng.binomial(n, 1 / (1 + np.exp(-odds)))
        judged = judge_rises(rng.binomial(of, before), of, now, n)
        wrong += bool((judged.q <= LEVEL).any())
    assert wrong <= 100 * (LEVEL + 0.065)


def test_a_rise_is_judged_beside_what_the_nation_did() -> None:
    """All rise from 50 to 70 of 100, one from 50 to 95: that one is found."""
    before, n = np.full(60, 50), np.full(60, 100)
    now = np.full(60, 70)
    now[7] = 95
    judged = judge_rises(before, n, now, n)
    assert np.flatnonzero(judged.q <= LEVEL).tolist() == [7]
    assert judged.expected[0] == pytest.approx(70, abs=0.5)


def test_who_may_not_be_found_is_not_tested_but_learnt_from() -> None:
    before, n = np.full(60, 50), np.full(60, 100)
    now = np.full(60, 50)
    now[[7, 8]] = 95
    may: Bools = np.arange(60) != 7
    judged = judge_rises(before, n, now, n, may)
    assert np.flatnonzero(judged.q <= LEVEL).tolist() == [8]
    assert np.isnan(judged.p[7])


def test_one_employer_of_many_is_found_and_large_ones_everywhere_are_not() -> None:
    """40 colleges of 50, whose largest employer has 5; in one it has 25. Where it has 25
    everywhere, nobody is found.
    """
    usual, much = [5, *[1] * 45], [25, *[1] * 25]
    assert found_of([usual] * 39 + [much]) == [39]
    assert found_of([much] * 40) == []


def found_of(groups: list[list[int]]) -> list[int]:
    unit = np.repeat(np.arange(len(groups)), [len(of) for of in groups])
    judged = judge_largest(unit, np.concatenate([np.array(of) for of in groups]), len(groups))
    return np.flatnonzero(judged.q <= LEVEL).tolist()


def test_a_cohort_that_could_never_be_found_takes_no_power_from_others() -> None:
    """Two of two, where every second graduate is usual, is no discovery: it is not tested."""
    k, n = np.array([*[50] * 40, 2]), np.array([*[100] * 40, 2])
    judged = judge_shares(k, n)
    assert np.isnan(judged.p[40])
    assert not np.isnan(judged.p[:40]).any()


def test_fewer_colleges_than_tell_how_they_differ_are_not_tested() -> None:
    k, n = np.full(LEAST_UNITS - 1, 5), np.full(LEAST_UNITS - 1, 50)
    assert np.isnan(judge_shares(k, n).p).all()
    assert not np.isnan(judge_shares(np.append(k, 5), np.append(n, 50)).p).any()


def of_shares(k: Ints, n: Ints, gate: float) -> float:
    """A test that looks at shares: of those within 2 points of the gate, does half pass?"""
    shares: Floats = k / n
    near = np.abs(shares - gate) < 0.02
    above = int((near & (shares >= gate)).sum())
    return at_least_of_unlike(above, np.full(int(near.sum()), 0.5))


def test_around_a_gate_honest_rounds_keep_the_level_and_a_test_on_shares_does_not() -> None:
    """300 rounds each; at 0.75 many colleges are exactly at the gate, and nobody just below it."""
    rng = np.random.default_rng(4)
    wrong, wrong_on_shares, right = 0, 0, 0
    for _ in range(300):
        n = sizes(rng, 300) // 2
        k = alike(rng, 0.72, 20, n)
        least = -(-3 * n // 4)
        wrong += around_gate(k, n, least)[3] <= LEVEL
        wrong_on_shares += of_shares(k, n, 0.75) <= LEVEL
        pushed = np.where((k < least) & (k >= least - 2), least, k)
        right += around_gate(pushed, n, least)[3] <= LEVEL
    assert wrong <= 300 * (LEVEL + 0.038)
    assert wrong_on_shares > 300 * 0.15
    assert right > 290


def test_around_a_gate_by_hand() -> None:
    """All colleges are alike, and one half is usual. 3 of 4 is the gate: of the counts 1, 2, 3, 4
    with the chances 4, 6, 4, 1 of 16 the upper two have 1/3.
    """
    k = np.array([2] * 20 + [3] * 10 + [1] * 10)
    above, within, expected, p = around_gate(k, np.full(40, 4), np.full(40, 3))
    assert (above, within) == (10, 40)
    assert expected == pytest.approx(40 / 3, rel=1e-2)
    assert p == pytest.approx(binom.sf(9, 40, 1 / 3), abs=0.01)


def test_a_gate_with_nobody_near_it_is_no_sign() -> None:
    n = np.full(40, 50)
    assert around_gate(np.full(40, 5), n, np.full(40, 35)) == (0, 0, 0.0, 1.0)
