-- severity: warning
-- message: The employment rate has jumped, {found}; from its own past one would expect {expected}. A question, not a verdict: ask what has changed, and check a sample of contracts.
-- One row per unit whose employment rate rose more than chance explains (docs/signs.md).
SELECT
    'graduates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'employment_rate' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'employment_jump'
