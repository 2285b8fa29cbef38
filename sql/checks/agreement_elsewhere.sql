-- severity: warning
-- message: The student of this agreement is not enrolled in the college that signed it. The agreement counts for nobody; correct its college_id, or the student's.
-- One row per accepted agreement, in force on kpi_on or later, whose student is in the register, but
-- in other colleges only. Branch and head are one (`units`), as where agreements are counted. A
-- student with a row that could not be read may be anywhere, and is not judged.
WITH agreed AS (
    SELECT
        raw_dual_agreements.row_id,
        raw_dual_agreements.college_id,
        raw_dual_agreements.student_id,
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
-- enrolments in other colleges first: they are few
elsewhere AS (
    SELECT DISTINCT agreed.row_id, agreed.college_id, agreed.student_id, agreed.unit_id
    FROM agreed
    INNER JOIN raw_students
        ON raw_students.student_id = agreed.student_id
        AND raw_students.college_id <> agreed.college_id
),
-- in the unit itself, or in a college whose own row was rejected: nobody knows of which unit
there AS (
    SELECT elsewhere.row_id
    FROM elsewhere
    INNER JOIN raw_students ON raw_students.student_id = elsewhere.student_id
    LEFT JOIN units ON units.college_id = raw_students.college_id
    WHERE coalesce(units.unit_id = elsewhere.unit_id, TRUE)
)
SELECT
    'dual_agreements' AS table_name,
    row_id,
    college_id,
    'college_id' AS column_name,
    college_id AS found,
    'the college that the student is enrolled in' AS expected
FROM elsewhere
WHERE row_id NOT IN (SELECT row_id FROM there)
