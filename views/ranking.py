"""Who is where?"""

from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from kpi.certainty import (
    chance_told,
    first_told_apart,
    has_intervals,
    league_told,
    ranks_told,
    sure_ones,
)
from kpi.leaders import SCOPES
from kpi.ranked_list import (
    as_file,
    chosen,
    in_specialty,
    leaders_of_scope,
    parts_of_score,
    standing,
    with_change,
)
from kpi.terms import term
from kpi.uncertainty import LEVEL
from views.frame import address, charts, parts
from views.frame.earlier import earlier_round
from views.frame.here import Here, here, kept, version_title
from views.frame.lists import download_list
from views.frame.marks import draw_marks
from views.frame.menu import page_file
from views.frame.range_bars import range_bar
from views.frame.score_bars import stacked_bar
from views.frame.tile_map import short_name

RIGHT: dict[str, Any] = {"alignment": "right"}

Row = dict[str, Any]


def page() -> None:
    """Draw the page."""
    at = here()
    rows = kept(at, "standing", lambda: _all_colleges(at))
    if rows.is_empty():
        _nobody(at)
        return
    opening = st.container()
    listed = _lists(at)
    if listed == "specialties":
        _specialties(at, opening)
        return
    if listed == "leaders":
        _leaders(at, opening)
        return
    wanted = _filters(at)
    search = wanted.pop("search") or ""
    shown = chosen(rows, search, **wanted)
    ranked = shown.filter(pl.col("rank").is_not_null())
    with opening:
        parts.answer(_answer(at, ranked, wanted, search), at.round_title)
        draw_marks(at)
    earlier = earlier_round(at)
    with_earlier = with_change(shown, _comparable(at, earlier))
    _table(at, with_earlier.filter(pl.col("rank").is_not_null()), wanted, earlier)
    _not_ranked(at, shown.filter(pl.col("rank").is_null()))
    download_list(at, "ranking", partial(as_file, with_earlier))


def _all_colleges(at: Here) -> pl.DataFrame:
    tables = (at.table(name) for name in ("unit_profile", "ranking", "kpi_values"))
    return standing(*tables)


def _nobody(at: Here) -> None:
    say = at.words.say
    parts.answer(say("The ranking is shown once the round is published"), at.round_title)
    parts.empty(
        say("This round is a draft: what others reached is not known before it is published."),
        say("Your own figures are on the page College."),
    )
    st.page_link(page_file("college"), label=say("College"), query_params=address.link())


# -------------------------------------------------------------------------------------- the choice


def _lists(at: Here) -> str:
    """Colleges, their leaders, or the specialties of an assessment, for those who see all."""
    say = at.words.say
    lists = {"colleges": say("Colleges")}
    if at.has("leaders") and at.methodology.leagues:
        lists["leaders"] = say("Leaders")
    if at.viewer.sees_all and at.has("specialty_ranking"):
        lists["specialties"] = say("Specialties")
    if len(lists) == 1:
        return "colleges"
    return address.switch("list", say("What is ranked"), lists, drop=("page",))


def _filters(at: Here) -> dict[str, str | None]:
    """Draw the filters; return the code chosen of each, None for any."""
    words, say = at.words, at.words.say
    profile, methodology = at.table("unit_profile"), at.methodology
    groups: tuple[str, str, dict[str, str]] | None = None
    if methodology.leagues:
        named = {str(one.league): words.name(one.name) for one in methodology.leagues}
        groups = ("league", say("League"), named)
    elif methodology.levels:
        named = {one.code: words.name(one.name) for one in methodology.levels}
        groups = ("level", say("Level"), named)
    lists = [
        ("region", say("Region"), _there(profile, "region", at.places("regions"))),
        ("cluster", say("Cluster"), _there(profile, "cluster", at.places("clusters"))),
        ("kind", say("Kind"), _coded(at, profile, "kind")),
        ("ownership", say("Ownership"), _coded(at, profile, "ownership")),
        *([groups] if groups else []),
    ]
    found: dict[str, str | None] = {}
    with st.container(horizontal=True, gap="small", key="filters"):
        for name, label, options in lists:
            if options:
                found[name] = address.choose(
                    name, label, options, everything=say("all"), width="stretch"
                )
        found["search"] = address.text("search", say("Name or number"), width="stretch")
    return found


