-- One row per unit, specialty and whatever else decides whether the state pays for a student: how
-- many students there are on count_on, and the sum of the headcounts on the first of each of the
-- twelve months of the academic year (count_basis monthly_average, DESIGN §6). A student counts on a
-- day when enrolled by then and not yet left, so in as many months as have their first day from
-- enrolled_on on and before left_on.
WITH months AS (
    SELECT
        students.unit_id,
        students.specialty,
        students.study_form,
        students.funding_source,
        students.academic_leave,
        students.college_status = 'closed' AS is_closed_place,
        CAST(
            students.enrolled_on <= param_round.count_on
            AND (students.left_on IS NULL OR students.left_on > param_round.count_on) AS INTEGER
        ) AS is_counted,
        datediff('month', param_round.year_from, students.enrolled_on)
        + CASE WHEN day(students.enrolled_on) > 1 THEN 1 ELSE 0 END AS firsts_before_enrolled,
        datediff('month', param_round.year_from, students.left_on)
        + CASE WHEN day(students.left_on) > 1 THEN 1 ELSE 0 END AS firsts_before_left
    FROM students
    CROSS JOIN param_round
    WHERE students.unit_id IS NOT NULL
),
headcounts AS (
    SELECT
        months.*,
        greatest(
            least(greatest(coalesce(firsts_before_left, 12), 0), 12)
            - least(greatest(firsts_before_enrolled, 0), 12),
            0
        ) AS months_counted
    FROM months
)
SELECT
    unit_id AS college_id,
    specialty,
    study_form,
    funding_source,
    academic_leave,
    is_closed_place,
    CAST(sum(is_counted) AS BIGINT) AS students,
    CAST(sum(months_counted) AS BIGINT) AS student_months
FROM headcounts
GROUP BY unit_id, specialty, study_form, funding_source, academic_leave, is_closed_place
HAVING sum(is_counted) + sum(months_counted) > 0
