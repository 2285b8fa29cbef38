-- One row per college: the median monthly wage, in tenge, of the employed whose wage is known;
-- the denominator is how many they are.
SELECT
    unit_id AS college_id,
    median(monthly_wage) AS numerator,
    count(monthly_wage) AS denominator
FROM cohort
WHERE monthly_wage IS NOT NULL
GROUP BY unit_id
