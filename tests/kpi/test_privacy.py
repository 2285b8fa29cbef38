"""No number and no name of a person in what the product keeps, hands out or says.

People stand in every place of every table where somebody may type them; a round is run over them,
everything is exported, and every byte is searched: archives and workbooks unpacked, Parquet by its
texts too. What masking cannot know, a name in small letters in one word, is said in
docs/privacy.md.
"""

import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
import xlsxwriter
from inputs import (
    KEY,
    Row,
    accreditation,
    agreement,
    assessment,
    college,
    graduate,
    quiet,
    reaches_the_gates,
    student,
    students,
    write_folder,
    write_table,
)

from kpi import cli
from kpi.contract import TableContract
from kpi.control_digits import control_digit
from kpi.intake import read_inputs
from kpi.pseudonyms import KEY_VARIABLE, pseudonym
from kpi.rounds import Round

SURNAME, NAME, FATHERS = "Сынақбайұлы", "Өтірікхан", "Жоқадамқызы"
"""Names that nobody bears, and no text of the product holds."""

NAMES = [
    f"{SURNAME} {NAME}",
    f"{SURNAME} {NAME} {FATHERS}",
    f"{SURNAME.upper()} {NAME.upper()}",
    f"{SURNAME.lower()} {NAME.lower()}",
    f"{NAME} {FATHERS} {SURNAME[0]}.",
]


@dataclass
class People:
    """The numbers fed in; each new."""

    numbers: list[str] = field(default_factory=list)
    tried: int = 0

    def new(self) -> str:
        """A number of the form of an IIN whose control digit is right."""
        while True:
            self.tried += 1
            day, rest = 1 + self.tried % 28, self.tried // 28
            first = f"0503{day:02d}5{rest:04d}"
            digit = int(control_digit(np.array([int(first)]))[0])
            if 0 <= digit <= 9:
                self.numbers.append(first + str(digit))
                return self.numbers[-1]


def everywhere(table: str, people: People) -> Iterator[Row]:
    """Rows of a table with a person in each column in turn, by number and by name."""
    for column in TableContract(table).types:
        for text in (people.new(), f"{people.new()}, {NAMES[0]}", *NAMES):
            yield {**right_row(table, people), column: text}


def numbers_everywhere(table: str, people: People) -> Iterator[Row]:
    """Rows of a table of no people with somebody's number in each column in turn."""
    for column in TableContract(table).types:
        for text in (people.new(), f"№ {people.new()}"):
            yield {**right_row(table, people), column: text}


def right_row(table: str, people: People) -> Row:
    pupil = student(student_id=people.new())
    rows = {
        "students": pupil,
        "graduates": graduate(graduate_id=people.new()),
        "dual_agreements": agreement(pupil),
        "assessments": assessment(),
        "colleges": college(f"EX-{len(people.numbers)}"),
        "accreditations": accreditation(),
    }
    return rows[table]


def slipped(table: str, people: People) -> list[str]:
    """Lines of wrong length, with people in whatever place."""
    width = len(TableContract(table).types)
    lines = []
    for size in (width - 2, width + 1):
        for at in range(min(size, width)):
            cells = [""] * size
            cells[at] = people.new()
            cells[(at + 1) % size] = NAMES[at % len(NAMES)]
            lines.append(",".join(cells))
    return lines


def feed(folder: Path, people: People) -> Path:
    """An input of every format with people wherever they may stand."""
    own = [student(student_id=people.new()) for _ in range(30)]
    tables = reaches_the_gates(own)
    for table in ("students", "graduates", "dual_agreements"):
        tables[table] += everywhere(table, people)
    tables["assessments"] = []
    for table in ("colleges", "accreditations", "assessments"):
        tables[table] += numbers_everywhere(table, people)
    write_folder(folder, **tables)
    for table in ("students", "graduates", "dual_agreements", "colleges", "accreditations"):
        with (folder / f"{table}.csv").open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in slipped(table, people))
    _with_names(folder / "students-names.csv", people)
    _as_parquet(folder / "students-columns.parquet", people)
    _as_sheet(folder / "students-sheet.xlsx", people)
    _protected(folder / "students-wide.csv", people)
    _with_stray_quotes(folder / "graduates-quotes.csv", people)
    _contingent(folder / "contingent EX-01.csv", people)
    return folder


def _texts(rows: Iterable[Row], table: str) -> list[list[str]]:
    names = list(TableContract(table).types)
    cells = [[row.get(name) for name in names] for row in rows]
    text = [
        ["" if c is None else str(c).lower() if c in (True, False) else str(c) for c in row]
        for row in cells
    ]
    return [names, *text]


