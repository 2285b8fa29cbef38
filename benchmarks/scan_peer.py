"""The floor: DuckDB merely scanning the files of a round, every column of every row.

    python benchmarks/scan_peer.py INPUT

Prints one JSON object: rows, characters, and the seconds of the scan alone, without the start of
Python and the import of DuckDB.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

TABLES = ("colleges", "students", "dual_agreements", "graduates", "accreditations")
OF_FILE = "FROM read_csv($1, all_varchar = true, header = true)"


def scan(con, path):
    """Return the rows and the characters of one file; the length of every cell is taken."""
    described = con.execute(f"DESCRIBE SELECT * {OF_FILE}", [str(path)]).fetchall()
    lengths = ", ".join(f'sum(length("{column[0]}"))' for column in described)
    [(rows, *characters)] = con.execute(
        f"SELECT count(*), {lengths} {OF_FILE}", [str(path)]
    ).fetchall()
    return rows, sum(int(found or 0) for found in characters)


def main():
    """Scan the five files and print what was found."""
    started = time.perf_counter()
    con = duckdb.connect()
    scanned = [scan(con, Path(sys.argv[1]) / f"{table}.csv") for table in TABLES]
    found = {
        "rows": sum(rows for rows, _ in scanned),
        "characters": sum(characters for _, characters in scanned),
        "seconds": time.perf_counter() - started,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
