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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of few but long tests: begun last, one keeps the whole run waiting."""
    long = ("test_people_apart.py", "test_wheel.py", "test_workbook_recalculated.py")
    items.sort(key=lambda item: item.path.name not in long and item.path.parent.name != "browser")


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
def astana_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The assessment of Astana's 23 colleges: points, no students, no funding."""
    folder = data_folder() / "astana-2024-25"
    store = tmp_path_factory.mktemp("astana_round")
    return run(folder, store, round_id="2024-25", methodology="assessment")


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
