-- One row per accepted dual agreement, with the unit that it counts for.
SELECT
    raw_dual_agreements.agreement_id,
    raw_dual_agreements.student_id,
    raw_dual_agreements.college_id,
    units.unit_id,
    raw_dual_agreements.employer_bin,
    raw_dual_agreements.valid_from,
    raw_dual_agreements.valid_to
FROM raw_dual_agreements
LEFT JOIN units ON units.college_id = raw_dual_agreements.college_id
WHERE raw_dual_agreements.row_id NOT IN (
    SELECT row_id FROM rejected_rows WHERE table_name = 'dual_agreements'
)
