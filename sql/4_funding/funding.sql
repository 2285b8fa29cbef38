-- One row per active unit: its students and tenge, the sum of its lines (DESIGN §6 step 5).
SELECT
    unit_shares.college_id,
    CAST(coalesce(sum(funding_lines.students), 0) AS BIGINT) AS students,
    unit_shares.share,
    CAST(coalesce(sum(funding_lines.base_amount), 0) AS BIGINT) AS base_amount,
    CAST(coalesce(sum(funding_lines.incentive_amount), 0) AS BIGINT) AS incentive_amount,
    CAST(coalesce(sum(funding_lines.amount), 0) AS BIGINT) AS amount
FROM unit_shares
LEFT JOIN funding_lines ON funding_lines.college_id = unit_shares.college_id
GROUP BY unit_shares.college_id, unit_shares.share
