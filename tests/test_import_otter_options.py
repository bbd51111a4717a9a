"""What stands beside otter-grader's questions: files, options, metadata; nothing of it is lost."""

from __future__ import annotations

import json
import stat
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from in_process import run_command
from nbformat import v4
from nbformat import write as write_nbformat

from grader.errors import UsageError
from grader.importing.imported_assignment import ImportedAssignment
from grader.importing.otter_assignment import read_master_assignment
from grader.importing.otter_options import OtterOptions
from grader.importing.otter_source import read_autograder, read_tested_notebook
from grader.importing.otter_tests import read_table, read_test

CASE = {"code": ">>> x\n1", "hidden": False}
TEST: Mapping[str, Any] = {"name": "q1", "suites": [{"cases": [CASE]}]}
Q1 = f"OK_FORMAT = True\ntest = {dict(TEST)!r}"
Cell = tuple[str, str] | tuple[str, str, Mapping[str, Any]]
SOLVED: Sequence[Cell] = (("code", "x = 1\nopen('seen.csv')\nimport helper"),)


def write_cells(path: Path, cells: Sequence[Cell], **metadata: object) -> Path:
    notebook = v4.new_notebook(metadata=metadata)  # type: ignore[no-untyped-call]
    for kind, source, *noted in cells:
        cell = getattr(v4, f"new_{kind}_cell")(source)
        cell.metadata.update(*noted)
        notebook.cells.append(cell)
    write_nbformat(notebook, path)  # type: ignore[no-untyped-call]
    return path


def read_zip(
    folder: Path, files: Mapping[str, str], *, cells: Sequence[Cell] = SOLVED, **noted: object
) -> ImportedAssignment:
    with zipfile.ZipFile(folder / "auto.zip", "w") as archive:
        for name, text in {"tests/q1.py": Q1, **files}.items():
            archive.writestr(name, text)
    solution = write_cells(folder / "solved.ipynb", cells, **noted)
    return read_autograder(folder / "auto.zip", solution=solution)


def told(assignment: ImportedAssignment) -> dict[str, str]:
    return {entry.file: entry.text for entry in assignment.unsettled}


# ---------------------------------------------------------------- the archive


@pytest.mark.parametrize(
    ("name", "mode", "why"),
    [
        ("../evil.py", 0, "leads out of it"),
        ("files/../../evil.py", 0, "leads out of it"),
        ("..\\evil.py", 0, "leads out of it"),
        ("/etc/evil", 0, "names a place outside of it"),
        ("C:/evil", 0, "names a place outside of it"),
        ("files\\data.csv", 0, "is not the name of a file"),
        ("files/link", stat.S_IFLNK, "is a link, or no file"),
        ("files/pipe", stat.S_IFIFO, "is a link, or no file"),
    ],
)
def test_what_leads_out_of_an_archive_is_refused_by_name(
    tmp_path: Path, name: str, mode: int, why: str
) -> None:
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    info.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "auto.zip", "w") as archive:
        archive.writestr("tests/q1.py", Q1)
        archive.writestr(info, "target")
    solution = write_cells(tmp_path / "solved.ipynb", SOLVED)

    with pytest.raises(UsageError, match=why) as refusal:
        read_autograder(tmp_path / "auto.zip", solution=solution)
    assert repr(name) in str(refusal.value)


def test_students_get_the_files_that_the_notebook_names_and_no_other(tmp_path: Path) -> None:
    files = {"files/seen.csv": "1", "files/deep/hidden.csv": "2", "files/helper.py": "y = 1"}
    assignment = read_zip(tmp_path, {**files, "files/other.ipynb": "{}", "notes.txt": "note"})

    assert set(assignment.provided) == {"seen.csv", "helper.py"}
    assert set(assignment.withheld) == {"deep/hidden.csv"}
    assert "deep/hidden.csv" in " ".join(assignment.left_out)
    assert told(assignment) == {
        "files/other.ipynb": "a notebook beside students' notebooks was left out",
        "notes.txt": "it is not a file of an autograder's, and was left out",
    }


# ---------------------------------------------------------------- options


