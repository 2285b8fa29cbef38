-- One row per accepted college: the unit that its rows count for (DESIGN §4 "Unit").
-- A merged college counts for its successor from merged_on; with unit legal_entity a branch counts
-- for its parent. A college that is its own unit_id is what is ranked and paid.
WITH RECURSIVE accepted AS (
    SELECT college_id, parent_id, status, successor_id, merged_on
    FROM raw_colleges
    WHERE row_id NOT IN (SELECT row_id FROM rejected_rows WHERE table_name = 'colleges')
),
status_on AS (
    SELECT
        college_id,
        parent_id,
        successor_id,
        CASE
            WHEN status = 'merged' AND merged_on > count_on THEN 'active'
            ELSE status
        END AS status
    FROM accepted
    CROSS JOIN param_round
),
next_step AS (
    SELECT
        college_id,
        CASE
            WHEN status = 'merged' THEN successor_id
            WHEN unit = 'legal_entity' THEN parent_id
        END AS next_id
    FROM status_on
    CROSS JOIN param_round
),
way AS (
    SELECT college_id, college_id AS unit_id, 0 AS steps
    FROM status_on
    UNION ALL
    SELECT way.college_id, next_step.next_id, way.steps + 1
    FROM way
    INNER JOIN next_step ON next_step.college_id = way.unit_id
    WHERE next_step.next_id IS NOT NULL AND way.steps < 20
)
SELECT
    status_on.college_id,
    arg_max(way.unit_id, way.steps) AS unit_id,
    status_on.status
FROM status_on
INNER JOIN way ON way.college_id = status_on.college_id
GROUP BY status_on.college_id, status_on.status
