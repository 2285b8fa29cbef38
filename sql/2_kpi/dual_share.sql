-- One row per college: of the KPI contingent, those with a dual agreement in force on kpi_on.
SELECT
    kpi_contingent.unit_id AS college_id,
    count(*) FILTER (WHERE dual.student_id IS NOT NULL) AS numerator,
    count(*) AS denominator
FROM kpi_contingent
LEFT JOIN (SELECT DISTINCT unit_id, student_id FROM dual_students) AS dual
    ON dual.unit_id = kpi_contingent.unit_id
    AND dual.student_id = kpi_contingent.student_id
GROUP BY kpi_contingent.unit_id
