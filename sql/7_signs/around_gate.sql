-- One row per gate of people and unit whose counts decide it: the counts, and the least numerator
-- that passes (numerator >= threshold x denominator, compared exactly).
SELECT
    gates.gate,
    gates.college_id,
    CAST(gates.numerator AS BIGINT) AS numerator,
    CAST(gates.denominator AS BIGINT) AS denominator,
    CAST(ceil(gates.threshold * gates.denominator) AS BIGINT) AS least
FROM gates
INNER JOIN param_gate ON param_gate.gate = gates.gate
INNER JOIN param_kpi ON param_kpi.kpi = param_gate.kpi
WHERE
    param_kpi.kind IN ('outcome_share', 'register_share')
    AND gates.decided_by = 'counts'
