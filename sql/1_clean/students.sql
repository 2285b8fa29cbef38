-- One row per accepted enrolment of a student, with the unit that it counts for.
SELECT
    raw_students.student_id,
    raw_students.record_no,
    raw_students.college_id,
    units.unit_id,
    units.status AS college_status,
    raw_students.specialty,
    raw_students.qualification,
    raw_students.course,
    raw_students.study_form,
    raw_students.funding_source,
    raw_students.enrolled_on,
    raw_students.left_on,
    raw_students.left_reason,
    raw_students.academic_leave,
    raw_students.special_needs,
    raw_students.language
FROM raw_students
LEFT JOIN units ON units.college_id = raw_students.college_id
WHERE raw_students.row_id NOT IN (SELECT row_id FROM rejected_rows WHERE table_name = 'students')
