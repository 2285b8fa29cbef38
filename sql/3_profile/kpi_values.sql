-- One row per unit and KPI of the methodology: numerator, denominator, value, status (DESIGN §5).
-- low and high: 95 % Wilson score interval of an outcome share (Wilson 1927), z = 1.959963984540054.
-- A median's value is its numerator; its denominator is the number of people measured.
-- pooled_years: of how many cohorts the counts are; status is judged on these counts.
WITH counts AS (
    SELECT
        unit_profile.college_id,
        unit_profile.kind AS college_kind,
        param_kpi.kpi,
        param_kpi.kind,
        param_kpi.min_denominator,
        param_kpi.applies_to,
        pooled_counts.numerator,
        pooled_counts.denominator,
        pooled_counts.pooled_years
    FROM pooled_counts
    INNER JOIN unit_profile ON unit_profile.college_id = pooled_counts.college_id
    INNER JOIN param_kpi ON param_kpi.kpi = pooled_counts.kpi
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
    END AS status,
    shares.pooled_years
FROM shares
LEFT JOIN intervals
    ON intervals.college_id = shares.college_id
    AND intervals.kpi = shares.kpi
