"""Where ``sql/``, ``data/`` and the app are: in the installed package, or in the checkout."""

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


def app_file() -> Path:
    """Return the app's script; ``views/`` and ``.streamlit/`` lie beside it."""
    return _ROOT / "app.py"
