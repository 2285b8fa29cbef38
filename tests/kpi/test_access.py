"""Who may see what of a round: every role, every table, published and draft.

The example round: EX-01, EX-03, EX-04, EX-05 in KZ-35; EX-02, EX-06, EX-07 in KZ-71; EX-08, EX-09
and the closed EX-10 in KZ-15. EX-03B is a branch of EX-03, EX-11 merged into that branch.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from inputs import KEY, quiet, row_of
from publications import publish_draft

from funding.run import plan_round, run_round
from kpi.access import (
    PAGES,
    AccessError,
    Role,
    Viewer,
    local_analyst,
    read_access,
    read_findings,
    read_table,
    require_all_of,
    require_role,
    sees_all_of,
    unit_of,
)
from kpi.errors import CallError
from kpi.package import HIDDEN, package_tables
from kpi.resources import data_folder
from kpi.rounds import Round, open_round

MINISTRY = Viewer(Role.MINISTRY, "m@example.org")
AUDITOR = Viewer(Role.AUDITOR, "u@example.org")
REGION = Viewer(Role.REGION, "r@example.org", region="KZ-35")
DIRECTOR = Viewer(Role.DIRECTOR, "d@example.org", college_id="EX-05")
SEE_PARTS = (
    REGION,
    DIRECTOR,
    *(Viewer(Role.REGION, "r", region=code) for code in ("KZ-15", "KZ-71", "KZ", "KZ-99")),
    *(
        Viewer(Role.DIRECTOR, "d", college_id=one)
        for one in ("EX-01", "EX-03", "EX-03B", "EX-08", "EX-10", "EX-11", "EX-99", "", "KZ-35")
    ),
)
OF_COLLEGES = ("unit_profile", "kpi_values", "ranking", "gates", "funding", "funding_lines")
OWN_ONLY = (
    *("row_counts", "kpi_scores", "unit_programmes", "funding_months", "units"),
    *("unit_specialties", "unit_clusters", "cluster_profile"),
    *("employment_by_qualification", "expected_employment", "sign_counts", "sign_tests"),
)
BESIDE_OTHERS = (
    *("peers", "peer_comparison", "region_employment_by_qualification", "dual_colleges"),
    "leaders",
)
OF_REGIONS = ("region_kpis", "funding_regions", "funding_administrators")
OPEN = ("framework", "param_kpi", "param_gate", "param_norm", "param_share", "param_round")
KZ_35 = {"EX-01", "EX-03", "EX-04", "EX-05"}
UNITS = {f"EX-{n:02}" for n in range(1, 11)}
OF_PEOPLE = ("outcome_share", "register_share", "ratio")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example round: published under the rule `threshold`, and a draft under `leagues`."""
    store = tmp_path_factory.mktemp("access") / "rounds"
    example = data_folder() / "example"
    run_round(example, store, plan_round("2025-26", "example", "threshold"), KEY, quiet)
    publish_draft(store)
    run_round(example, store, plan_round("2025-26", "example", "leagues"), KEY, quiet)
    return store


@pytest.fixture(scope="module")
def published(store: Path) -> Round:
    return open_round(store, "2025-26", "v1")


@pytest.fixture(scope="module")
def draft(store: Path) -> Round:
    return open_round(store, "2025-26", "draft-2")


def colleges(rows: pl.DataFrame) -> set[str]:
    return set(rows["college_id"])


def all_tables(of_round: Round) -> list[str]:
    return sorted(path.stem for path in (of_round.path / "tables").glob("*.parquet"))


# ------------------------------------------------------------------------------ ministry, auditor


@pytest.mark.parametrize("viewer", [MINISTRY, AUDITOR, local_analyst()])
def test_ministry_and_auditor_see_every_stored_row(
    published: Round, draft: Round, viewer: Viewer
) -> None:
    for of_round in (published, draft):
        for table in all_tables(of_round):
            seen = read_table(of_round, table, viewer)
            assert seen.drop(HIDDEN).equals(of_round.table(table))
            assert seen[HIDDEN].null_count() == seen.height
        assert read_findings(of_round, viewer).equals(of_round.findings())


# ----------------------------------------------------------------------------------- whose rows


