-- severity: warning
-- message: Of the students in dual training, {found} have agreements that all began in the last 14 days before the reference date; as colleges differ, one would expect {expected}. A question, not a verdict: ask for the timetable at the enterprise.
-- One row per unit of whose dual students more have late agreements alone than chance explains (docs/signs.md).
SELECT
    'dual_agreements' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'valid_from' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'late_agreements'
