-- severity: warning
-- message: {found} does not agree with the counts beside it, which give {expected}. Correct whichever of them is wrong; the points stand as they were given.
-- One row per percent of the assessment that is not what its own counts give (`assessment_shares`,
-- read off the template's labels, such as "% = 13 / 12"), by more than half a unit of the precision
-- that it is stated with, as a percent or as a share of 1 (with two places at least: 0.9 is 90 %).
-- A count written as a fraction, 1/7, counts with what stands before the stroke. A count that is
-- empty, zero below the line or stated twice gives nothing to compare with.
WITH counts AS (
    SELECT
        college_id,
        coalesce(specialty, '') AS specialty,
        indicator,
        min(split_part(value, '/', 1)) AS number,
        min(CAST(CAST(split_part(value, '/', 1) AS DECIMAL(18, 4)) * 10000 AS HUGEINT)) AS e4
    FROM raw_assessments
    WHERE
        regexp_full_match(value, '[0-9]{1,12}(\.[0-9]{1,4})?(/[0-9]{1,12})?')
        AND indicator IN (
            SELECT part FROM assessment_shares
            UNION ALL
            SELECT whole FROM assessment_shares
        )
    GROUP BY college_id, coalesce(specialty, ''), indicator
    HAVING count(*) = 1
),
stated AS (
    SELECT
        raw_assessments.row_id,
        raw_assessments.college_id,
        coalesce(raw_assessments.specialty, '') AS specialty,
        raw_assessments.indicator,
        raw_assessments.value,
        assessment_shares.part,
        assessment_shares.whole,
        CAST(CAST(raw_assessments.value AS DECIMAL(18, 6)) * 1000000 AS HUGEINT) AS e6,
        least(length(split_part(raw_assessments.value, '.', 2)), 6) AS places
    FROM raw_assessments
    INNER JOIN assessment_shares ON assessment_shares.indicator = raw_assessments.indicator
    WHERE regexp_full_match(raw_assessments.value, '[0-9]{1,6}(\.[0-9]{1,20})?')
),
compared AS (
    SELECT
        stated.row_id,
        stated.college_id,
        stated.indicator,
        stated.value,
        part.number AS part,
        whole.number AS whole,
        2 * abs(stated.e6 * whole.e4 - 100 * part.e4 * 1000000)
        * CAST(power(10, stated.places) AS HUGEINT)
            <= whole.e4 * 1000000 AS is_percent,
        2 * abs(stated.e6 * whole.e4 - part.e4 * 1000000)
        * CAST(power(10, greatest(stated.places, 2)) AS HUGEINT)
            <= whole.e4 * 1000000 AS is_share
    FROM stated
    INNER JOIN counts AS part
        ON part.college_id = stated.college_id
        AND part.specialty = stated.specialty
        AND part.indicator = stated.part
    INNER JOIN counts AS whole
        ON whole.college_id = stated.college_id
        AND whole.specialty = stated.specialty
        AND whole.indicator = stated.whole
    WHERE whole.e4 > 0
)
SELECT
    'assessments' AS table_name,
    row_id,
    college_id,
    'value' AS column_name,
    indicator || ' = ' || value AS found,
    CAST(
        CAST(round(100 * CAST(part AS DOUBLE) / CAST(whole AS DOUBLE), 2) AS DECIMAL(18, 2))
        AS VARCHAR
    ) || ' = 100 × ' || part || ' / ' || whole AS expected
FROM compared
WHERE NOT (is_percent OR is_share)
