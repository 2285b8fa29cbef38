-- severity: warning
-- message: Whether the college passes this gate depends on {found} rejected rows: counted all for it, it passes; counted all against it, it does not. Correct those rows before the round is published.
-- One row per unit and gate whose result differs between the rejected rows counted for and against.
SELECT
    'gates' AS table_name,
    CAST(NULL AS BIGINT) AS row_id,
    college_id,
    gate AS column_name,
    CAST(rejected AS VARCHAR) AS found,
    'the same result with and without the rejected rows' AS expected
FROM gates
WHERE passed_rejected_for <> passed_rejected_against
