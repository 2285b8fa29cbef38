-- One row per administrator of the colleges' budgets: colleges, students and tenge per year.
WITH by_unit AS (
    SELECT
        coalesce(unit_profile.administrator, 'not_stated') AS administrator,
        funding.*
    FROM funding
    INNER JOIN unit_profile ON unit_profile.college_id = funding.college_id
)
SELECT
    administrator,
    count(*) AS colleges,
    count(*) FILTER (WHERE share > 0) AS qualifying,
    CAST(sum(student_months) / 12 AS DECIMAL(18, 4)) AS students,
    CAST(sum(student_months) AS BIGINT) AS student_months,
    CAST(sum(base_amount) AS BIGINT) AS base_amount,
    CAST(sum(incentive_amount) AS BIGINT) AS incentive_amount,
    CAST(sum(guarantee_amount) AS BIGINT) AS guarantee_amount,
    CAST(sum(amount) AS BIGINT) AS amount
FROM by_unit
GROUP BY administrator
