-- One row per specialty of a college that the assessment gives points: its rank among the colleges
-- that teach the specialty, and among all specialties. Equal points share a rank (1, 2, 2, 4).
SELECT
    assessments.specialty,
    assessments.college_id,
    assessments.points,
    rank() OVER (
        PARTITION BY assessments.specialty ORDER BY assessments.points DESC
    ) AS rank,
    count(*) OVER (PARTITION BY assessments.specialty) AS ranked_of,
    rank() OVER (ORDER BY assessments.points DESC) AS overall_rank,
    count(*) OVER () AS overall_ranked_of
FROM assessments
INNER JOIN param_round ON param_round.specialty_indicator = assessments.indicator
WHERE assessments.specialty IS NOT NULL AND assessments.points IS NOT NULL
