-- One row per college: of the cohort, those with a certificate.
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE is_certified) AS numerator,
    count(*) AS denominator
FROM cohort
GROUP BY unit_id
