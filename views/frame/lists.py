"""A list that a page shows, taken away as CSV: each row with the marks that go with its figures."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from kpi.export import write_csv
from views.frame import parts
from views.frame.here import Here
from views.frame.marks import round_marks


def download_list(at: Here, name: str, file_of: Callable[[dict[str, str]], pl.DataFrame]) -> None:
    """Draw the button of a list; ``file_of`` takes the marks by column and gives its rows."""
    file_name = f"{at.file_name}-{name}.csv"
    marks = {
        "round": at.round.name,
        "version": at.round.version,
        "marks": " ".join(round_marks(at)),
    }

    def write(folder: Path) -> Path:
        write_csv(file_of(marks), folder / file_name)
        return folder / file_name

    parts.download(
        at.words.say("Download this list as CSV"),
        file_name,
        write,
        "text/csv",
        key=f"download:{name}",
        icon=":material/download:",
    )
