-- severity: error
-- message: The destination is dated {found}, before graduation. Correct destination_on or graduated_on.
-- One row per graduate whose destination is dated before graduation.
SELECT
    'graduates' AS table_name,
    row_id,
    college_id,
    'destination_on' AS column_name,
    CAST(destination_on AS VARCHAR) AS found,
    'a day not before ' || CAST(graduated_on AS VARCHAR) AS expected
FROM raw_graduates
WHERE destination_on < graduated_on
