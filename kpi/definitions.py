"""How a KPI is counted, in the words and in the SQL of the file that counts it."""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from kpi.dated import Names
from kpi.methodology import INDEX, Kpi, Methodology
from kpi.pipeline import ASSESSED_POINTS


def select_of(sql: Path, kpi: Kpi) -> str:
    """Return the SELECT that counts a KPI; ``sql`` is the folder that a round keeps, or ours."""
    name = ASSESSED_POINTS if kpi.kind == "points" else kpi.code
    return (sql / "2_kpi" / f"{name}.sql").read_text(encoding="utf-8")


def people_selects(sql: Path) -> dict[str, str]:
    """Return the SELECTs that say whom the KPIs count: the KPI contingent and the cohort."""
    return {
        name: (sql / "1_clean" / f"{name}.sql").read_text(encoding="utf-8")
        for name in ("kpi_contingent", "cohort")
    }


def definition(select: str) -> str:
    """Return what a SELECT counts: its opening comment, on one line, without the words that say
    what one row is.
    """
    lines = re.match(r"(--.*\n)+", select)
    told = (
        " ".join(line.removeprefix("--").strip() for line in lines[0].splitlines()) if lines else ""
    )
    text = re.sub(r"^One row per [^:]*: ", "", told)
    starts_with_code = "_" in text.partition(" ")[0]
    return text if starts_with_code else text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Node:
    """A group or KPI of the index: how deep it stands, its weight, and the sum it is a part of."""

    code: str
    name: Names
    depth: int
    weight: Decimal
    is_kpi: bool
    is_summed: bool


def weight_tree(methodology: Methodology) -> list[Node]:
    """Return the index, its groups and KPIs, each under what it belongs to, in the file's order.

    A weight is the part of the whole index (the weights in a group sum to the group's), unless the
    index is a sum of points: there it is what the points are multiplied by, and ``is_summed``.
    """
    groups = {group.code: group for group in methodology.groups}
    kpis = {kpi.code: kpi for kpi in methodology.kpis}
    is_summed = groups[INDEX].aggregate == "sum"

    def under(code: str, weight: Decimal, depth: int) -> list[Node]:
        part = groups.get(code) or kpis[code]
        node = Node(code, part.name, depth, weight, code in kpis, is_summed)
        below = methodology.children(code) if code in groups else []
        return [node, *(one for child in below for one in under(*child, depth + 1))]

    return under(INDEX, groups[INDEX].weight, 0)
