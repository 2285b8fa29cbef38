-- One row per region (and KZ for the nation) and level of qualification: sum of the graduates in work
-- over sum of the graduates, never a mean of rates (DESIGN §5).
SELECT
    coalesce(unit_profile.region, 'KZ') AS region,
    employment_by_qualification.level,
    CAST(sum(employment_by_qualification.numerator) AS DECIMAL(18, 4)) AS numerator,
    CAST(sum(employment_by_qualification.denominator) AS DECIMAL(18, 4)) AS denominator,
    CAST(sum(employment_by_qualification.numerator) AS DOUBLE)
    / CAST(sum(employment_by_qualification.denominator) AS DOUBLE) AS value
FROM employment_by_qualification
INNER JOIN unit_profile ON unit_profile.college_id = employment_by_qualification.college_id
GROUP BY GROUPING SETS (
    (unit_profile.region, employment_by_qualification.level),
    (employment_by_qualification.level)
)
