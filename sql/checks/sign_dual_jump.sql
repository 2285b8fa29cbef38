-- severity: warning
-- message: The share of students in dual training has jumped, {found}; from its own past one would expect {expected}. A question, not a verdict: ask the enterprises how many students they train.
-- One row per unit whose share in dual training rose more than chance explains (docs/signs.md).
SELECT
    'dual_agreements' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'dual_share' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'dual_jump'
