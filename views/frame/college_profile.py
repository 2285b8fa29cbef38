"""The College page's profile: what the college is, its peers, and how it does beside its like."""

from collections.abc import Mapping

import polars as pl
import streamlit as st

from kpi import profile_words as say_of
from kpi import told as figure
from kpi.profile import TABLES, Profile, Row, funnel, profile_of
from kpi.terms import term
from views.frame import charts, parts
from views.frame.college_charts import Bar, Dot, bars, funnel_chart
from views.frame.here import Here, kept

Names = Mapping[str, str]


def draw_profile(at: Here, unit: str, names: Names) -> None:
    """Draw the profile of a unit, as far as the viewer may see it; ``names``: colleges by id.

    Nothing is drawn for a round without registers, or of a product that made no profiles.
    """
    profile = kept(at, "profile", lambda: _profile(at, unit), unit)
    if profile is None or not (profile.peers or profile.focus):
        return
    parts.section(say_of.profile_title(at.words, profile, at.places("clusters")))
    left, right = st.columns([2, 3], gap="large")
    with left:
        _mix(at, profile)
    with right:
        _peers(at, profile, names)
    _comparisons(at, profile)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _expected(at, profile, names)
    with right:
        _levels(at, profile)
        _dual(at, profile)


def _profile(at: Here, unit: str) -> Profile | None:
    tables = {name: at.table(name) for name in TABLES if at.round.has(name)}
    return profile_of(tables, at.methodology, unit)


def _lines(lines: list[str]) -> None:
    st.markdown("\n".join(f"- {parts.plain(line)}" for line in lines))


def _small_title(text: str) -> None:
    st.markdown(f"**{parts.plain(text)}**")


def _mix(at: Here, profile: Profile) -> None:
    """Draw the clusters that its students are in, and what lies outside its own."""
    words = at.words
    if profile.focus is None:
        _for_itself(at)
        return
    clusters = at.places("clusters")
    rows = [
        Bar(
            clusters.get(row["cluster"], str(row["cluster"])),
            0.0,
            row["share"],
            f"{words.percent(row['share'])} · {words.number(row['students'])}",
            say_of.cluster_told(words, row, clusters),
        )
        for row in profile.clusters
    ]
    charts.draw(
        at,
        "clusters",
        "",
        " · ".join([words.say("Students by cluster"), *say_of.focus_told(words, profile.focus)]),
        lambda colours: bars(rows, 1.0, colours),
        profile.college_id,
        alt_text="; ".join(row.tip for row in rows),
    )
    if profile.outside:
        specialties = at.places("specialties")
        _small_title(words.say("Specialties outside the profile"))
        _lines(
            [say_of.specialty_told(words, row, specialties, clusters) for row in profile.outside]
        )


def _for_itself(at: Here) -> None:
    st.caption(
        parts.plain(
            at.words.say(
                "What it teaches, and how it does beside its peers, is shown to the college itself,"
                " the ministry and the auditor."
            )
        )
    )


def _peers(at: Here, profile: Profile, names: Names) -> None:
    """Draw the peers, each with its region and size; one that is chosen leads to its own page."""
    words, regions = at.words, at.places("regions")
    if not profile.peers:
        st.caption(parts.plain(words.say("No other college has a cluster in common with it.")))
        return
    count = len(profile.peers)
    title = words.say_count("{count} college is like it", "{count} colleges are like it", count)
    _small_title(title)
    st.caption(parts.plain(words.say("Nearest by clusters, size and locality, never by results.")))
    shown = [row for row in profile.peers if row["college_id"] in names]
    if shown:
        rows = pl.DataFrame(
            [
                {
                    "college_id": row["college_id"],
                    "name": names[row["college_id"]],
                    "region": regions.get(row["region"], str(row["region"])),
                    "students": figure.count(words, row, "students"),
                }
                for row in shown
            ]
        )
        text = st.column_config.TextColumn
        state = parts.table(
            rows,
            {
                "name": text(words.say("College"), width=360),
                "region": text(words.say("Region")),
                "students": text(words.say("Students"), width="small", alignment="right"),
            },
            name=f"peers:{profile.college_id}",
            alt=title,
            on_select="rerun",
            selection_mode="single-row",
        )
        parts.lead_to_college(rows, state)
    if len(shown) < count:
        st.caption(
            parts.plain(words.say("A draft names no colleges that it does not show to you."))
        )


