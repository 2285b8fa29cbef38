-- One row per rejected row: the student rows that it holds back, and the tenge per year, times
-- twelve, that they would bring if they counted, at the norms that the round pays and with its gates
-- and leagues as they are. A student is not paid for where a cell that is known says so; of the
-- rest, one of whom all is known is paid for, any other surely nothing and at most a whole year.
-- The norm is that of the line of unit and specialty; without one, the least and the greatest that
-- the unit is paid, or that anybody is. is_below says that it is a row of an agreement or an
-- accreditation of a unit that has not the whole incentive part: what it would change at a gate is in
-- no amount. Rows with one one_of are of one person who is there more than once: one of them counts,
-- at most.
WITH norms AS (
    SELECT college_id, specialty, base_norm + incentive_norm AS norm
    FROM funding_lines
),
unit_norms AS (
    SELECT college_id, min(norm) AS least, max(norm) AS greatest
    FROM norms
    GROUP BY college_id
),
round_norms AS (
    SELECT coalesce(min(norm), 0) AS least, coalesce(max(norm), 0) AS greatest
    FROM norms
),
placed AS (
    SELECT
        held_students.*,
        coalesce(norms.norm, unit_norms.least, round_norms.least) AS least_norm,
        coalesce(norms.norm, unit_norms.greatest, round_norms.greatest) AS greatest_norm,
        -- months counted as in student_groups
        CASE
            WHEN held_students.enrolled_on IS NULL OR NOT held_students.is_leaving_known THEN NULL
            WHEN param_norm.count_basis = 'on_date' THEN 12 * CAST(
                held_students.enrolled_on <= param_round.count_on
                AND coalesce(held_students.left_on > param_round.count_on, TRUE) AS INTEGER
            )
            ELSE (
                SELECT count(*)
                FROM param_month
                WHERE
                    held_students.enrolled_on <= param_month.month
                    AND coalesce(held_students.left_on > param_month.month, TRUE)
            )
        END AS months
    FROM held_students
    CROSS JOIN param_norm
    CROSS JOIN param_round
    CROSS JOIN round_norms
    LEFT JOIN unit_norms ON unit_norms.college_id = held_students.college_id
    LEFT JOIN norms
        ON norms.college_id = held_students.college_id
        AND norms.specialty = held_students.specialty
),
judged AS (
    SELECT
        placed.*,
        -- not paid for as in group_reasons
        coalesce(placed.unit_status <> 'active', FALSE)
        OR coalesce(placed.place_status = 'closed', FALSE)
        OR (placed.funding_source IS NOT NULL AND eligible_source.value IS NULL)
        OR (placed.study_form IS NOT NULL AND eligible_form.value IS NULL)
        OR (coalesce(placed.academic_leave, FALSE) AND NOT param_norm.pays_academic_leave)
        OR coalesce(placed.months = 0, FALSE) AS is_not_paid,
        placed.college_id IS NOT NULL
        AND placed.specialty IS NOT NULL
        AND placed.funding_source IS NOT NULL
        AND placed.study_form IS NOT NULL
        AND placed.academic_leave IS NOT NULL
        AND placed.months IS NOT NULL AS is_known
    FROM placed
    CROSS JOIN param_norm
    LEFT JOIN param_eligible AS eligible_source
        ON eligible_source.attribute = 'funding_source'
        AND eligible_source.value = placed.funding_source
    LEFT JOIN param_eligible AS eligible_form
        ON eligible_form.attribute = 'study_form'
        AND eligible_form.value = placed.study_form
),
sums AS (
    SELECT
        held_by,
        held_by_row,
        count(*) AS students,
        sum(CASE WHEN is_known THEN months * least_norm ELSE 0 END) AS least_twelfths,
        sum(coalesce(months, 12) * greatest_norm) AS greatest_twelfths
    FROM judged
    WHERE NOT is_not_paid
    GROUP BY held_by, held_by_row
),
below AS (
    SELECT units.college_id
    FROM units
    INNER JOIN unit_shares ON unit_shares.college_id = units.unit_id
    WHERE unit_shares.share < 1
),
repeated AS (
    SELECT DISTINCT row_id
    FROM findings
    WHERE table_name = 'students' AND check_name IN ('counted_twice', 'repeated_key')
),
persons AS (
    SELECT
        raw_students.row_id,
        min(raw_students.row_id) OVER (PARTITION BY raw_students.student_id) AS one_of
    FROM raw_students
    INNER JOIN repeated ON repeated.row_id = raw_students.row_id
)
SELECT
    rejected_rows.table_name,
    rejected_rows.row_id,
    coalesce(persons.one_of, rejected_rows.row_id) AS one_of,
    CAST(coalesce(sums.students, 0) AS BIGINT) AS students,
    CAST(coalesce(sums.least_twelfths, 0) AS BIGINT) AS least_twelfths,
    CAST(coalesce(sums.greatest_twelfths, 0) AS BIGINT) AS greatest_twelfths,
    rejected_rows.table_name IN ('dual_agreements', 'accreditations')
    AND below.college_id IS NOT NULL AS is_below
FROM rejected_rows
LEFT JOIN sums
    ON sums.held_by = rejected_rows.table_name
    AND sums.held_by_row = rejected_rows.row_id
LEFT JOIN below ON below.college_id = rejected_rows.college_id
LEFT JOIN persons
    ON rejected_rows.table_name = 'students'
    AND persons.row_id = rejected_rows.row_id
