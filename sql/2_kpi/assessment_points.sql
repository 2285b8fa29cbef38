-- One row per KPI of kind points and college: the points that the assessment gives the college for
-- the indicator of that name. A branch's points are its own and never its parent's.
SELECT
    param_kpi.kpi,
    assessments.unit_id AS college_id,
    assessments.points AS numerator,
    1 AS denominator
FROM assessments
INNER JOIN param_kpi
    ON param_kpi.kpi = assessments.indicator
    AND param_kpi.kind = 'points'
WHERE
    assessments.specialty IS NULL
    AND assessments.points IS NOT NULL
    AND assessments.college_id = assessments.unit_id
