"""What a round's ranking and money rest on beside its data: the choices of its methodology.

Each choice is varied alone through ``funding.scenario.Desk`` (the same pipeline: a variation equals
a full run), and all of them at once through ``kpi.choices``. A round without funding (an
assessment) is asked the same, but for tenge; one without leagues about its first level.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from funding.rule import Rule
from funding.scenario import Desk
from funding.settings import Rules
from kpi.choices import Choice, Effects, counted_by, effects_of, mean_shift
from kpi.errors import CallError
from kpi.methodology import Methodology
from kpi.ranking import framework_of
from kpi.rounds import Round
from kpi.stability import (
    Facts,
    Floats,
    Ints,
    Places,
    facts_of,
    leagues_of,
    places_of,
    ranks_under_noise,
    shift,
    variance_shares,
)
from kpi.variations import Variation, definitions, replaced, variations

Report = Callable[[str, int, int], None]

RANK_SHIFT = "rank_shift"
SHARE_CHANGES = "share_changes"
"""The outcomes that Sobol indices are about: the mean absolute shift of rank, and how many colleges
earn another share of the incentive part.
"""

MOVES_SCHEMA: dict[str, Any] = {
    "kind": pl.String,
    "code": pl.String,
    "is_applied": pl.Boolean,
    "ranked": pl.Int64,
    "moved": pl.Int64,
    "mean_shift": pl.Float64,
    "largest_shift": pl.Int64,
    "spearman": pl.Float64,
    "newly_ranked": pl.Int64,
    "no_longer_ranked": pl.Int64,
    "entered_top": pl.Int64,
    "left_top": pl.Int64,
    "gained": pl.Int64,
    "lost": pl.Int64,
    "tenge_gained": pl.Int64,
    "tenge_lost": pl.Int64,
}


@dataclass(frozen=True)
class Stability:
    """What a round rests on.

    ``moves``: one row per variation (``moves_of``); ``ranks``: per college under noise in the
    weights (``kpi.stability.ranks_under_noise``); ``effects``: Sobol indices (``kpi.choices``);
    ``variance``: shares of the score's variance (``kpi.stability.variance_shares``).
    """

    moves: pl.DataFrame
    ranks: pl.DataFrame
    effects: Effects
    variance: pl.DataFrame


def quiet(_step: str, _done: int, _total: int) -> None:
    """Report nothing."""


def stability_of(of_round: Round, store: Path | None = None, report: Report = quiet) -> Stability:
    """Return what a round rests on. A national round takes some 20 seconds on two cores."""
    desk = Desk(of_round, store, needs_money=False)
    try:
        return Stability(
            moves_of(desk, report),
            ranks_of(desk),
            all_effects_of(desk, report),
            variance_of(of_round),
        )
    finally:
        desk.close()


def variance_of(of_round: Round) -> pl.DataFrame:
    """Return where the variance of a round's score comes from, from its stored scores."""
    return variance_shares(of_round.table("kpi_scores"), of_round.table("framework"))


def ranks_of(desk: Desk) -> pl.DataFrame:
    """Return how far noise in the weights carries each college's rank."""
    methodology = desk.rules.methodology
    return ranks_under_noise(facts_of(*desk.facts(desk.rules), methodology), methodology)


def moves_of(desk: Desk, report: Report = quiet) -> pl.DataFrame:
    """Return what each single choice moves: one row per variation (MOVES_SCHEMA).

    ``is_applied``: whether the engine can apply it to the round's values; all that follows is null
    where not. ``gained`` and ``lost``: colleges with a larger or smaller share of the incentive
    part; ``tenge_gained`` and ``tenge_lost``: by how much the amounts of colleges grow and shrink,
    tenge per year. Null without funding, or where the rule cannot be applied to the outcome.
    """
    nominal = desk.ranking(desk.rules)
    funding = desk.costs(desk.rules) if desk.has_money else None
    varied = variations(desk.rules.methodology)
    rows = []
    for done, variation in enumerate(varied):
        report("varying choices", done, len(varied))
        rows.append(_move(desk, variation, nominal, funding))
    report("varying choices", len(varied), len(varied))
    return pl.DataFrame(rows, schema=MOVES_SCHEMA)


