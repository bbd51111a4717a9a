"""A master notebook of otter-grader: every mark of it, its points, and nothing of it run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest
from in_process import run_command
from nbformat import v4

from grader.authoring.blanking import make_template
from grader.authoring.editable_notebook import read_editable_notebook
from grader.errors import UsageError
from grader.importing.otter_assignment import read_master_assignment
from grader.importing.otter_marks import with_our_marks

CONFIG = "# ASSIGNMENT CONFIG\nname: Homework 1\nfiles:\n    - data.csv"
SOLUTION = """\
half = 0.5  # SOLUTION
''' # BEGIN PROMPT
data = ...
''' # END PROMPT
seed = 3 # SEED
def squares(n):
    # BEGIN SOLUTION
    return [i * i for i in range(1, n + 1)]
    # END SOLUTION
print("debug")  # IGNORE
# BEGIN SOLUTION NO PROMPT
extra = 1
# END SOLUTION
"""
HIDDEN = "# HIDDEN\nsquares(3)"
CONFIGURED = '''\
""" # BEGIN TEST CONFIG
hidden: true
points: 2
failure_message: Mind the end.
""" # END TEST CONFIG
assert half == 0.5
for n in squares(2):
    print(n)'''
Cell = tuple[str, str] | tuple[str, str, str]
MASTER: Sequence[Cell] = (
    ("raw", CONFIG),
    ("code", "import math"),
    ("code", "## Ignore ##\nraise SystemExit"),
    ("markdown", "```otter\n# BEGIN QUESTION\nname: q1\npoints: 4\n```\n\n**Question 1:** squares"),
    ("raw", "# BEGIN SOLUTION"),
    ("code", SOLUTION),
    ("raw", "# END SOLUTION"),
    ("raw", "# BEGIN TESTS"),
    ("code", "squares(2)", "[1, 4]"),
    ("code", HIDDEN, "[1, 4, 9]"),
    ("code", CONFIGURED, "1\n4\n"),
    ("raw", "# END TESTS"),
    ("raw", "# END QUESTION"),
    ("raw", "# BEGIN QUESTION\nname: q2\nmanual: true\npoints: 3"),
    ("markdown", "**Question 2:** Why?"),
    ("raw", "# BEGIN SOLUTION"),
    ("markdown", "Because."),
    ("raw", "# END SOLUTION"),
    ("raw", "# END QUESTION"),
)


def write_master(path: Path, cells: Sequence[Cell], *, language: str = "python") -> Path:
    notebook = v4.new_notebook()  # type: ignore[no-untyped-call]
    kernel = {"name": "k", "display_name": "k", "language": language}
    notebook.metadata["kernelspec"] = kernel
    for kind, source, *shown in cells:
        cell = getattr(v4, f"new_{kind}_cell")(source)
        if shown:
            cell.outputs = [v4.new_output("stream", text=shown[0])]  # type: ignore[no-untyped-call]
        notebook.cells.append(cell)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    return path


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course into which the master notebook was brought by the command."""
    (tmp_path / "data.csv").write_text("1,2\n")
    write_master(tmp_path / "hw1.ipynb", MASTER)
    code, out, err = run_command(
        "import", "otter", "hw1.ipynb", "--into", "course", folder=tmp_path
    )
    assert code == 0, out + err
    return tmp_path / "course"


def test_questions_keep_names_points_and_what_is_hidden(course: Path) -> None:
    rubric = tomllib.loads((course / "rubrics" / "hw1.toml").read_text(encoding="utf-8"))
    checks = rubric["item"][0]["check"]

    assert [(i["id"], i["points"], i["kind"]) for i in rubric["item"]] == [
        ("q1", 4, "auto"),
        ("q2", 3, "written"),
    ]
    assert [(c["points"], c.get("public", False)) for c in checks] == [
        (1, True),
        (1, False),
        (2, False),
    ]
    assert checks[2]["ask"] == "Mind the end."
    assert {c["params"]["at"] for c in checks} == {"q1"}
    assert rubric["item"][1]["prompt"].strip() == "**Question 2:** Why?"
    assert rubric["assignment"]["title"] == "Homework 1"
    assert (course / "rubrics" / "hw1" / "provided" / "data.csv").read_text() == "1,2\n"


def test_a_test_cell_is_what_it_shows(course: Path) -> None:
    tests = (course / "rubrics" / "hw1" / "tests.py").read_text(encoding="utf-8")

    assert ">>> squares(2)\n    [1, 4]\n" in tests
    assert ">>> assert half == 0.5\n    >>> for n in squares(2):\n    ...     print(n)\n" in tests


