"""Each KPI against its definition (DESIGN §5): published counts, edges of conditions, intervals.

The edge cases are one college each, all in one small round; 1 October 2025 is "the day".
"""

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from inputs import (
    HEAVY,
    KEY,
    THEORY,
    WORKSHOP,
    Row,
    Tables,
    accreditation,
    agreement,
    assessment,
    college,
    counts,
    graduate,
    plan,
    quiet,
    row_of,
    run_tables,
    student,
    students,
    together,
    write_folder,
)
from scipy.stats import binomtest

from funding.run import check_rows
from kpi.intake import read_inputs
from kpi.pipeline import (
    connect,
    count_kpis,
    get_table,
    kpi_selects,
    put_table,
    read_selects,
    run_selects,
)
from kpi.pooling import put_pool
from kpi.resources import data_folder, sql_folder
from kpi.rounds import Round

FACTS = tomllib.loads((data_folder() / "reference" / "facts.toml").read_text(encoding="utf-8"))


# ---- the statistics bureau's counts, through the same SQL ----


@pytest.fixture(scope="module", params=["bulletin_2024_25", "bulletin_2025_26"])
def bulletin(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], pl.DataFrame]:
    """A bulletin's counts, and ``region_kpis`` of as many graduates in forty colleges of two
    regions; those neither employed nor in further study are unemployed.
    """
    facts = FACTS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    con = connect(folder)
    ids = [f"EX-{number:02d}" for number in range(40)]
    colleges = [
        college(college_id, region=["KZ-35", "KZ-71"][number % 2])
        for number, college_id in enumerate(ids)
    ]
    read_inputs(con, write_folder(folder / "input", colleges=colleges), KEY, quiet)
    con.execute(
        """
        INSERT INTO raw_graduates BY NAME
        SELECT
            range AS row_id,
            0 AS file_no,
            range + 2 AS record,
            'G' || range AS graduate_id,
            format('EX-{:02d}', range % 40) AS college_id,
            '01120100' AS specialty,
            DATE '2025-06-30' AS graduated_on,
            'full_time' AS study_form,
            'state_order' AS funding_source,
            FALSE AS dual,
            CASE
                WHEN range < $employed THEN 'employed'
                WHEN range < $employed + $further_study THEN 'further_study'
                ELSE 'unemployed'
            END AS destination,
            CASE
                WHEN range < $employed THEN 'pension_contributions'
                WHEN range < $employed + $further_study THEN 'enrolment_register'
                ELSE 'none'
            END AS destination_source,
            CASE WHEN range < $employed THEN DATE '2025-08-15' END AS destination_on
        FROM range($graduates)
        """,
        {name: facts[name] for name in ("graduates", "employed", "further_study")},
    )
    asked = plan()
    check_rows(con, asked)
    run_selects(con, read_selects(con, sql_folder() / "1_clean"))
    count_kpis(con, kpi_selects(con, asked.methodology, asked.sql))
    put_pool(con, asked.round_id, asked.methodology, None)
    run_selects(con, read_selects(con, sql_folder() / "3_profile"))
    regions = get_table(con, "region_kpis")
    con.close()
    return facts, regions


@pytest.mark.parametrize(
    ("kpi", "stated"),
    [
        ("employment_rate_of_all", "rate_of_all"),
        ("employment_rate", "rate_excluding_further_study"),
        ("employment_rate_with_study", "rate_counting_further_study"),
    ],
)
def test_the_bureaus_counts_give_the_three_rates_that_facts_states(
    bulletin: tuple[dict[str, Any], pl.DataFrame], kpi: str, stated: str
) -> None:
    facts, regions = bulletin
    nation = row_of(regions, region="KZ", kpi=kpi)
    assert round(nation["value"], 3) == facts[stated]


def test_the_bureaus_counts_come_out_whole(bulletin: tuple[dict[str, Any], pl.DataFrame]) -> None:
    facts, regions = bulletin
    graduates, employed, study = facts["graduates"], facts["employed"], facts["further_study"]
    expected = {
        "employment_rate_of_all": (employed, graduates),
        "employment_rate": (employed, graduates - study),
        "employment_rate_with_study": (employed + study, graduates),
        "further_study_rate": (study, graduates),
        "excluded_share": (study, graduates),
        "verified_share": (employed, employed),
    }
    nation = regions.filter(pl.col("region") == "KZ")
    for kpi, (numerator, denominator) in expected.items():
        row = row_of(nation, kpi=kpi)
        assert (row["numerator"], row["denominator"]) == (numerator, denominator), kpi


