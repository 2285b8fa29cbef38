"""The last digit of an IIN or a BIN: worked by hand, in Python and in SQL the same."""

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from inputs import KEY, Row, agreement, college, graduate, plan, quiet, student, write_folder

from funding.run import check_inputs
from kpi.control_digits import control_digit, wrong_control_digits
from kpi.resources import sql_folder

WORKED = [
    # 8·2 + 7·5 + 7·6 + 5·7 + 2·10 = 16 + 35 + 42 + 35 + 20 = 148 = 13·11 + 5
    (8007750020, 5),
    # a leading 7 weighs 1
    (70000000000, 7),
    # a last 1 weighs 11: 0
    (1, 0),
    # a 1 in the tenth place weighs 10: weighed again, 1
    (10, 1),
    # 2·9 + 8·10 + 1·11 = 109 = 9·11 + 10; weighed again 2·11 + 8·1 + 1·2 = 32 = 2·11 + 10: none
    (281, -1),
]


@pytest.mark.parametrize(("base", "digit"), WORKED)
def test_the_digit_of_a_number(base: int, digit: int) -> None:
    assert control_digit(np.array([base])).tolist() == [digit]


def test_no_numbers_have_no_digits() -> None:
    assert control_digit(np.array([], dtype=np.int64)).tolist() == []


def test_sql_judges_every_number_as_python_does() -> None:
    """A hundred bases, each with all ten last digits."""
    bases = np.arange(99_004_000_000, 99_004_000_100, dtype=np.int64)
    numbers = (bases[:, None] * 10 + np.arange(10)).ravel()
    given = pl.DataFrame({"row_id": range(1000), "number": numbers}).with_columns(
        pl.col("number").cast(pl.String)
    )
    select = (sql_folder() / "checks" / "wrong_bin.sql").read_text(encoding="utf-8")
    with duckdb.connect() as con:
        con.register("given", given.to_arrow())
        con.execute(
            "CREATE TABLE raw_colleges AS SELECT row_id, number AS college_id,"
            " NULL::VARCHAR AS parent_id, NULL::VARCHAR AS successor_id FROM given"
        )
        for table in ("dual_agreements", "graduates"):
            con.execute(
                f"CREATE TABLE raw_{table}"
                " (row_id BIGINT, college_id VARCHAR, employer_bin VARCHAR)"
            )
        wrong = {row_id for _, row_id, *_ in con.execute(select).fetchall()}
    right = {
        int(place * 10 + digit) for place, digit in enumerate(control_digit(bases)) if digit >= 0
    }
    assert wrong == set(range(1000)) - right
    assert 80 < len(right) < 100, "most bases have a digit, and some have none"


def test_only_twelve_digits_are_judged() -> None:
    ids = ["080077500205", "080077500206", "08007750020", "0800775002055", "KZ-080077500", None]
    rows = pl.DataFrame({"row_id": range(6), "student_id": ids})
    found = wrong_control_digits("students", ["student_id"], rows)
    assert found.select("check_name", "row_id", "column_name").rows() == [
        ("wrong_control_digit", 1, "student_id")
    ]


def test_a_table_without_people_has_none() -> None:
    rows = pl.DataFrame({"row_id": [0], "college_id": ["990040000014"]})
    assert wrong_control_digits("colleges", [], rows).is_empty()


WRONG_IIN = "080077500206"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows with that number wherever a person's may stand, and rows that are right."""
    path = tmp_path_factory.mktemp("people") / "input"
    person: Row = student("EX-01", student_id=WRONG_IIN)
    return write_folder(
        path,
        colleges=[college("EX-01")],
        students=[person, student("EX-01", student_id="080077500205")],
        graduates=[graduate("EX-01", graduate_id=WRONG_IIN), graduate("EX-01")],
        dual_agreements=[agreement(person), agreement(person, employer_bin=WRONG_IIN)],
    )


def test_a_row_with_a_wrong_number_of_a_person_is_rejected_and_shows_it_nowhere(
    folder: Path,
) -> None:
    _, findings, counts = check_inputs(folder, plan(), KEY, quiet)
    told = findings.select("table_name", "record", "column_name", "check_name", "found").rows()
    assert set(told) == {
        ("students", 2, "student_id", "wrong_control_digit", "(12 characters)"),
        ("graduates", 2, "graduate_id", "wrong_control_digit", "(12 characters)"),
        ("dual_agreements", 2, "student_id", "wrong_control_digit", "(12 characters)"),
        ("dual_agreements", 3, "student_id", "wrong_control_digit", "(12 characters)"),
    }
    assert set(findings["severity"]) == {"error"}
    assert counts["rejected"].sum() == 4
    assert WRONG_IIN not in findings.write_csv()


def test_a_persons_number_as_an_employers_is_not_judged_and_not_shown(tmp_path: Path) -> None:
    """An entrepreneur has an IIN, no BIN: it becomes a pseudonym like any other."""
    owner = student("EX-01")
    folder = write_folder(
        tmp_path / "input",
        colleges=[college("EX-01")],
        students=[owner],
        dual_agreements=[agreement(owner, employer_bin=WRONG_IIN)],
    )
    _, findings, _ = check_inputs(folder, plan(), KEY, quiet)
    assert findings.is_empty()
