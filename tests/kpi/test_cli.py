"""The command line: exit codes, error texts, planted defects, the real assessment of Astana."""

import csv
import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from inputs import KEY, college, reaches_the_gates, students, together, write_folder, write_rule

from kpi import cli
from kpi.pseudonyms import KEY_VARIABLE
from kpi.resources import data_folder
from kpi.rounds import Round, open_round
from kpi.sample import write_sample

ASTANA = data_folder() / "astana-2024-25"
COMMANDS = tuple("sample check run rank explain profile export publish attach verify".split())


@dataclass
class Said:
    """What a call of the command answered."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams, in one line, so that a wrapped line is found."""
        return " ".join((self.out + self.err).split())


Kpi = Callable[..., Said]


@pytest.fixture
def kpi(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Kpi:
    """Calls the command as the shell does, in an empty folder; never is a traceback its answer."""
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    monkeypatch.delenv("KPI_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["kpi", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        assert "the product failed" not in err, err
        return Said(int(caught.value.code or 0), out, err)

    return call


@pytest.fixture(scope="session")
def store(example_round: Round) -> Path:
    """The store with the round of the twelve worked colleges."""
    return example_round.path.parent.parent


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One college that reaches the gates."""
    tables = reaches_the_gates(students("EX-01", 30))
    return write_folder(tmp_path_factory.mktemp("small"), **tables)


# exit codes: 0 done


def test_each_command_ends_with_0_when_it_has_done_what_was_asked(
    kpi: Kpi, tmp_path: Path, small_folder: Path
) -> None:
    assert kpi("sample", "made", "--colleges", 30, "--students", 2_000).code == 0
    assert (tmp_path / "made" / "students.csv").exists()
    said = kpi("check", small_folder, "--methodology", "example")
    assert said.code == 0, said
    assert (tmp_path / "findings.csv").exists()
    said = kpi("run", small_folder, "--round", "2025-26")
    assert said.code == 0, said
    assert "rounds/2025-26/draft-1" in said.text
    assert "Findings: errors 0, warnings 0" in said.text
    assert kpi("rank").code == 0
    assert kpi("explain", "EX-01").code == 0
    assert kpi("profile", "EX-01").code == 0
    assert kpi("export", "--to", "out").code == 0
    assert list((tmp_path / "out").glob("*.xlsx"))


def test_the_installed_command_runs_and_says_its_steps_line_by_line(
    small_folder: Path, tmp_path: Path
) -> None:
    command = Path(sys.executable).with_name("kpi")
    done = subprocess.run(
        [command, "check", small_folder, "--to", tmp_path / "found.csv"],
        env={"PATH": "", KEY_VARIABLE: KEY.decode()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "reading students.csv\n" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr, "no colours and bars in a file"


# exit codes: 1 the data is wrong


def test_check_ends_with_1_when_a_row_is_wrong_and_writes_the_findings(
    kpi: Kpi, tmp_path: Path
) -> None:
    tables = reaches_the_gates(students("EX-01", 30))
    tables["students"][3]["course"] = "3.7"
    said = kpi("check", write_folder(tmp_path / "in", **tables), "--to", "deep/er/found.csv")
    assert said.code == 1
    assert "students.csv, record 5, college EX-01: course is 3.7" in said.text
    found = pl.read_csv(tmp_path / "deep" / "er" / "found.csv", infer_schema=False)
    assert found.filter(pl.col("check_name") == "not_an_integer")["record"].to_list() == ["5"]


def test_run_ends_with_1_when_a_row_is_wrong_and_keeps_the_draft(kpi: Kpi, tmp_path: Path) -> None:
    tables = reaches_the_gates(students("EX-01", 30))
    tables["students"][3]["course"] = "3.7"
    said = kpi("run", write_folder(tmp_path / "in", **tables), "--round", "2025-26")
    assert said.code == 1
    assert open_round(tmp_path / "rounds").findings().height


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_cannot_be_read_ends_with_1(kpi: Kpi, tmp_path: Path, command: str) -> None:
    folder = write_folder(tmp_path / "in", **reaches_the_gates(students("EX-01", 30)))
    (folder / "students.csv").write_bytes("student_id;Курс".encode("cp1251"))
    said = kpi(command, folder, "--round", "2025-26")
    assert said.code == 1
    assert "students.csv, record 1" in said.text
    assert not (tmp_path / "rounds" / "2025-26" / "draft-1").exists()


@pytest.mark.parametrize(
    ("table", "why"),
    [("colleges", "every round"), ("graduates", "KPI employment_rate"), ("students", "KPI dual")],
)
def test_a_missing_table_is_named_with_what_needs_it(
    kpi: Kpi, tmp_path: Path, table: str, why: str
) -> None:
    folder = write_folder(tmp_path / "in", **reaches_the_gates(students("EX-01", 30)))
    (folder / f"{table}.csv").unlink()
    said = kpi("run", folder, "--round", "2025-26")
    assert said.code == 1
    assert f"{table}.csv, needed by" in said.text
    if table != "students":
        assert why in said.text


def test_a_file_of_no_table_is_named_wherever_its_table_is_missed(kpi: Kpi, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", **reaches_the_gates(students("EX-01", 30)))
    (folder / "students.csv").rename(folder / "studnets.csv")
    text = (folder / "studnets.csv").read_text(encoding="utf-8")
    (folder / "studnets.csv").write_text(text.replace("course", "year", 1), encoding="utf-8")
    said = kpi("run", folder, "--round", "2025-26")
    assert said.code == 1
    assert "studnets.csv" in said.text


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_was_left_out_of_the_input_is_said(kpi: Kpi, tmp_path: Path, command: str) -> None:
    folder = write_folder(tmp_path / "in", **reaches_the_gates(students("EX-01", 30)))
    path = folder / "students.csv"
    pl.read_csv(path, infer_schema=False).with_columns(hobby=pl.lit("x")).write_csv(path)
    (folder / "defects.csv").write_bytes(b"x\n")
    said = kpi(command, folder, "--round", "2025-26", "--methodology", "example")
    assert said.code == 0
    assert "students.csv: columns that its table does not have were left out: hobby" in said.text
    assert "defects.csv" in said.text


# exit codes: 2 the call is wrong


def broken(path: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the shipped methodology with changes, each of which must be found in it."""
    text = (data_folder() / "methodology" / "kpi" / "2024-09-01.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


def test_an_input_folder_that_does_not_exist_is_named(kpi: Kpi) -> None:
    for words in (("check", "no/where"), ("run", "no/where", "--round", "2025-26")):
        said = kpi(*words)
        assert said.code == 2
        assert "no/where" in said.text
        assert "kpi sample" in said.text


def test_an_unknown_methodology_or_rule_lists_those_there_are(kpi: Kpi, small_folder: Path) -> None:
    said = kpi("run", small_folder, "--round", "2025-26", "--methodology", "kpl")
    assert said.code == 2
    assert "kpl" in said.text
    assert "assessment, assessment-template, example, kpi" in said.text
    said = kpi("run", small_folder, "--round", "2025-26", "--rule", "treshold")
    assert said.code == 2
    assert "There is no rule of this name." in said.text
    assert "leagues, threshold" in said.text


def test_a_rule_that_is_not_in_force_yet_is_named_with_its_start(
    kpi: Kpi, small_folder: Path
) -> None:
    said = kpi(
        *("run", small_folder, "--round", "2025-26"),
        *("--rule", "leagues", "--count-on", "2025-08-31"),
    )
    assert said.code == 2
    assert "leagues is in force on 2025-08-31" in said.text
    assert "2025-09-01" in said.text
    assert kpi("run", small_folder, "--round", "2023-24").code == 2


@pytest.mark.parametrize("name", ["2025", "2025-27", "25-26", "2025-2026", "", "x", "../up", "v1"])
def test_a_round_of_a_wrong_name_is_refused(kpi: Kpi, small_folder: Path, name: str) -> None:
    said = kpi("run", small_folder, "--round", name)
    assert said.code == 2
    assert "2025-26" in said.text


@pytest.mark.parametrize("name", ["0000-01", "２０２５-26"])
def test_a_round_of_a_year_that_is_none_is_refused(kpi: Kpi, small_folder: Path, name: str) -> None:
    assert kpi("run", small_folder, "--round", name).code == 2


def test_a_methodology_whose_weights_do_not_sum_is_named_with_the_sum(
    kpi: Kpi, tmp_path: Path, small_folder: Path
) -> None:
    path = broken(tmp_path / "mine.toml", ("weight = 0.35", "weight = 0.36"))
    said = kpi("run", small_folder, "--round", "2025-26", "--methodology", path)
    assert said.code == 2
    assert str(path) in said.text
    assert "sum to 0.51; expected 0.50" in said.text


def test_a_rule_without_a_reference_is_named_with_the_place(
    kpi: Kpi, tmp_path: Path, small_folder: Path
) -> None:
    path = write_rule(tmp_path / "mine.toml")
    text = path.read_text(encoding="utf-8")
    value = 'base = { value = 437000, reference = "a test", '
    assert value in text
    path.write_text(text.replace(value, "base = { value = 437000, "), encoding="utf-8")
    said = kpi("run", small_folder, "--round", "2025-26", "--rule", path)
    assert said.code == 2
    assert str(path) in said.text
    assert "base.reference" in said.text


def test_a_faulty_dated_file_of_any_kind_is_a_wrong_call(
    kpi: Kpi, tmp_path: Path, small_folder: Path
) -> None:
    files = {
        "none": tmp_path / "none.toml",
        "folder": tmp_path,
        "unknown key": broken(tmp_path / "a.toml", ('code = "dual_share"', 'code = "x"\ny = 1')),
        "no sql": broken(tmp_path / "b.toml", ('code = "median_wage"', 'code = "mean_wage"')),
        "no day": broken(tmp_path / "c.toml", ('count_on = "10-01"', 'count_on = "02-30"')),
    }
    (tmp_path / "d.toml").write_text("name = ", encoding="utf-8")
    (tmp_path / "e.toml").write_bytes("name = 'Ж'".encode("cp1251"))
    (tmp_path / "f.toml").write_text("", encoding="utf-8")
    files |= {name: tmp_path / f"{name}.toml" for name in "def"}
    for what, path in files.items():
        said = kpi("run", small_folder, "--round", "2025-26", "--methodology", path)
        assert said.code == 2, what
        assert "Error: " in said.err, what


NAMES = ("--by", "А", "--approved-by", "Б", "--reason", "№ 17")


def wrong_calls(folder: Path, store: Path, a_file: Path) -> list[tuple[object, ...]]:
    """Calls that are wrong, none of which computes anything."""
    of_store = ("--store", store)
    none = ("--store", folder / "none")
    return [
        ("no-such-command",),
        ("run", folder),
        ("run", folder, "--round", "2025-26", "--count-on", "2025-02-30"),
        ("run", folder, "--round", "2025-26", "--count-on", "today"),
        ("run", a_file / "below", "--round", "2025-26"),
        ("run", folder, "--round", "2025-26", "--store", a_file),
        ("run", folder, "--round", "2025-26", "--key-file", folder),
        ("run", folder, "--round", "2025-26", "--key-file", a_file),
        ("check", a_file / "below"),
        ("check", folder, "--to", folder, "--methodology", "example"),
        ("check", folder, "--round", "x"),
        ("sample", a_file),
        ("sample", a_file, "--colleges", 1),
        ("sample", a_file, "--seed", -1),
        ("rank", *none),
        ("rank", "--store", a_file),
        ("rank", *of_store, "--round", "2019-20"),
        ("rank", *of_store, "--region", "KZ-99"),
        ("rank", *of_store, "--cluster", "none"),
        ("rank", *of_store, "--league", 9),
        ("rank", *of_store, "--league", "first"),
        ("rank", *of_store, "--top", -1),
        ("rank", *of_store, "--specialties"),
        ("explain", *of_store),
        ("explain", "nobody", *of_store),
        ("explain", "", *of_store),
        ("explain", "(", *of_store),
        ("explain", "EX-01", *none),
        ("export", *of_store),
        ("export", *of_store, "--to", a_file),
        ("export", *of_store, "--to", a_file / "below"),
        ("export", *none, "--to", folder / "out"),
        ("publish", *of_store),
        ("publish", *of_store, *NAMES[:4]),
        ("publish", *none, *NAMES),
        ("publish", *of_store, *NAMES, "--round", "2019-20"),
        ("publish", *of_store, *NAMES, "--waivers", folder / "none.toml"),
        ("publish", *of_store, *NAMES, "--waivers", a_file),
        ("publish", "--store", a_file, *NAMES),
        ("attach", a_file, "--by", "А", *of_store),
        ("attach", a_file, "--by", "А", *none),
        ("attach", *of_store),
        ("verify", *none),
        ("verify", "2019-20", *of_store),
        ("verify", "2025-26/v1", *of_store),
        ("verify", *of_store, "--expect", "0" * 64),
    ]


def test_a_wrong_call_ends_with_2_and_a_sentence(
    kpi: Kpi, tmp_path: Path, small_folder: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_file = tmp_path / "file"
    a_file.write_text("too short", encoding="utf-8")
    for words in wrong_calls(small_folder, store, a_file):
        if "--key-file" in words:
            monkeypatch.delenv(KEY_VARIABLE, raising=False)
        said = kpi(*words)
        monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
        assert said.code == 2, (words, said)
        assert len(said.text) > 20, words
    assert not list(tmp_path.glob("rounds/*/draft-*"))


def test_a_draft_that_lacks_its_files_is_no_traceback(kpi: Kpi, tmp_path: Path) -> None:
    (tmp_path / "rounds" / "2025-26" / "draft-1" / "tables").mkdir(parents=True)
    for words in (["rank"], ["explain", "EX-01"], ["export", "--to", "out"]):
        assert kpi(*words).code == 2


@pytest.mark.parametrize(
    "error", [ValueError("x"), pl.exceptions.PanicException("x"), pl.exceptions.ComputeError("x")]
)
def test_a_fault_of_the_product_or_a_library_is_no_traceback(
    error: BaseException,
    small_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setenv(KEY_VARIABLE, KEY.decode())
    monkeypatch.setattr("funding.run.check_inputs", fail)
    monkeypatch.setattr(sys, "argv", ["kpi", "check", str(small_folder)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert "fault of the product" in capfd.readouterr().err


# the planted defects


def test_a_run_finds_each_planted_defect_and_nothing_else_wrong(kpi: Kpi, tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    write_sample(folder, colleges=40, students=4_000, defects=True)
    said = kpi("run", folder, "--round", "2025-26")
    assert said.code == 1
    with (folder / "defects.csv").open(encoding="utf-8", newline="") as file:
        planted = sorted(
            (row["table"], row["file"], int(row["record"]), row["column"], row["check"])
            for row in csv.DictReader(file)
        )
    findings = open_round(tmp_path / "rounds").findings()
    # of no row are the warnings that follow: what the rejected rows would have changed
    of_rows = findings.filter(pl.col("record").is_not_null())
    found = of_rows.select("table_name", "file", "record", "column_name", "check_name").rows()
    assert sorted(found) == planted
    rest = findings.filter(pl.col("record").is_null())
    assert set(rest["severity"]) <= {"warning"}
    errors = of_rows.filter(pl.col("severity") == "error").height
    assert f"errors {errors:,}," in said.text
    assert len({check for *_, check in planted}) == 34


def test_a_sample_without_defects_has_no_finding(kpi: Kpi, tmp_path: Path) -> None:
    write_sample(tmp_path / "sample", colleges=40, students=4_000, seed=2)
    said = kpi("check", tmp_path / "sample", "--round", "2025-26")
    assert said.code == 0
    assert "Findings: errors 0, warnings 0." in said.text


# the real assessment of Astana


@pytest.fixture(scope="session")
def astana(tmp_path_factory: pytest.TempPathFactory) -> tuple[Round, str]:
    """The round of the 23 colleges, and what the command said."""
    folder = tmp_path_factory.mktemp("astana")
    words = ["run", ASTANA, "--round", "2024-25", "--methodology", "assessment", "--store", folder]
    done = subprocess.run(
        [Path(sys.executable).with_name("kpi"), *words],
        env={KEY_VARIABLE: KEY.decode()},
        capture_output=True,
        text=True,
        check=True,
    )
    return open_round(folder), " ".join(done.stdout.split())


def published(specialties: bool) -> dict[tuple[str, str], Decimal]:
    """The published points by college and specialty (or block), summed from the file as it is."""
    with (ASTANA / "assessments.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if bool(row["specialty"]) is specialties]
    return {
        (row["college_id"], row["specialty"] or row["indicator"]): Decimal(row["points"])
        for row in rows
    }


def test_the_totals_and_the_order_of_astana_are_those_published(astana: tuple[Round, str]) -> None:
    totals: dict[str, Decimal] = {}
    for (college_id, _), points in published(specialties=False).items():
        totals[college_id] = totals.get(college_id, Decimal(0)) + points
    ranking = astana[0].table("ranking").sort("rank")
    assert dict(ranking["college_id", "score"].rows()) == totals
    order = sorted(totals, key=lambda college_id: totals[college_id], reverse=True)
    assert ranking["college_id"].to_list() == order
    assert ranking["rank"].to_list() == list(range(1, 24))
    assert order[0] == "AST-20"
    assert totals["AST-20"] == 97
    assert min(totals.values()) == Decimal("21.5")


def test_the_levels_of_astana_are_6_high_5_middle_12_low(astana: tuple[Round, str]) -> None:
    done, said = astana
    ranking = done.table("ranking")
    levels = dict(ranking["college_id", "level"].rows())
    for row in ranking.iter_rows(named=True):
        share = Decimal(row["score"]) / 97
        wanted = (
            "high" if share >= Decimal("0.7") else "middle" if share >= Decimal("0.4") else "low"
        )
        assert levels[row["college_id"]] == wanted
    counts = dict(ranking["level"].value_counts().rows())
    assert counts == {"high": 6, "middle": 5, "low": 12}
    assert "High level 70 % 6 Middle level 40 % 5 Low level 0 % 12" in said


def test_the_152_specialty_scores_of_astana_are_those_published(
    astana: tuple[Round, str], kpi: Kpi
) -> None:
    done, _ = astana
    rows = done.table("specialty_ranking")
    told = {(row["college_id"], row["specialty"]): row["points"] for row in rows.to_dicts()}
    wanted = published(specialties=True)
    assert len(wanted) == 152
    assert told == wanted
    by_specialty = itertools.groupby(
        sorted(rows.to_dicts(), key=lambda row: (row["specialty"], -row["points"])),
        key=lambda row: row["specialty"],
    )
    for _, group in by_specialty:
        members = list(group)
        for row in members:
            better = sum(other["points"] > row["points"] for other in members)
            assert (row["rank"], row["ranked_of"]) == (better + 1, len(members))
    said = kpi("rank", "--specialties", "--top", 0, "--store", done.path.parent.parent)
    assert said.code == 0
    assert said.out.count("AST-") == 152


def test_astana_has_no_students_and_the_round_says_that_nothing_can_be_funded(
    astana: tuple[Round, str], kpi: Kpi
) -> None:
    done, said = astana
    assert "nothing can be funded" in said
    assert not done.has("funding")
    told = kpi("explain", "AST-20", "--store", done.path.parent.parent)
    assert told.code == 0
    assert "nothing can be funded" in told.text
    assert "97" in told.text
    told = kpi("profile", "AST-20", "--store", done.path.parent.parent)
    assert told.code == 0
    assert "there is no profile" in told.text


# ranking on the screen


def test_rank_narrows_and_says_who_is_not_ranked(kpi: Kpi, store: Path) -> None:
    said = kpi("rank", "--store", store, "--top", 3)
    assert said.code == 0
    assert "3 of 7 shown" in said.text
    assert "Not ranked:" in said.text
    assert "Illustrative" in said.text
    league = kpi("rank", "--store", store, "--league", 1)
    assert "EX-02" in league.out
    assert "EX-05" not in league.out


def test_a_name_with_markup_is_shown_as_it_is(kpi: Kpi, tmp_path: Path) -> None:
    name = "[red]Колледж[/red] [/x] [bold]"
    tables = together(reaches_the_gates(students("EX-01", 30)))
    tables["colleges"] = [college(name_ru=name)]
    folder = write_folder(tmp_path / "in", **tables)
    said = kpi("run", folder, "--round", "2025-26", "--methodology", "example")
    assert said.code == 0
    assert "[red]" in said.text


# help


HEAVY = ("polars", "duckdb", "pandera", "numpy", "pyarrow")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy(command: str) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['kpi', *{[command] if command else []!r}, '--help']\n"
        "from kpi.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: kpi" in done.stdout
