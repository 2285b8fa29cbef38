-- severity: error
-- message: {found} rows say the same thing ({expected}), in one file or in several. None of them counts until only one is left: see the file and the record of each.
-- One row per row that shares its table's key with another row (the keys of kpi/tables.py), in the
-- same file or in another. Rows of students that are counted on one day are left to counted_twice,
-- rows of a specialty of an assessment to specialty_named_twice.
WITH suspects AS (
    -- by hash first, and table by table: millions of keys as text would not fit in memory
    SELECT hash('colleges', college_id) AS key_hash
    FROM raw_colleges
    GROUP BY key_hash
    HAVING count(*) > 1
    UNION ALL
    SELECT hash('students', college_id, student_id, enrolled_on) AS key_hash
    FROM raw_students
    GROUP BY key_hash
    HAVING count(*) > 1
    UNION ALL
    SELECT hash('dual_agreements', agreement_id) AS key_hash
    FROM raw_dual_agreements
    GROUP BY key_hash
    HAVING count(*) > 1
    UNION ALL
    SELECT hash('graduates', college_id, graduate_id, graduated_on) AS key_hash
    FROM raw_graduates
    GROUP BY key_hash
    HAVING count(*) > 1
    UNION ALL
    SELECT hash('accreditations', college_id, scope, specialty, register_no) AS key_hash
    FROM raw_accreditations
    GROUP BY key_hash
    HAVING count(*) > 1
    UNION ALL
    SELECT hash('assessments', college_id, specialty, indicator) AS key_hash
    FROM raw_assessments
    GROUP BY key_hash
    HAVING count(*) > 1
),
keyed AS (
    SELECT 'colleges' AS table_name, row_id, college_id, 'college_id' AS key_columns,
        college_id AS row_key, FALSE AS is_counted
    FROM raw_colleges
    WHERE hash('colleges', college_id) IN (SELECT key_hash FROM suspects)
    UNION ALL
    SELECT 'students' AS table_name, row_id, college_id,
        'college_id, student_id, enrolled_on' AS key_columns,
        concat_ws('|', college_id, student_id, enrolled_on) AS row_key,
        enrolled_on <= count_on AND coalesce(left_on > count_on, TRUE) AS is_counted
    FROM raw_students
    CROSS JOIN param_round
    WHERE hash('students', college_id, student_id, enrolled_on) IN (SELECT key_hash FROM suspects)
    UNION ALL
    SELECT 'dual_agreements' AS table_name, row_id, college_id, 'agreement_id' AS key_columns,
        agreement_id AS row_key, FALSE AS is_counted
    FROM raw_dual_agreements
    WHERE hash('dual_agreements', agreement_id) IN (SELECT key_hash FROM suspects)
    UNION ALL
    SELECT 'graduates' AS table_name, row_id, college_id,
        'college_id, graduate_id, graduated_on' AS key_columns,
        concat_ws('|', college_id, graduate_id, graduated_on) AS row_key, FALSE AS is_counted
    FROM raw_graduates
    WHERE hash('graduates', college_id, graduate_id, graduated_on)
        IN (SELECT key_hash FROM suspects)
    UNION ALL
    SELECT 'accreditations' AS table_name, row_id, college_id,
        'college_id, scope, specialty, register_no' AS key_columns,
        concat_ws('|', college_id, scope, coalesce(specialty, ''), register_no) AS row_key,
        FALSE AS is_counted
    FROM raw_accreditations
    WHERE hash('accreditations', college_id, scope, specialty, register_no)
        IN (SELECT key_hash FROM suspects)
    UNION ALL
    SELECT 'assessments' AS table_name, row_id, college_id,
        'college_id, specialty, indicator' AS key_columns,
        concat_ws('|', college_id, indicator) AS row_key, FALSE AS is_counted
    FROM raw_assessments
    WHERE
        specialty IS NULL
        AND hash('assessments', college_id, specialty, indicator)
        IN (SELECT key_hash FROM suspects)
),
repeated AS (
    SELECT table_name, row_key, count(*) AS times
    FROM keyed
    GROUP BY table_name, row_key
    HAVING count(*) > 1 AND count(*) FILTER (WHERE is_counted) < 2
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
