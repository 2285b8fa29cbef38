-- severity: warning
-- message: The agency {found} is not in the list of accreditation agencies. The accreditation counts; check the agency.
-- One row per accreditation whose agency is not in the reference table `agencies` (an illustrative list).
SELECT
    'accreditations' AS table_name,
    row_id,
    college_id,
    'agency' AS column_name,
    agency AS found,
    'an agency of the reference table `agencies`' AS expected
FROM raw_accreditations
WHERE agency NOT IN (SELECT agency FROM agencies)
