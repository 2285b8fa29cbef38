"""The sheets Lines, Colleges and Regions: from student-months to tenge, as formulas.

What ``sql/4_funding/``, ``funding/settlement.py`` and ``sql/5_totals/`` do; every rounding is half
up and stands in the formula.
"""

from typing import Any

from funding.workbook.book import Book
from funding.workbook.facts import Row, reference_names
from funding.workbook.paper import COUNT, TEXT, Grid, Sheet, Words, number, put, quoted, runs
from funding.workbook.parameters import coefficient_name

MONEY_KEYS = (
    "base_amount",
    "entitled_incentive",
    "incentive_amount",
    "guarantee_amount",
    "amount",
)


def why_no_money(words: Words) -> str:
    """Return the sentence that stands on a money sheet of a round without money."""
    return words.say("No register of students was given: nothing can be funded in this round.")


def write_lines(book: Book) -> None:
    """Write the sheet Lines: a row a college and specialty, and one for a guarantee."""
    words, facts = book.words, book.facts
    grid = book.grids["Lines"]
    sheet = book.paper.table(
        grid, words.say("Funding by college and specialty"), book.colours(), frozen=3
    )
    if not facts.has_money:
        sheet.write_string(grid.first - 1, 0, why_no_money(words))
        return
    specialties = reference_names(facts.of_round, "specialties", "specialty")
    titles = {code: words.of(row)[0] for code, row in specialties.items()}
    for row, line in enumerate(facts.lines, start=grid.first):
        college, specialty = line["college_id"], line["specialty"]
        named = words.of(facts.units[college])[0]
        sheet.write_string(row - 1, 0, college)
        sheet.write_string(row - 1, 1, named)
        if specialty is None:
            _write_guarantee(book, sheet, row, line)
            continue
        texts = [specialty, titles.get(specialty, ""), line["cost_group"], line["locality"]]
        for place, text in enumerate(texts, start=2):
            sheet.write_string(row - 1, place, text)
        shown = book.paper.cell("input", COUNT)
        sheet.write_number(row - 1, grid.places["student_months"], line["student_months"], shown)
        sheet.write_number(
            row - 1, grid.places["guarantee_amount"], 0, book.paper.cell("live", COUNT)
        )
        cached = line | {"product_e8": int(line["product"] * 10**8)}
        _write_live(book, sheet, grid, row, _line_formulas(book, row, line), cached)


def _line_formulas(book: Book, row: int, line: Row) -> dict[str, str]:
    facts = book.facts
    rule = facts.rule
    assert rule is not None
    at = {key: f"{letter}{row}" for key, letter in book.grids["Lines"].letters.items()}
    college = facts.college_row[line["college_id"]]
    cost = coefficient_name(rule, "cost_group", line["cost_group"])
    place = coefficient_name(rule, "locality", line["locality"])
    calibrated = f"ROUND({at['product_e8']}*national_student_months/national_weighted_months_e8,8)"
    full = f"ROUND(ROUND(full_norm*{at['coefficient']},8),0)"
    paid = f"={at['entitled_incentive']}"
    if rule.appropriation:
        paid = f"={book.grids['Appropriation'].at('paid', _appropriation_row(book, row))}"
    return {
        "students": f"=ROUND({at['student_months']}/12,4)",
        "product": f"=ROUND({cost}*{place},8)",
        "product_e8": f"=ROUND({at['product']}*100000000,0)",
        "coefficient": f"=IF(calibrate,{calibrated},{at['product']})",
        "base_norm": f"=ROUND(ROUND(base_norm*{at['coefficient']},8),0)",
        "share": f"={book.grids['Colleges'].at('share', college)}",
        "incentive_norm": f"=ROUND(ROUND(({full}-{at['base_norm']})*{at['share']},6),0)",
        "base_amount": f"=ROUND({at['student_months']}*{at['base_norm']}/12,0)",
        "entitled_incentive": f"=ROUND({at['student_months']}*{at['incentive_norm']}/12,0)",
        "incentive_amount": paid,
        "amount": f"={at['base_amount']}+{at['incentive_amount']}+{at['guarantee_amount']}",
    }


def _appropriation_row(book: Book, row: int) -> int:
    """The row on Appropriation of a row on Lines: the same, less the guarantees above it."""
    above = sum(guarantee < row for guarantee in book.facts.guarantee_row.values())
    return row - above - book.grids["Lines"].first + book.grids["Appropriation"].first


