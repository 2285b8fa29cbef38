-- One row per college: employment_rate among the graduates of dual training.
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE is_employed) AS numerator,
    count(*) FILTER (WHERE NOT is_excluded) AS denominator
FROM cohort
WHERE dual
GROUP BY unit_id
