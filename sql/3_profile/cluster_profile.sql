-- One row per unit with students on count_on: how much of it its cluster is (`unit_profile`), and
-- what it teaches outside of it. `concentration` is the Herfindahl index of its clusters' shares: 1
-- where all students are in one cluster, 1/n where they are spread evenly over n.
WITH sums AS (
    SELECT
        unit_clusters.college_id,
        count(*) AS clusters,
        CAST(sum(unit_clusters.specialties) AS BIGINT) AS specialties,
        CAST(sum(unit_clusters.students) AS BIGINT) AS students,
        CAST(sum(unit_clusters.students * unit_clusters.students) AS DOUBLE) AS squares
    FROM unit_clusters
    GROUP BY unit_clusters.college_id
)
SELECT
    sums.college_id,
    main.cluster,
    sums.clusters,
    sums.specialties,
    sums.specialties - main.specialties AS specialties_outside,
    sums.students,
    sums.students - main.students AS students_outside,
    main.share AS cluster_share,
    sums.squares / (CAST(sums.students AS DOUBLE) * CAST(sums.students AS DOUBLE)) AS concentration
FROM sums
INNER JOIN unit_profile ON unit_profile.college_id = sums.college_id
INNER JOIN unit_clusters AS main
    ON main.college_id = sums.college_id
    AND main.cluster = unit_profile.cluster
