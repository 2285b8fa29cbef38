-- severity: error
-- message: A programme accreditation must name its specialty. Fill in specialty, or set scope to institutional.
-- One row per programme accreditation without a specialty.
SELECT
    'accreditations' AS table_name,
    row_id,
    college_id,
    'specialty' AS column_name,
    '' AS found,
    'a specialty, because scope is programme' AS expected
FROM raw_accreditations
WHERE scope = 'programme' AND specialty IS NULL
