-- severity: error
-- message: The assessment of the college names the specialty {found} more than once. None of its rows counts until only one is left.
-- One row per row of the assessment that gives an indicator of a specialty which another row of the
-- college gives too: in the template, a specialty with two rows. Of college rows see repeated_key.
WITH repeated AS (
    SELECT college_id, specialty, indicator
    FROM raw_assessments
    WHERE specialty IS NOT NULL
    GROUP BY college_id, specialty, indicator
    HAVING count(*) > 1
)
SELECT
    'assessments' AS table_name,
    raw_assessments.row_id,
    raw_assessments.college_id,
    'specialty' AS column_name,
    raw_assessments.specialty AS found,
    'one row per specialty of a college' AS expected
FROM raw_assessments
INNER JOIN repeated
    ON repeated.college_id = raw_assessments.college_id
    AND repeated.specialty = raw_assessments.specialty
    AND repeated.indicator = raw_assessments.indicator
