"""The coded values of the input tables in words (DESIGN §4), in the reader's language."""

from kpi.language import Speaker


def terms(words: Speaker) -> dict[str, dict[str, str]]:
    """Return, by column, each value of its list in words."""
    return {
        "study_form": {
            "full_time": words.say("full-time"),
            "part_time": words.say("part-time"),
            "evening": words.say("evening"),
        },
        "funding_source": {
            "state_order": words.say("state order"),
            "targeted_state_order": words.say("targeted state order"),
            "enterprise_paid": words.say("paid by an enterprise"),
            "self_paid": words.say("paid by the student"),
        },
        "left_reason": {
            "graduated": words.say("graduated"),
            "transferred": words.say("transferred"),
            "expelled": words.say("expelled"),
            "own_wish": words.say("own wish"),
            "other": words.say("other reason"),
        },
        "destination": {
            "employed": words.say("employed"),
            "self_employed": words.say("self-employed"),
            "further_study": words.say("further study"),
            "military_service": words.say("military service"),
            "parental_leave": words.say("parental leave"),
            "unemployed": words.say("unemployed"),
            "unknown": words.say("unknown"),
            "emigrated": words.say("emigrated"),
            "deceased": words.say("deceased"),
        },
        "destination_source": {
            "pension_contributions": words.say("pension contributions"),
            "employer_contract": words.say("employment contract"),
            "entrepreneur_register": words.say("register of entrepreneurs"),
            "enrolment_register": words.say("register of enrolments"),
            "military_register": words.say("military register"),
            "social_payment": words.say("social payment"),
            "civil_register": words.say("civil register"),
            "declared": words.say("declared by the college"),
            "none": words.say("no source"),
        },
        "not_paid_reason": {
            "unit_not_active": words.say("the college is not active"),
            "closed_place": words.say("the place of study is closed"),
            "funding_source": words.say("the state does not pay for this funding source"),
            "study_form": words.say("the state does not pay for this form of study"),
            "academic_leave": words.say("on academic leave"),
        },
        "table_name": {
            "colleges": words.say("Colleges"),
            "students": words.say("Students"),
            "graduates": words.say("Graduates"),
            "dual_agreements": words.say("Dual agreements"),
            "accreditations": words.say("Accreditations"),
            "assessments": words.say("Assessments"),
        },
    }
