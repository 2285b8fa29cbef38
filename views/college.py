"""What do we get, and what is missing?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from funding.counting_list import write_counting_list
from funding.explain import Step, explain_college
from funding.one_page import write_one_page
from funding.path import PathOf, path_of
from funding.report import league_line
from funding.verdict import (
    answer,
    league_and_score,
    missing,
    of_gate_counts,
    places,
    threshold_told,
)
from kpi import told as figure
from kpi.access import read_table, unit_of
from kpi.standing import TABLES, KpiStanding, Standing, earlier_values, standing_of
from kpi.terms import term
from views.frame import address, charts, parts
from views.frame.college_charts import Bar, Strip, bars, strips
from views.frame.college_profile import draw_profile
from views.frame.desks import desk_here
from views.frame.here import Here, earlier_rounds, here, kept
from views.frame.menu import page_file

_FORMS = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_BEFORE_MONEY = ("college", "kpis", "score", "rank", "gates")
"""The steps that stand beside what they explain; those of the money stand by themselves."""


def page() -> None:
    """Draw the page."""
    at = here()
    names = kept(at, "colleges", at.colleges)
    asked = address.value("college") or at.viewer.college_id
    unit = unit_of(at.round, asked)
    if unit is None or unit not in names:
        _none(at, names, asked, unit)
        return
    standing = kept(at, "standing", lambda: _standing(at, unit), unit)
    path = _path(at, standing)
    _head(at, standing, names)
    _figures(at, standing, path)
    _gates(at, standing, path)
    left, right = st.columns([3, 2], gap="large") if standing.charted else [st.container()] * 2
    with left:
        _shares(at, standing, names)
    with right:
        _employment(at, standing)
        _score(at, standing)
    draw_profile(at, unit, names)
    _kpis(at, standing)
    _money(at, standing)
    _downloads(at, standing, names[unit])


def _standing(at: Here, unit: str) -> Standing:
    tables = {name: at.table(name) for name in TABLES if at.round.has(name)}
    found = standing_of(tables, at.methodology, unit)
    assert found is not None  # it is among the names
    return found


def _path(at: Here, standing: Standing) -> PathOf | None:
    """Return what stands between the college and more money, to those who see all of it."""
    if standing.funding is None or not at.sees_all_of(standing.college_id):
        return None

    def made() -> PathOf:
        at.require_all_of(standing.college_id)
        with desk_here(at) as desk:
            return path_of(desk, standing.college_id, to_leagues=False)

    return kept(at, "path", made, standing.college_id)


# ---------------------------------------------------------------------------- where, who, and how


def _none(at: Here, names: Mapping[str, str], asked: str | None, unit: str | None) -> None:
    """Ask for a college; or say why the one that the address names is not shown."""
    say = at.words.say
    if asked is None:
        parts.answer(say("Which college?"), at.round_title)
    elif unit is None:
        parts.answer(say("This round has no college {id}.", id=asked), at.round_title)
    elif at.round.is_draft and not at.viewer.sees_all:
        parts.answer(say("This college's draft is not for you."), at.round_title)
        st.markdown(
            parts.plain(
                say("While a round is a draft, it is shown to the college itself and its region.")
            )
        )
    else:
        parts.answer(say("This college has no figures in this round."), at.round_title)
    if names:
        _choose(names, None, say("College"), say("Choose a college"))
    elif asked is None:
        parts.empty(say("This draft shows you no college."), say("Choose a published round above."))
    if asked and at.viewer.college_id and asked != at.viewer.college_id:
        st.page_link(
            page_file("college"),
            label=say("To your own college"),
            query_params=address.link(),
        )


def _choose(
    names: Mapping[str, str], unit: str | None, label: str, everything: str | None = None
) -> None:
    """Draw the search for another college; the one that is shown stands first."""
    first = {unit: names[unit]} if unit else {}
    address.choose(
        "college",
        label,
        {**first, **names},
        everything=everything,
        label_visibility="collapsed",
        width="stretch",
    )


def _head(at: Here, standing: Standing, names: Mapping[str, str]) -> None:
    """Say which college, where it is, its place, and the answer."""
    words, unit = at.words, standing.unit
    clusters = at.places("clusters")
    context = [at.places("regions").get(unit["region"], str(unit["region"]))]
    if unit["cluster"]:
        context.append(clusters.get(unit["cluster"], str(unit["cluster"])))
    if unit["students"]:
        context.append(words.say_count("{count} student", "{count} students", unit["students"]))
    context.append(at.round_title)
    left, right = st.columns([3, 1], gap="large", vertical_alignment="top")
    with left:
        st.caption(parts.plain(" · ".join(context)))
        st.title(parts.plain(words.of(unit)), anchor=False)
        with st.container(horizontal=True, gap="small"):
            if at.round.is_draft:
                parts.mark(words.say("draft"))
            if at.methodology.status != "official":
                parts.mark(term(words, at.methodology.status))
        if told := answer(words, standing, at.methodology, at.kpis()):
            parts.section(told)
    with right:
        if len(names) > 1:
            _choose(names, standing.college_id, words.say("Another college"))
        _place(at, standing)


def _place(at: Here, standing: Standing) -> None:
    told = places(at.words, standing)
    more = " · ".join(told[1:])
    league = " · ".join(league_and_score(at.words, standing, at.methodology))
    lines = [f"**{parts.plain(told[0])}**"] if told else []
    st.markdown("  \n".join([*lines, *(parts.plain(one) for one in (more, league) if one)]))
    _how(at, standing, "college", "rank")


def _figures(at: Here, standing: Standing, path: PathOf | None) -> None:
    """Draw up to four figures: norm, what is missing, and what the gates measure."""
    words = at.words
    entries = []
    if standing.norm and standing.funding:
        entries.append(_norm(at, standing))
    if standing.gates and standing.full and standing.funding and not standing.untold:
        entries.append(_missing(at, standing, path))
    for one in standing.headline[: 4 - len(entries)]:
        counted = parts.counts(words, one.row) if one.is_share else ""
        entries.append((at.kpis()[one.kpi], parts.share(words, one.row), counted, _help(at, one)))
    if entries:
        parts.figures(entries)


def _norm(at: Here, standing: Standing) -> tuple[str, str, str, str]:
    words, funding, norm = at.words, standing.funding, standing.norm
    assert funding is not None and norm is not None
    paid = ""
    if funding["students"] is not None and funding["amount"] is not None:
        paid = words.say(
            "{amount} a year for {students} students",
            amount=words.rough_tenge(funding["amount"]),
            students=words.number(funding["students"]),
        )
    return (
        words.say("Norm per student, mean of the specialties")
        if norm.is_mean
        else words.say("Norm per student"),
        words.tenge(norm.tenge),
        paid,
        words.say("Tenge per student and year: base norm and incentive norm of the rule."),
    )


def _missing(at: Here, standing: Standing, path: PathOf | None) -> tuple[str, str, str, str]:
    words = at.words
    gain = path.all_gates_tenge if path else 0
    brings = words.say("+{amount} a year", amount=words.rough_tenge(gain)) if gain else ""
    return (
        words.say("Missing to {norm}", norm=words.tenge(standing.full or 0)),
        missing(words, standing),
        brings if standing.failed else words.say("every gate is passed"),
        words.say(
            "The fewest people more in the numerators that pass every gate, denominators as they"
            " are; the money is the round computed again with them."
        ),
    )


def _help(at: Here, one: KpiStanding) -> str:
    words, row = at.words, one.row
    if row["low"] is None:
        return words.say("Numerator by denominator; the steps are below.")
    return words.say(
        "By chance alone a cohort of this size could lie between {low} and {high} (95 %).",
        low=words.percent(row["low"]),
        high=words.percent(row["high"]),
    )


# ------------------------------------------------------------------------------------------- gates


def _gates(at: Here, standing: Standing, path: PathOf | None) -> None:
    """Draw each gate with what it lacks, and what that alone brings."""
    if not standing.gates:
        return
    words = at.words
    names = at.kpis()
    st.caption(
        parts.plain(words.say("Gates of the higher norm, and what passing each alone brings"))
        if path
        else parts.plain(words.say("Gates of the higher norm"))
    )
    for column, gate in zip(st.columns(len(standing.gates)), standing.gates, strict=True):
        with column:
            _result(at, gate)
            told = [] if gate["kind"] == "flag" else [of_gate_counts(words, gate)]
            told += _brings(at, gate, path)
            lines = [f"**{parts.plain(names[gate['gate']])}**", *map(parts.plain, told)]
            st.markdown("  \n".join(lines))
    if path and len(path.gates) > 1 and path.all_gates_tenge:
        gain = words.tenge(path.all_gates_tenge)
        st.markdown(
            parts.plain(words.say("All these gates together bring {gain} a year.", gain=gain))
        )
    with st.container(horizontal=True, gap="medium"):
        _how(at, standing, "gates")
        _to_next_league(at, standing, path)
    _leagues(at, standing, path)


def _result(at: Here, gate: Mapping[str, Any]) -> None:
    words = at.words
    if gate["passed"] is None:
        st.badge(parts.hidden(words), color="gray")
    elif gate["passed"]:
        st.badge(words.say("passed"), icon=":material/check:", color="gray")
    else:
        st.badge(words.say("not passed"), icon=":material/close:", color="orange")


def _brings(at: Here, gate: Mapping[str, Any], path: PathOf | None) -> list[str]:
    """Say what passing a gate alone brings, and which programmes would do."""
    words = at.words
    if path is None or gate["passed"]:
        return []
    [step] = [step for step in path.gates if step.gate == gate["gate"]]
    if step.more is None:
        return [words.say("no further count can pass it")]
    told = [
        words.say("alone it brings {gain} a year", gain=words.tenge(step.tenge))
        if step.tenge
        else words.say("alone it brings nothing: another gate is not passed either")
    ]
    return told + [
        words.say(
            "accredit {specialty}: {students} students",
            specialty=specialty,
            students=words.number(students),
        )
        for specialty, students in step.programmes
    ]


def _to_next_league(at: Here, standing: Standing, path: PathOf | None) -> None:
    """Offer the way to the next league: it takes seconds, so it is made when asked for."""
    if path is None or not path.league or path.league == 1:
        return
    is_asked = address.value("way") is not None
    st.button(
        at.words.say("Hide the way to the next league")
        if is_asked
        else at.words.say("What would reach league {league}?", league=path.league - 1),
        key="way",
        type="tertiary",
        icon=":material/trending_up:",
        on_click=address.put,
        args=("way", None if is_asked else "league"),
    )


def _leagues(at: Here, standing: Standing, path: PathOf | None) -> None:
    words = at.words
    if path is None or not path.league or path.league == 1 or not address.value("way"):
        return

    def made() -> PathOf:
        at.require_all_of(standing.college_id)
        with desk_here(at) as desk:
            return path_of(desk, standing.college_id)

    with st.spinner(words.say("Ranking everybody again for each count tried ...")):
        found = kept(at, "way", made, standing.college_id)
    told = [league_line(at.methodology, step, words) for step in found.leagues]
    if not told:
        told = [words.say("No further counts reach the next league: a gate cannot be passed.")]
    st.markdown("\n".join(f"- {parts.plain(line)}" for line in told))


# ------------------------------------------------------------------------------------------ charts


def _shares(at: Here, standing: Standing, names: Mapping[str, str]) -> None:
    """Draw each share that counts beside its gate, its region and its peers."""
    words = at.words
    if not standing.charted:
        return
    rows = [_strip(at, one, names) for one in standing.charted]
    marks = [words.say("● the college; bar: what chance alone would do")]
    if any(one.threshold is not None for one in standing.charted):
        marks.append(words.say("┃ gate"))
    if any(one.region for one in standing.charted):
        marks.append(words.say("◇ its region"))
    if any(one.peers for one in standing.charted):
        marks.append(
            words.say_count(
                "│ its {count} peer: a college like it, not its whole cluster",
                "│ its {count} peers: colleges like it, not its whole cluster",
                standing.peer_count,
            )
        )
    percents = [(share, words.percent(share, 0)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    title = words.say("Each share against its gate")
    charts.draw(
        at,
        "shares",
        title,
        " · ".join(marks),
        lambda colours: strips(rows, percents, colours),
        standing.college_id,
        alt_text="; ".join(row.tip for row in rows),
    )
    _how(at, standing, "kpis")


def _strip(at: Here, one: KpiStanding, names: Mapping[str, str]) -> Strip:
    words, row, name = at.words, one.row, at.kpis()[one.kpi]
    tip = f"{name}: {parts.share_of(words, row)}"
    if row["low"] is not None:
        tip += ", " + _interval(at, row)
    region = one.region if one.region and one.region["value"] is not None else None
    return Strip(
        label=name,
        value=row["value"],
        text=_value(at, row),
        tip=tip,
        low=row["low"],
        high=row["high"],
        gate=None if one.threshold_of_value is None else float(one.threshold_of_value),
        gate_tip=f"{words.say('Threshold')}: {_threshold(at, one)}",
        region=region["value"] if region else None,
        region_tip=words.say("Region") + f": {parts.share_of(words, region)}" if region else "",
        peers=[
            (peer["value"], f"{names.get(peer['college_id'])}: {parts.share_of(words, peer)}")
            for peer in one.peers
        ],
    )


def _threshold(at: Here, one: KpiStanding) -> str:
    threshold = one.threshold_of_value
    return "–" if threshold is None else threshold_told(at.words, one.kind, threshold)


def _value(at: Here, row: Mapping[str, Any]) -> str:
    """Return a share with its counts in one line: 68.2 % · 132 of 194."""
    words = at.words
    if row["value"] is None:
        return parts.share(words, row)
    return f"{parts.share(words, row)} · {parts.counts(words, row)}"


def _interval(at: Here, row: Mapping[str, Any]) -> str:
    return at.words.say(
        "interval {low} to {high}",
        low=at.words.percent(row["low"]),
        high=at.words.percent(row["high"]),
    )


def _employment(at: Here, standing: Standing) -> None:
    """Draw the three definitions of employment side by side, over the same graduates."""
    words, found = at.words, standing.employment
    if not found:
        return
    rows = [
        Bar(
            at.kpis()[one.kpi],
            0.0,
            one.row["value"],
            _value(at, one.row),
            f"{at.kpis()[one.kpi]}: {parts.share_of(words, one.row)}",
        )
        for one in found
    ]
    span = standing.employment_span
    title = (
        words.say(
            "Employment is {low} to {high} by definition",
            low=words.percent(span[0]),
            high=words.percent(span[1]),
        )
        if span
        else words.say("Employment by definition")
    )
    charts.draw(
        at,
        "employment",
        title,
        words.say("The same graduates, counted by the published and two derived definitions")
        if len({one.row.get("pooled_years") for one in found}) == 1
        else words.say("The published and two derived definitions, not all of the same cohorts"),
        lambda colours: bars(rows, 1.0, colours),
        standing.college_id,
        alt_text="; ".join(row.tip for row in rows),
    )


def _score(at: Here, standing: Standing) -> None:
    """Draw what the score is made of."""
    words, names = at.words, at.kpis()
    if not standing.parts:
        if standing.is_ranked:
            st.caption(
                parts.plain(
                    words.say(
                        "What the score is made of is shown to the college itself, the ministry and"
                        " the auditor."
                    )
                )
            )
        return
    rows = [
        Bar(
            names[one.kpi],
            one.start,
            one.end,
            f"+{words.number(round(one.points, 2), 2)}",
            words.say(
                "{kpi}: {points} points, {sum} so far",
                kpi=names[one.kpi],
                points=words.number(round(one.points, 2), 2),
                sum=words.number(round(one.end, 2), 2),
            ),
        )
        for one in standing.parts
    ]
    assert standing.ranking is not None
    charts.draw(
        at,
        "score",
        words.say(
            "The score of {score} adds up from {count} KPIs",
            score=words.number(standing.ranking["score"], 2),
            count=words.number(len(rows)),
        ),
        words.say("Points that each KPI brings, one after the other; 100 are the whole width"),
        lambda colours: bars(rows, max(100.0, rows[-1].end or 0), colours),
        standing.college_id,
        alt_text="; ".join(row.tip for row in rows),
    )
    _how(at, standing, "score")


# ------------------------------------------------------------------------------------------ tables


def _kpis(at: Here, standing: Standing) -> None:
    """Draw the table of every KPI, with region, nation and the rounds before."""
    words = at.words
    earlier = kept(at, "earlier", lambda: _earlier(at, standing.college_id), standing.college_id)
    parts.section(
        words.say("Every KPI of the college"),
        words.say(
            "Each with the people counted; the interval is what chance alone would do (95 %)."
        )
        if standing.charted
        else "",
    )
    titles = {
        "kpi": words.say("KPI"),
        "value": words.say("Value"),
        "counts": words.say("Counted"),
        "interval": words.say("Interval"),
        "threshold": words.say("Threshold"),
        "region": words.say("Region"),
        "nation": words.say("Kazakhstan"),
        **{name: name for name, _ in earlier},
    }
    rows = [_kpi_row(at, one, earlier) for one in standing.kpis]
    titles = {name: title for name, title in titles.items() if any(r[name] != "–" for r in rows)}
    parts.small_table(rows, titles, name="kpis", alt=words.say("Every KPI of the college"))
    _how(at, standing, "kpis", place="table")


def _kpi_row(
    at: Here, one: KpiStanding, earlier: list[tuple[str, dict[str, Any]]]
) -> dict[str, str]:
    words, row = at.words, one.row
    return {
        "kpi": at.kpis()[one.kpi],
        "value": figure.value_told(words, row),
        "counts": figure.counted(words, one.kind, row),
        "interval": figure.interval(words, row) or "–",
        "threshold": _threshold(at, one),
        "region": _places(at, one.region),
        "nation": _places(at, one.nation),
        **{name: _before(at, one.kind, rows.get(one.kpi)) for name, rows in earlier},
    }


def _places(at: Here, row: Mapping[str, Any] | None) -> str:
    """Return the same KPI of a region or the nation: 74.2 % (14,092 of 18,985)."""
    value, *counted_ = figure.of_many(at.words, row)
    return f"{value} ({counted_[0]})" if counted_ else value


def _before(at: Here, kind: str, row: Mapping[str, Any] | None) -> str:
    """Return the same KPI of the college in an earlier round."""
    if row is None or row["value"] is None:
        return "–"
    people = figure.counted(at.words, kind, row)
    value = parts.share(at.words, row)
    return value if people == "–" else f"{value} ({people})"


def _earlier(at: Here, unit: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the college's KPIs in the rounds before this one, as the viewer may see them."""
    return earlier_values(
        [(of.name, read_table(of, "kpi_values", at.viewer)) for of in earlier_rounds(at)], unit
    )


