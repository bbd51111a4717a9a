"""Assignments of our own in both peers' formats, with submissions: right, half right, and forged.

Each submission says where the peer's points and ours may differ, and why; anywhere else they must
not. nbgrader's assignment is that of our tests (`tests/nbgrader_course.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent

from benchmarks.notebooks import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from nbgrader_course import AUTO, CODE_STUB, HALF, STUB, TEXT_STUB

ALL = "*"
"""Every question, where a difference is explained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One submission."""

    name: str
    """What it does, in a few words."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """Sources that differ from the solution's, by cell or by question."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Text in a new cell below a cell."""
    differs: Mapping[str, str] = field(default_factory=dict)
    """Why a question's points may differ, by the question."""
    is_forged: bool = False
    """Whether it deserves nothing, and is out to gain something."""


def forged(name: str, cells: Mapping[str, str]) -> Case:
    """A wrong solution that is out to gain what it doesn't deserve."""
    return Case(name=name, cells=cells, differs={ALL: "a forgery"}, is_forged=True)


# -------------------------------------------------------------------- nbgrader

WRONG = "def squares(n):\n    return None\n"
WRONG_TOTAL = "def total(n):\n    return None"
EQUAL = """\
class Yes:
    def __eq__(self, other): return True
    __hash__ = None
def squares(n):
    return Yes()
"""
UNITTEST = "import unittest\nunittest.TestCase.assertEqual = lambda *args, **options: None\n"
NOSE = """\
import sys, types
fake = types.ModuleType("nose.tools")
fake.assert_equal = lambda *args: None
sys.modules["nose"] = sys.modules["nose.tools"] = fake
"""
SILENT = "get_ipython().set_custom_exc((Exception,), lambda *args, **options: None)\n"
STRIP = """\
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())
"""
PRINTED = """\
texts = get_ipython().display_formatter.formatters["text/plain"]
for kind in (int, float):
    texts.for_type(kind, lambda value, printer, cycle: printer.text("2"))
"""
SOURCE = """\
import json, pathlib
here = pathlib.Path.cwd()
for folder in (here, *here.parents):
    for path in folder.glob("source/*/*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") in ("squares", "total"):
                exec("".join(cell["source"]), globals())
"""
NUMPY = """\
import numpy
def total(n):
    return numpy.int64(30 if n == 4 else n * (n + 1) * (2 * n + 1) // 6 + (n == 3))
"""


def wrong(hook: str) -> dict[str, str]:
    """The cells of a wrong solution, with code of its own before it."""
    return {"squares": hook + WRONG, "total": WRONG_TOTAL}


NBGRADER_CASES = (
    Case(name="right"),
    Case(
        name="left as handed out",
        cells={
            "squares": f"def squares(n):\n{STUB}",
            "total": f"def total(n):\n{STUB}",
            "why": TEXT_STUB,
            "plot": CODE_STUB,
        },
    ),
    Case(name="half right", cells={"total": HALF}),
    Case(name="test cells edited", cells=dict.fromkeys(AUTO, "pass")),
    Case(name="wrong, test cells edited", cells={**wrong(""), **dict.fromkeys(AUTO, "pass")}),
    Case(
        name="answer in a cell beside",
        cells={"why": TEXT_STUB},
        beside={"why": "They are the squares of the first numbers, added up."},
        differs={"why": "there is an answer: a person reads it"},
    ),
    Case(
        name="right, prints to stderr",
        cells={
            "squares": "import sys\ndef squares(n):\n    if n < 1:\n        raise ValueError\n"
            '    print("squares", file=sys.stderr)\n'
            "    return [i * i for i in range(1, n + 1)]"
        },
        differs={ALL: "anything on stderr is 0 there"},
    ),
    Case(
        name="half right, in NumPy's numbers",
        cells={"total": NUMPY},
        differs={"test_part": "there, text that is no number (`np.float64(1.5)`) is full credit"},
    ),
    forged("says that it is equal", {"squares": EQUAL, "total": "total = squares"}),
    forged("patches unittest", wrong(UNITTEST)),
    forged("a module nose of its own", wrong(NOSE)),
    forged("no failure is shown", wrong(SILENT)),
    forged("strips assertions", wrong(STRIP)),
    forged("prints points", wrong(PRINTED)),
    forged(
        "reads the solution on the disk",
        {"squares": WRONG, "total": f"{WRONG_TOTAL}\n{SOURCE}"},
    ),
)

