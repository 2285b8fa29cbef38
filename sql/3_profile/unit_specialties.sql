-- One row per unit and specialty that it teaches: its students on count_on, the specialty's cluster,
-- and whether that is the unit's own cluster (`unit_profile`), its profile.
WITH sizes AS (
    SELECT college_id, specialty, CAST(sum(students) AS BIGINT) AS students
    FROM student_groups
    GROUP BY college_id, specialty
    HAVING sum(students) > 0
)
SELECT
    sizes.college_id,
    sizes.specialty,
    specialties.cluster,
    sizes.students,
    coalesce(specialties.cluster = unit_profile.cluster, FALSE) AS is_in_profile
FROM sizes
INNER JOIN unit_profile ON unit_profile.college_id = sizes.college_id
INNER JOIN specialties ON specialties.specialty = sizes.specialty
