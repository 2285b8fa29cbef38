-- One row per unit: of the students on kpi_on, those whom the KPI contingent leaves out: in part-time
-- or evening study, or on academic leave (DESIGN §5 "KPI contingent").
SELECT
    students.unit_id AS college_id,
    count(*) FILTER (
        WHERE students.study_form <> 'full_time' OR students.academic_leave
    ) AS numerator,
    count(*) AS denominator
FROM students
CROSS JOIN param_round
WHERE
    students.unit_id IS NOT NULL
    AND students.enrolled_on <= param_round.kpi_on
    AND (students.left_on IS NULL OR students.left_on > param_round.kpi_on)
GROUP BY students.unit_id
