"""How each KPI can be moved without helping a student, and which figure gives it away.

Every indicator that pays is one that somebody moves. A way is named ``<kpi>.<way>``; its
counter-figures are other KPIs, or something that no KPI holds and somebody has to look at. Of some
ways every round is searched for signs (``kpi.signs``), which are warnings on the page Data check.
"""

from kpi.language import mark

WAYS = {
    "employment_rate.excluded": mark(
        "Graduates without work are entered as in further study, in military service, on parental"
        " leave or abroad. Each of them leaves the denominator, and the rate rises without one"
        " more job."
    ),
    "employment_rate.formal": mark(
        "Short or formal contracts are signed around the day of observation, often with partners of"
        " the college, and end soon after: the rule looks at one day and not at how long a job"
        " lasts."
    ),
    "employment_rate.paper": mark(
        "Work is proved by contracts that the college itself brings, not by pension contributions."
        " What is only declared counts for nothing, so a large gap between declared and verified"
        " shows where the next contracts will come from."
    ),
    "employment_rate.intake": mark(
        "Only those are admitted, or kept until the diploma, who would find work anyway. Weak"
        " students leave before they can become graduates, and students with special needs are not"
        " admitted at all."
    ),
    "in_specialty_rate.titles": mark(
        "Whether a job is in the specialty is stated by the college, and no register confirms it:"
        " job titles are read generously."
    ),
    "in_specialty_rate.partners": mark(
        "A partner hires graduates under the right job title for a few weeks. Jobs that train"
        " nobody pay little."
    ),
    "in_specialty_rate.excluded": mark(
        "The denominator is that of the employment rate: whoever is taken out of it raises this"
        " share as well."
    ),
    "dual_share.paper": mark(
        "Agreements are signed for the day on which they are counted, and nobody trains at the"
        " enterprise. Real dual training shows in the employment of those who had it."
    ),
    "dual_share.one_employer": mark(
        "One friendly employer signs for all, more students than it has places for."
    ),
    "dual_share.contingent": mark(
        "Students without an agreement are moved to part-time or evening study, or to academic"
        " leave, before the day of the count, and leave the denominator."
    ),
    "dual_share.selection": mark(
        "Those whom no employer takes are talked into leaving, or are not admitted: first of all"
        " students with special needs."
    ),
    "accredited_share.closing": mark(
        "Small programmes without accreditation are closed, or their students are transferred on"
        " paper to an accredited one. The share rises, and a trade that the region needs is gone."
    ),
    "accredited_share.agency": mark(
        "The easiest agency is chosen, and each programme is accredited that has many students,"
        " good or not: what counts is a date in a register."
    ),
    "certified_share.cheap": mark(
        "Everybody is sent to a short, cheap certificate that no employer asks for: any certificate"
        " counts as one."
    ),
    "certified_share.sure": mark(
        "Only those reach the diploma who will pass the certificate; the others leave shortly"
        " before."
    ),
    "institution_accredited.agency": mark(
        "The easiest agency is chosen: the gate asks whether an accreditation is in force, not what"
        " it found."
    ),
    "institution_accredited.day": mark(
        "An accreditation is bought for the day on which it is counted, and lapses after it."
    ),
    "infrastructure.show": mark(
        "Equipment is borrowed or listed for the visit, and no student works on it."
    ),
    "staff.shared": mark(
        "Specialists are listed by several colleges at once, or hired for an hour a week for the"
        " time of the assessment."
    ),
    "achievement.few": mark(
        "A few gifted students are prepared for competitions all year, and the others pay for it"
        " with their teachers' time."
    ),
    "college_total.reported": mark(
        "The total adds points for what the college reports of itself: a figure that nobody holds"
        " against another is raised where it costs least."
    ),
    "employment.declared": mark(
        "The points rest on what the college reports of its graduates, and no register confirms it."
    ),
}
"""Way to how it is done."""

