-- severity: warning
-- message: The contingent is above the design capacity: {found}. Correct whichever is wrong; if the college is really so full, nothing has to be done.
-- One row per college whose assessment states a contingent above its own design capacity.
WITH stated AS (
    SELECT
        college_id,
        indicator,
        min(row_id) AS row_id,
        min(CAST(value AS DECIMAL(18, 4))) AS number,
        min(value) AS value
    FROM raw_assessments
    WHERE
        specialty IS NULL
        AND indicator IN ('contingent', 'design_capacity')
        AND regexp_full_match(value, '[0-9]{1,12}(\.[0-9]{1,4})?')
    GROUP BY college_id, indicator
    HAVING count(*) = 1
)
SELECT
    'assessments' AS table_name,
    contingent.row_id,
    contingent.college_id,
    'value' AS column_name,
    'contingent = ' || contingent.value || ', design_capacity = ' || capacity.value AS found,
    'at most ' || capacity.value AS expected
FROM stated AS contingent
INNER JOIN stated AS capacity
    ON capacity.college_id = contingent.college_id
    AND capacity.indicator = 'design_capacity'
WHERE contingent.indicator = 'contingent' AND contingent.number > capacity.number
