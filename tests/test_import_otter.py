"""Assignments that were made for otter-grader: read as data, written as ours, the same points."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import pytest
from in_process import run_command

from grader import checks, rubric
from grader.errors import UsageError
from grader.importing.otter_tests import OtterTest, read_test

Q1 = '''OK_FORMAT = True
test = {
    "name": "q1",
    "points": 2,
    "suites": [{"type": "doctest", "setup": "", "teardown": "", "cases": [
        {"code": r"""
            >>> squares(2)
            [1, 4]
            """, "hidden": False, "points": 0.5},
        {"code": ">>> np.isclose(mean, 2.5)\\nTrue"},
        {"code": ">>> greet('Ada')\\nHello Ada", "failure_message": "Greet by name."},
    ]}],
}
'''
Q2 = """from otter.test_files import test_case
import numpy as np

OK_FORMAT = False
name = "q2"
points = 3


def near(a, b):
    return np.allclose(a, b)


@test_case(points=1, hidden=False, success_message="Fine.")
def test_public(squares):
    assert squares(1) == [1]


@test_case(hidden=True)
def test_near(mean):
    assert near(mean, 2.5)
"""
Q3 = """OK_FORMAT = True
test = {"name": "q3", "points": 2, "all_or_nothing": True, "suites": [{"cases": [
    {"code": ">>> squares(1)\\n[1]", "hidden": False},
    {"code": ">>> for n in squares(3):\\n...     print(n)\\n1\\n4\\n9"},
]}]}
"""
Q4 = """OK_FORMAT = True
test = {"name": "q4", "suites": [{"cases": [{"code": "x = 1"}]}]}
"""
Q5 = """OK_FORMAT = True
test = {"name": "q5", "points": 3, "suites": [{"cases": [
    {"code": ">>> open('data.csv').read() == 'a\\\\n1\\\\n'\\nTrue"},
    {"code": ">>> np.loadtxt('data.csv', skiprows=1).item()\\n1.0"},
    {"code": ">>> np.random.seed(3)\\n>>> drawn == np.random.rand()\\nTrue"},
]}]}
"""
SOLVED = """import numpy as np
def squares(n):
    return [i * i for i in range(1, n + 1)]
mean = np.mean([1, 2, 3, 4])
def greet(name):
    print("Hello", name)
