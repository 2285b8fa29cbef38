-- One row per college: of the KPI contingent, those studying for a named employer or at its cost.
SELECT
    unit_id AS college_id,
    count(*) FILTER (
        WHERE funding_source IN ('targeted_state_order', 'enterprise_paid')
    ) AS numerator,
    count(*) AS denominator
FROM kpi_contingent
GROUP BY unit_id
