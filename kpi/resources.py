"""Where ``sql/`` and ``data/`` are: inside the installed package, or beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_shipped"
_ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent


def sql_folder() -> Path:
    """Return the folder that holds the pipeline's SELECTs."""
    return _ROOT / "sql"


def data_folder() -> Path:
    """Return the folder that holds reference tables, methodologies, rules and examples."""
    return _ROOT / "data"
