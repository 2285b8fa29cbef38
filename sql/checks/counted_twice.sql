-- severity: error
-- message: The same person is counted more than once on {found}. Neither row counts until one of them is corrected.
-- One row per enrolment that counts on count_on or kpi_on together with another enrolment of the
-- same person, in another college or in the same one. A transfer whose dates meet is none.
WITH suspects AS MATERIALIZED (
    -- by hash first: millions of pseudonyms as text would not fit in memory
    SELECT hash(student_id) AS person_hash
    FROM raw_students
    CROSS JOIN param_round
    WHERE enrolled_on <= greatest(count_on, kpi_on)
    GROUP BY person_hash
    HAVING
        count(*) FILTER (WHERE enrolled_on <= count_on AND coalesce(left_on > count_on, TRUE)) > 1
        OR count(*) FILTER (WHERE enrolled_on <= kpi_on AND coalesce(left_on > kpi_on, TRUE)) > 1
),
days AS (
    SELECT count_on AS day FROM param_round
    UNION
    SELECT kpi_on AS day FROM param_round
),
counted AS (
    SELECT days.day, enrolments.row_id, enrolments.college_id, enrolments.student_id
    FROM raw_students AS enrolments
    INNER JOIN days
        ON enrolments.enrolled_on <= days.day
        AND (enrolments.left_on IS NULL OR enrolments.left_on > days.day)
    WHERE hash(enrolments.student_id) IN (SELECT person_hash FROM suspects)
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