def _there(profile: pl.DataFrame, column: str, names: dict[str, str]) -> dict[str, str]:
    """The places that colleges of the round have, by name."""
    codes = profile[column].drop_nulls().unique().to_list()
    named = {code: names.get(code, code) for code in codes}
    return dict(sorted(named.items(), key=lambda item: item[1].casefold()))


def _coded(at: Here, profile: pl.DataFrame, column: str) -> dict[str, str]:
    codes = sorted(profile[column].drop_nulls().unique().to_list())
    return {code: term(at.words, code) for code in codes}


def _answer(at: Here, ranked: pl.DataFrame, wanted: dict[str, str | None], search: str) -> str:
    words = at.words
    narrowed = [name for name, code in wanted.items() if code is not None]
    if ranked.is_empty() and not (narrowed or search):
        return words.say("No college is ranked in this round")
    if ranked.is_empty():
        return words.say("No ranked college fits this choice")
    leads = _leads(at, ranked.row(0, named=True))
    if told := first_told_apart(words, ranked):
        leads = f"{leads}; {told}"
    if narrowed == ["region"] and not search:
        return words.say_count(
            "{region}: {count} college is ranked; {first}",
            "{region}: {count} colleges are ranked; {first}",
            ranked.height,
            region=at.places("regions")[str(wanted["region"])],
            first=leads,
        )
    if narrowed or search:
        return words.say_count(
            "{count} ranked college fits this choice; {first}",
            "{count} ranked colleges fit this choice; {first}",
            ranked.height,
            first=leads,
        )
    return words.say_count(
        "{count} college is ranked; {first}",
        "{count} colleges are ranked; {first}",
        ranked.height,
        first=leads,
    )


def _leads(at: Here, first: Row) -> str:
    words = at.words
    if first["score"] is None:
        return words.say("the first is {name}", name=words.of(first))
    return words.say(
        "the first is {name} with {score}",
        name=words.of(first),
        score=words.number(first["score"], 2),
    )


# --------------------------------------------------------------------------------------- the table


def _comparable(at: Here, earlier: Here | None) -> pl.DataFrame | None:
    """The ranks of the year before, where they were made by the same methodology."""
    if earlier is None or earlier.methodology.name != at.methodology.name:
        return None
    return earlier.table("ranking")


def _table(
    at: Here, ranked: pl.DataFrame, wanted: dict[str, str | None], earlier: Here | None
) -> None:
    if ranked.is_empty():
        parts.empty(at.words.say("Take a filter away, or search for a part of the name."))
        return
    words, say = at.words, at.words.say
    st.caption(parts.plain(_compared(at, earlier)))
    rows = parts.paged(words, ranked)
    told = _parts(at)
    drawn = [_college(at, row, told) for row in rows.iter_rows(named=True)]
    text = st.column_config.TextColumn
    columns: dict[str, Any] = {
        "rank": st.column_config.NumberColumn(
            say("Rank of {count}", count=words.number(rows["ranked_of"][0])), pinned=True
        ),
    }
    if has_intervals(ranked):
        columns["ranks"] = text(say("90 % range"), **RIGHT)
    groups = _group_columns(at)
    columns |= {
        "name": text(say("College"), width=290),
        "score": text(say("Score"), **RIGHT),
        "group": groups.pop("group"),
    }
    if has_intervals(ranked):
        columns["range"] = st.column_config.ImageColumn(say("Among all ranks"), width=180)
    if wanted.get("region") is None:
        columns["region"] = text(say("Region"))
    for name, label in (("region", say("In the region")), ("cluster", say("In the cluster"))):
        if wanted.get(name):
            columns[f"{name}_rank"] = text(label, **RIGHT)
    if told.names:
        columns["bar"] = st.column_config.ImageColumn(say("Parts of the score"), width=180)
    if _comparable(at, earlier) is not None:
        columns["change"] = text(say("Change of rank"), **RIGHT)
    if rows["students"].sum() or not at.has("specialty_ranking"):
        columns["students"] = text(say("Students"), **RIGHT)
        columns["cohort"] = text(say("Graduates"), **RIGHT)
    else:
        columns["specialties"] = text(say("Specialties assessed"), **RIGHT)
    columns |= groups
    if told.names:
        columns["parts"] = text(" + ".join(told.names), **RIGHT)
    state = parts.table(
        pl.DataFrame(drawn, infer_schema_length=None),
        columns,
        name=f"ranking:{address.value('page', '1')}",
        alt=say("Ranking of the colleges"),
        on_select="rerun",
        selection_mode="single-row",
    )
    st.caption(parts.plain(_legend(at, told.names, has_intervals(ranked))))
    parts.lead_to_college(rows, state)