def test_options_are_taken_or_told_and_no_secret_is_written(tmp_path: Path) -> None:
    config = {
        "seed": 42,
        "seed_variable": "rng_seed",
        "pdf": True,
        "token": "t0ken-of-staff",
        "api_token": "an0ther",
        "points_possible": 10,
        "score_threshold": None,
        "grade_from_log": False,
        "colour": "red",
        "assignment_name": "Homework 1",
    }
    assignment = read_zip(tmp_path, {"otter_config.json": json.dumps(config)})

    assert (assignment.cell_seed, assignment.seed_variable) == (42, "rng_seed")
    assert assignment.title == "Homework 1"
    assert [entry.text for entry in assignment.unsettled] == [
        "api_token was left out",
        "points_possible = 10 was left out",
        'colour = "red" was left out',
    ]
    assert "assignment_name, pdf, token" in assignment.left_out[0]


@pytest.mark.parametrize(
    "config",
    [
        {"seed": "42"},
        {"seed": -1},
        {"seed": True},
        {"seed": 42, "seed_variable": "np.seed"},
        {"seed_variable": "s"},
    ],
)
def test_a_seed_that_is_none_is_told(tmp_path: Path, config: Mapping[str, object]) -> None:
    assignment = read_zip(tmp_path, {"otter_config.json": json.dumps(config)})

    assert assignment.cell_seed is None
    assert "seed" in told(assignment)["otter_config.json"]


def test_packages_that_are_not_here_are_told() -> None:
    options = OtterOptions(file="otter_config.json")
    options.read_requirements(
        ["# comment", "", "numpy>=1", "numpy<1  # old"], file="requirements.txt"
    )
    options.read_environment(
        "name: otter-env\n"
        "channels: [conda-forge]\n"
        "variables: {A: b}\n"
        "dependencies: [python=3.12, 'conda-forge::numpy=1.0', no-such-package-at-all,\n"
        "  {pip: ['otter-grader[grading]==7.0.0', 'nbformat', 'numpy==,']}]\n"
    )

    assert [(entry.file, entry.text.partition(", and")[0]) for entry in options.unsettled] == [
        ("requirements.txt", "it installs numpy<1"),
        ("environment.yml", 'variables = {"A": "b"} was left out'),
        ("environment.yml", "it installs numpy==1.0.*"),
        ("environment.yml", "it installs no-such-package-at-all"),
        ("environment.yml", "it installs numpy==,"),
    ]


def master(config: str, *more: Cell) -> Sequence[Cell]:
    return (
        ("raw", f"# ASSIGNMENT CONFIG\n{config}"),
        *more,
        ("raw", "# BEGIN QUESTION\nname: q1\nprivate_points: 2"),
        ("raw", "# BEGIN SOLUTION"),
        ("code", "rng_seed = 42\nx = 1 # SOLUTION"),
        ("markdown", "Read on.", {"tags": ["otter_include"]}),
        ("raw", "# END SOLUTION"),
        ("raw", "# BEGIN TESTS"),
        ("code", "x == 1"),
        ("raw", "# END TESTS"),
        ("raw", "# END QUESTION"),
    )


