-- One row per region (and KZ for the nation): the share of COLLEGES with dual training, those where at
-- least one student of the KPI contingent has an agreement in force, of those that have a contingent.
-- It is not the share of STUDENTS in dual training (dual_share, `region_kpis`), which is far lower.
SELECT
    coalesce(unit_profile.region, 'KZ') AS region,
    count(*) FILTER (WHERE kpi_values.numerator > 0) AS colleges_with_dual,
    count(*) AS colleges,
    CAST(count(*) FILTER (WHERE kpi_values.numerator > 0) AS DOUBLE) / CAST(count(*) AS DOUBLE)
        AS share_of_colleges
FROM kpi_values
INNER JOIN unit_profile ON unit_profile.college_id = kpi_values.college_id
WHERE kpi_values.kpi = 'dual_share' AND kpi_values.denominator > 0
GROUP BY GROUPING SETS ((unit_profile.region), ())
