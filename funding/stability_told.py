"""What a round rests on in words, for the screen and the command line."""

import json
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from funding.stability import RANK_SHIFT, SHARE_CHANGES, Stability
from kpi.choices import ROWS, WEIGHTS
from kpi.export import make_folder, safe_text, write_csv
from kpi.language import Speaker, mark
from kpi.methodology import Methodology
from kpi.printing import fill, new_console, new_table
from kpi.rounds import Round
from kpi.sobol import CONFIDENCE
from kpi.stability import DRAWS, NOISE, noise_of, undecided

Row = dict[str, Any]

_SHOWN = 10
ABOUT_RUNS = 16_000
"""Rankings that are made, for who asks before."""

NORMALISED = {
    "goalposts": mark("normalised from a floor to a target"),
    "min_max": mark("normalised from the lowest to the highest college"),
    "percentile_rank": mark("normalised to the share of colleges below"),
    "z_score": mark("normalised to standard deviations from the mean"),
    "distance_to_target": mark("normalised to the way gone to the target"),
}
AGGREGATED = {
    "arithmetic": mark("weighted mean"),
    "geometric": mark("weighted geometric mean"),
    "harmonic": mark("weighted harmonic mean"),
}
DECLARED = {
    "accepted": mark("what colleges only declare is accepted"),
    "not_accepted": mark("what colleges only declare is not accepted"),
}
FACTORS = {
    "employment_definition": mark("how employment is counted"),
    "declared": mark("whether declared records are accepted"),
    "dropped_kpi": mark("which KPI is left out"),
    "normaliser": mark("how KPIs are normalised"),
    "aggregator": mark("how KPIs are put together"),
    WEIGHTS: mark("the weights"),
}
OUTCOMES = {
    RANK_SHIFT: mark("mean shift of rank"),
    SHARE_CHANGES: mark("colleges with another share of the incentive"),
}


# what one choice moves


def variation_name(words: Speaker, methodology: Methodology, kind: str, code: str) -> str:
    """Return what a variation changes: without a KPI, another normaliser, another definition."""
    names = {kpi.code: words.name(kpi.name) for kpi in methodology.kpis}
    if kind == "drop_kpi":
        return words.say("without the KPI: {kpi}", kpi=names[code])
    if kind == "normaliser":
        return words.say(NORMALISED[code])
    if kind == "aggregator_index":
        return words.say("index as {mean}", mean=words.say(AGGREGATED[code]))
    if kind == "aggregator_all":
        return words.say("index and groups as {mean}", mean=words.say(AGGREGATED[code]))
    if kind == "employment_definition":
        return words.say("employment counted as: {kpi}", kpi=names[code])
    return words.say(DECLARED[code])


def top_name(words: Speaker, methodology: Methodology) -> str:
    """Return what the top is called: league 1, or the first level."""
    if methodology.leagues:
        return words.say("league {number}", number=words.number(1))
    return words.name(methodology.levels[0].name) if methodology.levels else ""


def largest(moves: pl.DataFrame) -> Row | None:
    """Return the variation that shifts ranks most; None where none moves anybody."""
    applied = moves.filter("is_applied").filter(pl.col("moved") > 0)
    found = applied.sort("mean_shift", descending=True, maintain_order=True)
    return found.row(0, named=True) if found.height else None


def moves_told(words: Speaker, methodology: Methodology, moves: pl.DataFrame) -> str:
    """Return which single choice moves ranks most, and how far."""
    row = largest(moves)
    if row is None:
        return words.say("No single choice of method moves a college")
    return words.say_count(
        "What moves ranks most: {choice}. {count} of {all} colleges changes rank, by {places} on"
        " average",
        "What moves ranks most: {choice}. {count} of {all} colleges change rank, by {places} on"
        " average",
        row["moved"],
        all=words.number(row["ranked"]),
        choice=variation_name(words, methodology, row["kind"], row["code"]),
        places=places_told(words, row["mean_shift"]),
    )


def places_told(words: Speaker, places: float) -> str:
    """Return a number of places in the ranking."""
    rounded = round(places, 1)
    if rounded == int(rounded):
        return words.say_count("{count} place", "{count} places", int(rounded))
    return words.say("{number} places", number=words.number(rounded, 1))


