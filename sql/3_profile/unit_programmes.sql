-- One row per unit and specialty of its KPI contingent: how many students it has, and whether its
-- programme accreditation is in force at the unit on kpi_on (what accredited_share sums up).
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
    kpi_contingent.specialty,
    count(*) AS students,
    bool_or(accredited.specialty IS NOT NULL) AS is_accredited
FROM kpi_contingent
LEFT JOIN accredited
    ON accredited.unit_id = kpi_contingent.unit_id
    AND accredited.specialty = kpi_contingent.specialty
WHERE kpi_contingent.unit_id IS NOT NULL
GROUP BY kpi_contingent.unit_id, kpi_contingent.specialty
