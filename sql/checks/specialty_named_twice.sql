-- severity: error
-- message: The assessment of the college names the specialty {found} more than once. None of its rows counts until only one is left.
-- One row per row of a specialty of a college for which the assessment has the same indicator twice:
-- in the template, a specialty with two rows. Which of its values belong together is not known, so
-- all of them are meant. Of indicators of the college itself see repeated_key.
WITH indicators AS (
    SELECT college_id, specialty, count(*) AS times
    FROM raw_assessments
    WHERE specialty IS NOT NULL
    GROUP BY college_id, specialty, indicator
),
repeated AS (
    SELECT DISTINCT college_id, specialty
    FROM indicators
    WHERE times > 1
)
SELECT
    'assessments' AS table_name,
    raw_assessments.row_id,
    raw_assessments.college_id,
    'specialty' AS column_name,
    raw_assessments.specialty AS found,
    'one row per college_id, specialty' AS expected
FROM raw_assessments
INNER JOIN repeated
    ON repeated.college_id = raw_assessments.college_id
    AND repeated.specialty = raw_assessments.specialty
