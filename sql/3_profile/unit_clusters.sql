-- One row per unit and cluster that it teaches: its specialties and students on count_on, and their
-- share of all its students.
SELECT
    unit_specialties.college_id,
    unit_specialties.cluster,
    count(*) AS specialties,
    CAST(sum(unit_specialties.students) AS BIGINT) AS students,
    CAST(sum(unit_specialties.students) AS DOUBLE) / CAST(unit_profile.students AS DOUBLE) AS share
FROM unit_specialties
INNER JOIN unit_profile ON unit_profile.college_id = unit_specialties.college_id
GROUP BY unit_specialties.college_id, unit_specialties.cluster, unit_profile.students
