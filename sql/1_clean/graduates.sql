-- One row per accepted graduate, with the unit that it counts for.
SELECT
    raw_graduates.graduate_id,
    raw_graduates.record_no,
    raw_graduates.college_id,
    units.unit_id,
    raw_graduates.specialty,
    raw_graduates.qualification,
    raw_graduates.graduated_on,
    raw_graduates.study_form,
    raw_graduates.funding_source,
    raw_graduates.dual,
    raw_graduates.destination,
    raw_graduates.destination_source,
    raw_graduates.destination_on,
    raw_graduates.employer_bin,
    raw_graduates.in_specialty,
    raw_graduates.monthly_wage,
    raw_graduates.certificate_id
FROM raw_graduates
LEFT JOIN units ON units.college_id = raw_graduates.college_id
WHERE raw_graduates.row_id NOT IN (SELECT row_id FROM rejected_rows WHERE table_name = 'graduates')
