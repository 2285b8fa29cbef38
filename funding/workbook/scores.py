"""The sheets KPI and Ranking: from counts to scores, as formulas.

Each college has a block of rows on the sheet KPI: every KPI of the methodology, then the groups
from the leaves to the index, so that formulas refer to cells of their own block. What a formula
does is what ``kpi/index`` does, node by node.
"""

from math import log
from typing import Any

from funding.workbook.book import Book
from funding.workbook.facts import Row
from funding.workbook.paper import (
    COUNT,
    PERCENT,
    POINTS,
    TEXT,
    WHOLE,
    Grid,
    Paper,
    Sheet,
    number,
    put,
    quoted,
    runs,
    short_formula,
)
from kpi.methodology import INDEX, Group, Kpi, Score

LAST = "-1E+300"  # what a missing tie key counts as
HAVE_NO_PARTS = ("geometric", "harmonic")  # means that are no sum of contributions
VALUE_FORMATS = {
    "outcome_share": PERCENT,
    "register_share": PERCENT,
    "flag": "0",
    "ratio": POINTS,
    "median": COUNT,
    "points": POINTS,
}


def write_kpi(book: Book) -> None:
    """Write the sheet KPI: a block of rows a college."""
    words, facts = book.words, book.facts
    grid = book.grids["KPI"]
    sheet = book.paper.table(
        grid, words.say("KPIs, and how they make the index"), book.colours(), frozen=3
    )
    titles = {node.code: words.names(node.name) for node in facts.block}
    groups = {group.code: group for group in facts.groups}
    bold = book.paper.form(bold=True)
    for college_id, unit in facts.units.items():
        name = words.of(unit)[0]
        row = facts.kpi_row[college_id, facts.block[0].code]
        block = {node.code: row + place for place, node in enumerate(facts.block)}
        for node in facts.block:
            row = block[node.code]
            form = bold if isinstance(node, Group) else None
            for place, text in enumerate([college_id, name, node.code, *titles[node.code]]):
                sheet.write_string(row - 1, place, text, form)
            score = facts.kpi_scores.get((college_id, node.code))
            if isinstance(node, Kpi):
                _write_counts(book, sheet, grid, row, node, college_id)
                if node.score:
                    _write_kpi_score(book, sheet, grid, block, node, groups, score)
            else:
                _write_group(book, sheet, grid, block, node, college_id, score)
            stated = node.score if isinstance(node, Kpi) else node
            if stated is not None:
                parent = groups[stated.parent] if stated.parent else None
                _write_share_of_index(book, sheet, grid, block, node.code, parent, score)


def _write_counts(
    book: Book, sheet: Sheet, grid: Grid, row: int, kpi: Kpi, college_id: str
) -> None:
    """Numerator and denominator as they were counted, value and status as formulas."""
    stored = book.facts.kpi_values[college_id, kpi.code]
    paper, place, letter = book.paper, grid.places, grid.letters
    pattern = POINTS if kpi.kind == "points" else COUNT
    for key in ("numerator", "denominator"):
        sheet.write_number(row - 1, place[key], float(stored[key]), paper.cell("input", pattern))
    if "pooled_years" in place:
        put(sheet, row, place["pooled_years"], stored["pooled_years"], paper.cell("stored", WHOLE))
    top, bottom = f"{letter['numerator']}{row}", f"{letter['denominator']}{row}"
    ratio = top if kpi.kind == "median" else f"{top}/{bottom}"
    sheet.write_formula(
        row - 1,
        place["value"],
        f'=IF({bottom}>0,{ratio},"")',
        paper.cell("live", VALUE_FORMATS[kpi.kind]),
        number(stored["value"]),
    )
    kind = book.grids["Ranking"].at("kind", book.facts.rank_row[college_id])
    sheet.write_formula(
        row - 1,
        place["status"],
        f'=IF(ISERROR(FIND(","&{kind}&",",","&applies_to_{kpi.code}&",")),"not_applicable",'
        f'IF({bottom}=0,"no_data",IF({bottom}<min_denominator_{kpi.code},"small_cohort","ok")))',
        paper.cell("live", TEXT),
        stored["status"],
    )


