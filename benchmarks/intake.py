"""What intake costs: time and peak memory by size, and what each format costs against plain CSV.

    python benchmarks/intake.py [--rows 500000 5000000] [--repeat 3] [--no-formats]

Both are whole processes of ``kpi check``. By size: colleges and so many rows of students, the
synthetic national ones over and over, each time under other numbers, in CSV files of 5 million rows
(``--rows 50000000`` takes 6 GB of disk and as much again for DuckDB). By format: the whole national
round, its files written in another way; what counts there are the ratios, taken in turn so that a
busy minute of the machine falls on all alike.
"""

import argparse
import shutil
import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import duckdb
import polars as pl
import xlsxwriter
from run import CACHE, KPI, in_turn, make_sample, median, run, say, spread

FILE_ROWS = 5_000_000
CHECK = ("--round", "2025-26", "--to", str(CACHE / "findings.csv"))


def check(folder):
    """Run ``kpi check`` over a folder in which nothing is wrong."""
    return run(KPI, "check", str(folder), *CHECK)


def apart(make, *arguments):
    """Call a function in a process of its own: Linux counts the peak memory of whoever starts a
    process as that of the process started.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(make, *arguments).result()


def grown(national, rows):
    """Write colleges and so many rows of students into a folder of their own and return it."""
    folder = CACHE / f"rows-{rows}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(national / "colleges.csv", folder)
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        con.execute(
            "CREATE TABLE s AS SELECT * FROM read_csv($1, all_varchar = true)",
            [str(national / "students.csv")],
        )
        (count,) = con.execute("SELECT count(*) FROM s").fetchone()
        for number, first in enumerate(range(0, rows, FILE_ROWS)):
            size = min(FILE_ROWS, rows - first)
            times = -(-size // count)
            con.execute(
                "COPY (SELECT concat_ws('-', student_id, $1, t) AS student_id, s.* EXCLUDE"
                f" (student_id) FROM range({times}) AS r(t), s LIMIT {size})"
                f" TO '{folder / f'students-{number}.csv'}' (HEADER, DELIMITER ',')",
                [number],
            )
    return folder


def by_size(national, rows):
    """Return the row of the table for one size; its files are gone afterwards."""
    say(f"making {rows:,} rows")
    folder = apart(grown, national, rows)
    try:
        done = check(folder)
    finally:
        shutil.rmtree(folder)
    say(f"{rows:,} rows: {done.seconds:.1f} s, {done.peak:,.0f} MiB")
    rate = rows / done.seconds / 1000
    told = "met" if done.peak < 2048 else "**missed**"
    return f"| {rows:,} | {done.seconds:.1f} | {rate:,.0f} | {done.peak:,.0f} | < 2,048: {told} |"


def as_quoted(file, to):
    """Write a table as CSV with every cell in quotes."""
    pl.read_csv(file, infer_schema=False).write_csv(to / file.name, quote_style="always")


def as_utf16(file, to):
    """Write a table as spreadsheets do under "Unicode text": UTF-16, tabs, CRLF."""
    text = pl.read_csv(file, infer_schema=False).write_csv(
        separator="\t", line_terminator="\r\n", quote_style="never"
    )
    (to / file.name).write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))


def as_parquet(file, to):
    """Write a table as Parquet, every column text."""
    pl.read_csv(file, infer_schema=False).write_parquet(to / f"{file.stem}.parquet")


def as_xlsx(file, to):
    """Write a table as a workbook, every cell text."""
    rows = pl.read_csv(file, infer_schema=False)
    with xlsxwriter.Workbook(to / f"{file.stem}.xlsx", {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, rows.columns)
        for place, cells in enumerate(rows.iter_rows(), start=1):
            for column, cell in enumerate(cells):
                if cell is not None:
                    sheet.write_string(place, column, cell)


FORMS = {"quoted": as_quoted, "UTF-16": as_utf16, "Parquet": as_parquet, "XLSX": as_xlsx}


def written(national, name):
    """Return a folder with the national round in another form."""
    folder = CACHE / f"as-{name.lower()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"writing the national round as {name}")
    for file in national.glob("*.csv"):
        FORMS[name](file, folder)
    return folder


def by_format(national, repeat):
    """Return the rows of the table of formats."""
    folders = {"plain CSV": national}
    folders |= {name: apart(written, national, name) for name in FORMS}
    folders["contingent export"] = make_sample(
        CACHE / "contingent", "--layout", "contingent-export"
    )
    try:
        runs = in_turn({name: lambda f=f: check(f) for name, f in folders.items()}, repeat)
    finally:
        for name, folder in folders.items():
            if name != "plain CSV":
                shutil.rmtree(folder)
    plain = statistics.median(one.seconds for one in runs["plain CSV"])
    return [_format_row(name, runs[name], plain) for name in folders]


def _format_row(name, runs, plain):
    seconds, peak = median(runs)
    ratio = seconds / plain
    aim = f"≤ 2: {'met' if ratio <= 2 else '**missed**'}" if name == "contingent export" else ""
    return f"| {name} | {spread(runs)} | {ratio:.2f} | {peak:,.0f} | {aim} |"


def main():
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[500_000, 5_000_000])
    parser.add_argument("--repeat", type=int, default=3, help="measured runs of each format")
    parser.add_argument("--no-formats", action="store_true", help="sizes alone")
    arguments = parser.parse_args()
    national = make_sample(CACHE / "national")
    if arguments.rows:
        print("| rows of students | seconds | thousand rows a second | peak MiB | aim |")
        print("|---:|---:|---:|---:|---|")
        for rows in arguments.rows:
            print(by_size(national, rows), flush=True)
    if not arguments.no_formats:
        print(
            f"\n| format | seconds, median of {arguments.repeat} (range) |"
            " × plain | peak MiB | aim |"
        )
        print("|---|---:|---:|---:|---|")
        print(*by_format(national, arguments.repeat), sep="\n")


if __name__ == "__main__":
    main()
