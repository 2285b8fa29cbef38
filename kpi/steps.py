"""The steps of long work in words, and how far it is: what ``report`` is called with."""

from kpi.language import Speaker, mark

STEPS = {
    "reading": mark("Reading the files"),
    "checking rows": mark("Checking the rows"),
    "counting KPIs": mark("Counting the KPIs"),
    "ranking": mark("Ranking the colleges"),
    "funding": mark("Computing the funding"),
    "checking results": mark("Checking the results"),
    "writing the draft": mark("Writing the draft"),
    "picking rows": mark("Picking the rows of each college"),
    "writing workbooks": mark("Writing the marked-up workbooks"),
    "verifying journal": mark("Verifying the journal"),
    "verifying files": mark("Verifying the files"),
    "verifying signatures": mark("Verifying the attached files"),
    "verifying what its inputs give": mark("Computing the round again from its inputs"),
    "varying choices": mark("Changing one choice at a time"),
    "varying all choices": mark("Changing all choices at once"),
}
"""Each step that ``report`` is told, in words; reading names its file after it."""

_COMPUTING = ("checking rows", "counting KPIs", "ranking", "funding", "checking results")
WAYS = {
    "check": {"reading": (0.0, 0.75), "checking rows": (0.75, 1.0)},
    "mark up": {
        "reading": (0.0, 0.4),
        "checking rows": (0.4, 0.55),
        "picking rows": (0.55, 0.75),
        "writing workbooks": (0.75, 1.0),
    },
    "run": {
        "reading": (0.0, 0.4),
        **dict.fromkeys(_COMPUTING, (0.4, 0.95)),
        "writing the draft": (0.95, 1.0),
    },
    "verify": {
        "verifying journal": (0.0, 0.02),
        "verifying files": (0.02, 0.1),
        "verifying signatures": (0.1, 0.12),
        "verifying what its inputs give": (0.12, 0.15),
        **dict.fromkeys(_COMPUTING, (0.15, 0.95)),
    },
    "stability": {"varying choices": (0.0, 0.3), "varying all choices": (0.3, 1.0)},
}
"""For each kind of work, from where to where a step takes it; the computing steps count themselves
through one stretch. The shares are those of the national round, roughly."""


def told(words: Speaker, step: str) -> str:
    """Return a step in words; a file that is read is named."""
    if step.startswith("reading "):
        return words.say("Reading {file}", file=step.removeprefix("reading "))
    return words.say(STEPS[step])


def how_far(way: str, step: str, done: int, total: int) -> float:
    """Return which share of the work is done, 0..1."""
    start, end = WAYS[way].get(
        step.partition(" ")[0] if step.startswith("reading") else step, (0.0, 0.0)
    )
    part = min(max(done / total, 0.0), 1.0) if total else 1.0
    return start + (end - start) * part
