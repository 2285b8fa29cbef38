-- severity: warning
-- message: The agreement runs from {found}, but on none of these days from the reference date on is its student enrolled in the college that signed it. It counts for nobody; correct its days, or those of the student.
-- One row per accepted agreement, in force on kpi_on or later, whose student is in the college that
-- signed it (branch and head are one, `units`), but left by kpi_on or by the day on which it begins, or
-- enrolled after the day on which it ends. Who leaves after kpi_on while it runs is nothing wrong.
WITH agreed AS (
    SELECT
        raw_dual_agreements.row_id,
        raw_dual_agreements.college_id,
        raw_dual_agreements.student_id,
        raw_dual_agreements.valid_from,
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
        AND raw_dual_agreements.student_id NOT IN (
            SELECT person_id
            FROM unreadable
            WHERE table_name = 'students' AND person_id IS NOT NULL
        )
),
-- enrolments beside the agreement's days first: they are few
beside AS (
    SELECT DISTINCT
        agreed.row_id,
        agreed.college_id,
        agreed.student_id,
        agreed.valid_from,
        agreed.valid_to,
        agreed.counts_from,
        agreed.unit_id
    FROM agreed
    INNER JOIN raw_students
        ON raw_students.student_id = agreed.student_id
        AND (
            raw_students.enrolled_on > agreed.valid_to
            OR raw_students.left_on <= agreed.counts_from
        )
    INNER JOIN units
        ON units.college_id = raw_students.college_id
        AND units.unit_id = agreed.unit_id
),
within AS (
    SELECT beside.row_id
    FROM beside
    INNER JOIN raw_students
        ON raw_students.student_id = beside.student_id
        AND raw_students.enrolled_on <= beside.valid_to
        AND (raw_students.left_on IS NULL OR raw_students.left_on > beside.counts_from)
    INNER JOIN units
        ON units.college_id = raw_students.college_id
        AND units.unit_id = beside.unit_id
)
SELECT
    'dual_agreements' AS table_name,
    row_id,
    college_id,
    'valid_from' AS column_name,
    CAST(valid_from AS VARCHAR) || ' – ' || CAST(valid_to AS VARCHAR) AS found,
    'a day on which the student is enrolled' AS expected
FROM beside
WHERE row_id NOT IN (SELECT row_id FROM within)