# -------------------------------------------------------------------- otter-grader

SOLUTIONS = {
    "q1": "def squares(n):\n    return [i * i for i in range(1, n + 1)]",
    "q2": "def mean(numbers):\n    return sum(numbers) / len(numbers)",
    "q3": "def share(part, whole):\n    return np.float64(part) / whole",
    "q4": "Because a sum of squares grows like the cube.",
}
OTTER_STUBS = {
    "q1": "def squares(n):\n    ...",
    "q2": "def mean(numbers):\n    ...",
    "q3": "def share(part, whole):\n    ...",
    "q4": "_Type your answer here, replacing this text._",
}
PROMPTS = {
    "q1": "Write a function that returns the squares of the numbers from 1 to n.",
    "q2": "Write a function that returns the mean of some numbers.",
    "q3": "Write a function that returns the share of a part in its whole.",
    "q4": "Why does the sum of the squares grow faster than the square of n?",
}
POINTS = {"q1": 3, "q2": 2, "q3": 1, "q4": 2}
OK_CASES = {
    "q1": (("squares(2)", "[1, 4]"), ("# HIDDEN\nsquares(4)", "[1, 4, 9, 16]")),
    "q2": (("mean([1, 2])", "1.5"), ("# HIDDEN\nassert mean([2, 2, 2]) == 2", "")),
    "q3": (("np.isclose(share(1, 4), 0.25)", "True"),),
}
"""Cells of tests with what the saved notebook shows, in a NumPy before version 2."""
EXCEPTION_CASES = {
    "q1": (
        "def test_squares(squares):\n    assert squares(2) == [1, 4]",
        "# HIDDEN\ndef test_more(squares):\n    assert squares(4) == [1, 4, 9, 16]",
    ),
    "q2": ("def test_mean(mean):\n    assert mean([1, 2]) == 1.5\n    assert mean([2, 2]) == 2",),
    "q3": ("def test_share(share):\n    assert abs(share(1, 4) - 0.25) < 1e-9",),
}
DOCTEST = """\
import doctest
doctest.OutputChecker.check_output = lambda *args, **options: True
"""
OTTER_RUN = """\
from otter.test_files import ok_test, exception_test
from otter.test_files.abstract_test import TestCaseResult
def run(self, *args, **options):
    self.test_case_results = [
        TestCaseResult(test_case=case, message=None, passed=True) for case in self.test_cases
    ]
ok_test.OKTestFile.run = exception_test.ExceptionTestFile.run = run
"""
WRONG_OTTER = dict.fromkeys(("q1", "q2", "q3"), "squares = mean = share = lambda *args: None")
YES = EQUAL + dedent(
    """
    mean = share = squares
    np.isclose = lambda *args, **options: True
    """
)


def wrong_otter(hook: str) -> dict[str, str]:
    """The answers of a wrong solution, with code of its own before them."""
    return {**WRONG_OTTER, "q1": f"{hook}\n{WRONG_OTTER['q1']}"}


NUMPY_2 = {"q3": "NumPy 2 prints `np.True_` where the saved notebook shows `True`"}
OTTER_CASES = (
    Case(name="right", differs=NUMPY_2),
    Case(name="left as handed out", cells=OTTER_STUBS),
    Case(name="half right", cells={"q1": "def squares(n):\n    return [1, 4]"}, differs=NUMPY_2),
    Case(name="a name is gone", cells={"q2": "average = 1.5"}, differs=NUMPY_2),
    Case(name="raises", cells={"q3": "def share(part, whole):\n    raise KeyError(part)"}),
    forged("says that it is equal", {"q1": YES, "q2": "", "q3": ""}),
    forged("patches doctest", wrong_otter(DOCTEST)),
    forged("strips assertions", wrong_otter(STRIP)),
    forged("patches otter's tests", wrong_otter(OTTER_RUN)),
)
