"""A student's code is found by the names it gives a value to, without running it."""

import pytest
from processor_time import within

from grader.model import Cell, Notebook
from grader.notebook import assigning_cells, find_definitions, is_blank


def of(*sources: str) -> Notebook:
    cells = tuple(Cell(index=i, kind="code", source=source) for i, source in enumerate(sources))
    return Notebook(cells=cells, sha256="")


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "a, (x, *b) = f()",
        "x: int = 1",
        "x += 1",
        "for x in range(3): pass",
        "with open(p) as x: pass",
        "import x",
        "import x.y",
        "from m import n as x",
        "def x(): pass",
        "async def x(): pass",
        "class x: pass",
        "if (x := f()): pass",
        "[(x := i) for i in y]",
        "def f():\n    global x\n    x = 1",
        "try: pass\nexcept E as x: pass",
        "match v:\n    case [x]: pass",
        "match v:\n    case [_, *x]: pass",
        "match v:\n    case {1: _, **x}: pass",
        "%matplotlib inline\n!pip install torch\nx = 1",
        "%%time\nx = 1",
        "x = !ls",
        "x = = 1",
        "def x(:\n",
        "for x in :\n",
    ],
)
def test_every_way_to_assign_a_name_is_seen(source: str) -> None:
    assert assigning_cells(of("y = 0", source), "x") == (1,)


@pytest.mark.parametrize(
    "source",
    [
        "print(x)",
        "x == 1",
        "f(x=1)",
        "a.x = 1",
        "x[0] = 1",
        "def f(): x = 1",
        "class C: x = 1",
        "[x for x in y]",
        "def f(): return [(x := i) for i in y]",
        "del x",
        "def f():\n    for z in y: del z, x",
        "lambda x: x",
        "%%bash\nx=1",
        "'''\nx = 1\n'''",
        "print(x) = = 1 if x == 2",
        "",
    ],
)
def test_what_does_not_assign_a_name_is_not_taken_for_it(source: str) -> None:
    assert assigning_cells(of(source), "x") == ()


def test_code_about_names_looks_inside_functions_and_keeps_the_order() -> None:
    book = of("def train():\n    pos_pair = 1", "print(pos_pair)", "class Encoder: ...")
    assert [e.cell for e in find_definitions(book, ("Encoder", "pos_pair"))] == [0, 2]
    assert find_definitions(book, ("Encoder",))[0].source == "class Encoder: ..."


def test_warnings_about_students_strings_stay_quiet() -> None:
    assert assigning_cells(of("x = '\\d'"), "x") == (0,)


@pytest.mark.parametrize("source", ["(" * 10_000, "x = " + "-" * 100_000 + "1", "\x00"])
def test_code_that_breaks_parsers_breaks_nothing(source: str) -> None:
    assert assigning_cells(of(source), "y") == ()


@pytest.mark.parametrize(
    ("source", "blank"),
    [
        ("", True),
        ("  \n\n", True),
        ("# one\n   # two\n", True),
        ("x", False),
        ("%matplotlib inline", False),
        ("!pip install torch", False),
        ("'''text'''", False),
    ],
)
def test_a_cell_of_comments_is_blank_and_one_of_magics_is_not(source: str, *, blank: bool) -> None:
    assert is_blank(Cell(index=0, kind="code", source=source)) is blank


def test_decorators_without_end_are_looked_at_once_each() -> None:
    with within(3):
        assert assigning_cells(of("@a\n" * 20_000 + "def x(): pass"), "x") == (0,)
        assert assigning_cells(of("@(y := a)\ndef x(): z = 1"), "y") == (0,)
