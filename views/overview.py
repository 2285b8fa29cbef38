"""Where does the country stand?"""

import datetime as dt
from typing import Any

import polars as pl
import streamlit as st

from funding.rule import Rule
from funding.waiving import accepted_errors
from kpi.access import NATION, PAGES
from kpi.dated import load_file
from kpi.overview import EMPLOYMENT, ToDo, above, by_group, left_to_do, place_kpis, quality, tiles
from kpi.rounds import publications
from views.frame import address, charts, parts
from views.frame.here import Here, here, kept, newer_draft
from views.frame.marks import draw_marks
from views.frame.menu import page_file
from views.frame.tile_map import short_name, tile_map

FIGURES = (*EMPLOYMENT, "dual_share")
"""The national figures; where a methodology has none of them, its own first four."""

Row = dict[str, Any]


def page() -> None:
    """Draw the page."""
    at = here()
    say = at.words.say
    place = _place(at)
    figures = place_kpis(at.table("region_kpis"), place)
    parts.answer(_answer(at, place), _context(at, place))
    draw_marks(at)
    if not figures:
        parts.empty(
            say("This round is a draft: national figures are shown once it is published."),
            say("Your own figures are on the page College."),
        )
        st.page_link(page_file("college"), label=say("College"), query_params=address.link())
        return
    _figures(at, figures)
    if place == NATION:
        _map(at)
    left, right = st.columns(2, gap="large")
    with left:
        _leagues(at)
    with right:
        _status(at)
    if place == NATION:
        _quality(at)


def _place(at: Here) -> str:
    """The nation; of a draft a region's department sees its own region alone."""
    region = at.viewer.region
    return region if region and at.round.is_draft else NATION


def _context(at: Here, place: str) -> str:
    names = at.places("regions")
    return at.round_title if place == NATION else f"{names[place]} · {at.round_title}"


def _answer(at: Here, place: str) -> str:
    words = at.words
    if not at.has("funding"):
        return words.say_count(
            "{count} college is ranked; no register of students was given, so nothing is funded",
            "{count} colleges are ranked; no register of students was given, so nothing is funded",
            at.table("ranking")["rank"].count(),
        )
    rows = at.table("funding_regions").filter(pl.col("region") == place).to_dicts()
    if not rows:
        return words.say("The round is a draft")
    [row] = rows
    numbers = {
        "qualifying": words.number(row["qualifying"]),
        "colleges": words.number(row["colleges"]),
    }
    if row["amount"] is None:
        return words.say("{qualifying} of {colleges} colleges qualify", **numbers)
    if place != NATION:
        return words.say(
            "{region}: {qualifying} of {colleges} colleges qualify; all get {amount} a year",
            region=at.places("regions")[place],
            amount=words.rough_tenge(row["amount"]),
            **numbers,
        )
    return words.say(
        "{qualifying} of {colleges} colleges qualify; the round costs {amount} a year",
        amount=words.rough_tenge(row["amount"]),
        **numbers,
    )


def _figures(at: Here, figures: dict[str, Row]) -> None:
    words, kpis = at.words, at.kpis()
    there = [code for code in FIGURES if code in figures]
    there = there or [code for code in kpis if code in figures][:4]
    parts.figures(
        (kpis[code], parts.share(words, figures[code]), _of(at, figures[code]), "")
        for code in there
    )
    if any(code in EMPLOYMENT for code in there):
        st.caption(
            parts.plain(
                words.say(
                    "The same graduates by three definitions of employment: a threshold set by one"
                    " of them means nothing by another."
                )
            )
        )
    parts.how(words, "methodology", words.say("How are these computed?"))


def _of(at: Here, row: Row) -> str:
    """What a figure is of: 132 of 194; for a mean, how many it is a mean of."""
    words = at.words
    if row["kind"] == "points":
        return words.say_count(
            "mean of {count} college", "mean of {count} colleges", int(row["denominator"] or 0)
        )
    if row["kind"] == "ratio":
        return words.say("students: {count}", count=parts.count(words, row, "denominator"))
    return parts.counts(words, row)


# ------------------------------------------------------------------------------------ the regions


def _map(at: Here) -> None:
    words = at.words
    measured = place_kpis(at.table("region_kpis"))
    names = {code: name for code, name in at.kpis().items() if code in measured}
    kpi = address.choose("kpi", words.say("KPI on the map"), names) or next(iter(names))
    rows = tiles(at.table("region_kpis"), at.reference["regions"], kpi)
    shown = [_tile(at, row) for row in rows.iter_rows(named=True)]
    ordered = sorted(
        (row for row in shown if row["position"] is not None), key=lambda row: -row["position"]
    )
    title = _map_title(at, ordered)
    left, right = st.columns([3, 2], gap="large")
    with left:
        nation = _share_of(at, measured[kpi])
        caption = words.say("{kpi}; in the country {share}", kpi=names[kpi], share=nation)
        region = charts.draw(
            at,
            "map",
            title,
            caption,
            lambda colours: tile_map(shown, colours),
            kpi,
            alt_text=". ".join([names[kpi], *(row["tip"] for row in shown)]),
            picks="region",
        )
        st.caption(words.say("A click on a region opens its colleges in the ranking."))
    with right:
        _list(at, rows, measured[kpi], names[kpi], ordered)
    if region:
        st.switch_page(page_file("ranking"), query_params=address.onward(region=region))


