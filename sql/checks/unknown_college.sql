-- severity: error
-- message: The college {found} of this row is not in the list of colleges. Correct the id, or add the college to `colleges`.
-- One row per row whose college_id no row of `colleges` carries, read or rejected.
WITH named AS (
    SELECT 'students' AS table_name, row_id, college_id FROM raw_students
    UNION ALL
    SELECT 'dual_agreements' AS table_name, row_id, college_id FROM raw_dual_agreements
    UNION ALL
    SELECT 'graduates' AS table_name, row_id, college_id FROM raw_graduates
    UNION ALL
    SELECT 'accreditations' AS table_name, row_id, college_id FROM raw_accreditations
    UNION ALL
    SELECT 'assessments' AS table_name, row_id, college_id FROM raw_assessments
)
SELECT
    named.table_name,
    named.row_id,
    named.college_id,
    'college_id' AS column_name,
    named.college_id AS found,
    'a college_id of the table `colleges`' AS expected
FROM named
WHERE named.college_id NOT IN (SELECT college_id FROM read_colleges)
