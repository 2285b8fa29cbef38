-- severity: error
-- message: The student of this agreement is not in the register of students. Correct the student_id, or add the student.
-- One row per agreement whose student no row of `students` carries, read or rejected.
SELECT
    'dual_agreements' AS table_name,
    raw_dual_agreements.row_id,
    raw_dual_agreements.college_id,
    'student_id' AS column_name,
    raw_dual_agreements.student_id AS found,
    'a student_id of the table `students`' AS expected
FROM raw_dual_agreements
ANTI JOIN read_students ON read_students.student_id = raw_dual_agreements.student_id
