"""What if?"""

from typing import Any

import polars as pl
import streamlit as st

from funding.around_gates import gates_of_people
from funding.moves import (
    GAIN,
    LEAGUE,
    LOSE,
    chosen,
    counted,
    curve_of,
    heights_of,
    marks_on,
    moved_regions,
    summed,
    turned,
    with_room,
)
from funding.scenario import idle_gates
from funding.settings import Rules
from kpi.access import Role, require_role
from kpi.errors import CallError
from views.frame import address, charts, funding_charts, parts
from views.frame.here import Here, here
from views.frame.region_choice import narrowed
from views.frame.scenario_controls import (
    draw_changes,
    draw_controls,
    draw_files,
    draw_raw,
    take_all_back,
)
from views.frame.scenarios import (
    Asked,
    Found,
    asked_here,
    base_of,
    frontier_here,
    scenario_here,
    threshold_here,
    zip_of,
)


def page() -> None:
    """Draw the page."""
    at = here()
    say = at.words.say
    require_role(at.viewer, Role.MINISTRY, Role.AUDITOR)
    if not at.has("funding"):
        parts.answer(say("This round pays nothing yet"), at.round_title)
        parts.empty(
            say("No register of students was given: nothing can be funded in this round."),
            say("Upload the registers on the page Data check and run a draft."),
        )
        return
    asked: Asked | None = None
    base: Rules | None = None
    try:
        asked = asked_here()
        base = base_of(at, asked)
        with st.spinner(say("The scenario is computed")):
            found = scenario_here(at, asked)
    except CallError as error:
        _refused(at, error, asked, base)
        return
    parts.answer(_answer(at, found), at.round_title)
    _marks(at)
    _figures(at, found)
    controls, results = st.columns([2, 5], gap="large")
    with controls:
        _controls(at, asked, base, found)
    with results:
        _results(at, asked, base, found)


def _refused(at: Here, error: CallError, asked: Asked | None, base: Rules | None) -> None:
    """Say what is wrong with the address, and let it be mended."""
    words = at.words
    parts.answer(words.say("This scenario cannot be computed"), at.round_title)
    parts.show_error(words, error)
    if asked is not None:
        draw_files(at, asked)
        draw_raw(at, asked)
    st.button(words.say("Take everything back"), key="all-back", on_click=take_all_back)
    if asked is not None and base is not None:
        with st.columns([2, 5])[0]:
            draw_controls(at, asked, base)


def _answer(at: Here, found: Found) -> str:
    words = at.words
    before, after = found.baseline, found.outcome
    if not found.changes and not found.files:
        return words.say(
            "Nothing is changed yet: {qualifying} colleges qualify, {amount} a year",
            qualifying=words.number(before["qualifying"]),
            amount=words.rough_tenge(before["amount"]),
        )
    return words.say(
        "{before} → {after} a year ({difference}); {old} → {new} colleges qualify",
        before=words.rough_tenge(before["amount"]),
        after=words.rough_tenge(after["amount"]),
        difference=_signed(at, after["amount"] - before["amount"]),
        old=words.number(before["qualifying"]),
        new=words.number(after["qualifying"]),
    )


def _signed(at: Here, amount: int, exact: bool = False) -> str:
    told = at.words.tenge(abs(amount)) if exact else at.words.rough_tenge(abs(amount))
    return f"+{told}" if amount > 0 else f"−{told}" if amount < 0 else told


def _marks(at: Here) -> None:
    with st.container(horizontal=True, gap="small"):
        parts.mark(at.words.say("scenario: nothing of it is in force"))
        if at.round.is_draft:
            parts.mark(at.version_title)


def _figures(at: Here, found: Found) -> None:
    words = at.words
    before, after = found.baseline, found.outcome
    difference = {name: after[name] - before[name] for name in before}
    gained, lost = turned(found.moves)

    def colleges(count: int) -> str:
        return words.say_count("{count} college qualifies", "{count} colleges qualify", count)

    parts.figures(
        [
            (
                words.say("Baseline a year"),
                words.rough_tenge(before["amount"]),
                colleges(before["qualifying"]),
                words.say("The round as it stands in the store."),
            ),
            (
                words.say("Scenario a year"),
                words.rough_tenge(after["amount"]),
                colleges(after["qualifying"]),
                words.say("The same SQL and settlement, under the changed rules."),
            ),
            (
                words.say("Difference"),
                _signed(at, difference["amount"]),
                words.say(
                    "{more} begin to qualify, {fewer} cease to",
                    more=words.number(gained),
                    fewer=words.number(lost),
                ),
                "",
            ),
        ]
    )


# -------------------------------------------------------------------------------------- controls