def test_students_get_nothing_that_otter_keeps_from_them(course: Path) -> None:
    reference = read_editable_notebook(course / "reference" / "hw1.ipynb")
    students = "\n".join(cell.source for cell in make_template(reference).cells)

    for kept in ("0.5", "range(1", "extra = 1", "seed = 3", "Because", "SOLUTION", "debug"):
        assert kept not in students
    for given in ("import math", "def squares(n):", "half = ...", "Why?", "Type your answer here"):
        assert given in students
    assert 'grader.check("q1")' in students
    assert "SystemExit" not in json.dumps([cell.source for cell in reference.cells])


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("", "**Please save before exporting!**"),
        ("\nexport_cell:\n    force_save: true\n    instructions: Then upload it.", "upload it."),
        ("\nexport_cell: false", ""),
    ],
)
def test_what_otter_writes_at_the_end_is_no_answer(tmp_path: Path, setting: str, text: str) -> None:
    master = [("raw", CONFIG + setting), *MASTER[1:]]
    (tmp_path / "data.csv").write_text("1,2\n")
    assignment = read_master_assignment(write_master(tmp_path / "hw.ipynb", master))
    last = assignment.notebooks[0].notebook.cells[-1]

    assert last.source.startswith("## Submission\n\nMake sure") is bool(text)
    assert last.source.endswith(text)
    assert ("Please save" in last.source) is ("save" in text)


def test_a_configuration_that_cannot_be_read_is_to_settle(tmp_path: Path) -> None:
    master = [("raw", f"{CONFIG}\nconfig_file: more.yml"), *MASTER[1:]]
    (tmp_path / "data.csv").write_text("1,2\n")
    path = write_master(tmp_path / "hw.ipynb", master)

    assert ["more.yml" in gap.text for gap in read_master_assignment(path).unsettled] == [True]
    (tmp_path / "more.yml").write_text("show_question_points: true\n")
    assert not read_master_assignment(path).unsettled


def test_an_end_that_ends_nothing_is_refused(tmp_path: Path) -> None:
    master = write_master(tmp_path / "hw.ipynb", [("raw", "# END QUESTION")])

    with pytest.raises(UsageError, match="ends nothing"):
        read_master_assignment(master)


def test_r_is_refused_by_name(tmp_path: Path) -> None:
    master = write_master(tmp_path / "hw.ipynb", MASTER, language="R")

    with pytest.raises(UsageError, match="it is in R; only Python"):
        read_master_assignment(master)
    with pytest.raises(UsageError, match="R Markdown"):
        read_master_assignment(tmp_path / "hw.Rmd")


def test_points_for_each_case_and_functions_are_read(tmp_path: Path) -> None:
    cells = [
        ("raw", "# ASSIGNMENT CONFIG\ntests:\n    ok_format: false\nplugins:\n    - some.plugin"),
        ("raw", "# BEGIN QUESTION\nname: q1\npoints:\n    each: 2"),
        ("raw", "# BEGIN SOLUTION"),
        ("code", "x = 1 # SOLUTION"),
        ("raw", "# END SOLUTION"),
        ("raw", "# BEGIN TESTS"),
        ("code", "def test_x(x):\n    assert x == 1\ntest_x(x)"),
        ("code", "# hidden\ndef test_more(x):\n    assert x < 2"),
        ("raw", "# END TESTS"),
        ("raw", "# END QUESTION"),
    ]
    assignment = read_master_assignment(write_master(tmp_path / "hw.ipynb", cells))

    (item,) = assignment.items
    assert item.points == 4
    assert [test.public for test in item.tests] == [True, False]
    assert "assert x == 1" in item.tests[0].code
    assert [entry.text for entry in assignment.unsettled] == [
        'plugins = ["some.plugin"] was left out'
    ]


def test_all_or_nothing_of_functions_is_one_test_of_them_all(tmp_path: Path) -> None:
    cells = [
        ("raw", "# ASSIGNMENT CONFIG\ntests:\n    ok_format: false"),
        ("raw", "# BEGIN QUESTION\nname: q1\npoints: 2\nall_or_nothing: true"),
        ("raw", "# BEGIN SOLUTION"),
        ("code", "x = 1 # SOLUTION"),
        ("raw", "# END SOLUTION"),
        ("raw", "# BEGIN TESTS"),
        ("code", "def test_x(x):\n    assert x == 1"),
        ("code", "# hidden\ndef test_x(x):\n    assert x < 2"),
        ("raw", "# END TESTS"),
        ("raw", "# END QUESTION"),
    ]
    (item,) = read_master_assignment(write_master(tmp_path / "hw.ipynb", cells)).items
    visible, whole = item.tests
    names: dict[str, Callable[[int], None]] = {}
    exec(whole.code, names)  # noqa: S102 (written above)

    assert [float(test.points) for test in item.tests] == [0, 2]
    assert [test.public for test in item.tests] == [True, False]
    assert "x < 2" not in visible.code
    names[whole.name](1)
    with pytest.raises(AssertionError):
        names[whole.name](2)


def test_marks_become_ours_where_they_stand() -> None:
    assert with_our_marks("def f():\n    return 1 # SOLUTION", item="q") == (
        "def f():\n    ### BEGIN SOLUTION q\n    return 1\n    ### END SOLUTION"
    )


@pytest.mark.kernel
def test_the_solved_notebook_earns_all(course: Path) -> None:
    (course / "submissions").mkdir()
    source = (course / "reference" / "hw1.ipynb").read_text(encoding="utf-8")
    otter = source.replace("import grader", "import otter\\ngrader = otter.Notebook()")
    (course / "submissions" / "ada.ipynb").write_text(otter, encoding="utf-8")
    run_command("submissions", "--assignment", "hw1", "--out", "out", folder=course)

    items = json.loads((course / "out" / "results" / "ada.json").read_text())["items"]
    assert items[0]["earned"] == 4
    assert items[1]["earned"] is None  # a person marks it