def _with_names(path: Path, people: People) -> None:
    """Columns that the table does not have, with the names of the people of its rows."""
    head, *rows = _texts([*students("EX-01", 3), *everywhere("students", people)], "students")
    lines = [[*head, "ФИО", "iin"], *[[*row, NAMES[1], people.new()] for row in rows]]
    path.write_text(
        "\n".join(";".join(cell.replace(";", " ") for cell in line) for line in lines),
        "cp1251",
        errors="replace",
    )


def _as_parquet(path: Path, people: People) -> None:
    write_table(path, "students", list(everywhere("students", people)))


def _as_sheet(path: Path, people: People) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Лист1")
        for at, row in enumerate(_texts(everywhere("students", people), "students")):
            sheet.write_row(at, 0, [*row, NAMES[2] if at else "ФИО"])


def _protected(path: Path, people: People) -> None:
    rows = _texts(everywhere("students", people), "students")
    lines = ["\t".join(f'="{cell}"' if cell.isdigit() else cell for cell in row) for row in rows]
    path.write_bytes("\r\n".join(lines).encode("utf-16"))


def _with_stray_quotes(path: Path, people: People) -> None:
    rows = _texts(everywhere("graduates", people), "graduates")
    lines = [",".join(row) for row in rows]
    lines[3] = '"' + lines[3]
    path.write_text("\n".join(lines), encoding="utf-8")


CONTINGENT = {
    "ID контингента": "1",
    "ИИН": "",
    "Фамилия": SURNAME,
    "Имя": NAME,
    "Отчество": FATHERS,
    "Дата рождения": "2005-09-01",
    "Адрес постоянной регистрации на русском [6997]": f"ул. {SURNAME}, 1",
    "Дата прибытия/зачисления [267]": "2023-09-01",
    "Сотовый телефон (номер) [6914]": "+7 000 000433",
    "Курс обучения [5802]": "3 курс",
    "Язык обучения [209]": "казахский",
    "Форма обучения [5568]": "очная",
    "Специальность [speciality_a]": "07140100 Специальность (условная)",
    "Квалификация [qualification_a]": "4S07140101 Квалификация (условная)",
    "Находится в академическом отпуске [6754]": "нет",
    "Обучение за счет средств [6662]": "МБ",
    "Дети с инвалидностью и/или лица с инвалидностью [253]": "нет",
    "Дата выбытия [269]": "",
    "Причина выбытия [5804]": "",
}
"""A row of the contingent export, as its sender has it."""


def _contingent(path: Path, people: People) -> None:
    """The export of a college, a person in each of its columns in turn."""
    rows = [{**CONTINGENT, "ИИН": people.new()} for _ in range(3)]
    for name in CONTINGENT:
        for text in (people.new(), f"{people.new()} {NAMES[0]}", *NAMES):
            rows.append({**CONTINGENT, "ИИН": people.new(), name: text})
    lines = [list(CONTINGENT), *[[f'="{cell}"' for cell in row.values()] for row in rows]]
    text = "\r\n".join("\t".join(line) for line in lines)
    path.write_bytes(text.encode("utf-16"))


