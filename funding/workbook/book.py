"""The workbook in the making: its facts, its words, its paper, and where each column stands."""

from dataclasses import dataclass

from funding.workbook.facts import Facts
from funding.workbook.paper import Grid, Paper, Words, one_line


@dataclass(frozen=True)
class Book:
    """What every sheet is written from."""

    facts: Facts
    words: Words
    paper: Paper
    grids: dict[str, Grid]
    regions: list[str]
    administrators: list[str]

    def region_span(self, place: str, key: str) -> str:
        """The cells of a column for all regions, or all administrators, on the sheet Regions."""
        grid = self.grids["Regions"]
        first, last = self.region_rows(place)
        return f"Regions!${grid.letters[key]}${first}:${grid.letters[key]}${last}"

    def region_rows(self, place: str) -> tuple[int, int]:
        """First and last row of the ``regions`` or ``administrators``; the nation stands first."""
        first = self.grids["Regions"].first + 1
        if place == "regions":
            return first, first + len(self.regions) - 1
        first += len(self.regions)
        return first, first + len(self.administrators) - 1

    def colours(self) -> str:
        """The line below a sheet's title that says what the fills mean."""
        return one_line(
            self.words.say(
                "Yellow: counts and parameters, may be changed. White: formulas. Violet: as in the"
                " round, not recomputed."
            )
        )
