"""The codes of the stored tables, in words (said by ``kpi.language``)."""

from kpi.language import Speaker, mark

TERMS = {
    # status of a KPI value, and what decided a gate
    "ok": mark("counted"),
    "small_cohort": mark("small cohort"),
    "no_data": mark("no data"),
    "not_applicable": mark("not applicable"),
    "counts": mark("the counts"),
    "judge": mark("judged by the counts"),
    "fail": mark("not passed"),
    "pass": mark("passed"),
    # status of a value in a dated file
    "official": mark("official"),
    "illustrative": mark("illustrative"),
    # colleges
    "college": mark("college"),
    "higher_college": mark("higher college"),
    "communal": mark("communal"),
    "republican": mark("republican"),
    "quasi_state": mark("quasi-state"),
    "private": mark("private"),
    "other": mark("other"),
    "not_stated": mark("not stated"),
    "urban": mark("urban"),
    "rural": mark("rural"),
    "active": mark("active"),
    "closed": mark("closed"),
    "merged": mark("merged"),
    # budget administrators
    "education": mark("education"),
    "health": mark("health care"),
    "culture": mark("culture"),
    "sport": mark("sport"),
    # why the state does not pay for a student
    "unit_not_active": mark("the college is not active"),
    "closed_place": mark("the place of study is closed"),
    "funding_source": mark("the funding source is not paid by the state"),
    "study_form": mark("the form of study is not paid by the state"),
    "academic_leave": mark("on academic leave"),
    # funding sources and forms of study
    "state_order": mark("state order"),
    "targeted_state_order": mark("targeted state order"),
    "enterprise_paid": mark("paid by an enterprise"),
    "self_paid": mark("paid by the student"),
    "full_time": mark("full-time"),
    "part_time": mark("part-time"),
    "evening": mark("evening"),
    # why a student left, what became of a graduate, and who says so
    "graduated": mark("graduated"),
    "transferred": mark("transferred"),
    "expelled": mark("expelled"),
    "own_wish": mark("own wish"),
    "employed": mark("employed"),
    "self_employed": mark("self-employed"),
    "further_study": mark("further study"),
    "military_service": mark("military service"),
    "parental_leave": mark("parental leave"),
    "unemployed": mark("unemployed"),
    "unknown": mark("unknown"),
    "emigrated": mark("emigrated"),
    "deceased": mark("deceased"),
    "pension_contributions": mark("pension contributions"),
    "employer_contract": mark("employment contract"),
    "entrepreneur_register": mark("register of entrepreneurs"),
    "enrolment_register": mark("register of enrolments"),
    "military_register": mark("military register"),
    "social_payment": mark("social payment"),
    "civil_register": mark("civil register"),
    "declared": mark("declared by the college"),
    "none": mark("no source"),
    # input tables
    "colleges": mark("Colleges"),
    "students": mark("Students"),
    "graduates": mark("Graduates"),
    "dual_agreements": mark("Dual agreements"),
    "accreditations": mark("Accreditations"),
    "assessments": mark("Assessments"),
    # how a rule counts and pays
    "on_date": mark("students on the day of the count"),
    "monthly_average": mark("mean of twelve monthly headcounts"),
    "threshold": mark("by gates"),
    "leagues": mark("by leagues"),
    "incentive": mark("the incentive amounts"),
    "total": mark("all amounts"),
    "per_student": mark("per student"),
    "outside": mark("on top of the appropriation"),
    "within": mark("within the appropriation"),
    # cost groups of the specialties
    "theory": mark("theory"),
    "workshop": mark("workshop"),
    "heavy": mark("heavy equipment"),
    # leaders
    "league_1": mark("technological leader (league 1)"),
    "cluster_in_region": mark("reference college of its cluster in the region"),
    # levels of qualification, and what a comparison with the peers says
    "worker": mark("worker qualification (3W)"),
    "specialist": mark("specialist qualification (4S)"),
    "strength": mark("strength"),
    "weakness": mark("weakness"),
    "neither": mark("neither"),
    # why a college is not ranked
    "few_students": mark("too few students"),
    "no_score": mark("no KPI can be scored"),
}


def term(words: Speaker, code: str) -> str:
    """Return a code in words; a code that is none of these stands as it is."""
    return words.say(TERMS[code]) if code in TERMS else code
