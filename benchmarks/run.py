"""How fast, and against what: one run that prints one Markdown table.

    python benchmarks/run.py [--repeat 5] [--ten-years] [--pandas-python PATH]

Measured as whole processes, in turn, on the synthetic national round: (a) ``kpi run``, (b) a plain
pandas script for the same sums (pandas_peer.py), (c) DuckDB merely scanning the same files
(scan_peer.py). What counts are the ratios: seconds are this machine's. Times are shown with their
range and never asserted; that (a) and (b) find the same sums is.

pandas has an environment of its own: where it is installed, pandera imports it, and the product
would pay for its peer.

Each command runs once unmeasured before, so that files and compiled modules are at hand for all.
Peak memory is the child's largest resident set, from ``wait4``; this process stays small, because a
child's figure starts from its parent's.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
STORE = CACHE / "rounds"
KPI = str(Path(sys.executable).with_name("kpi"))
ROUND = "2025-26"
TEN_YEARS = 5_560_000
HELP_RUNS = 10
LIBRARIES = ("duckdb", "polars", "numpy", "pyarrow", "pandera")


class FailedError(Exception):
    """A command did not end well; the message holds the end of what it said."""


@dataclass(frozen=True)
class Run:
    """One process: wall-clock seconds, peak memory in MiB, what it printed."""

    seconds: float
    peak: float
    printed: str


def environment():
    """Return the environment of every child: compiled modules in the cache, a key of our own."""
    own = {"PYTHONPYCACHEPREFIX": str(CACHE / "pycache"), "KPI_PSEUDONYM_KEY": "benchmark" * 4}
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | own


def run(*command):
    """Run a command to its end and measure it. Raises FailedError when it fails."""
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=printed, stderr=errors, env=environment())
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        errors.seek(0)
        if child.returncode:
            said = errors.read()[-2000:]
            raise FailedError(f"{' '.join(command)}\nended with {child.returncode}\n{said}")
        unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
        return Run(seconds, usage.ru_maxrss * unit / 2**20, printed.read())


def run_script(name, *arguments):
    """Run a script that stands beside this one."""
    return run(sys.executable, str(HERE / name), *map(str, arguments))


def run_kpi(folder):
    """Run ``kpi run`` into an empty store; what it printed is replaced by its national sums."""
    shutil.rmtree(STORE, ignore_errors=True)
    whole = run(KPI, "run", str(folder), "--round", ROUND, "--store", str(STORE))
    [receipt] = STORE.glob(f"{ROUND}/draft-*/receipt.json")
    national = json.loads(receipt.read_text(encoding="utf-8"))["national"]
    sums = {name: int(national[name]) for name in ("ranked", "qualifying", "amount")}
    return Run(whole.seconds, whole.peak, json.dumps(sums))


def run_steps(folder):
    """Run the round in one process with its steps timed."""
    shutil.rmtree(STORE, ignore_errors=True)
    return run_script("steps.py", folder, STORE)


def in_turn(commands, repeat):
    """Return the runs of each command: once unmeasured, then ``repeat`` times, each round of them
    beginning with another one.
    """
    runs = {name: [] for name in commands}
    names = list(commands)
    for number in range(-1, repeat):
        for name in names:
            done = commands[name]()
            say(f"{name}: {done.seconds:.2f} s, {done.peak:,.0f} MiB")
            if number >= 0:
                runs[name].append(done)
        say(f"round {number + 1} of {repeat} done" if number >= 0 else "warmed up")
        names = names[1:] + names[:1]
    return runs


def make_sample(folder, *options):
    """Write the synthetic national round of seed 1 into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"making the sample {folder.name}")
    run(KPI, "sample", str(folder), "--seed", "1", *options)
    return folder


def check_agreement(runs):
    """Exit unless every ``kpi run`` and every pandas script found the same sums."""
    found = {name: {one.printed.strip() for one in runs[name]} for name in ("a", "b")}
    if len(found["a"] | found["b"]) != 1:
        sys.exit(f"kpi run and the plain script do not agree: {found}")
    sums = json.loads(found["a"].pop())
    say(f"(a) and (b) agree: {sums['qualifying']} colleges qualify, {sums['amount']:,} tenge")


def measure_ten_years(repeat):
    """Return the runs of ``kpi run`` on ten years in one; its files are gone afterwards."""
    folder = CACHE / "ten-years"
    try:
        make_sample(folder, "--students", str(TEN_YEARS))
        return [run_kpi(folder) for _ in range(repeat)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(STORE, ignore_errors=True)


def median(runs):
    """Return the median seconds and the largest peak of some runs."""
    return statistics.median(one.seconds for one in runs), max(one.peak for one in runs)


def from_json(runs, key):
    """Return the median of a number that each run printed."""
    return statistics.median(json.loads(one.printed)[key] for one in runs)


def row(what, seconds, peak="", ratio="", aims=()):
    """Return a row of the table. ``aims``: pairs of what is aimed at and whether it was met."""
    told = "; ".join(f"{aim}: {'met' if is_met else '**missed**'}" for aim, is_met in aims)
    return f"| {what} | {seconds} | {peak} | {ratio} | {told} |"


def spread(runs):
    """Return the median seconds with their range, as text."""
    seconds = [one.seconds for one in runs]
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}–{max(seconds):.2f})"


