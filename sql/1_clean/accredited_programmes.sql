-- One row per unit and specialty whose programme accreditation is in force there on kpi_on
-- (DESIGN §4 "Dates of a round").
SELECT DISTINCT
    accreditations.unit_id,
    accreditations.specialty
FROM accreditations
CROSS JOIN param_round
WHERE
    accreditations.scope = 'programme'
    AND accreditations.valid_from <= param_round.kpi_on
    AND accreditations.valid_to >= param_round.kpi_on
