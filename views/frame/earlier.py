"""The round of the year before: what a figure is compared with."""

from dataclasses import replace

from kpi.ranked_list import earlier_year
from kpi.rounds import exists, open_round, published
from views.frame.here import Here


def earlier_round(at: Here) -> Here | None:
    """Return the same viewer at the round of the academic year before; None where the store has
    none for them: those who do not see all see what is published.
    """
    name = earlier_year(at.round.name)
    found = published(at.store, name)
    if found is None and at.viewer.sees_all and exists(at.store, name):
        found = open_round(at.store, name)
    return None if found is None else replace(at, opened=found)
