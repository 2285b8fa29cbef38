"""How fast the app answers: the first page, each page again, ten sessions at once, its memory.

    python benchmarks/app.py [--reruns 40] [--store FOLDER]

A page is asked for as a browser does, over the app's websocket: the seconds are those from the
request to the server's word that the script is finished, so a browser's drawing is not in them. The
peer is an app of one line in the same framework, asked in the same way. Each figure is shown with
its aim and never asserted. Everything happens on this machine, and the servers are ended by their
own process ids.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import CACHE, KPI, ROUND, environment, make_sample, row, run, say
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

COLLEGE = "180040495734"
PAGES = {
    "overview": "",
    "ranking": "page=3",
    "college": f"college={COLLEGE}",
    "funding": "",
    "scenario": "set=gates.employment_rate%3D0.75",
    "stability": "",
    "data-check": "",
    "audit": "",
    "methodology": "",
}
FREE = ("data-check",)
"""Pages that the aim leaves out."""

SESSIONS, ROUNDS, PAUSE = 10, 2, 5.0
"""So many sessions walk all pages so often, with so many seconds of reading between two."""

LONGEST = 120.0


@contextlib.contextmanager
def server(command, port):
    """Run a server until the block is left; give its process."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment())
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.returncode not in (0, -15):
            said.seek(0)
            say(said.read()[-2000:].decode(errors="replace"))
            raise SystemExit(f"the server on port {port} ended with {process.returncode}")


def free_port():
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.asynccontextmanager
async def session(port):
    """Open a session as a browser does."""
    async with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        subprotocols=["streamlit"],
        origin=f"http://127.0.0.1:{port}",
        max_size=None,
    ) as socket_:
        yield socket_


async def ask(socket_, page, query):
    """Ask for a page; return the seconds until its script was finished.

    Raises SystemExit for a page that failed: a fast error is no page.
    """
    wanted = BackMsg()
    wanted.rerun_script.page_name = page
    wanted.rerun_script.query_string = f"lang=ru&{query}"
    started = time.perf_counter()
    await socket_.send(wanted.SerializeToString())
    while True:
        message = ForwardMsg()
        message.ParseFromString(await asyncio.wait_for(socket_.recv(), LONGEST))
        if message.WhichOneof("type") == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                raise SystemExit(f"{page}: {element.exception.message}")
        if message.WhichOneof("type") == "script_finished":
            return time.perf_counter() - started


async def first_page(port, started, page="overview"):
    """Return the seconds from the start of the server to its first finished page."""
    while True:
        try:
            async with session(port) as socket_:
                await ask(socket_, page, "")
                return time.perf_counter() - started
        except OSError:
            if time.perf_counter() - started > LONGEST:
                raise
            await asyncio.sleep(0.02)


async def reruns(port, page, query, count):
    """Return the seconds of the first run of a page in a session, and of each one after."""
    async with session(port) as socket_:
        return [await ask(socket_, page, query) for _ in range(count + 1)]


async def walk(port, delay):
    """Return the seconds of each page that one session asks for, reading between two."""
    await asyncio.sleep(delay)
    found = []
    async with session(port) as socket_:
        for _ in range(ROUNDS):
            for page, query in PAGES.items():
                found.append(await ask(socket_, page, query))
                await asyncio.sleep(PAUSE)
    return found


async def at_once(port):
    """Return the seconds of each page asked for by ten sessions at once."""
    walks = [walk(port, PAUSE * place / SESSIONS) for place in range(SESSIONS)]
    return [seconds for one in await asyncio.gather(*walks) for seconds in one]


def p95(seconds):
    """Return the 95th percentile: the value that 5 % are above."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def peak_memory(process):
    """Return the largest resident set of a running process in MiB; 0 where no /proc tells."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return 0.0
    [line] = [one for one in status.read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def peer_seconds(folder, count):
    """Return the seconds of reruns of an app of one line."""
    script = folder / "peer.py"
    script.write_text('import streamlit as st\n\nst.title("peer")\n', encoding="utf-8")
    port = free_port()
    streamlit = str(Path(sys.executable).with_name("streamlit"))
    command = [streamlit, "run", str(script), "--server.port", str(port)]
    options = ["--server.address", "127.0.0.1", "--server.headless", "true"]
    with server([*command, *options, "--browser.gatherUsageStats", "false"], port):
        asyncio.run(first_page(port, time.perf_counter(), ""))
        return asyncio.run(reruns(port, "", "", count))[1:]


def national_store():
    """Return a store with the national round, run once and kept for the next time."""
    store = CACHE / "app-rounds"
    if not list(store.glob(f"{ROUND}/draft-*")):
        folder = CACHE / "national"
        if not folder.exists():
            make_sample(folder)
        shutil.rmtree(store, ignore_errors=True)
        run(KPI, "run", str(folder), "--round", ROUND, "--store", str(store))
    return store


def page_row(page, seconds, peer):
    """Return the row of one page."""
    first, *again = seconds
    aims = [] if page in FREE else [("≤ 0.30 s", p95(again) <= 0.3)]
    ratio = f"{statistics.median(again) / peer:.1f} × an app of one line"
    told = f"{statistics.median(again):.3f}; p95 {p95(again):.3f}; first {first:.2f}"
    return row(f"page `{page}` again", told, "", ratio, aims)


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--reruns", type=int, default=40, help="measured reruns of each page")
    parser.add_argument("--store", type=Path, help="a store with the national round")
    arguments = parser.parse_args()
    store = arguments.store or national_store()
    with tempfile.TemporaryDirectory() as folder:
        peer = statistics.median(peer_seconds(Path(folder), arguments.reruns))
    say(f"peer: {peer:.4f} s")
    port = free_port()
    command = [KPI, "app", "--store", str(store), "--port", str(port)]
    began = time.perf_counter()
    with server(command, port) as process:
        start = asyncio.run(first_page(port, began))
        say(f"first page: {start:.2f} s")
        rows = [row("first page from start", f"{start:.2f}", aims=[("≤ 3 s", start <= 3)])]
        for page, query in PAGES.items():
            seconds = asyncio.run(reruns(port, page, query, arguments.reruns))
            say(f"{page}: {statistics.median(seconds[1:]):.3f} s")
            rows.append(page_row(page, seconds, peer))
        crowd = asyncio.run(at_once(port))
        peak = peak_memory(process)
    told = f"{statistics.median(crowd):.3f}; p95 {p95(crowd):.3f}"
    aims = [("p95 ≤ 1 s", p95(crowd) <= 1), ("< 1,024 MiB", peak < 1024)]
    rows.append(row(f"{SESSIONS} sessions at once, all pages", told, f"{peak:,.0f}", "", aims))
    print("| what | seconds: median | peak MiB | ratio | aim |")
    print("|---|---:|---:|---|---|")
    print(*rows, sep="\n")


if __name__ == "__main__":
    os.environ.pop("STREAMLIT_SERVER_PORT", None)
    main()
