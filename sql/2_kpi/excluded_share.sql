-- One row per college: of the cohort, those left out of employment_rate's denominator.
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE is_excluded) AS numerator,
    count(*) AS denominator
FROM cohort
GROUP BY unit_id