def test_hidden_files_of_a_master_notebook_reach_no_student(tmp_path: Path) -> None:
    for name in ("given.csv", "tests_only.csv", "solution_reads.csv", "both.csv", "rules.toml"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    config = (
        "files: [given.csv, both.csv]\n"
        "autograder_files: [tests_only.csv, solution_reads.csv, both.csv, rules.toml]\n"
        "student_files: [made.py]"
    )
    reads = ("code", "with open('solution_reads.csv') as file: pass")
    assignment = read_master_assignment(write_cells(tmp_path / "hw.ipynb", master(config, reads)))

    assert set(assignment.provided) == {"given.csv", "both.csv"}
    assert set(assignment.withheld) == {"solution_reads.csv", "rules.toml"}
    assert set(assignment.test_files) == {"tests_only.csv"}
    assert "students make it" in told(assignment)["made.py"]


def test_options_of_a_master_notebook_are_taken_or_told(tmp_path: Path) -> None:
    config = (
        "seed: {variable: rng_seed, autograder_value: 42, student_value: 713, other: 1}\n"
        "generate: {points_possible: 5, pdf: true}\n"
        "tests: {files: true, notebook: true}\n"
        "runs_on: colab\nshade: dark\n"
        "requirements: [no-such-package-at-all]\nenvironment: gone.yml"
    )
    assignment = read_master_assignment(write_cells(tmp_path / "hw.ipynb", master(config)))
    sources = [cell.source for cell in assignment.notebooks[0].notebook.cells]

    assert (assignment.cell_seed, assignment.seed_variable) == (42, "rng_seed")
    assert any(source.startswith("rng_seed = 713\n") for source in sources)
    assert {entry.text for entry in assignment.unsettled} == {
        "q1: private_points = 2 was left out",
        'shade = "dark" was left out',
        "seed.other = 1 was left out",
        "points_possible = 5 was left out",
        "tests: notebook = true was left out",
        "it installs no-such-package-at-all, and it is not installed here",
        "the configuration names it, and it could not be read",
    }
    text = next(c for c in assignment.notebooks[0].notebook.cells if c.source == "Read on.")
    assert text.tags == ()


def test_points_are_shown_to_students_as_otter_shows_them(tmp_path: Path) -> None:
    question = ("raw", "# BEGIN QUESTION\nname: q2\nmanual: true\npoints: 1.5")
    cells = (
        *master("show_question_points: true"),
        question,
        *(("markdown", "**Question 2.**"), ("raw", "# END QUESTION")),
    )
    assignment = read_master_assignment(write_cells(tmp_path / "hw.ipynb", cells))

    assert assignment.items[1].prompt == "**Question 2.**"
    sources = [cell.source for cell in assignment.notebooks[0].notebook.cells]
    assert "**Question 2.**\n\n_Points:_ 1.5" in sources


# ---------------------------------------------------------------- the solved notebook

EXPORTED: Sequence[Cell] = (
    ("markdown", "<!-- BEGIN QUESTION -->\n\n**Question 1.** Find x.\n\n_Points:_ 16"),
    ("code", "x = 1 # SOLUTION", {"tags": ["otter_assign_solution_cell"]}),
    ("code", "grader.check('q1')"),
    (
        "markdown",
        "<!-- END QUESTION -->\n\n<!-- BEGIN QUESTION -->\n\n**Question 2.** Why?\n\n_Points:_ 1.5",
    ),
    ("markdown", "_Type your answer here._", {"tags": ["otter_answer_cell"]}),
    ("markdown", "Because.", {"tags": ["otter_assign_solution_cell"]}),
    ("markdown", "<!-- END QUESTION -->\n\n<!-- BEGIN QUESTION -->\n\nDraw it."),
    ("code", "draw = 3 # SOLUTION", {"tags": ["otter_assign_solution_cell"]}),
    ("markdown", "<!-- END QUESTION -->\n\nThe end."),
    (
        "code",
        "y = 2 # SOLUTION",
        {"tags": ["otter_assign_solution_cell"], "otter": {"tests": ["q3"]}},
    ),
    ("code", "1 / 0", {"otter": {"ignore": True}}),
)


def test_manual_questions_and_solutions_of_a_solved_notebook_are_found(tmp_path: Path) -> None:
    assignment = read_zip(tmp_path, {}, cells=EXPORTED)
    cells = assignment.notebooks[0].notebook.cells

    assert [(i.id, i.kind, i.points, i.answer) for i in assignment.items] == [
        ("q1", "auto", Fraction(1), "text"),
        ("q2", "written", Fraction(3, 2), "text"),
        ("manual-1", "written", Fraction(1), "code"),
    ]
    assert assignment.items[1].prompt == "**Question 2.** Why?"
    assert assignment.items[1].good_answer == "Because."
    assert "manual-1: a person marks it" in told(assignment)["solved.ipynb"]
    assert [entry.cell for entry in assignment.unsettled] == [
        next(cell.id for cell in cells if "Draw it." in cell.source)
    ]
    sources = [cell.source for cell in cells]
    assert sources[0] == "import otter\ngrader = otter.Notebook()"
    assert not any("BEGIN QUESTION" in source for source in sources)
    assert "### BEGIN SOLUTION q1\nx = 1\n### END SOLUTION" in sources
    assert "### BEGIN SOLUTION manual-1\ndraw = 3\n### END SOLUTION" in sources
    assert sources[sources.index("### BEGIN SOLUTION q3\ny = 2\n### END SOLUTION") + 1] == (
        'grader.check("q3")'
    )
    assert {cell.source: cell.tags for cell in cells if cell.tags} == {
        "Because.": ("solution",),
        "1 / 0": ("otter_ignore",),
    }


def test_tests_in_metadata_are_read_and_leave_the_notebook(tmp_path: Path) -> None:
    function = "name = 'q2'\n@test_case()\ndef test(x):\n    assert x"
    tests = {"q1": TEST, "q2": function}
    path = write_cells(tmp_path / "hw.ipynb", SOLVED, otter={"OK_FORMAT": True, "tests": tests})
    assignment = read_tested_notebook(path)
    code, output, errors = run_command("import", "otter", "hw.ipynb", folder=tmp_path)

    assert [item.id for item in assignment.items] == ["q1", "q2"]
    assert code == 0, output + errors
    assert "OK_FORMAT" not in (tmp_path / "reference" / "hw.ipynb").read_text(encoding="utf-8")
    rubric = tomllib.loads((tmp_path / "rubrics" / "hw.toml").read_text(encoding="utf-8"))
    assert [item["id"] for item in rubric["item"]] == ["q1", "q2"]


def test_tests_in_metadata_that_the_zip_lacks_are_told(tmp_path: Path) -> None:
    noted = {"OK_FORMAT": True, "tests": {"q1": TEST, "q9": {**TEST, "name": "q9"}}}
    assignment = read_zip(tmp_path, {}, otter=noted)

    assert told(assignment) == {"solved.ipynb": "q9: it has tests here, and none in the zip"}


# ---------------------------------------------------------------- test files


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({**TEST, "level": 3}, "level = 3 was left out"),
        ({"suites": [{"cases": [CASE], "teardown": ">>> stop()"}]}, "teardown was left out"),
        ({"suites": [{"cases": [CASE], "setup": ">>> x = 1"}]}, "setup is run before each"),
        ({"suites": [{"cases": [CASE], "shared": 1}]}, "shared = 1 was left out"),
        ({"suites": [{"cases": [{**CASE, "locked": True}]}]}, "a case is locked"),
        ({"suites": [{"cases": [{**CASE, "timeout": 3}]}]}, "timeout = 3 was left out"),
        ({"suites": [{"cases": [CASE]}, {"cases": [CASE]}]}, "it has 2 suites"),
        ({"suites": ["none"]}, "a suite that is none"),
        ({"suites": [{"cases": ["none", CASE]}]}, "a case that is none"),
    ],
)
def test_what_a_table_says_and_nobody_reads_is_told(
    table: Mapping[object, object], problem: str
) -> None:
    (found,) = read_table(table, name="q1").problems
    assert problem in found