def _move(
    desk: Desk, variation: Variation, nominal: pl.DataFrame, funding: pl.DataFrame | None
) -> dict[str, Any]:
    rules = rules_with(desk.rules, variation.methodology)
    row: dict[str, Any] = {"kind": variation.kind, "code": variation.code}
    try:
        ranking = desk.ranking(rules)
    except ValueError:  # such as a geometric mean of scores below 0
        return row | {"is_applied": False}
    row |= {"is_applied": True, **shift(nominal, ranking, desk.rules.methodology)}
    if funding is None:
        return row
    try:
        return row | _money_moved(funding, desk.costs(rules))
    except CallError:  # such as a guarantee that the appropriation no longer covers
        return row


def _money_moved(nominal: pl.DataFrame, other: pl.DataFrame) -> dict[str, int]:
    columns = ("college_id", "share", "amount")
    both = nominal.select(columns).join(other.select(columns), on="college_id", suffix="_other")
    shares = pl.col("share_other") - pl.col("share")
    tenge = pl.col("amount_other") - pl.col("amount")
    sums = both.select(
        gained=(shares > 0).sum(),
        lost=(shares < 0).sum(),
        tenge_gained=tenge.clip(lower_bound=0).sum(),
        tenge_lost=(-tenge).clip(lower_bound=0).sum(),
    )
    return {name: int(value) for name, value in sums.row(0, named=True).items()}


def rules_with(rules: Rules, methodology: Methodology) -> Rules:
    """Return the rules with a variation of their methodology: where that counts another definition
    of employment, the rule asks for its gate.
    """
    own, other = (definitions(of)[:1] for of in (rules.methodology, methodology))
    rule = rules.rule
    if own and other and own != other:
        rule = _with_gate(rule, own[0], other[0])
    return replace(rules, methodology=methodology, rule=rule)


def _with_gate(rule: Rule, old: str, new: str) -> Rule:
    gates = rule.gates.model_copy(update={"value": replaced(rule.gates.value, old, new)})
    phases = [
        phase.model_copy(update={"gate": new}) if phase.gate == old else phase
        for phase in rule.phase_in
    ]
    return rule.model_copy(update={"gates": gates, "phase_in": phases})


def all_effects_of(desk: Desk, report: Report = quiet) -> Effects:
    """Return what the shift of ranks, and the incentive shares, rest on with every choice varied
    at once. Two choices of one counting share what is counted.
    """
    methodology = desk.rules.methodology

    def ground(of: Methodology) -> Facts:
        return facts_of(*desk.facts(rules_with(desk.rules, of)), of)

    facts = ground(methodology)
    nominal = places_of(facts, framework_of(methodology))
    shares_of = _shares(desk, facts.college_ids)
    own_shares = shares_of(Choice(), methodology, facts, nominal) if desk.has_money else None

    def outcomes(choice: Choice, of: Methodology, facts: Facts, drawn: Places) -> dict[str, Floats]:
        found = {RANK_SHIFT: mean_shift(nominal, drawn)}
        if own_shares is not None:
            changed = shares_of(choice, of, facts, drawn) != own_shares
            found[SHARE_CHANGES] = np.broadcast_to(
                changed.sum(axis=-1).astype(np.float64), found[RANK_SHIFT].shape
            )
        return found

    return effects_of(
        methodology,
        ground,
        outcomes,
        report=lambda done, total: report("varying all choices", done, total),
    )


SharesOf = Callable[[Choice, Methodology, Facts, Places], Ints]


def _shares(desk: Desk, college_ids: list[str]) -> SharesOf:
    """Return the function that says which share of the incentive part each college earns in each
    draw, in millionths, shape (draws or 1, units).

    By leagues, that of its league. By gates it rests on what is counted alone, whatever the score:
    the pipeline is asked, once for each counting.
    """
    rule = desk.rules.rule
    if rule.mode == "leagues":
        by_league = {share.league: share.share for share in rule.shares}
        table = _millionths([by_league.get(n, Decimal(0)) for n in range(max(by_league) + 1)])
        return lambda _choice, of, facts, drawn: table[leagues_of(drawn, facts, of.leagues)]
    known: dict[tuple[str | None, str | None], Ints] = {}

    def by_gates(choice: Choice, _of: Methodology, _facts: Facts, _drawn: Places) -> Ints:
        key = (choice.employment_definition, choice.declared)
        if key not in known:
            of = counted_by(desk.rules.methodology, choice)
            costs = desk.costs(rules_with(desk.rules, of))
            shares = dict(costs.select("college_id", "share").iter_rows())
            known[key] = _millionths(shares.get(one, Decimal(0)) for one in college_ids)[None, :]
        return known[key]

    return by_gates


def _millionths(shares: Iterable[Decimal]) -> Ints:
    return np.array([int(share.scaleb(6)) for share in shares], dtype=np.int64)
