"""What does it cost, and who gets it?"""

import datetime as dt
from typing import Any

import polars as pl
import streamlit as st

from funding.around_gates import (
    NONE_TO_SPARE,
    ONE_SHORT,
    REACH,
    around_gates,
    bins_around,
    counted,
    farther,
    gates_of_people,
    hidden_around,
    marks_around,
    span_of,
    within_one,
)
from funding.compare import compare
from funding.report import PART_NAMES
from funding.rule import Rule
from funding.totals import (
    NATION,
    by_calendar_year,
    deciding_gates,
    largest_first,
    old_norm,
    parts_of,
    previous_round,
    qualifying,
    totals_of,
    with_average_norm,
)
from kpi.language import mark
from kpi.rounds import Round
from kpi.terms import term
from views.frame import address, charts, funding_charts, parts
from views.frame.exports import package_for, workbook_for
from views.frame.here import Here, here, kept, version_title
from views.frame.region_choice import narrowed

CLOSE, QUALIFY = "close", "qualify"

_MORE_THAN_ROUND = mark(
    "{qualifying} of {colleges} colleges qualify; the round costs {amount} a year, {difference}"
    " more than the round {before}"
)
_LESS_THAN_ROUND = mark(
    "{qualifying} of {colleges} colleges qualify; the round costs {amount} a year, {difference}"
    " less than the round {before}"
)
_MORE_THAN_NORM = mark(
    "{qualifying} of {colleges} colleges qualify; the round costs {amount} a year, {difference}"
    " more than under the norm before"
)
_LESS_THAN_NORM = mark(
    "{qualifying} of {colleges} colleges qualify; the round costs {amount} a year, {difference}"
    " less than under the norm before"
)


def page() -> None:
    """Draw the page."""
    at = here()
    say = at.words.say
    if not at.has("funding"):
        parts.answer(say("This round pays nothing yet"), at.round_title)
        parts.empty(
            say("No register of students was given: nothing can be funded in this round."),
            say("Upload the registers on the page Data check and run a draft."),
        )
        return
    row = totals_of(at.table("funding_regions"), at.viewer.region or NATION)
    if row is None:
        parts.answer(say("No college of your region is paid in this round"), at.round_title)
        parts.empty(say("Choose another round above."))
        return
    before = _before(at)
    parts.answer(_answer(at, row, before), at.round_title)
    _marks(at)
    _figures(at, row, before)
    if at.viewer.sees_all:
        _calendar_years(at)
        _difference(at)
    _rule(at)
    _places(at)
    _around_gates(at)
    _colleges(at)
    _downloads(at)


def _before(at: Here) -> dict[str, Any] | None:
    """Return what the round is set against: amounts, and whose they are (``name``)."""
    if not at.viewer.sees_all:
        return None
    earlier = previous_round(at.store, at.round.name)
    if earlier is not None:
        row = totals_of(earlier.table("funding_regions"), NATION)
        return None if row is None else {**row, "name": _named(at, earlier), "round": earlier.name}
    row = old_norm(at.table("funding_totals"))
    if row is None:
        return None
    name = at.words.say("the norm before {day}", day=at.words.day(_own_start(at)))
    return {**row, "name": name, "round": None}


def _own_start(at: Here) -> dt.date:
    in_force = at.table("funding_totals").filter(pl.col("in_force"))
    start: dt.date = in_force["start"][0]
    return start


def _named(at: Here, one: Round) -> str:
    return f"{one.name}, {version_title(at.words, one.version)}"


def _answer(at: Here, row: dict[str, Any], before: dict[str, Any] | None) -> str:
    words = at.words
    said = {
        "qualifying": words.number(row["qualifying"]),
        "colleges": words.number(row["colleges"]),
    }
    if at.viewer.region:
        return _answer_of_region(at, row, said)
    said["amount"] = words.rough_tenge(row["amount"])
    more = row["amount"] - before["amount"] if before else 0
    if not before or not more:
        return words.say(
            "{qualifying} of {colleges} colleges qualify; the round costs {amount} a year", **said
        )
    said["difference"] = words.rough_tenge(abs(more))
    if before["round"]:
        sentence = _MORE_THAN_ROUND if more > 0 else _LESS_THAN_ROUND
        return words.say(sentence, before=before["round"], **said)
    sentence = _MORE_THAN_NORM if more > 0 else _LESS_THAN_NORM
    return words.say(sentence, **said)


