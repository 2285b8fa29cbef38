-- severity: error
-- message: The student graduated here on {found} in this specialty, and the enrolment is still open on the day of the count. It does not count until left_on is filled in, or the graduate's row is corrected.
-- One row per enrolment that is open on count_on although the same person graduated by then from the
-- same college in the same specialty. An error, as for a person counted twice: the state would pay
-- on for somebody who is gone, and a college that forgets to close its enrolments must not gain by
-- it. An enrolment that began on the day of graduation or later is another course, and one with
-- another qualification than the graduate's another level: neither is meant.
WITH finished AS (
    SELECT
        raw_graduates.graduate_id,
        raw_graduates.college_id,
        raw_graduates.specialty,
        right(raw_graduates.qualification, 8) AS qualification,
        raw_graduates.graduated_on
    FROM raw_graduates
    CROSS JOIN param_round
    WHERE raw_graduates.graduated_on <= param_round.count_on
),
enrolled AS (
    SELECT
        raw_students.row_id,
        raw_students.student_id,
        raw_students.college_id,
        raw_students.specialty,
        right(raw_students.qualification, 8) AS qualification,
        raw_students.enrolled_on
    FROM raw_students
    CROSS JOIN param_round
    WHERE
        raw_students.enrolled_on <= param_round.count_on
        AND (raw_students.left_on IS NULL OR raw_students.left_on > param_round.count_on)
        -- by hash first: millions of pseudonyms as text would not fit in memory
        AND hash(raw_students.student_id) IN (SELECT hash(graduate_id) FROM finished)
)
SELECT
    'students' AS table_name,
    enrolled.row_id,
    enrolled.college_id,
    'left_on' AS column_name,
    CAST(max(finished.graduated_on) AS VARCHAR) AS found,
    'the day on which the enrolment ended' AS expected
FROM enrolled
INNER JOIN finished
    ON finished.graduate_id = enrolled.student_id
    AND finished.college_id = enrolled.college_id
    AND finished.specialty = enrolled.specialty
    AND finished.graduated_on > enrolled.enrolled_on
    AND coalesce(finished.qualification = enrolled.qualification, TRUE)
GROUP BY enrolled.row_id, enrolled.college_id