def by_shift(moves: pl.DataFrame) -> list[Row]:
    """Return the variations that could be applied, the largest mean shift of rank first."""
    applied = moves.filter(pl.col("is_applied"), pl.col("mean_shift").is_not_null())
    return applied.sort("mean_shift", descending=True, maintain_order=True).to_dicts()


def shift_told(words: Speaker, methodology: Methodology, row: Row) -> str:
    """Return how far a variation moves ranks: 54.2 places; league 1 +5 −5."""
    places = places_told(words, row["mean_shift"])
    top = top_name(words, methodology)
    if not top:
        return places
    said = {"entered": words.number(row["entered_top"]), "left": words.number(row["left_top"])}
    return words.say("{places}; {top} +{entered} −{left}", places=places, top=top, **said)


def has_money(moves: pl.DataFrame) -> bool:
    """Whether the variations were asked what they do to the money."""
    return moves["tenge_lost"].null_count() < moves.height


def money_told(words: Speaker, methodology: Methodology, moves: pl.DataFrame) -> str:
    """Return which single choice moves most tenge; nothing for a round without money."""
    if not has_money(moves):
        return ""
    moved = moves.select(tenge=pl.col("tenge_gained") + pl.col("tenge_lost")).to_series()
    if not moved.max():
        return words.say("No single choice of method moves a tenge.")
    row = moves.row(int(moved.arg_max() or 0), named=True)
    choice = variation_name(words, methodology, row["kind"], row["code"])
    gained, lost = (words.rough_tenge(row[name]) for name in ("tenge_gained", "tenge_lost"))
    if not row["tenge_gained"]:
        return words.say(
            "What moves most tenge: {choice}. Colleges lose {lost} a year.",
            choice=choice,
            lost=lost,
        )
    if not row["tenge_lost"]:
        return words.say(
            "What moves most tenge: {choice}. Colleges gain {gained} a year.",
            choice=choice,
            gained=gained,
        )
    return words.say(
        "What moves most tenge: {choice}. Colleges gain {gained} and lose {lost} a year.",
        choice=choice,
        gained=gained,
        lost=lost,
    )


# ranks under noise in the weights


def noise_told(words: Speaker, methodology: Methodology, ranks: pl.DataFrame) -> str:
    """Return how far noise in the weights carries ranks."""
    noise = noise_of(ranks)
    said = words.say(
        "With every weight up to {noise} larger or smaller, half of the colleges stay within"
        " {middle}; the widest range is {widest}.",
        noise=words.percent(NOISE, 0),
        middle=places_told(words, noise.middle),
        widest=places_told(words, noise.widest),
    )
    if not (methodology.leagues or methodology.levels):
        return said
    return f"{said} " + words.say_count(
        "{sure} surely stay at the top ({top}); of {count} college the weights decide.",
        "{sure} surely stay at the top ({top}); of {count} colleges the weights decide.",
        noise.undecided,
        sure=words.number(noise.surely_top),
        top=top_name(words, methodology),
    )


def noise_title(words: Speaker, methodology: Methodology, ranks: pl.DataFrame) -> str:
    """Return the finding about noise in the weights, short."""
    noise = noise_of(ranks)
    if not noise.undecided:
        return words.say(
            "Weights up to {noise} larger or smaller change nobody's place at the top",
            noise=words.percent(NOISE, 0),
        )
    return words.say_count(
        "The weights decide for {count} college whether it is at the top: {top}",
        "The weights decide for {count} colleges whether they are at the top: {top}",
        noise.undecided,
        top=top_name(words, methodology),
    )


def draws_in_top(words: Speaker, row: Row, top: str) -> str:
    """Return a college's range of ranks, and in which share of draws it is at the top."""
    return words.say(
        "{range}; {top} in {share} of draws",
        range=range_told(words, row),
        top=top,
        share=words.percent(row["top_share"], 0),
    )


def range_told(words: Speaker, row: Row) -> str:
    """Return a college's range of ranks: ranks 14–31."""
    low, high = words.number(row["rank_low"]), words.number(row["rank_high"])
    if low == high:
        return words.say("rank {rank}", rank=low)
    return words.say("ranks {low}–{high}", low=low, high=high)


def draws_told(words: Speaker) -> str:
    """Return what a range of ranks under noise is."""
    return words.say(
        "From the 5th to the 95th percentile of {draws} draws. In each, every weight is multiplied"
        " by a factor from {least} to {most}; the weights of a group still sum to what they did.",
        draws=words.number(DRAWS),
        least=words.number(1 - NOISE),
        most=words.number(1 + NOISE),
    )


