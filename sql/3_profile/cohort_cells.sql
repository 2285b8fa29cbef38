-- One row per unit and cell of its cohort: how many graduates the columns say the same of. They are
-- the same people in every KPI, so chance must draw them together (DESIGN §5, `outcome_share`).
SELECT
    unit_id AS college_id,
    dual,
    claims_work,
    is_employed,
    is_excluded,
    is_studying,
    declared_employed,
    declared_excluded,
    is_unknown,
    is_in_specialty,
    is_certified,
    count(*) AS graduates
FROM cohort
WHERE unit_id IS NOT NULL
GROUP BY
    unit_id,
    dual,
    claims_work,
    is_employed,
    is_excluded,
    is_studying,
    declared_employed,
    declared_excluded,
    is_unknown,
    is_in_specialty,
    is_certified
