"""The data contract: one Pandera model per input table (DESIGN §4).

Each model states, per column, the type, whether it may be empty (``nullable``) and the values it
takes. Intake casts text to these types by stated patterns first and validates the typed frame
after: Pandera cannot type CSV text strictly. ``Config.metadata`` holds what the rest of intake
needs to know: the ``key`` that names a row; the ``identifiers`` of people, which become pseudonyms
before a row is stored; ``own_numbers`` of a college, in which nobody's number or name may stand;
``maybe_people``, numbers of bodies that are a person's where a sole trader employs, and become
pseudonyms then.
"""

from typing import Annotated, TypeAlias

import pandera.polars as pa
import polars as pl

from kpi import values

COLLEGE_ID = r"^([0-9]{4}[4-6][0-9]{7}|[A-Z]{2,8}-[A-Z0-9]{1,12})$"
BIN = r"^[0-9]{12}$"
SPECIALTY = r"^[0-9]{7,8}$"  # 7 digits: the classifier of before, see old_specialty.sql
QUALIFICATION = r"^([0-9]{8}|[34][WS][0-9]{8})$"
CODE = r"^[A-Za-z0-9_.-]{1,40}$"
FREE_ID = r"^[^\s]{1,64}$"
PERSON_ID = r"^[^\s\u200b-\u200f\u202a-\u202e\u2060\ufeff'’`\"]{1,64}$"  # they change a pseudonym

COLLEGE_ID_WORDS = "a BIN of 12 digits, or a source's own id with a prefix such as AST-20"
QUALIFICATION_WORDS = "8 digits, with or without 3W or 4S before them"
FREE_ID_WORDS = "up to 64 characters without spaces"
PERSON_ID_WORDS = "up to 64 characters without spaces, quotation marks and hidden signs"

POINTS: TypeAlias = Annotated[pl.Decimal, 18, 4]


class Colleges(pa.DataFrameModel):
    """One row per college or branch (campus)."""

    college_id: pl.String = pa.Field(str_matches=COLLEGE_ID, description=COLLEGE_ID_WORDS)
    parent_id: pl.String = pa.Field(
        str_matches=COLLEGE_ID, nullable=True, description=COLLEGE_ID_WORDS
    )
    name_kk: pl.String = pa.Field(nullable=True)
    name_ru: pl.String = pa.Field(str_length={"min_value": 1, "max_value": 300})
    name_en: pl.String = pa.Field(nullable=True)
    region: pl.String = pa.Field(str_matches=r"^KZ-[0-9]{2}$", description="a code such as KZ-35")
    kind: pl.String = pa.Field(isin=values.KINDS)
    ownership: pl.String = pa.Field(isin=values.OWNERSHIPS)
    locality: pl.String = pa.Field(isin=values.LOCALITIES)
    status: pl.String = pa.Field(isin=["active", "closed", "merged"])
    successor_id: pl.String = pa.Field(
        str_matches=COLLEGE_ID, nullable=True, description=COLLEGE_ID_WORDS
    )
    merged_on: pl.Date = pa.Field(nullable=True)
    administrator: pl.String = pa.Field(isin=values.ADMINISTRATORS, nullable=True)

    class Config:
        metadata = {"key": ["college_id"], "identifiers": []}


class Students(pa.DataFrameModel):
    """One row per enrolment of a student in a college."""

    student_id: pl.String = pa.Field(str_matches=PERSON_ID, description=PERSON_ID_WORDS)
    record_no: pl.String = pa.Field(nullable=True)
    college_id: pl.String = pa.Field(str_matches=COLLEGE_ID, description=COLLEGE_ID_WORDS)
    specialty: pl.String = pa.Field(str_matches=SPECIALTY, description="8 digits")
    qualification: pl.String = pa.Field(
        str_matches=QUALIFICATION, nullable=True, description=QUALIFICATION_WORDS
    )
    course: pl.Int64 = pa.Field(in_range={"min_value": 1, "max_value": 5})
    study_form: pl.String = pa.Field(isin=values.STUDY_FORMS)
    funding_source: pl.String = pa.Field(isin=values.FUNDING_SOURCES)
    enrolled_on: pl.Date
    left_on: pl.Date = pa.Field(nullable=True)
    left_reason: pl.String = pa.Field(isin=values.LEFT_REASONS, nullable=True)
    academic_leave: pl.Boolean
    special_needs: pl.Boolean
    language: pl.String = pa.Field(isin=values.LANGUAGES, nullable=True)

    class Config:
        metadata = {
            "key": ["college_id", "student_id", "enrolled_on"],
            "identifiers": ["student_id"],
            "own_numbers": ["record_no"],
        }


