"""Who stands where: the colleges of a round as one list to choose from, and what has changed.

Frames come from ``kpi.access.read_table``: a hidden cell is empty and named in ``suppressed``.
"""

import polars as pl

from kpi.package import HIDDEN
from kpi.ranking import with_interval_columns

COHORT = "employment_rate_of_all"
"""The KPI whose denominator is the cohort: all graduates who are measured."""

FILTERS = ("region", "cluster", "kind", "ownership", "league", "level")


def earlier_year(round_name: str) -> str:
    """Return the academic year before a round's.

    >>> earlier_year("2025-26"), earlier_year("2000-01")
    ('2024-25', '1999-00')
    """
    first = int(round_name[:4]) - 1
    return f"{first}-{(first + 1) % 100:02d}"


def standing(
    profile: pl.DataFrame, ranking: pl.DataFrame, kpi_values: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per unit in the order of the ranks, those not ranked last.

    Columns: those of ``ranking``; of ``profile`` names, region, cluster, kind, ownership,
    ``students``; ``cohort``, the graduates measured; ``reason_status`` and ``reason_n``, the status
    and denominator of the KPI that ``not_ranked_reason`` names. ``suppressed`` names the hidden
    ones of ``score``, ``students``, ``cohort`` and ``reason_n``.
    """
    told = "name_kk name_ru name_en region cluster kind ownership students".split()
    columns = ("numerator", "denominator", "status")
    values = kpi_values.select("college_id", "kpi", *columns, HIDDEN)
    cohort = values.filter(pl.col("kpi") == COHORT)
    ranking = with_interval_columns(ranking)
    rows = (
        ranking.join(
            profile.select("college_id", *told, _is_hidden("students")), on="college_id", how="left"
        )
        .join(
            cohort.select(
                "college_id",
                pl.col("denominator").cast(pl.Int64).alias("cohort"),
                _is_hidden("denominator").alias("hidden_cohort"),
            ),
            on="college_id",
            how="left",
        )
        .join(
            values.select(
                "college_id",
                pl.col("kpi").alias("not_ranked_reason"),
                pl.col("status").alias("reason_status"),
                pl.col("denominator").cast(pl.Int64).alias("reason_n"),
                _is_hidden("denominator").alias("hidden_reason_n"),
            ),
            on=["college_id", "not_ranked_reason"],
            how="left",
        )
        .with_columns(_is_hidden("score"))
    )
    hideable = ("score", "students", "cohort", "reason_n")
    named = [pl.when(pl.col(f"hidden_{name}")).then(pl.lit(name)) for name in hideable]
    hidden = pl.concat_str(named, separator=" ", ignore_nulls=True).replace("", None)
    return (
        rows.with_columns(hidden.alias(HIDDEN))
        .drop(*(f"hidden_{name}" for name in hideable))
        .sort("rank", "college_id", nulls_last=True)
    )


def _is_hidden(column: str) -> pl.Expr:
    """Whether a column is among the names of a row's hidden cells."""
    names = pl.col(HIDDEN).fill_null("").str.split(" ")
    return names.list.contains(pl.lit(column)).alias(f"hidden_{column}")


def with_change(rows: pl.DataFrame, earlier: pl.DataFrame | None) -> pl.DataFrame:
    """Add ``earlier_rank`` and ``change``: by how many places a unit stands higher than in the
    table ``ranking`` of an earlier round; empty where it had or has no rank.
    """
    if earlier is None:
        nothing = pl.lit(None, pl.Int64)
        return rows.with_columns(nothing.alias("earlier_rank"), nothing.alias("change"))
    ranks = earlier.select("college_id", pl.col("rank").alias("earlier_rank"))
    joined = rows.join(ranks, on="college_id", how="left", maintain_order="left")
    return joined.with_columns(change=pl.col("earlier_rank") - pl.col("rank"))


def chosen(rows: pl.DataFrame, search: str = "", **wanted: str | None) -> pl.DataFrame:
    """Return the rows that have each value wanted (of FILTERS; None: any) and whose name in any
    language, or whose id, contains the text searched for.
    """
    for name, value in wanted.items():
        if value is not None:
            rows = rows.filter(pl.col(name).cast(pl.String) == value)
    needle = " ".join(search.lower().split())
    if needle:
        texts = pl.col("name_kk", "name_ru", "name_en", "college_id")
        has = texts.str.to_lowercase().str.contains(needle, literal=True).fill_null(False)
        rows = rows.filter(pl.any_horizontal(has))
    return rows


def parts_of_score(kpi_scores: pl.DataFrame, framework: pl.DataFrame) -> pl.DataFrame:
    """Return the contributions of what stands right under the index, a column each by its code.

    They sum to the score. Without columns beside ``college_id`` where the viewer sees none, or the
    index is a geometric mean, which has no such parts.
    """
    roots = framework.filter(pl.col("parent").is_null())["code"].to_list()
    below = framework.filter(pl.col("parent").is_in(roots))["code"].to_list()
    rows = kpi_scores.filter(pl.col("code").is_in(below) & pl.col("contribution").is_not_null())
    there = [code for code in below if code in set(rows["code"])]
    wide = rows.pivot("code", on_columns=there, index="college_id", values="contribution")
    return wide.select("college_id", *there)


def in_specialty(
    specialty_ranking: pl.DataFrame, profile: pl.DataFrame, specialty: str | None
) -> pl.DataFrame:
    """Return the ranking of a specialty, or of all specialties of all colleges, in order, with the
    names and region of the colleges. ``rank`` and ``of`` are those among what is shown.
    """
    rank, of = ("overall_rank", "overall_ranked_of") if specialty is None else ("rank", "ranked_of")
    rows = specialty_ranking
    if specialty is not None:
        rows = rows.filter(pl.col("specialty") == specialty)
    names = profile.select("college_id", "name_kk", "name_ru", "name_en", "region")
    return (
        rows.select("college_id", "specialty", "points", rank=pl.col(rank), of=pl.col(of))
        .join(names, on="college_id", how="left")
        .sort("rank", "specialty", "college_id")
    )


def leaders_of_scope(leaders: pl.DataFrame, profile: pl.DataFrame, scope: str) -> pl.DataFrame:
    """Return the leaders of a scope (``kpi.leaders.SCOPES``) in order, with their names."""
    names = profile.select("college_id", "name_kk", "name_ru", "name_en")
    rows = leaders.filter(pl.col("scope") == scope)
    return rows.join(names, on="college_id", how="left", maintain_order="left").sort(
        "region", "cluster", "rank", "college_id"
    )


def as_file(rows: pl.DataFrame, marks: dict[str, str]) -> pl.DataFrame:
    """Return what is shown of the colleges as the rows of a file: codes and plain numbers, each row
    with the marks that go with every figure.
    """
    columns = (
        "college_id name_kk name_ru name_en region cluster kind ownership rank ranked_of score"
        " rank_low rank_high league league_chance level leader earlier_rank change students cohort"
        " not_ranked_reason"
    ).split()
    before = [pl.lit(text).alias(name) for name, text in marks.items()]
    return rows.select(*before, *columns, HIDDEN)