def _controls(at: Here, asked: Asked, base: Rules, found: Found) -> None:
    words = at.words
    parts.section(words.say("What is changed"))
    if asked.is_nothing:
        st.caption(parts.plain(words.say("Nothing yet. Change a value below.")))
    else:
        draw_files(at, asked)
        draw_changes(at, base, found.changes, found.idle)
        st.caption(
            parts.plain(
                words.say("The address of this page holds all of it: send it to a colleague.")
            )
        )
        if len(found.changes) + len(found.files) > 1:
            st.button(words.say("Take everything back"), key="all-back", on_click=take_all_back)
        parts.download(
            words.say("Scenario (ZIP)"),
            f"{at.round.name}-{at.round.version}-scenario.zip",
            lambda folder: zip_of(at, asked, folder),
            "application/zip",
            "scenario-zip",
            icon=":material/folder_zip:",
        )
    parts.section(words.say("Change a value"))
    draw_controls(at, asked, base)


# --------------------------------------------------------------------------------------- results


def _results(at: Here, asked: Asked, base: Rules, found: Found) -> None:
    _frontier(at, asked, base, found)
    if found.moves["difference"].is_empty():
        return
    _regions(at, asked, found)
    _movers(at, found)


def _frontier(at: Here, asked: Asked, base: Rules, found: Found) -> None:
    """Draw what every threshold of a gate would cost, when it is asked for."""
    words = at.words
    kpis = {kpi.code: words.name(kpi.name) for kpi in base.methodology.kpis}
    gates = gates_of_people(base.methodology)
    parts.section(words.say("What every threshold of a gate costs"))
    gate = address.choose(
        "frontier",
        words.say("Frontier of the gate"),
        {code: kpis[code] for code in gates},
        everything=words.say("choose a gate"),
        drop=(),
        width=420,
    )
    if gate is None:
        st.caption(
            parts.plain(words.say("46 thresholds are computed; that takes a second or two."))
        )
        return
    with st.spinner(words.say("46 thresholds are computed")):
        points = frontier_here(at, asked, gate)
    if idle_gates(points, [gate]):
        parts.empty(
            words.say("No threshold of this gate changes anything under these rules."),
            words.say("Does the rule ask for this gate? Choose it among the gates."),
        )
        return
    _draw_frontier(at, asked, found, points, gate, kpis[gate])


def _draw_frontier(
    at: Here, asked: Asked, found: Found, points: pl.DataFrame, gate: str, name: str
) -> None:
    words = at.words
    curve = curve_of(points, gate)
    first, last = curve.row(0, named=True), curve.row(-1, named=True)
    title = words.say(
        "From {most} at {low} to {least} at {high}",
        most=words.rough_tenge(first["amount"]),
        low=words.percent(first["threshold"], 0),
        least=words.rough_tenge(last["amount"]),
        high=words.percent(last["threshold"], 0),
    )
    marks = _marks_on(at, asked, found, gate, curve)
    drawn = _drawn_marks(at, marks)
    labelled = curve.filter("is_labelled")
    rows = pl.DataFrame(
        [
            {
                "x": row["percent"],
                "y": row["billions"],
                "text": words.number(row["qualifying"]) if row["has_text"] else "",
                "tip": _point(at, row),
            }
            for row in with_room(curve, marks).iter_rows(named=True)
        ]
    )
    across = {
        row["percent"]: words.percent(row["threshold"], 0) for row in labelled.iter_rows(named=True)
    }
    up = {value: words.rough_tenge(amount) for value, amount in heights_of(curve).items()}
    charts.draw(
        at,
        "frontier",
        title,
        words.say(
            "Cost a year by threshold of: {gate}; the numbers are colleges that qualify", gate=name
        ),
        lambda colours: funding_charts.frontier(rows, drawn, colours, across=across, up=up),
        asked,
        gate,
        alt_text=title,
    )


def _marks_on(at: Here, asked: Asked, found: Found, gate: str, curve: pl.DataFrame) -> pl.DataFrame:
    """Return baseline and scenario as points on the curve."""
    points = [("baseline", Asked.nothing(), found.baseline)]
    if not asked.is_nothing:
        points.append(("scenario", asked, found.outcome))
    return marks_on(
        curve,
        (
            (name, threshold_here(at, one, gate), sums["qualifying"], sums["amount"])
            for name, one, sums in points
        ),
    )


