-- One row per graduate of the cohort, with what counts (DESIGN §5): a destination is believed only
-- from an accepted source and when dated by observed_on; otherwise it is unknown.
-- The declared_ columns tell what it would be if the source `declared` were accepted too; is_unknown
-- that nobody knows where the graduate is: neither believed nor said to be unemployed.
WITH of_cohort AS (
    SELECT graduates.*
    FROM graduates
    CROSS JOIN param_round
    WHERE graduates.graduated_on BETWEEN param_round.cohort_from AND param_round.cohort_to
),
dated AS (
    SELECT
        of_cohort.*,
        coalesce(of_cohort.destination_on <= param_round.observed_on, TRUE) AS is_dated_in_time
    FROM of_cohort
    CROSS JOIN param_round
),
believed AS (
    SELECT
        dated.*,
        dated.is_dated_in_time AND param_source.source IS NOT NULL AS is_verified,
        dated.is_dated_in_time AND (
            param_source.source IS NOT NULL OR dated.destination_source = 'declared'
        ) AS is_declared
    FROM dated
    LEFT JOIN param_source
        ON param_source.destination = dated.destination
        AND param_source.source = dated.destination_source
),
meaning AS (
    SELECT
        believed.*,
        believed.destination IN ('employed', 'self_employed') AS means_work,
        believed.destination IN (
            'military_service', 'parental_leave', 'further_study', 'emigrated', 'deceased'
        ) AS means_exclusion
    FROM believed
)
SELECT
    unit_id,
    graduate_id,
    specialty,
    qualification,
    dual,
    means_work AS claims_work,
    means_work AND is_verified AS is_employed,
    means_exclusion AND is_verified AS is_excluded,
    destination = 'further_study' AND is_verified AS is_studying,
    means_work AND is_declared AS declared_employed,
    means_exclusion AND is_declared AS declared_excluded,
    NOT ((means_work OR means_exclusion) AND is_verified) AND destination <> 'unemployed'
        AS is_unknown,
    coalesce(means_work AND is_verified AND in_specialty, FALSE) AS is_in_specialty,
    certificate_id IS NOT NULL AS is_certified,
    CASE WHEN means_work AND is_verified THEN monthly_wage END AS monthly_wage
FROM meaning