def test_the_nation_is_the_sum_of_its_regions_never_a_mean_of_rates(
    bulletin: tuple[dict[str, Any], pl.DataFrame],
) -> None:
    _, regions = bulletin
    of_regions = (
        regions.filter(pl.col("region") != "KZ")
        .group_by("kpi")
        .agg(pl.col("numerator").sum(), pl.col("denominator").sum(), pl.len())
    )
    nation = regions.filter(pl.col("region") == "KZ").select("kpi", "numerator", "denominator")
    assert of_regions["len"].unique().to_list() == [2]
    assert of_regions.drop("len").sort("kpi").rows() == nation.sort("kpi").rows()


def test_a_median_has_no_sum_and_stands_for_no_region(
    bulletin: tuple[dict[str, Any], pl.DataFrame],
) -> None:
    assert "median_wage" not in bulletin[1]["kpi"].to_list()


# ---- the edges of each condition ----


@dataclass(frozen=True)
class Case:
    """The rows of the college EX-0 and its neighbour EX-9, and what one KPI of EX-0 must be."""

    sentence: str
    kpi: str
    expected: str  # numerator / denominator
    rows: Tables


def _student(sentence: str, kpi: str, expected: str, **columns: Any) -> Case:
    return Case(sentence, kpi, expected, {"students": [student("EX-0", **columns)]})


def _graduate(sentence: str, kpi: str, expected: str, **columns: Any) -> Case:
    return Case(sentence, kpi, expected, {"graduates": [graduate("EX-0", **columns)]})


def _agreed(sentence: str, kpi: str, expected: str, *agreements: dict[str, Any]) -> Case:
    someone = student("EX-0")
    signed = [agreement(someone, **columns) for columns in agreements]
    return Case(sentence, kpi, expected, {"students": [someone], "dual_agreements": signed})


def _accredited(sentence: str, kpi: str, expected: str, *accreditations: Row) -> Case:
    rows = {"students": [student("EX-0")], "accreditations": list(accreditations)}
    return Case(sentence, kpi, expected, rows)


