-- One row per unit: what it is, how many students count on count_on, the cluster that most of them
-- study in (ties by cluster code), and its rows that were rejected.
WITH counted AS (
    SELECT students.unit_id, students.specialty
    FROM students
    CROSS JOIN param_round
    WHERE
        students.enrolled_on <= param_round.count_on
        AND (students.left_on IS NULL OR students.left_on > param_round.count_on)
),
sizes AS (
    SELECT unit_id, count(*) AS students
    FROM counted
    GROUP BY unit_id
),
cluster_sizes AS (
    SELECT counted.unit_id, specialties.cluster, count(*) AS students
    FROM counted
    INNER JOIN specialties ON specialties.specialty = counted.specialty
    GROUP BY counted.unit_id, specialties.cluster
),
main_clusters AS (
    SELECT
        unit_id,
        cluster,
        row_number() OVER (PARTITION BY unit_id ORDER BY students DESC, cluster) AS place
    FROM cluster_sizes
),
rejected AS (
    SELECT
        units.unit_id,
        count(*) FILTER (WHERE rejected_rows.table_name = 'students') AS students,
        count(*) FILTER (WHERE rejected_rows.table_name = 'graduates') AS graduates
    FROM rejected_rows
    INNER JOIN units ON units.college_id = rejected_rows.college_id
    GROUP BY units.unit_id
)
SELECT
    colleges.college_id,
    colleges.name_kk,
    colleges.name_ru,
    colleges.name_en,
    colleges.region,
    colleges.kind,
    colleges.ownership,
    colleges.locality,
    colleges.administrator,
    colleges.status,
    coalesce(sizes.students, 0) AS students,
    main_clusters.cluster,
    coalesce(rejected.students, 0) AS rejected_students,
    coalesce(rejected.graduates, 0) AS rejected_graduates
FROM colleges
LEFT JOIN sizes ON sizes.unit_id = colleges.college_id
LEFT JOIN main_clusters ON main_clusters.unit_id = colleges.college_id AND main_clusters.place = 1
LEFT JOIN rejected ON rejected.unit_id = colleges.college_id
WHERE colleges.unit_id = colleges.college_id
