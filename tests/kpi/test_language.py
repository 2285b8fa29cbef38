"""What a user reads: the catalogues against the code, and numbers, names and forms as they stand.

Where this fails after new sentences were written: translate them in data/locale/kk.po and ru.po.
"""

import ast
import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file

import kpi.language
from kpi.cells import CELL_CHECKS
from kpi.contract import TableContract
from kpi.dated import Names
from kpi.definitions import definition, people_selects
from kpi.errors import CallError, phrase
from kpi.language import (
    EXPECTED,
    LANGUAGES,
    SOURCE,
    Speaker,
    _pattern,
    catalogue_of,
    mark,
    speaker,
)
from kpi.resources import data_folder
from kpi.tables import TABLES
from kpi.terms import TERMS, term

ROOT = Path(__file__).parents[2]
TRANSLATED = [language for language in LANGUAGES if language != SOURCE]
KEYWORDS = {"say": (1,), "say_count": (1, 2), "mark": (1,), "phrase": (1,)}
SPOKEN = {"say": 1, "say_count": 2}
"""How many first arguments of a call are sentences."""

LANGUAGE_FREE: frozenset[str] = frozenset()
"""Sentences that are the same in all languages: formulas, abbreviations."""

KAZAKH_AS_RUSSIAN = frozenset(
    [
        "Bytes",
        "{count} file",
        "Audit",
        "Ranking",
        "Scenario",
        "auditor",
        "score",
        "Cluster",
        "coefficient",
        "college",
        "College",
        "Course",
        "{count} student",
        "director",
        "Journal",
        "league",
        "League",
        "norm",
        "Parameter",
        "Round",
        "scenario",
        "Score",
        "sport",
        "{count} student",
    ]
)
"""Sentences whose Kazakh words are also the Russian ones: коэффициент, колледж, лига, раунд."""

FORMS = {
    "kk": {0: 1, 1: 0, 2: 1, 5: 1, 11: 1, 21: 1},
    "ru": {0: 2, 1: 0, 2: 1, 4: 1, 5: 2, 11: 2, 12: 2, 21: 0, 22: 1, 25: 2, 100: 2, 111: 2},
}
"""Which form of the catalogue goes with a count."""

Sentence = tuple[str, ...]


def sources() -> list[Path]:
    """Every file that may speak; the app may not be there yet."""
    files = [
        path for folder in ("kpi", "funding", "views") for path in (ROOT / folder).rglob("*.py")
    ]
    return sorted(files) + [path for path in [ROOT / "app.py"] if path.exists()]


@cache
def said() -> dict[Sentence, str]:
    """Return each sentence that the code says (or singular and plural) or raises in an error, that
    a check finds or that the SQL defines a KPI by, and the first place.
    """
    found: dict[Sentence, str] = {}
    for path in sources():
        for line, message, _, _ in extract_from_file("python", str(path), keywords=KEYWORDS):
            sentence = (message,) if isinstance(message, str) else tuple(message)
            found.setdefault(sentence, f"{path.relative_to(ROOT)}:{line}")
    for path in sorted((ROOT / "sql" / "2_kpi").glob("*.sql")):
        told = definition(path.read_text(encoding="utf-8"))
        found.setdefault((told,), f"{path.relative_to(ROOT)}:1")
    for name, select in people_selects(ROOT / "sql").items():
        found.setdefault((definition(select),), f"sql/1_clean/{name}.sql:1")
    for path in errors_in():
        for line, sentence in Raised(path).sentences:
            found.setdefault((sentence,), f"{path.relative_to(ROOT)}:{line}")
    for sentence in CELL_CHECKS.values():
        found.setdefault((sentence,), "kpi/intake.py, CELL_CHECKS")
    for path in sorted((ROOT / "sql" / "checks").glob("*.sql")):
        [sentence] = re.findall(r"^-- message: (.+)$", path.read_text("utf-8"), re.MULTILINE)
        found.setdefault((sentence,), f"{path.relative_to(ROOT)}:2")
    for text, place in expected_texts().items():
        if not any(_pattern(form).fullmatch(text) for form in EXPECTED):
            found.setdefault((text,), place)
    return found


