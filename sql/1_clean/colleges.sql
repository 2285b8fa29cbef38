-- One row per accepted college or branch, with its unit and its status on count_on.
SELECT
    raw_colleges.college_id,
    units.unit_id,
    raw_colleges.parent_id,
    raw_colleges.name_kk,
    raw_colleges.name_ru,
    raw_colleges.name_en,
    raw_colleges.region,
    raw_colleges.kind,
    raw_colleges.ownership,
    raw_colleges.locality,
    units.status,
    raw_colleges.successor_id,
    raw_colleges.merged_on,
    raw_colleges.administrator
FROM raw_colleges
INNER JOIN units ON units.college_id = raw_colleges.college_id
WHERE raw_colleges.row_id NOT IN (SELECT row_id FROM rejected_rows WHERE table_name = 'colleges')
