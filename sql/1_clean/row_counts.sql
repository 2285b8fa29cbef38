-- One row per input table and college as named in its rows: rows read, rows that reached the clean
-- table, rows rejected (DESIGN §9: rows in = clean + rejected).
WITH clean_rows AS (
    SELECT 'colleges' AS table_name, college_id FROM colleges
    UNION ALL
    SELECT 'students' AS table_name, college_id FROM students
    UNION ALL
    SELECT 'dual_agreements' AS table_name, college_id FROM dual_agreements
    UNION ALL
    SELECT 'graduates' AS table_name, college_id FROM graduates
    UNION ALL
    SELECT 'accreditations' AS table_name, college_id FROM accreditations
    UNION ALL
    SELECT 'assessments' AS table_name, college_id FROM assessments
),
counted AS (
    SELECT table_name, college_id, 1 AS is_read, 0 AS is_clean, 0 AS is_rejected FROM read_rows
    UNION ALL
    SELECT table_name, college_id, 0 AS is_read, 1 AS is_clean, 0 AS is_rejected FROM clean_rows
    UNION ALL
    SELECT table_name, college_id, 0 AS is_read, 0 AS is_clean, 1 AS is_rejected FROM rejected_rows
)
SELECT
    table_name,
    college_id,
    CAST(sum(is_read) AS BIGINT) AS read,
    CAST(sum(is_clean) AS BIGINT) AS clean,
    CAST(sum(is_rejected) AS BIGINT) AS rejected
FROM counted
GROUP BY table_name, college_id