def yearly_rows(runs):
    """Return the rows of the one-year round: (a), (b), (c), and the SQL part of (a)."""
    (a, a_peak), (b, b_peak), (c, c_peak) = (median(runs[name]) for name in "abc")
    sql, scan = from_json(runs["steps"], "sql"), from_json(runs["c"], "seconds")
    a_aims = [("≤ 1 × (b)", a <= b), ("< 1,024 MiB", a_peak < 1024)]
    by_scan = f"{sql / c:.2f} × (c); {sql / scan:.2f} × (c) without start-up"
    return [
        row("(a) `kpi run`", spread(runs["a"]), f"{a_peak:,.0f}", f"{a / b:.2f} × (b)", a_aims),
        row("(b) plain pandas script", spread(runs["b"]), f"{b_peak:,.0f}"),
        row("(c) DuckDB scan", spread(runs["c"]), f"{c_peak:,.0f}"),
        row("SQL part of (a)", f"{sql:.2f}", "", by_scan, [("≤ 5 × (c)", sql <= 5 * c)]),
    ]


def help_row():
    """Return the row of ``kpi --help``."""
    runs = [run(KPI, "--help") for _ in range(HELP_RUNS + 1)][1:]
    seconds, peak = median(runs)
    what = f"`kpi --help`, median of {HELP_RUNS}"
    return row(what, spread(runs), f"{peak:,.0f}", "", [("≤ 0.3 s", seconds <= 0.3)])


def ten_years_row(repeat, one_year):
    """Return the row of ten years in one, against the one-year time; a failure is told there."""
    try:
        runs = measure_ten_years(repeat)
    except FailedError as error:
        say(error)
        return row("(a) of ten years in one", "failed", aims=[("≤ 8 × (a), < 2,048 MiB", False)])
    seconds, peak = median(runs)
    ratio = seconds / one_year
    aims = [("≤ 8 × (a)", ratio <= 8), ("< 2,048 MiB", peak < 2048)]
    what = f"(a) of ten years in one, median of {len(runs)}"
    return row(what, spread(runs), f"{peak:,.0f}", f"{ratio:.2f} × (a)", aims)


def steps_line(runs):
    """Return one line: where (a) spends its time, by step."""
    names = [name for name in json.loads(runs[0].printed) if name not in ("sql", "whole")]
    told = ", ".join(f"{name} {from_json(runs, name):.2f}" for name in names)
    return f"Steps of (a) in one process, seconds: {told}; whole {from_json(runs, 'whole'):.2f}."


def machine_line(load, pandas):
    """Return one line: the size of this machine and the versions that ran."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, load {load:.1f} at the "
        f"start, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"{versions}, pandas {pandas}."
    )


def say(what):
    """Tell on stderr how far it is; the table goes to stdout."""
    print(what, file=sys.stderr, flush=True)


def parse_arguments():
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeat", type=int, default=5, help="measured runs of each command")
    parser.add_argument("--pandas-python", default=sys.executable, help="has pandas; for (b)")
    parser.add_argument("--ten-years", action="store_true", help="5.56 million students as well")
    parser.add_argument("--ten-years-repeat", type=int, default=3, help="measured runs of that")
    return parser.parse_args()


def main():
    """Measure everything and print the table."""
    arguments = parse_arguments()
    load = os.getloadavg()[0]
    peer = arguments.pandas_python
    pandas = run(peer, "-c", "import pandas; print(pandas.__version__)").printed.strip()
    folder = make_sample(CACHE / "national")
    commands = {  # in turn, so that a busy minute of the machine falls on all alike
        "a": lambda: run_kpi(folder),
        "b": lambda: run(peer, str(HERE / "pandas_peer.py"), str(folder)),
        "c": lambda: run_script("scan_peer.py", folder),
        "steps": lambda: run_steps(folder),
    }
    runs = in_turn(commands, arguments.repeat)
    check_agreement(runs)
    rows = [*yearly_rows(runs), help_row()]
    if arguments.ten_years:
        rows.append(ten_years_row(arguments.ten_years_repeat, median(runs["a"])[0]))
    shutil.rmtree(STORE, ignore_errors=True)
    print(f"| what | seconds, median of {arguments.repeat} (range) | peak MiB | ratio | aim |")
    print("|---|---:|---:|---|---|")
    print(*rows, sep="\n")
    print(f"\n{steps_line(runs['steps'])}\n\n{machine_line(load, pandas)}")


if __name__ == "__main__":
    try:
        main()
    except FailedError as error:
        sys.exit(str(error))