# ------------------------------------------------------------------------- step by step, downloads


def _steps(at: Here, standing: Standing) -> list[Step]:
    """Return the explanation's steps, to those who see all of the college."""
    unit = standing.college_id
    if not at.sees_all_of(unit):
        return []

    def made() -> list[Step]:
        at.require_all_of(unit)
        return explain_college(at.round, unit, at.words.language)

    return kept(at, "steps", made, unit)


def _how(at: Here, standing: Standing, *which: str, place: str = "") -> None:
    """Lead to how a figure is computed: to its steps, for those who see all of the college; for
    others to the methodology.
    """
    steps = [one for one in _steps(at, standing) if one.id in which]
    if not steps:
        if not place:
            parts.how(at.words, "methodology")
        return
    with st.popover(
        at.words.say("How is this computed?"),
        icon=":material/help:",
        type="tertiary",
        key=f"how:{which[0]}{place}",
    ):
        for one in steps:
            st.markdown(f"**{one.number}. {parts.plain(one.title)}**")
            _step(at, one)


def _step(at: Here, step: Step) -> None:
    """Draw the sentences of a step, and where its parameters come from."""
    st.markdown("  \n".join(parts.plain(line.strip()) for line in step.lines))
    if step.parameters:
        used = (
            f"{one.path} = {one.value} ({term(at.words, one.status)}; {one.version};"
            f" {one.reference})"
            for one in step.parameters
        )
        st.caption("  \n".join(parts.plain(line) for line in used))


