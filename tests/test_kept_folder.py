"""A test begins with the folder as the notebook left it, wherever it runs."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
import pytest
from course_bench import run_tests
from in_process import run_command
from nbformat import v4

from grader.selfcheck.inside_loader import load_course_tests, load_inside

NOTEBOOK = dedent(
    """
    import os
    import sqlite3

    with open("log.txt", "w") as file:
        file.write("begun ")
    os.makedirs("data/deep", exist_ok=True)
    with open("data/deep/kept.csv", "w") as file:
        file.write("a,b")
    con = sqlite3.connect("open.db")
    con.execute("create table visit (day integer)")
    con.execute("insert into visit values (1)")
    con.commit()

    def visit(day):
        con.execute("insert into visit values (?)", (day,))
        con.commit()
        return [day for day, in con.execute("select day from visit order by day")]

    def log(text):
        with open("log.txt", "a") as file:
            file.write(text)

    def store(path, rows):
        rows.sort()
        with sqlite3.connect(path) as made:
            made.execute("create table if not exists visit (day integer)")
            made.executemany("insert into visit values (?)", [(row,) for row in rows])

    def make(path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "x") as file:
            file.write("made")

    def clear():
        os.remove("data/deep/kept.csv")
        os.rmdir("data/deep")
        os.rename("log.txt", "old.txt")
        os.symlink("old.txt", "link.txt")
    """
)
TESTS = dedent(
    """
    import os
    import sqlite3

    import pytest

    def test_appends(log, files):
        log("a")
        assert files["log.txt"].read_text() == "begun a"

    @pytest.mark.parametrize("text", ["b", "c"])
    def test_cases(log, files, text):
        log(text)
        assert files["log.txt"].read_text() == "begun " + text

    def test_runs_twice_for_what_it_was_given(store, files):
        store("out.db", [3, 1])
        with sqlite3.connect(files["out.db"]) as made:
            assert [day for day, in made.execute("select day from visit order by day")] == [1, 3]

    @pytest.mark.parametrize("path", ["new.txt", "far/off/new.txt"] * 2)
    def test_new(make, files, path):
        make(path)
        assert files[path].read_text() == "made"

    def test_clears(clear, files):
        clear()
        assert "log.txt" not in files

    def test_everything_is_back(files):
        assert {path for path in files if not path.startswith(".")} == {
            "log.txt", "open.db", os.path.join("data", "deep", "kept.csv")
        }

    def test_open_database(visit):
        assert visit(2) == [1, 2]

    def test_open_database_again(visit):
        assert visit(3) == [1, 3]
    """
)


def outcomes_of(outcomes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: outcome["outcome"] for name, outcome in outcomes.items()}


@pytest.mark.parametrize("changes", [None, {}], ids=["reference", "student"])
def test_each_test_and_each_case_begins_with_what_the_notebook_left(
    tmp_path: Path, changes: dict[str, Any] | None
) -> None:
    outcomes = run_tests(tmp_path, tests=TESTS, notebook=NOTEBOOK, changes=changes)

    assert len(outcomes) == 12
    assert set(outcomes_of(outcomes).values()) == {"passed"}, outcomes


def test_natively_it_begins_so_too_and_the_students_own_folder_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "tests.py").write_text(TESTS.split("def test_open_database")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path / "own")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(NOTEBOOK, namespace)  # noqa: S102 (the test's own code)
    Path(".hidden").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in Path.cwd().rglob("*")}
    tests = ["appends", "cases", "runs_twice_for_what_it_was_given", "new", "clears"]
    tests += ["everything_is_back"]
    native = load_course_tests("native_runs")

    outcomes = native.run_native(
        tmp_path / "tests.py",
        namespace,
        tests=[f"test_{name}" for name in tests],
        seed=(1,),
        cells=[NOTEBOOK],
    )

    namespace["con"].close()
    cases = [case for each in outcomes.values() for case in each]
    assert len(cases) == 10
    assert {case["outcome"] for case in cases} == {"passed"}, cases
    assert {path: path.is_file() and path.read_bytes() for path in Path.cwd().rglob("*")} == before
    assert Path.cwd() == tmp_path / "own"


RUBRIC = """
schema = 1

