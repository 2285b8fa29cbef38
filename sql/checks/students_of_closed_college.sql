-- severity: warning
-- message: {found} students are enrolled on the day of the count in a college that is closed; nobody is paid for them. Correct the college's status, or the students' left_on.
-- One row per closed college with students counted on count_on.
SELECT
    'colleges' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    students.college_id,
    'status' AS column_name,
    CAST(count(*) AS VARCHAR) AS found,
    'no students in a closed college' AS expected
FROM students
CROSS JOIN param_round
WHERE
    students.college_status = 'closed'
    AND students.enrolled_on <= param_round.count_on
    AND (students.left_on IS NULL OR students.left_on > param_round.count_on)
GROUP BY students.college_id
