-- severity: warning
-- message: {found}: a part cannot be more than its whole ({expected}). Correct whichever is wrong; the points stand as they were given.
-- One row per count of the assessment that is more than the count that it is a part of, such as
-- employed of the cohort, and per percent without counts beside it that is above 100. Which parts lie
-- within their whole is stated in `assessment_shares`: readers of a library may be more than students.
WITH numbers AS (
    SELECT
        row_id,
        college_id,
        coalesce(specialty, '') AS specialty,
        indicator,
        value,
        CAST(split_part(value, '/', 1) AS DECIMAL(18, 4)) AS number
    FROM raw_assessments
    WHERE regexp_full_match(value, '[0-9]{1,12}(\.[0-9]{1,4})?(/[0-9]{1,12})?')
),
wholes AS (
    SELECT college_id, specialty, indicator, min(number) AS number, min(value) AS value
    FROM numbers
    GROUP BY college_id, specialty, indicator
    HAVING count(*) = 1
),
above AS (
    SELECT
        numbers.row_id,
        numbers.college_id,
        numbers.indicator || ' = ' || numbers.value || ', '
        || wholes.indicator || ' = ' || wholes.value AS found,
        wholes.value AS most
    FROM numbers
    INNER JOIN assessment_shares
        ON assessment_shares.part = numbers.indicator
        AND assessment_shares.is_within = 'true'
    INNER JOIN wholes
        ON wholes.college_id = numbers.college_id
        AND wholes.specialty = numbers.specialty
        AND wholes.indicator = assessment_shares.whole
    WHERE numbers.number > wholes.number
    UNION ALL
    SELECT
        numbers.row_id,
        numbers.college_id,
        numbers.indicator || ' = ' || numbers.value AS found,
        '100' AS most
    FROM numbers
    INNER JOIN assessment_shares
        ON assessment_shares.indicator = numbers.indicator
        AND assessment_shares.part IS NULL
    WHERE numbers.number > 100
)
SELECT
    'assessments' AS table_name,
    row_id,
    college_id,
    'value' AS column_name,
    found,
    'at most ' || most AS expected
FROM above
