-- One row per active unit with students and each of the ten colleges most like it (fewer where fewer
-- have a cluster in common with it), by what it is and never by its results. `distance` = mix + size / 4
-- + locality / 4 (illustrative weights). `mix_distance` is half the sum of the differences between the
-- shares of their clusters: 0 for the same mix, 1 for nothing in common. `size_distance` is how often
-- the one's students double to the other's (absolute binary logarithm of the ratio),
-- `locality_distance` 1 where one is urban and the other rural. So twice the size weighs as much as a
-- quarter of the students in other clusters. Parts are rounded to six decimals; equal distances go by
-- the peer's id.
WITH units AS (
    SELECT
        college_id,
        students,
        locality,
        CAST(log2(CAST(students AS DOUBLE)) AS DECIMAL(9, 6)) AS doublings
    FROM unit_profile
    WHERE status = 'active' AND students > 0
),
mixes AS (
    SELECT
        unit_clusters.college_id,
        unit_clusters.cluster,
        unit_clusters.students,
        units.students AS whole
    FROM unit_clusters
    INNER JOIN units ON units.college_id = unit_clusters.college_id
),
-- What two units have in common, in units of 1 / (students of the one x students of the other).
common AS (
    SELECT
        one.college_id,
        other.college_id AS peer_id,
        sum(least(one.students * other.whole, other.students * one.whole)) AS overlap
    FROM mixes AS one
    INNER JOIN mixes AS other
        ON other.cluster = one.cluster
        AND other.college_id <> one.college_id
    GROUP BY one.college_id, other.college_id
),
parts AS (
    SELECT
        common.college_id,
        common.peer_id,
        CAST(
            1 - CAST(common.overlap AS DOUBLE) / CAST(one.students * other.students AS DOUBLE)
            AS DECIMAL(9, 6)
        ) AS mix_distance,
        CAST(abs(one.doublings - other.doublings) AS DECIMAL(9, 6)) AS size_distance,
        CAST(one.locality <> other.locality AS INTEGER) AS locality_distance
    FROM common
    INNER JOIN units AS one ON one.college_id = common.college_id
    INNER JOIN units AS other ON other.college_id = common.peer_id
),
distances AS (
    SELECT
        parts.*,
        CAST(
            mix_distance + 0.25 * size_distance + 0.25 * locality_distance AS DECIMAL(9, 6)
        ) AS distance
    FROM parts
),
placed AS (
    SELECT
        distances.*,
        row_number() OVER (PARTITION BY college_id ORDER BY distance, peer_id) AS place
    FROM distances
)
SELECT
    college_id,
    place,
    peer_id,
    distance,
    mix_distance,
    size_distance,
    locality_distance
FROM placed
WHERE place <= 10
