-- One row per active unit that the previous published round paid: the least that its year must come
-- to (DESIGN §6 step 7): the stated part of the previous amount (total), or of the previous amount
-- per student times the students of this round (per_student); whole tenge, half up. What a merged
-- college was paid counts for the unit that its rows count for now. No row where the rule
-- guarantees nothing.
WITH previous AS (
    SELECT
        colleges.unit_id AS college_id,
        CAST(sum(previous_funding.student_months) AS HUGEINT) AS student_months,
        CAST(sum(previous_funding.amount) AS HUGEINT) AS amount
    FROM previous_funding
    INNER JOIN colleges ON colleges.college_id = previous_funding.college_id
    GROUP BY colleges.unit_id
),
paid AS (
    SELECT
        unit_shares.college_id,
        CAST(coalesce(sum(eligible_students.student_months), 0) AS HUGEINT) AS student_months
    FROM unit_shares
    LEFT JOIN eligible_students ON eligible_students.college_id = unit_shares.college_id
    GROUP BY unit_shares.college_id
),
parts AS (
    SELECT
        paid.college_id,
        previous.student_months AS previous_student_months,
        previous.amount AS previous_amount,
        previous.amount * CAST(param_guarantee.floor * 1000000 AS HUGEINT) * CASE
            WHEN param_guarantee.basis = 'per_student' THEN paid.student_months
            ELSE 1
        END AS dividend,
        1000000 * CASE
            WHEN param_guarantee.basis = 'per_student' THEN previous.student_months
            ELSE 1
        END AS divisor
    FROM paid
    INNER JOIN previous ON previous.college_id = paid.college_id
    CROSS JOIN param_guarantee
)
SELECT
    college_id,
    CAST(previous_student_months AS BIGINT) AS previous_student_months,
    CAST(previous_amount AS BIGINT) AS previous_amount,
    CAST((2 * dividend + divisor) // (2 * divisor) AS BIGINT) AS floor_amount
FROM parts
WHERE divisor > 0
