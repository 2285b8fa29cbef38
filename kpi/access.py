"""Who may see what: the operator's table of people, and the one way from a round to a viewer.

``access.toml`` names people by e-mail with a role. Ministry and auditor see every stored row. A
director sees the stored rows of their own college, a region's department none. Of all others both
see what the open data package shows, with its small counts hidden (``kpi.package``): of a published
round every college, of a draft the region's own. So nobody learns from a screen what the package
hides, and a draft of others is nobody's business (DESIGN §10).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, ValidationError, model_validator

from kpi.dated import Strict, Words, faults_of
from kpi.errors import CallError
from kpi.package import HIDDEN, package_tables
from kpi.rounds import Round
from kpi.suppression import SMALL

NATION = "KZ"


class Role(StrEnum):
    """What somebody is to the rounds."""

    MINISTRY = "ministry"
    REGION = "region"
    DIRECTOR = "director"
    AUDITOR = "auditor"


PAGES = {
    Role.MINISTRY: (
        *("overview", "ranking", "college", "funding", "scenario", "stability"),
        *("data_check", "audit", "methodology"),
    ),
    Role.AUDITOR: (
        *("overview", "ranking", "college", "funding", "scenario", "stability"),
        *("data_check", "audit", "methodology"),
    ),
    Role.REGION: ("overview", "ranking", "college", "funding", "data_check", "methodology"),
    Role.DIRECTOR: ("college", "overview", "ranking", "data_check", "methodology"),
}
"""The pages of each role, the first of them opened first."""

_SEE_ALL = (Role.MINISTRY, Role.AUDITOR)
_OF_COLLEGES = ("unit_profile", "kpi_values", "ranking", "gates", "funding", "funding_lines")
_OWN = (
    *("row_counts", "kpi_scores", "unit_programmes", "funding_months", "units"),
    *("unit_specialties", "unit_clusters", "cluster_profile"),
    *("employment_by_qualification", "expected_employment", "sign_counts", "sign_tests"),
)
"""Tables that are seen of the own college alone."""

_OF_REGIONS = ("region_kpis", "funding_regions", "funding_administrators")
_OPEN = ("framework", "param_kpi", "param_gate", "param_norm", "param_share", "param_round")
"""Tables that say how is counted, and of nobody."""

_PACKAGED = {"unit_profile": "colleges"}
"""Tables that the package has under another name."""


class AccessError(CallError):
    """The viewer may not see or do this."""


@dataclass(frozen=True)
class Viewer:
    """Somebody who looks: ``name`` is an e-mail; ``region`` is a code, ``college_id`` an id."""

    role: Role
    name: str
    region: str | None = None
    college_id: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what decides what is seen: a part of every cache key."""
        return self.role, self.region or "", self.college_id or ""

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden."""
        return self.role in _SEE_ALL


class Person(Strict):
    """One line of the table: an e-mail, its role, and the region or college that goes with it."""

    email: Words
    role: Annotated[Role, Field(strict=False)]
    region: Annotated[str, Field(pattern=r"^KZ-[0-9]{2}$")] | None = None
    college: Words | None = None

    @model_validator(mode="after")
    def _has_its_place(self) -> "Person":
        for role, place in ((Role.REGION, self.region), (Role.DIRECTOR, self.college)):
            word = "region" if role == Role.REGION else "college"
            if (self.role == role) != (place is not None):
                needs = "needs" if self.role == role else "has no"
                raise ValueError(f"{self.email}: the role {self.role} {needs} {word}")
        return self


class Access(Strict):
    """The operator's table: people, and after how many idle minutes a session ends.

    ``requires_verified_email``: whether the provider must say that it verified the e-mail. It is
    switched off for a provider that never says so, and whose e-mails only its operator can set;
    one that says "not verified" is believed in any case.
    """

    idle_minutes: Annotated[float, Field(gt=0, le=1440)] = 30
    requires_verified_email: bool = True
    people: list[Person]

    @model_validator(mode="after")
    def _names_each_once(self) -> "Access":
        emails = [person.email.casefold() for person in self.people]
        if twice := sorted({email for email in emails if emails.count(email) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        return self

    def viewer(self, claims: Mapping[str, Any]) -> Viewer | None:
        """Return who signed in, from the claims of a checked identity token; None for somebody
        whom the table does not name.

        An e-mail without ``is_logged_in``, or one that nobody verified, names nobody.
        """
        verified = claims.get("email_verified", not self.requires_verified_email)
        email = claims.get("email")
        if claims.get("is_logged_in") is not True or verified is not True or not email:
            return None
        for person in self.people:
            if person.email.casefold() == str(email).casefold():
                return Viewer(person.role, person.email, person.region, person.college)
        return None


def read_access(path: Path) -> Access:
    """Read the operator's table. Raises CallError that names each fault."""
    try:
        return Access.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CallError(
            "The table of people cannot be read.",
            where=str(path),
            found=str(error),
            do="Write access.toml as the README shows, and name it with --access.",
        ) from error
    except ValidationError as error:
        raise CallError(
            "The table of people is wrong.",
            where=str(path),
            found="\n    ".join(faults_of(error)),
            do="Correct it; nobody can sign in until then.",
        ) from error


