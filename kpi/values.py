"""The values that a column of the input tables may hold (DESIGN §4), where they are a list."""

KINDS = ["college", "higher_college"]
OWNERSHIPS = ["communal", "private", "quasi_state", "republican", "other"]
LOCALITIES = ["urban", "rural"]
ADMINISTRATORS = ["education", "health", "culture", "sport", "other"]
STUDY_FORMS = ["full_time", "part_time", "evening"]
FUNDING_SOURCES = ["state_order", "targeted_state_order", "enterprise_paid", "self_paid"]
LEFT_REASONS = ["graduated", "transferred", "expelled", "own_wish", "other"]
LANGUAGES = ["kk", "ru", "en"]
DESTINATIONS = [
    "employed",
    "self_employed",
    "further_study",
    "military_service",
    "parental_leave",
    "unemployed",
    "unknown",
    "emigrated",
    "deceased",
]
DESTINATION_SOURCES = [
    "pension_contributions",
    "employer_contract",
    "entrepreneur_register",
    "enrolment_register",
    "military_register",
    "social_payment",
    "civil_register",
    "declared",
    "none",
]
SCOPES = ["institutional", "programme"]
