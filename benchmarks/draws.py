"""How fast chance is drawn: 10,000 draws of a national round by the shipped methodology.

    python benchmarks/draws.py [--repeat 3]

Prints one Markdown table. Each measured run is a process of its own (draws_steps.py) that reads the
stored round and draws. The peer, in the same process, is how it would be written plainly: one draw
at a time, ranks by sorting; it takes 100 draws, without new cohorts, and its time is multiplied by
100.
"""

import argparse
import json
import os
import shutil
import statistics

from run import CACHE, KPI, ROUND, STORE, make_sample, row, run, run_script, say

SECONDS, MEMORY = 4.0, 500.0


def rows(steps):
    """Return the rows of the table."""
    found = [json.loads(one.printed) for one in steps]

    def middle(name):
        return statistics.median(one[name] for one in found)

    draws, seconds = found[0]["draws"], middle("seconds")
    peak = max(one.peak for one in steps)
    size = f"{draws:,} draws × {found[0]['colleges']} colleges"
    aims = [
        (f"≤ {SECONDS:g} s on 2 cores", seconds <= SECONDS),
        (f"≤ {MEMORY:g} MiB", peak <= MEMORY),
    ]
    peer = f"a loop over draws takes {middle('peer') / seconds:.1f} ×"
    processor = f"{middle('processor'):.2f} of processors"
    return [
        row(size, f"{seconds:.2f}; {processor}", f"{peak:,.0f}", peer, aims),
        row("a thousand draws", f"{1_000 * seconds / draws:.2f}"),
        row("imports and the tables", f"{middle('before'):.2f}", f"{middle('before_peak'):,.0f}"),
    ]


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeat", type=int, default=3, help="measured runs")
    repeat = parser.parse_args().repeat
    load = os.getloadavg()[0]
    folder = CACHE / "national"
    if not folder.exists():
        make_sample(folder)
    shutil.rmtree(STORE, ignore_errors=True)
    run(KPI, "run", str(folder), "--round", ROUND, "--store", str(STORE))
    steps = []
    for number in range(repeat + 1):
        steps.append(run_script("draws_steps.py", STORE))
        say(f"run {number} of {repeat}: {steps[-1].printed.strip()}")
    print(f"| what | seconds, median of {repeat} | peak MiB | ratio | aim |")
    print("|---|---:|---:|---|---|")
    print(*rows(steps[1:]), sep="\n")
    print(f"\n{os.cpu_count()} cores, load {load:.1f} at the start.")
    shutil.rmtree(STORE, ignore_errors=True)


if __name__ == "__main__":
    main()
