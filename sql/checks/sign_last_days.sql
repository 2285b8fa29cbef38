-- severity: warning
-- message: Of the graduates in work, {found} began in the last 14 days before the cut-off; as colleges differ, one would expect {expected}. A question, not a verdict: see in three months whether they still work there.
-- One row per unit of whose employed more began shortly before observed_on than chance explains (docs/signs.md).
SELECT
    'graduates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'destination_on' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'last_days'
