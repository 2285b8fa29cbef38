-- One row per unit, field of study and level of qualification of the graduates that employment_rate is
-- of: how many there are, and how many in work. The level stands before the code of the qualification
-- in the national classifier: 3W a worker, 4S a specialist; many codes come without it. The field of a
-- specialty that the reference does not have (an old code: see old_specialty) is not stated either.
WITH counted AS (
    SELECT
        cohort.unit_id,
        coalesce(specialties.isced_field, 'not_stated') AS isced_field,
        CASE
            WHEN starts_with(cohort.qualification, '3W') THEN 'worker'
            WHEN starts_with(cohort.qualification, '4S') THEN 'specialist'
            ELSE 'not_stated'
        END AS level,
        cohort.is_employed
    FROM cohort
    LEFT JOIN specialties ON specialties.specialty = cohort.specialty
    WHERE cohort.unit_id IS NOT NULL AND NOT cohort.is_excluded
)
SELECT
    unit_id AS college_id,
    isced_field,
    level,
    count(*) AS graduates,
    count(*) FILTER (WHERE is_employed) AS employed
FROM counted
GROUP BY unit_id, isced_field, level