def expected_texts() -> dict[str, str]:
    """Return what findings expect, in English, and the first place: of cells, and of the checks
    whose SQL states it as one text.
    """
    found = {}
    for table in TABLES:
        contract = TableContract(table)
        for column in contract.types:
            found.setdefault(contract.expected(column), f"kpi/tables.py: {table}.{column}")
    for path in sorted((ROOT / "sql" / "checks").glob("*.sql")):
        for text in re.findall(r"^ *'([^']+)' AS expected$", path.read_text("utf-8"), re.MULTILINE):
            found.setdefault(text, str(path.relative_to(ROOT)))
    return found


@cache
def catalogue(language: str) -> Catalog:
    return catalogue_of(language)


def entries(language: str) -> dict[Sentence, Message]:
    return {
        (message.id,) if isinstance(message.id, str) else tuple(message.id): message
        for message in catalogue(language)
        if message.id
    }


def forms_of(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def places(sentence: str) -> set[tuple[str, str, str]]:
    """Return the ``{places}`` of a sentence, with how each is formatted."""
    parsed = Formatter().parse(sentence)
    return {(name, spec or "", how or "") for _, name, spec, how in parsed if name is not None}


# errors

RAISED = {"CallError": 0, "DataError": 0, "AccessError": 0, "refuse": 1}
"""What makes an error, and which of its arguments is the sentence."""

HANDED_ON = {
    "kpi/errors.py: '\\n'.join((str(error) for error in errors))": "each is said by itself",
    "kpi/reading/table.py: what": "the sentence of a caller of refuse",
    "kpi/journal.py: expected": "a phrase of a caller of _broken",
    "kpi/rank_report.py: nobody": "a phrase, one for each kind of filter",
    "funding/settlement.py: what": "a phrase: what the appropriation does not cover",
    "funding/settings.py: _EXPECTED[kind]": "a phrase, one for each type of value",
    "kpi/dated.py: _WRONG.get(model.__name__, phrase('The file is wrong.'))": "phrases",
    "kpi/pipeline.py: '; '.join((f'{t}.csv, needed by {why}' for t, why in missing.items()))": (
        "a list of files, each with the KPI that reads it"
    ),
}
"""Sentences of errors that do not stand where the error is made, and why not."""


def errors_in() -> list[Path]:
    """Every file whose errors the app may show; those of the command line and of what starts the
    app it never does.
    """
    silent = (ROOT / "kpi" / "cli.py", ROOT / "kpi" / "serving.py", ROOT / "app.py")
    return [path for path in sources() if path not in silent and "views" not in path.parts]


class Raised(ast.NodeVisitor):
    """Lists the literal sentences of the errors made in a file, and what is no sentence.

    A sentence is a literal or a phrase (which extraction finds); a list of names is none.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        self.sentences: list[tuple[int, str]] = []
        self.others: list[str] = []
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        place = RAISED.get(name or "")
        if place is not None:
            told = node.args[place : place + 1]
            told += [part.value for part in node.keywords if part.arg in ("do", "expected")]
            for part in told:
                self._look(part)
        self.generic_visit(node)

    def _look(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.sentences += [(node.lineno, node.value)] if node.value else []
        elif isinstance(node, ast.IfExp):
            self._look(node.body)
            self._look(node.orelse)
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                self._look(part)
        elif not _is_phrase(node) and not _is_list(node):
            self.others.append(f"{self.file}: {ast.unparse(node)}")


def _is_phrase(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("phrase", "mark")


def _is_list(node: ast.expr) -> bool:
    """Whether names are joined by commas: `", ".join(...)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "join"
        and isinstance(node.func.value, ast.Constant)
        and node.func.value.value == ", "
    )


def test_what_an_error_says_is_a_sentence_that_can_be_translated() -> None:
    others = {other for path in errors_in() for other in Raised(path).others}
    assert sorted(others - HANDED_ON.keys()) == []
    assert sorted(HANDED_ON.keys() - others) == [], "no longer needed"


@pytest.mark.parametrize(
    ("code", "sentences", "others"),
    [
        ("raise CallError('a', do='b', expected='c', found='d')", ["a", "b", "c"], 0),
        ("raise errors.DataError('a' if n else 'b')", ["a", "b"], 0),
        ("raise CallError(phrase('a {n}', n=1), expected=', '.join(names) or 'b')", ["b"], 0),
        ("raise CallError(f'a {n}')", [], 1),
        ("raise CallError('a', expected='one of ' + names)", ["a"], 1),
        ("raise ValueError(f'a {n}')", [], 0),
    ],
)
def test_the_rule_for_errors_sees_what_it_should(
    tmp_path: Path, code: str, sentences: list[str], others: int
) -> None:
    file = tmp_path / "code.py"
    file.write_text(code, encoding="utf-8")
    raised = Raised(file)
    assert [sentence for _, sentence in raised.sentences] == sentences
    assert len(raised.others) == others


def test_a_phrase_is_english_and_still_knows_what_fills_it() -> None:
    told = phrase("{count} errors have no waiver; nothing was published.", count=1_234)
    assert told == "1,234 errors have no waiver; nothing was published."
    assert "1\u00a0234" in speaker("ru").error(told)
    assert speaker("en").error(told) == told
    assert "errors" not in speaker("kk").error(told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_sentence_of_ours_stands_as_it_is(language: str) -> None:
    for text in ("/tmp/rounds/2025-26", "employment_rate, dual_share", "{braces}", ""):
        assert speaker(language).error(text) == text


def test_a_sentence_of_an_error_is_translated() -> None:
    assert speaker("en").error("The file cannot be read.") == "The file cannot be read."
    assert speaker("ru").error("The file cannot be read.") == "Файл не читается."


@pytest.mark.parametrize("language", TRANSLATED)
def test_everything_that_a_finding_expects_is_said_in_the_language(language: str) -> None:
    texts = [
        *expected_texts(),
        "a day not before 2025-09-01",
        "at most 12.5",
        "14 fields",
        "one row per college_id, specialty",
    ]
    assert [text for text in texts if speaker(language).error(text) == text] == []


def test_what_a_finding_expects_keeps_its_values() -> None:
    words = speaker("ru")
    assert words.error("one of urban, rural") == "одно из: urban, rural"
    assert words.error("1 to 300 characters") == "от 1 до 300 знаков"
    assert words.error("a day not before 2025-09-01") == "день не раньше 2025-09-01"
    assert words.error("from here to there") == "from here to there"


# the catalogues against the code


def test_the_code_says_something() -> None:
    assert len(said()) > 150
    assert ("rank {rank} of {of}",) in said()
    assert ("short by {count} graduate", "short by {count} graduates") in said()
    assert all((sentence,) in said() for sentence in TERMS.values())


def test_extraction_finds_every_sentence_that_stands_in_a_call() -> None:
    """It does not look into f-strings."""
    hidden = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.args[0].value}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in SPOKEN
        and isinstance(node.args[0], ast.Constant)
        and not any(sentence[0] == node.args[0].value for sentence in said())
    ]
    assert not hidden, "\n".join(hidden)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_in_the_catalogue(language: str) -> None:
    there = entries(language)
    missing = [
        f"{place}: {sentence}" for sentence, place in said().items() if sentence not in there
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_holds_nothing_that_no_code_says(language: str) -> None:
    unsaid = [sentence for sentence in entries(language) if sentence not in said()]
    assert not unsaid, "\n".join(map(str, unsaid))
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_holds_no_sentence_twice(language: str) -> None:
    text = (data_folder() / "locale" / f"{language}.po").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("msgid ")]
    twice = sorted({line for line in lines if lines.count(line) > 1})
    assert not twice, "\n".join(twice)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_entry_is_translated_for_good(language: str) -> None:
    open_ones = [
        sentence
        for sentence, message in entries(language).items()
        if message.fuzzy or not forms_of(message) or not all(forms_of(message))
    ]
    assert not open_ones, "\n".join(map(str, open_ones))


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_translation_has_the_places_of_its_sentence(language: str) -> None:
    wrong = [
        f"{sentence[-1]!r}: {form!r}"
        for sentence, message in entries(language).items()
        for form in forms_of(message)
        if places(form) != places(sentence[-1])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_counted_sentence_has_every_form(language: str) -> None:
    wanted = catalogue(language).num_plurals
    assert wanted == 1 + max(FORMS[language].values())
    wrong = [
        sentence
        for sentence, message in entries(language).items()
        if len(forms_of(message)) != (1 if len(sentence) == 1 else wanted)
    ]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_ends_as_its_sentence(language: str) -> None:
    """A full stop is there in all languages or in none; a space at the edge nowhere."""
    wrong = [
        f"{sentence[-1]!r}: {form!r}"
        for sentence, message in entries(language).items()
        for form in forms_of(message)
        if form != form.strip() or form.endswith(".") != sentence[-1].endswith(".")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_the_english_sentence(language: str) -> None:
    english = [
        sentence
        for sentence, message in entries(language).items()
        if set(forms_of(message)) & set(sentence) and not set(sentence) <= LANGUAGE_FREE
    ]
    assert not english, "\n".join(map(str, english))


def test_no_kazakh_translation_is_the_russian_one() -> None:
    kazakh, russian = entries("kk"), entries("ru")
    same = {
        sentence[0]
        for sentence in kazakh.keys() & russian.keys()
        if set(forms_of(kazakh[sentence])) & set(forms_of(russian[sentence]))
    }
    assert sorted(same - KAZAKH_AS_RUSSIAN - LANGUAGE_FREE) == []
    assert sorted(KAZAKH_AS_RUSSIAN - same) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_holds_a_latin_letter_among_cyrillic_ones(language: str) -> None:
    """A Latin c or i in a Kazakh word looks right and is found by no search."""
    mixed = [
        f"{form!r}: {word}"
        for message in entries(language).values()
        for form in forms_of(message)
        for word in "".join(c if c.isalpha() else " " for c in form).split()
        if any(c.isascii() for c in word) and any("Ѐ" <= c <= "ӿ" for c in word)
    ]
    assert not mixed, "\n".join(mixed)


# only sentences that extraction finds are ever said


class Spoken(ast.NodeVisitor):
    """Lists the sentences said in a module that extraction cannot have found.

    A sentence is a literal, ``mark("...")``, or comes from a table at the top of a module whose
    every value is marked: taken out by key, or walked over in a loop. A function that is itself
    called ``say`` may hand on its own parameter: its callers are looked at in its stead.
    """

    def __init__(self, tree: ast.Module, tables: dict[str, ast.expr]) -> None:
        self.tables = tables
        self.scopes: list[ast.AST] = [tree]
        self.wrong: list[tuple[int, str]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scopes.append(node)
        self.generic_visit(node)
        self.scopes.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        if isinstance(node.func, ast.Name) and node.func.id == "mark":
            sentences, wanted = node.args, 1
            fine = len(sentences) == 1 and _is_text(sentences[0])
        elif name in SPOKEN:
            sentences, wanted = node.args, SPOKEN[name]
            fine = len(sentences) >= wanted and all(
                self._is_marked(one) for one in sentences[:wanted]
            )
        else:
            fine = True
        if not fine:
            self.wrong.append((node.lineno, ast.unparse(node)))
        self.generic_visit(node)

    def _is_marked(self, node: ast.expr) -> bool:
        if _is_text(node) or _is_mark(node):
            return True
        if isinstance(node, ast.IfExp):
            return self._is_marked(node.body) and self._is_marked(node.orelse)
        if isinstance(node, ast.Subscript):
            table = self._table(node.value)
            return table is not None and all(map(_is_mark, _values(table)))
        return isinstance(node, ast.Name) and self._is_bound_to_marked(node.id)

    def _is_bound_to_marked(self, name: str) -> bool:
        if name in self.tables:
            return _is_mark(self.tables[name])
        scope = self.scopes[-1]
        if isinstance(scope, ast.FunctionDef) and name in _parameters(scope):
            return scope.name in SPOKEN
        bound = [fine for node in ast.walk(scope) for fine in self._bindings(node, name)]
        return bool(bound) and all(bound)

    def _bindings(self, node: ast.AST, name: str) -> Iterator[bool]:
        """Yield, for each way in which ``node`` binds the name, whether that is to marked text."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield self._is_marked(node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            place = _place(node.target, name)
            if place is not None:
                items = list(self._items(node.iter))
                yield bool(items) and all(_is_mark(_at(item, place)) for item in items)

    def _items(self, node: ast.expr) -> Iterator[ast.expr]:
        """Yield what a loop over the expression gives: of a table, or of a literal."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            table = self._table(node.func.value)
            if isinstance(table, ast.Dict):
                if node.func.attr == "values":
                    yield from table.values
                if node.func.attr == "items":
                    for key, value in zip(table.keys, table.values, strict=True):
                        yield ast.Tuple([key or value, value])
        elif isinstance(table := self._table(node) or node, ast.Tuple | ast.List):
            yield from table.elts

    def _table(self, node: ast.expr) -> ast.expr | None:
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
        return self.tables.get(name) if name else None


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_mark(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "mark"


def _values(table: ast.expr) -> list[ast.expr]:
    return table.values if isinstance(table, ast.Dict) else list(getattr(table, "elts", [table]))


def _parameters(function: ast.FunctionDef) -> set[str]:
    return {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}


def _place(target: ast.expr, name: str) -> tuple[int, ...] | None:
    """Return where in a loop's target a name stands: () for the target itself."""
    if isinstance(target, ast.Name):
        return () if target.id == name else None
    for number, part in enumerate(getattr(target, "elts", [])):
        if (place := _place(part, name)) is not None:
            return (number, *place)
    return None


def _at(item: ast.expr, place: tuple[int, ...]) -> ast.expr:
    for number in place:
        item = _values(item)[number] if isinstance(item, ast.Tuple | ast.List) else item
    return item


def _tables(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what stands at the top of a module under a name and holds marked text."""
    found = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and value and any(map(_is_mark, _expressions(value))):
            found[target.id] = value
    return found


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    return (part for part in ast.walk(node) if isinstance(part, ast.expr))


def unmarked(tree: ast.Module, elsewhere: dict[str, ast.expr]) -> list[tuple[int, str]]:
    """Return the line and the text of each call in a module that says what no extraction finds."""
    imported = {
        name.asname or name.name: elsewhere[name.name]
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in elsewhere
    }
    visitor = Spoken(tree, imported | _tables(tree))
    visitor.visit(tree)
    return visitor.wrong


def test_only_literals_and_marked_sentences_are_said() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}
    elsewhere = {name: table for tree in trees.values() for name, table in _tables(tree).items()}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {call}"
        for path, tree in trees.items()
        for line, call in unmarked(tree, elsewhere)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("code", "fine"),
    [
        ("words.say('a')", True),
        ("words.say('a' 'b')", True),
        ("words.say_count('a', 'b', n)", True),
        ("words.say('a' if n else 'b')", True),
        ("T = {'x': mark('a')}\nwords.say(T[key])", True),
        ("T = {'x': mark('a')}\nfor k, v in T.items():\n    words.say(v)", True),
        ("T = {'x': mark('a')}\n[words.say(v) for v in T.values()]", True),
        ("for t, n in ((mark('a'), 1), (mark('b'), 2)):\n    words.say(t)", True),
        ("def f():\n    t = mark('a')\n    return words.say(t)", True),
        ("def say(self, sentence):\n    return one.say(sentence)", True),
        ("words.say(f'a {n}')", False),
        ("words.say('a' + b)", False),
        ("words.say(name)", False),
        ("words.say(row.name)", False),
        ("words.say()", False),
        ("words.say_count('a', b, n)", False),
        ("words.say('a' if n else b)", False),
        ("mark(f'a {n}')", False),
        ("T = {'x': mark('a'), 'y': 'b'}\nwords.say(T[key])", False),
        ("T = {'x': mark('a')}\nfor k, v in T.items():\n    words.say(k)", False),
        ("for t, n in ((mark('a'), 1), ('b', 2)):\n    words.say(t)", False),
        ("def f(n):\n    t = mark('a')\n    t = n\n    return words.say(t)", False),
        ("def f(sentence):\n    return words.say(sentence)", False),
    ],
)
def test_the_rule_for_sentences_sees_what_it_should(code: str, fine: bool) -> None:
    assert (unmarked(ast.parse(code), {}) == []) is fine


# forms


@pytest.mark.parametrize(
    ("language", "count", "form"),
    [(language, count, form) for language in FORMS for count, form in FORMS[language].items()],
)
def test_a_count_takes_its_form(language: str, count: int, form: int) -> None:
    one, many = "short by {count} graduate", "short by {count} graduates"
    forms = forms_of(entries(language)[(one, many)])
    told = speaker(language).say_count(one, many, count)
    assert told == forms[form].format(count=count)


def test_the_forms_of_russian_nouns_are_those_of_speech() -> None:
    words = speaker("ru")
    told = {
        count: words.say_count(
            "{count} college moved to another league",
            "{count} colleges moved to another league",
            count,
        )
        for count in (1, 2, 5, 11, 21, 1_005)
    }
    assert told == {
        1: "1 колледж перешёл в другую лигу",
        2: "2 колледжа перешли в другую лигу",
        5: "5 колледжей перешли в другую лигу",
        11: "11 колледжей перешли в другую лигу",
        21: "21 колледж перешёл в другую лигу",
        1_005: "1\u00a0005 колледжей перешли в другую лигу",
    }
    missing = [
        words.say_count("short by {count} graduate", "short by {count} graduates", count)
        for count in (1, 2, 6, 11, 21)
    ]
    assert missing == [
        "не хватает 1 выпускника",
        "не хватает 2 выпускников",
        "не хватает 6 выпускников",
        "не хватает 11 выпускников",
        "не хватает 21 выпускника",
    ]


def test_a_kazakh_noun_after_a_number_stands_in_the_singular() -> None:
    words = speaker("kk")
    for count in (1, 2, 5, 11, 21):
        told = words.say_count("short by {count} graduate", "short by {count} graduates", count)
        assert told == f"{count} түлек жетіспейді"


def test_english_has_one_and_many() -> None:
    words = speaker("en")
    assert words.say_count("{count} college", "{count} colleges", 1) == "1 college"
    for count in (0, 2, 21):
        assert words.say_count("{count} college", "{count} colleges", count).endswith("colleges")


# numbers, shares, money, days


@pytest.mark.parametrize("language", TRANSLATED)
def test_numbers_have_no_break_spaces_and_a_decimal_comma(language: str) -> None:
    words = speaker(language)
    assert words.number(1_234_567) == "1\u00a0234\u00a0567"
    assert words.number(Decimal("1234.5")) == "1\u00a0234,5"
    assert words.number(-23_000) == "-23\u00a0000"
    assert words.percent(0.682) == "68,2\u00a0%"
    assert words.percent(Decimal("0.7"), places=0) == "70\u00a0%"
    assert words.percent(1) == "100,0\u00a0%"
    assert words.tenge(912_000) == "912\u00a0000\u00a0₸"
    assert words.tenge(268_400_000_000) == "268\u00a0400\u00a0000\u00a0000\u00a0₸"
    assert words.day(dt.date(2025, 10, 1)) == "01.10.2025"


def test_english_numbers_have_commas_and_a_point() -> None:
    words = speaker("en")
    assert words.number(1_234_567) == "1,234,567"
    assert words.number(Decimal("1234.5")) == "1,234.5"
    assert words.percent(0.682) == "68.2\u00a0%"
    assert words.tenge(912_000) == "912,000\u00a0₸"
    assert words.day(dt.date(2025, 10, 1)) == "01.10.2025"


@pytest.mark.parametrize(
    ("number", "places", "told"),
    [
        (Decimal("0.7"), None, "0,7"),
        (Decimal("0.70000000"), None, "0,7"),
        (Decimal("1.00000000"), None, "1"),
        (Decimal("0E-8"), None, "0"),
        (Decimal("100"), None, "100"),
        (Decimal("1E+3"), None, "1\u00a0000"),
        (Decimal("0.70175438"), None, "0,70175438"),
        (Decimal("99.007092"), 2, "99,01"),
        (Decimal("35"), 4, "35,0000"),
        (0.7, None, "0,7"),
        (219_036.0, None, "219\u00a0036"),
        (0.7, 2, "0,70"),
        (7, 2, "7,00"),
        (0, None, "0"),
    ],
)
def test_a_number_has_the_decimals_that_it_has_or_those_asked_for(
    number: float | Decimal, places: int | None, told: str
) -> None:
    assert speaker("ru").number(number, places) == told
    assert speaker("kk").number(number, places) == told


# languages and names


@pytest.mark.parametrize("language", ["de", "", "KK", "kk_KZ"])
def test_an_unknown_language_is_a_wrong_call(language: str) -> None:
    with pytest.raises(CallError, match="no such language") as caught:
        speaker(language)
    assert caught.value.exit_code == 2
    assert caught.value.parts["found"] == language
    assert all(known in caught.value.parts["expected"] for known in LANGUAGES)


def test_a_row_without_a_name_in_the_language_has_the_russian_one_marked_so() -> None:
    row: dict[str, Any] = {"name_kk": None, "name_ru": "Колледж № 1", "name_en": ""}
    assert speaker("kk").of(row) == "Колледж № 1 (ru)"
    assert speaker("en").of(row) == "Колледж № 1 (ru)"
    assert speaker("ru").of(row) == "Колледж № 1"
    assert speaker("kk").of(row | {"name_kk": "№ 1 колледж"}) == "№ 1 колледж"
    assert speaker("kk").of({"title_ru": "Сварщик"}, "title") == "Сварщик (ru)"


def test_a_name_of_a_dated_file_is_said_in_each_language() -> None:
    names = Names(kk="Сапа", ru="Качество", en="Quality")
    assert [speaker(one).name(names) for one in ("kk", "ru", "en")] == [
        "Сапа",
        "Качество",
        "Quality",
    ]


def test_a_code_is_said_as_a_term_and_an_unknown_one_as_it_stands() -> None:
    assert term(speaker("ru"), "small_cohort") == "малочисленная группа"
    assert term(speaker("en"), "small_cohort") == "small cohort"
    assert term(speaker("kk"), "employment_rate") == "employment_rate"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_term_is_said_without_english_and_without_a_gap(language: str) -> None:
    words = speaker(language)
    for code in TERMS:
        told = term(words, code)
        assert "[no" not in told
        assert not set("abcdefghijklmnoqrstuvwxyz") & set(told), told


def test_marking_changes_nothing() -> None:
    assert mark("by leagues") == "by leagues"


# what has no translation


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_sentence_without_translation_shows_as_missing(language: str) -> None:
    words = speaker(language)
    missing = f"[no {language} text] "
    assert words.say("Nobody translated {this}.", this="so") == f"{missing}Nobody translated so."
    assert words.say_count("{count} gap", "{count} gaps", 1) == f"{missing}1 gaps"
    assert words.say_count("{count} gap", "{count} gaps", 7) == f"{missing}7 gaps"


HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""


@pytest.fixture
def kazakh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a Kazakh speaker whose catalogue holds these entries only."""

    def with_entries(text: str) -> Speaker:
        (tmp_path / "locale").mkdir()
        (tmp_path / "locale" / "kk.po").write_text(f"{HEADER}\n{text}\n", encoding="utf-8")
        return Speaker("kk")

    monkeypatch.setattr(kpi.language, "data_folder", lambda: tmp_path)
    kpi.language._catalogue.cache_clear()
    kpi.language._plural.cache_clear()
    yield with_entries
    kpi.language._catalogue.cache_clear()
    kpi.language._plural.cache_clear()


@pytest.mark.parametrize(
    "entry",
    [
        'msgid "score"\nmsgstr ""',
        '#, fuzzy\nmsgid "score"\nmsgstr "балл"',
        '#~ msgid "score"\n#~ msgstr "балл"',
    ],
)
def test_an_empty_fuzzy_or_retired_translation_shows_as_missing(kazakh: Any, entry: str) -> None:
    assert kazakh(entry).say("score") == "[no kk text] score"


def test_a_translation_that_is_the_sentence_itself_is_a_translation(kazakh: Any) -> None:
    assert kazakh('msgid "KPI"\nmsgstr "KPI"').say("KPI") == "KPI"


def test_a_counted_sentence_without_one_of_its_forms_shows_as_missing(kazakh: Any) -> None:
    entry = (
        'msgid "{count} row"\nmsgid_plural "{count} rows"\nmsgstr[0] "{count} жол"\nmsgstr[1] ""'
    )
    words = kazakh(entry)
    assert words.say_count("{count} row", "{count} rows", 1) == "[no kk text] 1 rows"
    assert words.say_count("{count} row", "{count} rows", 2) == "[no kk text] 2 rows"
