-- One row per active unit and specialty with eligible students: norms in whole tenge per student and
-- year, amounts in whole tenge before an appropriation or a guarantee (DESIGN §6 steps 4 and 5).
-- round() of a DECIMAL is half up here; a twelfth of student_months times a norm is rounded half up.
WITH norms AS (
    SELECT
        line_coefficients.college_id,
        line_coefficients.specialty,
        line_coefficients.student_months,
        line_coefficients.students,
        line_coefficients.coefficient,
        unit_shares.share,
        round(CAST(param_norm.base AS DECIMAL(18, 0)) * line_coefficients.coefficient, 0)
            AS base_norm,
        round(CAST(param_norm."full" AS DECIMAL(18, 0)) * line_coefficients.coefficient, 0)
            AS full_norm
    FROM line_coefficients
    INNER JOIN unit_shares ON unit_shares.college_id = line_coefficients.college_id
    CROSS JOIN param_norm
),
parts AS (
    SELECT
        norms.*,
        round(CAST(full_norm - base_norm AS DECIMAL(18, 0)) * share, 0) AS incentive_norm
    FROM norms
)
SELECT
    college_id,
    specialty,
    students,
    coefficient,
    CAST(base_norm AS BIGINT) AS base_norm,
    CAST(incentive_norm AS BIGINT) AS incentive_norm,
    share,
    student_months,
    CAST((2 * CAST(student_months * base_norm AS HUGEINT) + 12) // 24 AS BIGINT) AS base_amount,
    CAST((2 * CAST(student_months * incentive_norm AS HUGEINT) + 12) // 24 AS BIGINT)
        AS entitled_incentive
FROM parts
