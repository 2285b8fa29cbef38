"""How fast the questions about money are: scenario, frontier, workbook, verification.

    python benchmarks/money.py [--repeat 3]

Prints one Markdown table. ``kpi run`` and ``kpi verify`` are measured as whole processes in turn;
the rest in one process over the round that was run (money_steps.py).
"""

import argparse
import json
import shutil
import statistics

from run import CACHE, KPI, ROUND, STORE, make_sample, row, run, run_script, say, spread

AIMS = {"scenario": 0.1, "frontier": 2.0, "workbook": 10.0, "verify": 1.5}


def run_and_verify(folder):
    """Run a round into an empty store and verify it; return both measured."""
    shutil.rmtree(STORE, ignore_errors=True)
    ran = run(KPI, "run", str(folder), "--round", ROUND, "--store", str(STORE))
    verified = run(KPI, "verify", ROUND, "--store", str(STORE))
    say(f"run {ran.seconds:.2f} s, verify {verified.seconds:.2f} s")
    return ran, verified


def aim(name, value, unit):
    """Return the aim of a row, and whether it was met."""
    return [(f"≤ {AIMS[name]:g} {unit}", value <= AIMS[name])]


def verify_rows(pairs):
    """Return the rows of `kpi run` and `kpi verify`."""
    ratio = statistics.median(b.seconds / a.seconds for a, b in pairs)
    runs, verified = ([pair[n] for pair in pairs] for n in (0, 1))
    return [
        row("`kpi run`", spread(runs), f"{max(one.peak for one in runs):,.0f}"),
        row(
            "`kpi verify`",
            spread(verified),
            f"{max(one.peak for one in verified):,.0f}",
            f"{ratio:.2f} × `kpi run`",
            aim("verify", ratio, "× `kpi run`"),
        ),
    ]


def question_rows(steps):
    """Return the rows of what is asked of an open round."""
    found = [json.loads(one.printed) for one in steps]

    def middle(name):
        return statistics.median(one[name] for one in found)

    rows = [row("open a round for scenarios", f"{middle('open'):.2f}")]
    for name in found[0]["scenarios"]:
        seconds = statistics.median(one["scenarios"][name] for one in found)
        rows.append(row(f"scenario `{name}`", f"{seconds:.3f}", aims=aim("scenario", seconds, "s")))
    peer = f"{middle('frontier') / middle('frontier_peer'):,.0f} × plain numpy for this rule alone"
    rows.append(
        row(
            "frontier of 46 thresholds",
            f"{middle('frontier'):.2f}",
            ratio=peer,
            aims=aim("frontier", middle("frontier"), "s"),
        )
    )
    rows.append(
        row(
            "auditor's workbook",
            f"{middle('workbook'):.2f}",
            f"{max(one.peak for one in steps):,.0f}",
            aims=aim("workbook", middle("workbook"), "s"),
        )
    )
    return rows


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeat", type=int, default=3, help="measured runs")
    repeat = parser.parse_args().repeat
    folder = CACHE / "national"
    if not folder.exists():
        make_sample(folder)
    pairs = [run_and_verify(folder) for _ in range(repeat + 1)][1:]
    steps = [run_script("money_steps.py", STORE, CACHE) for _ in range(repeat)]
    print(f"| what | seconds, median of {repeat} (range) | peak MiB | ratio | aim |")
    print("|---|---:|---:|---|---|")
    print(*verify_rows(pairs), *question_rows(steps), sep="\n")
    shutil.rmtree(STORE, ignore_errors=True)


if __name__ == "__main__":
    main()
