-- One row per college: of the KPI contingent, those in a specialty whose programme accreditation
-- is in force at the college on kpi_on.
SELECT
    kpi_contingent.unit_id AS college_id,
    count(*) FILTER (WHERE accredited_programmes.specialty IS NOT NULL) AS numerator,
    count(*) AS denominator
FROM kpi_contingent
LEFT JOIN accredited_programmes
    ON accredited_programmes.unit_id = kpi_contingent.unit_id
    AND accredited_programmes.specialty = kpi_contingent.specialty
GROUP BY kpi_contingent.unit_id
