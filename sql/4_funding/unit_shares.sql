-- One row per active unit: the share of the incentive part that it earns (DESIGN §6 step 3).
-- threshold: 1 when it passes every gate that the rule asks for, else 0 (no gate asked for: 0). A
-- gate with a phase-in gives, where the counts decide it, a share that rises from 0 at zero_at to 1
-- at full_at; the smallest share of its gates is the unit's.
-- leagues: the share of its league; a college that is not ranked has none and earns 0.
WITH whole AS (
    SELECT
        gates.college_id,
        gates.passed,
        param_phase_in.gate IS NOT NULL
        AND (
            gates.decided_by = 'counts'
            OR (gates.decided_by = 'small_cohort' AND param_gate.on_small_cohort = 'judge')
        ) AS is_phased,
        CAST(gates.numerator * 10000 AS HUGEINT) AS numerator_e4,
        CAST(gates.denominator * 10000 AS HUGEINT) AS denominator_e4,
        CAST(param_phase_in.zero_at * 1000000 AS HUGEINT) AS zero_at_e6,
        CAST((param_phase_in.full_at - param_phase_in.zero_at) * 1000000 AS HUGEINT) AS width_e6
    FROM gates
    INNER JOIN param_rule_gate ON param_rule_gate.gate = gates.gate
    INNER JOIN param_gate ON param_gate.gate = gates.gate
    LEFT JOIN param_phase_in ON param_phase_in.gate = gates.gate
),
gate_shares AS (
    SELECT
        college_id,
        CASE
            WHEN is_phased THEN least(
                (
                    2000000 * greatest(1000000 * numerator_e4 - zero_at_e6 * denominator_e4, 0)
                    + width_e6 * denominator_e4
                ) // (2 * width_e6 * denominator_e4),
                1000000
            )
            WHEN passed THEN 1000000
            ELSE 0
        END AS share_e6
    FROM whole
),
asked AS (
    SELECT college_id, min(share_e6) AS share_e6
    FROM gate_shares
    GROUP BY college_id
)
SELECT
    unit_profile.college_id,
    CAST(
        CASE param_norm.mode
            WHEN 'threshold' THEN
                coalesce(asked.share_e6, 0) * CAST(0.000001 AS DECIMAL(7, 6))
            WHEN 'leagues' THEN coalesce(param_share.share, 0)
        END AS DECIMAL(9, 6)
    ) AS share
FROM unit_profile
CROSS JOIN param_norm
LEFT JOIN asked ON asked.college_id = unit_profile.college_id
LEFT JOIN ranking ON ranking.college_id = unit_profile.college_id
LEFT JOIN param_share ON param_share.league = ranking.league
WHERE unit_profile.status = 'active'
