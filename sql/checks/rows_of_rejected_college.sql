-- severity: warning
-- message: {found} accepted rows count for no college, because the row of their college, or of its parent or successor, was rejected. Correct that row first.
-- One row per table and college whose accepted rows have no unit that is ranked or paid.
WITH unitless AS (
    SELECT 'students' AS table_name, college_id, unit_id FROM students
    UNION ALL
    SELECT 'graduates' AS table_name, college_id, unit_id FROM graduates
    UNION ALL
    SELECT 'dual_agreements' AS table_name, college_id, unit_id FROM dual_agreements
    UNION ALL
    SELECT 'accreditations' AS table_name, college_id, unit_id FROM accreditations
    UNION ALL
    SELECT 'assessments' AS table_name, college_id, unit_id FROM assessments
)
SELECT
    unitless.table_name,
    CAST(NULL AS BIGINT) AS row_id,
    unitless.college_id,
    'college_id' AS column_name,
    CAST(count(*) AS VARCHAR) AS found,
    'a college whose own row is accepted' AS expected
FROM unitless
ANTI JOIN colleges ON colleges.college_id = unitless.unit_id
GROUP BY unitless.table_name, unitless.college_id
