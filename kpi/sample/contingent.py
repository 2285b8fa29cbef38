"""The students in the form of the national contingent export: one file a campus.

UTF-16 with its mark, tabs, CRLF, every cell as ``="…"``. What students.csv has is written so that
data/mappings reads the same; what it has not (names, addresses) is plainly invented, by row number.
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from kpi.resources import data_folder

FOLDER = "contingent"

_FORMS = {"full_time": "очная", "part_time": "заочная", "evening": "вечерняя"}
_LANGUAGES = {"kk": "казахский", "ru": "русский", "en": "английский"}
_FUNDING = {
    "self_paid": "самофинансирование",
    "targeted_state_order": "целевой государственный заказ",
    "enterprise_paid": "за счет предприятия",
}
_REASONS = {
    "graduated": "окончание обучения",
    "transferred": "перевод в другую организацию",
    "expelled": "отчисление",
    "own_wish": "по собственному желанию",
    "other": "другое",
}
_CODE_DIGITS = 8


def write_contingents(
    folder: Path, students: pl.DataFrame, colleges: pl.DataFrame, progress: Callable[[str], None]
) -> list[Path]:
    """Write ``contingent/<region>/<college_id>.csv`` below ``folder`` and return the paths.

    ``students`` and ``colleges`` have the columns of the data contract, as text or typed; a college
    without students has no file.
    """
    regions = dict(colleges.select("college_id", "region").iter_rows())
    reference = data_folder() / "reference"
    specialties = _names(reference / "specialties.csv", "specialty")
    qualifications = _names(reference / "qualifications.csv", "code")
    numbered = students.with_row_index("n", offset=1)
    header = "\t".join(_columns(specialties, qualifications))
    line = _line(_columns(specialties, qualifications))
    paths = []
    for (college,), rows in numbered.group_by("college_id", maintain_order=True):
        path = folder / FOLDER / regions[str(college)] / f"{college}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\r\n".join([header, *rows.select(line).to_series(), ""])
        path.write_bytes(text.encode("utf-16"))
        paths.append(path)
    progress(f"{FOLDER}: {students.height} rows in {len(paths)} files")
    return paths


def _names(path: Path, code: str) -> dict[str, str]:
    names = pl.read_csv(path, infer_schema=False).select(code, "name_ru")
    return dict(names.drop_nulls().iter_rows())


def _line(columns: dict[str, pl.Expr]) -> pl.Expr:
    """Return a row as one text; empty cells are protected as the others."""
    cells = [cell.cast(pl.String).fill_null("") for cell in columns.values()]
    return pl.concat_str(pl.lit('="'), pl.concat_str(cells, separator='"\t="'), pl.lit('"'))


def _columns(specialties: dict[str, str], qualifications: dict[str, str]) -> dict[str, pl.Expr]:
    """Return the export's columns in its order, out of those of students.csv and ``n``."""
    number = pl.col("n").cast(pl.String).str.zfill(6)
    enrolled = pl.col("enrolled_on")
    course = pl.col("course").cast(pl.String)
    specialty = _named("specialty", specialties, "Специальность (условная)")
    qualification = _named("qualification", qualifications, "Квалификация (условная)")
    return {
        "EI Контингента": pl.format("EI-{}", number),
        "ID контингента": pl.col("record_no"),
        "ИИН": pl.col("student_id"),
        "Фамилия": pl.format("ФАМИЛИЯ-{}", number),
        "Имя": pl.format("ИМЯ-{}", number),
        "Отчество": pl.format("ОТЧЕСТВО-{}", number),
        "Дата рождения": enrolled.dt.offset_by("-16y"),
        "Адрес постоянной регистрации на русском [6997]": pl.format("условный адрес {}", number),
        "Вид зачисления [type_enrollment]": pl.lit("на общих основаниях"),
        "Дата прибытия/зачисления [267]": enrolled,
        "Сотовый телефон (номер) [6914]": pl.format("+7 000 {}", number),
        "Электронный адрес (Е-mail) [6915]": pl.format("student-{}@example.invalid", number),
        "Из числа принятых, окончил(-а): [5573]": pl.lit("основную среднюю школу"),
        "Тип местности проживания [246]": _by_number(["город", "село", "село"]),
        "Срок обучения [6129]": pl.lit("4 года"),
        "Дата окончания обучения по данной специальности [date_graduation_specialty]": (
            enrolled.dt.offset_by("4y")
        ),
        "Курс обучения [5802]": pl.format("{} курс", course),
        "Дата начала курса [course_start_date]": pl.lit("2025-09-01"),
        "Дата окончания курса [course_end_date]": pl.lit("2026-06-30"),
        "Код группы [6159]": pl.format("{}-{}", pl.col("specialty").str.head(4), course),
        "Язык обучения [209]": pl.col("language").replace(_LANGUAGES),
        "Форма обучения [5568]": pl.col("study_form").replace(_FORMS),
        "Специальность и классификатор (основной) [426]": qualification,
        "Специальность [speciality_a]": specialty,
        "Квалификация [qualification_a]": qualification,
        "Находится в академическом отпуске [6754]": (
            pl.when("academic_leave").then(pl.lit("по состоянию здоровья")).otherwise(pl.lit("нет"))
        ),
        "Успеваемость за семестр [7201]": pl.lit("хорошо"),
        "Сведения об общежитии [5560]": pl.lit("не проживает"),
        "Обучение за счет средств [6662]": (
            pl.when(pl.col("funding_source") == "state_order")
            .then(_by_number(["МБ", "МБ", "МБ", "РБ"]))
            .otherwise(pl.col("funding_source").replace(_FUNDING))
        ),
        "Назначена стипендия [447]": _by_number(["Да", "Нет"]),
        "Ребенок - сирота [251]": pl.lit("Нет"),
        "Дети с инвалидностью и/или лица с инвалидностью [253]": (
            pl.when("special_needs")
            .then(_by_number(["Да", "да"]))
            .otherwise(_by_number(["Нет", "нет"]))
        ),
        "Из многодетной семьи [7822]": _by_number(["Нет", "Нет", "Да"]),
        "Дата выбытия [269]": pl.col("left_on"),
        "Причина выбытия [5804]": pl.col("left_reason").replace(_REASONS),
    }


def _named(column: str, names: dict[str, str], other: str) -> pl.Expr:
    """Return a code with its name, as the export writes it: ``06130100 Программное …``."""
    code = pl.col(column)
    name = code.str.tail(_CODE_DIGITS).replace_strict(names, default=other, return_dtype=pl.String)
    return pl.format("{} {}", code, name.str.replace_all('"', "'", literal=True))


def _by_number(texts: list[str]) -> pl.Expr:
    """Return the texts in turn."""
    return pl.lit(pl.Series(texts)).gather(pl.col("n") % len(texts))
