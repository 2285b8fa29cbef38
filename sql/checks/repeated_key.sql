-- severity: error
-- message: {found} rows say the same thing ({expected}). None of them counts until only one is left.
-- One row per row that shares its table's key with another row (the keys of kpi/tables.py). Rows of
-- students that are counted on one day are left to counted_twice.
WITH keyed AS (
    SELECT 'colleges' AS table_name, row_id, college_id, 'college_id' AS key_columns,
        college_id AS row_key
    FROM raw_colleges
    UNION ALL
    SELECT 'dual_agreements' AS table_name, row_id, college_id, 'agreement_id' AS key_columns,
        agreement_id AS row_key
    FROM raw_dual_agreements
    UNION ALL
    SELECT 'graduates' AS table_name, row_id, college_id,
        'college_id, graduate_id, graduated_on' AS key_columns,
        concat_ws('|', college_id, graduate_id, graduated_on) AS row_key
    FROM raw_graduates
    UNION ALL
    SELECT 'accreditations' AS table_name, row_id, college_id,
        'college_id, scope, specialty, register_no' AS key_columns,
        concat_ws('|', college_id, scope, coalesce(specialty, ''), register_no) AS row_key
    FROM raw_accreditations
    UNION ALL
    SELECT 'assessments' AS table_name, row_id, college_id,
        'college_id, specialty, indicator' AS key_columns,
        concat_ws('|', college_id, coalesce(specialty, ''), indicator) AS row_key
    FROM raw_assessments
),
suspects AS (
    -- by hash first: millions of keys as text would not fit in memory
    SELECT hash(table_name, row_key) AS key_hash
    FROM keyed
    GROUP BY key_hash
    HAVING count(*) > 1
),
repeated AS (
    SELECT table_name, row_key, count(*) AS times
    FROM keyed
    WHERE hash(table_name, row_key) IN (SELECT key_hash FROM suspects)
    GROUP BY table_name, row_key
    HAVING count(*) > 1
)
SELECT
    keyed.table_name,
    keyed.row_id,
    keyed.college_id,
    '' AS column_name,
    CAST(repeated.times AS VARCHAR) AS found,
    'one row per ' || keyed.key_columns AS expected
FROM keyed
INNER JOIN repeated
    ON repeated.table_name = keyed.table_name
    AND repeated.row_key = keyed.row_key
