"""Code for programs that look for copies: it parses, and given code is apart."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest
from specimen_assignment import rubric
from specimens import full_marks, half_right, submission

from grader.exports import FORMATS, Export, ExportOptions, Grades
from grader.model import Cell
from grader.notebook import given_code
from grader.notebook.plain_script import parses, script_of

CODE = {"ada": ("%matplotlib inline\nx = 1", "!pip install y\nprint(x)"), "ben": ()}


def export(name: str, *, given: tuple[str, ...] = ("import torch",)) -> Export:
    results = [
        replace(full_marks(), submission=submission("ada")),
        replace(half_right(), submission=submission("ben")),
    ]
    grades = Grades(
        rubric=rubric(),
        results=results,
        render_report=lambda _: "",
        list_code=lambda name: CODE[name],
        list_given_code=lambda: given,
    )
    return FORMATS[name](grades, options=ExportOptions())


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("jplag", "java -jar jplag.jar -l python3 -bc given code"),
        ("dolos", "dolos run -f web -l python -i given/given.py code/*.py"),
    ],
)
def test_each_submission_is_a_script_and_given_code_is_apart(name: str, command: str) -> None:
    made = export(name)

    assert set(made.files) == {"code/ada.py", "given/given.py"}
    script = made.files["code/ada.py"].decode()
    assert script.index("x = 1") < script.index("print(x)")
    assert "# !pip install y" in script
    assert parses(script)
    assert made.files["given/given.py"] == b"import torch\n"
    assert made.notes[1].strip() == command
    assert [(one.label, one.reason) for one in made.left_out] == [("ben", "there is no code in it")]


def test_where_no_code_is_known_to_be_given_the_command_names_none() -> None:
    made = export("jplag", given=())

    assert set(made.files) == {"code/ada.py"}
    assert "-bc" not in made.notes[1]
    assert "marks no solution" in made.notes[2]


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("%time f()\ny = 2", "y = 2"),
        ("if x:\n    !ls\ny = 2", "y = 2"),
        ("files = !ls\ny = 2", "files = None  # !ls"),
        ("!pip install \\\n  torch\ny = 2", "y = 2"),
        ("f?\ny = 2", "y = 2"),
        ("?f\ny = 2", "y = 2"),
        ("# a note\n%%time\ny = 2", "\ny = 2"),
        ("%%writefile m.py\ny = 2", "\ny = 2"),
        ("%%time\n%matplotlib inline\ny = 2", "\ny = 2"),
        ("def f(:\n    z = 1\ny = 2", "\ny = 2"),
        ("print 'two'\ndef f():\n    return 2", "\ndef f():\n    return 2"),
        ("y = 2\r\nx = y", "y = 2\nx = y"),
        ("y = 2\n<<<<<<< mine", "y = 2\n"),
        ('text = """\n%not magic\n"""', "\n%not magic\n"),
        ("x = 7 \\\n  % 3", "x = 7 \\\n  % 3"),
        ("await f()", "\nawait f()"),
    ],
)
def test_what_only_ipython_reads_is_a_comment_and_the_rest_is_kept(source: str, kept: str) -> None:
    script = script_of(["a = 1", source, "b = 3"])

    assert kept in script
    assert parses(script)
    assert script.startswith("a = 1\n")
    assert script.endswith("\nb = 3\n")


@pytest.mark.parametrize(
    "source",
    ["%%bash\ncd data && ls", "%%html\n<b>x</b>", "%%bash", "a b\0", "(" * 500, "-" * 99999 + "1"],
)
def test_what_is_no_python_is_a_comment_whole(source: str) -> None:
    script = script_of([source])

    assert not ast.parse(script).body
    assert script_of(["   ", ""]).strip() == ""


def test_given_code_is_without_solutions_and_parses() -> None:
    source = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n\nf(1)"
    cell = Cell(index=0, kind="code", source=source)

    assert given_code(cell) == "def f(x):\n    pass\n\nf(1)"
    assert given_code(replace(cell, tags=("solution",))) == ""
    line = "### BEGIN SOLUTION\na = 1\n### END SOLUTION\nb = 2"
    assert given_code(replace(cell, source=line)) == "b = 2"