def _tile(at: Here, row: Row) -> Row:
    full = at.words.of(row)
    there = row["kind"] is not None
    return {
        "region": row["region"],
        "column": row["tile_col"],
        "row": row["tile_row"],
        "name": short_name(row["region"], at.words.language, full),
        "position": row["position"],
        "text": parts.share(at.words, row) if there else "–",
        "tip": f"{full}: {_share_of(at, row) if there else at.words.say('no data')}",
        "end": f"{parts.share(at.words, row)} · {_of(at, row)}" if there else "–",
        "value": row["value"],
    }


def _share_of(at: Here, row: Row) -> str:
    return f"{parts.share(at.words, row)} ({_of(at, row)})"


def _map_title(at: Here, ordered: list[Row]) -> str:
    if not ordered:
        return at.words.say("No region has data")
    if ordered[0]["text"] == ordered[-1]["text"]:
        return f"{ordered[0]['name']}: {ordered[0]['text']}"
    return at.words.say(
        "From {low} ({lowest}) to {high} ({highest})",
        low=ordered[-1]["text"],
        lowest=ordered[-1]["name"],
        high=ordered[0]["text"],
        highest=ordered[0]["name"],
    )


def _list(at: Here, rows: pl.DataFrame, nation: Row, name: str, ordered: list[Row]) -> None:
    if len(ordered) < 2:
        return
    words = at.words
    title = words.say("The regions in order")
    if nation["value"] is not None:
        title = words.say(
            "{part} of {whole} regions are above the country",
            part=words.number(above(rows, nation["value"])),
            whole=words.number(len(ordered)),
        )
    frame = pl.DataFrame(ordered).select("name", "value", "end", "tip")
    charts.draw(
        at,
        "regions",
        title,
        name,
        lambda colours: charts.bars(
            frame, colours, label="name", value="value", text="end", tip="tip", room=1.6, step=22
        ),
        nation["kpi"],
        alt_text=". ".join(row["tip"] for row in ordered),
    )


def _quality(at: Here) -> None:
    words, say = at.words, at.words.say
    if at.viewer.sees_all:
        counts, colleges = at.table("row_counts"), at.table("colleges")
    else:  # rows read and rejected are told to the college itself alone
        counts, colleges = at.table("row_counts").clear(), at.table("unit_profile")
    rows = quality(counts, colleges, at.table("region_kpis"))
    read, rejected = rows["read"].sum(), rows["rejected"].sum()
    has_verified = rows["value"].count() > 0
    if not read and not has_verified:
        return
    names = at.places("regions")
    shown = [
        {
            "region": names.get(row["region"], say("of no known college")),
            "read": words.number(row["read"] or 0),
            "rejected": words.number(row["rejected"] or 0),
            "share": words.percent(row["rejected_share"] or 0, 2),
            "verified": parts.share(words, row) if row["kind"] else "–",
            "of": parts.counts(words, row) if row["kind"] else "–",
        }
        for row in rows.iter_rows(named=True)
    ]
    if read and not rejected:
        title = say("None of the {read} rows read was rejected", read=words.number(read))
    elif read:
        title = say(
            "{rejected} of {read} rows read were rejected",
            rejected=words.number(rejected),
            read=words.number(read),
        )
    else:
        title = say("How much of the employment a register confirms")
    parts.section(title, say("Quality of the data by region, the worst first"))
    right: dict[str, Any] = {"alignment": "right"}
    columns: dict[str, Any] = {"region": st.column_config.TextColumn(say("Region"), width="medium")}
    if read:
        columns |= {
            "read": st.column_config.TextColumn(say("Rows read"), **right),
        }
    if rejected:
        columns |= {
            "rejected": st.column_config.TextColumn(say("Rejected"), **right),
            "share": st.column_config.TextColumn(say("Share rejected"), **right),
        }
    if has_verified:
        columns |= {
            "verified": st.column_config.TextColumn(say("Employment confirmed"), **right),
            "of": st.column_config.TextColumn(say("Of those claimed employed"), **right),
        }
    parts.table(pl.DataFrame(shown), columns, name="quality", alt=title)


# ------------------------------------------------------------------------------- leagues, status


