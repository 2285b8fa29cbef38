"""The columns of every sheet: titles, widths, number formats, and which kind of cell they hold."""

from collections.abc import Iterator

from funding.workbook.facts import Facts
from funding.workbook.paper import (
    COEFFICIENT,
    COUNT,
    PERCENT,
    SCALE,
    SCORE,
    TEXT,
    WEIGHT,
    WHOLE,
    Column,
    Grid,
    Words,
    stored_note,
)
from kpi.pooling import pooled_kpis

LANGUAGE_NAMES = {"kk": "қазақша", "ru": "русский", "en": "English"}
MONEY = 19  # characters that national amounts need
DIGITS = 6  # of base 100: an entitled amount below 10^12


def make_grids(facts: Facts, words: Words, places: int) -> dict[str, Grid]:
    """Return the grid of every sheet that has rows of colleges; ``places``: rows of Regions."""
    rows = {
        "KPI": len(facts.kpi_row),
        "Ranking": len(facts.ranking),
        "Gates": len(facts.gates),
        "Lines": len(facts.lines),
        "Colleges": len(facts.funding),
        "Regions": places,
        "Appropriation": sum(map(len, facts.line_rows.values())),
    }
    columns = {
        "KPI": _kpi,
        "Ranking": _ranking,
        "Gates": _gates,
        "Lines": _lines,
        "Colleges": _colleges,
        "Regions": _regions,
        "Appropriation": _appropriation,
    }
    grids = {}
    for name, make in columns.items():
        if name == "Appropriation" and not (facts.rule and facts.rule.appropriation):
            continue
        first = {"Appropriation": 21}.get(name, 4)
        grids[name] = Grid(name, list(make(facts, words)), rows[name], first)
    return grids


def _id(words: Words) -> Column:
    return Column("college_id", words.say("College id"), 15)


def _name(words: Words) -> Column:
    return Column("name", words.say("College"), 34)


def _names(words: Words, key: str, title: str, width: float) -> Iterator[Column]:
    """A column for each language."""
    for language in words.languages:
        said = f"{title}\n({LANGUAGE_NAMES[language]})" if len(words.languages) > 1 else title
        yield Column(f"{key}_{language}", said, width)


def _kpi(facts: Facts, words: Words) -> Iterator[Column]:
    normalised = words.say("Normalised (0 to 100)")
    compared = [k.code for k in facts.methodology.kpis if k.score and k.score.compares]
    note = ""
    if compared:
        note = words.say(
            "These KPIs are compared with all other colleges and are not recomputed: {codes}",
            codes=", ".join(compared),
        )
    yield _id(words)
    yield _name(words)
    yield Column("code", words.say("Code"), 24)
    yield from _names(words, "title", words.say("KPI or group"), 30)
    yield Column("numerator", words.say("Numerator"), 13, "input", COUNT)
    yield Column("denominator", words.say("Denominator"), 13, "input", COUNT)
    yield Column("value", words.say("Indicator value"), 12, "live", PERCENT)
    yield Column("status", words.say("Status, or why the college is not ranked"), 20, "live")
    yield Column("floor", words.say("Floor (0 points)"), 11, "live", SCALE)
    yield Column("target", words.say("Target (100 points)"), 11, "live", SCALE)
    yield Column("normalised", normalised, 17, "live", SCALE, note)
    yield Column("weight", words.say("Stated weight"), 15, "live", SCALE)
    yield Column("counted", words.say("Weight counted (0 where missing)"), 13, "live", SCALE)
    yield Column("product", words.say("Counted weight × normalised"), 16, "live", SCALE)
    yield Column("parts", words.say("Sum of the counted weights in the group"), 16, "live", SCALE)
    yield Column("effective", words.say("Effective weight in the index"), 15, "live", SCALE)
    yield Column("contribution", words.say("Contribution to the index"), 14, "live", SCALE)
    if pooled_kpis(facts.methodology):
        title = words.say("Cohorts that the counts are of")
        yield Column("pooled_years", title, 12, "stored", WHOLE, stored_note(words))


