"""The sheet Gates: who passes, and what share of the incentive part that allows, as formulas.

What ``sql/3_profile/gates.sql`` and ``sql/4_funding/unit_shares.sql`` do. Counts are compared with
the threshold after rounding to nine decimals: 0.55 x 100 is above 55 in binary.
"""

from funding.rule import PhaseIn
from funding.workbook.book import Book
from funding.workbook.facts import Row
from funding.workbook.paper import Grid, number, put
from funding.workbook.scores import VALUE_FORMATS
from kpi.methodology import Gate
from kpi.pooling import pooled_kpis

WHOLE_SHARE = 1_000_000  # shares are kept in millionths


def write_gates(book: Book) -> None:
    """Write the sheet Gates: a row a college and gate."""
    words, facts = book.words, book.facts
    grid = book.grids["Gates"]
    sheet = book.paper.table(
        grid, words.say("Conditions for the higher norm"), book.colours(), frozen=3
    )
    if not facts.methodology.gates:
        sheet.write_string(grid.first - 1, 0, words.say("The methodology has no gates."))
    stated = {gate.kpi: gate for gate in facts.methodology.gates}
    kinds = {kpi.code: kpi.kind for kpi in facts.methodology.kpis}
    phases = {entry.gate: entry for entry in facts.rule.phase_in} if facts.rule else {}
    asked = set(facts.rule.gates.value) if facts.rule else set()
    pools = pooled_kpis(facts.methodology)
    for row, gate in enumerate(facts.gates, start=grid.first):
        code, college = gate["gate"], gate["college_id"]
        has_own = code in pools and not stated[code].pooled
        name = words.of(facts.units[college])[0]
        for place, text in enumerate([college, name, code]):
            sheet.write_string(row - 1, place, text)
        phase = phases.get(code)
        for key, formula in _formulas(book, row, gate, phase).items():
            place = grid.places[key]
            pattern = grid.columns[place].pattern
            if has_own and key in ("numerator", "denominator"):
                # the sheet KPI holds the pooled counts; this gate takes the year's own
                put(sheet, row, place, gate[key], book.paper.cell("input", pattern))
                continue
            if key == "threshold":
                pattern = VALUE_FORMATS[kinds[code]]
            value = gate[key] if key in gate else _share(gate, stated[code], phase, code in asked)
            shown = book.paper.cell("live", pattern)
            sheet.write_formula(row - 1, place, formula, shown, number(value))
        for key in ("passed_stored", "rejected", "passed_rejected_for", "passed_rejected_against"):
            value = gate["passed" if key == "passed_stored" else key]
            shown = book.paper.cell("stored", grid.columns[grid.places[key]].pattern)
            put(sheet, row, grid.places[key], value, shown)


def _formulas(book: Book, row: int, gate: Row, phase: PhaseIn | None) -> dict[str, str]:
    grid, kpi = book.grids["Gates"], book.grids["KPI"]
    code = gate["gate"]
    there = book.facts.kpi_row[gate["college_id"], code]
    top, bottom, threshold, decided, passed = (
        f"{grid.letters[key]}{row}"
        for key in ("numerator", "denominator", "threshold", "decided_by", "passed")
    )
    missing = f"{top}-{threshold}*{bottom}"
    formulas = {
        "numerator": f"={kpi.at('numerator', there)}",
        "denominator": f"={kpi.at('denominator', there)}",
        "threshold": f"=threshold_{code}",
        "decided_by": f'=IF(OR({kpi.at("status", there)}="not_applicable",{bottom}=0),"no_data",'
        f'IF({bottom}<min_denominator_{code},"small_cohort","counts"))',
        "passed": f'=IF({decided}="no_data",on_no_data_{code}="pass",'
        f'IF(AND({decided}="small_cohort",on_small_cohort_{code}<>"judge"),'
        f'on_small_cohort_{code}="pass",ROUND({missing},9)>=0))',
        "short_by": f'=IF({bottom}>0,MAX(-INT(ROUND({missing},9)),0),"")',
    }
    if "share" in grid.places:
        formulas["share"] = f'=IF(asked_{code},{_allowed(grid, row, code, phase, passed)},"")'
    return formulas


def _allowed(grid: Grid, row: int, code: str, phase: PhaseIn | None, passed: str) -> str:
    """Return the share that a gate allows: all or nothing, or rising where counts decide."""
    plain = f"IF({passed},1,0)"
    if phase is None:
        return plain
    top, bottom, decided = (
        f"{grid.letters[key]}{row}" for key in ("numerator", "denominator", "decided_by")
    )
    rises = (
        f"ROUND(MAX(ROUND({top}-zero_at_{code}*{bottom},9),0)"
        f"/ROUND((full_at_{code}-zero_at_{code})*{bottom},9),6)"
    )
    is_phased = (
        f'OR({decided}="counts",AND({decided}="small_cohort",on_small_cohort_{code}="judge"))'
    )
    return f"IF({is_phased},MIN(1,{rises}),{plain})"


def _share(gate: Row, stated: Gate, phase: PhaseIn | None, is_asked: bool) -> float | str:
    """The cached share of one gate: a step of ``unit_shares.sql`` that the round does not keep."""
    if not is_asked:
        return ""
    by_counts = gate["decided_by"] == "counts" or (
        gate["decided_by"] == "small_cohort" and stated.on_small_cohort == "judge"
    )
    if phase is None or not by_counts:
        return 1 if gate["passed"] else 0
    top = int((gate["numerator"] - phase.zero_at * gate["denominator"]) * 10**10)
    width = int((phase.full_at - phase.zero_at) * gate["denominator"] * 10**10)
    millionths = (2 * WHOLE_SHARE * max(top, 0) + width) // (2 * width)
    return min(millionths, WHOLE_SHARE) / WHOLE_SHARE