def _leagues(at: Here) -> None:
    words, methodology = at.words, at.methodology
    funding = at.table("funding") if at.has("funding") else None
    if methodology.leagues:
        group, subject = "league", words.say("Colleges by league")
        named: dict[Any, str] = {one.league: words.name(one.name) for one in methodology.leagues}
    else:
        group, subject = "level", words.say("Colleges by level")
        named = {one.code: words.name(one.name) for one in methodology.levels}
    rows = by_group(at.table("ranking"), funding, group)
    there = {row[group]: row for row in rows.iter_rows(named=True)}
    order = [code for code in [*named, None] if code in there]
    if not order:
        return
    if rows["qualifying"].count():
        subject += " · " + words.say("with the incentive, of all colleges of the league")
    title = words.say(
        "{name}: {part} of {whole} colleges",
        name=named.get(order[0]) or words.say("not ranked"),
        part=words.number(there[order[0]]["colleges"]),
        whole=words.number(rows["colleges"].sum()),
    )
    frame = pl.DataFrame([_group(at, there[code], named.get(code)) for code in order])
    charts.draw(
        at,
        "leagues",
        title,
        subject,
        lambda colours: charts.bars(
            frame, colours, label="label", value="value", text="text", tip="tip", room=1.0
        ),
        alt_text=". ".join(frame["tip"]),
    )


def _group(at: Here, row: Row, name: str | None) -> Row:
    words = at.words
    colleges, label = words.number(row["colleges"]), name or words.say("not ranked")
    text = tip = colleges
    if row["qualifying"] is not None:
        qualifying = words.number(row["qualifying"])
        text = words.say("{part} of {whole}", part=qualifying, whole=colleges)
        tip = words.say(
            "{colleges} colleges, {qualifying} of them qualify",
            colleges=colleges,
            qualifying=qualifying,
        )
    return {"label": label, "value": row["colleges"], "text": text, "tip": f"{label}: {tip}"}


def _status(at: Here) -> None:
    words, say = at.words, at.words.say
    accepted = accepted_errors(at.store, at.round, at.findings())
    todo = kept(at, "to do", lambda: _todo(at, accepted), accepted)
    parts.section(_status_title(at, todo), at.round_title)
    _say_published(at)
    pages = PAGES[at.viewer.role]
    if at.viewer.region is None and todo.open_errors:
        _next(
            "data_check",
            words.say_count(
                "{count} error is neither corrected nor accepted",
                "{count} errors are neither corrected nor accepted",
                todo.open_errors,
            ),
        )
    if todo.hanging_colleges:
        _next(
            "data_check",
            words.say_count(
                "In {count} college a gate hangs on rejected rows",
                "In {count} colleges a gate hangs on rejected rows",
                todo.hanging_colleges,
            ),
        )
    if todo.waived_errors:
        _next(
            "data_check",
            words.say_count(
                "{count} error was accepted with a reason",
                "{count} errors were accepted with a reason",
                todo.waived_errors,
            ),
        )
    if at.viewer.sees_all and (newer := newer_draft(at)):
        parts.mark(say("a newer draft is there: {version}", version=newer))
    if todo.illustrative:
        _next(
            "methodology",
            words.say_count(
                "{count} value of methodology and rule is illustrative, not official",
                "{count} values of methodology and rule are illustrative, not official",
                todo.illustrative,
            ),
        )
    receipt = say("Receipt {hash}", hash=at.round.receipt_hash[:12])
    if "audit" in pages:
        parts.how(words, "audit", receipt)
    else:
        st.caption(parts.plain(receipt))


def _todo(at: Here, accepted: int) -> ToDo:
    dated = [at.methodology, load_file(at.round.rule_file(), Rule)]
    gates = at.table("gates") if at.viewer.sees_all and at.has("gates") else None
    return left_to_do(at.findings(), gates, list(dated), accepted=accepted)


def _status_title(at: Here, todo: ToDo) -> str:
    say = at.words.say
    if not at.round.is_draft:
        return say("The round is published")
    if not at.viewer.sees_all:
        return say("The round is not published yet")
    if todo.open_errors or todo.hanging_colleges:
        return say("This draft cannot be published yet")
    return say("Nothing in the data stands against publishing this draft")


def _say_published(at: Here) -> None:
    entry = publications(at.store).get(at.round.name, {}).get(at.round.version)
    if entry is None:
        return
    said = entry.content
    st.markdown(
        parts.plain(
            at.words.say(
                "Published by {by} on {day}, approved by {approved_by}: {reason}",
                by=said["by"],
                day=at.words.day(dt.datetime.fromisoformat(said["at"]).date()),
                approved_by=said["approved_by"],
                reason=said["reason"],
            )
        )
    )


def _next(page: str, text: str) -> None:
    """Name a thing to look at, and lead to its page."""
    st.page_link(
        page_file(page),
        label=parts.plain(text),
        icon=":material/chevron_right:",
        query_params=address.link(),
    )


page()
