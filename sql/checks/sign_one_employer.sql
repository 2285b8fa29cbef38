-- severity: warning
-- message: One employer has {found} of the graduates in work; as employers are spread elsewhere, one would expect {expected}. A question, not a verdict: see whether it has so many workplaces, and whether pension contributions go on.
-- One row per unit one of whose graduates' employers has more of them than chance explains (docs/signs.md).
SELECT
    'graduates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'employer_bin' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'one_employer'
