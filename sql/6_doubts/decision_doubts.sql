-- One row per active unit that gates decide about: whether it passes all that its money hangs on,
-- the fewest records in doubt that would reverse that, of which kind and at which gate, and the
-- tenge per year that hang on them.
-- A unit that passes falls by any one gate: the least over the gates. One that fails must pass every
-- failed gate: their sum, an upper bound where one graduate counts at two of them (gates_failed > 1).
-- doubt: the kind that reverses it alone with the fewest; together where no kind alone does so with as
-- few. The columns named after a kind: how many records of that kind alone; empty: they cannot.
-- tenge_at_risk: its own incentive, now less with the share that it would have then (before an
-- appropriation and a guarantee), without its sign.
WITH passing AS (
    SELECT
        gates.college_id,
        bool_and(gates.passed) AS passes,
        count(*) FILTER (WHERE NOT gates.passed) AS gates_failed
    FROM gates
    INNER JOIN unit_shares ON unit_shares.college_id = gates.college_id
    INNER JOIN param_decision_gate ON param_decision_gate.gate = gates.gate
    GROUP BY gates.college_id
),
at_gates AS (
    SELECT
        passing.college_id,
        greatest(passing.gates_failed, 1) AS gates_to_reverse,
        CASE WHEN passing.gates_failed < 2 THEN gate_doubts.gate END AS gate,
        gate_doubts.doubt,
        gate_doubts.records,
        gate_doubts.needed
    FROM passing
    INNER JOIN gate_doubts
        ON gate_doubts.college_id = passing.college_id
        AND gate_doubts.passed = passing.passes
),
ways AS (
    SELECT
        college_id,
        gate,
        doubt,
        CAST(sum(needed) AS BIGINT) AS needed,
        CAST(sum(records) AS BIGINT) AS records
    FROM at_gates
    GROUP BY college_id, gate, doubt, gates_to_reverse
    HAVING count(needed) = gates_to_reverse
),
placed AS (
    SELECT
        ways.*,
        row_number() OVER (
            PARTITION BY college_id
            ORDER BY needed, CASE WHEN doubt = 'together' THEN 1 ELSE 0 END, records, doubt, gate
        ) AS place
    FROM ways
),
kinds AS (
    SELECT
        college_id,
        min(needed) FILTER (WHERE doubt = 'declared_work') AS declared_work,
        min(needed) FILTER (WHERE doubt = 'declared_exclusion') AS declared_exclusion,
        min(needed) FILTER (WHERE doubt = 'unknown') AS unknown,
        min(needed) FILTER (WHERE doubt = 'excluded') AS excluded,
        min(needed) FILTER (WHERE doubt = 'rejected') AS rejected,
        min(needed) FILTER (WHERE doubt = 'together') AS together
    FROM placed
    GROUP BY college_id
),
lines AS (
    SELECT
        entitled_lines.college_id,
        entitled_lines.student_months,
        entitled_lines.entitled_incentive,
        round(
            CAST(
                round(
                    CAST(param_norm."full" AS DECIMAL(18, 0)) * entitled_lines.coefficient, 0
                ) - entitled_lines.base_norm AS DECIMAL(18, 0)
            ) * reversed_shares.share,
            0
        ) AS incentive_norm
    FROM entitled_lines
    INNER JOIN reversed_shares ON reversed_shares.college_id = entitled_lines.college_id
    CROSS JOIN param_norm
),
money AS (
    SELECT
        college_id,
        CAST(
            abs(
                sum(
                    (2 * CAST(student_months * incentive_norm AS HUGEINT) + 12) // 24
                    - entitled_incentive
                )
            ) AS BIGINT
        ) AS tenge
    FROM lines
    GROUP BY college_id
)
SELECT
    passing.college_id,
    passing.passes,
    passing.gates_failed,
    placed.needed AS fewest,
    placed.doubt,
    placed.gate,
    placed.records,
    coalesce(money.tenge, 0) AS tenge_at_risk,
    CASE WHEN placed.needed > 0 THEN coalesce(money.tenge, 0) // placed.needed END
        AS tenge_per_record,
    kinds.declared_work,
    kinds.declared_exclusion,
    kinds.unknown,
    kinds.excluded,
    kinds.rejected,
    kinds.together
FROM passing
LEFT JOIN placed ON placed.college_id = passing.college_id AND placed.place = 1
LEFT JOIN kinds ON kinds.college_id = passing.college_id
LEFT JOIN money ON money.college_id = passing.college_id
