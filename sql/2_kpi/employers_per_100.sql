-- One row per college: 100 x the distinct employers of its dual students, per KPI contingent.
WITH employers AS (
    SELECT unit_id, count(DISTINCT employer_bin) AS employers
    FROM dual_students
    GROUP BY unit_id
)
SELECT
    kpi_contingent.unit_id AS college_id,
    100 * coalesce(max(employers.employers), 0) AS numerator,
    count(*) AS denominator
FROM kpi_contingent
LEFT JOIN employers ON employers.unit_id = kpi_contingent.unit_id
GROUP BY kpi_contingent.unit_id
