-- One row per unit: of the KPI contingent's students with a dual agreement in force on kpi_on, those
-- whose agreements in force all began in the last 14 days up to kpi_on.
WITH begun AS (
    SELECT
        dual_students.unit_id,
        dual_students.student_id,
        min(dual_agreements.valid_from) AS first_on
    FROM dual_students
    INNER JOIN dual_agreements
        ON dual_agreements.unit_id = dual_students.unit_id
        AND dual_agreements.student_id = dual_students.student_id
    CROSS JOIN param_round
    WHERE
        dual_agreements.valid_from <= param_round.kpi_on
        AND dual_agreements.valid_to >= param_round.kpi_on
    GROUP BY dual_students.unit_id, dual_students.student_id
)
SELECT
    begun.unit_id AS college_id,
    count(*) FILTER (WHERE begun.first_on > param_round.kpi_on - INTERVAL 14 DAY) AS numerator,
    count(*) AS denominator
FROM begun
CROSS JOIN param_round
GROUP BY begun.unit_id
