"""A browser on the app as a person uses it, and everything that the browser received."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
"""The browser of the machine; the tests that need it are left out where there is none."""

_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
SECONDS = 90
STANDS = """
() => {
    const app = document.querySelector("[data-testid=stApp]");
    const moves = document.getAnimations().some((animation) =>
        animation.playState === "running" &&
        animation.effect?.getComputedTiming().endTime !== Infinity);
    return app?.dataset.testConnectionState === "CONNECTED" &&
        app.dataset.testScriptState === "notRunning" &&
        !document.querySelector("[data-stale=true]") && !moves;
}
"""
"""Whether the app is connected, its script at an end, every part new and every fading over."""
PROBE = re.compile(r"/[a-z-]+/_stcore/(health|host-config)$")
"""Where Streamlit's own script looks whether the app is served below the page's address; it is not,
and the browser notes the 404 whatever the page does.
"""


def launch(playwright: Playwright) -> Browser:
    """Start the machine's browser without a window."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))


EMAILS = {
    "analyst": "analyst@ministry.example",
    "auditor": "auditor@chamber.example",
    "region": "region@karaganda.example",
    "director-a": "a@college.example",
    "director-b": "b@college.example",
    "stranger": "stranger@elsewhere.example",
    "unverified": "analyst@ministry.example",
}
"""Who signs in at the provider, with which e-mail; nobody has verified that of ``unverified``."""


# ---------------------------------------------------------------------------------------- server


@dataclass(frozen=True)
class Server:
    """The app as ``kpi app`` serves it."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def address(self, page: str = "", /, **query: str | list[str]) -> str:
        """Return the address of a page."""
        told = urlencode(query, doseq=True)
        return f"{self.url}/{page.replace('_', '-')}" + (f"?{told}" if told else "")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(store: Path, port: int, folder: Path, *words: str) -> Iterator[Server]:
    """Serve a store by ``kpi app`` in a folder of its own, and end that process afterwards."""
    log = folder / f"server-{port}.log"
    url = f"http://127.0.0.1:{port}"
    command = "from kpi.cli import main; main()"
    options = ["app", "--store", str(store), "--port", str(port), *words]
    environment = os.environ | {"HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", command, *options],
            cwd=folder,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(f"{url}/_stcore/health", process, log)
        yield Server(url, process, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"kpi app did not start: {log.read_text()}") from None
            time.sleep(0.1)


# --------------------------------------------------------------------------------------- browser


@dataclass
class Person:
    """Somebody at a browser of their own, and what that browser received."""

    page: Page
    server: Server
    frames: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Errors of the console and of scripts, on pages of the app."""
    foreign: list[str] = field(default_factory=list)
    """What the app's pages asked of others than the app."""

    def open(self, page: str = "", /, **query: str | list[str]) -> None:
        """Type an address, and wait until the page stands."""
        self.page.goto(self.server.address(page, **query))
        self.wait()

    def wait(self) -> None:
        """Wait until the page has its heading and the server nothing more to do."""
        self.page.wait_for_selector("h1", timeout=SECONDS * 1000)
        self.settle()

    def settle(self) -> None:
        """Wait until the server has nothing more to do and nothing fades in or out any more.

        Twice: a script that ends may be followed at once by another, of a sign-in or of a choice.
        """
        for _ in range(2):
            self.page.wait_for_timeout(200)
            self.page.wait_for_function(STANDS, timeout=SECONDS * 1000)

    @property
    def text(self) -> str:
        """What the page says, in one line, without what keeps addresses from being links."""
        return " ".join(self.page.inner_text("body").replace("\u2060", "").split())

    def sign_in(self, name: str) -> None:
        """Sign in at the provider, from the page that asks for it."""
        button = self.page.get_by_test_id("stMain").get_by_role("button")
        button.first.click()
        self.page.locator(f"button[name=sub][value='{name}']").click()
        self.page.wait_for_url(f"{self.server.url}/**")
        self.wait()

    @property
    def query(self) -> str:
        """The query of the address."""
        return urlsplit(self.page.url).query

    def received(self) -> bytes:
        """Everything that came from the server, over HTTP and over the websocket."""
        return b"\n".join([*self.frames, *self.bodies])

    def forget(self) -> None:
        """Begin anew to keep what is received."""
        self.frames.clear()
        self.bodies.clear()


def person(browser: Browser, server: Server, **context: Any) -> Person:
    """Return somebody at a new browser, Russian and wide unless told otherwise."""
    options = {"viewport": {"width": 1440, "height": 900}, "locale": "ru-RU"} | context
    opened = browser.new_context(**options)
    opened.set_default_timeout(SECONDS * 1000)  # two browsers and two servers may share two cores
    page = opened.new_page()
    one = Person(page, server)

    def of_app() -> bool:
        return page.url.startswith(server.url)

    def asked(route: Any) -> None:
        url = route.request.url
        one.urls.append(url)
        if urlsplit(url).hostname in ("127.0.0.1", "localhost"):
            route.continue_()
            return
        if of_app():
            one.foreign.append(url)
        route.abort()

    def answered(response: Any) -> None:
        is_asset = "/static/" in response.url
        if response.url.startswith(server.url) and not is_asset and response.status == 200:
            try:
                one.bodies.append(response.body())
            except Exception:  # a download, or a page left meanwhile: nothing to read
                return

    def told(message: Any) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and of_app() and not PROBE.search(where):
            one.faults.append(f"{page.url}: {message.text} {where}")

    opened.route("**/*", asked)
    page.on("requestfinished", lambda request: answered(request.response()))
    page.on("console", told)
    page.on("pageerror", lambda error: one.faults.append(f"{page.url}: {error}"))
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived",
            lambda frame: one.frames.append(frame if isinstance(frame, bytes) else frame.encode()),
        ),
    )
    return one


People = Callable[..., Person]
"""Gives somebody at a browser of their own, on a server."""


# ---------------------------------------------------------------------------------------- search


def finds(received: bytes, secrets: Mapping[str, str | int]) -> list[str]:
    """Return which of these texts and whole numbers stand in what a browser received, by name.

    A number is looked for as text, alone or with spaces between its thousands, and as the eight
    bytes in which a table carries it.
    """
    text = re.sub(r"[\s\u00a0\u202f]+", "", received.decode("utf-8", "replace"))
    found = []
    for name, secret in secrets.items():
        if isinstance(secret, str):
            there = re.sub(r"\s+", "", secret) in text
        else:
            there = bool(re.search(rf"(?<![0-9A-Za-z.]){secret}(?![0-9A-Za-z])", text))
            there |= struct.pack("<q", secret) in received
            there |= struct.pack("<d", float(secret)) in received
        if there:
            found.append(name)
    return found