def _outcome_cases() -> Iterator[Case]:
    rate = "employment_rate"
    yield _graduate(
        "a job known only from the enrolment register, a source accepted for study, is unknown",
        rate,
        "0/1",
        destination="employed",
        destination_source="enrolment_register",
    )
    yield _graduate(
        "further study known only from pension contributions stays in the denominator",
        rate,
        "0/1",
        destination="further_study",
        destination_source="pension_contributions",
    )
    yield _graduate(
        "emigration known only from the social payments stays in the denominator",
        rate,
        "0/1",
        destination="emigrated",
        destination_source="social_payment",
    )
    yield _graduate(
        "parental leave known only from the civil register stays in the denominator",
        rate,
        "0/1",
        destination="parental_leave",
        destination_source="civil_register",
    )
    for destination, source in [
        ("further_study", "enrolment_register"),
        ("military_service", "military_register"),
        ("parental_leave", "social_payment"),
        ("emigrated", "civil_register"),
        ("deceased", "civil_register"),
    ]:
        yield _graduate(
            f"{destination} known from the {source} leaves the denominator",
            rate,
            "0/0",
            destination=destination,
            destination_source=source,
        )
        yield _graduate(
            f"{destination} that is only declared stays in the denominator",
            rate,
            "0/1",
            destination=destination,
            destination_source="declared",
        )
        yield _graduate(
            f"{destination} that is only declared leaves the denominator of the declared rate",
            "employment_declared_rate",
            "0/0",
            destination=destination,
            destination_source="declared",
        )
    for source in ["pension_contributions", "employer_contract", "entrepreneur_register"]:
        for destination in ["employed", "self_employed"]:
            yield _graduate(
                f"{destination} by the {source} counts",
                rate,
                "1/1",
                destination=destination,
                destination_source=source,
            )
    yield _graduate(
        "a job dated exactly on the last day that is looked at counts",
        rate,
        "1/1",
        destination="employed",
        destination_on="2025-10-01",
    )
    yield _graduate(
        "a job dated one day later is unknown",
        rate,
        "0/1",
        destination="employed",
        destination_on="2025-10-02",
    )
    yield _graduate(
        "a job dated one day later is unknown in the declared rate too",
        "employment_declared_rate",
        "0/1",
        destination="employed",
        destination_on="2025-10-02",
    )
    yield _graduate(
        "military service dated exactly on that day leaves the denominator",
        rate,
        "0/0",
        destination="military_service",
        destination_source="military_register",
        destination_on="2025-10-01",
    )
    yield _graduate(
        "military service dated one day later stays in the denominator",
        rate,
        "0/1",
        destination="military_service",
        destination_source="military_register",
        destination_on="2025-10-02",
    )
    for day, inside in [("2024-08-31", 0), ("2024-09-01", 1), ("2025-08-31", 1), ("2025-09-01", 0)]:
        yield _graduate(
            f"a graduate of {day} is {'in' if inside else 'outside'} the cohort",
            rate,
            f"{inside}/{inside}",
            destination="employed",
            graduated_on=day,
            destination_on="2025-09-15",
        )
    yield _graduate(
        "a job of which nobody says whether it is in the specialty is not counted as such",
        "in_specialty_rate",
        "0/1",
        destination="employed",
        in_specialty=None,
    )
    yield _graduate(
        "a job in the specialty from no accepted source is not counted as such",
        "in_specialty_rate",
        "0/1",
        destination="employed",
        destination_source="declared",
        in_specialty=True,
    )
    yield _graduate(
        "someone without work is in no job of the specialty, whatever the cell says",
        "in_specialty_rate",
        "0/1",
        in_specialty=True,
    )
    yield _graduate(
        "a graduate who left the denominator of employment still has a certificate",
        "certified_share",
        "1/1",
        destination="deceased",
        destination_source="civil_register",
        certificate_id="C-1",
    )
    yield _graduate(
        "a graduate in work who is no dual graduate is not in the dual rate",
        "dual_employment_rate",
        "0/0",
        destination="employed",
    )
    yield _graduate(
        "a dual graduate in the army leaves the denominator of the dual rate",
        "dual_employment_rate",
        "0/0",
        dual=True,
        destination="military_service",
        destination_source="military_register",
    )
    yield _graduate(
        "a job that came too late is claimed and not verified",
        "verified_share",
        "0/1",
        destination="employed",
        destination_on="2025-10-02",
    )
    yield _graduate(
        "a declared job is claimed and not verified",
        "verified_share",
        "0/1",
        destination="self_employed",
        destination_source="declared",
    )
    yield _graduate(
        "someone without work claims none", "verified_share", "0/0", destination="unemployed"
    )
    yield _graduate(
        "declared study is no further study",
        "employment_rate_with_study",
        "0/1",
        destination="further_study",
        destination_source="declared",
    )
    yield _graduate(
        "the bureau's rate keeps the army in its denominator",
        "employment_rate_of_all",
        "0/1",
        destination="military_service",
        destination_source="military_register",
    )
    wages = [
        graduate("EX-0", "employed", monthly_wage=wage) for wage in (100_001, 100_002, None)
    ] + [
        graduate("EX-0", "employed", monthly_wage=1, destination_source="declared"),
        graduate("EX-0", "unemployed", monthly_wage=1),
    ]
    yield Case(
        "the median of two known wages is their middle; no wage, a declared job, no job: left out",
        "median_wage",
        "100001.5/2",
        {"graduates": wages},
    )


def _contingent_cases() -> Iterator[Case]:
    share = "targeted_share"
    yield _student(
        "a student enrolled on the day itself is there", share, "0/1", enrolled_on="2025-10-01"
    )
    yield _student(
        "a student enrolled the day after is not", share, "0/0", enrolled_on="2025-10-02"
    )
    yield _student(
        "a student who left on the very day is not there any more",
        share,
        "0/0",
        left_on="2025-10-01",
        left_reason="transferred",
    )
    yield _student(
        "a student who leaves the day after is still there", share, "0/1", left_on="2025-10-02"
    )
    yield _student("a part-time student is not counted", share, "0/0", study_form="part_time")
    yield _student("an evening student is not counted", share, "0/0", study_form="evening")
    yield _student("a student on academic leave is not counted", share, "0/0", academic_leave=True)
    for source, counted in [
        ("state_order", 0),
        ("targeted_state_order", 1),
        ("enterprise_paid", 1),
        ("self_paid", 0),
    ]:
        yield _student(
            f"a student of {source} {'is' if counted else 'is not'} studying for an employer",
            share,
            f"{counted}/1",
            funding_source=source,
        )
    dropout = "dropout_rate"
    yield _student(
        "a student who left on the day a year earlier was not there then",
        dropout,
        "0/0",
        left_on="2024-10-01",
        left_reason="expelled",
    )
    yield _student(
        "a student who left the day after that dropped out",
        dropout,
        "1/1",
        left_on="2024-10-02",
        left_reason="expelled",
    )
    yield _student(
        "a student who left on the very day twelve months later dropped out",
        dropout,
        "1/1",
        left_on="2025-10-01",
        left_reason="own_wish",
    )
    yield _student(
        "a student who leaves after twelve months did not drop out within them",
        dropout,
        "0/1",
        left_on="2025-10-02",
        left_reason="own_wish",
    )
    yield _student(
        "a student who graduated did not drop out",
        dropout,
        "0/1",
        left_on="2025-06-30",
        left_reason="graduated",
    )
    yield _student(
        "a student who transferred did not drop out",
        dropout,
        "0/1",
        left_on="2025-06-30",
        left_reason="transferred",
    )
    yield _student(
        "a student who left and nobody says why dropped out", dropout, "1/1", left_on="2025-06-30"
    )
    yield _student(
        "a student enrolled on the day a year earlier was there then",
        dropout,
        "0/1",
        enrolled_on="2024-10-01",
    )
    yield _student(
        "a student enrolled the day after that was not", dropout, "0/0", enrolled_on="2024-10-02"
    )


