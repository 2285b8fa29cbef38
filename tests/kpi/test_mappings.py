"""Mappings: what the shipped one knows, which version is in force, how a wrong one is refused."""

import datetime as dt
from pathlib import Path

import pytest
from exports import HEADINGS

from kpi.dated import load_file, versions
from kpi.errors import CallError
from kpi.layouts import contingent
from kpi.mappings import Heading, Mapping, heading_of, mapping_in_force

EXPORT = "contingent-export"
STATED = 'reference = "Form 1"\nstatus = "illustrative"\n'
IN_LINE = 'reference = "Form 1", status = "illustrative"'
PLAIN_COLUMNS = "".join(
    f'[[columns]]\ncolumn = "{name}"\nsources = [{{ attribute = "{name}" }}]\n{STATED}'
    for name in (
        *("student_id", "specialty", "course", "study_form", "funding_source", "enrolled_on"),
        *("academic_leave", "special_needs"),
    )
)
MAPPING = f"""
name = "small"
start = 2025-09-01
title = {{ kk = "Аты", ru = "Имя", en = "Name" }}
table = "students"
{STATED}
{PLAIN_COLUMNS}
"""
LANGUAGE = f"""
[[columns]]
column = "language"
{STATED}
[[columns.sources]]
attribute = "209"
take = "values"
values = [{{ value = "ru", texts = ["русский"], {IN_LINE} }}]
"""


def faults(tmp_path: Path, text: str) -> str:
    """What the error says of a mapping, which it names."""
    path = tmp_path / "2025-09-01.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CallError, match=r"The mapping is wrong\.") as caught:
        load_file(path, Mapping)
    assert caught.value.parts["where"] == str(path)
    return caught.value.parts["found"]


def test_a_small_mapping_is_right(tmp_path: Path) -> None:
    path = tmp_path / "2025-09-01.toml"
    path.write_text(MAPPING + LANGUAGE, encoding="utf-8")
    assert load_file(path, Mapping).columns[-1].column == "language"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("title", "titel"), "titel: Extra inputs are not permitted"),
        (('value = "ru"', 'value = "русский"'), "columns.language: the value русский is none of"),
        (('take = "values"', 'take = "lisst"'), "columns.8.sources.0.take"),
        (('take = "values"', 'take = "cell"'), "values: are given exactly where take is values"),
        (('["русский"]', '["русский", " Русский"]'), "values: the text: русский is given 2 times"),
        (('attribute = "209"\n', ""), "has neither attribute nor names"),
        (('column = "language"', 'column = "speech"'), "columns.speech: is no column to be read"),
        (('column = "language"', 'column = "college_id"'), "columns.college_id: is no column"),
        (('column = "language"', 'column = "course"'), "columns: course is given 2 times"),
        (('column = "course"', 'column = "left_on"'), "columns: course is missing"),
        (
            ("[[columns.sources]]", 'empty = "none"\n[[columns.sources]]'),
            "columns.language: the value none is none of kk, ru, en",
        ),
    ],
)
def test_a_wrong_mapping_names_the_place(
    tmp_path: Path, change: tuple[str, str], fault: str
) -> None:
    text = (MAPPING + LANGUAGE).replace(*change)
    assert text != MAPPING + LANGUAGE
    assert fault in faults(tmp_path, text)


def test_what_is_never_read_is_not_read_elsewhere(tmp_path: Path) -> None:
    never = '[[never_read]]\nreason = "personal"\ncolumns = [{ attribute = "course" }]\n'
    assert "never_read: [course] is read for course" in faults(tmp_path, MAPPING + never)


def test_headings() -> None:
    assert heading_of("Курс обучения [5802]") == Heading("курс обучения", "5802")
    assert heading_of(" Из числа  принятых: [5573] ") == Heading("из числа принятых", "5573")
    assert heading_of("ИИН") == Heading("иин", "")


def test_the_shipped_mapping_knows_every_column_of_the_export() -> None:
    assert contingent.knows(HEADINGS) == len(HEADINGS) == 35
    never = mapping_in_force(EXPORT, None).mapping.never_read
    [personal] = [group for group in never if group.reason == "personal"]
    shown = {place.shown for place in personal.columns}
    assert {"Фамилия", "Имя", "Отчество", "Дата рождения"} < shown
    assert "Тип местности проживания [246]" in shown, "of the student's home, not of the college"


def test_the_version_in_force_is_the_latest_that_has_started() -> None:
    first = versions("mappings", EXPORT)[0].stem
    assert str(mapping_in_force(EXPORT, dt.date(2025, 10, 1)).mapping.start) == first
    assert len(mapping_in_force(EXPORT, None).named["sha256"]) == 64
    with pytest.raises(CallError, match="No version of the mapping contingent-export is in force"):
        mapping_in_force(EXPORT, dt.date(2024, 10, 1))
