-- One row per college: of the whole cohort, those in work (the statistics bureau's rate).
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE is_employed) AS numerator,
    count(*) AS denominator
FROM cohort
GROUP BY unit_id
