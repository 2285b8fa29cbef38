"""Named changes of a methodology: what else could have been chosen with the same data (DESIGN §5).

Each function returns a changed copy, which is no dated file: weights that a dropped KPI leaves
behind are renormalised by the engine, among the siblings that remain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from kpi.methodology import Aggregate, Group, Kpi, Methodology, Normalise, Score

EMPLOYMENT = ("employment_rate_of_all", "employment_rate", "employment_rate_with_study")
"""The three definitions of employment, of which one stands in score, gates and tie chain."""

DECLARED = "declared"
"""The source of a destination that the college alone names."""

_NEEDS_GOALPOSTS = ("goalposts", "distance_to_target")
"""Normalisers that read a KPI's target in raw values."""

_BY_ORDER = ("percentile_rank", "rank", "borda")
"""Normalisers that keep the order alone, on different scales: the first stands for all."""

_ADDED_UP = ("arithmetic", "sum")
"""A sum is the mean without its divisor (points added up as they are): neither is an alternative to
the other, and a sum of groups would weigh each group's weight twice.
"""


@dataclass(frozen=True)
class Variation:
    """One change of a methodology: its kind, what is chosen, and the methodology that results.

    ``kind``: drop_kpi (``code``: the KPI), normaliser (its name), aggregator_index and
    aggregator_all (its name), employment_definition (the KPI that counts), declared (``accepted``
    or ``not_accepted``).
    """

    kind: str
    code: str
    methodology: Methodology


def variations(methodology: Methodology) -> list[Variation]:
    """Return every variation of a methodology by a single choice, whether or not the engine can
    apply it to the values in hand: that the values decide (a geometric mean of negative ones).
    """
    found = [
        Variation("drop_kpi", kpi.code, without_kpi(methodology, kpi.code))
        for kpi in scored(methodology)
        if len(scored(methodology)) > 1
    ]
    found += [
        Variation("normaliser", how, normalised_by(methodology, how))
        for how in other_normalisers(methodology)
    ]
    for how in other_aggregators(methodology):
        found.append(
            Variation("aggregator_index", how, aggregated_by(methodology, how, index_only=True))
        )
    for how in other_aggregators(methodology):
        if len(methodology.groups) > 1:
            found.append(Variation("aggregator_all", how, aggregated_by(methodology, how)))
    found += [
        Variation("employment_definition", code, with_definition(methodology, code))
        for code in definitions(methodology)[1:]
    ]
    if methodology.sources:
        code = "not_accepted" if accepts_declared(methodology) else "accepted"
        found.append(Variation("declared", code, with_declared(methodology, code == "accepted")))
    return found


def scored(methodology: Methodology) -> list[Kpi]:
    """Return the KPIs that are scored with a weight, in the methodology's order."""
    return [kpi for kpi in methodology.kpis if kpi.score and kpi.score.weight > 0]


def without_kpi(methodology: Methodology, code: str) -> Methodology:
    """Return the methodology with a KPI taken out of the score; its gate and its place in the tie
    chain stay. A group that is left empty falls away, and so may the one above it.
    """
    kpis = [_with_score(kpi, None) if kpi.code == code else kpi for kpi in methodology.kpis]
    groups = list(methodology.groups)
    while empty := [group for group in groups if not _has_children(group.code, groups, kpis)]:
        groups = [group for group in groups if group not in empty]
    return methodology.model_copy(update={"kpis": kpis, "groups": groups})


def _has_children(code: str, groups: list[Group], kpis: list[Kpi]) -> bool:
    return any(group.parent == code for group in groups) or any(
        kpi.score is not None and kpi.score.parent == code for kpi in kpis
    )


def other_normalisers(methodology: Methodology) -> list[str]:
    """Return the normalisers that could stand for the methodology's, in the engine's order.

    Those that read raw values stand for goalposts alone, whose target they take; `none` is no
    normaliser.
    """
    scores = [kpi.score for kpi in scored(methodology) if kpi.score]
    used: set[str] = {s.normalise for s in scores}
    left_out = {"none", *_BY_ORDER[1:], *(used if len(used) == 1 else ())}
    left_out |= set(_BY_ORDER) if used <= set(_BY_ORDER) else set()
    has_goalposts = used == {"goalposts"} and not any(s.treat and "log" in s.treat for s in scores)
    left_out |= set() if has_goalposts else set(_NEEDS_GOALPOSTS)
    return [how for how in get_args(Normalise) if how not in left_out]


