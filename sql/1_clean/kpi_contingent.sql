-- One row per student of the KPI contingent: full-time students on kpi_on, academic leave left out
-- (DESIGN §5). A student counts on a day when enrolled by then and not yet left.
SELECT
    students.unit_id,
    students.student_id,
    students.specialty,
    students.funding_source
FROM students
CROSS JOIN param_round
WHERE
    students.study_form = 'full_time'
    AND NOT students.academic_leave
    AND students.enrolled_on <= param_round.kpi_on
    AND (students.left_on IS NULL OR students.left_on > param_round.kpi_on)
