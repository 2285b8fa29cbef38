-- severity: error
-- message: The college is merged, but its {column} is empty. State into which college it merged, and on which day.
-- One row per merged college without a successor or without the day of the merger.
SELECT
    'colleges' AS table_name,
    row_id,
    college_id,
    CASE WHEN successor_id IS NULL THEN 'successor_id' ELSE 'merged_on' END AS column_name,
    '' AS found,
    'a value, because status is merged' AS expected
FROM raw_colleges
WHERE status = 'merged' AND (successor_id IS NULL OR merged_on IS NULL)