def _answer_of_region(at: Here, row: dict[str, Any], said: dict[str, str]) -> str:
    words = at.words
    region = at.places("regions").get(row["region"], row["region"])
    if parts.is_hidden(row, "amount"):
        return words.say(
            "{region}: {qualifying} of {colleges} colleges qualify", region=region, **said
        )
    return words.say(
        "{region}: {qualifying} of {colleges} colleges qualify; they all are paid {amount} a year",
        region=region,
        amount=words.rough_tenge(row["amount"]),
        **said,
    )


def _marks(at: Here) -> None:
    with st.container(horizontal=True, gap="small"):
        if at.round.is_draft:
            parts.mark(at.version_title)
        if at.rule.status == "illustrative":
            parts.mark(at.words.say("illustrative rule"))


def _figures(at: Here, row: dict[str, Any], before: dict[str, Any] | None) -> None:
    words = at.words
    [with_norm] = with_average_norm(pl.DataFrame([row]), _qualifying(at), "region").iter_rows(
        named=True
    )
    norm = with_norm["average_norm"]
    parts.figures(
        [
            (
                words.say("All amounts a year"),
                _money(at, row, "amount"),
                words.say(
                    "before {amount} ({before})",
                    amount=words.rough_tenge(before["amount"]),
                    before=before["name"],
                )
                if before
                else "",
                words.say("Students × norm, line by line, and the guarantee where there is one."),
            ),
            (
                words.say("Base part"),
                _money(at, row, "base_amount"),
                words.say("for all {colleges} colleges", colleges=words.number(row["colleges"])),
                "",
            ),
            (
                words.say("Incentive part"),
                _money(at, row, "incentive_amount"),
                words.say("for {colleges} that qualify", colleges=words.number(row["qualifying"])),
                "",
            ),
            (
                words.say("Average norm of those that qualify"),
                words.tenge(norm) if norm is not None else "–",
                words.say("a student and year"),
                words.say("Their amounts over their students: what they are really paid."),
            ),
        ]
    )


def _money(at: Here, row: dict[str, Any], column: str) -> str:
    if parts.is_hidden(row, column):
        return at.words.say("hidden")
    return at.words.rough_tenge(row[column])


def _whole_money(at: Here, row: dict[str, Any], column: str) -> str:
    if parts.is_hidden(row, column):
        return at.words.say("hidden")
    return at.words.tenge(row[column]) if row[column] is not None else "–"


def _calendar_years(at: Here) -> None:
    """Say what falls to each calendar year: a norm is of an academic year, a budget is not."""
    words = at.words
    years = by_calendar_year(at.table("funding_months"))
    told = [
        words.say_count(
            "{amount} in {year} ({count} month)",
            "{amount} in {year} ({count} months)",
            row["months"],
            amount=words.rough_tenge(row["amount"]),
            year=str(row["year"]),
        )
        for row in years.iter_rows(named=True)
    ]
    st.caption(parts.plain(words.say("By calendar year: {years}.", years="; ".join(told))))


def _difference(at: Here) -> None:
    """Say what makes the difference to the last round, part by part."""
    earlier = previous_round(at.store, at.round.name)
    if earlier is None:
        return
    words = at.words
    sums = kept(
        at,
        "difference",
        lambda: parts_of(compare(earlier, at.round).colleges),
        earlier.path,
        earlier.receipt_hash,
    )
    moved = [(part, sums[part]) for part in PART_NAMES if sums.get(part)]
    if not moved:
        return
    rows = pl.DataFrame(
        [
            {
                "label": words.say(PART_NAMES[part]),
                "value": amount,
                "text": _signed(at, amount),
                "tip": f"{words.say(PART_NAMES[part])}: {_signed(at, amount)}",
            }
            for part, amount in moved
        ]
    )
    largest, amount = max(moved, key=lambda one: abs(one[1]))
    title = words.say(
        "Most of the difference comes from: {part} ({amount})",
        part=words.say(PART_NAMES[largest]),
        amount=_signed(at, amount),
    )
    charts.draw(
        at,
        "difference",
        title,
        words.say("What makes the difference to {before}, a year", before=_named(at, earlier)),
        lambda colours: funding_charts.gains(rows, colours),
        earlier.receipt_hash,
        alt_text=title,
    )


def _signed(at: Here, amount: int) -> str:
    told = at.words.rough_tenge(abs(amount))
    return f"+{told}" if amount > 0 else f"−{told}"