def test_keys_that_otter_itself_does_not_read_are_no_problem() -> None:
    suite = {"cases": [{**CASE, "locked": False}], "scored": False, "setup": "", "teardown": ""}
    test = read_table({"hidden": True, "suites": [suite]}, name="q1")

    assert test.problems == ()
    assert not test.cases[0].hidden


FUNCTIONS = '''
"""A text."""
from otter.test_files import test_case
import math

OK_FORMAT = False
name = "q1"
points = [1, None]
LIMIT = 3
math.floor(LIMIT)

@test_case(hidden=SECRET, colour="red")
def test_it(x):
    assert False

@test_case(points=2, hidden=len(name) == 2)
def test_two(
    x,
    *,
    y=2,  # a comment
):
    # It looks.
    """It is small."""
    text = """
    kept"""
    assert x < LIMIT

@test_case(success_message="Fine.", failure_message="No.")
def test_it(x):
    assert x == 1
'''


def test_functions_keep_their_values_and_the_last_of_a_name_counts(tmp_path: Path) -> None:
    test = read_test(FUNCTIONS, name="q1")

    assert [case.points for case in test.with_points().cases] == [1, 0]
    assert [case.hidden for case in test.cases] == [False, True]
    assert test.cases[0].success_message == "Fine."
    assert "LIMIT = 3" in test.setup
    assert [problem.split(":")[0] for problem in test.problems] == [
        "test_it",
        "test_it",
        "test_two",
        "of the functions test_it the last counts, as in otter",
        "line 10 was left out",
    ]
    assignment = read_zip(tmp_path, {"tests/q1.py": FUNCTIONS})
    first, second = (check.code for check in assignment.items[0].tests)
    assert first.endswith("    assert x == 1")
    assert second.startswith('def test_q1_2(x):\n    # It looks.\n    """It is small."""\n')
    assert '    text = """\n    kept"""\n' in second


@pytest.mark.parametrize(
    ("points", "cases", "shares"),
    [
        ([1, None], [None, None], [1, 0]),
        ([None, None], [3, 4], [Fraction(1, 2), Fraction(1, 2)]),
        (None, [0, None, None], [0, Fraction(1, 2), Fraction(1, 2)]),
        (None, [0, 0], [0, 0]),
        (None, [2, None], [2, 0]),
        (0, [None, None], [0, 0]),
        (5, [1, None], [1, 4]),
    ],
)
def test_points_are_shared_as_in_otter(
    points: object, cases: Sequence[object], shares: Sequence[Fraction]
) -> None:
    suite = {"cases": [{**CASE, "points": worth} for worth in cases]}
    test = read_table({"points": points, "suites": [suite]}, name="q1")

    assert [case.points for case in test.with_points().cases] == shares


