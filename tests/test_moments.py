"""Tests about a moment of the run: where the notebook checked a question, not its end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
import pytest
from in_process import run_command
from live_notebook import ROOMY, fork_server
from nbformat import v4

from grader import kernel
from grader.model import Cell
from grader.sandbox import IsolationLevel

pytestmark = pytest.mark.kernel

RUBRIC = """
schema = 1

[assignment]
id = "hw"
title = "One name, many values"
total = 3
default = true
reference = "reference/hw.ipynb"
"""
ITEM = """
[[item]]
id = "{id}"
title = "{id}"
points = 1
kind = "auto"
source = "handout"

[[item.check]]
code = "TST001"
points = 1
params = {{ test = "test_{id}", at = "{id}" }}
"""
TESTS = """
def test_q1(x):
    assert x == 1


def test_q2(x):
    assert x == 2


def test_q3(x):
    assert x == 3
"""
INIT = "import otter\ngrader = otter.Notebook('hw.ipynb')"
Cells = Sequence[tuple[str, Mapping[str, object]]]
CHECKED: Cells = (
    (INIT, {}),
    ("x = 1", {}),
    ("grader.check('q1')", {}),
    ("x = 2", {"otter": {"tests": ["q2"]}}),
    ("x = 3\nassert x == 3", {"nbgrader": {"grade_id": "q2b", "grade": True}}),
    ("x = 3\ngrader.check('q3')\nx = 4\nraise ValueError", {}),
    ("from otter import Notebook\nfrom otter.check import notebook\ngrader.export(pdf=False)", {}),
)
"""What a student of otter's hands in, as cells and their metadata."""


def write_notebook(path: Path, cells: Cells) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook.cells = [v4.new_code_cell(s, metadata=m) for s, m in cells]  # type: ignore[no-untyped-call]
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def earned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    folder = tmp_path_factory.mktemp("course")
    (folder / "rubrics" / "hw").mkdir(parents=True)
    items = "".join(ITEM.format(id=name) for name in ("q1", "q2", "q3"))
    (folder / "rubrics" / "hw.toml").write_text(RUBRIC + items, encoding="utf-8")
    (folder / "rubrics" / "hw" / "tests.py").write_text(TESTS, encoding="utf-8")
    reference: list[tuple[str, Mapping[str, object]]]
    reference = [cell for cell in CHECKED if "raise" not in cell[0]]
    reference.insert(-1, ("x = 3\ngrader.check('q3')", {}))
    write_notebook(folder / "reference" / "hw.ipynb", reference)
    again = [*CHECKED, ("x = 5", {}), ("grader.check('q1')", {})]
    place = {"nbgrader": {"grade_id": "q2"}}
    in_place = [(source, place if "q2b" in str(meta) else {}) for source, meta in CHECKED]
    late = [c for c in CHECKED if "check" not in c[0]]
    submissions: dict[str, Cells] = {
        "checked": [*CHECKED, ("x = 9", {})],
        "checked_twice": again,
        "never_checked": [*late, ("x = 1", {})],
        "in_place": in_place,
    }
    for name, cells in submissions.items():
        write_notebook(folder / "submissions" / f"{name}.ipynb", cells)
    run_command("submissions", "--out", "graded", folder=folder)
    results = (folder / "graded" / "results").glob("*.json")
    return {
        path.stem: {
            item["id"]: item["earned"]
            for item in json.loads(path.read_text(encoding="utf-8"))["items"]
        }
        for path in results
    }


def test_a_question_is_judged_by_what_the_names_were_where_it_was_checked(
    earned: dict[str, dict[str, float]],
) -> None:
    assert earned["checked"] == {"q1": 1, "q2": 1, "q3": 1}


def test_the_last_check_of_a_question_counts(earned: dict[str, dict[str, float]]) -> None:
    assert earned["checked_twice"] == {"q1": 0, "q2": 1, "q3": 1}


def test_what_was_never_checked_is_judged_at_the_end(earned: dict[str, dict[str, float]]) -> None:
    assert earned["never_checked"] == {"q1": 1, "q2": 1, "q3": 0}


def test_a_cell_of_nbgraders_is_tested_before_it_runs(earned: dict[str, dict[str, float]]) -> None:
    assert earned["in_place"] == {"q1": 1, "q2": 1, "q3": 1}


DRAWN = "np.random.rand(), random.random()"
SEEDED = (
    f"import random\nimport numpy as np\ns, a = 0, ({DRAWN})",
    f"b = {DRAWN}",
    f"%%capture\nc = {DRAWN}",
    "assert a == b != c",
    "assert s == 42",
)


@pytest.mark.parametrize(
    ("seed", "variable", "wrong"),
    [(42, "", "assert s == 42"), (42, "s", "assert a == b != c"), (None, "", "both")],
)
def test_every_cell_is_seeded_or_finds_its_seed(
    seed: int | None, variable: str, wrong: str
) -> None:
    with fork_server(IsolationLevel.REDUCED) as server:
        setup = kernel.KernelSetup(
            fork_server=server,
            seed=1,
            cell_seed=seed,
            seed_variable=variable,
            record=(),
            limits=ROOMY,
        )
        cells = tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(SEEDED))
        with kernel.start_kernel(setup) as live:
            record = live.run(cells, blank=frozenset())

    failed = {SEEDED[run.index] for run in record.cells if run.error}
    assert failed == (set(SEEDED[3:]) if wrong == "both" else {wrong})
