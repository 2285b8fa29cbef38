-- One row per kind of graduate whose record is in doubt, and truth that it may turn out to be: what
-- the columns of cohort_cells say of such a graduate now, the doubt, and what they would say then.
-- declared_work: in work by declaration alone. declared_exclusion: out of the denominator by
-- declaration alone. unknown: neither, and nobody knows where. excluded: out of the denominator by an
-- accepted source. Verified employment is no doubt. An excluded graduate can only turn out without
-- work: that one of them works would have stood in the register of employment.
WITH kinds AS (
    SELECT DISTINCT
        dual,
        claims_work,
        is_employed,
        is_excluded,
        is_studying,
        declared_employed,
        declared_excluded,
        is_unknown,
        is_in_specialty,
        is_certified
    FROM cohort_cells
),
doubtful AS (
    SELECT
        kinds.*,
        CASE
            WHEN declared_employed AND NOT is_employed THEN 'declared_work'
            WHEN declared_excluded AND NOT is_excluded THEN 'declared_exclusion'
            WHEN is_unknown THEN 'unknown'
            WHEN is_excluded THEN 'excluded'
        END AS doubt
    FROM kinds
),
truths AS (
    SELECT *
    FROM (
        VALUES
        ('works_in_specialty', TRUE, FALSE, FALSE, TRUE),
        ('works_elsewhere', TRUE, FALSE, FALSE, FALSE),
        ('studies', FALSE, TRUE, TRUE, FALSE),
        ('is_excluded', FALSE, TRUE, FALSE, FALSE),
        ('without_work', FALSE, FALSE, FALSE, FALSE)
    ) AS truths (truth, works, is_out, studies, in_specialty)
),
possible AS (
    SELECT *
    FROM (
        VALUES
        ('declared_work', 'works_in_specialty'),
        ('declared_work', 'works_elsewhere'),
        ('declared_work', 'without_work'),
        ('declared_exclusion', 'studies'),
        ('declared_exclusion', 'is_excluded'),
        ('declared_exclusion', 'without_work'),
        ('unknown', 'works_in_specialty'),
        ('unknown', 'works_elsewhere'),
        ('unknown', 'without_work'),
        ('excluded', 'without_work')
    ) AS possible (doubt, truth)
)
SELECT
    doubtful.doubt,
    possible.truth,
    doubtful.dual,
    doubtful.claims_work,
    doubtful.is_employed,
    doubtful.is_excluded,
    doubtful.is_studying,
    doubtful.declared_employed,
    doubtful.declared_excluded,
    doubtful.is_unknown,
    doubtful.is_in_specialty,
    doubtful.is_certified,
    truths.works AS then_works,
    truths.is_out AS then_excluded,
    truths.studies AS then_studying,
    truths.in_specialty AS then_in_specialty
FROM doubtful
INNER JOIN possible ON possible.doubt = doubtful.doubt
INNER JOIN truths ON truths.truth = possible.truth
