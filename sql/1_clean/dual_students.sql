-- One row per student of the KPI contingent and employer with an agreement in force on kpi_on,
-- matched on unit and student (DESIGN §5 "dual_share").
SELECT DISTINCT
    kpi_contingent.unit_id,
    kpi_contingent.student_id,
    dual_agreements.employer_bin
FROM kpi_contingent
INNER JOIN dual_agreements
    ON dual_agreements.unit_id = kpi_contingent.unit_id
    AND dual_agreements.student_id = kpi_contingent.student_id
CROSS JOIN param_round
WHERE
    dual_agreements.valid_from <= param_round.kpi_on
    AND dual_agreements.valid_to >= param_round.kpi_on
