-- severity: error
-- message: {found} is no region of Kazakhstan. Use the ISO 3166-2 code of one of the 20 regions, such as KZ-35.
-- One row per college whose region is not in the reference table `regions`.
SELECT
    'colleges' AS table_name,
    row_id,
    college_id,
    'region' AS column_name,
    region AS found,
    'a region of the reference table `regions`' AS expected
FROM raw_colleges
WHERE region NOT IN (SELECT region FROM regions)
