"""The columns of the five tables, and positions in the lists of their values."""

from kpi.values import OWNERSHIPS, STUDY_FORMS

COLUMNS = {
    "colleges": (
        "college_id parent_id name_kk name_ru name_en region kind ownership locality status "
        "successor_id merged_on administrator"
    ).split(),
    "students": (
        "student_id record_no college_id specialty qualification course study_form funding_source "
        "enrolled_on left_on left_reason academic_leave special_needs language"
    ).split(),
    "dual_agreements": (
        "agreement_id student_id college_id employer_bin valid_from valid_to"
    ).split(),
    "graduates": (
        "graduate_id record_no college_id specialty qualification graduated_on study_form "
        "funding_source dual destination destination_source destination_on employer_bin "
        "in_specialty monthly_wage certificate_id"
    ).split(),
    "accreditations": (
        "college_id scope specialty agency international register_no valid_from valid_to"
    ).split(),
}

AGENCIES = ["IQAA", "IAAR", "ARQA", "KAZSEE", "ECAQA", "ACQUIN", "ASIIN", "FIBAA"]

PRIVATE = OWNERSHIPS.index("private")
FULL_TIME = STUDY_FORMS.index("full_time")
STATE_ORDER, TARGETED, ENTERPRISE_PAID, SELF_PAID = range(4)
GRADUATED, TRANSFERRED, EXPELLED, OWN_WISH, OTHER_REASON = range(5)
(
    EMPLOYED,
    SELF_EMPLOYED,
    FURTHER_STUDY,
    MILITARY,
    PARENTAL,
    UNEMPLOYED,
    UNKNOWN,
    EMIGRATED,
    DECEASED,
) = range(9)
PENSION, CONTRACT, ENTREPRENEUR, ENROLMENT, MILITARY_REGISTER, SOCIAL, CIVIL, DECLARED, NONE = (
    range(9)
)
ECAQA, ACQUIN = AGENCIES.index("ECAQA"), AGENCIES.index("ACQUIN")
