-- severity: error
-- message: Following parents and successors, the college comes back to itself. Correct parent_id or successor_id.
-- One row per college that is reached again by going from each college to its successor or parent.
WITH RECURSIVE next_step AS (
    SELECT
        row_id,
        college_id,
        CASE WHEN status = 'merged' THEN successor_id ELSE parent_id END AS next_id
    FROM raw_colleges
),
way AS (
    SELECT college_id, next_id, 1 AS steps
    FROM next_step
    WHERE next_id IS NOT NULL
    UNION ALL
    SELECT way.college_id, next_step.next_id, way.steps + 1
    FROM way
    INNER JOIN next_step ON next_step.college_id = way.next_id
    WHERE next_step.next_id IS NOT NULL AND way.next_id <> way.college_id AND way.steps < 20
)
SELECT
    'colleges' AS table_name,
    next_step.row_id,
    next_step.college_id,
    'parent_id' AS column_name,
    next_step.next_id AS found,
    'another college, and no circle' AS expected
FROM next_step
WHERE next_step.college_id IN (SELECT college_id FROM way WHERE next_id = way.college_id)
