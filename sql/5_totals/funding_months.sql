-- One row per active unit and month of the academic year: its amount in twelve parts that differ by
-- at most a tenge and sum to the year exactly: after k months floor(k x amount / 12) is paid.
SELECT
    funding.college_id,
    param_month.month,
    CAST(
        param_month.place * CAST(funding.amount AS HUGEINT) // 12
        - (param_month.place - 1) * CAST(funding.amount AS HUGEINT) // 12 AS BIGINT
    ) AS amount
FROM funding
CROSS JOIN param_month