def _dual_cases() -> Iterator[Case]:
    dual, employers = "dual_share", "employers_per_100"
    yield _agreed("a student without an agreement is no dual student", dual, "0/1")
    yield _agreed(
        "an agreement that ends on the day itself is in force",
        dual,
        "1/1",
        {"valid_to": "2025-10-01"},
    )
    yield _agreed(
        "an agreement that ended the day before is not", dual, "0/1", {"valid_to": "2025-09-30"}
    )
    yield _agreed(
        "an agreement that begins on the day itself is in force",
        dual,
        "1/1",
        {"valid_from": "2025-10-01"},
    )
    yield _agreed(
        "an agreement that begins the day after is not", dual, "0/1", {"valid_from": "2025-10-02"}
    )
    yield _agreed(
        "an agreement for the one day is in force",
        dual,
        "1/1",
        {"valid_from": "2025-10-01", "valid_to": "2025-10-01"},
    )
    yield _agreed("two agreements with one employer count one student", dual, "1/1", {}, {})
    yield _agreed("two agreements with one employer count one employer", employers, "100/1", {}, {})
    yield _agreed(
        "agreements with two employers count one student",
        dual,
        "1/1",
        {},
        {"employer_bin": "990040000023"},
    )
    yield _agreed(
        "agreements with two employers count two employers",
        employers,
        "200/1",
        {},
        {"employer_bin": "990040000023"},
    )
    yield _agreed(
        "an employer whose agreement has ended does not count",
        employers,
        "100/1",
        {},
        {"employer_bin": "990040000023", "valid_to": "2025-09-30"},
    )
    two = students("EX-0", 2)
    yield Case(
        "one employer of two students counts once for the two of them",
        employers,
        "100/2",
        {"students": two, "dual_agreements": [agreement(of) for of in two]},
    )
    yield _agreed("a college without agreements has no employers", employers, "0/1")
    evening = student("EX-0", study_form="evening")
    yield Case(
        "an evening student's agreement counts neither above nor below the line",
        dual,
        "0/0",
        {"students": [evening], "dual_agreements": [agreement(evening)]},
    )
    someone = student("EX-0")
    yield Case(
        "an agreement signed through another college does not count",
        dual,
        "0/1",
        {
            "students": [someone],
            "dual_agreements": [agreement(someone, college_id="EX-9")],
            "colleges": [college("EX-9")],
        },
    )
    branch_student = student("EX-9")
    yield Case(
        "an agreement that the head signed for a student of its branch counts for the head",
        dual,
        "1/1",
        {
            "students": [branch_student],
            "dual_agreements": [agreement(branch_student, college_id="EX-0")],
            "colleges": [college("EX-9", parent_id="EX-0")],
        },
    )


