"""The printed page of a college: always one page, the same bytes, and data that are only data."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from inputs import run

from funding.one_page import laid_out, page_content, write_one_page
from kpi.errors import CallError
from kpi.language import LANGUAGES, speaker
from kpi.resources import data_folder
from kpi.rounds import Round

HOSTILE = [
    '#import "x"',
    "#panic()",
    "<script>alert(1)</script>",
    '=HYPERLINK("https://example.org","x")',
    "$x^2$",
    "*a* _b_ `c` @d \\ // e",
    '] #read("one_page.typ")',
]


def pages(pdf: bytes) -> int:
    """How many pages a PDF counts: the largest /Count of its page tree."""
    return max(int(count) for count in re.findall(rb"/Type\s*/Pages\s*/Count (\d+)", pdf) or [b"0"])


def text_of(pdf: bytes, folder: Path) -> str:
    """The text of a PDF, white space as single blanks."""
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext is not there to read the page")
    path = folder / "page.pdf"
    path.write_bytes(pdf)
    done = subprocess.run([tool, "-layout", path, "-"], capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


def content(done: Round, college_id: str = "EX-06", language: str = "en") -> dict[str, Any]:
    return page_content(done, college_id, speaker(language))


def test_it_says_what_the_college_gets_and_what_is_missing(
    example_round: Round, tmp_path: Path
) -> None:
    """EX-06: 4 of 25 in dual training, one short; 22 students at 437,000 = 9,614,000."""
    path = write_one_page(example_round, "EX-06", tmp_path / "one.pdf", "en")
    told = text_of(path.read_bytes(), tmp_path)
    assert "Worked example No. 6: higher medical college" in told
    assert "One gate is not passed" in told
    assert "16.0 % (4 of 25) against 20 %, short by 1 student" in told
    assert "9,614,000 ₸" in told
    assert "437,000 ₸" in told
    assert "DRAFT" in told
    assert "illustrative" in told
    assert "Rank 6 of 7" in told
    assert example_round.receipt_hash in told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("college_id", ["EX-01", "EX-03B", "EX-08", "EX-10"])
def test_every_college_has_one_page_in_every_language(
    example_round: Round, college_id: str, language: str, tmp_path: Path
) -> None:
    path = write_one_page(example_round, college_id, tmp_path / "one.pdf", language)
    assert pages(path.read_bytes()) == 1
    told = text_of(path.read_bytes(), tmp_path)
    assert "[no " not in told
    assert "None" not in told


def test_kazakh_letters_and_the_tenge_sign_are_printed(
    example_round: Round, tmp_path: Path
) -> None:
    letters = "әғқңөұүһі ӘҒҚҢӨҰҮҺІ ₸ № «»"
    made = laid_out(content(example_round, language="kk") | {"name": letters})
    assert letters in text_of(made, tmp_path)
    assert made.count(b"SourceSansPro") >= 1


def test_the_same_round_gives_the_same_bytes(example_round: Round, tmp_path: Path) -> None:
    first, second = (
        write_one_page(example_round, "EX-02", tmp_path / f"{number}.pdf", "kk").read_bytes()
        for number in range(2)
    )
    assert first == second
    assert b"CreationDate" not in first


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_looks_like_markup_only_appears(
    example_round: Round, name: str, tmp_path: Path
) -> None:
    made = laid_out(content(example_round) | {"name": name, "answer": name, "marks": [name]})
    assert pages(made) == 1
    assert " ".join(name.split()) in text_of(made, tmp_path)
    assert b"/URI" not in made


def test_a_very_long_name_stays_on_one_page(example_round: Round, tmp_path: Path) -> None:
    endless = content(example_round)
    endless["name"] = "Государственное коммунальное казённое предприятие " * 60
    endless["answer"] = "Ж" * 3000
    endless["kpis"] = [["длинный показатель " * 30, *row[1:]] for row in endless["kpis"]]
    assert pages(laid_out(endless)) == 1


def test_a_name_is_cut_where_nobody_reads_on(example_round: Round) -> None:
    assert len(content(example_round)["name"]) < 400


def test_a_round_without_money_has_a_page(tmp_path: Path) -> None:
    done = run(
        data_folder() / "astana-2024-25", tmp_path, methodology="assessment", round_id="2024-25"
    )
    path = write_one_page(done, "AST-20", tmp_path / "one.pdf", "ru")
    assert pages(path.read_bytes()) == 1
    assert "97,00" in text_of(path.read_bytes(), tmp_path)


def test_a_college_that_is_not_there_and_a_file_that_cannot_be_written(
    example_round: Round, tmp_path: Path
) -> None:
    with pytest.raises(CallError, match="No college"):
        write_one_page(example_round, "EX-99", tmp_path / "one.pdf")
    with pytest.raises(CallError, match="cannot be written"):
        write_one_page(example_round, "EX-01", tmp_path / "nowhere" / "one.pdf")
