"""The synthetic round held against the published figures, by definitions written out here.

Nothing of the pipeline is used: the KPIs of DESIGN §5 are computed with plain polars from the CSV
files, and compared with ``data/reference/facts.toml``.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from sample_round import ACCEPTED, DAY, DAY_BEFORE, EMPLOYED, EXCLUDED, Round, on, valid

from kpi import tables
from kpi.control_digits import control_digit
from kpi.resources import data_folder
from kpi.sample import write_sample
from kpi.sample.codes import COLUMNS
from kpi.values import DESTINATION_SOURCES, DESTINATIONS

REFERENCE = data_folder() / "reference"
FACTS: dict[str, Any] = tomllib.loads((REFERENCE / "facts.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def national(tmp_path_factory: pytest.TempPathFactory) -> Round:
    folder = tmp_path_factory.mktemp("national")
    said: list[str] = []
    paths = write_sample(folder, progress=said.append)
    assert [path.name for path in paths] == [f"{table}.csv" for table in COLUMNS]
    assert all(path.is_file() for path in paths)
    assert said
    return Round(folder)


# --------------------------------------------------------------------------- the files


def test_columns_are_those_of_the_data_contract(national: Round) -> None:
    for table in COLUMNS:
        with (national.folder / f"{table}.csv").open(encoding="utf-8") as file:
            header = file.readline().rstrip("\n").split(",")
        assert header == list(tables.TABLES[table].to_schema().columns), table
        assert header == COLUMNS[table]
    assert not (national.folder / "assessments.csv").exists()


PARSED: dict[Any, Callable[[str], pl.Expr]] = {
    pl.Int64: lambda name: pl.col(name).str.to_integer(strict=True),
    pl.Boolean: lambda name: pl.col(name).replace_strict({"true": True, "false": False}),
    pl.Date: lambda name: pl.col(name).str.to_date("%Y-%m-%d", strict=True),
}


@pytest.mark.parametrize("table", list(COLUMNS))
def test_every_row_meets_the_data_contract(national: Round, table: str) -> None:
    frame = pl.read_csv(national.folder / f"{table}.csv", infer_schema=False)
    schema = tables.TABLES[table].to_schema()
    typed = frame.with_columns(
        PARSED[column.dtype.type if hasattr(column.dtype, "type") else column.dtype](name)
        for name, column in schema.columns.items()
        if str(column.dtype) != "String"
    )
    schema.validate(typed, lazy=True)
    key = tables.TABLES[table].Config.metadata["key"]
    assert not typed.select(pl.struct(key).is_duplicated().any()).item(), f"{table}: repeated key"


def test_only_college_names_are_quoted(national: Round) -> None:
    for table in COLUMNS:
        text = (national.folder / f"{table}.csv").read_bytes()
        assert b"\r" not in text
        assert (b'"' in text) == (table == "colleges"), table


def test_every_name_says_that_the_college_is_synthetic(national: Round) -> None:
    said = {"name_ru": "(условный)", "name_kk": "(шартты)", "name_en": "(synthetic)"}
    for column, word in said.items():
        names = national.colleges[column]
        assert names.str.contains(word, literal=True).all()
        assert names.n_unique() == len(names)
        assert names.str.contains(r"(?i)demo|демо").all()


def test_numbers_have_a_control_digit_and_an_impossible_month(national: Round) -> None:
    numbers = pl.concat(
        [
            national.students["student_id"],
            national.graduates["graduate_id"],
            national.colleges["college_id"],
            national.agreements["employer_bin"],
            national.graduates["employer_bin"].drop_nulls(),
        ]
    ).unique()
    assert numbers.str.contains(r"^[0-9]{2}00[0-9]{8}$").all()
    value = numbers.cast(pl.Int64).to_numpy()
    assert (control_digit(value // 10) == value % 10).all()
    colleges = set(national.colleges["college_id"])
    assert not colleges & set(national.agreements["employer_bin"])


# --------------------------------------------------------------------------- colleges


def test_units_and_their_regions(national: Round) -> None:
    assert national.units.height == FACTS["national"]["colleges"] == 772
    by_region = dict(national.units.group_by("region").len().rows())
    assert len(by_region) == 20
    assert set(by_region) == set(pl.read_csv(REFERENCE / "regions.csv")["region"])
    for region in ("KZ-35", "KZ-15", "KZ-59"):
        assert by_region[region] == FACTS["regions"][region]["colleges"]
    status = Counter(national.colleges["status"])
    assert (status["closed"], status["merged"]) == (1, 1)
    branches = national.colleges.filter(pl.col("parent_id").is_not_null())
    assert branches.height == 12
    assert set(branches["parent_id"]) <= set(national.units["college_id"])
    for column, values in (("kind", 2), ("ownership", 5), ("locality", 2), ("administrator", 6)):
        assert national.colleges[column].n_unique() == values, column


def test_closed_merged_and_branches_have_their_rows(national: Round) -> None:
    closed = national.colleges.filter(pl.col("status") == "closed")["college_id"].item()
    assert national.students.filter(pl.col("college_id") == closed).is_empty()
    past = national.graduates.filter(pl.col("college_id") == closed)
    assert set(past["year"]) == {2023, 2024}

    merged = national.colleges.filter(pl.col("status") == "merged")
    assert merged["successor_id"].item() in set(national.units["college_id"])
    merged_on = merged["merged_on"].item()
    assert date(2025, 1, 1) <= merged_on <= date(2025, 8, 31)
    own = national.counted.filter(pl.col("college_id") == merged["college_id"].item())
    assert own.height >= 20
    assert own["enrolled_on"].max() < merged_on
    assert merged["college_id"].item() in set(national.cohort["college_id"])

    branches = national.colleges.filter(pl.col("parent_id").is_not_null())["college_id"]
    assert set(branches) <= set(national.counted["college_id"])
    assert set(branches) <= set(national.cohort["college_id"])


def test_special_colleges(national: Round) -> None:
    cohorts, students = national.rates["cohort"], national.rates["students"]
    assert (cohorts == 8).sum() >= 5
    assert (cohorts == 0).sum() == 1
    assert (students == 24).sum() == 1
    new = national.rates.filter(pl.col("cohort") == 0)["unit"].item()
    assert national.graduates.filter(pl.col("unit") == new).is_empty()
    assert national.counted.filter(pl.col("unit") == new)["course"].is_in(["1", "2"]).all()
    assert students.min() == 24
    assert students.max() > 2500
    assert (students < 100).sum() > 10


def test_colleges_teach_3_to_15_specialties_of_few_clusters(national: Round) -> None:
    clusters = pl.read_csv(REFERENCE / "specialties.csv", infer_schema=False)
    lines = national.counted.select("unit", "specialty").unique()
    lines = lines.join(clusters.select("specialty", "cluster"), on="specialty")
    number = lines.group_by("unit").len()["len"]
    assert (number.min(), number.max()) == (3, 15)
    two = lines.group_by("unit", "cluster").len().sort("unit", "len", descending=True)
    two = (
        two.group_by("unit", maintain_order=True).head(2).group_by("unit").agg(pl.col("len").sum())
    )
    share = two.join(lines.group_by("unit").len("all"), on="unit")
    assert share["len"].sum() / share["all"].sum() > 0.75


# --------------------------------------------------------------------------- students


def test_students_counted_and_paid_by_the_state(national: Round) -> None:
    assert national.counted.height == FACTS["national"]["students"] == 556_000
    state = national.counted["funding_source"].is_in(["state_order", "targeted_state_order"]).sum()
    assert state == round(FACTS["national"]["state_order_share_of_students"] * 556_000) == 392_536
    assert national.counted["funding_source"].n_unique() == 4
    leave = (national.counted["academic_leave"] == "true").mean()
    assert leave == pytest.approx(0.015, abs=0.002)
    assert set(national.counted["course"]) == {"1", "2", "3", "4", "5"}
    assert set(national.counted["study_form"]) == {"full_time", "part_time", "evening"}
    assert (national.counted["special_needs"] == "true").sum() > 1000


def test_nobody_is_counted_in_two_rows_on_any_day(national: Round) -> None:
    rows = national.students.sort("student_id", "enrolled_on").select(
        "student_id", "college_id", "enrolled_on", "left_on"
    )
    again = rows.with_columns(
        before=pl.col("left_on").shift(1).over("student_id"),
        first=pl.col("student_id").is_first_distinct(),
        from_college=pl.col("college_id").shift(1).over("student_id"),
    ).filter(~pl.col("first"))
    assert again.height == 800
    assert (again["before"] == again["enrolled_on"]).all()
    assert (again["from_college"] != again["college_id"]).all()
    ended = national.students.filter(pl.col("left_on").is_not_null())
    assert (ended["left_on"] > ended["enrolled_on"]).all()
    with_reason = national.students["left_reason"].is_not_null()
    assert (with_reason == national.students["left_on"].is_not_null()).all()


def test_both_edges_of_the_count_are_there(national: Round) -> None:
    assert (national.students["enrolled_on"] == DAY).any()
    assert (national.students["enrolled_on"] > DAY).any()
    assert (national.students["left_on"] == DAY).any()
    assert (national.counted["left_on"] > DAY).any()


def test_dropout(national: Round) -> None:
    year_before = national.students.filter(on(DAY_BEFORE))
    left = (pl.col("left_on") <= DAY) & ~pl.col("left_reason").is_in(["graduated", "transferred"])
    by_unit = year_before.group_by("unit").agg(left.fill_null(False).sum().alias("left"), pl.len())
    assert 0.03 < by_unit["left"].sum() / by_unit["len"].sum() < 0.04
    rates = by_unit.filter(pl.col("len") > 100).select(pl.col("left") / pl.col("len"))["left"]
    assert rates.quantile(0.9) > 2.5 * rates.quantile(0.1)


def test_graduates_of_2025_were_students(national: Round) -> None:
    as_students = national.students.filter(pl.col("left_reason") == "graduated")
    same = ["college_id", "specialty", "qualification", "study_form", "funding_source", "record_no"]
    found = national.cohort.join(
        as_students,
        left_on=["graduate_id", "graduated_on", *same],
        right_on=["student_id", "left_on", *same],
        how="inner",
        nulls_equal=True,
    )
    assert found.height == national.cohort.height == as_students.height
    assert national.graduates["graduate_id"].n_unique() == national.graduates.height


# --------------------------------------------------------------------------- graduates


@pytest.mark.parametrize(
    ("year", "bulletin", "expected"),
    [
        (2024, "bulletin_2024_25", (158_700, 92_900, 25_600)),
        (2025, "bulletin_2025_26", (169_300, 102_300, 28_400)),
    ],
)
def test_cohorts_and_the_three_rates(
    national: Round, year: int, bulletin: str, expected: tuple[int, int, int]
) -> None:
    facts = FACTS[bulletin]
    cohort = national.graduates.filter(pl.col("year") == year)
    assert cohort["graduated_on"].min() == date(year - 1, 9, 1)
    assert cohort["graduated_on"].max() == date(year, 8, 31)
    study = cohort.filter(
        pl.col("destination") == "further_study",
        pl.col("destination_source") == "enrolment_register",
    ).height
    employed = int(cohort["employed"].sum())
    assert (cohort.height, employed, study) == expected
    assert expected == (facts["graduates"], facts["employed"], facts["further_study"])
    assert round(employed / cohort.height, 3) == facts["rate_of_all"]
    excluding, counting = employed / (cohort.height - study), (employed + study) / cohort.height
    # the bulletin's own rounding of 0.7466… and 0.7719… is to three digits, cut or rounded
    assert excluding == pytest.approx(facts["rate_excluding_further_study"], abs=0.001)
    assert counting == pytest.approx(facts["rate_counting_further_study"], abs=0.001)


def test_employment_rate_as_the_methodology_defines_it(national: Round) -> None:
    cohort = national.cohort
    denominator = cohort.height - int(cohort["excluded"].sum())
    assert denominator == 169_300 - 34_000
    assert int(cohort["employed"].sum()) == 102_300
    declared = int(cohort["declared"].sum())
    rate = (102_300 + declared) / denominator
    assert rate == pytest.approx(FACTS["national"]["employment_rate_ministry_2025"], abs=0.0005)
    assert national.graduates.filter(pl.col("year") == 2023).height == 150_000


def test_destinations_are_dated_and_proven_as_in_life(national: Round) -> None:
    graduates = national.graduates
    work = graduates["destination"].is_in(EMPLOYED)
    assert graduates.filter(work)["destination_on"].null_count() == 0
    assert (graduates["destination_on"] >= graduates["graduated_on"]).drop_nulls().all()
    cohort = national.cohort
    late = cohort.filter(pl.col("destination_on") > DAY)
    assert late.height == 900
    assert late["destination_source"].is_in(ACCEPTED).all()
    assert (cohort["destination_on"] == DAY).any()
    unproven = cohort.filter(pl.col("destination").is_in(list(EXCLUDED)) & ~pl.col("excluded"))
    assert unproven.height == 260
    assert set(cohort["destination"]) == set(DESTINATIONS)
    assert set(cohort["destination_source"]) == set(DESTINATION_SOURCES)
    gone = cohort["destination"].is_in(["emigrated", "deceased"]).sum()
    assert 300 <= gone <= 600


def test_what_is_known_of_the_employed(national: Round) -> None:
    cohort = national.cohort
    hired = cohort.filter(pl.col("destination") == "employed")
    other = cohort.filter(~pl.col("destination").is_in(EMPLOYED))
    assert (
        other.select(pl.col("in_specialty", "monthly_wage", "employer_bin").null_count()).row(0)
        == (other.height,) * 3
    )
    assert 0.60 <= (cohort["in_specialty"].drop_nulls() == "true").mean() <= 0.65
    wage = hired["monthly_wage"].drop_nulls().cast(pl.Int64)
    assert len(wage) / hired.height > 0.8
    assert 170_000 < wage.median() < 210_000
    assert wage.quantile(0.05) > 110_000
    assert wage.quantile(0.95) < 350_000
    assert hired["employer_bin"].null_count() / hired.height < 0.1
    assert 0.35 <= cohort["certificate_id"].is_not_null().mean() <= 0.45
    certificates = national.graduates["certificate_id"].drop_nulls()
    assert certificates.n_unique() == len(certificates)


# --------------------------------------------------------------------------- dual training


def test_dual_training(national: Round) -> None:
    facts = FACTS["dual_2025"]
    assert national.dual.height == facts["students"] == 108_000
    assert national.in_force.height == national.in_force["student_id"].n_unique() == 108_000
    assert national.in_force["unit"].n_unique() == facts["colleges"] == 552
    assert national.in_force["employer_bin"].n_unique() == facts["enterprises"] == 18_000
    by_region = dict(national.dual.group_by("region").len().rows())
    assert len(facts["students_by_region"]) == 6
    for region, students in facts["students_by_region"].items():
        assert by_region[region] == students
    assert (national.in_force["valid_from"] == DAY).any()
    assert (national.in_force["valid_to"] == DAY).any()


def test_agreements_out_of_force(national: Round) -> None:
    expired = national.agreements.filter(pl.col("valid_to") < DAY)
    soon = national.agreements.filter(pl.col("valid_from") > DAY)
    assert expired.height == 9_000
    assert soon.height == 400
    assert (expired["valid_to"] == date(2025, 9, 30)).any()
    assert national.agreements["agreement_id"].n_unique() == national.agreements.height
    assert (national.agreements["valid_from"] <= national.agreements["valid_to"]).all()
    known = national.agreements.join(national.students, on=["student_id", "college_id"], how="left")
    assert known.height == national.agreements.height
    assert (known["enrolled_on"] <= known["valid_from"]).all()


def test_aktobe(national: Round) -> None:
    facts = FACTS["regions"]["KZ-15"]
    here = pl.col("region") == "KZ-15"
    counted = national.counted.filter(here)
    assert counted["specialty"].n_unique() == facts["specialties"] == 94
    assert counted["qualification"].drop_nulls().n_unique() == facts["qualifications"] == 139
    assert national.in_force.filter(here).height == facts["tripartite_agreements"] == 948
    assert national.dual.filter(here).height == 948
    with_dual = national.in_force.filter(here)["unit"].n_unique()
    assert with_dual / facts["colleges"] == facts["dual_share_of_colleges"] == 28 / 40
    dual = national.cohort.filter(here, "dual")
    rate = dual["employed"].sum() / (dual.height - dual["excluded"].sum())
    assert round(rate, 2) == facts["dual_employment_rate"]
    assert dual.height > 100


def test_karaganda_and_north_kazakhstan(national: Round) -> None:
    facts = FACTS["regions"]["KZ-35"]
    counted = national.counted.filter(pl.col("region") == "KZ-35")
    assert counted.height == facts["students"] == 33_000
    assert counted["specialty"].n_unique() == facts["specialties"] == 126
    north = national.counted.filter(pl.col("region") == "KZ-59").height
    assert north == FACTS["regions"]["KZ-59"]["students"] == 11_147

    specialties = pl.read_csv(REFERENCE / "specialties.csv", infer_schema=False)
    profile = counted.join(specialties.select("specialty", "cluster"), on="specialty")
    shares = (
        profile.group_by("unit", "cluster")
        .len()
        .with_columns(share=pl.col("len") / pl.col("len").sum().over("unit"))
    )
    strong = national.rates.filter(
        pl.col("employment") >= 0.75, pl.col("dual_share") >= 0.20, "accredited"
    )
    known = shares.filter(pl.col("share") > 0.5).join(strong, on="unit", how="semi")["cluster"]
    assert len(facts["clusters"]) == 8
    assert set(facts["clusters"]) <= set(known)


# --------------------------------------------------------------------------- variation


def test_how_many_pass_the_gates(national: Round) -> None:
    passing = national.rates.filter(
        pl.col("students") >= 25,
        pl.col("employment") >= 0.70,
        pl.col("dual_share") >= 0.20,
        "accredited",
    )
    assert 120 <= passing.height <= 320
    assert passing["region"].n_unique() >= 15


def test_what_is_good_comes_together(national: Round) -> None:
    certified = national.cohort.group_by("unit").agg(
        certified=pl.col("certificate_id").is_not_null().mean(),
        fitting=(pl.col("in_specialty") == "true").sum() / pl.len(),
    )
    rates = national.rates.filter(pl.col("cohort") >= 50).join(certified, on="unit")
    for other in ("dual_share", "certified", "fitting"):
        correlation = rates.select(pl.corr("employment", other)).item()
        assert 0.25 < correlation < 0.9, other
    by = {k: f["employment"].mean() for (k,), f in rates.group_by("accredited")}
    assert by[True] > by[False] + 0.03
    rural = rates.join(national.units.select("unit", "locality"), on="unit")
    mean = {k: f["employment"].mean() for (k,), f in rural.group_by("locality")}
    assert mean["rural"] < mean["urban"]


def test_accreditations(national: Round) -> None:
    rows = national.accreditations
    institutions = rows.filter(pl.col("scope") == "institutional")
    assert national.rates["accredited"].sum() == 656  # 85 % of 772
    assert institutions.filter(valid)["unit"].n_unique() == 656
    assert (institutions["valid_to"] == DAY).sum() == 1
    assert (institutions["valid_to"] < DAY).any()
    assert (institutions["valid_from"] > DAY).any()
    abroad = rows.filter(pl.col("international") == "true")
    agencies = pl.read_csv(REFERENCE / "agencies.csv", infer_schema=False)
    international = agencies.filter(pl.col("is_international") == "true")["agency"]
    assert set(abroad["agency"]) == set(international)
    assert 20 <= abroad.height <= 200
    assert set(rows["agency"]) == set(agencies["agency"])
    programmes = rows.filter(pl.col("scope") == "programme")
    assert programmes["specialty"].null_count() == 0
    assert institutions["specialty"].null_count() == institutions.height
    assert not rows.select(
        pl.struct("college_id", "scope", "specialty", "register_no").is_duplicated().any()
    ).item()
    held = programmes.filter(valid).select("unit", "specialty").unique()
    covered = national.contingent.join(held, on=["unit", "specialty"], how="semi")
    share = (
        covered.group_by("unit")
        .len("n")
        .join(national.contingent.group_by("unit").len(), on="unit")
    )
    share = share["n"] / share["len"]
    assert share.quantile(0.1) < 0.3
    assert share.quantile(0.9) > 0.8


# --------------------------------------------------------------------------- reference


def test_reference_specialties() -> None:
    rows = pl.read_csv(REFERENCE / "specialties.csv", infer_schema=False)
    assert rows.columns == (
        "specialty name_ru name_kk isced_field cluster cost_group is_synthetic".split()
    )
    assert rows["specialty"].is_unique().all()
    assert rows["specialty"].is_sorted()
    assert rows.height - (rows["is_synthetic"] == "true").sum() == 98
    prefixes = {
        prefix: row["cluster"]
        for row in pl.read_csv(REFERENCE / "clusters.csv", infer_schema=False).iter_rows(named=True)
        for prefix in row["isced_prefixes"].split()
    }
    for row in rows.iter_rows(named=True):
        code = row["specialty"]
        assert re.fullmatch(tables.SPECIALTY, code)
        assert row["isced_field"] == code[:4]
        longest = max((p for p in prefixes if code.startswith(p)), key=len)
        assert row["cluster"] == prefixes[longest], code
        assert row["cost_group"] in ("theory", "workshop", "heavy")
        made_up = row["is_synthetic"] == "true"
        assert made_up == ("(условная специальность)" in row["name_ru"]) == (code[4] == "9")
        assert made_up == ("(шартты мамандық)" in (row["name_kk"] or ""))
    vet = rows.filter(pl.col("specialty") == "08410100").row(0, named=True)
    assert (vet["name_ru"], vet["name_kk"]) == ("Ветеринария", "Ветеринария")


def test_students_study_what_the_reference_knows(national: Round) -> None:
    known = set(pl.read_csv(REFERENCE / "specialties.csv", infer_schema=False)["specialty"])
    for frame in (national.students, national.graduates, national.accreditations):
        assert set(frame["specialty"].drop_nulls()) <= known
    real = pl.read_csv(REFERENCE / "qualifications.csv", infer_schema=False)
    pairs = national.students.select("specialty", "qualification").drop_nulls().unique()
    for specialty, qualification in pairs.iter_rows():
        assert qualification[-8:-2] == specialty[:6]
    assert set(real["code"]) <= set(pairs["qualification"])
