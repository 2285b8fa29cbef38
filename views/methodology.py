"""By what rule?"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import streamlit as st

from funding.rule import Rule
from kpi.dated import DatedFile, Names, Stated
from kpi.definitions import definition, people_selects, select_of, weight_tree
from kpi.gaming import LOOK, SIGN_NAMES, SIGNS_OF, WATCH, WAYS, ways_of
from kpi.history import Change, Version, changes, history, stated, statuses
from kpi.language import NO_BREAK, Speaker, mark
from kpi.methodology import Gate, Group, Kpi, League, Methodology
from kpi.overview import place_kpis
from kpi.terms import term
from kpi.told import share, share_of
from views.frame import address, charts, parts
from views.frame.here import Here, here
from views.frame.methodology_charts import weights
from views.frame.rules import Rules, rules_here

KINDS = {
    "outcome_share": mark("share of graduates, with a 95 % Wilson interval"),
    "register_share": mark("share of students, counted in full: no interval"),
    "flag": mark("yes or no"),
    "ratio": mark("ratio"),
    "median": mark("median"),
    "points": mark("points of an assessment"),
}
NORMALISED = {
    "min_max": mark("points from 0 for the lowest college to 100 for the highest"),
    "percentile_rank": mark("points by the share of colleges below"),
    "z_score": mark("points by the distance from the mean of all colleges"),
    "distance_to_target": mark("points by the way gone from the lowest college to the target"),
    "rank": mark("points by rank: 1 for the lowest college"),
    "borda": mark("points by the number of colleges below (Borda)"),
    "none": mark("points as given"),
}
TREATED = {
    "winsorise": mark("outliers are moved to the next value (winsorised)"),
    "log": mark("where there are outliers, in logarithms"),
    "winsorise_then_log": mark("outliers are moved to the next value, else in logarithms"),
}
MISSING = {
    "reweight": mark("without a value its weight goes to its neighbours"),
    "zero": mark("without a value it counts 0 points"),
    "not_ranked": mark("without a value the college is not ranked"),
}
AGGREGATES = {
    "arithmetic": mark("weighted mean"),
    "geometric": mark("weighted geometric mean"),
    "harmonic": mark("weighted harmonic mean"),
    "sum": mark("sum of points"),
}
UNITS = {
    "legal_entity": mark("the college with its branches"),
    "campus": mark("each campus by itself"),
}
COUNTED = {"kpi_contingent": mark("KPI contingent"), "cohort": mark("Cohort of graduates")}
DAYS = {
    "count_on": mark("Students are counted and paid for"),
    "kpi_on": mark("Agreements and accreditations have to be in force"),
    "observed_on": mark("Last day on which a destination may be dated"),
    "cohort_from": mark("First day of graduation of the cohort"),
    "cohort_to": mark("Last day of graduation of the cohort"),
}
VALUES = {
    "mode": mark("Mode: by thresholds or by leagues"),
    "base": mark("Base norm, national average, tenge per student and year"),
    "full": mark("Full norm, national average, tenge per student and year"),
    "gates": mark("Gates that the rule asks for"),
    "funding_sources": mark("Funding sources that are paid for"),
    "study_forms": mark("Study forms that are paid for"),
    "pays_academic_leave": mark("Students on academic leave are paid for"),
    "count_basis": mark("Students counted on one day, or as the mean of the months"),
    "calibrate": mark("Coefficients are divided by their mean, so that the norms stay averages"),
    "title": mark("Title"),
    "min_students": mark("Fewest students of a college that is ranked"),
    "unit": mark("What is ranked and paid"),
    "tie_chain": mark("KPIs that break ties, in this order"),
    "specialty_indicator": mark("Indicator by which the specialties are ranked"),
}
"""Path in a dated file to what stands there."""


def page() -> None:
    """Draw the page."""
    at = here()
    rules = rules_here(at)
    _opening(at, rules)
    say = at.words.say
    sections: dict[str, tuple[str, Callable[[Here, Rules], None]]] = {
        "kpis": (say("KPIs and weights"), _kpis),
        "gates": (say("Gates and leagues"), _gates),
        "counting": (say("Who is counted"), _counting),
        "rule": (say("Funding rule"), _rule),
        "gaming": (say("How it can be moved"), _gaming),
        "history": (say("Versions"), _history),
    }
    chosen = address.switch(
        "part",
        say("Part of the page"),
        {code: title for code, (title, _) in sections.items()},
        label_visibility="collapsed",
    )
    sections[chosen][1](at, rules)


def _opening(at: Here, rules: Rules) -> None:
    words = at.words
    both = (rules.methodology, rules.rule)
    counts = statuses(rules.methodology) + statuses(rules.rule)
    context = at.round_title if at.opened else words.say("No round yet: what is in force today")
    parts.answer(
        words.say(
            "Values of the rules: {official} official, {illustrative} illustrative",
            official=words.number(counts["official"]),
            illustrative=words.number(counts["illustrative"]),
        ),
        context,
    )
    for file, what in zip(both, (words.say("Methodology"), words.say("Funding rule")), strict=True):
        told = words.say(
            "{title} ({name}), in force from {start}",
            title=words.name(file.title),
            name=file.name,
            start=words.day(file.start),
        )
        st.markdown(f"{plain_bold(what)}: {parts.plain(told)}  \n{_source(words, file)}")
    left, right = st.columns(2, gap="large")
    with left:
        parts.section(
            words.say("Official: {count}", count=words.number(counts["official"])),
            words.say("as the authority named here has published it"),
        )
        lines = [_official(words, path, entry) for file in both for path, entry in _of(file)]
        st.markdown("\n".join(lines) if lines else words.say("none"))
    with right:
        parts.section(
            words.say("Illustrative: {count}", count=words.number(counts["illustrative"])),
            words.say("our reading of what is public, not a decision of the ministry"),
        )
        lines = [
            f"- {parts.plain(what)}: {words.number(statuses(file)['illustrative'])}"
            for file, what in zip(
                both, (words.say("Methodology"), words.say("Funding rule")), strict=True
            )
        ]
        st.markdown("\n".join(lines))


def _of(file: DatedFile) -> list[tuple[str, Stated]]:
    return [(path, entry) for path, entry in stated(file).items() if entry.status == "official"]


def _official(words: Speaker, path: str, entry: Stated) -> str:
    value = getattr(entry, "value", None)
    told = f" — {_told(words, value)}" if value is not None else ""
    return f"- {parts.plain(_title(words, path) + told)}  \n{_source(words, entry)}"


# ------------------------------------------------------------------------------ KPIs and weights


def _kpis(at: Here, rules: Rules) -> None:
    words, methodology = at.words, rules.methodology
    tree = weight_tree(methodology)
    scored = [kpi for kpi in methodology.kpis if kpi.score]
    heaviest = max((node for node in tree if node.is_kpi), key=lambda node: node.weight)
    charts.draw(
        at,
        "weights",
        words.say(
            "{kpi} weighs most: {weight}",
            kpi=words.name(heaviest.name),
            weight=_weight(words, heaviest.weight, heaviest.is_summed),
        ),
        words.say("Weights of the groups and KPIs in the score"),
        lambda colours: weights(
            tree,
            colours,
            [
                f"{words.name(n.name)}{NO_BREAK}·{NO_BREAK}{_weight(words, n.weight, n.is_summed)}"
                for n in tree
            ],
        ),
        methodology.name,
        methodology.start,
        alt_text="; ".join(
            f"{words.name(n.name)} {_weight(words, n.weight, n.is_summed)}" for n in tree
        ),
    )
    others = [kpi for kpi in methodology.kpis if not kpi.score]
    for title, kpis in (
        (words.say("KPIs that make the score"), scored),
        (words.say("KPIs that are gates or are shown beside"), others),
    ):
        if kpis:
            parts.section(title)
        for kpi in kpis:
            _entry(
                words,
                words.name(kpi.name),
                words.stored(definition(select_of(rules.sql, kpi))),
                _kpi_terms(words, methodology, kpi),
                kpi,
            )
    parts.section(words.say("Groups of the score"))
    for group in methodology.groups:
        _entry(words, words.name(group.name), "", _group_terms(words, group), group)
    parts.section(words.say("The SELECT that counts a KPI"))
    chosen = address.choose(
        "kpi", words.say("KPI"), {kpi.code: words.name(kpi.name) for kpi in methodology.kpis}
    )
    for kpi in methodology.kpis:
        if kpi.code == chosen:
            st.code(select_of(rules.sql, kpi), language="sql")


def _group_terms(words: Speaker, group: Group) -> list[str]:
    return [words.say(AGGREGATES[group.aggregate]), words.say(MISSING[group.missing])]


def _kpi_terms(words: Speaker, methodology: Methodology, kpi: Kpi) -> list[str]:
    told = [words.say(KINDS[kpi.kind])]
    score = kpi.score
    if score:
        is_summed = methodology.groups[0].aggregate == "sum"
        told.append(words.say("weight {weight}", weight=_weight(words, score.weight, is_summed)))
        if score.normalise == "goalposts":
            told.append(
                words.say(
                    "{floor} gives 0 points, {target} gives 100",
                    floor=_of_kind(words, kpi, score.floor or Decimal(0)),
                    target=_of_kind(words, kpi, score.target or Decimal(0)),
                )
            )
        else:
            told.append(words.say(NORMALISED[score.normalise]))
        if score.treat is not None:
            told.append(words.say(TREATED[score.treat]))
        told.append(
            words.say("more is better") if score.direction == 1 else words.say("less is better")
        )
        told.append(words.say(MISSING[score.missing]))
    if kpi.min_denominator > 1:
        told.append(
            words.say("small cohort below {count} people", count=words.number(kpi.min_denominator))
        )
    if kpi.pool_years:
        told.append(
            words.say_count(
                "pooled over up to {count} cohort",
                "pooled over up to {count} cohorts",
                kpi.pool_years,
            )
        )
    if len(kpi.applies_to) == 1:
        told.append(words.say("only for: {kind}", kind=term(words, kpi.applies_to[0])))
    return told


# ----------------------------------------------------------------------------- gates and leagues


def _gates(at: Here, rules: Rules) -> None:
    words, methodology = at.words, rules.methodology
    kpis = {kpi.code: kpi for kpi in methodology.kpis}
    parts.section(
        words.say("Conditions for the higher norm"),
        words.say("A gate is passed where numerator ≥ threshold × denominator, compared exactly"),
    )
    if not methodology.gates:
        parts.empty(words.say("The methodology has no gates."))
    for gate in methodology.gates:
        kpi = kpis[gate.kpi]
        _entry(
            words,
            words.name(kpi.name),
            words.say("has to be there")
            if kpi.kind == "flag"
            else words.say("at least {threshold}", threshold=_of_kind(words, kpi, gate.threshold)),
            [
                words.say("small cohort: {what}", what=term(words, gate.on_small_cohort)),
                words.say("no data: {what}", what=term(words, gate.on_no_data)),
                *_gate_pool(words, gate, kpi),
                words.say("asked for by the funding rule")
                if gate.kpi in rules.rule.gates.value
                else words.say("not asked for by the funding rule"),
            ],
            gate,
        )
    parts.section(words.say("Leagues, by rank"))
    if not methodology.leagues:
        parts.empty(words.say("The methodology has no leagues."))
    for league in methodology.leagues:
        _entry(
            words,
            f"{league.league}. {words.name(league.name)}",
            _bound(words, league),
            _league_terms(words, league, kpis),
            league,
        )
    if methodology.levels:
        parts.section(words.say("Levels, by the share of the best score"))
    for level in methodology.levels:
        least = words.percent(level.min_share, None)
        _entry(words, words.name(level.name), words.say("from {share}", share=least), [], level)


def _gate_pool(words: Speaker, gate: Gate, kpi: Kpi) -> list[str]:
    """Say on which counts a gate stands whose KPI is pooled."""
    if gate.pooled:
        return [words.say("decided on the pooled counts")]
    return [words.say("decided on this year's people alone")] if kpi.pool_years else []


def _bound(words: Speaker, league: League) -> str:
    if league.max_count:
        return words.say("the first {count} by rank", count=words.number(league.max_count))
    if league.max_rank:
        return words.say("up to rank {rank}", rank=words.number(league.max_rank))
    return words.say("all others that are ranked")


def _league_terms(words: Speaker, league: League, kpis: dict[str, Kpi]) -> list[str]:
    names = "; ".join(words.name(kpis[code].name) for code in league.gates)
    told = [
        words.say("of those that pass: {gates}", gates=names)
        if names
        else words.say("without gates")
    ]
    if league.max_count or league.max_rank:
        told.append(
            words.say("equal scores at the edge are all in")
            if league.tie_at_edge == "include"
            else words.say("equal scores at the edge are all out")
        )
    return told


# -------------------------------------------------------------------------------- who is counted


def _counting(at: Here, rules: Rules) -> None:
    words, methodology = at.words, rules.methodology
    parts.section(words.say("Days of the round"))
    for name, what in DAYS.items():
        st.markdown(
            f"{parts.plain(words.say(what))} (`{name}`):"
            f" **{parts.plain(words.day(rules.days[name]))}**"
        )
    st.markdown(_source(words, methodology.dates))
    parts.section(words.say("Whom the KPIs count"))
    for name, select in people_selects(rules.sql).items():
        left, right = st.columns([2, 5], gap="medium")
        left.markdown(plain_bold(words.say(COUNTED[name])))
        right.markdown(parts.plain(words.stored(definition(select))))
    parts.section(words.say("What is ranked, and in which order"))
    names = {kpi.code: words.name(kpi.name) for kpi in methodology.kpis}
    unit = methodology.unit
    _entry(words, _title(words, "unit"), words.say(UNITS[unit.value]), [], unit)
    few, chain = methodology.min_students, methodology.tie_chain
    _entry(words, _title(words, "min_students"), words.number(few.value), [], few)
    _entry(
        words,
        _title(words, "tie_chain"),
        " → ".join(names[code] for code in chain.value),
        [words.say("then the rank is shared")],
        chain,
    )
    indicator = methodology.specialty_indicator
    if indicator:
        _entry(words, _title(words, "specialty_indicator"), indicator.value, [], indicator)
    if methodology.sources:
        parts.section(
            words.say("Sources from which a destination is believed"),
            words.say("From any other source it is unknown, and stays in the denominator"),
        )
    for accepted in methodology.sources:
        sources = _told(words, accepted.sources)
        _entry(words, term(words, accepted.destination), sources, [], accepted)


# ----------------------------------------------------------------------------------- funding rule


def _rule(at: Here, rules: Rules) -> None:
    words, rule = at.words, rules.rule
    names = {kpi.code: words.name(kpi.name) for kpi in rules.methodology.kpis}
    parts.section(words.name(rule.title))
    _entry(words, _title(words, "mode"), term(words, rule.mode), [], rule)
    for path, norm in (("base", rule.base), ("full", rule.full)):
        _entry(words, _title(words, path), words.tenge(norm.value), [], norm)
    gates = "; ".join(names.get(code, code) for code in rule.gates.value)
    _entry(words, _title(words, "gates"), gates or words.say("none"), [], rule.gates)
    for entry in rule.shares:
        _entry(
            words,
            words.say("Share of the incentive part for league {league}", league=entry.league),
            words.percent(entry.share, None),
            [],
            entry,
        )
    for phase in rule.phase_in:
        told = words.say(
            "the share rises from 0 at {zero} to 1 at {full}",
            zero=words.percent(phase.zero_at, None),
            full=words.percent(phase.full_at, None),
        )
        _entry(words, names.get(phase.gate, phase.gate), told, [], phase)
    parts.section(words.say("Students paid for"))
    for path in (
        "count_basis",
        "funding_sources",
        "study_forms",
        "pays_academic_leave",
    ):
        said = getattr(rule, path)
        _entry(words, _title(words, path), _told(words, said.value), [], said)
    parts.section(words.say("Coefficients of the norms"))
    for factor in rule.coefficients:
        group = (
            words.say("Cost group") if factor.attribute == "cost_group" else words.say("Locality")
        )
        _entry(
            words,
            f"{group}: {term(words, factor.value)}",
            words.number(factor.coefficient),
            [],
            factor,
        )
    _entry(
        words, _title(words, "calibrate"), _told(words, rule.calibrate.value), [], rule.calibrate
    )
    _limits(words, rule)


def _limits(words: Speaker, rule: Rule) -> None:
    parts.section(words.say("Appropriation and guarantee"))
    if rule.appropriation:
        _entry(
            words,
            words.say("Appropriation, tenge per year"),
            words.tenge(rule.appropriation.amount),
            [words.say("covers {what}", what=term(words, rule.appropriation.covers))],
            rule.appropriation,
        )
    else:
        st.markdown(words.say("The rule states no appropriation: nothing is scaled down."))
    if rule.guarantee:
        _entry(
            words,
            words.say("Guaranteed part of what the previous published round paid"),
            words.percent(rule.guarantee.floor, None),
            [term(words, rule.guarantee.basis), term(words, rule.guarantee.funded_from)],
            rule.guarantee,
        )
    else:
        st.markdown(words.say("The rule guarantees no part of what was paid before."))


# --------------------------------------------------------------------------- how it can be moved


def _gaming(at: Here, rules: Rules) -> None:
    words, methodology = at.words, rules.methodology
    parts.section(
        words.say("How a KPI can be moved without helping a student, and what to watch"),
        words.say(
            "Every figure that pays is one that somebody moves. The national value stands beside"
            " each counter-figure."
        ),
    )
    nation = place_kpis(at.table("region_kpis")) if at.opened else {}
    if not nation:
        parts.empty(words.say("National values are shown once a round is published."))
    asked = {gate.kpi for gate in methodology.gates}
    names = {kpi.code: words.name(kpi.name) for kpi in methodology.kpis}
    for kpi in methodology.kpis:
        if not kpi.score and kpi.code not in asked:
            continue
        left, right = st.columns([2, 5], gap="medium")
        left.markdown(plain_bold(names[kpi.code]))
        with right:
            for way in ways_of(kpi.code):
                watched = [
                    (names[code], _national(words, nation.get(code), code, methodology))
                    for code in WATCH.get(way, ())
                    if code in names
                ]
                lines = [f"{parts.plain(name)}: **{parts.plain(told)}**" for name, told in watched]
                lines += [parts.plain(words.say(LOOK[way]))] if way in LOOK else []
                if signs := [words.say(SIGN_NAMES[sign]) for sign in SIGNS_OF.get(way, ())]:
                    told = words.say("Each round looks for it: {signs}", signs="; ".join(signs))
                    lines.append(parts.plain(told))
                st.markdown(
                    parts.plain(words.say(WAYS[way])) + "".join(f"\n- {line}" for line in lines)
                )
            if not ways_of(kpi.code):
                st.markdown(words.say("Nobody has thought this KPI through yet."))


def _national(
    words: Speaker, row: dict[str, Any] | None, code: str, methodology: Methodology
) -> str:
    """Return the nation's value of a KPI, or what stands in its place."""
    kinds = {kpi.code: kpi.kind for kpi in methodology.kpis}
    if kinds[code] == "median":
        return words.say("shown for each college: a median has no national sum")
    if row is None:
        return "–"
    if kinds[code] == "ratio":
        return share(words, row)
    return share_of(words, row)