# all choices at once


def strongest(effects: pl.DataFrame, outcome: str) -> str | None:
    """Return the factor that an outcome rests on most; None where nothing moves it."""
    found = effects.filter(pl.col("outcome") == outcome, pl.col("total").is_not_null())
    ordered = found.sort("total", descending=True, maintain_order=True)
    return str(ordered["factor"][0]) if ordered.height else None


def effects_told(words: Speaker, effects: pl.DataFrame) -> str:
    """Return what ranks, and the money, rest on most."""
    ranks, money = strongest(effects, RANK_SHIFT), strongest(effects, SHARE_CHANGES)
    if ranks is None:
        return words.say("No choice of method moves anybody's rank")
    choice = words.say(FACTORS[ranks])
    if money is None:
        return words.say("The ranking rests most on this choice: {choice}", choice=choice)
    return words.say(
        "The ranking rests most on this choice: {choice}; the money on this one: {other}",
        choice=choice,
        other=words.say(FACTORS[money]),
    )


def index_told(words: Speaker, row: Row, which: str) -> str:
    """Return a Sobol index with its interval: 52 % (49 to 56)."""
    low, high = (words.number(round(100 * row[f"{which}_{end}"])) for end in ("low", "high"))
    share = words.percent(round(row[which], 2) + 0.0, 0)  # a share of -0 is 0
    return words.say("{share} ({low} to {high})", share=share, low=low, high=high)


def within(share: float) -> float:
    """Return an index as it is drawn: what lies outside 0..1 is sampling error."""
    return min(max(share, 0.0), 1.0)


def by_total(effects: pl.DataFrame, outcome: str) -> list[Row]:
    """Return the rows of an outcome that varies, the largest total index first."""
    rows = effects.filter(pl.col("outcome") == outcome, pl.col("total").is_not_null())
    return rows.sort("total", descending=True, maintain_order=True).to_dicts()


def factor_name(words: Speaker, factor: str) -> str:
    """Return what a choice is called."""
    return words.say(FACTORS[factor])


def factor_told(words: Speaker, row: Row) -> str:
    """Return what a choice brings with all others, and alone."""
    return words.say(
        "with all others {total}, alone {first}",
        total=index_told(words, row, "total"),
        first=index_told(words, row, "first"),
    )


def sampling_told(words: Speaker, runs: int) -> str:
    """Return how the indices were estimated, and how sure they are."""
    return words.say(
        "Sobol indices from {runs} rankings ({rows} rows a sample; estimators of Saltelli 2010 and"
        " Jansen 1999). In brackets what another sample would say at {confidence}; a share a little"
        " below 0 or above 100 % is sampling error.",
        runs=words.number(runs),
        rows=words.number(ROWS),
        confidence=words.percent(CONFIDENCE, 0),
    )


def outcome_told(words: Speaker, row: Row) -> str:
    """Return how far an outcome moves over all combinations of choices."""
    mean, low, high = (words.number(round(row[name], 1)) for name in ("mean", "low", "high"))
    return words.say("{mean} on average, {low} to {high} in 9 of 10", mean=mean, low=low, high=high)


def outcome_heading(words: Speaker, row: Row) -> str:
    """Return an outcome's name, and how far it moves."""
    return f"{words.say(OUTCOMES[row['outcome']])}: {outcome_told(words, row)}"


# where the variance of the score comes from


def node_names(words: Speaker, methodology: Methodology) -> dict[str, str]:
    """Return the name of each group and KPI."""
    groups = {group.code: words.name(group.name) for group in methodology.groups}
    return groups | {kpi.code: words.name(kpi.name) for kpi in methodology.kpis}


def variance_told(words: Speaker, methodology: Methodology, variance: pl.DataFrame) -> str:
    """Return which part of the score decides most, beside what it weighs."""
    below = variance.filter(pl.col("parent") == "index")
    known = below.drop_nulls("variance_share").sort("variance_share", descending=True)
    if known.is_empty():
        return words.say("The score is no sum of parts, or does not vary: no shares can be told")
    row = known.row(0, named=True)
    return words.say(
        "Differences in score come most from {part}: its weight is {weight}, its share {share}",
        part=node_names(words, methodology)[row["code"]],
        weight=words.percent(row["weight"], 0),
        share=words.percent(row["variance_share"], 0),
    )


