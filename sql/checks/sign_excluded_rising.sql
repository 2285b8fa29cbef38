-- severity: warning
-- message: The share of graduates left out of the employment rate has risen, {found}, while the employment rate rose too; from its own past one would expect {expected}. A question, not a verdict: check a sample of these destinations in their registers.
-- One row per unit whose share of excluded graduates rose more than chance explains, while employment rose (docs/signs.md).
SELECT
    'graduates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'destination' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'excluded_rising'
