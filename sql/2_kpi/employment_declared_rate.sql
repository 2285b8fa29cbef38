-- One row per college: employment_rate if the source `declared` were accepted too.
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE declared_employed) AS numerator,
    count(*) FILTER (WHERE NOT declared_excluded) AS denominator
FROM cohort
GROUP BY unit_id