def local_analyst() -> Viewer:
    """Return the one who sits at the machine when no sign-in is set up."""
    return Viewer(Role.MINISTRY, "local")


# ------------------------------------------------------------------------------------ what is seen


def read_table(of_round: Round, table: str, viewer: Viewer) -> pl.DataFrame:
    """Return the rows of a stored table that the viewer may see, in one form for all.

    The stored columns, and ``suppressed``: the names of the row's hidden cells, which are empty.
    Every page's figures come from here. Raises AccessError for a table that is not for the role.
    """
    if viewer.sees_all or table in _OPEN:
        return of_round.table(table).with_columns(pl.lit(None, pl.String).alias(HIDDEN))
    stored = of_round.table(table)
    if table in _OWN:
        rows = stored.filter(_is_own(of_round, viewer))
        return rows.with_columns(pl.lit(None, pl.String).alias(HIDDEN))
    if table in _BESIDE_OTHERS:
        return _BESIDE_OTHERS[table](of_round, viewer, stored)
    if table not in (*_OF_COLLEGES, *_OF_REGIONS):
        raise AccessError(
            "This table is not for your role.", where=f"{of_round.name} {of_round.version}"
        )
    key = "college_id" if table in _OF_COLLEGES else stored.columns[0]
    shown = _shown(of_round, table, stored)
    if of_round.is_draft:
        shown = shown.filter(_is_in_region(of_round, viewer, key))
    if key != "college_id":
        return shown
    own = stored.filter(_is_own(of_round, viewer))
    rest = shown.join(own.select(key), on=key, how="anti", maintain_order="left")
    return pl.concat([own, rest], how="diagonal_relaxed")


def read_findings(of_round: Round, viewer: Viewer) -> pl.DataFrame:
    """Return the findings that the viewer may see: all, or those of their own college."""
    findings = of_round.findings()
    return findings if viewer.sees_all else findings.filter(_is_own(of_round, viewer))


def sees_all_of(of_round: Round, viewer: Viewer, college_id: str) -> bool:
    """Whether nothing of a college is hidden from the viewer."""
    unit = unit_of(of_round, college_id)
    return viewer.sees_all or (unit is not None and unit == unit_of(of_round, viewer.college_id))


def require_all_of(of_round: Round, viewer: Viewer, college_id: str) -> None:
    """Raise AccessError where something of the college is hidden from the viewer."""
    if not sees_all_of(of_round, viewer, college_id):
        raise AccessError(
            "This is for the college itself, the ministry and the auditor.", found=college_id
        )


def require_role(viewer: Viewer, *roles: Role) -> None:
    """Raise AccessError for a viewer of another role."""
    if viewer.role not in roles:
        raise AccessError(
            "This is not for your role.", found=viewer.role, expected=", ".join(roles)
        )


def unit_of(of_round: Round, college_id: str | None) -> str | None:
    """Return the unit that a college counts for; None for a college that the round has not."""
    if college_id is None:
        return None
    found = of_round.table("units").filter(pl.col("college_id") == college_id)["unit_id"]
    return str(found[0]) if len(found) else None


def is_small(count: float | None) -> bool:
    """Whether a count of people is one that is hidden: 1 to 4."""
    return count is not None and 0 < count < SMALL


def _is_own(of_round: Round, viewer: Viewer) -> pl.Expr:
    """Rows of the viewer's own college, its branches and those that it took over."""
    unit = unit_of(of_round, viewer.college_id)
    units = of_round.table("units").filter(pl.col("unit_id") == (unit or ""))
    return pl.col("college_id").is_in(units["college_id"].to_list())


def _is_in_region(of_round: Round, viewer: Viewer, key: str) -> pl.Expr:
    if key != "college_id":
        return pl.col(key) == (viewer.region or "")
    profile = of_round.table("unit_profile").filter(pl.col("region") == (viewer.region or ""))
    return pl.col(key).is_in(profile["college_id"].to_list())