"""
DRAWN = "drawn = np.random.rand()"
LATER = "squares = None"
CHECK = "import otter\ngrader = otter.Notebook('hw.ipynb')\ngrader.check('q1')\ngrader.check('q2')"
HALF = SOLVED.replace("i * i", "i ** 2 + (n > 2)").replace("Hello", "Hi")
STUDENTS = {
    "right": ([SOLVED, DRAWN, CHECK], (2, 3, 2, 3)),
    "later": ([SOLVED, DRAWN, CHECK, LATER], (2, 3, 0, 3)),
    "half": ([HALF, f"np.random.rand()\n{DRAWN}"], (1.25, 3, 0, 2)),
    "blank": (["import numpy as np\nsquares = greet = mean = ..."], (0, 0, 0, 2)),
    "ignored": ([SOLVED, DRAWN, f"{LATER}  # otter_ignore"], (2, 3, 2, 3)),
}
QUESTIONS = ("q1", "q2", "q3", "q5")


def write_notebook(path: Path, *sources: str) -> None:
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for source in sources:
        cell = nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
        if source.endswith("# otter_ignore"):
            cell.metadata["tags"] = ["otter_ignore"]
        notebook.cells.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def write_zip(path: Path, **tests: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("otter_config.json", '{"lang": "python", "seed": 3}')
        archive.writestr("files/data.csv", "a\n1\n")
        for name, text in tests.items():
            archive.writestr(f"tests/{name}.py", text)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("otter")
    write_zip(folder / "auto.zip", q1=Q1, q2=Q2, q3=Q3, q5=Q5)
    write_notebook(folder / "passes.ipynb", SOLVED, DRAWN)
    args = ("import", "otter", "auto.zip", "--solution", "passes.ipynb", "--id", "hw")
    code, output, errors = run_command(*args, folder=folder)
    assert code == 0, output + errors
    return folder


def points_of(test: OtterTest) -> list[Fraction | None]:
    return [case.points for case in test.with_points().cases]


def test_points_that_are_left_open_share_what_is_left() -> None:
    assert points_of(read_test(Q1, name="q1")) == [Fraction(1, 2), Fraction(3, 4), Fraction(3, 4)]
    assert points_of(read_test(Q2, name="q2")) == [1, 2]
    without = Q3.replace('"points": 2, ', "")
    assert points_of(read_test(without, name="q3")) == [Fraction(1, 2), Fraction(1, 2)]
    some = Q1.replace('"points": 2,', "")
    assert points_of(read_test(some, name="q1")) == [Fraction(1, 2), 0, 0]
    listed = Q3.replace('"points": 2', '"points": [2, 1]')
    assert points_of(read_test(listed, name="q3")) == [2, 1]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("x = (", "not Python"),
        ("x = 1", "neither a table of tests nor a test_case"),
        ('test = {"suites": [{"type": "wwpp", "cases": []}]}', "of the type wwpp"),
    ],
)
def test_what_is_no_test_is_said(source: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_test(source, name="q")


def test_tests_are_kept_word_for_word(course: Path) -> None:
    text = (course / "rubrics" / "hw" / "tests.py").read_text(encoding="utf-8")

    assert "    >>> squares(2)\n    [1, 4]\n" in text
    assert "    assert near(mean, 2.5)\n" in text
    assert "def near(a, b):" in text
    assert "import numpy as np\n" in text
    assert (course / "rubrics" / "hw" / "withheld" / "data.csv").is_file()


def test_what_is_not_understood_is_left_to_a_person(tmp_path: Path) -> None:
    write_zip(tmp_path / "auto.zip", q1=Q1, q4=Q4, q5="x = (")
    write_notebook(tmp_path / "passes.ipynb", SOLVED)
    args = ("import", "otter", "auto.zip", "--solution", "passes.ipynb")
    code, output, _ = run_command(*args, folder=tmp_path)

    assert code == 0
    assert "to settle: tests/q4.py" in output
    assert "to settle: tests/q5.py" in output
    assert "[[unsettled]]" in (tmp_path / "rubrics" / "passes.toml").read_text(encoding="utf-8")


def test_r_is_refused_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "auto.zip", "w") as archive:
        archive.writestr("otter_config.json", '{"lang": "r"}')
    write_notebook(tmp_path / "passes.ipynb", SOLVED)
    args = ("import", "otter", "auto.zip", "--solution", "passes.ipynb")
    code, _, errors = run_command(*args, folder=tmp_path)

    assert code == 2
    assert "it grades r; only Python is graded here" in errors


MASTER = [
    ("raw", "# ASSIGNMENT CONFIG\nfiles:\n  - data.csv\nseed: 42", ""),
    ("code", "import numpy as np", ""),
    ("markdown", "```otter\n# BEGIN QUESTION\nname: q1\npoints:\n  each: 1.5\n```", ""),
    ("markdown", "Write `squares`.", ""),
    ("raw", "# BEGIN SOLUTION", ""),
    ("code", "def squares(n):\n    return [i * i for i in range(1, n + 1)]  # SOLUTION", ""),
    ("raw", "# END SOLUTION", ""),
    ("raw", "# begin tests", ""),
    ("code", "squares(2)", "[1, 4]"),
    ("code", "# HIDDEN\nfor n in squares(2):\n    print(n)", "1\n4"),
    ("raw", "# END TESTS", ""),
    ("raw", "# END QUESTION", ""),
    ("raw", "# BEGIN QUESTION\nname: q2\nmanual: true\npoints: 4", ""),
    ("markdown", "Why?", ""),
    ("raw", "# BEGIN SOLUTION", ""),
    ("markdown", "Because.", ""),
    ("raw", "# END SOLUTION", ""),
    ("raw", "# END QUESTION", ""),
    ("code", "# IGNORE\n1 / 0", ""),
]


def test_a_master_notebook_is_read_as_it_is(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for kind, source, shown in MASTER:
        make: Any = getattr(nbformat.v4, f"new_{kind}_cell")
        cell = make(source)
        if shown:
            output: Any = nbformat.v4.new_output
            cell.outputs = [output("execute_result", data={"text/plain": shown})]
        notebook.cells.append(cell)
    nbformat.write(notebook, tmp_path / "hw.ipynb")  # type: ignore[no-untyped-call]
    (tmp_path / "data.csv").write_text("a\n", encoding="utf-8")
    code, output_text, errors = run_command("import", "otter", "hw.ipynb", folder=tmp_path)
    assert code == 0, output_text + errors
    assert "seed = 42 was left out" in output_text

    loaded = rubric.load_rubric(tmp_path / "rubrics" / "hw.toml", catalog=checks.load_checks)
    assert [(i.id, str(i.kind), int(i.points)) for i in loaded.items] == [
        ("q1", "auto", 3),
        ("q2", "written", 4),
    ]
    assert [check.public for check in loaded.items[0].checks] == [True, False]
    tests = (tmp_path / "rubrics" / "hw" / "tests.py").read_text(encoding="utf-8")
    assert "    >>> for n in squares(2):\n    ...     print(n)\n    1\n    4\n" in tests
    reference = (tmp_path / "reference" / "hw.ipynb").read_text(encoding="utf-8")
    assert "### BEGIN SOLUTION" in reference
    assert "1 / 0" not in reference
    assert (tmp_path / "rubrics" / "hw" / "provided" / "data.csv").is_file()


@pytest.mark.kernel
def test_pytest_runs_the_tests_on_a_reference_with_otter_in_it(
    course: Path, tmp_path: Path
) -> None:
    shutil.copytree(course / "rubrics", tmp_path / "rubrics")
    write_notebook(tmp_path / "reference" / "hw.ipynb", "%matplotlib inline", SOLVED, DRAWN, CHECK)
    command = [sys.executable, "-m", "pytest", "-q", "rubrics/hw/tests.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "10 passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.kernel
def test_submissions_earn_what_otter_gives(course: Path) -> None:
    for name, (sources, _) in STUDENTS.items():
        write_notebook(course / "folder" / f"{name}.ipynb", *sources)
    code, output, errors = run_command("folder", "--assignment", "hw", "-j", "1", folder=course)
    assert code in (0, 1), output + errors

    with (course / "graded" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        earned = {
            row["submission"]: tuple(float(row[q] or "nan") for q in QUESTIONS)
            for row in csv.DictReader(file)
        }
    assert earned == {name: points for name, (_, points) in STUDENTS.items()}
