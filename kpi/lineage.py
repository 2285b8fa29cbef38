"""What makes each table of a round: the SELECT of its own ``sql/``, or a module of the product."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from kpi.pipeline import REFERENCE, Select, connect, read_selects
from kpi.rounds import Round
from kpi.tables import TABLES

MADE_BY_CODE = {
    "rejected_rows": "kpi/pipeline.py",
    "kpi_counts": "kpi/pipeline.py",
    "param_round": "kpi/pipeline.py",
    "param_month": "kpi/pipeline.py",
    "param_kpi": "kpi/pipeline.py",
    "param_source": "kpi/pipeline.py",
    "param_gate": "kpi/pipeline.py",
    "param_pool": "kpi/pooling.py",
    "framework": "kpi/ranking.py",
    "kpi_scores": "kpi/ranking.py",
    "ranking": "kpi/ranking.py",
    "treatment": "kpi/ranking.py",
    "cell_kpis": "kpi/uncertainty.py",
    "chances": "kpi/uncertainty.py",
    "leaders": "kpi/leaders.py",
    "sign_counts": "kpi/signs.py",
    "sign_tests": "kpi/signs.py",
    "sign_totals": "kpi/signs.py",
    "param_norm": "funding/allocation.py",
    "param_coefficient": "funding/allocation.py",
    "param_eligible": "funding/allocation.py",
    "param_guarantee": "funding/allocation.py",
    "param_phase_in": "funding/allocation.py",
    "param_rule_gate": "funding/allocation.py",
    "param_share": "funding/allocation.py",
    "funding_totals": "funding/allocation.py",
    "funding_lines": "funding/settlement.py",
    "funding_passes": "funding/settlement.py",
    "guarantees": "funding/settlement.py",
    "param_decision_gate": "funding/doubts.py",
    "doubt_moves": "funding/doubts.py",
    "reversed_shares": "funding/doubts.py",
}
"""The module that makes each kept table that no SELECT makes."""

SQL, CODE, INPUT, REFERENCE_TABLE = "sql", "code", "input", "reference"


@dataclass(frozen=True)
class Origin:
    """Where a table comes from.

    ``kind`` is SQL, CODE, INPUT or REFERENCE_TABLE; ``file`` the SELECT's or module's file;
    ``text`` the SELECT without its opening comment, which is ``comment``; ``reads`` the tables it
    reads, by name; ``is_kept`` whether the round holds its rows (of people it does not, but in
    ``inputs/``).
    """

    table: str
    kind: str
    file: str = ""
    comment: str = ""
    text: str = ""
    reads: tuple[str, ...] = ()
    is_kept: bool = False


def origins(of_round: Round) -> dict[str, Origin]:
    """Return the origin of each table that a round has or that its SELECTs read, by name."""
    kept = {path.stem for path in (of_round.path / "tables").glob("*.parquet")}
    found: dict[str, Origin] = {}
    with tempfile.TemporaryDirectory() as spill:
        con = connect(Path(spill))
        try:
            for folder in sorted(path for path in of_round.sql.iterdir() if path.is_dir()):
                for select in read_selects(con, folder):
                    found[select.table] = _of_select(select, folder.name, select.table in kept)
        finally:
            con.close()
    named = kept.union(*(origin.reads for origin in found.values()))
    found |= {table: _of_code(table, table in kept) for table in named - found.keys()}
    return dict(sorted(found.items()))


def readers(all_of: dict[str, Origin], table: str) -> list[str]:
    """Return the tables that are made from a table, by name."""
    return [name for name, origin in all_of.items() if table in origin.reads]


def split_comment(text: str) -> tuple[str, str]:
    """Return the opening comment of a SELECT, without its dashes and in one line, and the rest."""
    lines = text.splitlines()
    opening = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
    comment = " ".join(line.removeprefix("--").strip() for line in lines[:opening])
    return comment, "\n".join(lines[opening:]).strip()


def _of_select(select: Select, folder: str, is_kept: bool) -> Origin:
    comment, text = split_comment(select.text)
    return Origin(
        select.table,
        SQL,
        f"sql/{folder}/{select.table}.sql",
        comment,
        text,
        tuple(sorted(select.reads)),
        is_kept,
    )


def _of_code(table: str, is_kept: bool) -> Origin:
    if table in (*REFERENCE, "previous_funding", "earlier_counts", "previous_counts"):
        return Origin(table, REFERENCE_TABLE, f"reference/{table}.parquet")
    if table.removeprefix("raw_") in TABLES and table.startswith("raw_"):
        return Origin(table, INPUT, f"inputs/{table.removeprefix('raw_')}.parquet")
    return Origin(table, CODE, MADE_BY_CODE.get(table, "kpi/intake.py"), is_kept=is_kept)
