-- severity: error
-- message: {column} is {found}: no such day can be meant. Correct the year; for what has no end yet, state the last day that is agreed.
-- One row per date that is more than 40 years before or after count_on. An error: who is counted and
-- what is in force hang on the day, and nobody knows which one is meant (1925 for 2025, 2205 for 2025).
WITH dated AS (
    SELECT 'colleges' AS table_name, row_id, college_id, 'merged_on' AS column_name,
        merged_on AS day
    FROM raw_colleges
    UNION ALL
    SELECT 'students' AS table_name, row_id, college_id, 'enrolled_on' AS column_name,
        enrolled_on AS day
    FROM raw_students
    UNION ALL
    SELECT 'students' AS table_name, row_id, college_id, 'left_on' AS column_name,
        left_on AS day
    FROM raw_students
    UNION ALL
    SELECT 'graduates' AS table_name, row_id, college_id, 'graduated_on' AS column_name,
        graduated_on AS day
    FROM raw_graduates
    UNION ALL
    SELECT 'graduates' AS table_name, row_id, college_id, 'destination_on' AS column_name,
        destination_on AS day
    FROM raw_graduates
    UNION ALL
    SELECT 'dual_agreements' AS table_name, row_id, college_id, 'valid_from' AS column_name,
        valid_from AS day
    FROM raw_dual_agreements
    UNION ALL
    SELECT 'dual_agreements' AS table_name, row_id, college_id, 'valid_to' AS column_name,
        valid_to AS day
    FROM raw_dual_agreements
    UNION ALL
    SELECT 'accreditations' AS table_name, row_id, college_id, 'valid_from' AS column_name,
        valid_from AS day
    FROM raw_accreditations
    UNION ALL
    SELECT 'accreditations' AS table_name, row_id, college_id, 'valid_to' AS column_name,
        valid_to AS day
    FROM raw_accreditations
),
bounds AS (
    SELECT
        CAST(count_on - INTERVAL 40 YEAR AS DATE) AS first_day,
        CAST(count_on + INTERVAL 40 YEAR AS DATE) AS last_day
    FROM param_round
)
SELECT
    dated.table_name,
    dated.row_id,
    dated.college_id,
    dated.column_name,
    CAST(dated.day AS VARCHAR) AS found,
    'a day from ' || CAST(bounds.first_day AS VARCHAR) || ' to '
    || CAST(bounds.last_day AS VARCHAR) AS expected
FROM dated
CROSS JOIN bounds
WHERE dated.day NOT BETWEEN bounds.first_day AND bounds.last_day
