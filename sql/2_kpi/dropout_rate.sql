-- One row per college: of the students a year before kpi_on, those who left within 12 months for
-- another reason than graduating or transferring.
WITH year_earlier AS (
    SELECT students.unit_id, students.left_on, students.left_reason, param_round.kpi_on
    FROM students
    CROSS JOIN param_round
    WHERE
        students.enrolled_on <= param_round.kpi_on - INTERVAL 1 YEAR
        AND (students.left_on IS NULL OR students.left_on > param_round.kpi_on - INTERVAL 1 YEAR)
)
SELECT
    unit_id AS college_id,
    count(*) FILTER (
        WHERE left_on <= kpi_on
        AND coalesce(left_reason, 'other') NOT IN ('graduated', 'transferred')
    ) AS numerator,
    count(*) AS denominator
FROM year_earlier
GROUP BY unit_id
