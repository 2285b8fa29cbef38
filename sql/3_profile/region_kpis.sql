-- One row per region (and KZ for the nation) and KPI: sum of numerators over sum of denominators,
-- never a mean of rates (DESIGN §5). A median has no sum and is left out. The counts are those that
-- kpi_values shows, of pooled_years cohorts.
WITH by_unit AS (
    SELECT
        unit_profile.region,
        kpi_values.kpi,
        kpi_values.kind,
        kpi_values.numerator,
        kpi_values.denominator,
        kpi_values.pooled_years
    FROM kpi_values
    INNER JOIN unit_profile ON unit_profile.college_id = kpi_values.college_id
    WHERE kpi_values.kind <> 'median'
),
by_region AS (
    SELECT
        coalesce(region, 'KZ') AS region,
        kpi,
        kind,
        CAST(sum(numerator) AS DECIMAL(18, 4)) AS numerator,
        CAST(sum(denominator) AS DECIMAL(18, 4)) AS denominator,
        pooled_years
    FROM by_unit
    GROUP BY GROUPING SETS ((region, kpi, kind, pooled_years), (kpi, kind, pooled_years))
)
SELECT
    region,
    kpi,
    kind,
    numerator,
    denominator,
    CASE WHEN denominator > 0 THEN CAST(numerator AS DOUBLE) / CAST(denominator AS DOUBLE) END
        AS value,
    pooled_years
FROM by_region
