-- severity: warning
-- message: The dropout rate has risen, {found}, while the employment rate rose too; from its own past one would expect {expected}. A question, not a verdict: ask who left before the diploma, and why.
-- One row per unit whose dropout rate rose more than chance explains, while employment rose (docs/signs.md).
SELECT
    'students' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'left_on' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'dropout_rising'
