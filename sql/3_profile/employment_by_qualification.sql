-- One row per unit and level of qualification (worker 3W, specialist 4S, not stated): employment_rate
-- of its graduates of that level.
SELECT
    college_id,
    level,
    CAST(sum(employed) AS DECIMAL(18, 4)) AS numerator,
    CAST(sum(graduates) AS DECIMAL(18, 4)) AS denominator,
    CAST(sum(employed) AS DOUBLE) / CAST(sum(graduates) AS DOUBLE) AS value
FROM graduate_groups
GROUP BY college_id, level
