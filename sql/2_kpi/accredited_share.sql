-- One row per college: of the KPI contingent, those in a specialty whose programme accreditation
-- is in force at the college on kpi_on.
WITH accredited AS (
    SELECT DISTINCT accreditations.unit_id, accreditations.specialty
    FROM accreditations
    CROSS JOIN param_round
    WHERE
        accreditations.scope = 'programme'
        AND accreditations.valid_from <= param_round.kpi_on
        AND accreditations.valid_to >= param_round.kpi_on
)
SELECT
    kpi_contingent.unit_id AS college_id,
    count(*) FILTER (WHERE accredited.specialty IS NOT NULL) AS numerator,
    count(*) AS denominator
FROM kpi_contingent
LEFT JOIN accredited
    ON accredited.unit_id = kpi_contingent.unit_id
    AND accredited.specialty = kpi_contingent.specialty
GROUP BY kpi_contingent.unit_id
