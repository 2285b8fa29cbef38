-- severity: error
-- message: {found} is no specialty of the national classifier as the product knows it. Correct the code, or have it added to the reference table `specialties`.
-- One row per row whose specialty is not in the reference table `specialties`. Codes of 7 digits are
-- left to old_specialty.
WITH named AS (
    SELECT 'students' AS table_name, row_id, college_id, specialty FROM raw_students
    UNION ALL
    SELECT 'graduates' AS table_name, row_id, college_id, specialty FROM raw_graduates
    UNION ALL
    SELECT 'accreditations' AS table_name, row_id, college_id, specialty FROM raw_accreditations
    UNION ALL
    SELECT 'assessments' AS table_name, row_id, college_id, specialty FROM raw_assessments
)
SELECT
    named.table_name,
    named.row_id,
    named.college_id,
    'specialty' AS column_name,
    named.specialty AS found,
    'a specialty of the reference table `specialties`' AS expected
FROM named
WHERE
    length(named.specialty) = 8
    AND named.specialty NOT IN (SELECT specialty FROM specialties)