@pytest.mark.parametrize("table", OF_COLLEGES)
def test_of_a_published_round_everybody_sees_every_college(published: Round, table: str) -> None:
    there = colleges(published.table(table))
    assert colleges(read_table(published, table, REGION)) == there
    assert colleges(read_table(published, table, DIRECTOR)) == there


@pytest.mark.parametrize("table", OF_COLLEGES)
def test_of_a_draft_a_director_sees_their_college_and_a_region_its_own(
    draft: Round, table: str
) -> None:
    there = colleges(draft.table(table))
    assert colleges(read_table(draft, table, DIRECTOR)) == {"EX-05"} & there
    assert colleges(read_table(draft, table, REGION)) == KZ_35 & there


@pytest.mark.parametrize("table", OWN_ONLY)
@pytest.mark.parametrize("version", ["v1", "draft-2"])
def test_what_the_package_has_not_is_seen_of_the_own_college_alone(
    store: Path, table: str, version: str
) -> None:
    of_round = open_round(store, "2025-26", version)
    own = of_round.table(table).filter(pl.col("college_id") == "EX-05")
    assert own.height
    assert read_table(of_round, table, DIRECTOR).drop(HIDDEN).equals(own)
    assert read_table(of_round, table, REGION).is_empty()


@pytest.mark.parametrize("college_id", ["EX-03", "EX-03B", "EX-11"])
def test_a_branch_and_a_merged_college_are_part_of_their_unit(
    draft: Round, college_id: str
) -> None:
    viewer = Viewer(Role.DIRECTOR, "d", college_id=college_id)
    assert colleges(read_table(draft, "kpi_values", viewer)) == {"EX-03"}
    assert colleges(read_table(draft, "row_counts", viewer)) == {"EX-03", "EX-03B", "EX-11"}
    assert sees_all_of(draft, viewer, "EX-03")
    assert sees_all_of(draft, viewer, "EX-11")
    assert not sees_all_of(draft, viewer, "EX-04")


@pytest.mark.parametrize("college_id", ["EX-99", "", "KZ-35", "EX-0", "EX-01 "])
def test_a_college_that_the_round_has_not_is_nobodys_own(
    published: Round, draft: Round, college_id: str
) -> None:
    viewer = Viewer(Role.DIRECTOR, "d", college_id=college_id)
    for table in (*OF_COLLEGES, *OWN_ONLY):
        assert read_table(draft, table, viewer).is_empty()
    assert read_table(published, "row_counts", viewer).is_empty()
    assert read_findings(draft, viewer).is_empty()
    for other in ("EX-01", college_id, "nowhere"):
        assert not sees_all_of(draft, viewer, other)
        with pytest.raises(AccessError):
            require_all_of(draft, viewer, other)


@pytest.mark.parametrize("code", ["KZ", "KZ-99", ""])
def test_a_region_that_the_round_has_not_has_no_college(draft: Round, code: str) -> None:
    viewer = Viewer(Role.REGION, "r", region=code)
    for table in (*OF_COLLEGES, *OWN_ONLY):
        assert read_table(draft, table, viewer).is_empty()


@pytest.mark.parametrize("table", ["region_kpis", "funding_regions"])
def test_sums_of_a_draft_are_seen_by_the_region_they_are_of(draft: Round, table: str) -> None:
    assert set(read_table(draft, table, REGION)["region"]) == {"KZ-35"}
    assert read_table(draft, table, DIRECTOR).is_empty()


def test_sums_by_administrator_of_a_draft_are_the_ministrys(draft: Round) -> None:
    assert read_table(draft, "funding_administrators", REGION).is_empty()
    assert read_table(draft, "funding_administrators", DIRECTOR).is_empty()


@pytest.mark.parametrize("viewer", SEE_PARTS)
def test_every_other_table_is_refused_or_says_nothing_of_anybody(
    published: Round, draft: Round, viewer: Viewer
) -> None:
    for of_round in (published, draft):
        for table in all_tables(of_round):
            if table in OPEN:
                assert "college_id" not in read_table(of_round, table, viewer).columns
            elif table not in (*OF_COLLEGES, *OWN_ONLY, *OF_REGIONS, *BESIDE_OTHERS):
                with pytest.raises(AccessError):
                    read_table(of_round, table, viewer)


# ------------------------------------------------------------------------------ what stands in them


