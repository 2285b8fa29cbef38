"""What a receipt and a journal say, as rows."""

from decimal import Decimal
from pathlib import Path

import polars as pl

from funding.explain import STEP_TABLES, explain_college
from funding.trust import (
    amount_of,
    as_text,
    checks_with_findings,
    command,
    contents,
    is_hash,
    journal_lines,
    rule_files,
    source_files,
    waivers,
)
from kpi.journal import read_journal
from kpi.rounds import Round, open_round


def test_everything_that_a_receipt_counts_is_a_row(example_round: Round) -> None:
    rows = contents(example_round.receipt)
    assert rows.filter(part="inputs", table="students")["rows"].to_list() == [294]
    assert rows.filter(part="findings")["rows"].to_list() == [3]
    assert rows.height == sum(
        len(example_round.receipt[part]) for part in ("inputs", "reference", "tables")
    ) + 1  # fmt: skip
    assert checks_with_findings(example_round.receipt) == (len(example_round.receipt["checks"]), 2)


def test_rules_and_files_are_named_with_their_hashes(example_round: Round) -> None:
    rows = rule_files(example_round.receipt)
    assert rows.select("what", "version").rows()[:3] == [
        ("methodology", "example 2024-09-01"),
        ("rule", "threshold 2025-09-01"),
        ("earlier_rule", "threshold 2024-09-01"),
    ]
    assert all(is_hash(digest) for digest in rows["sha256"])
    assert source_files(example_round.sources)["rows"].sum() == 587


def test_waivers_come_with_name_and_reason() -> None:
    held = {"check": "not_a_date", "by": "A", "reason": "letter 5", "findings": 2}
    assert waivers({"waivers": [held]}).rows() == [
        ("not_a_date", None, None, None, "A", None, "letter 5", 2, None, None)
    ], "as it was before version 0.5"
    now = held | {"approved_by": "B", "least": 0, "most": 912_000}
    assert waivers({"waivers": [now]}).rows()[0][5:] == ("B", "letter 5", 2, 0, 912_000)
    assert waivers({"waivers": []}).is_empty()


def test_the_newest_line_of_the_journal_comes_first(published_store: Path) -> None:
    lines = journal_lines(read_journal(published_store))
    assert lines["number"].to_list() == [2, 1]
    assert lines["action"].to_list() == ["attach", "publish"]
    assert lines["approved_by"].to_list() == [None, "Б. Выдуманов"]


def test_the_command_quotes_only_what_is_a_hash(published_store: Path) -> None:
    of_round = open_round(published_store, "2025-26", "v1")
    assert command(of_round, None) == "kpi verify 2025-26/v1 --store rounds"
    assert command(of_round, "; rm -rf /") == "kpi verify 2025-26/v1 --store rounds"
    assert command(of_round, "a" * 64).endswith(f" --expect {'a' * 64}")


def test_a_hash_has_64_hex_digits() -> None:
    assert is_hash("0123456789abcdefABCDEF".ljust(64, "0"))
    assert not any(is_hash(text) for text in ("", "a" * 63, "a" * 65, "g" * 64, "٣" * 64))


def test_stored_rows_are_told_exactly() -> None:
    rows = as_text([{"a": Decimal("1.50"), "b": None}, {"a": Decimal("2.00"), "c": True}])
    assert rows.rows() == [("1.50", None, None), ("2.00", None, "True")]
    assert as_text([]).is_empty()


def test_an_amount_is_found_or_there_is_none() -> None:
    funding = pl.DataFrame({"college_id": ["A"], "amount": [27_360_000]})
    assert amount_of(funding, "A") == 27_360_000
    assert amount_of(funding, "B") is None


def test_every_step_of_an_explanation_names_the_table_of_its_rows(example_round: Round) -> None:
    for step in explain_college(example_round, "EX-03"):
        table = example_round.table(STEP_TABLES[step.id])
        for row in step.rows:
            assert row.keys() <= set(table.columns), step.id
