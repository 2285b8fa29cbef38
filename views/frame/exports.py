"""What a round is taken away as: the auditor's workbook and the open data package."""

from pathlib import Path

from funding.workbook import write_workbook
from kpi.access import Role, require_role
from kpi.export import zipped
from kpi.package import export_package
from views.frame.here import Here


def workbook_for(at: Here, path: Path) -> Path:
    """Write the auditor's workbook. Raises AccessError for who may not see every row."""
    require_role(at.viewer, Role.MINISTRY, Role.AUDITOR)
    return write_workbook(at.round, path, at.words.language)


def package_for(at: Here, folder: Path) -> Path:
    """Write the open data package as one ZIP. Raises AccessError for who may not see the draft of
    every region.
    """
    if at.round.is_draft:
        require_role(at.viewer, Role.MINISTRY, Role.AUDITOR)
    return zipped(export_package(at.round, folder), folder / "package.zip")
