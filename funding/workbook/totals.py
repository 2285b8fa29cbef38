"""National totals and checks: the first rows of the sheet Parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from funding.workbook.book import Book
from funding.workbook.paper import COUNT, quoted
from kpi.dated import Stated
from kpi.methodology import Methodology

ANY = "General"


@dataclass(frozen=True)
class Entry:
    """One row: a parameter (``input``), a value that formulas do not read (``stored``), a total or
    check (``live``, with its formula), or the title of a section (``section``).
    """

    name: str
    title: str
    kind: str
    value: Any = None
    pattern: str = ANY
    stated: Stated | None = None
    version: str = ""
    formula: str = ""
    choices: tuple[str, ...] = ()
    check: str = ""


def totals(book: Book) -> Iterator[Entry]:
    """Yield the national totals: live, and as the round has them."""
    words, facts = book.words, book.facts
    ranking = book.grids["Ranking"]
    ranked = sum(row["score"] is not None for row in facts.ranking)
    yield Entry(
        "national_ranked",
        words.say("Colleges that are ranked"),
        "live",
        ranked,
        COUNT,
        formula=f"=COUNT({ranking.all('score')})",
    )
    if not facts.has_money:
        return
    colleges, lines = book.grids["Colleges"], book.grids["Lines"]
    (total,) = [
        row
        for row in facts.of_round.table("funding_totals").iter_rows(named=True)
        if row["in_force"]
    ]
    months = sum(row["student_months"] for row in facts.funding.values())
    yield Entry(
        "national_qualifying",
        words.say("Colleges with an incentive"),
        "live",
        total["qualifying"],
        COUNT,
        formula=f'=COUNTIF({colleges.all("share")},">0")',
    )
    yield Entry(
        "national_student_months",
        words.say("Student-months of eligible students (twelve are one student of the year)"),
        "live",
        months,
        COUNT,
        formula=f"=SUM({lines.all('student_months')})",
    )
    yield Entry(
        "national_students",
        words.say("Eligible students"),
        "live",
        float(total["students"]),
        "#,##0.00",
        formula="=ROUND(national_student_months/12,4)",
    )
    weighted = sum(
        int(line["student_months"]) * int(line["product"] * 10**8)
        for line in facts.lines
        if line["specialty"] is not None
    )
    yield Entry(
        "national_weighted_months_e8",
        words.say("Student-months times the product of coefficients, in hundred-millionths"),
        "live",
        weighted,
        COUNT,
        formula=f"=SUMPRODUCT({lines.all('student_months')},{lines.all('product_e8')})",
    )
    for key, title in (
        ("base_amount", words.say("Base amount, tenge per year")),
        ("incentive_amount", words.say("Incentive amount, tenge per year")),
        ("guarantee_amount", words.say("Cost of the guarantee, tenge per year")),
        ("amount", words.say("Amount, tenge per year")),
    ):
        formula = f"=SUM({colleges.all(key)})"
        yield Entry(f"national_{key}", title, "live", total[key], COUNT, formula=formula)


def checks(book: Book) -> Iterator[Entry]:
    """Yield what must hold: OK, or what a changed parameter needs."""
    words, facts = book.words, book.facts
    groups = [group for group in facts.groups if group.aggregate != "sum"]
    if groups:
        sums = ",".join(weights_agree(facts.methodology, group.code) for group in groups)
        yield _check(
            "check_weights",
            words.say("The weights in every group sum to the group's weight"),
            f"AND({sums})",
            words.say("weights do not sum"),
        )
    ranking = book.grids["Ranking"]
    places = words.say("The order of the scores is that of the round's ranks")
    yield _check(
        "check_ranks",
        places,
        f'AND(COUNTIF({ranking.all("order")},"OK")=COUNT({ranking.all("score")}),'
        f"COUNT({ranking.all('rank')})=COUNT({ranking.all('score')}))",
        words.say("ranks and leagues are no longer those of the round: kpi scenario"),
    )
    if facts.gates:
        gates = book.grids["Gates"]
        yield _check(
            "check_gates",
            words.say("Every gate has the result that it has in the round"),
            f"SUMPRODUCT(--({gates.all('passed')}<>{gates.all('passed_stored')}))=0",
            words.say("results of gates differ; leagues would need kpi scenario"),
        )
    if facts.has_money:
        yield from _money_checks(book)


def _money_checks(book: Book) -> Iterator[Entry]:
    words, facts = book.words, book.facts
    yield _check(
        "check_sums",
        words.say("Lines = colleges = regions = administrators = nation, in tenge and in students"),
        "AND(" + ",".join(_sums_agree(book)) + ")",
        words.say("sums differ"),
    )
    yield _check(
        "check_norms",
        words.say("The base norm is above 0 and not above the full norm"),
        "AND(base_norm>0,base_norm<=full_norm)",
        words.say("the norms do not fit together"),
    )
    if facts.rule and facts.rule.appropriation:
        yield _check(
            "check_appropriation",
            words.say("The appropriation covers what is paid first, and is paid out to the tenge"),
            "appropriation_holds",
            words.say("the appropriation is too small: kpi refuses it"),
        )
    if facts.is_within:
        colleges = book.grids["Colleges"]
        yield _check(
            "check_guarantee",
            words.say("The colleges that are paid their floor are those of the round"),
            f'COUNTIF({colleges.all("guarantee_check")},"OK")=ROWS({colleges.all("share")})',
            words.say("other colleges would be guaranteed: kpi scenario"),
        )


def _check(name: str, title: str, condition: str, otherwise: str) -> Entry:
    return Entry(name, title, "live", "OK", formula=f'=IF({condition},"OK",{quoted(otherwise)})')


def _sums_agree(book: Book) -> Iterator[str]:
    for key in ("amount", "student_months", "base_amount", "incentive_amount"):
        nation = f"national_{key}"
        yield f"SUM({book.grids['Lines'].all(key)})={nation}"
        yield f"SUM({book.grids['Colleges'].all(key)})={nation}"
        for place in ("regions", "administrators"):
            yield f"SUM({book.region_span(place, key)})={nation}"


def weights_agree(methodology: Methodology, code: str) -> str:
    """Return the condition that the weights in a group sum to its own."""
    parts = "+".join(f"weight_{child}" for child, _ in methodology.children(code))
    return f"ROUND({parts}-weight_{code},9)=0"
