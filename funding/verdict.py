"""What a director comes for, in one sentence: the gates are passed, or short by how many people.

Said from a ``Standing``, so that the page and the printed sheet say the same; numbers that are
hidden from the viewer are left out.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from funding.explain import short_by, why_not_ranked
from kpi.certainty import league_told, ranks_told
from kpi.language import Speaker
from kpi.methodology import Methodology
from kpi.standing import Standing
from kpi.told import counts, share
from kpi.uncertainty import LEVEL

Row = Mapping[str, Any]
Names = Mapping[str, str]


def answer(words: Speaker, standing: Standing, methodology: Methodology, names: Names) -> str:
    """Return the answer: not ranked and why; then the gates; without gates rank and points.

    ``names``: the words of each KPI's code.
    """
    told = [] if standing.is_ranked else [not_ranked(words, standing, methodology, names)]
    if standing.gates and standing.unit["status"] == "active":
        told.append(_of_gates(words, standing, names))
    elif standing.is_ranked:
        told.append(_of_rank(words, standing))
    return ". ".join(sentence for sentence in told if sentence)


def _of_gates(words: Speaker, standing: Standing, names: Names) -> str:
    failed, untold = standing.failed, standing.untold
    if failed:
        told = "; ".join(of_gate(words, gate, names) for gate in failed)
        if len(failed) == 1:
            return words.say("One gate is not passed: {gate}", gate=told)
        return words.say_count(
            "{count} gate is not passed: {gates}",
            "{count} gates are not passed: {gates}",
            len(failed),
            gates=told,
        )
    if untold:
        return words.say(
            "Whether this gate is passed is hidden, because few people are counted: {gates}",
            gates="; ".join(names[gate["gate"]] for gate in untold),
        )
    return words.say_count(
        "The {count} gate is passed", "All {count} gates are passed", len(standing.gates)
    )


def _of_rank(words: Speaker, standing: Standing) -> str:
    ranking = standing.ranking
    assert ranking is not None
    rank = {"rank": words.number(ranking["rank"]), "of": words.number(ranking["ranked_of"])}
    if ranking["score"] is None:
        return words.say("Rank {rank} of {of}", **rank)
    return words.say(
        "Rank {rank} of {of} with {score} points", score=words.number(ranking["score"], 2), **rank
    )


def of_gate(words: Speaker, gate: Row, names: Names) -> str:
    """Return a gate in words: Employment 68.2 % (132 of 194) against 70 %, short by 6 graduates."""
    name = names[gate["gate"]]
    if gate["kind"] == "flag":
        if gate["passed"] is None:
            return name
        it_is = words.say("it is there") if gate["passed"] else words.say("it is not there")
        return f"{name}: {it_is}"
    return f"{name}: {of_gate_counts(words, gate)}"


def of_gate_counts(words: Speaker, gate: Row) -> str:
    """Return what a gate's counts come to: 68.2 % (132 of 194) against 70 %, short by ..."""
    told = words.say(
        "{value} ({counts}) against {threshold}",
        value=share(words, gate),
        counts=counts(words, gate),
        threshold=threshold_told(words, gate["kind"], gate["threshold"]),
    )
    if gate["passed"] is False and gate["short_by"]:
        told += ", " + short_by(words, gate["kind"], gate["short_by"])
    return told


def threshold_told(words: Speaker, kind: str, threshold: Decimal) -> str:
    """Return a threshold with as many decimals as it has: 70 %, 62.5 %."""
    if kind == "flag":
        return words.say("yes")
    if kind not in ("outcome_share", "register_share"):
        return words.number(threshold)
    exponent = int((100 * threshold).normalize().as_tuple().exponent)
    return words.percent(threshold, max(0, -exponent))


def not_ranked(words: Speaker, standing: Standing, methodology: Methodology, names: Names) -> str:
    """Return why a college has no rank; nothing where its ranking is not shown."""
    if standing.ranking is None:
        return ""
    why = why_not_ranked(
        words,
        methodology,
        standing.unit,
        [one.row for one in standing.kpis],
        standing.ranking["not_ranked_reason"],
        names.__getitem__,
    )
    return words.say("Not ranked: {why}", why=why)


def places(words: Speaker, standing: Standing) -> list[str]:
    """Return its rank in the nation with its range, and its ranks within region and cluster;
    nothing where it has none.
    """
    row = standing.ranking
    if row is None or row["rank"] is None:
        return []
    of = words.number(row["ranked_of"])
    if (row.get("tie_size") or 1) > 1:
        told = [
            words.say(
                "Rank {rank} of {of}, shared by {count}",
                rank=words.number(row["rank"]),
                of=of,
                count=words.number(row["tie_size"]),
            )
        ]
    else:
        told = [words.say("Rank {rank} of {of}", rank=words.number(row["rank"]), of=of)]
    if ranks := ranks_told(words, row):
        told.append(
            words.say(
                "ranks {ranks} in {level} of draws", ranks=ranks, level=words.percent(LEVEL, 0)
            )
        )
    for part, among in (
        ("region", words.say("region")),
        ("cluster", words.say("cluster")),
    ):
        if row[f"{part}_rank"] is not None:
            told.append(
                words.say(
                    "{among}: {rank} of {of}",
                    among=among,
                    rank=words.number(row[f"{part}_rank"]),
                    of=words.number(row[f"{part}_ranked_of"]),
                )
            )
    return told


def league_and_score(words: Speaker, standing: Standing, methodology: Methodology) -> list[str]:
    """Return league with its name, level and score, as far as it has them; a league that chance
    decides is marked.
    """
    row = standing.ranking
    if row is None:
        return []
    told = [
        words.say("league {league}", league=league_told(words, row))
        + f" ({words.name(league.name)})"
        for league in methodology.leagues
        if league.league == row["league"]
    ]
    told += [words.name(level.name) for level in methodology.levels if level.code == row["level"]]
    if row["score"] is not None:
        told.append(words.say("score {score}", score=words.number(row["score"], 2)))
    return told


def missing(words: Speaker, standing: Standing) -> str:
    """Return the least that is missing: 6 graduates; 2 gates; an accreditation; nothing."""
    if not standing.failed:
        return words.say("nothing")
    if len(standing.failed) > 1:
        return words.say_count("{count} gate", "{count} gates", len(standing.failed))
    [gate] = standing.failed
    if gate["kind"] == "outcome_share" and gate["short_by"]:
        return words.say_count("{count} graduate", "{count} graduates", gate["short_by"])
    if gate["kind"] == "register_share" and gate["short_by"]:
        return words.say_count("{count} student", "{count} students", gate["short_by"])
    return words.say_count("{count} gate", "{count} gates", 1)
