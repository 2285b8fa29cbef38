-- One row per unit and employer, which is not named: how many of the cohort's graduates it employs,
-- of those whose employment counts and whose employer is known.
WITH employed AS (
    SELECT cohort.unit_id, graduates.employer_bin, count(*) AS graduates
    FROM cohort
    INNER JOIN graduates
        ON graduates.unit_id = cohort.unit_id
        AND graduates.graduate_id = cohort.graduate_id
    CROSS JOIN param_round
    WHERE
        cohort.is_employed
        AND graduates.employer_bin IS NOT NULL
        AND graduates.graduated_on BETWEEN param_round.cohort_from AND param_round.cohort_to
    GROUP BY cohort.unit_id, graduates.employer_bin
)
SELECT
    unit_id AS college_id,
    graduates AS numerator,
    CAST(sum(graduates) OVER (PARTITION BY unit_id) AS BIGINT) AS denominator
FROM employed
