-- severity: error
-- message: The same person is counted more than once on {found}. Neither row counts until one of them is corrected.
-- One row per enrolment that counts on count_on or kpi_on together with another enrolment of the
-- same person, in another college or in the same one. A transfer whose dates meet is none.
WITH days AS (
    SELECT count_on AS day FROM param_round
    UNION
    SELECT kpi_on AS day FROM param_round
),
suspects AS MATERIALIZED (
    -- by hash first: millions of pseudonyms as text would not fit in memory
    SELECT hash(student_id) AS person_hash
    FROM raw_students
    GROUP BY person_hash
    HAVING count(*) > 1
),
several AS (
    SELECT row_id, college_id, student_id, enrolled_on, left_on
    FROM raw_students
    WHERE hash(student_id) IN (SELECT person_hash FROM suspects)
),
counted AS (
    SELECT days.day, several.row_id, several.college_id, several.student_id
    FROM several
    INNER JOIN days
        ON several.enrolled_on <= days.day
        AND (several.left_on IS NULL OR several.left_on > days.day)
),
repeated AS (
    SELECT day, student_id
    FROM counted
    GROUP BY day, student_id
    HAVING count(*) > 1
)
SELECT
    'students' AS table_name,
    counted.row_id,
    counted.college_id,
    'student_id' AS column_name,
    CAST(min(counted.day) AS VARCHAR) AS found,
    'one enrolment of a person on one day' AS expected
FROM counted
INNER JOIN repeated
    ON repeated.day = counted.day
    AND repeated.student_id = counted.student_id
GROUP BY counted.row_id, counted.college_id
