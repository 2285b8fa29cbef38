-- One row per student row that was read and counts for nobody, with the rejected row that holds it
-- back (held_by, held_by_row): itself, or the row of its college, or of that college's parent or
-- successor. What does not fit its column or names nothing that is known is empty, and so is all of
-- a row of the wrong length. Of several rejected rows of one college the first holds its students.
WITH faulty AS (
    SELECT
        row_id,
        bool_or(column_name IN ('', 'specialty')) AS has_no_specialty,
        bool_or(column_name IN ('', 'study_form')) AS has_no_study_form,
        bool_or(column_name IN ('', 'funding_source')) AS has_no_funding_source,
        bool_or(column_name IN ('', 'academic_leave')) AS has_no_academic_leave,
        bool_or(column_name IN ('', 'enrolled_on')) AS has_no_enrolled_on,
        bool_or(column_name IN ('', 'left_on')) AS has_no_left_on
    FROM cell_findings
    WHERE table_name = 'students'
    GROUP BY row_id
),
unread AS (
    SELECT
        unreadable.row_id,
        unreadable.college_id,
        CASE WHEN NOT has_no_specialty THEN cells ->> 'specialty' END AS specialty,
        CASE WHEN NOT has_no_study_form THEN cells ->> 'study_form' END AS study_form,
        CASE WHEN NOT has_no_funding_source THEN cells ->> 'funding_source' END AS funding_source,
        CASE WHEN NOT has_no_academic_leave THEN (cells ->> 'academic_leave') = 'true' END
            AS academic_leave,
        CASE WHEN NOT has_no_enrolled_on THEN TRY_CAST(cells ->> 'enrolled_on' AS DATE) END
            AS enrolled_on,
        CASE WHEN NOT has_no_left_on THEN TRY_CAST(cells ->> 'left_on' AS DATE) END AS left_on,
        coalesce(NOT has_no_left_on, FALSE) AS is_leaving_known
    FROM unreadable
    LEFT JOIN faulty ON faulty.row_id = unreadable.row_id
    WHERE unreadable.table_name = 'students'
),
read AS (
    SELECT
        row_id,
        college_id,
        specialty,
        study_form,
        funding_source,
        academic_leave,
        enrolled_on,
        left_on,
        TRUE AS is_leaving_known
    FROM raw_students
),
rejected_colleges AS (
    SELECT college_id, min(row_id) AS row_id
    FROM rejected_rows
    WHERE table_name = 'colleges'
    GROUP BY college_id
),
held AS (
    SELECT 'students' AS held_by, read.row_id AS held_by_row, read.*
    FROM read
    WHERE read.row_id IN (SELECT row_id FROM rejected_rows WHERE table_name = 'students')
    UNION ALL
    SELECT 'students' AS held_by, unread.row_id AS held_by_row, unread.*
    FROM unread
    UNION ALL
    SELECT 'colleges' AS held_by, rejected_colleges.row_id AS held_by_row, read.*
    FROM read
    LEFT JOIN units ON units.college_id = read.college_id
    INNER JOIN rejected_colleges
        ON rejected_colleges.college_id = coalesce(units.unit_id, read.college_id)
    WHERE read.row_id NOT IN (SELECT row_id FROM rejected_rows WHERE table_name = 'students')
)
SELECT
    held.held_by,
    held.held_by_row,
    held.row_id,
    colleges.college_id,
    colleges.status AS unit_status,
    units.status AS place_status,
    specialties.specialty,
    CAST(held.study_form AS VARCHAR) AS study_form,
    CAST(held.funding_source AS VARCHAR) AS funding_source,
    held.academic_leave,
    held.enrolled_on,
    held.left_on,
    held.is_leaving_known
FROM held
LEFT JOIN units ON units.college_id = held.college_id
LEFT JOIN colleges ON colleges.college_id = units.unit_id
LEFT JOIN specialties ON specialties.specialty = held.specialty
