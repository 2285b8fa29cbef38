"""National contingent exports for tests: the form as it is seen in public, rows by hand.

A row is a dict of what a test names; other columns are as in ROW. Nobody in them is real.
"""

from collections.abc import Sequence
from pathlib import Path

HEADINGS = [
    "EI Контингента",
    "ID контингента",
    "ИИН",
    "Фамилия",
    "Имя",
    "Отчество",
    "Дата рождения",
    "Адрес постоянной регистрации на русском [6997]",
    "Вид зачисления [type_enrollment]",
    "Дата прибытия/зачисления [267]",
    "Сотовый телефон (номер) [6914]",
    "Электронный адрес (Е-mail) [6915]",
    "Из числа принятых, окончил(-а): [5573]",
    "Тип местности проживания [246]",
    "Срок обучения [6129]",
    "Дата окончания обучения по данной специальности [date_graduation_specialty]",
    "Курс обучения [5802]",
    "Дата начала курса [course_start_date]",
    "Дата окончания курса [course_end_date]",
    "Код группы [6159]",
    "Язык обучения [209]",
    "Форма обучения [5568]",
    "Специальность и классификатор (основной) [426]",
    "Специальность [speciality_a]",
    "Квалификация [qualification_a]",
    "Находится в академическом отпуске [6754]",
    "Успеваемость за семестр [7201]",
    "Сведения об общежитии [5560]",
    "Обучение за счет средств [6662]",
    "Назначена стипендия [447]",
    "Ребенок - сирота [251]",
    "Дети с инвалидностью и/или лица с инвалидностью [253]",
    "Из многодетной семьи [7822]",
    "Дата выбытия [269]",
    "Причина выбытия [5804]",
]
"""The columns of an export, in its order."""

ROW = {
    "ID контингента": "17",
    "ИИН": "060001500019",
    "Фамилия": "ФАМИЛИЯ-17",
    "Имя": "ИМЯ-17",
    "Отчество": "ОТЧЕСТВО-17",
    "Дата рождения": "2006-01-01",
    "Дата прибытия/зачисления [267]": "2023-09-01",
    "Сотовый телефон (номер) [6914]": "+7 000 000 17",
    "Тип местности проживания [246]": "село",
    "Срок обучения [6129]": "4 года",
    "Курс обучения [5802]": "3 курс",
    "Язык обучения [209]": "русский",
    "Форма обучения [5568]": "очная",
    "Специальность и классификатор (основной) [426]": (
        "4S06130103 Разработчик программного обеспечения"
    ),
    "Специальность [speciality_a]": "06130100 Программное обеспечение",
    "Квалификация [qualification_a]": "4S06130103 Разработчик программного обеспечения",
    "Находится в академическом отпуске [6754]": "нет",
    "Обучение за счет средств [6662]": "МБ",
    "Дети с инвалидностью и/или лица с инвалидностью [253]": "Нет",
}
"""A full-time student of the third course whom the local budget pays for."""


def export_text(rows: Sequence[dict[str, str]], headings: Sequence[str] = HEADINGS) -> str:
    """Return an export as text; where ``headings`` lacks a column of a row, it is left out."""
    lines = [[{**ROW, **row}.get(heading, "") for heading in headings] for row in rows]
    protected = ["\t".join(f'="{cell}"' for cell in line) for line in lines]
    return "\r\n".join(["\t".join(headings), *protected, ""])


def write_export(path: Path, *rows: dict[str, str], headings: Sequence[str] = HEADINGS) -> Path:
    """Write an export of one college: UTF-16 with its mark, tabs, CRLF, every cell as ="…"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(export_text(rows, headings).encode("utf-16"))
    return path
