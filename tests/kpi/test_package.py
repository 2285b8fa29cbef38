"""The open data package: valid, whole, the same each time, and no small cell can be got from it."""

import csv
import hashlib
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attack import DEFINITIONS, GROUPS, SCALES, Package, knowledge, money, of, plus
from frictionless import Package as Checked
from inputs import (
    college,
    graduates,
    reaches_the_gates,
    run,
    students,
    together,
    write_folder,
    write_rule,
)

from kpi.errors import CallError
from kpi.language import LANGUAGES, catalogue_of
from kpi.package import HIDDEN, export_package
from kpi.resources import data_folder
from kpi.rounds import Round
from kpi.sample import write_sample
from kpi.suppression import WIDTH

NARROW = WIDTH - 1e-6
PEOPLE = {"students", "numerator", "denominator", "short_by"}


@pytest.fixture(scope="session")
def sample_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """Some 60 colleges with 4,000 students in all: most have small cells."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder / "input", colleges=60, students=4_000)
    return run(folder / "input", folder / "rounds", methodology="kpi")


@pytest.fixture(scope="session")
def norms_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The same size under a rule whose norms differ by cost group and place."""
    folder = tmp_path_factory.mktemp("norms")
    write_sample(folder / "input", colleges=40, students=3_000, seed=5)
    rule = write_rule(
        folder / "rule.toml",
        cost_groups={"theory": "1", "workshop": "1.2", "heavy": "1.5"},
        localities={"urban": "1", "rural": "1.1"},
    )
    return run(folder / "input", folder / "rounds", methodology="kpi", rule=rule)


@pytest.fixture(scope="session")
def assessed_round(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """23 real colleges with points of an assessment and no money."""
    return run(
        data_folder() / "astana-2024-25",
        tmp_path_factory.mktemp("assessed"),
        methodology="assessment",
        round_id="2024-25",
    )


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Round], Path]:
    """Give the folder of a round's package, written once."""
    done: dict[Path, Path] = {}

    def pack(of_round: Round) -> Path:
        if of_round.path not in done:
            paths = export_package(of_round, tmp_path_factory.mktemp("package"))
            done[of_round.path] = paths[0].parent
        return done[of_round.path]

    return pack


@pytest.fixture(params=["example_round", "sample_round", "norms_round", "assessed_round"])
def any_round(request: pytest.FixtureRequest) -> Round:
    found: Round = request.getfixturevalue(request.param)
    return found


Pack = Callable[[Round], Path]


