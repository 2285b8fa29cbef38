"""The small round that the tests of scenarios, paths and reports read; it is computed once."""

import pytest
from small_rounds import Varied, make_varied


@pytest.fixture(scope="session")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Varied:
    """A round in which every parameter matters to somebody."""
    return make_varied(tmp_path_factory.mktemp("varied"))
