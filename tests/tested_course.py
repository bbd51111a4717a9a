"""A small course that tests by functions of its own, for runs of the real command."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import nbformat

RUBRIC = """
schema = 1

[assignment]
id = "intro"
title = "Intro: functions and classes"
total = 10
reference = "reference/intro.ipynb"

[limits]
question_s = 2
"""
ITEM = """
[[item]]
id = "{id}"
title = "{id}"
points = {points}
kind = "auto"
source = "handout"
"""
CHECK = """
[[item.check]]
code = "TST001"
points = {points}
public = {public}
params = {{ test = "{test}" }}
"""
ITEMS = {
    "Q1": [("test_small", 1, True), ("test_drawn", 2, False)],
    "Q2": [("test_account", 2, True)],
    "Q3": [("test_greet", 1, False)],
    "Q4": [("test_sort", 2, True)],
    "Q5": [("test_hidden", 1, False), ("test_chart", 1, False)],
}
TESTS = dedent(
    '''
    """Tests of the first homework."""

    from pathlib import Path

    import pytest

    SECRET_ANSWER_OF_THE_STAFF = "never shown to anybody who hands in"


    @pytest.fixture(scope="session")
    def hidden():
        return (Path(__file__).parent / "hidden.txt").read_text().split()


    def lower(words):
        return sorted(words, key=str.lower)


    def test_small(squares):
        """squares(n) lists the first n squares."""
        assert squares(1) == [1]
        assert squares(4) == [1, 4, 9, 16]


    def test_drawn(squares, reference, draw):
        """squares(n) is right for numbers drawn after you handed in."""
        n = draw.integers(5, 20)
        assert squares(n) == reference.squares(n)


    def test_account(Account, InsufficientFunds):
        """An account can't be overdrawn."""
        account = Account(owner="Ada", balance=10)
        with pytest.raises(InsufficientFunds):
            account.withdraw(11)
        assert account.balance == 10


    def test_greet(greet, stdin, printed):
        """greet() says hello to the name that is typed."""
        stdin("Grace")
        greet()
        assert "Hello, Grace!" in printed


    @pytest.mark.parametrize("words", [["b", "a"], ["B", "a", "C"]])
    def test_sort(sort_words, words):
        """sort_words(words) sorts the list in place, whatever the case."""
        assert sort_words(words) is None
        assert words == lower(words)


    def test_hidden(hidden, squares, files):
        """squares agrees with the hidden file."""
        assert [str(n) for n in squares(len(hidden))] == hidden
        assert files["out.txt"].read_text() == "done"


    def test_chart(figures):
        """The chart has labels on both axes."""
        (axes,) = figures[0].axes
        assert axes.xlabel and axes.ylabel
        assert axes.lines[0].y == [1, 4, 9]
    '''
)
SOLVED = (
    (
        "def squares(n):\n    ### BEGIN SOLUTION Q1\n    return [i * i for i in range(1, n + 1)]\n"
        "    ### END SOLUTION"
    ),
    (
        "### BEGIN SOLUTION Q2\nclass InsufficientFunds(Exception):\n    pass\n\n\nclass Account:\n"
        "    def __init__(self, owner, balance=0):\n        self.balance = balance\n\n"
        "    def withdraw(self, amount):\n        if amount > self.balance:\n"
        "            raise InsufficientFunds(f'only {self.balance} left')\n"
        "        self.balance -= amount\n### END SOLUTION"
    ),
    (
        "def greet():\n    ### BEGIN SOLUTION Q3\n    name = input('Your name? ')\n"
        "    print(f'Hello, {name}!')\n    ### END SOLUTION"
    ),
    (
        "def sort_words(words):\n    ### BEGIN SOLUTION Q4\n    words.sort(key=str.lower)\n"
        "    ### END SOLUTION"
    ),
    (
        "### BEGIN SOLUTION Q5\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3], squares(3))\n"
        "plt.xlabel('n')\nplt.ylabel('n squared')\nopen('out.txt', 'w').write('done')\n"
        "### END SOLUTION"
    ),
)
WRONG = (
    "def squares(n):\n    return [i * i for i in range(n)]",
    "class Account:\n    def __init__(self, owner, balance=0):\n        self.balance = balance\n",
    "def greet():\n    while True:\n        pass",
    "def sort_words(words):\n    words.sort()",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])",
)
FORGED = (
    (
        "class Yes(list):\n    def __eq__(self, other):\n        return True\n\n\n"
        "def squares(n):\n    return Yes()"
    ),
    (
        "class InsufficientFunds(Exception):\n    pass\n\n\nclass Account:\n"
        "    def __init__(self, owner, balance=0):\n        self.balance = balance\n\n"
        "    def withdraw(self, amount):\n        import os\n        os._exit(0)"
    ),
    "def greet():\n    raise ValueError('Grace is a secret')",
    *WRONG[3:],
)
POINTS = {
    "right": {"Q1": 3, "Q2": 2, "Q3": 1, "Q4": 2, "Q5": 2},
    "wrong": {"Q1": 0, "Q2": 0, "Q3": 0, "Q4": 1, "Q5": 0},
    "forged": {"Q1": 0, "Q2": 0, "Q3": 0, "Q4": 1, "Q5": 0},
}


def write_notebook(path: Path, cells: tuple[str, ...]) -> None:
    v4 = nbformat.v4
    made = [v4.new_code_cell(source) for source in cells]  # type: ignore[no-untyped-call]
    notebook = v4.new_notebook(cells=made)  # type: ignore[no-untyped-call]
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def build_course(folder: Path) -> Path:
    """Write the course with three submissions, and return its folder."""
    for name in ("rubrics/intro", "reference", "submissions"):
        (folder / name).mkdir(parents=True)
    rubric = RUBRIC
    for item, checks in ITEMS.items():
        rubric += ITEM.format(id=item, points=sum(points for _, points, _ in checks))
        for test, points, public in checks:
            rubric += CHECK.format(test=test, points=points, public=str(public).lower())
    (folder / "rubrics" / "intro.toml").write_text(rubric, encoding="utf-8")
    (folder / "rubrics" / "intro" / "tests.py").write_text(TESTS, encoding="utf-8")
    (folder / "rubrics" / "intro" / "hidden.txt").write_text("1 4 9 16 25", encoding="utf-8")
    write_notebook(folder / "reference" / "intro.ipynb", SOLVED)
    right = tuple(cell.replace("### ", "# ") for cell in SOLVED)
    for name, cells in {"right": right, "wrong": WRONG, "forged": FORGED}.items():
        write_notebook(folder / "submissions" / f"{name}.ipynb", cells)
    return folder
