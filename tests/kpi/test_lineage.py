"""What makes each table of the worked example."""

from kpi.lineage import CODE, INPUT, REFERENCE_TABLE, SQL, origins, readers, split_comment
from kpi.rounds import Round


def test_the_comment_of_a_select_is_told_apart_from_its_text() -> None:
    comment, text = split_comment("-- One row.\n-- More of it.\nSELECT 1 -- not this\n")
    assert comment == "One row. More of it."
    assert text == "SELECT 1 -- not this"
    assert split_comment("SELECT 1") == ("", "SELECT 1")
    assert split_comment("-- nothing else") == ("nothing else", "")


def test_every_table_of_a_round_has_an_origin(example_round: Round) -> None:
    found = origins(example_round)
    kept = {path.stem for path in (example_round.path / "tables").glob("*.parquet")}
    assert kept <= found.keys()
    assert {name for name, one in found.items() if one.is_kept} == kept
    for one in found.values():
        assert set(one.reads) <= found.keys(), "a table leads to every table that it reads"


def test_a_table_made_by_sql_names_what_it_reads(example_round: Round) -> None:
    found = origins(example_round)
    gates = found["gates"]
    assert (gates.kind, gates.file) == (SQL, "sql/3_profile/gates.sql")
    assert gates.reads == (
        *("kpi_values", "param_gate", "param_kpi", "param_pool", "pooled_counts"),
        "unit_profile",
    )
    assert gates.comment.startswith("One row per unit and gate")
    assert "unit_shares" in readers(found, "gates")


def test_what_no_sql_makes_names_its_module_or_file(example_round: Round) -> None:
    found = origins(example_round)
    assert (found["ranking"].kind, found["ranking"].file) == (CODE, "kpi/ranking.py")
    assert found["funding_lines"].file == "funding/settlement.py"
    assert found["raw_students"].kind == INPUT
    assert found["specialties"].kind == REFERENCE_TABLE


def test_rows_of_people_are_not_kept(example_round: Round) -> None:
    found = origins(example_round)
    assert not [name for name in ("students", "graduates", "cohort") if found[name].is_kept]