def _accreditation_cases() -> Iterator[Case]:
    share, college_wide = "accredited_share", "institution_accredited"
    abroad = "international_accredited"
    ours = accreditation("EX-0", THEORY)
    yield _accredited("a student of an accredited programme counts", share, "1/1", ours)
    yield Case(
        "the programme accreditation of another college does not count",
        share,
        "0/1",
        {
            "students": [student("EX-0")],
            "accreditations": [accreditation("EX-9", THEORY)],
            "colleges": [college("EX-9")],
        },
    )
    yield Case(
        "the programme accreditation of a branch counts for the head's students of it",
        share,
        "1/1",
        {
            "students": [student("EX-0")],
            "accreditations": [accreditation("EX-9", THEORY)],
            "colleges": [college("EX-9", parent_id="EX-0")],
        },
    )
    yield _accredited(
        "the accreditation of another programme does not count",
        share,
        "0/1",
        accreditation("EX-0", HEAVY),
    )
    yield _accredited(
        "the accreditation of the college as a whole accredits no programme",
        share,
        "0/1",
        accreditation("EX-0"),
    )
    yield _accredited(
        "two accreditations of one programme count a student once",
        share,
        "1/1",
        ours,
        accreditation("EX-0", THEORY, agency="ASIIN", international=True),
    )
    for scope, specialty, kpi in [
        ("a programme", THEORY, share),
        ("the college", None, college_wide),
    ]:
        for sentence, number, columns in [
            ("that ends on the day itself is in force", 1, {"valid_to": "2025-10-01"}),
            ("that ended the day before is not", 0, {"valid_to": "2025-09-30"}),
            ("that begins on the day itself is in force", 1, {"valid_from": "2025-10-01"}),
            ("that begins the day after is not", 0, {"valid_from": "2025-10-02"}),
        ]:
            yield _accredited(
                f"an accreditation of {scope} {sentence}",
                kpi,
                f"{number}/1",
                accreditation("EX-0", specialty, **columns),
            )
    yield _accredited(
        "a programme's accreditation is none of the college", college_wide, "0/1", ours
    )
    yield _accredited(
        "two accreditations of the college are one",
        college_wide,
        "1/1",
        accreditation("EX-0"),
        accreditation("EX-0", agency="IAAR"),
    )
    yield _accredited(
        "a national accreditation is no international one", abroad, "0/1", accreditation("EX-0")
    )
    yield _accredited(
        "an international accreditation of one programme is one of the college",
        abroad,
        "1/1",
        accreditation("EX-0", WORKSHOP, agency="ASIIN", international=True),
    )
    yield _accredited(
        "an international accreditation that ended the day before is none",
        abroad,
        "0/1",
        accreditation("EX-0", agency="ASIIN", international=True, valid_to="2025-09-30"),
    )


CASES = [*_outcome_cases(), *_contingent_cases(), *_dual_cases(), *_accreditation_cases()]


def _moved(rows: Tables, number: int) -> Tables:
    """Give the rows of a case colleges of its own: EX-0 becomes EX-7A0, EX-9 becomes EX-7A9."""

    def own(value: Any) -> Any:
        return f"EX-{number}A{value[-1]}" if value in ("EX-0", "EX-9") else value

    return {
        table: [{column: own(value) for column, value in row.items()} for row in some]
        for table, some in rows.items()
    }


@pytest.fixture(scope="module")
def edge_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """One round with every case's rows, each in colleges of its own."""
    parts = [
        _moved(together({"colleges": [college("EX-0")]}, case.rows), number)
        for number, case in enumerate(CASES)
    ]
    return run_tables(tmp_path_factory.mktemp("edges"), together(*parts))


def test_every_row_of_the_edge_cases_was_accepted(edge_round: Round) -> None:
    assert edge_round.findings().filter(pl.col("severity") == "error").is_empty()


@pytest.mark.parametrize(
    "number", [pytest.param(i, id=f"{case.kpi}: {case.sentence}") for i, case in enumerate(CASES)]
)
def test_a_kpi_counts_what_its_definition_says_at_the_edge(number: int, edge_round: Round) -> None:
    case = CASES[number]
    numerator, _, denominator = case.expected.partition("/")
    found = counts(edge_round, f"EX-{number}A0", case.kpi)
    assert found == (Decimal(numerator), Decimal(denominator))


def test_the_edge_cases_reach_every_kpi_of_the_methodology() -> None:
    reached = {case.kpi for case in CASES}
    shown_by_the_bureau = {"further_study_rate", "excluded_share"}
    assert {kpi.code for kpi in plan().methodology.kpis} == reached | shown_by_the_bureau