def _comparisons(at: Here, profile: Profile) -> None:
    """Draw what it is better and worse at than its peers, in words."""
    words, names = at.words, at.kpis()
    if not profile.comparisons:
        return
    strengths, weaknesses = profile.told("strength"), profile.told("weakness")
    parts.section(
        words.say_count(
            "Against its {count} peer: strengths {strengths}, weaknesses {weaknesses}",
            "Against its {count} peers: strengths {strengths}, weaknesses {weaknesses}",
            len(profile.peers),
            strengths=words.number(len(strengths)),
            weaknesses=words.number(len(weaknesses)),
        ),
        say_of.verdict_rule(words),
    )
    told = [
        (title, rows)
        for title, rows in (
            (words.say("Strengths"), strengths),
            (words.say("Weaknesses"), weaknesses),
        )
        if rows
    ]
    for column, (title, rows) in zip(st.columns(2, gap="large"), told, strict=False):
        with column:
            _small_title(title)
            _lines([say_of.comparison_told(words, row, names[row["kpi"]]) for row in rows])
    for line in say_of.untold(words, profile, names):
        st.caption(parts.plain(line))


def _expected(at: Here, profile: Profile, names: Names) -> None:
    """Draw the funnel: observed less expected employment by graduates, and what chance can do."""
    words, expected = at.words, profile.expected
    if profile.focus is None:
        return
    if expected is None:
        parts.section(words.say("Expected employment"))
        st.caption(parts.plain(say_of.nothing_expected(words)))
        return
    dots = [_dot(at, row, names) for row in (*expected.others, expected.row)]
    charts.draw(
        at,
        "funnel",
        say_of.expected_title(words, expected),
        say_of.funnel_caption(words, expected),
        lambda colours: funnel_chart(
            dots,
            funnel(expected),
            colours,
            across=words.number,
            up=lambda share: say_of.points_told(words, share),
            graduates=words.say("graduates"),
        ),
        profile.college_id,
        alt_text=_tip(at, expected.row, names),
    )
    lines = [say_of.expected_told(words, expected.row), say_of.sources_told(words, expected.row)]
    if expected.beyond:
        lines.append(say_of.beyond_chance(words))
    for line in lines:
        st.caption(parts.plain(line))


def _dot(at: Here, row: Row, names: Names) -> Dot:
    is_peer = row.get("is_peer")
    return Dot(
        row["graduates"],
        row["difference_share"],
        "subject" if is_peer is None else "peer" if is_peer else "other",
        _tip(at, row, names),
    )


def _tip(at: Here, row: Row, names: Names) -> str:
    return say_of.dot_told(at.words, row, names.get(row["college_id"], row["college_id"]))


def _levels(at: Here, profile: Profile) -> None:
    """Draw the employment of workers and specialists beside the nation's."""
    words = at.words
    if not profile.levels:
        return
    parts.section(words.say("Employment by qualification"))
    rows = [
        {
            "level": term(words, level.level),
            "own": figure.share_of(words, level.row),
            "nation": figure.share_of(words, level.nation) if level.nation else "–",
        }
        for level in profile.levels
    ]
    titles = {
        "level": words.say("Qualification"),
        "own": words.say("College"),
        "nation": words.say("Kazakhstan"),
    }
    if all(row["nation"] == "–" for row in rows):
        del titles["nation"]
    parts.small_table(rows, titles, name="levels", alt=words.say("Employment by qualification"))


def _dual(at: Here, profile: Profile) -> None:
    """Say the share of colleges with dual training, apart from the share of students."""
    if not profile.dual:
        return
    words = at.words
    regions = at.places("regions")
    _small_title(words.say("Dual training: two shares that are not the same"))
    _lines(
        [
            say_of.dual_told(words, dual, regions.get(dual.place, words.say("Kazakhstan")))
            for dual in profile.dual
        ]
    )
