-- One row per unit: of the cohort's graduates whose employment counts, those whose work is dated in
-- the last 14 days up to observed_on.
SELECT
    cohort.unit_id AS college_id,
    count(*) FILTER (
        WHERE graduates.destination_on > param_round.observed_on - INTERVAL 14 DAY
    ) AS numerator,
    count(*) AS denominator
FROM cohort
INNER JOIN graduates
    ON graduates.unit_id = cohort.unit_id
    AND graduates.graduate_id = cohort.graduate_id
CROSS JOIN param_round
WHERE
    cohort.is_employed
    AND graduates.graduated_on BETWEEN param_round.cohort_from AND param_round.cohort_to
GROUP BY cohort.unit_id
