-- One row per unit and count (a KPI, or a count of this folder) that the previous published round
-- counted in the same way: both rounds' own counts. What was counted then for a unit that has merged
-- since counts for the unit that its rows count for now.
WITH now AS (
    SELECT kpi AS counted, college_id, numerator, denominator FROM kpi_counts
    UNION ALL
    SELECT sign AS counted, college_id, numerator, denominator FROM sign_counts
),
before AS (
    SELECT
        colleges.unit_id AS college_id,
        previous_counts.counted,
        sum(previous_counts.numerator) AS numerator,
        sum(previous_counts.denominator) AS denominator
    FROM previous_counts
    INNER JOIN colleges ON colleges.college_id = previous_counts.college_id
    GROUP BY colleges.unit_id, previous_counts.counted
)
SELECT
    now.counted,
    now.college_id,
    CAST(now.numerator AS BIGINT) AS numerator,
    CAST(now.denominator AS BIGINT) AS denominator,
    CAST(before.numerator AS BIGINT) AS previous_numerator,
    CAST(before.denominator AS BIGINT) AS previous_denominator
FROM now
INNER JOIN before
    ON before.college_id = now.college_id
    AND before.counted = now.counted
