"""What `kpi run` says of a round, in the reader's language."""

import pytest

from kpi.language import LANGUAGES, speaker
from kpi.rounds import Round
from kpi.summary import print_round


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_round_is_told_in_the_readers_language(
    language: str, example_round: Round, capsys: pytest.CaptureFixture[str]
) -> None:
    """The figures are those of data/example/README.md: 122 of 155, 5 colleges, 60.8 million."""
    words = speaker(language)
    print_round(example_round, words)
    said = capsys.readouterr().out
    assert "[no " not in said, "every sentence has its words"
    for title in ("Top 10", "Leagues", "Funding"):
        assert words.say(title) in said
    assert words.say("{part} of {whole}", part="122", whole="155") in said
    assert words.tenge(60_800_000) in said
    if language != "en":
        assert not {"college", "national", "Funding", "norm", "league"} & {*said.split()}
