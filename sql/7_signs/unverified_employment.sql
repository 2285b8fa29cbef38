-- One row per unit: of the graduates of the cohort whom any source calls employed, those whom no
-- accepted source confirms by observed_on (DESIGN §5 "Source").
SELECT
    unit_id AS college_id,
    count(*) FILTER (WHERE NOT is_employed) AS numerator,
    count(*) AS denominator
FROM cohort
WHERE claims_work AND unit_id IS NOT NULL
GROUP BY unit_id
