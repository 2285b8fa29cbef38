-- severity: error
-- message: The college names {found} as its {column}, which is not in the list of colleges. Correct the id, or add that college.
-- One row per college whose parent or successor no row of `colleges` carries, or that is merged and
-- says not into which college or when.
WITH related AS (
    SELECT row_id, college_id, 'parent_id' AS column_name, parent_id AS other_id
    FROM raw_colleges
    WHERE parent_id IS NOT NULL
    UNION ALL
    SELECT row_id, college_id, 'successor_id' AS column_name, successor_id AS other_id
    FROM raw_colleges
    WHERE successor_id IS NOT NULL
)
SELECT
    'colleges' AS table_name,
    row_id,
    college_id,
    column_name,
    other_id AS found,
    'a college_id of the table `colleges`' AS expected
FROM related
WHERE other_id NOT IN (SELECT college_id FROM read_colleges)
