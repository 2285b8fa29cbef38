-- One row per college: 1 of 1 if an international accreditation of any scope is in force on kpi_on.
SELECT
    colleges.college_id,
    count(DISTINCT accreditations.unit_id) AS numerator,
    1 AS denominator
FROM colleges
CROSS JOIN param_round
LEFT JOIN accreditations
    ON accreditations.unit_id = colleges.college_id
    AND accreditations.international
    AND accreditations.valid_from <= param_round.kpi_on
    AND accreditations.valid_to >= param_round.kpi_on
WHERE colleges.college_id = colleges.unit_id
GROUP BY colleges.college_id
