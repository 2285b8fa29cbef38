-- One row per sign found: the counts that raised it, those expected, and how many false alarms are
-- expected among all findings of this sign (q of the Benjamini-Hochberg procedure x findings).
WITH figures AS (
    SELECT
        sign_tests.sign,
        sign_tests.gate,
        sign_tests.college_id,
        CAST(sign_tests.previous_numerator AS VARCHAR) || '/'
        || CAST(sign_tests.previous_denominator AS VARCHAR) || ' ('
        || CAST(
            CAST(
                100.0 * sign_tests.previous_numerator / sign_tests.previous_denominator
                AS DECIMAL(9, 1)
            ) AS VARCHAR
        ) || ' %)' AS before,
        CAST(sign_tests.numerator AS VARCHAR) || '/'
        || CAST(sign_tests.denominator AS VARCHAR) || ' ('
        || CAST(
            CAST(100.0 * sign_tests.numerator / sign_tests.denominator AS DECIMAL(9, 1)) AS VARCHAR
        ) || ' %)' AS now,
        CAST(CAST(sign_tests.expected AS DECIMAL(18, 1)) AS VARCHAR) || '/'
        || CAST(sign_tests.denominator AS VARCHAR) || ' ('
        || CAST(
            CAST(100 * sign_tests.expected / sign_tests.denominator AS DECIMAL(9, 1)) AS VARCHAR
        ) || ' %)' AS usual,
        CAST(CAST(sign_totals.expected_false_alarms AS DECIMAL(18, 2)) AS VARCHAR) AS alarms,
        CAST(sign_totals.flagged AS VARCHAR) AS flagged
    FROM sign_tests
    INNER JOIN sign_totals ON sign_totals.sign = sign_tests.sign
    WHERE sign_tests.is_flagged
)
SELECT
    sign,
    gate,
    college_id,
    coalesce(before || ' → ', '') || now AS found,
    'about ' || usual || '; ' || alarms || ' of ' || flagged
    || ' such findings are expected to be false alarms' AS expected
FROM figures
