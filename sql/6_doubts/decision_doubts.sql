-- One row per active unit and kind of record in doubt that reverses the decision about its money:
-- whether it passes all the gates that its money hangs on, how few records of that kind would
-- reverse that (needed) of how many, at which gate, and the tenge per year that hang on it. A unit
-- whose decision no record in doubt reverses has no row.
-- A unit that passes falls by any one gate: the least over the gates. One that fails must pass every
-- failed gate: their sum, an upper bound where one graduate counts at two of them (gates_failed > 1;
-- gate is empty then).
-- place: 1 for the kind that does so with the fewest records; `together` (of any kind) after a kind
-- that does so alone with as few.
-- tenge_at_risk: the unit's own incentive now less what it would have by the other decision, without
-- the sign, before an appropriation and a guarantee.
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
nearest AS (
    SELECT
        ways.*,
        row_number() OVER (
            PARTITION BY college_id, doubt ORDER BY needed, records, gate
        ) AS place_of_gate
    FROM ways
),
placed AS (
    SELECT
        nearest.*,
        row_number() OVER (
            PARTITION BY college_id
            ORDER BY needed, CASE WHEN doubt = 'together' THEN 1 ELSE 0 END, records, doubt
        ) AS place
    FROM nearest
    WHERE place_of_gate = 1
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
    placed.college_id,
    placed.doubt,
    placed.place,
    passing.passes,
    passing.gates_failed,
    placed.gate,
    placed.needed,
    placed.records,
    coalesce(money.tenge, 0) AS tenge_at_risk,
    coalesce(money.tenge, 0) // placed.needed AS tenge_per_record
FROM placed
INNER JOIN passing ON passing.college_id = placed.college_id
LEFT JOIN money ON money.college_id = placed.college_id
