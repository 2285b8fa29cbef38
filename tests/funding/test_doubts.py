"""Doubt to flip: cases worked by hand, and every way that records could turn out, tried out.

Of the shipped gates employment asks for 7 of 10 and dual training for 2 of 10; a student who
qualifies brings 475 000 tenge.
"""

import datetime as dt
import itertools
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    Row,
    Tables,
    accreditation,
    agreement,
    college,
    graduate,
    graduates,
    reaches_the_gates,
    row_of,
    run,
    run_tables,
    student,
    students,
    together,
    write_rule,
)
from polars.testing import assert_frame_equal
from publications import DATE, publish_draft
from typer.testing import CliRunner

from funding.doubts import (
    FLAGS,
    KINDS,
    by_kind,
    hanging,
    in_doubt,
    moves_of,
    waived_rows,
)
from funding.doubts_told import reversal, standing
from kpi.access import AccessError, Role, Viewer, read_table
from kpi.cli import app
from kpi.language import LANGUAGES, speaker
from kpi.methodology import load_methodology
from kpi.pipeline import kpi_selects, put_table, read_selects, run_selects
from kpi.resources import data_folder, sql_folder
from kpi.rounds import Round, open_round

EMPLOYMENT, DUAL, ACCREDITED = "employment_rate", "dual_share", "institution_accredited"
A_HEAD = 475_000


def declared(college_id: str, destination: str = "employed") -> Row:
    """A graduate whose destination nobody but the college confirms."""
    day = "2025-08-15" if destination == "employed" else None
    return graduate(college_id, destination, destination_source="declared", destination_on=day)


def unknown(college_id: str) -> Row:
    """A graduate of whom nothing is known."""
    return graduate(college_id, "unknown")


def excluded(college_id: str) -> Row:
    """A graduate in military service, as its register says."""
    return graduate(college_id, "military_service", destination_source="military_register")


def of_college(
    college_id: str, cohort: Sequence[Row], *, dual: int = 2, size: int = 10, **more: list[Row]
) -> Tables:
    """An accredited college of ten students, two of them in dual training, with this cohort."""
    members = students(college_id, size)
    return together(
        {
            "colleges": [college(college_id)],
            "students": members,
            "graduates": cohort,
            "dual_agreements": [agreement(of) for of in members[:dual]],
            "accreditations": [accreditation(college_id)],
        },
        more,
    )


def unreadable(college_id: str) -> Row:
    """A student whose row is rejected: the day is none."""
    return student(college_id, enrolled_on="2023-02-30")


