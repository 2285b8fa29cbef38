-- One row per student of the KPI contingent and employer with an agreement in force on kpi_on,
-- matched on unit and student (DESIGN §5 "dual_share").
WITH in_force AS (
    SELECT DISTINCT
        dual_agreements.unit_id,
        dual_agreements.student_id,
        dual_agreements.employer_bin
    FROM dual_agreements
    CROSS JOIN param_round
    WHERE
        dual_agreements.valid_from <= param_round.kpi_on
        AND dual_agreements.valid_to >= param_round.kpi_on
)
SELECT
    kpi_contingent.unit_id,
    kpi_contingent.student_id,
    in_force.employer_bin
FROM kpi_contingent
INNER JOIN in_force
    ON in_force.unit_id = kpi_contingent.unit_id
    AND in_force.student_id = kpi_contingent.student_id
