-- severity: error
-- message: The same person graduates more than once in the academic year that ends in {found}. Neither row counts until one of them is corrected.
-- One row per graduate whose person has another row in the same academic year (1 September to
-- 31 August), at any college, unless the rows name the same key (see repeated_key).
WITH suspects AS MATERIALIZED (
    -- by hash first: millions of pseudonyms as text would not fit in memory
    SELECT hash(graduate_id) AS person_hash
    FROM raw_graduates
    GROUP BY person_hash
    HAVING count(*) > 1
),
by_year AS (
    SELECT
        row_id,
        college_id,
        graduate_id,
        graduated_on,
        year(graduated_on + INTERVAL 4 MONTH) AS ends_in
    FROM raw_graduates
    WHERE hash(graduate_id) IN (SELECT person_hash FROM suspects)
),
repeated AS (
    SELECT graduate_id, ends_in
    FROM by_year
    GROUP BY graduate_id, ends_in
    HAVING count(*) > 1 AND count(DISTINCT (college_id, graduated_on)) > 1
)
SELECT
    'graduates' AS table_name,
    by_year.row_id,
    by_year.college_id,
    'graduate_id' AS column_name,
    CAST(by_year.ends_in AS VARCHAR) AS found,
    'one graduation of a person in one academic year' AS expected
FROM by_year
INNER JOIN repeated
    ON repeated.graduate_id = by_year.graduate_id
    AND repeated.ends_in = by_year.ends_in