class DualAgreements(pa.DataFrameModel):
    """One row per dual-training agreement of a student with an employer."""

    agreement_id: pl.String = pa.Field(str_matches=FREE_ID, description=FREE_ID_WORDS)
    student_id: pl.String = pa.Field(str_matches=PERSON_ID, description=PERSON_ID_WORDS)
    college_id: pl.String = pa.Field(str_matches=COLLEGE_ID, description=COLLEGE_ID_WORDS)
    employer_bin: pl.String = pa.Field(str_matches=BIN, description="12 digits")
    valid_from: pl.Date
    valid_to: pl.Date

    class Config:
        metadata = {
            "key": ["agreement_id"],
            "identifiers": ["student_id"],
            "own_numbers": ["agreement_id"],
            "maybe_people": ["employer_bin"],
        }


class Graduates(pa.DataFrameModel):
    """One row per graduate of a college, with what became of them."""

    graduate_id: pl.String = pa.Field(str_matches=PERSON_ID, description=PERSON_ID_WORDS)
    record_no: pl.String = pa.Field(nullable=True)
    college_id: pl.String = pa.Field(str_matches=COLLEGE_ID, description=COLLEGE_ID_WORDS)
    specialty: pl.String = pa.Field(str_matches=SPECIALTY, description="8 digits")
    qualification: pl.String = pa.Field(
        str_matches=QUALIFICATION, nullable=True, description=QUALIFICATION_WORDS
    )
    graduated_on: pl.Date
    study_form: pl.String = pa.Field(isin=values.STUDY_FORMS)
    funding_source: pl.String = pa.Field(isin=values.FUNDING_SOURCES)
    dual: pl.Boolean
    destination: pl.String = pa.Field(isin=values.DESTINATIONS)
    destination_source: pl.String = pa.Field(isin=values.DESTINATION_SOURCES)
    destination_on: pl.Date = pa.Field(nullable=True)
    employer_bin: pl.String = pa.Field(str_matches=BIN, nullable=True, description="12 digits")
    in_specialty: pl.Boolean = pa.Field(nullable=True)
    monthly_wage: pl.Int64 = pa.Field(ge=0, nullable=True)
    certificate_id: pl.String = pa.Field(nullable=True)

    class Config:
        metadata = {
            "key": ["college_id", "graduate_id", "graduated_on"],
            "identifiers": ["graduate_id"],
            "own_numbers": ["record_no", "certificate_id"],
            "maybe_people": ["employer_bin"],
        }


class Accreditations(pa.DataFrameModel):
    """One row per accreditation of a college or of one of its programmes (specialties)."""

    college_id: pl.String = pa.Field(str_matches=COLLEGE_ID, description=COLLEGE_ID_WORDS)
    scope: pl.String = pa.Field(isin=values.SCOPES)
    specialty: pl.String = pa.Field(str_matches=SPECIALTY, nullable=True, description="8 digits")
    agency: pl.String = pa.Field(
        str_matches=CODE, description="a code of letters, digits, _ . or -"
    )
    international: pl.Boolean
    register_no: pl.String = pa.Field(str_matches=FREE_ID, description=FREE_ID_WORDS)
    valid_from: pl.Date
    valid_to: pl.Date

    class Config:
        metadata = {
            "key": ["college_id", "scope", "specialty", "register_no"],
            "identifiers": [],
        }


class Assessments(pa.DataFrameModel):
    """One row per indicator of a college (``specialty`` empty) or of one of its specialties."""

    college_id: pl.String = pa.Field(str_matches=COLLEGE_ID, description=COLLEGE_ID_WORDS)
    specialty: pl.String = pa.Field(str_matches=SPECIALTY, nullable=True, description="8 digits")
    indicator: pl.String = pa.Field(
        str_matches=CODE, description="a code of letters, digits, _ . or -"
    )
    value: pl.String = pa.Field(nullable=True)
    points: POINTS = pa.Field(ge=0, nullable=True)
    max_points: POINTS = pa.Field(ge=0, nullable=True)

    class Config:
        metadata = {"key": ["college_id", "specialty", "indicator"], "identifiers": []}


TABLES: dict[str, type[pa.DataFrameModel]] = {
    "colleges": Colleges,
    "students": Students,
    "dual_agreements": DualAgreements,
    "graduates": Graduates,
    "accreditations": Accreditations,
    "assessments": Assessments,
}
