"""Errors that a user reads: what, where, found, expected, what to do (DESIGN §9).

They are raised in English, which the command line prints unless another language is asked for;
``Speaker.error`` of ``kpi.language`` says them in it. So ``what``, ``do`` and ``expected`` are
literal sentences, or phrases with places; tests/kpi/test_language.py holds them against the
catalogues.
"""

from collections.abc import Sequence


class Phrase(str):
    """A sentence with its places filled, which still knows them: it can be said in a language."""

    sentence: str
    values: dict[str, object]


def phrase(sentence: str, **values: object) -> Phrase:
    """Return a sentence of an error, its ``{name}`` places filled in English.

    A whole number is written with the separators of the language: give one that needs none, such
    as a year, as text.
    """
    shown = {name: f"{v:,}" if type(v) is int else v for name, v in values.items()}
    filled = Phrase(sentence.format(**shown))
    filled.sentence, filled.values = sentence, values
    return filled


class CallError(Exception):
    """The call is wrong: a name, an option, a methodology or a rule (exit code 2)."""

    exit_code = 2

    def __init__(
        self, what: str, *, where: str = "", found: str = "", expected: str = "", do: str = ""
    ) -> None:
        self.what = what
        self.parts = {"where": where, "found": found, "expected": expected, "do": do}
        self.each: tuple[CallError, ...] = (self,)
        super().__init__(str(self))

    def __str__(self) -> str:
        """Return the error as lines: the sentence, then each part that is known."""
        parts = [f"  {name}: {text}" for name, text in self.parts.items() if text]
        return "\n".join([self.what, *parts])


class DataError(CallError):
    """The data is wrong so that nothing can be computed from it (exit code 1)."""

    exit_code = 1


def all_of(errors: Sequence[DataError]) -> DataError:
    """Return several errors as one, whose ``each`` holds them; one alone stays as it is."""
    if len(errors) == 1:
        return errors[0]
    together = DataError("\n".join(str(error) for error in errors))
    together.each = tuple(errors)
    return together
