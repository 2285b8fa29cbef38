"""The rounds that many tests read; each is computed once."""

from pathlib import Path

import hypothesis
import pytest
from inputs import run

from kpi.resources import data_folder
from kpi.rounds import Round

# the same examples on every machine, however slow: a red test is a fault, not a mood
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def example_folder() -> Path:
    """The input of the twelve worked colleges."""
    return data_folder() / "example"


@pytest.fixture(scope="session")
def example_round(example_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The twelve worked colleges under the rule `threshold`."""
    return run(example_folder, tmp_path_factory.mktemp("threshold"), rule="threshold")


@pytest.fixture(scope="session")
def example_round_leagues(example_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The twelve worked colleges under the rule `leagues`."""
    return run(example_folder, tmp_path_factory.mktemp("leagues"), rule="leagues")