def _ranking(facts: Facts, words: Words) -> Iterator[Column]:
    note = stored_note(words)
    yield Column("rank", words.say("Rank"), 8, "stored", WHOLE, note)
    if any(row.get("rank_low") is not None for row in facts.ranking):
        best, worst = (
            words.say("Best rank of the 90 % interval"),
            words.say("Worst rank of the 90 % interval"),
        )
        yield Column("rank_low", best, 12, "stored", WHOLE, note)
        yield Column("rank_high", worst, 12, "stored", WHOLE, note)
    yield _id(words)
    yield from _names(words, "name", words.say("College"), 48)
    yield Column("region", words.say("Region"), 10)
    yield Column("kind", words.say("Kind of college"), 15)
    yield Column("status", words.say("Status of the college"), 12)
    yield Column("students", words.say("Students counted"), 12, "input", COUNT)
    yield Column("score", words.say("Score"), 10, "live", SCORE)
    for code in facts.methodology.tie_chain.value:
        title = words.say("Tie key: {kpi}", kpi=code.replace("_", " "))
        yield Column(f"tie_{code}", title, 17, "live", PERCENT)
    yield Column("tie_size", words.say("Colleges that share the rank"), 12, "stored", WHOLE, note)
    yield Column("tie_broken_by", words.say("Tie broken by"), 19, "stored", TEXT, note)
    yield Column("league", words.say("League"), 9, "stored", WHOLE, note)
    yield Column("leader", words.say("Leader"), 18, "stored", TEXT, note)
    if facts.methodology.levels:
        yield Column("level", words.say("Level"), 10, "stored", TEXT, note)
    yield Column("reason", words.say("Why it is not ranked"), 18, "live")
    yield Column("order", words.say("Does the score still fit the rank?"), 18, "live")


def _gates(facts: Facts, words: Words) -> Iterator[Column]:
    note = stored_note(words)
    yield _id(words)
    yield _name(words)
    yield Column("gate", words.say("Gate"), 24)
    yield Column("numerator", words.say("Numerator"), 13, "live", COUNT)
    yield Column("denominator", words.say("Denominator"), 13, "live", COUNT)
    yield Column("threshold", words.say("Threshold"), 12, "live", PERCENT)
    yield Column("decided_by", words.say("Decided by"), 15, "live")
    yield Column("passed", words.say("Passed"), 13, "live")
    yield Column("short_by", words.say("People short of the threshold"), 15, "live", COUNT)
    if facts.rule and facts.rule.mode == "threshold":
        title = words.say("Share of the incentive part that the gate allows")
        yield Column("share", title, 16, "live", WEIGHT)
    yield Column("passed_stored", words.say("Passed in the round"), 14, "stored", TEXT, note)
    yield Column("rejected", words.say("Rejected rows"), 16, "stored", COUNT, note)
    for key, title in (
        ("passed_rejected_for", words.say("Passed with rejected rows counted for it")),
        ("passed_rejected_against", words.say("Passed with rejected rows counted against it")),
    ):
        yield Column(key, title, 16, "stored", TEXT, note)


def _lines(facts: Facts, words: Words) -> Iterator[Column]:
    yield _id(words)
    yield _name(words)
    yield Column("specialty", words.say("Specialty"), 15)
    yield Column("specialty_name", words.say("Name of the specialty"), 30)
    yield Column("cost_group", words.say("Cost group"), 12)
    yield Column("locality", words.say("Locality"), 15)
    yield Column("student_months", words.say("Student-months"), 13, "input", COUNT)
    yield Column("students", words.say("Eligible students"), 18, "live", "#,##0.00")
    yield Column("product", words.say("Product of the coefficients"), 17, "live", COEFFICIENT)
    title = words.say("The product in hundred-millionths")
    yield Column("product_e8", title, 17, "live", COUNT)
    yield Column("coefficient", words.say("Coefficient"), 15, "live", COEFFICIENT)
    yield Column("base_norm", words.say("Base norm, tenge"), 13, "live", COUNT)
    yield Column("share", words.say("Share of the incentive part"), 17, "live", WEIGHT)
    yield Column("incentive_norm", words.say("Incentive norm, tenge"), 17, "live", COUNT)
    for key, title in _money_titles(words):
        yield Column(key, title, MONEY, "live", COUNT)


