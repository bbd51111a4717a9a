"""An assignment made for nbgrader, of our own, with submissions: right, half right and forged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

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
TEXT_STUB = "YOUR ANSWER HERE"
CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def write_notebook(
    path: Path,
    *,
    replaced: Mapping[str, str] | None = None,
    beside: Mapping[str, str] | None = None,
) -> None:
    """Write the assignment's notebook.

    Args:
        path: Where to.
        replaced: Other sources, by the cell's id.
        beside: Text of the student's own in a new cell below a cell, by that cell's id.
    """
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for grade_id, cell in CELLS.items():
        kind = "markdown" if "text" in cell else "code"
        source = (replaced or {}).get(grade_id, cell.get("code", cell.get("text")))
        metadata = {
            "schema_version": 3,
            "grade_id": grade_id,
            "solution": cell.get("solution", False),
            "grade": "points" in cell,
            # Tests are locked whatever is said of them.
            "locked": not cell.get("solution", False) and "points" not in cell,
            "task": False,
            **({"points": cell["points"]} if "points" in cell else {}),
        }
        make: Any = getattr(nbformat.v4, f"new_{kind}_cell")
        node = make(source, metadata={"nbgrader": {**metadata, "cell_type": kind}})
        notebook.cells.append(node)
        if text := (beside or {}).get(grade_id):
            own: Any = nbformat.v4.new_markdown_cell(text)  # type: ignore[no-untyped-call]
            notebook.cells.append(own)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


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
