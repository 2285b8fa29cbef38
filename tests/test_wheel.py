"""The wheel, installed where no checkout is: it carries its SQL and data and computes a round."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit

ROOT = Path(__file__).resolve().parent.parent
LENT = Path(streamlit.__file__).resolve().parents[1]
"""Where the environment of the tests has what the extra `app` needs."""


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


def test_the_wheel_carries_every_file_of_sql_data_and_the_app(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        packed = {
            name.removeprefix("kpi/_shipped/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("kpi/_shipped/")
        }
        others = {name.split("/")[0] for name in archive.namelist()}
    there = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for part in ("sql", "data", "views", "app.py", ".streamlit/config.toml")
        for path in [ROOT / part, *(ROOT / part).rglob("*")]
        if path.is_file() and path.suffix != ".pyc"
    }
    assert packed == there
    assert {name for name in others if not name.endswith(".dist-info")} == {"kpi", "funding"}


def test_the_installed_package_is_not_the_checkout(installed: Installed) -> None:
    code = "import kpi, funding, kpi.resources as r; print(kpi.__file__, r.sql_folder())"
    said = call([str(installed.bin / "python"), "-c", code], installed.folder)
    assert str(ROOT) not in said
    assert all(part.startswith(str(installed.bin.parent)) for part in said.split())


@pytest.fixture(scope="session")
def with_app(installed: Installed) -> Installed:
    """The same with what the extra `app` needs: lent by the environment of the tests, because a
    second installation of 400 MB would show nothing more. What is installed there itself wins.
    """
    [own] = (installed.bin.parent / "lib").glob("python3*/site-packages")
    (own / "lent.pth").write_text(f"{LENT}\n", encoding="utf-8")
    return installed


def test_without_its_extra_the_app_says_what_to_install(installed: Installed) -> None:
    code = (
        "import sys;"
        f" sys.path[:] = [one for one in sys.path if one != {str(LENT)!r}];"
        " from kpi.cli import main; sys.argv = ['kpi', 'app']; main()"
    )
    python = [str(installed.bin / "python"), "-c", code]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(python, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'pip install "college-kpi[app]"' in done.stderr


def test_the_app_draws_its_first_page_far_from_the_checkout(with_app: Installed) -> None:
    code = (
        "from streamlit.testing.v1 import AppTest; from kpi.resources import app_file;"
        " import kpi, sys;"
        " app = AppTest.from_file(str(app_file()), default_timeout=60).run();"
        " assert not app.exception, app.exception;"
        " print(kpi.__file__, app_file(), sys.modules['views.frame.here'].__file__);"
        " print(app.title[0].value)"
    )
    said = call([str(with_app.bin / "python"), "-c", code], with_app.folder).splitlines()
    assert str(ROOT) not in said[0]
    assert all(part.startswith(str(with_app.bin.parent)) for part in said[0].split())
    assert said[1]


def test_kpi_app_answers_with_its_own_configuration(with_app: Installed) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    server = subprocess.Popen(
        [str(with_app.bin / "kpi"), "app", "--port", str(port)],
        cwd=with_app.folder,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert answer(f"http://127.0.0.1:{port}/_stcore/health") == "ok"
        assert "<title>" in answer(f"http://127.0.0.1:{port}/overview")
        settings = json.loads(answer(f"http://127.0.0.1:{port}/_stcore/host-config"))
        assert settings
    finally:
        server.send_signal(signal.SIGTERM)
        said, _ = server.communicate(timeout=20)
    assert server.returncode == 0, said
    assert "Traceback" not in said


def answer(url: str) -> str:
    """Return what an address answers, as soon as somebody listens."""
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


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
