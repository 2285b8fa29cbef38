-- One row per active unit and specialty: the product of its coefficients, and with calibrate that
-- product divided by its student-weighted mean over all eligible students (DESIGN §6 step 2).
-- In whole hundred-millionths, because DECIMAL / DECIMAL is a DOUBLE: halves are rounded up once.
WITH products AS (
    SELECT
        eligible_students.college_id,
        eligible_students.specialty,
        eligible_students.student_months,
        eligible_students.students,
        CAST(cost.coefficient * place.coefficient AS DECIMAL(18, 8)) AS product
    FROM eligible_students
    INNER JOIN param_coefficient AS cost
        ON cost.attribute = 'cost_group'
        AND cost.value = eligible_students.cost_group
    INNER JOIN param_coefficient AS place
        ON place.attribute = 'locality'
        AND place.value = eligible_students.locality
),
whole AS (
    SELECT
        products.*,
        CAST(CAST(product AS DECIMAL(28, 8)) * 100000000 AS HUGEINT) AS product_e8
    FROM products
),
totals AS (
    SELECT
        sum(student_months) AS student_months,
        sum(student_months * product_e8) AS weighted_e8
    FROM whole
),
calibrated AS (
    SELECT
        whole.*,
        (2 * whole.product_e8 * totals.student_months * 100000000 + totals.weighted_e8)
        // (2 * totals.weighted_e8) AS calibrated_e8
    FROM whole
    CROSS JOIN totals
)
SELECT
    calibrated.college_id,
    calibrated.specialty,
    calibrated.student_months,
    calibrated.students,
    calibrated.product,
    CASE
        WHEN param_norm.calibrate
            THEN CAST(
                CAST(calibrated.calibrated_e8 AS DECIMAL(28, 0))
                * CAST(0.00000001 AS DECIMAL(9, 8)) AS DECIMAL(18, 8)
            )
        ELSE calibrated.product
    END AS coefficient
FROM calibrated
CROSS JOIN param_norm
