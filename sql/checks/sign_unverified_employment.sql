-- severity: warning
-- message: Of the graduates said to be in work, no accepted source confirms {found}; as colleges differ, one would expect {expected}. A question, not a verdict: ask what proves their work.
-- One row per unit of whose graduates said to be in work more are unconfirmed than chance explains (docs/signs.md).
SELECT
    'graduates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'destination_source' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'unverified_employment'
