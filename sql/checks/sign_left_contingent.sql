-- severity: warning
-- message: The share of students in part-time or evening study or on academic leave has risen, {found}; from its own past one would expect {expected}. They leave the denominator of the share in dual training. A question, not a verdict: ask when and why they were moved.
-- One row per unit of whose students more are outside the KPI contingent than its past and chance explain (docs/signs.md).
SELECT
    'students' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    'study_form' AS column_name,
    found,
    expected
FROM sign_findings
WHERE sign = 'left_contingent'
