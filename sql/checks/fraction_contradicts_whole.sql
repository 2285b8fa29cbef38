-- severity: warning
-- message: {found}: the fraction is not of the number beside it ({expected}). Correct whichever is wrong; the points stand as they were given.
-- One row per count of the assessment that is written as a fraction, such as 1/7 employed, of another
-- number than the count that it is a part of (`assessment_shares`), here the cohort.
WITH wholes AS (
    SELECT
        college_id,
        coalesce(specialty, '') AS specialty,
        indicator,
        min(value) AS value
    FROM raw_assessments
    WHERE
        regexp_full_match(value, '[0-9]{1,12}(\.[0-9]{1,4})?')
        AND indicator IN (SELECT whole FROM assessment_shares)
    GROUP BY college_id, coalesce(specialty, ''), indicator
    HAVING count(*) = 1
)
SELECT
    'assessments' AS table_name,
    raw_assessments.row_id,
    raw_assessments.college_id,
    'value' AS column_name,
    raw_assessments.indicator || ' = ' || raw_assessments.value || ', '
    || wholes.indicator || ' = ' || wholes.value AS found,
    'a fraction of ' || wholes.value AS expected
FROM raw_assessments
INNER JOIN assessment_shares ON assessment_shares.part = raw_assessments.indicator
INNER JOIN wholes
    ON wholes.college_id = raw_assessments.college_id
    AND wholes.specialty = coalesce(raw_assessments.specialty, '')
    AND wholes.indicator = assessment_shares.whole
WHERE
    regexp_full_match(raw_assessments.value, '[0-9]{1,12}/[0-9]{1,12}')
    AND CAST(split_part(raw_assessments.value, '/', 2) AS DECIMAL(18, 4))
    <> CAST(wholes.value AS DECIMAL(18, 4))
