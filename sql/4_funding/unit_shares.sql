-- One row per active unit: the share of the incentive part that it earns (DESIGN §6 step 3).
-- threshold: 1 when it passes every gate that the rule asks for, else 0 (no gate asked for: 0).
-- leagues: the share of its league; a college that is not ranked has none and earns 0.
WITH asked AS (
    SELECT gates.college_id, bool_and(gates.passed) AS passed_all
    FROM gates
    INNER JOIN param_rule_gate ON param_rule_gate.gate = gates.gate
    GROUP BY gates.college_id
)
SELECT
    unit_profile.college_id,
    CAST(
        CASE param_norm.mode
            WHEN 'threshold' THEN CASE WHEN asked.passed_all THEN 1 ELSE 0 END
            WHEN 'leagues' THEN coalesce(param_share.share, 0)
        END AS DECIMAL(9, 6)
    ) AS share
FROM unit_profile
CROSS JOIN param_norm
LEFT JOIN asked ON asked.college_id = unit_profile.college_id
LEFT JOIN ranking ON ranking.college_id = unit_profile.college_id
LEFT JOIN param_share ON param_share.league = ranking.league
WHERE unit_profile.status = 'active'
