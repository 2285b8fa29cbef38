-- One row per unit with graduates that employment_rate is of: how many of them would be in work if
-- graduates of the same field of study (ISCED-F), level of qualification and region found work at each
-- college as they do at all the others. The unit's own graduates are left out of those rates. Where
-- the others are fewer than 30 graduates or fewer than 3 colleges, the field and level count
-- nationally, then the nation as a whole, then nothing: a rate of fewer is noise, and would tell one
-- college's results to another. `variance` is that of observed less expected by chance alone: the
-- unit's n graduates and the m others, each in work with the rate p: n p (1 - p) (1 + n / m), summed.
-- What is expected says nothing of the funding: it is never weighted into the score.
WITH own AS (
    SELECT
        graduate_groups.college_id,
        unit_profile.region,
        graduate_groups.isced_field,
        graduate_groups.level,
        graduate_groups.graduates,
        graduate_groups.employed
    FROM graduate_groups
    INNER JOIN unit_profile ON unit_profile.college_id = graduate_groups.college_id
),
own_sums AS (
    SELECT college_id, sum(graduates) AS graduates, sum(employed) AS employed
    FROM own
    GROUP BY college_id
),
-- All colleges that teach what a row says: the region's of a field and level, the nation's, all.
wholes AS (
    SELECT
        region,
        isced_field,
        level,
        count(DISTINCT college_id) AS colleges,
        sum(graduates) AS graduates,
        sum(employed) AS employed
    FROM own
    GROUP BY GROUPING SETS ((region, isced_field, level), (isced_field, level), ())
),
-- The others of each group, from near to far; `isced_field` and `level` name the group whose rate it is.
others AS (
    SELECT
        own.college_id,
        own.isced_field,
        own.level,
        CASE
            WHEN wholes.region IS NOT NULL THEN 1
            WHEN wholes.level IS NOT NULL THEN 2
            ELSE 3
        END AS step,
        own.graduates AS own_graduates,
        wholes.colleges - 1 AS colleges,
        wholes.graduates
        - CASE WHEN wholes.level IS NULL THEN own_sums.graduates ELSE own.graduates END
            AS graduates,
        wholes.employed
        - CASE WHEN wholes.level IS NULL THEN own_sums.employed ELSE own.employed END
            AS employed
    FROM own
    INNER JOIN own_sums ON own_sums.college_id = own.college_id
    INNER JOIN wholes
        ON (wholes.region IS NULL OR wholes.region = own.region)
        AND (wholes.isced_field IS NULL OR wholes.isced_field = own.isced_field)
        AND (wholes.level IS NULL OR wholes.level = own.level)
),
nearest AS (
    SELECT college_id, isced_field, level, min(step) AS step
    FROM others
    WHERE graduates >= 30 AND colleges >= 3
    GROUP BY college_id, isced_field, level
),
-- Groups that take the same rate are one: its chance is theirs together.
rates AS (
    SELECT
        others.college_id,
        others.step,
        CASE WHEN others.step < 3 THEN others.isced_field END AS isced_field,
        CASE WHEN others.step < 3 THEN others.level END AS level,
        CAST(sum(others.own_graduates) AS DOUBLE) AS n,
        CAST(others.graduates AS DOUBLE) AS m,
        CAST(others.employed AS DOUBLE) / CAST(others.graduates AS DOUBLE) AS p
    FROM others
    INNER JOIN nearest
        ON nearest.college_id = others.college_id
        AND nearest.isced_field = others.isced_field
        AND nearest.level = others.level
        AND nearest.step = others.step
    GROUP BY ALL
),
expected AS (
    SELECT
        college_id,
        sum(CAST(n * p AS DECIMAL(18, 6))) AS expected,
        sum(CAST(n * p * (1 - p) * (1 + n / m) AS DECIMAL(18, 6))) AS variance,
        coalesce(sum(CAST(n AS BIGINT)) FILTER (WHERE step = 1), 0) AS by_region,
        coalesce(sum(CAST(n AS BIGINT)) FILTER (WHERE step = 2), 0) AS by_field,
        coalesce(sum(CAST(n AS BIGINT)) FILTER (WHERE step = 3), 0) AS by_nation
    FROM rates
    GROUP BY college_id
)
SELECT
    own_sums.college_id,
    CAST(own_sums.graduates AS BIGINT) AS graduates,
    CAST(own_sums.employed AS BIGINT) AS observed,
    CAST(expected.expected AS DECIMAL(18, 6)) AS expected,
    CAST(own_sums.employed - expected.expected AS DECIMAL(18, 6)) AS difference,
    CAST(own_sums.employed AS DOUBLE) / CAST(own_sums.graduates AS DOUBLE) AS observed_share,
    CAST(expected.expected AS DOUBLE) / CAST(own_sums.graduates AS DOUBLE) AS expected_share,
    CAST(own_sums.employed - expected.expected AS DOUBLE) / CAST(own_sums.graduates AS DOUBLE)
        AS difference_share,
    CAST(expected.variance AS DECIMAL(18, 6)) AS variance,
    CAST(expected.by_region AS BIGINT) AS graduates_by_region,
    CAST(expected.by_field AS BIGINT) AS graduates_by_field,
    CAST(expected.by_nation AS BIGINT) AS graduates_by_nation
FROM own_sums
LEFT JOIN expected ON expected.college_id = own_sums.college_id