def normalised_by(methodology: Methodology, how: str) -> Methodology:
    """Return the methodology with every scored KPI normalised in one way, z-scores to a deviation
    of 10: in hundredths, which is what is published, plain ones would tie.
    """
    update: dict[str, Any] = {"normalise": how, "mean": None, "capped": None}
    update["deviation"] = Decimal(10) if how == "z_score" else None
    if how != "goalposts":
        update["floor"] = None
    if how not in _NEEDS_GOALPOSTS:
        update["target"] = None
    kpis = [
        _with_score(kpi, kpi.score.model_copy(update=update)) if kpi.score else kpi
        for kpi in methodology.kpis
    ]
    return methodology.model_copy(update={"kpis": kpis})


def other_aggregators(methodology: Methodology) -> list[str]:
    """Return the aggregators that could stand for that of the index, in the engine's order."""
    [root] = [group for group in methodology.groups if group.parent is None]
    own = _ADDED_UP if root.aggregate in _ADDED_UP else (root.aggregate,)
    return [how for how in get_args(Aggregate) if how not in own and how != "sum"]


def aggregated_by(methodology: Methodology, how: str, *, index_only: bool = False) -> Methodology:
    """Return the methodology with the index, or every group too, aggregated in one way."""
    groups = [
        group.model_copy(update={"aggregate": how})
        if group.parent is None or not index_only
        else group
        for group in methodology.groups
    ]
    return methodology.model_copy(update={"groups": groups})


def definitions(methodology: Methodology) -> list[str]:
    """Return the definitions of employment that the methodology counts, its own first; none where
    no one of them, or more than one, stands in score, gates or tie chain.
    """
    used = {kpi.code for kpi in methodology.kpis if kpi.score}
    used |= {gate.kpi for gate in methodology.gates} | set(methodology.tie_chain.value)
    own = [code for code in EMPLOYMENT if code in used]
    if len(own) != 1:
        return []
    counted = {kpi.code for kpi in methodology.kpis}
    return own + [code for code in EMPLOYMENT if code in counted and code not in own]


def with_definition(methodology: Methodology, code: str) -> Methodology:
    """Return the methodology with another definition of employment in the place of its own: in
    score, gates, the gates of leagues, and tie chain.
    """
    own = definitions(methodology)[0]
    if code == own:
        return methodology
    [score] = [kpi.score for kpi in methodology.kpis if kpi.code == own]
    new_scores: dict[str, Score | None] = {own: None, code: score}
    kpis = [
        _with_score(kpi, new_scores[kpi.code]) if kpi.code in new_scores else kpi
        for kpi in methodology.kpis
    ]
    gates = [
        gate.model_copy(update={"kpi": code}) if gate.kpi == own else gate
        for gate in methodology.gates
    ]
    leagues = [
        league.model_copy(update={"gates": replaced(league.gates, own, code)})
        for league in methodology.leagues
    ]
    chain = methodology.tie_chain
    chain = chain.model_copy(update={"value": replaced(chain.value, own, code)})
    return methodology.model_copy(
        update={"kpis": kpis, "gates": gates, "leagues": leagues, "tie_chain": chain}
    )


def replaced(codes: Sequence[str], old: str, new: str) -> list[str]:
    """Return the codes with one in the place of another."""
    return [new if code == old else code for code in codes]


def accepts_declared(methodology: Methodology) -> bool:
    """Whether any destination is believed from what the college alone declares."""
    return any(DECLARED in accepted.sources for accepted in methodology.sources)


def with_declared(methodology: Methodology, accepted: bool) -> Methodology:
    """Return the methodology with `declared` accepted as a source of every destination, or none."""
    sources = []
    for entry in methodology.sources:
        others = [source for source in entry.sources if source != DECLARED]
        listed = [*others, DECLARED] if accepted else others
        sources.append(entry.model_copy(update={"sources": listed}))
    return methodology.model_copy(update={"sources": sources})


def _with_score(kpi: Kpi, score: Score | None) -> Kpi:
    return kpi.model_copy(update={"score": score})
