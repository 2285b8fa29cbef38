-- One row per accepted indicator of a college (specialty empty) or of one of its specialties.
SELECT
    raw_assessments.college_id,
    units.unit_id,
    raw_assessments.specialty,
    raw_assessments.indicator,
    raw_assessments.value,
    raw_assessments.points,
    raw_assessments.max_points
FROM raw_assessments
LEFT JOIN units ON units.college_id = raw_assessments.college_id
WHERE raw_assessments.row_id NOT IN (
    SELECT row_id FROM rejected_rows WHERE table_name = 'assessments'
)