class _Parts:
    """The parts that scores are made of: their names, and their points by college."""

    def __init__(self, names: list[str], points: dict[str, list[float]], top: float) -> None:
        self.names, self.points, self.top = names, points, top


def _parts(at: Here) -> _Parts:
    """The parts of all scores; none for those who see them of their own college alone."""
    if not at.viewer.sees_all:
        return _Parts([], {}, 1)

    def made() -> tuple[list[str], dict[str, list[float]], float]:
        frame = parts_of_score(at.table("kpi_scores"), at.table("framework"))
        methodology = at.methodology
        named = {one.code: at.words.name(one.name) for one in methodology.groups}
        named |= {one.code: at.words.name(one.name) for one in methodology.kpis}
        codes = [code for code in named if code in frame.columns]
        points = {row[0]: list(row[1:]) for row in frame.select("college_id", *codes).iter_rows()}
        best = at.table("ranking")["score"].max()
        return [named[code] for code in codes], points, float(str(best or 1))

    return _Parts(*kept(at, "parts of scores", made))


def _college(at: Here, row: Row, told: _Parts) -> Row:
    words = at.words
    points = told.points.get(row["college_id"], [])
    return {
        "rank": row["rank"],
        "ranks": ranks_told(words, row),
        "range": range_bar(row, _edges(at), charts.colours_here()),
        "region_rank": _of(at, row["region_rank"], row["region_ranked_of"]),
        "cluster_rank": _of(at, row["cluster_rank"], row["cluster_ranked_of"]),
        "name": words.of(row),
        "region": short_name(row["region"], words.language, row["region"]),
        "score": _number(at, row, "score", 2),
        "bar": stacked_bar(points, told.top, charts.colours_here()) if points else None,
        "parts": " + ".join(words.number(round(part, 1), 1) for part in points),
        "group": _group(at, row),
        "leader": term(words, row["leader"]) if row["leader"] else "",
        "change": _change(at, row),
        "students": _number(at, row, "students"),
        "cohort": _number(at, row, "cohort"),
        "specialties": words.number(_assessed(at).get(row["college_id"], 0)),
    }


def _of(at: Here, rank: int | None, of: int | None) -> str:
    if rank is None or of is None:
        return "–"
    words = at.words
    return words.say("{part} of {whole}", part=words.number(rank), whole=words.number(of))


def _number(at: Here, row: Row, column: str, places: int | None = None) -> str:
    if parts.is_hidden(row, column):
        return at.words.say("hidden")
    return "–" if row[column] is None else at.words.number(row[column], places)


def _group(at: Here, row: Row) -> str:
    words, methodology = at.words, at.methodology
    if row["league"] is not None:
        return league_told(words, row)
    named = {one.code: words.name(one.name) for one in methodology.levels}
    return named.get(row["level"]) or "–"


def _edges(at: Here) -> list[int]:
    """The last ranks of the leagues that end at a rank."""
    return [one.max_rank for one in at.methodology.leagues if one.max_rank is not None]


def _group_columns(at: Here) -> dict[str, Any]:
    say, text = at.words.say, st.column_config.TextColumn
    if not at.methodology.leagues:
        return {"group": text(say("Level"))}
    return {"group": text(say("League")), "leader": text(say("Leader"), width="medium")}


