-- One row per unit and KPI of the methodology: numerator, denominator, value, status (DESIGN §5).
-- low and high: 95 % Wilson score interval of an outcome share (Wilson 1927), z = 1.959963984540054.
-- A median's value is its numerator; its denominator is the number of people measured.
WITH counts AS (
    SELECT
        unit_profile.college_id,
        unit_profile.kind AS college_kind,
        param_kpi.kpi,
        param_kpi.kind,
        param_kpi.min_denominator,
        param_kpi.applies_to,
        coalesce(kpi_counts.numerator, 0) AS numerator,
        coalesce(kpi_counts.denominator, 0) AS denominator
    FROM unit_profile
    CROSS JOIN param_kpi
    LEFT JOIN kpi_counts
        ON kpi_counts.college_id = unit_profile.college_id
        AND kpi_counts.kpi = param_kpi.kpi
),
shares AS (
    SELECT
        counts.*,
        CASE WHEN denominator > 0 THEN CAST(numerator AS DOUBLE) / CAST(denominator AS DOUBLE) END
            AS ratio,
        CAST(nullif(denominator, 0) AS DOUBLE) AS n,
        CAST(1.959963984540054 AS DOUBLE) AS z
    FROM counts
),
intervals AS (
    SELECT
        shares.*,
        (ratio + z * z / (2 * n)) / (1 + z * z / n) AS middle,
        z * sqrt(ratio * (1 - ratio) / n + z * z / (4 * n * n)) / (1 + z * z / n) AS reach
    FROM shares
    WHERE kind = 'outcome_share'
)
SELECT
    shares.college_id,
    shares.kpi,
    shares.kind,
    shares.numerator,
    shares.denominator,
    CASE
        WHEN shares.kind = 'median' AND shares.denominator > 0
            THEN CAST(shares.numerator AS DOUBLE)
        ELSE shares.ratio
    END AS value,
    CASE WHEN intervals.n IS NOT NULL THEN greatest(intervals.middle - intervals.reach, 0) END
        AS low,
    CASE WHEN intervals.n IS NOT NULL THEN least(intervals.middle + intervals.reach, 1) END
        AS high,
    CASE
        WHEN NOT list_contains(shares.applies_to, shares.college_kind) THEN 'not_applicable'
        WHEN shares.denominator = 0 THEN 'no_data'
        WHEN shares.denominator < shares.min_denominator THEN 'small_cohort'
        ELSE 'ok'
    END AS status
FROM shares
LEFT JOIN intervals
    ON intervals.college_id = shares.college_id
    AND intervals.kpi = shares.kpi
