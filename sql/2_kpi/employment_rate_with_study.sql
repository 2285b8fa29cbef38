-- One row per college: of the whole cohort, those in work or in further study.
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE is_employed OR is_studying) AS numerator,
    count(*) AS denominator
FROM cohort
GROUP BY unit_id