def _write_guarantee(book: Book, sheet: Sheet, row: int, line: Row) -> None:
    """A line without specialty: what brings the college up to its floor."""
    facts, grid = book.facts, book.grids["Lines"]
    college = line["college_id"]
    title = book.words.say("Guarantee")
    sheet.write_string(row - 1, grid.places["specialty_name"], title.splitlines()[0])
    at = {key: f"{letter}{row}" for key, letter in grid.letters.items()}
    shown = book.paper.cell("live", COUNT)
    for key in ("base_amount", "entitled_incentive", "incentive_amount"):
        sheet.write_number(row - 1, grid.places[key], 0, shown)
    floor = book.grids["Colleges"].at("floor_amount", facts.college_row[college])
    rows = facts.line_rows[college]
    paid = [runs(grid.letters[key], rows) for key in ("base_amount", "incentive_amount")]
    paid_sum = f"-SUM({','.join(paid)})" if rows else ""
    formulas = {
        "guarantee_amount": f"=MAX({floor}{paid_sum},0)",
        "amount": f"={at['base_amount']}+{at['incentive_amount']}+{at['guarantee_amount']}",
    }
    _write_live(book, sheet, grid, row, formulas, line)


def write_colleges(book: Book) -> None:
    """Write the sheet Colleges: a row a paid college, the sum of its lines."""
    words, facts = book.words, book.facts
    grid = book.grids["Colleges"]
    sheet = book.paper.table(grid, words.say("Funding by college"), book.colours(), frozen=2)
    if not facts.has_money:
        sheet.write_string(grid.first - 1, 0, why_no_money(words))
        return
    leagues = {row["college_id"]: row["league"] for row in facts.ranking}
    for row, (college, paid) in enumerate(facts.funding.items(), start=grid.first):
        unit = facts.units[college]
        put(sheet, row, grid.places["college_id"], college, book.paper.form())
        for language, name in zip(words.languages, words.of(unit), strict=True):
            shown = book.paper.form()
            put(sheet, row, grid.places[f"name_{language}"], name, shown)
        plain = book.paper.cell("plain", TEXT)
        put(sheet, row, grid.places["region"], unit["region"], plain)
        administrator = unit["administrator"] or "not_stated"
        put(sheet, row, grid.places["administrator"], administrator, plain)
        if "league" in grid.places:
            put(
                sheet,
                row,
                grid.places["league"],
                leagues.get(college),
                book.paper.cell("stored", "0"),
            )
        _write_live(book, sheet, grid, row, _college_formulas(book, row, college), paid)
        if "floor_amount" in grid.places:
            _write_floor(book, sheet, grid, row, college)


def _college_formulas(book: Book, row: int, college: str) -> dict[str, str]:
    facts, lines = book.facts, book.grids["Lines"]
    rows = [*facts.line_rows[college]]
    if college in facts.guarantee_row:
        rows.append(facts.guarantee_row[college])
    formulas = {"share": _share(book, row, college)}
    for key in ("student_months", *MONEY_KEYS):
        if rows:
            spans = runs(lines.letters[key], rows)
            formulas[key] = f"=SUM({','.join(f'Lines!{span}' for span in spans.split(','))})"
        else:
            formulas[key] = "=0"
    letter = book.grids["Colleges"].letters["student_months"]
    formulas["students"] = f"=ROUND({letter}{row}/12,4)"
    return formulas


def _share(book: Book, row: int, college: str) -> str:
    """The share of the incentive part: the smallest that a gate allows, or the league's."""
    facts = book.facts
    assert facts.rule is not None
    if facts.rule.mode == "leagues":
        league = f"{book.grids['Colleges'].letters['league']}{row}"
        numbers = sorted(entry.league for entry in facts.methodology.leagues)
        if not numbers:
            return "=0"
        names = ",".join(f"share_league_{number}" for number in numbers)
        return f'=IF({league}="",0,CHOOSE({league},{names}))'
    rows = [facts.gate_row[college, gate.kpi] for gate in facts.methodology.gates]
    if not rows:
        return "=0"
    spans = runs(book.grids["Gates"].letters["share"], rows).split(",")
    cells = ",".join(f"Gates!{span}" for span in spans)
    return f"=IF(COUNT({cells})=0,0,MIN({cells}))"


