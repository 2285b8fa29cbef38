-- severity: error
-- message: It ends on {found}, before it begins. Correct valid_from or valid_to.
-- One row per agreement or accreditation that ends before it begins.
WITH spans AS (
    SELECT 'dual_agreements' AS table_name, row_id, college_id, valid_from, valid_to
    FROM raw_dual_agreements
    UNION ALL
    SELECT 'accreditations' AS table_name, row_id, college_id, valid_from, valid_to
    FROM raw_accreditations
)
SELECT
    table_name,
    row_id,
    college_id,
    'valid_to' AS column_name,
    CAST(valid_to AS VARCHAR) AS found,
    'a day not before ' || CAST(valid_from AS VARCHAR) AS expected
FROM spans
WHERE valid_to < valid_from
