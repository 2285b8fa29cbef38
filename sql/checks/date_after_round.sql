-- severity: warning
-- message: {column} is {found}, after all days that this round counts. The row does not count in it: correct the day, or leave the row to the next round.
-- One row per student who enrols after the academic year has ended (enrolled after count_on but
-- within the year is nothing wrong: monthly headcounts count it), and per graduate of a day after
-- observed_on, of which nothing can be known yet. Days that cannot be meant are left to absurd_date.
WITH bounds AS (
    SELECT
        CAST(year_from + INTERVAL 1 YEAR - INTERVAL 1 DAY AS DATE) AS year_to,
        greatest(observed_on, cohort_to) AS observed_to,
        CAST(count_on + INTERVAL 40 YEAR AS DATE) AS last_day
    FROM param_round
),
dated AS (
    SELECT
        'students' AS table_name,
        raw_students.row_id,
        raw_students.college_id,
        'enrolled_on' AS column_name,
        raw_students.enrolled_on AS day,
        bounds.year_to AS latest
    FROM raw_students
    CROSS JOIN bounds
    WHERE raw_students.enrolled_on > bounds.year_to
    UNION ALL
    SELECT
        'graduates' AS table_name,
        raw_graduates.row_id,
        raw_graduates.college_id,
        'graduated_on' AS column_name,
        raw_graduates.graduated_on AS day,
        bounds.observed_to AS latest
    FROM raw_graduates
    CROSS JOIN bounds
    WHERE raw_graduates.graduated_on > bounds.observed_to
)
SELECT
    dated.table_name,
    dated.row_id,
    dated.college_id,
    dated.column_name,
    CAST(dated.day AS VARCHAR) AS found,
    'a day not after ' || CAST(dated.latest AS VARCHAR) AS expected
FROM dated
CROSS JOIN bounds
WHERE dated.day <= bounds.last_day
