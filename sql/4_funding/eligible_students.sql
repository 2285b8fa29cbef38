-- One row per active unit and specialty: the students that the state pays for (DESIGN §6 step 1).
-- student_months is twelve times the headcount on count_on, or the sum of the twelve monthly
-- headcounts (count_basis); students is a twelfth of it, to four
-- places (never on a half). Money is computed from student_months. A specialty that the reference
-- does not have (an old code: see old_specialty) is in the cost group with the lowest coefficient of
-- the rule: its students are paid for, and nobody gains by a code that says less.
WITH paid AS (
    SELECT
        college_id,
        specialty,
        CAST(sum(student_months) AS BIGINT) AS student_months
    FROM group_reasons
    WHERE not_paid_reason IS NULL
    GROUP BY college_id, specialty
    HAVING sum(student_months) > 0
),
lowest AS (
    SELECT min_by(value, (coefficient, value)) AS cost_group
    FROM param_coefficient
    WHERE attribute = 'cost_group'
)
SELECT
    paid.college_id,
    paid.specialty,
    coalesce(specialties.cost_group, lowest.cost_group) AS cost_group,
    colleges.locality,
    paid.student_months,
    CAST(paid.student_months / 12 AS DECIMAL(18, 4)) AS students
FROM paid
INNER JOIN colleges ON colleges.college_id = paid.college_id
CROSS JOIN lowest
LEFT JOIN specialties ON specialties.specialty = paid.specialty