def test_a_branchs_points_are_its_own_and_never_its_heads(tmp_path: Path) -> None:
    shipped = data_folder() / "methodology" / "assessment" / "2024-09-01.toml"
    text = shipped.read_text(encoding="utf-8")
    by_legal_entity = tmp_path / "assessment.toml"
    by_legal_entity.write_text(text.replace('value = "campus"', 'value = "legal_entity"'), "utf-8")
    colleges = [college("EX-01"), college("EX-02", parent_id="EX-01")]
    points = [
        assessment(college_id, indicator, points=number)
        for college_id, number in [("EX-01", "12.5"), ("EX-02", "99")]
        for indicator in ("infrastructure", "staff", "achievement", "employment")
    ]
    of_a_specialty = [assessment("EX-01", "specialty_total", specialty=THEORY, points="40.25")]
    done = run_tables(
        tmp_path,
        {
            "colleges": colleges,
            "assessments": points + of_a_specialty,
            **dict.fromkeys(("students", "graduates", "dual_agreements", "accreditations")),
        },
        methodology=str(by_legal_entity),
    )
    assert counts(done, "EX-01", "staff") == (Decimal("12.5"), 1)
    assert done.table("kpi_values")["college_id"].unique().to_list() == ["EX-01"]
    assert done.table("specialty_ranking")["points"].to_list() == [Decimal("40.25")]


# ---- the interval of an outcome share ----


@pytest.fixture(scope="module")
def intervals(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """``kpi_values`` for a grid of k of n: one college for each, an outcome share."""
    grid = [
        (k, n)
        for n in (1, 2, 7, 10, 25, 99, 250, 1_000, 169_300)
        for k in sorted({0, 1, n // 3, n // 2, (7 * n) // 10, n - 1, n})
    ]
    con = connect(tmp_path_factory.mktemp("intervals"))
    ids = [f"{k} of {n}" for k, n in grid]
    put_table(con, "unit_profile", pl.DataFrame({"college_id": ids, "kind": "college"}))
    _put_kpi(con, [("outcome", "outcome_share"), ("register", "register_share")])
    put_table(
        con,
        "kpi_counts",
        pl.DataFrame(
            [(kpi, f"{k} of {n}", k, n) for kpi in ("outcome", "register") for k, n in grid],
            schema={
                "kpi": pl.String,
                "college_id": pl.String,
                "numerator": pl.Decimal(18, 4),
                "denominator": pl.Decimal(18, 4),
            },
            orient="row",
        ),
    )
    put_table(con, "colleges", pl.DataFrame({"college_id": ids, "unit_id": ids}))
    put_pool(con, "2025-26", plan().methodology, None)
    asked = ("pooled_counts", "kpi_values")
    profile = read_selects(con, sql_folder() / "3_profile")
    run_selects(con, [select for select in profile if select.table in asked])
    values = get_table(con, "kpi_values")
    con.close()
    return values


def _put_kpi(con: duckdb.DuckDBPyConnection, kpis: list[tuple[str, str]]) -> None:
    put_table(
        con,
        "param_kpi",
        pl.DataFrame(
            [(kpi, kind, 1, ["college"]) for kpi, kind in kpis],
            schema=["kpi", "kind", "min_denominator", "applies_to"],
            orient="row",
        ),
    )


def test_the_interval_of_an_outcome_share_is_wilsons_as_scipy_computes_it(
    intervals: pl.DataFrame,
) -> None:
    rows = intervals.filter(pl.col("kpi") == "outcome")
    assert rows.height > 40
    for row in rows.iter_rows(named=True):
        expected = binomtest(int(row["numerator"]), int(row["denominator"])).proportion_ci(
            confidence_level=0.95, method="wilson"
        )
        assert abs(row["low"] - expected.low) < 1e-12, row
        assert abs(row["high"] - expected.high) < 1e-12, row
        assert 0 <= row["low"] <= row["value"] + 1e-12, row
        assert row["value"] - 1e-12 <= row["high"] <= 1, row


def test_a_register_share_has_no_interval_because_all_students_are_counted(
    intervals: pl.DataFrame,
) -> None:
    rows = intervals.filter(pl.col("kpi") == "register")
    assert rows["low"].null_count() == rows["high"].null_count() == rows.height


def test_a_share_of_nobody_has_no_interval(example_round: Round) -> None:
    row = row_of(example_round.table("kpi_values"), college_id="EX-09", kpi="employment_rate")
    assert (row["value"], row["low"], row["high"]) == (None, None, None)


def test_a_year_before_the_leap_day_is_still_a_year(tmp_path: Path) -> None:
    someone = student("EX-01", enrolled_on="2023-02-28")
    done = run_tables(
        tmp_path,
        together({"colleges": [college("EX-01")], "students": [someone]}),
        round_id="2024-25",
        kpi_on=dt.date(2024, 2, 29),
    )
    assert counts(done, "EX-01", "dropout_rate") == (0, 1)