def _rule(at: Here) -> None:
    """Say in words how the money is shared out."""
    words, rule = at.words, at.rule
    parts.section(words.say("How the money is shared out"), words.name(rule.title))
    said = {"base": words.tenge(rule.base.value), "full": words.tenge(rule.full.value)}
    if rule.mode == "leagues":
        shares = [
            words.say(
                "league {league}: {share}", league=one.league, share=words.percent(one.share, 0)
            )
            for one in rule.shares
        ]
        lines = [
            words.say(
                "Every college is paid the base norm, {base} a student and year on average. On top"
                " comes a share of the incentive part, up to {full} together, by league: {shares}.",
                shares=", ".join(shares),
                **said,
            )
        ]
    elif rule.full.value == rule.base.value:
        lines = [words.say("One norm for everybody: {base} a student and year on average.", **said)]
    else:
        lines = [
            words.say(
                "A college that passes every gate is paid {full} a student and year on average,"
                " every other {base}. Gates: {gates}.",
                gates=", ".join(_gates_in_words(at, rule)),
                **said,
            )
        ]
    if rule.phase_in:
        lines.append(words.say("A gate that is phased in pays a rising share of the incentive."))
    lines += _limits(at, rule)
    lines.append(
        words.say(
            "Official are the two averages of the norm; gates, thresholds and shares are"
            " illustrative, because the text of the methodology is not public."
        )
    )
    st.markdown("  \n".join(parts.plain(line) for line in lines))
    parts.how(words, "methodology")


def _gates_in_words(at: Here, rule: Rule) -> list[str]:
    names, words = at.kpis(), at.words
    kinds = {kpi.code: kpi.kind for kpi in at.methodology.kpis}
    return [
        names[gate.kpi]
        if kinds[gate.kpi] == "flag"
        else words.say(
            "{kpi} from {threshold}",
            kpi=names[gate.kpi],
            threshold=words.percent(gate.threshold, 0)
            if kinds[gate.kpi].endswith("_share")
            else words.number(gate.threshold),
        )
        for gate in at.methodology.gates
        if gate.kpi in rule.gates.value
    ]


def _limits(at: Here, rule: Rule) -> list[str]:
    """Return the appropriation and the guarantee in words, where the rule has them."""
    words, lines = at.words, []
    if rule.appropriation:
        lines.append(
            words.say(
                "The appropriation covers {what}: at most {amount} a year.",
                what=term(words, rule.appropriation.covers),
                amount=words.tenge(rule.appropriation.amount),
            )
        )
    if rule.guarantee:
        lines.append(
            words.say(
                "No college gets less than {floor} of what the round before paid it ({basis}); that"
                " is paid {source}.",
                floor=words.percent(rule.guarantee.floor, 0),
                basis=term(words, rule.guarantee.basis),
                source=term(words, rule.guarantee.funded_from),
            )
        )
    return lines


def _qualifying(at: Here) -> pl.DataFrame:
    return kept(at, "qualifying", lambda: qualifying(at.table("funding"), at.table("unit_profile")))


def _places(at: Here) -> None:
    """Draw the totals by region or by administrator."""
    words = at.words
    title = {
        "region": words.say("Funding by region"),
        "administrator": words.say("Funding by budget administrator"),
    }
    by = address.value("by") if address.value("by") in title else "region"
    parts.section(title[str(by)])
    by = address.switch(
        "by",
        words.say("Totals"),
        {"region": words.say("By region"), "administrator": words.say("By administrator")},
        label_visibility="collapsed",
    )
    names = at.places("regions")
    rows = kept(
        at,
        "places",
        lambda: largest_first(
            with_average_norm(at.table(f"funding_{by}s"), _qualifying(at), by), at.viewer.region
        ),
        by,
    )
    if rows.is_empty():
        parts.empty(
            words.say("A draft is shown by administrator to the ministry and the auditor alone."),
            words.say("It is here once the round is published."),
        )
        return
    told = [
        {
            "place": names.get(row[by], row[by]) if by == "region" else term(words, row[by]),
            "colleges": words.say(
                "{part} of {whole}",
                part=words.number(row["qualifying"]),
                whole=words.number(row["colleges"]),
            ),
            "students": parts.count(words, row, "students")
            if parts.is_hidden(row, "students")
            else words.number(row["students"]),
            "norm": words.tenge(row["average_norm"]) if row["average_norm"] else "–",
            "base": _whole_money(at, row, "base_amount"),
            "incentive": _whole_money(at, row, "incentive_amount"),
            "amount": _whole_money(at, row, "amount"),
        }
        for row in rows.iter_rows(named=True)
    ]
    parts.table(
        pl.DataFrame(told),
        {
            "place": st.column_config.TextColumn(
                words.say("Region") if by == "region" else words.say("Administrator"),
                pinned=True,
                width="medium",
            ),
            "colleges": _right(words.say("Qualify")),
            "students": _right(words.say("Students")),
            "norm": st.column_config.TextColumn(
                words.say("Average norm"),
                alignment="right",
                help=words.say("Of the colleges that qualify: their amounts over their students."),
            ),
            "base": _right(words.say("Base part")),
            "incentive": _right(words.say("Incentive part")),
            "amount": _right(words.say("Amount a year")),
        },
        name=f"places:{by}",
        alt=title[by],
    )


