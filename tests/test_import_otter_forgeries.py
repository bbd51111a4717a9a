"""Forgeries against tests that were brought along from otter-grader: each earns nothing.

In otter-grader, whose tests run in the student's own process, most of them earn points: a patched
doctest all of a question's, subclasses seven of nine. The others end its run or find nothing.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import nbformat
import pytest
from in_process import run_command
from nbformat import v4

pytestmark = pytest.mark.kernel

SHOWN = """OK_FORMAT = True
test = {"name": "shown", "points": 5, "suites": [{"cases": [
    {"code": ">>> squares(2)\\n[1, 4]"},
    {"code": ">>> np.isclose(mean, 2.5)\\nTrue"},
    {"code": ">>> sorted(words) == ['a', 'b', 'c']\\nTrue"},
    {"code": ">>> total\\n9"},
    {"code": ">>> isinstance(total, int) and total == sum(hidden)\\nTrue"},
]}]}
""".replace("sum(hidden)", "sum([2, 3, 4])")
CALLED = """from otter.test_files import test_case
import unittest
import numpy as np
OK_FORMAT = False
name = "called"
points = 4

@test_case(hidden=True)
def test_squares(squares):
    assert squares(3) == [1, 4, 9]

@test_case(hidden=True)
def test_mean(mean):
    assert np.isclose(mean, 2.5)
    np.testing.assert_allclose(mean, 2.5)

@test_case(hidden=True)
def test_words(words):
    unittest.TestCase().assertEqual(words, ["a", "b", "c"])

@test_case(hidden=True)
def test_all(env):
    assert env["total"] == 9
"""
SOLVED = """
import numpy as np
def squares(n):
    return [i * i for i in range(1, n + 1)]
mean, words, total = 2.5, ["a", "b", "c"], 9
"""
WRONG = """
import numpy as np
def squares(n):
    return []
mean, words, total = 0.0, [], 0
"""
CHECKED = """
import otter
grader = otter.Notebook("hw.ipynb")
grader.check("shown")
grader.check("called")
grader.check_all()
"""
FORGER = """
class Forger:
    def __init__(self, text=""): self.text = text
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = __contains__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __bool__ = lambda self: True
    __hash__ = lambda self: 0
    __len__ = lambda self: 3
    __float__ = lambda self: 2.5
    __int__ = __index__ = lambda self: 9
    __getitem__ = lambda self, key: self
    __iter__ = lambda self: iter([])
    __getattr__ = lambda self, name: self
    __call__ = lambda self, *args, **options: self
    __repr__ = __str__ = lambda self: self.text
    __sub__ = __rsub__ = __add__ = __radd__ = __abs__ = __mul__ = __rmul__ = lambda self, *_: self
"""
FORGERIES = {
    "equals_everything": FORGER
    + """
squares = lambda n: Forger("[1, 4]")
mean, words, total = Forger("2.5"), Forger("['a']"), Forger("9")
""",
    "says_it_is_an_int": FORGER
    + """
class Liar(Forger):
    __class__ = property(lambda self: int)
total, words = Liar("9"), Liar("")
""",
    "subclasses": """
class List(list):
    __eq__ = lambda self, other: True
    __len__ = lambda self: 3
    __getitem__ = lambda self, key: "a"
    __repr__ = lambda self: "[1, 4]"
class Int(int):
    __eq__ = lambda self, other: True
    __repr__ = lambda self: "9"
class Float(float):
    __sub__ = __rsub__ = lambda self, other: 0.0
    __eq__ = lambda self, other: True
class Array(np.ndarray):
    __array_ufunc__ = lambda self, *args, **options: True
    __array_function__ = lambda self, *args, **options: True
    __repr__ = lambda self: "2.5"
squares, words, total = (lambda n: List()), List(), Int()
mean = Float() if len("x") > 1 else np.zeros(1).view(Array)
""",
    "numpy_speaks_for_it": """
class Mean:
    __array_ufunc__ = lambda self, *args, **options: np.True_
    __array_function__ = lambda self, *args, **options: np.True_
    __array__ = lambda self, *args, **options: np.array(2.5)
    __float__ = lambda self: 2.5
mean = Mean()
""",
    "comparisons_patched": """
np.isclose = np.allclose = lambda *args, **options: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *args, **options: None
""",
    "runners_patched": """
import doctest, unittest
doctest.OutputChecker.check_output = lambda *args: True
doctest.DocTestRunner.run = lambda *args, **options: doctest.TestResults(0, 1)
doctest.DocTestRunner.summarize = lambda *args, **options: doctest.TestResults(0, 1)
for name in dir(unittest.TestCase):
    if name.startswith("assert"):
        setattr(unittest.TestCase, name, lambda *args, **options: None)
""",
    "fake_otter": """
