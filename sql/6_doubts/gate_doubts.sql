-- One row per active unit, gate that its money hangs on, and kind of record in doubt that could move
-- the gate: how many records there are, and how few of them, turning out otherwise, reverse the gate;
-- needed is empty where all of them do not. `together`: records of any kind.
-- A failed gate is tried with what speaks for the unit, a passed one with what speaks against it. Of
-- the truths that a record may turn out to be, and of the records, those are taken first that move
-- numerator - threshold x denominator the most; after each the gate is judged as in gates.sql. A
-- rejected row (graduates for an outcome share, students for a register share) counts 1 of 1 for the
-- unit, or 0 of 1 against it.
WITH asked AS (
    SELECT
        gates.college_id,
        gates.gate,
        gates.numerator,
        gates.denominator,
        gates.threshold,
        gates.passed,
        gates.rejected,
        CASE WHEN gates.passed THEN -1 ELSE 1 END AS way,
        param_gate.kpi,
        param_gate.on_small_cohort,
        param_gate.on_no_data,
        param_kpi.min_denominator
    FROM gates
    INNER JOIN unit_shares ON unit_shares.college_id = gates.college_id
    INNER JOIN param_decision_gate ON param_decision_gate.gate = gates.gate
    INNER JOIN param_gate ON param_gate.gate = gates.gate
    INNER JOIN param_kpi ON param_kpi.kpi = param_gate.kpi
    INNER JOIN kpi_values
        ON kpi_values.college_id = gates.college_id
        AND kpi_values.kpi = param_gate.kpi
    WHERE kpi_values.status <> 'not_applicable'
),
moves AS (
    SELECT
        asked.college_id,
        asked.gate,
        doubt_moves.doubt,
        cohort_cells.graduates AS records,
        doubt_moves.numerator_move,
        doubt_moves.denominator_move,
        asked.way
        * (doubt_moves.numerator_move - asked.threshold * doubt_moves.denominator_move) AS pull,
        row_number() OVER (
            PARTITION BY asked.college_id, asked.gate, cohort_cells
            ORDER BY
                asked.way * (
                    doubt_moves.numerator_move - asked.threshold * doubt_moves.denominator_move
                ) DESC,
                doubt_moves.denominator_move,
                doubt_moves.numerator_move
        ) AS place
    FROM asked
    INNER JOIN doubt_moves ON doubt_moves.kpi = asked.kpi
    INNER JOIN cohort_cells
        ON cohort_cells.college_id = asked.college_id
        AND cohort_cells.dual = doubt_moves.dual
        AND cohort_cells.claims_work = doubt_moves.claims_work
        AND cohort_cells.is_employed = doubt_moves.is_employed
        AND cohort_cells.is_excluded = doubt_moves.is_excluded
        AND cohort_cells.is_studying = doubt_moves.is_studying
        AND cohort_cells.declared_employed = doubt_moves.declared_employed
        AND cohort_cells.declared_excluded = doubt_moves.declared_excluded
        AND cohort_cells.is_unknown = doubt_moves.is_unknown
        AND cohort_cells.is_in_specialty = doubt_moves.is_in_specialty
        AND cohort_cells.is_certified = doubt_moves.is_certified
),
single AS (
    SELECT college_id, gate, doubt, records, numerator_move, denominator_move, pull
    FROM moves
    WHERE place = 1 AND pull > 0
    UNION ALL
    SELECT
        college_id,
        gate,
        'rejected' AS doubt,
        rejected AS records,
        CASE WHEN passed THEN 0 ELSE 1 END AS numerator_move,
        1 AS denominator_move,
        CASE WHEN passed THEN threshold ELSE 1 - threshold END AS pull
    FROM asked
    WHERE rejected > 0 AND threshold <> CASE WHEN passed THEN 0 ELSE 1 END
),
of_kind AS (
    SELECT college_id, gate, doubt, records, numerator_move, denominator_move, pull
    FROM single
    UNION ALL
    SELECT
        college_id, gate, 'together' AS doubt, records, numerator_move, denominator_move, pull
    FROM single
),
grouped AS (
    SELECT
        college_id,
        gate,
        doubt,
        numerator_move,
        denominator_move,
        pull,
        CAST(sum(records) AS BIGINT) AS records
    FROM of_kind
    GROUP BY college_id, gate, doubt, numerator_move, denominator_move, pull
),
one_by_one AS (
    SELECT
        college_id,
        gate,
        doubt,
        numerator_move,
        denominator_move,
        pull,
        unnest(range(1, records + 1)) AS record
    FROM grouped
),
turned AS (
    SELECT
        college_id,
        gate,
        doubt,
        row_number() OVER so_far AS turned,
        sum(numerator_move) OVER so_far AS numerator_move,
        sum(denominator_move) OVER so_far AS denominator_move
    FROM one_by_one
    WINDOW so_far AS (
        PARTITION BY college_id, gate, doubt
        ORDER BY pull DESC, denominator_move, numerator_move, record
        ROWS UNBOUNDED PRECEDING
    )
),
counts AS (
    SELECT
        asked.*,
        turned.doubt,
        turned.turned,
        asked.numerator + turned.numerator_move AS new_numerator,
        asked.denominator + turned.denominator_move AS new_denominator
    FROM asked
    INNER JOIN turned
        ON turned.college_id = asked.college_id
        AND turned.gate = asked.gate
),
judged AS (
    SELECT
        college_id,
        gate,
        doubt,
        turned,
        passed,
        CASE
            WHEN new_denominator = 0 THEN on_no_data = 'pass'
            WHEN new_denominator < min_denominator AND on_small_cohort <> 'judge'
                THEN on_small_cohort = 'pass'
            ELSE new_numerator >= threshold * new_denominator
        END AS new_passed
    FROM counts
),
fewest AS (
    SELECT college_id, gate, doubt, min(turned) AS needed
    FROM judged
    WHERE new_passed <> passed
    GROUP BY college_id, gate, doubt
),
totals AS (
    SELECT college_id, gate, doubt, CAST(sum(records) AS BIGINT) AS records
    FROM grouped
    GROUP BY college_id, gate, doubt
)
SELECT
    totals.college_id,
    totals.gate,
    totals.doubt,
    asked.passed,
    totals.records,
    fewest.needed
FROM totals
INNER JOIN asked
    ON asked.college_id = totals.college_id
    AND asked.gate = totals.gate
LEFT JOIN fewest
    ON fewest.college_id = totals.college_id
    AND fewest.gate = totals.gate
    AND fewest.doubt = totals.doubt