def worked() -> Tables:
    """Colleges whose doubts are counted by hand in the tests below."""
    return together(
        of_college("ON-EDGE", [*graduates("ON-EDGE", 7, 3), excluded("ON-EDGE")]),
        of_college(
            "HAS-ROOM", [*graduates("HAS-ROOM", 16, 4), *(excluded("HAS-ROOM") for _ in range(4))]
        ),
        of_college(
            "IS-SAFE", [*graduates("IS-SAFE", 16, 4), excluded("IS-SAFE"), excluded("IS-SAFE")]
        ),
        of_college("IS-DECLARED", [*graduates("IS-DECLARED", 6, 3), declared("IS-DECLARED")]),
        of_college(
            "ARE-EXCLUDED",
            [
                *graduates("ARE-EXCLUDED", 13, 4),
                *(declared("ARE-EXCLUDED", "military_service") for _ in range(3)),
            ],
        ),
        of_college(
            "IS-MIXED", [*graduates("IS-MIXED", 5, 3), declared("IS-MIXED"), unknown("IS-MIXED")]
        ),
        of_college(
            "IS-REJECTED", graduates("IS-REJECTED", 9, 1), students=[unreadable("IS-REJECTED")]
        ),
        of_college(
            "TWO-GATES",
            [*graduates("TWO-GATES", 6, 3), declared("TWO-GATES")],
            dual=1,
            size=9,
            students=[unreadable("TWO-GATES"), unreadable("TWO-GATES")],
        ),
        of_college("IS-FAR", [*graduates("IS-FAR", 2, 7), declared("IS-FAR")]),
        {
            **reaches_the_gates(students("NOT-ACCRED", 10), accredited=False),
            "graduates": [*graduates("NOT-ACCRED", 6, 3), declared("NOT-ACCRED")],
        },
        {"colleges": [college("IS-CLOSED", status="closed")], "graduates": [excluded("IS-CLOSED")]},
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The worked colleges as a draft."""
    return run_tables(tmp_path_factory.mktemp("doubts"), worked())


def of_unit(done: Round, college_id: str) -> dict[str, Row]:
    """The rows of ``decision_doubts`` of a college, by kind."""
    rows = done.table("decision_doubts").filter(pl.col("college_id") == college_id)
    return {row["doubt"]: row for row in rows.iter_rows(named=True)}


# --------------------------------------------------------------------------- worked by hand


def test_one_excluded_graduate_who_is_not_excluded_fails_a_college_on_the_threshold(
    done: Round,
) -> None:
    """7 of 10 is 0.70 exactly; with the excluded one in the denominator 7 of 11."""
    row = of_unit(done, "ON-EDGE")["excluded"]
    assert (row["passes"], row["needed"], row["records"], row["place"]) == (True, 1, 1, 1)
    assert row["gate"] == EMPLOYMENT
    assert row["tenge_at_risk"] == row["tenge_per_record"] == 10 * A_HEAD


def test_the_fewest_are_counted_and_no_more(done: Round) -> None:
    """16 of 20; 16 of 22 is 0.727, 16 of 23 is 0.696: three of the four excluded."""
    row = of_unit(done, "HAS-ROOM")["excluded"]
    assert (row["needed"], row["records"]) == (3, 4)
    assert row["tenge_per_record"] == 10 * A_HEAD // 3


def test_a_decision_that_all_records_together_leave_has_no_row(done: Round) -> None:
    """16 of 22 still passes; 3 of 10 in work does not pass; no record brings an accreditation."""
    for unit in ("IS-SAFE", "IS-FAR", "NOT-ACCRED", "IS-CLOSED"):
        assert not of_unit(done, unit), unit
    at_gate = row_of(done.table("gate_doubts"), college_id="IS-FAR", doubt="declared_work")
    assert (at_gate["records"], at_gate["needed"]) == (1, None)


def test_a_declared_job_that_is_one_passes_a_failed_gate(done: Round) -> None:
    """6 of 10, of the other four one declared only: 7 of 10 with it."""
    row = of_unit(done, "IS-DECLARED")["declared_work"]
    assert (row["passes"], row["needed"], row["records"]) == (False, 1, 1)
    assert row["tenge_at_risk"] == 10 * A_HEAD


def test_a_declared_exclusion_that_is_one_leaves_the_denominator(done: Round) -> None:
    """13 of 20 is 0.65, 13 of 19 is 0.684, 13 of 18 is 0.722: two of three."""
    row = of_unit(done, "ARE-EXCLUDED")["declared_exclusion"]
    assert (row["passes"], row["needed"], row["records"]) == (False, 2, 3)


def test_records_of_two_kinds_together_reverse_what_neither_does_alone(done: Round) -> None:
    """5 of 10, one declared, one unknown: 7 of 10 takes both."""
    rows = of_unit(done, "IS-MIXED")
    assert list(rows) == ["together"]
    assert (rows["together"]["needed"], rows["together"]["place"]) == (2, 1)


def test_a_rejected_student_counts_against_a_register_share(done: Round) -> None:
    """2 of 10 in dual training; with the rejected row, against the college, 2 of 11."""
    row = of_unit(done, "IS-REJECTED")["rejected"]
    assert (row["passes"], row["gate"], row["needed"], row["records"]) == (True, DUAL, 1, 1)


def test_a_college_that_fails_two_gates_needs_the_sum(done: Round) -> None:
    """6 of 10 in work and one declared; 1 of 9 in dual training, with one rejected row for it 2 of
    10. No kind alone does both.
    """
    rows = of_unit(done, "TWO-GATES")
    assert list(rows) == ["together"]
    row = rows["together"]
    assert (row["gates_failed"], row["gate"], row["needed"]) == (2, None, 2)
    assert row["tenge_at_risk"] == 9 * A_HEAD


def test_one_kind_is_named_before_the_same_number_of_any_kind(done: Round) -> None:
    rows = of_unit(done, "IS-DECLARED")
    assert {kind: row["place"] for kind, row in rows.items()} == {
        "declared_work": 1,
        "together": 2,
    }


def test_the_list_begins_where_a_record_weighs_most(done: Round) -> None:
    tables = [done.table(name) for name in ("decision_doubts", "gates", "unit_profile")]
    rows = in_doubt(*tables)
    assert rows.select("college_id", "needed", "tenge_per_record").rows() == [
        ("IS-DECLARED", 1, 4_750_000),
        ("IS-REJECTED", 1, 4_750_000),
        ("ON-EDGE", 1, 4_750_000),
        ("ARE-EXCLUDED", 2, 2_375_000),
        ("IS-MIXED", 2, 2_375_000),
        ("TWO-GATES", 2, 2_137_500),
        ("HAS-ROOM", 3, 1_583_333),
    ]
    edge = row_of(rows, college_id="ON-EDGE")
    assert (edge["numerator"], edge["denominator"]) == (7, 10)
    assert row_of(rows, college_id="TWO-GATES")["numerator"] is None
    few = hanging(rows)
    assert (few.decisions, few.tenge) == (7, 69 * A_HEAD)
    assert hanging(rows, 1).decisions == 3
    assert in_doubt(*tables, kind="excluded")["college_id"].to_list() == ["ON-EDGE", "HAS-ROOM"]
    assert in_doubt(*tables, passes=True).height == 3
    assert in_doubt(*tables, region="KZ-71").is_empty()
    kinds = by_kind(done.table("decision_doubts"))
    assert kinds.select("doubt", "decisions", "few").rows() == [
        ("declared_work", 1, 1),
        ("declared_exclusion", 1, 1),
        ("excluded", 2, 2),
        ("rejected", 1, 1),
        ("together", 7, 7),
    ]


def test_a_policy_for_few_people_that_a_rejected_row_ends_is_a_doubt(tmp_path: Path) -> None:
    """Nine graduates without work pass where few pass; with the tenth, they are judged."""
    text = (sql_folder().parent / "data/methodology/example/2024-09-01.toml").read_text()
    first = text.index("[[gates]]")
    changed = text[:first] + text[first:].replace(
        'on_small_cohort = "judge"', 'on_small_cohort = "pass"', 1
    )
    assert changed != text
    (tmp_path / "m.toml").write_text(changed)
    cohort = [*graduates("EX-01", 0, 9), graduate("EX-01", graduated_on="2025-02-30")]
    done = run_tables(tmp_path, of_college("EX-01", cohort), methodology=tmp_path / "m.toml")
    row = of_unit(done, "EX-01")["rejected"]
    assert (row["passes"], row["gate"], row["needed"]) == (True, EMPLOYMENT, 1)


# ------------------------------------------------------------------------------ other rules


def test_with_leagues_the_difference_of_two_shares_hangs_on_the_gates_of_league_1(
    tmp_path: Path,
) -> None:
    """Two colleges: the better one stands in league 1 and would fall to the next; the other one
    would stand beside it.
    """
    rule = write_rule(
        tmp_path / "r.toml", mode="leagues", shares={1: "1", 2: "0.6", 3: "0.3", 4: "0"}
    )
    tables = together(
        of_college(
            "IS-ABOVE", [*graduates("IS-ABOVE", 14, 6), excluded("IS-ABOVE")], size=30, dual=9
        ),
        of_college(
            "IS-BELOW", [*graduates("IS-BELOW", 13, 6), declared("IS-BELOW")], size=30, dual=9
        ),
    )
    done = run_tables(tmp_path, tables, rule=rule)
    leagues = dict(done.table("ranking").select("college_id", "league").rows())
    methodology = done.methodology
    assert decision_gates_of(done) == list(methodology.leagues[0].gates)
    assert leagues == {"IS-ABOVE": 1, "IS-BELOW": 2}
    above, below = of_unit(done, "IS-ABOVE")["excluded"], of_unit(done, "IS-BELOW")["declared_work"]
    assert (above["passes"], above["needed"]) == (True, 1)
    assert above["tenge_at_risk"] == 30 * 190_000, "1 falls to 0.6: 475 000 x 0.4"
    assert (below["passes"], below["needed"]) == (False, 1)
    assert below["tenge_at_risk"] == 30 * 190_000, "0.6 rises to 1"


def decision_gates_of(done: Round) -> list[str]:
    """The gates that the round's money hangs on, as stored."""
    return sorted(
        done.table("param_decision_gate")["gate"], key=[EMPLOYMENT, DUAL, ACCREDITED].index
    )


def test_a_rule_without_gates_has_no_decision_in_doubt(tmp_path: Path) -> None:
    rule = write_rule(tmp_path / "r.toml", gates=(), full=437_000)
    done = run_tables(tmp_path, of_college("EX-01", graduates("EX-01", 7, 3)), rule=rule)
    assert done.table("decision_doubts").is_empty()
    assert done.table("param_decision_gate").is_empty()


def test_a_round_without_students_pays_nothing_and_has_no_doubts(tmp_path: Path) -> None:
    done = run(
        data_folder() / "astana-2024-25", tmp_path, round_id="2024-25", methodology="assessment"
    )
    assert not done.has("decision_doubts")


# ------------------------------------------------------------------- every way, tried out

CERTAIN = ("in_specialty", "elsewhere", "without_work")
TRUTHS: dict[str, tuple[str, ...]] = {
    "declared_work": ("in_specialty", "elsewhere", "without_work"),
    "contract": ("in_specialty", "elsewhere", "without_work"),
    "declared_exclusion": ("studies", "serves", "without_work"),
    "unknown": ("in_specialty", "elsewhere", "without_work"),
    "studies": ("without_work",),
    "serves": ("without_work",),
}
"""What a graduate may turn out to be, by what the record says."""
DOUBT = {"contract": "unknown", "studies": "excluded", "serves": "excluded"}
SAYS = (*CERTAIN, *TRUTHS)


def counted(says: str) -> dict[str, tuple[int, int]]:
    """What one graduate counts for in each KPI, from the definitions of DESIGN §5."""
    works = says in ("in_specialty", "elsewhere")
    inside = says not in ("studies", "serves")
    claims = works or says in ("declared_work", "contract")
    return {
        "employment_rate": (int(works), int(inside)),
        "in_specialty_rate": (int(says == "in_specialty"), int(inside)),
        "employment_rate_with_study": (int(works or says == "studies"), 1),
        "verified_share": (int(works), int(claims)),
        "employment_declared_rate": (
            int(works or says == "declared_work"),
            int(inside and says != "declared_exclusion"),
        ),
    }


GATES = tuple(counted("serves"))


def flags(says: str) -> dict[str, bool]:
    """What the columns of cohort_cells say of a graduate, as sql/1_clean/cohort.sql does."""
    works = says in ("in_specialty", "elsewhere")
    out = says in ("studies", "serves")
    return {
        "dual": False,
        "claims_work": works or says in ("declared_work", "contract"),
        "is_employed": works,
        "is_excluded": out,
        "is_studying": says == "studies",
        "declared_employed": works or says == "declared_work",
        "declared_excluded": out or says == "declared_exclusion",
        "is_unknown": says in ("declared_work", "contract", "declared_exclusion", "unknown"),
        "is_in_specialty": says == "in_specialty",
        "is_certified": False,
    }


def passes(cohort: Sequence[str], gate: str, threshold: Decimal, more: tuple[int, int]) -> bool:
    """Whether a cohort passes, with ``more`` counted beside it; no data fails."""
    pairs = [counted(says)[gate] for says in cohort] + [more]
    numerator, denominator = (sum(part) for part in zip(*pairs, strict=True))
    return bool(denominator) and numerator >= threshold * denominator


def fewest(
    cohort: Sequence[str], gates: dict[str, Decimal], rejected: int, kind: str
) -> int | None:
    """The fewest records that reverse whether all gates are passed, by trying every way."""
    now = all(passes(cohort, gate, threshold, (0, 0)) for gate, threshold in gates.items())
    ways = []
    for says in cohort:
        open_to = DOUBT.get(says, says) == kind or kind == "together"
        ways.append((says, *TRUTHS.get(says, ())) if open_to else (says,))
    found = []
    for turned in itertools.product(*ways):
        changed = sum(a != b for a, b in zip(cohort, turned, strict=True))
        most = rejected if kind in ("rejected", "together") else 0
        for rows in range(most + 1):
            for right in range(rows + 1):
                then = all(
                    passes(turned, gate, threshold, (right, rows))
                    for gate, threshold in gates.items()
                )
                if then != now:
                    found.append(changed + rows)
    return min(found) if found else None


cohorts = st.lists(st.sampled_from(SAYS), min_size=1, max_size=6)
units = st.lists(st.tuples(cohorts, st.integers(0, 2)), min_size=1, max_size=4)
thresholds = st.integers(1, 20).map(lambda twentieths: Decimal(twentieths) / 20)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def put_units(
    con: duckdb.DuckDBPyConnection,
    given_units: Sequence[tuple[list[str], int]],
    gates: dict[str, Decimal],
) -> None:
    """Put what sql/6_doubts reads of these units, and make its tables."""
    methodology = load_methodology("kpi", dt.date(2025, 10, 1))
    selects = kpi_selects(con, methodology, sql_folder())
    ids = [f"U{number}" for number in range(len(given_units))]
    whole = list(zip(ids, given_units, strict=True))
    cells = [{"college_id": unit, **flags(says)} for unit, (cohort, _) in whole for says in cohort]
    frame = (
        pl.DataFrame(cells).group_by("college_id", *FLAGS).agg(graduates=pl.len().cast(pl.Int64))
    )
    money = pl.Decimal(18, 4)
    rows = []
    for unit, (cohort, rejected) in whole:
        for gate, threshold in gates.items():
            pairs = [counted(says)[gate] for says in cohort]
            numerator, denominator = (sum(part) for part in zip(*pairs, strict=True))
            passed = passes(cohort, gate, threshold, (0, 0))
            rows.append((unit, gate, numerator, denominator, threshold, passed, rejected))
    put_table(con, "cohort_cells", frame)
    schema = {
        "college_id": pl.String,
        "gate": pl.String,
        "numerator": money,
        "denominator": money,
        "threshold": pl.Decimal(18, 6),
        "passed": pl.Boolean,
        "rejected": pl.Int64,
    }
    put_table(con, "gates", pl.DataFrame(rows, schema=schema, orient="row"))
    put_table(con, "param_decision_gate", pl.DataFrame({"gate": list(gates)}))
    put_table(
        con,
        "param_gate",
        pl.DataFrame({"gate": list(gates), "kpi": list(gates)}).with_columns(
            on_small_cohort=pl.lit("judge"), on_no_data=pl.lit("fail")
        ),
    )
    put_table(con, "param_kpi", pl.DataFrame({"kpi": list(gates), "min_denominator": 10}))
    values = pl.DataFrame({"college_id": ids}).join(pl.DataFrame({"kpi": list(gates)}), how="cross")
    put_table(con, "kpi_values", values.with_columns(status=pl.lit("ok")))
    put_table(con, "unit_shares", pl.DataFrame({"college_id": ids}))
    put_table(con, "reversed_shares", pl.DataFrame({"college_id": ids, "share": [1] * len(ids)}))
    put_table(con, "param_norm", pl.DataFrame({"full": [912_000]}))
    lines = {
        "college_id": ids,
        "student_months": [12] * len(ids),
        "base_norm": [437_000] * len(ids),
    }
    put_table(
        con,
        "entitled_lines",
        pl.DataFrame(lines).with_columns(
            coefficient=pl.lit(1, pl.Decimal(18, 8)), entitled_incentive=pl.lit(0)
        ),
    )
    doubts = read_selects(con, sql_folder() / "6_doubts")
    run_selects(con, [one for one in doubts if one.table == "doubt_turns"])
    turns = con.sql("SELECT * FROM doubt_turns").pl()
    put_table(con, "doubt_moves", moves_of(turns, selects, methodology))
    run_selects(con, [one for one in doubts if one.table != "doubt_turns"])


@settings(max_examples=40, deadline=None)
@given(given_units=units, gate=st.sampled_from(GATES), threshold=thresholds)
def test_no_fewer_records_reverse_a_gate_whatever_they_turn_out_to_be(
    con: duckdb.DuckDBPyConnection,
    given_units: list[tuple[list[str], int]],
    gate: str,
    threshold: Decimal,
) -> None:
    put_units(con, given_units, {gate: threshold})
    found = {
        (unit, kind): needed
        for unit, kind, needed in con.sql(
            "SELECT college_id, doubt, needed FROM gate_doubts"
        ).fetchall()
    }
    decided = {
        (unit, kind): needed
        for unit, kind, needed in con.sql(
            "SELECT college_id, doubt, needed FROM decision_doubts"
        ).fetchall()
    }
    for number, (cohort, rejected) in enumerate(given_units):
        for kind in KINDS:
            least = fewest(cohort, {gate: threshold}, rejected, kind)
            assert found.get((f"U{number}", kind)) == least, (cohort, rejected, kind)
            assert decided.get((f"U{number}", kind)) == least, "one gate is the decision"


@settings(max_examples=25, deadline=None)
@given(given_units=units, first=thresholds, second=thresholds)
def test_of_two_gates_it_is_the_fewest_that_fail_one_and_never_too_few_to_pass_both(
    con: duckdb.DuckDBPyConnection,
    given_units: list[tuple[list[str], int]],
    first: Decimal,
    second: Decimal,
) -> None:
    gates = {"employment_rate": first, "in_specialty_rate": second}
    put_units(con, given_units, gates)
    rows = {
        row["college_id"]: row
        for row in con.sql("SELECT * FROM decision_doubts WHERE doubt = 'together'")
        .pl()
        .iter_rows(named=True)
    }
    for number, (cohort, rejected) in enumerate(given_units):
        least = fewest(cohort, gates, rejected, "together")
        row = rows.get(f"U{number}")
        if row is None:
            passing = all(passes(cohort, gate, of, (0, 0)) for gate, of in gates.items())
            assert least is None or not passing
        elif row["passes"]:
            assert row["needed"] == least
        else:
            each = [
                fewest(cohort, {gate: of}, rejected, "together")
                for gate, of in gates.items()
                if not passes(cohort, gate, of, (0, 0))
            ]
            assert row["needed"] == sum(one or 0 for one in each)
            assert row["gates_failed"] == len(each)


@settings(max_examples=10, deadline=None)
@given(given_units=units, threshold=thresholds)
def test_a_place_is_1_for_the_fewest_and_money_is_whole(
    con: duckdb.DuckDBPyConnection, given_units: list[tuple[list[str], int]], threshold: Decimal
) -> None:
    put_units(con, given_units, {"employment_rate": threshold})
    rows = con.sql("SELECT * FROM decision_doubts").pl()
    first = rows.filter(pl.col("place") == 1)
    least = rows.group_by("college_id").agg(pl.col("needed").min())
    assert_frame_equal(
        first.select("college_id", "needed").sort("college_id"), least.sort("college_id")
    )
    assert (rows["tenge_at_risk"] == A_HEAD).all()


# --------------------------------------------------------------------------- said and shown


def told(row: dict[str, Any], language: str, is_published: bool = False) -> str:
    words = speaker(language)
    text = f"{standing(words, row)}; {reversal(words, row, is_published)}"
    return text.replace("\u00a0", " ")


def test_a_decision_is_said_in_a_sentence_with_its_numbers() -> None:
    row: dict[str, Any] = {
        "numerator": 182, "denominator": 259, "passes": True, "gates_failed": 0,
        "doubt": "excluded", "needed": 3,
    }  # fmt: skip
    assert told(row, "en") == "passes with 182 of 259; 3 excluded graduates would reverse it"
    row |= {"numerator": None, "passes": False, "gates_failed": 2, "doubt": "together"}
    assert told(row, "en") == "fails 2 gates; 3 records of several kinds would reverse it"
    assert "3 записи" in told(row, "ru")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_words(language: str, kind: str) -> None:
    row = {"doubt": kind, "needed": 1}
    said = {reversal(speaker(language), row, is_published) for is_published in (True, False)}
    assert "[no" not in "".join(said)
    assert len(said) == (2 if kind == "rejected" else 1), "a published rejected row was waived"


def test_a_published_round_counts_the_rows_that_were_waived(tmp_path: Path) -> None:
    tables = of_college("EX-01", graduates("EX-01", 9, 1), dual=5, students=[unreadable("EX-01")])
    draft = run_tables(tmp_path, tables)
    assert waived_rows(draft) == 0
    publish_draft(tmp_path / "rounds", waivers=DATE)
    assert waived_rows(open_round(tmp_path / "rounds")) == 1


def test_ministry_and_auditor_alone_may_read_the_list(done: Round) -> None:
    for role, place in (
        (Role.REGION, {"region": "KZ-35"}),
        (Role.DIRECTOR, {"college_id": "HAS-ROOM"}),
    ):
        for table in ("decision_doubts", "gate_doubts"):
            with pytest.raises(AccessError):
                read_table(done, table, Viewer(role, "a@example.org", **place))
    for role in (Role.MINISTRY, Role.AUDITOR):
        assert read_table(done, "decision_doubts", Viewer(role, "a@example.org")).height > 7


def called(done: Round, *more: str) -> Any:
    store = str(done.path.parents[1])
    return CliRunner().invoke(app, ["doubts", "--store", store, "--version", "draft", *more])


def test_the_command_lists_them_as_table_csv_and_json(done: Round) -> None:
    shown = called(done, "--top", "2")
    assert shown.exit_code == 0
    text = " ".join(shown.output.replace("\u00a0", " ").split())
    assert "7 of 10 decisions about money hang on at most 3 records: 32.8 million ₸ a year" in text
    assert "2 of 7 shown; --top 0 shows all." in text
    csv = called(done, "--format", "csv").output.splitlines()
    assert len(csv) == 1 + 7
    assert csv[0].startswith("round,version,rules_status,college_id,name_ru,region,doubt,")
    rows = json.loads(called(done, "--format", "json", "--region", "KZ-35").output)
    assert [row["needed"] for row in rows] == [1, 1, 1, 2, 2, 2, 3]
    assert rows[0]["version"] == "draft-1"


def test_the_command_refuses_an_unknown_region_or_format(done: Round) -> None:
    assert "No college of the round has this region" in str(
        called(done, "--region", "KZ").exception
    )
    assert "no such format" in str(called(done, "--format", "xml").exception)
