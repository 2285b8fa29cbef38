-- One row per college: of the cohort less the excluded, those in work (DESIGN §5; the gate's rate).
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE is_employed) AS numerator,
    count(*) FILTER (WHERE NOT is_excluded) AS denominator
FROM cohort
GROUP BY unit_id
