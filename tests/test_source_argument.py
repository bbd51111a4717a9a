"""What a test may ask of the notebook's code: does it call, use, recurse, import."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any

import pytest

from grader.selfcheck.inside_loader import load_course_tests

Source: Any = load_course_tests("notebook_source").Source


def read(*cells: str) -> Any:
    return Source(lambda: [dedent(cell) for cell in cells])


@pytest.mark.parametrize(
    "code",
    [
        "def f(n):\n    return n and f(n - 1)",
        "def f(n):\n    return g(n)\ndef g(n):\n    return n and f(n - 1)",
        "def f(n):\n    def go(k):\n        return k and go(k - 1)\n    return go(n)",
        "def f(n):\n    go = lambda k: k and go(k - 1)\n    return go(n)",
        "f = lambda n: n and f(n - 1)",
        "def f(xs):\n    return [*map(f, xs)] if isinstance(xs, list) else xs",
        "def f(xs):\n    return sorted(xs, key=f)",
        "def f(n):\n    return partial(f, n)",
        "def f(n):\n    again = f\n    return again(n - 1)",
        "def g(n):\n    return n and g(n - 1)\ndef f(n):\n    return g(n)",
        "@cache\ndef f(n):\n    return n and f(n - 1)",
        "def f(n):\n    return n and f(n - 1)\nf = cache(f)",
        "def f(n):\n    yield from f(n - 1)",
        "if True:\n    def f(n):\n        return f(n - 1)",
        "class f:\n    def depth(self):\n        return max(c.depth() for c in self.children)",
        (
            "class f:\n    def go(self, n):\n        return self.back(n)\n"
            "    def back(self, n):\n        return self.go(n - 1)"
        ),
        (
            "class Node:\n    def __init__(self):\n        self.left = None\n"
            "    def insert(self, x):\n        self.left.insert(x)\n"
            "def f(xs):\n    root = Node()\n    root.insert(xs)"
        ),
    ],
)
def test_recursion_is_seen_however_it_is_written(code: str) -> None:
    assert read(code).recurses("f")


@pytest.mark.parametrize(
    "code",
    [
        "def f(n):\n    return sum(range(n))",
        "def g(n):\n    return n and g(n - 1)\ndef f(n):\n    return n",
        "def f(n):\n    return n\nf = cache(f)",
        "def f(xs):\n    return isinstance(xs, f)",
        "def f(n):\n    f.count += 1\n    return n",
        "def f(n: f) -> f:\n    return n",
        "def f(n):\n    def g():\n        f = 3\n        return f\n    return g()",
        (
            "class f:\n    def __init__(self):\n        self.items = []\n"
            "    def append(self, x):\n        self.items.append(x)"
        ),
        (
            "class f:\n    items: list = field(default_factory=list)\n"
            "    def append(self, x):\n        self.items.append(x)"
        ),
        "class f(list):\n    def append(self, x):\n        super().append(x)",
        "class f:\n    def sqrt(self):\n        return math.sqrt(self.x)\nimport math",
        (
            "class f:\n    def __add__(self, other):\n        return f(self.x + other.x)\n"
            "    def __init__(self, x):\n        self.x = x"
        ),
        "class f:\n    def add(self, xs: list):\n        xs.add(1)",
    ],
)
def test_what_does_not_call_itself_is_no_recursion(code: str) -> None:
    assert not read(code).recurses("f")


CALLS = """
from math import factorial as fact
import numpy as np

def pages(book):
    return len(book)

def inner_only(x):
    def helper(y):
        return pages(y)
    return helper(x)

def mapped(xs):
    return list(map(pages, xs))

def ordered(xs):
    return sorted(xs, key=pages)

def bound(x):
    return functools.partial(pages, x)

def chosen(x):
    return {"pages": pages}["pages"](x)

def imported(n):
    return fact(n)

def stripped(xs):
    return list(map(str.strip, xs))

def through(x):
    return mapped(x)

def counted(xs):
    sum = 0
    for x in xs:
        sum += x
    return sum

def flat(xs: list):
    return [x for x in xs if not isinstance(x, list)]

class Library:
    def count(self):
        return self.total()
    def total(self):
        return max(pages(b) for b in self.books)

class Archive(Library):
    pass
"""


@pytest.mark.parametrize(
    ("name", "function"),
    [
        *((name, "pages") for name in ("inner_only", "mapped", "ordered", "bound", "chosen")),
        *((name, "pages") for name in ("through", "Library", "Library.count", "Archive.count")),
        *(("Library.count", n) for n in ("total", "max", "Library.total")),
        *(("mapped", "map"), ("imported", "factorial"), ("stripped", "strip")),
    ],
)
def test_a_call_is_seen_through_what_is_called_or_passed_on(name: str, function: str) -> None:
    assert read(CALLS).calls(name, function)


@pytest.mark.parametrize(
    ("name", "function"),
    [("counted", "sum"), ("flat", "list"), ("pages", "mapped"), ("mapped", "sorted")],
)
def test_what_is_no_call_is_none(name: str, function: str) -> None:
    assert not read(CALLS).calls(name, function)


def test_a_loop_is_seen_in_a_helper_too() -> None:
    source = read("def f(xs):\n    return g(xs)\n", "def g(xs):\n    for x in xs:\n        pass\n")

    assert source.uses("f", ast.For, ast.While)
    assert not source.uses("f", ast.While)


def test_cells_with_magics_are_read_and_what_is_missing_is_told() -> None:
    source = read("%%time\nfiles = !ls\nif files:\n    %pip install x\ndef f():\n    return 1\n")

    assert source.tree("f").name == "f"
    with pytest.raises(AssertionError, match="no cell of the notebook makes g"):
        source.tree("g")


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import os.path as p", "os"),
        ("from numpy import linalg", "numpy.linalg"),
        ("np = __import__('numpy')", "numpy"),
        ("def f():\n    import importlib\n    return importlib.import_module('numpy')", "numpy"),
    ],
)
def test_imports_are_seen_in_every_form(code: str, module: str) -> None:
    assert read(code).imports(module)
    assert not read(code).imports("pandas")


@pytest.mark.parametrize(
    "binding",
    [
        "store, traffic = loop, sum",
        "[store, traffic] = [loop, sum]",
        "(store, (traffic, other)) = (loop, (sum, loop))",
        "first = store, traffic = loop, sum",
        "traffic = store = loop\nstore, traffic = loop, sum",
    ],
)
def test_of_several_names_that_one_assignment_binds_each_has_its_own_value(binding: str) -> None:
    source = read(f"def loop(xs):\n    for x in xs:\n        print(x)\n{binding}")

    assert source.uses("store", ast.For)
    assert not source.uses("traffic", ast.For)


def test_what_one_value_gives_to_several_names_is_each_ones_code() -> None:
    source = read(
        "def loop(xs):\n    for x in xs:\n        print(x)",
        "a, b = map(loop, 'xy')\na, *c = loop, sum",
        "def swap(a, b):\n    a, b = b, a\n    return a, b",
    )

    assert source.uses("b", ast.For)
    assert source.uses("c", ast.For)
    assert source.uses("swap", ast.Tuple)