@pytest.mark.parametrize("table", OF_COLLEGES)
def test_the_own_college_is_seen_as_it_is_stored(draft: Round, table: str) -> None:
    stored = draft.table(table).filter(pl.col("college_id") == "EX-05")
    seen = read_table(draft, table, DIRECTOR)
    assert seen[HIDDEN].null_count() == seen.height
    assert seen.select(stored.columns).equals(stored)


@pytest.mark.parametrize("viewer", SEE_PARTS)
@pytest.mark.parametrize("table", [*OF_COLLEGES, *OF_REGIONS])
def test_of_others_nothing_is_seen_that_the_open_data_package_has_not(
    published: Round, draft: Round, viewer: Viewer, table: str
) -> None:
    for of_round in (published, draft):
        packaged = {one.name: one for one in package_tables(of_round)}
        open_data = packaged.get("colleges" if table == "unit_profile" else table)
        for row in others(of_round, table, viewer):
            assert open_data is not None
            cells = row_of(open_data.table(), **{key: row[key] for key in open_data.key})
            for column, value in row.items():
                if column in ("kind", HIDDEN) and column not in cells:
                    continue  # of the KPI, not of the college
                assert value == cells.get(column), (table, column)


@pytest.mark.parametrize("viewer", SEE_PARTS)
def test_nobody_sees_a_count_of_1_to_4_people_of_another_college(
    published: Round, draft: Round, viewer: Viewer
) -> None:
    for of_round in (published, draft):
        for table, row, column in small_counts(of_round, viewer):
            assert row.get(column) is None, (table, column, row)
            assert column not in row or column in (row[HIDDEN] or "").split()


def test_the_law_of_small_counts_is_about_something(published: Round) -> None:
    tables = {table for table, _, _ in small_counts(published, REGION)}
    assert {"kpi_values", "gates", "region_kpis"} <= tables


def others(of_round: Round, table: str, viewer: Viewer) -> Iterator[dict[str, Any]]:
    """The rows that a viewer sees of a table and that are not of their own unit."""
    own = unit_of(of_round, viewer.college_id)
    for row in read_table(of_round, table, viewer).iter_rows(named=True):
        if own is None or row.get("college_id") != own:
            yield row


def small_counts(of_round: Round, viewer: Viewer) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every cell of others whose stored value is 1 to 4 people: table, row as seen, column."""
    keys = {
        "unit_profile": ["college_id"],
        "kpi_values": ["college_id", "kpi"],
        "gates": ["college_id", "gate"],
        "funding": ["college_id"],
        "funding_lines": ["college_id", "specialty"],
        "region_kpis": ["region", "kpi"],
        "funding_regions": ["region"],
        "funding_administrators": ["administrator"],
    }
    kinds = {kpi.code: kpi.kind for kpi in of_round.methodology.kpis}
    for table, key in keys.items():
        stored = of_round.table(table)
        named = {tuple(row[one] for one in key): row for row in stored.iter_rows(named=True)}
        for row in others(of_round, table, viewer):
            kpi = row.get("kpi") or row.get("gate")
            if kpi and kinds[kpi] not in OF_PEOPLE:
                continue
            counted = named[tuple(row[one] for one in key)]
            for column in (
                *("numerator", "denominator", "short_by", "students"),
                *("rejected", "rejected_students", "rejected_graduates"),
            ):
                value = counted.get(column)
                if value is not None and 0 < Decimal(value) < 5:
                    yield table, row, column


@pytest.mark.parametrize("viewer", SEE_PARTS)
def test_findings_are_seen_of_the_own_college_alone(draft: Round, viewer: Viewer) -> None:
    units = draft.table("units")
    own = unit_of(draft, viewer.college_id)
    mine = set(units.filter(pl.col("unit_id") == (own or ""))["college_id"])
    assert set(read_findings(draft, viewer)["college_id"]) <= mine


def test_what_decides_what_is_seen_is_in_the_key_of_a_cache() -> None:
    viewers = [MINISTRY, AUDITOR, REGION, DIRECTOR, *SEE_PARTS[2:]]
    keys = {viewer.key for viewer in viewers}
    seen = {(viewer.role, viewer.region or "", viewer.college_id or "") for viewer in viewers}
    assert len(keys) == len(seen)
    assert Viewer(Role.REGION, "x", region="EX-05").key != DIRECTOR.key


def test_a_role_that_may_not_is_told_so() -> None:
    require_role(MINISTRY, Role.MINISTRY)
    with pytest.raises(AccessError, match="not for your role"):
        require_role(AUDITOR, Role.MINISTRY)


def test_every_role_has_pages_and_only_ministry_and_auditor_see_scenarios_and_the_audit() -> None:
    assert set(PAGES) == set(Role)
    for page in ("scenario", "audit"):
        assert {role for role in Role if page in PAGES[role]} == {Role.MINISTRY, Role.AUDITOR}


# ------------------------------------------------------------------------------ table of people

TABLE = """
idle_minutes = 20