WATCH = {
    "employment_rate.excluded": ("excluded_share", "employment_rate_of_all"),
    "employment_rate.formal": ("in_specialty_rate", "median_wage"),
    "employment_rate.paper": ("verified_share", "employment_declared_rate"),
    "employment_rate.intake": ("dropout_rate",),
    "in_specialty_rate.titles": ("employment_rate",),
    "in_specialty_rate.partners": ("median_wage",),
    "in_specialty_rate.excluded": ("excluded_share",),
    "dual_share.paper": ("dual_employment_rate",),
    "dual_share.one_employer": ("employers_per_100",),
    "dual_share.selection": ("dropout_rate",),
    "accredited_share.closing": ("dropout_rate", "targeted_share"),
    "accredited_share.agency": ("international_accredited",),
    "certified_share.cheap": ("in_specialty_rate",),
    "certified_share.sure": ("dropout_rate",),
    "institution_accredited.agency": ("accredited_share", "international_accredited"),
}
"""Way to the KPIs to watch beside it."""

LOOK = {
    "employment_rate.intake": mark(
        "No KPI holds the intake of students with special needs: compare it from year to year in"
        " the register of students."
    ),
    "in_specialty_rate.titles": mark(
        "Compare the profession in the contract with the specialty of the diploma, for a sample."
    ),
    "dual_share.contingent": mark(
        "Compare the students who are part-time, in evening study or on academic leave on the day"
        " of the count with those a month before and after."
    ),
    "dual_share.selection": mark(
        "No KPI holds the intake of students with special needs: compare it from year to year in"
        " the register of students."
    ),
    "accredited_share.closing": mark(
        "Count the specialties that the college teaches, now and a year earlier."
    ),
    "accredited_share.agency": mark(
        "Look at which agencies accredit whom, and at the findings about agencies not on the list."
    ),
    "certified_share.cheap": mark(
        "Look at who issued the certificates, and how many hours they took."
    ),
    "institution_accredited.agency": mark(
        "Look at which agencies accredit whom, and at the findings about agencies not on the list."
    ),
    "institution_accredited.day": mark(
        "Look at how long the accreditation was and will be in force around the day of the count."
    ),
    "infrastructure.show": mark("Ask for timetables of the workshops, and for inventory numbers."),
    "staff.shared": mark("Compare the staff lists of the colleges of a region with each other."),
    "achievement.few": mark("Count how many different students stand behind the achievements."),
    "college_total.reported": mark(
        "See the findings about cells that contradict their own row, and ask for the proof of the"
        " indicators that gained most since last year."
    ),
    "employment.declared": mark(
        "Compare with pension contributions, as the methodology by KPIs does."
    ),
}
"""Way to what has to be looked at where no KPI, or not a KPI alone, gives it away."""

SIGN_NAMES = {
    "unverified_employment": mark("work declared and not verified"),
    "one_employer": mark("one employer of an improbable share of the graduates"),
    "last_days": mark("many jobs that begin in the last days before the cut-off"),
    "late_agreements": mark("agreements that all begin just before the reference date"),
    "excluded_rising": mark("excluded destinations that rise while employment rises"),
    "dropout_rising": mark("dropout that rises while employment rises"),
    "left_contingent": mark("students moved out of the contingent since the last round"),
    "employment_jump": mark("a jump of the employment rate beyond chance"),
    "dual_jump": mark("a jump of the share in dual training beyond chance"),
    "around_gate": mark("nationally, more colleges just above a gate than just below it"),
}
"""Sign of ``kpi.signs`` to what it looks for."""

SIGNS_OF = {
    "employment_rate.excluded": ("excluded_rising", "employment_jump"),
    "employment_rate.formal": ("last_days", "one_employer"),
    "employment_rate.paper": ("unverified_employment", "around_gate"),
    "employment_rate.intake": ("dropout_rising",),
    "in_specialty_rate.partners": ("one_employer",),
    "in_specialty_rate.excluded": ("excluded_rising",),
    "dual_share.paper": ("late_agreements", "dual_jump", "around_gate"),
    "dual_share.contingent": ("left_contingent",),
}
"""Way to the signs that every round is searched for."""


def ways_of(kpi: str) -> list[str]:
    """Return the ways in which a KPI can be moved; none for a KPI that nothing is paid for, or that
    this product does not know.
    """
    return [way for way in WAYS if way.partition(".")[0] == kpi]
