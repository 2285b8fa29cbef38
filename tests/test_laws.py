"""What must hold whatever the data: on small folders made at random.

No row order, file, format or number of threads changes a round; doing better never costs money;
closing a college never makes the nation dearer.
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from inputs import (
    HEAVY,
    KEY,
    THEORY,
    WORKSHOP,
    Row,
    Tables,
    accreditation,
    agreement,
    amount,
    college,
    graduate,
    national_amount,
    plan,
    quiet,
    reaches_the_gates,
    row_of,
    run,
    student,
    students,
    together,
    write_folder,
    write_table,
)

from funding import run as funding_run
from kpi.intake import read_inputs
from kpi.pipeline import connect, get_table

FEW = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes of rounds
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SPECIALTIES = st.sampled_from([THEORY, WORKSHOP, HEAVY])
DAYS = st.sampled_from(["2023-09-01", "2024-09-01", "2025-09-01", "2025-10-01", "2025-10-02"])


@st.composite
def members(draw: st.DrawFn, college_id: str) -> list[Row]:
    """Up to forty students of a college, most of them alike, some on the edge of counting."""
    alike = [
        student(college_id, student_id=f"{college_id}S{n}", specialty=draw(SPECIALTIES))
        for n in range(draw(st.sampled_from([25, 30, 24, 3, 0])))
    ]
    others = [
        student(
            college_id,
            student_id=f"{college_id}T{n}",
            specialty=draw(SPECIALTIES),
            enrolled_on=draw(DAYS),
            left_on=draw(st.sampled_from([None, "2025-10-02", "2025-10-01", "2024-06-30"])),
            study_form=draw(st.sampled_from(["full_time", "part_time", "evening"])),
            funding_source=draw(st.sampled_from(["state_order", "self_paid", "enterprise_paid"])),
            academic_leave=draw(st.booleans()),
        )
        for n in range(draw(st.integers(0, 6)))
    ]
    return alike + others


@st.composite
def leavers(draw: st.DrawFn, college_id: str) -> list[Row]:
    """Graduates of a college: about seven of ten in work, and some of every other fate."""
    fates = [("employed", "pension_contributions")] * draw(st.sampled_from([7, 6, 13, 14, 0]))
    fates += [("unemployed", "none")] * draw(st.sampled_from([4, 3, 6, 7, 0]))
    others = [
        ("employed", "declared"),
        ("self_employed", "entrepreneur_register"),
        ("further_study", "enrolment_register"),
        ("military_service", "military_register"),
        ("unknown", "none"),
    ]
    fates += draw(st.lists(st.sampled_from(others), max_size=3))
    return [
        graduate(
            college_id,
            destination,
            graduate_id=f"{college_id}G{n}",
            destination_source=source,
            in_specialty=draw(st.sampled_from([None, True, False])),
            certificate_id=draw(st.sampled_from([None, "C-1"])),
            dual=draw(st.booleans()),
            monthly_wage=draw(st.sampled_from([None, 150_000, 150_001])),
        )
        for n, (destination, source) in enumerate(fates)
    ]


class Country(dict[str, list[Row]]):
    """Tables that a failing test shows as their sizes; examples are the same in every run."""

    def __repr__(self) -> str:
        return ", ".join(f"{len(rows)} {table}" for table, rows in self.items())


@st.composite
def countries(draw: st.DrawFn) -> Tables:
    """Two to five colleges, one perhaps a branch of another, with all that belongs to them."""
    parts = []
    for number in range(1, draw(st.integers(2, 5)) + 1):
        college_id = f"EX-0{number}"
        parent = draw(st.sampled_from([None, None, "EX-01"])) if number > 1 else None
        people = draw(members(college_id))
        signed = people[: len(people) // draw(st.sampled_from([4, 2, 10]))]
        accredited = draw(st.sampled_from([[None], [None, THEORY], [HEAVY], []]))
        parts.append(
            {
                "colleges": [
                    college(
                        college_id,
                        parent_id=parent,
                        region=draw(st.sampled_from(["KZ-35", "KZ-71"])),
                        locality=draw(st.sampled_from(["urban", "rural"])),
                    )
                ],
                "students": people,
                "graduates": draw(leavers(college_id)),
                "dual_agreements": [
                    agreement(of, agreement_id=f"A{of['student_id']}") for of in signed
                ],
                "accreditations": [
                    accreditation(college_id, specialty, register_no=f"R{number}{place}")
                    for place, specialty in enumerate(accredited)
                ],
            }
        )
    return Country(together(*parts))


@dataclass(frozen=True)
class Computed:
    """What a round computed, without a draft on disk."""

    tables: dict[str, pl.DataFrame]

    def table(self, table: str) -> pl.DataFrame:
        return self.tables[table]


def computed(tables: Tables) -> Computed:
    """Compute the round and keep what it says of ranks and money."""
    with TemporaryDirectory() as place:
        folder = write_folder(Path(place, "in"), **tables)
        con = connect(Path(place))
        try:
            intake = read_inputs(con, folder, KEY, quiet)
            funding_run.compute(con, plan(), intake, folder, quiet)
            kept = ("ranking", "funding", "funding_totals")
            return Computed({name: get_table(con, name) for name in kept})
        finally:
            con.close()


# ---- doing better ----


@FEW
@given(tables=countries(), data=st.data())
def test_one_graduate_more_in_work_never_lowers_the_score_or_the_money_of_a_college(
    tables: Tables, data: st.DataObject
) -> None:
    """In each college one graduate without work finds some, known from the pension register."""
    before = computed(tables)
    better = dict(tables)
    better["graduates"] = list(tables["graduates"])
    for college_id in sorted({row["college_id"] for row in tables["graduates"]}):
        idle = [
            place
            for place, row in enumerate(tables["graduates"])
            if row["college_id"] == college_id and row["destination"] == "unemployed"
        ]
        if idle:
            place = data.draw(st.sampled_from(idle))
            better["graduates"][place] = {
                **tables["graduates"][place],
                "destination": "employed",
                "destination_source": "pension_contributions",
                "destination_on": "2025-08-15",
            }
    after = computed(better)
    for college_id in before.table("ranking")["college_id"]:
        old = row_of(before.table("ranking"), college_id=college_id)
        new = row_of(after.table("ranking"), college_id=college_id)
        assert old["not_ranked_reason"] == new["not_ranked_reason"]
        if old["score"] is not None:
            assert new["score"] >= old["score"], college_id
        assert amount(after, college_id) >= amount(before, college_id), college_id
    assert national_amount(after) >= national_amount(before)


# ---- closing a college ----


@FEW
@given(tables=countries(), data=st.data())
def test_closing_a_college_never_raises_the_national_total(
    tables: Tables, data: st.DataObject
) -> None:
    closed = data.draw(st.sampled_from([row["college_id"] for row in tables["colleges"]]))
    after = computed(
        {
            **tables,
            "colleges": [
                {**row, "status": "closed"} if row["college_id"] == closed else row
                for row in tables["colleges"]
            ],
        }
    )
    before = computed(tables)
    assert national_amount(after) <= national_amount(before)
    assert amount(after, closed) == 0


# ---- what must change nothing ----


@dataclass(frozen=True)
class Form:
    """How the same rows are handed in and computed."""

    seed: int | None = None
    parts: int = 1
    ending: str = "csv"
    threads: int | None = None


def receipt(tables: Tables, form: Form) -> tuple[bytes, pl.DataFrame]:
    """Return the bytes of ``receipt.json`` for these rows in this form, and the findings."""
    with TemporaryDirectory() as folder:
        given_in = Path(folder, "in")
        given_in.mkdir()
        for table, rows in tables.items():
            handed = list(rows)
            if form.seed is not None:
                random.Random(form.seed).shuffle(handed)
            for part in range(form.parts):
                name = table if form.parts == 1 else f"{table}-{part + 1}"
                write_table(given_in / f"{name}.{form.ending}", table, handed[part :: form.parts])
        with _threads(form.threads):
            done = run(given_in, Path(folder, "out"))
        return (done.path / "receipt.json").read_bytes(), done.findings()


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Let every working database use so many threads."""
    original = funding_run.connect

    def connect(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        con = original(*args, **options)
        if number:
            con.execute(f"SET threads = {number}")
        return con

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(funding_run, "connect", connect)
        yield


PLAIN = Form()


@settings(FEW, max_examples=5)
@given(
    tables=countries(),
    form=st.builds(
        Form,
        seed=st.integers(0, 1000),
        parts=st.sampled_from([1, 2, 3]),
        ending=st.sampled_from(["csv", "parquet"]),
        threads=st.sampled_from([None, 1, 4]),
    ),
)
def test_order_files_format_and_threads_change_no_byte_of_the_receipt(
    tables: Tables, form: Form
) -> None:
    text, other = receipt(tables, PLAIN)[0], receipt(tables, form)[0]
    assert _differing(text, other) == []
    assert text == other


def _differing(text: bytes, other: bytes) -> list[str]:
    """Name what differs in two receipts, such as `tables.gates`."""
    one, two = (
        {
            (part, name): value
            for part, content in json.loads(receipt_text).items()
            for name, value in (content.items() if isinstance(content, dict) else [("", content)])
        }
        for receipt_text in (text, other)
    )
    return sorted(
        f"{part}.{name}"
        for part, name in one.keys() | two.keys()
        if one.get((part, name)) != two.get((part, name))
    )


def flawed() -> Tables:
    """Sound colleges, and rows of theirs that are wrong in the same way; some cannot be read."""
    sound = together(
        *[
            reaches_the_gates(students(college_id, 25) + students(college_id, 5, specialty=HEAVY))
            for college_id in ("EX-01", "EX-02", "EX-03")
        ]
    )
    twice = student("EX-01")
    of_two = graduate("EX-01")
    return together(
        sound,
        {
            "students": [
                # left on one day, enrolled on two: the findings differ in what is expected
                student("EX-01", left_on="2020-01-01", enrolled_on="2021-09-01"),
                student("EX-01", left_on="2020-01-01", enrolled_on="2022-09-01"),
                student("EX-01", left_on="2020-01-01", enrolled_on="2023-09-01"),
                twice,
                {**twice, "specialty": HEAVY},
                student("EX-02", specialty="99999999"),
                student("EX-99"),
                student("EX-01", course="9"),
                student("EX-01", course="8"),
                student("EX-02", funding_source="nobody"),
                student("", language="de"),
            ],
            "graduates": [
                of_two,
                dict(of_two),
                {**of_two, "college_id": "EX-02"},
                graduate("EX-01", "working"),
                graduate("EX-01", "resting"),
                graduate("EX-03", "employed", destination_on="2024-01-01"),
                graduate(
                    "EX-03", "employed", destination_on="2024-01-01", graduated_on="2025-06-29"
                ),
            ],
            "dual_agreements": [agreement(twice), agreement(twice, student_id="S99")],
            "accreditations": [
                accreditation("EX-02", valid_from="2025-01-01", valid_to="2024-01-01"),
                accreditation("EX-02", valid_from="2025-01-02", valid_to="2024-01-01"),
            ],
        },
    )


@pytest.fixture(scope="module")
def soiled() -> tuple[Tables, bytes, pl.DataFrame]:
    """A folder with rows that are wrong, its receipt and its findings."""
    tables = flawed()
    return tables, *receipt(tables, PLAIN)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(Form(), id="computed again"),
        pytest.param(Form(seed=1), id="rows shuffled"),
        pytest.param(Form(parts=2), id="each table in two files"),
        pytest.param(Form(ending="parquet"), id="Parquet instead of CSV"),
        pytest.param(Form(threads=1), id="one thread"),
        pytest.param(Form(threads=4), id="four threads"),
    ],
)
def test_the_receipt_stands_when_rows_are_rejected_too(
    form: Form, soiled: tuple[Tables, bytes, pl.DataFrame]
) -> None:
    tables, text, findings = soiled
    other_text, other_findings = receipt(tables, form)
    assert findings.height == other_findings.height > 10
    content, other = (f.drop("file", "record") for f in (findings, other_findings))
    assert content.sort(pl.all()).equals(other.sort(pl.all())), "other findings"
    assert _differing(text, other_text) == []
    assert text == other_text
    assert content.equals(other), "the findings stand in another order"


def test_threads_change_no_byte_of_the_receipt_of_150_thousand_graduates(tmp_path: Path) -> None:
    """More rows than DuckDB hands to one thread at a time."""
    tables = together(*[reaches_the_gates(students(f"EX-{n:02d}", 26)) for n in range(10, 40)])
    folder = write_folder(tmp_path / "in", **tables)
    rows = pl.read_csv(folder / "graduates.csv", infer_schema=False)
    many = rows.select(pl.all().repeat_by(500).explode()).with_row_index("n")
    wage = pl.col("n") * 7919 % 400_000 + 100_000
    many.with_columns(
        pl.format("G{}", "n").alias("graduate_id"), wage.cast(pl.String).alias("monthly_wage")
    ).drop("n").write_csv(folder / "graduates.csv")
    texts = set()
    for threads in (1, 4):
        with _threads(threads):
            done = run(folder, tmp_path / f"out-{threads}")
        assert done.receipt["inputs"]["graduates"]["rows"] == 150_000
        texts.add((done.path / "receipt.json").read_bytes())
    assert len(texts) == 1
