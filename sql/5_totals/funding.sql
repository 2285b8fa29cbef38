-- One row per active unit: its students and tenge per year, the sum of its lines (DESIGN §6 step 5).
WITH sums AS (
    SELECT
        college_id,
        sum(student_months) AS student_months,
        sum(base_amount) AS base_amount,
        sum(entitled_incentive) AS entitled_incentive,
        sum(incentive_amount) AS incentive_amount,
        sum(guarantee_amount) AS guarantee_amount,
        sum(amount) AS amount
    FROM funding_lines
    GROUP BY college_id
)
SELECT
    unit_shares.college_id,
    CAST(coalesce(sums.student_months, 0) / 12 AS DECIMAL(18, 4)) AS students,
    unit_shares.share,
    CAST(coalesce(sums.base_amount, 0) AS BIGINT) AS base_amount,
    CAST(coalesce(sums.incentive_amount, 0) AS BIGINT) AS incentive_amount,
    CAST(coalesce(sums.amount, 0) AS BIGINT) AS amount,
    CAST(coalesce(sums.student_months, 0) AS BIGINT) AS student_months,
    CAST(coalesce(sums.entitled_incentive, 0) AS BIGINT) AS entitled_incentive,
    CAST(coalesce(sums.guarantee_amount, 0) AS BIGINT) AS guarantee_amount
FROM unit_shares
LEFT JOIN sums ON sums.college_id = unit_shares.college_id
