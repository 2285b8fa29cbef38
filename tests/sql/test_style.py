"""What every file of sql/ must look like (DESIGN §3 "SQL"), and the order in which they run."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from inputs import KEY, plan, quiet, write_folder

from funding.run import check_rows
from kpi.dated import load_file
from kpi.intake import read_inputs
from kpi.methodology import Methodology
from kpi.pipeline import Select, connect, in_order, read_selects, run_selects, tables_read
from kpi.resources import data_folder, sql_folder

FILES = sorted(sql_folder().rglob("*.sql"))
CHECKS = [path for path in FILES if path.parent.name == "checks"]
KPIS = [path for path in FILES if path.parent.name == "2_kpi"]
FOLDERS = (
    *("1_clean", "2_kpi", "3_profile", "4_funding", "5_totals", "6_doubts"),
    *("7_rejected", "7_signs"),
)
METHODOLOGIES = sorted((data_folder() / "methodology").rglob("*.toml"))

KEYWORDS = set(
    """select from where join left right full inner outer cross anti semi on using group by order
    having limit as and or not in is null case when then else end union all distinct with recursive
    between like interval over partition filter exists values asc desc true false cast grouping
    sets""".split()
)


def _name(path: Path) -> str:
    return path.relative_to(sql_folder()).as_posix()


def _code(path: Path) -> str:
    """The text without comments and without what stands in quotes."""
    text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    return re.sub(r"'[^']*'|\"[^\"]*\"", "''", text)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def clean_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A working database with the clean tables of an empty input."""
    folder = tmp_path_factory.mktemp("empty")
    connection = connect(folder)
    read_inputs(connection, write_folder(folder / "input"), KEY, quiet)
    check_rows(connection, plan())
    run_selects(connection, read_selects(connection, sql_folder() / "1_clean"))
    yield connection
    connection.close()


