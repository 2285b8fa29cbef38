-- severity: warning
-- message: In the whole country, of the colleges within two people of this gate, {found} pass it with nobody or one person to spare; by chance one would expect {expected}. This says nothing of any one college: take the audit sample from all of them.
-- One row per gate with more colleges just above it than just below it than chance explains (docs/signs.md).
SELECT
    'gates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    gate AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'around_gate'