# -------------------------------------------------------------------------------------- searching


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that a file holds, as bytes that can be searched."""
    raw = path.read_bytes()
    yield str(path), raw
    if path.suffix == ".parquet":
        rows = pl.read_parquet(path).rows()
        yield f"{path} rows", json.dumps(rows, default=str, ensure_ascii=False).encode()
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            for name in packed.namelist():
                yield f"{path} {name}", packed.read(name)


def found_in(folder: Path, raw: Iterable[str]) -> list[str]:
    """Where one of some texts stands below a folder, in UTF-8 or UTF-16."""
    one_of = re.compile(b"|".join(re.escape(text.encode()) for text in raw))
    wide = re.compile(b"|".join(re.escape(text.encode("utf-16-le")) for text in raw))
    return sorted(
        {
            f"{name}: {found[0]!r}"
            for path in folder.rglob("*")
            if path.is_file()
            for name, content in contents(path)
            if (found := one_of.search(content) or wide.search(content))
        }
    )


def numbers_in(folder: Path, numbers: Iterable[str]) -> list[str]:
    """Where one of some numbers stands below a folder, whatever stands before and behind it."""
    wanted = {number.encode() for number in numbers}
    return sorted(
        {
            f"{name}: {found[1]!r}"
            for path in folder.rglob("*")
            if path.is_file()
            for name, content in contents(path)
            for found in re.finditer(rb"(?=([0-9]{12}))", content.replace(b"\0", b""))
            if found[1] in wanted
        }
    )


@dataclass
class Fed:
    """What was fed in, and the folder of all that came out."""

    people: People
    input: Path
    out: Path


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> Fed:
    """The input of ``feed``, run, exported and checked by the command line; what it said is in
    ``said.txt``.
    """
    folder, out, people = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("out"), People()
    feed(folder, people)
    (out / "tmp").mkdir()
    store = ("--store", out / "rounds")
    round_ = ("--round", "2025-26")
    made = ("--methodology", "example")
    calls = [
        ("run", folder, *round_, *made, *store),
        ("check", folder, *round_, *made, "--to", out / "found.csv", "--language", "ru"),
        ("export", "--to", out / "tables", *store),
        ("export", "--package", "--to", out / "package", *store),
        ("counting-list", "EX-01", "--to", out / "list.xlsx", *store),
        ("explain", "EX-01", "--format", "json", *store),
        ("verify", *store),
    ]
    with pytest.MonkeyPatch.context() as patch, (out / "said.txt").open("w") as said:
        patch.setenv(KEY_VARIABLE, KEY.decode())
        patch.setattr("tempfile.tempdir", str(out / "tmp"))
        patch.setattr(sys, "stdout", said)
        patch.setattr(sys, "stderr", said)
        for call in calls:
            patch.setattr(sys, "argv", ["kpi", *map(str, call)])
            with pytest.raises(SystemExit) as caught:
                cli.main()
            assert caught.value.code in (0, 1), call
    return Fed(people, folder, out)


def test_the_input_holds_people_in_every_column(fed: Fed) -> None:
    """So that the search can fail: what is not found afterwards was there before."""
    assert len(fed.people.numbers) > 500
    found = found_in(fed.input, NAMES), numbers_in(fed.input, fed.people.numbers)
    of_people = ("students", "graduates", "dual_agreements", "contingent")
    for path in fed.input.iterdir():
        if path.name.startswith(of_people) and path.suffix == ".csv" and "names" not in path.name:
            assert all(any(path.name in line for line in lines) for lines in found), path
    told = (fed.out / "found.csv").read_text(encoding="utf-8")
    assert all(path.name in told for path in fed.input.iterdir()), "each was read, and had faults"
    read = Round(fed.out / "rounds" / "2025-26" / "draft-1").table("row_counts")
    assert read["rejected"].sum() > 300 and read["clean"].sum() > 50


def test_no_number_of_a_person_is_in_anything_that_came_out(fed: Fed) -> None:
    assert numbers_in(fed.out, fed.people.numbers) == []


def test_no_name_of_a_person_is_in_anything_that_came_out(fed: Fed) -> None:
    words = (SURNAME, NAME, FATHERS)
    spellings = [*words, *(word.upper() for word in words), *(word.lower() for word in words)]
    assert found_in(fed.out, spellings) == []


def test_nothing_is_left_in_the_temporary_folder(fed: Fed) -> None:
    assert list((fed.out / "tmp").iterdir()) == []


def test_a_person_has_one_pseudonym_in_every_format_and_table(tmp_path: Path) -> None:
    """The same number in CSV, UTF-16 with protected cells, XLSX and Parquet, as student, graduate,
    in an agreement and in a rejected row.
    """
    person = People().new()
    pupil = student(student_id=person)
    folder = write_folder(
        tmp_path,
        colleges=[],
        students=[pupil],
        dual_agreements=[agreement(pupil)],
        graduates=[graduate(graduate_id=person)],
    )
    wrong = _texts([student(student_id=person, course="x")], "students")
    write_table(folder / "students-2.parquet", "students", [pupil])
    (folder / "students-3.csv").write_bytes(
        "\r\n".join(
            "\t".join(f'="{c}"' if c == person else c for c in row) for row in wrong
        ).encode("utf-16")
    )
    with xlsxwriter.Workbook(folder / "students-4.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(_texts([pupil], "students")):
            sheet.write_row(at, 0, row)
    with duckdb.connect() as con:
        read_inputs(con, folder, KEY, quiet)
        found = con.execute(
            "SELECT student_id FROM raw_students UNION ALL SELECT graduate_id FROM raw_graduates"
            " UNION ALL SELECT student_id FROM raw_dual_agreements"
            " UNION ALL SELECT person_id FROM unreadable"
        ).fetchall()
    assert found == [(pseudonym(KEY, person),)] * 6
