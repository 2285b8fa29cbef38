"""What must hold before the app starts: `kpi app` refuses everything that would open by mistake."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpi import serving
from kpi.errors import CallError
from kpi.serving import is_loopback, serve

SIGN_IN = {
    "redirect_uri": "https://kpi.example.org/oauth2callback",
    "cookie_secret": "s" * 48,
    "client_id": "kpi",
    "client_secret": "x",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}
PEOPLE = '[[people]]\nemail = "a@example.org"\nrole = "ministry"\n'


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.0.1:8501", "127.8.9.1", "localhost", "LOCALHOST:80", "::1", "[::1]:8501"],
)
def test_an_address_of_this_machine(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            None,
            "",
            "0.0.0.0",
            "::",
            "[::]:8501",
            "192.168.1.4",
            "kpi.example.org",
            "unix:///tmp/s",
        ),
        *("localhost.evil.example", "127.0.0.1.evil.example", "evil.example@127.0.0.1", "127.1"),
        *("127.0.0.1/x", "[::1", "localhost:x@evil.example", "127.0.0.1:80:90"),
    ],
)
def test_an_address_of_another_machine_or_none_at_all(address: str | None) -> None:
    assert not is_loopback(address)


# ------------------------------------------------------------------- in a process of its own


Start = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Call ``kpi app`` with options in an empty folder; it must end by itself."""

    def called(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", "from kpi.cli import main; main()", "app", *words],
            cwd=tmp_path,
            env=os.environ | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return called


def write_secrets(folder: Path, **changed: str | None) -> str:
    """Write a file of secrets with a whole section [auth] but for what is changed or None."""
    lines = [f'{name} = "{text}"' for name, text in (SIGN_IN | changed).items() if text is not None]
    path = folder / "secrets.toml"
    path.write_text("\n".join(["[auth]", *lines]), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.4", "kpi.example.org"])
def test_without_sign_in_no_other_address_than_this_machines_is_served(
    start: Start, address: str
) -> None:
    done = start("--address", address)
    assert done.returncode == 2
    assert "Without sign-in the app serves this machine alone." in done.stderr
    assert "127.0.0.1" in done.stderr


def test_a_file_of_secrets_that_is_not_there_or_no_toml_is_refused(
    start: Start, tmp_path: Path
) -> None:
    assert "is not there" in start("--secrets", "nowhere.toml").stderr
    (tmp_path / "broken.toml").write_text("[auth\n", encoding="utf-8")
    done = start("--secrets", "broken.toml")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


def test_a_broken_file_in_streamlits_own_place_is_no_missing_sign_in(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth\n", encoding="utf-8")
    done = start()
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_id": None}, "client_id"),
        ({"cookie_secret": None}, "cookie_secret"),
        ({"cookie_secret": "short"}, "can be guessed"),
        ({"redirect_uri": None}, "redirect_uri"),
        ({"redirect_uri": "http://kpi.example.org/oauth2callback"}, "others can read"),
    ],
)
def test_a_sign_in_that_protects_nothing_is_refused(
    start: Start, tmp_path: Path, changed: dict[str, str | None], said: str
) -> None:
    (tmp_path / "access.toml").write_text(PEOPLE, encoding="utf-8")
    done = start("--secrets", write_secrets(tmp_path, **changed))
    assert done.returncode == 2
    assert said in done.stderr


def test_with_sign_in_the_table_of_people_must_be_readable(start: Start, tmp_path: Path) -> None:
    secrets = write_secrets(tmp_path)
    done = start("--secrets", secrets, "--address", "0.0.0.0")
    assert done.returncode == 2
    assert "table of people cannot be read" in done.stderr
    (tmp_path / "wrong.toml").write_text(PEOPLE.replace("ministry", "king"), encoding="utf-8")
    done = start("--secrets", secrets, "--access", "wrong.toml")
    assert done.returncode == 2
    assert "table of people is wrong" in done.stderr
    assert "king" in done.stderr


def test_a_port_that_is_taken_is_said(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = start("--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "cannot listen" in done.stderr


def test_a_store_that_is_a_file_is_said(start: Start, tmp_path: Path) -> None:
    (tmp_path / "rounds").write_text("")
    assert "no folder" in start().stderr


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(CallError, match=r'pip install "college-kpi\[app\]"') as caught:
        serve(tmp_path, "127.0.0.1", 8501, tmp_path, None)
    assert caught.value.exit_code == 2


@pytest.fixture
def free_port() -> Iterator[int]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    yield port


def test_it_serves_and_ends_on_a_signal_without_a_traceback(tmp_path: Path, free_port: int) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", "from kpi.cli import main; main()", "app", "--port", str(free_port)],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert answer(f"http://127.0.0.1:{free_port}/_stcore/health") == "ok"
        server.send_signal(signal.SIGINT)
        said, _ = server.communicate(timeout=20)
    finally:
        server.kill()
    assert server.returncode == 0
    assert f"http://127.0.0.1:{free_port} (one local analyst, no sign-in)" in said
    assert "Traceback" not in said


def answer(url: str, seconds: float = 30) -> str:
    """Return what an address answers, as soon as somebody listens."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
