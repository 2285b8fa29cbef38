"""Every page for every role in every language, on the example round."""

import pytest
from screens import Open, texts

from kpi.access import PAGES, Role
from kpi.language import LANGUAGES

ALL = sorted({page for pages in PAGES.values() for page in pages})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("page", ALL)
def test_a_page_opens_or_refuses_and_says_all_of_it_in_the_language(
    open_page: Open, page: str, role: Role, language: str
) -> None:
    app = open_page(page, role, language)
    assert not app.exception
    assert len(app.title) == 1, "a page opens with one sentence"
    told = texts(app)
    assert f"[no {language} text]" not in told, "something is not translated"
    refused = {"en": "not for your role", "ru": "не для вашей роли", "kk": "рөліңізге арналмаған"}
    assert (refused[language] in told) == (page not in PAGES[role])
