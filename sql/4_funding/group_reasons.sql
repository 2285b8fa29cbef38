-- One row per student group: why the state does not pay for it; no reason where it does (DESIGN §6
-- step 1: an active unit, a place that is not closed, an eligible funding source and study form,
-- on academic leave only if the rule pays for it).
SELECT
    student_groups.college_id,
    student_groups.specialty,
    student_groups.study_form,
    student_groups.funding_source,
    student_groups.academic_leave,
    student_groups.is_closed_place,
    student_groups.students,
    CASE param_norm.count_basis
        WHEN 'on_date' THEN 12 * student_groups.students
        WHEN 'monthly_average' THEN student_groups.student_months
    END AS student_months,
    CASE
        WHEN colleges.status IS DISTINCT FROM 'active' THEN 'unit_not_active'
        WHEN student_groups.is_closed_place THEN 'closed_place'
        WHEN eligible_source.value IS NULL THEN 'funding_source'
        WHEN eligible_form.value IS NULL THEN 'study_form'
        WHEN student_groups.academic_leave AND NOT param_norm.pays_academic_leave
            THEN 'academic_leave'
    END AS not_paid_reason
FROM student_groups
CROSS JOIN param_norm
LEFT JOIN colleges ON colleges.college_id = student_groups.college_id
LEFT JOIN param_eligible AS eligible_source
    ON eligible_source.attribute = 'funding_source'
    AND eligible_source.value = student_groups.funding_source
LEFT JOIN param_eligible AS eligible_form
    ON eligible_form.attribute = 'study_form'
    AND eligible_form.value = student_groups.study_form