[assignment]
id = "hw"
title = "Files"
total = 2
default = true
reference = "reference/hw.ipynb"

[[item]]
id = "Q1"
title = "Q1"
points = 2
kind = "auto"
source = "handout"

[[item.check]]
code = "TST001"
points = 1
params = { test = "test_appends" }

[[item.check]]
code = "TST001"
points = 1
params = { test = "test_cases" }
"""


@pytest.mark.kernel
def test_it_begins_so_in_a_kernel_and_under_pytest(tmp_path: Path) -> None:
    for name in ("rubrics/hw", "reference", "submissions"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "rubrics" / "hw.toml").write_text(RUBRIC, encoding="utf-8")
    (tmp_path / "rubrics" / "hw" / "tests.py").write_text(TESTS, encoding="utf-8")
    notebook = v4.new_notebook(cells=[v4.new_code_cell(NOTEBOOK)])  # type: ignore[no-untyped-call]
    for path in ("reference/hw.ipynb", "submissions/one.ipynb"):
        nbformat.write(notebook, tmp_path / path)  # type: ignore[no-untyped-call]

    run_command("submissions", "--out", "graded", folder=tmp_path)

    result = json.loads((tmp_path / "graded" / "results" / "one.json").read_text(encoding="utf-8"))
    assert [item["earned"] for item in result["items"]] == [2], result
    plugin = [sys.executable, "-m", "pytest", "-p", "grader.course_tests.pytest_reference", "-q"]
    ran = subprocess.run(
        [*plugin, "rubrics/hw/tests.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "12 passed" in ran.stdout, ran.stdout


def folder_state(folder: Path) -> dict[str, tuple[int, str]]:
    def content(path: Path) -> str:
        if path.is_symlink():
            return str(path.readlink())
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    paths = folder.rglob("*")
    return {str(path.relative_to(folder)): (path.lstat().st_mode, content(path)) for path in paths}


def test_whatever_was_changed_is_put_back(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "a" / "b").mkdir(parents=True)
    for name in ("one", "two", "a/three", "a/b/four", "five"):
        (folder / name).write_text(name, encoding="utf-8")
    (folder / "link").symlink_to("one")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "safe").write_text("safe", encoding="utf-8")
    kept = load_inside("kept_folder").KeptFolder(str(folder))
    kept.put_back()
    before = folder_state(folder)

    for _ in range(2):
        (folder / "one").write_text("eno", encoding="utf-8")  # of the same size
        (folder / "two").unlink()
        (folder / "two").mkdir()
        (folder / "two" / "inside").touch()
        (folder / "a" / "b" / "four").unlink()
        (folder / "a" / "b").rmdir()
        (folder / "a" / "b").symlink_to(outside)
        (folder / "link").unlink()
        (folder / "link").write_text("no link", encoding="utf-8")
        (folder / "five").chmod(0o400)
        os.mkfifo(folder / "pipe")
        kept.put_back()

        assert folder_state(folder) == before
    assert (outside / "safe").read_text(encoding="utf-8") == "safe"


def test_a_file_beyond_the_bound_stays_as_it_is_and_others_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_inside("kept_folder")
    monkeypatch.setattr(module, "MAX_KEPT_BYTES", 10)
    (tmp_path / "large").write_text("x" * 20, encoding="utf-8")
    (tmp_path / "small").write_text("small", encoding="utf-8")
    kept = module.KeptFolder(str(tmp_path))
    kept.put_back()
    (tmp_path / "large").write_text("changed", encoding="utf-8")
    (tmp_path / "small").unlink()
    (tmp_path / "new").touch()

    kept.put_back()

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "large": "changed",
        "small": "small",
    }


def test_an_open_database_goes_on_with_its_file(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "one.db")
    con.execute("create table t (n)")
    con.commit()
    kept = load_inside("kept_folder").KeptFolder(str(tmp_path))
    kept.put_back()
    number = (tmp_path / "one.db").stat().st_ino
    other = sqlite3.connect(tmp_path / "one.db")
    other.execute("insert into t values (1)")
    other.commit()
    other.close()

    kept.put_back()

    assert (tmp_path / "one.db").stat().st_ino == number
    assert con.execute("select * from t").fetchall() == []
    con.close()
