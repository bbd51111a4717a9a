"""What a test of a course costs: the CPU of a class with many tests, less that with one.

    python -m benchmarks.cost_of_tests                  # 200 tests more, 8 notebooks, 3 rounds

What ended with its namespace is accounted to nobody; what the machine used meanwhile is the upper
bound, where nothing else runs.

Tests are counted as an author writes them: each calls a function of the notebook twice, makes an
object that changes, or reads a list and a number back. The functions do next to nothing, so what is
left is ours: the forks, the conversation, pytest, the judging and the report's lines.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.environments import environment
from benchmarks.measuring import Job, measured
from benchmarks.notebooks import ROOT

CELLS = (
    "def squares(n):\n    return [i * i for i in range(1, n + 1)]",
    (
        "class Account:\n    def __init__(self, balance):\n        self.balance = balance\n"
        "    def deposit(self, amount):\n        self.balance += amount"
    ),
)
RUBRIC = """schema = 1

[assignment]
id = "cost"
title = "What a test costs"
total = {count}
reference = "reference/cost.ipynb"

[[item]]
id = "Q1"
title = "Q1"
points = {count}
kind = "auto"
source = "handout"
"""
CHECK = '\n[[item.check]]\ncode = "TST001"\npoints = 1\npublic = true\nparams = { test = "%s" }\n'
TESTS = (
    """def {name}(squares):
    assert squares({n}) == [i * i for i in range(1, {n} + 1)]
    assert sum(squares(2)) == 5
""",
    """def {name}(Account):
    account = Account({n})
    account.deposit(1)
    assert account.balance == {n} + 1
""",
)


def write_course(folder: Path, *, tests: int, notebooks: int) -> None:
    """Write a course with so many tests, and a class of so many notebooks."""
    names = [f"test_{number}" for number in range(tests)]
    rubric = RUBRIC.format(count=tests) + "".join(CHECK % name for name in names)
    code = "\n\n".join(
        TESTS[number % len(TESTS)].format(name=name, n=number % 20 + 1)
        for number, name in enumerate(names)
    )
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell,
        }
        for number, cell in enumerate(CELLS)
    ]
    files = {"rubrics/cost.toml": rubric, "rubrics/cost/tests.py": code}
    places = ["reference/cost.ipynb", *(f"submissions/s{n}.ipynb" for n in range(notebooks))]
    for number, place in enumerate(places):
        # No two are the same, so that none is taken for the other.
        note = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": f"Notebook {number}."}
        book = {"cells": [note, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        files[place] = json.dumps(book)
    for place, text in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")


def cpu_of_class(*, tests: int, notebooks: int) -> float:
    """Return the CPU seconds of `grade` on a class, all processes together."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_course(folder, tests=tests, notebooks=notebooks)
        command = (sys.executable, "-m", "grader", "submissions", "--out", "graded", "--jobs", "1")
        job = Job(
            commands=(command,),
            cwd=folder,
            environment={
                **environment(folder, python=Path(sys.executable)),
                "PYTHONPATH": str(ROOT),
            },
            folder=folder,
            results="graded/results/*.json",
        )
        usage = measured(job)
        results = [json.loads(path.read_text()) for path in folder.glob("graded/results/*.json")]
        earned = [sum(item["earned"] for item in result["items"]) for result in results]
        if earned != [tests] * notebooks:
            raise SystemExit(f"not everybody passed all {tests} tests: {earned}, {usage.codes}")
        _say(f"  {tests} tests: {usage.cpu:.2f} s, the machine {usage.machine_cpu:.2f} s")
        return usage.cpu


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, and print what a test costs for one notebook."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=200)
    parser.add_argument("--notebooks", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    costs = []
    for number in range(options.rounds):
        base = cpu_of_class(tests=1, notebooks=options.notebooks)
        more = cpu_of_class(tests=options.tests + 1, notebooks=options.notebooks)
        # The reference is run once, and asked as often as a notebook.
        cost = (more - base) / options.tests / (options.notebooks + 1)
        costs.append(cost)
        _say(f"round {number + 1}: {base:.2f} s, {more:.2f} s: {cost * 1000:.2f} ms a test")
    _say(f"median: {statistics.median(costs) * 1000:.2f} ms of CPU a test and notebook")


if __name__ == "__main__":
    main()
