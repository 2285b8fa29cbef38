-- One row per unit with peers and KPI of which more is better, or less (`direction`): its value beside
-- those of its peers that count (status ok). Median and quartiles are interpolated between the sorted
-- values, at places (n - 1) / 4, (n - 1) / 2 and 3 (n - 1) / 4 from the lowest. `place` is among the
-- unit and those peers, equal values sharing it. `verdict`: a strength is better than the peers' better
-- quartile, a weakness worse than their worse one; neither otherwise. It takes five peers and a value
-- of the unit that counts; of an outcome share also that the unit's 95 % interval leaves out the rate
-- of all the peers' graduates together (`pooled`): what chance alone could do is neither.
WITH compared AS (
    SELECT
        kpi_values.college_id,
        kpi_values.kpi,
        kpi_values.kind,
        param_kpi.direction,
        kpi_values.value,
        kpi_values.low,
        kpi_values.high,
        kpi_values.status = 'ok' AS counts
    FROM kpi_values
    INNER JOIN param_kpi ON param_kpi.kpi = kpi_values.kpi
    WHERE param_kpi.direction IS NOT NULL
),
of_peers AS (
    SELECT
        peers.college_id,
        kpi_values.kpi,
        count(*) AS peers,
        quantile_cont(kpi_values.value, 0.25) AS peers_low,
        quantile_cont(kpi_values.value, 0.5) AS peers_median,
        quantile_cont(kpi_values.value, 0.75) AS peers_high,
        CAST(sum(kpi_values.numerator) AS DOUBLE) / CAST(sum(kpi_values.denominator) AS DOUBLE)
            AS pooled,
        count(*) FILTER (
            WHERE kpi_values.value * compared.direction > compared.value * compared.direction
        ) AS ahead
    FROM peers
    INNER JOIN kpi_values ON kpi_values.college_id = peers.peer_id
    INNER JOIN compared
        ON compared.college_id = peers.college_id
        AND compared.kpi = kpi_values.kpi
    WHERE kpi_values.status = 'ok'
    GROUP BY peers.college_id, kpi_values.kpi
),
beside AS (
    SELECT
        compared.*,
        of_peers.peers,
        of_peers.peers_low,
        of_peers.peers_median,
        of_peers.peers_high,
        CASE WHEN compared.kind = 'outcome_share' THEN of_peers.pooled END AS pooled,
        CASE WHEN compared.value IS NOT NULL THEN of_peers.ahead + 1 END AS place
    FROM compared
    INNER JOIN of_peers
        ON of_peers.college_id = compared.college_id
        AND of_peers.kpi = compared.kpi
),
judged AS (
    SELECT
        beside.*,
        counts AND peers >= 5 AND coalesce(pooled < low OR pooled > high, TRUE) AS can_be_told,
        CASE direction WHEN 1 THEN value > peers_high ELSE value < peers_low END AS is_better,
        CASE direction WHEN 1 THEN value < peers_low ELSE value > peers_high END AS is_worse
    FROM beside
)
SELECT
    college_id,
    kpi,
    direction,
    value,
    peers,
    peers_low,
    peers_median,
    peers_high,
    pooled,
    place,
    CASE
        WHEN can_be_told AND is_better THEN 'strength'
        WHEN can_be_told AND is_worse THEN 'weakness'
        ELSE 'neither'
    END AS verdict
FROM judged
