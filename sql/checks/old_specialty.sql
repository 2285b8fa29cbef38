-- severity: warning
-- message: {found} is a code of the old classifier, with 7 digits. The row counts, but belongs to no cluster, and its students are paid at the lowest cost group until the code is corrected to that of the classifier in force: {expected}.
-- One row per row whose specialty has the 7 digits of the classifier before the one in force. The
-- table `old_specialties` (illustrative) knows some of the new codes; none is put in its place here.
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
    coalesce('probably ' || old_specialties.specialty, '8 digits') AS expected
FROM named
LEFT JOIN old_specialties ON old_specialties.old_specialty = named.specialty
WHERE length(named.specialty) = 7
