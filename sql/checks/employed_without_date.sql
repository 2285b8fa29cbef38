-- severity: error
-- message: The graduate is {found}, but since when is not stated. Fill in destination_on.
-- One row per employed or self-employed graduate without the day of employment.
SELECT
    'graduates' AS table_name,
    row_id,
    college_id,
    'destination_on' AS column_name,
    destination AS found,
    'a day, because the destination is employment' AS expected
FROM raw_graduates
WHERE destination IN ('employed', 'self_employed') AND destination_on IS NULL