def _write_kpi_score(
    book: Book,
    sheet: Sheet,
    grid: Grid,
    block: dict[str, int],
    kpi: Kpi,
    groups: dict[str, Group],
    stored: Row | None,
) -> None:
    """Goalposts, the normalised value and the weight that counts."""
    score = kpi.score
    assert score is not None
    row, place = block[kpi.code], grid.places
    pattern = book.paper.cell("live", grid.columns[place["floor"]].pattern)
    if score.normalise == "goalposts":
        for key, value in (("floor", score.floor), ("target", score.target)):
            sheet.write_formula(row - 1, place[key], f"={key}_{kpi.code}", pattern, number(value))
    ranked = f"{grid.letters['status']}{block[INDEX]}"
    value = None if stored is None else stored["normalised"]
    formula = _normalised(grid, row, kpi.code, score)
    if formula:
        formula = f'=IF({ranked}<>"ok","",{formula})'
        sheet.write_formula(row - 1, place["normalised"], formula, pattern, number(value))
    else:  # compared with all other colleges: as stored
        shown = book.paper.cell("stored", grid.columns[place["normalised"]].pattern)
        put(sheet, row, place["normalised"], value, shown)
    _write_weight(book, sheet, grid, row, kpi.code, score.weight, groups[score.parent], value)


def _normalised(grid: Grid, row: int, code: str, score: Score) -> str:
    """Return the formula of a normalised value; nothing for one that compares colleges."""
    letter = grid.letters
    value, status = f"{letter['value']}{row}", f"{letter['status']}{row}"
    missing = "0" if score.missing == "zero" else '""'
    if score.compares:
        return ""
    if score.normalise == "none":
        return f'IF({status}<>"ok",{missing},{value}*direction_{code})'
    floor, target = f"{letter['floor']}{row}", f"{letter['target']}{row}"
    scaled = f"MAX(0,MIN(100,100*({value}-{floor})/({target}-{floor})))"
    return f'IF({status}<>"ok",{missing},IF(direction_{code}=-1,100,0)+direction_{code}*{scaled})'


def _write_weight(
    book: Book,
    sheet: Sheet,
    grid: Grid,
    row: int,
    code: str,
    weight: Any,
    parent: Group,
    normalised: float | None,
) -> None:
    """The stated weight, the one that counts, and what the group adds up."""
    letter, place = grid.letters, grid.places
    shown = book.paper.cell("live", grid.columns[place["weight"]].pattern)
    value, counted = f"{letter['normalised']}{row}", f"{letter['counted']}{row}"
    stated = float(weight)
    sheet.write_formula(row - 1, place["weight"], f"=weight_{code}", shown, stated)
    is_there = normalised is not None
    sheet.write_formula(
        row - 1,
        place["counted"],
        f'=IF({value}="",0,{letter["weight"]}{row})',
        shown,
        stated if is_there else 0,
    )
    if parent.aggregate in HAVE_NO_PARTS:  # "zero" makes the whole mean 0
        term = f"{counted}*LN({value})" if parent.aggregate == "geometric" else f"{counted}/{value}"
        formula = f'=IF({counted}=0,0,IF({value}<=0,"zero",{term}))'
    else:
        formula = f"=IF({counted}=0,0,{counted}*{value})"
    sheet.write_formula(
        row - 1, place["product"], formula, shown, _product(stated, normalised, parent)
    )


def _product(weight: float, normalised: float | None, parent: Group) -> float | str:
    """The cached value of a step that the round does not keep."""
    if normalised is None or weight == 0:
        return 0
    if parent.aggregate not in HAVE_NO_PARTS:
        return weight * normalised
    if normalised <= 0:
        return "zero"
    return weight * log(normalised) if parent.aggregate == "geometric" else weight / normalised


