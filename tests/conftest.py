"""The rounds that many tests read; each is computed once."""

from pathlib import Path

import hypothesis
import pytest
from inputs import run, write_folder
from publications import SIGNATURE, publish_draft, sound, with_errors

from funding.publish import attach
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


@pytest.fixture(scope="session")
def published_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a published version that is signed, and a newer draft with errors; to be copied
    by who would change it.
    """
    folder = tmp_path_factory.mktemp("published")
    store = folder / "rounds"
    run(write_folder(folder / "first", **sound()), store)
    publish_draft(store)
    signature = folder / SIGNATURE
    signature.write_bytes(b"-----BEGIN SIGNED MESSAGE-----\n" * 3)
    attach(store, None, signature, "А. Примерова")
    run(write_folder(folder / "second", **with_errors()), store)
    return store
