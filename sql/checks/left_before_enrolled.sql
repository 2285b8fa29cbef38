-- severity: error
-- message: The student left on {found}, before being enrolled. Correct enrolled_on or left_on.
-- One row per student who left before being enrolled.
SELECT
    'students' AS table_name,
    row_id,
    college_id,
    'left_on' AS column_name,
    CAST(left_on AS VARCHAR) AS found,
    'a day not before ' || CAST(enrolled_on AS VARCHAR) AS expected
FROM raw_students
WHERE left_on < enrolled_on