[[people]]
email = "M@Example.org"
role = "ministry"

[[people]]
email = "d@example.org"
role = "director"
college = "EX-05"
"""


def access_of(folder: Path, text: str) -> Any:
    path = folder / "access.toml"
    path.write_text(text, encoding="utf-8")
    return read_access(path)


def claims(email: str, **more: Any) -> dict[str, Any]:
    return {"is_logged_in": True, "email": email, "email_verified": True} | more


def test_the_table_names_people_by_their_email_however_it_is_written(tmp_path: Path) -> None:
    access = access_of(tmp_path, TABLE)
    assert access.idle_minutes == 20
    assert access.viewer(claims("m@example.ORG")) == Viewer(Role.MINISTRY, "M@Example.org")
    director = Viewer(Role.DIRECTOR, "d@example.org", college_id="EX-05")
    assert access.viewer(claims("d@example.org")) == director
    assert access.viewer(claims("stranger@example.org")) is None


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"email": "m@example.org"},
        {"email": "m@example.org", "email_verified": True},
        claims("m@example.org", is_logged_in="true"),
        claims("m@example.org", is_logged_in=False),
        claims("m@example.org", email_verified=False),
        claims("m@example.org", email_verified="false"),
        claims("m@example.org", email_verified=None),
        {"is_logged_in": True, "email": "m@example.org"},
        claims(""),
        claims(None),  # type: ignore[arg-type]
        claims("m@example.org d@example.org"),
    ],
)
def test_an_email_alone_proves_nothing(tmp_path: Path, told: dict[str, Any]) -> None:
    assert access_of(tmp_path, TABLE).viewer(told) is None


def test_a_provider_that_never_says_verified_is_believed_only_if_the_operator_says_so(
    tmp_path: Path,
) -> None:
    access = access_of(tmp_path, "requires_verified_email = false\n" + TABLE)
    assert access.viewer({"is_logged_in": True, "email": "m@example.org"}) is not None
    assert access.viewer(claims("m@example.org", email_verified=False)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("people = 1", "people"),
        ("", "people"),
        ('[[people]]\nemail = "a@b"\nrole = "king"', "king"),
        ('[[people]]\nemail = "a@b"\nrole = "director"', "needs college"),
        ('[[people]]\nemail = "a@b"\nrole = "region"', "needs region"),
        ('[[people]]\nemail = "a@b"\nrole = "region"\nregion = "Astana"', "Astana"),
        ('[[people]]\nemail = "a@b"\nrole = "ministry"\ncollege = "1"', "has no college"),
        ('[[people]]\nemail = "a@b"\nrole = "director"\ncollege = ""', "college"),
        ('[[people]]\nemail = ""\nrole = "ministry"', "email"),
        ('[[people]]\nemail = "a@b"\nrole = "ministry"\nadmin = true', "admin"),
        (TABLE + '[[people]]\nemail = "m@example.org"\nrole = "auditor"', "named twice"),
        ("idle_minutes = 0\npeople = []", "idle_minutes"),
        ("idle_minutes = 2000\npeople = []", "idle_minutes"),
        ("[[people", "cannot be read"),
    ],
)
def test_a_wrong_table_is_refused_whole_and_says_what_is_wrong(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(CallError) as caught:
        access_of(tmp_path, text)
    assert said in str(caught.value)
    assert "access.toml" in str(caught.value)


def test_a_table_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="cannot be read"):
        read_access(tmp_path / "nowhere.toml")
    (tmp_path / "access.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CallError, match="cannot be read"):
        read_access(tmp_path / "access.toml")