def _tree(con: duckdb.DuckDBPyConnection, text: str) -> Any:
    [(tree,)] = con.execute("SELECT json_serialize_sql($1)", [text]).fetchall()
    return json.loads(tree)["statements"][0]["node"]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_is_one_select_and_nothing_else(path: Path, con: duckdb.DuckDBPyConnection) -> None:
    assert tables_read(con, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", "DROP TABLE colleges", "SELEC 1", ""])
def test_what_is_not_one_select_is_refused(text: str, con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match=r"."):
        tables_read(con, text)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_opens_with_a_comment_that_says_what_one_row_is(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = [line for line in lines[: lines.index(_first_code(lines))] if line.strip()]
    assert comment, "no comment"
    assert all(line.startswith("-- ") for line in comment)
    assert any(line.startswith("-- One row per ") for line in comment)


def _first_code(lines: list[str]) -> str:
    return next(line for line in lines if line.strip() and not line.startswith("--"))


@pytest.mark.parametrize("path", CHECKS, ids=_name)
def test_a_check_states_its_severity_and_the_sentence_that_the_user_reads(path: Path) -> None:
    check = Select(path.stem, path.read_text(encoding="utf-8"), frozenset())
    assert check.header("severity") in ("error", "warning")
    message = check.header("message")
    assert message.endswith("."), "the message is a sentence"
    assert set(re.findall(r"{(\w+)}", message)) <= {"found", "expected", "column"}


@pytest.mark.parametrize("path", CHECKS, ids=_name)
def test_a_check_returns_what_a_finding_needs(path: Path, con: duckdb.DuckDBPyConnection) -> None:
    columns = _result_columns(con, path.read_text(encoding="utf-8"))
    assert columns == ["table_name", "row_id", "college_id", "column_name", "found", "expected"]


def _result_columns(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    return [
        column["alias"] or column["column_names"][-1] for column in _tree(con, text)["select_list"]
    ]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_names_every_column_of_its_result(
    path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    node = _tree(con, path.read_text(encoding="utf-8"))
    assert node["type"] == "SELECT_NODE"
    assert not [column for column in node["select_list"] if column["class"] == "STAR"]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_nothing_in_a_file_depends_on_the_order_of_rows_or_of_adding(path: Path) -> None:
    code = _code(path).lower()
    unordered = ("avg(", "mean(", "any_value(", "first(", "last(", "list(", "array_agg(")
    assert not [name for name in (*unordered, "string_agg(", "random(") if name in code]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_keywords_are_in_upper_case(path: Path) -> None:
    words = re.findall(r"(?<![.\w])[A-Za-z_]\w*(?!\w|\()", _code(path))
    assert not [word for word in words if word.lower() in KEYWORDS and not word.isupper()]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_is_of_the_width_of_the_code_and_ends_with_one_line_end(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert not [line for line in lines if len(line) > 100 and not line.startswith("--")]
    assert not [line for line in lines if line != line.rstrip() or "\t" in line]
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert ";" not in _code(path)


@pytest.mark.parametrize("path", KPIS, ids=_name)
def test_a_kpi_returns_college_numerator_and_denominator(
    path: Path, clean_database: duckdb.DuckDBPyConnection
) -> None:
    text = path.read_text(encoding="utf-8")
    found = [row[0] for row in clean_database.execute(f"DESCRIBE {text}").fetchall()]
    for_many = ["kpi"] if path.stem == "assessment_points" else []
    assert found == [*for_many, "college_id", "numerator", "denominator"]


@pytest.mark.parametrize("path", METHODOLOGIES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_every_kpi_of_a_shipped_methodology_has_its_file(path: Path) -> None:
    kpis = load_file(path, Methodology).kpis
    assert not {_file_of(kpi.kind, kpi.code) for kpi in kpis} - {kpi.stem for kpi in KPIS}


def test_every_kpi_file_is_used_by_a_shipped_methodology() -> None:
    used = {
        _file_of(kpi.kind, kpi.code)
        for path in METHODOLOGIES
        for kpi in load_file(path, Methodology).kpis
    }
    assert {path.stem for path in KPIS} == used


def _file_of(kind: str, code: str) -> str:
    return "assessment_points" if kind == "points" else code


def test_no_two_files_make_a_table_of_one_name() -> None:
    stems = [path.stem for path in FILES]
    assert len(stems) == len(set(stems))


# ---- the order in which the files run ----


def _select(table: str, *reads: str) -> Select:
    return Select(table, "", frozenset(reads))


def test_a_table_stands_after_all_that_it_reads() -> None:
    given = [_select("c", "a", "b"), _select("b", "a", "raw_x"), _select("a", "raw_x")]
    assert [select.table for select in in_order(given)] == ["a", "b", "c"]


def test_the_shipped_files_stand_after_all_that_they_read(con: duckdb.DuckDBPyConnection) -> None:
    for folder in FOLDERS:
        selects = read_selects(con, sql_folder() / folder)
        own = {select.table for select in selects}
        made: set[str] = set()
        for select in in_order(reversed(selects)):
            assert select.reads & own <= made, select.table
            made.add(select.table)


def test_no_folder_reads_what_a_later_folder_makes(con: duckdb.DuckDBPyConnection) -> None:
    folders = {name: read_selects(con, sql_folder() / name) for name in FOLDERS}
    later: set[str] = set()
    for selects in reversed(folders.values()):
        for select in selects:
            assert not select.reads & later, select.table
        later |= {select.table for select in selects}


def test_a_circle_is_named() -> None:
    circle = [_select("a", "b"), _select("b", "c"), _select("c", "a"), _select("d", "a")]
    with pytest.raises(ValueError, match="in a circle") as error:
        in_order(circle)
    assert all(f"'{table}'" in str(error.value) for table in "abc")
    assert "'d'" not in str(error.value)


def test_a_table_that_reads_itself_is_a_circle() -> None:
    with pytest.raises(ValueError, match="in a circle"):
        in_order([_select("a", "a")])


def test_what_a_select_reads_are_its_tables_without_its_own_steps(
    con: duckdb.DuckDBPyConnection,
) -> None:
    text = """
        WITH RECURSIVE step AS (SELECT id FROM one UNION ALL SELECT id FROM step, two)
        SELECT id, (SELECT max(id) FROM three) AS most
        FROM step
        WHERE id NOT IN (SELECT id FROM four) AND EXISTS (SELECT 1 FROM main.five)
    """
    assert tables_read(con, text) == {"one", "two", "three", "four", "five"}