def _write_group(
    book: Book,
    sheet: Sheet,
    grid: Grid,
    block: dict[str, int],
    group: Group,
    college_id: str,
    stored: Row | None,
) -> None:
    """A group's aggregate of its present children; the index's row says who is ranked at all."""
    methodology, facts = book.facts.methodology, book.facts
    row, place, letter = block[group.code], grid.places, grid.letters
    where = f"KPI, {group.code}"
    children = [block[code] for code, _ in methodology.children(group.code)]
    counted, products = runs(letter["counted"], children), runs(letter["product"], children)
    shown = book.paper.cell("live", grid.columns[place["parts"]].pattern)
    parts = f"{letter['parts']}{row}"
    sheet.write_formula(
        row - 1,
        place["parts"],
        short_formula(f"=SUM({counted})", where),
        shown,
        _parts(book, group, college_id),
    )
    total = f"SUM({products})" if group.aggregate == "sum" else f"SUM({products})/{parts}"
    if group.aggregate in HAVE_NO_PARTS:
        mean = f"EXP({total})" if group.aggregate == "geometric" else f"1/({total})"
        total = f"IF(COUNT({products})<{len(children)},0,{mean})"
    missing = "0" if group.missing == "zero" else '""'
    formula = f"IF({parts}=0,{missing},{total})"
    ranked = f"{letter['status']}{row}"
    if group.code == INDEX:
        _write_ranked(book, sheet, grid, block, college_id)
        required = [
            f'{letter["normalised"]}{block[other.code]}=""'
            for other in facts.groups
            if other.missing == "not_ranked" and other.code != INDEX
        ]
        if required:
            formula = f'IF(OR({",".join(required)}),"",{formula})'
    else:
        ranked = f"{letter['status']}{block[INDEX]}"
    value = None if stored is None else stored["normalised"]
    formula = short_formula(f'=IF({ranked}<>"ok","",{formula})', where)
    sheet.write_formula(row - 1, place["normalised"], formula, shown, number(value))
    if group.parent:
        parent = next(other for other in facts.groups if other.code == group.parent)
        _write_weight(book, sheet, grid, row, group.code, group.weight, parent, value)


def _parts(book: Book, group: Group, college_id: str) -> float:
    """The cached sum of the weights that count, from which stored rows are there."""
    total = 0.0
    for code, weight in book.facts.methodology.children(group.code):
        score = book.facts.kpi_scores.get((college_id, code))
        total += float(weight) if score and score["normalised"] is not None else 0.0
    return total


def _write_ranked(
    book: Book, sheet: Sheet, grid: Grid, block: dict[str, int], college_id: str
) -> None:
    """``ok``, or why the college is not ranked: its status, too few students, a KPI it lacks."""
    facts, ranking = book.facts, book.grids["Ranking"]
    there = facts.rank_row[college_id]
    status, students = ranking.at("status", there), ranking.at("students", there)
    formula = '"ok"'
    for kpi in reversed(facts.methodology.kpis):
        if kpi.score and kpi.score.missing == "not_ranked":
            cell = f"{grid.letters['status']}{block[kpi.code]}"
            formula = f'IF({cell}<>"ok","{kpi.code}",{formula})'
    formula = (
        f'=IF({status}<>"active",{status},IF({students}<min_students,"few_students",{formula}))'
    )
    reason = facts.ranking[there - ranking.first]["not_ranked_reason"]
    stored = "ok" if reason in (None, "no_score") else reason
    sheet.write_formula(
        block[INDEX] - 1,
        grid.places["status"],
        short_formula(formula, "KPI, index"),
        book.paper.cell("live", TEXT, bold=True),
        stored,
    )


def _write_share_of_index(
    book: Book,
    sheet: Sheet,
    grid: Grid,
    block: dict[str, int],
    code: str,
    parent: Group | None,
    stored: Row | None,
) -> None:
    """The node's effective weight in the index, and its contribution to it."""
    row, letter, place = block[code], grid.letters, grid.places
    shown = book.paper.cell("live", grid.columns[place["effective"]].pattern)
    value, mine = f"{letter['normalised']}{row}", f"{letter['effective']}{row}"
    if parent is None:
        formula = f'=IF({value}="","",1)'
    else:
        above = block[parent.code]
        whole, parts = f"{letter['effective']}{above}", f"{letter['parts']}{above}"
        counted = f"{letter['counted']}{row}"
        share = counted if parent.aggregate == "sum" else f"{counted}/{parts}"
        formula = f'=IF({whole}="","",IF({parts}=0,0,{whole}*{share}))'
    weight = None if stored is None else stored["weight"]
    sheet.write_formula(row - 1, place["effective"], formula, shown, number(weight))
    if _has_parts(book, parent):
        contribution = None if stored is None else stored["contribution"]
        formula = f'=IF({mine}="","",IF({value}="",0,{mine}*{value}))'
        sheet.write_formula(row - 1, place["contribution"], formula, shown, number(contribution))


def _has_parts(book: Book, group: Group | None) -> bool:
    """Whether contributions below this group sum to the index: not under every mean."""
    groups = {other.code: other for other in book.facts.groups}
    while group is not None:
        if group.aggregate in HAVE_NO_PARTS:
            return False
        group = groups[group.parent] if group.parent else None
    return True