# --------------------------------------------------------------------------------------- versions


def _history(at: Here, rules: Rules) -> None:
    words = at.words
    names = {kpi.code: words.name(kpi.name) for kpi in rules.methodology.kpis}
    _versions(
        words,
        words.say("Methodology"),
        rules.methodology,
        history("methodology", rules.methodology.name, Methodology),
        names,
    )
    _versions(
        words,
        words.say("Funding rule"),
        rules.rule,
        history("rules", rules.rule.name, Rule),
        names,
    )


def _versions(
    words: Speaker,
    what: str,
    shown: DatedFile,
    versions: list[Version[Any]],
    names: Mapping[str, str],
) -> None:
    parts.section(
        f"{what}: {words.name(shown.title)}",
        words.say_count("{count} version", "{count} versions", len(versions)),
    )
    if shown.start not in [version.start for version in versions]:
        parts.empty(
            words.say(
                "What is shown was computed with a file of its own, which is none of the versions"
                " shipped."
            )
        )
    for version in versions:
        is_shown = version.start == shown.start
        when = [words.say("from {day}", day=words.day(version.start))]
        when += [words.say("shown here")] if is_shown else []
        st.markdown(plain_bold(" · ".join(when)))
        st.caption(parts.plain(words.name(version.file.title)))
        if version.changes:
            _changes(words, version.changes, names)
        else:
            st.markdown(words.say("The first version: there is none before it."))
        if is_shown and (other := changes(version.file, shown)):
            st.warning(
                words.say("The round was computed with other values than this version has now:")
            )
            _changes(words, other, names)