def _right(label: str) -> Any:
    return st.column_config.TextColumn(label, alignment="right")


# ------------------------------------------------------------------------------ around the gates


def _placed(at: Here) -> pl.DataFrame:
    """Return how the paid colleges lie around the gates, as far as the viewer may see it."""

    def make() -> pl.DataFrame:
        asked = deciding_gates(at.rule, at.methodology)
        paid = at.table("funding")["college_id"]
        return around_gates(at.table("gates"), paid, at.methodology, asked)

    return kept(at, "around gates", make)


def _around_gates(at: Here) -> None:
    words = at.words
    placed = _placed(at)
    if placed.is_empty():
        return
    parts.section(
        words.say("How colleges lie around the gates"),
        words.say(
            "Each bar is one percentage point of the value above or below the threshold. Amber:"
            " within one person of it."
        ),
    )
    gates = [gate for gate in gates_of_people(at.methodology) if gate in set(placed["gate"])]
    for pair in (gates[place : place + 2] for place in range(0, len(gates), 2)):
        for column, gate in zip(st.columns(2, gap="large"), pair, strict=False):
            with column:
                _around_gate(at, placed, gate)


def _around_gate(at: Here, placed: pl.DataFrame, gate: str) -> None:
    words, numbers = at.words, counted(placed, gate)
    threshold = placed.filter(pl.col("gate") == gate)["threshold"][0]
    below, above = farther(placed, gate)
    title = words.say(
        "{kpi}: {short} one person short, {spare} with nobody to spare",
        kpi=at.kpis()[gate],
        short=words.number(numbers[ONE_SHORT]),
        spare=words.number(numbers[NONE_TO_SPARE]),
    )
    places = _place_names(at)
    frame = bins_around(placed, gate)
    tips = [_bin_tip(at, row, threshold) for row in frame.iter_rows(named=True)]
    frame = frame.with_columns(
        pl.col("place").replace_strict(places, return_dtype=pl.String),
        pl.Series("tip", tips, dtype=pl.String),
    )
    labels = {points: words.percent(value, 0) for points, value in marks_around(threshold).items()}
    hidden = hidden_around(at.table("gates"), at.table("funding")["college_id"], gate)
    caption = words.say(
        "{below} colleges lie farther below, {above} farther above",
        below=words.number(below),
        above=words.number(above),
    )
    if hidden:
        caption += "; " + words.say_count(
            "{count} is not shown: its counts are hidden",
            "{count} are not shown: their counts are hidden",
            hidden,
        )
    charts.draw(
        at,
        f"around-{gate}",
        title,
        caption,
        lambda colours: funding_charts.around_gate(
            frame,
            colours,
            reach=REACH,
            labels=labels,
            gate=words.say("gate {threshold}", threshold=words.percent(threshold, 0)),
        ),
        alt_text=f"{title}. {caption}",
    )


def _place_names(at: Here) -> dict[str, str]:
    say = at.words.say
    return {
        "below": say("not passed"),
        ONE_SHORT: say("one person short"),
        NONE_TO_SPARE: say("passed with nobody to spare"),
        "above": say("passed"),
    }


def _bin_tip(at: Here, row: dict[str, Any], threshold: Any) -> str:
    low, high = span_of(threshold, row["points"])
    return at.words.say_count(
        "{low} to {high}: {count} college, {place}",
        "{low} to {high}: {count} colleges, {place}",
        row["colleges"],
        low=at.words.percent(low, 0),
        high=at.words.percent(high, 0),
        place=_place_names(at)[row["place"]],
    )


# -------------------------------------------------------------------------------------- colleges


def _colleges(at: Here) -> None:
    """List the colleges within one person of a gate, or those that qualify."""
    words = at.words
    close = kept(at, "within one", lambda: within_one(_placed(at)))
    qualify = _qualifying(at)
    shown = address.switch(
        "list",
        words.say("Colleges"),
        {
            CLOSE: words.say("Within one person ({count})", count=words.number(close.height)),
            QUALIFY: words.say("Qualifying ({count})", count=words.number(qualify.height)),
        },
        drop=("page",),
    )
    rows = narrowed(at, close if shown == CLOSE else qualify)
    if rows.is_empty():
        return
    rows = parts.paged(words, rows)
    if shown == CLOSE:
        _list(at, rows, _close_rows(at, rows), _close_columns(at), shown)
    else:
        _list(at, rows, _qualifying_rows(at, rows), _qualifying_columns(at), shown)


