-- severity: error
-- message: {found}: more points than the maximum that the row itself states. Correct points or max_points.
-- One row per assessed indicator with more points than its stated maximum.
SELECT
    'assessments' AS table_name,
    row_id,
    college_id,
    'points' AS column_name,
    indicator || ' = ' || CAST(points AS VARCHAR) AS found,
    'at most ' || CAST(max_points AS VARCHAR) AS expected
FROM raw_assessments
WHERE points > max_points
