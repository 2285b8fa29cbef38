-- One row per unit and specialty of its KPI contingent: how many students it has, and whether its
-- programme accreditation is in force at the unit on kpi_on (what accredited_share sums up).
SELECT
    kpi_contingent.unit_id AS college_id,
    kpi_contingent.specialty,
    count(*) AS students,
    bool_or(accredited_programmes.specialty IS NOT NULL) AS is_accredited
FROM kpi_contingent
LEFT JOIN accredited_programmes
    ON accredited_programmes.unit_id = kpi_contingent.unit_id
    AND accredited_programmes.specialty = kpi_contingent.specialty
WHERE kpi_contingent.unit_id IS NOT NULL
GROUP BY kpi_contingent.unit_id, kpi_contingent.specialty