def _write_floor(book: Book, sheet: Sheet, grid: Grid, row: int, college: str) -> None:
    """What the guarantee promises, and whether the college is still among those it is paid to."""
    floor = book.facts.floors.get(college)
    if floor is None:
        return
    at = {key: f"{letter}{row}" for key, letter in grid.letters.items()}
    for key in ("previous_student_months", "previous_amount"):
        put(sheet, row, grid.places[key], floor[key], book.paper.cell("input", COUNT))
    per_student = f"{at['student_months']}/{at['previous_student_months']}"
    part = f"{at['previous_amount']}*guarantee_floor"
    formula = (
        f'=IF(guarantee_basis="total",ROUND(ROUND({part},6),0),'
        f"IF({at['previous_student_months']}=0,0,ROUND(ROUND({part}*{per_student},6),0)))"
    )
    _write_live(book, sheet, grid, row, {"floor_amount": formula}, floor)
    if "guaranteed" not in grid.places:
        return
    is_guaranteed = book.facts.is_guaranteed(college)
    shown = book.paper.cell("stored", TEXT)
    put(sheet, row, grid.places["guaranteed"], "yes" if is_guaranteed else "no", shown)


def write_guarantee_checks(book: Book, sheet: Sheet) -> None:
    """Say for each college whether a changed parameter would put it above or below its floor."""
    grid = book.grids["Colleges"]
    differs = quoted(book.words.say("no longer"))
    for row, college in enumerate(book.facts.funding, start=grid.first):
        at = {key: f"{letter}{row}" for key, letter in grid.letters.items()}
        formula = '="OK"'
        if college in book.facts.floors:
            below = f"{at['base_amount']}+{at['incentive_amount']}<{at['floor_amount']}"
            formula = f'=IF(({below})=({at["guaranteed"]}="yes"),"OK",{differs})'
        _write_live(book, sheet, grid, row, {"guarantee_check": formula}, {"guarantee_check": "OK"})


def write_regions(book: Book) -> None:
    """Write the sheet Regions: the nation, then regions, then administrators."""
    words, facts = book.words, book.facts
    grid = book.grids["Regions"]
    title = words.say("Funding by region and by budget administrator")
    sheet = book.paper.table(grid, title, book.colours(), frozen=1)
    if not facts.has_money:
        sheet.write_string(grid.first - 1, 0, why_no_money(words))
        return
    names = reference_names(facts.of_round, "regions", "region")
    nation = words.say("Kazakhstan").splitlines()
    rows = {row["region"]: row for row in facts.of_round.table("funding_regions").to_dicts()}
    by_administrator = {
        row["administrator"]: row
        for row in facts.of_round.table("funding_administrators").to_dicts()
    }
    titles = {code: words.of(names[code]) for code in book.regions}
    titles["KZ"] = nation if len(nation) == len(words.languages) else nation * 2
    for place, code in enumerate(["KZ", *book.regions]):
        key = "" if code == "KZ" else "region"
        _write_place(book, sheet, grid.first + place, code, titles[code], key, rows[code])
    first, _ = book.region_rows("administrators")
    for place, code in enumerate(book.administrators):
        name = [code.replace("_", " ")] * len(words.languages)
        _write_place(
            book, sheet, first + place, code, name, "administrator", by_administrator[code]
        )


def _write_place(
    book: Book, sheet: Sheet, row: int, code: str, names: list[str], key: str, stored: Row
) -> None:
    grid, colleges = book.grids["Regions"], book.grids["Colleges"]
    put(sheet, row, 0, code, book.paper.form())
    for language, name in zip(book.words.languages, names, strict=True):
        put(sheet, row, grid.places[f"name_{language}"], name, book.paper.form())
    summed = [
        name
        for name in (*MONEY_KEYS, "student_months", "colleges", "qualifying")
        if name in grid.places
    ]
    formulas = {}
    for name in summed:
        formulas[name] = f"=national_{name}"
        if key:
            formulas[name] = (
                f"=SUMIF({colleges.all(key)},$A{row},{colleges.all(name)})"
                if name in colleges.places
                else ""
            )
    formulas["colleges"] = f"=ROWS({colleges.all('share')})"
    if key:
        formulas["colleges"] = f"=COUNTIF({colleges.all(key)},$A{row})"
        formulas["qualifying"] = (
            f'=COUNTIFS({colleges.all(key)},$A{row},{colleges.all("share")},">0")'
        )
    formulas["students"] = f"=ROUND({grid.letters['student_months']}{row}/12,4)"
    _write_live(book, sheet, grid, row, formulas, stored)


def _write_live(
    book: Book, sheet: Sheet, grid: Grid, row: int, formulas: dict[str, str], cached: Row
) -> None:
    for key, formula in formulas.items():
        place = grid.places[key]
        shown = book.paper.cell("live", grid.columns[place].pattern)
        value: Any = number(cached[key])
        sheet.write_formula(row - 1, place, formula, shown, value)
