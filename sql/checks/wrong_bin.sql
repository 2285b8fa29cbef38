-- severity: warning
-- message: {found} in {column} is no BIN that is given out: its last digit does not fit the eleven before it. The row counts; copy the number again from the register of legal entities.
-- One row per college or employer whose 12 digits end with a wrong control digit: the first eleven,
-- weighted 1 to 11 and summed, modulo 11; where that is 10, weighted 3 to 11, 1, 2; where that is 10
-- as well, there is no such number. A warning: the number joins rows, and joins them wrong or right.
-- An employer's number that may be a person's is a pseudonym here, and is not judged.
WITH named AS (
    SELECT 'colleges' AS table_name, row_id, college_id, 'college_id' AS column_name,
        college_id AS number
    FROM raw_colleges
    UNION ALL
    SELECT 'colleges' AS table_name, row_id, college_id, 'parent_id' AS column_name,
        parent_id AS number
    FROM raw_colleges
    UNION ALL
    SELECT 'colleges' AS table_name, row_id, college_id, 'successor_id' AS column_name,
        successor_id AS number
    FROM raw_colleges
    UNION ALL
    SELECT 'dual_agreements' AS table_name, row_id, college_id, 'employer_bin' AS column_name,
        employer_bin AS number
    FROM raw_dual_agreements
    UNION ALL
    SELECT 'graduates' AS table_name, row_id, college_id, 'employer_bin' AS column_name,
        employer_bin AS number
    FROM raw_graduates
),
numbers AS (
    -- each once: many rows name the same employer
    SELECT DISTINCT TRY_CAST(number AS BIGINT) AS digits
    FROM named
    WHERE length(number) = 12
),
places AS (
    SELECT unnest(range(1, 12)) AS place
),
weighted AS (
    SELECT
        numbers.digits,
        places.place,
        numbers.digits // CAST(power(10, 12 - places.place) AS BIGINT) % 10 AS digit
    FROM numbers
    CROSS JOIN places
),
sums AS (
    SELECT
        digits,
        sum(digit * place) % 11 AS first_sum,
        sum(digit * ((place + 1) % 11 + 1)) % 11 AS second_sum
    FROM weighted
    GROUP BY digits
),
wrong AS (
    SELECT lpad(CAST(digits AS VARCHAR), 12, '0') AS number
    FROM sums
    WHERE digits % 10 <> CASE WHEN first_sum < 10 THEN first_sum ELSE second_sum END
)
SELECT
    named.table_name,
    named.row_id,
    named.college_id,
    named.column_name,
    named.number AS found,
    'a BIN whose last digit fits' AS expected
FROM named
INNER JOIN wrong ON wrong.number = named.number
