"""The app as tests run it: one page, for one role, in one language, on the example round."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from kpi.access import Role, Viewer

ROOT = Path(__file__).parents[2]
OWN = "EX-01"
VIEWERS = {
    Role.MINISTRY: Viewer(Role.MINISTRY, "analyst@example.org"),
    Role.AUDITOR: Viewer(Role.AUDITOR, "auditor@example.org"),
    Role.REGION: Viewer(Role.REGION, "region@example.org", region="KZ-35"),
    Role.DIRECTOR: Viewer(Role.DIRECTOR, "director@example.org", college_id=OWN),
}
"""One viewer a role; the director's college is OWN."""

Open = Callable[..., AppTest]


def texts(app: AppTest) -> str:
    """Return everything that a page says, as one text."""
    parts = ("label", "value", "delta", "help")
    kinds = ("title", "header", "subheader", "caption", "markdown", "metric", "info", "warning")
    told = []
    for kind in (*kinds, "error", "success"):
        for element in getattr(app, kind):
            told += [str(getattr(element, part, "")) for part in parts]
    return "\n".join(told)