def _change(at: Here, row: Row) -> str:
    """Places up or down, with the rank of the year before."""
    words = at.words
    if row["earlier_rank"] is None:
        return words.say("new")
    was = words.number(row["earlier_rank"])
    if row["change"] == 0:
        return words.say("same ({was})", was=was)
    arrow = "↑" if row["change"] > 0 else "↓"
    return f"{arrow} {words.number(abs(row['change']))} ({was})"


def _assessed(at: Here) -> dict[str, int]:
    """In how many specialties each college was assessed, which stands for its n."""
    if not (at.viewer.sees_all and at.has("specialty_ranking")):
        return {}
    counts = at.table("specialty_ranking")["college_id"].value_counts()
    return dict(counts.iter_rows())


def _compared(at: Here, earlier: Here | None) -> str:
    say = at.words.say
    if earlier is None:
        return say("No round of the year before is there: ranks are not compared.")
    title = f"{earlier.round.name} · {version_title(at.words, earlier.round.version)}"
    if _comparable(at, earlier) is None:
        return say(
            "The round of the year before ({round}) was ranked by another methodology: ranks are"
            " not compared.",
            round=title,
        )
    return say("Change of rank: against {round}, in brackets the rank there.", round=title)


def _legend(at: Here, names: list[str], with_intervals: bool) -> str:
    say = at.words.say
    told = []
    if with_intervals:
        told.append(
            say(
                "90 % range: where the rank lies in 90 % of draws of what chance alone would do to"
                " the graduates' outcomes."
            )
        )
        told.append(
            say(
                "≈: the league is decided by less than its uncertainty; beside it the chance that a"
                " new cohort of the same size would bring the college into the same league."
            )
        )
    if names:
        told.append(say("Parts of the score from left to right: {parts}.", parts=", ".join(names)))
    if not at.viewer.sees_all:
        told.append(
            say(
                "Hidden: a number of 1 to 4 people, or one from which such a number could be"
                " computed."
            )
        )
    told.append(say("A row that is chosen opens the page of its college."))
    return " ".join(told)


# ------------------------------------------------------------------------- not ranked, specialties


