-- One row per unit and KPI: the counts that its value is made from (DESIGN §5 "Value"). Where the
-- methodology pools the KPI, these are sums over pooled_years consecutive cohorts, the round's own
-- and those of the rounds before; elsewhere its own alone, which stand beside them as own_. What an
-- earlier round counted for a unit that has merged since counts for the unit that its rows count
-- for now.
WITH own AS (
    SELECT
        unit_profile.college_id,
        param_kpi.kpi,
        CAST(coalesce(kpi_counts.numerator, 0) AS DECIMAL(18, 4)) AS numerator,
        CAST(coalesce(kpi_counts.denominator, 0) AS DECIMAL(18, 4)) AS denominator
    FROM unit_profile
    CROSS JOIN param_kpi
    LEFT JOIN kpi_counts
        ON kpi_counts.college_id = unit_profile.college_id
        AND kpi_counts.kpi = param_kpi.kpi
),
earlier AS (
    SELECT
        colleges.unit_id AS college_id,
        earlier_counts.kpi,
        sum(earlier_counts.numerator) AS numerator,
        sum(earlier_counts.denominator) AS denominator
    FROM earlier_counts
    INNER JOIN param_pool
        ON param_pool.kpi = earlier_counts.kpi
        AND param_pool.first_round <= earlier_counts.round
    INNER JOIN colleges ON colleges.college_id = earlier_counts.college_id
    GROUP BY colleges.unit_id, earlier_counts.kpi
)
SELECT
    own.college_id,
    own.kpi,
    CAST(own.numerator + coalesce(earlier.numerator, 0) AS DECIMAL(18, 4)) AS numerator,
    CAST(own.denominator + coalesce(earlier.denominator, 0) AS DECIMAL(18, 4)) AS denominator,
    coalesce(param_pool.pooled_years, 1) AS pooled_years,
    own.numerator AS own_numerator,
    own.denominator AS own_denominator
FROM own
LEFT JOIN param_pool ON param_pool.kpi = own.kpi
LEFT JOIN earlier
    ON earlier.college_id = own.college_id
    AND earlier.kpi = own.kpi
