-- One row per region with a paid unit, and KZ for the nation: colleges, students and tenge per year.
WITH by_unit AS (
    SELECT
        unit_profile.region AS region,
        funding.*
    FROM funding
    INNER JOIN unit_profile ON unit_profile.college_id = funding.college_id
)
SELECT
    coalesce(region, 'KZ') AS region,
    count(*) AS colleges,
    count(*) FILTER (WHERE share > 0) AS qualifying,
    CAST(sum(student_months) / 12 AS DECIMAL(18, 4)) AS students,
    CAST(sum(student_months) AS BIGINT) AS student_months,
    CAST(sum(base_amount) AS BIGINT) AS base_amount,
    CAST(sum(incentive_amount) AS BIGINT) AS incentive_amount,
    CAST(sum(guarantee_amount) AS BIGINT) AS guarantee_amount,
    CAST(sum(amount) AS BIGINT) AS amount
FROM by_unit
GROUP BY GROUPING SETS ((region), ())
HAVING count(*) > 0