def _not_ranked(at: Here, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    words, say = at.words, at.words.say
    title = words.say_count(
        "{count} college is not ranked", "{count} colleges are not ranked", rows.height
    )
    parts.section(title, say("Nobody is ranked last for lack of data: the reason stands instead."))
    drawn = [
        {
            "name": words.of(row),
            "region": short_name(row["region"], words.language, row["region"]),
            "reason": _reason(at, row),
            "students": _number(at, row, "students"),
        }
        for row in rows.iter_rows(named=True)
    ]
    text = st.column_config.TextColumn
    state = parts.table(
        pl.DataFrame(drawn),
        {
            "name": text(say("College"), width=300),
            "region": text(say("Region")),
            "reason": text(say("Reason"), width=500),
            "students": text(say("Students"), width="small", **RIGHT),
        },
        name="not ranked",
        alt=title,
        on_select="rerun",
        selection_mode="single-row",
    )
    parts.lead_to_college(rows, state)


def _reason(at: Here, row: Row) -> str:
    """Why a college is not ranked; where a KPI is missing, what is wrong with it and its name."""
    words, code = at.words, row["not_ranked_reason"]
    name = at.kpis().get(code)
    if name is None:
        return term(words, code)
    if parts.is_hidden(row, "reason_n"):
        return f"{term(words, 'small_cohort')}: {name}"
    status = term(words, row["reason_status"] or "no_data")
    if row["reason_status"] != "small_cohort":
        return f"{status}: {name}"
    return f"{status} ({words.number(row['reason_n'])}): {name}"


def _leaders(at: Here, opening: Any) -> None:
    words, say = at.words, at.words.say
    named = {
        "league_1": say("Technological leaders (league 1)"),
        "cluster": say("Reference college of each cluster, nationally"),
        "cluster_in_region": say("Reference college of each cluster in its region"),
    }
    scope = address.choose(
        "leaders", say("Leaders of"), {code: named[code] for code in SCOPES}, width="stretch"
    )
    rows = leaders_of_scope(at.table("leaders"), at.table("unit_profile"), scope or SCOPES[0])
    with opening:
        parts.answer(_sure_leaders(at, rows, named[scope or SCOPES[0]]), at.round_title)
        draw_marks(at)
    if rows.is_empty():
        parts.empty(say("The leaders are shown once the round is published."))
        return
    shown = parts.paged(words, rows)
    regions, clusters = at.places("regions"), at.places("clusters")
    drawn = [
        {
            "rank": row["rank"],
            "region": regions.get(row["region"], "–"),
            "cluster": clusters.get(row["cluster"], "–"),
            "name": words.of(row),
            "chance": "–" if row["chance"] is None else chance_told(words, row["chance"]),
        }
        for row in shown.iter_rows(named=True)
    ]
    text = st.column_config.TextColumn
    columns: dict[str, Any] = {
        "rank": st.column_config.NumberColumn(say("Rank"), pinned=True),
        "chance": text(say("Chance"), width=110, **RIGHT),
        "name": text(say("College"), width=330),
    }
    for name, label in (("cluster", say("Cluster")), ("region", say("Region"))):
        if rows[name].null_count() < rows.height:
            columns[name] = text(label)
    state = parts.table(
        pl.DataFrame(drawn, infer_schema_length=None),
        columns,
        name=f"leaders:{scope}:{address.value('page', '1')}",
        alt=named[scope or SCOPES[0]],
        on_select="rerun",
        selection_mode="single-row",
    )
    st.caption(
        parts.plain(
            say(
                "Chance: that a new cohort of the same size would bring the college to the same"
                " place."
            )
        )
    )
    parts.lead_to_college(shown, state)


def _sure_leaders(at: Here, rows: pl.DataFrame, title: str) -> str:
    words = at.words
    if rows["chance"].null_count() == rows.height:
        return title
    return words.say_count(
        "{title}: {count} of {whole} would stay there with a chance of at least {level}",
        "{title}: {count} of {whole} would stay there with a chance of at least {level}",
        sure_ones(rows).height,
        title=title,
        level=words.percent(LEVEL, 0),
        whole=words.number(rows.height),
    )


def _specialties(at: Here, opening: Any) -> None:
    words, say = at.words, at.words.say
    ranking, profile = at.table("specialty_ranking"), at.table("unit_profile")
    reference = at.reference["specialties"].rows_by_key("specialty", named=True, unique=True)
    codes = sorted(set(ranking["specialty"]))
    names = {
        code: f"{code} {words.of(reference[code])}" if code in reference else code for code in codes
    }
    specialty = address.choose(
        "specialty", say("Specialty"), names, everything=say("all"), width="stretch"
    )
    rows = in_specialty(ranking, profile, specialty)
    first = rows.row(0, named=True)
    with opening:
        parts.answer(
            words.say_count(
                "{count} specialty of a college is ranked; the first is {name} with {score}",
                "{count} specialties of colleges are ranked; the first is {name} with {score}",
                rows.height,
                name=f"{words.of(first)}, {names[first['specialty']]}",
                score=words.number(first["points"], 2),
            ),
            at.round_title,
        )
        draw_marks(at)
    shown = parts.paged(words, rows)
    drawn = [
        {
            "rank": row["rank"],
            "specialty": names[row["specialty"]],
            "name": words.of(row),
            "points": words.number(row["points"], 2),
        }
        for row in shown.iter_rows(named=True)
    ]
    text = st.column_config.TextColumn
    parts.table(
        pl.DataFrame(drawn),
        {
            "rank": st.column_config.NumberColumn(
                say("Rank of {count}", count=words.number(rows["of"][0])), pinned=True
            ),
            "specialty": text(say("Specialty"), width="large"),
            "name": text(say("College"), width="large"),
            "points": text(say("Score"), width="small", **RIGHT),
        },
        name=f"specialties:{address.value('page', '1')}",
        alt=say("Ranking of the specialties"),
    )


page()
