"""Assignments that were made for nbgrader: read as data, written as ours, and the same points."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from in_process import run_command

from grader import checks, rubric

SOLVED = """def squares(n):
    if n < 1:
        raise ValueError("n < 1")
    {begin} BEGIN SOLUTION
    return [i * i for i in range(1, n + 1)]
    {begin} END SOLUTION
"""
CELLS: dict[str, dict[str, Any]] = {
    "squares": {"code": SOLVED.format(begin="####"), "solution": True},
    "test_shown": {
        "code": "from nose.tools import assert_equal\nassert_equal(squares(2), [1, 4])",
        "points": 2,
    },
    "test_hidden": {
        "code": "assert squares(1) == [1]\n"
        "### BEGIN HIDDEN TESTS\nassert squares(3) == [1, 4, 9]\n### END HIDDEN TESTS",
        "points": 1.5,
    },
    "total": {"code": "def total(n):\n    return sum(squares(n))", "solution": True},
    "test_uses": {
        "code": "kept = squares\ndel squares\ntry:\n    total(1)\nexcept NameError:\n    pass\n"
        'else:\n    raise AssertionError("total does not use squares")\n'
        "finally:\n    squares = kept",
        "points": 1,
    },
    "test_part": {
        "code": "score = sum(total(n) == s for n, s in [(1, 1), (2, 5), (3, 14), (4, 30)])\n"
        "score / 2",
        "points": 2,
    },
    "test_case": {
        "code": "import unittest\nunittest.TestCase().assertEqual(total(2), 5)",
        "points": 1,
    },
    "why": {"text": "It is a sum of squares.", "solution": True, "points": 3},
    "plot": {"code": "print(total(3))", "solution": True, "points": 2},
}
AUTO = ("test_shown", "test_hidden", "test_uses", "test_part", "test_case")
STUB = "    raise NotImplementedError()"


def write_notebook(path: Path, *, replaced: Mapping[str, str] | None = None) -> None:
    """Write the assignment's notebook, with other sources for some cells."""
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for grade_id, cell in CELLS.items():
        kind = "markdown" if "text" in cell else "code"
        source = (replaced or {}).get(grade_id, cell.get("code", cell.get("text")))
        metadata = {
            "schema_version": 3,
            "grade_id": grade_id,
            "solution": cell.get("solution", False),
            "grade": "points" in cell,
            "locked": not cell.get("solution", False),
            "task": False,
            **({"points": cell["points"]} if "points" in cell else {}),
        }
        make: Any = getattr(nbformat.v4, f"new_{kind}_cell")
        node = make(source, metadata={"nbgrader": {**metadata, "cell_type": kind}})
        notebook.cells.append(node)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nbgrader")
    write_notebook(folder / "source" / "ps1" / "p1.ipynb")
    code, output, errors = run_command("import", "nbgrader", "source/ps1", folder=folder)
    assert code == 0, output + errors
    assert "5 automatic questions, 2 for a person to mark" in output
    return folder


def test_items_have_the_ids_and_points_of_the_cells(course: Path) -> None:
    loaded = rubric.load_rubric(course / "rubrics" / "ps1.toml", catalog=checks.load_checks)

    assert loaded.imported_from == "nbgrader"
    assert {item.id: float(item.points) for item in loaded.items} == {
        name: cell["points"] for name, cell in CELLS.items() if "points" in cell
    }
    assert {item.id for item in loaded.items if item.kind == "written"} == {"why", "plot"}
    assert not loaded.unsettled


def test_tests_are_kept_word_for_word(course: Path) -> None:
    text = (course / "rubrics" / "ps1" / "tests.py").read_text(encoding="utf-8")

    assert "    assert squares(3) == [1, 4, 9]\n" in text
    assert "def test_uses(as_cell)" in text
    for name in AUTO:
        words = [line for line in CELLS[name]["code"].split("\n") if "HIDDEN" not in line]
        assert [line for line in words if line.strip() not in text and line != "score / 2"] == []


def test_the_solved_notebook_has_marks_that_release_obeys(course: Path) -> None:
    (path,) = (course / "reference").rglob("*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (squares,) = (
        c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == "squares"
    )

    assert "### BEGIN SOLUTION" in "".join(squares["source"]).replace("####", "no")


def test_nothing_is_replaced_by_a_second_import(course: Path) -> None:
    code, _, errors = run_command("import", "nbgrader", "source/ps1", folder=course)

    assert code == 2
    assert "there already" in errors


FORGED = """
import unittest, sys, types
unittest.TestCase.assertEqual = lambda *args, **options: None
fake = types.ModuleType("nose.tools")
fake.assert_equal = lambda *args: None
sys.modules["nose"] = sys.modules["nose.tools"] = fake
class Yes:
    def __eq__(self, other): return True
    __hash__ = None
def squares(n):
    return Yes()
"""
HALF = "def total(n):\n    return n * n if n < 3 else sum(squares(n))"
STUDENTS: dict[str, tuple[dict[str, str], tuple[float, ...]]] = {
    "right": ({}, (2, 1.5, 1, 2, 1)),
    "blank": (
        {"squares": f"def squares(n):\n{STUB}", "total": f"def total(n):\n{STUB}"},
        (0, 0, 0, 0, 0),
    ),
    "half": ({"total": HALF}, (2, 1.5, 0, 1.5, 0)),
    "forged": ({"squares": FORGED, "total": "def total(n):\n    return Yes()"}, (0, 0, 0, 0, 0)),
    "edited": ({"squares": FORGED, **dict.fromkeys(AUTO, "pass")}, (0, 0, 1, 0, 0)),
    "no_tests": (dict.fromkeys(AUTO, ""), (2, 1.5, 1, 2, 1)),
}


@pytest.mark.kernel
def test_submissions_earn_what_nbgrader_gives_and_forgeries_nothing(course: Path) -> None:
    for name, (replaced, _) in STUDENTS.items():
        write_notebook(course / "submitted" / name / "ps1" / "p1.ipynb", replaced=replaced)
    args = ("submitted/", "--assignment", "ps1", "--out", "OUT", "-j", "1")
    code, output, errors = run_command(*args, folder=course)
    assert code == 0, output + errors
    assert "not imported ahead" not in output

    with (course / "OUT" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        earned = {
            row["submission"]: tuple(float(row[name] or "nan") for name in AUTO)
            for row in csv.DictReader(file)
        }
    assert earned == {name: points for name, (_, points) in STUDENTS.items()}


@pytest.mark.kernel
def test_the_reference_passes_in_validate_and_in_pytest(course: Path) -> None:
    _, output, errors = run_command("validate", "ps1", "--mutants", "4", "-j", "1", folder=course)

    assert "reference  full automatic marks, every time" in output, output + errors
