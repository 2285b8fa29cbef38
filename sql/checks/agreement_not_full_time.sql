-- severity: warning
-- message: The student of this agreement is in {found} study; agreements count for full-time students only. It counts for nobody; if the student is full-time, correct study_form.
-- One row per accepted agreement, in force on kpi_on or later, whose student is enrolled in the
-- college that signed it (branch and head are one, `units`) on one of its days, but not full-time.
WITH agreed AS (
    SELECT
        raw_dual_agreements.row_id,
        raw_dual_agreements.college_id,
        raw_dual_agreements.student_id,
        raw_dual_agreements.valid_from,
        raw_dual_agreements.valid_to,
        units.unit_id
    FROM raw_dual_agreements
    INNER JOIN units ON units.college_id = raw_dual_agreements.college_id
    CROSS JOIN param_round
    WHERE
        raw_dual_agreements.valid_to >= param_round.kpi_on
        AND raw_dual_agreements.row_id NOT IN (
            SELECT row_id FROM rejected_rows WHERE table_name = 'dual_agreements'
        )
),
enrolled AS (
    SELECT
        raw_students.student_id,
        units.unit_id,
        CAST(raw_students.study_form AS VARCHAR) AS study_form,
        raw_students.enrolled_on,
        raw_students.left_on
    FROM raw_students
    INNER JOIN units ON units.college_id = raw_students.college_id
)
SELECT
    'dual_agreements' AS table_name,
    agreed.row_id,
    agreed.college_id,
    'student_id' AS column_name,
    min(enrolled.study_form) AS found,
    'a full-time student' AS expected
FROM agreed
INNER JOIN enrolled
    ON enrolled.student_id = agreed.student_id
    AND enrolled.unit_id = agreed.unit_id
    AND enrolled.enrolled_on <= agreed.valid_to
    AND (enrolled.left_on IS NULL OR enrolled.left_on > agreed.valid_from)
GROUP BY agreed.row_id, agreed.college_id
HAVING bool_and(enrolled.study_form <> 'full_time')