import sys, types
class Notebook:
    def __init__(self, *args, **options): pass
    def check(self, name): return types.SimpleNamespace(grade=1, score=5, passed_all=True)
    check_all = export = lambda self, *args, **options: None
fake = types.ModuleType("otter")
fake.Notebook, fake.__path__ = Notebook, []
for name in ("otter", "otter.test_files", "otter.execute", "otter.check", "otter.check.notebook"):
    sys.modules[name] = fake
fake.test_case = lambda *args, **options: lambda function: lambda *rest: None
fake.Checker = type("Checker", (), {"check": staticmethod(lambda *args, **options: True)})
open("otter.py", "w").write("class Notebook:\\n    def __init__(self, *a): pass\\n")
""",
    "checks_patched": """
import otter
otter.Notebook.check = otter.Notebook.check_all = lambda self, *args: True
try:
    from otter.execute import Checker
    Checker.check = Checker.check_if_not_already_checked = lambda *args, **options: None
    from otter.test_files.abstract_test import TestFile
    TestFile.passed_all = TestFile.grade = property(lambda self: 1)
    TestFile.score = property(lambda self: self.possible)
except Exception:
    pass
""",
    "builtins_overwritten": """
import builtins
builtins.isinstance = lambda *args: True
builtins.len = lambda *args: 3
builtins.sum = lambda *args: 0
builtins.repr = lambda value: "9"
builtins.compile = lambda *args, **options: "pass"
builtins.exec = lambda *args, **options: None
__builtins__ = {"isinstance": isinstance, "len": len, "sum": sum}
""",
    "displays_what_is_wanted": """
import sys
def show(value):
    sys.stdout.write("True\\\\n")
sys.displayhook = show
class Out:
    def write(self, text): return 0
    def flush(self): pass
    getvalue = lambda self: "True\\\\n"
sys.stdout = Out()
""",
    "reads_the_tests": """
import gc, glob, inspect, os, re
texts = []
for pattern in ("tests/*.py", "**/*.py", "../**/tests*.py", "/tmp/**/tests.py"):
    for path in glob.glob(pattern, recursive=True):
        try:
            texts.append(open(path).read())
        except Exception:
            pass
def squares(n):
    frames = [frame.frame.f_locals for frame in inspect.stack()]
    texts.extend(map(repr, frames))
    texts.extend(text for text in gc.get_objects() if isinstance(text, str))
    begin = ">>> " + "squares(2)", "assert " + "squares(3) == "
    for text in texts:
        for words in begin:
            if words in text:
                return eval(re.search("[[].*?[]]", text.partition(words)[2])[0])
    return []
""",
    "answers_anything_else": """
class Meta(type):
    __eq__ = __instancecheck__ = lambda cls, other: True
    __hash__ = lambda cls: 0
class words(metaclass=Meta):
    def __class_getitem__(cls, key): return "a"
def squares(n, seen=[]):
    raise SystemExit
import os, atexit
atexit.register(os._exit, 0)
""",
}


def write_notebook(path: Path, *sources: str) -> None:
    notebook = v4.new_notebook()  # type: ignore[no-untyped-call]
    for source in sources:
        notebook.cells.append(v4.new_code_cell(source))  # type: ignore[no-untyped-call]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def earned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    folder = tmp_path_factory.mktemp("forgeries")
    with zipfile.ZipFile(folder / "auto.zip", "w") as archive:
        archive.writestr("tests/shown.py", SHOWN)
        archive.writestr("tests/called.py", CALLED)
    write_notebook(folder / "passes.ipynb", SOLVED, CHECKED)
    arguments = ("import", "otter", "auto.zip", "--solution", "passes.ipynb", "--id", "hw")
    code, output, errors = run_command(*arguments, folder=folder)
    assert code == 0, output + errors
    for name, source in FORGERIES.items():
        write_notebook(folder / "handed_in" / f"{name}.ipynb", WRONG, source, CHECKED)
        write_notebook(
            folder / "handed_in" / f"{name}_before.ipynb", "import numpy as np", source, CHECKED
        )
    write_notebook(folder / "handed_in" / "right.ipynb", SOLVED, CHECKED)
    run_command("handed_in", "--assignment", "hw", folder=folder)
    return {
        path.stem: {
            item["id"]: item["earned"]
            for item in json.loads(path.read_text(encoding="utf-8"))["items"]
        }
        for path in (folder / "graded" / "results").glob("*.json")
    }


def test_who_solves_it_earns_it(earned: dict[str, dict[str, float]]) -> None:
    assert earned["right"] == {"shown": 5, "called": 4}


@pytest.mark.parametrize("forgery", [*FORGERIES, *(f"{name}_before" for name in FORGERIES)])
def test_a_forgery_earns_nothing(forgery: str, earned: dict[str, dict[str, float]]) -> None:
    assert earned[forgery] == {"shown": 0, "called": 0}