def share_and_weight(words: Speaker, row: Row) -> str:
    """Return what a part of the score brings beside its weight: 60 %, weight 25 %."""
    return words.say(
        "{share}, weight {weight}",
        share=words.percent(row["variance_share"], 0),
        weight=words.percent(row["weight"], 0),
    )


def correlation_told(words: Speaker, correlation: float | None) -> str:
    """Return a correlation; a dash where there is none."""
    return "–" if correlation is None else words.number(round(correlation, 2), 2)


def share_told(words: Speaker, share: float | None, places: int = 0) -> str:
    """Return a share as a percentage; a dash where there is none."""
    return "–" if share is None else words.percent(share, places)


# files and print


def marks_of(of_round: Round) -> dict[str, str]:
    """Return what goes with every row that leaves the round."""
    return {
        "round": of_round.name,
        "version": of_round.version,
        "rules_status": of_round.methodology.status,
    }


def as_file(of_round: Round, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table as a file has it: marks first, colleges with their names."""
    marks = [pl.lit(text).alias(name) for name, text in marks_of(of_round).items()]
    if "college_id" in table.columns:
        names = of_round.table("unit_profile").select("college_id", "name_ru", "region")
        table = names.join(table, on="college_id", how="right", maintain_order="right").select(
            "college_id", "name_ru", "region", pl.exclude("college_id", "name_ru", "region")
        )
    return table.select(*marks, pl.all())


def as_files(of_round: Round, done: Stability) -> dict[str, pl.DataFrame]:
    """Return each table as a file has it, by what the file is called."""
    tables = {
        "moves": done.moves,
        "ranks": done.ranks,
        "effects": done.effects.effects,
        "variance": done.variance,
    }
    return {name: as_file(of_round, table) for name, table in tables.items()}


def write_stability(of_round: Round, done: Stability, to: Path) -> list[Path]:
    """Write the tables as CSV files and return them."""
    make_folder(to)
    written = []
    for name, table in as_files(of_round, done).items():
        written.append(to / f"{of_round.name}-{of_round.version}-stability-{name}.csv")
        write_csv(table, written[-1])
    return written


def as_json(of_round: Round, done: Stability) -> str:
    """Return everything as JSON."""
    told: dict[str, Any] = marks_of(of_round) | {
        "draws": DRAWS,
        "noise": float(NOISE),
        "runs": done.effects.runs,
        "levels": done.effects.levels,
        "outcomes": done.effects.outcomes.to_dicts(),
    }
    marks = [*marks_of(of_round)]
    told |= {name: table.drop(marks).to_dicts() for name, table in as_files(of_round, done).items()}
    return json.dumps(told, ensure_ascii=False, indent=2, default=str)


def print_stability(of_round: Round, done: Stability, words: Speaker, form: str = "table") -> None:
    """Print what a round rests on: as text, the moves as CSV, or everything as JSON."""
    if form == "json":
        print(as_json(of_round, done))
        return
    if form == "csv":
        print(safe_text(as_files(of_round, done)["moves"]).write_csv(), end="")
        return
    console = new_console()
    methodology = of_round.methodology
    _line(console, f"{of_round.name} {of_round.version}")
    if of_round.is_draft:
        _line(console, words.say("draft, not published"))
    if methodology.status == "illustrative":
        _line(console, words.say("weights, gates and leagues are illustrative"))
    _print_moves(console, methodology, done.moves, words)
    _print_noise(console, of_round, done.ranks, words)
    _print_effects(console, done, words)
    _print_variance(console, methodology, done.variance, words)


def _line(console: Console, text: str, style: str | None = None) -> None:
    if text:
        console.print(text, markup=False, soft_wrap=True, style=style)


def _print_moves(
    console: Console, methodology: Methodology, moves: pl.DataFrame, words: Speaker
) -> None:
    _line(console, "\n" + moves_told(words, methodology, moves), "bold")
    is_paid = has_money(moves)
    titles = [
        words.say("Another choice"),
        words.say("Move") + ">",
        words.say("Places, mean") + ">",
        words.say("At most") + ">",
        top_name(words, methodology) + ">",
    ]
    if is_paid:
        titles += [
            words.say("Incentive") + ">",
            words.say("Gained") + ">",
            words.say("Lost") + ">",
        ]
    table = new_table(*titles)
    for row in moves.iter_rows(named=True):
        name = variation_name(words, methodology, row["kind"], row["code"])
        if not row["is_applied"]:
            fill(table, name, words.say("not possible"), *[""] * (len(titles) - 2))
            continue
        fill(table, name, *move_cells(words, row).values())
    console.print(table)
    _line(console, columns_told(words, is_paid=is_paid))
    _line(console, money_told(words, methodology, moves))


def columns_told(words: Speaker, *, is_paid: bool) -> str:
    """Return what the numbers of a variation are."""
    said = words.say(
        "Colleges whose rank changes, and by how many places on average and at most; + come to the"
        " top, − leave it."
    )
    if not is_paid:
        return said
    return f"{said} " + words.say(
        "Incentive: + earn a larger share, − a smaller one; tenge a year that colleges gain and"
        " lose."
    )


def move_cells(words: Speaker, row: Row) -> dict[str, str]:
    """Return the cells of a variation that was applied; those of money where there is some."""
    cells = {
        "moved": words.number(row["moved"]),
        "mean": words.number(round(row["mean_shift"] or 0, 1), 1),
        "most": words.number(row["largest_shift"] or 0),
        "top": f"+{words.number(row['entered_top'])} −{words.number(row['left_top'])}",
    }
    if row["gained"] is not None:
        cells |= {
            "norm": f"+{words.number(row['gained'])} −{words.number(row['lost'])}",
            "tenge_gained": words.rough_tenge(row["tenge_gained"]),
            "tenge_lost": words.rough_tenge(row["tenge_lost"]),
        }
    return cells


def _print_noise(console: Console, of_round: Round, ranks: pl.DataFrame, words: Speaker) -> None:
    methodology = of_round.methodology
    _line(console, "\n" + noise_told(words, methodology, ranks), "bold")
    _line(console, draws_told(words))
    shown = undecided(ranks).head(_SHOWN)
    if shown.is_empty():
        return
    table = new_table(
        words.say("College"),
        words.say("Rank") + ">",
        words.say("Range of ranks") + ">",
        words.say("Draws in {top}", top=top_name(words, methodology)) + ">",
    )
    colleges = of_round.table("unit_profile").iter_rows(named=True)
    names = {row["college_id"]: words.of(row) for row in colleges}
    for row in shown.iter_rows(named=True):
        fill(
            table,
            names[row["college_id"]],
            words.number(row["rank"]),
            range_told(words, row),
            words.percent(row["top_share"], 0),
        )
    console.print(table)


def _print_effects(console: Console, done: Stability, words: Speaker) -> None:
    effects = done.effects
    _line(console, "\n" + effects_told(words, effects.effects), "bold")
    for outcome in effects.outcomes.iter_rows(named=True):
        _line(console, outcome_heading(words, outcome))
        table = new_table(
            words.say("Choice"), words.say("Alone") + ">", words.say("With all others") + ">"
        )
        rows = by_total(effects.effects, outcome["outcome"])
        for row in rows:
            told = (index_told(words, row, which) for which in ("first", "total"))
            fill(table, factor_name(words, row["factor"]), *told)
        if rows:
            console.print(table)
        else:
            _line(console, words.say("No choice of method moves it."))
    _line(console, sampling_told(words, effects.runs))


def _print_variance(
    console: Console, methodology: Methodology, variance: pl.DataFrame, words: Speaker
) -> None:
    _line(console, "\n" + variance_told(words, methodology, variance), "bold")
    table = new_table(
        words.say("Part of the score"),
        words.say("Weight") + ">",
        words.say("Share of variance") + ">",
        words.say("Correlation with the score") + ">",
    )
    names = node_names(words, methodology)
    for row in in_tree_order(variance):
        fill(
            table,
            "  " * row["depth"] + names[row["code"]],
            words.percent(row["weight"], 0),
            share_told(words, row["variance_share"], 1),
            correlation_told(words, row["correlation"]),
        )
    console.print(table)


def in_tree_order(variance: pl.DataFrame) -> list[Row]:
    """Return the rows of ``variance``, each group before what is in it, with its ``depth``."""
    by_parent: dict[str, list[Row]] = {}
    for row in variance.iter_rows(named=True):
        by_parent.setdefault(row["parent"], []).append(row)

    def below(parent: str, depth: int) -> list[Row]:
        return [
            found
            for row in by_parent.get(parent, [])
            for found in [row | {"depth": depth}, *below(row["code"], depth + 1)]
        ]

    return below("index", 0)