def _money_titles(words: Words) -> Iterator[tuple[str, str]]:
    yield "base_amount", words.say("Base amount, tenge per year")
    yield "entitled_incentive", words.say("Incentive entitled to, tenge per year")
    yield "incentive_amount", words.say("Incentive amount, tenge per year")
    yield "guarantee_amount", words.say("Cost of the guarantee, tenge per year")
    yield "amount", words.say("Amount, tenge per year")


def _colleges(facts: Facts, words: Words) -> Iterator[Column]:
    note = stored_note(words)
    yield _id(words)
    yield from _names(words, "name", words.say("College"), 48)
    yield Column("region", words.say("Region"), 10)
    yield Column("administrator", words.say("Budget administrator"), 16)
    if facts.rule and facts.rule.mode == "leagues":
        yield Column("league", words.say("League"), 9, "stored", WHOLE, note)
    yield Column("share", words.say("Share of the incentive part"), 17, "live", WEIGHT)
    yield Column("student_months", words.say("Student-months"), 13, "live", COUNT)
    yield Column("students", words.say("Eligible students"), 18, "live", "#,##0.00")
    for key, title in _money_titles(words):
        yield Column(key, title, MONEY, "live", COUNT)
    if not (facts.rule and facts.rule.guarantee):
        return
    title = words.say("Student-months in the previous published round")
    yield Column("previous_student_months", title, 15, "input", COUNT)
    title = words.say("Amount in the previous published round, tenge")
    yield Column("previous_amount", title, MONEY, "input", COUNT)
    yield Column("floor_amount", words.say("Guaranteed amount, tenge"), MONEY, "live", COUNT)
    if facts.is_within:
        title = words.say("Paid the guaranteed amount within the appropriation")
        yield Column("guaranteed", title, 17, "stored", TEXT, note)
        title = words.say("Does this still hold?")
        yield Column("guarantee_check", title, 14, "live")


def _regions(facts: Facts, words: Words) -> Iterator[Column]:
    yield Column("code", words.say("Region or administrator"), 18)
    yield from _names(words, "name", words.say("Name"), 34)
    yield Column("colleges", words.say("Colleges"), 14, "live", COUNT)
    yield Column("qualifying", words.say("Colleges with an incentive"), 17, "live", COUNT)
    yield Column("student_months", words.say("Student-months"), 15, "live", COUNT)
    yield Column("students", words.say("Eligible students"), 18, "live", "#,##0.00")
    for key, title in _money_titles(words):
        if key != "entitled_incentive":
            yield Column(key, title, MONEY + 3, "live", COUNT)


def _appropriation(facts: Facts, words: Words) -> Iterator[Column]:
    yield _id(words)
    yield Column("specialty", words.say("Specialty"), 15)
    yield Column("scaled", words.say("Scaled (1) or guaranteed (0)"), 15, "live", WHOLE)
    title = words.say("Incentive entitled to, tenge per year")
    yield Column("entitled", title, MONEY, "live", COUNT)
    for digit in reversed(range(DIGITS)):
        title = words.say("Remainder after the digit of 100 to the power {power}", power=digit)
        yield Column(f"r{digit}", title, 17, "live", COUNT)
    yield Column("down", words.say("Rounded down, tenge"), MONEY, "live", COUNT)
    yield Column("key", words.say("Remainder that is ranked"), 17, "live", COUNT)
    yield Column("ties", words.say("Lines so far at the last remainder"), 14, "live", COUNT)
    yield Column("plus", words.say("One tenge more"), 10, "live", WHOLE)
    yield Column("paid", words.say("Incentive amount, tenge per year"), MONEY, "live", COUNT)