def test_numbers_may_be_quotients_and_assignments_have_types() -> None:
    source = f"test: dict = {dict(TEST)!r}".replace("'name': 'q1'", "'points': 1/4, 'name': 'q1'")
    function = "name = 'q'\n@test_case(points=1/2)\ndef test(x):\n    assert x"

    assert read_test(source, name="q1").points == Fraction(1, 4)
    assert read_test(function, name="q").cases[0].points == Fraction(1, 2)
    with pytest.raises(UsageError, match="neither a table"):
        read_test("test = {'points': 1/0, 'suites': []}", name="q1")


SHARED = """
OK_FORMAT = True
test = {"name": "q1", "suites": [{"cases": [
    {"code": ">>> account = make(1)\\n>>> account.add(2)"},
    {"code": ">>> x.append(1)\\n>>> x\\n[1]"},
    {"code": ">>> math.floor(1.5)\\n1"},
    {"code": ">>> y[0] = 2"},
    {"code": ">>> len(x)\\n1", "hidden": False},
    {"code": ">>> len(x)\\n1"},
    {"code": ">>> account.total\\n3"},
    {"code": ">>> math.ceil(y[0])\\n2"},
]}]}
"""
MAKING: Sequence[Cell] = (("code", "import math\ndef make(n): return n\nx = []\ny = [1]"),)


def test_a_case_finds_what_the_cases_above_it_changed_and_no_name_of_theirs(tmp_path: Path) -> None:
    assignment = read_zip(tmp_path, {"tests/q1.py": SHARED}, cells=MAKING)
    afters = [test.code.partition("after=")[2] for test in assignment.items[0].tests]

    assert [after.count(">>>") for after in afters] == [0, 0, 0, 0, 0, 2, 0, 1]
    assert ">>> x.append(1)\n    >>> x\n    [1]\n" in afters[5]
    assert ">>> y[0] = 2\n" in afters[7]


PUSHED = """
OK_FORMAT = True
test = {"name": "q1", "suites": [{"cases": [
    {"code": ">>> push(1); push(2)"},
    {"code": ">>> x\\n[1, 2]"},
    {"code": ">>> math.floor(1.5)\\n1"},
    {"code": ">>> push(3) is None\\nTrue"},
    {"code": ">>> x\\n[1, 2]"},
]}]}
"""


def test_a_function_that_is_called_for_its_effect_may_have_changed_anything(tmp_path: Path) -> None:
    cells: Sequence[Cell] = (("code", "import math\nx = []\ndef push(n): x.append(n)"),)
    assignment = read_zip(tmp_path, {"tests/q1.py": PUSHED}, cells=cells)
    afters = [test.code.partition("after=")[2] for test in assignment.items[0].tests]

    assert ["push(1); push(2)" in after for after in afters] == [False, True, False, True, True]


SETTING = """
from otter.test_files import test_case
OK_FORMAT = False
name = "q1"
LIMIT = 3

@test_case()
def test_sets(x, f):
    x = x + 1
    assert f() == 1 < LIMIT

@test_case()
def test_draws(x, f, unread):
    import random
    x = random.seed(1)
    assert f() == 1

@test_case()
def test_all(env, *, f):
    assert env["x"] == f() < LIMIT
"""


def test_what_a_function_sets_is_its_own_and_it_takes_what_it_reads(tmp_path: Path) -> None:
    cells: Sequence[Cell] = (("code", "x = 1\nLIMIT = 9\nunread = 2\ndef f():\n    return x"),)
    assignment = read_zip(tmp_path, {"tests/q1.py": SETTING}, cells=cells)
    sets, draws, takes_all = (test.code for test in assignment.items[0].tests)

    assert sets.startswith("def test_q1_1(x, f):\n    LIMIT = 3\n    x = x + 1\n")
    assert draws.startswith("def test_q1_2(as_cell):\n    def test_draws(x, f, unread):\n")
    assert draws.endswith("    test_draws(x, f, None)")
    assert takes_all.startswith("def test_q1_3(as_cell):\n    def case():\n        LIMIT = 3\n")
    assert "        test_all(globals(), f=f)\n" in takes_all