def descriptor(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return told


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------------------ valid, described


def test_frictionless_finds_nothing_wrong_and_asks_nobody(
    any_round: Round, packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    report = Checked(str(packed(any_round) / "datapackage.json")).validate()
    assert report.valid, report.flatten(["title", "rowNumber", "fieldName", "message"])[:5]
    assert len(report.tasks) == len(descriptor(packed(any_round))["resources"])


def test_the_tool_itself_accepts_the_example(example_round: Round, packed: Pack) -> None:
    tool = Path(sys.executable).parent / "frictionless"
    asked = [str(tool), "validate", str(packed(example_round) / "datapackage.json")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_number_that_is_no_number_would_be_found(
    example_round: Round, packed: Pack, tmp_path: Path
) -> None:
    folder = shutil.copytree(packed(example_round), tmp_path / "spoilt")
    path = folder / "kpis.csv"
    path.write_text(path.read_text().replace(",10,", ",ten,", 1))
    assert not Checked(str(folder / "datapackage.json")).validate().valid


def test_the_descriptor_says_what_the_package_is(example_round: Round, packed: Pack) -> None:
    told = descriptor(packed(example_round))
    assert told["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert told["id"] == f"sha256:{example_round.receipt_hash}"
    assert told["version"] == example_round.version
    assert told["is_draft"] is True
    assert told["rules_status"] == "illustrative"
    assert "draft" in told["descriptions"]["en"]
    assert "illustrative" in told["descriptions"]["en"]
    assert told["licenses"][0]["name"] == "CC-BY-4.0"
    sources = {source.get("name"): source for source in told["sources"]}
    assert sources["example"]["version"] == "2024-09-01"
    assert sources["threshold"]["version"] == "2025-09-01"
    assert {"colleges", "students", "graduates"} <= set(sources)
    assert "path" not in told["contributors"][0]


def test_a_published_round_is_no_draft(example_round: Round, packed: Pack, tmp_path: Path) -> None:
    folder = shutil.copytree(example_round.path, tmp_path / "2025-26" / "v1")
    told = descriptor(export_package(Round(folder), tmp_path)[0].parent)
    assert told["version"] == "v1"
    assert told["is_draft"] is False
    assert "draft" not in told["descriptions"]["en"]


def test_every_title_is_there_in_three_languages(any_round: Round, packed: Pack) -> None:
    told = descriptor(packed(any_round))
    assert told["languages"] == list(LANGUAGES)
    titled = [told, *told["sources"], *told["contributors"], *told["resources"]]
    for resource in told["resources"]:
        titled += resource["schema"]["fields"]
    for entry in titled:
        assert set(entry["titles"]) == set(LANGUAGES)
        assert entry["title"] == entry["titles"]["kk"], "Kazakh first"
        assert not [text for text in entry["titles"].values() if text.startswith("[no ")]
    for language in ("kk", "ru"):
        assert not told["descriptions"][language].startswith("[no ")


def test_no_translation_stands_twice_or_repeats_the_english() -> None:
    for language in ("kk", "ru"):
        catalogue = catalogue_of(language)
        texts = [m for m in catalogue if m.id and isinstance(m.id, str)]
        assert not [m.id for m in texts if m.string in ("", m.id)]


def test_files_are_described_by_their_size_and_hash(any_round: Round, packed: Pack) -> None:
    folder = packed(any_round)
    for resource in descriptor(folder)["resources"]:
        for file in (resource, *resource["alternates"]):
            content = (folder / file["path"]).read_bytes()
            assert file["bytes"] == len(content)
            assert file["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()


def test_keys_and_references_are_those_of_the_data(any_round: Round, packed: Pack) -> None:
    folder = packed(any_round)
    tables = {path.stem: rows(path) for path in folder.glob("*.csv")}
    for resource in descriptor(folder)["resources"]:
        schema, table = resource["schema"], tables[resource["name"]]
        keys = [tuple(row[name] for name in schema["primaryKey"]) for row in table]
        assert len(set(keys)) == len(keys), resource["name"]
        for key in schema.get("foreignKeys", []):
            [column], [there] = key["fields"], key["reference"]["fields"]
            known = {row[there] for row in tables[key["reference"]["resource"]]}
            assert {row[column] for row in table} <= known, (resource["name"], column)
    assert {"colleges", "kpis", "kpi_values", "ranking", "regions"} <= set(tables)


def test_parquet_holds_the_same_as_csv(any_round: Round, packed: Pack) -> None:
    folder = packed(any_round)
    for path in folder.glob("*.csv"):
        for shown, stored in zip(
            rows(path),
            pl.read_parquet(path.with_suffix(".parquet")).iter_rows(named=True),
            strict=True,
        ):
            assert list(shown) == list(stored)
            hidden = (stored.get(HIDDEN) or "").split()
            for column, value in stored.items():
                if column in hidden:
                    assert (shown[column], value) == (HIDDEN, None)
                elif value is None:
                    assert shown[column] == ""
                elif isinstance(value, str | bool):
                    assert shown[column].lower() == str(value).lower()
                elif column != "month":
                    assert float(shown[column]) == float(value)


def test_the_descriptor_counts_the_hidden_cells(sample_round: Round, packed: Pack) -> None:
    folder = packed(sample_round)
    told = descriptor(folder)["suppression"]["cells"]
    assert told["kpi_values"]["hidden"] > 0
    for name, cells in told.items():
        words = [cell for row in rows(folder / f"{name}.csv") for cell in row.values()]
        assert words.count(HIDDEN) == cells["hidden"], name
        assert 0 <= cells["hidden"] <= cells["of"]


def test_the_same_round_gives_the_same_bytes(example_round: Round, tmp_path: Path) -> None:
    first = export_package(example_round, tmp_path / "first")
    second = export_package(example_round, tmp_path / "second")
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_round_without_money_has_a_package_without_it(
    assessed_round: Round, packed: Pack
) -> None:
    names = {resource["name"] for resource in descriptor(packed(assessed_round))["resources"]}
    assert "ranking" in names
    assert not [name for name in names if name.startswith("funding")]
    scores = [row["score"] for row in rows(packed(assessed_round) / "ranking.csv")]
    assert HIDDEN not in scores, "points are no people"


def test_text_that_a_spreadsheet_would_run_has_an_apostrophe_in_csv_only(tmp_path: Path) -> None:
    tables = reaches_the_gates(students("EX-0", 25))
    folder = write_folder(
        tmp_path / "input", **{**tables, "colleges": [college("EX-0", name_ru="=1+1")]}
    )
    to = export_package(run(folder, tmp_path / "rounds"), tmp_path)[0].parent
    assert rows(to / "colleges.csv")[0]["name_ru"] == "'=1+1"
    assert pl.read_parquet(to / "colleges.parquet")["name_ru"].to_list() == ["=1+1"]


def test_a_folder_that_cannot_be_made_is_a_wrong_call(example_round: Round, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CallError):
        export_package(example_round, tmp_path / "file")


# ------------------------------------------------------------------------------------- small cells


def test_no_cell_of_one_to_four_people_stands_anywhere(any_round: Round, packed: Pack) -> None:
    flags = {"institution_accredited", "international_accredited", "employers_per_100"}
    kinds = {kpi.code: kpi.kind for kpi in any_round.methodology.kpis}
    flags |= {code for code, kind in kinds.items() if kind == "points"}
    for path in packed(any_round).glob("*.csv"):
        for row in rows(path):
            if {row.get("kpi"), row.get("gate")} & flags:
                continue
            for column in PEOPLE & set(row):
                if column == "short_by" or (column, row.get("kpi")) == ("numerator", "median_wage"):
                    continue  # people still to be found; tenge
                cell = row[column]
                assert cell in ("", HIDDEN) or not 0 < float(cell) < 5, (path.name, row)


def truth(of_round: Round) -> dict[str, dict[str, float]]:
    """The true numbers of people by college, under the outsider's letters."""
    found: dict[str, dict[str, float]] = {}
    stored = of_round.table("kpi_values").select("college_id", "kpi", "numerator", "denominator")
    parts = {(college_id, kpi): pair for college_id, kpi, *pair in stored.iter_rows()}
    for college_id in stored["college_id"].unique():
        known: dict[str, float] = {}
        for kpi, pair in DEFINITIONS.items():
            for terms, value in zip(pair, parts[college_id, kpi], strict=True):
                unknown = [name for name in terms if name not in known]
                if len(unknown) == 1:
                    [name] = unknown
                    rest = sum(f * known[other] for other, f in terms.items() if other != name)
                    known[name] = (float(value) - rest) / terms[name]
        known["N"] = float(parts[college_id, "certified_share"][1])
        known["X"] = known["N"] - float(parts[college_id, "employment_rate"][1])
        known["DX"] = known["N"] - float(parts[college_id, "employment_declared_rate"][1])
        found[college_id] = known
    return found


def small_cells(of_round: Round) -> list[tuple[dict[Any, float], float]]:
    """Every number of 1 to 4 people: of colleges, of regions and of the nation."""
    people = truth(of_round)
    regions: dict[str, list[str]] = {}
    for college_id, region in of_round.table("unit_profile").select("college_id", "region").rows():
        for place in (college_id, region, "KZ"):
            regions.setdefault(place, []).append(college_id)
    found = []
    for group in GROUPS:
        if "P" in group or "M" in group:
            continue  # employers are no people; wages are summed over no region
        for inside in regions.values():
            number = sum(f * people[c][name] for name, f in group.items() for c in inside)
            if 0 < number < 5:
                found.append((plus(*(of(c, group) for c in inside)), number))
    return found


@pytest.mark.parametrize("name", ["example_round", "sample_round"])
def test_all_that_is_published_leaves_every_small_cell_a_range_of_five(
    name: str, packed: Pack, request: pytest.FixtureRequest
) -> None:
    of_round: Round = request.getfixturevalue(name)
    people = truth(of_round)

    def is_linear(college_id: str, kpi: str) -> bool:
        (top,), bottom = DEFINITIONS[kpi][0], DEFINITIONS[kpi][1]
        whole = sum(f * people[college_id][count] for count, f in bottom.items())
        _, floor, target = SCALES[kpi]
        return whole > 0 and floor <= people[college_id][top] / whole <= target

    outsider = knowledge(Package(packed(of_round)), is_linear)
    cells = small_cells(of_round)
    assert len(cells) > 30
    for terms, number in cells:
        low, high = outsider.range(terms)
        assert low - 1e-3 <= number <= high + 1e-3, "the outsider's world is not the true one"
        assert high - low >= NARROW, (terms, number, low, high)


@pytest.mark.parametrize("name", ["example_round", "sample_round", "norms_round"])
def test_tenge_leave_every_small_line_a_range_of_five_students(
    name: str, packed: Pack, request: pytest.FixtureRequest
) -> None:
    of_round: Round = request.getfixturevalue(name)
    outsider = money(Package(packed(of_round)))
    small = of_round.table("funding_lines").filter(pl.col("students").is_between(1, 4))
    assert small.height > 0
    for row in small.iter_rows(named=True):
        low, high = outsider.range({(row["college_id"], row["specialty"]): 1})
        assert high - low >= NARROW, (row, low, high)


def test_most_of_the_money_stays(sample_round: Round, packed: Pack) -> None:
    totals = rows(packed(sample_round) / "funding.csv")
    shown = [row for row in totals if row["amount"] != HIDDEN]
    assert len(shown) > 0.9 * len(totals)


def test_a_region_with_one_small_college_does_not_give_it_back(tmp_path: Path) -> None:
    tables = together(
        *(
            {
                **reaches_the_gates(students(name, 40)),
                "colleges": [college(name, region=region)],
                "graduates": graduates(name, employed, others),
            }
            for name, region, employed, others in (
                ("EX-1", "KZ-35", 20, 2),
                ("EX-2", "KZ-35", 30, 10),
                ("EX-3", "KZ-35", 40, 20),
            )
        )
    )
    done = run(write_folder(tmp_path / "input", **tables), tmp_path / "rounds", methodology="kpi")
    folder = export_package(done, tmp_path)[0].parent
    values = {(r["college_id"], r["kpi"]): r for r in rows(folder / "kpi_values.csv")}
    assert values["EX-1", "employment_rate"]["value"] == HIDDEN
    assert values["EX-1", "employment_rate"]["low"] == HIDDEN, "an interval gives its middle away"
    outsider = knowledge(Package(folder), lambda *_: True)
    low, high = outsider.range(of("EX-1", {"N": 1, "X": -1, "E": -1}))
    assert high - low >= NARROW
    scores = {row["college_id"]: row for row in rows(folder / "ranking.csv")}
    assert scores["EX-1"]["score"] == HIDDEN
    assert scores["EX-1"]["rank"] not in ("", HIDDEN)


def test_a_gate_of_a_hidden_kpi_tells_neither_result_nor_distance(
    example_round: Round, packed: Pack
) -> None:
    hidden = [
        row
        for row in rows(packed(example_round) / "gates.csv")
        if HIDDEN in (row["numerator"], row["denominator"])
    ]
    assert hidden
    for row in hidden:
        assert {row["passed"], row["decided_by"], row["short_by"]} == {HIDDEN}


def test_students_of_a_college_do_not_give_the_unpaid_ones_away(
    any_round: Round, packed: Pack
) -> None:
    paid = {row["college_id"]: row["students"] for row in rows_if(packed(any_round), "funding")}
    for row in rows(packed(any_round) / "colleges.csv"):
        if row["students"] != HIDDEN and row["college_id"] in paid:
            assert paid[row["college_id"]] != HIDDEN
            assert not 0 < float(row["students"]) - float(paid[row["college_id"]]) < 5


def rows_if(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / f"{name}.csv"
    return rows(path) if path.exists() else []


def test_a_kpi_that_the_rule_does_not_know_is_not_shown(
    example_round: Round, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kpi import package

    known = {code: terms for code, terms in package.RATIOS.items() if code != "dropout_rate"}
    monkeypatch.setattr(package, "RATIOS", known)
    folder = export_package(example_round, tmp_path)[0].parent
    for name in ("kpi_values", "region_kpis"):
        shown = [row for row in rows(folder / f"{name}.csv") if row["kpi"] == "dropout_rate"]
        assert {row["value"] for row in shown} == {HIDDEN}
        assert {row["numerator"] for row in shown} == {HIDDEN}


def test_a_share_that_rises_with_a_rate_is_hidden_with_every_incentive(
    example_folder: Path, tmp_path: Path
) -> None:
    rule = write_rule(tmp_path / "rule.toml", phase_in={"dual_share": ("0", "0.6")})
    folder = export_package(run(example_folder, tmp_path / "rounds", rule=rule), tmp_path)[0].parent
    phased = [row for row in rows(folder / "funding.csv") if row["share"] == HIDDEN]
    assert phased
    for row in phased:
        assert {row["incentive_amount"], row["amount"]} == {HIDDEN}
        assert row["base_amount"] != HIDDEN
    assert {row["amount"] for row in rows(folder / "funding_regions.csv")} == {HIDDEN}
