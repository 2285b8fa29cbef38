"""Adding a KPI is one SELECT and one entry in the methodology, as the README shows it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parent.parent


def shown_in_readme(language: str) -> str:
    """The code block of this language in the README's section on adding a KPI."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Adding a KPI")[1]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL).group(1)


def test_a_kpi_is_added_with_the_two_texts_of_the_readme(tmp_path: Path) -> None:
    for folder in ("kpi", "funding", "sql", "data"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pyc*"))
    select = tmp_path / "sql" / "2_kpi" / "special_needs_share.sql"
    select.write_text(shown_in_readme("sql"), encoding="utf-8")
    methodology = tmp_path / "data" / "methodology" / "example" / "2024-09-01.toml"
    text = methodology.read_text(encoding="utf-8") + "\n" + shown_in_readme("toml")
    methodology.write_text(text, encoding="utf-8")

    run = [sys.executable, "-c", "from kpi.cli import main; main()", "run", "data/example"]
    options = ["--round", "2025-26", "--methodology", "example"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "KPI_PSEUDONYM_KEY": "k" * 32}
    done = subprocess.run(
        [*run, *options], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

    values = pl.read_parquet(tmp_path / "rounds/2025-26/draft-1/tables/kpi_values.parquet")
    added = values.filter(pl.col("kpi") == "special_needs_share")
    students = pl.read_csv(ROOT / "data/example/students.csv", infer_schema=False)
    with_needs = students.filter(pl.col("special_needs") == "true")
    assert added.height == values["college_id"].n_unique()
    assert 0 < added["numerator"].sum() <= with_needs.height
    # EX-01 counts 30 students on 1 October 2025, whatever their form of study
    assert added.filter(pl.col("college_id") == "EX-01")["denominator"].to_list() == [30]
