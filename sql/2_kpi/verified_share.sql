-- One row per college: of the graduates whom any source calls employed, those whom an accepted
-- source confirms by observed_on.
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE is_employed) AS numerator,
    count(*) FILTER (WHERE claims_work) AS denominator
FROM cohort
GROUP BY unit_id
