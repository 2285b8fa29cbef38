"""The wheel, installed where no checkout is: it carries its SQL and data and computes a round."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Installed:
    """The wheel, the command installed from it, and an empty folder to work in."""

    wheel: Path
    bin: Path
    folder: Path

    def call(self, *words: str, code: int = 0) -> str:
        return call([str(self.bin / "kpi"), *words], self.folder, code)


def call(words: Sequence[str], cwd: Path, code: int = 0) -> str:
    """Run a command in a folder, with nothing of the checkout on its path."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["KPI_PSEUDONYM_KEY"] = "a key for the test of the wheel"
    done = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, (words, done.stdout[-2_000:], done.stderr[-2_000:])
    return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel built from this checkout and installed into a fresh environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    call(build, folder)
    [wheel] = folder.glob("*.whl")
    call([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    bin_folder = folder / "venv" / "bin"
    pip = [str(bin_folder / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    call([*pip, "--quiet", "--no-compile", str(wheel)], folder)
    work = folder / "work"
    work.mkdir()
    return Installed(wheel, bin_folder, work)


def test_the_wheel_carries_every_file_of_sql_and_data(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        packed = {
            name.removeprefix("kpi/_shipped/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("kpi/_shipped/")
        }
        others = {name.split("/")[0] for name in archive.namelist()}
    there = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for part in ("sql", "data")
        for path in (ROOT / part).rglob("*")
        if path.is_file()
    }
    assert packed == there
    assert {name for name in others if not name.endswith(".dist-info")} == {"kpi", "funding"}


def test_the_installed_package_is_not_the_checkout(installed: Installed) -> None:
    code = "import kpi, funding, kpi.resources as r; print(kpi.__file__, r.sql_folder())"
    said = call([str(installed.bin / "python"), "-c", code], installed.folder)
    assert str(ROOT) not in said
    assert all(part.startswith(str(installed.bin.parent)) for part in said.split())


def test_a_sample_and_a_round_are_made_far_from_the_checkout(installed: Installed) -> None:
    installed.call("sample", "made", "--colleges", "30", "--students", "2000")
    said = installed.call("run", "made", "--round", "2025-26")
    assert "rounds/2025-26/draft-1" in said
    draft = installed.folder / "rounds" / "2025-26" / "draft-1"
    frozen = {path.name for path in (draft / "sql").rglob("*.sql")}
    assert frozen == {path.name for path in (ROOT / "sql").rglob("*.sql")}
    assert "rank" in installed.call("rank", "--top", "3")
    installed.call("export", "--to", "out")
    assert list((installed.folder / "out").glob("*.xlsx"))


def test_the_shipped_examples_can_be_run_from_the_package(installed: Installed) -> None:
    code = "from kpi.resources import data_folder; print(data_folder())"
    data = Path(call([str(installed.bin / "python"), "-c", code], installed.folder).strip())
    store = ["--store", "examples"]
    said = installed.call(
        "run", str(data / "example"), "--round", "2025-26", "--methodology", "example", *store
    )
    assert "156,940,000" in said
    astana = ["--round", "2024-25", "--methodology", "assessment"]
    assert "97.00" in installed.call("run", str(data / "astana-2024-25"), *astana, *store)