def _list(
    at: Here,
    rows: pl.DataFrame,
    told: list[dict[str, str]],
    columns: dict[str, Any],
    shown: str,
) -> None:
    """Draw a list of colleges; choosing a row leads to the college and its explanation."""
    words = at.words
    st.caption(parts.plain(words.say("Choose a row to see how its amount is computed.")))
    chosen = parts.table(
        pl.DataFrame(told),
        columns,
        name=f"colleges:{shown}",
        alt=words.say("Colleges"),
        on_select="rerun",
        selection_mode="single-row",
    )
    parts.lead_to_college(rows, chosen)


def _close_columns(at: Here) -> dict[str, Any]:
    say = at.words.say
    return {
        "college": st.column_config.TextColumn(say("College"), pinned=True, width=320),
        "value": st.column_config.TextColumn(say("Value"), alignment="right", width=140),
        "place": st.column_config.TextColumn(say("One person"), width=190),
        "decides": st.column_config.TextColumn(
            say("Decides the norm"),
            width=140,
            help=say("Yes where every other gate is passed, so that this one decides the money."),
        ),
        "gate": st.column_config.TextColumn(say("Gate"), width=220),
        "region": st.column_config.TextColumn(say("Region"), width=170),
    }


def _close_rows(at: Here, rows: pl.DataFrame) -> list[dict[str, str]]:
    words, kpis, places = at.words, at.kpis(), _place_names(at)
    names, regions = at.colleges(), _regions_of(at)
    decides = {True: words.say("yes"), False: words.say("no"), None: words.say("hidden")}
    return [
        {
            "college": names[row["college_id"]],
            "region": regions[row["college_id"]],
            "gate": kpis[row["gate"]],
            "value": words.say(
                "{share} ({part} of {whole})",
                share=words.percent(row["value"]),
                part=words.number(row["numerator"]),
                whole=words.number(row["denominator"]),
            ),
            "place": places[row["place"]],
            "decides": decides[row["decides"]],
        }
        for row in rows.iter_rows(named=True)
    ]


def _regions_of(at: Here) -> dict[str, str]:
    """Return the name of each college's region, by college."""
    names = at.places("regions")
    profile = at.table("unit_profile").select("college_id", "region")
    return {college: names.get(region, region) for college, region in profile.iter_rows()}


def _qualifying_columns(at: Here) -> dict[str, Any]:
    say = at.words.say
    return {
        "college": st.column_config.TextColumn(say("College"), pinned=True, width=320),
        "region": st.column_config.TextColumn(say("Region")),
        "students": _right(say("Students")),
        "share": _right(say("Share of the incentive part")),
        "base": _right(say("Base part")),
        "incentive": _right(say("Incentive part")),
        "amount": _right(say("Amount a year")),
    }


def _qualifying_rows(at: Here, rows: pl.DataFrame) -> list[dict[str, str]]:
    words, regions = at.words, at.places("regions")
    return [
        {
            "college": words.of(row),
            "region": regions.get(row["region"], row["region"]),
            "students": words.say("hidden")
            if parts.is_hidden(row, "students")
            else words.number(row["students"]),
            "share": words.percent(row["share"], 0),
            "base": _whole_money(at, row, "base_amount"),
            "incentive": _whole_money(at, row, "incentive_amount"),
            "amount": _whole_money(at, row, "amount"),
        }
        for row in rows.iter_rows(named=True)
    ]


# ------------------------------------------------------------------------------------- downloads


def _downloads(at: Here) -> None:
    """Offer the auditor's workbook and the open data package; a draft's package is for those who
    see everything.
    """
    if not at.viewer.sees_all and at.round.is_draft:
        return
    words = at.words
    parts.section(
        words.say("Take it with you"),
        words.say("Made when you press; small counts are hidden in the open data package."),
    )
    stem = f"{at.round.name}-{at.round.version}"
    with st.container(horizontal=True, gap="small"):
        if at.viewer.sees_all:
            parts.download(
                words.say("Auditor's workbook (XLSX)"),
                f"{stem}-workbook.xlsx",
                lambda folder: workbook_for(at, folder / "workbook.xlsx"),
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "workbook",
                icon=":material/table_view:",
            )
        parts.download(
            words.say("Open data package (ZIP)"),
            f"{stem}-package.zip",
            lambda folder: package_for(at, folder),
            "application/zip",
            "package",
            icon=":material/folder_zip:",
        )


page()
