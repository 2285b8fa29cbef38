-- One row per unit and gate: passed or not, decided by the counts compared exactly
-- (numerator >= threshold x denominator), by the small cohort's policy, or by the policy for no data.
-- Each gate is also judged with the unit's rejected rows counted all for it and all against it:
-- graduates for an outcome share, students for a register share (DESIGN §9).
-- The counts are those of the round's own year, pooled ones only where the gate says so; pooled_years
-- is of how many cohorts they are.
WITH facts AS (
    SELECT
        kpi_values.college_id,
        param_gate.gate,
        param_gate.threshold,
        param_gate.on_small_cohort,
        param_gate.on_no_data,
        param_kpi.min_denominator,
        kpi_values.status = 'not_applicable' AS is_not_applicable,
        CASE
            WHEN param_pool.is_in_gate THEN pooled_counts.numerator
            ELSE pooled_counts.own_numerator
        END AS numerator,
        CASE
            WHEN param_pool.is_in_gate THEN pooled_counts.denominator
            ELSE pooled_counts.own_denominator
        END AS denominator,
        CASE WHEN param_pool.is_in_gate THEN pooled_counts.pooled_years ELSE 1 END AS pooled_years,
        CASE param_kpi.kind
            WHEN 'outcome_share' THEN unit_profile.rejected_graduates
            WHEN 'register_share' THEN unit_profile.rejected_students
            ELSE 0
        END AS rejected
    FROM param_gate
    INNER JOIN param_kpi ON param_kpi.kpi = param_gate.kpi
    INNER JOIN kpi_values ON kpi_values.kpi = param_gate.kpi
    INNER JOIN pooled_counts
        ON pooled_counts.college_id = kpi_values.college_id
        AND pooled_counts.kpi = kpi_values.kpi
    LEFT JOIN param_pool ON param_pool.kpi = param_gate.kpi
    INNER JOIN unit_profile ON unit_profile.college_id = kpi_values.college_id
),
readings AS (
    SELECT
        facts.*,
        reading.reading,
        facts.numerator + reading.numerator_share * facts.rejected AS read_numerator,
        facts.denominator + reading.denominator_share * facts.rejected AS read_denominator
    FROM facts
    CROSS JOIN (
        VALUES ('as_counted', 0, 0), ('rejected_for', 1, 1), ('rejected_against', 0, 1)
    ) AS reading (reading, numerator_share, denominator_share)
),
decisions AS (
    SELECT
        readings.*,
        CASE
            WHEN is_not_applicable OR read_denominator = 0 THEN 'no_data'
            WHEN read_denominator < min_denominator THEN 'small_cohort'
            ELSE 'counts'
        END AS decided_by
    FROM readings
),
judged AS (
    SELECT
        decisions.*,
        CASE
            WHEN decided_by = 'no_data' THEN on_no_data = 'pass'
            WHEN decided_by = 'small_cohort' AND on_small_cohort <> 'judge'
                THEN on_small_cohort = 'pass'
            ELSE read_numerator >= threshold * read_denominator
        END AS passed
    FROM decisions
)
SELECT
    college_id,
    gate,
    numerator,
    denominator,
    threshold,
    bool_or(passed) FILTER (WHERE reading = 'as_counted') AS passed,
    max(decided_by) FILTER (WHERE reading = 'as_counted') AS decided_by,
    CASE
        WHEN denominator > 0
            THEN CAST(greatest(ceil(threshold * denominator - numerator), 0) AS BIGINT)
    END AS short_by,
    rejected,
    bool_or(passed) FILTER (WHERE reading = 'rejected_for') AS passed_rejected_for,
    bool_or(passed) FILTER (WHERE reading = 'rejected_against') AS passed_rejected_against,
    pooled_years
FROM judged
GROUP BY college_id, gate, numerator, denominator, threshold, rejected, pooled_years
