-- severity: error
-- message: The rows do not add up: {found}. This is a fault of the product, not of the data; do not use this round and report it.
-- One row per table and college where rows read are not clean plus rejected.
SELECT
    table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    '' AS column_name,
    CAST(read AS VARCHAR) || ' read, ' || CAST(clean AS VARCHAR) || ' clean, '
    || CAST(rejected AS VARCHAR) || ' rejected' AS found,
    'read = clean + rejected' AS expected
FROM row_counts
WHERE read <> clean + rejected
