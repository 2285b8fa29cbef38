-- severity: warning
-- message: The student of this agreement is in {found} study; agreements count for full-time students only. It counts for nobody; if the student is full-time, correct study_form.
-- One row per accepted agreement, in force on kpi_on or later, whose student is enrolled in the
-- college that signed it (branch and head are one, `units`) on one of its days from kpi_on on, but not
-- full-time.
WITH agreed AS (
    SELECT
        raw_dual_agreements.row_id,
        raw_dual_agreements.college_id,
        raw_dual_agreements.student_id,
        raw_dual_agreements.valid_to,
        greatest(raw_dual_agreements.valid_from, param_round.kpi_on) AS counts_from,
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
-- those of other forms of study first: they are few, and most students are full-time
otherwise_enrolled AS (
    SELECT
        agreed.row_id,
        agreed.college_id,
        agreed.student_id,
        agreed.valid_to,
        agreed.counts_from,
        agreed.unit_id,
        min(CAST(raw_students.study_form AS VARCHAR)) AS study_form
    FROM agreed
    INNER JOIN raw_students
        ON raw_students.student_id = agreed.student_id
        AND raw_students.enrolled_on <= agreed.valid_to
        AND (raw_students.left_on IS NULL OR raw_students.left_on > agreed.counts_from)
    INNER JOIN units
        ON units.college_id = raw_students.college_id
        AND units.unit_id = agreed.unit_id
    WHERE raw_students.study_form <> 'full_time'
    GROUP BY ALL
),
full_time AS (
    SELECT otherwise_enrolled.row_id
    FROM otherwise_enrolled
    INNER JOIN raw_students
        ON raw_students.student_id = otherwise_enrolled.student_id
        AND raw_students.enrolled_on <= otherwise_enrolled.valid_to
        AND (
            raw_students.left_on IS NULL
            OR raw_students.left_on > otherwise_enrolled.counts_from
        )
    INNER JOIN units
        ON units.college_id = raw_students.college_id
        AND units.unit_id = otherwise_enrolled.unit_id
    WHERE raw_students.study_form = 'full_time'
)
SELECT
    'dual_agreements' AS table_name,
    row_id,
    college_id,
    'student_id' AS column_name,
    study_form AS found,
    'a full-time student' AS expected
FROM otherwise_enrolled
WHERE row_id NOT IN (SELECT row_id FROM full_time)