def _changes(words: Speaker, changed: list[Change], names: Mapping[str, str]) -> None:
    lines = [
        f"- {plain_bold(_title(words, change.path))}: "
        + parts.plain(f"{_told(words, change.old, names)} → {_told(words, change.new, names)}")
        for change in changed
    ]
    st.markdown("\n".join(lines))


# ----------------------------------------------------------------------------------------- words


def _entry(words: Speaker, name: str, what: str, told: list[str], entry: Stated) -> None:
    """Draw one value: its name, what it is, its terms, its reference and status."""
    left, right = st.columns([2, 5], gap="medium")
    left.markdown(plain_bold(name))
    lines = [parts.plain(what)] if what else []
    lines += [f":gray[{parts.plain(' · '.join(told))}]"] if told else []
    right.markdown("  \n".join([*lines, _source(words, entry)]))


def _source(words: Speaker, entry: Stated) -> str:
    """Return the status of a value, as a mark in words, and its reference."""
    colour = "green" if entry.status == "official" else "orange"
    status = parts.plain(term(words, entry.status))
    return f":{colour}-badge[{status}] :gray[{parts.plain(entry.reference)}]"


def plain_bold(text: str) -> str:
    """Return a text in bold, shown as it stands."""
    return f"**{parts.plain(text)}**"