def _drawn_marks(at: Here, marks: pl.DataFrame) -> pl.DataFrame:
    """Return marked points with their words."""
    words = at.words
    labels = {"baseline": words.say("baseline"), "scenario": words.say("scenario")}
    told = [
        {
            "text": f"{labels[row['name']]}: {words.number(row['qualifying'])}",
            "tip": f"{labels[row['name']]}: {_point(at, row)}",
        }
        for row in marks.iter_rows(named=True)
    ]
    return marks.select(
        pl.Series("text", [one["text"] for one in told], dtype=pl.String),
        pl.Series("tip", [one["tip"] for one in told], dtype=pl.String),
        "is_above",
        x="percent",
        y="billions",
        is_subject=pl.col("name") == "scenario",
    )


def _point(at: Here, row: dict[str, Any]) -> str:
    words = at.words
    return words.say_count(
        "{threshold}: {amount} a year, {count} college qualifies",
        "{threshold}: {amount} a year, {count} colleges qualify",
        row["qualifying"],
        threshold=words.percent(row["threshold"]),
        amount=words.rough_tenge(row["amount"]),
    )


def _regions(at: Here, asked: Asked, found: Found) -> None:
    words, names = at.words, at.places("regions")
    moved = moved_regions(found.regions)
    if moved.is_empty():
        return
    rows = pl.DataFrame(
        [
            {
                "label": names.get(row["region"], row["region"]),
                "value": row["difference"],
                "text": _signed(at, row["difference"]),
                "tip": words.say(
                    "{region}: {before} → {after}, {old} → {new} colleges qualify",
                    region=names.get(row["region"], row["region"]),
                    before=words.rough_tenge(row["amount"]),
                    after=words.rough_tenge(row["amount_scenario"]),
                    old=words.number(row["qualifying"]),
                    new=words.number(row["qualifying_scenario"]),
                ),
            }
            for row in moved.iter_rows(named=True)
        ]
    )
    title = _title_of_moves(at, *summed(found.moves))
    charts.draw(
        at,
        "gains",
        title,
        words.say("Difference by region, a year; scenario"),
        lambda colours: funding_charts.gains(rows, colours),
        asked,
        alt_text=title,
    )


def _title_of_moves(at: Here, gain: int, loss: int) -> str:
    words = at.words
    said = {"gain": words.rough_tenge(gain), "loss": words.rough_tenge(abs(loss))}
    if not loss:
        return words.say("Colleges gain {gain} together, none loses", **said)
    if not gain:
        return words.say("Colleges lose {loss} together, none gains", **said)
    return words.say("Colleges gain {gain} and lose {loss} together", **said)


def _movers(at: Here, found: Found) -> None:
    """List who gains, who loses, and whose league moves."""
    words = at.words
    counts = counted(found.moves)
    if not any(counts.values()):
        if found.changes or found.files:
            parts.empty(words.say("Nobody gains, loses or moves to another league."))
        return
    which = address.switch(
        "list",
        words.say("Who"),
        {
            GAIN: words.say("Gain ({count})", count=words.number(counts[GAIN])),
            LOSE: words.say("Lose ({count})", count=words.number(counts[LOSE])),
            LEAGUE: words.say("Another league ({count})", count=words.number(counts[LEAGUE])),
        },
        default=next(one for one in counts if counts[one]),
        drop=("page",),
    )
    rows = narrowed(at, chosen(found.moves, which))
    if rows.is_empty():
        return
    profile = at.table("unit_profile").select("college_id", "region")
    rows = rows.join(profile, on="college_id", how="left", maintain_order="left")
    _list(at, parts.paged(words, rows), which)


def _list(at: Here, rows: pl.DataFrame, which: str) -> None:
    words, names, regions = at.words, at.colleges(), at.places("regions")

    def league(number: int | None) -> str:
        return words.number(number) if number is not None else words.say("none")

    told = [
        {
            "college": names.get(row["college_id"], row["college_id"]),
            "region": regions.get(row["region"], row["region"]),
            "difference": _signed(at, row["difference"], exact=True),
            "before": words.tenge(row["amount"]),
            "after": words.tenge(row["amount_scenario"]),
            "league": f"{league(row['league'])} → {league(row['league_scenario'])}"
            if row["league"] != row["league_scenario"]
            else league(row["league"]),
        }
        for row in rows.iter_rows(named=True)
    ]
    column = st.column_config.TextColumn
    picked = parts.table(
        pl.DataFrame(told),
        {
            "college": column(words.say("College"), pinned=True, width=300),
            "region": column(words.say("Region")),
            "difference": column(words.say("Difference a year"), alignment="right"),
            "before": column(words.say("Baseline"), alignment="right"),
            "after": column(words.say("Scenario"), alignment="right"),
            "league": column(words.say("League"), alignment="right"),
        },
        name=f"moves:{which}",
        alt=words.say("Who gains and who loses"),
        on_select="rerun",
        selection_mode="single-row",
    )
    parts.lead_to_college(rows, picked)


page()
