"""Every choice of a methodology varied at once: which of them an outcome rests on.

A factor is one choice with its levels, each as likely as the others; a design draws all factors
together, and ``kpi.sobol`` says how much of the outcome's variance goes back to which. Saisana,
Saltelli & Tarantola (2005), J. R. Statist. Soc. A 168, 307-323, vary composite indices so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from kpi.methodology import Methodology
from kpi.ranking import framework_of
from kpi.sobol import Floats, sobol_indices
from kpi.stability import (
    NOISE,
    SEED,
    Facts,
    Places,
    multipliers,
    perturbed,
    places_of,
)
from kpi.variations import (
    accepts_declared,
    aggregated_by,
    definitions,
    normalised_by,
    other_aggregators,
    other_normalisers,
    scored,
    with_declared,
    with_definition,
    without_kpi,
)

Ints = npt.NDArray[np.int64]
Level = str | None

ROWS = 2_048
"""Rows of each of the two samples."""

STATED = None
"""The level of a factor that leaves the methodology as it is: always its first."""

WEIGHTS = "weights"
"""The one factor that has no levels: noise in all weights together."""

Ground = Callable[[Methodology], Facts]
"""Returns the facts under a methodology: what is counted, what is scored, who passes which gate."""

EFFECTS_SCHEMA: dict[str, Any] = {
    "outcome": pl.String,
    "factor": pl.String,
    "levels": pl.Int64,
    "first": pl.Float64,
    "first_low": pl.Float64,
    "first_high": pl.Float64,
    "total": pl.Float64,
    "total_low": pl.Float64,
    "total_high": pl.Float64,
}


@dataclass(frozen=True)
class Choice:
    """One level of each factor that has levels: the methodology stated, but for what is set."""

    employment_definition: Level = STATED
    declared: Level = STATED
    dropped_kpi: Level = STATED
    normaliser: Level = STATED
    aggregator: Level = STATED


FACTORS = (*Choice.__dataclass_fields__, WEIGHTS)


@dataclass(frozen=True)
class Sample:
    """Rows of a design: by factor the level's number, shape (rows,), and the multipliers of the
    weights, shape (rows, nodes).
    """

    levels: dict[str, Ints]
    noise: Floats

    def with_one_from(self, other: "Sample", factor: str) -> "Sample":
        """Return the rows with one factor from the rows of another sample."""
        if factor == WEIGHTS:
            return Sample(self.levels, other.noise)
        return Sample(self.levels | {factor: other.levels[factor]}, self.noise)


def counted_by(methodology: Methodology, choice: Choice) -> Methodology:
    """Return the methodology with the choices that decide how graduates are counted."""
    if choice.employment_definition is not None:
        methodology = with_definition(methodology, choice.employment_definition)
    if choice.declared is not None:
        methodology = with_declared(methodology, choice.declared == "accepted")
    return methodology


def chosen(methodology: Methodology, choice: Choice) -> Methodology:
    """Return the methodology with every choice made."""
    own = definitions(methodology)[:1]
    methodology = counted_by(methodology, choice)
    dropped = choice.dropped_kpi
    if dropped is not None:
        if [dropped] == own and choice.employment_definition is not None:
            dropped = choice.employment_definition
        methodology = without_kpi(methodology, dropped)
    if choice.normaliser is not None:
        methodology = normalised_by(methodology, choice.normaliser)
    if choice.aggregator is not None:
        methodology = aggregated_by(methodology, choice.aggregator)
    return methodology


def levels_of(methodology: Methodology, facts: Facts) -> dict[str, list[Level]]:
    """Return the levels of each factor that has more than one, the stated one first.

    A normaliser that some aggregator cannot take (one below 0 under a geometric mean) is left out:
    every level must go with all of the others.
    """
    aggregators = [
        how for how in (STATED, *other_aggregators(methodology)) if _works(methodology, facts, how)
    ]
    normalisers = [
        how
        for how in (STATED, *other_normalisers(methodology))
        if all(_works(methodology, facts, mean, how) for mean in aggregators)
    ]
    kpis = [kpi.code for kpi in scored(methodology)]
    other = "not_accepted" if accepts_declared(methodology) else "accepted"
    levels: dict[str, list[Level]] = {
        "employment_definition": [STATED, *definitions(methodology)[1:]],
        "declared": [STATED, other] if methodology.sources else [STATED],
        "dropped_kpi": [STATED, *kpis] if len(kpis) > 1 else [STATED],
        "normaliser": normalisers,
        "aggregator": aggregators,
    }
    return {factor: of for factor, of in levels.items() if len(of) > 1}


def _works(
    methodology: Methodology, facts: Facts, aggregator: Level, normaliser: Level = STATED
) -> bool:
    """Whether the engine can apply both to the values in hand."""
    of = chosen(methodology, Choice(aggregator=aggregator, normaliser=normaliser))
    try:
        places_of(facts, framework_of(of))
    except ValueError:
        return False
    return True


def draw(
    levels: dict[str, list[Level]], nodes: int, rows: int, seed: np.random.SeedSequence
) -> Sample:
    """Return one sample: every factor drawn alone, every level as likely as the others."""
    of_levels, of_noise = seed.spawn(2)
    rng = np.random.default_rng(of_levels)
    drawn = {factor: rng.integers(0, len(of), rows) for factor, of in levels.items()}
    return Sample(drawn, multipliers(nodes, rows, NOISE, of_noise))


Outcomes = Callable[[Choice, Methodology, Facts, Places], dict[str, Floats]]
"""Returns each outcome of the draws of one choice, arrays of shape (draws,)."""


@dataclass(frozen=True)
class Effects:
    """What an outcome rests on.

    ``effects``: one row per outcome and factor (EFFECTS_SCHEMA; null where the outcome is the same
    everywhere); ``outcomes``: by outcome its mean and its 5th and 95th percentile over both
    samples; ``levels``: what was varied; ``runs``: how many rankings were made.
    """

    effects: pl.DataFrame
    outcomes: pl.DataFrame
    levels: dict[str, list[Level]]
    runs: int


def effects_of(
    methodology: Methodology,
    ground: Ground,
    outcomes: Outcomes,
    *,
    rows: int = ROWS,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Effects:
    """Return the Sobol indices of every choice of a methodology.

    ``ground`` is asked once for each counting and dropped KPI; ``report`` is told how many choices
    are done, of how many.
    """
    levels = levels_of(methodology, ground(methodology))
    framework = framework_of(methodology)
    nodes = framework.filter(pl.col("parent").is_not_null())["code"].to_list()
    factors = [*levels, WEIGHTS]
    of_a, of_b, of_bootstrap = np.random.SeedSequence(SEED).spawn(3)
    a, b = (draw(levels, len(nodes), rows, seed) for seed in (of_a, of_b))
    samples = [a, b, *(a.with_one_from(b, factor) for factor in factors)]
    found = _evaluated(methodology, ground, outcomes, levels, nodes, _stacked(samples), report)
    table, spread = [], []
    for outcome, values in found.items():
        at_a, at_b, *at_ab = values.reshape(len(samples), rows)
        indices = sobol_indices(at_a, at_b, np.stack(at_ab), of_bootstrap)
        for place, factor in enumerate(factors):
            told = {name: _known(array[place]) for name, array in vars(indices).items()}
            size = len(levels[factor]) if factor in levels else None
            table.append({"outcome": outcome, "factor": factor, "levels": size, **told})
        low, high = np.percentile([at_a, at_b], (5, 95))
        mean = float(np.mean([at_a, at_b]))
        spread.append({"outcome": outcome, "mean": mean, "low": float(low), "high": float(high)})
    return Effects(
        pl.DataFrame(table, schema=EFFECTS_SCHEMA),
        pl.DataFrame(spread),
        levels,
        len(samples) * rows,
    )


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _stacked(samples: Sequence[Sample]) -> Sample:
    """Return the rows of all samples, one after the other."""
    return Sample(
        {
            factor: np.concatenate([sample.levels[factor] for sample in samples])
            for factor in samples[0].levels
        },
        np.concatenate([sample.noise for sample in samples]),
    )


def _evaluated(
    methodology: Methodology,
    ground: Ground,
    outcomes: Outcomes,
    levels: dict[str, list[Level]],
    nodes: list[str],
    rows: Sample,
    report: Callable[[int, int], None],
) -> dict[str, Floats]:
    """Return each outcome at every row; rows of the same choice are ranked together."""
    facts: dict[tuple[Level, ...], Facts] = {}
    found: dict[str, Floats] = {}
    groups = list(_same_choice(levels, rows))
    for done, (choice, places) in enumerate(groups):
        report(done, len(groups))
        of = chosen(methodology, choice)
        key = (choice.employment_definition, choice.declared, choice.dropped_kpi)
        if key not in facts:
            facts[key] = ground(of)
        framework = framework_of(of)
        own = definitions(methodology)[:1]
        by = {
            choice.employment_definition or code if [code] == own else code: rows.noise[
                places, node
            ]
            for node, code in enumerate(nodes)
        }
        ranked = places_of(facts[key], framework, perturbed(framework, by))
        for outcome, values in outcomes(choice, of, facts[key], ranked).items():
            found.setdefault(outcome, np.empty(len(rows.noise)))[places] = values
    report(len(groups), len(groups))
    return found


def _same_choice(
    levels: dict[str, list[Level]], rows: Sample
) -> Iterator[tuple[Choice, npt.NDArray[np.intp]]]:
    """Yield each choice of levels that the rows hold, and in which of them, in order."""
    nothing = np.zeros(len(rows.noise), dtype=np.int64)
    drawn = np.stack([rows.levels[factor] for factor in levels] or [nothing])
    kinds, which = np.unique(drawn, axis=1, return_inverse=True)
    for kind in range(kinds.shape[1]):
        numbers = dict(zip(levels, kinds[:, kind].tolist(), strict=False))
        made = {factor: levels[factor][number] for factor, number in numbers.items()}
        yield Choice(**made), np.nonzero(which.ravel() == kind)[0]


def mean_shift(nominal: Places, drawn: Places) -> Floats:
    """Return the mean absolute shift of rank of each draw, over the units ranked in both; shape
    (draws,), 0 where there are none.
    """
    both = (nominal.rank > 0) & (drawn.rank > 0)
    shifts = np.where(both, np.abs(drawn.rank - nominal.rank), 0).sum(axis=-1)
    return np.asarray(shifts / np.maximum(both.sum(axis=-1), 1))