def _title(words: Speaker, path: str) -> str:
    """Return what stands at a path of a dated file; the path where nothing says it in words."""
    place, dot, of = path.rpartition(".")
    if dot and of in ("reference", "status") and place in VALUES:
        part = words.say("Reference") if of == "reference" else words.say("Status")
        return f"{words.say(VALUES[place])} — {part}"
    return words.say(VALUES[path]) if path in VALUES else path


def _told(words: Speaker, value: Any, names: Mapping[str, str] | None = None) -> str:
    """Return any value of a dated file in words; ``names`` of KPIs by code."""
    if value is None:
        return words.say("not stated")
    if isinstance(value, Names):
        return words.name(value)
    if isinstance(value, bool):
        return words.say("yes") if value else words.say("no")
    if isinstance(value, list):
        return ", ".join(_told(words, part, names) for part in value) or words.say("none")
    if isinstance(value, int | Decimal):
        return words.number(value)
    return (names or {}).get(value) or term(words, str(value))


def _of_kind(words: Speaker, kpi: Kpi, value: Decimal) -> str:
    """Return a threshold or goalpost in the unit of its KPI."""
    if kpi.kind in ("outcome_share", "register_share"):
        return words.percent(value, None)
    if kpi.kind == "flag":
        return words.say("yes") if value else words.say("no")
    return words.number(value)


def _weight(words: Speaker, weight: Decimal, is_summed: bool) -> str:
    return f"× {words.number(weight)}" if is_summed else words.percent(weight, None)


page()
