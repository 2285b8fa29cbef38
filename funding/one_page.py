"""One college on one printed page: gates, KPIs, norm and amount, from the stored rows of a round.

The page is laid out by typst from ``one_page.typ``. Data reach it as JSON and are never markup; the
fonts come from a package; nothing is fetched. The same round gives the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from funding.verdict import (
    answer,
    league_and_score,
    of_gate_counts,
    places,
    threshold_told,
)
from kpi.colleges import find_college, place_names
from kpi.errors import CallError
from kpi.language import Speaker, speaker
from kpi.rounds import Round
from kpi.standing import TABLES, KpiStanding, Standing, standing_of
from kpi.terms import term
from kpi.told import counted, interval, of_many, value_told

_TEMPLATE = Path(__file__).with_name("one_page.typ")

_LONGEST = 400
"""The characters of a name that are printed; longer ones end in dots."""


def write_one_page(of_round: Round, college: str, path: Path, language: str = "ru") -> Path:
    """Write the printed page of a college's unit as PDF (A4, one page) and return its path.

    ``college`` is an id (a branch or a merged college leads to its unit) or a part of one college's
    name; ``language`` kk, ru or en. Raises CallError for a college that is not found and a file
    that cannot be written.
    """
    made = laid_out(page_content(of_round, college, speaker(language)))
    try:
        path.write_bytes(made)
    except OSError as error:
        raise CallError(
            "The page cannot be written.", where=str(path), found=error.strerror or str(error)
        ) from error
    return path


def laid_out(content: Mapping[str, Any]) -> bytes:
    """Return the PDF of a page's content."""
    import typst
    from font_source_sans_pro import font_directory

    return typst.compile(
        str(_TEMPLATE),
        format="pdf",
        sys_inputs={"page": json.dumps(content, ensure_ascii=False)},
        font_paths=[str(font_directory)],
        ignore_system_fonts=True,
    )


def page_content(of_round: Round, college: str, words: Speaker) -> dict[str, Any]:
    """Return what stands on the page, as text in the language: what the template lays out."""
    unit_id = find_college(of_round, college)["unit_id"]
    tables = {name: of_round.table(name) for name in TABLES if of_round.has(name)}
    methodology = of_round.methodology
    standing = standing_of(tables, methodology, unit_id)
    if standing is None:
        raise CallError(
            "The college counts for a unit whose own row was rejected.",
            where=f"{of_round.name} {of_round.version}",
            found=f"{college} counts for {unit_id}",
            do="Correct that college's row and run the round again.",
        )
    names = {kpi.code: words.name(kpi.name) for kpi in methodology.kpis}
    marks = [words.say("DRAFT")] if of_round.is_draft else []
    if methodology.status != "official":
        marks.append(term(words, methodology.status))
    return {
        "language": words.language,
        "name": _cut(words.of(standing.unit)),
        "context": _context(of_round, standing, words),
        "marks": marks,
        "answer": answer(words, standing, methodology, names),
        "place": [*places(words, standing), *league_and_score(words, standing, methodology)],
        "gates_title": words.say("Gates"),
        "gates": [_gate(words, gate, names) for gate in standing.gates],
        "money_title": words.say("Norm and amount"),
        "money": _money(words, standing),
        "kpis_title": words.say("KPIs"),
        "kpis_head": [
            words.say("KPI"),
            words.say("Value"),
            words.say("Counted"),
            words.say("Interval"),
            words.say("Threshold"),
            words.say("Region"),
            words.say("Kazakhstan"),
        ],
        "kpis": [_kpi(words, one, names) for one in standing.kpis],
        "foot": [
            words.say(
                "The interval is what chance alone would do to a cohort of this size (95 %)."
            ),
            words.say(
                "Round {round}, {version}; receipt (SHA-256) {hash}",
                round=of_round.name,
                version=_version(of_round, words),
                hash=of_round.receipt_hash,
            ),
        ],
    }


def _version(of_round: Round, words: Speaker) -> str:
    if of_round.is_draft:
        return words.say("draft {number}", number=of_round.version.rpartition("-")[2])
    return words.say("published {version}", version=of_round.version)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _context(of_round: Round, standing: Standing, words: Speaker) -> list[str]:
    unit = standing.unit
    regions, clusters = (place_names(of_round, of, words) for of in ("regions", "clusters"))
    told = [unit["college_id"], regions.get(unit["region"], unit["region"])]
    if unit["cluster"]:
        told.append(clusters.get(unit["cluster"], unit["cluster"]))
    if unit["students"]:
        told.append(words.say_count("{count} student", "{count} students", unit["students"]))
    return [_cut(text) for text in told]


def _gate(words: Speaker, gate: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    if gate["kind"] == "flag":
        told = words.say("it is there") if gate["passed"] else words.say("it is not there")
    else:
        told = of_gate_counts(words, gate)
    return {
        "name": names[gate["gate"]],
        "passed": bool(gate["passed"]),
        "result": words.say("passed") if gate["passed"] else words.say("not passed"),
        "told": told,
    }


def _money(words: Speaker, standing: Standing) -> list[tuple[str, str]]:
    funding, norm = standing.funding, standing.norm
    if funding is None:
        return []
    told = [(words.say("Students paid for"), words.number(funding["students"]))]
    if norm:
        label = (
            words.say("Norm per student, mean of the specialties")
            if norm.is_mean
            else words.say("Norm per student")
        )
        told.append((label, words.tenge(norm.tenge)))
    told += [
        (words.say("Base amount per year"), words.tenge(funding["base_amount"])),
        (words.say("Incentive amount per year"), words.tenge(funding["incentive_amount"])),
    ]
    if funding["guarantee_amount"]:
        told.append((words.say("Guarantee"), words.tenge(funding["guarantee_amount"])))
    return [*told, (words.say("Amount per year"), words.tenge(funding["amount"]))]


def _threshold(words: Speaker, one: KpiStanding) -> str:
    threshold = one.threshold_of_value
    return "–" if threshold is None else threshold_told(words, one.kind, threshold)


def _kpi(words: Speaker, one: KpiStanding, names: Mapping[str, str]) -> list[str]:
    row = one.row
    return [
        names[one.kpi],
        value_told(words, row),
        counted(words, one.kind, row),
        interval(words, row) or "–",
        _threshold(words, one),
        "\n".join(of_many(words, one.region)),
        "\n".join(of_many(words, one.nation)),
    ]