def _shown(of_round: Round, table: str, stored: pl.DataFrame) -> pl.DataFrame:
    """Return a table as the package shows it, with those of its columns that the package names."""
    found = _package(of_round.path, of_round.receipt_hash).get(_PACKAGED.get(table, table))
    if found is None:
        return stored.clear().with_columns(pl.lit(None, pl.String).alias(HIDDEN))
    if HIDDEN not in found.columns:
        found = found.with_columns(pl.lit(None, pl.String).alias(HIDDEN))
    if "kind" in stored.columns and "kind" not in found.columns:
        kinds = stored.select("kpi", "kind").unique("kpi")
        found = found.join(kinds, on="kpi", how="left", maintain_order="left")
    return found


def _peers(of_round: Round, viewer: Viewer, stored: pl.DataFrame) -> pl.DataFrame:
    """Return who is whose peer, without how far apart their students and clusters are."""
    rows = stored.select("college_id", "place", "peer_id")
    if of_round.is_draft:
        rows = rows.filter(
            _is_own(of_round, viewer) | _is_in_region(of_round, viewer, "college_id")
        )
    return rows.with_columns(pl.lit(None, pl.String).alias(HIDDEN))


_OF_THE_PEERS = ("peers_low", "peers_median", "peers_high", "pooled", "place", "verdict")


def _compared(of_round: Round, viewer: Viewer, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the own college beside its peers: nothing of a draft, which says what others' drafts
    say, and no figure of the peers that rests on a value of theirs that is hidden.
    """
    own = stored.filter(_is_own(of_round, viewer))
    if of_round.is_draft:
        return own.clear().with_columns(pl.lit(None, pl.String).alias(HIDDEN))
    values = of_round.table("kpi_values").select("college_id", "kpi")
    shown = _shown(of_round, "kpi_values", of_round.table("kpi_values"))
    told = shown.filter(pl.col(HIDDEN).is_null()).select("college_id", "kpi")
    hidden = (
        of_round.table("peers")
        .select("college_id", "peer_id")
        .join(
            values.join(told, on=["college_id", "kpi"], how="anti"),
            left_on="peer_id",
            right_on="college_id",
        )
        .select("college_id", "kpi", is_hidden=pl.lit(True))
        .unique()
    )
    is_hidden = pl.col("is_hidden").is_not_null()
    rows = own.join(hidden, on=["college_id", "kpi"], how="left", maintain_order="left")
    emptied = [pl.when(~is_hidden).then(pl.col(name)).alias(name) for name in _OF_THE_PEERS]
    named = pl.when(is_hidden).then(pl.lit(" ".join(_OF_THE_PEERS))).alias(HIDDEN)
    return rows.with_columns(named, *emptied).drop("is_hidden")


def _nation(of_round: Round, _viewer: Viewer, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the nation's rows of a published round; none where they hold a small count, which the
    others would give back.
    """
    rows = stored.filter(pl.col("region") == NATION).with_columns(
        pl.lit(None, pl.String).alias(HIDDEN)
    )
    counts = [*rows["numerator"], *(rows["denominator"] - rows["numerator"])]
    return rows.clear() if of_round.is_draft or any(map(is_small, counts)) else rows


def _dual_colleges(of_round: Round, viewer: Viewer, stored: pl.DataFrame) -> pl.DataFrame:
    """Return how many colleges there are: all of a published round, of a draft the own region's."""
    rows = stored.filter(_is_in_region(of_round, viewer, "region")) if of_round.is_draft else stored
    return rows.with_columns(pl.lit(None, pl.String).alias(HIDDEN))


def _leaders(of_round: Round, viewer: Viewer, stored: pl.DataFrame) -> pl.DataFrame:
    """Return who the leaders are, of a draft those of the viewer; the chance of those alone of whom
    nothing is hidden: it tells how many graduates there are.
    """
    own = _is_own(of_round, viewer)
    if of_round.is_draft:
        stored = stored.filter(own | _is_in_region(of_round, viewer, "college_id"))
    return stored.with_columns(
        pl.when(own).then("chance").alias("chance"),
        pl.when(~own).then(pl.lit("chance")).alias(HIDDEN),
    )


_BESIDE_OTHERS = {
    "peers": _peers,
    "peer_comparison": _compared,
    "region_employment_by_qualification": _nation,
    "dual_colleges": _dual_colleges,
    "leaders": _leaders,
}
"""Tables that say of a college or place what it is beside others, each with what of it is seen."""


@lru_cache(maxsize=4)
def _package(path: Path, _receipt_hash: str) -> dict[str, pl.DataFrame]:
    return {resource.name: resource.table() for resource in package_tables(Round(path))}
