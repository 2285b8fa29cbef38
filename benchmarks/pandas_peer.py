"""The plain peer: what an analyst would write in pandas for the same round, and no more.

    python benchmarks/pandas_peer.py INPUT

Whole files by ``pd.read_csv`` with its defaults; the three core KPIs, the two others that the score
needs, the gates, the rank with its tie chain and the funding, by the definitions of DESIGN §5 and
§6 with the shipped values written in (all coefficients are 1, so that the mean they are calibrated
to is 1 too). It validates nothing, hides no person's number, keeps nothing and explains nothing.

Prints one JSON object: ranked, qualifying and amount, to be compared with the receipt of a round.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

COUNT_ON = KPI_ON = OBSERVED_ON = "2025-10-01"
COHORT = ("2024-09-01", "2025-08-31")
MIN_STUDENTS, MIN_COHORT = 25, 10

WORK = ["employed", "self_employed"]
WORK_SOURCES = ["pension_contributions", "employer_contract", "entrepreneur_register"]
EXCLUDED = {
    "further_study": "enrolment_register",
    "military_service": "military_register",
    "parental_leave": "social_payment",
    "emigrated": "civil_register",
    "deceased": "civil_register",
}
GOALPOSTS = {
    "employment_rate": (0.40, 0.95),
    "in_specialty_rate": (0.20, 0.80),
    "dual_share": (0, 0.60),
    "accredited_share": (0, 1),
    "certified_share": (0, 1),
}
GROUPS = [
    (0.50, {"employment_rate": 0.35, "in_specialty_rate": 0.15}),
    (0.30, {"dual_share": 0.30}),
    (0.20, {"accredited_share": 0.15, "certified_share": 0.05}),
]
ORDER = ["score", "employment_rate", "dual_share", "accredited_share"]
PAID_FOR = ["state_order", "targeted_state_order"]
BASE, FULL = 437_000, 912_000


def read_tables(folder):
    """Return the five tables, each with the unit that its rows count for."""
    names = ["colleges", "students", "dual_agreements", "graduates", "accreditations"]
    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in names}
    colleges = tables["colleges"].set_index("college_id", drop=False)
    units = units_of(colleges)
    for name in names:
        tables[name]["unit"] = tables[name]["college_id"].map(units)
    return tables


def units_of(colleges):
    """Return the unit by college: a branch counts for its parent, a merged college for its
    successor from merged_on.
    """
    is_merged = (colleges["status"] == "merged") & (colleges["merged_on"] <= COUNT_ON)
    following = colleges["parent_id"].mask(is_merged, colleges["successor_id"]).dropna()
    units = pd.Series(colleges.index, index=colleges.index)
    while units.isin(following.index).any():
        units = units.map(following).fillna(units).astype(units.dtype)
    return units


def enrolled(students, day):
    """Return the students that count on a day."""
    has_left = students["left_on"].notna() & (students["left_on"] <= day)
    return students[(students["enrolled_on"] <= day) & ~has_left]


def in_force(rows):
    """Return the agreements or accreditations in force on the day of the KPIs."""
    return rows[(rows["valid_from"] <= KPI_ON) & (rows["valid_to"] >= KPI_ON)]


def outcomes(graduates):
    """Return, by unit, the KPIs of the cohort; no value for a cohort that is too small."""
    cohort = graduates[graduates["graduated_on"].between(*COHORT)]
    destination, source = cohort["destination"], cohort["destination_source"]
    in_time = ~(cohort["destination_on"] > OBSERVED_ON)
    employed = in_time & destination.isin(WORK) & source.isin(WORK_SOURCES)
    excluded = in_time & (source == destination.map(EXCLUDED))
    marks = pd.DataFrame(
        {
            "employed": employed,
            "in_specialty": employed & cohort["in_specialty"].eq(True),
            "kept": ~excluded,
            "certified": cohort["certificate_id"].notna(),
            "all": True,
        }
    )
    sums = marks.groupby(cohort["unit"]).sum()
    kept = sums["kept"].where(sums["kept"] >= MIN_COHORT)
    return pd.DataFrame(
        {
            "employment_rate": sums["employed"] / kept,
            "in_specialty_rate": sums["in_specialty"] / kept,
            "certified_share": sums["certified"] / sums["all"].where(sums["all"] >= MIN_COHORT),
            # a gate judges a small cohort too
            "gate_rate": sums["employed"] / sums["kept"].where(sums["kept"] > 0),
        }
    )


def contingent_shares(students, agreements, accreditations):
    """Return, by unit, the shares of the KPI contingent in dual training and in accredited
    programmes.
    """
    contingent = enrolled(students, KPI_ON)
    contingent = contingent[(contingent["study_form"] == "full_time")]
    contingent = contingent.loc[~contingent["academic_leave"], ["unit", "student_id", "specialty"]]
    dual = in_force(agreements)[["unit", "student_id"]].drop_duplicates()
    programmes = in_force(accreditations[accreditations["scope"] == "programme"])
    programmes = programmes[["unit", "specialty"]].drop_duplicates()
    marked = contingent.merge(dual.assign(dual_share=1), how="left", on=["unit", "student_id"])
    marked = marked.merge(
        programmes.assign(accredited_share=1), how="left", on=["unit", "specialty"]
    )
    shares = marked[["dual_share", "accredited_share"]].fillna(0)
    return shares.groupby(marked["unit"]).mean()


def score(units):
    """Return the score of each unit, two decimals, half up; a missing KPI's weight goes to its
    siblings.
    """
    total, weights = 0, 0
    for group_weight, members in GROUPS:
        parts = pd.DataFrame(
            {kpi: (units[kpi] - GOALPOSTS[kpi][0]) / np.subtract(*GOALPOSTS[kpi][::-1])
             for kpi in members}
        ).clip(0, 1)  # fmt: skip
        present = parts.notna() * pd.Series(members)
        mean = (parts.fillna(0) * present).sum(axis=1) / present.sum(axis=1)
        total = total + group_weight * mean.fillna(0)
        weights = weights + group_weight * mean.notna()
    return np.floor((1e4 * total / weights).round(6) + 0.5) / 100


def rank(units):
    """Return the rank of each unit that can be ranked: 1, 2, 2, 4, ties by the chain."""
    can_be_ranked = (units["students"] >= MIN_STUDENTS) & units["employment_rate"].notna()
    ordered = units.loc[can_be_ranked, ORDER].fillna(-1).sort_values(ORDER, ascending=False)
    is_tied = ordered.eq(ordered.shift()).all(axis=1)
    places = pd.Series(np.arange(1, len(ordered) + 1), index=ordered.index)
    return places.mask(is_tied).ffill()


def pay(units, students, colleges):
    """Return the tenge by unit: students that the state pays for times the norm."""
    counted = enrolled(students, COUNT_ON)
    closed = colleges.loc[colleges["status"] == "closed", "college_id"]
    counted = counted[
        counted["funding_source"].isin(PAID_FOR)
        & ~counted["academic_leave"]
        & ~counted["college_id"].isin(closed)
    ]
    paid_for = counted.groupby("unit").size().reindex(units.index).fillna(0)
    return paid_for * np.where(units["qualifies"], FULL, BASE)


def profile(tables):
    """Return one row per active unit with its KPIs, score, rank, gates and tenge."""
    colleges, students = tables["colleges"], tables["students"]
    accreditations = tables["accreditations"]
    is_unit = (colleges["unit"] == colleges["college_id"]) & (colleges["status"] != "closed")
    units = colleges[is_unit].set_index("college_id")
    units["students"] = enrolled(students, COUNT_ON).groupby("unit").size()
    units = units.join(outcomes(tables["graduates"]))
    units = units.join(contingent_shares(students, tables["dual_agreements"], accreditations))
    institutional = in_force(accreditations[accreditations["scope"] == "institutional"])
    units["institution_accredited"] = units.index.isin(institutional["unit"])
    units["score"] = score(units)
    units["rank"] = rank(units)
    units["qualifies"] = (
        (units["gate_rate"] >= 0.70)
        & (units["dual_share"] >= 0.20)
        & units["institution_accredited"]
    )
    units["amount"] = pay(units, students, colleges)
    return units


def main():
    """Read, compute, print."""
    units = profile(read_tables(Path(sys.argv[1])))
    sums = {
        "ranked": int(units["rank"].notna().sum()),
        "qualifying": int(units["qualifies"].sum()),
        "amount": int(units["amount"].sum()),
    }
    print(json.dumps(sums))


if __name__ == "__main__":
    main()
