"""A course with tests of its own on every road: graded, judged again, released, self-checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tested_course
from selfchecking import in_shell

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.kernel


def run(*words: str, folder: Path, code: int = 0) -> str:
    """Run a command of Python's in a folder, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tested_course.build_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def graded(course: Path) -> Path:
    """The output folder of one run."""
    run("grader", "submissions", "--out", "graded", folder=course, code=1)  # nobody has a name
    return course / "graded"


def points_of(graded: Path, name: str) -> dict[str, float]:
    result = json.loads((graded / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return {item["id"]: item["earned"] for item in result["items"]}


def findings_of(graded: Path, name: str) -> str:
    result = json.loads((graded / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return json.dumps(result["items"])


def test_points_are_what_the_tests_say(graded: Path) -> None:
    assert {name: points_of(graded, name) for name in tested_course.POINTS} == tested_course.POINTS


def test_reports_say_what_a_public_test_expected_and_nothing_of_a_hidden_one(graded: Path) -> None:
    wrong, forged = findings_of(graded, "wrong"), findings_of(graded, "forged")

    assert "`squares(1)` gave `[0]`; `[1]` was expected" in wrong
    assert "No name InsufficientFunds was left" in wrong
    assert "did not answer in time" in wrong
    assert "an object of class Yes" in forged
    assert "ended the notebook's process" in forged
    assert "raised ValueError in `greet`, line 2 of its cell" in forged
    assert "Grace is a secret" not in forged
    assert "hidden.txt" not in wrong


def leniently(text: str) -> str:
    """Let Q4's test ask only what is read from the code, so that nothing new is asked."""
    text = text.replace("assert words == lower(words)", "assert 'sort' in source['sort_words']")
    return text.replace("test_sort(sort_words, words)", "test_sort(sort_words, words, source)")


def test_a_changed_test_is_judged_again_without_a_kernel(course: Path, graded: Path) -> None:
    tests = course / "rubrics" / "intro" / "tests.py"
    text = tests.read_text(encoding="utf-8")
    try:
        lenient = leniently(text)
        tests.write_text(lenient, encoding="utf-8")
        said = run("grader", "again", "graded", folder=course, code=1)
        assert "from saved runs: 2 scores changed" in said
        assert points_of(graded, "wrong")["Q4"] == 2

        asks_more = text.replace("squares(4) == [1, 4, 9, 16]", "squares(3) == [1, 4, 9]")
        tests.write_text(asks_more, encoding="utf-8")
        said = run("grader", "again", "graded", folder=course, code=1)
        assert "to be run again by `grade SUBMISSIONS`, since a check asks something new" in said
    finally:
        tests.write_text(text, encoding="utf-8")
        run("grader", "again", "graded", folder=course, code=1)
    assert points_of(graded, "wrong") == tested_course.POINTS["wrong"]


def test_a_test_that_asks_something_new_waits_alone(course: Path, graded: Path) -> None:
    tests = course / "rubrics" / "intro" / "tests.py"
    text = tests.read_text(encoding="utf-8")
    before = {name: points_of(graded, name) for name in tested_course.POINTS}
    asks_more = leniently(text).replace("squares(4) == [1, 4, 9, 16]", "squares(3) == [1, 4, 9]")
    try:
        tests.write_text(asks_more, encoding="utf-8")
        said = run("grader", "again", "graded", folder=course, code=1)
        assert "test_small asks something new: until then" in said
        assert points_of(graded, "wrong") == {**before["wrong"], "Q4": 2}
        assert {name: points_of(graded, name)["Q1"] for name in before} == {
            name: points["Q1"] for name, points in before.items()
        }
        # A second look changes nothing, and forgets nothing.
        assert "test_small asks something new" in run(
            "grader", "again", "graded", folder=course, code=1
        )
    finally:
        tests.write_text(text, encoding="utf-8")
        run("grader", "again", "graded", folder=course, code=1)
    assert {name: points_of(graded, name) for name in before} == before


def test_the_next_run_runs_what_waits_for_it(course: Path, graded: Path) -> None:
    tests = course / "rubrics" / "intro" / "tests.py"
    text = tests.read_text(encoding="utf-8")
    easier = text.replace("squares(4) == [1, 4, 9, 16]", "len(squares(3)) == 3")
    easier = easier.replace("    assert squares(1) == [1]\n", "")
    try:
        tests.write_text(easier, encoding="utf-8")
        run("grader", "again", "graded", folder=course, code=1)
        run("grader", "submissions", "--out", "graded", folder=course, code=1)
        said = run("grader", "again", "graded", folder=course, code=1)
        assert "asks something new" not in said
    finally:
        tests.write_text(text, encoding="utf-8")
        run("grader", "submissions", "--out", "graded", folder=course, code=1)
    assert {name: points_of(graded, name) for name in tested_course.POINTS} == tested_course.POINTS


def write_empty_wheel(folder: Path) -> Path:
    """A file that is taken for this program, which nobody installs."""
    wheel = folder / "notebook_grader-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("grader/__init__.py", "")
    return wheel


@pytest.fixture(scope="module")
def student(course: Path) -> Path:
    """A student's folder, from the release."""
    wheel = write_empty_wheel(course)
    run("grader", "release", "intro", "--wheel", wheel.name, folder=course)
    folder = course / "release" / "intro"
    tested_course.write_notebook(folder / "mine.ipynb", tested_course.WRONG)
    return folder


def test_a_release_holds_the_public_tests_and_nothing_of_the_others(student: Path) -> None:
    public = (student / "intro_tests.py").read_text(encoding="utf-8")

    assert "def test_small" in public
    assert "def lower(words)" in public
    for secret in ("test_drawn", "test_hidden", "SECRET_ANSWER", "hidden", "pathlib"):
        assert secret not in public


def test_a_student_reads_the_same_words_on_their_own_computer(student: Path) -> None:
    said = " ".join(run("grader", "check", "mine.ipynb", folder=student, code=1).split())

    assert "`squares(1)` gave `[0]`; `[1]` was expected" in said
    assert "No name InsufficientFunds was left" in said
    assert "1 of 2 cases pass" in said
    assert "4 more run after you submit" in said


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import os\n    os._exit(3)", "What the test called ended the notebook's process."),
        pytest.param(
            "while True:\n        pass",
            ("What the test called did not answer in time."),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_function_that_never_answers_fails_its_own_public_tests_only(
    student: Path, body: str, reason: str
) -> None:
    cells = (
        f"def squares(n):\n    {body}",
        "def sort_words(words):\n    words.sort(key=str.lower)",
    )
    tested_course.write_notebook(student / "odd.ipynb", cells)

    said = run("grader", "check", "odd.ipynb", "--format", "json", folder=student, code=1)

    found = {one["item"]: one for one in json.loads(said)["notebooks"][0]["findings"]}
    assert found["Q1"]["told"] == f"{reason} \u22121 point."
    assert {item: one["verdict"] for item, one in found.items()} == {
        "Q1": "failed",
        "Q2": "failed",
        "Q4": "passed",
    }


def test_the_box_in_the_notebook_runs_public_tests_on_live_names(student: Path) -> None:
    shown = in_shell(student, "import grader", *tested_course.WRONG[:2], "grader.check_all()")[-1]

    assert "`squares(1)` gave `[0]`; `[1]` was expected" in shown["text"]
    assert "no name sort_words was left" in shown["text"].casefold()


def test_pytest_runs_the_file_on_the_reference(course: Path) -> None:
    plugin = ("pytest", "-p", "grader.course_tests.pytest_reference", "-q")

    assert "8 passed" in run(*plugin, "rubrics/intro/tests.py", folder=course)