def _money(at: Here, standing: Standing) -> None:
    """Draw norm and amount, step by step."""
    words = at.words
    steps = _steps(at, standing)
    parts.section(_money_title(at, standing))
    if not steps:
        st.caption(
            parts.plain(
                words.say(
                    "The steps are shown to the college itself, the ministry and the auditor: they"
                    " hold counts of few people."
                )
            )
        )
        return
    asked = address.value("step")
    for step in steps:
        if step.id in _BEFORE_MONEY:
            continue
        with st.expander(f"{step.number}. {parts.plain(step.title)}", expanded=asked == step.id):
            _step(at, step)


def _money_title(at: Here, standing: Standing) -> str:
    words, funding = at.words, standing.funding
    if funding is None or funding["amount"] is None:
        return words.say("Step by step")
    return words.say(
        "{base} base + {incentive} incentive = {amount} a year",
        base=words.rough_tenge(funding["base_amount"]),
        incentive=words.rough_tenge(funding["incentive_amount"]),
        amount=words.rough_tenge(funding["amount"]),
    )


def _downloads(at: Here, standing: Standing, name: str) -> None:
    """Offer the printed page and the college's own counting list."""
    words, unit = at.words, standing.college_id
    parts.section(words.say("To take along"))
    if not at.sees_all_of(unit):
        st.caption(
            parts.plain(
                words.say(
                    "The printed page and the counting list are for the college itself, the"
                    " ministry and the auditor."
                )
            )
        )
        return
    stem = f"{at.round.name}-{at.round.version}-{unit}"

    def one_page(folder: Path) -> Path:
        at.require_all_of(unit)
        return write_one_page(at.round, unit, folder / "page.pdf", words.language)

    def counting_list(folder: Path) -> Path:
        at.require_all_of(unit)
        return write_counting_list(at.round, unit, folder / "list.xlsx", words.language)

    with st.container(horizontal=True, gap="small"):
        parts.download(
            words.say("One page (PDF)"),
            f"{stem}.pdf",
            one_page,
            _FORMS["pdf"],
            "one-page",
            icon=":material/picture_as_pdf:",
        )
        if "students" in at.round.input_files():
            parts.download(
                words.say("Counting list (XLSX)"),
                f"{stem}-counting-list.xlsx",
                counting_list,
                _FORMS["xlsx"],
                "counting-list",
                icon=":material/list_alt:",
            )
    if "students" in at.round.input_files():
        st.caption(
            parts.plain(
                words.say(
                    "The counting list names every student and graduate counted: personal data, for"
                    " the college itself; do not pass it on. It is made when the button is pressed,"
                    " which takes some seconds."
                )
            )
        )


page()
