-- severity: warning
-- message: Whether the college passes this gate depends on {found} rejected rows: left out, counted all for it and counted all against it, they do not give the same result. Correct those rows before the round is published.
-- One row per unit and gate whose result is not the same with the rejected rows left out, counted
-- for it and counted against it. Left out it can be the odd one: a cohort too small to be judged.
SELECT
    'gates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    gate AS column_name,
    CAST(rejected AS VARCHAR) AS found,
    'the same result with and without the rejected rows' AS expected
FROM gates
WHERE NOT (passed = passed_rejected_for AND passed = passed_rejected_against)