def write_ranking(book: Book) -> None:
    """Write the sheet Ranking: scores live; ranks, ties and leagues as they stood in the round."""
    words, facts = book.words, book.facts
    grid, kpi = book.grids["Ranking"], book.grids["KPI"]
    sheet = book.paper.table(grid, words.say("Scores and ranks"), book.colours(), frozen=3)
    moved = quoted(words.say("rank would change"))
    kinds = {entry.code: entry.kind for entry in facts.methodology.kpis}
    for row, ranked in enumerate(facts.ranking, start=grid.first):
        college = ranked["college_id"]
        index = facts.kpi_row[college, INDEX]
        _write_ranked_unit(book, sheet, row, ranked)
        value = kpi.at("normalised", index)
        ready = kpi.at("status", index)
        _live(
            book.paper,
            sheet,
            grid,
            "score",
            row,
            f'=IF({value}="","",INT(ROUND(100*{value},6)+0.5)/100)',
            ranked["score"],
        )
        for code in facts.methodology.tie_chain.value:
            there = facts.kpi_row[college, code]
            stored = facts.kpi_values[college, code]
            sheet.write_formula(
                row - 1,
                grid.places[f"tie_{code}"],
                f'=IF({kpi.at("status", there)}="ok",{kpi.at("value", there)},"")',
                book.paper.cell("live", VALUE_FORMATS[kinds[code]]),
                number(stored["value"] if stored["status"] == "ok" else None),
            )
        _live(
            book.paper,
            sheet,
            grid,
            "reason",
            row,
            f'=IF({ready}<>"ok",{ready},IF({value}="","no_score",""))',
            ranked["not_ranked_reason"],
        )
        holds = _order_holds(book, grid, row)
        score, rank = f"{grid.letters['score']}{row}", f"{grid.letters['rank']}{row}"
        _live(
            book.paper,
            sheet,
            grid,
            "order",
            row,
            f'=IF({score}="",IF({rank}="","",{moved}),IF({rank}="",{moved},IF({holds},"OK",{moved})))',
            "" if ranked["score"] is None else "OK",
        )


def _order_holds(book: Book, grid: Grid, row: int) -> str:
    """Return the condition that a college stands where its score and tie keys put it: behind the
    one above it, or beside it where nothing tells them apart. Missing keys are last.
    """
    if row == grid.first:
        return "TRUE"
    scored = {kpi.code for kpi in book.facts.methodology.kpis if kpi.score}
    rank, above_rank = (f"{grid.letters['rank']}{at}" for at in (row, row - 1))
    condition = f"{above_rank}={rank}"
    for code in reversed(book.facts.methodology.tie_chain.value):
        letter = grid.letters[f"tie_{code}"]
        turned = f"*direction_{code}" if code in scored else ""
        here, above = (f'IF({letter}{at}="",{LAST},{letter}{at}{turned})' for at in (row, row - 1))
        condition = f"IF({above}={here},{condition},AND({above}>{here},{above_rank}<{rank}))"
    here, above = (f"{grid.letters['score']}{at}" for at in (row, row - 1))
    condition = f"IF({above}={here},{condition},AND({above}>{here},{above_rank}<{rank}))"
    return short_formula(condition, "Ranking")


def _write_ranked_unit(book: Book, sheet: Sheet, row: int, ranked: Row) -> None:
    """What stands as it did in the round, and who the college is."""
    grid, paper = book.grids["Ranking"], book.paper
    unit = book.facts.units[ranked["college_id"]]
    for key in (
        *("rank", "rank_low", "rank_high", "tie_size", "tie_broken_by", "league", "leader"),
        "level",
    ):
        if key in grid.places:
            pattern = grid.columns[grid.places[key]].pattern
            put(sheet, row, grid.places[key], ranked[key], paper.cell("stored", pattern))
    for key in ("college_id", "region", "kind", "status"):
        put(sheet, row, grid.places[key], unit[key], paper.cell("plain", TEXT))
    for language, name in zip(book.words.languages, book.words.of(unit), strict=True):
        put(sheet, row, grid.places[f"name_{language}"], name, paper.form())
    put(sheet, row, grid.places["students"], unit["students"], paper.cell("input", COUNT))


def _live(
    paper: Paper, sheet: Sheet, grid: Grid, key: str, row: int, formula: str, value: Any
) -> None:
    place = grid.places[key]
    shown = paper.cell("live", grid.columns[place].pattern)
    sheet.write_formula(row - 1, place, formula, shown, number(value))
