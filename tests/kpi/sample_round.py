"""A written sample as the tests read it: by definitions written out here, not by the pipeline."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

DAY = date(2025, 10, 1)
DAY_BEFORE = date(2024, 10, 1)
EMPLOYED = ["employed", "self_employed"]
ACCEPTED = ["pension_contributions", "employer_contract", "entrepreneur_register"]
EXCLUDED = {
    "further_study": "enrolment_register",
    "military_service": "military_register",
    "parental_leave": "social_payment",
    "emigrated": "civil_register",
    "deceased": "civil_register",
}


def read(path: Path) -> pl.DataFrame:
    frame = pl.read_csv(path, infer_schema=False)
    dated = [c for c in frame.columns if c.endswith("_on") or c in ("valid_from", "valid_to")]
    return frame.with_columns(pl.col(dated).str.to_date("%Y-%m-%d", strict=True))


@dataclass
class Round:
    """A written sample, its tables with the unit (legal entity) and region of each row."""

    folder: Path

    @cached_property
    def colleges(self) -> pl.DataFrame:
        return read(self.folder / "colleges.csv").with_columns(
            unit=pl.coalesce("parent_id", "successor_id", "college_id")
        )

    @cached_property
    def units(self) -> pl.DataFrame:
        return self.colleges.filter(pl.col("parent_id").is_null(), pl.col("status") == "active")

    def with_unit(self, table: str) -> pl.DataFrame:
        places = self.colleges.select("college_id", "unit", "region")
        frame = read(self.folder / f"{table}.csv")
        joined = frame.join(places, on="college_id", how="left", maintain_order="left")
        assert joined["unit"].null_count() == 0, f"{table}: a college that is not in colleges.csv"
        return joined

    @cached_property
    def students(self) -> pl.DataFrame:
        return self.with_unit("students")

    @cached_property
    def agreements(self) -> pl.DataFrame:
        return self.with_unit("dual_agreements")

    @cached_property
    def graduates(self) -> pl.DataFrame:
        late = pl.col("destination_on") > pl.col("observed_on")
        by = pl.col("destination_source")
        work = pl.col("destination").is_in(EMPLOYED) & ~late
        excluded = pl.any_horizontal(
            *((pl.col("destination") == d) & (by == source) for d, source in EXCLUDED.items())
        )
        return (
            self.with_unit("graduates")
            .with_columns(year=pl.col("graduated_on").dt.offset_by("4mo").dt.year())
            .with_columns(observed_on=pl.date(pl.col("year"), 10, 1))
            .with_columns(
                employed=work.fill_null(False) & by.is_in(ACCEPTED),
                declared=work.fill_null(False) & (by == "declared"),
                excluded=excluded & ~late.fill_null(False),
                dual=pl.col("dual") == "true",
            )
        )

    @cached_property
    def accreditations(self) -> pl.DataFrame:
        return self.with_unit("accreditations")

    @cached_property
    def counted(self) -> pl.DataFrame:
        return self.students.filter(on(DAY))

    @cached_property
    def contingent(self) -> pl.DataFrame:
        return self.counted.filter(
            pl.col("study_form") == "full_time", pl.col("academic_leave") == "false"
        )

    @cached_property
    def in_force(self) -> pl.DataFrame:
        return self.agreements.filter(valid)

    @cached_property
    def dual(self) -> pl.DataFrame:
        return self.contingent.join(self.in_force, on=["unit", "student_id"], how="semi")

    @cached_property
    def cohort(self) -> pl.DataFrame:
        return self.graduates.filter(pl.col("year") == 2025)

    @cached_property
    def rates(self) -> pl.DataFrame:
        """One row a unit: employment, dual share, institutional accreditation."""
        work = self.cohort.group_by("unit").agg(
            cohort=pl.len(), employed=pl.col("employed").sum(), excluded=pl.col("excluded").sum()
        )
        institutions = self.accreditations.filter(valid, pl.col("scope") == "institutional")
        return (
            self.units.select("unit", "region")
            .join(work, on="unit", how="left")
            .join(self.counted.group_by("unit").len("students"), on="unit", how="left")
            .join(self.contingent.group_by("unit").len("contingent"), on="unit", how="left")
            .join(self.dual.group_by("unit").len("dual"), on="unit", how="left")
            .with_columns(pl.col("cohort", "employed", "excluded", "dual").fill_null(0))
            .with_columns(
                employment=pl.col("employed") / (pl.col("cohort") - pl.col("excluded")),
                dual_share=pl.col("dual") / pl.col("contingent"),
                accredited=pl.col("unit").is_in(institutions["unit"].unique().to_list()),
            )
        )


def on(day: date) -> pl.Expr:
    return (pl.col("enrolled_on") <= day) & (
        pl.col("left_on").is_null() | (pl.col("left_on") > day)
    )


valid = (pl.col("valid_from") <= DAY) & (pl.col("valid_to") >= DAY)
