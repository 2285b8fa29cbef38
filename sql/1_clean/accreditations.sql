-- One row per accepted accreditation, with the unit that it counts for.
SELECT
    raw_accreditations.college_id,
    units.unit_id,
    raw_accreditations.scope,
    raw_accreditations.specialty,
    raw_accreditations.agency,
    raw_accreditations.international,
    raw_accreditations.register_no,
    raw_accreditations.valid_from,
    raw_accreditations.valid_to
FROM raw_accreditations
LEFT JOIN units ON units.college_id = raw_accreditations.college_id
WHERE raw_accreditations.row_id NOT IN (
    SELECT row_id FROM rejected_rows WHERE table_name = 'accreditations'
)
