-- One row per active unit and specialty: the students that the state pays for on count_on
-- (DESIGN §6 step 1): of an eligible funding source and study form, on academic leave only if the
-- rule pays for it, and not of a closed college.
SELECT
    students.unit_id AS college_id,
    students.specialty,
    specialties.cost_group,
    colleges.locality,
    count(*) AS students
FROM students
CROSS JOIN param_round
CROSS JOIN param_norm
INNER JOIN colleges
    ON colleges.college_id = students.unit_id
    AND colleges.status = 'active'
INNER JOIN specialties ON specialties.specialty = students.specialty
INNER JOIN param_eligible AS eligible_source
    ON eligible_source.attribute = 'funding_source'
    AND eligible_source.value = students.funding_source
INNER JOIN param_eligible AS eligible_form
    ON eligible_form.attribute = 'study_form'
    AND eligible_form.value = students.study_form
WHERE
    students.enrolled_on <= param_round.count_on
    AND (students.left_on IS NULL OR students.left_on > param_round.count_on)
    AND students.college_status <> 'closed'
    AND (NOT students.academic_leave OR param_norm.pays_academic_leave)
GROUP BY students.unit_id, students.specialty, specialties.cost_group, colleges.locality
